/**
 * An object that is written in order, in parts that go out by threads of the writer's own while the next part is filled.
 *
 * What fits in one part goes out as one request at commit; else an upload is begun with the second part, finish() has all parts
 * acknowledged, and commit() makes the object of them.  Nothing is under the name before that, and whatever ends otherwise, by a failure or close(), aborts
 * the upload: within about a second if it was asked to stop, else within 30.  A failure says if that did not succeed; the next run aborts it then.
 * Order of calls: open, write*, finish, commit, close; a call out of order is DN_ERR_INVALID.  After a failure only close is legal, or
 * commit again if it was DN_ERR_EXISTS.
 * Threads: one at a time.  Fork: DN_ERR_INVALID in a child; closing does nothing there.
 */
#ifndef DN_STORE_S3_WRITER_H
#define DN_STORE_S3_WRITER_H

#include "store/s3/client.h"

struct dn_s3_writer;

/** Zero-initialise. */
struct dn_s3_writer_options {
    /** Borrowed until close(). */
    const struct dn_store_options *attributes;
    bool
        overwrite; /**< else DN_ERR_EXISTS if there is an object, looked for at open() and again, atomically, at commit() */
    /**
     * Uploads that were left open are aborted: of any key in the bucket, those that killed processes of this machine began (ledger.h); of
     * this key, those that were begun over a day ago.
     */
    bool alone;
    uint32_t most_parts_at_once; /**< 0: 4 */
    size_t
        memory_bytes; /**< for parts on their way and the one that is filled; 0: 64 MiB; at least a part of 5 MiB is taken */
    size_t part_bytes; /**< of every part, instead of dn_s3_part_bytes(); for tests */
};

/**
 * @param client  borrowed until close(), as are the texts of `name` and `stop` (may be NULL), which ends every wait.
 * Without `overwrite` or with `alone` a request; else none.  Fails as those of client.h.
 */
DN_NODISCARD enum dn_status dn_s3_writer_open(struct dn_s3_writer **out,
                                              struct dn_s3_client *client, struct dn_s3_name name,
                                              const struct dn_s3_writer_options *options,
                                              struct dn_stop *stop, struct dn_error *err);
/** Append; waits while all memory is on its way.  A failure may be that of earlier bytes. */
DN_NODISCARD enum dn_status dn_s3_writer_write(struct dn_s3_writer *w, const void *data, size_t len,
                                               struct dn_error *err);
/** Bytes appended so far. */
uint64_t dn_s3_writer_position(const struct dn_s3_writer *w);
/** Wait until every part is acknowledged. */
DN_NODISCARD enum dn_status dn_s3_writer_finish(struct dn_s3_writer *w, struct dn_error *err);
/** DN_OK: the service has said that it has the object.  DN_ERR_EXISTS: somebody else's is there now. */
DN_NODISCARD enum dn_status dn_s3_writer_commit(struct dn_s3_writer *w, struct dn_error *err);
/** NULL is allowed. */
void dn_s3_writer_close(struct dn_s3_writer *w);

#endif
