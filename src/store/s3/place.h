/** Where an S3 service is, and how the URL of an object looks there.  Threads: immutable once it is open. */
#ifndef DN_STORE_S3_PLACE_H
#define DN_STORE_S3_PLACE_H

#include "base/buffer.h"
#include "store/options.h"
#include "store/s3/profile.h"

#define DN_S3_REGION_SIZE 64

/** Zero-initialise. */
struct dn_s3_place {
    bool secure;
    bool path_style; /**< the bucket is in the path of every URL */
    bool given; /**< an endpoint was named; else it is AWS, whose host follows from the region */
    char *
        host; /**< of a given endpoint: "host" or "host:port", without a port that goes without saying */
    char *base;    /**< of a given endpoint: path in front of the bucket, "" or "/a/b" */
    char *region;  /**< to begin with; shorter than DN_S3_REGION_SIZE */
    char *ca_file; /**< or NULL */
};

/**
 * From the connection, AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, AWS_REGION, AWS_DEFAULT_REGION, AWS_CA_BUNDLE and the profile, in this order;
 * The endpoint s3.amazonaws.com is AWS, whatever the others say.  AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true leaves the connection's endpoint alone.
 * DN_ERR_CONFIG: an endpoint that is no address, or one by http:// with `secure`.
 */
DN_NODISCARD enum dn_status dn_s3_place_open(struct dn_s3_place *p,
                                             const struct dn_store_options *options,
                                             const struct dn_s3_profile *profile,
                                             struct dn_error *err);
void dn_s3_place_close(struct dn_s3_place *p);
/** Append the value of the header Host, and the path of an object or, with an empty key, of the bucket; each with a NUL not counted.
 *  `region` counts for AWS alone; a redirect may have told of another one than the place has. */
DN_NODISCARD enum dn_status dn_s3_place_address(const struct dn_s3_place *p, const char *region,
                                                const char *bucket, const char *key,
                                                struct dn_buffer *host, struct dn_buffer *path,
                                                struct dn_error *err);

#endif
