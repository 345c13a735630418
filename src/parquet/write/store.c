#include "parquet/write/store.h"

#include "parquet/encoding/bits.h"

#include <string.h>

#define MS_PER_DAY INT64_C(86400000)
#define MAX_WORDS 4

size_t dn_pq_decimal_bytes(int precision)
{
    /* 10^p has p * log2(10) bits, and there is a sign; no power of ten but 1 is one of two */
    return (size_t)(precision * 3.321928094887362 + 1) / 8 + 1;
}

static size_t store_integers(struct dn_type type, const uint8_t *in, size_t n, int32_t *out)
{
    for (size_t i = 0; i < n; i++) {
        switch (type.id) {
        case DN_TYPE_INT8:
            out[i] = (int32_t)(int8_t)in[i];
            break;
        case DN_TYPE_UINT8:
            out[i] = in[i];
            break;
        case DN_TYPE_INT16:
            out[i] = (int16_t)(uint16_t)(in[2 * i] | in[2 * i + 1] << 8);
            break;
        default:
            out[i] = in[2 * i] | in[2 * i + 1] << 8;
            break;
        }
    }
    return n;
}

static int64_t load_int(const uint8_t *values, size_t i, size_t width)
{
    return width == 4 ? (int64_t)(int32_t)dn_pq_load32(values + 4 * i)
                      : (int64_t)dn_pq_load64(values + 8 * i);
}

static void save_int(void *out, size_t i, size_t width, int64_t v)
{
    memcpy((uint8_t *)out + i * width, &v, width); /* the low bytes come first */
}

/* The end of a day, what is behind it, or before it begins, is no time: readers make of it what they like. */
static bool is_time(struct dn_type type, int64_t v, const char **what)
{
    const bool is = v >= 0 && v < 86400 * dn_unit_per_second(type.unit);

    *what = is ? *what : "the time is not within a day, which Parquet's TIME holds";
    return is;
}

static size_t store_thousands(struct dn_type type, const uint8_t *in, size_t n, void *out,
                              size_t width, const char **what)
{
    for (size_t i = 0; i < n; i++) {
        int64_t v = load_int(in, i, width);
        if (type.id == DN_TYPE_TIME && !is_time(type, v, what)) {
            return i;
        }
        if (__builtin_mul_overflow(v, 1000, &v)) {
            *what = "the seconds do not fit milliseconds in 64 bits, Parquet's coarsest unit";
            return i;
        }
        save_int(out, i, width, v);
    }
    return n;
}

static size_t store_times(struct dn_type type, const uint8_t *in, size_t n, void *out, size_t width,
                          const char **what)
{
    for (size_t i = 0; i < n; i++) {
        const int64_t v = load_int(in, i, width);
        if (!is_time(type, v, what)) {
            return i;
        }
        save_int(out, i, width, v);
    }
    return n;
}

static size_t store_days(const uint8_t *in, size_t n, int32_t *out, const char **what)
{
    for (size_t i = 0; i < n; i++) {
        const int64_t v = load_int(in, i, 8);
        if (v % MS_PER_DAY != 0) {
            *what = "the date64 is not the start of a day";
            return i;
        }
        if (v / MS_PER_DAY < INT32_MIN || v / MS_PER_DAY > INT32_MAX) {
            *what = "the date64 does not fit days in 32 bits, which Parquet's DATE has";
            return i;
        }
        out[i] = (int32_t)(v / MS_PER_DAY);
    }
    return n;
}

/* 10^precision, the lowest word first. */
static void power_of_ten(int precision, uint64_t out[MAX_WORDS])
{
    memset(out, 0, MAX_WORDS * sizeof out[0]);
    out[0] = 1;
    for (int p = 0; p < precision; p++) {
        uint64_t carry = 0;
        for (size_t w = 0; w < MAX_WORDS; w++) {
            const uint64_t low = (out[w] & UINT32_MAX) * 10 + carry;
            const uint64_t high = (out[w] >> 32) * 10 + (low >> 32);
            out[w] = high << 32 | (low & UINT32_MAX);
            carry = high >> 32;
        }
    }
}

/* Is the magnitude of a number of n words below the limit? */
static bool is_below(const uint64_t *words, size_t n, const uint64_t *limit)
{
    const bool negative = (int64_t)words[n - 1] < 0;
    uint64_t magnitude[MAX_WORDS] = {0};
    uint64_t carry = negative;

    for (size_t w = 0; w < n; w++) {
        magnitude[w] = (negative ? ~words[w] : words[w]) + carry;
        carry = carry != 0 && magnitude[w] == 0;
    }
    for (size_t w = MAX_WORDS; w > 0; w--) {
        if (magnitude[w - 1] != limit[w - 1]) {
            return magnitude[w - 1] < limit[w - 1];
        }
    }
    return false;
}

/*
 * Nearly all: 128 bits that 64 hold, and 18 digits do.  No branch per value.  False: one does not fit, and what was written counts for
 * nothing.
 */
