/* Whether a further file begins with the header of the first one: the same names, in quotes or not. */
#include "base/memory.h"
#include "csv/columns.h"
#include "csv/feed.h"
#include "csv/index.h"

#include <string.h>

/* Where its fields end. */
static enum dn_status index_row(const struct dn_csv_dialect *d, struct dn_span row,
                                struct dn_csv_index *index, struct dn_error *err)
{
    enum dn_csv_state state = DN_CSV_START;

    *index = (struct dn_csv_index){.irregular = SIZE_MAX, .capacity = row.len + 1};
    index->ends = dn_malloc_aligned(index->capacity * sizeof(uint32_t));
    if (index->ends == NULL) {
        return dn_error_memory(err, index->capacity * sizeof(uint32_t));
    }
    (void)dn_csv_automaton_run(d, row.data, 0, row.len, row.len, &state, index);
    index->ends[index->n_ends++] = (uint32_t)row.len;
    return DN_OK;
}

/* Is it one that the first file's may be, too? */
static bool is_regular(const struct dn_csv_dialect *d, const struct dn_csv_index *index)
{
    return index->n_row_ends == 0 && index->irregular == SIZE_MAX &&
           !(d->strict && index->n_strays > 0);
}

static size_t text_of(const struct dn_csv_dialect *d, struct dn_span row, uint32_t start,
                      uint32_t end, uint8_t *out)
{
    return end > start ? dn_csv_text_of(d, row.data + start, end - start, out) : 0;
}

static enum dn_status rows_match(const struct dn_csv_dialect *d, struct dn_span a, struct dn_span b,
                                 bool *same, struct dn_error *err)
{
    struct dn_csv_index of_a = {0};
    struct dn_csv_index of_b = {0};
    uint32_t at_a = 0;
    uint32_t at_b = 0;
    enum dn_status st = DN_OK;
    uint8_t *texts = dn_malloc(a.len + b.len + 1);

    *same = false;
    if (texts == NULL) {
        return dn_error_memory(err, a.len + b.len + 1);
    }
    DN_TRY_GOTO(st, index_row(d, a, &of_a, err), cleanup);
    DN_TRY_GOTO(st, index_row(d, b, &of_b, err), cleanup);
    *same = of_a.n_ends == of_b.n_ends && is_regular(d, &of_b);
    for (size_t i = 0; *same && i < of_a.n_ends; i++) {
        const size_t n = text_of(d, a, at_a, of_a.ends[i], texts);
        const size_t m = text_of(d, b, at_b, of_b.ends[i], texts + n);
        *same = n == m && memcmp(texts, texts + n, n) == 0;
        at_a = of_a.ends[i] + 1 + (uint32_t)d->n_rest;
        at_b = of_b.ends[i] + 1 + (uint32_t)d->n_rest;
    }
cleanup:
    dn_csv_index_finish(&of_a);
    dn_csv_index_finish(&of_b);
    dn_free(texts);
    return st;
}

enum dn_status dn_csv_match_header(const struct dn_csv_dialect *d, struct dn_span header,
                                   struct dn_span text, bool at_end, size_t *len,
                                   struct dn_error *err)
{
    enum dn_csv_state state = DN_CSV_START;
    bool same = false;

    *len = 0;
    if (header.len > 0 && text.len >= header.len &&
        memcmp(text.data, header.data, header.len) == 0) {
        const size_t rest = text.len - header.len;
        if (rest == 0 ? at_end : dn_csv_row_end_len(d, text.data + header.len, rest, at_end) > 0) {
            *len = header.len;
            return DN_OK;
        }
    }
    if (header.len == 0 || text.len == 0) {
        return DN_OK;
    }
    const size_t end = dn_csv_automaton_run(d, text.data, 0, text.len, 0, &state, NULL);
    const bool ended = state == DN_CSV_START && dn_csv_is_row_end(d, text.data[end - 1]);
    if (state == DN_CSV_QUOTED || (!ended && !at_end)) {
        return DN_OK;
    }
    const struct dn_span row = {text.data, dn_csv_without_cr(d, text.data, ended ? end - 1 : end)};
    DN_TRY(rows_match(d, header, row, &same, err));
    *len = same ? row.len : 0;
    return DN_OK;
}
