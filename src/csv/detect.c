#include "csv/detect.h"

#include "base/memory.h"

#include <string.h>

/* Rows whose shape is looked at, and those whose values are. */
#define MAX_ROWS 4096
#define TYPED_ROWS 400
#define TYPED_FIELDS 1024
/* A guess with fewer regular rows than this share is none. */
#define LEAST_REGULAR 0.75
/* The second guess is so near the first. */
#define UNSURE 0.9
#define ONE_COLUMN_SCORE 0.02

static const struct {
    uint8_t byte;
    bool weak; /* often part of values: every row has to agree */
    double prior;
} delimiters[] = {
    {',', false, 1.0},    {';', false, 1.0}, {'\t', false, 1.0},
    {'|', false, 1.0},    {':', true, 0.6},  {'^', true, 0.9},
    {'\x01', false, 1.0}, {'~', true, 0.9},  {' ', true, 0.5},
};
#define N_DELIMITERS (sizeof(delimiters) / sizeof(delimiters[0]))

static const uint8_t quotes[] = {'"', '\'', 0};
static const uint8_t escapes[] = {0, '\\'};
static const char *const marks[] = {"", "#", "%", "//"};

/* ---- rows ---- */

/* Where a row begins, and how it was read. */
struct row {
    size_t start;
    size_t line;
    size_t n_fields;
};

struct text {
    const uint8_t *bytes;
    size_t len;
    bool cr_ends_row;
};

struct way {
    uint8_t delimiter;
    uint8_t quote;  /* 0: none */
    uint8_t escape; /* 0: none */
};

/* The text as it is read in one way. */
struct reading {
    const struct text *text;
    struct way way;
    const char *mark;
    struct row rows[MAX_ROWS];
    size_t n_rows;
    size_t n_quoted;
    size_t n_strays;
    size_t n_comments;
    bool open; /* the text ends inside quotes */
};

static bool ends_row(const struct text *t, uint8_t byte)
{
    return byte == '\n' || (byte == '\r' && t->cr_ends_row);
}

/* Behind the row end at `pos`. */
static size_t behind_row_end(const struct text *t, size_t pos)
{
    const bool pair = t->bytes[pos] == '\r' && pos + 1 < t->len && t->bytes[pos + 1] == '\n';
    return pos + 1 + pair;
}

static size_t line_end(const struct text *t, size_t pos)
{
    while (pos < t->len && !ends_row(t, t->bytes[pos])) {
        pos++;
    }
    return pos;
}

/* Does the byte at `pos` take the meaning from the one behind it? */
static bool escapes_next(const struct reading *r, size_t pos)
{
    return r->way.escape != 0 && r->text->bytes[pos] == r->way.escape && pos + 1 < r->text->len;
}

/* The end of the field that begins at `pos`: its delimiter, its row end, or the end of the text. */
static size_t field_end(const struct reading *r, size_t pos, size_t *line, bool *quoted,
                        size_t *strays, bool *open)
{
    const struct text *t = r->text;
    const uint8_t *s = t->bytes;

    *quoted = r->way.quote != 0 && pos < t->len && s[pos] == r->way.quote;
    *strays = 0;
    *open = false;
    if (*quoted) {
        for (pos++; pos < t->len; pos++) {
            if (escapes_next(r, pos)) {
                *line += ends_row(t, s[++pos]);
                continue;
            }
            *line += ends_row(t, s[pos]);
            if (s[pos] == r->way.quote) {
                if (pos + 1 >= t->len || s[pos + 1] != r->way.quote) {
                    break;
                }
                pos++;
            }
        }
        *open = pos >= t->len;
        pos += pos < t->len;
        if (pos + 1 < t->len && s[pos] == '\r' && s[pos + 1] == '\n') {
            pos++;
        }
    }
    for (; pos < t->len && s[pos] != r->way.delimiter && !ends_row(t, s[pos]); pos++) {
        *strays += *quoted || (r->way.quote != 0 && s[pos] == r->way.quote);
        if (escapes_next(r, pos)) {
            *line += ends_row(t, s[++pos]);
        }
    }
    return pos;
}

static bool begins_with(const struct text *t, size_t pos, const char *mark)
{
    const size_t n = strlen(mark);
    return n > 0 && t->len - pos >= n && memcmp(t->bytes + pos, mark, n) == 0;
}

