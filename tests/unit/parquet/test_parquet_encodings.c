/* Encodings written and read back, written by the definition in shapes that our writer has not, cut off anywhere, and lying. */
#include "arrow/bits.h"
#include "parquet/encoding/bits.h"
#include "parquet/encoding/byte_stream_split.h"
#include "parquet/encoding/delta.h"
#include "parquet/encoding/plain.h"
#include "parquet/encoding/rle.h"
#include "scratch.h"

#define MOST 1200

static const size_t counts[] = {0, 1, 2, 31, 32, 33, 64, 127, 128, 129, 130, 256, 257, 258, MOST};
#define N_COUNTS (sizeof(counts) / sizeof(counts[0]))

static struct dn_span span(const void *data, size_t len)
{
    return (struct dn_span){data, len};
}
#define SPAN(...) span((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

/* A copy without a byte to spare: a sanitizer sees every byte that is read behind it. */
static struct dn_span tight(const void *data, size_t len)
{
    uint8_t *copy = malloc(len);

    if (len > 0) {
        assert_non_null(copy);
        memcpy(copy, data, len);
    }
    return span(copy, len);
}

static void loose(struct dn_span s)
{
    free((void *)(uintptr_t)s.data);
}

/* ---- bits ------------------------------------------------------------------------------------------------------ */

static void put_bits(uint8_t *out, size_t at, uint64_t value, unsigned width)
{
    for (unsigned b = 0; b < width; b++) {
        const size_t bit = at + b;
        out[bit / 8] =
            (uint8_t)((out[bit / 8] & ~(1U << (bit % 8))) | (value >> b & 1) << (bit % 8));
    }
}

static void test_bits_count(void **state)
{
    (void)state;
    uint64_t seed = 3;
    uint8_t bytes[40];

    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)scratch_random(&seed);
    }
    for (size_t bit = 0; bit < 20; bit++) {
        for (size_t n = 0; bit + n <= 8 * sizeof bytes; n++) {
            size_t due = 0;
            for (size_t i = bit; i < bit + n; i++) {
                due += (size_t)(bytes[i / 8] >> (i % 8) & 1);
            }
            assert_int_equal(dn_bits_count(bytes, bit, n), due);
        }
    }
}

static void test_plain_bools(void **state)
{
    (void)state;
    uint64_t seed = 4;
    uint8_t bytes[16];
    uint8_t out[130];

    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)scratch_random(&seed);
    }
    for (size_t bit = 0; bit < 20; bit++) {
        for (size_t n = 0; bit + n <= 8 * sizeof bytes; n++) {
            out[n] = 0xee;
            dn_pq_plain_get_bools(bytes, bit, n, out);
            for (size_t i = 0; i < n; i++) {
                assert_int_equal(out[i], bytes[(bit + i) / 8] >> ((bit + i) % 8) & 1);
            }
            assert_int_equal(out[n], 0xee);
        }
    }
}

/* ---- hybrid ---------------------------------------------------------------------------------------------------- */

static void fill_runs(uint64_t *seed, uint32_t *values, size_t n, unsigned width)
{
    for (size_t i = 0; i < n;) {
        const size_t kind = scratch_random(seed) % 3;
        size_t run = 1 + scratch_random(seed) % (kind == 0 ? 3 : 90);
        const uint32_t value = (uint32_t)(scratch_random(seed) >> (64 - width));
        for (; run > 0 && i < n; run--) {
            values[i++] = kind == 1 ? (uint32_t)(scratch_random(seed) >> (64 - width)) : value;
        }
    }
}

static void read_in_pieces(uint64_t *seed, struct dn_span in, const uint32_t *values, size_t n,
                           unsigned width)
{
    struct dn_pq_hybrid h;
    uint32_t got[MOST + 1];

    dn_pq_hybrid_init(&h, in, width);
    for (size_t done = 0; done < n;) {
        const size_t rest = n - done;
        const size_t now = 1 + scratch_random(seed) % (rest < 100 ? rest : 100);
        got[now] = 0xabcdef;
        assert_int_equal(dn_pq_hybrid_read(&h, got, now, NULL), DN_OK);
        assert_memory_equal(got, values + done, now * sizeof *got);
        assert_int_equal(got[now], 0xabcdef);
        done += now;
    }
}

