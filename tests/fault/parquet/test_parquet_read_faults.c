/* The reader of Arrow batches while memory runs out, and over damaged files: it says so, holds nothing, and what it hands out can be read. */
#include "arrow/nested.h"
#include "base/memory.h"
#include "dativo/parquet.h"
#include "scratch.h"

static const char *const samples[] = {
    "duckdb",          "duckdb_bloom",       "polars",        "pyarrow_bytes", "pyarrow_codecs",
    "pyarrow_delta",   "pyarrow_dictionary", "pyarrow_int96", "pyarrow_long",  "pyarrow_names",
    "pyarrow_no_rows", "pyarrow_numbers",    "pyarrow_plain", "pyarrow_v2",    "pyarrow_nested",
    "pyarrow_deep",
};
#define N_SAMPLES (sizeof(samples) / sizeof(samples[0]))

/* No threads: the reader runs its tasks itself. */
static int32_t refuse(void *ctx, void (*fn)(void *arg), void *arg)
{
    (void)ctx;
    (void)fn;
    (void)arg;
    return 1;
}

static uint64_t sum; /* of all bytes, so that they are read */

static void touch(const void *data, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        sum += ((const uint8_t *)data)[i];
    }
}

static size_t width_of(const char *format)
{
    switch (format[0]) {
    case 'c':
    case 'C':
        return 1;
    case 's':
    case 'S':
    case 'e':
        return 2;
    case 'i':
    case 'I':
    case 'f':
        return 4;
    case 'l':
    case 'L':
    case 'g':
        return 8;
    case 'd':
        return strstr(format, ",256") != NULL ? 32 : 16;
    case 'w':
        return (size_t)strtoul(format + 2, NULL, 10);
    default: /* dates and times */
        return strcmp(format, "tdD") == 0 || strcmp(format, "ttm") == 0 ? 4 : 8;
    }
}

static void touch_views(const struct ArrowArray *a)
{
    const struct dn_string_view *views = a->buffers[1];
    const int64_t *lens = a->buffers[a->n_buffers - 1];

    for (int64_t i = 0; i < a->length; i++) {
        const struct dn_string_view *v = &views[i];
        if (v->len <= DN_VIEW_INLINE) {
            assert_true(v->len >= 0);
            touch(v->u.inlined, (size_t)v->len);
            continue;
        }
        const int32_t block = v->u.ref.buffer;
        assert_in_range(block, 0, a->n_buffers - 4);
        assert_in_range(v->u.ref.offset, 0, lens[block] - v->len);
        const uint8_t *text = (const uint8_t *)a->buffers[2 + block] + v->u.ref.offset;
        assert_memory_equal(text, v->u.ref.prefix, 4);
        touch(text, (size_t)v->len);
    }
}

static void touch_column(const struct ArrowSchema *schema, const struct ArrowArray *a)
{
    const char *format = schema->format;
    const size_t n = (size_t)a->length;

    if (strcmp(format, "n") == 0) {
        assert_int_equal(a->null_count, a->length);
        return;
    }
    if (a->buffers[0] != NULL) {
        assert_int_equal(dn_bits_count_zero(a->buffers[0], 0, a->length), a->null_count);
    } else {
        assert_int_equal(a->null_count, 0);
    }
    if (format[0] == 'v') {
        touch_views(a);
    } else if (strcmp(format, "b") == 0) {
        touch(a->buffers[1], (n + 7) / 8);
    } else if (format[0] != '+') {
        touch(a->buffers[1], n * width_of(format));
    } else if (strcmp(format, "+s") != 0) {
        touch(a->buffers[1], (n + 1) * sizeof(int32_t));
    }
    for (int64_t c = 0; c < a->n_children; c++) {
        touch_column(schema->children[c], a->children[c]);
    }
}

static bool looks_within; /* which takes memory */

static void touch_batch(const struct ArrowSchema *schema, const struct ArrowArray *batch)
{
    for (int64_t c = 0; c < batch->n_children; c++) {
        struct dn_arena arena = {0};
        struct dn_node node;
        struct dn_column_view view;
        struct dn_error err = {0};
        assert_int_equal(batch->children[c]->length, batch->length);
        touch_column(schema->children[c], batch->children[c]);
        if (looks_within && (dn_schema_get_node(schema, c, &arena, &node, &err) != DN_OK ||
                             dn_batch_get_node(batch, c, &node, &arena, &view, &err) != DN_OK)) {
            fail_msg("%s", err.message);
        }
        dn_arena_finish(&arena);
    }
}

