/*
 * A complete reader plugin in one file: its source is not a file but a number.
 *
 *     dativo-native convert --reader build/release/examples/libcounting_reader_plugin.so count:1000 numbers.parquet
 *
 * "count:N" is a table of N rows with the columns n (1, 2, 3, ...) and half (n / 2, null where n is odd).  The core is
 * next_rows(); around it stand Level 1, which hands out Arrow columns, and Level 0, which hands out JSON.  docs/plugins.md walks
 * through it.  It uses libc, jansson for the configuration, and dativo/plugin.h; nothing else of this repository.
 */
#include "dativo/plugin.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BATCH_ROWS 4096 /* a multiple of 8: every batch starts at a whole byte of the bitmap */
#define MOST_ROWS INT64_C(1000000000000)

struct counter {
    int64_t n_rows;
    int64_t next; /* rows handed out so far */
    int64_t batch_rows;
    atomic_int cancelled;
    pid_t owner;               /* in a child of fork() the handle is of no use */
    struct dativo_error error; /* code 0: none.  Once set, every later call gives it again */
};

/* ---- errors ------------------------------------------------------------------------------------------------------ */

/* Fill as much of the caller's struct as the caller knows: struct_size says how much that is. */
__attribute__((format(printf, 3, 4))) static int32_t fail(struct dativo_error *err, int32_t code,
                                                          const char *format, ...)
{
    struct dativo_error made = {.code = code, .row = -1, .line = -1, .byte_offset = -1};
    va_list args;

    if (err == NULL) {
        return code;
    }
    va_start(args, format);
    (void)vsnprintf(made.message, sizeof made.message, format, args);
    va_end(args);
    made.struct_size = err->struct_size < sizeof made ? err->struct_size : (uint32_t)sizeof made;
    memcpy(err, &made, made.struct_size);
    return code;
}

/* ---- the configuration -------------------------------------------------------------------------------------------- */

/*
 * The native host tells a reader what the asset of a job asks for: which columns, of which types, which without nulls.
 * A reader does what it is told, or refuses; it never ignores an option.  This one has a fixed table, so it only agrees.
 */
static int32_t option_check(struct counter *c, const char *key, json_t *value,
                            struct dativo_error *err)
{
    if (strcmp(key, "batch_size") == 0) {
        c->batch_rows = json_integer_value(value);
        return c->batch_rows > 0 && c->batch_rows <= BATCH_ROWS
                   ? DATIVO_OK
                   : fail(err, DATIVO_ERR_CONFIG, "engine.options.%s must be 1 to 4096", key);
    }
    if (strcmp(key, "columns") == 0) {
        json_t *ours = json_pack("[s, s]", "n", "half");
        const int same = json_equal(ours, value);
        json_decref(ours);
        return same ? DATIVO_OK
                    : fail(err, DATIVO_ERR_UNSUPPORTED,
                           "engine.options.%s: the columns are n and half, in this order", key);
    }
    if (strcmp(key, "types") == 0 || strcmp(key, "widened") == 0) {
        const char *column = NULL;
        json_t *type = NULL;
        json_object_foreach(value, column, type)
        {
            if (json_is_string(type) && strcmp(json_string_value(type), "int64") != 0) {
                return fail(err, DATIVO_ERR_UNSUPPORTED, "column \"%s\" is an int64 column here",
                            column);
            }
        }
        return DATIVO_OK;
    }
    if (strcmp(key, "required") == 0) {
        for (size_t i = 0; i < json_array_size(value); i++) {
            const char *column = json_string_value(json_array_get(value, i));
            if (column == NULL || strcmp(column, "n") != 0) {
                return fail(err, DATIVO_ERR_DATA, "column \"%s\" has nulls; it cannot be required",
                            column != NULL ? column : "?");
            }
        }
        return DATIVO_OK;
    }
    if (strcmp(key, "missing_as_null") == 0) {
        return DATIVO_OK; /* nothing is ever missing */
    }
    return fail(err, DATIVO_ERR_CONFIG,
                "unknown option \"%s\"; this reader knows batch_size, columns, types, required",
                key);
}

/* "count:1000" */
static int32_t path_read(struct counter *c, const char *path, struct dativo_error *err)
{
    char *end = NULL;

    if (path == NULL || strncmp(path, "count:", 6) != 0) {
        return fail(err, DATIVO_ERR_UNSUPPORTED,
                    "this reader takes a path such as count:1000, not \"%s\"",
                    path != NULL ? path : "");
    }
    errno = 0;
    c->n_rows = strtoll(path + 6, &end, 10);
    if (errno != 0 || end == path + 6 || *end != '\0' || c->n_rows < 0 || c->n_rows > MOST_ROWS) {
        return fail(err, DATIVO_ERR_CONFIG, "\"%s\" is not count:N with N from 0 to 10^12", path);
    }
    return DATIVO_OK;
}

