/* A reader of Level 0 as dativo.reader/1: its first records say which columns there are, all others have to fit them. */
#include "level0.h"

#include "arrow/batch.h"
#include "base/library.h"
#include "base/memory.h"
#include "base/strings.h"
#include "base/utf8.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is looked at before the types are settled: so many batches, or bytes of JSON. */
#define SAMPLE_BATCHES 10000
#define SAMPLE_BYTES (4u << 20)
/* Lists without a record, one behind the other, until that is no longer taken for patience. */
#define MAX_EMPTY 1000
#define MAX_NAMED 8

struct level0_handle {
    struct dn_shell_handle shell;
    struct dativo_host host;
    struct level0_library library;
    json_t *config; /* as the host gave it */
    void *handle;   /* the library's */
    struct level0_columns sample;
    struct level0_fields fields;
    struct ArrowSchema schema;
    char **texts; /* of the sample, not yet handed out */
    size_t n_texts;
    size_t next_text;
    bool source_ended;
    bool ended;
    bool streamed;
    int64_t n_batches; /* handed out */
    int64_t n_empty;
    int64_t limit; /* rows that are still wanted; -1: all */
    int64_t n_rounded;
    int64_t n_lone_surrogates;
    struct level0_columns
        left_out; /* keys behind the sample that the option columns does not choose */
    _Atomic int64_t rows_done;
    _Atomic bool cancelled;
};

static const char k_extract[] = "extract_batch";

static void close_reader(void *reader)
{
    struct level0_handle *h = reader;

    if (h == NULL || !dn_owner_is_here(&h->shell.owner)) {
        return;
    }
    for (size_t i = h->next_text; i < h->n_texts; i++) {
        dn_free(h->texts[i]);
    }
    dn_free(h->texts);
    if (h->handle != NULL) {
        h->library.free_handle(h->handle);
    }
    if (h->schema.release != NULL) {
        h->schema.release(&h->schema);
    }
    level0_columns_finish(&h->sample);
    level0_columns_finish(&h->left_out);
    level0_fields_finish(&h->fields);
    json_decref(h->config);
    dn_free(h);
}

/* ---- texts of the library ---- */

static const char *skip_space(const char *p)
{
    return p + strspn(p, " \t\r\n");
}

/* Records that are no rows: errors that hosts would write as data. */
static enum dn_status records_check(const struct level0_handle *h, const char *text,
                                    struct dn_error *err)
{
    const char *p = skip_space(skip_space(text) + 1);

    if (*p != '{') {
        return DN_OK;
    }
    p = skip_space(p + 1);
    const bool is_marked = dn_text_starts_with(p, "\"__error__\"");
    if (!is_marked && !dn_text_starts_with(p, "\"error\"")) {
        return DN_OK;
    }
    json_t *list = json_loads(text, JSON_ALLOW_NUL, NULL);
    const json_t *first = json_array_get(list, 0);
    const bool is_error =
        is_marked || (json_array_size(list) == 1 && json_object_size(first) == 1 &&
                      level0_columns_get(&h->sample, "error") == NULL);
    json_decref(list);
    return is_error
               ? level0_refuse(&h->library, k_extract, "an error as if it were a record", text, err)
               : DN_OK;
}

/* The value may be what hosts take for the end of the data: then rows would be missing without a word. */
static enum dn_status text_check(const struct level0_handle *h, const char *text, bool *is_empty,
                                 struct dn_error *err)
{
    DN_TRY(level0_text_check(&h->library, k_extract, text, err));
    const char *p = skip_space(text);
    *is_empty = false;
    if (*p == '{') {
        return level0_refuse(&h->library, k_extract, "an object instead of a list of records", text,
                             err);
    }
    if (*p != '[') {
        json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
        const bool is_json = value != NULL;
        json_decref(value);
        return level0_refuse(&h->library, k_extract,
                             is_json ? "no list of records, and the end of the data is NULL"
                                     : "a text that is not JSON",
                             text, err);
    }
    p = skip_space(p + 1);
    if (*p == ']') {
        *is_empty = true;
        return *skip_space(p + 1) == '\0'
                   ? DN_OK
                   : level0_refuse(&h->library, k_extract, "more than one JSON value", text, err);
    }
    return records_check(h, text, err);
}

