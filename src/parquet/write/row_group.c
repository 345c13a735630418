#include "base/memory.h"
#include "parquet/write/writer_internal.h"

#define SEGMENT_BYTES ((size_t)512 << 10)

struct dn_pq_row_group *dn_pq_row_group_create(struct dn_parquet_writer *w)
{
    size_t bytes = 0;

    if (!dn_mul_size((size_t)w->n_columns, sizeof(struct dn_pq_slot), &bytes) ||
        !dn_add_size(bytes, sizeof(struct dn_pq_row_group), &bytes)) {
        return NULL;
    }
    struct dn_pq_row_group *g = dn_malloc_aligned(bytes);
    if (g == NULL) {
        return NULL;
    }
    memset(g, 0, bytes);
    g->size = bytes;
    g->writer = w;
    g->n_open = w->n_columns;
    for (int64_t i = 0; i < w->n_columns; i++) {
        g->slots[i].row_group = g;
    }
    return g;
}

/* Returns the bytes that were given back. */
static size_t free_segments(struct dn_pq_slot *slot)
{
    size_t bytes = 0;

    while (slot->segments != NULL) {
        struct dn_pq_segment *next = slot->segments->next;
        bytes += slot->segments->size;
        dn_free_aligned(slot->segments, slot->segments->size);
        slot->segments = next;
    }
    return bytes;
}

void dn_pq_row_group_destroy(struct dn_pq_row_group *g)
{
    if (g == NULL) {
        return;
    }
    for (int64_t i = 0; i < g->writer->n_columns; i++) {
        dn_pq_chunk_finish(&g->slots[i].chunk);
        (void)free_segments(&g->slots[i]);
    }
    dn_spill_close(g->spill);
    dn_free_aligned(g, g->size);
}

/* Under the lock: room for a packed page, alive until its chunk is written; NULL if memory ran out. */
static uint8_t *room_for(struct dn_pq_slot *slot, size_t len)
{
    struct dn_pq_segment *s = slot->segments;

    if (s == NULL || s->size - sizeof *s - s->used < len) {
        /* Small chunks stay small: segments begin with the size of what they are for and grow up to a fixed size. */
        size_t size = s == NULL ? len + sizeof *s : s->size * 2;
        size = size > SEGMENT_BYTES ? SEGMENT_BYTES : size;
        size = size - sizeof *s < len || size < sizeof *s ? len + sizeof *s : size;
        s = dn_malloc_aligned(size);
        if (s == NULL) {
            return NULL;
        }
        s->next = slot->segments;
        s->size = size;
        s->used = 0;
        slot->segments = s;
        slot->row_group->writer->held_bytes += size;
    }
    uint8_t *room = s->bytes + s->used;
    s->used += len;
    return room;
}

enum dn_status dn_pq_slot_store(struct dn_pq_slot *slot, struct dn_pq_page *page,
                                struct dn_span header, struct dn_span data, struct dn_error *err)
{
    struct dn_pq_row_group *g = slot->row_group;
    struct dn_parquet_writer *w = g->writer;
    enum dn_status st = DN_OK;
    uint8_t *room = NULL;

    pthread_mutex_lock(&w->lock);
    const bool spill = w->held_bytes + page->stored_len > w->budget.held_bytes;
    if (!spill) {
        room = room_for(slot, page->stored_len);
        st = room == NULL ? dn_error_memory(err, page->stored_len) : DN_OK;
    } else if (g->spill == NULL) {
        st = dn_sink_spill_open(w->sink, &g->spill, err);
    }
    pthread_mutex_unlock(&w->lock);
    DN_TRY(st);
    if (room == NULL) {
        return dn_spill_append(g->spill, header, data, &page->stored_offset, err);
    }
    memcpy(room, header.data, header.len);
    memcpy(room + header.len, data.data, data.len);
    page->stored = room;
    return DN_OK;
}

static enum dn_status write_page(const struct dn_pq_row_group *g, const struct dn_pq_page *page,
                                 struct dn_pq_chunk_place *place, struct dn_error *err)
{
    struct dn_parquet_writer *w = g->writer;

