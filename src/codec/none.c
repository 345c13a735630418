#include "codec/adaptor.h"

static size_t bound(void *state, size_t in_len)
{
    (void)state;
    return in_len > 0 ? in_len : 1;
}

static enum dn_status compress(void *state, struct dn_span in, uint8_t *out, size_t room,
                               size_t *out_len, struct dn_error *err)
{
    (void)state;
    (void)room;
    (void)err;
    memcpy(out, in.data, in.len);
    *out_len = in.len;
    return DN_OK;
}

static enum dn_status decompress(struct dn_span in, uint8_t *out, size_t out_len,
                                 struct dn_error *err)
{
    if (in.len != out_len) {
        return dn_codec_damaged(err, &dn_codec_none, in, out_len, "the lengths differ");
    }
    memcpy(out, in.data, in.len);
    return DN_OK;
}

const struct dn_codec dn_codec_none = {
    .id = DN_CODEC_NONE,
    .name = "none",
    .bound = bound,
    .compress = compress,
    .decompress = decompress,
};
