/* Collecting dictionaries, against a plain search; and the rule when one pays. */
#include "parquet/encoding/dictionary.h"
#include "parquet/write/choice.h"
#include "scratch.h"

/* Add n values of `width` bytes in random portions and compare ids, entries and decoding with a search through what was seen. */
static void check_numbers(enum dn_pq_kind kind, const void *values, size_t n, uint64_t *seed)
{
    const size_t width = kind == DN_PQ_KIND_I64 || kind == DN_PQ_KIND_F64 ? 8 : 4;
    const uint8_t *at = values;
    struct dn_pq_dictionary d;
    uint32_t *ids = malloc(n * sizeof *ids);
    size_t n_seen = 0;

    dn_pq_dictionary_init(&d, kind, dn_kernels_selected(), SIZE_MAX);
    for (size_t i = 0; i < n;) {
        size_t portion = scratch_random(seed) % DN_PQ_DICTIONARY_BLOCK + 1;
        size_t done;
        portion = portion < n - i ? portion : n - i;
        assert_int_equal(dn_pq_dictionary_add(&d, at + i * width, portion, &done, NULL), DN_OK);
        assert_int_equal(done, portion);
        i += portion;
    }
    assert_int_equal(d.ids.n, n);
    for (size_t i = 0; i < n; i += 100) {
        dn_pq_ids_widen(&d.ids, (int64_t)i, n - i < 100 ? n - i : 100, ids + i);
    }
    for (size_t i = 0; i < n; i++) {
        assert_true(ids[i] <= n_seen); /* in order of first appearance */
        n_seen += ids[i] == n_seen;
        assert_memory_equal(d.plain.data + ids[i] * width, at + i * width, width);
    }
    assert_int_equal(d.n, n_seen);
    for (size_t i = 0; i + 1 < n_seen && n_seen < 2000; i++) { /* no value twice */
        for (size_t j = i + 1; j < n_seen; j++) {
            assert_memory_not_equal(d.plain.data + i * width, d.plain.data + j * width, width);
        }
    }
    assert_int_equal(d.ids.width, n_seen <= 256 ? 1 : n_seen <= 65536 ? 2 : 4);
    uint64_t back[DN_PQ_DICTIONARY_BLOCK];
    const size_t some = n < DN_PQ_DICTIONARY_BLOCK ? n : DN_PQ_DICTIONARY_BLOCK;
    dn_pq_dictionary_decode(&d, (int64_t)(n - some), some, back);
    assert_memory_equal(back, at + (n - some) * width, some * width);
    dn_pq_dictionary_finish(&d);
    free(ids);
}

static void integers_of_any_range(void **state)
{
    enum {
        N = 70000
    };
    static int64_t wide[N];
    static int32_t narrow[N];
    /* bits of range, and where it lies: small tables, large tables, hashing, changing over, and both ends of the type */
    static const struct {
        unsigned bits;
        int64_t base;
    } ranges[] = {
        {0, 5},  {3, -4}, {9, 0},  {12, -3000}, {13, 100000},   {17, -65536},        {20, 7},
        {22, 0}, {31, 0}, {40, 0}, {64, 0},     {8, INT64_MIN}, {8, INT64_MAX - 255}};
    uint64_t seed = 5;

    (void)state;
    for (size_t r = 0; r < sizeof ranges / sizeof ranges[0]; r++) {
        for (size_t i = 0; i < N; i++) {
            const uint64_t random = scratch_random(&seed);
            const uint64_t v = ranges[r].bits == 0 ? 0 : random >> (64 - ranges[r].bits);
            wide[i] = (int64_t)(v + (uint64_t)ranges[r].base);
            narrow[i] = (int32_t)(uint32_t)(v + (uint64_t)ranges[r].base);
        }
        check_numbers(DN_PQ_KIND_I64, wide, N, &seed);
        check_numbers(DN_PQ_KIND_I64, wide, 300, &seed);
        check_numbers(DN_PQ_KIND_I32, narrow, N, &seed);
    }
    for (size_t i = 0; i < N; i++) { /* ascending, descending, outliers late */
        wide[i] = (int64_t)i / 3;
    }
    check_numbers(DN_PQ_KIND_I64, wide, N, &seed);
    for (size_t i = 0; i < N; i++) {
        wide[i] = -(int64_t)i / 3;
        narrow[i] = (int32_t)(i % 100);
    }
    check_numbers(DN_PQ_KIND_I64, wide, N, &seed);
    narrow[N / 2] = INT32_MIN;
    narrow[N / 2 + 5000] = INT32_MAX;
    check_numbers(DN_PQ_KIND_I32, narrow, N, &seed);
}

