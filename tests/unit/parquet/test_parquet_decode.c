/* The values of one page, in every encoding of every type, as the reader asks for them. */
#include "parquet/encoding/bits.h"
#include "parquet/encoding/delta.h"
#include "parquet/read/decode.h"

#include "scratch.h"

static struct dn_span span(const void *data, size_t len)
{
    return (struct dn_span){data, len};
}
#define SPAN(...) span((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

struct rig {
    struct dn_pq_element element;
    struct dn_pq_leaf leaf;
    struct dn_pq_decoder *d;
};

static struct rig *rig_for(int32_t type, int32_t type_length)
{
    static struct rig r;

    r = (struct rig){.element = {.type = type, .type_length = type_length}};
    r.leaf = (struct dn_pq_leaf){.element = &r.element};
    assert_int_equal(dn_pq_decoder_create(&r.d, &r.leaf, NULL), DN_OK);
    return &r;
}

static void test_plain_fixed(void **state)
{
    (void)state;
    struct rig *r = rig_for(DN_PQ_INT32, 0);
    struct dn_error err = {0};
    uint8_t got[8];

    assert_int_equal(
        dn_pq_decoder_begin(r->d, DN_PQ_PLAIN, SPAN(1, 2, 3, 4, 5, 6, 7, 8, 9), 2, NULL, NULL),
        DN_OK);
    assert_int_equal(dn_pq_decoder_read(r->d, 1, got, NULL), DN_OK);
    assert_int_equal(dn_pq_decoder_read(r->d, 1, got + 4, NULL), DN_OK);
    assert_memory_equal(got, "\1\2\3\4\5\6\7\10", 8);
    assert_int_equal(dn_pq_decoder_left(r->d), 1);
    assert_int_equal(dn_pq_decoder_read(r->d, 1, got, &err), DN_ERR_DATA);
    assert_non_null(strstr(err.message, "0 are left, not 1"));
    assert_int_equal(
        dn_pq_decoder_begin(r->d, DN_PQ_PLAIN, SPAN(1, 2, 3, 4, 5, 6, 7), 2, NULL, &err),
        DN_ERR_DATA);
    assert_non_null(strstr(err.message, "2 values do not fit into 7 bytes"));
    assert_int_equal(dn_pq_decoder_read(r->d, 1, got, NULL),
                     DN_ERR_DATA); /* a page that failed has none */
    dn_pq_decoder_destroy(r->d);
}

static void test_booleans(void **state)
{
    (void)state;
    struct rig *r = rig_for(DN_PQ_BOOLEAN, 0);
    uint8_t got[20];

    assert_int_equal(dn_pq_decoder_begin(r->d, DN_PQ_PLAIN, SPAN(0x05, 0x01), 9, NULL, NULL),
                     DN_OK);
    assert_int_equal(dn_pq_decoder_read(r->d, 3, got, NULL), DN_OK);
    assert_int_equal(dn_pq_decoder_read(r->d, 6, got + 3, NULL), DN_OK);
    assert_memory_equal(got, "\1\0\1\0\0\0\0\0\1", 9);
    assert_int_equal(dn_pq_decoder_left(r->d), 0);
    assert_int_equal(dn_pq_decoder_begin(r->d, DN_PQ_PLAIN, SPAN(0x05, 0x01), 17, NULL, NULL),
                     DN_ERR_DATA);
    /* with a length in front, whatever the version of the page */
    const struct dn_span rle = SPAN(4, 0, 0, 0, 0x08, 1, 0x03, 0xb5);
    assert_int_equal(dn_pq_decoder_begin(r->d, DN_PQ_RLE, rle, 12, NULL, NULL), DN_OK);
    assert_int_equal(dn_pq_decoder_read(r->d, 5, got, NULL), DN_OK);
    assert_int_equal(dn_pq_decoder_read(r->d, 7, got + 5, NULL), DN_OK);
    assert_memory_equal(got, "\1\1\1\1\1\0\1\0\1\1\0\1", 12);
    assert_int_equal(dn_pq_decoder_left(r->d), 0);
    for (size_t len = 0; len < rle.len; len++) {
        uint8_t *cut = malloc(len + 1); /* not to be NULL; the byte is not told of */
        assert_non_null(cut);
        memcpy(cut, rle.data, len);
        assert_int_equal(dn_pq_decoder_begin(r->d, DN_PQ_RLE, span(cut, len), 12, NULL, NULL),
                         DN_ERR_DATA);
        free(cut);
    }
    assert_int_equal(dn_pq_decoder_begin(r->d, DN_PQ_RLE, span("", 0), 0, NULL, NULL), DN_OK);
    dn_pq_decoder_destroy(r->d);
}

