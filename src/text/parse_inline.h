/**
 * The fast paths of text/parse.h, written to be inlined into loops over one column.  Include text/parse.h instead.
 *
 * Every text is read in blocks of 8 or 16 bytes that may start before it or end behind it (DN_TEXT_PADDING); the bytes that
 * are not its own are masked away.  `c ^ '0'` is at most 9 exactly for digits, so a block is checked and converted as a
 * whole, without a loop over characters.  SSE2 where the compiler has it (always on x86-64), otherwise 64-bit words;
 * defining DN_TEXT_PORTABLE before the first inclusion chooses the words everywhere.
 */
#ifndef DN_TEXT_PARSE_INLINE_H
#define DN_TEXT_PARSE_INLINE_H

#include "text/parse.h"

#include <string.h>
#if defined(__SSE2__) && !defined(DN_TEXT_PORTABLE)
#    include <emmintrin.h>
#    define DN_TEXT_SSE2 1
#else
#    define DN_TEXT_SSE2 0
#endif

#define DN_TEXT_ZEROS UINT64_C(0x3030303030303030)
#define DN_TEXT_HIGH_BITS UINT64_C(0x8080808080808080)
/** Added to a word of `c ^ '0'` bytes, this raises the high bit of every byte above 9. */
#define DN_TEXT_OVER_9 UINT64_C(0x7676767676767676)
#define DN_MICROS_PER_SECOND INT64_C(1000000)
#define DN_MICROS_PER_DAY INT64_C(86400000000)

/** Any float64 the inline path leaves alone, and every refusal.  Cost: tens of nanoseconds. */
bool dn_parse_float64_general(const uint8_t *text, size_t len, double *out);
bool dn_parse_float64_general_told(const uint8_t *text, size_t len, double *out, bool *rounded);
/** (+|-)HH[:]MM or (+|-)HH, up to 23:59 either way, in microseconds east of UTC. */
bool dn_parse_zone_us(const uint8_t *text, size_t len, int64_t *out_us);

/** dn_text_tail_masks + n: a mask of 16 bytes that keeps the last n, for n in 0..31 (16 and more keep all). */
static const uint8_t dn_text_tail_masks[48] = {
    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
};

/** Powers of ten that are exact doubles; entry 31 stands for "no decimal point", see dn_parse_float64(). */
static const double dn_text_pow10_exact[32] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22, 0,   0,   0,   0,    0,    0,    0,    0,    1e0,
};

/** 8 bytes, the first one least significant. */
static inline uint64_t dn_text_load8(const uint8_t *p)
{
    uint64_t w;
    memcpy(&w, p, sizeof w);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    w = __builtin_bswap64(w);
#endif
    return w;
}

/** The number in 8 digits (bytes 0..9, the first character least significant). */
static inline uint32_t dn_text_value8(uint64_t digits)
{
    const uint64_t even = UINT64_C(0x000000ff000000ff);
    digits = digits * 10 + (digits >> 8); /* bytes 0, 2, 4, 6 are pairs 0..99 */
    const uint64_t high = (digits & even) * (100 + (UINT64_C(1000000) << 32));
    const uint64_t low = ((digits >> 16) & even) * (1 + (UINT64_C(10000) << 32));
    return (uint32_t)((high + low) >> 32);
}

/** 16 characters as `c ^ '0'`. */
#if DN_TEXT_SSE2
struct dn_text_block {
    __m128i v;
};
#else
struct dn_text_block {
    uint64_t head; /**< characters 0..7 */
    uint64_t tail; /**< characters 8..15 */
};
#endif

static inline struct dn_text_block dn_text_block_load(const uint8_t *p)
{
    struct dn_text_block b;
#if DN_TEXT_SSE2
    b.v = _mm_xor_si128(_mm_loadu_si128((const __m128i *)(const void *)p), _mm_set1_epi8('0'));
#else
    b.head = dn_text_load8(p) ^ DN_TEXT_ZEROS;
    b.tail = dn_text_load8(p + 8) ^ DN_TEXT_ZEROS;
#endif
    return b;
}

/** The last n characters; the ones before become digits 0. */
static inline struct dn_text_block dn_text_block_tail(struct dn_text_block b, size_t n)
{
    const uint8_t *mask = dn_text_tail_masks + n;
#if DN_TEXT_SSE2
    b.v = _mm_and_si128(b.v, _mm_loadu_si128((const __m128i *)(const void *)mask));
#else
    b.head &= dn_text_load8(mask);
    b.tail &= dn_text_load8(mask + 8);
#endif
    return b;
}

