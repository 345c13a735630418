/* Column index and offset index of a chunk.  PageIndex.md; ColumnIndex and OffsetIndex in parquet.thrift. */
#include "parquet/verify/check.h"

#include <inttypes.h>

/* One of the two structs, wherever the footer says; *out_ok: it is there. */
static enum dn_status read_one(struct dn_pv_chunk_check *c, int64_t offset, int32_t len,
                               const struct dn_pv_struct_type *type, const char *what,
                               struct dn_buffer *bytes, void *out, bool *out_ok,
                               struct dn_error *err)
{
    struct dn_pv_meta_reader m;
    struct dn_error why = {0};

    *out_ok = false;
    if (offset < 4 || len <= 0 || (uint64_t)offset > c->file->footer_offset ||
        (uint64_t)len > c->file->footer_offset - (uint64_t)offset) {
        return DN_OK; /* told with the layout */
    }
    DN_TRY(dn_pq_read_at(c->file->source, (uint64_t)offset, (size_t)len, bytes, err));
    dn_pv_meta_start(&m, dn_buffer_span(bytes), (uint64_t)offset, what, &c->arena, c->findings,
                     &c->place);
    const enum dn_status st = dn_pv_meta_read(&m, type, out, &why);
    c->place.byte = offset;
    if (st == DN_ERR_DATA) {
        dn_pv_error(c->findings, &c->place, "index", "%s", why.message);
    } else if (st != DN_OK) {
        return dn_error_set(err, st, "%s", why.message);
    } else if (m.thrift.pos != (size_t)len) {
        dn_pv_error(c->findings, &c->place, "index",
                    "%s takes %zu of the %" PRId32 " bytes that the footer says", what,
                    m.thrift.pos, len);
    }
    c->place.byte = -1;
    *out_ok = st == DN_OK;
    return DN_OK;
}

static void check_lists(struct dn_pv_chunk_check *c)
{
    const struct dn_pv_column_index *x = &c->index.columns;
    const uint32_t n = x->null_pages.n;
    const struct dn_pq_leaf *leaf = &c->column->leaf;
    const uint64_t reps = (uint64_t)n * ((uint64_t)leaf->max_rep + 1);
    const uint64_t defs = (uint64_t)n * ((uint64_t)leaf->max_def + 1);
    const struct {
        unsigned id;
        uint32_t n;
        uint64_t wanted;
        const char *name;
    } lists[] = {
        {2, x->min_values.n, n, "min_values"}, /* this one and the next are required */
        {3, x->max_values.n, n, "max_values"},
        {DN_PV_INDEX_NULL_COUNTS, x->null_counts.n, n, "null_counts"},
        {DN_PV_INDEX_REP_HISTOGRAMS, x->rep_histograms.n,
         x->rep_histograms.n == 0 && leaf->max_rep == 0 ? 0 : reps, "repetition_level_histograms"},
        {DN_PV_INDEX_DEF_HISTOGRAMS, x->def_histograms.n,
         x->def_histograms.n == 0 && leaf->max_def <= 1 ? 0 : defs, "definition_level_histograms"},
        {DN_PV_INDEX_NAN_COUNTS, x->nan_counts.n, n, "nan_counts"}};

    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        const bool is_there = dn_pv_has(&x->head, lists[i].id);
        if (!is_there && i < 2 && lists[i].wanted > 0) {
            c->index.has_columns = false; /* told as a field that is missing */
        }
        if (is_there && lists[i].n != lists[i].wanted) {
            dn_pv_error(c->findings, &c->place, "index.lists",
                        "%s has %" PRIu32 " entries and should have %" PRIu64, lists[i].name,
                        lists[i].n, lists[i].wanted);
            c->index.has_columns = false;
        }
    }
    if (c->index.has_offsets && c->index.offsets.locations.n != n) {
        dn_pv_error(c->findings, &c->place, "index.lists",
                    "the column index has %" PRIu32 " pages and the offset index %" PRIu32, n,
                    c->index.offsets.locations.n);
    }
}

