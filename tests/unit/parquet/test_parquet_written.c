/*
 * Files that are read back before they count.  An encoder with a fault is played by a wrapper around dn_pq_encoder_append() (linked
 * with --wrap): it hands on other values than those that came in, so that statistics, checksums and counts of the file are all right.
 */
#include "arrow/digest.h"
#include "parquet/write/encoder.h"
#include "parquet/written.h"
#include "parquet_rows.h"

#define N_ROWS 5000

enum fault {
    NO_FAULT,
    OTHER_BIT,  /* of one value */
    NEIGHBOURS, /* two values change places */
    NULL_MOVED, /* with the value beside it */
    LAST_BYTE,  /* of a text */
    DAMAGED,    /* the bytes of a page */
    ANNOUNCED   /* more levels than the page has bytes of, with checksum and all */
};

static char dir[512];
static char path[600];
static _Atomic enum fault fault; /* the pool's threads look at it */
static const char *spoilt;       /* name of the column */
static int64_t spoilt_row = 2741;

enum dn_status __real_dn_pq_encoder_append(struct dn_pq_encoder *e,
                                           const struct dn_column_view *view, int64_t row,
                                           int64_t n, struct dn_error *err);
enum dn_status __wrap_dn_pq_encoder_append(struct dn_pq_encoder *e,
                                           const struct dn_column_view *view, int64_t row,
                                           int64_t n, struct dn_error *err);

static void swap_bits(uint8_t *bits, int64_t i, int64_t k)
{
    const bool at_i = dn_bit_get(bits, i);
    const bool at_k = dn_bit_get(bits, k);

    bits[i >> 3] = (uint8_t)((bits[i >> 3] & ~(1u << (i & 7))) | (unsigned)at_k << (i & 7));
    bits[k >> 3] = (uint8_t)((bits[k >> 3] & ~(1u << (k & 7))) | (unsigned)at_i << (k & 7));
}

static void spoil_values(uint8_t *values, size_t width, int64_t i)
{
    uint8_t kept[16];

    if (fault == OTHER_BIT) {
        values[(size_t)i * width] ^= 1;
    } else {
        memcpy(kept, values + (size_t)i * width, width);
        memmove(values + (size_t)i * width, values + (size_t)(i + 1) * width, width);
        memcpy(values + (size_t)(i + 1) * width, kept, width);
    }
}

/* In copies of the buffers, for the one column; row spoilt_row and the one behind it lie in [row, row + n). */
static void spoil(struct dn_column_view *v, uint8_t *validity, uint8_t *values, uint8_t *text)
{
    const size_t width = v->type.id == DN_TYPE_UTF8 ? 4 : dn_type_width(v->type);

    if (fault == NULL_MOVED) {
        memcpy(validity, v->validity, N_ROWS / 8 + 1);
        swap_bits(validity, spoilt_row, spoilt_row + 1);
        v->validity = validity;
    }
    if (fault == LAST_BYTE) {
        const int32_t *offsets = v->values;
        memcpy(text, v->bytes, (size_t)offsets[N_ROWS]);
        text[offsets[spoilt_row + 1] - 1] ^= 1;
        v->bytes = text;
        return;
    }
    memcpy(values, v->values, (size_t)N_ROWS * width);
    spoil_values(values, width, spoilt_row);
    v->values = values;
}

enum dn_status __wrap_dn_pq_encoder_append(struct dn_pq_encoder *e,
                                           const struct dn_column_view *view, int64_t row,
                                           int64_t n, struct dn_error *err)
{
    static uint8_t values[(N_ROWS + 1) * 16];
    static uint8_t text[N_ROWS * ROWS_TEXT_MAX];
    static uint8_t validity[N_ROWS / 8 + 1];
    struct dn_column_view other = *view;
    const int64_t first = view->offset + row;

    if (fault != NO_FAULT && fault < DAMAGED && strcmp(e->column->name, spoilt) == 0 &&
        first <= spoilt_row && spoilt_row + 1 < first + n) {
        spoil(&other, validity, values, text);
    }
    return __real_dn_pq_encoder_append(e, &other, row, n, err);
}

