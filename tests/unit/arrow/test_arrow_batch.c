#include "arrow/batch.h"

#include "base/memory.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* One batch of three rows with a column of every layout. */
#define N_ROWS 3
#define N_COLUMNS 6

static const uint8_t validity[] = {0x05}; /* the second row is null */
static const int64_t ids[] = {1, -2, 3};
static const uint8_t flags[] = {0x04};
static const int32_t offsets32[] = {0, 3, 3, 5};
static const int64_t offsets64[] = {2, 3, 3, 5};
static const uint8_t bytes[] = "abcdea long text that is not inlined";
static const void *const texts[] = {bytes};
static const int64_t text_lens[] = {(int64_t)sizeof bytes - 1};
static struct dn_string_view views[N_ROWS];

static const struct dn_field fields[N_COLUMNS] = {
    {"id", DN_TYPE_INIT(INT64), false},      {"flag", DN_TYPE_INIT(BOOL), true},
    {"text32", DN_TYPE_INIT(UTF8), true},    {"text64", DN_TYPE_INIT(LARGE_UTF8), true},
    {"view", DN_TYPE_INIT(UTF8_VIEW), true}, {"nothing", DN_TYPE_INIT(NULL), true},
};

static const struct dn_batch_column columns[N_COLUMNS] = {
    {.type = DN_TYPE_INIT(INT64), .values = ids},
    {.type = DN_TYPE_INIT(BOOL), .values = flags, .validity = validity, .null_count = 1},
    {.type = DN_TYPE_INIT(UTF8),
     .values = offsets32,
     .bytes = bytes,
     .validity = validity,
     .null_count = 1},
    {.type = DN_TYPE_INIT(LARGE_UTF8), .values = offsets64, .bytes = bytes},
    {.type = DN_TYPE_INIT(UTF8_VIEW),
     .values = views,
     .variadic = texts,
     .variadic_lens = text_lens,
     .n_variadic = 1},
    {.type = DN_TYPE_INIT(NULL)},
};

static int n_released; /* of the owner */

static void release_owner(void *owner)
{
    assert_ptr_equal(owner, &n_released);
    n_released++;
}

static void make_batch(struct ArrowArray *batch)
{
    n_released = 0;
    assert_int_equal(
        dn_batch_export(batch, N_ROWS, N_COLUMNS, columns, release_owner, &n_released, NULL),
        DN_OK);
}

static int set_up(void **state)
{
    (void)state;
    views[0].len = 2;
    memcpy(views[0].u.inlined, "ab", 2);
    views[1].len = 12;
    memcpy(views[1].u.inlined, "twelve bytes", 12);
    views[2].len = 31;
    memcpy(views[2].u.ref.prefix, "a lo", 4);
    views[2].u.ref.offset = 5;
    return 0;
}

static void check_text(const struct dn_column_view *c, int64_t row, const char *expected)
{
    size_t len = 0;
    const uint8_t *text = dn_column_text(c, row, &len);
    assert_int_equal(len, strlen(expected));
    assert_memory_equal(text, expected, len);
}

static void test_layout(void **state)
{
    struct ArrowArray batch;
    (void)state;
    make_batch(&batch);
    assert_int_equal(batch.length, N_ROWS);
    assert_int_equal(batch.null_count, 0);
    assert_int_equal(batch.n_buffers, 1);
    assert_null(batch.buffers[0]);
    assert_int_equal(batch.n_children, N_COLUMNS);
    static const int64_t n_buffers[N_COLUMNS] = {2, 2, 3, 3, 4, 0};
    for (int i = 0; i < N_COLUMNS; i++) {
        assert_int_equal(batch.children[i]->n_buffers, n_buffers[i]);
        assert_int_equal(batch.children[i]->length, N_ROWS);
        assert_int_equal(batch.children[i]->n_children, 0);
    }
    assert_ptr_equal(batch.children[4]->buffers[2], bytes);
    assert_ptr_equal(batch.children[4]->buffers[3], text_lens);
    assert_int_equal(batch.children[5]->null_count, N_ROWS);
    batch.release(&batch);
    assert_null(batch.release);
    assert_int_equal(n_released, 1);
}

