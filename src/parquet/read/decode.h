/**
 * The values of one page, of any encoding, without the gaps that nulls leave.
 * Encodings.md, https://github.com/apache/parquet-format.
 *
 * Values are as PLAIN has them: booleans one byte each, 0 or 1; fixed-width values little endian, one behind the other; byte arrays
 * as struct dn_span, which point into the page's body, the dictionary, or memory of the decoder (DELTA_BYTE_ARRAY).
 *
 * Errors: DN_ERR_DATA what is wrong in the page (the caller adds which page); DN_ERR_UNSUPPORTED an encoding that the type cannot have
 * or that has no name yet.  Threads: one owner.
 */
#ifndef DN_PARQUET_READ_DECODE_H
#define DN_PARQUET_READ_DECODE_H

#include "parquet/read/footer.h"

/** The entries of a dictionary page; the body must outlive them.  Zeroed memory is an empty one. */
struct dn_pq_entries {
    size_t n;
    struct dn_buffer values; /**< n values as above */
};
DN_NODISCARD enum dn_status dn_pq_entries_read(struct dn_pq_entries *out,
                                               const struct dn_pq_leaf *leaf, int32_t encoding,
                                               struct dn_span body, size_t n, struct dn_error *err);
void dn_pq_entries_finish(struct dn_pq_entries *entries);

struct dn_pq_decoder;

/** To be used for one page after the other. */
DN_NODISCARD enum dn_status dn_pq_decoder_create(struct dn_pq_decoder **out,
                                                 const struct dn_pq_leaf *leaf,
                                                 struct dn_error *err);
/**
 * Begin with a page.
 * @param body     of its values, behind the levels; borrowed until the next page or the end of the decoder's spans
 * @param n        values in it, nulls not counted
 * @param entries  borrowed; NULL: the chunk has no dictionary
 */
DN_NODISCARD enum dn_status dn_pq_decoder_begin(struct dn_pq_decoder *d, int32_t encoding,
                                                struct dn_span body, size_t n,
                                                const struct dn_pq_entries *entries,
                                                struct dn_error *err);
/** The next n values: n * width bytes, or n struct dn_span.  `out` is aligned for what it holds. */
DN_NODISCARD enum dn_status dn_pq_decoder_read(struct dn_pq_decoder *d, size_t n, void *out,
                                               struct dn_error *err);
/** The ids of the next n values instead, each checked against the entries.  Dictionary encodings only. */
DN_NODISCARD enum dn_status dn_pq_decoder_read_ids(struct dn_pq_decoder *d, size_t n, uint32_t *out,
                                                   struct dn_error *err);
/** Bytes of the body behind the last value that was read: 0, or padding that the encoding asks for, in a well-made page. */
size_t dn_pq_decoder_left(const struct dn_pq_decoder *d);
void dn_pq_decoder_destroy(struct dn_pq_decoder *d);

#endif
