/* Messages of Arrow schemas, of anybody: any bytes are refused with a message, or give a schema that is written, and then read, the same. */
#include "fuzz_target.h"

#include "arrow/ipc_schema.h"
#include "arrow/metadata.h"
#include "base/utf8.h"

#include <string.h>

#define MAX_INPUT 20000
#define HOLDS(condition) FUZZ_CHECK(condition, "of this message")

static void check_equal(const struct ArrowSchema *a, const struct ArrowSchema *b)
{
    const size_t n_metadata = dn_metadata_size(a->metadata);

    HOLDS(strcmp(a->format, b->format) == 0 && strcmp(a->name, b->name) == 0);
    HOLDS(dn_utf8_is_valid(a->name));
    HOLDS(a->flags == b->flags && a->n_children == b->n_children);
    HOLDS(dn_metadata_size(b->metadata) == n_metadata);
    HOLDS(n_metadata == 0 || memcmp(a->metadata, b->metadata, n_metadata) == 0);
    HOLDS((a->dictionary == NULL) == (b->dictionary == NULL));
    if (a->dictionary != NULL) {
        check_equal(a->dictionary, b->dictionary);
    }
    for (int64_t i = 0; i < a->n_children; i++) {
        check_equal(a->children[i], b->children[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dn_buffer first = {0};
    struct dn_buffer second = {0};
    struct ArrowSchema schema;
    struct ArrowSchema again;
    struct dn_error err = {0};

    if (size > MAX_INPUT) {
        return 0;
    }
    const enum dn_status st = dn_ipc_schema_read((struct dn_span){data, size}, &schema, &err);
    if (st != DN_OK) {
        HOLDS(schema.release == NULL && err.message[0] != '\0');
        HOLDS(st == DN_ERR_DATA || st == DN_ERR_UNSUPPORTED);
        return 0;
    }
    HOLDS(dn_ipc_schema_write(&schema, &first, &err) == DN_OK);
    HOLDS(first.len % 8 == 0);
    HOLDS(dn_ipc_schema_read(dn_buffer_span(&first), &again, &err) == DN_OK);
    check_equal(&schema, &again);
    HOLDS(dn_ipc_schema_write(&again, &second, &err) == DN_OK);
    HOLDS(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
    schema.release(&schema);
    again.release(&again);
    dn_buffer_finish(&first);
    dn_buffer_finish(&second);
    return 0;
}
