#include "csv/unseen.h"

#include "base/memory.h"
#include "csv/aside.h"

enum dn_status dn_csv_unseen_start(struct dn_csv_reader *r, struct dn_error *err)
{
    for (size_t i = 0; r->n_unseen > 0 && i < r->n_slots; i++) {
        r->slots[i].firsts = dn_calloc(r->n_unseen, sizeof(*r->slots[i].firsts));
        if (r->slots[i].firsts == NULL) {
            return dn_error_memory(err, r->n_unseen * sizeof(*r->slots[i].firsts));
        }
    }
    return DN_OK;
}

/* The type of a field by itself; false if it is empty or a null. */
static bool type_of_field(const struct dn_csv_reader *r, const struct dn_csv_column *c,
                          const uint8_t *text, size_t len, struct dn_type *out)
{
    struct dn_csv_evidence evidence = {.forms = c->forms};
    struct dn_csv_column column = {.rounds = c->rounds};

    dn_csv_evidence_add_value(&evidence, &r->dialect, &r->nulls, text, len);
    dn_csv_resolve(&evidence, &column);
    *out = column.type;
    return !column.unseen;
}

void dn_csv_unseen_look(const struct dn_csv_reader *r, const struct dn_csv_column *columns,
                        const struct dn_csv_block *block, const struct dn_csv_rows *rows,
                        const struct dn_batch_column *out, struct dn_csv_first *firsts)
{
    for (size_t i = 0; i < r->n_unseen; i++) {
        const size_t c = r->unseen[i].column;
        firsts[i].found = false;
        if (atomic_load_explicit(&r->unseen[i].settled, memory_order_relaxed) ||
            out[c].null_count == (int64_t)rows->n_rows) {
            continue;
        }
        const struct dn_csv_column *column = &columns[c];
        for (size_t row = 0; row < rows->n_rows && !firsts[i].found; row++) {
            const uint32_t start = dn_csv_field_start(rows, row, column->field);
            const uint32_t end = dn_csv_field_end(rows, row, column->field, start);
            firsts[i].found =
                type_of_field(r, column, rows->buf + start, end - start, &firsts[i].type);
            firsts[i].row = row;
            firsts[i].start = start;
            firsts[i].byte_offset = block->start_offset + (int64_t)(start - block->start);
        }
    }
}

static enum dn_status describe(const struct dn_csv_reader *r, const struct dn_csv_slot *slot,
                               size_t i, struct dn_error *err)
{
    const struct dn_csv_first *first = &slot->firsts[i];
    const struct dn_csv_column *c = &r->columns[r->unseen[i].column];
    const struct ArrowArray *column = slot->batch.children[r->unseen[i].column];
    const struct dn_string_view *view =
        (const struct dn_string_view *)column->buffers[1] + first->row;
    const uint8_t *text =
        view->len <= DN_VIEW_INLINE
            ? view->u.inlined
            : (const uint8_t *)column->buffers[2 + view->u.ref.buffer] + view->u.ref.offset;
    char value[DN_ESCAPED_VALUE_SIZE];

    dn_error_escape_value(value, text, (size_t)view->len);
    dn_error_set(err, DN_ERR_TYPE,
                 "column \"%s\": %s is its first value, behind a sample that has none; declare the "
                 "column's type with the option types (it would fit %s)",
                 c->name, value, DN_TYPE_TEXT(first->type));
    dn_error_copy_text(err->expected, sizeof(err->expected), DN_TYPE_TEXT(c->type));
    dn_error_copy_text(err->suggested_type, sizeof(err->suggested_type), DN_TYPE_TEXT(first->type));
    dn_error_locate(err, NULL,
                    (int64_t)first->row + 1 + dn_csv_aside_before(&slot->aside, first->start), -1,
                    first->byte_offset, c->name);
    return DN_ERR_TYPE;
}

enum dn_status dn_csv_unseen_check(struct dn_csv_reader *r, struct dn_csv_slot *slot)
{
    size_t earliest = SIZE_MAX;

    for (size_t i = 0; i < r->n_unseen; i++) {
        const struct dn_csv_first *first = &slot->firsts[i];
        if (!first->found || atomic_load_explicit(&r->unseen[i].settled, memory_order_relaxed)) {
            continue;
        }
        if (first->type.id == DN_TYPE_UTF8_VIEW) {
            atomic_store_explicit(&r->unseen[i].settled, true, memory_order_relaxed);
        } else if (earliest == SIZE_MAX || first->row < slot->firsts[earliest].row) {
            earliest = i;
        }
    }
    return earliest == SIZE_MAX ? DN_OK : describe(r, slot, earliest, &slot->error);
}
