/** source.incremental of a job: files that were read once and have not changed since are left out; of tables, rows that were. */
#ifndef DN_JOB_INCREMENTAL_H
#define DN_JOB_INCREMENTAL_H

#include "base/arena.h"
#include "job/recipe.h"
#include "job/state.h"
#include "job/tables.h"

/** What job and recipe say.  Memory of the plan. */
struct dn_incremental {
    const char *state_path;   /**< NULL: everything is read */
    int64_t lookback_days;    /**< of files: above 0 nothing is left out, but the state is kept */
    const char *cursor_field; /**< of tables that name none themselves; NULL: none */
};

/** The files of one run. */
struct dn_selection {
    json_t *files; /**< entries of the reader's configuration that are to be read */
    json_t *done;  /**< {id: time} of these, as they were before they are read */
    size_t n_skipped;
};

/**
 * @param recipe  Of the source, whose type says whether it has files or tables.
 * @return DN_OK; DN_ERR_CONFIG; DN_ERR_UNSUPPORTED: a strategy for other sources.
 */
DN_NODISCARD enum dn_status dn_incremental_read(struct dn_incremental *out, struct dn_arena *arena,
                                                const struct dn_yaml_doc *job,
                                                struct dn_recipe *recipe, struct dn_error *err);
/** Whether the files can be told apart, and have a time of their own. */
DN_NODISCARD enum dn_status dn_incremental_check(const struct dn_yaml_doc *job, const json_t *files,
                                                 struct dn_error *err);
/** Whether rows of a table can be told to be new. */
DN_NODISCARD enum dn_status dn_incremental_check_table(const struct dn_incremental *incremental,
                                                       const struct dn_yaml_doc *job,
                                                       const struct dn_job_table *table,
                                                       struct dn_error *err);
/** Which of the files are new or have changed; those that are left out are told. */
DN_NODISCARD enum dn_status dn_incremental_select(struct dn_selection *out,
                                                  const struct dn_incremental *incremental,
                                                  const struct dn_state *state, const json_t *files,
                                                  const struct dn_events *events,
                                                  struct dn_error *err);
/** Zeroed memory is accepted. */
void dn_selection_finish(struct dn_selection *s);

#endif
