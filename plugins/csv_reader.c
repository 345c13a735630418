/* The CSV reader plugin: what of a reader is CSV.  What all readers share is in reader*.c. */
#include "csv_reader_records.h"
#include "csv_reader_rejects.h"

#include "base/log.h"
#include "base/strings.h"
#include "csv/estimate.h"
#include "csv/records.h"
#include "json/records.h"

#include <string.h>

static struct csv_handle *handle_of(struct dn_reader *r)
{
    return (struct csv_handle *)(void *)r;
}

static enum dn_status configure(struct dn_reader *r, struct dn_error *err)
{
    struct csv_handle *h = handle_of(r);
    struct dn_csv_options *options = &h->settings.csv;

    DN_TRY(csv_settings_read(&h->settings, &r->config, r->level, err));
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
    options->has_limit = r->limit >= 0;
    options->limit = r->limit;
    return DN_OK;
}

/* The reader waits for a pipe: who watches still sees the time pass. */
static void on_waiting(void *reader)
{
    dn_reader_report_progress(reader);
}

static void on_note(void *reader, const char *message)
{
    const struct dn_reader *r = reader;
    if (r->level == 0) {
        dn_log_json("WARNING", "source_changed", message, NULL);
    } else if (r->host.log != NULL) {
        r->host.log(r->host.ctx, DATIVO_LOG_WARNING, "source_changed", message);
    }
}

static void on_advice(void *reader, bool warning, const char *kind, const char *message)
{
    const struct dn_reader *r = reader;
    const struct csv_handle *h = (const struct csv_handle *)(const void *)r;

    if (h->settings.again || (!h->settings.advice && strcmp(kind, "dialect") != 0)) {
        return; /* what was asked for is told in any case */
    }
    if (r->level == 0) {
        dn_log_json(warning ? "WARNING" : "INFO", kind, message, NULL);
    } else if (r->host.log != NULL) {
        r->host.log(r->host.ctx, warning ? DATIVO_LOG_WARNING : DATIVO_LOG_NOTE, kind, message);
    }
}

static enum dn_status open_source(struct dn_reader *r, struct dn_error *err)
{
    struct csv_handle *h = handle_of(r);
    struct dn_csv_options *options = &h->settings.csv;

    if (h->token == NULL) {
        DN_TRY(dn_reader_files_check(&r->files, 1, err)); /* opening the reader checks the first */
    }
    options->waiting = r->host.progress != NULL ? on_waiting : NULL;
    options->waiting_ctx = r;
    options->note = on_note;
    options->note_ctx = r;
    options->advise = h->settings.advice || options->detect != 0 ? on_advice : NULL;
    if (options->max_rejects > 0 || options->max_reject_percent > 0) {
        DN_TRY(csv_rejects_create(&h->rejects, h->settings.rejects, r->files.store, err));
        options->reject = csv_rejects_add;
        options->reject_ctx = h->rejects;
    }
    return h->token != NULL
               ? dn_csv_split_open(&h->reader, h->token, r->files.paths, r->files.n, options,
                                   h->tag, err)
               : dn_csv_reader_open(&h->reader, r->files.paths, r->files.n, options, err);
}

static enum dn_status get_schema(struct dn_reader *r, struct ArrowSchema *out, struct dn_error *err)
{
    return dn_csv_reader_schema(handle_of(r)->reader, out, err);
}

/* Behind every batch: was it all kept?  At the end the file is there. */
static enum dn_status keep_rejects(struct csv_rejects *rejects, struct ArrowArray *batch,
                                   struct dn_error *err)
{
    const enum dn_status st =
        batch->release == NULL ? csv_rejects_end(rejects, err) : csv_rejects_check(rejects, err);

    if (st != DN_OK && batch->release != NULL) {
        batch->release(batch);
    }
    return st;
}

static enum dn_status next(struct dn_reader *r, struct ArrowArray *out, struct dn_error *err)
{
    struct csv_handle *h = handle_of(r);

    DN_TRY(dn_csv_reader_next(h->reader, out, err));
    if (h->rejects != NULL) {
        DN_TRY(keep_rejects(h->rejects, out, err));
    }
    if (out->release == NULL && r->level == 0) { /* at Level 1 it is part of the report */
        csv_log_warnings(h);
    }
    return DN_OK;
}

static size_t get_file(const struct dn_reader *r)
{
    return dn_csv_reader_file(((const struct csv_handle *)(const void *)r)->reader);
}

