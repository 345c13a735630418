/* Nested types in words. */
#include "arrow/nested.h"
#include "base/strings.h"

#include <stdio.h>
#include <string.h>

#define LONGEST_FLAT 63

/* ---- to words ---------------------------------------------------------------------------------------------------- */

static bool is_plain_name(const char *name)
{
    return name[0] != '\0' && (name[0] < '0' || name[0] > '9') &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") ==
               strlen(name);
}

static enum dn_status put(struct dn_buffer *out, const char *text, struct dn_error *err)
{
    return dn_buffer_append(out, text, strlen(text), err);
}

/* Quotes and backslashes are escaped, and what no line has. */
static enum dn_status put_name(struct dn_buffer *out, const char *name, struct dn_error *err)
{
    if (is_plain_name(name)) {
        return put(out, name, err);
    }
    DN_TRY(put(out, "\"", err));
    for (const char *at = name; *at != '\0'; at++) {
        char escaped[8];
        if ((unsigned char)*at < ' ') {
            (void)snprintf(escaped, sizeof escaped, "\\u%04x", (unsigned)(unsigned char)*at);
            DN_TRY(put(out, escaped, err));
            continue;
        }
        if (*at == '"' || *at == '\\') {
            DN_TRY(put(out, "\\", err));
        }
        DN_TRY(dn_buffer_append(out, at, 1, err));
    }
    return put(out, "\"", err);
}

static enum dn_status put_fields(const struct dn_node *n, struct dn_buffer *out,
                                 struct dn_error *err)
{
    for (int64_t i = 0; i < n->n_children; i++) {
        DN_TRY(put(out, i > 0 ? ", " : "", err));
        DN_TRY(put_name(out, n->children[i].field.name, err));
        DN_TRY(put(out, ": ", err));
        DN_TRY(dn_node_print(&n->children[i], out, err));
    }
    return DN_OK;
}

enum dn_status dn_node_print(const struct dn_node *node, struct dn_buffer *out,
                             struct dn_error *err)
{
    const struct dn_node *n = dn_node_values(node);
    const struct dn_type type = n->field.type;
    char width[16] = "";

    DN_TRY(put(out, DN_TYPE_TEXT(type), err));
    if (!dn_type_is_nested(type)) {
        return DN_OK;
    }
    if (type.id == DN_TYPE_FIXED_LIST) {
        (void)snprintf(width, sizeof width, "(%d)", (int)type.width);
    }
    DN_TRY(put(out, width, err));
    DN_TRY(put(out, "<", err));
    if (type.id == DN_TYPE_STRUCT) {
        DN_TRY(put_fields(n, out, err));
    } else if (type.id == DN_TYPE_MAP) {
        DN_TRY(dn_node_print(&n->children[0].children[0], out, err));
        DN_TRY(put(out, ", ", err));
        DN_TRY(dn_node_print(&n->children[0].children[1], out, err));
    } else {
        DN_TRY(dn_node_print(&n->children[0], out, err));
    }
    return put(out, ">", err);
}

enum dn_status dn_schema_print_type(const struct ArrowSchema *schema, int64_t i,
                                    struct dn_buffer *out, struct dn_error *err)
{
    struct dn_arena arena = {0};
    struct dn_node node;
    char words[DN_TYPE_WORDS_SIZE];
    enum dn_status st = dn_schema_get_node(schema, i, &arena, &node, err);

    if (st == DN_OK) {
        st = dn_node_print(&node, out, err);
    } else if (st == DN_ERR_UNSUPPORTED) {
        st = put(out, dn_type_words(schema->children[i], words), err);
    }
    dn_arena_finish(&arena);
    return st;
}

/* ---- from words -------------------------------------------------------------------------------------------------- */

/* What is read, and how far. */
struct words {
    const char *at;
    struct dn_arena *arena;
    struct dn_error *err;
};

static enum dn_status parse_node(struct words *w, const char *name, int depth, struct dn_node *out);

static enum dn_status no_type(struct words *w)
{
    return dn_error_set(w->err, DN_ERR_INVALID, "no type is written \"%.40s\"", w->at);
}

static void skip_blanks(struct words *w)
{
    w->at += strspn(w->at, " \t");
}

static bool take(struct words *w, char c)
{
    skip_blanks(w);
    if (*w->at != c) {
        return false;
    }
    w->at++;
    return true;
}

static enum dn_status add_children(struct words *w, struct dn_node *n, int64_t n_children)
{
    n->children = dn_arena_alloc(w->arena, (size_t)n_children * sizeof(struct dn_node));
    n->n_children = n_children;
    return n->children != NULL ? DN_OK : dn_error_memory(w->err, sizeof(struct dn_node));
}

/* Behind "\u", four digits of ASCII. */
static bool read_code(const char *at, unsigned *out)
{
    return strspn(at, "0123456789abcdefABCDEF") >= 4 && sscanf(at, "00%2x", out) == 1 && *out > 0 &&
           *out < 0x80;
}