/* ---- numbers at the ends of their types ------------------------------------------------------------------------- */

/*
 * Ids and entries of `n` values (8 or 4 bytes each) by the slowest way there is.  Floats of the same bits are hashed, always, so the
 * two kinds are also compared with each other.
 */
static void check_blocks(enum dn_pq_kind kind, const uint8_t *values, const size_t *blocks,
                         size_t n_blocks)
{
    const size_t width = kind == DN_PQ_KIND_I64 || kind == DN_PQ_KIND_F64 ? 8 : 4;
    uint8_t entries[2048 * 8];
    uint32_t ids[2048];
    struct dn_pq_dictionary d;
    uint32_t n_entries = 0;
    size_t n = 0;

    dn_pq_dictionary_init(&d, kind, dn_kernels_selected(), SIZE_MAX);
    for (size_t b = 0; b < n_blocks; b++) {
        size_t done;
        assert_int_equal(dn_pq_dictionary_add(&d, values + n * width, blocks[b], &done, NULL),
                         DN_OK);
        assert_int_equal(done, blocks[b]);
        n += blocks[b];
    }
    assert_int_equal(d.ids.n, n);
    dn_pq_ids_widen(&d.ids, 0, n, ids);
    for (size_t i = 0; i < n; i++) {
        uint32_t id = 0;
        while (id < n_entries && memcmp(entries + id * width, values + i * width, width) != 0) {
            id++;
        }
        if (id == n_entries) {
            memcpy(entries + id * width, values + i * width, width);
            n_entries++;
        }
        assert_int_equal(ids[i], id);
    }
    assert_int_equal(d.n, n_entries);
    assert_int_equal(d.plain.len, n_entries * width);
    assert_memory_equal(d.plain.data, entries, d.plain.len);
    dn_pq_dictionary_finish(&d);
}

static void check_both(const int64_t *wide, size_t n, const size_t *blocks, size_t n_blocks)
{
    int32_t narrow[2048];

    for (size_t i = 0; i < n; i++) { /* the ends of 64 bits become the ends of 32 */
        const int64_t high = wide[i] >> 32;
        narrow[i] =
            (int32_t)(uint32_t)((uint64_t)wide[i] ^ ((uint64_t)high & UINT64_C(0x80000000)));
    }
    check_blocks(DN_PQ_KIND_I64, (const uint8_t *)wide, blocks, n_blocks);
    check_blocks(DN_PQ_KIND_F64, (const uint8_t *)wide, blocks, n_blocks);
    check_blocks(DN_PQ_KIND_I32, (const uint8_t *)narrow, blocks, n_blocks);
    check_blocks(DN_PQ_KIND_F32, (const uint8_t *)narrow, blocks, n_blocks);
}

static const int64_t ends[] = {INT64_MIN,
                               INT64_MIN + 1,
                               INT64_MIN + 127,
                               INT64_MIN + 128,
                               INT64_MIN + 4095,
                               INT64_MIN + 4096,
                               (int64_t)INT32_MIN - 1,
                               INT32_MIN,
                               -4097,
                               -4096,
                               -256,
                               -1,
                               0,
                               1,
                               255,
                               256,
                               1000,
                               4095,
                               4096,
                               1000000,
                               INT32_MAX,
                               (int64_t)INT32_MAX + 1,
                               INT64_MAX - 4096,
                               INT64_MAX - 4095,
                               INT64_MAX - 128,
                               INT64_MAX - 127,
                               INT64_MAX - 1,
                               INT64_MAX};
