#include "csv/advice.h"

#include "csv/detect.h"

#include <stdio.h>

/* Rows that are looked at, and how many of the values must look alike to be spoken of. */
#define LOOK_ROWS 200
#define LEAST_VALUES 1
/* A guess below this is none. */
#define LEAST_SCORE 0.05

enum dn_status dn_csv_advice_keep(struct dn_csv_reader *r, struct dn_span head,
                                  struct dn_error *err)
{
    const size_t n = head.len < DN_CSV_ADVICE_HEAD ? head.len : DN_CSV_ADVICE_HEAD;

    if (r->head.data != NULL || n == 0) {
        return DN_OK;
    }
    uint8_t *copy = dn_arena_alloc(&r->arena, n);
    if (copy == NULL) {
        return dn_error_memory(err, n);
    }
    memcpy(copy, head.data, n);
    r->head = (struct dn_span){copy, n};
    r->head_is_whole = n == head.len && r->feed.source_at_end;
    return DN_OK;
}

/* ---- how values look ---- */

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static size_t digits_at(const uint8_t *s, size_t len, size_t at)
{
    size_t n = 0;

    while (at + n < len && is_digit(s[at + n])) {
        n++;
    }
    return n;
}

/* 1,5  1.234,56  1,234  1,234.5 */
static void look_at_number(struct dn_csv_looks *l, const uint8_t *s, size_t len)
{
    size_t at = len > 0 && (s[0] == '-' || s[0] == '+');
    size_t n_commas = 0;
    size_t n_points = 0;
    size_t behind = digits_at(s, len, at);
    bool threes = behind >= 1 && behind <= 3; /* groups of three digits so far */
    bool comma_last = false;

    if (behind == 0) {
        return;
    }
    for (at += behind; at < len; at += behind) {
        if (s[at] != ',' && s[at] != '.') {
            return;
        }
        if ((n_commas > 0 || n_points > 0) && behind != 3) {
            return; /* what stood in front of this one is no group */
        }
        comma_last = s[at] == ',';
        n_commas += comma_last;
        n_points += !comma_last;
        behind = digits_at(s, len, ++at);
        if (behind == 0) {
            return;
        }
    }
    const bool ends_in_point = n_points == 1 && !comma_last;
    const bool ends_in_comma = n_commas == 1 && comma_last;
    if ((n_commas > 1 || (n_commas > 0 && ends_in_point)) &&
        (!threes || n_points > 1 || (comma_last && behind != 3))) {
        return;
    }
    l->n_numbers++;
    l->n_commas += n_commas > 0;
    l->n_grouped += n_commas > 1 || (n_commas > 0 && ends_in_point);
    l->n_points += ends_in_comma && n_points > 0;
    l->n_other_comma += ends_in_comma && (behind != 3 || n_points > 0 || !threes);
}

/* 31.01.2024  1/31/2024  2024/01/31  31-01-2024, and what may stand behind: a time */
static void look_at_date(struct dn_csv_looks *l, const uint8_t *s, size_t len)
{
    const size_t a = digits_at(s, len, 0);
    const uint8_t separator = a < len ? s[a] : 0;

    if ((separator != '.' && separator != '/' && separator != '-') || a == 0 || a > 4) {
        return;
    }
    const size_t b = digits_at(s, len, a + 1);
    if (b == 0 || b > 2 || a + b + 1 >= len || s[a + b + 1] != separator) {
        return;
    }
    const size_t c = digits_at(s, len, a + b + 2);
    if (a + b + c + 2 != len || (a == 4 ? c == 0 || c > 2 : a > 2 || c != 4) ||
        (l->n_dates > 0 && l->separator != separator)) {
        return;
    }
    const int first = a == 2 ? (s[0] - '0') * 10 + s[1] - '0' : s[0] - '0';
    const int second = b == 2 ? (s[a + 1] - '0') * 10 + s[a + 2] - '0' : s[a + 1] - '0';
    l->separator = separator;
    l->n_dates++;
    l->n_year_first += a == 4;
    l->n_day_first += a != 4 && first > 12;
    l->n_month_first += a != 4 && second > 12;
}

