/*
 * What people write by hand: jobs, recipes and assets (YAML), the configurations of both plugins (JSON), command lines.  Any
 * bytes are either refused with an error that says why, or give values that are what the headers say.  The low three bits of
 * the first byte say what the rest is (the digits 0 to 7 do), bit 6 gives the process a DATIVO_OUTPUT_DIR.  Of the
 * environment, only the variables of set_environment() are there.
 */
#include "fuzz_target.h"

#include "base/strings.h"
#include "base/utf8.h"
#include "cli/flags.h"
#include "csv_reader.h"
#include "job/expand.h"
#include "job/job.h"
#include "job/json_text.h"
#include "parquet_writer.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define NAME "fuzz.yaml"
#define MAX_INPUT 100000

enum kind {
    KIND_YAML = 0,
    KIND_JOB = 1, /* what a job, its asset and its two recipes say, with lines "---" between them */
    KIND_READER_0 = 2, /* configuration of the CSV reader, Level 0 */
    KIND_READER_1 = 3,
    KIND_WRITER_0 = 4, /* configuration of the Parquet writer, Level 0 */
    KIND_WRITER_1 = 5,
    KIND_FLAGS = 6, /* one argument per line */
    KIND_WORD = 7,  /* a column type, a size, a text with ${VAR} */
};

/* What of a writer its configuration is read for. */
const struct dn_writer_kind dn_writer_kind = {
    .format = "parquet", .ending = ".parquet", .nested = true};

static void set_environment(bool with_output_dir)
{
    static bool done = false;
    bool failed = false;

    if (!done) {
        failed = clearenv() != 0 || setenv("A", "value", 1) != 0 || setenv("E", "", 1) != 0 ||
                 setenv("N", "12", 1) != 0 || setenv("R", "${A}", 1) != 0 ||
                 setenv("B", "\xff/", 1) != 0 ||
                 setenv("AWS_EC2_METADATA_DISABLED", "true", 1) != 0; /* nobody is asked */
        done = true;
    }
    failed = failed || (with_output_dir ? setenv("DATIVO_OUTPUT_DIR", "/lake", 1)
                                        : unsetenv("DATIVO_OUTPUT_DIR")) != 0;
    FUZZ_CHECK(!failed, "the environment cannot be set");
}

/* The status is the error's code; a refusal says why, in one line of UTF-8, and is never for lack of memory or a defect. */
static void check_error(enum dn_status st, const struct dn_error *err)
{
    FUZZ_CHECK((int32_t)st == err->code, "status %d, error code %d", st, err->code);
    FUZZ_CHECK(memchr(err->message, '\0', sizeof err->message) != NULL, "status %d", st);
    FUZZ_CHECK((st == DN_OK) == (err->message[0] == '\0'), "status %d: %s", st, err->message);
    FUZZ_CHECK(st == DN_OK || st == DN_ERR_CONFIG || st == DN_ERR_UNSUPPORTED ||
                   st == DN_ERR_INVALID || st == DN_ERR_NOT_FOUND /* by a pattern */,
               "status %d: %s", st, err->message);
    FUZZ_CHECK(dn_utf8_is_valid(err->message), "%s", err->message);
    for (const char *p = err->message; *p != '\0'; p++) {
        FUZZ_CHECK((unsigned char)*p >= 0x20 && *p != 0x7f, "%s", err->message);
    }
}

/* What is wrong with a document has a line in it, or a byte where it is not even UTF-8. */
static void check_place(enum dn_status st, const struct dn_error *err, size_t len)
{
    if (st == DN_ERR_CONFIG) {
        FUZZ_CHECK(err->path[0] != '\0' && strstr(err->message, err->path) == err->message,
                   "path %s: %s", err->path, err->message);
        FUZZ_CHECK(err->line >= 1 || err->byte_offset >= 0, "%s", err->message);
        FUZZ_CHECK(err->line <= (int64_t)len + 1 && err->byte_offset <= (int64_t)len, "%s",
                   err->message);
    }
}

/* A copy of exactly its size, so that reading behind it is seen. */
static char *exact_copy(const void *bytes, size_t len)
{
    char *copy = malloc(len > 0 ? len : 1);

    FUZZ_CHECK(copy != NULL, "out of memory");
    if (len > 0) {
        memcpy(copy, bytes, len);
    }
    return copy;
}

