/* Every allocation of the reader fails once: a clean error each time, and the right rows as soon as none fails. */
#include "base/error.h"
#include "base/memory.h"
#include "dativo/csv.h"
#include "scratch.h"

#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

static char path[512];

static int make_file(void **state)
{
    (void)state;
    snprintf(path, sizeof(path), "%s/csv_faults_%d.csv", DN_TEST_TMP, (int)getpid());
    FILE *f = fopen(path, "wb");
    if (f == NULL) {
        return -1;
    }
    fputs("id,name,price,day\n", f);
    for (int i = 0; i < 40; i++) {
        fprintf(f, "%d,\"line\nof \"\"%d\"\" rows, and a long text\",%d.5,2024-01-%02d\n", i, i, i,
                1 + i % 28);
    }
    return fclose(f);
}

/* ---- the same file, packed ---- */

static size_t pack_gzip(uint8_t *text, size_t len, uint8_t *out, size_t room)
{
    z_stream z = {.next_in = text, .avail_in = (uInt)len, .next_out = out, .avail_out = (uInt)room};

    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(deflateEnd(&z), Z_OK);
    return room - z.avail_out;
}

static size_t pack_zstd(uint8_t *text, size_t len, uint8_t *out, size_t room)
{
    return ZSTD_compress(out, room, text, len, 3);
}

static size_t pack_bzip2(uint8_t *text, size_t len, uint8_t *out, size_t room)
{
    unsigned n = (unsigned)room;

    assert_int_equal(
        BZ2_bzBuffToBuffCompress((char *)out, &n, (char *)text, (unsigned)len, 1, 0, 0), BZ_OK);
    return n;
}

static size_t pack_xz(uint8_t *text, size_t len, uint8_t *out, size_t room)
{
    size_t n = 0;

    assert_int_equal(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC64, NULL, text, len, out, &n, room),
                     LZMA_OK);
    return n;
}

/* UTF-16 of what is ASCII. */
static size_t widen(uint8_t *text, size_t len, uint8_t *out, size_t room)
{
    assert_true(2 * len + 2 <= room);
    memcpy(out, "\xff\xfe", 2);
    for (size_t i = 0; i < len; i++) {
        out[2 * i + 2] = text[i];
        out[2 * i + 3] = 0;
    }
    return 2 * len + 2;
}