enum dn_status __real_dn_pq_page_pack(struct dn_pq_page *page, struct dn_pq_packer *p,
                                      struct dn_span *header, struct dn_span *data,
                                      struct dn_error *err);
enum dn_status __wrap_dn_pq_page_pack(struct dn_pq_page *page, struct dn_pq_packer *p,
                                      struct dn_span *header, struct dn_span *data,
                                      struct dn_error *err);

/* The last run of the levels in front of PLAIN values, which is a packed one, says one group of eight more. */
static void announce_more(uint8_t *body)
{
    const size_t end = 4 + ((size_t)body[0] | (size_t)body[1] << 8);
    size_t pos = 4;
    size_t last = 0;
    uint32_t head = 0;

    while (pos < end) {
        head = 0;
        last = pos;
        for (unsigned shift = 0; shift == 0 || (body[pos - 1] & 0x80) != 0; shift += 7) {
            head |= (uint32_t)(body[pos++] & 0x7f) << shift;
        }
        pos += (head & 1) != 0 ? head >> 1 : 1;
    }
    assert_int_equal(pos, end);
    assert_int_equal(head & 1, 1);
    assert_in_range(body[last] & 0x7f, 1, 0x7d);
    body[last] = (uint8_t)(body[last] + 2);
}

enum dn_status __wrap_dn_pq_page_pack(struct dn_pq_page *page, struct dn_pq_packer *p,
                                      struct dn_span *header, struct dn_span *data,
                                      struct dn_error *err)
{
    static const uint8_t nothing[1 << 16];

    if (fault == ANNOUNCED && strcmp(page->chunk->column->name, spoilt) == 0 &&
        page->encoding == DN_PQ_PLAIN && page->body.data != NULL &&
        atomic_exchange(&fault, NO_FAULT) == ANNOUNCED) { /* once */
        announce_more(page->body.data + page->body_start);
    }
    const enum dn_status st = __real_dn_pq_page_pack(page, p, header, data, err);

    if (st == DN_OK && fault == DAMAGED && strcmp(page->chunk->column->name, spoilt) == 0) {
        assert_in_range(data->len, 1, sizeof nothing);
        data->data = nothing; /* behind its checksum */
    }
    return st;
}

static int make_dir(void **state)
{
    (void)state;
    scratch_make(dir);
    (void)snprintf(path, sizeof path, "%s/a.parquet", dir);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    scratch_remove(dir);
    return 0;
}

static void expect_clean_folder(void)
{
    DIR *d = opendir(dir);
    const struct dirent *entry;

    assert_non_null(d);
    while ((entry = readdir(d)) != NULL) {
        assert_int_equal(entry->d_name[0], '.');
        assert_true(strlen(entry->d_name) <= 2);
    }
    (void)closedir(d);
}

/* Every type, pattern and codec, nulls or none, any cut and any number of threads. */
static void test_right_files_pass(void **state)
{
    static const char *const codecs[] = {"none", "snappy", "zstd"};
    struct dn_parquet_options o = {.struct_size = sizeof o, .verify = true, .overwrite = true};
    uint64_t seed = 11;

    (void)state;
    fault = NO_FAULT;
    for (unsigned i = 0; i < 12; i++) {
        struct dn_error err = {0};
        struct rows r;
        o.compression = codecs[i % 3];
        o.row_group_rows = 1 + (int64_t)(scratch_random(&seed) % 3000);
        o.page_rows = 1 + (int64_t)(scratch_random(&seed) % 500);
        o.n_threads = 1 + i % 3;
        o.memory_budget_bytes =
            i % 2 == 0 ? 0 : 1 << 20; /* of that, columns are read back a few at a time */
        rows_make(&r, N_ROWS, i % 4 * 33, false, seed);
        const int64_t cut = 1 + (int64_t)(scratch_random(&seed) % 2000);
        if (rows_write(&r, path, cut, &o, &err) != DN_OK) {
            fail_msg("%s", err.message);
        }
        rows_free(&r);
        assert_int_equal(remove(path), 0);
    }
}

