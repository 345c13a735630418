/** An asset as a contract between the file and the table: what it asks of the reader, and what the rows owed it. */
#ifndef DN_JOB_CONTRACT_H
#define DN_JOB_CONTRACT_H

#include "job/transfer.h"

/** The engine.options object of a configuration, created where missing.  Borrowed; NULL if memory ran out. */
json_t *dn_contract_options(json_t *config);

/**
 * Write what the asset asks for into a reader's options.
 *
 * Strict: the asset's types are declared, its columns are the only ones and in its order, its required columns must hold
 * no null, and an optional column that the file lacks reads as nulls.  Warn: the asset's types are where the reader starts,
 * columns of the file beyond the asset are kept.
 *
 * @param config       Changed in place.
 * @param file_schema  [{"name",...}]: the columns the file has.
 * @param warnings     Incremented for every required column a warn-mode file lacks.
 * @return DN_OK; DN_ERR_CONFIG in strict mode: a required column is not in the file, or none at all.
 */
DN_NODISCARD enum dn_status dn_contract_apply(const struct dn_transfer *t, json_t *config,
                                              const json_t *file_schema, int64_t *warnings,
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
