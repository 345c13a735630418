/* The Parquet writer's tables of Level 1 as a host uses them. */
#include "faults.h"
#include "services.h"

#include "json/records.h"

#include <errno.h>
#include <sys/stat.h>

static const struct dativo_plugin *plugin;
static const struct dativo_writer_v1 *table;
static const struct dativo_inspector_v1 *inspector;
static char path[256];
static char config[512];

static const char records[] =
    "[{\"id\":1,\"name\":\"a\"},{\"id\":2,\"name\":null},{\"id\":3,\"name\":\"c\"}]";

static int setup(void **state)
{
    (void)state;
    plugin = dativo_plugin_get(DATIVO_ABI_VERSION, NULL);
    table = plugin->get_extension(DATIVO_EXT_WRITER);
    inspector = plugin->get_extension(DATIVO_EXT_INSPECTOR);
    (void)snprintf(path, sizeof(path), "%s/writer_level1.parquet", DN_TEST_TMP);
    (void)snprintf(config, sizeof(config),
                   "{\"path\":\"%s\",\"engine\":{\"options\":{\"compression\":\"zstd\"}}}\xff",
                   path);
    return 0;
}

static int remove_file(void **state)
{
    (void)state;
    (void)unlink(path);
    return 0;
}

static void make_batch(struct ArrowSchema *schema, struct ArrowArray *batch)
{
    static const struct dn_record_field fields[] = {{"id", DN_TYPE_INIT(INT64), true, NULL},
                                                    {"name", DN_TYPE_INIT(UTF8_VIEW), false, NULL}};
    int64_t counter = 0;
    assert_int_equal(dn_records_read(records, fields, 2, schema, batch, &counter, NULL), DN_OK);
}

static void *open_writer(const struct dativo_host *host)
{
    struct dativo_error err = {.struct_size = sizeof(err)};
    struct ArrowSchema schema;
    struct ArrowArray batch;
    void *writer = NULL;
    make_batch(&schema, &batch);
    batch.release(&batch);
    if (table->open(config, &schema, host, &writer, &err) != DATIVO_OK) {
        print_error("%s\n", err.message);
    }
    schema.release(&schema); /* borrowed for the call only */
    assert_non_null(writer);
    return writer;
}

static void append_one(void *writer, int32_t expected)
{
    struct dativo_error err = {.struct_size = sizeof(err)};
    struct ArrowSchema schema;
    struct ArrowArray batch;
    make_batch(&schema, &batch);
    assert_int_equal(table->append(writer, &batch, &err), expected);
    assert_null(batch.release); /* moved whatever happens */
    assert_true(expected == DATIVO_OK || err.message[0] != '\0');
    schema.release(&schema);
}

static bool is_there(void)
{
    return access(path, F_OK) == 0;
}

static void test_write(void **state)
{
    (void)state;
    struct dativo_error err = {.struct_size = sizeof(err)};
    char *manifest = NULL;
    char *description = NULL;
    struct stat info;
    void *writer = open_writer(NULL);

    append_one(writer, DATIVO_OK);
    append_one(writer, DATIVO_OK);
    assert_int_equal(table->finish(writer, &manifest, &err), DATIVO_OK);
    assert_false(is_there());
    assert_int_equal(table->commit(writer, &err), DATIVO_OK);
    assert_true(is_there());
    assert_int_equal(table->commit(writer, &err), DATIVO_ERR_INVALID);
    table->abort(writer); /* too late as well: the file stays */
    table->close(writer);
    assert_int_equal(stat(path, &info), 0);

    json_t *list = json_loads(manifest, 0, NULL);
    const json_t *file = json_array_get(list, 0);
    assert_int_equal(json_array_size(list), 1);
    assert_string_equal(json_string_value(json_object_get(file, "path")), path);
    assert_int_equal(json_integer_value(json_object_get(file, "size_bytes")), info.st_size);
    assert_int_equal(json_integer_value(json_object_get(file, "record_count")), 6);
    const json_t *column = json_array_get(json_object_get(file, "columns"), 0);
    assert_string_equal(json_string_value(json_object_get(column, "name")), "id");
    assert_int_equal(json_integer_value(json_object_get(column, "null_count")), 0);
    json_decref(list);
    plugin->free_text(manifest);

    assert_int_equal(inspector->inspect(path, NULL, &description, &err), DATIVO_OK);
    json_t *described = json_loads(description, 0, NULL);
    assert_non_null(described);
    assert_int_equal(json_integer_value(json_object_get(described, "record_count")), 6);
    assert_null(json_object_get(described, "rows"));
    json_decref(described);
    plugin->free_text(description);
    assert_int_equal(inspector->inspect(path, "{\"rows\":2}", &description, &err), DATIVO_OK);
    described = json_loads(description, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(described, "rows")), 2);
    const json_t *row = json_array_get(json_object_get(described, "rows"), 1);
    assert_int_equal(json_integer_value(json_object_get(row, "id")), 2);
    assert_true(json_is_null(json_object_get(row, "name")));
    json_decref(described);
    plugin->free_text(description);
}

