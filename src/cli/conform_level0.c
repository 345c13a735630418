/* Checks of Level 0, as hosts use it: of readers, and what those of writers need as well. */
#include "cli/conform_level0.h"

#include "base/memory.h"
#include "base/os_memory.h"
#include "base/strings.h"
#include "base/utf8.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MANY 64             /* handles, one after the other */
#define LEAKED ((size_t)64) /* bytes of one of them; allocators keep some themselves */

/* ISO C has no cast from an object pointer to a function pointer; POSIX promises that the bits are the same. */
static bool symbol_take(const struct dn_conform *c, const char *name, void *out)
{
    void *symbol = name != NULL ? dn_plugin_symbol(&c->plugin, name) : NULL;

    memcpy(out, &symbol, sizeof symbol);
    return symbol != NULL;
}

bool dn_level0_take(struct dn_conform *c, bool is_reader, struct dn_level0 *l)
{
    *l = (struct dn_level0){0};
    const bool all = is_reader ? symbol_take(c, c->create_reader, &l->create) &&
                                     symbol_take(c, "extract_batch", &l->extract) &&
                                     symbol_take(c, "free_reader", &l->free_handle)
                               : symbol_take(c, c->create_writer, &l->create) &&
                                     symbol_take(c, "write_batch", &l->write) &&
                                     symbol_take(c, "free_writer", &l->free_handle);
    if (!all || !symbol_take(c, "free_string", &l->free_text)) {
        (void)dn_conform_fail(c, "a symbol is missing");
        return false;
    }
    return true;
}

enum dn_verdict dn_level0_error_text(struct dn_conform *c, const struct dn_level0 *l,
                                     const char *text, const char *what)
{
    const char *problem = dn_conform_error_text_problem(text);

    if (problem != NULL) {
        if (text != NULL) {
            l->free_text(text);
        }
        return dn_conform_fail(c, "%s: %s", what, problem);
    }
    (void)snprintf(c->said, sizeof c->said, "%.300s", text);
    l->free_text(text);
    return DN_VERDICT_PASS;
}

/* A number, written over a word of as many bytes. */
static void put_zero(char *at, size_t len)
{
    memset(at, ' ', len);
    at[0] = '0';
}

/*
 * Hosts read NaN, infinities and integers of any size, as json of Python does, and jansson reads none of them.  Nobody looks at values here, so
 * zeros stand in the places of the first, and integers are reals.
 */
static json_t *batch_parse(const char *text, size_t flags)
{
    static const char *const words[] = {"-Infinity", "Infinity", "NaN"};
    char *copy = dn_strdup(text);
    bool in_string = false;

    for (char *p = copy; p != NULL && *p != '\0'; p++) {
        if (*p == '"') {
            in_string = !in_string;
        } else if (in_string && *p == '\\' && p[1] != '\0') {
            p++;
        }
        for (size_t i = 0; !in_string && i < sizeof words / sizeof words[0]; i++) {
            if (dn_text_starts_with(p, words[i])) {
                put_zero(p, strlen(words[i]));
            }
        }
    }
    json_t *batch =
        copy != NULL
            ? json_loads(copy, flags | JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL,
                         NULL)
            : NULL;
    dn_free(copy);
    return batch;
}

const char *dn_level0_batch_problem(const char *text, size_t *n_rows)
{
    const char *problem = NULL;

    if (text[0] == '\0') {
        return "a text is empty";
    }
    if (!dn_utf8_is_valid(text)) {
        return "a text is not UTF-8: hosts take it for the end of the data";
    }
    json_t *batch = batch_parse(text, 0);
    json_t *distinct = batch_parse(text, JSON_REJECT_DUPLICATES);
    if (batch == NULL) {
        problem = "a text is not JSON";
    } else if (!json_is_array(batch)) {
        problem = "a text is no list of records";
    } else if (json_array_size(batch) == 0) {
        problem = "an empty list came: hosts take it for the end of the data";
    } else if (distinct == NULL) {
        problem = "a record has a key twice: hosts keep the last value";
    }
    for (size_t i = 0; problem == NULL && i < json_array_size(batch); i++) {
        const json_t *record = json_array_get(batch, i);
        if (!json_is_object(record)) {
            problem = "a record is no object";
        } else if (json_object_get(record, "__error__") != NULL) {
            problem = "an error came as a record: hosts write it as data";
        } else if (json_object_size(record) == 0) {
            problem = "a record has no keys";
        }
    }
    *n_rows = json_array_size(batch);
    json_decref(batch);
    json_decref(distinct);
    return problem;
}

