/** The Parquet writer plugin's own parts: its options, where its files go, its handle. */
#ifndef DN_PLUGINS_PARQUET_WRITER_H
#define DN_PLUGINS_PARQUET_WRITER_H

#include "shell.h"

#include "arrow/schema.h"
#include "base/pool.h"
#include "dativo/parquet.h"
#include "json/records.h"

#include <time.h>

#define PARQUET_WRITER_NAME "parquet_writer"

/** Which existing files give way to a batch's. */
enum parquet_overwrite {
    PARQUET_OVERWRITE_EARLIER, /**< those older than the writer: what an earlier run left */
    PARQUET_OVERWRITE_NONE,
    PARQUET_OVERWRITE_ALL
};

/** What a configuration asks for.  All texts live in the configuration's arena or tree. */
struct parquet_settings {
    struct dn_parquet_options parquet;

    /* Level 0 only; Level 1 has parquet.overwrite */
    enum parquet_overwrite overwrite;
    const char *directory; /**< where the files of the batches go */
    const char *stem;      /**< file name without counter and ending */
    const char *file;      /**< output_base names one file: the first batch goes there; else NULL */
    struct dn_record_field *fields;
    int64_t n_fields;

    /* Level 1 only */
    const char *path;
};

extern const struct dn_shell_option parquet_writer_options[];
extern const size_t parquet_writer_n_options;

/** Read engine.options and file_format. */
DN_NODISCARD enum dn_status parquet_settings_read(struct parquet_settings *s,
                                                  struct dn_shell_config *c, struct dn_error *err);
/** Read "path", the final file name of Level 1. */
DN_NODISCARD enum dn_status parquet_settings_read_path(struct parquet_settings *s,
                                                       struct dn_shell_config *c,
                                                       struct dn_error *err);
/** Read asset name, schema and output_base, in either shape of the configuration. */
DN_NODISCARD enum dn_status parquet_settings_read_asset(struct parquet_settings *s,
                                                        struct dn_shell_config *c,
                                                        struct dn_error *err);

/**
 * The path of a batch's file: counter and, if unique > 0, a suffix no other process uses.  Written to b with a NUL.
 */
DN_NODISCARD enum dn_status parquet_file_path(struct dn_buffer *b, const struct parquet_settings *s,
                                              int64_t counter, unsigned unique,
                                              struct dn_error *err);
/** Fail unless files can be made in the directory, or the directory can be made: a folder is, and is removed. */
DN_NODISCARD enum dn_status parquet_check_directory(const char *directory, struct dn_error *err);

/** One open writer, of either level. */
struct parquet_handle {
    struct dn_shell_handle shell; /**< first: last_error() sees handles through it */
    struct dn_shell_config config;
    struct parquet_settings settings;

    /* Level 0 */
    struct dn_pool *pool; /**< made by the first batch, shared by all files */
    struct timespec created;
    int64_t next_counter;
    int64_t n_files;

    /* Level 1 */
    struct ArrowSchema schema;
    struct dn_parquet_writer *writer;
    bool finished;
    bool committed;
};

/** The tables of Level 1. */
extern const struct dativo_writer_v1 parquet_writer_v1;
extern const struct dativo_inspector_v1 parquet_inspector_v1;

#endif
