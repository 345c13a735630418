/* The shell that all plugins share: struct sizes the other side decides, expansion, texts. */
#include "faults.h"

#include "csv_reader.h"
#include "shell.h"

#include "json/lossless.h"

#include <stdlib.h>
#include <sys/mman.h>

static void fill(struct dn_error *error)
{
    (void)dn_error_set(error, DN_ERR_TYPE, "message");
    dn_error_locate(error, "path", 4, 5, 77, "column");
    dn_error_copy_text(error->expected, sizeof(error->expected), "int64");
    dn_error_copy_text(error->suggested_type, sizeof(error->suggested_type), "float64");
}

static void test_error_export(void **state)
{
    (void)state;
    struct dn_error error;
    struct dativo_error out = {.struct_size = sizeof(out)};
    fill(&error);
    assert_int_equal(dn_shell_error_export(DN_ERR_TYPE, &error, &out), DATIVO_ERR_TYPE);
    assert_int_equal(out.struct_size, sizeof(out));
    assert_int_equal(out.code, DATIVO_ERR_TYPE);
    assert_int_equal(out.retryable, 0);
    assert_int_equal(out.row, 4);
    assert_int_equal(out.line, 5);
    assert_int_equal(out.byte_offset, 77);
    assert_string_equal(out.path, "path");
    assert_string_equal(out.column, "column");
    assert_string_equal(out.expected, "int64");
    assert_string_equal(out.suggested_type, "float64");
    assert_string_equal(out.message, "message");
    (void)dn_error_set(&error, DN_ERR_TEMPORARY, "later");
    assert_int_equal(dn_shell_error_export(DN_ERR_TEMPORARY, &error, &out), DATIVO_ERR_TEMPORARY);
    assert_int_equal(out.retryable, 1);
    assert_int_equal(out.row, -1);
    assert_int_equal(dn_shell_error_export(DN_ERR_DATA, &error, NULL), DATIVO_ERR_DATA);
}

/* An older host's struct is shorter: nothing behind its size is touched, whatever the size. */
static void test_error_export_sizes(void **state)
{
    (void)state;
    struct dn_error error;
    fill(&error);
    for (size_t size = 0; size <= sizeof(struct dativo_error); size++) {
        struct dativo_error out;
        memset(&out, 0x5a, sizeof(out));
        out.struct_size = (uint32_t)size;
        (void)dn_shell_error_export(DN_ERR_TYPE, &error, &out);
        const uint8_t *bytes = (const uint8_t *)&out;
        for (size_t i = size > sizeof(out.struct_size) ? size : sizeof(out.struct_size);
             i < sizeof(out); i++) {
            assert_int_equal(bytes[i], 0x5a);
        }
        assert_int_equal(out.code, size >= 8 ? DATIVO_ERR_TYPE : 0x5a5a5a5a);
        assert_int_equal(out.row, size >= 24 ? 4 : 0x5a5a5a5a5a5a5a5a);
    }
}

/* A newer host's struct is longer: what this plugin does not know stays as it is. */
static void test_error_export_longer(void **state)
{
    (void)state;
    struct dn_error error;
    struct {
        struct dativo_error known;
        uint64_t later;
    } out = {.later = 42};
    fill(&error);
    out.known.struct_size = sizeof(out);
    (void)dn_shell_error_export(DN_ERR_TYPE, &error, &out.known);
    assert_string_equal(out.known.message, "message");
    assert_int_equal(out.known.struct_size, sizeof(out));
    assert_int_equal(out.later, 42);
}

static int32_t never(void *ctx)
{
    (void)ctx;
    return 0;
}

static void test_host_read(void **state)
{
    (void)state;
    struct dativo_host mine;
    struct dativo_host host = {.struct_size = sizeof(host),
                               .n_threads = 3,
                               .ctx = &mine,
                               .cancelled = never,
                               .memory_budget_bytes = 5};
    dn_shell_host_read(&mine, NULL);
    assert_null(mine.cancelled);
    assert_int_equal(mine.n_threads, 0);
    dn_shell_host_read(&mine, &host);
    assert_ptr_equal(mine.ctx, &mine);
    assert_true(mine.cancelled == never);
    assert_int_equal(mine.memory_budget_bytes, 5);
    host.struct_size = offsetof(struct dativo_host, cancelled);
    dn_shell_host_read(&mine, &host);
    assert_int_equal(mine.n_threads, 3);
    assert_null(mine.cancelled);
    assert_int_equal(mine.memory_budget_bytes, 0);
}

