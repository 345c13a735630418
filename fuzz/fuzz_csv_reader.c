/*
 * The CSV reader on arbitrary bytes: wherever the blocks are cut, with one thread or two, the rows, the rows set aside, or the error,
 * are the same.  The first four bytes pick options, the rest is the file, or, with 0x1e between them, the files.
 */
#include "arrow/batch.h"
#include "dativo/csv.h"
#include "fuzz_target.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    N_FLAGS = 4,
    MOST_FILES = 3,
    BETWEEN_FILES = 0x1e
};

struct outcome {
    uint64_t hash; /* FNV-1a over all cells */
    int64_t n_rows;
    uint64_t aside;  /* over all rows that were set aside */
    uint64_t advice; /* over what looks like a wrong option */
    int64_t n_aside;
    enum dn_status status;
    struct dn_error error;
};

static void hash_into(uint64_t *hash, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    for (size_t i = 0; i < len; i++) {
        *hash = (*hash ^ p[i]) * UINT64_C(1099511628211);
    }
}

static void hash_bytes(struct outcome *o, const void *bytes, size_t len)
{
    hash_into(&o->hash, bytes, len);
}

static void hash_reject(void *ctx, const struct dn_csv_reject *x)
{
    struct outcome *o = ctx;
    const int64_t places[] = {x->line, x->row, x->byte_offset};
    const char *texts[] = {x->path, x->column != NULL ? x->column : "", x->code, x->expected,
                           x->message};

    o->n_aside++;
    hash_into(&o->aside, places, sizeof(places));
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        hash_into(&o->aside, texts[i], strlen(texts[i]));
    }
    hash_into(&o->aside, x->raw, x->raw_len);
}

