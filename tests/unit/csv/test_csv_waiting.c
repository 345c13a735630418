/* Waits for bytes that do not come: any of the ways to ask ends them, and the threads of the caller never wait. */
#include "dativo/csv.h"

#include "base/clock.h"
#include "base/pool.h"
#include "scratch.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#define SOON 60.0 /* seconds in which every wait has to end: at once, but the machine may be busy */
#define FED ((size_t)3 << 20)
#define STALLED_AT ((off_t)2 << 20) /* behind what is looked at for the types */

static char dir[512];
static char pipe_path[600];
static char file_path[600];
static char *text; /* FED bytes of rows */

/* ---- a file whose disk does not answer ---- */

static _Atomic bool stalls; /* read() of `file_path` waits at STALLED_AT */

static bool is_file(int fd)
{
    struct stat wanted;
    struct stat info;

    return fstat(fd, &info) == 0 && stat(file_path, &wanted) == 0 && info.st_ino == wanted.st_ino &&
           info.st_dev == wanted.st_dev;
}

ssize_t read(int fd, void *buf, size_t size)
{
    while (atomic_load(&stalls) && is_file(fd) && lseek(fd, 0, SEEK_CUR) >= STALLED_AT) {
        (void)usleep(1000);
    }
    return syscall(SYS_read, fd, buf, size);
}

static int setup(void **state)
{
    (void)state;
    scratch_make(dir);
    text = malloc(FED);
    assert_non_null(text);
    memcpy(text, "a,b\n", 4);
    for (size_t i = 4; i < FED; i += 4) {
        memcpy(text + i, "1,2\n", 4);
    }
    (void)snprintf(pipe_path, sizeof(pipe_path), "%s", scratch_path(dir, "pipe"));
    (void)snprintf(file_path, sizeof(file_path), "%s", scratch_path(dir, "file"));
    scratch_write(file_path, text, FED);
    (void)signal(SIGPIPE, SIG_IGN);
    return mkfifo(pipe_path, 0666);
}

static int teardown(void **state)
{
    (void)state;
    scratch_remove(dir);
    free(text);
    return 0;
}

/* ---- who writes into the pipe, and who asks to stop ---- */

struct world {
    size_t fed; /* bytes that are written, and then nothing */
    pthread_t writer;
    _Atomic bool over;
    _Atomic bool left;                    /* the writer is done with the pipe */
    struct dn_csv_reader *_Atomic reader; /* set: cancel it */
    pthread_t canceller;
    _Atomic int asked; /* of cancelled() */
    _Atomic bool stop; /* its answer */
    _Atomic int told;  /* of waiting() */
    _Atomic bool opened;
};

static void *feed(void *arg)
{
    struct world *w = arg;
    const int fd = open(pipe_path, O_WRONLY | O_CLOEXEC);

    for (size_t at = 0; at < w->fed;) {
        const ssize_t n = write(fd, text + at, w->fed - at);
        if (n <= 0) {
            break;
        }
        at += (size_t)n;
    }
    while (!atomic_load(&w->over)) {
        (void)usleep(1000);
    }
    (void)close(fd);
    atomic_store(&w->left, true);
    return NULL;
}

static void world_start(struct world *w, size_t fed)
{
    *w = (struct world){.fed = fed};
    assert_int_equal(pthread_create(&w->writer, NULL, feed, w), 0);
}

