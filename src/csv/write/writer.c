#include "csv/write/writer_internal.h"

#include "base/budget.h"
#include "base/memory.h"
#include "base/os_process.h"
#include "base/strings.h"
#include "csv/infer.h"
#include "csv/written.h"
#include "store/url.h"
#include "text/parse.h"

#include <ctype.h>

#define DEFAULT_BUDGET ((uint64_t)64 << 20)
#define PIECE_BYTES ((size_t)1 << 20)
#define LEAST_PIECE_BYTES ((size_t)64 << 10)
#define LONGEST_NULL_TEXT ((size_t)64)

/* ---- open --------------------------------------------------------------------------------------------------------- */

/* A byte that no value holds which is not a text, so that none of them needs quotes. */
static enum dn_status check_byte(uint8_t byte, const char *what, struct dn_error *err)
{
    if (byte >= 0x80 || byte == '\n' || byte == '\r') {
        return dn_error_set(err, DN_ERR_INVALID,
                            "the %s must be one ASCII character other than a line end", what);
    }
    if (byte == '+' || byte == '-' || byte == '.' || byte == ':' || byte == ' ' || isalnum(byte)) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "the %s '%c' can be part of a value; choose a punctuation character",
                            what, byte);
    }
    return DN_OK;
}

/* A null must not read as anything else, nor anything else as a null. */
static enum dn_status set_null_text(struct dn_csv_form *form, const char *text,
                                    struct dn_error *err)
{
    uint8_t padded[LONGEST_NULL_TEXT + 2 * (size_t)DN_TEXT_PADDING] = {0};
    uint8_t *const copy = padded + DN_TEXT_PADDING;
    const char *why = NULL;
    const size_t len = text != NULL ? strlen(text) : 0;
    char shown[DN_ESCAPED_VALUE_SIZE];

    if (len > LONGEST_NULL_TEXT) {
        why = "is longer than 64 bytes";
    } else if (len > 0) {
        memcpy(copy, text, len);
        if (memchr(copy, form->delimiter, len) != NULL || memchr(copy, form->quote, len) != NULL ||
            memchr(copy, '\n', len) != NULL || memchr(copy, '\r', len) != NULL) {
            why = "holds the delimiter, the quote or a line end";
        } else if (dn_csv_classify(copy, len) != DN_CSV_TEXT) {
            why = "is a value of another type";
        } else if (dn_kernels_selected()->utf8_valid_prefix(copy, len) != len) {
            why = "is not valid UTF-8";
        }
    }
    if (why != NULL) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "the text for nulls, %s, %s; choose another one, or none",
                            dn_error_escape_value(shown, text, len), why);
    }
    form->null_text = dn_malloc(len + 1);
    if (form->null_text == NULL) {
        return dn_error_memory(err, len + 1);
    }
    memcpy(form->null_text, copy, len);
    form->null_len = len;
    return DN_OK;
}

static enum dn_status set_form(struct dn_csv_form *form, const struct dn_csv_write_options *o,
                               struct dn_error *err)
{
    form->delimiter = o->delimiter != 0 ? (uint8_t)o->delimiter : ',';
    form->quote = o->quote != 0 ? (uint8_t)o->quote : '"';
    form->row_end[0] = o->crlf ? '\r' : '\n';
    form->row_end[1] = '\n';
    form->row_end_len = o->crlf ? 2 : 1;
    DN_TRY(check_byte(form->delimiter, "delimiter", err));
    DN_TRY(check_byte(form->quote, "quote", err));
    if (form->delimiter == form->quote) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "delimiter and quote are both '%c'; they must differ", form->quote);
    }
    DN_TRY(set_null_text(form, o->null_text, err));
    dn_csv_form_init(form);
    return DN_OK;
}

static enum dn_status open_columns(struct dn_csv_writer *w, const struct ArrowSchema *schema,
                                   struct dn_error *err)
{
    const size_t n = (size_t)schema->n_children;

    if (schema->n_children < 1) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "a CSV file needs at least one column; the schema has %lld",
                            (long long)schema->n_children);
    }
    DN_TRY(dn_schema_copy(&w->schema, schema, err));
    w->fields = dn_calloc(n, sizeof *w->fields);
    w->raw = dn_calloc(n, sizeof *w->raw);
    w->seen = dn_calloc(n, sizeof *w->seen);
    w->null_counts = dn_calloc(n, sizeof *w->null_counts);
    if (w->fields == NULL || w->raw == NULL || w->seen == NULL || w->null_counts == NULL) {
        return dn_error_memory(err, n * sizeof *w->fields);
    }
    w->n_columns = schema->n_children;
    w->row_room = w->form.row_end_len;
    for (int64_t i = 0; i < w->n_columns; i++) {
        DN_TRY(dn_schema_get_field(&w->schema, i, &w->fields[i], err));
        w->fields[i].name = w->fields[i].name != NULL ? w->fields[i].name : "";
        w->raw[i] = dn_value_is_raw(w->fields[i].type);
        w->n_texts += dn_type_is_bytes(w->fields[i].type);
        w->row_room += dn_csv_value_room(w->fields[i].type, &w->form);
    }
    return DN_OK;
}

