/**
 * Shared by the vector UTF-8 validators: finding the exact prefix once a block is known to hold an error.
 *
 * The vector test is that of Keiser and Lemire, "Validating UTF-8 In Less Than One Instruction Per Byte",
 * arXiv:2010.03090: three table look-ups (high nibble of the previous byte, its low nibble, high nibble of this byte)
 * whose results have a bit in common exactly for the two-byte patterns that are errors.
 */
#ifndef DN_SIMD_UTF8_BLOCKS_H
#define DN_SIMD_UTF8_BLOCKS_H

#include "simd/tiers.h"

/* Error classes of a pair (previous byte, this byte); the paper's table 8. */
enum {
    TOO_SHORT = 1 << 0,      /* a lead followed by no continuation */
    TOO_LONG = 1 << 1,       /* an ASCII byte followed by a continuation */
    OVERLONG_3 = 1 << 2,     /* E0 80..9F */
    TOO_LARGE = 1 << 3,      /* F4 90..BF, F5..FF */
    SURROGATE = 1 << 4,      /* ED A0..BF */
    OVERLONG_2 = 1 << 5,     /* C0, C1 */
    TOO_LARGE_1000 = 1 << 6, /* F5..FF 80..8F */
    OVERLONG_4 = 1 << 6,     /* F0 80..8F: shares the bit, the lead's low nibble tells them apart */
    TWO_CONTS = -(
        1
        << 7) /* bit 7 of a signed byte: two continuations; wrong unless a 3- or 4-byte lead is 2 or 3 bytes back */
};

#define UTF8_CARRY                                                                                 \
    (TOO_SHORT | TOO_LONG | TWO_CONTS) /* errors the lead's low nibble has no part in */

/* clang-format off */
#define UTF8_TABLE_PREV_HIGH                                                    \
    TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, /* 0_..7_ */ \
    TWO_CONTS, TWO_CONTS, TWO_CONTS, TWO_CONTS,                                 /* 8_..B_ */ \
    TOO_SHORT | OVERLONG_2,                                                     /* C_ */ \
    TOO_SHORT,                                                                  /* D_ */ \
    TOO_SHORT | OVERLONG_3 | SURROGATE,                                         /* E_ */ \
    TOO_SHORT | TOO_LARGE | TOO_LARGE_1000                                      /* F_ */

#define UTF8_TABLE_PREV_LOW                                                     \
    UTF8_CARRY | OVERLONG_3 | OVERLONG_2 | OVERLONG_4,                          /* _0 */ \
    UTF8_CARRY | OVERLONG_2,                                                    /* _1 */ \
    UTF8_CARRY, UTF8_CARRY,                                                     /* _2 _3 */ \
    UTF8_CARRY | TOO_LARGE,                                                     /* _4 */ \
    UTF8_CARRY | TOO_LARGE | TOO_LARGE_1000, UTF8_CARRY | TOO_LARGE | TOO_LARGE_1000, \
    UTF8_CARRY | TOO_LARGE | TOO_LARGE_1000, UTF8_CARRY | TOO_LARGE | TOO_LARGE_1000, \
    UTF8_CARRY | TOO_LARGE | TOO_LARGE_1000, UTF8_CARRY | TOO_LARGE | TOO_LARGE_1000, \
    UTF8_CARRY | TOO_LARGE | TOO_LARGE_1000, UTF8_CARRY | TOO_LARGE | TOO_LARGE_1000, \
    UTF8_CARRY | TOO_LARGE | TOO_LARGE_1000 | SURROGATE,                        /* _D */ \
    UTF8_CARRY | TOO_LARGE | TOO_LARGE_1000, UTF8_CARRY | TOO_LARGE | TOO_LARGE_1000

#define UTF8_TABLE_THIS_HIGH                                                    \
    TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, \
    TOO_LONG | OVERLONG_2 | TWO_CONTS | OVERLONG_3 | TOO_LARGE_1000 | OVERLONG_4, /* 8_ */ \
    TOO_LONG | OVERLONG_2 | TWO_CONTS | OVERLONG_3 | TOO_LARGE,                 /* 9_ */ \
    TOO_LONG | OVERLONG_2 | TWO_CONTS | SURROGATE | TOO_LARGE,                  /* A_ */ \
    TOO_LONG | OVERLONG_2 | TWO_CONTS | SURROGATE | TOO_LARGE,                  /* B_ */ \
    TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT
/* clang-format on */

/**
 * Exact length of the valid prefix when every block before `block` passed and this one did not (or is the tail).  Before
 * `block` nothing is wrong, but a sequence may have begun in its last three bytes; the scalar kernel restarts there.
 */
static inline size_t utf8_settle(const uint8_t *buf, size_t block, size_t len)
{
    size_t start = block;

    for (size_t back = 1; back <= 3 && back <= block; back++) {
        if (buf[block - back] >= 0xC0) {
            start = block - back;
            break;
        }
    }
    return start + utf8_valid_prefix_scalar(buf + start, len - start);
}

#endif
