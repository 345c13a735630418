#include "pg/numeric.h"

#include "base/strings.h"
#include "text/parse.h"
#include "text/pow10.h"

#include <math.h>
#include <stdlib.h>

#define HEAD_BYTES 8
#define SIGN_POSITIVE 0x0000
#define SIGN_NEGATIVE 0x4000
#define SIGN_NAN 0xC000
#define SIGN_INFINITY 0xD000
#define SIGN_NEGATIVE_INFINITY 0xF000
#define MOST_PLACES 0x3FFF
#define GROUP 4 /**< decimal digits of one digit to the base 10,000 */
#define BASE 10000

/* A number that is one: digit i, from 0, counts 10,000^(weight - i). */
struct number {
    const uint8_t *digits;
    int32_t n_digits;
    int32_t weight;
    int32_t n_places;
    bool negative;
};

static enum dn_pg_verdict open_number(struct number *n, const uint8_t *p, size_t len)
{
    if (len < HEAD_BYTES) {
        return DN_PG_LENGTH;
    }
    const uint16_t sign = dn_pg_load16(p + 4);
    *n = (struct number){
        .digits = p + HEAD_BYTES,
        .n_digits = dn_pg_load16(p),
        .weight = (int16_t)dn_pg_load16(p + 2),
        .n_places = dn_pg_load16(p + 6),
        .negative = sign == SIGN_NEGATIVE,
    };
    if (len != HEAD_BYTES + 2 * (size_t)n->n_digits) {
        return DN_PG_LENGTH;
    }
    switch (sign) {
    case SIGN_POSITIVE:
    case SIGN_NEGATIVE:
        return n->n_places <= MOST_PLACES ? DN_PG_GOOD : DN_PG_FORM;
    case SIGN_NAN:
        return DN_PG_NAN;
    case SIGN_INFINITY:
        return DN_PG_INFINITY;
    case SIGN_NEGATIVE_INFINITY:
        return DN_PG_NEGATIVE_INFINITY;
    default:
        return DN_PG_FORM;
    }
}

/* Digit i, which may be before or behind those that are there. */
static uint32_t digit(const struct number *n, int32_t i)
{
    return i >= 0 && i < n->n_digits ? dn_pg_load16(n->digits + 2 * (size_t)i) : 0;
}

static bool digits_are_good(const struct number *n)
{
    uint32_t bad = 0;

    for (int32_t i = 0; i < n->n_digits; i++) {
        bad |= digit(n, i) >= BASE;
    }
    return bad == 0;
}

static const uint32_t small_powers[GROUP + 1] = {1, 10, 100, 1000, 10000};

/*
 * Where the places of a scale cut a number: so many digits count whole, then `more` digits of the next one do.  The product of what is
 * cut off is 0, or the value does not fit.
 */
struct cut {
    int32_t n_whole; /**< may be more than there are, or negative */
    int32_t more;    /**< 0..3 */
};

static struct cut cut_at(const struct number *n, int scale)
{
    const int32_t groups = scale >= 0 ? scale / GROUP : -((-scale + GROUP - 1) / GROUP);

    return (struct cut){n->weight + 1 + groups, scale - groups * GROUP};
}

static bool rest_is_zero(const struct number *n, struct cut c)
{
    int32_t first = c.n_whole;

    if (c.more > 0) {
        if (digit(n, first) % small_powers[GROUP - c.more] != 0) {
            return false;
        }
        first++;
    }
    for (int32_t i = first > 0 ? first : 0; i < n->n_digits; i++) {
        if (digit(n, i) != 0) {
            return false;
        }
    }
    return true;
}

/* Nearly all numbers: the result has at most 18 digits.  False: it may have more, or the number is not this simple. */
static inline bool fits_64(const struct number *n, struct cut c)
{
    return c.n_whole >= 0 && c.n_whole <= 4 && n->n_digits <= c.n_whole + 1;
}

static inline enum dn_pg_verdict scaled_64(const struct number *n, struct cut c, int precision,
                                           uint64_t *out)
{
    uint64_t v = 0;
    uint32_t bad = 0;

    for (int32_t i = 0; i < c.n_whole; i++) {
        const uint32_t d = digit(n, i);
        bad |= d >= BASE;
        v = v * BASE + d;
    }
    const uint32_t last = digit(n, c.n_whole);
    bad |= last >= BASE;
    if (bad != 0) {
        return DN_PG_FORM;
    }
    const uint32_t below = small_powers[GROUP - c.more];
    if (last % below != 0) {
        return DN_PG_SCALE;
    }
    v = v * small_powers[c.more] + last / below;
    if (precision <= 18 && v >= dn_pow10_u64[precision]) {
        return DN_PG_RANGE;
    }
    *out = v;
    return DN_PG_GOOD;
}

struct dn_pg_numeric_column dn_pg_numeric_column(int precision, int scale)
{
    struct dn_pg_numeric_column c = {0};

