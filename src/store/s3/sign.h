/**
 * Signatures of requests, version 4 ("AWS4-HMAC-SHA256").
 *
 * The request is described once, and what is sent is made of the same canonical texts that are signed: dn_sign_query() gives the
 * query of the URL, so that a server which reads it as it stands comes to the same signature.
 * Threads: all functions are thread-safe.
 */
#ifndef DN_STORE_S3_SIGN_H
#define DN_STORE_S3_SIGN_H

#include "base/buffer.h"

#include <stdbool.h>

/** A header or a parameter.  Both texts are as they are meant, not encoded. */
struct dn_sign_pair {
    const char *name;
    const char *value;
};

#define DN_SIGN_MOST_PAIRS 64
#define DN_UNSIGNED_PAYLOAD "UNSIGNED-PAYLOAD"

/** Borrowed texts. */
struct dn_sign_request {
    const char *method;
    const char *path;                 /**< as in the request line: "/", percent-encoded */
    const struct dn_sign_pair *query; /**< in any order; a parameter without a value has "" */
    size_t n_query;
    /** All that are to be signed, in any order, `host` and `x-amz-date` among them; names in any case, repeated ones allowed. */
    const struct dn_sign_pair *headers;
    size_t n_headers;
    const char *body_hash; /**< 64 hexadecimal digits, or DN_UNSIGNED_PAYLOAD */
    const char *time;      /**< of x-amz-date: "20150830T123600Z" */
    const char *region;
    const char *service; /**< "s3" */
    bool
        encode_path; /**< services other than S3: the path is encoded once more in what is signed ... */
    bool normalize_path; /**< ... and `.`, `..` and empty parts are taken out of it */
};

/** Append the parameters sorted and encoded, "a=1&b=".  DN_ERR_INVALID: more than DN_SIGN_MOST_PAIRS. */
DN_NODISCARD enum dn_status dn_sign_query(const struct dn_sign_pair *query, size_t n_query,
                                          struct dn_buffer *out, struct dn_error *err);
/** Append the canonical request. */
DN_NODISCARD enum dn_status dn_sign_canonical(const struct dn_sign_request *r,
                                              struct dn_buffer *out, struct dn_error *err);
/** Append what the signature is one of. */
DN_NODISCARD enum dn_status dn_sign_text(const struct dn_sign_request *r, struct dn_span canonical,
                                         struct dn_buffer *out, struct dn_error *err);
/** Append the value of the header `Authorization`, and a NUL that is not counted.  The secret is in no message. */
DN_NODISCARD enum dn_status dn_sign_authorization(const struct dn_sign_request *r,
                                                  const char *key_id, const char *secret,
                                                  struct dn_buffer *out, struct dn_error *err);

#endif
