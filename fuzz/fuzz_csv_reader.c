/*
 * The CSV reader on arbitrary bytes: wherever the blocks are cut, with one thread or two, the rows, or the error, are the same.
 * The first byte picks options, the rest is the file.
 */
#include "arrow/batch.h"
#include "dativo/csv.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    uint64_t hash; /* FNV-1a over all cells */
    int64_t n_rows;
    enum dn_status status;
    struct dn_error error;
};

static void hash_bytes(struct outcome *o, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    for (size_t i = 0; i < len; i++) {
        o->hash = (o->hash ^ p[i]) * UINT64_C(1099511628211);
    }
}

static void hash_batch(struct outcome *o, const struct ArrowSchema *schema,
                       const struct ArrowArray *batch)
{
    for (int64_t r = 0; r < batch->length; r++) {
        for (int64_t c = 0; c < schema->n_children; c++) {
            struct dn_field field;
            struct dn_column_view view;
            if (dn_schema_get_field(schema, c, &field, NULL) != DN_OK ||
                dn_batch_get_column(batch, c, &field, &view, NULL) != DN_OK) {
                abort();
            }
            const bool valid = dn_column_is_valid(&view, r);
            hash_bytes(o, &valid, 1);
            if (!valid) {
                continue;
            }
            if (field.type.id == DN_TYPE_UTF8_VIEW) {
                size_t len;
                const uint8_t *text = dn_column_text(&view, r, &len);
                hash_bytes(o, &len, sizeof(len));
                hash_bytes(o, text, len);
            } else if (field.type.id == DN_TYPE_BOOL) {
                const bool bit = dn_bit_get(view.values, view.offset + r);
                hash_bytes(o, &bit, 1);
            } else {
                const size_t width = dn_type_width(field.type);
                hash_bytes(o, (const uint8_t *)view.values + (size_t)(view.offset + r) * width,
                           width);
            }
        }
    }
}

static void read_file(const char *path, uint8_t flags, size_t block_bytes, uint32_t n_threads,
                      struct outcome *o)
{
    struct dn_csv_options options = {.struct_size = sizeof(options),
                                     .block_bytes = block_bytes,
                                     .n_threads = n_threads,
                                     .delimiter_text = flags & 128 ? "||"
                                                       : flags & 1 ? ";"
                                                                   : NULL,
                                     .escape = flags & 32 ? '\\' : 0,
                                     .comment = flags & 64 ? '#' : 0,
                                     .skip_rows = flags & 128 ? 1 : 0,
                                     .skip_footer = flags & 128 ? 1 : 0,
                                     .no_quote = (flags & 2) != 0,
                                     .strict = (flags & 4) != 0,
                                     .header = flags & 8 ? DN_CSV_HEADER_NO : DN_CSV_HEADER_YES,
                                     .inference =
                                         flags & 16 ? DN_CSV_INFER_STRINGS : DN_CSV_INFER_COLUMN};
    struct dn_csv_reader *r = NULL;
    struct ArrowSchema schema;
    struct ArrowArray batch;

    *o = (struct outcome){.hash = UINT64_C(14695981039346656037)};
    o->status = dn_csv_reader_open(&r, &path, 1, &options, &o->error);
    if (o->status != DN_OK) {
        return;
    }
    if (dn_csv_reader_schema(r, &schema, NULL) != DN_OK) {
        abort();
    }
    for (;;) {
        o->status = dn_csv_reader_next(r, &batch, &o->error);
        if (o->status != DN_OK || batch.release == NULL) {
            break;
        }
        o->n_rows += batch.length;
        hash_batch(o, &schema, &batch);
        batch.release(&batch);
    }
    schema.release(&schema);
    dn_csv_reader_close(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t block_sizes[] = {1, 3, 64, 100, 1000};
    char path[64];
    struct outcome whole;
    struct outcome cut;

    if (size < 1 || size > 100000) {
        return 0;
    }
    const int fd = memfd_create("fuzz_csv_reader", 0);
    if (fd < 0 || write(fd, data + 1, size - 1) != (ssize_t)(size - 1)) {
        abort();
    }
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    read_file(path, data[0], 0, 1, &whole);
    for (size_t i = size > 3000 ? 2 : 0; i < sizeof(block_sizes) / sizeof(block_sizes[0]); i++) {
        read_file(path, data[0], block_sizes[i], 1 + i % 2, &cut);
        if (whole.status != cut.status || whole.error.row != cut.error.row ||
            whole.error.line != cut.error.line ||
            whole.error.byte_offset != cut.error.byte_offset ||
            (whole.status == DN_OK && (whole.hash != cut.hash || whole.n_rows != cut.n_rows))) {
            fprintf(stderr, "blocks of %zu bytes: status %d/%d rows %lld/%lld: %s | %s\n",
                    block_sizes[i], whole.status, cut.status, (long long)whole.n_rows,
                    (long long)cut.n_rows, whole.error.message, cut.error.message);
            abort();
        }
    }
    close(fd);
    return 0;
}