/* ---- batches that no producer should make ---- */

static struct {
    int64_t ids[3];
    struct dn_string_view names[3]; /* the second is null */
    uint8_t ids_valid, names_valid;
    int64_t text_len;
    const void *texts[1];
    void *writer;
    struct ArrowArray batch;
} stranger;

static void open_for_stranger(void)
{
    static const struct dn_field fields[] = {{"id", DN_TYPE_INIT(INT64), false},
                                             {"name", DN_TYPE_INIT(UTF8_VIEW), true}};
    static const char text[] = "a text that is too long for its view";
    struct dativo_error err = {.struct_size = sizeof(err)};
    struct ArrowSchema schema;

    memset(&stranger, 0, sizeof(stranger));
    stranger.ids_valid = 0x07;
    stranger.names_valid = 0x05;
    stranger.text_len = (int64_t)sizeof(text) - 1;
    stranger.texts[0] = text;
    stranger.names[0].len = 3;
    memcpy(stranger.names[0].u.inlined, "abc", 3);
    memset(&stranger.names[1], 0xff, sizeof(stranger.names[1]));
    stranger.names[2].len = (int32_t)stranger.text_len;
    memcpy(stranger.names[2].u.ref.prefix, text, 4);
    assert_int_equal(dn_schema_make(&schema, fields, 2, NULL), DN_OK);
    assert_int_equal(table->open(config, &schema, NULL, &stranger.writer, &err), DATIVO_OK);
    schema.release(&schema);

    const struct dn_batch_column columns[] = {
        {.type = DN_TYPE_INIT(INT64), .validity = &stranger.ids_valid, .values = stranger.ids},
        {.type = DN_TYPE_INIT(UTF8_VIEW),
         .validity = &stranger.names_valid, /* with a count that denies the null */
         .values = stranger.names,
         .variadic = stranger.texts,
         .variadic_lens = &stranger.text_len,
         .n_variadic = 1},
    };
    assert_int_equal(dn_batch_export(&stranger.batch, 3, 2, columns, NULL, NULL, NULL), DN_OK);
}

/* The writer must refuse the batch, and everything behind it. */
static void refuse_stranger(const char *column, int64_t row)
{
    struct dativo_error err = {.struct_size = sizeof(err)};
    char *manifest = NULL;

    assert_int_equal(table->append(stranger.writer, &stranger.batch, &err), DATIVO_ERR_DATA);
    assert_null(stranger.batch.release);
    assert_string_equal(err.column, column);
    assert_int_equal(err.row, row);
    assert_int_equal(table->finish(stranger.writer, &manifest, &err), DATIVO_ERR_DATA);
    assert_int_equal(table->commit(stranger.writer, &err), DATIVO_ERR_DATA);
    table->close(stranger.writer);
    assert_false(is_there());
}

