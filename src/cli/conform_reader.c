/* Checks of dativo.reader/1. */
#include "cli/conform.h"

#include "arrow/schema.h"
#include "base/memory.h"
#include "base/strings.h"
#include "job/coltype.h"
#include "job/json_text.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* Three rows with everything a reader must not trip over: quotes, a comma, a line end and a null. */
static const char k_small[] = "id,name,amount\n"
                              "1,\"a \"\"b\"\", c\",1.5\n"
                              "2,\"two\nlines\",\n"
                              "3,plain,-2.25\n";

#define LONG_FILE "in-long.csv"
#define LONG_ROWS 200000

#define CONFIG_FORMAT                                                                              \
    "{\"type\":\"%s\",\"connection\":{},\"credentials\":{},\"objects\":[],\"files\":[{\"path\":"   \
    "\"%s\"}],\"incremental\":{},\"engine\":{\"type\":\"native\",\"options\":%s}}"

static const char *config_make(char *out, size_t size, const char *path, const char *options)
{
    (void)snprintf(out, size, CONFIG_FORMAT, "csv", path, options);
    return out;
}

static bool small_make(const struct dn_conform *c, const char *csv, size_t cut)
{
    return dn_conform_file(c, "in.csv", csv) &&
           dn_conform_bytes(c, "in.parquet", dn_conform_parquet, DN_CONFORM_PARQUET_SIZE - cut);
}

/*
 * Open a file of the form that the reader reads: CSV, or else Parquet.
 * @param cut  bytes that the Parquet file lacks at its end
 */
static int32_t open_form(struct dn_conform *c, const char *csv, size_t cut, void **reader,
                         struct dativo_error *e)
{
    char path[512];
    char config[1024];

    if (!c->is_long && !small_make(c, csv, cut)) {
        (void)snprintf(e->message, sizeof e->message, "the test file could not be written");
        return DATIVO_ERR_IO;
    }
    dn_conform_path(c, c->is_long ? LONG_FILE : "in.csv", path);
    int32_t code = c->reader->open(config_make(config, sizeof config, path, "{}"), NULL, reader, e);
    c->is_parquet = code == DATIVO_ERR_UNSUPPORTED;
    if (c->is_parquet) {
        dn_conform_path(c, "in.parquet", path);
        (void)snprintf(config, sizeof config, CONFIG_FORMAT, "parquet", path, "{}");
        dn_plugin_error_init(e);
        code = c->reader->open(config, NULL, reader, e);
    }
    return code;
}

/* Open must fail, say why, and leave no handle. */
static enum dn_verdict expect_open_error(struct dn_conform *c, const char *config, const char *what)
{
    struct dativo_error e;
    void *reader = NULL;

    dn_plugin_error_init(&e);
    const int32_t code = c->reader->open(config, NULL, &reader, &e);
    if (code == DATIVO_OK) {
        c->reader->close(reader);
        return dn_conform_fail(c, "open() accepted %s", what);
    }
    if (reader != NULL) {
        return dn_conform_fail(c, "open() failed on %s, but set a handle", what);
    }
    if (e.message[0] == '\0') {
        return dn_conform_fail(c, "open() failed on %s without a message", what);
    }
    (void)snprintf(c->said, sizeof c->said, "%.300s", e.message);
    return DN_VERDICT_PASS;
}

#define GUARD 0xa5

void dn_conform_old_error_init(struct dn_conform_old_error *old)
{
    memset(old, GUARD, sizeof *old);
    memset(&old->e, 0, DATIVO_ERROR_V1_0_SIZE);
    old->e.struct_size = (uint32_t)DATIVO_ERROR_V1_0_SIZE;
}

