#include "csv/automaton.h"

/* The byte at `pos`, behind a closing quote, is text: is the field one that somebody else would read otherwise? */
static void note_irregular(const struct dn_csv_dialect *d, const uint8_t *buf, size_t pos,
                           struct dn_csv_index *index)
{
    size_t from = index->start;

    if (index->irregular != SIZE_MAX) {
        return;
    }
    if (index->n_ends > 0) {
        from = index->ends[index->n_ends - 1];
        from += dn_csv_is_row_end(d, buf[from]) ? 1 : 1 + (size_t)d->n_rest;
    }
    if (index->n_ends == 0 || dn_csv_is_row_end(d, buf[from - 1])) {
        from += dn_csv_row_prefix(d, buf + from, pos - from);
    }
    const bool escapes = d->has_escape && d->escape == '\\';
    const bool backslash = !escapes && pos - from > 2 && buf[pos - 2] == '\\';
    if (backslash || dn_csv_line_len(d, buf + from, pos - from) < pos - from) {
        index->irregular = from;
        index->irregular_backslash = backslash;
    }
}

static void note(const struct dn_csv_dialect *d, const uint8_t *buf, size_t pos,
                 enum dn_csv_state before, const struct dn_csv_mark *m, struct dn_csv_index *index)
{
    if (m->field_ends) {
        index->ends[index->n_ends++] = (uint32_t)pos;
        index->n_row_ends += m->row_ends;
    }
    if (m->stray) {
        if (index->n_strays++ == 0) {
            index->first_stray = pos;
        }
        if (before == DN_CSV_CLOSED) {
            note_irregular(d, buf, pos, index);
        }
    }
}

size_t dn_csv_automaton_run(const struct dn_csv_dialect *d, const uint8_t *buf, size_t pos,
                            size_t len, size_t stop_after, enum dn_csv_state *state,
                            struct dn_csv_index *index)
{
    enum dn_csv_state s = *state;

    while (pos < len) {
        const enum dn_csv_state before = s;
        struct dn_csv_mark m;
        s = dn_csv_step(d, s, buf + pos, len - pos, &m);
        if (index != NULL && (m.field_ends || m.stray)) {
            note(d, buf, pos, before, &m, index);
        }
        pos += m.n;
        if (m.row_ends && pos > stop_after) {
            break;
        }
    }
    *state = s;
    return pos;
}

size_t dn_csv_last_opened(const struct dn_csv_dialect *d, const uint8_t *buf, size_t pos,
                          size_t len)
{
    enum dn_csv_state state = DN_CSV_START;
    size_t opened = pos;

    while (pos < len) {
        const enum dn_csv_state before = state;
        struct dn_csv_mark m;
        state = dn_csv_step(d, state, buf + pos, len - pos, &m);
        if ((before == DN_CSV_START || before == DN_CSV_FIELD) && state == DN_CSV_QUOTED) {
            opened = pos;
        }
        pos += m.n;
    }
    return opened;
}

uint64_t dn_csv_count_strays(const struct dn_csv_dialect *d, const uint8_t *buf, size_t pos,
                             size_t len)
{
    enum dn_csv_state state = DN_CSV_START;
    uint64_t n = 0;

    while (pos < len) {
        struct dn_csv_mark m;
        state = dn_csv_step(d, state, buf + pos, len - pos, &m);
        n += m.stray;
        pos += m.n;
    }
    return n;
}

uint64_t dn_csv_count_marks(const struct dn_csv_dialect *d, const uint8_t *buf, size_t pos,
                            size_t len)
{
    enum dn_csv_state state = DN_CSV_START;
    uint64_t n = 0;

    while (pos < len) {
        const size_t behind = pos + dn_csv_row_prefix(d, buf + pos, len - pos);
        for (size_t i = pos; i + DN_CSV_BOM_LEN <= behind; i++) {
            n += dn_csv_is_bom(buf + i);
        }
        pos = dn_csv_automaton_run(d, buf, pos, len, pos, &state, NULL);
    }
    return n;
}
