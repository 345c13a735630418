/*
 * Other ways to what reading a CSV source gives: its pieces one by one, wherever it is cut, with the types that a look at all values finds,
 * as records, or explained.  The first bytes pick options, the next two where it is cut, the rest is as fuzz_csv_reader has it.
 */
#include "arrow/batch.h"
#include "csv/records.h"
#include "csv_choices.h"
#include "fuzz_target.h"
#include "json/records.h"

#include <string.h>

#define HEADER (CSV_CHOICES + 2)
#define MOST_CUTS 12
#define MOST_COLUMNS 64

/* Every few bytes of every file, in order. */
static size_t choose_cuts(const struct csv_files *f, const uint8_t *how, struct dn_csv_cut *cuts)
{
    size_t n = 0;

    for (size_t i = 0; i < f->n; i++) {
        const size_t step = how[0] % 64 + f->sizes[i] / 3 + 1;
        for (size_t at = how[1] % step; at <= f->sizes[i] && n < MOST_CUTS; at += step) {
            cuts[n++] = (struct dn_csv_cut){i, (int64_t)at};
        }
    }
    return n;
}

/* The token that begins at `text`, unescaped into `out`; returns what is behind it, or NULL if there is none. */
static const char *next_token(const char *text, char *out)
{
    static const char begin[] = "{\"token\":\"";
    const char *at = strstr(text, begin);

    if (at == NULL) {
        return NULL;
    }
    for (at += strlen(begin); *at != '"'; at++) {
        at += *at == '\\';
        *out++ = *at;
    }
    *out = 0;
    return at;
}

/* Rows of all pieces are those of the whole, up to the same error. */
static void check_pieces(const struct csv_files *f, const uint8_t *data,
                         const struct csv_outcome *whole)
{
    struct dn_csv_cut cuts[MOST_CUTS];
    const struct dn_csv_split_options how = {.struct_size = sizeof(how),
                                             .cuts = cuts,
                                             .n_cuts = choose_cuts(f, data + CSV_CHOICES, cuts),
                                             .tag = "t"};
    struct dn_csv_options options;
    struct csv_outcome pieces;
    char *json = NULL;

    csv_choose(&options, data, &pieces);
    options.block_bytes = 1 + data[CSV_CHOICES] % 100;
    pieces.status = dn_csv_find_splits(&json, f->paths, f->n, &options, &how, &pieces.error);
    if (pieces.status == DN_ERR_UNSUPPORTED || pieces.status == DN_ERR_INVALID) {
        return; /* a count over all rows, or options that are none */
    }
    if (pieces.status != DN_OK) {
        FUZZ_CHECK(whole->status != DN_OK, "cutting fails: %s", pieces.error.message);
        FUZZ_CHECK(pieces.error.row < 0 || whole->error.row < pieces.error.row ||
                       csv_same_error(whole, &pieces),
                   "cutting: row %lld: %s | reading: row %lld: %s", (long long)pieces.error.row,
                   pieces.error.message, (long long)whole->error.row, whole->error.message);
        return;
    }
    char *token = malloc(strlen(json) + 1);
    FUZZ_CHECK(token != NULL, "out of memory");
    options.block_bytes = 1 + data[CSV_CHOICES + 1] % 100;
    for (const char *at = json; pieces.status == DN_OK && (at = next_token(at, token)) != NULL;) {
        struct dn_csv_reader *r = NULL;
        const int64_t before = pieces.n_rows;
        pieces.status = dn_csv_split_open(&r, token, f->paths, f->n, &options, "t", &pieces.error);
        FUZZ_CHECK(pieces.status == DN_OK, "a piece does not open: %s", pieces.error.message);
        FUZZ_CHECK(options.ragged == DN_CSV_RAGGED_SKIP || dn_csv_reader_rows_before(r) == before,
                   "%lld rows before, not %lld", (long long)dn_csv_reader_rows_before(r),
                   (long long)before);
        csv_drain(r, &pieces);
    }
    free(token);
    dn_csv_free(json);
    FUZZ_CHECK(csv_same_error(whole, &pieces), "status %d/%d row %lld/%lld: %s | %s", whole->status,
               pieces.status, (long long)whole->error.row, (long long)pieces.error.row,
               whole->error.message, pieces.error.message);
    FUZZ_CHECK(whole->names == pieces.names, "other columns in pieces");
    FUZZ_CHECK(whole->status != DN_OK ||
                   (whole->cells == pieces.cells && whole->n_rows == pieces.n_rows),
               "%lld/%lld rows", (long long)whole->n_rows, (long long)pieces.n_rows);
}