static void test_hybrid_round_trips(void **state)
{
    (void)state;
    uint64_t seed = 5;
    uint32_t values[MOST];

    for (unsigned width = 1; width <= 32; width++) {
        for (size_t c = 0; c < N_COUNTS; c++) {
            const size_t n = counts[c];
            uint8_t *out = malloc(dn_pq_hybrid_bound(n, width));
            assert_non_null(out);
            fill_runs(&seed, values, n, width);
            const struct dn_span in =
                tight(out, dn_pq_hybrid_encode(dn_kernels_selected(), values, n, width, out));
            free(out);
            read_in_pieces(&seed, in, values, n, width);
            loose(in);
        }
    }
}

static void test_hybrid_bits(void **state)
{
    (void)state;
    uint64_t seed = 6;
    uint32_t values[MOST];
    uint8_t levels[MOST / 8 + 16];
    uint8_t bits[MOST / 8 + 2];

    for (int round = 0; round < 60; round++) {
        uint8_t out[MOST + 64];
        const size_t n = 1 + scratch_random(&seed) % MOST;
        struct dn_pq_hybrid h;
        fill_runs(&seed, values, n, 1);
        memset(levels, 0, sizeof levels);
        for (size_t i = 0; i < n; i++) {
            put_bits(levels, i, values[i], 1);
        }
        const struct dn_span in = tight(out, dn_pq_levels_encode(levels, 0, n, out));
        const size_t first = scratch_random(&seed) % 9;
        dn_pq_hybrid_init(&h, in, 1);
        for (size_t done = 0, now = 0; done < n; done += now) {
            size_t ones = 0;
            size_t due = 0;
            now = 1 + scratch_random(&seed) % (n - done);
            assert_int_equal(dn_pq_hybrid_read_bits(&h, bits, first + done, now, &ones, NULL),
                             DN_OK);
            for (size_t i = done; i < done + now; i++) {
                assert_int_equal(bits[(first + i) / 8] >> ((first + i) % 8) & 1, values[i]);
                due += values[i];
            }
            assert_int_equal(ones, due);
        }
        loose(in);
    }
}

/* ---- plain ----------------------------------------------------------------------------------------------------- */

static void test_plain_spans(void **state)
{
    (void)state;
    const struct dn_span whole = SPAN(2, 0, 0, 0, 'h', 'i', 0, 0, 0, 0, 1, 0, 0, 0, 'x');
    struct dn_span got[3];
    size_t used = 0;

    assert_int_equal(dn_pq_plain_get_spans(whole, 2, got, &used, NULL), DN_OK);
    assert_int_equal(used, 10);
    assert_int_equal(dn_pq_plain_get_spans(whole, 3, got, &used, NULL), DN_OK);
    assert_int_equal(used, 15);
    assert_memory_equal(got[0].data, "hi", 2);
    assert_int_equal(got[1].len, 0);
    assert_memory_equal(got[2].data, "x", 1);
    for (size_t len = 0; len < whole.len; len++) {
        const struct dn_span cut = tight(whole.data, len);
        assert_int_equal(dn_pq_plain_get_spans(cut, 3, got, &used, NULL), DN_ERR_DATA);
        loose(cut);
    }
    assert_int_equal(dn_pq_plain_get_spans(SPAN(0xff, 0xff, 0xff, 0xff, 'x'), 1, got, &used, NULL),
                     DN_ERR_DATA);
}

/* ---- byte stream split ----------------------------------------------------------------------------------------- */

static void test_split(void **state)
{
    (void)state;
    uint64_t seed = 8;
    uint8_t values[100 * 17];
    uint8_t split[100 * 17];
    uint8_t got[100 * 17];

    for (size_t i = 0; i < sizeof values; i++) {
        values[i] = (uint8_t)scratch_random(&seed);
    }
    for (size_t width = 1; width <= 17; width++) {
        for (size_t n = 0; n <= 100; n += 1 + n / 7) {
            dn_pq_split_write(values, n, width, split);
            for (size_t i = 0; i < n * width; i++) {
                assert_int_equal(split[i % width * n + i / width], values[i]);
            }
            const struct dn_span in = tight(split, n * width);
            for (size_t first = 0; first <= n; first += 1 + n / 5) {
                dn_pq_split_read(in.data, n, width, first, n - first, got);
                assert_memory_equal(got, values + first * width, (n - first) * width);
            }
            loose(in);
        }
    }
}

