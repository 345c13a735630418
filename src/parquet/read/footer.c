#include "parquet/read/footer.h"

#include "base/memory.h"
#include "parquet/read/origin.h"
#include "parquet/thrift/reader.h"

#include <inttypes.h>

#define TAIL_LEN 8 /* footer length, magic */
/* What an encoded struct takes at least; see dn_thrift_read_list(). */
#define MIN_ELEMENT_BYTES 3
#define MIN_GROUP_BYTES 6
#define MIN_PAIR_BYTES 1
#define MIN_CHUNK_BYTES 12
#define MOST_FORGOTTEN_BYTES 100

enum dn_status dn_pq_read_at(struct dn_source *source, uint64_t offset, size_t size,
                             struct dn_buffer *out, struct dn_error *err)
{
    size_t done = 0;

    DN_TRY(dn_buffer_reserve(out, size, err));
    while (done < size) {
        size_t got = 0;
        DN_TRY(dn_source_read_at(source, offset + done, out->data + out->len + done, size - done,
                                 &got, err));
        if (got == 0) {
            return dn_error_set(err, DN_ERR_DATA,
                                "the file ends at byte %" PRIu64
                                " where %zu more bytes are expected; is it still being written?",
                                offset + done, size - done);
        }
        done += got;
    }
    out->len += size;
    return DN_OK;
}

/* ---- thrift ---------------------------------------------------------------------------------------------------- */

static enum dn_status read_statistics(struct dn_thrift_reader *r, struct dn_pq_chunk_info *c,
                                      struct dn_error *err)
{
    struct dn_span old_min = {0};
    struct dn_span old_max = {0};
    struct dn_thrift_field f;

    DN_TRY(dn_thrift_begin(r, &f, err));
    for (;;) {
        DN_TRY(dn_thrift_next(r, &f, err));
        if (f.type == DN_THRIFT_STOP) {
            break;
        }
        switch (f.id) {
        case DN_PQ_STATISTICS_OLD_MAX:
            DN_TRY(dn_thrift_read_binary(r, &f, &old_max, err));
            break;
        case DN_PQ_STATISTICS_OLD_MIN:
            DN_TRY(dn_thrift_read_binary(r, &f, &old_min, err));
            break;
        case DN_PQ_STATISTICS_NULL_COUNT:
            DN_TRY(dn_thrift_read_i64(r, &f, &c->null_count, err));
            if (c->null_count < 0) {
                return dn_error_set(err, DN_ERR_DATA,
                                    "the footer is damaged: a null count is %" PRId64,
                                    c->null_count);
            }
            break;
        case DN_PQ_STATISTICS_MAX:
            DN_TRY(dn_thrift_read_binary(r, &f, &c->max, err));
            break;
        case DN_PQ_STATISTICS_MIN:
            DN_TRY(dn_thrift_read_binary(r, &f, &c->min, err));
            break;
        default:
            DN_TRY(dn_thrift_skip(r, &f, err));
            break;
        }
    }
    /* The deprecated pair was compared as signed bytes; it is right for numbers, which are recognised by type later. */
    if (c->min.data == NULL && c->max.data == NULL && c->type != DN_PQ_BYTE_ARRAY &&
        c->type != DN_PQ_FIXED_LEN_BYTE_ARRAY) {
        c->min = old_min;
        c->max = old_max;
    }
    return DN_OK;
}

static enum dn_status read_encodings(struct dn_thrift_reader *r, const struct dn_thrift_field *f,
                                     struct dn_pq_chunk_info *c, struct dn_error *err)
{
    const struct dn_thrift_field element = {.id = f->id, .type = DN_THRIFT_I32};
    uint32_t n = 0;

    DN_TRY(dn_thrift_read_list(r, f, DN_THRIFT_I32, 1, &n, err));
    for (uint32_t i = 0; i < n; i++) {
        int32_t encoding = 0;
        DN_TRY(dn_thrift_read_i32(r, &element, &encoding, err));
        c->encodings |= (uint32_t)1 << (encoding >= 0 && encoding < DN_PQ_ENCODING_UNKNOWN
                                            ? encoding
                                            : DN_PQ_ENCODING_UNKNOWN);
    }
    return DN_OK;
}

