#include "store/http/pieces.h"

#include "base/memory.h"
#include "scratch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

#define NEVER UINT64_MAX

/* Something far away whose bytes follow from their place. */
struct far {
    uint64_t size;
    uint64_t fails_at; /* a piece with that byte in it fails */
    uint64_t hangs_at; /* ... or lasts until it is asked to stop */
    atomic_ullong asked_until;
    atomic_int at_once;
    atomic_int most_at_once;
    atomic_int n_pieces;
    atomic_bool hangs;
};

static uint8_t byte_at(uint64_t i)
{
    return (uint8_t)(i * 31 + (i >> 9));
}

static enum dn_status get_piece(void *ctx, uint64_t offset, size_t size, uint8_t *out,
                                struct dn_stop *stop, struct dn_error *err)
{
    struct far *f = ctx;
    const int now = atomic_fetch_add(&f->at_once, 1) + 1;
    enum dn_status st = DN_OK;

    for (int most = atomic_load(&f->most_at_once);
         most < now && !atomic_compare_exchange_weak(&f->most_at_once, &most, now);) {
    }
    for (unsigned long long until = atomic_load(&f->asked_until);
         until < offset + size &&
         !atomic_compare_exchange_weak(&f->asked_until, &until, offset + size);) {
    }
    atomic_fetch_add(&f->n_pieces, 1);
    if (offset + size > f->size || size == 0) {
        st = dn_error_set(err, DN_ERR_INTERNAL, "bytes behind the end");
    } else if (f->hangs_at >= offset && f->hangs_at < offset + size) {
        atomic_store(&f->hangs, true);
        while (!dn_stop_asked(stop)) {
            (void)usleep(1000);
        }
        st = dn_error_set(err, DN_ERR_CANCELLED, "stopped");
    } else if (f->fails_at >= offset && f->fails_at < offset + size) {
        st = dn_error_set(err, DN_ERR_IO, "no byte %llu", (unsigned long long)f->fails_at);
    } else {
        for (size_t i = 0; i < size; i++) {
            out[i] = byte_at(offset + i);
        }
    }
    atomic_fetch_sub(&f->at_once, 1);
    return st;
}

/* Reads all; the bytes that came, and the status of the end. */
static uint64_t read_all(struct far *f, const struct dn_pieces_options *options, size_t chunk,
                         enum dn_status *st, struct dn_error *err)
{
    struct dn_pieces *p = NULL;
    uint8_t *bytes = malloc(chunk);
    uint64_t at = 0;
    size_t got = 0;

    assert_non_null(bytes);
    assert_int_equal(dn_pieces_open(&p, get_piece, f, options, NULL, NULL), DN_OK);
    do {
        *st = dn_pieces_read(p, bytes, chunk, &got, err);
        for (size_t i = 0; i < got; i++) {
            if (bytes[i] != byte_at(at + i)) {
                fail_msg("byte %llu of %llu", (unsigned long long)(at + i),
                         (unsigned long long)f->size);
            }
        }
        at += got;
        if (options->memory_bytes > 0) {
            assert_true(atomic_load(&f->asked_until) <=
                        at + options->memory_bytes + options->memory_bytes);
        }
        if (*st == DN_OK && got < chunk) {
            assert_int_equal(at, f->size);
        }
    } while (*st == DN_OK && got > 0);
    dn_pieces_close(p);
    free(bytes);
    return at;
}

static void all_comes_in_order(void **state)
{
    static const uint64_t sizes[] = {0, 1, 131071, 131072, 131073, 400000, 5000000};
    static const size_t chunks[] = {4093, 131072, 6000000};

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (size_t k = 0; k < sizeof(chunks) / sizeof(chunks[0]); k++) {
            for (uint32_t n = 1; n <= 4; n += 3) {
                struct far f = {.size = sizes[i], .fails_at = NEVER, .hangs_at = NEVER};
                const struct dn_pieces_options options = {
                    .size = sizes[i], .most_at_once = n, .memory_bytes = 1 << 20};
                enum dn_status st = DN_ERR_INTERNAL;
                assert_int_equal(read_all(&f, &options, chunks[k], &st, NULL), sizes[i]);
                assert_int_equal(st, DN_OK);
                assert_true(atomic_load(&f.most_at_once) <= (int)n + 1); /* the reader helps */
            }
        }
    }
}

static void a_failure_comes_in_its_turn_and_is_final(void **state)
{
    (void)state;
    for (uint64_t at = 0; at < 3000000; at += 299999) {
        struct far f = {.size = 3000000, .fails_at = at, .hangs_at = NEVER};
        const struct dn_pieces_options options = {.size = f.size, .memory_bytes = 1 << 20};
        struct dn_error err = {0};
        enum dn_status st = DN_OK;
        const uint64_t got = read_all(&f, &options, 10000, &st, &err);
        assert_int_equal(st, DN_ERR_IO);
        assert_non_null(strstr(err.message, "no byte"));
        assert_true(got <= at && at - got < 1 << 20); /* all pieces in front of it */
    }
    struct far f = {.size = 1000, .fails_at = 0, .hangs_at = NEVER};
    const struct dn_pieces_options options = {.size = f.size};
    struct dn_pieces *p = NULL;
    uint8_t byte = 0;
    size_t got = 0;
    assert_int_equal(dn_pieces_open(&p, get_piece, &f, &options, NULL, NULL), DN_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(dn_pieces_read(p, &byte, 1, &got, NULL), DN_ERR_IO);
        assert_int_equal(got, 0);
    }
    dn_pieces_close(p);
}

