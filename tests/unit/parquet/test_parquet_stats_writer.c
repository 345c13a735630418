/* Chunk statistics: order, NaN, zeros, and how text bounds are cut. */
#include "parquet/write/stats.h"
#include "scratch.h"

#include <math.h>

static void add(struct dn_pq_stats *s, const void *values, size_t n)
{
    assert_int_equal(dn_pq_stats_add(s, dn_kernels_selected(), values, n, NULL), DN_OK);
}

static void add_text(struct dn_pq_stats *s, const char *text, size_t len)
{
    const struct dn_pq_text t = dn_pq_text_make((const uint8_t *)text, len);
    add(s, &t, 1);
}

static void assert_bound(const struct dn_pq_bound *b, const void *bytes, size_t len, bool exact)
{
    assert_true(b->present);
    assert_int_equal(b->exact, exact);
    assert_int_equal(b->len, len);
    assert_memory_equal(b->bytes, bytes, len);
}

static void assert_bounds(const struct dn_pq_stats *s, const void *min, const void *max, size_t len)
{
    struct dn_pq_bound low;
    struct dn_pq_bound high;

    dn_pq_stats_bounds(s, &low, &high);
    assert_bound(&low, min, len, true);
    assert_bound(&high, max, len, true);
}

static void assert_no_bounds(const struct dn_pq_stats *s)
{
    struct dn_pq_bound low;
    struct dn_pq_bound high;

    dn_pq_stats_bounds(s, &low, &high);
    assert_false(low.present);
    assert_false(high.present);
}

static void numbers(void **state)
{
    struct dn_pq_stats s;

    (void)state;
    dn_pq_stats_init(&s, DN_PQ_KIND_I32, DN_PQ_ORDERED);
    assert_no_bounds(&s);
    add(&s, (int32_t[]){5, -7, 3}, 3);
    add(&s, (int32_t[]){4}, 1);
    assert_bounds(&s, &(int32_t){-7}, &(int32_t){5}, 4);
    dn_pq_stats_reset(&s);
    assert_no_bounds(&s);
    add(&s, (int32_t[]){INT32_MIN, INT32_MAX}, 2);
    assert_bounds(&s, &(int32_t){INT32_MIN}, &(int32_t){INT32_MAX}, 4);
    dn_pq_stats_finish(&s);

    dn_pq_stats_init(&s, DN_PQ_KIND_I64, DN_PQ_ORDERED);
    add(&s, (int64_t[]){INT64_MAX, 0, INT64_MIN}, 3);
    assert_bounds(&s, &(int64_t){INT64_MIN}, &(int64_t){INT64_MAX}, 8);
    dn_pq_stats_finish(&s);
}

static void booleans(void **state)
{
    static const uint8_t bits[] = {0xf0, 0x0f};
    struct dn_pq_stats s;

    (void)state;
    dn_pq_stats_init(&s, DN_PQ_KIND_BOOL, DN_PQ_ORDERED);
    dn_pq_stats_add_bools(&s, bits, 0, 0);
    assert_no_bounds(&s);
    dn_pq_stats_add_bools(&s, bits, 4, 8);
    assert_bounds(&s, "\1", "\1", 1);
    dn_pq_stats_add_bools(&s, bits, 0, 1);
    assert_bounds(&s, "\0", "\1", 1);
    dn_pq_stats_reset(&s);
    dn_pq_stats_add_bools(&s, bits, 12, 4);
    assert_bounds(&s, "\0", "\0", 1);
}

static void floats(void **state)
{
    struct dn_pq_stats s;

    (void)state;
    dn_pq_stats_init(&s, DN_PQ_KIND_F64, DN_PQ_ORDERED);
    add(&s, (double[]){1.5, -2.5, 1e300, -INFINITY}, 4);
    assert_bounds(&s, &(double){-INFINITY}, &(double){1e300}, 8);
    dn_pq_stats_reset(&s);
    add(&s, (double[]){0.0, 1.0}, 2); /* the minimum must cover -0.0 */
    assert_bounds(&s, &(double){-0.0}, &(double){1.0}, 8);
    dn_pq_stats_reset(&s);
    add(&s, (double[]){-0.0, -1.0}, 2); /* the maximum must cover +0.0 */
    assert_bounds(&s, &(double){-1.0}, &(double){0.0}, 8);
    dn_pq_stats_reset(&s);
    add(&s, (double[]){-4e-320, -5e-324}, 2);
    assert_bounds(&s, &(double){-4e-320}, &(double){-5e-324}, 8);
    dn_pq_stats_reset(&s);
    add(&s, (double[]){1.0, NAN, 2.0, -NAN}, 4);
    assert_int_equal(s.n_nans, 2);
    assert_no_bounds(&s);
    dn_pq_stats_reset(&s);
    assert_int_equal(s.n_nans, 0);
    add(&s, (double[]){2.0}, 1);
    assert_bounds(&s, &(double){2.0}, &(double){2.0}, 8);

    dn_pq_stats_init(&s, DN_PQ_KIND_F32, DN_PQ_ORDERED);
    add(&s, (float[]){-0.0F, 0.0F}, 2);
    assert_bounds(&s, &(float){-0.0F}, &(float){0.0F}, 4);
    dn_pq_stats_reset(&s);
    add(&s, (float[]){0.0F}, 1);
    assert_bounds(&s, &(float){-0.0F}, &(float){0.0F}, 4);
    dn_pq_stats_reset(&s);
    add(&s, (float[]){-3.0F, INFINITY, -1e-40F}, 3);
    assert_bounds(&s, &(float){-3.0F}, &(float){INFINITY}, 4);
    add(&s, (float[]){NAN}, 1);
    assert_no_bounds(&s);
}

