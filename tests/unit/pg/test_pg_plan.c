/* What is said of connections, names of tables, pieces and errors, without a server. */
#include "pg/fault.h"
#include "pg/params.h"
#include "pg/plan.h"

#include "base/memory.h"
#include "scratch.h"

/* ---- params ------------------------------------------------------------------------------------------------------- */

static void keys_of_hosts_are_understood(void **state)
{
    struct dn_pg_params p = {0};

    (void)state;
    assert_int_equal(dn_pg_params_add(&p, "database", "shop", NULL), DN_OK);
    assert_int_equal(dn_pg_params_add(&p, "PGDATABASE", "other", NULL), DN_OK);
    assert_int_equal(dn_pg_params_add(&p, "username", "me", NULL), DN_OK);
    assert_int_equal(dn_pg_params_add(&p, "port", "", NULL), DN_OK);
    assert_int_equal(dn_pg_params_add(&p, "port", "5433", NULL), DN_OK);
    assert_string_equal(dn_pg_params_get(&p, "dbname"), "shop"); /* what was said first counts */
    assert_string_equal(dn_pg_params_get(&p, "user"), "me");
    assert_string_equal(dn_pg_params_get(&p, "port"), "5433");
    assert_null(dn_pg_params_get(&p, "host"));
    dn_pg_params_finish(&p);
}

static void unknown_keys_are_told(void **state)
{
    struct dn_pg_params p = {0};
    struct dn_error err;

    (void)state;
    assert_int_equal(dn_pg_params_add(&p, "pasword", "hunter22", &err), DN_ERR_CONFIG);
    assert_non_null(strstr(err.message, "'pasword': did you mean 'password'?"));
    assert_null(strstr(err.message, "hunter22"));
    assert_string_equal(err.option, "pasword");
    assert_int_equal(p.n, 0);
}

static void check_dsn_refused(const char *dsn, const char *secret)
{
    struct dn_pg_params p = {0};
    struct dn_error err;

    assert_int_equal(dn_pg_params_add(&p, "dsn", dsn, &err), DN_ERR_CONFIG);
    if (strstr(err.message, secret) != NULL) {
        fail_msg("'%s' tells '%s'", err.message, secret);
    }
    assert_string_equal(err.option, "dsn");
    dn_pg_params_finish(&p);
}

static void dsns_are_read(void **state)
{
    struct dn_pg_params p = {0};
    struct dn_error err;

    (void)state;
    assert_int_equal(dn_pg_params_add(&p, "user", "first", NULL), DN_OK);
    assert_int_equal(dn_pg_params_add(&p, "dsn",
                                      "postgresql://second:p%40ss@db.example:5433/shop?sslmode="
                                      "require",
                                      NULL),
                     DN_OK);
    assert_string_equal(dn_pg_params_get(&p, "user"), "first");
    assert_string_equal(dn_pg_params_get(&p, "password"), "p@ss");
    assert_string_equal(dn_pg_params_get(&p, "host"), "db.example");
    assert_string_equal(dn_pg_params_get(&p, "sslmode"), "require");
    dn_pg_params_finish(&p);
    assert_int_equal(dn_pg_params_add(&p, "url", "host=h dbname='a b'", NULL), DN_OK);
    assert_string_equal(dn_pg_params_get(&p, "dbname"), "a b");
    dn_pg_params_finish(&p);
    check_dsn_refused("postgres://me:hunter22@h/db?pasword=hunter22", "hunter22");
    check_dsn_refused("host=h password=my hunter22", "hunter22");
    check_dsn_refused("host=h password='hunter22", "hunter22");
    check_dsn_refused("host=h password=my hunter22=x", "hunter22");
    check_dsn_refused("postgres://me:one@hunter22@h/db", "hunter22");
    check_dsn_refused("postgresql://me:hunter22/x@h/db", "hunter22");
    check_dsn_refused("postgres://me:22/hunter@h:1/db?sslmode=require", "hunter");
    assert_int_equal(dn_pg_params_add(&p, "dsn", "postgres://h/db?sslmod=require", &err),
                     DN_ERR_CONFIG);
    assert_non_null(strstr(err.message, "did you mean the key 'sslmode'?"));
    dn_pg_params_finish(&p);
}

