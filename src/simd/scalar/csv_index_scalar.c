/*
 * CSV structure without SIMD: eight bytes at a time in a 64-bit register.  What a word means is in csv_words.h.
 */
#include "simd/tiers.h"

#include <string.h>

#define EVERY_BYTE UINT64_C(0x0101010101010101)

struct csv_word {
    const uint8_t *bytes;
    uint64_t all; /* of the words before */
};

struct csv_needle {
    uint64_t splat;
};

static inline struct csv_word csv_load(const uint8_t *word)
{
    return (struct csv_word){word, 0};
}

static inline struct csv_needle csv_splat(uint8_t byte)
{
    return (struct csv_needle){byte * EVERY_BYTE};
}

static inline uint64_t load_le64(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

static inline uint64_t csv_eq(const struct csv_word *w, struct csv_needle needle)
{
    const uint64_t low7 = EVERY_BYTE * 0x7f;
    uint64_t mask = 0;

    for (size_t i = 0; i < 8; i++) {
        uint64_t x = load_le64(w->bytes + 8 * i) ^ needle.splat;
        /* bit 7 of each byte that is zero; no carry crosses a byte */
        uint64_t zero = ~(((x & low7) + low7) | x | low7);
        /* the multiplication moves bit 8k to bit 56 + k */
        mask |= (((zero >> 7) * UINT64_C(0x0102040810204080)) >> 56) << (8 * i);
    }
    return mask;
}

static inline void csv_gather(struct csv_word *all, const struct csv_word *w)
{
    for (size_t i = 0; i < DN_CSV_WORD; i += 8) {
        all->all |= load_le64(w->bytes + i);
    }
}

static inline bool csv_any_high(const struct csv_word *all)
{
    return (all->all & EVERY_BYTE * 0x80) != 0;
}

static inline uint64_t csv_prefix_xor(uint64_t m)
{
    for (unsigned shift = 1; shift < 64; shift *= 2) {
        m ^= m << shift;
    }
    return m;
}

static inline size_t csv_count(uint64_t m)
{
    size_t n = 0;

    for (; m != 0; m &= m - 1) { /* few bits are set; the builtin is a call without -mpopcnt */
        n++;
    }
    return n;
}

static inline uint32_t *csv_flatten(uint32_t *out, size_t pos, uint64_t m)
{
    for (; m != 0; m &= m - 1) {
        *out++ = (uint32_t)pos + (uint32_t)__builtin_ctzll(m);
    }
    return out;
}

#include "simd/csv_words.h"

size_t csv_index_scalar(const uint8_t *buf, size_t pos, size_t len, struct dn_csv_scan *scan,
                        uint32_t *out, size_t *n_out, size_t *n_row_ends)
{
    return csv_index_words(buf, pos, len, scan, out, n_out, n_row_ends);
}

size_t csv_sweep_scalar(const uint8_t *buf, size_t pos, size_t len, struct dn_csv_scan *scan)
{
    return csv_sweep_words(buf, pos, len, scan);
}