static int32_t config_read(struct counter *c, const char *text, struct dativo_error *err)
{
    json_error_t problem;
    const char *key = NULL;
    json_t *value = NULL;
    int32_t st = DATIVO_OK;

    c->owner = getpid();
    /* Exactly one JSON value; what stands behind it is none of our business. */
    json_t *root = text != NULL ? json_loads(text, JSON_DISABLE_EOF_CHECK, &problem) : NULL;
    if (!json_is_object(root)) {
        json_decref(root);
        return fail(err, DATIVO_ERR_CONFIG, "the configuration is not a JSON object");
    }
    json_t *files = json_object_get(root, "files");
    json_t *options = json_object_get(json_object_get(root, "engine"), "options");
    c->batch_rows = BATCH_ROWS;
    if (json_array_size(files) != 1) {
        st = fail(err, DATIVO_ERR_CONFIG, "this reader takes one entry in files");
    } else {
        st =
            path_read(c, json_string_value(json_object_get(json_array_get(files, 0), "path")), err);
    }
    json_object_foreach(options, key, value)
    {
        if (st == DATIVO_OK && strcmp(key, "native") != 0) { /* that is the connector recipe's */
            st = option_check(c, key, value, err);
        }
    }
    json_decref(root);
    return st;
}

/* ---- the data ----------------------------------------------------------------------------------------------------- */

/* How many rows come next, 0 at the end; they begin with the value *first. */
static int64_t next_rows(struct counter *c, int64_t *first)
{
    const int64_t left = c->n_rows - c->next;
    const int64_t n = left < c->batch_rows ? left : c->batch_rows;

    *first = c->next + 1;
    c->next += n;
    return n;
}

/* ---- Level 1: Arrow columns --------------------------------------------------------------------------------------- */

/* A schema and its two columns, one allocation; the release callback frees it. */
struct schema_memory {
    struct ArrowSchema columns[2];
    struct ArrowSchema *list[2];
};

static void column_schema_release(struct ArrowSchema *s)
{
    s->release = NULL; /* released: nothing of it is its own */
}

static void schema_release(struct ArrowSchema *s)
{
    for (int64_t i = 0; i < s->n_children; i++) {
        if (s->children[i]->release != NULL) { /* a consumer may have moved a child out */
            s->children[i]->release(s->children[i]);
        }
    }
    free(s->private_data);
    s->release = NULL;
}

static int schema_make(struct ArrowSchema *out)
{
    struct schema_memory *m = calloc(1, sizeof *m);

    if (m == NULL) {
        return ENOMEM;
    }
    m->columns[0] =
        (struct ArrowSchema){.format = "l", .name = "n", .release = column_schema_release};
    m->columns[1] = (struct ArrowSchema){.format = "l",
                                         .name = "half",
                                         .flags = ARROW_FLAG_NULLABLE,
                                         .release = column_schema_release};
    m->list[0] = &m->columns[0];
    m->list[1] = &m->columns[1];
    *out = (struct ArrowSchema){.format = "+s",
                                .name = "",
                                .n_children = 2,
                                .children = m->list,
                                .release = schema_release,
                                .private_data = m};
    return 0;
}

/* A batch and everything in it, one allocation.  It outlives the reader: nothing in it points elsewhere. */
struct batch_memory {
    struct ArrowArray columns[2];
    struct ArrowArray *list[2];
    const void *struct_buffers[1];
    const void *n_buffers[2];
    const void *half_buffers[2];
    uint8_t half_validity[BATCH_ROWS / 8];
    int64_t n[BATCH_ROWS];
    int64_t half[BATCH_ROWS];
};

static void column_release(struct ArrowArray *a)
{
    a->release = NULL;
}

static void batch_release(struct ArrowArray *a)
{
    for (int64_t i = 0; i < a->n_children; i++) {
        if (a->children[i]->release != NULL) {
            a->children[i]->release(a->children[i]);
        }
    }
    free(a->private_data);
    a->release = NULL;
}

