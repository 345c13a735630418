/* Checks of writers of Level 0, as hosts use them. */
#include "cli/conform_level0.h"

#include "base/buffer.h"
#include "base/strings.h"
#include "job/json_text.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define THREE                                                                                      \
    "{\"records\":[{\"id\":1,\"name\":\"caf\\u00e9\"},{\"id\":2,\"name\":null},{\"id\":3,"         \
    "\"name\":"                                                                                    \
    "\"\\ud83d\\ude00\"}],\"file_counter\":%d}"

/* The configuration that was given, with files in the check's folder, or else one with two columns; with a NUL. */
static bool config_make(const struct dn_conform *c, struct dn_buffer *out)
{
    json_t *config = c->run_config != NULL ? json_loads(c->run_config, 0, NULL) : NULL;

    if (config == NULL) {
        config = json_pack("{s:s, s:[{s:s, s:s, s:b}, {s:s}], s:s, s:{}, s:n, s:{}}", "asset_name",
                           "Conform Table", "schema", "name", "id", "type", "integer", "required",
                           1, "name", "name", "target_type", "local", "connection", "file_format",
                           "engine");
    }
    (void)json_object_set_new(config, "output_base", json_string(c->dir));
    const bool made = dn_json_write(config, out, NULL) == DN_OK;
    json_decref(config);
    return made;
}

static void *writer_make(const struct dn_conform *c, const struct dn_level0 *l)
{
    struct dn_buffer config = {0};
    void *writer = config_make(c, &config) ? l->create((const char *)config.data) : NULL;

    dn_buffer_finish(&config);
    return writer;
}

static enum dn_verdict writer_bad_json(struct dn_conform *c)
{
    struct dn_level0 l;
    char records[512];

    if (!dn_level0_take(c, false, &l)) {
        return DN_VERDICT_FAIL;
    }
    void *writer = l.create("{\"asset_name\": ");
    if (writer == NULL) {
        return dn_conform_fail(c, "the create function returned NULL, which hosts do not check");
    }
    (void)snprintf(records, sizeof records, THREE, 0);
    enum dn_verdict v =
        dn_level0_error_text(c, &l, l.write(writer, records), "a configuration that is not JSON");
    l.free_handle(writer);
    return v;
}

static enum dn_verdict writer_bad_records(struct dn_conform *c)
{
    struct dn_level0 l;

    if (!dn_level0_take(c, false, &l)) {
        return DN_VERDICT_FAIL;
    }
    void *writer = writer_make(c, &l);
    enum dn_verdict v = dn_level0_error_text(c, &l, l.write(writer, "{\"records\":[{\"id\":"),
                                             "records that are not JSON");
    l.free_handle(writer);
    return v;
}

static enum dn_verdict writer_null(struct dn_conform *c)
{
    struct dn_level0 l;

    if (!dn_level0_take(c, false, &l)) {
        return DN_VERDICT_FAIL;
    }
    const enum dn_verdict v = dn_level0_error_text(
        c, &l, l.write(NULL, "{\"records\":[],\"file_counter\":0}"), "write_batch(NULL, ...)");
    l.free_handle(NULL);
    return v;
}

/* NULL, or what is wrong with an entry of the answer; adds its records. */
static const char *file_problem(const json_t *file, json_int_t *n_records)
{
    const char *path = json_string_value(json_object_get(file, "path"));
    const json_t *size = json_object_get(file, "size_bytes");
    const json_t *count = json_object_get(file, "record_count");
    struct stat info;

    if (path == NULL) {
        return "not a list of files";
    }
    if (!json_is_integer(count) || json_integer_value(count) < 0) {
        return "record_count is not 3";
    }
    if (!json_is_integer(size)) {
        return "size_bytes is no whole number";
    }
    *n_records += json_integer_value(count);
    return strstr(path, "://") != NULL ||
                   (stat(path, &info) == 0 && (json_int_t)info.st_size == json_integer_value(size))
               ? NULL
               : "a file is not there, or not of size_bytes";
}

/* Is the file of entry i that of one before it? */
static bool is_named_again(const json_t *files, size_t i)
{
    const json_t *path = json_object_get(json_array_get(files, i), "path");

    for (size_t k = 0; k < i; k++) {
        if (json_equal(json_object_get(json_array_get(files, k), "path"), path)) {
            return true;
        }
    }
    return false;
}

