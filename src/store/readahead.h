/**
 * Pieces of something far away, fetched by some threads ahead of the one who reads.
 *
 * Threads: one reads.  The fetching ones take no signals, and end with dn_readahead_close().
 */
#ifndef DN_STORE_READAHEAD_H
#define DN_STORE_READAHEAD_H

#include "base/error.h"
#include "base/stop.h"

#include <stdint.h>

/** Exactly `size` bytes from `offset` on.  Called on several threads at once. */
typedef enum dn_status (*dn_fetch_fn)(void *ctx, uint64_t offset, size_t size, uint8_t *out,
                                      struct dn_stop *stop, struct dn_error *err);

struct dn_readahead;

/** Nothing is fetched before the first read.  @param stop  borrowed, ends every wait; NULL: nobody can. */
DN_NODISCARD enum dn_status dn_readahead_open(struct dn_readahead **out, uint64_t size,
                                              dn_fetch_fn fetch, void *ctx, struct dn_stop *stop,
                                              struct dn_error *err);
/** `size` bytes in order, fewer only at the end or in front of a failure, which the next call returns. */
DN_NODISCARD enum dn_status dn_readahead_read(struct dn_readahead *r, uint8_t *buf, size_t size,
                                              size_t *got, struct dn_error *err);
/** Ends fetches that are under way.  NULL is allowed. */
void dn_readahead_close(struct dn_readahead *r);

#endif