/* Is the line at `pos` nothing but its row end? */
static bool is_blank(const struct text *t, size_t pos)
{
    return ends_row(t, t->bytes[pos]) ||
           (t->bytes[pos] == '\r' && pos + 1 < t->len && t->bytes[pos + 1] == '\n');
}

static void read_rows(struct reading *r, size_t pos, size_t line)
{
    const struct text *t = r->text;

    r->n_rows = r->n_quoted = r->n_strays = r->n_comments = 0;
    r->open = false;
    while (pos < t->len && r->n_rows < MAX_ROWS && !r->open) {
        const bool comment = begins_with(t, pos, r->mark);
        if (comment || is_blank(t, pos)) {
            r->n_comments += comment;
            pos = line_end(t, pos);
            pos = pos < t->len ? behind_row_end(t, pos) : pos;
            line++;
            continue;
        }
        struct row *row = &r->rows[r->n_rows++];
        *row = (struct row){pos, line, 0};
        for (bool more = true; more;) {
            bool quoted;
            size_t strays;
            pos = field_end(r, pos, &line, &quoted, &strays, &r->open);
            row->n_fields++;
            r->n_quoted += quoted && strays == 0;
            r->n_strays += quoted && strays > 0; /* elsewhere a quote is text */
            more = pos < t->len && t->bytes[pos] == r->way.delimiter;
            pos += more;
        }
        pos = pos < t->len ? behind_row_end(t, pos) : pos;
        line++;
    }
}

/* ---- values ---- */

enum kind {
    KIND_EMPTY,
    KIND_VALUE,
    KIND_QUOTED,
    KIND_TEXT,
    KIND_MIXED
};

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* Numbers, dates and times, however they are written: digits, and what stands between digits. */
static bool is_value(const uint8_t *s, size_t len)
{
    size_t n_digits = 0;

    for (size_t i = 0; i < len; i++) {
        const bool letter = s[i] == 'T' || s[i] == 'Z' || s[i] == 'e' || s[i] == 'E';
        if (is_digit(s[i])) {
            n_digits++;
        } else if (strchr("+-.,:/ TZeE%$", s[i]) == NULL || s[i] == 0 ||
                   (letter && (i == 0 || !(is_digit(s[i - 1]) || s[i - 1] == '.')))) {
            return false;
        }
    }
    return n_digits > 0 && (is_digit(s[len - 1]) || strchr("%Z.", s[len - 1]) != NULL) &&
           s[0] != ',' && s[0] != ':' && s[0] != '/';
}

static bool is_word(const uint8_t *s, size_t len, const char *word)
{
    if (strlen(word) != len) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if ((s[i] | 0x20) != (uint8_t)word[i]) {
            return false;
        }
    }
    return true;
}

static bool is_bool(const uint8_t *s, size_t len)
{
    return is_word(s, len, "true") || is_word(s, len, "false");
}

/* Text that a delimiter or a quote is part of is worse than other text, unless they are escaped. */
static bool is_clean(const uint8_t *s, size_t len, uint8_t escape)
{
    for (size_t i = 0; i < len; i++) {
        if (escape != 0 && s[i] == escape) {
            i++;
        } else if (s[i] == ',' || s[i] == ';' || s[i] == '\t' || s[i] == '|' || s[i] == '"' ||
                   s[i] == '\x01') {
            return false;
        }
    }
    return s[0] != '\'' || s[len - 1] != '\'';
}

static enum kind kind_of(const uint8_t *s, size_t len, bool quoted, size_t strays, uint8_t escape)
{
    if (quoted && strays == 0 && len >= 2) {
        s++;
        len -= 2;
    }
    while (len > 0 && *s == ' ') {
        s++;
        len--;
    }
    while (len > 0 && (s[len - 1] == ' ' || s[len - 1] == '\r')) {
        len--;
    }
    if (len == 0) {
        return KIND_EMPTY;
    }
    if (quoted && strays > 0) {
        return KIND_MIXED;
    }
    if (len <= 40 && (is_value(s, len) || is_bool(s, len))) {
        return KIND_VALUE;
    }
    return quoted ? KIND_QUOTED : is_clean(s, len, escape) ? KIND_TEXT : KIND_MIXED;
}

struct column {
    size_t n_values;
    size_t n_texts;
    enum kind first; /* of the first row */
    int64_t year;    /* or number of the first row, if it is a small one */
};

struct values {
    struct column columns[TYPED_FIELDS];
    size_t n_columns;
    double quality; /* of all of them, 0 to 1 */
};

