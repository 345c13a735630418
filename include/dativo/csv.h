/**
 * Typed, exact, parallel CSV reading into Arrow record batches, and writing of such batches as CSV that reads back equal.
 *
 * Memory is bounded by `memory_budget_bytes` whatever the size of the file.  String columns are string views ("vu") into
 * the text itself; a batch pins the text it points into until it is released.
 */
#ifndef DATIVO_CSV_H
#define DATIVO_CSV_H

#include "arrow.h"
#include "status.h"
#include "store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum dn_csv_header {
    DN_CSV_HEADER_YES = 0, /**< the first row of every file names the columns */
    DN_CSV_HEADER_NO = 1   /**< columns are named column_1, column_2, ... */
};

enum dn_csv_inference {
    DN_CSV_INFER_COLUMN = 0, /**< one type per column, from a sample; a later value that does not fit is DN_ERR_TYPE */
    DN_CSV_INFER_STRINGS = 1 /**< every column without a declared type is a string */
};

/** What is done with rows that have too few or too many fields. */
enum dn_csv_ragged {
    DN_CSV_RAGGED_BAD = 0,    /**< they are wrong: set aside if rows may be, an error if not */
    DN_CSV_RAGGED_ERROR = 1,  /**< an error, whether others may be set aside or not */
    DN_CSV_RAGGED_NULL = 2,   /**< of rows that are too short the missing values are null; longer ones are wrong */
    DN_CSV_RAGGED_SKIP = 3,   /**< left out, and counted */
    DN_CSV_RAGGED_REJECT = 4, /**< set aside; rows that are wrong in another way are errors */
};

/** A row that was set aside.  Everything is borrowed for the call. */
struct dn_csv_reject {
    uint32_t struct_size; /**< of the library's struct: members are appended */
    uint32_t reserved;
    const char *path;
    int64_t line;         /**< where the row is wrong, from 1 */
    int64_t row;          /**< data row over all files, from 1; rows that are set aside count */
    int64_t byte_offset;  /**< in the file, of what is wrong, from 0 */
    const char *column;   /**< or NULL: the row as such */
    const char *code;     /**< "type", "null", "fields", "encoding" or "quotes" */
    const char *expected; /**< the type, or how many fields; or "" */
    const char *message;
    const uint8_t *raw; /**< the row as it is in the text, without its row end */
    size_t raw_len;
};

/** A column whose type is given rather than inferred.  Arrays of it have a stride, dn_csv_options.types_stride. */
struct dn_csv_column_type {
    const char *name;
    const char *type; /**< a type name: bool int64 float64 date timestamp timestamptz string, or a synonym */
    bool declared; /**< true: a person declared it, relaxed forms (+7, 007, " 1 ") are read; false: widened inference */
};

/** A text that an option gives for a column, or, where the name is NULL or empty, for every column.  It stays as it is. */
struct dn_csv_column_text {
    const char *name;
    const char *text;
};

/** What becomes of the names in the header. */
enum dn_csv_names {
    DN_CSV_NAMES_KEEP = 0,      /**< they are the columns' names, repeated ones too */
    DN_CSV_NAMES_UNIQUE = 1,    /**< who repeats an earlier one, in upper or lower case, becomes NAME_1, NAME_2, ... */
    DN_CSV_NAMES_SNAKE_CASE = 2 /**< "Order ID" is order_id, of a to z, 0 to 9 and _ alone, and unique */
};

/** Another name for a column.  Arrays of it have a stride, dn_csv_options.renames_stride. */
struct dn_csv_rename {
    const char *from; /**< a name of the header, as dn_csv_options.names leaves it, or "#N": field N, from 1 */
    const char *to;
};

