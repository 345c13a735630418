/** LZ4 block format without any framing: Parquet's LZ4_RAW. */
#include "codec/adaptor.h"

#include "base/memory.h"

#include <limits.h>
#include <lz4.h>

static enum dn_status create(int32_t level, void **out_state, struct dn_error *err)
{
    (void)level;
    *out_state = dn_malloc((size_t)LZ4_sizeofState());
    return *out_state != NULL ? DN_OK : dn_error_memory(err, (size_t)LZ4_sizeofState());
}

static void destroy(void *state)
{
    dn_free(state);
}

static size_t bound(void *state, size_t in_len)
{
    (void)state;
    return in_len > LZ4_MAX_INPUT_SIZE ? 0 : (size_t)LZ4_compressBound((int)in_len);
}

static enum dn_status compress(void *state, struct dn_span in, uint8_t *out, size_t room,
                               size_t *out_len, struct dn_error *err)
{
    int n = LZ4_compress_fast_extState(state, (const char *)in.data, (char *)out, (int)in.len,
                                       room > INT_MAX ? INT_MAX : (int)room, 1);

    if (n <= 0) {
        return dn_codec_failed(err, &dn_codec_lz4_raw, in.len, "no room");
    }
    *out_len = (size_t)n;
    return DN_OK;
}

static enum dn_status decompress(struct dn_span in, uint8_t *out, size_t out_len,
                                 struct dn_error *err)
{
    int n = LZ4_decompress_safe((const char *)in.data, (char *)out, (int)in.len, (int)out_len);

    if (n < 0) {
        return dn_codec_damaged(err, &dn_codec_lz4_raw, in, out_len, "bad compressed data");
    }
    if ((size_t)n != out_len) {
        return dn_codec_damaged(err, &dn_codec_lz4_raw, in, out_len, "it holds fewer bytes");
    }
    return DN_OK;
}

const struct dn_codec dn_codec_lz4_raw = {
    .id = DN_CODEC_LZ4_RAW,
    .name = "lz4_raw",
    .create = create,
    .destroy = destroy,
    .bound = bound,
    .compress = compress,
    .decompress = decompress,
};
