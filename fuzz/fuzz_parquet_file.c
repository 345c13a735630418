/*
 * A damaged Parquet file: the reader, `inspect` and its rows either say what is wrong, or agree on what is there.  Input: one byte that
 * chooses the options, then the file.
 */
#include "fuzz_target.h"

#include "batch_look.h"
#include "dativo/parquet.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define MOST_ROWS 100000 /* a few bytes may stand for billions of nulls */

static void write_file(const char *path, const uint8_t *data, size_t size)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size && close(fd) == 0, "%s", path);
}

static void check_error(enum dn_status st, const struct dn_error *err)
{
    FUZZ_CHECK(st != DN_ERR_INTERNAL, "%s", err->message);
    FUZZ_CHECK((int32_t)st == err->code && err->message[0] != '\0', "status %d, error code %d",
               (int)st, err->code);
}

/* Rows that could be read, -1 after a failure. */
static int64_t read_all(const char *path, uint8_t choice)
{
    const struct dn_parquet_read_options options = {.struct_size = sizeof options,
                                                    .batch_rows = (choice & 1) != 0 ? 7 : 0,
                                                    .n_threads = (choice & 2) != 0 ? 3 : 1,
                                                    .memory_budget_bytes = UINT64_C(32) << 20};
    struct dn_parquet_read_progress progress = {.struct_size = sizeof progress};
    struct dn_parquet_reader *r = NULL;
    struct ArrowSchema schema = {0};
    struct ArrowArray batch = {0};
    struct dn_error err = {0};
    char said[256];
    int64_t rows = 0;
    enum dn_status st = dn_parquet_reader_open(&r, path, &options, &err);

    if (st == DN_OK) {
        st = dn_parquet_reader_schema(r, &schema, &err);
    }
    while (st == DN_OK && rows < MOST_ROWS) {
        st = dn_parquet_reader_next(r, &batch, &err);
        if (st != DN_OK || batch.release == NULL) {
            break;
        }
        FUZZ_CHECK(batch.length > 0, "an empty batch");
        FUZZ_CHECK(batch_look(&schema, &batch, said) == NULL, "%s", said);
        rows += batch.length;
        batch.release(&batch);
    }
    if (st == DN_OK && rows < MOST_ROWS) {
        dn_parquet_reader_progress(r, &progress);
        FUZZ_CHECK(progress.rows == rows, "%lld rows were counted, not %lld",
                   (long long)progress.rows, (long long)rows);
    }
    if (st != DN_OK) {
        check_error(st, &err);
        rows = -1;
    }
    if (schema.release != NULL) {
        schema.release(&schema);
    }
    dn_parquet_reader_close(r);
    return rows;
}

static void inspect(const char *path, int64_t n_rows)
{
    struct dn_error err = {0};
    char *json = NULL;
    const enum dn_status st = dn_parquet_inspect(path, n_rows, &json, &err);

    FUZZ_CHECK((st == DN_OK) == (json != NULL), "status %d", (int)st);
    if (st != DN_OK) {
        check_error(st, &err);
    }
    dn_parquet_free(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char path[64];

    if (size == 0) {
        return 0;
    }
    if (path[0] == '\0') {
        (void)snprintf(path, sizeof path, "%s/dn-fuzz-file-%ld.parquet",
                       access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", (long)getpid());
    }
    write_file(path, data + 1, size - 1);
    inspect(path, 0);
    inspect(path, 50);
    const int64_t rows = read_all(path, data[0]);
    const int64_t again = read_all(path, data[0] ^ 3);
    FUZZ_CHECK(rows == again || rows >= MOST_ROWS || again >= MOST_ROWS, "%lld rows, or %lld",
               (long long)rows, (long long)again);
    (void)unlink(path);
    return 0;
}