#define N_ENDS (sizeof ends / sizeof ends[0])

/* A full block of one end, and all others behind it. */
static void a_block_at_one_end_then_the_others(void **state)
{
    int64_t values[1600];
    const size_t blocks[] = {512, 3, 3};

    (void)state;
    for (size_t a = 0; a < N_ENDS; a++) {
        for (size_t b = 0; b < N_ENDS; b++) {
            for (size_t c = 0; c < N_ENDS; c++) {
                for (size_t i = 0; i < 512; i++) {
                    values[i] = ends[a];
                }
                memcpy(values + 512,
                       (const int64_t[]){ends[b], ends[c], ends[a], 0, ends[c], ends[b]},
                       6 * sizeof *values);
                check_both(values, 518, blocks, 3);
            }
        }
    }
}

/* Short texts of numbers, cut into blocks in every way. */
static void ends_cut_in_every_way(void **state)
{
    enum {
        N = 9
    };
    int64_t values[N];
    uint64_t seed = 8;

    (void)state;
    for (unsigned round = 0; round < 120; round++) {
        for (size_t i = 0; i < N; i++) { /* near each other in some rounds, anywhere in others */
            const uint64_t random = scratch_random(&seed);
            values[i] =
                round % 3 == 0 ? ends[random % N_ENDS] : ends[(round + random % 5) % N_ENDS];
        }
        for (unsigned cuts = 0; cuts < 1U << (N - 1); cuts++) {
            size_t blocks[N] = {1};
            size_t n_blocks = 1;
            for (unsigned i = 0; i < N - 1; i++) {
                if ((cuts >> i & 1) != 0) {
                    blocks[n_blocks++] = 0;
                }
                blocks[n_blocks - 1]++;
            }
            check_both(values, N, blocks, n_blocks);
        }
    }
}

static bool ascends(const int64_t *values, size_t n)
{
    struct dn_pq_dictionary d;
    size_t done;

    dn_pq_dictionary_init(&d, DN_PQ_KIND_I64, dn_kernels_selected(), SIZE_MAX);
    for (size_t i = 0; i < n; i += done) {
        const size_t left = n - i < DN_PQ_DICTIONARY_BLOCK ? n - i : DN_PQ_DICTIONARY_BLOCK;
        assert_int_equal(dn_pq_dictionary_add(&d, values + i, left, &done, NULL), DN_OK);
    }
    const bool answer = dn_pq_dictionary_ascends(&d);
    dn_pq_dictionary_finish(&d);
    return answer;
}

static void values_in_ascending_order(void **state)
{
    int64_t values[1300];

    (void)state;
    for (size_t i = 0; i < 1300; i++) {
        values[i] = (int64_t)(i / 3) - 100;
    }
    assert_true(ascends(values, 1300));
    assert_true(ascends(values, 512));
    assert_true(ascends(values, 1));
    for (size_t i = 1; i <= 20; i++) { /* back to one that was there before */
        values[i * 60 + 1] = values[i * 60 + 1] - 1;
    }
    assert_true(ascends(values, 1300));
    values[1] = 1300;
    assert_false(ascends(values, 1300)); /* the 21st of 1300 */
    for (size_t i = 0; i < 1300; i++) {
        values[i] = (int64_t)i;
    }
    for (size_t i = 1; i <= 20; i++) { /* new ones that are smaller */
        values[i * 60] = -(int64_t)i;
    }
    assert_true(ascends(values, 1300));
    values[7] = INT64_MIN;
    assert_false(ascends(values, 1300));
}

static void floats_are_told_apart_by_bits(void **state)
{
    enum {
        N = 5000
    };
    static double wide[N];
    static float narrow[N];
    uint64_t seed = 6;

    (void)state;
    for (size_t i = 0; i < N; i++) {
        static const double odd[] = {0.0, -0.0, 1.0, -1.0, 1e308, 5e-324};
        wide[i] = scratch_random(&seed) % 3 == 0 ? odd[scratch_random(&seed) % 6]
                                                 : (double)(scratch_random(&seed) % 1000) / 7;
        narrow[i] = (float)wide[i];
    }
    check_numbers(DN_PQ_KIND_F64, wide, N, &seed);
    check_numbers(DN_PQ_KIND_F32, narrow, N, &seed);
}

