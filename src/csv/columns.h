/** The columns of a reader: what the file has, what was asked for, and the type of each. */
#ifndef DN_CSV_COLUMNS_H
#define DN_CSV_COLUMNS_H

#include "arrow/schema.h"
#include "base/arena.h"
#include "csv/automaton.h"
#include "values/value_parse.h"

#include <string.h>

struct dn_csv_forms;

/** Digits that a decimal needs for numbers: before and behind the point, but for zeros at either end. */
struct dn_csv_digits {
    unsigned whole;
    unsigned behind;
};

struct dn_csv_column {
    const char *name;
    size_t
        field; /**< index of the field in a row; SIZE_MAX: the file has no such column, all null */
    struct dn_type type;
    enum dn_bytes_form form; /**< of binary */
    bool
        declared; /**< relaxed forms are read, and a value that does not fit is the user's to settle */
    bool
        rounds; /**< float64: digits that it does not hold are rounded away, and counted, as if it were declared */
    bool required; /**< a null is an error */
    bool
        through_quotes; /**< quoted fields are values of the type too; else they are text and do not fit */
    bool only_quoted;   /**< every sampled value was quoted: an unquoted one does not fit */
    bool unseen;        /**< inferred as a string because the sample has no value of it */
    bool mostly_quoted; /**< of the sampled values most were quoted: so they are tried first */
    bool
        unsettled; /**< inferred, but whether quotes say text in it later values may tell: see dn_csv_resolve() */
    const struct dn_csv_forms *forms; /**< NULL: the usual ones */
    bool formed;                      /**< they say how values of the type are written */
    unsigned classes;                 /**< of the sampled values, or-ed; 0: there is no sample */
    struct dn_csv_digits digits;      /**< of those that are numbers */
};

/** Texts that mean null: unquoted, and quoted where a value is looked for through the quotes. */
struct dn_csv_nulls {
    const char *const *texts;
    const size_t *lens;
    size_t n;
    bool any_value; /**< one of them reads as a value of some type but string */
    bool quoted;    /**< also quoted ones in columns of strings */
    bool bare_only; /**< quoted ones are texts everywhere */
};

static inline bool dn_csv_is_null_text(const struct dn_csv_nulls *nulls, const uint8_t *text,
                                       size_t len)
{
    for (size_t i = 0; i < nulls->n; i++) {
        if (nulls->lens[i] == len && memcmp(nulls->texts[i], text, len) == 0) {
            return true;
        }
    }
    return false;
}

/** Does a field hold escapes, so that its text is another one? */
static inline bool dn_csv_has_escape(const struct dn_csv_dialect *d, const uint8_t *field,
                                     size_t len)
{
    return d->has_escape && memchr(field, d->escape, len) != NULL;
}

/**
 * Text of a quoted field, field[0] being the opening quote.  Returns true if it is field[1, 1 + *out_len) as it stands;
 * false if an escape or text behind the closing quote makes a copy necessary: see dn_csv_text_of().
 */
bool dn_csv_quoted_simple(const struct dn_csv_dialect *d, const uint8_t *field, size_t len,
                          size_t *out_len);
/** Write the text of a field that is not empty to `out` (room for len bytes) and return its length. */
size_t dn_csv_text_of(const struct dn_csv_dialect *d, const uint8_t *field, size_t len,
                      uint8_t *out);

#endif
