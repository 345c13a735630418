/** Sinks that are objects of S3. */
#ifndef DN_STORE_REMOTE_SINK_H
#define DN_STORE_REMOTE_SINK_H

#include "store/options.h"
#include "store/sink.h"
#include "store/url.h"

/**
 * dn_sink_open() of a URL of kind DN_URL_S3.  Bytes go out in parts while others are collected; what is less than a part goes out with
 * commit(), which makes the object.  Uploads of this object that somebody left open are aborted.
 */
DN_NODISCARD enum dn_status dn_s3_sink_open(struct dn_sink **out, const struct dn_url *url,
                                            const struct dn_store_options *options, bool overwrite,
                                            struct dn_stop *stop, struct dn_error *err);

#endif
