#include "csv/explain.h"
#include "csv/union.h"

#include "base/memory.h"

#include <stdlib.h>

enum dn_status dn_csv_why_start(struct dn_csv_why *w, const struct dn_csv_evidence *nothing,
                                size_t n_fields, bool rounds, struct dn_error *err)
{
    w->fields = dn_calloc(n_fields + 1, sizeof(*w->fields));
    if (w->fields == NULL) {
        return dn_error_memory(err, n_fields * sizeof(*w->fields));
    }
    w->n_fields = n_fields;
    w->rounds = rounds;
    for (size_t f = 0; f < n_fields; f++) {
        w->fields[f].before_any = nothing[f];
    }
    dn_csv_why_reset(w);
    return DN_OK;
}

void dn_csv_why_reset(struct dn_csv_why *w)
{
    for (size_t f = 0; f < w->n_fields; f++) {
        const struct dn_csv_evidence nothing = w->fields[f].before_any;
        w->fields[f] = (struct dn_csv_why_field){.before_any = nothing, .evidence = nothing};
    }
    w->n_rows = 0;
}

void dn_csv_why_finish(struct dn_csv_why *w)
{
    dn_free(w->fields);
    *w = (struct dn_csv_why){0};
}

void dn_csv_why_block_finish(struct dn_csv_why_block *b)
{
    dn_free(b->steps);
    dn_free(b->n_values);
    dn_free(b->n_empty);
    *b = (struct dn_csv_why_block){0};
}

/* ---- what is new in a block ---- */

static enum dn_status make_room(struct dn_csv_why_block *b, size_t n_fields, struct dn_error *err)
{
    if (b->n_values == NULL) {
        b->n_values = dn_calloc(n_fields + 1, sizeof(*b->n_values));
        b->n_empty = dn_calloc(n_fields + 1, sizeof(*b->n_empty));
    }
    return b->n_values != NULL && b->n_empty != NULL
               ? DN_OK
               : dn_error_memory(err, n_fields * sizeof(*b->n_values));
}

static bool is_new(const struct dn_csv_evidence *before, const struct dn_csv_evidence *after)
{
    return after->unquoted != before->unquoted || after->quoted != before->quoted ||
           after->digits.whole != before->digits.whole ||
           after->digits.behind != before->digits.behind ||
           (after->n_unquoted != before->n_unquoted && before->n_unquoted < 2) ||
           (after->n_quoted > 0) != (before->n_quoted > 0);
}

static enum dn_status add_step(struct dn_csv_why_block *b, const struct dn_csv_reader *r,
                               const struct dn_csv_block *block, size_t field, const uint8_t *text,
                               size_t len, struct dn_error *err)
{
    if (b->n_steps == b->capacity) {
        const size_t capacity = b->capacity > 0 ? 2 * b->capacity : 64;
        struct dn_csv_why_step *steps = dn_realloc(b->steps, capacity * sizeof(*steps));
        if (steps == NULL) {
            return dn_error_memory(err, capacity * sizeof(*steps));
        }
        b->steps = steps;
        b->capacity = capacity;
    }
    struct dn_csv_why_step *s = &b->steps[b->n_steps++];
    const size_t at = (size_t)(text - block->buf) - block->start;
    bool after_cr = false;

    *s = (struct dn_csv_why_step){.field = field,
                                  .byte_offset = block->start_offset + (int64_t)at,
                                  .line = -1,
                                  .file = block->file,
                                  .is_more = len > DN_CSV_WHY_VALUE,
                                  .own = r->look->why.fields[field].before_any};
    dn_csv_evidence_add_value(&s->own, &r->dialect, &r->nulls, text, len);
    if (block->first_line > 0) {
        s->line = block->first_line +
                  dn_csv_line_ends(&r->dialect, block->buf + block->start, at, &after_cr);
    }
    s->len = s->is_more ? DN_CSV_WHY_VALUE : len;
    while (s->is_more && s->len > 0 && (text[s->len] & 0xc0) == 0x80) {
        s->len--; /* no half characters */
    }
    memcpy(s->value, text, s->len);
    return DN_OK;
}

/* Quoted, and a null where the column is of any type but string. */
static bool is_quoted_null(const struct dn_csv_reader *r, const struct dn_csv_nulls *nulls,
                           const uint8_t *text, size_t len)
{
    size_t inner;

    if (len < 2 || !r->dialect.has_quote || text[0] != r->dialect.quote ||
        !dn_csv_quoted_simple(&r->dialect, text, len, &inner)) {
        return false;
    }
    return inner == 0 || (nulls->n > 0 && !nulls->bare_only && !nulls->quoted &&
                          dn_csv_is_null_text(nulls, text + 1, inner));
}

static enum dn_status look_at_field(struct dn_csv_why_block *out, const struct dn_csv_reader *r,
                                    const struct dn_csv_block *block,
                                    const struct dn_csv_rows *rows, size_t own,
                                    struct dn_error *err)
{
    const size_t f = dn_csv_field_of(dn_csv_layout_of(r, block->file), own);
    struct dn_csv_evidence seen = r->look->why.fields[f].before_any;
    const struct dn_csv_nulls *nulls = dn_csv_nulls_of(seen.forms, &r->nulls);
    int64_t n_empty = 0;
    int64_t n_values = 0;

