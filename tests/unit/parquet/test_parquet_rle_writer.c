/* Bit copies, the RLE / bit-packing hybrid and levels, against a decoder that was written for this test from Encodings.md. */
#include "arrow/bits.h"
#include "parquet/encoding/bits.h"
#include "parquet/encoding/dictionary.h"
#include "parquet/encoding/levels.h"
#include "parquet/encoding/rle.h"
#include "scratch.h"

static uint64_t get_varint(const uint8_t *in, size_t len, size_t *pos)
{
    uint64_t value = 0;

    for (unsigned shift = 0;; shift += 7) {
        assert_true(*pos < len && shift < 64);
        const uint8_t byte = in[(*pos)++];
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            return value;
        }
    }
}

/* Decode exactly n values; the stream must end with them, and padding must be zero.  Returns the number of runs. */
static size_t decode(const uint8_t *in, size_t len, unsigned width, uint32_t *out, size_t n)
{
    size_t pos = 0;
    size_t done = 0;
    size_t n_runs = 0;

    while (done < n) {
        const uint64_t head = get_varint(in, len, &pos);
        n_runs++;
        assert_true(head >> 1 > 0);
        if ((head & 1) == 0) {
            uint32_t value = 0;
            const size_t bytes = (width + 7) / 8;
            assert_true(pos + bytes <= len);
            memcpy(&value, in + pos, bytes);
            pos += bytes;
            assert_true(head >> 1 <= n - done);
            for (uint64_t i = 0; i < head >> 1; i++) {
                out[done++] = value;
            }
            continue;
        }
        const size_t n_packed = (size_t)(head >> 1) * 8;
        assert_true(pos + n_packed / 8 * width <= len);
        for (size_t i = 0; i < n_packed; i++) {
            uint32_t value = 0;
            for (unsigned b = 0; b < width; b++) {
                const size_t bit = i * width + b;
                value |= (uint32_t)(in[pos + bit / 8] >> (bit % 8) & 1) << b;
            }
            if (done < n) {
                out[done++] = value;
            } else {
                assert_int_equal(value, 0);
                assert_true(n_packed - i < 8); /* only the last group is padded */
            }
        }
        pos += n_packed / 8 * width;
    }
    assert_int_equal(pos, len);
    return n_runs;
}

static size_t round_trip(const uint32_t *values, size_t n, unsigned width)
{
    const size_t bound = dn_pq_hybrid_bound(n, width);
    uint8_t *out = malloc(bound + 16);
    uint8_t *first = malloc(bound);
    uint32_t *back = malloc((n + 1) * sizeof *back);
    size_t first_len = 0;

    for (int tier = 0; tier <= (int)dn_cpu_detect(); tier++) {
        memset(out, 0xaa, bound + 16);
        const size_t len =
            dn_pq_hybrid_encode(dn_kernels_for((enum dn_cpu_tier)tier), values, n, width, out);
        assert_true(len <= bound);
        for (size_t i = 0; i < 16; i++) {
            assert_int_equal(out[bound + i], 0xaa);
        }
        if (tier == 0) {
            first_len = len;
            memcpy(first, out, len);
            decode(out, len, width, back, n);
            if (n > 0) {
                assert_memory_equal(back, values, n * sizeof *values);
            }
        }
        assert_int_equal(len, first_len);
        assert_memory_equal(out, first, len);
    }
    free(out);
    free(first);
    free(back);
    return first_len;
}

static void hybrid_round_trips(void **state)
{
    static uint32_t values[4000];
    uint64_t seed = 1;

    (void)state;
    for (unsigned width = 1; width <= 32; width++) {
        const uint32_t mask = width == 32 ? UINT32_MAX : (1U << width) - 1U;
        for (unsigned longest = 1; longest <= 200; longest = longest * 3 + 1) {
            for (size_t i = 0; i < 4000;) { /* runs of 1 to `longest` */
                size_t run = scratch_random(&seed) % longest + 1;
                const uint32_t v = (uint32_t)scratch_random(&seed) & mask;
                for (; run > 0 && i < 4000; run--) {
                    values[i++] = v;
                }
            }
            for (size_t n = 0; n <= 40; n++) {
                round_trip(values, n, width);
            }
            round_trip(values, 4000, width);
            round_trip(values + 1, 3991, width);
        }
    }
}

