#include "job/table_runs.h"

#include "base/memory.h"
#include "base/strings.h"
#include "job/contract.h"
#include "job/cursor.h"
#include "job/events.h"
#include "job/layout.h"
#include "job/refusal.h"

#include <inttypes.h>
#include <string.h>

/* What runs, with the state that it shares. */
struct running {
    const struct dn_plan *plan;
    struct dn_state *state; /* NULL: everything is read */
    const struct dn_events *events;
};

static enum dn_status nothing_new(const struct running *r, const struct dn_job_table *table)
{
    dn_events_emit(r->events, DN_EVENT_NOTE, "no_new_rows",
                   json_pack("{s:s, s:s, s:s}", "table", dn_table_shown(table), "cursor_field",
                             table->cursor_field, "state_path", r->plan->incremental.state_path),
                   "%s: %s has no new rows by \"%s\": nothing is written", r->plan->job_path,
                   dn_table_shown(table), table->cursor_field);
    return DN_OK;
}

/* The reader's configuration with where it goes on from. */
static enum dn_status config_make(const struct dn_job_table *table, const char *last, json_t **out,
                                  struct dn_error *err)
{
    *out = json_deep_copy(table->reader_config);
    json_t *options = *out != NULL ? dn_contract_options(*out) : NULL;

    if (options == NULL ||
        json_object_set_new(options, "cursor_field", json_string(table->cursor_field)) != 0 ||
        (last != NULL && json_object_set_new(options, "cursor_after", json_string(last)) != 0)) {
        return dn_error_memory(err, 64);
    }
    return DN_OK;
}

/* The type of a column that was written; "" if it was not. */
static const char *type_of(const json_t *schema, const char *column)
{
    for (size_t i = 0; i < json_array_size(schema); i++) {
        const json_t *entry = json_array_get(schema, i);
        const char *name = json_string_value(json_object_get(entry, "name"));
        const char *type = json_string_value(json_object_get(entry, "type"));
        if (name != NULL && type != NULL && strcmp(name, column) == 0) {
            return type;
        }
    }
    return "";
}

/* The rows are there: a failure from here on must not deny them. */
static enum dn_status state_keep(const struct running *r, const struct dn_cursor *cursor,
                                 const struct dn_outcome *outcome, const char *output_path,
                                 struct dn_error *err)
{
    const char *type = outcome->cursor_type != NULL ? outcome->cursor_type
                                                    : type_of(outcome->schema, cursor->field);
    const enum dn_status st = dn_cursor_keep(cursor, r->state, outcome->last_value, type, err);

    if (st != DN_OK) {
        const struct dn_error why = *err;
        (void)dn_error_set(err, (enum dn_status)why.code,
                           "%s is complete, but the next run will read the same rows again: the "
                           "state %s could not be written: %.500s",
                           output_path, r->plan->incremental.state_path, why.message);
        err->os_errno = why.os_errno;
    }
    return st;
}

/* A last value that the reader refuses stands in the state, and not in the job. */
static enum dn_status blame_state(const struct running *r, const struct dn_job_table *table,
                                  enum dn_status st, struct dn_error *err)
{
    if (st == DN_OK || strcmp(err->option, "cursor_after") != 0) {
        return st;
    }
    return dn_error_prefix(err, st, "%s: the entry \"%s.%s\": ", r->plan->incremental.state_path,
                           table->object, table->cursor_field);
}

static enum dn_status new_rows_run(const struct running *r, const struct dn_job_table *table,
                                   const struct dn_transfer *t, struct dn_outcome *outcome,
                                   struct dn_error *err)
{
    const struct dn_cursor cursor = {table->object, table->cursor_field,
                                     r->plan->incremental.lookback_days};
    struct dn_transfer part = *t;
    json_t *config = NULL;
    char *last = NULL;
    enum dn_status st = DN_OK;

    DN_TRY_GOTO(st, dn_cursor_last(&cursor, r->state, &last, err), cleanup);
    DN_TRY_GOTO(st, config_make(table, last, &config, err), cleanup);
    part.reader_config = config;
    part.cursor_field = table->cursor_field;
    if (last != NULL) {
        DN_TRY_GOTO(st, dn_layout_part_path(t->output_path, &outcome->output_path, err), cleanup);
        part.output_path = outcome->output_path;
        part.overwrite = false;
    }
    DN_TRY_GOTO(st, blame_state(r, table, dn_transfer_run(&part, outcome, err), err), cleanup);
    st = outcome->is_unchanged ? nothing_new(r, table)
                               : state_keep(r, &cursor, outcome, part.output_path, err);
cleanup:
    json_decref(config);
    dn_free(last);
    return st;
}

static enum dn_status table_run(const struct running *r, const struct dn_job_table *table,
                                const struct dn_transfer *t, struct dn_outcome *outcome,
                                struct dn_error *err)
{
    struct dn_transfer part = *t;
    enum dn_status st = DN_OK;

    dn_plan_transfer_table(&part, table);
    for (int64_t n = 1;; n++) {
        st = r->state != NULL ? new_rows_run(r, table, &part, outcome, err)
                              : dn_transfer_run(&part, outcome, err);
        if (st == DN_OK || !dn_retry_wait_for_next(&r->plan->retry, n, r->events, &st, err)) {
            break;
        }
        dn_outcome_finish(outcome);
        dn_error_clear(err);
    }
    return st;
}

/* ---- several ------------------------------------------------------------------------------------------------------ */

