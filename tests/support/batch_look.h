/** For tests and fuzz targets: every byte that a batch leads to is looked at, so that a sanitizer sees what is out of bounds. */
#ifndef DN_TEST_BATCH_LOOK_H
#define DN_TEST_BATCH_LOOK_H

#include "arrow/batch.h"

#include <stdio.h>

/** What is wrong with a batch, in `said`; NULL: nothing.  Columns of types that batch.h does not know are passed over. */
static inline const char *batch_look(const struct ArrowSchema *schema,
                                     const struct ArrowArray *batch, char said[static 256])
{
    uint64_t seen = 0;

    for (int64_t i = 0; i < batch->n_children; i++) {
        struct dn_field field;
        struct dn_column_view c;
        struct dn_error err = {0};
        const char *wrong = NULL;
        if (batch->children[i]->length < batch->length) {
            wrong = "it is short";
        } else if (dn_schema_get_field(schema, i, &field, &err) != DN_OK) {
            continue;
        } else if (dn_batch_get_column(batch, i, &field, &c, &err) != DN_OK) {
            wrong = err.message;
        } else if (!field.nullable && c.null_count != 0) {
            wrong = "it has nulls though it is required";
        } else if (dn_column_bad_view(&c) >= 0) {
            wrong = "a view leads out of its buffers";
        }
        if (wrong != NULL) {
            (void)snprintf(said, 256, "column %lld: %.200s", (long long)i, wrong);
            return said;
        }
        const size_t width = dn_type_width(c.type);
        const bool text = dn_type_is_bytes(c.type);
        for (int64_t row = 0; row < batch->length; row++) {
            size_t len = width;
            if (!dn_column_is_valid(&c, row)) {
                continue;
            }
            if (c.type.id == DN_TYPE_BOOL) {
                seen += dn_bit_get(c.values, c.offset + row);
                continue;
            }
            const uint8_t *bytes =
                text ? dn_column_text(&c, row, &len)
                     : (const uint8_t *)c.values + (size_t)(c.offset + row) * width;
            for (size_t k = 0; k < len; k++) {
                seen += bytes[k];
            }
        }
    }
    *(volatile uint64_t *)&seen = seen;
    return NULL;
}

#endif
