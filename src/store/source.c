#include "base/memory.h"
#include "store/file/file_source.h"
#include "store/remote_source.h"
#include "store/source_class.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SKIP_BYTES ((size_t)64 << 10)

const char *dn_source_shown_path(char *out, const char *path)
{
    static const char cut[] = "...";
    const size_t room = DN_SHOWN_PATH_SIZE - sizeof(cut);
    const size_t whole = strlen(path);
    const struct dn_url_open open = dn_url_open_of(path);

    if (strcmp(path, "-") == 0) {
        return "standard input";
    }
    if (open.scheme != open.host || open.end != whole) { /* the rest may be a secret */
        const size_t first = open.scheme < room ? open.scheme : room;
        const size_t second = open.end - open.host;
        const size_t left = room - first;
        (void)snprintf(out, DN_SHOWN_PATH_SIZE, "%.*s%.*s", (int)first, path,
                       (int)(second < left ? second : left), path + open.host);
        return out;
    }
    if (whole < DN_SHOWN_PATH_SIZE) {
        return path;
    }
    const char *end = path + whole - room;
    while (((uint8_t)*end & 0xC0) == 0x80) {
        end++; /* not from the middle of a character */
    }
    memcpy(out, cut, sizeof(cut) - 1);
    memcpy(out + sizeof(cut) - 1, end, strlen(end) + 1);
    return out;
}

/* ---- for those who make sources ---- */

struct dn_source *dn_source_make(size_t size, const struct dn_source_class *class, const char *path,
                                 struct dn_stop *stop, struct dn_error *err)
{
    struct dn_source *s = dn_calloc(1, size);
    char *copy = dn_strdup(path);

    if (s == NULL || copy == NULL) {
        dn_free(copy);
        dn_free(s);
        (void)dn_error_memory(err, size + strlen(path));
        return NULL;
    }
    s->class = class;
    s->path = copy;
    s->stop = stop;
    s->size = -1;
    s->stored_size = -1;
    return s;
}

enum dn_status dn_source_located(const struct dn_source *s, enum dn_status st, struct dn_error *err)
{
    char shown[DN_SHOWN_PATH_SIZE];

    dn_error_locate(err, dn_source_shown_path(shown, s->path), -1, -1, -1, NULL);
    return st;
}

enum dn_status dn_source_stopped(const struct dn_source *s, struct dn_error *err)
{
    char shown[DN_SHOWN_PATH_SIZE];

    return dn_source_located(s,
                             dn_error_set(err, DN_ERR_CANCELLED,
                                          "reading '%s' was stopped on request",
                                          dn_source_shown_path(shown, s->path)),
                             err);
}

/* ---- for those who read ---- */

enum dn_status dn_source_open(struct dn_source **out, const char *path,
                              const struct dn_store_options *store, struct dn_stop *stop,
                              struct dn_error *err)
{
    *out = NULL;
    if (path == NULL || path[0] == '\0') {
        return dn_error_set(
            err, DN_ERR_INVALID,
            "the name of the file to read is empty; give a path, or - for standard input");
    }
    struct dn_url url;
    enum dn_status st = dn_url_parse(&url, path, err);
    if (st == DN_OK) {
        switch (url.kind) {
        case DN_URL_S3:
            st = dn_s3_source_open(out, &url, store, stop, err);
            break;
        case DN_URL_HTTP:
            st = dn_web_source_open(out, &url, store, stop, err);
            break;
        case DN_URL_PATH:
        case DN_URL_STANDARD:
            st = dn_file_source_open(out, url.kind == DN_URL_PATH ? url.path : path, stop, err);
            break;
        }
    }
    dn_url_finish(&url);
    return st;
}

enum dn_status dn_source_open_again(struct dn_source **out, const char *path,
                                    const struct dn_store_options *store, struct dn_stop *stop,
                                    struct dn_error *err)
{
    char shown[DN_SHOWN_PATH_SIZE];

    *out = NULL;
    const enum dn_url_kind kind = dn_url_kind_of(path);
    if (kind != DN_URL_S3 && kind != DN_URL_HTTP && dn_file_source_is_once(path)) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED, "'%s' can be read only once",
                            dn_source_shown_path(shown, path));
    }
    return dn_source_open(out, path, store, stop, err);
}

