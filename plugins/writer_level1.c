/* Every writer's table of Level 1: Arrow batches into one file. */
#include "writer.h"

#include "arrow/nested.h"
#include "base/memory.h"
#include "base/name_map.h"
#include "base/strings.h"

#include <stdio.h>
#include <string.h>

/* Columns that are named one by one in warnings of one kind. */
enum {
    MAX_NAMED = 8
};

static const struct dn_writer_kind *const kind = &dn_writer_kind;

static void close_writer(void *writer)
{
    struct dn_writer *h = writer;
    if (h == NULL || !dn_owner_is_here(&h->shell.owner)) {
        return;
    }
    kind->close(h->file);
    if (h->schema.release != NULL) {
        h->schema.release(&h->schema);
    }
    dn_shell_config_finish(&h->config);
    dn_free(h);
}

/* Readers find columns by name, so repeated ones are written under names of their own; nobody should have to find out. */
static void report_renamed(const struct dativo_host *host, const struct ArrowSchema *given,
                           const struct ArrowSchema *written)
{
    char message[512];
    long long n = 0;

    for (int64_t i = 0; i < given->n_children; i++) {
        const char *before = given->children[i]->name;
        const char *after = written->children[i]->name;
        if (strcmp(before, after) != 0 && ++n <= MAX_NAMED) {
            (void)snprintf(
                message, sizeof message,
                "column %lld is written as \"%.200s\": another one is named \"%.200s\" already",
                (long long)i + 1, after, before);
            host->log(host->ctx, DATIVO_LOG_WARNING, "column_renamed", message);
        }
    }
    if (n > MAX_NAMED) {
        (void)snprintf(message, sizeof message,
                       "%lld more columns that repeat a name are written as NAME_1, NAME_2, ...",
                       n - MAX_NAMED);
        host->log(host->ctx, DATIVO_LOG_WARNING, "column_renamed", message);
    }
}

/* The file is right as it is, but some engines take such columns for one. */
static enum dn_status report_case_twins(const struct dativo_host *host,
                                        const struct ArrowSchema *written, struct dn_error *err)
{
    const size_t n = (size_t)written->n_children;
    struct dn_name *names = dn_calloc(n + 1, sizeof(*names));
    int64_t *twins = dn_calloc(n + 1, sizeof(*twins));
    enum dn_status st = DN_OK;
    char message[700];
    long long found = 0;

    if (names == NULL || twins == NULL) {
        st = dn_error_memory(err, n * sizeof(*names));
        goto cleanup;
    }
    for (size_t i = 0; i < n; i++) {
        names[i] = (struct dn_name){written->children[i]->name, strlen(written->children[i]->name)};
    }
    DN_TRY_GOTO(st, dn_names_find_case_twins(names, n, twins, err), cleanup);
    for (size_t i = 0; i < n; i++) {
        if (twins[i] >= 0 && ++found <= MAX_NAMED) {
            (void)snprintf(message, sizeof message,
                           "columns %lld \"%.200s\" and %zu \"%.200s\" differ in upper and lower "
                           "case only: Spark by default, Hive, Athena and BigQuery refuse such a "
                           "file, and DuckDB renames one of them; --names unique (names among the "
                           "options of a job) "
                           "tells them apart",
                           (long long)twins[i] + 1, names[twins[i]].text, i + 1, names[i].text);
            host->log(host->ctx, DATIVO_LOG_WARNING, "column_case", message);
        }
    }
    if (found > MAX_NAMED) {
        (void)snprintf(message, sizeof message,
                       "%lld more columns differ from another one in upper and lower case only",
                       found - MAX_NAMED);
        host->log(host->ctx, DATIVO_LOG_WARNING, "column_case", message);
    }
cleanup:
    dn_free(names);
    dn_free(twins);
    return st;
}

/* With the names that the file gives to columns. */
static enum dn_status copy_schema(struct ArrowSchema *out, const struct ArrowSchema *schema,
                                  struct dn_error *err)
{
    return kind->distinct_names ? dn_schema_copy_unique(out, schema, err)
                                : dn_schema_copy(out, schema, err);
}

static enum dn_status open_handle(struct dn_writer *h, const char *config_json,
                                  const struct ArrowSchema *schema, const struct dativo_host *host,
                                  struct dn_error *err)
{
    struct dativo_host *services = &h->host;
    struct dn_writer_means *means = &h->target.means;

