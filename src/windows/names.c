#include "windows/names.h"

#include "windows/posix.h"

#include <windows.h>

/* Beyond this a path needs the prefix that turns off the old limit. */
#define SHORT_PATH 240
#define LONG_PREFIX L"\\\\?\\"
#define LONG_PREFIX_LENGTH 4

int dn_windows_fail(unsigned long failure)
{
    static const struct {
        unsigned long failure;
        int number;
    } known[] = {
        {ERROR_FILE_NOT_FOUND, ENOENT},
        {ERROR_PATH_NOT_FOUND, ENOENT},
        {ERROR_INVALID_NAME, ENOENT},
        {ERROR_BAD_NETPATH, ENOENT},
        {ERROR_BAD_PATHNAME, ENOENT},
        {ERROR_DIRECTORY, ENOTDIR},
        {ERROR_ACCESS_DENIED, EACCES},
        {ERROR_SHARING_VIOLATION, EACCES},
        {ERROR_WRITE_PROTECT, EROFS},
        {ERROR_ALREADY_EXISTS, EEXIST},
        {ERROR_FILE_EXISTS, EEXIST},
        {ERROR_DIR_NOT_EMPTY, ENOTEMPTY},
        {ERROR_DISK_FULL, ENOSPC},
        {ERROR_HANDLE_DISK_FULL, ENOSPC},
        {ERROR_NOT_ENOUGH_MEMORY, ENOMEM},
        {ERROR_OUTOFMEMORY, ENOMEM},
        {ERROR_COMMITMENT_LIMIT, ENOMEM},
        {ERROR_TOO_MANY_OPEN_FILES, EMFILE},
        {ERROR_FILENAME_EXCED_RANGE, ENAMETOOLONG},
        {ERROR_BUFFER_OVERFLOW, ENAMETOOLONG},
        {ERROR_NOT_SAME_DEVICE, EXDEV},
        {ERROR_LOCK_VIOLATION, EWOULDBLOCK},
        {ERROR_BROKEN_PIPE, EPIPE},
        {ERROR_NO_DATA, EPIPE},
        {ERROR_INVALID_HANDLE, EBADF},
        {ERROR_INVALID_PARAMETER, EINVAL},
        {ERROR_NOT_SUPPORTED, ENOTSUP},
        {ERROR_INVALID_FUNCTION, ENOTSUP},
        {ERROR_CALL_NOT_IMPLEMENTED, ENOSYS},
    };

    errno = EIO;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (known[i].failure == failure) {
            errno = known[i].number;
        }
    }
    return -1;
}

/* UTF-8 as UTF-16 behind `room` units that are free. */
static wchar_t *widen(const char *path, size_t room)
{
    const int n = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, NULL, 0);

    if (n <= 0) {
        errno = EILSEQ;
        return NULL;
    }
    wchar_t *wide = calloc(room + (size_t)n, sizeof(*wide));
    if (wide != NULL) {
        (void)MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, wide + room, n);
    }
    return wide;
}

static bool is_separator(wchar_t c)
{
    return c == L'/' || c == L'\\';
}

static bool is_absolute(const wchar_t *path)
{
    return is_separator(path[0]) || (path[0] != L'\0' && path[1] == L':');
}

/* The folder of a descriptor in front of a path that is relative to it. */
static wchar_t *below(int dir, const wchar_t *path)
{
    const HANDLE handle = (HANDLE)_get_osfhandle(dir);
    const DWORD n = GetFinalPathNameByHandleW(handle, NULL, 0, 0);

    if (n == 0) {
        (void)dn_windows_fail(GetLastError());
        return NULL;
    }
    wchar_t *wide = calloc((size_t)n + wcslen(path) + 2, sizeof(*wide));
    if (wide == NULL) {
        return NULL;
    }
    if (GetFinalPathNameByHandleW(handle, wide, n + 1, 0) > n) {
        errno = ENOENT; /* it was renamed meanwhile */
        free(wide);
        return NULL;
    }
    if (wcscmp(path, L".") != 0) {
        size_t len = wcslen(wide);
        if (len > 0 && !is_separator(wide[len - 1])) {
            wide[len++] = L'\\';
        }
        wcscpy(wide + len, path);
    }
    for (wchar_t *p = wide; *p != L'\0'; p++) {
        *p = *p == L'/' ? L'\\' : *p;
    }
    return wide;
}

