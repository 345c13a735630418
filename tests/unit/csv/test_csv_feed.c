/* The feed: where blocks are cut, what is carried over, offsets, looking ahead, several files. */
#include "scratch_dir.h"

#include "csv/feed.h"

#define MAX_TEXT ((size_t)20000)

static uint64_t seed;

static const struct dn_csv_dialect lf_mode = {.delimiter = ',', .quote = '"', .has_quote = true};
static const struct dn_csv_dialect cr_mode = {
    .delimiter = ',', .quote = '"', .has_quote = true, .cr_ends_row = true};

static size_t below(size_t n)
{
    return (size_t)(scratch_random(&seed) % n);
}

static struct dn_csv_feed feed_of(const char *const *paths, size_t n_paths,
                                  const struct dn_csv_dialect *d, size_t block_bytes)
{
    static struct dn_source_identity opened[16];

    assert_in_range(n_paths, 1, 16);
    return (struct dn_csv_feed){.paths = paths,
                                .n_paths = n_paths,
                                .opened = opened,
                                .dialect = d,
                                .block_bytes = block_bytes,
                                .max_block_bytes = (size_t)1 << 20};
}

static bool is_row_end(const struct dn_csv_dialect *d, uint8_t byte)
{
    return byte == '\n' || (byte == '\r' && d->cr_ends_row);
}

/* What every block promises, whatever it holds. */
static void check_block(const struct dn_csv_block *b, const struct dn_csv_dialect *d)
{
    assert_int_equal((uintptr_t)b->buf % 64, 0);
    assert_in_range(b->start, DN_CSV_FRONT, DN_CSV_FRONT + 64);
    assert_true(b->len > b->start);
    assert_true(b->len + DN_BUFFER_PADDING <= b->size);
    assert_true(is_row_end(d, b->buf[b->len - 1]));
    for (size_t i = 0; i < DN_BUFFER_PADDING; i++) {
        assert_int_equal(b->buf[b->len + i], 0);
    }
}

/* One block, if need be of what is not in memory yet; one in four is read as if it were not. */
static void next_block(struct dn_csv_feed *f, struct dn_csv_block *b, bool *end, size_t *n_cached)
{
    struct dn_error err;

    *end = false;
    if (below(4) > 0 && dn_csv_feed_next_cached(f, b)) {
        (*n_cached)++;
    } else if (dn_csv_feed_next(f, b, end, &err) != DN_OK) {
        fail_msg("%s", err.message);
    }
}

static size_t n_cached_blocks; /* of all that were read */

/*
 * Read one file to its end and compare the blocks, put together, with `text`; text[0, skipped) was taken before.  Returns
 * the number of blocks.
 */
static size_t expect_text(struct dn_csv_feed *f, const uint8_t *text, size_t len, size_t skipped)
{
    size_t at = skipped;
    size_t n_blocks = 0;

    for (;;) {
        struct dn_csv_block b;
        bool end;
        next_block(f, &b, &end, &n_cached_blocks);
        if (end) {
            assert_null(b.buf);
            break;
        }
        check_block(&b, f->dialect);
        const size_t n = b.len - b.start - b.added_row_end;
        assert_true(at + n <= len);
        assert_memory_equal(b.buf + b.start, text + at, n);
        assert_int_equal(b.start_offset, at);
        assert_int_equal(b.first_of_file, at == skipped);
        at += n;
        assert_int_equal(b.last_of_file, at == len);
        if (b.added_row_end) {
            assert_true(b.last_of_file);
            assert_false(is_row_end(f->dialect, text[len - 1]));
            assert_int_equal(b.buf[b.len - 1], '\n');
        } else if (f->dialect->cr_ends_row && at < len) { /* "\r\n" stays together */
            assert_false(text[at - 1] == '\r' && text[at] == '\n');
        }
        n_blocks++;
        dn_csv_block_finish(&b);
    }
    assert_int_equal(at, len);
    assert_int_equal(f->bytes_read, len);
    return n_blocks;
}

static size_t random_text(uint8_t *text, bool with_cr)
{
    const size_t mean = 1 + below(200);
    const size_t n = below(4) == 0 ? below(20) : below(MAX_TEXT);

    for (size_t i = 0; i < n; i++) {
        text[i] = (uint8_t)('a' + below(26));
        if (below(mean) == 0) {
            text[i] = with_cr && below(2) ? '\r' : '\n';
            if (text[i] == '\r' && i + 1 < n && below(2) == 0) {
                text[++i] = '\n';
            }
        }
    }
    return n;
}

