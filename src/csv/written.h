/** What has become of a file that is written, without a manifest's cost.  Threads: the writer's owner. */
#ifndef DN_CSV_WRITTEN_H
#define DN_CSV_WRITTEN_H

#include "dativo/csv.h"

/** Bytes of the file so far; behind dn_csv_writer_finish() all of them. */
uint64_t dn_csv_writer_size(const struct dn_csv_writer *w);

#endif
