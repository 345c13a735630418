/* The Parquet reader plugin: several files as one table, one after the other.  What all readers share is in reader*.c. */
#include "parquet_reader.h"

#include "base/memory.h"
#include "base/strings.h"

struct parquet_read_handle {
    struct dn_reader base; /**< first */
    struct parquet_read_settings settings;
    struct parquet_plan plan;
    bool has_lock;

    /* changed under the lock: progress() and cancel() come from other threads */
    pthread_mutex_t lock;
    struct dn_parquet_reader *reader; /**< of the current file; NULL: there is none */
    bool cancelled;
    int64_t bytes_before; /**< of the files behind */
    int64_t bytes_total;

    size_t file;         /**< the current one */
    int64_t row;         /**< rows of it that were read */
    int64_t *file_bytes; /**< of each file, by the first look */
};

static struct parquet_read_handle *handle_of(struct dn_reader *r)
{
    return (struct parquet_read_handle *)(void *)r;
}

static enum dn_status configure(struct dn_reader *r, struct dn_error *err)
{
    struct parquet_read_handle *h = handle_of(r);
    struct dn_parquet_read_options *options = &h->settings.parquet;

    DN_TRY(parquet_read_settings_read(&h->settings, &r->config, r->level, err));
    r->files = h->settings.files;
    r->chunk_rows = h->settings.chunk_rows;
    if (options->n_threads == 0) {
        options->n_threads = r->host.n_threads;
    }
    options->memory_budget_bytes = r->host.memory_budget_bytes;
    options->memory_total_bytes = r->host.memory_total_bytes;
    options->submit = r->host.submit;
    options->submit_ctx = r->host.ctx;
    options->cancelled = r->host.cancelled;
    options->cancel_ctx = r->host.ctx;
    if (pthread_mutex_init(&h->lock, NULL) != 0) {
        return dn_error_memory(err, sizeof(h->lock));
    }
    h->has_lock = true;
    return DN_OK;
}

/* Open a file for its columns. */
static enum dn_status open_for_a_look(const struct parquet_read_settings *s, const char *path,
                                      struct dn_parquet_reader **out, struct ArrowSchema *schema,
                                      int64_t *bytes, struct dn_error *err)
{
    struct dn_parquet_read_options options = s->parquet;
    struct dn_parquet_read_progress progress = {.struct_size = sizeof(progress)};

    options.columns = s->columns;
    options.n_columns = s->n_columns;
    options.skip_missing = s->missing_as_null;
    DN_TRY(dn_parquet_reader_open(out, path, &options, err));
    dn_parquet_reader_progress(*out, &progress);
    *bytes = progress.bytes_total;
    return dn_parquet_reader_schema(*out, schema, err);
}

/* Columns that come from the places of the files are none of the files' own. */
static enum dn_status places_check(const struct dn_reader_places *places,
                                   const struct dn_parquet_reader *reader, struct dn_error *err)
{
    for (size_t i = 0; dn_reader_places_name(places, i) != NULL; i++) {
        if (dn_parquet_reader_has_column(reader, dn_reader_places_name(places, i))) {
            return dn_reader_places_clash(places, i, err);
        }
    }
    return DN_OK;
}

/* Add a file to the plan; *out is left open. */
static enum dn_status plan_file(struct parquet_plan *plan, const struct dn_reader *r,
                                const struct dn_reader_files *files, size_t i,
                                struct dn_parquet_reader **out, int64_t *bytes,
                                struct dn_error *err)
{
    const struct parquet_read_settings *s =
        &((const struct parquet_read_handle *)(const void *)r)->settings;
    struct ArrowSchema schema = {0};
    enum dn_status st = open_for_a_look(s, files->paths[i], out, &schema, bytes, err);

    if (st == DN_OK) {
        st = places_check(r->places, *out, err);
    }
    if (st == DN_OK) {
        st = parquet_plan_add(plan, files, i, &schema, err);
    } else {
        dn_error_locate(err, files->shown[i], -1, -1, -1, NULL);
    }
    if (schema.release != NULL) {
        schema.release(&schema);
    }
    return st;
}