/* ---- YAML ---- */

/* Returns the nodes of the subtree. */
static size_t check_node(const struct dn_yaml_node *node, int depth)
{
    size_t n = 0;
    size_t weight = 1;

    FUZZ_CHECK(depth <= DN_YAML_MAX_DEPTH, "depth %d", depth);
    FUZZ_CHECK(node->line >= 1 && node->column >= 1, "line %d, column %d", (int)node->line,
               (int)node->column);
    FUZZ_CHECK((node->kind == DN_YAML_SCALAR) == (node->text != NULL), "kind %d", node->kind);
    FUZZ_CHECK(node->text == NULL || dn_utf8_is_valid(node->text), "line %d", (int)node->line);
    for (const struct dn_yaml_entry *e = node->first; e != NULL; e = e->next) {
        FUZZ_CHECK(e->line >= 1 && e->column >= 1, "line %d, column %d", (int)e->line,
                   (int)e->column);
        FUZZ_CHECK((e->key != NULL) == (node->kind == DN_YAML_MAP), "line %d", (int)e->line);
        FUZZ_CHECK(e->key == NULL || dn_yaml_get(node, e->key) == e->value, "%s is twice in a map",
                   e->key);
        weight += check_node(e->value, depth + (e->value->kind != DN_YAML_SCALAR));
        n++;
    }
    FUZZ_CHECK(n == node->n && (n == 0 || node->kind != DN_YAML_SCALAR), "%zu of %zu children", n,
               node->n);
    FUZZ_CHECK(weight == node->weight && weight <= DN_YAML_MAX_NODES, "weight %zu of %zu",
               node->weight, weight);
    return weight;
}

/* JSON of printable ASCII in short lines is YAML, of the same meaning. */
static void check_as_yaml(const char *json, size_t len, const json_t *value)
{
    struct dn_yaml_doc doc = {0};
    struct dn_error err;
    json_t *again = NULL;
    bool plain = len < 1000;

    for (size_t i = 0; i < len; i++) {
        plain = plain && json[i] >= 0x20 && json[i] < 0x7f;
    }
    if (!plain) {
        return;
    }
    dn_error_clear(&err);
    FUZZ_CHECK(dn_yaml_read_text(&doc, NAME, json, len, &err) == DN_OK, "%s: %s", err.message,
               json);
    FUZZ_CHECK(dn_yaml_to_json(&doc, doc.root, &again, &err) == DN_OK, "%s", err.message);
    FUZZ_CHECK(json_equal(value, again), "a value changed: %s", json);
    json_decref(again);
    dn_yaml_finish(&doc);
}

/* What is written is what is read back. */
static void check_json(const json_t *value)
{
    struct dn_buffer out = {0};
    struct dn_error err;
    json_error_t problem;

    dn_error_clear(&err);
    FUZZ_CHECK(dn_json_write(value, &out, &err) == DN_OK, "%s", err.message);
    FUZZ_CHECK(out.data[out.len] == '\0' && strlen((const char *)out.data) == out.len,
               "%zu bytes are written", out.len);
    FUZZ_CHECK(memchr(out.data, '\n', out.len) == NULL, "%s", (const char *)out.data);
    json_t *again = json_loadb((const char *)out.data, out.len,
                               JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &problem);
    FUZZ_CHECK(again != NULL, "%s: %s", problem.text, (const char *)out.data);
    FUZZ_CHECK(json_equal(value, again), "a value changed: %s", (const char *)out.data);
    json_decref(again);
    check_as_yaml((const char *)out.data, out.len, value);
    dn_buffer_finish(&out);
}

static void check_document_as_json(const struct dn_yaml_doc *doc)
{
    struct dn_error err;
    json_t *value = NULL;

    dn_error_clear(&err);
    FUZZ_CHECK(dn_yaml_to_json(doc, doc->root, &value, &err) == DN_OK, "%s", err.message);
    FUZZ_CHECK(json_is_object(value) == (doc->root->kind == DN_YAML_MAP) &&
                   json_is_array(value) == (doc->root->kind == DN_YAML_LIST),
               "kind %d", doc->root->kind);
    check_json(value);
    json_decref(value);
}

