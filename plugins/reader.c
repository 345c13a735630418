/* Level 0 and 0.5 of every reader plugin, and the plugin's entry point.  The table of Level 1 is in reader_level1.c. */
#include "reader.h"

#include "arrow/nested.h"
#include "base/memory.h"
#include "base/strings.h"
#include "json/records.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct dn_reader_kind *const kind = &dn_reader_kind;

/* Before the kind reads the options: it is left those that are about its own columns. */
static enum dn_status places_make(struct dn_reader *r, struct dn_error *err)
{
    const char *inference = NULL;

    if (kind->is_database) {
        return dn_reader_type_check(&r->config, kind->type, err);
    }
    DN_TRY(dn_reader_files_read(&r->files, &r->config, kind->type, r->level, err));
    DN_TRY(dn_shell_option_text(&r->config, "inference", &inference, err)); /* if it has that */
    const bool typed = inference == NULL || strcmp(inference, "strings") != 0;
    DN_TRY(dn_reader_places_make(&r->places, &r->config, &r->files, typed, err));
    dn_reader_places_number_by(r->places, kind->number_rows, r);
    return DN_OK;
}

enum dn_status dn_reader_make(struct dn_reader **out, const char *config_json, int level,
                              const struct dativo_host *host, struct dn_error *err)
{
    struct dn_reader *r = dn_calloc(1, kind->handle_size);

    *out = r;
    if (r == NULL) {
        return dn_error_memory(err, kind->handle_size);
    }
    dn_shell_handle_init(&r->shell, kind->plugin.name);
    dn_shell_host_read(&r->host, host);
    DN_TRY(dn_shell_config_init(&r->config, config_json, kind->options, *kind->n_options, err));
    if (kind->begin != NULL) {
        DN_TRY(kind->begin(r, err));
    }
    r->level = level;
    r->limit = -1;
    if (!kind->is_database) {
        DN_TRY(dn_shell_option_int(&r->config, "limit", 0, INT64_MAX, &r->limit, err));
    }
    DN_TRY(places_make(r, err));
    return kind->configure(r, err);
}

enum dn_status dn_reader_open(struct dn_reader *r, struct dn_error *err)
{
    DN_TRY(kind->open(r, err));
    for (size_t i = 0; dn_reader_places_name(r->places, i) != NULL; i++) {
        if (kind->has_column != NULL && kind->has_column(r, dn_reader_places_name(r->places, i))) {
            return dn_reader_places_clash(r->places, i, err);
        }
    }
    return DN_OK;
}

enum dn_status dn_reader_schema(struct dn_reader *r, struct ArrowSchema *out, struct dn_error *err)
{
    DN_TRY(kind->schema(r, out, err));
    const enum dn_status st = dn_reader_places_schema(r->places, out, err);
    if (st != DN_OK) {
        out->release(out);
    }
    return st;
}

/* No more rows than are wanted; children are the batch's own, and may be shortened. */
static void cut_batch(struct ArrowArray *batch, int64_t n_rows)
{
    if (batch->length <= n_rows) {
        return;
    }
    batch->length = n_rows;
    for (int64_t i = 0; i < batch->n_children; i++) {
        struct ArrowArray *child = batch->children[i];
        child->length = n_rows;
        child->null_count = child->null_count == 0 ? 0 : -1;
    }
}

enum dn_status dn_reader_next(struct dn_reader *r, struct ArrowArray *out, struct dn_error *err)
{
    const bool limited = r->limit >= 0 && !kind->keeps_limit;

    if (limited && r->n_given >= r->limit) {
        *out = (struct ArrowArray){0};
        return DN_OK;
    }
    DN_TRY(kind->next(r, out, err));
    if (out->release != NULL && limited) {
        cut_batch(out, r->limit - r->n_given);
    }
    r->n_given += out->release != NULL ? out->length : 0;
    if (out->release == NULL || r->places == NULL) {
        return DN_OK;
    }
    const enum dn_status st = dn_reader_places_add(r->places, kind->file(r), out, err);
    if (st != DN_OK) {
        out->release(out);
        *out = (struct ArrowArray){0};
    }
    return st;
}

void dn_reader_destroy(struct dn_reader *r)
{
    if (r == NULL || !dn_owner_is_here(&r->shell.owner)) {
        return;
    }
    if (r->batch.release != NULL) {
        r->batch.release(&r->batch);
    }
    kind->close(r);
    if (r->schema.release != NULL) {
        r->schema.release(&r->schema);
    }
    dn_reader_places_destroy(r->places);
    dn_shell_config_finish(&r->config);
    dn_free(r);
}

