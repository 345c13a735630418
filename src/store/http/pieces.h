/**
 * Something far away, of known size, that is read in order: pieces of it are fetched ahead, several at once, by threads of the reader's own.
 *
 * The first pieces are small and come one by one, so that a look at the beginning costs little.
 * Threads: one at a time.  Fork: DN_ERR_INVALID in a child; closing does nothing there.
 */
#ifndef DN_STORE_HTTP_PIECES_H
#define DN_STORE_HTTP_PIECES_H

#include "base/error.h"
#include "base/stop.h"

/** How a piece is got: exactly `size` bytes from `offset` on, as dn_s3_get() and dn_web_get() give them.  From any thread. */
typedef enum dn_status (*dn_piece_get)(void *ctx, uint64_t offset, size_t size, uint8_t *out,
                                       struct dn_stop *stop, struct dn_error *err);

/** Zero-initialise. */
struct dn_pieces_options {
    uint64_t size; /**< of all of it */
    size_t
        memory_bytes; /**< for pieces that are on their way or wait; 0: 32 MiB; at least 512 KiB are taken */
    uint32_t most_at_once; /**< 0: 4 */
};

struct dn_pieces;
/** No request yet.  `ctx` and `stop` (may be NULL), which ends every wait, are borrowed until close(). */
DN_NODISCARD enum dn_status dn_pieces_open(struct dn_pieces **out, dn_piece_get get, void *ctx,
                                           const struct dn_pieces_options *options,
                                           struct dn_stop *stop, struct dn_error *err);
/** Before anything is read: only the bytes [from, to) are. */
DN_NODISCARD enum dn_status dn_pieces_range(struct dn_pieces *p, uint64_t from, uint64_t to,
                                            struct dn_error *err);
/**
 * `size` bytes in order, fewer only at the end, none only there.  The failures are those of `get`, in the order of the bytes, and final;
 * DN_ERR_CANCELLED.
 */
DN_NODISCARD enum dn_status dn_pieces_read(struct dn_pieces *p, void *buf, size_t size, size_t *got,
                                           struct dn_error *err);
/** Waits for no answer.  NULL is allowed. */
void dn_pieces_close(struct dn_pieces *p);

#endif
