/* Checks of dativo.writer/1 and dativo.inspector/1. */
#include "cli/conform.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Three rows in static memory: release() has only to mark itself as called. */
static const int64_t k_ids[] = {1, 2, 3};
static const int32_t k_offsets[] = {0, 3, 3, 8};
static const char k_text[] = "oneth\xc3\xa9"
                             "e";
static const uint8_t k_valid[] = {0x05}; /* the second name is null */

static void schema_release(struct ArrowSchema *schema)
{
    for (int64_t i = 0; i < schema->n_children; i++) {
        if (schema->children[i]->release != NULL) {
            schema->children[i]->release(schema->children[i]);
        }
    }
    schema->release = NULL;
}

static void array_release(struct ArrowArray *array)
{
    for (int64_t i = 0; i < array->n_children; i++) {
        if (array->children[i]->release != NULL) {
            array->children[i]->release(array->children[i]);
        }
    }
    array->release = NULL;
}

struct sample {
    struct ArrowSchema columns[2];
    struct ArrowSchema *column_list[2];
    struct ArrowSchema schema;
    struct ArrowArray arrays[2];
    struct ArrowArray *array_list[2];
    struct ArrowArray batch;
    const void *id_buffers[2];
    const void *name_buffers[3];
    const void *no_buffers[1];
};

static void sample_init(struct sample *s)
{
    *s = (struct sample){0};
    s->columns[0] = (struct ArrowSchema){.format = "l", .name = "id", .release = schema_release};
    s->columns[1] = (struct ArrowSchema){
        .format = "u", .name = "name", .flags = ARROW_FLAG_NULLABLE, .release = schema_release};
    s->id_buffers[1] = k_ids;
    s->name_buffers[0] = k_valid;
    s->name_buffers[1] = k_offsets;
    s->name_buffers[2] = k_text;
    s->arrays[0] = (struct ArrowArray){
        .length = 3, .n_buffers = 2, .buffers = s->id_buffers, .release = array_release};
    s->arrays[1] = (struct ArrowArray){.length = 3,
                                       .null_count = 1,
                                       .n_buffers = 3,
                                       .buffers = s->name_buffers,
                                       .release = array_release};
    for (size_t i = 0; i < 2; i++) {
        s->column_list[i] = &s->columns[i];
        s->array_list[i] = &s->arrays[i];
    }
    s->schema = (struct ArrowSchema){.format = "+s",
                                     .name = "",
                                     .n_children = 2,
                                     .children = s->column_list,
                                     .release = schema_release};
    s->batch = (struct ArrowArray){.length = 3,
                                   .n_buffers = 1,
                                   .buffers = s->no_buffers,
                                   .n_children = 2,
                                   .children = s->array_list,
                                   .release = array_release};
}

static const char *config_make(const struct dn_conform *c, char *out, size_t size, const char *path,
                               const char *options)
{
    (void)snprintf(
        out, size,
        "{\"asset_name\":\"conform\",\"schema\":[{\"name\":\"id\",\"type\":\"integer\","
        "\"required\":true},"
        "{\"name\":\"name\",\"type\":\"string\"}],\"output_base\":\"%s\",\"target_type\":\"local\","
        "\"connection\":{},\"engine\":{\"type\":\"native\",\"options\":"
        "%s},"
        "\"path\":\"%s\"}",
        c->dir, options, path);
    return out;
}

static enum dn_verdict expect_open_error(struct dn_conform *c, const char *config, const char *what)
{
    struct dativo_error e;
    struct sample s;
    void *writer = NULL;

    sample_init(&s);
    dn_plugin_error_init(&e);
    const int32_t code = c->writer->open(config, &s.schema, NULL, &writer, &e);
    if (code == DATIVO_OK) {
        c->writer->close(writer);
        return dn_conform_fail(c, "open() accepted %s", what);
    }
    if (writer != NULL) {
        return dn_conform_fail(c, "open() failed on %s, but set a handle", what);
    }
    if (e.message[0] == '\0') {
        return dn_conform_fail(c, "open() failed on %s without a message", what);
    }
    (void)snprintf(c->said, sizeof c->said, "%.300s", e.message);
    return DN_VERDICT_PASS;
}

static enum dn_verdict members(struct dn_conform *c)
{
    const struct dativo_writer_v1 *w = c->writer;

    if (!DN_PLUGIN_HAS(w, open) || !DN_PLUGIN_HAS(w, append) || !DN_PLUGIN_HAS(w, append_stream) ||
        !DN_PLUGIN_HAS(w, finish) || !DN_PLUGIN_HAS(w, commit) || !DN_PLUGIN_HAS(w, abort) ||
        !DN_PLUGIN_HAS(w, close)) {
        return dn_conform_fail(
            c, "open, append, append_stream, finish, commit, abort or close is missing");
    }
    return DN_VERDICT_PASS;
}

static enum dn_verdict bad_json(struct dn_conform *c)
{
    return expect_open_error(c, "{\"asset_name\": ", "a configuration that is not JSON");
}

