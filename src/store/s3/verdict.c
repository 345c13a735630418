/* What the service's answers mean, for us and for the one who reads the message. */
#include "base/strings.h"
#include "store/s3/send.h"

#include <stdio.h>

static bool is_one_of(const char *word, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (strcmp(word, *words) == 0) {
            return true;
        }
    }
    return false;
}

enum dn_s3_verdict dn_s3_judge(int status, const struct dn_s3_fault *fault)
{
    static const char *const later[] = {"InternalError",
                                        "SlowDown",
                                        "ServiceUnavailable",
                                        "RequestTimeout",
                                        "Throttling",
                                        "ThrottlingException",
                                        "RequestLimitExceeded",
                                        "TooManyRequests",
                                        "OperationAborted",
                                        "ConditionalRequestConflict",
                                        NULL};
    static const char *const expired[] = {"ExpiredToken", "ExpiredTokenException",
                                          "TokenRefreshRequired", NULL};
    static const char *const elsewhere[] = {"PermanentRedirect", "TemporaryRedirect",
                                            "AuthorizationHeaderMalformed",
                                            "IllegalLocationConstraintException", NULL};

    if (fault->code[0] == '\0' && status >= 200 && status <= 299) {
        return DN_S3_DONE;
    }
    if (is_one_of(fault->code, expired)) {
        return DN_S3_REFRESH;
    }
    if (strcmp(fault->code, "RequestTimeTooSkewed") == 0) {
        return DN_S3_CLOCK;
    }
    if (status == 301 || status == 307 || is_one_of(fault->code, elsewhere)) {
        return DN_S3_REGION;
    }
    if (is_one_of(fault->code, later) || dn_retry_may_pass(status)) {
        return DN_S3_AGAIN;
    }
    return DN_S3_FAILED;
}

const char *dn_s3_shown(char out[DN_S3_SHOWN_SIZE], struct dn_s3_name name)
{
    char text[1024 + 300];

    (void)snprintf(text, sizeof(text), "s3://%s/%s", name.bucket, name.key);
    dn_error_copy_text(out, DN_S3_SHOWN_SIZE, text);
    return out;
}

struct meaning {
    const char *code;
    int status; /* of answers without a code; 0: none */
    enum dn_status means;
    const char *advice;
};

#define SENT_AWAY                                                                                  \
    "a signed request is sent to no other host; name the bucket's endpoint, or its region "        \
    "(AWS_REGION, or the connection's region)"

static const struct meaning meanings[] = {
    {"NoSuchKey", 0, DN_ERR_NOT_FOUND,
     "check the key: capitals count, there is no leading '/', and a folder has one at its end"},
    {"NoSuchBucket", 0, DN_ERR_NOT_FOUND,
     "check the bucket's name, the endpoint and whose account it is; buckets are not made here"},
    {"NoSuchUpload", 0, DN_ERR_NOT_FOUND,
     "somebody, or a rule of the bucket, aborted it meanwhile; begin anew"},
    {"InvalidAccessKeyId", 0, DN_ERR_IO,
     "this service does not know the access key; check it and the endpoint"},
    {"SignatureDoesNotMatch", 0, DN_ERR_IO,
     "the secret key does not belong to the access key; check it for cut or added bytes"},
    {"InvalidToken", 0, DN_ERR_IO,
     "the session token does not belong to the keys; fetch all three again"},
    {"ExpiredToken", 0, DN_ERR_IO, "fetch new credentials"},
    {"RequestTimeTooSkewed", 0, DN_ERR_IO, "set this machine's clock"},
    {"AuthorizationHeaderMalformed", 0, DN_ERR_IO,
     "name the bucket's region (AWS_REGION, or the connection's region)"},
    {"PermanentRedirect", 0, DN_ERR_IO,
     "name the bucket's region (AWS_REGION, or the connection's region) or its endpoint"},
    {"InvalidBucketName", 0, DN_ERR_INVALID,
     "a bucket's name has 3 to 63 small letters, digits, dots and hyphens"},
    {"InvalidStorageClass", 0, DN_ERR_INVALID, "correct the option storage_class"},
    {"InvalidObjectState", 0, DN_ERR_IO, "the object is archived: restore it before it is read"},
    {"InvalidTag", 0, DN_ERR_INVALID, "correct the option tags"},
    {"MetadataTooLarge", 0, DN_ERR_INVALID, "shorten the option metadata"},
    {"KMS.NotFoundException", 0, DN_ERR_IO, "correct the option kms_key_id"},
    {"KMS.DisabledException", 0, DN_ERR_IO, "enable that key, or correct the option kms_key_id"},
    {"PreconditionFailed", 0, DN_ERR_EXISTS, ""},
    {"EntityTooSmall", 0, DN_ERR_IO, "this service wants larger parts"},
    {"InvalidPart", 0, DN_ERR_IO, "a part is not what was uploaded; begin anew"},
    {"BadDigest", 0, DN_ERR_IO,
     "bytes were changed on their way; try again, and look at what is in between"},
    {"XAmzContentSHA256Mismatch", 0, DN_ERR_IO,
     "bytes were changed on their way; try again, and look at what is in between"},
    {"NotImplemented", 0, DN_ERR_UNSUPPORTED,
     "this service cannot do that; leave out the option that asks for it"},
    {"InvalidRange", 416, DN_ERR_IO,
     "the object is shorter than it was; read it again from the start"},
    {"TemporaryRedirect", 0, DN_ERR_IO,
     "name the bucket's region (AWS_REGION, or the connection's region) or its endpoint"},
    {"", 301, DN_ERR_IO,
     "name the bucket's region (AWS_REGION, or the connection's region) or its endpoint"},
    {"", 302, DN_ERR_IO, SENT_AWAY},
    {"", 303, DN_ERR_IO, SENT_AWAY},
    {"", 307, DN_ERR_IO, SENT_AWAY},
    {"", 308, DN_ERR_IO, SENT_AWAY},
    {"", 404, DN_ERR_NOT_FOUND, "check bucket, key and endpoint"},
    {"", 412, DN_ERR_EXISTS, ""},
    {"", 507, DN_ERR_IO, "the server's disk is full"},
    {"XMinioStorageFull", 0, DN_ERR_IO, "the server's disk is full"},
};

