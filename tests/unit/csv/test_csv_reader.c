/* The reader against an independent oracle: every tier, thread count and block size gives the same rows. */
#include "scratch.h"

#include "arrow/batch.h"
#include "csv_oracle.h"
#include "dativo/csv.h"
#include "simd/kernels.h"
#include "text/format.h"

#define MAX_TEXT ((size_t)1 << 21)

static uint64_t seed_state;

static uint32_t rnd(uint32_t n)
{
    seed_state = seed_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed_state >> 33) % n;
}

static const char *write_file(const char *text, size_t len)
{
    static char path[512];
    snprintf(path, sizeof(path), "%s/csv_reader_%d.csv", DN_TEST_TMP, (int)getpid());
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
    return path;
}

/* ---- all rows as text, in a form that shows type, null and value ---- */

struct dump {
    char *text;
    size_t len;
    enum dn_status status;
    struct dn_error error;
};

static void dump_append(struct dump *d, const void *bytes, size_t len)
{
    if (d->text == NULL) {
        d->text = malloc(8 * MAX_TEXT);
        assert_non_null(d->text);
    }
    assert_true(d->len + len < 8 * MAX_TEXT);
    memcpy(d->text + d->len, bytes, len);
    d->len += len;
}

static void dump_cell(struct dump *d, const struct dn_column_view *c, int64_t row)
{
    char buf[DN_FORMAT_MAX + 32];
    size_t n = 0;

    if (!dn_column_is_valid(c, row)) {
        dump_append(d, "\x01", 1);
        return;
    }
    const int64_t i = c->offset + row;
    switch (c->type.id) {
    case DN_TYPE_BOOL:
        n = (size_t)sprintf(buf, "b%d", dn_bit_get(c->values, i));
        break;
    case DN_TYPE_INT64:
        n = (size_t)sprintf(buf, "i%lld", (long long)((const int64_t *)c->values)[i]);
        break;
    case DN_TYPE_FLOAT64:
        n = (size_t)sprintf(buf, "f%a", ((const double *)c->values)[i]);
        break;
    case DN_TYPE_DATE32:
        n = (size_t)sprintf(buf, "d%d", ((const int32_t *)c->values)[i]);
        break;
    case DN_TYPE_TIMESTAMP:
        n = (size_t)sprintf(buf, "t%lld", (long long)((const int64_t *)c->values)[i]);
        break;
    case DN_TYPE_UTF8_VIEW: {
        size_t len;
        const uint8_t *text = dn_column_text(c, row, &len);
        dump_append(d, "s", 1);
        dump_append(d, text, len);
        return;
    }
    default:
        fail_msg("unexpected type %s", DN_TYPE_TEXT(c->type));
    }
    dump_append(d, buf, n);
}

static void dump_batch(struct dump *d, const struct ArrowSchema *schema,
                       const struct ArrowArray *batch)
{
    struct dn_column_view views[64];

    assert_true(schema->n_children <= 64);
    for (int64_t c = 0; c < schema->n_children; c++) {
        struct dn_field field;
        assert_int_equal(dn_schema_get_field(schema, c, &field, NULL), DN_OK);
        assert_int_equal(dn_batch_get_column(batch, c, &field, &views[c], NULL), DN_OK);
    }
    for (int64_t r = 0; r < batch->length; r++) {
        for (int64_t c = 0; c < schema->n_children; c++) {
            dump_cell(d, &views[c], r);
            dump_append(d, "\x02", 1);
        }
        dump_append(d, "\x03", 1);
    }
}

static void read_all(const char *path, const struct dn_csv_options *options, struct dump *d)
{
    struct dn_csv_reader *r = NULL;
    struct ArrowSchema schema;
    struct ArrowArray batch;

    d->len = 0;
    d->status = dn_csv_reader_open(&r, &path, 1, options, &d->error);
    if (d->status != DN_OK) {
        return;
    }
    assert_int_equal(dn_csv_reader_schema(r, &schema, NULL), DN_OK);
    for (;;) {
        d->status = dn_csv_reader_next(r, &batch, &d->error);
        if (d->status != DN_OK || batch.release == NULL) {
            break;
        }
        assert_true(batch.length > 0);
        assert_true(options->batch_rows == 0 || batch.length <= options->batch_rows);
        dump_batch(d, &schema, &batch);
        batch.release(&batch);
    }
    schema.release(&schema);
    dn_csv_reader_close(r);
}

