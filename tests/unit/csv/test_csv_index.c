/* The structural index and the block maps against the automaton run byte by byte, on every tier of this CPU. */
#include "scratch.h"

#include "csv/feed.h"
#include "csv/index.h"

#define MAX_TEXT ((size_t)4096)

static const struct dn_csv_dialect dialects[] = {
    {.delimiter = ',', .quote = '"', .has_quote = true},
    {.delimiter = ',', .quote = '"', .has_quote = true, .cr_ends_row = true},
    {.delimiter = '\t', .quote = '\'', .has_quote = true},
    {.delimiter = ',', .quote = '"', .has_quote = false},
    {.delimiter = ' ', .quote = '|', .has_quote = true, .cr_ends_row = true},
    {.delimiter = ',', .quote = '"', .has_quote = true, .double_cr = true},
    {.delimiter = ',', .quote = '"', .has_quote = true, .lf_cr = true},
    {.delimiter = ',', .quote = '"', .has_quote = true, .has_escape = true, .escape = '\\'},
    {.delimiter = ',', .quote = '"', .has_escape = true, .escape = 'a', .cr_ends_row = true},
    {.delimiter = ',', .quote = '"', .has_quote = true, .has_comment = true, .comment = 'x'},
    {.delimiter = '.', .quote = '"', .has_quote = true, .n_rest = 1, .rest = {'-'}},
    {.delimiter = ',',
     .quote = '"',
     .has_quote = true,
     .n_rest = 2,
     .rest = {',', '1'},
     .has_escape = true,
     .escape = '-',
     .has_comment = true,
     .comment = 'z'},
};
#define N_DIALECTS (sizeof(dialects) / sizeof(dialects[0]))

/* Text at a varying place, with padding that must not matter. */
struct text {
    uint8_t memory[64 + MAX_TEXT + 128];
    uint8_t *buf;
    size_t start;
    size_t len;
};

static uint64_t seed;

static size_t below(size_t n)
{
    return (size_t)(scratch_random(&seed) % n);
}

static size_t put_delimiter(const struct dn_csv_dialect *d, uint8_t *out)
{
    out[0] = d->delimiter;
    memcpy(out + 1, d->rest, d->n_rest);
    return 1 + (size_t)d->n_rest;
}

/* How often quotes come and how regular they are differs from text to text. */
static void random_text(struct text *t, const struct dn_csv_dialect *d, size_t max)
{
    const size_t kind = below(4);
    const size_t plain = kind == 0 ? 2 : 1 + below(60); /* of these, per special byte */
    const size_t n = below(max + 1);

    memset(t->memory, (int)(below(2) ? d->quote : '\n'), sizeof(t->memory));
    t->buf = t->memory + below(64);
    t->start = below(3) == 0 ? below(64) : 0;
    t->len = t->start;
    while (t->len < t->start + n && t->len < MAX_TEXT - 16) {
        uint8_t *p = t->buf + t->len;
        if (below(plain + 3) < plain) {
            *p = (uint8_t)("abcxyz019.-\xc3\xa9\0"[below(14)]);
            t->len++;
            continue;
        }
        if (kind > 1 &&
            below(12) == 0) { /* a row end, a mark, and what is the start of a row then */
            static const char *const starts[] = {"\n\xef\xbb\xbf", "\n\xef\xbb\xbf\"",
                                                 "\n\r\"",         "\n\xef\xbb\xbf\xef\xbb\xbf\"",
                                                 "\n\xef\xbb\"",   "\n\\\n\\\\\n"};
            const char *piece = starts[below(6)];
            memcpy(p, piece, strlen(piece));
            t->len += strlen(piece);
            continue;
        }
        switch (below(kind == 1 ? 4 : 10)) {
        case 0:
            t->len += put_delimiter(d, p);
            break;
        case 1:
            *p = '\n';
            t->len++;
            break;
        case 2:
            *p = '\r';
            t->len++;
            break;
        case 3:
            *p = d->quote;
            t->len++;
            break;
        case 4: /* what regular quotes look like */
        case 5:
            t->len += put_delimiter(d, p);
            t->buf[t->len++] = d->quote;
            break;
        case 6:
        case 7:
            p[0] = d->quote;
            p[1] = below(3) ? d->delimiter : '\n';
            t->len += 2;
            break;
        case 8:
            p[0] = d->quote;
            p[1] = '\r';
            p[2] = '\n';
            t->len += 3;
            break;
        default:
            p[0] = d->quote;
            p[1] = d->quote;
            t->len += 2;
            break;
        }
    }
}