static void test_blocks_make_the_file(void **state)
{
    static uint8_t text[MAX_TEXT];
    static const size_t sizes[] = {
        1, 2, 3, 7, 64, 500, 4096, MAX_TEXT - 1, MAX_TEXT, (size_t)1 << 20};

    (void)state;
    for (uint64_t round = 0; round < 60; round++) {
        seed = round;
        const struct dn_csv_dialect *d = round % 2 ? &cr_mode : &lf_mode;
        const size_t n = random_text(text, round % 4 != 0);
        const char *path = scratch_path(dir, "a.csv");
        scratch_write(path, text, n);
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            struct dn_csv_feed f = feed_of(&path, 1, d, sizes[i]);
            assert_int_equal(dn_csv_feed_open(&f, NULL), DN_OK);
            const size_t n_blocks = expect_text(&f, text, n, dn_csv_bom_len(text, n));
            assert_true(n_blocks <= n);
            bool end = false;
            struct dn_csv_block b;
            assert_int_equal(dn_csv_feed_next(&f, &b, &end, NULL), DN_OK); /* the end stays */
            assert_true(end);
            dn_csv_feed_finish(&f);
        }
    }
    assert_true(n_cached_blocks > 1000 || !scratch_knows_cached(scratch_path(dir, "a.csv")));
}

/* To where the text of a block is copied out of the page cache, processors copy fast: see make_room(). */
static void test_place_of_a_block(void **state)
{
    static char text[(size_t)8 << 20];
    bool end = false;

    (void)state;
    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = below(16) == 0 ? '\n' : 'x';
    }
    const char *path = scratch_path(dir, "a.csv");
    scratch_write(path, text, sizeof(text));
    struct dn_csv_feed f = feed_of(&path, 1, &lf_mode, (size_t)512 << 10);
    assert_int_equal(dn_csv_feed_open(&f, NULL), DN_OK);
    for (size_t n_blocks = 0;; n_blocks++) {
        struct dn_csv_block b;
        next_block(&f, &b, &end, &n_cached_blocks);
        if (end) {
            assert_in_range(n_blocks, 15, 18);
            break;
        }
        const uint64_t ahead = ((uintptr_t)(b.buf + b.start) - (uint64_t)b.start_offset) % 4096;
        assert_true(ahead == 0 || ahead >= 32);
        dn_csv_block_finish(&b);
    }
    dn_csv_feed_finish(&f);
}

static void test_block_size(void **state)
{
    uint8_t text[10000];

    (void)state;
    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = i % 10 == 9 ? '\n' : 'x';
    }
    const char *path = scratch_path(dir, "a.csv");
    scratch_write(path, text, sizeof(text));
    struct dn_csv_feed f = feed_of(&path, 1, &lf_mode, 1000);
    assert_int_equal(dn_csv_feed_open(&f, NULL), DN_OK);
    const size_t n = expect_text(&f, text, sizeof(text), 0);
    assert_in_range(n, 9, 12);
    dn_csv_feed_finish(&f);
    /* what was looked at before is handed out in blocks of the same size */
    f = feed_of(&path, 1, &lf_mode, 1000);
    assert_int_equal(dn_csv_feed_open(&f, NULL), DN_OK);
    assert_int_equal(dn_csv_feed_look(&f, 9000, NULL), DN_OK);
    assert_in_range(expect_text(&f, text, sizeof(text), 0), 9, 12);
    dn_csv_feed_finish(&f);
}

static void test_look_and_drop(void **state)
{
    static uint8_t text[MAX_TEXT];
    static const size_t sizes[] = {1, 50, 3000};

    (void)state;
    for (uint64_t round = 0; round < 60; round++) {
        seed = round + 1000;
        const size_t n = random_text(text, false);
        const char *path = scratch_path(dir, "a.csv");
        scratch_write(path, text, n);
        struct dn_csv_feed f = feed_of(&path, 1, &lf_mode, sizes[round % 3]);
        assert_int_equal(dn_csv_feed_open(&f, NULL), DN_OK);
        size_t dropped = 0;
        for (int i = 0; i < 4; i++) {
            const size_t wanted = below(MAX_TEXT / 3);
            assert_int_equal(dn_csv_feed_look(&f, wanted, NULL), DN_OK);
            const struct dn_span held = dn_csv_feed_held(&f);
            assert_true(held.len >= wanted || held.len == n - dropped);
            assert_memory_equal(held.data, text + dropped, held.len);
            const size_t gone = held.len > 0 ? below(held.len) : 0;
            dn_csv_feed_drop(&f, gone);
            dropped += gone;
            assert_int_equal(f.offset, dropped);
        }
        expect_text(&f, text, n, dropped);
        dn_csv_feed_finish(&f);
    }
}

