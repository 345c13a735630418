#include "parquet/read/rows_json.h"

#include "base/memory.h"
#include "base/name_map.h"
#include "base/strings.h"
#include "parquet/read/column.h"
#include "parquet/read/tree.h"
#include "parquet/read/value.h"

#include <string.h>

#define MAX_ROW_BYTES ((size_t)512 << 20) /* of decoded values */

/* A leaf, and how far it was shown. */
struct shown_leaf {
    struct dn_pq_cells cells;
    size_t level;
    size_t value;
};

struct shown {
    const struct dn_pq_file_info *file;
    struct shown_leaf *leaves; /* of the file */
    struct dn_buffer *out;
    struct dn_error *err;
};

/* ---- names ------------------------------------------------------------------------------------------------------ */

/*
 * A JSON object holds a key once: of columns that share a name the first keeps it, the others get _1, _2, ...; and so do the fields of
 * every struct.
 */
static enum dn_status prepare_names(struct dn_pq_node *nodes, size_t n, struct dn_arena *arena,
                                    struct dn_error *err)
{
    struct dn_name *names = dn_arena_alloc(arena, (n + 1) * sizeof *names);

    if (names == NULL) {
        return dn_error_memory(err, n * sizeof *names);
    }
    for (size_t i = 0; i < n; i++) {
        names[i] = (struct dn_name){nodes[i].name, nodes[i].name_len};
        if (memchr(nodes[i].name, '\0', nodes[i].name_len) != NULL) {
            (void)dn_error_set(err, DN_ERR_UNSUPPORTED,
                               "the name of the column \"%.100s\" holds a zero byte; rows are "
                               "shown of files without such names only",
                               nodes[i].name);
            dn_error_locate(err, NULL, -1, -1, -1, nodes[i].name);
            return DN_ERR_UNSUPPORTED;
        }
        DN_TRY(prepare_names(nodes[i].children, nodes[i].n_children, arena, err));
    }
    DN_TRY(dn_names_make_unique(names, n, arena, err));
    for (size_t i = 0; i < n; i++) {
        nodes[i].name = names[i].text;
        nodes[i].name_len = names[i].len;
    }
    return DN_OK;
}

/* ---- levels ----------------------------------------------------------------------------------------------------- */

static enum dn_status fail_levels(const struct shown *s, const struct dn_pq_node *node)
{
    const char *path = s->file->leaves[node->leaf].path;

    (void)dn_error_set(s->err, DN_ERR_DATA,
                       "column \"%.100s\": its levels are damaged: they make no rows, or other "
                       "lists than those of the columns beside it",
                       path);
    dn_error_locate(s->err, NULL, -1, -1, -1, path);
    return DN_ERR_DATA;
}

static bool has_level(const struct shown_leaf *leaf)
{
    return leaf->level < leaf->cells.n_levels;
}

static int32_t def_of(const struct shown_leaf *leaf)
{
    return leaf->cells.defs.len > 0 ? leaf->cells.defs.data[leaf->level] : 0;
}

static int32_t rep_of(const struct shown_leaf *leaf)
{
    return leaf->cells.reps.len > 0 ? leaf->cells.reps.data[leaf->level] : 0;
}

/* Go behind a null or an empty list: every leaf within has one level for it, from `least` on and below `end`. */
static enum dn_status skip_nothing(struct shown *s, const struct dn_pq_node *node, int32_t least,
                                   int32_t end)
{
    for (uint32_t i = 0; i < node->n_leaves; i++) {
        struct shown_leaf *leaf = &s->leaves[node->leaf + i];
        if (!has_level(leaf) || def_of(leaf) < least || def_of(leaf) >= end) {
            return fail_levels(s, node);
        }
        leaf->level++;
    }
    return DN_OK;
}

/* ---- values ----------------------------------------------------------------------------------------------------- */

static enum dn_status put_node(struct shown *s, const struct dn_pq_node *node);

