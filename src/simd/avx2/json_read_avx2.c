/* JSON text with AVX2: 64 bytes at a time to bit masks, of strings by the parity of quotes that no backslash escapes. */
#include "simd/tiers.h"

#if defined(__x86_64__)
#    include <immintrin.h>

#    define WORD 64
#    define EVEN_BITS UINT64_C(0x5555555555555555)
/* Words reach over the ends of the text, within its pages: nothing that comes from there counts. */
#    define READS_WORDS __attribute__((no_sanitize("address"), no_sanitize("thread")))

struct masks {
    uint64_t quotes;
    uint64_t backslashes;
    uint64_t opens;
    uint64_t closes;
    uint64_t nuls;
};

static inline uint64_t equal(__m256i low, __m256i high, char byte)
{
    const __m256i wanted = _mm256_set1_epi8(byte);
    const uint32_t l = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, wanted));
    const uint32_t h = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, wanted));

    return l | (uint64_t)h << 32;
}

static inline struct masks look(__m256i low, __m256i high)
{
    const __m256i case_bit = _mm256_set1_epi8(0x20); /* [ and {, ] and } differ in it alone */
    const __m256i folded_low = _mm256_or_si256(low, case_bit);
    const __m256i folded_high = _mm256_or_si256(high, case_bit);

    return (struct masks){.quotes = equal(low, high, '"'),
                          .backslashes = equal(low, high, '\\'),
                          .opens = equal(folded_low, folded_high, '{'),
                          .closes = equal(folded_low, folded_high, '}'),
                          .nuls = equal(low, high, '\0')};
}

/* Bytes behind an odd run of backslashes; *carry: the first byte of the next word is one. */
static inline uint64_t escaped_bytes(uint64_t backslashes, uint64_t *carry)
{
    unsigned long long sum = 0;

    if (backslashes == 0) {
        const uint64_t first = *carry;
        *carry = 0;
        return first;
    }
    backslashes &= ~*carry;
    const uint64_t behind = backslashes << 1 | *carry;
    const uint64_t odd_starts = backslashes & ~EVEN_BITS & ~behind;
    *carry = (uint64_t)__builtin_uaddll_overflow(odd_starts, backslashes, &sum);
    return (EVEN_BITS ^ (uint64_t)sum << 1) & behind;
}

/* Each bit the parity of itself and of those below. */
static inline uint64_t parity(uint64_t bits)
{
    for (unsigned shift = 1; shift < WORD; shift *= 2) {
        bits ^= bits << shift;
    }
    return bits;
}

READS_WORDS const uint8_t *json_cut_avx2(const uint8_t *p, const uint8_t *from, int *closes)
{
    const unsigned offset = (unsigned)((uintptr_t)p % WORD);
    const uint8_t *word = p - offset;
    uint64_t counted = ~UINT64_C(0) << offset;
    uint64_t inside = 0;
    uint64_t carry = 0;
    int64_t depth = 0;

    for (;; word += WORD, counted = ~UINT64_C(0)) {
        const __m256i *halves = (const __m256i *)(const void *)word;
        struct masks m = look(halves[0], halves[1]);
        m.quotes &= counted & ~escaped_bytes(m.backslashes & counted, &carry);
        m.nuls &= counted;
        const uint64_t in_strings = parity(m.quotes) ^ inside;
        inside = (uint64_t)((int64_t)in_strings >> 63);
        m.opens &= counted & ~in_strings;
        m.closes &= counted & ~in_strings;
        const int64_t n_closes = __builtin_popcountll(m.closes);
        if (m.nuls == 0 && (depth > n_closes ||
                            (depth == n_closes && (uintptr_t)word + WORD <= (uintptr_t)from))) {
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

size_t json_plain_prefix_avx2(const uint8_t *buf, size_t len)
{
    const __m256i quote = _mm256_set1_epi8('"');
    const __m256i backslash = _mm256_set1_epi8('\\');
    const __m256i space = _mm256_set1_epi8(0x20);

    for (size_t n = 0; n < len; n += 32) {
        const __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(buf + n));
        const __m256i marks =
            _mm256_or_si256(_mm256_cmpeq_epi8(v, quote), _mm256_cmpeq_epi8(v, backslash));
        /* signed: bytes from 0x80 on are below the space, too */
        const uint32_t stops =
            (uint32_t)_mm256_movemask_epi8(_mm256_or_si256(marks, _mm256_cmpgt_epi8(space, v)));
        if (stops != 0) {
            const size_t at = n + (size_t)__builtin_ctz(stops);
            return at < len ? at : len;
        }
    }
    return len;
}
#endif
