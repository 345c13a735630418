/* UTF-8 validation, one sequence at a time; the table is RFC 3629, section 4. */
#include "simd/tiers.h"

#include <string.h>

/* Bytes of the sequence at `p`, of which `left` >= 1 can be read; 0 if it is invalid or truncated. */
static size_t sequence_length(const uint8_t *p, size_t left)
{
    uint8_t lead = p[0];
    uint8_t second_min = 0x80;
    uint8_t second_max = 0xBF;
    size_t n;

    if (lead < 0x80) {
        return 1;
    }
    if (lead >= 0xC2 && lead <= 0xDF) {
        n = 2;
    } else if (lead >= 0xE0 && lead <= 0xEF) {
        n = 3;
        if (lead == 0xE0) {
            second_min = 0xA0; /* below: overlong */
        } else if (lead == 0xED) {
            second_max = 0x9F; /* above: surrogates */
        }
    } else if (lead >= 0xF0 && lead <= 0xF4) {
        n = 4;
        if (lead == 0xF0) {
            second_min = 0x90; /* below: overlong */
        } else if (lead == 0xF4) {
            second_max = 0x8F; /* above: past U+10FFFF */
        }
    } else {
        return 0; /* a continuation, an overlong two-byte lead, or never legal */
    }
    if (left < n || p[1] < second_min || p[1] > second_max) {
        return 0;
    }
    for (size_t i = 2; i < n; i++) {
        if ((p[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return n;
}

size_t utf8_valid_prefix_scalar(const uint8_t *buf, size_t len)
{
    size_t pos = 0;

    while (pos < len) {
        size_t n;

        if (len - pos >= 8) {
            uint64_t eight;

            memcpy(&eight, buf + pos, sizeof(eight));
            if ((eight & UINT64_C(0x8080808080808080)) == 0) {
                pos += 8;
                continue;
            }
        }
        n = sequence_length(buf + pos, len - pos);
        if (n == 0) {
            break;
        }
        pos += n;
    }
    return pos;
}
