/** An asset as a contract between the file and the table: what it asks of the reader, and what the rows owed it. */
#ifndef DN_JOB_CONTRACT_H
#define DN_JOB_CONTRACT_H

#include "job/transfer.h"

/** "warn" or "error"; false: it is neither. */
bool dn_contract_missing(const char *text, enum dn_missing *out);

/** The engine.options object of a configuration, created where missing.  Borrowed; NULL if memory ran out. */
json_t *dn_contract_options(json_t *config);

/**
 * Write what the asset asks for into a reader's options.
 *
 * Strict: the asset's types are declared, its columns are the only ones and in its order, its required columns must hold
 * no null, and an optional column that the file lacks reads as nulls.  Warn: the asset's types are where the reader starts,
 * columns of the file beyond the asset are kept.
 *
 * @param config       As the user has it: its option `columns` is a wish.  Changed in place, so only once.
 * @param file_schema  [{"name",...}]: the columns the file has.
 * @param deviations   Incremented for every required column a warn-mode file lacks.
 * What is lost is told as a warning: a column that the file lacks, with the columns of the file that the asset does not have
 * (one of them may be the same under another name), and, in strict mode, those that are left out.
 *
 * @return DN_OK; DN_ERR_CONFIG: a column is not in the file, and it is required in strict mode or t->missing asks for an error;
 *         or, in strict mode, the file has none of the asset's columns, or the option `columns` leaves one of them out.
 */
DN_NODISCARD enum dn_status dn_contract_apply(const struct dn_transfer *t, json_t *config,
                                              const json_t *file_schema, int64_t *deviations,
                                              struct dn_error *err);

/**
 * After the rows have moved: in warn mode, count and report the columns that are not what the asset says.
 * @param schema  [{"name","type","nulls"}] of the rows.
 * @return The number of deviations: columns of another type, and nulls in required columns.
 */
int64_t dn_contract_review(const struct dn_transfer *t, const json_t *schema);

/**
 * In strict mode: whether the reader does what it was asked for, columns, order and types.  A stranger's reader might not.
 * @param config  After dn_contract_apply().
 * @return DN_OK; DN_ERR_UNSUPPORTED with the first difference.
 */
DN_NODISCARD enum dn_status dn_contract_verify(const struct dn_transfer *t, json_t *config,
                                               const struct ArrowSchema *schema,
                                               struct dn_error *err);

/** Clear the nullable flag of the required columns, in strict mode. */
void dn_contract_require(const struct dn_transfer *t, struct ArrowSchema *schema);

#endif
