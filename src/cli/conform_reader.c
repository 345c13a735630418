/* Checks of dativo.reader/1. */
#include "cli/conform.h"

#include "arrow/schema.h"
#include "job/coltype.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Three rows with everything a reader must not trip over: quotes, a comma, a line end and a null. */
static const char k_small[] = "id,name,amount\n"
                              "1,\"a \"\"b\"\", c\",1.5\n"
                              "2,\"two\nlines\",\n"
                              "3,plain,-2.25\n";

#define CONFIG_FORMAT                                                                              \
    "{\"type\":\"%s\",\"connection\":{},\"credentials\":{},\"objects\":[],\"files\":[{\"path\":"   \
    "\"%s\"}],\"incremental\":{},\"engine\":{\"type\":\"native\",\"options\":%s}}"

static const char *config_make(char *out, size_t size, const char *path, const char *options)
{
    (void)snprintf(out, size, CONFIG_FORMAT, "csv", path, options);
    return out;
}

/*
 * Open a file of the form that the reader reads: CSV, or else Parquet.
 * @param cut  bytes that the Parquet file lacks at its end
 */
static int32_t open_form(const struct dn_conform *c, const char *csv, size_t cut, void **reader,
                         struct dativo_error *e)
{
    char path[512];
    char config[1024];

