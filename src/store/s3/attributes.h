/** What an object gets besides its bytes, as headers of the request that makes it. */
#ifndef DN_STORE_S3_ATTRIBUTES_H
#define DN_STORE_S3_ATTRIBUTES_H

#include "store/s3/client.h"
#include "store/s3/send.h"

/** The texts that the headers are made of; outlives the operation.  Zero-initialise. */
struct dn_s3_described {
    struct dn_buffer names;
    struct dn_buffer tags;
};

/** @param attributes  NULL: nothing is added. */
DN_NODISCARD enum dn_status dn_s3_add_attributes(struct dn_s3_operation *op,
                                                 const struct dn_store_options *attributes,
                                                 struct dn_s3_described *d, struct dn_error *err);
void dn_s3_described_finish(struct dn_s3_described *d);
/** The permission that it takes: who gives tags needs to be allowed that, too. */
const char *dn_s3_needs_of(const struct dn_store_options *attributes);

/** Was `st` the answer of a service that knows no tags, to one who can do without?  *out: the same attributes without them. */
bool dn_s3_tags_are_refused(const struct dn_store_options *attributes, enum dn_status st,
                            struct dn_store_options *out);
/** Tell it, if the object was made all the same. */
void dn_s3_note_untagged(const struct dn_store_options *attributes, enum dn_status st,
                         struct dn_s3_name name);

#endif
