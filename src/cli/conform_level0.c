/* Checks of Level 0, the seven functions that speak JSON, as the stock host uses them. */
#include "cli/conform.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct level0 {
    void *(*create)(const char *config_json);
    const char *(*extract)(void *reader);
    const char *(*write)(void *writer, const char *records_json);
    void (*free_handle)(void *handle);
    void (*free_text)(const char *text);
};

/* ISO C has no cast from an object pointer to a function pointer; POSIX promises that the bits are the same. */
static bool symbol_take(const struct dn_conform *c, const char *name, void *out)
{
    void *symbol = name != NULL ? dn_plugin_symbol(&c->plugin, name) : NULL;

    memcpy(out, &symbol, sizeof symbol);
    return symbol != NULL;
}

static bool reader_take(const struct dn_conform *c, struct level0 *l)
{
    *l = (struct level0){0};
    return symbol_take(c, c->create_reader, &l->create) &&
           symbol_take(c, "extract_batch", &l->extract) &&
           symbol_take(c, "free_reader", &l->free_handle) &&
           symbol_take(c, "free_string", &l->free_text);
}

static bool writer_take(const struct dn_conform *c, struct level0 *l)
{
    *l = (struct level0){0};
    return symbol_take(c, c->create_writer, &l->create) &&
           symbol_take(c, "write_batch", &l->write) &&
           symbol_take(c, "free_writer", &l->free_handle) &&
           symbol_take(c, "free_string", &l->free_text);
}

/* The text is an error as the contract wants it; takes the text over. */
static enum dn_verdict error_text(struct dn_conform *c, const struct level0 *l, const char *text,
                                  const char *what)
{
    const char *problem = dn_conform_error_text_problem(text);

    if (problem != NULL) {
        l->free_text(text);
        return dn_conform_fail(c, "%s: %s", what, problem);
    }
    (void)snprintf(c->said, sizeof c->said, "%.300s", text);
    l->free_text(text);
    return DN_VERDICT_PASS;
}

/* The handle's first call gives the error, and so does every later one. */
static enum dn_verdict reader_error(struct dn_conform *c, const char *config, const char *what)
{
    struct level0 l;

    if (!reader_take(c, &l)) {
        return dn_conform_fail(c, "a symbol is missing");
    }
    void *reader = l.create(config);
    if (reader == NULL) {
        return dn_conform_fail(c, "%s: the create function returned NULL, which hosts do not check",
                               what);
    }
    enum dn_verdict v = error_text(c, &l, l.extract(reader), what);
    if (v == DN_VERDICT_PASS) {
        v = error_text(c, &l, l.extract(reader), "the second call after an error");
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

    dn_conform_path(c, "in-missing.csv", path);
    (void)snprintf(config, sizeof config,
                   "{\"type\":\"csv\",\"connection\":{},\"credentials\":{},\"objects\":[],"
                   "\"files\":[{\"path\":\"%s\"}],"
                   "\"incremental\":{},\"engine\":{}}",
                   path);
    return reader_error(c, config, "a file that is not there");
}

static enum dn_verdict reader_null(struct dn_conform *c)
{
    struct level0 l;

    if (!reader_take(c, &l)) {
        return dn_conform_fail(c, "a symbol is missing");
    }
    const enum dn_verdict v = error_text(c, &l, l.extract(NULL), "extract_batch(NULL)");
    l.free_handle(NULL);
    l.free_text(NULL);
    return v;
}

static enum dn_verdict reader_small(struct dn_conform *c)
{
    char path[512];
    char config[1024];
    struct level0 l;
    size_t rows = 0;
    enum dn_verdict v = DN_VERDICT_PASS;

    if (!reader_take(c, &l) ||
        !dn_conform_file(c, "in.csv", "id,name\n1,\"a \"\"b\"\", c\"\n2,\n00501,x\n")) {
        return dn_conform_fail(c, "a symbol is missing, or the test file could not be written");
    }
    dn_conform_path(c, "in.csv", path);
    (void)snprintf(config, sizeof config,
                   "{\"type\":\"csv\",\"connection\":{},\"credentials\":{\"type\":\"none\"},"
                   "\"objects\":[],\"files\":"
                   "[{\"path\":\"%s\"}],\"incremental\":{},\"engine\":{\"type\":\"native\","
                   "\"options\":{\"native\":"
                   "{\"chunk_size\":2}}}}...the next message...",
                   path);
    void *reader = l.create(config); /* the text goes on after the closing brace: hosts do that */
    const char *text = NULL;
    while (v == DN_VERDICT_PASS && (text = l.extract(reader)) != NULL) {
        if (rows == 0 && strstr(text, "\"code\":\"unsupported\"") != NULL) {
            v = dn_conform_skip(c, "it does not read CSV: %.200s", text);
            l.free_text(text);
            break;
        }
        json_t *batch = json_loads(text, 0, NULL);
        if (!json_is_array(batch) || json_array_size(batch) == 0) {
            v = dn_conform_fail(c, "a batch is not a list of records: %.200s", text);
        }
        rows += json_array_size(batch);
        const json_t *zip = json_object_get(json_array_get(batch, 0), "id");
        if (v == DN_VERDICT_PASS && rows == 3 && json_array_size(batch) == 1 &&
            json_is_integer(zip)) {
            v = dn_conform_fail(c, "00501 became a number: its zeros are lost");
        }
        json_decref(batch);
        l.free_text(text);
    }
    l.free_handle(reader);
    if (v == DN_VERDICT_PASS && rows != 3) {
        v = dn_conform_fail(c, "3 rows expected, got %zu", rows);
    }
    if (v == DN_VERDICT_PASS) {
        (void)snprintf(c->said, sizeof c->said, "3 rows, then the end");
    }
    return v;
}

static const char *writer_config(const struct dn_conform *c, char *out, size_t size)
{
    (void)snprintf(out, size,
                   "{\"asset_name\":\"Conform "
                   "Table\",\"schema\":[{\"name\":\"id\",\"type\":\"integer\",\"required\":"
                   "true},{\"name\":\"name\"}],\"output_base\":\"%s\",\"target_type\":\"local\","
                   "\"connection\":{},"
                   "\"file_format\":null,\"engine\":{}}",
                   c->dir);
    return out;
}

static enum dn_verdict writer_bad_json(struct dn_conform *c)
{
    struct level0 l;

