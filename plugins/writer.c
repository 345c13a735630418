/* Level 0 and 0.5 of every writer plugin, and the plugin's entry point.  The table of Level 1 is in writer_level1.c. */
#include "writer.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/os_process.h"
#include "base/strings.h"
#include "store/s3/client.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum {
    MAX_NAMES = 100000, /* tried until one may be taken */
    MAX_RACES =
        16, /* files redone because something else than a writer of this run took their name */
};

static const struct dn_writer_kind *const kind = &dn_writer_kind;

void dn_writer_leave_run(struct dn_writer *h, bool well)
{
    well = well && h->shell.error.code == DN_OK;
    dn_writer_run_leave(&h->run, well);
    dn_writer_objects_leave(h->objects, well);
    h->objects = NULL;
}

static void close_handle(struct dn_writer *h)
{
    if (h == NULL || !dn_owner_is_here(&h->shell.owner)) {
        return;
    }
    dn_writer_exit_forget(h);
    dn_temporary_sweep_end(&h->sweep);
    dn_writer_leave_run(h, true);
    if (h->target.means.context != NULL) {
        kind->destroy_context(h->target.means.context);
    }
    dn_pool_destroy(h->pool);
    json_decref(h->acknowledged);
    dn_shell_config_finish(&h->config);
    dn_free(h);
}

enum dn_status dn_writer_configure(struct dn_writer *w, const char *config_json,
                                   struct dn_error *err)
{
    DN_TRY(dn_shell_config_init(&w->config, config_json, kind->options, *kind->n_options, err));
    DN_TRY(dn_writer_target_read(&w->target, &w->config, err));
    return kind->configure(&w->config, &w->own, &w->note, err);
}

static enum dn_status read_config(struct dn_writer *w, const char *config_json,
                                  struct dn_error *err)
{
    DN_TRY(dn_writer_configure(w, config_json, err));
    return dn_writer_target_read_asset(&w->target, &w->config, err);
}

static enum dn_status join_run(struct dn_writer *h, struct dn_error *err)
{
    if (h->target.means.store != NULL) {
        return dn_writer_objects_join(&h->objects, &h->target, err);
    }
    DN_TRY(dn_writer_settle_directory(&h->target, &h->config.arena, err));
    DN_TRY(dn_writer_run_join(&h->run, &h->target, err));
    dn_temporary_sweep_begin(&h->sweep, h->run.dir_fd, h->target.stem);
    return DN_OK;
}

void *create_writer(const char *config_json)
{
    struct dn_error error = {0};
    struct dn_writer *h = dn_calloc(1, sizeof(*h));
    if (h == NULL) {
        return NULL; /* write_batch(NULL) says so */
    }
    dn_shell_handle_init(&h->shell, kind->plugin.name);
    /* now, and not with the first batch: whoever is open at this moment is of the same run */
    if (read_config(h, config_json, &error) != DN_OK || join_run(h, &error) != DN_OK) {
        dn_shell_handle_fail(&h->shell, &error);
    } else if (h->note != NULL) {
        dn_writer_tell(NULL, "option_note", h->note);
    }
    dn_writer_exit_watch(
        h); /* behind whatever the run's requests have set up, which is there still when this comes */
    return h;
}

/* What all files of the handle are made with. */
static enum dn_status prepare(struct dn_writer *h, struct dn_error *err)
{
    struct dn_writer_means *means = &h->target.means;

    if (h->pool != NULL) {
        return DN_OK;
    }
    if (kind->create_context != NULL) {
        DN_TRY(kind->create_context(&means->context, err));
    }
    const uint32_t n = means->n_threads != 0 ? means->n_threads : dn_os_cpu_count();
    DN_TRY(
        dn_pool_create(&h->pool, n > 1 ? n - 1 : 1, err)); /* the calling thread is one of them */
    struct dn_executor executor = dn_pool_executor(h->pool);
    executor.n_threads = n;
    means->submit = executor.submit;
    means->submit_ctx = executor.ctx;
    means->n_threads = executor.n_threads;
    h->target.records.executor = executor;
    return DN_OK;
}

