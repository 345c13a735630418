/** Every allocation of our own while compressing and decompressing fails once, in turn. */
#include "base/memory.h"
#include "codec/codec.h"

#include "scratch.h"

static uint8_t data[40000];

static enum dn_status round_trip(enum dn_codec_id id, struct dn_error *err)
{
    struct dn_compressor *c = NULL;
    struct dn_buffer packed = {0};
    struct dn_buffer plain = {0};
    enum dn_status st = DN_OK;

    DN_TRY(dn_compressor_create(&c, id, DN_CODEC_LEVEL_DEFAULT, err));
    DN_TRY_GOTO(st, dn_compress(c, (struct dn_span){data, sizeof(data)}, &packed, err), cleanup);
    DN_TRY_GOTO(st, dn_decompress(id, dn_buffer_span(&packed), sizeof(data), &plain, err), cleanup);
    assert_int_equal(plain.len, sizeof(data));
    assert_memory_equal(plain.data, data, sizeof(data));
cleanup:
    if (st != DN_OK) {
        assert_int_equal(plain.len, 0);
    }
    dn_buffer_finish(&packed);
    dn_buffer_finish(&plain);
    dn_compressor_destroy(c);
    return st;
}

static void fail_each(enum dn_codec_id id, uint64_t at_least)
{
    uint64_t n = 1;

    for (;; n++) {
        struct dn_error err;
        dn_error_clear(&err);
        dn_memory_fail_at(n);
        enum dn_status st = round_trip(id, &err);
        uint64_t counted = dn_memory_fail_at(0);
        if (counted < n) {
            assert_int_equal(st, DN_OK);
            break;
        }
        assert_int_equal(st, DN_ERR_MEMORY);
        assert_int_equal(err.code, DN_ERR_MEMORY);
    }
    assert_true(n - 1 >= at_least);
}

static void test_allocations(void **state)
{
    (void)state;
    uint64_t seed = 3;

    for (size_t i = 0; i < sizeof(data); i++) {
        data[i] = (uint8_t)("abcdefgh"[scratch_random(&seed) % 8]);
    }
    fail_each(DN_CODEC_NONE, 3);
    fail_each(DN_CODEC_SNAPPY, 3);
    fail_each(DN_CODEC_GZIP, 3);
    fail_each(DN_CODEC_ZSTD, 3);
    fail_each(DN_CODEC_LZ4_RAW, 4);
    fail_each(DN_CODEC_BROTLI, 6); /* the library takes our allocator */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
