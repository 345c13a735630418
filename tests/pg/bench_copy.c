/*
 * Where the client's time goes while a table comes out of PostgreSQL, over one connection:
 *
 *   pg_copy_bench KEY=VALUE... TABLE     (keys of a connection; rounds=3, block=1048576, tile=256)
 *
 * Each step does what the one above does, and more: messages are taken, cut into blocks, decoded into columns.
 */
#include "base/clock.h"
#include "base/memory.h"
#include "pg/column.h"
#include "pg/copy.h"
#include "pg/numeric.h"
#include "pg/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct dn_pg_params params;
static struct dn_pg_session_options options = {.params = &params};
static size_t block_bytes = (size_t)1 << 20;
static size_t tile_rows = 256;
static int n_rounds = 3;

struct table {
    const struct dn_pg_field *fields;
    size_t n;
    const char *select;
};

static uint8_t values[1 << 16];
static uint8_t validity[1 << 13];

static size_t decode_cells(const struct dn_pg_field *f, const struct dn_pg_cells *c,
                           struct dn_pg_sink *s)
{
    void *out = values;
    int precision = 0;
    int scale = 0;

    switch (f->kind) {
    case DN_PG_KIND_INT16:
        return dn_pg_column_int16(c, out, s);
    case DN_PG_KIND_INT32:
        return dn_pg_column_int32(c, out, s);
    case DN_PG_KIND_INT64:
        return dn_pg_column_int64(c, out, s);
    case DN_PG_KIND_FLOAT64:
        return dn_pg_column_float64(c, out, s);
    case DN_PG_KIND_DATE:
        return dn_pg_column_date(c, out, s);
    case DN_PG_KIND_TIMESTAMP:
    case DN_PG_KIND_TIMESTAMPTZ:
        return dn_pg_column_timestamp(c, out, s);
    case DN_PG_KIND_TEXT:
        return dn_pg_column_views(c, DN_PG_VIEW_TEXT, 0, out, s);
    case DN_PG_KIND_NUMERIC:
        if (dn_pg_numeric_typmod(f->typmod, &precision, &scale)) {
            return dn_pg_column_numeric_128(c, precision, scale, out, s);
        }
        return 0;
    default:
        return 0;
    }
}

static enum dn_status decode(const struct table *t, const struct dn_pg_block *b,
                             struct dn_error *err)
{
    for (size_t first = 0; first < b->n_rows; first += tile_rows) {
        const size_t n = b->n_rows - first < tile_rows ? b->n_rows - first : tile_rows;
        for (size_t column = 0; column < t->n; column++) {
            const struct dn_pg_cells cells = dn_pg_block_cells(b, column, first, n);
            struct dn_pg_sink s = {.validity = validity};
            memset(validity, 0, sizeof(validity) < n / 8 + 1 ? sizeof(validity) : n / 8 + 1);
            if (decode_cells(&t->fields[column], &cells, &s) != n) {
                return dn_error_set(err, DN_ERR_DATA, "column %s %s", t->fields[column].name,
                                    dn_pg_verdict_text(s.verdict));
            }
        }
    }
    return DN_OK;
}

static enum dn_status run(struct dn_pg_session *s, const struct table *t, bool decoding,
                          uint64_t *n_rows, uint64_t *n_bytes, struct dn_error *err)
{
    struct dn_pg_copy copy;
    struct dn_pg_block blocks[2];
    bool done = false;
    enum dn_status st = dn_pg_copy_start(&copy, s, t->select, (uint32_t)t->n, "the table", err);

    dn_pg_block_init(&blocks[0], (uint32_t)t->n, 0);
    dn_pg_block_init(&blocks[1], (uint32_t)t->n, 0);
    for (size_t i = 0; st == DN_OK && !done; i ^= 1) {
        struct dn_pg_block *b = &blocks[i];
        struct dn_pg_block *next = &blocks[i ^ 1];
        st = dn_pg_copy_read(&copy, b, block_bytes, &done, err);
        next->bytes.len = 0; /* its memory is used again */
        next->n_rows = 0;
        next->end = 0;
        if (st == DN_OK) {
            st = dn_pg_copy_move(&copy, b, next, err);
        }
        *n_bytes += b->bytes.len;
        if (st == DN_OK && decoding) {
            st = decode(t, b, err);
        }
    }
    *n_rows = copy.cutter.n_rows;
    dn_pg_block_finish(&blocks[0]);
    dn_pg_block_finish(&blocks[1]);
    return st;
}

static enum dn_status take_argument(char *arg, const char **table, struct dn_error *err)
{
    char *equals = strchr(arg, '=');

    if (equals == NULL) {
        *table = arg;
        return DN_OK;
    }
    *equals = '\0';
    if (strcmp(arg, "rounds") == 0) {
        n_rounds = (int)strtol(equals + 1, NULL, 10);
    } else if (strcmp(arg, "block") == 0) {
        block_bytes = strtoull(equals + 1, NULL, 10);
    } else if (strcmp(arg, "tile") == 0) {
        tile_rows = strtoull(equals + 1, NULL, 10);
    } else {
        return dn_pg_params_add(&params, arg, equals + 1, err);
    }
    return DN_OK;
}

static enum dn_status bench(struct dn_pg_session *s, const char *name, struct dn_arena *arena,
                            struct dn_error *err)
{
    const struct dn_pg_wish wish = {0};
    struct dn_pg_relation rel;
    struct dn_pg_plan plan;

    DN_TRY(dn_pg_session_begin(s, NULL, err));
    DN_TRY(dn_pg_session_widen(s, err));
    DN_TRY(dn_pg_relation_open(&rel, s, name, arena, err));
    DN_TRY(dn_pg_plan_make(&plan, &rel, &wish, arena, err));
    const struct table t = {rel.fields, rel.n_fields, plan.pieces[0].select};
    for (int round = 0; round < n_rounds; round++) {
        for (int decoding = 0; decoding < 2; decoding++) {
            const double wall = dn_clock_seconds();
            const double cpu = dn_clock_cpu_seconds();
            uint64_t n_rows = 0;
            uint64_t n_bytes = 0;
            DN_TRY(run(s, &t, decoding != 0, &n_rows, &n_bytes, err));
            printf("%-8s %8.3f s wall  %8.3f s cpu  %llu rows  %.1f MB\n",
                   decoding != 0 ? "decoded" : "cut", dn_clock_seconds() - wall,
                   dn_clock_cpu_seconds() - cpu, (unsigned long long)n_rows, (double)n_bytes / 1e6);
            (void)fflush(stdout);
        }
    }
    return DN_OK;
}

int main(int argc, char **argv)
{
    struct dn_pg_session *s = NULL;
    struct dn_arena arena = {0};
    struct dn_error err;
    const char *table = NULL;
    enum dn_status st = DN_OK;

    dn_error_clear(&err);
    for (int i = 1; st == DN_OK && i < argc; i++) {
        st = take_argument(argv[i], &table, &err);
    }
    if (st == DN_OK && (table == NULL || tile_rows == 0 || tile_rows > 2048)) {
        st = dn_error_set(&err, DN_ERR_INVALID, "usage: pg_copy_bench KEY=VALUE... TABLE");
    }
    if (st == DN_OK) {
        st = dn_pg_session_open(&s, &options, &err);
    }
    if (st == DN_OK) {
        st = bench(s, table, &arena, &err);
    }
    if (st != DN_OK) {
        fprintf(stderr, "%s\n", err.message);
    }
    dn_pg_session_close(s);
    dn_arena_finish(&arena);
    dn_pg_params_finish(&params);
    return (int)st;
}
