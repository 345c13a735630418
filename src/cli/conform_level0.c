/* Checks of Level 0, as hosts use it: of readers, and what those of writers need as well. */
#include "cli/conform_level0.h"

#include "base/buffer.h"
#include "base/digest.h"
#include "base/memory.h"
#include "base/strings.h"
#include "base/utf8.h"
#include "job/json_text.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    MANY = 40 /* readers in a round */
};

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

enum dn_verdict dn_level0_no_handle(struct dn_conform *c)
{
    return DN_CONFORM_FAIL(c,
                           "let create return a handle that remembers the error: the next call "
                           "tells it",
                           "the create function returned NULL, which hosts do not check");
}

enum dn_verdict dn_level0_error_text(struct dn_conform *c, const struct dn_level0 *l,
                                     const char *text, const char *what)
{
    const char *problem = dn_conform_error_text_problem(text);

    if (problem != NULL) {
        if (text != NULL) {
            l->free_text(text);
            c->remedy = "let an error text begin with \"" DATIVO_ERROR_PREFIX
                        "\", and an object follow, in UTF-8, with \"code\" and \"message\"";
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

/* The length of a word, or of a number, that jansson does not read; 0: there is none. */
static size_t odd_len(const char *p)
{
    static const char *const words[] = {"-Infinity", "Infinity", "NaN"};
    char *end = NULL;

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (dn_text_starts_with(p, words[i])) {
            return strlen(words[i]);
        }
    }
    const size_t len = strspn(p, "0123456789+-.eE");
    return len > 0 && isinf(dn_text_to_double(p, &end)) && end == p + len ? len : 0;
}

/*
 * Hosts read NaN, infinities and numbers of any size, as json of Python does, and jansson reads none of them.  Nobody looks at such values here,
 * so zeros stand in their places, and integers are reals.
 */
static json_t *batch_parse(const char *text, size_t flags)
{
    bool in_string = false;

    flags |= JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL;
    json_t *batch = json_loads(text, flags, NULL);
    char *copy = batch == NULL ? dn_strdup(text) : NULL;
    for (char *p = copy; p != NULL && *p != '\0'; p++) {
        if (*p == '"') {
            in_string = !in_string;
        } else if (in_string) {
            p += *p == '\\' && p[1] != '\0';
        } else if (strchr("-IN0123456789", *p) != NULL) {
            const size_t len = odd_len(p);
            if (len > 0) {
                put_zero(p, len);
            } else {
                p += strspn(p + 1, "0123456789+-.eE");
            }
        }
    }
    if (copy != NULL) {
        batch = json_loads(copy, flags, NULL);
    }
    dn_free(copy);
    return batch;
}

static const char *list_problem(const json_t *batch)
{
    if (!json_is_array(batch)) {
        return "a text is no list of records";
    }
    if (json_array_size(batch) == 0) {
        return "an empty list came: hosts take it for the end of the data";
    }
    for (size_t i = 0; i < json_array_size(batch); i++) {
        const json_t *record = json_array_get(batch, i);
        if (!json_is_object(record)) {
            return "a record is no object";
        }
        if (json_object_get(record, "__error__") != NULL) {
            return "an error came as a record: hosts write it as data";
        }
        if (json_object_size(record) == 0) {
            return "a record has no keys";
        }
    }
    return NULL;
}

json_t *dn_level0_batch_read(const char *text, const char **problem)
{
    if (text[0] == '\0') {
        *problem = "a text is empty";
        return NULL;
    }
    if (!dn_utf8_is_valid(text)) {
        *problem = "a text is not UTF-8: hosts take it for the end of the data";
        return NULL;
    }
    json_t *batch = batch_parse(text, JSON_REJECT_DUPLICATES);
    const bool is_distinct = batch != NULL;
    batch = is_distinct ? batch : batch_parse(text, 0);
    *problem = batch == NULL ? "a text is not JSON" : list_problem(batch);
    if (*problem == NULL && !is_distinct) {
        *problem = "a record has a key twice: hosts keep the last value";
    }
    if (*problem != NULL) {
        json_decref(batch);
        return NULL;
    }
    return batch;
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
        return dn_level0_no_handle(c);
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

static enum dn_verdict reader_missing_file(struct dn_conform *c)
{
    char path[512];
    char config[1024];
    struct dn_level0 l;
    const char *problem = NULL;

    if (!dn_level0_take(c, true, &l)) {
        return DN_VERDICT_FAIL;
    }
    (void)snprintf(config, sizeof config, DN_LEVEL0_READER_CONFIG, "csv",
                   dn_conform_path(c, "in-missing.csv", path));
    void *reader = l.create(config);
    const char *text = reader != NULL ? l.extract(reader) : NULL;
    json_t *batch = text != NULL ? dn_level0_batch_read(text, &problem) : NULL;
    const bool has_rows = batch != NULL;
    json_decref(batch);
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

/* A reader, and its first text if somebody has looked at that already. */
struct source {
    void *handle;
    const char *first;
    bool has_first;
};

/* Is it an error text with that code? */
static bool is_unsupported(const char *text)
{
    json_t *error = text != NULL && dn_text_starts_with(text, DATIVO_ERROR_PREFIX)
                        ? json_loads(text + strlen(DATIVO_ERROR_PREFIX), 0, NULL)
                        : NULL;
    const char *code = json_string_value(json_object_get(error, "code"));
    const bool is_one = code != NULL && strcmp(code, "unsupported") == 0;

    json_decref(error);
    return is_one;
}

static void *small_make(const struct dn_conform *c, const struct dn_level0 *l)
{
    char config[1024];
    void *reader = dn_level0_small_config(c, config) != NULL ? l->create(config) : NULL;

    return reader; /* cppcheck-suppress returnDanglingLifetime ; the configuration is the caller's */
}

static void source_free(const struct dn_level0 *l, struct source *s)
{
    if (s->has_first && s->first != NULL) {
        l->free_text(s->first);
    }
    l->free_handle(s->handle);
    *s = (struct source){0};
}

/* A reader of the configuration that was given, or else of the small file: CSV, or Parquet where that is unsupported. */
static struct source source_make(struct dn_conform *c, const struct dn_level0 *l)
{
    if (c->run_config != NULL) {
        return (struct source){.handle = l->create(c->run_config)};
    }
    struct source s = {.handle = small_make(c, l)};
    if (s.handle == NULL || c->is_form_known) {
        return s;
    }
    s.first = l->extract(s.handle);
    s.has_first = true;
    c->is_form_known = true;
    if (is_unsupported(s.first)) {
        source_free(l, &s);
        c->is_parquet = true;
        s.handle = small_make(c, l);
    }
    return s;
}

/* What came of a reader so far. */
struct rows {
    size_t n;
    size_t n_compared; /* the first so many are, and no more wanted; 0: all are counted */
    uint64_t sum;      /* of these records, whatever their order */
};

static void rows_add(struct rows *rows, const json_t *batch)
{
    struct dn_buffer record = {0};

    for (size_t i = 0; i < json_array_size(batch) && rows->n + i < rows->n_compared; i++) {
        dn_buffer_reset(&record);
        if (dn_json_write(json_array_get(batch, i), &record, NULL) == DN_OK) {
            rows->sum += dn_digest_bytes(DN_DIGEST_START, record.data, record.len);
        }
    }
    dn_buffer_finish(&record);
    rows->n += json_array_size(batch);
}

static bool is_enough(const struct rows *rows)
{
    return rows->n_compared > 0 && rows->n >= rows->n_compared;
}

static const char k_batches[] =
    "return [{...},...] with at least one record in UTF-8, and NULL at the end and nowhere else";
static const char k_refuses[] =
    "see what the message says; a reader of something else answers the code \"unsupported\" to a "
    "source that it does not read, and is checked with its own by --run CONFIG";

/* An error where rows were expected; only a reader of something else may give one. */
static enum dn_verdict refused(struct dn_conform *c, const char *text)
{
    if (c->run_config != NULL) {
        return DN_CONFORM_FAIL(c, "see what the message says: the configuration is that of --run",
                               "the run failed: %.300s", text);
    }
    return is_unsupported(text)
               ? dn_conform_unread(c,
                                   "it reads neither the small CSV file nor that of Parquet: --run "
                                   "CONFIG checks it with yours: %.200s",
                                   text)
               : DN_CONFORM_FAIL(c, k_refuses, "an error came of a good file: %.200s", text);
}

/* Whatever is no error text need not be looked at as a whole to see that. */
static bool is_error_text(const char *text)
{
    return dn_text_starts_with(text, DATIVO_ERROR_PREFIX) && dn_utf8_is_valid(text);
}

static const char *text_take(const struct dn_conform *c, const struct dn_level0 *l,
                             struct source *s)
{
    const char *text = s->has_first ? s->first : l->extract(s->handle);

    s->has_first = false;
    dn_conform_progress(c);
    return text;
}

/* The next batch; PASS with *n 0: the end. */
static enum dn_verdict batch_take(struct dn_conform *c, const struct dn_level0 *l, struct source *s,
                                  struct rows *rows, size_t *n)
{
    enum dn_verdict v = DN_VERDICT_PASS;
    const char *problem = NULL;

    *n = 0;
    const char *text = text_take(c, l, s);
    if (text == NULL) {
        return DN_VERDICT_PASS;
    }
    json_t *batch = dn_level0_batch_read(text, &problem);
    if (batch != NULL) {
        *n = json_array_size(batch);
        v = c->run_config == NULL ? dn_level0_small_check(c, batch, rows->n) : DN_VERDICT_PASS;
        rows_add(rows, batch);
    } else if (is_error_text(text)) {
        v = refused(c, text);
    } else {
        v = DN_CONFORM_FAIL(c, k_batches, "%s: %.200s", problem,
                            dn_utf8_is_valid(text) ? text : "...");
    }
    json_decref(batch);
    l->free_text(text);
    return v;
}

/* A reader's rows, as many as are wanted. */
static enum dn_verdict rows_take(struct dn_conform *c, const struct dn_level0 *l, struct source *s,
                                 struct rows *rows, size_t *n_batches)
{
    enum dn_verdict v = DN_VERDICT_PASS;
    size_t n = 0;

    *n_batches = 0;
    while (!is_enough(rows) && (v = batch_take(c, l, s, rows, &n)) == DN_VERDICT_PASS && n > 0) {
        ++*n_batches;
    }
    return v;
}

/* Behind NULL comes NULL. */
static enum dn_verdict end_check(struct dn_conform *c, const struct dn_level0 *l, struct source *s)
{
    enum dn_verdict v = DN_VERDICT_PASS;

    const char *text = l->extract(s->handle);
    if (text == NULL) {
        return DN_VERDICT_PASS;
    }
    if (is_error_text(text)) {
        v = DN_CONFORM_FAIL(c,
                            "return the error text itself, and from every later call: at NULL "
                            "hosts stop, and take what came for everything",
                            "NULL was returned in place of an error, which came behind it: %.200s",
                            text);
    } else {
        v = DN_CONFORM_FAIL(c, k_batches, "after NULL came another batch, which no host asks for");
    }
    l->free_text(text);
    return v;
}

static const char k_each_once[] =
    "look at the first row, at the last, and at those where a batch ends: each comes once";

static enum dn_verdict count_check(struct dn_conform *c, size_t n_rows)
{
    if (n_rows == 0) {
        return DN_CONFORM_FAIL(c, "return the rows of the source before NULL, which is their end",
                               "the first call returned NULL: no rows");
    }
    if (c->run_config == NULL && !c->is_small) {
        return dn_conform_unread(c,
                                 "%zu rows, but not those of the small CSV file: --run CONFIG "
                                 "checks it with yours",
                                 n_rows);
    }
    return c->run_config == NULL && n_rows != 3
               ? DN_CONFORM_FAIL(c, k_each_once, "3 rows expected, got %zu", n_rows)
               : dn_conform_rows_compare(c, (int64_t)n_rows);
}

static enum dn_verdict reader_rows(struct dn_conform *c)
{
    struct dn_level0 l;
    struct rows rows = {0};
    size_t n_batches = 0;

    if (!dn_level0_take(c, true, &l)) {
        return DN_VERDICT_FAIL;
    }
    struct source s = source_make(c, &l);
    if (s.handle == NULL) {
        return dn_level0_no_handle(c);
    }
    enum dn_verdict v = rows_take(c, &l, &s, &rows, &n_batches);
    v = v == DN_VERDICT_PASS ? end_check(c, &l, &s) : v;
    source_free(&l, &s);
    v = v == DN_VERDICT_PASS ? count_check(c, rows.n) : v;
    if (v == DN_VERDICT_PASS) {
        (void)snprintf(c->said, sizeof c->said, "%zu rows in %zu batches, then the end", rows.n,
                       n_batches);
    }
    return v;
}

static enum dn_verdict rows_of_one(struct dn_conform *c, const struct dn_level0 *l,
                                   struct rows *rows)
{
    size_t n_batches = 0;
    struct source s = source_make(c, l);
    const enum dn_verdict v = rows_take(c, l, &s, rows, &n_batches);

    source_free(l, &s);
    return v;
}

static enum dn_verdict reader_file_twice(struct dn_conform *c)
{
    struct dn_level0 l;
    char own[1024];
    struct rows one = {0};
    struct rows two = {0};

    if (!dn_level0_take(c, true, &l)) {
        return DN_VERDICT_FAIL;
    }
    const enum dn_verdict v = rows_of_one(c, &l, &one);
    if (v != DN_VERDICT_PASS) {
        return v;
    }
    if (c->run_config == NULL && !c->is_small) {
        return dn_conform_unread(c, "its rows are not those of the small CSV file: --run CONFIG "
                                    "checks it with yours");
    }
    const char *given = c->run_config;
    const char *config = given != NULL ? given : dn_level0_small_config(c, own);
    char *twice = config != NULL ? dn_conform_file_twice(config) : NULL;
    if (twice == NULL) {
        return dn_conform_skip(c, "the configuration has not one file");
    }
    c->run_config = twice;
    const bool is_refused = rows_of_one(c, &l, &two) != DN_VERDICT_PASS;
    c->run_config = given;
    c->remedy = NULL;
    dn_free(twice);
    return is_refused ? dn_conform_pass(c, "it refuses more than one file")
           : two.n == 2 * one.n
               ? DN_VERDICT_PASS
               : dn_conform_fail(c, "%zu rows, and of the file twice %zu", one.n, two.n);
}

/* Two that take turns, until both have ended, or have given enough. */
static enum dn_verdict turns_take(struct dn_conform *c, const struct dn_level0 *l,
                                  struct source sources[2], struct rows rows[2])
{
    bool ended[2] = {false};
    enum dn_verdict v = DN_VERDICT_PASS;

    while (v == DN_VERDICT_PASS && !(ended[0] && ended[1])) {
        for (int i = 0; i < 2 && v == DN_VERDICT_PASS; i++) {
            size_t n = 0;
            v = ended[i] ? v : batch_take(c, l, &sources[i], &rows[i], &n);
            ended[i] = n == 0 || is_enough(&rows[i]);
        }
    }
    return v;
}

static size_t compared(const struct rows *rows)
{
    return is_enough(rows) ? rows->n_compared : rows->n;
}

static enum dn_verdict rows_compare(struct dn_conform *c, const struct rows *alone,
                                    const struct rows rows[2])
{
    static const char differs[] = "keep all state in the handle: no static variables, and nothing "
                                  "that goes on where another reader was";

    if (compared(&rows[0]) != compared(alone) || compared(&rows[1]) != compared(alone)) {
        return DN_CONFORM_FAIL(c, differs,
                               "two readers that took turns got %zu and %zu rows, and one alone "
                               "before them %zu",
                               rows[0].n, rows[1].n, alone->n);
    }
    return rows[0].sum == alone->sum && rows[1].sum == alone->sum
               ? DN_VERDICT_PASS
               : DN_CONFORM_FAIL(c, differs,
                                 "two readers that took turns got other rows than one alone before "
                                 "them");
}

/* Two handles that take turns give what one, `alone`, has given; another is freed in the middle. */
static enum dn_verdict turns_compare(struct dn_conform *c, const struct dn_level0 *l,
                                     const struct rows *alone)
{
    struct rows early = {0};
    struct rows rows[2] = {{.n_compared = alone->n_compared}, {.n_compared = alone->n_compared}};
    struct source sources[3];
    size_t n = 0;

    for (int i = 0; i < 3; i++) {
        sources[i] = source_make(c, l);
    }
    enum dn_verdict v = batch_take(c, l, &sources[2], &early, &n);
    source_free(l, &sources[2]); /* in the middle of the data, as hosts do where a value is wrong */
    v = v == DN_VERDICT_PASS ? turns_take(c, l, sources, rows) : v;
    source_free(l, &sources[0]);
    source_free(l, &sources[1]);
    if (v == DN_VERDICT_FAIL) {
        char said[sizeof c->said];
        memcpy(said, c->said, sizeof said);
        c->remedy = NULL; /* one alone has no such defect */
        return dn_conform_fail(c, "of readers that took turns: %.300s", said);
    }
    return v == DN_VERDICT_PASS ? rows_compare(c, alone, rows) : v;
}

/* A host may hold several at a time, of whatever readers. */
static enum dn_verdict texts_stay(struct dn_conform *c, const struct dn_level0 *l)
{
    static const char remedy[] = "let every text have memory of its own until free_string()";
    struct source s[] = {source_make(c, l), source_make(c, l)};
    const char *texts[4] = {NULL};
    char *copies[4] = {NULL};
    enum dn_verdict v = DN_VERDICT_PASS;

    for (int i = 0; i < 4; i++) {
        texts[i] = text_take(c, l, &s[i % 2]);
        copies[i] = texts[i] != NULL ? dn_strdup(texts[i]) : NULL;
    }
    for (int i = 0; i < 4; i++) {
        if (v == DN_VERDICT_PASS && copies[i] != NULL && strcmp(texts[i], copies[i]) != 0) {
            v = DN_CONFORM_FAIL(c, remedy, "a text became another one while others came");
        }
    }
    for (int i = 0; i < 4; i++) {
        dn_free(copies[i]);
        if (texts[i] != NULL) {
            l->free_text(texts[i]);
        }
    }
    source_free(l, &s[0]);
    source_free(l, &s[1]);
    return v;
}

/* Rows may come in any order: only where the first are not the same ones, all have to be. */
static enum dn_verdict reader_two(struct dn_conform *c)
{
    static const size_t n_compared[] = {DN_CONFORM_ROWS_COMPARED, SIZE_MAX};
    struct dn_level0 l;
    enum dn_verdict v = DN_VERDICT_FAIL;
    bool is_cut = true;

    if (!dn_level0_take(c, true, &l)) {
        return DN_VERDICT_FAIL;
    }
    for (int i = 0; i < 2 && v == DN_VERDICT_FAIL && is_cut; i++) {
        struct rows alone = {.n_compared = n_compared[i]};
        c->said[0] = '\0';
        c->remedy = NULL;
        v = rows_of_one(c, &l, &alone);
        is_cut = is_enough(&alone);
        v = v == DN_VERDICT_PASS ? turns_compare(c, &l, &alone) : v;
    }
    return v == DN_VERDICT_PASS ? texts_stay(c, &l) : v;
}

/* One batch, or an error: others look at what is in it. */
static enum dn_verdict text_pass_over(struct dn_conform *c, const struct dn_level0 *l,
                                      struct source *s)
{
    const char *text = text_take(c, l, s);
    const enum dn_verdict v =
        text != NULL && is_error_text(text) ? refused(c, text) : DN_VERDICT_PASS;

    if (text != NULL) {
        l->free_text(text);
    }
    return v;
}

/* Handle after handle. */
static enum dn_verdict reader_many(struct dn_conform *c)
{
    struct dn_level0 l;
    struct dn_conform_left left = {.n = MANY};

    if (!dn_level0_take(c, true, &l)) {
        return DN_VERDICT_FAIL;
    }
    for (int i = 0; dn_conform_left_take(&left, i); i++) {
        struct source s = source_make(c, &l);
        const enum dn_verdict v = text_pass_over(c, &l, &s);
        source_free(&l, &s);
        if (v != DN_VERDICT_PASS) {
            return v;
        }
    }
    return dn_conform_left_check(c, &left, "readers");
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
    {"batches are lists of records, then NULL", reader_rows, k_batches},
    {"of two files come the rows of both, or an error", reader_file_twice,
     "read every entry of files, or refuse more than one: rows that are passed over are lost"},
    {"readers do not disturb each other, and may be freed early", reader_two,
     "keep all state in the handle: no static variables"},
    {"readers that are gone leave no files open, no threads and no memory", reader_many,
     "close, join and free in free_reader() all that the handle has, and in free_string() the "
     "text"},
    {NULL, NULL, NULL},
};
