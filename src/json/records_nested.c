/* Nested values to JSON: lists as arrays, structs as objects, maps as either; dictionaries and runs are looked through. */
#include "json/records_out.h"

#include "base/name_map.h"

/* Maps of so many keys are compared key by key. */
#define FEW_KEYS 8

enum dn_status dn_json_nested_init(struct dn_json_writer *w, struct dn_json_out *c,
                                   const struct dn_node *node, struct dn_error *err)
{
    const size_t size = (size_t)node->n_children * sizeof(struct dn_json_out);

    c->children = dn_arena_alloc(&w->arena, size);
    c->n_children = node->n_children;
    if (c->children == NULL) {
        return dn_error_memory(err, size);
    }
    for (int64_t i = 0; i < node->n_children; i++) {
        c->children[i].view = c->view.children[i];
        DN_TRY(dn_json_out_init(w, &c->children[i], &node->children[i], err));
    }
    return c->how == DN_JSON_HOW_STRUCT ? dn_json_out_add_keys(w, c->children, c->n_children, err)
                                        : DN_OK;
}

static void put_byte(struct dn_buffer *out, char c)
{
    out->data[out->len++] = (uint8_t)c;
}

static void put_key(const struct dn_json_writer *w, struct dn_buffer *out, size_t at, size_t len)
{
    memcpy(out->data + out->len, w->keys.data + at, len);
    out->len += len;
}

static struct dn_span name_of(const struct dn_json_out *c)
{
    return (struct dn_span){(const uint8_t *)c->name, strlen(c->name)};
}

static enum dn_status put_list(struct dn_json_writer *w, struct dn_buffer *out,
                               const struct dn_json_out *c, int64_t row, struct dn_error *err)
{
    int64_t first = 0;
    int64_t n = 0;
    struct dn_json_step *step = dn_json_path_enter(&w->path);

    dn_column_list(&c->view, row, &first, &n);
    put_byte(out, '[');
    for (int64_t i = 0; i < n; i++) {
        step->i = i;
        DN_TRY(dn_json_out_room(w, out, err));
        if (i > 0) {
            put_byte(out, ',');
        }
        DN_TRY(dn_json_out_put(w, out, &c->children[0], first + i, err));
    }
    dn_json_path_leave(&w->path);
    DN_TRY(dn_json_out_room(w, out, err));
    put_byte(out, ']');
    return DN_OK;
}

static enum dn_status put_struct(struct dn_json_writer *w, struct dn_buffer *out,
                                 const struct dn_json_out *c, int64_t row, struct dn_error *err)
{
    struct dn_json_step *step = dn_json_path_enter(&w->path);

    if (c->n_children == 0) {
        put_byte(out, '{');
    }
    for (int64_t i = 0; i < c->n_children; i++) {
        const struct dn_json_out *field = &c->children[i];
        step->name = name_of(field);
        DN_TRY(dn_json_out_room(w, out, err));
        put_key(w, out, field->key_offset, field->key_len);
        DN_TRY(dn_json_out_put(w, out, field, row, err));
    }
    dn_json_path_leave(&w->path);
    DN_TRY(dn_json_out_room(w, out, err));
    put_byte(out, '}');
    return DN_OK;
}

/* Where a value really is: dictionaries and runs are looked through. */
static const struct dn_json_out *look_through(const struct dn_json_out *c, int64_t *row)
{
    int64_t end = 0;

    for (;;) {
        if (c->how == DN_JSON_HOW_INDEX && dn_column_is_valid(&c->view, *row)) {
            *row = dn_column_index(&c->view, *row);
            c = &c->children[0];
        } else if (c->how == DN_JSON_HOW_RUN) {
            *row = dn_column_run(&c->view, *row, &end);
            c = &c->children[1];
        } else {
            return c;
        }
    }
}

static bool is_text(const struct dn_json_out *c)
{
    while (c->how == DN_JSON_HOW_INDEX || c->how == DN_JSON_HOW_RUN) {
        c = &c->children[c->n_children - 1];
    }
    return c->how == DN_JSON_HOW_TEXT;
}

/* ---- maps -------------------------------------------------------------------------------------------------------- */

static struct dn_span key_text(const struct dn_json_out *key, int64_t row)
{
    const struct dn_json_out *c = look_through(key, &row);
    size_t len = 0;

    if (!dn_column_is_valid(&c->view, row)) {
        return (struct dn_span){(const uint8_t *)"",
                                0}; /* a null of a dictionary: told when it is written */
    }
    const uint8_t *text = dn_column_text(&c->view, row, &len);
    return (struct dn_span){len > 0 ? text : (const uint8_t *)"", len};
}

static enum dn_status repeated_key(const struct dn_json_writer *w, struct dn_span key,
                                   struct dn_error *err)
{
    return dn_json_out_fail(
        w, key, "is a key that the map has twice, and an object of JSON only once", err);
}

