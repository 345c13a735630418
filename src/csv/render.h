/** The rows of one block to JSON records. */
#ifndef DN_CSV_RENDER_H
#define DN_CSV_RENDER_H

#include "base/arena.h"
#include "csv/columns.h"
#include "csv/records.h"
#include "csv/rows.h"

/** What every record has, prepared once. */
struct dn_csv_rendering {
    bool numbers;
    uint8_t *
        keys; /**< `{"name":` or `,"name":` of each column, one behind the other; 64 bytes behind them are readable */
    uint32_t *key_ends; /**< where in `keys` each one ends */
    size_t n_columns;
};

/** In `arena`. */
DN_NODISCARD enum dn_status dn_csv_rendering_make(struct dn_csv_rendering **out,
                                                  struct dn_arena *arena, const char *const *names,
                                                  size_t n_columns, bool numbers,
                                                  struct dn_error *err);
/** Bytes that a byte of text may become, at most, in rows of n_fields fields. */
size_t dn_csv_rendering_growth(const struct dn_csv_rendering *how, size_t n_fields);

/**
 * All rows.  The texts are valid UTF-8.
 * @param columns  how->n_columns of them, all strings
 * @param side     for texts with escapes, one at a time
 * @param out      empty; on failure it is to be finished
 */
DN_NODISCARD enum dn_status
dn_csv_render(const struct dn_kernels *kernels, const struct dn_csv_rendering *how,
              const struct dn_csv_rows *rows, const struct dn_csv_dialect *d,
              const struct dn_csv_nulls *nulls, const struct dn_csv_column *columns,
              struct dn_buffer *side, struct dn_csv_records *out, struct dn_error *err);

#endif
