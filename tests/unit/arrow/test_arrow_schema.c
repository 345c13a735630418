#include "arrow/metadata.h"
#include "arrow/schema.h"

#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct dn_field fields[] = {
    {"nothing", DN_TYPE_INIT(NULL), true},
    {"flag", DN_TYPE_INIT(BOOL), true},
    {"small", DN_TYPE_INIT(INT32), false},
    {"id", DN_TYPE_INIT(INT64), false},
    {"ratio", DN_TYPE_INIT(FLOAT32), true},
    {"price", DN_TYPE_INIT(FLOAT64), true},
    {"day", DN_TYPE_INIT(DATE32), true},
    {"at", DN_TIMESTAMP_INIT(US), true},
    {"at_utc", DN_TIMESTAMPTZ_INIT(US), true},
    {"text32", DN_TYPE_INIT(UTF8), true},
    {"text64", DN_TYPE_INIT(LARGE_UTF8), true},
    {"\xc3\xa9t\xc3\xa9", DN_TYPE_INIT(UTF8_VIEW), true},
};
#define N_FIELDS ((int64_t)(sizeof fields / sizeof fields[0]))

static void check_fields(const struct ArrowSchema *schema)
{
    static const char *const formats[] = {"n",   "b",    "i",       "l", "f", "g",
                                          "tdD", "tsu:", "tsu:UTC", "u", "U", "vu"};
    assert_string_equal(schema->format, "+s");
    assert_int_equal(schema->n_children, N_FIELDS);
    assert_non_null(schema->release);
    for (int64_t i = 0; i < N_FIELDS; i++) {
        struct dn_field field = {0};
        assert_string_equal(schema->children[i]->format, formats[i]);
        assert_int_equal(dn_schema_get_field(schema, i, &field, NULL), DN_OK);
        assert_string_equal(field.name, fields[i].name);
        assert_true(dn_type_equal(field.type, fields[i].type));
        assert_int_equal(field.nullable, fields[i].nullable);
    }
}

static void test_make_and_copy(void **state)
{
    struct ArrowSchema schema, copy;
    (void)state;
    assert_int_equal(dn_schema_make(&schema, fields, N_FIELDS, NULL), DN_OK);
    check_fields(&schema);
    schema.flags = ARROW_FLAG_MAP_KEYS_SORTED;
    assert_int_equal(dn_schema_copy(&copy, &schema, NULL), DN_OK);
    schema.release(&schema);
    assert_null(schema.release);
    check_fields(&copy); /* shares nothing with the released one */
    assert_int_equal(copy.flags, ARROW_FLAG_MAP_KEYS_SORTED);
    copy.release(&copy);
    assert_null(copy.release);

    assert_int_equal(dn_schema_make(&schema, NULL, 0, NULL), DN_OK);
    assert_int_equal(schema.n_children, 0);
    schema.release(&schema);
}

static void test_moved_child_outlives_its_parent(void **state)
{
    struct ArrowSchema schema, child;
    (void)state;
    assert_int_equal(dn_schema_make(&schema, fields, N_FIELDS, NULL), DN_OK);
    child = *schema.children[5];
    schema.children[5]->release = NULL;
    schema.release(&schema);
    assert_string_equal(child.name, "price");
    assert_string_equal(child.format, "g");
    child.release(&child);
    assert_null(child.release);
}

static void release_static(struct ArrowSchema *schema)
{
    schema->release = NULL;
}

static struct ArrowSchema static_schema(const char *format, const char *name)
{
    return (struct ArrowSchema){.format = format, .name = name, .release = release_static};
}

static void test_copy_nested_and_dictionary(void **state)
{
    struct ArrowSchema item = static_schema("l", "item");
    struct ArrowSchema *items[] = {&item};
    struct ArrowSchema list = static_schema("+l", "list");
    list.n_children = 1;
    list.children = items;
    struct ArrowSchema values = static_schema("u", NULL);
    struct ArrowSchema coded = static_schema("i", "coded");
    coded.dictionary = &values;
    coded.flags = ARROW_FLAG_DICTIONARY_ORDERED | ARROW_FLAG_NULLABLE;
    struct ArrowSchema *children[] = {&list, &coded};
    struct ArrowSchema schema = static_schema("+s", NULL);
    schema.n_children = 2;
    schema.children = children;
    struct ArrowSchema copy;
    (void)state;

    assert_int_equal(dn_schema_copy(&copy, &schema, NULL), DN_OK);
    assert_string_equal(copy.name, "");
    assert_string_equal(copy.children[0]->children[0]->name, "item");
    assert_string_equal(copy.children[1]->dictionary->format, "u");
    assert_int_equal(copy.children[1]->flags, ARROW_FLAG_DICTIONARY_ORDERED | ARROW_FLAG_NULLABLE);
    struct dn_field field;
    struct dn_error err;
    assert_int_equal(dn_schema_get_field(&copy, 0, &field, &err), DN_ERR_UNSUPPORTED);
    assert_string_equal(err.column, "list");
    assert_non_null(strstr(err.message, "column \"list\" is of type list, "));
    assert_int_equal(dn_schema_get_field(&copy, 1, &field, &err), DN_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "dictionary"));
    copy.release(&copy);

    /* a list that contains itself never ends */
    items[0] = &list;
    assert_int_equal(dn_schema_copy(&copy, &schema, &err), DN_ERR_UNSUPPORTED);
    assert_null(copy.release);
}

