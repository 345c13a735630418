/* The pages of one column chunk, one after the other, and what the footer says of them all. */
#include "parquet/verify/check.h"

#include "parquet/read/unpack.h"

#include <inttypes.h>

static enum dn_status walk(struct dn_pv_chunk_check *c, struct dn_error *err)
{
    uint64_t pos = c->start;

    c->total.is_counted = true;
    while (pos < c->end && !c->is_broken) {
        c->place.page++;
        DN_TRY(dn_pv_page_check(c, &pos, err));
    }
    c->place.page = -1;
    c->place.byte = -1;
    return DN_OK;
}

/* ---- the chunk --------------------------------------------------------------------------------------------------- */

static const char *const type_words[DN_PV_PAGE_TYPES] = {"data", "index", "dictionary",
                                                         "data (V2)"};

static bool is_listed(const struct dn_pv_list *encodings, int32_t encoding)
{
    for (uint32_t i = 0; i < encodings->n; i++) {
        if (((const int32_t *)encodings->items)[i] == encoding) {
            return true;
        }
    }
    return false;
}

/* encoding: 0 .. DN_PV_MOST_ENCODINGS - 1 */
static bool is_used(const struct dn_pv_chunk_check *c, int32_t encoding)
{
    if (encoding == DN_PQ_RLE || encoding == DN_PQ_BIT_PACKED) {
        return true; /* of levels, which some writers list whether there are any or not */
    }
    for (int t = 0; t < DN_PV_PAGE_TYPES; t++) {
        if (c->pages[t][encoding] > 0) {
            return true;
        }
    }
    return false;
}

static void check_encodings(struct dn_pv_chunk_check *c)
{
    const struct dn_pv_list *list = &c->chunk->meta.encodings;
    const bool levels[] = {
        [DN_PQ_RLE] = c->has_rle_levels, [DN_PQ_BIT_PACKED] = c->has_packed_levels};

    for (int32_t e = 0; e < DN_PV_MOST_ENCODINGS; e++) {
        const bool of_levels = (e == DN_PQ_RLE || e == DN_PQ_BIT_PACKED) && levels[e];
        for (int t = 0; t < DN_PV_PAGE_TYPES; t++) {
            if (c->pages[t][e] > 0 && !is_listed(list, e)) {
                (t == DN_PQ_DICTIONARY_PAGE ? dn_pv_note : dn_pv_error)(
                    c->findings, &c->place, "chunk.encodings",
                    "%" PRIu32 " %s pages have encoding %" PRId32 ", which is not in the list",
                    c->pages[t][e], type_words[t], e);
            }
        }
        if (of_levels && !is_listed(list, e)) {
            dn_pv_note(c->findings, &c->place, "chunk.encodings",
                       "levels have encoding %" PRId32 ", which is not in the list", e);
        }
        if (is_listed(list, e) && !is_used(c, e)) {
            dn_pv_note(c->findings, &c->place, "chunk.encodings",
                       "encoding %" PRId32 " is in the list and no page has it", e);
        }
    }
}

typedef int64_t page_counts[DN_PV_PAGE_TYPES][DN_PV_MOST_ENCODINGS];

static void sum_encoding_stats(const struct dn_pv_list *list, page_counts said)
{
    const struct dn_pv_encoding_stat *stats = list->items;

    for (uint32_t i = 0; i < list->n; i++) {
        const int32_t t = stats[i].page_type;
        const int32_t e = stats[i].encoding;
        if (t >= 0 && t < DN_PV_PAGE_TYPES && e >= 0 && e < DN_PV_MOST_ENCODINGS) {
            said[t][e] += stats[i].count;
        }
    }
}

