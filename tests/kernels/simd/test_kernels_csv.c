/*
 * csv_index and csv_sweep: every tier against a byte-by-byte oracle written from the text in kernels.h, on texts where
 * regular and irregular quotes are both frequent.
 */
#include "kernel_rig.h"

#define PADDING 64
#define WORD 64
#define MAX_TEXT ((size_t)64 * 1024)
#define SCRATCH 64
#define CANARY UINT32_C(0xDEADBEEF)

static struct rig_guarded text_memory;
static struct rig_guarded out_memory;
static uint32_t *expected_out;
static size_t
    n_whole; /* calls that reached the end over at least two words, with quotes in the dialect */
static size_t n_irregular; /* calls that stopped early, after at least one word */

/* One call of a kernel. */
struct call {
    const uint8_t *text;
    size_t pos;
    size_t len;
    struct dn_csv_scan scan;
    size_t n_out;
    size_t n_row_ends;
};

/* ---- the oracle ---- */

enum verdict {
    PLAIN,
    MARK,
    ROW_END,
    IRREGULAR
};

static enum verdict oracle_byte(struct dn_csv_scan *s, const uint8_t *text, size_t i, size_t len)
{
    uint8_t c = text[i];
    bool quote = s->has_quote && c == s->quote;
    bool row_end = c == '\n' || (c == '\r' && s->cr_ends_row);
    bool delimiter = c == s->delimiter;
    bool reopened = quote && s->after_close;

    if (s->inside) {
        if (quote) {
            s->inside = 0;
            s->after_close = 1;
        }
        return PLAIN;
    }
    if (s->after_close) {
        bool crlf = c == '\r' && (i + 1 == len || text[i + 1] == '\n');

        if (!quote && !delimiter && !row_end && !crlf) {
            return IRREGULAR;
        }
        s->after_close = 0;
    }
    if (quote) {
        if (!s->field_start && !reopened) {
            return IRREGULAR;
        }
        s->inside = ~UINT64_C(0);
        s->field_start = 0;
        return PLAIN;
    }
    s->field_start = delimiter || row_end;
    return row_end ? ROW_END : delimiter ? MARK : PLAIN;
}

static size_t oracle(struct call *c, uint32_t *out)
{
    size_t word = c->pos;

    while (word < c->len) {
        struct dn_csv_scan s = c->scan;
        size_t n_out = c->n_out;
        size_t n_row_ends = c->n_row_ends;
        size_t word_end = c->len - word < WORD ? c->len : word + WORD;

        for (size_t i = word; i < word_end; i++) {
            enum verdict v = oracle_byte(&s, c->text, i, c->len);

            if (v == IRREGULAR) {
                return word; /* what this word did so far does not count */
            }
            if (v != PLAIN) {
                out[n_out++] = (uint32_t)i;
            }
            n_row_ends += v == ROW_END;
        }
        c->scan = s;
        c->n_out = n_out;
        c->n_row_ends = n_row_ends;
        word = word_end;
    }
    return word;
}

/* ---- one comparison ---- */

static void assert_scan_equal(const struct dn_csv_scan *a, const struct dn_csv_scan *b)
{
    assert_true(a->inside == b->inside);
    assert_true(a->after_close == b->after_close);
    assert_true(a->field_start == b->field_start);
    assert_int_equal(a->delimiter, b->delimiter);
    assert_int_equal(a->quote, b->quote);
    assert_int_equal(a->has_quote, b->has_quote);
    assert_int_equal(a->cr_ends_row, b->cr_ends_row);
}

/* Every quote that stands behind one that may close a field is in the bitmap, in a scan without what is irregular in front of it. */
static void check_doubled(const struct call *c, size_t stop, const uint8_t *doubled)
{
    struct dn_csv_scan s = c->scan;

    for (size_t i = c->pos; i < stop; i++) {
        const bool is_doubled = s.has_quote && s.after_close && c->text[i] == s.quote;
        assert_true(!is_doubled || (doubled[i / 512] >> i / 64 % 8 & 1));
        (void)oracle_byte(&s, c->text, i, c->len);
    }
}

