#include "parquet/writer_internal.h"

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
    dn_thrift_field_list(t, DN_PQ_COLUMN_PATH, DN_THRIFT_BINARY, 1);
    dn_thrift_element_binary(t, column->name, strlen(column->name));
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

static void write_schema(const struct dn_parquet_writer *w, struct dn_thrift_writer *t)
{
    static const char root[] = "schema";

    dn_thrift_field_list(t, DN_PQ_FILE_SCHEMA, DN_THRIFT_STRUCT, (size_t)w->n_columns + 1);
    dn_thrift_struct_begin(t);
    dn_thrift_field_binary(t, DN_PQ_SCHEMA_NAME, root, sizeof root - 1);
    dn_thrift_field_i32(t, DN_PQ_SCHEMA_NUM_CHILDREN, (int32_t)w->n_columns);
    dn_thrift_struct_end(t);
    for (int64_t i = 0; i < w->n_columns; i++) {
        dn_pq_column_write_schema(&w->columns[i], t);
    }
}

static enum dn_status write_metadata(const struct dn_parquet_writer *w, struct dn_buffer *out,
                                     struct dn_error *err)
{
    static const char created_by[] = "dativo-native version " DN_VERSION " (build " DN_BUILD ")";
    struct dn_thrift_writer t;

    dn_thrift_init(&t, out, err);
    dn_thrift_struct_begin(&t);
    dn_thrift_field_i32(&t, DN_PQ_FILE_VERSION, 1);
    write_schema(w, &t);
    dn_thrift_field_i64(&t, DN_PQ_FILE_NUM_ROWS, w->n_rows);
    dn_thrift_field_list(&t, DN_PQ_FILE_ROW_GROUPS, DN_THRIFT_STRUCT, (size_t)w->n_written);
    dn_thrift_raw(&t, w->footer.data, w->footer.len);
    dn_thrift_field_binary(&t, DN_PQ_FILE_CREATED_BY, created_by, sizeof created_by - 1);
    dn_thrift_field_list(&t, DN_PQ_FILE_COLUMN_ORDERS, DN_THRIFT_STRUCT, (size_t)w->n_columns);
    for (int64_t i = 0; i < w->n_columns; i++) {
        dn_thrift_struct_begin(&t);
        dn_thrift_field_empty_struct(&t, DN_PQ_ORDER_TYPE_DEFINED);
        dn_thrift_struct_end(&t);
    }
    dn_thrift_struct_end(&t);
    return dn_thrift_finish(&t);
}

enum dn_status dn_pq_footer_write(struct dn_parquet_writer *w, struct dn_error *err)
{
    struct dn_buffer out = {0};
    enum dn_status st = DN_OK;
    uint8_t end[8];

    DN_TRY_GOTO(st, write_metadata(w, &out, err), cleanup);
    if (out.len > INT32_MAX) {
        st = dn_error_set(err, DN_ERR_UNSUPPORTED,
                          "the footer of %lld columns and %lld row groups has %zu bytes, more than "
                          "readers take; use larger row groups",
                          (long long)w->n_columns, (long long)w->n_written, out.len);
        goto cleanup;
    }
    dn_pq_store32(end, (uint32_t)out.len);
    memcpy(end + 4, DN_PQ_MAGIC, DN_PQ_MAGIC_LEN);
    DN_TRY_GOTO(st, dn_buffer_append(&out, end, sizeof end, err), cleanup);
    st = dn_sink_write(w->sink, out.data, out.len, err);
cleanup:
    dn_buffer_finish(&out);
    return st;
}
