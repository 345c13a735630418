/* The Parquet writer's handles in a child of fork(), at both levels and in the C library. */
#include "faults.h"
#include "forked.h"

#include "dativo/parquet.h"
#include "json/records.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>

static const struct dativo_plugin *plugin;
static const struct dativo_writer_v1 *table;
static char dir[256];
static char path[300];
static char config[1024];
static const char records[] = "{\"records\":[{\"id\":1},{\"id\":2}],\"file_counter\":0}";

static int setup(void **state)
{
    (void)state;
    plugin = dativo_plugin_get(DATIVO_ABI_VERSION, NULL);
    table = plugin->get_extension(DATIVO_EXT_WRITER);
    (void)snprintf(dir, sizeof(dir), "%s/fork-XXXXXX", DN_TEST_TMP);
    if (mkdtemp(dir) == NULL) {
        return -1;
    }
    (void)snprintf(path, sizeof(path), "%s/out.parquet", dir);
    (void)snprintf(config, sizeof(config),
                   "{\"asset_name\":\"t\",\"output_base\":\"%s\",\"path\":\"%s\","
                   "\"schema\":[{\"name\":\"id\",\"type\":\"integer\"}]}",
                   dir, path);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    char list[300];
    (void)snprintf(list, sizeof(list), "%s/.t.run", dir);
    (void)unlink(list);
    (void)unlink(path);
    return rmdir(dir); /* nothing else may be left */
}

static int count_files(void)
{
    int n = 0;
    DIR *list = opendir(dir);
    for (struct dirent *e = list == NULL ? NULL : readdir(list); e != NULL; e = readdir(list)) {
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    }
    if (list != NULL) {
        (void)closedir(list);
    }
    return n;
}

static void make_batch(struct ArrowSchema *schema, struct ArrowArray *batch)
{
    static const struct dn_record_field fields[] = {{"id", DN_TYPE_INIT(INT64), false, NULL}};
    int64_t counter = 0;
    (void)!dn_records_read(records, fields, 1, schema, batch, &counter, NULL);
}

/* ---- Level 1 ---- */

struct level1 {
    void *writer;
    struct ArrowArray batch;
};

static void use_level1(void *arg)
{
    struct level1 *l = arg;
    struct dativo_error err = {.struct_size = sizeof(err)};
    char *manifest = NULL;
    const int n_files = count_files();
    FORKED_CHECK(table->append(l->writer, &l->batch, &err) == DATIVO_ERR_INVALID);
    FORKED_CHECK(l->batch.release == NULL);
    FORKED_CHECK(strstr(err.message, "fork()") != NULL);
    FORKED_CHECK(table->finish(l->writer, &manifest, &err) == DATIVO_ERR_INVALID);
    FORKED_CHECK(table->commit(l->writer, &err) == DATIVO_ERR_INVALID);
    table->abort(l->writer);
    table->close(l->writer);
    FORKED_CHECK(count_files() == n_files); /* the parent's temporary file is still there */
}

static void test_level1(void **state)
{
    struct level1 l = {0};
    struct dativo_error err = {.struct_size = sizeof(err)};
    struct ArrowSchema schema;
    struct ArrowArray batch;
    char *manifest = NULL;
    (void)state;
    make_batch(&schema, &l.batch);
    assert_int_equal(table->open(config, &schema, NULL, &l.writer, &err), DATIVO_OK);
    schema.release(&schema);
    forked_run(use_level1, &l);
    make_batch(&schema, &batch);
    schema.release(&schema);
    assert_int_equal(table->append(l.writer, &batch, &err), DATIVO_OK);
    forked_run(use_level1, &l);
    assert_int_equal(table->append(l.writer, &l.batch, &err), DATIVO_OK);
    assert_int_equal(table->finish(l.writer, &manifest, &err), DATIVO_OK);
    assert_non_null(strstr(manifest, "\"record_count\":4"));
    plugin->free_text(manifest);
    make_batch(&schema, &l.batch);
    schema.release(&schema);
    forked_run(use_level1, &l);
    l.batch.release(&l.batch);
    assert_int_equal(table->commit(l.writer, &err), DATIVO_OK);
    table->close(l.writer);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(unlink(path), 0);
}

/* ---- Level 0 ---- */

static void use_level0(void *writer)
{
    for (int i = 0; i < 2; i++) {
        const char *text = write_batch(writer, records);
        FORKED_CHECK(is_error_text(text) && strstr(text, "fork()") != NULL);
        free_string(text);
        text = commit_files(writer, NULL);
        FORKED_CHECK(is_error_text(text));
        free_string(text);
    }
    free_writer(writer);
}

static void test_level0(void **state)
{
    char file[400];
    (void)state;
    void *writer = create_writer(config);
    for (int i = 0; i < 3; i++) {
        char text[128];
        forked_run(use_level0, writer);
        (void)snprintf(text, sizeof(text), "{\"records\":[{\"id\":%d}],\"file_counter\":%d}", i, i);
        const char *answer = write_batch(writer, text);
        assert_false(is_error_text(answer));
        free_string(answer);
    }
    free_writer(writer);
    assert_int_equal(count_files(), 4); /* and the list of the run */
    for (int i = 0; i < 3; i++) {
        (void)snprintf(file, sizeof(file), "%s/t_00000%d.parquet", dir, i);
        assert_int_equal(unlink(file), 0);
    }
}

/* ---- the C library ---- */

static void use_library(void *arg)
{
    struct dn_parquet_writer *w = arg;
    struct ArrowSchema schema;
    struct ArrowArray batch;
    struct dn_error err;
    char *manifest = NULL;
    const int n_files = count_files();
    make_batch(&schema, &batch);
    FORKED_CHECK(dn_parquet_append(w, &batch, &err) == DN_ERR_INVALID && batch.release == NULL);
    FORKED_CHECK(strstr(err.message, "fork()") != NULL);
    FORKED_CHECK(dn_parquet_finish(w, &err) == DN_ERR_INVALID);
    FORKED_CHECK(dn_parquet_manifest(w, &manifest, &err) == DN_ERR_INVALID);
    FORKED_CHECK(dn_parquet_commit(w, &err) == DN_ERR_INVALID);
    dn_parquet_close(w);
    FORKED_CHECK(count_files() == n_files);
}

static void test_library(void **state)
{
    struct dn_parquet_writer *w = NULL;
    struct ArrowSchema schema;
    struct ArrowArray batch;
    (void)state;
    make_batch(&schema, &batch);
    assert_int_equal(dn_parquet_writer_open(&w, path, &schema, NULL, NULL), DN_OK);
    schema.release(&schema);
    forked_run(use_library, w);
    assert_int_equal(dn_parquet_append(w, &batch, NULL), DN_OK);
    forked_run(use_library, w);
    assert_int_equal(dn_parquet_finish(w, NULL), DN_OK);
    forked_run(use_library, w);
    assert_int_equal(dn_parquet_commit(w, NULL), DN_OK);
    forked_run(use_library, w);
    dn_parquet_close(w);
    assert_int_equal(unlink(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_level1),
        cmocka_unit_test(test_level0),
        cmocka_unit_test(test_library),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
