/* Thrift, the RLE / bit-packed hybrid, levels, PLAIN values and dictionary ids, from bytes written by hand. */
#include "parquet/encoding/levels.h"
#include "parquet/read/page.h"
#include "parquet/thrift/reader.h"

#include "scratch.h"

static struct dn_span span(const void *data, size_t len)
{
    return (struct dn_span){data, len};
}
#define SPAN(...) span((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

/* ---- thrift ---------------------------------------------------------------------------------------------------- */

static void test_fields(void **state)
{
    (void)state;
    struct dn_thrift_reader r;
    struct dn_thrift_field f;
    struct dn_span text;
    int32_t i32 = 0;
    int64_t i64 = 0;
    bool b = false;
    uint32_t n = 0;

    /* 1: i32 -3; 2: true; 20 (long form): i64 max; 21: binary "hi"; 22: list of two i32; 23: false; 24: i8 -1 */
    dn_thrift_reader_init(&r,
                          SPAN(0x15, 5, 0x11, 0x06, 40, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                               0xff, 0xff, 1, 0x18, 2, 'h', 'i', 0x19, 0x25, 2, 4, 0x12, 0x13, 0xff,
                               0),
                          1000, "it");
    assert_int_equal(dn_thrift_begin(&r, &f, NULL), DN_OK);
    assert_int_equal(dn_thrift_next(&r, &f, NULL), DN_OK);
    assert_int_equal(f.id, 1);
    assert_int_equal(dn_thrift_read_i32(&r, &f, &i32, NULL), DN_OK);
    assert_int_equal(i32, -3);
    assert_int_equal(dn_thrift_next(&r, &f, NULL), DN_OK);
    assert_int_equal(f.id, 2);
    assert_int_equal(dn_thrift_read_bool(&r, &f, &b, NULL), DN_OK);
    assert_true(b);
    assert_int_equal(dn_thrift_next(&r, &f, NULL), DN_OK);
    assert_int_equal(f.id, 20);
    assert_int_equal(dn_thrift_read_i64(&r, &f, &i64, NULL), DN_OK);
    assert_true(i64 == INT64_MAX);
    assert_int_equal(dn_thrift_next(&r, &f, NULL), DN_OK);
    assert_int_equal(f.id, 21);
    assert_int_equal(dn_thrift_read_binary(&r, &f, &text, NULL), DN_OK);
    assert_int_equal(text.len, 2);
    assert_memory_equal(text.data, "hi", 2);
    assert_int_equal(dn_thrift_next(&r, &f, NULL), DN_OK);
    assert_int_equal(dn_thrift_read_list(&r, &f, DN_THRIFT_I32, 1, &n, NULL), DN_OK);
    assert_int_equal(n, 2);
    const struct dn_thrift_field element = {.type = DN_THRIFT_I32};
    assert_int_equal(dn_thrift_read_i32(&r, &element, &i32, NULL), DN_OK);
    assert_int_equal(i32, 1);
    assert_int_equal(dn_thrift_read_i32(&r, &element, &i32, NULL), DN_OK);
    assert_int_equal(i32, 2);
    assert_int_equal(dn_thrift_next(&r, &f, NULL), DN_OK);
    assert_int_equal(dn_thrift_read_bool(&r, &f, &b, NULL), DN_OK);
    assert_false(b);
    assert_int_equal(dn_thrift_next(&r, &f, NULL), DN_OK);
    assert_int_equal(dn_thrift_read_i32(&r, &f, &i32, NULL), DN_OK);
    assert_int_equal(i32, -1);
    assert_int_equal(dn_thrift_next(&r, &f, NULL), DN_OK);
    assert_int_equal(f.type, DN_THRIFT_STOP);
    assert_int_equal(r.pos, r.len);
    assert_int_equal(r.depth, 0);
}

