/**
 * Round trips of generated tables: batches -> CSV writer -> CSV reader, compared value by value, with the types declared and with the
 * types inferred.  A table depends on its seed alone.
 */
#ifndef DN_TEST_CSV_TRIP_H
#define DN_TEST_CSV_TRIP_H

#include "csv_rig.h"
#include "flat_types.h"

#include <stdatomic.h>

#define TRIP_COLUMNS 12
#define TRIP_FIRST_US INT64_C(-62135596800000000) /* 0001-01-01T00:00:00 */
#define TRIP_LAST_US INT64_C(253402300799999999)

struct trip_column {
    char name[96];
    struct dn_type type;
    bool nullable;
    int64_t n_nulls;
    uint8_t *validity;
    uint8_t *values; /* fixed width, bits, offsets or views */
    struct rig_text bytes;
    int64_t *starts; /* of texts in `bytes`, n_rows + 1 */
    const void *variadic[1];
    int64_t variadic_lens[1];
};

struct trip {
    uint64_t state; /* of the random numbers */
    uint64_t seed;
    int64_t n_rows;
    int64_t n_columns;
    struct trip_column columns[TRIP_COLUMNS];
    char delimiter;
    char quote;
    bool crlf;
    const char *null_text;
};

static inline uint64_t trip_below(struct trip *t, uint64_t n)
{
    return scratch_random(&t->state) % n;
}

static inline bool trip_is_text(struct dn_type type)
{
    return type.id == DN_TYPE_UTF8 || type.id == DN_TYPE_LARGE_UTF8 || type.id == DN_TYPE_UTF8_VIEW;
}

/* ---- values ---- */

/* clang-format off */
#define T(text)                                                                                    \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }
/* clang-format on */
static const struct trip_text {
    const char *text;
    size_t len;
} trip_texts[] = {
    T(""),
    T(" "),
    T("\t"),
    T(" a"),
    T("a "),
    T("a"),
    T("abc"),
    T("\""),
    T("\"\""),
    T("a\"b"),
    T("\"a\""),
    T("a\"\"b\""),
    T(","),
    T(";"),
    T("|"),
    T("'"),
    T("~"),
    T("\n"),
    T("\r"),
    T("\r\n"),
    T("a\r"),
    T("\na"),
    T("a\nb"),
    T("a,b"),
    T("a\0b"),
    T("\0"),
    T("NA"),
    T("na"),
    T("N/A"),
    T("NULL"),
    T("null"),
    T("None"),
    T("\\N"),
    T("nan"),
    T("-NaN"),
    T("inf"),
    T("-inf"),
    T("Infinity"),
    T("true"),
    T("FALSE"),
    T("t"),
    T("yes"),
    T("0"),
    T("1"),
    T("-1"),
    T("-0"),
    T("007"),
    T("+5"),
    T("1.5"),
    T(".5"),
    T("5."),
    T("1e5"),
    T("1E-5"),
    T("1e999"),
    T("0x1f"),
    T("1_000"),
    T("12:30"),
    T("-"),
    T("--"),
    T("---"),
    T("2024"),
    T("2024-01-31"),
    T("2024-02-30"),
    T("2024-01-31 01:02"),
    T("2024-01-31T01:02:03.5"),
    T("2024-01-31T01:02:03Z"),
    T("2024-01-31T01:02:03+02:00"),
    T("9223372036854775807"),
    T("9223372036854775808"),
    T("9007199254740993"),
    T("99999999999999999999999"),
    T("\xef\xbb\xbf"),
    T("\xef\xbb\xbf"
      "1"),
    T("PAR1\x15"),
    T("PK\x03\x04"),
    T("BZh91AY&SY"),
    T("#"),
    T("=1+1"),
    T("\xc3\xa9"),
    T("\xe6\x97\xa5\xe6\x9c\xac"),
    T("\xf0\x9f\x98\x80"),
    T("1,5"),
    T("01/02/2024"),
    T("12345678901234567890123456789012345678901234567890123456789012345678901234567890"),
    T("0.1000000000000000000000000000000000000000000000000000000000000000000000000000000"),
};
#undef T
#define TRIP_TEXTS (sizeof(trip_texts) / sizeof(trip_texts[0]))

