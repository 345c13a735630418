/**
 * Our snappy against the common library, which is linked to this program alone: what one writes the other reads, and of damaged
 * streams both think the same.  Every block lies between pages that cannot be touched.
 */
#include "codec/snappy.h"

#include "scratch.h"

#include <snappy-c.h>
#include <sys/mman.h>

/* ---- blocks between guard pages ---------------------------------------------------------------------------------- */

struct block {
    uint8_t *map;
    size_t size; /* without the guards */
};

static struct block block_make(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t whole = (size + page - 1) / page * page;
    uint8_t *map =
        mmap(NULL, page + whole + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert_true(map != MAP_FAILED);
    assert_int_equal(mprotect(map, page, PROT_NONE), 0);
    assert_int_equal(mprotect(map + page + whole, page, PROT_NONE), 0);
    return (struct block){map + page, whole};
}

static void block_free(struct block b)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    assert_int_equal(munmap(b.map - page, page + b.size + page), 0);
}

/* The last `len` bytes. */
static uint8_t *block_end(struct block b, size_t len)
{
    assert_true(len <= b.size);
    return b.map + b.size - len;
}

#define LARGEST ((size_t)300 * 1024)

static struct block plain_block;
static struct block packed_block;
static struct block result_block;
static struct dn_snappy_table table;

static int set_up(void **state)
{
    (void)state;
    plain_block = block_make(LARGEST);
    packed_block = block_make(dn_snappy_bound(LARGEST));
    result_block = block_make(LARGEST);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    block_free(plain_block);
    block_free(packed_block);
    block_free(result_block);
    return 0;
}

/* ---- what one writes the other reads ----------------------------------------------------------------------------- */

static void check_decodes(struct dn_span packed, const uint8_t *plain, size_t len)
{
    uint8_t *result = block_end(result_block, len);

    memset(result, 0xA5, len);
    const char *why = dn_snappy_decompress(packed, result, len);
    if (why != NULL) {
        fail_msg("%zu bytes: %s", len, why);
    }
    assert_true(memcmp(result, plain, len) == 0);
}

/* `plain` is at the end of its block.  Returns the packed length. */
static size_t check_both_ways(const uint8_t *plain, size_t len)
{
    size_t room = dn_snappy_bound(len);
    size_t result_len = len;
    uint8_t *packed = block_end(packed_block, room);

    memset(&table, 0x5A, sizeof(table)); /* what a call leaves behind means nothing to the next */
    size_t n = dn_snappy_compress(&table, (struct dn_span){plain, len}, packed);
    assert_in_range(n, 1, room);
    memset(block_end(result_block, len), 0xA5, len);
    assert_int_equal(snappy_uncompress((const char *)packed, n,
                                       (char *)block_end(result_block, len), &result_len),
                     SNAPPY_OK);
    assert_int_equal(result_len, len);
    assert_true(memcmp(block_end(result_block, len), plain, len) == 0);
    uint8_t *exact = block_end(packed_block, n);
    memmove(exact, packed, n);
    check_decodes((struct dn_span){exact, n}, plain, len);

    size_t theirs = snappy_max_compressed_length(len);
    assert_true(theirs <= packed_block.size);
    assert_int_equal(snappy_compress((const char *)plain, len, (char *)packed_block.map, &theirs),
                     SNAPPY_OK);
    exact = block_end(packed_block, theirs);
    memmove(exact, packed_block.map, theirs);
    check_decodes((struct dn_span){exact, theirs}, plain, len);
    return n;
}

enum shape {
    ZEROS,
    NOISE,
    WORDS,
    COUNTERS,
    FEW_VALUES,
    NOISE_THEN_COPIES,
    SMALL_NUMBERS,
    NUMBERS,
    HALF_NUMBERS,
    PRICES,
    CHANGING_NUMBERS,
    N_SHAPES
};