static void hybrid_uses_runs(void **state)
{
    static uint32_t values[20000];

    (void)state;
    assert_int_equal(round_trip(values, 20000, 1), 4);  /* three bytes of header, one of value */
    assert_int_equal(round_trip(values, 20000, 20), 6); /* the value takes three */
    assert_int_equal(round_trip(values, 0, 5), 0);
    assert_int_equal(round_trip(values, 3, 5),
                     6); /* three values do not make a run: a padded group */
    assert_int_equal(round_trip(values, 8, 1), 2);
    for (uint32_t i = 0; i < 20000; i++) {
        values[i] = i & 1;
    }
    assert_int_equal(round_trip(values, 20000, 1), 2502);
}

/* A stream of one value alone is one run, even where packed values would be no longer. */
static void equal_values_are_one_run(void **state)
{
    uint32_t values[100];
    uint8_t out[128];

    (void)state;
    for (size_t i = 0; i < 100; i++) {
        values[i] = 1;
    }
    for (size_t n = 8; n < 64; n++) {
        assert_int_equal(dn_pq_hybrid_encode(dn_kernels_selected(), values, n, 1, out), 2);
        assert_int_equal(out[0], n << 1);
        assert_int_equal(out[1], 1);
    }
}

static void bits_are_copied(void **state)
{
    uint64_t seed = 2;
    uint8_t src[64];
    uint8_t dst[64];

    (void)state;
    for (int round = 0; round < 20000; round++) {
        const size_t from = scratch_random(&seed) % 64;
        const size_t to = scratch_random(&seed) % 64;
        const size_t n = scratch_random(&seed) % 300;
        for (size_t i = 0; i < sizeof src; i++) {
            src[i] = (uint8_t)scratch_random(&seed);
        }
        const int fill = (int)(scratch_random(&seed) % 3);
        memset(dst, 0, sizeof dst);
        for (size_t i = 0; i < to; i++) {
            dst[i / 8] |= (uint8_t)((i % 3 == 0) << (i % 8));
        }
        /* The source ends in a block of its own size: a byte too far is seen by the sanitizers. */
        uint8_t *tight = malloc((from + n + 7) / 8 + 1);
        memcpy(tight, src, (from + n + 7) / 8);
        uint8_t *exact = tight;
        if (fill < 2) {
            dn_bits_fill(dst, to, n, fill);
        } else {
            dn_bits_copy(dst, to, exact, from, n);
        }
        free(tight);
        for (size_t i = 0; i < sizeof dst * 8; i++) {
            const unsigned bit = (unsigned)(dst[i / 8] >> (i % 8)) & 1U;
            unsigned expected = 0;
            if (i < to) {
                expected = i % 3 == 0;
            } else if (i < to + n) {
                const size_t j = from + i - to;
                expected = fill < 2 ? (unsigned)fill : (unsigned)(src[j / 8] >> (j % 8) & 1);
            }
            assert_int_equal(bit, expected);
        }
    }
}

