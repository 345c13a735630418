/* Names of relations, as people write them and as SQL wants them. */
#include "base/strings.h"
#include "pg/catalog.h"

#include <string.h>

enum dn_status dn_pg_quote_name(struct dn_buffer *out, const char *name, struct dn_error *err)
{
    const size_t before = out->len;
    enum dn_status st = dn_buffer_append_byte(out, '"', err);

    for (const char *p = name; st == DN_OK && *p != '\0'; p++) {
        if (*p == '"') {
            st = dn_buffer_append_byte(out, '"', err);
        }
        if (st == DN_OK) {
            st = dn_buffer_append_byte(out, (uint8_t)*p, err);
        }
    }
    if (st == DN_OK) {
        st = dn_buffer_append_byte(out, '"', err);
    }
    if (st != DN_OK) {
        out->len = before;
    }
    return st;
}

static enum dn_status refuse(struct dn_error *err, const char *text, const char *why)
{
    char shown[DN_ESCAPED_VALUE_SIZE];

    return dn_error_set(err, DN_ERR_CONFIG,
                        "%s is no name of a table: %s; write table, schema.table, or "
                        "\"schema\".\"table\" where a name holds a point",
                        dn_error_escape_value(shown, text, strlen(text)), why);
}

/* One quoted part; *end is behind its closing quote.  NULL: it has none, or memory ran out. */
static char *unquote(const char *text, const char **end, struct dn_arena *arena)
{
    char *out = dn_arena_alloc(arena, strlen(text) + 1);
    size_t n = 0;

    *end = NULL;
    if (out == NULL) {
        return NULL;
    }
    for (const char *p = text + 1; *p != '\0'; p++) {
        if (*p == '"' && p[1] != '"') {
            *end = p + 1;
            return out;
        }
        if (*p == '"') {
            p++;
        }
        out[n++] = *p;
    }
    return out;
}

static enum dn_status read_quoted(struct dn_pg_name *out, const char *text, struct dn_arena *arena,
                                  struct dn_error *err)
{
    const char *end = NULL;
    const char *first = unquote(text, &end, arena);

    if (first == NULL) {
        return dn_error_memory(err, strlen(text) + 1);
    }
    if (end == NULL) {
        return refuse(err, text, "a quote is open");
    }
    if (*end == '\0') {
        *out = (struct dn_pg_name){NULL, first};
        return DN_OK;
    }
    if (*end != '.') {
        return refuse(err, text, "a point has to follow a quoted schema");
    }
    const char *second = end + 1;
    if (*second != '"') {
        *out = (struct dn_pg_name){first, dn_arena_strdup(arena, second)};
        return out->name != NULL ? DN_OK : dn_error_memory(err, strlen(second) + 1);
    }
    second = unquote(second, &end, arena);
    if (second == NULL) {
        return dn_error_memory(err, strlen(text) + 1);
    }
    if (end == NULL || *end != '\0') {
        return refuse(err, text, "a quote is open, or something follows it");
    }
    *out = (struct dn_pg_name){first, second};
    return DN_OK;
}

enum dn_status dn_pg_name_read(struct dn_pg_name *out, const char *text, struct dn_arena *arena,
                               struct dn_error *err)
{
    const char *point = strchr(text, '.');

    *out = (struct dn_pg_name){0};
    if (text[0] == '"') {
        DN_TRY(read_quoted(out, text, arena, err));
    } else {
        const char *name = point != NULL ? point + 1 : text;
        if (point != NULL) {
            out->schema = dn_arena_strndup(arena, text, (size_t)(point - text));
        }
        out->name = dn_arena_strdup(arena, name);
        if (out->name == NULL || (point != NULL && out->schema == NULL)) {
            return dn_error_memory(err, strlen(text) + 1);
        }
    }
    if (out->name[0] == '\0' || (out->schema != NULL && out->schema[0] == '\0')) {
        return refuse(err, text, "a part of it is empty");
    }
    return DN_OK;
}
