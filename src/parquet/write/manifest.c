#include "base/memory.h"
#include "base/strings.h"
#include "parquet/write/writer_internal.h"
#include "text/format.h"
#include "values/value_text.h"

static enum dn_status append_quoted(struct dn_buffer *out, const char *text, size_t len,
                                    bool quoted, struct dn_error *err)
{
    return quoted ? dn_text_append_json_string(out, text, len, err)
                  : dn_buffer_append(out, text, len, err);
}

static enum dn_status append_float(struct dn_buffer *out, double value, struct dn_error *err)
{
    char text[DN_FORMAT_MAX];
    const bool finite = value - value == 0; /* JSON has no word for the others */

    return append_quoted(out, text, dn_format_float64(text, value), !finite, err);
}

static enum dn_status append_decimal(struct dn_buffer *out, const struct dn_pq_column *c,
                                     const struct dn_pq_bound *b, struct dn_error *err)
{
    const bool is_bytes = c->kind == DN_PQ_KIND_FIXED; /* the highest first */
    const uint8_t sign = (b->bytes[is_bytes ? 0 : b->len - 1] & 0x80) != 0 ? 0xff : 0;
    char text[DN_FORMAT_DECIMAL_MAX];
    uint8_t value[DN_PQ_STORE_WIDTH];

    memset(value, sign, sizeof value);
    for (size_t i = 0; i < b->len; i++) {
        value[i] = b->bytes[is_bytes ? b->len - 1 - i : i];
    }
    return append_quoted(out, text, dn_format_decimal(text, value, sizeof value, c->type.scale),
                         true, err);
}

/* As `inspect` shows them. */
static enum dn_status append_bytes(struct dn_buffer *out, const struct dn_pq_column *c,
                                   const struct dn_pq_bound *b, struct dn_error *err)
{
    char text[DN_FORMAT_UUID_LEN];

    if (c->type.extension == DN_EXTENSION_UUID) {
        return append_quoted(out, text, dn_format_uuid(text, b->bytes), true, err);
    }
    DN_TRY(dn_text_append(out, "\"0x", err));
    for (size_t i = 0; i < b->len; i++) {
        DN_TRY(dn_text_appendf(out, err, "%02x", b->bytes[i]));
    }
    return dn_buffer_append_byte(out, '"', err);
}

/* Integers, and what counts days or parts of seconds with them. */
static enum dn_status append_integer(struct dn_buffer *out, const struct dn_pq_column *c,
                                     const struct dn_pq_bound *b, struct dn_error *err)
{
    static const int digits[] = {
        [DN_UNIT_S] = 0, [DN_UNIT_MS] = 3, [DN_UNIT_US] = 6, [DN_UNIT_NS] = 9};
    char text[DN_FORMAT_MAX];
    const int64_t value =
        b->len == 4 ? (int64_t)(int32_t)dn_pq_load32(b->bytes) : (int64_t)dn_pq_load64(b->bytes);
    const int n_digits = digits[c->read.unit];

    switch (c->read.id) {
    case DN_TYPE_DATE32:
        return append_quoted(out, text, dn_format_date32(text, (int32_t)value), true, err);
    case DN_TYPE_TIME:
        return append_quoted(out, text, dn_format_time(text, value, n_digits), true, err);
    case DN_TYPE_TIMESTAMP:
        return append_quoted(out, text, dn_format_timestamp(text, value, n_digits, c->type.zoned),
                             true, err);
    case DN_TYPE_UINT32:
        return append_quoted(out, text, dn_format_uint64(text, (uint32_t)value), false, err);
    case DN_TYPE_UINT64: /* beyond int64 as a text: readers of JSON have no such numbers */
        return append_quoted(out, text, dn_format_uint64(text, (uint64_t)value), value < 0, err);
    default:
        return append_quoted(out, text, dn_format_int64(text, value), false, err);
    }
}

static enum dn_status append_duration(struct dn_buffer *out, const struct dn_pq_column *c,
                                      const struct dn_pq_bound *b, struct dn_error *err)
{
    const int64_t value = (int64_t)dn_pq_load64(b->bytes);
    const struct dn_column_view view = {
        .type = c->type, .layout = DN_LAYOUT_FIXED, .width = 8, .n_rows = 1, .values = &value};
    char text[DN_FORMAT_MAX * 2];

    return append_quoted(out, text, dn_value_text(text, &view, 0), true, err);
}

