/** What an object of a bucket is marked with, as the host marks it: user metadata (x-amz-meta-*) and tags, from the asset. */
#ifndef DN_JOB_LABELS_H
#define DN_JOB_LABELS_H

#include "job/yaml.h"

#include <jansson.h>

struct dn_asset;

/** What of an asset's file is for nothing but this, as it stands there: owner, tenant, tags, compliance.  @param out  A new reference. */
DN_NODISCARD enum dn_status dn_labels_read(const struct dn_yaml_node *asset, json_t **out,
                                           struct dn_error *err);

/** What is written, and how. */
struct dn_labels_of {
    const struct dn_asset *asset;
    const char *branch; /**< NULL: "main" */
    const char *format;
    const char *compression; /**< NULL: it has none of its own */
};
/**
 * {"content_type","metadata":{name: text},"tags":{name: text}}, at most 10 tags.  Bytes of values that a header cannot have are
 * percent-encoded in metadata, those that a tag cannot have are '_' there.
 * @param out  A new reference.
 */
DN_NODISCARD enum dn_status dn_labels_make(const struct dn_labels_of *of, json_t **out,
                                           struct dn_error *err);

#endif
