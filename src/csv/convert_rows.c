/* All columns of a block side by side, a few rows at a time, and the rows that are left out on the way. */
#include "base/memory.h"
#include "csv/convert_job.h"

#include <string.h>

/* About two thirds of a small L1 data cache. */
#define TILE_BYTES ((size_t)24 << 10)
/* Rows at a time, a multiple of it: what a word of a bitmap holds. */
#define FEWEST_ROWS ((size_t)64)

void dn_csv_batch_memory_destroy(void *memory)
{
    struct dn_csv_batch_memory *m = memory;

    if (m != NULL) {
        dn_csv_block_finish(&m->block);
        dn_buffer_finish(&m->unescaped);
        if (m->slab != NULL) {
            dn_free_aligned(m->slab, m->slab_size);
        }
        dn_free(m);
    }
}

/*
 * Buffers begin at multiples of 64 bytes, as Arrow recommends, but for those of few rows: of very many columns most would be padding.  16 is
 * what the widest values want.
 */
static size_t round_up(size_t n, size_t n_rows)
{
    const size_t step = n_rows < FEWEST_ROWS ? 16 : 64;

    return (n + step - 1) & ~(step - 1);
}

/* Kernels write words of bits ... */
static size_t bitmap_size(size_t n_rows)
{
    return round_up(n_rows / 8 + 8, n_rows);
}

/* ... and values in eights. */
static size_t padded_size(struct dn_type type, size_t n_rows)
{
    return type.id == DN_TYPE_BOOL ? bitmap_size(n_rows)
                                   : round_up((n_rows + 8) * dn_type_width(type), n_rows);
}

/* Where the bits and values of one column behind the other are written, those behind overwrite what is too much. */
static size_t values_size(struct dn_type type, size_t n_rows)
{
    return type.id == DN_TYPE_BOOL ? bitmap_size(n_rows)
                                   : round_up(n_rows * dn_type_width(type), n_rows);
}

/* The earliest fault by (row, column); columns come in ascending order and convert only the rows before it. */
static void note_fault(struct dn_csv_fault *fault, const struct dn_csv_job *j, size_t column)
{
    size_t row = j->bad_row;
    enum dn_csv_fault_kind kind = DN_CSV_FAULT_TYPE;

    if (j->column->required && j->first_null < row) { /* SIZE_MAX: there is none */
        row = j->first_null;
        kind = DN_CSV_FAULT_NULL;
    }
    if (row != SIZE_MAX) {
        *fault = (struct dn_csv_fault){kind, row, column};
    }
}

/* Rows to convert per column at a time: few enough that their text and index stay in the L1 cache over all columns. */
static size_t tile_rows(const struct dn_csv_rows *rows)
{
    const size_t text = rows->ends[rows->n_rows * rows->n_fields - 1] - rows->starts[0];
    const size_t per_row = text / rows->n_rows + rows->n_fields * sizeof(uint32_t) + 1;
    const size_t n = TILE_BYTES / per_row & ~(FEWEST_ROWS - 1);

    return n < FEWEST_ROWS ? FEWEST_ROWS : n;
}

/* What all columns of a block have in common. */
struct conversion {
    const struct dn_kernels *kernels;
    struct dn_csv_rows *rows;
    const struct dn_csv_dialect *d;
    const struct dn_csv_nulls *nulls;
    const struct dn_csv_column *columns;
    size_t n_columns;
    struct dn_csv_batch_memory *memory;
    struct dn_batch_column *out;
    struct dn_csv_fault *fault;
};

/* The job of a column, whose bits and values go to `at`. */
static void start_job(const struct conversion *k, size_t column, uint8_t *at,
                      struct dn_csv_job *out)
{
    const struct dn_csv_column *c = &k->columns[column];
    const size_t n_bits = bitmap_size(k->rows->n_rows);

    *out = (struct dn_csv_job){.kernels = k->kernels,
                               .rows = k->rows,
                               .d = k->d,
                               .nulls = dn_csv_nulls_of(c->forms, k->nulls),
                               .column = c,
                               .trim = c->forms != NULL && c->forms->trim,
                               .first_null = SIZE_MAX,
                               .bad_row = SIZE_MAX,
                               .memory = k->memory,
                               .validity = at,
                               .values = at + n_bits};
    if (c->field == SIZE_MAX) {
        memset(at, 0, n_bits + values_size(c->type, k->rows->n_rows));
        out->null_count = (int64_t)k->rows->n_rows;
    }
}

