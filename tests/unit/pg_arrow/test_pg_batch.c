/* Blocks of a binary COPY as Arrow batches, without a server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arrow/batch.h"
#include "base/memory.h"
#include "pg_arrow/batch.h"
#include "pg_arrow/convert.h"

#include <stdio.h>

/* ---- a stream ----------------------------------------------------------------------------------------------------- */

static void put(struct dn_buffer *b, const void *data, size_t len)
{
    assert_int_equal(dn_buffer_append(b, data, len, NULL), DN_OK);
}

static void put16(struct dn_buffer *b, int v)
{
    const uint8_t bytes[2] = {(uint8_t)(v >> 8), (uint8_t)v};
    put(b, bytes, 2);
}

static void put32(struct dn_buffer *b, int64_t v)
{
    const uint8_t bytes[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8),
                              (uint8_t)v};
    put(b, bytes, 4);
}

static void begin(struct dn_buffer *b)
{
    put(b, "PGCOPY\n\377\r\n\0", 11);
    put32(b, 0);
    put32(b, 0);
}

static void cell(struct dn_buffer *b, const void *data, size_t len)
{
    put32(b, (int64_t)len);
    put(b, data, len);
}

static void null(struct dn_buffer *b)
{
    put32(b, -1);
}

static void cell_int32(struct dn_buffer *b, int32_t v)
{
    put32(b, 4);
    put32(b, v);
}

/* 1234.5 */
static void cell_numeric(struct dn_buffer *b, int sign)
{
    put32(b, 12);
    put16(b, 2);
    put16(b, 0);
    put16(b, sign);
    put16(b, 1);
    put16(b, 1234);
    put16(b, 5000);
}

static void cell_special(struct dn_buffer *b, int sign)
{
    put32(b, 8);
    put16(b, 0);
    put16(b, 0);
    put16(b, sign);
    put16(b, 0);
}

static void to_block(struct dn_pg_block *block, struct dn_buffer *stream, uint32_t n_columns)
{
    struct dn_pg_cutter cutter = {.n_columns = n_columns};

    put16(stream, -1);
    dn_pg_block_init(block, n_columns, 0);
    assert_int_equal(dn_pg_cutter_feed(&cutter, block, stream->data, stream->len, NULL), DN_OK);
    assert_int_equal(dn_pg_cutter_end(&cutter, NULL), DN_OK);
    dn_buffer_finish(stream);
}

/* ---- what is made of it ------------------------------------------------------------------------------------------- */

enum {
    ID,
    NAME,
    TOTAL,
    TEXT_OF_NUMERIC,
    N_COLUMNS
};

static const char long_text[] = "a text of more than twelve bytes";

static const struct dn_pg_field fields[N_COLUMNS] = {
    {.name = "id",
     .type_name = "integer",
     .typmod = -1,
     .kind = DN_PG_KIND_INT32,
     .not_null = true},
    {.name = "name", .type_name = "text", .typmod = -1, .kind = DN_PG_KIND_TEXT},
    {.name = "total",
     .type_name = "numeric(7,2)",
     .typmod = (7 << 16 | 2) + 4,
     .kind = DN_PG_KIND_NUMERIC},
    {.name = "n", .type_name = "numeric", .typmod = -1, .kind = DN_PG_KIND_NUMERIC},
};

static void choose(struct dn_pg_target targets[N_COLUMNS], bool specials_are_null)
{
    const struct dn_pg_choices choices = {.numeric = DN_PG_NUMERIC_TEXT,
                                          .specials_are_null = specials_are_null};

    for (size_t i = 0; i < N_COLUMNS; i++) {
        targets[i] = dn_pg_target_of(&fields[i], NULL, NULL, &choices);
    }
}

/* More rows than a tile has, every third with nulls. */
static void make_block(struct dn_pg_block *block, int n_rows)
{
    struct dn_buffer stream = {0};

    begin(&stream);
    for (int i = 0; i < n_rows; i++) {
        put16(&stream, N_COLUMNS);
        cell_int32(&stream, i - 5);
        if (i % 3 == 0) {
            null(&stream);
            null(&stream);
            cell_special(&stream, 0xC000);
        } else {
            cell(&stream, long_text, i % 3 == 1 ? sizeof(long_text) - 1 : 3);
            cell_numeric(&stream, i % 3 == 1 ? 0 : 0x4000);
            cell_numeric(&stream, 0);
        }
    }
    to_block(block, &stream, N_COLUMNS);
}