static void test_unknown_fields_are_skipped(void **state)
{
    (void)state;
    struct dn_thrift_reader r;
    struct dn_thrift_field f;

    /* struct{list of struct{}}, map i32->binary, empty map, set of bool, double, uuid; then field 7 */
    dn_thrift_reader_init(&r,
                          SPAN(0x1c, 0x19, 0x2c, 0, 0, 0, 0x1b, 1, 0x58, 2, 1, 'x', 0x1b, 0, 0x1a,
                               0x21, 1, 2, 0x17, 1, 2, 3, 4, 5, 6, 7, 8, 0x1d, 0, 1, 2, 3, 4, 5, 6,
                               7, 8, 9, 10, 11, 12, 13, 14, 15, 0x15, 2, 0),
                          0, "it");
    assert_int_equal(dn_thrift_begin(&r, &f, NULL), DN_OK);
    for (int16_t id = 1; id <= 7; id++) {
        assert_int_equal(dn_thrift_next(&r, &f, NULL), DN_OK);
        assert_int_equal(f.id, id);
        assert_int_equal(dn_thrift_skip(&r, &f, NULL), DN_OK);
    }
    assert_int_equal(dn_thrift_next(&r, &f, NULL), DN_OK);
    assert_int_equal(f.type, DN_THRIFT_STOP);
    assert_int_equal(r.pos, r.len);
}

static enum dn_status skip_all(struct dn_span in, struct dn_error *err)
{
    struct dn_thrift_reader r;
    const struct dn_thrift_field f = {.id = 1, .type = DN_THRIFT_STRUCT};

    dn_thrift_reader_init(&r, in, 5000, "it");
    return dn_thrift_skip(&r, &f, err);
}

static void test_damaged_thrift(void **state)
{
    (void)state;
    struct dn_error err = {0};
    struct dn_thrift_reader r;
    struct dn_thrift_field f = {.id = 1, .type = DN_THRIFT_I32};
    uint8_t deep[100];
    int32_t i32 = 0;
    int64_t i64 = 0;
    uint32_t n = 0;

    memset(deep, 0x1c, sizeof(deep)); /* a struct in a struct in a ... */
    assert_int_equal(skip_all(span(deep, sizeof(deep)), &err), DN_ERR_DATA);
    assert_non_null(strstr(err.message, "nested more than 32 deep"));
    memset(deep, 0x19, sizeof(deep)); /* lists of lists: 0x19 is also "one list" */
    assert_int_equal(skip_all(span(deep, sizeof(deep)), &err), DN_ERR_DATA);
    assert_non_null(strstr(err.message, "nested more than 32 deep"));
    assert_int_equal(skip_all(SPAN(0x1e), &err), DN_ERR_DATA); /* type 14 */
    assert_int_equal(skip_all(SPAN(0x18, 100, 'x'), &err), DN_ERR_DATA);
    assert_non_null(strstr(
        err.message, "it is damaged at byte 5002: 100 more bytes are expected and 1 are left"));
    assert_int_equal(err.byte_offset, 5002);
    assert_int_equal(skip_all(SPAN(0x19, 0xf3, 0xff, 0xff, 0xff, 0xff, 0x07), &err),
                     DN_ERR_DATA); /* 2^31-1 bytes */
    assert_int_equal(
        skip_all(SPAN(0x16, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0), &err),
        DN_ERR_DATA);
    assert_int_equal(skip_all(SPAN(0x15), &err), DN_ERR_DATA);

    dn_thrift_reader_init(&r, SPAN(0x80, 0x80, 0x80, 0x80, 0x10), 0, "it"); /* 2^32: no i32 */
    assert_int_equal(dn_thrift_read_i32(&r, &f, &i32, &err), DN_ERR_DATA);
    assert_int_equal(dn_thrift_read_i64(&r, &f, &i64, &err), DN_ERR_DATA);
    assert_non_null(strstr(err.message, "field 1 is of type i32, not i64"));
    f.type = DN_THRIFT_LIST;
    dn_thrift_reader_init(&r, SPAN(0x3c, 0, 0, 0, 0, 0), 0, "it");
    assert_int_equal(dn_thrift_read_list(&r, &f, DN_THRIFT_STRUCT, 2, &n, &err), DN_ERR_DATA);
    assert_non_null(strstr(err.message, "a list of 3 entries cannot fit into the 5 bytes left"));
    dn_thrift_reader_init(&r, SPAN(0x3c, 0, 0, 0, 0, 0), 0, "it");
    assert_int_equal(dn_thrift_read_list(&r, &f, DN_THRIFT_BINARY, 1, &n, &err), DN_ERR_DATA);
}

