/* The CSV reader plugin: Level 0 and 0.5.  The table of Level 1 is in csv_reader_level1.c. */
#include "csv_reader.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/strings.h"
#include "json/records.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char description[] = "Reads CSV files: exact values, loud errors, any size";

static void close_handle(struct csv_handle *h)
{
    if (h == NULL || !dn_owner_is_here(&h->shell.owner)) {
        return;
    }
    if (h->batch.release != NULL) {
        h->batch.release(&h->batch);
    }
    dn_csv_reader_close(h->reader);
    csv_lossless_destroy(h->lossless);
    if (h->schema.release != NULL) {
        h->schema.release(&h->schema);
    }
    dn_shell_config_finish(&h->config);
    dn_free(h);
}

static void on_note(void *ctx, const char *message)
{
    (void)ctx;
    dn_log_json("WARNING", "source_changed", message, NULL);
}

static enum dn_status open_reader(struct csv_handle *h, const char *config_json,
                                  struct dn_error *err)
{
    struct ArrowSchema exact = {0};
    enum dn_status st = DN_OK;

    DN_TRY(dn_shell_config_init(&h->config, config_json, csv_reader_options, csv_reader_n_options,
                                err));
    DN_TRY(csv_settings_read(&h->settings, &h->config, 0, err));
    DN_TRY(csv_check_files(&h->settings, err));
    h->settings.csv.note = on_note;
    DN_TRY(dn_csv_reader_open(&h->reader, h->settings.paths, h->settings.n_paths, &h->settings.csv,
                              err));
    DN_TRY_GOTO(st, dn_csv_reader_schema(h->reader, &exact, err), cleanup);
    DN_TRY_GOTO(st, dn_schema_copy_unique(&h->schema, &exact, err), cleanup);
    if (h->settings.values == CSV_VALUES_LOSSLESS) {
        DN_TRY_GOTO(st, csv_lossless_create(&h->lossless, &h->schema, err), cleanup);
    }
cleanup:
    if (exact.release != NULL) {
        exact.release(&exact);
    }
    return st;
}

void *create_reader(const char *config_json)
{
    struct dn_error error = {0};
    struct csv_handle *h = dn_calloc(1, sizeof(*h));
    if (h == NULL) {
        return NULL; /* extract_batch(NULL) says so */
    }
    dn_shell_handle_init(&h->shell, CSV_READER_NAME);
    if (open_reader(h, config_json, &error) != DN_OK) {
        dn_shell_handle_fail(&h->shell, &error);
    }
    return h;
}

/* Make sure that the batch has rows left; *more is false at the end of the data. */
static enum dn_status fill_batch(struct csv_handle *h, bool *more, struct dn_error *err)
{
    *more = true;
    if (h->batch.release != NULL && h->batch_row < h->batch.length) {
        return DN_OK;
    }
    if (h->batch.release != NULL) {
        h->batch.release(&h->batch);
    }
    h->batch = (struct ArrowArray){0};
    h->batch_row = 0;
    if (!h->ended) {
        DN_TRY(dn_csv_reader_next(h->reader, &h->batch, err));
        h->ended = h->batch.release == NULL;
    }
    *more = !h->ended;
    return DN_OK;
}

/* Append rows of the current batch to a list of records that already has n_before of them. */
static enum dn_status append_rows(struct csv_handle *h, struct dn_buffer *b, int64_t n_before,
                                  int64_t n_rows, struct dn_error *err)
{
    if (n_before > 0) {
        b->len--; /* reopen the list: "]" goes, and the "[" of the next piece becomes a comma */
    }
    const size_t joint = b->len;
    if (h->lossless != NULL) {
        DN_TRY(csv_lossless_write(h->lossless, b, &h->batch, h->batch_row, n_rows, err));
    } else {
        DN_TRY(dn_records_write(b, &h->schema, &h->batch, h->batch_row, n_rows, err));
    }
    if (n_before > 0) {
        b->data[joint] = ',';
    }
    h->batch_row += n_rows;
    return DN_OK;
}

/* The next chunk as a text; NULL at the end. */
static enum dn_status next_chunk(struct csv_handle *h, const char **out, struct dn_error *err)
{
    struct dn_buffer b = {0};
    enum dn_status st = DN_OK;
    int64_t n_rows = 0;
    bool more = false;

