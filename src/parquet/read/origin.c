#include "parquet/read/origin.h"

#include "arrow/ipc_schema.h"
#include "arrow/metadata.h"
#include "arrow/schema_node.h"
#include "base/utf8.h"
#include "parquet/read/convert.h"
#include "text/base64.h"
#include "values/value_parse.h"

#include <stdio.h>

/* ---- finding it ------------------------------------------------------------------------------------------------- */

/* The schema of the message in a text of base64; a text that holds none leaves *out released. */
static enum dn_status read_message(struct dn_span text, struct ArrowSchema *out,
                                   struct dn_error *err)
{
    struct dn_buffer message = {0};
    struct dn_error wrong;
    enum dn_status st = dn_buffer_reserve(&message, text.len / 4 * 3 + 4, err);

    *out = (struct ArrowSchema){0};
    if (st == DN_OK && dn_base64_decode(message.data, text.data, text.len, &message.len)) {
        const enum dn_status found = dn_ipc_schema_read(dn_buffer_span(&message), out, &wrong);
        if (found == DN_ERR_MEMORY) {
            st = found;
            *err = wrong;
        }
    }
    dn_buffer_finish(&message);
    return st;
}

static bool is_named(const struct ArrowSchema *s, struct dn_span name)
{
    return strlen(s->name) == name.len && memcmp(s->name, name.data, name.len) == 0;
}

/* Is it of these columns: as many, with the same names? */
static bool fits(const struct ArrowSchema *s, const struct dn_pq_file_info *file)
{
    const struct dn_pq_element *e = &file->elements[1];
    int64_t column = 0;

    for (uint32_t i = 1, left = 0; i < file->n_elements; i++, e++) {
        if (left == 0) {
            if (column == s->n_children || !is_named(s->children[column], e->name)) {
                return false;
            }
            column++;
        }
        left += (uint32_t)e->n_children - (left > 0 ? 1 : 0);
    }
    return column == s->n_children;
}

/* Dictionaries and runs are ways to store what is said. */
static const struct ArrowSchema *values_of(const struct ArrowSchema *s)
{
    while (s->dictionary != NULL || strcmp(s->format, "+r") == 0) {
        s = s->dictionary != NULL ? s->dictionary : s->children[1];
    }
    return s;
}

static bool is_list(const struct ArrowSchema *s)
{
    return strcmp(s->format, "+l") == 0 || strcmp(s->format, "+L") == 0 ||
           strcmp(s->format, "+vl") == 0 || strcmp(s->format, "+vL") == 0 ||
           strncmp(s->format, "+w:", 3) == 0;
}

/* What is said of child i of a node of which `s` is said; NULL: nothing that fits.  `s` may be NULL, too. */
static const struct ArrowSchema *child_of(const struct ArrowSchema *s,
                                          const struct dn_pq_node *node, size_t i)
{
    if (s == NULL) {
        return NULL;
    }
    s = values_of(s);
    if (node->type.id == DN_TYPE_LIST) {
        return is_list(s) ? s->children[0] : NULL;
    }
    if (node->type.id == DN_TYPE_MAP) {
        return strcmp(s->format, "+m") == 0 ? s->children[0] : NULL;
    }
    if (strcmp(s->format, "+s") != 0 || (size_t)s->n_children != node->n_children) {
        return NULL;
    }
    const bool is_entry = node->parent != NULL && node->parent->type.id == DN_TYPE_MAP;
    const struct dn_pq_node *child = &node->children[i];
    const struct dn_span name = {(const uint8_t *)child->name, child->name_len};
    return is_entry || is_named(s->children[i], name) ? s->children[i] : NULL;
}

/*
 * Texts that are said to be intervals are, if the bounds of all row groups are: who wrote them as such gave bounds, and what only a
 * damaged schema calls intervals does not pass for them.
 */
static bool are_intervals(const struct dn_pq_file_info *file, uint32_t i)
{
    const struct dn_type type = file->leaves[i].said;
    uint8_t value[DN_VALUE_MOST_WIDTH];

    for (uint32_t g = 0; g < file->n_groups; g++) {
        const struct dn_pq_chunk_info *c = &file->groups[g].chunks[i];
        if (c->null_count != c->n_values && (!dn_pq_interval_parse(type, c->min, value) ||
                                             !dn_pq_interval_parse(type, c->max, value))) {
            return false;
        }
    }
    return true;
}

/* Tell the leaves of a column what is said of them. */
static void tell_leaves(struct dn_pq_file_info *file, const struct dn_pq_node *node,
                        const struct ArrowSchema *s)
{
    struct dn_pq_leaf *leaf = &file->leaves[node->leaf];

    for (size_t i = 0; i < node->n_children && s != NULL; i++) {
        tell_leaves(file, &node->children[i], child_of(s, node, i));
    }
    if (node->n_children > 0 || s == NULL) {
        return;
    }
    s = values_of(s);
    leaf->is_said =
        dn_type_from_format(s->format, s->metadata, &leaf->said) && !dn_type_is_nested(leaf->said);
    if (leaf->is_said && dn_type_is_interval(leaf->said)) {
        leaf->is_said = are_intervals(file, node->leaf);
    }
}

static enum dn_status tell_columns(struct dn_pq_file_info *file, struct dn_error *err)
{
    struct dn_arena arena = {0};
    struct dn_pq_column *columns = NULL;
    struct dn_pq_node node;
    struct dn_error wrong;
    uint32_t n = 0;
    enum dn_status st = dn_pq_columns_find(file, &arena, &columns, &n, err);

