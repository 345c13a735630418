#include "parquet/read/convert.h"

#include "arrow/batch.h"
#include "arrow/bits.h"
#include "text/parse.h"
#include "values/value_parse.h"

#include <inttypes.h>

#define JULIAN_DAY_OF_EPOCH 2440588
#define NS_PER_DAY INT64_C(86400000000000)
#define NS_PER_MS INT64_C(1000000)
#define MOST_INTERVAL_TEXT ((size_t)128)

static uint64_t get_le(const uint8_t *p, size_t n)
{
    uint64_t v = 0;

    for (size_t i = n; i > 0; i--) {
        v = v << 8 | p[i - 1];
    }
    return v;
}

/* ---- numbers ---------------------------------------------------------------------------------------------------- */

static enum dn_status narrow(const struct dn_pq_arrow_type *type, const int32_t *in, size_t n,
                             uint8_t *out, size_t *out_bad, struct dn_error *err)
{
    const int bits = (int)type->width * 8;
    const int32_t least = type->is_signed ? -(1 << (bits - 1)) : 0;
    const uint32_t span = ((uint32_t)1 << bits) - 1;
    uint32_t over = 0;

    for (size_t i = 0; i < n; i++) {
        over |= (uint64_t)((int64_t)in[i] - least) > span;
        if (bits == 8) {
            out[i] = (uint8_t)(uint32_t)in[i];
        } else {
            const uint16_t v = (uint16_t)(uint32_t)in[i];
            memcpy(out + 2 * i, &v, sizeof(v));
        }
    }
    for (size_t i = 0; over != 0 && i < n; i++) {
        if ((uint64_t)((int64_t)in[i] - least) > span) {
            *out_bad = i;
            return dn_error_set(err, DN_ERR_DATA, "%" PRId32 " does not fit %sint%d", in[i],
                                type->is_signed ? "" : "u", bits);
        }
    }
    return DN_OK;
}

/* False if it does not fit. */
static bool ns_since_1970(int64_t days, int64_t ns, int64_t *out)
{
    int64_t whole = 0;

    if (days <
        0) { /* from the end of the day on: the first instant that fits is in the middle of one */
        if (__builtin_sub_overflow(ns, NS_PER_DAY, &ns)) {
            return false;
        }
        days++;
    }
    return !__builtin_mul_overflow(days, NS_PER_DAY, &whole) &&
           !__builtin_add_overflow(whole, ns, out);
}

static enum dn_status from_int96(const uint8_t *in, size_t n, int64_t *out, size_t *out_bad,
                                 struct dn_error *err)
{
    for (size_t i = 0; i < n; i++, in += 12) {
        const int64_t days = (int64_t)(int32_t)(uint32_t)get_le(in + 8, 4) - JULIAN_DAY_OF_EPOCH;
        if (!ns_since_1970(days, (int64_t)get_le(in, 8), &out[i])) {
            *out_bad = i;
            return dn_error_set(err, DN_ERR_DATA,
                                "a timestamp %" PRId64
                                " days from 1970-01-01 does not fit nanoseconds in 64 bits, the "
                                "unit of INT96",
                                days);
        }
    }
    return DN_OK;
}

static enum dn_status from_interval(const uint8_t *in, size_t n, uint8_t *out, size_t *out_bad,
                                    struct dn_error *err)
{
    for (size_t i = 0; i < n; i++, in += 12, out += 16) {
        const uint32_t parts[2] = {(uint32_t)get_le(in, 4), (uint32_t)get_le(in + 4, 4)};
        const int64_t ns = (int64_t)get_le(in + 8, 4) * NS_PER_MS;
        for (int k = 0; k < 2; k++) {
            if (parts[k] > INT32_MAX) {
                *out_bad = i;
                return dn_error_set(err, DN_ERR_DATA,
                                    "an interval of %" PRIu32
                                    " %s does not fit 32 bits with a sign, which Arrow's have",
                                    parts[k], k == 0 ? "months" : "days");
            }
        }
        memcpy(out, parts, sizeof(parts));
        memcpy(out + 8, &ns, sizeof(ns));
    }
    return DN_OK;
}

bool dn_pq_interval_parse(struct dn_type type, struct dn_span text, void *out)
{
    uint8_t room[MOST_INTERVAL_TEXT + (size_t)2 * DN_TEXT_PADDING] = {0};

    if (text.len == 0 || text.len > MOST_INTERVAL_TEXT) {
        return false;
    }
    memcpy(room + DN_TEXT_PADDING, text.data, text.len);
    return dn_value_parse(type, room + DN_TEXT_PADDING, text.len, out);
}

static enum dn_status from_interval_text(const struct dn_pq_arrow_type *type,
                                         const struct dn_span *in, size_t n, uint8_t *out,
                                         size_t *out_bad, struct dn_error *err)
{
    for (size_t i = 0; i < n; i++, out += type->width) {
        if (!dn_pq_interval_parse(type->type, in[i], out)) {
            char shown[DN_ESCAPED_VALUE_SIZE];
            *out_bad = i;
            return dn_error_set(err, DN_ERR_DATA,
                                "%s is not of type %s as ISO 8601 has it (P1M2DT0.5S), which the "
                                "column is by the file's " DN_PQ_ARROW_SCHEMA_KEY
                                "; leave the column out, or write the file again without that",
                                dn_error_escape_value(shown, in[i].data, in[i].len),
                                DN_TYPE_TEXT(type->type));
        }
    }
    return DN_OK;
}

