/** PLAIN pages of the open chunk of an encoder; called by encoder.c only. */
#ifndef DN_PARQUET_WRITE_PLAIN_PAGES_H
#define DN_PARQUET_WRITE_PLAIN_PAGES_H

#include "parquet/write/encoder.h"

/** The next n values, after rows that are in e->levels already.  Pages that are full are emitted. */
DN_NODISCARD enum dn_status dn_pq_plain_numbers(struct dn_pq_encoder *e, const uint8_t *values,
                                                int64_t n, struct dn_error *err);
/** As above; n <= DN_PQ_DICTIONARY_BLOCK.  DN_ERR_DATA, with `err` not set: a text is not UTF-8. */
DN_NODISCARD enum dn_status dn_pq_plain_texts(struct dn_pq_encoder *e,
                                              const struct dn_pq_text *texts, int64_t n,
                                              struct dn_error *err);
/** As above; values are bits [bit, bit + n). */
DN_NODISCARD enum dn_status dn_pq_plain_bools(struct dn_pq_encoder *e, const uint8_t *bits,
                                              size_t bit, int64_t n, struct dn_error *err);
/** All values of e->levels have been given: the rows left are null. */
DN_NODISCARD enum dn_status dn_pq_plain_nulls(struct dn_pq_encoder *e, struct dn_error *err);
/** The chunk ends: dn_pq_plain_nulls(), and the last page is emitted. */
DN_NODISCARD enum dn_status dn_pq_plain_end(struct dn_pq_encoder *e, struct dn_error *err);

#endif