    if (scale >= 0 && scale <= 4 * GROUP) {
        c.n_groups = (scale + GROUP - 1) / GROUP;
        c.divisor = small_powers[c.n_groups * GROUP - scale];
        c.inverse = UINT64_MAX / c.divisor + 1; /* exact for what four digits make: below 2^54 */
        c.limit = precision <= 18 ? dn_pow10_u64[precision] : UINT64_MAX;
    }
    return c;
}

/* ---- more than 64 bits -------------------------------------------------------------------------------------------- */

__extension__ typedef unsigned __int128 uint128;

struct wide {
    uint64_t words[4]; /**< the least significant first */
};

/* w = w * factor + term; false: it has more than 256 bits. */
static bool multiply_add(struct wide *w, uint64_t factor, uint64_t term)
{
    uint128 carry = term;

    for (size_t i = 0; i < 4; i++) {
        carry += (uint128)w->words[i] * factor;
        w->words[i] = (uint64_t)carry;
        carry >>= 64;
    }
    return carry == 0;
}

static bool is_below(const struct wide *a, const struct wide *b)
{
    for (size_t i = 4; i-- > 0;) {
        if (a->words[i] != b->words[i]) {
            return a->words[i] < b->words[i];
        }
    }
    return false;
}

static void negate(struct wide *w)
{
    uint64_t carry = 1;

    for (size_t i = 0; i < 4; i++) {
        w->words[i] = ~w->words[i] + carry;
        carry = carry != 0 && w->words[i] == 0;
    }
}

static struct wide power_of_ten(int exponent)
{
    struct wide w = {{1, 0, 0, 0}};

    for (; exponent > 18; exponent -= 18) {
        (void)multiply_add(&w, dn_pow10_u64[18], 0);
    }
    (void)multiply_add(&w, dn_pow10_u64[exponent], 0);
    return w;
}

static enum dn_pg_verdict scaled(const struct number *n, struct cut c, int precision,
                                 struct wide *out)
{
    const struct wide limit = power_of_ten(precision);
    struct wide w = {{0}};

    if (!digits_are_good(n)) {
        return DN_PG_FORM;
    }
    if (!rest_is_zero(n, c)) {
        return DN_PG_SCALE;
    }
    for (int32_t i = 0; i < c.n_whole; i++) {
        if (!multiply_add(&w, BASE, digit(n, i)) || !is_below(&w, &limit)) {
            return DN_PG_RANGE;
        }
        if (i >= n->n_digits && (w.words[0] | w.words[1] | w.words[2] | w.words[3]) == 0) {
            break; /* 0 with a weight: no loop over what it would count */
        }
    }
    const uint32_t last = digit(n, c.n_whole) / small_powers[GROUP - c.more];
    if (!multiply_add(&w, small_powers[c.more], last) || !is_below(&w, &limit)) {
        return DN_PG_RANGE;
    }
    if (n->negative) {
        negate(&w);
    }
    *out = w;
    return DN_PG_GOOD;
}

static void store(const struct wide *w, void *out, size_t n_words)
{
    for (size_t i = 0; i < n_words; i++) {
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        const size_t at = n_words - 1 - i;
#else
        const size_t at = i;
#endif
        memcpy((uint8_t *)out + 8 * at, &w->words[i], 8);
    }
}

static inline enum dn_pg_verdict to_words(const uint8_t *p, size_t len, int precision, int scale,
                                          void *out, size_t n_words)
{
    struct number n;
    struct wide w;
    uint64_t v = 0;
    enum dn_pg_verdict verdict = open_number(&n, p, len);

    if (verdict != DN_PG_GOOD) {
        return verdict;
    }
    const struct cut c = cut_at(&n, scale);
    if (fits_64(&n, c)) {
        verdict = scaled_64(&n, c, precision, &v);
        const uint64_t sign = n.negative && v != 0 ? UINT64_MAX : 0;
        w = (struct wide){{n.negative ? 0 - v : v, sign, sign, sign}};
    } else {
        verdict = scaled(&n, c, precision, &w);
    }
    if (verdict == DN_PG_GOOD) {
        store(&w, out, n_words);
    }
    return verdict;
}

enum dn_pg_verdict dn_pg_numeric_128(const uint8_t *p, size_t len, int precision, int scale,
                                     void *out)
{
    return to_words(p, len, precision, scale, out, 2);
}

enum dn_pg_verdict dn_pg_numeric_256(const uint8_t *p, size_t len, int precision, int scale,
                                     void *out)
{
    return to_words(p, len, precision, scale, out, 4);
}

/* ---- shape and text ----------------------------------------------------------------------------------------------- */

static int32_t n_decimal_digits(uint32_t d)
{
    return d >= 1000 ? 4 : d >= 100 ? 3 : d >= 10 ? 2 : d > 0 ? 1 : 0;
}

