/* The Parquet writer plugin: what of a writer is Parquet, and a look into finished files.  What all writers share is in writer*.c. */
#include "parquet_writer.h"

#include "parquet/context.h"
#include "store/url.h"

#include <string.h>

static enum dn_status create_context(void **out, struct dn_error *err)
{
    struct dn_parquet_context *c = NULL;

    DN_TRY(dn_parquet_context_create(&c, err));
    *out = c;
    return DN_OK;
}

static void destroy_context(void *context)
{
    dn_parquet_context_destroy(context);
}

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
    DN_TRY(dn_parquet_writer_open_in(means->context, &w, path, schema, &o, err));
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

static uint64_t size(const void *file)
{
    return dn_parquet_size(file);
}

static void close_file(void *file)
{
    dn_parquet_close(file);
}

/* The options of a look into a file, and of a file that is far away the connection in them. */
static enum dn_status read_look(struct dn_shell_config *c, const char *path,
                                const char *options_json, const char *form,
                                struct dn_store_options **out_store, struct dn_error *err)
{
    const enum dn_url_kind kind = dn_url_kind_of(path);

    *out_store = NULL;
    DN_TRY(dn_shell_json_parse(&c->root, options_json != NULL ? options_json : "{}", "the options",
                               err));
    if (!json_is_object(c->root)) {
        return dn_error_set(err, DN_ERR_INVALID, "the options are %s", form);
    }
    return kind == DN_URL_S3 || kind == DN_URL_HTTP
               ? dn_shell_connection_read(c, false, out_store, err)
               : DN_OK;
}

static enum dn_status read_rows_option(const struct dn_shell_config *c, int64_t *n_rows,
                                       struct dn_error *err)
{
    const json_t *rows = dn_shell_get(c->root, "rows");

    if (rows != NULL && (!json_is_integer(rows) || json_integer_value(rows) < 0)) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "the options of inspect are {\"rows\":n} with n from 0 up");
    }
    *n_rows = rows != NULL ? json_integer_value(rows) : 0;
    return DN_OK;
}

static int32_t inspect(const char *path, const char *options_json, char **out_json,
                       struct dativo_error *err)
{
    struct dn_shell_config config = {0};
    struct dn_store_options *store = NULL;
    struct dn_error error = {0};
    char *text = NULL;
    int64_t n_rows = 0;
    enum dn_status st = DN_OK;

    *out_json = NULL;
    DN_TRY_GOTO(st, read_look(&config, path, options_json, "{\"rows\":n}", &store, &error),
                cleanup);
    DN_TRY_GOTO(st, read_rows_option(&config, &n_rows, &error), cleanup);
    DN_TRY_GOTO(st, dn_parquet_inspect_stored(path, store, n_rows, &text, &error), cleanup);
    *out_json = dn_shell_text_copy(text);
    if (*out_json == NULL) {
        st = dn_error_memory(&error, strlen(text));
    }
cleanup:
    dn_parquet_free(text);
    dn_shell_config_finish(&config);
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

static int32_t verify(const char *path, const char *options_json, char **out_json,
                      struct dativo_error *err)
{
    struct dn_parquet_verify_options options = {.struct_size = sizeof(options)};
    struct dn_shell_config config = {0};
    struct dn_store_options *store = NULL;
    struct dn_error error = {0};
    char *text = NULL;
    enum dn_status st = DN_OK;

    *out_json = NULL;
    DN_TRY_GOTO(
        st,
        read_look(&config, path, options_json, "{\"threads\":n,\"findings\":n}", &store, &error),
        cleanup);
    DN_TRY_GOTO(st, read_count(config.root, "threads", &options.n_threads, &error), cleanup);
    DN_TRY_GOTO(st, read_count(config.root, "findings", &options.most_findings, &error), cleanup);
    options.store = store;
    DN_TRY_GOTO(st, dn_parquet_verify(path, &options, &text, &error), cleanup);
    *out_json = dn_shell_text_copy(text);
    if (*out_json == NULL) {
        st = dn_error_memory(&error, strlen(text));
    }
cleanup:
    dn_parquet_free(text);
    dn_shell_config_finish(&config);
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
    .nested = true,
    .options = parquet_writer_options,
    .n_options = &parquet_writer_n_options,
    .inspector = &inspector,
    .configure = parquet_writer_configure,
    .create_context = create_context,
    .destroy_context = destroy_context,
    .open = open_file,
    .append = append,
    .finish = finish,
    .commit = commit,
    .size = size,
    .manifest = manifest,
    .free_manifest = dn_parquet_free,
    .close = close_file,
};
