/** A finished Parquet file against the rows that went in: every cell, every page, every offset. */
#ifndef DN_TEST_PARQUET_WRITTEN_H
#define DN_TEST_PARQUET_WRITTEN_H

#include "parquet/read/column.h"
#include "parquet/read/page.h"
#include "parquet_rows.h"
#include "verified.h"

#include "store/source.h"

struct opened {
    struct dn_source *source;
    struct dn_pq_file_info info;
};

static inline void open_file(struct opened *f, const char *path)
{
    struct dn_error err = {0};

    memset(f, 0, sizeof *f);
    assert_int_equal(dn_source_open(&f->source, path, NULL, NULL, &err), DN_OK);
    if (dn_pq_file_read(&f->info, f->source, &err) != DN_OK) {
        fail_msg("%s", err.message);
    }
}

static inline void close_file(struct opened *f)
{
    dn_pq_file_finish(&f->info);
    dn_source_close(f->source);
}

static inline void check_cell(const struct rows_column *c, int64_t row, struct dn_span cell)
{
    switch (c->type.id) {
    case DN_TYPE_BOOL:
        assert_int_equal(cell.len, 1);
        assert_int_equal(cell.data[0], dn_bit_get(c->values, row));
        break;
    case DN_TYPE_UTF8:
    case DN_TYPE_LARGE_UTF8:
    case DN_TYPE_UTF8_VIEW:
        assert_int_equal(cell.len, c->lens[row]);
        if (cell.len > 0) {
            assert_memory_equal(cell.data, c->text + c->starts[row], cell.len);
        }
        break;
    default:
        assert_int_equal(cell.len, dn_type_width(c->type));
        assert_memory_equal(cell.data, (const uint8_t *)c->values + (size_t)row * cell.len,
                            cell.len);
        break;
    }
}

/* All cells, through the reader, which also verifies every checksum. */
static inline void check_cells(const struct opened *f, const struct rows *r)
{
    assert_int_equal(f->info.n_leaves, r->n_columns);
    assert_int_equal(f->info.n_rows, r->n_rows);
    for (int64_t i = 0; i < r->n_columns; i++) {
        const struct rows_column *c = &r->columns[i];
        struct dn_pq_cells cells;
        struct dn_error err = {0};
        size_t budget = (size_t)1 << 32;
        size_t k = 0;
        memset(&cells, 0, sizeof cells);
        assert_string_equal(f->info.leaves[i].path, c->name);
        if (dn_pq_cells_read(f->source, &f->info, (uint32_t)i, r->n_rows, &budget, &cells, &err) !=
            DN_OK) {
            fail_msg("%s: %s", c->name, err.message);
        }
        for (int64_t row = 0; row < r->n_rows; row++) {
            const bool valid = rows_valid(c, row);
            if (cells.defs.len > 0) {
                assert_int_equal(cells.defs.data[row], valid);
            } else {
                assert_true(valid);
            }
            if (valid) {
                check_cell(c, row, dn_pq_cells_get(&cells, k++));
            }
        }
        dn_pq_cells_finish(&cells);
    }
}

/* Walk the pages of one chunk: they follow each other without a gap, and add up to what the footer says. */
static inline void check_chunk(const struct opened *f, const struct dn_pq_chunk_info *c,
                               int64_t n_rows, uint64_t *offset, const struct dn_parquet_options *o)
{
    const uint64_t end = *offset + (uint64_t)c->compressed_bytes;
    int64_t n_values = 0;
    int64_t unpacked = 0;

    if (c->dictionary_page_offset != 0) {
        assert_int_equal(c->dictionary_page_offset, *offset);
        assert_true(c->data_page_offset > c->dictionary_page_offset);
    } else {
        assert_int_equal(c->data_page_offset, *offset);
    }
    while (*offset < end) {
        struct dn_pq_page_head head;
        struct dn_error err = {0};
        uint8_t bytes[256];
        bool ran_out;
        size_t got;
        const bool dictionary = (int64_t)*offset == c->dictionary_page_offset;
        assert_int_equal(dn_source_read_at(f->source, *offset, bytes, sizeof bytes, &got, &err),
                         DN_OK);
        assert_int_equal(
            dn_pq_page_header_read((struct dn_span){bytes, got}, *offset, &head, &ran_out, &err),
            DN_OK);
        assert_true(head.has_crc);
        assert_int_equal(head.type, dictionary ? DN_PQ_DICTIONARY_PAGE : DN_PQ_DATA_PAGE);
        if (dictionary) {
            assert_int_equal(head.encoding, DN_PQ_PLAIN);
        } else {
            assert_int_equal(head.encoding,
                             c->dictionary_page_offset != 0 ? DN_PQ_RLE_DICTIONARY : DN_PQ_PLAIN);
            assert_in_range(head.n_values, 1, o->page_rows);
            n_values += head.n_values;
        }
        unpacked += head.unpacked_len + (int64_t)head.header_len;
        *offset += head.header_len + (uint64_t)head.packed_len;
    }
    assert_int_equal(*offset, end);
    assert_int_equal(unpacked, c->uncompressed_bytes);
    assert_int_equal(n_values, n_rows);
    assert_int_equal(c->n_values, n_rows);
    assert_int_equal(c->encodings,
                     c->dictionary_page_offset != 0
                         ? (1U << DN_PQ_PLAIN | 1U << DN_PQ_RLE | 1U << DN_PQ_RLE_DICTIONARY)
                         : (1U << DN_PQ_PLAIN | 1U << DN_PQ_RLE));
}

static inline void check_layout(const struct opened *f, const struct rows *r,
                                const struct dn_parquet_options *o)
{
    uint64_t offset = DN_PQ_MAGIC_LEN;
    int64_t row = 0;

    for (uint32_t g = 0; g < f->info.n_groups; g++) {
        const struct dn_pq_group_info *group = &f->info.groups[g];
        assert_true(group->n_rows > 0);
        for (int64_t i = 0; i < r->n_columns; i++) {
            int64_t n_nulls = 0;
            for (int64_t j = row; j < row + group->n_rows; j++) {
                n_nulls += !rows_valid(&r->columns[i], j);
            }
            check_chunk(f, &group->chunks[i], group->n_rows, &offset, o);
            assert_int_equal(group->chunks[i].null_count, n_nulls);
            assert_int_equal(group->chunks[i].min.data != NULL, n_nulls < group->n_rows);
            assert_int_equal(group->chunks[i].max.data != NULL, n_nulls < group->n_rows);
        }
        row += group->n_rows;
    }
    assert_int_equal(offset, f->info.footer_offset);
    assert_int_equal(row, r->n_rows);
}

static inline void check_file(const char *path, const struct rows *r,
                              const struct dn_parquet_options *o)
{
    struct opened f;

    open_file(&f, path);
    check_cells(&f, r);
    check_layout(&f, r, o);
    close_file(&f);
    must_verify(path);
}

#endif
