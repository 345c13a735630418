/*
 * CSV -> Parquet -> CSV: what comes through a Parquet file is written byte for byte as what comes from the CSV reader itself.  The first
 * byte picks options, the second those of the Parquet file, the rest is the CSV file.
 */
#include "fuzz_target.h"

#include "arrow/schema.h"
#include "dativo/csv.h"
#include "dativo/parquet.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHECK_OK(call) FUZZ_CHECK((call) == DN_OK, "%s", err.message)

/* A source of batches of either kind. */
struct source {
    struct dn_csv_reader *csv;
    struct dn_parquet_reader *parquet;
    struct ArrowSchema schema;
};

static enum dn_status next_batch(struct source *s, struct ArrowArray *out, struct dn_error *err)
{
    return s->csv != NULL ? dn_csv_reader_next(s->csv, out, err)
                          : dn_parquet_reader_next(s->parquet, out, err);
}

static void close_source(struct source *s)
{
    if (s->schema.release != NULL) {
        s->schema.release(&s->schema);
    }
    dn_csv_reader_close(s->csv);
    dn_parquet_reader_close(s->parquet);
}

static enum dn_status open_csv(struct source *s, const char *path, uint8_t flags,
                               struct dn_error *err)
{
    const struct dn_csv_options options = {
        .struct_size = sizeof options,
        .block_bytes = (flags & 32) != 0 ? 64 : 0,
        .n_threads = 1 + (flags & 1),
        .delimiter = (flags & 1) != 0 ? ';' : ',',
        .no_quote = (flags & 2) != 0,
        .header = (flags & 8) != 0 ? DN_CSV_HEADER_NO : DN_CSV_HEADER_YES,
        .inference = (flags & 16) != 0 ? DN_CSV_INFER_STRINGS : DN_CSV_INFER_COLUMN};
    struct ArrowSchema own;

    memset(s, 0, sizeof *s);
    DN_TRY(dn_csv_reader_open(&s->csv, &path, 1, &options, err));
    DN_TRY(dn_csv_reader_schema(s->csv, &own, err));
    const enum dn_status st = dn_schema_copy_unique(&s->schema, &own, err); /* as the plugins do */
    own.release(&own);
    return st;
}

static void open_parquet(struct source *s, const char *path, uint8_t flags)
{
    const struct dn_parquet_read_options options = {.struct_size = sizeof options,
                                                    .batch_rows = (flags & 16) != 0 ? 3 : 0,
                                                    .n_threads = 1 + (flags & 1)};
    struct dn_error err = {0};

    memset(s, 0, sizeof *s);
    CHECK_OK(dn_parquet_reader_open(&s->parquet, path, &options, &err));
    CHECK_OK(dn_parquet_reader_schema(s->parquet, &s->schema, &err));
}

static enum dn_status to_csv(struct source *s, const char *path, struct dn_error *err)
{
    const struct dn_csv_write_options options = {
        .struct_size = sizeof options, .overwrite = true, .n_threads = 1};
    struct dn_csv_writer *w = NULL;
    struct ArrowArray batch;
    enum dn_status st = dn_csv_writer_open(&w, path, &s->schema, &options, err);

    while (st == DN_OK && (st = next_batch(s, &batch, err)) == DN_OK && batch.release != NULL) {
        st = dn_csv_writer_append(w, &batch, err);
    }
    if (st == DN_OK) {
        st = dn_csv_writer_finish(w, err);
    }
    if (st == DN_OK) {
        st = dn_csv_writer_commit(w, err);
    }
    dn_csv_writer_close(w);
    return st;
}

static enum dn_status to_parquet(struct source *s, const char *path, uint8_t flags,
                                 struct dn_error *err)
{
    static const char *const codecs[] = {"none", "snappy", "zstd:1", "lz4_raw"};
    const struct dn_parquet_options options = {.struct_size = sizeof options,
                                               .overwrite = true,
                                               .compression = codecs[flags & 3],
                                               .row_group_rows = (flags & 4) != 0 ? 3 : 0,
                                               .page_rows = (flags & 8) != 0 ? 2 : 0,
                                               .n_threads = 1 + (flags & 1)};
    struct dn_parquet_writer *w = NULL;
    struct ArrowArray batch;
    enum dn_status st = dn_parquet_writer_open(&w, path, &s->schema, &options, err);

    while (st == DN_OK && (st = next_batch(s, &batch, err)) == DN_OK && batch.release != NULL) {
        st = dn_parquet_append(w, &batch, err);
    }
    if (st == DN_OK) {
        st = dn_parquet_finish(w, err);
    }
    if (st == DN_OK) {
        st = dn_parquet_commit(w, err);
    }
    dn_parquet_close(w);
    return st;
}

static uint8_t *whole_file(const char *path, size_t *size)
{
    struct stat info;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);

    FUZZ_CHECK(fd >= 0 && fstat(fd, &info) == 0, "%s", path);
    uint8_t *data = malloc((size_t)info.st_size + 1);
    FUZZ_CHECK(data != NULL && read(fd, data, (size_t)info.st_size) == info.st_size, "%s", path);
    (void)close(fd);
    *size = (size_t)info.st_size;
    return data;
}

static void check_same(const char *a, const char *b)
{
    size_t a_size;
    size_t b_size;
    uint8_t *a_data = whole_file(a, &a_size);
    uint8_t *b_data = whole_file(b, &b_size);
    size_t at = 0;

    while (at < a_size && at < b_size && a_data[at] == b_data[at]) {
        at++;
    }
    FUZZ_CHECK(at == a_size && at == b_size, "of %zu and %zu bytes, byte %zu differs", a_size,
               b_size, at);
    free(a_data);
    free(b_data);
}

static const char *in_memory(const char *name)
{
    static char paths[4][96];
    static unsigned next;
    char *path = paths[next++ % 4];

    (void)snprintf(path, sizeof paths[0], "%s/dn-fuzz-csv-%ld-%s",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", (long)getpid(), name);
    return path;
}

/* The same rows on the direct way and on the one through Parquet, unless the first one has no end. */
static void both_ways(const char *csv, uint8_t flags, uint8_t parquet_flags)
{
    const char *direct = in_memory("direct.csv");
    const char *between = in_memory("between.parquet");
    const char *behind = in_memory("behind.csv");
    struct dn_error err = {0};
    struct source s;
    enum dn_status st = open_csv(&s, csv, flags, &err);

    if (st == DN_OK) {
        st = to_csv(&s, direct, &err);
    }
    close_source(&s);
    if (st != DN_OK) {
        return; /* malformed, or not UTF-8 */
    }
    CHECK_OK(open_csv(&s, csv, flags, &err));
    CHECK_OK(to_parquet(&s, between, parquet_flags, &err));
    close_source(&s);
    open_parquet(&s, between, parquet_flags);
    CHECK_OK(to_csv(&s, behind, &err));
    close_source(&s);
    check_same(direct, behind);
    (void)unlink(direct);
    (void)unlink(between);
    (void)unlink(behind);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *csv = in_memory("source.csv");

    if (size < 2 || size > 100000) {
        return 0;
    }
    const int fd = open(csv, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FUZZ_CHECK(fd >= 0 && write(fd, data + 2, size - 2) == (ssize_t)(size - 2) && close(fd) == 0,
               "%s", csv);
    both_ways(csv, data[0], data[1]);
    (void)unlink(csv);
    return 0;
}