static void test_dictionaries(void **state)
{
    (void)state;
    struct rig *r = rig_for(DN_PQ_FIXED_LEN_BYTE_ARRAY, 2);
    struct dn_pq_entries entries = {0};
    struct dn_error err = {0};
    uint8_t got[16];
    uint32_t ids[8];

    assert_int_equal(
        dn_pq_entries_read(&entries, &r->leaf, DN_PQ_PLAIN, span("aabbcc", 6), 3, NULL), DN_OK);
    assert_int_equal(dn_pq_decoder_begin(r->d, DN_PQ_RLE_DICTIONARY, SPAN(2, 0x06, 2, 0x04, 0), 5,
                                         &entries, NULL),
                     DN_OK);
    assert_int_equal(dn_pq_decoder_read(r->d, 4, got, NULL), DN_OK);
    assert_memory_equal(got, "ccccccaa", 8);
    assert_int_equal(dn_pq_decoder_read_ids(r->d, 1, ids, NULL), DN_OK);
    assert_int_equal(ids[0], 0);
    assert_int_equal(dn_pq_decoder_left(r->d), 0);
    /* 0..2 packed, then 3, which there is not */
    for (int32_t e = DN_PQ_PLAIN_DICTIONARY; e <= DN_PQ_RLE_DICTIONARY; e += 6) {
        assert_int_equal(dn_pq_decoder_begin(r->d, e, SPAN(2, 0x03, 0xe4, 0), 4, &entries, NULL),
                         DN_OK);
        assert_int_equal(dn_pq_decoder_read(r->d, 3, got, NULL), DN_OK);
        assert_memory_equal(got, "aabbcc", 6);
        assert_int_equal(dn_pq_decoder_read(r->d, 1, got, &err), DN_ERR_DATA);
        assert_non_null(strstr(err.message, "3 in a dictionary of 3 values"));
    }
    const struct dn_span large = SPAN(32, 0x02, 0xff, 0xff, 0xff, 0xff); /* an id of 2^32-1 */
    assert_int_equal(dn_pq_decoder_begin(r->d, DN_PQ_RLE_DICTIONARY, large, 1, &entries, NULL),
                     DN_OK);
    assert_int_equal(dn_pq_decoder_read_ids(r->d, 1, ids, &err), DN_ERR_DATA);
    assert_non_null(strstr(err.message, "4294967295 in a dictionary of 3 values"));
    assert_int_equal(
        dn_pq_decoder_begin(r->d, DN_PQ_RLE_DICTIONARY, SPAN(33, 2, 0), 1, &entries, NULL),
        DN_ERR_DATA);
    assert_int_equal(
        dn_pq_decoder_begin(r->d, DN_PQ_RLE_DICTIONARY, span("", 0), 1, &entries, NULL),
        DN_ERR_DATA);
    assert_int_equal(dn_pq_decoder_begin(r->d, DN_PQ_RLE_DICTIONARY, SPAN(1, 2, 0), 1, NULL, &err),
                     DN_ERR_DATA);
    assert_non_null(strstr(err.message, "without a dictionary before them"));
    /* a page of nulls has no dictionary, and may have no width */
    assert_int_equal(dn_pq_decoder_begin(r->d, DN_PQ_RLE_DICTIONARY, span("", 0), 0, NULL, NULL),
                     DN_OK);
    assert_int_equal(
        dn_pq_decoder_begin(r->d, DN_PQ_RLE_DICTIONARY, SPAN(0, 0x06), 3, &entries, NULL),
        DN_OK); /* width 0: the first */
    assert_int_equal(dn_pq_decoder_read(r->d, 3, got, NULL), DN_OK);
    assert_memory_equal(got, "aaaaaa", 6);
    dn_pq_entries_finish(&entries);
    assert_int_equal(dn_pq_entries_read(&entries, &r->leaf, DN_PQ_PLAIN, span("", 0), 0, NULL),
                     DN_OK);
    assert_int_equal(
        dn_pq_decoder_begin(r->d, DN_PQ_RLE_DICTIONARY, SPAN(0, 0x06), 3, &entries, NULL), DN_OK);
    assert_int_equal(dn_pq_decoder_read(r->d, 3, got, NULL), DN_ERR_DATA);
    dn_pq_entries_finish(&entries);
    dn_pq_decoder_destroy(r->d);
}

