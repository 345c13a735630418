/* A Parquet file against its specification; see dn_parquet_verify() in dativo/parquet.h. */
#include "dativo/parquet.h"

#include "base/memory.h"
#include "base/pool.h"
#include "base/strings.h"
#include "parquet/encoding/bits.h"
#include "parquet/verify/check.h"

#include <inttypes.h>
#include <pthread.h>

#define TAIL_LEN 8
#define SIGNATURE_LEN 28 /* nonce and tag behind a footer that is readable and signed */
#define MAX_JSON ((size_t)1 << 30)
#define MOST_SHOWN 1000
#define ALONE_BYTES ((uint64_t)1 << 20) /* smaller files are not worth threads */

/* ---- the footer -------------------------------------------------------------------------------------------------- */

/* *out_ok: there is a footer to be looked at. */
static enum dn_status find_footer(struct dn_pv_file *file, bool *out_ok, struct dn_error *err)
{
    struct dn_buffer ends = {0};
    struct dn_pv_place at = DN_PV_NOWHERE;
    enum dn_status st = DN_OK;

    *out_ok = false;
    if (file->size < DN_PQ_MAGIC_LEN + TAIL_LEN) {
        dn_pv_error(&file->findings, &at, "file.magic", "%" PRIu64 " bytes are no Parquet file",
                    file->size);
        return DN_OK;
    }
    DN_TRY_GOTO(st, dn_pq_read_at(file->source, 0, DN_PQ_MAGIC_LEN, &ends, err), cleanup);
    DN_TRY_GOTO(st, dn_pq_read_at(file->source, file->size - TAIL_LEN, TAIL_LEN, &ends, err),
                cleanup);
    const uint8_t *tail = ends.data + DN_PQ_MAGIC_LEN;
    const uint32_t len = dn_pq_load32(tail);
    if (memcmp(tail + 4, "PARE", DN_PQ_MAGIC_LEN) == 0) {
        st = dn_error_set(err, DN_ERR_UNSUPPORTED, "the footer is encrypted");
        goto cleanup;
    }
    if (memcmp(ends.data, DN_PQ_MAGIC, DN_PQ_MAGIC_LEN) != 0) {
        at.byte = 0;
        dn_pv_error(&file->findings, &at, "file.magic", "the file does not begin with PAR1");
    }
    at.byte = (int64_t)(file->size - TAIL_LEN);
    if (memcmp(tail + 4, DN_PQ_MAGIC, DN_PQ_MAGIC_LEN) != 0) {
        dn_pv_error(&file->findings, &at, "file.magic", "the file does not end with PAR1");
    } else if (len > file->size - TAIL_LEN - DN_PQ_MAGIC_LEN || len > DN_PQ_MAX_FOOTER) {
        dn_pv_error(&file->findings, &at, "file.footer_length",
                    "a footer of %" PRIu32 " bytes in a file of %" PRIu64, len, file->size);
    } else {
        file->footer_offset = file->size - TAIL_LEN - len;
        *out_ok = true;
        st = dn_pq_read_at(file->source, file->footer_offset, len, &file->footer, err);
    }
cleanup:
    dn_buffer_finish(&ends);
    return st;
}

static enum dn_status read_footer(struct dn_pv_file *file, bool *out_ok, struct dn_error *err)
{
    struct dn_pv_meta_reader m;
    struct dn_pv_place at = DN_PV_NOWHERE;
    struct dn_error why = {0};

    dn_pv_meta_start(&m, dn_buffer_span(&file->footer), file->footer_offset, "the footer",
                     &file->arena, &file->findings, &at);
    const enum dn_status st = dn_pv_meta_read(&m, &dn_pv_file_type, &file->meta, &why);
    at.byte = (int64_t)(file->footer_offset + m.thrift.pos);
    *out_ok = st == DN_OK;
    if (st == DN_ERR_DATA) {
        dn_pv_error(&file->findings, &at, "file.footer", "%s", why.message);
        return DN_OK;
    }
    if (st != DN_OK) {
        return dn_error_set(err, st, "%s", why.message);
    }
    const size_t signature = dn_pv_has(&file->meta.head, DN_PV_FILE_ENCRYPTION) ? SIGNATURE_LEN : 0;
    if (m.thrift.pos + signature != file->footer.len) {
        dn_pv_error(&file->findings, &at, "file.footer",
                    "%zu bytes are left behind the last field of the footer",
                    file->footer.len - m.thrift.pos);
    }
    if (file->meta.version != 1 && file->meta.version != 2) {
        dn_pv_error(&file->findings, &DN_PV_NOWHERE, "file.version", "it is %" PRId32,
                    file->meta.version);
    }
    return DN_OK;
}

