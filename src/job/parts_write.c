/* One piece: its rows to a file that is not seen yet, and then what the file has. */
#include "base/memory.h"
#include "job/json_file.h"
#include "job/local.h"
#include "job/parts_internal.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

json_t *dn_parts_identity(const char *path)
{
    struct stat info;

    if (dn_local_stat(path, &info) != 0) {
        return NULL;
    }
    return json_pack("{s:s, s:I, s:I}", "path", path, "size", (json_int_t)info.st_size,
                     "modified_ns",
                     (json_int_t)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec);
}

static enum dn_status manifest_write(const struct dn_parts *p, size_t index, const char *part,
                                     const struct dn_outcome *outcome, struct dn_error *err)
{
    char *path = dn_parts_manifest_path(p, index);
    json_t *manifest =
        json_pack("{s:s, s:I, s:s, s:I, s:I, s:O}", "plan", p->id, "index", (json_int_t)index,
                  "file", strrchr(part, '/') + 1, "rows", (json_int_t)outcome->rows_out, "bytes",
                  (json_int_t)outcome->bytes_out, "columns", outcome->schema);
    const enum dn_status st = path != NULL && manifest != NULL
                                  ? dn_json_file_write(path, manifest, true, err)
                                  : dn_error_memory(err, 0);

    json_decref(manifest);
    dn_free(path);
    return st;
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

enum dn_status dn_parts_write(const struct dn_parts *p, size_t index, uint32_t n_threads,
                              const struct dn_events *events, struct dn_outcome *outcome,
                              struct dn_error *err)
{
    const json_t *reader = json_object_get(p->json, "reader");
    const json_t *piece = json_array_get(p->list, index);

    if (piece == NULL) {
        return dn_error_set(err, DN_ERR_INVALID, "--index %zu: the plan has the pieces 0 to %zu",
                            index, json_array_size(p->list) - 1);
    }
    if (dn_parts_is_committed(p)) {
        outcome->is_unchanged = true;
        return DN_OK;
    }
    char *part = dn_parts_part_path(p, true, index);
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
        .n_threads = n_threads,
        .memory_bytes = (uint64_t)json_integer_value(json_object_get(p->json, "memory_bytes")),
        .events = events,
    };
    enum dn_status st = dn_transfer_run(&t, outcome, err);
    if (st == DN_OK) {
        st = rows_check(p, index, outcome, err);
    }
    if (st == DN_OK) {
        st = manifest_write(p, index, part, outcome, err);
    }
    dn_free(part);
    return st;
}
