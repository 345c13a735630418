#include "parquet/read/types.h"

#include "parquet/read/value.h"

#define MAX_DECIMAL256_DIGITS 76

static void set(struct dn_pq_arrow_type *out, struct dn_type type, enum dn_pq_how how)
{
    out->type = type;
    out->how = how;
    out->width = dn_type_width(type);
}

/* Of a number in the size of its own. */
static bool set_integer(const struct dn_pq_element *e, struct dn_pq_arrow_type *out)
{
    static const enum dn_type_id ids[2][4] = {
        {DN_TYPE_UINT8, DN_TYPE_UINT16, DN_TYPE_UINT32, DN_TYPE_UINT64},
        {DN_TYPE_INT8, DN_TYPE_INT16, DN_TYPE_INT32, DN_TYPE_INT64}};
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
    set(out, (struct dn_type){.id = ids[m->is_signed][power]},
        is_32 && width < 4 ? DN_PQ_HOW_NARROW : DN_PQ_HOW_SAME);
    return true;
}

static enum dn_unit unit_of(int32_t unit)
{
    return unit == DN_PQ_MILLIS ? DN_UNIT_MS : unit == DN_PQ_MICROS ? DN_UNIT_US : DN_UNIT_NS;
}

static bool set_time(const struct dn_pq_element *e, struct dn_pq_arrow_type *out)
{
    const int32_t unit = e->meaning.unit;

    if (e->type == DN_PQ_INT32 ? unit != DN_PQ_MILLIS
                               : unit != DN_PQ_MICROS && unit != DN_PQ_NANOS) {
        return false;
    }
    set(out, (struct dn_type){.id = DN_TYPE_TIME, .unit = unit_of(unit)}, DN_PQ_HOW_SAME);
    return true;
}

static bool set_timestamp(const struct dn_pq_element *e, struct dn_pq_arrow_type *out)
{
    const int32_t unit = e->meaning.unit;

    if (e->type != DN_PQ_INT64 || unit < DN_PQ_MILLIS || unit > DN_PQ_NANOS) {
        return false;
    }
    set(out,
        (struct dn_type){
            .id = DN_TYPE_TIMESTAMP, .unit = unit_of(unit), .zoned = e->meaning.is_utc},
        DN_PQ_HOW_SAME);
    return true;
}

static bool set_decimal(const struct dn_pq_element *e, struct dn_pq_arrow_type *out)
{
    const struct dn_pq_meaning *m = &e->meaning;

    if (m->precision < 1 || m->precision > MAX_DECIMAL256_DIGITS || m->scale < 0 ||
        m->scale > m->precision) {
        return false;
    }
    set(out, dn_type_decimal(m->precision, m->scale), DN_PQ_HOW_DECIMAL);
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
        set(out, DN_TYPE(DATE32), DN_PQ_HOW_SAME);
        return e->type == DN_PQ_INT32;
    case DN_PQ_LOGICAL_TIME:
        return is_int && set_time(e, out);
    case DN_PQ_LOGICAL_TIMESTAMP:
        return set_timestamp(e, out);
    case DN_PQ_LOGICAL_DECIMAL:
        return (is_int || is_bytes || is_fixed) && set_decimal(e, out);
    case DN_PQ_LOGICAL_FLOAT16:
        set(out, DN_TYPE(FLOAT16), DN_PQ_HOW_SAME);
        return is_fixed && e->type_length == 2;
    case DN_PQ_LOGICAL_STRING:
    case DN_PQ_LOGICAL_ENUM:
    case DN_PQ_LOGICAL_JSON:
        set(out, DN_TYPE(UTF8_VIEW), DN_PQ_HOW_VIEWS);
        out->type.extension =
            e->meaning.logical == DN_PQ_LOGICAL_JSON ? DN_EXTENSION_JSON : DN_EXTENSION_NONE;
        out->is_text = is_bytes;
        return is_bytes;
    case DN_PQ_LOGICAL_UUID:
        set(out,
            (struct dn_type){
                .id = DN_TYPE_FIXED_BINARY, .width = 16, .extension = DN_EXTENSION_UUID},
            DN_PQ_HOW_SAME);
        return is_fixed && e->type_length == 16;
    case DN_PQ_LOGICAL_INTERVAL:
        set(out, DN_TYPE(INTERVAL_MONTH_DAY_NANO), DN_PQ_HOW_INTERVAL);
        return is_fixed && e->type_length == 12;
    case DN_PQ_LOGICAL_UNKNOWN: /* a column that must have values has some meaning after all */
        set(out, DN_TYPE(NULL), DN_PQ_HOW_NOTHING);
        return leaf->max_def > 0;
    default:
        return false;
    }
}

static void set_physical(const struct dn_pq_element *e, struct dn_pq_arrow_type *out)
{
    switch (e->type) {
    case DN_PQ_BOOLEAN:
        set(out, DN_TYPE(BOOL), DN_PQ_HOW_BOOL);
        break;
    case DN_PQ_INT32:
        set(out, DN_TYPE(INT32), DN_PQ_HOW_SAME);
        break;
    case DN_PQ_INT64:
        set(out, DN_TYPE(INT64), DN_PQ_HOW_SAME);
        break;
    case DN_PQ_INT96:
        set(out, DN_TIMESTAMP(NS), DN_PQ_HOW_INT96);
        break;
    case DN_PQ_FLOAT:
        set(out, DN_TYPE(FLOAT32), DN_PQ_HOW_SAME);
        break;
    case DN_PQ_DOUBLE:
        set(out, DN_TYPE(FLOAT64), DN_PQ_HOW_SAME);
        break;
    case DN_PQ_BYTE_ARRAY:
        set(out, DN_TYPE(BINARY_VIEW), DN_PQ_HOW_VIEWS);
        break;
    default:
        set(out, (struct dn_type){.id = DN_TYPE_FIXED_BINARY, .width = e->type_length},
            DN_PQ_HOW_SAME);
        break;
    }
}

/* What the writer knew beside, where it fits; how it had texts and bytes in memory does not matter. */
static void apply_origin(const struct dn_pq_leaf *leaf, struct dn_pq_arrow_type *out)
{
    const struct dn_pq_element *e = leaf->element;
    const struct dn_type said = leaf->said;
    struct dn_type *type = &out->type;

    if (!leaf->is_said) {
        return;
    }
    if (dn_pq_leaf_shown(leaf) == DN_PQ_SHOWN_DURATION) {
        set(out, said, DN_PQ_HOW_SAME);
    } else if (said.id == DN_TYPE_TIMESTAMP && type->id == DN_TYPE_TIMESTAMP && type->zoned) {
        type->zone = said.zoned ? said.zone : NULL;
    } else if (dn_type_is_interval(said) && e->meaning.logical == DN_PQ_LOGICAL_STRING &&
               type->id == DN_TYPE_UTF8_VIEW) {
        set(out, said, DN_PQ_HOW_INTERVAL_TEXT);
        out->is_text = false; /* what is no UTF-8 is no interval either */
    } else if (said.extension != DN_EXTENSION_NONE) {
        struct dn_type extended = *type;
        extended.extension = said.extension;
        type->extension = dn_type_is_valid(extended) ? said.extension : type->extension;
    }
}

void dn_pq_arrow_type(const struct dn_pq_leaf *leaf, struct dn_pq_arrow_type *out)
{
    *out = (struct dn_pq_arrow_type){.stored_width = dn_pq_leaf_width(leaf)};
    if (!set_meaning(leaf, out)) {
        set_physical(leaf->element, out);
    }
    apply_origin(leaf, out);
}
