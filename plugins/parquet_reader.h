/** The Parquet reader plugin's own parts: its options, and the columns of several files as one table. */
#ifndef DN_PLUGINS_PARQUET_READER_H
#define DN_PLUGINS_PARQUET_READER_H

#include "reader.h"

#include "arrow/nested.h"
#include "base/name_map.h"
#include "dativo/parquet.h"

#include <pthread.h>

#define PARQUET_READER_NAME "parquet_reader"
#define PARQUET_TYPE "parquet" /**< of a source, in configurations */

/** What a configuration asks for.  All texts live in it. */
struct parquet_read_settings {
    struct dn_parquet_read_options parquet;
    const char *const *columns; /**< the columns of the rows, in this order; NULL: the files' own */
    size_t n_columns;
    bool missing_as_null;
    const char *const *required;
    size_t n_required;
    const json_t *types; /**< column -> the type it is expected to have, or NULL */
    struct dn_reader_files files;
    int64_t chunk_rows;
};

extern const struct dn_shell_option parquet_reader_options[];
extern const size_t parquet_reader_n_options;

/** Read the configuration into settings for Level `level` (0 or 1: they differ in the rows of a batch). */
DN_NODISCARD enum dn_status parquet_read_settings_read(struct parquet_read_settings *s,
                                                       struct dn_shell_config *c, int level,
                                                       struct dn_error *err);

/** One column of the rows. */
struct parquet_column {
    int64_t place;          /**< among the columns of `files`; -1: they lack it */
    int64_t source;         /**< in the batches of the library; -1: the files lack it */
    struct dn_node missing; /**< if so, the type its nulls have */
    bool required;
};

/** The columns of all files together.  Zeroed memory is none. */
struct parquet_plan {
    struct ArrowSchema
        files; /**< what the library gives of every file; nullable if it is in one of them */
    struct ArrowSchema schema;  /**< of the rows */
    struct dn_name_map by_name; /**< the files' columns */
    struct dn_name_map rows_by_name;
    struct parquet_column *columns;
    size_t n_columns;
    size_t n_missing;
    struct dn_arena missing; /**< of those columns' nodes */
    const char **names;      /**< of the projection for the library, `n_names`; NULL: all columns */
    size_t n_names;
};
void parquet_plan_finish(struct parquet_plan *plan);
/** Take over the first file's schema, or check another one's against it; `all` are the files and `i` is the number of this one. */
DN_NODISCARD enum dn_status parquet_plan_add(struct parquet_plan *plan,
                                             const struct dn_reader_files *all, size_t i,
                                             struct ArrowSchema *schema, struct dn_error *err);
/** When all files were added: the columns that are asked for, and what is expected of them. */
DN_NODISCARD enum dn_status parquet_plan_make(struct parquet_plan *plan,
                                              const struct parquet_read_settings *s,
                                              struct dn_error *err);
/** A file that is opened once more has the columns it had. */
DN_NODISCARD enum dn_status parquet_plan_check(const struct parquet_plan *plan, const char *path,
                                               const struct ArrowSchema *schema,
                                               struct dn_error *err);
/**
 * Make a batch of the library one of the rows: put in the columns that are missing, and look for nulls where there must be none.
 * @param row  of the file, from 0, that the batch begins with
 */
DN_NODISCARD enum dn_status parquet_plan_apply(const struct parquet_plan *plan, const char *path,
                                               int64_t row, struct ArrowArray *batch,
                                               struct dn_error *err);

#endif
