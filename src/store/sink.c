#include "base/memory.h"
#include "store/file/file_sink.h"
#include "store/remote_sink.h"
#include "store/sink_class.h"
#include "store/url.h"

#include <string.h>

#define SPILLED_PIECE ((size_t)256 << 10)

/* ---- for those who make sinks ---- */

struct dn_sink *dn_sink_make(size_t size, const struct dn_sink_class *class, const char *path,
                             bool overwrite, struct dn_error *err)
{
    struct dn_sink *s = dn_calloc(1, size);
    char *copy = dn_strdup(path);

    if (s == NULL || copy == NULL) {
        dn_free(copy);
        dn_free(s);
        (void)dn_error_memory(err, size + strlen(path));
        return NULL;
    }
    s->class = class;
    s->path = copy;
    s->overwrite = overwrite;
    return s;
}

enum dn_status dn_sink_located(const struct dn_sink *s, enum dn_status st, struct dn_error *err)
{
    dn_error_locate(err, s->path, -1, -1, -1, NULL);
    return st;
}

enum dn_status dn_sink_exists(const struct dn_sink *s, struct dn_error *err)
{
    return dn_sink_located(
        s,
        dn_error_set(err, DN_ERR_EXISTS,
                     "'%s' exists already; ask for overwriting, remove it or choose another name",
                     s->path),
        err);
}

/* ---- for those who write ---- */

enum dn_status dn_sink_open(struct dn_sink **out, const char *path, bool overwrite,
                            const struct dn_store_options *store, struct dn_stop *stop,
                            struct dn_error *err)
{
    struct dn_url url;

    *out = NULL;
    if (path == NULL || path[0] == '\0') {
        return dn_error_set(err, DN_ERR_INVALID,
                            "the name of the file to write is empty; give a path");
    }
    DN_TRY(dn_url_parse(&url, path, err));
    const enum dn_status st =
        url.kind == DN_URL_S3 ? dn_s3_sink_open(out, &url, store, overwrite, stop, err)
        : url.kind == DN_URL_HTTP
            ? dn_error_set(err, DN_ERR_UNSUPPORTED,
                           "'%s': the web is read and not written; name a "
                           "file, or s3://bucket/key",
                           url.shown)
            : dn_file_sink_open(out, url.kind == DN_URL_PATH ? url.path : path, overwrite,
                                store != NULL ? store->memory_bytes : 0, err);
    dn_url_finish(&url);
    return st;
}

static enum dn_status check_state(const struct dn_sink *s, enum dn_sink_state wanted,
                                  const char *what, struct dn_error *err)
{
    if (s->state == wanted) {
        return DN_OK;
    }
    const char *why = "it is not finished yet";
    if (s->state == DN_SINK_FAILED) {
        why = "an earlier step failed; close it";
    } else if (s->state == DN_SINK_COMMITTED) {
        why = "it is committed already";
    } else if (s->state == DN_SINK_FINISHED) {
        why = "it is finished already";
    }
    return dn_sink_located(
        s, dn_error_set(err, DN_ERR_INVALID, "cannot %s '%s': %s", what, s->path, why), err);
}

static enum dn_status settle(struct dn_sink *s, enum dn_status st)
{
    if (st != DN_OK) {
        s->state = DN_SINK_FAILED;
    }
    return st;
}

enum dn_status dn_sink_write(struct dn_sink *s, const void *data, size_t len, struct dn_error *err)
{
    DN_TRY(check_state(s, DN_SINK_WRITING, "write to", err));
    DN_TRY(settle(s, s->class->write(s, data, len, err)));
    s->position += len;
    return DN_OK;
}

enum dn_status dn_sink_spill_open(const struct dn_sink *s, struct dn_spill **out,
                                  struct dn_error *err)
{
    return s->class->spill_open(s, out, err);
}

enum dn_status dn_sink_write_spilled(struct dn_sink *s, const struct dn_spill *from,
                                     uint64_t offset, size_t len, struct dn_error *err)
{
    enum dn_status st = DN_OK;
    uint8_t *piece = dn_malloc(SPILLED_PIECE);

    if (piece == NULL) {
        return dn_error_memory(err, SPILLED_PIECE);
    }
    while (st == DN_OK && len > 0) {
        const size_t n = len < SPILLED_PIECE ? len : SPILLED_PIECE;
        st = dn_spill_read(from, offset, piece, n, err);
        st = st == DN_OK ? dn_sink_write(s, piece, n, err) : st;
        offset += n;
        len -= n;
    }
    dn_free(piece);
    return st;
}

uint64_t dn_sink_position(const struct dn_sink *s)
{
    return s->position;
}

enum dn_status dn_sink_finish(struct dn_sink *s, struct dn_error *err)
{
    DN_TRY(check_state(s, DN_SINK_WRITING, "finish", err));
    DN_TRY(settle(s, s->class->finish(s, err)));
    s->state = DN_SINK_FINISHED;
    return DN_OK;
}

enum dn_status dn_sink_replaced_head(struct dn_sink *s, uint8_t *head, size_t size, size_t *len,
                                     struct dn_error *err)
{
    *len = 0;
    return s->overwrite ? s->class->replaced_head(s, head, size, len, err) : DN_OK;
}

bool dn_sink_can_be_read(const struct dn_sink *s)
{
    return s->class->reading_path != NULL;
}

enum dn_status dn_sink_reading_path(const struct dn_sink *s, char out[DN_SINK_READING_PATH_SIZE],
                                    struct dn_error *err)
{
    return s->class->reading_path(s, out, err);
}

enum dn_status dn_sink_commit(struct dn_sink *s, struct dn_error *err)
{
    DN_TRY(check_state(s, DN_SINK_FINISHED, "commit", err));
    return s->class->commit(s, err);
}

void dn_sink_close(struct dn_sink *s)
{
    if (s != NULL) {
        char *path = s->path;
        s->class->close(s);
        dn_free(path);
    }
}
