/* What a writer of Level 0 makes once and what for every batch: threads and compressors live as long as the handle, and leave no trace in its files. */
#include "faults.h"

#include "base/memory.h"
#include "base/thread.h"
#include "codec/codec.h"

#include <dirent.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>

enum {
    N_BATCHES = 20,
    N_ROWS = 3000,
    N_THREADS = 3,
    N_STARTED = N_THREADS /* the calling thread is one of them; and there is the one that writes */
};

static atomic_int n_threads_started;
static int fails_at; /* the number of the thread that the system refuses; 0: none */
static atomic_int n_compressors_made;
static char dir[256];
static char text[512 << 10];

int __real_dn_thread_start(pthread_t *out, const char *name, void *(*body)(void *), void *arg);
int __wrap_dn_thread_start(pthread_t *out, const char *name, void *(*body)(void *), void *arg);
int __wrap_dn_thread_start(pthread_t *out, const char *name, void *(*body)(void *), void *arg)
{
    if (n_threads_started + 1 == fails_at) {
        return EAGAIN;
    }
    n_threads_started++;
    return __real_dn_thread_start(out, name, body, arg);
}

enum dn_status __real_dn_compressor_create(struct dn_compressor **out, enum dn_codec_id id,
                                           int32_t level, struct dn_error *err);
enum dn_status __wrap_dn_compressor_create(struct dn_compressor **out, enum dn_codec_id id,
                                           int32_t level, struct dn_error *err);
enum dn_status __wrap_dn_compressor_create(struct dn_compressor **out, enum dn_codec_id id,
                                           int32_t level, struct dn_error *err)
{
    n_compressors_made++;
    return __real_dn_compressor_create(out, id, level, err);
}

static int setup(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof(dir), "%s/batches-XXXXXX", DN_TEST_TMP);
    return mkdtemp(dir) == NULL ? -1 : 0;
}

static void remove_files(void)
{
    char path[600];
    DIR *list = opendir(dir);
    for (struct dirent *e = list == NULL ? NULL : readdir(list); e != NULL; e = readdir(list)) {
        (void)snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
        (void)unlink(path);
    }
    if (list != NULL) {
        (void)closedir(list);
    }
}

static int teardown(void **state)
{
    (void)state;
    remove_files();
    return rmdir(dir);
}

/* Numbers and texts of which dictionaries are given up and others kept, in several row groups. */
static const char *batch_text(int batch)
{
    size_t n = (size_t)snprintf(text, sizeof(text), "{\"file_counter\":%d,\"records\":[", batch);
    for (int i = 0; i < N_ROWS; i++) {
        const int v = batch * N_ROWS + i;
        n += (size_t)snprintf(text + n, sizeof(text) - n,
                              "%s{\"id\":%d,\"x\":%d.%02d,\"kind\":\"k%d\",\"day\":\"2024-%02d-%"
                              "02d\",\"note\":\"note "
                              "number %u of %d\"}",
                              i > 0 ? "," : "", v, v % 97, v % 89, v % 7, 1 + v % 12, 1 + v % 28,
                              (unsigned)v * 2654435761u, batch);
    }
    (void)snprintf(text + n, sizeof(text) - n, "]}");
    return text;
}

static void *open_writer(const char *codec)
{
    char config[1024];
    (void)snprintf(config, sizeof(config),
                   "{\"asset_name\":\"t\",\"output_base\":\"%s\",\"engine\":{\"options\":{"
                   "\"compression\":\"%s\",\"row_group_size\":1000,\"n_threads\":%d}},\"schema\":["
                   "{\"name\":\"id\",\"type\":\"integer\"},{\"name\":\"x\",\"type\":\"double\"},"
                   "{\"name\":\"kind\",\"type\":\"string\"},{\"name\":\"day\",\"type\":\"date\"},"
                   "{\"name\":\"note\",\"type\":\"string\"}]}",
                   dir, codec, N_THREADS);
    return create_writer(config);
}