/* With the types that a look at all values finds no value is refused that was not declared. */
static void check_types(const struct csv_files *f, const uint8_t *data,
                        const struct csv_outcome *whole)
{
    struct dn_csv_column_type types[MOST_COLUMNS];
    struct dn_csv_options options;
    struct csv_outcome told;
    struct ArrowSchema schema;

    csv_choose(&options, data, &told);
    options.block_bytes = 1 + data[CSV_CHOICES] % 100;
    if (options.n_types > 0 || options.max_rejects > 0 || options.max_reject_percent > 0) {
        return;
    }
    told.status = dn_csv_find_types(&schema, f->paths, f->n, &options, &told.error);
    FUZZ_CHECK(told.status != DN_ERR_TYPE, "finding types: %s", told.error.message);
    if (told.status != DN_OK) {
        FUZZ_CHECK(whole->status != DN_OK, "finding types: %s", told.error.message);
        return;
    }
    if (schema.n_children <= MOST_COLUMNS) {
        for (int64_t c = 0; c < schema.n_children; c++) {
            static char words[MOST_COLUMNS][DN_TYPE_WORDS_SIZE];
            struct dn_field field;
            FUZZ_CHECK(dn_schema_get_field(&schema, c, &field, NULL) == DN_OK, "no field");
            types[c] =
                (struct dn_csv_column_type){field.name, dn_type_print(field.type, words[c]), false};
        }
        options.types = types;
        options.n_types = (size_t)schema.n_children;
        options.types_stride = sizeof(types[0]);
        told = (struct csv_outcome){0};
        csv_read(f, &options, &told);
        FUZZ_CHECK(told.status != DN_ERR_TYPE, "with the types that were found: %s",
                   told.error.message);
        FUZZ_CHECK(whole->status != DN_OK || (told.status == DN_OK && told.n_rows == whole->n_rows),
                   "with the types that were found: %lld/%lld rows, %s", (long long)whole->n_rows,
                   (long long)told.n_rows, told.error.message);
    }
    schema.release(&schema);
}

/* All rows as `{...},` for each, by batches of values. */
static enum dn_status records_of_batches(struct dn_csv_reader *r, const struct ArrowSchema *schema,
                                         struct dn_buffer *out, struct dn_error *err)
{
    for (;;) {
        struct ArrowArray batch;
        DN_TRY(dn_csv_reader_next(r, &batch, err));
        if (batch.release == NULL) {
            return DN_OK;
        }
        const size_t begin = out->len;
        const enum dn_status st = dn_records_write(out, schema, &batch, 0, batch.length, err);
        FUZZ_CHECK(st == DN_OK, "records of a batch: %s", err->message);
        batch.release(&batch);
        memmove(out->data + begin, out->data + begin + 1, out->len - begin - 1); /* '[' */
        out->data[out->len - 2] = ',';                                           /* ']' */
        out->len--;
    }
}

static enum dn_status records_of_text(struct dn_csv_reader *r, const char *const *names,
                                      struct dn_buffer *out, struct dn_error *err)
{
    FUZZ_CHECK(dn_csv_reader_render(r, names, false, err) == DN_OK, "%s", err->message);
    for (;;) {
        struct dn_csv_records records;
        DN_TRY(dn_csv_reader_next_records(r, &records, err));
        const bool end = records.n_rows == 0;
        const enum dn_status st =
            end ? DN_OK : dn_buffer_append(out, records.text.data, records.text.len, err);
        dn_csv_records_finish(&records);
        FUZZ_CHECK(st == DN_OK, "out of memory");
        if (end) {
            return DN_OK;
        }
    }
}