/* ---- hybrid ---------------------------------------------------------------------------------------------------- */

static void test_hybrid(void **state)
{
    (void)state;
    struct dn_pq_hybrid h;
    uint32_t v[24];

    /* The example of Encodings.md: 0..7 in 3 bits, then 5 repeated 4 times, then an empty run, then 3 bits again. */
    dn_pq_hybrid_init(&h, SPAN(0x03, 0x88, 0xc6, 0xfa, 0x08, 5, 0x00, 0, 0x03, 0x88, 0xc6, 0xfa),
                      3);
    assert_int_equal(dn_pq_hybrid_read(&h, v, 5, NULL), DN_OK);
    assert_int_equal(dn_pq_hybrid_read(&h, v + 5, 13, NULL), DN_OK);
    for (uint32_t i = 0; i < 8; i++) {
        assert_int_equal(v[i], i);
    }
    for (uint32_t i = 8; i < 12; i++) {
        assert_int_equal(v[i], 5);
    }
    for (uint32_t i = 12; i < 18; i++) {
        assert_int_equal(v[i], i - 12);
    }
}

/* Pack by the definition, one bit after another, and read back. */
static void test_hybrid_every_width(void **state)
{
    (void)state;
    uint64_t seed = 7;

    for (unsigned width = 0; width <= 32; width++) {
        uint32_t values[64];
        uint32_t got[64];
        uint8_t bytes[1 + 8 * 32] = {8 << 1 | 1};
        for (size_t i = 0; i < 64; i++) {
            values[i] = width == 0 ? 0 : (uint32_t)(scratch_random(&seed) >> (64 - width));
            for (unsigned b = 0; b < width; b++) {
                const size_t bit = i * width + b;
                bytes[1 + bit / 8] =
                    (uint8_t)(bytes[1 + bit / 8] | (values[i] >> b & 1) << (bit % 8));
            }
        }
        struct dn_pq_hybrid h;
        dn_pq_hybrid_init(&h, span(bytes, 1 + 8 * (size_t)width), width);
        assert_int_equal(dn_pq_hybrid_read(&h, got, 64, NULL), DN_OK);
        assert_memory_equal(got, values, sizeof(values));
        assert_int_equal(dn_pq_hybrid_read(&h, got, 1, NULL), DN_ERR_DATA); /* nothing is left */
        if (width > 0) {
            dn_pq_hybrid_init(&h, span(bytes, 8 * (size_t)width), width); /* one byte is missing */
            assert_int_equal(dn_pq_hybrid_read(&h, got, 64 - 8, NULL), DN_OK);
            assert_int_equal(dn_pq_hybrid_read(&h, got, 8, NULL), DN_ERR_DATA);
        }
    }
}

