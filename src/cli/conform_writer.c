/* Checks of dativo.writer/1 and dativo.inspector/1. */
#include "cli/conform_sample.h"

#include "base/memory.h"
#include "base/path.h"
#include "job/json_text.h"

#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    MANY = 20 /* writers in a round: what they write is durable, which takes its time */
};

static const char k_refused[] =
    "see what the message says: the schema is an int64 and a utf8 column, and nothing is wrong "
    "with path and rows; other options that the writer needs come with --run CONFIG";

/* ---- a writer and its small table ---- */

struct writing {
    void *writer;
    char path[512]; /* of its file */
    struct dn_sample sample;
    struct dativo_error e; /* of the last call */
};

/* Open a writer for the file; an option, where there is one, is true. */
static int32_t writer_open(struct dn_conform *c, struct writing *w, const char *path,
                           const char *option)
{
    *w = (struct writing){.writer = NULL};
    (void)snprintf(w->path, sizeof w->path, "%s", path);
    dn_sample_init(&w->sample);
    dn_plugin_error_init(&w->e);
    json_t *root = dn_conform_writer_config(c, c->out);
    (void)json_object_set_new(root, "path", json_string(path));
    if (option != NULL) {
        dn_conform_option_set(root, option, json_true());
    }
    char *config = dn_json_dump(root, JSON_COMPACT);
    json_decref(root);
    const int32_t code =
        c->writer->open(config != NULL ? config : "", &w->sample.schema, NULL, &w->writer, &w->e);
    dn_free(config);
    return code;
}

/* Open it, and append the three rows, whose batch is the writer's then; what is not PASS has closed it. */
static enum dn_verdict writing_begin(struct dn_conform *c, struct writing *w, const char *name,
                                     const char *option)
{
    char path[512];

    if (writer_open(c, w, dn_conform_out_path(c, name, path), option) != DATIVO_OK) {
        return DN_CONFORM_FAIL(c, k_refused, "open() failed: %.300s", w->e.message);
    }
    if (c->writer->append(w->writer, &w->sample.batch, &w->e) != DATIVO_OK) {
        c->writer->close(w->writer);
        return DN_CONFORM_FAIL(c, k_refused, "append() failed: %.300s", w->e.message);
    }
    return DN_VERDICT_PASS;
}

#define THE_FILE "out.parquet"

static enum dn_verdict begin(struct dn_conform *c, struct writing *w)
{
    return writing_begin(c, w, THE_FILE, NULL);
}

/* finish(), and nobody looks at the manifest. */
static int32_t finish(struct dn_conform *c, struct writing *w)
{
    char *text = NULL;
    const int32_t code = c->writer->finish(w->writer, &text, &w->e);

    c->plugin.api->free_text(text);
    return code;
}

/* ---- what open() refuses ---- */

static enum dn_verdict expect_error(struct dn_conform *c, struct writing *w, int32_t code,
                                    const char *what)
{
    if (code == DATIVO_OK) {
        c->writer->close(w->writer);
        return dn_conform_fail(c, "open() accepted %s", what);
    }
    if (w->writer != NULL) {
        return dn_conform_fail(c, "open() failed on %s, but set a handle", what);
    }
    return w->e.message[0] != '\0'
               ? dn_conform_pass(c, "%.300s", w->e.message)
               : dn_conform_fail(c, "open() failed on %s without a message", what);
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
    struct writing w = {.writer = NULL};

    dn_sample_init(&w.sample);
    dn_plugin_error_init(&w.e);
    return expect_error(
        c, &w, c->writer->open("{\"asset_name\": ", &w.sample.schema, NULL, &w.writer, &w.e),
        "a configuration that is not JSON");
}

static enum dn_verdict unwritable(struct dn_conform *c)
{
    char path[512];
    struct writing w;

    if (!dn_conform_file(c, "in-file", "not a directory")) {
        return dn_conform_fail(c, "the test file could not be written");
    }
    dn_conform_path(c, "in-file/out.parquet", path);
    return expect_error(c, &w, writer_open(c, &w, path, NULL), "a path below a file");
}

/* The same without it opens: else the error might be about anything. */
static enum dn_verdict unknown_option(struct dn_conform *c)
{
    struct writing w;
    const enum dn_verdict v = begin(c, &w);

    if (v != DN_VERDICT_PASS) {
        return v;
    }
    c->writer->abort(w.writer);
    c->writer->close(w.writer);
    char path[512];
    dn_conform_out_path(c, THE_FILE, path);
    return expect_error(c, &w, writer_open(c, &w, path, "compresion"), "an unknown option");
}

