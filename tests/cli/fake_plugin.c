/*
 * A plugin that does what a test asks of it through engine.options: rows, failures, lies.  It reads no file and writes a
 * file that only tells how many rows arrived.
 *
 * reader: rows, batch_rows, fail_at (data error), conflict_at (the row at which column "a" stops being int64 until it is
 *         widened), stubborn (suggests a type that does not help), silent (fails without a message), disturb (changes the file before a second pass), report_lies,
 *         no_columns, endless (one slow batch after the other), busy (the first so many passes end for a passing reason; they are
 *         counted in the size of the file "busy")
 * writer: count_lies, size_lies, fail_open, fail_append, fail_finish, fail_commit
 *
 * Compiled with FAKE_LEVEL0_ONLY it has no dativo_plugin_get(); with FAKE_CARELESS its Level 0 functions make the mistakes
 * that hosts suffer from: NULL and "[]" for errors, a crash on NULL handles.  With FAKE_V1_0 it is a plugin of ABI version 1.0: built
 * against that version's header, with the smallest tables that are allowed, and a host that reads on behind them crashes.
 */
#ifdef FAKE_V1_0
#    include "plugin_v1.h"
#    define DATIVO_ERROR_PREFIX "DATIVO_PLUGIN_ERROR "
#else
#    include "dativo/plugin.h"
#endif

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int32_t fail(struct dativo_error *err, int32_t code, const char *message)
{
    if (err != NULL) {
        const uint32_t size = err->struct_size;
        memset(err, 0, sizeof(*err));
        err->struct_size = size;
        err->code = code;
        err->row = err->line = err->byte_offset = -1;
        (void)snprintf(err->message, sizeof(err->message), "%s", message);
    }
    return code;
}

static json_int_t option(const json_t *config, const char *name, json_int_t fallback)
{
    const json_t *options = json_object_get(json_object_get(config, "engine"), "options");
    const json_t *value = json_object_get(options, name);
    if (json_is_true(value)) {
        return 1;
    }
    return json_is_integer(value) ? json_integer_value(value) : fallback;
}

/* ---- Arrow: columns "a" (int64 or float64) and "b" (int64) ---- */

struct columns {
    struct ArrowArray a;
    struct ArrowArray b;
    struct ArrowArray *list[2];
    const void *a_buffers[2];
    const void *b_buffers[2];
    const void *none[1];
    void *a_values;
    int64_t *b_values;
};

static void child_release(struct ArrowArray *array)
{
    array->release = NULL;
}

static void batch_release(struct ArrowArray *array)
{
    struct columns *c = array->private_data;
    free(c->a_values);
    free(c->b_values);
    free(c);
    array->release = NULL;
}

static void batch_make(struct ArrowArray *out, int64_t first, int64_t n, int as_float)
{
    struct columns *c = calloc(1, sizeof(*c));
    c->a_values = calloc((size_t)n, 8);
    c->b_values = calloc((size_t)n, 8);
    for (int64_t i = 0; i < n; i++) {
        if (as_float) {
            ((double *)c->a_values)[i] = (double)(first + i) + 0.5;
        } else {
            ((int64_t *)c->a_values)[i] = first + i;
        }
        c->b_values[i] = -(first + i);
    }
    c->a_buffers[1] = c->a_values;
    c->b_buffers[1] = c->b_values;
    c->a = (struct ArrowArray){
        .length = n, .n_buffers = 2, .buffers = c->a_buffers, .release = child_release};
    c->b = (struct ArrowArray){
        .length = n, .n_buffers = 2, .buffers = c->b_buffers, .release = child_release};
    c->list[0] = &c->a;
    c->list[1] = &c->b;
    *out = (struct ArrowArray){.length = n,
                               .n_buffers = 1,
                               .buffers = c->none,
                               .n_children = 2,
                               .children = c->list,
                               .release = batch_release,
                               .private_data = c};
}

struct schema_parts {
    struct ArrowSchema children[2];
    struct ArrowSchema *list[2];
};

