/*
 * The run of a table in a bucket: which of its objects may be replaced.  S3 has no locks, so this is less than what files have
 * (writer_run.c).  What was there when the run began, and is on the list of runs that have ended, is an earlier run's, and is removed
 * when this one has ended well; no name that is taken is taken again.  Writers of one process that are open at the same time are one run.
 */
#include "writer_objects.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/strings.h"
#include "store/s3/ledger.h"
#include "store/s3/sources.h"
#include "store/url.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* ---- all that are open in this process ---- */

static pthread_mutex_t registry = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t registry_once = PTHREAD_ONCE_INIT;
static struct dn_writer_objects *first_open;

static void lock(void)
{
    pthread_mutex_lock(&registry);
}

static void unlock(void)
{
    pthread_mutex_unlock(&registry);
}

static void watch_forks(void)
{
    (void)pthread_atfork(lock, unlock, unlock);
}

static void destroy(struct dn_writer_objects *o)
{
    if (o == NULL) {
        return;
    }
    json_t *const sets[] = {o->earlier, o->named,  o->taken, o->own,
                            o->passed,  o->listed, o->left,  o->dead};
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        json_decref(sets[i]);
    }
    (void)pthread_mutex_destroy(&o->marking);
    dn_store_options_free(o->store);
    dn_url_finish(&o->url);
    dn_free(o->table);
    dn_free(o->key);
    dn_free(o->marker);
    dn_free(o);
}

/* ---- what is there ---- */

static const char *skip_digits(const char *text)
{
    return text + strspn(text, "0123456789");
}

/* Behind the stem: "_000000.parquet", "_000000-1.parquet"; ".parquet" and "-1.parquet" of a target that is one file. */
static bool is_rest_of_table(const char *rest)
{
    const char *p = rest[0] == '_' ? skip_digits(rest + 1) : rest;

    if (rest[0] == '_' && p - rest < 1 + 6) {
        return false;
    }
    if (p[0] == '-' && skip_digits(p + 1) > p + 1) {
        p = skip_digits(p + 1);
    }
    return strcmp(p, dn_writer_kind.ending) == 0;
}

static enum dn_status note_item(struct dn_writer_objects *o, const struct dn_s3_item *item,
                                const char *name, struct dn_error *err)
{
    if (json_object_set_new_nocheck(o->earlier, name, json_string_nocheck(item->etag)) != 0) {
        return dn_error_memory(err, strlen(name));
    }
    return !is_rest_of_table(item->key + strlen(o->url.key)) ||
                   json_object_set_new_nocheck(o->named, name, json_true()) == 0
               ? DN_OK
               : dn_error_memory(err, strlen(name));
}

static enum dn_status note_page(struct dn_writer_objects *o, const struct dn_s3_page *page,
                                struct dn_error *err)
{
    struct dn_buffer name = {0};
    enum dn_status st = DN_OK;

    for (size_t i = 0; i < page->n_items && st == DN_OK; i++) {
        const struct dn_s3_item *item = &page->items[i];
        dn_buffer_reset(&name);
        st = dn_text_appendf(&name, err, "s3://%s/%s", o->url.bucket, item->key);
        st = st == DN_OK ? dn_buffer_append_byte(&name, 0, err) : st;
        if (st == DN_OK && !item->is_folder) {
            st = note_item(o, item, (const char *)name.data, err);
        }
    }
    dn_buffer_finish(&name);
    return st;
}

/* All that is there of the table, also of its runs; or a part, to see whether it may be listed. */
static enum dn_status list_objects(struct dn_writer_objects *o, bool all, struct dn_error *err)
{
    struct dn_s3_client *client = NULL;
    char *from = NULL;
    bool more = true;

    enum dn_status st = dn_s3_client_open(&client, o->store, err);
    while (st == DN_OK && more) {
        struct dn_s3_page page = {0};
        st = dn_s3_list(client, (struct dn_s3_name){o->url.bucket, o->url.key}, "/", from, &page,
                        NULL, err);
        st = st == DN_OK ? note_page(o, &page, err) : st;
        dn_free(from);
        from = page.next;
        page.next = NULL;
        more = all && from != NULL;
        dn_s3_page_finish(&page);
    }
    dn_free(from);
    /* behind it: who had begun before one of these was made has a marker by now */
    st = st == DN_OK && all ? dn_objects_run_read(o, client, err) : st;
    dn_s3_client_close(client);
    return st;
}

/* ---- joining and leaving ---- */

