/*
 * A writer of Level 1 out of three functions that get rows: see `struct level1_writer` below. It is a part of your plugin: change
 * what you like. Traps that it takes care of: nothing is seen under the final name before commit(), and nothing is left without it; a
 * file that is there is not replaced unasked; batches are released whatever happens, and may begin anywhere in their buffers; a
 * writer that failed stays failed; calls out of order are errors; columns of types that it does not know are refused by name.
 */
#ifndef LEVEL1_WRITER_H
#define LEVEL1_WRITER_H

#include "files.h"
#include "level1.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <sys/stat.h>

/* One value. Numbers are in `i` or `f`, dates and timestamps in `i`; texts are UTF-8 without a NUL behind them. */
struct cell {
    const char *name; /* of its column */
    enum type type;
    int is_null;
    int64_t i;
    double f;
    const char *text;
    size_t len;
};

/* Your plugin: `const struct level1_writer level1_writer = {...};`, and PLUGIN_NAME and PLUGIN_VERSION in front of this header. */
struct level1_writer {
    const char *const *options; /* of engine.options, beside `overwrite`; ends with NULL */
    /* Before the first row; cells have names and types alone. Return DATIVO_OK or fail(). What fails in `out` is found by this header. */
    int32_t (*begin)(FILE *out, const char *config, const struct cell *cells, int n, struct dativo_error *err);
    int32_t (*row)(FILE *out, const struct cell *cells, int n, struct dativo_error *err);
    int32_t (*end)(FILE *out, struct dativo_error *err);
};
extern const struct level1_writer level1_writer;

struct writer {
    FILE *file;
    char path[4096], temporary[4200];
    int n_columns;
    struct cell *cells;
    char (*formats)[64];
    char **names;
    int64_t n_rows;
    int overwrite, is_there, is_finished; /* is_there: the temporary file */
    pid_t owner;
    struct dativo_error error; /* code 0: none. Once set, every later call gives it again */
};

/* ---- values out of Arrow arrays ---- */

/* The type of a format, N_TYPES: none that this header knows. */
static inline enum type format_type(const char *format)
{
    static const struct { const char *format; enum type type; } known[] = {
        {"b", TYPE_BOOL}, {"c", TYPE_INT64}, {"C", TYPE_INT64}, {"s", TYPE_INT64}, {"S", TYPE_INT64}, {"i", TYPE_INT64}, {"I", TYPE_INT64},
        {"l", TYPE_INT64}, {"f", TYPE_FLOAT64}, {"g", TYPE_FLOAT64}, {"tdD", TYPE_DATE}, {"u", TYPE_STRING}, {"U", TYPE_STRING},
        {"vu", TYPE_STRING}, {"n", TYPE_STRING}, {"tsu:", TYPE_TIMESTAMP}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(format, known[i].format) == 0) return known[i].type;
    return strncmp(format, "tsu:", 4) == 0 ? TYPE_TIMESTAMPTZ : N_TYPES;
}

static inline void text_read(struct cell *c, const char *format, const struct ArrowArray *a, int64_t at)
{
    if (format[0] == 'u') {
        const int32_t *offsets = a->buffers[1];
        c->text = (const char *)a->buffers[2] + offsets[at];
        c->len = (size_t)(offsets[at + 1] - offsets[at]);
    } else if (format[0] == 'U') {
        const int64_t *offsets = a->buffers[1];
        c->text = (const char *)a->buffers[2] + offsets[at];
        c->len = (size_t)(offsets[at + 1] - offsets[at]);
    } else { /* a view: length, and the text itself or where it is */
        const char *view = (const char *)a->buffers[1] + 16 * at;
        int32_t len, where[2];
        memcpy(&len, view, 4);
        memcpy(where, view + 8, 8);
        c->len = (size_t)len;
        c->text = len <= 12 ? view + 4 : (const char *)a->buffers[2 + where[0]] + where[1];
    }
}

