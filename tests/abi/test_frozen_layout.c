/* The layout of every struct of the ABI against the frozen version 1: same members at the same places, growth at the end only. */
#define DATIVO_NO_PROTOTYPES

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* clang-format off */
#define dativo_error v1_dativo_error
#define dativo_progress v1_dativo_progress
#define dativo_host v1_dativo_host
#define dativo_plugin v1_dativo_plugin
#define dativo_reader_v1 v1_dativo_reader_v1
#define dativo_writer_v1 v1_dativo_writer_v1
#define dativo_inspector_v1 v1_dativo_inspector_v1
#define dativo_plugin_get v1_dativo_plugin_get
#include "plugin_v1.h"
#undef dativo_error
#undef dativo_progress
#undef dativo_host
#undef dativo_plugin
#undef dativo_reader_v1
#undef dativo_writer_v1
#undef dativo_inspector_v1
#undef dativo_plugin_get
#undef DATIVO_EXPORT
#undef DATIVO_ABI_VERSION
enum { V1_ABI_MAJOR = 1 };
/* clang-format on */

#include "dativo/plugin.h"

#define CHECK_MEMBER(s, m)                                                                         \
    do {                                                                                           \
        assert_int_equal(offsetof(struct s, m), offsetof(struct v1_##s, m));                       \
        assert_int_equal(sizeof(((struct s *)0)->m), sizeof(((struct v1_##s *)0)->m));             \
    } while (0)
#define CHECK_SIZE(s, named)                                                                       \
    do {                                                                                           \
        assert_true(sizeof(struct s) >= sizeof(struct v1_##s));                                    \
        assert_int_equal(named, sizeof(struct v1_##s));                                            \
    } while (0)

static void test_error(void **state)
{
    (void)state;
    CHECK_MEMBER(dativo_error, struct_size);
    CHECK_MEMBER(dativo_error, code);
    CHECK_MEMBER(dativo_error, os_errno);
    CHECK_MEMBER(dativo_error, retryable);
    CHECK_MEMBER(dativo_error, row);
    CHECK_MEMBER(dativo_error, line);
    CHECK_MEMBER(dativo_error, byte_offset);
    CHECK_MEMBER(dativo_error, path);
    CHECK_MEMBER(dativo_error, column);
    CHECK_MEMBER(dativo_error, expected);
    CHECK_MEMBER(dativo_error, suggested_type);
    CHECK_MEMBER(dativo_error, message);
    CHECK_SIZE(dativo_error, DATIVO_ERROR_V1_0_SIZE);
}

static void test_progress(void **state)
{
    (void)state;
    CHECK_MEMBER(dativo_progress, struct_size);
    CHECK_MEMBER(dativo_progress, reserved);
    CHECK_MEMBER(dativo_progress, bytes_done);
    CHECK_MEMBER(dativo_progress, bytes_total);
    CHECK_MEMBER(dativo_progress, rows_done);
    CHECK_SIZE(dativo_progress, DATIVO_PROGRESS_V1_0_SIZE);
}

static void test_host(void **state)
{
    (void)state;
    CHECK_MEMBER(dativo_host, struct_size);
    CHECK_MEMBER(dativo_host, n_threads);
    CHECK_MEMBER(dativo_host, ctx);
    CHECK_MEMBER(dativo_host, log);
    CHECK_MEMBER(dativo_host, cancelled);
    CHECK_MEMBER(dativo_host, progress);
    CHECK_MEMBER(dativo_host, submit);
    CHECK_MEMBER(dativo_host, memory_budget_bytes);
    CHECK_SIZE(dativo_host, DATIVO_HOST_V1_0_SIZE);
}

static void test_plugin(void **state)
{
    (void)state;
    CHECK_MEMBER(dativo_plugin, struct_size);
    CHECK_MEMBER(dativo_plugin, abi_version);
    CHECK_MEMBER(dativo_plugin, name);
    CHECK_MEMBER(dativo_plugin, version);
    CHECK_MEMBER(dativo_plugin, description);
    CHECK_MEMBER(dativo_plugin, get_extension);
    CHECK_MEMBER(dativo_plugin, free_text);
    CHECK_SIZE(dativo_plugin, DATIVO_PLUGIN_V1_0_SIZE);
}

static void test_reader_v1(void **state)
{
    (void)state;
    CHECK_MEMBER(dativo_reader_v1, struct_size);
    CHECK_MEMBER(dativo_reader_v1, reserved);
    CHECK_MEMBER(dativo_reader_v1, open);
    CHECK_MEMBER(dativo_reader_v1, schema);
    CHECK_MEMBER(dativo_reader_v1, stream);
    CHECK_MEMBER(dativo_reader_v1, last_error);
    CHECK_MEMBER(dativo_reader_v1, progress);
    CHECK_MEMBER(dativo_reader_v1, cancel);
    CHECK_MEMBER(dativo_reader_v1, close);
    CHECK_MEMBER(dativo_reader_v1, splits);
    CHECK_MEMBER(dativo_reader_v1, open_split);
    CHECK_MEMBER(dativo_reader_v1, report);
    CHECK_SIZE(dativo_reader_v1, DATIVO_READER_V1_0_SIZE);
}

static void test_writer_v1(void **state)
{
    (void)state;
    CHECK_MEMBER(dativo_writer_v1, struct_size);
    CHECK_MEMBER(dativo_writer_v1, reserved);
    CHECK_MEMBER(dativo_writer_v1, open);
    CHECK_MEMBER(dativo_writer_v1, append);
    CHECK_MEMBER(dativo_writer_v1, append_stream);
    CHECK_MEMBER(dativo_writer_v1, finish);
    CHECK_MEMBER(dativo_writer_v1, commit);
    CHECK_MEMBER(dativo_writer_v1, abort);
    CHECK_MEMBER(dativo_writer_v1, close);
    CHECK_SIZE(dativo_writer_v1, DATIVO_WRITER_V1_0_SIZE);
}

static void test_inspector_v1(void **state)
{
    (void)state;
    CHECK_MEMBER(dativo_inspector_v1, struct_size);
    CHECK_MEMBER(dativo_inspector_v1, reserved);
    CHECK_MEMBER(dativo_inspector_v1, inspect);
    CHECK_SIZE(dativo_inspector_v1, DATIVO_INSPECTOR_V1_0_SIZE);
}

/* A 32-bit host sees other numbers; these are what a 64-bit host of version 1 was compiled with. */
static void test_numbers(void **state)
{
    (void)state;
    assert_int_equal(DATIVO_ABI_VERSION >> 16, V1_ABI_MAJOR);
    if (sizeof(void *) == 8) {
        assert_int_equal(offsetof(struct dativo_error, message), 776);
        assert_true(sizeof(struct dativo_error) >= 1800);
        assert_int_equal(offsetof(struct dativo_host, memory_budget_bytes), 48);
        assert_int_equal(offsetof(struct dativo_plugin, free_text), 40);
        assert_int_equal(offsetof(struct dativo_reader_v1, report), 80);
        assert_int_equal(offsetof(struct dativo_writer_v1, close), 56);
        assert_int_equal(offsetof(struct dativo_inspector_v1, inspect), 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_error),        cmocka_unit_test(test_progress),
        cmocka_unit_test(test_host),         cmocka_unit_test(test_plugin),
        cmocka_unit_test(test_reader_v1),    cmocka_unit_test(test_writer_v1),
        cmocka_unit_test(test_inspector_v1), cmocka_unit_test(test_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
