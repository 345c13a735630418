#include "pg_dump.h"

#include "pg/array.h"
#include "pg/datetime.h"
#include "pg/numeric.h"

#include <math.h>
#include <string.h>

#define ELEMENT_END '\x1f'

/* As COPY's text format has it. */
static void put_escaped(FILE *out, const void *text, size_t len)
{
    static const char from[] = "\\\n\t\r\b\f\v";
    static const char to[] = "\\ntrbfv";
    const char *bytes = text;

    for (size_t i = 0; i < len; i++) {
        const char *special = bytes[i] != '\0' ? strchr(from, bytes[i]) : NULL;
        if (special != NULL) {
            (void)fputc('\\', out);
            (void)fputc(to[special - from], out);
        } else {
            (void)fputc(bytes[i], out);
        }
    }
}

/* 0044-03-15, and whether it is BC, which is written behind the time. */
static bool put_date(FILE *out, int64_t days)
{
    /* counted in eras of 400 years from 0000-03-01 */
    const int64_t z = days + 719468;
    const int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    const int64_t doe = z - era * 146097;
    const int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    const int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    const int64_t mp = (5 * doy + 2) / 153;
    const int64_t month = mp < 10 ? mp + 3 : mp - 9;
    const int64_t year = yoe + era * 400 + (month <= 2 ? 1 : 0);

    (void)fprintf(out, "%04lld-%02lld-%02lld", (long long)(year > 0 ? year : 1 - year),
                  (long long)month, (long long)(doy - (153 * mp + 2) / 5 + 1));
    return year <= 0;
}

static void put_timestamp(FILE *out, int64_t us, bool zoned)
{
    const int64_t days = (us >= 0 ? us : us - (DN_PG_MICROS_PER_DAY - 1)) / DN_PG_MICROS_PER_DAY;
    char time[DN_PG_DATETIME_TEXT];
    const bool bc = put_date(out, days);
    const size_t n = dn_pg_time_text(time, us - days * DN_PG_MICROS_PER_DAY);

    (void)fprintf(out, " %.*s%s%s", (int)n, time, zoned ? "+00" : "", bc ? " BC" : "");
}

static enum dn_pg_verdict put_datetime(FILE *out, enum dn_pg_kind kind, const uint8_t *p,
                                       size_t len)
{
    enum dn_pg_verdict v = DN_PG_FORM;
    char text[DN_PG_DATETIME_TEXT];
    struct dn_pg_timetz tz;
    struct dn_pg_interval interval;
    int32_t days = 0;
    int64_t us = 0;

    if (kind == DN_PG_KIND_DATE) {
        v = dn_pg_date(p, len, &days);
        if (v == DN_PG_GOOD && put_date(out, days)) {
            (void)fputs(" BC", out);
        }
    } else if (kind == DN_PG_KIND_TIME) {
        v = dn_pg_time(p, len, &us);
        if (v == DN_PG_GOOD || v == DN_PG_END_OF_DAY) {
            us = v == DN_PG_GOOD ? us : DN_PG_MICROS_PER_DAY;
            (void)fwrite(text, 1, dn_pg_time_text(text, us), out);
            v = DN_PG_GOOD;
        }
    } else if (kind == DN_PG_KIND_TIMETZ) {
        v = dn_pg_timetz(p, len, &tz);
        if (v == DN_PG_GOOD) {
            (void)fwrite(text, 1, dn_pg_timetz_text(text, &tz), out);
        }
    } else if (kind == DN_PG_KIND_INTERVAL) {
        v = dn_pg_interval(p, len, &interval);
        if (v == DN_PG_GOOD) {
            (void)fwrite(text, 1, dn_pg_interval_text(text, &interval), out);
        }
    } else {
        v = dn_pg_timestamp(p, len, &us);
        if (v == DN_PG_GOOD) {
            put_timestamp(out, us, kind == DN_PG_KIND_TIMESTAMPTZ);
        }
    }
    if (v == DN_PG_INFINITY || v == DN_PG_NEGATIVE_INFINITY) {
        (void)fputs(v == DN_PG_INFINITY ? "infinity" : "-infinity", out);
        v = DN_PG_GOOD;
    }
    return v;
}

