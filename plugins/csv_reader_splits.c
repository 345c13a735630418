/* Pieces of a source: splits() and open_split(). */
#include "csv_reader.h"

#include <string.h>

/* Options that do not decide what the rows are: who reads a piece may give others. */
static const char *const free_options[] = {"n_threads",  "block_bytes", "chunk_size",
                                           "batch_size", "advice",      "restartable"};

static json_t *copy_without(const json_t *object)
{
    json_t *copy = object != NULL ? json_copy((json_t *)(uintptr_t)object) : json_object();

    for (size_t i = 0; copy != NULL && i < sizeof(free_options) / sizeof(free_options[0]); i++) {
        (void)json_object_del(copy, free_options[i]);
    }
    return copy;
}

enum dn_status csv_split_tag(struct dn_reader *r, struct dn_error *err)
{
    struct csv_handle *h = (struct csv_handle *)(void *)r;
    json_t *options = copy_without(r->config.options);
    json_t *native = copy_without(r->config.native);
    const size_t flags = JSON_COMPACT | JSON_SORT_KEYS;
    char *text = NULL;

    if (options != NULL && native != NULL && json_object_set(options, "native", native) == 0) {
        const size_t len = json_dumpb(options, NULL, 0, flags);
        text = len > 0 ? dn_arena_alloc(&r->config.arena, len + 1) : NULL; /* and a NUL */
        if (text != NULL && json_dumpb(options, text, len, flags) != len) {
            text = NULL;
        }
    }
    json_decref(options);
    json_decref(native);
    h->tag = text;
    return text != NULL ? DN_OK : dn_error_memory(err, 1024);
}

static enum dn_status cut(struct dn_reader *r, uint64_t target_bytes, char **out_json,
                          struct dn_error *err)
{
    const struct csv_handle *h = (const struct csv_handle *)(const void *)r;
    struct dn_csv_options options = h->settings.csv;
    const struct dn_csv_split_options how = {
        .struct_size = sizeof(how), .target_bytes = target_bytes, .tag = h->tag};
    char *text = NULL;

    DN_TRY(dn_shell_handle_check(&r->shell, err));
    if (h->token != NULL) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "a piece is not cut again: give splits() a reader of the whole");
    }
    options.advise = NULL; /* it was said when the reader was opened */
    DN_TRY(dn_csv_find_splits(&text, r->files.paths, r->files.n, &options, &how, err));
    *out_json = dn_shell_text_copy(text);
    dn_csv_free(text);
    return *out_json != NULL ? DN_OK : dn_error_memory(err, 1024);
}

int32_t csv_splits(void *reader, uint64_t target_bytes, char **out_json, struct dativo_error *err)
{
    struct dn_error error = {0};

    *out_json = NULL;
    return dn_shell_error_export(cut(reader, target_bytes, out_json, &error), &error, err);
}

static enum dn_status open_piece(struct dn_reader *r, const char *token, struct dn_error *err)
{
    struct csv_handle *h = (struct csv_handle *)(void *)r;

    h->token = token != NULL ? token : "";
    DN_TRY(dn_reader_open(r, err));
    dn_reader_places_begin(r->places, dn_csv_reader_rows_before(h->reader));
    h->token = "piece"; /* the caller's text is not kept */
    return DN_OK;
}

int32_t csv_open_split(const char *config_json, const char *token, const struct dativo_host *host,
                       void **out_reader, struct dativo_error *err)
{
    return dn_reader_v1_open_by(open_piece, config_json, token, host, out_reader, err);
}
