#include "pg/cursor.h"

#include "base/strings.h"

#include <stdio.h>

enum dn_status dn_pg_quote_literal(struct dn_buffer *out, const char *text, struct dn_error *err)
{
    const size_t before = out->len;
    enum dn_status st = dn_text_append(out, "E'", err);

    for (const char *p = text; st == DN_OK && *p != '\0'; p++) {
        if (*p == '\'' || *p == '\\') {
            st = dn_buffer_append_byte(out, (uint8_t)*p, err);
        }
        if (st == DN_OK) {
            st = dn_buffer_append_byte(out, (uint8_t)*p, err);
        }
    }
    if (st == DN_OK) {
        st = dn_buffer_append_byte(out, '\'', err);
    }
    if (st != DN_OK) {
        out->len = before;
    }
    return st;
}

/* A value of the column's type, of which nothing is rounded: it may be what somebody wrote. */
static enum dn_status put_value(struct dn_buffer *sql, const struct dn_pg_field *f,
                                const char *text, struct dn_error *err)
{
    DN_TRY(dn_pg_quote_literal(sql, text, err));
    return dn_text_appendf(sql, err, "::%s", f->bare_name);
}

static enum dn_status put_relation(struct dn_buffer *sql, const struct dn_pg_relation *rel,
                                   struct dn_error *err)
{
    DN_TRY(dn_pg_quote_name(sql, rel->schema, err));
    DN_TRY(dn_text_append(sql, ".", err));
    return dn_pg_quote_name(sql, rel->name, err);
}

/* ---- the order of a type ------------------------------------------------------------------------------------------ */

/*
 * Operators of the order that ORDER BY goes by, as SQL writes them.  By its name alone an operator is looked for in the search path, and where a
 * type's own is not found there, another one takes its place by a cast: citext would have text's, which has another order.  The same goes for
 * functions such as max().
 */
struct order {
    const char *above;
    const char *up_to;
};

/* Types that have no order of their own have that of a type of the catalog: varchar text's, enums that of all enums. */
static enum dn_status find_order(struct order *out, struct dn_pg_session *s,
                                 const struct dn_pg_field *f, struct dn_arena *arena,
                                 struct dn_error *err)
{
    static const char sql[] =
        "WITH RECURSIVE d(oid, depth) AS (SELECT $1::pg_catalog.oid, 0 UNION ALL "
        "SELECT t.typbasetype, d.depth + 1 FROM d JOIN pg_catalog.pg_type t ON t.oid = d.oid "
        "WHERE t.typtype = 'd') "
        "SELECT pg_catalog.concat('OPERATOR(', pg_catalog.quote_ident(n.nspname::pg_catalog.text), "
        "'.', p.oprname, ')') FROM (SELECT oid FROM d ORDER BY depth DESC LIMIT 1) b "
        "JOIN pg_catalog.pg_opclass c ON c.opcintype = b.oid AND c.opcdefault "
        "JOIN pg_catalog.pg_am a ON a.oid = c.opcmethod AND a.amname = 'btree' "
        "JOIN pg_catalog.pg_amop o ON o.amopfamily = c.opcfamily AND o.amoplefttype = b.oid AND "
        "o.amoprighttype = b.oid AND o.amopstrategy IN (2::pg_catalog.int2, 5::pg_catalog.int2) "
        "JOIN pg_catalog.pg_operator p ON p.oid = o.amopopr "
        "JOIN pg_catalog.pg_namespace n ON n.oid = p.oprnamespace ORDER BY o.amopstrategy";
    struct dn_pg_result *r = NULL;
    char type[16];
    const char *const values[1] = {type};
    enum dn_status st = DN_OK;