static enum dn_verdict unwritable(struct dn_conform *c)
{
    char path[512];
    char config[2048];

    if (!dn_conform_file(c, "in-file", "not a directory")) {
        return dn_conform_fail(c, "the test file could not be written");
    }
    dn_conform_path(c, "in-file/out.parquet", path);
    return expect_open_error(c, config_make(c, config, sizeof config, path, "{}"),
                             "a path below a file");
}

static enum dn_verdict unknown_option(struct dn_conform *c)
{
    char path[512];
    char config[2048];

    dn_conform_path(c, "out.parquet", path);
    return expect_open_error(
        c, config_make(c, config, sizeof config, path, "{\"compresion\":\"zstd\"}"),
        "an unknown option");
}

static enum dn_verdict close_null(struct dn_conform *c)
{
    c->writer->close(NULL);
    return DN_VERDICT_PASS;
}

/* Open and append the three rows; the batch is the writer's afterwards. */
static enum dn_verdict start(struct dn_conform *c, struct sample *s, const char *path,
                             void **writer)
{
    char config[2048];
    struct dativo_error e;

    sample_init(s);
    dn_plugin_error_init(&e);
    if (c->writer->open(config_make(c, config, sizeof config, path, "{}"), &s->schema, NULL, writer,
                        &e) != DATIVO_OK) {
        return dn_conform_fail(c, "open() failed: %.300s", e.message);
    }
    if (c->writer->append(*writer, &s->batch, &e) != DATIVO_OK) {
        c->writer->close(*writer);
        return dn_conform_fail(c, "append() failed: %.300s", e.message);
    }
    return DN_VERDICT_PASS;
}

static const char *manifest_problem(const char *text, int64_t *size_bytes)
{
    const char *problem = NULL;

    json_t *manifest = json_loads(text != NULL ? text : "", JSON_ALLOW_NUL, NULL);
    const json_t *file = json_array_get(manifest, 0);
    if (json_array_size(manifest) != 1) {
        problem = "the manifest is not a list with one file";
    } else if (json_integer_value(json_object_get(file, "record_count")) != 3) {
        problem = "the manifest does not count 3 rows";
    } else if (!json_is_string(json_object_get(file, "path")) ||
               !json_is_integer(json_object_get(file, "size_bytes"))) {
        problem = "the manifest lacks path or size_bytes";
    }
    *size_bytes = json_integer_value(json_object_get(file, "size_bytes"));
    json_decref(manifest);
    return problem;
}

static enum dn_verdict finish_and_commit(struct dn_conform *c, void *writer, const char *path)
{
    struct dativo_error e;
    struct stat info;
    char *text = NULL;
    int64_t size = 0;

    dn_plugin_error_init(&e);
    if (c->writer->finish(writer, &text, &e) != DATIVO_OK) {
        return dn_conform_fail(c, "finish() failed: %.300s", e.message);
    }
    const char *problem = manifest_problem(text, &size);
    c->plugin.api->free_text(text);
    if (problem != NULL) {
        return dn_conform_fail(c, "%s", problem);
    }
    if (access(path, F_OK) == 0) {
        return dn_conform_fail(c, "the file has its final name before commit()");
    }
    if (c->writer->commit(writer, &e) != DATIVO_OK) {
        return dn_conform_fail(c, "commit() failed: %.300s", e.message);
    }
    if (stat(path, &info) != 0 || (int64_t)info.st_size != size) {
        return dn_conform_fail(c,
                               "after commit() the file is missing, or not of the manifest's size");
    }
    (void)snprintf(c->said, sizeof c->said, "3 rows, %" PRId64 " bytes", size);
    return DN_VERDICT_PASS;
}

static enum dn_verdict inspected(struct dn_conform *c, const char *path)
{
    struct dativo_error e;
    char *text = NULL;

    if (c->inspector == NULL) {
        return DN_VERDICT_PASS;
    }
    dn_plugin_error_init(&e);
    if (c->inspector->inspect(path, "{\"rows\":3}", &text, &e) != DATIVO_OK) {
        return dn_conform_fail(c, "the plugin's own inspector cannot read the file: %.300s",
                               e.message);
    }
    json_t *file = json_loads(text != NULL ? text : "", JSON_ALLOW_NUL, NULL);
    c->plugin.api->free_text(text);
    const json_t *rows = json_object_get(file, "rows");
    const char *name = json_string_value(json_object_get(json_array_get(rows, 2), "name"));
    const bool good = json_integer_value(json_object_get(file, "record_count")) == 3 &&
                      json_array_size(rows) == 3 &&
                      json_integer_value(json_object_get(json_array_get(rows, 2), "id")) == 3 &&
                      name != NULL &&
                      strcmp(name, "th\xc3\xa9"
                                   "e") == 0;
    json_decref(file);
    return good ? DN_VERDICT_PASS
                : dn_conform_fail(c, "the inspector does not see the rows that were written");
}

static enum dn_verdict small_table(struct dn_conform *c)
{
    struct sample s;
    char path[512];
    void *writer = NULL;

