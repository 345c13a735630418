#include "store/file/destination.h"

#include "base/memory.h"
#include "base/os_path.h"
#include "store/file/file_os.h"
#include "store/file/temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_LINKS 40 /* as in the kernel */

static enum dn_status located(struct dn_error *err, const char *given, enum dn_status st)
{
    dn_error_locate(err, given, -1, -1, -1, NULL);
    return st;
}

static void let_go(struct dn_destination *d)
{
    if (d->dir_fd >= 0) {
        (void)close(d->dir_fd);
    }
    dn_free(d->dir);
    dn_free(d->path);
    *d = (struct dn_destination){.dir_fd = -1};
}

/* Split d->path into folder and name. */
static enum dn_status split(struct dn_destination *d, const char *given, struct dn_error *err)
{
    const char *slash = strrchr(d->path, '/');
    const size_t dir_len = slash == NULL ? 0 : (size_t)(slash - d->path);

    d->name = slash == NULL ? d->path : slash + 1;
    if (slash == NULL) {
        d->dir = dn_strdup(".");
    } else {
        d->dir = dn_strndup(d->path, dir_len == 0 ? 1 : dir_len); /* "/name" is in the root */
    }
    if (d->dir == NULL) {
        return dn_error_memory(err, dir_len + 1);
    }
    if (d->name[0] == '\0' || strcmp(d->name, ".") == 0 || strcmp(d->name, "..") == 0) {
        return located(err, given,
                       dn_error_set(err, DN_ERR_INVALID,
                                    "'%s' names a folder; add the name of the file to write",
                                    given));
    }
    return DN_OK;
}

/* A link there is an open file of a process, not a name: what it shows cannot be replaced through it. */
static enum dn_status refuse_proc(const struct dn_destination *d, const char *given,
                                  struct dn_error *err)
{
    if (!dn_file_os_is_proc(d->dir_fd)) {
        return DN_OK;
    }
    return located(err, given,
                   dn_error_set(err, DN_ERR_INVALID,
                                "'%s' leads to '%s', an entry of /proc, which a file cannot "
                                "replace; name the file itself",
                                given, d->path));
}

/*
 * The kernel's own rule (fs.protected_symlinks), which following by hand would get around: in a folder like /tmp a link counts only
 * if it is ours or the folder's owner's, or anybody could point our output at a file of their choice.
 */
static enum dn_status refuse_planted(const struct dn_destination *d, const char *given,
                                     struct dn_error *err)
{
    struct stat folder = {0};

    if (fstat(d->dir_fd, &folder) != 0 || (folder.st_mode & S_ISVTX) == 0 ||
        (folder.st_mode & S_IWOTH) == 0 || d->info.st_uid == geteuid() ||
        d->info.st_uid == folder.st_uid) {
        return DN_OK;
    }
    return located(err, given,
                   dn_error_set(err, DN_ERR_INVALID,
                                "'%s' is a symbolic link of another user in a folder that "
                                "everybody may write to; remove it or name the file itself",
                                d->path));
}

/* Replace d->path by what the link under it says. */
static enum dn_status follow(struct dn_destination *d, const char *given, struct dn_error *err)
{
    char target[PATH_MAX];
    char *next = NULL;

    DN_TRY(refuse_planted(d, given, err));
    const ssize_t len = readlinkat(d->dir_fd, d->name, target, sizeof(target));
    if (len <= 0 || len == sizeof(target)) {
        return located(err, given,
                       dn_error_set_errno(err, DN_ERR_IO, len < 0 ? errno : ENAMETOOLONG,
                                          "cannot follow the symbolic link '%s'", d->path));
    }
    const size_t dir_len = target[0] == '/' ? 0 : (size_t)(d->name - d->path);
    next = dn_malloc(dir_len + (size_t)len + 1);
    if (next == NULL) {
        return dn_error_memory(err, dir_len + (size_t)len + 1);
    }
    memcpy(next, d->path, dir_len);
    memcpy(next + dir_len, target, (size_t)len);
    next[dir_len + (size_t)len] = '\0';
    let_go(d);
    d->path = next;
    return DN_OK;
}

