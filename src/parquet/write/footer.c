#include "parquet/thrift/reader.h"
#include "parquet/write/writer_internal.h"

#ifndef DN_BUILD
#    define DN_BUILD "release"
#endif

static void write_encodings(const struct dn_pq_chunk *chunk, struct dn_thrift_writer *t)
{
    const bool dictionary = chunk->dictionary != NULL;

    dn_thrift_field_list(t, DN_PQ_COLUMN_ENCODINGS, DN_THRIFT_I32, dictionary ? 3 : 2);
    dn_thrift_element_i32(t, DN_PQ_PLAIN);
    dn_thrift_element_i32(t, DN_PQ_RLE); /* levels */
    if (dictionary) {
        dn_thrift_element_i32(t, DN_PQ_RLE_DICTIONARY);
    }
}

static void write_encoding_stats(enum dn_pq_page_type type, enum dn_pq_encoding encoding, int64_t n,
                                 struct dn_thrift_writer *t)
{
    dn_thrift_struct_begin(t);
    dn_thrift_field_i32(t, DN_PQ_ENCODING_STATS_PAGE_TYPE, (int32_t)type);
    dn_thrift_field_i32(t, DN_PQ_ENCODING_STATS_ENCODING, (int32_t)encoding);
    dn_thrift_field_i32(t, DN_PQ_ENCODING_STATS_COUNT, (int32_t)n);
    dn_thrift_struct_end(t);
}

static void write_column(const struct dn_pq_chunk *chunk, const struct dn_pq_chunk_place *place,
                         enum dn_codec_id codec, struct dn_thrift_writer *t)
{
    const struct dn_pq_column *column = chunk->column;
    const bool dictionary = chunk->dictionary != NULL;

    dn_thrift_field_struct(t, DN_PQ_CHUNK_META_DATA);
    dn_thrift_field_i32(t, DN_PQ_COLUMN_TYPE, (int32_t)column->physical);
    write_encodings(chunk, t);
    dn_thrift_field_list(t, DN_PQ_COLUMN_PATH, DN_THRIFT_BINARY, (size_t)column->n_path);
    for (int64_t i = 0; i < column->n_path; i++) {
        dn_thrift_element_binary(t, column->path[i], strlen(column->path[i]));
    }
    dn_thrift_field_i32(t, DN_PQ_COLUMN_CODEC, (int32_t)codec);
    dn_thrift_field_i64(t, DN_PQ_COLUMN_NUM_VALUES, chunk->n_rows);
    dn_thrift_field_i64(t, DN_PQ_COLUMN_UNCOMPRESSED_SIZE, place->uncompressed_len);
    dn_thrift_field_i64(t, DN_PQ_COLUMN_COMPRESSED_SIZE, place->compressed_len);
    dn_thrift_field_i64(t, DN_PQ_COLUMN_DATA_PAGE_OFFSET, place->data_offset);
    if (dictionary) {
        dn_thrift_field_i64(t, DN_PQ_COLUMN_DICTIONARY_PAGE_OFFSET, place->dictionary_offset);
    }
    dn_pq_stats_write(&chunk->stats, t, DN_PQ_COLUMN_STATISTICS);
    dn_thrift_field_list(t, DN_PQ_COLUMN_ENCODING_STATS, DN_THRIFT_STRUCT, dictionary ? 2 : 1);
    write_encoding_stats(DN_PQ_DATA_PAGE, dictionary ? DN_PQ_RLE_DICTIONARY : DN_PQ_PLAIN,
                         chunk->n_pages, t);
    if (dictionary) {
        write_encoding_stats(DN_PQ_DICTIONARY_PAGE, DN_PQ_PLAIN, 1, t);
    }
    if (column->kind == DN_PQ_KIND_TEXT) {
        dn_thrift_field_struct(t, DN_PQ_COLUMN_SIZE_STATISTICS);
        dn_thrift_field_i64(t, DN_PQ_SIZE_UNENCODED_BYTES, chunk->text_bytes);
        dn_thrift_struct_end(t);
    }
    dn_thrift_struct_end(t);
}

void dn_pq_footer_chunk(const struct dn_pq_chunk *chunk, const struct dn_pq_chunk_place *place,
                        enum dn_codec_id codec, struct dn_thrift_writer *t)
{
    dn_thrift_struct_begin(t);
    dn_thrift_field_i64(t, DN_PQ_CHUNK_FILE_OFFSET, 0); /* deprecated; 0 is what is asked for */
    write_column(chunk, place, codec, t);
    dn_thrift_struct_end(t);
}

/* ---- row groups ---------------------------------------------------------------------------------------------------- */

/*
 * Readers (DataFusion 50 to 55) take bounds that some row groups of a column give for those of all, and answer from them.  So once
 * a row group has values but no bounds, nobody gives any.  That is known only at the end; then the row groups that were
 * encoded as they were written are copied without the bounds of such columns.
 */
