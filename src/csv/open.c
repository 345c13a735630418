/* Opening: from the header and the sample to the columns and their schema. */
#include "base/memory.h"
#include "base/name_map.h"
#include "base/strings.h"
#include "csv/advice.h"
#include "csv/aside.h"
#include "csv/choose.h"
#include "csv/explain.h"
#include "csv/names.h"
#include "csv/token.h"
#include "csv/union.h"
#include "text/parse.h"
#include "values/value_text.h"

#include <stdio.h>

/* Fields and columns by name. */
struct lookup {
    struct dn_name_map fields;  /**< the first field of a name */
    struct dn_name_map columns; /**< the first column of a name, */
    size_t *next;               /**< for each column the next one of the same name, or SIZE_MAX */
    size_t *last;               /**< for each first column of a name the last one */
};

static size_t find_name(const struct dn_name_map *map, const char *name)
{
    const int64_t at = dn_name_map_get(map, name, strlen(name));
    return at < 0 ? SIZE_MAX : (size_t)at;
}

static enum dn_status add_first(struct dn_name_map *map, const char *name, size_t at,
                                struct dn_error *err)
{
    return find_name(map, name) != SIZE_MAX
               ? DN_OK
               : dn_name_map_add(map, name, strlen(name), (int64_t)at, err);
}

static void lookup_finish(struct lookup *l)
{
    dn_name_map_finish(&l->fields);
    dn_name_map_finish(&l->columns);
    dn_free(l->next);
    dn_free(l->last);
}

static enum dn_status lookup_columns(struct lookup *l, const struct dn_csv_reader *r,
                                     struct dn_error *err)
{
    l->next = dn_calloc(r->n_columns + 1, sizeof(*l->next));
    l->last = dn_calloc(r->n_columns + 1, sizeof(*l->last));
    if (l->next == NULL || l->last == NULL) {
        return dn_error_memory(err, r->n_columns * sizeof(*l->next));
    }
    for (size_t c = 0; c < r->n_columns; c++) {
        const char *name = r->columns[c].name;
        DN_TRY(add_first(&l->columns, name, c, err));
        const size_t first = find_name(&l->columns, name);
        if (first != c) {
            l->next[l->last[first]] = c;
        }
        l->next[c] = SIZE_MAX;
        l->last[first] = c;
    }
    return DN_OK;
}

/* The name, but for blanks around it. */
static bool has_with_blanks(const struct dn_csv_reader *r, const char *name)
{
    const size_t len = strlen(name);

    for (size_t i = 0; i < r->n_fields; i++) {
        const char *at = r->field_names[i] + strspn(r->field_names[i], " \t");
        if (len > 0 && strncmp(at, name, len) == 0 && at[len + strspn(at + len, " \t")] == '\0') {
            return true;
        }
    }
    return false;
}

enum dn_status dn_csv_no_such_column(const struct dn_csv_reader *r, const char *name,
                                     const char *option, struct dn_error *err)
{
    const char *close = dn_text_suggest(name, r->field_names, r->n_fields);
    char shown[DN_SHOWN_PATH_SIZE];
    const char *path = dn_source_shown_path(shown, r->paths[0]);
    char columns[200];

    dn_text_list(columns, sizeof(columns), r->field_names, r->n_fields);
    dn_error_set(err, DN_ERR_INVALID,
                 "%s: the option %s names the column \"%s\", which the file does not have; "
                 "%s%s%s%sits columns: %s",
                 path, option, name, close != NULL ? "did you mean \"" : "",
                 close != NULL ? close : "", close != NULL ? "\"? " : "",
                 has_with_blanks(r, name) ? "there it has blanks around it, which the option trim "
                                            "takes off; "
                                          : "",
                 columns);
    dn_error_locate(err, path, -1, -1, -1, name);
    return dn_error_option(err, DN_ERR_INVALID, option);
}

/* The types that text is read as. */
static bool is_readable(struct dn_type type)
{
    return dn_value_is_parsed(type) || dn_value_is_raw(type) || type.id == DN_TYPE_FLOAT16 ||
           type.id == DN_TYPE_FLOAT32 || type.id == DN_TYPE_UTF8_VIEW;
}