enum trip_flavour {
    TRIP_ANY,
    TRIP_NUMBERS, /* texts that look like numbers */
    TRIP_ONE,     /* one of the above all over */
    TRIP_WORDS,
    TRIP_LONG,
    TRIP_FLAVOURS
};

static inline void trip_put_text(struct trip *t, struct rig_text *out, enum trip_flavour flavour,
                                 size_t one)
{
    static const char any[] = "ab1.,;|\"'~\n\r\t \\-+eE:TZ";
    char number[32];
    size_t n = 0;

    switch (flavour) {
    case TRIP_NUMBERS:
        rig_append(out, number,
                   (size_t)snprintf(number, sizeof number, "%d", (int)trip_below(t, 100000)));
        return;
    case TRIP_ONE:
        rig_append(out, trip_texts[one].text, trip_texts[one].len);
        return;
    case TRIP_WORDS:
        n = trip_below(t, 24);
        for (size_t i = 0; i < n; i++) {
            number[i] = (char)('a' + trip_below(t, 26));
        }
        rig_append(out, number, n);
        return;
    case TRIP_LONG:
        n = trip_below(t, trip_below(t, 50) == 0 ? 3000 : 80);
        for (size_t i = 0; i < n; i++) {
            rig_append(out, &any[trip_below(t, sizeof any - 1)], 1);
        }
        return;
    case TRIP_ANY:
    case TRIP_FLAVOURS:
    default:
        n = trip_below(t, TRIP_TEXTS);
        rig_append(out, trip_texts[n].text, trip_texts[n].len);
    }
}

static inline double trip_double(struct trip *t)
{
    static const double some[] = {0.0,
                                  -0.0,
                                  1.0,
                                  -1.0,
                                  0.1,
                                  1e16,
                                  1e15,
                                  123456789012345680.0,
                                  5e-324,
                                  1.7976931348623157e308,
                                  9007199254740991.0,
                                  9007199254740992.0,
                                  9007199254740994.0,
                                  1e-5,
                                  1e-4,
                                  0.3,
                                  2.5};
    double value;
    uint64_t bits = scratch_random(&t->state);

    switch (trip_below(t, 4)) {
    case 0:
        return some[trip_below(t, sizeof some / sizeof some[0])];
    case 1:
        return (double)(int64_t)trip_below(t, 100000000) / 100;
    case 2:
        return (double)((int64_t)bits >> trip_below(t, 63));
    default:
        memcpy(&value, &bits, sizeof value); /* infinities and NaNs, too */
        return value;
    }
}

static inline int64_t trip_int64(struct trip *t)
{
    static const int64_t some[] = {0,  1,   -1,      INT64_MAX, INT64_MIN, INT64_MAX - 1,
                                   99, 100, 1000000, -10};

    return trip_below(t, 3) == 0 ? some[trip_below(t, sizeof some / sizeof some[0])]
                                 : (int64_t)scratch_random(&t->state) >> trip_below(t, 64);
}

/* Within the years 0001 to 9999. */
static inline int64_t trip_micros(struct trip *t)
{
    switch (trip_below(t, 4)) {
    case 0:
        return trip_below(t, 2) == 0 ? TRIP_FIRST_US : TRIP_LAST_US;
    case 1:
        return (int64_t)trip_below(t, 2000000000) * 1000000;
    case 2:
        return -(int64_t)trip_below(t, 2000000000);
    default:
        return TRIP_FIRST_US + (int64_t)trip_below(t, (uint64_t)(TRIP_LAST_US - TRIP_FIRST_US));
    }
}

