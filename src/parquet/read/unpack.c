#include "parquet/read/unpack.h"

#define OLD_LZ4 5 /* CompressionCodec LZ4, which is read only */

bool dn_pq_codec_is_known(int32_t codec)
{
    return codec == DN_CODEC_NONE || codec == DN_CODEC_SNAPPY || codec == DN_CODEC_GZIP ||
           codec == DN_CODEC_BROTLI || codec == DN_CODEC_ZSTD || codec == DN_CODEC_LZ4_RAW ||
           codec == OLD_LZ4;
}

const char *dn_pq_codec_words(int32_t codec)
{
    return codec == OLD_LZ4 ? "lz4" : dn_codec_name((enum dn_codec_id)codec);
}

/* How many bytes one packed byte can stand for at most. */
static uint64_t max_ratio(int32_t codec)
{
    switch (codec) {
    case DN_CODEC_SNAPPY:
        return 64; /* a copy of 64 bytes takes 3 */
    case DN_CODEC_LZ4_RAW:
    case OLD_LZ4:
        return 256; /* a length byte stands for 255 */
    case DN_CODEC_GZIP:
        return 1040; /* 258 bytes in 2 bits */
    case DN_CODEC_ZSTD:
        return 65536; /* a block of 128 KiB in 4 bytes */
    default:          /* brotli: a meta-block of 16 MiB in about ten bytes */
        return 1 << 21;
    }
}

bool dn_pq_codec_fits(int32_t codec, uint64_t packed, uint64_t unpacked)
{
    return codec == DN_CODEC_NONE ? unpacked == packed
                                  : unpacked <= (packed + 64) * max_ratio(codec);
}

static size_t get_be32(const uint8_t *p)
{
    return (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | (size_t)p[3];
}

/* Blocks behind their two lengths, as Hadoop frames them; false: it is something else, or damaged. */
static bool unpack_frames(struct dn_span in, size_t out_len, struct dn_buffer *out)
{
    while (in.len >= 8 && out_len > 0) {
        const size_t unpacked = get_be32(in.data);
        const size_t packed = get_be32(in.data + 4);
        if (unpacked == 0 || unpacked > out_len || packed > in.len - 8 ||
            dn_decompress(DN_CODEC_LZ4_RAW, (struct dn_span){in.data + 8, packed}, unpacked, out,
                          NULL) != DN_OK) {
            return false;
        }
        in = (struct dn_span){in.data + 8 + packed, in.len - 8 - packed};
        out_len -= unpacked;
    }
    return in.len == 0 && out_len == 0;
}

/* The LZ4 of old files has frames or has none: the format never said. */
static enum dn_status unpack_old_lz4(struct dn_span in, size_t out_len, struct dn_buffer *out,
                                     struct dn_error *err)
{
    const size_t before = out->len;

    if (unpack_frames(in, out_len, out)) {
        return DN_OK;
    }
    out->len = before;
    return dn_decompress(DN_CODEC_LZ4_RAW, in, out_len, out, err);
}

enum dn_status dn_pq_unpack(int32_t codec, struct dn_span in, size_t out_len, struct dn_buffer *out,
                            struct dn_error *err)
{
    return codec == OLD_LZ4 ? unpack_old_lz4(in, out_len, out, err)
                            : dn_decompress((enum dn_codec_id)codec, in, out_len, out, err);
}
