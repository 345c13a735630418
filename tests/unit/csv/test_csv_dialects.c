/*
 * Escapes, comments, delimiters of several bytes and skipped lines: random texts in random dialects, read in blocks of every size
 * by any number of threads, against a slow reading (csv_plain_reading.h).
 */
#include "csv_plain_reading.h"

#define MAX_TEXT ((size_t)20000)

static uint64_t seed;

static size_t below(size_t n)
{
    return (size_t)(scratch_random(&seed) % n);
}

static void put(struct rig_text *t, const char *text)
{
    rig_append(t, text, strlen(text));
}

static void put_byte(struct rig_text *t, char byte)
{
    if (byte != 0) {
        rig_append(t, &byte, 1);
    }
}

static struct plain_dialect random_dialect(void)
{
    static const char *const delimiters[] = {",", ";", "||", "\t", "-:-", "\xc2\xa7", "abababac"};
    static const char quotes[] = {'"', '"', '\'', 0, '1'};
    static const char escapes[] = {0, '\\', '\\', '^', '0'};
    struct plain_dialect d = {.delimiter = delimiters[below(7)],
                              .quote = quotes[below(5)],
                              .escape = escapes[below(5)],
                              .comment = below(2) ? '#' : 0,
                              .header = below(4) != 0,
                              .cr_mode = below(6) == 0,
                              .skip_rows = below(3) == 0 ? 1 + below(3) : 0};
    d.skip_after_header = d.header && below(3) == 0 ? 1 + below(2) : 0;
    d.null_text = d.escape == '\\' && below(2) ? "\\N" : NULL;
    return d;
}

static const char *row_end(const struct plain_dialect *d)
{
    return d->cr_mode ? "\r" : below(3) == 0 ? "\r\n" : "\n";
}

/* A line that is no row, whatever it holds. */
static void put_junk_line(struct rig_text *t, const struct plain_dialect *d, bool with_cr)
{
    for (size_t k = below(12); k > 0; k--) {
        switch (below(6)) {
        case 0:
            put_byte(t, d->quote);
            break;
        case 1:
            put_byte(t, d->escape);
            break;
        case 2:
            put(t, d->delimiter);
            break;
        case 3:
            put_byte(t, with_cr && !d->cr_mode ? '\r' : 'q');
            break;
        default:
            put_byte(t, (char)('a' + below(26)));
        }
    }
    put_byte(t,
             'z'); /* so that it is not blank, nor ends with a '\r' that is none of the row end */
    put(t, row_end(d));
}

/* One byte of text, or an escaped one of any kind. */
static void put_text_byte(struct rig_text *t, const struct plain_dialect *d, bool quoted)
{
    if (d->escape != 0 && below(8) == 0) {
        static const char any[] = "xN\n\r,;|#-";
        put_byte(t, d->escape);
        switch (below(4)) {
        case 0:
            put_byte(t, d->escape);
            return;
        case 1:
            put_byte(t, d->quote != 0 ? d->quote : 'n');
            return;
        default: {
            const char c = any[below(sizeof(any) - 1)];
            put_byte(t, d->cr_mode && c == '\n' ? 'n' : c);
            return;
        }
        }
    }
    switch (below(quoted ? 12 : 30)) {
    case 0:
        put_byte(t, d->quote); /* doubled, or a stray */
        put_byte(t, quoted ? d->quote : 0);
        break;
    case 1:
        put_byte(t, d->comment);
        break;
    case 2: /* a part of a delimiter */
        put_byte(t, d->delimiter[0] < 0 || !quoted ? 'p' : d->delimiter[0]);
        break;
    case 3:
        put(t, quoted ? row_end(d) : "k");
        break;
    case 4:
        put(t, quoted ? d->delimiter : "\xef\xbb\xbf");
        break;
    case 5:
        put(t, quoted && !d->cr_mode ? "\r" : "m");
        break;
    default:
        put_byte(t, (char)('c' + below(24)));
    }
}

static void put_field(struct rig_text *t, const struct plain_dialect *d)
{
    const bool quoted = d->quote != 0 && below(3) == 0;

    put_byte(t, quoted ? d->quote : 0);
    for (size_t k = below(below(5) == 0 ? 80 : 9); k > 0; k--) {
        put_text_byte(t, d, quoted);
    }
    put_byte(t, quoted ? d->quote : 0);
    if (quoted && below(60) == 0) {
        put(t, "y"); /* an error if the field holds row ends */
    }
    if (!quoted && d->null_text != NULL && below(6) == 0) {
        put(t, d->null_text); /* a null if the field is nothing else */
    }
}

static void put_row(struct rig_text *t, const struct plain_dialect *d, size_t n_fields)
{
    if (d->comment != 0 && below(6) == 0) {
        put_byte(t, d->comment);
        put_junk_line(t, d, false);
    }
    if (below(25) == 0) {
        put(t, row_end(d));
    }
    if (below(12) == 0) {
        put(t, "\xef\xbb\xbf");
    }
    const size_t n = below(300) == 0 ? n_fields + 1 : n_fields; /* ragged */
    for (size_t f = 0; f < n; f++) {
        put(t, f > 0 ? d->delimiter : "");
        put_field(t, d);
    }
    put(t, row_end(d));
}