static bool store_short(const uint8_t *in, size_t n, uint8_t *out, size_t width, uint64_t limit)
{
    uint64_t bad = 0;

    for (size_t i = 0; i < n; i++) {
        const uint64_t low = dn_pq_load64(in + 16 * i);
        const uint64_t high = dn_pq_load64(in + 16 * i + 8);
        const uint64_t sign = 0 - (low >> 63);
        bad |= high ^ sign;
        bad |= ((low ^ sign) - sign) >= limit;
        if (width == 8) {
            memcpy(out + 8 * i, &low, 8);
        } else {
            dn_pq_store32(out + 4 * i, (uint32_t)low);
        }
    }
    return bad == 0;
}

static size_t store_decimals(struct dn_type type, const uint8_t *in, size_t n, uint8_t *out,
                             size_t width, const char **what)
{
    const size_t in_width = type.id == DN_TYPE_DECIMAL128 ? 16 : 32;
    const bool is_bytes = type.precision > 18;
    uint64_t limit[MAX_WORDS];

    power_of_ten(type.precision, limit);
    if (!is_bytes && in_width == 16 && store_short(in, n, out, width, limit[0])) {
        return n;
    }
    for (size_t i = 0; i < n; i++, in += in_width, out += width) {
        uint64_t words[MAX_WORDS];
        memcpy(words, in, in_width);
        if (!is_below(words, in_width / 8, limit)) {
            *what = "the decimal has more digits than the precision of its column";
            return i;
        }
        if (!is_bytes) {
            memcpy(out, in, width);
            continue;
        }
        for (size_t k = 0; k < width; k++) {
            out[k] = in[width - 1 - k];
        }
    }
    return n;
}

/* Months, days, nanoseconds; parts that a type has not are 0. */
static void load_interval(struct dn_type type, const uint8_t *in, int64_t parts[3])
{
    const int32_t first = (int32_t)dn_pq_load32(in);

    parts[0] = type.id == DN_TYPE_INTERVAL_DAY_TIME ? 0 : first;
    parts[1] = 0;
    parts[2] = 0;
    if (type.id == DN_TYPE_INTERVAL_DAY_TIME) {
        parts[1] = first;
        parts[2] = INT64_C(1000000) * (int32_t)dn_pq_load32(in + 4);
    } else if (type.id == DN_TYPE_INTERVAL_MONTH_DAY_NANO) {
        parts[1] = (int32_t)dn_pq_load32(in + 4);
        parts[2] = (int64_t)dn_pq_load64(in + 8);
    }
}

void dn_pq_widen_intervals(struct dn_type type, const void *values, size_t n, uint8_t *out)
{
    const size_t width = dn_type_width(type);

    for (size_t i = 0; i < n; i++, out += 16) {
        int64_t parts[3];
        load_interval(type, (const uint8_t *)values + i * width, parts);
        dn_pq_store32(out, (uint32_t)parts[0]);
        dn_pq_store32(out + 4, (uint32_t)parts[1]);
        memcpy(out + 8, &parts[2], 8);
    }
}

static size_t store_intervals(struct dn_type type, const uint8_t *in, size_t n, uint8_t *out,
                              const char **what)
{
    const size_t width = dn_type_width(type);

    for (size_t i = 0; i < n; i++, in += width, out += DN_PQ_INTERVAL_WIDTH) {
        int64_t parts[3];
        load_interval(type, in, parts);
        if (parts[0] < 0 || parts[1] < 0 || parts[2] < 0) {
            *what = "the interval has a part below zero, which Parquet's INTERVAL has no sign for; "
                    "write intervals as iso8601";
            return i;
        }
        if (parts[2] % 1000000 != 0 || parts[2] / 1000000 > UINT32_MAX) {
            *what =
                "the interval is not in whole milliseconds of 32 bits, as Parquet's INTERVAL is; "
                "write intervals as iso8601";
            return i;
        }
        dn_pq_store32(out, (uint32_t)parts[0]);
        dn_pq_store32(out + 4, (uint32_t)parts[1]);
        dn_pq_store32(out + 8, (uint32_t)(parts[2] / 1000000));
    }
    return n;
}

size_t dn_pq_store(enum dn_pq_store how, struct dn_type type, const void *values, size_t n,
                   void *out, size_t width, const char **what)
{
    switch (how) {
    case DN_PQ_STORE_INTEGER:
        return store_integers(type, values, n, out);
    case DN_PQ_STORE_THOUSANDS:
        return store_thousands(type, values, n, out, width, what);
    case DN_PQ_STORE_DAYS:
        return store_days(values, n, out, what);
    case DN_PQ_STORE_DECIMAL:
        return store_decimals(type, values, n, out, width, what);
    case DN_PQ_STORE_CHECKED:
        return store_times(type, values, n, out, width, what);
    case DN_PQ_STORE_INTERVAL:
        return store_intervals(type, values, n, out, what);
    case DN_PQ_STORE_SAME:
        break;
    }
    return n;
}