/* A quarter for text that is not written yet, half for the batches that it is made of; what is left is for bytes on their way to S3. */
static enum dn_status divide_budget(struct dn_csv_writer *w, const struct dn_csv_write_options *o,
                                    struct dn_error *err)
{
    uint64_t budget = o->memory_budget_bytes != 0 ? o->memory_budget_bytes : DEFAULT_BUDGET;
    const uint64_t n_columns = (uint64_t)w->n_columns;
    const uint64_t least = dn_budget_of_columns(n_columns, w->n_texts, DN_BUDGET_WRITING);
    const bool remote = o->memory_budget_bytes != 0 && dn_url_is_remote(w->path);

    if (o->memory_budget_bytes == 0 && budget < least) {
        budget = least; /* nobody set a limit */
    }
    DN_TRY(dn_budget_check_columns(n_columns, w->n_texts, DN_BUDGET_WRITING, remote, budget,
                                   o->memory_total_bytes, err));
    w->way_bytes = remote ? dn_budget_on_the_way(budget, DN_BUDGET_WRITING) : 0;
    const size_t n_threads = w->executor.n_threads != 0 ? w->executor.n_threads : dn_os_cpu_count();
    const size_t most = 4 * n_threads + 4;
    const size_t text_bytes = (size_t)(budget / 4);
    w->piece_bytes = text_bytes / most < PIECE_BYTES ? text_bytes / most : PIECE_BYTES;
    w->piece_bytes = w->piece_bytes > LEAST_PIECE_BYTES ? w->piece_bytes : LEAST_PIECE_BYTES;
    w->n_pieces = text_bytes / w->piece_bytes < most ? text_bytes / w->piece_bytes : most;
    w->n_pieces = w->n_pieces > 2 ? w->n_pieces : 2;
    w->flight_bytes = (size_t)(budget / 2);
    w->pieces = dn_calloc(w->n_pieces, sizeof *w->pieces);
    return w->pieces != NULL ? DN_OK : dn_error_memory(err, w->n_pieces * sizeof *w->pieces);
}

/*
 * Who forgets to name the output may have named something precious last: only text is replaced by text.  Control bytes alone do not tell,
 * for a CSV file may hold any; but no line of names holds a NUL, and the writer puts those that begin as other formats do into quotes.
 */
static enum dn_status refuse_foreign(struct dn_csv_writer *w, struct dn_error *err)
{
    uint8_t head[512];
    char shown[DN_ESCAPED_VALUE_SIZE];
    size_t len = 0;

    DN_TRY(dn_sink_replaced_head(w->sink, head, sizeof head, &len, err));
    const size_t start = len < 16 ? len : 16;
    const uint8_t *const row_end = memchr(head, '\n', start);
    const size_t name_len = row_end != NULL ? (size_t)(row_end - head) : start;
    const size_t n_valid = dn_kernels_selected()->utf8_valid_prefix(head, len);
    const bool is_text =
        (n_valid == len ||
         (len == sizeof head && len - n_valid < 4)) && /* a character may be cut */
        memchr(head, '\0', name_len) == NULL &&
        (len < 5 || (memcmp(head, "PAR1\x15", 5) != 0 && memcmp(head, "PK\x03\x04", 4) != 0));

    if (is_text) {
        return DN_OK;
    }
    const enum dn_status st =
        dn_error_set(err, DN_ERR_EXISTS,
                     "'%s' is not a text file, so no CSV file replaces it (it begins with %s); "
                     "choose another name, or remove it first",
                     w->path, dn_error_escape_value(shown, head, start));
    dn_error_locate(err, w->path, -1, -1, -1, NULL);
    return st;
}

static enum dn_status write_header(struct dn_csv_writer *w, struct dn_error *err)
{
    struct dn_buffer header = {0};

    enum dn_status st = dn_csv_header_format(w, &header, err);
    if (st == DN_OK) {
        st = dn_sink_write(w->sink, header.data, header.len, err);
    }
    dn_buffer_finish(&header);
    return st;
}