/** Zero-initialise, then set what differs.  All texts are borrowed for the duration of dn_csv_reader_open(). */
struct dn_csv_options {
    uint32_t struct_size; /**< sizeof(struct dn_csv_options) */
    char delimiter;       /**< 0: ',', or delimiter_text */
    char quote;           /**< 0: '"' */
    bool no_quote;        /**< true: no byte quotes */
    bool strict;          /**< true: a stray quote is an error instead of literal text */
    enum dn_csv_header header;
    enum dn_csv_inference inference;
    const char *const *null_values; /**< texts that mean null in every column, besides the empty unquoted field */
    size_t n_null_values;
    const struct dn_csv_column_type *types;
    size_t n_types;
    size_t types_stride;        /**< sizeof(struct dn_csv_column_type), where n_types is not 0 */
    const char *const *columns; /**< projection, in this order; NULL: all columns of the file */
    size_t n_columns;
    bool missing_as_null;        /**< a projected or typed column the file lacks reads as nulls instead of failing */
    const char *const *required; /**< columns in which a null is an error */
    size_t n_required;
    int64_t batch_rows;           /**< rows per batch; 0: what a block of text holds */
    size_t block_bytes;           /**< text per block; 0: 512 KiB; any value from 1 up gives the same rows */
    uint64_t memory_budget_bytes; /**< 0: 64 MiB */
    uint32_t n_threads;           /**< 0: one per CPU; ignored if submit is set */
    void *submit_ctx;             /**< threads of the caller: see dativo_host.submit in plugin.h */
    int32_t (*submit)(void *ctx, void (*fn)(void *arg), void *arg);
    int32_t (*cancelled)(
        void *ctx); /**< called with cancel_ctx, from any thread; non-zero: stop with DN_ERR_CANCELLED */
    void *cancel_ctx;
    void (*waiting)(void *ctx); /**< called with waiting_ctx a few times a second while dn_csv_reader_next() waits */
    void *waiting_ctx;
    /** Something worth knowing about a source, called with note_ctx, from any thread: it grew, it was replaced. */
    void (*note)(void *ctx, const char *message);
    void *note_ctx;
    /** A budget of the user's of which memory_budget_bytes is a share, for messages; 0: none. */
    uint64_t memory_total_bytes;
    /** Of the files, as iconv(3) or Python spell it; NULL: UTF-8, or what a byte order mark says. */
    const char *encoding;
    bool
        replace_invalid; /**< bytes that are no text in the encoding become U+FFFD, and are counted, instead of failing */
    /** What the connection says, copied; NULL: nothing. */
    const struct dn_store_options *store;
    /** Numbers with more digits than a float64 holds are rounded to one, and counted; else a column that has one becomes a decimal. */
    bool round_decimals;
    /**
     * The caller starts over, with dn_csv_find_types(), where DN_ERR_TYPE says that a type has to be another one.  So a column without
     * values in the sample need not stay a string: if its first value is of a narrower type, that is such an error.
     */
    bool restartable;
    /**
     * What looks like a wrong option, said on opening with the flag that helps, once for each kind: one column of a file of another
     * delimiter (a warning), names that are values, numbers and dates that stay texts.  Called with note_ctx; NULL: nobody looks.
     * `kind` is a word of lower case.
     */
    void (*advise)(void *ctx, bool warning, const char *kind, const char *message);
    /** Quoted values beside unquoted ones are text; else values are read through quotes, whether all are quoted or some. */
    bool quoted_text;
    /** null_values and column_null_values mean null in quotes as well, in columns of strings too. */
    bool quoted_nulls;
    const struct dn_csv_column_text *column_null_values; /**< texts that mean null in one column, besides null_values */
    size_t n_column_null_values;
    bool trim;             /**< blanks and tabs around unquoted values, and names, are no part of them */
    char decimal;          /**< the decimal point of numbers; 0: '.' */
    const char *thousands; /**< one character between groups of three digits before it; NULL: none */
    /** The formats of dates, times and timestamps, as of strptime(3), instead of ISO 8601: the first that fits counts. */
    const struct dn_csv_column_text *date_formats;
    size_t n_date_formats;
    const struct dn_csv_column_text *time_formats;
    size_t n_time_formats;
    const struct dn_csv_column_text *timestamp_formats;
    size_t n_timestamp_formats;
    const char *const
        *true_values; /**< words of booleans, compared exactly; neither these nor false_values: the known ones */
    size_t n_true_values;
    const char *const *false_values;
    size_t n_false_values;
    /** The columns' names, of files without a header (DN_CSV_HEADER_NO): one for every field.  NULL: column_1, column_2, ... */
    const char *const *header_names;
    size_t n_header_names;
    uint64_t
        header_row; /**< which of the rows that are not blank is the header; those before it are dropped.  0: the first */
    enum dn_csv_names names;
    /** Columns of another name, by which all other options call them.  A "#N" in `columns` and `exclude` is field N, if none has that name. */
    const struct dn_csv_rename *renames;
    size_t n_renames;
    size_t renames_stride;      /**< sizeof(struct dn_csv_rename), where n_renames is not 0 */
    const char *const *exclude; /**< columns that are not read */
    size_t n_exclude;
    /** Files may have different columns: the table has those of all headers, by name, and a file nulls in what it lacks. */
    bool union_by_name;
    /** The longest row, rather than what the budget allows: at most 512 MiB.  0: that.  More takes more memory than the budget. */
    uint64_t max_row_bytes;
    bool has_limit;
    int64_t
        limit; /**< the first so many rows, if has_limit, those that are set aside among them; what stands behind them is neither read nor judged */
    /** What stands between fields, 1 to 8 bytes of UTF-8, where `delimiter` is 0; NULL: ','. */
    const char *delimiter_text;
    char escape;  /**< takes the meaning from the byte behind it, in quotes and outside; 0 or the quote: none does */
    char comment; /**< as the first byte of a row: the line is none; 0: none is */
    int64_t skip_rows;         /**< lines in front of the header of every file, whatever they hold */
    int64_t skip_after_header; /**< lines behind the header of every file */
    int64_t skip_footer;       /**< lines at the end of every file, blank ones not counted */
    enum dn_csv_ragged ragged;
    /**
     * How many rows that are wrong may be set aside, instead of the first one being an error: so many, and so many percent of all rows,
     * which is looked at when all were read.  0: none; if both are set, neither may be exceeded.  Values that do not fit count if only a
     * string would hold them, or if the caller cannot start over; a few texts in the sample do not make a string column then.
     */
    int64_t max_rejects;
    double max_reject_percent;
    /** Called with reject_ctx for each of them, in the order of the data, by the thread that calls dn_csv_reader_next(); may not call back. */
    void (*reject)(void *ctx, const struct dn_csv_reject *reject);
    void *reject_ctx;
    /**
     * DN_CSV_DETECT_*: what a look at the first file settles, for all files, instead of what is set above.  How is told to `advise`, as
     * "dialect"; where two ways are nearly as good as each other that is DN_ERR_DATA, which lists them.
     */
    uint32_t detect;
};