/* Against sorting by memcmp, on texts with common prefixes, embedded zeros and high bytes. */
static void texts_order_as_bytes(void **state)
{
    uint64_t seed = 4;

    (void)state;
    for (int round = 0; round < 3000; round++) {
        struct dn_pq_stats s;
        char texts[12][24];
        size_t lens[12];
        size_t low = 0;
        size_t high = 0;
        const size_t n = scratch_random(&seed) % 12 + 1;
        dn_pq_stats_init(&s, DN_PQ_KIND_TEXT, DN_PQ_ORDERED);
        for (size_t i = 0; i < n; i++) {
            lens[i] = scratch_random(&seed) % 24;
            for (size_t j = 0; j < lens[i]; j++) {
                static const char alphabet[] = {'a', 'a', 'a', '\0', '\xc3', '\x7f'};
                texts[i][j] = alphabet[scratch_random(&seed) % (j < 8 ? 2 : 6)];
            }
            add_text(&s, texts[i], lens[i]);
            const size_t with_low = lens[i] < lens[low] ? lens[i] : lens[low];
            const size_t with_high = lens[i] < lens[high] ? lens[i] : lens[high];
            int order = memcmp(texts[i], texts[low], with_low);
            low = order < 0 || (order == 0 && lens[i] < lens[low]) ? i : low;
            order = memcmp(texts[i], texts[high], with_high);
            high = order > 0 || (order == 0 && lens[i] > lens[high]) ? i : high;
        }
        struct dn_pq_bound min;
        struct dn_pq_bound max;
        dn_pq_stats_bounds(&s, &min, &max);
        assert_bound(&min, texts[low], lens[low], true);
        assert_bound(&max, texts[high], lens[high], true);
        dn_pq_stats_finish(&s);
    }
}

static void only_the_empty_text(void **state)
{
    struct dn_pq_stats s;

    (void)state;
    dn_pq_stats_init(&s, DN_PQ_KIND_TEXT, DN_PQ_ORDERED);
    assert_no_bounds(&s);
    add_text(&s, "", 0);
    assert_bounds(&s, "", "", 0);
    dn_pq_stats_finish(&s);
}

struct cut {
    const char *tail; /* behind n_before times 'a' */
    size_t n_before;
    const char *min_tail; /* behind as many 'a' as fit */
    size_t min_before;
    const char *max_tail;
    size_t max_before;
};

static void assert_cut(const struct cut *c, char filler)
{
    char text[256];
    char expected[256];
    struct dn_pq_stats s;
    struct dn_pq_bound min;
    struct dn_pq_bound max;

    memset(text, filler, sizeof text);
    memcpy(text + c->n_before, c->tail, strlen(c->tail));
    dn_pq_stats_init(&s, DN_PQ_KIND_TEXT, DN_PQ_ORDERED);
    add_text(&s, text, c->n_before + strlen(c->tail));
    dn_pq_stats_bounds(&s, &min, &max);
    memset(expected, filler, sizeof expected);
    memcpy(expected + c->min_before, c->min_tail, strlen(c->min_tail));
    assert_bound(&min, expected, c->min_before + strlen(c->min_tail), false);
    memset(expected, filler, sizeof expected);
    memcpy(expected + c->max_before, c->max_tail, strlen(c->max_tail));
    assert_bound(&max, expected, c->max_before + strlen(c->max_tail), false);
    dn_pq_stats_finish(&s);
}

