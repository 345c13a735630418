/* Schemas as messages: what pyarrow cannot be asked about.  That it reads ours, and we read its own, is in tests/interop. */
#include "arrow/flatbuffer.h"
#include "arrow/ipc_schema.h"
#include "arrow/ipc_type.h"
#include "arrow/schema.h"
#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void release_nothing(struct ArrowSchema *s)
{
    s->release = NULL;
}

static struct ArrowSchema node(const char *format, const char *name, struct ArrowSchema **children,
                               int64_t n)
{
    return (struct ArrowSchema){.format = format,
                                .name = name,
                                .children = children,
                                .n_children = n,
                                .release = release_nothing};
}

/* Two columns, one nested, with a dictionary, flags and metadata. */
struct made {
    struct ArrowSchema key, value, entries, map, values, coded, root;
    struct ArrowSchema *pair[2], *entry[1], *columns[2];
};

static void make(struct made *m)
{
    m->key = node("u", "key", NULL, 0);
    m->value = node("tsn:Asia/Tokyo", "value", NULL, 0);
    m->value.flags = ARROW_FLAG_NULLABLE;
    m->pair[0] = &m->key;
    m->pair[1] = &m->value;
    m->entries = node("+s", "entries", m->pair, 2);
    m->entry[0] = &m->entries;
    m->map = node("+m", "map", m->entry, 1);
    m->map.flags = ARROW_FLAG_MAP_KEYS_SORTED | ARROW_FLAG_NULLABLE;
    m->map.metadata = "\1\0\0\0\1\0\0\0k\2\0\0\0vv";
    m->values = node("d:12,2", NULL, NULL, 0);
    m->values.metadata = "\1\0\0\0\5\0\0\0stays\3\0\0\0out";
    m->coded = node("S", "coded", NULL, 0);
    m->coded.dictionary = &m->values;
    m->coded.flags = ARROW_FLAG_DICTIONARY_ORDERED;
    m->columns[0] = &m->map;
    m->columns[1] = &m->coded;
    m->root = node("+s", NULL, m->columns, 2);
    m->root.metadata = "\2\0\0\0\1\0\0\0a\1\0\0\0b\0\0\0\0\0\0\0\0";
}

static void test_there_and_back(void **state)
{
    struct made m;
    struct dn_buffer out = {0};
    struct dn_buffer again = {0};
    struct ArrowSchema s;
    (void)state;

    make(&m);
    assert_int_equal(dn_buffer_append_byte(&out, 'x', NULL), DN_OK); /* it begins anywhere */
    assert_int_equal(dn_ipc_schema_write(&m.root, &out, NULL), DN_OK);
    assert_int_equal(out.len % 8, 1);
    assert_int_equal(dn_ipc_schema_write(&m.root, &again, NULL), DN_OK);
    assert_int_equal(out.len, again.len + 1);
    assert_memory_equal(out.data + 1, again.data, again.len);
    assert_int_equal(dn_ipc_schema_read(dn_buffer_span(&again), &s, NULL), DN_OK);
    assert_string_equal(s.format, "+s");
    assert_memory_equal(s.metadata, m.root.metadata, 22);
    assert_int_equal(s.n_children, 2);
    const struct ArrowSchema *map = s.children[0];
    assert_string_equal(map->format, "+m");
    assert_string_equal(map->name, "map");
    assert_int_equal(map->flags, m.map.flags);
    assert_memory_equal(map->metadata, m.map.metadata, 15);
    assert_string_equal(map->children[0]->children[1]->format, "tsn:Asia/Tokyo");
    assert_int_equal(map->children[0]->children[1]->flags, ARROW_FLAG_NULLABLE);
    assert_int_equal(map->children[0]->children[0]->flags, 0);
    const struct ArrowSchema *coded = s.children[1];
    assert_string_equal(coded->format, "S");
    assert_int_equal(coded->flags, ARROW_FLAG_DICTIONARY_ORDERED);
    assert_string_equal(coded->dictionary->format, "d:12,2");
    assert_null(coded->dictionary->metadata);
    assert_null(coded->metadata);
    s.release(&s);
    dn_buffer_finish(&out);
    dn_buffer_finish(&again);
}

static void check_refused(struct ArrowSchema *column, enum dn_status wanted, const char *says)
{
    struct ArrowSchema *columns[] = {column};
    struct ArrowSchema root = node("+s", "", columns, 1);
    struct dn_buffer out = {0};
    struct dn_error err;

    assert_int_equal(dn_buffer_append_byte(&out, 'x', NULL), DN_OK);
    assert_int_equal(dn_ipc_schema_write(&root, &out, &err), wanted);
    assert_non_null(strstr(err.message, says));
    assert_int_equal(out.len, 1);
    dn_buffer_finish(&out);
}