static inline void trip_fixed(struct trip *t, struct trip_column *c, int64_t row)
{
    const size_t width = dn_type_width(c->type);
    uint64_t bits = 0;

    switch (c->type.id) {
    case DN_TYPE_BOOL:
        c->values[row >> 3] = (uint8_t)(c->values[row >> 3] | trip_below(t, 2) << (row & 7));
        return;
    case DN_TYPE_INT32:
    case DN_TYPE_INT64:
        bits = (uint64_t)trip_int64(t);
        break;
    case DN_TYPE_FLOAT32: {
        const float value = (float)trip_double(t);
        bits = scratch_random(&t->state);
        if (trip_below(t, 2) == 0) {
            memcpy(&bits, &value, sizeof value);
        }
        break;
    }
    case DN_TYPE_FLOAT64: {
        const double value = trip_double(t);
        memcpy(&bits, &value, sizeof value);
        break;
    }
    case DN_TYPE_DATE32:
        bits = (uint64_t)(trip_micros(t) / INT64_C(86400000000));
        break;
    default:
        bits = (uint64_t)trip_micros(t);
    }
    memcpy(c->values + (size_t)row * width, &bits, width);
}

static inline void trip_place_texts(struct trip *t, struct trip_column *c)
{
    c->variadic[0] = c->bytes.data;
    c->variadic_lens[0] = (int64_t)c->bytes.len;
    for (int64_t row = 0; row <= t->n_rows; row++) {
        const int64_t start = c->starts[row];
        if (c->type.id == DN_TYPE_UTF8) {
            ((int32_t *)(void *)c->values)[row] = (int32_t)start;
        } else if (c->type.id == DN_TYPE_LARGE_UTF8) {
            ((int64_t *)(void *)c->values)[row] = start;
        } else if (row < t->n_rows) {
            struct dn_string_view *v = (struct dn_string_view *)(void *)c->values + row;
            v->len = (int32_t)(c->starts[row + 1] - start);
            if (v->len <= DN_VIEW_INLINE) {
                memcpy(v->u.inlined, c->bytes.data + start, (size_t)v->len);
            } else {
                memcpy(v->u.ref.prefix, c->bytes.data + start, 4);
                v->u.ref.offset = (int32_t)start;
            }
        }
    }
}

static inline void trip_column_make(struct trip *t, struct trip_column *c, int64_t number)
{
    static const unsigned null_percents[] = {0, 0, 10, 90, 100};
    const enum trip_flavour flavour = (enum trip_flavour)trip_below(t, TRIP_FLAVOURS);
    const size_t one = trip_below(t, TRIP_TEXTS);
    const unsigned nulls = null_percents[trip_below(t, 5)];
    const struct trip_text *beginning = &trip_texts[trip_below(t, TRIP_TEXTS)];
    const size_t n = (size_t)t->n_rows;

    /* a name of its own, for types are given by name */
    (void)snprintf(c->name, sizeof c->name, "%.*s_%lld", (int)strnlen(beginning->text, 60),
                   beginning->text, (long long)number);
    c->type = flat_types[trip_below(t, N_FIRST_TYPES)];
    c->validity = calloc(1, n / 8 + 1);
    c->values = calloc(n + 1, 16);
    c->starts = calloc(n + 1, sizeof *c->starts);
    assert_true(c->validity != NULL && c->values != NULL && c->starts != NULL);
    rig_append(&c->bytes, "", 0);
    for (size_t row = 0; row < n; row++) {
        const bool valid = c->type.id != DN_TYPE_NULL && trip_below(t, 100) >= nulls;
        c->n_nulls += !valid;
        c->validity[row >> 3] = (uint8_t)(c->validity[row >> 3] | (unsigned)valid << (row & 7));
        c->starts[row] = (int64_t)c->bytes.len;
        if (trip_is_text(c->type)) {
            trip_put_text(t, &c->bytes, flavour, one); /* under a null, too */
        } else if (c->type.id != DN_TYPE_NULL) {
            trip_fixed(t, c, (int64_t)row);
        }
    }
    c->starts[n] = (int64_t)c->bytes.len;
    c->nullable = c->n_nulls > 0 || trip_below(t, 2) == 0;
    if (trip_is_text(c->type)) {
        trip_place_texts(t, c);
    }
}

