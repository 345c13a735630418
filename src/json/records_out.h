/** The writer of records from within: what records_write.c and values_nested.c share.  Threads: one owner. */
#ifndef DN_JSON_RECORDS_OUT_H
#define DN_JSON_RECORDS_OUT_H

#include "arrow/nested.h"
#include "json/json_path.h"

/** How the values of a column, or of something within one, are written. */
enum dn_json_how {
    DN_JSON_HOW_NULL,
    DN_JSON_HOW_BARE,    /**< their text, as it is; floats as JSON has them */
    DN_JSON_HOW_QUOTED,  /**< their text */
    DN_JSON_HOW_DECIMAL, /**< their text, quoted if a float64 would not print it */
    DN_JSON_HOW_TEXT,
    DN_JSON_HOW_RAW,   /**< base64 */
    DN_JSON_HOW_JSON,  /**< as they are, once they are checked */
    DN_JSON_HOW_INDEX, /**< the value of a dictionary; from here on with children */
    DN_JSON_HOW_RUN,   /**< the value of a run */
    DN_JSON_HOW_LIST,
    DN_JSON_HOW_STRUCT,
    DN_JSON_HOW_MAP /**< an object if its keys are texts, else a list of its entries */
};

/** A column, or something within one. */
struct dn_json_out {
    const char *name;
    size_t
        key_offset; /**< of `{"name":` or `,"name":` in `keys`; of columns and fields of structs */
    size_t key_len;
    enum dn_json_how how;
    struct dn_column_view view;
    struct dn_json_out *children;
    int64_t n_children;
};

struct dn_json_writer {
    struct dn_json_out *columns;
    int64_t n_columns;
    struct dn_buffer keys;
    struct dn_arena arena;
    struct dn_buffer json; /**< a value of a JSON column, with a NUL */
    size_t room; /**< bytes of one record without the contents of its texts and lists, at most */
    struct dn_json_path path; /**< to the value that is being written */
    bool find_invalid; /**< texts that are not UTF-8 are errors; else they are found in the end */
};

/** Make sure that the room of a record is there. */
static inline enum dn_status dn_json_out_room(const struct dn_json_writer *w, struct dn_buffer *out,
                                              struct dn_error *err)
{
    return out->capacity - out->len < w->room ? dn_buffer_reserve(out, w->room, err) : DN_OK;
}

/** Name and way of writing of a column or value, whose view is set, and all that is within; `room` grows by what it takes. */
DN_NODISCARD enum dn_status dn_json_out_init(struct dn_json_writer *w, struct dn_json_out *c,
                                             const struct dn_node *node, struct dn_error *err);
/** Add `{"name":` or `,"name":` for each of n columns or fields, whose names become different ones. */
DN_NODISCARD enum dn_status dn_json_out_add_keys(struct dn_json_writer *w, struct dn_json_out *c,
                                                 int64_t n, struct dn_error *err);
/** The value in `row`; w->room bytes are free in `out`, and fewer are taken if `how` is neither text nor with children. */
DN_NODISCARD enum dn_status dn_json_out_put(struct dn_json_writer *w, struct dn_buffer *out,
                                            const struct dn_json_out *c, int64_t row,
                                            struct dn_error *err);

/** The same for what is within a node that has children. */
DN_NODISCARD enum dn_status dn_json_nested_init(struct dn_json_writer *w, struct dn_json_out *c,
                                                const struct dn_node *node, struct dn_error *err);
/** A valid value of a column with children; afterwards w->room bytes are free. */
DN_NODISCARD enum dn_status dn_json_nested_put(struct dn_json_writer *w, struct dn_buffer *out,
                                               const struct dn_json_out *c, int64_t row,
                                               struct dn_error *err);
/** An error at the value that is being written: "row 3 of the batch, column 'c', at c.list[2].a: 'text' is ...". */
enum dn_status dn_json_out_fail(const struct dn_json_writer *w, struct dn_span text,
                                const char *what, struct dn_error *err);

#endif
