/**
 * Parquet writing from Arrow record batches, reading into them, looking into Parquet files, and holding them against the specification.
 *
 * The bytes of a file depend only on the rows, the schema and the options: not on how the rows were cut into batches, on
 * the number of threads, or on the CPU.  Nothing is visible under the final name before dn_parquet_commit().
 */
#ifndef DATIVO_PARQUET_H
#define DATIVO_PARQUET_H

#include "arrow.h"
#include "status.h"
#include "store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Whether a file has the Arrow schema it was written with, under the key ARROW:schema of its footer, as Arrow's readers expect it. */
enum dn_parquet_arrow_schema {
    /** If it says what Parquet's types do not: durations, intervals, zones, large layouts, lists of one length, dictionaries, extension
     *  types, metadata of columns.  Views count as strings, binary and lists, runs as their values. */
    DN_PARQUET_ARROW_SCHEMA_AUTO = 0,
    DN_PARQUET_ARROW_SCHEMA_ALWAYS, /**< exactly as it is, views and all */
    DN_PARQUET_ARROW_SCHEMA_NEVER
};
/** What becomes of intervals. */
enum dn_parquet_intervals {
    DN_PARQUET_INTERVALS_ISO8601 = 0, /**< strings, as P1M2DT0.5S: every value, exactly, for every reader */
    /** INTERVAL: months, days and milliseconds; an error if one is negative or a millisecond is not whole. */
    DN_PARQUET_INTERVALS_PARQUET
};

/** Zero-initialise, then set what differs. */
struct dn_parquet_options {
    uint32_t struct_size;    /**< sizeof(struct dn_parquet_options) */
    bool overwrite;          /**< replace an existing file at commit */
    const char *compression; /**< none snappy gzip zstd lz4_raw brotli, with ":LEVEL"; NULL: "snappy" */
    int64_t row_group_rows;  /**< 0: 1,000,000 */
    /**
     * A row group also ends after the first row with which its values have this many bytes in Parquet's PLAIN encoding: 4 or 8
     * per number, 1 per boolean, 4 and the text per string, an eighth per null, and 2 per entry of a nested column's leaf.  0: 128 MiB;
     * at most half the memory budget.
     */
    size_t row_group_bytes;
    int64_t page_rows; /**< 0: 20,000 */
    size_t page_bytes; /**< 0: 1 MiB */
    /** 0: 256 MiB.  append() blocks while more is in flight, and packed pages that there is no room for wait in a temporary file. */
    uint64_t memory_budget_bytes;
    /** Threads that encode; 0: one per CPU; ignored if submit is set.  One more only waits for the disk. */
    uint32_t n_threads;
    void *submit_ctx; /**< threads of the caller: see dativo_host.submit in plugin.h */
    int32_t (*submit)(void *ctx, void (*fn)(void *arg), void *arg);
    /** A budget of the user's of which memory_budget_bytes is a share, for messages; 0: none. */
    uint64_t memory_total_bytes;
    /**
     * finish() reads the finished file back and compares every value, in order, with those that came in, by a checksum per column that
     * is kept while they do.  A file that differs is never committed: DN_ERR_INTERNAL names column and row group.
     */
    bool verify;
    int32_t (*cancelled)(void *ctx); /**< asked while that goes on; non-zero: DN_ERR_CANCELLED */
    void *cancel_ctx;
    /** What the connection says, copied; NULL: nothing. */
    const struct dn_store_options *store;
    uint32_t arrow_schema; /**< enum dn_parquet_arrow_schema */
    uint32_t intervals;    /**< enum dn_parquet_intervals */
    /**
     * Numbers of fields: of a column, then of what is within it (fields of structs, items of lists, keys and values of maps), and so on;
     * -1: none.  NULL: those of the metadata, PARQUET:field_id.
     */
    const int32_t *field_ids;
    size_t n_field_ids;
    bool field_ids_auto; /**< number all fields in that order, from 1 on */
};

/** The least struct_size that is taken, that of version 0.1: members behind what it covers are as if they were zero. */
#define DN_PARQUET_OPTIONS_V0_1_SIZE DN_SIZE_THROUGH(struct dn_parquet_options, submit)

/**
 * The first failure of append, finish or commit is for good, a call out of order among them: every later one returns it again, and
 * no file appears any more.
 */
struct dn_parquet_writer;

/** Create the temporary file, or begin s3://bucket/key, and check schema and options.  `schema` is a struct schema, borrowed. */
DN_API DN_NODISCARD enum dn_status dn_parquet_writer_open(struct dn_parquet_writer **out, const char *path,
                                                          const struct ArrowSchema *schema,
                                                          const struct dn_parquet_options *options,
                                                          struct dn_error *err);