static void test_wrong_views_are_refused(void **state)
{
    (void)state;
    open_for_stranger();
    stranger.names[2].u.ref.buffer = 77;
    refuse_stranger("name", 3);
    open_for_stranger();
    stranger.names[2].u.ref.offset = 1;
    refuse_stranger("name", 3);
    open_for_stranger();
    stranger.names[0].len = -5;
    refuse_stranger("name", 1);
}

static void test_the_first_wrong_row_is_named(void **state)
{
    (void)state;
    open_for_stranger();
    stranger.ids_valid = 0x03;
    refuse_stranger("id", 3);
    open_for_stranger();
    stranger.ids_valid = 0x03;
    stranger.names[0].len = -5; /* in a later column */
    refuse_stranger("name", 1);
    open_for_stranger();
    stranger.ids_valid = 0x03;
    stranger.names[2].u.ref.offset = -1; /* in the same row */
    refuse_stranger("id", 3);
}

/* What is under a null may be anything, and that there is one is seen even if the count denies it. */
static void test_nulls_are_seen(void **state)
{
    (void)state;
    struct dativo_error err = {.struct_size = sizeof(err)};
    char *manifest = NULL;

    open_for_stranger();
    assert_int_equal(table->append(stranger.writer, &stranger.batch, &err), DATIVO_OK);
    assert_int_equal(table->finish(stranger.writer, &manifest, &err), DATIVO_OK);
    assert_int_equal(table->commit(stranger.writer, &err), DATIVO_OK);
    table->close(stranger.writer);
    json_t *list = json_loads(manifest, 0, NULL);
    const json_t *columns = json_object_get(json_array_get(list, 0), "columns");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(columns, 1), "null_count")),
                     1);
    json_decref(list);
    plugin->free_text(manifest);
}

static void test_inspect_errors(void **state)
{
    (void)state;
    struct dativo_error err = {.struct_size = sizeof(err)};
    char *description = NULL;
    assert_int_equal(inspector->inspect("/no/such/file", NULL, &description, &err),
                     DATIVO_ERR_NOT_FOUND);
    assert_null(description);
    assert_int_equal(inspector->inspect(__FILE__, "{\"rows\":-1}", &description, &err),
                     DATIVO_ERR_INVALID);
    assert_int_equal(inspector->inspect(__FILE__, "[]", &description, &err), DATIVO_ERR_INVALID);
    assert_int_equal(inspector->inspect(__FILE__, "{", &description, &err), DATIVO_ERR_CONFIG);
    assert_int_not_equal(inspector->inspect(__FILE__, NULL, &description, &err), DATIVO_OK);
    assert_true(err.message[0] != '\0');
}

static void test_verify(void **state)
{
    (void)state;
    struct dativo_error err = {.struct_size = sizeof(err)};
    char *said = NULL;
    char *manifest = NULL;
    void *writer = open_writer(NULL);

    append_one(writer, DATIVO_OK);
    assert_int_equal(table->finish(writer, &manifest, &err), DATIVO_OK);
    assert_int_equal(table->commit(writer, &err), DATIVO_OK);
    table->close(writer);
    plugin->free_text(manifest);
    assert_int_equal(inspector->verify(path, "{\"threads\":2,\"findings\":1}", &said, &err),
                     DATIVO_OK);
    json_t *file = json_loads(said, 0, NULL);
    assert_non_null(file);
    assert_int_equal(json_integer_value(json_object_get(file, "errors")), 0);
    assert_int_equal(json_array_size(json_object_get(file, "findings")), 0);
    assert_true(json_integer_value(json_object_get(file, "values")) > 0);
    json_decref(file);
    plugin->free_text(said);

    /* findings are no failure, and at most so many are listed */
    assert_int_equal(inspector->verify("/proc/self/exe", "{\"findings\":1}", &said, &err),
                     DATIVO_OK);
    file = json_loads(said, 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(file, "errors")), 2);
    assert_int_equal(json_array_size(json_object_get(file, "findings")), 1);
    json_decref(file);
    plugin->free_text(said);

    assert_int_equal(inspector->verify("/no/such/file", NULL, &said, &err), DATIVO_ERR_NOT_FOUND);
    assert_null(said);
    assert_int_equal(inspector->verify(path, "{\"threads\":-1}", &said, &err), DATIVO_ERR_INVALID);
    assert_int_equal(inspector->verify(path, "[]", &said, &err), DATIVO_ERR_INVALID);
    assert_int_equal(inspector->verify(path, "{", &said, &err), DATIVO_ERR_CONFIG);
}

