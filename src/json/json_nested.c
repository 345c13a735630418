/*
 * Nested values.  A value that does not fit ends the reading of its row, whatever is still to come: then the row is taken back and gone
 * over as text, for a later duplicate of the key may replace it.  If none does the row is read once more, to say where in it the value is.
 */
#include "json/json_nested.h"

#include "base/name_map.h"
#include "values/value_text.h"
#include "json/json_path.h"
#include "json/json_value.h"

/* Bytes of a type in a message. */
#define SHOWN_TYPE 160
/* Lists of one length that are null have items all the same. */
#define MOST_NULL_VALUES (INT64_C(1) << 24)

struct nested {
    struct dn_json_lexer *lx;
    struct dn_buffer *scratch;
    int64_t n_rounded;
    bool report;              /* errors are made, and so the path is followed */
    struct dn_json_path path; /* where it stands */
    struct dn_error *err;
};

static enum dn_status read_node(struct nested *r, struct dn_builder *b, int depth);

/* Values that a null makes within: structs have theirs, and lists of one length all of their items. */
static int64_t values_of_null(const struct dn_node *node)
{
    const struct dn_type type = node->field.type;
    const int64_t times = type.id == DN_TYPE_FIXED_LIST ? type.width : 1;
    int64_t n = 0;

    if (type.id != DN_TYPE_STRUCT && type.id != DN_TYPE_FIXED_LIST) {
        return 1;
    }
    for (int64_t i = 0; i < node->n_children; i++) {
        n += values_of_null(&node->children[i]);
        n = n < MOST_NULL_VALUES ? n : MOST_NULL_VALUES;
    }
    return times > MOST_NULL_VALUES / (n + 1) ? MOST_NULL_VALUES : times * n + 1;
}

bool dn_json_nested_can_read(const struct dn_node *node)
{
    const struct dn_type type = node->field.type;

    if (values_of_null(node) >= MOST_NULL_VALUES || !dn_type_is_valid(type) ||
        type.id == DN_TYPE_LIST_VIEW || type.id == DN_TYPE_LARGE_LIST_VIEW ||
        type.id == DN_TYPE_DICTIONARY || type.id == DN_TYPE_RUN_END) {
        return false;
    }
    for (int64_t i = 0; i < node->n_children; i++) {
        if (!dn_json_nested_can_read(&node->children[i])) {
            return false;
        }
        for (int64_t before = 0; type.id == DN_TYPE_STRUCT && before < i; before++) {
            if (strcmp(node->children[before].field.name, node->children[i].field.name) == 0) {
                return false;
            }
        }
    }
    return true;
}

/* ---- what does not fit ------------------------------------------------------------------------------------------- */

/* The type of a node in a few words. */
static enum dn_status type_text(const struct dn_node *node, struct dn_buffer *out,
                                struct dn_error *err)
{
    DN_TRY(dn_node_print(node, out, err));
    if (out->len > SHOWN_TYPE) {
        out->len = SHOWN_TYPE;
        DN_TRY(dn_buffer_append(out, "...", 3, err));
    }
    return dn_buffer_append_byte(out, 0, err);
}

/* `value` is no value of the node; `what` is wrong with it, and what to do, or NULL. */
static enum dn_status misfit(struct nested *r, const struct dn_node *node, const uint8_t *value,
                             const char *what, const char *advice)
{
    struct dn_buffer expected = {0};
    char place[DN_JSON_PATH_SIZE];

    if (!r->report) {
        return DN_ERR_TYPE;
    }
    enum dn_status st = type_text(node, &expected, r->err);
    if (st == DN_OK) {
        const struct dn_json_misfit m = {.value = value,
                                         .type = node->field.type,
                                         .expected = (const char *)expected.data,
                                         .what = what,
                                         .advice = advice,
                                         .column = r->path.column,
                                         .place = dn_json_path_text(&r->path, place)};
        st = dn_json_misfit(r->lx, &m, r->scratch, r->err);
    }
    dn_buffer_finish(&expected);
    return st;
}

/* One step down.  Names are borrowed. */
static void enter(struct nested *r, struct dn_json_step step)
{
    *dn_json_path_enter(&r->path) = step;
}

static void enter_item(struct nested *r, int64_t i)
{
    enter(r, (struct dn_json_step){.i = i});
}

static void enter_field(struct nested *r, const char *name)
{
    enter(r, (struct dn_json_step){.name = {(const uint8_t *)name, strlen(name)}});
}

static void leave(struct nested *r)
{
    dn_json_path_leave(&r->path);
}

/* ---- what is within ---------------------------------------------------------------------------------------------- */

