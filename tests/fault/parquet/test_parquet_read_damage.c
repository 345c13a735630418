/* Damaged Parquet files: whatever the bytes, dn_parquet_inspect() returns, holds no memory, and says what is wrong. */
#include "base/clock.h"
#include "base/memory.h"
#include "base/os_process.h"
#include "dativo/parquet.h"
#include "parquet/format.h"
#include "scratch.h"

struct sample {
    uint8_t data[4096];
    size_t len;
    char path[600]; /* of the damaged copy */
    char dir[512];
};

static void sample_load(struct sample *s, const char *name)
{
    char path[512];

    scratch_make(s->dir);
    (void)snprintf(s->path, sizeof(s->path), "%s/damaged.parquet", s->dir);
    (void)snprintf(path, sizeof(path), "%s/parquet/%s.parquet", DN_TEST_DATA, name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    s->len = fread(s->data, 1, sizeof(s->data), f);
    assert_int_equal(fclose(f), 0);
    assert_true(s->len > 100 && s->len < sizeof(s->data));
}

static void sample_remove(const struct sample *s)
{
    assert_int_equal(unlink(s->path), 0);
    assert_int_equal(rmdir(s->dir), 0);
}

static void write_file(const char *path, const void *data, size_t len)
{
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

/* Inspect and check what every return must look like. */
static enum dn_status inspect(const char *path, struct dn_error *err)
{
    char *json = NULL;
    const enum dn_status st = dn_parquet_inspect(path, 50, &json, err);

    if (st == DN_OK) {
        assert_non_null(json);
        assert_int_equal(json[0], '{');
        assert_int_equal(json[strlen(json) - 1], '}');
    } else {
        assert_null(json);
        if (st != DN_ERR_DATA && st != DN_ERR_UNSUPPORTED && st != DN_ERR_MEMORY) {
            fail_msg("status %d: %s", (int)st, err->message);
        }
        assert_int_equal(err->code, st);
        assert_int_equal(strncmp(err->message, path, strlen(path)), 0);
    }
    dn_parquet_free(json);
    return st;
}

static void put_byte(const struct sample *s, size_t at, uint8_t value)
{
    int fd = open(s->path, O_WRONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, &value, 1, (off_t)at), 1);
    assert_int_equal(close(fd), 0);
}

/* Every byte, changed in several ways.  Returns how many changes went unnoticed. */
static size_t flip_bytes(const char *name)
{
    static const uint8_t masks[] = {0x01, 0xff};
    struct sample s;
    size_t n_unnoticed = 0;

    sample_load(&s, name);
    write_file(s.path, s.data, s.len);
    for (size_t i = 0; i < s.len; i++) {
        for (size_t m = 0; m < sizeof(masks); m++) {
            struct dn_error err = {0};
            put_byte(&s, i, s.data[i] ^ masks[m]);
            n_unnoticed += inspect(s.path, &err) == DN_OK;
        }
        put_byte(&s, i, s.data[i]);
    }
    struct dn_error err = {0};
    assert_int_equal(inspect(s.path, &err),
                     DN_OK); /* all damage was undone, so the test did test that */
    sample_remove(&s);
    return n_unnoticed;
}

static void test_every_byte_changed(void **state)
{
    static const char *const names[] = {"duckdb",         "duckdb_bloom",  "polars",
                                        "pyarrow_codecs", "pyarrow_plain", "pyarrow_bytes",
                                        "pyarrow_numbers"};
    (void)state;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        (void)flip_bytes(names[i]); /* a value may change unnoticed where there is no checksum */
    }
}

