/** Powers of five to 128 bits, for reading and writing floats.  Internal to src/text. */
#ifndef DN_TEXT_POW5_H
#define DN_TEXT_POW5_H

#include <stdint.h>

#define DN_POW5_MIN (-342)
#define DN_POW5_MAX 324
/** Range in which the table is exact. */
#define DN_POW5_EXACT_MAX 55
/** Negative exponents from here on are rounded up; smaller ones, and large positive ones, down. */
#define DN_POW5_ROUNDED_UP_MIN (-27)

__extension__ typedef unsigned __int128 dn_uint128;

struct dn_pow5 {
    uint64_t high; /**< its top bit is set */
    uint64_t low;
};

/** 5^q scaled to 2^127 .. 2^128, at index q - DN_POW5_MIN. */
extern const struct dn_pow5 dn_pow5_table[DN_POW5_MAX - DN_POW5_MIN + 1];

/** floor(log2(10^q)) for |q| <= 1233; the shift of a negative number is arithmetic with every supported compiler. */
static inline int32_t dn_log2_pow10(int32_t q)
{
    return (q * 1741647) >> 19;
}

#endif