/* One batch with records in it, as a copy; NULL: the end of the data. */
static enum dn_status text_next(struct level0_handle *h, char **out, struct dn_error *err)
{
    *out = NULL;
    while (!h->source_ended) {
        bool is_empty = false;
        if (atomic_load(&h->cancelled) ||
            (h->host.cancelled != NULL && h->host.cancelled(h->host.ctx) != 0)) {
            return dn_error_set(err, DN_ERR_CANCELLED, "stopped on request");
        }
        const char *text = h->library.extract_batch(h->handle);
        if (text == NULL) {
            h->source_ended = true;
            return level0_last_error(&h->library, h->handle, err);
        }
        enum dn_status st = text_check(h, text, &is_empty, err);
        if (st == DN_OK && !is_empty) {
            h->n_empty = 0;
            *out = dn_strdup(text);
            st = *out != NULL ? DN_OK : dn_error_memory(err, strlen(text) + 1);
        }
        h->library.free_string(text);
        if (st != DN_OK || *out != NULL) {
            return st;
        }
        if (++h->n_empty >= MAX_EMPTY) {
            return dn_error_set(
                err, DN_ERR_DATA,
                "%s: extract_batch() returned [] %d times, one after the other; the end of "
                "the data is NULL",
                h->library.path, MAX_EMPTY);
        }
    }
    return DN_OK;
}

/* "batch 3": errors of records name their number within it. */
static enum dn_status batch_error(const struct level0_handle *h, enum dn_status st,
                                  struct dn_error *err)
{
    if (st != DN_OK && st != DN_ERR_MEMORY) {
        if (err->row > 0) {
            err->row += atomic_load(&h->rows_done);
        }
        return dn_error_prefix(err, st, "%s: batch %" PRId64 ": ", h->library.path,
                               h->n_batches + 1);
    }
    return st;
}

static enum dn_status sample_take(struct level0_handle *h, struct dn_error *err)
{
    size_t capacity = 0;
    size_t n_bytes = 0;

    while (n_bytes < SAMPLE_BYTES && h->n_texts < SAMPLE_BATCHES && !h->source_ended) {
        char *text = NULL;
        DN_TRY(text_next(h, &text, err));
        if (text == NULL) {
            break;
        }
        if (h->n_texts == capacity) {
            capacity = capacity > 0 ? 2 * capacity : 16;
            char **texts = dn_realloc(h->texts, capacity * sizeof(*texts));
            if (texts == NULL) {
                dn_free(text);
                return dn_error_memory(err, capacity * sizeof(*texts));
            }
            h->texts = texts;
        }
        h->texts[h->n_texts++] = text;
        n_bytes += strlen(text);
        const enum dn_status st = level0_columns_add(&h->sample, text, err);
        if (st != DN_OK) {
            h->n_batches = (int64_t)h->n_texts - 1;
            return batch_error(h, st, err);
        }
    }
    return DN_OK;
}

/* ---- open ---- */

static const json_t *options_of(const json_t *config)
{
    return json_object_get(json_object_get(config, "engine"), "options");
}

static enum dn_status library_open(struct level0_handle *h, const char *config_json,
                                   struct dn_error *err)
{
    DN_TRY(dn_shell_json_parse(&h->config, config_json, "the configuration", err));
    DN_TRY(level0_library_load(&h->library, h->config, "reader", err));
    h->limit = -1;
    DN_TRY(level0_option_count(options_of(h->config), "limit", 0, &h->limit, err));
    json_t *own = json_deep_copy(h->config);
    if (own == NULL) {
        return dn_error_memory(err, 0);
    }
    json_t *passed_on = (json_t *)(uintptr_t)options_of(own);
    level0_options_take(passed_on);
    if (!dn_library_may_have_text(h->library.path, "limit")) {
        (void)json_object_del(passed_on,
                              "limit"); /* done here; a library may refuse what it does not know */
    }
    level0_options_tell(&h->library, options_of(own), "limit", &h->host, "reader_options");
    const enum dn_status st = level0_library_create(&h->library, own, &h->handle, err);
    json_decref(own);
    return st;
}

