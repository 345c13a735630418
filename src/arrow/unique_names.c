#include "arrow/schema.h"
#include "base/memory.h"
#include "base/name_map.h"

#include <string.h>

enum dn_status dn_schema_copy_unique(struct ArrowSchema *out, const struct ArrowSchema *schema,
                                     struct dn_error *err)
{
    const size_t n = (size_t)schema->n_children;
    struct dn_arena arena = {0};
    enum dn_status st = DN_OK;
    struct dn_field *fields = dn_calloc(n + 1, sizeof(*fields));
    struct dn_name *names = dn_calloc(n + 1, sizeof(*names));

    if (fields == NULL || names == NULL) {
        st = dn_error_memory(err, n * sizeof(*fields));
        goto cleanup;
    }
    for (size_t i = 0; i < n; i++) {
        DN_TRY_GOTO(st, dn_schema_get_field(schema, (int64_t)i, &fields[i], err), cleanup);
        names[i] = (struct dn_name){fields[i].name, strlen(fields[i].name)};
    }
    DN_TRY_GOTO(st, dn_names_make_unique(names, n, &arena, err), cleanup);
    for (size_t i = 0; i < n; i++) {
        fields[i].name = names[i].text;
    }
    st = dn_schema_make(out, fields, (int64_t)n, err);
cleanup:
    dn_free(fields);
    dn_free(names);
    dn_arena_finish(&arena);
    return st;
}
