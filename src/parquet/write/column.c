#include "parquet/write/column.h"

#include "base/memory.h"
#include "base/utf8.h"

/* What a type becomes, as far as its id says it. */
struct mapping {
    enum dn_pq_kind kind;
    enum dn_pq_type physical;
    enum dn_pq_converted converted;
    enum dn_pq_logical logical;
    enum dn_pq_order order;
    enum dn_pq_store store;
};

#define NO_CONVERTED DN_PQ_CONVERTED_NONE
#define INT32(BITS, ORDER, STORE)                                                                  \
    {                                                                                              \
        DN_PQ_KIND_I32, DN_PQ_INT32, DN_PQ_CONVERTED_##BITS, DN_PQ_LOGICAL_INTEGER, ORDER, STORE   \
    }
#define TEXT                                                                                       \
    {                                                                                              \
        DN_PQ_KIND_TEXT, DN_PQ_BYTE_ARRAY, DN_PQ_CONVERTED_UTF8, DN_PQ_LOGICAL_STRING,             \
            DN_PQ_ORDERED, DN_PQ_STORE_SAME                                                        \
    }
#define BYTES                                                                                      \
    {                                                                                              \
        DN_PQ_KIND_TEXT, DN_PQ_BYTE_ARRAY, NO_CONVERTED, DN_PQ_LOGICAL_NONE,                       \
            DN_PQ_ORDERED_UNSIGNED, DN_PQ_STORE_SAME                                               \
    }
#define NUMBER(KIND, PHYSICAL)                                                                     \
    {                                                                                              \
        KIND, PHYSICAL, NO_CONVERTED, DN_PQ_LOGICAL_NONE, DN_PQ_ORDERED, DN_PQ_STORE_SAME          \
    }
#define DECIMAL                                                                                    \
    {                                                                                              \
        DN_PQ_KIND_FIXED, DN_PQ_FIXED_LEN_BYTE_ARRAY, DN_PQ_CONVERTED_DECIMAL,                     \
            DN_PQ_LOGICAL_DECIMAL, DN_PQ_ORDERED_DECIMAL, DN_PQ_STORE_DECIMAL                      \
    }