/* Ids of every width, in runs and packed, for entries of every size that has a loop of its own. */
static void test_gathers(void **state)
{
    (void)state;
    static const int32_t lengths[] = {1, 3, 4, 8, 12, 16, 17};
    uint64_t seed = 1;

    for (size_t l = 0; l < sizeof lengths / sizeof lengths[0]; l++) {
        const size_t width = (size_t)lengths[l];
        struct rig *r = rig_for(DN_PQ_FIXED_LEN_BYTE_ARRAY, lengths[l]);
        struct dn_pq_entries entries = {0};
        uint8_t plain[200 * 17];
        uint8_t body[1 + 5 + 3000] = {8, 200 << 1 & 0x7f, 3, 7}; /* one run of 200 */
        uint8_t *got = malloc(2200 * width);
        assert_non_null(got);
        for (size_t i = 0; i < sizeof plain; i++) {
            plain[i] = (uint8_t)scratch_random(&seed);
        }
        body[1] = (uint8_t)(400 & 0x7f) | 0x80; /* 200 << 1 */
        body[2] = 400 >> 7;
        body[3] = 7;
        body[4] = (250 << 1 & 0x7f) | 0x81; /* 250 groups of 8 */
        body[5] = 500 >> 7;
        for (size_t i = 0; i < 2000; i++) {
            body[6 + i] = (uint8_t)(scratch_random(&seed) % 200);
        }
        assert_int_equal(dn_pq_entries_read(&entries, &r->leaf, DN_PQ_PLAIN,
                                            span(plain, 200 * width), 200, NULL),
                         DN_OK);
        assert_int_equal(
            dn_pq_decoder_begin(r->d, DN_PQ_RLE_DICTIONARY, span(body, 2006), 2200, &entries, NULL),
            DN_OK);
        for (size_t done = 0, now = 0; done < 2200; done += now) {
            now = 1 + scratch_random(&seed) % (2200 - done);
            assert_int_equal(dn_pq_decoder_read(r->d, now, got + done * width, NULL), DN_OK);
        }
        for (size_t i = 0; i < 2200; i++) {
            const size_t id = i < 200 ? 7 : body[6 + i - 200];
            assert_memory_equal(got + i * width, plain + id * width, width);
        }
        assert_int_equal(dn_pq_decoder_left(r->d), 0);
        dn_pq_entries_finish(&entries);
        dn_pq_decoder_destroy(r->d);
        free(got);
    }
}

