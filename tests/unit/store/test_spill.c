#include "store/spill.h"

#include "scratch_dir.h"
#include "store/sink.h"

#include <errno.h>
#include <pthread.h>

static struct dn_sink *open_sink(const char *name)
{
    struct dn_sink *s = NULL;

    assert_int_equal(dn_sink_open(&s, scratch_path(dir, name), false, NULL, NULL, NULL), DN_OK);
    return s;
}

static struct dn_span span(const void *data, size_t len)
{
    return (struct dn_span){data, len};
}

struct appender {
    struct dn_spill *spill;
    uint8_t mark;
    uint64_t offsets[200];
    size_t n_bad;
};

static void *append_many(void *arg)
{
    struct appender *a = arg;
    uint8_t bytes[900];

    memset(bytes, a->mark, sizeof bytes);
    for (size_t i = 0; i < 200; i++) {
        a->n_bad += dn_spill_append(a->spill, span(bytes, 20 + i), span(bytes, i * 4),
                                    &a->offsets[i], NULL) != DN_OK;
    }
    return NULL;
}

static void threads_append_and_all_comes_back(void **state)
{
    struct dn_sink *s = open_sink("threads");
    struct dn_spill *spill = NULL;
    struct appender a[3];
    pthread_t threads[3];
    uint8_t bytes[1100];

    (void)state;
    assert_int_equal(dn_sink_spill_open(s, &spill, NULL), DN_OK);
    assert_int_equal(scratch_count(dir), 1); /* the sink's own file alone */
    for (size_t t = 0; t < 3; t++) {
        a[t] = (struct appender){.spill = spill, .mark = (uint8_t)(t + 1)};
        assert_int_equal(pthread_create(&threads[t], NULL, append_many, &a[t]), 0);
    }
    for (size_t t = 0; t < 3; t++) {
        assert_int_equal(pthread_join(threads[t], NULL), 0);
        assert_int_equal(a[t].n_bad, 0);
        for (size_t i = 0; i < 200; i++) {
            const size_t len = 20 + 5 * i;
            assert_int_equal(dn_spill_read(spill, a[t].offsets[i], bytes, len, NULL), DN_OK);
            for (size_t k = 0; k < len; k++) {
                assert_int_equal(bytes[k], t + 1);
            }
        }
    }
    assert_int_equal(dn_spill_read(spill, UINT64_C(1) << 30, bytes, 1, NULL), DN_ERR_IO);
    dn_spill_close(spill);
    dn_sink_close(s);
    assert_int_equal(scratch_count(dir), 0);
}

/* More than the sink's block, so that its own blocks are written in between. */
static void a_sink_takes_spilled_bytes(void **state)
{
    enum {
        LEN = 9 << 20
    };
    const char *path = scratch_path(dir, "copied");
    struct dn_sink *s = open_sink("copied");
    struct dn_spill *spill = NULL;
    uint8_t *bytes = malloc(LEN);
    uint8_t *got = malloc(LEN);
    uint64_t seed = 1;
    uint64_t offset = 0;

    (void)state;
    assert_non_null(bytes);
    assert_non_null(got);
    for (size_t i = 0; i + 8 <= LEN; i += 8) {
        const uint64_t r = scratch_random(&seed);
        memcpy(bytes + i, &r, 8);
    }
    assert_int_equal(dn_sink_spill_open(s, &spill, NULL), DN_OK);
    assert_int_equal(
        dn_spill_append(spill, span(bytes, 5), span(bytes + 5, LEN - 5), &offset, NULL), DN_OK);
    assert_int_equal(dn_sink_write(s, "ab", 2, NULL), DN_OK);
    assert_int_equal(dn_sink_write_spilled(s, spill, offset + 3, LEN - 3, NULL), DN_OK);
    assert_int_equal(dn_sink_position(s), LEN - 1);
    assert_int_equal(dn_sink_finish(s, NULL), DN_OK);
    assert_int_equal(dn_sink_commit(s, NULL), DN_OK);
    assert_int_equal(scratch_read(path, (char *)got, LEN), LEN - 1);
    assert_memory_equal(got, "ab", 2);
    assert_memory_equal(got + 2, bytes + 3, LEN - 3);
    assert_int_equal(unlink(path), 0);
    dn_spill_close(spill);
    dn_sink_close(s);
    free(bytes);
    free(got);
}

static void a_full_disk_is_told(void **state)
{
    struct dn_sink *s = open_sink("full");
    struct dn_spill *spill = NULL;
    struct dn_error err;
    uint64_t offset = 0;

    (void)state;
    assert_int_equal(dn_sink_spill_open(s, &spill, NULL), DN_OK);
    (void)dn_sink_fail_at(2, ENOSPC);
    dn_error_clear(&err);
    assert_int_equal(dn_spill_append(spill, span("header", 6), span("data", 4), &offset, &err),
                     DN_ERR_IO);
    (void)dn_sink_fail_at(0, 0);
    assert_int_equal(err.os_errno, ENOSPC);
    assert_non_null(strstr(err.message, "full"));
    assert_non_null(strstr(err.message, "make room there"));
    dn_spill_close(spill);
    dn_sink_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_append_and_all_comes_back),
        cmocka_unit_test(a_sink_takes_spilled_bytes),
        cmocka_unit_test(a_full_disk_is_told),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
