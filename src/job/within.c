#include "job/within.h"

#include "arrow/types.h"
#include "base/buffer.h"
#include "base/strings.h"

#include <stdio.h>
#include <string.h>

static const struct dn_key_rule k_rules[] = {{"name", DN_KEY_TEXT, false}, DN_FIELD_RULES};

/* Which keys say what is within, what they are called in types, and the words for such a type. */
static const struct kind {
    const char *keys[2];
    const char *opening;
    const char *types[3];
} k_kinds[] = {
    {{"items", "item_type"}, "list<", {"array", "list", NULL}},
    {{"fields", "properties"}, "struct<", {"object", "struct", "record"}},
    {{"values", "value_type"}, "map<", {"map", "object", NULL}},
};

struct within {
    const struct dn_yaml_doc *doc;
    const char *column;
    struct dn_buffer words;
    struct dn_error *err;
};

static enum dn_status put_type(struct within *w, const struct dn_yaml_node *node);

static const struct dn_yaml_node *find(const struct dn_yaml_node *field, const char *key)
{
    const struct dn_yaml_node *node = dn_yaml_get(field, key);

    return dn_yaml_is_null(node) ? NULL : node;
}

static const struct kind *kind_of(const struct dn_yaml_node *field)
{
    for (size_t i = 0; i < sizeof k_kinds / sizeof k_kinds[0]; i++) {
        if (find(field, k_kinds[i].keys[0]) != NULL || find(field, k_kinds[i].keys[1]) != NULL) {
            return &k_kinds[i];
        }
    }
    return NULL;
}

bool dn_within_is(const struct dn_yaml_node *field)
{
    return kind_of(field) != NULL;
}

enum dn_status dn_within_decimal(const struct dn_yaml_doc *doc, const struct dn_yaml_node *field,
                                 const char **type, char out[DN_COLTYPE_SIZE], struct dn_error *err)
{
    const struct dn_yaml_node *precision = dn_yaml_get(field, "precision");
    const struct dn_yaml_node *scale = dn_yaml_get(field, "scale");
    const struct dn_yaml_node *at = precision != NULL ? precision : scale;
    const bool is_decimal =
        dn_text_equal_nocase(*type, "decimal") || dn_text_equal_nocase(*type, "numeric");
    int64_t digits = 0;
    int64_t behind = 0;

    if (at == NULL) {
        return DN_OK;
    }
    if (!is_decimal || precision == NULL || !dn_yaml_as_int(precision, &digits) ||
        (scale != NULL && !dn_yaml_as_int(scale, &behind)) || digits < 1 || digits > 76 ||
        behind < 0 || behind > digits) {
        return dn_yaml_error_at(doc, at->line, at->column, err,
                                "precision and scale are the digits of a decimal, in all (1 to 76) "
                                "and behind the point, as in {type: decimal, precision: 12, scale: "
                                "2}; column \"%s\" is of type %s",
                                dn_keys_text(field, "name"), *type);
    }
    (void)snprintf(out, DN_COLTYPE_SIZE, "decimal(%d, %d)", (int)digits, (int)behind);
    *type = out;
    return DN_OK;
}

enum dn_status dn_within_unknown(const struct dn_yaml_doc *doc, const struct dn_yaml_node *at,
                                 const char *column, const char *type, struct dn_error *err)
{
    char room[DN_COLTYPE_SIZE];
    const char *close = dn_coltype_suggest(type, room);

    return dn_yaml_error_at(doc, at->line, at->column, err,
                            "unknown type \"%s\" of column \"%s\"; %s%s%s", dn_yaml_shown(at),
                            column, close != NULL ? "did you mean \"" : "known types: ",
                            close != NULL ? close : DN_TYPE_EXAMPLES ", array, object, list<int64>",
                            close != NULL ? "\"?" : "");
}

static enum dn_status put(struct within *w, const char *text)
{
    return dn_text_append(&w->words, text, w->err);
}

/* In quotes, with the escapes of dn_node_print(). */
static enum dn_status put_name(struct within *w, const char *name)
{
    DN_TRY(put(w, "\""));
    for (; *name != '\0'; name++) {
        const unsigned char c = (unsigned char)*name;
        if (c < ' ') {
            DN_TRY(dn_text_appendf(&w->words, w->err, "\\u%04x", c));
            continue;
        }
        if (c == '"' || c == '\\') {
            DN_TRY(put(w, "\\"));
        }
        DN_TRY(dn_buffer_append_byte(&w->words, c, w->err));
    }
    return put(w, "\": ");
}

static enum dn_status put_word(struct within *w, const struct dn_yaml_node *at, const char *word)
{
    char room[DN_COLTYPE_SIZE];
    const char *type = dn_coltype_of_asset(word, room);