static void credential_files_are_read(void **state)
{
    static const char text[] = "# of the shop\n\nPGHOST=db.example\r\nexport PGUSER = 'me'\n"
                               "PGPASSWORD=\"a=b #c\"\nAWS_REGION=x\nPGPORT=5433";
    static const char bad[] = "PGHOST=x\nhunter22\n";
    struct dn_pg_params p = {0};
    struct dn_error err;

    (void)state;
    assert_int_equal(dn_pg_params_add_file_text(&p, text, sizeof(text) - 1, NULL), DN_OK);
    assert_string_equal(dn_pg_params_get(&p, "host"), "db.example");
    assert_string_equal(dn_pg_params_get(&p, "user"), "me");
    assert_string_equal(dn_pg_params_get(&p, "password"), "a=b #c");
    assert_string_equal(dn_pg_params_get(&p, "port"), "5433");
    assert_int_equal(p.n, 4);
    dn_pg_params_finish(&p);
    assert_int_equal(dn_pg_params_add_file_text(&p, bad, sizeof(bad) - 1, &err), DN_ERR_CONFIG);
    assert_int_equal(err.line, 2);
    assert_null(strstr(err.message, "hunter22"));
    dn_pg_params_finish(&p);
}

static void passwords_are_hidden(void **state)
{
    struct dn_pg_params p = {0};
    struct dn_error err;

    (void)state;
    assert_int_equal(dn_pg_params_add(&p, "password", "hunter22", NULL), DN_OK);
    (void)dn_error_set(&err, DN_ERR_IO, "hunter22 is no role, hunter22hunter22 neither");
    assert_int_equal(dn_pg_params_hide(&p, DN_ERR_IO, &err), DN_ERR_IO);
    assert_string_equal(err.message, "*** is no role, ****** neither");
    assert_int_equal(dn_pg_params_hide(&p, DN_ERR_IO, NULL), DN_ERR_IO);
    dn_pg_params_finish(&p);
}

/* ---- faults ------------------------------------------------------------------------------------------------------- */

static void states_have_statuses(void **state)
{
    static const struct {
        const char *sqlstate;
        enum dn_status status;
    } cases[] = {
        {"08006", DN_ERR_TEMPORARY},   {"40001", DN_ERR_TEMPORARY}, {"53300", DN_ERR_TEMPORARY},
        {"55P03", DN_ERR_TEMPORARY},   {"57014", DN_ERR_TEMPORARY}, {"57P01", DN_ERR_TEMPORARY},
        {"28P01", DN_ERR_CONFIG},      {"3D000", DN_ERR_CONFIG},    {"42501", DN_ERR_CONFIG},
        {"42P01", DN_ERR_NOT_FOUND},   {"42703", DN_ERR_NOT_FOUND}, {"42601", DN_ERR_INVALID},
        {"22012", DN_ERR_DATA},        {"XX000", DN_ERR_IO},        {"", DN_ERR_IO},
        {"0A000", DN_ERR_UNSUPPORTED}, {NULL, DN_ERR_IO},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(dn_pg_status_of(cases[i].sqlstate), cases[i].status);
    }
}

static void states_are_found_in_texts(void **state)
{
    char out[6];

    (void)state;
    dn_pg_fault_find_sqlstate(out, "connection to server at \"h\", port 5432 failed: FATAL:  28P01:"
                                   " password authentication failed for user \"x\"\n");
    assert_string_equal(out, "28P01");
    dn_pg_fault_find_sqlstate(out, "FATALE :  3D000: la base");
    assert_string_equal(out, "3D000");
    dn_pg_fault_find_sqlstate(out, "FATAL:  no SQLSTATE");
    assert_string_equal(out, "");
    dn_pg_fault_find_sqlstate(out, ":  57P");
    assert_string_equal(out, "");
    dn_pg_fault_find_sqlstate(out, "");
    assert_string_equal(out, "");
}

