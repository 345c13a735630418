/** The objects of a bucket that a name with wildcards, or a folder, stands for. */
#ifndef DN_STORE_S3_LISTING_H
#define DN_STORE_S3_LISTING_H

#include "store/glob.h"
#include "store/url.h"

/**
 * dn_glob_add() for an s3:// name: without wildcards and without a '/' at its end it stands for itself, and nothing is asked.  A name with
 * wildcards costs one request to see whether there is an object of that very name, and then the listing of what begins with its
 * fixed part: of that folder alone if only what is behind its last '/' has wildcards, and no `**`.
 */
DN_NODISCARD enum dn_status dn_s3_find(struct dn_file_list *out, const char *name,
                                       const struct dn_store_options *store, struct dn_stop *stop,
                                       struct dn_error *err);

/**
 * Does a key match a pattern, part by part between slashes, as files do?  `*`, `?`, `[...]` within a part and none in front of a dot
 * that it begins with; `**`, which is all of a part, for any number of parts that begin with no dot.  Time: linear in their product.
 */
bool dn_s3_key_matches(const char *pattern, const char *key);

#endif
