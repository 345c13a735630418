/**
 * Rows that are set aside: what was wrong with each, in the order of the data, from the task that met them to the caller.
 */
#ifndef DN_CSV_ASIDE_H
#define DN_CSV_ASIDE_H

#include "csv/reader_internal.h"

/** May rows be set aside? */
bool dn_csv_aside_wanted(const struct dn_csv_reader *r);
/** How many values of a column may be wrong. */
int64_t dn_csv_aside_most(const struct dn_csv_reader *r);
/** How rows with another number of fields are treated, for dn_csv_rows_build(). */
void dn_csv_aside_shape(const struct dn_csv_reader *r, struct dn_csv_rows *rows);

/** Begin anew with a block. */
void dn_csv_aside_reset(struct dn_csv_aside *a);
void dn_csv_aside_finish(struct dn_csv_aside *a);

/** List the rows in front of buf[end] that dn_csv_rows_build() left out. */
DN_NODISCARD enum dn_status dn_csv_aside_uneven(struct dn_csv_aside *a,
                                                const struct dn_csv_reader *r,
                                                const struct dn_csv_block *block,
                                                const struct dn_csv_rows *rows, size_t end,
                                                struct dn_error *err);
/**
 * Leave out rows that are not UTF-8, and list them, if rows may be; in front of buf[end].
 * @param valid  out: the first byte that is wrong in a row that was not left out, or end
 */
DN_NODISCARD enum dn_status dn_csv_aside_invalid(struct dn_csv_aside *a,
                                                 const struct dn_csv_reader *r,
                                                 const struct dn_csv_block *block,
                                                 struct dn_csv_rows *rows,
                                                 const struct dn_csv_index *index, size_t end,
                                                 size_t *valid, struct dn_error *err);
/** Likewise rows with a quote or text astray.  *stray: in: the first one of the block; out: as above. */
DN_NODISCARD enum dn_status dn_csv_aside_strays(struct dn_csv_aside *a,
                                                const struct dn_csv_reader *r,
                                                const struct dn_csv_block *block,
                                                struct dn_csv_rows *rows, size_t end, size_t *stray,
                                                struct dn_error *err);
/**
 * Leave out the row of a fault, and list it.
 * @return DN_OK: *dropped says whether it was, or is for the caller to report
 */
DN_NODISCARD enum dn_status
dn_csv_aside_fault(struct dn_csv_aside *a, const struct dn_csv_reader *r,
                   const struct dn_csv_block *block, struct dn_csv_rows *rows,
                   const struct dn_csv_fault *fault, bool *dropped, struct dn_error *err);
/** Bring the list into the order of the data, tell rows and lines of the block, whose first_line is known, and forget what lies behind buf[end], where reading ends. */
void dn_csv_aside_settle(struct dn_csv_aside *a, const struct dn_csv_block *block,
                         const struct dn_csv_rows *rows, size_t end);
/** How many rows were left out up to the one that holds buf[start], that one too. */
int64_t dn_csv_aside_before(const struct dn_csv_aside *a, size_t start);

/** Give a block's rows to the caller, in order.  r->status is DN_ERR_DATA afterwards if they are too many. */
void dn_csv_aside_deliver(struct dn_csv_reader *r, const struct dn_csv_slot *slot);
/**
 * A block's batch is taken, before which there are `before` rows: remember which rows it lacks, for dn_csv_reader_number_rows().  The list
 * is empty afterwards.
 */
void dn_csv_aside_take(struct dn_csv_reader *r, struct dn_csv_aside *a, int64_t before);
/** At the end of the data: are they too many of all? */
DN_NODISCARD enum dn_status dn_csv_aside_check_share(struct dn_csv_reader *r);

#endif