static void check_batch(struct ArrowArray *batch, const struct dn_pg_target *targets, int n_rows)
{
    struct dn_column_view c[N_COLUMNS];

    assert_int_equal(batch->length, n_rows);
    for (int64_t i = 0; i < N_COLUMNS; i++) {
        const struct dn_field f = {targets[i].name, targets[i].type, targets[i].nullable};
        assert_int_equal(dn_batch_get_column(batch, i, &f, &c[i], NULL), DN_OK);
        assert_int_equal(dn_column_bad_view(&c[i]), -1);
    }
    for (int64_t i = 0; i < n_rows; i++) {
        size_t len = 0;
        int64_t total = 0;
        assert_int_equal(((const int32_t *)c[ID].values)[i], i - 5);
        assert_int_equal(dn_column_is_valid(&c[NAME], i), i % 3 != 0);
        assert_int_equal(dn_column_is_valid(&c[TOTAL], i), i % 3 != 0);
        const uint8_t *text = dn_column_text(&c[TEXT_OF_NUMERIC], i, &len);
        assert_int_equal(len, i % 3 == 0 ? 3 : 6);
        assert_memory_equal(text, i % 3 == 0 ? "NaN" : "1234.5", len);
        if (i % 3 != 0) {
            text = dn_column_text(&c[NAME], i, &len);
            assert_int_equal(len, i % 3 == 1 ? sizeof(long_text) - 1 : 3);
            assert_memory_equal(text, long_text, len);
            memcpy(&total, (const uint8_t *)c[TOTAL].values + 16 * i, sizeof(total));
            assert_int_equal(total, i % 3 == 1 ? 123450 : -123450);
        }
    }
}

static void a_block_becomes_a_batch(void **state)
{
    const struct dn_pg_batch_place place = {"public.t", 100};
    struct dn_pg_target targets[N_COLUMNS];
    uint64_t n_made[N_COLUMNS] = {0};
    struct dn_pg_block block;
    struct ArrowArray batch;

    (void)state;
    choose(targets, false);
    make_block(&block, 1300);
    assert_int_equal(dn_pg_batch_make(&batch, &block, targets, n_made, &place, NULL), DN_OK);
    assert_null(block.bytes.data);
    check_batch(&batch, targets, 1300);
    batch.release(&batch);
    assert_int_equal(n_made[NAME] + n_made[TOTAL], 0);
}

/* Each allocation in turn. */
static void memory_may_run_out(void **state)
{
    const struct dn_pg_batch_place place = {"public.t", 0};
    struct dn_pg_target targets[N_COLUMNS];
    uint64_t n_made[N_COLUMNS] = {0};
    enum dn_status st = DN_ERR_MEMORY;
    uint64_t n = 1;

    (void)state;
    choose(targets, false);
    for (; st == DN_ERR_MEMORY; n++) {
        struct dn_pg_block block;
        struct ArrowArray batch;
        make_block(&block, 40);
        (void)dn_memory_fail_at(n);
        st = dn_pg_batch_make(&batch, &block, targets, n_made, &place, NULL);
        (void)dn_memory_fail_at(0);
        dn_pg_block_finish(&block);
        if (st == DN_OK) {
            check_batch(&batch, targets, 40);
            batch.release(&batch);
        } else {
            assert_null(batch.release);
        }
    }
    assert_int_equal(st, DN_OK);
    assert_true(n > 5);
}

/* ---- what is wrong ------------------------------------------------------------------------------------------------ */

static enum dn_status make_one(const struct dn_pg_target *targets, struct dn_buffer *stream,
                               uint64_t *n_made, struct ArrowArray *batch, struct dn_error *err)
{
    const struct dn_pg_batch_place place = {"public.t", 10};
    struct dn_pg_block block;

    to_block(&block, stream, 1);
    const enum dn_status st = dn_pg_batch_make(batch, &block, targets, n_made, &place, err);
    dn_pg_block_finish(&block);
    return st;
}

static void the_first_bad_row_is_told(void **state)
{
    struct dn_pg_target targets[N_COLUMNS];
    struct dn_buffer stream = {0};
    struct ArrowArray batch;
    struct dn_error err;
    uint64_t n_made = 0;

    (void)state;
    choose(targets, false);
    begin(&stream);
    put16(&stream, 1);
    cell_numeric(&stream, 0);
    put16(&stream, 1);
    cell_special(&stream, 0xC000);
    assert_int_equal(make_one(&targets[TOTAL], &stream, &n_made, &batch, &err), DN_ERR_DATA);
    assert_int_equal(err.row, 12);
    assert_string_equal(err.column, "total");
    assert_string_equal(err.path, "public.t");
    assert_non_null(strstr(err.message, "is NaN"));
    assert_null(batch.release);

    begin(&stream);
    put16(&stream, 1);
    null(&stream);
    assert_int_equal(make_one(&targets[ID], &stream, &n_made, &batch, &err), DN_ERR_DATA);
    assert_int_equal(err.row, 11);
    assert_non_null(strstr(err.message, "required"));

    begin(&stream);
    put16(&stream, 1);
    cell(&stream, "\xff\xfe", 2);
    assert_int_equal(make_one(&targets[NAME], &stream, &n_made, &batch, &err), DN_ERR_DATA);
    assert_non_null(strstr(err.message, "is not UTF-8"));
}