static void a_look_at_the_beginning_costs_little(void **state)
{
    struct far f = {.size = 1 << 30, .fails_at = NEVER, .hangs_at = NEVER};
    const struct dn_pieces_options options = {.size = f.size};
    struct dn_pieces *p = NULL;
    uint8_t bytes[100];
    size_t got = 0;

    (void)state;
    assert_int_equal(dn_pieces_open(&p, get_piece, &f, &options, NULL, NULL), DN_OK);
    assert_int_equal(atomic_load(&f.n_pieces), 0);
    assert_int_equal(dn_pieces_read(p, bytes, sizeof(bytes), &got, NULL), DN_OK);
    assert_int_equal(got, sizeof(bytes));
    dn_pieces_close(p);
    assert_true(atomic_load(&f.asked_until) <= 33 << 20);
}

static void *ask_when_it_hangs(void *arg)
{
    void **both = arg;
    struct far *f = both[0];

    while (!atomic_load(&f->hangs)) {
        (void)usleep(1000);
    }
    dn_stop_ask(both[1]);
    return NULL;
}

static void a_wait_ends_when_asked_to(void **state)
{
    (void)state;
    for (uint64_t at = 0; at < 2000000; at += 399999) {
        struct far f = {.size = 2000000, .fails_at = NEVER, .hangs_at = at};
        const struct dn_pieces_options options = {.size = f.size};
        struct dn_pieces *p = NULL;
        struct dn_stop stop;
        void *both[2] = {&f, &stop};
        pthread_t thread;
        uint8_t bytes[10000];
        size_t got = 0;
        enum dn_status st = DN_OK;

        dn_stop_init(&stop, NULL, NULL);
        assert_int_equal(dn_pieces_open(&p, get_piece, &f, &options, &stop, NULL), DN_OK);
        assert_int_equal(pthread_create(&thread, NULL, ask_when_it_hangs, both), 0);
        do {
            st = dn_pieces_read(p, bytes, sizeof(bytes), &got, NULL);
        } while (st == DN_OK && got > 0);
        assert_int_equal(st, DN_ERR_CANCELLED);
        assert_int_equal(pthread_join(thread, NULL), 0);
        dn_pieces_close(p);
        dn_stop_finish(&stop);
    }
    /* closing waits for no answer either */
    struct far f = {.size = 2000000, .fails_at = NEVER, .hangs_at = 500000};
    const struct dn_pieces_options options = {.size = f.size};
    struct dn_pieces *p = NULL;
    uint8_t byte = 0;
    size_t got = 0;
    assert_int_equal(dn_pieces_open(&p, get_piece, &f, &options, NULL, NULL), DN_OK);
    assert_int_equal(dn_pieces_read(p, &byte, 1, &got, NULL), DN_OK);
    dn_pieces_close(p);
}

static void a_child_may_not_read(void **state)
{
    struct far f = {.size = 1000, .fails_at = NEVER, .hangs_at = NEVER};
    const struct dn_pieces_options options = {.size = f.size};
    struct dn_pieces *p = NULL;

    (void)state;
    assert_int_equal(dn_pieces_open(&p, get_piece, &f, &options, NULL, NULL), DN_OK);
    const pid_t child = fork();
    if (child == 0) {
        uint8_t byte = 0;
        size_t got = 0;
        _exit(dn_pieces_read(p, &byte, 1, &got, NULL) == DN_ERR_INVALID ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    dn_pieces_close(p);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    for (uint64_t n = 1;; n++) {
        struct far f = {.size = 1000000, .fails_at = NEVER, .hangs_at = NEVER};
        const struct dn_pieces_options options = {.size = f.size, .memory_bytes = 1 << 19};
        struct dn_pieces *p = NULL;
        uint8_t bytes[50000];
        size_t got = 0;
        uint64_t all = 0;

        (void)dn_memory_fail_at(n);
        enum dn_status st = dn_pieces_open(&p, get_piece, &f, &options, NULL, NULL);
        while (st == DN_OK) {
            st = dn_pieces_read(p, bytes, sizeof(bytes), &got, NULL);
            all += got;
            if (st == DN_OK && got == 0) {
                break;
            }
        }
        const bool done = dn_memory_fail_at(0) < n;
        dn_pieces_close(p);
        /* where a thread has no memory another one, or the reader, goes on */
        assert_true(st == DN_ERR_MEMORY || (st == DN_OK && all == f.size));
        if (done) {
            assert_int_equal(st, DN_OK);
            break;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_comes_in_order),
        cmocka_unit_test(a_failure_comes_in_its_turn_and_is_final),
        cmocka_unit_test(a_look_at_the_beginning_costs_little),
        cmocka_unit_test(a_wait_ends_when_asked_to),
        cmocka_unit_test(a_child_may_not_read),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