/* What is long as a whole, with its parts made plain, as the prefix wants it. */
static wchar_t *prefixed(wchar_t *path)
{
    if (wcslen(path) < SHORT_PATH || wcsncmp(path, LONG_PREFIX, LONG_PREFIX_LENGTH) == 0) {
        return path;
    }
    const DWORD n = GetFullPathNameW(path, 0, NULL, NULL);
    wchar_t *whole = calloc((size_t)n + LONG_PREFIX_LENGTH + 1, sizeof(*whole));
    if (whole != NULL && n > 0) {
        (void)GetFullPathNameW(path, n, whole + LONG_PREFIX_LENGTH, NULL);
        if (!is_separator(whole[LONG_PREFIX_LENGTH])) { /* no share of another machine */
            wmemcpy(whole, LONG_PREFIX, LONG_PREFIX_LENGTH);
        } else {
            wmemmove(whole, whole + LONG_PREFIX_LENGTH, n + 1);
        }
    }
    free(path);
    return whole;
}

wchar_t *dn_windows_wide(int dir, const char *path)
{
    /* nor is there what other systems tell of processes, which wine shows: of its own */
    if (path[0] == '\0' || strncmp(path, "/proc/", 6) == 0) {
        errno = ENOENT;
        return NULL;
    }
    wchar_t *wide = widen(strcmp(path, "/dev/null") == 0 ? "NUL" : path, 0);
    if (wide == NULL) {
        return NULL;
    }
    if (dir != AT_FDCWD && !is_absolute(wide)) {
        wchar_t *whole = below(dir, wide);
        free(wide);
        wide = whole;
    }
    return wide != NULL ? prefixed(wide) : NULL;
}

bool dn_windows_narrow(char *out, size_t size, const wchar_t *path)
{
    if (wcsncmp(path, L"\\\\?\\UNC\\", 8) == 0) {
        path += 6; /* `\\?\UNC\machine\...` is `\\machine\...`; the first of the two comes below */
        const int n = size == 0 ? 0
                                : WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, path, -1,
                                                      out + 1, (int)size - 1, NULL, NULL);
        if (n <= 0) {
            errno = ENAMETOOLONG;
            return false;
        }
        out[0] = '\\';
    } else {
        path += wcsncmp(path, LONG_PREFIX, LONG_PREFIX_LENGTH) == 0 ? LONG_PREFIX_LENGTH : 0;
        const int n = WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, path, -1, out, (int)size,
                                          NULL, NULL);
        if (n <= 0) {
            errno = GetLastError() == ERROR_INSUFFICIENT_BUFFER ? ERANGE : EILSEQ;
            return false;
        }
    }
    for (char *p = out; *p != '\0'; p++) {
        *p = *p == '\\' ? '/' : *p;
    }
    return true;
}

/* ---- renaming, removing ---- */

static int move(int from_dir, const char *from, int to_dir, const char *to, DWORD flags)
{
    wchar_t *wide_from = dn_windows_wide(from_dir, from);
    wchar_t *wide_to = wide_from != NULL ? dn_windows_wide(to_dir, to) : NULL;
    int result = -1;

    if (wide_to != NULL) {
        result = MoveFileExW(wide_from, wide_to, flags | MOVEFILE_WRITE_THROUGH)
                     ? 0
                     : dn_windows_fail(GetLastError());
    }
    free(wide_from);
    free(wide_to);
    return result;
}

int dn_posix_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    return move(from_dir, from, to_dir, to, MOVEFILE_REPLACE_EXISTING);
}

int dn_posix_rename(const char *from, const char *to)
{
    return move(AT_FDCWD, from, AT_FDCWD, to, MOVEFILE_REPLACE_EXISTING);
}

int dn_posix_rename_new(int dir, const char *from, const char *to)
{
    return move(dir, from, dir, to, 0);
}

