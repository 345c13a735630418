#include "csv/automaton.h"

size_t dn_csv_automaton_run(const struct dn_csv_dialect *d, const uint8_t *buf, size_t pos,
                            size_t len, size_t stop_after, enum dn_csv_state *state,
                            struct dn_csv_index *index)
{
    enum dn_csv_state s = *state;

    while (pos < len) {
        bool field_ends;
        bool row_ends;
        bool stray;
        const uint8_t next = pos + 1 < len ? buf[pos + 1] : '\n';
        s = dn_csv_step(d, s, buf[pos], next, &field_ends, &row_ends, &stray);
        if (index != NULL) {
            if (field_ends) {
                index->ends[index->n_ends++] = (uint32_t)pos;
                index->n_row_ends += row_ends;
            }
            if (stray) {
                if (index->n_strays++ == 0) {
                    index->first_stray = pos;
                }
            }
        }
        pos++;
        if (row_ends && pos > stop_after) {
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

    for (; pos < len; pos++) {
        const enum dn_csv_state before = state;
        bool field_ends;
        bool row_ends;
        bool stray;
        const uint8_t next = pos + 1 < len ? buf[pos + 1] : '\n';
        state = dn_csv_step(d, state, buf[pos], next, &field_ends, &row_ends, &stray);
        if (before == DN_CSV_START && state == DN_CSV_QUOTED) {
            opened = pos;
        }
    }
    return opened;
}