/* Neither abort nor close without a commit leaves anything. */
static void test_abort(void **state)
{
    (void)state;
    struct dativo_error err = {.struct_size = sizeof(err)};
    char *manifest = NULL;
    void *writer = open_writer(NULL);
    append_one(writer, DATIVO_OK);
    table->abort(writer);
    append_one(writer, DATIVO_ERR_INVALID);
    assert_int_equal(table->finish(writer, &manifest, &err), DATIVO_ERR_INVALID);
    assert_int_equal(table->commit(writer, &err), DATIVO_ERR_INVALID);
    table->abort(writer);
    table->close(writer);
    assert_false(is_there());

    writer = open_writer(NULL);
    append_one(writer, DATIVO_OK);
    assert_int_equal(table->finish(writer, &manifest, &err), DATIVO_OK);
    plugin->free_text(manifest);
    table->close(writer);
    assert_false(is_there());
    table->close(NULL);
    table->abort(NULL);
}

static int batch_get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    struct ArrowArray batch;
    (void)stream;
    make_batch(out, &batch);
    batch.release(&batch);
    return 0;
}

static int other_get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    static const struct dn_field fields[] = {{"id", DN_TYPE_INIT(INT64), true},
                                             {"name", DN_TYPE_INIT(BOOL), true}};
    (void)stream;
    return dn_schema_make(out, fields, 2, NULL) == DN_OK ? 0 : ENOMEM;
}

static int batch_get_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    int *left = stream->private_data;
    struct ArrowSchema schema;
    *out = (struct ArrowArray){0};
    if (*left < 0) {
        return EIO;
    }
    if (*left > 0) {
        make_batch(&schema, out);
        schema.release(&schema);
        --*left;
    }
    return 0;
}

static const char *batch_last_error(struct ArrowArrayStream *stream)
{
    (void)stream;
    return "the disk is on fire";
}

static void test_append_stream(void **state)
{
    (void)state;
    struct dativo_error err = {.struct_size = sizeof(err)};
    char *manifest = NULL;
    int left = 5;
    struct ArrowArrayStream stream = {.get_schema = batch_get_schema,
                                      .get_next = batch_get_next,
                                      .get_last_error = batch_last_error,
                                      .private_data = &left};
    void *writer = open_writer(NULL);
    assert_int_equal(table->append_stream(writer, &stream, &err), DATIVO_OK);
    assert_int_equal(left, 0);
    assert_int_equal(table->finish(writer, &manifest, &err), DATIVO_OK);
    assert_non_null(strstr(manifest, "\"record_count\":15"));
    plugin->free_text(manifest);
    assert_int_equal(table->commit(writer, &err), DATIVO_OK);
    table->close(writer);
    assert_true(is_there());
}

/* Whatever the stream did not give is missing from the file: there is none. */
static void check_broken_stream(struct ArrowArrayStream *stream, int32_t code, const char *said)
{
    struct dativo_error err = {.struct_size = sizeof(err)};
    char *manifest = NULL;
    void *writer = open_writer(NULL);
    append_one(writer, DATIVO_OK);
    assert_int_equal(table->append_stream(writer, stream, &err), code);
    assert_non_null(strstr(err.message, said));
    append_one(writer, code);
    assert_int_equal(table->finish(writer, &manifest, &err), code);
    assert_null(manifest);
    assert_int_equal(table->commit(writer, &err), code);
    assert_non_null(strstr(err.message, said));
    table->close(writer);
    assert_false(is_there());
}

