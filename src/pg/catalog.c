#include "pg/catalog.h"

#include "base/memory.h"
#include "base/strings.h"
#include "pg/fields.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * These queries run with the user's search path, in which others may have functions and operators.  So functions are named with pg_catalog, and
 * the operators are those that fit their operands exactly, which no other one can fit better.
 */

#define MOST_SUGGESTED 2000
#define KINDS "('r','p','v','m','f')"

static const char *keep(struct dn_arena *arena, const char *text, bool *failed)
{
    const char *copy = dn_arena_strdup(arena, text != NULL ? text : "");

    *failed = *failed || copy == NULL;
    return copy != NULL ? copy : "";
}

/* ---- finding a relation ------------------------------------------------------------------------------------------- */

struct found {
    uint32_t oid; /* 0: nothing was */
    char oid_text[16];
};

static enum dn_status find(struct found *out, struct dn_pg_relation *rel, struct dn_pg_session *s,
                           const struct dn_pg_name *name, struct dn_arena *arena,
                           struct dn_error *err)
{
    static const char sql[] =
        "SELECT c.oid, n.nspname, c.relname, c.relkind, pg_catalog.pg_is_in_recovery() "
        "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relname = $2 AND c.relkind IN " KINDS " AND "
        "CASE WHEN $1::pg_catalog.text IS NULL THEN pg_catalog.pg_table_is_visible(c.oid) "
        "ELSE n.nspname = $1 END";
    const char *const values[2] = {name->schema, name->name};
    struct dn_pg_result *r = NULL;
    bool failed = false;

    *out = (struct found){0};
    DN_TRY(dn_pg_session_query(s, &r, sql, values, 2, "looking up a table", err));
    if (dn_pg_result_n_rows(r) > 0) {
        out->oid = (uint32_t)dn_pg_result_int(r, 0, 0);
        (void)snprintf(out->oid_text, sizeof(out->oid_text), "%u", out->oid);
        rel->schema = keep(arena, dn_pg_result_text(r, 0, 1), &failed);
        rel->name = keep(arena, dn_pg_result_text(r, 0, 2), &failed);
        rel->kind = dn_pg_result_text(r, 0, 3) != NULL ? dn_pg_result_text(r, 0, 3)[0] : '?';
        rel->is_standby = dn_pg_result_is_true(r, 0, 4);
        rel->version = dn_pg_session_version(s);
    }
    dn_pg_result_finish(r);
    return failed ? dn_error_memory(err, 64) : DN_OK;
}

static const char *last_part(const char *name)
{
    const char *point = strrchr(name, '.');

    return point != NULL ? point + 1 : name;
}

/* A schema that is right makes no other table the one that was meant. */
static bool may_be_meant(const char *text, const char *candidate)
{
    size_t distance = 0;

    return candidate != NULL && dn_text_is_close(last_part(text), last_part(candidate), &distance);
}

/* What the name may have meant: `out` is "" or a sentence. */
static void suggest(char *out, size_t size, struct dn_pg_session *s, const char *text)
{
    static const char sql[] =
        "SELECT CASE WHEN pg_catalog.pg_table_is_visible(c.oid) THEN c.relname::pg_catalog.text "
        "ELSE pg_catalog.concat(n.nspname, '.', c.relname) END, "
        "pg_catalog.concat(n.nspname, '.', c.relname), "
        "CASE WHEN pg_catalog.strpos(pg_catalog.concat(n.nspname, c.relname), '.') > 0 THEN "
        "pg_catalog.format('\"%s\".\"%s\"', pg_catalog.replace(n.nspname::pg_catalog.text, "
        "'\"', '\"\"'), pg_catalog.replace(c.relname::pg_catalog.text, '\"', '\"\"')) END "
        "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relkind IN " KINDS " AND n.nspname !~ '^pg_'::pg_catalog.text AND n.nspname <> "
        "'information_schema' ORDER BY 1 LIMIT 2000";
    const char *names[2 * MOST_SUGGESTED];
    struct dn_pg_result *r = NULL;
    size_t n = 0;

    out[0] = '\0';
    if (dn_pg_session_query(s, &r, sql, NULL, 0, "tables", NULL) != DN_OK) {
        return;
    }
    for (int row = 0; row < dn_pg_result_n_rows(r) && row < MOST_SUGGESTED; row++) {
        for (int column = 0; column < 2; column++) {
            const char *name = dn_pg_result_text(r, row, column);
            if (may_be_meant(text, name)) {
                names[n++] = name;
            }
        }
    }
    const char *meant = dn_text_suggest(text, names, n);
    for (size_t i = 0; meant == NULL && i < n; i++) { /* the right name in another schema */
        if (strcmp(last_part(names[i]), last_part(text)) == 0) {
            meant = names[i];
        }
    }
    const char *quoted = NULL; /* where a point is in a name */
    for (size_t i = 0; meant != NULL && i < n; i++) {
        quoted = names[i] == meant ? dn_pg_result_text(r, (int)(i / 2), 2) : quoted;
    }
    if (meant != NULL) {
        (void)snprintf(out, size, "; did you mean %s?", quoted != NULL ? quoted : meant);
    }
    dn_pg_result_finish(r);
}