/* All others Parquet has no form for. */
static const struct mapping mappings[DN_TYPE_COUNT] = {
    [DN_TYPE_NULL] = {DN_PQ_KIND_NULL, DN_PQ_INT32, NO_CONVERTED, DN_PQ_LOGICAL_UNKNOWN,
                      DN_PQ_ORDERED, DN_PQ_STORE_SAME},
    [DN_TYPE_BOOL] = NUMBER(DN_PQ_KIND_BOOL, DN_PQ_BOOLEAN),
    [DN_TYPE_INT8] = INT32(INT_8, DN_PQ_ORDERED, DN_PQ_STORE_INTEGER),
    [DN_TYPE_INT16] = INT32(INT_16, DN_PQ_ORDERED, DN_PQ_STORE_INTEGER),
    [DN_TYPE_INT32] = NUMBER(DN_PQ_KIND_I32, DN_PQ_INT32),
    [DN_TYPE_INT64] = NUMBER(DN_PQ_KIND_I64, DN_PQ_INT64),
    [DN_TYPE_UINT8] = INT32(UINT_8, DN_PQ_ORDERED_UNSIGNED, DN_PQ_STORE_INTEGER),
    [DN_TYPE_UINT16] = INT32(UINT_16, DN_PQ_ORDERED_UNSIGNED, DN_PQ_STORE_INTEGER),
    [DN_TYPE_UINT32] = INT32(UINT_32, DN_PQ_ORDERED_UNSIGNED, DN_PQ_STORE_SAME),
    [DN_TYPE_UINT64] = {DN_PQ_KIND_I64, DN_PQ_INT64, DN_PQ_CONVERTED_UINT_64, DN_PQ_LOGICAL_INTEGER,
                        DN_PQ_ORDERED_UNSIGNED, DN_PQ_STORE_SAME},
    [DN_TYPE_FLOAT16] = {DN_PQ_KIND_FIXED, DN_PQ_FIXED_LEN_BYTE_ARRAY, NO_CONVERTED,
                         DN_PQ_LOGICAL_FLOAT16, DN_PQ_ORDERED_F16, DN_PQ_STORE_SAME},
    [DN_TYPE_FLOAT32] = NUMBER(DN_PQ_KIND_F32, DN_PQ_FLOAT),
    [DN_TYPE_FLOAT64] = NUMBER(DN_PQ_KIND_F64, DN_PQ_DOUBLE),
    [DN_TYPE_DECIMAL128] = DECIMAL,
    [DN_TYPE_DECIMAL256] = DECIMAL,
    [DN_TYPE_DATE32] = {DN_PQ_KIND_I32, DN_PQ_INT32, DN_PQ_CONVERTED_DATE, DN_PQ_LOGICAL_DATE,
                        DN_PQ_ORDERED, DN_PQ_STORE_SAME},
    [DN_TYPE_DATE64] = {DN_PQ_KIND_I32, DN_PQ_INT32, DN_PQ_CONVERTED_DATE, DN_PQ_LOGICAL_DATE,
                        DN_PQ_ORDERED, DN_PQ_STORE_DAYS},
    [DN_TYPE_TIME] = {DN_PQ_KIND_I64, DN_PQ_INT64, NO_CONVERTED, DN_PQ_LOGICAL_TIME, DN_PQ_ORDERED,
                      DN_PQ_STORE_CHECKED},
    [DN_TYPE_TIMESTAMP] = {DN_PQ_KIND_I64, DN_PQ_INT64, NO_CONVERTED, DN_PQ_LOGICAL_TIMESTAMP,
                           DN_PQ_ORDERED, DN_PQ_STORE_SAME},
    [DN_TYPE_DURATION] = NUMBER(DN_PQ_KIND_I64, DN_PQ_INT64),
    [DN_TYPE_INTERVAL_MONTHS] = TEXT,
    [DN_TYPE_INTERVAL_DAY_TIME] = TEXT,
    [DN_TYPE_INTERVAL_MONTH_DAY_NANO] = TEXT,
    [DN_TYPE_UTF8] = TEXT,
    [DN_TYPE_LARGE_UTF8] = TEXT,
    [DN_TYPE_UTF8_VIEW] = TEXT,
    [DN_TYPE_BINARY] = BYTES,
    [DN_TYPE_LARGE_BINARY] = BYTES,
    [DN_TYPE_BINARY_VIEW] = BYTES,
    [DN_TYPE_FIXED_BINARY] = {DN_PQ_KIND_FIXED, DN_PQ_FIXED_LEN_BYTE_ARRAY, NO_CONVERTED,
                              DN_PQ_LOGICAL_NONE, DN_PQ_ORDERED_UNSIGNED, DN_PQ_STORE_SAME},
};

static size_t plain_width(const struct dn_pq_column *c)
{
    switch (c->physical) {
    case DN_PQ_INT32:
    case DN_PQ_FLOAT:
        return c->kind == DN_PQ_KIND_NULL ? 0 : 4;
    case DN_PQ_INT64:
    case DN_PQ_DOUBLE:
        return 8;
    case DN_PQ_FIXED_LEN_BYTE_ARRAY:
        return c->store == DN_PQ_STORE_DECIMAL ? dn_pq_decimal_bytes(c->type.precision)
                                               : dn_type_width(c->type);
    case DN_PQ_BOOLEAN:
    case DN_PQ_INT96:
    case DN_PQ_BYTE_ARRAY:
        break;
    }
    return 0;
}

/* Few digits are a number of the machine's. */
static void narrow_decimal(struct dn_pq_column *c)
{
    if (c->type.precision <= 18) {
        const bool is_32 = c->type.precision <= 9;
        c->kind = is_32 ? DN_PQ_KIND_I32 : DN_PQ_KIND_I64;
        c->physical = is_32 ? DN_PQ_INT32 : DN_PQ_INT64;
        c->order = DN_PQ_ORDERED;
    }
    c->read = dn_type_decimal(c->type.precision, c->type.scale);
}