/* ---- readers ---- */

/* The handle's first call gives the error, and so does every later one. */
static enum dn_verdict reader_error(struct dn_conform *c, const char *config, const char *what)
{
    struct dn_level0 l;

    if (!dn_level0_take(c, true, &l)) {
        return DN_VERDICT_FAIL;
    }
    void *reader = l.create(config);
    if (reader == NULL) {
        return dn_conform_fail(c, "%s: the create function returned NULL, which hosts do not check",
                               what);
    }
    enum dn_verdict v = dn_level0_error_text(c, &l, l.extract(reader), what);
    if (v == DN_VERDICT_PASS) {
        v = dn_level0_error_text(c, &l, l.extract(reader), "the second call after an error");
    }
    l.free_handle(reader);
    return v;
}

static enum dn_verdict reader_bad_json(struct dn_conform *c)
{
    return reader_error(c, "{\"type\": ", "a configuration that is not JSON");
}

#define READER_CONFIG                                                                              \
    "{\"type\":\"csv\",\"connection\":{},\"credentials\":{\"type\":\"none\"},\"objects\":[],"      \
    "\"files\":[{\"path\":\"%s\",\"object\":\"small\"}],\"incremental\":{},\"engine\":{\"type\":"  \
    "\"native\",\"options\":{\"native\":{\"chunk_size\":2}}}}"

static enum dn_verdict reader_missing_file(struct dn_conform *c)
{
    char path[512];
    char config[1024];
    struct dn_level0 l;
    size_t n_rows = 0;

    if (!dn_level0_take(c, true, &l)) {
        return DN_VERDICT_FAIL;
    }
    (void)snprintf(config, sizeof config, READER_CONFIG,
                   dn_conform_path(c, "in-missing.csv", path));
    void *reader = l.create(config);
    const char *text = reader != NULL ? l.extract(reader) : NULL;
    const bool has_rows = text != NULL && dn_level0_batch_problem(text, &n_rows) == NULL;
    if (text != NULL) {
        l.free_text(text);
    }
    if (reader != NULL) {
        l.free_handle(reader);
    }
    return has_rows ? dn_conform_skip(c, "its rows do not come from files")
                    : reader_error(c, config, "a file that is not there");
}

static enum dn_verdict reader_null(struct dn_conform *c)
{
    struct dn_level0 l;

    if (!dn_level0_take(c, true, &l)) {
        return DN_VERDICT_FAIL;
    }
    const enum dn_verdict v = dn_level0_error_text(c, &l, l.extract(NULL), "extract_batch(NULL)");
    l.free_handle(NULL);
    return v;
}

/* A reader of the configuration that was given, or else of a small CSV file. */
static void *reader_make(struct dn_conform *c, const struct dn_level0 *l)
{
    char path[512];
    char config[1024];

    if (c->run_config != NULL) {
        return l->create(c->run_config);
    }
    if (access(dn_conform_path(c, "in.csv", path), F_OK) != 0 && /* which readers may look after */
        !dn_conform_file(c, "in.csv", "id,name\n1,\"a \"\"b\"\", c\"\n2,\n00501,x\n")) {
        return NULL;
    }
    (void)snprintf(config, sizeof config, READER_CONFIG, dn_conform_path(c, "in.csv", path));
    void *reader = l->create(config);
    return reader; /* cppcheck-suppress returnDanglingLifetime ; the configuration is the caller's */
}

