/** What the values of a page, or of all pages of a chunk, come to: counted anew, whatever the file says. */
#ifndef DN_PARQUET_VERIFY_TALLY_H
#define DN_PARQUET_VERIFY_TALLY_H

#include "parquet/verify/findings.h"
#include "parquet/verify/order.h"

/** Zeroed memory is an empty one. */
struct dn_pv_tally {
    uint64_t n_rows;   /**< of flat columns and of nested ones */
    uint64_t n_levels; /**< values and nulls */
    uint64_t n_values; /**< without nulls */
    uint64_t n_nan;
    uint64_t unencoded; /**< bytes of byte arrays, without their lengths */
    bool is_counted;    /**< values were decoded: all of the above and below is known */
    bool has_bounds;    /**< there was a value that is no NaN, of a type with an order */
    struct dn_buffer min;
    struct dn_buffer max;
};
void dn_pv_tally_finish(struct dn_pv_tally *t);
/** Back to nothing, memory kept. */
void dn_pv_tally_reset(struct dn_pv_tally *t);
/** n > 0 values as decode.h gives them: bounds, NaNs, bytes.  *out_fault: what is wrong with one of them, or NULL. */
DN_NODISCARD enum dn_status dn_pv_tally_add(struct dn_pv_tally *t,
                                            const struct dn_pv_column *column, const void *values,
                                            size_t n, const char **out_fault, struct dn_error *err);
/** Bounds of one value that was counted already. */
DN_NODISCARD enum dn_status dn_pv_tally_bound(struct dn_pv_tally *t,
                                              const struct dn_pv_column *column,
                                              struct dn_span value, struct dn_error *err);
/** Add a page to its chunk. */
DN_NODISCARD enum dn_status dn_pv_tally_merge(struct dn_pv_tally *t, const struct dn_pv_tally *page,
                                              const struct dn_pv_column *column,
                                              struct dn_error *err);
static inline struct dn_span dn_pv_tally_value(const struct dn_pv_column *column,
                                               const void *values, size_t i)
{
    return column->width == 0
               ? ((const struct dn_span *)values)[i]
               : (struct dn_span){(const uint8_t *)values + i * column->width, column->width};
}

#endif
