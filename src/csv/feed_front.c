/* What a file begins with: marks of other formats and encodings, a line "sep=;", and what ends its lines. */
#include "csv/feed.h"

#include <strings.h>

size_t dn_csv_sep_len(const uint8_t *text, size_t len, uint8_t *out_delimiter)
{
    const size_t quoted = len > 0 && text[0] == '"';
    const size_t at = quoted + 4;
    size_t n = at + 1;

    if (len < n || strncasecmp((const char *)text + quoted, "sep=", 4) != 0 ||
        strchr(" ,;|:\t", text[at]) == NULL || text[at] == '\0' ||
        (quoted == 1 && (n == len || text[n] != '"'))) {
        return 0;
    }
    n += quoted;
    const size_t end = n;
    const bool two = len - n > 2 && memcmp(text + n, "\r\r\n", 3) == 0; /* one row end */
    n += two || (n < len && text[n] == '\r');
    n += two;
    n += n < len && text[n] == '\n';
    *out_delimiter = text[at];
    return n > end || n == len ? n : 0;
}

size_t dn_csv_bom_len(const uint8_t *text, size_t len)
{
    return len >= 3 && text[0] == 0xef && text[1] == 0xbb && text[2] == 0xbf ? 3 : 0;
}

/*
 * Files that are no UTF-8 text at all are better named than read.  Every mark holds a byte that no CSV in UTF-8 starts with,
 * or ten that none would, so that none is refused for its first column's name.  A '?' stands for a digit.
 */
#define LONGEST_MARK 10
#define PACKED_TWICE "it is packed twice: unpack it once, and this name is read"
static const struct {
    const char *mark;
    const char *what;
    const char *advice;
} other_formats[] = {
    {"\xff\xfe", "UTF-16 text", "leave the encoding out, or set it to utf-16"},
    {"\xfe\xff", "UTF-16 text", "leave the encoding out, or set it to utf-16"},
    {"BZh?1AY&SY", "bzip2", PACKED_TWICE},
    {"\x04\x22\x4d\x18", "lz4", "`lz4 -dc FILE | dativo-native convert - DST` reads it"},
    {"\x1f\x8b", "gzip", PACKED_TWICE},
    {"\x28\xb5\x2f\xfd", "zstd", PACKED_TWICE},
    {"\xfd\x37zXZ", "xz", PACKED_TWICE},
    {"PK\x03\x04", "a zip archive or a spreadsheet", "unpack it, or save the sheet as CSV"},
    {"PK\x05\x06", "an empty zip archive", "there is nothing in it"},
    {"\xd0\xcf\x11\xe0", "an old spreadsheet", "save its sheet as CSV"},
    {"PAR1\x15", "Parquet",
     "`dativo-native convert FILE DST` reads it from a file that is not packed; in a job set "
     "source_connector: parquet"},
};

static bool has_mark(struct dn_span text, const char *mark)
{
    const size_t len = strlen(mark);
    bool same = text.len >= len;

    for (size_t i = 0; same && i < len; i++) {
        same = mark[i] == '?' ? text.data[i] >= '0' && text.data[i] <= '9'
                              : text.data[i] == (uint8_t)mark[i];
    }
    return same;
}

static enum dn_status check_encoding(const struct dn_csv_feed *f, struct dn_error *err)
{
    const struct dn_span held = dn_csv_feed_held(f);

    for (size_t i = 0; i < sizeof(other_formats) / sizeof(other_formats[0]); i++) {
        if (has_mark(held, other_formats[i].mark)) {
            char shown[DN_SHOWN_PATH_SIZE];
            dn_error_set(err, DN_ERR_UNSUPPORTED, "this is %s, not CSV in UTF-8: %s",
                         other_formats[i].what, other_formats[i].advice);
            dn_error_locate(err, dn_source_shown_path(shown, f->paths[f->file]), -1, 1, 0, NULL);
            return DN_ERR_UNSUPPORTED;
        }
    }
    return DN_OK;
}

static enum dn_status other_sep(const struct dn_csv_feed *f, uint8_t delimiter,
                                struct dn_error *err)
{
    char own[DN_ESCAPED_VALUE_SIZE];
    char used[DN_ESCAPED_VALUE_SIZE];
    uint8_t text[1 + sizeof f->dialect->rest] = {f->dialect->delimiter};

