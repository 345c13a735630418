/*
 * The general path of float reading: any length, any exponent, exactly rounded.
 *
 * 1. The text is read as mantissa * 10^exp10 with the first 19 significant digits.
 * 2. Both exact in a double: one multiplication or division (Clinger 1990).
 * 3. Else Eisel-Lemire (Lemire, "Number Parsing at a Gigabyte per Second", arXiv:2101.11408).  It needs no fallback of its own: with the
 *    128-bit table a mantissa below 2^64 is always decided (Mushtak and Lemire, "Fast Number Parsing Without Fallback", arXiv:2212.06644).
 * 4. With more than 19 digits the value lies between mantissa and mantissa + 1.  If these two round differently, all digits are compared
 *    with the point halfway between the two doubles, in integers.
 */
#include "text/pow10.h"
#include "text/pow5.h"
#include "text/text_internal.h"

#include <stdio.h>

#define MANTISSA_BITS 52
#define HIDDEN_BIT (UINT64_C(1) << MANTISSA_BITS)
#define EXPONENT_BIAS 1023
#define EXPONENT_INFINITE 0x7ff
#define MAX_DIGITS 19
/* More digits than the 767 that a halfway point can have: the ones behind matter only by being zero or not. */
#define MAX_EXACT_DIGITS 800

/* Part of dn_text_read_float64(), whoever else calls it: apart it costs a column of long floats 8 % more. */
#define HOT static inline __attribute__((always_inline))

struct decimal {
    uint64_t mantissa;   /* the first 19 significant digits, or all if they are fewer */
    int64_t exp10;       /* of the mantissa's last digit */
    bool truncated;      /* a digit that is not 0 lies behind the mantissa */
    const uint8_t *text; /* first digit or point */
    const uint8_t *end;  /* behind the last digit, before the exponent */
};

static bool is_digit(uint8_t c)
{
    return (uint8_t)(c ^ '0') <= 9;
}

/* How many digits start at p; reads up to 8 bytes past `end`. */
static size_t digit_run(const uint8_t *p, const uint8_t *end)
{
    const uint8_t *at = p;
    while (at < end) {
        const uint64_t x = dn_text_load8(at) ^ DN_TEXT_ZEROS;
        const uint64_t other = ((x + DN_TEXT_OVER_9) | x) & DN_TEXT_HIGH_BITS;
        if (other != 0) {
            at += (size_t)__builtin_ctzll(other) >> 3;
            break;
        }
        at += 8;
    }
    return (size_t)((at < end ? at : end) - p);
}

/* [eE][+-]?[0-9]+ up to `end`; huge ones saturate where no mantissa that fits in memory can bring them back. */
static bool read_exponent(const uint8_t *p, const uint8_t *end, int64_t *out)
{
    const int64_t limit = INT64_C(1) << 60;
    int64_t value = 0;
    bool negative = false;

    if (end - p < 2 || (*p | 0x20) != 'e') {
        return false;
    }
    p++;
    if (*p == '+' || *p == '-') {
        negative = *p == '-';
        p++;
    }
    if (p == end) {
        return false;
    }
    for (; p < end; p++) {
        if (!is_digit(*p)) {
            return false;
        }
        value = value < limit / 16 ? value * 10 + (*p - '0') : limit;
    }
    *out = negative ? -value : value;
    return true;
}

/* The first 19 significant digits of a number that has more than 19 digits written. */
HOT void read_long_mantissa(struct decimal *d, size_t n_fraction)
{
    const uint8_t *p = d->text;
    int64_t digits_left = (d->end - d->text) - (n_fraction != 0); /* behind p, without the point */
    size_t n = 0;

    while (p < d->end && (*p == '0' || *p == '.')) {
        digits_left -= *p == '0';
        p++;
    }
    for (; p < d->end && n < MAX_DIGITS; p++) {
        if (*p != '.') {
            d->mantissa = d->mantissa * 10 + (*p - '0');
            digits_left--;
            n++;
        }
    }
    d->exp10 += digits_left;
    while (p < d->end && (*p == '0' || *p == '.')) {
        p++;
    }
    d->truncated = p < d->end;
}