/* Write three records; the first file that comes of them is *path. */
static enum dn_verdict batch_write(struct dn_conform *c, const struct dn_level0 *l, void *writer,
                                   int counter, char path[512])
{
    char records[512];
    const char *problem = NULL;
    json_int_t n_records = 0;

    (void)snprintf(records, sizeof records, THREE, counter);
    const char *text = l->write(writer, records);
    if (text == NULL) {
        return dn_conform_fail(c, "NULL was returned: hosts take it for no files");
    }
    json_t *files = json_loads(text, JSON_DECODE_ANY, NULL);
    if (!json_is_array(files) || json_array_size(files) == 0) {
        problem = "not a list of files";
    }
    for (size_t i = 0; problem == NULL && i < json_array_size(files); i++) {
        problem = is_named_again(files, i) ? "a file is named twice: hosts count it twice"
                                           : file_problem(json_array_get(files, i), &n_records);
    }
    if (problem == NULL && n_records != 3) {
        problem = "record_count is not 3";
    }
    const json_t *first = json_array_get(files, 0);
    const char *name = json_string_value(json_object_get(first, "path"));
    (void)snprintf(path, 512, "%s", name != NULL ? name : "");
    if (problem == NULL) {
        (void)snprintf(c->said, sizeof c->said, "3 rows, %lld bytes",
                       (long long)json_integer_value(json_object_get(first, "size_bytes")));
    }
    const enum dn_verdict v =
        problem == NULL ? DN_VERDICT_PASS : dn_conform_fail(c, "%s: %.200s", problem, text);
    json_decref(files);
    l->free_text(text);
    return v;
}

static enum dn_verdict writer_small(struct dn_conform *c)
{
    struct dn_level0 l;
    char path[512];

    if (!dn_level0_take(c, false, &l)) {
        return DN_VERDICT_FAIL;
    }
    void *writer = writer_make(c, &l);
    if (writer == NULL) {
        return dn_conform_fail(c, "the create function returned NULL, which hosts do not check");
    }
    const enum dn_verdict v = batch_write(c, &l, writer, 0, path);
    l.free_handle(writer);
    return v;
}

/* Nothing else than a file that is under way is named like this. */
static bool is_temporary(const char *name)
{
    static const char *const endings[] = {".tmp", ".temp", ".part", ".partial", "~"};

    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        if (dn_text_ends_with(name, endings[i])) {
            return true;
        }
    }
    return false;
}

/* Such a file in the folder or below it; false: there is none. */
static bool temporary_find(const char *folder, char out[512])
{
    struct dirent *e = NULL;
    struct stat info;
    bool found = false;

    DIR *dir = opendir(folder);
    while (!found && dir != NULL && (e = readdir(dir)) != NULL) {
        char path[512];
        const int len = snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 || len < 0 ||
            (size_t)len >= sizeof path || lstat(path, &info) != 0) {
            continue;
        }
        if (S_ISDIR(info.st_mode)) {
            found = temporary_find(path, out);
        } else if (is_temporary(e->d_name)) {
            found = true;
            memcpy(out, path, sizeof path);
        }
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    return found;
}

/* Every call is a file of its own, also of two writers that take turns. */
static enum dn_verdict writer_files(struct dn_conform *c)
{
    struct dn_level0 l;
    char paths[4][512];
    void *writers[2];
    enum dn_verdict v = DN_VERDICT_PASS;

    if (!dn_level0_take(c, false, &l)) {
        return DN_VERDICT_FAIL;
    }
    writers[0] = writer_make(c, &l);
    for (int i = 0; i < 2 && v == DN_VERDICT_PASS; i++) {
        v = batch_write(c, &l, writers[0], i, paths[i]);
    }
    l.free_handle(writers[0]);
    for (int i = 0; i < 2 && v == DN_VERDICT_PASS; i++) {
        if (strstr(paths[i], "://") == NULL && strcmp(paths[0], paths[1]) == 0) {
            v = dn_conform_fail(c,
                                "two batches went to one file, %.200s: the rows of the first "
                                "are gone",
                                paths[i]);
        } else if (strstr(paths[i], "://") == NULL && access(paths[i], R_OK) != 0) {
            v = dn_conform_fail(c, "%.200s is gone once the writer is freed", paths[i]);
        }
    }
    return v == DN_VERDICT_PASS && temporary_find(c->dir, paths[0])
               ? dn_conform_fail(c, "%.200s is left once the writer is freed", paths[0])
               : v;
}

const struct dn_conform_check dn_conform_level0_writer[] = {
    {"a configuration that is not JSON gives an error text", writer_bad_json,
     "let create return a handle that remembers the error, and return \"DATIVO_PLUGIN_ERROR "
     "{...}\" "
     "from every call of write_batch()"},
    {"records that are not JSON give an error text", writer_bad_records,
     "return \"DATIVO_PLUGIN_ERROR {...}\": NULL and [] are no files to hosts, and success"},
    {"NULL handles give an error text and do no harm", writer_null,
     "begin write_batch() and free_writer() with a look for NULL: hosts pass on what create "
     "returned"},
    {"a small batch becomes a file", writer_small,
     "return [{\"path\":text,\"size_bytes\":int,\"record_count\":int}] once the file is complete"},
    {"two batches become two files, which stay", writer_files,
     "name files by \"file_counter\", and remove none of them in free_writer(), but all that is "
     "none of them"},
    {NULL, NULL, NULL},
};
