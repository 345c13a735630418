/**
 * Record batches to JSON records and back: the data path of the plugin ABI's Level 0.
 * Threads: one owner per object.
 */
#ifndef DN_JSON_RECORDS_H
#define DN_JSON_RECORDS_H

#include "arrow/nested.h"
#include "base/buffer.h"
#include "base/pool.h"

/** Can records be read into a column of the type and of what is in it?  (Columns of all types can be written.) */
bool dn_records_can_read(const struct dn_node *node);

/**
 * Append rows [row, row + n_rows) of a batch as `[{"name":value,...},...]`.
 * Nulls are null; booleans true/false; integers and floats as numbers (floats shortest round trip; NaN and infinities as the
 * bare tokens NaN, Infinity, -Infinity, which is what the host's own JSON uses); dates and timestamps as ISO 8601 strings;
 * strings escaped, NUL as \u0000.  Pure UTF-8 without raw control bytes.
 */
DN_NODISCARD enum dn_status dn_records_write(struct dn_buffer *out,
                                             const struct ArrowSchema *schema,
                                             const struct ArrowArray *batch, int64_t row,
                                             int64_t n_rows, struct dn_error *err);

/** What a declared column of records_read accepts; `required`: null or absent is an error. */
struct dn_record_field {
    const char *name;
    struct dn_type type;
    bool required;
    const struct dn_node
        *node; /**< of a nested type, which it has instead of `type`; its name is not looked at */
};

/**
 * Parse exactly one JSON value, either a bare array of records or {"records":[...],"file_counter":n,...}, stopping right
 * behind it (no NUL is looked for after it), into one struct array in memory of its own.
 *
 * Accepted beyond RFC 8259: the tokens NaN, Infinity, -Infinity; lone surrogate escapes (stored as U+FFFD and counted);
 * integers of any size.  Duplicate keys: the last wins.  Keys beyond `fields` become extra nullable columns after them, in
 * order of first appearance, typed by their values (bool, int64, float64, else string; nested values as their JSON text).
 * Values: see docs/json-records.md for the table of what each declared type takes; a value that does not fit is an error
 * naming record number and column, never a null.
 *
 * @param json      padded is not needed; must hold one complete JSON value or a NUL.
 * @param out_file_counter  the counter, or -1.
 */
DN_NODISCARD enum dn_status dn_records_read(const char *json, const struct dn_record_field *fields,
                                            int64_t n_fields, struct ArrowSchema *out_schema,
                                            struct ArrowArray *out_batch, int64_t *out_file_counter,
                                            struct dn_error *err);

/** What was found besides the rows. */
struct dn_records_counts {
    int64_t n_lone_surrogates; /**< \u escapes that were half a pair, stored as U+FFFD */
    int64_t n_rounded;     /**< numbers in float64 columns that are not those that were written */
    int64_t first_rounded; /**< the record of the first, from 1; */
    char rounded_column[DN_ESCAPED_VALUE_SIZE]; /**< its column, quoted */
    int64_t n_dropped;                          /**< values of undeclared keys that were left out */
    int64_t first_dropped;                      /**< the record of the first, from 1; */
    char dropped_key[DN_ESCAPED_VALUE_SIZE];    /**< its key, quoted */
    size_t n_bytes; /**< length of the JSON value, white space before it included */
};

/** As dn_records_read(); *counts is set on success. */
DN_NODISCARD enum dn_status
dn_records_read_counted(const char *json, const struct dn_record_field *fields, int64_t n_fields,
                        struct ArrowSchema *out_schema, struct ArrowArray *out_batch,
                        int64_t *out_file_counter, struct dn_records_counts *counts,
                        struct dn_error *err);

/** What becomes of keys that no field declares. */
enum dn_records_extra {
    DN_RECORDS_EXTRA_KEEP, /**< columns of their own */
    DN_RECORDS_EXTRA_DROP, /**< they are counted; their values are checked as JSON and left out */
    DN_RECORDS_EXTRA_ERROR
};

/** Zeroed: what dn_records_read() does. */
struct dn_records_options {
    struct dn_executor executor; /**< submit NULL: the calling thread reads all */
    size_t piece_bytes;    /**< of text that one task reads; 0: DN_RECORDS_PIECE_BYTES, or what */
    size_t expected_bytes; /**< suggests, which the text has about; 0: unknown */
    enum dn_records_extra extra;
    bool refuse_lone_surrogates; /**< they are DN_ERR_DATA in values of declared and kept columns */
};
#define DN_RECORDS_PIECE_BYTES ((size_t)128 << 10)

/** Records of one text, in as many batches of one schema as it was cut into; at least one. */
struct dn_records {
    struct ArrowSchema schema;
    struct ArrowArray *batches; /**< one that is moved out has no release */
    int64_t n_batches;
    int64_t n_rows;
    int64_t file_counter; /**< or -1 */
    struct dn_records_counts counts;
};

/**
 * As dn_records_read(), by several threads: a text is cut between records, wherever its strings and brackets say they end, and each
 * piece is read into columns of its own.  Rows, schema, counts and errors are the same whatever the number of threads and the size
 * of pieces: if a piece cannot be read, all is read again from the start by one thread, which says what is wrong.
 * On failure *out holds nothing.
 */
DN_NODISCARD enum dn_status dn_records_read_pieces(const char *json,
                                                   const struct dn_record_field *fields,
                                                   int64_t n_fields,
                                                   const struct dn_records_options *options,
                                                   struct dn_records *out, struct dn_error *err);
/** Release what is left.  Zeroed memory is accepted. */
void dn_records_finish(struct dn_records *r);

#endif
