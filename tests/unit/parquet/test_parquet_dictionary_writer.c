/* Collecting dictionaries, against a plain search; and the rule when one pays. */
#include "parquet/choice.h"
#include "parquet/dictionary.h"
#include "scratch.h"

/* Add n values of `width` bytes in random portions and compare ids, entries and decoding with a search through what was seen. */
static void check_numbers(enum dn_pq_kind kind, const void *values, size_t n, uint64_t *seed)
{
    const size_t width = kind == DN_PQ_KIND_I64 || kind == DN_PQ_KIND_F64 ? 8 : 4;
    const uint8_t *at = values;
    struct dn_pq_dictionary d;
    uint32_t *ids = malloc(n * sizeof *ids);
    size_t n_seen = 0;

    dn_pq_dictionary_init(&d, kind, dn_kernels_selected());
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
    dn_pq_dictionary_init(&d, DN_PQ_KIND_TEXT, dn_kernels_selected());
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
    dn_pq_dictionary_init(&d, DN_PQ_KIND_TEXT, dn_kernels_selected());
    assert_int_equal(dn_pq_dictionary_add(&d, texts, 8, &done, NULL), DN_OK);
    assert_int_equal(done, 2);
    assert_true(d.plain.len > DN_PQ_DICTIONARY_MAX_BYTES);
    assert_int_equal(dn_pq_dictionary_add(&d, texts, 1, &done, NULL), DN_OK);
    assert_int_equal(done, 0);
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
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_of_any_range),    cmocka_unit_test(floats_are_told_apart_by_bits),
        cmocka_unit_test(texts_of_any_length),      cmocka_unit_test(views_lose_their_padding),
        cmocka_unit_test(a_large_dictionary_stops), cmocka_unit_test(when_a_dictionary_pays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