static void field_release(struct ArrowSchema *schema)
{
    schema->release = NULL;
}

static void schema_release(struct ArrowSchema *schema)
{
    free(schema->private_data);
    schema->release = NULL;
}

static void schema_make(struct ArrowSchema *out, int as_float, int64_t n_columns)
{
    struct schema_parts *p = calloc(1, sizeof(*p));
    p->children[0] = (struct ArrowSchema){.format = as_float ? "g" : "l",
                                          .name = "a",
                                          .flags = ARROW_FLAG_NULLABLE,
                                          .release = field_release};
    p->children[1] = (struct ArrowSchema){
        .format = "l", .name = "b", .flags = ARROW_FLAG_NULLABLE, .release = field_release};
    p->list[0] = &p->children[0];
    p->list[1] = &p->children[1];
    *out = (struct ArrowSchema){.format = "+s",
                                .name = "",
                                .n_children = n_columns,
                                .children = p->list,
                                .release = schema_release,
                                .private_data = p};
}

/* ---- reader ---- */

struct reader {
    json_t *config;
    struct dativo_host host;
    int64_t rows;
    int64_t next;
    int as_float;
    int cancelled;
    struct dativo_error error;
};

static int32_t reader_open(const char *config_json, const struct dativo_host *host, void **out,
                           struct dativo_error *err)
{
    *out = NULL;
    json_t *config = json_loads(config_json, JSON_DISABLE_EOF_CHECK, NULL);
    if (config == NULL) {
        return fail(err, DATIVO_ERR_CONFIG, "the configuration is not JSON");
    }
    if (json_object_get(json_object_get(json_object_get(config, "engine"), "options"),
                        "delimitre") != NULL) {
        json_decref(config);
        return fail(err, DATIVO_ERR_CONFIG, "unknown option delimitre");
    }
    const char *path = json_string_value(
        json_object_get(json_array_get(json_object_get(config, "files"), 0), "path"));
    if (path == NULL || strstr(path, "missing") != NULL) {
        json_decref(config);
        return fail(err, DATIVO_ERR_NOT_FOUND, "no such file");
    }
    if (strstr(path, "/in.csv") != NULL || strstr(path, "/in.parquet") != NULL) {
        json_decref(config);
        return fail(err, DATIVO_ERR_UNSUPPORTED, "this plugin reads no files");
    }
    struct reader *r = calloc(1, sizeof(*r));
    r->config = config;
    r->rows = option(config, "rows", 10);
    const json_t *widened =
        json_object_get(json_object_get(json_object_get(config, "engine"), "options"), "widened");
    const char *type = json_string_value(json_object_get(widened, "a"));
    r->as_float = type != NULL && strcmp(type, "float64") == 0;
    if (host != NULL) {
        r->host = *host;
    }
    *out = r;
    return DATIVO_OK;
}

static int32_t reader_schema(void *reader, struct ArrowSchema *out, struct dativo_error *err)
{
    const struct reader *r = reader;
    (void)err;
    schema_make(out, r->as_float, option(r->config, "no_columns", 0) != 0 ? 0 : 2);
    return DATIVO_OK;
}

static int stream_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    return reader_schema(stream->private_data, out, NULL) == DATIVO_OK ? 0 : 22;
}

/* What happens to the source between two passes: 1 another file in its place, 2 it grows, 3 it is cut. */
static void disturb(const struct reader *r)
{
    const char *path = json_string_value(
        json_object_get(json_array_get(json_object_get(r->config, "files"), 0), "path"));
    const json_int_t how = option(r->config, "disturb", 0);

    if ((how == 1 && rename("new.csv", path) != 0) ||
        (how > 1 && truncate(path, how == 2 ? 99 : 1) != 0)) {
        abort();
    }
}