static void test_refused(void **state)
{
    static const char *const formats[] = {
        "",         "x",           "+ud:0", "+us:0",   "d:1",      "d:0,1", "d:39,0",
        "d:5,2,48", "d:5,2,x",     "w:-1",  "w:1,2",   "w:",       "+w:-1", "ts",
        "tsx:",     "d:5,2,128,1", "+w",    "d:5,200", "d:10,2,32"};
    struct ArrowSchema values = node("u", "", NULL, 0);
    struct ArrowSchema *child[] = {&values};
    struct ArrowSchema column = {0};
    (void)state;

    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        column = node(formats[i], "c", NULL, 0);
        check_refused(&column, DN_ERR_UNSUPPORTED, "column \"c\" is of Arrow type");
    }
    column = node("+l", "c", NULL, 0);
    check_refused(&column, DN_ERR_UNSUPPORTED, "with so many children");
    column = node("i", "c", child, 1);
    check_refused(&column, DN_ERR_UNSUPPORTED, "with so many children");
    column = node("u", "c", NULL, 0);
    column.dictionary = &values;
    check_refused(&column, DN_ERR_UNSUPPORTED, "no index");
    column.format = "i";
    struct ArrowSchema inner = node("i", "", NULL, 0);
    inner.dictionary = &values;
    column.dictionary = &inner;
    check_refused(&column, DN_ERR_UNSUPPORTED, "dictionary of dictionaries");
    column = node(NULL, "c", NULL, 0);
    check_refused(&column, DN_ERR_INVALID, "no format");
    struct ArrowSchema nested[80];
    struct ArrowSchema *links[80];
    nested[79] = node("i", "deepest", NULL, 0);
    for (int i = 78; i >= 0; i--) {
        links[i] = &nested[i + 1];
        nested[i] = node("+l", "c", &links[i], 1);
    }
    check_refused(&nested[0], DN_ERR_UNSUPPORTED, "too deeply");
    struct dn_buffer out = {0};
    assert_int_equal(dn_ipc_schema_write(&values, &out, NULL), DN_ERR_UNSUPPORTED);
}

/* Every cut of a message, and every byte of it changed in some ways: refused, or a whole schema. */
static void test_damage(void **state)
{
    static const uint8_t changes[] = {0x01, 0x80, 0xff, 0x10, 0x04};
    struct made m;
    struct dn_buffer good = {0};
    struct dn_buffer bad = {0};
    struct ArrowSchema s;
    struct dn_error err;
    (void)state;

    make(&m);
    assert_int_equal(dn_ipc_schema_write(&m.root, &good, NULL), DN_OK);
    for (size_t len = 0; len < good.len; len++) {
        uint8_t *copy = dn_malloc(len + 1); /* nothing readable behind it */
        memcpy(copy, good.data, len);
        assert_int_equal(dn_ipc_schema_read((struct dn_span){copy, len}, &s, &err), DN_ERR_DATA);
        assert_null(s.release);
        dn_free(copy);
    }
    for (size_t at = 0; at < good.len; at++) {
        for (size_t c = 0; c < sizeof changes; c++) {
            dn_buffer_reset(&bad);
            assert_int_equal(dn_buffer_append(&bad, good.data, good.len, NULL), DN_OK);
            bad.data[at] ^= changes[c];
            if (dn_ipc_schema_read(dn_buffer_span(&bad), &s, &err) == DN_OK) {
                s.release(&s);
            } else {
                assert_null(s.release);
            }
        }
    }
    dn_buffer_finish(&good);
    dn_buffer_finish(&bad);
}