enum dn_verdict dn_conform_old_error_check(struct dn_conform *c,
                                           const struct dn_conform_old_error *old,
                                           const char *function)
{
    const unsigned char *bytes = (const unsigned char *)old;

    for (size_t i = DATIVO_ERROR_V1_0_SIZE; i < sizeof *old; i++) {
        if (bytes[i] != GUARD) {
            return dn_conform_fail(c,
                                   "%s wrote byte %zu of the caller's error, whose struct_size is "
                                   "%zu",
                                   function, i + 1, DATIVO_ERROR_V1_0_SIZE);
        }
    }
    return old->e.message[0] != '\0' ? DN_VERDICT_PASS
                                     : DN_CONFORM_FAIL(c, "fill in err->message: every host has it",
                                                       "%s failed without a message", function);
}

static enum dn_verdict members(struct dn_conform *c)
{
    const struct dativo_reader_v1 *r = c->reader;

    if (!DN_PLUGIN_HAS(r, open) || !DN_PLUGIN_HAS(r, schema) || !DN_PLUGIN_HAS(r, stream) ||
        !DN_PLUGIN_HAS(r, last_error) || !DN_PLUGIN_HAS(r, progress) || !DN_PLUGIN_HAS(r, cancel) ||
        !DN_PLUGIN_HAS(r, close)) {
        return dn_conform_fail(
            c, "open, schema, stream, last_error, progress, cancel or close is missing");
    }
    (void)snprintf(c->said, sizeof c->said, "splits: %s, report: %s",
                   DN_PLUGIN_HAS(r, splits) ? "yes" : "no",
                   DN_PLUGIN_HAS(r, report) ? "yes" : "no");
    return DN_VERDICT_PASS;
}

static enum dn_verdict bad_json(struct dn_conform *c)
{
    return expect_open_error(c, "{\"type\": ", "a configuration that is not JSON");
}

static enum dn_verdict missing_file(struct dn_conform *c)
{
    char path[512];
    char config[1024];

    dn_conform_path(c, "in-missing.csv", path);
    return expect_open_error(c, config_make(config, sizeof config, path, "{}"),
                             "a file that is not there");
}

static enum dn_verdict close_null(struct dn_conform *c)
{
    c->reader->close(NULL);
    return DN_VERDICT_PASS;
}

enum dn_verdict dn_conform_small_open(struct dn_conform *c, void **reader)
{
    static const char refuses[] =
        "see what the message says; a reader of something else returns DATIVO_ERR_UNSUPPORTED, and "
        "is checked with its own by --run CONFIG";
    struct dativo_error e;

    dn_plugin_error_init(&e);
    const int32_t code = open_form(c, k_small, 0, reader, &e);
    if (code == DATIVO_ERR_UNSUPPORTED) {
        return dn_conform_unread(c, "it reads neither CSV nor Parquet: %.300s", e.message);
    }
    if (code != DATIVO_OK) {
        return DN_CONFORM_FAIL(c, refuses, "open() failed on a good file: %.300s", e.message);
    }
    return DN_VERDICT_PASS;
}

bool dn_conform_small_lengthen(struct dn_conform *c)
{
    char path[512];

    FILE *file = fopen(dn_conform_path(c, LONG_FILE, path), "w");
    if (file == NULL) {
        return false;
    }
    (void)fprintf(file, "id,name,amount\n");
    for (int i = 1; i <= LONG_ROWS; i++) {
        (void)fprintf(file, "%d,name %d,%d.5\n", i, i, i % 100);
    }
    const bool is_written = ferror(file) == 0;
    /* once, for readers that are open may still read them */
    c->is_long = fclose(file) == 0 && is_written && small_make(c, k_small, 0);
    return c->is_long;
}

/* The same without it opens: else the error might be about anything. */
static enum dn_verdict opens_without(struct dn_conform *c)
{
    struct dativo_error e;
    void *reader = NULL;
    enum dn_verdict v = DN_VERDICT_PASS;

