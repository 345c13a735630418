/**
 * One transfer: what moves, through which plugins, and what the host watches over.  A job file becomes one of these
 * (dn_plan), and so does a `convert` command line.
 */
#ifndef DN_JOB_TRANSFER_H
#define DN_JOB_TRANSFER_H

#include "job/coltype.h"

#include "dativo/arrow.h"
#include "dativo/status.h"

#include <jansson.h>
#include <stdbool.h>

/** "file_format" of a writer's configuration. */
#define DN_FORMAT_PARQUET "parquet"
#define DN_FORMAT_CSV "csv"

/** How much an event matters.  Details are for log files, notes are worth a line on a terminal. */
enum dn_event_level {
    DN_EVENT_DEBUG = 0,
    DN_EVENT_DETAIL = 1,
    DN_EVENT_NOTE = 2,
    DN_EVENT_WARNING = 3,
    DN_EVENT_ERROR = 4
};

/** How far a transfer is; unknown totals are -1. */
struct dn_progress {
    double seconds;
    int64_t rows;
    int64_t bytes_in;
    int64_t bytes_total;
    uint64_t peak_rss_bytes;
};

/** Whoever talks to people.  Functions may be NULL and may be called from any thread. */
struct dn_events {
    void *ctx;
    /** `extra` is NULL or the inside of a JSON object for machine-readable logs. */
    void (*event)(void *ctx, enum dn_event_level level, const char *type, const char *message,
                  const char *extra);
    void (*progress)(void *ctx, const struct dn_progress *now);
    /** Non-zero: stop soon. */
    int (*cancelled)(void *ctx);
};

enum dn_asset_mode {
    DN_ASSET_NONE = 0,   /**< no asset: the types are the file's */
    DN_ASSET_STRICT = 1, /**< the asset is a contract: any value outside it ends the job */
    DN_ASSET_WARN = 2 /**< the asset is an expectation: deviations are kept, counted and reported */
};

/** What comes of a column that the asset has and the file has not. */
enum dn_missing {
    DN_MISSING_UNSAID = 0, /**< as DN_MISSING_WARN */
    DN_MISSING_WARN = 1,   /**< a warning; strict: nulls, unless it is required */
    DN_MISSING_ERROR = 2
};

/** A plugin to use.  path NULL: the built-in one; symbol NULL: its usual create function is not looked for. */
struct dn_plugin_ref {
    const char *path;
    const char *symbol;
};

/** Everything is borrowed for the duration of dn_transfer_run(). */
struct dn_transfer {
    struct dn_plugin_ref reader;
    struct dn_plugin_ref writer;
    const json_t *reader_config; /**< Level 0 reader configuration */
    const json_t
        *writer_config; /**< Level 0 writer configuration; NULL: rows are read, typed and dropped */
    const char *output_path; /**< final file name; NULL with writer_config NULL */
    bool make_directories;   /**< create the directories of output_path */
    bool overwrite;          /**< an existing output_path is replaced */
    bool allow_empty; /**< a source without rows makes an empty file; else it is DN_ERR_DATA */
    const char *
        cursor_field; /**< what is new by this column is read, and nothing is written if nothing is; NULL: everything */
    const char
        *piece; /**< token of the one piece that is read, by open_split(); NULL: everything */
    const json_t *
        piece_schema; /**< of a piece, [{"name","type","nullable"}]: what the rows of all of them have; a column may be nullable that is not so here */
    bool
        wants_schema; /**< the outcome has one, whatever else needs it: for 20,000 columns it takes 9 MB */
    enum dn_asset_mode mode;
    enum dn_missing missing;
    const struct dn_column *columns; /**< of the asset */
    size_t n_columns;
    uint32_t n_threads;             /**< 0: one per CPU */
    uint64_t memory_bytes;          /**< 0: the plugins' defaults */
    const struct dn_events *events; /**< may be NULL */
};

/** What happened.  Zero-initialise; finish with dn_outcome_finish(). */
struct dn_outcome {
    int64_t rows_in;
    int64_t rows_out;
    int64_t rows_rejected;
    int64_t
        warnings; /**< how often something was lost or changed, and said: columns, types, names */
    int64_t deviations; /**< from the asset, in warn mode: exit code 1 */
    int64_t restarts;   /**< how often the transfer started over */
    int64_t widened;    /**< columns that became wider than the sample said */
    int64_t files_in;
    int64_t files_out;
    int64_t bytes_in;
    int64_t bytes_out;
    double seconds;
    double cpu_seconds;
    uint64_t peak_rss_bytes;
    bool is_unchanged; /**< an incremental job that had nothing to read */
    char *last_value;  /**< of the cursor_field, as the reader says it; or NULL */
    char *cursor_type; /**< of the cursor_field in the source, if the reader says it; or NULL */
    char *output_path; /**< where the rows are, if not under the transfer's; or NULL */
    const char *refused_by; /**< whose configuration was refused: "source", "target", or NULL */
    json_t *
        schema; /**< [{"name","type","nulls"}] of the rows that were moved; NULL: nothing needed it */
    json_t *counters; /**< the reader's own counters, or NULL */
};
void dn_outcome_finish(struct dn_outcome *outcome);

/**
 * Read everything, write everything, commit.  Nothing is visible under output_path unless DN_OK is returned, and DN_OK
 * means that rows in = rows out + rejected was checked against both plugins' own counts.
 *
 * A value that does not fit an inferred type widens its column and starts the transfer again from the first row; of a piece it is an error.
 *
 * @param outcome  Zeroed by the caller; filled as far as the transfer came, on failure too.
 * Threads: any; one transfer uses n_threads threads of its own.
 */
DN_NODISCARD enum dn_status dn_transfer_run(const struct dn_transfer *t, struct dn_outcome *outcome,
                                            struct dn_error *err);

/**
 * The schema the reader infers, without reading on: [{"name","type","nullable"}].  A column that repeats an earlier one's
 * name has "unique_name", too: the name it is written under.
 * @param out  A new reference.
 */
DN_NODISCARD enum dn_status dn_transfer_schema(const struct dn_transfer *t, json_t **out,
                                               struct dn_error *err);

/**
 * What the reader sees in the source: dativo_reader_v1.explain().  DN_ERR_UNSUPPORTED: the reader has no such function.
 * @param what  "dialects", "sample" or "all"
 * @param out   A new reference.
 */
DN_NODISCARD enum dn_status dn_transfer_explain(const struct dn_transfer *t, const char *what,
                                                json_t **out, struct dn_error *err);

#endif
