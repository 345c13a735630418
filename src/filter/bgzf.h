/** Blocked gzip (BGZF, of the SAM specification, section 4.1): members of at most 64 KiB that say how long they are. */
#ifndef DN_FILTER_BGZF_H
#define DN_FILTER_BGZF_H

#include "base/pool.h"
#include "store/source.h"

#define DN_BGZF_HEAD ((size_t)18)
/** Does a member with its length begin here? */
bool dn_bgzf_begins(const uint8_t *head, size_t len);
/**
 * A source of what `inner` holds, several members at a time being unpacked by the executor's threads.  What follows that is gzip
 * without lengths is read as such.  `inner` is the new source's from now on, on failure as well.
 * @param executor  borrowed; NULL, or while its `submit` is: the thread that reads does it.
 */
DN_NODISCARD enum dn_status dn_bgzf_open(struct dn_source **out, struct dn_source *inner,
                                         const struct dn_executor *executor, struct dn_error *err);

#endif