int dn_posix_linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    wchar_t *wide_from = dn_windows_wide(from_dir, from);
    wchar_t *wide_to = wide_from != NULL ? dn_windows_wide(to_dir, to) : NULL;
    int result = -1;

    (void)flags;
    if (wide_to != NULL) {
        result = CreateHardLinkW(wide_to, wide_from, NULL) ? 0 : dn_windows_fail(GetLastError());
    }
    free(wide_from);
    free(wide_to);
    return result;
}

int dn_posix_symlink(const char *target, const char *path)
{
    (void)target;
    (void)path;
    errno = ENOSYS;
    return -1;
}

int dn_posix_unlinkat(int dir, const char *path, int flags)
{
    wchar_t *wide = dn_windows_wide(dir, path);

    if (wide == NULL) {
        return -1;
    }
    BOOL done = FALSE;
    if ((flags & AT_REMOVEDIR) != 0) {
        done = RemoveDirectoryW(wide);
    } else {
        done = DeleteFileW(wide);
        if (!done && GetLastError() == ERROR_ACCESS_DENIED) { /* POSIX asks the folder alone */
            const DWORD attributes = GetFileAttributesW(wide);
            if (attributes != INVALID_FILE_ATTRIBUTES &&
                (attributes & FILE_ATTRIBUTE_DIRECTORY) == 0 &&
                (attributes & FILE_ATTRIBUTE_READONLY) != 0) {
                (void)SetFileAttributesW(wide, attributes & ~(DWORD)FILE_ATTRIBUTE_READONLY);
                done = DeleteFileW(wide);
            } else {
                SetLastError(ERROR_ACCESS_DENIED);
            }
        }
    }
    const int result = done ? 0 : dn_windows_fail(GetLastError());
    free(wide);
    return result;
}

int dn_posix_unlink(const char *path)
{
    return dn_posix_unlinkat(AT_FDCWD, path, 0);
}