struct withdrawal {
    const struct dn_parquet_writer *writer;
    struct dn_thrift_reader from;
    struct dn_thrift_writer *to;
    size_t copied; /* of `from` */
};

/* A Statistics struct begins here: what stays are the counts. */
static enum dn_status copy_counts(struct withdrawal *c, struct dn_error *err)
{
    struct dn_thrift_field f;
    int64_t n;

    dn_thrift_raw(c->to, c->from.data + c->copied, c->from.pos - c->copied);
    dn_thrift_struct_begin(c->to);
    DN_TRY(dn_thrift_begin(&c->from, &f, err));
    for (;;) {
        DN_TRY(dn_thrift_next(&c->from, &f, err));
        if (f.type == DN_THRIFT_STOP) {
            break;
        }
        if (f.type == DN_THRIFT_I64) {
            DN_TRY(dn_thrift_read_i64(&c->from, &f, &n, err));
            dn_thrift_field_i64(c->to, f.id, n);
        } else {
            DN_TRY(dn_thrift_skip(&c->from, &f, err));
        }
    }
    dn_thrift_struct_end(c->to);
    c->copied = c->from.pos;
    return DN_OK;
}

/* Look for the struct that is field `ids[0]`, in it for `ids[1]`, and so on; `ids` ends with 0.  `from` stands before a struct. */
static enum dn_status copy_chunk(struct withdrawal *c, const int16_t *ids, struct dn_error *err)
{
    struct dn_thrift_field f;

    DN_TRY(dn_thrift_begin(&c->from, &f, err));
    for (;;) {
        DN_TRY(dn_thrift_next(&c->from, &f, err));
        if (f.type == DN_THRIFT_STOP) {
            return DN_OK;
        }
        if (ids[0] == 0 || f.id != ids[0]) {
            DN_TRY(dn_thrift_skip(&c->from, &f, err));
        } else if (ids[1] != 0) {
            DN_TRY(copy_chunk(c, ids + 1, err));
        } else {
            DN_TRY(copy_counts(c, err));
        }
    }
}

static enum dn_status copy_row_group(struct withdrawal *c, struct dn_error *err)
{
    static const int16_t path[] = {DN_PQ_CHUNK_META_DATA, DN_PQ_COLUMN_STATISTICS, 0};
    static const int16_t nowhere[] = {0};
    struct dn_thrift_field f;
    uint32_t n;

    DN_TRY(dn_thrift_begin(&c->from, &f, err));
    for (;;) {
        DN_TRY(dn_thrift_next(&c->from, &f, err));
        if (f.type == DN_THRIFT_STOP) {
            return DN_OK;
        }
        if (f.id != DN_PQ_ROW_GROUP_COLUMNS) {
            DN_TRY(dn_thrift_skip(&c->from, &f, err));
            continue;
        }
        DN_TRY(dn_thrift_read_list(&c->from, &f, DN_THRIFT_STRUCT, 1, &n, err));
        for (uint32_t i = 0; i < n; i++) {
            DN_TRY(copy_chunk(c, c->writer->totals[i].unbounded ? path : nowhere, err));
        }
    }
}

enum dn_status dn_pq_footer_spill(struct dn_parquet_writer *w, struct dn_error *err)
{
    static const struct dn_span nothing = {(const uint8_t *)"", 0};
    struct dn_pq_footer_piece piece = {.len = w->footer.len, .n_written = w->n_written};

    if (w->footer.len <= w->budget.footer_bytes) {
        return DN_OK;
    }
    if (w->footer_spill == NULL) {
        DN_TRY(dn_sink_spill_open(w->sink, &w->footer_spill, err));
    }
    DN_TRY(
        dn_spill_append(w->footer_spill, dn_buffer_span(&w->footer), nothing, &piece.offset, err));
    DN_TRY(dn_buffer_append(&w->footer_pieces, &piece, sizeof piece, err));
    w->footer_spilled += piece.len;
    dn_buffer_finish(&w->footer);
    return DN_OK;
}

/* What is being written, and how much of it is. */
struct footer {
    struct dn_parquet_writer *writer;
    struct dn_buffer out; /* not in the file yet */
    size_t written;
};

static enum dn_status flush(struct footer *f, struct dn_error *err)
{
    DN_TRY(dn_sink_write(f->writer->sink, f->out.data, f->out.len, err));
    f->written += f->out.len;
    dn_buffer_reset(&f->out);
    return DN_OK;
}