/* ---- random texts ---- */

struct random_shape {
    const char *alphabet;
    bool cr_mode;
};

/* Rows of n_fields fields, some quoted, some with stray quotes, ended in mixed ways. */
static size_t random_csv(char *out, size_t max, size_t n_fields, bool cr_mode, bool strays)
{
    static const char plain[] = "abc 019.-\xc3\xa9,";
    size_t n = 0;

    while (n + 400 < max) {
        for (size_t c = 0; c < n_fields; c++) {
            const uint32_t kind = rnd(8);
            if (c > 0) {
                out[n++] = ',';
            }
            if (kind < 3) { /* quoted */
                const size_t from = n;
                out[n++] = '"';
                for (uint32_t k = rnd(rnd(4) == 0 ? 90 : 12); k > 0; k--) {
                    switch (rnd(7)) {
                    case 0:
                        out[n++] = '"';
                        out[n++] = '"';
                        break;
                    case 1:
                        out[n++] = '\n';
                        break;
                    case 2:
                        out[n++] = ',';
                        break;
                    case 3:
                        out[n++] = '\r';
                        break;
                    default:
                        out[n++] = (char)('a' + rnd(26));
                    }
                }
                out[n++] = '"';
                /* with row ends in it, it would be an error */
                const bool lines = memchr(out + from, cr_mode ? '\r' : '\n', n - from) != NULL;
                if (strays && !lines && rnd(10) == 0) {
                    out[n++] = 'x';
                    out[n++] = rnd(2) ? '"' : 'y';
                }
            } else if (kind < 7) {
                for (uint32_t k = rnd(9); k > 0; k--) {
                    out[n++] = plain[rnd(9)];
                }
                if (strays && rnd(12) == 0) {
                    out[n++] = 'z';
                    out[n++] = '"';
                }
            }
        }
        if (rnd(30) == 0 && n_fields > 1) {
            out[n++] = cr_mode ? '\r' : '\n';
        }
        if (cr_mode) {
            out[n++] = '\r';
        } else {
            if (rnd(3) == 0) {
                out[n++] = '\r';
            }
            out[n++] = '\n';
        }
    }
    if (rnd(2) == 0 && n > 0) {
        n--; /* no row end at the end of the file */
    }
    return n;
}

/* What the reader must give, from the oracle; rows behind the first, blank rows as documented. */
static void dump_oracle(const struct oracle *o, size_t n_fields, struct dump *d)
{
    d->len = 0;
    for (size_t r = 1; r < o->n_rows; r++) {
        const struct oracle_cell *cells = o->cells + o->row_first[r];
        if (o->row_cells[r] == 1 && n_fields > 1 && cells[0].null) {
            continue;
        }
        assert_int_equal(o->row_cells[r], n_fields);
        for (size_t c = 0; c < n_fields; c++) {
            if (cells[c].null) {
                dump_append(d, "\x01", 1);
            } else {
                dump_append(d, "s", 1);
                dump_append(d, cells[c].text, cells[c].len);
            }
            dump_append(d, "\x02", 1);
        }
        dump_append(d, "\x03", 1);
    }
}

static void expect_same(const struct dump *want, const struct dump *got, const char *what)
{
    if (got->status != DN_OK) {
        fail_msg("%s: %s", what, got->error.message);
    }
    const size_t n = want->len < got->len ? want->len : got->len;
    size_t i = 0;
    while (i < n && want->text[i] == got->text[i]) {
        i++;
    }
    if (i < n || want->len != got->len) {
        const size_t from = i > 40 ? i - 40 : 0;
        fail_msg("%s: differs at byte %zu of %zu/%zu: want \"%.*s\" got \"%.*s\"", what, i,
                 want->len, got->len, (int)(want->len - from < 80 ? want->len - from : 80),
                 want->text + from, (int)(got->len - from < 80 ? got->len - from : 80),
                 got->text + from);
    }
}

