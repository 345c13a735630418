#include "csv/index.h"

#include "base/memory.h"

#include <string.h>

/* Entries the kernels may write past the last valid one. */
#define INDEX_SCRATCH 64

void dn_csv_index_finish(struct dn_csv_index *index)
{
    if (index->ends != NULL) {
        dn_free_aligned(index->ends, index->capacity * sizeof(uint32_t));
    }
    *index = (struct dn_csv_index){0};
}

static enum dn_status reserve(struct dn_csv_index *index, size_t text_len, struct dn_error *err)
{
    const size_t wanted = text_len + 2 * (size_t)INDEX_SCRATCH;

    index->n_ends = 0;
    index->n_row_ends = 0;
    index->n_strays = 0;
    index->first_stray = SIZE_MAX;
    if (wanted <= index->capacity) {
        return DN_OK;
    }
    uint32_t *ends = dn_malloc_aligned(wanted * sizeof(uint32_t));
    if (ends == NULL) {
        return dn_error_memory(err, wanted * sizeof(uint32_t));
    }
    if (index->ends != NULL) {
        dn_free_aligned(index->ends, index->capacity * sizeof(uint32_t));
    }
    index->ends = ends;
    index->capacity = wanted;
    return DN_OK;
}

enum dn_status dn_csv_index_build(const struct dn_kernels *kernels, const struct dn_csv_dialect *d,
                                  const uint8_t *buf, size_t start, size_t len,
                                  enum dn_csv_state *state, struct dn_csv_index *index,
                                  struct dn_error *err)
{
    struct dn_csv_scan scan;
    size_t pos = start;

    DN_TRY(reserve(index, len - start, err));
    dn_csv_scan_set(&scan, d, *state);
    for (;;) {
        pos = kernels->csv_index(buf, pos, len, &scan, index->ends, &index->n_ends,
                                 &index->n_row_ends);
        *state = dn_csv_state_of_scan(&scan);
        if (pos >= len) {
            return DN_OK;
        }
        pos = dn_csv_automaton_run(d, buf, pos, len, pos + 63, state, index);
        if (pos >= len) {
            return DN_OK;
        }
        dn_csv_scan_set(&scan, d, *state);
    }
}

/* The state after a stretch without quotes whose last byte is `last`. */
static enum dn_csv_state after_plain(const struct dn_csv_dialect *d, enum dn_csv_state state,
                                     uint8_t last)
{
    if (state == DN_CSV_QUOTED) {
        return DN_CSV_QUOTED;
    }
    if (last == '\n' || last == d->delimiter || (last == '\r' && d->cr_ends_row)) {
        return DN_CSV_START;
    }
    return DN_CSV_PLAIN;
}

static enum dn_csv_state after_quote(enum dn_csv_state state)
{
    static const enum dn_csv_state next[4] = {[DN_CSV_START] = DN_CSV_QUOTED,
                                              [DN_CSV_PLAIN] = DN_CSV_PLAIN,
                                              [DN_CSV_QUOTED] = DN_CSV_CLOSED,
                                              [DN_CSV_CLOSED] = DN_CSV_QUOTED};
    return next[state];
}

/* Only the state, at sweep speed. */
static enum dn_csv_state sweep(const struct dn_kernels *kernels, const struct dn_csv_dialect *d,
                               const uint8_t *buf, size_t pos, size_t len, enum dn_csv_state state)
{
    struct dn_csv_scan scan;

    while (pos < len) {
        dn_csv_scan_set(&scan, d, state);
        pos = kernels->csv_sweep(buf, pos, len, &scan);
        state = dn_csv_state_of_scan(&scan);
        if (pos < len) {
            pos = dn_csv_automaton_run(d, buf, pos, len, pos + 63, &state, NULL);
        }
    }
    return state;
}

struct dn_csv_map dn_csv_map_block(const struct dn_kernels *kernels, const struct dn_csv_dialect *d,
                                   const uint8_t *buf, size_t start, size_t len)
{
    enum dn_csv_state outside = DN_CSV_START;
    enum dn_csv_state inside = DN_CSV_QUOTED;
    size_t pos = start;

    if (!d->has_quote) {
        return (struct dn_csv_map){{false, false}};
    }
    /* Both automata side by side, from quote to quote.  A lenient automaton that starts in the wrong state usually falls
     * into step after a quote or two; from there one sweep serves both. */
    while (outside != inside) {
        const uint8_t *quote = pos < len ? memchr(buf + pos, d->quote, len - pos) : NULL;
        const size_t stop = quote == NULL ? len : (size_t)(quote - buf);
        if (stop > pos) {
            outside = after_plain(d, outside, buf[stop - 1]);
            inside = after_plain(d, inside, buf[stop - 1]);
        }
        if (quote == NULL) {
            return (struct dn_csv_map){{outside == DN_CSV_QUOTED, inside == DN_CSV_QUOTED}};
        }
        outside = after_quote(outside);
        inside = after_quote(inside);
        pos = stop + 1;
    }
    const bool ends_inside = sweep(kernels, d, buf, pos, len, outside) == DN_CSV_QUOTED;
    return (struct dn_csv_map){{ends_inside, ends_inside}};
}
