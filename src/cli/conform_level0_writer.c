/* Checks of writers of Level 0, as hosts use them. */
#include "cli/conform_level0.h"

#include "base/memory.h"
#include "base/path.h"
#include "base/strings.h"
#include "job/json_text.h"
#include "store/url.h"

#include <dirent.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define THREE                                                                                      \
    "{\"records\":[{\"id\":1,\"name\":\"caf\\u00e9\"},{\"id\":2,\"name\":null},{\"id\":3,"         \
    "\"name\":"                                                                                    \
    "\"\\ud83d\\ude00\"}],\"file_counter\":%d}"

enum {
    MANY = 20 /* writers in a round: what they write is durable, which takes its time */
};

static void *writer_make_in(const struct dn_conform *c, const struct dn_level0 *l, const char *base)
{
    json_t *root = dn_conform_writer_config(c, base);
    char *config = dn_json_dump(root, 0);
    void *writer = config != NULL ? l->create(config) : NULL;

    dn_free(config);
    json_decref(root);
    return writer;
}

static void *writer_make(const struct dn_conform *c, const struct dn_level0 *l)
{
    return writer_make_in(c, l, c->out);
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
        return dn_level0_no_handle(c);
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

/* What is wrong with an answer, and what to do about it. */
struct wrong {
    const char *problem; /* NULL: nothing */
    const char *remedy;
};

static const char k_list[] =
    "return [{\"path\":text,\"size_bytes\":int,\"record_count\":int}], an entry for each file";
static const char k_count[] =
    "let record_count be the number of the batch's records that are in the file";

/* Is it on another machine, or something else than a file? */
static bool is_remote(const char *name)
{
    const size_t len = dn_url_scheme_len(name);

    return len > 0 && !(len == 4 && strncasecmp(name, "file", 4) == 0);
}

/* Where a file lies, by its path or file:// URL; what is wrong with that. */
static struct wrong place_wrong(const struct dn_conform *c, const char *name, json_int_t size,
                                char real[PATH_MAX])
{
    struct wrong wrong = {NULL, NULL};
    struct dn_url url;
    struct dn_error err;
    struct stat info;

    const bool is_path = dn_url_parse(&url, name, &err) == DN_OK && url.path != NULL;
    if (!is_path || stat(url.path, &info) != 0 || (json_int_t)info.st_size != size) {
        wrong = (struct wrong){"a file is not there, or not of size_bytes",
                               "close the file first, and then take its name and its size"};
    } else if (dn_path_below(url.path, c->out, real) == NULL) {
        wrong = (struct wrong){"a file is not in output_base",
                               "make every file below output_base: hosts look there alone"};
    }
    dn_url_finish(&url);
    return wrong;
}

/* An entry of the answer; adds its records, and its file to `files`, which has sizes by paths. */
static struct wrong file_wrong(const struct dn_conform *c, const json_t *file,
                               json_int_t *n_records, json_t *files)
{
    const char *path = json_string_value(json_object_get(file, "path"));
    json_t *size = json_object_get(file, "size_bytes");
    const json_t *count = json_object_get(file, "record_count");
    char real[PATH_MAX];

    if (path == NULL) {
        return (struct wrong){"not a list of files", k_list};
    }
    if (!json_is_integer(count) || json_integer_value(count) < 0) {
        return (struct wrong){"record_count is not 3", k_count};
    }
    if (!json_is_integer(size)) {
        return (struct wrong){"size_bytes is no whole number", k_list};
    }
    *n_records += json_integer_value(count);
    if (is_remote(path)) {
        return (struct wrong){NULL, NULL};
    }
    const struct wrong wrong = place_wrong(c, path, json_integer_value(size), real);
    if (wrong.problem != NULL) {
        return wrong;
    }
    if (json_object_get(files, real) != NULL) {
        return (struct wrong){"a file is named twice: hosts count it twice", k_list};
    }
    (void)json_object_set(files, real, size);
    return (struct wrong){NULL, NULL};
}

static struct wrong answer_wrong(const struct dn_conform *c, const json_t *answer, json_t *files)
{
    json_int_t n_records = 0;
    struct wrong wrong = {NULL, NULL};

    if (!json_is_array(answer) || json_array_size(answer) == 0) {
        return (struct wrong){"not a list of files", k_list};
    }
    for (size_t i = 0; wrong.problem == NULL && i < json_array_size(answer); i++) {
        wrong = file_wrong(c, json_array_get(answer, i), &n_records, files);
    }
    return wrong.problem == NULL && n_records != 3
               ? (struct wrong){"record_count is not 3", k_count}
               : wrong;
}

/* Write three records, and add the files that come of them to `files`. */
static enum dn_verdict batch_write(struct dn_conform *c, const struct dn_level0 *l, void *writer,
                                   int counter, json_t *files)
{
    char records[512];

    (void)snprintf(records, sizeof records, THREE, counter);
    const char *text = l->write(writer, records);
    dn_conform_progress(c);
    if (text == NULL) {
        return DN_CONFORM_FAIL(c, k_list, "NULL was returned: hosts take it for no files");
    }
    json_t *answer = json_loads(text, JSON_DECODE_ANY, NULL);
    const struct wrong wrong =
        dn_text_starts_with(text, DATIVO_ERROR_PREFIX)
            ? (struct wrong){"a good batch was refused", "see what the message says: records have "
                                                         "an integer, and a text or null"}
            : answer_wrong(c, answer, files);
    const json_t *size = json_object_get(json_array_get(answer, 0), "size_bytes");
    enum dn_verdict v = DN_VERDICT_PASS;
    if (wrong.problem != NULL) {
        v = DN_CONFORM_FAIL(c, wrong.remedy, "%s: %.200s", wrong.problem, text);
    } else {
        (void)snprintf(c->said, sizeof c->said, "3 rows, %lld bytes",
                       (long long)json_integer_value(size));
    }
    json_decref(answer);
    l->free_text(text);
    return v;
}

/* Write three records, for which nobody asks what became of them. */
static enum dn_verdict batch_write_alone(struct dn_conform *c, const struct dn_level0 *l,
                                         void *writer, int counter)
{
    json_t *files = json_object();
    const enum dn_verdict v = batch_write(c, l, writer, counter, files);

    json_decref(files);
    return v;
}

static enum dn_verdict writer_small(struct dn_conform *c)
{
    struct dn_level0 l;

    if (!dn_level0_take(c, false, &l)) {
        return DN_VERDICT_FAIL;
    }
    void *writer = writer_make(c, &l);
    if (writer == NULL) {
        return dn_level0_no_handle(c);
    }
    const enum dn_verdict v = batch_write_alone(c, &l, writer, 0);
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

/* Write a batch whose files are none of those before it, and add them. */
static enum dn_verdict batch_write_new(struct dn_conform *c, const struct dn_level0 *l,
                                       void *writer, int counter, json_t *files)
{
    static const char remedy[] =
        "make every file as a new one, open() with O_EXCL, and take another name where there is "
        "one: \"file_counter\" alone is that of other writers, too";
    json_t *own = json_object();
    const char *path = NULL;
    json_t *size = NULL;

    enum dn_verdict v = batch_write(c, l, writer, counter, own);
    json_object_foreach(own, path, size)
    {
        if (v == DN_VERDICT_PASS && json_object_get(files, path) != NULL) {
            v = DN_CONFORM_FAIL(c, remedy,
                                "two batches went to one file, %.200s: the rows of the first are "
                                "gone",
                                path);
        }
        (void)json_object_set(files, path, size);
    }
    json_decref(own);
    return v;
}

/* Each as it was when it was named. */
static enum dn_verdict files_stay(struct dn_conform *c, json_t *files)
{
    static const char remedy[] =
        "leave a file as it is once an answer has named it, and remove none of those in "
        "free_writer()";
    const char *path = NULL;
    const json_t *size = NULL;

    json_object_foreach(files, path, size)
    {
        struct stat info;
        if (stat(path, &info) != 0) {
            return DN_CONFORM_FAIL(c, remedy, "%.200s is gone once the writer is freed", path);
        }
        if ((json_int_t)info.st_size != json_integer_value(size)) {
            return DN_CONFORM_FAIL(
                c, remedy, "%.200s has %lld bytes once the writer is freed, and not %lld", path,
                (long long)info.st_size, (long long)json_integer_value(size));
        }
    }
    return DN_VERDICT_PASS;
}

/* Every call is a file of its own, also of two writers that take turns. */
static enum dn_verdict writer_files(struct dn_conform *c)
{
    struct dn_level0 l;
    char temporary[512];
    void *writers[2];
    enum dn_verdict v = DN_VERDICT_PASS;

    if (!dn_level0_take(c, false, &l)) {
        return DN_VERDICT_FAIL;
    }
    json_t *files = json_object();
    writers[0] = writer_make(c, &l);
    writers[1] = writer_make(c, &l);
    for (int i = 0; i < 4 && v == DN_VERDICT_PASS; i++) {
        v = batch_write_new(c, &l, writers[i % 2], i / 2, files);
    }
    l.free_handle(writers[0]);
    l.free_handle(writers[1]);
    v = v == DN_VERDICT_PASS ? files_stay(c, files) : v;
    json_decref(files);
    return v == DN_VERDICT_PASS && temporary_find(c->out, temporary)
               ? DN_CONFORM_FAIL(c, "remove in free_writer() every file that no answer has named",
                                 "%.200s is left once the writer is freed", temporary)
               : v;
}

/* Two writers, each with a folder below `out`. */
static enum dn_verdict writer_folders(struct dn_conform *c)
{
    static const char *const names[] = {"one", "two"};
    struct dn_level0 l;
    char folders[2][512];
    void *writers[2] = {NULL, NULL};
    enum dn_verdict v = DN_VERDICT_PASS;
    const char *const out = c->out;

    if (!dn_level0_take(c, false, &l)) {
        return DN_VERDICT_FAIL;
    }
    for (int i = 0; i < 2 && v == DN_VERDICT_PASS; i++) {
        dn_conform_out_path(c, names[i], folders[i]);
        v = mkdir(folders[i], 0700) == 0 ? DN_VERDICT_PASS
                                         : dn_conform_fail(c, "no temporary directory");
        writers[i] = writer_make_in(c, &l, folders[i]);
    }
    for (int i = 0; i < 4 && v == DN_VERDICT_PASS; i++) {
        c->out = folders[i % 2]; /* where its files have to be */
        v = batch_write_alone(c, &l, writers[i % 2], i / 2);
    }
    c->out = out;
    l.free_handle(writers[0]);
    l.free_handle(writers[1]);
    return v;
}

/* Takes the answer over. */
static enum dn_verdict unwritable_answer(struct dn_conform *c, const struct dn_level0 *l,
                                         const char *text)
{
    json_t *files = json_loads(text != NULL ? text : "", 0, NULL);
    const char *path = json_string_value(json_object_get(json_array_get(files, 0), "path"));
    const bool is_list = json_is_array(files);
    const bool is_elsewhere = path != NULL && is_remote(path);

    json_decref(files);
    if (!is_list) {
        return dn_level0_error_text(c, l, text, "an output_base below a file");
    }
    const enum dn_verdict v =
        is_elsewhere ? dn_conform_skip(c, "it does not write to output_base")
                     : dn_conform_fail(
                           c, "an output_base below a file: the answer is no error: %.200s", text);
    l->free_text(text);
    return v;
}

/* Below a regular file. */
static enum dn_verdict writer_unwritable(struct dn_conform *c)
{
    struct dn_level0 l;
    char base[512];
    char records[512];

    if (!dn_level0_take(c, false, &l)) {
        return DN_VERDICT_FAIL;
    }
    if (!dn_conform_file(c, "in-file", "not a directory")) {
        return dn_conform_fail(c, "the test file could not be written");
    }
    void *writer = writer_make_in(c, &l, dn_conform_path(c, "in-file/out", base));
    if (writer == NULL) {
        return dn_level0_no_handle(c);
    }
    (void)snprintf(records, sizeof records, THREE, 0);
    enum dn_verdict v = unwritable_answer(c, &l, l.write(writer, records));
    l.free_handle(writer);
    return v;
}

/* Writer after writer, a batch each. */
static enum dn_verdict writer_many(struct dn_conform *c)
{
    struct dn_level0 l;
    struct dn_conform_left left = {.n = MANY};
    enum dn_verdict v = DN_VERDICT_PASS;

    if (!dn_level0_take(c, false, &l)) {
        return DN_VERDICT_FAIL;
    }
    for (int i = 0; v == DN_VERDICT_PASS && dn_conform_left_take(&left, i); i++) {
        void *writer = writer_make(c, &l);
        v = batch_write_alone(c, &l, writer, i);
        l.free_handle(writer);
    }
    c->said[0] = v == DN_VERDICT_PASS ? '\0' : c->said[0];
    return v == DN_VERDICT_PASS ? dn_conform_left_check(c, &left, "writers") : v;
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
    {"an unwritable folder gives an error text", writer_unwritable,
     "look at what open(), write() and close() return, and answer \"DATIVO_PLUGIN_ERROR {...}\""},
    {"a small batch becomes a file", writer_small,
     "return [{\"path\":text,\"size_bytes\":int,\"record_count\":int}] once the file is complete"},
    {"writers keep to their own folders", writer_folders,
     "keep output_base in the handle: no static variables"},
    {"two batches become two files, which stay", writer_files,
     "name no file twice, and remove none of them in free_writer(), but all that is none of "
     "them"},
    {"writers that are gone leave no files open, no threads and no memory", writer_many,
     "close, join and free in free_writer() all that the handle has, and in free_string() the "
     "text"},
    {NULL, NULL, NULL},
};
