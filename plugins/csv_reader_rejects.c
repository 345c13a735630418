#include "csv_reader_rejects.h"

#include "arrow/builder.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "store/source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define N_COLUMNS 8
#define HEAD "file,line,row,byte,column,code,expected,raw\n"
#define ENOUGH_BYTES ((size_t)1 << 20) /* of rows that wait for the file */
#define FIRST_SIZE 640

/* The columns, of the file and of the stream. */
#define TEXT(name, nullable)                                                                       \
    {                                                                                              \
        .field = { name, {.id = DN_TYPE_UTF8}, nullable }                                          \
    }
#define NUMBER(name)                                                                               \
    {                                                                                              \
        .field = { name, {.id = DN_TYPE_INT64}, false }                                            \
    }
static const struct dn_node nodes[N_COLUMNS] = {
    TEXT("file", false),  NUMBER("line"),      NUMBER("row"),          NUMBER("byte"),
    TEXT("column", true), TEXT("code", false), TEXT("expected", true), TEXT("raw", false),
};

/* Rows on their way; a batch owns one. */
struct table {
    struct dn_builder columns[N_COLUMNS];
    int64_t n_rows;
};

struct csv_rejects {
    struct table *for_file; /* NULL: nobody wants them */
    struct table *for_stream;
    struct dn_csv_writer *file;
    struct dn_buffer scratch;
    bool streamed;
    bool ended;
    char first[FIRST_SIZE];
    enum dn_status status; /* of the first call that failed */
    struct dn_error error;
};

static void table_free(void *arg)
{
    struct table *t = arg;

    for (int i = 0; t != NULL && i < N_COLUMNS; i++) {
        dn_builder_finish(&t->columns[i]);
    }
    dn_free(t);
}

static enum dn_status table_make(struct table **out, struct dn_error *err)
{
    struct table *t = dn_calloc(1, sizeof(*t));

    if (t == NULL) {
        return dn_error_memory(err, sizeof(*t));
    }
    for (int i = 0; i < N_COLUMNS; i++) {
        const enum dn_status st = dn_builder_init(&t->columns[i], &nodes[i], err);
        if (st != DN_OK) {
            table_free(t);
            return st;
        }
    }
    *out = t;
    return DN_OK;
}

static size_t table_size(const struct table *t)
{
    size_t n = 0;

    for (int i = 0; i < N_COLUMNS; i++) {
        n += dn_builder_size(&t->columns[i]);
    }
    return n;
}

/* As a batch; *t begins anew. */
static enum dn_status table_export(struct table **t, struct ArrowArray *out, struct dn_error *err)
{
    struct dn_batch_column columns[N_COLUMNS];
    struct table *full = *t;
    struct table *empty = NULL;

    DN_TRY(table_make(&empty, err));
    *t = empty;
    for (int i = 0; i < N_COLUMNS; i++) {
        const enum dn_status st = dn_builder_describe(&full->columns[i], &columns[i], err);
        if (st != DN_OK) {
            table_free(full);
            return st;
        }
    }
    const enum dn_status st =
        dn_batch_export(out, full->n_rows, N_COLUMNS, columns, table_free, full, err);
    if (st != DN_OK) {
        table_free(full);
    }
    return st;
}

/* The text with U+FFFD for what is no UTF-8. */
static enum dn_status put_text(struct csv_rejects *r, struct dn_builder *column,
                               const uint8_t *text, size_t len, struct dn_error *err)
{
    struct dn_buffer *b = &r->scratch;
    size_t at = 0;

    if (dn_utf8_is_valid_n(text, len)) {
        return dn_builder_bytes(column, text, len, err);
    }
    dn_buffer_reset(b);
    while (at < len) {
        bool valid;
        const size_t n = dn_utf8_next(text + at, len - at, &valid);
        DN_TRY(dn_buffer_append(b, valid ? (const void *)(text + at) : "\xef\xbf\xbd",
                                valid ? n : 3, err));
        at += n;
    }
    return dn_builder_bytes(column, b->data, b->len, err);
}

static enum dn_status put_word(struct csv_rejects *r, struct dn_builder *column, const char *text,
                               struct dn_error *err)
{
    return text == NULL || text[0] == '\0'
               ? dn_builder_null(column, err)
               : put_text(r, column, (const uint8_t *)text, strlen(text), err);
}

static enum dn_status table_add(struct csv_rejects *r, struct table *t,
                                const struct dn_csv_reject *x, struct dn_error *err)
{
    struct dn_builder *c = t->columns;

    DN_TRY(put_text(r, &c[0], (const uint8_t *)x->path, strlen(x->path), err));
    DN_TRY(dn_builder_fixed(&c[1], &x->line, err));
    DN_TRY(dn_builder_fixed(&c[2], &x->row, err));
    DN_TRY(dn_builder_fixed(&c[3], &x->byte_offset, err));
    DN_TRY(put_word(r, &c[4], x->column, err));
    DN_TRY(put_text(r, &c[5], (const uint8_t *)x->code, strlen(x->code), err));
    DN_TRY(put_word(r, &c[6], x->expected, err));
    DN_TRY(put_text(r, &c[7], x->raw, x->raw_len, err));
    t->n_rows++;
    return DN_OK;
}

static enum dn_status flush(struct csv_rejects *r, struct dn_error *err)
{
    struct ArrowArray batch = {0};

    if (r->for_file->n_rows == 0) {
        return DN_OK;
    }
    DN_TRY(table_export(&r->for_file, &batch, err));
    return dn_csv_writer_append(r->file, &batch, err);
}