static void words_of_libpq_are_one_line(void **state)
{
    char out[40];

    (void)state;
    dn_pg_fault_tidy(out, sizeof(out), "one\n\tIs it two?\nLOCATION:  auth.c:1\n\n");
    assert_string_equal(out, "one; Is it two?");
    dn_pg_fault_tidy(out, sizeof(out), "");
    assert_string_equal(out, "");
    dn_pg_fault_tidy(out, sizeof(out), "a line that is much too long for the room\nand one more");
    assert_int_equal(strlen(out), sizeof(out) - 1);
}

static void faults_are_sentences(void **state)
{
    const struct dn_pg_fault fault = {
        .sqlstate = "42501", .message = "permission denied for table t", .column = "c"};
    struct dn_error err;

    (void)state;
    assert_int_equal(dn_pg_fault_set(&err, &fault, "public.t"), DN_ERR_CONFIG);
    assert_string_equal(err.message,
                        "public.t: permission denied for table t (SQLSTATE 42501); "
                        "ask for that right, which of a table is GRANT SELECT, or name "
                        "the columns that may be read");
    assert_string_equal(err.column, "c");
    const struct dn_pg_fault empty = {0};
    assert_int_equal(dn_pg_fault_set(&err, &empty, "x"), DN_ERR_IO);
    assert_string_equal(err.message, "x: the server gave no reason");
}

/* ---- names -------------------------------------------------------------------------------------------------------- */

static void check_name(const char *text, const char *schema, const char *name)
{
    struct dn_arena arena = {0};
    struct dn_pg_name out;

    assert_int_equal(dn_pg_name_read(&out, text, &arena, NULL), DN_OK);
    assert_string_equal(out.name, name);
    assert_int_equal(out.schema == NULL, schema == NULL);
    if (schema != NULL) {
        assert_string_equal(out.schema, schema);
    }
    dn_arena_finish(&arena);
}

static void names_are_read(void **state)
{
    static const char *const bad[] = {"",       ".t",   "s.",        "\"open",
                                      "\"s\"t", "\"\"", "\"a\".\"b", "\"a\".\"b\"c"};
    struct dn_arena arena = {0};
    struct dn_pg_name out;
    struct dn_buffer quoted = {0};

    (void)state;
    check_name("orders", NULL, "orders");
    check_name("Public.Orders", "Public", "Orders");
    check_name("a.b.c", "a", "b.c");
    check_name("\"a.b\".\"c\"\"d\"", "a.b", "c\"d");
    check_name("\"a.b\"", NULL, "a.b");
    check_name("\"s\".t", "s", "t");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(dn_pg_name_read(&out, bad[i], &arena, NULL), DN_ERR_CONFIG);
    }
    assert_int_equal(dn_pg_quote_name(&quoted, "a\"b\"", NULL), DN_OK);
    assert_int_equal(quoted.len, 8);
    assert_memory_equal(quoted.data, "\"a\"\"b\"\"\"", 8);
    dn_buffer_finish(&quoted);
    dn_arena_finish(&arena);
}

/* ---- plans -------------------------------------------------------------------------------------------------------- */

static const struct dn_pg_field fields[] = {
    {.name = "id", .kind = DN_PG_KIND_INT32},
    {.name = "a\"b", .place = 1, .kind = DN_PG_KIND_TEXT, .is_cast = true},
    {.name = "tags", .place = 2, .kind = DN_PG_KIND_TEXT, .is_cast = true, .is_array = true},
};

static struct dn_pg_relation relation(const struct dn_pg_part *parts, size_t n)
{
    return (struct dn_pg_relation){
        .schema = "s",
        .name = "t",
        .kind = parts[0].kind,
        .fields = fields,
        .n_fields = 3,
        .parts = parts,
        .n_parts = n,
        .version = 150000,
    };
}