static inline void trip_make(struct trip *t, uint64_t seed, int64_t most_rows)
{
    static const char delimiters[] = ",,,;|\t~";
    static const char quotes[] = "\"\"\"'`";
    static const char *const null_texts[] = {NULL, NULL, NULL,     "NULL",    "\\N",
                                             "NA", "-",  "<none>", "\xc3\xa9"};

    memset(t, 0, sizeof *t);
    t->state = seed * 7919 + 1;
    t->seed = seed;
    t->n_rows = (int64_t)trip_below(t, trip_below(t, 3) == 0 ? (uint64_t)most_rows : 20);
    t->n_columns = 1 + (int64_t)trip_below(t, trip_below(t, 3) == 0 ? 2 : TRIP_COLUMNS);
    t->delimiter = delimiters[trip_below(t, sizeof delimiters - 1)];
    t->quote = quotes[trip_below(t, sizeof quotes - 1)];
    t->crlf = trip_below(t, 4) == 0;
    t->null_text = null_texts[trip_below(t, sizeof null_texts / sizeof null_texts[0])];
    for (int64_t i = 0; i < t->n_columns; i++) {
        trip_column_make(t, &t->columns[i], i);
    }
}

static inline void trip_finish(struct trip *t)
{
    for (int64_t i = 0; i < t->n_columns; i++) {
        free(t->columns[i].validity);
        free(t->columns[i].values);
        free(t->columns[i].starts);
        free(t->columns[i].bytes.data);
    }
}

/* ---- writing ---- */

/** Batches that are not released yet. */
static _Atomic int trip_batches_out;

static inline void trip_release(void *owner)
{
    (void)owner;
    atomic_fetch_sub(&trip_batches_out, 1);
}

/* Rows [row, row + n): as an offset of the batch, or of its columns. */
static inline enum dn_status trip_batch(struct trip *t, int64_t row, int64_t n,
                                        struct ArrowArray *out, struct dn_error *err)
{
    struct dn_batch_column columns[TRIP_COLUMNS] = {0};
    const bool own = trip_below(t, 2) == 0;

    for (int64_t i = 0; i < t->n_columns; i++) {
        struct trip_column *c = &t->columns[i];
        columns[i] = (struct dn_batch_column){
            .type = c->type,
            .null_count = c->n_nulls,
            .validity = c->type.id == DN_TYPE_NULL || (c->n_nulls == 0 && trip_below(t, 2) == 0)
                            ? NULL
                            : c->validity,
            .values = c->type.id == DN_TYPE_NULL ? NULL : c->values,
            .bytes = c->bytes.data,
            .variadic = c->variadic,
            .variadic_lens = c->variadic_lens,
            .n_variadic = c->type.id == DN_TYPE_UTF8_VIEW ? 1 : 0,
        };
    }
    const enum dn_status st =
        dn_batch_export(out, t->n_rows, t->n_columns, columns, trip_release, t, err);
    if (st != DN_OK) {
        return st;
    }
    atomic_fetch_add(&trip_batches_out, 1);
    out->length = n;
    out->offset = own ? row : 0;
    for (int64_t i = 0; i < t->n_columns && !own; i++) {
        out->children[i]->offset = row;
        out->children[i]->length = n;
        out->children[i]->null_count = -1;
    }
    return DN_OK;
}

static inline enum dn_status trip_schema(const struct trip *t, struct ArrowSchema *out,
                                         struct dn_error *err)
{
    struct dn_field fields[TRIP_COLUMNS];

