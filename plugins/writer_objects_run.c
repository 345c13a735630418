/* What of the runs of a table is in its bucket: the list of those that have ended, and a marker of each that is under way. */
#include "writer_objects.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/os_process.h"
#include "base/strings.h"
#include "store/s3/sources.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    ALIVE_SECONDS =
        1800, /* a marker of another machine that is younger is taken for a living one's */
    REFRESH_SECONDS = 300,
    MOST_LIST_BYTES = 256 << 20,
    MAX_PUTS = 8,
    PREFIX_LEN = 5 /* s3:// */
};

/* ---- this process ---- */

struct identity {
    char machine[64]; /* since it was started; "": unknown */
    char pids[64];    /* the space that the number is of */
    long pid;
    char started[32];
};

static void read_line(const char *path, char *out, size_t size)
{
    FILE *f = fopen(path, "re");

    out[0] = '\0';
    if (f != NULL) {
        if (fgets(out, (int)size, f) == NULL) {
            out[0] = '\0';
        }
        (void)fclose(f);
    }
    out[strcspn(out, "\n")] = '\0';
}

/* When a process began, by its kernel; "": there is none of that number. */
static void read_started(long pid, char out[32])
{
    char path[64];
    char line[1024];

    (void)snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
    read_line(path, line, sizeof(line));
    const char *p = strrchr(line, ')'); /* the name may have blanks in it */
    for (int i = 0; p != NULL && i < 20; i++) {
        p = strchr(p + 1, ' ');
    }
    (void)snprintf(out, 32, "%.*s", p != NULL ? (int)strcspn(p + 1, " ") : 0,
                   p != NULL ? p + 1 : "");
}

static void identify(struct identity *me)
{
    read_line("/proc/sys/kernel/random/boot_id", me->machine, sizeof(me->machine));
    const ssize_t n = readlink("/proc/self/ns/pid", me->pids, sizeof(me->pids) - 1);
    me->pids[n > 0 ? n : 0] = '\0';
    me->pid = (long)getpid();
    read_started(me->pid, me->started);
}

static bool same_text(const json_t *object, const char *key, const char *text)
{
    const char *value = dn_shell_text_value(dn_shell_get(object, key));

    return value != NULL && text[0] != '\0' && strcmp(value, text) == 0;
}

static bool is_alive(const json_t *marker, int64_t age_seconds)
{
    struct identity me = {0};
    char started[32];

    identify(&me);
    if (!same_text(marker, "machine", me.machine) || !same_text(marker, "pids", me.pids)) {
        return age_seconds < ALIVE_SECONDS;
    }
    const long pid = (long)json_integer_value(dn_shell_get(marker, "pid"));
    read_started(pid, started);
    return same_text(marker, "started", started) &&
           (pid != me.pid ||
            dn_objects_run_is_open(dn_shell_text_value(dn_shell_get(marker, "run"))));
}

/* ---- reading ---- */

static struct dn_s3_name name_of(const struct dn_writer_objects *o, const char *key)
{
    return (struct dn_s3_name){o->url.bucket, key};
}

static enum dn_status refuse(const struct dn_writer_objects *o, const char *key,
                             struct dn_error *err)
{
    return dn_error_set(err, DN_ERR_DATA,
                        "s3://%s/%s is no list of a writer's objects: remove it, or give it "
                        "another name",
                        o->url.bucket, key);
}

/* *out NULL: it is not there any more. */
static enum dn_status read_json(const struct dn_writer_objects *o, struct dn_s3_client *client,
                                const char *key, int64_t size, json_t **out, struct dn_error *err)
{
    *out = NULL;
    if (size <= 0 || size > MOST_LIST_BYTES) {
        return refuse(o, key, err);
    }
    uint8_t *text = dn_calloc(1, (size_t)size);
    if (text == NULL) {
        return dn_error_memory(err, (size_t)size);
    }
    enum dn_status st = dn_s3_get(client, name_of(o, key), 0, (size_t)size, NULL, text, NULL, err);
    if (st == DN_ERR_NOT_FOUND) {
        dn_error_clear(err);
        st = DN_OK;
    } else if (st == DN_OK) {
        *out = json_loadb((const char *)text, (size_t)size, 0, NULL);
        st = json_is_object(*out) ? DN_OK : refuse(o, key, err);
    }
    if (st != DN_OK) {
        json_decref(*out);
        *out = NULL;
    }
    dn_free(text);
    return st;
}