static enum dn_status open_sink(struct dn_csv_writer *w, const char *path,
                                const struct dn_csv_write_options *o, struct dn_error *err)
{
    struct dn_store_options store;

    DN_TRY(dn_store_options_read(&store, o->store, err));
    if (store.content_type == NULL) {
        store.content_type = "text/csv";
    }
    if (store.memory_bytes == 0) {
        store.memory_bytes = w->way_bytes;
    }
    return dn_sink_open(&w->sink, path, o->overwrite, &store, &w->stop_waiting, err);
}

static enum dn_status open_all(struct dn_csv_writer *w, const char *path,
                               const struct ArrowSchema *schema,
                               const struct dn_csv_write_options *o, struct dn_error *err)
{
    w->path = dn_strdup(path);
    if (w->path == NULL) {
        return dn_error_memory(err, strlen(path) + 1);
    }
    DN_TRY(set_form(&w->form, o, err));
    DN_TRY(open_columns(w, schema, err));
    w->executor = (struct dn_executor){o->submit_ctx, o->submit, o->n_threads};
    DN_TRY(dn_pool_provide(&w->pool, &w->executor, err));
    DN_TRY(divide_budget(w, o, err));
    DN_TRY(open_sink(w, path, o, err));
    DN_TRY(refuse_foreign(w, err));
    return write_header(w, err);
}

enum dn_status dn_csv_writer_open(struct dn_csv_writer **out, const char *path,
                                  const struct ArrowSchema *schema,
                                  const struct dn_csv_write_options *options, struct dn_error *err)
{
    struct dn_csv_write_options o = {0};

    *out = NULL;
    if (options != NULL) {
        if (options->struct_size < DN_CSV_WRITE_OPTIONS_V0_1_SIZE) {
            return dn_error_set(
                err, DN_ERR_INVALID,
                "CSV option struct_size is %u; give sizeof(struct dn_csv_write_options)",
                options->struct_size);
        }
        memcpy(&o, options, options->struct_size < sizeof o ? options->struct_size : sizeof o);
    }
    struct dn_csv_writer *w = dn_calloc(1, sizeof *w);
    if (w == NULL) {
        return dn_error_memory(err, sizeof *w);
    }
    dn_owner_init(&w->owner);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->done, NULL);
    dn_stop_init(&w->stop_waiting, o.cancelled, o.cancel_ctx);
    w->kernels = dn_kernels_selected();
    const enum dn_status st = open_all(w, path, schema, &o, err);
    if (st != DN_OK) {
        dn_csv_writer_close(w);
        return st;
    }
    *out = w;
    return DN_OK;
}

/* ---- rows, and the end of them ------------------------------------------------------------------------------------- */

/*
 * Every failure is for good: rows that were refused would be missing from the file.  Returns the first failure of the writer, whichever
 * call it was.
 */
static enum dn_status answer(struct dn_csv_writer *w, enum dn_status st,
                             const struct dn_error *failure, struct dn_error *err)
{
    if (st != DN_OK && !w->failed) {
        w->failed = true;
        w->error = *failure;
        atomic_store(&w->stop, true);
    }
    if (!w->failed) {
        return DN_OK;
    }
    if (err != NULL) {
        *err = w->error;
    }
    return (enum dn_status)w->error.code;
}

static enum dn_status check_open(const struct dn_csv_writer *w, const char *what,
                                 struct dn_error *err)
{
    if (w->failed) {
        *err = w->error;
        return (enum dn_status)w->error.code;
    }
    return w->state == DN_CSV_OUT_OPEN
               ? DN_OK
               : dn_error_set(err, DN_ERR_INVALID, "%s '%s' after it was finished", what, w->path);
}

static enum dn_status append(struct dn_csv_writer *w, struct ArrowArray *batch,
                             struct dn_error *err)
{
    struct dn_csv_out_batch *b = NULL;

    DN_TRY(check_open(w, "rows were appended to", err));
    DN_TRY(dn_csv_out_batch_take(w, batch, &b, err));
    const enum dn_status st = dn_csv_pieces_add(w, b, err);
    dn_csv_out_batch_unref(b);
    return st;
}

enum dn_status dn_csv_writer_append(struct dn_csv_writer *w, struct ArrowArray *batch,
                                    struct dn_error *err)
{
    struct dn_error failure;
    const enum dn_status here = dn_owner_check(&w->owner, "CSV writer", err);
    const enum dn_status st = here != DN_OK ? here : append(w, batch, &failure);

    if (batch->release != NULL) {
        batch->release(batch);
    }
    return here != DN_OK ? here : answer(w, st, &failure, err);
}