/* ---- delta ----------------------------------------------------------------------------------------------------- */

static void fill_numbers(uint64_t *seed, uint64_t *values, size_t n, unsigned bits)
{
    const uint64_t mask = UINT64_MAX >> (64 - bits);
    uint64_t v = scratch_random(seed);

    for (size_t i = 0; i < n;) {
        const size_t kind = scratch_random(seed) % 6;
        const unsigned width = 1 + (unsigned)(scratch_random(seed) % bits);
        size_t run = 1 + scratch_random(seed) % 150;
        for (; run > 0 && i < n; run--) {
            switch (kind) {
            case 0: /* the ends of the range, where differences wrap around */
                v = (i & 1) != 0 ? mask >> 1 : (mask >> 1) + 1;
                break;
            case 1:
                v = scratch_random(seed);
                break;
            case 2:
                v += scratch_random(seed) >> (64 - width);
                break;
            case 3:
                v += 5;
                break;
            case 4:
                v -= scratch_random(seed) >> (64 - width);
                break;
            default:
                break;
            }
            values[i++] = v & mask;
        }
    }
}

/* Read `in`, in pieces; `room` bytes are behind the stream. */
static void check_numbers(uint64_t *seed, struct dn_span in, const uint64_t *values, size_t n,
                          unsigned bits, size_t room)
{
    struct dn_pq_delta d;
    uint32_t got32[MOST + 1];
    uint64_t got64[MOST + 1];
    size_t len = 0;

    assert_int_equal(dn_pq_delta_begin(&d, in, n, NULL), DN_OK);
    assert_int_equal(dn_pq_delta_length(&d, &len, NULL), DN_OK);
    assert_int_equal(len, in.len - room);
    for (size_t done = 0, now = 0; done < n; done += now) {
        const size_t rest = n - done;
        now = 1 + scratch_random(seed) % (rest < 300 ? rest : 300);
        if (bits == 32) {
            assert_int_equal(dn_pq_delta_read32(&d, now, got32, NULL), DN_OK);
        } else {
            assert_int_equal(dn_pq_delta_read64(&d, now, got64, NULL), DN_OK);
        }
        for (size_t i = 0; i < now; i++) {
            assert_true((bits == 32 ? got32[i] : got64[i]) == values[done + i]);
        }
    }
    assert_int_equal(d.pos, in.len - room);
    assert_int_equal(dn_pq_delta_read32(&d, 1, got32, NULL), DN_ERR_DATA);
    assert_int_equal(dn_pq_delta_read64(&d, 1, got64, NULL), DN_ERR_DATA);
}

static void test_delta_round_trips(void **state)
{
    (void)state;
    uint64_t seed = 9;
    uint64_t values[MOST];

    for (unsigned bits = 32; bits <= 64; bits += 32) {
        for (size_t c = 0; c < 4 * N_COUNTS; c++) {
            const size_t n = counts[c % N_COUNTS];
            struct dn_buffer out = {0};
            fill_numbers(&seed, values, n, bits);
            assert_int_equal(dn_pq_delta_write(&out, values, n, bits, NULL), DN_OK);
            struct dn_span in = tight(out.data, out.len);
            check_numbers(&seed, in, values, n, bits, 0);
            loose(in);
            assert_int_equal(dn_buffer_append(&out, "behind", 6, NULL), DN_OK);
            check_numbers(&seed, dn_buffer_span(&out), values, n, bits, 6);
            dn_buffer_finish(&out);
        }
    }
}

static void put_varint(struct dn_buffer *out, uint64_t v)
{
    for (; v >= 0x80; v >>= 7) {
        assert_int_equal(dn_buffer_append_byte(out, (uint8_t)(v | 0x80), NULL), DN_OK);
    }
    assert_int_equal(dn_buffer_append_byte(out, (uint8_t)v, NULL), DN_OK);
}