static void run_yaml(const uint8_t *data, size_t size)
{
    struct dn_yaml_doc doc = {0};
    struct dn_error err;
    char *text = exact_copy(data, size);

    dn_error_clear(&err);
    enum dn_status st = dn_yaml_read_text(&doc, NAME, text, size, &err);
    free(text); /* the document keeps copies */
    check_error(st, &err);
    check_place(st, &err, size);
    FUZZ_CHECK((st == DN_OK) == (doc.root != NULL), "status %d", st);
    if (st != DN_OK) {
        return;
    }
    (void)check_node(doc.root, doc.root->kind != DN_YAML_SCALAR);
    check_document_as_json(&doc);
    st = dn_expand_node(&doc, doc.root, &err);
    check_error(st, &err);
    check_place(st, &err, size);
    if (st == DN_OK) {
        (void)check_node(doc.root, doc.root->kind != DN_YAML_SCALAR);
        check_document_as_json(&doc);
    }
    dn_yaml_finish(&doc);
}

/* ---- the plugins' configurations ---- */

/* A refusal as the host of Level 0 gets it. */
static void check_error_text(const struct dn_error *err)
{
    const char *text = dn_shell_error_text(err);
    const size_t len = strlen(DATIVO_ERROR_PREFIX);
    json_error_t problem;

    FUZZ_CHECK(strncmp(text, DATIVO_ERROR_PREFIX, len) == 0, "%s", text);
    json_t *error = json_loads(text + len, JSON_REJECT_DUPLICATES, &problem);
    FUZZ_CHECK(error != NULL, "%s: %s", problem.text, text);
    FUZZ_CHECK(strcmp(json_string_value(json_object_get(error, "message")), err->message) == 0,
               "%s", text);
    FUZZ_CHECK(strcmp(json_string_value(json_object_get(error, "code")),
                      dn_status_name((enum dn_status)err->code)) == 0,
               "%s", text);
    json_decref(error);
    dn_shell_text_free(text);
}

/* C texts end at a NUL: what has one inside must have been refused, or part of it would be lost without a word. */
static void check_no_nul(const json_t *value)
{
    json_t *mutable = (json_t *)(uintptr_t)value; /* jansson iterates through a mutable pointer */

    FUZZ_CHECK(!json_is_string(value) ||
                   strlen(json_string_value(value)) == json_string_length(value),
               "%s", json_string_value(value));
    for (size_t i = 0; i < json_array_size(value); i++) {
        check_no_nul(json_array_get(value, i));
    }
    for (void *it = json_object_iter(mutable); it != NULL;
         it = json_object_iter_next(mutable, it)) {
        check_no_nul(json_object_iter_value(it));
    }
}

static void check_option(const struct dn_shell_config *c, const struct dn_shell_option *option)
{
    const json_t *const places[] = {c->options, c->native};
    const char *const names[] = {option->name, option->alias};

    for (size_t i = 0; i < 4; i++) {
        const json_t *value =
            names[i % 2] != NULL ? dn_shell_get(places[i / 2], names[i % 2]) : NULL;
        if (value != NULL) {
            check_no_nul(value);
            return; /* the others are not looked at */
        }
    }
}

static void check_texts(const char *const *texts, size_t n)
{
    FUZZ_CHECK(n == 0 || texts != NULL, "%zu texts", n);
    for (size_t i = 0; i < n; i++) {
        FUZZ_CHECK(texts[i] != NULL && dn_utf8_is_valid(texts[i]), "text %zu", i);
    }
}

static bool is_dialect_byte(char byte)
{
    return (unsigned char)byte < 0x80 && byte != '\n' && byte != '\r';
}

