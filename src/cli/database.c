#include "cli/database.h"

#include "base/memory.h"
#include "base/os_memory.h"
#include "base/strings.h"
#include "store/url.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define TABLE "table="

bool dn_database_is(const char *operand)
{
    return dn_text_equal_nocase_n(operand, "postgres://", 11) ||
           dn_text_equal_nocase_n(operand, "postgresql://", 13);
}

/* The key table of the query: its value and what is behind it; NULL: there is none. */
static const char *find_table(const char *address, size_t *len)
{
    const char *at = strchr(address, '?');

    while (at != NULL) {
        at++;
        if (dn_text_starts_with(at, TABLE)) {
            at += strlen(TABLE);
            *len = strcspn(at, "&");
            return at;
        }
        at = strchr(at, '&');
    }
    return NULL;
}

enum dn_status dn_database_table(char **out, const char *address, struct dn_error *err)
{
    size_t len = 0;
    const char *value = find_table(address, &len);

    *out = value != NULL ? dn_strndup(value, len) : NULL;
    if (value != NULL && *out == NULL) {
        return dn_error_memory(err, len);
    }
    if (value != NULL && !dn_url_decode(*out)) {
        memcpy(*out, value, len);
    }
    return DN_OK;
}

static bool is_password_key(const char *key, size_t len)
{
    return memchr(key, '%', len) != NULL ||
           (len >= 8 && strncmp(key + len - 8, "password", 8) == 0); /* sslpassword, too */
}

/* As libpq reads it: who the user is stands in front of the first @, if no / is before that. */
bool dn_database_has_password(const char *address)
{
    const char *user = strstr(address, "://") + 3;
    const size_t user_len = strcspn(user, "@/");
    const char *at = strchr(address, '?');
    bool has = user[user_len] == '@' && memchr(user, ':', user_len) != NULL;

    while (at != NULL && !has) {
        at++;
        has = is_password_key(at, strcspn(at, "=&"));
        at = strchr(at, '&');
    }
    return has;
}

const char *dn_database_shown(char room[DN_SHOWN_PATH_SIZE], const char *operand)
{
    size_t table_len = 0;

    if (!dn_database_is(operand)) {
        return dn_source_shown_path(room, operand);
    }
    const char *scheme = strstr(operand, "://") + 3;
    const char *user = strrchr(scheme, '@'); /* a password that is not encoded may hold one, too */
    const char *host = user != NULL ? user + 1 : scheme;
    const char *table = find_table(operand, &table_len);
    const int host_len = (int)strcspn(host, "?");
    (void)snprintf(room, DN_SHOWN_PATH_SIZE, "%.*s%.*s%s%.*s", (int)(scheme - operand), operand,
                   host_len, host, table != NULL ? "?" TABLE : "", (int)table_len,
                   table != NULL ? table : "");
    return room;
}

enum dn_status dn_database_refuse(const char *operand, struct dn_error *err)
{
    char room[DN_SHOWN_PATH_SIZE];

    if (!dn_database_is(operand)) {
        return DN_OK;
    }
    return dn_error_set(err, DN_ERR_UNSUPPORTED,
                        "%s: this command looks into Parquet files; schema shows the columns of a "
                        "table, and convert writes a file of it",
                        dn_database_shown(room, operand));
}

/* The address without its table, for libpq, which knows no such key and only small letters of the scheme. */
static char *without_table(const char *address)
{
    size_t len = 0;
    const char *value = find_table(address, &len);
    char *out = dn_strdup(address);

    for (char *p = out; p != NULL && *p != ':'; p++) {
        *p = (char)tolower((unsigned char)*p);
    }
    if (out == NULL || value == NULL) {
        return out;
    }
    char *from = out + (value - address) - strlen(TABLE);
    char *to = out + (value - address) + len;
    if (*to == '&') {
        to++;
    } else {
        from--; /* with the ? or & in front of it */
    }
    memmove(from, to, strlen(to) + 1);
    return out;
}

/* libpq's message about a key that it does not know names none: it could be part of a password. */
static enum dn_status check_table_key(const char *address, struct dn_error *err)
{
    size_t len = 0;
    size_t distance = 0;
    size_t n = 0;
    char room[DN_SHOWN_PATH_SIZE];

    for (const char *at = strchr(address, '?'); at != NULL; at = strchr(at, '&')) {
        char key[16] = "";
        at++;
        len = strcspn(at, "=&");
        n += len == strlen(TABLE) - 1 && dn_text_starts_with(at, TABLE);
        if (len < sizeof key) {
            memcpy(key, at, len);
        }
        if (strcmp(key, "table") != 0 && dn_text_is_close(key, "table", &distance)) {
            return dn_error_set(err, DN_ERR_INVALID,
                                "%s: it has no key \"%s\"; did you mean table?",
                                dn_database_shown(room, address), key);
        }
    }
    return n <= 1 ? DN_OK
                  : dn_error_set(err, DN_ERR_INVALID,
                                 "%s: it names two tables, and one command reads one",
                                 dn_database_shown(room, address));
}

enum dn_status dn_database_connection(const char *address, json_t *options, json_t **out,
                                      struct dn_error *err)
{
    char *table = NULL;
    char *url = NULL;
    enum dn_status st = DN_OK;
    char room[DN_SHOWN_PATH_SIZE];

    DN_TRY_GOTO(st, dn_database_table(&table, address, err), cleanup);
    DN_TRY_GOTO(st, check_table_key(address, err), cleanup);
    if (table != NULL && json_object_get(options, "query") != NULL) {
        st = dn_error_set(err, DN_ERR_INVALID,
                          "%s: it names a table, and --query names its own; leave one out",
                          dn_database_shown(room, address));
        goto cleanup;
    }
    if (table != NULL && table[0] != '\0' && json_object_get(options, "table") == NULL &&
        json_object_set_new(options, "table", json_string(table)) != 0) {
        st = dn_error_set(err, DN_ERR_INVALID, "the name of the table is not valid UTF-8");
        goto cleanup;
    }
    if (json_object_get(options, "query") == NULL && json_object_get(options, "table") == NULL) {
        st = dn_error_set(err, DN_ERR_INVALID,
                          "%s: it names no table; write ?table=schema.name behind it, or give "
                          "--query 'SELECT ...'",
                          dn_database_shown(room, address));
        goto cleanup;
    }
    url = without_table(address);
    *out = url != NULL ? json_pack("{s:s}", "url", url) : NULL;
    if (*out == NULL) {
        st = url == NULL ? dn_error_memory(err, strlen(address))
                         : dn_error_set(err, DN_ERR_INVALID,
                                        "the address of the database is not valid UTF-8");
    }
cleanup:
    if (url != NULL) {
        dn_os_wipe(url, strlen(url));
    }
    dn_free(url);
    dn_free(table);
    return st;
}