static enum dn_status put(struct shown *s, const char *text)
{
    return dn_text_append(s->out, text, s->err);
}

static enum dn_status put_fields(struct shown *s, const struct dn_pq_node *nodes, size_t n)
{
    DN_TRY(put(s, "{"));
    for (size_t i = 0; i < n; i++) {
        DN_TRY(put(s, i > 0 ? "," : ""));
        DN_TRY(dn_text_append_json_string(s->out, nodes[i].name, nodes[i].name_len, s->err));
        DN_TRY(put(s, ":"));
        DN_TRY(put_node(s, &nodes[i]));
    }
    return put(s, "}");
}

static enum dn_status put_value(struct shown *s, const struct dn_pq_node *node)
{
    struct shown_leaf *leaf = &s->leaves[node->leaf];

    leaf->level++;
    return dn_pq_value_json(s->out, &s->file->leaves[node->leaf],
                            dn_pq_cells_get(&leaf->cells, leaf->value++), 0, s->err);
}

static bool has_text_keys(const struct shown *s, const struct dn_pq_node *list)
{
    if (list->type.id != DN_TYPE_MAP) {
        return false; /* and its item may have nothing within */
    }
    const struct dn_pq_node *key = &list->children[0].children[0];

    return key->n_children == 0 &&
           dn_pq_leaf_shown(&s->file->leaves[key->leaf]) == DN_PQ_SHOWN_TEXT;
}

/* Are the texts that are the keys of the map at hand there, and none of them twice? */
static enum dn_status find_texts(struct shown *s, const struct dn_pq_node *map, bool *out)
{
    const struct dn_pq_node *key = &map->children[0].children[0];
    struct shown_leaf at = s->leaves[key->leaf];
    struct dn_name_map keys = {0};
    enum dn_status st = DN_OK;

    *out = true;
    while (*out && st == DN_OK) {
        *out = def_of(&at) >= key->valid_def;
        if (*out) {
            const struct dn_span text = dn_pq_cells_get(&at.cells, at.value++);
            *out = dn_name_map_get(&keys, (const char *)text.data, text.len) < 0;
            st = !*out ? DN_OK
                       : dn_name_map_add(&keys, (const char *)text.data, text.len, 0, s->err);
        }
        at.level++;
        if (!has_level(&at) || rep_of(&at) <= map->n_lists) {
            break;
        }
    }
    dn_name_map_finish(&keys);
    return st;
}

/* An entry of a map as a member of an object. */
static enum dn_status put_member(struct shown *s, const struct dn_pq_node *entry)
{
    const struct dn_pq_node *key = &entry->children[0];

    DN_TRY(put_value(s, key)); /* find_texts() saw that it is there */
    DN_TRY(put(s, ":"));
    return put_node(s, &entry->children[1]);
}

/* Do all leaves of a list go on with it, or none? */
static bool agree(const struct shown *s, const struct dn_pq_node *list, bool more)
{
    for (uint32_t i = 0; i < list->n_leaves; i++) {
        const struct shown_leaf *leaf = &s->leaves[list->leaf + i];
        const int32_t rep = has_level(leaf) ? rep_of(leaf) : 0;
        if (more ? rep != list->n_lists + 1 : rep > list->n_lists) {
            return false;
        }
    }
    return true;
}

static enum dn_status put_list(struct shown *s, const struct dn_pq_node *list)
{
    const struct shown_leaf *first = &s->leaves[list->leaf];
    bool is_object = has_text_keys(s, list);

    if (def_of(first) < list->item_def) {
        DN_TRY(skip_nothing(s, list, list->valid_def, list->item_def));
        return put(s, is_object ? "{}" : "[]");
    }
    if (is_object) {
        DN_TRY(find_texts(s, list, &is_object));
    }
    DN_TRY(put(s, is_object ? "{" : "["));
    for (bool more = true; more;) {
        DN_TRY(is_object ? put_member(s, list->children) : put_node(s, list->children));
        more = has_level(first) && rep_of(first) == list->n_lists + 1;
        if (!agree(s, list, more)) {
            return fail_levels(s, list);
        }
        DN_TRY(put(s, more ? "," : ""));
    }
    return put(s, is_object ? "}" : "]");
}