static int batch_make(struct ArrowArray *out, int64_t first, int64_t n_rows)
{
    struct batch_memory *m = calloc(1, sizeof *m);
    int64_t n_nulls = 0;

    if (m == NULL) {
        return ENOMEM;
    }
    for (int64_t i = 0; i < n_rows; i++) {
        m->n[i] = first + i;
        m->half[i] = (first + i) / 2;
        if ((first + i) % 2 == 0) {
            m->half_validity[i / 8] |= (uint8_t)(1U << (i % 8)); /* bit 1: a value, 0: null */
        } else {
            n_nulls++;
        }
    }
    m->n_buffers[1] = m->n; /* no validity bitmap: no nulls */
    m->half_buffers[0] = m->half_validity;
    m->half_buffers[1] = m->half;
    m->columns[0] = (struct ArrowArray){
        .length = n_rows, .n_buffers = 2, .buffers = m->n_buffers, .release = column_release};
    m->columns[1] = (struct ArrowArray){.length = n_rows,
                                        .null_count = n_nulls,
                                        .n_buffers = 2,
                                        .buffers = m->half_buffers,
                                        .release = column_release};
    m->list[0] = &m->columns[0];
    m->list[1] = &m->columns[1];
    *out = (struct ArrowArray){.length = n_rows,
                               .n_buffers = 1,
                               .buffers = m->struct_buffers,
                               .n_children = 2,
                               .children = m->list,
                               .release = batch_release,
                               .private_data = m};
    return 0;
}

static int stream_schema(struct ArrowArrayStream *s, struct ArrowSchema *out)
{
    (void)s;
    return schema_make(out);
}

/* 0 with a released array is the end; anything but 0 is an error, and stays one. */
static int stream_next(struct ArrowArrayStream *s, struct ArrowArray *out)
{
    struct counter *c = s->private_data;
    int64_t first = 0;

    c->error.struct_size = sizeof c->error;
    if (c->error.code == DATIVO_OK && c->owner != getpid()) {
        fail(&c->error, DATIVO_ERR_INVALID, "the reader belongs to another process");
    }
    if (c->error.code == DATIVO_OK && atomic_load(&c->cancelled)) {
        fail(&c->error, DATIVO_ERR_CANCELLED, "stopped on request");
    }
    if (c->error.code == DATIVO_OK) {
        const int64_t n = next_rows(c, &first);
        *out = (struct ArrowArray){0};
        if (n > 0 && batch_make(out, first, n) != 0) {
            fail(&c->error, DATIVO_ERR_MEMORY, "memory ran out");
        }
    }
    return c->error.code == DATIVO_OK              ? 0
           : c->error.code == DATIVO_ERR_CANCELLED ? ECANCELED
                                                   : ENOMEM;
}

static const char *stream_error(struct ArrowArrayStream *s)
{
    const struct counter *c = s->private_data;
    return c->error.code != DATIVO_OK ? c->error.message : NULL;
}

static void stream_release(struct ArrowArrayStream *s)
{
    s->release = NULL; /* the counter is freed by close() */
}

static int32_t reader_open(const char *config_json, const struct dativo_host *host,
                           void **out_reader, struct dativo_error *err)
{
    struct counter *c = calloc(1, sizeof *c);

    (void)host; /* no threads, no log, no memory worth a budget */
    *out_reader = NULL;
    if (c == NULL) {
        return fail(err, DATIVO_ERR_MEMORY, "memory ran out");
    }
    const int32_t st = config_read(c, config_json, err);
    if (st != DATIVO_OK) {
        free(c);
        return st;
    }
    *out_reader = c;
    return DATIVO_OK;
}

static int32_t reader_schema(void *reader, struct ArrowSchema *out, struct dativo_error *err)
{
    (void)reader;
    return schema_make(out) == 0 ? DATIVO_OK : fail(err, DATIVO_ERR_MEMORY, "memory ran out");
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
    const struct counter *c = reader;

    if (c->error.code != DATIVO_OK) {
        fail(err, c->error.code, "%s", c->error.message);
    }
    return c->error.code;
}

static void reader_progress(void *reader, struct dativo_progress *out)
{
    (void)reader; /* any thread may ask; a reader with bytes to count would keep them in atomics */
    out->bytes_done = -1;
    out->bytes_total = -1;
    out->rows_done = -1;
}

static void reader_cancel(void *reader)
{
    atomic_store(&((struct counter *)reader)->cancelled, 1);
}

static void reader_close(void *reader)
{
    struct counter *c = reader;

    if (c != NULL && c->owner == getpid()) {
        free(c);
    }
}

