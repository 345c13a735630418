#include "windows/names.h"
#include "windows/posix.h"

#include <sys/file.h>
#include <sys/statvfs.h>

#include <windows.h>

#include <stdarg.h>

#define LARGEST_CALL ((size_t)1 << 30)
/* Locks here keep others from reading what is locked, so they lie where no file has bytes. */
#define LOCKS_START (UINT64_C(1) << 62)
#define WHOLE_FILE (LOCKS_START + (UINT64_C(1) << 61))
#define UNIX_EPOCH INT64_C(116444736000000000) /* in the 100 ns since 1601 */

static HANDLE handle_of(int fd)
{
    return (HANDLE)_get_osfhandle(fd);
}

/* ---- opening ---- */

static int open_wide(const wchar_t *path, int flags, mode_t mode)
{
    static const DWORD accesses[] = {GENERIC_READ, GENERIC_WRITE, GENERIC_READ | GENERIC_WRITE};
    DWORD access_wanted = accesses[flags & 3];
    DWORD how = OPEN_EXISTING;
    DWORD attributes = FILE_FLAG_BACKUP_SEMANTICS; /* or folders could not be opened */

    if ((flags & O_CREAT) != 0) {
        how = (flags & O_EXCL) != 0    ? CREATE_NEW
              : (flags & O_TRUNC) != 0 ? CREATE_ALWAYS
                                       : OPEN_ALWAYS;
        attributes |= (mode & 0200) == 0 ? FILE_ATTRIBUTE_READONLY : FILE_ATTRIBUTE_NORMAL;
    } else if ((flags & O_TRUNC) != 0) {
        how = TRUNCATE_EXISTING;
    }
    if ((flags & O_APPEND) != 0) {
        access_wanted = (access_wanted & ~(DWORD)GENERIC_WRITE) | FILE_APPEND_DATA | SYNCHRONIZE |
                        FILE_WRITE_ATTRIBUTES;
    }
    if ((flags & O_NOFOLLOW) != 0) {
        attributes |= FILE_FLAG_OPEN_REPARSE_POINT;
    }
    const HANDLE handle =
        CreateFileW(path, access_wanted, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                    NULL, how, attributes, NULL);
    if (handle == INVALID_HANDLE_VALUE) {
        return dn_windows_fail(GetLastError());
    }
    BY_HANDLE_FILE_INFORMATION info = {0};
    const bool known = GetFileInformationByHandle(handle, &info) != 0;
    const bool is_folder = known && (info.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
    int failure = 0;
    if (is_folder && (flags & 3) != O_RDONLY) {
        failure = EISDIR;
    } else if (!is_folder && (flags & O_DIRECTORY) != 0) {
        failure = ENOTDIR;
    } else if ((flags & O_NOFOLLOW) != 0 && known &&
               (info.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0) {
        failure = ELOOP;
    }
    if (failure != 0) {
        (void)CloseHandle(handle);
        errno = failure;
        return -1;
    }
    const int fd = _open_osfhandle((intptr_t)handle,
                                   O_BINARY | _O_NOINHERIT | (flags & (O_APPEND | O_RDONLY)));
    if (fd < 0) {
        (void)CloseHandle(handle);
        errno = EMFILE;
    }
    return fd;
}

int dn_posix_openat(int dir, const char *path, int flags, ...)
{
    va_list arguments;
    int mode = 0;

    if ((flags & O_CREAT) != 0) {
        va_start(arguments, flags);
        mode = va_arg(arguments, int);
        va_end(arguments);
    }
    wchar_t *wide = dn_windows_wide(dir, path);
    if (wide == NULL) {
        return -1;
    }
    const int fd = open_wide(wide, flags, (mode_t)mode);
    free(wide);
    return fd;
}

int dn_posix_open(const char *path, int flags, ...)
{
    va_list arguments;
    int mode = 0;

    if ((flags & O_CREAT) != 0) {
        va_start(arguments, flags);
        mode = va_arg(arguments, int);
        va_end(arguments);
    }
    return dn_posix_openat(AT_FDCWD, path, flags, mode);
}

FILE *dn_posix_fopen(const char *path, const char *mode)
{
    const bool updates = strchr(mode, '+') != NULL;
    int flags = updates ? O_RDWR : mode[0] == 'r' ? O_RDONLY : O_WRONLY;

    flags |= mode[0] == 'w' ? O_CREAT | O_TRUNC : mode[0] == 'a' ? O_CREAT | O_APPEND : 0;
    flags |= strchr(mode, 'x') != NULL ? O_EXCL : 0;
    const int fd = open(path, flags, 0666);
    if (fd < 0) {
        return NULL;
    }
    const char plain[] = {mode[0], 'b', updates ? '+' : '\0', '\0'};
    FILE *file = _fdopen(fd, plain);
    if (file == NULL) {
        (void)close(fd);
    }
    return file;
}

int dn_posix_close(int fd)
{
    return _close(fd);
}

int dn_posix_pipe(int ends[2])
{
    return _pipe(ends, 1 << 16, O_BINARY | _O_NOINHERIT);
}

/* ---- bytes ---- */

/*
 * A call that says where to read moves the position of the file, too.  It is put back, under a lock that calls without a place take as
 * well: one of a few, by the number of the file.
 */
#define N_LOCKS 32
static SRWLOCK position_locks[N_LOCKS];

static SRWLOCK *position_lock(int fd, HANDLE handle)
{
    return GetFileType(handle) == FILE_TYPE_DISK ? &position_locks[(unsigned int)fd % N_LOCKS]
                                                 : NULL;
}

static void lock_position(SRWLOCK *lock)
{
    if (lock != NULL) {
        AcquireSRWLockExclusive(lock);
    }
}

static void unlock_position(SRWLOCK *lock)
{
    if (lock != NULL) {
        ReleaseSRWLockExclusive(lock);
    }
}

static ssize_t transfer(int fd, void *out, const void *in, size_t size, OVERLAPPED *at)
{
    const HANDLE handle = handle_of(fd);
    const DWORD wanted = (DWORD)(size < LARGEST_CALL ? size : LARGEST_CALL);
    DWORD done = 0;

    if (handle == INVALID_HANDLE_VALUE) {
        errno = EBADF;
        return -1;
    }
    const BOOL good = out != NULL ? ReadFile(handle, out, wanted, &done, at)
                                  : WriteFile(handle, in, wanted, &done, at);
    if (good) {
        return (ssize_t)done;
    }
    const DWORD failure = GetLastError();
    if (out != NULL && (failure == ERROR_HANDLE_EOF || failure == ERROR_BROKEN_PIPE)) {
        return 0;
    }
    (void)dn_windows_fail(failure);
    errno = errno == EACCES || failure == ERROR_INVALID_FUNCTION ? EBADF : errno;
    return -1;
}

ssize_t dn_posix_read(int fd, void *out, size_t size)
{
    SRWLOCK *lock = position_lock(fd, handle_of(fd));

    lock_position(lock);
    const ssize_t n = transfer(fd, out, NULL, size, NULL);
    unlock_position(lock);
    return n;
}

ssize_t dn_posix_write(int fd, const void *bytes, size_t size)
{
    SRWLOCK *lock = position_lock(fd, handle_of(fd));

    lock_position(lock);
    const ssize_t n = transfer(fd, NULL, bytes, size, NULL);
    unlock_position(lock);
    return n;
}

static ssize_t transfer_at(int fd, void *out, const void *in, size_t size, off_t start)
{
    const HANDLE handle = handle_of(fd);
    SRWLOCK *lock = position_lock(fd, handle);
    OVERLAPPED at = {.Offset = (DWORD)((uint64_t)start & UINT32_MAX),
                     .OffsetHigh = (DWORD)((uint64_t)start >> 32)};
    const LARGE_INTEGER nowhere = {.QuadPart = 0};
    LARGE_INTEGER before = {.QuadPart = 0};
    ssize_t n = -1;

    if (lock == NULL) {
        errno = handle == INVALID_HANDLE_VALUE ? EBADF : ESPIPE;
        return -1;
    }
    lock_position(lock);
    if (!SetFilePointerEx(handle, nowhere, &before, FILE_CURRENT)) {
        (void)dn_windows_fail(GetLastError());
    } else {
        n = transfer(fd, out, in, size, &at);
        const int failure = errno;
        (void)SetFilePointerEx(handle, before, NULL, FILE_BEGIN);
        errno = failure;
    }
    unlock_position(lock);
    return n;
}

ssize_t dn_posix_pread(int fd, void *out, size_t size, off_t at)
{
    return transfer_at(fd, out, NULL, size, at);
}

ssize_t dn_posix_pwrite(int fd, const void *bytes, size_t size, off_t at)
{
    return transfer_at(fd, NULL, bytes, size, at);
}

off_t dn_posix_lseek(int fd, off_t to, int from)
{
    const HANDLE handle = handle_of(fd);
    SRWLOCK *lock = position_lock(fd, handle);

    if (lock == NULL) {
        errno = handle == INVALID_HANDLE_VALUE ? EBADF : ESPIPE;
        return -1;
    }
    lock_position(lock);
    const off_t at = _lseeki64(fd, to, from);
    unlock_position(lock);
    return at;
}

int dn_posix_fsync(int fd)
{
    const HANDLE handle = handle_of(fd);
    BY_HANDLE_FILE_INFORMATION info = {0};

    if (FlushFileBuffers(handle)) {
        return 0;
    }
    const DWORD failure = GetLastError();
    if (GetFileInformationByHandle(handle, &info) &&
        (info.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0) {
        errno = EINVAL; /* folders have no such thing: their names are written through */
        return -1;
    }
    return dn_windows_fail(failure);
}

int dn_posix_ftruncate(int fd, off_t size)
{
    FILE_END_OF_FILE_INFO end = {.EndOfFile = {.QuadPart = size}};

    return SetFileInformationByHandle(handle_of(fd), FileEndOfFileInfo, &end, sizeof(end))
               ? 0
               : dn_windows_fail(GetLastError());
}

int dn_posix_truncate(const char *path, off_t size)
{
    const int fd = open(path, O_WRONLY);

    if (fd < 0) {
        return -1;
    }
    const int result = ftruncate(fd, size);
    (void)close(fd);
    return result;
}

/* ---- locks ---- */

static int lock_range(int fd, uint64_t start, uint64_t len, DWORD flags)
{
    OVERLAPPED at = {.Offset = (DWORD)(start & UINT32_MAX), .OffsetHigh = (DWORD)(start >> 32)};

    return LockFileEx(handle_of(fd), flags, 0, (DWORD)(len & UINT32_MAX), (DWORD)(len >> 32), &at)
               ? 0
               : dn_windows_fail(GetLastError());
}

static int unlock_range(int fd, uint64_t start, uint64_t len)
{
    OVERLAPPED at = {.Offset = (DWORD)(start & UINT32_MAX), .OffsetHigh = (DWORD)(start >> 32)};

    return UnlockFileEx(handle_of(fd), 0, (DWORD)(len & UINT32_MAX), (DWORD)(len >> 32), &at)
               ? 0
               : dn_windows_fail(GetLastError());
}

int flock(int fd, int operation)
{
    if ((operation & LOCK_UN) != 0) {
        (void)unlock_range(fd, WHOLE_FILE, 1);
        return 0;
    }
    return lock_range(fd, WHOLE_FILE, 1,
                      ((operation & LOCK_EX) != 0 ? LOCKFILE_EXCLUSIVE_LOCK : 0u) |
                          ((operation & LOCK_NB) != 0 ? LOCKFILE_FAIL_IMMEDIATELY : 0u));
}

/* A lock that a descriptor has is not changed here but given beside: it goes first. */
static int set_lock(int fd, const struct flock *lock)
{
    const uint64_t start = LOCKS_START + (uint64_t)lock->l_start;
    const uint64_t len = lock->l_len == 0 ? 1 : (uint64_t)lock->l_len;

    while (unlock_range(fd, start, len) == 0) {
    }
    if (lock->l_type == F_UNLCK) {
        return 0;
    }
    const int result = lock_range(fd, start, len,
                                  LOCKFILE_FAIL_IMMEDIATELY |
                                      (lock->l_type == F_WRLCK ? LOCKFILE_EXCLUSIVE_LOCK : 0u));
    errno = result != 0 && errno == EWOULDBLOCK ? EAGAIN : errno;
    return result;
}

static int test_lock(int fd, struct flock *lock)
{
    const uint64_t start = LOCKS_START + (uint64_t)lock->l_start;
    const uint64_t len = lock->l_len == 0 ? 1 : (uint64_t)lock->l_len;
    const DWORD flags =
        LOCKFILE_FAIL_IMMEDIATELY | (lock->l_type == F_WRLCK ? LOCKFILE_EXCLUSIVE_LOCK : 0u);

    if (lock_range(fd, start, len, flags) == 0) {
        (void)unlock_range(fd, start, len);
        lock->l_type = F_UNLCK;
        return 0;
    }
    if (errno != EWOULDBLOCK) {
        return -1;
    }
    lock->l_type = F_WRLCK;
    lock->l_pid = -1;
    return 0;
}

int dn_posix_fcntl(int fd, int command, ...)
{
    va_list arguments;
    int result = -1;

    if (handle_of(fd) == INVALID_HANDLE_VALUE) {
        errno = EBADF;
        return -1;
    }
    va_start(arguments, command);
    if (command == F_GETFD) {
        result = FD_CLOEXEC;
    } else if (command == F_GETFL) {
        result = O_RDWR;
    } else if (command == F_OFD_SETLK) {
        result = set_lock(fd, va_arg(arguments, struct flock *));
    } else if (command == F_OFD_GETLK) {
        result = test_lock(fd, va_arg(arguments, struct flock *));
    } else {
        errno = EINVAL;
    }
    va_end(arguments);
    return result;
}

/* ---- what is known of a file ---- */

static struct timespec time_of(FILETIME time)
{
    const int64_t ticks =
        (int64_t)((uint64_t)time.dwHighDateTime << 32 | time.dwLowDateTime) - UNIX_EPOCH;
    const int64_t seconds = ticks >= 0 ? ticks / 10000000 : -((9999999 - ticks) / 10000000);

    return (struct timespec){.tv_sec = seconds,
                             .tv_nsec = (long)(ticks - seconds * 10000000) * 100};
}

static FILETIME file_time(struct timespec time)
{
    const int64_t ticks = (int64_t)time.tv_sec * 10000000 + time.tv_nsec / 100 + UNIX_EPOCH;

    return (FILETIME){.dwLowDateTime = (DWORD)((uint64_t)ticks & UINT32_MAX),
                      .dwHighDateTime = (DWORD)((uint64_t)ticks >> 32)};
}

static int stat_handle(HANDLE handle, struct stat *out)
{
    BY_HANDLE_FILE_INFORMATION info;
    FILE_BASIC_INFO basic;
    FILE_ATTRIBUTE_TAG_INFO tag;

    *out = (struct stat){.st_nlink = 1};
    switch (GetFileType(handle)) {
    case FILE_TYPE_CHAR:
        out->st_mode = S_IFCHR | 0666;
        return 0;
    case FILE_TYPE_PIPE:
        out->st_mode = S_IFIFO | 0666;
        return 0;
    case FILE_TYPE_DISK:
        break;
    default:
        errno = EBADF;
        return -1;
    }
    if (!GetFileInformationByHandle(handle, &info)) {
        return dn_windows_fail(GetLastError());
    }
    out->st_dev = info.dwVolumeSerialNumber;
    out->st_ino = (uint64_t)info.nFileIndexHigh << 32 | info.nFileIndexLow;
    out->st_nlink = info.nNumberOfLinks;
    out->st_size = (int64_t)((uint64_t)info.nFileSizeHigh << 32 | info.nFileSizeLow);
    out->st_atim = time_of(info.ftLastAccessTime);
    out->st_mtim = time_of(info.ftLastWriteTime);
    out->st_ctim = out->st_mtim;
    if (GetFileInformationByHandleEx(handle, FileBasicInfo, &basic, sizeof(basic)) &&
        basic.ChangeTime.QuadPart != 0) {
        out->st_ctim = time_of((FILETIME){.dwLowDateTime = (DWORD)basic.ChangeTime.LowPart,
                                          .dwHighDateTime = (DWORD)basic.ChangeTime.HighPart});
    }
    const mode_t may_write =
        (info.dwFileAttributes & FILE_ATTRIBUTE_READONLY) != 0 ? 0 : (mode_t)0222;
    if ((info.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0 &&
        GetFileInformationByHandleEx(handle, FileAttributeTagInfo, &tag, sizeof(tag)) &&
        (tag.ReparseTag == IO_REPARSE_TAG_SYMLINK ||
         tag.ReparseTag == IO_REPARSE_TAG_MOUNT_POINT)) {
        out->st_mode = (mode_t)S_IFLNK | 0777;
    } else if ((info.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0) {
        out->st_mode = (mode_t)(S_IFDIR | 0777);
        out->st_size = 0;
    } else {
        out->st_mode = (mode_t)(S_IFREG | 0444 | may_write);
    }
    return 0;
}

int dn_posix_fstat(int fd, struct stat *out)
{
    const HANDLE handle = handle_of(fd);

    if (handle == INVALID_HANDLE_VALUE) {
        errno = EBADF;
        return -1;
    }
    return stat_handle(handle, out);
}

int dn_posix_fstatat(int dir, const char *path, struct stat *out, int flags)
{
    wchar_t *wide = dn_windows_wide(dir, path);

    if (wide == NULL) {
        return -1;
    }
    const DWORD attributes =
        FILE_FLAG_BACKUP_SEMANTICS |
        ((flags & AT_SYMLINK_NOFOLLOW) != 0 ? (DWORD)FILE_FLAG_OPEN_REPARSE_POINT : 0u);
    const HANDLE handle = CreateFileW(wide, FILE_READ_ATTRIBUTES,
                                      FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                                      OPEN_EXISTING, attributes, NULL);
    int result = -1;
    if (handle == INVALID_HANDLE_VALUE) {
        result = dn_windows_fail(GetLastError());
    } else {
        result = stat_handle(handle, out);
        (void)CloseHandle(handle);
    }
    const size_t len = strlen(path);
    if (result == 0 && len > 0 && (path[len - 1] == '/' || path[len - 1] == '\\') &&
        !S_ISDIR(out->st_mode)) {
        errno = ENOTDIR;
        result = -1;
    }
    free(wide);
    return result;
}

int dn_posix_stat(const char *path, struct stat *out)
{
    return dn_posix_fstatat(AT_FDCWD, path, out, 0);
}

int dn_posix_lstat(const char *path, struct stat *out)
{
    return dn_posix_fstatat(AT_FDCWD, path, out, AT_SYMLINK_NOFOLLOW);
}

int dn_posix_access(const char *path, int mode)
{
    struct stat info;

    if (stat(path, &info) != 0) {
        return -1;
    }
    if ((mode & W_OK) != 0 && !S_ISDIR(info.st_mode) && (info.st_mode & 0222) == 0) {
        errno = EACCES;
        return -1;
    }
    return 0;
}

ssize_t dn_posix_readlinkat(int dir, const char *path, char *out, size_t size)
{
    (void)dir;
    (void)path;
    (void)out;
    (void)size;
    errno = ENOSYS;
    return -1;
}

ssize_t dn_posix_readlink(const char *path, char *out, size_t size)
{
    return dn_posix_readlinkat(AT_FDCWD, path, out, size);
}

static int set_mode(HANDLE handle, mode_t mode)
{
    FILE_BASIC_INFO basic;

    if (!GetFileInformationByHandleEx(handle, FileBasicInfo, &basic, sizeof(basic))) {
        return dn_windows_fail(GetLastError());
    }
    const DWORD before = basic.FileAttributes;
    const DWORD wanted = (mode & 0200) != 0 ? before & ~(DWORD)FILE_ATTRIBUTE_READONLY
                                            : before | FILE_ATTRIBUTE_READONLY;
    if (before == wanted || (before & FILE_ATTRIBUTE_DIRECTORY) != 0) {
        return 0;
    }
    basic = (FILE_BASIC_INFO){.FileAttributes = wanted != 0 ? wanted : FILE_ATTRIBUTE_NORMAL};
    return SetFileInformationByHandle(handle, FileBasicInfo, &basic, sizeof(basic))
               ? 0
               : dn_windows_fail(GetLastError());
}

int dn_posix_fchmod(int fd, mode_t mode)
{
    return set_mode(handle_of(fd), mode);
}

static HANDLE open_attributes(int dir, const char *path)
{
    wchar_t *wide = dn_windows_wide(dir, path);
    HANDLE handle = INVALID_HANDLE_VALUE;

    if (wide != NULL) {
        handle = CreateFileW(wide, FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES,
                             FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                             OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
        if (handle == INVALID_HANDLE_VALUE) {
            (void)dn_windows_fail(GetLastError());
        }
        free(wide);
    }
    return handle;
}

int dn_posix_chmod(const char *path, mode_t mode)
{
    const HANDLE handle = open_attributes(AT_FDCWD, path);

    if (handle == INVALID_HANDLE_VALUE) {
        return -1;
    }
    const int result = set_mode(handle, mode);
    (void)CloseHandle(handle);
    return result;
}

int dn_posix_fchown(int fd, uid_t owner, gid_t group)
{
    (void)fd;
    (void)owner;
    (void)group;
    return 0;
}

uid_t dn_posix_getuid(void)
{
    return 0;
}

static int set_time(HANDLE handle, const struct timespec times[2])
{
    const FILETIME written = file_time(times[1]);

    return SetFileTime(handle, NULL, NULL, &written) ? 0 : dn_windows_fail(GetLastError());
}

int dn_posix_futimens(int fd, const struct timespec times[2])
{
    return set_time(handle_of(fd), times);
}

int dn_posix_utimensat(int dir, const char *path, const struct timespec times[2], int flags)
{
    const HANDLE handle = open_attributes(dir, path);

    (void)flags;
    if (handle == INVALID_HANDLE_VALUE) {
        return -1;
    }
    const int result = set_time(handle, times);
    (void)CloseHandle(handle);
    return result;
}

int fstatvfs(int fd, struct statvfs *out)
{
    wchar_t path[PATH_MAX];
    ULARGE_INTEGER free_bytes = {.QuadPart = 0};

    const DWORD n = GetFinalPathNameByHandleW(handle_of(fd), path, PATH_MAX, 0);
    if (n == 0 || n >= PATH_MAX) {
        errno = EIO;
        return -1;
    }
    wchar_t *slash = wcsrchr(path, L'\\');
    if (slash != NULL) {
        slash[1] = L'\0';
    }
    if (!GetDiskFreeSpaceExW(path, &free_bytes, NULL, NULL)) {
        return dn_windows_fail(GetLastError());
    }
    *out = (struct statvfs){.f_bavail = free_bytes.QuadPart, .f_frsize = 1};
    return 0;
}