static enum dn_status open_handle(struct level0_handle *h, const char *config_json,
                                  const struct dativo_host *host, struct dn_error *err)
{
    struct ArrowArray none = {0};
    int64_t file_counter = 0;

    dn_shell_handle_init(&h->shell, LEVEL0_NAME);
    dn_shell_host_read(&h->host, host);
    DN_TRY(library_open(h, config_json, err));
    DN_TRY(sample_take(h, err));
    DN_TRY(level0_fields_make(&h->fields, options_of(h->config), &h->sample, err));
    DN_TRY(dn_records_read("[]", h->fields.list, (int64_t)h->fields.n, &h->schema, &none,
                           &file_counter, err));
    none.release(&none);
    if (h->fields.n == 0) {
        return dn_error_set(err, DN_ERR_DATA,
                            "%s: extract_batch() returned NULL at once: no records, and so no "
                            "columns; if that is an error, what it was may be on its standard "
                            "error; if there are none, name the columns by their types",
                            h->library.path);
    }
    return DN_OK;
}

static int32_t open_reader(const char *config_json, const struct dativo_host *host,
                           void **out_reader, struct dativo_error *err)
{
    struct dn_error error = {0};
    struct level0_handle *h = dn_calloc(1, sizeof(*h));

    *out_reader = NULL;
    enum dn_status st =
        h != NULL ? open_handle(h, config_json, host, &error) : dn_error_memory(&error, sizeof(*h));
    if (st != DN_OK) {
        close_reader(h);
        return dn_shell_error_export(st, &error, err);
    }
    *out_reader = h;
    return DATIVO_OK;
}

static int32_t get_schema(void *reader, struct ArrowSchema *out, struct dativo_error *err)
{
    struct level0_handle *h = reader;
    struct dn_error error = {0};
    enum dn_status st = dn_shell_handle_check(&h->shell, &error);

    if (st == DN_OK) {
        st = dn_schema_copy(out, &h->schema, &error);
    }
    return dn_shell_error_export(st, &error, err);
}

/* ---- batches ---- */

/* Values of a column that was not declared are of another type than the first records said: which one would hold all of them? */
static enum dn_status suggest_type(const struct level0_handle *h, const char *text,
                                   const char *name, const struct dn_error *why,
                                   struct dn_error *err)
{
    struct level0_columns found = {0};
    struct dn_error own;
    const json_t *types = json_object_get(options_of(h->config), "types");

    if (json_object_get(types, name) != NULL) {
        return (enum dn_status)why->code;
    }
    const struct level0_column *column =
        level0_columns_add(&found, text, &own) == DN_OK ? level0_columns_get(&found, name) : NULL;
    enum dn_type_id current = DN_TYPE_NULL;
    for (size_t i = 0; i < h->fields.n; i++) {
        if (strcmp(h->fields.list[i].name, name) == 0) {
            const struct dn_type type = h->fields.list[i].type;
            current = dn_type_is_text(type) ? DN_TYPE_UTF8 : type.id;
        }
    }
    const enum dn_type_id wider =
        column != NULL ? level0_type_join(current, column->type) : DN_TYPE_NULL;
    level0_columns_finish(&found);
    if (wider == DN_TYPE_NULL || wider == current) {
        return (enum dn_status)why->code;
    }
    err->code = DN_ERR_TYPE;
    dn_error_copy_text(err->suggested_type, sizeof(err->suggested_type), level0_type_word(wider));
    return DN_ERR_TYPE;
}

/* A key that no record of the sample has. */
static enum dn_status key_is_new(struct level0_handle *h, const struct ArrowSchema *column,
                                 const struct ArrowArray *values, struct dn_error *err)
{
    char shown[DN_ESCAPED_VALUE_SIZE];
    struct dn_field field;
    const struct ArrowSchema *children[1] = {column};
    const struct ArrowSchema one = {
        .format = "+s", .n_children = 1, .children = (struct ArrowSchema **)(uintptr_t)children};

    if (values->null_count == values->length) {
        return DN_OK; /* no value of it */
    }
    DN_TRY(dn_schema_get_field(&one, 0, &field, err));
    (void)dn_error_set(err, DN_ERR_TYPE,
                       "column %s is in none of the first %" PRId64
                       " records; name it and its type with the option types",
                       dn_error_escape_value(shown, column->name, strlen(column->name)),
                       atomic_load(&h->rows_done));
    dn_error_locate(err, NULL, -1, -1, -1, column->name);
    dn_error_copy_text(
        err->suggested_type, sizeof(err->suggested_type),
        level0_type_word(dn_type_is_text(field.type) ? DN_TYPE_UTF8 : field.type.id));
    return DN_ERR_TYPE;
}

/* Take the columns behind those of the fields out of a batch. */
static enum dn_status extras_drop(struct level0_handle *h, const struct ArrowSchema *schema,
                                  struct ArrowArray *batch, struct dn_error *err)
{
    const int64_t n = (int64_t)h->fields.n;

