/**
 * One growing column of the record reader, and the set of them that becomes a batch.
 * Lifetime: init/finish; finish accepts zeroed memory.  Threads: one owner.
 */
#ifndef DN_JSON_COLUMN_H
#define DN_JSON_COLUMN_H

#include "arrow/builder.h"
#include "base/buffer.h"
#include "json/json_lexer.h"

/** What the text between two values may have to be known by heart, and how many bytes are read for that. */
#define DN_JSON_GAP_BYTES 56

/**
 * The text between a value and the next one, `,"key":` with what space there is, as it was last time.  The same text leads to the same
 * column again.
 */
struct dn_json_gap {
    int64_t column; /**< whose value comes next; -1: not known */
    size_t len;     /**< 0: only the column is known */
    uint64_t mask;  /**< of the bytes that count in the last, incomplete or whole, 8 */
    uint8_t text[DN_JSON_GAP_BYTES];
};

/** Values of a column that are read on a short way, where they are written the usual way. */
enum dn_json_usual {
    DN_JSON_USUAL_NONE = 0,
    DN_JSON_USUAL_INT64,
    DN_JSON_USUAL_FLOAT64,
    DN_JSON_USUAL_TEXT,
    DN_JSON_USUAL_DATE,
    DN_JSON_USUAL_TIMESTAMP /**< in microseconds */
};

struct dn_json_column {
    char *name; /**< owned */
    size_t name_len;
    bool plain_name; /**< spelled in JSON as it is: no byte that a JSON string escapes */
    struct dn_type type;
    enum dn_json_usual usual;
    bool required;
    bool
        extra; /**< not declared: values are kept as text, with their kinds, until dn_json_column_seal() */
    bool last_is_null;
    int64_t last_rounded; /**< of the values in the last row */
    int64_t n_rows;       /**< rows filled; rows of absent keys are filled later */
    int64_t null_count;
    int64_t n_rounded;     /**< float64 values that are not the numbers that were written */
    int64_t first_rounded; /**< row of the first of them */
    const uint8_t *bad; /**< in the input: value of the current record that does not fit, or NULL */
    struct dn_json_gap behind; /**< its value */
    struct dn_buffer validity; /**< empty until the first null */
    struct dn_buffer values; /**< as in Arrow; texts: n_rows + 1 offsets of 64 bits until sealed */
    struct dn_buffer bytes;
    struct dn_buffer kinds;    /**< extra: one enum dn_json_kind per row */
    struct dn_builder builder; /**< of nested columns, instead of the four */
};

/** An empty flat column with a copy of `name`.  On failure the column is finished. */
DN_NODISCARD enum dn_status dn_json_column_init(struct dn_json_column *c, const char *name,
                                                size_t name_len, struct dn_type type,
                                                struct dn_error *err);
/** Make it a nested one, which is empty still; `node` must outlive it. */
DN_NODISCARD enum dn_status dn_json_column_nest(struct dn_json_column *c,
                                                const struct dn_node *node, struct dn_error *err);
void dn_json_column_finish(struct dn_json_column *c);

/** Fill with nulls up to n_rows rows. */
DN_NODISCARD enum dn_status dn_json_column_pad(struct dn_json_column *c, int64_t n_rows,
                                               struct dn_error *err);
/** Take back the last row. */
void dn_json_column_drop_last(struct dn_json_column *c);

DN_NODISCARD enum dn_status dn_json_column_put_null(struct dn_json_column *c, struct dn_error *err);
/** A value of the column's fixed width. */
DN_NODISCARD enum dn_status dn_json_column_put_fixed(struct dn_json_column *c, const void *value,
                                                     size_t width, struct dn_error *err);
/** `n` values of the last row are other numbers than those that were written. */
void dn_json_column_count_rounded(struct dn_json_column *c, int64_t n);
/** The builder has got another row. */
void dn_json_column_end_nested(struct dn_json_column *c, bool valid);
DN_NODISCARD enum dn_status dn_json_column_put_bool(struct dn_json_column *c, bool value,
                                                    struct dn_error *err);
/** A text as it is, of at most DN_JSON_WIDE bytes behind which as many can be read, or longer. */
DN_NODISCARD enum dn_status dn_json_column_put_text(struct dn_json_column *c, struct dn_span text,
                                                    struct dn_error *err);
/** Make room for as many rows, of texts that have as many bytes as the first one. */
DN_NODISCARD enum dn_status dn_json_column_reserve(struct dn_json_column *c, int64_t n_rows,
                                                   struct dn_error *err);
