/* What the footer says of row groups and chunks, against the schema and against itself. */
#include "parquet/verify/check.h"

#include <inttypes.h>

#define MOST_GROUPS 32767 /* ordinals are i16 */

/* No rows, no data page, no offset of it. */
static bool has_no_data(const struct dn_pv_column_meta *meta)
{
    return meta->n_values == 0 && meta->data_page_offset == 0;
}

bool dn_pv_chunk_is_here(const struct dn_pv_file *file, const struct dn_pv_chunk *chunk,
                         uint64_t *out_start, uint64_t *out_end)
{
    const struct dn_pv_column_meta *meta = &chunk->meta;
    int64_t start = meta->data_page_offset;

    if (!dn_pv_has(&chunk->head, DN_PV_CHUNK_META) ||
        dn_pv_has(&chunk->head, DN_PV_CHUNK_FILE_PATH) ||
        dn_pv_has(&chunk->head, DN_PV_CHUNK_CRYPTO)) {
        return false;
    }
    if (dn_pv_has(&meta->head, DN_PV_META_DICTIONARY_OFFSET) && meta->dictionary_page_offset > 0 &&
        (meta->dictionary_page_offset < start || has_no_data(meta))) {
        start = meta->dictionary_page_offset;
    }
    if (start < DN_PQ_MAGIC_LEN || meta->compressed < 0 || (uint64_t)start > file->footer_offset ||
        (uint64_t)meta->compressed > file->footer_offset - (uint64_t)start) {
        return false;
    }
    *out_start = (uint64_t)start;
    *out_end = (uint64_t)start + (uint64_t)meta->compressed;
    return true;
}

static void check_path(struct dn_pv_file *file, const struct dn_pv_chunk *chunk,
                       const struct dn_pv_column *column, const struct dn_pv_place *at)
{
    const struct dn_span *path = chunk->meta.path.items;
    bool same = chunk->meta.path.n == column->n_parts;

    for (uint32_t i = 0; same && i < column->n_parts; i++) {
        same = path[i].len == column->parts[i].len &&
               (path[i].len == 0 || memcmp(path[i].data, column->parts[i].data, path[i].len) == 0);
    }
    if (!same) {
        dn_pv_error(&file->findings, at, "chunk.path_in_schema",
                    "it is not the path of the column in the schema");
    }
    if (chunk->meta.type != column->element.type) {
        dn_pv_error(&file->findings, at, "chunk.type",
                    "it has type %" PRId32 ", and in the schema %" PRId32, chunk->meta.type,
                    column->element.type);
    }
}

static void check_statistics_said(struct dn_pv_file *file, const struct dn_pv_chunk *chunk,
                                  const struct dn_pv_column *column, const struct dn_pv_place *at)
{
    const struct dn_pv_statistics *s = &chunk->meta.statistics;

    if (dn_pv_has(&chunk->meta.head, DN_PV_META_STATISTICS) &&
        (dn_pv_has(&s->head, DN_PV_STATS_MIN_VALUE) ||
         dn_pv_has(&s->head, DN_PV_STATS_MAX_VALUE)) &&
        !column->orders_said) {
        dn_pv_note(&file->findings, at, "schema.column_orders",
                   "there is no column order, so that min_value and max_value mean nothing");
    }
}

