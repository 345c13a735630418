/* A reader that gives JSON records in place of batches. */
#include "csv/records.h"

#include "csv/aside.h"
#include "csv/reader_internal.h"

/* Bytes in flight per byte of text, besides what it becomes: itself and its index. */
#define BYTES_PER_TEXT 5

bool dn_csv_reader_can_render(const struct dn_csv_reader *r)
{
    bool can = !r->started && r->look == NULL && r->census == NULL && r->survey == NULL &&
               r->n_unseen == 0 && r->n_columns > 0 && !dn_csv_aside_wanted(r);

    for (size_t c = 0; c < r->n_columns; c++) {
        const struct dn_csv_column *column = &r->columns[c];
        can = can && column->type.id == DN_TYPE_UTF8_VIEW &&
              column->type.extension != DN_EXTENSION_JSON && !column->required;
    }
    return can;
}

enum dn_status dn_csv_reader_render(struct dn_csv_reader *r, const char *const *names, bool numbers,
                                    struct dn_error *err)
{
    DN_TRY(dn_csv_rendering_make(&r->rendering, &r->arena, names, r->n_columns, numbers, err));
    dn_csv_reader_shrink_blocks(r, BYTES_PER_TEXT +
                                       dn_csv_rendering_growth(r->rendering, r->n_fields));
    return DN_OK;
}

enum dn_status dn_csv_reader_next_records(struct dn_csv_reader *r, struct dn_csv_records *out,
                                          struct dn_error *err)
{
    struct ArrowArray none;

    *out = (struct dn_csv_records){0};
    DN_TRY(dn_owner_check(&r->owner, "CSV reader", err));
    if (dn_csv_reader_begin(r) == DN_OK) {
        r->status = dn_csv_pipeline_take(r, &none, out);
    }
    atomic_fetch_add(&r->rows_out, out->n_rows);
    return dn_csv_reader_answer(r, err);
}