static void check_reader_settings(const struct csv_settings *s, const struct dn_shell_config *c,
                                  int level)
{
    const struct dn_csv_options *o = &s->csv;

    for (size_t i = 0; i < csv_reader_n_options; i++) {
        check_option(c, &csv_reader_options[i]);
    }
    FUZZ_CHECK(o->struct_size == sizeof *o, "%u", o->struct_size);
    FUZZ_CHECK(is_dialect_byte(o->delimiter), "delimiter %d", o->delimiter);
    FUZZ_CHECK(is_dialect_byte(o->quote) && (o->quote == 0 || !o->no_quote), "quote %d", o->quote);
    FUZZ_CHECK(o->header == DN_CSV_HEADER_YES || o->header == DN_CSV_HEADER_NO, "%d", o->header);
    FUZZ_CHECK(s->values <= CSV_VALUES_COLUMN, "values %d", s->values);
    FUZZ_CHECK((o->inference == DN_CSV_INFER_COLUMN) == (s->values == CSV_VALUES_COLUMN), "%d",
               o->inference);
    check_texts(o->null_values, o->n_null_values);
    check_texts(o->columns, o->n_columns);
    check_texts(o->required, o->n_required);
    for (size_t i = 0; i < o->n_types; i++) {
        FUZZ_CHECK(o->types[i].name != NULL && o->types[i].type != NULL, "type %zu", i);
        for (size_t before = 0; before < i; before++) {
            FUZZ_CHECK(strcmp(o->types[before].name, o->types[i].name) != 0, "%s has two types",
                       o->types[i].name);
        }
    }
    FUZZ_CHECK(s->chunk_rows == o->batch_rows && o->batch_rows >= (level == 0 ? 1 : 0) &&
                   o->batch_rows <= INT32_MAX,
               "%lld rows", (long long)o->batch_rows);
    FUZZ_CHECK(o->block_bytes <= INT32_MAX, "%zu bytes", o->block_bytes);
    FUZZ_CHECK(o->n_threads <= 1024, "%u threads", o->n_threads);
    FUZZ_CHECK(s->files.n >= 1, "no files");
    for (size_t i = 0; i < s->files.n; i++) {
        FUZZ_CHECK(s->files.paths[i] != NULL && s->files.paths[i][0] != '\0', "file %zu", i);
        FUZZ_CHECK(s->files.objects[i] != NULL, "file %zu", i);
    }
    check_no_nul(json_object_get(c->root, "type"));
    for (size_t i = 0; i < s->files.n; i++) {
        const json_t *file = json_array_get(json_object_get(c->root, "files"), i);
        check_no_nul(json_is_string(file) ? file : dn_shell_get(file, "path"));
        check_no_nul(json_is_string(file) ? NULL : dn_shell_get(file, "object"));
    }
}

static void check_fields(const struct dn_writer_target *s)
{
    for (int64_t i = 0; i < s->n_fields; i++) {
        const struct dn_record_field *f = &s->fields[i];
        FUZZ_CHECK(f->name != NULL && dn_utf8_is_valid(f->name), "column %lld", (long long)i);
        const struct dn_node flat = {.field = {f->name, f->type, true}};
        FUZZ_CHECK(dn_records_can_read(f->node != NULL ? f->node : &flat) &&
                       f->type.id != DN_TYPE_NULL,
                   "type %d", (int)f->type.id);
        for (int64_t before = 0; before < i; before++) {
            FUZZ_CHECK(strcmp(s->fields[before].name, f->name) != 0, "%s is there twice", f->name);
        }
    }
}

/* A batch's file is in the directory, and is the one file that was named. */
static void check_file_path(const struct dn_writer_target *s)
{
    struct dn_buffer b = {0};
    struct dn_error err;

    FUZZ_CHECK(s->directory != NULL && s->directory[0] != '\0', "no directory");
    FUZZ_CHECK(s->stem != NULL && strchr(s->stem, '/') == NULL, "stem %s", s->stem);
    FUZZ_CHECK(dn_writer_file_path(&b, s, 0, 0, &err) == DN_OK, "%s", err.message);
    const char *path = (const char *)b.data;
    const char *name = strrchr(path, '/');
    FUZZ_CHECK(b.len == strlen(path) + 1, "%s", path);
    FUZZ_CHECK(dn_text_starts_with(path, s->directory) && dn_text_ends_with(path, ".parquet"), "%s",
               path);
    FUZZ_CHECK(name != NULL && dn_text_starts_with(name + 1, s->stem), "%s", path);
    FUZZ_CHECK(name == path + strlen(s->directory) ||
                   (name + 1 == path + strlen(s->directory) && *name == '/'),
               "%s", path);
    FUZZ_CHECK(s->file == NULL || dn_text_ends_with(s->file, name + 1), "%s is not %s", path,
               s->file);
    dn_buffer_finish(&b);
}

