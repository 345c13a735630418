/* Files in memory, which tasks read for themselves: the same rows and errors as of files that are fed; how tasks go on. */
#include "csv_rig.h"

#include "base/pool.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/uio.h>

/* ---- what is in memory ---- */

/* Of the answers to "is it in memory?" one in so many is no; 1: all are. */
static atomic_uint one_in = UINT_MAX;
static atomic_uint n_asked;

static ssize_t answer(int fd, const struct iovec *to, int n, off_t at, int flags)
{
    const unsigned asked = atomic_fetch_add(&n_asked, 1) + 1;

    if (asked * 2654435761U % atomic_load(&one_in) == 0) {
        errno = EAGAIN;
        return -1;
    }
    return syscall(SYS_preadv2, fd, to, n, at, at >> 32, flags);
}

ssize_t preadv2(int fd, const struct iovec *to, int n, off_t at, int flags)
{
    return answer(fd, to, n, at, flags);
}

ssize_t preadv64v2(int fd, const struct iovec *to, int n, off64_t at, int flags)
{
    return answer(fd, to, n, at, flags);
}

/* ---- the same as of files that are fed ---- */

/* How a text is made. */
struct shape {
    const char *row_end;
    const char *behind; /* the last row, */
    size_t n_nuls;      /* and then */
    size_t longest;     /* text of a row */
    int64_t wrong_row;  /* whose number is none; -1: there is none */
};

/* Its rows are counted. */
static int64_t make_text(struct rig_text *text, const struct shape *s, uint64_t seed)
{
    static const char letters[] = "abcdefgh,\"\"\n\r ";

    rig_append(text, "id,name,x", 9);
    int64_t row = 0;
    for (; text->len < (size_t)1300 << 10; row++) {
        char line[64];
        const int n = snprintf(line, sizeof(line), "%s%lld,\"", s->row_end, (long long)row);
        rig_append(text, line, (size_t)n);
        for (size_t left = scratch_random(&seed) % s->longest; left > 0; left--) {
            const char c = letters[scratch_random(&seed) % (sizeof(letters) - 1)];
            rig_append(text, c == '"' ? "\"\"" : &c, c == '"' ? 2 : 1);
        }
        rig_append(text, row == s->wrong_row ? "\",no" : "\",1", row == s->wrong_row ? 4 : 3);
    }
    rig_append(text, s->behind, strlen(s->behind));
    for (size_t i = 0; i < s->n_nuls; i++) {
        rig_append(text, "", 1);
    }
    return row;
}

static void expect_same(const struct rig_result *got, const struct rig_result *fed)
{
    assert_int_equal(got->status, fed->status);
    if (fed->status != DN_OK) {
        assert_string_equal(got->error.message, fed->error.message);
        assert_int_equal(got->error.line, fed->error.line);
        assert_int_equal(got->error.row, fed->error.row);
        assert_int_equal(got->error.byte_offset, fed->error.byte_offset);
        return;
    }
    assert_int_equal(got->n_rows, fed->n_rows);
    assert_int_equal(got->stray_quotes, fed->stray_quotes);
    assert_string_equal(got->types, fed->types);
    assert_int_equal(got->rows.len, fed->rows.len);
    assert_memory_equal(got->rows.data, fed->rows.data, fed->rows.len);
}

static void compare(const char *const *paths, size_t n_paths, struct dn_csv_options o)
{
    static const size_t sizes[] = {150, 1000, 4096, 40000};
    struct rig_result fed;

    atomic_store(&one_in, 1);
    rig_read(paths, n_paths, &o, true, &fed);
    for (unsigned i = SCRATCH_THREAD_SANITIZED ? 1 : 0; i < 4; i++) { /* the first has one thread */
        struct rig_result got;
        o.block_bytes = sizes[i];
        o.n_threads = 1 + i % 3;
        atomic_store(&n_asked, 0);
        atomic_store(&one_in, i % 2 == 0 ? UINT_MAX : 50); /* all are; or some are not */
        rig_read(paths, n_paths, &o, true, &got);
        expect_same(&got, &fed);
        assert_true(fed.status != DN_OK || atomic_load(&n_asked) > 0);
        rig_free(&got);
    }
    rig_free(&fed);
}

static void test_same_as_fed(void **state)
{
    static const struct shape shapes[] = {
        {"\n", "\n", 0, 60, -1},
        {"\n", "", 0, 3, -1},
        {"\r\n", "\r\n\x1a", 5000, 60, -1},
        {"\r", "\r", 0, 60, -1},
        {"\n", "\n\n\n", 5000, 5000, -1},
        {"\n", "\n", 0, 60, 20000},
        {"\n", "\n", 300, 9, -1},
    };
    static const struct dn_csv_column_type number = {
        .name = "x", .type = "int64", .declared = true};

    (void)state;
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]);
         i += SCRATCH_THREAD_SANITIZED ? 2 : 1) {
        struct rig_text text = {0};
        struct dn_csv_options o = rig_options();
        const int64_t n_rows = make_text(&text, &shapes[i], i);
        const char *path = scratch_path(rig_dir, "a.csv");
        const char *const two[] = {path, path};
        scratch_write(path, text.data, text.len);
        o.types = &number;
        o.n_types = 1;
        compare(&path, 1, o);
        if (i % 3 == 0) {
            compare(two, 2, o);
            o.has_limit = true;
            o.limit = n_rows * 19 / 20;
            compare(&path, 1, o);
        }
        free(text.data);
    }
}