/* Pages with checksums: no change between the first magic and the footer is missed. */
static void test_checksums_catch_every_page_byte(void **state)
{
    (void)state;
    struct sample s;
    size_t n_caught = 0;

    sample_load(&s, "pyarrow_dictionary");
    write_file(s.path, s.data, s.len);
    const uint8_t *t = s.data + s.len - 8;
    const size_t footer = s.len - 8 - ((size_t)t[0] | (size_t)t[1] << 8);
    for (size_t i = 4; i < footer; i++) {
        struct dn_error err = {0};
        put_byte(&s, i, s.data[i] ^ 0x10);
        if (inspect(s.path, &err) == DN_ERR_DATA) {
            assert_non_null(strstr(err.message, "column \""));
            assert_true(err.byte_offset >= 4 && err.byte_offset <= (int64_t)footer);
            n_caught += strstr(err.message, "its checksum is") != NULL;
        }
        put_byte(&s, i, s.data[i]);
    }
    /* 9 columns, 17 pages: their bodies are a good part of these bytes */
    assert_true(n_caught > 250);
    sample_remove(&s);
}

static void test_every_length(void **state)
{
    static const char *const names[] = {"duckdb", "polars", "pyarrow_codecs", "pyarrow_dictionary",
                                        "pyarrow_no_rows"};
    (void)state;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct sample s;
        sample_load(&s, names[i]);
        write_file(s.path, s.data, s.len);
        for (size_t len = s.len; len-- > 0;) {
            struct dn_error err = {0};
            assert_int_equal(truncate(s.path, (off_t)len), 0);
            assert_int_equal(inspect(s.path, &err), DN_ERR_DATA);
        }
        sample_remove(&s);
    }
}

/* Several bytes at once, mostly in the footer. */
static void test_random_damage(void **state)
{
    static const char *const names[] = {"duckdb", "pyarrow_bytes", "pyarrow_codecs",
                                        "pyarrow_nested"};
    (void)state;
    uint64_t seed = 20240229;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct sample s;
        sample_load(&s, names[i]);
        for (int round = 0; round < 2000; round++) {
            struct dn_error err = {0};
            uint8_t copy[sizeof(s.data)];
            memcpy(copy, s.data, s.len);
            for (uint64_t n = 1 + scratch_random(&seed) % 6; n > 0; n--) {
                copy[4 + scratch_random(&seed) % (s.len - 8)] = (uint8_t)scratch_random(&seed);
            }
            memcpy(copy + s.len - 8, s.data + s.len - 8, 8); /* keep it found */
            write_file(s.path, copy, s.len);
            (void)inspect(s.path, &err);
        }
        sample_remove(&s);
    }
    if (!SCRATCH_SANITIZED) {
        assert_true(dn_os_peak_rss_bytes() < (uint64_t)256
                                                 << 20); /* no lie about a length is believed */
    }
}

static void test_failing_allocations(void **state)
{
    (void)state;

    for (uint64_t n = 1;; n++) {
        struct dn_error err = {0};
        char *json = NULL;
        (void)dn_memory_fail_at(n);
        const enum dn_status st =
            dn_parquet_inspect(DN_TEST_DATA "/parquet/pyarrow_codecs.parquet", 20, &json, &err);
        (void)dn_memory_fail_at(0);
        if (st == DN_OK) {
            assert_true(n > 20);
            dn_parquet_free(json);
            break;
        }
        assert_int_equal(st, DN_ERR_MEMORY);
        assert_null(json);
    }
}

/* ---- particular damage, and what is said about it -------------------------------------------------------------- */

static void assert_message(const void *data, size_t len, enum dn_status code, const char *part)
{
    char dir[512];
    char path[600];
    struct dn_error err = {0};

    scratch_make(dir);
    (void)snprintf(path, sizeof(path), "%s/f.parquet", dir);
    write_file(path, data, len);
    const enum dn_status st = inspect(path, &err);
    if (st != code) {
        fail_msg("status %d, expected %d: %s", (int)st, (int)code, err.message);
    }
    assert_string_equal(err.path, code == DN_OK ? "" : path);
    if (strstr(err.message, part) == NULL) {
        fail_msg("\"%s\" is not in: %s", part, err.message);
    }
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir), 0);
}
#define ASSERT_TEXT(text, code, part) assert_message(text, sizeof(text) - 1, code, part)