    if (page->stored != NULL) {
        DN_TRY(dn_sink_write(w->sink, page->stored, page->stored_len, err));
    } else {
        DN_TRY(
            dn_sink_write_spilled(w->sink, g->spill, page->stored_offset, page->stored_len, err));
    }
    place->compressed_len += (int64_t)page->stored_len;
    place->uncompressed_len += (int64_t)page->uncompressed_len;
    return DN_OK;
}

static enum dn_status write_chunk(const struct dn_pq_row_group *g, const struct dn_pq_chunk *chunk,
                                  struct dn_pq_chunk_place *place, struct dn_error *err)
{
    const struct dn_sink *sink = g->writer->sink;

    *place = (struct dn_pq_chunk_place){.dictionary_offset = -1};
    if (chunk->dictionary != NULL) {
        place->dictionary_offset = (int64_t)dn_sink_position(sink);
        DN_TRY(write_page(g, chunk->dictionary, place, err));
    }
    place->data_offset = (int64_t)dn_sink_position(sink);
    for (const struct dn_pq_page *page = chunk->first; page != NULL; page = page->next) {
        DN_TRY(write_page(g, page, place, err));
    }
    return DN_OK;
}

/* Columns count as the leaves within them do. */
static void add_digest(struct dn_parquet_writer *w, int64_t i, uint64_t digest)
{
    const int64_t field = w->columns[i].field;
    int64_t leaf = 0;

    while (leaf < i && w->columns[i - leaf - 1].field == field) {
        leaf++;
    }
    w->digests[field] = (leaf == 0 ? 0 : w->digests[field]) + dn_pq_written_leaf(digest, leaf);
}

enum dn_status dn_pq_row_group_write(struct dn_pq_row_group *g, struct dn_error *err)
{
    struct dn_parquet_writer *w = g->writer;
    const int64_t start = (int64_t)dn_sink_position(w->sink);
    int64_t uncompressed_len = 0;
    struct dn_thrift_writer t;

    dn_thrift_init(&t, &w->footer, err);
    dn_thrift_struct_begin(&t);
    dn_thrift_field_list(&t, DN_PQ_ROW_GROUP_COLUMNS, DN_THRIFT_STRUCT, (size_t)w->n_columns);
    for (int64_t i = 0; i < w->n_columns; i++) {
        const struct dn_pq_chunk *chunk = &g->slots[i].chunk;
        struct dn_pq_chunk_place place;
        DN_TRY(write_chunk(g, chunk, &place, err));
        dn_pq_writer_give_back(w, free_segments(&g->slots[i])); /* the next row group needs it */
        DN_TRY(dn_pq_stats_merge(&w->totals[i], &chunk->stats, err));
        dn_pq_footer_chunk(chunk, &place, w->codec, &t);
        if (w->verify) {
            add_digest(w, i, g->slots[i].digest);
        }
        uncompressed_len += place.uncompressed_len;
    }
    dn_thrift_field_i64(&t, DN_PQ_ROW_GROUP_TOTAL_BYTE_SIZE, uncompressed_len);
    dn_thrift_field_i64(&t, DN_PQ_ROW_GROUP_NUM_ROWS, g->n_rows);
    dn_thrift_field_i64(&t, DN_PQ_ROW_GROUP_FILE_OFFSET, start);
    dn_thrift_field_i64(&t, DN_PQ_ROW_GROUP_TOTAL_COMPRESSED_SIZE,
                        (int64_t)dn_sink_position(w->sink) - start);
    dn_thrift_field_i16(&t, DN_PQ_ROW_GROUP_ORDINAL, (int16_t)w->n_written);
    dn_thrift_struct_end(&t);
    w->n_written++;
    DN_TRY(dn_thrift_finish(&t));
    if (w->verify) {
        DN_TRY(dn_pq_written_add(&w->written, g->n_rows, w->digests, err));
    }
    DN_TRY(dn_pq_footer_check(w, w->footer_spilled + w->footer.len, err));
    return dn_pq_footer_spill(w, err);
}
