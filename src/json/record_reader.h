/**
 * JSON records one after the other into growing columns: what a text, or one piece of it, is read with.
 * Threads: one owner; readers of pieces of one text are independent.
 */
#ifndef DN_JSON_RECORD_READER_H
#define DN_JSON_RECORD_READER_H

#include "base/name_map.h"
#include "json/json_column.h"
#include "json/records.h"

/** Keys that no field declares become columns, up to this many: each costs memory in every row. */
#define DN_RECORDS_MAX_EXTRA 4096

struct dn_record_reader {
    struct dn_json_lexer lx;
    const struct dn_record_field *fields;
    int64_t n_fields;
    const struct dn_records_options *options;
    struct dn_json_table table; /**< with table.n_rows */
    struct dn_name_map names;   /**< of the table's columns */
    struct dn_buffer key;
    struct dn_buffer scratch;
    struct dn_json_gap first; /**< between '{' and the first value */
    struct dn_json_gap
        dropped;          /**< behind values that are dropped, before the first one that is not */
    const uint8_t *until; /**< where the records end, if that is known */
    int64_t n_dropped;
    int64_t first_dropped; /**< record from 0 */
    char dropped_key[DN_ESCAPED_VALUE_SIZE];
    bool any_bad;      /**< a column's `bad` is set */
    bool any_required; /**< a column's `required` is set */
};

/** Empty columns for the declared fields; `r` is zeroed but for lx, until, fields, n_fields and options, or was reset. */
DN_NODISCARD enum dn_status dn_record_reader_start(struct dn_record_reader *r,
                                                   struct dn_error *err);
/** Drop all columns. */
void dn_record_reader_reset(struct dn_record_reader *r);
void dn_record_reader_finish(struct dn_record_reader *r);
/** Append an empty column for a key that no field declares. */
DN_NODISCARD enum dn_status dn_record_reader_add_extra(struct dn_record_reader *r, const char *name,
                                                       size_t len, int64_t *index,
                                                       struct dn_error *err);
/** Read one record, which is nested `depth` deep. */
DN_NODISCARD enum dn_status dn_record_read(struct dn_record_reader *r, int depth,
                                           struct dn_error *err);

#endif
