#include "job/state.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/strings.h"
#include "job/events.h"
#include "job/json_file.h"
#include "job/output.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define POLL_NANOSECONDS 50000000L

void dn_state_time(char out[DN_STATE_TIME_SIZE], const struct timespec *modified)
{
    /* Python keeps a time as a double, and rounds that to microseconds, half to even */
    const double seconds = (double)modified->tv_sec + 1e-9 * (double)modified->tv_nsec;
    double whole = 0.0;
    double micros = nearbyint(modf(seconds, &whole) * 1e6);
    struct tm local = {0};

    if (micros >= 1e6) {
        whole += 1.0;
        micros -= 1e6;
    } else if (micros < 0.0) {
        whole -= 1.0;
        micros += 1e6;
    }
    const time_t at = (time_t)whole;
    (void)localtime_r(&at, &local);
    int n = snprintf(out, DN_STATE_TIME_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d", local.tm_year + 1900,
                     local.tm_mon + 1, local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec);
    if (micros > 0.0) {
        (void)snprintf(out + n, DN_STATE_TIME_SIZE - (size_t)n, ".%06d", (int)micros);
    }
}

static enum dn_status failed(const char *path, const char *what, int code, struct dn_error *err)
{
    return dn_error_set_errno(err, DN_ERR_IO, code, "%s: the state of this incremental job %s",
                              path, what);
}

static enum dn_status lock_wait(struct dn_state *s, const struct dn_events *events,
                                struct dn_error *err)
{
    const struct timespec pause = {.tv_nsec = POLL_NANOSECONDS};
    bool told = false;

    while (flock(s->lock, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EINTR) {
            continue;
        }
        if (errno != EWOULDBLOCK) {
            return failed(s->path, "cannot be locked", errno, err);
        }
        if (!told) {
            dn_events_emit(events, DN_EVENT_NOTE, "state_locked",
                           json_pack("{s:s}", "state_path", s->path),
                           "another run is using %s: this one waits for its end", s->path);
            told = true;
        }
        if (dn_events_cancelled(events)) {
            return dn_error_set(err, DN_ERR_CANCELLED, "stopped on request; nothing was written");
        }
        (void)nanosleep(&pause, NULL);
    }
    return DN_OK;
}

static enum dn_status lock_take(struct dn_state *s, const struct dn_events *events,
                                struct dn_error *err)
{
    struct dn_buffer name = {0};
    enum dn_status st = DN_OK;

    DN_TRY_GOTO(st, dn_text_appendf(&name, err, "%s.lock", s->path), cleanup);
    DN_TRY_GOTO(st, dn_buffer_append_byte(&name, 0, err), cleanup);
    s->lock = open((const char *)name.data, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (s->lock < 0) {
        st = failed(s->path, "cannot be locked", errno, err);
        goto cleanup;
    }
    st = lock_wait(s, events, err);
cleanup:
    dn_buffer_finish(&name);
    return st;
}

static enum dn_status files_read(const char *path, json_t **out, struct dn_error *err)
{
    json_error_t why;

    FILE *file = fopen(path, "re");
    if (file == NULL && errno == ENOENT) {
        *out = json_object();
        return *out != NULL ? DN_OK : dn_error_memory(err, 64);
    }
    if (file == NULL) {
        return failed(path, "cannot be read", errno, err);
    }
    *out = json_loadf(file, JSON_ALLOW_NUL, &why);
    const int code = ferror(file) != 0 ? EIO : 0;
    (void)fclose(file);
    if (code != 0) {
        json_decref(*out);
        *out = NULL;
        return failed(path, "cannot be read", code, err);
    }
    if (!json_is_object(*out)) {
        json_decref(*out);
        *out = NULL;
        return dn_error_set(err, DN_ERR_DATA,
                            "%s: is not the state of an incremental job (no JSON object); put the "
                            "right file there, or remove it to read everything again",
                            path);
    }
    return DN_OK;
}

enum dn_status dn_state_open(struct dn_state *s, const char *path, const struct dn_events *events,
                             struct dn_error *err)
{
    enum dn_status st = DN_OK;

    *s = (struct dn_state){.path = path, .lock = -1};
    DN_TRY_GOTO(st, dn_output_directories_make(path, err), cleanup);
    DN_TRY_GOTO(st, lock_take(s, events, err), cleanup);
    st = files_read(path, &s->files, err);
cleanup:
    if (st != DN_OK) {
        dn_state_close(s);
    }
    return st;
}

/* "file_<id>"; NULL if memory ran out. */
static char *key_make(const char *id)
{
    const size_t size = strlen(id) + sizeof "file_";
    char *key = dn_malloc(size);

    if (key != NULL) {
        (void)snprintf(key, size, "file_%s", id);
    }
    return key;
}

enum dn_status dn_state_has(const struct dn_state *s, const char *id, const char *modified,
                            bool *out, struct dn_error *err)
{
    char *key = key_make(id);

    if (key == NULL) {
        return dn_error_memory(err, strlen(id));
    }
    const char *last =
        json_string_value(json_object_get(json_object_get(s->files, key), "last_modified"));
    *out = last != NULL && strcmp(modified, last) <= 0;
    dn_free(key);
    return DN_OK;
}

static enum dn_status entries_put(json_t *files, const json_t *done, struct dn_error *err)
{
    json_t *mutable =
        (json_t *)(uintptr_t)done; /* jansson iterates through a mutable pointer only */
    const char *id = NULL;
    json_t *modified = NULL;

    json_object_foreach(mutable, id, modified)
    {
        char *key = key_make(id);
        json_t *entry = json_pack("{s:O, s:s}", "last_modified", modified, "file_id", id);
        const bool put = key != NULL && entry != NULL && json_object_set(files, key, entry) == 0;
        dn_free(key);
        json_decref(entry);
        if (!put) {
            return dn_error_memory(err, 64);
        }
    }
    return DN_OK;
}

enum dn_status dn_state_save(struct dn_state *s, const json_t *done, struct dn_error *err)
{
    json_t *files = NULL;
    enum dn_status st = DN_OK;

    /* again: hosts that take no lock may have written in the meantime */
    DN_TRY_GOTO(st, files_read(s->path, &files, err), cleanup);
    DN_TRY_GOTO(st, entries_put(files, done, err), cleanup);
    st = dn_json_file_write(s->path, files, true, err);
cleanup:
    json_decref(files);
    return st;
}

enum dn_status dn_state_put(struct dn_state *s, const char *key, json_t *entry,
                            struct dn_error *err)
{
    json_t *entries = NULL;
    enum dn_status st = DN_OK;

    DN_TRY_GOTO(st, files_read(s->path, &entries, err), cleanup);
    if (json_object_set(entries, key, entry) != 0) {
        DN_TRY_GOTO(st, dn_error_memory(err, 64), cleanup);
    }
    DN_TRY_GOTO(st, dn_json_file_write(s->path, entries, true, err), cleanup);
    st = json_object_set(s->files, key, entry) == 0 ? DN_OK : dn_error_memory(err, 64);
cleanup:
    json_decref(entries);
    return st;
}

void dn_state_close(struct dn_state *s)
{
    json_decref(s->files);
    if (s->path != NULL && s->lock >= 0) {
        (void)close(
            s->lock); /* and the lock with it; the file stays, for somebody may be waiting for it */
    }
    *s = (struct dn_state){0};
}