#define DN_CSV_DETECT_DELIMITER 1u
#define DN_CSV_DETECT_QUOTE 2u
#define DN_CSV_DETECT_HEADER 4u
#define DN_CSV_DETECT_SKIP_ROWS 8u
#define DN_CSV_DETECT_COMMENT 16u
/** A backslash, where every one stands in front of a quote, a delimiter, a row end or another one; not where it is the quote. */
#define DN_CSV_DETECT_ESCAPE 32u

/** The least struct_size that is taken, that of version 0.1: members behind what it covers are as if they were zero. */
#define DN_CSV_OPTIONS_V0_1_SIZE DN_SIZE_THROUGH(struct dn_csv_options, waiting_ctx)
#define DN_CSV_COLUMN_TYPE_V0_1_SIZE DN_SIZE_THROUGH(struct dn_csv_column_type, declared)
#define DN_CSV_RENAME_V0_1_SIZE DN_SIZE_THROUGH(struct dn_csv_rename, to)

struct dn_csv_reader;

/**
 * Open the files (at least one; "-" is standard input; s3://bucket/key and http(s)://host/path can be read, too; packed with gzip, zstd, bzip2 or xz they are unpacked), read the header and a sample, and fix the schema.  All files must have the
 * first one's columns, in its order.  Waits until a pipe has given the sample or ended; cancelled() ends that wait.
 */