static enum dn_status open_source(struct dn_reader *r, struct dn_error *err)
{
    struct parquet_read_handle *h = handle_of(r);

    h->file_bytes = dn_calloc(r->files.n, sizeof(*h->file_bytes));
    if (h->file_bytes == NULL) {
        return dn_error_memory(err, r->files.n * sizeof(*h->file_bytes));
    }
    for (size_t i = 0; i < r->files.n; i++) {
        struct dn_parquet_reader *reader = NULL;
        const enum dn_status st =
            plan_file(&h->plan, r, &r->files, i, &reader, &h->file_bytes[i], err);
        if (i == 0 && st == DN_OK) {
            h->reader = reader; /* it can go on */
        } else {
            dn_parquet_reader_close(reader);
        }
        DN_TRY(st);
        h->bytes_total += h->file_bytes[i];
    }
    return parquet_plan_make(&h->plan, &h->settings, err);
}

static enum dn_status look(struct dn_reader *r, const struct dn_reader_files *files,
                           struct ArrowSchema *out, int64_t *n_rows, struct dn_error *err)
{
    const struct parquet_read_settings *s = &handle_of(r)->settings;
    struct parquet_plan plan = {0};
    enum dn_status st = DN_OK;

    *n_rows = 0;
    for (size_t i = 0; i < files->n; i++) {
        struct dn_parquet_reader *reader = NULL;
        int64_t bytes = 0;
        struct dn_parquet_read_progress progress = {.struct_size = sizeof(progress)};
        st = plan_file(&plan, r, files, i, &reader, &bytes, err);
        if (st == DN_OK) {
            dn_parquet_reader_progress(reader, &progress);
            *n_rows += progress.rows_total;
        }
        dn_parquet_reader_close(reader);
        if (st != DN_OK) {
            goto cleanup;
        }
    }
    DN_TRY_GOTO(st, parquet_plan_make(&plan, s, err), cleanup);
    *out = plan.schema;
    plan.schema.release = NULL;
cleanup:
    parquet_plan_finish(&plan);
    return st;
}

static enum dn_status get_schema(struct dn_reader *r, struct ArrowSchema *out, struct dn_error *err)
{
    return dn_schema_copy(out, &handle_of(r)->plan.schema, err);
}

/* The current file becomes the one that is read; a cancel() that came before counts, too. */
static enum dn_status use_reader(struct parquet_read_handle *h, struct dn_parquet_reader *reader,
                                 struct dn_error *err)
{
    struct dn_parquet_read_progress progress = {.struct_size = sizeof(progress)};

    dn_parquet_reader_progress(reader, &progress);
    (void)pthread_mutex_lock(&h->lock);
    const bool cancelled = h->cancelled;
    h->reader = reader;
    h->bytes_total += progress.bytes_total - h->file_bytes[h->file];
    (void)pthread_mutex_unlock(&h->lock);
    return cancelled ? dn_error_set(err, DN_ERR_CANCELLED, "reading was stopped on request")
                     : DN_OK;
}

static enum dn_status open_file(struct parquet_read_handle *h, const char *path, const char *shown,
                                struct dn_error *err)
{
    struct dn_parquet_read_options options = h->settings.parquet;
    struct dn_parquet_reader *reader = NULL;
    struct ArrowSchema schema = {0};

    options.columns = h->plan.names;
    options.n_columns = h->plan.n_names;
    DN_TRY(dn_parquet_reader_open(&reader, path, &options, err));
    enum dn_status st = dn_parquet_reader_schema(reader, &schema, err);
    if (st == DN_OK) {
        st = parquet_plan_check(&h->plan, shown, &schema, err);
        schema.release(&schema);
    }
    if (st != DN_OK) {
        dn_parquet_reader_close(reader);
        return st;
    }
    return use_reader(h, reader, err);
}

static void close_file(struct parquet_read_handle *h)
{
    struct dn_parquet_reader *reader = h->reader;
    struct dn_parquet_read_progress progress = {.struct_size = sizeof(progress)};

    dn_parquet_reader_progress(reader, &progress);
    (void)pthread_mutex_lock(&h->lock);
    h->reader = NULL;
    h->bytes_before += progress.bytes_read;
    (void)pthread_mutex_unlock(&h->lock);
    dn_parquet_reader_close(reader);
    h->file++;
    h->row = 0;
}