    *out = (struct order){"OPERATOR(pg_catalog.>)", "OPERATOR(pg_catalog.<=)"};
    (void)snprintf(type, sizeof(type), "%u", f->type);
    DN_TRY(dn_pg_session_query(s, &r, sql, values, 1, "looking up the order of a type", err));
    if (dn_pg_result_n_rows(r) == 2) {
        out->up_to = dn_arena_strdup(arena, dn_pg_result_text(r, 0, 0));
        out->above = dn_arena_strdup(arena, dn_pg_result_text(r, 1, 0));
        st = out->up_to != NULL && out->above != NULL ? DN_OK : dn_error_memory(err, 64);
    }
    dn_pg_result_finish(r);
    return st;
}

/* ---- SQL ---------------------------------------------------------------------------------------------------------- */

/* The largest value, whether it is new, and whether there are nulls. */
static enum dn_status put_question(struct dn_buffer *sql, const struct dn_pg_relation *rel,
                                   const struct dn_pg_field *f, const struct order *order,
                                   const char *last, const char *where, struct dn_error *err)
{
    const char *condition = where != NULL && where[0] != '\0' ? where : "true";

    DN_TRY(dn_text_append(sql, "SELECT m::pg_catalog.text, m ", err));
    if (last != NULL) {
        DN_TRY(dn_text_appendf(sql, err, "%s ", order->above));
        DN_TRY(put_value(sql, f, last, err));
    } else {
        DN_TRY(dn_text_append(sql, "IS NOT NULL", err));
    }
    DN_TRY(dn_text_append(sql, ", EXISTS (SELECT FROM ", err));
    DN_TRY(put_relation(sql, rel, err));
    DN_TRY(dn_text_append(sql, " WHERE ", err));
    DN_TRY(dn_pg_quote_name(sql, f->name, err));
    DN_TRY(dn_text_appendf(sql, err, " IS NULL AND (%s\n)) FROM (SELECT (SELECT ", condition));
    DN_TRY(dn_pg_quote_name(sql, f->name, err));
    DN_TRY(dn_text_append(sql, " FROM ", err));
    DN_TRY(put_relation(sql, rel, err));
    DN_TRY(dn_text_append(sql, " WHERE ", err));
    DN_TRY(dn_pg_quote_name(sql, f->name, err));
    DN_TRY(dn_text_appendf(sql, err, " IS NOT NULL AND (%s\n) ORDER BY ", condition));
    DN_TRY(dn_pg_quote_name(sql, f->name, err));
    DN_TRY(dn_text_append(sql, " DESC LIMIT 1) AS m) AS q", err));
    return dn_buffer_append_byte(sql, 0, err);
}

static enum dn_status put_where(struct dn_buffer *sql, const struct dn_pg_field *f,
                                const struct order *order, const char *last, const char *largest,
                                const char *where, struct dn_error *err)
{
    if (where != NULL && where[0] != '\0') {
        DN_TRY(dn_text_appendf(sql, err, "(%s\n) AND ", where));
    }
    if (last != NULL) {
        DN_TRY(dn_pg_quote_name(sql, f->name, err));
        DN_TRY(dn_text_appendf(sql, err, " %s ", order->above));
        DN_TRY(put_value(sql, f, last, err));
        DN_TRY(dn_text_append(sql, " AND ", err));
    }
    DN_TRY(dn_pg_quote_name(sql, f->name, err));
    DN_TRY(dn_text_appendf(sql, err, " %s ", order->up_to));
    return put_value(sql, f, largest, err);
}

static enum dn_status keep(const char **out, const char *text, struct dn_arena *arena,
                           struct dn_error *err)
{
    *out = dn_arena_strdup(arena, text);
    return *out != NULL ? DN_OK : dn_error_memory(err, 64);
}

/* Nothing is above infinity or NaN: whoever went on from there would never see a row again. */
static bool is_the_end(const struct dn_pg_field *f, const char *text)
{
    static const char *const ends[] = {"infinity", "inf", "+infinity", "+inf", "nan"};

    if (f->kind == DN_PG_KIND_TEXT) {
        return false;
    }
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        if (dn_text_equal_nocase(text, ends[i])) {
            return true;
        }
    }
    return false;
}

