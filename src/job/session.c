/* What a transfer has open from its start to its end: plugins, their configurations, looks at the source. */
#include "job/session.h"
#include "arrow/nested.h"
#include "base/memory.h"
#include "job/connector.h"
#include "job/contract.h"
#include "job/events.h"
#include "job/expand.h"
#include "job/json_text.h"
#include "job/local.h"
#include "job/names.h"

#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

/* What a plugin of Level 0 has for its role. */
struct role {
    const char *create; /* its usual name */
    const char *work;
};

static enum dn_status plugin_open(struct dn_plugin *plugin, const struct dn_plugin_ref *ref,
                                  const char *builtin, const struct role *role, const char **level0,
                                  struct dn_error *err)
{
    if (ref->path == NULL) {
        DN_TRY(dn_plugin_load_builtin(plugin, builtin, err));
    } else {
        DN_TRY(dn_plugin_load(plugin, ref->path, err));
    }
    if (ref->symbol != NULL) {
        DN_TRY(dn_plugin_require(plugin, ref->symbol, err));
    }
    if (dn_plugin_has_level1(plugin)) {
        return dn_plugin_negotiate(plugin, err);
    }
    DN_TRY(dn_plugin_require(plugin, role->work, err));
    *level0 = ref->symbol != NULL ? ref->symbol : role->create;
    DN_TRY(dn_plugin_require(plugin, *level0, err));
    return dn_plugin_adapt(plugin, err);
}

/* The adapter finds in the configuration what it adapts. */
static enum dn_status config_text(const struct dn_plugin *plugin, const char *level0,
                                  const json_t *config, struct dn_buffer *out, struct dn_error *err)
{
    if (level0 == NULL) {
        return dn_json_write(config, out, err);
    }
    json_t *own = json_object();
    json_t *place = json_pack("{s:s, s:s}", "library", plugin->path, "create", level0);
    enum dn_status st = DN_OK;
    if (place == NULL || json_object_update(own, (json_t *)(uintptr_t)config) != 0 ||
        json_object_set(own, "level0", place) != 0) {
        st = dn_error_set(err, DN_ERR_UNSUPPORTED,
                          "%s: a plugin of Level 0 needs a path that is UTF-8, and memory",
                          plugin->path);
    }
    if (st == DN_OK) {
        st = dn_json_write(own, out, err);
    }
    json_decref(place);
    json_decref(own);
    return st;
}

enum dn_status dn_session_reader_text(const struct dn_session *s, const json_t *config,
                                      struct dn_buffer *out, struct dn_error *err)
{
    return config_text(&s->reader_plugin, s->reader_level0, config, out, err);
}

enum dn_status dn_session_writer_text(const struct dn_session *s, struct dn_buffer *out,
                                      struct dn_error *err)
{
    return config_text(&s->writer_plugin, s->writer_level0, s->writer_config, out, err);
}

enum dn_status dn_session_open_reader_plugin(struct dn_session *s, struct dn_error *err)
{
    const char *type = json_string_value(json_object_get(s->t->reader_config, "type"));
    const char *builtin = dn_connector_reader(type);
    static const struct role role = {"create_reader", "extract_batch"};
    const void *table = NULL;

    if (s->t->reader.path == NULL && builtin == NULL) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED,
                            "there is no built-in reader for sources of type \"%s\"",
                            type != NULL ? type : "");
    }
    DN_TRY(plugin_open(&s->reader_plugin, &s->t->reader, builtin, &role, &s->reader_level0, err));
    DN_TRY(dn_plugin_extension(&s->reader_plugin, DATIVO_EXT_READER, DATIVO_READER_V1_LEAST_SIZE,
                               &table, err));
    s->rv = table;
    if (s->t->piece != NULL && !DN_PLUGIN_HAS(s->rv, open_split)) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED, "%s: the reader opens no pieces",
                            s->reader_plugin.path);
    }
    return DN_OK;
}

/* The one for the format of the file. */
static const char *builtin_writer(const struct dn_transfer *t)
{
    const char *format = json_string_value(json_object_get(t->writer_config, "file_format"));

    return format != NULL && strcmp(format, DN_FORMAT_CSV) == 0 ? DN_BUILTIN_CSV_WRITER
                                                                : DN_BUILTIN_WRITER;
}

enum dn_status dn_session_open_writer_plugin(struct dn_session *s, struct dn_error *err)
{
    static const struct role role = {"create_writer", "write_batch"};
    const void *table = NULL;

    if (s->t->writer_config == NULL) {
        return DN_OK;
    }
    DN_TRY(plugin_open(&s->writer_plugin, &s->t->writer, builtin_writer(s->t), &role,
                       &s->writer_level0, err));
    DN_TRY(dn_plugin_extension(&s->writer_plugin, DATIVO_EXT_WRITER, DATIVO_WRITER_V1_0_SIZE,
                               &table, err));
    s->wv = table;
    return DN_OK;
}

