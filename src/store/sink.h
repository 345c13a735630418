/**
 * Where bytes go: a file that appears under its name only when it is complete.
 *
 * Bytes are written to a temporary file in the destination's own directory (`.<name>.<pid>-<n>.tmp`, held under an exclusive
 * flock(2)); finish() makes it durable (fsync), commit() renames it and makes the directory entry durable.  A killed process
 * leaves nothing under the final name; its stale temporary file is removed by the next open of the same name, which can tell
 * by the lock.
 *
 * Order of calls: open, write*, finish, commit, close.  A call out of order is DN_ERR_INVALID.  After a failed write or
 * finish the sink is dead: only close is legal.  After a failed commit it may be tried again.
 * Threads: one thread per sink at a time; any number of sinks and processes may work on the same name.
 */
#ifndef DN_STORE_SINK_H
#define DN_STORE_SINK_H

#include "base/stop.h"
#include "store/options.h"
#include "store/spill.h"

#include <stdint.h>

struct dn_sink;

/**
 * Create the temporary file for `path`, a path or a URL (url.h); missing parent directories are made, and stay if a later step fails.  Relative paths
 * are resolved here, once.  With overwrite, symbolic links under the final name are followed to the file that is written, which
 * need not exist, and a file that is replaced hands on its mode and, as far as this user may, its owner.
 * DN_ERR_EXISTS if `path` exists and !overwrite (checked here and again, atomically, at commit); DN_ERR_INVALID if it names a
 * folder, device, pipe or socket, leads into /proc or in a circle, or is empty or too long; DN_ERR_IO with os_errno if a parent is not a directory, or the
 * directory cannot be written.
 * Cost: one pass over the directory's entries.
 * @param store  what the connection says, and what the object gets besides its bytes; copied; NULL: nothing.
 */
DN_NODISCARD enum dn_status dn_sink_open(struct dn_sink **out, const char *path, bool overwrite,
                                         const struct dn_store_options *store, struct dn_stop *stop,
                                         struct dn_error *err);
/**
 * Append.  Bytes are collected to blocks of up to 4 MiB, which are written past the page cache where the file system can do that: a
 * failure may be that of earlier bytes.  Short writes and EINTR are handled.  A full disk names the path and the bytes needed.
 */
DN_NODISCARD enum dn_status dn_sink_write(struct dn_sink *s, const void *data, size_t len,
                                          struct dn_error *err);
/** A file for bytes that memory has no room for, in the same folder. */
DN_NODISCARD enum dn_status dn_sink_spill_open(const struct dn_sink *s, struct dn_spill **out,
                                               struct dn_error *err);
/** Append `len` bytes that stand in such a file. */
DN_NODISCARD enum dn_status dn_sink_write_spilled(struct dn_sink *s, const struct dn_spill *from,
                                                  uint64_t offset, size_t len,
                                                  struct dn_error *err);
/** Bytes appended so far. */
uint64_t dn_sink_position(const struct dn_sink *s);
/** Write what is left and fsync the temporary file.  No write is legal afterwards, whatever the result. */
DN_NODISCARD enum dn_status dn_sink_finish(struct dn_sink *s, struct dn_error *err);
/**
 * The first bytes of what is there and gives way, at most `size`; *len 0: nothing is there, it is empty, or it may not be read.
 * Of an object up to three requests; DN_ERR_CANCELLED, or what keeps them from being answered.
 */
DN_NODISCARD enum dn_status dn_sink_replaced_head(struct dn_sink *s, uint8_t *head, size_t size,
                                                  size_t *len, struct dn_error *err);
/** Can what is finished be read before it is committed?  Of S3 it cannot. */
bool dn_sink_can_be_read(const struct dn_sink *s);
/**
 * A path under which the finished temporary file can be read until commit() or close(), wherever its folder is by then; without /proc that is
 * its own, and DN_ERR_IO once the folder has moved.
 */
#define DN_SINK_READING_PATH_SIZE 4096 /* PATH_MAX */
DN_NODISCARD enum dn_status dn_sink_reading_path(const struct dn_sink *s,
                                                 char out[DN_SINK_READING_PATH_SIZE],
                                                 struct dn_error *err);
/**
 * Rename to the final name (refusing to replace unless overwrite) and fsync the directory.
 * DN_ERR_EXISTS: somebody else's file is there now.  DN_ERR_IO: the message tells whether only the durability of the name is in
 * doubt; then the whole file is there already.
 */
DN_NODISCARD enum dn_status dn_sink_commit(struct dn_sink *s, struct dn_error *err);
/** Unlink the temporary file if it was not committed, and free.  NULL is allowed. */
void dn_sink_close(struct dn_sink *s);

/**
 * Test hook: the n-th write(2) or fsync(2) of all sinks from now (1 = the next; fsyncs of folders count) fails with `os_errno`,
 * once; 0 disarms.  Returns the calls counted since the last call.
 */
uint64_t dn_sink_fail_at(uint64_t n, int os_errno);

#endif