#define PART(k, blocks)                                                                            \
    {                                                                                              \
        .schema = "s", .name = "t", .kind = (k), .is_heap = true, .is_readable = true,             \
        .n_blocks = (blocks)                                                                       \
    }

static void small_tables_are_one_piece(void **state)
{
    const struct dn_pg_part parts[] = {PART('r', 255)};
    const struct dn_pg_relation rel = relation(parts, 1);
    const struct dn_pg_wish wish = {.n_connections = 4};
    struct dn_arena arena = {0};
    struct dn_pg_plan plan;

    (void)state;
    assert_int_equal(dn_pg_plan_make(&plan, &rel, &wish, &arena, NULL), DN_OK);
    assert_int_equal(plan.n_pieces, 1);
    assert_int_equal(plan.n_connections, 1);
    assert_string_equal(plan.reason, "it is small");
    assert_string_equal(
        plan.pieces[0].select,
        "SELECT \"id\",\"a\"\"b\"::pg_catalog.text,\"tags\"::pg_catalog.text[] FROM "
        "\"s\".\"t\"");
    dn_arena_finish(&arena);
}

static void pages_are_all_there_once(void **state)
{
    const struct dn_pg_part parts[] = {PART('p', 0), PART('r', 3000), PART('r', 0), PART('r', 129)};
    const struct dn_pg_relation rel = relation(parts, 4);
    const size_t columns[] = {0};
    const struct dn_pg_wish wish = {
        .n_connections = 2, .columns = columns, .n_columns = 1, .where = "id > 1 -- most"};
    struct dn_arena arena = {0};
    struct dn_pg_plan plan;
    int64_t n_blocks = 0;
    int64_t next = 0;
    size_t part = 1;

    (void)state;
    assert_int_equal(dn_pg_plan_make(&plan, &rel, &wish, &arena, NULL), DN_OK);
    assert_null(plan.reason);
    assert_int_equal(plan.n_connections, 2);
    for (size_t i = 0; i < plan.n_pieces; i++) {
        const struct dn_pg_piece *piece = &plan.pieces[i];
        char from[60];
        if (piece->part != part) {
            assert_int_equal(piece->part, part + 1);
            part++;
            next = 0;
        }
        (void)snprintf(from, sizeof(from), "ctid >= '(%lld,0)'", (long long)next);
        assert_int_equal(strstr(piece->select, from) != NULL, next > 0);
        const bool last = i + 1 == plan.n_pieces || plan.pieces[i + 1].part != part;
        assert_int_equal(strstr(piece->select, "ctid < ") == NULL, last); /* no upper end */
        assert_non_null(strstr(piece->select, "FROM ONLY \"s\".\"t\" WHERE "));
        assert_non_null(strstr(piece->select, "(id > 1 -- most\n)"));
        n_blocks += piece->n_blocks;
        next += piece->n_blocks;
    }
    assert_int_equal(part, 3);
    assert_int_equal(n_blocks, 3129);
    assert_int_equal(plan.n_blocks, 3129);
    dn_arena_finish(&arena);
}

