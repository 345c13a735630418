/* All orders of calls on a Parquet writer, of Level 1 and of the C library, against a model of what may be the answer. */
#include "dativo/parquet.h"
#include "faults.h"
#include "json/records.h"

#include "scratch.h"

#include <errno.h>
#include <sys/stat.h>

enum call {
    APPEND,
    APPEND_BAD, /* a null in a required column */
    STREAM,
    STREAM_OTHER,  /* of another schema */
    STREAM_BROKEN, /* fails behind one batch */
    FINISH,
    COMMIT,
    ABORT,
    N_CALLS
};

static const char *const names[] = {"append",        "append-bad", "stream", "stream-other",
                                    "stream-broken", "finish",     "commit", "abort"};

enum {
    DEEP = 3, /* all orders of so many calls */
    LONG = 7, /* and some of so many */
    N_LONG = 250,
    ROWS_PER_BATCH = 2
};

static const struct dativo_plugin *plugin;
static const struct dativo_writer_v1 *table;
static struct ArrowSchema schema;
static char path[256];
static char config[512];

static const struct dn_record_field fields[] = {{"id", DN_TYPE_INIT(INT64), true, NULL},
                                                {"name", DN_TYPE_INIT(UTF8_VIEW), false, NULL}};

static int setup(void **state)
{
    struct ArrowArray batch;
    int64_t counter = 0;
    (void)state;
    plugin = dativo_plugin_get(DATIVO_ABI_VERSION, NULL);
    table = plugin->get_extension(DATIVO_EXT_WRITER);
    (void)snprintf(path, sizeof(path), "%s/writer_states.parquet", DN_TEST_TMP);
    (void)snprintf(config, sizeof(config),
                   "{\"path\":\"%s\",\"engine\":{\"options\":{\"n_threads\":1}}}", path);
    (void)unlink(path);
    assert_int_equal(dn_records_read("[{\"id\":1}]", fields, 2, &schema, &batch, &counter, NULL),
                     DN_OK);
    batch.release(&batch);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    schema.release(&schema);
    return 0;
}

static void make_batch(struct ArrowArray *batch, bool good)
{
    struct ArrowSchema unused;
    struct dn_record_field loose[2] = {fields[0], fields[1]};
    int64_t counter = 0;
    loose[0].required = false;
    assert_int_equal(
        dn_records_read(good ? "[{\"id\":1},{\"id\":2}]" : "[{\"id\":1},{\"id\":null}]", loose, 2,
                        &unused, batch, &counter, NULL),
        DN_OK);
    unused.release(&unused);
}

/* ---- a stream that does what it is told ---- */

struct source {
    bool other;
    bool breaks;
    int left;
};

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    static const struct dn_field others[] = {{"id", DN_TYPE_INIT(INT64), false},
                                             {"name", DN_TYPE_INIT(BOOL), true}};
    const struct source *s = stream->private_data;
    return (s->other ? dn_schema_make(out, others, 2, NULL) : dn_schema_copy(out, &schema, NULL)) ==
                   DN_OK
               ? 0
               : ENOMEM;
}

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    struct source *s = stream->private_data;
    *out = (struct ArrowArray){0};
    if (s->left-- > 0) {
        make_batch(out, true);
        return 0;
    }
    return s->breaks ? EIO : 0;
}

static const char *get_last_error(struct ArrowArrayStream *stream)
{
    (void)stream;
    return "the cable is cut";
}

/* ---- the two interfaces as one ---- */

struct writer {
    bool is_plugin;
    void *handle;
};

struct said {
    int32_t code;
    char message[1024];
};

static void open_writer(struct writer *w)
{
    struct dativo_error err = {.struct_size = sizeof(err)};
    const struct dn_parquet_options options = {.struct_size = sizeof(options), .n_threads = 1};
    struct dn_parquet_writer *own = NULL;
    if (w->is_plugin) {
        assert_int_equal(table->open(config, &schema, NULL, &w->handle, &err), DATIVO_OK);
        return;
    }
    assert_int_equal(dn_parquet_writer_open(&own, path, &schema, &options, NULL), DN_OK);
    w->handle = own;
}

static int32_t call_plugin(void *handle, enum call call, struct ArrowArray *batch,
                           struct dativo_error *err)
{
    struct source source = {call == STREAM_OTHER, call == STREAM_BROKEN, 1};
    struct ArrowArrayStream stream = {get_schema, get_next, get_last_error, NULL, &source};
    char *manifest = NULL;
    int32_t code = DATIVO_OK;
    switch (call) {
    case APPEND:
    case APPEND_BAD:
        return table->append(handle, batch, err);
    case STREAM:
    case STREAM_OTHER:
    case STREAM_BROKEN:
        return table->append_stream(handle, &stream, err);
    case FINISH:
        code = table->finish(handle, &manifest, err);
        assert_true((code == DATIVO_OK) == (manifest != NULL));
        plugin->free_text(manifest);
        return code;
    case COMMIT:
        return table->commit(handle, err);
    case ABORT:
    case N_CALLS:
        break;
    }
    table->abort(handle);
    return DATIVO_OK;
}

