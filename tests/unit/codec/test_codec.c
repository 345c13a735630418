#include "codec/codec.h"

#include "scratch.h"

static const enum dn_codec_id all[] = {DN_CODEC_NONE,   DN_CODEC_SNAPPY, DN_CODEC_GZIP,
                                       DN_CODEC_BROTLI, DN_CODEC_ZSTD,   DN_CODEC_LZ4_RAW};
#define N_ALL (sizeof(all) / sizeof(all[0]))

/* ---- names ------------------------------------------------------------------------------------------------------- */

static void check_parsed(const char *text, enum dn_codec_id wanted_id, int32_t wanted_level)
{
    enum dn_codec_id id = DN_CODEC_NONE;
    int32_t level = 99;
    struct dn_error err;

    assert_int_equal(dn_codec_parse(text, &id, &level, &err), DN_OK);
    assert_int_equal(id, wanted_id);
    assert_int_equal(level, wanted_level);
}

static void check_refused(const char *text, const char *words)
{
    enum dn_codec_id id = DN_CODEC_ZSTD;
    int32_t level = 99;
    struct dn_error err;

    assert_int_equal(dn_codec_parse(text, &id, &level, &err), DN_ERR_INVALID);
    assert_int_equal(id, DN_CODEC_ZSTD); /* written on success only */
    assert_int_equal(level, 99);
    if (strstr(err.message, words) == NULL) {
        fail_msg("'%s' is not in: %s", words, err.message);
    }
    assert_int_equal(dn_codec_parse(text, &id, &level, NULL), DN_ERR_INVALID);
}

static void test_parse(void **state)
{
    (void)state;
    check_parsed("none", DN_CODEC_NONE, DN_CODEC_LEVEL_DEFAULT);
    check_parsed("snappy", DN_CODEC_SNAPPY, DN_CODEC_LEVEL_DEFAULT);
    check_parsed("SNAPPY", DN_CODEC_SNAPPY, DN_CODEC_LEVEL_DEFAULT);
    check_parsed("lz4_raw", DN_CODEC_LZ4_RAW, DN_CODEC_LEVEL_DEFAULT);
    check_parsed("zstd:9", DN_CODEC_ZSTD, 9);
    check_parsed("zstd:-7", DN_CODEC_ZSTD, -7);
    check_parsed("zstd:+3", DN_CODEC_ZSTD, 3);
    check_parsed("zstd:0", DN_CODEC_ZSTD, 0);
    check_parsed("zstd:22", DN_CODEC_ZSTD, 22);
    check_parsed("gzip:1", DN_CODEC_GZIP, 1);
    check_parsed("gzip:12", DN_CODEC_GZIP, 12);
    check_parsed("brotli:0", DN_CODEC_BROTLI, 0);
    check_parsed("brotli:11", DN_CODEC_BROTLI, 11);
    for (size_t i = 0; i < N_ALL; i++) {
        check_parsed(dn_codec_name(all[i]), all[i], DN_CODEC_LEVEL_DEFAULT);
    }
    assert_string_equal(dn_codec_name((enum dn_codec_id)3), "unknown");
}

static void test_unknown_names(void **state)
{
    (void)state;
    static const char *const listed[] = {"none",         "snappy",      "gzip:1..12",
                                         "brotli:0..11", "zstd:-7..22", "lz4_raw"};

    for (size_t i = 0; i < sizeof(listed) / sizeof(listed[0]); i++) {
        check_refused("quux", listed[i]);
        check_refused("", listed[i]);
        check_refused(NULL, listed[i]);
        check_refused("zsdt", listed[i]);
    }
    check_refused("zsdt", "did you mean 'zstd'");
    check_refused("zsdt:4", "did you mean 'zstd'");
    check_refused("snapy", "did you mean 'snappy'");
    check_refused("lz4", "did you mean 'lz4_raw'");
    check_refused("LZ4", "did you mean 'lz4_raw'");
    check_refused("lz4:3", "did you mean 'lz4_raw'");
    check_refused("gz", "did you mean 'gzip'");
    check_refused("uncompressed", "did you mean 'none'");
    check_refused("lzo", "there is no codec 'lzo'");
    check_refused(":3", "there is no codec ':3'");
    check_refused("a name that is much longer than any codec's could ever be", "there is no codec");
}