static const size_t block_sizes[] = {1, 2, 3, 7, 64, 65, 200, 1000, 4096, 0};

/* A '\r' alone before the end of the file is no row, wherever blocks are cut and however many columns there are. */
static void test_carriage_return_alone_at_the_end(void **state)
{
    static const struct {
        const char *text;
        const char *rows;
    } cases[] = {
        {"h\n1\n\r", "s1\x02\x03"},
        {"h\n\r", ""},
        {"h\n1\r", "s1\x02\x03"},
        {"h\n1\n\r\n", "s1\x02\x03\x01\x02\x03"},
        {"h\n1\n\r\n\r", "s1\x02\x03\x01\x02\x03"},
        {"h\r\n\r\n2\n\r", "\x01\x02\x03s2\x02\x03"},
        {"h\n1\n\r\r", "s1\x02\x03s\r\x02\x03"},
        {"h\n1\n\"\n\r\"", "s1\x02\x03s\n\r\x02\x03"},
        {"h,i\n1,2\n\r", "s1\x02s2\x02\x03"},
        {"h,i\n1,2\n\r\n\r", "s1\x02s2\x02\x03"},
    };
    struct dump got = {0};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *path = write_file(cases[i].text, strlen(cases[i].text));
        for (size_t b = 0; b < sizeof(block_sizes) / sizeof(block_sizes[0]); b++) {
            for (uint32_t threads = 1; threads <= 3; threads++) {
                struct dn_csv_options options = {.struct_size = sizeof(options),
                                                 .inference = DN_CSV_INFER_STRINGS,
                                                 .block_bytes = block_sizes[b],
                                                 .n_threads = threads};
                read_all(path, &options, &got);
                struct dump want = {.text = (char *)(uintptr_t)cases[i].rows,
                                    .len = strlen(cases[i].rows)};
                expect_same(&want, &got, cases[i].text);
            }
        }
    }
    free(got.text);
}

static void test_random_against_oracle(void **state)
{
    char *text = malloc(MAX_TEXT);
    struct dump want = {0};
    struct dump got = {0};

    (void)state;
    for (int round = 0; round < (SCRATCH_THREAD_SANITIZED ? 12 : 48); round++) {
        seed_state = 1000 + (uint64_t)round;
        const size_t n_fields = 1 + rnd(5);
        const bool cr_mode = round % 6 == 5;
        const bool strays = round % 2 == 1;
        size_t n = 0;
        for (size_t c = 0; c < n_fields; c++) {
            n += (size_t)sprintf(text + n, "%sc%zu", c > 0 ? "," : "", c);
        }
        text[n++] = cr_mode ? '\r' : '\n';
        n += random_csv(text + n, 500 + rnd(6000), n_fields, cr_mode, strays);
        if (cr_mode) { /* no line feed anywhere, or '\r' would not end rows */
            for (size_t i = 0; i < n; i++) {
                text[i] = text[i] == '\n' ? ' ' : text[i];
            }
        }
        struct oracle o;
        oracle_parse(&o, text, n, ',', '"', cr_mode);
        assert_false(o.unterminated);
        dump_oracle(&o, n_fields, &want);
        const char *path = write_file(text, n);
        for (size_t b = 0; b < sizeof(block_sizes) / sizeof(block_sizes[0]); b++) {
            for (uint32_t threads = 1; threads <= 8; threads = threads * 2 + (threads == 2)) {
                struct dn_csv_options options = {.struct_size = sizeof(options),
                                                 .inference = DN_CSV_INFER_STRINGS,
                                                 .block_bytes = block_sizes[b],
                                                 .n_threads = threads,
                                                 .batch_rows = rnd(3) == 0 ? 1 + rnd(20) : 0};
                char what[100];
                snprintf(what, sizeof(what), "round %d block %zu threads %u", round, block_sizes[b],
                         threads);
                read_all(path, &options, &got);
                expect_same(&want, &got, what);
            }
        }
        oracle_free(&o);
        unlink(path);
    }
    free(text);
    free(want.text);
    free(got.text);
}