static enum dn_status finish(struct dn_csv_writer *w, struct dn_error *err)
{
    DN_TRY(check_open(w, "it was asked to finish", err));
    DN_TRY(dn_csv_pieces_write_all(w, err));
    DN_TRY(dn_sink_finish(w->sink, err));
    w->state = DN_CSV_OUT_FINISHED;
    return DN_OK;
}

enum dn_status dn_csv_writer_finish(struct dn_csv_writer *w, struct dn_error *err)
{
    struct dn_error failure;

    DN_TRY(dn_owner_check(&w->owner, "CSV writer", err));
    return answer(w, finish(w, &failure), &failure, err);
}

static enum dn_status commit(struct dn_csv_writer *w, struct dn_error *err)
{
    if (!w->failed && w->state != DN_CSV_OUT_FINISHED) {
        return dn_error_set(err, DN_ERR_INVALID, "'%s' was committed %s", w->path,
                            w->state == DN_CSV_OUT_OPEN ? "before it was finished" : "twice");
    }
    if (w->failed) {
        *err = w->error;
        return (enum dn_status)w->error.code;
    }
    DN_TRY(dn_sink_commit(w->sink, err));
    w->state = DN_CSV_OUT_COMMITTED;
    return DN_OK;
}

enum dn_status dn_csv_writer_commit(struct dn_csv_writer *w, struct dn_error *err)
{
    struct dn_error failure;

    DN_TRY(dn_owner_check(&w->owner, "CSV writer", err));
    return answer(w, commit(w, &failure), &failure, err);
}

static enum dn_status append_manifest(const struct dn_csv_writer *w, struct dn_buffer *out,
                                      struct dn_error *err)
{
    DN_TRY(dn_text_append(out, "[{\"path\":", err));
    DN_TRY(dn_text_append_json_string(out, w->path, strlen(w->path), err));
    DN_TRY(dn_text_appendf(out, err, ",\"size_bytes\":%llu,\"record_count\":%lld,\"columns\":[",
                           (unsigned long long)dn_sink_position(w->sink), (long long)w->n_rows));
    for (int64_t i = 0; i < w->n_columns; i++) {
        DN_TRY(dn_text_append(out, i > 0 ? ",{\"name\":" : "{\"name\":", err));
        DN_TRY(dn_text_append_json_string(out, w->fields[i].name, strlen(w->fields[i].name), err));
        DN_TRY(dn_text_appendf(out, err, ",\"min\":null,\"max\":null,\"null_count\":%lld}",
                               (long long)w->null_counts[i]));
    }
    return dn_text_append(out, "]}]", err);
}

enum dn_status dn_csv_writer_manifest(struct dn_csv_writer *w, char **out_json,
                                      struct dn_error *err)
{
    struct dn_buffer out = {0};

    *out_json = NULL;
    DN_TRY(dn_owner_check(&w->owner, "CSV writer", err));
    DN_TRY(answer(w, DN_OK, NULL, err));
    if (w->state == DN_CSV_OUT_OPEN) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "the manifest of '%s' was asked for before it was finished", w->path);
    }
    enum dn_status st = append_manifest(w, &out, err);
    if (st == DN_OK) {
        *out_json = dn_text_take(&out);
        st = *out_json != NULL ? DN_OK : dn_error_memory(err, out.len + 1);
    }
    dn_buffer_finish(&out);
    return st;
}

uint64_t dn_csv_writer_size(const struct dn_csv_writer *w)
{
    return dn_sink_position(w->sink);
}

void dn_csv_free(void *text)
{
    dn_free(text);
}

void dn_csv_writer_close(struct dn_csv_writer *w)
{
    if (w == NULL || !dn_owner_is_here(&w->owner)) {
        return; /* in a child of fork() neither its threads nor its file are ours */
    }
    dn_stop_ask(&w->stop_waiting);
    dn_csv_pieces_drop(w);
    dn_pool_destroy(w->pool);
    for (size_t i = 0; w->pieces != NULL && i < w->n_pieces; i++) {
        dn_buffer_finish(&w->pieces[i].text);
    }
    dn_sink_close(w->sink);
    dn_stop_finish(&w->stop_waiting);
    if (w->schema.release != NULL) {
        w->schema.release(&w->schema);
    }
    pthread_cond_destroy(&w->done);
    pthread_mutex_destroy(&w->lock);
    dn_free(w->pieces);
    dn_free(w->fields);
    dn_free(w->raw);
    dn_free(w->seen);
    dn_free(w->null_counts);
    dn_free(w->form.null_text);
    dn_free(w->path);
    dn_free(w);
}
