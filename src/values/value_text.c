#include "values/value_text.h"

#include "text/format.h"

#define SLACK ((size_t)16) /* formatters write whole words */
#define MS_PER_DAY INT64_C(86400000)

static const int unit_digits[] = {
    [DN_UNIT_S] = 0, [DN_UNIT_MS] = 3, [DN_UNIT_US] = 6, [DN_UNIT_NS] = 9};

size_t dn_value_text_room(struct dn_type type)
{
    if (dn_type_is_decimal(type)) {
        const int scale = type.scale < 0 ? -type.scale : type.scale;
        return (size_t)(80 + scale) + SLACK; /* 77 digits if it has more than it should */
    }
    return type.id == DN_TYPE_INTERVAL_MONTH_DAY_NANO ? 64 + SLACK : DN_FORMAT_MAX + SLACK;
}

bool dn_value_text_is_quoted(struct dn_type type)
{
    return type.id < DN_TYPE_BOOL || type.id > DN_TYPE_FLOAT64;
}

static size_t put(char *out, const char *text, size_t len)
{
    memcpy(out, text, len);
    return len;
}

static int64_t load_int(const struct dn_column_view *c, int64_t i)
{
    return c->width == 4 ? (int64_t)((const int32_t *)c->values)[i]
                         : ((const int64_t *)c->values)[i];
}

static size_t date64(char *out, int64_t ms)
{
    const int64_t days = ms / MS_PER_DAY;

    if (ms % MS_PER_DAY != 0 || days < INT32_MIN || days > INT32_MAX) {
        return dn_format_timestamp(out, ms, 3, false);
    }
    return dn_format_date32(out, (int32_t)days);
}

/* "1.5S" with a sign, of so many parts of a second. */
static size_t seconds(char *out, int64_t value, int digits)
{
    const uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    const uint64_t per_second = digits == 9   ? 1000000000
                                : digits == 6 ? 1000000
                                : digits == 3 ? 1000
                                              : 1;
    uint64_t fraction = magnitude % per_second;
    size_t n = value < 0 ? put(out, "-", 1) : 0;

    n += dn_format_uint64(out + n, magnitude / per_second);
    if (fraction != 0) {
        out[n++] = '.';
        for (int d = digits; d > 0; d--) {
            out[n + (size_t)d - 1] = (char)('0' + fraction % 10);
            fraction /= 10;
        }
        n += (size_t)digits;
        while (out[n - 1] == '0') {
            n--;
        }
    }
    out[n++] = 'S';
    return n;
}

/* "P1M2DT0.5S", without the parts that are 0 but for one. */
static size_t interval(char *out, int32_t months, int32_t days, int64_t rest, int digits)
{
    size_t n = put(out, "P", 1);

    if (months != 0) {
        n += dn_format_int64(out + n, months);
        out[n++] = 'M';
    }
    if (days != 0) {
        n += dn_format_int64(out + n, days);
        out[n++] = 'D';
    }
    if (rest != 0 || n == 1) {
        out[n++] = 'T';
        n += seconds(out + n, rest, digits);
    }
    return n;
}

static size_t interval_of(char *out, const struct dn_column_view *c, int64_t i)
{
    const uint8_t *at = (const uint8_t *)c->values + (size_t)i * c->width;
    int32_t parts[2] = {0, 0};
    int64_t nanos = 0;

    memcpy(parts, at, c->width < 8 ? c->width : 8);
    if (c->type.id == DN_TYPE_INTERVAL_MONTHS) {
        return interval(out, parts[0], 0, 0, 0);
    }
    if (c->type.id == DN_TYPE_INTERVAL_DAY_TIME) {
        return interval(out, 0, parts[0], parts[1], 3);
    }
    memcpy(&nanos, at + 8, sizeof nanos);
    return interval(out, parts[0], parts[1], nanos, 9);
}

static size_t instant(char *out, const struct dn_column_view *c, int64_t value)
{
    const int digits = unit_digits[c->type.unit];

    switch (c->type.id) {
    case DN_TYPE_TIME:
        return dn_format_time(out, value, digits);
    case DN_TYPE_DURATION: {
        const size_t n = put(out, "PT", 2);
        return n + seconds(out + n, value, digits);
    }
    default:
        return c->type.unit == DN_UNIT_US /* most of them, and faster */
                   ? dn_format_timestamp_us(out, value, c->type.zoned)
                   : dn_format_timestamp(out, value, digits, c->type.zoned);
    }
}

static size_t integer(char *out, const struct dn_column_view *c, int64_t i)
{
    switch (c->type.id) {
    case DN_TYPE_INT8:
        return dn_format_int64(out, ((const int8_t *)c->values)[i]);
    case DN_TYPE_INT16:
        return dn_format_int64(out, ((const int16_t *)c->values)[i]);
    case DN_TYPE_INT32:
        return dn_format_int64(out, ((const int32_t *)c->values)[i]);
    case DN_TYPE_UINT8:
        return dn_format_int64(out, ((const uint8_t *)c->values)[i]);
    case DN_TYPE_UINT16:
        return dn_format_int64(out, ((const uint16_t *)c->values)[i]);
    case DN_TYPE_UINT32:
        return dn_format_int64(out, ((const uint32_t *)c->values)[i]);
    case DN_TYPE_UINT64:
        return dn_format_uint64(out, ((const uint64_t *)c->values)[i]);
    default:
        return dn_format_int64(out, ((const int64_t *)c->values)[i]);
    }
}

size_t dn_value_text(char *out, const struct dn_column_view *c, int64_t row)
{
    const int64_t i = c->offset + row;
    const uint8_t *at = (const uint8_t *)c->values + (size_t)i * c->width;

    switch (c->type.id) {
    case DN_TYPE_BOOL:
        return dn_bit_get(c->values, i) ? put(out, "true", 4) : put(out, "false", 5);
    case DN_TYPE_FLOAT16:
        return dn_format_float32(out, dn_float16_to_float32(((const uint16_t *)c->values)[i]));
    case DN_TYPE_FLOAT32:
        return dn_format_float32(out, ((const float *)c->values)[i]);
    case DN_TYPE_FLOAT64:
        return dn_format_float64(out, ((const double *)c->values)[i]);
    case DN_TYPE_DECIMAL128:
    case DN_TYPE_DECIMAL256:
        return dn_format_decimal(out, at, c->width, c->type.scale);
    case DN_TYPE_DATE32:
        return dn_format_date32(out, ((const int32_t *)c->values)[i]);
    case DN_TYPE_DATE64:
        return date64(out, load_int(c, i));
    case DN_TYPE_TIME:
    case DN_TYPE_TIMESTAMP:
    case DN_TYPE_DURATION:
        return instant(out, c, load_int(c, i));
    case DN_TYPE_INTERVAL_MONTHS:
    case DN_TYPE_INTERVAL_DAY_TIME:
    case DN_TYPE_INTERVAL_MONTH_DAY_NANO:
        return interval_of(out, c, i);
    case DN_TYPE_FIXED_BINARY:
        return dn_format_uuid(out, at);
    default:
        return integer(out, c, i);
    }
}
