#include "pg/value.h"

#include "simd/kernels.h"

#define JSONB_VERSION 1
#define HIGH_BITS UINT64_C(0x8080808080808080)

const char *dn_pg_verdict_text(enum dn_pg_verdict v)
{
    static const char *const texts[DN_PG_N_VERDICTS] = {
        [DN_PG_GOOD] = "is a value",
        [DN_PG_LENGTH] = "has not the length of its type",
        [DN_PG_FORM] = "is no value of its type",
        [DN_PG_ENCODING] = "is not UTF-8",
        [DN_PG_RANGE] = "is outside of what the column holds",
        [DN_PG_SCALE] = "has more decimal places than the column holds",
        [DN_PG_NAN] = "is NaN",
        [DN_PG_INFINITY] = "is infinity",
        [DN_PG_NEGATIVE_INFINITY] = "is -infinity",
        [DN_PG_END_OF_DAY] = "is 24:00:00, which is no time of a day",
    };

    return (unsigned)v < DN_PG_N_VERDICTS ? texts[v] : "is not known";
}

/* Most texts are ASCII, and short. */
static bool is_ascii(const uint8_t *p, size_t len)
{
    uint64_t any = 0;
    size_t i = 0;

    for (; i + 8 <= len; i += 8) {
        uint64_t w;
        memcpy(&w, p + i, sizeof(w));
        any |= w;
    }
    for (; i < len; i++) {
        any |= p[i];
    }
    return (any & HIGH_BITS) == 0;
}

enum dn_pg_verdict dn_pg_text(const uint8_t *p, size_t len, const uint8_t **out, size_t *out_len)
{
    if (!is_ascii(p, len) && dn_kernels_selected()->utf8_valid_prefix(p, len) != len) {
        return DN_PG_ENCODING;
    }
    *out = p;
    *out_len = len;
    return DN_PG_GOOD;
}

enum dn_pg_verdict dn_pg_jsonb(const uint8_t *p, size_t len, const uint8_t **out, size_t *out_len)
{
    if (len < 1 || p[0] != JSONB_VERSION) {
        return DN_PG_FORM;
    }
    return dn_pg_text(p + 1, len - 1, out, out_len);
}
