/** Level 0 of the CSV reader where its cells become records as they are: texts made ahead of the host, which parses one meanwhile. */
#ifndef DN_PLUGINS_CSV_READER_RECORDS_H
#define DN_PLUGINS_CSV_READER_RECORDS_H

#include "csv_reader.h"

struct csv_records;

/**
 * Texts of chunk_rows records each, fewer in the last one.
 * @param reader  borrowed; dn_csv_reader_can_render() it, and nobody else asks it for rows from csv_records_next() on
 * @param schema  with distinct names, borrowed for as long
 */
DN_NODISCARD enum dn_status csv_records_create(struct csv_records **out,
                                               struct dn_csv_reader *reader,
                                               const struct ArrowSchema *schema, bool numbers,
                                               int64_t chunk_rows, struct dn_error *err);
/** The next text, for dn_shell_text_free(); NULL at the end.  A failure is for good, behind the texts in front of it. */
DN_NODISCARD enum dn_status csv_records_next(struct csv_records *t, const char **out,
                                             struct dn_error *err);
/** Before the reader is closed, which is stopped.  NULL is allowed. */
void csv_records_destroy(struct csv_records *t);

#endif