static enum dn_status check_footer(struct dn_pv_file *file, bool *out_usable, struct dn_error *err)
{
    DN_TRY(find_footer(file, out_usable, err));
    if (!*out_usable) {
        return DN_OK;
    }
    DN_TRY(read_footer(file, out_usable, err));
    if (!*out_usable) {
        return DN_OK;
    }
    DN_TRY(dn_pv_schema_check(file, out_usable, err));
    if (*out_usable) {
        dn_pv_groups_check(file);
        DN_TRY(dn_pv_layout_check(file, err));
    }
    return DN_OK;
}

/* ---- the chunks, on threads -------------------------------------------------------------------------------------- */

struct job {
    struct jobs *all;
    uint32_t group;
    uint32_t column;
    struct dn_pv_findings findings;
    struct dn_pv_chunk_result result;
    enum dn_status status;
    struct dn_error err;
};

struct jobs {
    const struct dn_pv_file *file;
    struct job *jobs;
    size_t n;
    size_t n_left;
    pthread_mutex_t lock;
    pthread_cond_t done;
};

static void run_job(void *arg)
{
    struct job *job = arg;
    struct jobs *all = job->all;

    job->status = dn_pv_chunk_check(all->file, job->group, job->column, &job->findings,
                                    &job->result, &job->err);
    (void)pthread_mutex_lock(&all->lock);
    if (--all->n_left == 0) {
        (void)pthread_cond_signal(&all->done);
    }
    (void)pthread_mutex_unlock(&all->lock);
}

static enum dn_status list_jobs(struct jobs *all, struct dn_error *err)
{
    const struct dn_pv_file *file = all->file;
    const struct dn_pv_group *groups = file->meta.groups.items;
    size_t n = 0;

    for (uint32_t g = 0; g < file->meta.groups.n; g++) {
        n += groups[g].columns.n == file->n_columns ? file->n_columns : 0;
    }
    all->jobs = dn_calloc(n + 1, sizeof(*all->jobs));
    if (all->jobs == NULL) {
        return dn_error_memory(err, n * sizeof(*all->jobs));
    }
    for (uint32_t g = 0; g < file->meta.groups.n; g++) {
        for (uint32_t k = 0; groups[g].columns.n == file->n_columns && k < file->n_columns; k++) {
            all->jobs[all->n++] = (struct job){.all = all, .group = g, .column = k};
        }
    }
    all->n_left = all->n;
    return DN_OK;
}

/* The failure is that of the first chunk that has one. */
static enum dn_status run_jobs(struct jobs *all, const struct dn_executor *executor,
                               struct dn_error *err)
{
    for (size_t i = 0; i < all->n; i++) {
        if (executor == NULL || executor->submit(executor->ctx, run_job, &all->jobs[i]) != 0) {
            run_job(&all->jobs[i]);
        }
    }
    (void)pthread_mutex_lock(&all->lock);
    while (all->n_left > 0) {
        (void)pthread_cond_wait(&all->done, &all->lock);
    }
    (void)pthread_mutex_unlock(&all->lock);
    for (size_t i = 0; i < all->n; i++) {
        if (all->jobs[i].status != DN_OK) {
            if (err != NULL) {
                *err = all->jobs[i].err;
            }
            return all->jobs[i].status;
        }
    }
    return DN_OK;
}

static enum dn_status check_chunks(struct jobs *all,
                                   const struct dn_parquet_verify_options *options,
                                   struct dn_error *err)
{
    struct dn_executor executor = {options->submit_ctx, options->submit, options->n_threads};
    struct dn_pool *pool = NULL;
    const bool alone =
        options->submit == NULL &&
        (options->n_threads == 1 || (options->n_threads == 0 && all->file->size < ALONE_BYTES));