static void test_damaged_hybrid(void **state)
{
    (void)state;
    struct dn_pq_hybrid h;
    struct dn_error err = {0};
    uint32_t v[8];

    dn_pq_hybrid_init(&h, SPAN(0x10, 8), 3); /* 8 does not fit into 3 bits */
    assert_int_equal(dn_pq_hybrid_read(&h, v, 8, &err), DN_ERR_DATA);
    assert_non_null(strstr(err.message, "wider than its bit width"));
    dn_pq_hybrid_init(&h, SPAN(0x10, 8), 9); /* a value of two bytes */
    assert_int_equal(dn_pq_hybrid_read(&h, v, 8, &err), DN_ERR_DATA);
    dn_pq_hybrid_init(&h, SPAN(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1), 1);
    assert_int_equal(dn_pq_hybrid_read(&h, v, 8, &err), DN_ERR_DATA);
    assert_non_null(strstr(err.message, "a run is too long"));
    dn_pq_hybrid_init(&h, SPAN(0x80), 1);
    assert_int_equal(dn_pq_hybrid_read(&h, v, 1, &err), DN_ERR_DATA);
    for (int strict = 0; strict < 2;
         strict++) { /* two groups, of which one is there and asked for */
        dn_pq_hybrid_init(&h, SPAN(0x05, 0xb5), 1);
        h.strict = strict != 0;
        assert_int_equal(dn_pq_hybrid_read(&h, v, 8, &err), strict ? DN_ERR_DATA : DN_OK);
    }
    assert_non_null(strstr(err.message, "a packed run is cut off"));
    dn_pq_hybrid_init(&h, SPAN(0xff, 0xff, 0xff, 0xff, 0x0f),
                      32); /* a packed run of 2^31 groups, and no bytes */
    assert_int_equal(dn_pq_hybrid_read(&h, v, 8, &err), DN_ERR_DATA);
}

/* ---- levels, values, ids --------------------------------------------------------------------------------------- */

static void test_levels(void **state)
{
    (void)state;
    const struct dn_pq_page_head page = {
        .type = DN_PQ_DATA_PAGE, .n_values = 8, .def_encoding = DN_PQ_RLE};
    struct dn_pq_page_parts parts;
    struct dn_pq_levels_in levels;
    struct dn_error err = {0};
    uint8_t bits[2] = {0xff, 0xff};
    size_t ones = 0;

    assert_int_equal(dn_pq_page_split(&page, SPAN(2, 0, 0, 0, 0x03, 0xb5, 'r', 'e', 's', 't'), 0, 1,
                                      &parts, NULL),
                     DN_OK);
    assert_int_equal(parts.rep.len, 0);
    assert_int_equal(parts.values.len, 4);
    assert_memory_equal(parts.values.data, "rest", 4);
    assert_int_equal(dn_pq_levels_begin(&levels, parts.def_encoding, parts.def, 1, NULL), DN_OK);
    assert_int_equal(dn_pq_levels_read_bits(&levels, bits, 3, 7, &ones, NULL), DN_OK);
    assert_int_equal(ones, 4);
    assert_int_equal(bits[0], 0xaf); /* three bits that stood there, then 1 0 1 0 1 */
    assert_int_equal(bits[1], 0x01); /* 1 0, and nothing behind */
    assert_int_equal(dn_pq_page_split(&page, SPAN(3, 0, 0, 0, 0x03, 0xb5), 0, 1, &parts, &err),
                     DN_ERR_DATA);
    assert_non_null(strstr(err.message, "longer than the page"));
    assert_int_equal(dn_pq_page_split(&page, SPAN(3, 0, 0), 0, 1, &parts, NULL), DN_ERR_DATA);
    const struct dn_pq_page_head other = {
        .type = DN_PQ_DATA_PAGE, .n_values = 8, .def_encoding = DN_PQ_DELTA_BINARY_PACKED};
    assert_int_equal(dn_pq_page_split(&other, SPAN(2, 0, 0, 0, 3, 0xb5), 0, 1, &parts, &err),
                     DN_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "levels of encoding 5"));
    assert_int_equal(dn_pq_levels_begin(&levels, DN_PQ_RLE, SPAN(0x10, 2), 1, NULL), DN_OK);
    assert_int_equal(dn_pq_levels_read_bits(&levels, bits, 0, 8, &ones, NULL), DN_ERR_DATA);
    assert_int_equal(dn_pq_levels_begin(&levels, DN_PQ_RLE, SPAN(0x08, 1), 1, NULL), DN_OK);
    assert_int_equal(dn_pq_levels_read_bits(&levels, bits, 0, 8, &ones, NULL),
                     DN_ERR_DATA); /* four of eight */
}

