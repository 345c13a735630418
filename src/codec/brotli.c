/** Brotli (RFC 7932).  The encoder cannot be reset, so the state is only the level; its large blocks are recycled. */
#include "codec/adaptor.h"

#include "base/memory.h"

#include <brotli/decode.h>
#include <brotli/encode.h>
#include <setjmp.h>

struct brotli_state {
    uint32_t quality;
};

/* ---- memory ------------------------------------------------------------------------------------------------------ */

/*
 * The encoder as it is commonly built calls exit() when its allocator returns NULL.  A library must not end its host, so
 * the allocator never returns NULL: it jumps back to the call, which frees all that the encoder held.  The encoder is plain
 * C and holds nothing but memory.
 */
struct block {
    struct block *next;
    struct block *previous;
    size_t size; /* with this header */
};

struct workspace {
    struct block blocks; /* the head of a ring */
    jmp_buf no_memory;
};

#define HEADER_SIZE ((size_t)64) /* keeps what follows aligned */

static void *allocate_or_jump(void *opaque, size_t size)
{
    struct workspace *w = opaque;
    size_t total = 0;
    struct block *block = dn_add_size(size, HEADER_SIZE, &total) ? dn_malloc_aligned(total) : NULL;

    if (block == NULL) {
        longjmp(w->no_memory, 1);
    }
    block->size = total;
    block->next = &w->blocks;
    block->previous = w->blocks.previous;
    block->previous->next = block;
    w->blocks.previous = block;
    return (uint8_t *)block + HEADER_SIZE;
}

static void release(void *opaque, void *memory)
{
    (void)opaque;
    if (memory == NULL) {
        return;
    }
    struct block *block = (struct block *)(void *)((uint8_t *)memory - HEADER_SIZE);
    block->previous->next = block->next;
    block->next->previous = block->previous;
    dn_free_aligned(block, block->size);
}

static void release_all(struct workspace *w)
{
    while (w->blocks.next != &w->blocks) {
        release(w, (uint8_t *)w->blocks.next + HEADER_SIZE);
    }
}

/* The decoder takes a NULL as it should. */
static void *allocate_plain(void *opaque, size_t size)
{
    (void)opaque;
    return dn_malloc(size);
}

static void release_plain(void *opaque, void *memory)
{
    (void)opaque;
    dn_free(memory);
}

/* ---- the adaptor ------------------------------------------------------------------------------------------------- */

static enum dn_status create(int32_t level, void **out_state, struct dn_error *err)
{
    struct brotli_state *s = dn_calloc(1, sizeof(*s));

    if (s == NULL) {
        return dn_error_memory(err, sizeof(*s));
    }
    s->quality = (uint32_t)level;
    *out_state = s;
    return DN_OK;
}

static void destroy(void *state)
{
    dn_free(state);
}

/* Hash tables, which from 7 on are large whatever the input; the two best levels keep a tree and all ways to get to each byte. */
static size_t context_bytes(int32_t level, size_t in_len)
{
    return level <= 4   ? (size_t)2 << 20
           : level <= 6 ? (size_t)6 << 20
           : level <= 9 ? (size_t)34 << 20
                        : ((size_t)8 << 20) + 32 * in_len;
}

/* The library's bound holds for its one-shot call; a stream may add a little for each of its blocks. */
static size_t bound(void *state, size_t in_len)
{
    (void)state;
    return BrotliEncoderMaxCompressedSize(in_len) + in_len / 64 + 1024;
}

/* The smallest window that sees the whole input: the encoder allocates and clears by it. */
static uint32_t window_bits(size_t in_len)
{
    uint32_t bits = 16;

    while (bits < BROTLI_DEFAULT_WINDOW && ((size_t)1 << bits) - 16 < in_len) {
        bits++;
    }
    return bits;
}