/* Levels appended in random portions, read back from random places. */
static void levels_round_trip(void **state)
{
    enum {
        N = 6000
    };
    static uint8_t validity[N / 8 + 9];
    static uint8_t out[N];
    static uint32_t back[N];
    uint64_t seed = 3;

    (void)state;
    for (unsigned longest = 0; longest <= 300; longest = longest * 4 + 1) {
        memset(validity, 0, sizeof validity);
        for (size_t i = 0; longest > 0 && i < N;) {
            size_t run = scratch_random(&seed) % longest + 1;
            const unsigned bit = scratch_random(&seed) % 2;
            for (; run > 0 && i < N; run--, i++) {
                validity[i / 8] |= (uint8_t)(bit << (i % 8));
            }
        }
        struct dn_pq_levels l = {0};
        const int64_t skip = (int64_t)(scratch_random(&seed) % 9);
        for (int64_t row = 0; row < N - skip;) {
            int64_t n = (int64_t)(scratch_random(&seed) % 700);
            n = n < N - skip - row ? n : N - skip - row;
            assert_int_equal(dn_pq_levels_append(&l, validity, skip + row, n,
                                                 dn_bits_count_zero(validity, skip + row, n), NULL),
                             DN_OK);
            row += n;
        }
        assert_int_equal(l.n_rows, N - skip);
        assert_int_equal(l.n_nulls, dn_bits_count_zero(validity, skip, N - skip));
        for (int round = 0; round < 300; round++) {
            const int64_t row = (int64_t)(scratch_random(&seed) % (uint64_t)l.n_rows);
            const int64_t n = (int64_t)(scratch_random(&seed) % (uint64_t)(l.n_rows - row)) + 1;
            const size_t room = dn_pq_levels_room(n);
            assert_true(room <= sizeof out);
            memset(out, 0xaa, sizeof out);
            const size_t len = dn_pq_levels_write(&l, row, n, out);
            assert_true(len <= room);
            assert_int_equal(dn_pq_load32(out), len - 4);
            decode(out + 4, len - 4, 1, back, (size_t)n);
            for (int64_t i = 0; i < n; i++) {
                assert_int_equal(back[i], dn_bit_get(validity, skip + row + i));
            }

            /* take: against counting one by one */
            const int64_t most = (int64_t)(scratch_random(&seed) % (uint64_t)(n + 1));
            int64_t values = 0;
            int64_t rows = 0;
            int64_t found;
            while (rows < n && values < most) {
                values += dn_bit_get(validity, skip + row + rows++);
            }
            assert_int_equal(dn_pq_levels_take(&l, row, n, most, &found), rows);
            assert_int_equal(found, values);
        }
        dn_pq_levels_finish(&l);
    }
}

static void uniform_levels_are_one_run(void **state)
{
    static const uint8_t zeros[200];
    struct dn_pq_levels l = {0};
    uint8_t out[300];

    (void)state;
    assert_int_equal(dn_pq_levels_append(&l, NULL, 0, 1000, 0, NULL), DN_OK);
    assert_int_equal(l.definition.len, 0); /* no bitmap before the first null */
    assert_int_equal(dn_pq_levels_write(&l, 0, 1000, out), 7);
    assert_memory_equal(out, "\x03\0\0\0\xd0\x0f\x01", 7);
    assert_int_equal(dn_pq_levels_append(&l, zeros, 3, 1000, 1000, NULL), DN_OK);
    assert_int_equal(dn_pq_levels_write(&l, 1000, 1000, out), 7);
    assert_memory_equal(out, "\x03\0\0\0\xd0\x0f\x00", 7);
    assert_int_equal(dn_pq_levels_write(&l, 0, 1000, out), 7);
    assert_memory_equal(out, "\x03\0\0\0\xd0\x0f\x01", 7);
    assert_int_equal(dn_pq_levels_write(&l, 3, 5, out), 6);
    assert_memory_equal(out, "\x02\0\0\0\x0a\x01", 6);
    assert_int_equal(dn_pq_levels_write(&l, 0, 2000, out), 4 + 6);
    dn_pq_levels_finish(&l);
}

static void id_widths(void **state)
{
    (void)state;
    assert_int_equal(dn_pq_id_bits(1), 1); /* never 0 */
    assert_int_equal(dn_pq_id_bits(2), 1);
    assert_int_equal(dn_pq_id_bits(3), 2);
    assert_int_equal(dn_pq_id_bits(4), 2);
    assert_int_equal(dn_pq_id_bits(5), 3);
    assert_int_equal(dn_pq_id_bits(256), 8);
    assert_int_equal(dn_pq_id_bits(257), 9);
    assert_int_equal(dn_pq_id_bits(UINT32_MAX), 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hybrid_round_trips),
        cmocka_unit_test(hybrid_uses_runs),
        cmocka_unit_test(equal_values_are_one_run),
        cmocka_unit_test(bits_are_copied),
        cmocka_unit_test(levels_round_trip),
        cmocka_unit_test(uniform_levels_are_one_run),
        cmocka_unit_test(id_widths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
