/* Checks of dativo.reader/1 with the rows of --run: whatever the source is, batches are as Arrow wants them. */
#include "cli/conform.h"

#include "arrow/digest.h"
#include "base/memory.h"
#include "base/utf8.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    MANY = 40,     /* readers in a round */
    HELD = 4,      /* batches of one reader that are held at the same time */
    IN_FLIGHT = 16 /* batches that a reader may have had ready when it was cancelled */
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

static const char k_refused[] = "see what the message says: the configuration is that of --run";
static const char k_arrow[] = "compare with examples/plugins/counting_reader.c: schema, buffers, "
                              "validity, null_count, release";

/* With the small file where there is no --run. */
static enum dn_verdict run_open(struct dn_conform *c, struct opened *o)
{
    struct dativo_error e;

    *o = (struct opened){0};
    dn_plugin_error_init(&e);
    if (c->run_config == NULL) {
        const enum dn_verdict v = dn_conform_small_open(c, &o->reader);
        if (v != DN_VERDICT_PASS) {
            return v;
        }
    } else if (c->reader->open(c->run_config, NULL, &o->reader, &e) != DATIVO_OK) {
        return DN_CONFORM_FAIL(c, k_refused, "open() failed: %.300s", e.message);
    }
    if (c->reader->schema(o->reader, &o->schema, &e) != DATIVO_OK) {
        return DN_CONFORM_FAIL(c, k_refused, "schema() failed: %.300s", e.message);
    }
    if (c->reader->stream(o->reader, &o->stream, &e) != DATIVO_OK) {
        return DN_CONFORM_FAIL(c, k_refused, "stream() failed: %.300s", e.message);
    }
    return DN_VERDICT_PASS;
}

const char *dn_conform_column(const struct ArrowSchema *schema, const struct ArrowArray *batch,
                              int64_t i, struct dn_arena *arena, struct dn_node *node,
                              struct dn_column_view *view, struct dn_error *err)
{
    if (dn_schema_get_node(schema, i, arena, node, err) != DN_OK ||
        dn_batch_get_node(batch, i, node, arena, view, err) != DN_OK) {
        return err->message;
    }
    const int64_t told = batch->children[i]->null_count;
    if (dn_column_bad_view(view) >= 0) {
        return "a text lies outside of its buffers";
    }
    if (batch->children[i]->length != batch->length) {
        return "its length is not that of the batch";
    }
    if (told != -1 && batch->offset == 0 && told != view->null_count) {
        return "null_count is not what the bitmap says";
    }
    if (view->null_count > 0 && !node->field.nullable) {
        return "a null, and the schema says there are none";
    }
    for (int64_t row = 0; dn_type_is_text(view->type) && row < view->n_rows; row++) {
        size_t len = 0;
        const uint8_t *text =
            dn_column_is_valid(view, row) ? dn_column_text(view, row, &len) : NULL;
        if (text != NULL && !dn_utf8_is_valid_n(text, len)) {
            return "a text is not UTF-8";
        }
    }
    return NULL;
}

/* NULL, or what is wrong with a column of a batch; adds those of its values that are compared to *digest. */
static const char *column_problem(const struct opened *o, const struct ArrowArray *batch, int64_t i,
                                  int64_t first, uint64_t *digest, struct dn_error *err)
{
    struct dn_arena arena = {0};
    struct dn_node node;
    struct dn_column_view view;
    const int64_t most = DN_CONFORM_ROWS_COMPARED - first;

    const char *problem = dn_conform_column(&o->schema, batch, i, &arena, &node, &view, err);
    if (problem == NULL && !dn_node_is_nested(&node) && node.n_children == 0 && most > 0) {
        const int64_t n = view.n_rows < most ? view.n_rows : most;
        *digest += dn_column_digest(&view, 0, n, (uint64_t)first) * (uint64_t)(2 * i + 1);
    }
    dn_arena_finish(&arena);
    return problem;
}

/* The next batch, looked at and given back; *n_rows 0 at the end.  The digest is that of the rows so far that are compared. */
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
        return DN_CONFORM_FAIL(c, k_refused, "get_next() failed: %.300s",
                               text != NULL ? text : "no text");
    }
    if (batch.release == NULL) {
        return DN_VERDICT_PASS;
    }
    dn_conform_progress(c);
    if (batch.length <= 0 || batch.n_children != o->schema.n_children) {
        v = DN_CONFORM_FAIL(c, k_arrow, "a batch has no rows, or other columns than the schema");
    }
    for (int64_t i = 0; v == DN_VERDICT_PASS && i < batch.n_children; i++) {
        const char *problem = column_problem(o, &batch, i, *n_rows, digest, &err);
        if (problem != NULL) {
            v = DN_CONFORM_FAIL(c, k_arrow,
                                "row %" PRId64 " and further, column \"%.100s\": %.200s",
                                *n_rows + 1, o->schema.children[i]->name, problem);
        }
    }
    *n = batch.length;
    *n_rows += batch.length;
    batch.release(&batch);
    if (v == DN_VERDICT_PASS && batch.release != NULL) {
        v = DN_CONFORM_FAIL(c, k_arrow, "a batch's release callback did not set itself to NULL");
    }
    return v;
}