    for (size_t row = 0; row < rows->n_rows; row++) {
        const uint32_t start = dn_csv_field_start(rows, row, own);
        const uint32_t end = dn_csv_field_end(rows, row, own, start);
        const uint8_t *text = rows->buf + start;
        const struct dn_csv_evidence before = seen;
        dn_csv_evidence_add_value(&seen, &r->dialect, &r->nulls, text, end - start);
        const bool is_empty = is_quoted_null(r, nulls, text, end - start);
        n_empty += is_empty;
        n_values +=
            !is_empty && seen.n_quoted + seen.n_unquoted != before.n_quoted + before.n_unquoted;
        if (is_new(&before, &seen)) {
            DN_TRY(add_step(out, r, block, f, text, end - start, err));
        }
    }
    out->n_empty[f] = n_empty;
    out->n_values[f] = n_values;
    return DN_OK;
}

enum dn_status dn_csv_why_look(struct dn_csv_why_block *out, const struct dn_csv_reader *r,
                               const struct dn_csv_block *block, const struct dn_csv_rows *rows,
                               struct dn_error *err)
{
    DN_TRY(make_room(out, r->n_fields, err));
    out->n_rows = (int64_t)rows->n_rows;
    out->n_steps = 0;
    memset(out->n_values, 0, r->n_fields * sizeof(*out->n_values));
    memset(out->n_empty, 0, r->n_fields * sizeof(*out->n_empty));
    for (size_t own = 0; own < rows->n_fields - rows->trailing; own++) {
        DN_TRY(look_at_field(out, r, block, rows, own, err));
    }
    return DN_OK;
}

/* ---- all of them ---- */

static unsigned larger(unsigned a, unsigned b)
{
    return a > b ? a : b;
}

static void take_step(struct dn_csv_why *w, const struct dn_csv_why_step *s)
{
    struct dn_csv_why_field *f = &w->fields[s->field];
    struct dn_csv_column column = {.rounds = w->rounds};
    struct dn_csv_evidence *e = &f->evidence;

    e->first_bare |= s->own.first_bare && (e->quoted | e->unquoted) == 0;
    e->unquoted |= s->own.unquoted;
    e->quoted |= s->own.quoted;
    e->n_unquoted += s->own.n_unquoted;
    e->n_quoted += s->own.n_quoted;
    e->digits.whole = larger(e->digits.whole, s->own.digits.whole);
    e->digits.behind = larger(e->digits.behind, s->own.digits.behind);
    dn_csv_resolve(e, &column);
    if (!f->seen || !dn_type_equal(column.type, f->type)) {
        f->changed = f->seen;
        f->before = f->type;
        f->type = column.type;
        f->last = *s;
        f->seen = true;
    }
}

void dn_csv_why_merge(struct dn_csv_why *w, struct dn_csv_why_block *b)
{
    for (size_t i = 0; i < b->n_steps; i++) {
        take_step(w, &b->steps[i]);
    }
    for (size_t f = 0; b->n_rows > 0 && f < w->n_fields; f++) {
        w->fields[f].n_values += b->n_values[f];
        w->fields[f].n_empty += b->n_empty[f];
    }
    w->n_rows += b->n_rows;
    b->n_steps = 0;
    b->n_rows = 0;
}

/* ---- lines ---- */

static int by_place(const void *a, const void *b)
{
    const struct dn_csv_why_field *x = *(const struct dn_csv_why_field *const *)a;
    const struct dn_csv_why_field *y = *(const struct dn_csv_why_field *const *)b;

    if (x->last.file != y->last.file) {
        return x->last.file < y->last.file ? -1 : 1;
    }
    return (x->last.byte_offset > y->last.byte_offset) -
           (x->last.byte_offset < y->last.byte_offset);
}

enum dn_status dn_csv_why_place(struct dn_csv_why *w, const struct dn_csv_reader *r,
                                struct dn_error *err)
{
    struct dn_csv_why_field **places =
        dn_calloc(w->n_fields + 1, sizeof(struct dn_csv_why_field *));
    struct dn_csv_line_counter counter = {0};
    enum dn_status st = DN_OK;
    size_t n = 0;

    if (places == NULL) {
        return dn_error_memory(err, w->n_fields * sizeof(struct dn_csv_why_field *));
    }
    for (size_t f = 0; f < w->n_fields; f++) {
        if (w->fields[f].seen && w->fields[f].last.line < 0) {
            places[n++] = &w->fields[f];
        }
    }
    qsort(places, n, sizeof(struct dn_csv_why_field *), by_place);
    for (size_t i = 0; st == DN_OK && i < n; i++) {
        struct dn_csv_why_step *s = &places[i]->last;
        st = dn_csv_count_lines(&counter, r, s->file, s->byte_offset, &s->line, err);
    }
    dn_csv_line_counter_finish(&counter);
    dn_free(places);
    return st;
}
