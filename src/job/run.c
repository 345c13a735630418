/* The transfer: attempts until one goes through; behind each that meets a value too wide, wider types. */
#include "arrow/schema.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/os_process.h"
#include "job/contract.h"
#include "job/events.h"
#include "job/expand.h"
#include "job/output.h"
#include "job/session.h"
#include "job/watch.h"
#include "job/widen.h"

#include <string.h>

/* The object of types that the next attempt starts with, made where missing.  Borrowed; NULL if memory ran out. */
static json_t *widened_types(struct dn_session *s)
{
    json_t *options = dn_contract_options(s->reader_config);
    json_t *widened = json_object_get(options, "widened");

    if (json_is_object(widened)) {
        return widened;
    }
    widened = json_object();
    return json_object_set_new(options, "widened", widened) == 0 ? widened : NULL;
}

/* May the transfer start over after DN_ERR_TYPE?  Else `err` stays what the reader said, with advice. */
static enum dn_status may_widen(const struct dn_session *s, struct dn_error *err)
{
    const json_t *options = json_object_get(json_object_get(s->reader_config, "engine"), "options");
    const char *once = dn_session_one_pass_source(s->t);

    if (err->column[0] == '\0' ||
        json_object_get(json_object_get(options, "types"), err->column) != NULL) {
        return DN_ERR_TYPE; /* a declared type is a contract */
    }
    if (once != NULL) {
        const struct dn_error said = *err;
        const char *advice = strrchr(said.message, ';'); /* the reader's, which ours replaces */
        const int len =
            (int)(advice != NULL ? (size_t)(advice - said.message) : strlen(said.message));
        (void)dn_error_set(err, DN_ERR_TYPE, "%.*s; %s cannot be read twice: use --types %s=%s",
                           len < 700 ? len : 700, said.message, once, said.column,
                           said.suggested_type[0] != '\0' ? said.suggested_type : "string");
        dn_error_locate(err, said.path, said.row, said.line, said.byte_offset, said.column);
        dn_error_copy_text(err->expected, sizeof err->expected, said.expected);
        dn_error_copy_text(err->suggested_type, sizeof err->suggested_type, said.suggested_type);
        dn_error_copy_text(err->value, sizeof err->value, said.value);
        return DN_ERR_TYPE;
    }
    return DN_OK;
}

/* Widen the one column that the reader named. */
static enum dn_status widen_one(struct dn_session *s, const struct dn_attempt *a,
                                struct dn_error *err)
{
    const char *to = err->suggested_type[0] != '\0' ? err->suggested_type : "string";
    char words[DN_TYPE_WORDS_SIZE];
    const char *from = "";

    json_t *widened = widened_types(s);
    if (widened == NULL) {
        return dn_error_memory(err, 0);
    }
    for (int64_t i = 0; i < a->schema.n_children; i++) {
        if (strcmp(a->schema.children[i]->name, err->column) == 0) {
            from = dn_type_words(a->schema.children[i], words);
        }
    }
    const char *before = json_string_value(json_object_get(widened, err->column));
    const int64_t limit = (a->schema.n_children + 1) * DN_COLTYPE_LATTICE_HEIGHT;
    if (strcmp(from, to) == 0 || (before != NULL && strcmp(before, to) == 0) ||
        s->outcome->restarts >= limit) {
        return DN_ERR_TYPE; /* the reader does not do what it suggested: no endless loop */
    }
    if (json_object_set_new(widened, err->column, json_string(to)) != 0) {
        return dn_error_memory(err, 0);
    }
    s->outcome->restarts++;
    s->outcome->widened++;
    dn_events_emit(s->t->events, DN_EVENT_WARNING, "type_widened",
                   json_pack("{s:s, s:s, s:s, s:s, s:I}", "column", err->column, "from", from, "to",
                             to, "path", err->path, "line", (json_int_t)err->line),
                   "column \"%s\" becomes %s instead of %s, reading starts again: %.*s",
                   err->column, to, from, (int)strcspn(err->message, ";"), err->message);
    return DN_OK;
}

/* The types that all values fit, by the reader: [{"name","type"}], one for each column of the attempt, and behind those new ones. */
static enum dn_status types_find(const struct dn_session *s, const struct dn_attempt *a,
                                 json_t **out, struct dn_error *err)
{
    struct dn_buffer config = {0};
    struct dativo_error e;
    char *text = NULL;
    enum dn_status st = dn_session_reader_text(s, s->reader_config, &config, err);

    if (st == DN_OK) {
        dn_plugin_error_init(&e);
        const int32_t code =
            s->rv->find_types((const char *)config.data, &s->services.reader_host, &text, &e);
        if (code != DATIVO_OK) {
            st = dn_plugin_error_take(err, &e, code, "the reader could not find the types");
        }
    }
    dn_buffer_finish(&config);
    DN_TRY(st);
    json_t *found = json_loads(text != NULL ? text : "", JSON_ALLOW_NUL, NULL);
    dn_plugin_text_free(&s->reader_plugin, text);
    *out = json_incref(json_object_get(found, "columns"));
    json_decref(found);
    if (json_array_size(*out) < (size_t)a->schema.n_children) {
        json_decref(*out);
        *out = NULL;
        return dn_error_set(err, DN_ERR_INTERNAL,
                            "%s: the types that the reader found are not those of its columns",
                            s->reader_plugin.path);
    }
    return DN_OK;
}

