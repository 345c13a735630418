/*
 * The run of a table in a bucket: which of its objects may be replaced.  S3 has no locks, so this is less than what files have
 * (writer_run.c).  What was there when the run began is an earlier run's and gives way, on the condition that nobody has replaced it
 * since; every other name that is taken stays.  Writers of one process that are open at the same time are one run.
 */
#include "writer.h"

#include "base/memory.h"
#include "base/strings.h"
#include "store/s3/ledger.h"
#include "store/url.h"

#include <pthread.h>
#include <string.h>

struct dn_writer_objects {
    struct dn_writer_objects *next;
    uint32_t n_users;
    char *table;     /* the service and what all names of the run begin with */
    json_t *earlier; /* name -> ETag: what was there */
    json_t *taken; /* names that are this run's, somebody's who came in between, or in the making */
};

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
    if (o != NULL) {
        json_decref(o->earlier);
        json_decref(o->taken);
        dn_free(o->table);
        dn_free(o);
    }
}

/* ---- what is there ---- */

static enum dn_status note_page(struct dn_writer_objects *o, const struct dn_url *url,
                                const struct dn_s3_page *page, struct dn_error *err)
{
    struct dn_buffer name = {0};
    enum dn_status st = DN_OK;

    for (size_t i = 0; i < page->n_items && st == DN_OK; i++) {
        const struct dn_s3_item *item = &page->items[i];
        dn_buffer_reset(&name);
        st = dn_text_appendf(&name, err, "s3://%s/%s", url->bucket, item->key);
        if (st == DN_OK && !item->is_folder) {
            st = json_object_setn_new_nocheck(o->earlier, (const char *)name.data, name.len,
                                              json_string_nocheck(item->etag)) == 0
                     ? DN_OK
                     : dn_error_memory(err, name.len);
        }
    }
    dn_buffer_finish(&name);
    return st;
}

static enum dn_status list_objects(struct dn_writer_objects *o, const struct dn_url *url,
                                   const struct dn_store_options *store, struct dn_error *err)
{
    struct dn_s3_client *client = NULL;
    char *from = NULL;
    bool more = true;

    enum dn_status st = dn_s3_client_open(&client, store, err);
    while (st == DN_OK && more) {
        struct dn_s3_page page = {0};
        st = dn_s3_list(client, (struct dn_s3_name){url->bucket, url->key}, "/", from, &page, NULL,
                        err);
        st = st == DN_OK ? note_page(o, url, &page, err) : st;
        dn_free(from);
        from = page.next;
        page.next = NULL;
        more = from != NULL;
        dn_s3_page_finish(&page);
    }
    dn_free(from);
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

static enum dn_status make(struct dn_writer_objects **out, const struct dn_writer_target *t,
                           struct dn_error *err)
{
    const char *endpoint = t->means.store->endpoint;
    struct dn_buffer name = {0};
    struct dn_buffer table = {0};
    struct dn_url url = {0};
    struct dn_writer_objects *o = dn_calloc(1, sizeof(*o));
    enum dn_status st = DN_OK;

    if (o == NULL) {
        return dn_error_memory(err, sizeof(*o));
    }
    DN_TRY_GOTO(st, name_table(&name, t, err), cleanup);
    DN_TRY_GOTO(st, dn_url_parse(&url, (const char *)name.data, err), cleanup);
    DN_TRY_GOTO(st,
                dn_text_appendf(&table, err, "%s %s", endpoint != NULL ? endpoint : "",
                                (const char *)name.data),
                cleanup);
    o->n_users = 1;
    o->table = dn_text_take(&table);
    o->earlier = json_object();
    o->taken = json_object();
    if (o->table == NULL || o->earlier == NULL || o->taken == NULL) {
        st = dn_error_memory(err, name.len);
        goto cleanup;
    }
    DN_TRY_GOTO(st, list_objects(o, &url, t->means.store, err), cleanup);
    *out = o;
    o = NULL;
cleanup:
    destroy(o);
    dn_url_finish(&url);
    dn_buffer_finish(&name);
    dn_buffer_finish(&table);
    return st;
}

enum dn_status dn_writer_objects_join(struct dn_writer_objects **out,
                                      const struct dn_writer_target *t, struct dn_error *err)
{
    struct dn_writer_objects *mine = NULL;

    *out = NULL;
    (void)pthread_once(&registry_once, watch_forks);
    DN_TRY(make(&mine, t, err));
    lock();
    struct dn_writer_objects *o = first_open;
    while (o != NULL && strcmp(o->table, mine->table) != 0) {
        o = o->next;
    }
    if (o != NULL) { /* of the run that is under way, which knows what was there before it */
        o->n_users++;
    } else {
        mine->next = first_open;
        first_open = mine;
    }
    unlock();
    if (o != NULL) {
        destroy(mine);
    }
    *out = o != NULL ? o : mine;
    return DN_OK;
}

void dn_writer_objects_leave(struct dn_writer_objects *o)
{
    if (o == NULL) {
        return;
    }
    lock();
    const bool last = --o->n_users == 0;
    for (struct dn_writer_objects **link = &first_open; last && *link != NULL;
         link = &(*link)->next) {
        if (*link == o) {
            *link = o->next;
            break;
        }
    }
    unlock();
    if (last) {
        destroy(o);
    }
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

enum dn_status dn_writer_objects_claim(struct dn_writer_objects *o, const char *name, bool replace,
                                       char etag[DN_S3_ETAG_SIZE], bool *out, struct dn_error *err)
{
    enum dn_status st = DN_OK;

    lock();
    const char *there = json_string_value(json_object_get(o->earlier, name));
    dn_error_copy_text(etag, DN_S3_ETAG_SIZE, there != NULL ? there : "");
    *out = json_object_get(o->taken, name) == NULL && (there == NULL || replace);
    if (*out && json_object_set_new_nocheck(o->taken, name, json_true()) != 0) {
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