/* Of 3 to 200 entries, so that the few become many; alike in all but their high bits, as halves and quarters are. */
static void few_floats(void **state)
{
    enum {
        N = 3000
    };
    static double wide[N];
    static float narrow[N];
    uint64_t seed = 7;

    (void)state;
    for (uint64_t n_pool = 3; n_pool <= 200; n_pool = n_pool * 3 / 2) {
        for (size_t i = 0; i < N; i++) {
            const uint64_t which = scratch_random(&seed) % n_pool;
            const uint64_t bits = which == 1 ? 1 : which << 52;
            const uint32_t bits32 = (uint32_t)(scratch_random(&seed) % n_pool) << 23;
            memcpy(&wide[i], &bits, sizeof bits);
            memcpy(&narrow[i], &bits32, sizeof bits32);
        }
        check_numbers(DN_PQ_KIND_F64, wide, N, &seed);
        check_numbers(DN_PQ_KIND_F32, narrow, N, &seed);
    }
}

static void texts_of_any_length(void **state)
{
    enum {
        N = 20000,
        POOL = 700
    };
    static char pool[POOL][64];
    static size_t lens[POOL];
    static uint32_t first_id[POOL];
    static struct dn_pq_text texts[N];
    static size_t drawn[N];
    struct dn_pq_dictionary d;
    uint64_t seed = 7;
    size_t n_seen = 0;

    (void)state;
    for (size_t i = 0; i < POOL; i++) { /* different ones: each begins with its number */
        lens[i] = i == 0 ? 0 : 3 + scratch_random(&seed) % 50;
        for (size_t j = 0; j < lens[i]; j++) {
            pool[i][j] = (char)('a' + scratch_random(&seed) % 2);
        }
        if (i > 0) {
            const size_t where = scratch_random(&seed) % (lens[i] - 2); /* front, middle or end */
            pool[i][where] = (char)('0' + i % 10);
            pool[i][where + 1] = (char)('0' + i / 10 % 10);
            pool[i][where + 2] = (char)('0' + i / 100);
        }
        first_id[i] = UINT32_MAX;
    }
    for (size_t i = 0; i < N; i++) {
        drawn[i] = scratch_random(&seed) % POOL;
        texts[i] = dn_pq_text_make((const uint8_t *)pool[drawn[i]], lens[drawn[i]]);
    }
    dn_pq_dictionary_init(&d, DN_PQ_KIND_TEXT, dn_kernels_selected(), SIZE_MAX);
    for (int round = 0; round < 2; round++) { /* once more after a reset */
        for (size_t i = 0; i < N;) {
            size_t portion = scratch_random(&seed) % DN_PQ_DICTIONARY_BLOCK + 1;
            size_t done;
            portion = portion < N - i ? portion : N - i;
            assert_int_equal(dn_pq_dictionary_add(&d, texts + i, portion, &done, NULL), DN_OK);
            assert_int_equal(done, portion);
            i += portion;
        }
        for (size_t i = 0; i < N; i++) {
            uint32_t id;
            dn_pq_ids_widen(&d.ids, (int64_t)i, 1, &id);
            if (first_id[drawn[i]] == UINT32_MAX) {
                first_id[drawn[i]] = (uint32_t)n_seen++;
            }
            assert_int_equal(id, first_id[drawn[i]]);
            const struct dn_pq_text t = dn_pq_dictionary_text(&d, id);
            assert_int_equal(t.len, lens[drawn[i]]);
            assert_memory_equal(dn_pq_text_data(&t), pool[drawn[i]], t.len);
        }
        assert_int_equal(d.n, n_seen);
        dn_pq_dictionary_reset(&d);
        assert_int_equal(d.n, 0);
    }
    dn_pq_dictionary_finish(&d);
}

