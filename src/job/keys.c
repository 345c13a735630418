#include "job/keys.h"

#include "base/strings.h"

#include <string.h>

#define MAX_RULES 32

static bool kind_fits(const struct dn_yaml_node *value, unsigned kinds)
{
    bool truth = false;
    int64_t integer = 0;

    switch (value->kind) {
    case DN_YAML_MAP:
        return (kinds & DN_KEY_MAP) != 0;
    case DN_YAML_LIST:
        return (kinds & DN_KEY_LIST) != 0;
    case DN_YAML_SCALAR:
    default:
        return (kinds & DN_KEY_TEXT) != 0 ||
               ((kinds & DN_KEY_BOOL) != 0 && dn_yaml_as_bool(value, &truth)) ||
               ((kinds & DN_KEY_INT) != 0 && dn_yaml_as_int(value, &integer));
    }
}

static const char *kinds_name(unsigned kinds)
{
    if (kinds == DN_KEY_TEXT) {
        return "a text";
    }
    if (kinds == DN_KEY_LIST) {
        return "a list";
    }
    if (kinds == DN_KEY_MAP) {
        return "a map";
    }
    if (kinds == DN_KEY_BOOL) {
        return "true or false";
    }
    return kinds == DN_KEY_INT ? "an integer" : "a value of another kind";
}

static const char *key_suggest(const struct dn_yaml_entry *e, const struct dn_key_rule *rules,
                               size_t n_rules)
{
    const char *names[MAX_RULES] = {NULL};

    for (size_t i = 0; i < n_rules && i < MAX_RULES; i++) {
        names[i] = rules[i].key;
    }
    return dn_text_suggest(e->key, names, n_rules < MAX_RULES ? n_rules : MAX_RULES);
}

static enum dn_status unknown_key(const struct dn_yaml_doc *doc, const struct dn_yaml_entry *e,
                                  const char *where, const struct dn_key_rule *rules,
                                  size_t n_rules, struct dn_error *err)
{
    char known[512] = "";
    size_t used = 0;

    for (size_t i = 0; i < n_rules && i < MAX_RULES; i++) {
        const size_t len = strlen(rules[i].key);
        if (used + len + 3 < sizeof known) {
            if (used > 0) {
                memcpy(known + used, ", ", 2);
                used += 2;
            }
            memcpy(known + used, rules[i].key, len + 1);
            used += len;
        }
    }
    const char *close = key_suggest(e, rules, n_rules);
    if (close != NULL) {
        return dn_yaml_error_at(doc, e->line, e->column, err,
                                "unknown key \"%s\" in %s; did you mean \"%s\"?", e->key, where,
                                close);
    }
    return dn_yaml_error_at(doc, e->line, e->column, err,
                            "unknown key \"%s\" in %s; known keys: %s", e->key, where, known);
}

/* A key of another tool, as far as can be told: misspelt, the known key would be missing. */
static bool is_foreign(const struct dn_yaml_node *map, const struct dn_yaml_entry *e,
                       const struct dn_key_rule *rules, size_t n_rules)
{
    const char *close = key_suggest(e, rules, n_rules);

    return close == NULL || dn_yaml_get(map, close) != NULL;
}

static const struct dn_key_rule *rule_find(const struct dn_key_rule *rules, size_t n_rules,
                                           const char *key)
{
    for (size_t i = 0; i < n_rules; i++) {
        if (strcmp(rules[i].key, key) == 0) {
            return &rules[i];
        }
    }
    return NULL;
}

enum dn_status dn_keys_check(const struct dn_yaml_doc *doc, const struct dn_yaml_node *map,
                             const char *where, const struct dn_key_rule *rules, size_t n_rules,
                             bool open, struct dn_error *err)
{
    if (!dn_yaml_is_null(map) && map->kind != DN_YAML_MAP) {
        return dn_yaml_error_at(doc, map->line, map->column, err, "%s must be a map, not %s", where,
                                dn_yaml_kind_name(map));
    }
    const bool empty = dn_yaml_is_null(map);
    for (const struct dn_yaml_entry *e = empty ? NULL : map->first; e != NULL; e = e->next) {
        const struct dn_key_rule *rule = rule_find(rules, n_rules, e->key);
        if (rule == NULL) {
            if (open && is_foreign(map, e, rules, n_rules)) {
                continue;
            }
            return unknown_key(doc, e, where, rules, n_rules, err);
        }
        if (!dn_yaml_is_null(e->value) && !kind_fits(e->value, rule->kinds)) {
            /* never the value: it may be a password in the wrong place */
            return dn_yaml_error_at(doc, e->value->line, e->value->column, err,
                                    "\"%s\" in %s must be %s, not %s", e->key, where,
                                    kinds_name(rule->kinds), dn_yaml_kind_name(e->value));
        }
    }
    for (size_t i = 0; i < n_rules; i++) {
        if (rules[i].required && dn_yaml_is_null(dn_yaml_get(map, rules[i].key))) {
            return dn_yaml_error_at(doc, map != NULL ? map->line : 1, map != NULL ? map->column : 1,
                                    err, "%s lacks the key \"%s\"", where, rules[i].key);
        }
    }
    return DN_OK;
}

enum dn_status dn_keys_located(const struct dn_yaml_doc *doc, const char *key, const char *path,
                               enum dn_status st, struct dn_error *err)
{
    const struct dn_yaml_node *node = dn_yaml_get(doc->root, key);

    if (err == NULL || node == NULL || err->line >= 0 ||
        (st != DN_ERR_NOT_FOUND && st != DN_ERR_IO) || strcmp(err->path, path) != 0) {
        return st;
    }
    const struct dn_error said = *err;
    const char *message = said.message;
    const size_t len = strlen(path);
    if (node->from_environment && strncmp(message, path, len) == 0 && message[len] == ':') {
        message += len + 1; /* what is no file may be a secret in the wrong variable */
        message += *message == ' ' ? 1 : 0;
    } else if (node->from_environment) {
        message = "the file that it names cannot be read";
    }
    (void)dn_yaml_error_at(doc, node->line, node->column, err, "%s: %s", key, message);
    err->code = said.code;
    err->os_errno = said.os_errno;
    return st;
}

const char *dn_keys_text(const struct dn_yaml_node *map, const char *key)
{
    const struct dn_yaml_node *value = dn_yaml_get(map, key);

    return dn_yaml_is_null(value) || value->kind != DN_YAML_SCALAR ? NULL : value->text;
}