static void test_dictionary_pages(void **state)
{
    (void)state;
    struct rig *r = rig_for(DN_PQ_BYTE_ARRAY, 0);
    struct dn_pq_entries entries = {0};
    struct dn_error err = {0};
    struct dn_span got[2];
    const struct dn_span texts = SPAN(2, 0, 0, 0, 'h', 'i', 0, 0, 0, 0);

    assert_int_equal(dn_pq_entries_read(&entries, &r->leaf, DN_PQ_PLAIN_DICTIONARY, texts, 2, NULL),
                     DN_OK);
    assert_int_equal(
        dn_pq_decoder_begin(r->d, DN_PQ_RLE_DICTIONARY, SPAN(1, 3, 1), 2, &entries, NULL), DN_OK);
    assert_int_equal(dn_pq_decoder_read(r->d, 2, got, NULL), DN_OK);
    assert_int_equal(got[0].len, 0);
    assert_memory_equal(got[1].data, "hi", 2);
    dn_pq_entries_finish(&entries);
    assert_int_equal(dn_pq_entries_read(&entries, &r->leaf, DN_PQ_PLAIN, texts, 1000000000, &err),
                     DN_ERR_DATA);
    assert_int_equal(entries.values.capacity, 0); /* nothing was allocated for a claim */
    assert_int_equal(dn_pq_entries_read(&entries, &r->leaf, DN_PQ_DELTA_BYTE_ARRAY, texts, 1, &err),
                     DN_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "DELTA_BYTE_ARRAY (7)"));
    r->element.type = DN_PQ_BOOLEAN;
    assert_int_equal(dn_pq_entries_read(&entries, &r->leaf, DN_PQ_PLAIN, texts, 1, &err),
                     DN_ERR_DATA);
    dn_pq_entries_finish(&entries);
    dn_pq_decoder_destroy(r->d);
}

/* Which encoding may hold which type, over all numbers there are; what may not is said with both names. */
static void test_encodings_of_types(void **state)
{
    (void)state;
    /* by type: PLAIN 0, dictionaries 2 and 8, RLE 3, deltas 5 to 7, split 9 */
    static const uint32_t legal[] = {1U << 0 | 1U << 3,
                                     1U << 0 | 1U << 2 | 1U << 8 | 1U << 5 | 1U << 9,
                                     1U << 0 | 1U << 2 | 1U << 8 | 1U << 5 | 1U << 9,
                                     1U << 0 | 1U << 2 | 1U << 8,
                                     1U << 0 | 1U << 2 | 1U << 8 | 1U << 9,
                                     1U << 0 | 1U << 2 | 1U << 8 | 1U << 9,
                                     1U << 0 | 1U << 2 | 1U << 8 | 1U << 6 | 1U << 7,
                                     1U << 0 | 1U << 2 | 1U << 8 | 1U << 7 | 1U << 9};

    for (int32_t type = DN_PQ_BOOLEAN; type <= DN_PQ_FIXED_LEN_BYTE_ARRAY; type++) {
        struct rig *r = rig_for(type, 3);
        for (int32_t encoding = -1; encoding < 31; encoding++) {
            struct dn_error err = {0};
            const bool is_legal = encoding >= 0 && (legal[type] >> encoding & 1) != 0;
            const enum dn_status st =
                dn_pq_decoder_begin(r->d, encoding, span("", 0), 0, NULL, &err);
            assert_int_equal(st, is_legal ? DN_OK : DN_ERR_UNSUPPORTED);
            assert_int_equal(dn_pq_decoder_read(r->d, 0, NULL, NULL), DN_OK);
            assert_true(is_legal || strstr(err.message, "values cannot be read") != NULL);
        }
        dn_pq_decoder_destroy(r->d);
    }
}

