#include "arrow/schema.h"
#include "arrow/schema_node.h"
#include "base/memory.h"
#include "base/name_map.h"

#include <string.h>

static enum dn_status rename_column(struct ArrowSchema *column, const char *name,
                                    struct dn_error *err)
{
    struct ArrowSchema renamed;

    DN_TRY(dn_schema_node_copy(&renamed, column, name, NULL, err));
    column->release(column);
    *column = renamed; /* children are reached by pointers, so it may be moved */
    return DN_OK;
}

enum dn_status dn_schema_copy_unique(struct ArrowSchema *out, const struct ArrowSchema *schema,
                                     struct dn_error *err)
{
    struct dn_arena arena = {0};
    struct dn_name *names = NULL;
    enum dn_status st = DN_OK;

    DN_TRY(dn_schema_copy(out, schema, err));
    const size_t n = (size_t)out->n_children;
    names = dn_calloc(n + 1, sizeof(*names));
    if (names == NULL) {
        st = dn_error_memory(err, n * sizeof(*names));
        goto cleanup;
    }
    for (size_t i = 0; i < n; i++) {
        names[i] = (struct dn_name){out->children[i]->name, strlen(out->children[i]->name)};
    }
    DN_TRY_GOTO(st, dn_names_make_unique(names, n, &arena, err), cleanup);
    for (size_t i = 0; i < n; i++) {
        if (names[i].text != out->children[i]->name) {
            DN_TRY_GOTO(st, rename_column(out->children[i], names[i].text, err), cleanup);
        }
    }
cleanup:
    if (st != DN_OK) {
        out->release(out);
    }
    dn_free(names);
    dn_arena_finish(&arena);
    return st;
}