static void test_columns_read_back(void **state)
{
    struct ArrowArray batch;
    struct dn_column_view c[N_COLUMNS];
    (void)state;
    make_batch(&batch);
    for (int i = 0; i < N_COLUMNS; i++) {
        assert_int_equal(dn_batch_get_column(&batch, i, &fields[i], &c[i], NULL), DN_OK);
        assert_int_equal(c[i].n_rows, N_ROWS);
        assert_int_equal(c[i].offset, 0);
    }
    assert_null(c[0].validity);
    assert_int_equal(((const int64_t *)c[0].values)[1], -2);
    assert_int_equal(c[1].null_count, 1);
    assert_true(dn_column_is_valid(&c[1], 0));
    assert_false(dn_column_is_valid(&c[1], 1));
    check_text(&c[2], 0, "abc");
    check_text(&c[2], 2, "de");
    check_text(&c[3], 0, "c");
    check_text(&c[3], 1, "");
    check_text(&c[4], 0, "ab");
    check_text(&c[4], 1, "twelve bytes");
    check_text(&c[4], 2, "a long text that is not inlined");
    assert_int_equal(c[5].null_count, N_ROWS);
    assert_false(dn_column_is_valid(&c[5], 0));
    batch.release(&batch);
    assert_int_equal(n_released, 1);
}

static void test_owner_lives_until_the_last_moved_child(void **state)
{
    struct ArrowArray batch, first, last, moved;
    (void)state;
    /* parent first */
    make_batch(&batch);
    first = *batch.children[0];
    batch.children[0]->release = NULL;
    last = *batch.children[4];
    batch.children[4]->release = NULL;
    batch.release(&batch);
    assert_int_equal(n_released, 0);
    assert_int_equal(((const int64_t *)first.buffers[1])[2], 3);
    first.release(&first);
    assert_null(first.release);
    assert_int_equal(n_released, 0);
    assert_ptr_equal(last.buffers[2], bytes);
    last.release(&last);
    assert_int_equal(n_released, 1);

    /* child first, and the parent itself moved */
    make_batch(&batch);
    first = *batch.children[2];
    batch.children[2]->release = NULL;
    first.release(&first);
    assert_int_equal(n_released, 0);
    moved = batch;
    batch.release = NULL;
    moved.release(&moved);
    assert_int_equal(n_released, 1);

    /* a child released in place is not released again */
    make_batch(&batch);
    batch.children[1]->release(batch.children[1]);
    assert_null(batch.children[1]->release);
    batch.release(&batch);
    assert_int_equal(n_released, 1);
}

static void *release_on_thread(void *array)
{
    struct ArrowArray *a = array;
    a->release(a);
    return NULL;
}

static void test_children_released_on_other_threads(void **state)
{
    (void)state;
    for (int round = 0; round < 200; round++) {
        struct ArrowArray batch, moved[N_COLUMNS];
        pthread_t threads[N_COLUMNS];
        make_batch(&batch);
        for (int i = 0; i < N_COLUMNS; i++) {
            moved[i] = *batch.children[i];
            batch.children[i]->release = NULL;
            assert_int_equal(pthread_create(&threads[i], NULL, release_on_thread, &moved[i]), 0);
        }
        batch.release(&batch);
        for (int i = 0; i < N_COLUMNS; i++) {
            assert_int_equal(pthread_join(threads[i], NULL), 0);
        }
        assert_int_equal(n_released, 1);
    }
}

static void test_export_refuses(void **state)
{
    struct ArrowArray batch;
    struct dn_error err;
    (void)state;
    n_released = 0;
    const struct dn_batch_column bad[] = {
        {.type = DN_TYPE_INIT(COUNT), .values = ids},
        {.type = DN_TYPE_INIT(INT64)},
        {.type = DN_TYPE_INIT(INT64), .values = ids, .null_count = 1},
        {.type = DN_TYPE_INIT(INT64), .values = ids, .null_count = -1, .validity = validity},
        {.type = DN_TYPE_INIT(INT64), .values = ids, .null_count = 4, .validity = validity},
        {.type = DN_TYPE_INIT(UTF8_VIEW), .values = views, .n_variadic = 1},
        {.type = DN_TYPE_INIT(UTF8_VIEW),
         .values = views,
         .n_variadic = -1,
         .variadic = texts,
         .variadic_lens = text_lens},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(
            dn_batch_export(&batch, N_ROWS, 1, &bad[i], release_owner, &n_released, &err),
            DN_ERR_INVALID);
        assert_null(batch.release);
        assert_true(err.message[0] != '\0');
    }
    assert_int_equal(dn_batch_export(&batch, -1, 0, NULL, release_owner, &n_released, &err),
                     DN_ERR_INVALID);
    assert_int_equal(dn_batch_export(&batch, 0, -1, NULL, release_owner, &n_released, &err),
                     DN_ERR_INVALID);
    (void)dn_memory_fail_at(1);
    assert_int_equal(
        dn_batch_export(&batch, N_ROWS, N_COLUMNS, columns, release_owner, &n_released, &err),
        DN_ERR_MEMORY);
    (void)dn_memory_fail_at(0);
    assert_null(batch.release);
    assert_int_equal(n_released, 0);

    /* no columns, no rows, no owner to tell: all legal */
    assert_int_equal(dn_batch_export(&batch, 7, 0, NULL, NULL, NULL, &err), DN_OK);
    assert_int_equal(batch.length, 7);
    batch.release(&batch);
    const struct dn_batch_column empty = {.type = DN_TYPE_INIT(UTF8)};
    struct dn_column_view c;
    assert_int_equal(dn_batch_export(&batch, 0, 1, &empty, NULL, NULL, &err), DN_OK);
    assert_int_equal(dn_batch_get_column(&batch, 0, &fields[2], &c, &err), DN_OK);
    assert_int_equal(c.n_rows, 0);
    batch.release(&batch);
}

