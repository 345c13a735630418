#include "csv/survey.h"

#include "csv/rows.h"
#include "dativo/csv.h"

/* The first cut of the file, or of a later one, that is behind `offset`. */
static size_t first_cut_behind(const struct dn_csv_survey *s, size_t file, int64_t offset)
{
    size_t low = 0;
    size_t high = s->n_cuts;

    while (low < high) {
        const size_t mid = (low + high) / 2;
        const struct dn_csv_cut *cut = &s->cuts[mid];
        if (cut->file < file || (cut->file == file && cut->offset <= offset)) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

/* How many of the rows start in front of `pos`. */
static size_t rows_before(const struct dn_csv_rows *rows, size_t pos)
{
    size_t low = 0;
    size_t high = rows->n_rows;

    while (low < high) {
        const size_t mid = (low + high) / 2;
        if (rows->starts[mid] < pos) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

/* The same of rows that were left out, in no order; *last is the start of the last one, if there is any. */
static size_t left_out_before(const struct dn_csv_rows *rows, size_t pos, size_t *last)
{
    const struct dn_csv_uneven_row *uneven = dn_csv_uneven(rows);
    size_t n = 0;

    *last = 0;
    for (size_t i = 0; i < dn_csv_n_uneven(rows); i++) {
        if (uneven[i].start < pos) {
            *last = uneven[i].start > *last ? uneven[i].start : *last;
            n++;
        }
    }
    return n;
}

static int64_t lines_between(const struct dn_csv_dialect *d, const struct dn_csv_block *block,
                             size_t from, size_t to)
{
    bool after_cr = false; /* nothing is cut between a '\r' and its '\n' */

    return dn_csv_line_ends(d, block->buf + from, to - from, &after_cr);
}

/* Behind the row that starts at `start`: padded rows do not know where that is. */
static size_t behind_row(const struct dn_csv_dialect *d, const struct dn_csv_block *block,
                         size_t start, size_t complete)
{
    enum dn_csv_state state = DN_CSV_START;
    size_t end = dn_csv_automaton_run(d, block->buf, start, complete, start, &state, NULL);

    end +=
        d->cr_ends_row && end < complete && block->buf[end - 1] == '\r' && block->buf[end] == '\n';
    return end;
}

static int64_t offset_of(const struct dn_csv_block *block, size_t pos)
{
    const int64_t offset = block->start_offset + (int64_t)(pos - block->start);

    return offset < block->end_offset ? offset : block->end_offset; /* not of an added row end */
}

void dn_csv_survey_block(const struct dn_csv_survey *s, struct dn_csv_surveyed *out,
                         const struct dn_csv_dialect *d, const struct dn_csv_block *block,
                         const struct dn_csv_rows *rows, size_t complete)
{
    size_t last = 0;
    size_t lines_at = block->start;
    int64_t n_lines = 0;

    *out = (struct dn_csv_surveyed){
        .any = true,
        .first_of_file = block->first_of_file,
        .start = block->start_offset,
        .end = offset_of(block, complete),
        .first_line = block->first_line,
        .n_given = (int64_t)rows->n_rows,
        .left_out = (int64_t)left_out_before(rows, complete, &last),
        .first_cut = first_cut_behind(s, block->file, block->start_offset),
    };
    out->end_cut = first_cut_behind(s, block->file, out->end);
    for (size_t i = out->first_cut; i < out->end_cut; i++) {
        const size_t pos = block->start + (size_t)(s->cuts[i].offset - block->start_offset);
        const size_t n = rows_before(rows, pos);
        const size_t left_out = left_out_before(rows, pos, &last);
        size_t end = block->start;
        if (n + left_out > 0) {
            const size_t row = n > 0 ? rows->starts[n - 1] : 0;
            end = behind_row(d, block, row > last ? row : last, complete);
        }
        n_lines += lines_between(d, block, lines_at, end);
        lines_at = end;
        s->bounds[i] = (struct dn_csv_bound){.known = true,
                                             .offset = offset_of(block, end),
                                             .line = n_lines,
                                             .n_given = (int64_t)n,
                                             .left_out = (int64_t)left_out};
    }
    out->n_lines = n_lines + lines_between(d, block, lines_at, complete);
}

int64_t dn_csv_survey_take(struct dn_csv_survey *s, size_t file, struct dn_csv_surveyed *block)
{
    if (!block->any) {
        return s->at.n_given;
    }
    if (block->first_of_file) {
        s->at.line = block->first_line;
        s->at.offset = block->start;
        s->at.known = true;
        s->starts[file] = s->at;
    }
    for (size_t i = block->first_cut; i < block->end_cut; i++) {
        struct dn_csv_bound *bound = &s->bounds[i];
        bound->line += s->at.line;
        bound->n_given += s->at.n_given;
        bound->left_out += s->at.left_out;
    }
    s->at.offset = block->end;
    s->at.line += block->n_lines;
    s->at.n_given += block->n_given;
    s->at.left_out += block->left_out;
    s->ends[file] = s->at;
    block->any = false;
    return s->at.n_given;
}