/* ---- decimals --------------------------------------------------------------------------------------------------- */

/* A big-endian number in two's complement to a little-endian one of `width` bytes; false if it does not fit. */
static bool widen_big_endian(const uint8_t *in, size_t len, uint8_t *out, size_t width)
{
    const uint8_t sign = len > 0 && (in[0] & 0x80) != 0 ? 0xff : 0;
    size_t extra = len > width ? len - width : 0;
    bool fits = len > 0;

    for (size_t i = 0; i < extra; i++) {
        fits &= in[i] == sign;
    }
    if (extra > 0 && ((in[extra] ^ sign) & 0x80) != 0) {
        fits = false;
    }
    for (size_t i = 0; i < len - extra; i++) {
        out[i] = in[len - 1 - i];
    }
    memset(out + (len - extra), sign, width - (len - extra));
    return fits;
}

static enum dn_status misfit(const struct dn_pq_arrow_type *type, size_t len, struct dn_error *err)
{
    return dn_error_set(err, DN_ERR_DATA, "a decimal of %zu bytes %s", len,
                        len == 0            ? "has no value"
                        : type->width == 16 ? "does not fit 128 bits, which its precision needs"
                                            : "does not fit 256 bits, which its precision needs");
}

static void widen_ints(const uint8_t *in, size_t stored, size_t n, uint8_t *out, size_t width)
{
    for (size_t i = 0; i < n; i++, in += stored, out += width) {
        memcpy(out, in, stored);
        memset(out + stored, (in[stored - 1] & 0x80) != 0 ? 0xff : 0, width - stored);
    }
}

static enum dn_status to_decimal(const struct dn_pq_arrow_type *type, const void *in, size_t n,
                                 uint8_t *out, size_t *out_bad, struct dn_error *err)
{
    const struct dn_span *spans = in;
    const uint8_t *fixed = in;

    if (type->is_little_endian) {
        widen_ints(fixed, type->stored_width, n, out, type->width);
        return DN_OK;
    }
    for (size_t i = 0; i < n; i++, out += type->width) {
        const struct dn_span v =
            type->stored_width == 0
                ? spans[i]
                : (struct dn_span){fixed + i * type->stored_width, type->stored_width};
        if (!widen_big_endian(v.data, v.len, out, type->width)) {
            *out_bad = i;
            return misfit(type, v.len, err);
        }
    }
    return DN_OK;
}

enum dn_status dn_pq_convert(const struct dn_pq_arrow_type *type, const void *in, size_t n,
                             void *out, size_t *out_bad, struct dn_error *err)
{
    switch (type->how) {
    case DN_PQ_HOW_NARROW:
        return narrow(type, in, n, out, out_bad, err);
    case DN_PQ_HOW_INT96:
        return from_int96(in, n, out, out_bad, err);
    case DN_PQ_HOW_INTERVAL:
        return from_interval(in, n, out, out_bad, err);
    case DN_PQ_HOW_INTERVAL_TEXT:
        return from_interval_text(type, in, n, out, out_bad, err);
    default:
        return to_decimal(type, in, n, out, out_bad, err);
    }
}

/* ---- bits ------------------------------------------------------------------------------------------------------- */

void dn_pq_pack_bools(const uint8_t *in, size_t n, uint8_t *bits, size_t at)
{
    uint8_t packed[64 + 8];

    for (size_t done = 0; done < n;) {
        const size_t now = n - done < 512 ? n - done : 512;
        for (size_t i = 0; i < now; i += 8) { /* 8 bytes behind `in` can be read */
            uint64_t eight;
            memcpy(&eight, in + done + i, sizeof(eight));
            eight &= UINT64_C(0x0101010101010101);
            packed[i / 8] = (uint8_t)((eight * UINT64_C(0x0102040810204080)) >> 56);
        }
        dn_bits_copy(bits, at + done, packed, 0, now);
        done += now;
    }
}

/* ---- nulls ------------------------------------------------------------------------------------------------------ */

/* From the last place to the first, so that no value is overwritten before it was moved. */
static inline void spread(uint8_t *values, size_t width, const uint8_t *bits, size_t at, size_t n,
                          size_t n_valid)
{
    size_t to = n;
    size_t from = n_valid;

    while (to > from && from > 0) {
        to--;
        memcpy(values + to * width, values + (from - 1) * width, width);
        from -= dn_bit_get(bits, (int64_t)(at + to));
    }
    if (from == 0) {
        memset(values, 0, to * width);
    }
}

void dn_pq_spread(uint8_t *values, size_t width, const uint8_t *bits, size_t at, size_t n,
                  size_t n_valid)
{
    if (n_valid == n) {
        return;
    }
    switch (width) { /* copies of a known size are one instruction */
    case 1:
        spread(values, 1, bits, at, n, n_valid);
        break;
    case 2:
        spread(values, 2, bits, at, n, n_valid);
        break;
    case 4:
        spread(values, 4, bits, at, n, n_valid);
        break;
    case 8:
        spread(values, 8, bits, at, n, n_valid);
        break;
    case 16:
        spread(values, 16, bits, at, n, n_valid);
        break;
    default:
        spread(values, width, bits, at, n, n_valid);
        break;
    }
}
