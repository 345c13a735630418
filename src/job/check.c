#include "job/check.h"

#include "base/os_memory.h"
#include "job/contract.h"
#include "job/events.h"
#include "job/expand.h"
#include "job/json_text.h"
#include "job/refusal.h"
#include "job/session.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct checking {
    const struct dn_plan *plan;
    const struct dn_job_table *table; /* that is looked at; NULL: none */
    json_t *out;
    bool ok;
};

static enum dn_status add(struct checking *c, json_t *item, struct dn_error *err)
{
    return json_array_append_new(c->out, item) == 0 ? DN_OK : dn_error_memory(err, 64);
}

static enum dn_status add_failure(struct checking *c, const char *check, const struct dn_error *why,
                                  struct dn_error *err)
{
    c->ok = false;
    return add(c,
               json_pack("{s:s, s:b, s:s, s:s}", "check", check, "ok", 0, "message",
                         why->message[0] != '\0' ? why->message
                                                 : dn_status_name((enum dn_status)why->code),
                         "code", dn_status_name((enum dn_status)why->code)),
               err);
}

/* Is the library there, and does it speak the level that jobs need? */
static enum dn_status check_plugin(struct checking *c, const char *check,
                                   const struct dn_plugin *plugin, enum dn_status st,
                                   struct dn_error *why, struct dn_error *err)
{
    if (st != DN_OK) {
        dn_refusal_locate_path(c->plan, c->table, why);
        return add_failure(c, check, why, err);
    }
    return add(
        c,
        json_pack("{s:s, s:b, s:o}", "check", check, "ok", 1, "message",
                  json_sprintf("%s %s, %s", plugin->api->name, plugin->api->version, plugin->path)),
        err);
}

static enum dn_status code_of(const char *name)
{
    for (int code = DN_ERR_INVALID; name != NULL && code <= DN_ERR_INTERNAL; code++) {
        if (strcmp(name, dn_status_name((enum dn_status)code)) == 0) {
            return (enum dn_status)code;
        }
    }
    return DN_ERR_INTERNAL;
}

/* What a plugin's check_connection() found, with the place in the job in front. */
static void take_error(const struct checking *c, const char *side, const json_t *said,
                       struct dn_error *why)
{
    const json_t *e = json_object_get(json_object_get(said, "details"), "error");
    const char *message = json_string_value(json_object_get(said, "message"));
    const json_t *line = json_object_get(e, "line");
    const char *option = json_string_value(json_object_get(e, "option"));
    const enum dn_status code = code_of(json_string_value(json_object_get(e, "code")));

    (void)dn_error_set(why, code, "%s", message != NULL ? message : "");
    dn_error_locate(why, json_string_value(json_object_get(e, "path")), -1,
                    json_is_integer(line) ? json_integer_value(line) : -1, -1, NULL);
    if (option != NULL) {
        (void)dn_error_option(why, code, option);
    }
    if (code == DN_ERR_CONFIG || code == DN_ERR_INVALID || code == DN_ERR_UNSUPPORTED) {
        dn_refusal_locate(c->plan, c->table, side, why);
    } else {
        dn_refusal_locate_path(c->plan, c->table, why);
    }
}

static enum dn_status take_answer(struct checking *c, const char *side, const char *text,
                                  struct dn_error *err)
{
    json_t *said = json_loads(text != NULL ? text : "", JSON_ALLOW_NUL, NULL);
    const char *message = json_string_value(json_object_get(said, "message"));
    struct dn_error why;
    enum dn_status st = DN_OK;

    dn_error_clear(&why);
    if (json_is_true(json_object_get(said, "success"))) {
        st = add(c,
                 json_pack("{s:s, s:b, s:s}", "check", side, "ok", 1, "message",
                           message != NULL ? message : ""),
                 err);
    } else if (json_is_object(said)) {
        take_error(c, side, said, &why);
        st = add_failure(c, side, &why, err);
    } else {
        (void)dn_error_set(&why, DN_ERR_INTERNAL, "check_connection of the plugin gave no JSON");
        st = add_failure(c, side, &why, err);
    }
    json_decref(said);
    return st;
}