static void put_zigzag(struct dn_buffer *out, uint64_t v)
{
    put_varint(out, v << 1 ^ (0 - (v >> 63)));
}

/*
 * By the definition, in blocks of any shape.  The lowest difference is 0 here, so that every width up to the type's occurs; widths
 * of miniblocks that nobody needs are 255.
 */
static void write_shape(struct dn_buffer *out, const uint64_t *values, size_t n, unsigned bits,
                        size_t per_block, size_t minis)
{
    const uint64_t mask = UINT64_MAX >> (64 - bits);
    const size_t per_mini = per_block / minis;
    uint8_t packed[1024 * 8];

    put_varint(out, per_block);
    put_varint(out, minis);
    put_varint(out, n);
    put_zigzag(out, n == 0 ? 0 : bits == 32 ? (uint64_t)(int64_t)(int32_t)values[0] : values[0]);
    for (size_t block = 1; block < n; block += per_block) {
        put_zigzag(out, 0);
        const size_t widths = out->len;
        for (size_t m = 0; m < minis; m++) {
            assert_int_equal(dn_buffer_append_byte(out, 255, NULL), DN_OK);
        }
        for (size_t m = 0; m < minis && block + m * per_mini < n; m++) {
            const size_t first = block + m * per_mini;
            unsigned width = 0;
            memset(packed, 0, sizeof packed);
            for (size_t i = first; i < first + per_mini && i < n; i++) {
                const unsigned w = dn_pq_bit_length((values[i] - values[i - 1]) & mask);
                width = w > width ? w : width;
            }
            for (size_t i = first; i < first + per_mini && i < n; i++) {
                put_bits(packed, (i - first) * width, (values[i] - values[i - 1]) & mask, width);
            }
            out->data[widths + m] = (uint8_t)width;
            assert_int_equal(dn_buffer_append(out, packed, per_mini / 8 * width, NULL), DN_OK);
        }
    }
}

static void test_delta_of_other_writers(void **state)
{
    (void)state;
    static const struct {
        size_t per_block;
        size_t minis;
    } shapes[] = {{128, 1}, {128, 2},  {128, 4},   {256, 1},
                  {256, 8}, {1024, 4}, {1024, 32}, {384, 12}};
    uint64_t seed = 10;
    uint64_t values[MOST];

    for (unsigned bits = 32; bits <= 64; bits += 32) {
        for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
            for (size_t c = 0; c < N_COUNTS; c++) {
                struct dn_buffer out = {0};
                fill_numbers(&seed, values, counts[c], bits);
                write_shape(&out, values, counts[c], bits, shapes[s].per_block, shapes[s].minis);
                const struct dn_span in = tight(out.data, out.len);
                check_numbers(&seed, in, values, counts[c], bits, 0);
                loose(in);
                dn_buffer_finish(&out);
            }
        }
    }
}

/* Every width, alone in its block. */
static void test_delta_every_width(void **state)
{
    (void)state;
    uint64_t seed = 11;
    uint64_t values[130];

    for (unsigned bits = 32; bits <= 64; bits += 32) {
        for (unsigned width = 0; width <= bits; width++) {
            struct dn_buffer out = {0};
            values[0] = 0;
            for (size_t i = 1; i < 130; i++) {
                const uint64_t delta = width == 0 ? 0 : scratch_random(&seed) >> (64 - width);
                values[i] = (values[i - 1] + delta) & UINT64_MAX >> (64 - bits);
            }
            write_shape(&out, values, 130, bits, 128, 4);
            const struct dn_span in = tight(out.data, out.len);
            check_numbers(&seed, in, values, 130, bits, 0);
            loose(in);
            dn_buffer_finish(&out);
        }
    }
}

