#include "parquet/write/shred.h"

#define NOT_THERE ((int64_t)-1)

/* Entries on their way down. */
struct entries {
    struct dn_pq_shredder *s;
    const struct dn_pq_column *column;
    int64_t first_row;
    int64_t n_rows; /* that they are of */
    bool too_many;  /* to go on */
    int64_t n;
    bool
        scattered; /* s->rows has the row of each, or NOT_THERE; definition levels of those that are not there are final */
    int64_t base;  /* else the first row */
    bool repeated; /* s->repetition is filled */
    bool repeats;
};

void dn_pq_shredder_finish(struct dn_pq_shredder *s)
{
    dn_buffer_finish(&s->definition);
    dn_buffer_finish(&s->repetition);
    dn_buffer_finish(&s->rows);
    dn_buffer_finish(&s->next_definition);
    dn_buffer_finish(&s->next_repetition);
    dn_buffer_finish(&s->next_rows);
}

static int64_t *rows_of(const struct entries *e)
{
    return (int64_t *)(void *)e->s->rows.data;
}

static enum dn_status set_size(struct dn_buffer *b, size_t size, struct dn_error *err)
{
    dn_buffer_reset(b);
    DN_TRY(dn_buffer_reserve(b, size + 1, err));
    b->len = size;
    return DN_OK;
}

static void swap(struct dn_buffer *a, struct dn_buffer *b)
{
    const struct dn_buffer t = *a;

    *a = *b;
    *b = t;
}

/* A range of rows becomes a list of them. */
static enum dn_status scatter(struct entries *e, struct dn_error *err)
{
    if (e->scattered) {
        return DN_OK;
    }
    DN_TRY(set_size(&e->s->rows, (size_t)e->n * sizeof(int64_t), err));
    DN_TRY(set_size(&e->s->definition, (size_t)e->n, err));
    int64_t *rows = rows_of(e);
    for (int64_t i = 0; i < e->n; i++) {
        rows[i] = e->base + i;
    }
    e->scattered = true;
    return DN_OK;
}

/* The row of the file that entry i is in. */
static int64_t file_row(const struct entries *e, int64_t i)
{
    int64_t row = e->first_row + (e->repeated ? -1 : i);

    for (int64_t k = 0; e->repeated && k <= i; k++) {
        row += e->s->repetition.data[k] == 0;
    }
    return row;
}

static enum dn_status refuse_null(const struct entries *e, int64_t i, struct dn_error *err)
{
    const char *name = e->column->name;
    const int64_t row = file_row(e, i) + 1;

    dn_error_set(err, DN_ERR_DATA,
                 "column '%s', row %lld: a null where the schema declares that there is none; "
                 "declare it nullable or fill in a value",
                 name, (long long)row);
    dn_error_locate(err, NULL, row, -1, -1, name);
    return DN_ERR_DATA;
}

/* ---- nulls ------------------------------------------------------------------------------------------------------- */

static bool has_null(const struct entries *e, const struct dn_column_view *v)
{
    if (v->layout == DN_LAYOUT_NONE) {
        return true;
    }
    if (v->null_count == 0 || v->validity == NULL) {
        return false;
    }
    return e->scattered || dn_bits_count_zero(v->validity, v->offset + e->base, e->n) > 0;
}

/* What is null ends here. */
static enum dn_status end_nulls(struct entries *e, const struct dn_column_view *v,
                                const struct dn_pq_step *step, struct dn_error *err)
{
    if (!has_null(e, v)) {
        return DN_OK;
    }
    DN_TRY(scatter(e, err));
    int64_t *rows = rows_of(e);
    uint8_t *definition = e->s->definition.data;
    for (int64_t i = 0; i < e->n; i++) {
        if (rows[i] != NOT_THERE && !dn_column_is_valid(v, rows[i])) {
            if (!step->nullable) {
                return refuse_null(e, i, err);
            }
            rows[i] = NOT_THERE;
            definition[i] = step->if_null;
        }
    }
    return DN_OK;
}

/* ---- lists ------------------------------------------------------------------------------------------------------- */

/* What becomes of a list of lists. */
struct extent {
    int64_t n;    /* entries */
    int64_t base; /* first item */
    bool dense;   /* all of them are items, one behind the other */
};