static void check_encoding_stats(struct dn_pv_chunk_check *c)
{
    page_counts said = {{0}};
    bool mixed = false;

    if (!dn_pv_has(&c->chunk->meta.head, DN_PV_META_ENCODING_STATS)) {
        return;
    }
    sum_encoding_stats(&c->chunk->meta.encoding_stats, said);
    for (int e = 0; e < DN_PV_MOST_ENCODINGS; e++) {
        /* Many writers say "data page" of both versions. */
        const int64_t v1 = c->pages[DN_PQ_DATA_PAGE][e];
        const int64_t v2 = c->pages[DN_PQ_DATA_PAGE_V2][e];
        const bool is_mixed = (v2 > 0 && v1 == 0 && said[DN_PQ_DATA_PAGE][e] == v2 &&
                               said[DN_PQ_DATA_PAGE_V2][e] == 0);
        mixed = mixed || is_mixed;
        for (int t = 0; t < DN_PV_PAGE_TYPES; t++) {
            const bool as_v1 = is_mixed && (t == DN_PQ_DATA_PAGE || t == DN_PQ_DATA_PAGE_V2);
            if (said[t][e] != (int64_t)c->pages[t][e] && !as_v1) {
                dn_pv_error(c->findings, &c->place, "chunk.encoding_stats",
                            "%" PRId64 " %s pages of encoding %d are said and %" PRIu32
                            " are there",
                            said[t][e], type_words[t], e, c->pages[t][e]);
            }
        }
    }
    if (mixed) {
        dn_pv_note(c->findings, &c->place, "chunk.encoding_stats",
                   "pages of version 2 are counted as data pages of version 1");
    }
}

static void check_numbers(struct dn_pv_chunk_check *c)
{
    const struct dn_pv_column_meta *meta = &c->chunk->meta;

    if (c->total.n_levels != (uint64_t)meta->n_values) {
        dn_pv_error(c->findings, &c->place, "chunk.num_values",
                    "%" PRId64 " values are said and the pages have %" PRIu64, meta->n_values,
                    c->total.n_levels);
    }
    if (c->total.is_counted && c->total.n_rows != (uint64_t)c->group->n_rows) {
        dn_pv_error(c->findings, &c->place, "chunk.rows",
                    "the row group has %" PRId64 " rows and the pages have %" PRIu64,
                    c->group->n_rows, c->total.n_rows);
    }
    if (c->uncompressed != (uint64_t)meta->uncompressed) {
        dn_pv_error(c->findings, &c->place, "chunk.total_uncompressed_size",
                    "it is said to be %" PRId64 ", and the pages come to %" PRIu64,
                    meta->uncompressed, c->uncompressed);
    }
    if (c->first_data != 0 && (uint64_t)meta->data_page_offset != c->first_data && !c->is_unsaid) {
        dn_pv_error(c->findings, &c->place, "chunk.data_page_offset",
                    "it is %" PRId64 ", and the first data page is at byte %" PRIu64,
                    meta->data_page_offset, c->first_data);
    }
    if (!c->has_dictionary && dn_pv_has(&meta->head, DN_PV_META_DICTIONARY_OFFSET) &&
        meta->dictionary_page_offset != 0) {
        dn_pv_error(c->findings, &c->place, "chunk.dictionary_page_offset",
                    "it is %" PRId64 ", and there is no dictionary page",
                    meta->dictionary_page_offset);
    }
}

static void check_sizes(struct dn_pv_chunk_check *c)
{
    const struct dn_pv_size_statistics *s = &c->chunk->meta.sizes;
    const struct dn_pq_leaf *leaf = &c->column->leaf;
    const struct {
        unsigned id;
        const struct dn_pv_list *list;
        const struct dn_pv_levels *counted;
        int32_t max;
        const char *what;
    } histograms[] = {
        {DN_PV_SIZE_DEF_HISTOGRAM, &s->def_histogram, &c->defs, leaf->max_def, "definition"},
        {DN_PV_SIZE_REP_HISTOGRAM, &s->rep_histogram, &c->reps, leaf->max_rep, "repetition"}};

    if (!dn_pv_has(&c->chunk->meta.head, DN_PV_META_SIZE_STATISTICS) || !c->total.is_counted) {
        return;
    }
    if (dn_pv_has(&s->head, DN_PV_SIZE_UNENCODED) && leaf->element->type != DN_PQ_BYTE_ARRAY) {
        dn_pv_error(c->findings, &c->place, "sizes.unencoded",
                    "unencoded_byte_array_data_bytes is set, and these are no byte arrays");
    } else if (dn_pv_has(&s->head, DN_PV_SIZE_UNENCODED)) {
        dn_pv_unencoded_check(c, s->unencoded, c->total.unencoded, "sizes.unencoded");
    }
    for (size_t i = 0; i < 2; i++) {
        if (!dn_pv_has(&s->head, histograms[i].id) ||
            (histograms[i].list->n == 0 && histograms[i].max <= 1)) {
            continue;
        }
        if (histograms[i].list->n != (uint32_t)histograms[i].max + 1) {
            dn_pv_error(c->findings, &c->place, "sizes.histogram",
                        "the %s level histogram has %" PRIu32 " entries for levels up to %" PRId32,
                        histograms[i].what, histograms[i].list->n, histograms[i].max);
            continue;
        }
        dn_pv_histogram_check(c, histograms[i].list->items, histograms[i].counted,
                              histograms[i].max, "sizes.histogram", histograms[i].what);
    }
}

