/* Streams of COPY, put together by hand. */
#include "pg/rows.h"

#include "base/memory.h"
#include "scratch.h"

struct stream {
    uint8_t bytes[1 << 16];
    size_t len;
};

static void put(struct stream *s, const void *bytes, size_t len)
{
    memcpy(s->bytes + s->len, bytes, len);
    s->len += len;
}

static void put16(struct stream *s, unsigned value)
{
    const uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};
    put(s, bytes, 2);
}

static void put32(struct stream *s, uint32_t value)
{
    put16(s, value >> 16);
    put16(s, value & 0xFFFF);
}

static void put_head(struct stream *s, uint32_t flags, uint32_t extension)
{
    s->len = 0;
    put(s, "PGCOPY\n\377\r\n\0", 11);
    put32(s, flags);
    put32(s, extension);
    for (uint32_t i = 0; i < extension; i++) {
        put(s, "x", 1);
    }
}

static void put_cell(struct stream *s, const char *text)
{
    if (text == NULL) {
        put32(s, UINT32_MAX);
        return;
    }
    put32(s, (uint32_t)strlen(text));
    put(s, text, strlen(text));
}

#define N_COLUMNS 3

static void put_row(struct stream *s, const char *a, const char *b, const char *c)
{
    put16(s, N_COLUMNS);
    put_cell(s, a);
    put_cell(s, b);
    put_cell(s, c);
}

static void check_cell(const struct dn_pg_block *b, size_t row, size_t column, const char *text)
{
    const struct dn_pg_cells cells = dn_pg_block_cells(b, column, 0, b->n_rows);
    const uint8_t *cell = dn_pg_cell(&cells, row);
    const int32_t len = dn_pg_cell_len(cell);

    if (text == NULL) {
        assert_int_equal(len, -1);
        return;
    }
    assert_int_equal(len, strlen(text));
    assert_memory_equal(cell, text, strlen(text));
}

static void rows_are_cut(void **state)
{
    struct stream s;
    struct dn_pg_block b;
    struct dn_pg_cutter c = {.n_columns = N_COLUMNS};

    (void)state;
    dn_pg_block_init(&b, N_COLUMNS, 0);
    put_head(&s, 0, 5);
    put_row(&s, "one", "", NULL);
    put_row(&s, NULL, NULL, NULL);
    put_row(&s, "", "two", "three");
    put16(&s, 0xFFFF);
    assert_int_equal(dn_pg_cutter_feed(&c, &b, s.bytes, s.len, NULL), DN_OK);
    assert_int_equal(dn_pg_cutter_end(&c, NULL), DN_OK);
    assert_int_equal(b.n_rows, 3);
    assert_int_equal(c.n_rows, 3);
    check_cell(&b, 0, 0, "one");
    check_cell(&b, 0, 1, "");
    check_cell(&b, 0, 2, NULL);
    check_cell(&b, 1, 0, NULL);
    check_cell(&b, 2, 1, "two");
    check_cell(&b, 2, 2, "three");
    dn_pg_block_finish(&b);
}

/* As a socket's bytes come: into the block's memory, with something that is none of the stream in front. */
static void feed_in_place(struct dn_pg_cutter *c, struct dn_pg_block *b, const uint8_t *bytes,
                          size_t n, size_t gap)
{
    const size_t at = b->bytes.len + gap;

    assert_int_equal(dn_buffer_reserve(&b->bytes, gap + n, NULL), DN_OK);
    memset(b->bytes.data + b->bytes.len, 0x77, gap);
    memcpy(b->bytes.data + at, bytes, n);
    assert_int_equal(dn_pg_cutter_take(c, b, at, n, NULL), DN_OK);
}

/* The stream in any pieces, and blocks that change anywhere, give the same rows. */
static void pieces_do_not_matter(void **state)
{
    struct stream s;
    uint64_t seed = 4;

    (void)state;
    put_head(&s, 7, 3);
    for (int i = 0; i < 200; i++) {
        char text[40];
        (void)snprintf(text, sizeof(text), "%*d", i % 30 + 1, i);
        put_row(&s, text, i % 3 == 0 ? NULL : "x", i % 7 == 0 ? "" : text);
    }
    put16(&s, 0xFFFF);
    for (int round = 0; round < 300; round++) {
        struct dn_pg_block blocks[2];
        struct dn_pg_cutter c = {.n_columns = N_COLUMNS};
        size_t at = 0;
        int row = 0;
        struct dn_pg_block *b = &blocks[0];

        dn_pg_block_init(&blocks[0], N_COLUMNS, 0);
        dn_pg_block_init(&blocks[1], N_COLUMNS, 0);
        while (at < s.len) {
            const size_t most = round < 2 ? 1 : 1 + scratch_random(&seed) % 200;
            const size_t n = s.len - at < most ? s.len - at : most;
            if (round % 2 == 0) {
                assert_int_equal(dn_pg_cutter_feed(&c, b, s.bytes + at, n, NULL), DN_OK);
            } else {
                feed_in_place(&c, b, s.bytes + at, n, scratch_random(&seed) % 9);
            }
            at += n;
            if (scratch_random(&seed) % 4 == 0 || at == s.len) {
                struct dn_pg_block *other = b == &blocks[0] ? &blocks[1] : &blocks[0];
                assert_int_equal(dn_pg_cutter_move(&c, b, other, NULL), DN_OK);
                for (size_t i = 0; i < b->n_rows; i++, row++) {
                    char text[40];
                    (void)snprintf(text, sizeof(text), "%*d", row % 30 + 1, row);
                    check_cell(b, i, 0, text);
                    check_cell(b, i, 1, row % 3 == 0 ? NULL : "x");
                    check_cell(b, i, 2, row % 7 == 0 ? "" : text);
                }
                dn_pg_block_finish(b);
                dn_pg_block_init(b, N_COLUMNS, 0);
                b = other;
            }
        }
        assert_int_equal(dn_pg_cutter_end(&c, NULL), DN_OK);
        assert_int_equal(row, 200);
        dn_pg_block_finish(&blocks[0]);
        dn_pg_block_finish(&blocks[1]);
    }
}

