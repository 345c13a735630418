/* The Parquet reader as an Arrow C stream, for tests in Python: parquet_stream_open() of a shared library. */
#include "dativo/parquet.h"

#include "base/error.h"
#include "base/memory.h"

#include <errno.h>
#include <string.h>

struct stream {
    struct dn_parquet_reader *reader;
    struct dn_error error;
};

static int answer(enum dn_status st)
{
    return st == DN_OK ? 0 : EIO;
}

static int get_schema(struct ArrowArrayStream *s, struct ArrowSchema *out)
{
    struct stream *p = s->private_data;

    return answer(dn_parquet_reader_schema(p->reader, out, &p->error));
}

static int get_next(struct ArrowArrayStream *s, struct ArrowArray *out)
{
    struct stream *p = s->private_data;

    return answer(dn_parquet_reader_next(p->reader, out, &p->error));
}

static const char *get_last_error(struct ArrowArrayStream *s)
{
    return ((struct stream *)s->private_data)->error.message;
}

static void release(struct ArrowArrayStream *s)
{
    struct stream *p = s->private_data;

    dn_parquet_reader_close(p->reader);
    dn_free(p);
    s->release = NULL;
}

DN_API int32_t parquet_stream_open(struct ArrowArrayStream *out, const char *path,
                                   uint32_t n_threads, int64_t batch_rows, uint64_t budget,
                                   const char *const *columns, size_t n_columns,
                                   struct dn_error *err);

int32_t parquet_stream_open(struct ArrowArrayStream *out, const char *path, uint32_t n_threads,
                            int64_t batch_rows, uint64_t budget, const char *const *columns,
                            size_t n_columns, struct dn_error *err)
{
    const struct dn_parquet_read_options options = {.struct_size = sizeof(options),
                                                    .columns = columns,
                                                    .n_columns = n_columns,
                                                    .batch_rows = batch_rows,
                                                    .memory_budget_bytes = budget,
                                                    .n_threads = n_threads};
    struct stream *p = dn_calloc(1, sizeof(*p));

    if (p == NULL) {
        return (int32_t)dn_error_memory(err, sizeof(*p));
    }
    const enum dn_status st = dn_parquet_reader_open(&p->reader, path, &options, err);
    if (st != DN_OK) {
        dn_free(p);
        return (int32_t)st;
    }
    *out = (struct ArrowArrayStream){get_schema, get_next, get_last_error, release, p};
    return DN_OK;
}