/* The old form: no length, the highest bit of a byte first. */
static void test_bit_packed_levels(void **state)
{
    (void)state;
    const struct dn_pq_page_head page = {
        .type = DN_PQ_DATA_PAGE, .n_values = 10, .def_encoding = DN_PQ_BIT_PACKED};
    struct dn_pq_page_parts parts;
    struct dn_pq_levels_in levels;
    struct dn_error err = {0};
    uint8_t bits[2] = {0};
    size_t ones = 0;

    assert_int_equal(dn_pq_page_split(&page, SPAN(0xa0, 0x40, 'r'), 0, 1, &parts, NULL), DN_OK);
    assert_int_equal(parts.values.len, 1);
    assert_int_equal(dn_pq_levels_begin(&levels, parts.def_encoding, parts.def, 1, NULL), DN_OK);
    assert_int_equal(dn_pq_levels_read_bits(&levels, bits, 0, 10, &ones, NULL), DN_OK);
    assert_int_equal(ones, 3);
    assert_int_equal(bits[0], 0x05);
    assert_int_equal(bits[1], 0x02);
    assert_int_equal(dn_pq_levels_read_bits(&levels, bits, 0, 7, &ones, NULL), DN_ERR_DATA);
    assert_int_equal(dn_pq_page_split(&page, SPAN(0xa0), 0, 1, &parts, NULL), DN_ERR_DATA);
    assert_int_equal(dn_pq_levels_begin(&levels, DN_PQ_PLAIN, SPAN(0xa0), 1, &err),
                     DN_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "RLE and BIT_PACKED can"));
}

static void test_levels_as_numbers(void **state)
{
    (void)state;
    struct dn_pq_levels_in levels;
    struct dn_error err = {0};
    uint32_t v[8];

    assert_int_equal(dn_pq_levels_begin(&levels, DN_PQ_RLE, SPAN(0x04, 2, 0x06, 3), 2, NULL),
                     DN_OK);
    assert_int_equal(dn_pq_levels_read(&levels, v, 2, 2, NULL), DN_OK);
    assert_int_equal(v[1], 2);
    assert_int_equal(dn_pq_levels_read(&levels, v, 1, 2, &err), DN_ERR_DATA);
    assert_non_null(strstr(err.message, "3 where 2 is the highest"));
    /* the old form: 0 to 7 of three bits, the highest first (Encodings.md) */
    assert_int_equal(dn_pq_levels_begin(&levels, DN_PQ_BIT_PACKED, SPAN(0x05, 0x39, 0x77), 7, NULL),
                     DN_OK);
    assert_int_equal(dn_pq_levels_read(&levels, v, 3, 7, NULL), DN_OK);
    assert_int_equal(dn_pq_levels_read(&levels, v + 3, 5, 7, NULL), DN_OK);
    for (uint32_t i = 0; i < 8; i++) {
        assert_int_equal(v[i], i);
    }
    assert_int_equal(dn_pq_levels_read(&levels, v, 1, 7, &err), DN_ERR_DATA);
    assert_non_null(strstr(err.message, "9 do not fit into 3 bytes"));
}

/* ---- page header and body -------------------------------------------------------------------------------------- */

