/* Records read in pieces by several threads: the same rows, types, counts and errors as by one. */
#include "json_support.h"

#include "base/pool.h"

static const struct dn_record_field fields[] = {
    {"id", DN_TYPE_INIT(INT64), true, NULL},        {"price", DN_TYPE_INIT(FLOAT64), false, NULL},
    {"name", DN_TYPE_INIT(UTF8_VIEW), false, NULL}, {"day", DN_TYPE_INIT(DATE32), false, NULL},
    {"at", DN_TIMESTAMP_INIT(US), false, NULL},
};
#define N_FIELDS ((int64_t)(sizeof(fields) / sizeof(fields[0])))

static struct dn_pool *pool;

static struct dn_records_options options_of(size_t piece_bytes)
{
    return (struct dn_records_options){.executor = dn_pool_executor(pool),
                                       .piece_bytes = piece_bytes};
}

/* Rows of all batches, one after the other. */
static char *text_of(struct dn_records *r)
{
    struct dn_buffer out = {0};

    for (int64_t i = 0; i < r->n_batches; i++) {
        assert_int_equal(
            dn_records_write(&out, &r->schema, &r->batches[i], 0, r->batches[i].length, NULL),
            DN_OK);
    }
    assert_int_equal(dn_buffer_append_byte(&out, 0, NULL), DN_OK);
    char *text = strdup((const char *)out.data);
    dn_buffer_finish(&out);
    for (char *joint = strstr(text, "]["); joint != NULL; joint = strstr(joint, "][")) {
        joint[0] = ',';
        memmove(joint + 1, joint + 2, strlen(joint + 2) + 1);
    }
    return text;
}

static char *make_records(int n, const char *last)
{
    struct dn_buffer b = {0};
    char row[256];

    assert_int_equal(dn_buffer_append(&b, "{\"records\" : [", 14, NULL), DN_OK);
    for (int i = 0; i < n; i++) {
        const int len = snprintf(
            row, sizeof(row),
            "%s{\"id\":%d, \"price\": %d.%02d,\"name\":\"%s %d\",\"day\":\"2024-02-%02d\",\"at\":"
            "\"2024-02-01T00:00:%02d\"%s} ",
            i == 0 ? "" : ",\n", i, i % 1000, i % 100, i % 7 == 0 ? "} \\\"{[\\u00e9" : "plain", i,
            i % 28 + 1, i % 60,
            i == n / 2   ? ",\"late\":true"
            : i == n - 1 ? ",\"last\":1.5,\"late\":false"
                         : "");
        assert_int_equal(dn_buffer_append(&b, row, (size_t)len, NULL), DN_OK);
    }
    const int len = snprintf(row, sizeof(row), "%s ],\"file_counter\":7}", last);
    assert_int_equal(dn_buffer_append(&b, row, (size_t)len + 1, NULL), DN_OK);
    char *text = malloc(b.len);
    assert_non_null(text);
    memcpy(text, b.data, b.len);
    dn_buffer_finish(&b);
    return text;
}

static void test_same_rows(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 100, 999, 5000, 1 << 20};
    char *json = make_records(2000, "");
    char *expected = NULL;

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        const struct dn_records_options options =
            i == 0 ? (struct dn_records_options){0} : options_of(sizes[i]);
        struct dn_records r;
        assert_int_equal(dn_records_read_pieces(json, fields, N_FIELDS, &options, &r, NULL), DN_OK);
        assert_int_equal(r.n_rows, 2000);
        assert_int_equal(r.file_counter, 7);
        assert_int_equal(r.counts.n_bytes, strlen(json));
        assert_int_equal(r.schema.n_children, N_FIELDS + 2);
        assert_string_equal(r.schema.children[N_FIELDS]->name, "late");
        assert_string_equal(r.schema.children[N_FIELDS]->format, "b");
        assert_string_equal(r.schema.children[N_FIELDS + 1]->format, "g");
        assert_true(i == 0 || i == 4 ? r.n_batches == 1 : r.n_batches > 20);
        char *text = text_of(&r);
        if (i == 0) {
            expected = text;
            assert_non_null(
                strstr(text, "{\"id\":7,\"price\":7.07,\"name\":\"} \\\"{[\xC3\xA9 7\""));
        } else {
            assert_string_equal(text, expected);
            free(text);
        }
        dn_records_finish(&r);
    }
    free(expected);
    free(json);
}

