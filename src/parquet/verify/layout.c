/* Where the parts of a file lie: each within it, none over another, nothing between them. */
#include "parquet/verify/check.h"

#include <inttypes.h>
#include <stdlib.h>

#define MOST_METADATA ((uint64_t)1 << 20)

static const char a_chunk[] = "a column chunk";

struct part {
    uint64_t start;
    uint64_t end;
    const char *what;
    int64_t group;
    int64_t column;
};

struct layout {
    struct dn_pv_file *file;
    struct dn_buffer parts; /* struct part */
    bool has_unknown_end;   /* a part whose length is not said, or is encrypted */
};

static int by_start(const void *a, const void *b)
{
    const struct part *x = a;
    const struct part *y = b;

    if (x->start != y->start) {
        return x->start < y->start ? -1 : 1;
    }
    return x->end < y->end ? -1 : x->end > y->end;
}

static enum dn_status add(struct layout *l, int64_t start, int64_t len, const char *what,
                          int64_t group, int64_t column, struct dn_error *err)
{
    const struct part part = {(uint64_t)start, (uint64_t)start + (uint64_t)len, what, group,
                              column};
    const struct dn_pv_place at = {group, column, -1, start};

    if (start < DN_PQ_MAGIC_LEN || len <= 0 || (uint64_t)start > l->file->footer_offset ||
        (uint64_t)len > l->file->footer_offset - (uint64_t)start) {
        dn_pv_error(&l->file->findings, &at, "layout.place",
                    "%s of %" PRId64 " bytes does not lie within the file", what, len);
        return DN_OK;
    }
    return dn_buffer_append(&l->parts, &part, sizeof part, err);
}

static enum dn_status add_chunk(struct layout *l, const struct dn_pv_chunk *chunk, int64_t group,
                                int64_t column, struct dn_error *err)
{
    uint64_t start = 0;
    uint64_t end = 0;
    const struct dn_pv_column_meta *m = &chunk->meta;

    if (dn_pv_chunk_is_here(l->file, chunk, &start, &end) && end > start) {
        DN_TRY(add(l, (int64_t)start, (int64_t)(end - start), a_chunk, group, column, err));
    }
    l->has_unknown_end = l->has_unknown_end || dn_pv_has(&chunk->head, DN_PV_CHUNK_CRYPTO);
    if (dn_pv_has(&chunk->head, DN_PV_CHUNK_FILE_PATH)) {
        return DN_OK;
    }
    if (dn_pv_has(&chunk->head, DN_PV_CHUNK_OFFSET_INDEX)) {
        DN_TRY(add(l, chunk->offset_index_offset, chunk->offset_index_length, "an offset index",
                   group, column, err));
    }
    if (dn_pv_has(&chunk->head, DN_PV_CHUNK_COLUMN_INDEX)) {
        DN_TRY(add(l, chunk->column_index_offset, chunk->column_index_length, "a column index",
                   group, column, err));
    }
    if (dn_pv_has(&m->head, DN_PV_META_BLOOM_OFFSET)) {
        const bool said = dn_pv_has(&m->head, DN_PV_META_BLOOM_LENGTH);
        l->has_unknown_end = l->has_unknown_end || !said;
        DN_TRY(add(l, m->bloom_offset, said ? m->bloom_length : 1, "a Bloom filter", group, column,
                   err));
    }
    return DN_OK;
}

static enum dn_status collect(struct layout *l, struct dn_error *err)
{
    const struct dn_pv_group *groups = l->file->meta.groups.items;

    for (uint32_t g = 0; g < l->file->meta.groups.n; g++) {
        const struct dn_pv_chunk *chunks = groups[g].columns.items;
        for (uint32_t k = 0; k < groups[g].columns.n; k++) {
            DN_TRY(add_chunk(l, &chunks[k], g, k < l->file->n_columns ? (int64_t)k : -1, err));
        }
    }
    return DN_OK;
}

/*
 * Behind a chunk some writers repeat its ColumnMetaData: a struct that fills the gap to the last byte, with the fields that each has.
 */
static enum dn_status is_metadata(struct dn_pv_file *file, uint64_t at, uint64_t len, bool *out,
                                  struct dn_error *err)
{
    struct dn_buffer bytes = {0};
    bool ran_out = false;
    size_t used = 0;
    struct dn_error why;

    *out = false;
    if (len > MOST_METADATA) {
        return DN_OK;
    }
    enum dn_status st = dn_pq_read_at(file->source, at, (size_t)len, &bytes, err);
    if (st == DN_OK) {
        *out = dn_pv_struct_length(dn_buffer_span(&bytes), at, "a gap", &used, &ran_out, &why) ==
                   DN_OK &&
               used == len;
    }
    dn_buffer_finish(&bytes);
    return st;
}

static enum dn_status tell_gap(struct layout *l, const struct part *p, uint64_t end,
                               const char *before, struct dn_error *err)
{
    const struct dn_pv_place at = {p->group, p->column, -1, (int64_t)end};
    bool known = false;

    if (before == a_chunk) {
        DN_TRY(is_metadata(l->file, end, p->start - end, &known, err));
    }
    if (!known && !l->has_unknown_end) {
        dn_pv_note(&l->file->findings, &at, "layout.gap",
                   "%" PRIu64 " bytes between %s and %s belong to nothing", p->start - end, before,
                   p->what);
    }
    return DN_OK;
}

static enum dn_status compare(struct layout *l, struct dn_error *err)
{
    const struct part *parts = (const struct part *)(const void *)l->parts.data;
    const size_t n = l->parts.len / sizeof(*parts);
    uint64_t end = DN_PQ_MAGIC_LEN;
    const char *before = "the magic number";

    for (size_t i = 0; i <= n; i++) {
        const struct part last = {l->file->footer_offset, l->file->size, "the footer", -1, -1};
        const struct part *p = i < n ? &parts[i] : &last;
        const struct dn_pv_place at = {p->group, p->column, -1, (int64_t)p->start};
        if (p->start < end) {
            dn_pv_error(&l->file->findings, &at, "layout.overlap", "%s begins before the end of %s",
                        p->what, before);
        } else if (p->start > end) {
            DN_TRY(tell_gap(l, p, end, before, err));
        }
        if (p->end > end) {
            end = p->end;
            before = p->what;
        }
    }
    return DN_OK;
}

enum dn_status dn_pv_layout_check(struct dn_pv_file *file, struct dn_error *err)
{
    struct layout l = {.file = file};
    enum dn_status st = collect(&l, err);

    if (st == DN_OK) {
        if (l.parts.len > 0) {
            qsort(l.parts.data, l.parts.len / sizeof(struct part), sizeof(struct part), by_start);
        }
        st = compare(&l, err);
    }
    dn_buffer_finish(&l.parts);
    return st;
}
