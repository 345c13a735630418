/** Every allocation, every write and every fsync of a sink and a source fails once, in turn. */
#include "base/memory.h"
#include "store/glob.h"
#include "store/sink.h"
#include "store/source.h"
#include "store/url.h"

#include "scratch_dir.h"

#include <errno.h>
#include <sys/stat.h>

static size_t count_open_files(void)
{
    return scratch_count("/proc/self/fd");
}

/* A whole life of a sink of nine bytes and `more`, with folders to make.  *committed tells how far it got. */
static enum dn_status live_long(const char *path, bool overwrite, struct dn_span more,
                                bool *committed, struct dn_error *err)
{
    struct dn_sink *s = NULL;
    enum dn_status st = DN_OK;

    *committed = false;
    DN_TRY(dn_sink_open(&s, path, overwrite, NULL, NULL, err));
    DN_TRY_GOTO(st, dn_sink_write(s, "new ", 4, err), cleanup);
    DN_TRY_GOTO(st, dn_sink_write(s, "bytes", 5, err), cleanup);
    DN_TRY_GOTO(st, dn_sink_write(s, more.data, more.len, err), cleanup);
    DN_TRY_GOTO(st, dn_sink_finish(s, err), cleanup);
    *committed = true;
    DN_TRY_GOTO(st, dn_sink_commit(s, err), cleanup);
cleanup:
    dn_sink_close(s);
    return st;
}

static enum dn_status live(const char *path, bool overwrite, bool *committed, struct dn_error *err)
{
    return live_long(path, overwrite, (struct dn_span){0}, committed, err);
}

/* Returns the allocations of a file of nine bytes and `more`, each of which has failed. */
static uint64_t fail_allocations(const char *name, struct dn_span more)
{
    for (uint64_t n = 1;; n++) {
        struct dn_error err;
        bool committed = false;
        size_t n_open = count_open_files();
        char folder[600];
        char path[1024];

        (void)snprintf(folder, sizeof(folder), "%s/%s%d/b", dir, name, (int)n);
        (void)snprintf(path, sizeof(path), "%s/out", folder);
        dn_memory_fail_at(n);
        enum dn_status st = live_long(path, false, more, &committed, &err);
        uint64_t counted = dn_memory_fail_at(0);
        assert_int_equal(count_open_files(), n_open);
        if (counted < n) {
            struct stat info;
            assert_int_equal(st, DN_OK);
            assert_int_equal(stat(path, &info), 0);
            assert_int_equal(info.st_size, 9 + more.len);
            return n - 1;
        }
        assert_int_equal(st, DN_ERR_MEMORY);
        if (access(folder, F_OK) == 0) {
            assert_int_equal(scratch_count(folder), 0); /* neither the file nor a temporary one */
        }
    }
}

static void test_allocations_of_a_sink(void **state)
{
    static uint8_t bytes[5 << 20];
    (void)state;
    const uint64_t n = fail_allocations("a", (struct dn_span){0});

    assert_true(n > 3); /* the sink, its path, its folder, the folders to make */
    for (size_t len = 60 << 10; len < sizeof(bytes);
         len *= 3) { /* a file that grows has a larger block */
        const struct dn_span more = {bytes, len};
        char name[32];
        (void)snprintf(name, sizeof(name), "long%zu-", len);
        const uint64_t larger = n + (len > 64 << 10 ? 1 : 0);
        /* and one of large pages behind the first full one, where the file system takes writes past its cache */
        const uint64_t most = larger + (len > 4 << 20 ? 1 : 0);
        assert_in_range(fail_allocations(name, more), larger, most);
    }
}