static enum dn_status unknown_type(const struct dn_csv_column_type *t, struct dn_error *err)
{
    char room[DN_TYPE_WORDS_SIZE];
    const char *close = dn_type_suggest(t->type, room);
    struct dn_type type;
    enum dn_bytes_form form;

    if (dn_value_type_parse(t->type, &type, &form) || strchr(t->type, '<') != NULL) {
        dn_error_set(err, DN_ERR_INVALID,
                     "column \"%s\": text is not read as %.200s; read it as a string", t->name,
                     t->type);
    } else {
        dn_error_set(err, DN_ERR_INVALID,
                     "column \"%s\": unknown type \"%s\"%s%s%s; types are " DN_TYPE_EXAMPLES,
                     t->name, t->type, close != NULL ? ", did you mean \"" : "",
                     close != NULL ? close : "", close != NULL ? "\"" : "");
    }
    dn_error_locate(err, NULL, -1, -1, -1, t->name);
    return dn_error_option(err, DN_ERR_INVALID, "types");
}

static enum dn_status set_type(struct dn_csv_column *c, const struct dn_csv_column_type *t,
                               struct dn_error *err)
{
    struct dn_type type;
    enum dn_bytes_form form;

    if (!dn_value_type_parse(t->type, &type, &form) || !is_readable(type)) {
        return unknown_type(t, err);
    }
    c->type = type;
    c->form = form;
    c->declared = t->declared;
    if (c->unseen) {
        c->through_quotes =
            true; /* whoever saw the values knows that they are one type, quoted or not */
        c->unseen = false;
    }
    c->unsettled = false;
    if (t->declared) {
        c->through_quotes = true;
        c->only_quoted = false;
    }
    return DN_OK;
}

static enum dn_status apply_types(struct dn_csv_reader *r, const struct lookup *l,
                                  const struct dn_csv_options *o, struct dn_error *err)
{
    for (size_t i = 0; i < o->n_types; i++) {
        const char *name = o->types[i].name;
        const size_t first = find_name(&l->columns, name);
        for (size_t c = first; c != SIZE_MAX; c = l->next[c]) {
            DN_TRY(set_type(&r->columns[c], &o->types[i], err));
        }
        if (first == SIZE_MAX && find_name(&l->fields, name) == SIZE_MAX && !o->missing_as_null) {
            return dn_csv_no_such_column(r, name, "types", err);
        }
    }
    return DN_OK;
}

static enum dn_status apply_required(struct dn_csv_reader *r, const struct lookup *l,
                                     const struct dn_csv_options *o, struct dn_error *err)
{
    for (size_t i = 0; i < o->n_required; i++) {
        const char *name = o->required[i];
        const size_t first = find_name(&l->columns, name);
        for (size_t c = first; c != SIZE_MAX; c = l->next[c]) {
            r->columns[c].required = true;
            if (r->columns[c].field == SIZE_MAX) {
                return dn_csv_no_such_column(r, name, "required", err);
            }
        }
        if (first == SIZE_MAX && find_name(&l->fields, name) != SIZE_MAX) {
            return dn_error_set(err, DN_ERR_INVALID,
                                "the option required names the column \"%s\", which the option "
                                "columns leaves out: add it there",
                                name);
        }
        if (first == SIZE_MAX) {
            return dn_csv_no_such_column(r, name, "required", err);
        }
    }
    return DN_OK;
}

/* Which fields are left out. */
static enum dn_status exclude_fields(struct dn_csv_reader *r, const struct lookup *l,
                                     const struct dn_csv_options *o, bool **out,
                                     struct dn_error *err)
{
    *out = dn_arena_alloc(&r->arena, r->n_fields * sizeof(**out));
    if (*out == NULL) {
        return dn_error_memory(err, r->n_fields * sizeof(**out));
    }
    for (size_t i = 0; i < o->n_exclude; i++) {
        const size_t at = dn_csv_find_field(r, &l->fields, o->exclude[i]);
        if (at == SIZE_MAX) {
            return dn_csv_no_such_column(r, o->exclude[i], "exclude", err);
        }
        (*out)[at] = true;
    }
    for (size_t f = 0; o->n_exclude > 0 && f < r->n_fields; f++) { /* all of a name, as of others */
        (*out)[f] = (*out)[f] || (find_name(&l->fields, r->field_names[f]) != f &&
                                  (*out)[find_name(&l->fields, r->field_names[f])]);
    }
    return DN_OK;
}