static enum dn_status add_name(json_t *set, const char *name, struct dn_error *err)
{
    return json_object_set_new_nocheck(set, name, json_true()) == 0
               ? DN_OK
               : dn_error_memory(err, strlen(name));
}

static enum dn_status take_list(struct dn_writer_objects *o, struct dn_s3_client *client,
                                int64_t size, const char *etag, struct dn_error *err)
{
    json_t *root = NULL;
    enum dn_status st = DN_OK;

    DN_TRY(read_json(o, client, o->key, size, &root, err));
    const json_t *names = dn_shell_get(root, "objects");
    if (root != NULL && !json_is_array(names)) {
        st = refuse(o, o->key, err);
    }
    for (size_t i = 0; st == DN_OK && i < json_array_size(names); i++) {
        const char *name = dn_shell_text_value(json_array_get(names, i));
        st = name != NULL ? add_name(o->listed, name, err) : refuse(o, o->key, err);
    }
    dn_error_copy_text(o->list_etag, sizeof(o->list_etag), root != NULL ? etag : "");
    json_decref(root);
    return st;
}

static bool is_of_the_dead(const struct dn_writer_objects *o, const char *run)
{
    const char *key = NULL;
    json_t *marker = NULL;

    json_object_foreach(o->dead, key, marker)
    {
        if (run[0] != '\0' && same_text(marker, "run", run)) {
            return true;
        }
    }
    return false;
}

/* Some services, or what stands before them, keep no metadata; and writers that replace nothing give none. */
static void tell_unknown(const struct dn_writer_objects *o, size_t n)
{
    char message[1400];

    (void)snprintf(message, sizeof(message),
                   "a run of s3://%.200s/%.800s was killed, and %zu object%s of such names on no "
                   "list say%s nothing of %s run (metadata %s): if it was that one, rows are there "
                   "twice until they are removed by hand",
                   o->url.bucket, o->url.key, n, n == 1 ? "" : "s", n == 1 ? "s" : "",
                   n == 1 ? "its" : "their", DN_S3_RUN_METADATA);
    dn_log_json("WARNING", "objects_of_no_run", message, NULL);
}

/* What killed runs made and no list has says so itself: neither its name nor its time would, which what others make may have, too. */
static enum dn_status take_left(struct dn_writer_objects *o, struct dn_s3_client *client,
                                struct dn_error *err)
{
    const size_t prefix_len = PREFIX_LEN + strlen(o->url.bucket) + 1;
    const char *name = NULL;
    json_t *value = NULL;
    size_t n_unknown = 0;

    json_object_foreach(o->named, name, value)
    {
        struct dn_s3_object there;
        if (json_object_get(o->listed, name) != NULL) {
            continue;
        }
        const enum dn_status st =
            dn_s3_head(client, name_of(o, name + prefix_len), NULL, &there, err);
        if (st == DN_ERR_NOT_FOUND) {
            dn_error_clear(err);
            continue;
        }
        DN_TRY(st);
        if (is_of_the_dead(o, there.run)) {
            DN_TRY(add_name(o->left, name, err));
        }
        n_unknown += there.run[0] == '\0';
    }
    if (n_unknown > 0) {
        tell_unknown(o, n_unknown);
    }
    return DN_OK;
}

static enum dn_status take_marker(struct dn_writer_objects *o, struct dn_s3_client *client,
                                  const struct dn_s3_item *item, struct dn_error *err)
{
    json_t *marker = NULL;
    enum dn_status st = DN_OK;

    DN_TRY(read_json(o, client, item->key, item->size, &marker, err));
    if (marker == NULL) {
        return DN_OK;
    }
    if (is_alive(marker, dn_s3_now(client) - dn_s3_time_of_iso(item->time))) {
        char message[1200];
        (void)snprintf(message, sizeof(message),
                       "s3://%.200s/%.800s says that another run writes this table: nothing "
                       "that is there is replaced; if none does, it ends by itself in %d minutes",
                       o->url.bucket, item->key, ALIVE_SECONDS / 60);
        dn_log_json("WARNING", "run_of_others", message, NULL);
        o->others = true;
    } else {
        const char *run = dn_shell_text_value(dn_shell_get(marker, "run"));
        json_t *dead = json_pack("{s:s, s:s}", "run", run != NULL ? run : "", "etag", item->etag);
        st = json_object_set_new_nocheck(o->dead, item->key, dead) == 0 ? DN_OK
                                                                        : dn_error_memory(err, 0);
    }
    json_decref(marker);
    return st;
}

