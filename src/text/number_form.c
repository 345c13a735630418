#include "text/number_form.h"

#include <string.h>

static bool is_digit(uint8_t c)
{
    return (uint8_t)(c - '0') <= 9;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static size_t digits_at(const uint8_t *text, size_t len)
{
    size_t n = 0;

    while (n < len && is_digit(text[n])) {
        n++;
    }
    return n;
}

/* The digits before the point, without separators: *used bytes of the text become so many. */
static size_t put_whole(const struct dn_number_form *f, const uint8_t *text, size_t len,
                        uint8_t *out, size_t *used)
{
    const size_t k = f->n_thousands;
    size_t n = digits_at(text, len);

    memcpy(out, text, n);
    *used = n;
    if (k == 0 || n == 0 || n > 3 || text[0] == '0') {
        return n;
    }
    while (len - *used >= k + 3 && memcmp(text + *used, f->thousands, k) == 0 &&
           digits_at(text + *used + k, len - *used - k) == 3) {
        memcpy(out + n, text + *used + k, 3);
        n += 3;
        *used += k + 3;
    }
    return n;
}

size_t dn_number_rewrite(const struct dn_number_form *f, const uint8_t *text, size_t len,
                         uint8_t *out)
{
    size_t at = 0;
    size_t n = 0;
    size_t used = 0;

    while (at < len && is_blank(text[at])) {
        out[n++] = text[at++];
    }
    if (at < len && (text[at] == '-' || text[at] == '+')) {
        out[n++] = text[at++];
    }
    n += put_whole(f, text + at, len - at, out + n, &used);
    at += used;
    if (at < len && text[at] == f->decimal) {
        out[n++] = '.';
        at++;
        const size_t fraction = digits_at(text + at, len - at);
        memcpy(out + n, text + at, fraction);
        n += fraction;
        at += fraction;
    }
    for (; at < len; at++) { /* an exponent, and blanks */
        const uint8_t c = text[at];
        if (!is_digit(c) && !is_blank(c) && (c | 0x20) != 'e' && c != '-' && c != '+') {
            return 0;
        }
        out[n++] = c;
    }
    return n;
}