    dn_plugin_error_init(&e);
    if (c->run_config == NULL) {
        v = dn_conform_small_open(c, &reader);
    } else if (c->reader->open(c->run_config, NULL, &reader, &e) != DATIVO_OK) {
        v = DN_CONFORM_FAIL(c, "see what the message says: the configuration is that of --run",
                            "open() failed, without an unknown option, too: %.300s", e.message);
    }
    if (v == DN_VERDICT_PASS) {
        c->reader->close(reader);
    }
    return v;
}

static enum dn_verdict unknown_option(struct dn_conform *c)
{
    char path[512];
    char small[1024];

    enum dn_verdict v = opens_without(c);
    if (v != DN_VERDICT_PASS) {
        return v;
    }
    dn_conform_path(c, c->is_parquet ? "in.parquet" : "in.csv", path);
    (void)snprintf(small, sizeof small, CONFIG_FORMAT, c->is_parquet ? "parquet" : "csv", path,
                   "{}");
    json_t *root =
        json_loads(c->run_config != NULL ? c->run_config : small, JSON_DISABLE_EOF_CHECK, NULL);
    dn_conform_option_set(root, "delimitre", json_string(";"));
    char *config = dn_json_dump(root, 0);
    json_decref(root);
    v = config != NULL ? expect_open_error(c, config, "an unknown option")
                       : dn_conform_fail(c, "memory ran out");
    dn_free(config);
    return v;
}