    *out = NULL;
    DN_TRY(fill_batch(h, &more, err));
    if (!more) {
        return DN_OK;
    }
    DN_TRY(dn_shell_text_begin(&b, h->last_size + h->last_size / 16, err));
    while (more && n_rows < h->settings.chunk_rows) {
        const int64_t wanted = h->settings.chunk_rows - n_rows;
        const int64_t held = h->batch.length - h->batch_row;
        const int64_t n = held < wanted ? held : wanted;
        DN_TRY_GOTO(st, append_rows(h, &b, n_rows, n, err), cleanup);
        n_rows += n;
        if (n_rows < h->settings.chunk_rows) {
            DN_TRY_GOTO(st, fill_batch(h, &more, err), cleanup);
        }
    }
    h->last_size = dn_shell_text_len(&b);
    *out = dn_shell_text_end(&b);
    if (*out == NULL) {
        st = dn_error_memory(err, h->last_size);
    }
cleanup:
    dn_buffer_finish(&b);
    return st;
}

const char *extract_batch(void *reader)
{
    struct csv_handle *h = reader;
    struct dn_error error = {0};
    const char *text = NULL;

    if (h == NULL) {
        return dn_shell_null_handle(CSV_READER_NAME, "extract_batch", "create_reader");
    }
    if (dn_shell_handle_check(&h->shell, &error) != DN_OK ||
        next_chunk(h, &text, &error) != DN_OK) {
        dn_shell_handle_fail(&h->shell, &error);
        return dn_shell_handle_text(&h->shell);
    }
    return text;
}

void free_reader(void *reader)
{
    close_handle(reader);
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
    return dn_shell_info_text(CSV_READER_NAME, "reader", description, csv_reader_options,
                              csv_reader_n_options);
}

/* Open with the host's configuration; the caller closes the handle also on failure. */
static enum dn_status open_for_a_look(struct csv_handle **out, const char *config_json,
                                      struct dn_error *err)
{
    *out = dn_calloc(1, sizeof(**out));
    if (*out == NULL) {
        return dn_error_memory(err, sizeof(**out));
    }
    dn_shell_handle_init(&(*out)->shell, CSV_READER_NAME);
    return open_reader(*out, config_json, err);
}

static const char *check_failure(const struct dn_error *error)
{
    struct dn_buffer details = {0};
    const char *text = NULL;
    if (dn_text_append(&details, "\"error\":", NULL) == DN_OK &&
        dn_shell_error_append(&details, error, NULL) == DN_OK &&
        dn_buffer_append_byte(&details, 0, NULL) == DN_OK) {
        text = dn_shell_check_text(false, error->message, (const char *)details.data);
    } else {
        text = dn_shell_check_text(false, error->message, NULL);
    }
    dn_buffer_finish(&details);
    return text;
}

const char *check_connection(const char *config_json)
{
    struct csv_handle *h = NULL;
    struct dn_error error = {0};
    const char *text = NULL;

    if (open_for_a_look(&h, config_json, &error) != DN_OK) {
        text = check_failure(&error);
    } else {
        char details[128];
        char message[128];
        struct dn_csv_progress progress = {.struct_size = sizeof(progress)};
        dn_csv_reader_progress(h->reader, &progress);
        (void)snprintf(details, sizeof(details),
                       "\"files\":%zu,\"columns\":%" PRId64 ",\"bytes\":%" PRId64,
                       h->settings.n_paths, h->schema.n_children, progress.bytes_total);
        (void)snprintf(message, sizeof(message), "%zu CSV file%s with %" PRId64 " columns",
                       h->settings.n_paths, h->settings.n_paths == 1 ? "" : "s",
                       h->schema.n_children);
        text = dn_shell_check_text(true, message, details);
    }
    close_handle(h);
    return text;
}

/* Describe the object of file `first`: its columns come from all files of that object. */
static enum dn_status append_object(struct dn_buffer *b, const struct csv_settings *s, size_t first,
                                    struct dn_error *err)
{
    struct dn_csv_options options = s->csv;
    struct dn_csv_reader *reader = NULL;
    struct ArrowSchema schema = {0};
    enum dn_status st = DN_OK;
    size_t n = 0;
    const char **paths = dn_calloc(s->n_paths, sizeof(*paths));

