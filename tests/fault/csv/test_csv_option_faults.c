/*
 * Every allocation fails once while the reader does what options ask of it: a clean error each time, or the very rows, names, rejects and
 * pieces that there are when none fails.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "dativo/csv.h"
#include "json/records.h"

#include "scratch.h"

static char dir[512];
static char paths_room[2][512];
static const char *const paths[] = {paths_room[0], paths_room[1]};

static int make_dir(void **state)
{
    (void)state;
    scratch_make(dir);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    scratch_remove(dir);
    return 0;
}

static void write_file(size_t i, const char *text)
{
    (void)snprintf(paths_room[i], sizeof paths_room[i], "%s",
                   scratch_path(dir, i == 0 ? "a.csv" : "b.csv"));
    FILE *f = fopen(paths[i], "wb");

    assert_non_null(f);
    assert_int_equal(fputs(text, f) >= 0 && fclose(f) == 0, 1);
}

/* What was seen in one run. */
struct seen {
    struct dn_buffer text;
    enum dn_status st; /* of adding to it */
};

static void see_reject(void *ctx, const struct dn_csv_reject *r)
{
    struct seen *seen = ctx;

    if (seen->st == DN_OK) {
        seen->st = dn_buffer_append(&seen->text, r->code, strlen(r->code), NULL);
    }
    if (seen->st == DN_OK) {
        seen->st = dn_buffer_append(&seen->text, r->raw, r->raw_len, NULL);
    }
}

/* Row by row, so that it does not matter how they were cut into batches. */
static enum dn_status see_rows(struct seen *seen, const struct ArrowSchema *schema,
                               const struct ArrowArray *batch, struct dn_error *err)
{
    for (int64_t row = 0; row < batch->length; row++) {
        DN_TRY(dn_records_write(&seen->text, schema, batch, row, 1, err));
    }
    return DN_OK;
}

static enum dn_status see_reader(struct seen *seen, struct dn_csv_reader *r, struct dn_error *err)
{
    struct ArrowSchema schema = {0};
    struct ArrowArray batch = {0};
    enum dn_status st = dn_csv_reader_schema(r, &schema, err);

    while (st == DN_OK) {
        st = dn_csv_reader_next(r, &batch, err);
        if (st != DN_OK || batch.release == NULL) {
            break;
        }
        st = see_rows(seen, &schema, &batch, err);
        batch.release(&batch);
    }
    if (schema.release != NULL) {
        schema.release(&schema);
    }
    dn_csv_reader_close(r);
    return st == DN_OK ? seen->st : st;
}

typedef enum dn_status (*run_fn)(struct seen *seen, const struct dn_csv_options *o, size_t n_paths,
                                 struct dn_error *err);

static enum dn_status read_all(struct seen *seen, const struct dn_csv_options *o, size_t n_paths,
                               struct dn_error *err)
{
    struct dn_csv_reader *r = NULL;

    DN_TRY(dn_csv_reader_open(&r, paths, n_paths, o, err));
    return see_reader(seen, r, err);
}

/* The places of all pieces, and the rows of each. */
static enum dn_status read_pieces(struct seen *seen, const struct dn_csv_options *o, size_t n_paths,
                                  struct dn_error *err)
{
    const struct dn_csv_split_options how = {.struct_size = sizeof(how), .target_bytes = 40};
    char *list = NULL;
    enum dn_status st = dn_csv_find_splits(&list, paths, n_paths, o, &how, err);

    for (char *at = list; st == DN_OK && (at = strstr(at, "{\"token\":\"")) != NULL;) {
        struct dn_csv_reader *r = NULL;
        char *token = at + strlen("{\"token\":\"");
        char *end = token; /* of the token without its escapes, in its place */
        for (at = token; *at != '"'; at++) {
            at += *at == '\\' ? 1 : 0;
            *end++ = *at;
        }
        *end = '\0';
        at++;
        st = dn_csv_split_open(&r, token, paths, n_paths, o, NULL, err);
        if (st == DN_OK) {
            st = see_reader(seen, r, err);
        }
    }
    dn_csv_free(list);
    return st;
}

static enum dn_status find_types(struct seen *seen, const struct dn_csv_options *o, size_t n_paths,
                                 struct dn_error *err)
{
    struct ArrowSchema schema = {0};

    DN_TRY(dn_csv_find_types(&schema, paths, n_paths, o, err));
    for (int64_t i = 0; i < schema.n_children && seen->st == DN_OK; i++) {
        const char *format = schema.children[i]->format;
        seen->st = dn_buffer_append(&seen->text, format, strlen(format) + 1, err);
    }
    schema.release(&schema);
    return seen->st;
}

/* What is said of the files, down to the lines of the values that made the types. */
static enum dn_status see_look(struct seen *seen, const struct dn_csv_options *o, size_t n_paths,
                               enum dn_csv_explained what, struct dn_error *err)
{
    struct dn_csv_reader *r = NULL;
    char *json = NULL;

