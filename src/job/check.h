/** What has to hold before a job can run: plugins, sources, the place of the output. */
#ifndef DN_JOB_CHECK_H
#define DN_JOB_CHECK_H

#include "job/job.h"

/**
 * Look at everything the plan names, all of it even if something fails: load both plugins, let the reader open the sources, let the writer
 * try whether it may write where the output goes (a folder: one is made and removed; a bucket: an upload is begun and aborted).  No row
 * is read and nothing stays: what was begun is undone before `events`, which may be NULL, is asked whether to stop, which is DN_ERR_CANCELLED.
 * @param out  A new reference: [{"check": "reader"|"writer"|"source"|"asset"|"target", "ok": bool, "message": text}], with "code" where it failed;
 *             "ok" null: the plugin has no means to tell.
 * @param ok   Whether nothing failed.
 */
DN_NODISCARD enum dn_status dn_plan_check(const struct dn_plan *plan,
                                          const struct dn_events *events, json_t **out, bool *ok,
                                          struct dn_error *err);

#endif
