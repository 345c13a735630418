/**
 * Job files: one YAML text that names a source, a target, connector recipes and an asset, read into a plan.
 *
 * Relative paths inside a job are relative to the current directory, as in the stock host.
 */
#ifndef DN_JOB_JOB_H
#define DN_JOB_JOB_H

#include "base/arena.h"
#include "job/asset.h"
#include "job/incremental.h"
#include "job/recipe.h"
#include "job/retry.h"
#include "job/tables.h"
#include "job/transfer.h"

/** A checked job.  Memory belongs to the plan. */
struct dn_plan {
    struct dn_arena arena;
    struct dn_yaml_doc job; /**< the files as they were read, to say where something stood */
    struct dn_recipe source_recipe;
    struct dn_recipe target_recipe;
    const char *job_path;
    const char
        *directory; /**< of the target, as the job or its recipe has it; s3://bucket[/prefix] */
    const struct dn_yaml_node *bucket_at; /**< where the bucket stands; NULL: in no file */
    bool bucket_of_recipe;                /**< in target_recipe, else in the job */
    const char *tenant_id;
    const char *environment; /**< NULL: none */
    const char *catalog;     /**< that is told nothing; memory of job; NULL: none */
    json_t
        *lake; /**< a table of a catalog as the target (job/lake.h); NULL: none, or not asked for */
    const char *table;       /**< the asset's name as a table name */
    const char *format;      /**< of the output: DN_FORMAT_PARQUET or another one */
    bool strict;             /**< schema_validation_mode */
    enum dn_missing missing; /**< missing_columns; the asset may have it, too */
    enum dn_event_level log_level;
    struct dn_incremental incremental;
    struct dn_retry_plan retry;
    struct dn_asset asset;
    struct dn_plugin_ref reader;
    struct dn_plugin_ref writer;
    struct dn_job_tables
        tables; /**< of a source of tables, each with configurations and output of its own */
    const char *
        absent_credentials; /**< a file that the recipe names, and that is not there; NULL: no such thing */
    json_t *reader_config; /**< of the first table, if there are tables */
    json_t *writer_config;
    json_t *matches;         /**< what each pattern of source.files stands for (job/sources.h) */
    const char *output_path; /**< job/layout.h */
    size_t n_left_out;       /**< files that were found, and are read already */
};

/**
 * Read a job file, its recipes and its asset, and check all of it.  No data is touched and no plugin is loaded.
 * @return DN_OK; DN_ERR_NOT_FOUND, DN_ERR_IO: a file; DN_ERR_CONFIG: what it says, with file, line and column;
 *         DN_ERR_UNSUPPORTED: legal, but this version cannot do it.
 */
DN_NODISCARD enum dn_status dn_plan_read(struct dn_plan *plan, const char *job_path,
                                         struct dn_error *err);
/**
 * The same for a caller that commits to catalogs: a job whose target is a table of one is no error but has `lake`, and runs only after
 * dn_lake_place().
 */
DN_NODISCARD enum dn_status dn_plan_read_with_catalogs(struct dn_plan *plan, const char *job_path,
                                                       struct dn_error *err);
/** Zeroed memory is accepted. */
void dn_plan_finish(struct dn_plan *plan);

/** The transfer that runs the plan, of several tables the first; it borrows from the plan. */
struct dn_transfer dn_plan_transfer(const struct dn_plan *plan);
/** The same with a table's configurations and output. */
void dn_plan_transfer_table(struct dn_transfer *t, const struct dn_job_table *table);

#endif