static void test_writes_and_syncs_of_a_new_file(void **state)
{
    (void)state;
    uint64_t n = 1;

    for (;; n++) {
        struct dn_error err;
        bool reached_commit = false;
        size_t n_open = count_open_files();
        char path[1024];
        char folder[600];
        char bytes[16];

        (void)snprintf(folder, sizeof(folder), "%s/w%d/b", dir, (int)n);
        (void)snprintf(path, sizeof(path), "%s/out", folder);
        dn_sink_fail_at(n, ENOSPC);
        enum dn_status st = live(path, false, &reached_commit, &err);
        uint64_t counted = dn_sink_fail_at(0, 0);
        assert_int_equal(count_open_files(), n_open);
        if (counted < n) {
            assert_int_equal(st, DN_OK);
            assert_int_equal(scratch_read(path, bytes, sizeof(bytes)), 9);
            assert_int_equal(scratch_count(folder), 1);
            break;
        }
        assert_int_equal(st, DN_ERR_IO);
        assert_int_equal(err.os_errno, ENOSPC);
        assert_non_null(strstr(err.message, "w"));
        assert_non_null(strstr(err.message, "No space left on device"));
        assert_string_equal(err.path, path);
        if (reached_commit) { /* the folder's fsync failed: the file is whole and there */
            assert_int_equal(scratch_read(path, bytes, sizeof(bytes)), 9);
            assert_memory_equal(bytes, "new bytes", 9);
            assert_int_equal(scratch_count(folder), 1);
        } else if (access(folder, F_OK) == 0) {
            assert_int_equal(scratch_count(folder), 0); /* neither the file nor a temporary one */
        }
    }
    assert_int_equal(n - 1, 5); /* two folders' parents, the write, the file, its folder */
}

static void test_writes_and_syncs_of_a_replacement(void **state)
{
    (void)state;
    char path[1024];
    char bytes[16];
    uint64_t n = 1;

    (void)snprintf(path, sizeof(path), "%s/out", dir);
    for (;; n++) {
        struct dn_error err;
        bool reached_commit = false;

        scratch_write(path, "old", 3);
        dn_sink_fail_at(n, EIO);
        enum dn_status st = live(path, true, &reached_commit, &err);
        uint64_t counted = dn_sink_fail_at(0, 0);
        assert_int_equal(scratch_count(dir), 1);
        ssize_t len = scratch_read(path, bytes, sizeof(bytes));
        if (counted < n) {
            assert_int_equal(st, DN_OK);
            assert_int_equal(len, 9);
            break;
        }
        assert_int_equal(st, DN_ERR_IO);
        assert_int_equal(err.os_errno, EIO);
        assert_int_equal(len, reached_commit ? 9 : 3); /* all of one or all of the other */
    }
    assert_int_equal(n - 1, 3);
}

static void test_full_disk_message(void **state)
{
    (void)state;
    struct dn_sink *s = NULL;
    struct dn_error err;
    const char *path = scratch_path(dir, "out");
    static char bytes[(9 << 20) + 1000];

    assert_int_equal(dn_sink_open(&s, path, false, NULL, NULL, NULL), DN_OK);
    dn_sink_fail_at(2, ENOSPC);
    assert_int_equal(dn_sink_write(s, bytes, sizeof(bytes), &err), DN_ERR_IO);
    dn_sink_fail_at(0, 0);
    assert_non_null(strstr(err.message, path));
    assert_non_null(strstr(err.message, "4194304 more bytes"));
    assert_non_null(strstr(err.message, "first 4194304 bytes"));
    assert_non_null(strstr(err.message, "bytes are free"));
    assert_int_equal(dn_sink_finish(s, &err), DN_ERR_INVALID);
    assert_non_null(strstr(err.message, "earlier step failed"));
    dn_sink_close(s);
    assert_int_equal(scratch_count(dir), 0);
}

static void test_interrupted_calls_are_repeated(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= 3; n++) {
        bool reached_commit = false;
        char bytes[16];
        const char *path = scratch_path(dir, "out");

        dn_sink_fail_at(n, EINTR);
        assert_int_equal(live(path, true, &reached_commit, NULL), DN_OK);
        assert_int_equal(dn_sink_fail_at(0, 0), 4); /* three calls and the repetition */
        assert_int_equal(scratch_read(path, bytes, sizeof(bytes)), 9);
        assert_memory_equal(bytes, "new bytes", 9);
    }
}

