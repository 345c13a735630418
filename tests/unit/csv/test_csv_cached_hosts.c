/* Files in the page cache on threads of hosts: that run tasks at once, refuse some or all; and readers that are closed while tasks read. */
#include "base/pool.h"
#include "csv_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/uio.h>
#include <unistd.h>

/* The head of the first file is read on opening, whoever reads: the second one is the long one. */
static const char *paths[2];

/* How much of the file is in the page cache: nothing, all, or all but every so many-th time that somebody asks. */
static int misses;
#define NOTHING 1
#define ALL 0
static _Atomic uint32_t n_asked;
static _Atomic uint32_t n_there;

static ssize_t read_cached(int fd, const struct iovec *to, off_t at)
{
    const uint32_t number = atomic_fetch_add(&n_asked, 1) + 1;

    if (misses != ALL && number % (uint32_t)misses == 0) {
        if (misses == NOTHING || number % 2 == 0) {
            errno = EAGAIN;
            return -1;
        }
        return pread(fd, to->iov_base, to->iov_len / 2, at); /* the rest is not there */
    }
    atomic_fetch_add(&n_there, 1);
    return pread(fd, to->iov_base, to->iov_len, at);
}

/* In place of the C library's, under both names that it has. */
ssize_t preadv2(int fd, const struct iovec *to, int n, off_t at, int flags);
ssize_t preadv64v2(int fd, const struct iovec *to, int n, off_t at, int flags);

ssize_t preadv2(int fd, const struct iovec *to, int n, off_t at, int flags)
{
    (void)flags;
    assert_int_equal(n, 1);
    return read_cached(fd, to, at);
}

ssize_t preadv64v2(int fd, const struct iovec *to, int n, off_t at, int flags)
{
    return preadv2(fd, to, n, at, flags);
}

/* Threads of a host: where a task runs, by its number. */
enum place {
    ON_A_THREAD,
    AT_ONCE, /* where it is submitted */
    NOWHERE  /* it is refused */
};

struct host {
    struct dn_executor threads;
    enum place places[3];
    _Atomic uint32_t n_tasks;
};

static int32_t submit(void *ctx, void (*fn)(void *arg), void *arg)
{
    struct host *h = ctx;

    switch (h->places[atomic_fetch_add(&h->n_tasks, 1) % 3]) {
    case AT_ONCE:
        fn(arg);
        return 0;
    case NOWHERE:
        return -1;
    default:
        return h->threads.submit(h->threads.ctx, fn, arg);
    }
}

/* One thread, of which the reader thinks that there are `n_threads`. */
static void read_on_host(struct dn_csv_options o, const enum place places[3],
                         struct rig_result *out)
{
    struct dn_pool *pool = NULL;
    struct host host = {0};

    assert_int_equal(dn_pool_create(&pool, 1, NULL), DN_OK);
    host.threads = dn_pool_executor(pool);
    memcpy(host.places, places, sizeof(host.places));
    o.submit = submit;
    o.submit_ctx = &host;
    rig_read(paths, 2, &o, true, out);
    dn_pool_destroy(pool);
}

static void expect_same(const struct rig_result *want, struct rig_result *got)
{
    assert_int_equal(got->status, want->status);
    if (want->status != DN_OK) {
        assert_string_equal(got->error.message, want->error.message);
    } else {
        assert_int_equal(got->n_rows, want->n_rows);
        assert_string_equal(got->rows.data, want->rows.data);
    }
    rig_free(got);
}

/* However much is in the cache, whoever runs the tasks. */
static void expect_same_everywhere(struct dn_csv_options o)
{
    static const int all_misses[] = {ALL, 13, 40};
    static const enum place hosts[][3] = {{ON_A_THREAD, ON_A_THREAD, ON_A_THREAD},
                                          {AT_ONCE, AT_ONCE, AT_ONCE},
                                          {NOWHERE, NOWHERE, NOWHERE},
                                          {ON_A_THREAD, AT_ONCE, NOWHERE}};
    struct rig_result want;
    struct rig_result got;

    misses = NOTHING;
    rig_read(paths, 2, &o, true, &want);
    for (size_t i = 0; i < sizeof(all_misses) / sizeof(all_misses[0]); i++) {
        misses = all_misses[i];
        for (o.n_threads = 1; o.n_threads <= 5; o.n_threads += 2) {
            rig_read(paths, 2, &o, true, &got);
            expect_same(&want, &got);
            for (size_t h = 0; h < sizeof(hosts) / sizeof(hosts[0]); h++) {
                read_on_host(o, hosts[h], &got);
                expect_same(&want, &got);
            }
        }
    }
    rig_free(&want);
}

