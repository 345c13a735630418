/* How values are written: from the options to the forms of every field. */
#include "csv/forms.h"

#include "base/utf8.h"
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

/* Room for the texts of nulls in a field: those of every column first. */
static enum dn_status own_nulls(struct dn_csv_reader *r, size_t n_more, struct dn_csv_nulls *nulls,
                                struct dn_error *err)
{
    const struct dn_csv_nulls all = *nulls;

    DN_TRY(nulls_room(r, nulls, all.n + n_more, err));
    memcpy((void *)(uintptr_t)nulls->texts, all.texts, all.n * sizeof(*all.texts));
    memcpy((void *)(uintptr_t)nulls->lens, all.lens, all.n * sizeof(*all.lens));
    return DN_OK;
}

/* The same forms for every field, where an option says something of all of them. */
static enum dn_status forms_for_all(struct dn_csv_reader *r, const struct dn_csv_forms *base,
                                    struct dn_error *err)
{
    r->forms = dn_arena_alloc(&r->arena, (r->n_fields + 1) * sizeof(const struct dn_csv_forms *));
    if (r->forms == NULL) {
        return dn_error_memory(err, r->n_fields * sizeof(const struct dn_csv_forms *));
    }
    for (size_t i = 0; base != NULL && i < r->n_fields; i++) {
        r->forms[i] = base;
    }
    return DN_OK;
}

/* The forms of one field alone, which are made when it first has some of its own. */
static enum dn_status forms_of(struct dn_csv_reader *r, const struct dn_csv_options *o,
                               const struct dn_csv_forms *base, size_t field,
                               struct dn_csv_forms **out, struct dn_error *err)
{
    if (r->forms == NULL) {
        DN_TRY(forms_for_all(r, NULL, err));
    }
    *out = (struct dn_csv_forms *)(uintptr_t)r->forms[field];
    if (*out != NULL && *out != base) {
        return DN_OK;
    }
    *out = dn_arena_alloc(&r->arena, sizeof(**out));
    if (*out == NULL) {
        return dn_error_memory(err, sizeof(**out));
    }
    r->forms[field] = *out;
    if (base != NULL) {
        **out = *base;
    } else {
        (*out)->nulls = r->nulls;
    }
    return own_nulls(r, o->n_column_null_values, &(*out)->nulls, err);
}

/* ---- formats ---- */

/* An option of formats, of one kind. */
struct formats {
    const char *option;
    const struct dn_csv_column_text *texts;
    size_t n;
};

static struct formats formats_of(const struct dn_csv_options *o, size_t kind)
{
    const struct formats all[DN_MOMENT_KINDS] = {
        {"date_format", o->date_formats, o->n_date_formats},
        {"time_format", o->time_formats, o->n_time_formats},
        {"timestamp_format", o->timestamp_formats, o->n_timestamp_formats}};

    return all[kind];
}

static enum dn_status add_format(struct dn_csv_reader *r, const struct formats *f, size_t kind,
                                 const char *text, struct dn_csv_moments *moments,
                                 struct dn_error *err)
{
    char problem[DN_MOMENT_PROBLEM_SIZE];
    char shown[DN_ESCAPED_VALUE_SIZE];
    const char *copy = dn_arena_strdup(&r->arena, text);

    if (moments->formats == NULL) {
        moments->formats = dn_arena_alloc(&r->arena, f->n * sizeof(*moments->formats));
    }
    if (copy == NULL || moments->formats == NULL) {
        return dn_error_memory(err, f->n * sizeof(*moments->formats));
    }
    if (!dn_moment_compile(&moments->formats[moments->n], (enum dn_moment_kind)kind, copy,
                           problem)) {
        return dn_error_set(err, DN_ERR_INVALID, "the option %s: %s is no such format: %s",
                            f->option, dn_error_escape_value(shown, text, strlen(text)), problem);
    }
    moments->n++;
    return DN_OK;
}

static enum dn_status add_formats_for_all(struct dn_csv_reader *r, const struct dn_csv_options *o,
                                          struct dn_csv_forms *base, struct dn_error *err)
{
    for (size_t kind = 0; kind < DN_MOMENT_KINDS; kind++) {
        const struct formats f = formats_of(o, kind);
        for (size_t i = 0; i < f.n; i++) {
            if (is_for_all(&f.texts[i])) {
                DN_TRY(add_format(r, &f, kind, f.texts[i].text, &base->moments[kind], err));
            }
        }
    }
    return DN_OK;
}

/* ---- numbers and words ---- */

static enum dn_status wrong_mark(const char *option, const char *what, struct dn_error *err)
{
    return dn_error_set(err, DN_ERR_INVALID, "the option %s %s", option, what);
}

/* Bytes of the one character that a text is; 0: it is something else. */
static size_t one_character(const char *text)
{
    const size_t len = strlen(text);
    const uint8_t first = (uint8_t)text[0];
    const size_t n = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

    return len == n && dn_utf8_is_valid(text) ? n : 0;
}

static bool may_be_mark(uint8_t c)
{
    return c >= 0x80 || !((c >= '0' && c <= '9') || (c | 0x20) == 'e' || c == '-' || c == '+' ||
                          c == '\n' || c == '\r' || c == '\t' || c == '\0');
}