/* ---- batches as strangers make them ---- */

static void release_static(struct ArrowArray *array)
{
    array->release = NULL;
}

struct stranger {
    struct ArrowArray batch, child;
    struct ArrowArray *children[1];
    const void *batch_buffers[1];
    const void *buffers[3];
};

static void make_stranger(struct stranger *s, int64_t n_buffers, const void *bitmap,
                          const void *values)
{
    memset(s, 0, sizeof *s);
    s->buffers[0] = bitmap;
    s->buffers[1] = values;
    s->child = (struct ArrowArray){.length = 100,
                                   .null_count = -1,
                                   .n_buffers = n_buffers,
                                   .buffers = s->buffers,
                                   .release = release_static};
    s->children[0] = &s->child;
    s->batch = (struct ArrowArray){.length = 100,
                                   .n_buffers = 1,
                                   .buffers = s->batch_buffers,
                                   .n_children = 1,
                                   .children = s->children,
                                   .release = release_static};
}

static void test_offsets_add_up_and_nulls_are_counted(void **state)
{
    static int64_t values[128];
    uint8_t bitmap[16];
    struct stranger s;
    struct dn_column_view c;
    (void)state;
    for (size_t i = 0; i < sizeof bitmap; i++) {
        bitmap[i] = (uint8_t)(i * 37 + 11);
    }
    for (int64_t parent = 0; parent < 20; parent++) {
        for (int64_t own = 0; own < 20; own++) {
            make_stranger(&s, 2, bitmap, values);
            s.batch.offset = parent;
            s.batch.length = 100 - parent;
            s.child.offset = own;
            assert_int_equal(dn_batch_get_column(&s.batch, 0, &fields[0], &c, NULL), DN_OK);
            assert_int_equal(c.offset, parent + own);
            assert_int_equal(c.n_rows, 100 - parent);
            int64_t nulls = 0;
            for (int64_t row = 0; row < c.n_rows; row++) {
                nulls += !dn_bit_get(bitmap, parent + own + row);
            }
            assert_int_equal(c.null_count, nulls);
            /* a count that is wrong, or over other rows than those in view */
            s.child.null_count = own % 2 == 0 ? 77 : 0;
            assert_int_equal(dn_batch_get_column(&s.batch, 0, &fields[0], &c, NULL), DN_OK);
            assert_int_equal(c.null_count, nulls);
            assert_ptr_equal(c.validity, bitmap);
        }
    }
    make_stranger(&s, 2, NULL, values);
    assert_int_equal(dn_batch_get_column(&s.batch, 0, &fields[0], &c, NULL), DN_OK);
    assert_int_equal(c.null_count, 0);
    memset(bitmap, 0xff, sizeof bitmap);
    make_stranger(&s, 2, bitmap, values);
    assert_int_equal(dn_batch_get_column(&s.batch, 0, &fields[0], &c, NULL), DN_OK);
    assert_int_equal(c.null_count, 0);
    assert_null(c.validity); /* the fast case for the reader */
}

/* Arrow says that nulls have no buffer; Polars gives them one, of nothing. */
static void test_nulls_with_and_without_a_buffer(void **state)
{
    struct stranger s;
    struct dn_column_view c;
    (void)state;
    for (int64_t n_buffers = 0; n_buffers < 2; n_buffers++) {
        make_stranger(&s, n_buffers, NULL, NULL);
        assert_int_equal(dn_batch_get_column(&s.batch, 0, &fields[5], &c, NULL), DN_OK);
        assert_int_equal(c.null_count, 100);
        assert_false(dn_column_is_valid(&c, 99));
    }
    make_stranger(&s, 0, NULL, NULL);
    s.child.buffers = NULL;
    assert_int_equal(dn_batch_get_column(&s.batch, 0, &fields[5], &c, NULL), DN_OK);
}