/* Is it the value, in the form of a text or of a number?  NULL: null, or an empty text. */
static bool value_is(const json_t *value, const char *expected)
{
    const char *text = json_string_value(value);

    if (expected == NULL) {
        return json_is_null(value) || (text != NULL && text[0] == '\0');
    }
    return json_is_integer(value)
               ? json_integer_value(value) == expected[0] - '0' && expected[1] == '\0'
               : text != NULL && strcmp(text, expected) == 0;
}

/* Record `row` of the small file, from 0, as far as it is one: whose rows come from elsewhere has other keys. */
static enum dn_verdict record_check(struct dn_conform *c, json_t *record, size_t row)
{
    static const char *const rows[][2] = {{"1", "a \"b\", c"}, {"2", NULL}, {"00501", "x"}};
    static const char *const keys[] = {"id", "name"};

    if (row == 2 && json_integer_value(json_object_get(record, "id")) == 501) {
        return dn_conform_fail(c, "00501 became a number: its zeros are lost");
    }
    for (size_t i = 0; i < 2 && row < 3; i++) {
        const json_t *value = json_object_get(record, keys[i]);
        if (!value_is(value, rows[row][i])) {
            char is[100];
            const size_t len = json_dumpb(value, is, sizeof is, JSON_ENCODE_ANY); /* 0: absent */
            const char *expected = rows[row][i] != NULL ? rows[row][i] : "null";
            return len == 0 ? dn_conform_fail(c, "record %zu, key %s: absent, and not %s", row + 1,
                                              keys[i], expected)
                            : dn_conform_fail(c, "record %zu, key %s: %.*s, and not %s", row + 1,
                                              keys[i], (int)(len < sizeof is ? len : sizeof is), is,
                                              expected);
        }
    }
    const char *key = NULL;
    const json_t *value = NULL;
    json_object_foreach(record, key, value)
    {
        if (row < 3 && strcmp(key, keys[0]) != 0 && strcmp(key, keys[1]) != 0) {
            return dn_conform_fail(c, "record %zu has a key that the file has not: %.100s", row + 1,
                                   key);
        }
    }
    return DN_VERDICT_PASS;
}

/* The records of a batch behind `first` others.  Rows of the small file are known by the keys of the first one. */
static enum dn_verdict batch_check(struct dn_conform *c, const char *text, size_t first)
{
    json_t *batch = json_loads(text, JSON_ALLOW_NUL, NULL);
    enum dn_verdict v = DN_VERDICT_PASS;

    for (size_t i = 0; v == DN_VERDICT_PASS && i < json_array_size(batch); i++) {
        json_t *record = json_array_get(batch, i);
        if (first + i == 0) {
            c->is_small =
                json_object_get(record, "id") != NULL && json_object_get(record, "name") != NULL;
        }
        v = c->is_small ? record_check(c, record, first + i) : DN_VERDICT_PASS;
    }
    json_decref(batch);
    return v;
}

/* The next batch, behind `first` rows; PASS with *n_rows 0: the end. */
static enum dn_verdict batch_take(struct dn_conform *c, const struct dn_level0 *l, void *reader,
                                  size_t first, size_t *n_rows)
{
    enum dn_verdict v = DN_VERDICT_PASS;

    *n_rows = 0;
    const char *text = l->extract(reader);
    if (text == NULL) {
        return DN_VERDICT_PASS;
    }
    const char *problem = dn_level0_batch_problem(text, n_rows);
    if (dn_conform_error_text_problem(text) == NULL) {
        v = c->run_config != NULL
                ? dn_conform_fail(c, "the run failed: %.300s", text)
                : dn_conform_skip(c,
                                  "it refuses a small CSV file; show it something that it "
                                  "reads with --run CONFIG: %.200s",
                                  text);
    } else if (problem != NULL) {
        v = dn_conform_fail(c, "%s: %.200s", problem, dn_utf8_is_valid(text) ? text : "...");
    } else {
        v = c->run_config == NULL ? batch_check(c, text, first) : DN_VERDICT_PASS;
    }
    l->free_text(text);
    return v;
}