static void outcome_add(struct dn_outcome *sum, const struct dn_outcome *one)
{
    sum->rows_in += one->rows_in;
    sum->rows_out += one->rows_out;
    sum->rows_rejected += one->rows_rejected;
    sum->warnings += one->warnings;
    sum->deviations += one->deviations;
    sum->restarts += one->restarts;
    sum->widened += one->widened;
    sum->files_in += one->files_in;
    sum->files_out += one->files_out;
    sum->bytes_in += one->bytes_in > 0 ? one->bytes_in : 0;
    sum->bytes_out += one->bytes_out;
    sum->seconds += one->seconds;
    sum->cpu_seconds = one->cpu_seconds; /* these two are of the process */
    sum->peak_rss_bytes = one->peak_rss_bytes;
    sum->is_unchanged = sum->is_unchanged && one->is_unchanged;
}

static void tell_done(const struct running *r, const struct dn_job_table *table,
                      const struct dn_outcome *one)
{
    const char *path = one->output_path != NULL ? one->output_path : table->output_path;

    if (one->is_unchanged) {
        return; /* it is told already */
    }
    dn_events_emit(r->events, DN_EVENT_NOTE, "table_finished",
                   json_pack("{s:s, s:s, s:I, s:I, s:I}", "table", dn_table_shown(table), "target",
                             path, "rows_in", (json_int_t)one->rows_in, "rows_out",
                             (json_int_t)one->rows_out, "bytes_out", (json_int_t)one->bytes_out),
                   "%s -> %s: %" PRId64 " row%s", dn_table_shown(table), path, one->rows_out,
                   one->rows_out == 1 ? "" : "s");
}

static void tell_failed(const struct running *r, const struct dn_job_table *table,
                        const struct dn_outcome *one, enum dn_status st, struct dn_error *why)
{
    if (one->refused_by != NULL) {
        dn_refusal_locate(r->plan, table, one->refused_by, why);
    } else {
        dn_refusal_locate_path(r->plan, table, why);
    }
    const bool is_named = strstr(why->message, dn_table_shown(table)) != NULL;
    dn_events_emit(r->events, DN_EVENT_ERROR, "table_failed",
                   json_pack("{s:s, s:s, s:s*}", "table", dn_table_shown(table), "code",
                             dn_status_name(st), "column",
                             why->column[0] != '\0' ? why->column : NULL),
                   "%s%s%s", is_named ? "" : dn_table_shown(table), is_named ? "" : ": ",
                   why->message[0] != '\0' ? why->message : dn_status_name(st));
}

static void name_add(struct dn_buffer *names, const char *name)
{
    if (names->len < 400 &&
        dn_text_appendf(names, NULL, "%s%s", names->len > 0 ? ", " : "", name) != DN_OK) {
        return; /* memory ran out: the list is shorter, the count is right */
    }
}

static enum dn_status several_failed(const struct dn_plan *plan, const struct dn_buffer *names,
                                     size_t n_failed, enum dn_status first, struct dn_error *err)
{
    const size_t n = plan->tables.n;

    return dn_error_set(err, first, "%s: %zu of %zu tables failed (%.*s), see above%s",
                        plan->job_path, n_failed, n, (int)names->len, (const char *)names->data,
                        n_failed < n ? "; the others are complete" : "");
}

static enum dn_status several_run(const struct running *r, const struct dn_transfer *t,
                                  struct dn_outcome *outcome, struct dn_error *err)
{
    const struct dn_job_tables *tables = &r->plan->tables;
    struct dn_buffer names = {0};
    enum dn_status first = DN_OK;
    enum dn_status st = DN_OK;
    size_t n_failed = 0;
    size_t n_done = 0;

    outcome->is_unchanged = true;
    for (size_t i = 0; i < tables->n && st != DN_ERR_CANCELLED; i++) {
        struct dn_outcome one = {0};
        dn_error_clear(err);
        st = table_run(r, &tables->items[i], t, &one, err);
        outcome_add(outcome, &one);
        if (st == DN_OK) {
            n_done++;
            tell_done(r, &tables->items[i], &one);
        } else if (st != DN_ERR_CANCELLED) {
            tell_failed(r, &tables->items[i], &one, st, err);
            first = n_failed++ == 0 ? st : first;
            name_add(&names, dn_table_shown(&tables->items[i]));
        }
        dn_outcome_finish(&one);
    }
    if (st == DN_ERR_CANCELLED && n_done > 0) {
        (void)dn_error_set(err, DN_ERR_CANCELLED,
                           "stopped on request; %zu of %zu tables are complete, see above", n_done,
                           tables->n);
    } else if (st != DN_ERR_CANCELLED) {
        st = n_failed > 0 ? several_failed(r->plan, &names, n_failed, first, err) : DN_OK;
    }
    dn_buffer_finish(&names);
    return st;
}

enum dn_status dn_tables_run(const struct dn_plan *plan, const struct dn_transfer *t,
                             struct dn_outcome *outcome, struct dn_error *err)
{
    struct dn_state state = {0};
    struct running r = {.plan = plan, .events = t->events};

    if (plan->incremental.state_path != NULL) {
        DN_TRY(dn_state_open(&state, plan->incremental.state_path, t->events, err));
        r.state = &state;
    }
    const enum dn_status st = plan->tables.n == 1
                                  ? table_run(&r, &plan->tables.items[0], t, outcome, err)
                                  : several_run(&r, t, outcome, err);
    dn_state_close(&state);
    return st;
}