enum dn_verdict dn_conform_rows_compare(struct dn_conform *c, int64_t n_rows)
{
    return c->rows < 0 || c->rows == n_rows
               ? DN_VERDICT_PASS
               : DN_CONFORM_FAIL(c,
                                 "look at the first row, at the last, and at those where a batch "
                                 "ends: each comes once",
                                 "%" PRId64 " rows expected, by --rows, got %" PRId64, c->rows,
                                 n_rows);
}

/* Nothing forbids them, and files may have them; but jobs, assets and engines find columns by name. */
static const char *names_note(const struct ArrowSchema *schema, char out[200])
{
    out[0] = '\0';
    for (int64_t i = 0; i < schema->n_children; i++) {
        const char *name = schema->children[i]->name;
        if (name == NULL || name[0] == '\0') {
            (void)snprintf(out, 200, "; note: column %" PRId64 " has no name", i + 1);
            return out;
        }
        for (int64_t j = 0; j < i; j++) {
            if (strcmp(schema->children[j]->name, name) == 0) {
                (void)snprintf(out, 200,
                               "; note: columns %" PRId64 " and %" PRId64
                               " are both named \"%.60s\": a Parquet file has the second as "
                               "another one",
                               j + 1, i + 1, name);
                return out;
            }
        }
    }
    return out;
}

static enum dn_verdict rows_come(struct dn_conform *c)
{
    char note[200];
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
    if (v == DN_VERDICT_PASS) {
        v = n_rows == 0
                ? DN_CONFORM_FAIL(c, "see that --run names something with rows", "no rows came")
                : dn_conform_rows_compare(c, n_rows);
    }
    if (v == DN_VERDICT_PASS) {
        (void)snprintf(c->said, sizeof c->said,
                       "%" PRId64 " rows of %" PRId64 " columns in %" PRId64
                       " batches, then the end%s",
                       n_rows, o.schema.n_children, n_batches, names_note(&o.schema, note));
    }
    opened_close(c, &o);
    return v;
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
        const bool is_refused = rows_count(c, &n_two) != DN_VERDICT_PASS;
        c->run_config = one;
        c->remedy = NULL;
        if (is_refused) {
            v = dn_conform_pass(c, "it refuses more than one file");
        } else if (n_two != 2 * n_one) {
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
        v = DN_CONFORM_FAIL(c, k_refused, "there is no first batch");
    }
    if (v == DN_VERDICT_PASS && is_gone) {
        o.stream.release(&o.stream);
        c->reader->close(o.reader);
        o.reader = NULL;
    }
    for (int64_t i = 0; v == DN_VERDICT_PASS && i < batch.n_children; i++) {
        const char *problem = column_problem(&o, &batch, i, 0, digest, &err);
        if (problem != NULL) {
            c->remedy = is_gone ? NULL : k_arrow;
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
            if (n_rows[i] >= DN_CONFORM_ROWS_COMPARED) {
                n_rows[i] = DN_CONFORM_ROWS_COMPARED;
                n[i] = 0;
            }
        }
    }
    opened_close(c, &o[0]);
    opened_close(c, &o[1]);
    return v == DN_VERDICT_PASS && (n_rows[0] != n_rows[1] || digests[0] != digests[1])
               ? dn_conform_fail(c, "two readers that took turns got other rows")
               : v;
}

/* The rows of --run, or of a file that is long enough for many batches. */
static enum dn_verdict many_batches(struct dn_conform *c)
{
    return c->run_config != NULL || dn_conform_small_lengthen(c)
               ? DN_VERDICT_PASS
               : dn_conform_fail(c, "the test file could not be written");
}

/* A batch that is not released yet, and what it held when it came. */
struct held {
    struct ArrowArray batch; /* released: there was none any more */
    uint64_t digest;
};

static enum dn_verdict held_look(struct dn_conform *c, const struct opened *o,
                                 const struct held *held, uint64_t *digest)
{
    struct dn_error err;

    dn_error_clear(&err);
    *digest = 0;
    for (int64_t i = 0; held->batch.release != NULL && i < held->batch.n_children; i++) {
        const char *problem = column_problem(o, &held->batch, i, 0, digest, &err);
        if (problem != NULL) {
            return dn_conform_fail(c, "column \"%.100s\" of a batch that is held: %.200s",
                                   o->schema.children[i]->name, problem);
        }
    }
    return DN_VERDICT_PASS;
}