static void test_bad_levels(void **state)
{
    (void)state;
    check_refused("zstd:23", "-7 to 22");
    check_refused("zstd:-8", "-7 to 22");
    check_refused("gzip:0", "1 to 12");
    check_refused("gzip:13", "1 to 12");
    check_refused("brotli:-1", "0 to 11");
    check_refused("brotli:12", "0 to 11");
    check_refused("snappy:3", "takes no level");
    check_refused("lz4_raw:1", "takes no level");
    check_refused("none:0", "takes no level");
    check_refused("zstd:", "level ''");
    check_refused("zstd:-", "level '-'");
    check_refused("zstd:9x", "level '9x'");
    check_refused("zstd: 9", "level ' 9'");
    check_refused("zstd:99999999999", "99999999999");
    check_refused("zstd:3:4", "level '3:4'");
}

static void test_create_checks_levels(void **state)
{
    (void)state;
    static const struct {
        enum dn_codec_id id;
        int32_t level;
        enum dn_status wanted;
    } cases[] = {
        {DN_CODEC_ZSTD, 23, DN_ERR_INVALID},
        {DN_CODEC_ZSTD, -8, DN_ERR_INVALID},
        {DN_CODEC_GZIP, 0, DN_ERR_INVALID},
        {DN_CODEC_GZIP, 13, DN_ERR_INVALID},
        {DN_CODEC_BROTLI, 12, DN_ERR_INVALID},
        {DN_CODEC_SNAPPY, 3, DN_ERR_INVALID},
        {DN_CODEC_LZ4_RAW, 0, DN_ERR_INVALID},
        {DN_CODEC_NONE, 1, DN_ERR_INVALID},
        {(enum dn_codec_id)3, DN_CODEC_LEVEL_DEFAULT, DN_ERR_UNSUPPORTED},
        {(enum dn_codec_id)5, DN_CODEC_LEVEL_DEFAULT, DN_ERR_UNSUPPORTED},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct dn_compressor *c = (struct dn_compressor *)&c;
        struct dn_error err;
        assert_int_equal(dn_compressor_create(&c, cases[i].id, cases[i].level, &err),
                         cases[i].wanted);
        assert_null(c);
        assert_true(err.message[0] != '\0');
    }
    dn_compressor_destroy(NULL);
}

/* ---- round trips ------------------------------------------------------------------------------------------------- */

enum kind {
    KIND_ZEROS,
    KIND_TEXT,
    KIND_RANDOM,
    N_KINDS
};

static void fill(uint8_t *data, size_t len, enum kind kind)
{
    static const char *const words[] = {"furiously ",  "regular ", "deposits ", "sleep ",
                                        "1996-03-13,", "17,",      "\n"};
    uint64_t seed = len + 1;

    memset(data, 0, len);
    if (kind == KIND_RANDOM) {
        for (size_t i = 0; i < len; i++) {
            data[i] = (uint8_t)scratch_random(&seed);
        }
    } else if (kind == KIND_TEXT) {
        for (size_t i = 0; i < len;) {
            const char *word = words[scratch_random(&seed) % 7];
            size_t n = strlen(word) < len - i ? strlen(word) : len - i;
            memcpy(data + i, word, n);
            i += n;
        }
    }
}

static struct dn_compressor *create(enum dn_codec_id id, int32_t level)
{
    struct dn_compressor *c = NULL;
    struct dn_error err;

    dn_error_clear(&err);
    enum dn_status st = dn_compressor_create(&c, id, level, &err);
    assert_string_equal(err.message, "");
    assert_int_equal(st, DN_OK);
    return c;
}

