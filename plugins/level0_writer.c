/* A writer of Level 0 as dativo.writer/1: batches become records, whose files wait for their names until commit(). */
#include "level0.h"

#include "base/memory.h"
#include "base/strings.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Records of a call of write_batch(), unless the option batch_size says otherwise, and bytes of them at most, about. */
#define BATCH_ROWS 50000
#define BATCH_BYTES (64u << 20)
/* Rows that are made JSON between two looks at that. */
#define PIECE_ROWS 1024

struct level0_handle {
    struct dn_shell_handle shell;
    struct level0_library library;
    json_t *config;
    void *handle; /* the library's */
    struct ArrowSchema schema;
    struct level0_files files;
    struct dn_buffer records; /* {"records":[...] as far as it came */
    int64_t n_records;        /* in it */
    int64_t batch_rows;
    json_t *manifest;
    bool finished;
    bool committed;
};

static const char k_write[] = "write_batch";

static void close_writer(void *writer)
{
    struct level0_handle *h = writer;

    if (h == NULL || !dn_owner_is_here(&h->shell.owner)) {
        return;
    }
    if (h->handle != NULL) {
        h->library.free_handle(h->handle);
    }
    level0_files_close(&h->files);
    if (h->schema.release != NULL) {
        h->schema.release(&h->schema);
    }
    dn_buffer_finish(&h->records);
    json_decref(h->manifest);
    json_decref(h->config);
    dn_free(h);
}

/* ---- open ---- */

/* The words that assets have for types. */
static const char *asset_type(struct dn_type type)
{
    if (dn_type_is_integer(type) && type.id != DN_TYPE_UINT64) { /* hosts' integers are int64 */
        return "integer";
    }
    switch (type.id) {
    case DN_TYPE_BOOL:
        return "boolean";
    case DN_TYPE_FLOAT16:
    case DN_TYPE_FLOAT32:
    case DN_TYPE_FLOAT64:
        return "double";
    case DN_TYPE_DATE32:
    case DN_TYPE_DATE64:
        return "date";
    case DN_TYPE_TIMESTAMP:
        return "timestamp";
    default:
        return "string";
    }
}

/* Without an asset the columns themselves are the schema. */
static enum dn_status schema_tell(const struct level0_handle *h, json_t *own, struct dn_error *err)
{
    struct dn_arena arena = {0};
    json_t *list = json_array();
    enum dn_status st = list != NULL ? DN_OK : dn_error_memory(err, 0);

    for (int64_t i = 0; st == DN_OK && i < h->schema.n_children; i++) {
        struct dn_node node;
        st = dn_schema_get_node(&h->schema, i, &arena, &node, err);
        if (st == DN_OK && json_array_append_new(
                               list, json_pack("{s:s, s:s, s:b}", "name", node.field.name, "type",
                                               asset_type(dn_node_values(&node)->field.type),
                                               "required", !node.field.nullable)) != 0) {
            st = dn_error_memory(err, 0);
        }
    }
    dn_arena_finish(&arena);
    if (st != DN_OK) {
        json_decref(list);
        return st;
    }
    return json_object_set_new(own, "schema", list) == 0 ? DN_OK : dn_error_memory(err, 0);
}

/* The configuration as the library gets it. */
static enum dn_status library_config(const struct level0_handle *h, json_t *own,
                                     struct dn_error *err)
{
    json_t *options = json_object_get(json_object_get(own, "engine"), "options");

    level0_options_take(options);
    (void)json_object_del(options, "batch_size"); /* done here */
    (void)json_object_del(own, "path");
    if (json_array_size(json_object_get(own, "schema")) == 0) {
        DN_TRY(schema_tell(h, own, err));
    }
    if (h->files.staging != NULL &&
        json_object_set_new(own, "output_base", json_string(h->files.staging)) != 0) {
        return dn_error_memory(err, 0);
    }
    return DN_OK;
}

static enum dn_status open_handle(struct level0_handle *h, const char *config_json,
                                  const struct ArrowSchema *schema, const struct dativo_host *host,
                                  struct dn_error *err)
{
    struct dativo_host services;