static int conflict(struct reader *r)
{
    disturb(r);
    r->error.struct_size = sizeof(r->error);
    (void)fail(&r->error, DATIVO_ERR_TYPE,
               "fake.csv: line 9: column \"a\": '1.5' is not a value of type int64");
    r->error.line = 9;
    (void)snprintf(r->error.path, sizeof(r->error.path), "fake.csv");
    (void)snprintf(r->error.column, sizeof(r->error.column), "a");
    (void)snprintf(r->error.suggested_type, sizeof(r->error.suggested_type), "%s",
                   option(r->config, "stubborn", 0) != 0 ? "date" : "float64");
    return 22;
}

static int is_busy(struct reader *r)
{
    FILE *file = option(r->config, "busy", 0) > 0 && r->next == 0 ? fopen("busy", "a") : NULL;
    long before = 0;

    if (file == NULL) {
        return 0;
    }
    (void)fseek(file, 0, SEEK_END);
    before = ftell(file);
    (void)fputc('.', file);
    (void)fclose(file);
    if (before >= option(r->config, "busy", 0)) {
        return 0;
    }
    r->error.struct_size = sizeof(r->error);
    (void)fail(&r->error, DATIVO_ERR_TEMPORARY, "fake: the service is busy");
    return 5;
}

static int stream_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    struct reader *r = stream->private_data;
    const json_int_t fail_at = option(r->config, "fail_at", -1);
    const json_int_t conflict_at = option(r->config, "conflict_at", -1);
    int64_t n = option(r->config, "batch_rows", 4);

    *out = (struct ArrowArray){0};
    if (option(r->config, "endless", 0) != 0) {
        (void)usleep(20000);
        r->rows = r->next + n;
    }
    if (is_busy(r) != 0) {
        return 5;
    }
    if (r->cancelled || (r->host.cancelled != NULL && r->host.cancelled(r->host.ctx) != 0)) {
        r->error.struct_size = sizeof(r->error);
        (void)fail(&r->error, DATIVO_ERR_CANCELLED, "reading was cancelled");
        return 125;
    }
    if (r->next >= r->rows) {
        return 0;
    }
    n = r->rows - r->next < n ? r->rows - r->next : n;
    if (fail_at >= r->next && fail_at < r->next + n) {
        if (option(r->config, "silent", 0) == 0) {
            r->error.struct_size = sizeof(r->error);
            (void)fail(&r->error, DATIVO_ERR_DATA, "fake.csv: line 5: this row is broken");
        }
        return 5;
    }
    if (!r->as_float && conflict_at >= r->next && conflict_at < r->next + n) {
        return conflict(r);
    }
    batch_make(out, r->next, n, r->as_float);
    r->next += n;
    return 0;
}

static const char *stream_error(struct ArrowArrayStream *stream)
{
    const struct reader *r = stream->private_data;
    return r->error.message[0] != '\0' ? r->error.message : NULL;
}

static void stream_release(struct ArrowArrayStream *stream)
{
    stream->release = NULL;
}

static int32_t reader_stream(void *reader, struct ArrowArrayStream *out, struct dativo_error *err)
{
    (void)err;
    *out = (struct ArrowArrayStream){.get_schema = stream_schema,
                                     .get_next = stream_next,
                                     .get_last_error = stream_error,
                                     .release = stream_release,
                                     .private_data = reader};
    return DATIVO_OK;
}

static int32_t reader_last_error(void *reader, struct dativo_error *err)
{
    const struct reader *r = reader;
    if (r->error.code != 0) {
        *err = r->error;
    }
    return r->error.code;
}

static void reader_progress(void *reader, struct dativo_progress *out)
{
    const struct reader *r = reader;
    out->bytes_done = r->next * 10;
    out->bytes_total = r->rows * 10;
    out->rows_done = r->next;
}

static void reader_cancel(void *reader)
{
    ((struct reader *)reader)->cancelled = 1;
}

static void reader_close(void *reader)
{
    struct reader *r = reader;
    if (r != NULL) {
        json_decref(r->config);
        free(r);
    }
}