/* All of a stream that was cut off: an error, or, where only padding is missing, the values. */
static void test_delta_cut_off(void **state)
{
    (void)state;
    uint64_t seed = 12;
    uint64_t values[300];
    uint64_t got[300];

    fill_numbers(&seed, values, 300, 64);
    for (size_t n = 1; n <= 300; n += 23) {
        struct dn_buffer out = {0};
        size_t n_ok = 0;
        assert_int_equal(dn_pq_delta_write(&out, values, n, 64, NULL), DN_OK);
        for (size_t len = 0; len < out.len; len++) {
            struct dn_pq_delta d;
            const struct dn_span in = tight(out.data, len);
            enum dn_status st = dn_pq_delta_begin(&d, in, n, NULL);
            st = st == DN_OK ? dn_pq_delta_read64(&d, n, got, NULL) : st;
            if (st == DN_OK) {
                assert_memory_equal(got, values, n * sizeof *got);
                n_ok++;
            } else {
                assert_int_equal(st, DN_ERR_DATA);
            }
            loose(in);
        }
        assert_true(n_ok < 64 * 8); /* at most the padding of one miniblock */
        dn_buffer_finish(&out);
    }
}

/* Writers that compute in 64 bits have differences of 33 between values of 32. */
static void test_delta_of_33_bits(void **state)
{
    /* the largest value, the lowest, the largest: differences of -(2^32 - 1), and of 2^33 - 2 more */
    static const uint8_t head[] = {0x80, 1,    4,    3,    0xfe, 0xff, 0xff, 0xff, 0x0f,
                                   0xfd, 0xff, 0xff, 0xff, 0x1f, 33,   0,    0,    0};
    uint8_t in[sizeof head + 33 * 4] = {0};
    struct dn_pq_delta d;
    uint32_t got[3];

    (void)state;
    memcpy(in, head, sizeof head);
    for (size_t bit = 34; bit < 66; bit++) {
        in[sizeof head + bit / 8] |= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(dn_pq_delta_begin(&d, span(in, sizeof in), 3, NULL), DN_OK);
    assert_int_equal(dn_pq_delta_read32(&d, 3, got, NULL), DN_OK);
    assert_int_equal(got[0], INT32_MAX);
    assert_true(got[1] == (uint32_t)INT32_MIN);
    assert_int_equal(got[2], INT32_MAX);
}

static void assert_delta_refused(struct dn_span in, uint64_t n, const char *message)
{
    struct dn_error err = {0};
    struct dn_pq_delta d;
    uint64_t got[8];

    enum dn_status st = dn_pq_delta_begin(&d, in, n, &err);
    st = st == DN_OK ? dn_pq_delta_read64(&d, n, got, &err) : st;
    assert_int_equal(st, DN_ERR_DATA);
    if (strstr(err.message, message) == NULL) {
        fail_msg("%s", err.message);
    }
}

static void test_delta_lies(void **state)
{
    (void)state;
    /* blocks of 128 in 4, values, first 1: the head that is right */
    assert_delta_refused(SPAN(0x80, 1, 4, 3, 2), 2, "3 values where the page has 2");
    assert_delta_refused(SPAN(0x80, 1, 4, 0, 2), 2, "0 values where the page has 2");
    assert_delta_refused(SPAN(0x80, 1, 4, 2, 2), 2, "ends in a number");
    assert_delta_refused(SPAN(0x80, 1, 4, 2, 2, 0, 0, 0, 0), 2, "widths of a block");
    assert_delta_refused(SPAN(0x80, 1, 4, 2, 2, 0, 65, 0, 0, 0), 2, "differences of 65 bits");
    assert_delta_refused(SPAN(0x80, 1, 4, 2, 2, 0, 9, 0, 0, 0, 1), 2, "cut off");
    assert_delta_refused(SPAN(0, 4, 2, 2), 2, "blocks of 0 values in 4");
    assert_delta_refused(SPAN(100, 4, 2, 2), 2, "blocks of 100 values in 4");
    assert_delta_refused(SPAN(0x80, 1, 0, 2, 2), 2, "blocks of 128 values in 0");
    assert_delta_refused(SPAN(0x80, 1, 3, 2, 2), 2, "in 3 miniblocks");
    assert_delta_refused(SPAN(0x80, 1, 8, 2, 2), 2, "in 8 miniblocks"); /* of 16 values */
    assert_delta_refused(SPAN(0x80, 0x80, 0x80, 0x80, 0x80, 1, 4, 2, 2), 2, "blocks of 3435");
    assert_delta_refused(SPAN(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1),
                         2, "more than 64 bits");
    assert_delta_refused(span("", 0), 2, "ends in a number");
    struct dn_pq_delta d;
    assert_int_equal(dn_pq_delta_begin(&d, span(NULL, 0), 0, NULL),
                     DN_OK); /* of nothing, nothing */
}

/* ---- delta of byte arrays -------------------------------------------------------------------------------------- */

#define TEXTS 400
#define TEXT_ROOM ((size_t)64)

/* Texts that share beginnings, some empty, some the same. */
static void fill_texts(uint64_t *seed, uint8_t *store, struct dn_span *out)
{
    for (size_t i = 0; i < TEXTS; i++) {
        uint8_t *text = store + i * TEXT_ROOM;
        const size_t last = i == 0 ? 0 : out[i - 1].len;
        const size_t kind = scratch_random(seed) % 5;
        size_t len = kind == 0 ? 0 : kind == 1 ? last : scratch_random(seed) % (last + 1);
        if (len > 0) {
            memcpy(text, text - TEXT_ROOM, len);
        }
        for (size_t more = kind < 2 ? 0 : scratch_random(seed) % 9; more > 0 && len < TEXT_ROOM;
             more--) {
            text[len++] = (uint8_t)scratch_random(seed);
        }
        out[i] = span(text, len);
    }
}

static void assert_same_texts(const struct dn_span *got, const struct dn_span *due, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(got[i].len, due[i].len);
        assert_memory_equal(got[i].data, due[i].data, due[i].len);
    }
}

