/*
 * Writes Parquet files of given numbers, for test_extremes.py.
 *
 *   write_numbers DIR < CASES
 *
 * A case is a line "NAME ROWS COLUMNS ROW_GROUP_ROWS PAGE_ROWS PAGE_BYTES BATCH_ROWS THREADS CODEC", and for every column a line
 * "TYPE NULLABLE", ROWS bytes that are 1 where there is a value, and ROWS numbers of 8 bytes, of which types of 4 bytes use the
 * low half.  0 stands for the default.  Columns are named c0, c1, ...; NAME is printed when DIR/NAME.parquet is complete.
 */
#include "arrow/batch.h"
#include "base/memory.h"
#include "dativo/parquet.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST_COLUMNS 16

struct column {
    struct dn_type type;
    bool nullable;
    int64_t n_nulls;
    uint8_t *validity;
    uint8_t *values;
    char name[8];
};

struct file {
    char name[64];
    char codec[16];
    int64_t n_rows;
    int64_t n_columns;
    int64_t batch_rows;
    struct dn_parquet_options options;
    struct column columns[MOST_COLUMNS];
};

static void fail(const char *what, const char *name)
{
    (void)fprintf(stderr, "write_numbers: %s: %s\n", what, name);
    exit(2);
}

static void read_bytes(void *out, size_t len, const char *name)
{
    if (fread(out, 1, len, stdin) != len) {
        fail("the case is cut short", name);
    }
}

static void read_column(struct file *f, struct column *c, int64_t at)
{
    char type[16];
    int nullable;

    if (scanf("%15s %d", type, &nullable) != 2 || getchar() != '\n') {
        fail("no column", f->name);
    }
    c->type = DN_TYPE(NULL);
    (void)dn_type_parse(type, &c->type);
    const size_t n = (size_t)f->n_rows;
    const size_t width = dn_type_width(c->type);
    uint8_t *wide = malloc(n * 8 + 1);
    c->nullable = nullable != 0;
    c->n_nulls = 0;
    c->validity = calloc(n / 8 + 1, 1);
    c->values = malloc(n * 8 + 1);
    (void)snprintf(c->name, sizeof c->name, "c%d", (int)at);
    if (width == 0 || wide == NULL || c->validity == NULL || c->values == NULL) {
        fail("no such column, or no memory", type);
    }
    read_bytes(wide, n, f->name);
    for (size_t i = 0; i < n; i++) {
        c->n_nulls += wide[i] == 0;
        c->validity[i >> 3] |= (uint8_t)(wide[i] << (i & 7));
    }
    read_bytes(wide, n * 8, f->name);
    for (size_t i = 0; i < n; i++) {
        memcpy(c->values + i * width, wide + i * 8, width);
    }
    free(wide);
}

static bool read_file(struct file *f)
{
    memset(f, 0, sizeof *f);
    const int n = scanf(
        "%63s %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %zu %" SCNd64 " %" SCNu32 " %15s",
        f->name, &f->n_rows, &f->n_columns, &f->options.row_group_rows, &f->options.page_rows,
        &f->options.page_bytes, &f->batch_rows, &f->options.n_threads, f->codec);
    if (n == EOF) {
        return false;
    }
    if (n != 9 || getchar() != '\n' || f->n_columns > MOST_COLUMNS || f->batch_rows < 1) {
        fail("no case", f->name);
    }
    f->options.struct_size = sizeof f->options;
    f->options.compression = f->codec;
    for (int64_t i = 0; i < f->n_columns; i++) {
        read_column(f, &f->columns[i], i);
    }
    return true;
}

static enum dn_status append(const struct file *f, struct dn_parquet_writer *w,
                             struct dn_error *err)
{
    struct dn_batch_column columns[MOST_COLUMNS];

    for (int64_t i = 0; i < f->n_columns; i++) {
        const struct column *c = &f->columns[i];
        columns[i] = (struct dn_batch_column){.type = c->type,
                                              .null_count = c->n_nulls,
                                              .validity = c->n_nulls > 0 ? c->validity : NULL,
                                              .values = c->values};
    }
    for (int64_t row = 0; row < f->n_rows; row += f->batch_rows) {
        struct ArrowArray batch;
        DN_TRY(dn_batch_export(&batch, f->n_rows, f->n_columns, columns, NULL, NULL, err));
        batch.offset = row;
        batch.length = f->n_rows - row < f->batch_rows ? f->n_rows - row : f->batch_rows;
        DN_TRY(dn_parquet_append(w, &batch, err));
    }
    return DN_OK;
}

static enum dn_status write_file(const struct file *f, const char *folder, struct dn_error *err)
{
    struct dn_field fields[MOST_COLUMNS];
    struct dn_parquet_writer *w = NULL;
    struct ArrowSchema schema;
    char path[1024];
    enum dn_status st = DN_OK;

    for (int64_t i = 0; i < f->n_columns; i++) {
        const struct column *c = &f->columns[i];
        fields[i] = (struct dn_field){c->name, c->type, c->nullable};
    }
    (void)snprintf(path, sizeof path, "%s/%s.parquet", folder, f->name);
    DN_TRY(dn_schema_make(&schema, fields, f->n_columns, err));
    DN_TRY_GOTO(st, dn_parquet_writer_open(&w, path, &schema, &f->options, err), cleanup);
    DN_TRY_GOTO(st, append(f, w, err), cleanup);
    DN_TRY_GOTO(st, dn_parquet_finish(w, err), cleanup);
    st = dn_parquet_commit(w, err);
cleanup:
    dn_parquet_close(w);
    schema.release(&schema);
    return st;
}

int main(int argc, char **argv)
{
    static struct file f;
    struct dn_error err = {0};

    if (argc != 2) {
        fail("usage", "write_numbers DIR < CASES");
    }
    while (read_file(&f)) {
        if (write_file(&f, argv[1], &err) != DN_OK) {
            fail(f.name, err.message);
        }
        for (int64_t i = 0; i < f.n_columns; i++) {
            free(f.columns[i].validity);
            free(f.columns[i].values);
        }
        (void)puts(f.name);
        (void)fflush(stdout);
    }
    return 0;
}
