/**
 * What a connection says about the places that bytes come from and go to: S3 services, their credentials, the web.
 *
 * Readers and writers take names: a path, s3://bucket/key, and for reading http(s)://host/path.  A local file needs nothing of this.
 */
#ifndef DATIVO_STORE_H
#define DATIVO_STORE_H

#include "status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum dn_store_choice {
    DN_STORE_UNSAID = 0,
    DN_STORE_NO = 1,
    DN_STORE_YES = 2
};

struct dn_store_pair {
    const char *name;
    const char *value;
};

/**
 * Zero-initialise, then set what is said; NULL and 0: it is not, and the environment (AWS_ACCESS_KEY_ID, AWS_PROFILE, AWS_REGION,
 * AWS_ENDPOINT_URL_S3, ...), the profile files, containers and instances are asked.
 *
 * Everything is copied by whoever is given one, during that call.  Copies of secrets are overwritten before they are freed, and no
 * secret is in any message.
 */
struct dn_store_options {
    uint32_t struct_size; /**< sizeof(struct dn_store_options) */
    bool anonymous;       /**< requests are not signed, and no credentials are looked for */
    bool no_checksums;    /**< for services that refuse x-amz-checksum-* */
    const char *endpoint; /**< "https://host:port/path", or without the scheme; NULL: AWS */
    const char *region;
    const char *access_key_id; /**< both keys or none */
    const char *secret_access_key;
    const char *session_token;
    const char *profile;             /**< of AWS's files; counts before the environment */
    enum dn_store_choice path_style; /**< the bucket in the path; unsaid: of an endpoint that was given */
    enum dn_store_choice secure;     /**< https; of AWS, and of an endpoint without a scheme; unsaid: yes */
    const char *ca_file;             /**< certificates to trust instead of the system's; for the web too */

    /* What an object that is written gets besides its bytes. */
    const char *content_type;             /**< NULL: what the writer writes */
    const struct dn_store_pair *metadata; /**< names without "x-amz-meta-"; at most 32, ASCII */
    size_t n_metadata;
    const struct dn_store_pair *tags; /**< at most 10 */
    size_t n_tags;
    const char *storage_class;
    const char *encryption; /**< "AES256", "aws:kms" */
    const char *kms_key_id;
    /** With overwrite: the ETag of the object that may be replaced; if there is another one by then, DN_ERR_EXISTS. */
    const char *replaces;

    /* How long something is tried. */
    uint32_t retry_seconds;    /**< no try of a request begins later than that behind the first one; 0: 120 */
    uint32_t retry_most_tries; /**< of a request; 0: 8 */
    uint32_t retry_backoff_ms; /**< the most that is waited before the second try, doubled from try to try; 0: 100 */
    uint32_t stall_seconds;    /**< without a byte either way is a broken connection; 0: 60 */
    /**
     * For bytes on their way, beside the budget of the reader or writer; 0: a part of that budget: a quarter of a CSV reader's, up to 32 MiB,
     * seven in 32 of a writer's, from 5 MiB to 64 MiB.
     */
    uint64_t memory_bytes;
    /** Tags are left out where the service answers that it knows none (501), which `note` is told; else that is an error. */
    bool tags_if_possible;
    /** Called from any thread with an event's type and a sentence that the user should read.  NULL: nobody is told. */
    void (*note)(void *ctx, const char *event_type, const char *message);
    void *note_ctx;
};

/** The least struct_size that is taken: members behind what it covers are as if they were zero. */
#define DN_STORE_OPTIONS_V0_2_SIZE DN_SIZE_THROUGH(struct dn_store_options, memory_bytes)

#ifdef __cplusplus
}
#endif
#endif