void dn_session_note_refusal(const struct dn_session *s, const char *side, enum dn_status st)
{
    if (s->outcome != NULL &&
        (st == DN_ERR_CONFIG || st == DN_ERR_INVALID || st == DN_ERR_UNSUPPORTED)) {
        s->outcome->refused_by = side;
    }
}

enum dn_status dn_session_open_reader(const struct dn_session *s, const json_t *config, void **out,
                                      struct dn_error *err)
{
    struct dn_buffer text = {0};
    struct dativo_error e;

    enum dn_status st = dn_session_reader_text(s, config, &text, err);
    if (st == DN_OK) {
        dn_plugin_error_init(&e);
        const char *config_text = (const char *)text.data;
        const struct dativo_host *host = &s->services.reader_host;
        const int32_t code = s->t->piece != NULL
                                 ? s->rv->open_split(config_text, s->t->piece, host, out, &e)
                                 : s->rv->open(config_text, host, out, &e);
        if (code != DATIVO_OK) {
            *out = NULL;
            st = dn_plugin_error_take(err, &e, code, "the reader could not be opened");
            dn_session_note_refusal(s, "source", st);
        }
    }
    dn_buffer_finish(&text);
    return st;
}

enum dn_status dn_session_reader_schema(const struct dn_session *s, void *reader,
                                        struct ArrowSchema *out, struct dn_error *err)
{
    struct dativo_error e;

    DN_PLUGIN_CALL(s->rv->schema(reader, out, &e), &e, err, "the reader gave no schema");
    if (out->format == NULL || strcmp(out->format, "+s") != 0) {
        return dn_error_set(err, DN_ERR_INTERNAL,
                            "%s: the reader's schema is not a struct of columns",
                            s->reader_plugin.path);
    }
    if (out->n_children == 0) {
        return dn_error_set(err, DN_ERR_DATA,
                            "the source has no columns, or the option columns is an empty list");
    }
    return DN_OK;
}