static enum dn_verdict close_null(struct dn_conform *c)
{
    c->writer->close(NULL);
    return DN_VERDICT_PASS;
}

static enum dn_verdict old_errors(struct dn_conform *c)
{
    struct dn_conform_old_error old;
    struct writing w = {.writer = NULL};

    dn_sample_init(&w.sample);
    dn_conform_old_error_init(&old);
    if (c->writer->open("{\"asset_name\": ", &w.sample.schema, NULL, &w.writer, &old.e) ==
        DATIVO_OK) {
        c->writer->close(w.writer);
        return dn_conform_skip(c, "open() did not fail");
    }
    enum dn_verdict v = dn_conform_old_error_check(c, &old, "open()");
    v = v == DN_VERDICT_PASS ? begin(c, &w) : v;
    if (v != DN_VERDICT_PASS) {
        return v;
    }
    dn_conform_old_error_init(&old);
    if (c->writer->commit(w.writer, &old.e) != DATIVO_OK) { /* nothing is finished */
        v = dn_conform_old_error_check(c, &old, "commit()");
    }
    c->writer->close(w.writer);
    return v;
}

/* ---- the file ---- */

/* What finish() says of the file. */
struct manifest {
    char path[512];
    int64_t size;
};

static enum dn_verdict manifest_read(struct dn_conform *c, const char *text, struct manifest *out)
{
    static const char list[] = "return from finish() a list with one object, "
                               "[{\"path\":text,\"size_bytes\":int,\"record_count\":int}]";
    static const char count[] = "add up in append() the length of every batch, and let "
                                "record_count be the sum: hosts compare it";
    enum dn_verdict v = DN_VERDICT_PASS;

    json_t *manifest = json_loads(text != NULL ? text : "", JSON_ALLOW_NUL, NULL);
    const json_t *file = json_array_get(manifest, 0);
    const json_t *size = json_object_get(file, "size_bytes");
    const char *path = json_string_value(json_object_get(file, "path"));
    if (json_array_size(manifest) != 1) {
        v = DN_CONFORM_FAIL(c, list, "the manifest is not a list with one file");
    } else if (path == NULL || !json_is_integer(size)) {
        v = DN_CONFORM_FAIL(c, list, "the manifest lacks path or size_bytes");
    } else if (json_integer_value(json_object_get(file, "record_count")) != 3) {
        v = DN_CONFORM_FAIL(c, count, "the manifest does not count 3 rows");
    } else {
        (void)snprintf(out->path, sizeof out->path, "%s", path);
        out->size = json_integer_value(size);
    }
    json_decref(manifest);
    return v;
}

/* The file as it is after commit(). */
static enum dn_verdict file_check(struct dn_conform *c, const char *path,
                                  const struct manifest *manifest)
{
    char real[PATH_MAX];
    char told[PATH_MAX];
    struct stat info;

    if (stat(path, &info) != 0) {
        return DN_CONFORM_FAIL(c, "let commit() give the file the name that \"path\" says",
                               "after commit() the file is missing: there is no %s", path);
    }
    if ((int64_t)info.st_size != manifest->size) {
        return DN_CONFORM_FAIL(c, "take size_bytes in finish(), when everything is written",
                               "the manifest says %" PRId64 " bytes, and the file has %" PRId64,
                               manifest->size, (int64_t)info.st_size);
    }
    if (dn_path_below(path, c->out, real) == NULL ||
        dn_path_below(manifest->path, c->out, told) == NULL || strcmp(real, told) != 0) {
        return DN_CONFORM_FAIL(c, "let the manifest's path be the \"path\" of the configuration",
                               "the manifest names another file, %.200s", manifest->path);
    }
    return DN_VERDICT_PASS;
}

static enum dn_verdict finish_and_commit(struct dn_conform *c, struct writing *w)
{
    struct manifest manifest = {0};
    char *text = NULL;

    if (c->writer->finish(w->writer, &text, &w->e) != DATIVO_OK) {
        return DN_CONFORM_FAIL(c, k_refused, "finish() failed: %.300s", w->e.message);
    }
    enum dn_verdict v = manifest_read(c, text, &manifest);
    c->plugin.api->free_text(text);
    if (v != DN_VERDICT_PASS) {
        return v;
    }
    if (access(w->path, F_OK) == 0) {
        return DN_CONFORM_FAIL(c, "write to another name, and rename in commit()",
                               "the file has its final name before commit()");
    }
    if (c->writer->commit(w->writer, &w->e) != DATIVO_OK) {
        return DN_CONFORM_FAIL(c, k_refused, "commit() failed: %.300s", w->e.message);
    }
    v = file_check(c, w->path, &manifest);
    if (v == DN_VERDICT_PASS) {
        (void)snprintf(c->said, sizeof c->said, "3 rows, %" PRId64 " bytes", manifest.size);
    }
    return v;
}