static void look_at_value(struct dn_csv_looks *l, const struct dn_csv_dialect *d, const uint8_t *s,
                          size_t len)
{
    const struct dn_csv_looks before = *l;
    size_t inner;

    if (len > 0 && d->has_quote && s[0] == d->quote) {
        if (!dn_csv_quoted_simple(d, s, len, &inner)) {
            inner = 0;
        }
        s++;
        len = inner;
    }
    if (len == 0) {
        return;
    }
    l->n++;
    l->n_quoted += len > 1 && s[0] == '\'' && s[len - 1] == '\'';
    look_at_number(l, s, len);
    look_at_date(l, s, len);
    if (l->sample_len == 0 && len < sizeof(l->sample) &&
        (l->n_commas > before.n_commas || l->n_dates > before.n_dates ||
         l->n_quoted > before.n_quoted)) {
        memcpy(l->sample, s, len);
        l->sample_len = (uint8_t)len;
    }
}

enum dn_status dn_csv_advice_look(struct dn_csv_reader *r, const struct dn_csv_rows *rows,
                                  struct dn_error *err)
{
    const size_t n_rows = rows->n_rows < LOOK_ROWS ? rows->n_rows : LOOK_ROWS;

    if (r->advise == NULL) {
        return DN_OK;
    }
    r->looks = dn_arena_alloc(&r->arena, r->n_fields * sizeof(*r->looks));
    if (r->looks == NULL) {
        return dn_error_memory(err, r->n_fields * sizeof(*r->looks));
    }
    memset(r->looks, 0,
           r->n_fields * sizeof(*r->looks)); /* of those that later files add nothing is seen */
    for (size_t f = 0; f < rows->n_fields - rows->trailing; f++) {
        struct dn_csv_looks *l = &r->looks[f];
        for (size_t row = 0; row < n_rows; row++) {
            const uint32_t start = dn_csv_field_start(rows, row, f);
            const uint32_t end = dn_csv_field_end(rows, row, f, start);
            if (dn_csv_is_null_text(&r->nulls, rows->buf + start, end - start)) {
                continue;
            }
            look_at_value(l, &r->dialect, rows->buf + start, end - start);
            if (l->n > 0 && l->n_quoted + l->n_numbers + l->n_dates == 0) {
                break; /* text like any other: most columns end here */
            }
        }
    }
    return DN_OK;
}

/* ---- what to say of them ---- */

enum looks_kind {
    LOOKS_QUOTED,
    LOOKS_NUMBERS,
    LOOKS_DATES,
    N_LOOKS
};

static const char *const k_kinds[] = {"single_quotes", "number_format", "date_format"};

static bool looks_so(const struct dn_csv_looks *l, enum looks_kind kind)
{
    switch (kind) {
    case LOOKS_QUOTED:
        return l->n >= LEAST_VALUES && l->n_quoted == l->n;
    case LOOKS_NUMBERS:
        return l->n_commas > 0 && l->n_numbers == l->n &&
               (l->n_grouped == 0 || l->n_other_comma == 0);
    case LOOKS_DATES:
        return l->n >= LEAST_VALUES && l->n_dates == l->n &&
               (l->n_day_first == 0 || l->n_month_first == 0) &&
               (l->n_year_first == 0 || l->n_year_first == l->n) &&
               !(l->separator == '-' && l->n_year_first > 0);
    case N_LOOKS:
    default:
        return false;
    }
}

/* The flags for numbers such as those of `l`. */
static const char *number_flags(const struct dn_csv_looks *l)
{
    return l->n_grouped > 0       ? "--thousands ',' reads such values as numbers"
           : l->n_points > 0      ? "--decimal ',' --thousands '.' reads such values as numbers"
           : l->n_other_comma > 0 ? "--decimal ',' reads such values as numbers"
                                  : "--decimal ',' reads such values as numbers if that is a "
                                    "decimal comma, --thousands ',' if it groups digits";
}

