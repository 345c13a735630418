/* Ways to read a text, in words. */
#include "csv/detect.h"

#include <stdio.h>

const char *dn_csv_byte_word(uint8_t byte, char out[8])
{
    if (byte == '\t') {
        return "tab";
    }
    (void)snprintf(out, 8,
                   byte == '\''                 ? "\"%c\""
                   : byte >= ' ' && byte < 0x7f ? "'%c'"
                                                : "$'\\x%02x'",
                   byte);
    return out;
}

static size_t append(char *out, size_t size, size_t at, const char *words)
{
    const int n = at < size ? snprintf(out + at, size - at, "%s", words) : 0;
    return at + (size_t)(n > 0 ? n : 0);
}

const char *dn_csv_guess_reason(const struct dn_csv_guess *g, char out[DN_CSV_REASON_SIZE])
{
    char part[96];
    const char *plural = g->n_fields == 1 ? "" : "s";
    size_t at = 0;

    if (g->n_regular == g->n_rows) {
        (void)snprintf(part, sizeof part, "%zu field%s in all %zu rows", g->n_fields, plural,
                       g->n_rows);
    } else {
        (void)snprintf(part, sizeof part, "%zu field%s in %zu of %zu rows", g->n_fields, plural,
                       g->n_regular, g->n_rows);
    }
    at = append(out, DN_CSV_REASON_SIZE, at, part);
    (void)snprintf(part, sizeof part, "; %zu column%s of numbers, dates or booleans", g->n_typed,
                   g->n_typed == 1 ? "" : "s");
    at = append(out, DN_CSV_REASON_SIZE, at, part);
    if (g->n_quoted > 0 || g->n_strays > 0) {
        (void)snprintf(part, sizeof part, "; %zu quoted field%s, %zu of text behind quotes",
                       g->n_quoted, g->n_quoted == 1 ? "" : "s", g->n_strays);
        at = append(out, DN_CSV_REASON_SIZE, at, part);
    }
    if (g->escape != 0) {
        at = append(out, DN_CSV_REASON_SIZE, at,
                    "; backslashes in front of quotes and delimiters alone");
    }
    if (g->skip_rows > 0) {
        (void)snprintf(part, sizeof part, "; %u line%s in front", g->skip_rows,
                       g->skip_rows == 1 ? "" : "s");
        at = append(out, DN_CSV_REASON_SIZE, at, part);
    }
    if (g->n_comments > 0) {
        (void)snprintf(part, sizeof part, "; %zu comment%s", g->n_comments,
                       g->n_comments == 1 ? "" : "s");
        at = append(out, DN_CSV_REASON_SIZE, at, part);
    }
    (void)append(out, DN_CSV_REASON_SIZE, at,
                 g->has_header ? "; the first row names the columns"
                               : "; the first row holds values");
    return out;
}

const char *dn_csv_guess_flags(const struct dn_csv_guess *g, char out[DN_CSV_DIALECT_WORDS_SIZE])
{
    char part[48];
    char byte[8];
    size_t at = 0;

    (void)snprintf(part, sizeof part, "--delimiter %s", dn_csv_byte_word(g->delimiter, byte));
    at = append(out, DN_CSV_DIALECT_WORDS_SIZE, at, part);
    if (g->quote != '"') {
        (void)snprintf(part, sizeof part, " --quote %s",
                       g->quote == 0 ? "''" : dn_csv_byte_word(g->quote, byte));
        at = append(out, DN_CSV_DIALECT_WORDS_SIZE, at, part);
    }
    if (g->escape != 0) {
        (void)snprintf(part, sizeof part, " --escape %s", dn_csv_byte_word(g->escape, byte));
        at = append(out, DN_CSV_DIALECT_WORDS_SIZE, at, part);
    }
    if (g->skip_rows > 0) {
        (void)snprintf(part, sizeof part, " --skip-rows %u", g->skip_rows);
        at = append(out, DN_CSV_DIALECT_WORDS_SIZE, at, part);
    }
    if (g->comment[0] != '\0') {
        (void)snprintf(part, sizeof part, " --comment '%c'", g->comment[0]);
        at = append(out, DN_CSV_DIALECT_WORDS_SIZE, at, part);
    }
    (void)append(out, DN_CSV_DIALECT_WORDS_SIZE, at, g->has_header ? "" : " --no-header");
    return out;
}
