#include "job/sources.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/os_stat.h"
#include "job/events.h"
#include "job/local.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

json_t *dn_match_make(const char *pattern, const struct dn_file_list *files, size_t first)
{
    return json_pack("{s:s, s:I, s:s, s:s}", "pattern", pattern, "files",
                     (json_int_t)(files->n - first), "first", files->names[first], "last",
                     files->names[files->n - 1]);
}

void dn_match_tell(const struct dn_events *events, json_t *match)
{
    const char *pattern = json_string_value(json_object_get(match, "pattern"));
    const char *first = json_string_value(json_object_get(match, "first"));
    const char *last = json_string_value(json_object_get(match, "last"));
    const json_int_t n = json_integer_value(json_object_get(match, "files"));

    if (match == NULL) {
        return;
    }
    json_incref(match); /* the texts are in it */
    if (n == 1) {
        dn_events_emit(events, DN_EVENT_NOTE, "files_matched", match, "%s is %s", pattern, first);
    } else {
        dn_events_emit(events, DN_EVENT_NOTE, "files_matched", match,
                       "%s is %lld files, from %s to %s", pattern, (long long)n, first, last);
    }
    json_decref(match);
}

void dn_left_out_tell(const struct dn_events *events, size_t n)
{
    if (n > 0) {
        dn_events_emit(events, DN_EVENT_NOTE, "files_left_out",
                       json_pack("{s:I}", "files", (json_int_t)n),
                       "%zu name%s left out: what %s to is read already", n,
                       n == 1 ? " is" : "s are", n == 1 ? "it leads" : "they lead");
    }
}

const char *dn_source_table(const json_t *reader_config)
{
    const json_t *options = json_object_get(json_object_get(reader_config, "engine"), "options");
    const json_t *native = json_object_get(options, "native");
    const char *table = json_string_value(json_object_get(options, "table"));

    table = table != NULL ? table : json_string_value(json_object_get(native, "table"));
    if (table != NULL) {
        return table;
    }
    return json_object_get(options, "query") != NULL || json_object_get(native, "query") != NULL
               ? "the query"
               : "the source";
}

struct dn_source_seen {
    bool is_file;
    dev_t device;
    ino_t number;
    off_t size;
    struct timespec changed;
};

static const char *path_of(const json_t *file)
{
    const char *path = json_is_string(file) ? json_string_value(file)
                                            : json_string_value(json_object_get(file, "path"));

    return path != NULL ? path : json_string_value(json_object_get(file, "file"));
}

static enum dn_status look(const json_t *file, struct dn_source_seen *out, struct dn_error *err)
{
    struct stat info;
    const char *path = path_of(file);

    *out = (struct dn_source_seen){.is_file = false};
    if (path == NULL || strcmp(path, "-") == 0) {
        return DN_OK;
    }
    if (dn_local_stat(path, &info) != 0) {
        return errno == ENOMEM ? dn_error_memory(err, strlen(path)) : DN_OK;
    }
    if (S_ISREG(info.st_mode)) {
        *out = (struct dn_source_seen){true, info.st_dev, info.st_ino, info.st_size,
                                       dn_os_modified(&info)};
    }
    return DN_OK;
}

static bool is_same(const struct dn_source_seen *before, const struct dn_source_seen *now)
{
    return !before->is_file ||
           (now->is_file && before->device == now->device && before->number == now->number &&
            (now->size > before->size ||
             (now->size == before->size && now->changed.tv_sec == before->changed.tv_sec &&
              now->changed.tv_nsec == before->changed.tv_nsec)));
}

static enum dn_status changed(const json_t *file, struct dn_error *err)
{
    const char *path = path_of(file);
    const enum dn_status st =
        dn_error_set(err, DN_ERR_IO,
                     "'%s' changed while it was read: it was replaced or written to between two "
                     "passes over it; read it again when nothing writes to it, or a copy of it",
                     path);
    dn_error_locate(err, path, -1, -1, -1, NULL);
    return st;
}

enum dn_status dn_sources_look(struct dn_sources *s, const json_t *reader_config,
                               struct dn_error *err)
{
    const json_t *files = json_object_get(reader_config, "files");
    const size_t n = json_array_size(files);

    if (s->seen == NULL && n > 0) {
        s->seen = dn_calloc(n, sizeof(*s->seen));
        if (s->seen == NULL) {
            return dn_error_memory(err, n * sizeof(*s->seen));
        }
        s->n = n;
        for (size_t i = 0; i < n; i++) {
            DN_TRY(look(json_array_get(files, i), &s->seen[i], err));
        }
        return DN_OK;
    }
    for (size_t i = 0; i < n && i < s->n; i++) {
        struct dn_source_seen now;
        DN_TRY(look(json_array_get(files, i), &now, err));
        if (!is_same(&s->seen[i], &now)) {
            return changed(json_array_get(files, i), err);
        }
    }
    return DN_OK;
}

void dn_sources_finish(struct dn_sources *s)
{
    dn_free(s->seen);
    *s = (struct dn_sources){0};
}