DN_API DN_NODISCARD enum dn_status dn_csv_reader_open(struct dn_csv_reader **out, const char *const *paths,
                                                      size_t n_paths, const struct dn_csv_options *options,
                                                      struct dn_error *err);
/**
 * Read everything once, for nothing but the types of the values, and make the schema with which no value is refused: the types of
 * inferred columns as wide as they have to be, declared ones as they are.  For whoever got DN_ERR_TYPE and can start over.  Errors
 * of the data are left to the reading.
 */
DN_API DN_NODISCARD enum dn_status dn_csv_find_types(struct ArrowSchema *out, const char *const *paths, size_t n_paths,
                                                     const struct dn_csv_options *options, struct dn_error *err);
/** A place at which a file is to be cut. */
struct dn_csv_cut {
    size_t file;    /**< which of the paths, from 0 */
    int64_t offset; /**< byte of its text: a row belongs to the piece that has its first byte */
};

/** Zero-initialise, then set what differs. */
struct dn_csv_split_options {
    uint32_t struct_size; /**< sizeof(struct dn_csv_split_options) */
    uint32_t reserved;
    uint64_t
        target_bytes; /**< of a piece, nearly; 0: 128 MiB.  There are 10000 at most of a file, and one of what is packed or transcoded */
    const struct dn_csv_cut
        *cuts; /**< places instead, ascending by file and place: then all pieces are listed, empty ones, too */
    size_t n_cuts;
    const char *tag; /**< a token can be opened only with the same one; NULL: none */
};
#define DN_CSV_SPLIT_OPTIONS_V0_1_SIZE DN_SIZE_THROUGH(struct dn_csv_split_options, tag)

/**
 * Read everything once, for nothing but where rows are, and list pieces that hold every row exactly once, in order:
 * [{"token","path","bytes","rows"}].  A token is a text for dn_csv_split_open(), in this or another process.  docs/splits.md.
 * @return DN_ERR_DATA: a row is broken, with its place; DN_ERR_UNSUPPORTED: the source can be read only once, or an option
 *         counts over all rows; others.
 */
DN_API DN_NODISCARD enum dn_status dn_csv_find_splits(char **out_json, const char *const *paths, size_t n_paths,
                                                      const struct dn_csv_options *options,
                                                      const struct dn_csv_split_options *how, struct dn_error *err);
/**
 * A reader of one piece, with the paths and options that it was cut with; threads, memory and sizes of blocks and batches may differ.
 * Rows, types and errors are those that reading the whole has there.  A value that does not fit an inferred type is DN_ERR_TYPE:
 * options.restartable has no effect.
 * @return DN_ERR_INVALID: the token is damaged, or of other options; DN_ERR_IO: the file changed since; others.
 */
DN_API DN_NODISCARD enum dn_status dn_csv_split_open(struct dn_csv_reader **out, const char *token,
                                                     const char *const *paths, size_t n_paths,
                                                     const struct dn_csv_options *options, const char *tag,
                                                     struct dn_error *err);
/** How many rows the pieces in front of this one give; 0 of a reader of all. */
DN_API int64_t dn_csv_reader_rows_before(const struct dn_csv_reader *r);

