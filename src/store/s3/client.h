/**
 * Operations of S3, each a request or a few, with their retries.
 *
 * What can pass is tried again: no connection, a broken or stalled one, an answer that was cut, statuses 429, 500, 502, 503 and 504, the
 * service's words for "slow down", as store/http/retry.h has it.  Each try is signed anew: a clock that is wrong is set right by the answer's Date, keys that expired
 * are fetched again once, a redirect to another region is followed.  Everything else fails at once.
 *
 * Messages name s3://bucket/key, the service's code and the number of the request, and what can be done; never a secret.
 * Statuses: DN_ERR_NOT_FOUND no such object, bucket or upload; DN_ERR_EXISTS; DN_ERR_IO refused; DN_ERR_TEMPORARY tried long enough;
 * DN_ERR_DATA no answer of S3; DN_ERR_CONFIG no credentials; DN_ERR_CANCELLED by `stop`, within a second; DN_ERR_INVALID in a child of
 * fork(); DN_ERR_MEMORY, DN_ERR_UNSUPPORTED.
 * Threads: a client is thread-safe; several parts or ranges at once are several threads.  Requests wait in the caller's thread.
 */
#ifndef DN_STORE_S3_CLIENT_H
#define DN_STORE_S3_CLIENT_H

#include "base/stop.h"
#include "store/options.h"
#include "store/s3/reply.h"
#include "store/s3/sign.h"

struct dn_s3_client;

/** Reads environment and profile files; no network yet.  DN_ERR_CONFIG, DN_ERR_IO. */
DN_NODISCARD enum dn_status dn_s3_client_open(struct dn_s3_client **out,
                                              const struct dn_store_options *options,
                                              struct dn_error *err);
/** After the last call has returned.  NULL is allowed. */
void dn_s3_client_close(struct dn_s3_client *c);

/** Borrowed. */
struct dn_s3_name {
    const char *bucket;
    const char *key;
};

/** Metadata that says which run of a writer made an object: a word of at most 39 bytes. */
#define DN_S3_RUN_METADATA "dativo-run"
#define DN_S3_RUN_SIZE 40

struct dn_s3_object {
    int64_t size;
    char etag[DN_S3_ETAG_SIZE]; /**< as S3 writes it, for If-Match */
    char modified[40];          /**< "Fri, 02 Jan 2026 03:04:05 GMT" */
    char crc32c[32]; /**< base64 of all of it, or of its parts' with "-n" behind; "": unknown */
    char run[DN_S3_RUN_SIZE]; /**< DN_S3_RUN_METADATA; "": none */
};
DN_NODISCARD enum dn_status dn_s3_head(struct dn_s3_client *c, struct dn_s3_name name,
                                       struct dn_stop *stop, struct dn_s3_object *out,
                                       struct dn_error *err);
/**
 * Exactly `size` >= 1 bytes from `offset` on, into `out`.
 * @param object  DN_ERR_IO if it is another one by now; NULL: whichever is there.
 */
DN_NODISCARD enum dn_status dn_s3_get(struct dn_s3_client *c, struct dn_s3_name name,
                                      uint64_t offset, size_t size,
                                      const struct dn_s3_object *object, uint8_t *out,
                                      struct dn_stop *stop, struct dn_error *err);

/**
 * All of an object in one request, at most 5 GiB.
 * @param attributes  what it gets besides its bytes: content_type, metadata, tags, storage_class, encryption, kms_key_id; and replaces; or NULL.
 * @param overwrite   else DN_ERR_EXISTS if there is one.
 */
DN_NODISCARD enum dn_status dn_s3_put(struct dn_s3_client *c, struct dn_s3_name name,
                                      struct dn_span body,
                                      const struct dn_store_options *attributes, bool overwrite,
                                      struct dn_stop *stop, struct dn_error *err);

struct dn_s3_entry; /* ledger.h */
/**
 * Begin an upload in parts; *out_id is for dn_free().  If an answer got lost, uploads that came of that are aborted.
 * @param attributes  as of dn_s3_put(); no_checksums: its parts have none
 * @param own  is told the number; may be NULL.
 */
DN_NODISCARD enum dn_status dn_s3_upload_create(struct dn_s3_client *c, struct dn_s3_name name,
                                                const struct dn_store_options *attributes,
                                                struct dn_s3_entry *own, char **out_id,
                                                struct dn_stop *stop, struct dn_error *err);