/* Go over the comma behind a value; *more is false where `end` closes it all instead. */
static enum dn_status next_value(struct nested *r, uint8_t end, bool *more)
{
    dn_json_skip_space(r->lx);
    *more = *r->lx->p != end;
    if (!*more) {
        r->lx->p++;
        return DN_OK;
    }
    return dn_json_expect(
        r->lx, ',', end == ']' ? "',' or ']' behind a value" : "',' or '}' behind a value", r->err);
}

/* lx is at '[' or '{': go over it; *more is false if nothing is within. */
static void open_value(struct nested *r, uint8_t end, bool *more)
{
    r->lx->p++;
    dn_json_skip_space(r->lx);
    *more = *r->lx->p != end;
    r->lx->p += !*more;
}

static enum dn_status read_list(struct nested *r, struct dn_builder *b, int depth)
{
    const struct dn_type type = b->node->field.type;
    const uint8_t *start = r->lx->p;
    int64_t n = 0;
    bool more = false;

    for (open_value(r, ']', &more); more; n++) {
        enter_item(r, n);
        DN_TRY(read_node(r, dn_builder_child(b, 0), depth + 1));
        leave(r);
        DN_TRY(next_value(r, ']', &more));
    }
    if (type.id == DN_TYPE_FIXED_LIST && n != type.width) {
        return misfit(r, b->node, start, "has another number of items than", NULL);
    }
    return dn_builder_end(b, r->err);
}

/* A key with its quotes, as it stands in the input, and decoded in scratch memory; lx goes behind the colon. */
static enum dn_status read_key(struct nested *r, struct dn_span *raw, struct dn_json_scalar *out)
{
    dn_json_skip_space(r->lx);
    raw->data = r->lx->p;
    if (*r->lx->p != '"') {
        return dn_json_malformed(r->lx, "a key in double quotes", r->err);
    }
    DN_TRY(dn_json_scalar_read(r->lx, DN_JSON_STRING, r->scratch, out, r->err));
    raw->len = (size_t)(r->lx->p - raw->data);
    return dn_json_expect(r->lx, ':', "':' behind a key", r->err);
}

static const char *field_name(const struct dn_node *node, bool is_entry, int64_t i)
{
    const char *part = i == 0 ? "key" : "value";

    return is_entry ? part : node->children[i].field.name;
}

/* The field of that name, which is likely `guess`; -1: there is none. */
static int64_t find_field(const struct dn_node *node, bool is_entry, int64_t guess,
                          const struct dn_json_scalar *key)
{
    for (int64_t n = 0; n < node->n_children; n++) {
        const int64_t i = (guess + n) % node->n_children;
        const char *name = field_name(node, is_entry, i);
        if (strlen(name) == key->len && (key->len == 0 || memcmp(name, key->text, key->len) == 0)) {
            return i;
        }
    }
    return -1;
}

static enum dn_status put_null(struct nested *r, struct dn_builder *b, const uint8_t *value)
{
    return b->node->field.nullable
               ? dn_builder_null(b, r->err)
               : misfit(r, b->node, value, NULL, "it must not be null: send a value");
}

/* An object with the members of a struct; those that are not there are null.  Members of an entry of a map are key and value. */
static enum dn_status read_struct(struct nested *r, struct dn_builder *b, bool is_entry, int depth)
{
    const struct dn_node *node = b->node;
    const uint8_t *start = r->lx->p;
    int64_t guess = 0;
    bool more = false;

    for (open_value(r, '}', &more); more;) {
        struct dn_json_scalar key = {0};
        struct dn_span raw = {0};
        DN_TRY(read_key(r, &raw, &key));
        const int64_t i = find_field(node, is_entry, guess, &key);
        if (i < 0) {
            return misfit(r, node, raw.data, "is the name of no member of",
                          "declare the member, or leave it out");
        }
        struct dn_builder *field = dn_builder_child(b, i);
        if (field->n_rows > b->n_rows) {
            dn_builder_truncate(field, b->n_rows); /* the last of duplicate keys wins */
        }
        enter_field(r, field_name(node, is_entry, i));
        DN_TRY(read_node(r, field, depth + 1));
        leave(r);
        guess = i + 1;
        DN_TRY(next_value(r, '}', &more));
    }
    for (int64_t i = 0; i < node->n_children; i++) {
        struct dn_builder *field = dn_builder_child(b, i);
        if (field->n_rows == b->n_rows) {
            enter_field(r, field_name(node, is_entry, i));
            DN_TRY(field->node->field.nullable
                       ? dn_builder_null(field, r->err)
                       : misfit(r, field->node, start, "lacks a value of type", "send one"));
            leave(r);
        }
    }
    return dn_builder_end(b, r->err);
}

/* ---- scalars ----------------------------------------------------------------------------------------------------- */