static enum dn_status make_slab(const struct conversion *k,
                                size_t (*size_of)(struct dn_type type, size_t n_rows),
                                struct dn_error *err)
{
    const size_t n_rows = k->rows->n_rows;
    size_t size = 64 + 8 * sizeof(uint64_t[2]); /* to read and to write behind the last one */

    for (size_t c = 0; c < k->n_columns; c++) {
        size += bitmap_size(n_rows) + size_of(k->columns[c].type, n_rows);
    }
    k->memory->slab = dn_malloc_aligned(size);
    if (k->memory->slab == NULL) {
        return dn_error_memory(err, size);
    }
    k->memory->slab_size = size;
    return DN_OK;
}

/* n columns from `first` on. */
static void describe_columns(const struct conversion *k, const struct dn_csv_job *jobs,
                             size_t first, size_t n)
{
    struct dn_csv_batch_memory *memory = k->memory;

    for (size_t c = 0; c < n; c++) {
        const struct dn_csv_job *j = &jobs[c];
        struct dn_batch_column *out = &k->out[first + c];
        if (j->n_rounded > 0 &&
            (memory->n_rounded == 0 || j->first_rounded < memory->rounded_row)) {
            memory->rounded_row = j->first_rounded;
            memory->rounded_column = first + c;
        }
        memory->n_rounded += j->n_rounded;
        *out = (struct dn_batch_column){.type = j->column->type,
                                        .null_count = j->null_count,
                                        .validity = j->null_count > 0 ? j->validity : NULL,
                                        .values = j->values};
        if (dn_type_layout(j->column->type) == DN_LAYOUT_VIEWS) {
            out->variadic = memory->variadic;
            out->variadic_lens = memory->variadic_lens;
            out->n_variadic = 2;
        }
    }
}

/* Rows [from, to) of columns, of which the first is number `first`. */
static enum dn_status convert_tile(struct dn_csv_job *jobs, size_t first, size_t n_columns,
                                   size_t from, size_t to, struct dn_csv_fault *fault,
                                   struct dn_error *err)
{
    for (size_t c = 0; c < n_columns; c++) {
        struct dn_csv_job *j = &jobs[c];
        j->from = from;
        j->to = to;
        DN_TRY(dn_csv_convert_column(j, err));
        note_fault(fault, j, first + c);
        to = fault->kind == DN_CSV_FAULT_NONE ? to : fault->row;
    }
    return DN_OK;
}

/*
 * As above, of `tile` rows from `from` on, where rows may be left out: then the tile begins anew, with fewer rows, for more may be wrong
 * where one is, and filled up from behind.
 */
static enum dn_status convert_dropping(struct dn_csv_job *jobs, const struct dn_csv_job *before,
                                       size_t n_columns, struct dn_csv_rows *rows, size_t from,
                                       size_t tile, const struct dn_csv_dropper *dropper,
                                       struct dn_csv_fault *fault, struct dn_error *err)
{
    struct dn_buffer *side = &jobs[0].memory->unescaped;
    const size_t side_len = side->len;
    bool dropped = true;

    while (dropped) {
        dn_csv_rows_show(rows, from + tile - rows->n_rows);
        DN_TRY(convert_tile(jobs, 0, n_columns, from, rows->n_rows, fault, err));
        dropped = false;
        if (fault->kind != DN_CSV_FAULT_NONE) {
            DN_TRY(dropper->drop(dropper->ctx, fault, &dropped, err));
        }
        if (dropped) {
            *fault = (struct dn_csv_fault){DN_CSV_FAULT_NONE, SIZE_MAX, 0};
            memcpy(jobs, before, n_columns * sizeof(*jobs));
            side->len = side_len;
            tile = FEWEST_ROWS;
            if (rows->n_rows > from + tile) {
                dn_csv_rows_hide(rows, from + tile);
            }
        }
    }
    return DN_OK;
}

/* All rows, some of which may be left out. */
static enum dn_status convert_and_drop(struct dn_csv_job *jobs, size_t n_columns,
                                       struct dn_csv_rows *rows,
                                       const struct dn_csv_dropper *dropper,
                                       struct dn_csv_fault *fault, struct dn_error *err)
{
    struct dn_csv_job *before = dn_calloc(n_columns, sizeof(*before));
    const size_t tile = tile_rows(rows);
    enum dn_status st = DN_OK;