/* The first in the order of the text, wherever pieces are. */
static void test_same_errors(void **state)
{
    (void)state;
    static const char *const ends[] = {
        ",{\"id\":\"x\"}",       ",{\"price\":1}", ",{\"id\":1]", ",{\"id\":1}}", ",",
        ",{\"id\":1,\"id\":tru}"};

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        char *json = make_records(500, ends[i]);
        const struct dn_records_options one = {0};
        const struct dn_records_options many = options_of(500);
        struct dn_error expected = {0};
        struct dn_error got = {0};
        struct dn_records r;
        const enum dn_status st =
            dn_records_read_pieces(json, fields, N_FIELDS, &one, &r, &expected);
        assert_int_not_equal(st, DN_OK);
        assert_int_equal(dn_records_read_pieces(json, fields, N_FIELDS, &many, &r, &got), st);
        assert_string_equal(got.message, expected.message);
        assert_int_equal(got.row, expected.row);
        assert_int_equal(got.byte_offset, expected.byte_offset);
        free(json);
    }
}

static void test_counts(void **state)
{
    (void)state;
    char *json =
        make_records(500, ",{\"id\":1,\"price\":0.12345678901234567890123,\"name\":\"\\ud800\"}");
    const struct dn_records_options options = options_of(500);
    struct dn_records r;

    assert_int_equal(dn_records_read_pieces(json, fields, N_FIELDS, &options, &r, NULL), DN_OK);
    assert_int_equal(r.counts.n_rounded, 1);
    assert_int_equal(r.counts.first_rounded, 501);
    assert_int_equal(r.counts.n_lone_surrogates, 1);
    dn_records_finish(&r);
    free(json);
}

static void test_refused_surrogate(void **state)
{
    (void)state;
    char *json = make_records(500, ",{\"id\":1,\"name\":\"a\\udc00\"}");
    struct dn_records_options options = options_of(500);
    struct dn_error err = {0};
    struct dn_records r;

    options.refuse_lone_surrogates = true;
    assert_int_equal(dn_records_read_pieces(json, fields, N_FIELDS, &options, &r, &err),
                     DN_ERR_DATA);
    assert_non_null(strstr(err.message, "record 501, column 'name'"));
    free(json);
}

/* Half pairs in keys count each time that they stand there, whoever reads which record. */
static void test_surrogates_in_keys(void **state)
{
    (void)state;
    static const char record[] = "{\"id\":1,\"x\\ud800\":\"a value of some length\"}";
    const int n = 50;
    struct dn_buffer b = {0};
    struct dn_records r;
    struct dn_error err = {0};

    assert_int_equal(dn_buffer_append(&b, "[", 1, NULL), DN_OK);
    for (int i = 0; i < n; i++) {
        assert_int_equal(dn_buffer_append(&b, record, sizeof(record) - 1, NULL), DN_OK);
        assert_int_equal(dn_buffer_append(&b, i < n - 1 ? "," : "]", i < n - 1 ? 1 : 2, NULL),
                         DN_OK);
    }
    for (size_t piece = 0; piece < 1000; piece += 400) {
        struct dn_records_options options =
            piece == 0 ? (struct dn_records_options){0} : options_of(piece);
        assert_int_equal(
            dn_records_read_pieces((const char *)b.data, fields, 1, &options, &r, &err), DN_OK);
        assert_int_equal(r.counts.n_lone_surrogates, n);
        dn_records_finish(&r);
        options.refuse_lone_surrogates = true;
        assert_int_equal(
            dn_records_read_pieces((const char *)b.data, fields, 1, &options, &r, &err),
            DN_ERR_DATA);
        assert_non_null(strstr(err.message, "record 1, column 'x"));
    }
    dn_buffer_finish(&b);
}

static void test_extra_keys(void **state)
{
    (void)state;
    char *json = make_records(500, "");
    struct dn_records_options options = options_of(500);
    struct dn_error err = {0};
    struct dn_records r;

    options.extra = DN_RECORDS_EXTRA_DROP;
    assert_int_equal(dn_records_read_pieces(json, fields, N_FIELDS, &options, &r, &err), DN_OK);
    assert_int_equal(r.schema.n_children, N_FIELDS);
    assert_int_equal(r.n_rows, 500);
    assert_int_equal(r.counts.n_dropped, 3);
    assert_int_equal(r.counts.first_dropped, 251);
    assert_string_equal(r.counts.dropped_key, "'late'");
    dn_records_finish(&r);
    options.extra = DN_RECORDS_EXTRA_ERROR;
    assert_int_equal(dn_records_read_pieces(json, fields, N_FIELDS, &options, &r, &err),
                     DN_ERR_DATA);
    assert_non_null(strstr(err.message, "record 251: the key 'late' is no declared column"));
    free(json);
}

/* ---- what is known from the record before must not show ---- */

static uint32_t seed;

static uint32_t below(uint32_t n)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % n;
}

#define N_OF(list) (sizeof(list) / sizeof((list)[0]))
#define PICK(list) ((list)[below((uint32_t)N_OF(list))])