static void refuse(enum fault which, const char *column, unsigned null_percent, uint64_t seed)
{
    const struct dn_parquet_options o = {.struct_size = sizeof o,
                                         .verify = true,
                                         .row_group_rows = 2000,
                                         .n_threads = 2,
                                         .memory_budget_bytes = seed % 2 == 0 ? 0 : 1 << 20};
    struct dn_error err = {0};
    struct rows r;

    rows_make(&r, N_ROWS, null_percent, false, seed);
    fault = which;
    spoilt = column;
    assert_int_equal(rows_write(&r, path, N_ROWS, &o, &err), DN_ERR_INTERNAL);
    fault = NO_FAULT;
    rows_free(&r);
    assert_string_equal(err.column, column);
    assert_non_null(strstr(err.message, column));
    assert_non_null(strstr(err.message, "in row group 1 "));
    expect_clean_folder();
}

static void test_one_bit_of_one_value_is_found(void **state)
{
    (void)state;
    refuse(OTHER_BIT, "int64_3_1", 0, 1);
    refuse(OTHER_BIT, "int32_2_0", 0, 2);
    refuse(OTHER_BIT, "float64_5_1", 0, 3);
    refuse(OTHER_BIT, "date_6_2", 0, 4);
    refuse(OTHER_BIT, "timestamptz_8_1", 0, 5);
}

static void test_values_that_change_places_are_found(void **state)
{
    (void)state;
    refuse(NEIGHBOURS, "int64_3_1", 0, 6);
    refuse(NEIGHBOURS, "float32_4_1", 0, 7);
    refuse(NEIGHBOURS, "string_11_1", 0, 8);
}

/* The value under the null goes along, so that the column has the same values in the same order: only the null's place differs. */
static void test_a_null_in_another_row_is_found(void **state)
{
    uint64_t seed = 0;
    bool differ = false;

    (void)state;
    while (!differ) { /* rows of which just one of the two is null */
        struct rows r;
        seed++;
        rows_make(&r, N_ROWS, 50, false, seed);
        differ = rows_valid(&r.columns[rows_place(DN_TYPE_INT64, ROWS_MANY)], spoilt_row) !=
                 rows_valid(&r.columns[rows_place(DN_TYPE_INT64, ROWS_MANY)], spoilt_row + 1);
        rows_free(&r);
    }
    refuse(NULL_MOVED, "int64_3_1", 50, seed);
}

static void test_one_byte_of_a_text_is_found(void **state)
{
    (void)state;
    refuse(LAST_BYTE, "string_9_1", 0, 9);
}

/* The first row of a group and the last one, too. */
static void test_every_place_counts(void **state)
{
    static const int64_t rows[] = {2000, 2001, 3998};
    const int64_t kept = spoilt_row;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        spoilt_row = rows[i];
        refuse(OTHER_BIT, "int64_3_1", 0, 20 + i);
        refuse(OTHER_BIT, "date_6_2", 0, 30 + i);
        refuse(OTHER_BIT, "float32_4_1", 0, 40 + i);
        refuse(NEIGHBOURS, "int64_3_1", 0, 50 + i);
    }
    spoilt_row = kept;
}