/* Eight bytes with low or high ones in common. */
static uint64_t number(enum shape shape, uint64_t r, size_t i)
{
    const double price = (double)(r % 9500000) / 100;
    uint64_t bits = 0;

    if (shape == CHANGING_NUMBERS) { /* every 80,024 bytes */
        const enum shape shapes[] = {NUMBERS, ZEROS, PRICES, NOISE, HALF_NUMBERS, COUNTERS};
        shape = shapes[i / 10003 / 8 % 6];
    }
    switch (shape) {
    case ZEROS:
        return 0;
    case COUNTERS:
        return 1000 + i / 8;
    case FEW_VALUES:
        return r % 5 * 77;
    case SMALL_NUMBERS:
        return r % 100000;
    case NUMBERS:
        return r % 2000000;
    case HALF_NUMBERS:
        return (uint64_t)((int64_t)(r % 2000000000) - 1000000000);
    case PRICES:
        memcpy(&bits, &price, sizeof(bits));
        return bits;
    default:
        return r;
    }
}

static uint8_t *fill(enum shape shape, size_t len, uint64_t seed)
{
    static const char words[] = "packages deposits requests among carefully even ironic final ";
    uint8_t *data = block_end(plain_block, len);

    for (size_t i = 0; i < len;) {
        uint64_t r = scratch_random(&seed);
        uint64_t value = number(shape, r, i);
        const void *from = &value;
        size_t n = 8;
        if (shape == WORDS) {
            from = words + r % 50;
            n = 1 + r / 64 % 10;
        } else if (shape == NOISE_THEN_COPIES && i > 0 && r % 3 != 0) {
            n = 1 + r / 4 % 90;
            from = data + r / 1024 % i;
        }
        n = shape == CHANGING_NUMBERS && i == 0 ? 3 : n; /* at no multiple of eight */
        n = n < len - i ? n : len - i;
        for (size_t k = 0; k < n; k++) { /* byte by byte: a source may overlap */
            data[i + k] = ((const uint8_t *)from)[k];
        }
        i += n;
    }
    return data;
}

static void test_every_short_length(void **state)
{
    (void)state;
    for (size_t len = 0; len < 700; len++) {
        for (int shape = 0; shape < N_SHAPES; shape++) {
            (void)check_both_ways(fill((enum shape)shape, len, len), len);
        }
    }
}

static void test_long_inputs(void **state)
{
    (void)state;
    static const size_t lengths[] = {4095,  4096,   4097,   65535,  65536,
                                     65537, 131072, 131073, 200003, LARGEST};

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        for (int shape = 0; shape < N_SHAPES; shape++) {
            (void)check_both_ways(fill((enum shape)shape, lengths[i], i), lengths[i]);
        }
    }
}

/* A match of every length from 4 to 140 at every kind of distance, between noise that does not match. */
static void test_matches_of_every_length_and_distance(void **state)
{
    (void)state;
    static const size_t distances[] = {1,    2,    3,    4,     5,     7,     8,    9,   15,
                                       16,   17,   31,   63,    64,    65,    255,  256, 2047,
                                       2048, 2049, 4096, 65534, 65535, 65536, 65537};

    for (size_t d = 0; d < sizeof(distances) / sizeof(distances[0]); d++) {
        size_t step = distances[d] > 4096 ? 17 : 1;
        for (size_t len = 4; len <= 140; len += step) {
            size_t total = distances[d] + len + 40;
            uint8_t *data = fill(NOISE, total, len * 1000 + d);
            for (size_t k = 0; k < len; k++) {
                data[distances[d] + k] = data[k];
            }
            (void)check_both_ways(data, total);
        }
    }
}

/* Literals of every length class, each ended by the dearest match there is. */
static void test_bound_holds_for_dear_inputs(void **state)
{
    (void)state;
    static const size_t literals[] = {1, 2, 59, 60, 61, 62, 255, 256, 257, 300, 2500};

    for (size_t i = 0; i < sizeof(literals) / sizeof(literals[0]); i++) {
        for (size_t match = 4; match < 8; match++) {
            uint8_t *data = fill(NOISE, LARGEST, i);
            for (size_t at = 60000; at + literals[i] + match <= LARGEST;) {
                at += literals[i];
                memmove(data + at, data + at - 50000, match);
                at += match;
            }
            assert_true(check_both_ways(data, LARGEST) <= LARGEST + LARGEST / 100);
        }
    }
}

