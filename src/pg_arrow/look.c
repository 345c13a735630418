/* Opening a reader: the session, which columns are read how, and the plan. */
#include "pg_arrow/reader_internal.h"

#include "base/memory.h"
#include "base/strings.h"

#include <stdio.h>
#include <string.h>

/* ---- what is read ------------------------------------------------------------------------------------------------- */

/* Kept until rows are asked for: who only looks at the columns need not hear it. */
static enum dn_status note(struct dn_pg_reader *r, const char *event, const char *message,
                           struct dn_error *err)
{
    struct dn_pg_note *n = dn_arena_alloc(&r->arena, sizeof(*n));
    const char *kept = dn_arena_strdup(&r->arena, message);

    if (n == NULL || kept == NULL) {
        return dn_error_memory(err, sizeof(*n) + strlen(message));
    }
    *n = (struct dn_pg_note){event, kept, NULL};
    *r->last_note = n;
    r->last_note = &n->next;
    return DN_OK;
}

void dn_pg_reader_tell_notes(const struct dn_pg_reader *r)
{
    for (const struct dn_pg_note *n = r->notes; n != NULL; n = n->next) {
        if (r->options.note != NULL) {
            r->options.note(r->options.note_ctx, n->event, n->message);
        }
    }
}

static const struct dn_pg_field *find_field(const struct dn_pg_field *fields, size_t n,
                                            const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(fields[i].name, name) == 0) {
            return &fields[i];
        }
    }
    return NULL;
}

static enum dn_status no_field(const struct dn_pg_reader *r, const struct dn_pg_field *fields,
                               size_t n, const char *name, struct dn_error *err)
{
    const char **names = dn_calloc(n + 1, sizeof(*names));
    char list[256] = "";

    for (size_t i = 0; names != NULL && i < n; i++) {
        names[i] = fields[i].name;
    }
    const char *meant = names != NULL ? dn_text_suggest(name, names, n) : NULL;
    if (names != NULL && meant == NULL) {
        dn_text_list(list, sizeof(list), names, n);
    }
    dn_free(names);
    (void)dn_error_set(err, DN_ERR_NOT_FOUND, "%s has no column \"%s\"%s%s%s", r->name, name,
                       meant != NULL ? ": did you mean \"" : "; it has ",
                       meant != NULL ? meant : list, meant != NULL ? "\"?" : "");
    dn_error_locate(err, r->name, -1, -1, -1, name);
    return DN_ERR_NOT_FOUND;
}

static const struct dn_pg_wanted *find_wanted(const struct dn_pg_reader *r, const char *name)
{
    for (size_t i = 0; i < r->options.n_types; i++) {
        if (strcmp(r->options.types[i].name, name) == 0) {
            return &r->options.types[i];
        }
    }
    return NULL;
}

static enum dn_status cannot_convert(const struct dn_pg_reader *r, const struct dn_pg_field *f,
                                     struct dn_type type, bool is_list, struct dn_error *err)
{
    (void)dn_error_set(
        err, DN_ERR_CONFIG,
        "%s: column \"%s\"%s%s is not read as %s%s%s, in which values could be lost or which the "
        "server does not have; read it as another type, or cast it in a query",
        r->name, f->name, f->type_name[0] != '\0' ? " of type " : "", f->type_name,
        is_list ? "list<" : "", DN_TYPE_TEXT(type), is_list ? ">" : "");
    dn_error_locate(err, r->name, -1, -1, -1, f->name);
    return dn_error_option(err, DN_ERR_CONFIG, "types");
}

static enum dn_status tell_conversion(struct dn_pg_reader *r, const struct dn_pg_field *f,
                                      enum dn_pg_conversion how, struct dn_error *err)
{
    char message[DN_PG_MOST_NOTE_BYTES];

    if (how != DN_PG_ROUNDED && how != DN_PG_IN_UTC) {
        return DN_OK;
    }
    (void)snprintf(message, sizeof(message), "%s: column \"%s\"%s%s is read as %s, as asked for",
                   r->name, f->name, f->type_name[0] != '\0' ? " of type " : "", f->type_name,
                   how == DN_PG_ROUNDED ? "the closest float64, which has some 16 digits"
                                        : "the time that clocks show in UTC");
    return note(r, how == DN_PG_ROUNDED ? "values_rounded" : "times_in_utc", message, err);
}

/* SQL's name of the array of what is cast to. */
static enum dn_status cast_to_array(struct dn_pg_reader *r, struct dn_pg_field *field,
                                    struct dn_error *err)
{
    char name[64];