static int64_t small_number(const uint8_t *s, size_t len)
{
    int64_t n = 0;

    for (size_t i = 0; i < len; i++) {
        if (!is_digit(s[i]) || len > 9) {
            return -1;
        }
        n = n * 10 + (s[i] - '0');
    }
    return len > 0 ? n : -1;
}

/* Look at the values of the rows with n_fields fields, of which rows[first] is the first. */
static void look_at_values(const struct reading *r, size_t first, size_t n_fields, struct values *v)
{
    static const double worth[] = {[KIND_EMPTY] = 0.9,
                                   [KIND_VALUE] = 1.0,
                                   [KIND_QUOTED] = 0.95,
                                   [KIND_TEXT] = 0.8,
                                   [KIND_MIXED] = 0.4};
    double sum = 0;
    size_t n = 0;

    v->n_columns = n_fields < TYPED_FIELDS ? n_fields : TYPED_FIELDS;
    memset(v->columns, 0, v->n_columns * sizeof(v->columns[0]));
    for (size_t i = first; i < r->n_rows && i < first + TYPED_ROWS; i++) {
        size_t pos = r->rows[i].start;
        for (size_t c = 0; r->rows[i].n_fields == n_fields && c < v->n_columns; c++) {
            bool quoted;
            bool open;
            size_t strays;
            size_t line = 0;
            const size_t end = field_end(r, pos, &line, &quoted, &strays, &open);
            const enum kind kind =
                kind_of(r->text->bytes + pos, end - pos, quoted, strays, r->way.escape);
            if (i == first) {
                v->columns[c].first = kind;
                v->columns[c].year = small_number(r->text->bytes + pos, end - pos);
            } else {
                v->columns[c].n_values += kind == KIND_VALUE;
                v->columns[c].n_texts += kind != KIND_VALUE && kind != KIND_EMPTY;
            }
            sum += worth[kind];
            n++;
            pos = end + 1;
        }
    }
    v->quality = n > 0 ? sum / (double)n : 0;
}

static bool is_typed(const struct column *c)
{
    return c->n_values > 0 && c->n_texts * 4 <= c->n_values;
}

/* Years and numbers that count up are names of columns: those of a table with a column per year. */
static bool counts_up(const struct values *v)
{
    size_t n = 0;
    int64_t last = -1;

    for (size_t c = 0; c < v->n_columns; c++) {
        if (v->columns[c].first != KIND_VALUE) {
            continue;
        }
        if (v->columns[c].year < 0 || (n > 0 && v->columns[c].year != last + 1)) {
            return false;
        }
        last = v->columns[c].year;
        n++;
    }
    return n >= 2 && n < v->n_columns;
}

/* Does the first row name the columns?  By default it does; values in it, of columns of values, say no. */
static bool has_header(const struct values *v, int *votes)
{
    *votes = 0;
    for (size_t c = 0; c < v->n_columns; c++) {
        const struct column *column = &v->columns[c];
        if (is_typed(column) && column->first != KIND_EMPTY) {
            *votes += column->first == KIND_VALUE ? -1 : 1;
        } else if (column->first == KIND_VALUE && column->n_texts == 0) {
            *votes -= 1; /* nothing below says otherwise */
        }
    }
    return *votes >= 0 || counts_up(v);
}

/* ---- ways to read ---- */

/* The shape that most rows have, and the first row of it: what stands in front is something else. */
static size_t find_shape(const struct reading *r, size_t *first)
{
    size_t best = 0;
    size_t best_n = 0;

    *first = 0;
    for (size_t i = 0; i < r->n_rows; i++) {
        const size_t k = r->rows[i].n_fields;
        size_t n = 0;
        if (k < 2 || k == best || (i > DN_CSV_DETECT_PREAMBLE && best_n > 0)) {
            continue;
        }
        for (size_t j = i; j < r->n_rows; j++) {
            n += r->rows[j].n_fields == k;
        }
        if (n > best_n) {
            best = k;
            best_n = n;
            *first = i;
        }
    }
    return best;
}

/* Is the last field empty of all rows from rows[first] on that have k? */
static bool end_with_delimiter(const struct reading *r, size_t first, size_t k)
{
    for (size_t i = first; i < r->n_rows; i++) {
        size_t pos = r->rows[i].start;
        size_t end = pos;
        for (size_t f = 0; r->rows[i].n_fields == k && f < k; f++) {
            bool quoted;
            bool open;
            size_t strays;
            size_t line = 0;
            pos = end + (f > 0);
            end = field_end(r, pos, &line, &quoted, &strays, &open);
        }
        if (end > pos && !(end == pos + 1 && r->text->bytes[pos] == '\r')) {
            return false;
        }
    }
    return true;
}