/* ---- Level 0 ---------------------------------------------------------------------------------------------------- */

/* Now, rather than with the first row: whether JSON records have a form for the types. */
static enum dn_status check_types(const struct dn_reader *r, const struct ArrowSchema *exact,
                                  struct dn_error *err)
{
    struct dn_arena arena = {0};
    struct dn_node node;
    struct dn_error said;
    enum dn_status st = DN_OK;

    for (int64_t i = 0; st == DN_OK && i < exact->n_children; i++) {
        st = dn_schema_get_node(exact, i, &arena, &node, &said);
        if (st != DN_OK) {
            const char *path = r->files.n > 0 ? r->files.shown[0] : "the source";
            dn_error_set(err, st,
                         "%s: %s; leave it out by naming the others with the option columns", path,
                         said.message);
            dn_error_locate(err, path, -1, -1, -1, said.column);
        }
    }
    dn_arena_finish(&arena);
    return st;
}

/* Opened for rows as JSON, up to their names. */
enum dn_status dn_reader_open_rows(struct dn_reader *r, struct dn_error *err)
{
    struct ArrowSchema exact = {0};
    enum dn_status st = DN_OK;

    DN_TRY(dn_reader_open(r, err));
    DN_TRY_GOTO(st, dn_reader_schema(r, &exact, err), cleanup);
    DN_TRY_GOTO(st, check_types(r, &exact, err), cleanup);
    DN_TRY_GOTO(st, dn_schema_copy_unique(&r->schema, &exact, err), cleanup);
    if (kind->prepare_rows != NULL) {
        st = kind->prepare_rows(r, err);
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
    struct dn_reader *r = NULL;
    enum dn_status st = dn_reader_make(&r, config_json, 0, NULL, &error);

    if (r == NULL) {
        return NULL; /* extract_batch(NULL) says so */
    }
    if (st == DN_OK) {
        st = dn_reader_open_rows(r, &error);
    }
    if (st != DN_OK) {
        dn_shell_handle_fail(&r->shell, &error);
    }
    return r;
}

/* Make sure that the batch has rows left; *more is false at the end of the data. */
static enum dn_status fill_batch(struct dn_reader *r, bool *more, struct dn_error *err)
{
    *more = true;
    if (r->batch.release != NULL && r->batch_row < r->batch.length) {
        return DN_OK;
    }
    if (r->batch.release != NULL) {
        r->batch.release(&r->batch);
    }
    r->batch = (struct ArrowArray){0};
    r->batch_row = 0;
    if (!r->ended) {
        DN_TRY(dn_reader_next(r, &r->batch, err));
        r->ended = r->batch.release == NULL;
    }
    *more = !r->ended;
    return DN_OK;
}

/* Append rows of the current batch to a list of records that already has n_before of them. */
static enum dn_status append_rows(struct dn_reader *r, struct dn_buffer *b, int64_t n_before,
                                  int64_t n_rows, struct dn_error *err)
{
    if (n_before > 0) {
        b->len--; /* reopen the list: "]" goes, and the "[" of the next piece becomes a comma */
    }
    const size_t joint = b->len;
    if (kind->write_rows != NULL) {
        DN_TRY(kind->write_rows(r, b, r->batch_row, n_rows, err));
    } else {
        DN_TRY(dn_records_write(b, &r->schema, &r->batch, r->batch_row, n_rows, err));
    }
    if (n_before > 0) {
        b->data[joint] = ',';
    }
    r->batch_row += n_rows;
    return DN_OK;
}

/* The next chunk as a text; NULL at the end. */
static enum dn_status next_chunk(struct dn_reader *r, const char **out, struct dn_error *err)
{
    struct dn_buffer b = {0};
    enum dn_status st = DN_OK;
    int64_t n_rows = 0;
    bool more = false;
    bool made = false;

