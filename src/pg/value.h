/**
 * Bytes of the wire to values: what all types share, and the types that are a few bytes.  Pure; thread-safe.
 *
 * A decoder gets the bytes of one cell that is not null and gives a verdict.  On any other than DN_PG_GOOD the output is untouched.
 */
#ifndef DN_PG_VALUE_H
#define DN_PG_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/** What a decoder says of a value. */
enum dn_pg_verdict {
    DN_PG_GOOD = 0,
    DN_PG_LENGTH,            /**< the type has another length */
    DN_PG_FORM,              /**< no value of the type looks like this */
    DN_PG_ENCODING,          /**< a text is not UTF-8 */
    DN_PG_RANGE,             /**< a value that the target cannot hold */
    DN_PG_SCALE,             /**< more decimal places than the target has */
    DN_PG_NAN,               /**< a numeric's */
    DN_PG_INFINITY,          /**< of a numeric, date, timestamp or interval */
    DN_PG_NEGATIVE_INFINITY, /**< the same */
    DN_PG_END_OF_DAY,        /**< the time 24:00:00 */
    DN_PG_N_VERDICTS
};

/** For a message: "is not UTF-8".  Never NULL. */
const char *dn_pg_verdict_text(enum dn_pg_verdict v);

static inline uint16_t dn_pg_load16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t dn_pg_load32(const uint8_t *p)
{
    uint32_t w;

    memcpy(&w, p, sizeof(w));
#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_BIG_ENDIAN__
    w = __builtin_bswap32(w);
#endif
    return w;
}

static inline uint64_t dn_pg_load64(const uint8_t *p)
{
    uint64_t w;

    memcpy(&w, p, sizeof(w));
#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_BIG_ENDIAN__
    w = __builtin_bswap64(w);
#endif
    return w;
}

/** One column of some rows of a block (pg/rows.h). */
struct dn_pg_cells {
    const uint8_t *bytes;
    const uint32_t *at; /**< of the first row */
    size_t stride;      /**< from row to row in `at` */
    size_t n_rows;
};

/** The bytes of a cell, whose length is in the 4 bytes in front. */
static inline const uint8_t *dn_pg_cell(const struct dn_pg_cells *c, size_t row)
{
    return c->bytes + c->at[row * c->stride];
}

/** -1: null. */
static inline int32_t dn_pg_cell_len(const uint8_t *cell)
{
    return (int32_t)dn_pg_load32(cell - 4);
}

static inline enum dn_pg_verdict dn_pg_bool(const uint8_t *p, size_t len, bool *out)
{
    if (len != 1) {
        return DN_PG_LENGTH;
    }
    if (p[0] > 1) {
        return DN_PG_FORM;
    }
    *out = p[0] == 1;
    return DN_PG_GOOD;
}

static inline enum dn_pg_verdict dn_pg_int16(const uint8_t *p, size_t len, int16_t *out)
{
    if (len != 2) {
        return DN_PG_LENGTH;
    }
    *out = (int16_t)dn_pg_load16(p);
    return DN_PG_GOOD;
}

static inline enum dn_pg_verdict dn_pg_int32(const uint8_t *p, size_t len, int32_t *out)
{
    if (len != 4) {
        return DN_PG_LENGTH;
    }
    *out = (int32_t)dn_pg_load32(p);
    return DN_PG_GOOD;
}

static inline enum dn_pg_verdict dn_pg_int64(const uint8_t *p, size_t len, int64_t *out)
{
    if (len != 8) {
        return DN_PG_LENGTH;
    }
    *out = (int64_t)dn_pg_load64(p);
    return DN_PG_GOOD;
}

/** Also oid. */
static inline enum dn_pg_verdict dn_pg_uint32(const uint8_t *p, size_t len, uint32_t *out)
{
    if (len != 4) {
        return DN_PG_LENGTH;
    }
    *out = dn_pg_load32(p);
    return DN_PG_GOOD;
}

/** Bit by bit, NaNs too. */
static inline enum dn_pg_verdict dn_pg_float32(const uint8_t *p, size_t len, float *out)
{
    if (len != 4) {
        return DN_PG_LENGTH;
    }
    const uint32_t w = dn_pg_load32(p);
    memcpy(out, &w, sizeof(w));
    return DN_PG_GOOD;
}

static inline enum dn_pg_verdict dn_pg_float64(const uint8_t *p, size_t len, double *out)
{
    if (len != 8) {
        return DN_PG_LENGTH;
    }
    const uint64_t w = dn_pg_load64(p);
    memcpy(out, &w, sizeof(w));
    return DN_PG_GOOD;
}

static inline enum dn_pg_verdict dn_pg_uuid(const uint8_t *p, size_t len, uint8_t *out)
{
    if (len != 16) {
        return DN_PG_LENGTH;
    }
    memcpy(out, p, 16);
    return DN_PG_GOOD;
}

/** The bytes of a text: checked UTF-8.  Costs a look at every byte. */
enum dn_pg_verdict dn_pg_text(const uint8_t *p, size_t len, const uint8_t **out, size_t *out_len);
/** The text in a jsonb, as above. */
enum dn_pg_verdict dn_pg_jsonb(const uint8_t *p, size_t len, const uint8_t **out, size_t *out_len);

#endif