static void test_header(void **state)
{
    (void)state;
    struct dn_pq_page_head page;
    bool ran_out = false;
    /* type 0, 10 bytes, 9 bytes, crc -2, data header {5 values, RLE_DICTIONARY, RLE, RLE} */
    const struct dn_span in = SPAN(0x15, 0, 0x15, 20, 0x15, 18, 0x15, 3, 0x1c, 0x15, 10, 0x15, 16,
                                   0x15, 6, 0x15, 6, 0, 0, 'x');

    assert_int_equal(dn_pq_page_header_read(in, 0, &page, &ran_out, NULL), DN_OK);
    assert_int_equal(page.type, DN_PQ_DATA_PAGE);
    assert_int_equal(page.unpacked_len, 10);
    assert_int_equal(page.packed_len, 9);
    assert_true(page.has_crc);
    assert_int_equal(page.crc, 0xfffffffe);
    assert_int_equal(page.n_values, 5);
    assert_int_equal(page.encoding, DN_PQ_RLE_DICTIONARY);
    assert_int_equal(page.def_encoding, DN_PQ_RLE);
    assert_int_equal(page.header_len, in.len - 1);
    for (size_t len = 0; len + 1 < in.len; len++) {
        ran_out = false;
        assert_int_equal(dn_pq_page_header_read(span(in.data, len), 0, &page, &ran_out, NULL),
                         DN_ERR_DATA);
        assert_true(ran_out);
    }
    assert_int_equal(
        dn_pq_page_header_read(SPAN(0x15, 0, 0x15, 20, 0x15, 17, 0), 0, &page, &ran_out, NULL),
        DN_ERR_DATA);
    assert_false(ran_out);
}

/* Of a dictionary page; what is unknown, here an index page's header and a statistic, is skipped. */
static void test_dictionary_header(void **state)
{
    (void)state;
    struct dn_pq_page_head page;
    bool ran_out = false;
    /* type 2, 10 bytes, 9 bytes, {}, dictionary header {5 values, PLAIN, sorted} */
    const struct dn_span in =
        SPAN(0x15, 4, 0x15, 20, 0x15, 18, 0x3c, 0, 0x1c, 0x15, 10, 0x15, 0, 0x11, 0, 0);

    assert_int_equal(dn_pq_page_header_read(in, 0, &page, &ran_out, NULL), DN_OK);
    assert_int_equal(page.type, DN_PQ_DICTIONARY_PAGE);
    assert_int_equal(page.n_values, 5);
    assert_int_equal(page.encoding, DN_PQ_PLAIN);
    assert_false(page.has_crc);
    assert_int_equal(page.header_len, in.len);
}

/* type 3, 10 and 9 bytes, no crc, V2 header {8 values, 3 nulls, 8 rows, PLAIN, 2 and 0 bytes of levels, false, statistics} */
static const uint8_t v2_header[] = {0x15, 6,    0x15, 20,   0x15, 18,   0x5c, 0x15, 16,
                                    0x15, 6,    0x15, 16,   0x15, 0,    0x15, 4,    0x15,
                                    0,    0x12, 0x1c, 0x36, 6,    0x00, 0x00, 0x00};

static void test_v2_header(void **state)
{
    (void)state;
    struct dn_pq_page_head page;
    uint8_t damaged[sizeof v2_header];
    bool ran_out = false;

    assert_int_equal(
        dn_pq_page_header_read(span(v2_header, sizeof v2_header), 0, &page, &ran_out, NULL), DN_OK);
    assert_int_equal(page.type, DN_PQ_DATA_PAGE_V2);
    assert_int_equal(page.n_values, 8);
    assert_int_equal(page.n_nulls, 3);
    assert_int_equal(page.n_rows, 8);
    assert_int_equal(page.encoding, DN_PQ_PLAIN);
    assert_int_equal(page.def_len, 2);
    assert_int_equal(page.rep_len, 0);
    assert_false(page.is_packed);
    assert_int_equal(page.header_len, sizeof v2_header);
    /* nine nulls of eight, nine rows, levels longer than the page, or of less than nothing */
    static const struct {
        size_t at;
        uint8_t value;
    } lies[] = {{10, 18}, {12, 18}, {16, 20}, {16, 1}, {18, 1}, {10, 1}};
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        memcpy(damaged, v2_header, sizeof damaged);
        damaged[lies[i].at] = lies[i].value;
        assert_int_equal(
            dn_pq_page_header_read(span(damaged, sizeof damaged), 0, &page, &ran_out, NULL),
            DN_ERR_DATA);
        assert_false(ran_out);
    }
}

