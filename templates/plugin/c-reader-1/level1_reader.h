/*
 * A reader of Level 1 out of three functions that give rows: see `struct level1_reader` below. It is a part of your plugin: change
 * what you like. Traps that it takes care of: batches own their memory, and outlive the reader; bitmap, null_count and offsets agree;
 * texts of a batch stay below what 32-bit offsets reach; a failed or cancelled stream stays so; an empty batch is never the end; the
 * columns, types and required values that a job asks for are kept, or refused.
 */
#ifndef LEVEL1_READER_H
#define LEVEL1_READER_H

#include "level1.h"

#include <stdatomic.h>

enum { BATCH_ROWS = 8192, BATCH_TEXT_BYTES = 1 << 24 }; /* a batch ends at one of them */
enum { ROW = 0, END = -1 };                            /* what next() returns, if not a code of fail() */

struct column {
    const char *name;
    enum type type;
    int not_null; /* 1: a row without it is an error */
};

struct batch;

/* Your plugin: `const struct level1_reader level1_reader = {...};`, and PLUGIN_NAME and PLUGIN_VERSION in front of this header. */
struct level1_reader {
    const char *const *options; /* of engine.options, beside those of every reader; ends with NULL */
    /* Open what the configuration says; *columns: those of the source, in its order, up to a NULL name. Returns DATIVO_OK or fail(). */
    int32_t (*open)(const char *config, void **source, const struct column **columns, struct dativo_error *err);
    /* Put the cells of one row with the functions below, and return ROW; or END; or fail(). A cell that is not put is null. */
    int32_t (*next)(void *source, struct batch *batch, struct dativo_error *err);
    void (*close)(void *source);
};
extern const struct level1_reader level1_reader;

/* ---- a batch under way ---- */

struct cells {
    struct ArrowArray array;
    const void *buffers[3];
    uint8_t *valid; /* a bit a row */
    void *values;   /* 8 bytes a row at most; of texts n_rows + 1 offsets */
    char *text;
    size_t len, capacity;
    enum type type;
};

struct batch {
    int64_t n_rows, capacity;
    int64_t row; /* of the whole stream, from 1 on */
    int n_columns; /* as they are handed out: those that the job wants */
    const int *place; /* of each column of the source among them, or -1 */
    const struct column *columns; /* of the source */
    struct cells *cells;
    struct ArrowArray **list;
    const void *no_buffer;
    struct dativo_error *err; /* the first thing that was put wrong */
};

static inline void batch_free(struct batch *b)
{
    for (int i = 0; b != NULL && i < b->n_columns && b->cells != NULL; i++) {
        free(b->cells[i].valid);
        free(b->cells[i].values);
        free(b->cells[i].text);
    }
    if (b != NULL) {
        free(b->cells);
        free(b->list);
    }
    free(b);
}

static inline void cells_release(struct ArrowArray *a) { a->release = NULL; }

static inline void batch_release(struct ArrowArray *a)
{
    for (int64_t i = 0; i < a->n_children; i++) /* some of them may have been moved out */
        if (a->children[i]->release != NULL) a->children[i]->release(a->children[i]);
    batch_free(a->private_data);
    a->release = NULL;
}

/* The cell of this row, marked as there; NULL: the job does not want the column, or this is an error. */
static inline struct cells *cell_take(struct batch *b, int column, enum type type)
{
    const int place = b->place[column];
    struct cells *c = place >= 0 ? &b->cells[place] : NULL;
    const enum type own = b->columns[column].type;
    const int fits = own == type || (type == TYPE_INT64 && (own == TYPE_TIMESTAMP || own == TYPE_TIMESTAMPTZ));
    if (!fits && b->err->code == DATIVO_OK)
        fail(b->err, DATIVO_ERR_INTERNAL, "row %lld: column \"%s\" is %s: a %s was put there", (long long)b->row, b->columns[column].name,
             type_words[own], type_words[type]);
    if (!fits || c == NULL) return NULL;
    if ((c->valid[b->n_rows / 8] >> (b->n_rows % 8) & 1) != 0 && b->err->code == DATIVO_OK)
        fail(b->err, DATIVO_ERR_INTERNAL, "row %lld: column \"%s\" was put twice", (long long)b->row, b->columns[column].name);
    c->valid[b->n_rows / 8] |= (uint8_t)(1 << (b->n_rows % 8));
    return c;
}