/* A table whose values are nearly all TOAST: pieces have as many bytes as others, and so few pages of its own. */
static void toast_counts(void **state)
{
    struct dn_pg_part parts[] = {PART('r', 100)};
    const struct dn_pg_relation rel = relation(parts, 1);
    const struct dn_pg_wish wish = {.n_connections = 4};
    struct dn_arena arena = {0};
    struct dn_pg_range *ranges = NULL;
    struct dn_pg_plan plan;
    const char *reason = NULL;
    int64_t n_blocks = 0;
    size_t n = 0;

    (void)state;
    parts[0].n_toast_blocks = 99950;
    assert_int_equal(dn_pg_plan_make(&plan, &rel, &wish, &arena, NULL), DN_OK);
    assert_null(plan.reason);
    assert_int_equal(plan.n_connections, 4);
    assert_int_equal(plan.n_blocks, 100050);
    assert_int_equal(plan.n_pieces, 100); /* of 1,024 pages, which is one of its own */
    assert_non_null(strstr(plan.pieces[41].select, "ctid >= '(41,0)'"));
    assert_non_null(strstr(plan.pieces[41].select, "ctid < '(42,0)'"));
    assert_null(strstr(plan.pieces[99].select, "ctid < "));
    for (size_t i = 0; i < plan.n_pieces; i++) {
        assert_in_range(plan.pieces[i].n_blocks, 1000, 1001);
        n_blocks += plan.pieces[i].n_blocks;
    }
    assert_int_equal(n_blocks, plan.n_blocks);
    assert_int_equal(dn_pg_plan_cut(&ranges, &n, &reason, &rel, 16384, &arena, NULL), DN_OK);
    assert_int_equal(n, 7); /* of 16 own pages */
    assert_int_equal(ranges[6].from, 96);
    assert_int_equal(ranges[6].to, -1);
    n_blocks = 0;
    for (size_t i = 0; i < n; i++) {
        n_blocks += ranges[i].n_blocks;
    }
    assert_int_equal(n_blocks, plan.n_blocks);
    dn_arena_finish(&arena);
}

/* What is cut for other processes, and planned by each for itself, reads what one plan of such pieces reads. */
static void pieces_of_other_processes_are_the_same(void **state)
{
    struct dn_pg_part parts[] = {PART('p', 0), PART('r', 1000), PART('r', 0), PART('r', 257)};
    const struct dn_pg_relation rel = relation(parts, 4);
    const struct dn_pg_wish wish = {.n_connections = 1, .where = "id > 1"};
    const struct dn_pg_wish all = {.n_connections = 2, .where = "id > 1", .piece_blocks = 128};
    struct dn_arena arena = {0};
    struct dn_pg_range *ranges = NULL;
    const char *reason = NULL;
    struct dn_pg_plan whole;
    struct dn_pg_plan plan;
    struct dn_error err;
    size_t n = 0;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        parts[i].oid = 100 + (uint32_t)i;
    }
    assert_int_equal(dn_pg_plan_make(&whole, &rel, &all, &arena, NULL), DN_OK);
    assert_int_equal(dn_pg_plan_cut(&ranges, &n, &reason, &rel, 128, &arena, NULL), DN_OK);
    assert_null(reason);
    assert_int_equal(n, whole.n_pieces);
    assert_int_equal(n, 8 + 1 + 3);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(dn_pg_plan_range(&plan, &rel, &wish, &ranges[i], &arena, NULL), DN_OK);
        assert_int_equal(plan.n_pieces, 1);
        assert_int_equal(plan.n_connections, 1);
        assert_string_equal(plan.pieces[0].select, whole.pieces[i].select);
        assert_int_equal(plan.n_blocks, whole.pieces[i].n_blocks);
    }
    parts[3].oid = 7;
    assert_int_equal(dn_pg_plan_range(&plan, &rel, &wish, &ranges[n - 1], &arena, &err), DN_ERR_IO);
    assert_non_null(strstr(err.message, "cut it again"));
    parts[1].kind = 'f'; /* one piece then, of everything */
    assert_int_equal(dn_pg_plan_cut(&ranges, &n, &reason, &rel, 128, &arena, NULL), DN_OK);
    assert_non_null(strstr(reason, "foreign"));
    assert_int_equal(n, 1);
    assert_int_equal(dn_pg_plan_range(&plan, &rel, &wish, &ranges[0], &arena, NULL), DN_OK);
    assert_null(strstr(plan.pieces[0].select, "ONLY"));
    dn_arena_finish(&arena);
}

static void check_reason(struct dn_pg_relation rel, const char *says)
{
    const struct dn_pg_wish wish = {.n_connections = 4};
    struct dn_arena arena = {0};
    struct dn_pg_plan plan;

    assert_int_equal(dn_pg_plan_make(&plan, &rel, &wish, &arena, NULL), DN_OK);
    assert_int_equal(plan.n_pieces, 1);
    assert_int_equal(plan.n_connections, 1);
    assert_non_null(plan.reason);
    assert_non_null(strstr(plan.reason, says));
    assert_null(strstr(plan.pieces[0].select, "ONLY"));
    assert_null(strstr(plan.pieces[0].select, "ctid"));
    dn_arena_finish(&arena);
}