    DN_TRY(dn_csv_explain_open(&r, what, paths, n_paths, o, err));
    enum dn_status st = dn_csv_explain(r, &json, err);
    if (st == DN_OK) {
        st = dn_buffer_append(&seen->text, json, strlen(json), err);
    } else {
        assert_null(json);
    }
    dn_csv_free(json);
    dn_csv_reader_close(r);
    return st;
}

static enum dn_status explain_sample(struct seen *seen, const struct dn_csv_options *o,
                                     size_t n_paths, struct dn_error *err)
{
    return see_look(seen, o, n_paths, DN_CSV_EXPLAIN_SAMPLE, err);
}

static enum dn_status explain_all(struct seen *seen, const struct dn_csv_options *o, size_t n_paths,
                                  struct dn_error *err)
{
    return see_look(seen, o, n_paths, DN_CSV_EXPLAIN_ALL, err);
}

static enum dn_status explain_dialects(struct seen *seen, const struct dn_csv_options *o,
                                       size_t n_paths, struct dn_error *err)
{
    return see_look(seen, o, n_paths, DN_CSV_EXPLAIN_DIALECTS, err);
}

/* @param holds  a part of what is seen, which shows that the options had their effect */
static void sweep(run_fn run, struct dn_csv_options *o, size_t n_paths, const char *holds)
{
    struct seen right = {0};
    struct dn_error err = {0};
    size_t n_failed = 0;

    o->struct_size = sizeof(*o);
    o->n_threads = 1;
    o->block_bytes = 64;
    o->reject_ctx = &right;
    if (run(&right, o, n_paths, &err) != DN_OK ||
        dn_buffer_append_byte(&right.text, 0, NULL) != DN_OK) {
        fail_msg("%s", err.message);
    }
    if (strstr((const char *)right.text.data, holds) == NULL) {
        fail_msg("%s is not in %s", holds, (const char *)right.text.data);
    }
    for (uint64_t n = 1;; n++) {
        struct seen seen = {0};
        o->reject_ctx = &seen;
        err = (struct dn_error){0};
        dn_memory_fail_at(n);
        const enum dn_status st = run(&seen, o, n_paths, &err);
        const uint64_t counted = dn_memory_fail_at(0);
        if (st == DN_OK) { /* perhaps it could do without, such as the line of a message */
            assert_int_equal(seen.text.len + 1, right.text.len);
            assert_memory_equal(seen.text.data, right.text.data, seen.text.len);
        } else if (seen.st == DN_OK && (st != DN_ERR_MEMORY || err.message[0] == '\0')) {
            fail_msg("allocation %d: status %d: %s", (int)n, (int)st, err.message);
        }
        dn_buffer_finish(&seen.text);
        n_failed += st != DN_OK ? 1 : 0;
        if (counted < n) {
            assert_int_equal(st, DN_OK);
            break;
        }
    }
    dn_buffer_finish(&right.text);
    assert_true(n_failed > 10);
}

/* ---- what the options ask for ------------------------------------------------------------------------------------- */

static void structure(void **state)
{
    struct dn_csv_options o = {.delimiter_text = "||",
                               .escape = '\\',
                               .comment = '#',
                               .trim = true,
                               .skip_rows = 1,
                               .skip_after_header = 1,
                               .skip_footer = 1};

    (void)state;
    write_file(
        0,
        "a report\nid||name\n--||--\n1|| x \n#no row\n2||\"q\\\"z\"\n3||a\\||b\n\n4||y\nsum||4\n");
    sweep(read_all, &o, 1, "[{\"id\":2,\"name\":\"q\\\"z\"}]");
}

static void names_and_columns(void **state)
{
    static const struct dn_csv_rename renames[] = {{"order_id", "id"}, {"#3", "price"}};
    static const char *const columns[] = {"price", "id"};
    static const char *const exclude[] = {"comment"};
    static const char *const required[] = {"id"};
    struct dn_csv_options o = {.names = DN_CSV_NAMES_SNAKE_CASE,
                               .renames = renames,
                               .n_renames = 2,
                               .renames_stride = sizeof(renames[0]),
                               .required = required,
                               .n_required = 1,
                               .header_row = 2};

    (void)state;
    write_file(
        0, "of today,,,\nOrder ID,Order-ID,Preis in \xe2\x82\xac,Comment\n1,2,3.5,x\n4,5,6.5,\n");
    o.columns = columns;
    o.n_columns = 2;
    sweep(read_all, &o, 1, "[{\"price\":6.5,\"id\":4}]");
    o.columns = NULL;
    o.n_columns = 0;
    o.exclude = exclude;
    o.n_exclude = 1;
    sweep(read_all, &o, 1, "[{\"id\":4,\"order_id_1\":5,\"price\":6.5}]");
}

