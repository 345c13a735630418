/**
 * json_cut of the vector tiers, written once: 64 bytes at a time to bit masks, of strings by the parity of quotes that no backslash
 * escapes.  A tier file defines json_look().
 */
#ifndef DN_SIMD_JSON_WORDS_H
#define DN_SIMD_JSON_WORDS_H

#include "simd/tiers.h"

#define JSON_WORD 64
/* Words reach over the ends of the text, within its pages: nothing that comes from there counts. */
#define JSON_READS_WORDS __attribute__((no_sanitize("address"), no_sanitize("thread")))

/** Bit i: byte i of a word. */
struct json_masks {
    uint64_t quotes;
    uint64_t backslashes;
    uint64_t opens;
    uint64_t closes;
    uint64_t nuls;
};

/** Of the 64 bytes at `word`, which is aligned to as many. */
static inline struct json_masks json_look(const uint8_t *word);

#define JSON_EVEN_BITS UINT64_C(0x5555555555555555)

/* Bytes behind an odd run of backslashes; *carry: the first byte of the next word is one. */
static inline uint64_t json_escaped_bytes(uint64_t backslashes, uint64_t *carry)
{
    unsigned long long sum = 0;

    if (backslashes == 0) {
        const uint64_t first = *carry;
        *carry = 0;
        return first;
    }
    backslashes &= ~*carry;
    const uint64_t behind = backslashes << 1 | *carry;
    const uint64_t odd_starts = backslashes & ~JSON_EVEN_BITS & ~behind;
    *carry = (uint64_t)__builtin_uaddll_overflow(odd_starts, backslashes, &sum);
    return (JSON_EVEN_BITS ^ (uint64_t)sum << 1) & behind;
}

/* Each bit the parity of itself and of those below. */
static inline uint64_t json_parity(uint64_t bits)
{
    for (unsigned shift = 1; shift < JSON_WORD; shift *= 2) {
        bits ^= bits << shift;
    }
    return bits;
}

/** The body of json_cut_<tier>. */
JSON_READS_WORDS static inline __attribute__((always_inline)) const uint8_t *
json_cut_words(const uint8_t *p, const uint8_t *from, int *closes)
{
    const unsigned offset = (unsigned)((uintptr_t)p % JSON_WORD);
    const uint8_t *word = p - offset;
    uint64_t counted = ~UINT64_C(0) << offset;
    uint64_t inside = 0;
    uint64_t carry = 0;
    int64_t depth = 0;

    for (;; word += JSON_WORD, counted = ~UINT64_C(0)) {
        struct json_masks m = json_look(word);
        m.quotes &= counted & ~json_escaped_bytes(m.backslashes & counted, &carry);
        m.nuls &= counted;
        const uint64_t in_strings = json_parity(m.quotes) ^ inside;
        inside = (uint64_t)((int64_t)in_strings >> 63);
        m.opens &= counted & ~in_strings;
        m.closes &= counted & ~in_strings;
        const int64_t n_closes = __builtin_popcountll(m.closes);
        if (m.nuls == 0 && (depth > n_closes || (depth == n_closes &&
                                                 (uintptr_t)word + JSON_WORD <= (uintptr_t)from))) {
            depth += __builtin_popcountll(m.opens) - n_closes;
            continue;
        }
        for (uint64_t left = m.opens | m.closes | m.nuls; left != 0; left &= left - 1) {
            const uint64_t bit = left & (0 - left);
            const uint8_t *at = word + __builtin_ctzll(left);
            depth += (m.opens & bit) != 0 ? 1 : -1;
            if ((m.nuls & bit) != 0) {
                *closes = 1;
                return at;
            }
            if ((m.closes & bit) != 0 && (depth < 0 || (depth == 0 && at >= from))) {
                *closes = depth < 0 ? -1 : 0;
                return at;
            }
        }
    }
}

#endif
