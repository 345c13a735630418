/*
 * A plugin of Level 1 that breaks one rule, which the environment variable BROKEN names; without it, it keeps them all.  Its reader gives
 * the three rows of the small file of `plugin check` in a batch each, over and over if the file is a longer one, or, where BROKEN is "lines",
 * those of a reader that is none of CSV; its writer writes what it was told.
 */
#include "dativo/plugin.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool broken(const char *rule)
{
    const char *named = getenv("BROKEN");

    return named != NULL && strcmp(named, rule) == 0;
}

static int32_t fail(struct dativo_error *err, int32_t code, const char *message)
{
    const uint32_t size = broken("newer errors") ? sizeof *err : err->struct_size;

    memset(err, 0, size);
    err->struct_size = size;
    err->code = code;
    err->row = err->line = err->byte_offset = -1;
    (void)snprintf(err->message, sizeof err->message, "%s", message);
    return code;
}

/* The text behind the last such key, up to its quote. */
static void value_of(const char *json, const char *key, char out[512])
{
    const char *p = NULL;

    for (const char *next = strstr(json, key); next != NULL; next = strstr(next + 1, key)) {
        p = next;
    }

    out[0] = '\0';
    if (p != NULL && (p = strchr(p + strlen(key), ':')) != NULL && (p = strchr(p, '"')) != NULL) {
        (void)snprintf(out, 512, "%.*s", (int)strcspn(p + 1, "\""), p + 1);
    }
}

/* What every configuration may have wrong. */
static int32_t config_check(const char *config, struct dativo_error *err)
{
    if (config[0] == '\0' || config[strlen(config) - 1] != '}') {
        return fail(err, DATIVO_ERR_CONFIG, "no JSON");
    }
    const bool is_known = broken("options of lines") && strstr(config, "/in.csv") == NULL;
    return strstr(config, "compresion") != NULL ||
                   (strstr(config, "delimitre") != NULL && !is_known)
               ? fail(err, DATIVO_ERR_CONFIG, "unknown option")
               : DATIVO_OK;
}

/* ---- reader ---- */

#define N_COLUMNS 3

struct batch {
    struct ArrowArray columns[N_COLUMNS];
    struct ArrowArray *list[N_COLUMNS];
    const void *buffers[N_COLUMNS][3];
    const void *none[1];
    int64_t id;
    double amount;
    int32_t ends[2];
    int64_t large_ends[2];
    char name[32];
};

static void part_release(struct ArrowArray *array)
{
    array->release = NULL;
}

static void batch_release(struct ArrowArray *array)
{
    if (!broken("keeps batches") && !broken("reused buffers")) {
        free(array->private_data);
    }
    array->release = NULL;
}

static struct batch *batch_memory(void)
{
    static struct batch ring[4];
    static int at;

    return broken("reused buffers") ? &ring[at++ % 4] : calloc(1, sizeof(struct batch));
}

/* Row `row`, from 0; of the small file that are three. */
static void batch_make(struct ArrowArray *out, int row)
{
    static const char *const names[] = {"a \"b\", c", "two\nlines", "plain"};
    static const double amounts[] = {1.5, 0, -2.25};
    static const uint8_t invalid = 0;
    struct batch *b = batch_memory();

    b->id = row + 1;
    b->amount = amounts[row % 3];
    b->ends[1] = snprintf(b->name, sizeof b->name, "%s", names[row % 3]);
    b->buffers[0][1] = &b->id;
    b->large_ends[1] = b->ends[1];
    b->id += broken("other id");
    b->amount += broken("other amount");
    b->buffers[1][1] = broken("large texts") ? (const void *)b->large_ends : b->ends;
    b->buffers[1][2] = b->name;
    b->buffers[2][0] = row % 3 == 1 ? &invalid : NULL;
    b->buffers[2][1] = &b->amount;
    for (int i = 0; i < N_COLUMNS; i++) {
        b->columns[i] = (struct ArrowArray){.length = 1,
                                            .null_count = i == 2 && row % 3 == 1,
                                            .n_buffers = i == 1 ? 3 : 2,
                                            .buffers = b->buffers[i],
                                            .release = part_release};
        b->list[i] = &b->columns[i];
    }
    if (broken("lines")) {
        b->list[0] = &b->columns[1];
    }
    *out = (struct ArrowArray){.length = 1,
                               .n_buffers = 1,
                               .buffers = b->none,
                               .n_children = broken("lines") ? 1 : N_COLUMNS,
                               .children = b->list,
                               .release = batch_release,
                               .private_data = b};
}