/* Read text..end (behind any sign) into *d.  `relaxed` also takes leading zeros, ".5" and "5.". */
HOT bool read_decimal(const uint8_t *text, const uint8_t *end, bool relaxed, struct decimal *d)
{
    const size_t n_whole = digit_run(text, end);
    const uint8_t *p = text + n_whole;
    size_t n_fraction = 0;
    bool point = false;
    int64_t exponent = 0;

    if (p < end && *p == '.') {
        point = true;
        p++;
        n_fraction = digit_run(p, end);
        p += n_fraction;
    }
    if (relaxed ? n_whole + n_fraction == 0
                : n_whole == 0 || (point && n_fraction == 0) || (n_whole > 1 && text[0] == '0')) {
        return false;
    }
    if (p < end && !read_exponent(p, end, &exponent)) {
        return false;
    }
    d->text = text;
    d->end = n_fraction == 0 ? text + n_whole : p;
    d->exp10 = exponent - (int64_t)n_fraction;
    d->mantissa = 0;
    d->truncated = false;
    if (n_whole + n_fraction > MAX_DIGITS) {
        read_long_mantissa(d, n_fraction);
        return true;
    }
    uint64_t fraction = 0;
    if (n_fraction != 0 && !dn_text_digits(p, n_fraction, &fraction)) {
        return false; /* cannot be: they were counted as digits */
    }
    if (n_whole != 0 && !dn_text_digits(text + n_whole, n_whole, &d->mantissa)) {
        return false;
    }
    d->mantissa = d->mantissa * dn_pow10_u64[n_fraction] + fraction;
    return true;
}

/* ---- Eisel-Lemire ---------------------------------------------------------------------------------------------- */

/* The upper 128 bits of w * 5^q, or enough of them to round to 55 bits. */
static dn_uint128 multiply_pow5(uint64_t w, int32_t q)
{
    const struct dn_pow5 *t = &dn_pow5_table[q - DN_POW5_MIN];
    const uint64_t undecided = UINT64_MAX >> (MANTISSA_BITS + 3);
    dn_uint128 product = (dn_uint128)w * t->high;

    if (((uint64_t)(product >> 64) & undecided) == undecided) {
        /* A carry out of the lower half of the power could reach the bits that matter. */
        product += ((dn_uint128)w * t->low) >> 64;
    }
    return product;
}

/* A number and how far it is from its double, in the same units; the distance may be short by less than 2. */
struct error {
    uint64_t number; /* 0: unknown */
    uint64_t distance;
};

/* Bits of the double nearest to mantissa * 10^exp10, infinity if too large. */
static inline uint64_t eisel_lemire(uint64_t mantissa, int64_t exp10, struct error *error)
{
    const uint64_t infinite = (uint64_t)EXPONENT_INFINITE << MANTISSA_BITS;

    if (mantissa == 0 || exp10 < DN_POW5_MIN) {
        return 0;
    }
    if (exp10 > 308) {
        return infinite;
    }
    const int32_t q = (int32_t)exp10;
    const int zeros = __builtin_clzll(mantissa);
    const dn_uint128 product = multiply_pow5(mantissa << zeros, q);
    const uint64_t high = (uint64_t)(product >> 64);
    const uint64_t low = (uint64_t)product;
    const int top = (int)(high >> 63);
    const int shift = top + 64 - MANTISSA_BITS - 3;
    uint64_t m = high >> shift; /* the hidden bit, 52 bits and one to round by */
    int32_t exponent = dn_log2_pow10(q) + 63 + top - zeros + EXPONENT_BIAS;

    if (exponent <= 0) { /* subnormal, or the least normal after rounding */
        if (1 - exponent >= 64) {
            return 0;
        }
        m >>= 1 - exponent;
        m = (m + (m & 1)) >> 1;
        return m; /* a carry into the hidden bit is exponent 1: the right encoding by itself */
    }
    /* Exactly halfway, which is possible only for these exponents: round to even. */
    if (low <= 1 && q >= -4 && q <= 23 && (m & 3) == 1 && m << shift == high) {
        m &= ~UINT64_C(1);
    }
    m = (m + (m & 1)) >> 1;
    const uint64_t nearest = m << (shift + 1);
    error->number = high;
    error->distance = high > nearest ? high - nearest : nearest - high;
    if (m >= HIDDEN_BIT << 1) {
        m = HIDDEN_BIT;
        exponent++;
    }
    if (exponent >= EXPONENT_INFINITE) {
        return infinite;
    }
    return (m & (HIDDEN_BIT - 1)) | (uint64_t)exponent << MANTISSA_BITS;
}