/* Texts that differ in one byte anywhere, and zeros where others end: of 3 to 200 entries, so that the few become many. */
static void texts_that_are_alike(void **state)
{
    enum {
        N = 6000,
        POOL = 200
    };
    static uint8_t pool[POOL][24];
    static struct dn_pq_text texts[N];
    static uint32_t which[N];
    size_t lens[POOL];
    uint64_t seed = 9;

    (void)state;
    for (size_t k = 0; k < POOL; k++) {
        lens[k] = scratch_random(&seed) % 25;
        memset(pool[k], scratch_random(&seed) % 2 == 0 ? 0 : 'a', 24);
        pool[k][scratch_random(&seed) % 24] = (uint8_t)scratch_random(&seed);
    }
    for (size_t n_pool = 3; n_pool <= POOL; n_pool = n_pool * 3 / 2) {
        struct dn_pq_dictionary d;
        dn_pq_dictionary_init(&d, DN_PQ_KIND_TEXT, dn_kernels_selected(), SIZE_MAX);
        for (size_t i = 0; i < N; i++) {
            which[i] = (uint32_t)(scratch_random(&seed) % n_pool);
            texts[i] = dn_pq_text_make(pool[which[i]], lens[which[i]]);
        }
        for (size_t i = 0; i < N;) {
            size_t n = scratch_random(&seed) % DN_PQ_DICTIONARY_BLOCK + 1;
            size_t done = 0;
            n = n < N - i ? n : N - i;
            assert_int_equal(dn_pq_dictionary_add(&d, texts + i, n, &done, NULL), DN_OK);
            assert_int_equal(done, n);
            i += n;
        }
        for (size_t i = 0; i < N; i++) {
            struct dn_pq_text back;
            dn_pq_dictionary_decode(&d, (int64_t)i, 1, &back);
            assert_int_equal(back.len, texts[i].len);
            if (back.len > 0) {
                assert_memory_equal(dn_pq_text_data(&back), dn_pq_text_data(&texts[i]), back.len);
            }
        }
        for (uint32_t a = 0; a < d.n; a++) { /* none stands twice */
            const struct dn_pq_text one = dn_pq_dictionary_text(&d, a);
            for (uint32_t b = a + 1; b < d.n; b++) {
                const struct dn_pq_text other = dn_pq_dictionary_text(&d, b);
                assert_true(one.len != other.len ||
                            memcmp(dn_pq_text_data(&one), dn_pq_text_data(&other), one.len) != 0);
            }
        }
        dn_pq_dictionary_finish(&d);
    }
}

static void views_lose_their_padding(void **state)
{
    static const char text[] = "abcdefghijklmnopqrstuvwxyz";
    const void *variadic[1] = {text};

    (void)state;
    for (int32_t len = 0; len <= 26; len++) {
        struct dn_string_view view;
        memset(&view, 0xee, sizeof view);
        view.len = len;
        if (len <= 12) {
            memcpy(view.u.inlined, text, (size_t)len);
        } else {
            memcpy(view.u.ref.prefix, text, 4);
            view.u.ref.buffer = 0;
            view.u.ref.offset = 0;
        }
        struct dn_pq_text t;
        dn_pq_texts_from_views(&view, variadic, 1, &t);
        const struct dn_pq_text expected = dn_pq_text_make((const uint8_t *)text, (size_t)len);
        assert_memory_equal(&t, &expected, sizeof t);
    }
}

static void a_large_dictionary_stops(void **state)
{
    const size_t len = DN_PQ_DICTIONARY_MAX_BYTES / 2;
    char *text = calloc(len + 8, 1);
    struct dn_pq_text texts[8];
    struct dn_pq_dictionary d;
    size_t done;

    (void)state;
    for (size_t i = 0; i < 8; i++) {
        texts[i] = dn_pq_text_make((const uint8_t *)text, len + i);
    }
    dn_pq_dictionary_init(&d, DN_PQ_KIND_TEXT, dn_kernels_selected(), SIZE_MAX);
    assert_int_equal(dn_pq_dictionary_add(&d, texts, 8, &done, NULL), DN_OK);
    assert_int_equal(done, 1);
    assert_true(dn_pq_dictionary_is_over(&d));
    assert_true(d.plain.capacity < DN_PQ_DICTIONARY_MAX_BYTES); /* the second was not copied */
    assert_int_equal(dn_pq_dictionary_add(&d, texts, 1, &done, NULL), DN_OK);
    assert_int_equal(done, 0);
    dn_pq_dictionary_reset(&d);
    assert_int_equal(dn_pq_dictionary_add(&d, texts, 1, &done, NULL), DN_OK);
    assert_int_equal(done, 1);
    dn_pq_dictionary_finish(&d);
    free(text);
}