    for (uint32_t i = 0; i < n && st == DN_OK; i++) {
        const enum dn_status made = dn_pq_node_make(file, &columns[i], &arena, &node, &wrong);
        if (made == DN_OK) { /* what cannot be read is said when it is asked for */
            tell_leaves(file, &node, file->origin.children[i]);
        } else if (made == DN_ERR_MEMORY) {
            st = made;
            *err = wrong;
        }
    }
    dn_arena_finish(&arena);
    return st;
}

enum dn_status dn_pq_origin_find(struct dn_pq_file_info *file, struct dn_error *err)
{
    for (uint32_t i = 0; i < file->n_pairs && file->origin.release == NULL; i++) {
        if (dn_metadata_is(file->pairs[i].key, DN_PQ_ARROW_SCHEMA_KEY)) {
            DN_TRY(read_message(file->pairs[i].value, &file->origin, err));
        }
    }
    if (file->origin.release == NULL) {
        return DN_OK;
    }
    if (!fits(&file->origin, file)) {
        file->origin.release(&file->origin);
        return DN_OK;
    }
    return tell_columns(file, err);
}

/* ---- metadata --------------------------------------------------------------------------------------------------- */

static struct dn_span span_of(const char *text)
{
    return (struct dn_span){(const uint8_t *)text, strlen(text)};
}

static bool is_extension(struct dn_span key)
{
    static const char lead[] = "ARROW:extension:";

    return key.len >= sizeof lead - 1 && memcmp(key.data, lead, sizeof lead - 1) == 0;
}

/* Is what is given out made as what was said, and all that is within? */
static bool is_made_alike(const struct ArrowSchema *given, const struct ArrowSchema *said)
{
    bool alike = strcmp(given->format, said->format) == 0 && said->dictionary == NULL &&
                 given->n_children == said->n_children;

    for (int64_t i = 0; alike && i < said->n_children; i++) {
        alike = is_made_alike(given->children[i], said->children[i]);
    }
    return alike;
}

/* Metadata of a node: what the writer said, the number of the field, and what makes an extension of it. */
static enum dn_status collect(const struct dn_pq_node *node, const struct ArrowSchema *said,
                              const struct ArrowSchema *given, struct dn_buffer *out,
                              struct dn_error *err)
{
    const char *extension = dn_type_extension_name(node->type);
    const bool takes_extensions = extension == NULL && said != NULL && is_made_alike(given, said);
    struct dn_metadata_reader r;
    struct dn_span key;
    struct dn_span value;
    char id[16];

    dn_metadata_begin(&r, said != NULL ? said->metadata : NULL);
    while (dn_metadata_next(&r, &key, &value)) {
        if (!dn_metadata_is(key, DN_METADATA_FIELD_ID) &&
            (takes_extensions || !is_extension(key))) {
            DN_TRY(dn_metadata_add(out, key, value, err));
        }
    }
    if (node->element != NULL && node->element->has_field_id) {
        (void)snprintf(id, sizeof id, "%d", (int)node->element->field_id);
        DN_TRY(dn_metadata_add(out, span_of(DN_METADATA_FIELD_ID), span_of(id), err));
    }
    return extension == NULL
               ? DN_OK
               : dn_metadata_add(out, span_of(DN_METADATA_EXTENSION), span_of(extension), err);
}

/* The node with that metadata in place of its own; none leaves it alone. */
static enum dn_status set_metadata(struct ArrowSchema *node, const struct dn_buffer *metadata,
                                   struct dn_error *err)
{
    struct ArrowSchema with;

    if (metadata->len == 0) {
        return DN_OK;
    }
    DN_TRY(dn_schema_node_copy(&with, node, NULL, (const char *)metadata->data, err));
    node->release(node);
    *node = with;
    return DN_OK;
}

static enum dn_status add_metadata(const struct dn_pq_node *node, const struct ArrowSchema *said,
                                   struct ArrowSchema *given, struct dn_error *err)
{
    struct dn_buffer metadata = {0};
    enum dn_status st = collect(node, said, given, &metadata, err);

    if (st == DN_OK) {
        st = set_metadata(given, &metadata, err);
    }
    dn_buffer_finish(&metadata);
    for (size_t i = 0; i < node->n_children && st == DN_OK; i++) {
        st = add_metadata(&node->children[i], child_of(said, node, i), given->children[i], err);
    }
    return st;
}

enum dn_status dn_pq_origin_add_metadata(const struct dn_pq_file_info *file,
                                         const struct dn_pq_node *column,
                                         struct ArrowSchema *schema, struct dn_error *err)
{
    const struct ArrowSchema *said = file->origin.release != NULL
                                         ? file->origin.children[file->leaves[column->leaf].column]
                                         : NULL;

    return add_metadata(column, said, schema, err);
}

enum dn_status dn_pq_origin_add_pairs(const struct dn_pq_file_info *file,
                                      struct ArrowSchema *schema, struct dn_error *err)
{
    struct dn_buffer metadata = {0};
    enum dn_status st = DN_OK;

    for (uint32_t i = 0; i < file->n_pairs; i++) {
        const struct dn_pq_pair *p = &file->pairs[i];
        if (!dn_metadata_is(p->key, DN_PQ_ARROW_SCHEMA_KEY) &&
            dn_utf8_is_valid_n(p->key.data, p->key.len) &&
            dn_utf8_is_valid_n(p->value.data, p->value.len)) {
            DN_TRY_GOTO(st, dn_metadata_add(&metadata, p->key, p->value, err), cleanup);
        }
    }
    st = set_metadata(schema, &metadata, err);
cleanup:
    dn_buffer_finish(&metadata);
    return st;
}
