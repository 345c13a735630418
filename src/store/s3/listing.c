#include "store/s3/listing.h"

#include "base/memory.h"
#include "base/strings.h"
#include "store/s3/client.h"

#include <fnmatch.h>
#include <string.h>

#define MOST_KEY_BYTES 1024 /* dn_url_parse() lets no longer pattern in, S3 no longer key */

/* ---- matching ---- */

/* The part of a key or a pattern that begins at `text`, ended by a NUL; false: it is longer than any can be. */
static bool take_part(char out[MOST_KEY_BYTES + 1], const char *text)
{
    const size_t len = strcspn(text, "/");

    if (len > MOST_KEY_BYTES) {
        return false;
    }
    memcpy(out, text, len);
    out[len] = '\0';
    return true;
}

/* What is behind the part that begins at `text`; NULL: it is the last one. */
static const char *behind(const char *text)
{
    const char *slash = strchr(text, '/');

    return slash != NULL ? slash + 1 : NULL;
}

static bool is_any_folders(const char *pattern)
{
    return strncmp(pattern, "**", 2) == 0 && (pattern[2] == '/' || pattern[2] == '\0');
}

static bool part_matches(const char *pattern, const char *key)
{
    char p[MOST_KEY_BYTES + 1];
    char k[MOST_KEY_BYTES + 1];

    return take_part(p, pattern) && take_part(k, key) &&
           fnmatch(p, k, FNM_PERIOD | FNM_NOESCAPE) == 0;
}

/*
 * Of several `**` only the last one met is tried further: what is between two of them matches where it first can, for a later place would
 * have the first `**` take what the second one cannot take either.
 */
bool dn_s3_key_matches(const char *pattern, const char *key)
{
    const char *again = NULL; /* the pattern behind the last `**` */
    const char *taken = NULL; /* where it was tried last */

    while (pattern != NULL && key != NULL) {
        if (is_any_folders(pattern)) {
            pattern = behind(pattern) != NULL ? behind(pattern) : "*";
            again = pattern;
            taken = key;
            continue;
        }
        const char *pattern_rest = behind(pattern);
        const char *key_rest = behind(key);
        if ((pattern_rest == NULL) == (key_rest == NULL) && part_matches(pattern, key)) {
            pattern = pattern_rest;
            key = key_rest;
            continue;
        }
        if (taken == NULL || taken[0] == '.' || behind(taken) == NULL) {
            return false;
        }
        taken = behind(taken);
        key = taken;
        pattern = again;
    }
    return pattern == NULL && key == NULL;
}

/* No part of it begins with a dot or an underscore, which is how engines mark what is no data. */
static bool is_data(const char *key)
{
    for (const char *part = key; part != NULL; part = behind(part)) {
        if (part[0] == '.' || part[0] == '_') {
            return false;
        }
    }
    return true;
}

/* ---- listing ---- */

struct search {
    struct dn_s3_client *client;
    struct dn_stop *stop;
    struct dn_file_list *found;
    const char *bucket;
    const char *pattern; /* NULL: everything that is data */
};

/* Objects of a page that belong to what begins with `prefix`. */
static enum dn_status take_page(const struct search *s, const char *prefix,
                                const struct dn_s3_page *page, struct dn_error *err)
{
    struct dn_buffer name = {0};
    enum dn_status st = DN_OK;

    for (size_t i = 0; i < page->n_items; i++) {
        const char *key = page->items[i].key;
        const size_t len = strlen(key);
        if (page->items[i].is_folder || len == 0 || key[len - 1] == '/' ||
            strncmp(key, prefix, strlen(prefix)) != 0) {
            continue; /* a '/' at the end: a console's way to keep an empty folder */
        }
        if (s->pattern != NULL ? !dn_s3_key_matches(s->pattern, key)
                               : !is_data(key + strlen(prefix))) {
            continue;
        }
        name.len = 0;
        DN_TRY_GOTO(st, dn_text_appendf(&name, err, "s3://%s/%s", s->bucket, key), cleanup);
        DN_TRY_GOTO(st, dn_buffer_append_byte(&name, 0, err), cleanup);
        DN_TRY_GOTO(st, dn_file_list_add(s->found, (const char *)name.data, err), cleanup);
    }
cleanup:
    dn_buffer_finish(&name);
    return st;
}