static void hash_advice(void *ctx, bool warning, const char *kind, const char *message)
{
    struct outcome *o = ctx;

    hash_into(&o->advice, &warning, 1);
    hash_into(&o->advice, kind, strlen(kind));
    hash_into(&o->advice, message, strlen(message));
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

/* Which rows there are, and what becomes of those that are wrong. */
static void set_rows(struct dn_csv_options *o, uint8_t flags)
{
    static const int64_t limits[] = {0, 1, 2, 7};
    static const int64_t most[] = {0, 1, 4, 0};

    o->has_limit = (flags & 1) != 0;
    o->limit = limits[flags >> 1 & 3];
    o->max_rejects = most[flags >> 3 & 3];
    o->max_reject_percent = (flags >> 3 & 3) == 3 ? 60 : 0;
    o->ragged = (enum dn_csv_ragged)((flags >> 5) % 5);
}

/* Which columns there are, and what they are called. */
static void set_columns(struct dn_csv_options *o, uint8_t flags)
{
    static const char *const names[] = {"x", "b"};
    static const char *const columns[] = {"#2", "b", "#1", "#2"};
    static const char *const exclude[] = {"b", "#3"};
    static const struct dn_csv_rename renames[] = {{"#1", "z"}, {"b", "c"}};

    o->header_row = (flags & 3) == 1 ? 2 : 0;
    if ((flags & 3) == 2) {
        o->header = DN_CSV_HEADER_NO;
        o->header_names = names;
        o->n_header_names = 2;
    }
    o->missing_as_null = (flags & 3) == 3;
    o->names = (enum dn_csv_names)((flags >> 2 & 3) % 3);
    if (flags & 16) {
        o->columns = columns;
        o->n_columns = sizeof(columns) / sizeof(columns[0]);
    } else if (flags & 32) {
        o->exclude = exclude;
        o->n_exclude = sizeof(exclude) / sizeof(exclude[0]);
    }
    if (flags & 64) {
        o->renames = renames;
        o->n_renames = sizeof(renames) / sizeof(renames[0]);
        o->renames_stride = sizeof(renames[0]);
    }
    o->union_by_name = (flags & 128) != 0;
}

/* How values are written. */
static void set_values(struct dn_csv_options *o, uint8_t flags)
{
    static const char *const nulls[] = {"NA", "\\N"};
    static const char *const required[] = {"a"};
    static const struct dn_csv_column_type types[] = {
        {"a", "int64", true}, {"b", "string", true}, {"c", "decimal(9,2)", true}};

    o->trim = (flags & 1) != 0;
    o->quoted_nulls = (flags & 2) != 0;
    o->quoted_text = (flags & 4) != 0;
    if (flags & 8) {
        o->null_values = nulls;
        o->n_null_values = sizeof(nulls) / sizeof(nulls[0]);
    }
    if (flags & 16) {
        o->decimal = ',';
        o->thousands = ".";
    }
    if (flags & 32) {
        o->types = types;
        o->n_types = sizeof(types) / sizeof(types[0]);
        o->types_stride = sizeof(types[0]);
        o->missing_as_null = true;
    }
    o->restartable = (flags & 64) != 0;
    if (flags & 128) {
        o->required = required;
        o->n_required = 1;
    }
}

static void read_files(const char *const *paths, size_t n_paths, const uint8_t *flags,
                       size_t block_bytes, uint32_t n_threads, struct outcome *o)
{
    const uint8_t bytes = flags[0];
    struct dn_csv_options options = {.struct_size = sizeof(options),
                                     .block_bytes = block_bytes,
                                     .n_threads = n_threads,
                                     .delimiter_text = bytes & 128 ? "||"
                                                       : bytes & 1 ? ";"
                                                                   : NULL,
                                     .escape = bytes & 32 ? '\\' : 0,
                                     .comment = bytes & 64 ? '#' : 0,
                                     .skip_rows = bytes & 128 ? 1 : 0,
                                     .skip_footer = bytes & 128 ? 1 : 0,
                                     .no_quote = (bytes & 2) != 0,
                                     .strict = (bytes & 4) != 0,
                                     .header = bytes & 8 ? DN_CSV_HEADER_NO : DN_CSV_HEADER_YES,
                                     .inference =
                                         bytes & 16 ? DN_CSV_INFER_STRINGS : DN_CSV_INFER_COLUMN,
                                     .reject = hash_reject,
                                     .reject_ctx = o,
                                     .advise = hash_advice,
                                     .note_ctx = o};
    struct dn_csv_reader *r = NULL;
    struct ArrowSchema schema;
    struct ArrowArray batch;

    set_columns(&options, flags[1]);
    set_rows(&options, flags[2]);
    set_values(&options, flags[3]);
    *o = (struct outcome){.hash = UINT64_C(14695981039346656037)};
    o->status = dn_csv_reader_open(&r, paths, n_paths, &options, &o->error);
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

/* A file for every part of the text.  Returns how many there are. */
static size_t make_files(const uint8_t *text, size_t len, int fds[MOST_FILES],
                         char paths[MOST_FILES][64])
{
    size_t n = 0;

    for (bool more = true; more; n++) {
        const uint8_t *end =
            n + 1 < MOST_FILES && len > 0 ? memchr(text, BETWEEN_FILES, len) : NULL;
        const size_t part = end != NULL ? (size_t)(end - text) : len;
        fds[n] = memfd_create("fuzz_csv_reader", 0);
        if (fds[n] < 0 || write(fds[n], text, part) != (ssize_t)part) {
            abort();
        }
        snprintf(paths[n], sizeof(paths[n]), "/proc/self/fd/%d", fds[n]);
        more = end != NULL;
        text += part + more;
        len -= part + more;
    }
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t block_sizes[] = {1, 3, 64, 100, 1000};
    char texts[MOST_FILES][64];
    const char *paths[MOST_FILES];
    int fds[MOST_FILES];
    struct outcome whole;
    struct outcome cut;

    if (size < N_FLAGS || size > 100000) {
        return 0;
    }
    const size_t n = make_files(data + N_FLAGS, size - N_FLAGS, fds, texts);
    for (size_t i = 0; i < n; i++) {
        paths[i] = texts[i];
    }
    read_files(paths, n, data, 0, 1, &whole);
    for (size_t i = size > 3000 ? 2 : 0; i < sizeof(block_sizes) / sizeof(block_sizes[0]); i++) {
        read_files(paths, n, data, block_sizes[i], 1 + i % 2, &cut);
        FUZZ_CHECK(whole.status == cut.status && whole.error.row == cut.error.row &&
                       whole.error.line == cut.error.line &&
                       whole.error.byte_offset == cut.error.byte_offset &&
                       strcmp(whole.error.message, cut.error.message) == 0,
                   "blocks of %zu bytes: status %d/%d row %lld/%lld: %s | %s", block_sizes[i],
                   whole.status, cut.status, (long long)whole.error.row, (long long)cut.error.row,
                   whole.error.message, cut.error.message);
        FUZZ_CHECK(whole.status != DN_OK || (whole.hash == cut.hash && whole.n_rows == cut.n_rows),
                   "blocks of %zu bytes: %lld/%lld rows", block_sizes[i], (long long)whole.n_rows,
                   (long long)cut.n_rows);
        FUZZ_CHECK(whole.advice == cut.advice, "blocks of %zu bytes: other advice", block_sizes[i]);
        FUZZ_CHECK(whole.aside == cut.aside && whole.n_aside == cut.n_aside,
                   "blocks of %zu bytes: %lld/%lld rows aside, status %d", block_sizes[i],
                   (long long)whole.n_aside, (long long)cut.n_aside, whole.status);
    }
    for (size_t i = 0; i < n; i++) {
        close(fds[i]);
    }
    return 0;
}
