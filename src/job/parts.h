/**
 * A job in pieces, which processes and machines write each for itself (docs/many-machines.md), as files or as objects of S3:
 *
 *   cut     once, everything that decides what the rows are, as one JSON document, the plan
 *   write   one piece to `<directory>/_staging-<id>/part-00007-<id>.parquet`, and then what it has to `part-00007-<id>.json` beside it
 *   commit  all of them get their place in `<directory>`, then `_manifest.json`, then `_SUCCESS`
 *   abort   what is there of it goes
 *
 * Everything but cutting is a function of the plan: it may be done again, killed at any moment, and be under way more than once.
 * Relative paths mean what they mean in the folder the plan was made in, which has to be the current one.
 * Threads: one per call.
 */
#ifndef DN_JOB_PARTS_H
#define DN_JOB_PARTS_H

#include "job/job.h"

/** A plan.  Texts and lists are those of `json`. */
struct dn_parts {
    json_t *json;
    const char *id;        /**< a digest of all the rest, 16 hexadecimal digits */
    const char *folder;    /**< where it was made */
    const char *directory; /**< of the result */
    const json_t *
        list; /**< [{"token","path","bytes","rows"}], in the order of the rows; rows may be null: unknown */
};

/** Which moment the pieces of a source are of that changes while it is read, such as a table.  Files are what they were. */
enum dn_parts_moment {
    DN_PARTS_UNSAID = 0, /**< such a source is refused */
    DN_PARTS_HELD,       /**< one, which is held until somebody lets go of it */
    DN_PARTS_EACH        /**< each of the one in which its task begins */
};

/** Zero-initialise. */
struct dn_parts_wish {
    uint64_t target_bytes; /**< of a piece; 0: as the reader likes */
    enum dn_parts_moment moment;
};

/** A moment that is held: connection and transaction of the reader that has cut. */
struct dn_parts_hold;

/**
 * Cut the source of a job.  Files are read once, for the places to cut at; nothing is written but the mark of what is held.  The types are
 * those that the asset declares.
 * @param hold  NULL without DN_PARTS_HELD.  *hold: NULL if the source has nothing to hold; else for dn_parts_hold_finish(), and `out`,
 *              `job` and the events outlive it.  Beside the parts in their unfinished folder is a mark then, `_hold`, which commit and abort
 *              remove, or dn_parts_hold_forget() if the plan cannot be written down.
 * @param job   job->job_path is no file if job->job.root is NULL: then connections are put into the plan as they are.
 * @param t     dn_plan_transfer(), with what the command line adds; memory_bytes and allow_empty become part of the plan.
 * @return DN_OK; DN_ERR_UNSUPPORTED: a job that cannot be done in pieces, with what is in the way, before anything is read;
 *         DN_ERR_INVALID: it changes while it is read, and wish->moment is unsaid; DN_ERR_EXISTS: there is a result at its place;
 *         DN_ERR_DATA: no rows, unless t->allow_empty.
 */
DN_NODISCARD enum dn_status dn_parts_cut(struct dn_parts *out, struct dn_parts_hold **hold,
                                         const struct dn_plan *job, const struct dn_transfer *t,
                                         const struct dn_parts_wish *wish, struct dn_error *err);

enum dn_parts_end {
    DN_PARTS_GOES_ON = 0,
    DN_PARTS_COMMITTED,
    DN_PARTS_ABORTED
};
/**
 * Look every second or so whether somebody still needs what is held, and whether it is still there.
 * @return DN_OK, and in *end how it stands; else it is lost: tasks that have not begun cannot read any more
 */
DN_NODISCARD enum dn_status dn_parts_hold_look(struct dn_parts_hold *h, enum dn_parts_end *end,
                                               struct dn_error *err);
/** Remove the mark: nobody will ever have the plan. */
DN_NODISCARD enum dn_status dn_parts_hold_forget(struct dn_parts_hold *h, struct dn_error *err);
/** Let go of it.  NULL is allowed. */
void dn_parts_hold_finish(struct dn_parts_hold *h);
/** Read a plan.  DN_ERR_DATA: it is none, or was changed; DN_ERR_UNSUPPORTED: of another version, whose files might be others. */
DN_NODISCARD enum dn_status dn_parts_read(struct dn_parts *out, const char *path,
                                          struct dn_error *err);
/** Zeroed memory is accepted. */
void dn_parts_finish(struct dn_parts *p);

/**
 * Put the keys of connections into a plan that was read, if it needs some that the environment does not have: the job is read for them.
 * Fails as dn_plan_read() does.
 */
DN_NODISCARD enum dn_status dn_parts_connect(struct dn_parts *p, struct dn_error *err);
/** Do its paths mean something in the folder alone where it was made? */
bool dn_parts_needs_folder(const struct dn_parts *p);

/**
 * Write one piece.  Nothing is done, and outcome->is_unchanged says so, if the plan is committed.
 * @param outcome  Zeroed by the caller; finish it.
 * @return DN_ERR_INVALID: there is no such piece; what dn_transfer_run() returns.
 */
DN_NODISCARD enum dn_status dn_parts_write(const struct dn_parts *p, size_t index,
                                           uint32_t n_threads, const struct dn_events *events,
                                           struct dn_outcome *outcome, struct dn_error *err);

/** Of a commit. */
struct dn_parts_result {
    int64_t rows;
    int64_t bytes;
    bool was_there; /**< it had been committed before; counts are 0 */
};
/**
 * @return DN_OK: `_SUCCESS` is there, and every row once; DN_ERR_NOT_FOUND: pieces are missing or damaged, which the message names, and nothing was
 *         changed; DN_ERR_IO: a source changed since the plan was made, or a file could not be moved; DN_ERR_DATA: counts do not
 *         add up; DN_ERR_EXISTS: other files are there
 */
DN_NODISCARD enum dn_status dn_parts_commit(const struct dn_parts *p,
                                            const struct dn_events *events,
                                            struct dn_parts_result *out, struct dn_error *err);
/**
 * Remove the unfinished files of a plan, and what a commit that did not come to its end put in place.  A result that is complete stays.
 * @param was_committed  There is such a result.
 */
DN_NODISCARD enum dn_status dn_parts_abort(const struct dn_parts *p, const struct dn_events *events,
                                           bool *was_committed, struct dn_error *err);

#endif