int dn_posix_rmdir(const char *path)
{
    return dn_posix_unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

int dn_posix_remove(const char *path)
{
    struct stat info;

    if (lstat(path, &info) != 0) {
        return -1;
    }
    return dn_posix_unlinkat(AT_FDCWD, path, S_ISDIR(info.st_mode) ? AT_REMOVEDIR : 0);
}

/* ---- folders ---- */

int dn_posix_mkdir(const char *path, mode_t mode)
{
    wchar_t *wide = dn_windows_wide(AT_FDCWD, path);

    (void)mode;
    if (wide == NULL) {
        return -1;
    }
    int result = CreateDirectoryW(wide, NULL) ? 0 : dn_windows_fail(GetLastError());
    if (result != 0 && errno == EACCES && GetFileAttributesW(wide) != INVALID_FILE_ATTRIBUTES) {
        errno = EEXIST; /* such as "C:" */
    }
    free(wide);
    return result;
}

char *dn_posix_getcwd(char *out, size_t size)
{
    wchar_t wide[PATH_MAX];
    const DWORD n = GetCurrentDirectoryW(PATH_MAX, wide);

    if (n == 0 || n >= PATH_MAX) {
        errno = ERANGE;
        return NULL;
    }
    if (out == NULL) {
        size = size == 0 ? (size_t)4 * PATH_MAX : size;
        out = malloc(size);
        if (out == NULL) {
            return NULL;
        }
    }
    return dn_windows_narrow(out, size, wide) ? out : NULL;
}

int dn_posix_chdir(const char *path)
{
    wchar_t *wide = dn_windows_wide(AT_FDCWD, path);

    if (wide == NULL) {
        return -1;
    }
    const int result = SetCurrentDirectoryW(wide) ? 0 : dn_windows_fail(GetLastError());
    free(wide);
    return result;
}

char *dn_posix_realpath(const char *path, char *out)
{
    char *given = out;
    wchar_t wide[PATH_MAX];
    const int fd = open(path, O_RDONLY);

    if (fd < 0) {
        return NULL;
    }
    const DWORD n = GetFinalPathNameByHandleW((HANDLE)_get_osfhandle(fd), wide, PATH_MAX, 0);
    (void)close(fd);
    if (n == 0 || n >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    out = given != NULL ? given : malloc(PATH_MAX);
    if (out != NULL && !dn_windows_narrow(out, PATH_MAX, wide)) {
        if (given == NULL) {
            free(out);
        }
        return NULL;
    }
    return out;
}

struct dn_posix_dir {
    HANDLE find;
    WIN32_FIND_DATAW data;
    bool has_data; /* of an entry that was not handed out yet */
    int fd;        /* to be closed with it */
    struct dn_posix_dirent entry;
};

/* The descriptor goes with it. */
struct dn_posix_dir *dn_posix_fdopendir(int fd)
{
    wchar_t *wide = dn_windows_wide(fd, ".");
    const size_t len = wide != NULL ? wcslen(wide) : 0;
    wchar_t *all = wide != NULL ? calloc(len + 3, sizeof(*all)) : NULL;
    struct dn_posix_dir *d = all != NULL ? calloc(1, sizeof(*d)) : NULL;

    if (d != NULL) {
        wcscpy(all, wide);
        wcscpy(all + len, len > 0 && is_separator(all[len - 1]) ? L"*" : L"\\*");
        d->fd = fd;
        d->find = FindFirstFileW(all, &d->data);
        d->has_data = d->find != INVALID_HANDLE_VALUE;
        if (!d->has_data && GetLastError() != ERROR_FILE_NOT_FOUND) {
            (void)dn_windows_fail(GetLastError());
            free(d);
            d = NULL;
        }
    }
    free(wide);
    free(all);
    return d;
}

struct dn_posix_dir *dn_posix_opendir(const char *path)
{
    const int fd = open(path, O_RDONLY | O_DIRECTORY);
    struct dn_posix_dir *dir = fd >= 0 ? fdopendir(fd) : NULL;

    if (dir == NULL && fd >= 0) {
        const int failure = errno;
        (void)close(fd);
        errno = failure;
    }
    return dir;
}

int dn_posix_dirfd(const struct dn_posix_dir *dir)
{
    return dir->fd;
}

struct dn_posix_dirent *dn_posix_readdir(struct dn_posix_dir *dir)
{
    while (dir->find != INVALID_HANDLE_VALUE) {
        if (!dir->has_data && !FindNextFileW(dir->find, &dir->data)) {
            if (GetLastError() != ERROR_NO_MORE_FILES) {
                (void)dn_windows_fail(GetLastError());
            }
            return NULL;
        }
        dir->has_data = false;
        if (WideCharToMultiByte(CP_UTF8, 0, dir->data.cFileName, -1, dir->entry.d_name,
                                sizeof(dir->entry.d_name), NULL, NULL) > 0) {
            return &dir->entry;
        }
    }
    return NULL;
}

int dn_posix_closedir(struct dn_posix_dir *dir)
{
    if (dir->find != INVALID_HANDLE_VALUE) {
        (void)FindClose(dir->find);
    }
    (void)close(dir->fd);
    free(dir);
    return 0;
}

static int fill_pattern(char *pattern)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    char *x = pattern + strlen(pattern);
    unsigned int value = 0;

    for (int i = 0; i < 6; i++) {
        if (x == pattern || rand_s(&value) != 0) {
            errno = EINVAL;
            return -1;
        }
        *--x = letters[value % (sizeof(letters) - 1)];
    }
    return 0;
}

char *dn_posix_mkdtemp(char *pattern)
{
    for (int i = 0; i < 100; i++) {
        if (fill_pattern(pattern) != 0) {
            return NULL;
        }
        if (mkdir(pattern, 0700) == 0) {
            return pattern;
        }
        if (errno != EEXIST) {
            return NULL;
        }
    }
    return NULL;
}

int dn_posix_mkstemp(char *pattern)
{
    for (int i = 0; i < 100; i++) {
        if (fill_pattern(pattern) != 0) {
            return -1;
        }
        const int fd = open(pattern, O_RDWR | O_CREAT | O_EXCL, 0600);
        if (fd >= 0 || errno != EEXIST) {
            return fd;
        }
    }
    return -1;
}