static void test_not_parquet(void **state)
{
    (void)state;

    ASSERT_TEXT("", DN_ERR_DATA, "is empty");
    ASSERT_TEXT("id,name\n1,Ann\n2,Bob\n", DN_ERR_DATA,
                "this is not a Parquet file: it begins with 'id,name\\x0a1,Ann");
    ASSERT_TEXT("PAR", DN_ERR_DATA, "this is not a Parquet file");
    ASSERT_TEXT("PAR1", DN_ERR_DATA, "cut off: 4 bytes");
    ASSERT_TEXT("PAR1 and then something else", DN_ERR_DATA, "ends with 'else'");
    ASSERT_TEXT("PARE\0\0\0\0\0\0\0\0PARE", DN_ERR_UNSUPPORTED, "encrypted");
    ASSERT_TEXT("PAR1\0\0\0\0\1\0\0\0PARE", DN_ERR_UNSUPPORTED, "encrypted");
    ASSERT_TEXT("PAR1\0\0\0\0\0\0\0\0PAR1", DN_ERR_DATA,
                "footer is said to have 0 bytes, and the file has 16");
    ASSERT_TEXT("PAR1\0\0\0\0\5\0\0\0PAR1", DN_ERR_DATA, "footer is said to have 5 bytes");
    ASSERT_TEXT("PAR1\0\0\0\0\xff\xff\xff\xffPAR1", DN_ERR_DATA,
                "footer is said to have 4294967295 bytes");
    ASSERT_TEXT("PAR1\0\1\0\0\0PAR1", DN_ERR_DATA, "it has no schema");
}

/* "PAR1", pages, the footer, its length, "PAR1". */
static void assert_file(const void *pages, size_t pages_len, const char *footer, size_t len,
                        enum dn_status code, const char *part)
{
    uint8_t file[512] = "PAR1";
    size_t at = 4;

    memcpy(file + at, pages, pages_len);
    at += pages_len;
    memcpy(file + at, footer, len);
    at += len;
    file[at++] = (uint8_t)len;
    file[at++] = (uint8_t)(len >> 8);
    file[at++] = 0;
    file[at++] = 0;
    memcpy(file + at, "PAR1", 4);
    assert_message(file, at + 4, code, part);
}

static void assert_footer(const char *footer, size_t len, enum dn_status code, const char *part)
{
    assert_file("................", 16, footer, len, code, part);
}
#define ASSERT_FOOTER(footer, code, part) assert_footer(footer, sizeof(footer) - 1, code, part)

/* version; a schema of a root and one optional INT64 column "a" */
#define VERSION "\x15\x02"
#define ROOT(children) "\x48\x01r\x15" children "\x00"
#define LEAF_A                                                                                     \
    "\x15\x04\x25\x02\x18\x01"                                                                     \
    "a\x00"
#define SCHEMA "\x19\x2c" ROOT("\x02") LEAF_A
#define ROWS(n) "\x16" n
/* a row group of one column chunk: type INT64, PLAIN, path "a", codec none, values, sizes, page offset */
#define CHUNK(type, values, packed, offset)                                                        \
    "\x26\x00\x1c\x15" type "\x19\x15\x00\x19\x18\x01"                                             \
    "a\x15\x00\x16" values "\x16" packed "\x16" packed "\x26" offset "\x00\x00"
#define GROUPS(chunk, rows) "\x19\x1c\x19\x1c" chunk "\x16\x00\x16" rows "\x00\x00"

