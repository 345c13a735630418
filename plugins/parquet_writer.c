/* The Parquet writer plugin: what of a writer is Parquet, and a look into finished files.  What all writers share is in writer*.c. */
#include "parquet_writer.h"

#include <string.h>

static enum dn_status open_file(void **out_file, const char *path, const struct ArrowSchema *schema,
                                const void *own, const struct dn_writer_means *means,
                                struct dn_error *err)
{
    struct dn_parquet_options o = *(const struct dn_parquet_options *)own;
    struct dn_parquet_writer *w = NULL;

    o.overwrite = means->overwrite;
    o.n_threads = means->n_threads;
    o.memory_budget_bytes = means->memory_budget_bytes;
    o.memory_total_bytes = means->memory_total_bytes;
    o.store = means->store;
    o.submit = means->submit;
    o.submit_ctx = means->submit_ctx;
    o.cancelled = means->cancelled;
    o.cancel_ctx = means->submit_ctx;
    DN_TRY(dn_parquet_writer_open(&w, path, schema, &o, err));
    *out_file = w;
    return DN_OK;
}

static enum dn_status append(void *file, struct ArrowArray *batch, struct dn_error *err)
{
    return dn_parquet_append(file, batch, err);
}

static enum dn_status finish(void *file, struct dn_error *err)
{
    return dn_parquet_finish(file, err);
}

static enum dn_status commit(void *file, struct dn_error *err)
{
    return dn_parquet_commit(file, err);
}

static enum dn_status manifest(void *file, char **out_json, struct dn_error *err)
{
    return dn_parquet_manifest(file, out_json, err);
}

static void close_file(void *file)
{
    dn_parquet_close(file);
}

static enum dn_status read_rows_option(const char *options_json, int64_t *n_rows,
                                       struct dn_error *err)
{
    json_t *root = NULL;
    enum dn_status st = DN_OK;

    *n_rows = 0;
    if (options_json == NULL) {
        return DN_OK;
    }
    DN_TRY(dn_shell_json_parse(&root, options_json, "the options of inspect", err));
    const json_t *rows = dn_shell_get(root, "rows");
    if (!json_is_object(root) ||
        (rows != NULL && (!json_is_integer(rows) || json_integer_value(rows) < 0))) {
        st = dn_error_set(err, DN_ERR_INVALID,
                          "the options of inspect are {\"rows\":n} with n from 0 up");
    } else if (rows != NULL) {
        *n_rows = json_integer_value(rows);
    }
    json_decref(root);
    return st;
}

static int32_t inspect(const char *path, const char *options_json, char **out_json,
                       struct dativo_error *err)
{
    struct dn_error error = {0};
    char *text = NULL;
    int64_t n_rows = 0;
    enum dn_status st = DN_OK;

    *out_json = NULL;
    DN_TRY_GOTO(st, read_rows_option(options_json, &n_rows, &error), cleanup);
    DN_TRY_GOTO(st, dn_parquet_inspect(path, n_rows, &text, &error), cleanup);
    *out_json = dn_shell_text_copy(text);
    if (*out_json == NULL) {
        st = dn_error_memory(&error, strlen(text));
    }
cleanup:
    dn_parquet_free(text);
    return dn_shell_error_export(st, &error, err);
}

static enum dn_status read_count(const json_t *root, const char *key, uint32_t *out,
                                 struct dn_error *err)
{
    const json_t *value = dn_shell_get(root, key);

    if (value == NULL) {
        return DN_OK;
    }
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        json_integer_value(value) > UINT32_MAX) {
        return dn_error_set(err, DN_ERR_INVALID, "\"%s\" is a number from 0 up", key);
    }
    *out = (uint32_t)json_integer_value(value);
    return DN_OK;
}

static enum dn_status read_verify_options(const char *options_json,
                                          struct dn_parquet_verify_options *options,
                                          struct dn_error *err)
{
    json_t *root = NULL;
    enum dn_status st = DN_OK;

    if (options_json == NULL) {
        return DN_OK;
    }
    DN_TRY(dn_shell_json_parse(&root, options_json, "the options of verify", err));
    if (!json_is_object(root)) {
        st = dn_error_set(err, DN_ERR_INVALID,
                          "the options of verify are {\"threads\":n,\"findings\":n}");
        goto cleanup;
    }
    DN_TRY_GOTO(st, read_count(root, "threads", &options->n_threads, err), cleanup);
    st = read_count(root, "findings", &options->most_findings, err);
cleanup:
    json_decref(root);
    return st;
}

static int32_t verify(const char *path, const char *options_json, char **out_json,
                      struct dativo_error *err)
{
    struct dn_parquet_verify_options options = {.struct_size = sizeof(options)};
    struct dn_error error = {0};
    char *text = NULL;
    enum dn_status st = DN_OK;

    *out_json = NULL;
    DN_TRY_GOTO(st, read_verify_options(options_json, &options, &error), cleanup);
    DN_TRY_GOTO(st, dn_parquet_verify(path, &options, &text, &error), cleanup);
    *out_json = dn_shell_text_copy(text);
    if (*out_json == NULL) {
        st = dn_error_memory(&error, strlen(text));
    }
cleanup:
    dn_parquet_free(text);
    return dn_shell_error_export(st, &error, err);
}

static const struct dativo_inspector_v1 inspector = {
    .struct_size = sizeof(inspector),
    .inspect = inspect,
    .verify = verify,
};

const struct dn_writer_kind dn_writer_kind = {
    .plugin = DN_WRITER_PLUGIN(
        "parquet_writer", "Writes Parquet files: typed, verified, durable before they are named"),
    .format = "parquet",
    .ending = ".parquet",
    .distinct_names = true,
    .options = parquet_writer_options,
    .n_options = &parquet_writer_n_options,
    .inspector = &inspector,
    .configure = parquet_writer_configure,
    .open = open_file,
    .append = append,
    .finish = finish,
    .commit = commit,
    .manifest = manifest,
    .free_manifest = dn_parquet_free,
    .close = close_file,
};
