/** One operation of S3 as a request that is signed, sent, judged, and sent again. */
#ifndef DN_STORE_S3_SEND_H
#define DN_STORE_S3_SEND_H

#include "base/owner.h"
#include "store/http/retry.h"
#include "store/s3/client.h"
#include "store/s3/credentials.h"

struct dn_s3_client {
    struct dn_owner owner;
    struct dn_s3_profile profile;
    struct dn_s3_place place;
    struct dn_s3_chain *chain;
    bool checksums;
    struct dn_retry_limits limits;
    uint32_t stall_seconds;
    /* Under the lock: what answers have taught. */
    pthread_mutex_t lock;
    char region[DN_S3_REGION_SIZE];
    int64_t skew_seconds;   /**< to add to this machine's clock, for signatures */
    int64_t offset_seconds; /**< of the service's clock, by its last answer */
};

#define DN_S3_MOST_HEADERS 48
#define DN_S3_MOST_QUERY 8

/** Zero-initialise.  Borrowed texts. */
struct dn_s3_operation {
    const char *method;
    struct dn_s3_name name;
    bool of_bucket;    /**< a request to the bucket; the key is for messages alone */
    const char *doing; /**< for messages: "cannot be read" */
    const char *needs; /**< the permission, for messages: "s3:GetObject" */
    struct dn_sign_pair query[DN_S3_MOST_QUERY];
    size_t n_query;
    struct dn_sign_pair headers[DN_S3_MOST_HEADERS];
    size_t n_headers;
    struct dn_span body;
    bool has_body;
    bool hash_body; /**< even over https */
    const struct dn_http_place *place;
    int64_t want_bytes; /**< that a success has; other numbers are a broken answer.  0: any */
    size_t body_cap;
    /** Of answers that are XML, where a success may also have an error in it: reads it into `taken`, which holds nothing on failure. */
    enum dn_status (*take)(struct dn_span xml, void *taken, struct dn_error *err);
    void *taken;
    /* Results, valid whatever dn_s3_send() returns. */
    bool lost; /**< a try may have had its effect without our knowing */
    int status;
    struct dn_s3_fault fault;
};

void dn_s3_add_query(struct dn_s3_operation *op, const char *name, const char *value);
/** A NULL value adds nothing. */
void dn_s3_add_header(struct dn_s3_operation *op, const char *name, const char *value);

/** *r is the caller's, whatever comes back.  DN_OK: a status of success, and no error in the body. */
DN_NODISCARD enum dn_status dn_s3_send(struct dn_s3_client *c, struct dn_s3_operation *op,
                                       struct dn_stop *stop, struct dn_http_response *r,
                                       struct dn_error *err);

/** What an answer calls for. */
enum dn_s3_verdict {
    DN_S3_DONE,
    DN_S3_AGAIN,   /**< later */
    DN_S3_REGION,  /**< in another region */
    DN_S3_CLOCK,   /**< with another time */
    DN_S3_REFRESH, /**< with other keys */
    DN_S3_FAILED,
};
enum dn_s3_verdict dn_s3_judge(int status, const struct dn_s3_fault *fault);

/** The failure of an answer that is final, as a status and a message. */
DN_NODISCARD enum dn_status dn_s3_report(const struct dn_s3_operation *op,
                                         const struct dn_http_response *r, const char *source,
                                         uint32_t n_tries, struct dn_error *err);
/** "s3://bucket/key" */
#define DN_S3_SHOWN_SIZE 512
const char *dn_s3_shown(char out[DN_S3_SHOWN_SIZE], struct dn_s3_name name);

#endif