    for (int64_t i = n; i < batch->n_children; i++) {
        const char *name = schema->children[i]->name;
        if (!h->fields.is_chosen) {
            DN_TRY(key_is_new(h, schema->children[i], batch->children[i], err));
        } else if (level0_columns_get(&h->sample, name) == NULL &&
                   level0_columns_get(&h->left_out, name) == NULL) {
            struct dn_buffer record = {0};
            enum dn_status st = dn_text_append(&record, "[{", err);
            st = st == DN_OK ? dn_text_append_json_string(&record, name, strlen(name), err) : st;
            st = st == DN_OK ? dn_text_append(&record, ":1}]", err) : st;
            st = st == DN_OK ? dn_buffer_append_byte(&record, 0, err) : st;
            st =
                st == DN_OK ? level0_columns_add(&h->left_out, (const char *)record.data, err) : st;
            dn_buffer_finish(&record);
            DN_TRY(st);
        }
    }
    for (int64_t i = n; i < batch->n_children; i++) {
        batch->children[i]->release(batch->children[i]);
    }
    batch->n_children = n;
    return DN_OK;
}

/* Consumers that find columns by place see the columns of the schema, whatever keys the records have. */
static enum dn_status batch_read(struct level0_handle *h, const char *text, struct ArrowArray *out,
                                 struct dn_error *err)
{
    struct dn_records_counts counts = {0};
    struct ArrowSchema schema = {0};
    int64_t file_counter = 0;

    enum dn_status st = dn_records_read_counted(text, h->fields.list, (int64_t)h->fields.n, &schema,
                                                out, &file_counter, &counts, err);
    if (st != DN_OK) {
        const struct dn_error why = *err;
        return why.column[0] != '\0' && st != DN_ERR_MEMORY
                   ? suggest_type(h, text, why.column, &why, err)
                   : st;
    }
    if (*skip_space(text + counts.n_bytes) != '\0') {
        st = level0_refuse(&h->library, k_extract, "more than one JSON value", text, err);
    }
    st = st == DN_OK ? extras_drop(h, &schema, out, err) : st;
    schema.release(&schema);
    if (st != DN_OK) {
        out->release(out);
        *out = (struct ArrowArray){0};
        return st;
    }
    h->n_rounded += counts.n_rounded;
    h->n_lone_surrogates += counts.n_lone_surrogates;
    return DN_OK;
}

/* No more rows than are wanted; children are the batch's own, and may be shortened. */
static void limit_apply(struct level0_handle *h, struct ArrowArray *batch)
{
    if (h->limit >= 0 && batch->length > h->limit) {
        batch->length = h->limit;
        for (int64_t i = 0; i < batch->n_children; i++) {
            struct ArrowArray *child = batch->children[i];
            child->length = h->limit;
            child->null_count = child->null_count == 0 ? 0 : -1;
        }
    }
    h->limit -= h->limit >= 0 ? batch->length : 0;
}

/* A plugin may mean something else by it, as what it asks a server for at a time. */
static void limit_tell(const struct level0_handle *h)
{
    char message[512];

    if (h->host.log != NULL) {
        (void)snprintf(message, sizeof(message),
                       "the option limit ends this behind %" PRId64
                       " rows, whatever %s has besides",
                       atomic_load(&h->rows_done), h->library.path);
        h->host.log(h->host.ctx, DATIVO_LOG_NOTE, "limit", message);
    }
}

static enum dn_status next_batch(struct level0_handle *h, struct ArrowArray *out,
                                 struct dn_error *err)
{
    char *text = NULL;

    if (h->limit == 0) {
        limit_tell(h);
        h->ended = true;
        return DN_OK;
    }
    if (h->next_text < h->n_texts) {
        text = h->texts[h->next_text++];
    } else {
        DN_TRY(text_next(h, &text, err));
    }
    if (text == NULL) {
        h->ended = true;
        return DN_OK;
    }
    const enum dn_status st = batch_error(h, batch_read(h, text, out, err), err);
    dn_free(text);
    DN_TRY(st);
    limit_apply(h, out);
    h->n_batches++;
    atomic_fetch_add(&h->rows_done, out->length);
    return DN_OK;
}