/* Does a target that is one file give way?  Its name is what was asked for, and no other will do. */
static enum dn_status replaces_target(const struct dn_writer *h, const char *path,
                                      struct stat *info, bool *out, struct dn_error *err)
{
    bool owned = true;

    if (S_ISLNK(info->st_mode) && stat(path, info) != 0) {
        info->st_mode = S_IFREG; /* the file that it leads to will be made */
    }
    if (S_ISREG(info->st_mode)) {
        DN_TRY(dn_writer_run_owns(&h->run, path, &owned, err));
    }
    *out = !owned;
    return DN_OK;
}

/*
 * Whether a file may take `path`.  Nothing that is there gives way before the run is over, but the one file that is the target: what an
 * earlier run left is removed then.
 */
static enum dn_status check_name(struct dn_writer *h, const char *path, int64_t counter,
                                 unsigned unique, bool *replaces, struct dn_error *err)
{
    struct stat info;

    *replaces = false;
    if (lstat(path, &info) != 0) {
        return DN_OK;
    }
    if (h->target.overwrite == DN_WRITER_OVERWRITE_EARLIER && unique == 0) {
        if (h->target.file != NULL && counter == 0) {
            DN_TRY(replaces_target(h, path, &info, replaces, err));
        } else {
            DN_TRY(dn_writer_run_pass(&h->run, path, err));
        }
    }
    return *replaces ? DN_OK : dn_error_set(err, DN_ERR_EXISTS, "\"%s\" exists", path);
}

static enum dn_status refuse_taken(const char *path, struct dn_error *err)
{
    return dn_error_set(err, DN_ERR_EXISTS, "\"%s\" is being written by another writer", path);
}

/* The same of an object.  Whoever makes one of that name until this one is committed wins: it is DN_ERR_EXISTS then. */
static enum dn_status try_object(struct dn_writer *h, const char *name, int64_t counter,
                                 unsigned unique, const struct ArrowSchema *schema, void **out,
                                 struct dn_error *err)
{
    struct dn_writer_means means = h->target.means;
    struct dn_store_options store = *means.store;
    struct dn_store_pair metadata[DN_WRITER_MOST_METADATA + 1];
    char etag[DN_S3_ETAG_SIZE];
    bool claimed = false;

    enum dn_objects_name which = DN_OBJECTS_ADDED;
    if (h->target.overwrite == DN_WRITER_OVERWRITE_EARLIER) {
        const bool target = h->target.file != NULL && counter == 0;
        which = unique > 0 ? DN_OBJECTS_OTHER : target ? DN_OBJECTS_TARGET : DN_OBJECTS_FIRST;
    }
    DN_TRY(dn_writer_objects_claim(h->objects, name, which, etag, &claimed, err));
    if (!claimed) {
        return refuse_taken(name, err);
    }
    means.overwrite = etag[0] != '\0';
    store.replaces = means.overwrite ? etag : NULL;
    if (which != DN_OBJECTS_ADDED) { /* those that a later run may remove */
        for (size_t i = 0; i < store.n_metadata; i++) {
            metadata[i] = store.metadata[i];
        }
        metadata[store.n_metadata++] =
            (struct dn_store_pair){DN_S3_RUN_METADATA, dn_writer_objects_run(h->objects)};
        store.metadata = metadata;
    }
    means.store = &store;
    const enum dn_status st = kind->open(out, name, schema, h->own, &means, err);
    if (st != DN_OK && st != DN_ERR_EXISTS) {
        dn_writer_objects_unclaim(h->objects, name);
    }
    return st;
}

static enum dn_status try_name(struct dn_writer *h, const char *path, int64_t counter,
                               unsigned unique, const struct ArrowSchema *schema, void **out,
                               struct dn_error *err)
{
    struct dn_writer_means means = h->target.means;
    bool claimed = false;

    if (h->objects != NULL) {
        return try_object(h, path, counter, unique, schema, out, err);
    }
    DN_TRY(dn_writer_run_claim(&h->run, path, &claimed, err));
    if (!claimed) {
        return refuse_taken(path, err);
    }
    enum dn_status st = check_name(h, path, counter, unique, &means.overwrite, err);
    if (st == DN_OK) {
        st = kind->open(out, path, schema, h->own, &means, err);
    }
    if (st != DN_OK) {
        dn_writer_run_unclaim(&h->run);
    }
    return st;
}

