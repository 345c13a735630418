/** Rows that the CSV reader sets aside: as a file, and as a stream of Arrow batches beside that of the rows. */
#ifndef DN_PLUGINS_CSV_READER_REJECTS_H
#define DN_PLUGINS_CSV_READER_REJECTS_H

#include "csv_reader.h"

/**
 * @param path  of the file, borrowed; NULL: none.  There may be a list of rejects under that name already, and nothing else.
 */
DN_NODISCARD enum dn_status csv_rejects_create(struct csv_rejects **out, const char *path,
                                               const struct dn_store_options *store,
                                               struct dn_error *err);
/** For struct dn_csv_options; failures are returned by the next call below. */
void csv_rejects_add(void *rejects, const struct dn_csv_reject *reject);
/** The failure of an earlier csv_rejects_add(), if there was one. */
DN_NODISCARD enum dn_status csv_rejects_check(const struct csv_rejects *r, struct dn_error *err);
/** At the end of the data: the file gets its name. */
DN_NODISCARD enum dn_status csv_rejects_end(struct csv_rejects *r, struct dn_error *err);
/** NULL is allowed; without csv_rejects_end() there is no file. */
void csv_rejects_destroy(struct csv_rejects *r);

/** "FILE, line 7: ..." of the first one; NULL if there was none. */
const char *csv_rejects_first(const struct csv_rejects *r);

/** Has somebody a stream of them? */
bool csv_rejects_streamed(const struct csv_rejects *r);

/** See struct dativo_rejects_v1. */
DN_NODISCARD enum dn_status csv_rejects_stream(struct csv_rejects *r, struct ArrowArrayStream *out,
                                               struct dn_error *err);

#endif
