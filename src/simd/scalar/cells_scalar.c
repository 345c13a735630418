/* Values of short texts, one at a time: what the vector tiers must agree with. */
#include "simd/tiers.h"

#include <string.h>

const double dn_cells_powers[16] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

/* The last 16 bytes of a text. */
struct cell {
    uint8_t text[16]; /* right-aligned */
    size_t len;
};

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "cells are words of bytes");

static struct cell load_cell(const struct dn_cells *cells, size_t i)
{
    static const uint64_t nothing = 0;
    struct cell c = {.len = (size_t)cells->len[i]};

    memcpy(c.text, cells->n_words > 1 ? &cells->head[i] : &nothing, 8);
    memcpy(c.text + 8, &cells->tail[i], 8);
    return c;
}

/* The number in text[from, 16), which must be digits alone; one digit at least, and no leading zeros. */
static bool read_digits(const uint8_t *text, size_t from, uint64_t *out)
{
    uint64_t value = 0;

    if (from >= 16 || (from < 15 && text[from] == '0')) {
        return false;
    }
    for (size_t i = from; i < 16; i++) {
        const unsigned digit = text[i] - (unsigned)'0';
        if (digit > 9) {
            return false;
        }
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

uint64_t cells_int64_scalar(const struct dn_cells *cells, size_t n, int64_t *out)
{
    uint64_t known = 0;

    for (size_t i = 0; i < n; i++) {
        const struct cell c = load_cell(cells, i);
        uint64_t magnitude = 0;
        if (c.len - 1 >= 16) {
            continue;
        }
        const bool negative = c.text[16 - c.len] == '-';
        if (read_digits(c.text, 16 - c.len + negative, &magnitude) &&
            !(negative && magnitude == 0)) {
            out[i] = negative ? -(int64_t)magnitude : (int64_t)magnitude;
            known |= UINT64_C(1) << i;
        }
    }
    return known;
}

uint64_t cells_float64_scalar(const struct dn_cells *cells, size_t n, double *out)
{
    uint64_t known = 0;

    for (size_t i = 0; i < n; i++) {
        struct cell c = load_cell(cells, i);
        uint64_t mantissa = 0;
        size_t dot = 16;
        if (c.len - 1 >= 16) {
            continue;
        }
        const size_t negative = c.text[16 - c.len] == '-';
        size_t from = 16 - c.len + negative;
        for (size_t k = 16; k-- > from;) {
            dot = c.text[k] == '.' ? k : dot;
        }
        if (dot < 16) {
            /* Leading zeros count before the point only: 0.05 is 5 over 100, 00.05 is not the usual writing. */
            const size_t n_whole = dot - from;
            if (dot == 15 || n_whole == 0 || (c.text[from] == '0' && n_whole > 1)) {
                continue;
            }
            memmove(c.text + from + 1, c.text + from, n_whole);
            from++;
            while (from < 15 && c.text[from] == '0') {
                from++;
            }
        } else if (c.len == 16) {
            continue;
        }
        if (!read_digits(c.text, from, &mantissa)) {
            continue;
        }
        out[i] = (double)(int64_t)mantissa / dn_cells_powers[dot < 16 ? 15 - dot : 0];
        out[i] = negative ? -out[i] : out[i];
        known |= UINT64_C(1) << i;
    }
    return known;
}

/* Two digits, or a number over 99. */
static unsigned read_pair(const uint8_t *text)
{
    const unsigned ten = text[0] - (unsigned)'0';
    const unsigned one = text[1] - (unsigned)'0';
    return ten <= 9 && one <= 9 ? ten * 10 + one : 100;
}

/* Days since 1970-01-01 of YYYY-MM-DD. */
static bool read_date(const uint8_t *text, int32_t *out)
{
    static const uint16_t days_before[13] = {0,   0,   31,  59,  90,  120, 151,
                                             181, 212, 243, 273, 304, 334};
    static const uint8_t days_of[13] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const unsigned century = read_pair(text);
    const unsigned of_century = read_pair(text + 2);
    const unsigned month = read_pair(text + 5);
    const unsigned day = read_pair(text + 8);
    const unsigned year = century * 100 + of_century;

    if (text[4] != '-' || text[7] != '-' || century > 99 || of_century > 99 || year == 0 ||
        month - 1 > 11 || day > 99) {
        return false;
    }
    const unsigned leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (day - 1 >= days_of[month] + (month == 2 ? leap : 0)) {
        return false;
    }
    const unsigned past = year - 1;
    const unsigned days = 365 * past + past / 4 - past / 100 + past / 400 + days_before[month] +
                          (month > 2 ? leap : 0) + day;
    *out = (int32_t)days - 719163; /* 0001-01-01 is day 1 */
    return true;
}

uint64_t cells_date32_scalar(const struct dn_cells *cells, size_t n, int32_t *out)
{
    uint64_t known = 0;

    for (size_t i = 0; i < n; i++) {
        const struct cell c = load_cell(cells, i);
        if (c.len == 10 && read_date(c.text + 6, &out[i])) {
            known |= UINT64_C(1) << i;
        }
    }
    return known;
}

uint64_t cells_timestamp_scalar(const struct dn_cells *cells, size_t n, int64_t *out)
{
    uint64_t known = 0;

    for (size_t i = 0; i < n; i++) {
        uint8_t words[24];
        const uint8_t *text = words + 24 - 19;
        int32_t days = 0;
        memcpy(words, &cells->front[i], 8);
        memcpy(words + 8, &cells->head[i], 8);
        memcpy(words + 16, &cells->tail[i], 8);
        const unsigned hour = read_pair(text + 11);
        const unsigned minute = read_pair(text + 14);
        const unsigned second = read_pair(text + 17);
        if (cells->len[i] == 19 && read_date(text, &days) && (text[10] == ' ' || text[10] == 'T') &&
            text[13] == ':' && text[16] == ':' && hour < 24 && minute < 60 && second < 60) {
            const int64_t minutes = (days * INT64_C(24) + hour) * 60 + minute;
            out[i] = (minutes * 60 + second) * 1000000;
            known |= UINT64_C(1) << i;
        }
    }
    return known;
}
