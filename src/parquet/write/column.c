#include "parquet/write/column.h"

#include "base/memory.h"
#include "base/utf8.h"

struct mapping {
    struct dn_type type;
    enum dn_pq_kind kind;
    enum dn_pq_type physical;
    enum dn_pq_converted converted;
    enum dn_pq_logical logical;
};

/* Old readers take TIMESTAMP_MICROS for an instant, so a time without a zone must do without a converted type. */
static const struct mapping mappings[] = {
    {DN_TYPE_INIT(NULL), DN_PQ_KIND_NULL, DN_PQ_INT32, DN_PQ_CONVERTED_NONE, DN_PQ_LOGICAL_UNKNOWN},
    {DN_TYPE_INIT(BOOL), DN_PQ_KIND_BOOL, DN_PQ_BOOLEAN, DN_PQ_CONVERTED_NONE, DN_PQ_LOGICAL_NONE},
    {DN_TYPE_INIT(INT32), DN_PQ_KIND_I32, DN_PQ_INT32, DN_PQ_CONVERTED_NONE, DN_PQ_LOGICAL_NONE},
    {DN_TYPE_INIT(INT64), DN_PQ_KIND_I64, DN_PQ_INT64, DN_PQ_CONVERTED_NONE, DN_PQ_LOGICAL_NONE},
    {DN_TYPE_INIT(FLOAT32), DN_PQ_KIND_F32, DN_PQ_FLOAT, DN_PQ_CONVERTED_NONE, DN_PQ_LOGICAL_NONE},
    {DN_TYPE_INIT(FLOAT64), DN_PQ_KIND_F64, DN_PQ_DOUBLE, DN_PQ_CONVERTED_NONE, DN_PQ_LOGICAL_NONE},
    {DN_TYPE_INIT(DATE32), DN_PQ_KIND_I32, DN_PQ_INT32, DN_PQ_CONVERTED_DATE, DN_PQ_LOGICAL_DATE},
    {DN_TIMESTAMP_INIT(US), DN_PQ_KIND_I64, DN_PQ_INT64, DN_PQ_CONVERTED_NONE,
     DN_PQ_LOGICAL_TIMESTAMP},
    {DN_TIMESTAMPTZ_INIT(US), DN_PQ_KIND_I64, DN_PQ_INT64, DN_PQ_CONVERTED_TIMESTAMP_MICROS,
     DN_PQ_LOGICAL_TIMESTAMP},
    {DN_TYPE_INIT(UTF8), DN_PQ_KIND_TEXT, DN_PQ_BYTE_ARRAY, DN_PQ_CONVERTED_UTF8,
     DN_PQ_LOGICAL_STRING},
    {DN_TYPE_INIT(LARGE_UTF8), DN_PQ_KIND_TEXT, DN_PQ_BYTE_ARRAY, DN_PQ_CONVERTED_UTF8,
     DN_PQ_LOGICAL_STRING},
    {DN_TYPE_INIT(UTF8_VIEW), DN_PQ_KIND_TEXT, DN_PQ_BYTE_ARRAY, DN_PQ_CONVERTED_UTF8,
     DN_PQ_LOGICAL_STRING},
};

static size_t plain_width(enum dn_pq_type physical)
{
    switch (physical) {
    case DN_PQ_INT32:
    case DN_PQ_FLOAT:
        return 4;
    case DN_PQ_INT64:
    case DN_PQ_DOUBLE:
        return 8;
    case DN_PQ_BOOLEAN:
    case DN_PQ_INT96:
    case DN_PQ_BYTE_ARRAY:
    case DN_PQ_FIXED_LEN_BYTE_ARRAY:
        break;
    }
    return 0;
}

enum dn_status dn_pq_column_init(struct dn_pq_column *c, const struct dn_field *field,
                                 struct dn_error *err)
{
    const struct mapping *m = NULL;

    memset(c, 0, sizeof *c);
    for (size_t i = 0; i < sizeof mappings / sizeof mappings[0]; i++) {
        if (dn_type_equal(mappings[i].type, field->type)) {
            m = &mappings[i];
        }
    }
    if (m == NULL) {
        return dn_field_refuse(field, "cannot be written to Parquet", err);
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
    c->type = m->type;
    c->kind = m->kind;
    c->physical = m->physical;
    c->converted = m->converted;
    c->logical = m->logical;
    c->nullable = field->nullable || m->kind == DN_PQ_KIND_NULL;
    c->width = m->kind == DN_PQ_KIND_NULL ? 0 : plain_width(m->physical);
    return DN_OK;
}

void dn_pq_column_finish(struct dn_pq_column *c)
{
    dn_free(c->name);
    c->name = NULL;
}

static void write_logical(const struct dn_pq_column *c, struct dn_thrift_writer *w)
{
    dn_thrift_field_struct(w, DN_PQ_SCHEMA_LOGICAL);
    if (c->logical == DN_PQ_LOGICAL_TIMESTAMP) {
        dn_thrift_field_struct(w, DN_PQ_LOGICAL_TIMESTAMP);
        dn_thrift_field_bool(w, DN_PQ_TIMESTAMP_IS_UTC, c->type.zoned);
        dn_thrift_field_struct(w, DN_PQ_TIMESTAMP_UNIT);
        dn_thrift_field_empty_struct(w, DN_PQ_MICROS);
        dn_thrift_struct_end(w);
        dn_thrift_struct_end(w);
    } else {
        dn_thrift_field_empty_struct(w, (int16_t)c->logical);
    }
    dn_thrift_struct_end(w);
}

void dn_pq_column_write_schema(const struct dn_pq_column *c, struct dn_thrift_writer *w)
{
    dn_thrift_struct_begin(w);
    dn_thrift_field_i32(w, DN_PQ_SCHEMA_TYPE, (int32_t)c->physical);
    dn_thrift_field_i32(w, DN_PQ_SCHEMA_REPETITION, c->nullable ? DN_PQ_OPTIONAL : DN_PQ_REQUIRED);
    dn_thrift_field_binary(w, DN_PQ_SCHEMA_NAME, c->name, strlen(c->name));
    if (c->converted != DN_PQ_CONVERTED_NONE) {
        dn_thrift_field_i32(w, DN_PQ_SCHEMA_CONVERTED, (int32_t)c->converted);
    }
    if (c->logical != DN_PQ_LOGICAL_NONE) {
        write_logical(c, w);
    }
    dn_thrift_struct_end(w);
}