struct reader {
    pid_t owner;
    char *source; /* its text, as far as it goes */
    int at;
    int n_rows;
    bool is_bad;
    bool is_cancelled;
    struct dativo_error error;
};

static void reader_close(void *reader)
{
    struct reader *r = reader;

    if (r != NULL && r->owner == getpid()) {
        if (!broken("keeps sources")) {
            free(r->source);
        }
        free(r);
    }
}

static int32_t reader_open(const char *config, const struct dativo_host *host, void **out,
                           struct dativo_error *err)
{
    char path[512];

    (void)host;
    *out = NULL;
    const int32_t code = config_check(config, err);
    value_of(config, "\"path\"", path);
    if (code != DATIVO_OK) {
        return code;
    }
    const char *first = strstr(config, "\"path\"");
    if (first != NULL && strstr(first + 1, "\"path\"") != NULL && !broken("one file of two")) {
        return fail(err, DATIVO_ERR_UNSUPPORTED, "one file at a time");
    }
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return fail(err, DATIVO_ERR_NOT_FOUND, "no such file");
    }
    if (broken("other code")) {
        (void)fclose(file);
        return fail(err, DATIVO_ERR_DATA, "this is no file of mine");
    }
    if (broken("unsupported")) {
        (void)fclose(file);
        return fail(err, DATIVO_ERR_UNSUPPORTED, "not mine");
    }
    struct reader *r = calloc(1, sizeof *r);
    r->owner = getpid();
    r->source = calloc(1, 512);
    const size_t len = fread(r->source, 1, 511, file);
    r->is_bad = len < 20; /* the small file with a fault is even smaller */
    r->n_rows = len < 511 ? 3 : 30;
    (void)fclose(file);
    *out = r;
    return DATIVO_OK;
}

struct schema {
    struct ArrowSchema columns[N_COLUMNS];
    struct ArrowSchema *list[N_COLUMNS];
};

static void column_release(struct ArrowSchema *schema)
{
    schema->release = NULL;
}

static void schema_release(struct ArrowSchema *schema)
{
    free(schema->private_data);
    schema->release = NULL;
}

static int32_t reader_schema(void *reader, struct ArrowSchema *out, struct dativo_error *err)
{
    static const char *const names[] = {"id", "name", "amount"};
    static const char *const formats[] = {"l", "u", "g"};
    struct schema *s = calloc(1, sizeof *s);

    (void)reader;
    (void)err;
    for (int i = 0; i < N_COLUMNS; i++) {
        s->columns[i] = (struct ArrowSchema){.format = formats[i],
                                             .name = names[i],
                                             .flags = ARROW_FLAG_NULLABLE,
                                             .release = column_release};
        s->list[i] = &s->columns[i];
    }
    if (broken("large texts")) {
        s->columns[1].format = "U";
    }
    if (broken("one name")) {
        s->columns[2].name = "name";
    } else if (broken("no name")) {
        s->columns[2].name = "";
    }
    if (broken("lines")) {
        s->columns[1].name = "text";
        s->list[0] = &s->columns[1];
    }
    *out = (struct ArrowSchema){.format = "+s",
                                .name = "",
                                .n_children = broken("lines") ? 1 : N_COLUMNS,
                                .children = s->list,
                                .release = schema_release,
                                .private_data = s};
    return DATIVO_OK;
}

static int stream_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    struct dativo_error e = {.struct_size = sizeof e};

    return reader_schema(stream->private_data, out, &e);
}

static int stream_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    struct reader *r = stream->private_data;

    *out = (struct ArrowArray){0};
    r->error.struct_size = sizeof r->error;
    if (r->owner != getpid() && !broken("reads in a child")) {
        (void)fail(&r->error, DATIVO_ERR_INVALID, "another process");
        return 22;
    }
    if (r->is_cancelled && broken("cancel: the end")) {
        return 0;
    }
    if (r->is_cancelled && broken("cancel: another error")) {
        (void)fail(&r->error, DATIVO_ERR_DATA, "");
        return 5;
    }
    if (r->is_cancelled && !broken("cancel: no error") && !broken("cancel: ignored")) {
        (void)fail(&r->error, DATIVO_ERR_CANCELLED, "cancelled");
    }
    if (r->is_cancelled && !broken("cancel: ignored")) {
        return 125;
    }
    if (r->is_bad && !broken("lines")) {
        if (!broken("forgets errors")) {
            (void)fail(&r->error, DATIVO_ERR_DATA, "a quote is open");
        }
        return 5;
    }
    if (r->at < r->n_rows) {
        batch_make(out, r->at++);
    }
    return 0;
}