/* The columns asked for, of which no more is known than their fields. */
static enum dn_status choose_fields(struct dn_csv_reader *r, const struct lookup *l,
                                    const struct dn_csv_options *o, struct dn_error *err)
{
    const size_t most = o->columns != NULL ? o->n_columns : r->n_fields;
    bool *excluded = NULL;
    size_t n = 0;

    r->columns = dn_arena_alloc(&r->arena, (most + 1) * sizeof(struct dn_csv_column));
    if (r->columns == NULL) {
        return dn_error_memory(err, most * sizeof(struct dn_csv_column));
    }
    DN_TRY(exclude_fields(r, l, o, &excluded, err));
    for (size_t i = 0; i < most; i++) {
        size_t field = i;
        if (o->columns != NULL) {
            field = dn_csv_find_field(r, &l->fields, o->columns[i]);
            if (field == SIZE_MAX && !o->missing_as_null) {
                return dn_csv_no_such_column(r, o->columns[i], "columns", err);
            }
            if (field != SIZE_MAX && excluded[field] && !o->missing_as_null) {
                return dn_error_set(err, DN_ERR_INVALID,
                                    "the options columns and exclude both name the column \"%s\"; "
                                    "leave it out of one of them",
                                    o->columns[i]);
            }
            field = field != SIZE_MAX && excluded[field] ? SIZE_MAX : field;
        } else if (excluded[i]) {
            continue;
        }
        r->columns[n++].field = field;
    }
    r->n_columns = n;
    return n > 0 || o->n_exclude == 0
               ? DN_OK
               : dn_error_set(err, DN_ERR_INVALID,
                              "the option exclude leaves no column of the file");
}

/* Nobody asks for the types of fields that are no column. */
static void note_wanted(const struct dn_csv_reader *r, struct dn_csv_evidence *evidence)
{
    for (size_t f = 0; f < r->n_fields; f++) {
        evidence[f].unwanted = true;
    }
    for (size_t c = 0; c < r->n_columns; c++) {
        if (r->columns[c].field != SIZE_MAX) {
            evidence[r->columns[c].field].unwanted = false;
        }
    }
}

/* The columns with their names and the types the sample gives. */
static enum dn_status type_columns(struct dn_csv_reader *r, const struct dn_csv_options *o,
                                   struct dn_csv_evidence *evidence, struct dn_error *err)
{
    for (size_t c = 0; c < r->n_columns; c++) {
        struct dn_csv_column *column = &r->columns[c];
        column->type = DN_TYPE(UTF8_VIEW);
        if (column->field == SIZE_MAX) {
            column->name = dn_arena_strdup(&r->arena, o->columns[c]);
            if (column->name == NULL) {
                return dn_error_memory(err, strlen(o->columns[c]));
            }
            continue;
        }
        column->name = r->field_names[column->field];
        column->forms = r->forms != NULL ? r->forms[column->field] : NULL;
        column->rounds = o->round_decimals;
        if (o->inference == DN_CSV_INFER_COLUMN) {
            dn_csv_evidence_forgive(&evidence[column->field], dn_csv_aside_most(r));
            dn_csv_resolve(&evidence[column->field], column);
        }
    }
    return DN_OK;
}

/* A name that somebody gave is that of no other column. */
static enum dn_status check_renamed(const struct dn_csv_reader *r, const struct lookup *l,
                                    struct dn_error *err)
{
    for (size_t c = 0; r->renamed != NULL && c < r->n_columns; c++) {
        const size_t field = r->columns[c].field;
        const size_t first = find_name(&l->columns, r->columns[c].name);
        if (field == SIZE_MAX || !r->renamed[field]) {
            continue;
        }
        for (size_t at = first; at != SIZE_MAX; at = l->next[at]) {
            if (r->columns[at].field != field) {
                return dn_error_set(err, DN_ERR_INVALID,
                                    "two columns would be named \"%s\", one of them by the option "
                                    "rename; choose another name",
                                    r->columns[c].name);
            }
        }
    }
    return DN_OK;
}

