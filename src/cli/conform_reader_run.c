/* Checks of dativo.reader/1 with the rows of --run: whatever the source is, batches are as Arrow wants them. */
#include "cli/conform.h"

#include "arrow/digest.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "job/json_text.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    MANY = 64 /* readers, one after the other */
};

/* A reader of the configuration with its stream, or why there is none. */
struct opened {
    void *reader;
    struct ArrowSchema schema;
    struct ArrowArrayStream stream;
};

static void opened_close(struct dn_conform *c, struct opened *o)
{
    if (o->stream.release != NULL) {
        o->stream.release(&o->stream);
    }
    if (o->schema.release != NULL) {
        o->schema.release(&o->schema);
    }
    if (o->reader != NULL) {
        c->reader->close(o->reader);
    }
    *o = (struct opened){0};
}

static enum dn_verdict run_open(struct dn_conform *c, struct opened *o)
{
    struct dativo_error e;

    *o = (struct opened){0};
    dn_plugin_error_init(&e);
    if (c->reader->open(c->run_config, NULL, &o->reader, &e) != DATIVO_OK) {
        return dn_conform_fail(c, "open() failed: %.300s", e.message);
    }
    if (c->reader->schema(o->reader, &o->schema, &e) != DATIVO_OK) {
        return dn_conform_fail(c, "schema() failed: %.300s", e.message);
    }
    if (c->reader->stream(o->reader, &o->stream, &e) != DATIVO_OK) {
        return dn_conform_fail(c, "stream() failed: %.300s", e.message);
    }
    return DN_VERDICT_PASS;
}

/* NULL, or what is wrong with a column of a batch; adds its values to *digest. */
static const char *column_problem(const struct opened *o, const struct ArrowArray *batch, int64_t i,
                                  int64_t first, uint64_t *digest, struct dn_error *err)
{
    const int64_t told = batch->children[i]->null_count;
    struct dn_arena arena = {0};
    struct dn_node node;
    struct dn_column_view view;
    const char *problem = NULL;

    if (dn_schema_get_node(&o->schema, i, &arena, &node, err) != DN_OK ||
        dn_batch_get_node(batch, i, &node, &arena, &view, err) != DN_OK) {
        problem = err->message;
    } else if (dn_column_bad_view(&view) >= 0) {
        problem = "a text lies outside of its buffers";
    } else if (batch->children[i]->length != batch->length) {
        problem = "its length is not that of the batch";
    } else if (told != -1 && batch->offset == 0 && told != view.null_count) {
        problem = "null_count is not what the bitmap says";
    } else if (view.null_count > 0 && !node.field.nullable) {
        problem = "a null, and the schema says there are none";
    }
    const bool is_text = problem == NULL && dn_type_is_text(view.type);
    for (int64_t row = 0; is_text && problem == NULL && row < view.n_rows; row++) {
        size_t len = 0;
        const uint8_t *text =
            dn_column_is_valid(&view, row) ? dn_column_text(&view, row, &len) : NULL;
        if (text != NULL && !dn_utf8_is_valid_n(text, len)) {
            problem = "a text is not UTF-8";
        }
    }
    if (problem == NULL && !dn_node_is_nested(&node) && node.n_children == 0) {
        *digest += dn_column_digest(&view, 0, view.n_rows, (uint64_t)first) * (uint64_t)(2 * i + 1);
    }
    dn_arena_finish(&arena);
    return problem;
}

/* The next batch, looked at and given back; *n_rows 0 at the end.  The digest is that of all rows so far. */
static enum dn_verdict batch_take(struct dn_conform *c, struct opened *o, int64_t *n_rows,
                                  int64_t *n, uint64_t *digest)
{
    struct ArrowArray batch = {0};
    enum dn_verdict v = DN_VERDICT_PASS;
    struct dn_error err;

    dn_error_clear(&err);
    *n = 0;
    if (o->stream.get_next(&o->stream, &batch) != 0) {
        const char *text = o->stream.get_last_error(&o->stream);
        return dn_conform_fail(c, "get_next() failed: %.300s", text != NULL ? text : "no text");
    }
    if (batch.release == NULL) {
        return DN_VERDICT_PASS;
    }
    if (batch.length <= 0 || batch.n_children != o->schema.n_children) {
        v = dn_conform_fail(c, "a batch has no rows, or other columns than the schema");
    }
    for (int64_t i = 0; v == DN_VERDICT_PASS && i < batch.n_children; i++) {
        const char *problem = column_problem(o, &batch, i, *n_rows, digest, &err);
        if (problem != NULL) {
            v = dn_conform_fail(c, "row %" PRId64 " and further, column \"%.100s\": %.200s",
                                *n_rows + 1, o->schema.children[i]->name, problem);
        }
    }
    *n = batch.length;
    *n_rows += batch.length;
    batch.release(&batch);
    if (v == DN_VERDICT_PASS && batch.release != NULL) {
        v = dn_conform_fail(c, "a batch's release callback did not set itself to NULL");
    }
    return v;
}