/* What the reader refuses is told of the file that was to be, not of the descriptor it is read by. */
static void test_what_cannot_be_read_is_placed(void **state)
{
    const struct dn_parquet_options o = {.struct_size = sizeof o, .verify = true};
    struct dn_error err = {0};
    struct rows r;

    (void)state;
    rows_make(&r, N_ROWS, 0, false, 60);
    fault = DAMAGED;
    spoilt = "int64_3_1";
    const enum dn_status st = rows_write(&r, path, N_ROWS, &o, &err);
    fault = NO_FAULT;
    assert_int_equal(st, DN_ERR_INTERNAL);
    rows_free(&r);
    assert_string_equal(err.path, path);
    assert_string_equal(err.column, spoilt);
    assert_non_null(strstr(err.message, path));
    assert_non_null(strstr(err.message, "checksum"));
    assert_null(strstr(err.message, "/proc"));
    expect_clean_folder();
}

/* The values are right, but other readers refuse the page: so does this one, which forgives it old writers. */
static void test_levels_that_announce_more(void **state)
{
    const struct dn_parquet_options o = {
        .struct_size = sizeof o, .verify = true, .compression = "none"};
    struct dn_error err = {0};
    struct rows r;

    (void)state;
    rows_make(&r, N_ROWS, 30, false, 60);
    fault = ANNOUNCED;
    spoilt = "int64_3_1";
    const enum dn_status st = rows_write(&r, path, N_ROWS, &o, &err);
    assert_int_equal(fault, NO_FAULT);
    assert_int_equal(st, DN_ERR_INTERNAL);
    rows_free(&r);
    assert_string_equal(err.column, spoilt);
    assert_non_null(strstr(err.message, "a packed run is cut off"));
    expect_clean_folder();
}

static int32_t never_mind(void *ctx)
{
    (void)ctx;
    return 1;
}

static void test_reading_back_can_be_stopped(void **state)
{
    const struct dn_parquet_options o = {
        .struct_size = sizeof o, .verify = true, .cancelled = never_mind};
    struct dn_error err = {0};
    struct rows r;

    (void)state;
    rows_make(&r, N_ROWS, 10, false, 12);
    assert_int_equal(rows_write(&r, path, 1000, &o, &err), DN_ERR_CANCELLED);
    rows_free(&r);
    expect_clean_folder();
}

/* ---- files that are not what was written: other rows, row groups, columns ------------------------------------------ */

#define GROUP_ROWS 10

/* What the writer would keep of the rows in row groups of these sizes. */
static void keep_rows(struct dn_pq_written *w, const struct rows *r, const struct dn_node *columns,
                      const int64_t *groups, size_t n_groups)
{
    struct dn_error err = {0};
    int64_t row = 0;

    assert_int_equal(dn_pq_written_init(w, r->n_columns, &err), DN_OK);
    for (size_t g = 0; g < n_groups; row += groups[g++]) {
        uint64_t digests[2];
        struct ArrowArray batch;
        assert_int_equal(rows_batch(r, row, groups[g], &batch, &err), DN_OK);
        for (int64_t i = 0; i < r->n_columns; i++) {
            struct dn_column_view view;
            assert_int_equal(dn_batch_get_column(&batch, i, &columns[i].field, &view, &err), DN_OK);
            digests[i] = dn_column_digest(&view, 0, groups[g], 0);
        }
        batch.release(&batch);
        assert_int_equal(dn_pq_written_add(w, groups[g], digests, &err), DN_OK);
    }
}

static void check_refused(struct dn_pq_written *w, const struct dn_node *columns, const char *words)
{
    const struct dn_parquet_read_options o = {.struct_size = sizeof o, .n_threads = 1};
    struct dn_error err = {0};
    const enum dn_status st = dn_pq_written_check(w, path, "a.parquet", columns, &o, &err);

    dn_pq_written_finish(w);
    if (words == NULL) {
        assert_int_equal(st, DN_OK);
        return;
    }
    assert_int_equal(st, DN_ERR_INTERNAL);
    if (strstr(err.message, words) == NULL) {
        fail_msg("'%s' is not in '%s'", words, err.message);
    }
}

