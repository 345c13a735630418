#include "pg/fault.h"

#include <stdio.h>
#include <string.h>

enum dn_status dn_pg_status_of(const char *sqlstate)
{
    static const struct {
        const char *prefix; /**< the first that fits counts */
        enum dn_status status;
    } table[] = {
        {"42501", DN_ERR_CONFIG},    {"42P01", DN_ERR_NOT_FOUND}, {"42703", DN_ERR_NOT_FOUND},
        {"3F000", DN_ERR_NOT_FOUND}, {"08", DN_ERR_TEMPORARY},    {"40", DN_ERR_TEMPORARY},
        {"53", DN_ERR_TEMPORARY},    {"55", DN_ERR_TEMPORARY},    {"57", DN_ERR_TEMPORARY},
        {"28", DN_ERR_CONFIG},       {"3D", DN_ERR_CONFIG},       {"22", DN_ERR_DATA},
        {"42", DN_ERR_INVALID},      {"0A", DN_ERR_UNSUPPORTED},
    };

    for (size_t i = 0; sqlstate != NULL && i < sizeof(table) / sizeof(table[0]); i++) {
        if (strncmp(sqlstate, table[i].prefix, strlen(table[i].prefix)) == 0) {
            return table[i].status;
        }
    }
    return DN_ERR_IO;
}

/* What helps, where the server gives no hint of its own. */
static const char *advice_for(const char *sqlstate)
{
    static const struct {
        const char *prefix;
        const char *advice;
    } table[] = {
        {"28", "look at user, password and the server's pg_hba.conf"},
        {"3D", "look at the key database, which is the user's name where nobody says it"},
        {"42501", "ask for that right, which of a table is GRANT SELECT, or name the columns that "
                  "may be read"},
        {"22021", "where the database's encoding is SQL_ASCII, a query has to say which one its "
                  "texts have: convert()"},
        {"55P03", "another session holds a lock; try again, or raise lock_timeout"},
        {"57P", "run it again; retry_config in a job does so by itself"},
        {"57014", "the server ended the statement; raise statement_timeout if that was the reason"},
        {"53300", "the server has no connection left; use fewer"},
    };

    for (size_t i = 0; sqlstate != NULL && i < sizeof(table) / sizeof(table[0]); i++) {
        if (strncmp(sqlstate, table[i].prefix, strlen(table[i].prefix)) == 0) {
            return table[i].advice;
        }
    }
    return NULL;
}

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

/* Refused without TLS, and not tried with it. */
static bool wants_tls(const struct dn_pg_fault *fault)
{
    return strncmp(or_empty(fault->sqlstate), "28000", 5) == 0 &&
           strstr(or_empty(fault->message), "no encryption") != NULL &&
           strstr(or_empty(fault->message), "SSL encryption") == NULL;
}

enum dn_status dn_pg_fault_set(struct dn_error *err, const struct dn_pg_fault *fault,
                               const char *what)
{
    const enum dn_status code = dn_pg_status_of(fault->sqlstate);
    const bool has_hint = fault->hint != NULL && fault->hint[0] != '\0';
    const char *hint = has_hint ? fault->hint
                       : wants_tls(fault)
                           ? "the server may want TLS, which sslmode: require asks for"
                           : advice_for(fault->sqlstate);
    const bool has_detail = fault->detail != NULL && fault->detail[0] != '\0';
    const bool has_state = fault->sqlstate != NULL && fault->sqlstate[0] != '\0';

    (void)dn_error_set(err, code, "%s: %s%s%s%s%s%s%s%s", what,
                       fault->message != NULL ? fault->message : "the server gave no reason",
                       has_state ? " (SQLSTATE " : "", or_empty(fault->sqlstate),
                       has_state ? ")" : "", has_detail ? ": " : "", or_empty(fault->detail),
                       hint != NULL ? "; " : "", or_empty(hint));
    dn_error_locate(err, fault->table, -1, -1, -1, fault->column);
    return code;
}

static bool is_state_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
}

/* Five letters or digits, a colon and a blank. */
static bool is_state(const char *text)
{
    for (size_t i = 0; i < 5; i++) {
        if (!is_state_char(text[i])) {
            return false;
        }
    }
    return text[5] == ':' && text[6] == ' ';
}

void dn_pg_fault_find_sqlstate(char *out, const char *text)
{
    static const char before[] = ":  ";

    out[0] = '\0';
    for (const char *at = strstr(text, before); at != NULL; at = strstr(at + 1, before)) {
        if (is_state(at + strlen(before))) {
            (void)snprintf(out, 6, "%.5s", at + strlen(before));
            return;
        }
    }
}

/* Whether a line was said before: with TLS and without, a server refuses twice in the same words. */
static bool is_said(const char *said, const char *line, size_t len)
{
    for (const char *at = said; at != NULL; at = strstr(at, "; ")) {
        at += at != said ? 2 : 0;
        if (strncmp(at, line, len) == 0 && (at[len] == '\0' || strncmp(at + len, "; ", 2) == 0)) {
            return true;
        }
    }
    return false;
}

/* One line of libpq's, without tabs in front, behind the `n` bytes that are there. */
static size_t put_line(char *out, size_t size, size_t n, const char *line, size_t len)
{
    while (len > 0 && (*line == '\t' || *line == ' ')) {
        line++;
        len--;
    }
    if (len == 0 || strncmp(line, "LOCATION:", 9) == 0 || is_said(out, line, len)) {
        return n;
    }
    const size_t room = size - n;
    const int put = snprintf(out + n, room, "%s%.*s", n == 0 ? "" : "; ", (int)len, line);
    return put < 0 ? n : (size_t)put < room ? n + (size_t)put : size - 1;
}

void dn_pg_fault_tidy(char *out, size_t size, const char *text)
{
    size_t n = 0;

    out[0] = '\0';
    while (*text != '\0') {
        const size_t len = strcspn(text, "\n");
        n = put_line(out, size, n, text, len);
        text += len + (text[len] != '\0');
    }
}