/* Members of a record in an order of their own, with space, escapes and keys that repeat or begin like others; most are as ever. */
static size_t make_record(char *out, size_t size)
{
    static const char *const spaces[] = {"", "", "", "", " ", "\n  ", "\t"};
    static const char *const keys[] = {
        "id",
        "price",
        "name",
        "day",
        "at",
        "\\u0069d",
        "pric",
        "x",
        "a key so long that nobody wants to know by heart what is around it in the text"};
    static const char *const values[] = {
        "1",
        "-0",
        "12345678",
        "1234567",
        "99999999999999999999",
        "1.5",
        "-12345.125",
        "0.1234567",
        "1234567.12345678",
        "1e3",
        "0.1",
        "\"7\"",
        "\"0.10\"",
        "\"\"",
        "null",
        "\"2024-02-29\"",
        "\"2023-12-31T23:59:59.5\"",
        "\"text\"",
        "\"t\\u00e9xt\"",
        "\" 5 \"",
        "\"a text of more bytes than are copied at a time, which is why it is so long as it is\""};
    static const char *const odd[] = {"01", "-", "1.", "\"a\tb\"", "tru", "[1]", "2024-02-29"};
    const bool usual = below(4) != 0;
    const uint32_t n = usual ? 5 : below(8);
    size_t len = (size_t)snprintf(out, size, "{%s", usual ? "" : PICK(spaces));

    for (uint32_t i = 0; i < n; i++) {
        const char *key = usual ? keys[i] : PICK(keys);
        len += (size_t)snprintf(out + len, size - len, "%s%s\"%s\"%s:%s%s",
                                i > 0 && below(2000) != 0 ? "," : "", usual ? "" : PICK(spaces),
                                key, usual ? "" : PICK(spaces), usual ? "" : PICK(spaces),
                                below(400) == 0 ? PICK(odd) : PICK(values));
    }
    return len + (size_t)snprintf(out + len, size - len, "}");
}

/* Fields that take about all values. */
static const struct dn_record_field lax[] = {
    {"id", DN_TYPE_INIT(FLOAT64), false, NULL},
    {"price", DN_TYPE_INIT(UTF8_VIEW), false, NULL},
    {"name", DN_TYPE_INIT(UTF8_VIEW), false, NULL},
};

/* Each record alone knows nothing of another: what all of them together become is what each one does. */
static void compare_alone(size_t n_records)
{
    struct dn_buffer all = {0};
    struct dn_buffer expected = {0};
    struct dn_error err = {0};
    struct dn_records r;
    char record[4096];
    size_t n_good = 0;

    assert_int_equal(dn_buffer_append(&all, "[", 1, NULL), DN_OK);
    for (size_t i = 0; i < n_records; i++) {
        const struct dn_records_options one = {.extra = DN_RECORDS_EXTRA_DROP};
        record[0] = '[';
        const size_t len = 1 + make_record(record + 1, sizeof(record) - 2);
        memcpy(record + len, "]", 2);
        if (dn_records_read_pieces(record, lax, (int64_t)N_OF(lax), &one, &r, NULL) != DN_OK) {
            continue;
        }
        assert_int_equal(dn_buffer_append(&all, ", ", n_good > 0 ? 2 : 0, NULL), DN_OK);
        assert_int_equal(dn_buffer_append(&all, record + 1, len - 1, NULL), DN_OK);
        char *text = text_of(&r);
        assert_int_equal(dn_buffer_append(&expected, n_good > 0 ? "," : "[", 1, NULL), DN_OK);
        assert_int_equal(dn_buffer_append(&expected, text + 1, strlen(text) - 2, NULL), DN_OK);
        free(text);
        dn_records_finish(&r);
        n_good++;
    }
    assert_true(n_good > n_records / 2);
    assert_int_equal(dn_buffer_append(&all, "]", 2, NULL), DN_OK);
    assert_int_equal(dn_buffer_append(&expected, "]", 2, NULL), DN_OK);
    for (size_t piece = 300; piece < (size_t)1 << 21; piece *= 16) {
        struct dn_records_options options = options_of(piece);
        options.extra = DN_RECORDS_EXTRA_DROP;
        const enum dn_status st = dn_records_read_pieces((const char *)all.data, lax,
                                                         (int64_t)N_OF(lax), &options, &r, &err);
        assert_int_equal(st, DN_OK);
        assert_int_equal(r.n_rows, n_good);
        char *text = text_of(&r);
        assert_string_equal(text, (const char *)expected.data);
        free(text);
        dn_records_finish(&r);
    }
    dn_buffer_finish(&all);
    dn_buffer_finish(&expected);
}

static void test_alone(void **state)
{
    (void)state;
    for (uint32_t i = 1; i <= 4; i++) {
        seed = i;
        compare_alone(1500);
    }
}