/* Records rendered from the text are those of the batches. */
static void check_records(const struct csv_files *f, const uint8_t *data)
{
    struct csv_outcome told;
    struct dn_csv_options options;
    struct dn_csv_reader *readers[2] = {NULL};
    struct dn_buffer records[2];
    struct dn_error errors[2] = {{0}};
    struct ArrowSchema schema;
    const char *names[MOST_COLUMNS];

    dn_buffer_init(&records[0], SIZE_MAX);
    dn_buffer_init(&records[1], SIZE_MAX);
    csv_choose(&options, data, &told);
    options.names = DN_CSV_NAMES_UNIQUE;
    if (dn_csv_reader_open(&readers[0], f->paths, f->n, &options, &errors[0]) != DN_OK) {
        return;
    }
    FUZZ_CHECK(dn_csv_reader_schema(readers[0], &schema, NULL) == DN_OK, "no schema");
    if (dn_csv_reader_can_render(readers[0]) && schema.n_children <= MOST_COLUMNS) {
        options.block_bytes = 1 + data[CSV_CHOICES + 1] % 100;
        FUZZ_CHECK(dn_csv_reader_open(&readers[1], f->paths, f->n, &options, &errors[1]) == DN_OK,
                   "%s", errors[1].message);
        for (int64_t c = 0; c < schema.n_children; c++) {
            names[c] = schema.children[c]->name;
        }
        const enum dn_status a = records_of_batches(readers[0], &schema, &records[0], &errors[0]);
        const enum dn_status b = records_of_text(readers[1], names, &records[1], &errors[1]);
        FUZZ_CHECK(a == b && (a == DN_OK || strcmp(errors[0].message, errors[1].message) == 0),
                   "batches: %s | records: %s", errors[0].message, errors[1].message);
        FUZZ_CHECK(a != DN_OK || (records[0].len == records[1].len &&
                                  (records[0].len == 0 ||
                                   memcmp(records[0].data, records[1].data, records[0].len) == 0)),
                   "other records: %.200s | %.200s", (const char *)records[0].data,
                   (const char *)records[1].data);
    }
    schema.release(&schema);
    for (int i = 0; i < 2; i++) {
        dn_csv_reader_close(readers[i]);
        dn_buffer_finish(&records[i]);
    }
}

/* What is explained does not depend on blocks. */
static void check_explained(const struct csv_files *f, const uint8_t *data,
                            const struct csv_outcome *whole)
{
    const enum dn_csv_explained what = (enum dn_csv_explained)(data[CSV_CHOICES] % 3);
    char *texts[2] = {NULL};
    struct csv_outcome told[2];

    for (int i = 0; i < 2; i++) {
        struct dn_csv_options options;
        struct dn_csv_reader *r = NULL;
        csv_choose(&options, data, &told[i]);
        options.block_bytes = i == 0 ? 0 : 1 + data[CSV_CHOICES + 1] % 100;
        told[i].status = dn_csv_explain_open(&r, what, f->paths, f->n, &options, &told[i].error);
        if (told[i].status == DN_OK) {
            told[i].status = dn_csv_explain(r, &texts[i], &told[i].error);
        }
        dn_csv_reader_close(r);
    }
    FUZZ_CHECK(csv_same_error(&told[0], &told[1]), "explained: %s | %s", told[0].error.message,
               told[1].error.message);
    FUZZ_CHECK(told[0].status != DN_OK || strcmp(texts[0], texts[1]) == 0, "explained: %s | %s",
               texts[0], texts[1]);
    FUZZ_CHECK(whole->status != DN_OK || told[0].status == DN_OK || what == DN_CSV_EXPLAIN_DIALECTS,
               "explained: %s", told[0].error.message);
    dn_csv_free(texts[0]);
    dn_csv_free(texts[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct csv_files files;
    struct csv_outcome whole;
    struct dn_csv_options options;

    if (size < HEADER || size > 5000) {
        return 0;
    }
    csv_files_make(&files, data + HEADER, size - HEADER);
    csv_choose(&options, data, &whole);
    csv_read(&files, &options, &whole);
    check_pieces(&files, data, &whole);
    check_types(&files, data, &whole);
    check_records(&files, data);
    check_explained(&files, data, &whole);
    csv_files_finish(&files);
    return 0;
}