enum dn_status dn_source_read(struct dn_source *s, void *buf, size_t size, size_t *got,
                              struct dn_error *err)
{
    return s->class->read(s, buf, size, got, err);
}

enum dn_status dn_source_read_at(struct dn_source *s, uint64_t offset, void *buf, size_t size,
                                 size_t *got, struct dn_error *err)
{
    char shown[DN_SHOWN_PATH_SIZE];

    if (!s->can_read_at) {
        *got = 0;
        return dn_source_located(
            s,
            dn_error_set(
                err, DN_ERR_UNSUPPORTED,
                "'%s' can only be read in order; copy it to a file first and name that file",
                dn_source_shown_path(shown, s->path)),
            err);
    }
    return s->class->read_at(s, offset, buf, size, got, err);
}

bool dn_source_peek_cached(struct dn_source *s, void *buf, size_t size)
{
    return s->class->peek_cached != NULL && s->class->peek_cached(s, buf, size);
}

void dn_source_pass(struct dn_source *s, const void *buf, size_t size)
{
    s->class->pass(s, buf, size);
}

enum dn_status dn_source_skip(struct dn_source *s, uint64_t n, uint64_t *got, struct dn_error *err)
{
    enum dn_status st = DN_OK;
    uint64_t done = 0;
    uint8_t *buf = dn_malloc(SKIP_BYTES);

    if (buf == NULL) {
        return dn_error_memory(err, SKIP_BYTES);
    }
    while (st == DN_OK && done < n) {
        size_t taken = 0;
        if (dn_stop_asked(s->stop)) {
            st = dn_source_stopped(s, err);
            break;
        }
        st = dn_source_read(s, buf, n - done < SKIP_BYTES ? (size_t)(n - done) : SKIP_BYTES, &taken,
                            err);
        done += taken;
        if (taken == 0) {
            break;
        }
    }
    dn_free(buf);
    if (got != NULL) {
        *got = done;
    }
    return st;
}

enum dn_status dn_source_range(struct dn_source *s, uint64_t from, uint64_t to,
                               struct dn_error *err)
{
    char shown[DN_SHOWN_PATH_SIZE];
    uint64_t got = 0;

    if (s->class->range != NULL) {
        return s->class->range(s, from, to, err);
    }
    DN_TRY(dn_source_skip(s, from, &got, err));
    return got == from
               ? DN_OK
               : dn_source_located(s,
                                   dn_error_set(err, DN_ERR_IO,
                                                "'%s' ends at byte %llu, and is to be read from "
                                                "byte %llu on: it is not what it was",
                                                dn_source_shown_path(shown, s->path),
                                                (unsigned long long)got, (unsigned long long)from),
                                   err);
}

uint64_t dn_source_version(const struct dn_source_identity *identity)
{
    return identity->changed_ns != 0 ? (uint64_t)identity->changed_ns : identity->file;
}

const char *dn_source_path(const struct dn_source *s)
{
    return s->path;
}

int64_t dn_source_size(const struct dn_source *s)
{
    return s->size;
}

int64_t dn_source_stored_size(const struct dn_source *s)
{
    return s->stored_size;
}

int64_t dn_source_stored_read(const struct dn_source *s)
{
    return s->stored_read;
}

bool dn_source_can_read_at(const struct dn_source *s)
{
    return s->can_read_at;
}

bool dn_source_can_reopen(const struct dn_source *s)
{
    return s->can_reopen;
}

struct dn_source_identity dn_source_identity(const struct dn_source *s)
{
    return s->can_reopen ? s->identity : (struct dn_source_identity){0};
}

bool dn_source_is_same(const struct dn_source *s, const struct dn_source_identity *other)
{
    return s->identity.device == other->device && s->identity.file == other->file &&
           (s->identity.size > other->size ||
            (s->identity.size == other->size && s->identity.changed_ns == other->changed_ns));
}

enum dn_status dn_source_check(const struct dn_source *s, enum dn_source_change *out,
                               struct dn_error *err)
{
    *out = DN_SOURCE_SAME;
    return s->class->check != NULL ? s->class->check(s, out, err) : DN_OK;
}

void dn_source_close(struct dn_source *s)
{
    if (s != NULL) {
        char *path = s->path;
        s->class->close(s);
        dn_free(path);
    }
}
