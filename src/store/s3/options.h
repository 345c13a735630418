/** What a connection says about S3; everything may be left unsaid (NULL, 0). */
#ifndef DN_STORE_S3_OPTIONS_H
#define DN_STORE_S3_OPTIONS_H

#include "store/http/retry.h"

enum dn_s3_choice {
    DN_S3_UNSAID = 0,
    DN_S3_NO,
    DN_S3_YES,
};

/** Zero-initialise; texts are copied where they are kept. */
struct dn_s3_options {
    const char *key_id;
    const char *secret;
    const char *token;
    const char *profile;
    bool anonymous; /**< requests are not signed; no credentials are looked for */
    const char *region;
    const char *endpoint; /**< "https://host:port/path", or without the scheme */
    enum dn_s3_choice path_style;
    enum dn_s3_choice secure; /**< https; of AWS, and of an endpoint without a scheme */
    const char *ca_file;
    bool no_checksums;             /**< for stores that refuse x-amz-checksum-* */
    struct dn_retry_limits limits; /**< of one request */
    uint32_t stall_seconds;        /**< without a byte either way is a broken connection; 0: 60 */
};

#endif