static enum dn_verdict rows_come(struct dn_conform *c)
{
    struct opened o;
    int64_t n_rows = 0;
    int64_t n_batches = 0;
    int64_t n = 0;
    uint64_t digest = 0;

    enum dn_verdict v = run_open(c, &o);
    while (v == DN_VERDICT_PASS &&
           (v = batch_take(c, &o, &n_rows, &n, &digest)) == DN_VERDICT_PASS && n > 0) {
        n_batches++;
    }
    if (v == DN_VERDICT_PASS) {
        v = batch_take(c, &o, &n_rows, &n, &digest);
    }
    if (v == DN_VERDICT_PASS && n > 0) {
        v = dn_conform_fail(c, "get_next() after the end is not the end again");
    }
    if (v == DN_VERDICT_PASS && n_rows == 0) {
        v = dn_conform_fail(c, "no rows came");
    }
    if (v == DN_VERDICT_PASS) {
        (void)snprintf(c->said, sizeof c->said,
                       "%" PRId64 " rows of %" PRId64 " columns in %" PRId64
                       " batches, then the end",
                       n_rows, o.schema.n_children, n_batches);
    }
    opened_close(c, &o);
    return v;
}

char *dn_conform_file_twice(const char *config)
{
    json_t *root = json_loads(config, JSON_DISABLE_EOF_CHECK, NULL);
    json_t *files = json_object_get(root, "files");
    char *out = NULL;

    if (json_array_size(files) == 1 && json_array_append(files, json_array_get(files, 0)) == 0) {
        out = dn_json_dump(root, 0);
    }
    json_decref(root);
    return out;
}

static enum dn_verdict rows_count(struct dn_conform *c, int64_t *n_rows)
{
    struct opened o;
    int64_t n = 1;
    uint64_t digest = 0;

    *n_rows = 0;
    enum dn_verdict v = run_open(c, &o);
    while (v == DN_VERDICT_PASS && n > 0) {
        v = batch_take(c, &o, n_rows, &n, &digest);
    }
    opened_close(c, &o);
    return v;
}

static enum dn_verdict file_twice(struct dn_conform *c)
{
    const char *one = c->run_config;
    char *two = dn_conform_file_twice(one);
    int64_t n_one = 0;
    int64_t n_two = 0;

    if (two == NULL) {
        return dn_conform_skip(c, "the configuration has not one file");
    }
    enum dn_verdict v = rows_count(c, &n_one);
    if (v == DN_VERDICT_PASS) {
        c->run_config = two;
        const bool is_refused = rows_count(c, &n_two) != DN_VERDICT_PASS; /* said: why */
        c->run_config = one;
        if (!is_refused && n_two != 2 * n_one) {
            v = dn_conform_fail(c, "%" PRId64 " rows, and of the file twice %" PRId64, n_one,
                                n_two);
        }
    }
    dn_free(two);
    return v;
}

/* What the first batch of a reader holds, looked at while the reader is there, or when it is gone. */
static enum dn_verdict first_batch(struct dn_conform *c, bool is_gone, uint64_t *digest)
{
    struct opened o;
    struct ArrowArray batch = {0};
    struct dn_error err;

    dn_error_clear(&err);
    *digest = 0;
    enum dn_verdict v = run_open(c, &o);
    if (v == DN_VERDICT_PASS &&
        (o.stream.get_next(&o.stream, &batch) != 0 || batch.release == NULL)) {
        v = dn_conform_fail(c, "there is no first batch");
    }
    if (v == DN_VERDICT_PASS && is_gone) {
        o.stream.release(&o.stream);
        c->reader->close(o.reader);
        o.reader = NULL;
    }
    for (int64_t i = 0; v == DN_VERDICT_PASS && i < batch.n_children; i++) {
        const char *problem = column_problem(&o, &batch, i, 0, digest, &err);
        if (problem != NULL) {
            v = dn_conform_fail(c, "column \"%.100s\": %.200s", o.schema.children[i]->name,
                                problem);
        }
    }
    if (batch.release != NULL) {
        batch.release(&batch);
    }
    opened_close(c, &o);
    return v;
}

static enum dn_verdict outlives_close(struct dn_conform *c)
{
    uint64_t digests[2];

    enum dn_verdict v = first_batch(c, false, &digests[0]);
    if (v == DN_VERDICT_PASS) {
        v = first_batch(c, true, &digests[1]);
    }
    return v == DN_VERDICT_PASS && digests[0] != digests[1]
               ? dn_conform_fail(c, "after close() the batch holds something else")
               : v;
}

static enum dn_verdict two_readers(struct dn_conform *c)
{
    struct opened o[2] = {0};
    int64_t n_rows[2] = {0};
    int64_t n[2] = {1, 1};
    uint64_t digests[2] = {0};

    enum dn_verdict v = run_open(c, &o[0]);
    if (v == DN_VERDICT_PASS) {
        v = run_open(c, &o[1]);
    }
    while (v == DN_VERDICT_PASS && (n[0] > 0 || n[1] > 0)) {
        for (int i = 0; i < 2 && v == DN_VERDICT_PASS; i++) {
            v = n[i] > 0 ? batch_take(c, &o[i], &n_rows[i], &n[i], &digests[i]) : v;
        }
    }
    opened_close(c, &o[0]);
    opened_close(c, &o[1]);
    return v == DN_VERDICT_PASS && (n_rows[0] != n_rows[1] || digests[0] != digests[1])
               ? dn_conform_fail(c, "two readers that took turns got other rows")
               : v;
}