static void test_null_rows_of_the_batch(void **state)
{
    static const int64_t values[128];
    uint8_t bitmap[16];
    struct stranger s;
    struct dn_column_view c;
    struct dn_error err;
    (void)state;
    memset(bitmap, 0xff, sizeof bitmap);
    make_stranger(&s, 2, NULL, values);
    s.batch_buffers[0] = bitmap;
    s.batch.null_count = -1;
    assert_int_equal(dn_batch_get_column(&s.batch, 0, &fields[0], &c, &err), DN_OK);
    bitmap[3] = 0xfe;
    assert_int_equal(dn_batch_get_column(&s.batch, 0, &fields[0], &c, &err), DN_ERR_UNSUPPORTED);
    s.batch.offset = 25; /* the null is before the first row */
    s.batch.length = 75;
    assert_int_equal(dn_batch_get_column(&s.batch, 0, &fields[0], &c, &err), DN_OK);
    s.batch.null_count = 0; /* so the producer says */
    s.batch.offset = 0;
    s.batch.length = 100;
    assert_int_equal(dn_batch_get_column(&s.batch, 0, &fields[0], &c, &err), DN_ERR_UNSUPPORTED);
}

#define REFUSED(status, field_index)                                                               \
    do {                                                                                           \
        c.n_rows = 4711;                                                                           \
        assert_int_equal(dn_batch_get_column(&s.batch, 0, &fields[field_index], &c, &err),         \
                         status);                                                                  \
        assert_int_equal(c.n_rows, 4711);                                                          \
        assert_true(err.message[0] != '\0');                                                       \
        make_stranger(&s, 2, NULL, values);                                                        \
    } while (0)

static void test_columns_that_do_not_fit(void **state)
{
    static const int64_t values[128];
    struct stranger s;
    struct dn_column_view c;
    struct dn_error err;
    (void)state;
    make_stranger(&s, 2, NULL, values);
    REFUSED(DN_ERR_INVALID, 2); /* two buffers are no string column */
    REFUSED(DN_ERR_INVALID, 4);
    REFUSED(DN_ERR_INVALID, 5);
    s.child.n_buffers = 3;
    REFUSED(DN_ERR_INVALID, 0);
    s.child.length = 99;
    REFUSED(DN_ERR_INVALID, 0);
    s.batch.offset = 1;
    REFUSED(DN_ERR_INVALID, 0);
    s.child.offset = -1;
    REFUSED(DN_ERR_INVALID, 0);
    s.child.offset = INT64_MAX;
    REFUSED(DN_ERR_INVALID, 0);
    s.batch.length = -1;
    REFUSED(DN_ERR_INVALID, 0);
    s.batch.offset = INT64_MAX;
    REFUSED(DN_ERR_INVALID, 0);
    s.buffers[1] = NULL;
    REFUSED(DN_ERR_INVALID, 0);
    s.child.null_count = 1;
    REFUSED(DN_ERR_INVALID, 0);
    s.child.buffers = NULL;
    REFUSED(DN_ERR_INVALID, 0);
    s.child.release = NULL;
    REFUSED(DN_ERR_INVALID, 0);
    s.children[0] = NULL;
    REFUSED(DN_ERR_INVALID, 0);
    s.batch.release = NULL;
    REFUSED(DN_ERR_INVALID, 0);
    s.batch.n_children = 0;
    REFUSED(DN_ERR_INVALID, 0);
    s.child.dictionary = &s.batch;
    REFUSED(DN_ERR_UNSUPPORTED, 0);

    static int32_t offsets[101];
    make_stranger(&s, 3, NULL, offsets);
    assert_int_equal(dn_batch_get_column(&s.batch, 0, &fields[2], &c, &err),
                     DN_OK); /* all empty, no bytes */
    offsets[100] = 1;
    REFUSED(DN_ERR_INVALID, 2);
    offsets[100] = 0;
    offsets[50] = 7; /* both ends are right */
    make_stranger(&s, 3, NULL, offsets);
    s.buffers[2] = bytes;
    REFUSED(DN_ERR_INVALID, 2);
    offsets[50] = 0;
    offsets[100] = -1;
    make_stranger(&s, 3, NULL, offsets);
    s.buffers[2] = bytes;
    REFUSED(DN_ERR_INVALID, 2);
    offsets[0] = -2;
    make_stranger(&s, 3, NULL, offsets);
    s.buffers[2] = bytes;
    REFUSED(DN_ERR_INVALID, 2);
}