static enum dn_status find_or_fail(struct found *out, struct dn_pg_relation *rel,
                                   struct dn_pg_session *s, const char *text,
                                   struct dn_arena *arena, struct dn_error *err)
{
    const struct dn_pg_name whole = {NULL, text};
    struct dn_pg_name name;
    char meant[300];

    DN_TRY(dn_pg_name_read(&name, text, arena, err));
    DN_TRY(find(out, rel, s, &name, arena, err));
    if (out->oid == 0 && name.schema != NULL) { /* a table whose name has a point in it */
        DN_TRY(find(out, rel, s, &whole, arena, err));
    }
    if (out->oid != 0) {
        return DN_OK;
    }
    suggest(meant, sizeof(meant), s, text);
    return dn_error_set(err, DN_ERR_NOT_FOUND,
                        "there is no table or view %s in this database that this user can see%s",
                        text, meant);
}

/* ---- what snapshots do not survive -------------------------------------------------------------------------------- */

/*
 * A snapshot may be older than the locks, which may have been waited for: whoever held them has perhaps truncated or rewritten a table, whose
 * rows the snapshot does not see, put another one in its place, or given a column's name to another column.  Indexes come and go; columns of
 * partitions are their parent's.
 */
static enum dn_status check_locked(struct dn_pg_session *s, const char *what, struct dn_error *err)
{
    static const char sql[] =
        "WITH l AS (SELECT k.relation FROM pg_catalog.pg_locks k "
        "WHERE k.pid = pg_catalog.pg_backend_pid() AND k.locktype = 'relation' AND "
        "k.database = (SELECT d.oid FROM pg_catalog.pg_database d "
        "WHERE d.datname = pg_catalog.current_database())) "
        "SELECT (SELECT o.identity FROM pg_catalog.pg_identify_object(1259, l.relation, 0) o) "
        "FROM l LEFT JOIN pg_catalog.pg_class c ON c.oid = l.relation WHERE "
        "CASE WHEN c.oid IS NULL THEN pg_catalog.pg_get_indexdef(l.relation) IS NULL "
        "WHEN c.relkind IN ('r','m') AND c.relfilenode <> 0::pg_catalog.oid AND "
        "pg_catalog.pg_relation_filenode(c.oid) IS DISTINCT FROM c.relfilenode THEN true "
        "WHEN c.oid < 16384::pg_catalog.oid OR c.relkind NOT IN " KINDS " THEN false "
        "WHEN c.relispartition AND EXISTS (SELECT FROM pg_catalog.pg_inherits i "
        "JOIN l AS m ON m.relation = i.inhparent WHERE i.inhrelid = c.oid) THEN false "
        "ELSE EXISTS (SELECT FROM pg_catalog.pg_attribute a "
        "WHERE a.attrelid = c.oid AND a.attnum > 0::pg_catalog.int2 AND NOT a.attisdropped AND "
        "(SELECT o.object_names[3] FROM pg_catalog.pg_identify_object_as_address("
        "1259, a.attrelid, a.attnum) o) IS DISTINCT FROM a.attname::pg_catalog.text) END LIMIT 1";
    struct dn_pg_result *r = NULL;

