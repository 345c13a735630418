/* How to reach the server: "connection", flat or under "postgres", and "credentials" with its file. */
#include "postgres_reader.h"

#include "base/expand.h"
#include "base/os_memory.h"
#include "base/strings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_FILE_BYTES ((size_t)64 << 10)

struct reading {
    struct dn_pg_params *params;
    struct dn_shell_config *config;
    bool expands;
};

static bool is_dsn(const char *key)
{
    return strcmp(key, "dsn") == 0 || strcmp(key, "url") == 0;
}

/* Variables of the environment, by whom the configuration belongs to.  A value that is nothing but one that is not set says nothing. */
static enum dn_status expand(const char *text, struct dn_buffer *out, struct dn_error *err)
{
    const size_t name_len = dn_expand_sole_name(text);
    char name[256];

    if (name_len > 0 && name_len < sizeof(name)) {
        memcpy(name, text + 2, name_len);
        name[name_len] = '\0';
        if (getenv(name) == NULL) {
            return DN_OK;
        }
    }
    return dn_expand_text(out, text, err);
}

/* A value as text, in `out` with its NUL.  Numbers and booleans are what libpq writes for them. */
static enum dn_status value_of(const struct reading *r, const json_t *value, struct dn_buffer *out,
                               struct dn_error *err)
{
    const char *text = dn_shell_text_value(value);
    enum dn_status st = DN_OK;

    if (json_is_integer(value)) {
        st = dn_text_appendf(out, err, "%lld", (long long)json_integer_value(value));
    } else if (json_is_boolean(value)) {
        st = dn_text_append(out, json_is_true(value) ? "1" : "0", err);
    } else if (text == NULL) {
        return dn_error_set(err, DN_ERR_CONFIG, "must be a text or a number");
    } else if (r->expands && strstr(text, "${") != NULL) {
        st = expand(text, out, err);
    } else {
        st = dn_text_append(out, text, err);
    }
    return st == DN_OK ? dn_buffer_append_byte(out, 0, err) : st;
}

static void forget(struct dn_buffer *b)
{
    if (b->data != NULL) {
        dn_os_wipe(b->data, b->capacity);
    }
    dn_buffer_finish(b);
}

static enum dn_status add_value(struct reading *r, const char *where, const char *key,
                                const json_t *value, struct dn_error *err)
{
    struct dn_buffer text = {0};
    enum dn_status st = value_of(r, value, &text, err);

    if (st != DN_OK) {
        st = dn_error_option(err, dn_error_prefix(err, st, "%s.%s: ", where, key), key);
    } else {
        st = dn_pg_params_add(r->params, key, (const char *)text.data, err);
        st = dn_error_prefix(err, st, "%s: ", where);
    }
    forget(&text);
    return st;
}

/* Keys first, then what a dsn says besides.  `others` may hold keys of other programs. */
static enum dn_status add_map(struct reading *r, const json_t *map, const char *where, bool others,
                              struct dn_error *err)
{
    json_t *mutable =
        (json_t *)(uintptr_t)map; /* jansson iterates through a mutable pointer only */

    for (int dsn = 0; dsn < 2; dsn++) {
        for (void *it = json_object_iter(mutable); it != NULL;
             it = json_object_iter_next(mutable, it)) {
            const char *key = json_object_iter_key(it);
            const json_t *value = json_object_iter_value(it);
            if (is_dsn(key) != (dsn == 1) || json_is_null(value) || json_is_object(value)) {
                continue;
            }
            if (others && !dn_pg_params_knows(key)) {
                const enum dn_status st = dn_pg_params_check_other(key, err);
                DN_TRY(dn_error_prefix(err, st, "%s: ", where));
                continue;
            }
            DN_TRY(add_value(r, where, key, value, err));
        }
    }
    return DN_OK;
}

static enum dn_status get_map(const json_t *object, const char *key, const json_t **out,
                              struct dn_error *err)
{
    *out = dn_shell_get(object, key);
    if (*out != NULL && !json_is_object(*out)) {
        return dn_error_option(err, dn_error_set(err, DN_ERR_CONFIG, "%s must be an object", key),
                               key);
    }
    return DN_OK;
}