    if (before == NULL) {
        return dn_error_memory(err, n_columns * sizeof(*before));
    }
    dn_csv_rows_hide(rows, 0);
    while (rows->n_hidden > 0 && fault->kind == DN_CSV_FAULT_NONE && st == DN_OK) {
        memcpy(before, jobs, n_columns * sizeof(*jobs));
        st = convert_dropping(jobs, before, n_columns, rows, rows->n_rows, tile, dropper, fault,
                              err);
    }
    dn_csv_rows_show(rows, SIZE_MAX);
    for (size_t c = 0; c < n_columns; c++) {
        if (jobs[c].column->field == SIZE_MAX) {
            jobs[c].null_count = (int64_t)rows->n_rows;
        }
    }
    dn_free(before);
    return st;
}

/* All rows, or up to a fault. */
static enum dn_status convert_tiles(const struct conversion *k, struct dn_csv_job *jobs,
                                    const struct dn_csv_dropper *dropper, struct dn_error *err)
{
    const size_t n_rows = k->rows->n_rows;

    if (n_rows == 0 || k->n_columns == 0) {
        return DN_OK;
    }
    if (dropper != NULL) {
        return convert_and_drop(jobs, k->n_columns, k->rows, dropper, k->fault, err);
    }
    const size_t tile = tile_rows(k->rows);
    for (size_t from = 0; from < n_rows && k->fault->kind == DN_CSV_FAULT_NONE; from += tile) {
        const size_t left = n_rows - from;
        DN_TRY(convert_tile(jobs, 0, k->n_columns, from, from + (left < tile ? left : tile),
                            k->fault, err));
    }
    return DN_OK;
}

/* All columns side by side. */
static enum dn_status convert_many(const struct conversion *k, const struct dn_csv_dropper *dropper,
                                   struct dn_error *err)
{
    const size_t jobs_size = k->n_columns * sizeof(struct dn_csv_job);
    struct dn_csv_job *jobs = dn_malloc_aligned(jobs_size);
    enum dn_status st = DN_OK;

    if (jobs == NULL) {
        return dn_error_memory(err, jobs_size);
    }
    DN_TRY_GOTO(st, make_slab(k, padded_size, err), cleanup);
    uint8_t *at = k->memory->slab;
    for (size_t c = 0; c < k->n_columns; c++) {
        start_job(k, c, at, &jobs[c]);
        at += bitmap_size(k->rows->n_rows) + padded_size(k->columns[c].type, k->rows->n_rows);
    }
    DN_TRY_GOTO(st, convert_tiles(k, jobs, dropper, err), cleanup);
    describe_columns(k, jobs, 0, k->n_columns);
cleanup:
    dn_free_aligned(jobs, jobs_size);
    return st;
}

/* Fewer rows than are converted at a time anyway: of very many columns what belongs to each by itself would else be most of it all. */
static enum dn_status convert_few(const struct conversion *k, struct dn_error *err)
{
    const size_t n_rows = k->rows->n_rows;
    struct dn_csv_job job;

    DN_TRY(make_slab(k, values_size, err));
    uint8_t *at = k->memory->slab;
    for (size_t c = 0; c < k->n_columns; c++) {
        start_job(k, c, at, &job);
        if (n_rows > 0) {
            const size_t to = k->fault->kind == DN_CSV_FAULT_NONE ? n_rows : k->fault->row;
            DN_TRY(convert_tile(&job, c, 1, 0, to, k->fault, err));
        }
        describe_columns(k, &job, c, 1);
        at += bitmap_size(n_rows) + values_size(k->columns[c].type, n_rows);
    }
    return DN_OK;
}

enum dn_status dn_csv_convert(const struct dn_kernels *kernels, struct dn_csv_rows *rows,
                              const struct dn_csv_dialect *d, const struct dn_csv_nulls *nulls,
                              const struct dn_csv_column *columns, size_t n_columns,
                              struct dn_csv_batch_memory *memory, struct dn_batch_column *out,
                              const struct dn_csv_dropper *dropper, struct dn_csv_fault *fault,
                              struct dn_error *err)
{
    const struct conversion k = {kernels, rows, d, nulls, columns, n_columns, memory, out, fault};

    *fault = (struct dn_csv_fault){DN_CSV_FAULT_NONE, SIZE_MAX, 0};
    DN_TRY(dropper == NULL && rows->n_rows < FEWEST_ROWS ? convert_few(&k, err)
                                                         : convert_many(&k, dropper, err));
    memory->variadic[0] = memory->block.buf;
    memory->variadic[1] = memory->unescaped.data;
    memory->variadic_lens[0] = (int64_t)memory->block.len;
    memory->variadic_lens[1] = (int64_t)memory->unescaped.len;
    return DN_OK;
}