static void check_index(const struct dn_kernels *k, const struct call *c, const struct call *want,
                        size_t want_pos)
{
    size_t room = c->n_out + (c->len - c->pos) + SCRATCH;
    uint32_t *out = (uint32_t *)(void *)out_memory.end - room;
    size_t n_out = c->n_out;
    size_t n_row_ends = c->n_row_ends;
    struct dn_csv_scan scan = c->scan;
    size_t pos;

    uint8_t doubled[(MAX_TEXT + 2 * WORD) / 512 + 1] = {0};
    uint8_t any = 0;

    for (size_t i = 0; i < room; i++) {
        out[i] = CANARY;
    }
    scan.doubled = doubled;
    pos = k->csv_index(c->text, c->pos, c->len, &scan, out, &n_out, &n_row_ends);
    check_doubled(c, pos, doubled);
    for (size_t i = c->pos; i < pos; i++) {
        any |= c->text[i];
    }
    assert_true(scan.not_ascii || any < 0x80);
    assert_int_equal(pos, want_pos);
    assert_int_equal(n_out, want->n_out);
    assert_int_equal(n_row_ends, want->n_row_ends);
    assert_scan_equal(&scan, &want->scan);
    for (size_t i = 0; i < c->n_out; i++) {
        assert_int_equal(out[i], CANARY);
    }
    assert_memory_equal(out + c->n_out, expected_out + c->n_out, (n_out - c->n_out) * sizeof(*out));
    for (size_t i = n_out + SCRATCH; i < room; i++) {
        assert_int_equal(out[i], CANARY);
    }
}

/* Every tier on one call; afterwards *c is as the call leaves it.  Returns where it stopped. */
static size_t check_call(struct call *c)
{
    struct call want = *c;
    size_t want_pos = oracle(&want, expected_out);

    RIG_FOR_EACH_KERNELS(k)
    {
        struct dn_csv_scan scan = c->scan;

        check_index(k, c, &want, want_pos);
        assert_int_equal(k->csv_sweep(c->text, c->pos, c->len, &scan), want_pos);
        assert_scan_equal(&scan, &want.scan);
    }
    if (c->scan.has_quote) {
        n_whole += want_pos == c->len && c->len - c->pos >= 2 * WORD;
        n_irregular += want_pos < c->len && want_pos > c->pos;
    }
    *c = want;
    c->pos = want_pos;
    return want_pos;
}

/* ---- texts ---- */

static const char *const alphabets[] = {
    "\",\n\ra", "\",\n\raaaaaaaaaaaaaaaaaaaa", "\"\",a", "\r\n\"", ",\n", "a",
    "\"",       ",,,,,,,,,,a\n\"\"",
};
#define N_ALPHABETS (sizeof(alphabets) / sizeof(alphabets[0]))

static void fill_from_alphabet(uint64_t *seed, uint8_t *text, size_t n, const struct dn_csv_scan *s)
{
    const char *alphabet = alphabets[rig_below(seed, N_ALPHABETS)];
    size_t size = strlen(alphabet);

    for (size_t i = 0; i < n; i++) {
        char c = alphabet[rig_below(seed, size)];

        text[i] = c == '"' ? s->quote : c == ',' ? s->delimiter : (uint8_t)c;
    }
}

/* Fields that are regular by construction, then a few bytes changed in some of the texts. */
static void fill_regular(uint64_t *seed, uint8_t *text, size_t n, const struct dn_csv_scan *s)
{
    size_t max_field = 1 + rig_below(seed, 40);
    size_t quoted_percent = rig_below(seed, 4) * 33;
    bool crlf = rig_below(seed, 2) == 0;
    size_t i = 0;

    while (i < n) {
        size_t field = rig_below(seed, max_field);
        bool quoted = rig_below(seed, 100) < quoted_percent;

        if (quoted && i < n) {
            text[i++] = s->quote;
        }
        for (; field > 0 && i < n; field--) {
            size_t r = rig_below(seed, 12);

            if (!quoted || r > 3) {
                text[i++] = (uint8_t)('a' + r);
            } else if (r == 0) {
                text[i++] = s->quote;
                if (i < n) {
                    text[i++] = s->quote;
                }
            } else {
                text[i++] = r == 1 ? s->delimiter : r == 2 ? '\n' : '\r';
            }
        }
        if (quoted && i < n) {
            text[i++] = s->quote;
        }
        if (rig_below(seed, 5) != 0) {
            if (i < n) {
                text[i++] = s->delimiter;
            }
            continue;
        }
        if (crlf && i < n) {
            text[i++] = '\r';
        }
        if (i < n) {
            text[i++] = '\n';
        }
    }
    for (size_t changes = rig_below(seed, 3); changes > 0 && n > 0; changes--) {
        text[rig_below(seed, n)] = rig_below(seed, 2) ? s->quote : '\r';
    }
}

static struct dn_csv_scan random_scan(uint64_t *seed)
{
    static const uint8_t delimiters[] = {',', ';', '\t', '|', 0, 0xFF, 0x80};
    struct dn_csv_scan s = {0};

    s.delimiter = delimiters[rig_below(seed, sizeof(delimiters))];
    s.quote = rig_below(seed, 4) == 0 ? '\'' : '"';
    s.has_quote = rig_below(seed, 8) != 0;
    s.cr_ends_row = rig_below(seed, 3) == 0;
    return s;
}

