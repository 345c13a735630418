/** Sources that are objects of S3 or resources of the web. */
#ifndef DN_STORE_REMOTE_SOURCE_H
#define DN_STORE_REMOTE_SOURCE_H

#include "store/options.h"
#include "store/source.h"
#include "store/url.h"

/** dn_source_open() of a URL of kind DN_URL_S3.  What is read is the object as it was when it was opened, or DN_ERR_IO. */
DN_NODISCARD enum dn_status dn_s3_source_open(struct dn_source **out, const struct dn_url *url,
                                              const struct dn_store_options *options,
                                              struct dn_stop *stop, struct dn_error *err);
/**
 * dn_source_open() of a URL of kind DN_URL_HTTP.  Where the server gives ranges and a mark of the content, it can be read anywhere and
 * again; else it is a stream.
 */
DN_NODISCARD enum dn_status dn_web_source_open(struct dn_source **out, const struct dn_url *url,
                                               const struct dn_store_options *options,
                                               struct dn_stop *stop, struct dn_error *err);

#endif
