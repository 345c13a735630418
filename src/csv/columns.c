#include "csv/columns.h"

bool dn_csv_quoted_simple(const struct dn_csv_dialect *d, const uint8_t *field, size_t len,
                          size_t *out_len)
{
    if (len < 2 || field[len - 1] != d->quote || memchr(field + 1, d->quote, len - 2) != NULL ||
        dn_csv_has_escape(d, field, len)) {
        return false;
    }
    *out_len = len - 2;
    return true;
}

/* Text outside quotes: only escapes are no part of it. */
static size_t copy_plain(const struct dn_csv_dialect *d, const uint8_t *text, size_t len,
                         uint8_t *out)
{
    size_t n = 0;
    size_t i = 0;

    while (i < len) {
        const uint8_t *escape = d->has_escape ? memchr(text + i, d->escape, len - i) : NULL;
        const size_t stop = escape == NULL ? len : (size_t)(escape - text);
        memcpy(out + n, text + i, stop - i);
        n += stop - i;
        i = stop;
        if (i < len) {
            i += i + 1 < len; /* an escape at the very end is text */
            out[n++] = text[i++];
        }
    }
    return n;
}

/* The first quote or escape in text[i, len), or `len`. */
static size_t next_special(const struct dn_csv_dialect *d, const uint8_t *text, size_t i,
                           size_t len)
{
    if (!d->has_escape) {
        const uint8_t *quote = memchr(text + i, d->quote, len - i);
        return quote == NULL ? len : (size_t)(quote - text);
    }
    while (i < len && text[i] != d->quote && text[i] != d->escape) {
        i++;
    }
    return i;
}

size_t dn_csv_text_of(const struct dn_csv_dialect *d, const uint8_t *field, size_t len,
                      uint8_t *out)
{
    size_t n = 0;
    size_t i = 1;

    if (!d->has_quote || field[0] != d->quote) {
        return copy_plain(d, field, len, out);
    }
    while (i < len) {
        const size_t stop = next_special(d, field, i, len);
        memcpy(out + n, field + i, stop - i);
        n += stop - i;
        i = stop + 1;
        if (stop >= len) {
            break;
        }
        if (field[stop] != d->quote ? i < len : i < len && field[i] == d->quote) {
            out[n++] = field[i++];
            continue;
        }
        n += copy_plain(d, field + i, len - i,
                        out + n); /* text behind the closing quote is literal */
        break;
    }
    return n;
}
