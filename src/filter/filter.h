/** What a source of packed or foreign bytes turns them into, one step after the other. */
#ifndef DN_FILTER_FILTER_H
#define DN_FILTER_FILTER_H

#include "store/source.h"

/** Bytes in hand and room for what becomes of them. */
struct dn_filter_io {
    const uint8_t *in;
    size_t in_len;
    bool in_end; /**< nothing comes behind `in` */
    uint8_t *out;
    size_t out_len;
    size_t used;       /**< out: bytes of `in` that are done with */
    size_t made;       /**< out: bytes put into `out` */
    bool member_ended; /**< out: what began with begins() is complete */
};

/** A kind of filter.  One thread at a time. */
struct dn_filter_class {
    const char *name; /**< as messages have it: "gzip" */
    /** Does `head` begin a member?  NULL: there are no members, all bytes are one text. */
    bool (*begins)(const uint8_t *head, size_t len);
    size_t begins_len; /**< bytes that begins() wants to see */
    bool padded;       /**< zeros may stand behind a member */
    DN_NODISCARD enum dn_status (*open)(void **out_state, const void *how, struct dn_error *err);
    /** A member starts.  NULL: nothing is to be done. */
    DN_NODISCARD enum dn_status (*begin)(void *state, struct dn_error *err);
    /**
     * Use or make at least one byte, or end the member.  Neither: more bytes are needed, or, at in_end, those there are were cut.
     * DN_ERR_DATA: they are damaged; the message says how, without a name and a place.
     */
    DN_NODISCARD enum dn_status (*step)(void *state, struct dn_filter_io *io, struct dn_error *err);
    void (*close)(void *state);
};

extern const struct dn_filter_class dn_filter_gzip;
extern const struct dn_filter_class dn_filter_zstd;
extern const struct dn_filter_class dn_filter_bzip2;
extern const struct dn_filter_class dn_filter_xz;
/** From an encoding into UTF-8; `how` is a struct dn_transcode.  There are no members. */
extern const struct dn_filter_class dn_filter_transcode;

struct dn_transcode {
    const char *encoding; /**< as iconv(3) has it, outlives the filter */
    bool replace;         /**< what maps to nothing becomes U+FFFD */
    _Atomic int64_t *n_replaced;
};

/** The packing that a head of at least DN_FILTER_HEAD bytes, or of a whole file, begins; NULL: none. */
#define DN_FILTER_HEAD ((size_t)18)
const struct dn_filter_class *dn_filter_find(const uint8_t *head, size_t len);

/**
 * A source of what `class` makes of `inner`, which is the new source's from now on, on failure as well.
 * @param class     NULL: the bytes as they are.
 * @param how       for class->open(), borrowed.
 * @param head,len  bytes of `inner` that were read already, at most DN_FILTER_HEAD
 * @param offset    stored bytes in front of them, for messages
 */
DN_NODISCARD enum dn_status dn_filter_open(struct dn_source **out, struct dn_source *inner,
                                           const struct dn_filter_class *class, const void *how,
                                           const uint8_t *head, size_t len, uint64_t offset,
                                           struct dn_error *err);

#endif