/* s3://bucket is a bucket, or stands for a directory that somebody named, never for the root of the file system. */
static void check_lake(const struct dn_writer_target *s, struct dn_shell_config *c)
{
    const char *base = json_string_value(json_object_get(c->root, "output_base"));
    const char *dir = NULL;

    if (base == NULL || s->file != NULL ||
        !(dn_text_starts_with(base, "s3://") || dn_text_starts_with(base, "s3a://"))) {
        return;
    }
    FUZZ_CHECK(dn_shell_option_text(c, "output_dir", &dir, NULL) == DN_OK, "%s", base);
    dir = dir != NULL ? dir : getenv("DATIVO_OUTPUT_DIR");
    dir = dir != NULL && dir[0] != '\0' ? dir : "s3://";
    FUZZ_CHECK(dn_text_starts_with(s->directory, dir), "%s for %s", s->directory, base);
}

static void check_writer_settings(const struct dn_writer_target *t,
                                  const struct dn_parquet_options *o, struct dn_shell_config *c,
                                  int level)
{

    for (size_t i = 0; i < parquet_writer_n_options; i++) {
        const char *name = parquet_writer_options[i].name;
        if (strcmp(name, "enforce_required") != 0 && strcmp(name, "output_dir") != 0) {
            check_option(c, &parquet_writer_options[i]); /* those two are not always used */
        }
    }
    FUZZ_CHECK(o->struct_size == sizeof *o, "%u", o->struct_size);
    FUZZ_CHECK(o->compression == NULL || dn_utf8_is_valid(o->compression), "%s", o->compression);
    FUZZ_CHECK(o->row_group_rows >= 0 && o->row_group_rows <= INT32_MAX, "%lld rows",
               (long long)o->row_group_rows);
    FUZZ_CHECK(o->row_group_bytes <= (size_t)1 << 40, "%zu bytes", o->row_group_bytes);
    FUZZ_CHECK(o->page_rows >= 0 && o->page_rows <= INT32_MAX, "%lld rows",
               (long long)o->page_rows);
    FUZZ_CHECK(o->page_bytes <= INT32_MAX, "%zu bytes", o->page_bytes);
    FUZZ_CHECK(t->means.n_threads <= 1024, "%u threads", t->means.n_threads);
    if (level == 0) {
        check_fields(t);
        check_file_path(t);
        check_lake(t, c);
        check_no_nul(json_object_get(c->root, "output_base"));
    } else {
        FUZZ_CHECK(t->path != NULL && t->path[0] != '\0', "no path");
        check_no_nul(json_object_get(c->root, "path"));
    }
}

static enum dn_status read_reader(struct dn_shell_config *c, const char *text, int level,
                                  struct dn_error *err)
{
    struct csv_settings settings;

    dn_error_clear(err);
    DN_TRY(dn_shell_config_init(c, text, csv_reader_options, csv_reader_n_options, err));
    enum dn_status st = csv_settings_read(&settings, c, level, err);
    if (st == DN_OK) {
        check_reader_settings(&settings, c, level);
    }
    return st;
}

static enum dn_status read_writer(struct dn_shell_config *c, const char *text, int level,
                                  struct dn_error *err)
{
    struct dn_writer_target target;
    void *own = NULL;

    dn_error_clear(err);
    DN_TRY(dn_shell_config_init(c, text, parquet_writer_options, parquet_writer_n_options, err));
    DN_TRY(dn_writer_target_read(&target, c, err));
    const char *note = NULL;
    DN_TRY(parquet_writer_configure(c, &own, &note, err));
    enum dn_status st = level == 0 ? dn_writer_target_read_asset(&target, c, err)
                                   : dn_writer_target_read_path(&target, c, err);
    if (st == DN_OK) {
        check_writer_settings(&target, own, c, level);
    }
    return st;
}