static void check_offsets(struct dn_pv_file *file, const struct dn_pv_chunk *chunk,
                          const struct dn_pv_place *at)
{
    const struct dn_pv_column_meta *m = &chunk->meta;
    uint64_t start = 0;
    uint64_t end = 0;

    if (has_no_data(m)) {
        dn_pv_note(&file->findings, at, "chunk.data_page_offset",
                   "it is 0: there are no values, and no page for them");
    } else if (dn_pv_has(&m->head, DN_PV_META_DICTIONARY_OFFSET) &&
               m->dictionary_page_offset == 0) {
        dn_pv_note(&file->findings, at, "chunk.dictionary_page_offset",
                   "it is 0, which readers take for none");
    } else if (dn_pv_has(&m->head, DN_PV_META_DICTIONARY_OFFSET) &&
               (m->dictionary_page_offset < 0 ||
                m->dictionary_page_offset >= m->data_page_offset)) {
        dn_pv_error(&file->findings, at, "chunk.dictionary_page_offset",
                    "it is %" PRId64 ", and data_page_offset is %" PRId64,
                    m->dictionary_page_offset, m->data_page_offset);
    }
    if (!dn_pv_has(&chunk->head, DN_PV_CHUNK_FILE_PATH) &&
        !dn_pv_has(&chunk->head, DN_PV_CHUNK_CRYPTO) &&
        !dn_pv_chunk_is_here(file, chunk, &start, &end) &&
        !(has_no_data(m) && m->compressed == 0)) {
        dn_pv_error(&file->findings, at, "chunk.place",
                    "%" PRId64 " bytes from byte %" PRId64 " on do not lie within the file",
                    m->compressed, m->data_page_offset);
        return;
    }
    /* Deprecated, and of several meanings: the place of the metadata, of the first page, or of the end of the chunk. */
    if (chunk->file_offset != 0 && (uint64_t)chunk->file_offset != start &&
        (uint64_t)chunk->file_offset != end && chunk->file_offset != m->data_page_offset &&
        chunk->file_offset != m->data_page_offset + m->compressed && start != 0) {
        dn_pv_note(&file->findings, at, "chunk.file_offset", "it is %" PRId64 ", and should be 0",
                   chunk->file_offset);
    }
}

static void check_chunk(struct dn_pv_file *file, const struct dn_pv_group *g,
                        const struct dn_pv_chunk *chunk, const struct dn_pv_column *column,
                        struct dn_pv_place at)
{
    at.byte = (int64_t)chunk->head.at;
    if (!dn_pv_has(&chunk->head, DN_PV_CHUNK_META)) {
        if (dn_pv_has(&chunk->head, DN_PV_CHUNK_CRYPTO)) {
            dn_pv_note(&file->findings, &at, "chunk.not_read", "it is encrypted");
        } else {
            dn_pv_error(&file->findings, &at, "chunk.meta_data", "there is none");
        }
        return;
    }
    check_path(file, chunk, column, &at);
    if (dn_pv_has(&chunk->head, DN_PV_CHUNK_FILE_PATH) ||
        dn_pv_has(&chunk->head, DN_PV_CHUNK_CRYPTO)) {
        dn_pv_note(&file->findings, &at, "chunk.not_read", "its pages are %s",
                   dn_pv_has(&chunk->head, DN_PV_CHUNK_CRYPTO) ? "encrypted" : "in another file");
    }
    check_offsets(file, chunk, &at);
    check_statistics_said(file, chunk, column, &at);
    if (chunk->meta.n_values < 0 || chunk->meta.uncompressed < 0 || chunk->meta.compressed < 0) {
        dn_pv_error(&file->findings, &at, "chunk.num_values", "a count or size is below zero");
    }
    if (column->leaf.max_rep == 0 && chunk->meta.n_values != g->n_rows) {
        dn_pv_error(&file->findings, &at, "chunk.num_values",
                    "%" PRId64 " values in a row group of %" PRId64 " rows", chunk->meta.n_values,
                    g->n_rows);
    }
}

/* ---- row groups -------------------------------------------------------------------------------------------------- */