/**
 * Append one batch.
 * @param batch  struct array of the schema given to open(), any offset.  Moved: w releases it, on success and on failure,
 *               perhaps later and on another thread.
 * @return DN_OK; DN_ERR_DATA a null in a non-nullable column; DN_ERR_IO and others.
 */
DN_API DN_NODISCARD enum dn_status dn_parquet_append(struct dn_parquet_writer *w, struct ArrowArray *batch,
                                                     struct dn_error *err);
/** Encode the rest, write the footer, make the temporary file durable. */
DN_API DN_NODISCARD enum dn_status dn_parquet_finish(struct dn_parquet_writer *w, struct dn_error *err);
/** Rename to the final name. After dn_parquet_finish() only. */
DN_API DN_NODISCARD enum dn_status dn_parquet_commit(struct dn_parquet_writer *w, struct dn_error *err);
/**
 * After finish(): [{"path","size_bytes","record_count","columns":[{"name","min","max","null_count"}]}]; free with
 * dn_parquet_free().  Bounds are numbers, true and false, or texts (ISO 8601; strings cut at 64 bytes, a cut maximum raised); null
 * where there are none: no values, a NaN among them, or a text that has no larger one of 64 bytes.
 */
DN_API DN_NODISCARD enum dn_status dn_parquet_manifest(struct dn_parquet_writer *w, char **out_json,
                                                       struct dn_error *err);
/** Free; without a commit the temporary file is removed.  NULL is allowed. */
DN_API void dn_parquet_close(struct dn_parquet_writer *w);

/**
 * Describe a file: {"format":"parquet","path","size_bytes","record_count","created_by","schema":[{"name","type",
 * "physical_type","logical_type","nullable"}],"row_groups":[{"rows","bytes","columns":[{"name","codec","encodings",
 * "compressed_bytes","uncompressed_bytes","null_count","min","max"}]}]}, and with n_rows > 0 also "rows":[{...}], the first
 * n_rows rows (at most 1,000,000).  "bytes" of a row group are those in the file.  What a file does not say is null.  Rows are
 * read of flat columns, of every encoding and page version, in every codec of the writer; page checksums are verified.
 *
 * Strictly RFC 8259: integers within int64 and finite floats are numbers; larger integers, decimals, "NaN", "Infinity" and
 * "-Infinity" are strings, as are ISO 8601 dates, times and timestamps, text, and other bytes as "0x<hex>".  Bounds longer than
 * 64 bytes are cut and end in an ellipsis.  Columns that share a name are told apart in rows by _1, _2, ...
 */
DN_API DN_NODISCARD enum dn_status dn_parquet_inspect(const char *path, int64_t n_rows, char **out_json,
                                                      struct dn_error *err);
/** The same with what a connection says; NULL: nothing. */
DN_API DN_NODISCARD enum dn_status dn_parquet_inspect_stored(const char *path, const struct dn_store_options *store,
                                                             int64_t n_rows, char **out_json, struct dn_error *err);

/** Zero-initialise, then set what differs. */
struct dn_parquet_verify_options {
    uint32_t struct_size;   /**< sizeof(struct dn_parquet_verify_options) */
    uint32_t n_threads;     /**< 0: one per CPU; ignored if submit is set */
    uint32_t most_findings; /**< that are listed; 0: 1000.  All are counted */
    uint32_t reserved;
    void *submit_ctx; /**< threads of the caller: see dativo_host.submit in plugin.h */
    int32_t (*submit)(void *ctx, void (*fn)(void *arg), void *arg);
    /** What the connection says, copied; NULL: nothing. */
    const struct dn_store_options *store;
};
/** The least struct_size that is taken. */
#define DN_PARQUET_VERIFY_OPTIONS_V0_1_SIZE DN_SIZE_THROUGH(struct dn_parquet_verify_options, submit)

/**
 * Hold a file against the Parquet specification: every offset, count, level, checksum and statistic against the pages and the values
 * themselves.  Rules are listed in docs/verify.md.
 * @param options   NULL: all defaults
 * @param out_json  {"path","size_bytes","record_count","errors","notes","row_groups","columns","pages","values","value_bytes",
 *                  "findings":[{"severity":"error"|"note","rule","row_group","column","page","byte","message"}]}; row_group, column,
 *                  page and byte are null where they do not apply.  Free with dn_parquet_free().
 * @return DN_OK also for a file that is no Parquet at all: that is a finding.  DN_ERR_NOT_FOUND, DN_ERR_IO, DN_ERR_MEMORY;
 *         DN_ERR_UNSUPPORTED an encrypted footer, a pipe.
 */
