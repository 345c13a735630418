#include "pg/params.h"

#include "base/memory.h"
#include "base/os_memory.h"
#include "base/strings.h"
#include "pg/libpq.h"

#include <stdlib.h>
#include <string.h>

#define HIDDEN "***"
#define FEWEST_SECRET_BYTES 3 /**< shorter ones are in every sentence */

/* A name and the keyword that it stands for. */
struct word {
    const char *name;
    const char *keyword;
};

/* libpq's own keywords stand for themselves.  The list is ours, so that names are checked, and suggested, without libpq. */
static const struct word words[] = {
    {"host", NULL},
    {"hostaddr", NULL},
    {"port", NULL},
    {"dbname", NULL},
    {"user", NULL},
    {"password", NULL},
    {"passfile", NULL},
    {"service", NULL},
    {"require_auth", NULL},
    {"channel_binding", NULL},
    {"connect_timeout", NULL},
    {"client_encoding", NULL},
    {"options", NULL},
    {"application_name", NULL},
    {"fallback_application_name", NULL},
    {"keepalives", NULL},
    {"keepalives_idle", NULL},
    {"keepalives_interval", NULL},
    {"keepalives_count", NULL},
    {"tcp_user_timeout", NULL},
    {"sslmode", NULL},
    {"sslnegotiation", NULL},
    {"sslcompression", NULL},
    {"sslcert", NULL},
    {"sslkey", NULL},
    {"sslpassword", NULL},
    {"sslcertmode", NULL},
    {"sslrootcert", NULL},
    {"sslcrl", NULL},
    {"sslcrldir", NULL},
    {"sslsni", NULL},
    {"ssl_min_protocol_version", NULL},
    {"ssl_max_protocol_version", NULL},
    {"requirepeer", NULL},
    {"krbsrvname", NULL},
    {"gsslib", NULL},
    {"gssencmode", NULL},
    {"gssdelegation", NULL},
    {"target_session_attrs", NULL},
    {"load_balance_hosts", NULL},
    {"database", "dbname"},
    {"username", "user"},
    {"PGHOST", "host"},
    {"PGHOSTADDR", "hostaddr"},
    {"PGPORT", "port"},
    {"PGDATABASE", "dbname"},
    {"PGUSER", "user"},
    {"PGPASSWORD", "password"},
    {"PGPASSFILE", "passfile"},
    {"PGSERVICE", "service"},
    {"PGOPTIONS", "options"},
    {"PGSSLMODE", "sslmode"},
    {"PGSSLCERT", "sslcert"},
    {"PGSSLKEY", "sslkey"},
    {"PGSSLROOTCERT", "sslrootcert"},
    {"PGCONNECT_TIMEOUT", "connect_timeout"},
};

#define N_WORDS (sizeof(words) / sizeof(words[0]))

static const char *keyword_of(const char *name)
{
    for (size_t i = 0; i < N_WORDS; i++) {
        if (strcmp(name, words[i].name) == 0) {
            return words[i].keyword != NULL ? words[i].keyword : words[i].name;
        }
    }
    return NULL;
}

static bool is_dsn(const char *name)
{
    return strcmp(name, "dsn") == 0 || strcmp(name, "url") == 0;
}

bool dn_pg_params_knows(const char *name)
{
    return is_dsn(name) || keyword_of(name) != NULL;
}

/* The name that was meant, of those that are there. */
static const char *near(const char *name)
{
    const char *names[N_WORDS + 1];

    for (size_t i = 0; i < N_WORDS; i++) {
        names[i] = words[i].name;
    }
    names[N_WORDS] = "dsn";
    return dn_text_suggest(name, names, N_WORDS + 1);
}

static void free_secret(char *text)
{
    if (text != NULL) {
        dn_os_wipe(text, strlen(text));
    }
    dn_free(text);
}

void dn_pg_params_finish(struct dn_pg_params *p)
{
    for (size_t i = 0; i < p->n; i++) {
        dn_free(p->items[i].keyword);
        free_secret(p->items[i].value);
    }
    dn_free(p->items);
    *p = (struct dn_pg_params){0};
}

const char *dn_pg_params_get(const struct dn_pg_params *p, const char *keyword)
{
    for (size_t i = 0; i < p->n; i++) {
        if (strcmp(p->items[i].keyword, keyword) == 0) {
            return p->items[i].value;
        }
    }
    return NULL;
}

static enum dn_status append(struct dn_pg_params *p, const char *keyword, const char *value,
                             struct dn_error *err)
{
    struct dn_pg_param item = {dn_strdup(keyword), dn_strdup(value)};
    struct dn_pg_param *items = dn_realloc_array(p->items, p->n + 1, sizeof(*items));

    if (items != NULL) {
        p->items = items;
    }
    if (items == NULL || item.keyword == NULL || item.value == NULL) {
        dn_free(item.keyword);
        free_secret(item.value);
        return dn_error_memory(err, strlen(value) + 1);
    }
    p->items[p->n++] = item;
    return DN_OK;
}

