/* Gzip, RFC 1952. */
#include "filter/filter.h"

#include "base/memory.h"

#include <limits.h>
#include <zlib.h>

static bool begins(const uint8_t *head, size_t len)
{
    return len >= 2 && head[0] == 0x1f && head[1] == 0x8b &&
           (len == 2 ||
            head[2] == 8); /* deflate, the only one; two bytes are a file that was cut */
}

static void *allocate(void *opaque, uInt n, uInt size)
{
    (void)opaque;
    return dn_calloc(n, size);
}

static void release(void *opaque, void *p)
{
    (void)opaque;
    dn_free(p);
}

static enum dn_status gzip_open(void **out_state, const void *how, struct dn_error *err)
{
    (void)how;
    z_stream *z = dn_calloc(1, sizeof(*z));

    if (z == NULL) {
        return dn_error_memory(err, sizeof(*z));
    }
    z->zalloc = allocate;
    z->zfree = release;
    if (inflateInit2(z, 16 + MAX_WBITS) != Z_OK) { /* 16: a gzip header and its checksum */
        dn_free(z);
        return dn_error_memory(err, (size_t)1 << MAX_WBITS);
    }
    *out_state = z;
    return DN_OK;
}

static enum dn_status gzip_begin(void *state, struct dn_error *err)
{
    (void)err;
    (void)inflateReset(state);
    return DN_OK;
}

static uInt at_most(size_t n)
{
    return n < UINT_MAX ? (uInt)n : UINT_MAX;
}

static enum dn_status gzip_step(void *state, struct dn_filter_io *io, struct dn_error *err)
{
    z_stream *z = state;
    const uInt in = at_most(io->in_len);
    const uInt out = at_most(io->out_len);

    z->next_in = (Bytef *)(uintptr_t)io->in; /* zlib only reads it */
    z->avail_in = in;
    z->next_out = io->out;
    z->avail_out = out;
    const int result = inflate(z, Z_NO_FLUSH);
    io->used = in - z->avail_in;
    io->made = out - z->avail_out;
    switch (result) {
    case Z_STREAM_END:
        io->member_ended = true;
        return DN_OK;
    case Z_OK:
    case Z_BUF_ERROR: /* it wants more bytes, or more room */
        return DN_OK;
    case Z_MEM_ERROR:
        return dn_error_memory(err, (size_t)1 << MAX_WBITS);
    default:
        return dn_error_set(err, DN_ERR_DATA, "%s", z->msg != NULL ? z->msg : "not deflate data");
    }
}

static void gzip_close(void *state)
{
    (void)inflateEnd(state);
    dn_free(state);
}

const struct dn_filter_class dn_filter_gzip = {.name = "gzip",
                                               .begins = begins,
                                               .begins_len = 3,
                                               .padded = true,
                                               .open = gzip_open,
                                               .begin = gzip_begin,
                                               .step = gzip_step,
                                               .close = gzip_close};