static void check_round_trip(struct dn_compressor *c, enum dn_codec_id id, struct dn_span in)
{
    struct dn_buffer packed = {0};
    struct dn_buffer again = {0};
    struct dn_buffer plain = {0};

    assert_int_equal(dn_buffer_append(&packed, "head", 4, NULL), DN_OK); /* both append */
    assert_int_equal(dn_buffer_append(&plain, "front", 5, NULL), DN_OK);
    assert_int_equal(dn_compress(c, in, &packed, NULL), DN_OK);
    assert_int_equal(dn_compress(c, in, &again, NULL),
                     DN_OK); /* a used context gives the same bytes */
    assert_int_equal(again.len, packed.len - 4);
    if (again.len > 0) {
        assert_memory_equal(again.data, packed.data + 4, again.len);
    }
    struct dn_span body = {packed.data + 4, packed.len - 4};
    assert_int_equal(dn_decompress(id, body, in.len, &plain, NULL), DN_OK);
    assert_int_equal(plain.len, in.len + 5);
    assert_memory_equal(plain.data, "front", 5);
    assert_memory_equal(packed.data, "head", 4);
    if (in.len > 0) {
        assert_memory_equal(plain.data + 5, in.data, in.len);
    }
    dn_buffer_finish(&packed);
    dn_buffer_finish(&again);
    dn_buffer_finish(&plain);
}

static void test_round_trips(void **state)
{
    (void)state;
    static const size_t sizes[] = {0,    1,     2,     15,    64,     1000,
                                   4096, 65535, 65536, 70001, 262144, 1048577};
    static const struct {
        enum dn_codec_id id;
        int32_t level;
    } cases[] = {
        {DN_CODEC_NONE, DN_CODEC_LEVEL_DEFAULT},
        {DN_CODEC_SNAPPY, DN_CODEC_LEVEL_DEFAULT},
        {DN_CODEC_LZ4_RAW, DN_CODEC_LEVEL_DEFAULT},
        {DN_CODEC_GZIP, DN_CODEC_LEVEL_DEFAULT},
        {DN_CODEC_GZIP, 1},
        {DN_CODEC_GZIP, 12},
        {DN_CODEC_ZSTD, DN_CODEC_LEVEL_DEFAULT},
        {DN_CODEC_ZSTD, -7},
        {DN_CODEC_ZSTD, 0},
        {DN_CODEC_ZSTD, 1},
        {DN_CODEC_ZSTD, 9},
        {DN_CODEC_ZSTD, DN_CODEC_LEVEL_NUMBERS},
        {DN_CODEC_ZSTD, 22},
        {DN_CODEC_BROTLI, DN_CODEC_LEVEL_DEFAULT},
        {DN_CODEC_BROTLI, 0},
        {DN_CODEC_BROTLI, 1},
        {DN_CODEC_BROTLI, 2},
        {DN_CODEC_BROTLI, 9},
        {DN_CODEC_BROTLI, 11},
    };
    uint8_t *data = malloc(1048577);

    assert_non_null(data);
    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        struct dn_compressor *c = create(cases[k].id, cases[k].level);
        bool slow = (cases[k].id == DN_CODEC_BROTLI && cases[k].level == 11) ||
                    (cases[k].id == DN_CODEC_ZSTD && cases[k].level == 22);
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            if (slow && sizes[i] > 70001) {
                continue;
            }
            for (int kind = 0; kind < N_KINDS; kind++) {
                fill(data, sizes[i], (enum kind)kind);
                check_round_trip(c, cases[k].id, (struct dn_span){data, sizes[i]});
            }
        }
        check_round_trip(c, cases[k].id, (struct dn_span){NULL, 0});
        dn_compressor_destroy(c);
    }
    free(data);
}

static size_t compressed_size(enum dn_codec_id id, int32_t level, struct dn_span in)
{
    struct dn_compressor *c = create(id, level);
    struct dn_buffer packed = {0};

    assert_int_equal(dn_compress(c, in, &packed, NULL), DN_OK);
    size_t len = packed.len;
    dn_buffer_finish(&packed);
    dn_compressor_destroy(c);
    return len;
}

static void pack(struct dn_compressor *c, struct dn_span in, struct dn_buffer *packed)
{
    dn_buffer_reset(packed);
    assert_int_equal(dn_compress(c, in, packed, NULL), DN_OK);
}