static void number_rows(const struct dn_reader *r, int64_t n_rows, int64_t *out)
{
    dn_csv_reader_number_rows(((const struct csv_handle *)(const void *)r)->reader, n_rows, out);
}

static bool has_column(const struct dn_reader *r, const char *name)
{
    return dn_csv_reader_has_column(((const struct csv_handle *)(const void *)r)->reader, name);
}

static void get_progress(struct dn_reader *r, int64_t *bytes_done, int64_t *bytes_total)
{
    struct dn_csv_progress csv = {.struct_size = sizeof(csv)};
    dn_csv_reader_progress(handle_of(r)->reader, &csv);
    *bytes_done = csv.bytes_read;
    *bytes_total = csv.bytes_total;
}

static void cancel(struct dn_reader *r)
{
    dn_csv_reader_cancel(handle_of(r)->reader);
}

static void close_source(struct dn_reader *r)
{
    csv_records_destroy(handle_of(r)->records);
    dn_csv_reader_close(handle_of(r)->reader);
    csv_lossless_destroy(handle_of(r)->lossless);
    csv_rejects_destroy(handle_of(r)->rejects);
}

static enum dn_status prepare_rows(struct dn_reader *r, struct dn_error *err)
{
    struct csv_handle *h = handle_of(r);
    const bool lossless = h->settings.values == CSV_VALUES_LOSSLESS;

    if (h->settings.values != CSV_VALUES_COLUMN && r->places == NULL &&
        dn_csv_reader_can_render(h->reader)) {
        DN_TRY(
            csv_records_create(&h->records, h->reader, &r->schema, lossless, r->chunk_rows, err));
    }
    return lossless ? csv_lossless_create(&h->lossless, &r->schema, err) : DN_OK;
}

static enum dn_status next_text(struct dn_reader *r, const char **out, bool *made,
                                struct dn_error *err)
{
    struct csv_handle *h = handle_of(r);

    *made = h->records != NULL;
    if (!*made || r->ended) {
        return DN_OK;
    }
    DN_TRY(csv_records_next(h->records, out, err));
    if (*out == NULL) {
        r->ended = true;
        csv_log_warnings(h);
    }
    return DN_OK;
}

static enum dn_status write_rows(struct dn_reader *r, struct dn_buffer *out, int64_t row,
                                 int64_t n_rows, struct dn_error *err)
{
    struct csv_lossless *l = handle_of(r)->lossless;
    return l != NULL ? csv_lossless_write(l, out, &r->batch, row, n_rows, err)
                     : dn_records_write(out, &r->schema, &r->batch, row, n_rows, err);
}

static enum dn_status look(struct dn_reader *r, const struct dn_reader_files *files,
                           struct ArrowSchema *out, int64_t *n_rows, struct dn_error *err)
{
    const struct csv_settings *s = &handle_of(r)->settings;
    struct dn_csv_options options = s->csv;
    struct dn_csv_reader *reader = NULL;

    options.inference =
        s->values == CSV_VALUES_STRINGS ? DN_CSV_INFER_STRINGS : DN_CSV_INFER_COLUMN;
    enum dn_status st = dn_csv_reader_open(&reader, files->paths, files->n, &options, err);
    if (st == DN_OK) {
        *n_rows = dn_csv_estimate_rows(reader);
        st = dn_csv_reader_schema(reader, out, err);
    }
    dn_csv_reader_close(reader);
    return st;
}

static enum dn_status find_all_types(struct dn_reader *r, char **out_json, struct dn_error *err)
{
    struct ArrowSchema schema = {0};
    struct dn_buffer b = {0};
    enum dn_status st = DN_OK;

    DN_TRY(dn_reader_files_check(&r->files, 1, err));
    DN_TRY_GOTO(
        st,
        dn_csv_find_types(&schema, r->files.paths, r->files.n, &handle_of(r)->settings.csv, err),
        cleanup);
    DN_TRY_GOTO(st, dn_reader_places_schema(r->places, &schema, err), cleanup);
    DN_TRY_GOTO(st, dn_shell_text_begin(&b, 1024, err), cleanup);
    DN_TRY_GOTO(st, dn_text_append(&b, "{\"columns\":", err), cleanup);
    DN_TRY_GOTO(st, dn_reader_append_columns(&b, &schema, NULL, NULL, err), cleanup);
    DN_TRY_GOTO(st, dn_text_append(&b, "}", err), cleanup);
    *out_json = dn_shell_text_end(&b);
    if (*out_json == NULL) {
        st = dn_error_memory(err, b.len);
    }
cleanup:
    if (schema.release != NULL) {
        schema.release(&schema);
    }
    dn_buffer_finish(&b);
    return st;
}