static inline int32_t cell_read(struct cell *c, const char *format, const struct ArrowArray *a, int64_t row, struct dativo_error *err)
{
    const int64_t at = row + a->offset;
    const uint8_t *valid = format[0] != 'n' && a->null_count != 0 ? a->buffers[0] : NULL;
    c->is_null = format[0] == 'n' || (valid != NULL && (valid[at / 8] >> (at % 8) & 1) == 0);
    if (c->is_null) return DATIVO_OK;
    const void *v = a->buffers[1];
    switch (format[0]) {
    case 'b': c->i = ((const uint8_t *)v)[at / 8] >> (at % 8) & 1; break;
    case 'c': c->i = ((const int8_t *)v)[at]; break;
    case 'C': c->i = ((const uint8_t *)v)[at]; break;
    case 's': c->i = ((const int16_t *)v)[at]; break;
    case 'S': c->i = ((const uint16_t *)v)[at]; break;
    case 'i': c->i = ((const int32_t *)v)[at]; break;
    case 'I': c->i = ((const uint32_t *)v)[at]; break;
    case 'l': c->i = ((const int64_t *)v)[at]; break;
    case 'f': c->f = (double)((const float *)v)[at]; break;
    case 'g': c->f = ((const double *)v)[at]; break;
    case 't': c->i = format[1] == 'd' ? ((const int32_t *)v)[at] : ((const int64_t *)v)[at]; break;
    default: text_read(c, format, a, at);
    }
    const size_t end = c->type == TYPE_STRING ? utf8_end(c->text, c->len) : 0;
    if (c->type != TYPE_STRING || end == c->len) return DATIVO_OK;
    return fail(err, DATIVO_ERR_DATA, "column \"%.200s\": byte %zu of the text is no UTF-8", c->name, end);
}

/* ---- the writer ---- */

static inline int32_t writer_answer(struct writer *w, struct dativo_error *err)
{
    const uint32_t size = err != NULL ? err->struct_size : 0;
    fail_in(&w->error, w->path);
    if (size > 0 && w->error.code != DATIVO_OK) {
        memcpy(err, &w->error, size < sizeof w->error ? size : sizeof w->error);
        err->struct_size = size;
    }
    return w->error.code;
}

/* May this call be made now? */
static inline int writer_may(struct writer *w, int must_be_finished)
{
    if (w->error.code != DATIVO_OK) return 0;
    if (w->owner != getpid()) fail(&w->error, DATIVO_ERR_INVALID, "the writer belongs to another process");
    else if (!w->is_there) fail(&w->error, DATIVO_ERR_INVALID, "the writer is committed or aborted");
    else if (w->is_finished != must_be_finished) fail(&w->error, DATIVO_ERR_INVALID, must_be_finished ? "finish() comes before commit()" : "the writer is finished");
    return w->error.code == DATIVO_OK;
}

static inline void writer_abort(void *handle)
{
    struct writer *w = handle;
    if (w == NULL || w->owner != getpid()) return;
    if (w->file != NULL) fclose(w->file);
    w->file = NULL;
    if (w->is_there) unlink(w->temporary);
    w->is_there = 0;
}

static inline void writer_close(void *handle)
{
    struct writer *w = handle;
    if (w == NULL || w->owner != getpid()) return;
    writer_abort(w);
    free(w->cells);
    free(w->formats);
    for (int i = 0; i < w->n_columns; i++) free(w->names[i]);
    free(w->names);
    free(w);
}

static inline int32_t columns_take(struct writer *w, const struct ArrowSchema *schema)
{
    const size_t n = (size_t)schema->n_children;
    if (strcmp(schema->format, "+s") != 0 || n == 0) return fail(&w->error, DATIVO_ERR_INVALID, "the schema is no struct of columns");
    w->cells = calloc(n, sizeof *w->cells);
    w->formats = calloc(n, sizeof *w->formats);
    w->names = calloc(n, sizeof *w->names);
    if (w->cells == NULL || w->formats == NULL || w->names == NULL) return fail(&w->error, DATIVO_ERR_MEMORY, "no memory for %zu columns", n);
    for (size_t i = 0; i < n; i++) {
        const struct ArrowSchema *c = schema->children[i];
        w->names[i] = strdup(c->name != NULL ? c->name : ""); /* Arrow lets it be left out */
        if (w->names[i] == NULL) return fail(&w->error, DATIVO_ERR_MEMORY, "no memory for the name of a column");
        w->n_columns = (int)i + 1;
        w->cells[i] = (struct cell){.name = w->names[i], .type = c->dictionary == NULL ? format_type(c->format) : N_TYPES};
        if (w->cells[i].type == N_TYPES || strlen(c->format) >= sizeof w->formats[i])
            return fail(&w->error, DATIVO_ERR_UNSUPPORTED, "column \"%.200s\" is of a type that this writer does not take: %.60s",
                        w->names[i], c->format);
        snprintf(w->formats[i], sizeof w->formats[i], "%s", c->format);
    }
    return DATIVO_OK;
}

