/* JSON records for tests in Python: records_json_write() of a shared library. */
#include "json/records.h"

#include "base/memory.h"

/** Rows as a text for records_json_free(); NULL: *err says why. */
DN_API char *records_json_write(struct ArrowSchema *schema, struct ArrowArray *batch, int64_t row,
                                int64_t n_rows, struct dn_error *err);
DN_API void records_json_free(char *text);

char *records_json_write(struct ArrowSchema *schema, struct ArrowArray *batch, int64_t row,
                         int64_t n_rows, struct dn_error *err)
{
    struct dn_buffer out = {0};
    char *text = NULL;

    if (dn_records_write(&out, schema, batch, row, n_rows, err) == DN_OK) {
        text = dn_strndup((const char *)out.data, out.len);
    }
    dn_buffer_finish(&out);
    batch->release(batch);
    schema->release(schema);
    return text;
}

void records_json_free(char *text)
{
    dn_free(text);
}