    if (paths == NULL) {
        return dn_error_memory(err, s->n_paths * sizeof(*paths));
    }
    for (size_t i = first; i < s->n_paths; i++) {
        if (strcmp(s->objects[i], s->objects[first]) == 0) {
            paths[n++] = s->paths[i];
        }
    }
    options.inference =
        s->values == CSV_VALUES_STRINGS ? DN_CSV_INFER_STRINGS : DN_CSV_INFER_COLUMN;
    DN_TRY_GOTO(st, dn_csv_reader_open(&reader, paths, n, &options, err), cleanup);
    DN_TRY_GOTO(st, dn_csv_reader_schema(reader, &schema, err), cleanup);
    DN_TRY_GOTO(st, dn_text_append(b, "{\"name\":", err), cleanup);
    DN_TRY_GOTO(st,
                dn_text_append_json_string(b, s->objects[first], strlen(s->objects[first]), err),
                cleanup);
    DN_TRY_GOTO(st, dn_text_append(b, ",\"type\":\"csv\",\"columns\":", err), cleanup);
    DN_TRY_GOTO(st, csv_append_columns(b, &schema, NULL, err), cleanup);
    DN_TRY_GOTO(st, dn_text_append(b, "}", err), cleanup);
cleanup:
    if (schema.release != NULL) {
        schema.release(&schema);
    }
    dn_csv_reader_close(reader);
    dn_free(paths);
    return st;
}

static enum dn_status append_objects(struct dn_buffer *b, const struct csv_settings *s,
                                     struct dn_error *err)
{
    bool any = false;
    DN_TRY(dn_text_append(b, "{\"objects\":[", err));
    for (size_t i = 0; i < s->n_paths; i++) {
        bool seen = false;
        for (size_t before = 0; before < i; before++) {
            seen = seen || strcmp(s->objects[before], s->objects[i]) == 0;
        }
        if (!seen) {
            DN_TRY(dn_text_append(b, any ? "," : "", err));
            DN_TRY(append_object(b, s, i, err));
            any = true;
        }
    }
    return dn_text_append(b, "]}", err);
}

const char *discover(const char *config_json)
{
    struct dn_shell_handle shell;
    struct dn_shell_config config = {0};
    struct csv_settings settings;
    struct dn_error error = {0};
    struct dn_buffer b = {0};
    const char *text = NULL;
    enum dn_status st = DN_OK;

    dn_shell_handle_init(&shell, CSV_READER_NAME);
    DN_TRY_GOTO(st,
                dn_shell_config_init(&config, config_json, csv_reader_options, csv_reader_n_options,
                                     &error),
                cleanup);
    DN_TRY_GOTO(st, csv_settings_read(&settings, &config, 0, &error), cleanup);
    DN_TRY_GOTO(st, dn_shell_text_begin(&b, 1024, &error), cleanup);
    DN_TRY_GOTO(st, append_objects(&b, &settings, &error), cleanup);
    text = dn_shell_text_end(&b);
    if (text == NULL) {
        st = dn_error_memory(&error, b.len);
    }
cleanup:
    if (st != DN_OK) {
        dn_shell_handle_fail(&shell, &error);
        text = dn_shell_handle_text(&shell);
    }
    dn_buffer_finish(&b);
    dn_shell_config_finish(&config);
    return text;
}

static const void *get_extension(const char *name)
{
    return name != NULL && strcmp(name, DATIVO_EXT_READER) == 0 ? &csv_reader_v1 : NULL;
}

static void free_text(char *text)
{
    dn_shell_text_free(text);
}

const struct dativo_plugin *dativo_plugin_get(uint32_t host_abi, struct dativo_error *err)
{
    static const struct dativo_plugin plugin = {
        .struct_size = sizeof(plugin),
        .abi_version = DATIVO_ABI_VERSION,
        .name = CSV_READER_NAME,
        .version = DN_VERSION,
        .description = description,
        .get_extension = get_extension,
        .free_text = free_text,
    };
    return dn_shell_abi_matches(CSV_READER_NAME, host_abi, err) ? &plugin : NULL;
}
