#include "job/runner.h"

#include "job/events.h"
#include "job/layout.h"
#include "job/table_runs.h"

static enum dn_status nothing_new(const struct dn_plan *plan, const struct dn_transfer *t,
                                  const struct dn_selection *files, struct dn_outcome *outcome)
{
    outcome->is_unchanged = true;
    dn_events_emit(t->events, DN_EVENT_NOTE, "no_new_files",
                   json_pack("{s:I, s:s}", "files", (json_int_t)files->n_skipped, "state_path",
                             plan->incremental.state_path),
                   "%s: no file has changed since it was read: nothing is written", plan->job_path);
    return DN_OK;
}

/* The rows are there: a failure from here on must not deny them. */
static enum dn_status state_save(const struct dn_plan *plan, struct dn_state *state,
                                 const json_t *done, const char *output_path, struct dn_error *err)
{
    const enum dn_status st = dn_state_save(state, done, err);

    if (st != DN_OK) {
        const struct dn_error why = *err;
        (void)dn_error_set(err, (enum dn_status)why.code,
                           "%s is complete, but the next run will read the same files again: the "
                           "state %s could not be written: %.500s",
                           output_path, plan->incremental.state_path, why.message);
        err->os_errno = why.os_errno;
    }
    return st;
}

static enum dn_status incremental_run(const struct dn_plan *plan, const struct dn_transfer *t,
                                      struct dn_state *state, struct dn_outcome *outcome,
                                      struct dn_error *err)
{
    const json_t *files = json_object_get(t->reader_config, "files");
    struct dn_transfer part = *t;
    struct dn_selection selected = {0};
    json_t *config = NULL;
    enum dn_status st = DN_OK;

    DN_TRY(dn_incremental_select(&selected, &plan->incremental, state, files, t->events, err));
    if (json_array_size(selected.files) == 0) {
        st = nothing_new(plan, t, &selected, outcome);
        goto cleanup;
    }
    config = json_copy((json_t *)(uintptr_t)t->reader_config);
    if (config == NULL || json_object_set(config, "files", selected.files) != 0) {
        DN_TRY_GOTO(st, dn_error_memory(err, 64), cleanup);
    }
    part.reader_config = config;
    if (selected.n_skipped > 0) {
        DN_TRY_GOTO(st, dn_layout_part_path(t->output_path, &outcome->output_path, err), cleanup);
        part.output_path = outcome->output_path;
        part.overwrite = false;
    }
    DN_TRY_GOTO(st, dn_transfer_run(&part, outcome, err), cleanup);
    st = state_save(plan, state, selected.done, part.output_path, err);
cleanup:
    json_decref(config);
    dn_selection_finish(&selected);
    return st;
}

enum dn_status dn_plan_run(const struct dn_plan *plan, const struct dn_transfer *t,
                           struct dn_outcome *outcome, struct dn_error *err)
{
    const bool is_incremental = plan->incremental.state_path != NULL;
    struct dn_state state = {0};
    enum dn_status st = DN_OK;

    if (plan->tables.n > 0) {
        return dn_tables_run(plan, t, outcome, err);
    }
    if (is_incremental) {
        DN_TRY(dn_state_open(&state, plan->incremental.state_path, t->events, err));
    }
    for (int64_t n = 1;; n++) {
        st = is_incremental ? incremental_run(plan, t, &state, outcome, err)
                            : dn_transfer_run(t, outcome, err);
        if (st == DN_OK || !dn_retry_wait_for_next(&plan->retry, n, t->events, &st, err)) {
            break;
        }
        dn_outcome_finish(outcome);
        dn_error_clear(err);
    }
    dn_state_close(&state);
    return st;
}
