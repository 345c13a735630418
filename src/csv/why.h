/**
 * What made each column what it is: for every field the value that its type last changed at, in file order.  Kept only where somebody
 * asks (dn_csv_explain()); blocks find what is new in them on their own, and are merged in file order.
 */
#ifndef DN_CSV_WHY_H
#define DN_CSV_WHY_H

#include "csv/reader_internal.h"

#define DN_CSV_WHY_VALUE 48

/** A value that its block had no like of before. */
struct dn_csv_why_step {
    size_t field;
    struct dn_csv_evidence own; /**< of this value alone */
    int64_t byte_offset;
    int64_t line; /**< -1: to be counted */
    size_t file;
    size_t len;                      /**< of what is kept of the value */
    bool is_more;                    /**< the value is longer */
    uint8_t value[DN_CSV_WHY_VALUE]; /**< as it is written */
};

/** What is new in one block, in the order of fields, and of rows within one. */
struct dn_csv_why_block {
    struct dn_csv_why_step *steps;
    size_t n_steps;
    size_t capacity;
    int64_t n_rows;
    int64_t *n_values; /**< of each field */
    int64_t *
        n_empty; /**< of each field: what is null unless the column is a string: nothing, or a null text, in quotes */
};

struct dn_csv_why_field {
    struct dn_csv_evidence before_any; /**< what the options say of the field */
    struct dn_csv_evidence evidence;   /**< but for the numbers of values */
    struct dn_type type;
    struct dn_type before; /**< which it was in front of `last` */
    bool seen;
    bool changed;                /**< by `last`, from `before` */
    struct dn_csv_why_step last; /**< the value at which the type became what it is */
    int64_t n_values;
    int64_t n_empty;
};

struct dn_csv_why {
    struct dn_csv_why_field *fields;
    size_t n_fields;
    int64_t n_rows;
    bool rounds; /**< see struct dn_csv_column */
};

/** `nothing` is the evidence of each field as it is before there is any. */
DN_NODISCARD enum dn_status dn_csv_why_start(struct dn_csv_why *w,
                                             const struct dn_csv_evidence *nothing, size_t n_fields,
                                             bool rounds, struct dn_error *err);
/** Forget what was seen. */
void dn_csv_why_reset(struct dn_csv_why *w);
void dn_csv_why_finish(struct dn_csv_why *w);
/** Find what is new in rows->buf; `block` says where that is. */
DN_NODISCARD enum dn_status dn_csv_why_look(struct dn_csv_why_block *out,
                                            const struct dn_csv_reader *r,
                                            const struct dn_csv_block *block,
                                            const struct dn_csv_rows *rows, struct dn_error *err);
/** In file order; `b` is empty afterwards, and can be used again. */
void dn_csv_why_merge(struct dn_csv_why *w, struct dn_csv_why_block *b);
void dn_csv_why_block_finish(struct dn_csv_why_block *b);
/** Count the lines of the places that were kept, in one pass over each file; what fails of that is an error, not a place without its line. */
DN_NODISCARD enum dn_status dn_csv_why_place(struct dn_csv_why *w, const struct dn_csv_reader *r,
                                             struct dn_error *err);

#endif
