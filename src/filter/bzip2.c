/* Bzip2. */
#include "filter/filter.h"

#include "base/memory.h"

#include <bzlib.h>
#include <limits.h>
#include <string.h>

struct bzip2 {
    bz_stream stream;
    bool is_open;
};

/* Fewer bytes are a whole file, or all that is left of one: cut, if they are how one begins. */
static bool begins(const uint8_t *head, size_t len)
{
    static const char block[] = "1AY&SY";
    static const char end[] = "\x17\x72\x45\x38\x50\x90"; /* of one that has no block at all */
    const size_t n = len < 10 ? len : 10;

    return n >= 4 && memcmp(head, "BZh", 3) == 0 && head[3] >= '1' && head[3] <= '9' &&
           (memcmp(head + 4, block, n - 4) == 0 || memcmp(head + 4, end, n - 4) == 0);
}

static void *allocate(void *opaque, int n, int size)
{
    (void)opaque;
    return dn_calloc((size_t)n, (size_t)size);
}

static void release(void *opaque, void *p)
{
    (void)opaque;
    dn_free(p);
}

static enum dn_status bzip2_open(void **out_state, const void *how, struct dn_error *err)
{
    (void)how;
    struct bzip2 *b = dn_calloc(1, sizeof(*b));

    *out_state = b;
    return b != NULL ? DN_OK : dn_error_memory(err, sizeof(*b));
}

static enum dn_status bzip2_begin(void *state, struct dn_error *err)
{
    struct bzip2 *b = state;

    if (b->is_open) {
        (void)BZ2_bzDecompressEnd(&b->stream);
    }
    memset(&b->stream, 0, sizeof(b->stream));
    b->stream.bzalloc = allocate;
    b->stream.bzfree = release;
    b->is_open = BZ2_bzDecompressInit(&b->stream, 0, 0) == BZ_OK;
    return b->is_open ? DN_OK : dn_error_memory(err, (size_t)4 << 20);
}

static unsigned at_most(size_t n)
{
    return n < UINT_MAX ? (unsigned)n : UINT_MAX;
}

static enum dn_status bzip2_step(void *state, struct dn_filter_io *io, struct dn_error *err)
{
    bz_stream *z = &((struct bzip2 *)state)->stream;
    const unsigned in = at_most(io->in_len);
    const unsigned out = at_most(io->out_len);

    z->next_in = (char *)(uintptr_t)io->in; /* it is only read */
    z->avail_in = in;
    z->next_out = (char *)io->out;
    z->avail_out = out;
    const int result = BZ2_bzDecompress(z);
    io->used = in - z->avail_in;
    io->made = out - z->avail_out;
    switch (result) {
    case BZ_STREAM_END:
        io->member_ended = true;
        return DN_OK;
    case BZ_OK:
        return DN_OK;
    case BZ_MEM_ERROR:
        return dn_error_memory(err, (size_t)4 << 20);
    default:
        return dn_error_set(err, DN_ERR_DATA, "a block is not what its checksum says");
    }
}

static void bzip2_close(void *state)
{
    struct bzip2 *b = state;

    if (b->is_open) {
        (void)BZ2_bzDecompressEnd(&b->stream);
    }
    dn_free(b);
}

const struct dn_filter_class dn_filter_bzip2 = {.name = "bzip2",
                                                .begins = begins,
                                                .begins_len = 10,
                                                .open = bzip2_open,
                                                .begin = bzip2_begin,
                                                .step = bzip2_step,
                                                .close = bzip2_close};
