/* The locks of a run's hidden file, and what to say where they fail. */
#include "writer_run.h"

#include "base/clock.h"
#include "base/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

enum {
    NAME_BYTES =
        2, /* exclusive, from here on, one byte per name: a file of that name is in the making */
    LONGEST_NAP_NS = 20000000
};

/* ---- locks ---- */

/* 0, or -1 and errno: EAGAIN and EACCES say that another one holds it. */
int dn_run_lock(int fd, short type, off_t byte)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    int result = 0;

    do {
        result = fcntl(fd, F_OFD_SETLK, &lock);
    } while (result != 0 && errno == EINTR);
    return result;
}

bool dn_run_is_busy(int failure)
{
    return failure == EAGAIN || failure == EACCES;
}

bool dn_run_has_no_locks(int failure)
{
    return failure == EINVAL || failure == ENOLCK || failure == ENOTSUP || failure == ENOSYS;
}

/* Like dn_run_lock(), for at most so long: whoever may read the file may keep a lock on it for ever. */
int dn_run_wait_for_lock(int fd, short type, off_t byte, double seconds)
{
    const double end = dn_clock_seconds() + seconds;
    struct timespec nap = {.tv_nsec = 50000};

    while (dn_run_lock(fd, type, byte) != 0) {
        if (!dn_run_is_busy(errno) || dn_clock_seconds() >= end) {
            return -1;
        }
        (void)nanosleep(&nap, NULL);
        nap.tv_nsec = nap.tv_nsec * 2 < LONGEST_NAP_NS ? nap.tv_nsec * 2 : LONGEST_NAP_NS;
    }
    return 0;
}

void dn_run_unlock(const struct dn_writer_run *run, off_t byte)
{
    (void)dn_run_lock(run->fd, F_UNLCK, byte);
}

off_t dn_run_byte_of_name(const char *name)
{
    return NAME_BYTES + (off_t)(dn_digest_text(DN_DIGEST_START, name) >> 2);
}

/* ---- failures ---- */

enum dn_status dn_run_failure(const struct dn_writer_run *run, int failure, const char *what,
                              struct dn_error *err)
{
    enum dn_status st = dn_error_set_errno(
        err, DN_ERR_IO, failure,
        "cannot %s \"%s/%s\", which tells this run's files from an earlier one's%s", what,
        run->directory, run->name,
        dn_run_has_no_locks(failure)
            ? "; where a file system has no locks, set engine.options.overwrite to false, and "
              "no file is replaced"
            : "");
    dn_error_locate(err, run->directory, -1, -1, -1, NULL);
    return st;
}

enum dn_status dn_run_lock_failure(const struct dn_writer_run *run, int failure, off_t byte,
                                   struct dn_error *err)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    char holder[48] = "another process";

    if (!dn_run_is_busy(failure)) {
        return dn_run_failure(run, failure, "lock", err);
    }
    if (fcntl(run->fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK && lock.l_pid > 0) {
        (void)snprintf(holder, sizeof(holder), "process %ld", (long)lock.l_pid);
    }
    enum dn_status st =
        dn_error_set(err, DN_ERR_IO,
                     "cannot lock \"%s/%s\", which tells this run's files from an earlier one's: "
                     "%s held a lock on it for %d s; \"fuser\" tells which ones have that file "
                     "open: let it go on, or end it",
                     run->directory, run->name, holder, DN_RUN_PATIENCE_S);
    dn_error_locate(err, run->directory, -1, -1, -1, NULL);
    return st;
}

/* What is there is in the way. */
enum dn_status dn_run_refuse(const struct dn_writer_run *run, const char *what,
                             struct dn_error *err)
{
    enum dn_status st = dn_error_set(
        err, DN_ERR_IO,
        "\"%s/%s\" is %s: a writer keeps the list of its run's files under that name; remove it or "
        "give it another name, or set engine.options.overwrite to false, and no file is replaced",
        run->directory, run->name, what);
    dn_error_locate(err, run->directory, -1, -1, -1, NULL);
    return st;
}

enum dn_status dn_run_refuse_kind(const struct dn_writer_run *run, mode_t mode,
                                  struct dn_error *err)
{
    return dn_run_refuse(run,
                         S_ISDIR(mode)    ? "a folder"
                         : S_ISLNK(mode)  ? "a symbolic link"
                         : S_ISFIFO(mode) ? "a named pipe"
                                          : "no regular file",
                         err);
}
