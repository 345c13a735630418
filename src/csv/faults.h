/**
 * Errors about a block's rows: each function fills `err` with message, row in the block (counted from 1), byte offset and
 * column, and returns its status.  Path, line and the row in the whole data are added when the error is handed out.
 */
#ifndef DN_CSV_FAULTS_H
#define DN_CSV_FAULTS_H

#include "csv/reader_internal.h"

/** A value that does not fit its column (DN_ERR_TYPE, with the narrowest type that would), or a null in a required one. */
enum dn_status dn_csv_describe_fault(const struct dn_csv_reader *r,
                                     const struct dn_csv_block *block,
                                     const struct dn_csv_rows *rows,
                                     const struct dn_csv_fault *fault, struct dn_error *err);

/** Does a value not fit its column because of quotes alone, around it or around the others, which later values may yet explain? */
bool dn_csv_fault_is_of_quotes(const struct dn_csv_reader *r, const struct dn_csv_block *block,
                               const struct dn_csv_rows *rows, const struct dn_csv_fault *fault);
/** The first value of the block that a float64 does not hold as it was written; no failure. */
void dn_csv_describe_rounded(const struct dn_csv_reader *r, const struct dn_csv_block *block,
                             const struct dn_csv_rows *rows,
                             const struct dn_csv_batch_memory *memory, struct dn_error *err);
/** A row has too few or too many fields.  advised: what may help is looked for, which takes as long as some thousand rows do. */
enum dn_status dn_csv_describe_ragged(const struct dn_csv_reader *r,
                                      const struct dn_csv_block *block,
                                      const struct dn_csv_rows *rows,
                                      const struct dn_csv_uneven_row *uneven, bool advised,
                                      struct dn_error *err);
#define DN_CSV_RAGGED_ADVICE_SIZE 320
/** The advice about such a row alone, to be put behind the message. */
void dn_csv_ragged_words(const struct dn_csv_reader *r, const uint8_t *row, size_t len,
                         size_t n_fields, char out[DN_CSV_RAGGED_ADVICE_SIZE]);
/** The byte at buf[pos] of row `row` does not begin a valid UTF-8 sequence. */
enum dn_status dn_csv_describe_utf8(const struct dn_csv_reader *r, const struct dn_csv_block *block,
                                    const struct dn_csv_rows *rows, size_t row, size_t pos,
                                    struct dn_error *err);
/** The file ends inside quotes; its last row begins at buf[row_start]. */
enum dn_status dn_csv_describe_open_quote(const struct dn_csv_reader *r,
                                          const struct dn_csv_block *block, size_t row_start,
                                          struct dn_error *err);
/** A stray quote or text at buf[pos], with the option strict. */
enum dn_status dn_csv_describe_stray(const struct dn_csv_reader *r,
                                     const struct dn_csv_block *block,
                                     const struct dn_csv_rows *rows, size_t row, size_t pos,
                                     struct dn_error *err);
/**
 * The first thing in buf[0, end) that is wrong and no value: invalid UTF-8 at `valid`, a stray at `stray` if the dialect is strict, or else a
 * field that is irregular.
 * @param n_good  out: the rows in front of it; SIZE_MAX, and DN_OK, if there is none
 */
enum dn_status dn_csv_describe_texts(const struct dn_csv_reader *r,
                                     const struct dn_csv_block *block,
                                     const struct dn_csv_rows *rows,
                                     const struct dn_csv_index *index, size_t end, size_t valid,
                                     size_t stray, size_t *n_good, struct dn_error *err);
/** The row behind the last good one, which begins at buf[row_start], is longer than somebody allows. */
enum dn_status dn_csv_describe_given_row(const struct dn_csv_reader *r,
                                         const struct dn_csv_block *block,
                                         const struct dn_csv_rows *rows, size_t row_start,
                                         struct dn_error *err);
/** A quoted field of row `row` that is read in a way that nobody may have meant: see struct dn_csv_index. */
enum dn_status dn_csv_describe_irregular(const struct dn_csv_reader *r,
                                         const struct dn_csv_block *block,
                                         const struct dn_csv_rows *rows, size_t row,
                                         const struct dn_csv_index *index, struct dn_error *err);
const char *dn_csv_irregular_words(const struct dn_csv_index *index);
/** The row that begins at buf[row_start] is longer than the feed allows. */
enum dn_status dn_csv_describe_long_row(const struct dn_csv_reader *r,
                                        const struct dn_csv_block *block, size_t row_start,
                                        struct dn_error *err);

#endif