static inline void put_bool(struct batch *b, int column, int value)
{
    struct cells *c = cell_take(b, column, TYPE_BOOL);
    if (c != NULL && value) ((uint8_t *)c->values)[b->n_rows / 8] |= (uint8_t)(1 << (b->n_rows % 8));
}

/* Of timestamps: microseconds. */
static inline void put_int64(struct batch *b, int column, int64_t value)
{
    struct cells *c = cell_take(b, column, TYPE_INT64);
    if (c != NULL) ((int64_t *)c->values)[b->n_rows] = value;
}

static inline void put_float64(struct batch *b, int column, double value)
{
    struct cells *c = cell_take(b, column, TYPE_FLOAT64);
    if (c != NULL) ((double *)c->values)[b->n_rows] = value;
}

static inline void put_date(struct batch *b, int column, int32_t days)
{
    struct cells *c = cell_take(b, column, TYPE_DATE);
    if (c != NULL) ((int32_t *)c->values)[b->n_rows] = days;
}

/* A text of UTF-8; it is copied. */
static inline void put_string(struct batch *b, int column, const char *text, size_t len)
{
    struct cells *c = cell_take(b, column, TYPE_STRING);
    if (c == NULL || b->err->code != DATIVO_OK) return;
    const size_t end = utf8_end(text, len);
    if (end < len) {
        fail(b->err, DATIVO_ERR_DATA, "row %lld: column \"%s\": byte %zu of the text is no UTF-8", (long long)b->row, b->columns[column].name, end);
        return;
    }
    if (len > INT32_MAX - c->len) {
        fail(b->err, DATIVO_ERR_UNSUPPORTED, "row %lld: column \"%s\": a text of %zu bytes does not fit into a batch", (long long)b->row,
             b->columns[column].name, len);
        return;
    }
    if (c->len + len > c->capacity) {
        const size_t capacity = 2 * c->capacity + len;
        char *grown = realloc(c->text, capacity);
        if (grown == NULL) {
            fail(b->err, DATIVO_ERR_MEMORY, "no memory for %zu bytes of text", capacity);
            return;
        }
        c->text = grown;
        c->capacity = capacity;
    }
    memcpy(c->text + c->len, text, len);
    c->len += len;
}

/* ---- the reader ---- */

struct handed_out {
    const char *name; /* of the source's column, or in `names` of the reader */
    enum type type;
    int source; /* index among the columns of the source, -1: it lacks it, and all is null */
    int not_null;
};

struct reader {
    void *source;
    const struct column *columns;
    int n_source, n_columns;
    int *place;
    struct handed_out *out;
    char *names; /* texts of the configuration */
    char path[512]; /* of the source, if it is one file; else "" */
    int64_t batch_rows;
    struct dativo_host host; /* as much of it as the host knows */
    atomic_int cancelled;
    atomic_llong rows_done;
    int at_end;
    pid_t owner;
    struct dativo_error error; /* code 0: none. Once set, every later call gives it again */
};

static inline void column_release(struct ArrowSchema *s) { s->release = NULL; }

static inline void schema_release(struct ArrowSchema *s)
{
    for (int64_t i = 0; i < s->n_children; i++)
        if (s->children[i]->release != NULL) s->children[i]->release(s->children[i]);
    free(s->private_data);
    s->release = NULL;
}

/* One allocation for the schema, its columns and their names. */
static inline int schema_make(const struct reader *r, struct ArrowSchema *out)
{
    static const char *const formats[N_TYPES] = {"b", "l", "g", "tdD", "tsu:", "tsu:UTC", "u"};
    const size_t n = (size_t)r->n_columns;
    size_t names = 0;
    for (size_t i = 0; i < n; i++) names += strlen(r->out[i].name) + 1;
    struct ArrowSchema *columns = calloc(1, n * (sizeof *columns + sizeof(void *)) + names + 1);
    if (columns == NULL) return ENOMEM;
    struct ArrowSchema **list = (struct ArrowSchema **)(columns + n);
    char *name = (char *)(list + n);
    for (size_t i = 0; i < n; i++, name += strlen(name) + 1) {
        memcpy(name, r->out[i].name, strlen(r->out[i].name) + 1);
        columns[i] = (struct ArrowSchema){.format = formats[r->out[i].type], .name = name, .release = column_release,
                                          .flags = r->out[i].not_null ? 0 : ARROW_FLAG_NULLABLE};
        list[i] = &columns[i];
    }
    *out = (struct ArrowSchema){.format = "+s", .name = "", .n_children = (int64_t)n, .children = list,
                                .release = schema_release, .private_data = columns};
    return 0;
}

