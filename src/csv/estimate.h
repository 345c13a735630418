/** How many rows a source has, without reading it. */
#ifndef DN_CSV_ESTIMATE_H
#define DN_CSV_ESTIMATE_H

#include "dativo/csv.h"

/**
 * By the text that the rows of the sample take, which an open reader has looked at: exact where it saw all, within some percent where rows
 * are alike.  -1: unknown, as of pipes, of what is packed or transcoded, and where nothing was sampled.
 */
int64_t dn_csv_estimate_rows(const struct dn_csv_reader *r);

#endif