/* ---- exact comparison ------------------------------------------------------------------------------------------ */

/*
 * 801 digits are 2661 bits; scaled by the power of five that aligns the two sides (at most 5^1126: 2615 bits, for the 54
 * bits of a halfway point), and then by powers of two until both are about equal, neither side passes 2800 bits.
 */
#define BIG_LIMBS 48

struct big {
    size_t n; /* limbs in use, the last one not 0 */
    uint64_t limbs[BIG_LIMBS];
};

static void big_push(struct big *b, uint64_t limb)
{
    if (limb != 0 && b->n < BIG_LIMBS) {
        b->limbs[b->n++] = limb;
    }
}

static void big_multiply_add(struct big *b, uint64_t factor, uint64_t addend)
{
    uint64_t carry = addend;
    for (size_t i = 0; i < b->n; i++) {
        const dn_uint128 product = (dn_uint128)b->limbs[i] * factor + carry;
        b->limbs[i] = (uint64_t)product;
        carry = (uint64_t)(product >> 64);
    }
    big_push(b, carry);
}

static void big_multiply_pow5(struct big *b, int64_t exponent)
{
    const uint64_t pow5_27 = UINT64_C(7450580596923828125);
    for (; exponent >= 27; exponent -= 27) {
        big_multiply_add(b, pow5_27, 0);
    }
    for (; exponent > 0; exponent--) {
        big_multiply_add(b, 5, 0);
    }
}

static void big_shift_left(struct big *b, int64_t bits)
{
    for (; bits >= 32; bits -= 32) {
        big_multiply_add(b, UINT64_C(1) << 32, 0);
    }
    if (bits > 0) {
        big_multiply_add(b, UINT64_C(1) << bits, 0);
    }
}

static int big_compare(const struct big *a, const struct big *b)
{
    if (a->n != b->n) {
        return a->n < b->n ? -1 : 1;
    }
    for (size_t i = a->n; i-- > 0;) {
        if (a->limbs[i] != b->limbs[i]) {
            return a->limbs[i] < b->limbs[i] ? -1 : 1;
        }
    }
    return 0;
}

/* All significant digits as one integer times 10^*exp10; the digits behind the 800th only as a final 1. */
static void big_from_digits(struct big *b, const struct decimal *d, int64_t *exp10)
{
    const uint8_t *p = d->text;
    int64_t n = 0;

    b->n = 0;
    while (p < d->end && (*p == '0' || *p == '.')) {
        p++;
    }
    for (; p < d->end && n < MAX_EXACT_DIGITS; p++) {
        if (*p != '.') {
            big_multiply_add(b, 10, (uint64_t)(*p - '0'));
            n++;
        }
    }
    while (p < d->end && (*p == '0' || *p == '.')) {
        p++;
    }
    if (p < d->end) {
        big_multiply_add(b, 10, 1);
        n++;
    }
    *exp10 = n > MAX_DIGITS ? d->exp10 + MAX_DIGITS - n : d->exp10;
}

/* Compare d with m * 2^exponent, which is close to it. */
static int compare_exactly(const struct decimal *d, uint64_t m, int64_t exponent)
{
    struct big value;
    struct big other = {.n = 1, .limbs = {m}};
    int64_t exp10 = 0;

    big_from_digits(&value, d, &exp10);
    if (exp10 >= 0) {
        big_multiply_pow5(&value, exp10);
    } else {
        big_multiply_pow5(&other, -exp10);
    }
    if (exp10 >= exponent) {
        big_shift_left(&value, exp10 - exponent);
    } else {
        big_shift_left(&other, exponent - exp10);
    }
    return big_compare(&value, &other);
}