/** The bytes appended to `bytes` since the last row are this row's text; `kind` is kept for extra columns. */
DN_NODISCARD enum dn_status dn_json_column_end_text(struct dn_json_column *c,
                                                    enum dn_json_kind kind, struct dn_error *err);
/* Rows without a call, where there is room and no null yet. */
static inline bool dn_json_column_is_ready(const struct dn_json_column *c, size_t width)
{
    return c->validity.len == 0 && c->values.capacity - c->values.len >= width;
}
static inline void dn_json_column_add_value(struct dn_json_column *c, const void *value,
                                            size_t width)
{
    memcpy(c->values.data + c->values.len, value, width);
    c->values.len += width;
    c->last_is_null = false;
    c->last_rounded = 0;
    c->n_rows++;
}
/** As dn_json_column_put_fixed(), of a width that the compiler knows. */
static inline enum dn_status dn_json_column_add_fixed(struct dn_json_column *c, const void *value,
                                                      size_t width, struct dn_error *err)
{
    if (!dn_json_column_is_ready(c, width)) {
        return dn_json_column_put_fixed(c, value, width, err);
    }
    dn_json_column_add_value(c, value, width);
    return DN_OK;
}
/** As dn_json_column_put_text(). */
static inline enum dn_status dn_json_column_add_text(struct dn_json_column *c, struct dn_span text,
                                                     struct dn_error *err)
{
    if (text.len > DN_JSON_WIDE || c->extra || !dn_json_column_is_ready(c, sizeof(int64_t)) ||
        c->bytes.capacity - c->bytes.len < text.len || c->bytes.data == NULL) {
        return dn_json_column_put_text(c, text, err);
    }
    /* into the buffer's padding, too: no call, and no loop */
    memcpy(c->bytes.data + c->bytes.len, text.data, DN_JSON_WIDE);
    c->bytes.len += text.len;
    const int64_t end = (int64_t)c->bytes.len;
    dn_json_column_add_value(c, &end, sizeof end);
    return DN_OK;
}
static inline bool dn_json_column_is_nested(const struct dn_json_column *c)
{
    return c->builder.node != NULL;
}
/** Texts and bytes of any length. */
static inline bool dn_json_column_is_bytes(const struct dn_json_column *c)
{
    return dn_type_is_bytes(c->type);
}

/**
 * Bring the column into its final form: extra columns get the narrowest type that holds every value (bool, int64, float64,
 * else string); texts and bytes get 32-bit offsets unless they hold more than `max_utf8_bytes` bytes, or 64-bit offsets were declared.
 */
DN_NODISCARD enum dn_status dn_json_column_seal(struct dn_json_column *c, int64_t max_utf8_bytes,
                                                struct dn_error *err);

/** The same for the columns of one name in several tables: all get the one form that holds what is in any of them. */
DN_NODISCARD enum dn_status dn_json_columns_seal(struct dn_json_column *const *columns, int64_t n,
                                                 int64_t max_utf8_bytes, struct dn_error *err);

/** The columns of one batch; once exported they belong to the batch. */
struct dn_json_table {
    struct dn_json_column *columns;
    int64_t n_columns;
    int64_t capacity;
    int64_t n_rows;        /**< which a sealed column has */
    struct dn_arena nodes; /**< of nested columns */
};

void dn_json_table_finish(struct dn_json_table *t);
/** Add an empty column; *index is its place. */
DN_NODISCARD enum dn_status dn_json_table_add(struct dn_json_table *t, const char *name,
                                              size_t name_len, struct dn_type type, int64_t *index,
                                              struct dn_error *err);
/** Make the last column a nested one, whose node is copied. */
DN_NODISCARD enum dn_status
dn_json_table_nest_last(struct dn_json_table *t, const struct dn_node *node, struct dn_error *err);
/**
 * Bring every column of n >= 1 tables into its final form, with as many rows as its table has.  Column i is the same one in all of
 * them.
 */
DN_NODISCARD enum dn_status dn_json_tables_seal(struct dn_json_table *const *tables, int64_t n,
                                                struct dn_error *err);
/**
 * Move the sealed columns into a schema and a batch; `t` is empty afterwards.  On failure the outputs hold nothing and the
 * columns stay in `t`.
 */
DN_NODISCARD enum dn_status dn_json_table_export(struct dn_json_table *t,
                                                 struct ArrowSchema *out_schema,
                                                 struct ArrowArray *out_batch,
                                                 struct dn_error *err);

#endif