/* Milliseconds have 32 bits, and nobody has seconds. */
static void choose_unit(struct dn_pq_column *c)
{
    const bool is_time = c->type.id == DN_TYPE_TIME;

    if (c->type.unit == DN_UNIT_S) {
        c->store = DN_PQ_STORE_THOUSANDS;
        c->read.unit = DN_UNIT_MS;
    }
    if (is_time && c->read.unit == DN_UNIT_MS) {
        c->kind = DN_PQ_KIND_I32;
        c->physical = DN_PQ_INT32;
    }
    /* Old readers take both for instants, so what has no zone must do without a converted type. */
    if (!is_time && c->type.zoned && c->read.unit != DN_UNIT_NS) {
        c->converted = c->read.unit == DN_UNIT_MS ? DN_PQ_CONVERTED_TIMESTAMP_MILLIS
                                                  : DN_PQ_CONVERTED_TIMESTAMP_MICROS;
    }
}

/* What parameters and extensions make of it. */
static void refine(struct dn_pq_column *c)
{
    if (c->store == DN_PQ_STORE_DECIMAL) {
        narrow_decimal(c);
    } else if (c->type.id == DN_TYPE_TIME || c->type.id == DN_TYPE_TIMESTAMP) {
        choose_unit(c);
    } else if (c->type.id == DN_TYPE_DATE64) {
        c->read = DN_TYPE(DATE32);
    } else if (c->type.id == DN_TYPE_DURATION) {
        c->read = DN_TYPE(INT64);
    } else if (dn_type_is_interval(c->type)) {
        c->read = DN_TYPE(UTF8_VIEW);
        c->is_texts = true;
    } else if (c->type.extension == DN_EXTENSION_UUID) {
        c->logical = DN_PQ_LOGICAL_UUID;
    } else if (c->type.extension == DN_EXTENSION_JSON) {
        c->logical = DN_PQ_LOGICAL_JSON;
        c->converted = DN_PQ_CONVERTED_JSON;
    }
}

/* What to say of a type that is not written; NULL: it is. */
static const char *cannot_be_written(const struct dn_type *type)
{
    if (type->id != DN_TYPE_NULL && mappings[type->id].kind == DN_PQ_KIND_NULL) {
        return "Parquet has no form for";
    }
    return dn_type_is_decimal(*type) && (type->scale < 0 || type->scale > type->precision)
               ? "Parquet does not have: the scale must be 0 at least and the precision at most"
               : NULL;
}

enum dn_status dn_pq_column_init(struct dn_pq_column *c, const struct dn_field *field,
                                 struct dn_error *err)
{
    const struct mapping *m = &mappings[field->type.id];

    memset(c, 0, sizeof *c);
    const char *cannot = cannot_be_written(&field->type);
    if (cannot != NULL) {
        return dn_field_refuse(field, cannot, err);
    }
    if (!dn_utf8_is_valid(field->name)) {
        char shown[DN_ESCAPED_VALUE_SIZE];
        return dn_error_set(err, DN_ERR_INVALID,
                            "the name of a column is not UTF-8: %s; rename the column",
                            dn_error_escape_value(shown, field->name, strlen(field->name)));
    }
    c->name = dn_strdup(field->name);
    if (c->name == NULL) {
        return dn_error_memory(err, strlen(field->name) + 1);
    }
    c->type = field->type;
    c->type.zone = NULL;
    c->read = c->type;
    c->kind = m->kind;
    c->order = m->order;
    c->store = m->store;
    c->physical = m->physical;
    c->converted = m->converted;
    c->logical = m->logical;
    c->is_text = dn_type_is_text(field->type);
    c->field_id = DN_PQ_NO_FIELD_ID;
    c->nullable = field->nullable || m->kind == DN_PQ_KIND_NULL;
    refine(c);
    c->width = plain_width(c);
    return DN_OK;
}

void dn_pq_column_intervals(struct dn_pq_column *c, bool as_parquet)
{
    if (c->is_texts && as_parquet) {
        c->is_texts = false;
        c->read = DN_TYPE(INTERVAL_MONTH_DAY_NANO);
        c->kind = DN_PQ_KIND_FIXED;
        c->order = DN_PQ_ORDERED_NOT;
        c->store = DN_PQ_STORE_INTERVAL;
        c->physical = DN_PQ_FIXED_LEN_BYTE_ARRAY;
        c->converted = DN_PQ_CONVERTED_INTERVAL;
        c->logical = DN_PQ_LOGICAL_NONE; /* its number is reserved, and no reader has it */
        c->width = DN_PQ_INTERVAL_WIDTH;
    }
}