static void test_byte_order_mark(void **state)
{
    static const char *const texts[] = {"\xef\xbb\xbf\na", "\xef\xbb\xbf", "\xef\xbb", "\xef\n\n"};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        const char *path = scratch_path(dir, "a.csv");
        scratch_write(path, texts[i], strlen(texts[i]));
        struct dn_csv_feed f = feed_of(&path, 1, &lf_mode, 10);
        assert_int_equal(dn_csv_feed_open(&f, NULL), DN_OK);
        assert_int_equal(f.offset, i < 2 ? 3 : 0); /* offsets count it */
        expect_text(&f, (const uint8_t *)texts[i], strlen(texts[i]), i < 2 ? 3 : 0);
        dn_csv_feed_finish(&f);
    }
    static const char *const utf16[] = {"\xff\xfe"
                                        "a\0",
                                        "\xfe\xff"
                                        "\0a"};
    for (size_t i = 0; i < 2; i++) {
        const char *path = scratch_path(dir, "a.csv");
        struct dn_error err;
        scratch_write(path, utf16[i], 4);
        struct dn_csv_feed f = feed_of(&path, 1, &lf_mode, 10);
        assert_int_equal(dn_csv_feed_open(&f, &err), DN_OK); /* the mark became one in UTF-8 */
        expect_text(&f,
                    (const uint8_t *)"\xef\xbb\xbf"
                                     "a",
                    4, 3);
        dn_csv_feed_finish(&f);
        static const struct dn_text_options utf8 = {.encoding = "utf-8"};
        f = feed_of(&path, 1, &lf_mode, 10);
        f.text = &utf8; /* whoever says so is believed, and the bytes are not */
        assert_int_equal(dn_csv_feed_open(&f, &err), DN_ERR_UNSUPPORTED);
        assert_string_equal(err.path, path);
        dn_csv_feed_finish(&f);
    }
}

/* The texts of several files: "file:text." with '/' for the row ends, however many blocks they came in. */
static void expect_files(struct dn_csv_feed *f, const char *want)
{
    char got[1000] = "";
    bool new_file = true;

    for (;;) {
        struct dn_csv_block b;
        struct dn_error err;
        bool end;
        if (dn_csv_feed_next(f, &b, &end, &err) != DN_OK) {
            fail_msg("%s", err.message);
        }
        if (end) {
            break;
        }
        check_block(&b, f->dialect);
        const size_t n = strlen(got);
        char number[24] = "";
        assert_int_equal(b.first_of_file, new_file);
        if (new_file) {
            (void)snprintf(number, sizeof(number), "%zu:", b.file);
        }
        (void)snprintf(got + n, sizeof(got) - n, "%s%.*s%s", number, (int)(b.len - b.start),
                       (const char *)b.buf + b.start, b.last_of_file ? ". " : "");
        new_file = b.last_of_file;
        dn_csv_block_finish(&b);
    }
    for (char *p = got; *p != 0; p++) {
        *p = *p == '\n' ? '/' : *p;
    }
    assert_string_equal(got, want);
}

static void test_several_files(void **state)
{
    static const char with_mark[] = "\xef\xbb\xbf"
                                    "a,b\n4";
    static const char *const texts[] = {"a,b\n1\n2",  "",        "a,b",
                                        "a,b\r\n3\n", with_mark, "\n\na,b\n\n5\n"};
    const char *paths[6];
    char name[16];

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        (void)snprintf(name, sizeof(name), "%zu.csv", i);
        paths[i] = scratch_path(dir, name);
        scratch_write(paths[i], texts[i], strlen(texts[i]));
    }
    struct dn_csv_feed f = feed_of(paths, 6, &lf_mode, 100);
    assert_int_equal(dn_csv_feed_open(&f, NULL), DN_OK);
    expect_files(&f, "0:a,b/1/2/. 2:a,b/. 3:a,b\r/3/. 4:a,b/4/. 5://a,b//5/. ");
    dn_csv_feed_finish(&f);
    f = feed_of(paths, 6, &lf_mode, 100);
    f.skip_header = true;
    f.header = (struct dn_span){(const uint8_t *)"a,b", 3};
    assert_int_equal(dn_csv_feed_open(&f, NULL), DN_OK);
    assert_int_equal(dn_csv_feed_look(&f, 4, NULL), DN_OK);
    dn_csv_feed_drop(&f, 4); /* the first file's header is the caller's business */
    expect_files(&f, "0:1/2/. 3:3/. 4:4/. 5:/5/. ");
    dn_csv_feed_finish(&f);
}