/** The last n characters of `b`, the ones before from `a`. */
static inline struct dn_text_block dn_text_block_join(struct dn_text_block a,
                                                      struct dn_text_block b, size_t n)
{
    const uint8_t *at = dn_text_tail_masks + n;
#if DN_TEXT_SSE2
    const __m128i mask = _mm_loadu_si128((const __m128i *)(const void *)at);
    b.v = _mm_or_si128(_mm_and_si128(mask, b.v), _mm_andnot_si128(mask, a.v));
#else
    const uint64_t head = dn_text_load8(at);
    const uint64_t tail = dn_text_load8(at + 8);
    b.head = (b.head & head) | (a.head & ~head);
    b.tail = (b.tail & tail) | (a.tail & ~tail);
#endif
    return b;
}

/** Index of the first '.', 16 if there is none. */
static inline unsigned dn_text_block_find_dot(struct dn_text_block b)
{
#if DN_TEXT_SSE2
    const int dots = _mm_movemask_epi8(_mm_cmpeq_epi8(b.v, _mm_set1_epi8('.' ^ '0')));
    return (unsigned)__builtin_ctz((unsigned)dots | 0x10000u);
#else
    const uint64_t low_bits = ~DN_TEXT_HIGH_BITS;
    const uint64_t dot = UINT64_C(0x1e1e1e1e1e1e1e1e);
    const uint64_t x = b.head ^ dot;
    const uint64_t y = b.tail ^ dot;
    const uint64_t head = ~(((x & low_bits) + low_bits) | x) & DN_TEXT_HIGH_BITS;
    const uint64_t tail = ~(((y & low_bits) + low_bits) | y) & DN_TEXT_HIGH_BITS;
    if (head != 0) {
        return (unsigned)__builtin_ctzll(head) >> 3;
    }
    return tail != 0 ? 8 + ((unsigned)__builtin_ctzll(tail) >> 3) : 16;
#endif
}

static inline bool dn_text_block_is_digits(struct dn_text_block b)
{
#if DN_TEXT_SSE2
    const __m128i nine = _mm_set1_epi8(9);
    return _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_max_epu8(b.v, nine), nine)) == 0xffff;
#else
    return (((b.head + DN_TEXT_OVER_9) | b.head | (b.tail + DN_TEXT_OVER_9) | b.tail) &
            DN_TEXT_HIGH_BITS) == 0;
#endif
}

/** The number in 16 digits. */
static inline uint64_t dn_text_block_value(struct dn_text_block b)
{
#if DN_TEXT_SSE2
    const __m128i tens =
        _mm_mullo_epi16(_mm_and_si128(b.v, _mm_set1_epi16(0xff)), _mm_set1_epi16(10));
    const __m128i by2 = _mm_add_epi16(tens, _mm_srli_epi16(b.v, 8));
    const __m128i by4 = _mm_madd_epi16(by2, _mm_set1_epi32(100 | 1 << 16));
    const __m128i by8 = _mm_madd_epi16(_mm_packs_epi32(by4, by4), _mm_set1_epi32(10000 | 1 << 16));
    const uint64_t halves = (uint64_t)_mm_cvtsi128_si64(by8);
    return (halves & UINT32_MAX) * UINT64_C(100000000) + (halves >> 32);
#else
    return dn_text_value8(b.head) * UINT64_C(100000000) + dn_text_value8(b.tail);
#endif
}

/** The number in the n <= 19 characters before `end`; n == 0 gives 0.  False if one is not a digit. */
static inline bool dn_text_digits(const uint8_t *end, size_t n, uint64_t *out)
{
    const struct dn_text_block low = dn_text_block_tail(dn_text_block_load(end - 16), n);
    if (!dn_text_block_is_digits(low)) {
        return false;
    }
    uint64_t value = dn_text_block_value(low);
    if (n > 16) {
        const struct dn_text_block high = dn_text_block_tail(dn_text_block_load(end - 32), n - 16);
        if (!dn_text_block_is_digits(high)) {
            return false;
        }
        value += dn_text_block_value(high) * UINT64_C(10000000000000000);
    }
    *out = value;
    return true;
}

