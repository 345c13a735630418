/* @NAME@: a writer of Level 1. A row is a line of JSON: {"id":1,"name":"Ann"}. Replace the three functions. */
#define PLUGIN_NAME "@NAME@"
#define PLUGIN_VERSION "0.1.0"
#include "level1_writer.h"

#include <math.h>
#include <time.h>

static int32_t file_header(FILE *out, const char *config, const struct cell *cells, int n, struct dativo_error *err)
{
    (void)out, (void)config, (void)err; /* lines of JSON have no header */
    for (int i = 0; i < n; i++)
        if (cells[i].name[0] == '\0') return fail(err, DATIVO_ERR_UNSUPPORTED, "column %d has no name", i + 1);
    return DATIVO_OK;
}

static int32_t moment_write(FILE *out, const struct cell *c, struct dativo_error *err)
{
    const int64_t second = c->type == TYPE_DATE ? c->i * 86400 : (c->i - (c->i < 0 ? 999999 : 0)) / 1000000;
    const int64_t micros = c->type == TYPE_DATE ? 0 : c->i - second * 1000000;
    const time_t at = (time_t)second;
    char text[64] = "";
    struct tm tm;
    if (gmtime_r(&at, &tm) == NULL || strftime(text, sizeof text, c->type == TYPE_DATE ? "%Y-%m-%d" : "%Y-%m-%dT%H:%M:%S", &tm) == 0)
        return fail(err, DATIVO_ERR_DATA, "column \"%s\": %lld is no moment that can be written", c->name, (long long)c->i);
    fprintf(out, "\"%s", text);
    if (micros != 0) fprintf(out, ".%06lld", (long long)micros);
    fputs(c->type == TYPE_TIMESTAMPTZ ? "Z\"" : "\"", out);
    return DATIVO_OK;
}

static int32_t value_write(FILE *out, const struct cell *c, struct dativo_error *err)
{
    if (c->is_null) fputs("null", out);
    else if (c->type == TYPE_STRING) json_write(out, c->text, c->len);
    else if (c->type == TYPE_INT64) fprintf(out, "%lld", (long long)c->i);
    else if (c->type == TYPE_BOOL) fputs(c->i != 0 ? "true" : "false", out);
    else if (c->type != TYPE_FLOAT64) return moment_write(out, c, err);
    else if (!isfinite(c->f)) return fail(err, DATIVO_ERR_DATA, "column \"%s\": JSON has no %g", c->name, c->f);
    else fprintf(out, "%.17g", c->f);
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