/** What dn_csv_explain() tells. */
enum dn_csv_explained {
    DN_CSV_EXPLAIN_DIALECTS = 0, /**< {"dialects":[...]}: ways to read the first file, the likeliest first */
    DN_CSV_EXPLAIN_SAMPLE = 1,   /**< {"columns":[...]}: what in the sample made each inferred type */
    DN_CSV_EXPLAIN_ALL = 2       /**< the same of all values, which are read once: exact, with nulls */
};
/** As dn_csv_reader_open(), for dn_csv_explain() alone: such a reader gives no batches. */
DN_API DN_NODISCARD enum dn_status dn_csv_explain_open(struct dn_csv_reader **out, enum dn_csv_explained what,
                                                       const char *const *paths, size_t n_paths,
                                                       const struct dn_csv_options *options, struct dn_error *err);
/** What was seen in the files, as one JSON object (docs/csv-reading.md); free with dn_csv_free().  Once per reader. */
DN_API DN_NODISCARD enum dn_status dn_csv_explain(struct dn_csv_reader *r, char **out_json, struct dn_error *err);
/** A copy of the schema for the caller. */
DN_API DN_NODISCARD enum dn_status dn_csv_reader_schema(struct dn_csv_reader *r, struct ArrowSchema *out,
                                                        struct dn_error *err);
/**
 * The next batch in file order, at least one row; at the end out->release is NULL.  After a failure every later call, of
 * dn_csv_reader_schema() too, returns the same failure.  Blocks until a batch is ready.
 */
DN_API DN_NODISCARD enum dn_status dn_csv_reader_next(struct dn_csv_reader *r, struct ArrowArray *out,
                                                      struct dn_error *err);

/** Which of the paths, from 0, the rows of the last batch come from: a batch is of one file. */
DN_API size_t dn_csv_reader_file(const struct dn_csv_reader *r);
/**
 * The numbers of the rows of the last batch, as errors have them: data rows over all files, from 1; rows that were set aside or skipped
 * count, so that there may be gaps.
 * @param n_rows  the batch's
 */
DN_API void dn_csv_reader_number_rows(const struct dn_csv_reader *r, int64_t n_rows, int64_t *out);
/** Have the files a column of that name, whether it is read or not? */
DN_API bool dn_csv_reader_has_column(const struct dn_csv_reader *r, const char *name);

/** Counters so far.  Only what struct_size covers is filled in. */
struct dn_csv_progress {
    uint32_t struct_size; /**< sizeof(struct dn_csv_progress) */
    uint32_t reserved;
    int64_t bytes_read;  /**< as the files are stored */
    int64_t bytes_total; /**< -1: unknown */
    int64_t rows;
    int64_t stray_quotes; /**< rows' worth of text in which a quote was taken literally, counted per quote */
    int64_t rounded;      /**< float64 values that are not the numbers in the text, to the digits that it has */
    int64_t replaced;     /**< U+FFFD for what is no text in the encoding */
    int64_t marks;        /**< byte order marks that rows began with, behind the first row: left out */
    int64_t end_bytes;    /**< 0x1a and NUL bytes behind the text, at the ends of files: left out */
    int64_t rejected;     /**< rows set aside */
    int64_t skipped;      /**< rows left out for their number of fields */
};
#define DN_CSV_PROGRESS_V0_1_SIZE DN_SIZE_THROUGH(struct dn_csv_progress, stray_quotes)

/** Thread-safe. */
DN_API void dn_csv_reader_progress(const struct dn_csv_reader *r, struct dn_csv_progress *out);
/** The first value that was rounded, with its place; NULL if none was.  Not while another thread reads. */
DN_API const struct dn_error *dn_csv_reader_rounded(struct dn_csv_reader *r);
/** Stop with DN_ERR_CANCELLED, also while dn_csv_reader_next() waits for a pipe.  Thread-safe, and safe in signal handlers. */
DN_API void dn_csv_reader_cancel(struct dn_csv_reader *r);
/** Wait for running tasks and free; a read of a stalled file is not waited for.  Batches handed out stay valid.  NULL is allowed. */
DN_API void dn_csv_reader_close(struct dn_csv_reader *r);