static const char *stream_error(struct ArrowArrayStream *stream)
{
    const struct reader *r = stream->private_data;

    return r->error.message;
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

    if (r->error.code != DATIVO_OK && broken("newer last error")) {
        *err = r->error;
    }
    return r->error.code == DATIVO_OK ? DATIVO_OK : fail(err, r->error.code, r->error.message);
}

static void reader_progress(void *reader, struct dativo_progress *out)
{
    (void)reader;
    out->rows_done = 0;
}

static void reader_cancel(void *reader)
{
    ((struct reader *)reader)->is_cancelled = true;
}

static const struct dativo_reader_v1 k_reader = {
    .struct_size = sizeof k_reader,
    .open = reader_open,
    .schema = reader_schema,
    .stream = reader_stream,
    .last_error = reader_last_error,
    .progress = reader_progress,
    .cancel = reader_cancel,
    .close = reader_close,
};

/* ---- writer ---- */

struct writer {
    char path[512];
    char temporary[520];
    long n_rows;
    pid_t owner;
    bool is_overwriting;
    bool is_finished;
    bool has_failed;
    bool is_committed;
};

static void touch(const char *path)
{
    FILE *file = fopen(path, "w");

    if (file != NULL) {
        (void)fclose(file);
    }
}

static int32_t writer_open(const char *config, const struct ArrowSchema *schema,
                           const struct dativo_host *host, void **out, struct dativo_error *err)
{
    char base[512];
    char stray[600];

    (void)schema;
    (void)host;
    *out = NULL;
    const int32_t code = config_check(config, err);
    if (code != DATIVO_OK) {
        return code;
    }
    if (broken("needs an option") && strstr(config, "\"table\":\"t\"") == NULL) {
        return fail(err, DATIVO_ERR_CONFIG, "engine.options.table is missing");
    }
    struct writer *w = calloc(1, sizeof *w);
    value_of(config, "\"path\"", w->path);
    (void)snprintf(w->temporary, sizeof w->temporary, "%s%s", w->path,
                   broken("final name at once") ? "" : ".tmp");
    w->owner = getpid();
    w->is_overwriting = strstr(config, "\"overwrite\":true") != NULL && !broken("no overwriting");
    if (access(w->path, F_OK) == 0 && !w->is_overwriting) {
        free(w);
        return fail(err, DATIVO_ERR_EXISTS, "it exists");
    }
    FILE *file = fopen(w->temporary, "w");
    if (file == NULL) {
        free(w);
        return fail(err, DATIVO_ERR_IO, "it cannot be made");
    }
    (void)fclose(file);
    value_of(config, "\"output_base\"", base);
    if (broken("file beside the folder")) {
        (void)snprintf(stray, sizeof stray, "%s/../x.json", base);
        touch(stray);
    } else if (broken("file in the working directory")) {
        touch("x.json");
    }
    *out = w;
    return DATIVO_OK;
}

/* Is it the process that opened the writer, and did nothing fail before? */
static int32_t writer_check(struct writer *w, const char *call, struct dativo_error *err)
{
    const bool is_broken = broken("works in a child") && strcmp(call, "append") != 0;

    return w->owner != getpid() && !is_broken ? fail(err, DATIVO_ERR_INVALID, "another process")
           : w->has_failed && !broken("forgets failures")
               ? fail(err, DATIVO_ERR_INVALID, "it failed before")
               : DATIVO_OK;
}

static int32_t writer_append(void *writer, struct ArrowArray *batch, struct dativo_error *err)
{
    struct writer *w = writer;

    const int32_t code = writer_check(w, "append", err);
    if (code != DATIVO_OK || (w->is_finished && !broken("appends late"))) {
        w->has_failed = w->owner == getpid();
        batch->release(batch);
        return fail(err, DATIVO_ERR_INVALID, "it takes no rows");
    }
    w->n_rows += (long)batch->length;
    if (broken("batch not released")) {
        return DATIVO_OK;
    }
    if (broken("release only set")) {
        batch->release = NULL;
        return DATIVO_OK;
    }
    if (broken("released twice")) {
        struct ArrowArray copy = *batch;
        copy.release(&copy);
    }
    batch->release(batch);
    return DATIVO_OK;
}