static void specials_become_nulls(void **state)
{
    struct dn_pg_target targets[N_COLUMNS];
    struct dn_buffer stream = {0};
    struct ArrowArray batch;
    uint64_t n_made = 0;

    (void)state;
    choose(targets, true);
    begin(&stream);
    put16(&stream, 1);
    cell_special(&stream, 0xD000);
    put16(&stream, 1);
    null(&stream);
    assert_int_equal(make_one(&targets[TOTAL], &stream, &n_made, &batch, NULL), DN_OK);
    assert_int_equal(batch.children[0]->null_count, 2);
    assert_int_equal(n_made, 1);
    batch.release(&batch);
}

/* ---- lists -------------------------------------------------------------------------------------------------------- */

/* int4[] of n elements i, the middle one null. */
static void cell_array(struct dn_buffer *b, int n_dimensions, int n)
{
    put32(b, 12 + 8 * n_dimensions + 8 * n - (n > 2 ? 4 : 0));
    put32(b, n_dimensions);
    put32(b, n > 2);
    put32(b, 23);
    for (int i = 0; i < n_dimensions; i++) {
        put32(b, i == 0 ? n : 1);
        put32(b, 1);
    }
    for (int i = 0; i < n; i++) {
        if (n > 2 && i == n / 2) {
            null(b);
        } else {
            cell_int32(b, i);
        }
    }
}

static enum dn_status make_lists(struct dn_buffer *stream, struct ArrowArray *batch,
                                 struct dn_error *err)
{
    static const struct dn_pg_field f = {.name = "a",
                                         .type_name = "integer[]",
                                         .typmod = -1,
                                         .kind = DN_PG_KIND_INT32,
                                         .is_array = true};
    const struct dn_pg_choices choices = {0};
    const struct dn_pg_target item = dn_pg_target_of(&f, NULL, NULL, &choices);
    const struct dn_pg_target list = dn_pg_target_of_array(&f, &item);
    uint64_t n_made = 0;

    return make_one(&list, stream, &n_made, batch, err);
}

static void arrays_become_lists(void **state)
{
    struct dn_buffer stream = {0};
    struct ArrowArray batch;
    struct dn_error err;

    (void)state;
    begin(&stream);
    for (int i = 0; i < 1000; i++) {
        put16(&stream, 1);
        if (i % 5 == 4) {
            null(&stream);
        } else {
            cell_array(&stream, i % 5 == 0 ? 0 : 1, i % 5);
        }
    }
    assert_int_equal(make_lists(&stream, &batch, &err), DN_OK);
    const struct ArrowArray *list = batch.children[0];
    const struct ArrowArray *items = list->children[0];
    const int32_t *offsets = list->buffers[1];
    const int32_t *values = items->buffers[1];
    assert_int_equal(list->null_count, 200);
    assert_int_equal(items->length, 1200);
    assert_int_equal(items->null_count, 200);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(offsets[i + 1] - offsets[i], i % 5 == 4 ? 0 : i % 5);
        assert_int_equal(dn_bit_get(list->buffers[0], i), i % 5 != 4);
        for (int32_t j = offsets[i]; j < offsets[i + 1]; j++) {
            const bool is_null = i % 5 == 3 && j - offsets[i] == 1;
            assert_int_equal(dn_bit_get(items->buffers[0], j), !is_null);
            assert_int_equal(values[j], is_null ? 0 : j - offsets[i]);
        }
    }
    batch.release(&batch);
}

static void arrays_that_are_no_lists(void **state)
{
    struct dn_buffer stream = {0};
    struct ArrowArray batch;
    struct dn_error err;

    (void)state;
    begin(&stream);
    put16(&stream, 1);
    cell_array(&stream, 2, 2);
    assert_int_equal(make_lists(&stream, &batch, &err), DN_ERR_DATA);
    assert_non_null(strstr(err.message, "several dimensions"));
    assert_int_equal(err.row, 11);

    begin(&stream);
    put16(&stream, 1);
    cell(&stream, "\0\0\0\1\0\0\0\0\0\0\0\x17\0\0\0\1\0\0\0\1\0\0\0\2\7\7", 26);
    assert_int_equal(make_lists(&stream, &batch, &err), DN_ERR_DATA);
    assert_non_null(strstr(err.message, "has not the length"));

    begin(&stream);
    put16(&stream, 1);
    cell(&stream, "\0\0\0\1\0\0\0\0\0\0\0\x17\x7f\0\0\1\0\0\0\1", 20);
    assert_int_equal(make_lists(&stream, &batch, &err), DN_ERR_DATA);
}