/* ---- how tasks go on ---- */

/* Threads that take tasks, or, every other eight of them, have them run where they are submitted, as full queues do. */
struct counting_executor {
    struct dn_executor pool;
    atomic_int n;
    atomic_int n_by_tasks; /* submitted by a task */
    bool caller_runs;
    pthread_mutex_t lock;
    pthread_t running[64]; /* threads of the tasks that run, */
    int n_running;
    int deepest; /* and how often one stood there at most */
};

struct counted {
    struct counting_executor *e;
    void (*fn)(void *arg);
    void *arg;
};

static int n_of_thread(struct counting_executor *e)
{
    int n = 0;

    for (int i = 0; i < e->n_running; i++) {
        n += pthread_equal(e->running[i], pthread_self()) != 0;
    }
    return n;
}

static void run_counted(void *arg)
{
    struct counted c = *(struct counted *)arg;

    free(arg);
    pthread_mutex_lock(&c.e->lock);
    assert_true(c.e->n_running < 64);
    c.e->running[c.e->n_running++] = pthread_self();
    const int n = n_of_thread(c.e);
    c.e->deepest = n > c.e->deepest ? n : c.e->deepest;
    pthread_mutex_unlock(&c.e->lock);
    c.fn(c.arg);
    pthread_mutex_lock(&c.e->lock);
    for (int i = c.e->n_running - 1; i >= 0; i--) {
        if (pthread_equal(c.e->running[i], pthread_self())) {
            c.e->running[i] = c.e->running[--c.e->n_running];
            break;
        }
    }
    pthread_mutex_unlock(&c.e->lock);
}

static int32_t submit_counted(void *ctx, void (*fn)(void *arg), void *arg)
{
    struct counting_executor *e = ctx;
    struct counted *c = malloc(sizeof(*c));

    assert_non_null(c);
    *c = (struct counted){e, fn, arg};
    const int n = atomic_fetch_add(&e->n, 1);
    pthread_mutex_lock(&e->lock);
    const bool by_task = n_of_thread(e) > 0;
    pthread_mutex_unlock(&e->lock);
    atomic_fetch_add(&e->n_by_tasks, by_task);
    if (e->caller_runs && n / 8 % 2 == 0) {
        run_counted(c);
        return 0;
    }
    return e->pool.submit(e->pool.ctx, run_counted, c);
}

static int64_t drained(const char *path, const struct dn_csv_options *o)
{
    struct dn_csv_reader *r = NULL;
    struct ArrowArray batch;
    int64_t n = 0;

    assert_int_equal(dn_csv_reader_open(&r, &path, 1, o, NULL), DN_OK);
    for (;;) {
        assert_int_equal(dn_csv_reader_next(r, &batch, NULL), DN_OK);
        if (batch.release == NULL) {
            break;
        }
        n += batch.length;
        batch.release(&batch);
    }
    dn_csv_reader_close(r);
    return n;
}

/* Of a file in memory tasks read their blocks themselves, and go on by themselves; but not within one another without end. */
static void test_tasks_read_what_is_in_memory(void **state)
{
    struct rig_text text = {0};
    struct rig_text rows = {0};
    struct dn_pool *pool = NULL;
    const int n_rows = 150000;

    (void)state;
    atomic_store(&one_in, UINT_MAX);
    rig_make_rows(&text, &rows, n_rows);
    assert_true(text.len > (size_t)2 << 20); /* the first MiB is looked at before, and at hand */
    const char *path = rig_file("a.csv", text.data);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(dn_pool_create(&pool, 3, NULL), DN_OK);
        struct counting_executor e = {.pool = dn_pool_executor(pool),
                                      .caller_runs = i == 1,
                                      .lock = PTHREAD_MUTEX_INITIALIZER};
        struct dn_csv_options o = rig_options();
        o.block_bytes = 500;
        o.n_threads = 3;
        o.submit = submit_counted;
        o.submit_ctx = &e;
        rig_expect(&path, 1, &o, NULL, NULL, rows.data);
        o.block_bytes = 5000;
        assert_int_equal(drained(path, &o), n_rows); /* nobody waits for the one who takes */
        assert_true(atomic_load(&e.n_by_tasks) > 20 || !scratch_knows_cached(path));
        dn_pool_destroy(pool); /* its threads look at e behind the tasks' end */
        assert_in_range(e.deepest, 1, 2);
    }
    free(text.data);
    free(rows.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_as_fed),
        cmocka_unit_test(test_tasks_read_what_is_in_memory),
    };
    return cmocka_run_group_tests(tests, rig_make_dir, rig_remove_dir);
}