/* Typed columns: the same batches and the same error whatever the blocks. */
static void test_typed_blocks_agree(void **state)
{
    static const char *const texts[] = {
        "a,b,c,d,e,f,g\n1,1.5,2024-01-31,2024-01-31 10:00:00,true,x,2024-01-31T10:00:00Z\n"
        "-9223372036854775808,-0.0,0001-01-01,1969-12-31T23:59:59.999999,FALSE,\"q\"\"q\",2024-01-"
        "31T10:00:00+02:00\n"
        ",,,,,,\n\"\",\"\",\"\",\"\",\"\",\"\",\"\"\n9223372036854775807,1e300,9999-12-31,9999-12-"
        "31 23:59:59,False,"
        "\"a\nb\",0001-01-01T00:00Z\n",
        "a,b\n1,x\n2,y\n3,z\n4,\"w\nw\"\n5,v\n1.5,late\n7,u\n",
        "a,b\n1,x\n2,y\n3,z,extra\n4,w\n",
        "a,b\n1,x\n2,\xff\n3,z\n",
        "a,b\n1,x\n2,\"open\n3,z\n4,\n",
        "a,b\r\n1,x\r\n\r\n2,y\r\n3\r\n4,w\r\n",
    };
    struct dump want = {0};
    struct dump got = {0};

    (void)state;
    for (size_t t = 0; t < sizeof(texts) / sizeof(texts[0]); t++) {
        const char *path = write_file(texts[t], strlen(texts[t]));
        const struct dn_csv_column_type declared = {"a", "int64", true};
        for (size_t b = 0; b < sizeof(block_sizes) / sizeof(block_sizes[0]); b++) {
            for (uint32_t threads = 1; threads <= 4; threads *= 2) {
                struct dn_csv_options options = {.struct_size = sizeof(options),
                                                 .block_bytes = block_sizes[b],
                                                 .n_threads = threads,
                                                 .types = &declared,
                                                 .types_stride = sizeof(declared),
                                                 .n_types = t == 1};
                read_all(path, &options, &got);
                if (b == 0 && threads == 1) {
                    struct dump swap = want;
                    want = got;
                    got = swap;
                    continue;
                }
                assert_int_equal(want.status, got.status);
                if (want.status == DN_OK) {
                    expect_same(&want, &got, texts[t]);
                } else { /* how many rows came out before differs with the blocks; the error does not */
                    assert_string_equal(want.error.message, got.error.message);
                    assert_int_equal(want.error.row, got.error.row);
                    assert_int_equal(want.error.line, got.error.line);
                    assert_int_equal(want.error.byte_offset, got.error.byte_offset);
                    assert_string_equal(want.error.column, got.error.column);
                }
            }
        }
        unlink(path);
    }
    free(want.text);
    free(got.text);
}

static void expect_error(const char *text, const struct dn_csv_options *options,
                         enum dn_status status, int64_t row, int64_t line, int64_t byte,
                         const char *column, const char *message_part)
{
    struct dump got = {0};
    const char *path = write_file(text, strlen(text));

    read_all(path, options, &got);
    unlink(path);
    assert_int_equal(got.status, status);
    assert_int_equal(got.error.row, row);
    assert_int_equal(got.error.line, line);
    assert_int_equal(got.error.byte_offset, byte);
    assert_string_equal(got.error.column, column);
    if (strstr(got.error.message, message_part) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", message_part, got.error.message);
    }
    assert_non_null(strstr(got.error.message, path));
    free(got.text);
}