static void test_other_header(void **state)
{
    static const char *const texts[] = {"a,b,c\n1\n", "a,B\n1\n", "a\n1\n", "1,2\n"};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct dn_csv_block b;
        struct dn_error err;
        bool end;
        const char *const paths[] = {scratch_path(dir, "1.csv"), scratch_path(dir, "2.csv")};
        scratch_write(paths[0], "a,b\n", 4);
        scratch_write(paths[1], texts[i], strlen(texts[i]));
        struct dn_csv_feed f = feed_of(paths, 2, &lf_mode, 100);
        f.skip_header = true;
        f.header = (struct dn_span){(const uint8_t *)"a,b", 3};
        assert_int_equal(dn_csv_feed_open(&f, NULL), DN_OK);
        assert_int_equal(dn_csv_feed_look(&f, 4, NULL), DN_OK);
        dn_csv_feed_drop(&f, 4);
        assert_int_equal(dn_csv_feed_next(&f, &b, &end, &err), DN_ERR_DATA);
        assert_null(b.buf);
        assert_int_equal(f.file, 1); /* the reader adds its path */
        assert_int_equal(err.line, 1);
        assert_int_equal(err.byte_offset, 0);
        dn_csv_feed_finish(&f);
    }
}

/* Counting by words is counting by bytes, wherever a text is cut. */
static void test_line_ends(void **state)
{
    static const char bytes[] = "\n\n\r\n\x0b\x8a\t\xff\0,x";
    static uint8_t text[5000];
    uint64_t random = 7;

    (void)state;
    for (int round = 0; round < 200; round++) {
        const bool dense = round % 4 == 0;
        const size_t n = scratch_random(&random) % sizeof(text);
        const struct dn_csv_dialect d = {.cr_ends_row = round % 2 == 1};
        int64_t want = 0;
        for (size_t i = 0; i < n; i++) {
            text[i] = (uint8_t)(dense ? '\n' : bytes[scratch_random(&random) % sizeof(bytes)]);
            want += text[i] == '\r'
                        ? d.cr_ends_row
                        : text[i] == '\n' && !(d.cr_ends_row && i > 0 && text[i - 1] == '\r');
        }
        const size_t cut = n > 0 ? scratch_random(&random) % n : 0;
        bool after_cr = false;
        int64_t got = dn_csv_line_ends(&d, text, cut, &after_cr);
        got += dn_csv_line_ends(&d, text + cut, n - cut, &after_cr);
        assert_int_equal(got, want);
    }
}

/* The first lines of blocks are right, also behind a header that was dropped between '\r' and '\n'. */
static void test_first_lines(void **state)
{
    static const char text[] = "a\r\nb\r\r\n\"c\n\r\n\"\rd\n";
    const struct dn_csv_dialect d = {
        .delimiter = ',', .quote = '"', .has_quote = true, .cr_ends_row = true};
    const char *path = scratch_path(dir, "a.csv");

    (void)state;
    scratch_write(path, text, strlen(text));
    for (size_t block = 1; block < 20; block++) {
        for (size_t dropped = 0; dropped < 4; dropped++) {
            struct dn_csv_feed f = feed_of(&path, 1, &d, block);
            struct dn_csv_block b;
            bool end = false;
            assert_int_equal(dn_csv_feed_open(&f, NULL), DN_OK);
            assert_false(f.count_lines);
            f.count_lines = true; /* as for a pipe */
            assert_int_equal(dn_csv_feed_look(&f, 4, NULL), DN_OK);
            dn_csv_feed_drop(&f, dropped);
            while (dn_csv_feed_next(&f, &b, &end, NULL) == DN_OK && !end) {
                const size_t last = (size_t)b.start_offset + (b.len - b.start) - 1;
                bool after_cr = false;
                const int64_t want =
                    1 + dn_csv_line_ends(&d, (const uint8_t *)text, last, &after_cr);
                after_cr = false;
                assert_int_equal(b.first_line + dn_csv_line_ends(&d, b.buf + b.start,
                                                                 b.len - b.start - 1, &after_cr),
                                 want - (b.len - b.start == 1 && text[last] == '\n' && last > 0 &&
                                         text[last - 1] == '\r'));
                dn_csv_block_finish(&b);
            }
            assert_true(end);
            dn_csv_feed_finish(&f);
        }
    }
}