    return type != NULL ? put(w, type) : dn_within_unknown(w->doc, at, w->column, word, w->err);
}

/* `fields`: [{name: a, type: integer}], or `properties`: {a: {type: integer}}. */
static enum dn_status put_fields(struct within *w, const struct dn_yaml_node *field)
{
    const struct dn_yaml_node *fields = find(field, "fields");

    fields = fields != NULL ? fields : find(field, "properties");
    if (fields == NULL || fields->n == 0) {
        return dn_yaml_error_at(w->doc, field->line, field->column, w->err,
                                "the struct of column \"%s\" has no fields", w->column);
    }
    for (const struct dn_yaml_entry *e = fields->first; e != NULL; e = e->next) {
        const char *name = e->key != NULL ? e->key : dn_keys_text(e->value, "name");
        if (name == NULL) {
            return dn_yaml_error_at(w->doc, e->value->line, e->value->column, w->err,
                                    "a field within column \"%s\" has no name: write {name: id, "
                                    "type: integer}",
                                    w->column);
        }
        DN_TRY(put(w, e != fields->first ? ", " : ""));
        DN_TRY(put_name(w, name));
        DN_TRY(put_type(w, e->value));
    }
    return DN_OK;
}

/* The type of what `keys` or `key_type` say, or of another such pair. */
static enum dn_status put_either(struct within *w, const struct dn_yaml_node *field,
                                 const char *key, const char *type_key, const char *otherwise)
{
    const struct dn_yaml_node *node =
        find(field, key) != NULL ? find(field, key) : find(field, type_key);

    return node != NULL ? put_type(w, node) : put(w, otherwise);
}

static enum dn_status put_kind(struct within *w, const struct dn_yaml_node *field,
                               const struct kind *k)
{
    const struct dn_yaml_node *at = dn_yaml_get(field, "type");
    const char *type = dn_keys_text(field, "type");
    bool fits = at == NULL || type == NULL;

    for (size_t i = 0; i < 3 && !fits && k->types[i] != NULL; i++) {
        fits = dn_text_equal_nocase(type, k->types[i]);
    }
    if (!fits) {
        return dn_yaml_error_at(
            w->doc, at->line, at->column, w->err,
            "%s and %s are for columns of type %s, and column \"%s\" is of type "
            "%s",
            k->keys[0], k->keys[1], k->types[0], w->column, type);
    }
    DN_TRY(put(w, k->opening));
    if (k == &k_kinds[1]) {
        DN_TRY(put_fields(w, field));
    } else {
        if (k == &k_kinds[2]) {
            DN_TRY(put_either(w, field, "keys", "key_type", "string"));
            DN_TRY(put(w, ", "));
        }
        DN_TRY(put_either(w, field, k->keys[0], k->keys[1], "string"));
    }
    return put(w, ">");
}

static enum dn_status put_type(struct within *w, const struct dn_yaml_node *node)
{
    char digits[DN_COLTYPE_SIZE];

    if (node->kind == DN_YAML_SCALAR) {
        return put_word(w, node, node->text);
    }
    if (node->kind != DN_YAML_MAP) {
        return dn_yaml_error_at(w->doc, node->line, node->column, w->err,
                                "what is within column \"%s\" is a type, as integer, or a map, as "
                                "{type: integer}, not %s",
                                w->column, dn_yaml_kind_name(node));
    }
    DN_TRY(dn_keys_check(w->doc, node, "what is within a column", k_rules,
                         sizeof k_rules / sizeof k_rules[0], false, w->err));
    const struct kind *k = kind_of(node);
    if (k != NULL) {
        return put_kind(w, node, k);
    }
    const char *type = dn_keys_text(node, "type");
    const struct dn_yaml_node *at = type != NULL ? dn_yaml_get(node, "type") : node;
    type = type != NULL ? type : "string";
    DN_TRY(dn_within_decimal(w->doc, node, &type, digits, w->err));
    return put_word(w, at, type);
}

enum dn_status dn_within_read(const struct dn_yaml_doc *doc, const struct dn_yaml_node *field,
                              char out[DN_COLTYPE_SIZE], struct dn_error *err)
{
    struct within w = {.doc = doc, .column = dn_keys_text(field, "name"), .err = err};
    enum dn_status st = put_kind(&w, field, kind_of(field));

    if (st == DN_OK) {
        st = dn_buffer_append_byte(&w.words, 0, err);
    }
    if (st == DN_OK && dn_coltype_parse((const char *)w.words.data, out) == NULL) {
        st =
            dn_yaml_error_at(doc, field->line, field->column, err,
                             "the type of column \"%s\" is too long or nested too deep: \"%.100s\"",
                             w.column, (const char *)w.words.data);
    }
    dn_buffer_finish(&w.words);
    return st;
}