/* May be left by longjmp(): holds nothing that is not in the workspace. */
static enum dn_status encode(struct workspace *w, uint32_t quality, struct dn_span in, uint8_t *out,
                             size_t room, size_t *out_len, struct dn_error *err)
{
    const uint8_t *next_in = in.data;
    size_t n_in = in.len;
    uint8_t *next_out = out;
    size_t n_out = room;
    BrotliEncoderState *encoder = BrotliEncoderCreateInstance(allocate_or_jump, release, w);

    if (encoder == NULL) {
        return dn_error_memory(err, HEADER_SIZE);
    }
    BrotliEncoderSetParameter(encoder, BROTLI_PARAM_QUALITY, quality);
    BrotliEncoderSetParameter(encoder, BROTLI_PARAM_LGWIN, window_bits(in.len));
    BrotliEncoderSetParameter(encoder, BROTLI_PARAM_SIZE_HINT, (uint32_t)in.len);
    BROTLI_BOOL ok = BrotliEncoderCompressStream(encoder, BROTLI_OPERATION_FINISH, &n_in, &next_in,
                                                 &n_out, &next_out, NULL);
    bool finished = ok && BrotliEncoderIsFinished(encoder);
    BrotliEncoderDestroyInstance(encoder);
    if (!finished) {
        return dn_codec_failed(err, &dn_codec_brotli, in.len, ok ? "no room" : "refused");
    }
    *out_len = room - n_out;
    return DN_OK;
}

static enum dn_status compress(void *state, struct dn_span in, uint8_t *out, size_t room,
                               size_t *out_len, struct dn_error *err)
{
    const struct brotli_state *s = state;
    struct workspace w;

    w.blocks = (struct block){.next = &w.blocks, .previous = &w.blocks};
    if (setjmp(w.no_memory) != 0) {
        release_all(&w);
        return dn_error_memory(err, in.len);
    }
    return encode(&w, s->quality, in, out, room, out_len, err);
}

static enum dn_status decompress(struct dn_span in, uint8_t *out, size_t out_len,
                                 struct dn_error *err)
{
    const uint8_t *next_in = in.data;
    size_t n_in = in.len;
    uint8_t *next_out = out;
    size_t n_out = out_len;
    enum dn_status st = DN_OK;
    BrotliDecoderState *decoder = BrotliDecoderCreateInstance(allocate_plain, release_plain, NULL);

    if (decoder == NULL) {
        return dn_error_memory(err, (size_t)1 << 13);
    }
    BrotliDecoderResult result =
        BrotliDecoderDecompressStream(decoder, &n_in, &next_in, &n_out, &next_out, NULL);
    BrotliDecoderErrorCode code = BrotliDecoderGetErrorCode(decoder);
    if (result == BROTLI_DECODER_RESULT_ERROR) {
        bool memory = code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
                      code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES;
        st = memory ? dn_error_memory(err, out_len)
                    : dn_codec_damaged(err, &dn_codec_brotli, in, out_len,
                                       BrotliDecoderErrorString(code));
    } else if (result == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT) {
        st = dn_codec_damaged(err, &dn_codec_brotli, in, out_len, "it holds more bytes");
    } else if (result == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT) {
        st = dn_codec_damaged(err, &dn_codec_brotli, in, out_len, "its end is missing");
    } else if (n_out != 0) {
        st = dn_codec_damaged(err, &dn_codec_brotli, in, out_len, "it holds fewer bytes");
    } else if (n_in != 0) {
        st = dn_codec_damaged(err, &dn_codec_brotli, in, out_len, "other bytes follow its end");
    }
    BrotliDecoderDestroyInstance(decoder);
    return st;
}

const struct dn_codec dn_codec_brotli = {
    .id = DN_CODEC_BROTLI,
    .name = "brotli",
    .has_levels = true,
    .level_min = 0,
    .level_max = 11,
    .level_default = 5,
    .create = create,
    .destroy = destroy,
    .context_bytes = context_bytes,
    .bound = bound,
    .compress = compress,
    .decompress = decompress,
};
