/**
 * What one codec library has to offer, behind one table.  One adaptor file per codec includes that library's header.
 *
 * The functions never see NULL data: a span of 0 bytes points somewhere readable.
 */
#ifndef DN_CODEC_ADAPTOR_H
#define DN_CODEC_ADAPTOR_H

#include "codec/codec.h"

struct dn_codec {
    enum dn_codec_id id;
    const char *name;
    bool has_levels;
    int32_t level_min;
    int32_t level_max;
    int32_t level_default;

    /** The reusable state for a level in range.  NULL: there is none to make. */
    enum dn_status (*create)(int32_t level, void **out_state, struct dn_error *err);
    void (*destroy)(void *state);
    /** What comes from now on, at another level in range, DN_CODEC_LEVEL_NEAR or DN_CODEC_LEVEL_NUMBERS.  NULL: there are none. */
    enum dn_status (*set_level)(void *state, int32_t level, struct dn_error *err);
    /** About what the library holds for inputs of up to `in_len` bytes.  NULL: next to nothing. */
    size_t (*context_bytes)(int32_t level, size_t in_len);
    /** The most bytes that `in_len` bytes can become; 0: too many for this codec. */
    size_t (*bound)(void *state, size_t in_len);
    /** Compress into `room` >= bound() bytes. */
    enum dn_status (*compress)(void *state, struct dn_span in, uint8_t *out, size_t room,
                               size_t *out_len, struct dn_error *err);
    /** Fill exactly `out_len` bytes from all of `in`.  DN_ERR_DATA through dn_codec_damaged(). */
    enum dn_status (*decompress)(struct dn_span in, uint8_t *out, size_t out_len,
                                 struct dn_error *err);
};

extern const struct dn_codec dn_codec_none;
extern const struct dn_codec dn_codec_snappy;
extern const struct dn_codec dn_codec_gzip;
extern const struct dn_codec dn_codec_brotli;
extern const struct dn_codec dn_codec_zstd;
extern const struct dn_codec dn_codec_lz4_raw;

/** Report damaged input; `why` is a few words. */
enum dn_status dn_codec_damaged(struct dn_error *err, const struct dn_codec *codec,
                                struct dn_span in, size_t out_len, const char *why);
/** Report that a library failed at compressing, which a correct call does not do. */
enum dn_status dn_codec_failed(struct dn_error *err, const struct dn_codec *codec, size_t in_len,
                               const char *why);

#endif