static int stream_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    struct level0_handle *h = stream->private_data;
    struct dn_error error = {0};

    *out = (struct ArrowArray){0};
    enum dn_status st = dn_shell_handle_check(&h->shell, &error);
    if (st == DN_OK && !h->ended) {
        st = next_batch(h, out, &error);
    }
    if (st != DN_OK) {
        h->shell.error = error; /* no log line: the host has it through last_error() */
        return st == DN_ERR_MEMORY ? ENOMEM : EINVAL;
    }
    return 0;
}

static int stream_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    return get_schema(stream->private_data, out, NULL) == DATIVO_OK ? 0 : EINVAL;
}

static const char *stream_error(struct ArrowArrayStream *stream)
{
    const struct level0_handle *h = stream->private_data;

    return h->shell.error.code != DN_OK ? h->shell.error.message : NULL;
}

static void stream_release(struct ArrowArrayStream *stream)
{
    stream->private_data = NULL; /* the handle belongs to close() */
    stream->release = NULL;
}

static int32_t get_stream(void *reader, struct ArrowArrayStream *out, struct dativo_error *err)
{
    struct level0_handle *h = reader;
    struct dn_error error = {0};
    enum dn_status st = dn_shell_handle_check(&h->shell, &error);

    if (st == DN_OK && h->streamed) {
        st = dn_error_set(&error, DN_ERR_INVALID,
                          "a reader has one stream and it was taken already: open another reader");
    }
    if (st == DN_OK) {
        h->streamed = true;
        *out = (struct ArrowArrayStream){.get_schema = stream_schema,
                                         .get_next = stream_next,
                                         .get_last_error = stream_error,
                                         .release = stream_release,
                                         .private_data = h};
    }
    return dn_shell_error_export(st, &error, err);
}

static int32_t tell_error(void *reader, struct dativo_error *err)
{
    const struct level0_handle *h = reader;

    return dn_shell_error_export((enum dn_status)h->shell.error.code, &h->shell.error, err);
}

static void progress(void *reader, struct dativo_progress *out)
{
    struct level0_handle *h = reader;

    dn_shell_progress_export(-1, -1, atomic_load(&h->rows_done), out);
}

static void cancel(void *reader)
{
    struct level0_handle *h = reader;

    atomic_store(&h->cancelled, true);
}

/* ---- report and types ---- */

static enum dn_status warn(struct dn_buffer *b, const char *type, const char *text, bool *first,
                           struct dn_error *err)
{
    DN_TRY(
        dn_text_appendf(b, err, "%s{\"event_type\":\"%s\",\"message\":", *first ? "" : ",", type));
    *first = false;
    DN_TRY(dn_text_append_json_string(b, text, strlen(text), err));
    return dn_text_append(b, "}", err);
}

static enum dn_status append_report(const struct level0_handle *h, struct dn_buffer *b,
                                    struct dn_error *err)
{
    char line[700];
    char names[400];
    const char *list[MAX_NAMED];
    size_t n = 0;
    bool first = true;

    DN_TRY(dn_text_appendf(b, err, "{\"rows\":%" PRId64 ",\"warnings\":[",
                           atomic_load(&h->rows_done)));
    for (; n < h->left_out.n && n < MAX_NAMED; n++) {
        list[n] = h->left_out.list[n].name;
    }
    if (n > 0) {
        dn_text_list(names, sizeof(names), list, n);
        (void)snprintf(line, sizeof(line),
                       "%zu keys of records behind the first ones are left out, which the chosen "
                       "columns do not have: %s",
                       h->left_out.n, names);
        DN_TRY(warn(b, "columns_left_out", line, &first, err));
    }
    if (h->n_rounded > 0) {
        (void)snprintf(line, sizeof(line),
                       "%" PRId64 " numbers were rounded to float64: another type keeps them",
                       h->n_rounded);
        DN_TRY(warn(b, "rounded", line, &first, err));
    }
    if (h->n_lone_surrogates > 0) {
        (void)snprintf(line, sizeof(line),
                       "%" PRId64 " escapes that are half a character were stored as U+FFFD",
                       h->n_lone_surrogates);
        DN_TRY(warn(b, "lone_surrogates", line, &first, err));
    }
    return dn_text_append(b, "]}", err);
}

static int32_t text_give(enum dn_status st, struct dn_buffer *b, struct dn_error *error,
                         char **out_json, struct dativo_error *err)
{
    *out_json = st == DN_OK ? dn_shell_text_end(b) : NULL;
    if (st == DN_OK && *out_json == NULL) {
        st = dn_error_memory(error, b->len);
    }
    dn_buffer_finish(b);
    return dn_shell_error_export(st, error, err);
}

