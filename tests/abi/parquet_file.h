/** A Parquet file to read: id is 0, 1, 2, ..., name null where id is even and "a" where it is odd. */
#ifndef DN_TESTS_ABI_PARQUET_FILE_H
#define DN_TESTS_ABI_PARQUET_FILE_H

#include <stdlib.h>

#include "arrow/batch.h"
#include "arrow/schema.h"
#include "dativo/parquet.h"

struct parquet_file_rows {
    int64_t *ids;
    int32_t *offsets;
    uint8_t *validity;
    uint8_t *text;
};

static inline void parquet_file_release(void *owner)
{
    struct parquet_file_rows *rows = owner;
    free(rows->ids);
    free(rows->offsets);
    free(rows->validity);
    free(rows->text);
}

/** @param group  rows of a row group, 0: the default.  Returns 0 if all is well. */
static inline int parquet_file_write(const char *path, int64_t n, int64_t group)
{
    const size_t size = (size_t)n + 1;
    struct parquet_file_rows rows = {calloc(size, sizeof(int64_t)), calloc(size, sizeof(int32_t)),
                                     calloc(size, 1), calloc(size, 1)};
    const struct dn_field fields[] = {{"id", DN_TYPE_INIT(INT64), true},
                                      {"name", DN_TYPE_INIT(UTF8), true}};
    const struct dn_parquet_options options = {
        .struct_size = sizeof options, .overwrite = true, .row_group_rows = group};
    struct ArrowSchema schema;
    struct ArrowArray batch;
    struct dn_parquet_writer *w = NULL;

    for (int64_t i = 0; i < n; i++) {
        rows.ids[i] = i;
        rows.offsets[i + 1] = rows.offsets[i] + (int32_t)(i % 2);
        rows.validity[i / 8] |= (uint8_t)((i % 2) << (i % 8));
        rows.text[i] = 'a';
    }
    const struct dn_batch_column columns[] = {{.type = DN_TYPE_INIT(INT64), .values = rows.ids},
                                              {.type = DN_TYPE_INIT(UTF8),
                                               .null_count = (n + 1) / 2,
                                               .validity = rows.validity,
                                               .values = rows.offsets,
                                               .bytes = rows.text}};
    if (dn_schema_make(&schema, fields, 2, NULL) != DN_OK ||
        dn_batch_export(&batch, n, 2, columns, parquet_file_release, &rows, NULL) != DN_OK ||
        dn_parquet_writer_open(&w, path, &schema, &options, NULL) != DN_OK) {
        return -1;
    }
    const bool good = dn_parquet_append(w, &batch, NULL) == DN_OK &&
                      dn_parquet_finish(w, NULL) == DN_OK && dn_parquet_commit(w, NULL) == DN_OK;
    dn_parquet_close(w);
    schema.release(&schema);
    return good ? 0 : -1;
}

#endif