static enum dn_status read_column_field(struct dn_thrift_reader *r, const struct dn_thrift_field *f,
                                        struct dn_pq_chunk_info *c, struct dn_error *err)
{
    switch (f->id) {
    case DN_PQ_COLUMN_TYPE:
        return dn_thrift_read_i32(r, f, &c->type, err);
    case DN_PQ_COLUMN_ENCODINGS:
        return read_encodings(r, f, c, err);
    case DN_PQ_COLUMN_CODEC:
        return dn_thrift_read_i32(r, f, &c->codec, err);
    case DN_PQ_COLUMN_NUM_VALUES:
        return dn_thrift_read_i64(r, f, &c->n_values, err);
    case DN_PQ_COLUMN_UNCOMPRESSED_SIZE:
        return dn_thrift_read_i64(r, f, &c->uncompressed_bytes, err);
    case DN_PQ_COLUMN_COMPRESSED_SIZE:
        return dn_thrift_read_i64(r, f, &c->compressed_bytes, err);
    case DN_PQ_COLUMN_DATA_PAGE_OFFSET:
        return dn_thrift_read_i64(r, f, &c->data_page_offset, err);
    case DN_PQ_COLUMN_DICTIONARY_PAGE_OFFSET:
        return dn_thrift_read_i64(r, f, &c->dictionary_page_offset, err);
    case DN_PQ_COLUMN_STATISTICS:
        DN_TRY(dn_thrift_expect_struct(r, f, err));
        return read_statistics(r, c, err);
    default:
        return dn_thrift_skip(r, f, err);
    }
}

static enum dn_status read_column_meta(struct dn_thrift_reader *r, struct dn_pq_chunk_info *c,
                                       struct dn_error *err)
{
    struct dn_thrift_field f;

    c->has_meta = true;
    DN_TRY(dn_thrift_begin(r, &f, err));
    for (;;) {
        DN_TRY(dn_thrift_next(r, &f, err));
        if (f.type == DN_THRIFT_STOP) {
            return DN_OK;
        }
        DN_TRY(read_column_field(r, &f, c, err));
    }
}

static enum dn_status read_chunk(struct dn_thrift_reader *r, struct dn_pq_chunk_info *c,
                                 struct dn_error *err)
{
    struct dn_thrift_field f;

    *c = (struct dn_pq_chunk_info){.type = -1,
                                   .codec = -1,
                                   .n_values = -1,
                                   .uncompressed_bytes = -1,
                                   .compressed_bytes = -1,
                                   .data_page_offset = -1,
                                   .null_count = -1};
    DN_TRY(dn_thrift_begin(r, &f, err));
    for (;;) {
        DN_TRY(dn_thrift_next(r, &f, err));
        if (f.type == DN_THRIFT_STOP) {
            return DN_OK;
        }
        if (f.id == DN_PQ_CHUNK_META_DATA) {
            DN_TRY(dn_thrift_expect_struct(r, &f, err));
            DN_TRY(read_column_meta(r, c, err));
        } else {
            c->in_other_file = c->in_other_file || f.id == DN_PQ_CHUNK_FILE_PATH;
            c->is_encrypted = c->is_encrypted || f.id == DN_PQ_CHUNK_CRYPTO;
            DN_TRY(dn_thrift_skip(r, &f, err));
        }
    }
}

static enum dn_status read_chunks(struct dn_thrift_reader *r, const struct dn_thrift_field *f,
                                  struct dn_pq_file_info *file, struct dn_pq_group_info *g,
                                  struct dn_error *err)
{
    uint32_t n = 0;

    DN_TRY(dn_thrift_read_list(r, f, DN_THRIFT_STRUCT, MIN_CHUNK_BYTES, &n, err));
    g->chunks = dn_arena_alloc(&file->arena, n * sizeof(*g->chunks));
    if (g->chunks == NULL) {
        return dn_error_memory(err, n * sizeof(*g->chunks));
    }
    g->n_chunks = n;
    for (uint32_t i = 0; i < n; i++) {
        DN_TRY(read_chunk(r, &g->chunks[i], err));
    }
    return DN_OK;
}

static enum dn_status read_group(struct dn_thrift_reader *r, struct dn_pq_file_info *file,
                                 struct dn_pq_group_info *g, struct dn_error *err)
{
    struct dn_thrift_field f;