/* The columns, whose fields are chosen. */
static enum dn_status make_columns(struct dn_csv_reader *r, struct lookup *l,
                                   const struct dn_csv_options *o, struct dn_csv_evidence *evidence,
                                   struct dn_error *err)
{
    DN_TRY(type_columns(r, o, evidence, err));
    DN_TRY(lookup_columns(l, r, err));
    DN_TRY(check_renamed(r, l, err));
    DN_TRY(apply_types(r, l, o, err));
    return apply_required(r, l, o, err);
}

/*
 * Columns in which quotes may yet turn out to say text.  If the caller can start over, the first value that would show it is an error;
 * if not, quotes say nothing there.
 */
static void settle_quotes(struct dn_csv_reader *r, const struct dn_csv_options *o)
{
    for (size_t c = 0; c < r->n_columns; c++) {
        struct dn_csv_column *column = &r->columns[c];
        if (column->unsettled && o->restartable && column->type.id != DN_TYPE_UTF8_VIEW) {
            column->only_quoted = column->mostly_quoted;
            column->through_quotes = column->mostly_quoted;
        }
    }
}

/* The columns whose first value is waited for. */
static enum dn_status note_unseen(struct dn_csv_reader *r, const struct dn_csv_options *o,
                                  struct dn_error *err)
{
    if (!o->restartable) {
        return DN_OK;
    }
    r->unseen = dn_arena_alloc(&r->arena, (r->n_columns + 1) * sizeof(*r->unseen));
    if (r->unseen == NULL) {
        return dn_error_memory(err, r->n_columns * sizeof(*r->unseen));
    }
    for (size_t c = 0; c < r->n_columns; c++) {
        if (r->columns[c].unseen) {
            r->unseen[r->n_unseen++].column = c;
        }
    }
    return DN_OK;
}

/* What fields that are missing need behind a block. */
static void set_room_behind(struct dn_csv_reader *r)
{
    r->feed.room_behind =
        r->ragged == DN_CSV_RAGGED_NULL ? (r->n_fields + 1) * (1 + (size_t)r->dialect.n_rest) : 0;
}

static void note_forms(struct dn_csv_reader *r)
{
    for (size_t c = 0; c < r->n_columns; c++) {
        r->columns[c].formed = dn_csv_forms_concern(r->columns[c].forms, r->columns[c].type);
    }
}

enum dn_status dn_csv_make_schema(const struct dn_csv_reader *r, struct ArrowSchema *out,
                                  struct dn_error *err)
{
    struct dn_field *fields = dn_calloc(r->n_columns + 1, sizeof(*fields));

    if (fields == NULL) {
        return dn_error_memory(err, r->n_columns * sizeof(*fields));
    }
    for (size_t c = 0; c < r->n_columns; c++) {
        fields[c] =
            (struct dn_field){r->columns[c].name, r->columns[c].type, !r->columns[c].required};
    }
    const enum dn_status st = dn_schema_make(out, fields, (int64_t)r->n_columns, err);
    dn_free(fields);
    return st;
}

/*
 * The sample holds a row that is wrong.  Reading is what says how: it stops there, or at an error before that, and nobody
 * else can word it the same.
 */
static enum dn_status report_fault(struct dn_csv_reader *r, struct dn_error *err)
{
    struct ArrowArray batch;

    DN_TRY(dn_csv_pipeline_start(r, err));
    for (;;) {
        if (dn_csv_pipeline_next(r, &batch) != DN_OK) {
            if (err != NULL) {
                *err = r->error;
            }
            return r->status;
        }
        if (batch.release == NULL) {
            return dn_error_set(err, DN_ERR_IO,
                                "a file changed while it was read: it had a broken row before; try "
                                "again when nothing writes to it");
        }
        batch.release(&batch);
    }
}

/* A piece: what there is to know its token says, and nothing of the file is looked at. */
static enum dn_status open_piece(struct dn_csv_reader *r, const struct dn_csv_options *options,
                                 struct dn_error *err)
{
    struct dn_csv_options o = *options;
    struct lookup l = {0};
    enum dn_status st = DN_OK;