/* A compressor that had other levels gives the bytes of a new one. */
static void test_levels_change(void **state)
{
    static const int32_t levels[] = {9,
                                     DN_CODEC_LEVEL_NEAR,
                                     -7,
                                     DN_CODEC_LEVEL_NUMBERS,
                                     DN_CODEC_LEVEL_DEFAULT,
                                     DN_CODEC_LEVEL_NEAR,
                                     1,
                                     DN_CODEC_LEVEL_NUMBERS,
                                     22,
                                     0,
                                     2};
    static uint8_t data[100000];
    const struct dn_span in = {data, sizeof(data)};
    struct dn_buffer packed = {0};
    struct dn_buffer expected = {0};

    (void)state;
    fill(data, sizeof(data), KIND_TEXT);
    for (size_t i = 0; i < N_ALL; i++) {
        const bool has_levels = all[i] == DN_CODEC_ZSTD; /* that change */
        struct dn_compressor *c = create(all[i], DN_CODEC_LEVEL_DEFAULT);
        for (size_t k = 0; k < sizeof(levels) / sizeof(levels[0]); k++) {
            struct dn_compressor *fresh =
                create(all[i], has_levels ? levels[k] : DN_CODEC_LEVEL_DEFAULT);
            assert_int_equal(dn_compressor_set_level(c, levels[k], NULL), DN_OK);
            pack(c, in, &packed);
            pack(fresh, in, &expected);
            assert_int_equal(packed.len, expected.len);
            assert_memory_equal(packed.data, expected.data, packed.len);
            dn_compressor_destroy(fresh);
        }
        assert_int_equal(dn_compressor_set_level(c, 99, NULL), has_levels ? DN_ERR_INVALID : DN_OK);
        dn_compressor_destroy(c);
    }
    dn_buffer_finish(&packed);
    dn_buffer_finish(&expected);
}

static void test_levels_matter(void **state)
{
    (void)state;
    static uint8_t data[300000];
    struct dn_span in = {data, sizeof(data)};

    fill(data, sizeof(data), KIND_TEXT);
    for (size_t i = 1; i < N_ALL; i++) { /* all but none */
        assert_true(compressed_size(all[i], DN_CODEC_LEVEL_DEFAULT, in) < sizeof(data) / 2);
    }
    assert_true(compressed_size(DN_CODEC_ZSTD, 19, in) < compressed_size(DN_CODEC_ZSTD, -7, in));
    assert_true(compressed_size(DN_CODEC_GZIP, 12, in) < compressed_size(DN_CODEC_GZIP, 1, in));
    assert_true(compressed_size(DN_CODEC_BROTLI, 9, in) < compressed_size(DN_CODEC_BROTLI, 0, in));
    assert_int_equal(compressed_size(DN_CODEC_ZSTD, DN_CODEC_LEVEL_DEFAULT, in),
                     compressed_size(DN_CODEC_ZSTD, 3, in));
    assert_int_equal(compressed_size(DN_CODEC_ZSTD, 0, in), compressed_size(DN_CODEC_ZSTD, 3, in));
    assert_int_equal(compressed_size(DN_CODEC_GZIP, DN_CODEC_LEVEL_DEFAULT, in),
                     compressed_size(DN_CODEC_GZIP, 6, in));
    assert_int_equal(compressed_size(DN_CODEC_BROTLI, DN_CODEC_LEVEL_DEFAULT, in),
                     compressed_size(DN_CODEC_BROTLI, 5, in));
}

/* ---- formats, against bytes made by others ----------------------------------------------------------------------- */

static void check_plain(enum dn_codec_id id, const void *packed, size_t packed_len,
                        const char *wanted)
{
    struct dn_buffer plain = {0};

    assert_int_equal(
        dn_decompress(id, (struct dn_span){packed, packed_len}, strlen(wanted), &plain, NULL),
        DN_OK);
    assert_int_equal(plain.len, strlen(wanted));
    if (plain.len > 0) {
        assert_memory_equal(plain.data, wanted, plain.len);
    }
    dn_buffer_finish(&plain);
}

