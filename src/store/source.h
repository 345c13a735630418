/** Where bytes come from, read in order.  docs/store.md. */
#ifndef DN_STORE_SOURCE_H
#define DN_STORE_SOURCE_H

#include "base/error.h"
#include "base/stop.h"
#include "store/options.h"

#include <stdint.h>

struct dn_source;

/** What a file was when it was opened.  All zero: nothing that could be opened again. */
struct dn_source_identity {
    uint64_t device;
    uint64_t file;
    int64_t size;
    int64_t changed_ns; /**< when it was last written to, which whoever writes can set back */
    int64_t status_ns;  /**< when that, its name, its owner or its mode changed, which nobody can */
};

/**
 * Open a path or a URL (url.h) for reading from the start.  "-" is standard input, whose start is where its descriptor stands, and which is not
 * closed.  A missing file, a directory and an unreadable file are DN_ERR_NOT_FOUND / DN_ERR_INVALID / DN_ERR_IO with the path
 * in the message.  A pipe is open at once; reading waits for its writer.
 * @param store  what the connection says, copied; NULL: nothing.
 * @param stop   borrowed; ends every wait for bytes with DN_ERR_CANCELLED.  NULL: waits last as long as they last.
 */
DN_NODISCARD enum dn_status dn_source_open(struct dn_source **out, const char *path,
                                           const struct dn_store_options *store,
                                           struct dn_stop *stop, struct dn_error *err);
/**
 * As dn_source_open(), for a look beside the one who reads.  DN_ERR_UNSUPPORTED, without touching it, if `path` can be read
 * only once: standard input, a pipe, a device.
 */
DN_NODISCARD enum dn_status dn_source_open_again(struct dn_source **out, const char *path,
                                                 const struct dn_store_options *store,
                                                 struct dn_stop *stop, struct dn_error *err);
/**
 * `size` bytes in order; fewer only at the end or in front of a failure, which the next call returns; none only at the end.  Short reads, EINTR and non-blocking pipes are waited out.
 * The end of a file is where it was when the file was opened; DN_ERR_IO if it comes before that.  One thread at a time.
 */
DN_NODISCARD enum dn_status dn_source_read(struct dn_source *s, void *buf, size_t size, size_t *got,
                                           struct dn_error *err);
/**
 * Bytes at an absolute position, without moving the reading position; fewer than `size` only at the end.
 * DN_ERR_UNSUPPORTED if dn_source_can_read_at() is false.  Thread-safe.
 */
DN_NODISCARD enum dn_status dn_source_read_at(struct dn_source *s, uint64_t offset, void *buf,
                                              size_t size, size_t *got, struct dn_error *err);
/**
 * The next `size` bytes of those that are read in order, which stay the next ones, if no disk and no network has to be waited for, and if they are not
 * the last ones.  False: `buf` holds anything.  One thread at a time.
 */
bool dn_source_peek_cached(struct dn_source *s, void *buf, size_t size);
/** What dn_source_peek_cached() gave counts as read. */
void dn_source_pass(struct dn_source *s, const void *buf, size_t size);
/** Bytes there are to read, or -1 if unknown: of pipes, and of what is unpacked. */
int64_t dn_source_size(const struct dn_source *s);
/** Bytes that are stored, for progress, or -1 if unknown. */
int64_t dn_source_stored_size(const struct dn_source *s);
/** How many of them reading in order has taken. */
int64_t dn_source_stored_read(const struct dn_source *s);
/**
 * In front of the first dn_source_read(): reading in order begins at byte `from`, and nothing from `to` on is fetched ahead.  What can
 * be read at any place begins there, and counts its sizes from there; all else reads what stands in front and drops it.
 */
DN_NODISCARD enum dn_status dn_source_range(struct dn_source *s, uint64_t from, uint64_t to,
                                            struct dn_error *err);
/** What tells one content of a name from another, on every machine: when it was written to, or a number for the mark of an object. */
uint64_t dn_source_version(const struct dn_source_identity *identity);
/** Can dn_source_read_at() be asked? */
bool dn_source_can_read_at(const struct dn_source *s);
/** Read `n` bytes in order and drop them; fewer only at the end.  *got may be NULL. */
DN_NODISCARD enum dn_status dn_source_skip(struct dn_source *s, uint64_t n, uint64_t *got,
                                           struct dn_error *err);
/** Does dn_source_open_again() give the same bytes once more?  False for standard input, pipes and devices. */
bool dn_source_can_reopen(const struct dn_source *s);
/**
 * A path as messages name it: "standard input" for "-"; an address without user, password and query; of a path that `struct dn_error` has no room for "..." and its end,
 * which holds the file's name.  `out` holds DN_SHOWN_PATH_SIZE bytes; the result is valid as long as both are.
 */
#define DN_SHOWN_PATH_SIZE 512
const char *dn_source_shown_path(char *out, const char *path);
enum dn_source_change {
    DN_SOURCE_SAME = 0,
    DN_SOURCE_GREW, /**< bytes were added behind those it had when it was opened, which alone were read */
    DN_SOURCE_REPLACED /**< its name now leads elsewhere; what was read is the old file, whole */
};
/**
 * At the end of the data: was all of it, in order, what the file held when it was opened?  DN_ERR_IO if it was cut or written
 * over.  Sources without a size, such as pipes, are always the same.
 */
DN_NODISCARD enum dn_status dn_source_check(const struct dn_source *s, enum dn_source_change *out,
                                            struct dn_error *err);
/** Is `other` the same file, and nothing taken from it or written over since? */
bool dn_source_is_same(const struct dn_source *s, const struct dn_source_identity *other);
struct dn_source_identity dn_source_identity(const struct dn_source *s);
/** As it was given. */
const char *dn_source_path(const struct dn_source *s);
/** NULL is allowed. */
void dn_source_close(struct dn_source *s);

#endif