static void put_integer(FILE *out, const uint8_t *bytes, size_t n, int scale)
{
    (void)fprintf(out, "%zu:", n * 8);
    for (size_t i = 0; i < n; i++) {
        (void)fprintf(out, "%02x", bytes[i]);
    }
    (void)fprintf(out, ":%d", scale);
}

static enum dn_pg_verdict put_numeric(FILE *out, int32_t typmod, const uint8_t *p, size_t len)
{
    int precision = 0;
    int scale = 0;
    uint8_t integer[32];
    enum dn_pg_verdict v = DN_PG_RANGE;

    if (dn_pg_numeric_typmod(typmod, &precision, &scale) && precision <= DN_PG_MAX_PRECISION_256) {
        const bool small = precision <= DN_PG_MAX_PRECISION_128;
        v = small ? dn_pg_numeric_128(p, len, precision, scale, integer)
                  : dn_pg_numeric_256(p, len, precision, scale, integer);
        if (v == DN_PG_GOOD) {
            put_integer(out, integer, small ? 16 : 32, scale);
        }
    }
    if (v != DN_PG_GOOD) { /* also NaN and infinities, which have texts */
        struct dn_buffer text = {0};
        if (dn_pg_numeric_text(p, len, &text, &v, NULL) == DN_OK && v == DN_PG_GOOD) {
            (void)fwrite(text.data, 1, text.len, out);
        }
        dn_buffer_finish(&text);
    }
    return v;
}

static enum dn_pg_verdict put_number(FILE *out, enum dn_pg_kind kind, const uint8_t *p, size_t len)
{
    enum dn_pg_verdict v = DN_PG_FORM;
    int16_t small = 0;
    int32_t middle = 0;
    int64_t large = 0;
    uint32_t oid = 0;
    float f = 0;
    double d = 0;

    if (kind == DN_PG_KIND_INT16) {
        v = dn_pg_int16(p, len, &small);
        (void)fprintf(out, "%d", small);
    } else if (kind == DN_PG_KIND_INT32) {
        v = dn_pg_int32(p, len, &middle);
        (void)fprintf(out, "%d", middle);
    } else if (kind == DN_PG_KIND_INT64) {
        v = dn_pg_int64(p, len, &large);
        (void)fprintf(out, "%lld", (long long)large);
    } else if (kind == DN_PG_KIND_OID) {
        v = dn_pg_uint32(p, len, &oid);
        (void)fprintf(out, "%u", oid);
    } else if (kind == DN_PG_KIND_FLOAT32) {
        v = dn_pg_float32(p, len, &f);
        (void)fprintf(out, "%.17g", (double)f);
    } else {
        v = dn_pg_float64(p, len, &d);
        (void)fprintf(out, "%.17g", d);
    }
    return v;
}

static enum dn_pg_verdict put_bytes(FILE *out, enum dn_pg_kind kind, const uint8_t *p, size_t len)
{
    const uint8_t *run = p;
    size_t run_len = len;
    enum dn_pg_verdict v = DN_PG_GOOD;

    if (kind == DN_PG_KIND_BYTES) {
        (void)fputs("\\\\x", out);
        for (size_t i = 0; i < len; i++) {
            (void)fprintf(out, "%02x", p[i]);
        }
        return DN_PG_GOOD;
    }
    v = kind == DN_PG_KIND_JSONB ? dn_pg_jsonb(p, len, &run, &run_len)
                                 : dn_pg_text(p, len, &run, &run_len);
    if (v == DN_PG_GOOD) {
        put_escaped(out, run, run_len);
    }
    return v;
}

static enum dn_pg_verdict put_uuid(FILE *out, const uint8_t *p, size_t len)
{
    uint8_t uuid[16];
    const enum dn_pg_verdict v = dn_pg_uuid(p, len, uuid);

