#include "base/memory.h"
#include "base/strings.h"
#include "parquet/write/writer_internal.h"
#include "text/format.h"

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

/* A bound as a person reads it: numbers, true and false as they are, the rest as text. */
static enum dn_status append_bound(struct dn_buffer *out, const struct dn_pq_column *c,
                                   const struct dn_pq_bound *b, struct dn_error *err)
{
    char text[DN_FORMAT_MAX];
    int32_t i32;
    int64_t i64;
    float f32;
    double f64;

    if (!b->present) {
        return dn_text_append(out, "null", err);
    }
    switch (c->type.id) {
    case DN_TYPE_BOOL:
        return dn_text_append(out, b->bytes[0] != 0 ? "true" : "false", err);
    case DN_TYPE_INT32:
        memcpy(&i32, b->bytes, sizeof i32);
        return append_quoted(out, text, dn_format_int64(text, i32), false, err);
    case DN_TYPE_DATE32:
        memcpy(&i32, b->bytes, sizeof i32);
        return append_quoted(out, text, dn_format_date32(text, i32), true, err);
    case DN_TYPE_INT64:
        memcpy(&i64, b->bytes, sizeof i64);
        return append_quoted(out, text, dn_format_int64(text, i64), false, err);
    case DN_TYPE_TIMESTAMP:
        memcpy(&i64, b->bytes, sizeof i64);
        return append_quoted(out, text, dn_format_timestamp_us(text, i64, c->type.zoned), true,
                             err);
    case DN_TYPE_FLOAT32:
        memcpy(&f32, b->bytes, sizeof f32);
        return append_float(out, (double)f32, err);
    case DN_TYPE_FLOAT64:
        memcpy(&f64, b->bytes, sizeof f64);
        return append_float(out, f64, err);
    case DN_TYPE_UTF8:
    case DN_TYPE_LARGE_UTF8:
    case DN_TYPE_UTF8_VIEW:
        return dn_text_append_json_string(out, b->bytes, b->len, err);
    default:
        break;
    }
    return dn_text_append(out, "null", err);
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