/* Open a file under the first name it may take, which is claimed then; *unique tells where to begin and which one it was. */
static enum dn_status open_file(struct dn_writer *h, struct dn_buffer *path, int64_t counter,
                                unsigned *unique, const struct ArrowSchema *schema, void **out,
                                struct dn_error *err)
{
    if (h->objects == NULL) {
        DN_TRY(dn_writer_run_refresh(&h->run, err));
    }
    for (int i = 0; i < MAX_NAMES; i++) {
        DN_TRY(dn_writer_file_path(path, &h->target, counter, *unique, err));
        const enum dn_status st =
            try_name(h, (const char *)path->data, counter, *unique, schema, out, err);
        if (st != DN_ERR_EXISTS) {
            return st;
        }
        ++*unique;
    }
    return DN_ERR_EXISTS;
}

static enum dn_status make_result(void *file, const char *path, int64_t n_rows, char **out,
                                  struct dn_error *err)
{
    struct dn_buffer b = {0};
    enum dn_status st = DN_OK;

    DN_TRY_GOTO(st, dn_shell_text_begin(&b, 256, err), cleanup);
    DN_TRY_GOTO(st, dn_text_append(&b, "[{\"path\":", err), cleanup);
    DN_TRY_GOTO(st, dn_text_append_json_string(&b, path, strlen(path), err), cleanup);
    DN_TRY_GOTO(st,
                dn_text_appendf(&b, err,
                                ",\"size_bytes\":%" PRIu64 ",\"record_count\":%" PRId64 "}]",
                                kind->size(file), n_rows),
                cleanup);
    *out = dn_shell_text_end(&b);
    if (*out == NULL) {
        st = dn_error_memory(err, b.len);
    }
cleanup:
    dn_buffer_finish(&b);
    return st;
}

/* For commit_files(): the path as the host is about to read it. */
static enum dn_status remember(struct dn_writer *h, const char *path, struct dn_error *err)
{
    if (h->acknowledged == NULL) {
        h->acknowledged = json_object();
    }
    return json_object_set_new_nocheck(h->acknowledged, path, json_true()) == 0
               ? DN_OK
               : dn_error_memory(err, strlen(path));
}

/* Who replaces nothing is not replaced either. */
static enum dn_status commit_object(struct dn_writer *h, void *file, const char *path,
                                    struct dn_error *err)
{
    if (h->target.overwrite == DN_WRITER_OVERWRITE_NONE) {
        return kind->commit(file, err);
    }
    DN_TRY(dn_writer_objects_own(h->objects, path, err));
    const enum dn_status st = kind->commit(file, err);
    if (st != DN_OK) {
        dn_writer_objects_disown(h->objects, path);
    }
    return st;
}

/* The file gets its name, and from then on belongs to the run. */
static enum dn_status commit_file(struct dn_writer *h, void *file, const char *path,
                                  struct dn_error *err)
{
    const char *shown = path + h->target.shown_from;
    enum dn_status st = DN_OK;

    DN_TRY(remember(h, shown, err));
    if (h->objects != NULL) {
        st = commit_object(h, file, path, err);
        goto cleanup;
    }
    DN_TRY_GOTO(st, dn_writer_run_announce(&h->run, path, err), cleanup);
    DN_TRY_GOTO(st, kind->commit(file, err), cleanup);
    st = dn_writer_run_own(&h->run, err);
cleanup:
    if (st != DN_OK) {
        (void)json_object_del(h->acknowledged, shown);
    }
    return st;
}

/* Where a file of that counter begins to look for its name. */
static unsigned first_unique(const struct dn_writer *h, int64_t counter)
{
    return h->has_last && counter == h->last_counter ? h->last_unique + 1 : 0;
}