/* RowGroup structs [first, end), which are the whole of `from`. */
static enum dn_status write_piece(struct footer *f, struct dn_span from, int64_t first, int64_t end,
                                  bool unbounded, struct dn_thrift_writer *t, struct dn_error *err)
{
    struct withdrawal c = {.writer = f->writer, .to = t};

    if (unbounded) {
        dn_thrift_reader_init(&c.from, from, 0, "the footer to be written");
        for (int64_t g = first; g < end; g++) {
            DN_TRY(copy_row_group(&c, err));
        }
    }
    if (c.copied < from.len) { /* a file without rows has no bytes here, not even a place */
        dn_thrift_raw(t, from.data + c.copied, from.len - c.copied);
    }
    DN_TRY(t->status);
    return flush(f, err);
}

static enum dn_status write_row_groups(struct footer *f, struct dn_thrift_writer *t,
                                       struct dn_error *err)
{
    struct dn_parquet_writer *w = f->writer;
    const struct dn_pq_footer_piece *pieces =
        (const struct dn_pq_footer_piece *)(const void *)w->footer_pieces.data;
    struct dn_buffer rest = w->footer;
    bool unbounded = false;
    int64_t done = 0;
    enum dn_status st = DN_OK;

    dn_thrift_field_list(t, DN_PQ_FILE_ROW_GROUPS, DN_THRIFT_STRUCT, (size_t)w->n_written);
    for (int64_t i = 0; i < w->n_columns; i++) {
        unbounded = unbounded || w->totals[i].unbounded;
    }
    w->footer = (struct dn_buffer){0};
    for (size_t i = 0; i < w->footer_pieces.len / sizeof *pieces; i++) {
        dn_buffer_reset(&w->footer);
        DN_TRY_GOTO(st, dn_buffer_reserve(&w->footer, pieces[i].len, err), cleanup);
        DN_TRY_GOTO(
            st,
            dn_spill_read(w->footer_spill, pieces[i].offset, w->footer.data, pieces[i].len, err),
            cleanup);
        w->footer.len = pieces[i].len;
        DN_TRY_GOTO(st,
                    write_piece(f, dn_buffer_span(&w->footer), done, pieces[i].n_written, unbounded,
                                t, err),
                    cleanup);
        done = pieces[i].n_written;
    }
    st = write_piece(f, dn_buffer_span(&rest), done, w->n_written, unbounded, t, err);
cleanup:
    dn_buffer_finish(&rest);
    return st;
}

/* ---- the footer ------------------------------------------------------------------------------------------------------ */

static enum dn_status write_metadata(struct footer *f, struct dn_error *err)
{
    static const char created_by[] = "dativo-native version " DN_VERSION " (build " DN_BUILD ")";
    const struct dn_parquet_writer *w = f->writer;
    struct dn_thrift_writer t;

    dn_thrift_init(&t, &f->out, err);
    dn_thrift_struct_begin(&t);
    dn_thrift_field_i32(&t, DN_PQ_FILE_VERSION, 1);
    dn_pq_schema_write(&w->schema, &t, DN_PQ_FILE_SCHEMA);
    dn_thrift_field_i64(&t, DN_PQ_FILE_NUM_ROWS, w->n_rows);
    DN_TRY(write_row_groups(f, &t, err));
    dn_pq_said_write(&w->said, &t);
    dn_thrift_field_binary(&t, DN_PQ_FILE_CREATED_BY, created_by, sizeof created_by - 1);
    dn_thrift_field_list(&t, DN_PQ_FILE_COLUMN_ORDERS, DN_THRIFT_STRUCT, (size_t)w->n_columns);
    for (int64_t i = 0; i < w->n_columns; i++) {
        dn_thrift_struct_begin(&t);
        dn_thrift_field_empty_struct(&t, DN_PQ_ORDER_TYPE_DEFINED);
        dn_thrift_struct_end(&t);
    }
    dn_thrift_struct_end(&t);
    DN_TRY(dn_thrift_finish(&t));
    return flush(f, err);
}

enum dn_status dn_pq_footer_check(const struct dn_parquet_writer *w, size_t len,
                                  struct dn_error *err)
{
    return len <= INT32_MAX
               ? DN_OK
               : dn_error_set(err, DN_ERR_UNSUPPORTED,
                              "the footer of %lld columns and %lld row groups has %zu bytes, more "
                              "than readers take; use larger row groups",
                              (long long)w->n_columns, (long long)w->n_written, len);
}

enum dn_status dn_pq_footer_write(struct dn_parquet_writer *w, struct dn_error *err)
{
    struct footer f = {.writer = w};
    enum dn_status st = DN_OK;
    uint8_t end[8];

    DN_TRY_GOTO(st, write_metadata(&f, err), cleanup);
    DN_TRY_GOTO(st, dn_pq_footer_check(w, f.written, err), cleanup);
    dn_pq_store32(end, (uint32_t)f.written);
    memcpy(end + 4, DN_PQ_MAGIC, DN_PQ_MAGIC_LEN);
    st = dn_sink_write(w->sink, end, sizeof end, err);
cleanup:
    dn_buffer_finish(&f.out);
    return st;
}