static struct meaning meaning_of(int status, const char *code)
{
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        const struct meaning *m = &meanings[i];
        if ((m->code[0] != '\0' && strcmp(m->code, code) == 0) || (m->status == status)) {
            return *m;
        }
    }
    const bool may_pass = status >= 500 || status == 429;
    return (struct meaning){"", status, may_pass ? DN_ERR_TEMPORARY : DN_ERR_IO,
                            may_pass ? "try again later" : ""};
}

static bool is_precondition(const struct dn_s3_operation *op)
{
    return op->status == 412;
}

/* Reading with If-Match and writing with If-None-Match fail alike, and mean something else. */
static const char *changed_advice(const struct dn_s3_operation *op)
{
    return strcmp(op->method, "GET") == 0
               ? "the object was replaced while it was read; read it again from the start"
               : "an object of that name is there already, and is not to be overwritten; ask for "
                 "overwriting, remove it or choose another name";
}

enum dn_status dn_s3_report(const struct dn_s3_operation *op, const struct dn_http_response *r,
                            const char *source, uint32_t n_tries, struct dn_error *err)
{
    const struct dn_s3_fault *f = &op->fault;
    struct meaning m = meaning_of(op->status, f->code);
    const char *header = dn_http_header_value(r, "x-amz-request-id");
    const char *request = f->request_id[0] != '\0' ? f->request_id : header != NULL ? header : "";
    char shown[DN_S3_SHOWN_SIZE];
    char tries[64] = "";
    char advice[320] = "";

    if (is_precondition(op)) {
        m.advice = changed_advice(op);
        m.means = strcmp(op->method, "GET") == 0 ? DN_ERR_IO : DN_ERR_EXISTS;
    } else if (op->status == 403 && m.advice[0] == '\0') {
        (void)snprintf(advice, sizeof(advice),
                       source != NULL
                           ? "the owner of the keys from %s needs the permission %s there"
                           : "%sthat needs keys with the permission %s, and it was asked without "
                             "any (anonymous)",
                       source != NULL ? source : "", op->needs);
        m.advice = advice;
    } else if (op->status == 401) {
        m.advice = "the service wants other credentials";
    } else if (op->status == 400 && f->code[0] == '\0') { /* HEAD has no room for the reason */
        m.advice = "check keys, session token and region";
    }
    if (n_tries > 1) {
        (void)snprintf(tries, sizeof(tries), ", tried %u times", n_tries);
    }
    const enum dn_status st = dn_error_set(
        err, m.means, "%s %s: %s%s%.200s (status %d%s%.100s%s)%s%s", dn_s3_shown(shown, op->name),
        op->doing, f->code[0] != '\0' ? f->code : "the service refuses",
        f->message[0] != '\0' ? ", " : "", f->message, op->status,
        request[0] != '\0' ? ", request " : "", request, tries, m.advice[0] != '\0' ? "; " : "",
        m.advice);
    dn_error_locate(err, shown, -1, -1, -1, NULL);
    return st;
}
