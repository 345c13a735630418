/* Schema and batches of readers whose files have columns by their places. */
#include "reader_places_internal.h"

#include "arrow/nested.h"
#include "base/memory.h"

#include <string.h>

/* How many columns the rows have, and which place each of them is; -1: one of the files' own. */
static size_t n_columns(const struct dn_reader_places *p, int64_t n_own)
{
    return p->projected ? p->n_shown : (size_t)n_own + p->n_shown;
}

static int64_t column_at(const struct dn_reader_places *p, int64_t n_own, size_t i)
{
    return p->projected ? p->shown[i] : i < (size_t)n_own ? -1 : p->shown[i - (size_t)n_own];
}

enum dn_status dn_reader_places_schema(const struct dn_reader_places *p, struct ArrowSchema *schema,
                                       struct dn_error *err)
{
    enum dn_status st = DN_OK;

    if (p == NULL) {
        return DN_OK;
    }
    const size_t n = n_columns(p, schema->n_children);
    struct dn_node *nodes = dn_calloc(n + 1, sizeof(*nodes));
    struct ArrowSchema **children = dn_calloc(n + 1, sizeof(struct ArrowSchema *));
    struct ArrowSchema from = *schema;
    struct ArrowSchema places = {0};
    struct ArrowSchema out = {0};
    int64_t n_places = 0;
    int64_t own = 0;
    if (nodes == NULL || children == NULL) {
        st = dn_error_memory(err, n * sizeof(*nodes));
        goto cleanup;
    }
    for (size_t i = 0; i < n; i++) {
        const int64_t at = column_at(p, schema->n_children, i);
        if (at >= 0) {
            const struct place *place = &p->places[at];
            nodes[n_places++].field = (struct dn_field){place->name, place->type, !place->required};
        }
    }
    DN_TRY_GOTO(st, dn_schema_make_nodes(&places, nodes, n_places, err), cleanup);
    n_places = 0;
    for (size_t i = 0; i < n; i++) {
        children[i] = column_at(p, schema->n_children, i) >= 0 ? places.children[n_places++]
                                                               : schema->children[own++];
    }
    from.n_children =
        (int64_t)n; /* a list of ours over what is there, to be copied: metadata, too */
    from.children = children;
    st = dn_schema_copy(&out, &from, err);
    if (st == DN_OK) {
        schema->release(schema);
        *schema = out;
    }
cleanup:
    if (places.release != NULL) {
        places.release(&places);
    }
    dn_free((void *)children);
    dn_free(nodes);
    return st;
}

/* The numbers of a batch's rows, a block of their own. */
static enum dn_status numbers_for(const struct dn_reader_places *p, struct place *place,
                                  int64_t n_rows, struct constant **out, struct dn_error *err)
{
    int64_t *numbers = NULL;

    DN_TRY(constant_numbers(&place->constant, n_rows, &numbers, err));
    if (p->number != NULL) {
        p->number(p->numbered, n_rows, numbers);
    } else {
        for (int64_t i = 0; i < n_rows; i++) {
            numbers[i] = p->n_rows + 1 + i;
        }
    }
    *out = place->constant;
    return DN_OK;
}

/* A place's column for a batch of a file: the block of before, if it is of this value and long enough. */
static enum dn_status constant_for(struct place *place, size_t file, int64_t n_rows,
                                   struct constant **out, struct dn_error *err)
{
    const char *text = place->texts[file];
    const char *before = place->constant != NULL ? place->texts[place->made_of] : NULL;
    const bool same =
        place->constant != NULL &&
        (text == before || (text != NULL && before != NULL && strcmp(text, before) == 0));

    if (!same || constant_rows(place->constant) < n_rows) {
        const int64_t rows = same ? 2 * n_rows : n_rows;
        struct constant *made = NULL;
        DN_TRY(constant_make(&made, place->type, place->declared != NULL, text, rows, err));
        constant_release(place->constant);
        place->constant = made;
        place->made_of = file;
    }
    *out = place->constant;
    return DN_OK;
}

/* A batch over one of the library's and one of constants; children live in them, so that a consumer can move them out. */
struct joined {
    struct ArrowArray given;
    struct ArrowArray added;
    const void *no_validity;
    struct ArrowArray *children[];
};

static void release_joined(struct ArrowArray *array)
{
    struct joined *j = array->private_data;

    j->given.release(&j->given);
    j->added.release(&j->added);
    dn_free(j);
    array->release = NULL;
}

/* The constants of all places that are shown, in that order, as often as they are. */
static enum dn_status make_added(struct dn_reader_places *p, size_t file,
                                 const struct ArrowArray *batch, struct ArrowArray *out,
                                 struct dn_error *err)
{
    const size_t n = n_columns(p, batch->n_children);
    struct constant **constants = dn_calloc(n + 1, sizeof(void *));
    size_t n_added = 0;
    enum dn_status st = DN_OK;

    if (constants == NULL) {
        return dn_error_memory(err, n * sizeof(void *));
    }
    for (size_t i = 0; i < p->n; i++) {
        if (p->places[i].is_count) { /* of the batch before */
            constant_release(p->places[i].constant);
            p->places[i].constant = NULL;
        }
    }
    for (size_t i = 0; i < n; i++) {
        const int64_t at = column_at(p, batch->n_children, i);
        if (at >= 0) {
            struct place *place = &p->places[at];
            struct constant **to = &constants[n_added++];
            st = !place->is_count          ? constant_for(place, file, batch->length, to, err)
                 : place->constant == NULL ? numbers_for(p, place, batch->length, to, err)
                                           : DN_OK;
            if (st != DN_OK) {
                goto cleanup;
            }
            *to = place->constant;
        }
    }
    st = constant_export(out, constants, n_added, batch->length, err);
cleanup:
    dn_free(constants);
    return st;
}

void dn_reader_places_begin(struct dn_reader_places *p, int64_t n_rows)
{
    if (p != NULL) {
        p->n_rows = n_rows;
    }
}

enum dn_status dn_reader_places_add(struct dn_reader_places *p, size_t file,
                                    struct ArrowArray *batch, struct dn_error *err)
{
    if (p == NULL || batch->release == NULL) {
        return DN_OK;
    }
    const size_t n = n_columns(p, batch->n_children);
    struct joined *j = dn_calloc(1, sizeof(*j) + (n + 1) * sizeof(struct ArrowArray *));
    size_t own = 0;
    size_t added = 0;
    if (j == NULL) {
        return dn_error_memory(err, n * sizeof(struct ArrowArray *));
    }
    const enum dn_status st = make_added(p, file, batch, &j->added, err);
    if (st != DN_OK) {
        dn_free(j);
        return st;
    }
    j->given = *batch;
    p->n_rows += batch->length;
    for (size_t i = 0; i < n; i++) {
        j->children[i] = column_at(p, batch->n_children, i) >= 0 ? j->added.children[added++]
                                                                 : j->given.children[own++];
    }
    *batch = (struct ArrowArray){
        .length = j->given.length,
        .n_buffers = 1,
        .buffers = &j->no_validity,
        .n_children = (int64_t)n,
        .children = j->children,
        .release = release_joined,
        .private_data = j,
    };
    return DN_OK;
}
