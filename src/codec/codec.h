/** Page codecs: one adaptor per codec behind one struct.  Contexts are per thread of use, not shared. */
#ifndef DN_CODEC_CODEC_H
#define DN_CODEC_CODEC_H

#include "base/buffer.h"

/** Values are Parquet's CompressionCodec (parquet.thrift).  LZ4 with Hadoop framing (5) and LZO (3) are never used. */
enum dn_codec_id {
    DN_CODEC_NONE = 0,
    DN_CODEC_SNAPPY = 1,
    DN_CODEC_GZIP = 2,
    DN_CODEC_BROTLI = 4,
    DN_CODEC_ZSTD = 6,
    DN_CODEC_LZ4_RAW = 7
};

#define DN_CODEC_LEVEL_DEFAULT INT32_MIN
/**
 * The default, but of zstd with tables that stay in the caches near the processor: a tenth faster, and hardly ever a hundredth longer.
 */
#define DN_CODEC_LEVEL_NEAR (INT32_MIN + 1)
/** The default, but of zstd one for numbers: level 1, with matches from four bytes on.  Half the time of level 3, and nearly as short. */
#define DN_CODEC_LEVEL_NUMBERS (INT32_MIN + 2)

/**
 * "zstd:9" or "snappy", in any letter case, to id and level (DN_CODEC_LEVEL_DEFAULT if none).  Levels: gzip 1..12, brotli
 * 0..11, zstd -7..22.
 * DN_ERR_INVALID for unknown names, with a did-you-mean and all names and level ranges, and for bad levels; other projects'
 * names (lz4, gz, uncompressed, ...) are not accepted but lead to ours.  The outputs are written on success only.
 */
DN_NODISCARD enum dn_status dn_codec_parse(const char *text, enum dn_codec_id *out_id,
                                           int32_t *out_level, struct dn_error *err);
/** Lower-case name: none snappy gzip brotli zstd lz4_raw; "unknown" for other values. */
const char *dn_codec_name(enum dn_codec_id id);

/** A compressor with its reusable state.  One thread at a time. */
struct dn_compressor;
/**
 * Level DN_CODEC_LEVEL_DEFAULT: zstd 3 (as is zstd 0), gzip 6, brotli 5; an out-of-range or useless level (snappy:3) is
 * DN_ERR_INVALID; DN_ERR_UNSUPPORTED for LZO and LZ4 with Hadoop framing.
 */
DN_NODISCARD enum dn_status dn_compressor_create(struct dn_compressor **out, enum dn_codec_id id,
                                                 int32_t level, struct dn_error *err);
/**
 * What comes from now on, at another level; DN_CODEC_LEVEL_DEFAULT as above.  Codecs without levels, and gzip and brotli, whose state is
 * made for one, go on as they are.
 */
DN_NODISCARD enum dn_status dn_compressor_set_level(struct dn_compressor *c, int32_t level,
                                                    struct dn_error *err);
/** About what such a compressor holds for inputs of up to `in_len` bytes, what it writes to not counted. */
size_t dn_compressor_bytes(enum dn_codec_id id, int32_t level, size_t in_len);
/** NULL is allowed. */
void dn_compressor_destroy(struct dn_compressor *c);
/**
 * Append the compressed form of `in` (at most 2^31-1 bytes, lz4_raw 2113929216; else DN_ERR_INVALID) to `out`.  gzip: exactly
 * one member.  The bytes depend on `in`, id and level alone.  Room for the worst case is reserved in `out`.
 */
DN_NODISCARD enum dn_status dn_compress(struct dn_compressor *c, struct dn_span in,
                                        struct dn_buffer *out, struct dn_error *err);
/**
 * Append exactly `out_len` decompressed bytes to `out`; DN_ERR_DATA if the input is damaged or has another length, `out` is
 * unchanged then.  Only gzip carries a checksum of its own: elsewhere a flipped bit may pass, see dn_crc32().  Thread-safe.
 */
DN_NODISCARD enum dn_status dn_decompress(enum dn_codec_id id, struct dn_span in, size_t out_len,
                                          struct dn_buffer *out, struct dn_error *err);
/** CRC-32 as in gzip, the checksum of Parquet page headers. `crc` 0 to start. */
uint32_t dn_crc32(uint32_t crc, const void *data, size_t len);

#endif
