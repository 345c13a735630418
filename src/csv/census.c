#include "csv/census.h"

#include "base/memory.h"
#include "csv/aside.h"
#include "csv/infer.h"
#include "csv/union.h"

#define QUOTED_SHIFT 32
#define MANY 2u /* unquoted values; how many more makes no difference */

/* What was said to be a float64 stays one, if it is for all values, and so do others: the classes that `type` lacks for that. */
static unsigned classes_between(struct dn_type type, struct dn_type given)
{
    if (type.id == DN_TYPE_INT64 && given.id == DN_TYPE_FLOAT64) {
        return DN_CSV_FLOAT;
    }
    if (type.id == DN_TYPE_INT64 && given.id == DN_TYPE_UINT64) {
        return DN_CSV_UINT;
    }
    const bool is_moment = type.id == DN_TYPE_TIME || type.id == DN_TYPE_TIMESTAMP;
    return is_moment && type.id == given.id && type.zoned == given.zoned && given.unit == DN_UNIT_NS
               ? DN_CSV_NANO
               : 0;
}

/*
 * The classes of values that are of the kind of a column's type: of several kinds those of the sample's are right, and others are set aside one by
 * one.  A word among numbers so does not keep a fraction from making floats of them.
 */
static unsigned classes_of_kind(struct dn_type type)
{
    const unsigned moments = (unsigned)(DN_CSV_NANO | DN_CSV_FAR);

    switch (type.id) {
    case DN_TYPE_BOOL:
        return DN_CSV_BOOL | DN_CSV_INT_OR_BOOL;
    case DN_TYPE_DATE32:
        return DN_CSV_DATE | DN_CSV_INT_OR_DATE;
    case DN_TYPE_TIME:
        return DN_CSV_TIME | DN_CSV_NANO | DN_CSV_INT_OR_TIME;
    case DN_TYPE_TIMESTAMP:
        return type.zoned ? DN_CSV_TIMESTAMPTZ | moments
                          : DN_CSV_TIMESTAMP | moments | DN_CSV_INT_OR_TIMESTAMP;
    default:
        return (unsigned)(DN_CSV_INT | DN_CSV_BIG_INT | DN_CSV_UINT | DN_CSV_NEGATIVE |
                          DN_CSV_FLOAT | DN_CSV_LONG | DN_CSV_SPECIAL) |
               DN_CSV_INT_OR;
    }
}

/* Do quotes make it a string, whatever the values are? */
static bool quotes_say_text(struct dn_csv_census_field *field, unsigned unquoted, unsigned quoted)
{
    const uint64_t first = atomic_load_explicit(&field->first, memory_order_relaxed);

    if (!field->quoted_text) {
        return dn_csv_quotes_say_text(
            (first & 1) == 0, atomic_load_explicit(&field->n_unquoted, memory_order_relaxed),
            atomic_load_explicit(&field->any_quoted, memory_order_relaxed));
    }
    return field->either_way ? unquoted != 0 && quoted != 0
                             : (field->through_quotes ? unquoted : quoted) != 0;
}

/* The narrowest type of all values seen; `given` if there are none. */
static struct dn_type type_of(struct dn_csv_census_field *field, struct dn_type given)
{
    const uint64_t seen = atomic_load_explicit(&field->seen, memory_order_relaxed);
    const struct dn_csv_digits digits = {
        atomic_load_explicit(&field->whole, memory_order_relaxed),
        atomic_load_explicit(&field->behind, memory_order_relaxed)};
    unsigned unquoted = (unsigned)seen;
    unsigned quoted = (unsigned)(seen >> QUOTED_SHIFT);

    if (field->rounds) {
        unquoted = dn_csv_without_long(unquoted);
        quoted = dn_csv_without_long(quoted);
    }

    if (field->sets_aside) {
        unquoted &= classes_of_kind(given);
        quoted &= classes_of_kind(given);
    }
    if ((unquoted | quoted) == 0) {
        return given;
    }
    if (quotes_say_text(field, unquoted, quoted)) {
        return field->sets_aside ? given : DN_TYPE(UTF8_VIEW);
    }
    const struct dn_type type = dn_csv_type_of_classes(unquoted | quoted, digits);
    if (field->sets_aside && type.id == DN_TYPE_UTF8_VIEW) {
        return given; /* no number type holds them all: those that the sample's does not are set aside */
    }
    const unsigned wider = classes_between(type, given);
    return wider != 0 ? dn_csv_type_of_classes(unquoted | quoted | wider, digits) : type;
}

/* A string that stays one, whatever comes: numbers may yet become a decimal, in whatever order they come. */
static bool is_settled(struct dn_csv_census_field *field)
{
    const uint64_t seen = atomic_load_explicit(&field->seen, memory_order_relaxed);
    const unsigned classes = (unsigned)(seen >> QUOTED_SHIFT | seen);
    const bool quotes_differ =
        field->quoted_text && seen >> QUOTED_SHIFT != 0 && (unsigned)seen != 0;
    const struct dn_csv_digits digits = {
        atomic_load_explicit(&field->whole, memory_order_relaxed),
        atomic_load_explicit(&field->behind, memory_order_relaxed)};

    if (field->sets_aside) {
        return false; /* wrong values say nothing about those to come */
    }
    return quotes_differ ||
           (classes != 0 &&
            dn_csv_type_of_classes(field->rounds ? dn_csv_without_long(classes) : classes, digits)
                    .id == DN_TYPE_UTF8_VIEW &&
            (field->rounds || !dn_csv_fits_decimal(classes, digits)));
}

static void raise_to(_Atomic uint32_t *most, uint32_t n)
{
    uint32_t before = atomic_load_explicit(most, memory_order_relaxed);

    while (before < n && !atomic_compare_exchange_weak_explicit(
                             most, &before, n, memory_order_relaxed, memory_order_relaxed)) {
        /* somebody else raised it: before says to what */
    }
}