    DN_TRY(dn_pg_session_query(s, &r, sql, NULL, 0, what, err));
    const char *name = dn_pg_result_n_rows(r) > 0 ? dn_pg_result_text(r, 0, 0) : NULL;
    const enum dn_status st =
        dn_pg_result_n_rows(r) == 0
            ? DN_OK
            : dn_error_set(err, DN_ERR_TEMPORARY,
                           "%s was truncated, rewritten, altered or put in the place of another "
                           "one in the moment in which reading began; try again",
                           name != NULL ? name : what);
    dn_pg_result_finish(r);
    return st;
}

/* ---- parts -------------------------------------------------------------------------------------------------------- */

/* A SELECT of no columns; what it is to end with follows. */
static enum dn_status put_empty_select(struct dn_buffer *sql, const struct dn_pg_relation *rel,
                                       struct dn_error *err)
{
    DN_TRY(dn_text_append(sql, "SELECT FROM ", err));
    DN_TRY(dn_pg_quote_name(sql, rel->schema, err));
    DN_TRY(dn_text_append(sql, ".", err));
    return dn_pg_quote_name(sql, rel->name, err);
}

/* Whoever reads from a relation holds a lock until the transaction ends, on its children too. */
static enum dn_status lock(const struct dn_pg_relation *rel, struct dn_pg_session *s,
                           struct dn_error *err)
{
    struct dn_buffer sql = {0};
    struct dn_pg_result *r = NULL;
    enum dn_status st = DN_OK;

    DN_TRY_GOTO(st, put_empty_select(&sql, rel, err), cleanup);
    DN_TRY_GOTO(st, dn_text_append(&sql, " LIMIT 0", err), cleanup);
    DN_TRY_GOTO(st, dn_buffer_append_byte(&sql, 0, err), cleanup);
    DN_TRY_GOTO(st, dn_pg_session_query(s, &r, (const char *)sql.data, NULL, 0, rel->name, err),
                cleanup);
    st = check_locked(s, rel->name, err);
cleanup:
    dn_pg_result_finish(r);
    dn_buffer_finish(&sql);
    return st;
}

/*
 * Temporary children of other sessions are nobody else's, and the server leaves them out as well.  A partition that is not locked is another's
 * now, or row security has nothing in it for this user.
 */
static const char parts_sql[] =
    "WITH RECURSIVE p(oid) AS (SELECT $1::pg_catalog.oid UNION "
    "SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN p ON i.inhparent = p.oid%s) "
    "SELECT c.oid, n.nspname, c.relname, c.relkind, a.amname IS NOT DISTINCT FROM 'heap', "
    "pg_catalog.has_table_privilege(c.oid, 'SELECT') AND "
    "pg_catalog.has_schema_privilege(n.oid, 'USAGE'), pg_catalog.row_security_active(c.oid), "
    "c.oid NOT IN (SELECT l.relation FROM pg_catalog.pg_locks l WHERE l.locktype = 'relation' AND "
    "l.pid = pg_catalog.pg_backend_pid())%s, "
    "CASE WHEN c.relkind IN ('r','m') THEN pg_catalog.pg_relation_size(c.oid) / "
    "pg_catalog.current_setting('block_size')::pg_catalog.int8 ELSE 0 END, c.reltuples, "
    "CASE WHEN c.relkind IN ('r','m') AND c.reltoastrelid <> 0::pg_catalog.oid THEN "
    "COALESCE(pg_catalog.pg_relation_size(c.reltoastrelid), 0) / "
    "pg_catalog.current_setting('block_size')::pg_catalog.int8 ELSE 0 END "
    "FROM p JOIN pg_catalog.pg_class c ON c.oid = p.oid "
    "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "LEFT JOIN pg_catalog.pg_am a ON a.oid = c.relam "
    "WHERE c.oid = $1::pg_catalog.oid OR NOT pg_catalog.pg_is_other_temp_schema(n.oid) "
    "ORDER BY c.oid <> $1::pg_catalog.oid, n.nspname, c.relname";