/* ISO C has no cast from an object pointer to a function pointer; POSIX promises that the bits are the same. */
static bool symbol_take(const struct dn_plugin *plugin, const char *name, void *out)
{
    void *symbol = dn_plugin_symbol(plugin, name);

    memcpy(out, &symbol, sizeof symbol);
    return symbol != NULL;
}

static enum dn_status check_side(struct checking *c, const char *side,
                                 const struct dn_plugin *plugin, const json_t *config,
                                 struct dn_error *err)
{
    const char *(*check_connection)(const char *config_json) = NULL;
    void (*free_string)(const char *text) = NULL;
    struct dn_buffer text = {0};

    if (!symbol_take(plugin, "check_connection", &check_connection) ||
        !symbol_take(plugin, "free_string", &free_string)) {
        return add(c,
                   json_pack("{s:s, s:n, s:s}", "check", side, "ok", "message",
                             "not looked at: the plugin has no check_connection"),
                   err);
    }
    enum dn_status st = dn_json_write(config, &text, err);
    if (st == DN_OK) {
        const char *answer = check_connection((const char *)text.data);
        st = take_answer(c, side, answer, err);
        free_string(answer);
    }
    if (text.data != NULL) {
        dn_os_wipe(text.data, text.len);
    }
    dn_buffer_finish(&text);
    return st;
}

/* A column of the asset that the built-in writer of the format has no place for; NULL: there is none. */
static const struct dn_column *nested_in_csv(const struct dn_plan *plan)
{
    const bool is_csv = plan->writer.path == NULL && strcmp(plan->format, DN_FORMAT_CSV) == 0;

    for (size_t i = 0; is_csv && plan->strict && i < plan->asset.n_columns; i++) {
        if (dn_coltype_is_nested(plan->asset.columns[i].type)) {
            return &plan->asset.columns[i];
        }
    }
    return NULL;
}

/* Does the source have the columns that the asset asks for?  By the first steps of a run, which look at it no further. */
static enum dn_status check_asset(struct checking *c, struct dn_session *s,
                                  const struct dn_events *events, struct dn_error *err)
{
    const char *what = dn_source_table(s->t->reader_config);
    char message[240];
    struct dn_error why;

    dn_error_clear(&why);
    enum dn_status st =
        dn_services_init(&s->services, events, s->t->n_threads, s->t->memory_bytes, &why);
    st = st == DN_OK ? dn_session_prepare_configs(s, &why) : st;
    if (st != DN_OK) {
        if (s->outcome->refused_by != NULL) {
            dn_refusal_locate(c->plan, c->table, s->outcome->refused_by, &why);
        } else {
            dn_refusal_locate_path(c->plan, c->table, &why);
        }
        return add_failure(c, "asset", &why, err);
    }
    const struct dn_column *nested = nested_in_csv(c->plan);
    if (nested != NULL) {
        (void)dn_error_set(
            &why, DN_ERR_UNSUPPORTED,
            "the column \"%s\" of the asset is of type %s, which CSV has no place for: "
            "declare it as string, leave it out, or write Parquet",
            nested->name, nested->type);
        return add_failure(c, "asset", &why, err);
    }
    if (s->outcome->deviations == 0) {
        (void)snprintf(message, sizeof(message), "%.100s has the columns that it requires", what);
    } else {
        (void)snprintf(message, sizeof(message),
                       "%.100s lacks %" PRId64 " that it requires; in mode warn the rows are "
                       "written, with exit code 1",
                       what, s->outcome->deviations);
    }
    return add(c, json_pack("{s:s, s:b, s:s}", "check", "asset", "ok", 1, "message", message), err);
}

static enum dn_status check_stop(const struct dn_events *events, struct dn_error *err)
{
    return dn_events_cancelled(events)
               ? dn_error_set(err, DN_ERR_CANCELLED, "it was asked to stop while it looked")
               : DN_OK;
}