DN_API DN_NODISCARD enum dn_status dn_parquet_verify(const char *path, const struct dn_parquet_verify_options *options,
                                                     char **out_json, struct dn_error *err);
DN_API void dn_parquet_free(void *text);

/** Zero-initialise, then set what differs.  All texts are borrowed for the duration of dn_parquet_reader_open(). */
struct dn_parquet_read_options {
    uint32_t struct_size;       /**< sizeof(struct dn_parquet_read_options) */
    const char *const *columns; /**< projection by name, in this order; NULL: all columns of the file */
    size_t n_columns;
    int64_t batch_rows; /**< most rows of a batch; 0: 65,536.  A batch never crosses a row group */
    /** 0: 128 MiB.  What batches in the caller's hands keep alive is not counted. */
    uint64_t memory_budget_bytes;
    uint32_t n_threads; /**< 0: one per CPU; ignored if submit is set */
    void *submit_ctx;   /**< threads of the caller: see dativo_host.submit in plugin.h */
    int32_t (*submit)(void *ctx, void (*fn)(void *arg), void *arg);
    int32_t (*cancelled)(
        void *ctx); /**< called with cancel_ctx, from any thread; non-zero: stop with DN_ERR_CANCELLED */
    void *cancel_ctx;
    /** A budget of the user's of which memory_budget_bytes is a share, for messages; 0: none. */
    uint64_t memory_total_bytes;
    bool skip_missing; /**< of `columns` those that the file lacks are left out of the schema, instead of failing */
    /** What the connection says, copied; NULL: nothing. */
    const struct dn_store_options *store;
};

/** The least struct_size that is taken. */
#define DN_PARQUET_READ_OPTIONS_V0_1_SIZE DN_SIZE_THROUGH(struct dn_parquet_read_options, memory_total_bytes)

/**
 * Reads the columns of a Parquet file of any writer, nested ones included, decoded in parallel.  Columns are of the file's own types, as Arrow has them
 * (docs/parquet-reading.md): the smaller integers, decimals of 128 and 256 bits, times and timestamps of any unit, text and bytes as views
 * ("vu", "vz") into the pages, which a batch keeps alive until it is released.
 */
struct dn_parquet_reader;

/** Open one file, s3://bucket/key or http(s)://host/path, read its footer and fix the schema. */
DN_API DN_NODISCARD enum dn_status dn_parquet_reader_open(struct dn_parquet_reader **out, const char *path,
                                                          const struct dn_parquet_read_options *options,
                                                          struct dn_error *err);
/** A copy of the schema for the caller.  Columns have the file's names, which may repeat. */
DN_API DN_NODISCARD enum dn_status dn_parquet_reader_schema(struct dn_parquet_reader *r, struct ArrowSchema *out,
                                                            struct dn_error *err);
/**
 * The next batch in file order, at least one row; at the end out->release is NULL.  After a failure every later call, of
 * dn_parquet_reader_schema() too, returns the same failure: the first one in the order of batches and then of columns, whatever thread
 * met it.  Blocks until a batch is ready.
 */
DN_API DN_NODISCARD enum dn_status dn_parquet_reader_next(struct dn_parquet_reader *r, struct ArrowArray *out,
                                                          struct dn_error *err);

/** Counters so far.  Only what struct_size covers is filled in. */
struct dn_parquet_read_progress {
    uint32_t struct_size; /**< sizeof(struct dn_parquet_read_progress) */
    uint32_t reserved;
    int64_t bytes_read;  /**< of pages */
    int64_t bytes_total; /**< of the columns that are read */
    int64_t rows;        /**< handed out */
    int64_t rows_total;
};

/** Has the file a column of that name, whether it is read or not? */
DN_API bool dn_parquet_reader_has_column(const struct dn_parquet_reader *r, const char *name);
/** Thread-safe. */
DN_API void dn_parquet_reader_progress(const struct dn_parquet_reader *r, struct dn_parquet_read_progress *out);
/** Stop with DN_ERR_CANCELLED.  Thread-safe, and safe in signal handlers. */
DN_API void dn_parquet_reader_cancel(struct dn_parquet_reader *r);
/** Wait for running tasks and free.  Batches handed out stay valid.  NULL is allowed. */
DN_API void dn_parquet_reader_close(struct dn_parquet_reader *r);

#ifdef __cplusplus
}
#endif
#endif