    field->is_array = true;
    if (field->cast_to != NULL) {
        const int len = snprintf(name, sizeof(name), "%s[]", field->cast_to);
        field->cast_to = dn_arena_strndup(&r->arena, name, (size_t)len);
        return field->cast_to != NULL ? DN_OK : dn_error_memory(err, sizeof(name));
    }
    return DN_OK;
}

static enum dn_status missing_field(struct dn_pg_reader *r, const struct dn_pg_wanted *wanted,
                                    const char *name, struct dn_pg_reader_column *out,
                                    struct dn_pg_field *field, struct dn_error *err)
{
    out->has_type = true;
    if (!dn_pg_field_of_nulls(field, name, &out->type)) {
        const struct dn_pg_field none = {.name = name, .type_name = "null"};
        return cannot_convert(r, &none, out->type, false, err);
    }
    return wanted != NULL && wanted->is_list ? cast_to_array(r, field, err) : DN_OK;
}

static enum dn_status convert_field(struct dn_pg_reader *r, const struct dn_pg_wanted *wanted,
                                    struct dn_pg_reader_column *out, struct dn_pg_field *field,
                                    struct dn_error *err)
{
    const struct dn_pg_field own = *field;

    if (wanted->is_list != own.is_array) {
        dn_pg_field_flatten(field);
    } else {
        field->is_array = false;
    }
    const enum dn_pg_conversion how = wanted->is_list && !own.is_array
                                          ? DN_PG_NOT_CONVERTED
                                          : dn_pg_field_convert(field, &out->type);
    if (how == DN_PG_NOT_CONVERTED) {
        return cannot_convert(r, &own, wanted->type, wanted->is_list, err);
    }
    DN_TRY(tell_conversion(r, &own, how, err));
    return wanted->is_list ? cast_to_array(r, field, err) : DN_OK;
}

/* The field of one column of the rows. */
static enum dn_status make_field(struct dn_pg_reader *r, const struct dn_pg_field *all,
                                 size_t n_all, const char *name, struct dn_pg_reader_column *out,
                                 struct dn_pg_field *field, struct dn_error *err)
{
    const struct dn_pg_field *found = find_field(all, n_all, name);
    const struct dn_pg_wanted *wanted = find_wanted(r, name);

    out->has_type = wanted != NULL;
    out->type = wanted != NULL ? wanted->type : DN_TYPE(UTF8_VIEW);
    if (found == NULL && !r->options.missing_as_null) {
        return no_field(r, all, n_all, name, err);
    }
    if (found == NULL) {
        return missing_field(r, wanted, name, out, field, err);
    }
    *field = *found;
    if (wanted != NULL) {
        return convert_field(r, wanted, out, field, err);
    }
    if (r->options.choices.arrays_are_text) {
        dn_pg_field_flatten(field);
    }
    return DN_OK;
}

/* Options that name columns name such that are there. */
static enum dn_status check_names(const struct dn_pg_reader *r, const struct dn_pg_field *all,
                                  size_t n_all, struct dn_error *err)
{
    for (size_t i = 0; !r->options.missing_as_null && i < r->options.n_types; i++) {
        if (find_field(all, n_all, r->options.types[i].name) == NULL) {
            return dn_error_option(err, no_field(r, all, n_all, r->options.types[i].name, err),
                                   "types");
        }
    }
    for (size_t i = 0; i < r->options.n_required; i++) {
        struct dn_pg_field *f =
            (struct dn_pg_field *)(uintptr_t)find_field(r->fields, r->n, r->options.required[i]);
        if (f == NULL) {
            return dn_error_option(err, no_field(r, all, n_all, r->options.required[i], err),
                                   "required");
        }
        f->is_required = true;
    }
    return DN_OK;
}

/* Of all fields those that are asked for, as they are asked for. */
static enum dn_status pick(struct dn_pg_reader *r, const struct dn_pg_field *all, size_t n_all,
                           struct dn_error *err)
{
    const bool some = r->options.columns != NULL;

    r->n = some ? r->options.n_columns : n_all;
    r->fields = dn_arena_alloc(&r->arena, (r->n + 1) * sizeof(*r->fields));
    r->columns = dn_arena_alloc(&r->arena, (r->n + 1) * sizeof(*r->columns));
    if (r->fields == NULL || r->columns == NULL) {
        return dn_error_memory(err, (r->n + 1) * sizeof(*r->fields));
    }
    for (size_t i = 0; i < r->n;
         i++) { /* names of a query may repeat: without a choice the place counts */
        DN_TRY(some ? make_field(r, all, n_all, r->options.columns[i], &r->columns[i],
                                 &r->fields[i], err)
                    : make_field(r, &all[i], 1, all[i].name, &r->columns[i], &r->fields[i], err));
    }
    return check_names(r, all, n_all, err);
}

