#include "csv/columns.h"

bool dn_csv_quoted_simple(const struct dn_csv_dialect *d, const uint8_t *field, size_t len,
                          size_t *out_len)
{
    if (len < 2 || field[len - 1] != d->quote || memchr(field + 1, d->quote, len - 2) != NULL) {
        return false;
    }
    *out_len = len - 2;
    return true;
}

size_t dn_csv_unquote(const struct dn_csv_dialect *d, const uint8_t *field, size_t len,
                      uint8_t *out)
{
    size_t n = 0;
    size_t i = 1;

    while (i < len) {
        const uint8_t *quote = memchr(field + i, d->quote, len - i);
        const size_t stop = quote == NULL ? len : (size_t)(quote - field);
        memcpy(out + n, field + i, stop - i);
        n += stop - i;
        i = stop + 1;
        if (stop >= len) {
            break;
        }
        if (i < len && field[i] == d->quote) {
            out[n++] = d->quote;
            i++;
            continue;
        }
        memcpy(out + n, field + i, len - i); /* text behind the closing quote is literal */
        n += len - i;
        break;
    }
    return n;
}