static const void *get_extension(const char *name)
{
    /* splits, open_split and report stay NULL: they are optional */
    static const struct dativo_reader_v1 reader = {
        .struct_size = sizeof reader,
        .open = reader_open,
        .schema = reader_schema,
        .stream = reader_stream,
        .last_error = reader_last_error,
        .progress = reader_progress,
        .cancel = reader_cancel,
        .close = reader_close,
    };
    return strcmp(name, DATIVO_EXT_READER) == 0 ? &reader : NULL;
}

static void free_text(char *text)
{
    free(text);
}

const struct dativo_plugin *dativo_plugin_get(uint32_t host_abi, struct dativo_error *err)
{
    static const struct dativo_plugin plugin = {
        .struct_size = sizeof plugin,
        .abi_version = DATIVO_ABI_VERSION,
        .name = "counting_reader",
        .version = "1.0.0",
        .description = "Counts: an example of a reader plugin",
        .get_extension = get_extension,
        .free_text = free_text,
    };
    if (host_abi >> 16 != DATIVO_ABI_VERSION >> 16) {
        fail(err, DATIVO_ERR_UNSUPPORTED, "counting_reader speaks ABI 1, the host does not");
        return NULL;
    }
    return &plugin;
}

/* ---- Level 0: JSON records ---------------------------------------------------------------------------------------- */

/* An error text: never NULL and never JSON, so that no host takes it for the end of the data; and one log line. */
static const char *error_text(const struct dativo_error *error)
{
    char stamp[32] = "";
    const time_t now = time(NULL);
    struct tm tm;

    (void)strftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M:%S,000", gmtime_r(&now, &tm));
    json_t *line = json_pack("{s:s, s:s, s:s, s:s}", "timestamp", stamp, "level", "ERROR",
                             "message", error->message, "event_type", "plugin_error");
    char *log = json_dumps(line, 0);
    json_t *body = json_pack("{s:s, s:s}", "code",
                             error->code == DATIVO_ERR_MEMORY        ? "memory"
                             : error->code == DATIVO_ERR_UNSUPPORTED ? "unsupported"
                             : error->code == DATIVO_ERR_DATA        ? "data"
                                                                     : "config",
                             "message", error->message);
    char *json = json_dumps(body, JSON_COMPACT);
    const size_t size = sizeof DATIVO_ERROR_PREFIX + (json != NULL ? strlen(json) : 2);
    char *text = malloc(size);

    (void)fprintf(stderr, "%s\n", log != NULL ? log : "{\"level\":\"ERROR\"}");
    if (text != NULL) {
        (void)snprintf(text, size, "%s%s", DATIVO_ERROR_PREFIX, json != NULL ? json : "{}");
    }
    free(log);
    free(json);
    json_decref(line);
    json_decref(body);
    return text;
}

void *create_reader(const char *config_json)
{
    struct counter *c = calloc(1, sizeof *c);

    if (c != NULL) { /* a bad configuration is told by the first extract_batch() */
        c->error.struct_size = sizeof c->error;
        (void)config_read(c, config_json, &c->error);
    }
    return c;
}

const char *extract_batch(void *reader)
{
    static const struct dativo_error no_reader = {.code = DATIVO_ERR_INVALID,
                                                  .message = "extract_batch() got no reader"};
    struct counter *c = reader;
    int64_t first = 0;

    if (c != NULL && c->error.code == DATIVO_OK && c->owner != getpid()) {
        fail(&c->error, DATIVO_ERR_INVALID, "the reader belongs to another process");
    }
    if (c == NULL || c->error.code != DATIVO_OK) {
        return error_text(c == NULL ? &no_reader : &c->error);
    }
    const int64_t n = next_rows(c, &first);
    if (n == 0) {
        return NULL; /* the end, and nothing but the end */
    }
    json_t *rows = json_array();
    for (int64_t i = first; i < first + n; i++) {
        json_t *half = i % 2 == 0 ? json_integer(i / 2) : json_null();
        if (json_array_append_new(rows,
                                  json_pack("{s:I, s:o}", "n", (json_int_t)i, "half", half)) != 0) {
            json_decref(rows);
            rows = NULL;
            break;
        }
    }
    char *text = rows != NULL ? json_dumps(rows, JSON_COMPACT) : NULL;
    json_decref(rows);
    if (text == NULL) {
        fail(&c->error, DATIVO_ERR_MEMORY, "memory ran out");
        return error_text(&c->error);
    }
    return text;
}

void free_reader(void *reader)
{
    reader_close(reader);
}

void free_string(const char *text)
{
    free((void *)(uintptr_t)text);
}