/* The next batch of each of the readers. */
static enum dn_verdict held_take(struct dn_conform *c, struct opened o[2], struct held held[2])
{
    enum dn_verdict v = DN_VERDICT_PASS;

    for (int i = 0; i < 2 && v == DN_VERDICT_PASS; i++) {
        v = o[i].stream.get_next(&o[i].stream, &held[i].batch) == 0
                ? held_look(c, &o[i], &held[i], &held[i].digest)
                : DN_CONFORM_FAIL(c, "see why: a reader alone gives these rows",
                                  "get_next() failed while batches were held");
    }
    return v;
}

static enum dn_verdict held_again(struct dn_conform *c, const struct opened o[2],
                                  const struct held held[2], int at)
{
    uint64_t digest = 0;
    enum dn_verdict v = DN_VERDICT_PASS;

    for (int i = 0; i < 2 && v == DN_VERDICT_PASS; i++) {
        v = held_look(c, &o[i], &held[i], &digest);
        if (v == DN_VERDICT_PASS && digest != held[i].digest) {
            v = dn_conform_fail(c, "batch %d of a reader held something else once others had come",
                                at + 1);
        }
    }
    return v;
}

enum dn_verdict dn_conform_held_batches(struct dn_conform *c)
{
    struct held held[HELD + 1][2] = {0}; /* with one behind them, for a ring of so many */
    struct opened o[2] = {0};

    enum dn_verdict v = many_batches(c);
    for (int i = 0; i < 2 && v == DN_VERDICT_PASS; i++) {
        v = run_open(c, &o[i]);
    }
    for (int at = 0; at <= HELD && v == DN_VERDICT_PASS; at++) {
        v = held_take(c, o, held[at]);
    }
    for (int at = 0; at <= HELD && v == DN_VERDICT_PASS; at++) {
        v = held_again(c, o, held[at], at);
    }
    for (int at = 0; at <= HELD; at++) {
        for (int i = 0; i < 2; i++) {
            if (held[at][i].batch.release != NULL) {
                held[at][i].batch.release(&held[at][i].batch);
            }
        }
    }
    opened_close(c, &o[0]);
    opened_close(c, &o[1]);
    return v;
}

/* The stream has failed after cancel(): with the error that is due? */
static enum dn_verdict cancel_error(struct dn_conform *c, struct opened *o)
{
    struct dativo_error e;

    dn_plugin_error_init(&e);
    const char *text = o->stream.get_last_error(&o->stream);
    const int32_t code = c->reader->last_error(o->reader, &e);
    if (code == DATIVO_ERR_CANCELLED) {
        return DN_VERDICT_PASS;
    }
    if (code == DATIVO_OK) {
        return DN_CONFORM_FAIL(c, "keep the error in the handle, and return it from last_error()",
                               "after cancel() the stream failed, but last_error() knows nothing");
    }
    return dn_conform_fail(
        c, "after cancel() the stream failed with another error: code %" PRId32 ", %.300s", code,
        e.message[0] != '\0'              ? e.message
        : text != NULL && text[0] != '\0' ? text
                                          : "without a message");
}

/* What comes after cancel(): batches that were ready, and then the error, or, if all were, the end. */
static enum dn_verdict cancel_watch(struct dn_conform *c, struct opened *o, int64_t *n_rows,
                                    bool *is_end)
{
    struct ArrowArray batch = {0};
    int failed = 0;
    int n = 0;

    while (n <= IN_FLIGHT && (failed = o->stream.get_next(&o->stream, &batch)) == 0 &&
           batch.release != NULL) {
        *n_rows += batch.length;
        n++;
        batch.release(&batch);
    }
    *is_end = failed == 0 && n <= IN_FLIGHT;
    return n > IN_FLIGHT
               ? dn_conform_fail(c, "after cancel() the stream went on: %d batches came", n)
           : failed != 0 ? cancel_error(c, o)
                         : DN_VERDICT_PASS;
}

/* The stream has ended without an error: only if these were all the rows. */
static enum dn_verdict cancel_all(struct dn_conform *c, int64_t n_rows)
{
    int64_t n_all = 0;

    const enum dn_verdict v = rows_count(c, &n_all);
    if (v != DN_VERDICT_PASS) {
        return v;
    }
    return n_rows < n_all
               ? DN_CONFORM_FAIL(c,
                                 "fail in get_next(), and return DATIVO_ERR_CANCELLED from "
                                 "last_error(): hosts take an end without an error for all the "
                                 "rows",
                                 "cancel() was told as the end of the data, after %" PRId64
                                 " of %" PRId64 " rows",
                                 n_rows, n_all)
               : dn_conform_pass(c,
                                 "too few batches to tell: all of them came, as if ready before");
}

