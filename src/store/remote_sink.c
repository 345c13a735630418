#include "store/remote_sink.h"

#include "base/memory.h"
#include "store/s3/writer.h"
#include "store/sink_class.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct s3_sink {
    struct dn_sink base;
    struct dn_s3_client *client;
    char *bucket;
    char *key;
    struct dn_store_options *options; /* the writer borrows them; or NULL */
    struct dn_s3_writer *writer;
    struct dn_stop *stop; /* borrowed; or NULL */
};

static struct s3_sink *of(struct dn_sink *s)
{
    return (struct s3_sink *)(void *)s;
}

static enum dn_status located(const struct dn_sink *s, enum dn_status st, struct dn_error *err)
{
    return st == DN_OK ? DN_OK : dn_sink_located(s, st, err);
}

static enum dn_status s3_write(struct dn_sink *s, const void *data, size_t len,
                               struct dn_error *err)
{
    return located(s, dn_s3_writer_write(of(s)->writer, data, len, err), err);
}

static enum dn_status s3_finish(struct dn_sink *s, struct dn_error *err)
{
    return located(s, dn_s3_writer_finish(of(s)->writer, err), err);
}

static enum dn_status s3_commit(struct dn_sink *s, struct dn_error *err)
{
    DN_TRY(located(s, dn_s3_writer_commit(of(s)->writer, err), err));
    s->state = DN_SINK_COMMITTED;
    return DN_OK;
}

/* Who may only write does not get to know. */
static enum dn_status s3_replaced_head(struct dn_sink *sink, uint8_t *head, size_t size,
                                       size_t *len, struct dn_error *err)
{
    const struct s3_sink *s = of(sink);
    const struct dn_s3_name name = {s->bucket, s->key};
    struct dn_s3_object there = {0};
    struct dn_error failure;

    dn_error_clear(&failure);
    enum dn_status st = dn_s3_head(s->client, name, s->stop, &there, &failure);
    if (st == DN_OK && there.size > 0) {
        size = (uint64_t)there.size < size ? (size_t)there.size : size;
        st = dn_s3_get(s->client, name, 0, size, &there, head, s->stop, &failure);
        *len = st == DN_OK ? size : 0;
    }
    if (st == DN_OK || st == DN_ERR_NOT_FOUND || st == DN_ERR_IO) {
        return DN_OK;
    }
    if (err != NULL) {
        *err = failure;
    }
    return located(sink, st, err);
}

/* Bytes that memory has no room for stay on this machine. */
static enum dn_status s3_spill_open(const struct dn_sink *s, struct dn_spill **out,
                                    struct dn_error *err)
{
    const char *folder = getenv("TMPDIR");

    (void)s;

    folder = folder != NULL && folder[0] != '\0' ? folder : "/tmp";
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return dn_error_set_errno(err, DN_ERR_IO, errno,
                                  "the folder '%s' for temporary files (TMPDIR) cannot be opened",
                                  folder);
    }
    const enum dn_status st = dn_spill_open(out, fd, "dativo-native", err);
    (void)close(fd);
    return st;
}

static void s3_close(struct dn_sink *sink)
{
    struct s3_sink *s = of(sink);

    dn_s3_writer_close(s->writer);
    dn_s3_client_close(s->client);
    dn_free(s->bucket);
    dn_free(s->key);
    dn_store_options_free(s->options);
    dn_free(s);
}

static const struct dn_sink_class s3_class = {
    .write = s3_write,
    .spill_open = s3_spill_open,
    .replaced_head = s3_replaced_head,
    .finish = s3_finish,
    .commit = s3_commit,
    .close = s3_close,
};

/* For tests alone: parts of few bytes, which services that want 5 MiB refuse. */
static size_t part_bytes_of_tests(void)
{
    const char *text = getenv("DN_S3_PART_BYTES");

    return text != NULL ? (size_t)strtoul(text, NULL, 10) : 0;
}

static enum dn_status open_writer(struct s3_sink *s, const struct dn_store_options *options,
                                  struct dn_stop *stop, struct dn_error *err)
{
    static const struct dn_store_options none = {0};
    const struct dn_s3_writer_options how = {
        .attributes = s->options,
        .memory_bytes = options != NULL ? (size_t)options->memory_bytes : 0,
        .overwrite = s->base.overwrite,
        .part_bytes = part_bytes_of_tests(),
        .alone =
            true, /* two runs that write one object at a time have no order anyway: the later one wins, the other fails */
    };

    DN_TRY(dn_s3_client_open(&s->client, options != NULL ? options : &none, err));
    return dn_s3_writer_open(&s->writer, s->client, (struct dn_s3_name){s->bucket, s->key}, &how,
                             stop, err);
}

enum dn_status dn_s3_sink_open(struct dn_sink **out, const struct dn_url *url,
                               const struct dn_store_options *options, bool overwrite,
                               struct dn_stop *stop, struct dn_error *err)
{
    enum dn_status st = DN_OK;
    struct dn_sink *sink =
        dn_sink_make(sizeof(struct s3_sink), &s3_class, url->shown, overwrite, err);

    *out = NULL;
    if (sink == NULL) {
        return DN_ERR_MEMORY;
    }
    struct s3_sink *s = of(sink);
    s->stop = stop;
    s->bucket = dn_strdup(url->bucket);
    s->key = dn_strdup(url->key);
    if (s->bucket == NULL || s->key == NULL) {
        st = dn_error_memory(err, strlen(url->shown));
        goto cleanup;
    }
    if (url->key[0] == '\0' || url->key[strlen(url->key) - 1] == '/') {
        st = dn_error_set(err, DN_ERR_INVALID, "'%s' names no object; put a name behind it",
                          url->shown);
        goto cleanup;
    }
    DN_TRY_GOTO(st, dn_store_options_copy(&s->options, options, err), cleanup);
    DN_TRY_GOTO(st, open_writer(s, options, stop, err), cleanup);
    *out = sink;
    sink = NULL;
cleanup:
    if (sink != NULL) {
        (void)dn_sink_located(sink, st, err);
    }
    dn_sink_close(sink);
    return st;
}
