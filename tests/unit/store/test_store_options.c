/* What a connection says, kept: nothing of it is the caller's any more, and old callers' structs are shorter. */
#include "base/memory.h"
#include "store/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_copy_outlives_what_it_was_made_of(void **state)
{
    char texts[] = "e\0r\0i\0s\0t\0p\0f\0c\0n\0v\0m\0w";
    const struct dn_store_pair metadata[] = {{texts + 16, texts + 18}, {texts + 20, texts + 22}};
    const struct dn_store_pair tags[] = {{texts + 18, texts + 16}};
    struct dn_store_options given = {
        .struct_size = sizeof(given),
        .anonymous = true,
        .endpoint = texts,
        .region = texts + 2,
        .access_key_id = texts + 4,
        .secret_access_key = texts + 6,
        .session_token = texts + 8,
        .profile = texts + 10,
        .ca_file = texts + 12,
        .content_type = texts + 14,
        .metadata = metadata,
        .n_metadata = 2,
        .tags = tags,
        .n_tags = 1,
        .memory_bytes = 7,
    };
    struct dn_store_options *kept = NULL;

    (void)state;
    assert_int_equal(dn_store_options_copy(&kept, &given, NULL), DN_OK);
    memset(texts, 'x', sizeof(texts) - 1);
    memset(&given, 0xFF, sizeof(given));
    assert_true(kept->anonymous);
    assert_string_equal(kept->endpoint, "e");
    assert_string_equal(kept->region, "r");
    assert_string_equal(kept->access_key_id, "i");
    assert_string_equal(kept->secret_access_key, "s");
    assert_string_equal(kept->session_token, "t");
    assert_string_equal(kept->profile, "p");
    assert_string_equal(kept->ca_file, "f");
    assert_string_equal(kept->content_type, "c");
    assert_string_equal(kept->metadata[0].name, "n");
    assert_string_equal(kept->metadata[0].value, "v");
    assert_string_equal(kept->metadata[1].name, "m");
    assert_string_equal(kept->metadata[1].value, "w");
    assert_int_equal(kept->n_tags, 1);
    assert_string_equal(kept->tags[0].name, "v");
    assert_null(kept->storage_class);
    assert_int_equal(kept->memory_bytes, 7);
    dn_store_options_free(kept);
}

static void nothing_said_is_nothing_kept(void **state)
{
    struct dn_store_options *kept = NULL;
    struct dn_store_options read;

    (void)state;
    assert_int_equal(dn_store_options_copy(&kept, NULL, NULL), DN_OK);
    assert_null(kept);
    dn_store_options_free(kept);
    memset(&read, 0xFF, sizeof(read));
    assert_int_equal(dn_store_options_read(&read, NULL, NULL), DN_OK);
    assert_null(read.endpoint);
    assert_int_equal(read.struct_size, sizeof(read));
}

static void a_size_that_cannot_be_is_refused(void **state)
{
    struct dn_store_options given = {.struct_size = DN_STORE_OPTIONS_V0_2_SIZE - 1};
    struct dn_store_options *kept = NULL;
    struct dn_error err;

    (void)state;
    assert_int_equal(dn_store_options_copy(&kept, &given, &err), DN_ERR_INVALID);
    assert_non_null(strstr(err.message, "struct_size"));
    assert_null(kept);
    given.struct_size = (uint32_t)sizeof(given) + 1000; /* a newer caller: what we know counts */
    assert_int_equal(dn_store_options_copy(&kept, &given, NULL), DN_OK);
    assert_int_equal(kept->struct_size, sizeof(given));
    dn_store_options_free(kept);
    (void)dn_memory_fail_at(1);
    assert_int_equal(dn_store_options_copy(&kept, &given, NULL), DN_ERR_MEMORY);
    assert_null(kept);
    (void)dn_memory_fail_at(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_outlives_what_it_was_made_of),
        cmocka_unit_test(nothing_said_is_nothing_kept),
        cmocka_unit_test(a_size_that_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
