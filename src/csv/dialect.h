/** The dialect of a file, from the options. */
#ifndef DN_CSV_DIALECT_H
#define DN_CSV_DIALECT_H

#include "base/error.h"
#include "csv/automaton.h"
#include "dativo/csv.h"

/** Which bytes mean what; DN_ERR_INVALID: two of them are the same, or one is none that can. */
DN_NODISCARD enum dn_status
dn_csv_dialect_read(struct dn_csv_dialect *d, const struct dn_csv_options *o, struct dn_error *err);

#endif
