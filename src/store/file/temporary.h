/**
 * The temporary file of a sink, and the folder it lives in.
 *
 * A temporary file belongs to whoever holds its flock(2).  One that nobody holds is stale: its process is gone.
 */
#ifndef DN_STORE_TEMPORARY_H
#define DN_STORE_TEMPORARY_H

#include "base/error.h"

#include <stdbool.h>

#include <stdint.h>
#include <sys/types.h>

#define DN_TEMPORARY_NAME_SIZE 256

/**
 * Open the folder `dir` for *at() calls, making it and its parents where missing.
 * @param path  The file that is to be created in it, for messages.
 * @return DN_ERR_IO with os_errno, naming the folder that is in the way.
 */
DN_NODISCARD enum dn_status dn_directory_open(int *out_fd, const char *dir, const char *path,
                                              struct dn_error *err);

/** fsync a folder; folders of file systems that cannot do that are taken as durable.  -1 and errno on failure. */
int dn_directory_sync(int dir_fd);

/**
 * Create a locked, empty temporary file for `name` in the folder; out_name holds DN_TEMPORARY_NAME_SIZE bytes.
 * The descriptor is open for reading and writing.  -1 and errno on failure.
 */
int dn_temporary_create(int dir_fd, const char *name, char *out_name);

/** Remove the temporary files for `name` that nobody holds.  Best effort.  Cost: one pass over the folder. */
void dn_temporary_remove_stale(int dir_fd, const char *name);

/** Rename, relative to the folder, if nothing has the new name; where systems cannot do that, by a hard link.  -1 and errno: EEXIST. */
int dn_rename_new(int dir_fd, const char *from, const char *to);

/** write(2), pwrite(2), pread(2) and fsync(2) as the test hook dn_sink_fail_at() sees them; EINTR is handled. */
ssize_t dn_store_write(int fd, const void *data, size_t len);
ssize_t dn_store_pwrite(int fd, const void *data, size_t len, uint64_t offset);
ssize_t dn_store_pread(int fd, void *data, size_t len, uint64_t offset);
int dn_store_fsync(int fd);

/**
 * One who writes many files of names that begin with a stem into one folder looks for stale ones once: until the end of the sweep
 * dn_temporary_remove_stale() does not list that folder for such names.  `stem` must live as long.  Thread-safe.
 */
struct dn_temporary_sweep {
    struct dn_temporary_sweep *next;
    const char *stem;
    dev_t dev;
    ino_t ino;
    bool registered;
};
void dn_temporary_sweep_begin(struct dn_temporary_sweep *s, int dir_fd, const char *stem);
/** Zeroed memory is accepted. */
void dn_temporary_sweep_end(struct dn_temporary_sweep *s);

#endif
