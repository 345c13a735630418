/** Snappy, our own: the common library is C++, and what it throws when memory runs out would end the host. */
#include "codec/adaptor.h"

#include "base/memory.h"
#include "codec/snappy.h"

static enum dn_status create(int32_t level, void **out_state, struct dn_error *err)
{
    (void)level;
    *out_state = dn_malloc(sizeof(struct dn_snappy_table));
    return *out_state != NULL ? DN_OK : dn_error_memory(err, sizeof(struct dn_snappy_table));
}

static void destroy(void *state)
{
    dn_free(state);
}

static size_t bound(void *state, size_t in_len)
{
    (void)state;
    return in_len > UINT32_MAX ? 0 : dn_snappy_bound(in_len);
}

static enum dn_status compress(void *state, struct dn_span in, uint8_t *out, size_t room,
                               size_t *out_len, struct dn_error *err)
{
    (void)room;
    (void)err;
    *out_len = dn_snappy_compress(state, in, out);
    return DN_OK;
}

static enum dn_status decompress(struct dn_span in, uint8_t *out, size_t out_len,
                                 struct dn_error *err)
{
    const char *why = dn_snappy_decompress(in, out, out_len);

    return why == NULL ? DN_OK : dn_codec_damaged(err, &dn_codec_snappy, in, out_len, why);
}

const struct dn_codec dn_codec_snappy = {
    .id = DN_CODEC_SNAPPY,
    .name = "snappy",
    .create = create,
    .destroy = destroy,
    .bound = bound,
    .compress = compress,
    .decompress = decompress,
};
