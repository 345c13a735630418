#include "store/s3/crc32c.h"

#include <string.h>

#if defined(__x86_64__)
#    include <nmmintrin.h>
#endif

#define POLYNOMIAL UINT32_C(0x82F63B78) /* bits reversed */

/* One table for four bits at a time: small enough to be made anew for every call. */
static void make_table(uint32_t table[16])
{
    for (uint32_t i = 0; i < 16; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 4; bit++) {
            crc = crc >> 1 ^ ((crc & 1) != 0 ? POLYNOMIAL : 0);
        }
        table[i] = crc;
    }
}

uint32_t dn_crc32c_portable(uint32_t crc, const void *data, size_t len)
{
    const uint8_t *bytes = data;
    uint32_t table[16];

    make_table(table);
    crc = ~crc;
    for (size_t i = 0; i < len; i++) {
        crc ^= bytes[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2,crc32"))) static uint32_t
by_instruction(uint32_t crc, const uint8_t *bytes, size_t len)
{
    uint64_t state = ~crc;

    for (; len >= 8; bytes += 8, len -= 8) {
        uint64_t word;
        memcpy(&word, bytes, sizeof(word));
        state = _mm_crc32_u64(state, word);
    }
    for (; len > 0; bytes++, len--) {
        state = _mm_crc32_u8((uint32_t)state, *bytes);
    }
    return ~(uint32_t)state;
}
#endif

uint32_t dn_crc32c(uint32_t crc, const void *data, size_t len)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) {
        return by_instruction(crc, data, len);
    }
#endif
    return dn_crc32c_portable(crc, data, len);
}