static enum dn_status open_cursor(struct dn_pg_reader *r, const char **where, struct dn_error *err)
{
    const char *name = r->options.cursor_field;

    if (name == NULL) {
        return DN_OK;
    }
    const struct dn_pg_field *field = find_field(r->relation.fields, r->relation.n_fields, name);
    if (field == NULL) {
        return dn_error_option(
            err, no_field(r, r->relation.fields, r->relation.n_fields, name, err), "cursor_field");
    }
    DN_TRY(dn_pg_cursor_open(&r->cursor, r->session, &r->relation, field, r->options.cursor_after,
                             *where, &r->arena, err));
    if (r->cursor.has_nulls) {
        char message[DN_PG_MOST_NOTE_BYTES];
        (void)snprintf(
            message, sizeof(message),
            "%s has rows without a value in \"%s\": they are never new, and are not read", r->name,
            r->options.cursor_field);
        DN_TRY(note(r, "rows_without_cursor", message, err));
    }
    *where = r->cursor.where;
    return DN_OK;
}

static enum dn_status open_table(struct dn_pg_reader *r, struct dn_error *err)
{
    struct dn_pg_wish wish = {.where = r->options.where, .n_connections = r->options.n_connections};
    struct dn_buffer name = {0};

    DN_TRY(dn_pg_relation_open(&r->relation, r->session, r->options.table, &r->arena, err));
    enum dn_status st = dn_text_appendf(&name, err, "%s.%s", r->relation.schema, r->relation.name);
    r->name = st == DN_OK ? dn_arena_strndup(&r->arena, (const char *)name.data, name.len) : NULL;
    dn_buffer_finish(&name);
    if (r->name == NULL) {
        return st != DN_OK ? st : dn_error_memory(err, 64);
    }
    if (wish.where != NULL && wish.where[0] != '\0') {
        st = dn_pg_condition_check(&r->relation, r->session, wish.where, err);
        if (st != DN_OK) {
            return dn_error_option(err, st, "where");
        }
    }
    DN_TRY(open_cursor(r, &wish.where, err));
    DN_TRY(pick(r, r->relation.fields, r->relation.n_fields, err));
    r->relation.fields = r->fields;
    r->relation.n_fields = r->n;
    return r->options.piece != NULL
               ? dn_pg_plan_range(&r->plan, &r->relation, &wish, &r->options.piece->range,
                                  &r->arena, err)
               : dn_pg_plan_make(&r->plan, &r->relation, &wish, &r->arena, err);
}

static enum dn_status open_query(struct dn_pg_reader *r, struct dn_error *err)
{
    const struct dn_pg_field *fields = NULL;
    size_t n = 0;

    DN_TRY(dn_pg_query_fields(&fields, &n, r->session, r->options.query, &r->arena, err));
    DN_TRY(pick(r, fields, n, err));
    return dn_pg_plan_query(&r->plan, r->options.query, n, r->fields, r->n, &r->arena, err);
}

/* ---- columns ------------------------------------------------------------------------------------------------------ */

static bool needs_survey(const struct dn_pg_reader *r)
{
    for (size_t i = 0; i < r->n; i++) {
        if (!r->columns[i].has_type &&
            dn_pg_target_needs_survey(&r->fields[i], &r->options.choices)) {
            return true;
        }
    }
    return false;
}

/* A piece has what the whole has found. */
static enum dn_status survey_of_whole(struct dn_pg_reader *r, struct dn_error *err)
{
    const struct dn_pg_cut *piece = r->options.piece;

    if (piece->n_digits == 0 && !needs_survey(r)) {
        return DN_OK;
    }
    if (piece->n_digits != r->n) {
        return dn_error_set(err, DN_ERR_IO,
                            "%s has other columns than when it was cut into pieces; cut it again",
                            r->name);
    }
    r->digits = piece->digits;
    return DN_OK;
}

static enum dn_status survey(struct dn_pg_reader *r, struct dn_error *err)
{
    const bool has_cursor = r->options.cursor_field != NULL;
    const struct dn_pg_wish whole = {.where = has_cursor ? r->cursor.where : r->options.where};
    struct dn_pg_plan plan = r->plan;

    if (r->options.piece != NULL) {
        return survey_of_whole(r, err);
    }
    if (!needs_survey(r)) {
        return DN_OK;
    }
    struct dn_pg_digits *digits = dn_arena_alloc(&r->arena, (r->n + 1) * sizeof(*digits));
    if (digits == NULL) {
        return dn_error_memory(err, (r->n + 1) * sizeof(*digits));
    }
    if (r->options.table != NULL) { /* in one piece */
        DN_TRY(dn_pg_plan_make(&plan, &r->relation, &whole, &r->arena, err));
    }
    r->digits = digits;
    return dn_pg_survey(digits, r->session, plan.pieces[0].select, r->fields, r->n, err);
}