    DN_TRY(list_jobs(all, err));
    if (!alone) {
        DN_TRY(dn_pool_provide(&pool, &executor, err));
    }
    const enum dn_status st = run_jobs(all, alone ? NULL : &executor, err);
    dn_pool_destroy(pool);
    return st;
}

/* ---- the answer -------------------------------------------------------------------------------------------------- */

static enum dn_status put_number(struct dn_buffer *out, const char *key, int64_t n,
                                 struct dn_error *err)
{
    return n < 0 ? dn_text_appendf(out, err, ",\"%s\":null", key)
                 : dn_text_appendf(out, err, ",\"%s\":%" PRId64, key, n);
}

static enum dn_status put_finding(struct dn_buffer *out, const struct dn_pv_file *file,
                                  const struct dn_pv_finding *f, bool is_first,
                                  struct dn_error *err)
{
    const struct dn_pq_leaf *leaf =
        f->place.column >= 0 && f->place.column < (int64_t)file->n_columns
            ? &file->columns[f->place.column].leaf
            : NULL;

    DN_TRY(dn_text_appendf(out, err, "%s{\"severity\":\"%s\",\"rule\":\"%s\"", is_first ? "" : ",",
                           f->severity == DN_PV_ERROR ? "error" : "note", f->rule));
    DN_TRY(put_number(out, "row_group", f->place.group, err));
    DN_TRY(dn_text_append(out, ",\"column\":", err));
    if (leaf != NULL) {
        DN_TRY(dn_text_append_json_string(out, leaf->path, leaf->path_len, err));
    } else {
        DN_TRY(dn_text_append(out, "null", err));
    }
    DN_TRY(put_number(out, "page", f->place.page, err));
    DN_TRY(put_number(out, "byte", f->place.byte, err));
    DN_TRY(dn_text_append(out, ",\"message\":", err));
    DN_TRY(dn_text_append_json_string(out, f->message, strlen(f->message), err));
    return dn_buffer_append_byte(out, '}', err);
}

static enum dn_status put_findings(struct dn_buffer *out, const struct dn_pv_file *file,
                                   const struct dn_pv_findings *findings, uint64_t *n_shown,
                                   uint64_t most, struct dn_error *err)
{
    const struct dn_pv_finding *f = (const struct dn_pv_finding *)(const void *)findings->list.data;

    if (findings->lost) {
        return dn_error_memory(err, sizeof(*f));
    }
    for (size_t i = 0; i < findings->list.len / sizeof(*f) && *n_shown < most; i++) {
        DN_TRY(put_finding(out, file, &f[i], *n_shown == 0, err));
        ++*n_shown;
    }
    return DN_OK;
}

static enum dn_status put_summary(struct dn_buffer *out, const char *path,
                                  const struct dn_pv_file *file, const struct jobs *all,
                                  struct dn_error *err)
{
    uint64_t errors = file->findings.n_errors;
    uint64_t notes = file->findings.n_notes;
    struct dn_pv_chunk_result sum = {0};

    for (size_t i = 0; i < all->n; i++) {
        errors += all->jobs[i].findings.n_errors;
        notes += all->jobs[i].findings.n_notes;
        sum.n_pages += all->jobs[i].result.n_pages;
        sum.n_values += all->jobs[i].result.n_values;
        sum.value_bytes += all->jobs[i].result.value_bytes;
    }
    DN_TRY(dn_text_append(out, "{\"path\":", err));
    DN_TRY(dn_text_append_json_string(out, path, strlen(path), err));
    return dn_text_appendf(out, err,
                           ",\"size_bytes\":%" PRIu64 ",\"record_count\":%" PRId64
                           ",\"errors\":%" PRIu64 ",\"notes\":%" PRIu64 ",\"row_groups\":%" PRIu32
                           ",\"columns\":%" PRIu32 ",\"pages\":%" PRIu64 ",\"values\":%" PRIu64
                           ",\"value_bytes\":%" PRIu64,
                           file->size, file->meta.n_rows, errors, notes, file->meta.groups.n,
                           file->n_columns, sum.n_pages, sum.n_values, sum.value_bytes);
}