/* A reader of JSON would keep one of two values of a key. */
static enum dn_status check_keys(const struct dn_json_writer *w, const struct dn_json_out *key,
                                 int64_t first, int64_t n, struct dn_error *err)
{
    struct dn_span few[FEW_KEYS];
    struct dn_name_map many = {0};
    enum dn_status st = DN_OK;

    for (int64_t i = 0; i < n && st == DN_OK; i++) {
        const struct dn_span text = key_text(key, first + i);
        if (n > FEW_KEYS) {
            st = dn_name_map_get(&many, (const char *)text.data, text.len) >= 0
                     ? repeated_key(w, text, err)
                     : dn_name_map_add(&many, (const char *)text.data, text.len, i, err);
            continue;
        }
        for (int64_t before = 0; before < i; before++) {
            if (few[before].len == text.len && memcmp(few[before].data, text.data, text.len) == 0) {
                return repeated_key(w, text, err);
            }
        }
        few[i] = text;
    }
    dn_name_map_finish(&many);
    return st;
}

/* A key that is no text could not be told from one. */
static enum dn_status put_entry(struct dn_json_writer *w, struct dn_buffer *out,
                                const struct dn_json_out *entry, int64_t row, struct dn_error *err)
{
    static const char key[] = "{\"key\":";
    static const char value[] = ",\"value\":";
    struct dn_json_step *step = dn_json_path_enter(&w->path);

    memcpy(out->data + out->len, key, sizeof key - 1);
    out->len += sizeof key - 1;
    step->name = (struct dn_span){(const uint8_t *)"key", 3};
    DN_TRY(dn_json_out_put(w, out, &entry->children[0], row, err));
    DN_TRY(dn_json_out_room(w, out, err));
    memcpy(out->data + out->len, value, sizeof value - 1);
    out->len += sizeof value - 1;
    step->name = (struct dn_span){(const uint8_t *)"value", 5};
    DN_TRY(dn_json_out_put(w, out, &entry->children[1], row, err));
    dn_json_path_leave(&w->path);
    DN_TRY(dn_json_out_room(w, out, err));
    put_byte(out, '}');
    return DN_OK;
}

static enum dn_status put_member(struct dn_json_writer *w, struct dn_buffer *out,
                                 const struct dn_json_out *entry, int64_t row, struct dn_error *err)
{
    int64_t at = row;
    const struct dn_json_out *key = look_through(&entry->children[0], &at);

    if (!dn_column_is_valid(&key->view, at)) {
        return dn_json_out_fail(w, (struct dn_span){0}, "is the null key of a map", err);
    }
    DN_TRY(dn_json_out_put(w, out, key, at, err));
    put_byte(out, ':');
    return dn_json_out_put(w, out, &entry->children[1], row, err);
}

static enum dn_status put_map(struct dn_json_writer *w, struct dn_buffer *out,
                              const struct dn_json_out *c, int64_t row, struct dn_error *err)
{
    const struct dn_json_out *entry = &c->children[0];
    const bool is_object = is_text(&entry->children[0]);
    int64_t first = 0;
    int64_t n = 0;

    dn_column_list(&c->view, row, &first, &n);
    if (is_object) {
        DN_TRY(check_keys(w, &entry->children[0], first, n, err));
    }
    struct dn_json_step *step = dn_json_path_enter(&w->path);
    put_byte(out, is_object ? '{' : '[');
    for (int64_t i = 0; i < n; i++) {
        step->i = i;
        step->name = is_object ? key_text(&entry->children[0], first + i) : (struct dn_span){0};
        DN_TRY(dn_json_out_room(w, out, err));
        if (i > 0) {
            put_byte(out, ',');
        }
        DN_TRY((is_object ? put_member : put_entry)(w, out, entry, first + i, err));
    }
    dn_json_path_leave(&w->path);
    DN_TRY(dn_json_out_room(w, out, err));
    put_byte(out, is_object ? '}' : ']');
    return DN_OK;
}

enum dn_status dn_json_nested_put(struct dn_json_writer *w, struct dn_buffer *out,
                                  const struct dn_json_out *c, int64_t row, struct dn_error *err)
{
    const struct dn_json_out *value = look_through(c, &row);

    if (value != c) {
        DN_TRY(dn_json_out_put(w, out, value, row, err));
    } else if (c->how == DN_JSON_HOW_STRUCT) {
        DN_TRY(put_struct(w, out, c, row, err));
    } else if (c->how == DN_JSON_HOW_MAP) {
        DN_TRY(put_map(w, out, c, row, err));
    } else {
        DN_TRY(put_list(w, out, c, row, err));
    }
    return dn_json_out_room(w, out, err);
}