static void test_footer_lies(void **state)
{
    (void)state;

    /* what is right is described, so that the lies below are each the only one (rows are asked for: the page is junk) */
    ASSERT_FOOTER(VERSION SCHEMA ROWS("\x06") GROUPS(CHUNK("\x04", "\x06", "\x20", "\x08"), "\x06"),
                  DN_ERR_DATA,
                  "column \"a\", row group 0, page at byte 4: the page header is damaged");
    ASSERT_FOOTER(VERSION SCHEMA ROWS("\x04") GROUPS(CHUNK("\x04", "\x06", "\x20", "\x08"), "\x06"),
                  DN_ERR_DATA, "it says 2 rows, and its row groups have 3");
    ASSERT_FOOTER(VERSION SCHEMA ROWS("\x06") GROUPS(CHUNK("\x04", "\x08", "\x20", "\x08"), "\x06"),
                  DN_ERR_DATA, "4 values in a row group of 3 rows");
    ASSERT_FOOTER(VERSION SCHEMA ROWS("\x06") GROUPS(CHUNK("\x02", "\x06", "\x20", "\x08"), "\x06"),
                  DN_ERR_DATA,
                  "row group 0: column \"a\": the footer is damaged: physical type 1 is not 2 as "
                  "in the schema");
    ASSERT_FOOTER(VERSION SCHEMA ROWS("\x06") GROUPS(CHUNK("\x04", "\x06", "\x22", "\x08"), "\x06"),
                  DN_ERR_DATA, "at byte 4, 17 bytes long, but pages lie between bytes 4 and 20");
    ASSERT_FOOTER(VERSION SCHEMA ROWS("\x06") GROUPS(CHUNK("\x04", "\x06", "\x20", "\x06"), "\x06"),
                  DN_ERR_DATA, "at byte 3, 16 bytes long");
    ASSERT_FOOTER(VERSION SCHEMA ROWS("\x06") GROUPS(CHUNK("\x04", "\x06", "\x02", "\x28"), "\x06"),
                  DN_ERR_DATA, "at byte 20, 1 bytes long");
    ASSERT_FOOTER(
        VERSION SCHEMA ROWS("\x06") GROUPS(
            CHUNK("\x04", "\x06", "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", "\x08"), "\x06"),
        DN_ERR_DATA, "9223372036854775807 bytes long");
    ASSERT_FOOTER(VERSION SCHEMA ROWS("\x06") GROUPS(CHUNK("\x04", "\x06", "\x01", "\x08"), "\x06"),
                  DN_ERR_DATA, "missing or negative");
    ASSERT_FOOTER(VERSION SCHEMA ROWS("\x05") GROUPS(CHUNK("\x04", "\x06", "\x20", "\x08"), "\x05"),
                  DN_ERR_DATA, "row group 0: the footer is damaged: 1 columns of -3 rows");
}

static void test_schema_lies(void **state)
{
    (void)state;

    ASSERT_FOOTER(VERSION "\x19\x2c" ROOT("\x04") LEAF_A ROWS("\x00") "\x19\x0c\x00", DN_ERR_DATA,
                  "its 2 schema elements do not form a tree");
    ASSERT_FOOTER(VERSION "\x19\x2c" ROOT("\x00") LEAF_A ROWS("\x00") "\x19\x0c\x00", DN_ERR_DATA,
                  "do not form a tree");
    ASSERT_FOOTER(VERSION "\x19\xfc\xff\xff\xff\xff\x07" ROOT("\x02") LEAF_A, DN_ERR_DATA,
                  "a list of 2147483647 entries cannot fit");
    ASSERT_FOOTER(VERSION "\x19\x1c\x15\x04\x00", DN_ERR_DATA, "has no name");
    ASSERT_FOOTER(VERSION "\x19\x2c" ROOT("\x02") "\x15\x12\x25\x02\x18\x01"
                                                  "a\x00" ROWS("\x00") "\x19\x0c\x00",
                  DN_ERR_DATA, "column \"a\" has physical type 9");
    ASSERT_FOOTER(VERSION "\x19\x2c" ROOT("\x02") "\x15\x0e\x25\x02\x18\x01"
                                                  "a\x00" ROWS("\x00") "\x19\x0c\x00",
                  DN_ERR_DATA, "column \"a\" has values of 0 bytes");
    ASSERT_FOOTER(VERSION "\x19\x2c" ROOT("\x02") "\x15\x04\x25\x06\x18\x01"
                                                  "a\x00" ROWS("\x00") "\x19\x0c\x00",
                  DN_ERR_DATA, "has repetition 3");
    ASSERT_FOOTER("\x25\x00", DN_ERR_DATA, "field 2 is of type i32, not list");
}