enum dn_status dn_pg_params_add(struct dn_pg_params *p, const char *name, const char *value,
                                struct dn_error *err)
{
    const char *keyword = keyword_of(name);

    if (is_dsn(name)) {
        return value[0] != '\0' ? dn_pg_params_add_dsn(p, value, err) : DN_OK;
    }
    if (keyword == NULL) {
        const char *meant = near(name);
        char shown[DN_ESCAPED_VALUE_SIZE];
        (void)dn_error_escape_value(shown, name, strlen(name));
        return dn_error_option(
            err,
            dn_error_set(err, DN_ERR_CONFIG,
                         "a connection to PostgreSQL has no key %s%s%s%s; the keys are those of "
                         "libpq, and database",
                         shown, meant != NULL ? ": did you mean '" : "", meant != NULL ? meant : "",
                         meant != NULL ? "'?" : ""),
            name);
    }
    if (value[0] == '\0' || dn_pg_params_get(p, keyword) != NULL) {
        return DN_OK;
    }
    return append(p, keyword, value, err);
}

/* ---- DSN ---------------------------------------------------------------------------------------------------------- */

/* The word in libpq's message that it does not know, if it is near one that there is: anything else may be part of a password. */
static const char *option_near(const char *message)
{
    char name[65] = "";
    const char *begin = message != NULL ? strchr(message, '"') : NULL;
    const char *end = begin != NULL ? strchr(begin + 1, '"') : NULL;

    if (end == NULL || (size_t)(end - begin) > sizeof(name)) {
        return NULL;
    }
    memcpy(name, begin + 1, (size_t)(end - begin) - 1);
    return near(name);
}

static enum dn_status refuse_dsn(const char *message, struct dn_error *err)
{
    const char *meant = option_near(message);

    return dn_error_option(
        err,
        dn_error_set(
            err, DN_ERR_CONFIG,
            "the dsn is no connection string of PostgreSQL%s%s%s; it is "
            "postgresql://user@host:port/database?key=value, with special characters as %%XX, or "
            "key=value pairs, with values that hold blanks in single quotes",
            meant != NULL ? " (did you mean the key '" : "", meant != NULL ? meant : "",
            meant != NULL ? "'?)" : ""),
        "dsn");
}

/* A host that holds an @ is the end of a password that was not encoded. */
static bool hosts_are_plain(const PQconninfoOption *options)
{
    for (const PQconninfoOption *o = options; o->keyword != NULL; o++) {
        if (o->val != NULL && strcmp(o->keyword, "host") == 0 && o->val[0] != '@' &&
            strchr(o->val, '@') != NULL) {
            return false;
        }
    }
    return true;
}

static enum dn_status take_options(struct dn_pg_params *p, const PQconninfoOption *options,
                                   struct dn_error *err)
{
    if (!hosts_are_plain(options)) {
        return dn_error_option(
            err,
            dn_error_set(err, DN_ERR_CONFIG,
                         "the host of the dsn holds an '@': write those of the password as %%40"),
            "dsn");
    }
    for (const PQconninfoOption *o = options; o->keyword != NULL; o++) {
        if (o->val != NULL && o->val[0] != '\0' && dn_pg_params_get(p, o->keyword) == NULL) {
            DN_TRY(append(p, o->keyword, o->val, err));
        }
    }
    return DN_OK;
}

/*
 * libpq ends a password at the first @, and at a / before it, and takes the rest of it for a host, a port or a database, which messages
 * show.
 */
static bool has_open_password(const char *dsn)
{
    const char *scheme = strstr(dsn, "://");
    const size_t len = strcspn(dsn, "?");
    const char *first = memchr(dsn, '@', len);

    if (first == NULL || scheme == NULL || scheme > first ||
        !dn_text_equal_nocase_n(dsn, "postgres", 8)) {
        return false;
    }
    return memchr(scheme + 3, '/', (size_t)(first - scheme) - 3) != NULL ||
           memchr(first + 1, '@', len - (size_t)(first + 1 - dsn)) != NULL;
}

enum dn_status dn_pg_params_add_dsn(struct dn_pg_params *p, const char *dsn, struct dn_error *err)
{
    const struct dn_libpq *pq = NULL;
    char *message = NULL;

    DN_TRY(dn_libpq_load(&pq, err));
    if (has_open_password(dsn)) {
        return dn_error_option(
            err,
            dn_error_set(err, DN_ERR_CONFIG,
                         "the url has more than one '@', or a '/' in front of it: write those of "
                         "user and password as %%40 and %%2F"),
            "dsn");
    }
    PQconninfoOption *options = pq->conninfo_parse(dsn, &message);
    if (options == NULL) {
        const enum dn_status st = refuse_dsn(message, err);
        pq->free_memory(message);
        return st;
    }
    const enum dn_status st = take_options(p, options, err);
    for (PQconninfoOption *o = options; o->keyword != NULL; o++) {
        if (o->val != NULL) {
            dn_os_wipe(o->val, strlen(o->val));
        }
    }
    pq->conninfo_free(options);
    return st;
}

/* ---- credentials file --------------------------------------------------------------------------------------------- */

