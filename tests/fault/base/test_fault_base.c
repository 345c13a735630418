/** Every allocation of base fails once, in turn; the caller gets DN_ERR_MEMORY and nothing leaks or changes. */
#include "base/arena.h"
#include "base/buffer.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/pool.h"
#include "base/strings.h"

#include "scratch.h"

#include <stdatomic.h>

/* Run `scenario` with the n-th allocation failing, n = 1, 2, ..., until none is left to fail.  Returns how many there are. */
static uint64_t fail_each(enum dn_status (*scenario)(struct dn_error *err))
{
    for (uint64_t n = 1;; n++) {
        struct dn_error err;
        dn_error_clear(&err);
        dn_memory_fail_at(n);
        enum dn_status st = scenario(&err);
        uint64_t counted = dn_memory_fail_at(0);
        if (counted < n) {
            assert_int_equal(st, DN_OK);
            return n - 1;
        }
        assert_int_equal(st, DN_ERR_MEMORY);
        assert_int_equal(err.code, DN_ERR_MEMORY);
        assert_true(err.message[0] != '\0');
    }
}

static enum dn_status grow_buffer(struct dn_error *err)
{
    struct dn_buffer b = {0};
    enum dn_status st = DN_OK;
    size_t len = 0;

    for (int i = 0; i < 4000 && st == DN_OK; i++) {
        st = dn_buffer_append(&b, "0123456789", 10, err);
        len += st == DN_OK ? 10 : 0;
    }
    assert_int_equal(b.len, len); /* a failed append changes nothing */
    for (size_t i = 0; i < len; i++) {
        assert_int_equal(b.data[i], '0' + i % 10);
    }
    if (st != DN_OK) {
        assert_int_equal(dn_buffer_append(&b, "x", 1, NULL),
                         DN_OK); /* and the buffer is still usable */
        assert_int_equal(b.data[len], 'x');
    }
    dn_buffer_finish(&b);
    return st;
}

static enum dn_status build_text(struct dn_error *err)
{
    struct dn_buffer b = {0};
    enum dn_status st = DN_OK;
    char control[300];
    size_t before = 0;

    memset(control, 1, sizeof(control)); /* six bytes each */
    DN_TRY_GOTO(st, dn_text_append(&b, "start ", err), cleanup);
    DN_TRY_GOTO(st, dn_text_appendf(&b, err, "%0400d", 7), cleanup);
    before = b.len;
    st = dn_text_append_json_string(&b, control, sizeof(control), err);
    if (st != DN_OK) {
        assert_int_equal(b.len, before); /* no half literals */
    }
cleanup:
    if (st == DN_OK) {
        char *text = dn_text_take(&b);
        st = text != NULL ? DN_OK : dn_error_memory(err, b.len + 1);
        dn_free(text);
    }
    dn_buffer_finish(&b);
    return st;
}

static enum dn_status take_nothing(struct dn_error *err)
{
    struct dn_buffer b = {0};
    char *text = dn_text_take(&b);

    if (text == NULL) {
        return dn_error_memory(err, 1);
    }
    dn_free(text);
    return DN_OK;
}

static enum dn_status fill_arena(struct dn_error *err)
{
    struct dn_arena a = {0};
    enum dn_status st = DN_OK;
    const char *first = dn_arena_strdup(&a, "first");

    for (size_t i = 0; i < 300 && first != NULL; i++) {
        if (dn_arena_alloc(&a, i * 40) == NULL || dn_arena_strndup(&a, "abc", 3) == NULL) {
            st = dn_error_memory(err, i * 40);
            assert_non_null(dn_arena_alloc(&a, 100)); /* the arena is still usable */
            break;
        }
    }
    if (first == NULL) {
        st = dn_error_memory(err, 6);
    } else {
        assert_string_equal(first, "first");
    }
    dn_arena_finish(&a);
    return st;
}

static atomic_int n_run;

static void run_one(void *arg)
{
    (void)arg;
    atomic_fetch_add(&n_run, 1);
}

static enum dn_status use_pool(struct dn_error *err)
{
    struct dn_pool *pool = NULL;
    enum dn_status st = DN_OK;
    int accepted = 0;

    atomic_store(&n_run, 0);
    DN_TRY(dn_pool_create(&pool, 2, err));
    struct dn_executor run = dn_pool_executor(pool);
    for (int i = 0; i < 100; i++) {
        if (run.submit(run.ctx, run_one, NULL) == 0) {
            accepted++;
        } else {
            st = dn_error_memory(err, 1);
        }
    }
    dn_pool_destroy(pool);
    assert_int_equal(atomic_load(&n_run),
                     accepted); /* what was accepted runs, what was refused does not */
    return st;
}

struct gate {
    atomic_bool open;
    atomic_bool entered;
};

static void wait_at_gate(void *arg)
{
    struct gate *gate = arg;

    atomic_store(&gate->entered, true);
    while (!atomic_load(&gate->open)) {
        (void)usleep(100);
    }
}

static enum dn_status fill_queue(struct dn_error *err)
{
    struct dn_pool *pool = NULL;
    struct gate gate = {0};
    enum dn_status st = DN_OK;
    int accepted = 0;

    atomic_store(&n_run, 0);
    DN_TRY(dn_pool_create(&pool, 1, err));
    struct dn_executor run = dn_pool_executor(pool);
    assert_int_equal(run.submit(run.ctx, wait_at_gate, &gate), 0);
    while (!atomic_load(&gate.entered)) {
        (void)usleep(100);
    }
    for (int i = 0; i < 1000;
         i++) { /* nothing is taken out meanwhile, so the queue grows the same way each time */
        if (run.submit(run.ctx, run_one, NULL) == 0) {
            accepted++;
        } else {
            st = dn_error_memory(err, 1);
        }
    }
    atomic_store(&gate.open, true);
    dn_pool_destroy(pool);
    assert_int_equal(atomic_load(&n_run), accepted);
    assert_true(accepted >= 999); /* one refusal at most: the next submit tries again */
    return st;
}

static void test_buffer(void **state)
{
    (void)state;
    assert_true(fail_each(grow_buffer) >= 6);
}

static void test_strings(void **state)
{
    (void)state;
    assert_true(fail_each(build_text) >= 3);
    assert_int_equal(fail_each(take_nothing), 1);
}

static void test_arena(void **state)
{
    (void)state;
    assert_true(fail_each(fill_arena) >= 8);
}

static void test_pool(void **state)
{
    (void)state;
    assert_true(fail_each(use_pool) >= 2);
    assert_int_equal(fail_each(fill_queue),
                     2 + 4); /* the pool, its queue of 64, and 128, 256, 512, 1024 */
}

static void test_log_without_memory(void **state)
{
    (void)state;
    int ends[2];
    char line[512];
    int saved = dup(STDERR_FILENO);

    assert_true(saved >= 0);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    dn_memory_fail_at(1);
    dn_log_json("INFO", "event", "message", NULL);
    dn_memory_fail_at(0);
    assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
    (void)close(saved);
    (void)close(ends[1]);
    ssize_t n = read(ends[0], line, sizeof(line) - 1);
    (void)close(ends[0]);
    assert_true(n > 0);
    line[n] = '\0';
    assert_non_null(strstr(line, "out of memory"));
    assert_int_equal(line[n - 1], '\n');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buffer),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_arena),
        cmocka_unit_test(test_pool),
        cmocka_unit_test(test_log_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