static void test_known_bytes(void **state)
{
    (void)state;
    /* Written out by hand from the format descriptions. */
    static const uint8_t snappy[] = {5, 4 << 2, 'h', 'e', 'l', 'l', 'o'};
    static const uint8_t lz4[] = {0x50, 'h', 'e', 'l', 'l', 'o'};
    static const uint8_t lz4_match[] = {0x13, 'a', 1,   0,   0x50,
                                        'b',  'c', 'd', 'e', 'f'}; /* a, then 7 from 1 back */
    static const uint8_t gzip[] = {0x1f, 0x8b, 8,    0,    0,    0,   0,   0,   0,   3,
                                   1,    5,    0,    0xfa, 0xff, 'h', 'e', 'l', 'l', 'o',
                                   0x86, 0xa6, 0x10, 0x36, 5,    0,   0,   0};
    static const uint8_t zstd[] = {0x28, 0xb5, 0x2f, 0xfd, 0x20, 5,   0x29,
                                   0,    0,    'h',  'e',  'l',  'l', 'o'};
    static const uint8_t brotli[] = {0x0b, 0x02, 0x80, 'h', 'e', 'l', 'l', 'o', 3};
    uint8_t two[2 * sizeof(gzip)];

    check_plain(DN_CODEC_NONE, "hello", 5, "hello");
    check_plain(DN_CODEC_SNAPPY, snappy, sizeof(snappy), "hello");
    check_plain(DN_CODEC_LZ4_RAW, lz4, sizeof(lz4), "hello");
    check_plain(DN_CODEC_LZ4_RAW, lz4_match, sizeof(lz4_match), "aaaaaaaabcdef");
    check_plain(DN_CODEC_GZIP, gzip, sizeof(gzip), "hello");
    check_plain(DN_CODEC_ZSTD, zstd, sizeof(zstd), "hello");
    check_plain(DN_CODEC_BROTLI, brotli, sizeof(brotli), "hello");
    memcpy(two, gzip, sizeof(gzip)); /* two members are one stream */
    memcpy(two + sizeof(gzip), gzip, sizeof(gzip));
    check_plain(DN_CODEC_GZIP, two, sizeof(two), "hellohello");
    for (size_t i = 0; i < N_ALL; i++) {
        check_plain(all[i], NULL, 0, ""); /* nothing for nothing, as some writers store it */
    }
}

/* ---- damage ------------------------------------------------------------------------------------------------------ */

static void check_damaged(enum dn_codec_id id, struct dn_span in, size_t out_len)
{
    struct dn_buffer plain = {0};
    struct dn_error err;

    assert_int_equal(dn_buffer_append(&plain, "keep", 4, NULL), DN_OK);
    assert_int_equal(dn_decompress(id, in, out_len, &plain, &err), DN_ERR_DATA);
    assert_non_null(strstr(err.message, dn_codec_name(id)));
    assert_non_null(strstr(err.message, "damaged"));
    assert_int_equal(plain.len, 4);
    dn_buffer_finish(&plain);
}

static void test_wrong_lengths_and_cut_input(void **state)
{
    (void)state;
    static uint8_t data[5000];
    uint8_t garbage[300];

    fill(data, sizeof(data), KIND_TEXT);
    memset(garbage, 0xFF, sizeof(garbage));
    for (size_t i = 0; i < N_ALL; i++) {
        struct dn_compressor *c = create(all[i], DN_CODEC_LEVEL_DEFAULT);
        struct dn_buffer packed = {0};

        assert_int_equal(dn_compress(c, (struct dn_span){data, sizeof(data)}, &packed, NULL),
                         DN_OK);
        struct dn_span whole = dn_buffer_span(&packed);
        check_damaged(all[i], whole, sizeof(data) - 1);
        check_damaged(all[i], whole, sizeof(data) + 1);
        check_damaged(all[i], whole, 0);
        check_damaged(all[i], whole, (size_t)INT32_MAX + 1);
        for (size_t len = 0; len < whole.len; len += len < 40 || len + 40 > whole.len ? 1 : 37) {
            uint8_t *exact = malloc(len + 1); /* so that a sanitizer sees reads past the end */
            assert_non_null(exact);
            memcpy(exact + 1, whole.data, len);
            check_damaged(all[i], (struct dn_span){exact + 1, len}, sizeof(data));
            free(exact);
        }
        if (all[i] != DN_CODEC_NONE) {
            check_damaged(all[i], (struct dn_span){garbage, sizeof(garbage)}, sizeof(data));
            assert_int_equal(dn_buffer_append(&packed, garbage, 3, NULL),
                             DN_OK); /* something after the end */
            check_damaged(all[i], dn_buffer_span(&packed), sizeof(data));
        }
        dn_buffer_finish(&packed);
        dn_compressor_destroy(c);
    }
    struct dn_buffer plain = {0};
    assert_int_equal(
        dn_decompress((enum dn_codec_id)5, (struct dn_span){data, 10}, 10, &plain, NULL),
        DN_ERR_UNSUPPORTED);
    dn_buffer_finish(&plain);
}