static void test_abi_version(void **state)
{
    (void)state;
    struct dativo_error err = {.struct_size = sizeof(err)};
    assert_non_null(dativo_plugin_get(DATIVO_ABI_VERSION, &err));
    assert_non_null(
        dativo_plugin_get(DATIVO_ABI_VERSION + 7, &err)); /* a newer minor version of the host */
    assert_int_equal(err.code, DATIVO_OK);
    assert_null(dativo_plugin_get(DATIVO_ABI_VERSION + 0x10000, &err));
    assert_int_equal(err.code, DATIVO_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "version"));
    assert_null(dativo_plugin_get(0, NULL));
    const struct dativo_plugin *plugin = dativo_plugin_get(DATIVO_ABI_VERSION, NULL);
    assert_int_equal(plugin->struct_size, sizeof(*plugin));
    assert_null(plugin->get_extension("dativo.nothing/1"));
    assert_null(plugin->get_extension(NULL));
    plugin->free_text(NULL);
}

static void test_texts(void **state)
{
    (void)state;
    char *text = dn_shell_text_copy("hello");
    assert_string_equal(text, "hello");
    dn_shell_text_free(text);
    dn_shell_text_free(NULL);
    struct dn_buffer b = {0};
    assert_int_equal(dn_shell_text_begin(&b, 0, NULL), DN_OK);
    assert_int_equal(dn_shell_text_len(&b), 0);
    assert_int_equal(dn_buffer_append(&b, "xyz", 3, NULL), DN_OK);
    assert_int_equal(dn_shell_text_len(&b), 3);
    text = dn_shell_text_end(&b);
    assert_null(b.data);
    assert_string_equal(text, "xyz");
    assert_int_equal((uintptr_t)text % 16, 0);
    dn_shell_text_free(text);
    (void)dn_memory_fail_at(1);
    const struct dn_error error = {
        .code = DN_ERR_DATA, .row = -1, .line = -1, .byte_offset = -1, .message = "m"};
    const char *fallback = dn_shell_error_text(&error);
    (void)dn_memory_fail_at(0);
    assert_error_text(fallback);
    assert_non_null(strstr(fallback, "memory ran out"));
    dn_shell_text_free(fallback); /* static: nothing happens */
    assert_error_text(fallback);
}

/* The configuration ends where the mapped memory ends: one byte more and the test dies. */
static void test_nothing_is_read_behind_the_value(void **state)
{
    (void)state;
    static const char text[] =
        "{\"type\":\"csv\",\"files\":[{\"path\":\"no such file\"}],\"engine\":{\"options\":{}}}";
    const size_t len = sizeof(text) - 1;
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *memory =
        mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(memory != MAP_FAILED);
    assert_int_equal(mprotect(memory + page, page, PROT_NONE), 0);
    memcpy(memory + page - len, text, len);
    void *reader = create_reader((const char *)memory + page - len);
    const char *error = extract_batch(reader);
    assert_error_text(error);
    assert_non_null(strstr(error, "\"code\":\"not_found\""));
    free_string(error);
    free_reader(reader);
    assert_int_equal(munmap(memory, 2 * page), 0);
}

static void test_lossless_numbers(void **state)
{
    static const char *const numbers[] = {"0",
                                          "1",
                                          "-1",
                                          "501",
                                          "9223372036854775807",
                                          "-9223372036854775808",
                                          "1.5",
                                          "0.5",
                                          "-0.5",
                                          "2.0",
                                          "0.0001",
                                          "1234567890.1234567",
                                          "-0.0",
                                          "0.001",
                                          "0.1"};
    static const char *const texts[] = {"",
                                        "-",
                                        "+7",
                                        "00501",
                                        "-0",
                                        "1.10",
                                        "1e5",
                                        "1.",
                                        ".5",
                                        "1.50",
                                        "0.00",
                                        "0x1",
                                        "1_0",
                                        "1,0",
                                        " 1",
                                        "1 ",
                                        "nan",
                                        "Infinity",
                                        "--1",
                                        "1.5.5",
                                        "01.5",
                                        "9223372036854775808",
                                        "-9223372036854775809",
                                        "0.00001",
                                        "1.00000000000000000001",
                                        "123456789012345678901234567890.5",
                                        "99999999999999999999999999999999999999"};
    (void)state;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        assert_true(dn_json_is_lossless_number((const uint8_t *)numbers[i], strlen(numbers[i])));
    }
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_false(dn_json_is_lossless_number((const uint8_t *)texts[i], strlen(texts[i])));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_error_export),
        cmocka_unit_test(test_error_export_sizes),
        cmocka_unit_test(test_error_export_longer),
        cmocka_unit_test(test_host_read),
        cmocka_unit_test(test_abi_version),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_nothing_is_read_behind_the_value),
        cmocka_unit_test(test_lossless_numbers),
    };
    return cmocka_run_group_tests(tests, faults_setup, NULL);
}