static enum dn_status put_scalar(struct nested *r, struct dn_builder *b, struct dn_json_scalar *s,
                                 const uint8_t *value)
{
    const struct dn_type type = b->node->field.type;
    struct dn_json_cell cell = {0};

    if (dn_type_is_text(type)) {
        return dn_builder_bytes(b, s->text, s->len, r->err);
    }
    if (s->kind == DN_JSON_STRING && s->len == 0 && !dn_type_is_bytes(type)) {
        return put_null(r, b, value);
    }
    if (dn_value_is_raw(type)) {
        return !dn_json_scalar_bytes(s, type) ? misfit(r, b->node, value, NULL, NULL)
               : dn_type_is_bytes(type)       ? dn_builder_bytes(b, s->text, s->len, r->err)
                                              : dn_builder_fixed(b, s->text, r->err);
    }
    if (!dn_json_scalar_parse(s, type, &cell)) {
        return misfit(r, b->node, value, NULL, NULL);
    }
    r->n_rounded += cell.rounded;
    return dn_builder_fixed(b, &cell, r->err);
}

static enum dn_status read_leaf(struct nested *r, struct dn_builder *b, enum dn_json_kind kind,
                                int depth)
{
    const struct dn_type type = b->node->field.type;
    const bool is_json = type.extension == DN_EXTENSION_JSON;
    const uint8_t *value = r->lx->p;
    struct dn_json_number number;
    struct dn_json_scalar s = {0};

    if (is_json || kind == DN_JSON_OBJECT || kind == DN_JSON_ARRAY) {
        if (!dn_type_is_text(type)) {
            return misfit(r, b->node, value, NULL, NULL);
        }
        DN_TRY(dn_json_scalar_raw(r->lx, kind, depth, r->scratch, &s, r->err));
        return put_scalar(r, b, &s, value);
    }
    if (kind == DN_JSON_FLOAT &&
        type.id == DN_TYPE_INT64) { /* the common case without a copy of the text */
        DN_TRY(dn_json_number(r->lx, &number, &kind, r->err));
        if (number.is_int64) {
            return dn_builder_fixed(b, &number.value, r->err);
        }
        r->lx->p = value;
        kind = DN_JSON_FLOAT;
    }
    DN_TRY(dn_json_scalar_read(r->lx, kind, r->scratch, &s, r->err));
    return put_scalar(r, b, &s, value);
}

/* ---- maps -------------------------------------------------------------------------------------------------------- */

/* Texts of the keys, in the form in which a column of them is read. */
static struct dn_column_view keys_view(const struct dn_builder *key, const void *const variadic[1])
{
    return (struct dn_column_view){.type = key->node->field.type,
                                   .layout = key->layout,
                                   .n_rows = key->n_rows,
                                   .values = key->values.data,
                                   .bytes = key->bytes.data,
                                   .variadic = variadic,
                                   .n_variadic = 1};
}

/* Keys that are texts are those of an object of JSON, which has a key once. */
static enum dn_status check_keys(struct nested *r, const struct dn_builder *b, int64_t first,
                                 const uint8_t *value)
{
    const struct dn_builder *key = &b->children[0].children[0];
    const void *const variadic[] = {key->bytes.data};
    const struct dn_column_view keys = keys_view(key, variadic);
    struct dn_name_map seen = {0};
    enum dn_status st = DN_OK;

    if (!dn_type_is_text(key->node->field.type) || key->n_rows - first < 2) {
        return DN_OK;
    }
    for (int64_t i = first; i < key->n_rows && st == DN_OK; i++) {
        size_t len = 0;
        const uint8_t *text = dn_column_text(&keys, i, &len);
        const char *name = len > 0 ? (const char *)text : "";
        st = dn_name_map_get(&seen, name, len) >= 0
                 ? misfit(r, b->node, value, "has a key twice, and so is none of type",
                          "a map has a key once")
                 : dn_name_map_add(&seen, name, len, i, r->err);
    }
    dn_name_map_finish(&seen);
    return st;
}

/* A key of an object is a text, from which a key of any type is read that has one. */
static enum dn_status read_members(struct nested *r, struct dn_builder *entry, int depth)
{
    struct dn_builder *key = dn_builder_child(entry, 0);
    bool more = false;

    for (open_value(r, '}', &more); more;) {
        struct dn_json_scalar s = {0};
        struct dn_span raw;
        DN_TRY(read_key(r, &raw, &s));
        if (dn_type_is_nested(key->node->field.type) ||
            key->node->field.type.extension == DN_EXTENSION_JSON) {
            return misfit(r, key->node, raw.data, NULL, NULL);
        }
        DN_TRY(put_scalar(r, key, &s, raw.data));
        enter(r, (struct dn_json_step){.name = {raw.data + 1, raw.len - 2}});
        DN_TRY(read_node(r, dn_builder_child(entry, 1), depth + 1));
        leave(r);
        DN_TRY(dn_builder_end(entry, r->err));
        DN_TRY(next_value(r, '}', &more));
    }
    return DN_OK;
}