static struct dn_pg_part read_part(const struct dn_pg_result *r, int row, struct dn_arena *arena,
                                   bool *failed)
{
    const char *kind = dn_pg_result_text(r, row, 3);
    const char *n_rows = dn_pg_result_text(r, row, 9);

    return (struct dn_pg_part){
        .oid = (uint32_t)dn_pg_result_int(r, row, 0),
        .schema = keep(arena, dn_pg_result_text(r, row, 1), failed),
        .name = keep(arena, dn_pg_result_text(r, row, 2), failed),
        .kind = kind != NULL ? kind[0] : '?',
        .is_heap = dn_pg_result_is_true(r, row, 4),
        .is_readable = dn_pg_result_is_true(r, row, 5),
        .is_policed = dn_pg_result_is_true(r, row, 6),
        .is_elsewhere = dn_pg_result_is_true(r, row, 7),
        .n_blocks = dn_pg_result_int(r, row, 8),
        .n_toast_blocks = dn_pg_result_int(r, row, 10),
        .n_rows = n_rows != NULL ? dn_text_to_double(n_rows, NULL) : -1,
    };
}

static enum dn_status read_parts(struct dn_pg_relation *rel, struct dn_pg_session *s,
                                 const struct found *f, struct dn_arena *arena,
                                 struct dn_error *err)
{
    const char *const values[1] = {f->oid_text};
    struct dn_pg_result *r = NULL;
    char sql[sizeof(parts_sql) + 256];
    bool failed = false;

    /* a partition on its way out belongs to its parent no more */
    (void)snprintf(sql, sizeof(sql), parts_sql,
                   rel->version >= 140000 ? " WHERE NOT i.inhdetachpending" : "",
                   rel->version >= 120000
                       ? " AND NOT EXISTS (SELECT FROM pg_catalog.pg_partition_ancestors(c.oid) a "
                         "WHERE a.relid::pg_catalog.oid = $1::pg_catalog.oid)"
                       : "");
    DN_TRY(dn_pg_session_query(s, &r, sql, values, 1, rel->name, err));
    const int n = dn_pg_result_n_rows(r);
    struct dn_pg_part *parts = dn_arena_alloc(arena, ((size_t)n + 1) * sizeof(*parts));
    for (int i = 0; parts != NULL && i < n; i++) {
        parts[i] = read_part(r, i, arena, &failed);
    }
    dn_pg_result_finish(r);
    if (parts == NULL || failed) {
        return dn_error_memory(err, ((size_t)n + 1) * sizeof(*parts));
    }
    rel->parts = parts;
    rel->n_parts = (size_t)n;
    for (int i = 0; i < n; i++) {
        if (parts[i].is_elsewhere) {
            return dn_error_set(err, DN_ERR_TEMPORARY,
                                "%s.%s was renamed, dropped or detached in the moment in which "
                                "reading began; try again",
                                parts[i].schema, parts[i].name);
        }
    }
    return DN_OK;
}

/* ---- columns ------------------------------------------------------------------------------------------------------ */

/* Nobody keeps those that are elsewhere from being null. */
static bool has_foreign_rows(const struct dn_pg_relation *rel)
{
    bool has = rel->kind == 'f';

    for (size_t i = 0; i < rel->n_parts; i++) {
        has = has || rel->parts[i].kind == 'f';
    }
    return has;
}

/* NOT NULL counts where the server has looked at every row: from 18 on there are constraints for the rows that come, or without children. */
static enum dn_status read_fields(struct dn_pg_relation *rel, struct dn_pg_session *s,
                                  const struct found *f, struct dn_arena *arena,
                                  struct dn_error *err)
{
    static const char sql[] =
        "SELECT a.attname, a.atttypid, a.atttypmod, a.attnotnull AND NOT EXISTS ("
        "SELECT FROM pg_catalog.pg_constraint k WHERE k.conrelid = a.attrelid AND k.contype = 'n' "
        "AND a.attnum = ANY (k.conkey) AND (NOT k.convalidated OR k.connoinherit)), "
        "pg_catalog.format_type(a.atttypid, a.atttypmod), pg_catalog.format_type(a.atttypid, -1) "
        "FROM pg_catalog.pg_attribute a "
        "WHERE a.attrelid = $1::pg_catalog.oid AND a.attnum > 0 AND NOT a.attisdropped "
        "ORDER BY a.attnum";
    const char *const values[1] = {f->oid_text};
    struct dn_pg_result *r = NULL;
    bool failed = false;