/* Bounds of pages that follow each other, pages of nulls left out. */
static void check_order(struct dn_pv_chunk_check *c)
{
    const struct dn_pv_column_index *x = &c->index.columns;
    const struct dn_span *mins = x->min_values.items;
    const struct dn_span *maxs = x->max_values.items;
    const bool *nulls = x->null_pages.items;
    const struct dn_pv_column *column = c->column;
    int64_t last = -1;

    if (column->order == DN_PV_ORDERED_NOT || x->boundary_order == DN_PV_UNORDERED) {
        return;
    }
    for (uint32_t i = 0; i < x->null_pages.n; i++) {
        if (nulls[i]) {
            continue;
        }
        if (dn_pv_value_fault(column, mins[i]) != NULL ||
            dn_pv_value_fault(column, maxs[i]) != NULL || dn_pv_is_nan(column, mins[i]) ||
            dn_pv_is_nan(column, maxs[i])) {
            return; /* told with the page */
        }
        const int low = last < 0 ? 0 : dn_pv_compare(column, mins[last], mins[i]);
        const int high = last < 0 ? 0 : dn_pv_compare(column, maxs[last], maxs[i]);
        const int sign = x->boundary_order == DN_PV_ASCENDING ? 1 : -1;
        if (low * sign > 0 || high * sign > 0) {
            dn_pv_error(c->findings, &c->place, "index.boundary_order",
                        "the bounds are said to %s, and those of pages %" PRId64 " and %" PRIu32
                        " do not",
                        sign > 0 ? "ascend" : "descend", last, i);
            return;
        }
        last = i;
    }
}

enum dn_status dn_pv_index_read(struct dn_pv_chunk_check *c, struct dn_error *err)
{
    const struct dn_pv_chunk *chunk = c->chunk;
    struct dn_pv_index *x = &c->index;

    if (dn_pv_has(&chunk->head, DN_PV_CHUNK_OFFSET_INDEX)) {
        DN_TRY(read_one(c, chunk->offset_index_offset, chunk->offset_index_length,
                        &dn_pv_offset_index_type, "the offset index", &x->offsets_bytes,
                        &x->offsets, &x->has_offsets, err));
    }
    if (!dn_pv_has(&chunk->head, DN_PV_CHUNK_COLUMN_INDEX)) {
        return DN_OK;
    }
    DN_TRY(read_one(c, chunk->column_index_offset, chunk->column_index_length,
                    &dn_pv_column_index_type, "the column index", &x->columns_bytes, &x->columns,
                    &x->has_columns, err));
    if (!dn_pv_has(&chunk->head, DN_PV_CHUNK_OFFSET_INDEX)) {
        dn_pv_error(c->findings, &c->place, "index.lists",
                    "there is a column index and no offset index");
    }
    if (x->has_columns) {
        check_lists(c);
    }
    if (x->has_columns) {
        check_order(c);
    }
    return DN_OK;
}

/* ---- page by page ------------------------------------------------------------------------------------------------ */

static void check_location(struct dn_pv_chunk_check *c, uint32_t i, uint64_t offset, uint64_t size)
{
    const struct dn_pv_page_location *l =
        (const struct dn_pv_page_location *)c->index.offsets.locations.items + i;

    if ((uint64_t)l->offset != offset || (uint64_t)l->size != size) {
        dn_pv_error(c->findings, &c->place, "index.offsets",
                    "the offset index says %" PRId32 " bytes at byte %" PRId64
                    ", and there are %" PRIu64,
                    l->size, l->offset, size);
    }
    if (c->total.is_counted && (uint64_t)l->first_row != c->index.next_row) {
        dn_pv_error(c->findings, &c->place, "index.first_row_index",
                    "it is %" PRId64 ", and %" PRIu64 " rows come before", l->first_row,
                    c->index.next_row);
    }
}

static void check_page_bounds(struct dn_pv_chunk_check *c, uint32_t i)
{
    const struct dn_pv_column_index *x = &c->index.columns;
    const struct dn_span min = ((const struct dn_span *)x->min_values.items)[i];
    const struct dn_span max = ((const struct dn_span *)x->max_values.items)[i];
    const bool said = ((const bool *)x->null_pages.items)[i];
    const struct dn_pv_tally *t = &c->page;

    if (said != (t->n_values == 0)) {
        dn_pv_error(c->findings, &c->place, "index.null_pages",
                    "the page is said to hold %s, and it has %" PRIu64 " values",
                    said ? "nulls only" : "values", t->n_values);
        return;
    }
    if (said) {
        if (min.len > 0 || max.len > 0) {
            dn_pv_error(c->findings, &c->place, "index.bounds", "a page of nulls has bounds");
        }
        return;
    }
    if (c->column->order == DN_PV_ORDERED_NOT) {
        return;
    }
    if (!t->has_bounds && !c->column->total_order) {
        dn_pv_note(c->findings, &c->place, "index.bounds",
                   "every value of the page is NaN; there should be no column index");
        return;
    }
    dn_pv_bound_check(c, t, min, false, "index.bounds", "min_values of the column index");
    dn_pv_bound_check(c, t, max, true, "index.bounds", "max_values of the column index");
}

