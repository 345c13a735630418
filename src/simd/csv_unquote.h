/**
 * The body of csv_unquote, written once and compiled into every tier that has one.
 *
 * A tier file defines before including this header, where UNQUOTE_BYTES are what it looks at in a step:
 *   static inline size_t unquote_step(const uint8_t *from, uint8_t *to, uint8_t quote)
 *       copies UNQUOTE_BYTES; how many of them stand in front of the first quote, UNQUOTE_BYTES if there is none
 */
#ifndef DN_SIMD_CSV_UNQUOTE_H
#define DN_SIMD_CSV_UNQUOTE_H

#include "simd/tiers.h"

#include <string.h>

static inline __attribute__((always_inline)) size_t
csv_unquote_steps(const uint8_t *field, size_t len, uint8_t quote, uint8_t *out)
{
    size_t i = 1;
    size_t n = 0;

    while (i < len) {
        const size_t step = unquote_step(field + i, out + n, quote);
        i += step;
        n += step;
        if (step == UNQUOTE_BYTES || i >= len) {
            continue;
        }
        i++;
        if (i >= len || field[i] != quote) { /* the closing one */
            memcpy(out + n, field + i, len - i);
            return n + (len - i);
        }
        out[n++] = field[i++];
    }
    return n - (i - len);
}

#endif