static bool is_time(const uint8_t *s, size_t len, size_t at)
{
    return at > 0 && at + 2 < len && is_digit(s[at - 1]) && is_digit(s[at + 1]) &&
           is_digit(s[at + 2]) && s[at + 1] < '6' && (at + 3 >= len || !is_digit(s[at + 3]));
}

/* Are the colons those of times and addresses? */
static bool has_times(const struct text *t)
{
    size_t n = 0;
    size_t n_times = 0;

    for (size_t i = 0; i < t->len; i++) {
        if (t->bytes[i] == ':') {
            n++;
            n_times += is_time(t->bytes, t->len, i) || (i + 1 < t->len && t->bytes[i + 1] == '/');
        }
    }
    return n_times * 2 > n;
}

static bool is_likely(const struct reading *r, const struct dn_csv_guess *g, bool weak, int votes)
{
    const double share = (double)g->n_regular / (double)g->n_rows;

    if (share < LEAST_REGULAR || g->skip_rows > DN_CSV_DETECT_PREAMBLE) {
        return false;
    }
    if (g->skip_rows > 0 && (g->n_rows < 3 || (votes <= 0 && g->n_fields < 3))) {
        return false; /* a few rows behind something else may be anything */
    }
    if (weak && (share < 1 || g->n_rows < 2 || (g->skip_rows > 0 && g->n_fields < 3))) {
        return false;
    }
    if (g->delimiter == ':' && has_times(r->text)) {
        return false;
    }
    return g->delimiter != ' ' || (g->n_rows > 2 && 2 * g->n_typed > g->n_fields);
}

static double score_of(const struct dn_csv_guess *g, const struct reading *r, double quality,
                       double prior)
{
    const double share = (double)g->n_regular / (double)g->n_rows;
    double score = share * share * quality * quality * (1 - 0.5 / (double)g->n_fields) * prior;

    if (g->n_strays > 0) {
        score *= 0.4 + 0.6 * (double)g->n_quoted / (double)(g->n_quoted + g->n_strays);
    }
    score *= r->open ? 0.3 : 1;
    score *= g->quote == 0 ? 0.7 : 1;
    score *= g->skip_rows > 0 ? 0.6 : 1;
    return score;
}

/* Everything that one look needs. */
struct look {
    struct text text;
    const struct dn_csv_known *known;
    size_t start; /* behind the lines that are known to be skipped */
    size_t line;
    struct reading plain; /* without a comment mark */
    struct reading marked;
    struct values values;
    int votes; /* of the last reading, for a header */
};

static void describe(struct look *l, const struct reading *r, size_t k, struct dn_csv_guess *g)
{
    *g = (struct dn_csv_guess){.delimiter = r->way.delimiter,
                               .quote = r->way.quote,
                               .escape = r->way.escape,
                               .skip_rows = (uint32_t)(r->n_rows > 0 ? r->rows[0].line : 0),
                               .n_fields = k,
                               .n_rows = r->n_rows,
                               .n_quoted = r->n_quoted,
                               .n_strays = r->n_strays,
                               .n_comments = r->n_comments};
    memcpy(g->comment, r->mark, strlen(r->mark));
    for (size_t i = 0; i < r->n_rows; i++) {
        g->n_regular += r->rows[i].n_fields == k;
    }
    look_at_values(r, 0, k, &l->values);
    for (size_t c = 0; c < l->values.n_columns; c++) {
        g->n_typed += is_typed(&l->values.columns[c]);
    }
    g->has_header = has_header(&l->values, &l->votes);
    if (l->known->header) {
        g->has_header = l->known->as.has_header;
        l->votes = 1;
    }
}

/* Lines in front of the first row that are neither blank nor comments: those are left out anyhow. */
static uint32_t lines_to_skip(const struct look *l, const struct reading *r, size_t until)
{
    const struct text *t = r->text;
    size_t pos = l->start;
    size_t line = l->line;
    bool any = false;

    while (pos < until) {
        any = any || !(is_blank(t, pos) || begins_with(t, pos, r->mark));
        pos = behind_row_end(t, line_end(t, pos));
        line++;
    }
    return (uint32_t)(any ? line : l->line);
}