static void configs_drop(struct dn_session *s)
{
    dn_services_finish(&s->services);
    json_decref(s->reader_config);
    json_decref(s->writer_config);
    s->reader_config = NULL;
    s->writer_config = NULL;
    s->outcome->deviations = 0;
}

/*
 * The reader's configuration, with the column by which rows are new: it has to be there, and to have an order.  What the state says is left
 * to the run.
 */
static enum dn_status source_config(const struct checking *c, const struct dn_transfer *t,
                                    json_t **out, struct dn_error *err)
{
    const bool has_cursor = c->table != NULL && c->plan->incremental.state_path != NULL;

    *out = json_deep_copy(t->reader_config);
    json_t *options = *out != NULL ? dn_contract_options(*out) : NULL;
    if (options == NULL ||
        (has_cursor &&
         json_object_set_new(options, "cursor_field", json_string(c->table->cursor_field)) != 0)) {
        return dn_error_memory(err, 64);
    }
    return DN_OK;
}

static enum dn_status check_source(struct checking *c, struct dn_session *s,
                                   const struct dn_events *events, struct dn_error *err)
{
    json_t *config = NULL;
    enum dn_status st = source_config(c, s->t, &config, err);

    st = st == DN_OK ? check_side(c, "source", &s->reader_plugin, config, err) : st;
    json_decref(config);
    if (st != DN_OK) {
        return st;
    }
    const json_t *source = json_array_get(c->out, json_array_size(c->out) - 1);
    return json_is_true(json_object_get(source, "ok")) ? check_asset(c, s, events, err) : DN_OK;
}

/* Once, or for each table. */
static enum dn_status check_sources(struct checking *c, struct dn_session *s, struct dn_transfer *t,
                                    const struct dn_events *events, struct dn_error *err)
{
    const struct dn_job_tables *tables = &c->plan->tables;

    if (tables->n == 0) {
        return check_source(c, s, events, err);
    }
    for (size_t i = 0; i < tables->n; i++) {
        if (i > 0) {
            DN_TRY(check_stop(events, err));
            configs_drop(s);
        }
        c->table = &tables->items[i];
        dn_plan_transfer_table(t, c->table);
        DN_TRY(check_source(c, s, events, err));
    }
    c->table = NULL;
    return DN_OK;
}

enum dn_status dn_plan_check(const struct dn_plan *plan, const struct dn_events *events,
                             json_t **out, bool *ok, struct dn_error *err)
{
    struct dn_transfer transfer = dn_plan_transfer(plan);
    struct dn_outcome outcome = {0};
    struct dn_session s = {.t = &transfer, .outcome = &outcome};
    struct checking c = {.plan = plan, .out = json_array(), .ok = true};
    struct dn_error why;
    enum dn_status st = DN_OK;

    if (c.out == NULL) {
        return dn_error_memory(err, 64);
    }
    dn_error_clear(&why);
    const bool reads = dn_session_open_reader_plugin(&s, &why) == DN_OK;
    DN_TRY_GOTO(
        st, check_plugin(&c, "reader", &s.reader_plugin, reads ? DN_OK : DN_ERR_CONFIG, &why, err),
        cleanup);
    dn_error_clear(&why);
    const bool writes = dn_session_open_writer_plugin(&s, &why) == DN_OK;
    DN_TRY_GOTO(
        st, check_plugin(&c, "writer", &s.writer_plugin, writes ? DN_OK : DN_ERR_CONFIG, &why, err),
        cleanup);
    if (reads) {
        DN_TRY_GOTO(st, check_sources(&c, &s, &transfer, events, err), cleanup);
    }
    if (writes) {
        DN_TRY_GOTO(st, check_stop(events, err), cleanup);
        DN_TRY_GOTO(st, check_side(&c, "target", &s.writer_plugin, plan->writer_config, err),
                    cleanup);
    }
    st = check_stop(events, err);
cleanup:
    dn_session_finish(&s);
    dn_outcome_finish(&outcome);
    if (st != DN_OK) {
        json_decref(c.out);
        return st;
    }
    *out = c.out;
    *ok = c.ok;
    return DN_OK;
}