static inline bool dn_parse_int64(const uint8_t *text, size_t len, int64_t *out)
{
    if (len - 1 <=
        1) { /* one or two digits, without a branch between them: flags, quantities, line numbers */
        const uint8_t ten = len == 2 ? (uint8_t)(text[0] ^ '0') : 0;
        const uint8_t one = (uint8_t)(text[len - 1] ^ '0');
        if (ten <= 9 && one <= 9 && (ten != 0 || len == 1)) {
            *out = ten * 10 + one;
            return true;
        }
    }
    const size_t negative = text[0] == '-'; /* readable even if len is 0 */
    const size_t n = len - negative;
    uint64_t magnitude = 0;

    /* neither leading zeros nor -0: what is read as an integer is written as it was */
    if (n - 1 >= 19 || (len > 1 && text[negative] == '0') ||
        !dn_text_digits(text + len, n, &magnitude) || magnitude > (uint64_t)INT64_MAX + negative) {
        return false;
    }
    *out = (int64_t)((magnitude ^ (0 - (uint64_t)negative)) + negative);
    return true;
}

/**
 * An unsigned decimal with a point and at most 8 characters, such as a price: in one 64-bit word.  False: not of this form, or
 * not a number.  At most 7 digits over a power of ten up to 10^6: both are exact, so the quotient is correctly rounded.
 */
static inline bool dn_parse_short_decimal(const uint8_t *text, size_t len, double *out)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t word;
    memcpy(&word, text + len - 8, sizeof word);
    /* bytes before the text become '0' */
    const unsigned unused = 8 * (8 - (unsigned)len);
    word = (word >> unused << unused) | (ones * '0' & ((UINT64_C(1) << unused) - 1));
    const uint64_t no_dot = word ^ (ones * '.');
    const uint64_t dots = (no_dot - ones) & ~no_dot & (ones << 7);
    if (dots == 0) {
        return false;
    }
    const unsigned at = (unsigned)__builtin_ctzll(dots) & 56u; /* bit of the first point */
    const uint64_t below = word & ((UINT64_C(1) << at) - 1);
    const uint64_t digits = ((word >> at >> 8) << at << 8 | below << 8 | '0') ^ (ones * '0');
    if (((digits + ones * 0x76) | digits) & (ones << 7)) {
        return false; /* a byte that is no digit, or a second point */
    }
    if (at == 56 || text[0] == '.' || (text[0] == '0' && text[1] != '.')) {
        return false; /* "5.", ".5", "05.1" */
    }
    uint64_t value = digits * 10 + (digits >> 8);
    value = (((value & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x000f424000000064)) +
             (((value >> 16) & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x0000271000000001))) >>
            32;
    *out = (double)(int64_t)(uint32_t)value / dn_text_pow10_exact[(56 - at) / 8];
    return true;
}

/** The short forms, of at most 15 digits or of 16 without a point.  False: another form, or not a number. */
static inline bool dn_parse_float64_short(const uint8_t *text, size_t len, double *out)
{
    if (len - 3 <= 5 && dn_parse_short_decimal(text, len, out)) {
        return true;
    }
    const size_t negative = text[0] == '-';
    const size_t n = len - negative;
    const uint8_t first = text[negative];

    if (n - 1 < 16 && (uint8_t)(first ^ '0') <= 9 &&
        (first != '0' || n == 1 || text[negative + 1] == '.')) {
        const uint8_t *end = text + len;
        const struct dn_text_block whole = dn_text_block_tail(dn_text_block_load(end - 16), n);
        const unsigned dot = dn_text_block_find_dot(whole);
        /* Digits behind the point; 31, for which all tables have an entry, if there is none. */
        const unsigned scale = (15u - dot) & 31u;
        /* One byte earlier, the digits before the point are where they belong without the point. */
        const struct dn_text_block shifted = dn_text_block_load(end - 17);
        const struct dn_text_block digits =
            dn_text_block_tail(dn_text_block_join(shifted, whole, scale), n - (dot < 16));
        if (scale != 0 && dn_text_block_is_digits(digits)) {
            /*
             * With a point there are at most 15 digits: both operands are exact, so the quotient is the correctly rounded one (Clinger
             * 1990).  Without one there may be 16, which the conversion alone rounds.
             */
            const double magnitude =
                (double)(int64_t)dn_text_block_value(digits) / dn_text_pow10_exact[scale];
            uint64_t bits;
            memcpy(&bits, &magnitude, sizeof bits);
            bits |= (uint64_t)negative << 63;
            memcpy(out, &bits, sizeof bits);
            return true;
        }
    }
    return false;
}

static inline bool dn_parse_float64(const uint8_t *text, size_t len, double *out)
{
    return dn_parse_float64_short(text, len, out) || dn_parse_float64_general(text, len, out);
}

static inline bool dn_parse_float64_told(const uint8_t *text, size_t len, double *out,
                                         bool *rounded)
{
    if (len <= 17 && dn_parse_float64_short(text, len, out)) {
        /* 15 digits are always held; 16 are a whole number, of which those up to 2^53 are */
        *rounded = len > 15 && (*out > 9007199254740992.0 || *out < -9007199254740992.0);
        if (!*rounded) {
            return true;
        }
    }
    return dn_parse_float64_general_told(text, len, out, rounded);
}

