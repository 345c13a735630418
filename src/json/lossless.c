#include "json/lossless.h"

#include "text/format.h"
#include "text/parse.h"

#include <string.h>

enum {
    SAFE_DIGITS =
        15, /* decimals of so many digits differ as doubles if they differ at all (DBL_DIG) */
    MAX_NUMBER_LEN =
        32, /* longer texts are no canonical doubles: 17 digits, sign, point, leading zeros */
};

static bool is_digit(uint8_t c)
{
    return (uint8_t)(c - '0') <= 9;
}

/* A decimal with a point but no exponent; `text` starts after the sign, at an integer part without needless zeros. */
static bool is_canonical_decimal(const uint8_t *text, size_t len, size_t n_int)
{
    const size_t n_frac = len - n_int - 1;
    const uint8_t *frac = text + n_int + 1;
    size_t zeros = 0; /* leading zeros of the fraction */

    if (n_frac == 0) {
        return false;
    }
    for (size_t i = 0; i < n_frac; i++) {
        if (!is_digit(frac[i])) {
            return false;
        }
    }
    if (frac[n_frac - 1] == '0' && n_frac > 1) {
        return false; /* 1.10 prints as 1.1; "1.0" keeps its zero */
    }
    while (zeros < n_frac && frac[zeros] == '0') {
        zeros++;
    }
    if (text[0] == '0' && zeros >= 4 && zeros < n_frac) {
        return false; /* below 0.0001 printers change to an exponent */
    }
    return true;
}

static bool is_number_slow(const uint8_t *text, size_t len)
{
    uint8_t padded[DN_TEXT_PADDING + MAX_NUMBER_LEN + DN_TEXT_PADDING] = {0};
    char printed[DN_FORMAT_MAX];
    double value = 0;
    memcpy(padded + DN_TEXT_PADDING, text, len);
    if (!dn_parse_float64(padded + DN_TEXT_PADDING, len, &value)) {
        return false;
    }
    return dn_format_float64(printed, value) == len && memcmp(printed, text, len) == 0;
}

bool dn_json_is_lossless_number(const uint8_t *text, size_t len)
{
    size_t sign = len > 0 && text[0] == '-' ? 1 : 0;
    size_t n_int = 0;

    if (len == sign || len > MAX_NUMBER_LEN) {
        return false;
    }
    while (sign + n_int < len && is_digit(text[sign + n_int])) {
        n_int++;
    }
    if (n_int == 0 || (text[sign] == '0' && n_int > 1)) {
        return false;
    }
    if (sign + n_int == len) { /* an integer, canonical but for -0 */
        if (n_int <= 18) {
            return sign == 0 || text[1] != '0';
        }
        uint8_t padded[DN_TEXT_PADDING + MAX_NUMBER_LEN + DN_TEXT_PADDING] = {0};
        int64_t value = 0;
        memcpy(padded + DN_TEXT_PADDING, text, len);
        return dn_parse_int64(padded + DN_TEXT_PADDING, len, &value);
    }
    if (text[sign + n_int] != '.' || !is_canonical_decimal(text + sign, len - sign, n_int)) {
        return false;
    }
    return len - sign - 1 <= SAFE_DIGITS || is_number_slow(text, len);
}
