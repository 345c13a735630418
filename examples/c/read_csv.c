/*
 * A CSV file as Arrow batches of declared types: read_csv FILE.csv NUMBER TEXT
 * Prints the largest value of the column NUMBER, and what stands beside it in the column TEXT.
 */
#include "dativo/csv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct largest {
    int64_t value;
    char *text; /* a copy: the batch that it came from is released */
    int64_t n_rows;
    int64_t n_nulls;
};

static bool is_valid(const struct ArrowArray *column, int64_t row)
{
    const uint8_t *bits = column->buffers[0]; /* NULL: there are no nulls */
    const int64_t bit = column->offset + row;

    return bits == NULL || (bits[bit / 8] >> (bit % 8) & 1) != 0;
}

/* A string view is 16 bytes: the length, then up to 12 bytes of text, or 4 of them, which buffer has the text, and where. */
static const char *view_text(const struct ArrowArray *column, int64_t row, int32_t *len)
{
    const uint8_t *view = (const uint8_t *)column->buffers[1] + (column->offset + row) * 16;
    int32_t buffer = 0;
    int32_t start = 0;

    memcpy(len, view, sizeof *len);
    if (*len <= 12) {
        return (const char *)view + 4;
    }
    memcpy(&buffer, view + 8, sizeof buffer);
    memcpy(&start, view + 12, sizeof start);
    return (const char *)column->buffers[2 + buffer] + start;
}

/* Texts of views are not terminated. */
static char *text_copy(const char *bytes, size_t len)
{
    char *text = calloc(len + 1, 1);

    if (text != NULL) {
        memcpy(text, bytes, len);
    }
    return text;
}

static void batch_look(struct largest *l, const struct ArrowArray *batch)
{
    const struct ArrowArray *number = batch->children[0];
    const struct ArrowArray *text = batch->children[1];
    const int64_t *values = number->buffers[1];

    for (int64_t row = 0; row < batch->length; row++) {
        if (!is_valid(number, row)) {
            l->n_nulls++;
            continue;
        }
        const int64_t value = values[number->offset + row];
        if (l->text == NULL || value > l->value) {
            int32_t len = 0;
            const char *bytes = is_valid(text, row) ? view_text(text, row, &len) : "";
            free(l->text);
            l->text = text_copy(bytes, (size_t)len);
            l->value = value;
        }
    }
    l->n_rows += batch->length;
}

static enum dn_status read_all(struct largest *l, const char *path, const char *number,
                               const char *text, struct dn_error *err)
{
    const char *columns[] = {number, text}; /* these alone, in this order */
    const struct dn_csv_column_type types[] = {{number, "int64", true}, {text, "string", true}};
    const struct dn_csv_options options = {.struct_size = sizeof options,
                                           .types = types,
                                           .n_types = 2,
                                           .types_stride = sizeof types[0],
                                           .columns = columns,
                                           .n_columns = 2};
    struct dn_csv_reader *reader = NULL;
    struct ArrowArray batch = {0};
    enum dn_status st = dn_csv_reader_open(&reader, &path, 1, &options, err);

    while (st == DN_OK && (st = dn_csv_reader_next(reader, &batch, err)) == DN_OK &&
           batch.release != NULL) { /* a batch without release is the end */
        batch_look(l, &batch);
        batch.release(&batch); /* the batch was ours */
    }
    dn_csv_reader_close(reader);
    return st;
}

int main(int argc, char **argv)
{
    struct largest largest = {0};
    struct dn_error err;

    if (argc != 4) {
        (void)fprintf(stderr, "usage: read_csv FILE.csv NUMBER TEXT\n");
        return 2;
    }
    if (read_all(&largest, argv[1], argv[2], argv[3], &err) != DN_OK) {
        (void)fprintf(stderr, "%s: %s\n", dn_status_name((enum dn_status)err.code), err.message);
        free(largest.text);
        return 1;
    }
    (void)printf("%lld rows, %lld without %s", (long long)largest.n_rows,
                 (long long)largest.n_nulls, argv[2]);
    if (largest.text != NULL) {
        (void)printf("; the largest is %lld: %s", (long long)largest.value, largest.text);
    }
    (void)printf("\n");
    free(largest.text);
    return 0;
}
