#include "store/file/file_sink.h"

#include "base/memory.h"
#include "base/os_memory.h"
#include "store/file/destination.h"
#include "store/file/file_os.h"
#include "store/file/temporary.h"
#include "store/sink_class.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define FIRST_BLOCK ((size_t)64 << 10) /* most files of a batch are shorter */
#define SMALLEST_BLOCK ((size_t)256 << 10)
#define LARGEST_BLOCK ((size_t)4 << 20)
#define MOST_UNDURABLE                                                                             \
    ((size_t)64 << 20) /* what a disk may keep to itself, for all of it is waited for at the end */
#define ALIGNMENT                                                                                  \
    ((size_t)4096) /* of memory, lengths and positions; what every disk is content with */

struct file_sink {
    struct dn_sink base;
    struct dn_destination at; /* the file it stands for */
    int fd;
    uint8_t *memory;
    size_t memory_size;
    size_t page;      /* its alignment */
    uint8_t *block;   /* aligned, inside `memory` */
    size_t size;      /* of it */
    size_t wanted;    /* the size it gets once the file is longer than the first one */
    size_t used;      /* bytes of it that are not written yet */
    uint64_t taken;   /* bytes of the file so far, with those */
    size_t undurable; /* bytes that went past the page cache and may be in the disk's own */
    bool is_direct;   /* the descriptor goes past the page cache */
    bool has_temporary;
    char temporary[DN_TEMPORARY_NAME_SIZE];
};

static struct file_sink *of(struct dn_sink *s)
{
    return (struct file_sink *)(void *)s;
}

static const struct file_sink *of_const(const struct dn_sink *s)
{
    return (const struct file_sink *)(const void *)s;
}

static enum dn_status located(struct dn_error *err, const struct file_sink *s, enum dn_status st)
{
    return dn_sink_located(&s->base, st, err);
}

static enum dn_status create_temporary(struct file_sink *s, struct dn_error *err)
{
    s->fd = dn_temporary_create(s->at.dir_fd, s->at.name, s->temporary);
    if (s->fd >= 0) {
        s->has_temporary = true;
        dn_destination_guard(&s->at, s->fd);
        return DN_OK;
    }
    const char *advice = "";
    if (errno == EACCES || errno == EPERM || errno == EROFS) {
        advice = "; give this user write permission there or choose another folder";
    } else if (errno == ENOSPC || errno == EDQUOT) {
        advice = "; make room there or choose another folder";
    } else if (errno == EMFILE || errno == ENFILE) {
        advice = "; close files or raise the limit of open files (ulimit -n)";
    }
    return located(err, s,
                   dn_error_set_errno(err, DN_ERR_IO, errno,
                                      "cannot create '%s' in the folder '%s'%s", s->base.path,
                                      s->at.dir, advice));
}

static enum dn_status report_write(struct file_sink *s, size_t missing, int failure,
                                   struct dn_error *err)
{
    char advice[128] = "";
    struct statvfs volume = {0};

    if ((failure == ENOSPC || failure == EDQUOT) && fstatvfs(s->fd, &volume) == 0) {
        (void)snprintf(advice, sizeof(advice),
                       " (%llu bytes are free there; make room or write elsewhere)",
                       (unsigned long long)volume.f_bavail * (unsigned long long)volume.f_frsize);
    } else if (failure == EFBIG) {
        (void)snprintf(advice, sizeof(advice),
                       " (raise the file size limit, ulimit -f, or write smaller files)");
    }
    return located(err, s,
                   dn_error_set_errno(
                       err, DN_ERR_IO, failure,
                       "cannot write %zu more bytes to '%s' after its first %llu bytes%s", missing,
                       s->base.path, (unsigned long long)(s->taken - missing), advice));
}

static void set_direct(struct file_sink *s, bool on)
{
    if (s->is_direct != on) {
        s->is_direct = dn_file_os_set_direct(s->fd, on) && on;
    }
}

static enum dn_status make_durable(struct file_sink *s, struct dn_error *err)
{
    s->undurable = 0;
    if (dn_store_fsync(s->fd) == 0) {
        return DN_OK;
    }
    /* After a failed fsync the kernel may have dropped the pages: trying again would succeed and prove nothing. */
    return located(err, s,
                   dn_error_set_errno(
                       err, DN_ERR_IO, errno,
                       "the %llu bytes of '%s' could not be made durable; check the disk and its "
                       "free space, then write the file again",
                       (unsigned long long)s->taken, s->base.path));
}