/* What of the records did not come into the file as it was. */
static void tell_changes(const struct dn_records_counts *counts)
{
    char message[sizeof(counts->rounded_column) + 192];

    if (counts->n_rounded > 0) {
        (void)snprintf(message, sizeof(message),
                       "%" PRId64 " value%s rounded to float64; the first: record %" PRId64
                       ", column %s; declare the column as string to keep all digits",
                       counts->n_rounded, counts->n_rounded == 1 ? " is" : "s are",
                       counts->first_rounded, counts->rounded_column);
        dn_log_json("WARNING", "values_rounded", message, NULL);
    }
    if (counts->n_dropped > 0) {
        (void)snprintf(
            message, sizeof(message),
            "%" PRId64 " value%s of undeclared keys %s left out, as extra_columns asks; the "
            "first: record %" PRId64 ", key %s",
            counts->n_dropped, counts->n_dropped == 1 ? "" : "s",
            counts->n_dropped == 1 ? "is" : "are", counts->first_dropped, counts->dropped_key);
        dn_log_json("WARNING", "columns_dropped", message, NULL);
    }
    if (counts->n_lone_surrogates > 0) {
        (void)snprintf(message, sizeof(message),
                       "%" PRId64
                       " escape%s half a surrogate pair and no character: stored as U+FFFD",
                       counts->n_lone_surrogates, counts->n_lone_surrogates == 1 ? " is" : "s are");
        dn_log_json("WARNING", "characters_replaced", message, NULL);
    }
}

/* One attempt to make a finished file of one batch; DN_ERR_EXISTS: somebody took its name in the meantime. */
static enum dn_status write_file(struct dn_writer *h, const char *records_json, char **out,
                                 struct dn_error *err)
{
    struct dn_records records = {0};
    struct dn_buffer path = {0};
    void *file = NULL;
    char *result = NULL;
    unsigned unique = 0;
    enum dn_status st = DN_OK;

    DN_TRY(prepare(h, err));
    DN_TRY(dn_records_read_pieces(records_json, h->target.fields, h->target.n_fields,
                                  &h->target.records, &records, err));
    h->target.records.expected_bytes = records.counts.n_bytes; /* the next batch is like this one */
    const int64_t n_rows = records.n_rows;
    if (n_rows == 0) {
        st = dn_error_set(err, DN_ERR_INVALID, "the batch holds no records: nothing was written");
        goto cleanup;
    }
    const int64_t counter = records.file_counter >= 0 ? records.file_counter : h->next_counter;
    unique = first_unique(h, counter);
    DN_TRY_GOTO(st, open_file(h, &path, counter, &unique, &records.schema, &file, err), cleanup);
    h->has_last = true; /* also where it turns out that somebody else was faster */
    h->last_counter = counter;
    h->last_unique = unique;
    for (int64_t i = 0; i < records.n_batches; i++) {
        DN_TRY_GOTO(st, kind->append(file, &records.batches[i], err), cleanup);
    }
    DN_TRY_GOTO(st, kind->finish(file, err), cleanup);
    /* all that can fail comes before the commit, so that a failure never leaves a file behind */
    DN_TRY_GOTO(
        st, make_result(file, (const char *)path.data + h->target.shown_from, n_rows, &result, err),
        cleanup);
    DN_TRY_GOTO(st, commit_file(h, file, (const char *)path.data, err), cleanup);
    h->next_counter = counter < INT64_MAX ? counter + 1 : counter;
    tell_changes(&records.counts);
    *out = result;
    result = NULL;
cleanup:
    dn_shell_text_free(result);
    kind->close(file);
    if (h->objects == NULL) {
        dn_writer_run_unclaim(&h->run);
    } else if (file != NULL && st != DN_OK && st != DN_ERR_EXISTS) {
        dn_writer_objects_unclaim(h->objects, (const char *)path.data);
    }
    dn_records_finish(&records);
    dn_buffer_finish(&path);
    return st;
}

static enum dn_status write_records(struct dn_writer *h, const char *records_json, char **out,
                                    struct dn_error *err)
{
    enum dn_status st = DN_ERR_EXISTS;
    if (records_json == NULL) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "write_batch was called with a NULL text: pass the records");
    }
    for (int attempt = 0; st == DN_ERR_EXISTS && attempt < MAX_RACES; attempt++) {
        st = write_file(h, records_json, out, err);
    }
    return st;
}