static void test_bad_schemas(void **state)
{
    struct ArrowSchema schema, copy;
    struct dn_field field = {"untouched", DN_TYPE_INIT(BOOL), true};
    struct dn_error err;
    (void)state;
    assert_int_equal(dn_schema_make(&schema, NULL, -1, &err), DN_ERR_INVALID);
    assert_null(schema.release);
    const struct dn_field bad = {"bad", DN_TYPE_INIT(COUNT), true};
    assert_int_equal(dn_schema_make(&schema, &bad, 1, &err), DN_ERR_INVALID);
    assert_null(schema.release);
    assert_non_null(strstr(err.message, "bad"));

    assert_int_equal(dn_schema_make(&schema, fields, 2, NULL), DN_OK);
    assert_int_equal(dn_schema_get_field(&schema, 2, &field, &err), DN_ERR_INVALID);
    assert_int_equal(dn_schema_get_field(&schema, -1, &field, &err), DN_ERR_INVALID);
    assert_int_equal(dn_schema_get_field(schema.children[0], 0, &field, &err), DN_ERR_INVALID);
    assert_int_equal(dn_schema_get_field(NULL, 0, &field, &err), DN_ERR_INVALID);
    schema.children[0]->release(schema.children[0]);
    assert_int_equal(dn_schema_get_field(&schema, 0, &field, &err), DN_ERR_INVALID);
    assert_int_equal(dn_schema_copy(&copy, &schema, &err), DN_ERR_INVALID);
    assert_null(copy.release);
    schema.release(&schema);
    assert_int_equal(dn_schema_get_field(&schema, 1, &field, &err), DN_ERR_INVALID);
    assert_int_equal(dn_schema_copy(&copy, &schema, &err), DN_ERR_INVALID);
    assert_string_equal(field.name, "untouched");

    struct ArrowSchema child = static_schema("tsu:Europe/Berlin", NULL);
    struct ArrowSchema *children[] = {&child};
    schema = static_schema("+s", "");
    schema.n_children = 1;
    schema.children = children;
    assert_int_equal(dn_schema_get_field(&schema, 0, &field, &err), DN_OK);
    assert_true(dn_type_equal(field.type, DN_TIMESTAMPTZ(US)));
    assert_string_equal(field.type.zone, "Europe/Berlin");
    assert_string_equal(field.name, "");
    assert_false(field.nullable);
    static const char *const unsupported[] = {
        "", "uu", "ts", "tsx:", "w:", "w:0", "d:10", "d:0,1", "d:40,32"};
    for (size_t i = 0; i < sizeof unsupported / sizeof unsupported[0]; i++) {
        char words[DN_TYPE_WORDS_SIZE];
        child.format = unsupported[i];
        assert_int_equal(dn_schema_get_field(&schema, 0, &field, &err), DN_ERR_UNSUPPORTED);
        assert_non_null(strstr(err.message, unsupported[i]));
        assert_non_null(strstr(dn_type_words(&child, words), "Arrow type "));
        assert_null(strstr(err.message, "decimal128"));
    }
    static const char *const shorts[] = {"d:4,1,32", "d:18,-2,64"};
    for (size_t i = 0; i < sizeof shorts / sizeof shorts[0]; i++) {
        child.format = shorts[i];
        assert_int_equal(dn_schema_get_field(&schema, 0, &field, &err), DN_ERR_UNSUPPORTED);
        assert_non_null(strstr(err.message, "cast the column to decimal128"));
    }
}

static const char two_pairs[] =
    "\2\0\0\0\1\0\0\0k\0\0\0\0\24\0\0\0ARROW:extension:name\12\0\0\0arrow.uuid";

