/** Arrays: dimensions, then the elements, the last dimension running fastest.  Pure; thread-safe. */
#ifndef DN_PG_ARRAY_H
#define DN_PG_ARRAY_H

#include "pg/value.h"

#define DN_PG_MAX_DIMENSIONS 6

/** An array whose elements are still to come. */
struct dn_pg_array {
    uint32_t element_type; /**< an oid */
    int32_t n_dimensions;  /**< 0: empty */
    int32_t sizes[DN_PG_MAX_DIMENSIONS];
    int32_t lower_bounds[DN_PG_MAX_DIMENSIONS]; /**< 1 unless somebody said otherwise */
    int64_t n_elements;
    const uint8_t *next;
    const uint8_t *end;
};

/** DN_PG_LENGTH and DN_PG_FORM, also where the bytes cannot hold so many elements. */
enum dn_pg_verdict dn_pg_array_open(struct dn_pg_array *a, const uint8_t *p, size_t len);
/**
 * The next element; call it n_elements times.
 * @param out      its bytes, of `*out_len`; NULL: null
 * @return DN_PG_LENGTH: it ends outside of the array
 */
enum dn_pg_verdict dn_pg_array_next(struct dn_pg_array *a, const uint8_t **out, size_t *out_len);
/** Behind the last element.  DN_PG_LENGTH: there is more. */
enum dn_pg_verdict dn_pg_array_close(const struct dn_pg_array *a);

#endif