static enum dn_status add(struct csv_rejects *r, const struct dn_csv_reject *reject,
                          struct dn_error *err)
{
    if (r->for_stream != NULL) {
        DN_TRY(table_add(r, r->for_stream, reject, err));
    }
    if (r->for_file == NULL) {
        return DN_OK;
    }
    DN_TRY(table_add(r, r->for_file, reject, err));
    return table_size(r->for_file) > ENOUGH_BYTES ? flush(r, err) : DN_OK;
}

void csv_rejects_add(void *rejects, const struct dn_csv_reject *reject)
{
    struct csv_rejects *r = rejects;

    if (r->first[0] == '\0') {
        (void)snprintf(r->first, sizeof(r->first), "%.250s, line %lld: %.300s", reject->path,
                       (long long)reject->line, reject->message);
    }
    if (r->status == DN_OK) {
        r->status = add(r, reject, &r->error);
    }
}

const char *csv_rejects_first(const struct csv_rejects *r)
{
    return r != NULL && r->first[0] != '\0' ? r->first : NULL;
}

bool csv_rejects_streamed(const struct csv_rejects *r)
{
    return r != NULL && r->streamed;
}

enum dn_status csv_rejects_check(const struct csv_rejects *r, struct dn_error *err)
{
    if (r->status != DN_OK && err != NULL) {
        *err = r->error;
    }
    return r->status;
}

/* ---- the file ---- */

/* A file of that name may be replaced if it is what an earlier run set aside: it could be anything, the source itself too. */
static enum dn_status check_name(const char *path, const struct dn_store_options *store,
                                 struct dn_error *err)
{
    struct dn_source *source = NULL;
    char head[sizeof(HEAD)] = "";
    size_t got = 0;

    enum dn_status st = dn_source_open(&source, path, store, NULL, err);
    if (st == DN_ERR_NOT_FOUND) {
        dn_error_clear(err);
        return DN_OK;
    }
    if (st == DN_OK) {
        st = dn_source_read(source, head, sizeof(head) - 1, &got, err);
    }
    dn_source_close(source);
    if (st == DN_OK && strcmp(head, HEAD) != 0) {
        char shown[DN_SHOWN_PATH_SIZE];
        st = dn_error_set(err, DN_ERR_EXISTS,
                          "%s exists and is no list of rejected rows, which alone would be "
                          "replaced: choose another name with the option rejects, or remove it",
                          dn_source_shown_path(shown, path));
    }
    return dn_error_option(err, st, "rejects");
}

static enum dn_status open_file(struct csv_rejects *r, const char *path,
                                const struct dn_store_options *store, struct dn_error *err)
{
    const struct dn_csv_write_options options = {
        .struct_size = sizeof(options), .overwrite = true, .n_threads = 1, .store = store};
    struct ArrowSchema schema = {0};

    DN_TRY(check_name(path, store, err));
    DN_TRY(table_make(&r->for_file, err));
    DN_TRY(dn_schema_make_nodes(&schema, nodes, N_COLUMNS, err));
    const enum dn_status st = dn_csv_writer_open(&r->file, path, &schema, &options, err);
    schema.release(&schema);
    return st;
}

enum dn_status csv_rejects_create(struct csv_rejects **out, const char *path,
                                  const struct dn_store_options *store, struct dn_error *err)
{
    struct csv_rejects *r = dn_calloc(1, sizeof(*r));

    *out = r;
    if (r == NULL) {
        return dn_error_memory(err, sizeof(*r));
    }
    return path != NULL ? open_file(r, path, store, err) : DN_OK;
}

enum dn_status csv_rejects_end(struct csv_rejects *r, struct dn_error *err)
{
    DN_TRY(csv_rejects_check(r, err));
    r->ended = true;
    if (r->file == NULL) {
        return DN_OK;
    }
    DN_TRY(flush(r, err));
    DN_TRY(dn_csv_writer_finish(r->file, err));
    return dn_csv_writer_commit(r->file, err);
}

void csv_rejects_destroy(struct csv_rejects *r)
{
    if (r != NULL) {
        dn_csv_writer_close(r->file);
        table_free(r->for_file);
        table_free(r->for_stream);
        dn_buffer_finish(&r->scratch);
        dn_free(r);
    }
}

/* ---- the stream ---- */

static int code_of(enum dn_status st)
{
    return st == DN_OK ? 0 : st == DN_ERR_MEMORY ? ENOMEM : EIO;
}

static int stream_get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    struct csv_rejects *r = stream->private_data;

    return code_of(dn_schema_make_nodes(out, nodes, N_COLUMNS, &r->error));
}

/* What came since the last call; without rows if nothing did, and the end once there is nothing to come. */
static int stream_get_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    struct csv_rejects *r = stream->private_data;

    *out = (struct ArrowArray){0};
    if (r->status == DN_OK && !(r->ended && r->for_stream->n_rows == 0)) {
        r->status = table_export(&r->for_stream, out, &r->error);
    }
    return code_of(r->status);
}

static const char *stream_get_last_error(struct ArrowArrayStream *stream)
{
    const struct csv_rejects *r = stream->private_data;

    return r->error.message[0] != '\0' ? r->error.message : NULL;
}

static void stream_release(struct ArrowArrayStream *stream)
{
    stream->private_data = NULL; /* the reader has it */
    stream->release = NULL;
}

enum dn_status csv_rejects_stream(struct csv_rejects *r, struct ArrowArrayStream *out,
                                  struct dn_error *err)
{
    if (r->streamed) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "a reader has one stream of rejected rows and it was taken already");
    }
    DN_TRY(table_make(&r->for_stream, err));
    r->streamed = true;
    *out = (struct ArrowArrayStream){
        .get_schema = stream_get_schema,
        .get_next = stream_get_next,
        .get_last_error = stream_get_last_error,
        .release = stream_release,
        .private_data = r,
    };
    return DN_OK;
}
