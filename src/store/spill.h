/**
 * A file without a name for bytes that memory has no room for.  It lies in the folder of the file that is being written, where there
 * must be room anyway, and is gone when it is closed, however the process ends.
 */
#ifndef DN_STORE_SPILL_H
#define DN_STORE_SPILL_H

#include "base/buffer.h"

struct dn_spill;

/**
 * Create it, empty.
 * @param dir_fd  The folder.
 * @param path    The file that is being written, for messages and for the name that it has where files need one for a moment.
 * @return DN_ERR_IO with os_errno.
 */
DN_NODISCARD enum dn_status dn_spill_open(struct dn_spill **out, int dir_fd, const char *path,
                                          struct dn_error *err);
/** Append two pieces one behind the other; *out_offset is where they begin.  DN_ERR_IO: the disk is full, for one.  Thread-safe. */
DN_NODISCARD enum dn_status dn_spill_append(struct dn_spill *s, struct dn_span first,
                                            struct dn_span second, uint64_t *out_offset,
                                            struct dn_error *err);
/** Read back `len` bytes that were appended.  Thread-safe. */
DN_NODISCARD enum dn_status dn_spill_read(const struct dn_spill *s, uint64_t offset, uint8_t *out,
                                          size_t len, struct dn_error *err);
/** NULL is allowed. */
void dn_spill_close(struct dn_spill *s);

#endif