    for (int64_t i = 0; i < t->n_columns; i++) {
        fields[i] =
            (struct dn_field){t->columns[i].name, t->columns[i].type, t->columns[i].nullable};
    }
    return dn_schema_make(out, fields, t->n_columns, err);
}

static inline struct dn_csv_write_options trip_options(struct trip *t)
{
    return (struct dn_csv_write_options){
        .struct_size = sizeof(struct dn_csv_write_options),
        .overwrite = true,
        .crlf = t->crlf,
        .delimiter = t->delimiter,
        .quote = t->quote,
        .null_text = t->null_text,
        .memory_budget_bytes = trip_below(t, 2) == 0 ? 0 : 300000,
        .n_threads = 1 + (uint32_t)trip_below(t, 3),
    };
}

/** In batches of at most so many rows; 0: of any number. */
static inline enum dn_status trip_append(struct trip *t, struct dn_csv_writer *w, int64_t most,
                                         struct dn_error *err)
{
    enum dn_status st = DN_OK;

    for (int64_t row = 0; st == DN_OK && row < t->n_rows;) {
        struct ArrowArray batch;
        const uint64_t limit = most != 0 ? (uint64_t)most : trip_below(t, 2) == 0 ? 5000 : 10;
        int64_t n = 1 + (int64_t)trip_below(t, limit);
        n = n < t->n_rows - row ? n : t->n_rows - row;
        st = trip_batch(t, row, n, &batch, err);
        if (st == DN_OK) {
            st = dn_csv_writer_append(w, &batch, err);
            assert_null(batch.release);
        }
        row += n;
    }
    return st;
}

static inline enum dn_status trip_write(struct trip *t, const char *path,
                                        const struct dn_csv_write_options *o, int64_t most,
                                        struct dn_error *err)
{
    struct dn_csv_writer *w = NULL;
    struct ArrowSchema schema = {0};

    enum dn_status st = trip_schema(t, &schema, err);
    if (st == DN_OK) {
        st = dn_csv_writer_open(&w, path, &schema, o, err);
        schema.release(&schema);
    }
    st = st == DN_OK ? trip_append(t, w, most, err) : st;
    st = st == DN_OK ? dn_csv_writer_finish(w, err) : st;
    st = st == DN_OK ? dn_csv_writer_commit(w, err) : st;
    dn_csv_writer_close(w);
    assert_int_equal(atomic_load(&trip_batches_out), 0);
    return st;
}

/* ---- reading ---- */

/* What a column comes back as, if its type is said. */
static inline struct dn_type trip_read_type(struct dn_type type)
{
    switch (type.id) {
    case DN_TYPE_INT32:
        return DN_TYPE(INT64);
    case DN_TYPE_FLOAT32:
        return DN_TYPE(FLOAT64);
    case DN_TYPE_NULL:
    case DN_TYPE_UTF8:
    case DN_TYPE_LARGE_UTF8:
        return DN_TYPE(UTF8_VIEW);
    default:
        return type;
    }
}

/* How many values a reader that infers types has to go by. */
static inline int64_t trip_evidence(const struct trip *t, const struct trip_column *c)
{
    int64_t n = 0;

    for (int64_t row = 0; row < t->n_rows; row++) {
        n += dn_bit_get(c->validity, row) &&
             (!trip_is_text(c->type) || c->starts[row + 1] > c->starts[row]);
    }
    return n;
}

/*
 * What a column comes back as if nothing is said.  A text that is the only one of its column tells nothing by standing in quotes or not:
 * then anything may come.
 */
static inline struct dn_type trip_inferred_type(const struct trip *t, const struct trip_column *c)
{
    const int64_t n = trip_evidence(t, c);

    if (trip_is_text(c->type) && n == 1) {
        return DN_TYPE(COUNT);
    }
    return n == 0 ? DN_TYPE(UTF8_VIEW) : trip_read_type(c->type);
}

static inline bool trip_float_equal(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (a != a && b != b);
}