    *out = NULL;
    if (kind->next_text != NULL) {
        DN_TRY(kind->next_text(r, out, &made, err));
    }
    if (made) {
        return DN_OK;
    }
    DN_TRY(fill_batch(r, &more, err));
    if (!more) {
        return DN_OK;
    }
    DN_TRY(dn_shell_text_begin(&b, r->last_size + r->last_size / 16, err));
    while (more && n_rows < r->chunk_rows) {
        const int64_t wanted = r->chunk_rows - n_rows;
        const int64_t held = r->batch.length - r->batch_row;
        const int64_t n = held < wanted ? held : wanted;
        DN_TRY_GOTO(st, append_rows(r, &b, n_rows, n, err), cleanup);
        n_rows += n;
        if (n_rows < r->chunk_rows) {
            DN_TRY_GOTO(st, fill_batch(r, &more, err), cleanup);
        }
    }
    r->last_size = dn_shell_text_len(&b);
    *out = dn_shell_text_end(&b);
    if (*out == NULL) {
        st = dn_error_memory(err, r->last_size);
    }
cleanup:
    dn_buffer_finish(&b);
    return st;
}

const char *extract_batch(void *reader)
{
    struct dn_reader *r = reader;
    struct dn_error error = {0};
    const char *text = NULL;

    if (r == NULL) {
        return dn_shell_null_handle(kind->plugin.name, "extract_batch", "create_reader");
    }
    if (dn_shell_handle_check(&r->shell, &error) != DN_OK ||
        next_chunk(r, &text, &error) != DN_OK) {
        dn_shell_handle_fail(&r->shell, &error);
        return dn_shell_handle_text(&r->shell);
    }
    return text;
}

void free_reader(void *reader)
{
    dn_reader_destroy(reader);
}

void free_string(const char *text)
{
    dn_shell_text_free(text);
}

/* ---- Level 0.5 -------------------------------------------------------------------------------------------------- */

const char *last_error(void *handle)
{
    return handle == NULL ? NULL : dn_shell_last_error(handle);
}

const char *plugin_info(void)
{
    return dn_shell_info_text(kind->plugin.name, "reader", kind->plugin.description, kind->options,
                              *kind->n_options);
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

/* What there is: how many files, with how many columns. */
static enum dn_status check_files(struct dn_reader *r, struct dn_buffer *message,
                                  struct dn_buffer *details, struct dn_error *err)
{
    int64_t bytes_done = 0;
    int64_t bytes_total = 0;

    DN_TRY(dn_reader_open_rows(r, err));
    kind->progress(r, &bytes_done, &bytes_total);
    DN_TRY(dn_text_appendf(details, err, "\"files\":%zu,\"columns\":%" PRId64 ",\"bytes\":%" PRId64,
                           r->files.n, r->schema.n_children, bytes_total));
    return dn_text_appendf(message, err, "%zu %s%s with %" PRId64 " columns", r->files.n,
                           kind->noun, r->files.n == 1 ? "" : "s", r->schema.n_children);
}

const char *check_connection(const char *config_json)
{
    struct dn_reader *r = NULL;
    struct dn_error error = {0};
    struct dn_buffer message = {0};
    struct dn_buffer details = {0};
    const char *text = NULL;
    enum dn_status st = DN_OK;

    DN_TRY_GOTO(st, dn_reader_make(&r, config_json, 0, NULL, &error), cleanup);
    st = kind->is_database ? kind->check(r, &message, &details, &error)
                           : check_files(r, &message, &details, &error);
    if (st == DN_OK) {
        st = dn_buffer_append_byte(&message, 0, &error);
    }
    if (st == DN_OK) {
        st = dn_buffer_append_byte(&details, 0, &error);
    }
cleanup:
    text = st != DN_OK
               ? check_failure(&error)
               : dn_shell_check_text(true, (const char *)message.data, (const char *)details.data);
    dn_buffer_finish(&message);
    dn_buffer_finish(&details);
    dn_reader_destroy(r);
    return text;
}

enum dn_status dn_reader_append_columns(struct dn_buffer *b, const struct ArrowSchema *schema,
                                        bool (*inferred)(const void *ctx, const char *name),
                                        const void *ctx, struct dn_error *err)
{
    DN_TRY(dn_text_append(b, "[", err));
    for (int64_t i = 0; i < schema->n_children; i++) {
        const struct ArrowSchema *column = schema->children[i];
        struct dn_buffer words = {0};
        DN_TRY(dn_text_append(b, i > 0 ? ",{\"name\":" : "{\"name\":", err));
        DN_TRY(dn_text_append_json_string(b, column->name, strlen(column->name), err));
        DN_TRY(dn_text_append(b, ",\"type\":", err));
        enum dn_status st = dn_schema_print_type(schema, i, &words, err);
        if (st == DN_OK) {
            st = dn_text_append_json_string(b, words.data, words.len, err);
        }
        dn_buffer_finish(&words);
        DN_TRY(st);
        DN_TRY(dn_text_appendf(b, err, ",\"nullable\":%s",
                               (column->flags & ARROW_FLAG_NULLABLE) != 0 ? "true" : "false"));
        if (inferred != NULL) {
            DN_TRY(dn_text_appendf(b, err, ",\"inferred\":%s",
                                   inferred(ctx, column->name) ? "true" : "false"));
        }
        DN_TRY(dn_text_append(b, "}", err));
    }
    return dn_text_append(b, "]", err);
}

/* Describe the object of file `first`: its columns come from all files of that object. */
static enum dn_status append_object(struct dn_reader *r, struct dn_buffer *b, size_t first,
                                    struct dn_error *err)
{
    const struct dn_reader_files *all = &r->files;
    const char *object = all->objects[first];
    struct ArrowSchema schema = {0};
    enum dn_status st = DN_OK;
    int64_t n_rows = -1;
    size_t n = 0;
    const char **paths = dn_calloc(3 * all->n, sizeof(*paths));

    if (paths == NULL) {
        return dn_error_memory(err, 3 * all->n * sizeof(*paths));
    }
    const char **shown = paths + all->n;
    const char **objects = shown + all->n;
    for (size_t i = first; i < all->n; i++) {
        if (strcmp(all->objects[i], object) == 0) {
            objects[n] = object;
            shown[n] = all->shown[i];
            paths[n++] = all->paths[i];
        }
    }
    const struct dn_reader_files files = {paths, shown, objects, n, all->store};
    DN_TRY_GOTO(st, kind->look(r, &files, &schema, &n_rows, err), cleanup);
    DN_TRY_GOTO(st, dn_reader_places_schema(r->places, &schema, err), cleanup);
    DN_TRY_GOTO(st, dn_text_append(b, "{\"name\":", err), cleanup);
    DN_TRY_GOTO(st, dn_text_append_json_string(b, object, strlen(object), err), cleanup);
    DN_TRY_GOTO(st, dn_text_appendf(b, err, ",\"type\":\"%s\",\"rows\":", kind->type), cleanup);
    DN_TRY_GOTO(st,
                n_rows >= 0 ? dn_text_appendf(b, err, "%" PRId64, n_rows)
                            : dn_text_append(b, "null", err),
                cleanup);
    DN_TRY_GOTO(st, dn_text_append(b, ",\"columns\":", err), cleanup);
    DN_TRY_GOTO(st, dn_reader_append_columns(b, &schema, NULL, NULL, err), cleanup);
    st = dn_text_append(b, "}", err);
cleanup:
    if (schema.release != NULL) {
        schema.release(&schema);
    }
    dn_free(paths);
    return st;
}

static enum dn_status append_objects(struct dn_reader *r, struct dn_buffer *b, struct dn_error *err)
{
    const struct dn_reader_files *files = &r->files;
    bool any = false;

    DN_TRY(dn_text_append(b, "{\"objects\":[", err));
    if (kind->is_database) {
        DN_TRY(kind->discover(r, b, err));
    }
    for (size_t i = 0; i < files->n; i++) {
        bool seen = false;
        for (size_t before = 0; before < i; before++) {
            seen = seen || strcmp(files->objects[before], files->objects[i]) == 0;
        }
        if (!seen) {
            DN_TRY(dn_text_append(b, any ? "," : "", err));
            DN_TRY(append_object(r, b, i, err));
            any = true;
        }
    }
    return dn_text_append(b, "]}", err);
}

const char *discover(const char *config_json)
{
    struct dn_shell_handle shell;
    struct dn_reader *r = NULL;
    struct dn_error error = {0};
    struct dn_buffer b = {0};
    const char *text = NULL;
    enum dn_status st = DN_OK;

    dn_shell_handle_init(&shell, kind->plugin.name);
    DN_TRY_GOTO(st, dn_reader_make(&r, config_json, 0, NULL, &error), cleanup);
    DN_TRY_GOTO(st, dn_shell_text_begin(&b, 1024, &error), cleanup);
    DN_TRY_GOTO(st, append_objects(r, &b, &error), cleanup);
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
    dn_reader_destroy(r);
    return text;
}

/* ---- the entry point -------------------------------------------------------------------------------------------- */

const void *dn_reader_extension(const char *name)
{
    if (name != NULL && strcmp(name, DATIVO_EXT_READER) == 0) {
        return &dn_reader_table;
    }
    return name != NULL && kind->extension != NULL ? kind->extension(name) : NULL;
}

void dn_reader_free_text(char *text)
{
    dn_shell_text_free(text);
}

const struct dativo_plugin *dativo_plugin_get(uint32_t host_abi, struct dativo_error *err)
{
    return dn_shell_abi_matches(kind->plugin.name, host_abi, err) ? &kind->plugin : NULL;
}