static void values(void **state)
{
    static const struct dn_csv_column_text dates[] = {{NULL, "%d.%m.%Y"}, {"day", "%d. %b %Y"}};
    static const struct dn_csv_column_text times[] = {{NULL, "%I:%M %p"}};
    static const struct dn_csv_column_text stamps[] = {{NULL, "%d.%m.%Y %H:%M"}};
    static const struct dn_csv_column_text nulls[] = {{"n", "-"}, {"word", "none"}};
    static const char *const yes[] = {"ja"};
    static const char *const no[] = {"nein"};
    struct dn_csv_options o = {.delimiter = ';',
                               .decimal = ',',
                               .thousands = ".",
                               .quoted_nulls = true,
                               .date_formats = dates,
                               .n_date_formats = 2,
                               .time_formats = times,
                               .n_time_formats = 1,
                               .timestamp_formats = stamps,
                               .n_timestamp_formats = 1,
                               .column_null_values = nulls,
                               .n_column_null_values = 2,
                               .true_values = yes,
                               .n_true_values = 1,
                               .false_values = no,
                               .n_false_values = 1};

    (void)state;
    write_file(0, "n;day;other;at;when;is;word\n1.234,5;1. Feb 2024;31.12.2024;1:05 PM;1.2.2024 "
                  "3:04;ja;\"none\"\n"
                  "-;2. Mar 2024;30.12.2024;11:05 AM;1.2.2024 3:05;nein;a\n");
    sweep(read_all, &o, 1, "\"day\":\"2024-02-01\"");
    sweep(find_types, &o, 1, "g");
}

static void rows_set_aside(void **state)
{
    static const struct dn_csv_column_type types[] = {{"id", "int64", true}};
    struct dn_csv_options o = {.types = types,
                               .n_types = 1,
                               .types_stride = sizeof(types[0]),
                               .max_rejects = 9,
                               .reject = see_reject,
                               .ragged = DN_CSV_RAGGED_NULL};

    (void)state;
    write_file(0, "id,name\n1,a\nx,b\n2\n3,c,d\n4,\"\xff\"\n5,e\n");
    sweep(read_all, &o, 1, "typex,b");
    o.ragged = DN_CSV_RAGGED_SKIP;
    sweep(read_all, &o, 1, "[{\"id\":5,\"name\":\"e\"}]");
    o.has_limit = true;
    o.limit = 3;
    sweep(read_all, &o, 1, "typex,b");
}

static void files_of_different_columns(void **state)
{
    struct dn_csv_options o = {.union_by_name = true, .batch_rows = 1};

    (void)state;
    write_file(0, "a,b\n1,x\n2,y\n");
    write_file(1, "b,c\nz,2024-01-01\n");
    sweep(read_all, &o, 2, "[{\"a\":null,\"b\":\"z\",\"c\":\"2024-01-01\"}]");
    sweep(find_types, &o, 2, "l");
}

static void a_dialect_that_is_looked_for(void **state)
{
    static const char *const names[] = {"n", "who", "d"};
    struct dn_csv_options o = {.detect = DN_CSV_DETECT_DELIMITER | DN_CSV_DETECT_QUOTE |
                                         DN_CSV_DETECT_HEADER | DN_CSV_DETECT_SKIP_ROWS |
                                         DN_CSV_DETECT_COMMENT | DN_CSV_DETECT_ESCAPE};

    (void)state;
    write_file(
        0, "id\t'name'\tday\n1\t'a\tb'\t2024-01-01\n2\t'c'\t2024-01-02\n3\t'd, e'\t2024-01-03\n");
    sweep(read_all, &o, 1, "[{\"id\":1,\"name\":\"a\\tb\"");
    o.detect = DN_CSV_DETECT_DELIMITER | DN_CSV_DETECT_QUOTE;
    o.header = DN_CSV_HEADER_NO;
    o.header_names = names;
    o.n_header_names = 3;
    sweep(read_all, &o, 1, "\"who\":\"d, e\"");
}

static void looks(void **state)
{
    struct dn_csv_options o = {.union_by_name = true};

    (void)state;
    write_file(0, "a,b\n1,2024-01-01\n2,2024-01-02\n3,x\n4,2024-01-03\n");
    write_file(1, "b,c\ny,1\nz,1.5\n");
    sweep(explain_sample, &o, 2, "\"line\":4,\"value\":\"x\"");
    sweep(explain_all, &o, 2, "\"line\":3,\"value\":\"1.5\"");
    o.union_by_name = false;
    o.detect = DN_CSV_DETECT_DELIMITER | DN_CSV_DETECT_QUOTE;
    sweep(explain_dialects, &o, 1, "\"delimiter\":\",\"");
}

static void pieces(void **state)
{
    struct dn_csv_options o = {0};

    (void)state;
    write_file(0, "a,b\n1,\"x\ny\"\n2,\"z\"\n3,a long text that takes some "
                  "room\n4,w\n5,v\n6,another long text\n");
    sweep(read_pieces, &o, 1, "[{\"a\":6,\"b\":\"another long text\"}]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(structure),
        cmocka_unit_test(names_and_columns),
        cmocka_unit_test(values),
        cmocka_unit_test(rows_set_aside),
        cmocka_unit_test(files_of_different_columns),
        cmocka_unit_test(a_dialect_that_is_looked_for),
        cmocka_unit_test(looks),
        cmocka_unit_test(pieces),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
