#include "arrow/schema.h"
#include "base/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare_names(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;
    return strcmp(*left, *right);
}

static bool is_name_taken(const char *const *sorted, size_t n, const char *name)
{
    return bsearch(&name, sorted, n, sizeof(*sorted), compare_names) != NULL;
}

/* Does one of the fields before i have field i's name?  Quadratic only among repeated names. */
static bool is_repeated(const struct dn_field *fields, int64_t i, const char *const *sorted,
                        size_t n)
{
    const char *name = fields[i].name;
    size_t count = 0;
    const char *const *at = bsearch(&name, sorted, n, sizeof(*sorted), compare_names);
    if (at == NULL) {
        return false;
    }
    while (at > sorted && strcmp(at[-1], name) == 0) {
        at--;
    }
    for (; at < sorted + n && strcmp(*at, name) == 0; at++) {
        count++;
    }
    for (int64_t before = 0; count > 1 && before < i; before++) {
        if (strcmp(fields[before].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* name_1, name_2, ...: the first that is neither a column's own name nor given out already. */
static enum dn_status make_name(struct dn_arena *arena, const char *name, const char *const *sorted,
                                size_t n, const char *const *given, size_t n_given,
                                const char **out, struct dn_error *err)
{
    const size_t size = strlen(name) + 24;
    char *text = dn_arena_alloc(arena, size);
    if (text == NULL) {
        return dn_error_memory(err, size);
    }
    for (unsigned suffix = 1;; suffix++) {
        bool taken = false;
        (void)snprintf(text, size, "%s_%u", name, suffix);
        for (size_t i = 0; i < n_given; i++) {
            taken = taken || strcmp(given[i], text) == 0;
        }
        if (!taken && !is_name_taken(sorted, n, text)) {
            *out = text;
            return DN_OK;
        }
    }
}

enum dn_status dn_schema_copy_unique(struct ArrowSchema *out, const struct ArrowSchema *schema,
                                     struct dn_error *err)
{
    const size_t n = (size_t)schema->n_children;
    struct dn_arena arena = {0};
    enum dn_status st = DN_OK;
    size_t n_given = 0;
    struct dn_field *fields = dn_arena_alloc(&arena, (n + 1) * sizeof(*fields));
    const char **sorted = dn_arena_alloc(&arena, (n + 1) * sizeof(*sorted));
    const char **given = dn_arena_alloc(&arena, (n + 1) * sizeof(*given));
    const char **names = dn_arena_alloc(&arena, (n + 1) * sizeof(*names));

    if (fields == NULL || sorted == NULL || given == NULL || names == NULL) {
        st = dn_error_memory(err, n * sizeof(*fields));
        goto cleanup;
    }
    for (size_t i = 0; i < n; i++) {
        DN_TRY_GOTO(st, dn_schema_get_field(schema, (int64_t)i, &fields[i], err), cleanup);
        sorted[i] = fields[i].name;
    }
    qsort(sorted, n, sizeof(*sorted), compare_names);
    for (size_t i = 0; i < n; i++) {
        names[i] = fields[i].name;
        if (is_repeated(fields, (int64_t)i, sorted, n)) {
            DN_TRY_GOTO(
                st, make_name(&arena, fields[i].name, sorted, n, given, n_given, &names[i], err),
                cleanup);
            given[n_given++] = names[i];
        }
    }
    for (size_t i = 0; i < n; i++) {
        fields[i].name = names[i];
    }
    st = dn_schema_make(out, fields, (int64_t)n, err);
cleanup:
    dn_arena_finish(&arena);
    return st;
}