enum dn_status dn_objects_run_read(struct dn_writer_objects *o, struct dn_s3_client *client,
                                   struct dn_error *err)
{
    char *from = NULL;
    bool more = true;
    enum dn_status st = DN_OK;

    while (st == DN_OK && more) {
        struct dn_s3_page page = {0};
        st = dn_s3_list(client, name_of(o, o->key), "/", from, &page, NULL, err);
        for (size_t i = 0; st == DN_OK && i < page.n_items; i++) {
            const struct dn_s3_item *item = &page.items[i];
            const char *rest = item->key + strlen(o->key);
            if (!item->is_folder && rest[0] == '\0') {
                st = take_list(o, client, item->size, item->etag, err);
            } else if (!item->is_folder && rest[0] == '.') {
                st = take_marker(o, client, item, err);
            }
        }
        dn_free(from);
        from = page.next;
        page.next = NULL;
        more = from != NULL;
        dn_s3_page_finish(&page);
    }
    dn_free(from);
    return st == DN_OK && json_object_size(o->dead) > 0 ? take_left(o, client, err) : st;
}

/* ---- the marker ---- */

enum dn_status dn_objects_run_name(struct dn_writer_objects *o, struct dn_error *err)
{
    uint8_t random[16];
    struct dn_buffer key = {0};

    if (!dn_os_random(random, sizeof(random))) {
        return dn_error_set(err, DN_ERR_IO, "the system gives no random numbers");
    }
    for (size_t i = 0; i < sizeof(random); i++) {
        (void)snprintf(o->run + 2 * i, sizeof(o->run) - 2 * i, "%02x", random[i]);
    }
    DN_TRY(dn_text_appendf(&key, err, "%s.%s", o->key, o->run));
    o->marker = dn_text_take(&key);
    return o->marker != NULL ? DN_OK : dn_error_memory(err, 0);
}

static enum dn_status put_json(const struct dn_writer_objects *o, struct dn_s3_client *client,
                               const char *key, const json_t *root, bool overwrite,
                               const char *replaces, struct dn_error *err)
{
    const struct dn_store_options attributes = {.struct_size = sizeof(attributes),
                                                .content_type = "application/json",
                                                .encryption = o->store->encryption,
                                                .kms_key_id = o->store->kms_key_id,
                                                .replaces = replaces};
    const size_t len = root != NULL ? json_dumpb(root, NULL, 0, JSON_COMPACT) : 0;
    char *text = len > 0 ? dn_malloc(len) : NULL;
    if (text == NULL || json_dumpb(root, text, len, JSON_COMPACT) != len) {
        dn_free(text);
        return dn_error_memory(err, len);
    }
    const enum dn_status st =
        dn_s3_put(client, name_of(o, key), (struct dn_span){(const uint8_t *)text, len},
                  &attributes, overwrite, NULL, err);
    dn_free(text);
    return st;
}

static enum dn_status taken_for_ended(const struct dn_writer_objects *o, struct dn_error *err)
{
    return dn_error_set(err, DN_ERR_NOT_FOUND,
                        "s3://%s/%s is not there any more: another process has taken this run for "
                        "ended, which gave no sign for half an hour, or the marker was removed; "
                        "objects that this run has written may be removed, too: run it again",
                        o->url.bucket, o->marker);
}

/* Is the marker as it was?  *etag is its. */
static enum dn_status look_at_marker(const struct dn_writer_objects *o, struct dn_s3_client *client,
                                     char etag[DN_S3_ETAG_SIZE], struct dn_error *err)
{
    struct dn_s3_object there;
    const enum dn_status st = dn_s3_head(client, name_of(o, o->marker), NULL, &there, err);

    if (st == DN_ERR_NOT_FOUND) {
        return taken_for_ended(o, err);
    }
    dn_error_copy_text(etag, DN_S3_ETAG_SIZE, st == DN_OK ? there.etag : "");
    return st;
}