static void check_chunk(struct dn_pv_chunk_check *c)
{
    if (c->is_broken) {
        return;
    }
    check_numbers(c);
    check_encodings(c);
    check_encoding_stats(c);
    if (dn_pv_has(&c->chunk->meta.head, DN_PV_META_STATISTICS)) {
        dn_pv_statistics_check(c, &c->chunk->meta.statistics, &c->total, true);
    }
    check_sizes(c);
    dn_pv_index_end(c);
    dn_pv_bloom_end(c);
}

static void finish(struct dn_pv_chunk_check *c)
{
    dn_pq_decoder_destroy(c->decoder);
    dn_pq_entries_finish(&c->entries);
    dn_pv_tally_finish(&c->page);
    dn_pv_tally_finish(&c->total);
    dn_buffer_finish(&c->window);
    dn_buffer_finish(&c->header);
    dn_buffer_finish(&c->unpacked);
    dn_buffer_finish(&c->dictionary);
    dn_buffer_finish(&c->stamps);
    dn_buffer_finish(&c->seen);
    dn_buffer_finish(&c->block);
    dn_buffer_finish(&c->last);
    dn_buffer_finish(&c->index.offsets_bytes);
    dn_buffer_finish(&c->index.columns_bytes);
    dn_buffer_finish(&c->bloom.bytes);
    dn_arena_finish(&c->arena);
}

/* Only the first of the sorting columns is in order from end to end; those behind it are where it stays the same. */
static int sorted_as(const struct dn_pv_group *g, uint32_t column, const struct dn_pv_column *c)
{
    const struct dn_pv_sorting *first = g->sorting.items;

    if (g->sorting.n == 0 || first->column != (int32_t)column || c->order == DN_PV_ORDERED_NOT ||
        c->leaf.max_rep > 0) {
        return 0;
    }
    return first->descending ? -1 : 1;
}

enum dn_status dn_pv_chunk_check(const struct dn_pv_file *file, uint32_t group, uint32_t column,
                                 struct dn_pv_findings *findings, struct dn_pv_chunk_result *result,
                                 struct dn_error *err)
{
    const struct dn_pv_group *g = (const struct dn_pv_group *)file->meta.groups.items + group;
    struct dn_pv_chunk_check c = {.file = file,
                                  .group = g,
                                  .chunk = (const struct dn_pv_chunk *)g->columns.items + column,
                                  .column = &file->columns[column],
                                  .findings = findings,
                                  .result = result,
                                  .place = {group, column, -1, -1}};
    enum dn_status st = DN_OK;

    c.sorted = sorted_as(g, column, c.column);
    if (!dn_pv_chunk_is_here(file, c.chunk, &c.start, &c.end)) {
        return DN_OK;
    }
    if (!dn_pq_codec_is_known(c.chunk->meta.codec)) {
        dn_pv_note(findings, &c.place, "page.unsupported",
                   "codec %" PRId32 " is not read: the values are not looked at",
                   c.chunk->meta.codec);
    }
    DN_TRY_GOTO(st, dn_pv_index_read(&c, err), cleanup);
    DN_TRY_GOTO(st, dn_pv_bloom_read(&c, err), cleanup);
    DN_TRY_GOTO(st, walk(&c, err), cleanup);
    check_chunk(&c);
    result->n_values = c.total.n_values;
    result->value_bytes =
        c.column->width == 0 ? c.total.unencoded : c.total.n_values * c.column->width;
cleanup:
    finish(&c);
    return st;
}