static int32_t reader_report(void *reader, char **out, struct dativo_error *err)
{
    const struct reader *r = reader;
    (void)err;
    *out = malloc(128);
    (void)snprintf(
        *out, 128, "{\"rows\":%lld,\"bytes\":%lld,\"files\":1,\"counters\":{\"oddities\":%d}}",
        (long long)r->next + option(r->config, "report_lies", 0), (long long)r->next * 10, 2);
    return DATIVO_OK;
}

static const struct dativo_reader_v1 reader_v1 = {
    .struct_size = sizeof(struct dativo_reader_v1),
    .open = reader_open,
    .schema = reader_schema,
    .stream = reader_stream,
    .last_error = reader_last_error,
    .progress = reader_progress,
    .cancel = reader_cancel,
    .close = reader_close,
    .report = reader_report,
};

/* ---- writer ---- */

struct writer {
    json_t *config;
    char path[1024];
    char temporary[1100];
    int64_t rows;
    double sum; /* of column "a": tells whether the rows of a restart are the right ones */
    int as_float;
    int required; /* column "a" is not nullable */
};

static int32_t writer_open(const char *config_json, const struct ArrowSchema *schema,
                           const struct dativo_host *host, void **out, struct dativo_error *err)
{
    (void)host;
    *out = NULL;
    json_t *config = json_loads(config_json, JSON_DISABLE_EOF_CHECK, NULL);
    if (config == NULL) {
        return fail(err, DATIVO_ERR_CONFIG, "the configuration is not JSON");
    }
    if (option(config, "fail_open", 0) != 0) {
        json_decref(config);
        return fail(err, DATIVO_ERR_CONFIG, "fake: open fails");
    }
    struct writer *w = calloc(1, sizeof(*w));
    w->config = config;
    w->as_float = schema->children[0]->format[0] == 'g';
    w->required = (schema->children[0]->flags & ARROW_FLAG_NULLABLE) == 0;
    (void)snprintf(w->path, sizeof(w->path), "%s",
                   json_string_value(json_object_get(config, "path")));
    (void)snprintf(w->temporary, sizeof(w->temporary), "%s.tmp", w->path);
    FILE *file = fopen(w->temporary, "w");
    if (file == NULL) {
        json_decref(config);
        free(w);
        return fail(err, DATIVO_ERR_IO, "the temporary file cannot be created");
    }
    (void)fclose(file);
    *out = w;
    return DATIVO_OK;
}

static int32_t writer_append(void *writer, struct ArrowArray *batch, struct dativo_error *err)
{
    struct writer *w = writer;
    const void *values = batch->children[0]->buffers[1];
    for (int64_t i = 0; i < batch->length; i++) {
        w->sum += w->as_float ? ((const double *)values)[i] : (double)((const int64_t *)values)[i];
    }
    w->rows += batch->length;
    batch->release(batch);
    return option(w->config, "fail_append", 0) != 0 ? fail(err, DATIVO_ERR_IO, "fake: disk full")
                                                    : DATIVO_OK;
}

static int32_t writer_append_stream(void *writer, struct ArrowArrayStream *stream,
                                    struct dativo_error *err)
{
    (void)writer;
    (void)stream;
    return fail(err, DATIVO_ERR_UNSUPPORTED, "fake: not here");
}

static int32_t writer_finish(void *writer, char **out, struct dativo_error *err)
{
    struct writer *w = writer;
    if (option(w->config, "fail_finish", 0) != 0) {
        return fail(err, DATIVO_ERR_IO, "fake: finish fails");
    }
    FILE *file = fopen(w->temporary, "w");
    if (file == NULL) {
        return fail(err, DATIVO_ERR_IO, "the temporary file cannot be written");
    }
    const int size = fprintf(file, "rows=%lld sum=%.1f type=%s required=%d\n", (long long)w->rows,
                             w->sum, w->as_float ? "float64" : "int64", w->required);
    (void)fclose(file);
    *out = malloc(2048);
    (void)snprintf(*out, 2048, "[{\"path\":\"%s\",\"size_bytes\":%lld,\"record_count\":%lld}]",
                   w->path, (long long)size + option(w->config, "size_lies", 0),
                   (long long)w->rows + option(w->config, "count_lies", 0));
    return DATIVO_OK;
}