/* Learn the types of all columns at once, so that the next attempt is the last one. */
static enum dn_status widen_all(struct dn_session *s, const struct dn_attempt *a,
                                struct dn_error *err)
{
    const struct dn_error why = *err;
    json_t *found = NULL;
    json_t *list = NULL;
    enum dn_status st = DN_OK;

    json_t *widened = widened_types(s);
    if (widened == NULL) {
        return dn_error_memory(err, 0);
    }
    DN_TRY(types_find(s, a, &found, err));
    list = dn_widen_types(&a->schema, found, widened);
    /* what was waited for is known now: a string that stays one is no news */
    const bool waited = json_object_del(dn_contract_options(s->reader_config), "restartable") == 0;
    if (list == NULL) {
        st = dn_error_memory(err, 0);
    } else if (json_array_size(list) == 0 && !waited) {
        st = DN_ERR_TYPE; /* all values fit, and one did not: the reader contradicts itself */
    } else {
        s->outcome->restarts++;
        s->outcome->widened += (int64_t)json_array_size(list);
        if (json_array_size(list) > 0) {
            dn_widen_tell(s->t->events, list, &why);
        }
    }
    json_decref(found);
    json_decref(list);
    return st;
}

/* After DN_ERR_TYPE: note the wider types.  The attempt's schema stays, the rest is closed before the source is read again. */
static enum dn_status widen(struct dn_session *s, struct dn_attempt *a, struct dn_error *err)
{
    if (!DN_PLUGIN_HAS(s->rv, find_types) || s->types_found) {
        return widen_one(s, a, err);
    }
    dn_attempt_release(s, a);
    s->types_found = true;
    return widen_all(s, a, err);
}

static enum dn_status attempts_run(struct dn_session *s, struct dn_error *err)
{
    for (;;) {
        struct dn_attempt a = {0};
        enum dn_status st = dn_attempt_open(s, &a, err);
        if (st == DN_OK) {
            st = dn_attempt_move_rows(s, &a, err);
        }
        bool again = st == DN_ERR_TYPE && s->t->piece == NULL && (st = may_widen(s, err)) == DN_OK;
        if (again) {
            st = widen(s, &a, err);
            again = st == DN_OK;
        } else if (st == DN_OK) {
            st = dn_attempt_commit(s, &a, err);
        }
        dn_attempt_close(s, &a);
        if (!again) {
            return st;
        }
        dn_error_clear(err);
    }
}

static enum dn_status session_run(struct dn_session *s, struct dn_error *err)
{
    DN_TRY(dn_session_open_reader_plugin(s, err));
    DN_TRY(dn_session_open_writer_plugin(s, err));
    if (s->t->output_path != NULL) {
        DN_TRY(dn_output_prepare(s->t, err));
    }
    DN_TRY(dn_services_init(&s->services, s->t->events, s->t->n_threads, s->t->memory_bytes, err));
    DN_TRY(dn_session_prepare_configs(s, err));
    DN_TRY(attempts_run(s, err));
    s->outcome->deviations += dn_contract_review(s->t, s->outcome->schema);
    return DN_OK;
}

enum dn_status dn_transfer_run(const struct dn_transfer *t, struct dn_outcome *outcome,
                               struct dn_error *err)
{
    struct dn_transfer watched = *t;
    struct dn_session s = {.t = &watched, .outcome = outcome, .started = dn_clock_seconds()};
    struct dn_error own = {0};
    struct dn_watch watch;

    err = err != NULL ? err : &own; /* widening reads what the reader said */
    dn_error_clear(err);
    dn_watch_init(&watch, t->events);
    watched.events = &watch.events;
    outcome->bytes_in = -1;
    enum dn_status st = session_run(&s, err);
    if (st == DN_ERR_CANCELLED && dn_events_cancelled(t->events)) {
        st = dn_session_stopped(err); /* a plugin that noticed first says it in words of its own */
    }
    dn_session_finish(&s);
    outcome->warnings = watch.warnings;
    dn_watch_finish(&watch);
    outcome->seconds = dn_clock_seconds() - s.started;
    outcome->cpu_seconds = dn_clock_cpu_seconds();
    outcome->peak_rss_bytes = dn_os_peak_rss_bytes();
    return st;
}

void dn_outcome_finish(struct dn_outcome *outcome)
{
    json_decref(outcome->schema);
    json_decref(outcome->counters);
    dn_free(outcome->last_value);
    dn_free(outcome->cursor_type);
    dn_free(outcome->output_path);
    *outcome = (struct dn_outcome){0};
}