/* The search may be quicker than the library's, but the files stay as small. */
static void test_size_is_that_of_the_library(void **state)
{
    (void)state;
    for (int shape = 0; shape < N_SHAPES; shape++) {
        uint8_t *data = fill((enum shape)shape, LARGEST, 7);
        size_t theirs = snappy_max_compressed_length(LARGEST);
        size_t ours = check_both_ways(data, LARGEST);
        assert_int_equal(
            snappy_compress((const char *)data, LARGEST, (char *)packed_block.map, &theirs),
            SNAPPY_OK);
        if (ours > theirs + theirs / 100) {
            fail_msg("shape %d: %zu bytes, the library makes %zu", shape, ours, theirs);
        }
    }
}

/* ---- streams that are damaged, or that no compressor writes ------------------------------------------------------ */

/* Ours takes the stream just when the library does, and gives the same bytes. */
static bool check_same_verdict(const uint8_t *packed, size_t len)
{
    static uint8_t theirs[LARGEST];
    size_t stated = 0;
    uint8_t *exact = block_end(packed_block, len);

    memmove(exact, packed, len);
    if (snappy_uncompressed_length((const char *)exact, len, &stated) != SNAPPY_OK ||
        stated > LARGEST) {
        size_t wrong = len % 50;
        assert_non_null(dn_snappy_decompress((struct dn_span){exact, len},
                                             block_end(result_block, wrong), wrong));
        return false;
    }
    size_t their_len = sizeof(theirs);
    bool they_take_it =
        snappy_uncompress((const char *)exact, len, (char *)theirs, &their_len) == SNAPPY_OK;
    uint8_t *result = block_end(result_block, stated);
    const char *why = dn_snappy_decompress((struct dn_span){exact, len}, result, stated);
    if (they_take_it != (why == NULL)) {
        fail_msg("%zu bytes for %zu: the library %s, ours says %s", len, stated,
                 they_take_it ? "takes them" : "refuses them", why == NULL ? "nothing" : why);
    }
    assert_true(!they_take_it || memcmp(theirs, result, stated) == 0);
    return they_take_it;
}

static void test_cut_streams(void **state)
{
    (void)state;
    static uint8_t packed[8192];
    static const size_t lengths[] = {10, 100, 1000, 3000};

    for (int shape = 0; shape < N_SHAPES; shape++) {
        for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
            uint8_t *data = fill((enum shape)shape, lengths[i], 11);
            size_t n = dn_snappy_compress(&table, (struct dn_span){data, lengths[i]}, packed);
            for (size_t cut = 0; cut < n; cut++) {
                assert_false(check_same_verdict(packed, cut));
            }
            assert_true(check_same_verdict(packed, n));
            packed[n] = 0; /* a literal of one byte, which is not there, and then is */
            packed[n + 1] = 'x';
            assert_false(check_same_verdict(packed, n + 1));
            assert_false(check_same_verdict(packed, n + 2));
        }
    }
}

static void test_changed_streams(void **state)
{
    (void)state;
    static uint8_t packed[8192];
    uint64_t seed = 5;
    size_t n_taken = 0;

    for (int round = 0; round < 40000; round++) {
        size_t len = 1 + scratch_random(&seed) % 900;
        uint8_t *data = fill((enum shape)(round % N_SHAPES), len, seed);
        size_t n = dn_snappy_compress(&table, (struct dn_span){data, len}, packed);
        for (size_t changes = 1 + scratch_random(&seed) % 3; changes > 0; changes--) {
            packed[scratch_random(&seed) % n] ^= (uint8_t)(1u << scratch_random(&seed) % 8);
        }
        n_taken += check_same_verdict(packed, n);
    }
    assert_in_range(n_taken, 1000, 39000); /* both kinds were seen */
}

/* One element: any kind, also those that no compressor writes; mostly right. */
static size_t put_element(uint8_t *out, size_t *plain_len, uint64_t *seed)
{
    uint64_t r = scratch_random(seed);
    uint64_t about = r % 50 == 0 ? *plain_len + 1 : *plain_len;
    uint64_t distance = about == 0 ? 0 : 1 + r / 64 % about;
    size_t len = 1 + r / 65536 % 64;

    switch (r / 8 % 4) {
    case 0: {
        size_t n_bytes = len > 60 ? 1 + r / 1024 % 4 : 0;
        size_t n = 0;
        out[n++] = (uint8_t)((n_bytes > 0 ? 59 + n_bytes : len - 1) << 2);
        for (size_t i = 0; i < n_bytes; i++) {
            out[n++] = (uint8_t)((len - 1) >> 8 * i);
        }
        for (size_t i = 0; i < len; i++) {
            out[n++] = (uint8_t)(r >> i % 57);
        }
        *plain_len += len;
        return n;
    }
    case 1:
        distance &= 2047;
        *plain_len += 4 + len % 8;
        out[0] = (uint8_t)(1 | len % 8 << 2 | distance >> 8 << 5);
        out[1] = (uint8_t)distance;
        return 2;
    default:
        *plain_len += len;
        out[0] = (uint8_t)((r / 8 % 4) | (len - 1) << 2);
        memcpy(out + 1, &distance, 4);
        return r / 8 % 4 == 2 ? 3 : 5;
    }
}

