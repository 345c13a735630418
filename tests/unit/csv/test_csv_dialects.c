/*
 * Escapes, comments, delimiters of several bytes and skipped lines: random texts in random dialects, read in blocks of every size
 * by any number of threads, against a slow reading (csv_plain_reading.h).
 */
#include "csv_made_text.h"

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
        if (want->row > 0 && got->error.row != want->row) {
            fail_msg("%s: row %ld, got %ld: %s", what, want->row, (long)got->error.row,
                     got->error.message);
        }
        int64_t line = 1; /* lines are those of the file */
        for (int64_t i = 0; want->byte >= 0 && i < want->byte; i++) {
            const bool lf = text->data[i] == '\n';
            line += d->cr_mode ? text->data[i] == '\r' || (lf && text->data[i - 1] != '\r') : lf;
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
        const size_t n_fields = 1 + below(4);
        const size_t rows_len = make_text(&text, &d, n_fields, 200 + below(5000));
        plain_read(text.data, rows_len, &d, &want);
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

/* Every size of blocks from one byte to more than the text, by one thread to three. */
static void test_every_block_size(void **state)
{
    struct rig_text text = {0};
    struct plain_reading want;
    struct rig_result got;

    (void)state;
    for (uint64_t round = 0; round < 8; round++) {
        seed = 9000 + round;
        const struct plain_dialect d = random_dialect();
        const size_t rows_len = make_text(&text, &d, 1 + below(3), 60 + below(100));
        plain_read(text.data, rows_len, &d, &want);
        const char *path = scratch_path(rig_dir, "every.csv");
        scratch_write(path, text.data, text.len);
        for (size_t block = 1; block <= text.len + 1; block++) {
            struct dn_csv_options o = options_of(&d);
            char what[100];
            o.block_bytes = block;
            o.n_threads = (uint32_t)(1 + block % 3);
            (void)snprintf(what, sizeof(what), "round %llu block %zu threads %u",
                           (unsigned long long)round, block, o.n_threads);
            rig_read(&path, 1, &o, true, &got);
            compare(&text, &d, &want, &got, what);
            rig_free(&got);
        }
        free(want.rows.data);
    }
    free(text.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_dialects),
        cmocka_unit_test(test_every_block_size),
    };
    return cmocka_run_group_tests(tests, rig_make_dir, rig_remove_dir);
}
