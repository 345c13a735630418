/**
 * What dialect a text is written in, from its first bytes: every usual delimiter, quote, escape and comment mark is tried, and the ways to
 * read it are ranked by how regular the rows become.  Nothing is read with a guess unless somebody asked for one.
 */
#ifndef DN_CSV_DETECT_H
#define DN_CSV_DETECT_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Of a text so much is looked at. */
#define DN_CSV_DETECT_BYTES ((size_t)1 << 20)
/** Lines in front of the header that may be something else. */
#define DN_CSV_DETECT_PREAMBLE 50
/** Ways to read a text that are told. */
#define DN_CSV_GUESSES 6
#define DN_CSV_REASON_SIZE 240
#define DN_CSV_DIALECT_WORDS_SIZE 160

/** One way to read the text. */
struct dn_csv_guess {
    uint8_t delimiter;
    uint8_t quote;  /**< 0: none */
    uint8_t escape; /**< 0: none */
    char comment[3];
    uint32_t skip_rows; /**< lines in front of the header, or of the first row */
    bool has_header;
    size_t n_fields;
    size_t n_rows;     /**< looked at, comments and the lines in front aside */
    size_t n_regular;  /**< of them with n_fields fields */
    size_t n_typed;    /**< columns of numbers, dates, times and booleans */
    size_t n_quoted;   /**< fields in quotes, of which nothing is wrong */
    size_t n_strays;   /**< quotes where none should be */
    size_t n_comments; /**< lines that begin with the mark */
    double score;      /**< 0 to 1 */
};

/** What is known already; zero-initialised: nothing. */
struct dn_csv_known {
    bool delimiter;
    bool quote;
    bool escape;
    bool comment;
    bool skip_rows;
    bool header;
    struct dn_csv_guess as; /**< where the above are set: what they are */
};

/**
 * Rank the ways to read text[0, len), which begins a file; an incomplete row at its end is left out unless at_end.
 * @param known  NULL: nothing
 * @param n  how many there are, at least one: where no delimiter makes rows of it, that is one column; 0: there are no rows
 */
DN_NODISCARD enum dn_status dn_csv_detect(const uint8_t *text, size_t len, bool at_end,
                                          const struct dn_csv_known *known,
                                          struct dn_csv_guess out[DN_CSV_GUESSES], size_t *n,
                                          struct dn_error *err);

/** Are the first two of n so near each other that nobody should choose for the user? */
bool dn_csv_guess_is_unsure(const struct dn_csv_guess *guesses, size_t n);

/** Why: "4 fields in all 50 rows, 2 columns of numbers, dates or booleans, ...". */
const char *dn_csv_guess_reason(const struct dn_csv_guess *g, char out[DN_CSV_REASON_SIZE]);
/** As flags of the command line: "--delimiter ';' --skip-rows 3"; what is the default is left out, but for the delimiter. */
const char *dn_csv_guess_flags(const struct dn_csv_guess *g, char out[DN_CSV_DIALECT_WORDS_SIZE]);
/** A byte as a word of the command line: ',' in quotes, tab, '\x01'. */
const char *dn_csv_byte_word(uint8_t byte, char out[8]);

#endif