/* Metadata goes along, of the schema, too; what is damaged does not. */
static void test_metadata(void **state)
{
    struct ArrowSchema child = static_schema("w:16", "u");
    struct ArrowSchema *children[] = {&child};
    struct ArrowSchema schema = static_schema("+s", "");
    struct ArrowSchema copy;
    struct dn_field field;
    struct dn_span value;
    struct dn_buffer b = {0};
    (void)state;

    child.metadata = two_pairs;
    schema.metadata = "\1\0\0\0\0\0\0\0\2\0\0\0ab";
    schema.n_children = 1;
    schema.children = children;
    assert_int_equal(dn_schema_copy(&copy, &schema, NULL), DN_OK);
    assert_memory_equal(copy.metadata, schema.metadata, 14);
    assert_memory_equal(copy.children[0]->metadata, two_pairs, sizeof two_pairs - 1);
    assert_int_equal(dn_schema_get_field(&copy, 0, &field, NULL), DN_OK);
    assert_int_equal(field.type.extension, DN_EXTENSION_UUID);
    copy.release(&copy);
    assert_int_equal(dn_metadata_size(two_pairs), sizeof two_pairs - 1);
    assert_true(dn_metadata_get(two_pairs, "k", &value));
    assert_int_equal(value.len, 0);
    assert_false(dn_metadata_get(two_pairs, "arrow.uuid", &value));
    assert_false(dn_metadata_get(NULL, "k", &value));
    child.metadata = "\2\0\0\0\1\0\0\0k\377\377\377\377";
    assert_int_equal(dn_metadata_size(child.metadata), 0);
    assert_int_equal(dn_schema_copy(&copy, &schema, NULL), DN_OK);
    assert_null(copy.children[0]->metadata);
    copy.release(&copy);
    const struct dn_span key = {(const uint8_t *)"k", 1};
    const struct dn_span nothing = {NULL, 0};
    const struct dn_span name = {(const uint8_t *)DN_METADATA_EXTENSION, 20};
    const struct dn_span uuid = {(const uint8_t *)"arrow.uuid", 10};
    assert_int_equal(dn_metadata_add(&b, key, nothing, NULL), DN_OK);
    assert_int_equal(dn_metadata_add(&b, name, uuid, NULL), DN_OK);
    assert_int_equal(b.len, sizeof two_pairs - 1);
    assert_memory_equal(b.data, two_pairs, b.len);
    const struct dn_span huge = {b.data, (size_t)INT32_MAX + 1};
    assert_int_equal(dn_metadata_add(&b, key, huge, NULL), DN_ERR_UNSUPPORTED);
    dn_buffer_finish(&b);
}

/* What makes an extension type. */
static void test_extensions(void **state)
{
    const struct dn_field extended[] = {
        {"u", {.id = DN_TYPE_FIXED_BINARY, .width = 16, .extension = DN_EXTENSION_UUID}, true},
        {"j", {.id = DN_TYPE_LARGE_UTF8, .extension = DN_EXTENSION_JSON}, false}};
    struct ArrowSchema schema;
    struct ArrowSchema copy;
    struct dn_field field;
    (void)state;

    assert_int_equal(dn_schema_make(&schema, extended, 2, NULL), DN_OK);
    assert_string_equal(schema.children[0]->format, "w:16");
    assert_memory_equal(schema.children[0]->metadata,
                        "\1\0\0\0\24\0\0\0ARROW:extension:name\12\0\0\0arrow.uuid", 42);
    assert_int_equal(dn_schema_copy(&copy, &schema, NULL), DN_OK);
    schema.release(&schema);
    for (int64_t i = 0; i < 2; i++) {
        assert_int_equal(dn_schema_get_field(&copy, i, &field, NULL), DN_OK);
        assert_true(dn_type_equal(field.type, extended[i].type));
    }
    copy.release(&copy);
    struct ArrowSchema child = static_schema("w:15", "not one");
    child.metadata = "\1\0\0\0\24\0\0\0ARROW:extension:name\12\0\0\0arrow.uuid";
    struct ArrowSchema *children[] = {&child};
    schema = static_schema("+s", "");
    schema.n_children = 1;
    schema.children = children;
    assert_int_equal(dn_schema_get_field(&schema, 0, &field, NULL), DN_OK);
    assert_int_equal(field.type.extension, DN_EXTENSION_NONE);
}

/* Each allocation fails once: an error, nothing leaked (the sanitizer's business), nothing half made. */
static void test_allocation_failures(void **state)
{
    struct ArrowSchema schema, copy;
    struct dn_error err;
    uint64_t n = 0;
    enum dn_status st = DN_ERR_MEMORY;
    (void)state;
    for (n = 1; st == DN_ERR_MEMORY && n < 100; n++) {
        (void)dn_memory_fail_at(n);
        st = dn_schema_make(&schema, fields, N_FIELDS, &err);
        assert_true(st == DN_OK ? schema.release != NULL : schema.release == NULL);
    }
    assert_int_equal(st, DN_OK);
    assert_int_equal(n - 2, N_FIELDS + 1);
    st = DN_ERR_MEMORY;
    for (n = 1; st == DN_ERR_MEMORY && n < 100; n++) {
        (void)dn_memory_fail_at(n);
        st = dn_schema_copy(&copy, &schema, &err);
        assert_true(st == DN_OK ? copy.release != NULL : copy.release == NULL);
    }
    (void)dn_memory_fail_at(0);
    assert_int_equal(st, DN_OK);
    check_fields(&copy);
    schema.release(&schema);
    copy.release(&copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_make_and_copy),
        cmocka_unit_test(test_moved_child_outlives_its_parent),
        cmocka_unit_test(test_copy_nested_and_dictionary),
        cmocka_unit_test(test_bad_schemas),
        cmocka_unit_test(test_metadata),
        cmocka_unit_test(test_extensions),
        cmocka_unit_test(test_allocation_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