    DN_TRY(dn_csv_feed_open(&r->feed, err));
    DN_TRY(dn_csv_token_restore(r, err));
    set_room_behind(r);
    DN_TRY(dn_csv_open_forms(r, options, err));
    o.inference = DN_CSV_INFER_STRINGS;
    DN_TRY_GOTO(st, dn_csv_map_fields(r, &l.fields, err), cleanup);
    DN_TRY_GOTO(st, choose_fields(r, &l, &o, err), cleanup);
    DN_TRY_GOTO(st, make_columns(r, &l, &o, NULL, err), cleanup);
    DN_TRY_GOTO(st, dn_csv_token_types(r, err), cleanup);
    note_forms(r);
    st = dn_csv_size_window(r, options, err);
cleanup:
    lookup_finish(&l);
    return st;
}

enum dn_status dn_csv_open_schema(struct dn_csv_reader *r, const struct dn_csv_options *options,
                                  struct dn_error *err)
{
    struct dn_csv_evidence *evidence;
    struct lookup l = {0};
    bool faulty = false;

    if (r->token != NULL) {
        return open_piece(r, options, err);
    }
    r->feed.delimiter_given = options->delimiter != 0 || options->delimiter_text != NULL;
    const enum dn_status opened = dn_csv_feed_open(&r->feed, err);
    if (opened != DN_OK) {
        dn_csv_place(r, 0, err);
        return opened;
    }
    if (r->look != NULL && r->look->what == DN_CSV_EXPLAIN_DIALECTS) {
        return dn_csv_guess_dialect(r, options, r->look->guesses, &r->look->n_guesses, err);
    }
    DN_TRY(dn_csv_choose_dialect(r, options, err));
    DN_TRY(dn_csv_open_sep(r, options, err));
    DN_TRY(dn_csv_open_header(r, options, err));
    if (options->union_by_name) {
        DN_TRY(dn_csv_union_open(r, options, err));
    } else {
        dn_csv_find_trailing(r);
    }
    DN_TRY(dn_csv_shape_names(r, options, err));
    set_room_behind(r);
    evidence = dn_calloc(r->n_fields + 1, sizeof(*evidence));
    if (evidence == NULL) {
        return dn_error_memory(err, r->n_fields * sizeof(*evidence));
    }
    enum dn_status st = DN_OK;
    DN_TRY_GOTO(st, dn_csv_open_forms(r, options, err), cleanup);
    for (size_t i = 0; i < r->n_fields; i++) {
        evidence[i].forms = r->forms != NULL ? r->forms[i] : NULL;
        evidence[i].quoted_text = r->quoted_text;
        evidence[i].any_text = dn_csv_aside_most(r) == 0;
    }
    if (r->look != NULL) {
        DN_TRY_GOTO(
            st,
            dn_csv_why_start(&r->look->why, evidence, r->n_fields, options->round_decimals, err),
            cleanup);
    }
    DN_TRY_GOTO(st, dn_csv_map_fields(r, &l.fields, err), cleanup);
    DN_TRY_GOTO(st, choose_fields(r, &l, options, err), cleanup);
    note_wanted(r, evidence);
    if (options->inference == DN_CSV_INFER_COLUMN) {
        DN_TRY_GOTO(st, dn_csv_sample(r, evidence, &faulty, err), cleanup);
    }
    DN_TRY_GOTO(st, make_columns(r, &l, options, evidence, err), cleanup);
    settle_quotes(r, options);
    note_forms(r);
    DN_TRY_GOTO(st, note_unseen(r, options, err), cleanup);
    DN_TRY_GOTO(st, dn_csv_size_window(r, options, err), cleanup);
    if (faulty && !dn_csv_aside_wanted(r)) {
        st = report_fault(r, err);
        goto cleanup;
    }
    dn_csv_advise(r);
cleanup:
    dn_free(r->looks); /* only dn_csv_advise() asks */
    r->looks = NULL;
    lookup_finish(&l);
    dn_free(evidence);
    return st;
}