    g->n_rows = -1;
    DN_TRY(dn_thrift_begin(r, &f, err));
    for (;;) {
        DN_TRY(dn_thrift_next(r, &f, err));
        if (f.type == DN_THRIFT_STOP) {
            return DN_OK;
        }
        if (f.id == DN_PQ_ROW_GROUP_COLUMNS) {
            DN_TRY(read_chunks(r, &f, file, g, err));
        } else if (f.id == DN_PQ_ROW_GROUP_NUM_ROWS) {
            DN_TRY(dn_thrift_read_i64(r, &f, &g->n_rows, err));
        } else {
            DN_TRY(dn_thrift_skip(r, &f, err));
        }
    }
}

static enum dn_status read_groups(struct dn_thrift_reader *r, const struct dn_thrift_field *f,
                                  struct dn_pq_file_info *file, struct dn_error *err)
{
    uint32_t n = 0;

    DN_TRY(dn_thrift_read_list(r, f, DN_THRIFT_STRUCT, MIN_GROUP_BYTES, &n, err));
    file->groups = dn_arena_alloc(&file->arena, n * sizeof(*file->groups));
    if (file->groups == NULL) {
        return dn_error_memory(err, n * sizeof(*file->groups));
    }
    file->n_groups = n;
    for (uint32_t i = 0; i < n; i++) {
        DN_TRY(read_group(r, file, &file->groups[i], err));
    }
    return DN_OK;
}

static enum dn_status read_elements(struct dn_thrift_reader *r, const struct dn_thrift_field *f,
                                    struct dn_pq_file_info *file, struct dn_error *err)
{
    uint32_t n = 0;

    DN_TRY(dn_thrift_read_list(r, f, DN_THRIFT_STRUCT, MIN_ELEMENT_BYTES, &n, err));
    if (n > DN_PQ_MAX_ELEMENTS) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED,
                            "the schema has %" PRIu32 " elements; at most %" PRIu32 " are read", n,
                            DN_PQ_MAX_ELEMENTS);
    }
    file->elements = dn_arena_alloc(&file->arena, n * sizeof(*file->elements));
    if (file->elements == NULL) {
        return dn_error_memory(err, n * sizeof(*file->elements));
    }
    file->n_elements = n;
    for (uint32_t i = 0; i < n; i++) {
        DN_TRY(dn_pq_element_read(r, &file->elements[i], err));
    }
    return DN_OK;
}

static enum dn_status read_pair(struct dn_thrift_reader *r, struct dn_pq_pair *out,
                                struct dn_error *err)
{
    static const struct dn_span empty = {(const uint8_t *)"", 0};
    struct dn_thrift_field f;

    *out = (struct dn_pq_pair){empty, empty};
    DN_TRY(dn_thrift_begin(r, &f, err));
    for (;;) {
        DN_TRY(dn_thrift_next(r, &f, err));
        if (f.type == DN_THRIFT_STOP) {
            return DN_OK;
        }
        if (f.id == DN_PQ_KEY_VALUE_KEY) {
            DN_TRY(dn_thrift_read_binary(r, &f, &out->key, err));
        } else if (f.id == DN_PQ_KEY_VALUE_VALUE) {
            DN_TRY(dn_thrift_read_binary(r, &f, &out->value, err));
        } else {
            DN_TRY(dn_thrift_skip(r, &f, err));
        }
    }
}

static enum dn_status read_pairs(struct dn_thrift_reader *r, const struct dn_thrift_field *f,
                                 struct dn_pq_file_info *file, struct dn_error *err)
{
    uint32_t n = 0;

    DN_TRY(dn_thrift_read_list(r, f, DN_THRIFT_STRUCT, MIN_PAIR_BYTES, &n, err));
    file->pairs = dn_arena_alloc(&file->arena, ((size_t)n + 1) * sizeof(*file->pairs));
    if (file->pairs == NULL) {
        return dn_error_memory(err, n * sizeof(*file->pairs));
    }
    file->n_pairs = n;
    for (uint32_t i = 0; i < n; i++) {
        DN_TRY(read_pair(r, &file->pairs[i], err));
    }
    return DN_OK;
}

