/**
 * What S3 answers in XML, read by expat (loaded on first use).
 *
 * An answer is a stranger's text: no document type and no entities but the five of XML are taken, elements nest at most 16 deep, a text
 * has at most 16 KiB.  What is longer or none of this is DN_ERR_DATA; elements that are not known are passed over.
 * Threads: all functions are thread-safe.
 */
#ifndef DN_STORE_S3_REPLY_H
#define DN_STORE_S3_REPLY_H

#include "base/buffer.h"

#include <stdbool.h>

/** The parts of an <Error> that are of use; texts that are not there are "", longer ones are cut. */
struct dn_s3_fault {
    char code[64]; /**< "NoSuchKey" */
    char message[256];
    char request_id[128];
    char region[64];
    char endpoint[256];
};

/** False, and an empty fault: the text is no <Error>, whatever it is. */
bool dn_s3_parse_fault(struct dn_span xml, struct dn_s3_fault *out);

#define DN_S3_ETAG_SIZE 136
/** Without its quotes and the mark of a weak one: not every store keeps them alike. */
void dn_s3_bare_etag(char out[DN_S3_ETAG_SIZE], const char *etag);
bool dn_s3_etags_match(const char *a, const char *b);

/** One object or folder of a listing, or one upload that is open. */
struct dn_s3_item {
    char *key;                  /**< owned; of a folder with the '/' at its end */
    char *upload_id;            /**< owned; uploads alone */
    char etag[DN_S3_ETAG_SIZE]; /**< as S3 writes it, with quotes */
    char time[40];              /**< last changed, or begun: "2026-01-02T03:04:05.000Z" */
    int64_t size;               /**< bytes; -1: unknown */
    bool is_folder;             /**< a common prefix */
};

/** One page of a listing.  Zero-initialise. */
struct dn_s3_page {
    struct dn_s3_item *items;
    size_t n_items;
    size_t room;
    char *next;        /**< owned; where the next page begins; NULL: this is the last one */
    char *next_upload; /**< owned; uploads: the second half of that */
    bool refused;      /**< uploads: the service does not let us list them, or cannot */
};
void dn_s3_page_finish(struct dn_s3_page *page);

/** <InitiateMultipartUploadResult>: *out is for dn_free(). */
DN_NODISCARD enum dn_status dn_s3_parse_upload_id(struct dn_span xml, char **out,
                                                  struct dn_error *err);
/** <CompleteMultipartUploadResult>, <CopyObjectResult> or <CopyPartResult>; an <Error> that came with a status of success is told by dn_s3_parse_fault(). */
struct dn_s3_completed {
    char etag[DN_S3_ETAG_SIZE];
    char crc32c[32]; /**< "": the store does not say */
};
DN_NODISCARD enum dn_status dn_s3_parse_completed(struct dn_span xml, struct dn_s3_completed *out,
                                                  struct dn_error *err);
/** <ListBucketResult>, version 2, keys URL-encoded or not: those that are are decoded. */
DN_NODISCARD enum dn_status dn_s3_parse_objects(struct dn_span xml, struct dn_s3_page *out,
                                                struct dn_error *err);
/** <ListMultipartUploadsResult> */
DN_NODISCARD enum dn_status dn_s3_parse_uploads(struct dn_span xml, struct dn_s3_page *out,
                                                struct dn_error *err);
/** <AssumeRoleWithWebIdentityResponse> of STS: values for dn_free(). */
struct dn_s3_assumed {
    char *key_id;
    char *secret;
    char *token;
    char expires[40];
};
void dn_s3_assumed_finish(struct dn_s3_assumed *a);
DN_NODISCARD enum dn_status dn_s3_parse_assumed(struct dn_span xml, struct dn_s3_assumed *out,
                                                struct dn_error *err);

#endif
