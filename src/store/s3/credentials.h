/**
 * Credentials, from the first of these that has some: the connection, AWS_ACCESS_KEY_ID and its kin, the profile (keys,
 * `credential_process`, web identity), AWS_WEB_IDENTITY_TOKEN_FILE through STS, the endpoint of a container (ECS, EKS), the metadata
 * of an EC2 instance (IMDSv2; at most about 2 s where there is none).
 *
 * Those that expire are fetched again 5 minutes before they do.  No secret is in any message.
 * Threads: one chain may be asked by any number; one fetches, the others wait and can be told to stop.
 */
#ifndef DN_STORE_S3_CREDENTIALS_H
#define DN_STORE_S3_CREDENTIALS_H

#include "base/stop.h"
#include "store/options.h"
#include "store/s3/place.h"

#include <stdatomic.h>

/** Immutable; freed with the last reference. */
struct dn_s3_keys {
    _Atomic uint32_t n_users;
    char *id;
    char *secret;
    char *token;        /**< or NULL */
    int64_t expires;    /**< seconds since 1970; 0: never */
    const char *source; /**< for messages, static: "the environment (AWS_ACCESS_KEY_ID)" */
};
void dn_s3_keys_release(struct dn_s3_keys *keys);

struct dn_s3_chain;

/** No network yet.  `profile` and `place` are borrowed and outlive the chain.  DN_ERR_CONFIG: half a pair of keys in the connection. */
DN_NODISCARD enum dn_status dn_s3_chain_open(struct dn_s3_chain **out,
                                             const struct dn_store_options *options,
                                             const struct dn_s3_profile *profile,
                                             const struct dn_s3_place *place, struct dn_error *err);
/**
 * Keys to sign with; *out is to be released.  NULL: requests are anonymous.
 * @param refused  Keys that the service calls expired: others are fetched, unless that has been done.  NULL: none were.
 * @return DN_ERR_CONFIG: there are none, or a source that was named has none; DN_ERR_TEMPORARY, DN_ERR_IO, DN_ERR_DATA: it cannot
 *         be asked; DN_ERR_CANCELLED; DN_ERR_MEMORY.
 */
DN_NODISCARD enum dn_status dn_s3_chain_get(struct dn_s3_chain *chain,
                                            const struct dn_s3_keys *refused, struct dn_stop *stop,
                                            struct dn_s3_keys **out, struct dn_error *err);
/** NULL is allowed. */
void dn_s3_chain_close(struct dn_s3_chain *chain);

#endif