static inline struct batch *batch_make(const struct reader *r, struct dativo_error *err)
{
    struct batch *b = calloc(1, sizeof *b);
    int failed = b == NULL;
    if (!failed) {
        *b = (struct batch){.capacity = r->batch_rows, .n_columns = r->n_columns, .place = r->place, .columns = r->columns, .err = err};
        b->cells = calloc((size_t)r->n_columns + 1, sizeof *b->cells);
        b->list = calloc((size_t)r->n_columns + 1, sizeof *b->list);
        failed = b->cells == NULL || b->list == NULL;
    }
    for (int i = 0; !failed && i < r->n_columns; i++) {
        struct cells *c = &b->cells[i];
        c->type = r->out[i].type;
        c->valid = calloc((size_t)r->batch_rows / 8 + 1, 1);
        c->values = calloc((size_t)r->batch_rows + 1, c->type == TYPE_BOOL ? 1 : c->type == TYPE_DATE || c->type == TYPE_STRING ? 4 : 8);
        c->text = c->type == TYPE_STRING ? malloc(c->capacity = 4096) : NULL;
        failed = c->valid == NULL || c->values == NULL || (c->type == TYPE_STRING && c->text == NULL);
    }
    if (!failed) return b;
    batch_free(b);
    fail(err, DATIVO_ERR_MEMORY, "no memory for a batch");
    return NULL;
}

/* The row is complete: what was not put is null. 1: the batch is full. */
static inline int row_end(struct reader *r, struct batch *b)
{
    size_t most = 0;
    for (int i = 0; i < b->n_columns; i++) {
        struct cells *c = &b->cells[i];
        const int is_there = c->valid[b->n_rows / 8] >> (b->n_rows % 8) & 1;
        if (!is_there && r->out[i].not_null && r->error.code == DATIVO_OK)
            fail(&r->error, DATIVO_ERR_DATA, "row %lld: column \"%s\" is required, and has no value", (long long)b->row, r->out[i].name);
        c->array.null_count += !is_there;
        if (c->type == TYPE_STRING) ((int32_t *)c->values)[b->n_rows + 1] = (int32_t)c->len;
        most = c->len > most ? c->len : most;
    }
    return ++b->n_rows == b->capacity || most >= BATCH_TEXT_BYTES;
}

/* The next batch; none at the end and after an error. */
static inline void batch_fill(struct reader *r, struct ArrowArray *out)
{
    struct batch *b = batch_make(r, &r->error);
    int full = 0;
    while (b != NULL && !full && r->error.code == DATIVO_OK) {
        b->row = atomic_load(&r->rows_done) + b->n_rows + 1;
        const int32_t got = level1_reader.next(r->source, b, &r->error);
        if (got == END) {
            r->at_end = 1;
            break;
        }
        if (got != ROW && r->error.code == DATIVO_OK) fail(&r->error, DATIVO_ERR_INTERNAL, "next() returned %d, without fail()", (int)got);
        if (r->error.code == DATIVO_OK) full = row_end(r, b);
    }
    if (r->error.code != DATIVO_OK) {
        r->error.row = r->error.row < 0 && b != NULL ? b->row : r->error.row;
        fail_in(&r->error, r->path);
        batch_free(b);
        return;
    }
    if (b->n_rows == 0) {
        batch_free(b);
        return;
    }
    for (int i = 0; i < b->n_columns; i++) {
        struct cells *c = &b->cells[i];
        c->buffers[0] = c->array.null_count > 0 ? c->valid : NULL;
        c->buffers[1] = c->values;
        c->buffers[2] = c->text;
        c->array.length = b->n_rows;
        c->array.n_buffers = c->type == TYPE_STRING ? 3 : 2;
        c->array.buffers = c->buffers;
        c->array.release = cells_release;
        b->list[i] = &c->array;
    }
    *out = (struct ArrowArray){.length = b->n_rows, .n_buffers = 1, .buffers = &b->no_buffer, .n_children = b->n_columns,
                               .children = b->list, .release = batch_release, .private_data = b};
    atomic_fetch_add(&r->rows_done, b->n_rows);
}

