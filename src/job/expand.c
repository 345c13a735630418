#include "job/expand.h"

#include "base/memory.h"
#include "base/strings.h"
#include "base/utf8.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEFAULT_DEPTH 8
#define MAX_EXPANDED_BYTES ((size_t)1 << 20)

struct expansion {
    const struct dn_yaml_doc *doc;
    const struct dn_yaml_node *node;
    struct dn_buffer *out;
    struct dn_error *err;
};

static bool is_name_byte(char c, bool first)
{
    return c == '_' || isalpha((unsigned char)c) || (!first && isdigit((unsigned char)c));
}

/* The '}' that closes the "${" before `text`, counting nested ones; NULL if there is none. */
static const char *closing_brace(const char *text, const char *end)
{
    int depth = 1;

    for (const char *p = text; p < end; p++) {
        if (p[0] == '$' && p + 1 < end && p[1] == '{') {
            depth++;
            p++;
        } else if (p[0] == '}' && --depth == 0) {
            return p;
        }
    }
    return NULL;
}

static enum dn_status expand_text(const struct expansion *x, const char *text, const char *end,
                                  int depth);

static enum dn_status expand_variable(const struct expansion *x, const char *inside,
                                      const char *close, int depth)
{
    const char *name_end = inside;
    while (name_end < close && is_name_byte(*name_end, name_end == inside)) {
        name_end++;
    }
    const bool has_default = close - name_end >= 2 && name_end[0] == ':' && name_end[1] == '-';
    if (name_end == inside || (name_end != close && !has_default)) {
        return dn_yaml_error_at(
            x->doc, x->node->line, x->node->column, x->err,
            "a ${...} here is not ${NAME} or ${NAME:-default}; write $${ for a literal ${");
    }
    char name[256];
    const size_t len = (size_t)(name_end - inside);
    if (len >= sizeof name) {
        return dn_yaml_error_at(x->doc, x->node->line, x->node->column, x->err,
                                "the name of an environment variable is too long");
    }
    memcpy(name, inside, len);
    name[len] = '\0';
    const char *value = getenv(name);
    if (value != NULL && (value[0] != '\0' || !has_default)) {
        if (!dn_utf8_is_valid(value)) { /* the plugins get it as JSON */
            return dn_yaml_error_at(x->doc, x->node->line, x->node->column, x->err,
                                    "environment variable %s is not valid UTF-8", name);
        }
        return dn_text_append(x->out, value, x->err);
    }
    if (!has_default) {
        return dn_yaml_error_at(
            x->doc, x->node->line, x->node->column, x->err,
            "environment variable %s is not set and has no default; set it or write "
            "${%s:-default}",
            name, name);
    }
    return expand_text(x, name_end + 2, close, depth + 1);
}

static enum dn_status expand_text(const struct expansion *x, const char *text, const char *end,
                                  int depth)
{
    if (depth > MAX_DEFAULT_DEPTH) {
        return dn_yaml_error_at(x->doc, x->node->line, x->node->column, x->err,
                                "defaults of ${...} are nested too deeply");
    }
    const char *p = text;
    while (p < end) {
        if (p[0] == '$' && end - p >= 3 && p[1] == '$' && p[2] == '{') {
            DN_TRY(dn_text_append(x->out, "${", x->err));
            p += 3;
        } else if (p[0] == '$' && end - p >= 2 && p[1] == '{') {
            const char *close = closing_brace(p + 2, end);
            if (close == NULL) {
                return dn_yaml_error_at(x->doc, x->node->line, x->node->column, x->err,
                                        "${ without a closing brace; write $${ for a literal ${");
            }
            DN_TRY(expand_variable(x, p + 2, close, depth));
            p = close + 1;
        } else {
            DN_TRY(dn_buffer_append_byte(x->out, (uint8_t)*p, x->err));
            p++;
        }
    }
    return DN_OK;
}

static enum dn_status expand_scalar(struct dn_yaml_doc *doc, struct dn_yaml_node *node,
                                    struct dn_error *err)
{
    struct dn_buffer out = {.cap = MAX_EXPANDED_BYTES};
    enum dn_status st = DN_OK;

    if (strstr(node->text, "${") == NULL) {
        return DN_OK;
    }
    const struct expansion x = {.doc = doc, .node = node, .out = &out, .err = err};
    DN_TRY_GOTO(st, expand_text(&x, node->text, node->text + strlen(node->text), 0), cleanup);
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
    if (node == NULL || node->expanded || node->kind != DN_YAML_SCALAR ||
        !dn_text_starts_with(node->text, "${")) {
        return DN_OK;
    }
    const char *name = node->text + 2;
    const size_t len =
        strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789");
    if (len == 0 || strcmp(name + len, "}") != 0) {
        return DN_OK;
    }
    char *copy = dn_arena_strndup(&doc->arena, name, len);
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
    *out = strtod(text, &end);
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

struct json_sink {
    struct dn_buffer *out;
    struct dn_error *err;
};

static int sink_bytes(const char *bytes, size_t len, void *ctx)
{
    const struct json_sink *sink = ctx;
    return dn_buffer_append(sink->out, bytes, len, sink->err) == DN_OK ? 0 : -1;
}

enum dn_status dn_json_write(const json_t *value, struct dn_buffer *out, struct dn_error *err)
{
    struct json_sink sink = {.out = out, .err = err};

    if (json_dump_callback(value, sink_bytes, &sink, JSON_ENCODE_ANY) != 0) {
        return dn_error_memory(err, 0);
    }
    DN_TRY(dn_buffer_append_byte(out, 0, err));
    out->len--; /* the terminator is there, but is not part of the text */
    return DN_OK;
}