static void test_another_file_is_found(void **state)
{
    const struct dn_parquet_options o = {.struct_size = sizeof o, .row_group_rows = GROUP_ROWS};
    static const int64_t all[] = {10, 10, 10};
    static const int64_t other[] = {9, 11, 10};
    struct dn_error err = {0};
    struct dn_pq_written w;
    struct rows rows;

    (void)state;
    rows_make(&rows, 3 * GROUP_ROWS, 20, false, 21);
    const struct rows r = {rows.n_rows, 2, rows.columns + rows_place(DN_TYPE_INT64, ROWS_FEW)};
    const struct dn_node right[] = {{.field = {r.columns[0].name, DN_TYPE_INIT(INT64), true}},
                                    {.field = {r.columns[1].name, DN_TYPE_INIT(INT64), true}}};
    struct dn_node other_columns[2];
    assert_int_equal(rows_write(&r, path, GROUP_ROWS, &o, &err), DN_OK);

    keep_rows(&w, &r, right, all, 3);
    check_refused(&w, right, NULL);
    keep_rows(&w, &r, right, all, 2);
    check_refused(&w, right, "it has more rows than were written");
    keep_rows(&w, &r, right, all, 3);
    assert_int_equal(dn_pq_written_add(&w, 5, (const uint64_t[]){1, 2}, &err), DN_OK);
    check_refused(&w, right, "it has fewer rows than were written");
    keep_rows(&w, &r, right, other, 3);
    check_refused(&w, right, "row group 0 has 10 rows instead of 9");
    keep_rows(&w, &r, right, all, 3);
    memcpy(other_columns, right, sizeof right);
    other_columns[1].field.name = "other";
    check_refused(&w, other_columns,
                  "column 2 is 'int64_3_1' of type int64 instead of 'other' of type");
    keep_rows(&w, &r, right, all, 3);
    other_columns[1].field = (struct dn_field){r.columns[1].name, DN_TYPE_INIT(FLOAT64), true};
    check_refused(&w, other_columns, "of type int64 instead of 'int64_3_1' of type float64");
    w = (struct dn_pq_written){0};
    assert_int_equal(dn_pq_written_init(&w, 1, &err), DN_OK);
    check_refused(&w, right, "it has 2 columns where 1 were written");
    keep_rows(&w, &r, right, all, 3);
    w.groups.data[w.groups.len - 1] ^= 1; /* the sum of a row group, and of no column */
    check_refused(&w, right, "the values of column '?' in row group 2 are not those");
    keep_rows(&w, &r, right, all, 3);
    w.columns.data[0] ^= 1; /* the sum of a column, and of no row group */
    check_refused(&w, right, "the values of column 'int64_3_0'");
    assert_int_equal(remove(path), 0);
    for (int with_words = 0; with_words < 2; with_words++) { /* and one that is not there */
        const struct dn_parquet_read_options ro = {.struct_size = sizeof ro, .n_threads = 1};
        keep_rows(&w, &r, right, all, 3);
        err = (struct dn_error){0};
        assert_int_equal(
            dn_pq_written_check(&w, path, "b.parquet", right, &ro, with_words != 0 ? &err : NULL),
            DN_ERR_NOT_FOUND);
        assert_true(with_words == 0 ||
                    strstr(err.message, "b.parquet, as it is read back: ") != NULL);
        dn_pq_written_finish(&w);
    }
    rows_free(&rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_right_files_pass),
        cmocka_unit_test(test_one_bit_of_one_value_is_found),
        cmocka_unit_test(test_values_that_change_places_are_found),
        cmocka_unit_test(test_a_null_in_another_row_is_found),
        cmocka_unit_test(test_one_byte_of_a_text_is_found),
        cmocka_unit_test(test_every_place_counts),
        cmocka_unit_test(test_what_cannot_be_read_is_placed),
        cmocka_unit_test(test_levels_that_announce_more),
        cmocka_unit_test(test_reading_back_can_be_stopped),
        cmocka_unit_test(test_another_file_is_found),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
