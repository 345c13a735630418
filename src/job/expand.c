#include "job/expand.h"

#include "base/expand.h"
#include "base/memory.h"
#include "base/strings.h"
#include "base/utf8.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The message with the place of the node in front. */
static enum dn_status at_node(const struct dn_yaml_doc *doc, const struct dn_yaml_node *node,
                              enum dn_status st, const struct dn_error *failure,
                              struct dn_error *err)
{
    if (st == DN_ERR_CONFIG) {
        return dn_yaml_error_at(doc, node->line, node->column, err, "%s", failure->message);
    }
    if (err != NULL) {
        *err = *failure;
    }
    return st;
}

static enum dn_status expand_scalar(struct dn_yaml_doc *doc, struct dn_yaml_node *node,
                                    struct dn_error *err)
{
    struct dn_buffer out = {0};
    struct dn_error failure;
    enum dn_status st = DN_OK;

    if (strstr(node->text, "${") == NULL) {
        return DN_OK;
    }
    dn_error_clear(&failure);
    st = dn_expand_text(&out, node->text, &failure);
    if (st != DN_OK) {
        st = at_node(doc, node, st, &failure, err);
        goto cleanup;
    }
    const char *text =
        dn_arena_strndup(&doc->arena, out.data != NULL ? (const char *)out.data : "", out.len);
    if (text == NULL) {
        st = dn_error_memory(err, out.len + 1);
        goto cleanup;
    }
    node->text = text;
    node->from_environment = true;
cleanup:
    dn_buffer_finish(&out);
    return st;
}

enum dn_status dn_expand_node(struct dn_yaml_doc *doc, struct dn_yaml_node *node,
                              struct dn_error *err)
{
    if (node == NULL || node->expanded) {
        return DN_OK; /* an alias may lead here twice */
    }
    node->expanded = true;
    if (node->kind == DN_YAML_SCALAR) {
        return expand_scalar(doc, node, err);
    }
    for (struct dn_yaml_entry *e = node->first; e != NULL; e = e->next) {
        DN_TRY(dn_expand_node(doc, e->value, err)); /* depth is bounded by the parser */
    }
    return DN_OK;
}

enum dn_status dn_expand_optional(struct dn_yaml_doc *doc, struct dn_yaml_node *node,
                                  struct dn_error *err)
{
    if (node == NULL || node->expanded || node->kind != DN_YAML_SCALAR) {
        return DN_OK;
    }
    const size_t len = dn_expand_sole_name(node->text);
    if (len == 0) {
        return DN_OK;
    }
    char *copy = dn_arena_strndup(&doc->arena, node->text + 2, len);
    if (copy == NULL) {
        return dn_error_memory(err, len + 1);
    }
    if (getenv(copy) == NULL) {
        node->unset = copy;
        node->text = "";
        node->plain = true;
        node->expanded = true;
    }
    return DN_OK;
}

/* A plain float of YAML's core rules, without the hexadecimal and "nan" forms of strtod(). */
static bool as_float(const char *text, double *out)
{
    const size_t n = strspn(text, "+-.0123456789eE");
    if (text[n] != '\0' || strpbrk(text, "0123456789") == NULL || strpbrk(text, ".eE") == NULL) {
        return false;
    }
    const char *digits = text + (text[0] == '-' || text[0] == '+' ? 1 : 0);
    if (digits[0] == '0' && isdigit((unsigned char)digits[1])) {
        return false; /* 00.5 is a text */
    }
    char *end = NULL;
    *out = dn_text_to_double(text, &end);
    return *end == '\0' && isfinite(*out);
}

static json_t *scalar_to_json(const struct dn_yaml_node *node)
{
    int64_t integer = 0;
    bool truth = false;
    double real = 0.0;

    if (dn_yaml_is_null(node)) {
        return json_null();
    }
    if (dn_yaml_as_bool(node, &truth)) {
        return json_boolean(truth);
    }
    if (dn_yaml_as_int(node, &integer)) {
        return json_integer(integer);
    }
    if (node->plain && as_float(node->text, &real)) {
        return json_real(real);
    }
    return json_string(node->text);
}

enum dn_status dn_yaml_to_json(const struct dn_yaml_doc *doc, const struct dn_yaml_node *node,
                               json_t **out, struct dn_error *err)
{
    enum dn_status st = DN_OK;

    json_t *made = node == NULL                 ? json_null()
                   : node->kind == DN_YAML_MAP  ? json_object()
                   : node->kind == DN_YAML_LIST ? json_array()
                                                : scalar_to_json(node);
    if (made == NULL) {
        return dn_error_memory(err, 64);
    }
    for (const struct dn_yaml_entry *e = node != NULL ? node->first : NULL; e != NULL;
         e = e->next) {
        json_t *child = NULL;
        DN_TRY_GOTO(st, dn_yaml_to_json(doc, e->value, &child, err), cleanup);
        const int failed = e->key != NULL ? json_object_set_new(made, e->key, child)
                                          : json_array_append_new(made, child);
        if (failed != 0) {
            st = dn_error_memory(err, 64);
            goto cleanup;
        }
    }
    *out = made;
    made = NULL;
cleanup:
    json_decref(made);
    return st;
}