static void test_broken_streams(void **state)
{
    (void)state;
    int left = -1;
    struct ArrowArrayStream stream = {.get_schema = batch_get_schema,
                                      .get_next = batch_get_next,
                                      .get_last_error = batch_last_error,
                                      .private_data = &left};
    check_broken_stream(&stream, DATIVO_ERR_DATA, "the disk is on fire");
    stream.get_schema = other_get_schema;
    left = 1;
    check_broken_stream(&stream, DATIVO_ERR_INVALID, "'name'");
    assert_int_equal(left, 1);
}

static void test_existing_file(void **state)
{
    (void)state;
    struct dativo_error err = {.struct_size = sizeof(err)};
    struct ArrowSchema schema;
    struct ArrowArray batch;
    void *writer = NULL;
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
    make_batch(&schema, &batch);
    batch.release(&batch);
    assert_int_equal(table->open(config, &schema, NULL, &writer, &err), DATIVO_ERR_EXISTS);
    assert_null(writer);
    assert_non_null(strstr(err.path, "writer_level1.parquet"));
    schema.release(&schema);
}

static void check_open_fails(const char *text, int32_t code)
{
    struct dativo_error err = {.struct_size = sizeof(err)};
    struct ArrowSchema schema;
    struct ArrowArray batch;
    void *writer = NULL;
    make_batch(&schema, &batch);
    batch.release(&batch);
    assert_int_equal(table->open(text, &schema, NULL, &writer, &err), code);
    assert_null(writer);
    assert_true(err.message[0] != '\0');
    assert_int_equal(table->open(text, &schema, NULL, &writer, NULL), code);
    schema.release(&schema);
}

static void test_open_errors(void **state)
{
    (void)state;
    check_open_fails(NULL, DATIVO_ERR_CONFIG);
    check_open_fails("{}", DATIVO_ERR_CONFIG);
    check_open_fails("{\"path\":5}", DATIVO_ERR_CONFIG);
    check_open_fails("{\"path\":\"gs://b/x.parquet\"}", DATIVO_ERR_UNSUPPORTED);
    check_open_fails("{\"path\":\"x.parquet\",\"file_format\":\"csv\"}", DATIVO_ERR_UNSUPPORTED);
    check_open_fails("{\"path\":\"x.parquet\",\"engine\":{\"options\":{\"compresion\":1}}}",
                     DATIVO_ERR_CONFIG);
}

static void test_host_threads(void **state)
{
    (void)state;
    struct services s = {0};
    struct dn_pool *pool = NULL;
    struct dativo_error err = {.struct_size = sizeof(err)};
    char *manifest = NULL;
    assert_int_equal(dn_pool_create(&pool, 2, NULL), DN_OK);
    s.executor = dn_pool_executor(pool);
    const struct dativo_host host = {
        .struct_size = sizeof(host), .n_threads = 2, .ctx = &s, .submit = service_submit};
    void *writer = open_writer(&host);
    append_one(writer, DATIVO_OK);
    assert_int_equal(table->finish(writer, &manifest, &err), DATIVO_OK);
    assert_true(atomic_load(&s.n_tasks) > 0);
    assert_int_equal(table->commit(writer, &err), DATIVO_OK);
    plugin->free_text(manifest);
    table->close(writer);
    dn_pool_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_write, remove_file),
        cmocka_unit_test_setup(test_wrong_views_are_refused, remove_file),
        cmocka_unit_test_setup(test_the_first_wrong_row_is_named, remove_file),
        cmocka_unit_test_setup(test_nulls_are_seen, remove_file),
        cmocka_unit_test_setup(test_inspect_errors, remove_file),
        cmocka_unit_test_setup(test_verify, remove_file),
        cmocka_unit_test_setup(test_abort, remove_file),
        cmocka_unit_test_setup(test_append_stream, remove_file),
        cmocka_unit_test_setup(test_broken_streams, remove_file),
        cmocka_unit_test_setup(test_existing_file, remove_file),
        cmocka_unit_test_setup(test_open_errors, remove_file),
        cmocka_unit_test_setup(test_host_threads, remove_file),
    };
    return cmocka_run_group_tests(tests, setup, remove_file);
}