static bool pays(int64_t n, int64_t n_expected, int64_t n_distinct, int64_t quarter,
                 int64_t sixteenth)
{
    const struct dn_pq_growth growth = {n, n_distinct, quarter, sixteenth, n_distinct * 8, n * 8};

    return dn_pq_dictionary_pays(&growth, n_expected, 12);
}

static void when_a_dictionary_pays(void **state)
{
    (void)state;
    /* exact, at the end: 8 bytes per entry and the ids against 8 bytes per value, three quarters of it */
    assert_true(pays(1000, 0, 250, 0, 0));
    assert_true(pays(1000, 0, 590, 0, 0));
    assert_false(pays(1000, 0, 600, 0, 0));
    assert_false(pays(1, 0, 1, 0, 0));
    /* early: nothing but new values never pays, a small pool always does */
    assert_false(pays(4096, 1000000, 4096, 0, 0));
    assert_true(pays(4096, 1000000, 4000, 0, 0));  /* a pool of about 85,000 */
    assert_true(pays(4096, 1000000, 4012, 0, 0));  /* 100,000 */
    assert_false(pays(4096, 1000000, 4094, 0, 0)); /* 4 million */
    assert_true(pays(4096, 4096, 2000, 0, 0));
    /* growth that slows down, and growth that does not */
    assert_true(pays(65536, 1000000, 48029, 15083, 4027));
    assert_false(pays(65536, 1000000, 64517, 16325, 4092));
    assert_true(pays(65536, 1000000, 16297, 4071, 1023));
    assert_false(pays(262144, 1000000, 245787, 64517, 16325));
    assert_true(pays(262144, 262144, 100, 100, 100));
    /* looked ahead by whole steps */
    assert_true(pays(65536, 262144, 16297, 4071, 1023));
    assert_false(pays(65536, 262144, 65000, 16383, 4096));
}

/* What entries need besides their values counts, too: a budget is used up before the values alone have filled it. */
static void what_entries_need_is_bounded(void **state)
{
    enum {
        MOST = 64 << 10
    };
    struct dn_pq_dictionary d;
    uint64_t seed = 77;
    size_t n = 0;

    (void)state;
    memset(&d, 0, sizeof d);
    dn_pq_dictionary_init(&d, DN_PQ_KIND_I64, dn_kernels_selected(), MOST);
    while (!dn_pq_dictionary_is_over(&d)) {
        const uint64_t value = scratch_random(&seed);
        size_t done = 0;
        assert_int_equal(dn_pq_dictionary_add(&d, &value, 1, &done, NULL), DN_OK);
        n += done;
    }
    assert_int_equal(d.n, n);
    assert_in_range(d.plain.len, MOST / 8, MOST - 1);
    dn_pq_dictionary_finish(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_entries_need_is_bounded),
        cmocka_unit_test(integers_of_any_range),
        cmocka_unit_test(values_in_ascending_order),
        cmocka_unit_test(floats_are_told_apart_by_bits),
        cmocka_unit_test(few_floats),
        cmocka_unit_test(a_block_at_one_end_then_the_others),
        cmocka_unit_test(ends_cut_in_every_way),
        cmocka_unit_test(texts_of_any_length),
        cmocka_unit_test(texts_that_are_alike),
        cmocka_unit_test(views_lose_their_padding),
        cmocka_unit_test(a_large_dictionary_stops),
        cmocka_unit_test(when_a_dictionary_pays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