/* A finite double that is not negative, as m * 2^exponent. */
static uint64_t take_apart(uint64_t bits, int64_t *exponent)
{
    const uint64_t fraction = bits & (HIDDEN_BIT - 1);
    const int64_t biased = (int64_t)(bits >> MANTISSA_BITS);

    *exponent = (biased == 0 ? 1 : biased) - EXPONENT_BIAS - MANTISSA_BITS;
    return biased == 0 ? fraction : fraction | HIDDEN_BIT;
}

/* Round d, which lies between the double `below` and the one after it, by comparing it with their middle. */
static uint64_t round_exactly(const struct decimal *d, uint64_t below)
{
    int64_t exponent = 0;
    const uint64_t m = take_apart(below, &exponent);
    const int order = compare_exactly(d, 2 * m + 1, exponent - 1);

    return order > 0 || (order == 0 && (below & 1) != 0) ? below + 1 : below;
}

/* ---- is the value the number that was written? ----------------------------------------------------------------- */

/* A double has at most this many significant digits. */
#define MAX_DOUBLE_DIGITS 767

/* Print the value with the text's number of significant digits and compare: exact, about a microsecond. */
static bool prints_otherwise(const struct decimal *d, double value)
{
    char digits[MAX_DOUBLE_DIGITS];
    char printed[MAX_DOUBLE_DIGITS + 64]; /* sign, point and exponent besides */
    const uint8_t *p = d->text;
    const uint8_t *end = d->end;
    size_t n = 0;
    size_t k = 0;

    while (p < end && (*p == '0' || *p == '.')) {
        p++;
    }
    while (end > p && (end[-1] == '0' || end[-1] == '.')) {
        end--;
    }
    for (; p < end; p++) {
        if (*p != '.') {
            if (n == MAX_DOUBLE_DIGITS) {
                return true;
            }
            digits[n++] = (char)*p;
        }
    }
    if (n == 0) {
        return false; /* a zero */
    }
    (void)snprintf(printed, sizeof printed, "%.*e", (int)n - 1, value);
    for (const char *q = printed; *q != 'e' && k < n; q++) {
        if (is_digit((uint8_t)*q)) {
            if (*q != digits[k++]) {
                return true;
            }
        }
    }
    return false;
}

/*
 * The value in units of 10^exp10, to 10 bits behind the point; false if it has no place in 118 bits.  The error is below one in
 * the last bit: the power is good to 2^-126, and the value has some 64 bits here.
 */
static bool in_units(double value, int64_t exp10, dn_uint128 *out)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    const int32_t biased = (int32_t)(bits >> MANTISSA_BITS & EXPONENT_INFINITE);
    const uint64_t m = bits & (HIDDEN_BIT - 1);

    if (biased == 0 || -exp10 < DN_POW5_MIN || -exp10 > DN_POW5_MAX) {
        return false; /* subnormals have fewer digits and take the other way */
    }
    const int32_t q = (int32_t)-exp10;
    const struct dn_pow5 *power = &dn_pow5_table[q - DN_POW5_MIN];
    const uint64_t top = (m | HIDDEN_BIT) << (63 - MANTISSA_BITS);
    const dn_uint128 product =
        (dn_uint128)top * power->high + (((dn_uint128)top * power->low) >> 64);
    /* value == top * 2^(biased - 1023 - 63); 5^q == power * 2^(log2_pow10 - q - 127); product is that >> 64 */
    const int32_t shift = -(biased - EXPONENT_BIAS - 63 + dn_log2_pow10(q) - 127 + 64) - 10;
    if (shift < 0 || shift > 127) {
        return false;
    }
    *out = product >> shift;
    return true;
}

/* Is the value, which is near the number, another one to the digits that this has?  Exact; without zeros at its end. */
static bool is_another(const struct decimal *d, double value)
{
    const dn_uint128 half = 512;
    dn_uint128 units;

    if (!in_units(value, d->exp10, &units)) {
        return prints_otherwise(d, value);
    }
    const dn_uint128 written = (dn_uint128)d->mantissa << 10;
    const dn_uint128 distance = units > written ? units - written : written - units;
    if (d->truncated) { /* more digits: between mantissa and mantissa + 1, and closer to be the same */
        return distance > 4 * half || prints_otherwise(d, value);
    }
    if (distance + 2 < half || distance > half + 2) {
        return distance > half;
    }
    return prints_otherwise(d, value);
}