/* One of the states of the automaton: start of field, inside quotes, after a closing quote, in an unquoted field. */
static void random_state(uint64_t *seed, struct dn_csv_scan *s)
{
    size_t r = rig_below(seed, 6);

    s->inside = r == 3 && s->has_quote ? ~UINT64_C(0) : 0;
    s->after_close = r == 4 && s->has_quote;
    s->field_start = r < 3;
}

/* A text of n bytes whose padding ends `from_guard` bytes before the guard page; the padding is text-like too. */
static uint8_t *make_text(uint64_t *seed, size_t n, size_t from_guard, const struct dn_csv_scan *s)
{
    uint8_t *text = text_memory.end - from_guard - PADDING - n;

    if (rig_below(seed, 2) == 0) {
        fill_from_alphabet(seed, text, n, s);
    } else {
        fill_regular(seed, text, n, s);
    }
    fill_from_alphabet(seed, text + n, PADDING + from_guard, s);
    return text;
}

/* ---- tests ---- */

static void every_length_and_alignment(void **state)
{
    uint64_t seed = 1;

    (void)state;
    for (size_t n = 0; n <= 257; n++) {
        for (size_t alignment = 0; alignment < RIG_MAX_ALIGNMENT; alignment++) {
            struct call c = {.len = n, .scan = random_scan(&seed)};

            random_state(&seed, &c.scan);
            c.text = make_text(&seed, n, alignment, &c.scan);
            check_call(&c);
        }
    }
}

static void nothing_before_the_text_is_read(void **state)
{
    uint64_t seed = 2;

    (void)state;
    for (size_t n = 0; n <= 257; n++) {
        struct call c = {.len = n, .scan = random_scan(&seed)};

        random_state(&seed, &c.scan);
        memcpy(text_memory.begin, make_text(&seed, n, 0, &c.scan), n + PADDING);
        c.text = text_memory.begin;
        check_call(&c);
    }
}

/* Stop, then go on somewhere later in a random state, appending to the same output, as the caller's automaton does. */
static void resumed_after_irregular_words(void **state)
{
    uint64_t seed = 3;

    (void)state;
    n_whole = n_irregular = 0;
    for (int round = 0; round < 3000; round++) {
        size_t n = rig_below(&seed, 1500);
        struct call c = {.len = n, .scan = random_scan(&seed), .n_out = rig_below(&seed, 9)};

        c.n_row_ends = rig_below(&seed, 9);
        random_state(&seed, &c.scan);
        c.text = make_text(&seed, n, 0, &c.scan);
        while (check_call(&c) < n) {
            c.pos += 1 + rig_below(&seed, 100);
            if (c.pos > n) {
                break;
            }
            random_state(&seed, &c.scan);
        }
    }
    assert_true(n_whole > 1000);
    assert_true(n_irregular > 1000);
}

/* A text cut anywhere: the state carried over the cuts gives what one call gives. */
static void cut_into_pieces(void **state)
{
    uint64_t seed = 4;
    size_t n_compared = 0;

    (void)state;
    for (int round = 0; round < 2000; round++) {
        size_t n = 1 + rig_below(&seed, 1000);
        struct call whole = {.len = n, .scan = random_scan(&seed)};
        struct call c;

        whole.scan.field_start = 1;
        whole.scan.cr_ends_row =
            true; /* else a piece that ends in '\r' is judged without its '\n' */
        whole.text = make_text(&seed, n, 0, &whole.scan);
        c = whole;
        if (check_call(&whole) < n) {
            continue;
        }
        for (c.len = 0; c.len < n;) {
            size_t left = n - c.len;

            c.len += 1 + rig_below(&seed, left < 200 ? left : 200);
            assert_int_equal(check_call(&c), c.len);
        }
        assert_scan_equal(&c.scan, &whole.scan);
        assert_int_equal(c.n_out, whole.n_out);
        assert_int_equal(c.n_row_ends, whole.n_row_ends);
        n_compared++;
    }
    assert_true(n_compared > 500);
}

static void long_texts(void **state)
{
    uint64_t seed = 5;

    (void)state;
    for (int round = 0; round < 60; round++) {
        struct call c = {.scan = random_scan(&seed)};

        c.len = rig_below(&seed, MAX_TEXT + 1);
        c.pos = rig_below(&seed, c.len < 64 ? c.len + 1 : 64);
        random_state(&seed, &c.scan);
        c.text = make_text(&seed, c.len, rig_below(&seed, RIG_MAX_ALIGNMENT), &c.scan);
        for (int stops = 0; check_call(&c) < c.len && stops < 20; stops++) {
            c.pos += WORD < c.len - c.pos ? WORD : c.len - c.pos;
            random_state(&seed, &c.scan);
        }
    }
}