static void world_end(struct world *w)
{
    atomic_store(&w->over, true);
    /* a feeder that still waits to open goes on, and then, as one that waits to write, finds that nobody reads */
    while (!atomic_load(&w->left)) {
        const int fd = open(pipe_path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        assert_true(fd >= 0);
        (void)close(fd);
        (void)usleep(1000);
    }
    assert_int_equal(pthread_join(w->writer, NULL), 0);
}

static void *cancel_later(void *arg)
{
    struct world *w = arg;

    (void)usleep(200 * 1000);
    dn_csv_reader_cancel(atomic_load(&w->reader));
    return NULL;
}

static int32_t cancelled(void *ctx)
{
    struct world *w = ctx;

    atomic_fetch_add(&w->asked, 1);
    return atomic_load(&w->stop);
}

static void on_waiting(void *ctx)
{
    struct world *w = ctx;

    atomic_fetch_add(&w->told, 1);
}

static enum dn_status read_all(struct dn_csv_reader *r, struct dn_error *err)
{
    for (;;) {
        struct ArrowArray batch;
        const enum dn_status st = dn_csv_reader_next(r, &batch, err);
        if (st != DN_OK || batch.release == NULL) {
            return st;
        }
        batch.release(&batch);
    }
}

/* ---- pipes ---- */

static void test_cancel_from_another_thread(void **state)
{
    const char *const paths[] = {pipe_path};
    const struct dn_csv_options o = {.struct_size = sizeof(o), .n_threads = 2};
    struct dn_csv_reader *r = NULL;
    struct dn_error err;
    struct world w;

    (void)state;
    world_start(&w, FED);
    assert_int_equal(dn_csv_reader_open(&r, paths, 1, &o, &err), DN_OK);
    atomic_store(&w.reader, r);
    assert_int_equal(pthread_create(&w.canceller, NULL, cancel_later, &w), 0);
    const double start = dn_clock_seconds();
    assert_int_equal(read_all(r, &err), DN_ERR_CANCELLED);
    assert_true(dn_clock_seconds() - start < SOON);
    assert_non_null(strstr(err.message, "stopped on request"));
    assert_int_equal(read_all(r, &err), DN_ERR_CANCELLED); /* for good */
    assert_int_equal(pthread_join(w.canceller, NULL), 0);
    dn_csv_reader_close(r);
    world_end(&w);
}

static void *stop_later(void *arg)
{
    struct world *w = arg;

    /* it waits by now: the host was asked again, and where all rows came it was told, too */
    while (atomic_load(&w->asked) < 2 ||
           (w->fed == FED && (!atomic_load(&w->opened) || atomic_load(&w->told) == 0))) {
        (void)usleep(1000);
    }
    (void)usleep(200 * 1000);
    atomic_store(&w->stop, true);
    return NULL;
}

/* The host's own wish, asked for while opening (nothing or too little has come) and while reading. */
static void test_the_host_is_asked(void **state)
{
    static const size_t fed[] = {0, 8, FED};
    const char *const paths[] = {pipe_path};

    (void)state;
    for (size_t i = 0; i < sizeof(fed) / sizeof(fed[0]); i++) {
        struct world w;
        struct dn_csv_reader *r = NULL;
        struct dn_error err;
        world_start(&w, fed[i]);
        const struct dn_csv_options o = {.struct_size = sizeof(o),
                                         .n_threads = 2,
                                         .cancelled = cancelled,
                                         .cancel_ctx = &w,
                                         .waiting = on_waiting,
                                         .waiting_ctx = &w};
        assert_int_equal(pthread_create(&w.canceller, NULL, stop_later, &w), 0);
        const double start = dn_clock_seconds();
        enum dn_status st = dn_csv_reader_open(&r, paths, 1, &o, &err);
        assert_int_equal(st, fed[i] == FED ? DN_OK : DN_ERR_CANCELLED);
        if (st == DN_OK) {
            atomic_store(&w.opened, true);
            assert_int_equal(read_all(r, &err), DN_ERR_CANCELLED);
            assert_true(atomic_load(&w.told) > 0);
        }
        assert_true(dn_clock_seconds() - start < SOON);
        assert_true(atomic_load(&w.asked) > 1);
        dn_csv_reader_close(r);
        assert_int_equal(pthread_join(w.canceller, NULL), 0);
        world_end(&w);
    }
}

static void note_ran(void *arg)
{
    atomic_store((_Atomic bool *)arg, true);
}

/* Threads that the caller lends stay free for other work while the pipe is idle; and closing does not wait for it. */
static void test_lent_threads_do_not_wait(void **state)
{
    const char *const paths[] = {pipe_path};
    struct dn_csv_reader *r = NULL;
    struct ArrowArray batch;
    struct dn_error err;
    struct dn_pool *pool = NULL;
    struct world w;
    _Atomic bool ran = false;

    (void)state;
    assert_int_equal(dn_pool_create(&pool, 1, &err), DN_OK);
    const struct dn_executor x = dn_pool_executor(pool);
    const struct dn_csv_options o = {
        .struct_size = sizeof(o), .n_threads = 1, .submit = x.submit, .submit_ctx = x.ctx};
    world_start(&w, FED);
    assert_int_equal(dn_csv_reader_open(&r, paths, 1, &o, &err), DN_OK);
    assert_int_equal(dn_csv_reader_next(r, &batch, &err), DN_OK); /* the rest keeps it waiting */
    batch.release(&batch);
    assert_int_equal(x.submit(x.ctx, note_ran, &ran), 0);
    const double start = dn_clock_seconds();
    while (!atomic_load(&ran)) {
        assert_true(dn_clock_seconds() - start < SOON); /* conversion takes a while, not for ever */
        (void)usleep(1000);
    }
    const double closing = dn_clock_seconds();
    dn_csv_reader_close(r);
    dn_pool_destroy(pool);
    assert_true(dn_clock_seconds() - closing < SOON);
    world_end(&w);
}

/* ---- files ---- */

static int n_threads_of_process(void)
{
    DIR *tasks = opendir("/proc/self/task");
    int n = 0;

    assert_non_null(tasks);
    while (readdir(tasks) != NULL) {
        n++;
    }
    (void)closedir(tasks);
    return n;
}

static int fd_of_file(void)
{
    for (int fd = 3; fd < 1024; fd++) {
        if (is_file(fd)) {
            return fd;
        }
    }
    return -1;
}

/* Nothing ends a read() of a disk that does not answer, so it is left behind, and cleans up when it returns. */
static void test_a_stalled_file(void **state)
{
    const char *const paths[] = {file_path};
    struct dn_csv_reader *r = NULL;
    struct dn_error err;
    struct world w = {0};
    const int n_threads = n_threads_of_process();
    const struct dn_csv_options o = {
        .struct_size = sizeof(o), .n_threads = 2, .cancelled = cancelled, .cancel_ctx = &w};

    (void)state;
    atomic_store(&stalls, true);
    assert_int_equal(dn_csv_reader_open(&r, paths, 1, &o, &err), DN_OK);
    assert_true(fd_of_file() >= 0);
    assert_int_equal(pthread_create(&w.canceller, NULL, stop_later, &w), 0);
    const double start = dn_clock_seconds();
    assert_int_equal(read_all(r, &err), DN_ERR_CANCELLED);
    assert_true(dn_clock_seconds() - start < SOON);
    dn_csv_reader_close(r);
    assert_true(dn_clock_seconds() - start < 2 * SOON);
    assert_int_equal(pthread_join(w.canceller, NULL), 0);
    atomic_store(&stalls, false);
    while (n_threads_of_process() > n_threads) {
        assert_true(dn_clock_seconds() - start < 3 * SOON);
        (void)usleep(1000);
    }
    assert_int_equal(fd_of_file(), -1); /* all is closed and freed */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cancel_from_another_thread),
        cmocka_unit_test(test_the_host_is_asked),
        cmocka_unit_test(test_lent_threads_do_not_wait),
        cmocka_unit_test(test_a_stalled_file),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