static enum dn_status parse_footer(struct dn_pq_file_info *file, struct dn_error *err)
{
    struct dn_thrift_reader r;
    struct dn_thrift_field f;

    dn_thrift_reader_init(&r, dn_buffer_span(&file->footer), file->footer_offset, "the footer");
    file->n_rows = -1;
    DN_TRY(dn_thrift_begin(&r, &f, err));
    for (;;) {
        DN_TRY(dn_thrift_next(&r, &f, err));
        if (f.type == DN_THRIFT_STOP) {
            return DN_OK;
        }
        switch (f.id) {
        case DN_PQ_FILE_SCHEMA:
            DN_TRY(read_elements(&r, &f, file, err));
            break;
        case DN_PQ_FILE_NUM_ROWS:
            DN_TRY(dn_thrift_read_i64(&r, &f, &file->n_rows, err));
            break;
        case DN_PQ_FILE_ROW_GROUPS:
            DN_TRY(read_groups(&r, &f, file, err));
            break;
        case DN_PQ_FILE_KEY_VALUES:
            DN_TRY(read_pairs(&r, &f, file, err));
            break;
        case DN_PQ_FILE_CREATED_BY:
            DN_TRY(dn_thrift_read_binary(&r, &f, &file->created_by, err));
            break;
        default:
            DN_TRY(dn_thrift_skip(&r, &f, err));
            break;
        }
    }
}

/* ---- checks ---------------------------------------------------------------------------------------------------- */

static int64_t next_number(struct dn_span *text)
{
    int64_t n = 0;

    while (text->len > 0 && text->data[0] >= '0' && text->data[0] <= '9' && n < INT32_MAX) {
        n = n * 10 + (text->data[0] - '0');
        text->data++;
        text->len--;
    }
    if (text->len > 0 && text->data[0] == '.') {
        text->data++;
        text->len--;
    }
    return n;
}

/* parquet-mr before 1.2.9, or one that does not say its version, left the header of a dictionary page out of the size of a chunk. */
static bool forgets_headers(const struct dn_pq_file_info *file)
{
    static const char name[] = "parquet-mr";
    static const char word[] = " version ";
    struct dn_span by = file->created_by;

    if (by.len < sizeof(name) - 1 || memcmp(by.data, name, sizeof(name) - 1) != 0) {
        return false;
    }
    by.data += sizeof(name) - 1;
    by.len -= sizeof(name) - 1;
    if (by.len < sizeof(word) - 1 || memcmp(by.data, word, sizeof(word) - 1) != 0) {
        return by.len == 0;
    }
    by.data += sizeof(word) - 1;
    by.len -= sizeof(word) - 1;
    const int64_t major = next_number(&by);
    const int64_t minor = next_number(&by);
    const int64_t patch = next_number(&by);
    return major < 1 || (major == 1 && (minor < 2 || (minor == 2 && patch < 9)));
}

static enum dn_status check_range(const struct dn_pq_file_info *file, struct dn_pq_chunk_info *c,
                                  struct dn_error *err)
{
    int64_t start = c->data_page_offset;
    const int64_t limit = (int64_t)file->footer_offset;

    if (c->dictionary_page_offset > 0 && c->dictionary_page_offset < start) {
        start = c->dictionary_page_offset;
    }
    if (start < DN_PQ_MAGIC_LEN || c->data_page_offset >= limit ||
        c->compressed_bytes > limit - start) {
        return dn_error_set(err, DN_ERR_DATA,
                            "the footer is damaged: its pages are said to be at byte %" PRId64
                            ", %" PRId64 " bytes long, but pages lie between bytes %d and %" PRId64,
                            start, c->compressed_bytes, DN_PQ_MAGIC_LEN, limit);
    }
    if (forgets_headers(file)) {
        const int64_t left = limit - start - c->compressed_bytes;
        c->slack_bytes = left < MOST_FORGOTTEN_BYTES ? left : MOST_FORGOTTEN_BYTES;
    }
    return DN_OK;
}