/* A bound as a person reads it: numbers, true and false as they are, the rest as text. */
static enum dn_status append_bound(struct dn_buffer *out, const struct dn_pq_column *c,
                                   const struct dn_pq_bound *b, struct dn_error *err)
{
    float f32;
    double f64;

    if (!b->present) {
        return dn_text_append(out, "null", err);
    }
    switch (c->type.id) {
    case DN_TYPE_BOOL:
        return dn_text_append(out, b->bytes[0] != 0 ? "true" : "false", err);
    case DN_TYPE_FLOAT16:
        return append_float(out, (double)dn_float16_to_float32(dn_pq_load16(b->bytes)), err);
    case DN_TYPE_FLOAT32:
        memcpy(&f32, b->bytes, sizeof f32);
        return append_float(out, (double)f32, err);
    case DN_TYPE_FLOAT64:
        memcpy(&f64, b->bytes, sizeof f64);
        return append_float(out, f64, err);
    case DN_TYPE_DECIMAL128:
    case DN_TYPE_DECIMAL256:
        return append_decimal(out, c, b, err);
    case DN_TYPE_UTF8:
    case DN_TYPE_LARGE_UTF8:
    case DN_TYPE_UTF8_VIEW:
        return dn_text_append_json_string(out, b->bytes, b->len, err);
    case DN_TYPE_BINARY:
    case DN_TYPE_LARGE_BINARY:
    case DN_TYPE_BINARY_VIEW:
    case DN_TYPE_FIXED_BINARY:
        return append_bytes(out, c, b, err);
    case DN_TYPE_INTERVAL_MONTHS: /* as texts; of Parquet's own there are no bounds */
    case DN_TYPE_INTERVAL_DAY_TIME:
    case DN_TYPE_INTERVAL_MONTH_DAY_NANO:
        return dn_text_append_json_string(out, b->bytes, b->len, err);
    case DN_TYPE_DURATION:
        return append_duration(out, c, b, err);
    default:
        return append_integer(out, c, b, err);
    }
}

static enum dn_status append_column(struct dn_buffer *out, const struct dn_pq_column *c,
                                    const struct dn_pq_stats *stats, struct dn_error *err)
{
    struct dn_pq_bound min;
    struct dn_pq_bound max;

    dn_pq_stats_bounds(stats, &min, &max);
    DN_TRY(dn_text_append(out, "{\"name\":", err));
    DN_TRY(dn_text_append_json_string(out, c->name, strlen(c->name), err));
    DN_TRY(dn_text_append(out, ",\"min\":", err));
    DN_TRY(append_bound(out, c, &min, err));
    DN_TRY(dn_text_append(out, ",\"max\":", err));
    DN_TRY(append_bound(out, c, &max, err));
    return dn_text_appendf(out, err, ",\"null_count\":%lld}", (long long)stats->n_nulls);
}

static enum dn_status append_file(struct dn_buffer *out, const struct dn_parquet_writer *w,
                                  struct dn_error *err)
{
    DN_TRY(dn_text_append(out, "[{\"path\":", err));
    DN_TRY(dn_text_append_json_string(out, w->path, strlen(w->path), err));
    DN_TRY(dn_text_appendf(out, err, ",\"size_bytes\":%llu,\"record_count\":%lld,\"columns\":[",
                           (unsigned long long)dn_sink_position(w->sink), (long long)w->n_rows));
    for (int64_t i = 0; i < w->n_columns; i++) {
        if (i > 0) {
            DN_TRY(dn_buffer_append_byte(out, ',', err));
        }
        DN_TRY(append_column(out, &w->columns[i], &w->totals[i], err));
    }
    return dn_text_append(out, "]}]", err);
}

enum dn_status dn_parquet_manifest(struct dn_parquet_writer *w, char **out_json,
                                   struct dn_error *err)
{
    struct dn_buffer out = {0};
    enum dn_status st = DN_OK;

    *out_json = NULL;
    DN_TRY(dn_owner_check(&w->owner, "Parquet writer", err));
    DN_TRY(dn_pq_writer_check(w, err));
    if (w->state == DN_PQ_OPEN) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "the manifest of '%s' was asked for before it was finished", w->path);
    }
    DN_TRY_GOTO(st, append_file(&out, w, err), cleanup);
    *out_json = dn_text_take(&out);
    if (*out_json == NULL) {
        st = dn_error_memory(err, out.len + 1);
    }
cleanup:
    dn_buffer_finish(&out);
    return st;
}
