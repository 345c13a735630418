/* Parts in a folder of this machine, or of a file system that several see. */
#include "base/memory.h"
#include "base/strings.h"
#include "job/events.h"
#include "job/json_file.h"
#include "job/output.h"
#include "job/parts_place.h"
#include "store/s3/crc32c.h"
#include "store/s3/hash.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define POLL_NANOSECONDS 20000000L
#define MOST_CLEARINGS 32 /* a task makes two files at most */
#define READ_BYTES ((size_t)1 << 20)

struct folder {
    struct dn_parts_place base;
    char *lock_path; /* NULL: it is not held */
    int lock;
};

static struct folder *of(struct dn_parts_place *l)
{
    return (struct folder *)(void *)l;
}

static enum dn_status failed(const char *path, const char *what, int code, struct dn_error *err)
{
    const enum dn_status st = dn_error_set_errno(err, code == ENOENT ? DN_ERR_NOT_FOUND : DN_ERR_IO,
                                                 code, "%s: %s", path, what);

    dn_error_locate(err, path, -1, -1, -1, NULL);
    return st;
}

static enum dn_status path_of(char **out, const struct dn_parts_place *l, bool staged,
                              const char *name, struct dn_error *err)
{
    *out = dn_parts_path(l->plan, staged, name);
    return *out != NULL ? DN_OK : dn_error_memory(err, 0);
}

static enum dn_status folder_read(struct dn_parts_place *l, bool staged, const char *name,
                                  json_t **out, struct dn_error *err)
{
    char *path = NULL;

    DN_TRY(path_of(&path, l, staged, name, err));
    const enum dn_status st = dn_json_file_read(path, "a manifest", out, err);
    dn_free(path);
    return st;
}

static enum dn_status folder_write(struct dn_parts_place *l, bool staged, const char *name,
                                   const json_t *value, struct dn_error *err)
{
    char *path = NULL;

    DN_TRY(path_of(&path, l, staged, name, err));
    const enum dn_status st = dn_json_file_write(path, value, true, err);
    dn_free(path);
    return st;
}

static enum dn_status entry_add(json_t *out, int folder, const char *name, struct dn_error *err)
{
    struct stat info;

    if (fstatat(folder, name, &info, 0) != 0 || !S_ISREG(info.st_mode)) {
        return DN_OK; /* a folder, or gone by now */
    }
    json_t *item = json_pack("{s:I}", "bytes", (json_int_t)info.st_size);
    if (item == NULL) {
        return dn_error_memory(err, 64);
    }
    return json_object_set_new_nocheck(out, name, item) == 0 ? DN_OK : dn_error_memory(err, 64);
}

static enum dn_status folder_list(struct dn_parts_place *l, bool staged, json_t **out,
                                  struct dn_error *err)
{
    char *path = NULL;
    enum dn_status st = DN_OK;

    *out = json_object();
    if (*out == NULL) {
        return dn_error_memory(err, 0);
    }
    DN_TRY_GOTO(st, path_of(&path, l, staged, NULL, err), cleanup);
    DIR *dir = opendir(path);
    if (dir == NULL && errno != ENOENT) {
        const int saved = errno;
        st = failed(path, "cannot be used as the folder of a result", saved, err);
    }
    for (const struct dirent *e; st == DN_OK && dir != NULL && (e = readdir(dir)) != NULL;) {
        st = entry_add(*out, dirfd(dir), e->d_name, err);
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
cleanup:
    dn_free(path);
    if (st != DN_OK) {
        json_decref(*out);
        *out = NULL;
    }
    return st;
}

/* All of it is read. */
static enum dn_status checksum(int fd, const char *path, json_t **out, struct dn_error *err)
{
    uint8_t *block = dn_malloc(READ_BYTES);
    char text[DN_CHECKSUM_TEXT_SIZE];
    int64_t bytes = 0;
    uint32_t crc = 0;
    enum dn_status st = block != NULL ? DN_OK : dn_error_memory(err, READ_BYTES);

    while (st == DN_OK) {
        const ssize_t n = read(fd, block, READ_BYTES);
        if (n == 0) {
            break;
        }
        if (n < 0 && errno != EINTR) {
            const int saved = errno;
            st = failed(path, "cannot be read back", saved, err);
        } else if (n > 0) {
            crc = dn_crc32c(crc, block, (size_t)n);
            bytes += n;
        }
    }
    dn_free(block);
    DN_TRY(st);
    dn_checksum_text(crc, text);
    *out = json_pack("{s:I, s:s}", "bytes", (json_int_t)bytes, "crc32c", text);
    return *out != NULL ? DN_OK : dn_error_memory(err, 64);
}

static enum dn_status folder_mark(struct dn_parts_place *l, bool staged, const char *name,
                                  json_t **out, struct dn_error *err)
{
    char *path = NULL;

    DN_TRY(path_of(&path, l, staged, name, err));
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const int saved = errno;
    const enum dn_status st =
        fd < 0 ? failed(path, "cannot be read", saved, err) : checksum(fd, path, out, err);
    if (fd >= 0) {
        (void)close(fd);
    }
    dn_free(path);
    return st;
}

static enum dn_status folder_put(struct dn_parts_place *l, const char *name, const json_t *mark,
                                 struct dn_error *err)
{
    char *from = NULL;
    char *to = NULL;
    struct stat info;
    enum dn_status st = DN_OK;