static enum dn_status check_chunk(const struct dn_pq_file_info *file, const struct dn_pq_leaf *leaf,
                                  struct dn_pq_chunk_info *c, struct dn_error *err)
{
    if (!c->has_meta) {
        return DN_OK; /* encrypted; there is nothing to check */
    }
    if (c->type != leaf->element->type) {
        return dn_error_set(err, DN_ERR_DATA,
                            "the footer is damaged: physical type %" PRId32 " is not %" PRId32
                            " as in the schema",
                            c->type, leaf->element->type);
    }
    if (c->n_values < 0 || c->uncompressed_bytes < 0 || c->compressed_bytes < 0 ||
        c->dictionary_page_offset < 0 || c->codec < 0) {
        return dn_error_set(err, DN_ERR_DATA,
                            "the footer is damaged: a count is missing or negative (values %" PRId64
                            ", bytes %" PRId64 " and %" PRId64 ", dictionary at %" PRId64
                            ", codec %" PRId32 ")",
                            c->n_values, c->compressed_bytes, c->uncompressed_bytes,
                            c->dictionary_page_offset, c->codec);
    }
    if (c->null_count > c->n_values) {
        return dn_error_set(err, DN_ERR_DATA,
                            "the footer is damaged: %" PRId64 " nulls in %" PRId64 " values",
                            c->null_count, c->n_values);
    }
    if (c->in_other_file || c->is_encrypted || c->n_values == 0) {
        return DN_OK; /* nothing is read; some writers give empty chunks offset 0 */
    }
    return check_range(file, c, err);
}

static enum dn_status check_group(const struct dn_pq_file_info *file, struct dn_pq_group_info *g,
                                  struct dn_error *err)
{
    if (g->n_rows < 0 || g->n_chunks != file->n_leaves) {
        return dn_error_set(err, DN_ERR_DATA,
                            "the footer is damaged: %" PRIu32 " columns of %" PRId64
                            " rows, and the schema has %" PRIu32 " columns",
                            g->n_chunks, g->n_rows, file->n_leaves);
    }
    for (uint32_t i = 0; i < g->n_chunks; i++) {
        struct dn_pq_chunk_info *c = &g->chunks[i];
        enum dn_status st = check_chunk(file, &file->leaves[i], c, err);
        if (st != DN_OK) {
            dn_error_locate(err, NULL, -1, -1, -1, file->leaves[i].path);
            return dn_error_prefix(err, st, "column \"%.100s\": ", file->leaves[i].path);
        }
        if (c->has_meta && __builtin_add_overflow(g->bytes, c->compressed_bytes, &g->bytes)) {
            return dn_error_set(err, DN_ERR_DATA,
                                "the footer is damaged: its columns take more than 2^63 bytes");
        }
    }
    return DN_OK;
}

static enum dn_status check_groups(const struct dn_pq_file_info *file, struct dn_error *err)
{
    int64_t n_rows = 0;

    for (uint32_t i = 0; i < file->n_groups; i++) {
        enum dn_status st = check_group(file, &file->groups[i], err);
        if (st != DN_OK) {
            return dn_error_prefix(err, st, "row group %" PRIu32 ": ", i);
        }
        file->groups[i].first_row = n_rows;
        if (__builtin_add_overflow(n_rows, file->groups[i].n_rows, &n_rows)) {
            return dn_error_set(err, DN_ERR_DATA,
                                "the footer is damaged: its row groups have more than 2^63 rows");
        }
    }
    if (n_rows != file->n_rows) {
        return dn_error_set(err, DN_ERR_DATA,
                            "the footer is damaged: it says %" PRId64
                            " rows, and its row groups have %" PRId64,
                            file->n_rows, n_rows);
    }
    return DN_OK;
}

/* ---- finding the footer ---------------------------------------------------------------------------------------- */

static enum dn_status fail_magic(const struct dn_buffer *head, struct dn_error *err)
{
    char shown[DN_ESCAPED_VALUE_SIZE];

    if (head->len == 0) {
        return dn_error_set(err, DN_ERR_DATA, "the file is empty, so it is not a Parquet file");
    }
    return dn_error_set(err, DN_ERR_DATA,
                        "this is not a Parquet file: it begins with %s, not with '%s'",
                        dn_error_escape_value(shown, head->data, head->len), DN_PQ_MAGIC);
}

static enum dn_status read_tail(struct dn_pq_file_info *file, struct dn_source *source,
                                struct dn_buffer *tail, struct dn_error *err)
{
    const uint64_t size = file->size_bytes;
    char shown[DN_ESCAPED_VALUE_SIZE];
    uint32_t len = 0;