    dn_shell_handle_init(&h->shell, LEVEL0_NAME);
    dn_shell_host_read(&services, host);
    DN_TRY(dn_shell_json_parse(&h->config, config_json, "the configuration", err));
    DN_TRY(level0_library_load(&h->library, h->config, "writer", err));
    const json_t *options = json_object_get(json_object_get(h->config, "engine"), "options");
    h->batch_rows = BATCH_ROWS;
    DN_TRY(level0_option_count(options, "batch_size", 1, &h->batch_rows, err));
    DN_TRY(dn_schema_copy_unique(&h->schema, schema, err)); /* a record has a key once */
    const char *path = dn_shell_text_value(dn_shell_get(h->config, "path"));
    if (path == NULL) {
        return dn_error_set(err, DN_ERR_CONFIG,
                            "\"path\" is missing: give the final name of the file");
    }
    DN_TRY(level0_files_open(&h->files, path, json_is_true(json_object_get(options, "overwrite")),
                             err));
    h->manifest = json_array();
    json_t *own = json_deep_copy(h->config);
    enum dn_status st = own != NULL && h->manifest != NULL ? DN_OK : dn_error_memory(err, 0);
    st = st == DN_OK ? library_config(h, own, err) : st;
    if (st == DN_OK) {
        level0_options_tell(&h->library, json_object_get(json_object_get(own, "engine"), "options"),
                            "batch_size", &services, "writer_options");
    }
    st = st == DN_OK ? level0_library_create(&h->library, own, &h->handle, err) : st;
    json_decref(own);
    return st;
}

static int32_t open_writer(const char *config_json, const struct ArrowSchema *schema,
                           const struct dativo_host *host, void **out_writer,
                           struct dativo_error *err)
{
    struct dn_error error = {0};
    struct level0_handle *h = dn_calloc(1, sizeof(*h));

    *out_writer = NULL;
    enum dn_status st = h != NULL ? open_handle(h, config_json, schema, host, &error)
                                  : dn_error_memory(&error, sizeof(*h));
    if (st != DN_OK) {
        close_writer(h);
        return dn_shell_error_export(st, &error, err);
    }
    *out_writer = h;
    return DATIVO_OK;
}

/* ---- batches ---- */

/* One file of what write_batch() returned. */
static enum dn_status file_take(struct level0_handle *h, const json_t *file, const char *text,
                                int64_t *n_rows, struct dn_error *err)
{
    const json_t *size = json_object_get(file, "size_bytes");
    const json_t *count = json_object_get(file, "record_count");
    const char *path = json_string_value(json_object_get(file, "path"));

    if (path == NULL || !json_is_integer(count) || json_integer_value(count) < 0 ||
        (size != NULL && !json_is_integer(size))) {
        return level0_refuse(&h->library, k_write,
                             "an entry that is no {\"path\":text, \"size_bytes\":int, "
                             "\"record_count\":int}",
                             text, err);
    }
    *n_rows += json_integer_value(count);
    DN_TRY(level0_files_add(&h->files, &h->library, path,
                            size != NULL ? json_integer_value(size) : -1, err));
    char *final = level0_files_final(&h->files, h->files.n - 1);
    const int failed =
        final == NULL ||
        json_array_append_new(h->manifest, json_pack("{s:s, s:I, s:I}", "path", final, "size_bytes",
                                                     json_integer_value(size), "record_count",
                                                     json_integer_value(count))) != 0;
    dn_free(final);
    /* what is no UTF-8 has no place in JSON */
    return failed == 0 ? DN_OK : dn_error_memory(err, strlen(path));
}

/* Hosts take whatever list for files, and no list for none: here the rows have to be in them. */
static enum dn_status answer_take(struct level0_handle *h, const char *text, int64_t n_records,
                                  struct dn_error *err)
{
    int64_t n_rows = 0;
    enum dn_status st = DN_OK;

