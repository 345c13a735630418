/**
 * The uploads in parts that processes of this user have begun on this machine and not ended: a file each, in
 * $XDG_STATE_HOME/dativo-native/uploads or ~/.local/state/dativo-native/uploads, under flock(2) as long as its process lives.
 *
 * A file without a lock is of a process that was killed, or that could not abort: its upload is abandoned for certain, whatever its key.
 * The others are alive and are never aborted by somebody else.  A service cannot tell the two apart: its list has no owner that would do.
 * Nothing in it is a secret.  Where there is no place for such files there is no ledger, and nothing fails for that.
 * Threads: an entry belongs to one thread at a time; processes and threads share the folder.
 */
#ifndef DN_STORE_S3_LEDGER_H
#define DN_STORE_S3_LEDGER_H

#include "store/s3/client.h"

struct dn_s3_entry;

/** Before an upload is begun.  NULL: there is no place for an entry.  All functions take NULL. */
struct dn_s3_entry *dn_s3_ledger_begin(struct dn_s3_client *c, struct dn_s3_name name);
/** A request to begin an upload goes out, perhaps once more. */
void dn_s3_ledger_asked(struct dn_s3_entry *e);
/** The upload's number is known. */
void dn_s3_ledger_know(struct dn_s3_entry *e, const char *id);
/** No upload was begun, for certain. */
void dn_s3_ledger_refused(struct dn_s3_entry *e);
/** Frees it.  Not `is_over`: the upload may be open, and the next run is to abort it. */
void dn_s3_ledger_end(struct dn_s3_entry *e, bool is_over);

/** The uploads of a name that processes of this machine are at, `own` left out. */
struct dn_s3_living {
    char **ids;
    size_t n_ids;
    bool
        has_unknown; /**< one has begun, or is about to begin, an upload whose number it does not know yet */
};
DN_NODISCARD enum dn_status dn_s3_ledger_living(struct dn_s3_client *c, struct dn_s3_name name,
                                                const struct dn_s3_entry *own,
                                                struct dn_s3_living *out, struct dn_error *err);
bool dn_s3_living_has(const struct dn_s3_living *l, const char *id);
void dn_s3_living_finish(struct dn_s3_living *l);

/** Abort what killed processes left in this bucket, of any name.  What cannot be aborted now is for the next run. */
void dn_s3_ledger_clear(struct dn_s3_client *c, const char *bucket, struct dn_stop *stop);

#endif
