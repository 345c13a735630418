/**
 * Statistics of a column chunk: smallest and largest value, nulls, NaNs; and how they stand in the footer.
 *
 * Order: that of the type, see enum dn_pq_order.  Floats, of 16 bits too: NaN has no place in an order, so a chunk that
 * holds one has no bounds; a zero minimum is written as -0.0 and a zero maximum as +0.0.  There are two bounds or none.
 * Threads: one owner.
 */
#ifndef DN_PARQUET_WRITE_STATS_H
#define DN_PARQUET_WRITE_STATS_H

#include "parquet/encoding/value.h"
#include "parquet/thrift/writer.h"
#include "simd/kernels.h"

#define DN_PQ_STATS_TEXT_MAX 64 /**< longer text bounds are cut */

/** The beginnings of the smallest and the largest text: with a byte more than is written, so that whoever cuts sees what follows. */
#define DN_PQ_STATS_TEXT_KEPT (DN_PQ_STATS_TEXT_MAX + 1)
struct dn_pq_stats_text {
    uint64_t rank;
    uint8_t len; /**< of the beginning */
    uint8_t bytes[DN_PQ_STATS_TEXT_KEPT];
};

struct dn_pq_stats {
    enum dn_pq_kind kind;
    enum dn_pq_order order;
    bool has_values; /**< a value other than NaN was seen: min and max are set */
    bool
        unbounded; /**< merged from a chunk that has values but no bounds: see dn_pq_stats_merge() */
    int64_t n_nulls;
    int64_t n_nans;
    int64_t
        min; /**< numbers; floats, and integers without a sign, as ordered integers: see stats.c */
    int64_t max;
    struct dn_pq_stats_text *texts; /**< owned: minimum and maximum; NULL before the first text */
};

void dn_pq_stats_init(struct dn_pq_stats *s, enum dn_pq_kind kind, enum dn_pq_order order);
/** Accepts zeroed memory. */
void dn_pq_stats_finish(struct dn_pq_stats *s);
/** Forget all values. */
void dn_pq_stats_reset(struct dn_pq_stats *s);

/** Add n values of the kind's C type: int32_t int64_t float double, or struct dn_pq_text. */
DN_NODISCARD enum dn_status dn_pq_stats_add(struct dn_pq_stats *s, const struct dn_kernels *kernels,
                                            const void *values, size_t n, struct dn_error *err);
/** Add n booleans, bits [bit, bit + n) of a bitmap. */
void dn_pq_stats_add_bools(struct dn_pq_stats *s, const uint8_t *bits, size_t bit, size_t n);
/**
 * Add everything `other` has seen.  If it has values but no bounds there are none for both together, ever: readers take the
 * bounds that some row groups give for those of the column.
 */
DN_NODISCARD enum dn_status
dn_pq_stats_merge(struct dn_pq_stats *s, const struct dn_pq_stats *other, struct dn_error *err);

/** One bound as the footer holds it: PLAIN without a length. */
struct dn_pq_bound {
    bool present;
    bool exact;
    size_t len;
    uint8_t bytes[DN_PQ_STATS_TEXT_MAX];
};
/**
 * The bounds to publish.  Bounds over 64 bytes are cut, those of texts at a character; the upper one is then raised, and if it cannot
 * be there are none.  Byte arrays of one length are not cut: longer ones have no bounds.
 */
void dn_pq_stats_bounds(const struct dn_pq_stats *s, struct dn_pq_bound *min,
                        struct dn_pq_bound *max);
/** Write struct Statistics as field `id`. */
void dn_pq_stats_write(const struct dn_pq_stats *s, struct dn_thrift_writer *w, int16_t id);

#endif
