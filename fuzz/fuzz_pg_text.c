/*
 * Texts around a connection to PostgreSQL: names of tables, credentials files, words of libpq and of servers.  Any bytes give values that
 * are what the headers say, or an error.  The first byte says what the rest is (the digits 0 to 3 do).
 */
#include "fuzz_target.h"

#include "base/memory.h"
#include "base/utf8.h"
#include "pg/cursor.h"
#include "pg/fault.h"
#include "pg/params.h"

#include <string.h>

#define MAX_INPUT 20000
#define HOLDS(condition) FUZZ_CHECK(condition, "of this text")

/* What is quoted is read back. */
static void check_name(const char *text)
{
    struct dn_arena arena = {0};
    struct dn_buffer quoted = {0};
    struct dn_pg_name name;
    struct dn_pg_name again;
    struct dn_error err;

    if (dn_pg_name_read(&name, text, &arena, &err) != DN_OK) {
        HOLDS(err.code == DN_ERR_CONFIG && dn_utf8_is_valid(err.message));
        dn_arena_finish(&arena);
        return;
    }
    HOLDS(name.name[0] != '\0' && (name.schema == NULL || name.schema[0] != '\0'));
    if (name.schema != NULL) {
        HOLDS(dn_pg_quote_name(&quoted, name.schema, NULL) == DN_OK);
        HOLDS(dn_buffer_append_byte(&quoted, '.', NULL) == DN_OK);
    }
    HOLDS(dn_pg_quote_name(&quoted, name.name, NULL) == DN_OK);
    HOLDS(dn_buffer_append_byte(&quoted, 0, NULL) == DN_OK);
    HOLDS(dn_pg_name_read(&again, (const char *)quoted.data, &arena, NULL) == DN_OK);
    HOLDS(strcmp(again.name, name.name) == 0);
    HOLDS((again.schema == NULL) == (name.schema == NULL));
    HOLDS(name.schema == NULL || strcmp(again.schema, name.schema) == 0);
    dn_buffer_finish(&quoted);
    dn_arena_finish(&arena);
}

/* A literal ends with its last quote: in front of it quotes and backslashes come in pairs. */
static void check_literal(const char *text)
{
    struct dn_buffer literal = {0};
    size_t n = 0;

    HOLDS(dn_pg_quote_literal(&literal, text, NULL) == DN_OK);
    HOLDS(literal.len >= 3 && memcmp(literal.data, "E'", 2) == 0);
    for (size_t i = 2; i + 1 < literal.len; i++, n++) {
        const uint8_t byte = literal.data[i];
        if (byte == '\'' || byte == '\\') {
            HOLDS(i + 2 < literal.len && literal.data[i + 1] == byte);
            i++;
        }
        HOLDS(byte == (uint8_t)text[n]);
    }
    HOLDS(literal.data[literal.len - 1] == '\'' && text[n] == '\0');
    dn_buffer_finish(&literal);
}

static void check_credentials(const char *text, size_t len)
{
    struct dn_pg_params p = {0};
    struct dn_error err;

    if (dn_pg_params_add_file_text(&p, text, len, &err) != DN_OK) {
        HOLDS((err.code == DN_ERR_CONFIG || err.code == DN_ERR_UNSUPPORTED) && err.line > 0);
    }
    for (size_t i = 0; i < p.n; i++) {
        HOLDS(p.items[i].keyword[0] != '\0' && p.items[i].value[0] != '\0');
        HOLDS(dn_pg_params_get(&p, p.items[i].keyword) == p.items[i].value); /* none twice */
    }
    (void)dn_error_set(&err, DN_ERR_IO, "%s", text);
    (void)dn_pg_params_hide(&p, DN_ERR_IO, &err);
    const char *password = dn_pg_params_get(&p, "password");
    HOLDS(password == NULL || strlen(password) < 3 || strchr(password, '*') != NULL ||
          strstr(err.message, password) == NULL);
    dn_pg_params_finish(&p);
}

static void check_words(const char *text)
{
    char tidy[100];
    char sqlstate[6];
    struct dn_error err;

    dn_pg_fault_tidy(tidy, sizeof(tidy), text);
    HOLDS(strlen(tidy) < sizeof(tidy) && strchr(tidy, '\n') == NULL);
    dn_pg_fault_find_sqlstate(sqlstate, text);
    HOLDS(strlen(sqlstate) == 0 || (strlen(sqlstate) == 5 && strstr(text, sqlstate) != NULL));
    const struct dn_pg_fault fault = {.sqlstate = sqlstate, .message = text, .detail = tidy};
    HOLDS(dn_pg_fault_set(&err, &fault, "what") == (enum dn_status)err.code && err.code != DN_OK);
    HOLDS(dn_utf8_is_valid(err.message));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > MAX_INPUT) {
        return 0;
    }
    char *text = dn_strndup((const char *)data + 1, size - 1);
    HOLDS(text != NULL);
    switch (data[0] & 3) {
    case 0:
        check_name(text);
        break;
    case 1:
        check_literal(text);
        break;
    case 2:
        check_credentials(text, size - 1);
        break;
    default:
        check_words(text);
        break;
    }
    dn_free(text);
    return 0;
}
