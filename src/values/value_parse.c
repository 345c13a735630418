#include "values/value_parse.h"

#include "base/strings.h"
#include "text/base64.h"
#include "text/parse.h"
#include "text/parse_wide.h"
#include "values/value_text.h"

#define MS_PER_DAY INT64_C(86400000)

static const int unit_digits[] = {
    [DN_UNIT_S] = 0, [DN_UNIT_MS] = 3, [DN_UNIT_US] = 6, [DN_UNIT_NS] = 9};

bool dn_value_is_parsed(struct dn_type type)
{
    if (dn_type_is_integer(type)) {
        return true;
    }
    switch (type.id) {
    case DN_TYPE_BOOL:
    case DN_TYPE_FLOAT64:
    case DN_TYPE_DECIMAL128:
    case DN_TYPE_DECIMAL256:
    case DN_TYPE_DATE32:
    case DN_TYPE_DATE64:
    case DN_TYPE_TIME:
    case DN_TYPE_TIMESTAMP:
    case DN_TYPE_DURATION:
    case DN_TYPE_INTERVAL_MONTHS:
    case DN_TYPE_INTERVAL_DAY_TIME:
    case DN_TYPE_INTERVAL_MONTH_DAY_NANO:
        return true;
    default:
        return type.extension == DN_EXTENSION_UUID;
    }
}

/* The low bytes of a number come first. */
static bool put_int(int64_t value, int64_t least, int64_t most, size_t width, void *out)
{
    if (value < least || value > most) {
        return false;
    }
    memcpy(out, &value, width);
    return true;
}

static bool parse_integer(struct dn_type type, const uint8_t *text, size_t len, void *out)
{
    const size_t width = dn_type_width(type);
    const int64_t half = (int64_t)((UINT64_C(1) << (8 * width - 1)) - 1);
    uint64_t magnitude = 0;
    int64_t value = 0;

    if (type.id == DN_TYPE_UINT64) {
        return dn_parse_uint64_relaxed(text, len, out);
    }
    if (type.id >= DN_TYPE_UINT8) {
        return dn_parse_uint64_relaxed(text, len, &magnitude) && magnitude <= UINT32_MAX &&
               put_int((int64_t)magnitude, 0, 2 * half + 1, width, out);
    }
    return dn_parse_int64_relaxed(text, len, &value) && put_int(value, -half - 1, half, width, out);
}

static bool parse_date(struct dn_type type, const uint8_t *text, size_t len, void *out)
{
    int32_t days = 0;
    bool zoned = false;

    if (!dn_parse_date32_relaxed(text, len, &days, &zoned) || zoned) {
        return false;
    }
    return put_int(type.id == DN_TYPE_DATE64 ? days * MS_PER_DAY : days, INT64_MIN, INT64_MAX,
                   dn_type_width(type), out);
}

static bool parse_instant(struct dn_type type, const uint8_t *text, size_t len, void *out)
{
    const int digits = unit_digits[type.unit];
    int64_t value = 0;
    bool zoned = type.zoned;

    if (type.id == DN_TYPE_TIME ? !dn_parse_time(text, len, digits, &value)
                                : !dn_parse_timestamp_relaxed(text, len, digits, &value, &zoned)) {
        return false;
    }
    return zoned == type.zoned && put_int(value, INT64_MIN, INT64_MAX, dn_type_width(type), out);
}

/* A whole number of units, of a part of a second each: false if it is none, or too large. */
static bool time_of(const struct dn_period *p, enum dn_unit unit, int64_t *out)
{
    const int64_t per_second = dn_unit_per_second(unit);
    const int64_t nanos = INT64_C(1000000000) / per_second;
    /* of different signs, the smaller product could be what makes it fit */
    const bool borrows = p->seconds < 0 && p->nanos > 0;
    const int64_t seconds = borrows ? p->seconds + 1 : p->seconds;
    const int64_t rest = borrows ? p->nanos - INT64_C(1000000000) : p->nanos;

    return rest % nanos == 0 && !__builtin_mul_overflow(seconds, per_second, out) &&
           !__builtin_add_overflow(*out, rest / nanos, out);
}

static bool fits32(int64_t value)
{
    return value >= INT32_MIN && value <= INT32_MAX;
}