static inline int32_t reader_check(struct reader *r)
{
    if (r->error.code == DATIVO_OK && r->owner != getpid()) return fail(&r->error, DATIVO_ERR_INVALID, "the reader belongs to another process");
    if (r->error.code == DATIVO_OK && (atomic_load(&r->cancelled) || (r->host.cancelled != NULL && r->host.cancelled(r->host.ctx))))
        return fail(&r->error, DATIVO_ERR_CANCELLED, "stopped on request");
    return r->error.code;
}

static inline int32_t error_give(const struct reader *r, struct dativo_error *err)
{
    const uint32_t size = err != NULL ? err->struct_size : 0;
    if (size > 0 && r->error.code != DATIVO_OK) {
        memcpy(err, &r->error, size < sizeof r->error ? size : sizeof r->error);
        err->struct_size = size;
    }
    return r->error.code;
}

static inline int stream_schema(struct ArrowArrayStream *s, struct ArrowSchema *out) { return schema_make(s->private_data, out); }

static inline int stream_next(struct ArrowArrayStream *s, struct ArrowArray *out)
{
    struct reader *r = s->private_data;
    *out = (struct ArrowArray){0};
    if (reader_check(r) == DATIVO_OK && !r->at_end) batch_fill(r, out);
    return r->error.code == DATIVO_OK ? 0 : r->error.code == DATIVO_ERR_CANCELLED ? ECANCELED : r->error.os_errno != 0 ? r->error.os_errno : EIO;
}

static inline const char *stream_error(struct ArrowArrayStream *s)
{
    const struct reader *r = s->private_data;
    return r->error.code != DATIVO_OK ? r->error.message : NULL;
}

static inline void stream_release(struct ArrowArrayStream *s) { s->release = NULL; } /* close() frees the reader */

static inline int column_find(const struct reader *r, const char *name)
{
    for (int i = 0; i < r->n_source; i++)
        if (strcmp(r->columns[i].name, name) == 0) return i;
    return -1;
}

/* The type of a column in a map such as `types`; -1: there is none, N_TYPES: it is none that is known. */
static inline int type_find(const char *config, const char *map, const char *name)
{
    const char *word = json_get(config_option(config, map), name);
    if (word == NULL) return -1;
    for (int i = 0; i < N_TYPES; i++)
        if (json_equal(word, type_words[i])) return i;
    return N_TYPES;
}

/* What is passed over because it has another form reads other data than was meant. */
static inline int32_t forms_check(const char *config, struct dativo_error *err)
{
    static const char *const lists[] = {"columns", "required", NULL}, *const maps[] = {"types", "widened", NULL};
    for (int i = 0; lists[i] != NULL; i++)
        if (!json_is_texts(config_option(config, lists[i]))) return option_fail(err, lists[i], "must be a list of texts");
    for (int i = 0; maps[i] != NULL; i++)
        if (!json_is_text_map(config_option(config, maps[i]))) return option_fail(err, maps[i], "must be an object that gives columns types");
    return DATIVO_OK;
}

/* An option names a column, a text of the configuration, that it must not name. */
static inline int32_t column_fail(struct dativo_error *err, const char *option, const char *why, const char *column)
{
    fail(err, DATIVO_ERR_CONFIG, "engine.options.%s: %s column %.*s", option, why, (int)(json_text_end(column) - column), column);
    option_name(err, option);
    return DATIVO_ERR_CONFIG;
}

/* Columns in a map such as `types` are there. */
static inline int32_t types_check(const struct reader *r, const char *config, const char *map, struct dativo_error *err)
{
    const char *at = config_option(config, map), *key = NULL;
    for (const char *v = json_next(&at, &key); v != NULL; v = json_next(&at, &key)) {
        int found = *v == 'n';
        for (int i = 0; !found && i < r->n_source; i++) found = json_equal(key, r->columns[i].name);
        for (int i = 0; !found && i < r->n_columns; i++) found = json_equal(key, r->out[i].name);
        if (!found) return column_fail(err, map, "there is no", key);
    }
    return DATIVO_OK;
}