static enum dn_verdict inspected(struct dn_conform *c, const char *path)
{
    static const char inspector[] = "let inspect() read what the writer writes: record_count, and "
                                    "with \"rows\" its first rows as objects";
    struct dativo_error e;
    char *text = NULL;

    if (c->inspector == NULL) {
        return DN_VERDICT_PASS;
    }
    dn_plugin_error_init(&e);
    if (c->inspector->inspect(path, "{\"rows\":3}", &text, &e) != DATIVO_OK) {
        return DN_CONFORM_FAIL(
            c, inspector, "the plugin's own inspector cannot read the file: %.300s", e.message);
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
                : DN_CONFORM_FAIL(c, inspector,
                                  "the inspector does not see the rows that were written");
}

static enum dn_verdict small_table(struct dn_conform *c)
{
    struct writing w;

    enum dn_verdict v = begin(c, &w);
    if (v != DN_VERDICT_PASS) {
        return v;
    }
    v = finish_and_commit(c, &w);
    c->writer->close(w.writer);
    v = v == DN_VERDICT_PASS ? dn_sample_released_once(c, &w.sample) : v;
    if (v == DN_VERDICT_PASS && dn_conform_count_outputs(c) != 1) {
        v = DN_CONFORM_FAIL(c, "remove every file but that of \"path\", in commit() at the latest",
                            "files are left beside the output");
    }
    return v == DN_VERDICT_PASS ? inspected(c, w.path) : v;
}

static enum dn_verdict leaves_nothing(struct dn_conform *c, bool with_abort)
{
    struct writing w;
    const enum dn_verdict v = begin(c, &w);

    if (v != DN_VERDICT_PASS) {
        return v;
    }
    if (with_abort) {
        c->writer->abort(w.writer);
    }
    c->writer->close(w.writer);
    const int left = dn_conform_count_outputs(c);
    return left == 0
               ? dn_sample_released_once(c, &w.sample)
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

/* ---- files that are there ---- */

static const char k_precious[] = "precious";

/* Of a file of a few rows all there is. */
struct content {
    char bytes[8192];
    size_t len;
};

static void content_read(const char *path, struct content *out)
{
    FILE *file = fopen(path, "r");
    out->len = file != NULL ? fread(out->bytes, 1, sizeof out->bytes, file) : 0;
    if (file != NULL) {
        (void)fclose(file);
    }
}

static bool is_precious(const char *path)
{
    struct content now;

    content_read(path, &now);
    return now.len == sizeof k_precious - 1 && memcmp(now.bytes, k_precious, now.len) == 0;
}

static bool is_same(const char *path, const struct content *before)
{
    struct content now;

    content_read(path, &now);
    return now.len == before->len && memcmp(now.bytes, before->bytes, now.len) == 0;
}

static enum dn_verdict existing(struct dn_conform *c)
{
    struct writing w;
    char path[512];

    dn_conform_out_path(c, THE_FILE, path);
    if (!dn_conform_file(c, "out/" THE_FILE, k_precious)) {
        return dn_conform_fail(c, "the test file could not be written");
    }
    int32_t code = writer_open(c, &w, path, NULL);
    if (code == DATIVO_OK) { /* then commit() must refuse, at the latest */
        code = c->writer->append(w.writer, &w.sample.batch, &w.e);
        code = code == DATIVO_OK ? finish(c, &w) : code;
        code = code == DATIVO_OK ? c->writer->commit(w.writer, &w.e) : code;
        c->writer->close(w.writer);
    }
    return code == DATIVO_OK || !is_precious(path)
               ? dn_conform_fail(c, "an existing file was replaced without \"overwrite\"")
               : dn_conform_pass(c, "%.300s", w.e.message);
}

/* Somebody makes a file of that name while the writer is at work. */
static enum dn_verdict appeared(struct dn_conform *c)
{
    struct writing w;