    if (text == NULL) {
        return dn_error_set(err, DN_ERR_DATA,
                            "%s: write_batch() returned NULL for %" PRId64
                            " records, which hosts take for no files; what failed may be on its "
                            "standard error",
                            h->library.path, n_records);
    }
    DN_TRY(level0_text_check(&h->library, k_write, text, err));
    json_t *files = json_loads(text, JSON_DECODE_ANY, NULL);
    if (!json_is_array(files)) {
        st = level0_refuse(&h->library, k_write, "no list of files", text, err);
    } else if (json_array_size(files) == 0) {
        st = level0_refuse(&h->library, k_write, "an empty list of files", text, err);
    }
    for (size_t i = 0; st == DN_OK && i < json_array_size(files); i++) {
        st = file_take(h, json_array_get(files, i), text, &n_rows, err);
    }
    json_decref(files);
    if (st == DN_OK && n_rows != n_records) {
        st = dn_error_set(err, DN_ERR_DATA,
                          "%s: write_batch() was given %" PRId64
                          " records, and its files have %" PRId64 " by their record_count",
                          h->library.path, n_records, n_rows);
    }
    return st;
}

static enum dn_status records_flush(struct level0_handle *h, struct dn_error *err)
{
    if (h->n_records == 0) {
        DN_TRY(dn_text_append(&h->records, "{\"records\":[]", err));
    }
    DN_TRY(dn_text_appendf(&h->records, err, ",\"file_counter\":%zu}", h->files.n));
    DN_TRY(dn_buffer_append_byte(&h->records, 0, err));
    const char *text = h->library.write_batch(h->handle, (const char *)h->records.data);
    const enum dn_status st = answer_take(h, text, h->n_records, err);
    if (text != NULL) {
        h->library.free_string(text);
    }
    h->n_records = 0;
    dn_buffer_reset(&h->records);
    return st;
}

static enum dn_status rows_add(struct level0_handle *h, const struct ArrowArray *batch, int64_t row,
                               int64_t n_rows, struct dn_error *err)
{
    if (h->n_records == 0) {
        DN_TRY(dn_text_append(&h->records, "{\"records\":", err));
    } else {
        h->records.len--; /* the list goes on: "]" goes, and the next "[" becomes a comma */
    }
    const size_t at = h->records.len;
    DN_TRY(dn_records_write(&h->records, &h->schema, batch, row, n_rows, err));
    if (h->n_records > 0) {
        h->records.data[at] = ',';
    }
    h->n_records += n_rows;
    return DN_OK;
}

static enum dn_status append_rows(struct level0_handle *h, const struct ArrowArray *batch,
                                  struct dn_error *err)
{
    for (int64_t row = 0; row < batch->length;) {
        int64_t n = batch->length - row;
        n = n < PIECE_ROWS ? n : PIECE_ROWS;
        n = n < h->batch_rows - h->n_records ? n : h->batch_rows - h->n_records;
        DN_TRY(rows_add(h, batch, row, n, err));
        row += n;
        if (h->n_records == h->batch_rows || h->records.len >= BATCH_BYTES) {
            DN_TRY(records_flush(h, err));
        }
    }
    return DN_OK;
}

static int32_t append(void *writer, struct ArrowArray *batch, struct dativo_error *err)
{
    struct level0_handle *h = writer;
    struct dn_error error = {0};
    enum dn_status st = dn_shell_handle_check(&h->shell, &error);

    if (st == DN_OK && h->finished) {
        st = dn_error_set(&error, DN_ERR_INVALID, "append() behind finish()");
    }
    if (st == DN_OK) {
        st = append_rows(h, batch, &error);
    }
    batch->release(batch);
    if (st != DN_OK && h->shell.error.code == DN_OK) {
        h->shell.error = error;
    }
    return dn_shell_error_export(st, &error, err);
}

static int32_t append_stream(void *writer, struct ArrowArrayStream *stream,
                             struct dativo_error *err)
{
    struct level0_handle *h = writer;