    DN_TRY(dn_pg_session_query(s, &r, sql, values, 1, "looking up columns", err));
    const int n = dn_pg_result_n_rows(r);
    struct dn_pg_field *fields = dn_arena_alloc(arena, ((size_t)n + 1) * sizeof(*fields));
    for (int i = 0; fields != NULL && i < n; i++) {
        fields[i] = (struct dn_pg_field){
            .name = keep(arena, dn_pg_result_text(r, i, 0), &failed),
            .type = (uint32_t)dn_pg_result_int(r, i, 1),
            .typmod = (int32_t)dn_pg_result_int(r, i, 2),
            .not_null = dn_pg_result_is_true(r, i, 3) && !has_foreign_rows(rel),
            .type_name = keep(arena, dn_pg_result_text(r, i, 4), &failed),
            .bare_name = keep(arena, dn_pg_result_text(r, i, 5), &failed),
        };
    }
    dn_pg_result_finish(r);
    if (fields == NULL || failed) {
        return dn_error_memory(err, ((size_t)n + 1) * sizeof(*fields));
    }
    rel->fields = fields;
    rel->n_fields = (size_t)n;
    return dn_pg_fields_decide(fields, (size_t)n, s, err);
}

/* As planning does: partitions, too. */
static enum dn_status lock_query(struct dn_pg_session *s, const char *query, const char *what,
                                 struct dn_error *err)
{
    struct dn_buffer sql = {0};
    struct dn_pg_result *r = NULL;
    enum dn_status st = DN_OK;

    DN_TRY_GOTO(st, dn_text_appendf(&sql, err, "EXPLAIN %s", query), cleanup);
    DN_TRY_GOTO(st, dn_buffer_append_byte(&sql, 0, err), cleanup);
    DN_TRY_GOTO(st, dn_pg_session_query(s, &r, (const char *)sql.data, NULL, 0, what, err),
                cleanup);
    st = check_locked(s, what, err);
cleanup:
    dn_pg_result_finish(r);
    dn_buffer_finish(&sql);
    return st;
}

enum dn_status dn_pg_query_fields(const struct dn_pg_field **out, size_t *n_out,
                                  struct dn_pg_session *s, const char *sql, struct dn_arena *arena,
                                  struct dn_error *err)
{
    struct dn_pg_result *r = NULL;
    bool failed = false;

    *out = NULL;
    *n_out = 0;
    DN_TRY(dn_pg_session_describe(s, &r, sql, "the query", err));
    const int n = dn_pg_result_n_columns(r);
    const enum dn_status st =
        n > 0 ? lock_query(s, sql, "the query", err) : DN_OK; /* else it reads nothing */
    if (st != DN_OK) {
        dn_pg_result_finish(r);
        return st;
    }
    struct dn_pg_field *fields = dn_arena_alloc(arena, ((size_t)n + 1) * sizeof(*fields));
    for (int i = 0; fields != NULL && i < n; i++) {
        const struct dn_pg_result_column column = dn_pg_result_column(r, i);
        fields[i] = (struct dn_pg_field){
            .name = keep(arena, column.name, &failed),
            .type = column.type,
            .typmod = column.typmod,
            .type_name = "",
            .place = (size_t)i,
        };
    }
    dn_pg_result_finish(r);
    if (fields == NULL || failed) {
        return dn_error_memory(err, ((size_t)n + 1) * sizeof(*fields));
    }
    *out = fields;
    *n_out = (size_t)n;
    return dn_pg_fields_decide(fields, (size_t)n, s, err);
}

