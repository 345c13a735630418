/**
 * Columns grown value by value, of any type but dictionaries, runs and list views, and made into a batch.
 *
 * A row of a column is appended by one of the calls below; of a nested column, what is within is appended to the children first and
 * dn_builder_end() makes the row of it:
 *
 *     struct dn_builder *item = dn_builder_child(list, 0);
 *     dn_builder_fixed(item, &one, err); dn_builder_fixed(item, &two, err);
 *     dn_builder_end(list, err);                                              a list of two items
 *
 * Lifetime: init/finish; finish accepts zeroed memory.  Threads: one owner.  After a failure the builder can be truncated, or finished.
 */
#ifndef DN_ARROW_BUILDER_H
#define DN_ARROW_BUILDER_H

#include "arrow/nested.h"

struct dn_builder {
    const struct dn_node *node; /**< borrowed */
    enum dn_layout layout;
    size_t width; /**< bytes per value, 0 of bits and of those with offsets */
    int64_t n_rows;
    int64_t n_nulls;
    struct dn_buffer validity; /**< empty until the first null */
    struct dn_buffer values;
    struct dn_buffer bytes;
    struct dn_builder *children;
    /* what an exported batch points to */
    struct dn_batch_column *exported;
    const void *variadic;
    int64_t variadic_len;
};

/** `node` outlives the builder.  DN_ERR_UNSUPPORTED: a type that is not grown here. */
DN_NODISCARD enum dn_status dn_builder_init(struct dn_builder *b, const struct dn_node *node,
                                            struct dn_error *err);
void dn_builder_finish(struct dn_builder *b);

static inline struct dn_builder *dn_builder_child(struct dn_builder *b, int64_t i)
{
    return &b->children[i];
}
/** A null; structs and lists of one length get nulls within. */
DN_NODISCARD enum dn_status dn_builder_null(struct dn_builder *b, struct dn_error *err);
/** A value of fixed width, of bool a byte of 0 or 1. */
DN_NODISCARD enum dn_status dn_builder_fixed(struct dn_builder *b, const void *value,
                                             struct dn_error *err);
/** A text or bytes of any length.  DN_ERR_UNSUPPORTED: over 2 GiB in the column, where its offsets have 32 bits. */
DN_NODISCARD enum dn_status dn_builder_bytes(struct dn_builder *b, const void *data, size_t len,
                                             struct dn_error *err);
/**
 * A list, map or struct of what was appended to the children since the last row.  DN_ERR_INVALID: a struct's members, or a map's keys and
 * values, have not one row each, or a list of one length has another number of items.
 */
DN_NODISCARD enum dn_status dn_builder_end(struct dn_builder *b, struct dn_error *err);
/** Take back all rows from `n_rows` on, and what was appended within for a row that has not ended. */
void dn_builder_truncate(struct dn_builder *b, int64_t n_rows);
/** Bytes that the column has grown to, with all that is within. */
size_t dn_builder_size(const struct dn_builder *b);

/**
 * Describe the column for dn_batch_export(): *out and what it points to live in the builder, which is not to grow any more.
 */
DN_NODISCARD enum dn_status dn_builder_describe(struct dn_builder *b, struct dn_batch_column *out,
                                                struct dn_error *err);

#endif
