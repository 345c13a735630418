/* Random batches, written, read with their own schema and compared buffer by value; seeds are fixed. */
#include "json_support.h"

#include "json/json_column.h"

#define MAX_COLUMNS 12
#define MAX_ROWS 200

static uint64_t random_state;

/* xorshift64* (Vigna 2016). */
static uint64_t next_random(void)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * UINT64_C(0x2545F4914F6CDD1D);
}
static uint64_t below(uint64_t n)
{
    return next_random() % n;
}

static void append_character(struct dn_buffer *text)
{
    static const uint32_t limits[] = {0x20, 0x80, 0x80, 0x80, 0x800, 0x10000, 0x110000};
    uint32_t c = (uint32_t)below(limits[below(7)]);
    uint8_t bytes[4];
    size_t n = 1;

    if (c >= 0xD800 && c <= 0xDFFF) {
        c = '"';
    }
    if (c < 0x80) {
        bytes[0] = (uint8_t)c;
    } else if (c < 0x800) {
        bytes[0] = (uint8_t)(0xC0 | c >> 6);
        n = 2;
    } else if (c < 0x10000) {
        bytes[0] = (uint8_t)(0xE0 | c >> 12);
        n = 3;
    } else {
        bytes[0] = (uint8_t)(0xF0 | c >> 18);
        n = 4;
    }
    for (size_t i = 1; i < n; i++) {
        bytes[i] = (uint8_t)(0x80 | (c >> (6 * (n - 1 - i)) & 0x3F));
    }
    assert_int_equal(dn_buffer_append(text, bytes, n, NULL), DN_OK);
}

static void put_random(struct dn_json_column *c)
{
    const int64_t shifted = (int64_t)next_random() >> below(64);
    int64_t value64 = shifted;
    int32_t value32 = (int32_t)shifted;
    double real;
    float small;

    switch (c->type.id) {
    case DN_TYPE_NULL:
        assert_int_equal(dn_json_column_put_null(c, NULL), DN_OK);
        return;
    case DN_TYPE_BOOL:
        assert_int_equal(dn_json_column_put_bool(c, below(2) != 0, NULL), DN_OK);
        return;
    case DN_TYPE_DATE32:
        value32 = (int32_t)below(3652059) - 719162; /* years 1 to 9999 */
        break;
    case DN_TYPE_TIMESTAMP:
        value64 = ((int64_t)below(3652059) - 719162) * 86400000000 + (int64_t)below(86400000000);
        break;
    case DN_TYPE_FLOAT64: /* any bits, any NaN made the one NaN that JSON has */
        memcpy(&real, &(uint64_t){next_random()}, sizeof real);
        real = real != real ? (double)value64 : real;
        memcpy(&value64, &real, sizeof real);
        break;
    case DN_TYPE_FLOAT32:
        memcpy(&small, &(uint32_t){(uint32_t)next_random()}, sizeof small);
        small = small != small ? 0.0f : small;
        memcpy(&value32, &small, sizeof small);
        break;
    case DN_TYPE_UTF8:
    case DN_TYPE_LARGE_UTF8:
    case DN_TYPE_UTF8_VIEW:
        for (uint64_t n = below(below(8) == 0 ? 300 : 12); n > 0; n--) {
            append_character(&c->bytes);
        }
        assert_int_equal(dn_json_column_end_text(c, DN_JSON_STRING, NULL), DN_OK);
        return;
    default:
        break;
    }
    assert_int_equal(
        dn_json_column_put_fixed(c, dn_type_width(c->type) == 8 ? (const void *)&value64 : &value32,
                                 dn_type_width(c->type), NULL),
        DN_OK);
}