/* ---- views ---- */

#define N_VIEWS 200
#define TEXT_BYTES 100

struct viewed {
    struct dn_string_view views[N_VIEWS + 3];
    uint8_t bitmap[(N_VIEWS + 3 + 7) / 8];
    uint8_t text[2][TEXT_BYTES];
    int64_t lens[2];
    const void *buffers[5];
    struct ArrowArray batch, child;
    struct ArrowArray *children[1];
    const void *batch_buffers[1];
};

/* Views of all lengths behind three that nobody asks for, of texts that end where their buffers do. */
static void make_viewed(struct viewed *w, bool with_nulls)
{
    memset(w, 0, sizeof *w);
    memset(w->views, 0xff, 3 * sizeof w->views[0]);
    memset(w->bitmap, 0xff, sizeof w->bitmap);
    for (int32_t i = 0; i < N_VIEWS; i++) {
        struct dn_string_view *v = &w->views[3 + i];
        v->len = i % 30;
        memset(&v->u, 0xee, sizeof v->u); /* what is behind a short text does not matter */
        if (v->len > 12) {
            v->u.ref.buffer = i % 7 == 0;
            v->u.ref.offset = i % 2 == 0 ? TEXT_BYTES - v->len : i % 50;
        }
    }
    w->lens[0] = w->lens[1] = TEXT_BYTES;
    w->buffers[0] = with_nulls ? w->bitmap : NULL;
    w->buffers[1] = w->views;
    w->buffers[2] = w->text[0];
    w->buffers[3] = w->text[1];
    w->buffers[4] = w->lens;
    w->child = (struct ArrowArray){.length = N_VIEWS,
                                   .offset = 3,
                                   .n_buffers = 5,
                                   .buffers = w->buffers,
                                   .release = release_static};
    w->children[0] = &w->child;
    w->batch = (struct ArrowArray){.length = N_VIEWS,
                                   .n_buffers = 1,
                                   .buffers = w->batch_buffers,
                                   .n_children = 1,
                                   .children = w->children,
                                   .release = release_static};
}

static int64_t bad_view(const struct viewed *w)
{
    struct dn_column_view c;
    assert_int_equal(dn_batch_get_column(&w->batch, 0, &fields[4], &c, NULL), DN_OK);
    return dn_column_bad_view(&c);
}

static void test_views_that_point_elsewhere(void **state)
{
    static const struct {
        int32_t len, buffer, offset;
    } bad[] = {
        {-1, 0, 0},
        {INT32_MIN, 0, 0},
        {20, 2, 0},
        {20, 77, 0},
        {20, -1, 0},
        {20, INT32_MIN, 0},
        {20, 0, -1},
        {20, 0, 1 << 30},
        {20, 0, INT32_MAX},
        {20, 0, INT32_MIN},
        {20, 0, 81},
        {20, 1, 81},
        {101, 0, 0},
        {13, 0, 88},
        {INT32_MAX, 0, 0},
        {INT32_MAX, 0, INT32_MAX},
        {1 << 30, 0, 0},
        {1 << 30, 0, 1 << 30},
        {INT32_MAX, 0, INT32_MIN},
        {-5, 0, 1},
    };
    static struct viewed w;
    (void)state;
    make_viewed(&w, false);
    assert_int_equal(bad_view(&w), -1);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        for (int32_t row = 0; row < N_VIEWS; row += 33) {
            for (int nulls = 0; nulls < 3; nulls++) {
                make_viewed(&w, nulls > 0);
                struct dn_string_view *v = &w.views[3 + row];
                v->len = bad[i].len;
                v->u.ref.buffer = bad[i].buffer;
                v->u.ref.offset = bad[i].offset;
                if (nulls == 2) { /* the row is null: it may hold anything */
                    w.bitmap[(3 + row) / 8] ^= (uint8_t)(1u << ((3 + row) % 8));
                }
                assert_int_equal(bad_view(&w), nulls == 2 ? -1 : row);
            }
        }
    }
    make_viewed(&w, false);
    w.views[3 + 150].len = -1;
    w.views[3 + 140].len = INT32_MAX; /* the first is told */
    assert_int_equal(bad_view(&w), 140);
}