static void date_flags(const struct dn_csv_looks *l, char *out, size_t size)
{
    const char c = (char)l->separator;
    const bool unsure = l->n_day_first == 0 && l->n_month_first == 0 && c == '/';

    if (l->n_year_first > 0) {
        (void)snprintf(out, size, "--date-format '%%Y%c%%m%c%%d'", c, c);
    } else if (unsure) {
        (void)snprintf(out, size,
                       "--date-format '%%d/%%m/%%Y', or '%%m/%%d/%%Y' where the month comes "
                       "first,");
    } else if (l->n_month_first > 0) {
        (void)snprintf(out, size, "--date-format '%%m%c%%d%c%%Y'", c, c);
    } else {
        (void)snprintf(out, size, "--date-format '%%d%c%%m%c%%Y'", c, c);
    }
}

static void say_flags(const struct dn_csv_looks *l, enum looks_kind kind, char *out, size_t size)
{
    char dates[96];

    switch (kind) {
    case LOOKS_QUOTED:
        (void)snprintf(out, size,
                       "its values keep the single quotes around them; --quote \"'\" takes them "
                       "off (quote: \"'\" among the options of a job)");
        break;
    case LOOKS_NUMBERS:
        (void)snprintf(out, size, "its values are strings; %s (among the options of a job, too)",
                       number_flags(l));
        break;
    case LOOKS_DATES:
    case N_LOOKS:
    default:
        date_flags(l, dates, sizeof dates);
        (void)snprintf(out, size,
                       "its values are strings; %s reads such values as dates (date_format among "
                       "the options of a job)",
                       dates);
        break;
    }
}

/* "FILE: column "x" and 2 more, as in 'v': ..." */
static void say(const struct dn_csv_reader *r, bool warning, const char *kind, const char *words)
{
    char message[900];
    char shown[DN_SHOWN_PATH_SIZE];

    (void)snprintf(message, sizeof message, "%.300s: %s", dn_source_shown_path(shown, r->paths[0]),
                   words);
    r->advise(r->advise_ctx, warning, kind, message);
}

static void advise_looks(const struct dn_csv_reader *r, enum looks_kind kind)
{
    const struct dn_csv_column *first = NULL;
    char value[DN_ESCAPED_VALUE_SIZE];
    char more[48] = "";
    char flags[280];
    char words[700];
    size_t n = 0;

    for (size_t c = 0; c < r->n_columns; c++) {
        const struct dn_csv_column *column = &r->columns[c];
        if (column->field != SIZE_MAX && !column->declared &&
            column->type.id == DN_TYPE_UTF8_VIEW && looks_so(&r->looks[column->field], kind)) {
            first = first == NULL ? column : first;
            n++;
        }
    }
    if (first == NULL) {
        return;
    }
    const struct dn_csv_looks *l = &r->looks[first->field];
    if (n > 1) {
        (void)snprintf(more, sizeof more, " and %zu more", n - 1);
    }
    say_flags(l, kind, flags, sizeof flags);
    (void)snprintf(words, sizeof words, "column \"%.80s\"%s%s%s: ", first->name, more,
                   l->sample_len > 0 ? ", as in " : "",
                   l->sample_len > 0
                       ? dn_error_escape_value(value, (const uint8_t *)l->sample, l->sample_len)
                       : "");
    const size_t at = strlen(words);
    (void)snprintf(words + at, sizeof words - at, "%s", flags);
    say(r, false, k_kinds[kind], words);
}

/* ---- names that are values ---- */

static bool is_value(const char *name)
{
    uint8_t padded[64 + 64 + 64] = {0};
    const size_t len = strlen(name);

    if (len == 0 || len > 64) {
        return false;
    }
    memcpy(padded + 64, name, len);
    const enum dn_csv_class c = dn_csv_classify(padded + 64, len);
    return c != DN_CSV_TEXT && c != DN_CSV_SPECIAL;
}