/* The definition, written out here: one byte after the other. */
static enum dn_csv_state run(const struct dn_csv_dialect *d, const struct text *t,
                             enum dn_csv_state state, struct dn_csv_index *index)
{
    struct dn_csv_mark m;

    for (size_t i = t->start; i < t->len; i += m.n) {
        state = dn_csv_step(d, state, t->buf + i, t->len - i, &m);
        assert_true(m.n > 0 && m.n <= t->len - i);
        if (index == NULL) {
            continue;
        }
        if (m.field_ends) {
            index->ends[index->n_ends++] = (uint32_t)i;
            index->n_row_ends += m.row_ends;
        }
        if (m.stray && index->n_strays++ == 0) {
            index->first_stray = i;
        }
    }
    return state;
}

/*
 * Where a '\r' behind a closing quote is the last byte, nothing can follow that tells CLOSED from PLAIN.  The kernels know the start
 * of a field, not what the byte in front of it tells, nor that there is nothing but a mark in front.
 */
static bool same_state(const struct text *t, enum dn_csv_state a, enum dn_csv_state b)
{
    const uint8_t last = t->len > t->start ? t->buf[t->len - 1] : 0;

    if (b == DN_CSV_FIELD || (b == DN_CSV_START && (last == 0xbf || last == '\r'))) {
        return a == DN_CSV_START || a == DN_CSV_FIELD || (b == DN_CSV_START && a == DN_CSV_PLAIN);
    }
    return a == b || (b == DN_CSV_CLOSED && a == DN_CSV_PLAIN && t->len > t->start &&
                      t->buf[t->len - 1] == '\r');
}

/* The words that are said to have no doubled quotes have none. */
static void expect_doubled(const struct dn_csv_dialect *d, const struct text *t,
                           const struct dn_csv_index *got)
{
    struct dn_csv_mark m;
    enum dn_csv_state state = DN_CSV_START;

    for (size_t i = t->start; d->has_quote && i < t->len; i += m.n) {
        const enum dn_csv_state next = dn_csv_step(d, state, t->buf + i, t->len - i, &m);
        if (state == DN_CSV_CLOSED && next == DN_CSV_QUOTED) {
            const size_t before = i - 1; /* the quoted field has both */
            assert_true((got->doubled[i >> 9] >> (i >> 6 & 7) & 1) != 0 ||
                        (got->doubled[before >> 9] >> (before >> 6 & 7) & 1) != 0);
        }
        state = next;
    }
}

static void expect_index(const struct dn_kernels *kernels, const struct dn_csv_dialect *d,
                         const struct text *t, struct dn_csv_index *got, const char *what)
{
    static uint32_t ends[MAX_TEXT];

    for (int s = DN_CSV_START; s <= DN_CSV_CLOSED; s++) {
        struct dn_csv_index want = {.ends = ends, .first_stray = SIZE_MAX};
        enum dn_csv_state state = (enum dn_csv_state)s;
        const enum dn_csv_state end = run(d, t, state, &want);
        assert_int_equal(
            dn_csv_index_build(kernels, d, t->buf, t->start, t->len, &state, got, NULL), DN_OK);
        if (got->n_ends != want.n_ends || got->n_row_ends != want.n_row_ends ||
            got->n_strays != want.n_strays || got->first_stray != want.first_stray ||
            !same_state(t, state, end) ||
            (want.n_ends > 0 && memcmp(got->ends, ends, want.n_ends * sizeof(ends[0])) != 0)) {
            fail_msg("%s from state %d: %zu ends (%zu) %zu row ends (%zu) %llu strays (%llu), "
                     "first %zu (%zu), state %d (%d)",
                     what, s, got->n_ends, want.n_ends, got->n_row_ends, want.n_row_ends,
                     (unsigned long long)got->n_strays, (unsigned long long)want.n_strays,
                     got->first_stray, want.first_stray, (int)state, (int)end);
        }
        if (s == DN_CSV_START) {
            expect_doubled(d, t, got);
        }
    }
}

