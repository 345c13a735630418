/**
 * Record batches to JSON records and back: the data path of the plugin ABI's Level 0.
 * Threads: one owner per object.
 */
#ifndef DN_JSON_RECORDS_H
#define DN_JSON_RECORDS_H

#include "arrow/nested.h"
#include "base/buffer.h"

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

/** What dn_records_read_counted() found besides the batch. */
struct dn_records_counts {
    int64_t n_lone_surrogates; /**< \u escapes that were half a pair, stored as U+FFFD */
    int64_t n_rounded;     /**< numbers in float64 columns that are not those that were written */
    int64_t first_rounded; /**< the record of the first, from 1; */
    char rounded_column[DN_ESCAPED_VALUE_SIZE]; /**< its column, quoted */
    size_t n_bytes; /**< length of the JSON value, white space before it included */
};

/** As dn_records_read(); *counts is set on success. */
DN_NODISCARD enum dn_status
dn_records_read_counted(const char *json, const struct dn_record_field *fields, int64_t n_fields,
                        struct ArrowSchema *out_schema, struct ArrowArray *out_batch,
                        int64_t *out_file_counter, struct dn_records_counts *counts,
                        struct dn_error *err);

#endif