    dn_shell_host_read(services, host);
    DN_TRY(dn_writer_configure(h, config_json, err));
    h->target.host = services;
    if (h->note != NULL) {
        dn_writer_tell(services, "option_note", h->note);
    }
    DN_TRY(dn_writer_target_read_path(&h->target, &h->config, err));
    DN_TRY(copy_schema(&h->schema, schema, err));
    if (kind->distinct_names && services->log != NULL) {
        report_renamed(services, schema, &h->schema);
        DN_TRY(report_case_twins(services, &h->schema, err));
    }
    if (means->n_threads == 0) {
        means->n_threads = services->n_threads;
    }
    means->memory_budget_bytes = services->memory_budget_bytes;
    means->memory_total_bytes = services->memory_total_bytes;
    means->submit = services->submit;
    means->submit_ctx = services->ctx;
    means->cancelled = services->cancelled;
    return kind->open(&h->file, h->target.path, &h->schema, h->own, means, err);
}

static int32_t writer_open(const char *config_json, const struct ArrowSchema *schema,
                           const struct dativo_host *host, void **out_writer,
                           struct dativo_error *err)
{
    struct dn_error error = {0};
    enum dn_status st = DN_OK;
    struct dn_writer *h = dn_calloc(1, sizeof(*h));

    *out_writer = NULL;
    if (h == NULL) {
        return dn_shell_error_export(dn_error_memory(&error, sizeof(*h)), &error, err);
    }
    dn_shell_handle_init(&h->shell, kind->plugin.name);
    st = open_handle(h, config_json, schema, host, &error);
    if (st != DN_OK) {
        close_writer(h);
        return dn_shell_error_export(st, &error, err);
    }
    *out_writer = h;
    return DATIVO_OK;
}

/*
 * The first failure is the handle's answer from then on, whichever call it was: rows that a failed call was given would be missing
 * from the file, and a host that did not look at one code may not look at the next.
 */
static int32_t answer(struct dn_writer *h, enum dn_status st, const struct dn_error *error,
                      struct dativo_error *err)
{
    if (st != DN_OK && h->shell.error.code == DN_OK) {
        h->shell.error = *error;
    }
    return dn_shell_error_export((enum dn_status)h->shell.error.code, &h->shell.error, err);
}

/* Is the writer still taking rows? */
static enum dn_status check_open(const struct dn_writer *h, struct dn_error *err)
{
    DN_TRY(dn_shell_handle_check(&h->shell, err));
    if (h->file == NULL) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "the writer was aborted: only close is left to do");
    }
    return h->finished
               ? dn_error_set(err, DN_ERR_INVALID, "the writer is finished: no rows can be added")
               : DN_OK;
}

static enum dn_status append_batch(struct dn_writer *h, struct ArrowArray *batch,
                                   struct dn_error *err)
{
    enum dn_status st = check_open(h, err);
    if (st == DN_OK) {
        st = kind->append(h->file, batch, err);
    }
    if (batch->release != NULL) { /* moved means: whatever happens, it is ours to release */
        batch->release(batch);
    }
    return st;
}

static int32_t writer_append(void *writer, struct ArrowArray *batch, struct dativo_error *err)
{
    struct dn_error error = {0};
    enum dn_status st = append_batch(writer, batch, &error);
    return answer(writer, st, &error, err);
}

/* Column i of the stream is another than that of the writer. */
static enum dn_status refuse_column(int64_t i, const struct dn_node *mine,
                                    const struct dn_node *theirs, struct dn_error *err)
{
    const char *name = theirs->field.name;
    char a[DN_ESCAPED_VALUE_SIZE];
    char b[DN_ESCAPED_VALUE_SIZE];
    struct dn_buffer words = {0};
    enum dn_status st = DN_OK;

    DN_TRY_GOTO(st, dn_node_print(theirs, &words, err), cleanup);
    DN_TRY_GOTO(st, dn_buffer_append_byte(&words, 0, err), cleanup);
    const size_t own = words.len;
    DN_TRY_GOTO(st, dn_node_print(mine, &words, err), cleanup);
    DN_TRY_GOTO(st, dn_buffer_append_byte(&words, 0, err), cleanup);
    st = dn_error_set(err, DN_ERR_INVALID,
                      "column %lld of the stream is %s (%s) and the writer was opened with %s (%s)",
                      (long long)i + 1, dn_error_escape_value(a, name, strlen(name)),
                      (const char *)words.data,
                      dn_error_escape_value(b, mine->field.name, strlen(mine->field.name)),
                      (const char *)words.data + own);
    dn_error_locate(err, NULL, -1, -1, -1, name);
cleanup:
    dn_buffer_finish(&words);
    return st;
}

static enum dn_status check_same_schema(const struct dn_writer *h, const struct ArrowSchema *other,
                                        struct dn_error *err)
{
    struct ArrowSchema names;
    struct dn_arena arena = {0};
    enum dn_status st = DN_OK;

