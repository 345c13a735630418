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
    dn_free(index->doubled);
    *index = (struct dn_csv_index){0};
}

/* A bitmap for buf[0, len), all 0. */
static enum dn_status reset_doubled(struct dn_csv_index *index, size_t len, struct dn_error *err)
{
    const size_t wanted =
        (len + 64) / 512 + 1 + sizeof(uint64_t); /* words may reach over the end */

    if (wanted > index->doubled_capacity) {
        uint8_t *doubled = dn_malloc(2 * wanted);
        if (doubled == NULL) {
            return dn_error_memory(err, 2 * wanted);
        }
        dn_free(index->doubled);
        index->doubled = doubled;
        index->doubled_capacity = 2 * wanted;
    }
    memset(index->doubled, 0, wanted);
    return DN_OK;
}

/* What the automaton read may hold anything. */
static void note_unknown(struct dn_csv_index *index, size_t from, size_t to)
{
    for (size_t word = from / 64; word <= to / 64; word++) {
        index->doubled[word / 8] |= (uint8_t)(1U << word % 8);
    }
    index->not_ascii = true;
}

static enum dn_status reserve(struct dn_csv_index *index, size_t text_len, struct dn_error *err)
{
    const size_t wanted = text_len + 2 * (size_t)INDEX_SCRATCH;

    index->n_ends = 0;
    index->n_row_ends = 0;
    index->n_strays = 0;
    index->first_stray = SIZE_MAX;
    index->irregular = SIZE_MAX;
    index->not_ascii = false;
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

static bool may_begin_row(const struct dn_csv_dialect *d, uint8_t byte)
{
    return byte == 0xef || byte == 0xbb || byte == 0xbf || (d->lf_cr && byte == '\r');
}

/*
 * Where the kernels stop they know that a field starts, but not whether a row does, nor what a row may begin with without being
 * text.  So the automaton goes on from here, or from the start of the row if there is nothing else in front of `pos`.
 */
static size_t resume(const struct dn_csv_dialect *d, const uint8_t *buf, size_t start, size_t pos,
                     enum dn_csv_state first, enum dn_csv_state *state)
{
    size_t at = pos;

    while (*state == DN_CSV_PLAIN && at > start && may_begin_row(d, buf[at - 1])) {
        at--; /* none of these bytes ends or quotes anything */
    }
    const enum dn_csv_state here = at == pos ? *state : DN_CSV_START;
    if (here != DN_CSV_START) {
        return pos;
    }
    const bool row = at == start ? first == DN_CSV_START : dn_csv_is_row_end(d, buf[at - 1]);
    if (at < pos && !row) {
        return pos;
    }
    *state = row ? DN_CSV_START : DN_CSV_FIELD;
    return at;
}

enum dn_status dn_csv_index_build(const struct dn_kernels *kernels, const struct dn_csv_dialect *d,
                                  const uint8_t *buf, size_t start, size_t len,
                                  enum dn_csv_state *state, struct dn_csv_index *index,
                                  struct dn_error *err)
{
    const enum dn_csv_state first = *state;
    struct dn_csv_scan scan = {0};
    size_t pos = start;

    DN_TRY(reserve(index, len - start, err));
    DN_TRY(reset_doubled(index, len, err));
    index->start = start;
    if (!dn_csv_is_plain(d)) {
        note_unknown(index, start, len);
        (void)dn_csv_automaton_run(d, buf, start, len, len, state, index);
        return DN_OK;
    }
    dn_csv_scan_set(&scan, d, *state);
    scan.doubled = index->doubled;
    for (;;) {
        pos = kernels->csv_index(buf, pos, len, &scan, index->ends, &index->n_ends,
                                 &index->n_row_ends);
        *state = dn_csv_state_of_scan(&scan);
        index->not_ascii = index->not_ascii || scan.not_ascii != 0;
        if (pos >= len) {
            return DN_OK;
        }
        const size_t word = pos;
        const size_t from = resume(d, buf, start, pos, first, state);
        pos = dn_csv_automaton_run(d, buf, from, len, word + 63, state, index);
        note_unknown(index, from, pos);
        if (pos >= len) {
            return DN_OK;
        }
        dn_csv_scan_set(&scan, d, *state);
    }
}

/*
 * The state after buf[pos, stop), a stretch without quotes that is not empty.
 * @param start  of the block
 */
static enum dn_csv_state after_plain(const struct dn_csv_dialect *d, enum dn_csv_state state,
                                     const uint8_t *buf, size_t start, size_t pos, size_t stop)
{
    const uint8_t last = buf[stop - 1];

    if (state == DN_CSV_QUOTED) {
        return DN_CSV_QUOTED;
    }
    if (dn_csv_is_row_end(d, last) || last == d->delimiter) {
        return DN_CSV_START; /* whether of a row does not matter to a quote */
    }
    if (may_begin_row(d, last)) {
        size_t at = stop;
        while (at > pos && may_begin_row(d, buf[at - 1])) {
            at--;
        }
        const bool row =
            at == pos ? state == DN_CSV_START && at == start : dn_csv_is_row_end(d, buf[at - 1]);
        if (row && dn_csv_row_prefix(d, buf + at, stop - at) == stop - at) {
            return DN_CSV_START;
        }
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

/* Only the state, at sweep speed, from behind a quote. */
static enum dn_csv_state sweep(const struct dn_kernels *kernels, const struct dn_csv_dialect *d,
                               const uint8_t *buf, size_t pos, size_t len, enum dn_csv_state state)
{
    const enum dn_csv_state first = state;
    const size_t start = pos;
    struct dn_csv_scan scan = {0};

    while (pos < len) {
        dn_csv_scan_set(&scan, d, state);
        pos = kernels->csv_sweep(buf, pos, len, &scan);
        state = dn_csv_state_of_scan(&scan);
        if (pos < len) {
            const size_t word = pos;
            pos = resume(d, buf, start, pos, first, &state);
            pos = dn_csv_automaton_run(d, buf, pos, len, word + 63, &state, NULL);
        }
    }
    return state;
}

/* Byte by byte: for dialects that the kernels do not know. */
static struct dn_csv_map map_slowly(const struct dn_csv_dialect *d, const uint8_t *buf,
                                    size_t start, size_t len)
{
    enum dn_csv_state outside = DN_CSV_START;
    enum dn_csv_state inside = DN_CSV_QUOTED;

    (void)dn_csv_automaton_run(d, buf, start, len, len, &outside, NULL);
    (void)dn_csv_automaton_run(d, buf, start, len, len, &inside, NULL);
    return (struct dn_csv_map){{outside == DN_CSV_QUOTED, inside == DN_CSV_QUOTED}};
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
    if (!dn_csv_is_plain(d)) {
        return map_slowly(d, buf, start, len);
    }
    /* Both automata side by side, from quote to quote.  A lenient automaton that starts in the wrong state usually falls
     * into step after a quote or two; from there one sweep serves both. */
    while (outside != inside) {
        const uint8_t *quote = pos < len ? memchr(buf + pos, d->quote, len - pos) : NULL;
        const size_t stop = quote == NULL ? len : (size_t)(quote - buf);
        if (stop > pos) {
            outside = after_plain(d, outside, buf, start, pos, stop);
            inside = after_plain(d, inside, buf, start, pos, stop);
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