/* A flipped bit must never crash or overrun; gzip, which has a checksum, must notice whatever changes the data. */
static void test_flipped_bits(void **state)
{
    (void)state;
    static uint8_t data[600];

    fill(data, sizeof(data), KIND_TEXT);
    for (size_t i = 0; i < N_ALL; i++) {
        struct dn_compressor *c = create(all[i], DN_CODEC_LEVEL_DEFAULT);
        struct dn_buffer packed = {0};
        size_t n_noticed = 0;

        assert_int_equal(dn_compress(c, (struct dn_span){data, sizeof(data)}, &packed, NULL),
                         DN_OK);
        for (size_t bit = 0; bit < packed.len * 8; bit++) {
            struct dn_buffer plain = {0};
            packed.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
            enum dn_status st =
                dn_decompress(all[i], dn_buffer_span(&packed), sizeof(data), &plain, NULL);
            packed.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_true(st == DN_OK || st == DN_ERR_DATA);
            assert_int_equal(plain.len, st == DN_OK ? sizeof(data) : 0);
            n_noticed += st == DN_ERR_DATA;
            if (all[i] == DN_CODEC_GZIP &&
                st == DN_OK) { /* a bit that says nothing, in the header or as padding */
                assert_memory_equal(plain.data, data, sizeof(data));
            }
            dn_buffer_finish(&plain);
        }
        assert_true(all[i] == DN_CODEC_NONE || n_noticed > 0);
        dn_buffer_finish(&packed);
        dn_compressor_destroy(c);
    }
}

/* ---- the rest ---------------------------------------------------------------------------------------------------- */

static void test_crc32(void **state)
{
    (void)state;
    uint32_t crc = dn_crc32(0, "123456789", 9);

    assert_int_equal(crc, 0xCBF43926u); /* the check value of CRC-32/ISO-HDLC */
    assert_int_equal(dn_crc32(dn_crc32(0, "1234", 4), "56789", 5), crc);
    assert_int_equal(dn_crc32(crc, NULL, 0), crc);
    assert_int_equal(dn_crc32(0, NULL, 0), 0);
}

static void test_too_much_for_one_page(void **state)
{
    (void)state;
    uint8_t byte = 0;

    for (size_t i = 0; i < N_ALL; i++) {
        struct dn_compressor *c = create(all[i], DN_CODEC_LEVEL_DEFAULT);
        struct dn_buffer packed = {0};
        struct dn_error err;
        /* refused by the length alone: nothing is read */
        assert_int_equal(
            dn_compress(c, (struct dn_span){&byte, (size_t)INT32_MAX + 1}, &packed, &err),
            DN_ERR_INVALID);
        assert_non_null(strstr(err.message, "2147483648"));
        assert_null(packed.data);
        dn_compressor_destroy(c);
    }
}

static void test_full_buffer(void **state)
{
    (void)state;
    static uint8_t data[5000];

    fill(data, sizeof(data), KIND_RANDOM);
    for (size_t i = 0; i < N_ALL; i++) {
        struct dn_compressor *c = create(all[i], DN_CODEC_LEVEL_DEFAULT);
        struct dn_buffer small;
        dn_buffer_init(&small, 1000);
        assert_int_equal(dn_compress(c, (struct dn_span){data, sizeof(data)}, &small, NULL),
                         DN_ERR_MEMORY);
        assert_int_equal(dn_decompress(all[i], (struct dn_span){data, 100}, 5000, &small, NULL),
                         DN_ERR_MEMORY);
        assert_int_equal(small.len, 0);
        dn_buffer_finish(&small);
        dn_compressor_destroy(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_unknown_names),
        cmocka_unit_test(test_bad_levels),
        cmocka_unit_test(test_create_checks_levels),
        cmocka_unit_test(test_round_trips),
        cmocka_unit_test(test_levels_change),
        cmocka_unit_test(test_levels_matter),
        cmocka_unit_test(test_known_bytes),
        cmocka_unit_test(test_wrong_lengths_and_cut_input),
        cmocka_unit_test(test_flipped_bits),
        cmocka_unit_test(test_crc32),
        cmocka_unit_test(test_too_much_for_one_page),
        cmocka_unit_test(test_full_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
