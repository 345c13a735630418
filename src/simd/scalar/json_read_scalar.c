/* JSON text, one byte at a time: what is right. */
#include "simd/tiers.h"

const uint8_t *json_cut_scalar(const uint8_t *p, const uint8_t *from, int *closes)
{
    int64_t depth = 0;
    bool inside = false;

    for (; *p != '\0'; p++) {
        if (inside && *p == '\\' && p[1] != '\0') {
            p++;
        } else if (*p == '"') {
            inside = !inside;
        } else if (!inside && (*p == '{' || *p == '[')) {
            depth++;
        } else if (!inside && (*p == '}' || *p == ']')) {
            depth--;
            if (depth < 0 || (depth == 0 && p >= from)) {
                *closes = depth < 0 ? -1 : 0;
                return p;
            }
        }
    }
    *closes = 1;
    return p;
}

size_t json_plain_prefix_scalar(const uint8_t *buf, size_t len)
{
    size_t n = 0;

    while (n < len && buf[n] >= 0x20 && buf[n] < 0x80 && buf[n] != '"' && buf[n] != '\\') {
        n++;
    }
    return n;
}
