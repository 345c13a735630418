/* How values are written: from the options to the forms of every field. */
#include "csv/forms.h"

#include "csv/reader_internal.h"

/* Would the strict reading of some type take the text?  "nan" is none: it needs other floats around it. */
static bool is_value(const char *text, size_t len)
{
    uint8_t padded[256] = {0};

    if (len == 0 || len > 128) {
        return len > 0;
    }
    memcpy(padded + 64, text, len);
    const enum dn_csv_class c = dn_csv_classify(padded + 64, len);
    return c != DN_CSV_TEXT && c != DN_CSV_SPECIAL;
}

static enum dn_status nulls_room(struct dn_csv_reader *r, struct dn_csv_nulls *out, size_t n,
                                 struct dn_error *err)
{
    out->texts = dn_arena_alloc(&r->arena, (n + 1) * sizeof(*out->texts));
    out->lens = dn_arena_alloc(&r->arena, (n + 1) * sizeof(*out->lens));
    return out->texts != NULL && out->lens != NULL ? DN_OK
                                                   : dn_error_memory(err, n * sizeof(char *));
}

static enum dn_status add_null(struct dn_csv_reader *r, struct dn_csv_nulls *nulls,
                               const char *text, struct dn_error *err)
{
    const size_t len = strlen(text);
    const char *copy = dn_arena_strdup(&r->arena, text);

    if (copy == NULL) {
        return dn_error_memory(err, len);
    }
    ((const char **)(uintptr_t)nulls->texts)[nulls->n] = copy; /* which are ours */
    ((size_t *)(uintptr_t)nulls->lens)[nulls->n++] = len;
    nulls->any_value |= is_value(copy, len);
    return DN_OK;
}

static bool is_for_all(const struct dn_csv_column_text *t)
{
    return t->name == NULL || t->name[0] == '\0';
}

enum dn_status dn_csv_copy_nulls(struct dn_csv_reader *r, const struct dn_csv_options *o,
                                 struct dn_error *err)
{
    struct dn_csv_nulls *nulls = &r->nulls;

    DN_TRY(nulls_room(r, nulls, o->n_null_values + o->n_column_null_values, err));
    nulls->quoted = o->quoted_nulls;
    nulls->bare_only = o->quoted_text && !o->quoted_nulls;
    for (size_t i = 0; i < o->n_null_values; i++) {
        DN_TRY(add_null(r, nulls, o->null_values[i], err));
    }
    for (size_t i = 0; i < o->n_column_null_values; i++) {
        if (is_for_all(&o->column_null_values[i])) {
            DN_TRY(add_null(r, nulls, o->column_null_values[i].text, err));
        }
    }
    return DN_OK;
}

/* The forms of a field, which are made when it first has some of its own. */
static enum dn_status forms_of(struct dn_csv_reader *r, const struct dn_csv_options *o,
                               size_t field, struct dn_csv_forms **out, struct dn_error *err)
{
    if (r->forms == NULL) {
        r->forms = dn_arena_alloc(&r->arena, r->n_fields * sizeof(*r->forms));
        if (r->forms == NULL) {
            return dn_error_memory(err, r->n_fields * sizeof(*r->forms));
        }
    }
    *out = (struct dn_csv_forms *)(uintptr_t)r->forms[field];
    if (*out != NULL) {
        return DN_OK;
    }
    *out = dn_arena_alloc(&r->arena, sizeof(**out));
    if (*out == NULL) {
        return dn_error_memory(err, sizeof(**out));
    }
    r->forms[field] = *out;
    struct dn_csv_nulls *nulls = &(*out)->nulls;
    *nulls = r->nulls;
    DN_TRY(nulls_room(r, nulls, r->nulls.n + o->n_column_null_values, err));
    memcpy((void *)(uintptr_t)nulls->texts, r->nulls.texts, r->nulls.n * sizeof(*nulls->texts));
    memcpy((void *)(uintptr_t)nulls->lens, r->nulls.lens, r->nulls.n * sizeof(*nulls->lens));
    return DN_OK;
}

static enum dn_status add_column_null(struct dn_csv_reader *r, const struct dn_csv_options *o,
                                      const struct dn_csv_column_text *t, struct dn_error *err)
{
    struct dn_csv_forms *forms = NULL;
    bool found = false;

    for (size_t i = 0; i < r->n_fields; i++) {
        if (strcmp(r->field_names[i], t->name) == 0) {
            DN_TRY(forms_of(r, o, i, &forms, err));
            DN_TRY(add_null(r, &forms->nulls, t->text, err));
            found = true;
        }
    }
    return found || o->missing_as_null ? DN_OK
                                       : dn_csv_no_such_column(r, t->name, "null_values", err);
}

enum dn_status dn_csv_open_forms(struct dn_csv_reader *r, const struct dn_csv_options *o,
                                 struct dn_error *err)
{
    for (size_t i = 0; i < o->n_column_null_values; i++) {
        if (!is_for_all(&o->column_null_values[i])) {
            DN_TRY(add_column_null(r, o, &o->column_null_values[i], err));
        }
    }
    return DN_OK;
}
