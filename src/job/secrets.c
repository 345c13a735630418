#include "job/secrets.h"

#include <stdlib.h>
#include <string.h>

static bool is_one_of(const char *key, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(key, list[i]) == 0) {
            return true;
        }
    }
    return false;
}

bool dn_secrets_is_open(const char *key, const json_t *value)
{
    static const char *const keys[] = {
        "path",
        "directory",
        "bucket",
        "prefix",
        "endpoint",
        "region",
        "profile",
        "anonymous",
        "type",
        "path_style_access",
        "secure",
        "ca_file",
        "local",
        "no_checksums",
        "s3",
        "minio",
        "host",
        "hostaddr",
        "port",
        "database",
        "dbname",
        "user",
        "username",
        "sslmode",
        "sslrootcert",
        "service",
        "file_template",
        "application_name",
        "connect_timeout",
        "PGHOST",
        "PGPORT",
        "PGDATABASE",
        "PGUSER",
        "PGSSLMODE",
    };
    const char *text = json_string_value(value);

    return is_one_of(key, keys, sizeof keys / sizeof keys[0]) &&
           (text == NULL || strchr(text, '@') == NULL);
}

/* Does whoever has no keys find this one in the environment? */
static bool is_of_environment(const char *key, const json_t *value)
{
    static const char *const names[][2] = {{"access_key_id", "AWS_ACCESS_KEY_ID"},
                                           {"secret_access_key", "AWS_SECRET_ACCESS_KEY"},
                                           {"session_token", "AWS_SESSION_TOKEN"},
                                           {"password", "PGPASSWORD"},
                                           {"PGPASSWORD", "PGPASSWORD"}};
    const char *text = json_string_value(value);

    for (size_t i = 0; text != NULL && i < sizeof names / sizeof names[0]; i++) {
        const char *there = strcmp(key, names[i][0]) == 0 ? getenv(names[i][1]) : NULL;
        if (there != NULL && strcmp(there, text) == 0) {
            return true;
        }
    }
    return false;
}

bool dn_secrets_strip(json_t *connection)
{
    bool needed = false;
    const char *key;
    json_t *value;
    void *next;

    json_object_foreach_safe(connection, next, key, value)
    {
        if (!dn_secrets_is_open(key, value)) {
            needed = !is_of_environment(key, value) || needed;
            (void)json_object_del(connection, key);
        } else if (json_is_object(value)) {
            needed = dn_secrets_strip(value) || needed; /* depth is bounded by the parser of jobs */
        }
    }
    return needed;
}

bool dn_secrets_restore(json_t *into, json_t *from)
{
    bool done = true;
    const char *key;
    json_t *value;

    json_object_foreach(from, key, value)
    {
        json_t *own = json_object_get(into, key);
        if (!dn_secrets_is_open(key, value)) {
            done = json_object_set(into, key, value) == 0 && done;
        } else if (json_is_object(value) && json_is_object(own)) {
            done = dn_secrets_restore(own, value) && done;
        }
    }
    return done;
}
