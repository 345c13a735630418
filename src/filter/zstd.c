/* Zstandard, RFC 8878: frames, and skippable ones, which hold nothing of the text. */
#include "filter/filter.h"

#include <zstd.h>
#include <zstd_errors.h>

static uint32_t get_le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static bool begins(const uint8_t *head, size_t len)
{
    return len >= 4 && (get_le32(head) == ZSTD_MAGICNUMBER ||
                        (get_le32(head) & ZSTD_MAGIC_SKIPPABLE_MASK) == ZSTD_MAGIC_SKIPPABLE_START);
}

static enum dn_status zstd_open(void **out_state, const void *how, struct dn_error *err)
{
    (void)how;
    *out_state = ZSTD_createDCtx();
    return *out_state != NULL ? DN_OK : dn_error_memory(err, ZSTD_DStreamInSize());
}

static enum dn_status zstd_begin(void *state, struct dn_error *err)
{
    (void)err;
    (void)ZSTD_DCtx_reset(state, ZSTD_reset_session_only);
    return DN_OK;
}

static enum dn_status report(size_t result, struct dn_error *err)
{
    switch (ZSTD_getErrorCode(result)) {
    case ZSTD_error_memory_allocation:
        return dn_error_memory(err, ZSTD_DStreamInSize());
    case ZSTD_error_frameParameter_windowTooLarge:
        return dn_error_set(
            err, DN_ERR_UNSUPPORTED,
            "unpacking it takes more than the 128 MiB of memory that are given; pack "
            "it anew without --ultra --long, or let `zstd -dc --long=31` read it");
    case ZSTD_error_dictionary_wrong:
        return dn_error_set(err, DN_ERR_UNSUPPORTED,
                            "it was packed with a dictionary, which is not in the file; let `zstd "
                            "-dc -D DICTIONARY` read it");
    default:
        return dn_error_set(err, DN_ERR_DATA, "%s", ZSTD_getErrorName(result));
    }
}

static enum dn_status zstd_step(void *state, struct dn_filter_io *io, struct dn_error *err)
{
    ZSTD_inBuffer in = {io->in, io->in_len, 0};
    ZSTD_outBuffer out = {io->out, io->out_len, 0};

    const size_t result = ZSTD_decompressStream(state, &out, &in);
    io->used = in.pos;
    io->made = out.pos;
    if (ZSTD_isError(result)) {
        return report(result, err);
    }
    io->member_ended = result == 0;
    return DN_OK;
}

static void zstd_close(void *state)
{
    (void)ZSTD_freeDCtx(state);
}

const struct dn_filter_class dn_filter_zstd = {.name = "zstd",
                                               .begins = begins,
                                               .begins_len = 4,
                                               .open = zstd_open,
                                               .begin = zstd_begin,
                                               .step = zstd_step,
                                               .close = zstd_close};
