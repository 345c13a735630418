#include "pg_arrow/discover.h"

#include "base/strings.h"

#include <inttypes.h>
#include <string.h>

static enum dn_status connect_to(struct dn_pg_session **out,
                                 const struct dn_pg_read_options *options, struct dn_error *err)
{
    const struct dn_pg_session_options session = {
        .params = options->params,
        .stop = options->stop,
        .statement_timeout_ms = options->statement_timeout_ms,
        .lock_timeout_ms = options->lock_timeout_ms,
    };

    return dn_pg_session_open(out, &session, err);
}

enum dn_status dn_pg_server_look(struct dn_pg_server *out, const struct dn_pg_read_options *options,
                                 struct dn_error *err)
{
    struct dn_pg_session *s = NULL;

    DN_TRY(connect_to(&s, options, err));
    const enum dn_status st = dn_pg_session_begin(s, NULL, err);
    *out = (struct dn_pg_server){dn_pg_session_version(s), dn_pg_session_is_tls(s)};
    dn_pg_session_close(s);
    return st;
}

static const char *word_of(char kind)
{
    switch (kind) {
    case 'v':
        return "view";
    case 'm':
        return "materialized view";
    case 'p':
        return "partitioned table";
    case 'f':
        return "foreign table";
    default:
        return "table";
    }
}

/* As the option table takes it: a name with quotes, or a schema with a point, needs SQL's way. */
static enum dn_status append_name(struct dn_buffer *out, const struct dn_pg_listed *l,
                                  struct dn_error *err)
{
    struct dn_buffer name = {0};
    enum dn_status st = DN_OK;

    if (strpbrk(l->schema, ".\"") == NULL && strchr(l->name, '"') == NULL) {
        st = dn_text_appendf(&name, err, "%s.%s", l->schema, l->name);
    } else {
        DN_TRY_GOTO(st, dn_pg_quote_name(&name, l->schema, err), cleanup);
        DN_TRY_GOTO(st, dn_text_append(&name, ".", err), cleanup);
        st = dn_pg_quote_name(&name, l->name, err);
    }
    if (st == DN_OK) {
        st = dn_text_append_json_string(out, name.data, name.len, err);
    }
cleanup:
    dn_buffer_finish(&name);
    return st;
}

static enum dn_status append_field(struct dn_buffer *out, const struct dn_pg_field *field,
                                   const struct dn_pg_choices *choices, struct dn_error *err)
{
    struct dn_pg_field f = *field;

    if (choices->arrays_are_text) {
        dn_pg_field_flatten(&f);
    }
    const struct dn_pg_target t = dn_pg_target_of(&f, NULL, NULL, choices);
    const bool is_open = dn_pg_target_needs_survey(&f, choices);
    DN_TRY(dn_text_append(out, "{\"name\":", err));
    DN_TRY(dn_text_append_json_string(out, f.name, strlen(f.name), err));
    return dn_text_appendf(out, err, ",\"type\":\"%s%s%s\",\"nullable\":%s}",
                           f.is_array ? "list<" : "", is_open ? "numeric" : DN_TYPE_TEXT(t.type),
                           f.is_array ? ">" : "", f.not_null ? "false" : "true");
}

static enum dn_status append_listed(struct dn_buffer *out, struct dn_pg_session *s,
                                    const struct dn_pg_listed *l,
                                    const struct dn_pg_choices *choices, struct dn_error *err)
{
    struct dn_arena arena = {0};
    const struct dn_pg_field *fields = NULL;
    size_t n = 0;
    enum dn_status st = DN_OK;

    DN_TRY_GOTO(st, dn_pg_listed_fields(&fields, &n, s, l, &arena, err), cleanup);
    DN_TRY_GOTO(st, dn_text_append(out, "{\"name\":", err), cleanup);
    DN_TRY_GOTO(st, append_name(out, l, err), cleanup);
    DN_TRY_GOTO(st, dn_text_appendf(out, err, ",\"type\":\"%s\",\"rows\":", word_of(l->kind)),
                cleanup);
    DN_TRY_GOTO(st,
                l->n_rows >= 0 ? dn_text_appendf(out, err, "%.0f", l->n_rows)
                               : dn_text_append(out, "null", err),
                cleanup);
    DN_TRY_GOTO(st, dn_text_append(out, ",\"columns\":[", err), cleanup);
    for (size_t i = 0; i < n; i++) {
        DN_TRY_GOTO(st, dn_text_append(out, i > 0 ? "," : "", err), cleanup);
        DN_TRY_GOTO(st, append_field(out, &fields[i], choices, err), cleanup);
    }
    st = dn_text_append(out, "]}", err);
cleanup:
    dn_arena_finish(&arena);
    return st;
}

enum dn_status dn_pg_discover(struct dn_buffer *out, const struct dn_pg_read_options *options,
                              struct dn_error *err)
{
    struct dn_pg_session *s = NULL;
    struct dn_arena arena = {0};
    struct dn_pg_listed *list = NULL;
    size_t n = 0;
    enum dn_status st = DN_OK;

    DN_TRY(connect_to(&s, options, err));
    DN_TRY_GOTO(st, dn_pg_session_begin(s, NULL, err), cleanup);
    DN_TRY_GOTO(st, dn_pg_relations_list(&list, &n, s, &arena, err), cleanup);
    for (size_t i = 0; i < n; i++) {
        DN_TRY_GOTO(st, dn_text_append(out, i > 0 ? "," : "", err), cleanup);
        DN_TRY_GOTO(st, append_listed(out, s, &list[i], &options->choices, err), cleanup);
    }
cleanup:
    dn_pg_session_close(s);
    dn_arena_finish(&arena);
    return st;
}