struct line {
    const char *text;
    size_t len;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct line trimmed(struct line l)
{
    while (l.len > 0 && is_blank(l.text[0])) {
        l.text++;
        l.len--;
    }
    while (l.len > 0 && is_blank(l.text[l.len - 1])) {
        l.len--;
    }
    return l;
}

static struct line without_quotes(struct line l)
{
    if (l.len >= 2 && (l.text[0] == '"' || l.text[0] == '\'') && l.text[l.len - 1] == l.text[0]) {
        l.text++;
        l.len -= 2;
    }
    return l;
}

/*
 * Credentials may hold names of other programs, which are theirs.  One that differs from ours by a slip is none: nobody would notice that
 * it does not count.
 */
static const char *slip_of(const char *name)
{
    const bool is_ours = dn_text_starts_with(name, "PG");
    size_t distance = 0;

    for (size_t i = 0; i < N_WORDS && (is_ours || strlen(name) > 5); i++) {
        if (dn_text_is_close(name, words[i].name, &distance) && distance <= 1) {
            return words[i].name;
        }
    }
    return NULL;
}

enum dn_status dn_pg_params_check_other(const char *name, struct dn_error *err)
{
    char shown[DN_ESCAPED_VALUE_SIZE];
    const char *meant = slip_of(name);

    if (meant == NULL) {
        return DN_OK;
    }
    (void)dn_error_escape_value(shown, name, strlen(name));
    return dn_error_option(err,
                           dn_error_set(err, DN_ERR_CONFIG,
                                        "a connection to PostgreSQL has no key %s: did you mean "
                                        "'%s'?",
                                        shown, meant),
                           name);
}

static enum dn_status add_pair(struct dn_pg_params *p, struct line name, struct line value,
                               struct dn_error *err)
{
    char *name_text = dn_strndup(name.text, name.len);
    char *value_text = dn_strndup(value.text, value.len);
    enum dn_status st = DN_OK;

    if (name_text == NULL || value_text == NULL) {
        st = dn_error_memory(err, name.len + value.len + 2);
    } else if (dn_pg_params_knows(name_text)) {
        st = dn_pg_params_add(p, name_text, value_text, err);
    } else {
        st = dn_pg_params_check_other(name_text, err);
    }
    dn_free(name_text);
    free_secret(value_text);
    return st;
}

static enum dn_status add_line(struct dn_pg_params *p, struct line l, int64_t number,
                               struct dn_error *err)
{
    l = trimmed(l);
    if (l.len == 0 || l.text[0] == '#') {
        return DN_OK;
    }
    if (l.len > 7 && memcmp(l.text, "export", 6) == 0 && is_blank(l.text[6])) {
        l = trimmed((struct line){l.text + 7, l.len - 7});
    }
    const char *equals = memchr(l.text, '=', l.len);
    if (equals == NULL || equals == l.text || memchr(l.text, '\0', l.len) != NULL) {
        const enum dn_status st =
            dn_error_set(err, DN_ERR_CONFIG, "a line of credentials is NAME=value, e.g. PGUSER=me");
        dn_error_locate(err, NULL, -1, number, -1, NULL);
        return st;
    }
    const size_t name_len = (size_t)(equals - l.text);
    const struct line name = trimmed((struct line){l.text, name_len});
    const struct line value = trimmed((struct line){equals + 1, l.len - name_len - 1});
    const enum dn_status st = add_pair(p, name, without_quotes(value), err);
    if (st != DN_OK) {
        dn_error_locate(err, NULL, -1, number, -1, NULL);
    }
    return st;
}

enum dn_status dn_pg_params_add_file_text(struct dn_pg_params *p, const char *text, size_t len,
                                          struct dn_error *err)
{
    const char *end = text + len;

    for (int64_t number = 1; text < end; number++) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *line_end = newline != NULL ? newline : end;
        DN_TRY(add_line(p, (struct line){text, (size_t)(line_end - text)}, number, err));
        text = newline != NULL ? newline + 1 : end;
    }
    return DN_OK;
}

/* ---- messages ----------------------------------------------------------------------------------------------------- */

static void hide(char *message, const char *secret)
{
    const size_t len = strlen(secret);

    if (len < FEWEST_SECRET_BYTES) {
        return;
    }
    for (char *at = strstr(message, secret); at != NULL; at = strstr(at, secret)) {
        memmove(at + strlen(HIDDEN), at + len, strlen(at + len) + 1);
        memcpy(at, HIDDEN, strlen(HIDDEN));
        at += strlen(HIDDEN);
    }
}

enum dn_status dn_pg_params_hide(const struct dn_pg_params *p, enum dn_status st,
                                 struct dn_error *err)
{
    for (size_t i = 0; err != NULL && i < p->n; i++) {
        if (strcmp(p->items[i].keyword, "password") == 0 ||
            strcmp(p->items[i].keyword, "sslpassword") == 0) {
            hide(err->message, p->items[i].value);
        }
    }
    const char *said = getenv("PGPASSWORD");
    if (err != NULL && said != NULL) {
        hide(err->message, said);
    }
    return st;
}