/* Texts whose buffers are two of many, wherever those are, and one text that is not where the others are. */
static void test_views_into_many_buffers(void **state)
{
    enum {
        N_BUFFERS = 9
    };
    static struct viewed w;
    static int64_t lens[N_BUFFERS];
    static const void *buffers[2 + N_BUFFERS + 1];

    (void)state;
    for (int32_t base = 0; base < N_BUFFERS - 1; base++) {
        for (int32_t odd = -1; odd <= N_BUFFERS; odd++) {
            make_viewed(&w, false);
            buffers[1] = w.views;
            for (int32_t i = 0; i < N_BUFFERS; i++) {
                lens[i] = i == base ? TEXT_BYTES : i == base + 1 ? TEXT_BYTES - 7 : 40;
                buffers[2 + i] = w.text[0];
            }
            buffers[2 + N_BUFFERS] = lens;
            w.child.buffers = buffers;
            w.child.n_buffers = 2 + N_BUFFERS + 1;
            for (int32_t row = 0; row < N_VIEWS; row++) {
                struct dn_string_view *v = &w.views[3 + row];
                if (v->len > 12) {
                    v->u.ref.offset -= v->u.ref.buffer == 1 && row % 2 == 0 ? 7 : 0;
                    v->u.ref.buffer += base;
                }
            }
            assert_int_equal(bad_view(&w), -1);
            w.views[3 + 100] = (struct dn_string_view){.len = 33};
            w.views[3 + 100].u.ref.buffer = odd;
            w.views[3 + 100].u.ref.offset = TEXT_BYTES - 7 - 33;
            assert_int_equal(bad_view(&w), odd == base || odd == base + 1 ? -1 : 100);
            w.views[3 + 100].u.ref.offset = 7; /* fits all that are there */
            assert_int_equal(bad_view(&w), odd >= 0 && odd < N_BUFFERS ? -1 : 100);
        }
    }
}

static void test_text_buffers_that_cannot_be(void **state)
{
    static struct viewed w;
    struct dn_column_view c;
    struct dn_error err;
    (void)state;
    for (int i = 0; i < 3; i++) {
        make_viewed(&w, false);
        if (i == 0) {
            w.buffers[4] = NULL;
        } else if (i == 1) {
            w.lens[1] = -1;
        } else {
            w.buffers[3] = NULL;
        }
        assert_int_equal(dn_batch_get_column(&w.batch, 0, &fields[4], &c, &err), DN_ERR_INVALID);
        assert_non_null(strstr(err.message, "text buffers"));
    }
    /* no buffers at all: short texts need none, and a long one has no place */
    make_viewed(&w, false);
    w.child.n_buffers = 3;
    w.buffers[2] = NULL;
    assert_int_equal(bad_view(&w), 13);
    w.batch.length = 13;
    assert_int_equal(bad_view(&w), -1);
}

static void test_bits_count_zero(void **state)
{
    uint32_t seed = 12345;
    (void)state;
    for (int64_t offset = 0; offset < 70; offset++) {
        for (int64_t n = 0; n < 300; n++) {
            /* on the heap and no byte too long, for the address sanitizer */
            const size_t size = (size_t)((offset + n + 7) / 8);
            uint8_t *bits = malloc(size + (size == 0));
            assert_non_null(bits);
            for (size_t i = 0; i < size; i++) {
                seed = seed * 1664525 + 1013904223;
                bits[i] = (uint8_t)(seed >> 24);
            }
            int64_t expected = 0;
            for (int64_t i = 0; i < n; i++) {
                expected += !dn_bit_get(bits, offset + i);
            }
            assert_int_equal(dn_bits_count_zero(bits, offset, n), expected);
            free(bits);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_columns_read_back),
        cmocka_unit_test(test_owner_lives_until_the_last_moved_child),
        cmocka_unit_test(test_children_released_on_other_threads),
        cmocka_unit_test(test_export_refuses),
        cmocka_unit_test(test_offsets_add_up_and_nulls_are_counted),
        cmocka_unit_test(test_nulls_with_and_without_a_buffer),
        cmocka_unit_test(test_null_rows_of_the_batch),
        cmocka_unit_test(test_columns_that_do_not_fit),
        cmocka_unit_test(test_views_that_point_elsewhere),
        cmocka_unit_test(test_views_into_many_buffers),
        cmocka_unit_test(test_text_buffers_that_cannot_be),
        cmocka_unit_test(test_bits_count_zero),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