/* Quoted row ends, a long row in the middle, NULs at a block's end, and padding; `last` is behind that. */
static void make_files(const char *row_end, const char *last)
{
    struct rig_text text = {0};
    char row[96];

    rig_append(&text, row, (size_t)snprintf(row, sizeof(row), "a,b,c%s", row_end));
    rig_append(&text, row, (size_t)snprintf(row, sizeof(row), "0,x,y%s", row_end));
    scratch_write(paths[0], text.data, text.len);
    text.len = strlen("a,b,c") + strlen(row_end);
    for (int i = 0; i < 300; i++) {
        const int n = snprintf(row, sizeof(row), "%d,\"x%s\"\"%d\",y%d%s", i,
                               i % 3 == 0 ? row_end : "", i, i * i, row_end);
        rig_append(&text, row, (size_t)n);
        if (i == 200) {
            rig_append(&text, "1,\"", 3);
            rig_fill(&text, "long row\n", 3000);
            rig_append(&text, "\",", 2);
            rig_append(&text, "\0\0\0", 3);
            rig_append(&text, row_end, strlen(row_end));
        }
    }
    rig_append(&text, last, strlen(last));
    rig_append(&text, "\x1a\0\0\0", 4);
    scratch_write(paths[1], text.data, text.len);
    free(text.data);
}

static void test_rows(void **state)
{
    static const char *const row_ends[] = {"\n", "\r\n", "\r"};
    static const size_t blocks[] = {61, 256};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        make_files(row_ends[i], "");
        for (size_t k = 0; k < sizeof(blocks) / sizeof(blocks[0]); k++) {
            struct dn_csv_options o = rig_options();
            o.block_bytes = blocks[k];
            expect_same_everywhere(o);
        }
        struct dn_csv_options some = rig_options();
        some.block_bytes = 64;
        some.has_limit = true;
        some.limit = 250;
        expect_same_everywhere(some);
    }
#ifdef __linux__
    assert_true(n_there > 1000);
#endif
}

static void test_errors(void **state)
{
    struct dn_csv_options o = rig_options();

    (void)state;
    o.block_bytes = 64;
    make_files("\n", "1,2\n1,2,3\n");
    expect_same_everywhere(o);
    make_files("\n", "1,\"never closed\n1,2,3\n");
    expect_same_everywhere(o);
}

/* Whoever closes a reader does so while tasks read. */
static void test_closing(void **state)
{
    (void)state;
    make_files("\n", "");
    for (int i = 0; i < 60; i++) {
        struct dn_csv_options o = rig_options();
        struct dn_csv_reader *r = NULL;
        struct ArrowArray batch;
        o.block_bytes = 64;
        o.n_threads = (uint32_t)(1 + i % 5);
        misses = i % 2 == 0 ? ALL : 7;
        assert_int_equal(dn_csv_reader_open(&r, paths, 2, &o, NULL), DN_OK);
        for (int k = 0; k < i; k++) {
            assert_int_equal(dn_csv_reader_next(r, &batch, NULL), DN_OK);
            batch.release(&batch);
        }
        if (i % 3 == 0) {
            dn_csv_reader_cancel(r);
        }
        dn_csv_reader_close(r);
    }
}

static int make_dir(void **state)
{
    static char names[2][600];

    (void)rig_make_dir(state);
    for (int i = 0; i < 2; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "%s/%d.csv", rig_dir, i);
        paths[i] = names[i];
    }
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_closing),
    };

    return cmocka_run_group_tests(tests, make_dir, rig_remove_dir);
}
