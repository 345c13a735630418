#include "base/utf8.h"

#include <string.h>

size_t dn_utf8_next(const uint8_t *p, size_t len, bool *out_valid)
{
    uint8_t lead = p[0];
    uint8_t low = 0x80; /* permitted range of the second byte */
    uint8_t high = 0xBF;
    size_t need = 0;

    *out_valid = false;
    if (lead < 0x80) {
        *out_valid = true;
        return 1;
    }
    if (lead >= 0xC2 && lead <= 0xDF) {
        need = 2;
    } else if (lead >= 0xE0 && lead <= 0xEF) {
        need = 3;
        low = lead == 0xE0 ? 0xA0 : low;
        high = lead == 0xED ? 0x9F : high; /* no surrogates */
    } else if (lead >= 0xF0 && lead <= 0xF4) {
        need = 4;
        low = lead == 0xF0 ? 0x90 : low;
        high = lead == 0xF4 ? 0x8F : high; /* nothing above U+10FFFF */
    } else {
        return 1;
    }
    for (size_t i = 1; i < need; i++) {
        if (i >= len || p[i] < low || p[i] > high) {
            return i;
        }
        low = 0x80;
        high = 0xBF;
    }
    *out_valid = true;
    return need;
}

size_t dn_utf8_cut(const char *text, size_t len, size_t max)
{
    if (len <= max) {
        return len;
    }
    for (size_t back = 0; back < 4 && back <= max; back++) {
        size_t start = max - back;
        bool valid = false;

        if (((uint8_t)text[start] & 0xC0) != 0x80) {
            size_t n = dn_utf8_next((const uint8_t *)text + start, len - start, &valid);
            return valid && start + n > max ? start : max;
        }
    }
    return max; /* four continuation bytes in a row: not UTF-8, any cut will do */
}

bool dn_utf8_is_valid_n(const void *text, size_t len)
{
    bool valid = true;

    for (size_t i = 0; i < len && valid;) {
        i += dn_utf8_next((const uint8_t *)text + i, len - i, &valid);
    }
    return valid;
}

bool dn_utf8_is_valid(const char *text)
{
    return dn_utf8_is_valid_n(text, strlen(text));
}
