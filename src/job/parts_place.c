#include "job/parts_place.h"

#include "base/memory.h"
#include "base/strings.h"
#include "base/thread.h"
#include "job/local.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define MOST_AT_ONCE 8

enum dn_status dn_parts_place_open(struct dn_parts_place **out, const struct dn_parts *p,
                                   const struct dn_events *events, struct dn_error *err)
{
    *out = NULL;
    DN_TRY(dn_is_remote(p->directory) ? dn_parts_bucket_open(out, p, err)
                                      : dn_parts_folder_open(out, err));
    (*out)->plan = p;
    (*out)->events = events;
    return DN_OK;
}

void dn_parts_place_close(struct dn_parts_place *l)
{
    if (l != NULL) {
        l->class->close(l);
    }
}

void dn_parts_part_name(char out[DN_PARTS_NAME_SIZE], const struct dn_parts *p, size_t index)
{
    (void)snprintf(out, DN_PARTS_NAME_SIZE, "part-%05zu-%.16s.parquet", index, p->id);
}

void dn_parts_manifest_name(char out[DN_PARTS_NAME_SIZE], const struct dn_parts *p, size_t index)
{
    (void)snprintf(out, DN_PARTS_NAME_SIZE, "part-%05zu-%.16s.json", index, p->id);
}

enum dn_status dn_parts_is_own(struct dn_parts_place *l, const char *name, bool *out,
                               struct dn_error *err)
{
    struct dn_error failure;
    json_t *value = NULL;

    *out = false;
    dn_error_clear(&failure);
    const enum dn_status st = l->class->read(l, false, name, &value, &failure);
    if (st != DN_OK && st != DN_ERR_NOT_FOUND && st != DN_ERR_DATA) {
        *err = failure;
        return st;
    }
    const char *id = json_string_value(json_object_get(value, "plan"));
    *out = id != NULL && strcmp(id, l->plan->id) == 0;
    json_decref(value);
    return DN_OK;
}

enum dn_status dn_parts_is_committed(struct dn_parts_place *l, bool *out, struct dn_error *err)
{
    DN_TRY(dn_parts_is_own(l, DN_PARTS_SUCCESS, out, err));
    return *out ? dn_parts_is_own(l, DN_PARTS_MANIFEST, out, err) : DN_OK;
}

static enum dn_status is_other_result(struct dn_parts_place *l, const char *name, bool *out,
                                      struct dn_error *err)
{
    if (strcmp(name, DN_PARTS_MANIFEST) == 0 || strcmp(name, DN_PARTS_SUCCESS) == 0) {
        DN_TRY(dn_parts_is_own(l, name, out, err));
        *out = !*out;
        return DN_OK;
    }
    *out = name[0] != '.' && name[0] != '_' && !dn_parts_is_part(l->plan, name) &&
           (dn_text_ends_with(name, ".parquet") || dn_text_ends_with(name, ".csv"));
    return DN_OK;
}

enum dn_status dn_parts_check_place(struct dn_parts_place *l, struct dn_error *err)
{
    const char *folder = l->plan->directory;
    json_t *list = NULL;
    const char *name;
    json_t *item;
    enum dn_status st = l->class->list(l, false, &list, err);

    json_object_foreach(list, name, item)
    {
        bool is_other = false;
        st = is_other_result(l, name, &is_other, err);
        if (st == DN_OK && is_other) {
            st = dn_error_set(err, DN_ERR_EXISTS,
                              "%s/%s is there already, and would be read together with the new "
                              "rows: move or remove what an earlier run has left in that folder",
                              folder, name);
        }
        if (st != DN_OK) {
            dn_error_locate(err, folder, -1, -1, -1, NULL);
            break;
        }
    }
    json_decref(list);
    return st;
}

/* ---- several at a time ---- */

struct crowd {
    enum dn_status (*each)(void *ctx, size_t i, struct dn_error *err);
    void *ctx;
    size_t n;
    _Atomic size_t next;
    _Atomic bool failed;
    pthread_mutex_t lock;
    enum dn_status st;
    struct dn_error err;
};

static void *work(void *arg)
{
    struct crowd *c = arg;

    while (!atomic_load(&c->failed)) {
        const size_t i = atomic_fetch_add(&c->next, 1);
        struct dn_error err;
        if (i >= c->n) {
            break;
        }
        dn_error_clear(&err);
        const enum dn_status st = c->each(c->ctx, i, &err);
        if (st != DN_OK) {
            pthread_mutex_lock(&c->lock);
            if (c->st == DN_OK) {
                c->st = st;
                c->err = err;
            }
            pthread_mutex_unlock(&c->lock);
            atomic_store(&c->failed, true);
        }
    }
    return NULL;
}

enum dn_status dn_parts_each(size_t n,
                             enum dn_status (*each)(void *ctx, size_t i, struct dn_error *err),
                             void *ctx, struct dn_error *err)
{
    struct crowd c = {.each = each, .ctx = ctx, .n = n, .lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_t threads[MOST_AT_ONCE - 1];
    size_t n_threads = 0;

    while (n_threads + 1 < MOST_AT_ONCE && n_threads + 1 < n &&
           dn_thread_start(&threads[n_threads], "dn-parts", work, &c) == 0) {
        n_threads++;
    }
    (void)work(&c); /* this thread is one of them, and the only one if there is no other */
    for (size_t i = 0; i < n_threads; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    if (c.st != DN_OK) {
        *err = c.err;
    }
    return c.st;
}