    if (other->n_children != h->schema.n_children) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "the stream has %lld columns and the writer was opened with %lld",
                            (long long)other->n_children, (long long)h->schema.n_children);
    }
    DN_TRY(copy_schema(&names, other, err)); /* as this writer's own was */
    for (int64_t i = 0; i < other->n_children; i++) {
        struct dn_node mine;
        struct dn_node theirs;
        DN_TRY_GOTO(st, dn_schema_get_node(&h->schema, i, &arena, &mine, err), cleanup);
        DN_TRY_GOTO(st, dn_schema_get_node(&names, i, &arena, &theirs, err), cleanup);
        if (!dn_node_equal(&mine, &theirs)) {
            st = refuse_column(i, &mine, &theirs, err);
            goto cleanup;
        }
    }
cleanup:
    dn_arena_finish(&arena);
    names.release(&names);
    return st;
}

/* The stream's own words for its failure. */
static enum dn_status stream_failure(struct ArrowArrayStream *stream, int os_errno,
                                     struct dn_error *err)
{
    const char *text = stream->get_last_error(stream);
    if (text != NULL) {
        return dn_error_set(err, DN_ERR_DATA, "the stream of batches failed: %s", text);
    }
    return dn_error_set_errno(err, DN_ERR_DATA, os_errno, "the stream of batches failed");
}

static enum dn_status append_all(struct dn_writer *h, struct ArrowArrayStream *stream,
                                 struct dn_error *err)
{
    struct ArrowSchema schema = {0};
    enum dn_status st = check_open(h, err);
    if (st != DN_OK) {
        return st;
    }
    int failure = stream->get_schema(stream, &schema);
    if (failure != 0) {
        return stream_failure(stream, failure, err);
    }
    st = check_same_schema(h, &schema, err);
    if (schema.release != NULL) {
        schema.release(&schema);
    }
    while (st == DN_OK) {
        struct ArrowArray batch = {0};
        failure = stream->get_next(stream, &batch);
        if (failure != 0) {
            return stream_failure(stream, failure, err);
        }
        if (batch.release == NULL) {
            break;
        }
        st = append_batch(h, &batch, err);
    }
    return st;
}

static int32_t writer_append_stream(void *writer, struct ArrowArrayStream *stream,
                                    struct dativo_error *err)
{
    struct dn_error error = {0};
    enum dn_status st = append_all(writer, stream, &error);
    return answer(writer, st, &error, err);
}

static enum dn_status make_manifest(struct dn_writer *h, char **out, struct dn_error *err)
{
    char *manifest = NULL;

    DN_TRY(kind->manifest(h->file, &manifest, err));
    *out = dn_shell_text_copy(manifest);
    const enum dn_status st = *out != NULL ? DN_OK : dn_error_memory(err, strlen(manifest));
    kind->free_manifest(manifest);
    return st;
}

static enum dn_status finish(struct dn_writer *h, char **out_manifest_json, struct dn_error *err)
{
    DN_TRY(check_open(h, err));
    DN_TRY(kind->finish(h->file, err));
    DN_TRY(make_manifest(h, out_manifest_json, err));
    h->finished = true;
    return DN_OK;
}

static int32_t writer_finish(void *writer, char **out_manifest_json, struct dativo_error *err)
{
    struct dn_error error = {0};

    *out_manifest_json = NULL;
    enum dn_status st = finish(writer, out_manifest_json, &error);
    return answer(writer, st, &error, err);
}

static enum dn_status commit(struct dn_writer *h, struct dn_error *err)
{
    DN_TRY(dn_shell_handle_check(&h->shell, err));
    if (!h->finished || h->file == NULL || h->committed) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "commit comes once, after finish and not after abort");
    }
    DN_TRY(kind->commit(h->file, err));
    h->committed = true;
    return DN_OK;
}

static int32_t writer_commit(void *writer, struct dativo_error *err)
{
    struct dn_error error = {0};
    enum dn_status st = commit(writer, &error);
    return answer(writer, st, &error, err);
}

static void writer_abort(void *writer)
{
    struct dn_writer *h = writer;
    if (h != NULL && !h->committed && dn_owner_is_here(&h->shell.owner)) {
        kind->close(h->file);
        h->file = NULL;
    }
}

const struct dativo_writer_v1 dn_writer_table = {
    .struct_size = sizeof(dn_writer_table),
    .open = writer_open,
    .append = writer_append,
    .append_stream = writer_append_stream,
    .finish = writer_finish,
    .commit = writer_commit,
    .abort = writer_abort,
    .close = close_writer,
};