void dn_pq_column_finish(struct dn_pq_column *c)
{
    dn_free(c->name);
    c->name = NULL;
}

static void write_unit(const struct dn_pq_column *c, struct dn_thrift_writer *w)
{
    const enum dn_unit unit = c->read.unit;

    dn_thrift_field_struct(w, (int16_t)c->logical); /* TIME and TIMESTAMP have the same fields */
    dn_thrift_field_bool(w, DN_PQ_TIMESTAMP_IS_UTC, c->type.zoned);
    dn_thrift_field_struct(w, DN_PQ_TIMESTAMP_UNIT);
    dn_thrift_field_empty_struct(w, unit == DN_UNIT_MS   ? DN_PQ_MILLIS
                                    : unit == DN_UNIT_US ? DN_PQ_MICROS
                                                         : DN_PQ_NANOS);
    dn_thrift_struct_end(w);
    dn_thrift_struct_end(w);
}

static void write_integer(const struct dn_pq_column *c, struct dn_thrift_writer *w)
{
    dn_thrift_field_struct(w, DN_PQ_LOGICAL_INTEGER);
    dn_thrift_field_i8(w, DN_PQ_INTEGER_BIT_WIDTH, (int8_t)(8 * dn_type_width(c->type)));
    dn_thrift_field_bool(w, DN_PQ_INTEGER_IS_SIGNED, c->order == DN_PQ_ORDERED);
    dn_thrift_struct_end(w);
}

static void write_logical(const struct dn_pq_column *c, struct dn_thrift_writer *w)
{
    dn_thrift_field_struct(w, DN_PQ_SCHEMA_LOGICAL);
    switch (c->logical) {
    case DN_PQ_LOGICAL_TIME:
    case DN_PQ_LOGICAL_TIMESTAMP:
        write_unit(c, w);
        break;
    case DN_PQ_LOGICAL_INTEGER:
        write_integer(c, w);
        break;
    case DN_PQ_LOGICAL_DECIMAL:
        dn_thrift_field_struct(w, DN_PQ_LOGICAL_DECIMAL);
        dn_thrift_field_i32(w, DN_PQ_DECIMAL_SCALE, c->type.scale);
        dn_thrift_field_i32(w, DN_PQ_DECIMAL_PRECISION, c->type.precision);
        dn_thrift_struct_end(w);
        break;
    default:
        dn_thrift_field_empty_struct(w, (int16_t)c->logical);
        break;
    }
    dn_thrift_struct_end(w);
}

void dn_pq_column_write_schema(const struct dn_pq_column *c, const char *name,
                               struct dn_thrift_writer *w)
{
    dn_thrift_struct_begin(w);
    dn_thrift_field_i32(w, DN_PQ_SCHEMA_TYPE, (int32_t)c->physical);
    if (c->kind == DN_PQ_KIND_FIXED) {
        dn_thrift_field_i32(w, DN_PQ_SCHEMA_TYPE_LENGTH, (int32_t)c->width);
    }
    dn_thrift_field_i32(w, DN_PQ_SCHEMA_REPETITION, c->nullable ? DN_PQ_OPTIONAL : DN_PQ_REQUIRED);
    dn_thrift_field_binary(w, DN_PQ_SCHEMA_NAME, name, strlen(name));
    if (c->converted != DN_PQ_CONVERTED_NONE) {
        dn_thrift_field_i32(w, DN_PQ_SCHEMA_CONVERTED, (int32_t)c->converted);
    }
    if (c->logical == DN_PQ_LOGICAL_DECIMAL) {
        dn_thrift_field_i32(w, DN_PQ_SCHEMA_SCALE, c->type.scale);
        dn_thrift_field_i32(w, DN_PQ_SCHEMA_PRECISION, c->type.precision);
    }
    if (c->field_id != DN_PQ_NO_FIELD_ID) {
        dn_thrift_field_i32(w, DN_PQ_SCHEMA_FIELD_ID, c->field_id);
    }
    if (c->logical != DN_PQ_LOGICAL_NONE) {
        write_logical(c, w);
    }
    dn_thrift_struct_end(w);
}