static void test_split_needs_all_bytes(void **state)
{
    (void)state;
    struct rig *r = rig_for(DN_PQ_FLOAT, 0);
    struct dn_error err = {0};
    uint8_t got[8];

    assert_int_equal(dn_pq_decoder_begin(r->d, DN_PQ_BYTE_STREAM_SPLIT,
                                         SPAN(1, 5, 2, 6, 3, 7, 4, 8), 2, NULL, NULL),
                     DN_OK);
    assert_int_equal(dn_pq_decoder_read(r->d, 2, got, NULL), DN_OK);
    assert_memory_equal(got, "\1\2\3\4\5\6\7\10", 8);
    assert_int_equal(dn_pq_decoder_left(r->d), 0);
    for (size_t len = 0; len <= 12; len++) {
        const uint8_t bytes[12] = {0};
        assert_int_equal(
            dn_pq_decoder_begin(r->d, DN_PQ_BYTE_STREAM_SPLIT, span(bytes, len), 2, NULL, &err),
            len == 8 ? DN_OK : DN_ERR_DATA);
    }
    dn_pq_decoder_destroy(r->d);
}

static void test_delta_of_fixed_length(void **state)
{
    (void)state;
    struct rig *r = rig_for(DN_PQ_FIXED_LEN_BYTE_ARRAY, 3);
    const struct dn_span values[] = {span("abc", 3), span("abd", 3), span("abd", 3), span("xy", 2)};
    struct dn_buffer body = {0};
    struct dn_error err = {0};
    uint8_t got[12];

    assert_int_equal(dn_pq_delta_bytes_write(&body, values, 3, NULL), DN_OK);
    assert_int_equal(
        dn_pq_decoder_begin(r->d, DN_PQ_DELTA_BYTE_ARRAY, dn_buffer_span(&body), 3, NULL, NULL),
        DN_OK);
    assert_int_equal(dn_pq_decoder_read(r->d, 3, got, NULL), DN_OK);
    assert_memory_equal(got, "abcabdabd", 9);
    assert_int_equal(dn_pq_decoder_left(r->d), 0);
    dn_buffer_reset(&body);
    assert_int_equal(dn_pq_delta_bytes_write(&body, values, 4, NULL), DN_OK);
    assert_int_equal(
        dn_pq_decoder_begin(r->d, DN_PQ_DELTA_BYTE_ARRAY, dn_buffer_span(&body), 4, NULL, NULL),
        DN_OK);
    assert_int_equal(dn_pq_decoder_read(r->d, 4, got, &err), DN_ERR_DATA);
    assert_non_null(strstr(err.message, "one of 2 bytes in a column of 3"));
    dn_buffer_finish(&body);
    dn_pq_decoder_destroy(r->d);
}

/* Numbers and texts, in pieces; what is behind the last value is told. */
static void test_delta_of_numbers(void **state)
{
    (void)state;
    static const uint64_t numbers[] = {5, 4, UINT64_MAX, 0, 1U << 31, 7};
    struct dn_error err = {0};

    for (unsigned bits = 32; bits <= 64; bits += 32) {
        struct rig *r = rig_for(bits == 32 ? DN_PQ_INT32 : DN_PQ_INT64, 0);
        struct dn_buffer body = {0};
        uint8_t got[48];
        assert_int_equal(dn_pq_delta_write(&body, numbers, 6, bits, NULL), DN_OK);
        assert_int_equal(dn_buffer_append(&body, "xyz", 3, NULL), DN_OK);
        const struct dn_span in = dn_buffer_span(&body);
        assert_int_equal(dn_pq_decoder_begin(r->d, DN_PQ_DELTA_BINARY_PACKED, in, 6, NULL, NULL),
                         DN_OK);
        assert_int_equal(dn_pq_decoder_read(r->d, 2, got, NULL), DN_OK);
        assert_int_equal(dn_pq_decoder_read(r->d, 4, got + bits / 4, NULL), DN_OK);
        for (size_t i = 0; i < 6; i++) {
            assert_memory_equal(got + i * bits / 8, &numbers[i], bits / 8);
        }
        assert_int_equal(dn_pq_decoder_left(r->d), 3);
        assert_int_equal(dn_pq_decoder_begin(r->d, DN_PQ_DELTA_BINARY_PACKED, in, 5, NULL, &err),
                         DN_ERR_DATA);
        assert_non_null(strstr(err.message, "6 values where the page has 5"));
        dn_buffer_finish(&body);
        dn_pq_decoder_destroy(r->d);
    }
}

