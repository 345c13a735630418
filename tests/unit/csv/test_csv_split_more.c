/* 200 random files in random dialects, every row of each a piece, and every cut between two rows by itself. */
#include "csv_pieces.h"

/* One cut after the other, where a row begins and in the middle of it. */
static void every_pair(const struct rig_text *text, const struct dn_csv_options *given,
                       const char *what)
{
    const char *path = scratch_path(rig_dir, "pair.csv");
    struct dn_csv_options o = *given;
    struct rig_result whole;
    struct dn_error err;

    scratch_write(path, text->data, text->len);
    rig_read(&path, 1, &o, true, &whole);
    for (size_t i = 0; whole.status == DN_OK && i <= text->len; i++) {
        const struct dn_csv_cut cut = {0, (int64_t)i};
        struct dn_csv_split_options how = {.struct_size = sizeof(how), .cuts = &cut, .n_cuts = 1};
        struct pieces pieces;
        o.block_bytes = pieces_block_sizes[below(8)];
        assert_int_equal(pieces_cut(&path, 1, &o, &how, &pieces, &err), DN_OK);
        pieces_compare(&pieces, &path, 1, &o, &whole, what);
        pieces_free(&pieces);
    }
    rig_free(&whole);
}

static void test_random_dialects(void **state)
{
    struct rig_text text = {0};

    (void)state;
    for (uint64_t round = 0; round < 200; round++) {
        char what[40];
        seed = 1000 + round;
        const struct plain_dialect d = random_dialect();
        const size_t n_fields = 1 + below(4);
        const struct dn_csv_options o = options_of(&d);
        (void)make_text(&text, &d, n_fields, 100 + below(150));
        (void)snprintf(what, sizeof(what), "round %llu", (unsigned long long)round);
        pieces_compare_all(&text, 1, o, 12, what);
        every_pair(&text, &o, what);
    }
    free(text.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_dialects)};
    return cmocka_run_group_tests(tests, rig_make_dir, rig_remove_dir);
}