    if (!dn_conform_file(c, "in.csv", csv) ||
        !dn_conform_bytes(c, "in.parquet", dn_conform_parquet, DN_CONFORM_PARQUET_SIZE - cut)) {
        (void)snprintf(e->message, sizeof e->message, "the test file could not be written");
        return DATIVO_ERR_IO;
    }
    dn_conform_path(c, "in.csv", path);
    int32_t code = c->reader->open(config_make(config, sizeof config, path, "{}"), NULL, reader, e);
    if (code == DATIVO_ERR_UNSUPPORTED) {
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

static enum dn_verdict unknown_option(struct dn_conform *c)
{
    char path[512];
    char config[1024];

    if (!dn_conform_file(c, "in.csv", k_small)) {
        return dn_conform_fail(c, "the test file could not be written");
    }
    dn_conform_path(c, "in.csv", path);
    return expect_open_error(c, config_make(config, sizeof config, path, "{\"delimitre\":\";\"}"),
                             "an unknown option");
}

static enum dn_verdict close_null(struct dn_conform *c)
{
    c->reader->close(NULL);
    return DN_VERDICT_PASS;
}

/* One string value of a "u", "U" or "vu" column; false if the column is of another type. */
static bool string_at(const struct ArrowSchema *schema, const struct ArrowArray *column,
                      int64_t row, const char **out, size_t *len)
{
    const int64_t i = row + column->offset;

    if (strcmp(schema->format, "u") == 0) {
        const int32_t *offsets = column->buffers[1];
        *out = (const char *)column->buffers[2] + offsets[i];
        *len = (size_t)(offsets[i + 1] - offsets[i]);
        return true;
    }
    if (strcmp(schema->format, "vu") == 0) {
        const uint8_t *view = (const uint8_t *)column->buffers[1] + 16 * i;
        int32_t size = 0;
        memcpy(&size, view, 4);
        *len = (size_t)size;
        if (size <= 12) {
            *out = (const char *)view + 4;
        } else {
            int32_t where[2];
            memcpy(where, view + 8, 8);
            *out = (const char *)column->buffers[2 + where[0]] + where[1];
        }
        return true;
    }
    return false;
}

/* An open reader on the small file, or why there is none. */
static enum dn_verdict small_open(struct dn_conform *c, void **reader)
{
    struct dativo_error e;

    dn_plugin_error_init(&e);
    const int32_t code = open_form(c, k_small, 0, reader, &e);
    if (code == DATIVO_ERR_UNSUPPORTED) {
        return dn_conform_skip(c, "it reads neither CSV nor Parquet: %.300s", e.message);
    }
    if (code != DATIVO_OK) {
        return dn_conform_fail(c, "open() failed on a good file: %.300s", e.message);
    }
    return DN_VERDICT_PASS;
}

static const char *schema_problem(const struct ArrowSchema *schema)
{
    static const char *const names[] = {"id", "name", "amount"};

    if (schema->release == NULL || schema->format == NULL || strcmp(schema->format, "+s") != 0) {
        return "the schema is not a struct";
    }
    if (schema->n_children != 3) {
        return "the schema does not have the file's three columns";
    }
    for (size_t i = 0; i < 3; i++) {
        if (schema->children[i]->name == NULL || strcmp(schema->children[i]->name, names[i]) != 0) {
            return "the schema's columns do not have the file's names";
        }
    }
    return NULL;
}

/* What the batch of rows [first, ...) holds, compared with the file. */
static const char *batch_problem(const struct ArrowSchema *schema, const struct ArrowArray *batch,
                                 int64_t first)
{
    static const char *const names[] = {"a \"b\", c", "two\nlines", "plain"};
    const char *text = NULL;
    size_t len = 0;

    if (batch->n_children != 3 || batch->length <= 0 || batch->length > 3 - first) {
        return "a batch has no rows, too many rows, or other columns than the schema";
    }
    for (int64_t i = 0; i < batch->length; i++) {
        const int64_t row = first + i;
        if (!string_at(schema->children[1], batch->children[1], i + batch->offset, &text, &len)) {
            return "column \"name\" is not a string column (u or vu)";
        }
        if (len != strlen(names[row]) || memcmp(text, names[row], len) != 0) {
            return "a quoted value came out wrong";
        }
        if (strcmp(schema->children[0]->format, "l") == 0) {
            const int64_t *ids = batch->children[0]->buffers[1];
            if (ids[i + batch->offset + batch->children[0]->offset] != row + 1) {
                return "an integer came out wrong";
            }
        }
    }
    return NULL;
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
            return dn_conform_fail(c, "get_next() failed: %.300s", text != NULL ? text : "no text");
        }
        if (batch.release == NULL) {
            break;
        }
        const char *problem = batch_problem(schema, &batch, rows);
        rows += batch.length;
        nulls += problem == NULL ? dn_column_null_count(batch.children[2]) : 0;
        batch.release(&batch);
        if (problem != NULL) {
            return dn_conform_fail(c, "%s", problem);
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

    enum dn_verdict v = small_open(c, &reader);
    if (v != DN_VERDICT_PASS) {
        return v;
    }
    dn_plugin_error_init(&e);
    if (c->reader->schema(reader, &schema, &e) != DATIVO_OK) {
        v = dn_conform_fail(c, "schema() failed: %.300s", e.message);
    } else if (schema_problem(&schema) != NULL) {
        v = dn_conform_fail(c, "%s", schema_problem(&schema));
    } else if (c->reader->stream(reader, &stream, &e) != DATIVO_OK) {
        v = dn_conform_fail(c, "stream() failed: %.300s", e.message);
    } else {
        v = stream_check(c, &schema, &stream);
        stream.release(&stream);
        if (v == DN_VERDICT_PASS && stream.release != NULL) {
            v = dn_conform_fail(c, "the stream's release callback did not set itself to NULL");
        }
    }
    if (schema.release != NULL) {
        schema.release(&schema);
    }
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

    enum dn_verdict v = small_open(c, &reader);
    if (v != DN_VERDICT_PASS) {
        return v;
    }
    dn_plugin_error_init(&e);
    if (c->reader->schema(reader, &schema, &e) != DATIVO_OK ||
        c->reader->stream(reader, &stream, &e) != DATIVO_OK ||
        stream.get_next(&stream, &batch) != 0 || batch.release == NULL) {
        return dn_conform_fail(c, "no batch: %.300s", e.message);
    }
    stream.release(&stream);
    c->reader->close(reader);
    const char *problem = batch_problem(&schema, &batch, 0);
    batch.release(&batch);
    schema.release(&schema);
    return problem == NULL ? DN_VERDICT_PASS : dn_conform_fail(c, "after close(): %s", problem);
}

static enum dn_verdict two_handles(struct dn_conform *c)
{
    void *first = NULL;
    void *second = NULL;

    enum dn_verdict v = small_open(c, &first);
    if (v == DN_VERDICT_PASS) {
        v = small_open(c, &second);
    }
    if (v == DN_VERDICT_PASS && first == second) {
        v = dn_conform_fail(c, "open() gave the same handle twice");
    }
    c->reader->close(first);
    if (v == DN_VERDICT_PASS) {
        struct ArrowSchema schema = {0};
        struct dativo_error e;
        dn_plugin_error_init(&e);
        if (c->reader->schema(second, &schema, &e) != DATIVO_OK ||
            schema_problem(&schema) != NULL) {
            v = dn_conform_fail(c, "closing one reader broke another");
        }
        if (schema.release != NULL) {
            schema.release(&schema);
        }
    }
    c->reader->close(second);
    return v;
}

/* An unclosed quote, or a file without its end: an error at open() or in the stream, never a silent end. */
static enum dn_verdict bad_data(struct dn_conform *c)
{
    struct dativo_error e;
    struct ArrowArrayStream stream = {0};
    void *reader = NULL;
    enum dn_verdict v = DN_VERDICT_PASS;

    dn_plugin_error_init(&e);
    const int32_t code = open_form(c, "a,b\n1,2\n3,\"4\n", 9, &reader, &e);
    if (code == DATIVO_ERR_UNSUPPORTED) {
        return dn_conform_skip(c, "it reads neither CSV nor Parquet");
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
            v = dn_conform_fail(c, "the stream failed, but last_error() knows nothing");
        } else if (stream.get_next(&stream, &batch) == 0) {
            v = dn_conform_fail(c, "the stream went on after its failure");
        }
        if (v == DN_VERDICT_PASS) {
            (void)snprintf(c->said, sizeof c->said, "%.300s", e.message);
        }
        stream.release(&stream);
    }
    c->reader->close(reader);
    return v;
}

static enum dn_verdict cancel_ends(struct dn_conform *c)
{
    struct ArrowArrayStream stream = {0};
    struct dativo_error e;
    struct ArrowArray batch = {0};
    void *reader = NULL;

    enum dn_verdict v = small_open(c, &reader);
    if (v != DN_VERDICT_PASS) {
        return v;
    }
    dn_plugin_error_init(&e);
    if (c->reader->stream(reader, &stream, &e) != DATIVO_OK) {
        return dn_conform_fail(c, "stream() failed: %.300s", e.message);
    }
    c->reader->cancel(reader);
    while (stream.get_next(&stream, &batch) == 0 && batch.release != NULL) {
        batch.release(&batch); /* what was ready may still come */
    }
    struct dativo_progress progress = {.struct_size = sizeof progress};
    c->reader->progress(reader, &progress);
    stream.release(&stream);
    c->reader->close(reader);
    return DN_VERDICT_PASS;
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
    {"cancel() ends the stream", cancel_ends,
     "look at the flag that cancel() sets before every batch, and return ECANCELED"},
    {NULL, NULL, NULL},
};
