/** Where the rows of a job are put below its directory or bucket. */
#ifndef DN_JOB_LAYOUT_H
#define DN_JOB_LAYOUT_H

#include "job/asset.h"
#include "job/recipe.h"

/**
 * {directory}/{domain}/{dataProduct}/{table}/[ingest_date=2024-01-31/]{table}_000000.{format}: partitions as target.partitioning has them,
 * else the recipe's partitioning_default.
 * @param out  Memory of the arena.
 * @return DN_OK; DN_ERR_UNSUPPORTED with the place: a partition that depends on the rows.
 */
DN_NODISCARD enum dn_status dn_layout_path(const char **out, struct dn_arena *arena,
                                           const char *directory, const struct dn_asset *asset,
                                           const char *table, const char *format,
                                           const struct dn_yaml_doc *job,
                                           const struct dn_recipe *target, struct dn_error *err);

/**
 * The name of a file beside it, for rows that an incremental run has read: "dir/t_20240131T100000123_000000.parquet" for
 * "dir/t_000000.parquet".
 * @param out  For dn_free().
 */
DN_NODISCARD enum dn_status dn_layout_part_path(const char *path, char **out, struct dn_error *err);

#endif