static enum dn_status drain(const char *path, const struct dn_parquet_read_options *options,
                            struct dn_error *err)
{
    struct dn_parquet_reader *r = NULL;
    struct ArrowSchema schema = {0};
    struct ArrowArray batch = {0};
    enum dn_status st = dn_parquet_reader_open(&r, path, options, err);

    if (st == DN_OK) {
        st = dn_parquet_reader_schema(r, &schema, err);
    }
    while (st == DN_OK) {
        st = dn_parquet_reader_next(r, &batch, err);
        if (st != DN_OK || batch.release == NULL) {
            break;
        }
        touch_batch(&schema, &batch);
        batch.release(&batch);
    }
    if (st != DN_OK) {
        assert_null(batch.release);
        assert_int_equal(err->code, st);
        assert_true(err->message[0] != '\0');
    }
    if (schema.release != NULL) {
        schema.release(&schema);
    }
    dn_parquet_reader_close(r);
    return st;
}

static const char *sample_path(const char *name)
{
    static char path[1024];

    (void)snprintf(path, sizeof(path), "%s/parquet/%s.parquet", DN_TEST_DATA, name);
    return path;
}

static void test_memory_runs_out(void **state)
{
    uint64_t n_failed = 0;
    (void)state;

    for (size_t i = 0; i < N_SAMPLES; i++) {
        for (uint32_t threads = SCRATCH_THREAD_SANITIZED ? 1 : 0; threads <= 2; threads++) {
            const struct dn_parquet_read_options o = {.struct_size = sizeof o,
                                                      .batch_rows = 3,
                                                      .n_threads = threads,
                                                      .submit = threads == 0 ? refuse : NULL};
            for (uint64_t n = 1;; n += threads == 0 ? 1 : 3) {
                struct dn_error err = {0};
                (void)dn_memory_fail_at(n);
                const enum dn_status st = drain(sample_path(samples[i]), &o, &err);
                const uint64_t counted = dn_memory_fail_at(0);
                if (counted < n) {
                    assert_int_equal(st, DN_OK);
                    break; /* there are fewer allocations than n: all have had their turn */
                }
                if (st != DN_OK) { /* a pool that cannot grow its queue leaves the task to us */
                    assert_int_equal(st, DN_ERR_MEMORY);
                    n_failed++;
                }
            }
        }
    }
    assert_true(n_failed > (SCRATCH_THREAD_SANITIZED ? 100 : 500));
}

static void put_byte(int fd, size_t at, uint8_t value)
{
    assert_int_equal(pwrite(fd, &value, 1, (off_t)at), 1);
}

/* Every byte changed in some ways: whatever comes of it, it can be read to its end or is refused. */
static void test_every_byte_changed(void **state)
{
    static const uint8_t masks[] = {0x01, 0x80, 0xff};
    const struct dn_parquet_read_options o = {
        .struct_size = sizeof o, .batch_rows = 7, .n_threads = 1, .submit = refuse};
    static uint8_t bytes[4096];
    char dir[512];
    size_t n_refused = 0;
    (void)state;
    if (SCRATCH_THREAD_SANITIZED) {
        skip(); /* it has no threads */
    }

    looks_within = true;
    scratch_make(dir);
    const char *path = scratch_path(dir, "damaged.parquet");
    for (size_t s = 0; s < N_SAMPLES; s++) {
        const ssize_t got = scratch_read(sample_path(samples[s]), bytes, sizeof bytes);
        const size_t len = got > 0 ? (size_t)got : 0;
        assert_in_range(len, 100, sizeof bytes - 1);
        scratch_write(path, bytes, len);
        const int fd = open(path, O_WRONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        for (size_t at = 0; at < len; at++) {
            for (size_t m = 0; m < sizeof masks; m++) {
                struct dn_error err = {0};
                put_byte(fd, at, bytes[at] ^ masks[m]);
                const enum dn_status st = drain(path, &o, &err);
                if (st != DN_OK && st != DN_ERR_DATA && st != DN_ERR_UNSUPPORTED &&
                    st != DN_ERR_MEMORY) {
                    fail_msg("%s, byte %zu: status %d: %s", samples[s], at, (int)st, err.message);
                }
                n_refused += st != DN_OK;
            }
            put_byte(fd, at, bytes[at]);
        }
        assert_int_equal(close(fd), 0);
    }
    assert_true(n_refused > 1000);
    scratch_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_runs_out),
        cmocka_unit_test(test_every_byte_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