    memcpy(text + 1, f->dialect->rest, f->dialect->n_rest);
    (void)dn_error_escape_value(own, &delimiter, 1);
    (void)dn_error_escape_value(used, text, 1 + f->dialect->n_rest);
    dn_error_set(err, DN_ERR_DATA,
                 "its first line, sep= with %s, names another delimiter than %s, with which the "
                 "first file is read: read it by itself, or set the option delimiter, with which "
                 "all are read then",
                 own, used);
    dn_error_locate(err, NULL, -1, 1, 0, NULL);
    return DN_ERR_DATA;
}

/* Where lines are skipped, the first one counts as one of them. */
static enum dn_status drop_sep(struct dn_csv_feed *f, struct dn_error *err)
{
    uint8_t delimiter = 0;

    DN_TRY(dn_csv_feed_look(f, DN_CSV_SEP_MOST, err));
    const struct dn_span held = dn_csv_feed_held(f);
    const size_t n = dn_csv_sep_len(held.data, held.len, &delimiter);
    if (n == 0) {
        return DN_OK;
    }
    if (dn_csv_feed_is_further(f) && !f->delimiter_given &&
        (delimiter != f->dialect->delimiter || f->dialect->n_rest > 0)) {
        return other_sep(f, delimiter, err);
    }
    f->sep = delimiter;
    const bool by_cr = held.data[n - 1] == '\r' && !f->dialect->cr_ends_row;
    dn_csv_feed_drop(f, n);
    f->line += by_cr; /* of the first file nobody knows yet what ends lines */
    return DN_OK;
}

/* Do as many bytes stand in front of the rows, whether '\r' ends their lines or not? */
static bool have_same_front(const struct dn_csv_feed *f, struct dn_span head)
{
    struct dn_csv_dialect d = *f->dialect;
    int64_t n = f->skip_rows;
    const size_t len = dn_csv_lines_len(&d, head.data, head.len, true, &n);

    n = f->skip_rows;
    d.cr_ends_row = !d.cr_ends_row;
    return dn_csv_lines_len(&d, head.data, head.len, true, &n) == len;
}

#define FIRST_LOOK ((size_t)4 << 10)

/*
 * A file whose rows end with '\r' alone would be one row, where the first file has no such row ends: an error.  What its rows end with is
 * decided as it is for the first file, but a '\r' at the end of the file belongs to the last row's end either way.
 */
static enum dn_status check_row_ends(struct dn_csv_feed *f, struct dn_error *err)
{
    const bool end_rows = f->dialect->cr_ends_row;

    if (!dn_csv_feed_is_further(f) || (end_rows && f->skip_rows == 0)) {
        return DN_OK;
    }
    for (size_t wanted = FIRST_LOOK;; wanted *= 4) {
        DN_TRY(dn_csv_feed_look(f, wanted, err));
        struct dn_span head = dn_csv_feed_held(f);
        const bool enough = f->source_at_end || head.len >= DN_CSV_HEAD_BYTES;
        bool settled;
        head.len -= !end_rows && head.len > 0 && head.data[head.len - 1] == '\r';
        const enum dn_csv_cr cr =
            dn_csv_cr_ends_rows(f->dialect, head, dn_csv_feed_front(f), enough, &settled);
        if (cr == DN_CSV_CR_TEXT ||
            (end_rows && (cr == DN_CSV_CR_ENDS_LINES || have_same_front(f, head)))) {
            if (settled || enough) {
                return DN_OK;
            }
        } else if (enough) {
            dn_error_set(err, DN_ERR_DATA,
                         end_rows
                             ? "its rows end with carriage returns alone, and the lines in front "
                               "with line feeds: make all line ends the same, or read it by itself"
                             : "its rows end with carriage returns alone, which end none in the "
                               "first file: make all row ends the same, or read it by itself");
            dn_error_locate(err, NULL, -1, f->line, f->offset, NULL);
            return DN_ERR_DATA;
        }
    }
}

enum dn_status dn_csv_feed_check_front(struct dn_csv_feed *f, struct dn_error *err)
{
    DN_TRY(dn_csv_feed_look(f, LONGEST_MARK, err));
    DN_TRY(check_encoding(f, err));
    dn_csv_feed_drop(f, dn_csv_bom_len(dn_csv_feed_held(f).data, dn_csv_feed_held(f).len));
    if (f->skip_rows == 0) {
        DN_TRY(drop_sep(f, err));
    }
    return check_row_ends(f, err);
}
