/* The types of columns: what is behind domains, which are arrays, and which come as text. */
#include "pg/fields.h"
#include "base/memory.h"
#include "base/strings.h"
#include "pg/catalog.h"

#include <string.h>

/* What one type is, once its domains are gone. */
struct resolved {
    uint32_t base;
    int32_t typmod; /* of the innermost domain; -1: none, or no domain */
    uint32_t element;
    bool is_domain;
    bool is_text; /* on the wire */
};

/*
 * $1: the types.  Columns: asked, base, typmod, element (0: no array), is it a domain, does it send its text.  An enum sends its label; what
 * borrows text's own function (citext) sends text.
 */
static const char resolve_sql[] =
    "WITH RECURSIVE d(asked, oid, typmod, depth) AS ("
    "SELECT u, u, -1, 0 FROM pg_catalog.unnest($1::pg_catalog.oid[]) u UNION ALL "
    "SELECT d.asked, t.typbasetype, t.typtypmod, d.depth + 1 FROM d "
    "JOIN pg_catalog.pg_type t ON t.oid = d.oid WHERE t.typtype = 'd'), "
    "b AS (SELECT DISTINCT ON (asked) asked, oid, typmod, depth FROM d ORDER BY asked, depth DESC) "
    "SELECT b.asked, b.oid, b.typmod, "
    "CASE WHEN e.typarray = t.oid THEN e.oid ELSE 0 END, b.depth > 0, "
    "t.typtype = 'e' OR (p.prolang = 12::pg_catalog.oid AND p.prosrc = 'textsend') "
    "FROM b JOIN pg_catalog.pg_type t ON t.oid = b.oid "
    "JOIN pg_catalog.pg_proc p ON p.oid = t.typsend "
    "LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem";

/* "{1,2,3}" */
static enum dn_status list_types(struct dn_buffer *out, const uint32_t *types, size_t n,
                                 struct dn_error *err)
{
    dn_buffer_reset(out);
    DN_TRY(dn_text_append(out, "{", err));
    for (size_t i = 0; i < n; i++) {
        DN_TRY(dn_text_appendf(out, err, "%s%u", i > 0 ? "," : "", types[i]));
    }
    DN_TRY(dn_text_append(out, "}", err));
    return dn_buffer_append_byte(out, 0, err);
}

static enum dn_status resolve(struct dn_pg_session *s, const uint32_t *types, size_t n,
                              struct resolved *out, struct dn_error *err)
{
    struct dn_buffer list = {0};
    struct dn_pg_result *r = NULL;
    enum dn_status st = DN_OK;

    DN_TRY_GOTO(st, list_types(&list, types, n, err), cleanup);
    const char *const values[1] = {(const char *)list.data};
    DN_TRY_GOTO(st, dn_pg_session_query(s, &r, resolve_sql, values, 1, "looking up types", err),
                cleanup);
    for (int row = 0; row < dn_pg_result_n_rows(r); row++) {
        const uint32_t asked = (uint32_t)dn_pg_result_int(r, row, 0);
        for (size_t i = 0; i < n; i++) {
            if (types[i] == asked) {
                out[i] = (struct resolved){
                    .base = (uint32_t)dn_pg_result_int(r, row, 1),
                    .typmod = (int32_t)dn_pg_result_int(r, row, 2),
                    .element = (uint32_t)dn_pg_result_int(r, row, 3),
                    .is_domain = dn_pg_result_is_true(r, row, 4),
                    .is_text = dn_pg_result_is_true(r, row, 5),
                };
            }
        }
    }
cleanup:
    dn_pg_result_finish(r);
    dn_buffer_finish(&list);
    return st;
}

static enum dn_pg_kind kind_of(const struct resolved *t)
{
    const enum dn_pg_kind kind = dn_pg_kind_of_oid(t->base);

    return kind == DN_PG_KIND_CAST && t->is_text ? DN_PG_KIND_TEXT : kind;
}

static void decide(struct dn_pg_field *f, const struct resolved *type,
                   const struct resolved *element)
{
    const struct resolved *value = type->element != 0 ? element : type;

    f->is_array = type->element != 0;
    if (type->is_domain) {
        f->typmod = type->typmod;
    }
    if (f->is_array && element->is_domain) {
        f->typmod = element->typmod;
    }
    f->kind = value->element != 0 && f->is_array ? DN_PG_KIND_CAST : kind_of(value);
    f->is_cast = f->kind == DN_PG_KIND_CAST;
    if (f->is_cast) {
        f->kind = DN_PG_KIND_TEXT;
    }
}

enum dn_status dn_pg_fields_decide(struct dn_pg_field *fields, size_t n, struct dn_pg_session *s,
                                   struct dn_error *err)
{
    const size_t room = n > 0 ? n : 1;
    uint32_t *types = dn_calloc(room, sizeof(*types));
    struct resolved *all = dn_calloc(room, 2 * sizeof(*all));
    struct resolved *elements = all != NULL ? all + room : NULL;
    enum dn_status st = DN_OK;
    bool has_arrays = false;

    if (types == NULL || all == NULL) {
        st = dn_error_memory(err, room * (sizeof(*types) + 2 * sizeof(*all)));
        goto cleanup;
    }
    for (size_t i = 0; i < n; i++) {
        types[i] = fields[i].type;
    }
    DN_TRY_GOTO(st, resolve(s, types, n, all, err), cleanup);
    for (size_t i = 0; i < n; i++) {
        types[i] = all[i].element;
        has_arrays = has_arrays || types[i] != 0;
    }
    if (has_arrays) {
        DN_TRY_GOTO(st, resolve(s, types, n, elements, err), cleanup);
    }
    for (size_t i = 0; i < n; i++) {
        decide(&fields[i], &all[i], &elements[i]);
    }
cleanup:
    dn_free(types);
    dn_free(all);
    return st;
}
