/** Values on their way into the open chunk of an encoder; called by encoder.c and leaf_values.c only. */
#ifndef DN_PARQUET_WRITE_LEAF_VALUES_H
#define DN_PARQUET_WRITE_LEAF_VALUES_H

#include "parquet/write/encoder.h"

/* ---- encoder.c ---- */

/** The next n values of the kind's C type, wherever they go.  DN_ERR_DATA, with `err` not set: a text is not UTF-8. */
DN_NODISCARD enum dn_status dn_pq_feed(struct dn_pq_encoder *e, const void *values, int64_t n,
                                       struct dn_error *err);
/** Values of rows [row, row + n), of which n_nulls are null; e->levels have them. */
DN_NODISCARD enum dn_status dn_pq_feed_rows(struct dn_pq_encoder *e,
                                            const struct dn_column_view *view, int64_t row,
                                            int64_t n, int64_t n_nulls, struct dn_error *err);
/** Values were added to the dictionary, which is on: is it time to look at it?  It may be off afterwards. */
DN_NODISCARD enum dn_status dn_pq_look_at_dictionary(struct dn_pq_encoder *e, struct dn_error *err);
/** Text `text` of value k, from 0, of those that e->leaf->shredded has is no UTF-8. */
enum dn_status dn_pq_refuse_text(const struct dn_pq_encoder *e, int64_t file_row,
                                 const uint8_t *text, size_t len, struct dn_error *err);

/* ---- leaf_values.c ---- */

/** Values of e->leaf->shredded, whose levels e->levels have. */
DN_NODISCARD enum dn_status dn_pq_feed_shredded(struct dn_pq_encoder *e, struct dn_error *err);

#endif
