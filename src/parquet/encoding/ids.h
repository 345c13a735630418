/** The ids of a dictionary's values, as a chunk holds them until its pages are made.  Threads: one owner. */
#ifndef DN_PARQUET_ENCODING_IDS_H
#define DN_PARQUET_ENCODING_IDS_H

#include "base/buffer.h"

/** Ids in the narrowest width that holds all of them. */
struct dn_pq_ids {
    struct dn_buffer bytes;
    unsigned width; /**< bytes per id: 1, 2 or 4 */
    int64_t n;
    int64_t expected; /**< ids that there is room for in any case */
};
void dn_pq_ids_finish(struct dn_pq_ids *ids);
/** Make room for n ids in all. */
DN_NODISCARD enum dn_status dn_pq_ids_expect(struct dn_pq_ids *ids, int64_t n,
                                             struct dn_error *err);
/** Ids [first, first + n) as 32-bit numbers. */
void dn_pq_ids_widen(const struct dn_pq_ids *ids, int64_t first, size_t n, uint32_t *out);
/** n ids more, of a dictionary that has n_distinct entries by now. */
DN_NODISCARD enum dn_status dn_pq_ids_append(struct dn_pq_ids *ids, const uint32_t *values,
                                             size_t n, uint32_t n_distinct, struct dn_error *err);

#endif