static int32_t call_library(void *handle, enum call call, struct ArrowArray *batch,
                            struct dn_error *err)
{
    switch (call) {
    case APPEND:
    case APPEND_BAD:
        return (int32_t)dn_parquet_append(handle, batch, err);
    case FINISH:
        return (int32_t)dn_parquet_finish(handle, err);
    default:
        assert_int_equal(call, COMMIT);
        return (int32_t)dn_parquet_commit(handle, err);
    }
}

static struct said say(const struct writer *w, enum call call)
{
    struct said said = {0};
    struct ArrowArray batch = {0};
    if (call == APPEND || call == APPEND_BAD) {
        make_batch(&batch, call == APPEND);
    }
    if (w->is_plugin) {
        struct dativo_error err = {.struct_size = sizeof(err)};
        said.code = call_plugin(w->handle, call, &batch, &err);
        memcpy(said.message, err.message, sizeof(said.message));
    } else {
        struct dn_error err = {0};
        said.code = call_library(w->handle, call, &batch, &err);
        memcpy(said.message, err.message, sizeof(said.message));
    }
    assert_null(batch.release); /* moved, whatever happens */
    return said;
}

/* ---- the model ---- */

struct model {
    struct said first; /* failure */
    int64_t n_rows;
    bool finished;
    bool committed;
    bool aborted;
};

/* Whether the call succeeds where nothing has failed yet. */
static bool model_call(struct model *m, enum call call)
{
    const bool takes_rows = !m->finished && !m->aborted;
    switch (call) {
    case APPEND:
    case STREAM:
        m->n_rows += takes_rows ? ROWS_PER_BATCH : 0;
        return takes_rows;
    case FINISH:
        m->finished = m->finished || takes_rows;
        return takes_rows;
    case COMMIT:
        if (!m->finished || m->aborted || m->committed) {
            return false;
        }
        m->committed = true;
        return true;
    default:
        return false;
    }
}

static int64_t rows_of_file(void)
{
    struct dn_error err = {0};
    char *text = NULL;
    if (access(path, F_OK) != 0) {
        return -1;
    }
    assert_int_equal(dn_parquet_inspect(path, 0, &text, &err), DN_OK);
    json_t *root = json_loads(text, 0, NULL);
    const int64_t n_rows = json_integer_value(json_object_get(root, "record_count"));
    json_decref(root);
    dn_parquet_free(text);
    return n_rows;
}

static void check_order(bool is_plugin, const enum call *calls, size_t n)
{
    struct writer w = {.is_plugin = is_plugin};
    struct model m = {0};
    open_writer(&w);
    for (size_t i = 0; i < n; i++) {
        const struct said said = say(&w, calls[i]);
        if (calls[i] == ABORT) {
            m.aborted = m.aborted || !m.committed;
        } else if (m.first.code != DATIVO_OK) {
            assert_int_equal(said.code, m.first.code);
            assert_string_equal(said.message, m.first.message);
        } else if (model_call(&m, calls[i])) {
            assert_int_equal(said.code, DATIVO_OK);
        } else {
            assert_int_not_equal(said.code, DATIVO_OK);
            assert_true(said.message[0] != '\0');
            m.first = said;
        }
        assert_true(m.committed || rows_of_file() < 0);
    }
    if (is_plugin) {
        table->close(w.handle);
    } else {
        dn_parquet_close(w.handle);
    }
    assert_int_equal(rows_of_file(), m.committed ? m.n_rows : -1);
    (void)unlink(path);
}

static void run(bool is_plugin, const enum call *some, size_t n_some, const size_t *picks, size_t n)
{
    enum call calls[LONG];
    char order[256] = "";
    for (size_t i = 0; i < n; i++) {
        calls[i] = some[picks[i] % n_some];
        (void)strcat(strcat(order, names[calls[i]]), " ");
    }
    print_message("%s\n", order); /* seen where a test fails */
    check_order(is_plugin, calls, n);
}

static void check_orders(bool is_plugin, const enum call *some, size_t n_some)
{
    uint64_t random = 6;
    size_t picks[LONG] = {0};
    size_t n_deep = 1;
    for (int i = 0; i < DEEP; i++) {
        n_deep *= n_some;
    }
    for (size_t number = 0; number < n_deep; number++) {
        size_t rest = number;
        for (int i = 0; i < DEEP; i++, rest /= n_some) {
            picks[i] = rest % n_some;
        }
        run(is_plugin, some, n_some, picks, DEEP);
    }
    for (int number = 0; number < N_LONG; number++) {
        for (int i = 0; i < LONG; i++) {
            picks[i] = (size_t)scratch_random(&random);
        }
        run(is_plugin, some, n_some, picks, LONG);
    }
}

static void test_plugin(void **state)
{
    static const enum call all[] = {APPEND,        APPEND_BAD, STREAM, STREAM_OTHER,
                                    STREAM_BROKEN, FINISH,     COMMIT, ABORT};
    (void)state;
    check_orders(true, all, N_CALLS);
}

static void test_library(void **state)
{
    static const enum call some[] = {APPEND, APPEND_BAD, FINISH, COMMIT};
    (void)state;
    check_orders(false, some, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plugin),
        cmocka_unit_test(test_library),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