static enum dn_status list_all(const struct search *s, const char *prefix, const char *delimiter,
                               struct dn_error *err)
{
    struct dn_s3_page before = {0};
    enum dn_status st = DN_OK;

    do {
        struct dn_s3_page page = {0};
        st = dn_s3_list(s->client, (struct dn_s3_name){s->bucket, prefix}, delimiter, before.next,
                        &page, s->stop, err);
        dn_s3_page_finish(&before);
        before = page;
        if (st == DN_OK) {
            st = take_page(s, prefix, &page, err);
        }
    } while (st == DN_OK && before.next != NULL);
    dn_s3_page_finish(&before);
    return st;
}

/* Is there an object of that very name, or, with a '/' at its end, a folder? */
static enum dn_status is_there(const struct search *s, const char *key, bool *out,
                               struct dn_error *err)
{
    const size_t len = strlen(key);
    struct dn_s3_page page = {0};

    *out = false;
    const enum dn_status st =
        dn_s3_list(s->client, (struct dn_s3_name){s->bucket, key}, "/", NULL, &page, s->stop, err);
    for (size_t i = 0; st == DN_OK && i < page.n_items; i++) {
        *out = *out || (strncmp(page.items[i].key, key, len) == 0 &&
                        (key[len - 1] == '/' || page.items[i].key[len] == '\0'));
    }
    dn_s3_page_finish(&page);
    return st;
}

static enum dn_status nothing_found(const char *name, bool is_folder, struct dn_error *err)
{
    const enum dn_status st = dn_error_set(
        err, DN_ERR_NOT_FOUND,
        is_folder ? "the folder '%s' holds no files to read; names that begin with '.' or '_' are "
                    "none of it"
                  : "no object matches '%s'; check the bucket, the pattern, and that capitals are "
                    "as they are",
        name);

    dn_error_locate(err, name, -1, -1, -1, NULL);
    return st;
}

/* What is listed: what begins with the key up to its first wildcard, and of that a folder alone if no other one can match. */
static enum dn_status list_pattern(struct search *s, const char *key, struct dn_error *err)
{
    const size_t fixed = strcspn(key, "*?[");
    char *prefix = dn_strndup(key, fixed);

    if (prefix == NULL) {
        return dn_error_memory(err, fixed + 1);
    }
    s->pattern = key;
    const bool here = strchr(key + fixed, '/') == NULL && strncmp(key + fixed, "**", 2) != 0;
    const enum dn_status st = list_all(s, prefix, here ? "/" : NULL, err);
    dn_free(prefix);
    return st;
}

static enum dn_status find(struct search *s, const char *name, const char *key,
                           struct dn_error *err)
{
    const size_t len = strlen(key);
    const size_t first = s->found->n;
    bool is_folder = len == 0 || key[len - 1] == '/';
    bool there = false;

    if (dn_glob_has_magic(key)) {
        DN_TRY(is_there(s, key, &there, err));
        if (there && !is_folder) {
            return dn_file_list_add(s->found, name, err);
        }
        is_folder = there;
    }
    DN_TRY(is_folder ? list_all(s, key, NULL, err) : list_pattern(s, key, err));
    dn_file_list_settle(s->found, first);
    return s->found->n > first ? DN_OK : nothing_found(name, is_folder, err);
}

enum dn_status dn_s3_find(struct dn_file_list *out, const char *name,
                          const struct dn_store_options *store, struct dn_stop *stop,
                          struct dn_error *err)
{
    static const struct dn_store_options none = {.struct_size = sizeof(none)};
    struct dn_url url = {0};
    struct search s = {.stop = stop, .found = out};
    enum dn_status st = dn_url_parse(&url, name, err);

    if (st != DN_OK) {
        goto cleanup;
    }
    const size_t len = strlen(url.key);
    if (len > 0 && url.key[len - 1] != '/' && !dn_glob_has_magic(url.key)) {
        st = dn_file_list_add(out, name, err);
        goto cleanup;
    }
    s.bucket = url.bucket;
    DN_TRY_GOTO(st, dn_s3_client_open(&s.client, store != NULL ? store : &none, err), cleanup);
    st = find(&s, name, url.key, err);
cleanup:
    dn_s3_client_close(s.client);
    dn_url_finish(&url);
    return st;
}