/* `text` has a NUL as its last byte. */
static void run_plugin(const char *text, enum kind kind)
{
    const bool reads = kind == KIND_READER_0 || kind == KIND_READER_1;
    const int level = kind == KIND_READER_1 || kind == KIND_WRITER_1;
    struct dn_shell_config c = {0};
    struct dn_error err;
    json_t *root = NULL;

    dn_error_clear(&err);
    enum dn_status st = dn_shell_json_parse(&root, text, "the text", &err);
    check_error(st, &err);
    FUZZ_CHECK((st == DN_OK) == (root != NULL), "status %d", st);
    FUZZ_CHECK(st == DN_OK || (err.line >= 1 && err.byte_offset >= 0 &&
                               (size_t)err.byte_offset <= strlen(text)),
               "%s", err.message);
    const enum dn_status parsed = st;
    json_decref(root);
    st = reads ? read_reader(&c, text, level, &err) : read_writer(&c, text, level, &err);
    check_error(st, &err);
    FUZZ_CHECK(parsed == DN_OK || parsed == st, "status %d after %d", st, parsed);
    dn_shell_config_finish(&c);
    if (st != DN_OK) {
        check_error_text(&err);
        return;
    }
    /* The object alone, without what was behind it: no NUL is needed. */
    json_error_t end;
    root = json_loads(text, JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL,
                      &end); /* integers beyond 64 bits may stand where nobody looks */
    FUZZ_CHECK(root != NULL && end.position > 0, "%s", text);
    json_decref(root);
    char *exact = exact_copy(text, (size_t)end.position);
    st = reads ? read_reader(&c, exact, level, &err) : read_writer(&c, exact, level, &err);
    FUZZ_CHECK(st == DN_OK, "%s", err.message);
    dn_shell_config_finish(&c);
    free(exact);
}

/* ---- jobs ---- */

#define N_DOCUMENTS 4

/* What stands for a document that the input leaves out. */
static const char *const k_documents[N_DOCUMENTS] = {
    "tenant_id: t\nsource: {files: [{path: a.csv}]}\ntarget: {connection: {path: out}}\n",
    "name: orders\nschema: [{name: id, type: integer, required: true}, {name: note}]\n",
    "type: csv\nroles: [source]\ndefault_engine: {options: {native: {delimiter: ';'}}}\n",
    "type: local\nroles: [target]\nconnection_template: {path: elsewhere}\n",
};

/*
 * The job opens the three other documents, which are in memory, and nothing else: these keys cannot be given again, and what
 * continues the last line changes a key that nobody reads.
 */
static const char k_job_head[] = "asset_path: %s\nsource_connector_path: %s\n"
                                 "target_connector_path: %s\nasset: fuzz\n";

static size_t put_document(char path[32], int *fd, const char *head, const void *text, size_t len)
{
    const size_t head_len = strlen(head);

    if (*fd < 0) {
        *fd = memfd_create("fuzz_config", 0);
    }
    FUZZ_CHECK(*fd >= 0 && ftruncate(*fd, 0) == 0 &&
                   pwrite(*fd, head, head_len, 0) == (ssize_t)head_len &&
                   pwrite(*fd, text, len, (off_t)head_len) == (ssize_t)len,
               "memory cannot be had");
    (void)snprintf(path, 32, "/proc/self/fd/%d", *fd);
    return head_len + len;
}

/* Returns the length of the longest document. */
static size_t put_documents(char paths[N_DOCUMENTS][32], const uint8_t *data, size_t size)
{
    static int fds[N_DOCUMENTS] = {-1, -1, -1, -1};
    struct dn_span parts[N_DOCUMENTS];
    char head[256] = "";
    size_t longest = 0;

    for (int i = 0; i < N_DOCUMENTS; i++) {
        if (data == NULL) {
            parts[i] = (struct dn_span){(const uint8_t *)k_documents[i], strlen(k_documents[i])};
            continue;
        }
        const uint8_t *line = size > 0 ? memmem(data, size, "\n---\n", 5) : NULL;
        const size_t len = line != NULL ? (size_t)(line - data) + 1 : size;
        parts[i] = (struct dn_span){data, len};
        if (len <= 1 && line != NULL) { /* nothing before the "---" */
            parts[i] = (struct dn_span){(const uint8_t *)k_documents[i], strlen(k_documents[i])};
        }
        data = line != NULL ? line + 5 : NULL;
        size = line != NULL ? size - len - 4 : 0;
    }
    for (int i = N_DOCUMENTS - 1; i >= 0; i--) { /* the job last: it names the others */
        if (i == 0) {
            (void)snprintf(head, sizeof head, k_job_head, paths[1], paths[2], paths[3]);
        }
        const size_t len = put_document(paths[i], &fds[i], head, parts[i].data, parts[i].len);
        longest = len > longest ? len : longest;
    }
    return longest;
}