/* [key, value], which is what others make of entries. */
static enum dn_status read_pair(struct nested *r, struct dn_builder *entry, int depth)
{
    const uint8_t *start = r->lx->p;
    int64_t n = 0;
    bool more = false;

    for (open_value(r, ']', &more); more; n++) {
        if (n == 2) {
            break;
        }
        enter_item(r, n);
        DN_TRY(read_node(r, dn_builder_child(entry, n), depth + 1));
        leave(r);
        DN_TRY(next_value(r, ']', &more));
    }
    return n == 2 && !more ? dn_builder_end(entry, r->err)
                           : misfit(r, entry->node, start, NULL, NULL);
}

static enum dn_status read_entries(struct nested *r, struct dn_builder *entry, int depth)
{
    bool more = false;
    int64_t n = 0;

    for (open_value(r, ']', &more); more; n++) {
        enum dn_json_kind kind = DN_JSON_NULL;
        enter_item(r, n);
        DN_TRY(dn_json_peek(r->lx, &kind, r->err));
        DN_TRY(kind == DN_JSON_ARRAY    ? read_pair(r, entry, depth + 1)
               : kind == DN_JSON_OBJECT ? read_struct(r, entry, true, depth + 1)
                                        : misfit(r, entry->node, r->lx->p, NULL, NULL));
        leave(r);
        DN_TRY(next_value(r, ']', &more));
    }
    return DN_OK;
}

static enum dn_status read_map(struct nested *r, struct dn_builder *b, bool is_object, int depth)
{
    struct dn_builder *entry = dn_builder_child(b, 0);
    const int64_t first = entry->n_rows;
    const uint8_t *start = r->lx->p;

    DN_TRY((is_object ? read_members : read_entries)(r, entry, depth));
    DN_TRY(check_keys(r, b, first, start));
    return dn_builder_end(b, r->err);
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

static enum dn_status read_node(struct nested *r, struct dn_builder *b, int depth)
{
    const struct dn_type type = b->node->field.type;
    enum dn_json_kind kind = DN_JSON_NULL;

    DN_TRY(dn_json_peek(r->lx, &kind, r->err));
    const uint8_t *value = r->lx->p;
    if (kind == DN_JSON_NULL) {
        DN_TRY(dn_json_literal(r->lx, kind, r->err));
        return put_null(r, b, value);
    }
    if (!dn_type_is_nested(type)) {
        return read_leaf(r, b, kind, depth);
    }
    if (kind == DN_JSON_STRING && value[1] == '"') {
        r->lx->p += 2;
        return put_null(r, b, value);
    }
    if (kind == DN_JSON_OBJECT && type.id == DN_TYPE_STRUCT) {
        return read_struct(r, b, false, depth);
    }
    if (type.id == DN_TYPE_MAP && (kind == DN_JSON_OBJECT || kind == DN_JSON_ARRAY)) {
        return read_map(r, b, kind == DN_JSON_OBJECT, depth);
    }
    if (kind == DN_JSON_ARRAY && type.id != DN_TYPE_STRUCT) {
        return read_list(r, b, depth);
    }
    return misfit(r, b->node, value, NULL, NULL);
}

enum dn_status dn_json_nested_read(struct dn_json_lexer *lx, struct dn_json_column *c, int depth,
                                   struct dn_buffer *scratch, struct dn_error *err)
{
    struct nested r = {.lx = lx, .scratch = scratch, .err = err};
    const struct dn_json_lexer start = *lx;
    const int64_t before = c->builder.n_nulls;
    const enum dn_status st = read_node(&r, &c->builder, depth);

    if (st == DN_ERR_TYPE) {
        *lx = start;
        dn_builder_truncate(&c->builder, c->n_rows);
        DN_TRY(dn_json_raw(lx, depth, NULL, err));
        c->bad = start.p;
        return dn_json_column_put_null(c, err);
    }
    if (st == DN_ERR_UNSUPPORTED) { /* over 2 GiB of text */
        return dn_error_prefix(err, st, "record %lld, column '%s': ", (long long)lx->row, c->name);
    }
    DN_TRY(st);
    dn_json_column_end_nested(c, c->builder.n_nulls == before);
    if (r.n_rounded > 0) {
        dn_json_column_count_rounded(c, r.n_rounded);
    }
    return DN_OK;
}

enum dn_status dn_json_nested_report(const struct dn_json_lexer *lx, struct dn_json_column *c,
                                     struct dn_buffer *scratch, struct dn_error *err)
{
    struct dn_json_lexer at = *lx;
    struct nested r = {.lx = &at,
                       .scratch = scratch,
                       .report = true,
                       .path = {.column = c->name, .row = lx->row},
                       .err = err};

    at.p = c->bad;
    return read_node(&r, &c->builder, 1);
}
