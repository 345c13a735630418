#include "parquet/read/types.h"

#include "parquet/read/value.h"

#include <inttypes.h>
#include <stdio.h>

#define MAX_DECIMAL128_DIGITS 38
#define MAX_DECIMAL256_DIGITS 76

static void set(struct dn_pq_arrow_type *out, const char *format, enum dn_pq_how how, size_t width)
{
    (void)snprintf(out->format, sizeof(out->format), "%s", format);
    out->how = how;
    out->width = width;
}

/* Of a number in the size of its own. */
static bool set_integer(const struct dn_pq_element *e, struct dn_pq_arrow_type *out)
{
    static const char *const formats[2][4] = {{"C", "S", "I", "L"}, {"c", "s", "i", "l"}};
    const struct dn_pq_meaning *m = &e->meaning;
    const bool is_32 = e->type == DN_PQ_INT32;
    const size_t width = (size_t)(unsigned)m->bit_width / 8;
    unsigned power = 0;

    if (is_32 ? m->bit_width != 8 && m->bit_width != 16 && m->bit_width != 32
              : m->bit_width != 64) {
        return false;
    }
    while ((size_t)1 << power < width) {
        power++;
    }
    out->is_signed = m->is_signed;
    set(out, formats[m->is_signed][power], is_32 && width < 4 ? DN_PQ_HOW_NARROW : DN_PQ_HOW_SAME,
        width);
    return true;
}

static bool set_time(const struct dn_pq_element *e, struct dn_pq_arrow_type *out)
{
    const int32_t unit = e->meaning.unit;

    if (e->type == DN_PQ_INT32 ? unit != DN_PQ_MILLIS
                               : unit != DN_PQ_MICROS && unit != DN_PQ_NANOS) {
        return false;
    }
    set(out,
        unit == DN_PQ_MILLIS   ? "ttm"
        : unit == DN_PQ_MICROS ? "ttu"
                               : "ttn",
        DN_PQ_HOW_SAME, out->stored_width);
    return true;
}

static bool set_timestamp(const struct dn_pq_element *e, struct dn_pq_arrow_type *out)
{
    static const char *const formats[2][3] = {{"tsm:", "tsu:", "tsn:"},
                                              {"tsm:UTC", "tsu:UTC", "tsn:UTC"}};
    const int32_t unit = e->meaning.unit;

    if (e->type != DN_PQ_INT64 || unit < DN_PQ_MILLIS || unit > DN_PQ_NANOS) {
        return false;
    }
    set(out, formats[e->meaning.is_utc][unit - DN_PQ_MILLIS], DN_PQ_HOW_SAME, 8);
    return true;
}

static bool set_decimal(const struct dn_pq_element *e, struct dn_pq_arrow_type *out)
{
    const struct dn_pq_meaning *m = &e->meaning;
    const bool is_wide = m->precision > MAX_DECIMAL128_DIGITS;

    if (m->precision < 1 || m->precision > MAX_DECIMAL256_DIGITS || m->scale < 0 ||
        m->scale > m->precision) {
        return false;
    }
    (void)snprintf(out->format, sizeof(out->format), "d:%" PRId32 ",%" PRId32 "%s", m->precision,
                   m->scale, is_wide ? ",256" : "");
    out->how = DN_PQ_HOW_DECIMAL;
    out->width = is_wide ? 32 : 16;
    out->is_little_endian = e->type == DN_PQ_INT32 || e->type == DN_PQ_INT64;
    return true;
}

/* What Arrow has for the meaning; false: nothing. */
static bool set_meaning(const struct dn_pq_leaf *leaf, struct dn_pq_arrow_type *out)
{
    const struct dn_pq_element *e = leaf->element;
    const bool is_int = e->type == DN_PQ_INT32 || e->type == DN_PQ_INT64;
    const bool is_bytes = e->type == DN_PQ_BYTE_ARRAY;
    const bool is_fixed = e->type == DN_PQ_FIXED_LEN_BYTE_ARRAY;

    switch (e->meaning.logical) {
    case DN_PQ_LOGICAL_INTEGER:
        return is_int && set_integer(e, out);
    case DN_PQ_LOGICAL_DATE:
        set(out, "tdD", DN_PQ_HOW_SAME, 4);
        return e->type == DN_PQ_INT32;
    case DN_PQ_LOGICAL_TIME:
        return is_int && set_time(e, out);
    case DN_PQ_LOGICAL_TIMESTAMP:
        return set_timestamp(e, out);
    case DN_PQ_LOGICAL_DECIMAL:
        return (is_int || is_bytes || is_fixed) && set_decimal(e, out);
    case DN_PQ_LOGICAL_FLOAT16:
        set(out, "e", DN_PQ_HOW_SAME, 2);
        return is_fixed && e->type_length == 2;
    case DN_PQ_LOGICAL_STRING:
    case DN_PQ_LOGICAL_ENUM:
    case DN_PQ_LOGICAL_JSON:
        set(out, "vu", DN_PQ_HOW_VIEWS, 16);
        out->is_text = is_bytes;
        return is_bytes;
    case DN_PQ_LOGICAL_UNKNOWN: /* a column that must have values has some meaning after all */
        set(out, "n", DN_PQ_HOW_NOTHING, 0);
        return leaf->max_def > 0;
    default:
        return false;
    }
}

static void set_physical(const struct dn_pq_element *e, struct dn_pq_arrow_type *out)
{
    static const char *const formats[] = {"b", "i", "l", "tsn:", "f", "g", "vz"};

    switch (e->type) {
    case DN_PQ_BOOLEAN:
        set(out, "b", DN_PQ_HOW_BOOL, 0);
        break;
    case DN_PQ_INT96:
        set(out, "tsn:", DN_PQ_HOW_INT96, 8);
        break;
    case DN_PQ_BYTE_ARRAY:
        set(out, "vz", DN_PQ_HOW_VIEWS, 16);
        break;
    case DN_PQ_FIXED_LEN_BYTE_ARRAY:
        (void)snprintf(out->format, sizeof(out->format), "w:%" PRId32, e->type_length);
        out->how = DN_PQ_HOW_SAME;
        out->width = out->stored_width;
        break;
    default:
        set(out, formats[e->type], DN_PQ_HOW_SAME, out->stored_width);
        break;
    }
}

void dn_pq_arrow_type(const struct dn_pq_leaf *leaf, struct dn_pq_arrow_type *out)
{
    *out = (struct dn_pq_arrow_type){.stored_width = dn_pq_leaf_width(leaf)};
    if (!set_meaning(leaf, out)) {
        set_physical(leaf->element, out);
    }
}