enum dn_pg_verdict dn_pg_numeric_shape(const uint8_t *p, size_t len,
                                       struct dn_pg_numeric_shape *out)
{
    struct number n;
    const enum dn_pg_verdict verdict = open_number(&n, p, len);

    if (verdict != DN_PG_GOOD) {
        return verdict;
    }
    int32_t first = 0;
    int32_t end = n.n_digits;
    if (!digits_are_good(&n)) {
        return DN_PG_FORM;
    }
    while (first < end && digit(&n, first) == 0) {
        first++;
    }
    while (end > first && digit(&n, end - 1) == 0) {
        end--;
    }
    *out = (struct dn_pg_numeric_shape){.n_places = n.n_places};
    if (first < end) {
        const int32_t whole_groups = n.weight - first;
        const int32_t place_groups = end - 1 - n.weight;
        uint32_t last = digit(&n, end - 1);
        if (whole_groups >= 0) {
            out->n_whole = whole_groups * GROUP + n_decimal_digits(digit(&n, first));
        }
        if (place_groups > 0) {
            out->n_places_needed = place_groups * GROUP;
            for (; last % 10 == 0; last /= 10) {
                out->n_places_needed--;
            }
        }
    }
    return DN_PG_GOOD;
}

static char *put_group(char *out, uint32_t d)
{
    out[0] = (char)('0' + d / 1000);
    out[1] = (char)('0' + d / 100 % 10);
    out[2] = (char)('0' + d / 10 % 10);
    out[3] = (char)('0' + d % 10);
    return out + GROUP;
}

static char *put_whole(char *out, const struct number *n)
{
    char *begin = out;

    for (int32_t i = 0; i <= n->weight; i++) {
        out = put_group(out, digit(n, i));
        while (begin < out && *begin == '0') { /* leading zeros of what is there so far */
            memmove(begin, begin + 1, (size_t)(out - begin) - 1);
            out--;
        }
    }
    if (out == begin) {
        *out++ = '0';
    }
    return out;
}

/* Digits behind the places that it says it has: no server sends that. */
static bool places_are_written(const struct number *n)
{
    return rest_is_zero(n, cut_at(n, n->n_places));
}

static bool is_zero(const struct number *n)
{
    for (int32_t i = 0; i < n->n_digits; i++) {
        if (digit(n, i) != 0) {
            return false;
        }
    }
    return true;
}

static size_t write_number(char *out, const struct number *n)
{
    char *p = out;

    if (n->negative && !is_zero(n)) {
        *p++ = '-';
    }
    p = put_whole(p, n);
    if (n->n_places > 0) {
        *p++ = '.';
        char *end = p + n->n_places;
        for (int32_t i = n->weight + 1; p < end; i++) {
            p = put_group(p, digit(n, i));
        }
        p = end;
    }
    return (size_t)(p - out);
}

enum dn_status dn_pg_numeric_text(const uint8_t *p, size_t len, struct dn_buffer *out,
                                  enum dn_pg_verdict *verdict, struct dn_error *err)
{
    struct number n;

    *verdict = open_number(&n, p, len);
    switch (*verdict) {
    case DN_PG_NAN:
        *verdict = DN_PG_GOOD;
        return dn_text_append(out, "NaN", err);
    case DN_PG_INFINITY:
        *verdict = DN_PG_GOOD;
        return dn_text_append(out, "Infinity", err);
    case DN_PG_NEGATIVE_INFINITY:
        *verdict = DN_PG_GOOD;
        return dn_text_append(out, "-Infinity", err);
    case DN_PG_GOOD:
        break;
    default:
        return DN_OK;
    }
    if (!digits_are_good(&n) || !places_are_written(&n)) {
        *verdict = DN_PG_FORM;
        return DN_OK;
    }
    const size_t whole = n.weight >= 0 ? ((size_t)n.weight + 1) * GROUP : 1;
    DN_TRY(dn_buffer_reserve(out, whole + (size_t)n.n_places + 2 + GROUP, err));
    out->len += write_number((char *)out->data + out->len, &n);
    return DN_OK;
}

enum dn_status dn_pg_numeric_float64(const uint8_t *p, size_t len, struct dn_buffer *scratch,
                                     double *out, enum dn_pg_verdict *verdict, struct dn_error *err)
{
    static const char before[DN_TEXT_PADDING] = {0};

    dn_buffer_reset(scratch);
    DN_TRY(dn_buffer_append(scratch, before, sizeof(before), err));
    DN_TRY(dn_pg_numeric_text(p, len, scratch, verdict, err));
    if (*verdict != DN_PG_GOOD) {
        return DN_OK;
    }
    const uint8_t *text = scratch->data + sizeof(before);
    const size_t text_len = scratch->len - sizeof(before);
    if (!dn_parse_float64(text, text_len, out) && !dn_parse_float64_special(text, text_len, out)) {
        *verdict = DN_PG_RANGE;
    }
    return DN_OK;
}