static bool has_column(const struct ArrowSchema *schema, const char *name)
{
    for (int64_t i = 0; i < schema->n_children; i++) {
        if (strcmp(schema->children[i]->name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* The schema is a struct of columns with names. */
static enum dn_verdict schema_check(struct dn_conform *c, const struct ArrowSchema *schema)
{
    bool is_struct = schema->release != NULL && schema->format != NULL &&
                     strcmp(schema->format, "+s") == 0 && schema->n_children > 0;

    for (int64_t i = 0; is_struct && i < schema->n_children; i++) {
        const struct ArrowSchema *column = schema->children[i];
        is_struct = column != NULL && column->name != NULL && column->format != NULL;
    }
    return is_struct ? DN_VERDICT_PASS
                     : DN_CONFORM_FAIL(c,
                                       "make schema() a struct, \"+s\", with a child for each "
                                       "column, which has a name and a format",
                                       "the schema is not a struct of columns");
}

static const char k_good[] = "see what the message says: nothing is wrong with the file";

/* Whoever reads the small file is held to it; whose rows are others has other columns. */
static enum dn_verdict small_check(struct dn_conform *c, const struct ArrowSchema *schema)
{
    static const char *const names[] = {"id", "name", "amount"};
    static const char columns[] = "give a column for each name in the file's first line, or of "
                                  "its schema, in their order";

    enum dn_verdict v = schema_check(c, schema);
    if (v != DN_VERDICT_PASS) {
        return v;
    }
    if (!has_column(schema, "id") || !has_column(schema, "name")) {
        return dn_conform_unread(c, "it does not read the small CSV file, by the columns that it "
                                    "has: --run CONFIG checks it with yours");
    }
    if (schema->n_children != 3) {
        return DN_CONFORM_FAIL(c, columns, "the schema does not have the file's three columns");
    }
    for (size_t i = 0; i < 3; i++) {
        if (strcmp(schema->children[i]->name, names[i]) != 0) {
            return DN_CONFORM_FAIL(c, columns, "the schema's columns do not have the file's names");
        }
    }
    return DN_VERDICT_PASS;
}

/* A reader of the small file, and its schema; what is not PASS has closed both. */
static enum dn_verdict small_begin(struct dn_conform *c, void **reader, struct ArrowSchema *schema)
{
    struct dativo_error e;

    enum dn_verdict v = dn_conform_small_open(c, reader);
    if (v != DN_VERDICT_PASS) {
        return v;
    }
    dn_plugin_error_init(&e);
    v = c->reader->schema(*reader, schema, &e) == DATIVO_OK
            ? small_check(c, schema)
            : DN_CONFORM_FAIL(c, k_good, "schema() failed: %.300s", e.message);
    if (v != DN_VERDICT_PASS) {
        if (schema->release != NULL) {
            schema->release(schema);
        }
        c->reader->close(*reader);
    }
    return v;
}

/* In the form that the reader chose for the column: a number, or its text; others are not compared. */
static bool value_is(const struct dn_column_view *view, int64_t row, const char *expected)
{
    size_t len = 0;
    char *end = NULL;

    if (expected == NULL || !dn_column_is_valid(view, row)) {
        return expected == NULL && !dn_column_is_valid(view, row);
    }
    if (dn_type_is_text(view->type)) {
        const uint8_t *text = dn_column_text(view, row, &len);
        return len == strlen(expected) && memcmp(text, expected, len) == 0;
    }
    const int64_t at = view->offset + row;
    const double number = dn_text_to_double(expected, &end);
    return (view->type.id != DN_TYPE_INT64 ||
            (double)((const int64_t *)view->values)[at] == number) &&
           (view->type.id != DN_TYPE_FLOAT64 || ((const double *)view->values)[at] == number);
}

/* What the batch of rows [first, ...) holds, compared with the file. */
static enum dn_verdict batch_check(struct dn_conform *c, const struct ArrowSchema *schema,
                                   const struct ArrowArray *batch, int64_t first)
{
    static const char *const rows[3][3] = {
        {"1", "a \"b\", c", "1.5"}, {"2", "two\nlines", NULL}, {"3", "plain", "-2.25"}};
    static const char *const wrong[] = {"an id came out wrong", "a quoted value came out wrong",
                                        "an amount came out wrong"};
    const int64_t n_rows = batch->length;
    const char *problem = NULL;
    struct dn_arena arena = {0};
    struct dn_error err;

    dn_error_clear(&err);
    if (batch->n_children != 3 || n_rows <= 0 || n_rows > 3 - first) {
        problem = "a batch has no rows, too many rows, or other columns than the schema";
    }
    for (int64_t i = 0; problem == NULL && i < 3; i++) {
        struct dn_node node;
        struct dn_column_view view;
        problem = dn_conform_column(schema, batch, i, &arena, &node, &view, &err);
        if (problem == NULL && i == 1 && !dn_type_is_text(view.type)) {
            problem = "column \"name\" is not one of strings";
        }
        for (int64_t row = 0; problem == NULL && row < n_rows; row++) {
            problem = value_is(&view, row, rows[first + row][i]) ? NULL : wrong[i];
        }
    }
    const enum dn_verdict v =
        problem == NULL ? DN_VERDICT_PASS : dn_conform_fail(c, "%.300s", problem);
    dn_arena_finish(&arena);
    return v;
}

static enum dn_verdict stream_check(struct dn_conform *c, const struct ArrowSchema *schema,
                                    struct ArrowArrayStream *stream)
{
    int64_t rows = 0;
    int64_t nulls = 0;

    for (;;) {
        struct ArrowArray batch = {0};
        if (stream->get_next(stream, &batch) != 0) {
            const char *text = stream->get_last_error(stream);
            return DN_CONFORM_FAIL(c, k_good, "get_next() failed: %.300s",
                                   text != NULL ? text : "no text");
        }
        if (batch.release == NULL) {
            break;
        }
        const enum dn_verdict v = batch_check(c, schema, &batch, rows);
        rows += batch.length;
        nulls += v == DN_VERDICT_PASS ? dn_column_null_count(batch.children[2]) : 0;
        batch.release(&batch);
        if (v != DN_VERDICT_PASS) {
            return v;
        }
        if (batch.release != NULL) {
            return dn_conform_fail(c, "a batch's release callback did not set itself to NULL");
        }
    }
    struct ArrowArray after = {0};
    if (stream->get_next(stream, &after) != 0 || after.release != NULL) {
        return dn_conform_fail(c, "get_next() after the end is not the end again");
    }
    if (rows != 3 || nulls != 1) {
        return dn_conform_fail(c, "3 rows and 1 null expected, got %" PRId64 " and %" PRId64, rows,
                               nulls);
    }
    char words[3][DN_TYPE_WORDS_SIZE];
    (void)snprintf(
        c->said, sizeof c->said, "3 rows: %s, %s, %s", dn_type_words(schema->children[0], words[0]),
        dn_type_words(schema->children[1], words[1]), dn_type_words(schema->children[2], words[2]));
    return DN_VERDICT_PASS;
}

static enum dn_verdict small_file(struct dn_conform *c)
{
    struct ArrowSchema schema = {0};
    struct ArrowArrayStream stream = {0};
    struct dativo_error e;
    void *reader = NULL;

    enum dn_verdict v = small_begin(c, &reader, &schema);
    if (v != DN_VERDICT_PASS) {
        return v;
    }
    dn_plugin_error_init(&e);
    if (c->reader->stream(reader, &stream, &e) != DATIVO_OK) {
        v = DN_CONFORM_FAIL(c, k_good, "stream() failed: %.300s", e.message);
    } else {
        v = stream_check(c, &schema, &stream);
        stream.release(&stream);
        if (v == DN_VERDICT_PASS && stream.release != NULL) {
            v = dn_conform_fail(c, "the stream's release callback did not set itself to NULL");
        }
    }
    schema.release(&schema);
    c->reader->close(reader);
    return v;
}

static enum dn_verdict outlives_close(struct dn_conform *c)
{
    struct ArrowSchema schema = {0};
    struct ArrowArrayStream stream = {0};
    struct ArrowArray batch = {0};
    struct dativo_error e;
    void *reader = NULL;

    enum dn_verdict v = small_begin(c, &reader, &schema);
    if (v != DN_VERDICT_PASS) {
        return v;
    }
    dn_plugin_error_init(&e);
    if (c->reader->stream(reader, &stream, &e) != DATIVO_OK ||
        stream.get_next(&stream, &batch) != 0 || batch.release == NULL) {
        return DN_CONFORM_FAIL(c, k_good, "no batch: %.300s", e.message);
    }
    stream.release(&stream);
    c->reader->close(reader);
    v = batch_check(c, &schema, &batch, 0);
    batch.release(&batch);
    schema.release(&schema);
    if (v != DN_VERDICT_PASS) {
        char said[sizeof c->said];
        memcpy(said, c->said, sizeof said);
        return dn_conform_fail(c, "after close(): %.300s", said);
    }
    return v;
}

/* Of whatever rows: one handle lives on when the other is gone. */
static enum dn_verdict two_handles(struct dn_conform *c)
{
    void *first = NULL;
    void *second = NULL;
    struct ArrowSchema schema = {0};
    struct dativo_error e;

    enum dn_verdict v = dn_conform_small_open(c, &first);
    if (v != DN_VERDICT_PASS) {
        return v;
    }
    v = dn_conform_small_open(c, &second);
    if (v == DN_VERDICT_PASS && first == second) {
        v = dn_conform_fail(c, "open() gave the same handle twice");
    }
    c->reader->close(first);
    if (v != DN_VERDICT_PASS) {
        return v;
    }
    dn_plugin_error_init(&e);
    if (c->reader->schema(second, &schema, &e) != DATIVO_OK) {
        v = dn_conform_fail(c, "closing one reader broke another: schema() failed: %.200s",
                            e.message);
    } else {
        v = schema_check(c, &schema);
    }
    if (schema.release != NULL) {
        schema.release(&schema);
    }
    c->reader->close(second);
    return v;
}

/* Does it read the form at all?  Nothing else knows what is broken in it. */
static enum dn_verdict reads_small(struct dn_conform *c)
{
    struct ArrowSchema schema = {0};
    void *reader = NULL;

    const enum dn_verdict v = small_begin(c, &reader, &schema);
    if (v == DN_VERDICT_PASS) {
        schema.release(&schema);
        c->reader->close(reader);
    }
    return v;
}

/* An unclosed quote, or a file without its end: an error at open() or in the stream, never a silent end. */
static enum dn_verdict bad_data(struct dn_conform *c)
{
    static const char kept[] = "keep the error in the handle: last_error() tells it, and every "
                               "later get_next() fails with it";
    struct dativo_error e;
    struct ArrowArrayStream stream = {0};
    void *reader = NULL;

    enum dn_verdict v = reads_small(c);
    if (v != DN_VERDICT_PASS) {
        return v;
    }
    dn_plugin_error_init(&e);
    const int32_t code = open_form(c, "a,b\n1,2\n3,\"4\n", 9, &reader, &e);
    if (code == DATIVO_ERR_UNSUPPORTED) {
        return dn_conform_unread(c, "it reads neither CSV nor Parquet");
    }
    if (code != DATIVO_OK) {
        (void)snprintf(c->said, sizeof c->said, "%.300s", e.message);
        return e.message[0] != '\0' ? DN_VERDICT_PASS
                                    : dn_conform_fail(c, "open() failed without a message");
    }
    if (c->reader->stream(reader, &stream, &e) == DATIVO_OK) {
        struct ArrowArray batch = {0};
        int failed = 0;
        while ((failed = stream.get_next(&stream, &batch)) == 0 && batch.release != NULL) {
            batch.release(&batch);
        }
        const int32_t told = c->reader->last_error(reader, &e);
        if (failed == 0) {
            v = dn_conform_fail(c, "broken data was taken for the end of the data");
        } else if (told == DATIVO_OK || e.message[0] == '\0') {
            v = DN_CONFORM_FAIL(c, kept, "the stream failed, but last_error() knows nothing");
        } else if (stream.get_next(&stream, &batch) == 0) {
            v = DN_CONFORM_FAIL(c, kept, "the stream went on after its failure");
        }
        if (v == DN_VERDICT_PASS) {
            (void)snprintf(c->said, sizeof c->said, "%.300s", e.message);
        }
        stream.release(&stream);
    }
    c->reader->close(reader);
    return v;
}

const struct dn_conform_check dn_conform_reader[] = {
    {"the table has every required function", members,
     "fill in every function of the table that the header does not call optional"},
    {"a configuration that is not JSON is an error", bad_json,
     "return a DATIVO_ERR_ code and fill in err->message: what, where, which value"},
    {"a missing file is an error", missing_file,
     "open the source in open(), and return DATIVO_ERR_NOT_FOUND with its path"},
    {"an unknown option is an error", unknown_option,
     "compare every key of engine.options with those you know: a typo must not read other data"},
    {DN_CONFORM_OLD_ERROR, dn_conform_reader_old_errors, DN_CONFORM_OLD_ERROR_REMEDY},
    {"close(NULL)", close_null, "begin close() with: if it is NULL, return"},
    {NULL, NULL, NULL},
};

const struct dn_conform_check dn_conform_reader_small[] = {
    {"a small file comes out exactly", small_file,
     "compare with examples/plugins/counting_reader.c: schema, buffers, validity, null_count, "
     "release"},
    {"batches outlive close()", outlives_close,
     "let every batch own what it points to, or hold a reference to it"},
    {"two readers do not disturb each other", two_handles,
     "keep all state in the handle: no static variables"},
    {"broken data is an error, not the end", bad_data,
     "return a non-zero value from get_next(): an end without an error is rows lost"},
    {DN_CONFORM_HELD, dn_conform_held_batches, DN_CONFORM_HELD_REMEDY},
    {DN_CONFORM_CANCEL, dn_conform_cancelled, DN_CONFORM_CANCEL_REMEDY},
    {DN_CONFORM_MANY, dn_conform_many_readers, DN_CONFORM_MANY_REMEDY},
    {NULL, NULL, NULL},
};