/* A hidden file in the same folder, under a short name: any name that the file system takes is good for `path`. */
static inline FILE *temporary_make(struct writer *w)
{
    static atomic_int made;
    const char *slash = strrchr(w->path, '/');
    const int dir = slash != NULL ? (int)(slash + 1 - w->path) : 0;
    FILE *file = NULL;
    do { /* of a killed process with this number one may be left */
        snprintf(w->temporary, sizeof w->temporary, "%.*s." PLUGIN_NAME "-%ld-%d.tmp", dir, w->path, (long)getpid(), atomic_fetch_add(&made, 1));
        file = fopen(w->temporary, "wx");
    } while (file == NULL && errno == EEXIST);
    return file;
}

static inline int32_t file_begin(struct writer *w, const char *config)
{
    struct stat info;
    const char *fault = json_text_fault(json_get(config, "path"), w->path, sizeof w->path);
    if (fault != NULL) return fail(&w->error, DATIVO_ERR_CONFIG, "path %s", fault);
    errno = lstat(w->path, &info) != 0 ? errno : !w->overwrite ? EEXIST : S_ISDIR(info.st_mode) ? EISDIR : 0;
    if (errno != 0 && errno != ENOENT) return fail_errno(&w->error, w->path); /* now, and not in commit(), when all is written */
    w->file = temporary_make(w);
    if (w->file == NULL) return fail_errno(&w->error, w->path);
    w->is_there = 1;
    return level1_writer.begin(w->file, config, w->cells, w->n_columns, &w->error);
}

static inline int32_t writer_open(const char *config_json, const struct ArrowSchema *schema, const struct dativo_host *host, void **out,
                                  struct dativo_error *err)
{
    static const char *const known[] = {"overwrite", NULL};
    struct writer *w = calloc(1, sizeof *w);
    (void)host; /* no threads, no log, no memory worth a budget */
    *out = NULL;
    if (w == NULL) return fail(err, DATIVO_ERR_MEMORY, "no memory for a writer");
    w->owner = getpid();
    w->error.struct_size = sizeof w->error;
    const char *config = config_begin(config_json, &w->error);
    int32_t code = config != NULL ? options_check(config, known, level1_writer.options, &w->error) : w->error.code;
    if (code == DATIVO_OK && !json_bool(config_option(config, "overwrite"), &w->overwrite))
        code = option_fail(&w->error, "overwrite", "must be true or false");
    if (code == DATIVO_OK) code = columns_take(w, schema);
    if (code == DATIVO_OK) code = file_begin(w, config);
    if (code == DATIVO_OK) {
        *out = w;
        return DATIVO_OK;
    }
    writer_answer(w, err);
    writer_close(w);
    return code;
}

static inline void rows_write(struct writer *w, const struct ArrowArray *batch)
{
    if (batch->n_children != w->n_columns) fail(&w->error, DATIVO_ERR_INVALID, "a batch has %lld columns, the writer %d", (long long)batch->n_children, w->n_columns);
    for (int64_t row = 0; row < batch->length && w->error.code == DATIVO_OK; row++) {
        int32_t code = DATIVO_OK;
        for (int i = 0; i < w->n_columns && code == DATIVO_OK; i++)
            code = cell_read(&w->cells[i], w->formats[i], batch->children[i], row + batch->offset, &w->error);
        if (code == DATIVO_OK) code = level1_writer.row(w->file, w->cells, w->n_columns, &w->error);
        if (code != DATIVO_OK) {
            if (w->error.code == DATIVO_OK) fail(&w->error, DATIVO_ERR_INTERNAL, "row() failed, without fail()");
            w->error.row = w->n_rows + 1;
        }
        w->n_rows++;
    }
    if (w->error.code == DATIVO_OK && ferror(w->file)) fail_errno(&w->error, w->path);
}

static inline int32_t writer_append(void *handle, struct ArrowArray *batch, struct dativo_error *err)
{
    struct writer *w = handle;
    if (writer_may(w, 0)) rows_write(w, batch);
    if (batch->release != NULL) batch->release(batch); /* it was moved here: whatever happens */
    return writer_answer(w, err);
}