    if (size < DN_PQ_MAGIC_LEN + TAIL_LEN) {
        return dn_error_set(err, DN_ERR_DATA,
                            "the file is cut off: %" PRIu64 " bytes cannot hold a Parquet footer",
                            size);
    }
    DN_TRY(dn_pq_read_at(source, size - TAIL_LEN, TAIL_LEN, tail, err));
    const uint8_t *t = tail->data;
    if (memcmp(t + 4, "PARE", DN_PQ_MAGIC_LEN) == 0) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED,
                            "the footer is encrypted ('PARE'), which is not supported");
    }
    if (memcmp(t + 4, DN_PQ_MAGIC, DN_PQ_MAGIC_LEN) != 0) {
        return dn_error_set(err, DN_ERR_DATA,
                            "the file is cut off or still being written: it begins as a Parquet "
                            "file but ends with %s, not with '%s'",
                            dn_error_escape_value(shown, t + 4, DN_PQ_MAGIC_LEN), DN_PQ_MAGIC);
    }
    len = (uint32_t)t[0] | (uint32_t)t[1] << 8 | (uint32_t)t[2] << 16 | (uint32_t)t[3] << 24;
    if (len == 0 || len > size - DN_PQ_MAGIC_LEN - TAIL_LEN) {
        return dn_error_set(err, DN_ERR_DATA,
                            "the file is damaged: its footer is said to have %" PRIu32
                            " bytes, and the file has %" PRIu64,
                            len, size);
    }
    if (len > DN_PQ_MAX_FOOTER) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED,
                            "the footer has %" PRIu32 " bytes; at most %" PRIu32 " are read", len,
                            DN_PQ_MAX_FOOTER);
    }
    file->footer_offset = size - TAIL_LEN - len;
    return dn_pq_read_at(source, file->footer_offset, len, &file->footer, err);
}

enum dn_status dn_pq_file_read(struct dn_pq_file_info *file, struct dn_source *source,
                               struct dn_error *err)
{
    struct dn_buffer edge = {0};
    enum dn_status st = DN_OK;
    const int64_t size = dn_source_size(source);

    if (size < 0) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED,
                            "a Parquet file is read from its end, which a pipe, or a web server "
                            "that gives no ranges, does not allow; save it to a file first");
    }
    file->size_bytes = (uint64_t)size;
    DN_TRY_GOTO(st, dn_pq_read_at(source, 0, size < 16 ? (size_t)size : 16, &edge, err), cleanup);
    if (edge.len >= DN_PQ_MAGIC_LEN && memcmp(edge.data, "PARE", DN_PQ_MAGIC_LEN) == 0) {
        st = dn_error_set(err, DN_ERR_UNSUPPORTED,
                          "the file is encrypted ('PARE'), which is not supported");
        goto cleanup;
    }
    if (edge.len < DN_PQ_MAGIC_LEN || memcmp(edge.data, DN_PQ_MAGIC, DN_PQ_MAGIC_LEN) != 0) {
        st = fail_magic(&edge, err);
        goto cleanup;
    }
    dn_buffer_reset(&edge);
    DN_TRY_GOTO(st, read_tail(file, source, &edge, err), cleanup);
    DN_TRY_GOTO(st, parse_footer(file, err), cleanup);
    DN_TRY_GOTO(st, dn_pq_leaves_find(file, err), cleanup);
    DN_TRY_GOTO(st, check_groups(file, err), cleanup);
    DN_TRY_GOTO(st, dn_pq_origin_find(file, err), cleanup);
cleanup:
    dn_buffer_finish(&edge);
    if (st != DN_OK) {
        dn_pq_file_finish(file);
    }
    return st;
}

void dn_pq_file_be_strict(struct dn_pq_file_info *file)
{
    for (uint32_t i = 0; i < file->n_leaves; i++) {
        file->leaves[i].strict = true;
        file->leaves[i].is_said = false;
    }
}

void dn_pq_file_finish(struct dn_pq_file_info *file)
{
    if (file->origin.release != NULL) {
        file->origin.release(&file->origin);
    }
    dn_buffer_finish(&file->footer);
    dn_arena_finish(&file->arena);
    *file = (struct dn_pq_file_info){0};
}