/* The names of the table's objects begin so; "s3://bucket" alone stands for its root. */
static enum dn_status name_table(struct dn_buffer *out, const struct dn_writer_target *t,
                                 struct dn_error *err)
{
    DN_TRY(dn_text_append(out, t->directory, err));
    if (!dn_text_ends_with(t->directory, "/")) {
        DN_TRY(dn_text_append(out, "/", err));
    }
    DN_TRY(dn_text_append(out, t->stem, err));
    return dn_buffer_append_byte(out, 0, err);
}

/* "a/t" -> "a/.t.parquet.run" */
static enum dn_status name_list(struct dn_writer_objects *o, struct dn_error *err)
{
    struct dn_buffer key = {0};
    const char *slash = strrchr(o->url.key, '/');
    const char *stem = slash != NULL ? slash + 1 : o->url.key;

    const enum dn_status st = dn_text_appendf(&key, err, "%.*s.%s%s.run", (int)(stem - o->url.key),
                                              o->url.key, stem, dn_writer_kind.ending);
    o->key = st == DN_OK ? dn_text_take(&key) : NULL;
    dn_buffer_finish(&key);
    return st == DN_OK && o->key == NULL ? dn_error_memory(err, 0) : st;
}

static enum dn_status make_sets(struct dn_writer_objects *o, struct dn_error *err)
{
    json_t **const sets[] = {&o->earlier, &o->named,  &o->taken, &o->own,
                             &o->passed,  &o->listed, &o->left,  &o->dead};

    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        *sets[i] = json_object();
        if (*sets[i] == NULL) {
            return dn_error_memory(err, 0);
        }
    }
    return DN_OK;
}

static enum dn_status make(struct dn_writer_objects **out, const struct dn_writer_target *t,
                           struct dn_error *err)
{
    const char *endpoint = t->means.store->endpoint;
    struct dn_buffer name = {0};
    struct dn_buffer table = {0};
    struct dn_writer_objects *o = dn_calloc(1, sizeof(*o));
    enum dn_status st = DN_OK;

    if (o == NULL) {
        return dn_error_memory(err, sizeof(*o));
    }
    o->n_users = 1;
    (void)pthread_mutex_init(&o->marking, NULL);
    DN_TRY_GOTO(st, make_sets(o, err), cleanup);
    DN_TRY_GOTO(st, dn_store_options_copy(&o->store, t->means.store, err), cleanup);
    DN_TRY_GOTO(st, name_table(&name, t, err), cleanup);
    DN_TRY_GOTO(st, dn_url_parse(&o->url, (const char *)name.data, err), cleanup);
    DN_TRY_GOTO(st, name_list(o, err), cleanup);
    DN_TRY_GOTO(st, dn_objects_run_name(o, err), cleanup);
    DN_TRY_GOTO(st,
                dn_text_appendf(&table, err, "%s %s", endpoint != NULL ? endpoint : "",
                                (const char *)name.data),
                cleanup);
    o->table = dn_text_take(&table);
    if (o->table == NULL) {
        st = dn_error_memory(err, name.len);
        goto cleanup;
    }
    *out = o;
    o = NULL;
cleanup:
    destroy(o);
    dn_buffer_finish(&name);
    dn_buffer_finish(&table);
    return st;
}

bool dn_objects_run_is_open(const char *run)
{
    bool found = false;

    lock();
    for (const struct dn_writer_objects *o = first_open; run != NULL && o != NULL; o = o->next) {
        found = found || strcmp(o->run, run) == 0;
    }
    unlock();
    return found;
}

/* The run of that table that is under way in this process, which has one writer more; else `mine`, if it is to be it, or NULL. */
static struct dn_writer_objects *join(const char *table, struct dn_writer_objects *mine)
{
    lock();
    struct dn_writer_objects *o = first_open;
    while (o != NULL && strcmp(o->table, table) != 0) {
        o = o->next;
    }
    if (o != NULL) {
        o->n_users++;
    } else if (mine != NULL) {
        mine->next = first_open;
        first_open = o = mine;
    }
    unlock();
    return o;
}

enum dn_status dn_writer_objects_join(struct dn_writer_objects **out,
                                      const struct dn_writer_target *t, struct dn_error *err)
{
    struct dn_writer_objects *mine = NULL;

    *out = NULL;
    (void)pthread_once(&registry_once, watch_forks);
    DN_TRY(make(&mine, t, err));
    struct dn_writer_objects *joined = join(mine->table, NULL); /* which knows what was there */
    const enum dn_status st =
        list_objects(mine, joined == NULL, err); /* each: may it list at all? */
    if (st != DN_OK) {
        dn_writer_objects_leave(joined, true);
    } else {
        *out = joined != NULL ? joined : join(mine->table, mine);
    }
    if (*out != mine) {
        destroy(mine);
    }
    return st;
}