/* The same with a dictionary page; it comes first. */
#define CHUNK_WITH_DICTIONARY(values, packed, offset, dictionary)                                  \
    "\x26\x00\x1c\x15\x04\x19\x15\x00\x19\x18\x01"                                                 \
    "a\x15\x00\x16" values "\x16" packed "\x16" packed "\x26" offset "\x26" dictionary "\x00\x00"

struct pages {
    uint8_t bytes[200];
    size_t len;
};

/* A page header and a body; all numbers are below 64, so that each takes one byte. */
static void add_page(struct pages *p, enum dn_pq_page_type type, uint8_t n_values, uint8_t encoding,
                     uint8_t def_encoding, const char *body, uint8_t body_len, uint8_t said_len)
{
    const bool dictionary = type == DN_PQ_DICTIONARY_PAGE;
    const uint8_t head[] = {0x15,
                            (uint8_t)(2 * type),
                            0x15,
                            (uint8_t)(2 * said_len),
                            0x15,
                            (uint8_t)(2 * said_len),
                            dictionary ? 0x4c : 0x2c,
                            0x15,
                            (uint8_t)(2 * n_values),
                            0x15,
                            (uint8_t)(2 * encoding),
                            0x15,
                            (uint8_t)(2 * def_encoding),
                            0,
                            0};

    memcpy(p->bytes + p->len, head, sizeof(head));
    memcpy(p->bytes + p->len + sizeof(head), body, body_len);
    p->len += sizeof(head) + body_len;
}

#define PAGE_FOOTER(values, packed)                                                                \
    VERSION SCHEMA ROWS(values) GROUPS(CHUNK("\x04", values, packed, "\x08"), values)
#define ASSERT_PAGES(pages, footer, code, part)                                                    \
    assert_file((pages)->bytes, (pages)->len, footer, sizeof(footer) - 1, code, part)

/* levels 1 1 1 and the values 1, 2, 3 */
#define THREE_LEVELS "\x02\x00\x00\x00\x06\x01"
#define THREE_VALUES "\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0"
#define THREE_LEN 30

static void test_page_lies(void **state)
{
    (void)state;
    struct pages p = {.len = 0};

    /* as a control, pages that are right, and three rows in two of them: 2 * (15 + 30) bytes, 6 rows */
    add_page(&p, DN_PQ_DATA_PAGE, 3, DN_PQ_PLAIN, DN_PQ_RLE, THREE_LEVELS THREE_VALUES, THREE_LEN,
             THREE_LEN);
    add_page(&p, DN_PQ_DATA_PAGE, 3, DN_PQ_PLAIN, DN_PQ_RLE, THREE_LEVELS THREE_VALUES, THREE_LEN,
             THREE_LEN);
    ASSERT_PAGES(&p, PAGE_FOOTER("\x0c", "\xb4\x01"), DN_OK, "");
    ASSERT_PAGES(&p, PAGE_FOOTER("\x0e", "\xb4\x01"), DN_ERR_DATA,
                 "the pages end 1 rows too early");
    /* the second page leaves the chunk, though not the file */
    ASSERT_PAGES(&p, PAGE_FOOTER("\x0c", "\xb2\x01"), DN_ERR_DATA,
                 "page at byte 49: the header is damaged: the page is said to take 30 bytes and 29 "
                 "are left");
    ASSERT_PAGES(&p, PAGE_FOOTER("\x0c", "\x5c"), DN_ERR_DATA,
                 "page at byte 49: the page header is damaged at byte 50");

    p.len = 0;
    add_page(&p, DN_PQ_DATA_PAGE, 3, DN_PQ_PLAIN, DN_PQ_DELTA_BINARY_PACKED,
             THREE_LEVELS THREE_VALUES, THREE_LEN, THREE_LEN);
    ASSERT_PAGES(&p, PAGE_FOOTER("\x06", "\x5a"), DN_ERR_UNSUPPORTED, "levels");
    p.len = 0;
    add_page(&p, DN_PQ_DATA_PAGE, 4, DN_PQ_PLAIN, DN_PQ_RLE, "\x02\0\0\0\x08\x01" THREE_VALUES,
             THREE_LEN, THREE_LEN);
    ASSERT_PAGES(&p, PAGE_FOOTER("\x08", "\x5a"), DN_ERR_DATA, "4 values do not fit into 24 bytes");
    p.len = 0;
    add_page(&p, DN_PQ_DATA_PAGE, 3, DN_PQ_RLE_DICTIONARY, DN_PQ_RLE, THREE_LEVELS "\x00\x06", 8,
             8);
    ASSERT_PAGES(&p, PAGE_FOOTER("\x06", "\x2e"), DN_ERR_DATA,
                 "dictionary ids without a dictionary");
}

