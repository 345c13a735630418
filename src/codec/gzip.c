/** Gzip (RFC 1952) and CRC-32 by libdeflate. */
#include "codec/adaptor.h"

#include <libdeflate.h>

static enum dn_status create(int32_t level, void **out_state, struct dn_error *err)
{
    *out_state = libdeflate_alloc_compressor(level);
    return *out_state != NULL ? DN_OK : dn_error_memory(err, (size_t)1 << 20);
}

static void destroy(void *state)
{
    libdeflate_free_compressor(state);
}

static size_t context_bytes(int32_t level, size_t in_len)
{
    (void)in_len;
    return level < 10 ? (size_t)1 << 20 : (size_t)9 << 20;
}

static size_t bound(void *state, size_t in_len)
{
    return libdeflate_gzip_compress_bound(state, in_len);
}

static enum dn_status compress(void *state, struct dn_span in, uint8_t *out, size_t room,
                               size_t *out_len, struct dn_error *err)
{
    *out_len = libdeflate_gzip_compress(state, in.data, in.len, out, room);
    return *out_len > 0 ? DN_OK : dn_codec_failed(err, &dn_codec_gzip, in.len, "no room");
}

static const char *explain(enum libdeflate_result result)
{
    switch (result) {
    case LIBDEFLATE_BAD_DATA:
        return "bad compressed data or checksum";
    case LIBDEFLATE_INSUFFICIENT_SPACE:
        return "it holds more bytes";
    case LIBDEFLATE_SHORT_OUTPUT:
        return "it holds fewer bytes";
    case LIBDEFLATE_SUCCESS:
        break;
    }
    return "unknown reason";
}

/* Other writers may have put several members one after the other; together they are one stream (RFC 1952, 2.2). */
static enum dn_status decompress(struct dn_span in, uint8_t *out, size_t out_len,
                                 struct dn_error *err)
{
    struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
    enum dn_status st = DN_OK;
    size_t consumed = 0;
    size_t produced = 0;

    if (d == NULL) {
        return dn_error_memory(err, (size_t)1 << 14);
    }
    do {
        size_t n_in = 0;
        size_t n_out = 0;
        enum libdeflate_result result =
            libdeflate_gzip_decompress_ex(d, in.data + consumed, in.len - consumed, out + produced,
                                          out_len - produced, &n_in, &n_out);
        if (result != LIBDEFLATE_SUCCESS) {
            st = dn_codec_damaged(err, &dn_codec_gzip, in, out_len, explain(result));
            break;
        }
        consumed += n_in;
        produced += n_out;
    } while (consumed < in.len);
    if (st == DN_OK && produced != out_len) {
        st = dn_codec_damaged(err, &dn_codec_gzip, in, out_len, explain(LIBDEFLATE_SHORT_OUTPUT));
    }
    libdeflate_free_decompressor(d);
    return st;
}

const struct dn_codec dn_codec_gzip = {
    .id = DN_CODEC_GZIP,
    .name = "gzip",
    .has_levels = true,
    .level_min = 1,
    .level_max = 12,
    .level_default = 6,
    .create = create,
    .destroy = destroy,
    .context_bytes = context_bytes,
    .bound = bound,
    .compress = compress,
    .decompress = decompress,
};

uint32_t dn_crc32(uint32_t crc, const void *data, size_t len)
{
    return len == 0 ? crc : libdeflate_crc32(crc, data, len);
}