/* Levels of a V2 page are never packed, its values may be, and of none there may be nothing at all. */
static void test_v2_body(void **state)
{
    (void)state;
    struct dn_pq_page_head page = {.type = DN_PQ_DATA_PAGE_V2, .n_values = 8, .def_len = 2};
    struct dn_pq_page_parts parts;
    struct dn_buffer scratch = {0};
    struct dn_buffer body = {0};
    struct dn_span out;
    struct dn_compressor *c = NULL;

    assert_int_equal(dn_compressor_create(&c, DN_CODEC_SNAPPY, DN_CODEC_LEVEL_DEFAULT, NULL),
                     DN_OK);
    assert_int_equal(dn_buffer_append(&body, "\3\377", 2, NULL), DN_OK);
    assert_int_equal(dn_compress(c, span("12345678", 8), &body, NULL), DN_OK);
    page.is_packed = true;
    page.packed_len = (int32_t)body.len;
    page.unpacked_len = 10;
    assert_int_equal(
        dn_pq_page_unpack(&page, dn_buffer_span(&body), DN_CODEC_SNAPPY, &scratch, &out, NULL),
        DN_OK);
    assert_int_equal(dn_pq_page_split(&page, out, 0, 1, &parts, NULL), DN_OK);
    assert_memory_equal(parts.def.data, "\3\377", 2);
    assert_int_equal(parts.values.len, 8);
    assert_memory_equal(parts.values.data, "12345678", 8);
    page.is_packed = false; /* what is said not to be packed is taken as it is */
    page.packed_len = 10;
    assert_int_equal(
        dn_pq_page_unpack(&page, span("\3\37712345678", 10), DN_CODEC_SNAPPY, &scratch, &out, NULL),
        DN_OK);
    assert_memory_equal(out.data, "\3\37712345678", 10);
    page.unpacked_len = 11;
    assert_int_equal(
        dn_pq_page_unpack(&page, span("\3\37712345678", 10), DN_CODEC_SNAPPY, &scratch, &out, NULL),
        DN_ERR_DATA);
    page.is_packed = true; /* no values: the codec has nothing to say, whatever stands there */
    page.unpacked_len = 2;
    for (page.packed_len = 2; page.packed_len <= 3; page.packed_len++) {
        assert_int_equal(dn_pq_page_unpack(&page, span("\3\377\0", (size_t)page.packed_len),
                                           DN_CODEC_SNAPPY, &scratch, &out, NULL),
                         DN_OK);
        assert_int_equal(dn_pq_page_split(&page, out, 0, 1, &parts, NULL), DN_OK);
        assert_int_equal(parts.values.len, 0);
    }
    dn_compressor_destroy(c);
    dn_buffer_finish(&scratch);
    dn_buffer_finish(&body);
}

