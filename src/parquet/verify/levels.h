/** Repetition and definition levels: counted, not kept.  "Run Length Encoding / Bit-Packing Hybrid" in Encodings.md. */
#ifndef DN_PARQUET_VERIFY_LEVELS_H
#define DN_PARQUET_VERIFY_LEVELS_H

#include "base/buffer.h"

#include <stdbool.h>

#define DN_PV_MOST_LEVELS 65 /**< DN_PQ_MAX_NESTING and the level 0 */

struct dn_pv_levels {
    uint64_t counts[DN_PV_MOST_LEVELS];
    uint32_t first; /**< the level of the first value */
};

/**
 * Count the n levels that take all of `in`.
 * @param max     from 1 on
 * @param packed  the deprecated BIT_PACKED encoding
 * @return NULL, or what is wrong with them
 */
const char *dn_pv_levels_count(struct dn_span in, size_t n, unsigned max, bool packed,
                               struct dn_pv_levels *out);
void dn_pv_levels_add(struct dn_pv_levels *l, const struct dn_pv_levels *more);

#endif