static int32_t find_types(const char *config_json, const struct dativo_host *host, char **out_json,
                          struct dativo_error *err)
{
    struct dn_reader *r = NULL;
    struct dn_error error = {0};

    *out_json = NULL;
    enum dn_status st = dn_reader_make(&r, config_json, 1, host, &error);
    if (st == DN_OK) {
        st = find_all_types(r, out_json, &error);
    }
    dn_reader_destroy(r);
    return dn_shell_error_export(st, &error, err);
}

static int32_t rejects_stream(void *reader, struct ArrowArrayStream *out, struct dativo_error *err)
{
    struct dn_reader *r = reader;
    struct dn_error error = {0};

    *out = (struct ArrowArrayStream){0};
    enum dn_status st = dn_shell_handle_check(&r->shell, &error);
    if (st == DN_OK && handle_of(r)->rejects == NULL) {
        st = dn_error_set(&error, DN_ERR_INVALID,
                          "no row is set aside: the option max_rejects says how many may be");
    }
    if (st == DN_OK) {
        st = csv_rejects_stream(handle_of(r)->rejects, out, &error);
    }
    return dn_shell_error_export(st, &error, err);
}

static const struct dativo_rejects_v1 rejects_table = {.struct_size = sizeof(rejects_table),
                                                       .stream = rejects_stream};

static const void *get_extension(const char *name)
{
    return strcmp(name, DATIVO_EXT_REJECTS) == 0 ? &rejects_table : NULL;
}

static enum dn_status explain_source(struct dn_reader *r, const char *what, char **out_json,
                                     struct dn_error *err)
{
    static const char *const words[] = {"dialects", "sample", "all"};
    const struct csv_settings *settings = &handle_of(r)->settings;
    struct dn_csv_options options = settings->csv;
    char *text = NULL;
    size_t i = 0;

    while (i < 3 && (what == NULL || strcmp(what, words[i]) != 0)) {
        i++;
    }
    if (i == 3) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED,
                            "of a source dialects, sample and all are explained, not %s",
                            what != NULL ? what : "nothing");
    }
    DN_TRY(dn_reader_files_check(&r->files, 1, err));
    options.waiting = r->host.progress != NULL ? on_waiting : NULL;
    options.waiting_ctx = r;
    options.note = on_note;
    options.note_ctx = r;
    options.advise = settings->advice || options.detect != 0 ? on_advice : NULL;
    DN_TRY(dn_csv_explain_open(&handle_of(r)->reader, (enum dn_csv_explained)i, r->files.paths,
                               r->files.n, &options, err));
    DN_TRY(dn_csv_explain(handle_of(r)->reader, &text, err));
    *out_json = dn_shell_text_copy(text);
    dn_csv_free(text);
    return *out_json != NULL ? DN_OK : dn_error_memory(err, 64);
}

static int32_t explain(const char *config_json, const char *what, const struct dativo_host *host,
                       char **out_json, struct dativo_error *err)
{
    struct dn_reader *r = NULL;
    struct dn_error error = {0};

    *out_json = NULL;
    enum dn_status st = dn_reader_make(&r, config_json, 1, host, &error);
    if (st == DN_OK) {
        st = explain_source(r, what, out_json, &error);
    }
    dn_reader_destroy(r);
    return dn_shell_error_export(st, &error, err);
}

const struct dativo_reader_v1 dn_reader_table = {DN_READER_TABLE, .splits = csv_splits,
                                                 .open_split = csv_open_split,
                                                 .find_types = find_types, .explain = explain};

const struct dn_reader_kind dn_reader_kind = {
    .plugin =
        DN_READER_PLUGIN(CSV_READER_NAME, "Reads CSV files: exact values, loud errors, any size"),
    .type = CSV_TYPE,
    .noun = "CSV file",
    .options = csv_reader_options,
    .n_options = &csv_reader_n_options,
    .handle_size = sizeof(struct csv_handle),
    .keeps_limit = true,
    .begin = csv_split_tag,
    .configure = configure,
    .open = open_source,
    .schema = get_schema,
    .next = next,
    .file = get_file,
    .number_rows = number_rows,
    .has_column = has_column,
    .progress = get_progress,
    .cancel = cancel,
    .close = close_source,
    .prepare_rows = prepare_rows,
    .write_rows = write_rows,
    .next_text = next_text,
    .look = look,
    .report = csv_report,
    .extension = get_extension,
};