/* Days are 24 hours in a duration, and days in an interval. */
static bool parse_period(struct dn_type type, const uint8_t *text, size_t len, void *out)
{
    struct dn_period p;
    int64_t value = 0;

    if (!dn_parse_period(text, len, &p)) {
        return false;
    }
    if (type.id == DN_TYPE_DURATION) {
        return p.months == 0 && !__builtin_mul_overflow(p.days, 86400, &p.days) &&
               !__builtin_add_overflow(p.seconds, p.days, &p.seconds) &&
               time_of(&p, type.unit, &value) && put_int(value, INT64_MIN, INT64_MAX, 8, out);
    }
    const bool has_time = p.seconds != 0 || p.nanos != 0;
    const bool has_days = p.days != 0 || has_time;
    if (!fits32(p.months) || !fits32(p.days)) {
        return false;
    }
    const int32_t parts[2] = {(int32_t)p.months, (int32_t)p.days};
    if (type.id == DN_TYPE_INTERVAL_MONTHS) {
        return !has_days && memcpy(out, parts, 4) != NULL;
    }
    if (type.id == DN_TYPE_INTERVAL_DAY_TIME) {
        return p.months == 0 && time_of(&p, DN_UNIT_MS, &value) && fits32(value) &&
               memcpy(out, parts + 1, 4) != NULL &&
               put_int(value, INT32_MIN, INT32_MAX, 4, (uint8_t *)out + 4);
    }
    return time_of(&p, DN_UNIT_NS, &value) && memcpy(out, parts, 8) != NULL &&
           put_int(value, INT64_MIN, INT64_MAX, 8, (uint8_t *)out + 8);
}

bool dn_value_parse(struct dn_type type, const uint8_t *text, size_t len, void *out)
{
    switch (type.id) {
    case DN_TYPE_BOOL:
        return dn_parse_bool_relaxed(text, len, out);
    case DN_TYPE_FLOAT64:
        return dn_parse_float64_relaxed(text, len, out);
    case DN_TYPE_DECIMAL128:
    case DN_TYPE_DECIMAL256:
        return dn_parse_decimal(text, len, type.precision, type.scale, out, dn_type_width(type));
    case DN_TYPE_DATE32:
    case DN_TYPE_DATE64:
        return parse_date(type, text, len, out);
    case DN_TYPE_TIME:
    case DN_TYPE_TIMESTAMP:
        return parse_instant(type, text, len, out);
    case DN_TYPE_DURATION:
    case DN_TYPE_INTERVAL_MONTHS:
    case DN_TYPE_INTERVAL_DAY_TIME:
    case DN_TYPE_INTERVAL_MONTH_DAY_NANO:
        return parse_period(type, text, len, out);
    case DN_TYPE_FIXED_BINARY:
        return dn_parse_uuid(text, len, out);
    default:
        return type.id >= DN_TYPE_INT8 && type.id <= DN_TYPE_UINT64 &&
               parse_integer(type, text, len, out);
    }
}

bool dn_value_parse_bytes(struct dn_type type, enum dn_bytes_form form, const uint8_t *text,
                          size_t len, uint8_t *out, size_t *out_len)
{
    const bool read = form == DN_BYTES_HEX ? dn_hex_decode(out, text, len, out_len)
                                           : dn_base64_decode(out, text, len, out_len);

    return read && (type.id != DN_TYPE_FIXED_BINARY || *out_len == (size_t)type.width);
}

bool dn_value_type_parse(const char *words, struct dn_type *out, enum dn_bytes_form *form)
{
    char copy[DN_TYPE_WORDS_SIZE];
    const char *colon = words != NULL ? strrchr(words, ':') : NULL;

    *form = DN_BYTES_BASE64;
    if (colon == NULL) {
        return dn_type_parse(words, out);
    }
    const size_t len = (size_t)(colon - words);
    if (len >= sizeof copy) {
        return false;
    }
    memcpy(copy, words, len);
    copy[len] = '\0';
    *form = dn_text_equal_nocase(colon + 1, "hex") ? DN_BYTES_HEX : DN_BYTES_BASE64;
    return (*form == DN_BYTES_HEX || dn_text_equal_nocase(colon + 1, "base64")) &&
           dn_type_parse(copy, out) && dn_value_is_raw(*out);
}
