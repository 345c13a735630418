#include "base/pool.h"

#include "base/memory.h"
#include "base/os_process.h"
#include "scratch.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/wait.h>

static struct dn_pool *start(uint32_t n_threads)
{
    struct dn_pool *pool = NULL;
    struct dn_error err;

    assert_int_equal(dn_pool_create(&pool, n_threads, &err), DN_OK);
    assert_non_null(pool);
    return pool;
}

struct order {
    int *next;
    int *seen;
    int id;
};

static void note_order(void *arg)
{
    struct order *o = arg;

    o->seen[(*o->next)++] = o->id;
}

static void test_one_thread_keeps_the_order(void **state)
{
    (void)state;
    static struct order orders[1000];
    static int seen[1000];
    int next = 0;
    struct dn_pool *pool = start(1);
    struct dn_executor run = dn_pool_executor(pool);

    assert_int_equal(run.n_threads, 1);
    for (int i = 0; i < 1000; i++) {
        orders[i] = (struct order){&next, seen, i};
        assert_int_equal(run.submit(run.ctx, note_order, &orders[i]), 0);
    }
    dn_pool_destroy(pool); /* runs all of them */
    assert_int_equal(next, 1000);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(seen[i], i);
    }
}

static void add_one(void *arg)
{
    atomic_fetch_add((atomic_int *)arg, 1);
}

static void test_every_task_runs_once(void **state)
{
    (void)state;
    for (uint32_t n_threads = 1; n_threads <= 8; n_threads++) {
        atomic_int counts[500];
        struct dn_pool *pool = start(n_threads);
        struct dn_executor run = dn_pool_executor(pool);

        for (size_t i = 0; i < 500; i++) {
            atomic_init(&counts[i], 0);
        }
        for (size_t i = 0; i < 500; i++) {
            assert_int_equal(run.submit(run.ctx, add_one, &counts[i]), 0);
        }
        dn_pool_destroy(pool);
        for (size_t i = 0; i < 500; i++) {
            assert_int_equal(atomic_load(&counts[i]), 1);
        }
    }
}

struct submitter {
    struct dn_executor run;
    atomic_int *count;
};

static void *submit_many(void *arg)
{
    struct submitter *s = arg;

    for (int i = 0; i < 2000; i++) {
        if (s->run.submit(s->run.ctx, add_one, s->count) != 0) {
            return s;
        }
    }
    return NULL;
}

static void test_many_threads_may_submit(void **state)
{
    (void)state;
    atomic_int count = 0;
    struct dn_pool *pool = start(3);
    struct submitter s = {dn_pool_executor(pool), &count};
    pthread_t threads[4];

    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, submit_many, &s), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        void *failed = NULL;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    dn_pool_destroy(pool);
    assert_int_equal(atomic_load(&count), 8000);
}

struct tree {
    struct dn_executor run;
    atomic_int *count;
    atomic_int *refused;
    int depth;
};

static void grow_tree(void *arg)
{
    struct tree *t = arg;

    atomic_fetch_add(t->count, 1);
    for (int i = 0; i < 2 && t->depth > 0; i++) {
        struct tree *child = dn_malloc(sizeof(*child));
        if (child == NULL) {
            atomic_fetch_add(t->refused, 1);
            break;
        }
        *child = *t;
        child->depth--;
        if (t->run.submit(t->run.ctx, grow_tree, child) != 0) {
            atomic_fetch_add(t->refused, 1);
        }
    }
    dn_free(t);
}

static void test_tasks_may_submit_even_while_the_pool_stops(void **state)
{
    (void)state;
    atomic_int count = 0;
    atomic_int refused = 0;
    struct dn_pool *pool = start(4);
    struct tree *root = dn_malloc(sizeof(*root));

    assert_non_null(root);
    *root = (struct tree){dn_pool_executor(pool), &count, &refused, 10};
    assert_int_equal(root->run.submit(root->run.ctx, grow_tree, root), 0);
    dn_pool_destroy(pool);
    assert_int_equal(atomic_load(&refused), 0);
    assert_int_equal(atomic_load(&count), 2047);
}

struct link {
    sem_t *wait_for;
    sem_t *done;
};

static void wait_then_post(void *arg)
{
    struct link *l = arg;

    if (l->wait_for != NULL) {
        while (sem_wait(l->wait_for) != 0) {
        }
    }
    sem_post(l->done);
}

static void test_a_task_may_wait_for_earlier_ones(void **state)
{
    (void)state;
    for (uint32_t n_threads = 1; n_threads <= 3; n_threads++) {
        sem_t done[50];
        struct link links[50];
        struct dn_pool *pool = start(n_threads);
        struct dn_executor run = dn_pool_executor(pool);

        for (size_t i = 0; i < 50; i++) {
            assert_int_equal(sem_init(&done[i], 0, 0), 0);
        }
        for (size_t i = 0; i < 50; i++) {
            links[i] = (struct link){i == 0 ? NULL : &done[i - 1], &done[i]};
            assert_int_equal(run.submit(run.ctx, wait_then_post, &links[i]), 0);
        }
        assert_int_equal(sem_wait(&done[49]), 0);
        dn_pool_destroy(pool);
    }
}