static bool measure(const struct entries *e, const struct dn_column_view *v, struct extent *x)
{
    const int64_t most = e->n_rows > 1 ? DN_PQ_SHRED_ENTRIES : INT32_MAX;
    int64_t first = 0;
    int64_t n = 0;
    int64_t expected = 0;

    *x = (struct extent){.dense = true};
    for (int64_t i = 0; i < e->n; i++) {
        const int64_t row = e->scattered ? rows_of(e)[i] : e->base + i;
        if (row == NOT_THERE) {
            x->n++;
            x->dense = false;
            continue;
        }
        dn_column_list(v, row, &first, &n);
        expected = i == 0 ? first : expected;
        x->base = i == 0 ? first : x->base;
        x->dense = x->dense && n > 0 && first == expected;
        expected = first + n;
        x->n += n > 0 ? n : 1;
        if (x->n > most) { /* views of lists may share items, so there may be any number of them */
            return false;
        }
    }
    return true;
}

/* All items are there: the repetition levels say where lists begin. */
static void repeat_dense(const struct entries *e, const struct dn_column_view *v, int64_t n_out,
                         uint8_t repeated)
{
    uint8_t *out = e->s->next_repetition.data;
    const uint8_t *in = e->repeated ? e->s->repetition.data : NULL;
    int64_t first = 0;
    int64_t n = 0;
    int64_t at = 0;

    memset(out, repeated, (size_t)n_out);
    for (int64_t i = 0; i < e->n; i++) {
        dn_column_list(v, e->scattered ? rows_of(e)[i] : e->base + i, &first, &n);
        out[at] = in != NULL ? in[i] : 0;
        at += n;
    }
}

static void repeat_scattered(const struct entries *e, const struct dn_column_view *v,
                             const struct dn_pq_step *step)
{
    const int64_t *rows = rows_of(e);
    const uint8_t *in = e->repeated ? e->s->repetition.data : NULL;
    uint8_t *repetition = e->s->next_repetition.data;
    uint8_t *definition = e->s->next_definition.data;
    int64_t *out = (int64_t *)(void *)e->s->next_rows.data;

    for (int64_t i = 0; i < e->n; i++) {
        int64_t first = 0;
        int64_t n = 0;
        if (rows[i] != NOT_THERE) {
            dn_column_list(v, rows[i], &first, &n);
        }
        *repetition++ = in != NULL ? in[i] : 0;
        if (n == 0) {
            *definition++ = rows[i] == NOT_THERE ? e->s->definition.data[i] : step->if_empty;
            *out++ = NOT_THERE;
            continue;
        }
        memset(repetition, step->repeated, (size_t)n - 1);
        repetition += n - 1;
        definition += n; /* final only where something ends */
        for (int64_t k = 0; k < n; k++) {
            *out++ = first + k;
        }
    }
}

static enum dn_status refuse_length(const struct entries *e, struct dn_error *err)
{
    const char *name = e->column->name;
    const int64_t row = e->first_row + 1;

    dn_error_set(err, DN_ERR_UNSUPPORTED,
                 "column '%s', row %lld: a row of more than %d values does not fit into a Parquet "
                 "page",
                 name, (long long)row, INT32_MAX);
    dn_error_locate(err, NULL, row, -1, -1, name);
    return DN_ERR_UNSUPPORTED;
}

/* Lists become their items. */
static enum dn_status open_lists(struct entries *e, const struct dn_column_view *v,
                                 const struct dn_pq_step *step, struct dn_error *err)
{
    struct extent x;

    if (!measure(e, v, &x)) {
        e->too_many = e->n_rows > 1;
        return e->too_many ? DN_OK : refuse_length(e, err);
    }
    DN_TRY(set_size(&e->s->next_repetition, (size_t)x.n, err));
    if (x.dense) {
        repeat_dense(e, v, x.n, step->repeated);
    } else {
        DN_TRY(scatter(e, err));
        DN_TRY(set_size(&e->s->next_definition, (size_t)x.n, err));
        DN_TRY(set_size(&e->s->next_rows, (size_t)x.n * sizeof(int64_t), err));
        repeat_scattered(e, v, step);
        swap(&e->s->definition, &e->s->next_definition);
        swap(&e->s->rows, &e->s->next_rows);
    }
    swap(&e->s->repetition, &e->s->next_repetition);
    e->repeated = true;
    e->scattered = !x.dense;
    e->base = x.base;
    e->n = x.n;
    e->repeats = false;
    return DN_OK;
}

/* ---- dictionaries and runs --------------------------------------------------------------------------------------- */

static enum dn_status open_dictionary(struct entries *e, const struct dn_column_view *v,
                                      struct dn_error *err)
{
    DN_TRY(scatter(e, err));
    int64_t *rows = rows_of(e);
    for (int64_t i = 0; i < e->n; i++) {
        if (rows[i] != NOT_THERE) {
            rows[i] = dn_column_index(v, rows[i]);
        }
    }
    e->repeats = true;
    return DN_OK;
}