static void test_folders_that_cannot_be_synced(void **state)
{
    (void)state;
    bool reached_commit = false;

    dn_sink_fail_at(3, EINVAL); /* some file systems answer this for folders */
    assert_int_equal(live(scratch_path(dir, "out"), false, &reached_commit, NULL), DN_OK);
    assert_int_equal(dn_sink_fail_at(0, 0), 3);
}

static void test_allocations_of_a_source(void **state)
{
    (void)state;
    const char *path = scratch_path(dir, "in");
    size_t n_open = count_open_files();
    uint64_t n = 1;

    scratch_write(path, "x", 1);
    for (;; n++) {
        struct dn_source *s = NULL;
        struct dn_error err;
        dn_memory_fail_at(n);
        enum dn_status st = dn_source_open(&s, path, NULL, NULL, &err);
        uint64_t counted = dn_memory_fail_at(0);
        if (counted < n) {
            assert_int_equal(st, DN_OK);
            dn_source_close(s);
            break;
        }
        assert_int_equal(st, DN_ERR_MEMORY);
        assert_null(s);
    }
    assert_in_range(n, 3, 16); /* the source, its name, and what the name means */
    assert_int_equal(count_open_files(), n_open);
}

static void test_allocations_of_names(void **state)
{
    static const char *const names[] = {"a/b.csv", "file:///a%20b", "s3://bucket/a/b",
                                        "https://h/caf\xc3\xa9?q#f", "-"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        for (uint64_t n = 1;; n++) {
            struct dn_url url;
            dn_memory_fail_at(n);
            const enum dn_status st = dn_url_parse(&url, names[i], NULL);
            const uint64_t counted = dn_memory_fail_at(0);
            if (counted < n) {
                assert_int_equal(st, DN_OK);
                dn_url_finish(&url);
                break;
            }
            assert_int_equal(st, DN_ERR_MEMORY);
            assert_null(url.path);
            assert_null(url.bucket);
            assert_null(url.shown);
        }
    }
}

static enum dn_status find_files(struct dn_file_list *files, struct dn_error *err)
{
    size_t n_left_out = 0;

    DN_TRY(dn_glob_add(files, scratch_path(dir, "**/*.csv"), NULL, NULL, err));
    DN_TRY(dn_glob_add(files, scratch_path(dir, "d/[ab].csv"), NULL, NULL, err));
    DN_TRY(dn_glob_add(files, dir, NULL, NULL, err));
    return dn_file_list_once(files, &n_left_out, err);
}

static void test_allocations_of_patterns(void **state)
{
    const size_t n_open = count_open_files();
    uint64_t n = 1;

    (void)state;
    assert_int_equal(mkdir(scratch_path(dir, "d"), 0777), 0);
    assert_int_equal(mkdir(scratch_path(dir, "d/e"), 0777), 0);
    scratch_write(scratch_path(dir, "d/a.csv"), "x", 1);
    scratch_write(scratch_path(dir, "d/e/b.csv"), "x", 1);
    for (;; n++) {
        struct dn_file_list files = {0};
        struct dn_error err;
        dn_memory_fail_at(n);
        const enum dn_status st = find_files(&files, &err);
        const uint64_t counted = dn_memory_fail_at(0);
        assert_int_equal(count_open_files(), n_open);
        assert_true(st == DN_ERR_MEMORY || files.n == 2);
        dn_file_list_finish(&files);
        if (counted < n) {
            assert_int_equal(st, DN_OK);
            break;
        }
        assert_int_equal(st, DN_ERR_MEMORY);
    }
    assert_true(n > 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_allocations_of_a_sink, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_writes_and_syncs_of_a_new_file, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_writes_and_syncs_of_a_replacement, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(test_full_disk_message, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_interrupted_calls_are_repeated, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_folders_that_cannot_be_synced, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_allocations_of_a_source, make_dir, remove_dir),
        cmocka_unit_test(test_allocations_of_names),
        cmocka_unit_test_setup_teardown(test_allocations_of_patterns, make_dir, remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