static void one_connection_has_reasons(void **state)
{
    struct dn_pg_part parts[] = {PART('p', 0), PART('r', 100000)};
    struct dn_pg_relation rel = relation(parts, 2);

    (void)state;
    rel.kind = 'v';
    check_reason(rel, "view");
    rel.kind = 'f';
    check_reason(rel, "foreign table");
    rel.kind = 'p';
    rel.version = 130010;
    check_reason(rel, "older than PostgreSQL 14");
    rel.version = 150000;
    rel.is_standby = true;
    check_reason(rel, "standby");
    rel.is_standby = false;
    parts[1].kind = 'f';
    check_reason(rel, "foreign table");
    parts[1].kind = 'r';
    parts[1].is_heap = false;
    check_reason(rel, "heap");
    parts[1].is_heap = true;
    parts[1].is_readable = false;
    check_reason(rel, "read through it only");
    parts[1].is_readable = true;
    parts[0].is_policed = true;
    check_reason(rel, "row security");
}

static void queries_are_cast_by_number(void **state)
{
    static const struct dn_pg_field picked[] = {
        {.name = "b", .place = 1, .kind = DN_PG_KIND_INT64, .cast_to = "pg_catalog.int8"},
        {.name = "c", .kind = DN_PG_KIND_DATE, .cast_to = "pg_catalog.date", .is_missing = true}};
    struct dn_arena arena = {0};
    struct dn_pg_plan plan;

    (void)state;
    assert_int_equal(dn_pg_plan_query(&plan, "SELECT 1; \n", 1, fields, 1, &arena, NULL), DN_OK);
    assert_string_equal(plan.pieces[0].select, "SELECT 1");
    assert_int_equal(dn_pg_plan_query(&plan, "SELECT 1,x,y -- end;", 3, fields, 3, &arena, NULL),
                     DN_OK);
    assert_string_equal(plan.pieces[0].select,
                        "SELECT c0,c1::pg_catalog.text,c2::pg_catalog.text[] FROM (SELECT 1,x,y -- "
                        "end\n) AS q(c0,c1,c2)");
    assert_int_equal(dn_pg_plan_query(&plan, "SELECT 1,2", 2, fields, 1, &arena, NULL), DN_OK);
    assert_string_equal(plan.pieces[0].select, "SELECT c0 FROM (SELECT 1,2\n) AS q(c0,c1)");
    assert_int_equal(dn_pg_plan_query(&plan, "SELECT 1,2", 2, picked, 2, &arena, NULL), DN_OK);
    assert_string_equal(plan.pieces[0].select,
                        "SELECT c1::pg_catalog.int8,NULL::pg_catalog.date FROM (SELECT 1,2\n) AS "
                        "q(c0,c1)");
    assert_int_equal(dn_pg_plan_query(&plan, "SELECT", 0, fields, 0, &arena, NULL),
                     DN_ERR_UNSUPPORTED);
    dn_arena_finish(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_of_hosts_are_understood),
        cmocka_unit_test(unknown_keys_are_told),
        cmocka_unit_test(dsns_are_read),
        cmocka_unit_test(credential_files_are_read),
        cmocka_unit_test(passwords_are_hidden),
        cmocka_unit_test(states_have_statuses),
        cmocka_unit_test(states_are_found_in_texts),
        cmocka_unit_test(faults_are_sentences),
        cmocka_unit_test(words_of_libpq_are_one_line),
        cmocka_unit_test(names_are_read),
        cmocka_unit_test(small_tables_are_one_piece),
        cmocka_unit_test(pages_are_all_there_once),
        cmocka_unit_test(toast_counts),
        cmocka_unit_test(pieces_of_other_processes_are_the_same),
        cmocka_unit_test(one_connection_has_reasons),
        cmocka_unit_test(queries_are_cast_by_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