/* The number of the sign makes another object of it each time, for those who compare. */
static enum dn_status put_marker(struct dn_writer_objects *o, struct dn_error *err)
{
    struct dn_s3_client *client = NULL;
    struct identity me = {0};
    char etag[DN_S3_ETAG_SIZE] = "";
    json_t *marker = NULL;
    enum dn_status st = DN_OK;

    identify(&me);
    DN_TRY(dn_s3_client_open(&client, o->store, err));
    if (o->is_marked) {
        DN_TRY_GOTO(st, look_at_marker(o, client, etag, err), cleanup);
    }
    marker = json_pack("{s:s, s:s, s:I, s:s, s:s, s:I}", "machine", me.machine, "pids", me.pids,
                       "pid", (json_int_t)me.pid, "started", me.started, "run", o->run, "sign",
                       (json_int_t)o->n_signs);
    st = put_json(o, client, o->marker, marker, true, o->is_marked ? etag : NULL, err);
    if (o->is_marked && (st == DN_ERR_EXISTS || st == DN_ERR_NOT_FOUND)) {
        st = taken_for_ended(o, err);
    }
    o->n_signs++;
cleanup:
    json_decref(marker);
    dn_s3_client_close(client);
    return st;
}

enum dn_status dn_objects_run_mark(struct dn_writer_objects *o, struct dn_error *err)
{
    enum dn_status st = DN_OK;

    pthread_mutex_lock(&o->marking);
    if (!o->is_marked || dn_clock_seconds() >= o->marked_at + REFRESH_SECONDS) {
        const double now = dn_clock_seconds();
        st = put_marker(o, err);
        o->is_marked = o->is_marked || st == DN_OK;
        o->marked_at = st == DN_OK ? now : o->marked_at;
    }
    pthread_mutex_unlock(&o->marking);
    return st;
}

/* ---- the end ---- */

/* What was there before this run, and is an earlier one's. */
static enum dn_status collect_earlier(const struct dn_writer_objects *o, json_t *out,
                                      struct dn_error *err)
{
    const char *name = NULL;
    json_t *value = NULL;

    json_object_foreach(o->listed, name, value)
    {
        if (json_object_get(o->earlier, name) != NULL) {
            DN_TRY(add_name(out, name, err));
        }
    }
    if (!o->others && (json_object_update(out, o->left) != 0 ||
                       (!o->failed && json_object_update(out, o->passed) != 0))) {
        return dn_error_memory(err, 0);
    }
    json_object_foreach(o->own, name, value)
    {
        (void)json_object_del(out, name);
    }
    return DN_OK;
}

static json_t *make_list(const struct dn_writer_objects *o, json_t *earlier)
{
    json_t *names = json_array();
    const char *name = NULL;
    json_t *value = NULL;
    int failed = names == NULL;

    json_object_foreach(o->own, name, value)
    {
        failed |= json_array_append_new(names, json_string(name));
    }
    json_object_foreach(earlier, name, value)
    {
        failed |= json_array_append_new(names, json_string(name));
    }
    if (failed != 0) {
        json_decref(names);
        return NULL;
    }
    return json_pack("{s:s, s:o}", "dativo-native", "objects of this table's runs that have ended",
                     "objects", names);
}

/* The list as somebody else has written it meanwhile: its names stay on it. */
static enum dn_status read_again(struct dn_writer_objects *o, struct dn_s3_client *client,
                                 json_t *earlier, struct dn_error *err)
{
    struct dn_s3_object info;

    dn_error_clear(err);
    o->list_etag[0] = '\0';
    enum dn_status st = dn_s3_head(client, name_of(o, o->key), NULL, &info, err);
    if (st == DN_ERR_NOT_FOUND) {
        dn_error_clear(err);
        return DN_OK;
    }
    DN_TRY(st);
    json_t *before = o->listed;
    o->listed = json_object();
    st = o->listed == NULL ? dn_error_memory(err, 0)
                           : take_list(o, client, info.size, info.etag, err);
    if (st == DN_OK && json_object_update(earlier, o->listed) != 0) {
        st = dn_error_memory(err, 0);
    }
    json_decref(before);
    return st;
}

