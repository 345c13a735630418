/**
 * What pages are packed with, as files say it: the codecs of codec/codec.h by their numbers, and the LZ4 of old files, which has none
 * there because nobody is to write it.
 *
 * Threads: none; everything is in the arguments.
 */
#ifndef DN_PARQUET_READ_UNPACK_H
#define DN_PARQUET_READ_UNPACK_H

#include "base/buffer.h"
#include "codec/codec.h"

/** A page that unpacks to more is refused. */
#define DN_PQ_MAX_PAGE_BYTES ((int32_t)512 << 20)

/** Can pages of this CompressionCodec be unpacked? */
bool dn_pq_codec_is_known(int32_t codec);
/** Its name; "unknown" for those that cannot be unpacked. */
const char *dn_pq_codec_words(int32_t codec);
/** Can `packed` bytes stand for so many?  A page that claims more is damaged, and is not allocated for. */
bool dn_pq_codec_fits(int32_t codec, uint64_t packed, uint64_t unpacked);
/** As dn_decompress(), of a known codec other than DN_CODEC_NONE. */
DN_NODISCARD enum dn_status dn_pq_unpack(int32_t codec, struct dn_span in, size_t out_len,
                                         struct dn_buffer *out, struct dn_error *err);

#endif