struct mask {
    sigset_t set;
};

static void note_mask(void *arg)
{
    struct mask *m = arg;

    pthread_sigmask(SIG_SETMASK, NULL, &m->set);
}

struct gate {
    sem_t reached;
    sem_t open;
};

static void wait_at_gate(void *arg)
{
    struct gate *g = arg;

    assert_int_equal(sem_post(&g->reached), 0);
    assert_int_equal(sem_wait(&g->open), 0);
}

static void note_thread(void *arg)
{
    *(pthread_t *)arg = pthread_self();
}

static int32_t run_elsewhere(void *ctx, void (*fn)(void *arg), void *arg)
{
    (void)ctx;
    (void)fn;
    (void)arg;
    return 0;
}

static void test_who_waits_may_help(void **state)
{
    (void)state;
    struct dn_pool *pool = start(1);
    const struct dn_executor run = dn_pool_executor(pool);
    const struct dn_executor other = {.submit = run_elsewhere, .n_threads = 1};
    struct gate gate;
    pthread_t ran[2] = {0};

    assert_int_equal(sem_init(&gate.reached, 0, 0), 0);
    assert_int_equal(sem_init(&gate.open, 0, 0), 0);
    assert_true(dn_executor_is_pool(&run));
    assert_false(dn_executor_help(&run)); /* there is nothing to do */
    assert_int_equal(run.submit(run.ctx, wait_at_gate, &gate), 0);
    assert_int_equal(sem_wait(&gate.reached), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(run.submit(run.ctx, note_thread, &ran[i]), 0);
    }
    assert_true(dn_executor_help(&run)); /* the only worker waits at the gate */
    assert_true(dn_executor_help(&run));
    assert_false(dn_executor_help(&run));
    assert_true(pthread_equal(ran[0], pthread_self()));
    assert_true(pthread_equal(ran[1], pthread_self()));
    assert_false(dn_executor_is_pool(&other));
    assert_false(dn_executor_help(&other)); /* threads of somebody else */
    assert_int_equal(sem_post(&gate.open), 0);
    dn_pool_destroy(pool);
    assert_int_equal(sem_destroy(&gate.open), 0);
    assert_int_equal(sem_destroy(&gate.reached), 0);
}

static void test_signals_are_the_callers(void **state)
{
    (void)state;
    static const int blocked[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGALRM, SIGCHLD, SIGPIPE};
    struct mask worker;
    sigset_t before;
    sigset_t after;

    pthread_sigmask(SIG_SETMASK, NULL, &before);
    struct dn_pool *pool = start(1);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    struct dn_executor run = dn_pool_executor(pool);
    assert_int_equal(run.submit(run.ctx, note_mask, &worker), 0);
    dn_pool_destroy(pool);
    for (size_t i = 0; i < sizeof(blocked) / sizeof(blocked[0]); i++) {
        assert_int_equal(sigismember(&worker.set, blocked[i]), 1);
        assert_int_equal(sigismember(&after, blocked[i]), sigismember(&before, blocked[i]));
    }
    assert_int_equal(sigismember(&worker.set, SIGSEGV), 0); /* a fault must reach its handler */
}

static void test_sizes(void **state)
{
    (void)state;
    struct dn_pool *pool = start(0);
    struct dn_error err;
    cpu_set_t set;

    assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
    assert_int_equal(dn_os_cpu_count(), CPU_COUNT(&set));
    assert_int_equal(dn_pool_executor(pool).n_threads, dn_os_cpu_count());
    dn_pool_destroy(pool);
    dn_pool_destroy(NULL);
    pool = (struct dn_pool *)&err;
    assert_int_equal(dn_pool_create(&pool, 100000, &err), DN_ERR_INVALID);
    assert_null(pool);
    assert_non_null(strstr(err.message, "100000"));
}

static void test_threads_that_do_not_start(void **state)
{
    (void)state;
    if (SCRATCH_SANITIZED || getenv("QEMU_LD_PREFIX") != NULL) {
        skip(); /* their address space cannot be limited, nor that of an emulated processor */
    }
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit little = {.rlim_cur = (rlim_t)100 << 20, .rlim_max = (rlim_t)100 << 20};
        struct dn_pool *pool = NULL;
        struct dn_error err;
        if (setrlimit(RLIMIT_AS, &little) != 0) {
            _exit(2);
        }
        enum dn_status st = dn_pool_create(&pool, 1000, &err);
        _exit(st == DN_ERR_IO && pool == NULL && strstr(err.message, "of 1000 threads") != NULL
                  ? 0
                  : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_thread_keeps_the_order),
        cmocka_unit_test(test_every_task_runs_once),
        cmocka_unit_test(test_many_threads_may_submit),
        cmocka_unit_test(test_tasks_may_submit_even_while_the_pool_stops),
        cmocka_unit_test(test_a_task_may_wait_for_earlier_ones),
        cmocka_unit_test(test_who_waits_may_help),
        cmocka_unit_test(test_signals_are_the_callers),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_threads_that_do_not_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