static enum dn_status put_list(struct dn_writer_objects *o, struct dn_s3_client *client,
                               json_t *earlier, struct dn_error *err)
{
    json_t *names = json_copy(earlier); /* what others add to the list is not removed by us */
    enum dn_status st = names != NULL ? DN_ERR_EXISTS : dn_error_memory(err, 0);

    for (int i = 0; st == DN_ERR_EXISTS && i < MAX_PUTS; i++) {
        const bool there = o->list_etag[0] != '\0';
        json_t *list = make_list(o, names);
        st = put_json(o, client, o->key, list, there, there ? o->list_etag : NULL, err);
        json_decref(list);
        if (st == DN_ERR_EXISTS || st == DN_ERR_NOT_FOUND) {
            const enum dn_status read = read_again(o, client, names, err);
            st = read != DN_OK ? read : DN_ERR_EXISTS;
        }
    }
    json_decref(names);
    return st;
}

static enum dn_status delete_all(struct dn_writer_objects *o, struct dn_s3_client *client,
                                 json_t *names, size_t prefix_len, struct dn_error *err)
{
    const char *name = NULL;
    json_t *value = NULL;
    enum dn_status first = DN_OK;

    json_object_foreach(names, name, value)
    {
        struct dn_error error = {0};
        const enum dn_status st = dn_s3_delete(client, name_of(o, name + prefix_len), NULL, &error);
        if (st != DN_OK && first == DN_OK) {
            first = st;
            *err = error;
        }
    }
    return first;
}

/* Whoever gives a sign, or has ended by itself, was not killed: what it made is not ours to remove. */
static enum dn_status look_at_dead(struct dn_writer_objects *o, struct dn_s3_client *client,
                                   struct dn_error *err)
{
    const char *key = NULL;
    json_t *marker = NULL;

    json_object_foreach(o->dead, key, marker)
    {
        struct dn_s3_object there;
        const enum dn_status st = dn_s3_head(client, name_of(o, key), NULL, &there, err);
        if (st != DN_OK && st != DN_ERR_NOT_FOUND) {
            return st;
        }
        o->others = o->others || st != DN_OK || !same_text(marker, "etag", there.etag);
    }
    dn_error_clear(err);
    return DN_OK;
}

/* Nobody looked for the marker between the last sign and now: the rows that were acknowledged may be gone. */
static void tell_if_taken(const struct dn_writer_objects *o, struct dn_s3_client *client)
{
    struct dn_error error = {0};
    char etag[DN_S3_ETAG_SIZE];

    if (look_at_marker(o, client, etag, &error) == DN_ERR_NOT_FOUND) {
        dn_log_json("ERROR", "run_taken_for_ended", error.message, NULL);
    }
}

enum dn_status dn_objects_run_end(struct dn_writer_objects *o, struct dn_error *err)
{
    const size_t prefix_len = PREFIX_LEN + strlen(o->url.bucket) + 1;
    struct dn_s3_client *client = NULL;
    enum dn_status st = DN_OK;

    if (!o->is_marked) { /* it has written nothing */
        return DN_OK;
    }
    json_t *earlier = json_object();
    DN_TRY_GOTO(st, earlier != NULL ? DN_OK : dn_error_memory(err, 0), cleanup);
    DN_TRY_GOTO(st, dn_s3_client_open(&client, o->store, err), cleanup);
    tell_if_taken(o, client);
    if (json_object_size(o->own) > 0) {
        DN_TRY_GOTO(st, look_at_dead(o, client, err), cleanup);
        DN_TRY_GOTO(st, collect_earlier(o, earlier, err), cleanup);
        DN_TRY_GOTO(st, put_list(o, client, earlier, err), cleanup);
        if (!o->others) { /* else what those left is not on the list; first: who still lives after all learns it by that */
            DN_TRY_GOTO(st, delete_all(o, client, o->dead, 0, err), cleanup);
        }
        if (!o->others && !o->failed) {
            DN_TRY_GOTO(st, delete_all(o, client, earlier, prefix_len, err), cleanup);
        }
    }
    st = dn_s3_delete(client, name_of(o, o->marker), NULL, err);
cleanup:
    dn_s3_client_close(client);
    json_decref(earlier);
    return st;
}