static enum dn_verdict reader_rows(struct dn_conform *c)
{
    struct dn_level0 l;
    size_t n_rows = 0;
    size_t n_batches = 0;
    size_t n = 0;

    if (!dn_level0_take(c, true, &l)) {
        return DN_VERDICT_FAIL;
    }
    void *reader = reader_make(c, &l);
    if (reader == NULL) {
        return dn_conform_fail(c, "the create function returned NULL, which hosts do not check");
    }
    enum dn_verdict v = DN_VERDICT_PASS;
    while ((v = batch_take(c, &l, reader, n_rows, &n)) == DN_VERDICT_PASS && n > 0) {
        n_rows += n;
        n_batches++;
    }
    if (v == DN_VERDICT_PASS) {
        v = batch_take(c, &l, reader, n_rows, &n);
        if (v != DN_VERDICT_PASS || n > 0) {
            v = dn_conform_fail(c, "after NULL came another batch, which no host asks for");
        }
    }
    l.free_handle(reader);
    if (v == DN_VERDICT_PASS && n_rows == 0) {
        v = dn_conform_fail(c, "the first call returned NULL: no rows");
    }
    if (v == DN_VERDICT_PASS && c->run_config == NULL && n_rows != 3 &&
        (n_rows == 2 || c->is_small)) {
        return dn_conform_fail(c, "3 rows expected, got %zu", n_rows);
    }
    if (v == DN_VERDICT_PASS && c->run_config == NULL && n_rows != 3) {
        return dn_conform_skip(c, "%zu rows: it does not read the small CSV file", n_rows);
    }
    if (v == DN_VERDICT_PASS) {
        (void)snprintf(c->said, sizeof c->said, "%zu rows in %zu batches, then the end", n_rows,
                       n_batches);
    }
    return v;
}

static enum dn_verdict rows_count(struct dn_conform *c, const struct dn_level0 *l, size_t *n_rows)
{
    size_t n = 1;
    void *reader = reader_make(c, l);
    enum dn_verdict v = DN_VERDICT_PASS;

    for (*n_rows = 0; v == DN_VERDICT_PASS && n > 0; *n_rows += n) {
        v = batch_take(c, l, reader, *n_rows, &n);
    }
    l->free_handle(reader);
    return v;
}

static enum dn_verdict reader_file_twice(struct dn_conform *c)
{
    struct dn_level0 l;
    char path[512];
    char own[1024];
    size_t n_one = 0;
    size_t n_two = 0;

    if (!dn_level0_take(c, true, &l)) {
        return DN_VERDICT_FAIL;
    }
    enum dn_verdict v = rows_count(c, &l, &n_one);
    if (v != DN_VERDICT_PASS) {
        return v;
    }
    (void)snprintf(own, sizeof own, READER_CONFIG, dn_conform_path(c, "in.csv", path));
    const char *one = c->run_config;
    char *two = dn_conform_file_twice(one != NULL ? one : own);
    if (two == NULL) {
        return dn_conform_skip(c, "the configuration has not one file");
    }
    c->run_config = two;
    const bool is_refused = rows_count(c, &l, &n_two) != DN_VERDICT_PASS; /* said: why */
    c->run_config = one;
    dn_free(two);
    return is_refused || n_two == 2 * n_one
               ? DN_VERDICT_PASS
               : dn_conform_fail(c, "%zu rows, and of the file twice %zu", n_one, n_two);
}

/* Two handles that take turns give what one gives; one is freed in the middle. */
static enum dn_verdict reader_two(struct dn_conform *c)
{
    struct dn_level0 l;
    size_t n_rows[3] = {0};
    bool ended[3] = {false};
    void *reader[3];
    enum dn_verdict v = DN_VERDICT_PASS;