/* Sixty structs of two children, and both lead to the same struct: 2^60 of them, from two thousand bytes. */
static void test_few_bytes_that_say_much(void **state)
{
    static const struct dn_flat_field link = {4, 0};
    const struct dn_flat_field message[] = {{2, 4}, {1, 1}, link};
    const struct dn_flat_field schema[] = {{0, 0}, link};
    const struct dn_flat_field field[] = {link, {1, 1}, {1, DN_IPC_STRUCT}, link, {0, 0}, link};
    dn_flat_place places[DN_FLAT_MOST_FIELDS];
    struct dn_flat_writer w;
    struct dn_buffer flat = {0};
    struct dn_buffer in = {0};
    struct ArrowSchema s;
    struct dn_error err;
    (void)state;

    dn_flat_place from = dn_flat_begin(&w, &flat, &err);
    dn_flat_put_table(&w, from, message, 3, places);
    dn_flat_put_table(&w, places[2], schema, 2, places);
    from = dn_flat_put_vector(&w, places[1], 1);
    for (int i = 0; i < 60; i++) {
        dn_flat_place none[DN_FLAT_MOST_FIELDS];
        dn_flat_put_table(&w, from, field, 6, places);
        if (i > 0) { /* the second of two leads where the first does */
            const uint32_t offset = flat.data[from] - 4u;
            memcpy(flat.data + from + 4, &offset, sizeof offset);
        }
        dn_flat_put_text(&w, places[0], "s", 1);
        dn_flat_put_table(&w, places[3], NULL, 0, none);
        from = dn_flat_put_vector(&w, places[5], 2);
    }
    assert_int_equal(dn_flat_end(&w), DN_OK);
    const uint32_t len = (uint32_t)flat.len;
    assert_int_equal(dn_buffer_append(&in, &len, sizeof len, NULL), DN_OK);
    assert_int_equal(dn_buffer_append(&in, flat.data, flat.len, NULL), DN_OK);
    assert_int_equal(dn_ipc_schema_read(dn_buffer_span(&in), &s, &err), DN_ERR_DATA);
    assert_null(s.release);
    dn_buffer_finish(&flat);
    dn_buffer_finish(&in);
}

/* More shapes than are kept: those of before are written, and the buffer still reads. */
static void test_many_shapes(void **state)
{
    struct dn_flat_writer w;
    struct dn_buffer out = {0};
    dn_flat_place places[DN_FLAT_MOST_FIELDS];
    (void)state;

    const dn_flat_place root = dn_flat_begin(&w, &out, NULL);
    const struct dn_flat_field one[] = {{4, 0}};
    dn_flat_put_table(&w, root, one, 1, places);
    const dn_flat_place first = dn_flat_put_vector(&w, places[0], 256);
    for (unsigned i = 0; i < 256; i++) {
        struct dn_flat_field fields[DN_FLAT_MOST_FIELDS];
        for (unsigned k = 0; k < DN_FLAT_MOST_FIELDS; k++) {
            fields[k] = (struct dn_flat_field){(uint8_t)((i >> k & 1) != 0 ? 1u << k % 4 : 0),
                                               (int64_t)(i + k)};
        }
        dn_flat_put_table(&w, first + 4 * i, fields, DN_FLAT_MOST_FIELDS, places);
    }
    assert_int_equal(dn_flat_end(&w), DN_OK);
    struct dn_flat_reader r = {.in = dn_buffer_span(&out)};
    const struct dn_flat_table t = dn_flat_root(&r);
    const struct dn_flat_vector v = dn_flat_get_vector(&r, &t, 0);
    assert_int_equal(v.n, 256);
    for (unsigned i = 0; i < 256; i++) {
        const struct dn_flat_table e = dn_flat_get_element(&r, &v, i);
        for (unsigned k = 0; k < DN_FLAT_MOST_FIELDS; k++) {
            const bool is = (i >> k & 1) != 0;
            const unsigned size = 1u << k % 4;
            const uint64_t value = i + k;
            assert_int_equal(dn_flat_get_int(&r, &e, k, size, -7),
                             is ? (int64_t)(size == 1 ? value & 255 : value) : -7);
        }
    }
    assert_false(r.damaged);
    dn_buffer_finish(&out);
}

/* Each allocation fails once: an error, nothing leaked (the sanitizer's business), nothing half made. */
static void test_allocation_failures(void **state)
{
    struct made m;
    struct dn_buffer out = {0};
    struct ArrowSchema s;
    struct dn_error err;
    enum dn_status st = DN_ERR_MEMORY;
    (void)state;

    make(&m);
    for (uint64_t n = 1; st == DN_ERR_MEMORY && n < 100; n++) {
        dn_buffer_finish(&out);
        (void)dn_memory_fail_at(n);
        st = dn_ipc_schema_write(&m.root, &out, &err);
    }
    (void)dn_memory_fail_at(0);
    assert_int_equal(st, DN_OK);
    st = DN_ERR_MEMORY;
    for (uint64_t n = 1; st == DN_ERR_MEMORY && n < 100; n++) {
        (void)dn_memory_fail_at(n);
        st = dn_ipc_schema_read(dn_buffer_span(&out), &s, &err);
        assert_true(st == DN_OK ? s.release != NULL : s.release == NULL);
    }
    (void)dn_memory_fail_at(0);
    assert_int_equal(st, DN_OK);
    s.release(&s);
    dn_buffer_finish(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_damage),         cmocka_unit_test(test_few_bytes_that_say_much),
        cmocka_unit_test(test_many_shapes),    cmocka_unit_test(test_allocation_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