    dn_conform_path(c, "out.parquet", path);
    enum dn_verdict v = start(c, &s, path, &writer);
    if (v != DN_VERDICT_PASS) {
        return v;
    }
    v = finish_and_commit(c, writer, path);
    c->writer->close(writer);
    if (v == DN_VERDICT_PASS && s.batch.release != NULL) {
        v = dn_conform_fail(c, "the batch was not released");
    }
    if (v == DN_VERDICT_PASS && dn_conform_count_outputs(c) != 1) {
        v = dn_conform_fail(c, "files are left beside the output");
    }
    return v == DN_VERDICT_PASS ? inspected(c, path) : v;
}

static enum dn_verdict leaves_nothing(struct dn_conform *c, bool with_abort)
{
    struct sample s;
    char path[512];
    void *writer = NULL;

    dn_conform_path(c, "out.parquet", path);
    enum dn_verdict v = start(c, &s, path, &writer);
    if (v != DN_VERDICT_PASS) {
        return v;
    }
    if (with_abort) {
        c->writer->abort(writer);
    }
    c->writer->close(writer);
    const int left = dn_conform_count_outputs(c);
    return left == 0
               ? DN_VERDICT_PASS
               : dn_conform_fail(c, "%d file%s left behind", left, left == 1 ? " is" : "s are");
}

static enum dn_verdict aborted(struct dn_conform *c)
{
    return leaves_nothing(c, true);
}

static enum dn_verdict closed(struct dn_conform *c)
{
    return leaves_nothing(c, false);
}

static enum dn_verdict existing(struct dn_conform *c)
{
    static const char before[] = "precious";
    struct dativo_error e;
    struct sample s;
    char path[512];
    char config[2048];
    char now[16] = "";
    char *text = NULL;
    void *writer = NULL;

    dn_conform_path(c, "out.parquet", path);
    if (!dn_conform_file(c, "out.parquet", before)) {
        return dn_conform_fail(c, "the test file could not be written");
    }
    sample_init(&s);
    dn_plugin_error_init(&e);
    int32_t code = c->writer->open(config_make(c, config, sizeof config, path, "{}"), &s.schema,
                                   NULL, &writer, &e);
    if (code == DATIVO_OK) { /* then commit() must refuse */
        if (c->writer->append(writer, &s.batch, &e) == DATIVO_OK &&
            c->writer->finish(writer, &text, &e) == DATIVO_OK) {
            code = c->writer->commit(writer, &e);
        }
        c->plugin.api->free_text(text);
        c->writer->close(writer);
    }
    FILE *file = fopen(path, "r");
    const size_t len = file != NULL ? fread(now, 1, sizeof now - 1, file) : 0;
    if (file != NULL) {
        (void)fclose(file);
    }
    if (code == DATIVO_OK || len != sizeof before - 1 || memcmp(now, before, len) != 0) {
        return dn_conform_fail(c, "an existing file was replaced without \"overwrite\"");
    }
    (void)snprintf(c->said, sizeof c->said, "%.300s", e.message);
    return DN_VERDICT_PASS;
}

static enum dn_verdict not_a_file(struct dn_conform *c)
{
    struct dativo_error e;
    char path[512];
    char *text = NULL;

    dn_conform_path(c, "in-nonsense", path);
    if (!dn_conform_file(c, "in-nonsense", "this is not a data file at all")) {
        return dn_conform_fail(c, "the test file could not be written");
    }
    dn_plugin_error_init(&e);
    if (c->inspector->inspect(path, NULL, &text, &e) == DATIVO_OK) {
        c->plugin.api->free_text(text);
        return dn_conform_fail(c, "the inspector described a file of nonsense");
    }
    (void)snprintf(c->said, sizeof c->said, "%.300s", e.message);
    return e.message[0] != '\0' ? DN_VERDICT_PASS : dn_conform_fail(c, "no message");
}

const struct dn_conform_check dn_conform_writer[] = {
    {"the table has every required function", members,
     "fill in every function of the table that the header does not call optional"},
    {"a configuration that is not JSON is an error", bad_json,
     "return a DATIVO_ERR_ code and fill in err->message: what, where, which value"},
    {"an unwritable path is an error", unwritable,
     "create the file in open(), and return DATIVO_ERR_IO with its path"},
    {"an unknown option is an error", unknown_option,
     "compare every key of engine.options with those you know: a typo must not read other data"},
    {"close(NULL)", close_null, "begin close() with: if it is NULL, return"},
    {"a small table is written, and seen only after commit()", small_table,
     "write to another name, and rename in commit()"},
    {"abort() leaves nothing behind", aborted, "remove in abort() what open() created"},
    {"close() without commit() leaves nothing behind", closed,
     "let close() do what abort() does, unless commit() was called"},
    {"an existing file is not replaced", existing,
     "refuse a path that exists in open(), unless engine.options.overwrite is true"},
    {NULL, NULL, NULL},
};

const struct dn_conform_check dn_conform_inspector[] = {
    {"the inspector refuses nonsense", not_a_file, "look at the first bytes before all others"},
    {NULL, NULL, NULL},
};