static void check_text(const char *text, const char *what)
{
    FUZZ_CHECK(text != NULL, "no %s", what);
    FUZZ_CHECK(dn_utf8_is_valid(text), "%s", what);
}

static void check_asset(const struct dn_asset *a)
{
    check_text(a->name, "name");
    check_text(a->domain, "domain");
    check_text(a->data_product, "data product");
    FUZZ_CHECK(a->name[0] != '\0' && strchr(a->name, '/') == NULL, "name %s", a->name);
    FUZZ_CHECK(strchr(a->domain, '/') == NULL && strcmp(a->domain, "..") != 0, "%s", a->domain);
    FUZZ_CHECK(strchr(a->data_product, '/') == NULL && strcmp(a->data_product, "..") != 0, "%s",
               a->data_product);
    FUZZ_CHECK(a->n_columns >= 1 && json_array_size(a->schema) == a->n_columns, "%zu columns",
               a->n_columns);
    for (size_t i = 0; i < a->n_columns; i++) {
        const struct dn_column *column = &a->columns[i];
        check_text(column->name, "column name");
        check_text(column->asset_type, "column type");
        char room[DN_COLTYPE_SIZE];
        FUZZ_CHECK(strcmp(column->type, dn_coltype_of_asset(column->asset_type, room)) == 0,
                   "type %s", column->type);
        const char *type = dn_coltype_parse(column->type, room);
        FUZZ_CHECK(type != NULL && strcmp(type, column->type) == 0, "the plugins do not know %s",
                   column->type);
        const json_t *name = json_object_get(json_array_get(a->schema, i), "name");
        FUZZ_CHECK(json_is_string(name) && strcmp(json_string_value(name), column->name) == 0,
                   "column %s", column->name);
    }
}

/* A plan is complete, and the plugins find nothing in its configurations that is not the user's own. */
static void check_plan(const struct dn_plan *plan)
{
    check_asset(&plan->asset);
    check_text(plan->job_path, "job path");
    check_text(plan->tenant_id, "tenant");
    check_text(plan->table, "table");
    check_text(plan->output_path, "output path");
    FUZZ_CHECK(dn_text_ends_with(plan->output_path, "_000000.parquet"), "%s", plan->output_path);
    FUZZ_CHECK((plan->reader.path == NULL) == (plan->reader.symbol == NULL), "reader");
    FUZZ_CHECK((plan->writer.path == NULL) == (plan->writer.symbol == NULL), "writer");
    const json_t *const configs[] = {plan->reader_config, plan->writer_config};
    for (size_t i = 0; i < 2; i++) {
        struct dn_buffer text = {0};
        FUZZ_CHECK(json_is_object(configs[i]), "configuration %zu", i);
        check_json(configs[i]);
        FUZZ_CHECK(dn_json_write(configs[i], &text, NULL) == DN_OK, "configuration %zu", i);
        char *exact = exact_copy(text.data, text.len + 1); /* with its NUL */
        run_plugin(exact, i == 0 ? KIND_READER_0 : KIND_WRITER_0);
        run_plugin(exact, i == 0 ? KIND_READER_1 : KIND_WRITER_1);
        free(exact);
        dn_buffer_finish(&text);
    }
}

static void run_job(const uint8_t *data, size_t size)
{
    struct dn_plan plan = {0};
    struct dn_error err;
    char paths[N_DOCUMENTS][32];

    const size_t longest = put_documents(paths, data, size);
    dn_error_clear(&err);
    enum dn_status st = dn_plan_read(&plan, paths[0], &err);
    check_error(st, &err);
    check_place(st, &err, longest);
    FUZZ_CHECK(st == DN_OK || (plan.reader_config == NULL && plan.arena.chunks == NULL),
               "status %d", st);
    if (st == DN_OK) {
        check_plan(&plan);
        dn_plan_finish(&plan);
    }
}

