/** Which encoding a column chunk gets. */
#ifndef DN_PARQUET_WRITE_CHOICE_H
#define DN_PARQUET_WRITE_CHOICE_H

#include <stdbool.h>
#include <stdint.h>

/** What is known of a dictionary after n values. */
struct dn_pq_growth {
    int64_t n;                       /**< values, >= 1 */
    int64_t n_distinct;              /**< distinct ones among them, >= 1 */
    int64_t n_distinct_at_quarter;   /**< among the first n / 4; used if the next one is > 0 */
    int64_t n_distinct_at_sixteenth; /**< among the first n / 16; 0: not known */
    int64_t dictionary_bytes;        /**< distinct values as PLAIN */
    int64_t plain_bytes;             /**< all values as PLAIN */
};

/**
 * Whether a dictionary is worth going on with: if its entries and the ids will take less than `share` 16ths of PLAIN, before
 * the codec.  With `n_expected` > n the number of distinct values is projected to that many.  Only IEEE additions,
 * multiplications and divisions: the answer is the same everywhere.
 */
bool dn_pq_dictionary_pays(const struct dn_pq_growth *growth, int64_t n_expected, unsigned share);

#endif
