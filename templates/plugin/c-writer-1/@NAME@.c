/* @NAME@: a writer of Level 1. A row is a line of JSON: {"id":1,"name":"Ann"}. Replace the three functions. */
#define PLUGIN_NAME "@NAME@"
#define PLUGIN_VERSION "0.1.0"
#include "level1_writer.h"

#include <math.h>

static int32_t file_header(FILE *out, const char *config, const struct cell *cells, int n, struct dativo_error *err)
{
    (void)out, (void)config, (void)err; /* lines of JSON have no header */
    for (int i = 0; i < n; i++)
        if (cells[i].name[0] == '\0') return fail(err, DATIVO_ERR_UNSUPPORTED, "column %d has no name", i + 1);
    return DATIVO_OK;
}

/*
 * The civil date of a day since 1970-01-01: years begin in March, so that the leap day is their last. Years of no four digits have a
 * sign and six or more, as ISO 8601 has it.
 */
static void date_write(FILE *out, int64_t day)
{
    day += 719468;
    const int64_t era = (day - (day < 0 ? 146096 : 0)) / 146097, of_era = day - era * 146097;
    const int64_t of_era_year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    const int64_t of_year = of_era - (365 * of_era_year + of_era_year / 4 - of_era_year / 100);
    const int64_t march = (5 * of_year + 2) / 153, month = march < 10 ? march + 3 : march - 9;
    const int64_t year = of_era_year + era * 400 + (month <= 2);
    fprintf(out, year < 0 || year > 9999 ? "%+07lld" : "%04lld", (long long)year);
    fprintf(out, "-%02d-%02d", (int)month, (int)(of_year - (153 * march + 2) / 5 + 1));
}

static void moment_write(FILE *out, int64_t micros)
{
    const int64_t a_day = 86400000000, rest = (micros % a_day + a_day) % a_day, second = rest / 1000000;
    date_write(out, micros / a_day - (micros % a_day < 0));
    fprintf(out, "T%02d:%02d:%02d", (int)(second / 3600), (int)(second / 60 % 60), (int)(second % 60));
    if (rest % 1000000 != 0) fprintf(out, ".%06d", (int)(rest % 1000000));
}

/* With as few digits as give it back, as no whole number, and with a point whatever the host's locale has. */
static void float_write(FILE *out, double value)
{
    char text[64];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    const size_t n = strspn(text, "+-0123456789"), more = strcspn(text + n, "+-0123456789e");
    fprintf(out, "%.*s%s%s", (int)n, text, more > 0 ? "." : text[n] == '\0' ? ".0" : "", text + n + more);
}

static int32_t value_write(FILE *out, const struct cell *c, struct dativo_error *err)
{
    if (c->is_null) fputs("null", out);
    else if (c->type == TYPE_STRING) json_write(out, c->text, c->len);
    else if (c->type == TYPE_INT64) fprintf(out, "%lld", (long long)c->i);
    else if (c->type == TYPE_BOOL) fputs(c->i != 0 ? "true" : "false", out);
    else if (c->type != TYPE_FLOAT64) {
        fputc('"', out);
        if (c->type == TYPE_DATE) date_write(out, c->i);
        else moment_write(out, c->i);
        fputs(c->type == TYPE_TIMESTAMPTZ ? "Z\"" : "\"", out);
    } else if (!isfinite(c->f)) return fail(err, DATIVO_ERR_DATA, "column \"%s\": JSON has no %g", c->name, c->f);
    else float_write(out, c->f);
    return DATIVO_OK;
}

static int32_t row_write(FILE *out, const struct cell *cells, int n, struct dativo_error *err)
{
    for (int i = 0; i < n; i++) {
        fputc(i == 0 ? '{' : ',', out);
        json_write(out, cells[i].name, strlen(cells[i].name));
        fputc(':', out);
        const int32_t code = value_write(out, &cells[i], err);
        if (code != DATIVO_OK) return code;
    }
    fputs("}\n", out);
    return DATIVO_OK;
}

static int32_t file_end(FILE *out, struct dativo_error *err)
{
    (void)out, (void)err;
    return DATIVO_OK;
}

const struct level1_writer level1_writer = {.begin = file_header, .row = row_write, .end = file_end};
