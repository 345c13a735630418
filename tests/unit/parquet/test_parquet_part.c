/* Pages of all kinds in one chunk, made by hand: views of texts in pages and of dictionary entries, in whatever order pages come. */
#include "parquet/read/part.h"
#include "scratch.h"

static char folder[512];

static int set_up(void **state)
{
    (void)state;
    scratch_make(folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_remove(folder);
    return 0;
}

struct chunk {
    uint8_t bytes[2000];
    size_t len;
    int64_t n_values;
};

/* A page header and a body; all numbers are below 64, so that each takes one byte. */
static void add_page(struct chunk *c, enum dn_pq_page_type type, uint8_t n_values, uint8_t encoding,
                     const uint8_t *body, size_t len)
{
    const bool is_dictionary = type == DN_PQ_DICTIONARY_PAGE;
    const uint8_t head[] = {0x15,
                            (uint8_t)(2 * type),
                            0x15,
                            (uint8_t)(2 * len),
                            0x15,
                            (uint8_t)(2 * len),
                            is_dictionary ? 0x4c : 0x2c,
                            0x15,
                            (uint8_t)(2 * n_values),
                            0x15,
                            (uint8_t)(2 * encoding),
                            0x15,
                            2 * DN_PQ_RLE,
                            0,
                            0};

    assert_true(len < 64);
    memcpy(c->bytes + c->len, head, sizeof head);
    memcpy(c->bytes + c->len + sizeof head, body, len);
    c->len += sizeof head + len;
    c->n_values += is_dictionary ? 0 : n_values;
}

static void add_texts(struct chunk *c, enum dn_pq_page_type type, const char *const *texts,
                      uint8_t n)
{
    uint8_t body[64];
    size_t len = 0;

    for (uint8_t i = 0; i < n; i++) {
        const uint32_t text = (uint32_t)strlen(texts[i]);
        memcpy(body + len, &text, 4);
        memcpy(body + len + 4, texts[i], text);
        len += 4 + text;
    }
    add_page(c, type, n, DN_PQ_PLAIN, body, len);
}

/* Ids of one bit each, bits from the lowest on. */
static void add_ids(struct chunk *c, uint8_t ids, uint8_t n)
{
    const uint8_t body[] = {1, 3, ids};

    add_page(c, DN_PQ_DATA_PAGE, n, DN_PQ_RLE_DICTIONARY, body, sizeof body);
}

/* Rows of the chunk in slices of `slice` rows; they are `want`. */
static void check_chunk(const struct chunk *c, int64_t slice, size_t range_bytes,
                        const char *const *want)
{
    const struct dn_pq_element element = {.type = DN_PQ_BYTE_ARRAY,
                                          .meaning = {.logical = DN_PQ_LOGICAL_STRING}};
    const struct dn_pq_leaf leaf = {.path = "text", .path_len = 4, .element = &element};
    const struct dn_pq_chunk_info info = {.has_meta = true,
                                          .type = DN_PQ_BYTE_ARRAY,
                                          .n_values = c->n_values,
                                          .compressed_bytes = (int64_t)c->len};
    _Atomic int64_t bytes_read = 0;
    struct dn_pq_stream s = {
        .cursor = {.leaf = &leaf, .range_bytes = range_bytes, .bytes_read = &bytes_read},
        .kernels = dn_kernels_selected()};
    struct dn_error err = {0};
    const char *path = scratch_path(folder, "chunk");

    scratch_write(path, c->bytes, c->len);
    assert_int_equal(dn_source_open(&s.cursor.source, path, NULL, NULL, &err), DN_OK);
    dn_pq_arrow_type(&leaf, &s.type);
    assert_int_equal(dn_pq_stream_begin(&s, &info, 0, 0, c->n_values, &err), DN_OK);
    for (int64_t row = 0; row < c->n_values; row += slice) {
        const int64_t n = c->n_values - row < slice ? c->n_values - row : slice;
        struct dn_pq_part part = {0};
        if (dn_pq_stream_read(&s, (size_t)n, &part, &err) != DN_OK) {
            fail_msg("%s", err.message);
        }
        struct dn_batch_column column = dn_pq_part_export(&part, &s.type);
        const struct dn_column_view view = {.type = DN_TYPE_INIT(UTF8_VIEW),
                                            .layout = DN_LAYOUT_VIEWS,
                                            .width = 16,
                                            .n_rows = n,
                                            .values = column.values,
                                            .variadic = column.variadic,
                                            .variadic_lens = column.variadic_lens,
                                            .n_variadic = column.n_variadic};
        assert_int_equal(dn_column_bad_view(&view), -1);
        for (int64_t i = 0; i < n; i++) {
            size_t len = 0;
            const uint8_t *text = dn_column_text(&view, i, &len);
            assert_int_equal(len, strlen(want[row + i]));
            assert_memory_equal(text, want[row + i], len);
        }
        dn_pq_part_finish(&part);
    }
    assert_int_equal(dn_pq_cursor_end(&s.cursor, &err), DN_OK);
    assert_int_equal(bytes_read, c->len);
    dn_pq_stream_finish(&s);
    dn_source_close(s.cursor.source);
}

static void test_pages_with_ids_and_without(void **state)
{
    static const char *const entries[] = {"entry that is long", "short"};
    static const char *const first[] = {"plain text that is long", ""};
    static const char *const second[] = {"another long plain text", "twelve bytes"};
    static const char *const want[] = {
        "plain text that is long",
        "",
        "entry that is long",
        "short",
        "short",
        "entry that is long",
        "another long plain text",
        "twelve bytes",
        "entry that is long",
        "short",
    };
    struct chunk c = {.len = 0};
    (void)state;

    add_texts(&c, DN_PQ_DICTIONARY_PAGE, entries, 2);
    add_texts(&c, DN_PQ_DATA_PAGE, first, 2);
    add_ids(&c, 6, 4); /* 0 1 1 0 */
    add_texts(&c, DN_PQ_DATA_PAGE, second, 2);
    add_ids(&c, 2, 2);
    for (int64_t slice = 1; slice <= 10; slice++) {
        for (size_t range = 1; range <= 1024; range *= 2) {
            check_chunk(&c, slice, range, want);
        }
    }
}

static void test_a_dictionary_that_comes_late(void **state)
{
    static const char *const entries[] = {"x", "a long entry of a dictionary"};
    static const char *const plain[] = {"the text of a plain page"};
    static const char *const want[] = {"the text of a plain page", "x",
                                       "a long entry of a dictionary"};
    struct chunk c = {.len = 0};
    (void)state;

    add_texts(&c, DN_PQ_DATA_PAGE, plain, 1);
    add_texts(&c, DN_PQ_DICTIONARY_PAGE, entries, 2);
    add_ids(&c, 2, 2);
    for (int64_t slice = 1; slice <= 3; slice++) {
        check_chunk(&c, slice, 100, want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pages_with_ids_and_without),
        cmocka_unit_test(test_a_dictionary_that_comes_late),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