static enum dn_status put_answer(struct dn_buffer *out, const char *path,
                                 const struct dn_pv_file *file, const struct jobs *all,
                                 uint64_t most, struct dn_error *err)
{
    uint64_t n_shown = 0;

    DN_TRY(put_summary(out, path, file, all, err));
    DN_TRY(dn_text_append(out, ",\"findings\":[", err));
    DN_TRY(put_findings(out, file, &file->findings, &n_shown, most, err));
    for (size_t i = 0; i < all->n; i++) {
        DN_TRY(put_findings(out, file, &all->jobs[i].findings, &n_shown, most, err));
    }
    return dn_text_append(out, "]}", err);
}

static void finish(struct dn_pv_file *file, struct jobs *all)
{
    for (size_t i = 0; i < all->n; i++) {
        dn_pv_findings_finish(&all->jobs[i].findings);
    }
    dn_free(all->jobs);
    (void)pthread_mutex_destroy(&all->lock);
    (void)pthread_cond_destroy(&all->done);
    dn_pv_findings_finish(&file->findings);
    dn_buffer_finish(&file->footer);
    dn_arena_finish(&file->arena);
    dn_source_close(file->source);
}

static enum dn_status open_file(struct dn_pv_file *file, const char *path,
                                const struct dn_store_options *given, struct dn_error *err)
{
    struct dn_store_options store;

    DN_TRY(dn_store_options_read(&store, given, err));
    DN_TRY(dn_source_open(&file->source, path, &store, NULL, err));
    const int64_t size = dn_source_size(file->source);
    if (size < 0) {
        return dn_error_set(
            err, DN_ERR_UNSUPPORTED,
            "a Parquet file is verified from its end, which a pipe, or a web server "
            "that gives no ranges, does not allow; save it to a file first");
    }
    file->size = (uint64_t)size;
    return DN_OK;
}

/* What the caller's struct has of our options; the rest is zero. */
static enum dn_status read_options(const struct dn_parquet_verify_options *given,
                                   struct dn_parquet_verify_options *out, struct dn_error *err)
{
    *out = (struct dn_parquet_verify_options){.struct_size = sizeof(*out)};
    if (given == NULL) {
        return DN_OK;
    }
    if (given->struct_size < DN_PARQUET_VERIFY_OPTIONS_V0_1_SIZE) {
        return dn_error_set(err, DN_ERR_INVALID, "struct_size of the options is %" PRIu32,
                            given->struct_size);
    }
    memcpy(out, given, given->struct_size < sizeof(*out) ? given->struct_size : sizeof(*out));
    out->struct_size = sizeof(*out);
    return DN_OK;
}

enum dn_status dn_parquet_verify(const char *path, const struct dn_parquet_verify_options *options,
                                 char **out_json, struct dn_error *err)
{
    struct dn_parquet_verify_options o;
    char room[DN_SHOWN_PATH_SIZE];
    const char *shown = dn_source_shown_path(room, path);
    struct dn_pv_file file = {0};
    struct jobs all = {.file = &file};
    struct dn_buffer out = {0};
    bool usable = false;
    enum dn_status st = DN_OK;

    *out_json = NULL;
    DN_TRY(read_options(options, &o, err));
    (void)pthread_mutex_init(&all.lock, NULL);
    (void)pthread_cond_init(&all.done, NULL);
    dn_buffer_init(&out, MAX_JSON);
    DN_TRY_GOTO(st, open_file(&file, path, o.store, err), cleanup);
    DN_TRY_GOTO(st, check_footer(&file, &usable, err), cleanup);
    if (usable) {
        DN_TRY_GOTO(st, check_chunks(&all, &o, err), cleanup);
    }
    DN_TRY_GOTO(st,
                put_answer(&out, shown, &file, &all,
                           o.most_findings == 0 ? MOST_SHOWN : o.most_findings, err),
                cleanup);
    *out_json = dn_text_take(&out);
    if (*out_json == NULL) {
        st = dn_error_memory(err, out.len);
    }
cleanup:
    if (st != DN_OK) {
        dn_error_locate(err, shown, -1, -1, -1, NULL);
        if (file.source != NULL) { /* what cannot be opened has a message that names it */
            dn_error_prefix(err, st, "%s: ", shown);
        }
    }
    dn_buffer_finish(&out);
    finish(&file, &all);
    return st;
}
