/* Rows that all end with a delimiter, below a header that does not. */
#include "csv/reader_internal.h"

#define HEAD_BYTES ((size_t)256 << 10)

/* The row at head.data[*pos], if all of it is there: does it end with a
 * delimiter, behind n_fields fields?  *pos moves behind it.  at_end: a row
 * without its row end is all there. */
static bool read_row(const struct dn_csv_dialect *d, struct dn_span head, bool at_end, size_t *pos,
                     size_t n_fields, bool *ends_with_delimiter)
{
    enum dn_csv_state state = DN_CSV_START;
    size_t n = 0;
    size_t last = 0; /* behind the last delimiter */

    for (size_t at = *pos; at < head.len;) {
        struct dn_csv_mark m;
        state = dn_csv_step(d, state, head.data + at, head.len - at, &m);
        if (m.row_ends) {
            *ends_with_delimiter =
                n == n_fields && dn_csv_without_cr(d, head.data + last, at - last) == 0;
            *pos = at + 1;
            return true;
        }
        at += m.n;
        if (m.field_ends) {
            n++;
            last = at;
        }
    }
    if (at_end && state != DN_CSV_QUOTED) {
        *ends_with_delimiter =
            n == n_fields && dn_csv_without_cr(d, head.data + last, head.len - last) == 0;
        *pos = head.len;
        return true;
    }
    return false;
}

void dn_csv_find_trailing(struct dn_csv_reader *r)
{
    struct dn_span head = dn_csv_feed_held(&r->feed);
    size_t n_rows = 0;
    bool all = r->has_header;
    const bool whole = r->feed.source_at_end && head.len <= HEAD_BYTES;

    head.len = head.len < HEAD_BYTES ? head.len : HEAD_BYTES;
    for (size_t pos = 0; all && pos < head.len;) {
        const size_t blank = dn_csv_leading_blank_lines(
            &r->dialect, (struct dn_span){head.data + pos, head.len - pos}, false);
        pos += blank;
        if (blank == 0) {
            /* one that was cut off says nothing against those before it */
            if (!read_row(&r->dialect, head, whole && n_rows == 0, &pos, r->n_fields, &all)) {
                break;
            }
            n_rows++;
        }
    }
    r->trailing = all && n_rows > 0;
    if (r->trailing) {
        dn_csv_say(r, "trailing_delimiter",
                   "every row ends with a delimiter, behind which there is "
                   "nothing, and the header "
                   "does not: that is no column");
    }
}