static void test_errors_name_the_place(void **state)
{
    const struct dn_csv_column_type a_int = {"a", "int64", true};
    const char *const required[] = {"b"};
    struct dn_csv_options plain = {.struct_size = sizeof(plain)};
    struct dn_csv_options declared = {.struct_size = sizeof(declared),
                                      .types = &a_int,
                                      .types_stride = sizeof(a_int),
                                      .n_types = 1};
    struct dn_csv_options require = {
        .struct_size = sizeof(require), .required = required, .n_required = 1};
    struct dn_csv_options strict = {.struct_size = sizeof(strict), .strict = true};

    (void)state;
    expect_error("a,b\n1,x\n1.5,y\n", &declared, DN_ERR_TYPE, 2, 3, 8, "a", "'1.5'");
    expect_error("a,b\n1,x\n2,y,z\n", &plain, DN_ERR_DATA, 2, 3, 8, "",
                 "3 fields where the header has 2");
    expect_error("a,b\n1,x\n2\n", &plain, DN_ERR_DATA, 2, 3, 8, "",
                 "1 field where the header has 2");
    expect_error("a,b\n1,x\n\"2\n\",\xc3\x28\n", &plain, DN_ERR_DATA, 2, 4, 13, "b",
                 "invalid UTF-8");
    expect_error("a,b\n1,\"x\n2,y\n", &plain, DN_ERR_DATA, -1, 2, 6, "", "never closed");
    expect_error("a,b\n1,x\n2,\n", &require, DN_ERR_DATA, 2, 3, 10, "b", "required");
    expect_error("a,b\n1,x\n2,12\" tube\n", &strict, DN_ERR_DATA, 2, 3, 12, "b", "strict");
    expect_error("", &plain, DN_ERR_DATA, -1, 1, 0, "", "empty");
    expect_error("\xff\xfe"
                 "a",
                 &plain, DN_ERR_DATA, -1, 1, 3, "", "no text in UTF-16LE");
    expect_error("PK\x03\x04", &plain, DN_ERR_UNSUPPORTED, -1, 1, 0, "", "zip archive");
}

static void expect_types(const char *text, const char *formats)
{
    struct dn_csv_options options = {.struct_size = sizeof(options)};
    struct dn_csv_reader *r = NULL;
    struct ArrowSchema schema;
    struct dn_error err;
    char got[400] = "";
    const char *path = write_file(text, strlen(text));

    if (dn_csv_reader_open(&r, &path, 1, &options, &err) != DN_OK) {
        fail_msg("%s", err.message);
    }
    assert_int_equal(dn_csv_reader_schema(r, &schema, NULL), DN_OK);
    for (int64_t i = 0; i < schema.n_children; i++) {
        strcat(got, i > 0 ? " " : "");
        strcat(got, schema.children[i]->format);
    }
    schema.release(&schema);
    dn_csv_reader_close(r);
    unlink(path);
    assert_string_equal(got, formats);
}