static void check_sums(struct dn_pv_file *file, const struct dn_pv_group *g,
                       const struct dn_pv_place *at)
{
    const struct dn_pv_chunk *chunks = g->columns.items;
    uint64_t uncompressed = 0;
    uint64_t compressed = 0;
    uint64_t first = UINT64_MAX;

    for (uint32_t i = 0; i < g->columns.n; i++) {
        uint64_t start = UINT64_MAX;
        uint64_t end = 0;
        if (!dn_pv_has(&chunks[i].head, DN_PV_CHUNK_META)) {
            return;
        }
        uncompressed += (uint64_t)chunks[i].meta.uncompressed;
        compressed += (uint64_t)chunks[i].meta.compressed;
        if (dn_pv_chunk_is_here(file, &chunks[i], &start, &end)) {
            first = start < first ? start : first;
        }
    }
    if ((uint64_t)g->total_byte_size != uncompressed &&
        (uint64_t)g->total_byte_size == compressed) {
        dn_pv_note(&file->findings, at, "group.total_byte_size",
                   "it is %" PRId64
                   ", the compressed size; uncompressed the chunks come to %" PRIu64,
                   g->total_byte_size, uncompressed);
    } else if ((uint64_t)g->total_byte_size != uncompressed) {
        dn_pv_error(&file->findings, at, "group.total_byte_size",
                    "it is %" PRId64 ", and the chunks come to %" PRIu64, g->total_byte_size,
                    uncompressed);
    }
    if (dn_pv_has(&g->head, DN_PV_GROUP_COMPRESSED) &&
        (uint64_t)g->total_compressed != compressed) {
        dn_pv_error(&file->findings, at, "group.total_compressed_size",
                    "it is %" PRId64 ", and the chunks come to %" PRIu64, g->total_compressed,
                    compressed);
    }
    if (!dn_pv_has(&g->head, DN_PV_GROUP_FILE_OFFSET) || first == UINT64_MAX ||
        (uint64_t)g->file_offset == first) {
        return;
    }
    if (g->file_offset != 0 && g->file_offset == chunks[0].file_offset) {
        dn_pv_note(&file->findings, at, "group.file_offset",
                   "it is %" PRId64 ", as of the first chunk; its first page is at byte %" PRIu64,
                   g->file_offset, first);
    } else if (g->file_offset == 0 && has_no_data(&chunks[0].meta)) {
        dn_pv_note(
            &file->findings, at, "group.file_offset",
            "it is 0, as of the first chunk, which has no page; the first one there is is at "
            "byte %" PRIu64,
            first);
    } else {
        dn_pv_error(&file->findings, at, "group.file_offset",
                    "it is %" PRId64 ", and its first page is at byte %" PRIu64, g->file_offset,
                    first);
    }
}

static void check_group(struct dn_pv_file *file, uint32_t i)
{
    const struct dn_pv_group *g = (const struct dn_pv_group *)file->meta.groups.items + i;
    const struct dn_pv_sorting *sorting = g->sorting.items;
    struct dn_pv_place at = {i, -1, -1, (int64_t)g->head.at};

    if (g->n_rows < 0) {
        dn_pv_error(&file->findings, &at, "group.num_rows", "it has %" PRId64 " rows", g->n_rows);
    } else if (g->n_rows == 0) {
        dn_pv_note(&file->findings, &at, "group.num_rows", "it has no rows");
    }
    if (dn_pv_has(&g->head, DN_PV_GROUP_ORDINAL) && g->ordinal != (int32_t)i) {
        dn_pv_error(&file->findings, &at, "group.ordinal", "it is %" PRId32, g->ordinal);
    }
    for (uint32_t k = 0; k < g->sorting.n; k++) {
        if (sorting[k].column < 0 || (uint32_t)sorting[k].column >= file->n_columns) {
            dn_pv_error(&file->findings, &at, "group.sorting_columns",
                        "there is no column %" PRId32, sorting[k].column);
        }
    }
    check_sums(file, g, &at);
    if (g->columns.n != file->n_columns) {
        dn_pv_error(&file->findings, &at, "group.columns",
                    "it has %" PRIu32 " chunks, and the schema %" PRIu32 " columns", g->columns.n,
                    file->n_columns);
        return;
    }
    for (uint32_t k = 0; k < file->n_columns; k++) {
        at.column = k;
        check_chunk(file, g, (const struct dn_pv_chunk *)g->columns.items + k, &file->columns[k],
                    at);
    }
}

void dn_pv_groups_check(struct dn_pv_file *file)
{
    const struct dn_pv_group *groups = file->meta.groups.items;
    int64_t rows = 0;

    for (uint32_t i = 0; i < file->meta.groups.n; i++) {
        check_group(file, i);
        if (groups[i].n_rows >= 0 && __builtin_add_overflow(rows, groups[i].n_rows, &rows)) {
            rows = INT64_MAX;
        }
    }
    if (rows != file->meta.n_rows) {
        dn_pv_error(&file->findings, &DN_PV_NOWHERE, "file.num_rows",
                    "it is %" PRId64 ", and the row groups have %" PRId64, file->meta.n_rows, rows);
    }
    if (file->meta.groups.n > MOST_GROUPS) {
        dn_pv_note(&file->findings, &DN_PV_NOWHERE, "file.row_groups",
                   "%" PRIu32 " row groups; an ordinal counts to %d", file->meta.groups.n,
                   MOST_GROUPS);
    }
}