static enum dn_status write_unless_over(struct dn_writer *h, const char *records_json, char **out,
                                        struct dn_error *err)
{
    if (!dn_writer_enter(h)) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "write_batch() while another thread is in this writer, or when the "
                            "process has ended");
    }
    /* what was committed is not all of it: who is killed from here on has not ended well */
    enum dn_status st = h->objects == NULL ? dn_writer_run_set_done(&h->run, false, err) : DN_OK;
    st = st == DN_OK ? write_records(h, records_json, out, err) : st;
    dn_writer_exit(h);
    return st;
}

const char *write_batch(void *writer, const char *records_json)
{
    struct dn_writer *h = writer;
    struct dn_error error = {0};
    char *text = NULL;

    if (h == NULL) {
        return dn_shell_null_handle(kind->plugin.name, "write_batch", "create_writer");
    }
    if (dn_shell_handle_check(&h->shell, &error) != DN_OK ||
        write_unless_over(h, records_json, &text, &error) != DN_OK) {
        dn_shell_handle_fail(&h->shell, &error);
        return dn_shell_handle_text(&h->shell);
    }
    return text;
}

void free_writer(void *writer)
{
    close_handle(writer);
}

void free_string(const char *text)
{
    dn_shell_text_free(text);
}

const char *last_error(void *handle)
{
    if (handle == NULL) {
        return NULL;
    }
    return dn_shell_last_error(handle);
}

const char *plugin_info(void)
{
    return dn_shell_info_text(kind->plugin.name, "writer", kind->plugin.description, kind->options,
                              *kind->n_options);
}

static enum dn_status describe_target(struct dn_buffer *details, const struct dn_writer *h,
                                      struct dn_error *err)
{
    DN_TRY(dn_text_append(details, "\"directory\":", err));
    DN_TRY(
        dn_text_append_json_string(details, h->target.directory, strlen(h->target.directory), err));
    DN_TRY(dn_text_appendf(details, err, ",\"columns\":%" PRId64, h->target.n_fields));
    return dn_buffer_append_byte(details, 0, err);
}

static enum dn_status describe_failure(struct dn_buffer *details, const struct dn_error *error)
{
    dn_buffer_reset(details);
    DN_TRY(dn_text_append(details, "\"error\":", NULL));
    DN_TRY(dn_shell_error_append(details, error, NULL));
    return dn_buffer_append_byte(details, 0, NULL);
}

/* May files be made there?  A folder: one is made in it and removed; a bucket: an upload is begun and aborted. */
static enum dn_status check_target(const struct dn_writer *h, bool *is_bucket, struct dn_error *err)
{
    *is_bucket = h->target.means.store != NULL;
    return *is_bucket ? dn_writer_check_bucket(&h->target, err)
                      : dn_writer_check_directory(h->target.directory, err);
}

const char *check_connection(const char *config_json)
{
    struct dn_buffer details = {0};
    struct dn_error error = {0};
    const char *text = NULL;
    char shown[1024];
    char what[1100];
    bool is_bucket = false;
    enum dn_status st = DN_OK;
    struct dn_writer *h = dn_calloc(1, sizeof(*h));

    if (h == NULL) {
        st = dn_error_memory(&error, sizeof(*h));
        goto cleanup;
    }
    dn_shell_handle_init(&h->shell, kind->plugin.name);
    DN_TRY_GOTO(st, read_config(h, config_json, &error), cleanup);
    DN_TRY_GOTO(st, check_target(h, &is_bucket, &error), cleanup);
    DN_TRY_GOTO(st, describe_target(&details, h, &error), cleanup);
    dn_error_copy_text(shown, sizeof(shown), h->target.directory);
    (void)snprintf(what, sizeof(what), "%s can be written%s", shown,
                   is_bucket ? ": an upload was begun and aborted" : "");
    text = dn_shell_check_text(true, what, (const char *)details.data);
cleanup:
    if (st != DN_OK) {
        const bool described = describe_failure(&details, &error) == DN_OK;
        text = dn_shell_check_text(false, error.message,
                                   described ? (const char *)details.data : NULL);
    }
    dn_buffer_finish(&details);
    close_handle(h);
    return text;
}