/* The next batch of the current file; out->release is NULL at its end. */
static enum dn_status next_of_file(struct parquet_read_handle *h, const char *path,
                                   const char *shown, struct ArrowArray *out, struct dn_error *err)
{
    if (h->reader == NULL) {
        DN_TRY(open_file(h, path, shown, err));
    }
    DN_TRY(dn_parquet_reader_next(h->reader, out, err));
    if (out->release == NULL) {
        return DN_OK;
    }
    const int64_t n_rows = out->length;
    const enum dn_status st = parquet_plan_apply(&h->plan, shown, h->row, out, err);
    if (st != DN_OK) {
        out->release(out);
        *out = (struct ArrowArray){0};
    }
    h->row += n_rows;
    return st;
}

static enum dn_status next(struct dn_reader *r, struct ArrowArray *out, struct dn_error *err)
{
    struct parquet_read_handle *h = handle_of(r);

    while (h->file < r->files.n) {
        const char *path = r->files.paths[h->file];
        const char *shown = r->files.shown[h->file];
        const enum dn_status st = next_of_file(h, path, shown, out, err);
        if (st != DN_OK) {
            dn_error_locate(err, shown, -1, -1, -1, NULL);
            return st;
        }
        if (out->release != NULL) {
            return DN_OK;
        }
        close_file(h);
    }
    return DN_OK;
}

static size_t get_file(const struct dn_reader *r)
{
    return ((const struct parquet_read_handle *)(const void *)r)->file;
}

static void get_progress(struct dn_reader *r, int64_t *bytes_done, int64_t *bytes_total)
{
    struct parquet_read_handle *h = handle_of(r);
    struct dn_parquet_read_progress progress = {.struct_size = sizeof(progress)};

    if (!dn_owner_is_here(&r->shell.owner)) {
        return; /* the lock may have been held when the process was forked */
    }
    (void)pthread_mutex_lock(&h->lock);
    if (h->reader != NULL) {
        dn_parquet_reader_progress(h->reader, &progress);
    }
    *bytes_done = h->bytes_before + progress.bytes_read;
    *bytes_total = h->bytes_total;
    (void)pthread_mutex_unlock(&h->lock);
}

static void cancel(struct dn_reader *r)
{
    struct parquet_read_handle *h = handle_of(r);

    if (!dn_owner_is_here(&r->shell.owner)) {
        return;
    }
    (void)pthread_mutex_lock(&h->lock);
    h->cancelled = true;
    if (h->reader != NULL) {
        dn_parquet_reader_cancel(h->reader);
    }
    (void)pthread_mutex_unlock(&h->lock);
}

static void close_source(struct dn_reader *r)
{
    struct parquet_read_handle *h = handle_of(r);

    dn_parquet_reader_close(h->reader);
    parquet_plan_finish(&h->plan);
    dn_free(h->file_bytes);
    if (h->has_lock) {
        (void)pthread_mutex_destroy(&h->lock);
    }
}

static enum dn_status report(struct dn_reader *r, struct dn_buffer *b,
                             const struct ArrowSchema *schema, struct dn_error *err)
{
    (void)r;
    DN_TRY(dn_text_append(b, "\"counters\":{},\"warnings\":[],\"columns\":", err));
    return dn_reader_append_columns(b, schema, NULL, NULL, err);
}

const struct dativo_reader_v1 dn_reader_table = {DN_READER_TABLE};

const struct dn_reader_kind dn_reader_kind = {
    .plugin = DN_READER_PLUGIN(PARQUET_READER_NAME,
                               "Reads Parquet files: the columns as they are, checked"),
    .type = PARQUET_TYPE,
    .noun = "Parquet file",
    .options = parquet_reader_options,
    .n_options = &parquet_reader_n_options,
    .handle_size = sizeof(struct parquet_read_handle),
    .configure = configure,
    .open = open_source,
    .schema = get_schema,
    .next = next,
    .file = get_file,
    .progress = get_progress,
    .cancel = cancel,
    .close = close_source,
    .look = look,
    .report = report,
};
