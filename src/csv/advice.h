/**
 * What looks like a wrong option: a file of another delimiter that is one column, names that are values, numbers and dates that stay
 * texts.  Each kind is said once, with the flag that helps, and changes nothing.
 */
#ifndef DN_CSV_ADVICE_H
#define DN_CSV_ADVICE_H

#include "csv/reader_internal.h"

/** Of the first file's text so much is kept, for advice behind an error. */
#define DN_CSV_ADVICE_HEAD ((size_t)16 << 10)

/** How the first values of one field are written, as far as that says what they might be. */
struct dn_csv_looks {
    uint32_t n;         /**< values looked at */
    uint32_t n_quoted;  /**< between single quotes */
    uint32_t n_numbers; /**< digits, with commas, and points if those group them */
    uint32_t n_commas;  /**< of them with a comma */
    uint32_t
        n_other_comma;  /**< whose comma is no thousands separator: not three digits behind it */
    uint32_t n_points;  /**< with points that group digits, in front of a comma */
    uint32_t n_grouped; /**< with commas that group digits, in front of a point: 1,234.5 */
    uint32_t n_dates; /**< three numbers, day, month and year, between points, slashes or dashes */
    uint32_t n_day_first;   /**< of them that begin with a number above 12, */
    uint32_t n_month_first; /**< and those whose second number is above 12 */
    uint32_t n_year_first;
    uint8_t separator; /**< of dates; all have the same */
    uint8_t sample_len;
    char sample[22]; /**< the first value that tells */
};

/** Keep the beginning of the first file, which stands at `head`. */
DN_NODISCARD enum dn_status dn_csv_advice_keep(struct dn_csv_reader *r, struct dn_span head,
                                               struct dn_error *err);
/** Look at the first rows of the sample. */
DN_NODISCARD enum dn_status
dn_csv_advice_look(struct dn_csv_reader *r, const struct dn_csv_rows *rows, struct dn_error *err);
/** Say what there is to say, once columns and types are known. */
void dn_csv_advise(const struct dn_csv_reader *r);

/**
 * What would make the row buf[0, len) regular, which has another number of fields than the header: words that follow "; ".
 * @return false: nothing known
 */
bool dn_csv_ragged_advice(const struct dn_csv_reader *r, const uint8_t *row, size_t len, char *out,
                          size_t size);

#endif