/* Read n byte arrays of either encoding. */
static enum dn_status read_texts(struct dn_pq_delta_bytes *d, bool shared, struct dn_span in,
                                 size_t n, uint64_t *seed, struct dn_span *out)
{
    struct dn_pq_delta_lengths lengths;

    DN_TRY(shared ? dn_pq_delta_bytes_begin(d, in, n, NULL)
                  : dn_pq_delta_lengths_begin(&lengths, in, n, NULL));
    for (size_t done = 0, now = 0; done < n; done += now) {
        now = 1 + scratch_random(seed) % (n - done);
        DN_TRY(shared ? dn_pq_delta_bytes_read(d, now, out + done, NULL)
                      : dn_pq_delta_lengths_read(&lengths, now, out + done, NULL));
    }
    return DN_OK;
}

static void test_delta_texts(void **state)
{
    (void)state;
    static uint8_t store[TEXTS * TEXT_ROOM];
    struct dn_span texts[TEXTS];
    struct dn_span got[TEXTS];
    struct dn_pq_delta_bytes d = {0};
    uint64_t seed = 13;

    for (int round = 0; round < 40; round++) {
        const bool shared = round % 2 == 0;
        const size_t n = round < 20 ? (size_t)round / 2 : scratch_random(&seed) % (TEXTS + 1);
        struct dn_buffer out = {0};
        fill_texts(&seed, store, texts);
        assert_int_equal(shared ? dn_pq_delta_bytes_write(&out, texts, n, NULL)
                                : dn_pq_delta_lengths_write(&out, texts, n, NULL),
                         DN_OK);
        struct dn_span in = tight(out.data, out.len);
        assert_int_equal(read_texts(&d, shared, in, n, &seed, got), DN_OK);
        assert_same_texts(got, texts, n);
        loose(in);
        for (size_t len = 0; n > 0 && len < out.len; len++) {
            in = tight(out.data, len);
            if (read_texts(&d, shared, in, n, &seed, got) == DN_OK) {
                assert_same_texts(got, texts, n); /* the rest was empty */
            }
            loose(in);
        }
        dn_buffer_finish(&out);
    }
    dn_pq_delta_bytes_finish(&d);
}

static void put_numbers(struct dn_buffer *out, const uint64_t *values, size_t n)
{
    assert_int_equal(dn_pq_delta_write(out, values, n, 32, NULL), DN_OK);
}

