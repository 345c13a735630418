/**
 * Types from texts: what the sampled values of a column are, which type holds them all, and the next wider type when a
 * later value does not fit.  The lattice:  bool | int64 | date | time | timestamp | timestamptz  <  float64, uint64 (int64 only),
 * nanoseconds (of times and timestamps)  <  decimal (numbers only)  <  string.
 */
#ifndef DN_CSV_INFER_H
#define DN_CSV_INFER_H

#include "csv/columns.h"
#include "csv/forms.h"
#include "csv/rows.h"

enum dn_csv_class {
    DN_CSV_INT = 1,     /**< an int64 that a double holds exactly */
    DN_CSV_BIG_INT = 2, /**< any other int64 */
    DN_CSV_FLOAT = 4,   /**< -0, which no int64 holds, among them */
    DN_CSV_SPECIAL = 8, /**< nan, inf */
    DN_CSV_BOOL = 16,
    DN_CSV_DATE = 32,
    DN_CSV_TIMESTAMP = 64,
    DN_CSV_TIMESTAMPTZ = 128,
    DN_CSV_TEXT = 256,
    DN_CSV_UINT = 512,      /**< a whole number beyond int64 that a uint64 holds */
    DN_CSV_TIME = 1024,     /**< HH:MM:SS[.f] */
    DN_CSV_NEGATIVE = 2048, /**< beside one of the first two */
    DN_CSV_LONG = 4096,     /**< a number, not whole, with digits that a float64 does not hold */
    DN_CSV_NANO = 8192,     /**< beside a time or timestamp: with nanoseconds */
    DN_CSV_FAR = 16384, /**< beside a timestamp: nanoseconds since 1970 would not fit an int64 */
    /* of values in forms of their own (csv/forms.h), instead of both */
    DN_CSV_INT_OR_BOOL = 32768,
    DN_CSV_INT_OR_DATE = 65536,
    DN_CSV_INT_OR_TIME = 131072,
    DN_CSV_INT_OR_TIMESTAMP = 262144
};
#define DN_CSV_INT_OR                                                                              \
    ((unsigned)(DN_CSV_INT_OR_BOOL | DN_CSV_INT_OR_DATE | DN_CSV_INT_OR_TIME |                     \
                DN_CSV_INT_OR_TIMESTAMP))

/** 2^53: every integer up to here is a double. */
#define DN_CSV_DOUBLE_EXACT ((int64_t)1 << 53)
/** Of microseconds, those that are nanoseconds as well. */
#define DN_CSV_MOST_US (INT64_MAX / 1000)

#define DN_CSV_MOST_DIGITS 255u /**< more are so many */

/** Widen `digits` to hold a number's text as well. */
void dn_csv_digits_add(struct dn_csv_digits *digits, const uint8_t *text, size_t len);

/** What was seen in one column. */
struct dn_csv_evidence {
    struct dn_csv_digits digits;      /**< of values that are numbers */
    unsigned unquoted;                /**< classes of unquoted values, or-ed */
    unsigned quoted;                  /**< classes of what quoted values hold */
    int64_t n_unquoted;               /**< or quoted because they had to be */
    int64_t n_quoted;                 /**< texts that mean null among them */
    bool first_bare;                  /**< the first value was unquoted */
    bool from_start;                  /**< the first value is the column's first one */
    bool quoted_text;                 /**< the option: quotes beside unquoted values say text */
    const struct dn_csv_forms *forms; /**< NULL: the usual ones */
    int64_t n_texts;                  /**< of both, those that only a string holds */
    bool any_text; /**< one of them makes the column a string, however few there are */
    bool unwanted; /**< nobody asks what the field holds: nothing is added */
};

/** Written as a whole number, of whatever size: digits, maybe behind a '-'.  The text is not empty. */
static inline bool dn_csv_is_whole(const uint8_t *text, size_t len)
{
    for (size_t i = text[0] == '-'; i < len; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
    }
    return true;
}

/** The class of one value's text (not empty, not null); DN_TEXT_PADDING bytes around it are readable. */
enum dn_csv_class dn_csv_classify(const uint8_t *text, size_t len);

/**
 * Floats that begin or end with their point, `.5`, `-.5`, `5.`, `5.e3`, and have no needless zeros; as dn_parse_float64_told().
 */
bool dn_csv_parse_bare_point(const uint8_t *text, size_t len, double *out, bool *rounded);

/** Add one field, as it is written. */
void dn_csv_evidence_add_value(struct dn_csv_evidence *e, const struct dn_csv_dialect *d,
                               const struct dn_csv_nulls *nulls, const uint8_t *text, size_t len);

/**
 * Add the values of one field of all rows (evidence.c).  After a text of an evidence with any_text, only what quotes say is added.
 */
void dn_csv_evidence_add_field(struct dn_csv_evidence *evidence, const struct dn_kernels *kernels,
                               size_t field, const struct dn_csv_rows *rows,
                               const struct dn_csv_dialect *d, const struct dn_csv_nulls *nulls);

/** Whether values of these classes, or-ed, are numbers that a decimal holds. */
bool dn_csv_fits_decimal(unsigned classes, struct dn_csv_digits digits);

/**
 * The narrowest type that holds values of these classes, or-ed; a string if there are none.  More classes never narrow it, but for one
 * case: numbers that are a string, because some are floats and some are whole and no doubles, are a decimal once one of them is long.
 * @param digits  of the numbers among them, for a decimal: of 38 digits in all, as many behind the point as there are
 */
struct dn_type dn_csv_type_of_classes(unsigned classes, struct dn_csv_digits digits);

/** The classes where numbers that a float64 does not hold are rounded to one. */
unsigned dn_csv_without_long(unsigned classes);

/** Texts that take not more than one value in so many of the sample may be mistakes. */
#define DN_CSV_FEW_TEXTS 100
/** Forget the texts of a column, if they are so few, and no more than `most`, and there are other values. */
void dn_csv_evidence_forgive(struct dn_csv_evidence *e, int64_t most);

/**
 * Quotes say text, in the way our own writer has it: the first value stands bare and every other one in quotes that it does not need.
 * All other quotes say nothing.
 */
static inline bool dn_csv_quotes_say_text(bool first_bare, int64_t n_unquoted, bool any_quoted)
{
    return first_bare && n_unquoted == 1 && any_quoted;
}

/**
 * Set type, how quotes are taken, unseen and unsettled of a column from its evidence; nothing seen gives a string.  column->rounds is
 * set.  Unsettled is a column that later values may yet make a string, since what was seen so far could be the beginning, or the
 * rest, of values whose quotes say text.
 */
void dn_csv_resolve(const struct dn_csv_evidence *evidence, struct dn_csv_column *column);

/** Whether text is a value of an inferred uint64, time, timestamp or decimal column: strictly, as what made the column one. */
bool dn_csv_is_inferred(struct dn_type type, const uint8_t *text, size_t len);

/** The type of a column if its sample, of which column->classes has some, had held one more field; quotes around it say nothing. */
struct dn_type dn_csv_type_with(const struct dn_csv_column *column, const struct dn_csv_dialect *d,
                                const struct dn_csv_nulls *nulls, const uint8_t *text, size_t len);

/** The narrowest type that holds the values of `type` and a value of `value_class`. */
struct dn_type dn_csv_widen(struct dn_type type, enum dn_csv_class value_class);

#endif