static void store(size_t (*pack)(uint8_t *, size_t, uint8_t *, size_t))
{
    static uint8_t text[1 << 14];
    static uint8_t stored[1 << 15];
    FILE *f = fopen(path, "rb");

    assert_non_null(f);
    const size_t len = fread(text, 1, sizeof text, f);
    assert_int_equal(fclose(f), 0);
    assert_true(len > 0 && len < sizeof text);
    const size_t n = pack(text, len, stored, sizeof stored);
    f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(stored, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

/* Types that were guessed from less than the whole sample would be other types, without a word. */
static enum dn_status check_types(struct dn_csv_reader *r, struct dn_error *err)
{
    static const char *const formats[] = {"l", "vu", "g", "tdD"};
    struct ArrowSchema schema = {0};

    DN_TRY(dn_csv_reader_schema(r, &schema, err));
    for (int i = 0; i < 4; i++) {
        assert_string_equal(schema.children[i]->format, formats[i]);
    }
    schema.release(&schema);
    return DN_OK;
}

static struct dn_csv_options options_of(uint32_t n_threads)
{
    static const char *const nulls[] = {"NA"};

    return (struct dn_csv_options){.struct_size = sizeof(struct dn_csv_options),
                                   .block_bytes = 200,
                                   .n_threads = n_threads,
                                   .null_values = nulls,
                                   .n_null_values = 1,
                                   .batch_rows = 7};
}

/* Rows read, or -1 with *err filled. */
static int64_t drain(struct dn_csv_reader *r, struct dn_error *err)
{
    struct ArrowArray batch = {0};
    int64_t rows = 0;

    if (check_types(r, err) != DN_OK) {
        dn_csv_reader_close(r);
        return -1;
    }
    for (;;) {
        if (dn_csv_reader_next(r, &batch, err) != DN_OK) {
            assert_null(batch.release);
            assert_int_not_equal(dn_csv_reader_next(r, &batch, err),
                                 DN_OK); /* a failure is final */
            rows = -1;
            break;
        }
        if (batch.release == NULL) {
            break;
        }
        rows += batch.length;
        batch.release(&batch);
    }
    dn_csv_reader_close(r);
    return rows;
}

static int64_t read_rows(uint32_t n_threads, struct dn_error *err)
{
    const char *paths[] = {path};
    const struct dn_csv_options options = options_of(n_threads);
    struct dn_csv_reader *r = NULL;

    if (dn_csv_reader_open(&r, paths, 1, &options, err) != DN_OK) {
        assert_null(r);
        return -1;
    }
    return drain(r, err);
}

/* Cut into pieces, and their rows; with files that could differ. */
static int64_t read_pieces(uint32_t n_threads, struct dn_error *err)
{
    static const char begin[] = "{\"token\":\"";
    const char *paths[] = {path, path};
    struct dn_csv_options options = options_of(n_threads);
    const struct dn_csv_split_options how = {.struct_size = sizeof(how), .target_bytes = 500};
    char *json = NULL;
    int64_t rows = 0;

    options.union_by_name = true;
    if (dn_csv_find_splits(&json, paths, 2, &options, &how, err) != DN_OK) {
        assert_null(json);
        return -1;
    }
    int64_t n_pieces = 0;
    for (char *at = json; rows >= 0 && (at = strstr(at, begin)) != NULL;) {
        struct dn_csv_reader *r = NULL;
        char *token = at + strlen(begin);
        char *end = token;
        for (at = token; *at != '"'; at++) { /* unescaped where it is */
            at += *at == '\\';
            *end++ = *at;
        }
        *end = 0;
        n_pieces++;
        if (dn_csv_split_open(&r, token, paths, 2, &options, NULL, err) != DN_OK) {
            assert_null(r);
            rows = -1;
            break;
        }
        const int64_t n = drain(r, err);
        rows = n < 0 ? -1 : rows + n;
    }
    dn_csv_free(json);
    assert_true(rows < 0 || n_pieces > 5);
    return rows;
}

static void fail_each(int64_t (*read)(uint32_t n_threads, struct dn_error *err), uint32_t n_threads,
                      int64_t expected)
{
    uint64_t n = 1;
    int failed = 0;

    for (;; n++) {
        struct dn_error err = {0};
        dn_memory_fail_at(n);
        const int64_t rows = read(n_threads, &err);
        const uint64_t counted = dn_memory_fail_at(0);
        if (rows >= 0) {
            assert_int_equal(rows, expected);
            if (counted < n) {
                break; /* the n-th allocation was never asked for */
            }
            continue; /* a failure the reader can do without, such as counting lines for a message */
        }
        failed++;
        assert_int_equal(err.code, DN_ERR_MEMORY);
        assert_true(strlen(err.message) > 0);
    }
    assert_true(failed > 20);
}

static void fail_each_allocation(uint32_t n_threads)
{
    fail_each(read_rows, n_threads, 40);
}

static void test_fail_each_allocation_of_pieces(void **state)
{
    (void)state;
    for (uint32_t threads = SCRATCH_THREAD_SANITIZED ? 2 : 1; threads <= 2; threads++) {
        fail_each(read_pieces, threads, 80);
    }
}

static void test_fail_each_allocation_one_thread(void **state)
{
    (void)state;
    if (SCRATCH_THREAD_SANITIZED) {
        skip(); /* it has one thread */
    }
    fail_each_allocation(1);
}

static void test_fail_each_allocation_two_threads(void **state)
{
    (void)state;
    fail_each_allocation(2);
}

static void test_fail_each_allocation_of_packed_files(void **state)
{
    static size_t (*const ways[])(uint8_t *, size_t, uint8_t *,
                                  size_t) = {pack_gzip, pack_zstd, pack_bzip2, pack_xz, widen};

    /* each is unpacked by the thread that reads ahead */
    for (size_t i = 0; i < (SCRATCH_THREAD_SANITIZED ? 1 : sizeof(ways) / sizeof(ways[0])); i++) {
        (void)make_file(state);
        store(ways[i]);
        fail_each_allocation(1);
    }
    (void)make_file(state);
}

/* Closing in the middle, with batches still held, leaves the batches whole. */
static void test_batches_outlive_the_reader(void **state)
{
    const char *paths[] = {path};
    struct dn_csv_options options = {.struct_size = sizeof(options), .block_bytes = 200};
    struct dn_csv_reader *r = NULL;
    struct ArrowArray held[3];

    (void)state;
    assert_int_equal(dn_csv_reader_open(&r, paths, 1, &options, NULL), DN_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(dn_csv_reader_next(r, &held[i], NULL), DN_OK);
        assert_non_null(held[i].release);
    }
    dn_csv_reader_close(r);
    int64_t expected = 0;
    for (int i = 0; i < 3; i++) {
        const int64_t *ids = held[i].children[0]->buffers[1];
        for (int64_t k = 0; k < held[i].length; k++) {
            assert_int_equal(ids[k], expected++);
        }
        held[i].release(&held[i]);
    }
}

static void test_cancel(void **state)
{
    const char *paths[] = {path};
    struct dn_csv_options options = {.struct_size = sizeof(options), .block_bytes = 1};
    struct dn_csv_reader *r = NULL;
    struct ArrowArray batch;
    struct dn_error err = {0};
    enum dn_status st = DN_OK;

    (void)state;
    assert_int_equal(dn_csv_reader_open(&r, paths, 1, &options, NULL), DN_OK);
    dn_csv_reader_cancel(r);
    while (st == DN_OK) {
        st = dn_csv_reader_next(r, &batch, &err);
        if (st == DN_OK) {
            assert_non_null(batch.release);
            batch.release(&batch);
        }
    }
    assert_int_equal(st, DN_ERR_CANCELLED);
    dn_csv_reader_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fail_each_allocation_one_thread),
        cmocka_unit_test(test_fail_each_allocation_two_threads),
        cmocka_unit_test(test_fail_each_allocation_of_packed_files),
        cmocka_unit_test(test_fail_each_allocation_of_pieces),
        cmocka_unit_test(test_batches_outlive_the_reader),
        cmocka_unit_test(test_cancel),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