static int32_t report(void *reader, char **out_json, struct dativo_error *err)
{
    const struct level0_handle *h = reader;
    struct dn_error error = {0};
    struct dn_buffer b = {0};
    enum dn_status st = dn_shell_handle_check(&h->shell, &error);

    st = st == DN_OK ? dn_shell_text_begin(&b, 256, &error) : st;
    st = st == DN_OK ? append_report(h, &b, &error) : st;
    return text_give(st, &b, &error, out_json, err);
}

/* The word of a column of the schema, or what the values of all batches together ask for. */
static enum dn_status append_types(struct level0_handle *h, struct dn_buffer *b,
                                   struct dn_error *err)
{
    const size_t n = h->fields.n;
    const json_t *types = json_object_get(options_of(h->config), "types");

    DN_TRY(dn_text_append(b, "{\"columns\":[", err));
    for (size_t i = 0; i < n; i++) {
        const char *name = h->fields.list[i].name;
        const struct level0_column *found = level0_columns_get(&h->sample, name);
        const enum dn_type_id current =
            dn_type_is_text(h->fields.list[i].type) ? DN_TYPE_UTF8 : h->fields.list[i].type.id;
        DN_TRY(dn_text_append(b, i > 0 ? ",{\"name\":" : "{\"name\":", err));
        DN_TRY(dn_text_append_json_string(b, name, strlen(name), err));
        DN_TRY(dn_text_append(b, ",\"type\":\"", err));
        if (found != NULL && json_object_get(types, name) == NULL) {
            const enum dn_type_id both = level0_type_join(current, found->type);
            if (both != current) {
                DN_TRY(dn_text_appendf(b, err, "%s\",\"nullable\":true}", level0_type_word(both)));
                continue;
            }
        }
        DN_TRY(dn_schema_print_type(&h->schema, (int64_t)i, b, err));
        DN_TRY(dn_text_append(b, "\",\"nullable\":true}", err));
    }
    for (size_t i = 0; i < h->sample.n && !h->fields.is_chosen; i++) { /* behind those: new ones */
        const struct level0_column *c = &h->sample.list[i];
        bool is_known = false;
        for (size_t k = 0; k < n && !is_known; k++) {
            is_known = strcmp(h->fields.list[k].name, c->name) == 0;
        }
        if (!is_known && c->type != DN_TYPE_NULL) {
            DN_TRY(dn_text_append(b, ",{\"name\":", err));
            DN_TRY(dn_text_append_json_string(b, c->name, strlen(c->name), err));
            DN_TRY(dn_text_appendf(b, err, ",\"type\":\"%s\",\"nullable\":true}",
                                   level0_type_word(c->type)));
        }
    }
    return dn_text_append(b, "]}", err);
}

/* Goes through all batches for their types alone: the sample becomes everything. */
static int32_t find_types(const char *config_json, const struct dativo_host *host, char **out_json,
                          struct dativo_error *err)
{
    struct dn_error error = {0};
    struct dn_buffer b = {0};
    void *reader = NULL;

    *out_json = NULL;
    const int32_t code = open_reader(config_json, host, &reader, err);
    if (code != DATIVO_OK || reader == NULL) {
        return code;
    }
    struct level0_handle *h = reader;
    enum dn_status st = DN_OK;
    for (;;) {
        char *text = NULL;
        st = text_next(h, &text, &error);
        if (st != DN_OK || text == NULL) {
            break;
        }
        st = level0_columns_add(&h->sample, text, &error);
        dn_free(text);
        if (st != DN_OK) {
            break;
        }
    }
    /* errors of the data are left to the reading */
    st = st == DN_ERR_CANCELLED || st == DN_ERR_MEMORY ? st : DN_OK;
    st = st == DN_OK ? dn_shell_text_begin(&b, 1024, &error) : st;
    st = st == DN_OK ? append_types(h, &b, &error) : st;
    close_reader(h);
    return text_give(st, &b, &error, out_json, err);
}

const struct dativo_reader_v1 level0_reader = {
    .struct_size = sizeof(level0_reader),
    .open = open_reader,
    .schema = get_schema,
    .stream = get_stream,
    .last_error = tell_error,
    .progress = progress,
    .cancel = cancel,
    .close = close_reader,
    .report = report,
    .find_types = find_types,
};