/*
 * Write what the block holds; `ends`: fsync() is next.  Full blocks go past the page cache: there they would cost a copy and the kernel's
 * write-back, push out what others have there, and all be waited for by fsync().
 */
static enum dn_status write_block(struct file_sink *s, bool ends, struct dn_error *err)
{
    const off_t start = (off_t)(s->taken - s->used);
    size_t done = 0;

    set_direct(s, s->used == s->size); /* the end of the file is not aligned */
    while (done < s->used) {
        const ssize_t n = dn_store_write(s->fd, s->block + done, s->used - done);
        if (n < 0 && errno == EINVAL && s->is_direct) {
            set_direct(s, false); /* behind a short write, or where disks ask for more alignment */
        } else if (n <= 0) {
            return report_write(s, s->used - done, n < 0 ? errno : ENOSPC, err);
        } else {
            done += (size_t)n;
        }
    }
    if (!s->is_direct && !ends) {
        /* Else the disk would not start before fsync(), where failures show up: this is only a hint. */
        dn_file_os_start_writing(s->fd, start, (off_t)s->used);
    }
    s->undurable += s->is_direct ? s->used : 0;
    s->used = 0;
    return s->undurable >= MOST_UNDURABLE && !ends ? make_durable(s, err) : DN_OK;
}

/* A block of that size, with what the one before holds; of pages of that size, or larger ones. */
static enum dn_status make_block(struct file_sink *s, size_t size, size_t page,
                                 struct dn_error *err)
{
    uint8_t *memory = dn_malloc_aligned(size + page);

    if (memory == NULL) {
        return dn_error_memory(err, size + page);
    }
    uint8_t *block = memory + (page - (uintptr_t)memory % page) % page;
    if (page == DN_OS_LARGE_PAGE) {
        dn_os_pages_large(block, size);
    }
    if (s->used > 0) {
        memcpy(block, s->block, s->used);
    }
    dn_free_aligned(s->memory, s->memory_size);
    s->memory = memory;
    s->memory_size = size + page;
    s->page = page;
    s->block = block;
    s->size = size;
    return DN_OK;
}

/*
 * The block is full.  What is written past the page cache lies in large pages, once there is a second block of it: disks of virtual machines
 * take 1,024 small ones four times as slowly as two large ones.
 */
static enum dn_status next_block(struct file_sink *s, struct dn_error *err)
{
    if (s->size < s->wanted) {
        return make_block(s, s->wanted, ALIGNMENT, err);
    }
    DN_TRY(write_block(s, false, err));
    return s->is_direct && s->page == ALIGNMENT && s->size % DN_OS_LARGE_PAGE == 0
               ? make_block(s, s->size, DN_OS_LARGE_PAGE, err)
               : DN_OK;
}

static enum dn_status file_write(struct dn_sink *sink, const void *data, size_t len,
                                 struct dn_error *err)
{
    struct file_sink *s = of(sink);
    const uint8_t *bytes = data;

    while (len > 0) {
        const size_t room = s->size - s->used;
        const size_t n = len < room ? len : room;
        memcpy(s->block + s->used, bytes, n);
        s->used += n;
        s->taken += n;
        bytes += n;
        len -= n;
        if (s->used == s->size) {
            DN_TRY(next_block(s, err));
        }
    }
    return DN_OK;
}

static enum dn_status file_spill_open(const struct dn_sink *sink, struct dn_spill **out,
                                      struct dn_error *err)
{
    return dn_spill_open(out, of_const(sink)->at.dir_fd, sink->path, err);
}

static enum dn_status file_finish(struct dn_sink *sink, struct dn_error *err)
{
    struct file_sink *s = of(sink);

    DN_TRY(write_block(s, true, err));
    dn_destination_keep_mode(&s->at, s->fd);
    return make_durable(s, err);
}

static enum dn_status file_replaced_head(struct dn_sink *sink, uint8_t *head, size_t size,
                                         size_t *len, struct dn_error *err)
{
    (void)err;
    *len = dn_destination_head(sink->path, head, size);
    return DN_OK;
}

static bool is_this_file(const struct file_sink *s, const char *path)
{
    struct stat own = {0};
    struct stat there = {0};

    return fstat(s->fd, &own) == 0 && stat(path, &there) == 0 && own.st_dev == there.st_dev &&
           own.st_ino == there.st_ino;
}