static inline bool trip_equal(const struct trip_column *c, int64_t row,
                              const struct dn_column_view *v, int64_t at)
{
    const int64_t i = v->offset + at;
    int64_t i64 = 0;
    int32_t i32 = 0;
    float f32 = 0;
    double f64 = 0;

    switch (c->type.id) {
    case DN_TYPE_BOOL:
        return dn_bit_get(v->values, i) == dn_bit_get(c->values, row);
    case DN_TYPE_INT32:
        memcpy(&i32, c->values + 4 * row, 4);
        return ((const int64_t *)v->values)[i] == i32;
    case DN_TYPE_DATE32:
        memcpy(&i32, c->values + 4 * row, 4);
        return ((const int32_t *)v->values)[i] == i32;
    case DN_TYPE_FLOAT32:
        memcpy(&f32, c->values + 4 * row, 4);
        return trip_float_equal((double)(float)((const double *)v->values)[i], (double)f32);
    case DN_TYPE_FLOAT64:
        memcpy(&f64, c->values + 8 * row, 8);
        return trip_float_equal(((const double *)v->values)[i], f64);
    case DN_TYPE_INT64:
    case DN_TYPE_TIMESTAMP:
        memcpy(&i64, c->values + 8 * row, 8);
        return ((const int64_t *)v->values)[i] == i64;
    default: {
        size_t len;
        const uint8_t *text = dn_column_text(v, at, &len);
        return len == (size_t)(c->starts[row + 1] - c->starts[row]) &&
               memcmp(text, c->bytes.data + c->starts[row], len) == 0;
    }
    }
}

static inline void trip_compare(const struct trip *t, const struct ArrowSchema *schema,
                                const struct ArrowArray *batch, int64_t first, bool inferred)
{
    for (int64_t i = 0; i < t->n_columns; i++) {
        const struct trip_column *c = &t->columns[i];
        const struct dn_type type = inferred ? trip_inferred_type(t, c) : trip_read_type(c->type);
        struct dn_column_view v;
        struct dn_field field;
        assert_int_equal(dn_schema_get_field(schema, i, &field, NULL), DN_OK);
        assert_int_equal(dn_batch_get_column(batch, i, &field, &v, NULL), DN_OK);
        if (strcmp(field.name, c->name) != 0 ||
            (type.id != DN_TYPE_COUNT && !dn_type_equal(field.type, type))) {
            fail_msg("seed %llu: column '%s' (%s) came back as '%s' (%s)",
                     (unsigned long long)t->seed, c->name, DN_TYPE_TEXT(c->type), field.name,
                     DN_TYPE_TEXT(field.type));
        }
        for (int64_t at = 0; at < batch->length && type.id != DN_TYPE_COUNT; at++) {
            const bool valid = dn_bit_get(c->validity, first + at);
            if (dn_column_is_valid(&v, at) != valid ||
                (valid && !trip_equal(c, first + at, &v, at))) {
                fail_msg("seed %llu: column '%s' (%s), row %lld: another value",
                         (unsigned long long)t->seed, c->name, DN_TYPE_TEXT(c->type),
                         (long long)(first + at));
            }
        }
    }
}

/* Read the file and compare; DN_ERR_TYPE: it has to be read with other types. */
static inline enum dn_status trip_read(const struct trip *t, const char *path,
                                       const struct dn_csv_options *o, bool inferred,
                                       struct dn_error *err)
{
    struct dn_csv_reader *r = NULL;
    struct ArrowSchema schema = {0};
    int64_t n_rows = 0;