enum dn_status dn_pg_relation_open(struct dn_pg_relation *out, struct dn_pg_session *s,
                                   const char *name, struct dn_arena *arena, struct dn_error *err)
{
    struct found f;

    *out = (struct dn_pg_relation){0};
    DN_TRY(find_or_fail(&f, out, s, name, arena, err));
    DN_TRY(lock(out, s, err));
    DN_TRY(read_parts(out, s, &f, arena, err));
    return read_fields(out, s, &f, arena, err);
}

enum dn_status dn_pg_condition_check(const struct dn_pg_relation *rel, struct dn_pg_session *s,
                                     const char *where, struct dn_error *err)
{
    static const char what[] = "the condition of the rows";
    struct dn_buffer sql = {0};
    struct dn_pg_result *r = NULL;
    enum dn_status st = DN_OK;

    DN_TRY_GOTO(st, put_empty_select(&sql, rel, err), cleanup);
    DN_TRY_GOTO(st, dn_text_appendf(&sql, err, " WHERE %s\n", where), cleanup);
    DN_TRY_GOTO(st, dn_buffer_append_byte(&sql, 0, err), cleanup);
    DN_TRY_GOTO(st, dn_pg_session_describe(s, &r, (const char *)sql.data, what, err), cleanup);
    st = lock_query(s, (const char *)sql.data, what, err); /* it may ask other tables */
cleanup:
    dn_pg_result_finish(r);
    dn_buffer_finish(&sql);
    return st;
}

enum dn_status dn_pg_relations_list(struct dn_pg_listed **out, size_t *n_out,
                                    struct dn_pg_session *s, struct dn_arena *arena,
                                    struct dn_error *err)
{
    static const char sql[] =
        "SELECT n.nspname, c.relname, c.relkind, c.reltuples, c.oid FROM pg_catalog.pg_class c "
        "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relkind IN " KINDS
        " AND NOT c.relispartition AND n.nspname !~ '^pg_'::pg_catalog.text AND "
        "n.nspname <> 'information_schema' AND "
        "pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND "
        "pg_catalog.has_any_column_privilege(c.oid, 'SELECT') ORDER BY 1, 2";
    struct dn_pg_result *r = NULL;
    bool failed = false;

    *out = NULL;
    *n_out = 0;
    DN_TRY(dn_pg_session_query(s, &r, sql, NULL, 0, "listing tables", err));
    const int n = dn_pg_result_n_rows(r);
    struct dn_pg_listed *list = dn_arena_alloc(arena, ((size_t)n + 1) * sizeof(*list));
    for (int i = 0; list != NULL && i < n; i++) {
        const char *kind = dn_pg_result_text(r, i, 2);
        const char *n_rows = dn_pg_result_text(r, i, 3);
        list[i] = (struct dn_pg_listed){
            .schema = keep(arena, dn_pg_result_text(r, i, 0), &failed),
            .name = keep(arena, dn_pg_result_text(r, i, 1), &failed),
            .kind = kind != NULL ? kind[0] : '?',
            .n_rows = n_rows != NULL ? dn_text_to_double(n_rows, NULL) : -1,
            .oid = (uint32_t)dn_pg_result_int(r, i, 4),
        };
    }
    dn_pg_result_finish(r);
    if (list == NULL || failed) {
        return dn_error_memory(err, ((size_t)n + 1) * sizeof(*list));
    }
    *out = list;
    *n_out = (size_t)n;
    return DN_OK;
}

enum dn_status dn_pg_listed_fields(const struct dn_pg_field **out, size_t *n_out,
                                   struct dn_pg_session *s, const struct dn_pg_listed *listed,
                                   struct dn_arena *arena, struct dn_error *err)
{
    struct dn_pg_relation rel = {.kind = listed->kind};
    struct found f = {.oid = listed->oid};

    (void)snprintf(f.oid_text, sizeof(f.oid_text), "%u", listed->oid);
    DN_TRY(read_fields(&rel, s, &f, arena, err));
    *out = rel.fields;
    *n_out = rel.n_fields;
    return DN_OK;
}