/* ---- the command line ---- */

static void run_flags(char *text)
{
    bool force = false;
    const char *out = NULL;
    struct dn_flag_list columns = {0};
    int64_t rows = 0;
    uint64_t memory = 0;
    const struct dn_flag flags[] = {{"force", 'f', DN_FLAG_BOOL, &force},
                                    {"out", 'o', DN_FLAG_TEXT, &out},
                                    {"column", 0, DN_FLAG_LIST, &columns},
                                    {"rows", 'n', DN_FLAG_INT, &rows},
                                    {"memory", 0, DN_FLAG_SIZE, &memory}};
    char name[] = "fuzz";
    char *argv[200] = {name};
    const char *operands[200] = {NULL};
    size_t n_operands = 0;
    struct dn_error err;
    int argc = 1;

    for (char *line = text; line != NULL && argc < 200; argc++) {
        argv[argc] = line;
        line = strchr(line, '\n');
        if (line != NULL) {
            *line++ = '\0';
        }
    }
    dn_error_clear(&err);
    enum dn_status st = dn_flags_parse(flags, 5, argc, argv, operands, &n_operands, &err);
    check_error(st, &err);
    FUZZ_CHECK(st == DN_OK || st == DN_ERR_INVALID, "status %d", st);
    FUZZ_CHECK(n_operands < (size_t)argc, "%zu operands of %d words", n_operands, argc);
    FUZZ_CHECK(rows >= 0, "%lld rows", (long long)rows);
    FUZZ_CHECK(columns.n <= DN_FLAG_LIST_MAX, "%zu columns", columns.n);
    for (size_t i = 0; i < columns.n; i++) {
        FUZZ_CHECK(columns.values[i] != NULL, "column %zu", i);
    }
    for (size_t i = 0; i < n_operands; i++) {
        FUZZ_CHECK(operands[i] != NULL, "operand %zu", i);
    }
    FUZZ_CHECK(memory == 0 || memory >= DN_FLAG_MEMORY_MIN, "%llu bytes",
               (unsigned long long)memory);
}

/* ---- single words ---- */

static void run_word(const char *text)
{
    char digits[32];
    uint64_t bytes = 0;
    uint64_t again = 0;

    char room[DN_COLTYPE_SIZE];
    char close_room[DN_COLTYPE_SIZE];
    char again_room[DN_COLTYPE_SIZE];
    const char *type = dn_coltype_of_asset(text, room);
    const char *close = dn_coltype_suggest(text, close_room);
    FUZZ_CHECK(close == NULL || strcmp(dn_coltype_suggest(close, again_room), close) == 0, "%s",
               close);
    if (type != NULL && !dn_coltype_is_stored_as_text(type)) {
        const char *same = dn_coltype_of_asset(dn_coltype_to_asset(type), again_room);
        FUZZ_CHECK(same != NULL && (strcmp(same, type) == 0 || strcmp(type, "null") == 0), "%s",
                   type);
    }
    if (dn_flags_parse_size(text, &bytes)) {
        (void)snprintf(digits, sizeof digits, "%llu", (unsigned long long)bytes);
        FUZZ_CHECK(dn_flags_parse_size(digits, &again) && again == bytes, "%s", digits);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > MAX_INPUT) {
        return 0;
    }
    const enum kind kind = (enum kind)(data[0] & 7);
    set_environment((data[0] & 0x40) != 0);
    if (kind == KIND_YAML) {
        run_yaml(data + 1, size - 1);
    } else if (kind == KIND_JOB) {
        run_job(data + 1, size - 1);
    } else {
        char *text = exact_copy(data, size); /* moved by one: a NUL behind the last byte */
        memmove(text, text + 1, size - 1);
        text[size - 1] = '\0';
        if (kind == KIND_FLAGS) {
            run_flags(text);
        } else if (kind == KIND_WORD) {
            run_word(text);
        } else {
            run_plugin(text, kind);
        }
        free(text);
    }
    return 0;
}
