/**
 * Rows as JSON records, straight from text and index: the tasks that read blocks render them, and no columns are made.  For callers that
 * want records and no values, where every column is a string.
 * Threads: as dativo/csv.h says of a reader; a list of records has one owner.
 */
#ifndef DN_CSV_RECORDS_H
#define DN_CSV_RECORDS_H

#include "base/buffer.h"
#include "dativo/csv.h"

/** Records of one block, in order.  Zeroed memory is an empty list. */
struct dn_csv_records {
    struct dn_buffer text; /**< `{...},` for each */
    struct dn_buffer ends; /**< of uint64_t, n_rows of them: where in `text` each ends */
    int64_t n_rows;
};

static inline uint64_t dn_csv_record_end(const struct dn_csv_records *records, int64_t row)
{
    return ((const uint64_t *)(const void *)records->ends.data)[row];
}
void dn_csv_records_finish(struct dn_csv_records *records);

/** Are the reader's rows nothing but texts and nulls, none of which is required, and is no row set aside? */
bool dn_csv_reader_can_render(const struct dn_csv_reader *r);
/**
 * Render from now on; before the first row is asked for, and only where that can be.
 * @param names    of the columns in the records, all different; copied
 * @param numbers  texts that dn_json_is_lossless_number() are numbers; else all are strings
 */
DN_NODISCARD enum dn_status dn_csv_reader_render(struct dn_csv_reader *r, const char *const *names,
                                                 bool numbers, struct dn_error *err);
/**
 * In place of dn_csv_reader_next(): the records of the next block, at least one; none at the end.  They are the caller's to finish.
 * Failures are those of dn_csv_reader_next(), at the same rows.
 */
DN_NODISCARD enum dn_status dn_csv_reader_next_records(struct dn_csv_reader *r,
                                                       struct dn_csv_records *out,
                                                       struct dn_error *err);

#endif