static void advise_header(const struct dn_csv_reader *r)
{
    char value[DN_ESCAPED_VALUE_SIZE];
    char words[400];

    for (size_t f = 0; r->has_header && f < r->n_fields; f++) {
        if (!is_value(r->field_names[f])) {
            return;
        }
    }
    if (r->has_header) {
        (void)snprintf(words, sizeof words,
                       "the names of the columns look like values, the first is %s; if the first "
                       "row is a row like others, read it with --no-header (header: false among "
                       "the options of a job)",
                       dn_error_escape_value(value, (const uint8_t *)r->field_names[0],
                                             strlen(r->field_names[0])));
        say(r, false, "header_of_values", words);
    }
}

/* ---- one column ---- */

static const uint8_t k_usual[] = {';', '\t', '|', ','};

/* The text between fields of which `byte` is the first, quoted for a shell: all its runs are equally long. */
static const char *delimiter_word(struct dn_span row, uint8_t byte, char out[16])
{
    size_t length = 0;
    size_t run = 0;
    char one[8];

    for (size_t i = 0; i <= row.len; i++) {
        if (i < row.len && row.data[i] == byte) {
            run++;
        } else if (run > 0) {
            length = length == 0 || length == run ? run : 1;
            run = 0;
            if (length == 1) {
                break;
            }
        }
    }
    if (length < 2 || length > DN_CSV_DELIMITER_MOST || byte == '\t') {
        (void)snprintf(out, 16, "%s", dn_csv_byte_word(byte, one));
        return out;
    }
    out[0] = '\'';
    memset(out + 1, byte, length);
    memcpy(out + 1 + length, "'", 2);
    return out;
}

static void advise_delimiter(const struct dn_csv_reader *r)
{
    struct dn_span row = r->has_header ? r->feed.header : r->head;
    char value[DN_ESCAPED_VALUE_SIZE];
    char word[16];
    char words[400];

    if (r->n_fields != 1 || row.len == 0) {
        return;
    }
    if (!r->has_header) {
        const uint8_t *end = memchr(row.data, '\n', row.len);
        row.len = end != NULL ? (size_t)(end - row.data) : row.len;
    }
    for (size_t i = 0; i < sizeof(k_usual); i++) {
        if (k_usual[i] == r->dialect.delimiter || memchr(row.data, k_usual[i], row.len) == NULL) {
            continue;
        }
        if (row.data[0] == r->dialect.quote && r->dialect.has_quote) {
            return; /* it is quoted for that */
        }
        (void)snprintf(words, sizeof words,
                       "there is one column, %s; if its parts are columns, read it with "
                       "--delimiter %s (engine.options.delimiter in a job)",
                       dn_error_escape_value(value, row.data, row.len),
                       delimiter_word(row, k_usual[i], word));
        say(r, true, "one_column", words);
        return;
    }
}

void dn_csv_advise(const struct dn_csv_reader *r)
{
    if (r->advise == NULL) {
        return;
    }
    advise_delimiter(r);
    advise_header(r);
    for (int kind = 0; r->looks != NULL && kind < N_LOOKS; kind++) {
        advise_looks(r, (enum looks_kind)kind);
    }
}

/* ---- ragged rows ---- */

static size_t count_byte(struct dn_span text, uint8_t byte)
{
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++) {
        n += text.data[i] == byte;
    }
    return n;
}

/* A delimiter with which this row and the header would agree. */
static bool other_delimiter(const struct dn_csv_reader *r, struct dn_span row, char *out,
                            size_t size)
{
    for (size_t i = 0; r->has_header && i < sizeof(k_usual); i++) {
        const size_t n = count_byte(r->feed.header, k_usual[i]);
        char byte[8];
        if (k_usual[i] != r->dialect.delimiter && n > 0 && count_byte(row, k_usual[i]) == n) {
            const char *word = dn_csv_byte_word(k_usual[i], byte);
            (void)snprintf(out, size,
                           "with %s between fields both have %zu: set it with the option "
                           "delimiter %s",
                           word, n + 1, word);
            return true;
        }
    }
    return false;
}