static void make_text(struct rig_text *t, const struct plain_dialect *d, size_t n_fields)
{
    const size_t wanted = 200 + below(5000);

    t->len = 0;
    put(t, below(5) == 0 ? "\xef\xbb\xbf" : "");
    for (size_t k = 0; k < d->skip_rows; k++) {
        put_junk_line(t, d, true);
    }
    for (size_t f = 0; f < n_fields; f++) {
        put(t, f > 0 ? d->delimiter : "");
        put(t, "h");
        put_byte(t, (char)('c' + f));
    }
    put(t, row_end(d));
    for (size_t k = 0; k < d->skip_after_header; k++) {
        put_junk_line(t, d, true);
    }
    while (t->len < wanted) {
        put_row(t, d, n_fields);
    }
    if (below(3) == 0) { /* anywhere, an open quote included */
        t->len -= below(t->len / 4);
        while (((uint8_t)t->data[t->len - 1] & 0x80) != 0) {
            t->len--; /* but not inside a character */
        }
    }
}

static struct dn_csv_options options_of(const struct plain_dialect *d)
{
    struct dn_csv_options o = rig_options();

    o.inference = DN_CSV_INFER_STRINGS;
    o.delimiter_text = d->delimiter;
    o.quote = d->quote;
    o.no_quote = d->quote == 0;
    o.escape = d->escape;
    o.comment = d->comment;
    o.header = d->header ? DN_CSV_HEADER_YES : DN_CSV_HEADER_NO;
    o.skip_rows = (int64_t)d->skip_rows;
    o.skip_after_header = (int64_t)d->skip_after_header;
    o.null_values = &d->null_text;
    o.n_null_values = d->null_text != NULL;
    return o;
}

static void compare(const struct rig_text *text, const struct plain_dialect *d,
                    const struct plain_reading *want, const struct rig_result *got,
                    const char *what)
{
    if (want->failed) {
        if (got->status != DN_ERR_DATA ||
            (want->byte >= 0 && got->error.byte_offset != want->byte) ||
            strstr(got->error.message, want->word) == NULL) {
            fail_msg("%s: want an error \"%s\" at byte %ld, got %d: %s; text: %.*s", what,
                     want->word, want->byte, (int)got->status, got->error.message, (int)text->len,
                     text->data);
        }
        int64_t line = 1; /* lines are those of the file */
        for (int64_t i = 0; want->byte >= 0 && i < want->byte; i++) {
            line += text->data[i] == (d->cr_mode ? '\r' : '\n');
        }
        assert_true(want->byte < 0 || got->error.line == line);
        return;
    }
    if (got->status != DN_OK) {
        fail_msg("%s: %s", what, got->error.message);
    }
    if (want->rows.len != got->rows.len ||
        memcmp(want->rows.data, got->rows.data, want->rows.len) != 0) {
        size_t i = 0;
        while (i < want->rows.len && want->rows.data[i] == got->rows.data[i]) {
            i++;
        }
        fail_msg("%s: differs at byte %zu: want \"%.60s\", got \"%.60s\"", what, i,
                 want->rows.data + i, got->rows.data + i);
    }
}

static void test_random_dialects(void **state)
{
    static const size_t block_sizes[] = {0, 1, 2, 3, 5, 7, 16, 63, 64, 65, 130, 1000};
    struct rig_text text = {0};
    struct plain_reading want;
    struct rig_result got;
    size_t n_failed = 0;
    size_t n_rows = 0;

    (void)state;
    for (uint64_t round = 0; round < 150; round++) {
        seed = 100 + round;
        const struct plain_dialect d = random_dialect();
        make_text(&text, &d, 1 + below(4));
        plain_read(text.data, text.len, &d, &want);
        n_failed += want.failed;
        n_rows += want.rows.len;
        const char *path = scratch_path(rig_dir, "dialect.csv");
        scratch_write(path, text.data, text.len);
        for (size_t b = 0; b < sizeof(block_sizes) / sizeof(block_sizes[0]); b++) {
            struct dn_csv_options o = options_of(&d);
            char what[100];
            o.block_bytes = block_sizes[b];
            o.n_threads = (uint32_t)(1 + (round + b) % 4);
            (void)snprintf(what, sizeof(what), "round %llu block %zu threads %u",
                           (unsigned long long)round, block_sizes[b], o.n_threads);
            rig_read(&path, 1, &o, true, &got);
            compare(&text, &d, &want, &got, what);
            rig_free(&got);
        }
        free(want.rows.data);
    }
    free(text.data);
    /* enough of both kinds */
    assert_true(n_failed > 30 && n_failed < 140);
    assert_true(n_rows > 100000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_dialects),
    };
    return cmocka_run_group_tests(tests, rig_make_dir, rig_remove_dir);
}
