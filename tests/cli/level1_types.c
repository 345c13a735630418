/*
 * A reader on the helper header of `plugin new --level 1`: every type, with nulls, and what authors get wrong, on demand.
 * Row n of `rows` has n in every column in which (n + column) % 5 is not 0.
 */
#define PLUGIN_NAME "types"
#define PLUGIN_VERSION "1"
#include "level1_reader.h"

struct made {
    int64_t n, n_rows;
    char wrong[32];
};

static const struct column columns[] = {{"b", TYPE_BOOL, 0},      {"i", TYPE_INT64, 0},
                                        {"f", TYPE_FLOAT64, 0},   {"d", TYPE_DATE, 0},
                                        {"t", TYPE_TIMESTAMP, 0}, {"z", TYPE_TIMESTAMPTZ, 0},
                                        {"s", TYPE_STRING, 0},    {NULL, TYPE_BOOL, 0}};

static int32_t made_open(const char *config, void **source, const struct column **out,
                         struct dativo_error *err)
{
    struct made *m = calloc(1, sizeof *m);
    if (m == NULL)
        return fail(err, DATIVO_ERR_MEMORY, "no memory");
    *source = m;
    m->n_rows = 10;
    *out = columns;
    if (!json_int(config_option(config, "rows"), 0, 1 << 20, &m->n_rows))
        return option_fail(err, "rows", "must be a number of rows");
    static const char *long_name = /* 300 bytes */
        "NNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNN"
        "NNNNNNNNNN"
        "NNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNN"
        "NNNNNNNNNN"
        "NNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNN"
        "NNNNNNNNNN";
    static struct column with_long[sizeof columns / sizeof columns[0]];
    int long_names = 0;
    if (!json_bool(config_option(config, "long_names"), &long_names))
        return option_fail(err, "long_names", "must be true or false");
    if (long_names) {
        memcpy(with_long, columns, sizeof columns);
        with_long[1].name = long_name;
        *out = with_long;
    }
    json_text(config_option(config, "wrong"), m->wrong, sizeof m->wrong);
    return strcmp(m->wrong, "open") == 0 ? fail(err, DATIVO_ERR_TEMPORARY, "not now") : DATIVO_OK;
}

static int put_wrong(struct made *m, struct batch *b, struct dativo_error *err)
{
    if (strcmp(m->wrong, "type") == 0)
        put_int64(b, 6, 1);
    if (strcmp(m->wrong, "twice") == 0)
        put_string(b, 6, "again", 5);
    if (strcmp(m->wrong, "utf8") == 0)
        put_string(b, 6, "x\xed\xa0\x80", 4);
    if (strcmp(m->wrong, "silent") == 0)
        return DATIVO_ERR_IO;
    if (strcmp(m->wrong, "fail") == 0)
        return fail(err, DATIVO_ERR_IO, "the cable is cut");
    return ROW;
}

static int32_t made_next(void *source, struct batch *b, struct dativo_error *err)
{
    struct made *m = source;
    char text[64];
    if (m->n == m->n_rows)
        return END;
    const int64_t n = m->n++;
    const int len =
        snprintf(text, sizeof text, "t\xc3\xa4xt %lld of more than twelve bytes", (long long)n);
    if ((n + 0) % 5 != 0)
        put_bool(b, 0, n % 2 == 0);
    if ((n + 1) % 5 != 0)
        put_int64(b, 1, n);
    if ((n + 2) % 5 != 0)
        put_float64(b, 2, (double)n / 4);
    if ((n + 3) % 5 != 0)
        put_date(b, 3, (int32_t)n);
    if ((n + 4) % 5 != 0)
        put_int64(b, 4, n * 1000001);
    if ((n + 5) % 5 != 0)
        put_int64(b, 5, -n);
    if ((n + 6) % 5 != 0)
        put_string(b, 6, text, n % 3 == 0 ? 0 : (size_t)len);
    return n == m->n_rows - 1 ? put_wrong(m, b, err) : ROW;
}

static void made_close(void *source)
{
    free(source);
}

static const char *const options[] = {"rows", "wrong", "long_names", NULL};

const struct level1_reader level1_reader = {
    .options = options, .open = made_open, .next = made_next, .close = made_close};
