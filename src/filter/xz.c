/* The .xz format: streams, and zeros between them. */
#include "filter/filter.h"

#include "base/memory.h"

#include <lzma.h>
#include <string.h>

/* What `xz -9` needs is 65 MiB; a file may ask for 4 GiB. */
#define MOST_MEMORY ((uint64_t)128 << 20)

static bool begins(const uint8_t *head, size_t len)
{
    return len >= 6 && memcmp(head, "\xfd\x37zXZ\0", 6) == 0;
}

static enum dn_status xz_open(void **out_state, const void *how, struct dn_error *err)
{
    (void)how;
    lzma_stream *z = dn_calloc(1, sizeof(*z)); /* LZMA_STREAM_INIT is zeros */

    *out_state = z;
    return z != NULL ? DN_OK : dn_error_memory(err, sizeof(*z));
}

static enum dn_status xz_begin(void *state, struct dn_error *err)
{
    return lzma_stream_decoder(state, MOST_MEMORY, 0) == LZMA_OK
               ? DN_OK
               : dn_error_memory(err, (size_t)1 << 20);
}

static enum dn_status xz_step(void *state, struct dn_filter_io *io, struct dn_error *err)
{
    lzma_stream *z = state;

    z->next_in = io->in;
    z->avail_in = io->in_len;
    z->next_out = io->out;
    z->avail_out = io->out_len;
    const lzma_ret result = lzma_code(z, LZMA_RUN);
    io->used = io->in_len - z->avail_in;
    io->made = io->out_len - z->avail_out;
    switch (result) {
    case LZMA_STREAM_END:
        io->member_ended = true;
        return DN_OK;
    case LZMA_OK:
    case LZMA_BUF_ERROR: /* it wants more bytes, or more room */
        return DN_OK;
    case LZMA_MEM_ERROR:
        return dn_error_memory(err, (size_t)1 << 20);
    case LZMA_MEMLIMIT_ERROR:
        return dn_error_set(err, DN_ERR_UNSUPPORTED,
                            "unpacking it takes %llu MiB of memory, of which at most %llu are "
                            "given; pack it anew with `xz -9` or less",
                            (unsigned long long)(lzma_memusage(z) >> 20) + 1,
                            (unsigned long long)(MOST_MEMORY >> 20));
    case LZMA_OPTIONS_ERROR:
        return dn_error_set(err, DN_ERR_UNSUPPORTED,
                            "it is packed in a way that the installed liblzma does not know");
    default:
        return dn_error_set(err, DN_ERR_DATA, "not what its checksums say");
    }
}

static void xz_close(void *state)
{
    lzma_end(state);
    dn_free(state);
}

const struct dn_filter_class dn_filter_xz = {.name = "xz",
                                             .begins = begins,
                                             .begins_len = 6,
                                             .padded = true,
                                             .open = xz_open,
                                             .begin = xz_begin,
                                             .step = xz_step,
                                             .close = xz_close};
