#include "pg/array.h"

#define HEAD_BYTES 12

static enum dn_pg_verdict take_dimensions(struct dn_pg_array *a)
{
    int64_t n = a->n_dimensions > 0 ? 1 : 0;

    if ((size_t)(a->end - a->next) < (size_t)a->n_dimensions * 8) {
        return DN_PG_LENGTH;
    }
    for (int32_t i = 0; i < a->n_dimensions; i++, a->next += 8) {
        a->sizes[i] = (int32_t)dn_pg_load32(a->next);
        a->lower_bounds[i] = (int32_t)dn_pg_load32(a->next + 4);
        if (a->sizes[i] < 0) {
            return DN_PG_FORM;
        }
        n *= a->sizes[i];
        if (n > INT32_MAX) {
            return DN_PG_FORM; /* before the next product can overflow */
        }
    }
    a->n_elements = n;
    return n <= (a->end - a->next) / 4 ? DN_PG_GOOD : DN_PG_LENGTH;
}

enum dn_pg_verdict dn_pg_array_open(struct dn_pg_array *a, const uint8_t *p, size_t len)
{
    if (len < HEAD_BYTES) {
        return DN_PG_LENGTH;
    }
    const uint32_t n_dimensions = dn_pg_load32(p);
    const uint32_t has_nulls = dn_pg_load32(p + 4);
    if (n_dimensions > DN_PG_MAX_DIMENSIONS || has_nulls > 1) {
        return DN_PG_FORM;
    }
    *a = (struct dn_pg_array){
        .element_type = dn_pg_load32(p + 8),
        .n_dimensions = (int32_t)n_dimensions,
        .next = p + HEAD_BYTES,
        .end = p + len,
    };
    return take_dimensions(a);
}

enum dn_pg_verdict dn_pg_array_next(struct dn_pg_array *a, const uint8_t **out, size_t *out_len)
{
    if (a->end - a->next < 4) {
        return DN_PG_LENGTH;
    }
    const int32_t len = (int32_t)dn_pg_load32(a->next);
    if (len < -1 || len > a->end - a->next - 4) {
        return DN_PG_LENGTH;
    }
    *out = len < 0 ? NULL : a->next + 4;
    *out_len = len < 0 ? 0 : (size_t)len;
    a->next += 4 + *out_len;
    return DN_PG_GOOD;
}

enum dn_pg_verdict dn_pg_array_close(const struct dn_pg_array *a)
{
    return a->next == a->end ? DN_PG_GOOD : DN_PG_LENGTH;
}