/* What somebody may not expect of a column, once. */
static enum dn_status tell_column(struct dn_pg_reader *r, const struct dn_pg_field *f,
                                  const struct dn_pg_target *t, const struct dn_pg_digits *d,
                                  struct dn_error *err)
{
    char message[DN_PG_MOST_NOTE_BYTES];

    if (f->is_cast) {
        (void)snprintf(message, sizeof(message), "%s: column \"%s\"%s%s is read as its text",
                       r->name, f->name, f->type_name[0] != '\0' ? " of type " : "", f->type_name);
        return note(r, "read_as_text", message, err);
    }
    if (f->kind == DN_PG_KIND_NUMERIC && !f->is_array && dn_type_is_text(t->type) && d != NULL &&
        d->is_surveyed) {
        (void)snprintf(message, sizeof(message),
                       "%s: column \"%s\" is read as text, since no decimal of 76 digits holds all "
                       "its values%s",
                       r->name, f->name,
                       d->n_specials > 0 ? ", of which some are NaN or Infinity" : "");
        return note(r, "read_as_text", message, err);
    }
    return DN_OK;
}

static enum dn_status make_target(struct dn_pg_reader *r, size_t i, const struct dn_pg_digits *d,
                                  struct dn_error *err)
{
    const struct dn_pg_field *f = &r->fields[i];
    const struct dn_pg_target own =
        dn_pg_target_of(f, d != NULL && d->n_values > 0 ? d : NULL,
                        r->columns[i].has_type ? &r->columns[i].type : NULL, &r->options.choices);

    r->targets[i] = own;
    if (f->is_array) {
        struct dn_pg_target *item = dn_arena_alloc(&r->arena, sizeof(*item));
        if (item == NULL) {
            return dn_error_memory(err, sizeof(*item));
        }
        *item = own;
        r->targets[i] = dn_pg_target_of_array(f, item);
    }
    return DN_OK;
}

/* Somebody asked for several. */
static enum dn_status tell_one(struct dn_pg_reader *r, struct dn_error *err)
{
    char message[DN_PG_MOST_NOTE_BYTES];

    if (!r->options.tells_one || r->plan.reason == NULL) {
        return DN_OK;
    }
    (void)snprintf(message, sizeof(message), "%s is read by one connection: %s", r->name,
                   r->plan.reason);
    return note(r, "one_connection", message, err);
}

static enum dn_status choose_targets(struct dn_pg_reader *r, struct dn_error *err)
{
    DN_TRY(survey(r, err));
    r->targets = dn_arena_alloc(&r->arena, (r->n + 1) * sizeof(*r->targets));
    r->n_made =
        dn_arena_alloc(&r->arena, (r->n + 1) * (DN_PG_MOST_PLACES + 1) * sizeof(*r->n_made));
    if (r->targets == NULL || r->n_made == NULL) {
        return dn_error_memory(err, (r->n + 1) * sizeof(*r->targets));
    }
    for (size_t i = 0; i < r->n; i++) {
        const struct dn_pg_digits *d = r->digits != NULL ? &r->digits[i] : NULL;
        DN_TRY(make_target(r, i, d, err));
        DN_TRY(tell_column(r, &r->fields[i], &r->targets[i], d, err));
    }
    for (size_t i = 0; i < DN_PG_MOST_PLACES; i++) {
        r->places[i].n_made = r->n_made + (i + 1) * (r->n + 1);
    }
    return DN_OK;
}

/* ---- opening ------------------------------------------------------------------------------------------------------ */

enum dn_status dn_pg_reader_look(struct dn_pg_reader *r, struct dn_error *err)
{
    const struct dn_pg_cut *piece = r->options.piece;

    r->session_options = (struct dn_pg_session_options){
        .params = r->options.params,
        .stop = r->options.stop,
        .statement_timeout_ms = r->options.statement_timeout_ms,
        .lock_timeout_ms = r->options.lock_timeout_ms,
    };
    DN_TRY(dn_pg_session_open(&r->session, &r->session_options, err));
    DN_TRY(dn_pg_session_begin(
        r->session, piece != NULL && piece->snapshot.name[0] != '\0' ? &piece->snapshot : NULL,
        err));
    DN_TRY(r->options.table != NULL ? open_table(r, err) : open_query(r, err));
    if (r->plan.n_connections > 1) {
        DN_TRY(dn_pg_session_export(r->session, &r->snapshot, err));
    }
    DN_TRY(tell_one(r, err));
    return choose_targets(r, err);
}