/* Rows mostly come in their order, so a run is looked for once. */
static enum dn_status open_runs(struct entries *e, const struct dn_column_view *v,
                                struct dn_error *err)
{
    int64_t begin = 0;
    int64_t end = 0;
    int64_t run = 0;

    DN_TRY(scatter(e, err));
    int64_t *rows = rows_of(e);
    for (int64_t i = 0; i < e->n; i++) {
        if (rows[i] == NOT_THERE) {
            continue;
        }
        if (rows[i] < begin || rows[i] >= end) {
            begin = rows[i];
            run = dn_column_run(v, rows[i], &end);
        }
        rows[i] = run;
    }
    e->repeats = true;
    return DN_OK;
}

/* ---- the leaf ---------------------------------------------------------------------------------------------------- */

/* Levels of entries that are a range of rows: nulls of the leaf itself are all that there can be. */
static int64_t finish_range(const struct entries *e, const struct dn_column_view *v, bool has_nulls)
{
    uint8_t *definition = e->s->definition.data;
    const uint8_t most = e->column->max_definition;

    if (!has_nulls) {
        memset(definition, most, (size_t)e->n);
        return e->n;
    }
    if (v->layout == DN_LAYOUT_NONE) {
        memset(definition, most - 1, (size_t)e->n);
        return 0;
    }
    for (int64_t i = 0; i < e->n; i++) {
        definition[i] = (uint8_t)(most - !dn_bit_get(v->validity, v->offset + e->base + i));
    }
    return e->n - dn_bits_count_zero(v->validity, v->offset + e->base, e->n);
}

/* Only the rows of values are left. */
static int64_t finish_rows(const struct entries *e)
{
    int64_t *rows = rows_of(e);
    uint8_t *definition = e->s->definition.data;
    int64_t n = 0;

    for (int64_t i = 0; i < e->n; i++) {
        const int64_t row = rows[i];
        definition[i] = row != NOT_THERE ? e->column->max_definition : definition[i];
        rows[n] = row;
        n += row != NOT_THERE;
    }
    return n;
}

static enum dn_status finish(struct entries *e, const struct dn_column_view *v,
                             const struct dn_pq_step *step, struct dn_pq_shredded *out,
                             struct dn_error *err)
{
    const bool as_range = !e->scattered && (step->nullable || !has_null(e, v));

    *out = (struct dn_pq_shredded){.column = e->column,
                                   .n = e->n,
                                   .view = v,
                                   .base = e->base,
                                   .repeats = e->repeats,
                                   .first_row = e->first_row};
    if (as_range) {
        DN_TRY(set_size(&e->s->definition, (size_t)e->n, err));
        out->n_values = finish_range(e, v, has_null(e, v));
    } else {
        DN_TRY(end_nulls(e, v, step, err));
        out->n_values = finish_rows(e);
        out->rows = rows_of(e);
    }
    out->definition = e->column->max_definition > 0 ? e->s->definition.data : NULL;
    out->repetition = e->column->max_repetition > 0 ? e->s->repetition.data : NULL;
    return DN_OK;
}

enum dn_status dn_pq_shred(struct dn_pq_shredder *s, const struct dn_pq_column *column,
                           const struct dn_column_view *view, int64_t row, int64_t n,
                           int64_t first_row, struct dn_pq_shredded *out, struct dn_error *err)
{
    struct entries e = {
        .s = s, .column = column, .first_row = first_row, .n_rows = n, .n = n, .base = row};

    for (int64_t i = 0; i < column->n_steps - 1; i++) {
        const struct dn_pq_step *step = &column->steps[i];
        if (view->layout != DN_LAYOUT_RUNS) { /* they have no nulls of their own */
            DN_TRY(end_nulls(&e, view, step, err));
        }
        if (view->type.id == DN_TYPE_DICTIONARY) {
            DN_TRY(open_dictionary(&e, view, err));
        } else if (view->type.id == DN_TYPE_RUN_END) {
            DN_TRY(open_runs(&e, view, err));
        } else if (view->type.id != DN_TYPE_STRUCT) {
            DN_TRY(open_lists(&e, view, step, err));
        }
        if (e.too_many) {
            *out = (struct dn_pq_shredded){.n = -1};
            return DN_OK;
        }
        view = &view->children[step->child];
    }
    return finish(&e, view, &column->steps[column->n_steps - 1], out, err);
}

int64_t dn_pq_shredded_row(const struct dn_pq_shredded *s, int64_t k)
{
    int64_t row = s->first_row - 1;

    for (int64_t i = 0; i < s->n; i++) {
        row += s->repetition == NULL || s->repetition[i] == 0;
        if ((s->definition == NULL || s->definition[i] == s->column->max_definition) && k-- == 0) {
            break;
        }
    }
    return row;
}