static enum dn_status answer(struct dn_pg_cursor *out, const struct dn_pg_result *r,
                             const struct dn_pg_field *f, const struct order *order,
                             const char *last, const char *where, struct dn_arena *arena,
                             struct dn_error *err)
{
    struct dn_buffer sql = {0};
    const char *largest = dn_pg_result_n_rows(r) == 1 ? dn_pg_result_text(r, 0, 0) : NULL;
    enum dn_status st = DN_OK;

    out->has_nulls = dn_pg_result_n_rows(r) == 1 && dn_pg_result_is_true(r, 0, 2);
    if (largest != NULL && is_the_end(f, largest)) {
        return dn_error_set(err, DN_ERR_DATA,
                            "the largest value of \"%s\" is %s, above which nothing is ever new; "
                            "leave such rows out with where, as in \"%s\" < 'infinity'",
                            f->name, largest, f->name);
    }
    if (largest == NULL || !dn_pg_result_is_true(r, 0, 1)) {
        return keep(&out->where, "false", arena, err);
    }
    DN_TRY_GOTO(st, put_where(&sql, f, order, last, largest, where, err), cleanup);
    DN_TRY_GOTO(st, dn_buffer_append_byte(&sql, 0, err), cleanup);
    DN_TRY_GOTO(st, keep(&out->where, (const char *)sql.data, arena, err), cleanup);
    st = keep(&out->largest, largest, arena, err);
cleanup:
    dn_buffer_finish(&sql);
    return st;
}

static enum dn_status cannot_tell(const struct dn_pg_field *f, struct dn_error *err)
{
    return dn_error_option(
        err,
        dn_error_set(
            err, DN_ERR_UNSUPPORTED,
            "the column \"%s\" of type %s cannot tell what is new; cursor_field has to be a "
            "column that grows: a number, a date, a time or a text",
            f->name, f->type_name[0] != '\0' ? f->type_name : f->bare_name),
        "cursor_field");
}

enum dn_status dn_pg_cursor_open(struct dn_pg_cursor *out, struct dn_pg_session *s,
                                 const struct dn_pg_relation *rel, const struct dn_pg_field *field,
                                 const char *last, const char *where, struct dn_arena *arena,
                                 struct dn_error *err)
{
    struct dn_buffer sql = {0};
    struct dn_pg_result *r = NULL;
    struct order order;
    enum dn_status st = DN_OK;

    *out = (struct dn_pg_cursor){.kind = field->kind};
    if (field->is_array || field->kind == DN_PG_KIND_BOOL) {
        return cannot_tell(field, err);
    }
    if (last != NULL && is_the_end(field, last)) {
        return dn_error_option(
            err,
            dn_error_set(err, DN_ERR_DATA,
                         "the last value of \"%s\" is %s, above which nothing is ever new; give "
                         "the largest of those that are read already",
                         field->name, last),
            "cursor_after");
    }
    DN_TRY(find_order(&order, s, field, arena, err));
    DN_TRY_GOTO(st, put_question(&sql, rel, field, &order, last, where, err), cleanup);
    st =
        dn_pg_session_query(s, &r, (const char *)sql.data, NULL, 0, "looking for what is new", err);
    if (st == DN_ERR_INVALID) { /* the condition has been looked at: it is the order */
        st = cannot_tell(field, err);
    }
    if (st == DN_ERR_DATA && last != NULL && err != NULL) {
        st = dn_error_option(
            err,
            dn_error_set(err, st,
                         "%s; if that is the last value that is known, put it right in the state, "
                         "or take it out to read everything again",
                         err->message),
            "cursor_after");
    }
    if (st == DN_OK) {
        st = answer(out, r, field, &order, last, where, arena, err);
    }
cleanup:
    dn_pg_result_finish(r);
    dn_buffer_finish(&sql);
    return st;
}
