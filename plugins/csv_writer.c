/* The CSV writer plugin: what of a writer is CSV.  What all writers share is in writer*.c. */
#include "writer.h"

#include "csv/written.h"

#include <string.h>

static const struct dn_shell_option options[] = {
    {"delimiter", NULL, "text", "one ASCII character; default a comma"},
    {"quote", "quote_char", "text", "one ASCII character; default a double quote"},
    {"line_end", NULL, "text", "lf or crlf; default lf"},
    {"null_text", NULL, "text", "what stands for a null, unquoted; default nothing"},
    DN_WRITER_OPTIONS,
};
static const size_t n_options = sizeof(options) / sizeof(options[0]);

static enum dn_status read_char(const struct dn_shell_config *c, const char *name, char *out,
                                struct dn_error *err)
{
    const char *text = NULL;

    DN_TRY(dn_shell_option_text(c, name, &text, err));
    if (text == NULL) {
        return DN_OK;
    }
    text = strcmp(text, "\\t") == 0 || strcmp(text, "tab") == 0 ? "\t" : text;
    if (text[0] == '\0' || text[1] != '\0') {
        return dn_shell_option_error(c, name, "must be one ASCII character", err);
    }
    *out = text[0];
    return DN_OK;
}

static enum dn_status configure(struct dn_shell_config *c, void **out_own, const char **note,
                                struct dn_error *err)
{
    struct dn_csv_write_options *o = dn_arena_alloc(&c->arena, sizeof(*o));
    const char *line_end = "lf";

    (void)note;
    if (o == NULL) {
        return dn_error_memory(err, sizeof(*o));
    }
    *o = (struct dn_csv_write_options){.struct_size = sizeof(*o)};
    *out_own = o;
    DN_TRY(read_char(c, "delimiter", &o->delimiter, err));
    DN_TRY(read_char(c, "quote", &o->quote, err));
    DN_TRY(dn_shell_option_text(c, "line_end", &line_end, err));
    DN_TRY(dn_shell_option_text(c, "null_text", &o->null_text, err));
    o->crlf = strcmp(line_end, "crlf") == 0;
    if (!o->crlf && strcmp(line_end, "lf") != 0) {
        return dn_shell_option_error(c, "line_end", "must be lf or crlf", err);
    }
    return DN_OK;
}

static enum dn_status open_file(void **out_file, const char *path, const struct ArrowSchema *schema,
                                const void *own, const struct dn_writer_means *means,
                                struct dn_error *err)
{
    struct dn_csv_write_options o = *(const struct dn_csv_write_options *)own;
    struct dn_csv_writer *w = NULL;

    o.overwrite = means->overwrite;
    o.n_threads = means->n_threads;
    o.memory_budget_bytes = means->memory_budget_bytes;
    o.memory_total_bytes = means->memory_total_bytes;
    o.store = means->store;
    o.cancelled = means->cancelled;
    o.cancel_ctx = means->submit_ctx;
    o.submit = means->submit;
    o.submit_ctx = means->submit_ctx;
    DN_TRY(dn_csv_writer_open(&w, path, schema, &o, err));
    *out_file = w;
    return DN_OK;
}

static enum dn_status append(void *file, struct ArrowArray *batch, struct dn_error *err)
{
    return dn_csv_writer_append(file, batch, err);
}

static enum dn_status finish(void *file, struct dn_error *err)
{
    return dn_csv_writer_finish(file, err);
}

static enum dn_status commit(void *file, struct dn_error *err)
{
    return dn_csv_writer_commit(file, err);
}

static enum dn_status manifest(void *file, char **out_json, struct dn_error *err)
{
    return dn_csv_writer_manifest(file, out_json, err);
}

static uint64_t size(const void *file)
{
    return dn_csv_writer_size(file);
}

static void close_file(void *file)
{
    dn_csv_writer_close(file);
}

const struct dn_writer_kind dn_writer_kind = {
    .plugin = DN_WRITER_PLUGIN(
        "csv_writer", "Writes CSV files that read back equal, durable before they are named"),
    .format = "csv",
    .ending = ".csv",
    .options = options,
    .n_options = &n_options,
    .configure = configure,
    .open = open_file,
    .append = append,
    .finish = finish,
    .commit = commit,
    .size = size,
    .manifest = manifest,
    .free_manifest = dn_csv_free,
    .close = close_file,
};