static bool begins_with(struct dn_span text, const char *mark)
{
    const size_t n = strlen(mark);
    return n > 0 && text.len >= n && memcmp(text.data, mark, n) == 0;
}

/* What of the best way to read the head differs from the way it is read. */
static bool guess_advice(const struct dn_csv_reader *r, const struct dn_csv_guess *g, char *out,
                         size_t size)
{
    char byte[8];

    if (g->skip_rows > 0) {
        (void)snprintf(out, size,
                       "the first %u line%s of the file %s something else than its rows: leave "
                       "%s out with the option skip_rows %u",
                       g->skip_rows, g->skip_rows == 1 ? "" : "s", g->skip_rows == 1 ? "is" : "are",
                       g->skip_rows == 1 ? "it" : "them", g->skip_rows);
        return true;
    }
    if (g->delimiter != r->dialect.delimiter) {
        const char *word = dn_csv_byte_word(g->delimiter, byte);
        (void)snprintf(out, size,
                       "with %s between fields %zu of the first %zu rows have %zu: set it with the "
                       "option delimiter %s",
                       word, g->n_regular, g->n_rows, g->n_fields, word);
        return true;
    }
    if (g->quote != 0 && g->quote != r->dialect.quote) {
        const char *word = dn_csv_byte_word(g->quote, byte);
        (void)snprintf(out, size,
                       "with %s around fields %zu of the first %zu rows have %zu: set it with the "
                       "option quote %s",
                       word, g->n_regular, g->n_rows, g->n_fields, word);
        return true;
    }
    if (g->escape != 0 && !r->dialect.has_escape) {
        (void)snprintf(out, size,
                       "with backslashes as escapes %zu of the first %zu rows have %zu: set that "
                       "with the option escape '\\'",
                       g->n_regular, g->n_rows, g->n_fields);
        return true;
    }
    return false;
}

/* Does a line end with a backslash?  What is behind the last row end of the text is one. */
static bool has_cut_line(struct dn_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        const size_t left = text.len - i - 1;
        const uint8_t *next = text.data + i + 1;
        if (text.data[i] == '\\' &&
            (left == 0 || next[0] == '\n' || (next[0] == '\r' && (left == 1 || next[1] == '\n')))) {
            return true;
        }
    }
    return false;
}

bool dn_csv_ragged_advice(const struct dn_csv_reader *r, const uint8_t *row, size_t len, char *out,
                          size_t size)
{
    const struct dn_span text = {row, len};
    struct dn_csv_guess guesses[DN_CSV_GUESSES];
    size_t n = 0;

    if (other_delimiter(r, text, out, size)) {
        return true;
    }
    if (!r->dialect.has_escape && (has_cut_line(text) || has_cut_line(r->head))) {
        (void)snprintf(out, size,
                       "a line ends with a backslash; if that escapes the row end, name it with "
                       "the option escape '\\'");
        return true;
    }
    if (dn_csv_detect(r->head.data, r->head.len, r->head_is_whole, NULL, guesses, &n, NULL) !=
            DN_OK ||
        n == 0) {
        return false;
    }
    const bool sure = guesses[0].score >= LEAST_SCORE;
    const char *mark = sure && guesses[0].comment[0] != '\0' ? guesses[0].comment
                       : begins_with(text, "#") || begins_with(r->feed.header, "#") ? "#"
                                                                                    : "";
    if (begins_with(text, mark) || begins_with(r->feed.header, mark)) {
        (void)snprintf(out, size,
                       "if lines that begin with %s are comments, name that with the option "
                       "comment '%c'",
                       mark, mark[0]);
        return true;
    }
    return sure && !dn_csv_guess_is_unsure(guesses, n) && guess_advice(r, &guesses[0], out, size);
}