static int32_t writer_commit(void *writer, struct dativo_error *err)
{
    struct writer *w = writer;
    if (option(w->config, "fail_commit", 0) != 0 || rename(w->temporary, w->path) != 0) {
        return fail(err, DATIVO_ERR_IO, "fake: commit fails");
    }
    w->temporary[0] = '\0';
    return DATIVO_OK;
}

static void writer_abort(void *writer)
{
    struct writer *w = writer;
    if (w->temporary[0] != '\0') {
        (void)unlink(w->temporary);
        w->temporary[0] = '\0';
    }
}

static void writer_close(void *writer)
{
    struct writer *w = writer;
    if (w != NULL) {
        writer_abort(w);
        json_decref(w->config);
        free(w);
    }
}

static const struct dativo_writer_v1 writer_v1 = {
    .struct_size = sizeof(struct dativo_writer_v1),
    .open = writer_open,
    .append = writer_append,
    .append_stream = writer_append_stream,
    .finish = writer_finish,
    .commit = writer_commit,
    .abort = writer_abort,
    .close = writer_close,
};

/* ---- entry points ---- */

#ifdef FAKE_V1_0
/* The first `size` bytes of a table, with memory behind them that nobody may touch. */
static const void *guarded(const void *table, uint32_t size)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *memory = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory + page, page, PROT_NONE) != 0) {
        return NULL;
    }
    memcpy(memory + page - size, table, size);
    memcpy(memory + page - size, &size, sizeof(size)); /* struct_size is the first member */
    return memory + page - size;
}
#else
static const void *guarded(const void *table, uint32_t size)
{
    (void)size;
    return table;
}
#endif

static const void *get_extension(const char *name)
{
    if (strcmp(name, DATIVO_EXT_READER) == 0) {
        return guarded(&reader_v1, offsetof(struct dativo_reader_v1, splits));
    }
    return strcmp(name, DATIVO_EXT_WRITER) == 0 ? guarded(&writer_v1, sizeof(writer_v1)) : NULL;
}

static void free_text(char *text)
{
    free(text);
}

#ifndef FAKE_LEVEL0_ONLY
const struct dativo_plugin *dativo_plugin_get(uint32_t host_abi, struct dativo_error *err)
{
    static const struct dativo_plugin plugin = {
        .struct_size = sizeof(struct dativo_plugin),
        .abi_version = DATIVO_ABI_VERSION,
        .name = "fake",
        .version = "0.0.1",
        .description = "does what a test asks of it",
        .get_extension = get_extension,
        .free_text = free_text,
    };
    if (host_abi >> 16 != DATIVO_ABI_VERSION >> 16) {
        (void)fail(err, DATIVO_ERR_UNSUPPORTED, "fake: another major version");
        return NULL;
    }
    return &plugin;
}
#else
/* Keep the tables used, so that one source serves both builds without warnings. */
DATIVO_EXPORT const void *fake_unused(const char *name);
const void *fake_unused(const char *name)
{
    free_text(NULL);
    return get_extension(name);
}
#endif

#ifdef FAKE_CARELESS
void *create_reader(const char *config_json)
{
    (void)config_json;
    return NULL;
}

const char *extract_batch(void *reader)
{
    return *(const char *)reader == 1 ? "[]" : NULL; /* a NULL handle crashes it */
}
#else
void *create_reader(const char *config_json)
{
    (void)config_json;
    return calloc(1, 1);
}

const char *extract_batch(void *reader)
{
    char *text = malloc(128);
    (void)snprintf(text, 128, DATIVO_ERROR_PREFIX "{\"code\":\"unsupported\",\"message\":\"%s\"}",
                   reader == NULL ? "NULL handle" : "fake reads nothing");
    return text;
}
#endif

void free_reader(void *reader)
{
    free(reader);
}

void free_string(const char *text)
{
    free((void *)(uintptr_t)text);
}