/* A name in front of a colon: quoted as in JSON, but with no \u for more than a byte, or up to the colon. */
static enum dn_status parse_name(struct words *w, const char **out)
{
    skip_blanks(w);
    if (*w->at != '"') {
        size_t len = strcspn(w->at, ":<>,\"");
        const char *name = w->at;
        w->at += len;
        while (len > 0 && (name[len - 1] == ' ' || name[len - 1] == '\t')) {
            len--;
        }
        *out = len > 0 ? dn_arena_strndup(w->arena, name, len) : NULL;
        return len == 0 ? no_type(w) : *out != NULL ? DN_OK : dn_error_memory(w->err, len);
    }
    char *name = dn_arena_strdup(w->arena, w->at + 1);
    if (name == NULL) {
        return dn_error_memory(w->err, strlen(w->at));
    }
    char *to = name;
    for (w->at++; *w->at != '\0' && *w->at != '"'; w->at++) {
        unsigned code = 0;
        if (*w->at == '\\' && w->at[1] == 'u') {
            if (!read_code(w->at + 2, &code)) {
                return no_type(w);
            }
            *to++ = (char)code;
            w->at += 5;
            continue;
        }
        w->at += *w->at == '\\' && w->at[1] != '\0';
        *to++ = *w->at;
    }
    *to = '\0';
    *out = name;
    return take(w, '"') ? DN_OK : no_type(w);
}

static enum dn_status parse_struct(struct words *w, int depth, struct dn_node *out)
{
    struct dn_node *fields = NULL;
    int64_t n = 0;
    int64_t room = 0;

    out->field.type = DN_TYPE(STRUCT);
    do {
        if (n == room) {
            room = room * 2 + 4;
            struct dn_node *more = dn_arena_alloc(w->arena, (size_t)room * sizeof(struct dn_node));
            if (more == NULL) {
                return dn_error_memory(w->err, (size_t)room * sizeof(struct dn_node));
            }
            if (n > 0) {
                memcpy(more, fields, (size_t)n * sizeof(struct dn_node));
            }
            fields = more;
        }
        const char *name = NULL;
        DN_TRY(parse_name(w, &name));
        if (!take(w, ':')) {
            return no_type(w);
        }
        DN_TRY(parse_node(w, name, depth, &fields[n]));
        n++;
    } while (take(w, ','));
    out->children = fields;
    out->n_children = n;
    return DN_OK;
}

static enum dn_status parse_map(struct words *w, int depth, struct dn_node *out)
{
    out->field.type = DN_TYPE(MAP);
    DN_TRY(add_children(w, out, 1));
    struct dn_node *entry = &out->children[0];
    entry->field = (struct dn_field){"key_value", DN_TYPE(STRUCT), false};
    DN_TRY(add_children(w, entry, 2));
    DN_TRY(parse_node(w, "key", depth, &entry->children[0]));
    entry->children[0].field.nullable = false;
    return take(w, ',') ? parse_node(w, "value", depth, &entry->children[1]) : no_type(w);
}

static enum dn_status parse_list(struct words *w, int32_t width, int depth, struct dn_node *out)
{
    out->field.type =
        width < 0 ? DN_TYPE(LIST) : (struct dn_type){.id = DN_TYPE_FIXED_LIST, .width = width};
    DN_TRY(add_children(w, out, 1));
    return parse_node(w, "element", depth, &out->children[0]);
}

/* A flat type ends where a comma or a bracket of what it is within follows. */
static enum dn_status parse_flat(struct words *w, struct dn_node *out)
{
    char text[LONGEST_FLAT + 1];
    const char *at = w->at;
    int open = 0;

    for (; *at != '\0' && (open > 0 || strchr(",>", *at) == NULL); at++) {
        open += *at == '(' || *at == '[';
        open -= *at == ')' || *at == ']';
    }
    size_t len = (size_t)(at - w->at);
    while (len > 0 && (w->at[len - 1] == ' ' || w->at[len - 1] == '\t')) {
        len--;
    }
    if (len == 0 || len > LONGEST_FLAT) {
        return no_type(w);
    }
    memcpy(text, w->at, len);
    text[len] = '\0';
    if (!dn_type_parse(text, &out->field.type)) {
        return no_type(w);
    }
    w->at = at;
    return DN_OK;
}

/* The word in front of "<" or "(n)<", -1: no such word. */
static bool take_word(struct words *w, const char *word, int32_t *width)
{
    const size_t len = strlen(word);
    int n = 0;
    int taken = 0;

    if (!dn_text_equal_nocase_n(w->at, word, len)) {
        return false;
    }
    const char *behind = w->at + len + strspn(w->at + len, " \t");
    if (*behind == '(' && sscanf(behind, "(%6d ) %n", &n, &taken) == 1 && taken > 0 && n >= 0) {
        *width = n;
        behind += taken;
    }
    if (*behind != '<') {
        return false;
    }
    w->at = behind + 1;
    return true;
}

static enum dn_status parse_node(struct words *w, const char *name, int depth, struct dn_node *out)
{
    int32_t width = -1;

    if (depth == 0) {
        return dn_error_set(w->err, DN_ERR_INVALID, "a type is nested more than %d levels deep",
                            DN_NODE_MAX_DEPTH);
    }
    *out = (struct dn_node){.field = {name, DN_TYPE(NULL), true}};
    skip_blanks(w);
    if (take_word(w, "list", &width) || take_word(w, "array", &width)) {
        DN_TRY(parse_list(w, width, depth - 1, out));
    } else if (take_word(w, "struct", &width)) {
        DN_TRY(parse_struct(w, depth - 1, out));
    } else if (take_word(w, "map", &width)) {
        DN_TRY(parse_map(w, depth - 1, out));
    } else {
        return parse_flat(w, out);
    }
    return take(w, '>') ? DN_OK : no_type(w);
}

enum dn_status dn_node_parse(const char *words, struct dn_arena *arena, struct dn_node *out,
                             struct dn_error *err)
{
    struct words w = {words, arena, err};

    DN_TRY(parse_node(&w, "", DN_NODE_MAX_DEPTH, out));
    skip_blanks(&w);
    return *w.at == '\0' ? DN_OK : no_type(&w);
}
