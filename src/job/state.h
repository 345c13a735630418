/**
 * The state file of incremental jobs, in the form of the stock host: {"file_<id>": {"last_modified": "<local time, ISO>", "file_id": "<id>"}},
 * and of tables {"<object>.<cursor>": {"last_value": <text or integer>, "updated_at": "<local time, ISO>"}}.
 *
 * Whoever has it open holds a lock on `<path>.lock`, which stays behind: of two runs that share a state file the second waits.
 */
#ifndef DN_JOB_STATE_H
#define DN_JOB_STATE_H

#include "job/transfer.h"

#include <sys/stat.h>

struct dn_state {
    const char *path; /**< borrowed */
    int lock;
    json_t *files; /**< as they were read */
};

/** "2024-01-31T10:00:00.123456" in local time, the fraction only if there is one: datetime.fromtimestamp(st_mtime).isoformat() of Python. */
#define DN_STATE_TIME_SIZE 64
void dn_state_time(char out[DN_STATE_TIME_SIZE], const struct timespec *modified);

/**
 * Make the folder, wait for the lock, read the file, which need not be there.
 * @return DN_OK; DN_ERR_CANCELLED; DN_ERR_IO; DN_ERR_DATA: it is no state.
 */
DN_NODISCARD enum dn_status dn_state_open(struct dn_state *s, const char *path,
                                          const struct dn_events *events, struct dn_error *err);
/** *out: was the file read as it is, or a later one of that name? */
DN_NODISCARD enum dn_status dn_state_has(const struct dn_state *s, const char *id,
                                         const char *modified, bool *out, struct dn_error *err);
/**
 * Put {id: time} over what the file holds by now, and give the whole its name when it is durable.
 * @param done  {"<id>": "<last_modified>"}
 * @param err   Not NULL.
 */
DN_NODISCARD enum dn_status dn_state_save(struct dn_state *s, const json_t *done,
                                          struct dn_error *err);
/** The same for one entry under a key of its own. */
DN_NODISCARD enum dn_status dn_state_put(struct dn_state *s, const char *key, json_t *entry,
                                         struct dn_error *err);
/** Zeroed memory is accepted. */
void dn_state_close(struct dn_state *s);

#endif
