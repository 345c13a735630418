/**
 * The metadata of Arrow schemas, pairs of a key and a value of any bytes, in the form of the C data interface: the number of pairs, and
 * per pair the length of the key, the key, the length of the value, the value; lengths are 32 bits of this machine's.
 * https://arrow.apache.org/docs/format/CDataInterface.html
 */
#ifndef DN_ARROW_METADATA_H
#define DN_ARROW_METADATA_H

#include "base/buffer.h"

#include <stdbool.h>

/** The pair that makes an extension type of a column. */
#define DN_METADATA_EXTENSION "ARROW:extension:name"
/** The number a column has in Parquet files, as Arrow's readers and writers of them have it. */
#define DN_METADATA_FIELD_ID "PARQUET:field_id"

/** Goes through the pairs.  The format has no length in all: a producer's lengths are believed, but for negative ones, which end it. */
struct dn_metadata_reader {
    const char *at;
    int32_t n_left;
};

/** NULL has no pairs. */
void dn_metadata_begin(struct dn_metadata_reader *r, const char *metadata);
/** False: there are no more. */
bool dn_metadata_next(struct dn_metadata_reader *r, struct dn_span *key, struct dn_span *value);
/** The value of the first pair with that key; false: there is none. */
bool dn_metadata_get(const char *metadata, const char *key, struct dn_span *value);
/** Bytes that it takes; 0 of NULL, and of what is none, with a negative number in it. */
size_t dn_metadata_size(const char *metadata);
static inline bool dn_metadata_is(struct dn_span text, const char *what)
{
    return text.len == strlen(what) && memcmp(text.data, what, text.len) == 0;
}

/**
 * Append a pair to metadata in `b`, which is empty before the first one: then b->data is metadata.  DN_ERR_UNSUPPORTED: too long for
 * 32 bits.
 */
DN_NODISCARD enum dn_status dn_metadata_add(struct dn_buffer *b, struct dn_span key,
                                            struct dn_span value, struct dn_error *err);

#endif