static enum dn_verdict cancelled(struct dn_conform *c)
{
    struct opened o;
    int64_t n_rows = 0;
    int64_t n = 0;
    uint64_t digest = 0;
    struct dativo_error e;
    struct dativo_progress progress = {.struct_size = sizeof progress};
    struct ArrowArray batch = {0};

    enum dn_verdict v = run_open(c, &o);
    if (v == DN_VERDICT_PASS) {
        v = batch_take(c, &o, &n_rows, &n, &digest);
    }
    if (v != DN_VERDICT_PASS) {
        opened_close(c, &o);
        return v;
    }
    c->reader->cancel(o.reader);
    dn_plugin_error_init(&e);
    int failed = 0;
    while ((failed = o.stream.get_next(&o.stream, &batch)) == 0 && batch.release != NULL) {
        batch.release(&batch); /* what was ready may still come */
    }
    if (failed != 0 && c->reader->last_error(o.reader, &e) != DATIVO_ERR_CANCELLED) {
        v = dn_conform_fail(c, "after cancel() the stream failed with another error: %.300s",
                            e.message);
    }
    c->reader->progress(o.reader, &progress);
    opened_close(c, &o);
    return v;
}

/* Some are closed before they gave anything, some in the middle. */
static enum dn_verdict many_readers(struct dn_conform *c)
{
    enum dn_verdict v = DN_VERDICT_PASS;
    int before = 0;

    for (int i = 0; i < MANY && v == DN_VERDICT_PASS; i++) {
        struct opened o;
        int64_t n_rows = 0;
        int64_t n = 0;
        uint64_t digest = 0;
        v = run_open(c, &o);
        if (v == DN_VERDICT_PASS && i % 2 == 0) {
            v = batch_take(c, &o, &n_rows, &n, &digest);
        }
        opened_close(c, &o);
        before = i == 1 ? dn_conform_files_open() : before; /* what is open for good is open now */
    }
    const int left = dn_conform_files_open() - before;
    return v == DN_VERDICT_PASS && left > 0
               ? dn_conform_fail(c, "%d readers left %d files open", MANY - 2, left)
               : v;
}

/* What a child of fork() is told; 0: all is as it should be. */
static int child_of_fork(const struct dn_conform *c, struct opened *o)
{
    struct ArrowArray batch = {0};
    const int failed = o->stream.get_next(&o->stream, &batch);

    c->reader->cancel(o->reader);
    c->reader->close(o->reader);
    return failed != 0 && batch.release == NULL ? 0 : 1;
}

static enum dn_verdict after_fork(struct dn_conform *c)
{
    struct opened o;
    int64_t n_rows = 0;
    int64_t n = 1;
    uint64_t digest = 0;
    int status = 0;

    enum dn_verdict v = run_open(c, &o);
    const pid_t pid = v == DN_VERDICT_PASS ? fork() : -1;
    if (pid == 0) {
        _exit(child_of_fork(c, &o));
    }
    if (v == DN_VERDICT_PASS && pid < 0 && errno == ENOSYS) {
        opened_close(c, &o);
        return dn_conform_skip(c, "this system has no fork()");
    }
    if (pid > 0 && waitpid(pid, &status, 0) == pid && status != 0) {
        v = WIFEXITED(status) ? dn_conform_fail(c, "a child of fork() got rows of its parent")
                              : dn_conform_fail(c, "a child of fork() crashed");
    }
    while (v == DN_VERDICT_PASS && n > 0) {
        v = batch_take(c, &o, &n_rows, &n, &digest); /* the parent goes on */
    }
    opened_close(c, &o);
    return v == DN_VERDICT_PASS && n_rows == 0
               ? dn_conform_fail(c, "after a fork() the parent got no rows")
               : v;
}

const struct dn_conform_check dn_conform_reader_run[] = {
    {"the rows of --run come out", rows_come,
     "compare with examples/plugins/counting_reader.c: schema, buffers, validity, null_count, "
     "release"},
    {"of two files come the rows of both, or an error", file_twice,
     "read every entry of files, or refuse more than one: rows that are passed over are lost"},
    {"batches outlive close()", outlives_close,
     "let every batch own what it points to, or hold a reference to it"},
    {"two readers that take turns give the same rows", two_readers,
     "keep all state in the handle: no static variables"},
    {"cancel() ends the stream", cancelled,
     "look at the flag that cancel() sets before every batch, and fail with DATIVO_ERR_CANCELLED"},
    {"readers that are gone leave no files open", many_readers,
     "close in close() all that the handle opened"},
    {"a child of fork() gets an error, and its parent the rows", after_fork,
     "keep getpid() of open() in the handle, and fail where it is another one"},
    {NULL, NULL, NULL},
};