/* ---- the file of the credentials ---------------------------------------------------------------------------------- */

static enum dn_status read_file(const char *path, struct dn_buffer *out, struct dn_error *err)
{
    enum dn_status st = DN_OK;
    FILE *file = fopen(path, "re");

    if (file == NULL) {
        const int failure = errno;
        return dn_error_set_errno(err, failure == ENOENT ? DN_ERR_NOT_FOUND : DN_ERR_IO, failure,
                                  "cannot read the credentials of PostgreSQL from %s", path);
    }
    st = dn_buffer_reserve(out, MOST_FILE_BYTES + 1, err);
    if (st == DN_OK) {
        out->len = fread(out->data, 1, MOST_FILE_BYTES + 1, file);
        if (ferror(file) != 0) {
            st = dn_error_set_errno(err, DN_ERR_IO, errno,
                                    "cannot read the credentials of PostgreSQL from %s", path);
        } else if (out->len > MOST_FILE_BYTES) {
            st = dn_error_set(err, DN_ERR_CONFIG,
                              "%s is too long for a file of credentials, lines NAME=value", path);
        }
    }
    (void)fclose(file);
    return st;
}

static enum dn_status add_file(struct reading *r, const char *key, const json_t *value,
                               struct dn_error *err)
{
    struct dn_buffer path = {0};
    struct dn_buffer text = {0};
    enum dn_status st = value_of(r, value, &path, err);

    if (st != DN_OK) {
        st = dn_error_option(err, dn_error_prefix(err, st, "credentials.%s: ", key), key);
        goto cleanup;
    }
    const char *name = (const char *)path.data;
    if (name[0] == '\0') {
        goto cleanup;
    }
    if (strstr(name, "{tenant}") != NULL) {
        st =
            dn_error_option(err,
                            dn_error_set(err, DN_ERR_CONFIG,
                                         "credentials.%s: %s has a {tenant} that nobody filled in: "
                                         "write the file's own name",
                                         key, name),
                            key);
        goto cleanup;
    }
    st = read_file(name, &text, err);
    if (st == DN_OK) {
        st = dn_pg_params_add_file_text(r->params, (const char *)text.data, text.len, err);
        st = st == DN_OK || err == NULL || err->line < 0
                 ? st
                 : dn_error_prefix(err, st, "%s: line %lld: ", name, (long long)err->line);
    }
    if (st != DN_OK) {
        dn_error_locate(err, name, -1, -1, -1, NULL);
        st = dn_error_option(err, st, key);
    }
cleanup:
    forget(&text);
    dn_buffer_finish(&path);
    return st;
}

static enum dn_status add_credentials(struct reading *r, const json_t *credentials,
                                      struct dn_error *err)
{
    static const char *const files[] = {"file_template", "file"};

    DN_TRY(add_map(r, credentials, "credentials", true, err));
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        const json_t *value = dn_shell_get(credentials, files[i]);
        if (value != NULL) {
            return add_file(r, files[i], value, err);
        }
    }
    return DN_OK;
}

enum dn_status postgres_params_read(struct dn_pg_params *p, struct dn_shell_config *c, bool expands,
                                    struct dn_error *err)
{
    /* the native host has done that already, also where it asks at Level 0.5 */
    const bool is_done = json_is_true(dn_shell_get(c->root, "expanded"));
    struct reading r = {.params = p, .config = c, .expands = expands && !is_done};
    const json_t *connection = NULL;
    const json_t *nested = NULL;
    const json_t *credentials = NULL;

    DN_TRY(get_map(c->root, "connection", &connection, err));
    DN_TRY(get_map(connection, "postgres", &nested, err));
    DN_TRY(get_map(c->root, "credentials", &credentials, err));
    DN_TRY(add_map(&r, nested, "connection.postgres", false, err));
    DN_TRY(add_map(&r, connection, "connection", false, err));
    return add_credentials(&r, credentials, err);
}