/* Hand-written: text, state in, where it stops, positions; the end of each text is the end of the input. */
struct example {
    const char *text;
    bool cr_ends_row;
    bool regular;
    const char *positions; /* one letter per position, 'a' = 0 */
    size_t n_row_ends;
};

static void examples(void **state)
{
    static const struct example list[] = {
        {"a,b\n", false, true, "bd", 1},       {"\"a,\n\",b", false, true, "f", 0},
        {"\"a\"\"b\",c", false, true, "g", 0}, {"\"\",\"\"\n", false, true, "cf", 1},
        {"\"\"\"\"\n", false, true, "e", 1},   {"a\"b", false, false, "", 0},
        {"\"a\"b", false, false, "", 0},       {"a,\"b\" ,c", false, false, "", 0},
        {"\"a\"\r\nb", false, true, "e", 1},   {"\"a\"\rb", false, false, "", 0},
        {"\"a\"\rb", true, true, "d", 1},      {"\"a\"\r", false, true, "", 0},
        {"\"a\"\r\r\n", false, false, "", 0},  {"a\r\nb", false, true, "c", 1},
        {"a\r\nb", true, true, "bc", 2},       {"a\r\"b\"", false, false, "", 0},
        {"a\r\"b\"", true, true, "b", 1},      {"\"a", false, true, "", 0},
    };

    (void)state;
    for (size_t e = 0; e < sizeof(list) / sizeof(list[0]); e++) {
        size_t n = strlen(list[e].text);
        uint8_t *text = text_memory.end - PADDING - n;

        memcpy(text, list[e].text, n);
        memset(text + n, '\n', PADDING);
        RIG_FOR_EACH_KERNELS(k)
        {
            struct dn_csv_scan s = {
                .field_start = 1, .delimiter = ',', .quote = '"', .has_quote = true};
            uint32_t out[SCRATCH + 16];
            size_t n_out = 0;
            size_t n_row_ends = 0;

            s.cr_ends_row = list[e].cr_ends_row;
            assert_int_equal(k->csv_index(text, 0, n, &s, out, &n_out, &n_row_ends),
                             list[e].regular ? n : 0);
            assert_int_equal(n_out, strlen(list[e].positions));
            for (size_t i = 0; i < n_out; i++) {
                assert_int_equal(out[i], list[e].positions[i] - 'a');
            }
            assert_int_equal(n_row_ends, list[e].n_row_ends);
        }
    }
}

/* A closing quote, '\r' and what follows, moved over a word boundary; the input ends right there or goes on. */
static void carriage_return_around_a_word_boundary(void **state)
{
    static const char *const ends[] = {"\"\r\n", "\"\r", "\"\ra",     "\"\r\"",
                                       "\"",     "\"\n", "\"\r\n\"\""};
    uint64_t seed = 6;

    (void)state;
    for (size_t e = 0; e < sizeof(ends) / sizeof(ends[0]); e++) {
        size_t m = strlen(ends[e]);

        for (size_t at = 50; at < 140; at++) {
            for (size_t more = 0; more < 70; more++) {
                struct call c = {.len = at + m + more};
                struct dn_csv_scan s = {
                    .field_start = 1, .delimiter = ',', .quote = '"', .has_quote = true};
                uint8_t *text = text_memory.end - PADDING - c.len;

                memset(text, 'x', c.len);
                fill_from_alphabet(&seed, text + c.len, PADDING, &s);
                text[0] = '"';
                memcpy(text + at, ends[e], m);
                c.text = text;
                c.scan = s;
                check_call(&c);
            }
        }
    }
}

static int setup(void **state)
{
    (void)state;
    text_memory = rig_guarded_create(MAX_TEXT + PADDING + RIG_MAX_ALIGNMENT);
    out_memory = rig_guarded_create((MAX_TEXT + SCRATCH + 16) * sizeof(uint32_t));
    expected_out = test_malloc((MAX_TEXT + SCRATCH + 16) * sizeof(uint32_t));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    test_free(expected_out);
    rig_guarded_destroy(&text_memory);
    rig_guarded_destroy(&out_memory);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples),
        cmocka_unit_test(every_length_and_alignment),
        cmocka_unit_test(nothing_before_the_text_is_read),
        cmocka_unit_test(resumed_after_irregular_words),
        cmocka_unit_test(cut_into_pieces),
        cmocka_unit_test(long_texts),
        cmocka_unit_test(carriage_return_around_a_word_boundary),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
