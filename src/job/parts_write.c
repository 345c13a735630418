/* One piece: its rows to a file that is not seen yet, and then what the file has. */
#include "base/memory.h"
#include "base/os_stat.h"
#include "job/connection.h"
#include "job/local.h"
#include "job/parts_place.h"
#include "store/source.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static enum dn_status local_identity(json_t **out, const char *path, const char *what,
                                     struct dn_error *err)
{
    struct stat info;

    if (dn_local_stat(path, &info) != 0) {
        const int saved = errno;
        const enum dn_status st = saved == ENOENT ? DN_ERR_NOT_FOUND : DN_ERR_IO;
        (void)dn_error_set_errno(err, st, saved, "%s: %s", path, what);
        dn_error_locate(err, path, -1, -1, -1, NULL);
        return st;
    }
    const struct timespec modified = dn_os_modified(&info);
    *out = json_pack("{s:s, s:I, s:I}", "path", path, "size", (json_int_t)info.st_size,
                     "modified_ns", (json_int_t)modified.tv_sec * 1000000000 + modified.tv_nsec);
    return *out != NULL ? DN_OK : dn_error_memory(err, 64);
}

/* Of objects a number of their ETag. */
static enum dn_status remote_identity(json_t **out, const char *path, const json_t *connection,
                                      struct dn_error *err)
{
    struct dn_store_options store;
    struct dn_source *source = NULL;
    char version[24];

    dn_connection_store(&store, connection);
    DN_TRY(dn_source_open_again(&source, path, &store, NULL, err));
    const struct dn_source_identity identity = dn_source_identity(source);
    (void)snprintf(version, sizeof version, "%016" PRIx64, dn_source_version(&identity));
    *out = json_pack("{s:s, s:I, s:s}", "path", path, "size", (json_int_t)dn_source_size(source),
                     "version", version);
    dn_source_close(source);
    return *out != NULL ? DN_OK : dn_error_memory(err, 64);
}

enum dn_status dn_parts_identity(json_t **out, const char *path, const json_t *connection,
                                 const char *what, struct dn_error *err)
{
    *out = NULL;
    return dn_is_remote(path) ? remote_identity(out, path, connection, err)
                              : local_identity(out, path, what, err);
}

/* Has a commit that is under way taken the part already?  It had another task's manifest of the same bytes, and this one has nothing to add. */
static bool is_taken(struct dn_parts_place *l, const char *part)
{
    struct dn_error unsaid;
    json_t *mark = NULL;

    dn_error_clear(&unsaid);
    const bool is_there = l->class->mark(l, false, part, &mark, &unsaid) == DN_OK;
    json_decref(mark);
    return is_there;
}

static enum dn_status manifest_write(struct dn_parts_place *l, size_t index,
                                     const struct dn_outcome *outcome, struct dn_error *err)
{
    char part[DN_PARTS_NAME_SIZE];
    char name[DN_PARTS_NAME_SIZE];
    json_t *mark = NULL;

    dn_parts_part_name(part, l->plan, index);
    dn_parts_manifest_name(name, l->plan, index);
    enum dn_status st = l->class->mark(l, true, part, &mark, err);
    if (st == DN_ERR_NOT_FOUND && is_taken(l, part)) {
        dn_error_clear(err);
        return DN_OK;
    }
    DN_TRY(st);
    const int64_t bytes = json_integer_value(json_object_get(mark, "bytes"));
    if (bytes != outcome->bytes_out) {
        json_decref(mark);
        return dn_error_set(err, DN_ERR_IO,
                            "%s/%s: has %" PRId64 " bytes, and %" PRId64
                            " were written; the piece does not count as written",
                            l->plan->directory, part, bytes, outcome->bytes_out);
    }
    json_t *manifest =
        json_pack("{s:s, s:I, s:s, s:I, s:I, s:O*, s:O*, s:O}", "plan", l->plan->id, "index",
                  (json_int_t)index, "file", part, "rows", (json_int_t)outcome->rows_out, "bytes",
                  (json_int_t)bytes, "crc32c", json_object_get(mark, "crc32c"), "etag",
                  json_object_get(mark, "etag"), "columns", outcome->schema);
    json_decref(mark);
    st = manifest != NULL ? l->class->write(l, true, name, manifest, err) : dn_error_memory(err, 0);
    json_decref(manifest);
    return st;
}