    enum dn_status st = dn_csv_reader_open(&r, &path, 1, o, err);
    if (st != DN_OK) {
        return st;
    }
    assert_int_equal(dn_csv_reader_schema(r, &schema, NULL), DN_OK);
    assert_int_equal(schema.n_children, t->n_columns);
    for (;;) {
        struct ArrowArray batch;
        st = dn_csv_reader_next(r, &batch, err);
        if (st != DN_OK || batch.release == NULL) {
            break;
        }
        assert_true(n_rows + batch.length <= t->n_rows);
        trip_compare(t, &schema, &batch, n_rows, inferred);
        n_rows += batch.length;
        batch.release(&batch);
    }
    if (st == DN_OK && n_rows != t->n_rows) {
        fail_msg("seed %llu: %lld rows of %lld", (unsigned long long)t->seed, (long long)n_rows,
                 (long long)t->n_rows);
    }
    schema.release(&schema);
    dn_csv_reader_close(r);
    return st;
}

static inline void trip_check(const struct trip *t, enum dn_status st, const struct dn_error *err)
{
    if (st != DN_OK) {
        fail_msg("seed %llu: %s", (unsigned long long)t->seed, err->message);
    }
}

static inline void trip_read_back(const struct trip *t, const char *path)
{
    struct dn_csv_options o = rig_options();
    struct dn_csv_column_type types[TRIP_COLUMNS];
    struct ArrowSchema found;
    struct dn_error err;

    o.delimiter = t->delimiter;
    o.quote = t->quote;
    o.strict = true;
    o.null_values = &t->null_text;
    o.n_null_values = t->null_text != NULL;
    o.types = types;
    for (int64_t i = 0; i < t->n_columns; i++) {
        types[i] = (struct dn_csv_column_type){
            t->columns[i].name, DN_TYPE_TEXT(trip_read_type(t->columns[i].type)), true};
    }
    o.n_types = (size_t)t->n_columns;
    trip_check(t, trip_read(t, path, &o, false, &err), &err);
    o.n_types = 0;
    enum dn_status st = trip_read(t, path, &o, true, &err);
    if (st == DN_ERR_TYPE) { /* what a host does: look at all values, and start over */
        trip_check(t, dn_csv_find_types(&found, &path, 1, &o, &err), &err);
        for (int64_t i = 0; i < t->n_columns; i++) {
            struct dn_field field;
            assert_int_equal(dn_schema_get_field(&found, i, &field, NULL), DN_OK);
            types[i] =
                (struct dn_csv_column_type){t->columns[i].name, DN_TYPE_TEXT(field.type), false};
        }
        o.n_types = (size_t)t->n_columns;
        st = trip_read(t, path, &o, true, &err);
        found.release(&found);
    }
    trip_check(t, st, &err);
}

static inline bool trip_same_files(const char *a, const char *b)
{
    const size_t size = (size_t)64 << 20;
    char *data = malloc(2 * size);

    assert_non_null(data);
    const ssize_t n = scratch_read(a, data, size);
    const bool same = n >= 0 && (size_t)n < size && scratch_read(b, data + size, size) == n &&
                      memcmp(data, data + size, (size_t)n) == 0;
    free(data);
    return same;
}

/* The bytes do not depend on batches, threads and memory. */
static inline void trip_same_bytes(struct trip *t, const char *path)
{
    const char *again = scratch_path(rig_dir, "again.csv");
    struct dn_error err;

    for (int i = 0; i < 2; i++) {
        const struct dn_csv_write_options o = trip_options(t);
        trip_check(t, trip_write(t, again, &o, i == 0 ? 7 : 0, &err), &err);
        if (!trip_same_files(path, again)) {
            fail_msg("seed %llu: other bytes", (unsigned long long)t->seed);
        }
    }
}

static inline void trip_run(uint64_t seed, int64_t most_rows)
{
    struct trip t;
    struct dn_error err;
    const char *path = scratch_path(rig_dir, "trip.csv");

    trip_make(&t, seed, most_rows);
    const struct dn_csv_write_options o = trip_options(&t);
    trip_check(&t, trip_write(&t, path, &o, 0, &err), &err);
    trip_read_back(&t, path);
    if (seed % 8 == 0) {
        trip_same_bytes(&t, path);
    }
    trip_finish(&t);
}

#endif