static void test_made_up_streams(void **state)
{
    (void)state;
    static uint8_t body[8192];
    static uint8_t packed[8192 + 8];
    uint64_t seed = 17;
    size_t n_taken = 0;

    for (int round = 0; round < 40000; round++) {
        size_t plain_len = 0;
        size_t n_body = 0;
        for (size_t n = scratch_random(&seed) % 40; n > 0; n--) {
            n_body += put_element(body + n_body, &plain_len, &seed);
        }
        uint64_t r = scratch_random(&seed);
        size_t stated = r % 20 == 0 ? plain_len + r / 64 % 3 - 1 : plain_len;
        stated = plain_len == 0 ? 0 : stated;
        size_t n = 0;
        for (size_t left = stated; left >= 128; left >>= 7) {
            packed[n++] = (uint8_t)(left | 128);
        }
        packed[n] = (uint8_t)(stated >> 7 * n);
        memcpy(packed + n + 1, body, n_body);
        n_taken += check_same_verdict(packed, n + 1 + n_body);
    }
    assert_in_range(n_taken, 5000, 39000);
}

static void test_wrong_streams_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        size_t out_len;
        const char *why;
    } cases[] = {
        {"", 0, 5, "no length"},
        {"\x85", 1, 5, "no length"},
        {"\xFF\xFF\xFF\xFF\xFF\x01", 6, 5, "no length"},
        {"\xFF\xFF\xFF\xFF\x1F", 5, 5, "no length"}, /* 2^33 - 1 */
        {"\x05", 1, 5, "fewer bytes"},
        {"\x06\x10hello", 7, 5, "another length"},
        {"\x05\xF0", 2, 5, "ends within a length"},
        {"\x05\xFC\xFF\xFF\xFF", 5, 5, "ends within a length"},
        {"\x05\xFC\xFF\xFF\xFF\xFFhello", 11, 5, "ends within a literal"},
        {"\x05\x10hell", 6, 5, "ends within a literal"},
        {"\x04\x10hello", 7, 4, "holds more bytes"},
        {"\x05\x01", 2, 5, "ends within a copy"},
        {"\x05\x02\x01", 3, 5, "ends within a copy"},
        {"\x05\x03\x01\x00\x00", 5, 5, "ends within a copy"},
        {"\x05\x01\x01", 3, 5, "before the first byte"},
        {"\x05\x00h\x01\x00", 5, 5, "before the first byte"},
        {"\x05\x00h\x01\x02", 5, 5, "before the first byte"},
        {"\x05\x00h\x0F\xFF\xFF\xFF\xFF", 8, 5, "before the first byte"},
        {"\x03\x00h\x01\x01", 5, 3, "holds more bytes"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t *exact = block_end(packed_block, cases[i].len);
        memcpy(exact, cases[i].bytes, cases[i].len);
        const char *why =
            dn_snappy_decompress((struct dn_span){exact, cases[i].len},
                                 block_end(result_block, cases[i].out_len), cases[i].out_len);
        assert_non_null(why);
        if (strstr(why, cases[i].why) == NULL) {
            fail_msg("case %zu: '%s' is not in '%s'", i, cases[i].why, why);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_short_length),
        cmocka_unit_test(test_long_inputs),
        cmocka_unit_test(test_matches_of_every_length_and_distance),
        cmocka_unit_test(test_bound_holds_for_dear_inputs),
        cmocka_unit_test(test_size_is_that_of_the_library),
        cmocka_unit_test(test_cut_streams),
        cmocka_unit_test(test_changed_streams),
        cmocka_unit_test(test_made_up_streams),
        cmocka_unit_test(test_wrong_streams_by_name),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