static int32_t writer_append_stream(void *writer, struct ArrowArrayStream *stream,
                                    struct dativo_error *err)
{
    struct ArrowArray batch = {0};

    while (stream->get_next(stream, &batch) == 0 && batch.release != NULL) {
        (void)writer_append(writer, &batch, err);
    }
    return DATIVO_OK;
}

static int32_t writer_finish(void *writer, char **out, struct dativo_error *err)
{
    struct writer *w = writer;
    const int32_t code = writer_check(w, "finish", err);
    const char *form =
        broken("manifest: no list") ? "{\"path\":\"%s\"}"
        : broken("manifest: count") ? "[{\"path\":\"%s\",\"size_bytes\":%d,\"record_count\":2}]"
        : broken("manifest: size")  ? "[{\"path\":\"%s\",\"size_bytes\":1%d,\"record_count\":3}]"
        : broken("manifest: another file")
            ? "[{\"path\":\"%s/../../x\",\"size_bytes\":%d,\"record_count\":3}]"
            : "[{\"path\":\"%s\",\"size_bytes\":%d,\"record_count\":3}]";

    if (code != DATIVO_OK) {
        return code;
    }
    FILE *file = fopen(w->temporary, "r+"); /* of open() */
    if (file == NULL) {
        return fail(err, DATIVO_ERR_IO, "it cannot be written");
    }
    const int size = fprintf(file, "%ld%s rows\n", w->n_rows, w->n_rows > 3 ? " and more" : "");
    (void)fclose(file);
    w->is_finished = true;
    *out = calloc(1, 700);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)snprintf(*out, 700, form, w->path, size);
#pragma GCC diagnostic pop
    return DATIVO_OK;
}

static int32_t writer_commit(void *writer, struct dativo_error *err)
{
    struct writer *w = writer;

    if (broken("beside the output")) {
        char other[600];
        (void)snprintf(other, sizeof other, "%s.index", w->path);
        touch(other);
    }
    const int32_t code = writer_check(w, "commit", err);
    if (code != DATIVO_OK) {
        return code;
    }
    if (!w->is_finished && !broken("commits early")) {
        if (broken("newer errors of commit")) {
            memset(err->value, 0, sizeof err->value);
        }
        return fail(err, DATIVO_ERR_INVALID, "nothing is finished");
    }
    if (!w->is_overwriting && access(w->path, F_OK) == 0 && !broken("replaces")) {
        return fail(err, DATIVO_ERR_EXISTS, "it exists by now");
    }
    w->is_committed = true;
    return rename(w->temporary, w->path) == 0
               ? DATIVO_OK
               : fail(err, DATIVO_ERR_IO, "it cannot be given its name");
}

static void writer_abort(void *writer)
{
    struct writer *w = writer;

    if (!w->is_committed && (w->owner == getpid() || broken("aborts in a child"))) {
        (void)unlink(w->temporary);
    }
}

static void writer_close(void *writer)
{
    if (writer != NULL) {
        writer_abort(writer);
        if (!broken("keeps handles")) {
            free(writer);
        }
    }
}

static const struct dativo_writer_v1 k_writer = {
    .struct_size = sizeof k_writer,
    .open = writer_open,
    .append = writer_append,
    .append_stream = writer_append_stream,
    .finish = writer_finish,
    .commit = writer_commit,
    .abort = writer_abort,
    .close = writer_close,
};

/* ---- the entry point ---- */

static const void *get_extension(const char *name)
{
    return strcmp(name, DATIVO_EXT_READER) == 0   ? (const void *)&k_reader
           : strcmp(name, DATIVO_EXT_WRITER) == 0 ? (const void *)&k_writer
                                                  : NULL;
}

static void free_text(char *text)
{
    void *volatile same = text; /* compilers see through what is not volatile */

    if (!broken("keeps texts")) {
        free(same);
    }
}

const struct dativo_plugin *dativo_plugin_get(uint32_t host_abi, struct dativo_error *err)
{
    static const struct dativo_plugin plugin = {
        .struct_size = sizeof plugin,
        .abi_version = DATIVO_ABI_VERSION,
        .name = "broken",
        .version = "0.0.1",
        .description = "breaks one rule",
        .get_extension = get_extension,
        .free_text = free_text,
    };

    if (host_abi >> 16 != DATIVO_ABI_VERSION >> 16) {
        (void)fail(err, DATIVO_ERR_UNSUPPORTED, "another major version");
        return NULL;
    }
    return &plugin;
}
