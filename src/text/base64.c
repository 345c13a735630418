#include "text/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t dn_base64_encode(uint8_t *out, const uint8_t *bytes, size_t n)
{
    const uint8_t *start = out;

    for (; n > 0; bytes += 3, out += 4) {
        const uint32_t second = n > 1 ? bytes[1] : 0;
        const uint32_t third = n > 2 ? bytes[2] : 0;
        const uint32_t word = (uint32_t)bytes[0] << 16 | second << 8 | third;
        out[0] = (uint8_t)alphabet[word >> 18];
        out[1] = (uint8_t)alphabet[word >> 12 & 63];
        out[2] = n > 1 ? (uint8_t)alphabet[word >> 6 & 63] : '=';
        out[3] = n > 2 ? (uint8_t)alphabet[word & 63] : '=';
        n -= n > 3 ? 3 : n;
    }
    return (size_t)(out - start);
}

/* The six bits of a character, 64 if it has none. */
static uint32_t bits_of(uint8_t c)
{
    return c >= 'A' && c <= 'Z'   ? c - (uint32_t)'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26U
           : c >= '0' && c <= '9' ? c - '0' + 52U
           : c == '+'             ? 62
           : c == '/'             ? 63
                                  : 64;
}

bool dn_base64_decode(uint8_t *out, const uint8_t *text, size_t len, size_t *out_len)
{
    const uint8_t *start = out;

    if (len % 4 != 0) {
        return false;
    }
    for (size_t i = 0; i < len; i += 4) {
        const bool last = i + 4 == len;
        const size_t n_pad = last && text[i + 3] == '=' ? 1 + (text[i + 2] == '=') : 0;
        const uint32_t a = bits_of(text[i]);
        const uint32_t b = bits_of(text[i + 1]);
        const uint32_t c = n_pad > 1 ? 0 : bits_of(text[i + 2]);
        const uint32_t d = n_pad > 0 ? 0 : bits_of(text[i + 3]);
        const uint32_t word = a << 18 | b << 12 | c << 6 | d;
        if (((a | b | c | d) & 64) != 0 ||
            (n_pad > 0 && (word & (n_pad > 1 ? 0xffff : 0xff)) != 0)) {
            return false;
        }
        *out++ = (uint8_t)(word >> 16);
        if (n_pad < 2) {
            *out++ = (uint8_t)(word >> 8);
        }
        if (n_pad < 1) {
            *out++ = (uint8_t)word;
        }
    }
    *out_len = (size_t)(out - start);
    return true;
}

static uint32_t hex_of(uint8_t c)
{
    const uint8_t low = c | 0x20;

    return c >= '0' && c <= '9'       ? c - (uint32_t)'0'
           : low >= 'a' && low <= 'f' ? low - 'a' + 10U
                                      : 16;
}

bool dn_hex_decode(uint8_t *out, const uint8_t *text, size_t len, size_t *out_len)
{
    const bool prefix = len >= 2 && (text[0] == '0' || text[0] == '\\') && text[1] == 'x';
    const size_t from = prefix ? 2 : 0;

    if (len % 2 != 0) {
        return false;
    }
    for (size_t i = from; i < len; i += 2) {
        const uint32_t high = hex_of(text[i]);
        const uint32_t low = hex_of(text[i + 1]);
        if (((high | low) & 16) != 0) {
            return false;
        }
        out[(i - from) / 2] = (uint8_t)(high << 4 | low);
    }
    *out_len = (len - from) / 2;
    return true;
}