static enum dn_status set_number(const struct dn_csv_options *o, struct dn_csv_forms *base,
                                 struct dn_error *err)
{
    struct dn_number_form *f = &base->number;

    f->decimal = o->decimal != 0 ? (uint8_t)o->decimal : '.';
    base->has_number = f->decimal != '.' || o->thousands != NULL;
    if (f->decimal >= 0x80 || f->decimal == ' ' || !may_be_mark(f->decimal)) {
        return wrong_mark("decimal", "must be one ASCII character that no number has, such as ','",
                          err);
    }
    if (o->thousands == NULL) {
        return DN_OK;
    }
    f->n_thousands = (uint8_t)one_character(o->thousands);
    if (f->n_thousands == 0 || !may_be_mark((uint8_t)o->thousands[0])) {
        return wrong_mark("thousands", "must be one character that no number has, such as '.'",
                          err);
    }
    memcpy(f->thousands, o->thousands, f->n_thousands);
    if (f->n_thousands == 1 && f->thousands[0] == f->decimal) {
        return dn_error_set(
            err, DN_ERR_INVALID,
            "the options decimal and thousands are both '%c'; they must differ: "
            "numbers such as 1.234,56 have the option decimal ',' and the option thousands '.'",
            f->decimal);
    }
    return DN_OK;
}

static enum dn_status set_words(struct dn_csv_reader *r, const struct dn_csv_options *o,
                                struct dn_csv_forms *base, struct dn_error *err)
{
    const char *const *const given[2] = {o->false_values, o->true_values};
    const size_t n[2] = {o->n_false_values, o->n_true_values};

    base->has_words = n[0] + n[1] > 0;
    for (size_t which = 0; which < 2; which++) {
        const char **texts = dn_arena_alloc(&r->arena, (n[which] + 1) * sizeof(*texts));
        if (texts == NULL) {
            return dn_error_memory(err, n[which] * sizeof(*texts));
        }
        for (size_t i = 0; i < n[which]; i++) {
            texts[i] = dn_arena_strdup(&r->arena, given[which][i]);
            if (texts[i] == NULL) {
                return dn_error_memory(err, strlen(given[which][i]));
            }
        }
        base->words[which] = (struct dn_csv_words){texts, n[which]};
    }
    for (size_t i = 0; i < n[0]; i++) {
        for (size_t k = 0; k < n[1]; k++) {
            if (strcmp(given[0][i], given[1][k]) == 0) {
                return dn_error_set(err, DN_ERR_INVALID,
                                    "the options true_values and false_values both have '%s'",
                                    given[0][i]);
            }
        }
    }
    return DN_OK;
}

/* ---- columns ---- */

static enum dn_status add_text(struct dn_csv_reader *r, const struct formats *f, size_t kind,
                               const char *text, struct dn_csv_forms *forms, struct dn_error *err)
{
    if (kind == DN_MOMENT_KINDS) {
        return add_null(r, &forms->nulls, text, err);
    }
    struct dn_csv_moments *moments = &forms->moments[kind];
    if (!moments->own) {
        *moments = (struct dn_csv_moments){.own = true};
    }
    return add_format(r, f, kind, text, moments, err);
}

/* What an option says of some columns alone.  `kind` is that of formats, or their number for texts that mean null. */
static enum dn_status add_of_columns(struct dn_csv_reader *r, const struct dn_csv_options *o,
                                     const struct dn_csv_forms *base, const struct formats *f,
                                     size_t kind, struct dn_error *err)
{
    struct dn_csv_forms *forms = NULL;

    for (size_t t = 0; t < f->n; t++) {
        const struct dn_csv_column_text *text = &f->texts[t];
        bool found = is_for_all(text);
        for (size_t i = 0; !is_for_all(text) && i < r->n_fields; i++) {
            if (strcmp(r->field_names[i], text->name) == 0) {
                DN_TRY(forms_of(r, o, base, i, &forms, err));
                DN_TRY(add_text(r, f, kind, text->text, forms, err));
                found = true;
            }
        }
        if (!found && !o->missing_as_null) {
            return dn_csv_no_such_column(r, text->name, f->option, err);
        }
    }
    return DN_OK;
}

enum dn_status dn_csv_open_forms(struct dn_csv_reader *r, const struct dn_csv_options *o,
                                 struct dn_error *err)
{
    const struct formats nulls = {"null_values", o->column_null_values, o->n_column_null_values};
    struct dn_csv_forms *base = dn_arena_alloc(&r->arena, sizeof(*base));

    if (base == NULL) {
        return dn_error_memory(err, sizeof(*base));
    }
    base->nulls = r->nulls;
    base->trim = o->trim;
    DN_TRY(set_number(o, base, err));
    DN_TRY(set_words(r, o, base, err));
    DN_TRY(add_formats_for_all(r, o, base, err));
    const bool some = base->trim || base->has_number || base->has_words ||
                      base->moments[0].n + base->moments[1].n + base->moments[2].n > 0;
    if (some) {
        DN_TRY(forms_for_all(r, base, err));
    } else {
        base = NULL;
    }
    for (size_t kind = 0; kind < DN_MOMENT_KINDS; kind++) {
        const struct formats f = formats_of(o, kind);
        DN_TRY(add_of_columns(r, o, base, &f, kind, err));
    }
    return add_of_columns(r, o, base, &nulls, DN_MOMENT_KINDS, err);
}
