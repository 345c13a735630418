/** For tests and fuzz targets: every byte that a batch leads to is looked at, so that a sanitizer sees what is out of bounds. */
#ifndef DN_TEST_BATCH_LOOK_H
#define DN_TEST_BATCH_LOOK_H

#include "arrow/nested.h"

#include <stdio.h>

/** All rows of a flat column, or how long lists are. */
static inline uint64_t batch_look_rows(const struct dn_column_view *c)
{
    const size_t width = dn_type_width(c->type);
    const bool text = dn_type_is_bytes(c->type);
    uint64_t seen = 0;

    for (int64_t row = 0; row < c->n_rows; row++) {
        size_t len = width;
        if (!dn_column_is_valid(c, row)) {
            continue;
        }
        if (dn_type_is_list(c->type)) {
            int64_t first = 0;
            int64_t n = 0;
            dn_column_list(c, row, &first, &n);
            seen += (uint64_t)(first + n);
            continue;
        }
        if (dn_type_is_nested(c->type)) {
            continue;
        }
        if (c->type.id == DN_TYPE_BOOL) {
            seen += dn_bit_get(c->values, c->offset + row);
            continue;
        }
        const uint8_t *bytes = text
                                   ? dn_column_text(c, row, &len)
                                   : (const uint8_t *)c->values + (size_t)(c->offset + row) * width;
        for (size_t k = 0; k < len; k++) {
            seen += bytes[k];
        }
    }
    return seen;
}

/** A column with all that is within; what is wrong, or NULL. */
static inline const char *batch_look_column(const struct dn_column_view *c, uint64_t *seen)
{
    const char *wrong = dn_column_bad_view(c) >= 0 ? "a view leads out of its buffers" : NULL;

    *seen += wrong == NULL ? batch_look_rows(c) : 0;
    for (int64_t i = 0; i < c->n_children && wrong == NULL; i++) {
        wrong = batch_look_column(&c->children[i], seen);
    }
    return wrong;
}

/** What is wrong with a batch, in `said`; NULL: nothing.  Columns of types that nested.h does not know are passed over. */
static inline const char *batch_look(const struct ArrowSchema *schema,
                                     const struct ArrowArray *batch, char said[static 256])
{
    uint64_t seen = 0;

    for (int64_t i = 0; i < batch->n_children; i++) {
        struct dn_arena arena = {0};
        struct dn_node node;
        struct dn_column_view c;
        struct dn_error err = {0};
        const char *wrong = NULL;
        if (batch->children[i]->length < batch->length) {
            wrong = "it is short";
        } else if (dn_schema_get_node(schema, i, &arena, &node, &err) != DN_OK) {
            wrong = NULL;
        } else if (dn_batch_get_node(batch, i, &node, &arena, &c, &err) != DN_OK) {
            wrong = err.message;
        } else if (!node.field.nullable && c.null_count != 0) {
            wrong = "it has nulls though it is required";
        } else {
            wrong = batch_look_column(&c, &seen);
        }
        if (wrong != NULL) {
            (void)snprintf(said, 256, "column %lld: %.200s", (long long)i, wrong);
        }
        dn_arena_finish(&arena);
        if (wrong != NULL) {
            return said;
        }
    }
    *(volatile uint64_t *)&seen = seen;
    return NULL;
}

#endif
