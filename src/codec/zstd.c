/** Zstandard, one frame per page, the context reused. */
#include "codec/adaptor.h"

#include <zstd.h>
#include <zstd_errors.h>

#define DEFAULT_LEVEL 3
#define NEAR_HASH_LOG 15 /* 128 KiB, where the level has 256 or 512 */
#define NEAR_CHAIN_LOG 13
#define NUMBERS_LEVEL 1
#define NUMBERS_MATCH 4 /* bytes, where the level looks for seven */

struct settings {
    int level;
    int hash_log, chain_log, min_match; /* 0: as the level has it */
};

static struct settings settings_of(int32_t level)
{
    if (level == DN_CODEC_LEVEL_NEAR) {
        return (struct settings){DEFAULT_LEVEL, NEAR_HASH_LOG, NEAR_CHAIN_LOG, 0};
    }
    if (level == DN_CODEC_LEVEL_NUMBERS) {
        return (struct settings){NUMBERS_LEVEL, 0, 0, NUMBERS_MATCH};
    }
    return (struct settings){level == 0 ? DEFAULT_LEVEL : level, 0, 0, 0};
}

static enum dn_status set_level(void *state, int32_t level, struct dn_error *err)
{
    const struct settings s = settings_of(level);
    size_t result = ZSTD_CCtx_setParameter(state, ZSTD_c_compressionLevel, s.level);

    if (!ZSTD_isError(result)) {
        result = ZSTD_CCtx_setParameter(state, ZSTD_c_hashLog, s.hash_log);
    }
    if (!ZSTD_isError(result)) {
        result = ZSTD_CCtx_setParameter(state, ZSTD_c_chainLog, s.chain_log);
    }
    if (!ZSTD_isError(result)) {
        result = ZSTD_CCtx_setParameter(state, ZSTD_c_minMatch, s.min_match);
    }
    if (ZSTD_isError(result)) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED,
                            "this zstd library refuses level %d: %s; choose another level",
                            (int)level, ZSTD_getErrorName(result));
    }
    return DN_OK;
}

static enum dn_status create(int32_t level, void **out_state, struct dn_error *err)
{
    ZSTD_CCtx *ctx = ZSTD_createCCtx();

    if (ctx == NULL) {
        return dn_error_memory(err, (size_t)1 << 20);
    }
    const enum dn_status st = set_level(ctx, level, err);
    if (st != DN_OK) {
        ZSTD_freeCCtx(ctx);
        return st;
    }
    *out_state = ctx;
    return DN_OK;
}

static void destroy(void *state)
{
    ZSTD_freeCCtx(state);
}

/* Its tables: hashes and chains of up to 16 bytes per byte of input, and less at low levels. */
static size_t context_bytes(int32_t level, size_t in_len)
{
    const size_t most = level <= 4   ? (size_t)2 << 20
                        : level <= 6 ? (size_t)4 << 20
                        : level <= 8 ? (size_t)8 << 20
                                     : SIZE_MAX;
    size_t tables = (size_t)1 << 18;

    while (tables < in_len) {
        tables *= 2;
    }
    tables = 16 * tables + ((size_t)1 << 20);
    return tables < most ? tables : most;
}

static size_t bound(void *state, size_t in_len)
{
    (void)state;
    return ZSTD_compressBound(in_len);
}

static enum dn_status compress(void *state, struct dn_span in, uint8_t *out, size_t room,
                               size_t *out_len, struct dn_error *err)
{
    size_t n = ZSTD_compress2(state, out, room, in.data, in.len);

    if (!ZSTD_isError(n)) {
        *out_len = n;
        return DN_OK;
    }
    if (ZSTD_getErrorCode(n) == ZSTD_error_memory_allocation) {
        return dn_error_memory(err, ZSTD_sizeof_CCtx(state));
    }
    return dn_codec_failed(err, &dn_codec_zstd, in.len, ZSTD_getErrorName(n));
}

static enum dn_status decompress(struct dn_span in, uint8_t *out, size_t out_len,
                                 struct dn_error *err)
{
    size_t n = ZSTD_decompress(out, out_len, in.data, in.len);

    if (!ZSTD_isError(n)) {
        return n == out_len
                   ? DN_OK
                   : dn_codec_damaged(err, &dn_codec_zstd, in, out_len, "it holds fewer bytes");
    }
    switch (ZSTD_getErrorCode(n)) {
    case ZSTD_error_memory_allocation:
        return dn_error_memory(err, (size_t)1 << 18);
    case ZSTD_error_dstSize_tooSmall:
        return dn_codec_damaged(err, &dn_codec_zstd, in, out_len, "it holds more bytes");
    default:
        return dn_codec_damaged(err, &dn_codec_zstd, in, out_len, ZSTD_getErrorName(n));
    }
}

const struct dn_codec dn_codec_zstd = {
    .id = DN_CODEC_ZSTD,
    .name = "zstd",
    .has_levels = true,
    .level_min = -7,
    .level_max = 22,
    .level_default = DEFAULT_LEVEL,
    .create = create,
    .destroy = destroy,
    .set_level = set_level,
    .context_bytes = context_bytes,
    .bound = bound,
    .compress = compress,
    .decompress = decompress,
};