static void test_inference(void **state)
{
    (void)state;
    expect_types("a\n1\n2\n", "l");
    expect_types("a\n1\n2.5\n", "g");
    expect_types("a\n1e5\n1\n", "g");
    expect_types("a\n00501\n2\n", "vu");
    expect_types("a\n+1\n", "vu");
    expect_types("a\n9223372036854775808\n1\n", "L");
    expect_types("a\n9223372036854775808\n-1\n", "vu");
    expect_types("a,b,c,d\n18446744073709551616,10:11:12.5,.5,2024-01-01 00:00:00 "
                 "UTC\n1,23:59:59,5.,2024-01-01 00:00:00 +0100\n",
                 "vu ttu g tsu:UTC");
    expect_types("a\n9007199254740993\n1.5\n", "vu"); /* no double holds 2^53+1 */
    expect_types("a\n9007199254740993\n1\n", "l");
    expect_types("a\nnan\n1.5\n", "g");
    expect_types("a\nnan\n1\n", "g"); /* whatever comes next to nan: the same in every order */
    expect_types("a\nnan\n9007199254740993\n", "vu");
    expect_types("a\ninf\n", "g");
    expect_types("a\ninf\nx\n", "vu");
    expect_types("a\n-0\n", "g");
    expect_types("a\n-0\n1\n", "g");
    expect_types("a\n1\n-0\n", "g");
    expect_types("a\n9007199254740993\n-0\n", "vu");
    expect_types("a\n-00\n1\n", "vu");
    expect_types("a\ntrue\nFALSE\n", "b");
    expect_types("a\n0\n1\n", "l");
    expect_types("a\n2024-02-29\n", "tdD");
    expect_types("a\n2023-02-29\n", "vu");
    expect_types("a\n01/02/2024\n", "vu");
    expect_types("a\n2024-02-29 10:00:00\n2024-02-29T10:00\n", "tsu:");
    expect_types("a\n2024-02-29 10:00:00Z\n", "tsu:UTC");
    expect_types("a\n2024-02-29 10:00:00Z\n2024-02-29 10:00:00\n", "vu");
    expect_types("a\n2024-02-29\n2024-02-29 10:00:00\n", "vu");
    expect_types("a,b\n1,\n2,\n", "l vu");
    expect_types("a\n\"1\"\n\"2\"\n", "l");
    expect_types("a\n\"1\"\n2\n", "l");
    expect_types("a\n1\n\"2\"\n", "vu"); /* as our writer has texts */
    expect_types("a\n\"1,234\"\n", "vu");
}

static void test_spectrum(void **state)
{
    /* What csv-spectrum's JSON files say, cell by cell in our dump's form (strings; header first in the file). */
    static const struct {
        const char *name;
        const char *rows;
    } cases[] = {
        {"simple", "s1\x02s2\x02s3\x02\x03"},
        {"simple_crlf", "s1\x02s2\x02s3\x02\x03"},
        {"comma_in_quotes", "sJohn\x02sDoe\x02s120 any st.\x02sAnytown, WW\x02s08123\x02\x03"},
        {"empty", "s1\x02s\x02s\x02\x03s2\x02s3\x02s4\x02\x03"},
        {"empty_crlf", "s1\x02s\x02s\x02\x03s2\x02s3\x02s4\x02\x03"},
        {"escaped_quotes", "s1\x02sha \"ha\" ha\x02\x03s3\x02s4\x02\x03"},
        {"json", "s1\x02s{\"type\": \"Point\", \"coordinates\": [102.0, 0.5]}\x02\x03"},
        {"newlines",
         "s1\x02s2\x02s3\x02\x03sOnce upon \na time\x02s5\x02s6\x02\x03s7\x02s8\x02s9\x02\x03"},
        {"newlines_crlf",
         "s1\x02s2\x02s3\x02\x03sOnce upon \r\na time\x02s5\x02s6\x02\x03s7\x02s8\x02s9\x02\x03"},
        {"quotes_and_newlines", "s1\x02sha \n\"ha\" \nha\x02\x03s3\x02s4\x02\x03"},
        {"utf8", "s1\x02s2\x02s3\x02\x03s4\x02s5\x02s\xca\xa4\x02\x03"},
    };
    struct dump got = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct dn_csv_options options = {.struct_size = sizeof(options),
                                         .inference = DN_CSV_INFER_STRINGS};
        char path[600];
        snprintf(path, sizeof(path), "%s/csv-spectrum/csvs/%s.csv", DN_TEST_DATA, cases[i].name);
        read_all(path, &options, &got);
        struct dump want = {.text = (char *)(uintptr_t)cases[i].rows, .len = strlen(cases[i].rows)};
        expect_same(&want, &got, cases[i].name);
    }
    free(got.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_carriage_return_alone_at_the_end),
        cmocka_unit_test(test_random_against_oracle),
        cmocka_unit_test(test_typed_blocks_agree),
        cmocka_unit_test(test_errors_name_the_place),
        cmocka_unit_test(test_inference),
        cmocka_unit_test(test_spectrum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