/* The number without zeros at the end of a mantissa larger than `least`, if it is whole. */
static struct decimal without_zeros(const struct decimal *number, uint64_t least)
{
    struct decimal d = *number;

    while (!d.truncated && d.mantissa > least && d.mantissa % 10 == 0) {
        d.mantissa /= 10;
        d.exp10++;
    }
    return d;
}

/* Is some of the number lost in the value that it became?  Exact. */
static __attribute__((noinline)) bool is_rounded(const struct decimal *number, double value)
{
    if (number->mantissa == 0) {
        return false;
    }
    if (value == 0) {
        return true;
    }
    const struct decimal d = without_zeros(number, dn_pow10_u64[15]);
    if (!d.truncated && d.mantissa <= dn_pow10_u64[15] && d.exp10 >= -300) {
        return false; /* 15 digits */
    }
    return is_another(&d, value);
}

/* ---- the parts together ---------------------------------------------------------------------------------------- */

/* Surely nothing is lost: half of a unit of the last digit is more than the error. */
static bool is_close(const struct decimal *d, const struct error *error)
{
    return !d->truncated && (dn_uint128)d->mantissa * (2 * error->distance + 4) < error->number;
}

HOT bool decimal_to_float64(const struct decimal *d, bool negative, double *out, bool *rounded)
{
    struct error error = {0};
    double value;
    uint64_t bits;

    if (!d->truncated && d->mantissa <= HIDDEN_BIT << 1 && d->exp10 >= -22 && d->exp10 <= 22) {
        const double m = (double)(int64_t)d->mantissa;
        value =
            d->exp10 < 0 ? m / dn_text_pow10_exact[-d->exp10] : m * dn_text_pow10_exact[d->exp10];
        *out = negative ? -value : value;
        if (rounded != NULL) { /* a significand above the mantissa is finer than its last digit */
            *rounded = d->mantissa >= HIDDEN_BIT && is_rounded(d, value);
        }
        return true;
    }
    bits = eisel_lemire(d->mantissa, d->exp10, &error);
    if (d->truncated && bits != eisel_lemire(d->mantissa + 1, d->exp10, &error)) {
        bits = round_exactly(d, bits);
    }
    if (bits >> MANTISSA_BITS == EXPONENT_INFINITE) {
        return false;
    }
    if (rounded != NULL) {
        memcpy(&value, &bits, sizeof value);
        *rounded = !is_close(d, &error) && is_rounded(d, value);
    }
    bits |= (uint64_t)negative << 63;
    memcpy(out, &bits, sizeof bits);
    return true;
}

bool dn_text_read_float64(const uint8_t *text, size_t len, bool negative, bool relaxed, double *out,
                          bool *rounded)
{
    struct decimal d;
    return read_decimal(text, text + len, relaxed, &d) &&
           decimal_to_float64(&d, negative, out, rounded);
}

bool dn_parse_float64_general(const uint8_t *text, size_t len, double *out)
{
    const bool negative = len != 0 && text[0] == '-';
    return dn_text_read_float64(text + negative, len - negative, negative, false, out, NULL);
}

bool dn_parse_float64_general_told(const uint8_t *text, size_t len, double *out, bool *rounded)
{
    const bool negative = len != 0 && text[0] == '-';
    return dn_text_read_float64(text + negative, len - negative, negative, false, out, rounded);
}

/* ---- floats of 16 and 32 bits ----------------------------------------------------------------------------------- */

/* A float of fewer bits: those of its significand, and the exponents of its least value and of the least that is too large. */
struct narrow {
    int bits;
    int64_t least;
    int64_t too_large;
};

/*
 * The nearest float of the kind, as a double; `wide` is the double nearest to d.  Rounded twice, a number would go wrong where the first
 * rounding has put it on the middle between two floats: then all of its digits say on which side it was.
 */