/* Read the text in one way.  False: it makes no rows that anybody would want. */
static bool try_reading(struct look *l, struct reading *r, bool weak, double prior,
                        struct dn_csv_guess *g)
{
    size_t first = 0;

    r->text = &l->text;
    read_rows(r, l->start, l->line);
    const size_t k = find_shape(r, &first);
    if (r->n_rows == 0) {
        return false;
    }
    /* a header with a field less, above rows that end with a delimiter, is no line in front of them */
    const bool trailing = k >= 3 && first > 0 && r->rows[first - 1].n_fields + 1 == k &&
                          end_with_delimiter(r, first, k);
    first -= trailing;
    const size_t from = k >= 2 && !l->known->skip_rows ? r->rows[first].start : l->start;
    if (from > l->start) { /* what stands in front may hold quotes */
        const size_t n_comments = r->n_comments;
        read_rows(r, from, r->rows[first].line);
        r->n_comments = n_comments;
    }
    describe(l, r, k >= 2 ? k : 1, g);
    if (trailing) {
        g->n_fields--;
        g->n_regular++;
    }
    g->skip_rows = lines_to_skip(l, r, from);
    g->score = score_of(g, r, l->values.quality, prior);
    if (k < 2) {
        g->score *= ONE_COLUMN_SCORE;
        return r->way.delimiter == ',' || l->known->delimiter;
    }
    if (l->known->delimiter || is_likely(r, g, weak, l->votes)) {
        return true;
    }
    read_rows(r, l->start, l->line); /* what is usual is told even so */
    describe(l, r, r->rows[0].n_fields, g);
    g->skip_rows = (uint32_t)l->line;
    g->score = ONE_COLUMN_SCORE * score_of(g, r, l->values.quality, prior);
    return r->way.delimiter == ',';
}

/* Are the lines that begin with the mark something else than rows of n_fields fields? */
static bool marks_comments(const struct look *l, const struct reading *plain, const char *mark,
                           size_t n_fields)
{
    size_t n = 0;
    size_t n_rows = 0;
    bool spaced = true;

    for (size_t i = 0; i < plain->n_rows; i++) {
        const size_t pos = plain->rows[i].start;
        if (begins_with(&l->text, pos, mark)) {
            const size_t behind = pos + strlen(mark);
            n++;
            n_rows += plain->rows[i].n_fields == n_fields;
            spaced = spaced && (behind >= l->text.len || l->text.bytes[behind] == ' ');
        }
    }
    return n > 0 && (2 * n_rows < n || (spaced && l->votes > 0));
}

/* One byte is named as the mark: no row may begin with it. */
static bool has_half_marks(const struct reading *r)
{
    for (size_t i = 0; i < r->n_rows; i++) {
        if (r->text->bytes[r->rows[i].start] == (uint8_t)r->mark[0]) {
            return true;
        }
    }
    return false;
}

/*
 * Does every such byte stand in front of what needs it, a quote, a delimiter, a row end or itself?  Elsewhere it is text, which would be lost
 * if it were taken for an escape.
 */
static bool may_escape(const struct text *t, uint8_t escape, uint8_t delimiter, uint8_t quote)
{
    const uint8_t *end = t->bytes + t->len;
    const uint8_t *at = memchr(t->bytes, escape, t->len);
    bool any = false;

    for (; at != NULL; at = at + 2 < end ? memchr(at + 2, escape, (size_t)(end - at - 2)) : NULL) {
        const uint8_t next = at + 1 < end ? at[1] : escape;
        const bool needs = next == delimiter || (quote != 0 && next == quote);
        if (!needs && next != escape && next != '\n' && next != '\r') {
            return false;
        }
        any = any || needs;
    }
    return any;
}

/* The best way to read the text with one delimiter, quote and escape, if it is better than what was found. */
static void try_marks(struct look *l, const struct way *way, bool weak, double prior,
                      struct dn_csv_guess *best, bool *found)
{
    const struct dn_csv_known *known = l->known;

