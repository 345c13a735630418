/* Special floats, time zones, and the relaxed forms. */
#include "text/text_internal.h"

static bool equal_nocase(const uint8_t *text, size_t len, const char *word)
{
    if (strlen(word) != len) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        const uint8_t c = text[i];
        const uint8_t lower = (uint8_t)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
        if (lower != (uint8_t)word[i]) {
            return false;
        }
    }
    return true;
}

bool dn_parse_float64_special(const uint8_t *text, size_t len, double *out)
{
    const bool negative = len != 0 && text[0] == '-';
    uint64_t bits;

    text += negative;
    len -= negative;
    if (equal_nocase(text, len, "nan")) {
        bits = UINT64_C(0x7ff8000000000000);
    } else if (equal_nocase(text, len, "inf") || equal_nocase(text, len, "infinity")) {
        bits = UINT64_C(0x7ff0000000000000);
    } else {
        return false;
    }
    bits |= (uint64_t)negative << 63;
    memcpy(out, &bits, sizeof bits);
    return true;
}

bool dn_parse_zone_us(const uint8_t *text, size_t len, int64_t *out_us)
{
    if (len > 0 && text[0] == ' ') { /* as databases print it: " UTC", " +00:00" */
        text++;
        len--;
        if (len == 3 && memcmp(text, "UTC", 3) == 0) {
            *out_us = 0;
            return true;
        }
    }
    const bool colon = len == 6 && text[3] == ':';
    uint64_t hours = 0;
    uint64_t minutes = 0;

    if (!(len == 3 || len == 5 || colon) || (text[0] != '+' && text[0] != '-')) {
        return false;
    }
    if (!dn_text_digits(text + 3, 2, &hours) || hours > 23 ||
        (len > 3 && (!dn_text_digits(text + len, 2, &minutes) || minutes > 59))) {
        return false;
    }
    const int64_t us = (int64_t)(hours * 3600 + minutes * 60) * DN_MICROS_PER_SECOND;
    *out_us = text[0] == '-' ? -us : us;
    return true;
}

static void trim(const uint8_t **text, size_t *len)
{
    const uint8_t *p = *text;
    size_t n = *len;
    while (n != 0 && (*p == ' ' || *p == '\t')) {
        p++;
        n--;
    }
    while (n != 0 && (p[n - 1] == ' ' || p[n - 1] == '\t')) {
        n--;
    }
    *text = p;
    *len = n;
}

/* Step over one sign. */
static bool take_sign(const uint8_t **text, size_t *len)
{
    const bool negative = *len != 0 && **text == '-';
    const bool positive = *len != 0 && **text == '+';
    *text += negative || positive;
    *len -= negative || positive;
    return negative;
}

bool dn_parse_int64_relaxed(const uint8_t *text, size_t len, int64_t *out)
{
    uint64_t magnitude = 0;

    trim(&text, &len);
    const bool negative = take_sign(&text, &len);
    while (len > 1 && *text == '0') {
        text++;
        len--;
    }
    if (len - 1 >= 19 || !dn_text_digits(text + len, len, &magnitude) ||
        magnitude > (uint64_t)INT64_MAX + negative) {
        return false;
    }
    *out = (int64_t)(negative ? 0 - magnitude : magnitude);
    return true;
}

bool dn_parse_float64_relaxed(const uint8_t *text, size_t len, double *out)
{
    return dn_parse_float64_relaxed_told(text, len, out, NULL);
}

bool dn_parse_float64_relaxed_told(const uint8_t *text, size_t len, double *out, bool *rounded)
{
    double value = 0;

    trim(&text, &len);
    const bool negative = take_sign(&text, &len);
    if (dn_text_read_float64(text, len, negative, true, out, rounded)) {
        return true;
    }
    if (len == 0 || *text == '-' || !dn_parse_float64_special(text, len, &value)) {
        return false;
    }
    *out = negative ? -value : value;
    if (rounded != NULL) {
        *rounded = false;
    }
    return true;
}

bool dn_parse_bool_relaxed(const uint8_t *text, size_t len, bool *out)
{
    static const char *const words[][2] = {
        {"false", "true"}, {"0", "1"}, {"no", "yes"}, {"off", "on"}, {"f", "t"}, {"n", "y"},
    };

    trim(&text, &len);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        for (size_t value = 0; value < 2; value++) {
            if (equal_nocase(text, len, words[i][value])) {
                *out = value != 0;
                return true;
            }
        }
    }
    return false;
}

bool dn_parse_date32_relaxed(const uint8_t *text, size_t len, int32_t *out_days, bool *out_zoned)
{
    int64_t us = 0;
    bool zoned = false;

    trim(&text, &len);
    if (dn_parse_date32(text, len, out_days)) {
        *out_zoned = false;
        return true;
    }
    /* Midnight as written and midnight in UTC: a zone other than UTC would make the day a matter of opinion. */
    if (!dn_parse_timestamp_us(text, len, &us, &zoned) || us % DN_MICROS_PER_DAY != 0 ||
        memcmp(text + 11, "00:00", 5) != 0) {
        return false;
    }
    *out_days = (int32_t)(us / DN_MICROS_PER_DAY);
    *out_zoned = zoned;
    return true;
}

bool dn_parse_timestamp_us_relaxed(const uint8_t *text, size_t len, int64_t *out_us,
                                   bool *out_zoned)
{
    int32_t days = 0;

    trim(&text, &len);
    if (dn_parse_date32(text, len, &days)) {
        *out_us = days * DN_MICROS_PER_DAY;
        *out_zoned = false;
        return true;
    }
    return dn_parse_timestamp_us(text, len, out_us, out_zoned);
}