static void long_texts_are_cut(void **state)
{
    static const struct cut cuts[] = {
        {"aaaaa", 60, "", 64, "b", 63},                     /* plain ASCII */
        {"\xc3\xa9zz", 63, "", 63, "b", 62},                /* a character across the cut */
        {"\xc3\xa9zz", 62, "\xc3\xa9", 62, "\xc3\xaa", 62}, /* the last one fits */
        {"\xf0\x9f\x98\x80zz", 61, "", 61, "b", 60},        /* four bytes across the cut */
        {"\x7fzz", 63, "\x7f", 63, "b", 62}, /* its successor needs a byte more than there is */
        {"\xed\x9f\xbfzz", 61, "\xed\x9f\xbf", 61, "\xee\x80\x80", 61}, /* surrogates are skipped */
        {"\xf4\x8f\xbf\xbfzz", 60, "\xf4\x8f\xbf\xbf", 60, "b",
         59}, /* the last character of all has no successor */
        {"\xdf\xbfzz", 62, "\xdf\xbf", 62, "b", 61}, /* two bytes to three: no room */
        {"\xf0\x9f\x98\x80zz", 60, "\xf0\x9f\x98\x80", 60, "\xf0\x9f\x98\x81", 60},
        {"\xef\xbf\xbfzz", 60, "\xef\xbf\xbfz", 60, "\xef\xbf\xbf{", 60},
        {"\xef\xbf\xbfzz", 61, "\xef\xbf\xbf", 61, "b", 60}, /* three bytes to four: no room */
    };
    struct dn_pq_stats s;

    (void)state;
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        assert_cut(&cuts[i], 'a');
    }

    /* 64 bytes are not cut. */
    char text[65];
    memset(text, 'q', sizeof text);
    dn_pq_stats_init(&s, DN_PQ_KIND_TEXT, DN_PQ_ORDERED);
    add_text(&s, text, 64);
    assert_bounds(&s, text, text, 64);
    dn_pq_stats_finish(&s);

    /* Nothing but the last character of all: there is nothing larger of at most 64 bytes, and one bound alone is not given. */
    char last[80];
    for (size_t i = 0; i < sizeof last; i += 4) {
        memcpy(last + i, "\xf4\x8f\xbf\xbf", 4);
    }
    dn_pq_stats_init(&s, DN_PQ_KIND_TEXT, DN_PQ_ORDERED);
    add_text(&s, last, sizeof last);
    assert_no_bounds(&s);
    dn_pq_stats_finish(&s);

    /* Bytes that are no UTF-8 at all: an upper bound is not claimed. */
    memset(last, 0x80, sizeof last);
    dn_pq_stats_init(&s, DN_PQ_KIND_TEXT, DN_PQ_ORDERED);
    add_text(&s, last, sizeof last);
    assert_no_bounds(&s);
    dn_pq_stats_finish(&s);
}

static void merging(void **state)
{
    struct dn_pq_stats a;
    struct dn_pq_stats b;

    (void)state;
    dn_pq_stats_init(&a, DN_PQ_KIND_TEXT, DN_PQ_ORDERED);
    dn_pq_stats_init(&b, DN_PQ_KIND_TEXT, DN_PQ_ORDERED);
    b.n_nulls = 3;
    assert_int_equal(dn_pq_stats_merge(&a, &b, NULL), DN_OK);
    assert_no_bounds(&a);
    add_text(&b, "m", 1);
    add_text(&b, "longer than an inline text", 26);
    assert_int_equal(dn_pq_stats_merge(&a, &b, NULL), DN_OK);
    assert_int_equal(a.n_nulls, 6);
    dn_pq_stats_reset(&b);
    add_text(&b, "z", 1);
    assert_int_equal(dn_pq_stats_merge(&a, &b, NULL), DN_OK);
    struct dn_pq_bound min;
    struct dn_pq_bound max;
    dn_pq_stats_bounds(&a, &min, &max);
    assert_bound(&min, "longer than an inline text", 26, true);
    assert_bound(&max, "z", 1, true);
    dn_pq_stats_finish(&a);
    dn_pq_stats_finish(&b);

    dn_pq_stats_init(&a, DN_PQ_KIND_F64, DN_PQ_ORDERED);
    dn_pq_stats_init(&b, DN_PQ_KIND_F64, DN_PQ_ORDERED);
    add(&a, (double[]){1.0}, 1);
    add(&b, (double[]){NAN}, 1);
    assert_int_equal(dn_pq_stats_merge(&a, &b, NULL), DN_OK);
    assert_no_bounds(&a);
    dn_pq_stats_reset(&b); /* ... and there never will be */
    add(&b, (double[]){2.0}, 1);
    assert_int_equal(dn_pq_stats_merge(&a, &b, NULL), DN_OK);
    assert_no_bounds(&a);
    dn_pq_stats_reset(&a);
    assert_int_equal(dn_pq_stats_merge(&a, &b, NULL), DN_OK);
    assert_bounds(&a, &(double){2.0}, &(double){2.0}, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(booleans),
        cmocka_unit_test(floats),
        cmocka_unit_test(texts_order_as_bytes),
        cmocka_unit_test(only_the_empty_text),
        cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(merging),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