    if (!writer_take(c, &l)) {
        return dn_conform_fail(c, "a symbol is missing");
    }
    void *writer = l.create("{\"asset_name\": ");
    if (writer == NULL) {
        return dn_conform_fail(c, "the create function returned NULL, which hosts do not check");
    }
    enum dn_verdict v =
        error_text(c, &l, l.write(writer, "{\"records\":[{\"id\":1}],\"file_counter\":0}"),
                   "a configuration that is not JSON");
    l.free_handle(writer);
    return v;
}

static enum dn_verdict writer_bad_records(struct dn_conform *c)
{
    char config[2048];
    struct level0 l;

    if (!writer_take(c, &l)) {
        return dn_conform_fail(c, "a symbol is missing");
    }
    void *writer = l.create(writer_config(c, config, sizeof config));
    enum dn_verdict v =
        error_text(c, &l, l.write(writer, "{\"records\":[{\"id\":"), "records that are not JSON");
    l.free_handle(writer);
    return v;
}

static enum dn_verdict writer_null(struct dn_conform *c)
{
    struct level0 l;

    if (!writer_take(c, &l)) {
        return dn_conform_fail(c, "a symbol is missing");
    }
    const enum dn_verdict v = error_text(
        c, &l, l.write(NULL, "{\"records\":[],\"file_counter\":0}"), "write_batch(NULL, ...)");
    l.free_handle(NULL);
    l.free_text(NULL);
    return v;
}

static enum dn_verdict writer_small(struct dn_conform *c)
{
    char config[2048];
    struct level0 l;
    struct stat info;
    enum dn_verdict v = DN_VERDICT_PASS;

    if (!writer_take(c, &l)) {
        return dn_conform_fail(c, "a symbol is missing");
    }
    void *writer = l.create(writer_config(c, config, sizeof config));
    const char *text =
        l.write(writer, "{\"records\":[{\"id\":1,\"name\":\"caf\\u00e9\"},{\"id\":2,\"name\":null},"
                        "{\"id\":3,\"name\":\"\\ud83d\\ude00\"}],\"file_counter\":0}");
    json_t *files = json_loads(text != NULL ? text : "", 0, NULL);
    const json_t *file = json_array_get(files, 0);
    const char *path = json_string_value(json_object_get(file, "path"));
    if (json_array_size(files) == 0 || path == NULL) {
        v = dn_conform_fail(c, "not a list of files: %.200s", text != NULL ? text : "NULL");
    } else if (json_integer_value(json_object_get(file, "record_count")) != 3) {
        v = dn_conform_fail(c, "record_count is not 3");
    } else if (stat(path, &info) != 0 ||
               (json_int_t)info.st_size !=
                   json_integer_value(json_object_get(file, "size_bytes"))) {
        v = dn_conform_fail(c, "%s is not there, or not of size_bytes", path);
    } else {
        (void)snprintf(c->said, sizeof c->said, "3 rows, %lld bytes", (long long)info.st_size);
    }
    json_decref(files);
    l.free_text(text);
    l.free_handle(writer);
    return v;
}

const struct dn_conform_check dn_conform_level0_reader[] = {
    {"a configuration that is not JSON gives an error text", reader_bad_json},
    {"a missing file gives an error text", reader_missing_file},
    {"NULL handles give an error text and do no harm", reader_null},
    {"a small file comes out, then NULL", reader_small},
    {NULL, NULL},
};

const struct dn_conform_check dn_conform_level0_writer[] = {
    {"a configuration that is not JSON gives an error text", writer_bad_json},
    {"records that are not JSON give an error text", writer_bad_records},
    {"NULL handles give an error text and do no harm", writer_null},
    {"a small batch becomes a file", writer_small},
    {NULL, NULL},
};