static void write_one(void *writer, int batch)
{
    const char *answer = write_batch(writer, batch_text(batch));
    if (is_error_text(answer)) {
        fail_msg("%s", answer);
    }
    free_string(answer);
}

static char *read_file(int batch, size_t *len)
{
    char path[600];
    struct stat info;
    (void)snprintf(path, sizeof(path), "%s/t_%06d.parquet", dir, batch);
    assert_int_equal(stat(path, &info), 0);
    char *bytes = malloc((size_t)info.st_size);
    FILE *f = fopen(path, "rb");
    assert_true(bytes != NULL && f != NULL);
    *len = fread(bytes, 1, (size_t)info.st_size, f);
    assert_int_equal(*len, info.st_size);
    (void)fclose(f);
    return bytes;
}

static void check_codec(const char *codec, bool has_compressors)
{
    const int batches[] = {0, 7, N_BATCHES - 1};
    char *bytes[3];
    size_t lens[3];

    n_threads_started = 0;
    n_compressors_made = 0;
    void *writer = open_writer(codec);
    for (int i = 0; i < N_BATCHES; i++) {
        write_one(writer, i);
        assert_int_equal(n_threads_started, N_STARTED);
    }
    free_writer(writer);
    assert_true(n_compressors_made <= (has_compressors ? N_THREADS : 0));
    assert_true(n_compressors_made >= has_compressors);
    for (int i = 0; i < 3; i++) {
        bytes[i] = read_file(batches[i], &lens[i]);
    }
    remove_files();
    for (int i = 0; i < 3; i++) { /* by writers that have written nothing before */
        size_t len = 0;
        writer = open_writer(codec);
        write_one(writer, batches[i]);
        free_writer(writer);
        char *alone = read_file(batches[i], &len);
        assert_int_equal(len, lens[i]);
        assert_memory_equal(alone, bytes[i], len);
        free(alone);
        free(bytes[i]);
        remove_files();
    }
}

static void test_made_once(void **state)
{
    (void)state;
    check_codec("snappy", true);
    check_codec("zstd", true);
    check_codec("gzip", true);
    check_codec("none", false);
}

static int n_threads_now(void)
{
    int n = 0;
    DIR *list = opendir("/proc/self/task");
    assert_non_null(list);
    for (struct dirent *e = readdir(list); e != NULL; e = readdir(list)) {
        n += e->d_name[0] != '.';
    }
    (void)closedir(list);
    return n;
}

/* Whichever thread is refused: the error has the advice, and nothing of what was made before is left. */
static void test_threads_refused(void **state)
{
    const int before = n_threads_now();

    (void)state;
    for (fails_at = 1; fails_at <= N_STARTED; fails_at++) {
        n_threads_started = 0;
        void *writer = open_writer("zstd");
        const char *answer = write_batch(writer, batch_text(0));
        assert_error_text(answer);
        assert_non_null(strstr(answer, "ulimit -u"));
        free_string(answer);
        free_writer(writer);
        assert_int_equal(n_threads_now(), before);
    }
    fails_at = 0;
}

/* Two handles at once have nothing in common. */
static void test_two_writers(void **state)
{
    (void)state;
    n_threads_started = 0;
    void *one = open_writer("zstd");
    void *other = open_writer("zstd");
    for (int i = 0; i < 6; i++) {
        write_one(i % 2 == 0 ? one : other, i);
    }
    assert_int_equal(n_threads_started, 2 * N_STARTED);
    free_writer(one);
    write_one(other, 6);
    free_writer(other);
    assert_int_equal(n_threads_started, 2 * N_STARTED);
}

/* Without a batch nothing is made. */
static void test_none(void **state)
{
    (void)state;
    n_threads_started = 0;
    free_writer(open_writer("zstd"));
    assert_int_equal(n_threads_started, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_made_once),
        cmocka_unit_test(test_two_writers),
        cmocka_unit_test(test_threads_refused),
        cmocka_unit_test(test_none),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