/* Columns that must have values are in the source, and handed out: else nobody looks at them. */
static inline int32_t required_take(struct reader *r, const char *config, struct dativo_error *err)
{
    const char *at = config_option(config, "required");
    for (const char *v = json_next_text(&at); v != NULL; v = json_next_text(&at)) {
        int out = 0, source = 0;
        while (out < r->n_columns && !json_equal(v, r->out[out].name)) out++;
        while (source < r->n_source && !json_equal(v, r->columns[source].name)) source++;
        if (source == r->n_source) return column_fail(err, "required", "there is no", v);
        if (out == r->n_columns) return column_fail(err, "required", "the option columns leaves out the", v);
        r->out[out].not_null = 1;
    }
    return DATIVO_OK;
}

/* Which columns are handed out, and as what: the options `columns`, `missing_as_null`, `types`, `widened`, `required`. */
static inline int32_t columns_choose(struct reader *r, const char *config, struct dativo_error *err)
{
    const char *list = config_option(config, "columns"), *at = list;
    const size_t room = list != NULL ? (size_t)(json_end(list, 0) - list) + 8 : 8; /* no text in it is longer */
    size_t used = 0;
    int n = 0, missing_as_null = 0;
    int32_t code = forms_check(config, err);
    if (code != DATIVO_OK) return code;
    if (!json_bool(config_option(config, "missing_as_null"), &missing_as_null)) return option_fail(err, "missing_as_null", "must be true or false");
    while (r->columns[r->n_source].name != NULL) r->n_source++;
    while (json_next_text(&at) != NULL) n++;
    n = list != NULL ? n : r->n_source;
    r->out = calloc((size_t)n + 1, sizeof *r->out);
    r->place = calloc((size_t)r->n_source + 1, sizeof *r->place);
    r->names = malloc(room + 8 * (size_t)n);
    if (r->out == NULL || r->place == NULL || r->names == NULL) return fail(err, DATIVO_ERR_MEMORY, "no memory for %d columns", n);
    for (int i = 0; i < r->n_source; i++) r->place[i] = -1;
    at = list;
    for (int i = 0; i < n; i++) {
        struct handed_out *o = &r->out[r->n_columns++];
        char *name = r->names + used;
        const char *fault = list != NULL ? json_text_fault(json_next_text(&at), name, room + 8 * (size_t)n - used) : NULL;
        if (fault != NULL) return fail(err, DATIVO_ERR_CONFIG, "engine.options.columns: name %d %s", i + 1, fault);
        o->source = list != NULL ? column_find(r, name) : i;
        if (o->source < 0 && !missing_as_null) return fail(err, DATIVO_ERR_CONFIG, "there is no column \"%.800s\"", name);
        for (int j = 0; list != NULL && j < i; j++)
            if (strcmp(r->out[j].name, name) == 0) return fail(err, DATIVO_ERR_CONFIG, "engine.options.columns has \"%.800s\" twice", name);
        if (o->source >= 0) r->place[o->source] = i;
        o->name = list != NULL ? name : r->columns[i].name;
        used += list != NULL ? strlen(name) + 1 : 0;
        const int declared = type_find(config, "types", o->name), widened = type_find(config, "widened", o->name);
        o->type = o->source >= 0 ? r->columns[o->source].type : declared >= 0 ? (enum type)declared : TYPE_STRING;
        o->not_null = o->source >= 0 && r->columns[o->source].not_null;
        if (o->type == N_TYPES || (declared >= 0 && declared != (int)o->type) || (widened >= 0 && widened != (int)o->type))
            return fail(err, DATIVO_ERR_UNSUPPORTED, "column \"%.800s\" is %s here, and cannot be another type", o->name,
                        o->type < N_TYPES ? type_words[o->type] : "of no type that this plugin knows");
    }
    if (code == DATIVO_OK) code = types_check(r, config, "types", err);
    if (code == DATIVO_OK) code = types_check(r, config, "widened", err);
    return code == DATIVO_OK ? required_take(r, config, err) : code;
}

