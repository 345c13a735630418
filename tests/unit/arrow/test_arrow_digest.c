/* A checksum of a column's values must see any one change of any one row, the first and the last one too. */
#include "arrow/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define N_ROWS 70
#define WIDTH 16 /* at most, of a value */

static const uint64_t patterns[] = {0, 1, UINT64_MAX, (uint64_t)1 << 63,
                                    UINT64_C(0x6a09e667f3bcc909)};

/* Texts of 12 bytes and fewer are in their views. */
static void fill(struct dn_type type, uint64_t pattern, uint8_t *values)
{
    for (size_t i = 0; i < N_ROWS; i++) {
        struct dn_string_view view = {.len = (int32_t)(i % (DN_VIEW_INLINE + 1))};
        memset(view.u.inlined, (int)(pattern & 0x7f), (size_t)view.len);
        if (type.id == DN_TYPE_UTF8_VIEW) {
            memcpy(values + i * sizeof view, &view, sizeof view);
        } else {
            memcpy(values + i * 8, &pattern, 8);
        }
    }
}

/* What is changed in the value of a row. */
static void change(struct dn_type type, uint8_t *values, size_t row, size_t bit)
{
    struct dn_string_view *view = (struct dn_string_view *)(void *)values + row;

    if (type.id == DN_TYPE_BOOL) {
        values[row / 8] ^= (uint8_t)(1u << row % 8);
    } else if (type.id == DN_TYPE_UTF8_VIEW && view->len == 0) {
        view->len = 1;
        view->u.inlined[0] = (uint8_t)bit;
    } else if (type.id == DN_TYPE_UTF8_VIEW) {
        view->u.inlined[bit / 8 % (size_t)view->len] ^= (uint8_t)(1u << bit % 8);
    } else {
        const size_t width = dn_type_width(type);
        values[row * width + bit / 8 % width] ^= (uint8_t)(1u << bit % 8);
    }
}

static void check_changes(struct dn_column_view *c, uint8_t *values)
{
    static uint8_t kept[N_ROWS * WIDTH];
    const uint64_t due = dn_column_digest(c, 0, N_ROWS, 0);

    memcpy(kept, values, sizeof kept);
    for (size_t row = 0; row < N_ROWS; row++) {
        if (!dn_column_is_valid(c, (int64_t)row)) {
            continue;
        }
        for (size_t bit = 0; bit < (c->type.id == DN_TYPE_BOOL ? 1 : 64); bit++) {
            change(c->type, values, row, bit);
            if (dn_column_digest(c, 0, N_ROWS, 0) == due) {
                fail_msg("%s: bit %zu of row %zu is not in the digest", DN_TYPE_TEXT(c->type), bit,
                         row);
            }
            memcpy(values, kept, sizeof kept);
        }
    }
    assert_true(dn_column_digest(c, 0, N_ROWS, 0) == due);
}

static void check_nulls(struct dn_column_view *c, uint8_t *validity)
{
    const uint64_t due = dn_column_digest(c, 0, N_ROWS, 0);

    for (size_t row = 0; row < N_ROWS; row++) {
        const bool valid = dn_bit_get(validity, (int64_t)row);
        validity[row / 8] ^= (uint8_t)(1u << row % 8);
        c->null_count += valid ? 1 : -1;
        if (dn_column_digest(c, 0, N_ROWS, 0) == due) {
            fail_msg("%s: whether row %zu is null is not in the digest", DN_TYPE_TEXT(c->type),
                     row);
        }
        validity[row / 8] ^= (uint8_t)(1u << row % 8);
        c->null_count -= valid ? 1 : -1;
    }
}

static const struct dn_type types[] = {
    DN_TYPE_INIT(BOOL),    DN_TYPE_INIT(INT32),  DN_TYPE_INIT(INT64),   DN_TYPE_INIT(FLOAT32),
    DN_TYPE_INIT(FLOAT64), DN_TYPE_INIT(DATE32), DN_TIMESTAMP_INIT(US), DN_TYPE_INIT(UTF8_VIEW)};

static void test_every_bit_counts(void **state)
{
    static uint8_t values[N_ROWS * WIDTH];
    uint8_t validity[N_ROWS / 8 + 1];

    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        for (size_t p = 0; p < sizeof patterns / sizeof patterns[0]; p++) {
            struct dn_column_view c = {.type = types[i],
                                       .layout = dn_type_layout(types[i]),
                                       .width = dn_type_width(types[i]),
                                       .n_rows = N_ROWS,
                                       .values = values};
            fill(types[i], patterns[p], values);
            check_changes(&c, values);
            memset(validity, 0xff, sizeof validity);
            validity[0] = (uint8_t)(p % 2 == 0 ? 0xfe : 0xef); /* one null, in the first row too */
            c.validity = validity;
            c.null_count = 1;
            check_changes(&c, values);
            check_nulls(&c, validity);
        }
    }
}

/* Pieces in any order are the whole, and a row counts where it is. */
static void test_places(void **state)
{
    static uint8_t values[N_ROWS * WIDTH];
    struct dn_column_view c = {.type = DN_TYPE_INIT(INT64),
                               .layout = DN_LAYOUT_FIXED,
                               .width = 8,
                               .n_rows = N_ROWS,
                               .values = values};

    (void)state;
    for (size_t i = 0; i < N_ROWS; i++) {
        const uint64_t v = i * i;
        memcpy(values + i * 8, &v, 8);
    }
    const uint64_t due = dn_column_digest(&c, 0, N_ROWS, 0);
    for (int64_t cut = 0; cut <= N_ROWS; cut++) {
        assert_true(dn_column_digest(&c, cut, N_ROWS - cut, (uint64_t)cut) +
                        dn_column_digest(&c, 0, cut, 0) ==
                    due);
    }
    for (int64_t row = 0; row < N_ROWS; row++) {
        assert_false(dn_column_digest(&c, row, 1, 0) == dn_column_digest(&c, row, 1, 1));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_bit_counts),
        cmocka_unit_test(test_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
