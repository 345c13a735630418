/**
 * What looks like a wrong option: a file of another delimiter that is one column, names that are values, numbers and dates that stay
 * texts.  Each kind is said once, with the flag that helps, and changes nothing.
 */
#ifndef DN_CSV_ADVICE_H
#define DN_CSV_ADVICE_H

#include "csv/reader_internal.h"

/** Of the first file's text so much is kept, for advice behind an error. */
#define DN_CSV_ADVICE_HEAD ((size_t)16 << 10)

/** Keep the beginning of the first file, which stands at `head`. */
DN_NODISCARD enum dn_status dn_csv_advice_keep(struct dn_csv_reader *r, struct dn_span head,
                                               struct dn_error *err);
/** Say what there is to say, once columns and types are known. */
void dn_csv_advise(const struct dn_csv_reader *r);

/**
 * What would make the row buf[0, len) regular, which has another number of fields than the header: words that follow "; ".
 * @return false: nothing known
 */
bool dn_csv_ragged_advice(const struct dn_csv_reader *r, const uint8_t *row, size_t len,
                          size_t n_fields, char *out, size_t size);

#endif