static bool to_narrow(const struct decimal *d, const struct narrow *kind, double wide, double *out)
{
    uint64_t bits;
    int64_t exponent = 0;

    memcpy(&bits, &wide, sizeof bits);
    const uint64_t m = take_apart(bits, &exponent);
    if (m == 0) {
        *out = 0;
        return true;
    }
    const int64_t top = exponent + 64 - __builtin_clzll(m); /* wide < 2^top */
    const int64_t last = top - kind->bits > kind->least ? top - kind->bits : kind->least;
    const int64_t cut = last - exponent;
    uint64_t kept = cut > 63 ? 0 : m >> cut;
    const uint64_t rest = cut > 63 ? 0 : m & ((UINT64_C(1) << cut) - 1);
    const uint64_t half = cut > 63 ? 1 : UINT64_C(1) << (cut - 1);
    if (rest == half) {
        const int order = compare_exactly(d, m, exponent);
        kept += order > 0 || (order == 0 && (kept & 1) != 0);
    } else {
        kept += rest > half;
    }
    if (kept != 0 && last + 64 - __builtin_clzll(kept) >= kind->too_large) {
        return false;
    }
    const uint64_t power = (uint64_t)(last + EXPONENT_BIAS) << MANTISSA_BITS;
    memcpy(out, &power, sizeof power);
    *out *= (double)(int64_t)kept; /* both exact, and so is the product */
    return true;
}

static bool read_narrow(const uint8_t *text, size_t len, const struct narrow *kind, double *out,
                        bool *rounded)
{
    struct decimal d;
    double wide = 0;
    double value = 0;

    while (len > 0 && (*text == ' ' || *text == '\t')) {
        text++;
        len--;
    }
    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t')) {
        len--;
    }
    const bool negative = len > 0 && *text == '-';
    const size_t sign = len > 0 && (*text == '-' || *text == '+') ? 1 : 0;
    if (!read_decimal(text + sign, text + len, true, &d)) {
        *rounded = false;
        return dn_parse_float64_relaxed(text, len, out); /* nan, inf */
    }
    if (!decimal_to_float64(&d, false, &wide, NULL) || !to_narrow(&d, kind, wide, &value)) {
        return false;
    }
    d = without_zeros(&d, 0);
    *rounded = d.mantissa != 0 && (value == 0 || is_another(&d, value));
    *out = negative ? -value : value;
    return true;
}

bool dn_parse_float32_relaxed(const uint8_t *text, size_t len, float *out, bool *rounded)
{
    static const struct narrow kind = {24, -149, 129};
    double value = 0;

    if (!read_narrow(text, len, &kind, &value, rounded)) {
        return false;
    }
    *out = (float)value;
    return true;
}

/* The bits of a double that is one of 16 bits. */
static uint16_t float16_bits(double value)
{
    uint64_t bits;
    int64_t exponent = 0;

    memcpy(&bits, &value, sizeof bits);
    const uint16_t sign = (uint16_t)(bits >> 63 << 15);
    bits &= UINT64_MAX >> 1;
    if (bits >> MANTISSA_BITS == EXPONENT_INFINITE) {
        return (uint16_t)(sign | 0x7c00 | ((bits & (HIDDEN_BIT - 1)) != 0 ? 0x200 : 0));
    }
    const uint64_t m = take_apart(bits, &exponent);
    if (m == 0) {
        return sign;
    }
    const int64_t top = exponent + MANTISSA_BITS; /* of a normal double, as all of them are */
    const uint64_t half =
        top < -14 ? m >> (-24 - exponent) : ((uint64_t)(top + 15) << 10) + (m >> 42 & 0x3ff);
    return (uint16_t)(sign | half);
}

bool dn_parse_float16_relaxed(const uint8_t *text, size_t len, uint16_t *out, bool *rounded)
{
    static const struct narrow kind = {11, -24, 17};
    double value = 0;

    if (!read_narrow(text, len, &kind, &value, rounded)) {
        return false;
    }
    *out = float16_bits(value);
    return true;
}