static inline void stream_append(struct writer *w, struct ArrowArrayStream *stream)
{
    struct ArrowSchema schema = {0};
    struct ArrowArray batch = {0};
    int failed = stream->get_schema(stream, &schema);
    int same = failed == 0 && schema.n_children == w->n_columns;
    for (int i = 0; same && i < w->n_columns; i++) same = strcmp(schema.children[i]->format, w->formats[i]) == 0;
    if (schema.release != NULL) schema.release(&schema);
    if (failed == 0 && !same) fail(&w->error, DATIVO_ERR_INVALID, "the stream has other columns than the writer");
    while (failed == 0 && w->error.code == DATIVO_OK && (failed = stream->get_next(stream, &batch)) == 0 && batch.release != NULL)
        writer_append(w, &batch, NULL);
    if (failed != 0 && w->error.code == DATIVO_OK) {
        const char *text = stream->get_last_error(stream);
        fail(&w->error, DATIVO_ERR_DATA, "the stream of batches failed: %s", text != NULL ? text : strerror(failed));
    }
}

static inline int32_t writer_append_stream(void *handle, struct ArrowArrayStream *stream, struct dativo_error *err)
{
    struct writer *w = handle;
    if (writer_may(w, 0)) stream_append(w, stream);
    return writer_answer(w, err);
}

static inline int32_t writer_finish(void *handle, char **out_manifest_json, struct dativo_error *err)
{
    struct writer *w = handle;
    struct stat info;
    size_t len = 0;
    *out_manifest_json = NULL;
    if (!writer_may(w, 0)) return writer_answer(w, err);
    if (level1_writer.end(w->file, &w->error) != DATIVO_OK) return writer_answer(w, err);
    int failed = fflush(w->file) != 0 || fsync(fileno(w->file)) != 0 || fstat(fileno(w->file), &info) != 0;
    failed |= fclose(w->file) != 0;
    w->file = NULL;
    w->is_finished = 1;
    FILE *manifest = failed ? NULL : open_memstream(out_manifest_json, &len);
    if (manifest == NULL) {
        fail_errno(&w->error, w->path);
        return writer_answer(w, err);
    }
    fputs("[{\"path\":", manifest);
    json_write(manifest, w->path, strlen(w->path));
    fprintf(manifest, ",\"size_bytes\":%lld,\"record_count\":%lld}]", (long long)info.st_size, (long long)w->n_rows);
    if (fclose(manifest) != 0) fail(&w->error, DATIVO_ERR_MEMORY, "no memory for the manifest");
    return writer_answer(w, err);
}

/* Not rename() where nothing may be replaced: another process may have made the file meanwhile. */
static inline int32_t writer_commit(void *handle, struct dativo_error *err)
{
    struct writer *w = handle;
    if (!writer_may(w, 1)) return writer_answer(w, err);
    if ((w->overwrite ? rename(w->temporary, w->path) : name_give(w->temporary, w->path)) != 0) {
        const int has_neither = !w->overwrite && errno == EOPNOTSUPP;
        fail_errno(&w->error, w->path);
        if (has_neither)
            fail(&w->error, DATIVO_ERR_UNSUPPORTED, "%.800s: " NO_NAME, w->path);
        return writer_answer(w, err);
    }
    if (!w->overwrite) unlink(w->temporary);
    w->is_there = 0;
    const char *slash = strrchr(w->path, '/');
    char dir[sizeof w->path];
    snprintf(dir, sizeof dir, "%.*s", slash != NULL ? (int)(slash + 1 - w->path) : 1, slash != NULL ? w->path : ".");
    if (folder_sync(dir) != 0) fail_errno(&w->error, dir);
    return writer_answer(w, err);
}

static inline const void *writer_extension(const char *name)
{
    static const struct dativo_writer_v1 table = {
        .struct_size = sizeof table, .open = writer_open, .append = writer_append, .append_stream = writer_append_stream,
        .finish = writer_finish, .commit = writer_commit, .abort = writer_abort, .close = writer_close};
    return strcmp(name, DATIVO_EXT_WRITER) == 0 ? &table : NULL;
}

const struct dativo_plugin *dativo_plugin_get(uint32_t host_abi, struct dativo_error *err)
{
    static const struct dativo_plugin plugin = {
        .struct_size = sizeof plugin, .abi_version = DATIVO_ABI_VERSION, .name = PLUGIN_NAME, .version = PLUGIN_VERSION,
        .description = PLUGIN_NAME, .get_extension = writer_extension, .free_text = level1_free_text};
    return level1_get(&plugin, host_abi, err);
}

#endif