static inline void reader_close(void *handle)
{
    struct reader *r = handle;
    if (r == NULL || r->owner != getpid()) return;
    if (r->source != NULL) level1_reader.close(r->source);
    free(r->place);
    free(r->out);
    free(r->names);
    free(r);
}

static inline int32_t reader_open(const char *config_json, const struct dativo_host *host, void **out, struct dativo_error *err)
{
    static const char *const known[] = {"batch_size", "chunk_size", "columns", "missing_as_null", "types", "widened", "required", NULL};
    struct reader *r = calloc(1, sizeof *r);
    struct dativo_error made = {.struct_size = sizeof made};
    *out = NULL;
    if (r == NULL) return fail(err, DATIVO_ERR_MEMORY, "no memory for a reader");
    r->owner = getpid();
    r->error.struct_size = sizeof r->error;
    if (host != NULL) memcpy(&r->host, host, host->struct_size < sizeof r->host ? host->struct_size : sizeof r->host);
    const char *config = config_begin(config_json, &made);
    int32_t code = config != NULL ? options_check(config, known, level1_reader.options, &made) : made.code;
    r->batch_rows = BATCH_ROWS;
    const char *const size = config_option(config, "batch_size") != NULL ? "batch_size" : "chunk_size";
    if (code == DATIVO_OK && !json_int(config_option(config, size), 1, 1 << 20, &r->batch_rows)) code = option_fail(&made, size, "must be from 1 to 1048576");
    long n_files = 0;
    if (!json_text(config_path(config, &n_files), r->path, sizeof r->path) || n_files > 1) r->path[0] = '\0';
    if (code == DATIVO_OK) code = level1_reader.open(config, &r->source, &r->columns, &made);
    if (code == DATIVO_OK) code = columns_choose(r, config, &made);
    if (code == DATIVO_OK) {
        *out = r;
        return DATIVO_OK;
    }
    fail_in(&made, r->path);
    r->error = made;
    error_give(r, err);
    reader_close(r);
    return code;
}

static inline int32_t reader_schema(void *handle, struct ArrowSchema *out, struct dativo_error *err)
{
    struct reader *r = handle;
    if (reader_check(r) != DATIVO_OK) return error_give(r, err);
    return schema_make(r, out) == 0 ? DATIVO_OK : fail(err, DATIVO_ERR_MEMORY, "no memory for a schema");
}

static inline int32_t reader_stream(void *handle, struct ArrowArrayStream *out, struct dativo_error *err)
{
    struct reader *r = handle;
    if (reader_check(r) != DATIVO_OK) return error_give(r, err);
    *out = (struct ArrowArrayStream){.get_schema = stream_schema, .get_next = stream_next, .get_last_error = stream_error,
                                     .release = stream_release, .private_data = r};
    return DATIVO_OK;
}

static inline int32_t reader_last_error(void *handle, struct dativo_error *err) { return error_give(handle, err); }

static inline void reader_progress(void *handle, struct dativo_progress *out)
{
    struct reader *r = handle;
    out->bytes_done = out->bytes_total = -1;
    out->rows_done = atomic_load(&r->rows_done);
}

static inline void reader_cancel(void *handle) { atomic_store(&((struct reader *)handle)->cancelled, 1); }

static inline const void *reader_extension(const char *name)
{
    /* splits, open_split, report and what follows stay NULL: they may be missing */
    static const struct dativo_reader_v1 table = {
        .struct_size = sizeof table, .open = reader_open, .schema = reader_schema, .stream = reader_stream,
        .last_error = reader_last_error, .progress = reader_progress, .cancel = reader_cancel, .close = reader_close};
    return strcmp(name, DATIVO_EXT_READER) == 0 ? &table : NULL;
}

const struct dativo_plugin *dativo_plugin_get(uint32_t host_abi, struct dativo_error *err)
{
    static const struct dativo_plugin plugin = {
        .struct_size = sizeof plugin, .abi_version = DATIVO_ABI_VERSION, .name = PLUGIN_NAME, .version = PLUGIN_VERSION,
        .description = PLUGIN_NAME, .get_extension = reader_extension, .free_text = level1_free_text};
    return level1_get(&plugin, host_abi, err);
}

#endif