static void test_index_is_the_automaton(void **state)
{
    static struct text t;
    struct dn_csv_index index = {0};
    char what[100];

    (void)state;
    for (int tier = DN_CPU_SCALAR; tier <= (int)dn_cpu_detect(); tier++) {
        const struct dn_kernels *kernels = dn_kernels_for((enum dn_cpu_tier)tier);
        for (uint64_t round = 0; round < 4000; round++) {
            seed = round;
            const struct dn_csv_dialect *d = &dialects[round % N_DIALECTS];
            random_text(&t, d, round % 3 == 0 ? MAX_TEXT - 300 : 300);
            (void)snprintf(what, sizeof(what), "%s round %llu", dn_cpu_tier_name(kernels->tier),
                           (unsigned long long)round);
            expect_index(kernels, d, &t, &index, what);
        }
    }
    dn_csv_index_finish(&index);
}

/* Every text of six bytes that matter, at the start of a word and across the end of one. */
static void test_every_short_text(void **state)
{
    static const size_t shifts[] = {0, 60};
    static const uint8_t letters[] = {'x', ',', '"', '\n', '\r'};
    struct dn_csv_index index = {0};
    static struct text t;

    (void)state;
    for (int tier = DN_CPU_SCALAR; tier <= (int)dn_cpu_detect(); tier++) {
        const struct dn_kernels *kernels = dn_kernels_for((enum dn_cpu_tier)tier);
        for (size_t di = 0; di < 2; di++) {
            const struct dn_csv_dialect *d = &dialects[di];
            for (size_t k = 0; k < 2; k++) {
                memset(t.memory, '\n', sizeof(t.memory));
                t.buf = t.memory;
                memset(t.buf, ',', shifts[k]); /* ends at a field start */
                for (unsigned code = 0; code < 5u * 5 * 5 * 5 * 5 * 5; code++) {
                    unsigned rest = code;
                    for (size_t i = 0; i < 6; i++, rest /= 5) {
                        t.buf[shifts[k] + i] = letters[rest % 5];
                    }
                    t.start = 0;
                    t.len = shifts[k] + 6;
                    expect_index(kernels, d, &t, &index, "short text");
                }
            }
        }
    }
    dn_csv_index_finish(&index);
}

static bool ends_inside(const struct dn_csv_dialect *d, const struct text *t, bool starts_inside)
{
    return run(d, t, starts_inside ? DN_CSV_QUOTED : DN_CSV_START, NULL) == DN_CSV_QUOTED;
}

static void test_map_is_the_automaton(void **state)
{
    static struct text t;
    size_t n_constant = 0;
    size_t n_swapping = 0;
    size_t n_keeping = 0;

    (void)state;
    for (int tier = DN_CPU_SCALAR; tier <= (int)dn_cpu_detect(); tier++) {
        const struct dn_kernels *kernels = dn_kernels_for((enum dn_cpu_tier)tier);
        for (uint64_t round = 0; round < 6000; round++) {
            seed = round + 77;
            const struct dn_csv_dialect *d = &dialects[round % N_DIALECTS];
            random_text(&t, d, round % 3 == 0 ? MAX_TEXT - 300 : 100);
            if (t.len > t.start + 1) { /* a block ends behind a row-end byte that is not escaped */
                t.buf[t.len - 2] = ' ';
                t.buf[t.len - 1] = d->cr_ends_row && below(2) ? '\r' : '\n';
            }
            const struct dn_csv_map map = dn_csv_map_block(kernels, d, t.buf, t.start, t.len);
            const bool outside = d->has_quote && ends_inside(d, &t, false);
            const bool inside = d->has_quote && ends_inside(d, &t, true);
            if (map.ends_inside[0] != outside || map.ends_inside[1] != inside) {
                fail_msg("%s round %llu: map %d %d, automaton %d %d",
                         dn_cpu_tier_name(kernels->tier), (unsigned long long)round,
                         map.ends_inside[0], map.ends_inside[1], outside, inside);
            }
            n_constant += inside == outside;
            n_keeping += inside && !outside;
            n_swapping += !inside && outside;
        }
    }
    /* the texts are varied enough to tell maps apart */
    assert_true(n_constant > 500);
    assert_true(n_keeping > 500);
    assert_true(n_swapping > 50);
}

