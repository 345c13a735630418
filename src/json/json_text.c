#include "json/json_text.h"

#include "base/memory.h"

#include <string.h>

#define X5 5, 5, 5, 5, 5, 5, 5, 5
const uint8_t dn_json_escape_extra[256] = {X5, 1, 1,  1,  5,         1,         1,
                                           5,  5, X5, X5, ['"'] = 1, ['\\'] = 1};
#undef X5
_Static_assert('\b' == 8 && '\t' == 9 && '\n' == 10 && '\f' == 12 && '\r' == 13, "ASCII");

uint8_t *dn_json_put_escape(uint8_t *o, uint8_t c)
{
    static const char letters[0x20] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    static const char hex[] = "0123456789abcdef";

    *o++ = '\\';
    if (dn_json_escape_extra[c] == 1) {
        *o++ = c >= 0x20 ? c : (uint8_t)letters[c];
        return o;
    }
    memcpy(o, "u00", 3);
    o[3] = (uint8_t)hex[c >> 4];
    o[4] = (uint8_t)hex[c & 15];
    return o + 5;
}

size_t dn_json_text_len(const uint8_t *text, size_t len)
{
    size_t n = len;

    for (size_t i = 0; i < len; i++) {
        if (!dn_add_size(n, dn_json_escape_extra[text[i]], &n)) {
            return SIZE_MAX;
        }
    }
    return n;
}

uint8_t *dn_json_put_text(const struct dn_kernels *kernels, uint8_t *o, const uint8_t *text,
                          size_t len)
{
    for (;;) {
        const size_t n = kernels->json_plain_copy(o, text, len);
        o += n;
        if (n == len) {
            return o;
        }
        o = dn_json_put_escape(o, text[n]);
        text += n + 1;
        len -= n + 1;
    }
}