    enum dn_verdict v = begin(c, &w);
    if (v != DN_VERDICT_PASS) {
        return v;
    }
    int32_t code = finish(c, &w);
    if (!dn_conform_file(c, "out/" THE_FILE, k_precious)) {
        v = dn_conform_fail(c, "the test file could not be written");
    } else if (code == DATIVO_OK) {
        code = c->writer->commit(w.writer, &w.e);
    }
    c->writer->close(w.writer);
    if (v == DN_VERDICT_PASS && !is_precious(w.path)) {
        v = dn_conform_fail(c, "a file that came after open() was replaced without \"overwrite\"");
    } else if (v == DN_VERDICT_PASS && code == DATIVO_OK) {
        v = dn_conform_fail(c, "commit() gave no file its name, and no error");
    }
    return v == DN_VERDICT_PASS ? dn_conform_pass(c, "%.300s", w.e.message) : v;
}

/* Six rows over the writer's own three, for writers may look what they replace; both are there until commit(). */
static enum dn_verdict replace(struct dn_conform *c, struct writing *w,
                               const struct content *before)
{
    struct dn_sample more;
    enum dn_verdict v = DN_VERDICT_PASS;

    dn_sample_init(&more);
    int32_t code = c->writer->append(w->writer, &more.batch, &w->e);
    code = code == DATIVO_OK ? finish(c, w) : code;
    if (code == DATIVO_OK && !is_same(w->path, before)) {
        v = dn_conform_fail(c, "the old file was gone before commit()");
    }
    code = code == DATIVO_OK ? c->writer->commit(w->writer, &w->e) : code;
    if (code != DATIVO_OK) {
        return dn_conform_fail(c, "with \"overwrite\" it failed: %.300s", w->e.message);
    }
    return v == DN_VERDICT_PASS && is_same(w->path, before)
               ? dn_conform_fail(c, "the old file is still there after commit()")
               : v;
}

static enum dn_verdict replaced(struct dn_conform *c)
{
    struct writing w;
    struct content before;

    enum dn_verdict v = begin(c, &w);
    if (v != DN_VERDICT_PASS) {
        return v;
    }
    v = finish_and_commit(c, &w);
    c->writer->close(w.writer);
    if (v != DN_VERDICT_PASS) {
        return v;
    }
    c->said[0] = '\0'; /* of the first file */
    content_read(w.path, &before);
    v = writing_begin(c, &w, THE_FILE, "overwrite");
    if (v != DN_VERDICT_PASS) {
        c->remedy = NULL; /* that of the check: without the option it was good */
        return v;
    }
    v = replace(c, &w, &before);
    c->writer->close(w.writer);
    return v;
}

/* ---- calls out of order, and in a child ---- */

static const char k_first_error[] =
    "keep the first error in the handle, and return it from every later call: commit() makes no "
    "file of a writer that failed";

static enum dn_verdict append_late(struct dn_conform *c)
{
    struct writing w;
    struct dn_sample late;

    enum dn_verdict v = begin(c, &w);
    if (v != DN_VERDICT_PASS) {
        return v;
    }
    dn_sample_init(&late);
    if (finish(c, &w) != DATIVO_OK) {
        v = DN_CONFORM_FAIL(c, k_refused, "finish() failed: %.300s", w.e.message);
    } else if (c->writer->append(w.writer, &late.batch, &w.e) == DATIVO_OK) {
        v = dn_conform_fail(c, "append() after finish() was no error: its rows are lost");
    } else if (c->writer->commit(w.writer, &w.e) == DATIVO_OK) {
        v = DN_CONFORM_FAIL(c, k_first_error, "append() had failed, and commit() was no error");
    }
    c->writer->close(w.writer);
    if (v == DN_VERDICT_PASS && access(w.path, F_OK) == 0) {
        v = DN_CONFORM_FAIL(c, k_first_error, "append() had failed, and commit() made a file");
    }
    return v == DN_VERDICT_PASS ? dn_sample_released_once(c, &late) : v;
}

static enum dn_verdict commit_early(struct dn_conform *c)
{
    struct writing w;
    const enum dn_verdict v = begin(c, &w);

    if (v != DN_VERDICT_PASS) {
        return v;
    }
    const int32_t code = c->writer->commit(w.writer, &w.e);
    c->writer->close(w.writer);
    if (access(w.path, F_OK) == 0) {
        return dn_conform_fail(c, "commit() without finish() made a file: rows may be missing");
    }
    return code == DATIVO_OK ? dn_conform_fail(c, "commit() without finish() was no error") : v;
}

static enum dn_verdict order(struct dn_conform *c)
{
    const enum dn_verdict v = append_late(c);