/* The first value of all, as the number of its block says. */
static void note_first(struct dn_csv_census_field *field, uint64_t first)
{
    uint64_t before = atomic_load_explicit(&field->first, memory_order_relaxed);

    while (before > first &&
           !atomic_compare_exchange_weak_explicit(&field->first, &before, first,
                                                  memory_order_relaxed, memory_order_relaxed)) {
        /* somebody else noted one */
    }
}

static void note_quotes(struct dn_csv_census_field *field, uint64_t block,
                        const struct dn_csv_evidence *e)
{
    const uint32_t n = e->n_unquoted < MANY ? (uint32_t)e->n_unquoted : MANY;

    if ((e->quoted | e->unquoted) != 0) {
        note_first(field, 2 * block + !e->first_bare);
    }
    if (n > 0 && atomic_load_explicit(&field->n_unquoted, memory_order_relaxed) < MANY) {
        atomic_fetch_add_explicit(&field->n_unquoted, n, memory_order_relaxed);
    }
    if (e->n_quoted > 0 && !atomic_load_explicit(&field->any_quoted, memory_order_relaxed)) {
        atomic_store_explicit(&field->any_quoted, true, memory_order_relaxed);
    }
}

void dn_csv_census_add(struct dn_csv_census *census, uint64_t block, const struct dn_csv_rows *rows,
                       const struct dn_csv_layout *layout, const struct dn_csv_dialect *d,
                       const struct dn_csv_nulls *nulls)
{
    for (size_t f = 0; f < rows->n_fields - rows->trailing; f++) {
        struct dn_csv_census_field *field = &census->fields[dn_csv_field_of(layout, f)];
        const uint64_t before = atomic_load_explicit(&field->seen, memory_order_relaxed);
        struct dn_csv_evidence e = {.quoted_text = field->quoted_text,
                                    .forms = field->forms,
                                    .any_text = !field->sets_aside};
        if (!field->asked || is_settled(field)) {
            continue;
        }
        dn_csv_evidence_add_field(&e, census->kernels, f, rows, d, nulls);
        const uint64_t found = e.unquoted | (uint64_t)e.quoted << QUOTED_SHIFT;
        note_quotes(field, block, &e);
        if ((found & ~before) != 0) {
            atomic_fetch_or_explicit(&field->seen, found, memory_order_relaxed);
        }
        raise_to(&field->whole, e.digits.whole);
        raise_to(&field->behind, e.digits.behind);
    }
}

/* Only inferred columns may widen, and a string has nothing to widen to, unless it is one for want of values. */
static bool is_open(const struct dn_csv_column *c)
{
    return c->unseen || (c->field != SIZE_MAX && !c->declared && c->type.id != DN_TYPE_UTF8_VIEW);
}

/* Types alone are looked for, and no rows come out: one call reads everything. */
static enum dn_status read_all(struct dn_csv_reader *r, struct dn_error *err)
{
    struct ArrowArray none;
    const enum dn_status st = dn_csv_reader_next(r, &none, err);

    /* broken rows are for the reading to tell, which meets the first error of all kinds */
    return st == DN_ERR_DATA ? DN_OK : st;
}

static enum dn_status make_schema(const struct dn_csv_reader *r, struct ArrowSchema *out,
                                  struct dn_error *err)
{
    struct dn_field *fields = dn_calloc(r->n_columns + 1, sizeof(*fields));

    if (fields == NULL) {
        return dn_error_memory(err, r->n_columns * sizeof(*fields));
    }
    for (size_t c = 0; c < r->n_columns; c++) {
        const struct dn_csv_column *column = &r->columns[c];
        struct dn_type type = column->type;
        if (is_open(column)) {
            type = type_of(&r->census->fields[column->field], type);
        }
        fields[c] = (struct dn_field){column->name, type, !column->required};
    }
    const enum dn_status st = dn_schema_make(out, fields, (int64_t)r->n_columns, err);
    dn_free(fields);
    return st;
}

enum dn_status dn_csv_find_types(struct ArrowSchema *out, const char *const *paths, size_t n_paths,
                                 const struct dn_csv_options *options, struct dn_error *err)
{
    struct dn_csv_reader *r = NULL;
    struct dn_csv_census census = {0};
    enum dn_status st = DN_OK;

    DN_TRY(dn_csv_reader_open(&r, paths, n_paths, options, err));
    census.fields = dn_calloc(r->n_fields + 1, sizeof(*census.fields));
    if (census.fields == NULL) {
        st = dn_error_memory(err, r->n_fields * sizeof(*census.fields));
        goto cleanup;
    }
    for (size_t c = 0; c < r->n_columns; c++) {
        if (is_open(&r->columns[c])) {
            struct dn_csv_census_field *field = &census.fields[r->columns[c].field];
            field->asked = true;
            field->through_quotes = r->columns[c].through_quotes;
            field->either_way = r->columns[c].unseen ||
                                (r->columns[c].through_quotes && !r->columns[c].only_quoted);
            field->rounds = r->columns[c].rounds;
            field->quoted_text = r->quoted_text;
            field->forms = r->columns[c].forms;
            atomic_store_explicit(&field->first, UINT64_MAX, memory_order_relaxed);
            field->sets_aside = dn_csv_aside_wanted(r) && !r->columns[c].unseen;
        }
    }
    census.kernels = r->kernels;
    r->census = &census;
    DN_TRY_GOTO(st, read_all(r, err), cleanup);
    st = make_schema(r, out, err);
cleanup:
    dn_csv_reader_close(r);
    dn_free(census.fields);
    return st;
}