static void test_byte_arrays(void **state)
{
    (void)state;
    static const int32_t encodings[] = {DN_PQ_PLAIN, DN_PQ_DELTA_LENGTH_BYTE_ARRAY,
                                        DN_PQ_DELTA_BYTE_ARRAY};
    const struct dn_span texts[] = {span("one", 3), span("", 0), span("only", 4), span("only", 4)};
    struct rig *r = rig_for(DN_PQ_BYTE_ARRAY, 0);

    for (size_t e = 0; e < sizeof encodings / sizeof encodings[0]; e++) {
        struct dn_buffer body = {0};
        struct dn_span got[4];
        for (size_t i = 0; encodings[e] == DN_PQ_PLAIN && i < 4; i++) {
            const uint32_t len = (uint32_t)texts[i].len;
            assert_int_equal(dn_buffer_append(&body, &len, sizeof len, NULL), DN_OK);
            assert_int_equal(dn_buffer_append(&body, texts[i].data, len, NULL), DN_OK);
        }
        if (encodings[e] != DN_PQ_PLAIN) {
            assert_int_equal(encodings[e] == DN_PQ_DELTA_BYTE_ARRAY
                                 ? dn_pq_delta_bytes_write(&body, texts, 4, NULL)
                                 : dn_pq_delta_lengths_write(&body, texts, 4, NULL),
                             DN_OK);
        }
        assert_int_equal(dn_buffer_append_byte(&body, 'x', NULL), DN_OK);
        assert_int_equal(
            dn_pq_decoder_begin(r->d, encodings[e], dn_buffer_span(&body), 4, NULL, NULL), DN_OK);
        assert_int_equal(dn_pq_decoder_read(r->d, 1, got, NULL), DN_OK);
        assert_int_equal(dn_pq_decoder_read(r->d, 3, got + 1, NULL), DN_OK);
        for (size_t i = 0; i < 4; i++) {
            assert_int_equal(got[i].len, texts[i].len);
            assert_memory_equal(got[i].data, texts[i].data, texts[i].len);
        }
        assert_int_equal(dn_pq_decoder_left(r->d), 1);
        dn_buffer_finish(&body);
    }
    dn_pq_decoder_destroy(r->d);
}

static void test_ids_are_of_dictionaries_only(void **state)
{
    (void)state;
    struct rig *r = rig_for(DN_PQ_INT32, 0);
    uint32_t ids[1];

    assert_int_equal(dn_pq_decoder_begin(r->d, DN_PQ_PLAIN, SPAN(1, 2, 3, 4), 1, NULL, NULL),
                     DN_OK);
    assert_int_equal(dn_pq_decoder_read_ids(r->d, 0, ids, NULL), DN_OK);
    assert_int_equal(dn_pq_decoder_read_ids(r->d, 1, ids, NULL), DN_ERR_INVALID);
    assert_int_equal(dn_pq_decoder_read_ids(r->d, 2, ids, NULL), DN_ERR_DATA);
    dn_pq_decoder_destroy(r->d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_fixed),
        cmocka_unit_test(test_booleans),
        cmocka_unit_test(test_dictionaries),
        cmocka_unit_test(test_gathers),
        cmocka_unit_test(test_dictionary_pages),
        cmocka_unit_test(test_encodings_of_types),
        cmocka_unit_test(test_split_needs_all_bytes),
        cmocka_unit_test(test_delta_of_fixed_length),
        cmocka_unit_test(test_delta_of_numbers),
        cmocka_unit_test(test_byte_arrays),
        cmocka_unit_test(test_ids_are_of_dictionaries_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