/*
 * A task that was late: the commit has another one's file, with the same bytes, and has removed what was unfinished, perhaps in the middle
 * of this one's work.  What it has left since goes, too.
 */
static enum dn_status late_end(struct dn_parts_place *l, enum dn_status st,
                               struct dn_outcome *outcome, struct dn_error *err)
{
    struct dn_error unsaid;

    dn_error_clear(&unsaid);
    if (st == DN_ERR_CANCELLED ||
        dn_parts_is_committed(l, &outcome->is_unchanged, &unsaid) != DN_OK ||
        !outcome->is_unchanged) {
        return st;
    }
    dn_error_clear(err);
    return l->class->clear(l, err);
}

static enum dn_status rows_check(const struct dn_parts *p, size_t index,
                                 const struct dn_outcome *outcome, struct dn_error *err)
{
    const json_t *rows = json_object_get(json_array_get(p->list, index), "rows");

    if (!json_is_integer(rows) || json_integer_value(rows) == outcome->rows_out) {
        return DN_OK;
    }
    return dn_error_set(err, DN_ERR_DATA,
                        "piece %zu has %" PRId64 " rows, and the plan says %" PRId64
                        "; it does not count as written",
                        index, outcome->rows_out, (int64_t)json_integer_value(rows));
}

static enum dn_status piece_write(struct dn_parts_place *l, size_t index, const json_t *piece,
                                  uint32_t n_threads, struct dn_outcome *outcome,
                                  struct dn_error *err)
{
    const struct dn_parts *p = l->plan;
    const json_t *reader = json_object_get(p->json, "reader");
    char name[DN_PARTS_NAME_SIZE];

    dn_parts_part_name(name, p, index);
    char *part = dn_parts_path(p, true, name);
    if (part == NULL) {
        return dn_error_memory(err, 0);
    }
    const struct dn_transfer t = {
        .reader = {.path = json_string_value(json_object_get(reader, "path")),
                   .symbol = json_string_value(json_object_get(reader, "symbol"))},
        .reader_config = json_object_get(p->json, "reader_config"),
        .writer_config = json_object_get(p->json, "writer_config"),
        .output_path = part,
        .make_directories = true,
        .overwrite = true,
        .allow_empty = true, /* a piece may have none; that the whole has some was seen */
        .piece = json_string_value(json_object_get(piece, "token")),
        .piece_schema = json_object_get(p->json, "schema"),
        .wants_schema = true, /* for the manifest */
        .n_threads = n_threads,
        .memory_bytes = (uint64_t)json_integer_value(json_object_get(p->json, "memory_bytes")),
        .events = l->events,
    };
    enum dn_status st = dn_transfer_run(&t, outcome, err);
    dn_free(part);
    DN_TRY(st);
    DN_TRY(rows_check(p, index, outcome, err));
    return manifest_write(l, index, outcome, err);
}

enum dn_status dn_parts_write(const struct dn_parts *p, size_t index, uint32_t n_threads,
                              const struct dn_events *events, struct dn_outcome *outcome,
                              struct dn_error *err)
{
    const json_t *piece = json_array_get(p->list, index);
    struct dn_parts_place *l = NULL;

    if (piece == NULL) {
        return dn_error_set(err, DN_ERR_INVALID, "--index %zu: the plan has the pieces 0 to %zu",
                            index, json_array_size(p->list) - 1);
    }
    DN_TRY(dn_parts_place_open(&l, p, events, err));
    enum dn_status st = dn_parts_is_committed(l, &outcome->is_unchanged, err);
    if (st == DN_OK && !outcome->is_unchanged) {
        st = piece_write(l, index, piece, n_threads, outcome, err);
        st = late_end(l, st, outcome, err);
    }
    dn_parts_place_close(l);
    return st;
}