    if (!dn_level0_take(c, true, &l)) {
        return DN_VERDICT_FAIL;
    }
    for (int i = 0; i < 3; i++) {
        reader[i] = reader_make(c, &l);
    }
    size_t n = 0;
    v = batch_take(c, &l, reader[2], 0, &n);
    l.free_handle(reader[2]); /* in the middle of the data, as hosts do where a value is wrong */
    while (v == DN_VERDICT_PASS && !(ended[0] && ended[1])) {
        for (int i = 0; i < 2 && v == DN_VERDICT_PASS; i++) {
            if (!ended[i]) {
                v = batch_take(c, &l, reader[i], n_rows[i], &n);
                n_rows[i] += n;
                ended[i] = n == 0;
            }
        }
    }
    l.free_handle(reader[0]);
    l.free_handle(reader[1]);
    if (v == DN_VERDICT_FAIL) {
        return dn_conform_fail(c, "of readers that took turns: %.300s", c->said);
    }
    return v == DN_VERDICT_PASS && n_rows[0] != n_rows[1]
               ? dn_conform_fail(c, "two readers that took turns got %zu and %zu rows", n_rows[0],
                                 n_rows[1])
               : v;
}

/* Handle after handle: what is there for good is there after half of them. */
static enum dn_verdict reader_many(struct dn_conform *c)
{
    struct dn_level0 l;
    size_t n = 0;
    int n_files = 0;
    int n_threads = 0;
    size_t used = 0;

    if (!dn_level0_take(c, true, &l)) {
        return DN_VERDICT_FAIL;
    }
    for (int i = 0; i < 2 * MANY; i++) {
        if (i == MANY) {
            n_files = dn_conform_files_open();
            n_threads = dn_conform_threads();
            used = dn_os_heaps_used();
        }
        void *reader = reader_make(c, &l);
        const enum dn_verdict v = batch_take(c, &l, reader, 0, &n);
        l.free_handle(reader);
        if (v != DN_VERDICT_PASS) {
            return v;
        }
    }
    const size_t now = dn_os_heaps_used();
    if (dn_conform_files_open() > n_files) {
        return dn_conform_fail(c, "%d readers left %d files open", MANY,
                               dn_conform_files_open() - n_files);
    }
    if (dn_conform_threads() >=
        n_threads + MANY) { /* one that is about to end is none that stays */
        return dn_conform_fail(c, "%d readers left %d threads", MANY,
                               dn_conform_threads() - n_threads);
    }
    if (now > used && now - used >= MANY * LEAKED) {
        return dn_conform_fail(c, "%d readers left %zu bytes of memory", MANY, now - used);
    }
    return DN_VERDICT_PASS;
}

const struct dn_conform_check dn_conform_level0_reader[] = {
    {"a configuration that is not JSON gives an error text", reader_bad_json,
     "let create return a handle that remembers the error, and return \"DATIVO_PLUGIN_ERROR "
     "{...}\" "
     "from every call of extract_batch()"},
    {"a missing file gives an error text", reader_missing_file,
     "return \"DATIVO_PLUGIN_ERROR {...}\" from every call of extract_batch(): NULL is the end of "
     "the data"},
    {"NULL handles give an error text and do no harm", reader_null,
     "begin extract_batch() and free_reader() with a look for NULL: hosts pass on what create "
     "returned"},
    {"batches are lists of records, then NULL", reader_rows,
     "return [{...},...] with at least one record in UTF-8, and NULL at the end and nowhere else"},
    {"of two files come the rows of both, or an error", reader_file_twice,
     "read every entry of files, or refuse more than one: rows that are passed over are lost"},
    {"readers do not disturb each other, and may be freed early", reader_two,
     "keep all state in the handle: no static variables"},
    {"readers that are gone leave no files open, no threads and no memory", reader_many,
     "close, join and free in free_reader() all that the handle has, and in free_string() the "
     "text"},
    {NULL, NULL, NULL},
};
