#include "csv/advice.h"

#include "csv/detect.h"
#include "csv/looks.h"

#include <stdio.h>

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

/* "FILE: column "x" and 2 more, as in 'v': ..." */
static void say(const struct dn_csv_reader *r, bool warning, const char *kind, const char *words)
{
    char message[1120];
    char shown[DN_SHOWN_PATH_SIZE];

    (void)snprintf(message, sizeof message, "%.300s: %s", dn_source_shown_path(shown, r->paths[0]),
                   words);
    r->advise(r->advise_ctx, warning, kind, message);
}

/* ---- how values look ---- */

static bool speaks_of(const struct dn_csv_reader *r, const struct dn_csv_column *c,
                      enum dn_csv_looks_kind kind)
{
    return c->field != SIZE_MAX && !c->declared && c->type.id == DN_TYPE_UTF8_VIEW &&
           dn_csv_looks_kind_of(&r->looks[c->field]) == kind;
}

static void advise_looks(const struct dn_csv_reader *r, enum dn_csv_looks_kind kind)
{
    const struct dn_csv_column *first = NULL;
    char value[DN_ESCAPED_VALUE_SIZE];
    char more[48] = "";
    char flags[DN_CSV_LOOKS_WORDS];
    char words[800];
    size_t n = 0;

    for (size_t c = 0; c < r->n_columns; c++) {
        if (speaks_of(r, &r->columns[c], kind)) {
            first = first == NULL ? &r->columns[c] : first;
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
    (void)snprintf(words, sizeof words, "column \"%.80s\"%s%s%s: %s", first->name, more,
                   l->sample_len > 0 ? ", as in " : "",
                   l->sample_len > 0
                       ? dn_error_escape_value(value, (const uint8_t *)l->sample, l->sample_len)
                       : "",
                   dn_csv_looks_words(l, flags));
    say(r, false, dn_csv_looks_kind_name(kind), words);
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

static size_t count_byte(struct dn_span text, uint8_t byte)
{
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++) {
        n += text.data[i] == byte;
    }
    return n;
}

/* Blanks around names, which values mostly have then as well. */
static bool advise_blanks(const struct dn_csv_reader *r)
{
    char value[DN_ESCAPED_VALUE_SIZE];
    char words[300];

    if (!r->has_header || r->trim ||
        (r->dialect.has_quote && count_byte(r->feed.header, r->dialect.quote) > 0)) {
        return false; /* in quotes they are meant */
    }
    for (size_t f = 0; f < r->n_fields; f++) {
        const char *name = r->field_names[f];
        const size_t len = strlen(name);
        if (len > 0 && (dn_csv_is_blank(name[0]) || dn_csv_is_blank(name[len - 1]))) {
            (void)snprintf(words, sizeof words,
                           "the name of a column, %s, has blanks around it; --trim takes them off "
                           "names and values (trim: true among the options of a job)",
                           dn_error_escape_value(value, (const uint8_t *)name, len));
            say(r, false, "blanks", words);
            return true;
        }
    }
    return false;
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

static bool begins_with(struct dn_span text, const char *mark)
{
    const size_t n = strlen(mark);
    return n > 0 && text.len >= n && memcmp(text.data, mark, n) == 0;
}

/* Nothing but a line, between rows that it is none of. */
static bool is_ruler(struct dn_span row)
{
    size_t n = 0;

    while (n < row.len && memchr("-=+| \r", row.data[n], 6) != NULL) {
        n++;
    }
    return n == row.len && n >= 3 && row.data[0] != '|' && row.data[0] != ' ';
}

/* What is saved under a name of CSV now and then. */
static bool advise_other_kind(const struct dn_csv_reader *r)
{
    static const char *const others[][2] = {
        {"<!DOCTYPE", "HTML"}, {"<!doctype", "HTML"}, {"<html", "HTML"}, {"<HTML", "HTML"},
        {"<?xml", "XML"},      {"{\"", "JSON"},       {"[{", "JSON"}};
    char words[80];

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (begins_with(r->head, others[i][0])) {
            (void)snprintf(words, sizeof words, "this looks like %s, and is read as CSV",
                           others[i][1]);
            say(r, true, "other_kind", words);
            return true;
        }
    }
    return false;
}

/* Is there any byte but the one given that is often a delimiter? */
static bool has_usual(struct dn_span text, uint8_t given)
{
    static const uint8_t bytes[] = {';', '\t', '|', ',', '^', '~', 1};

    for (size_t i = 0; i < sizeof(bytes); i++) {
        if (bytes[i] != given && memchr(text.data, bytes[i], text.len) != NULL) {
            return true;
        }
    }
    return false;
}

/* Rows below the first one of a single column, which has no usual delimiter, may have some. */
static void advise_shape(const struct dn_csv_reader *r, struct dn_span row)
{
    struct dn_csv_guess guesses[DN_CSV_GUESSES];
    char value[DN_ESCAPED_VALUE_SIZE];
    char flags[DN_CSV_DIALECT_WORDS_SIZE];
    char words[500];
    size_t n = 0;

    if (is_ruler(row)) {
        say(r, true, "one_column",
            "the first row is a line and names no columns; leave it out with --skip-rows 1 "
            "(engine.options.skip_rows in a job)");
        return;
    }
    if (!has_usual(r->head, r->dialect.delimiter) ||
        dn_csv_detect(r->head.data, r->head.len, r->head_is_whole, NULL, guesses, &n, NULL) !=
            DN_OK ||
        n == 0 || guesses[0].score < LEAST_SCORE || guesses[0].n_fields < 2 ||
        guesses[0].delimiter == r->dialect.delimiter || dn_csv_guess_is_unsure(guesses, n)) {
        return;
    }
    guesses[0].skip_rows += guesses[0].skip_rows > 0 ? (uint32_t)r->feed.skip_rows : 0;
    (void)snprintf(words, sizeof words,
                   "there is one column, %s, but with %s %zu of the first %zu rows have %zu fields",
                   dn_error_escape_value(value, row.data, row.len),
                   dn_csv_guess_flags(&guesses[0], flags), guesses[0].n_regular, guesses[0].n_rows,
                   guesses[0].n_fields);
    say(r, true, "one_column", words);
}

static void advise_delimiter(const struct dn_csv_reader *r)
{
    struct dn_span row = r->has_header ? r->feed.header : r->head;
    char value[DN_ESCAPED_VALUE_SIZE];
    char word[16];
    char words[400];

    if (advise_other_kind(r) || r->n_fields != 1 || row.len == 0) {
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
    advise_shape(r, row);
}

void dn_csv_advise(const struct dn_csv_reader *r)
{
    if (r->advise == NULL) {
        return;
    }
    advise_delimiter(r);
    advise_header(r);
    const bool blanks = advise_blanks(r);
    for (int kind = 0; r->looks != NULL && kind < DN_CSV_LOOKS_KINDS; kind++) {
        if (kind != DN_CSV_LOOKS_BLANKS || !blanks) {
            advise_looks(r, (enum dn_csv_looks_kind)kind);
        }
    }
}

/* ---- ragged rows ---- */

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

/* Does a carriage return stand alone in it, where rows end otherwise? */
static bool has_lone_cr(const struct dn_csv_reader *r, struct dn_span row)
{
    const size_t len = dn_csv_without_cr(&r->dialect, row.data, row.len);
    return !r->dialect.cr_ends_row && len > 0 && memchr(row.data, '\r', len) != NULL;
}

/* What of the best way to read the head differs from the way it is read. */
static bool guess_advice(const struct dn_csv_reader *r, const struct dn_csv_guess *g, char *out,
                         size_t size)
{
    char byte[8];

    if (g->skip_rows == 1 && g->delimiter == r->dialect.delimiter && r->n_fields > 1 &&
        r->n_fields + 1 == g->n_fields) {
        (void)snprintf(out, size,
                       "%zu of the first %zu rows have one field more than the header has names: "
                       "give all of them with the option header and leave that line out with the "
                       "option skip_rows %lld",
                       g->n_regular, g->n_rows, (long long)r->feed.skip_rows + 1);
        return true;
    }
    if (g->skip_rows > 0) {
        const bool one = g->skip_rows == 1;
        const bool other = g->delimiter != r->dialect.delimiter;
        (void)snprintf(out, size,
                       "the first %u line%s of the file %s something else than its rows: leave "
                       "%s out with the option skip_rows %lld%s%s",
                       g->skip_rows, one ? "" : "s", one ? "is" : "are", one ? "it" : "them",
                       (long long)r->feed.skip_rows + g->skip_rows,
                       other ? ", and set the option delimiter " : "",
                       other ? dn_csv_byte_word(g->delimiter, byte) : "");
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

/* Does the row end with a delimiter that makes a field too many of it? */
static bool ends_with_delimiter(const struct dn_csv_reader *r, struct dn_span row, size_t n_fields)
{
    const struct dn_csv_dialect *d = &r->dialect;
    const size_t len = dn_csv_without_cr(d, row.data, row.len);
    const size_t n = 1 + (size_t)d->n_rest;

    return n_fields == r->n_fields + 1 && len >= n && row.data[len - n] == d->delimiter &&
           memcmp(row.data + len - d->n_rest, d->rest, d->n_rest) == 0;
}

bool dn_csv_ragged_advice(const struct dn_csv_reader *r, const uint8_t *row, size_t len,
                          size_t n_fields, char *out, size_t size)
{
    const struct dn_span text = {row, len};
    struct dn_csv_guess guesses[DN_CSV_GUESSES];
    size_t n = 0;

    if (has_lone_cr(r, text)) {
        (void)snprintf(out, size,
                       "a carriage return stands alone in it, which ends no row where others end "
                       "with a line feed: make all row ends the same");
        return true;
    }
    if (other_delimiter(r, text, out, size)) {
        return true;
    }
    if (ends_with_delimiter(r, text, n_fields)) {
        (void)snprintf(
            out, size,
            "it ends with a delimiter, which is dropped where all rows do and the header "
            "does not: leave lines that are no rows out with the option skip_footer, or "
            "the option comment");
        return true;
    }
    if (is_ruler(text)) {
        (void)snprintf(out, size,
                       "if such lines are no rows, leave those that begin with %c out with the "
                       "option comment '%c'",
                       row[0], row[0]);
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