static void check_refused(const struct stream *s, enum dn_status code, const char *says)
{
    struct dn_pg_block b;
    struct dn_pg_cutter c = {.n_columns = N_COLUMNS};
    struct dn_error err;

    dn_error_clear(&err);
    dn_pg_block_init(&b, N_COLUMNS, 4096);
    enum dn_status st = dn_pg_cutter_feed(&c, &b, s->bytes, s->len, &err);
    if (st == DN_OK) {
        st = dn_pg_cutter_end(&c, &err);
    }
    assert_int_equal(st, code);
    if (strstr(err.message, says) == NULL) {
        fail_msg("'%s' is not in '%s'", says, err.message);
    }
    dn_pg_block_finish(&b);
}

static void damage_is_refused(void **state)
{
    struct stream s;

    (void)state;
    put_head(&s, 0, 0);
    s.bytes[3] = 'X';
    check_refused(&s, DN_ERR_DATA, "no signature");
    put_head(&s, 1u << 16, 0); /* with oids, as before 12 */
    check_refused(&s, DN_ERR_DATA, "not known");
    put_head(&s, 0, 0);
    s.len -= 4;
    put32(&s, 70000);
    check_refused(&s, DN_ERR_DATA, "too long");
    put_head(&s, 0, 0);
    check_refused(&s, DN_ERR_DATA, "before its end");
    put16(&s, 2);
    check_refused(&s, DN_ERR_DATA, "number of columns");
    put_head(&s, 0, 0);
    put16(&s, N_COLUMNS);
    put32(&s, (uint32_t)-2);
    check_refused(&s, DN_ERR_DATA, "negative length");
    put_head(&s, 0, 0);
    put_row(&s, "a", "b", "c");
    put16(&s, N_COLUMNS);
    put32(&s, 100);
    check_refused(&s, DN_ERR_DATA, "before its end");
    put_head(&s, 0, 0);
    put16(&s, 0xFFFF);
    put16(&s, 0xFFFF);
    check_refused(&s, DN_ERR_DATA, "behind its end");
    put_head(&s, 0, 0);
    put16(&s, N_COLUMNS);
    put32(&s, 5000);
    s.len += 5000;
    check_refused(&s, DN_ERR_MEMORY, "limit");
}

/* Every prefix of a stream is one that ended too early, or is whole. */
static void every_prefix_is_noticed(void **state)
{
    struct stream s;

    (void)state;
    put_head(&s, 0, 2);
    put_row(&s, "abc", NULL, "");
    put_row(&s, "", "d", NULL);
    put16(&s, 0xFFFF);
    for (size_t len = 0; len < s.len; len++) {
        struct stream cut = s;
        cut.len = len;
        check_refused(&cut, DN_ERR_DATA, "ended before its end");
    }
}

static void allocations_fail(void **state)
{
    struct stream s;

    (void)state;
    put_head(&s, 0, 0);
    for (int i = 0; i < 300; i++) {
        put_row(&s, "some text", "more", NULL);
    }
    put16(&s, 0xFFFF);
    for (uint64_t n = 1;; n++) {
        struct dn_pg_block b;
        struct dn_pg_cutter c = {.n_columns = N_COLUMNS};
        dn_pg_block_init(&b, N_COLUMNS, 0);
        (void)dn_memory_fail_at(n);
        const enum dn_status st = dn_pg_cutter_feed(&c, &b, s.bytes, s.len, NULL);
        const uint64_t counted = dn_memory_fail_at(0);
        dn_pg_block_finish(&b);
        if (counted < n) {
            assert_int_equal(st, DN_OK);
            assert_true(n > 3);
            break;
        }
        assert_int_equal(st, DN_ERR_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_cut),      cmocka_unit_test(pieces_do_not_matter),
        cmocka_unit_test(damage_is_refused), cmocka_unit_test(every_prefix_is_noticed),
        cmocka_unit_test(allocations_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