/* What begins a record and what stands behind a dropped value are not one and the same. */
static void test_behind_dropped(void **state)
{
    static const char *const starts[] = {"{\"id\":1},{\"x\":1\"id\":2}",
                                         "{\"x\":1,\"id\":1},{,\"id\":2}",
                                         "{\"id\":1},{\"x\":1,\"id\":2}"};
    const struct dn_records_options options = {.extra = DN_RECORDS_EXTRA_DROP};
    struct dn_records r;
    char text[512];

    (void)state;
    for (size_t i = 0; i < N_OF(starts); i++) {
        (void)snprintf(text, sizeof(text), "[%s,{\"id\":3},{\"id\":4,\"name\":\"%0100d\"}]",
                       starts[i], 0);
        assert_int_equal(dn_records_read_pieces(text, fields, N_FIELDS, &options, &r, NULL),
                         i < 2 ? DN_ERR_DATA : DN_OK);
        dn_records_finish(&r);
    }
}

/* One byte of a text is another one: what is wrong with it is found and told as by a reader that knows nothing. */
static void test_damaged(void **state)
{
    static const char good[] = "{\"id\":1,\"price\":2.5,\"name\":\"n\",\"day\":\"2024-02-29\","
                               "\"at\":\"2024-02-29T00:00\"}";
    static const char bytes[] = "{}[]\",: 0x.-e\\\n";
    struct dn_records r;
    char text[8192];
    size_t n_refused = 0;

    (void)state;
    for (size_t at = 1; at < sizeof(good) - 1; at++) { /* "[]" is an array */
        for (size_t b = 0; b < sizeof(bytes) - 1; b++) {
            char damaged[sizeof(good)];
            struct dn_error expected = {0};
            struct dn_error got = {0};
            size_t len = 0;
            memcpy(damaged, good, sizeof(good));
            damaged[at] = bytes[b];
            /* alone: with spaces, so that nothing in it is as it was before */
            (void)snprintf(text, sizeof(text), "[%s]", damaged);
            const struct dn_records_options one = {0};
            const enum dn_status st =
                dn_records_read_pieces(text, fields, N_FIELDS, &one, &r, &expected);
            dn_records_finish(&r);
            n_refused += st != DN_OK;
            len = (size_t)snprintf(text, sizeof(text), "[%s", good);
            for (int i = 0; i < 8; i++) {
                len += (size_t)snprintf(text + len, sizeof(text) - len, ",%s",
                                        i == 4 ? damaged : good);
            }
            (void)snprintf(text + len, sizeof(text) - len, "]");
            assert_int_equal(dn_records_read_pieces(text, fields, N_FIELDS, &one, &r, &got), st);
            dn_records_finish(&r);
            if (st == DN_ERR_TYPE) { /* else brackets and quotes may reach into the next record */
                assert_int_equal(got.row, 6);
                assert_string_equal(got.column, expected.column);
            }
        }
    }
    assert_true(n_refused > 500);
}

/* A short text is cut for the threads: all of them have as much, and none a piece more. */
static void test_pieces_of_short_texts(void **state)
{
    static const struct {
        int n_records;
        int64_t n_pieces; /* for 4 threads; no piece is shorter than 32 KiB */
    } texts[] = {{100, 1}, {600, 2}, {3000, 4}, {10000, 8}};
    struct dn_records_options options = options_of(0);
    struct dn_records r;

    (void)state;
    for (size_t i = 0; i < N_OF(texts); i++) {
        char *text = make_records(texts[i].n_records, "");
        options.expected_bytes = strlen(text);
        assert_int_equal(dn_records_read_pieces(text, fields, N_FIELDS, &options, &r, NULL), DN_OK);
        assert_int_equal(r.n_rows, texts[i].n_records);
        assert_int_equal(r.n_batches, texts[i].n_pieces);
        for (int64_t k = 0; k < r.n_batches; k++) {
            assert_true(r.batches[k].length > r.n_rows / r.n_batches * 3 / 5);
        }
        dn_records_finish(&r);
        free(text);
    }
}

static int make_pool(void **state)
{
    (void)state;
    return dn_pool_create(&pool, 4, NULL) == DN_OK ? 0 : -1;
}

static int drop_pool(void **state)
{
    (void)state;
    dn_pool_destroy(pool);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_rows),
        cmocka_unit_test(test_same_errors),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_refused_surrogate),
        cmocka_unit_test(test_pieces_of_short_texts),
        cmocka_unit_test(test_alone),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_behind_dropped),
        cmocka_unit_test(test_extra_keys),
        cmocka_unit_test(test_surrogates_in_keys),
    };

    return cmocka_run_group_tests(tests, make_pool, drop_pool);
}