    for (size_t m = 0; m < sizeof(marks) / sizeof(marks[0]); m++) {
        const char *mark = known->comment ? known->as.comment : marks[m];
        struct reading *r = m == 0 ? &l->plain : &l->marked;
        struct dn_csv_guess g = {0};
        r->way = *way;
        r->mark = mark;
        if (known->comment && m > 0) {
            break;
        }
        bool good = try_reading(l, r, weak, prior, &g);
        if (m > 0) { /* the rows in front of the first may be such lines: read them again */
            good = good && g.n_comments > 0 && !has_half_marks(r);
            if (good) {
                read_rows(&l->plain, l->start, l->line);
                good = marks_comments(l, &l->plain, mark, g.n_fields);
            }
        }
        if (r->way.quote == '\'' && !known->quote && g.n_quoted == 0) {
            good = false; /* an apostrophe */
        }
        if (good && (!*found || g.score > best->score)) {
            *best = g;
            *found = true;
        }
    }
}

/* The best way to read the text with one delimiter. */
static bool try_delimiter(struct look *l, uint8_t delimiter, bool weak, double prior,
                          struct dn_csv_guess *best)
{
    const struct dn_csv_known *known = l->known;
    bool found = false;

    for (size_t q = 0; q < sizeof(quotes); q++) {
        const uint8_t quote = known->quote ? known->as.quote : quotes[q];
        const bool there = quote == 0 || memchr(l->text.bytes, quote, l->text.len) != NULL;
        if ((known->quote && q > 0) || quote == delimiter || (!there && q > 0)) {
            continue;
        }
        for (size_t e = 0; e < sizeof(escapes); e++) {
            const uint8_t escape = known->escape ? known->as.escape : escapes[e];
            if (e > 0 && (known->escape || escape == quote || escape == delimiter ||
                          !may_escape(&l->text, escape, delimiter, quote))) {
                continue;
            }
            const struct way way = {delimiter, quote, escape};
            try_marks(l, &way, weak, prior, best, &found);
        }
    }
    return found;
}

/* Whether '\r' alone ends rows, as the reader has it: there are some, and no '\n'. */
static bool find_cr(const uint8_t *text, size_t len)
{
    return len > 0 && memchr(text, '\n', len) == NULL && memchr(text, '\r', len) != NULL;
}

static void insert(struct dn_csv_guess out[DN_CSV_GUESSES], size_t *n, const struct dn_csv_guess *g)
{
    size_t at = *n;

    while (at > 0 && out[at - 1].score < g->score) {
        at--;
    }
    if (at >= DN_CSV_GUESSES) {
        return;
    }
    const size_t last = *n < DN_CSV_GUESSES ? *n : DN_CSV_GUESSES - 1;
    memmove(&out[at + 1], &out[at], (last - at) * sizeof(*out));
    out[at] = *g;
    *n = last + 1;
}

static void look_open(struct look *l, const uint8_t *text, size_t len, bool at_end,
                      const struct dn_csv_known *known)
{
    static const struct dn_csv_known nothing = {0};

    len = len < DN_CSV_DETECT_BYTES ? len : DN_CSV_DETECT_BYTES;
    l->known = known != NULL ? known : &nothing;
    l->text = (struct text){text, len, find_cr(text, len)};
    while (!at_end && l->text.len > 0 && !ends_row(&l->text, text[l->text.len - 1])) {
        l->text.len--;
    }
    while (l->known->skip_rows && l->line < l->known->as.skip_rows && l->start < l->text.len) {
        const size_t end = line_end(&l->text, l->start);
        l->start = end < l->text.len ? behind_row_end(&l->text, end) : end;
        l->line++;
    }
}

enum dn_status dn_csv_detect(const uint8_t *text, size_t len, bool at_end,
                             const struct dn_csv_known *known,
                             struct dn_csv_guess out[DN_CSV_GUESSES], size_t *n,
                             struct dn_error *err)
{
    struct look *l = dn_calloc(1, sizeof(*l));

    *n = 0;
    if (l == NULL) {
        return dn_error_memory(err, sizeof(*l));
    }
    look_open(l, text, len, at_end, known);
    for (size_t d = 0; d < N_DELIMITERS && l->text.len > 0; d++) {
        const bool given = l->known->delimiter;
        const uint8_t byte = given ? l->known->as.delimiter : delimiters[d].byte;
        struct dn_csv_guess g;
        if (given && d > 0) {
            break;
        }
        if ((given || byte == ',' || memchr(text, byte, l->text.len) != NULL) &&
            try_delimiter(l, byte, delimiters[d].weak, delimiters[d].prior, &g)) {
            insert(out, n, &g);
        }
    }
    dn_free(l);
    return DN_OK;
}

bool dn_csv_guess_is_unsure(const struct dn_csv_guess *guesses, size_t n)
{
    return n > 1 && guesses[1].score > UNSURE * guesses[0].score;
}