static enum dn_status check_file(const struct dn_writer *h, const json_t *file, size_t i,
                                 struct dn_error *err)
{
    const char *path = dn_shell_text_value(dn_shell_get(file, "path"));

    if (path == NULL) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "file %zu of the list has no text \"path\": commit_files takes the "
                            "list that write_batch returned",
                            i + 1);
    }
    if (json_object_get(h->acknowledged, path) == NULL) {
        return dn_error_set(
            err, DN_ERR_INVALID,
            "file %zu of the list, \"%s\", is none that this writer wrote: commit_files "
            "takes the paths that its write_batch returned",
            i + 1, path);
    }
    return DN_OK;
}

/* How many files the host acknowledges: a list, or {"files":[...]}; all of them are this writer's. */
static enum dn_status count_files(const struct dn_writer *h, const char *files_json, int64_t *out,
                                  struct dn_error *err)
{
    json_t *root = NULL;
    enum dn_status st = DN_OK;

    *out = (int64_t)json_object_size(h->acknowledged);
    if (files_json == NULL) {
        return DN_OK;
    }
    DN_TRY(dn_shell_json_parse(&root, files_json, "the list of files", err));
    const json_t *files = json_is_object(root) ? dn_shell_get(root, "files") : root;
    if (!json_is_array(files)) {
        st = dn_error_set(err, DN_ERR_INVALID,
                          "commit_files takes the list that write_batch returned");
        goto cleanup;
    }
    *out = (int64_t)json_array_size(files);
    for (size_t i = 0; i < json_array_size(files); i++) {
        DN_TRY_GOTO(st, check_file(h, json_array_get(files, i), i, err), cleanup);
    }
cleanup:
    json_decref(root);
    return st;
}

static bool is_all(const struct dn_writer *h, int64_t n_files)
{
    return n_files > 0 && n_files == (int64_t)json_object_size(h->acknowledged);
}

const char *commit_files(void *writer, const char *files_json)
{
    struct dn_writer *h = writer;
    struct dn_error error = {0};
    struct dn_buffer b = {0};
    const char *text = NULL;
    int64_t n_files = 0;
    enum dn_status st = DN_OK;

    if (h == NULL) {
        return dn_shell_null_handle(kind->plugin.name, "commit_files", "create_writer");
    }
    DN_TRY_GOTO(st, dn_shell_handle_check(&h->shell, &error), cleanup);
    DN_TRY_GOTO(st, count_files(h, files_json, &n_files, &error), cleanup);
    DN_TRY_GOTO(st, dn_shell_text_begin(&b, 64, &error), cleanup);
    DN_TRY_GOTO(
        st,
        dn_text_appendf(&b, &error, "{\"files_committed\":%" PRId64 ",\"success\":true}", n_files),
        cleanup);
    /* whatever becomes of this process now: the run was finished */
    if (h->objects == NULL) {
        DN_TRY_GOTO(st, dn_writer_run_set_done(&h->run, is_all(h, n_files), &error), cleanup);
    }
    text = dn_shell_text_end(&b);
    if (text == NULL) {
        st = dn_error_memory(&error, b.len);
    }
cleanup:
    if (st != DN_OK) {
        dn_shell_handle_fail(&h->shell, &error);
        text = dn_shell_handle_text(&h->shell);
    }
    dn_buffer_finish(&b);
    return text;
}

const void *dn_writer_extension(const char *name)
{
    if (name != NULL && strcmp(name, DATIVO_EXT_WRITER) == 0) {
        return &dn_writer_table;
    }
    if (name != NULL && strcmp(name, DATIVO_EXT_INSPECTOR) == 0) {
        return kind->inspector;
    }
    return NULL;
}

void dn_writer_free_text(char *text)
{
    dn_shell_text_free(text);
}

const struct dativo_plugin *dativo_plugin_get(uint32_t host_abi, struct dativo_error *err)
{
    return dn_shell_abi_matches(kind->plugin.name, host_abi, err) ? &kind->plugin : NULL;
}