static inline bool dn_parse_bool(const uint8_t *text, size_t len, bool *out)
{
    const uint64_t word_true = UINT64_C(0x6575727400000000);
    const uint64_t word_false = UINT64_C(0x65736c6166000000);
    if (len - 4 > 1) {
        return false;
    }
    /* Without a branch on the length: which of the two comes next cannot be predicted. */
    const uint64_t expected = word_true ^ ((word_true ^ word_false) & (0 - (uint64_t)(len & 1)));
    const uint64_t w = dn_text_load8(text) | UINT64_C(0x2020202020202020);
    if (w << (64 - 8 * len) != expected) {
        return false;
    }
    *out = len == 4;
    return true;
}

/**
 * By leap year and month: days of the month << 16 | days of the year before it, plus 1 to stay positive and minus 1 in leap years, whose
 * own leap day dn_text_days_from_civil() counts too early.  Months that do not exist have no days.
 */
#define DN_TEXT_MONTH(days, before) ((uint32_t)(days) << 16 | (before))
static const uint32_t dn_text_months[2][16] = {
    {0, DN_TEXT_MONTH(31, 1), DN_TEXT_MONTH(28, 32), DN_TEXT_MONTH(31, 60), DN_TEXT_MONTH(30, 91),
     DN_TEXT_MONTH(31, 121), DN_TEXT_MONTH(30, 152), DN_TEXT_MONTH(31, 182), DN_TEXT_MONTH(31, 213),
     DN_TEXT_MONTH(30, 244), DN_TEXT_MONTH(31, 274), DN_TEXT_MONTH(30, 305), DN_TEXT_MONTH(31, 335),
     0, 0, 0},
    {0, DN_TEXT_MONTH(31, 0), DN_TEXT_MONTH(29, 31), DN_TEXT_MONTH(31, 60), DN_TEXT_MONTH(30, 91),
     DN_TEXT_MONTH(31, 121), DN_TEXT_MONTH(30, 152), DN_TEXT_MONTH(31, 182), DN_TEXT_MONTH(31, 213),
     DN_TEXT_MONTH(30, 244), DN_TEXT_MONTH(31, 274), DN_TEXT_MONTH(30, 305), DN_TEXT_MONTH(31, 335),
     0, 0, 0},
};
#undef DN_TEXT_MONTH

/** Days since 1970-01-01 of a day in the year century * 100 + year (0..99 each), if there is one. */
static inline bool dn_text_days_from_civil(uint32_t century, uint32_t year, uint32_t month,
                                           uint32_t day, int32_t *out_days)
{
    const bool leap = ((year != 0 ? year : century) & 3) == 0;
    const uint32_t y = century * 100 + year;
    const uint32_t entry = dn_text_months[leap][month & 15];
    if (month > 12 || day - 1 >= entry >> 16 || y == 0) {
        return false;
    }
    const uint32_t days = 365 * y + y / 4 - century + century / 4 + (entry & 0xffff) + day;
    *out_days = (int32_t)days - 719529;
    return true;
}

/* In the words below, bytes of digits are `c ^ '0'` and separators 0; added to it, 0x7f raises the high bit unless 0. */

static inline bool dn_parse_date32(const uint8_t *text, size_t len, int32_t *out_days)
{
    if (len != 10) {
        return false;
    }
    const uint64_t a = dn_text_load8(text) ^ UINT64_C(0x2d30302d30303030);     /* YYYY-MM- */
    const uint64_t b = dn_text_load8(text + 2) ^ UINT64_C(0x30302d30302d3030); /* YY-MM-DD */
    const uint64_t bad_a = (a + UINT64_C(0x7f76767f76767676)) | a;
    const uint64_t bad_b = (b + UINT64_C(0x76767f76767f7676)) | b;
    if (((bad_a | bad_b) & DN_TEXT_HIGH_BITS) != 0) {
        return false;
    }
    const uint64_t pairs = a * 10 + (a >> 8);
    const uint64_t pairs_b = b * 10 + (b >> 8);
    return dn_text_days_from_civil((uint32_t)(pairs & 0xff), (uint32_t)(pairs >> 16 & 0xff),
                                   (uint32_t)(pairs >> 40 & 0xff), (uint32_t)(pairs_b >> 48 & 0xff),
                                   out_days);
}

/**
 * The fraction behind the point at text[-1]: digits within `len`, all behind the sixth 0.  Returns the digits read, 0 if there
 * is no such fraction.
 */