static void tell_end(const struct dn_writer_objects *o, const struct dn_error *error)
{
    char message[sizeof(error->message) + 384];

    (void)snprintf(message, sizeof(message),
                   "objects of earlier runs may be there beside those of this run of "
                   "s3://%.64s/%.100s until the next one has ended: %s",
                   o->url.bucket, o->url.key, error->message);
    dn_log_json("ERROR", "earlier_files_kept", message, NULL);
}

void dn_writer_objects_leave(struct dn_writer_objects *o, bool well)
{
    struct dn_error error = {0};

    if (o == NULL) {
        return;
    }
    lock();
    o->failed = o->failed || !well;
    const bool last = --o->n_users == 0;
    for (struct dn_writer_objects **link = &first_open; last && *link != NULL;
         link = &(*link)->next) {
        if (*link == o) {
            *link = o->next;
            break;
        }
    }
    unlock();
    if (!last) {
        return;
    }
    if (dn_objects_run_end(o, &error) != DN_OK) {
        tell_end(o, &error);
    }
    destroy(o);
}

/* ---- checking ---- */

enum dn_status dn_writer_check_bucket(const struct dn_writer_target *t, struct dn_error *err)
{
    struct dn_writer_objects *o = NULL;
    struct dn_s3_client *client = NULL;
    struct dn_buffer name = {0};
    struct dn_url url = {0};
    struct dn_s3_entry *entry = NULL;
    char *id = NULL;
    enum dn_status st = DN_OK;

    if (t->lists) {
        DN_TRY(make(&o, t, err));
        DN_TRY_GOTO(st, list_objects(o, true, err), cleanup);
    }
    DN_TRY_GOTO(st, dn_writer_file_path(&name, t, 0, 0, err), cleanup);
    DN_TRY_GOTO(st, dn_url_parse(&url, (const char *)name.data, err), cleanup);
    DN_TRY_GOTO(st, dn_s3_client_open(&client, t->means.store, err), cleanup);
    const struct dn_s3_name object = {url.bucket, url.key};
    entry = dn_s3_ledger_begin(client, object);
    DN_TRY_GOTO(st, dn_s3_upload_create(client, object, t->means.store, entry, &id, NULL, err),
                cleanup);
    st = dn_s3_upload_abort(client, object, id, NULL, err);
cleanup:
    dn_s3_ledger_end(entry, st == DN_OK);
    dn_free(id);
    dn_s3_client_close(client);
    dn_url_finish(&url);
    dn_buffer_finish(&name);
    destroy(o);
    return st;
}

/* ---- names ---- */

/* Nothing in a bucket is taken from somebody who writes there, too. */
static bool gives_way(const struct dn_writer_objects *o, bool is_there, enum dn_objects_name name)
{
    return is_there && name == DN_OBJECTS_TARGET && !o->others;
}

enum dn_status dn_writer_objects_claim(struct dn_writer_objects *o, const char *name,
                                       enum dn_objects_name kind, char etag[DN_S3_ETAG_SIZE],
                                       bool *out, struct dn_error *err)
{
    enum dn_status st = dn_objects_run_mark(o, err);

    DN_TRY(st);
    lock();
    const char *there = json_string_value(json_object_get(o->earlier, name));
    const bool replaces = gives_way(o, there != NULL, kind);
    dn_error_copy_text(etag, DN_S3_ETAG_SIZE, replaces ? there : "");
    *out = json_object_get(o->taken, name) == NULL && (there == NULL || replaces);
    json_t *set = *out ? o->taken : there != NULL && kind == DN_OBJECTS_FIRST ? o->passed : NULL;
    if (set != NULL && json_object_set_new_nocheck(set, name, json_true()) != 0) {
        st = dn_error_memory(err, strlen(name));
    }
    unlock();
    return st;
}

void dn_writer_objects_unclaim(struct dn_writer_objects *o, const char *name)
{
    lock();
    (void)json_object_del(o->taken, name);
    unlock();
}

enum dn_status dn_writer_objects_own(struct dn_writer_objects *o, const char *name,
                                     struct dn_error *err)
{
    lock();
    const int failed = json_object_set_new_nocheck(o->own, name, json_true());
    unlock();
    return failed == 0 ? DN_OK : dn_error_memory(err, strlen(name));
}

const char *dn_writer_objects_run(const struct dn_writer_objects *o)
{
    return o->run;
}

void dn_writer_objects_disown(struct dn_writer_objects *o, const char *name)
{
    lock();
    (void)json_object_del(o->own, name);
    unlock();
}
