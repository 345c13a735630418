/** Snappy, raw format (no framing), as Parquet wants it. */
#include "codec/adaptor.h"

#include <snappy-c.h>

static size_t bound(void *state, size_t in_len)
{
    (void)state;
    return snappy_max_compressed_length(in_len);
}

static enum dn_status compress(void *state, struct dn_span in, uint8_t *out, size_t room,
                               size_t *out_len, struct dn_error *err)
{
    (void)state;
    *out_len = room;
    if (snappy_compress((const char *)in.data, in.len, (char *)out, out_len) != SNAPPY_OK) {
        return dn_codec_failed(err, &dn_codec_snappy, in.len, "no room");
    }
    return DN_OK;
}

static enum dn_status decompress(struct dn_span in, uint8_t *out, size_t out_len,
                                 struct dn_error *err)
{
    const char *data = (const char *)in.data;
    size_t stated = 0;

    if (snappy_uncompressed_length(data, in.len, &stated) != SNAPPY_OK) {
        return dn_codec_damaged(err, &dn_codec_snappy, in, out_len, "no length at its start");
    }
    if (stated != out_len) {
        return dn_codec_damaged(err, &dn_codec_snappy, in, out_len, "it states another length");
    }
    if (snappy_uncompress(data, in.len, (char *)out, &stated) != SNAPPY_OK) {
        return dn_codec_damaged(err, &dn_codec_snappy, in, out_len, "bad compressed data");
    }
    return DN_OK;
}

const struct dn_codec dn_codec_snappy = {
    .id = DN_CODEC_SNAPPY,
    .name = "snappy",
    .bound = bound,
    .compress = compress,
    .decompress = decompress,
};
