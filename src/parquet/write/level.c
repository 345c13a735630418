#include "parquet/write/level.h"

#include "codec/codec.h"

#define FIRST_TRIAL 3   /* a short column is not worth one */
#define TRIAL_EVERY 128 /* pages */

/* What a byte counts: those that take half again or twice the time have to be so much shorter, and no page is an eighth longer than by the last. */
static const struct {
    int32_t level;
    uint32_t weight;
} k_levels[] = {
    {-3, 64}, {-2, 64}, {-1, 64}, {1, 64}, {DN_CODEC_LEVEL_NUMBERS, 71}, {DN_CODEC_LEVEL_NEAR, 71},
    {2, 71},  {3, 72},
};

/* How long a page becomes. */
static enum dn_status try_level(struct dn_compressor *c, int32_t level, struct dn_span body,
                                struct dn_buffer *packed, size_t *len, struct dn_error *err)
{
    dn_buffer_reset(packed);
    DN_TRY(dn_compressor_set_level(c, level, err));
    DN_TRY(dn_compress(c, body, packed, err));
    *len = packed->len;
    return DN_OK;
}

/* Digits that are random, in front of zeros, as prices have them, are found by all, and at times more of them by less. */
static enum dn_status find_level(struct dn_span body, int32_t *level, struct dn_error *err)
{
    struct dn_compressor *c = NULL;
    struct dn_buffer packed = {0};
    enum dn_status st = DN_OK;
    uint64_t least = UINT64_MAX;
    size_t len = 0;

    DN_TRY_GOTO(st, dn_compressor_create(&c, DN_CODEC_ZSTD, DN_CODEC_LEVEL_DEFAULT, err), cleanup);
    for (size_t i = 0; i < sizeof(k_levels) / sizeof(k_levels[0]); i++) {
        DN_TRY_GOTO(st, try_level(c, k_levels[i].level, body, &packed, &len, err), cleanup);
        if ((uint64_t)len * k_levels[i].weight < least) {
            least = (uint64_t)len * k_levels[i].weight;
            *level = k_levels[i].level;
        }
    }
cleanup:
    dn_buffer_finish(&packed);
    dn_compressor_destroy(c);
    return st;
}

enum dn_status dn_pq_choose_level(struct dn_pq_encoder *e, struct dn_pq_page *page,
                                  struct dn_error *err)
{
    if (!e->options->chooses_level || dn_pq_kind_is_bytes(e->column->kind) ||
        e->column->kind == DN_PQ_KIND_BOOL || page->body.data == NULL) {
        return DN_OK;
    }
    if (e->n_number_pages++ % TRIAL_EVERY == FIRST_TRIAL) {
        const struct dn_span body = {page->body.data + page->body_start,
                                     page->body.len - page->body_start};
        DN_TRY(find_level(body, &e->level, err));
    }
    page->level = e->level;
    return DN_OK;
}