/* Cut anywhere behind row-end bytes, the maps of the pieces compose to the states of the whole text. */
static void test_maps_compose(void **state)
{
    static struct text t;
    size_t n_cuts = 0;
    size_t n_cuts_inside = 0;

    (void)state;
    const struct dn_kernels *kernels = dn_kernels_selected();
    for (uint64_t round = 0; round < 3000; round++) {
        seed = round + 4242;
        const struct dn_csv_dialect *d = &dialects[round % N_DIALECTS];
        enum dn_csv_state whole = DN_CSV_START;
        struct dn_csv_mark m;
        bool inside = false;
        random_text(&t, d, MAX_TEXT - 300);
        size_t piece = t.start;
        for (size_t at = t.start; at < t.len; at += m.n) {
            whole = dn_csv_step(d, whole, t.buf + at, t.len - at, &m);
            const size_t i = at + m.n - 1;
            const bool row_end = t.buf[i] == '\n' || (d->cr_ends_row && t.buf[i] == '\r' &&
                                                      (i + 1 == t.len || t.buf[i + 1] != '\n'));
            if (!row_end || dn_csv_ends_escaped(d, t.buf + t.start, i - t.start) || below(3) == 0) {
                continue;
            }
            /* the state behind a row-end byte that is not escaped is one of two: that is what makes two-state maps enough */
            assert_true(whole == DN_CSV_START || whole == DN_CSV_QUOTED);
            const struct dn_csv_map map = dn_csv_map_block(kernels, d, t.buf, piece, i + 1);
            inside = map.ends_inside[inside];
            assert_int_equal(inside, whole == DN_CSV_QUOTED);
            piece = i + 1;
            n_cuts++;
            n_cuts_inside += inside;
        }
    }
    assert_true(n_cuts > 20000);
    assert_true(n_cuts_inside > 2000);
}

static void test_array_is_kept_and_grows(void **state)
{
    static struct text t;
    struct dn_csv_index index = {0};
    enum dn_csv_state s = DN_CSV_START;

    (void)state;
    seed = 5;
    t.buf = t.memory;
    t.start = 0;
    memset(t.memory, ',', sizeof(t.memory)); /* as many ends as bytes */
    for (t.len = 0; t.len <= MAX_TEXT; t.len += 61) {
        assert_int_equal(dn_csv_index_build(dn_kernels_selected(), &dialects[0], t.buf, 0, t.len,
                                            &s, &index, NULL),
                         DN_OK);
        assert_int_equal(index.n_ends, t.len);
        assert_int_equal(index.n_row_ends, 0);
        assert_true(index.capacity >= t.len);
    }
    const uint32_t *ends = index.ends;
    t.len = 10;
    assert_int_equal(
        dn_csv_index_build(dn_kernels_selected(), &dialects[0], t.buf, 3, t.len, &s, &index, NULL),
        DN_OK);
    assert_ptr_equal(index.ends, ends);
    assert_int_equal(index.n_ends, 7);
    assert_int_equal(index.ends[0], 3); /* positions count from the buffer, not from `start` */
    dn_csv_index_finish(&index);
    dn_csv_index_finish(&index);
}

/* What one text left behind says nothing of the next one. */
static void test_doubled_quotes_are_forgotten(void **state)
{
    static struct text t;
    struct dn_csv_index index = {0};

    (void)state;
    t.buf = t.memory;
    for (int plain = 0; plain < 2; plain++) {
        enum dn_csv_state s = DN_CSV_START;
        memset(t.memory, plain ? 'x' : '"', sizeof(t.memory));
        t.len = 2000;
        assert_int_equal(dn_csv_index_build(dn_kernels_selected(), &dialects[0], t.buf, 0, t.len,
                                            &s, &index, NULL),
                         DN_OK);
        for (size_t word = 0; word < t.len / 64; word++) {
            assert_int_equal(index.doubled[word / 8] >> (word % 8) & 1, !plain);
        }
    }
    dn_csv_index_finish(&index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_index_is_the_automaton),
        cmocka_unit_test(test_every_short_text),
        cmocka_unit_test(test_map_is_the_automaton),
        cmocka_unit_test(test_maps_compose),
        cmocka_unit_test(test_array_is_kept_and_grows),
        cmocka_unit_test(test_doubled_quotes_are_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
