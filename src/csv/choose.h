/** The dialect of a reader whose options leave it to a look at the first file. */
#ifndef DN_CSV_CHOOSE_H
#define DN_CSV_CHOOSE_H

#include "csv/detect.h"
#include "csv/reader_internal.h"

/** The kind of the message that says how the files are read, of dn_csv_options.advise. */
#define DN_CSV_DIALECT_KIND "dialect"

/** Rank the ways to read the first file, which is open and of which nothing was handed out, by what the options leave open. */
DN_NODISCARD enum dn_status dn_csv_guess_dialect(struct dn_csv_reader *r,
                                                 const struct dn_csv_options *o,
                                                 struct dn_csv_guess out[DN_CSV_GUESSES], size_t *n,
                                                 struct dn_error *err);
/** Set what the options leave open, and say how.  DN_ERR_DATA: two ways are nearly as good as each other. */
DN_NODISCARD enum dn_status dn_csv_choose_dialect(struct dn_csv_reader *r,
                                                  const struct dn_csv_options *o,
                                                  struct dn_error *err);
/** What the options say of bytes and lines (reader.c). */
DN_NODISCARD enum dn_status
dn_csv_set_dialect(struct dn_csv_reader *r, const struct dn_csv_options *o, struct dn_error *err);

#endif