    for (size_t i = 0; v == DN_PG_GOOD && i < 16; i++) {
        (void)fprintf(out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", uuid[i]);
    }
    return v;
}

static enum dn_pg_verdict put_value(FILE *out, const struct dn_pg_field *f, const uint8_t *p,
                                    size_t len)
{
    bool truth = false;
    enum dn_pg_verdict v = DN_PG_FORM;

    switch (f->kind) {
    case DN_PG_KIND_BOOL:
        v = dn_pg_bool(p, len, &truth);
        (void)fputc(truth ? 't' : 'f', out);
        return v;
    case DN_PG_KIND_INT16:
    case DN_PG_KIND_INT32:
    case DN_PG_KIND_INT64:
    case DN_PG_KIND_OID:
    case DN_PG_KIND_FLOAT32:
    case DN_PG_KIND_FLOAT64:
        return put_number(out, f->kind, p, len);
    case DN_PG_KIND_NUMERIC:
        return put_numeric(out, f->typmod, p, len);
    case DN_PG_KIND_TEXT:
    case DN_PG_KIND_JSON:
    case DN_PG_KIND_JSONB:
    case DN_PG_KIND_BYTES:
        return put_bytes(out, f->kind, p, len);
    case DN_PG_KIND_UUID:
        return put_uuid(out, p, len);
    case DN_PG_KIND_DATE:
    case DN_PG_KIND_TIME:
    case DN_PG_KIND_TIMETZ:
    case DN_PG_KIND_TIMESTAMP:
    case DN_PG_KIND_TIMESTAMPTZ:
    case DN_PG_KIND_INTERVAL:
        return put_datetime(out, f->kind, p, len);
    default:
        return DN_PG_FORM;
    }
}

static enum dn_pg_verdict put_array(FILE *out, const struct dn_pg_field *f, const uint8_t *p,
                                    size_t len)
{
    struct dn_pg_array a;
    enum dn_pg_verdict v = dn_pg_array_open(&a, p, len);

    for (int i = 0; v == DN_PG_GOOD && i < a.n_dimensions; i++) {
        (void)fprintf(out, "[%d:%d]", a.lower_bounds[i], a.lower_bounds[i] + a.sizes[i] - 1);
    }
    if (v == DN_PG_GOOD) {
        (void)fputc(':', out);
    }
    for (int64_t i = 0; v == DN_PG_GOOD && i < a.n_elements; i++) {
        const uint8_t *element = NULL;
        size_t element_len = 0;
        v = dn_pg_array_next(&a, &element, &element_len);
        if (i > 0) {
            (void)fputc(ELEMENT_END, out);
        }
        if (v == DN_PG_GOOD && element == NULL) {
            (void)fputs("NULL", out);
        } else if (v == DN_PG_GOOD) {
            v = put_value(out, f, element, element_len);
        }
    }
    return v == DN_PG_GOOD ? dn_pg_array_close(&a) : v;
}

enum dn_status pg_dump_block(FILE *out, const struct dn_pg_block *block,
                             const struct dn_pg_field *fields, struct dn_error *err)
{
    for (size_t row = 0; row < block->n_rows; row++) {
        for (size_t column = 0; column < block->n_columns; column++) {
            const struct dn_pg_cells cells = dn_pg_block_cells(block, column, row, 1);
            const uint8_t *cell = dn_pg_cell(&cells, 0);
            const int32_t len = dn_pg_cell_len(cell);
            const struct dn_pg_field *f = &fields[column];
            enum dn_pg_verdict v = DN_PG_GOOD;

            if (column > 0) {
                (void)fputc('\t', out);
            }
            if (len < 0) {
                (void)fputs("\\N", out);
            } else {
                v = f->is_array ? put_array(out, f, cell, (size_t)len)
                                : put_value(out, f, cell, (size_t)len);
            }
            if (v != DN_PG_GOOD) {
                return dn_error_set(err, DN_ERR_DATA, "a value of column %s %s", f->name,
                                    dn_pg_verdict_text(v));
            }
        }
        (void)fputc('\n', out);
    }
    return DN_OK;
}