static void assert_same_column(const struct ArrowSchema *schema, const struct ArrowArray *a,
                               const struct ArrowArray *b, int64_t i)
{
    struct dn_field field;
    struct dn_column_view x;
    struct dn_column_view y;

    assert_int_equal(dn_schema_get_field(schema, i, &field, NULL), DN_OK);
    assert_int_equal(dn_batch_get_column(a, i, &field, &x, NULL), DN_OK);
    assert_int_equal(dn_batch_get_column(b, i, &field, &y, NULL), DN_OK);
    assert_int_equal(x.null_count, y.null_count);
    const size_t width = dn_type_width(field.type);
    for (int64_t row = 0; row < a->length && field.type.id != DN_TYPE_NULL; row++) {
        assert_int_equal(dn_column_is_valid(&x, row), dn_column_is_valid(&y, row));
        if (!dn_column_is_valid(&x, row)) {
            continue;
        }
        if (field.type.id == DN_TYPE_BOOL) {
            assert_int_equal(dn_bit_get(x.values, row), dn_bit_get(y.values, row));
        } else if (width != 0) {
            assert_memory_equal((const uint8_t *)x.values + (size_t)row * width,
                                (const uint8_t *)y.values + (size_t)row * width, width);
        } else {
            size_t n_x = 0;
            size_t n_y = 0;
            const uint8_t *text_x = dn_column_text(&x, row, &n_x);
            const uint8_t *text_y = dn_column_text(&y, row, &n_y);
            assert_int_equal(n_x, n_y);
            assert_memory_equal(text_x, text_y, n_x);
        }
    }
}

static void round_trip(uint64_t seed)
{
    static const struct dn_type types[] = {
        DN_TYPE_INIT(NULL),       DN_TYPE_INIT(BOOL),      DN_TYPE_INIT(INT32),
        DN_TYPE_INIT(INT64),      DN_TYPE_INIT(FLOAT32),   DN_TYPE_INIT(FLOAT64),
        DN_TYPE_INIT(DATE32),     DN_TIMESTAMP_INIT(US),   DN_TYPE_INIT(UTF8),
        DN_TYPE_INIT(LARGE_UTF8), DN_TIMESTAMPTZ_INIT(US), DN_TYPE_INIT(UTF8)};
    struct dn_json_table table = {0};
    struct dn_record_field fields[MAX_COLUMNS];
    char names[MAX_COLUMNS][32];
    struct ArrowSchema schema;
    struct ArrowArray batch;

    random_state = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    const int64_t n_columns = (int64_t)below(MAX_COLUMNS + 1);
    const int64_t n_rows = (int64_t)below(MAX_ROWS);
    for (int64_t i = 0; i < n_columns; i++) {
        int64_t index;
        snprintf(names[i], sizeof names[i], "%s%d", below(2) == 0 ? "c\"\xc3\xa9" : "column",
                 (int)i);
        fields[i] = (struct dn_record_field){names[i], types[below(12)], below(4) == 0, NULL};
        fields[i].required = fields[i].required && fields[i].type.id != DN_TYPE_NULL;
        assert_int_equal(
            dn_json_table_add(&table, names[i], strlen(names[i]), fields[i].type, &index, NULL),
            DN_OK);
        struct dn_json_column *c = &table.columns[index];
        for (int64_t row = 0; row < n_rows; row++) {
            if (!fields[i].required && below(4) == 0) {
                assert_int_equal(dn_json_column_put_null(c, NULL), DN_OK);
            } else {
                put_random(c);
            }
        }
    }
    struct dn_json_table *const tables[] = {&table};
    table.n_rows = n_rows;
    assert_int_equal(dn_json_tables_seal(tables, 1, NULL), DN_OK);
    assert_int_equal(dn_json_table_export(&table, &schema, &batch, NULL), DN_OK);
    char *text = write_text(&schema, &batch);
    struct reading r = read_text(text, fields, n_columns);
    if (r.status != DN_OK) {
        fail_msg("seed %llu: %s", (unsigned long long)seed, r.err.message);
    }
    assert_int_equal(r.batch.length, n_rows);
    assert_int_equal(r.schema.n_children, n_columns);
    for (int64_t i = 0; i < n_columns; i++) {
        assert_string_equal(r.schema.children[i]->format, schema.children[i]->format);
        assert_string_equal(r.schema.children[i]->name, schema.children[i]->name);
        assert_same_column(&schema, &batch, &r.batch, i);
    }
    free(text);
    end_reading(&r);
    schema.release(&schema);
    batch.release(&batch);
    dn_json_table_finish(&table);
}

static void test_random_batches(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        round_trip(seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_batches)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