json_t *dn_session_schema_json(const struct ArrowSchema *schema, const int64_t *nulls)
{
    json_t *list = json_array();

    for (int64_t i = 0; list != NULL && i < schema->n_children; i++) {
        const struct ArrowSchema *child = schema->children[i];
        struct dn_buffer words = {0};
        json_t *entry = NULL;
        if (dn_schema_print_type(schema, i, &words, NULL) == DN_OK) {
            entry =
                json_pack("{s:s, s:s%, s:b}", "name", child->name, "type", (const char *)words.data,
                          words.len, "nullable", (child->flags & ARROW_FLAG_NULLABLE) != 0);
        }
        dn_buffer_finish(&words);
        if (entry != NULL && nulls != NULL &&
            json_object_set_new(entry, "nulls", json_integer(nulls[i])) != 0) {
            json_decref(entry);
            entry = NULL;
        }
        if (entry == NULL || json_array_append_new(list, entry) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    if (list != NULL && dn_schema_name_columns(list, NULL) != DN_OK) {
        json_decref(list);
        return NULL;
    }
    return list;
}

enum dn_status dn_session_probe(const struct dn_session *s, const json_t *config, json_t **out,
                                struct dn_error *err)
{
    struct ArrowSchema schema = {0};
    void *reader = NULL;
    enum dn_status st = DN_OK;

    DN_TRY_GOTO(st, dn_session_open_reader(s, config, &reader, err), cleanup);
    DN_TRY_GOTO(st, dn_session_reader_schema(s, reader, &schema, err), cleanup);
    *out = dn_session_schema_json(&schema, NULL);
    if (*out == NULL) {
        st = dn_error_memory(err, 0);
    }
cleanup:
    if (schema.release != NULL) {
        schema.release(&schema);
    }
    s->rv->close(reader);
    return st;
}

const char *dn_session_one_pass_source(const struct dn_transfer *t)
{
    const json_t *files = json_object_get(t->reader_config, "files");

    for (size_t i = 0; i < json_array_size(files); i++) {
        const char *path = json_string_value(json_object_get(json_array_get(files, i), "path"));
        struct stat info;
        if (path == NULL) {
            continue;
        }
        if (strcmp(path, "-") == 0) {
            return "standard input";
        }
        if (stat(path, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) {
            return path;
        }
    }
    return NULL;
}

/* The CSV reader may wait for values of columns that its sample has none of: this transfer starts over where types are others. */
static enum dn_status tell_restartable(struct dn_session *s, struct dn_error *err)
{
    const char *type = json_string_value(json_object_get(s->reader_config, "type"));
    json_t *options = dn_contract_options(s->reader_config);

    if (s->t->reader.path != NULL || !dn_connector_is_csv(type) ||
        json_object_get(options, "restartable") != NULL) {
        return DN_OK;
    }
    return json_object_set_new(options, "restartable", json_true()) == 0 ? DN_OK
                                                                         : dn_error_memory(err, 0);
}

/* What looks like a wrong option is said when the rows are read, if the asset leaves it so. */
static enum dn_status silence_advice(const struct dn_session *s, json_t *config)
{
    const bool is_csv = s->t->reader.path == NULL &&
                        dn_connector_is_csv(json_string_value(json_object_get(config, "type")));

    return !is_csv || json_object_set_new(dn_contract_options(config), "advice", json_false()) == 0
               ? DN_OK
               : DN_ERR_MEMORY;
}

/*
 * The configuration for a look at the columns.  Our reader of PostgreSQL would look at every value to find how many digits numerics have
 * that declare none, and do so again when the rows are read; what the asset asks of them does not depend on it.
 */
static json_t *look_config(const struct dn_session *s)
{
    json_t *config = json_deep_copy(s->reader_config);
    json_t *options = config != NULL ? dn_contract_options(config) : NULL;
    const bool is_ours =
        s->t->reader.path == NULL &&
        dn_connector_is_database(json_string_value(json_object_get(config, "type")));

    if (options == NULL || silence_advice(s, config) != DN_OK ||
        (is_ours && json_object_get(options, "numeric") == NULL &&
         json_object_get(json_object_get(options, "native"), "numeric") == NULL &&
         json_object_set_new(options, "numeric", json_string("string")) != 0)) {
        json_decref(config);
        return NULL;
    }
    return config;
}

static enum dn_status columns_look(struct dn_session *s, json_t **out, struct dn_error *err)
{
    json_t *config = look_config(s);

    if (config == NULL) {
        return dn_error_memory(err, 0);
    }
    const enum dn_status st = dn_session_probe(s, config, out, err);
    s->services.dialect_told = true;
    json_decref(config);
    return st;
}

enum dn_status dn_session_prepare_configs(struct dn_session *s, struct dn_error *err)
{
    const struct dn_transfer *t = s->t;
    json_t *file_schema = NULL;
    enum dn_status st = DN_OK;

    s->reader_config = json_deep_copy(t->reader_config);
    if (s->reader_config == NULL || dn_contract_options(s->reader_config) == NULL) {
        return dn_error_memory(err, 0);
    }
    if (t->writer_config != NULL) {
        s->writer_config = json_deep_copy(t->writer_config);
        json_t *options = s->writer_config != NULL ? dn_contract_options(s->writer_config) : NULL;
        char *name = NULL;
        DN_TRY(dn_local_name(&name, t->output_path, err));
        const bool failed = options == NULL ||
                            json_object_set_new(s->writer_config, "path", json_string(name)) != 0;
        dn_free(name);
        if (failed) {
            return dn_error_memory(err, 0);
        }
        if (t->overwrite && json_object_get(options, "overwrite") == NULL &&
            json_object_set_new(options, "overwrite", json_true()) != 0) {
            return dn_error_memory(err, 0);
        }
    }
    const char *once = dn_session_one_pass_source(t);
    if (once == NULL && t->piece == NULL) {
        DN_TRY(tell_restartable(s, err));
    }
    if (t->mode == DN_ASSET_NONE) {
        return DN_OK;
    }
    if (once != NULL) { /* the look at its columns would take the rows away */
        return dn_error_set(err, DN_ERR_UNSUPPORTED,
                            "%s can be read only once, and checking it against an asset takes two "
                            "looks; put the data into a file first, or name types without an asset",
                            once);
    }
    DN_TRY(dn_sources_look(&s->sources, s->reader_config, err));
    DN_TRY_GOTO(st, columns_look(s, &file_schema, err), cleanup);
    st = dn_contract_apply(t, s->reader_config, file_schema, &s->outcome->deviations, err);
    if (st != DN_OK && err->option[0] != '\0') {
        dn_session_note_refusal(s, "source", st);
    }
cleanup:
    json_decref(file_schema);
    return st;
}

enum dn_status dn_session_stopped(struct dn_error *err)
{
    return dn_error_set(err, DN_ERR_CANCELLED, "stopped on request; nothing was written");
}

void dn_session_finish(struct dn_session *s)
{
    dn_services_finish(&s->services);
    dn_sources_finish(&s->sources);
    json_decref(s->reader_config);
    json_decref(s->writer_config);
    dn_plugin_finish(&s->reader_plugin);
    dn_plugin_finish(&s->writer_plugin);
}