/* The next one of a node; its leaves stand at the first level of it. */
static enum dn_status put_node(struct shown *s, const struct dn_pq_node *node)
{
    const struct shown_leaf *first = &s->leaves[node->leaf];

    if (!has_level(first)) {
        return fail_levels(s, node);
    }
    if (def_of(first) < node->valid_def) {
        DN_TRY(skip_nothing(s, node, node->slot_def, node->valid_def));
        return put(s, "null");
    }
    if (dn_pq_node_is_list(node)) {
        return put_list(s, node);
    }
    return node->n_children > 0 ? put_fields(s, node->children, node->n_children)
                                : put_value(s, node);
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

static enum dn_status put_rows(struct shown *s, const struct dn_pq_node *columns, uint32_t n,
                               size_t n_rows)
{
    DN_TRY(put(s, ",\"rows\":["));
    for (size_t row = 0; row < n_rows; row++) {
        DN_TRY(put(s, row > 0 ? "," : ""));
        for (uint32_t i = 0; i < s->file->n_leaves; i++) {
            if (has_level(&s->leaves[i]) && rep_of(&s->leaves[i]) != 0) {
                return fail_levels(s, &(struct dn_pq_node){.leaf = i});
            }
        }
        DN_TRY(put_fields(s, columns, n));
    }
    return put(s, "]");
}

/* The columns as nodes, with the names that they are shown by. */
static enum dn_status make_nodes(const struct dn_pq_file_info *file, struct dn_arena *arena,
                                 struct dn_pq_node **out, uint32_t *n, struct dn_error *err)
{
    struct dn_pq_column *found = NULL;

    DN_TRY(dn_pq_columns_find(file, arena, &found, n, err));
    *out = dn_arena_alloc(arena, ((size_t)*n + 1) * sizeof **out);
    if (*out == NULL) {
        return dn_error_memory(err, *n * sizeof **out);
    }
    for (uint32_t i = 0; i < *n; i++) {
        DN_TRY(dn_pq_node_make(file, &found[i], arena, &(*out)[i], err));
    }
    return prepare_names(*out, *n, arena, err);
}

enum dn_status dn_pq_rows_json(struct dn_buffer *out, struct dn_source *source,
                               const struct dn_pq_file_info *file, int64_t n_rows,
                               struct dn_error *err)
{
    const int64_t n = n_rows < file->n_rows ? n_rows : file->n_rows;
    struct shown s = {.file = file, .out = out, .err = err};
    struct dn_pq_node *columns = NULL;
    struct dn_arena arena = {0};
    uint32_t n_columns = 0;
    size_t budget = MAX_ROW_BYTES;
    enum dn_status st = DN_OK;

    DN_TRY_GOTO(st, make_nodes(file, &arena, &columns, &n_columns, err), cleanup);
    s.leaves = dn_calloc((size_t)file->n_leaves + 1, sizeof *s.leaves);
    if (s.leaves == NULL) {
        st = dn_error_memory(err, file->n_leaves * sizeof *s.leaves);
        goto cleanup;
    }
    for (uint32_t i = 0; i < file->n_leaves; i++) {
        DN_TRY_GOTO(st, dn_pq_cells_read(source, file, i, n, &budget, &s.leaves[i].cells, err),
                    cleanup);
    }
    st = put_rows(&s, columns, n_columns, (size_t)n);
cleanup:
    for (uint32_t i = 0; s.leaves != NULL && i < file->n_leaves; i++) {
        dn_pq_cells_finish(&s.leaves[i].cells);
    }
    dn_free(s.leaves);
    dn_arena_finish(&arena);
    return st;
}