/** Zero-initialise, then set what differs.  All texts are borrowed for the duration of dn_csv_writer_open(). */
struct dn_csv_write_options {
    uint32_t struct_size; /**< sizeof(struct dn_csv_write_options) */
    bool overwrite;       /**< replace an existing file at commit */
    bool crlf;            /**< rows end with "\r\n" instead of "\n" */
    char delimiter;       /**< 0: ','; no letter, digit, blank, + - . : */
    char quote;           /**< 0: '"'; the same */
    const char
        *null_text; /**< what stands, unquoted, for a null; NULL: nothing.  No text that is a value of some type */
    uint64_t memory_budget_bytes; /**< 0: 64 MiB.  append() blocks while more is in flight */
    uint32_t n_threads;           /**< threads that format; 0: one per CPU; ignored if submit is set */
    void *submit_ctx;             /**< threads of the caller: see dativo_host.submit in plugin.h */
    int32_t (*submit)(void *ctx, void (*fn)(void *arg), void *arg);
    /** A budget of the user's of which memory_budget_bytes is a share, for messages; 0: none. */
    uint64_t memory_total_bytes;
    int32_t (*cancelled)(
        void *ctx); /**< asked while the destination is waited for, from any thread; non-zero: DN_ERR_CANCELLED */
    void *cancel_ctx;
    /** What the connection says, copied; NULL: nothing. */
    const struct dn_store_options *store;
};

/** The least struct_size that is taken: members behind what it covers are as if they were zero. */
#define DN_CSV_WRITE_OPTIONS_V0_1_SIZE DN_SIZE_THROUGH(struct dn_csv_write_options, memory_total_bytes)

/**
 * A writer of one file, whose bytes depend only on the rows, the schema and the options.  The first failure of append, finish or
 * commit is for good, a call out of order among them: every later one returns it again, and no file appears any more.
 */
struct dn_csv_writer;

/** Create the temporary file, or begin s3://bucket/key, check schema and options, and write the header.  `schema` is a struct schema, borrowed. */
DN_API DN_NODISCARD enum dn_status dn_csv_writer_open(struct dn_csv_writer **out, const char *path,
                                                      const struct ArrowSchema *schema,
                                                      const struct dn_csv_write_options *options, struct dn_error *err);
/**
 * Append one batch.
 * @param batch  struct array of the schema given to open(), any offset.  Moved: w releases it, on success and on failure,
 *               perhaps later and on another thread.
 * @return DN_OK; DN_ERR_DATA a null in a non-nullable column, or a text that is not UTF-8, perhaps of an earlier batch; DN_ERR_IO
 *         and others.
 */
DN_API DN_NODISCARD enum dn_status dn_csv_writer_append(struct dn_csv_writer *w, struct ArrowArray *batch,
                                                        struct dn_error *err);
/** Write the rest and make the temporary file durable. */
DN_API DN_NODISCARD enum dn_status dn_csv_writer_finish(struct dn_csv_writer *w, struct dn_error *err);
/** Rename to the final name.  After dn_csv_writer_finish() only. */
DN_API DN_NODISCARD enum dn_status dn_csv_writer_commit(struct dn_csv_writer *w, struct dn_error *err);
/**
 * After finish(): [{"path","size_bytes","record_count","columns":[{"name","min","max","null_count"}]}]; free with dn_csv_free().
 * Bounds are null: none are collected.
 */
DN_API DN_NODISCARD enum dn_status dn_csv_writer_manifest(struct dn_csv_writer *w, char **out_json,
                                                          struct dn_error *err);
DN_API void dn_csv_free(void *text);
/** Free; without a commit the temporary file is removed.  NULL is allowed. */
DN_API void dn_csv_writer_close(struct dn_csv_writer *w);

#ifdef __cplusplus
}
#endif
#endif