static void test_body(void **state)
{
    (void)state;
    struct dn_pq_page_head page = {
        .packed_len = 9, .unpacked_len = 9, .has_crc = true, .crc = 0xcbf43926};
    struct dn_buffer scratch = {0};
    struct dn_error err = {0};
    struct dn_span out;
    const struct dn_span body = span("123456789", 9); /* whose CRC-32 is well known */

    assert_int_equal(dn_pq_page_unpack(&page, body, DN_CODEC_NONE, &scratch, &out, NULL), DN_OK);
    assert_int_equal(out.len, 9);
    page.crc++;
    assert_int_equal(dn_pq_page_unpack(&page, body, DN_CODEC_NONE, &scratch, &out, &err),
                     DN_ERR_DATA);
    assert_non_null(strstr(err.message, "its checksum is cbf43926 and should be cbf43927"));
    page.has_crc = false;
    page.unpacked_len = 10;
    assert_int_equal(dn_pq_page_unpack(&page, body, DN_CODEC_NONE, &scratch, &out, NULL),
                     DN_ERR_DATA);
    page.unpacked_len = 100000000;
    assert_int_equal(dn_pq_page_unpack(&page, body, DN_CODEC_SNAPPY, &scratch, &out, &err),
                     DN_ERR_DATA);
    assert_non_null(strstr(err.message, "9 bytes of snappy cannot unpack to 100000000"));
    page.unpacked_len = INT32_MAX;
    assert_int_equal(dn_pq_page_unpack(&page, body, DN_CODEC_ZSTD, &scratch, &out, NULL),
                     DN_ERR_UNSUPPORTED);
    assert_int_equal(scratch.capacity, 0); /* nothing was allocated for a claim */
    page.unpacked_len = 9;
    assert_int_equal(dn_pq_page_unpack(&page, body, 3, &scratch, &out, &err), DN_ERR_UNSUPPORTED);
    assert_int_equal(dn_pq_page_unpack(&page, body, DN_CODEC_ZSTD, &scratch, &out, NULL),
                     DN_ERR_DATA);
    dn_buffer_finish(&scratch);
}

/* LZ4 of old writers: blocks as Hadoop frames them, or one without any frame; both are to end where the page does. */
static void test_old_lz4(void **state)
{
    (void)state;
    static const uint8_t frames[] = {0,   0, 0, 5, 0, 0, 0, 6, 0x50, 'h',  'e', 'l', 'l',
                                     'o', 0, 0, 0, 3, 0, 0, 0, 4,    0x30, '1', '2', '3'};
    struct dn_pq_page_head page = {.packed_len = sizeof frames, .unpacked_len = 8};
    struct dn_buffer scratch = {0};
    struct dn_span out;

    assert_int_equal(dn_pq_page_unpack(&page, span(frames, sizeof frames), 5, &scratch, &out, NULL),
                     DN_OK);
    assert_int_equal(out.len, 8);
    assert_memory_equal(out.data, "hello123", 8);
    for (size_t len = 0; len < sizeof frames; len++) {
        page.packed_len = (int32_t)len;
        assert_int_equal(dn_pq_page_unpack(&page, span(frames, len), 5, &scratch, &out, NULL),
                         DN_ERR_DATA);
    }
    page.packed_len = 6;
    page.unpacked_len = 5;
    assert_int_equal(dn_pq_page_unpack(&page, span(frames + 8, 6), 5, &scratch, &out, NULL), DN_OK);
    assert_memory_equal(out.data, "hello", 5);
    page.unpacked_len = 8;
    for (size_t i = 0; i < 8; i++) { /* lengths that lie */
        uint8_t damaged[sizeof frames];
        memcpy(damaged, frames, sizeof frames);
        damaged[i] ^= 0x81;
        page.packed_len = sizeof damaged;
        assert_int_equal(
            dn_pq_page_unpack(&page, span(damaged, sizeof damaged), 5, &scratch, &out, NULL),
            DN_ERR_DATA);
    }
    dn_buffer_finish(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_unknown_fields_are_skipped),
        cmocka_unit_test(test_damaged_thrift),
        cmocka_unit_test(test_hybrid),
        cmocka_unit_test(test_hybrid_every_width),
        cmocka_unit_test(test_damaged_hybrid),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_bit_packed_levels),
        cmocka_unit_test(test_levels_as_numbers),
        cmocka_unit_test(test_header),
        cmocka_unit_test(test_dictionary_header),
        cmocka_unit_test(test_v2_header),
        cmocka_unit_test(test_v2_body),
        cmocka_unit_test(test_old_lz4),
        cmocka_unit_test(test_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