static void test_delta_texts_lie(void **state)
{
    (void)state;
    static const uint64_t prefixes[] = {0, 3};
    static const uint64_t first[] = {1, 0};
    static const uint64_t lens[] = {2, 1};
    static const uint64_t negative[] = {UINT32_MAX, 1};
    struct dn_pq_delta_bytes d = {0};
    struct dn_buffer out = {0};
    struct dn_error err = {0};
    struct dn_span got[2];

    put_numbers(&out, prefixes, 2);
    put_numbers(&out, lens, 2);
    assert_int_equal(dn_buffer_append(&out, "abc", 3, NULL), DN_OK);
    assert_int_equal(dn_pq_delta_bytes_begin(&d, dn_buffer_span(&out), 2, &err), DN_OK);
    assert_int_equal(dn_pq_delta_bytes_read(&d, 2, got, &err), DN_ERR_DATA);
    assert_non_null(strstr(err.message, "3 bytes are shared with a value of 2"));
    dn_buffer_reset(&out);
    put_numbers(&out, first, 2); /* the first value shares with nothing */
    put_numbers(&out, lens, 2);
    assert_int_equal(dn_buffer_append(&out, "abc", 3, NULL), DN_OK);
    assert_int_equal(dn_pq_delta_bytes_begin(&d, dn_buffer_span(&out), 2, &err), DN_OK);
    assert_int_equal(dn_pq_delta_bytes_read(&d, 2, got, &err), DN_ERR_DATA);
    dn_buffer_reset(&out);
    put_numbers(&out, negative, 2);
    struct dn_pq_delta_lengths l;
    assert_int_equal(dn_pq_delta_lengths_begin(&l, dn_buffer_span(&out), 2, &err), DN_OK);
    assert_int_equal(dn_pq_delta_lengths_read(&l, 2, got, &err), DN_ERR_DATA);
    assert_non_null(strstr(err.message, "a length of 4294967295 where 0 bytes are left"));
    dn_pq_delta_bytes_finish(&d);
    dn_buffer_finish(&out);
}

/* A megabyte that every value has in common, and one byte more each: a small page that would take any amount of memory. */
static void test_delta_texts_blow_up(void **state)
{
    (void)state;
    enum {
        N = 1024,
        SHARED = 1 << 20
    };
    struct dn_pq_delta_bytes d = {0};
    struct dn_buffer out = {0};
    struct dn_error err = {0};
    uint64_t numbers[N];
    struct dn_span *got = malloc(N * sizeof *got);
    uint8_t *bytes = calloc(SHARED + N, 1);
    assert_non_null(got);
    assert_non_null(bytes);

    for (size_t i = 0; i < N; i++) {
        numbers[i] = i == 0 ? 0 : SHARED;
    }
    put_numbers(&out, numbers, N);
    for (size_t i = 0; i < N; i++) {
        numbers[i] = i == 0 ? SHARED : 1;
    }
    put_numbers(&out, numbers, N);
    assert_int_equal(dn_buffer_append(&out, bytes, SHARED + N, NULL), DN_OK);
    assert_int_equal(dn_pq_delta_bytes_begin(&d, dn_buffer_span(&out), N, &err), DN_OK);
    enum dn_status st = DN_OK;
    for (size_t i = 0; i < N && st == DN_OK; i++) {
        st = dn_pq_delta_bytes_read(&d, 1, got, &err);
    }
    assert_int_equal(st, DN_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "more than is read of one page"));
    dn_pq_delta_bytes_finish(&d);
    dn_buffer_finish(&out);
    free(got);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bits_count),          cmocka_unit_test(test_plain_bools),
        cmocka_unit_test(test_hybrid_round_trips),  cmocka_unit_test(test_hybrid_bits),
        cmocka_unit_test(test_plain_spans),         cmocka_unit_test(test_split),
        cmocka_unit_test(test_delta_round_trips),   cmocka_unit_test(test_delta_of_other_writers),
        cmocka_unit_test(test_delta_every_width),   cmocka_unit_test(test_delta_cut_off),
        cmocka_unit_test(test_delta_of_33_bits),    cmocka_unit_test(test_delta_lies),
        cmocka_unit_test(test_delta_texts),         cmocka_unit_test(test_delta_texts_lie),
        cmocka_unit_test(test_delta_texts_blow_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