static enum dn_status file_reading_path(const struct dn_sink *sink,
                                        char out[DN_SINK_READING_PATH_SIZE], struct dn_error *err)
{
    const struct file_sink *s = of_const(sink);

    if (dn_file_os_path_of(s->fd, out, DN_SINK_READING_PATH_SIZE) && is_this_file(s, out)) {
        return DN_OK;
    }
    const int len = snprintf(out, DN_SINK_READING_PATH_SIZE, "%s/%s", s->at.dir, s->temporary);
    if (len < DN_SINK_READING_PATH_SIZE && is_this_file(s, out)) {
        return DN_OK;
    }
    return located(err, s,
                   dn_error_set(err, DN_ERR_IO,
                                "'%s' cannot be read before it has its name: /proc is not mounted, "
                                "and its folder '%s' was moved; mount /proc, or do not verify",
                                sink->path, s->at.dir));
}

static enum dn_status file_commit(struct dn_sink *sink, struct dn_error *err)
{
    struct file_sink *s = of(sink);
    int result = s->base.overwrite ? renameat(s->at.dir_fd, s->temporary, s->at.dir_fd, s->at.name)
                                   : dn_rename_new(s->at.dir_fd, s->temporary, s->at.name);
    if (result != 0) {
        int failure = errno;
        if (failure == EEXIST && !s->base.overwrite) {
            return dn_sink_exists(sink, err);
        }
        return located(err, s,
                       dn_error_set_errno(
                           err, DN_ERR_IO, failure, "the finished file could not be named '%s'%s",
                           s->base.path,
                           s->base.overwrite
                               ? ""
                               : "; if this file system has no hard links, ask for overwriting"));
    }
    s->has_temporary = false;
    sink->state = DN_SINK_COMMITTED;
    if (dn_directory_sync(s->at.dir_fd) != 0) {
        return located(
            err, s,
            dn_error_set_errno(
                err, DN_ERR_IO, errno,
                "'%s' is complete, but its name in the folder '%s' may not survive a power "
                "failure; check the disk",
                s->base.path, s->at.dir));
    }
    return DN_OK;
}

static void file_close(struct dn_sink *sink)
{
    struct file_sink *s = of(sink);

    if (s->has_temporary) {
        (void)unlinkat(s->at.dir_fd, s->temporary, 0);
    }
    if (s->fd >= 0) {
        (void)close(s->fd);
    }
    dn_destination_close(&s->at);
    dn_free_aligned(s->memory, s->memory_size);
    dn_free(s);
}

static const struct dn_sink_class file_class = {
    .write = file_write,
    .spill_open = file_spill_open,
    .finish = file_finish,
    .replaced_head = file_replaced_head,
    .reading_path = file_reading_path,
    .commit = file_commit,
    .close = file_close,
};

static size_t block_size(uint64_t memory_bytes)
{
    const size_t whole = (size_t)(memory_bytes - memory_bytes % ALIGNMENT);

    return memory_bytes == 0 || memory_bytes > LARGEST_BLOCK ? LARGEST_BLOCK
           : memory_bytes < SMALLEST_BLOCK                   ? SMALLEST_BLOCK
                                                             : whole;
}

enum dn_status dn_file_sink_open(struct dn_sink **out, const char *path, bool overwrite,
                                 uint64_t memory_bytes, struct dn_error *err)
{
    enum dn_status st = DN_OK;
    struct dn_sink *sink =
        dn_sink_make(sizeof(struct file_sink), &file_class, path, overwrite, err);

    *out = NULL;
    if (sink == NULL) {
        return DN_ERR_MEMORY;
    }
    struct file_sink *s = of(sink);
    s->at.dir_fd = -1;
    s->fd = -1;
    s->wanted = block_size(memory_bytes);
    DN_TRY_GOTO(st, make_block(s, FIRST_BLOCK, ALIGNMENT, err), cleanup);
    DN_TRY_GOTO(st, dn_destination_open(&s->at, path, overwrite, err), cleanup);
    dn_temporary_remove_stale(s->at.dir_fd, s->at.name);
    DN_TRY_GOTO(st, create_temporary(s, err), cleanup);
    *out = sink;
    sink = NULL;
cleanup:
    dn_sink_close(sink);
    return st;
}