static void check_count(struct dn_pv_chunk_check *c, const struct dn_pv_list *list, uint32_t i,
                        uint64_t counted, const char *rule, const char *what)
{
    const int64_t said = ((const int64_t *)list->items)[i];

    if ((uint64_t)said != counted) {
        dn_pv_error(c->findings, &c->place, rule,
                    "%s of the index is %" PRId64 ", and there are %" PRIu64, what, said, counted);
    }
}

static void check_nulls(struct dn_pv_chunk_check *c, uint32_t i)
{
    const int64_t said = ((const int64_t *)c->index.columns.null_counts.items)[i];
    const uint64_t counted = c->page.n_levels - c->page.n_values;

    if (c->column->leaf.max_rep > 0 && said >= 0 && (uint64_t)said < counted) {
        dn_pv_note(c->findings, &c->place, "index.null_counts",
                   "it is %" PRId64 "; %" PRIu64 " with the lists that are empty or null", said,
                   counted);
        return;
    }
    check_count(c, &c->index.columns.null_counts, i, counted, "index.null_counts", "null_counts");
}

static void check_histograms(struct dn_pv_chunk_check *c, uint32_t i)
{
    const struct dn_pv_column_index *x = &c->index.columns;
    const int32_t max_def = c->column->leaf.max_def;
    const int32_t max_rep = c->column->leaf.max_rep;

    if (x->def_histograms.n > 0) {
        dn_pv_histogram_check(
            c, (const int64_t *)x->def_histograms.items + (size_t)i * ((size_t)max_def + 1),
            &c->page_defs, max_def, "index.histogram", "definition");
    }
    if (x->rep_histograms.n > 0) {
        dn_pv_histogram_check(
            c, (const int64_t *)x->rep_histograms.items + (size_t)i * ((size_t)max_rep + 1),
            &c->page_reps, max_rep, "index.histogram", "repetition");
    }
}

static void check_values_of_page(struct dn_pv_chunk_check *c, uint32_t i)
{
    const struct dn_pv_index *x = &c->index;

    if (x->has_offsets && dn_pv_has(&x->offsets.head, DN_PV_OFFSETS_UNENCODED) &&
        i < x->offsets.unencoded.n) {
        dn_pv_unencoded_check(c, ((const int64_t *)x->offsets.unencoded.items)[i],
                              c->page.unencoded, "index.unencoded");
    }
    if (!x->has_columns || i >= x->columns.null_pages.n) {
        return;
    }
    check_page_bounds(c, i);
    if (dn_pv_has(&x->columns.head, DN_PV_INDEX_NULL_COUNTS)) {
        check_nulls(c, i);
    }
    if (dn_pv_has(&x->columns.head, DN_PV_INDEX_NAN_COUNTS)) {
        check_count(c, &x->columns.nan_counts, i, c->page.n_nan, "index.nan_counts", "nan_counts");
    }
    check_histograms(c, i);
}

void dn_pv_index_page(struct dn_pv_chunk_check *c, uint64_t offset, uint64_t size)
{
    const uint32_t i = c->index.n_pages++;

    if (c->index.has_offsets && i < c->index.offsets.locations.n) {
        check_location(c, i, offset, size);
    }
    if (c->page.is_counted) {
        check_values_of_page(c, i);
    }
    c->index.next_row += c->page.n_rows;
}

void dn_pv_index_end(struct dn_pv_chunk_check *c)
{
    const struct dn_pv_index *x = &c->index;

    if (x->has_offsets && x->offsets.locations.n != x->n_pages) {
        dn_pv_error(c->findings, &c->place, "index.offsets",
                    "the offset index has %" PRIu32 " pages and the chunk %" PRIu32,
                    x->offsets.locations.n, x->n_pages);
    }
    if (x->has_offsets && dn_pv_has(&x->offsets.head, DN_PV_OFFSETS_UNENCODED) &&
        x->offsets.unencoded.n != x->n_pages) {
        dn_pv_error(c->findings, &c->place, "index.unencoded",
                    "the offset index has %" PRIu32 " sizes and the chunk %" PRIu32 " pages",
                    x->offsets.unencoded.n, x->n_pages);
    }
    if (x->has_columns && x->columns.null_pages.n != x->n_pages) {
        dn_pv_error(c->findings, &c->place, "index.lists",
                    "the column index has %" PRIu32 " pages and the chunk %" PRIu32,
                    x->columns.null_pages.n, x->n_pages);
    }
}