enum dn_verdict dn_conform_cancelled(struct dn_conform *c)
{
    struct opened o = {0};
    int64_t n_rows = 0;
    int64_t n = 0;
    uint64_t digest = 0;
    bool is_end = false;
    struct dativo_progress progress = {.struct_size = sizeof progress};

    enum dn_verdict v = many_batches(c);
    if (v == DN_VERDICT_PASS) {
        v = run_open(c, &o);
    }
    if (v == DN_VERDICT_PASS) {
        v = batch_take(c, &o, &n_rows, &n, &digest);
    }
    if (v == DN_VERDICT_PASS) {
        c->reader->cancel(o.reader);
        v = cancel_watch(c, &o, &n_rows, &is_end);
        c->reader->progress(o.reader, &progress);
    }
    opened_close(c, &o);
    return is_end ? cancel_all(c, n_rows) : v;
}

/* last_error() behind a stream that was cancelled; of a source that nobody has here, nothing. */
static enum dn_verdict old_last_error(struct dn_conform *c)
{
    struct dn_conform_old_error old;
    struct ArrowArray batch = {0};
    struct opened o;
    enum dn_verdict v = DN_VERDICT_PASS;

    if (run_open(c, &o) == DN_VERDICT_PASS) {
        c->reader->cancel(o.reader);
        while (o.stream.get_next(&o.stream, &batch) == 0 && batch.release != NULL) {
            batch.release(&batch);
            dn_conform_progress(c);
        }
        dn_conform_old_error_init(&old);
        if (c->reader->last_error(o.reader, &old.e) != DATIVO_OK) {
            v = dn_conform_old_error_check(c, &old, "last_error()");
        }
    } else {
        c->remedy = NULL; /* of the small file or of --run: other checks tell */
        c->is_unread = false;
        c->said[0] = '\0';
    }
    opened_close(c, &o);
    return v;
}

enum dn_verdict dn_conform_reader_old_errors(struct dn_conform *c)
{
    struct dn_conform_old_error old;
    void *reader = NULL;

    dn_conform_old_error_init(&old);
    if (c->reader->open("{\"type\": ", NULL, &reader, &old.e) == DATIVO_OK) {
        c->reader->close(reader);
        return dn_conform_skip(c, "open() did not fail");
    }
    const enum dn_verdict v = dn_conform_old_error_check(c, &old, "open()");
    return v == DN_VERDICT_PASS ? old_last_error(c) : v;
}

/* Some are closed before they gave anything, some in the middle. */
enum dn_verdict dn_conform_many_readers(struct dn_conform *c)
{
    enum dn_verdict v = DN_VERDICT_PASS;
    struct dn_conform_left left = {.n = MANY};

    for (int i = 0; v == DN_VERDICT_PASS && dn_conform_left_take(&left, i); i++) {
        struct opened o;
        int64_t n_rows = 0;
        int64_t n = 0;
        uint64_t digest = 0;
        v = run_open(c, &o);
        if (v == DN_VERDICT_PASS && i % 2 == 0) {
            v = batch_take(c, &o, &n_rows, &n, &digest);
        }
        opened_close(c, &o);
    }
    return v == DN_VERDICT_PASS ? dn_conform_left_check(c, &left, "readers") : v;
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
    while (v == DN_VERDICT_PASS && n > 0 && n_rows < DN_CONFORM_ROWS_COMPARED) {
        v = batch_take(c, &o, &n_rows, &n, &digest); /* the parent goes on */
    }
    opened_close(c, &o);
    return v == DN_VERDICT_PASS && n_rows == 0
               ? dn_conform_fail(c, "after a fork() the parent got no rows")
               : v;
}

const struct dn_conform_check dn_conform_reader_run[] = {
    {"the rows of --run come out", rows_come, k_arrow},
    {"of two files come the rows of both, or an error", file_twice,
     "read every entry of files, or refuse more than one: rows that are passed over are lost"},
    {"batches outlive close()", outlives_close,
     "let every batch own what it points to, or hold a reference to it"},
    {"two readers that take turns give the same rows", two_readers,
     "keep all state in the handle: no static variables"},
    {DN_CONFORM_HELD, dn_conform_held_batches, DN_CONFORM_HELD_REMEDY},
    {DN_CONFORM_CANCEL, dn_conform_cancelled, DN_CONFORM_CANCEL_REMEDY},
    {DN_CONFORM_MANY, dn_conform_many_readers, DN_CONFORM_MANY_REMEDY},
    {"a child of fork() gets an error, and its parent the rows", after_fork,
     "keep getpid() of open() in the handle, and fail where it is another one"},
    {NULL, NULL, NULL},
};