    return v == DN_VERDICT_PASS ? commit_early(c) : v;
}

/* What a child of fork() is told; 0: all is as it should be, else which call was none. */
static int child_of_fork(struct dn_conform *c, struct writing *w)
{
    dn_sample_init(&w->sample);
    if (c->writer->append(w->writer, &w->sample.batch, &w->e) == DATIVO_OK) {
        return 1;
    }
    if (finish(c, w) == DATIVO_OK) {
        return 2;
    }
    if (c->writer->commit(w->writer, &w->e) == DATIVO_OK) {
        return 3;
    }
    c->writer->abort(w->writer);
    c->writer->close(w->writer);
    return 0;
}

static enum dn_verdict after_fork(struct dn_conform *c)
{
    static const char *const calls[] = {"", "append()", "finish()", "commit()"};
    struct writing w;
    int status = 0;

    enum dn_verdict v = begin(c, &w);
    if (v != DN_VERDICT_PASS) {
        return v;
    }
    const pid_t pid = fork();
    if (pid == 0) {
        _exit(child_of_fork(c, &w));
    }
    if (pid < 0) {
        c->writer->close(w.writer);
        return dn_conform_skip(c, "this system has no fork()");
    }
    if (waitpid(pid, &status, 0) == pid && status != 0) {
        const int call = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
        v = call >= 1 && call <= 3
                ? dn_conform_fail(c, "in a child of fork() %s was no error", calls[call])
                : dn_conform_fail(c, "a child of fork() crashed");
    }
    if (v == DN_VERDICT_PASS) { /* the parent goes on, and its file is there */
        v = finish_and_commit(c, &w);
        if (v != DN_VERDICT_PASS) {
            c->remedy = "let abort() and close() do nothing in a child of fork(): the files are "
                        "the parent's";
        }
    }
    c->writer->close(w.writer);
    return v;
}

/* Writer after writer, a file each. */
static enum dn_verdict many_writers(struct dn_conform *c)
{
    struct dn_conform_left left = {.n = MANY};
    enum dn_verdict v = DN_VERDICT_PASS;

    for (int i = 0; v == DN_VERDICT_PASS && dn_conform_left_take(&left, i); i++) {
        struct writing w;
        char name[32];

        (void)snprintf(name, sizeof name, "out-%d.parquet", i);
        v = writing_begin(c, &w, name, NULL);
        if (v == DN_VERDICT_PASS) {
            v = finish_and_commit(c, &w);
            c->writer->close(w.writer);
        }
        dn_conform_progress(c);
        v = v == DN_VERDICT_PASS ? dn_sample_released_once(c, &w.sample) : v;
    }
    c->said[0] = v == DN_VERDICT_PASS ? '\0' : c->said[0];
    return v == DN_VERDICT_PASS ? dn_conform_left_check(c, &left, "writers") : v;
}

/* ---- the inspector ---- */

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
    {DN_CONFORM_OLD_ERROR, old_errors, DN_CONFORM_OLD_ERROR_REMEDY},
    {"close(NULL)", close_null, "begin close() with: if it is NULL, return"},
    {"a small table is written, and seen only after commit()", small_table,
     "write to another name, and rename in commit()"},
    {"abort() leaves nothing behind", aborted, "remove in abort() what open() created"},
    {"close() without commit() leaves nothing behind", closed,
     "let close() do what abort() does, unless commit() was called"},
    {"an existing file is not replaced", existing,
     "refuse a path that exists in open(), unless engine.options.overwrite is true"},
    {"a file that appears before commit() is not replaced", appeared,
     "give the file its name with link() or renameat2(RENAME_NOREPLACE), which refuse one that is "
     "there, and return DATIVO_ERR_EXISTS"},
    {"with the option overwrite an existing file is replaced", replaced,
     "know the option \"overwrite\", and rename() over the old file in commit()"},
    {"calls out of order are errors, and make no file", order,
     "keep in the handle whether it is finished: append() is an error behind finish(), and "
     "commit() before it"},
    {"a child of fork() gets an error, and its parent the file", after_fork,
     "keep getpid() of open() in the handle, and fail where it is another one"},
    {"writers that are gone leave no files open, no threads and no memory", many_writers,
     "close, join and free in close() all that the handle has, and in free_text() the text"},
    {NULL, NULL, NULL},
};

const struct dn_conform_check dn_conform_inspector[] = {
    {"the inspector refuses nonsense", not_a_file, "look at the first bytes before all others"},
    {NULL, NULL, NULL},
};