static enum dn_status report_exists(const char *given, struct dn_error *err)
{
    return located(
        err, given,
        dn_error_set(err, DN_ERR_EXISTS,
                     "'%s' exists already; ask for overwriting, remove it or choose another name",
                     given));
}

/* What is under the name; a missing file is no failure. */
static enum dn_status look(struct dn_destination *d, const char *given, struct dn_error *err)
{
    d->exists = fstatat(d->dir_fd, d->name, &d->info, AT_SYMLINK_NOFOLLOW) == 0;
    if (d->exists || errno == ENOENT) {
        return DN_OK;
    }
    if (errno == ENAMETOOLONG) {
        return located(err, given,
                       dn_error_set_errno(err, DN_ERR_INVALID, errno,
                                          "cannot create '%s'; shorten the file name", given));
    }
    return located(err, given,
                   dn_error_set_errno(err, DN_ERR_IO, errno, "cannot look for '%s'", given));
}

/* It must be nothing, or a regular file that may be replaced; or a link, for its target to be looked at. */
static enum dn_status check(const struct dn_destination *d, const char *given, bool overwrite,
                            struct dn_error *err)
{
    struct stat info = d->info;

    if (!d->exists) {
        return DN_OK;
    }
    if (S_ISLNK(d->info.st_mode) && fstatat(d->dir_fd, d->name, &info, 0) != 0) {
        info = d->info; /* it leads nowhere */
    }
    if (S_ISDIR(info.st_mode)) {
        return located(err, given,
                       dn_error_set(err, DN_ERR_INVALID,
                                    "'%s' is a folder; add the name of the file to write", given));
    }
    if (!overwrite) {
        return report_exists(given, err);
    }
    if (!S_ISREG(info.st_mode) && !S_ISLNK(info.st_mode)) {
        return located(
            err, given,
            dn_error_set(err, DN_ERR_INVALID,
                         "'%s' is a device, pipe or socket, which a file must not replace; choose "
                         "another name",
                         given));
    }
    return DN_OK;
}

enum dn_status dn_destination_open(struct dn_destination *d, const char *given, bool overwrite,
                                   struct dn_error *err)
{
    *d = (struct dn_destination){.dir_fd = -1, .path = dn_strdup(given)};
    if (d->path == NULL) {
        return dn_error_memory(err, strlen(given) + 1);
    }
    dn_os_path_use_slashes(d->path);
    for (int i = 0; i <= MAX_LINKS; i++) {
        DN_TRY(split(d, given, err));
        DN_TRY(dn_directory_open(&d->dir_fd, d->dir, given, err));
        DN_TRY(refuse_proc(d, given, err));
        DN_TRY(look(d, given, err));
        DN_TRY(check(d, given, overwrite, err));
        if (!d->exists || !S_ISLNK(d->info.st_mode)) {
            return DN_OK;
        }
        DN_TRY(follow(d, given, err));
    }
    return located(err, given,
                   dn_error_set_errno(err, DN_ERR_INVALID, ELOOP,
                                      "the symbolic links of '%s' lead in a circle; remove them",
                                      given));
}

void dn_destination_guard(const struct dn_destination *d, int fd)
{
    if (d->exists) { /* the owner's write permission: who cleans up needs it, see temporary.c */
        (void)fchmod(fd, (d->info.st_mode & 0777) | S_IRUSR | S_IWUSR);
    }
}

void dn_destination_keep_mode(const struct dn_destination *d, int fd)
{
    struct stat now = {0};
    mode_t kept = 07777;

    if (!d->exists || fstat(fd, &now) != 0) {
        return;
    }
    if (now.st_uid != d->info.st_uid || now.st_gid != d->info.st_gid) {
        if (fchown(fd, d->info.st_uid, d->info.st_gid) != 0 &&
            fchown(fd, (uid_t)-1, d->info.st_gid) != 0) {
            kept = 0777; /* set-id bits would be those of another user now */
        }
    }
    (void)fchmod(fd, d->info.st_mode & kept);
}

void dn_destination_close(struct dn_destination *d)
{
    let_go(d);
}

size_t dn_destination_head(const char *path, uint8_t *head, size_t size)
{
    struct stat info;
    ssize_t got = 0;

    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode)) {
        got = pread(fd, head, size, 0);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return got > 0 ? (size_t)got : 0;
}