/* A row may be as long as max_block_bytes; rows in front of it do not count. */
static void test_long_rows(void **state)
{
    static uint8_t text[MAX_TEXT];
    static const size_t looks[] = {0, 400, 1500, 5000};
    static const size_t blocks[] = {1, 10, 100, 1000};

    (void)state;
    for (size_t rows_before = 0; rows_before < 1200; rows_before += 1000) {
        for (size_t longest = 2900; longest < 8000; longest += 5000) {
            const size_t n = rows_before + longest + 20;
            memset(text, 'x', n);
            for (size_t i = 9; i < rows_before; i += 10) {
                text[i] = '\n';
            }
            for (size_t i = rows_before + longest; i < n; i += 10) {
                text[i] = '\n';
            }
            const char *path = scratch_path(dir, "a.csv");
            scratch_write(path, text, n);
            for (size_t k = 0; k < 16; k++) {
                struct dn_csv_feed f = feed_of(&path, 1, &lf_mode, blocks[k % 4]);
                f.max_block_bytes = 3000;
                assert_int_equal(dn_csv_feed_open(&f, NULL), DN_OK);
                assert_int_equal(dn_csv_feed_look(&f, looks[k / 4], NULL), DN_OK);
                if (longest < 3000) {
                    expect_text(&f, text, n, 0);
                    dn_csv_feed_finish(&f);
                    continue;
                }
                size_t at = 0;
                for (;;) {
                    struct dn_csv_block b;
                    struct dn_error err;
                    bool end;
                    const enum dn_status st = dn_csv_feed_next(&f, &b, &end, &err);
                    if (st != DN_OK) {
                        assert_int_equal(st, DN_ERR_DATA);
                        assert_int_equal(at, rows_before);
                        assert_int_equal(err.byte_offset, rows_before);
                        assert_null(b.buf);
                        break;
                    }
                    assert_false(end);
                    at += b.len - b.start;
                    dn_csv_block_finish(&b);
                }
                dn_csv_feed_finish(&f);
            }
        }
    }
}

static void test_join(void **state)
{
    static uint8_t before[10000];
    static const size_t lens[] = {0,
                                  1,
                                  7,
                                  8,
                                  9, /* a byte more than the block has */
                                  100,
                                  DN_CSV_FRONT - DN_BUFFER_PADDING,
                                  DN_CSV_FRONT - DN_BUFFER_PADDING + 1,
                                  DN_CSV_FRONT,
                                  10000};

    (void)state;
    for (size_t i = 0; i < sizeof(before); i++) {
        before[i] = (uint8_t)(i * 7);
    }
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        const char *path = scratch_path(dir, "a.csv");
        struct dn_csv_block b;
        bool end;
        scratch_write(path, "abc\ndef\n", 8);
        struct dn_csv_feed f = feed_of(&path, 1, &lf_mode, 100);
        assert_int_equal(dn_csv_feed_open(&f, NULL), DN_OK);
        assert_int_equal(dn_csv_feed_next(&f, &b, &end, NULL), DN_OK);
        b.start_offset = 20000;
        struct dn_csv_begun begun = {0};
        const size_t first = lens[i] / 3; /* in two pieces */
        if (lens[i] > 0) {
            assert_int_equal(dn_csv_begun_add(&begun, before, first, NULL), DN_OK);
            assert_int_equal(dn_csv_begun_add(&begun, before + first, lens[i] - first, NULL),
                             DN_OK);
        }
        b.room_behind = 100;
        assert_int_equal(dn_csv_block_resize(&b, DN_CSV_FRONT, 8, NULL), DN_OK);
        assert_int_equal(dn_csv_block_join(&b, &begun, NULL), DN_OK);
        assert_null(begun.bytes.data);
        assert_int_equal(b.len - b.start, lens[i] + 8);
        assert_int_equal(b.start_offset, 20000 - (int64_t)lens[i]);
        assert_memory_equal(b.buf + b.start, before, lens[i]);
        assert_memory_equal(b.buf + b.start + lens[i], "abc\ndef\n", 8);
        assert_true(b.start >= DN_BUFFER_PADDING); /* readable in front, too */
        assert_true(b.len + DN_BUFFER_PADDING + b.room_behind <= b.size);
        for (size_t k = 0; k < DN_BUFFER_PADDING + b.room_behind; k++) {
            assert_int_equal(b.buf[b.len + k], 0);
        }
        dn_csv_block_finish(&b);
        dn_csv_feed_finish(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_make_the_file),
        cmocka_unit_test(test_block_size),
        cmocka_unit_test(test_place_of_a_block),
        cmocka_unit_test(test_look_and_drop),
        cmocka_unit_test(test_byte_order_mark),
        cmocka_unit_test(test_several_files),
        cmocka_unit_test(test_line_ends),
        cmocka_unit_test(test_first_lines),
        cmocka_unit_test(test_other_header),
        cmocka_unit_test(test_long_rows),
        cmocka_unit_test(test_join),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