static inline size_t dn_text_fraction_us(const uint8_t *text, size_t len, uint32_t *out_us)
{
    const uint64_t x = dn_text_load8(text) ^ DN_TEXT_ZEROS;
    const uint64_t other = ((x + DN_TEXT_OVER_9) | x) & DN_TEXT_HIGH_BITS;
    size_t n = other != 0 ? (size_t)__builtin_ctzll(other) >> 3 : 8;
    if (n > len) {
        n = len;
    }
    if (n == 0) {
        return 0;
    }
    const uint32_t value = dn_text_value8(x & (~UINT64_C(0) >> (64 - 8 * n))); /* 10 ns units */
    const uint32_t us = value / 100;
    if (us * 100 != value) {
        return 0;
    }
    while (n >= 8 && n < len && text[n] == '0') {
        n++;
    }
    *out_us = us;
    return n;
}

/**
 * The part behind HH:MM, if a timestamp of `len` bytes has one: seconds and their fraction.  Returns where it ends (16, 19 or 21..29), 0
 * if it is malformed.
 */
static inline size_t dn_text_seconds_us(const uint8_t *text, size_t len, uint32_t *out_us)
{
    if (len < 19 || text[16] != ':') {
        *out_us = 0;
        return 16;
    }
    const uint32_t tens = (uint8_t)(text[17] ^ '0');
    const uint32_t ones = (uint8_t)(text[18] ^ '0');
    if (tens > 5 || ones > 9) {
        return 0;
    }
    const uint32_t us = (tens * 10 + ones) * (uint32_t)DN_MICROS_PER_SECOND;
    if (len == 26) { /* .ffffff, the commonest fraction: one word, no variable shift */
        const uint64_t x = dn_text_load8(text + 18) ^ UINT64_C(0x3030303030302e30);
        if ((((x + UINT64_C(0x7676767676767f76)) | x) & DN_TEXT_HIGH_BITS) == 0) {
            *out_us = us + dn_text_value8(x & ~UINT64_C(0xff));
            return 26;
        }
    }
    uint32_t fraction = 0;
    size_t n = 0;
    if (len > 19 && text[19] == '.') {
        n = dn_text_fraction_us(text + 20, len - 20, &fraction);
        if (n == 0) {
            return 0;
        }
        n++; /* the point */
    }
    *out_us = us + fraction;
    return 19 + n;
}

static inline bool dn_parse_timestamp_us(const uint8_t *text, size_t len, int64_t *out_us,
                                         bool *out_zoned)
{
    if (len < 16) {
        return false;
    }
    const uint64_t a = dn_text_load8(text) ^ UINT64_C(0x2d30302d30303030); /* YYYY-MM- */
    const uint64_t w = dn_text_load8(text + 8);                            /* DD HH:MM */
    const uint64_t b = (w & ~UINT64_C(0xff0000)) ^ UINT64_C(0x30303a3030003030);
    const uint64_t bad_a = (a + UINT64_C(0x7f76767f76767676)) | a;
    const uint64_t bad_b = (b + UINT64_C(0x76767f76767f7676)) | b;
    if (((bad_a | bad_b) & DN_TEXT_HIGH_BITS) != 0 || (text[10] != ' ' && text[10] != 'T')) {
        return false;
    }
    const uint64_t pairs = a * 10 + (a >> 8);
    const uint64_t pairs_b = b * 10 + (b >> 8);
    const uint32_t hour = (uint32_t)(pairs_b >> 24 & 0xff);
    const uint32_t minute = (uint32_t)(pairs_b >> 48 & 0xff);
    int32_t days = 0;
    if (hour >= 24 || minute >= 60 ||
        !dn_text_days_from_civil((uint32_t)(pairs & 0xff), (uint32_t)(pairs >> 16 & 0xff),
                                 (uint32_t)(pairs >> 40 & 0xff), (uint32_t)(pairs_b & 0xff),
                                 &days)) {
        return false;
    }

    uint32_t second_us = 0;
    const size_t at = dn_text_seconds_us(text, len, &second_us);
    if (at == 0) {
        return false;
    }
    int64_t zone_us = 0;
    if (at != len && !(len - at == 1 && text[at] == 'Z') &&
        !dn_parse_zone_us(text + at, len - at, &zone_us)) {
        return false;
    }
    const int64_t minutes = (int64_t)days * 1440 + hour * 60 + minute;
    *out_us = minutes * (60 * DN_MICROS_PER_SECOND) + second_us - zone_us;
    *out_zoned = at != len;
    return true;
}

#endif