/* ---- types -------------------------------------------------------------------------------------------------------- */

static void check_numeric(int32_t typmod, const struct dn_pg_digits *digits, const char *expected)
{
    const struct dn_pg_field f = {.name = "n", .typmod = typmod, .kind = DN_PG_KIND_NUMERIC};
    const struct dn_pg_choices choices = {0};
    const struct dn_pg_target t = dn_pg_target_of(&f, digits, NULL, &choices);

    assert_string_equal(DN_TYPE_TEXT(t.type), expected);
}

static void numerics_are_decimals_of_their_digits(void **state)
{
    (void)state;
    check_numeric((12 << 16 | 2) + 4, NULL, "decimal(12, 2)");
    check_numeric((76 << 16 | 30) + 4, NULL, "decimal(76, 30)");
    check_numeric((77 << 16 | 30) + 4, NULL, "string");
    check_numeric((3 << 16 | 6) + 4, NULL, "decimal(6, 6)");
    check_numeric((2 << 16 | (-3 & 0x7FF)) + 4, NULL, "decimal(5, 0)");
    check_numeric(-1, NULL, "decimal(1, 0)");
    check_numeric(-1, &(struct dn_pg_digits){true, 10, 5, 3, 0}, "decimal(15, 5)");
    check_numeric(-1, &(struct dn_pg_digits){true, 0, 0, 3, 0}, "decimal(1, 0)");
    check_numeric(-1, &(struct dn_pg_digits){true, 70, 7, 3, 0}, "string");
    check_numeric(-1, &(struct dn_pg_digits){true, 131072, 16383, 3, 0}, "string");
    check_numeric(-1, &(struct dn_pg_digits){true, 1, 1, 3, 1}, "string");
}

static void check_conversion(enum dn_pg_kind from, int32_t typmod, const char *type,
                             enum dn_pg_conversion expected, const char *cast)
{
    struct dn_pg_field f = {.name = "c", .typmod = typmod, .kind = from};
    struct dn_type wanted;

    assert_true(dn_type_parse(type, &wanted));
    assert_int_equal(dn_pg_field_convert(&f, &wanted), expected);
    if (cast == NULL) {
        assert_null(f.cast_to);
    } else {
        assert_string_equal(f.cast_to, cast);
    }
}

static void columns_are_read_as_other_types(void **state)
{
    (void)state;
    check_conversion(DN_PG_KIND_INT32, -1, "int64", DN_PG_CONVERTED, "pg_catalog.int8");
    check_conversion(DN_PG_KIND_INT32, -1, "int32", DN_PG_CONVERTED, NULL);
    check_conversion(DN_PG_KIND_INT64, -1, "float64", DN_PG_ROUNDED, "pg_catalog.float8");
    check_conversion(DN_PG_KIND_NUMERIC, -1, "float64", DN_PG_ROUNDED, NULL);
    check_conversion(DN_PG_KIND_NUMERIC, (5 << 16) + 4, "int64", DN_PG_CONVERTED,
                     "pg_catalog.int8");
    check_conversion(DN_PG_KIND_NUMERIC, (5 << 16 | 1) + 4, "int64", DN_PG_NOT_CONVERTED, NULL);
    check_conversion(DN_PG_KIND_NUMERIC, -1, "int64", DN_PG_NOT_CONVERTED, NULL);
    check_conversion(DN_PG_KIND_TIMESTAMPTZ, -1, "timestamp", DN_PG_IN_UTC, "pg_catalog.timestamp");
    check_conversion(DN_PG_KIND_TIMESTAMP, -1, "timestamptz", DN_PG_NOT_CONVERTED, NULL);
    check_conversion(DN_PG_KIND_TIMESTAMP, -1, "date", DN_PG_NOT_CONVERTED, NULL);
    check_conversion(DN_PG_KIND_TEXT, -1, "uuid", DN_PG_CONVERTED, "pg_catalog.uuid");
    check_conversion(DN_PG_KIND_BYTES, -1, "string", DN_PG_NOT_CONVERTED, NULL);
    check_conversion(DN_PG_KIND_INT32, -1, "uint64", DN_PG_NOT_CONVERTED, NULL);
    check_conversion(DN_PG_KIND_TIMESTAMP, -1, "timestamp[ns]", DN_PG_NOT_CONVERTED, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_becomes_a_batch),
        cmocka_unit_test(memory_may_run_out),
        cmocka_unit_test(the_first_bad_row_is_told),
        cmocka_unit_test(specials_become_nulls),
        cmocka_unit_test(arrays_become_lists),
        cmocka_unit_test(arrays_that_are_no_lists),
        cmocka_unit_test(numerics_are_decimals_of_their_digits),
        cmocka_unit_test(columns_are_read_as_other_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