    (void)mark; /* whoever holds the lock has just seen it */
    DN_TRY_GOTO(st, path_of(&from, l, true, name, err), cleanup);
    DN_TRY_GOTO(st, path_of(&to, l, false, name, err), cleanup);
    if (rename(from, to) != 0 &&
        (errno != ENOENT || stat(to, &info) != 0 || !S_ISREG(info.st_mode))) {
        const int saved = errno;
        st = failed(from, "cannot be given its final name", saved, err);
    }
cleanup:
    dn_free(from);
    dn_free(to);
    return st;
}

static enum dn_status folder_sync(struct dn_parts_place *l, struct dn_error *err)
{
    const char *path = l->plan->directory;
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const int code = fd < 0 ? errno : fsync(fd) == 0 || errno == EINVAL ? 0 : errno;

    if (fd >= 0) {
        (void)close(fd);
    }
    return code == 0 ? DN_OK : failed(path, "is not safe on the disk", code, err);
}

static enum dn_status folder_remove(struct dn_parts_place *l, bool staged, const char *name,
                                    struct dn_error *err)
{
    char *path = NULL;
    enum dn_status st = DN_OK;

    DN_TRY(path_of(&path, l, staged, name, err));
    if (unlink(path) != 0 && errno != ENOENT && errno != ENOTDIR) {
        const int saved = errno;
        st = failed(path, "cannot be removed", saved, err);
    }
    dn_free(path);
    return st;
}

/* Once through the folder; a task that writes at this moment may have put another file into it since (*again). */
static enum dn_status clear_once(const char *path, bool *again, struct dn_error *err)
{
    enum dn_status st = DN_OK;
    DIR *dir = opendir(path);

    *again = false;
    if (dir == NULL) {
        const int saved = errno;
        return saved == ENOENT ? DN_OK : failed(path, "cannot be read", saved, err);
    }
    for (const struct dirent *e; st == DN_OK && (e = readdir(dir)) != NULL;) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
            unlinkat(dirfd(dir), e->d_name, 0) != 0 && errno != ENOENT) {
            const int saved = errno;
            st = failed(path, "what is in it cannot be removed", saved, err);
        }
    }
    if (st == DN_OK && rmdir(path) != 0 && errno != ENOENT) {
        const int saved = errno;
        *again = saved == ENOTEMPTY || saved == EEXIST;
        st = failed(path, "cannot be removed; is a task still writing?", saved, err);
    }
    (void)closedir(dir);
    return st;
}

/* Temporary files of killed tasks among them.  Others may be removing them, too. */
static enum dn_status folder_clear(struct dn_parts_place *l, struct dn_error *err)
{
    char *path = NULL;
    bool again = true;
    enum dn_status st = DN_OK;

    DN_TRY(path_of(&path, l, true, NULL, err));
    for (int n = 0; n < MOST_CLEARINGS && again; n++) {
        dn_error_clear(err);
        st = clear_once(path, &again, err);
    }
    dn_free(path);
    return st;
}

/* ---- one at a time ---- */

/* Whoever had it may have removed the file that was waited for. */
static bool is_current(const struct folder *f)
{
    struct stat own;
    struct stat named;

    return fstat(f->lock, &own) == 0 && stat(f->lock_path, &named) == 0 &&
           own.st_dev == named.st_dev && own.st_ino == named.st_ino;
}

static enum dn_status lock_try(struct folder *f, bool *taken, struct dn_error *err)
{
    f->lock = open(f->lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (f->lock < 0) {
        const int saved = errno;
        return failed(f->lock_path, "cannot be made", saved, err);
    }
    const int code = flock(f->lock, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
    *taken = code == 0 && is_current(f);
    if (*taken) {
        return DN_OK;
    }
    (void)close(f->lock);
    f->lock = -1;
    return code == 0 || code == EWOULDBLOCK || code == EINTR
               ? DN_OK
               : failed(f->lock_path, "cannot be locked", code, err);
}

static enum dn_status folder_claim(struct dn_parts_place *l, struct dn_error *err)
{
    const struct timespec pause = {.tv_nsec = POLL_NANOSECONDS};
    struct folder *f = of(l);
    bool taken = false;
    bool told = false;

    if (access(l->plan->directory, F_OK) != 0 && errno == ENOENT) {
        return DN_OK; /* no task has begun: there is nothing to be kept from others */
    }
    DN_TRY(path_of(&f->lock_path, l, false, "_lock", err));
    DN_TRY(dn_output_directories_make(f->lock_path, err));
    for (;;) {
        DN_TRY(lock_try(f, &taken, err));
        if (taken) {
            return DN_OK;
        }
        if (!told) {
            dn_events_emit(l->events, DN_EVENT_NOTE, "folder_locked", NULL,
                           "another commit or abort works in %s: this one waits for its end",
                           l->plan->directory);
            told = true;
        }
        (void)nanosleep(&pause, NULL);
    }
}

static void folder_release(struct dn_parts_place *l, bool is_over)
{
    struct folder *f = of(l);

    (void)is_over;
    if (f->lock >= 0) {
        (void)unlink(f->lock_path);
        (void)close(f->lock);
        f->lock = -1;
    }
    dn_free(f->lock_path);
    f->lock_path = NULL;
}

static void folder_close(struct dn_parts_place *l)
{
    folder_release(l, true);
    dn_free(l);
}

enum dn_status dn_parts_folder_open(struct dn_parts_place **out, struct dn_error *err)
{
    static const struct dn_parts_place_class class = {
        .read = folder_read,
        .write = folder_write,
        .list = folder_list,
        .mark = folder_mark,
        .put = folder_put,
        .sync = folder_sync,
        .remove = folder_remove,
        .clear = folder_clear,
        .claim = folder_claim,
        .release = folder_release,
        .close = folder_close,
    };
    struct folder *f = dn_calloc(1, sizeof *f);

    if (f == NULL) {
        return dn_error_memory(err, sizeof *f);
    }
    f->base.class = &class;
    f->lock = -1;
    *out = &f->base;
    return DN_OK;
}