    for (;;) {
        struct ArrowArray batch = {0};
        const int code = stream->get_next(stream, &batch);
        if (code != 0) {
            struct dn_error error = {0};
            const char *said =
                stream->get_last_error != NULL ? stream->get_last_error(stream) : NULL;
            enum dn_status st = dn_error_set_errno(&error, DN_ERR_IO, code, "%s",
                                                   said != NULL ? said : "the stream failed");
            h->shell.error = error;
            return dn_shell_error_export(st, &error, err);
        }
        if (batch.release == NULL) {
            return DATIVO_OK;
        }
        const int32_t appended = append(writer, &batch, err);
        if (appended != DATIVO_OK) {
            return appended;
        }
    }
}

/* ---- the end ---- */

/* They are durable already; a library that wants to hear so hears it. */
static enum dn_status files_acknowledge(struct level0_handle *h, struct dn_error *err)
{
    if (h->library.commit_files == NULL || h->files.staging != NULL) {
        return DN_OK; /* staged files get other names */
    }
    struct dn_buffer list = {0};
    enum dn_status st = level0_json_text(h->manifest, &list, err);
    const char *text =
        st == DN_OK ? h->library.commit_files(h->handle, (const char *)list.data) : NULL;
    dn_buffer_finish(&list);
    DN_TRY(st);
    if (text == NULL) {
        return DN_OK;
    }
    st = level0_text_check(&h->library, "commit_files", text, err);
    h->library.free_string(text);
    return st;
}

static enum dn_status finish_handle(struct level0_handle *h, char **out, struct dn_error *err)
{
    struct dn_buffer b = {0};

    DN_TRY(dn_shell_handle_check(&h->shell, err));
    if (h->finished) {
        return dn_error_set(err, DN_ERR_INVALID, "finish() was called already");
    }
    h->finished = true;
    if (h->n_records > 0 || h->files.n == 0) {
        DN_TRY(records_flush(h, err));
    }
    DN_TRY(files_acknowledge(h, err));
    h->library.free_handle(h->handle); /* what it keeps beside its files goes before they move */
    h->handle = NULL;
    enum dn_status st = dn_shell_text_begin(&b, 1024, err);
    st = st == DN_OK ? level0_json_text(h->manifest, &b, err) : st;
    b.len -= st == DN_OK; /* the NUL, which comes again */
    *out = st == DN_OK ? dn_shell_text_end(&b) : NULL;
    dn_buffer_finish(&b);
    return st == DN_OK && *out == NULL ? dn_error_memory(err, 0) : st;
}

static int32_t finish(void *writer, char **out_manifest_json, struct dativo_error *err)
{
    struct level0_handle *h = writer;
    struct dn_error error = {0};

    *out_manifest_json = NULL;
    const enum dn_status st = finish_handle(h, out_manifest_json, &error);
    if (st != DN_OK && h->shell.error.code == DN_OK) {
        h->shell.error = error;
    }
    return dn_shell_error_export(st, &error, err);
}

static int32_t commit(void *writer, struct dativo_error *err)
{
    struct level0_handle *h = writer;
    struct dn_error error = {0};
    enum dn_status st = dn_shell_handle_check(&h->shell, &error);

    if (st == DN_OK && (!h->finished || h->committed)) {
        st = dn_error_set(&error, DN_ERR_INVALID, "commit() belongs behind finish(), once");
    }
    if (st == DN_OK) {
        h->committed = true;
        st = level0_files_commit(&h->files, &error);
    }
    if (st != DN_OK && h->shell.error.code == DN_OK) {
        h->shell.error = error;
    }
    return dn_shell_error_export(st, &error, err);
}

static void abort_writer(void *writer)
{
    struct level0_handle *h = writer;

    if (h->shell.error.code == DN_OK && !h->committed) {
        (void)dn_error_set(&h->shell.error, DN_ERR_CANCELLED, "the writer was aborted");
    }
}

const struct dativo_writer_v1 level0_writer = {
    .struct_size = sizeof(level0_writer),
    .open = open_writer,
    .append = append,
    .append_stream = append_stream,
    .finish = finish,
    .commit = commit,
    .abort = abort_writer,
    .close = close_writer,
};