static void test_dictionary_lies(void **state)
{
    (void)state;
    struct pages p = {.len = 0};

    add_page(&p, DN_PQ_DICTIONARY_PAGE, 3, DN_PQ_PLAIN, 0, THREE_VALUES, 24, 24);
    add_page(&p, DN_PQ_DATA_PAGE, 3, DN_PQ_RLE_DICTIONARY, DN_PQ_RLE, THREE_LEVELS "\x02\x06\x02",
             9, 9);
    const size_t right = p.len; /* 39 + 24 = 63 bytes: the data page is at byte 43 */
#define TWO_PAGES                                                                                  \
    VERSION SCHEMA ROWS("\x06")                                                                    \
        GROUPS(CHUNK_WITH_DICTIONARY("\x06", "\x7e", "\x56", "\x08"), "\x06")
    ASSERT_PAGES(&p, TWO_PAGES, DN_OK, "");
    p.bytes[8] = 50; /* more entries than bytes for them */
    ASSERT_PAGES(&p, TWO_PAGES, DN_ERR_DATA,
                 "the dictionary is damaged: 25 values do not fit into 24 bytes");
    p.bytes[8] = 6;
    p.bytes[10] = 2 * DN_PQ_RLE;
    ASSERT_PAGES(&p, TWO_PAGES, DN_ERR_UNSUPPORTED,
                 "a dictionary of encoding RLE (3) cannot be read");
    p.bytes[10] = 0;
    p.bytes[right - 1] = 3;
    ASSERT_PAGES(&p, TWO_PAGES, DN_ERR_DATA, "3 in a dictionary of 3 values");
    ASSERT_PAGES(&p,
                 VERSION SCHEMA ROWS("\x06")
                     GROUPS(CHUNK_WITH_DICTIONARY("\x06", "\x7e", "\xfe\xff\x01", "\x08"), "\x06"),
                 DN_ERR_DATA, "pages lie between bytes 4 and 67");
    /* twice: 39 + 39 bytes */
    p.len = 0;
    add_page(&p, DN_PQ_DICTIONARY_PAGE, 3, DN_PQ_PLAIN, 0, THREE_VALUES, 24, 24);
    add_page(&p, DN_PQ_DICTIONARY_PAGE, 3, DN_PQ_PLAIN, 0, THREE_VALUES, 24, 24);
    ASSERT_PAGES(&p, PAGE_FOOTER("\x06", "\x9c\x01"), DN_ERR_DATA,
                 "page at byte 43: the file is damaged: a second dictionary");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_byte_changed),
        cmocka_unit_test(test_checksums_catch_every_page_byte),
        cmocka_unit_test(test_every_length),
        cmocka_unit_test(test_random_damage),
        cmocka_unit_test(test_failing_allocations),
        cmocka_unit_test(test_not_parquet),
        cmocka_unit_test(test_footer_lies),
        cmocka_unit_test(test_schema_lies),
        cmocka_unit_test(test_page_lies),
        cmocka_unit_test(test_dictionary_lies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