struct dn_s3_part {
    uint32_t number; /**< 1 to 10,000 */
    uint64_t size;
    uint32_t crc32c;
    char etag[DN_S3_ETAG_SIZE];
    bool is_copy; /**< the service has made it of another object: its checksum is not known */
};
/** The bytes are the caller's and stay until this returns.  All parts but the last one have at least 5 MiB, none more than 5 GiB. */
DN_NODISCARD enum dn_status dn_s3_upload_part(struct dn_s3_client *c, struct dn_s3_name name,
                                              const char *id, uint32_t number, struct dn_span body,
                                              struct dn_s3_part *out, struct dn_stop *stop,
                                              struct dn_error *err);
/**
 * Make the object of its parts, in the order of their numbers.  DN_OK: the service has said that it has it; if an answer got lost, what
 * is there was compared with what was sent.
 * @param overwrite  else DN_ERR_EXISTS if there is one; the upload is still open then.
 * @param replaces   the ETag of the one that may be there; NULL: any.
 */
DN_NODISCARD enum dn_status dn_s3_upload_complete(struct dn_s3_client *c, struct dn_s3_name name,
                                                  const char *id, const struct dn_s3_part *parts,
                                                  size_t n_parts, bool overwrite,
                                                  const char *replaces, struct dn_stop *stop,
                                                  struct dn_error *err);
/** DN_OK too if there is no such upload. */
DN_NODISCARD enum dn_status dn_s3_upload_abort(struct dn_s3_client *c, struct dn_s3_name name,
                                               const char *id, struct dn_stop *stop,
                                               struct dn_error *err);
/**
 * For aborting uploads of exactly this key that no process of this machine is at; while one is about to begin one, there are none.
 * Times are seconds since 1970 by the service's clock.
 */
struct dn_s3_abandoned {
    const char *keep_id;           /**< but this one; or NULL */
    const struct dn_s3_entry *own; /**< who asks; or NULL */
    int64_t since;                 /**< begun then or later; 0: any time */
    int64_t until;                 /**< begun then or earlier; 0: any time */
    bool if_allowed;               /**< DN_OK if they may not or cannot be listed */
};
/** Now, by the service's clock as far as an answer has told; NULL: by this machine's. */
int64_t dn_s3_now(struct dn_s3_client *c);
/** *n_aborted, which may be NULL, counts them, also if it fails in between. */
DN_NODISCARD enum dn_status dn_s3_abort_uploads(struct dn_s3_client *c, struct dn_s3_name name,
                                                const struct dn_s3_abandoned *which,
                                                size_t *n_aborted, struct dn_stop *stop,
                                                struct dn_error *err);
/**
 * How long the part of a number should be if nobody knows how long the object becomes: 8 MiB, and twice as much after each 1,000, so
 * that 10,000 suffice for 5 TiB.
 */
uint64_t dn_s3_part_bytes(uint32_t number);
/**
 * A page of the objects whose keys begin with name.key, in the order of their bytes.
 * @param delimiter  "/": what is below a folder is one item; NULL: all.
 * @param from       page.next of the page before; NULL: the first one.
 */
DN_NODISCARD enum dn_status dn_s3_list(struct dn_s3_client *c, struct dn_s3_name name,
                                       const char *delimiter, const char *from,
                                       struct dn_s3_page *out, struct dn_stop *stop,
                                       struct dn_error *err);
/** A page of the uploads that are open for keys that begin with name.key. */
DN_NODISCARD enum dn_status dn_s3_list_uploads(struct dn_s3_client *c, struct dn_s3_name name,
                                               const struct dn_s3_page *before,
                                               struct dn_s3_page *out, struct dn_stop *stop,
                                               struct dn_error *err);
/** The most that one request copies. */
#define DN_S3_MOST_COPIED (INT64_C(5) << 30)
/**
 * Make `to` of what `from` is, within the service; what is there gives way.  More than DN_S3_MOST_COPIED bytes are an upload whose parts are
 * copied; it is aborted if that fails.
 * @param etag        of `from`: DN_ERR_IO if it is another one by now
 * @param size        of `from`
 * @param attributes  What `to` gets, as of dn_s3_put().  One request takes metadata and tags from `from`, and the others from here: give what
 *                    `from` was given.
 */
DN_NODISCARD enum dn_status dn_s3_copy(struct dn_s3_client *c, struct dn_s3_name from,
                                       const char *etag, int64_t size, struct dn_s3_name to,
                                       const struct dn_store_options *attributes,
                                       struct dn_stop *stop, struct dn_error *err);
/** DN_OK too if there is none. */
DN_NODISCARD enum dn_status dn_s3_delete(struct dn_s3_client *c, struct dn_s3_name name,
                                         struct dn_stop *stop, struct dn_error *err);

#endif
