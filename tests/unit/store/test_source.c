#include "store/source.h"

#include "scratch.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>

static char dir[512];
static uint8_t content[100000];

static int setup(void **state)
{
    (void)state;
    uint64_t seed = 5;

    scratch_make(dir);
    for (size_t i = 0; i < sizeof(content); i++) {
        content[i] = (uint8_t)scratch_random(&seed);
    }
    scratch_write(scratch_path(dir, "data"), content, sizeof(content));
    scratch_write(scratch_path(dir, "empty"), "", 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    scratch_remove(dir);
    return 0;
}

static void test_reads_in_order(void **state)
{
    (void)state;
    static uint8_t got_bytes[sizeof(content) + 1];
    static const size_t steps[] = {1, 777, 65536, sizeof(content) + 1};
    const char *path = scratch_path(dir, "data");

    for (size_t k = 0; k < sizeof(steps) / sizeof(steps[0]); k++) {
        struct dn_source *s = NULL;
        size_t total = 0;
        size_t got = 1;
        assert_int_equal(dn_source_open(&s, path, NULL, NULL, NULL), DN_OK);
        assert_int_equal(dn_source_size(s), sizeof(content));
        while (got > 0) {
            size_t room =
                sizeof(got_bytes) - total < steps[k] ? sizeof(got_bytes) - total : steps[k];
            assert_int_equal(dn_source_read(s, got_bytes + total, room, &got, NULL), DN_OK);
            total += got;
            assert_true(got == steps[k] || total == sizeof(content)); /* full reads until the end */
        }
        assert_int_equal(total, sizeof(content));
        assert_memory_equal(got_bytes, content, sizeof(content));
        assert_int_equal(dn_source_read(s, got_bytes, 10, &got, NULL), DN_OK);
        assert_int_equal(got, 0);
        dn_source_close(s);
    }
}

static void test_read_at_does_not_move(void **state)
{
    (void)state;
    struct dn_source *s = NULL;
    uint8_t bytes[64];
    size_t got = 0;
    struct dn_error err;

    assert_int_equal(dn_source_open(&s, scratch_path(dir, "data"), NULL, NULL, NULL), DN_OK);
    assert_int_equal(dn_source_read(s, bytes, 10, &got, NULL), DN_OK);
    assert_int_equal(dn_source_read_at(s, 50000, bytes, 64, &got, NULL), DN_OK);
    assert_int_equal(got, 64);
    assert_memory_equal(bytes, content + 50000, 64);
    assert_int_equal(dn_source_read(s, bytes, 10, &got, NULL), DN_OK);
    assert_memory_equal(bytes, content + 10, 10);
    assert_int_equal(dn_source_read_at(s, sizeof(content) - 5, bytes, 64, &got, NULL), DN_OK);
    assert_int_equal(got, 5);
    assert_memory_equal(bytes, content + sizeof(content) - 5, 5);
    assert_int_equal(dn_source_read_at(s, sizeof(content) + 7, bytes, 64, &got, NULL), DN_OK);
    assert_int_equal(got, 0);
    assert_int_equal(dn_source_read_at(s, UINT64_MAX - 3, bytes, 64, &got, &err), DN_ERR_INVALID);
    assert_non_null(strstr(err.message, "18446744073709551612"));
    dn_source_close(s);
    dn_source_close(NULL);
}

/* What is peeked at stays the next bytes, until it is passed; the last ones are for who reads. */
static void test_peek_and_pass(void **state)
{
    static uint8_t bytes[sizeof(content)];
    const size_t all = sizeof(content);
    struct dn_source *s = NULL;
    size_t got = 0;

    (void)state;
    for (size_t step = 1; step < all; step = 3 * step + 1) {
        uint64_t seed = step;
        size_t at = 0;
        assert_int_equal(dn_source_open(&s, scratch_path(dir, "data"), NULL, NULL, NULL), DN_OK);
        while (at < all) {
            if (at + step < all && dn_source_peek_cached(s, bytes, step)) {
                assert_memory_equal(bytes, content + at, step);
                assert_int_equal(dn_source_stored_read(s), at);
                if (scratch_random(&seed) % 4 > 0) {
                    dn_source_pass(s, bytes, step);
                    at += step;
                    continue;
                }
            }
            assert_false(dn_source_peek_cached(s, bytes, all - at));
            assert_int_equal(dn_source_read(s, bytes, step, &got, NULL), DN_OK);
            assert_int_equal(got, at + step < all ? step : all - at);
            assert_memory_equal(bytes, content + at, got);
            at += got;
        }
        enum dn_source_change change;
        assert_int_equal(dn_source_check(s, &change, NULL), DN_OK);
        assert_int_equal(change, DN_SOURCE_SAME);
        dn_source_close(s);
    }
}

static void test_empty_file(void **state)
{
    (void)state;
    struct dn_source *s = NULL;
    uint8_t byte = 0;
    size_t got = 7;

    assert_int_equal(dn_source_open(&s, scratch_path(dir, "empty"), NULL, NULL, NULL), DN_OK);
    assert_int_equal(dn_source_size(s), 0);
    assert_int_equal(dn_source_read(s, &byte, 1, &got, NULL), DN_OK);
    assert_int_equal(got, 0);
    dn_source_close(s);
}

static void check_refused(const char *path, enum dn_status wanted, int os_errno, const char *words)
{
    struct dn_source *s = (struct dn_source *)dir;
    struct dn_error err;

    assert_int_equal(dn_source_open(&s, path, NULL, NULL, &err), wanted);
    assert_null(s);
    assert_int_equal(err.code, wanted);
    assert_int_equal(err.os_errno, os_errno);
    assert_string_equal(err.path, path);
    assert_non_null(strstr(err.message, path));
    assert_non_null(strstr(err.message, words));
    assert_int_equal(dn_source_open(&s, path, NULL, NULL, NULL), wanted);
}

static void test_what_cannot_be_read(void **state)
{
    (void)state;
    struct dn_source *s = NULL;
    struct dn_error err;

    check_refused(scratch_path(dir, "missing.csv"), DN_ERR_NOT_FOUND, ENOENT, "No such file");
    check_refused(scratch_path(dir, "data/below"), DN_ERR_NOT_FOUND, ENOTDIR, "is a file");
    check_refused(dir, DN_ERR_INVALID, 0, "is a directory; name a file in it");
    assert_int_equal(dn_source_open(&s, dir, NULL, NULL, &err), DN_ERR_INVALID);
    assert_null(strstr(err.message, "pattern")); /* there are none */
    check_refused("", DN_ERR_INVALID, 0, "empty");
    assert_int_equal(dn_source_open(&s, NULL, NULL, NULL, NULL), DN_ERR_INVALID);
}

static int wait_for(pid_t child)
{
    int status = 0;

    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_permission_denied(void **state)
{
    (void)state;
    const char *path = scratch_path(dir, "secret");

    scratch_write(path, "x", 1);
    assert_int_equal(chmod(path, 0), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) { /* root may read everything, so be somebody else */
        struct dn_source *s = NULL;
        struct dn_error err;
        if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) {
            _exit(2);
        }
        enum dn_status st = dn_source_open(&s, path, NULL, NULL, &err);
        bool reached = access(dir, X_OK) ==
                       0; /* the folders above may be closed to us as well: the same answer */
        _exit(st == DN_ERR_IO && err.os_errno == EACCES && strstr(err.message, path) != NULL &&
                      strstr(err.message, "read permission") != NULL
                  ? 0
                  : (reached ? 1 : 3));
    }
    assert_int_equal(wait_for(child), 0);
}

/* Put `fd` in the place of standard input; returns the old one. */
static int redirect_stdin(int fd)
{
    int saved = dup(STDIN_FILENO);

    assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
    return saved;
}

static void restore_stdin(int saved)
{
    if (saved >= 0) {
        assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
        (void)close(saved);
    } else {
        (void)close(STDIN_FILENO);
    }
}

static void test_stdin_from_a_file_somebody_has_read_from(void **state)
{
    (void)state;
    struct dn_source *s = NULL;
    uint8_t bytes[32];
    size_t got = 0;
    int fd = open(scratch_path(dir, "data"), O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(lseek(fd, 1000, SEEK_SET), 1000);
    int saved = redirect_stdin(fd);
    enum dn_status st = dn_source_open(&s, "-", NULL, NULL, NULL);
    assert_int_equal(st, DN_OK);
    assert_int_equal(dn_source_size(s), sizeof(content) - 1000);
    assert_int_equal(dn_source_read(s, bytes, 32, &got, NULL), DN_OK);
    assert_memory_equal(bytes, content + 1000, 32);
    assert_int_equal(dn_source_read_at(s, 0, bytes, 32, &got, NULL), DN_OK);
    assert_memory_equal(bytes, content + 1000, 32);
    dn_source_close(s);
    assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0); /* not ours to close */
    restore_stdin(saved);
    (void)close(fd);
}

struct dribble {
    int fd;
    pthread_t reader;
};

static void on_signal(int number)
{
    (void)number;
}

/* Short writes with pauses, and signals into the reader. */
static void *dribble(void *arg)
{
    struct dribble *d = arg;
    size_t sent = 0;

    while (sent < 20000) {
        size_t n = sent % 3 == 0 ? 1 : 731;
        n = n < 20000 - sent ? n : 20000 - sent;
        if (write(d->fd, content + sent, n) != (ssize_t)n) {
            break;
        }
        sent += n;
        (void)usleep(300);
        (void)pthread_kill(d->reader, SIGUSR1);
    }
    (void)close(d->fd);
    return NULL;
}

static void read_pipe(bool non_blocking)
{
    static uint8_t bytes[20001];
    struct dn_source *s = NULL;
    struct dn_error err;
    struct sigaction action = {.sa_handler =
                                   on_signal}; /* no SA_RESTART: read() fails with EINTR */
    struct sigaction before;
    int ends[2];
    size_t got = 0;
    pthread_t writer;

    assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    if (non_blocking) {
        assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    }
    int saved = redirect_stdin(ends[0]);
    struct dribble d = {ends[1], pthread_self()};
    assert_int_equal(pthread_create(&writer, NULL, dribble, &d), 0);
    assert_int_equal(dn_source_open(&s, "-", NULL, NULL, NULL), DN_OK);
    assert_int_equal(dn_source_size(s), -1);
    assert_int_equal(dn_source_read(s, bytes, 15000, &got, NULL), DN_OK);
    assert_int_equal(got, 15000); /* however the pipe delivered them */
    assert_int_equal(dn_source_read_at(s, 0, bytes, 1, &got, &err), DN_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "standard input"));
    assert_int_equal(dn_source_read(s, bytes + 15000, 5001, &got, NULL), DN_OK);
    assert_int_equal(got, 5000);
    assert_memory_equal(bytes, content, 20000);
    assert_int_equal(pthread_join(writer, NULL), 0);
    dn_source_close(s);
    restore_stdin(saved);
    (void)close(ends[0]);
    assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
}

static void test_pipe_with_short_reads_and_signals(void **state)
{
    (void)state;
    read_pipe(false);
}

static void test_pipe_in_non_blocking_mode(void **state)
{
    (void)state;
    read_pipe(true);
}

static void test_closed_and_directory_stdin(void **state)
{
    (void)state;
    struct dn_source *s = NULL;
    struct dn_error err;
    int saved = dup(STDIN_FILENO);
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    assert_true(fd >= 0);
    (void)close(STDIN_FILENO);
    enum dn_status st = dn_source_open(&s, "-", NULL, NULL, &err);
    assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
    assert_int_equal(st, DN_ERR_IO);
    assert_non_null(strstr(err.message, "standard input"));
    st = dn_source_open(&s, "-", NULL, NULL, &err);
    restore_stdin(saved);
    assert_int_equal(st, DN_ERR_INVALID);
    assert_null(s);
    (void)close(fd);
}

static void test_stdin_open_for_writing_only(void **state)
{
    (void)state;
    struct dn_source *s = NULL;
    struct dn_error err;
    int fd = open(scratch_path(dir, "data"), O_WRONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    int saved = redirect_stdin(fd);
    enum dn_status st = dn_source_open(&s, "-", NULL, NULL, &err);
    restore_stdin(saved);
    (void)close(fd);
    assert_int_equal(st, DN_ERR_IO);
    assert_null(s);
    assert_string_equal(err.message, "standard input: it is not open for reading");
}

static void test_read_errors_name_the_file(void **state)
{
    (void)state;
    struct dn_source *s = NULL;
    struct dn_error err;
    uint8_t byte = 0;
    size_t got = 9;
    int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC); /* nothing is mapped at its beginning */

    assert_true(fd >= 0);
    int saved = redirect_stdin(fd);
    assert_int_equal(dn_source_open(&s, "-", NULL, NULL, NULL), DN_OK);
    enum dn_status st = dn_source_read(s, &byte, 1, &got, &err);
    dn_source_close(s);
    restore_stdin(saved);
    (void)close(fd);
    assert_int_equal(st, DN_ERR_IO);
    assert_int_equal(err.os_errno, EIO);
    assert_int_equal(got, 0);
    assert_non_null(strstr(err.message, "standard input"));
}

/* What is between the scheme and the host, and behind a '?', may be a secret, whether we read such an address or not. */
static void test_shown_address(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"https://host/x@1.csv", "https://host/x@1.csv"},
        {"https://host:80/x.csv?token=s3cret", "https://host:80/x.csv"},
        {"https://user:s3cret@host/x.csv#s3cret", "https://host/x.csv"},
        {"HTTP://user:s3/cret@host/x", "HTTP://host/x"},
        {"postgres://user:s3@c/r?et@host/db?password=s3cret", "postgres://host/db"},
        {"mysql://user@host/db", "mysql://host/db"},
        {"jdbc+x://user:s3cret@", "jdbc+x://"},
        {"s3://id:s3/cret@bucket/key?x#y@z", "s3://z"},
        {"s3://bucket/a:b@c?d#e", "s3://bucket/a:b@c?d#e"},
        {"file:///a@b?c", "file:///a@b?c"},
        {"./a://b@c?d", "./a://b@c?d"},
        {" postgres://me:s3cret@host/db?s3cret", " postgres://host/db"},
        {"\"http://me:s3cret@host/x.csv?s3cret", "\"http://host/x.csv"},
        {"2024://me:s3cret@host", "2024://host"},
        {"a@b?c", "a@b?c"},
    };
    char out[DN_SHOWN_PATH_SIZE];
    char address[2 * DN_SHOWN_PATH_SIZE] = "x://u@";

    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        assert_string_equal(dn_source_shown_path(out, pairs[i][0]), pairs[i][1]);
    }
    memset(address + 6, 'h', sizeof address - 7);
    assert_true(strlen(dn_source_shown_path(out, address)) < DN_SHOWN_PATH_SIZE);
    memset(address, 'h', sizeof address - 7);
    memcpy(address + 700, "://u@host", 10);
    assert_null(strstr(dn_source_shown_path(out, address), "u@"));
}

static void test_shown_path(void **state)
{
    (void)state;
    char out[DN_SHOWN_PATH_SIZE];
    char path[1000];

    assert_string_equal(dn_source_shown_path(out, "-"), "standard input");
    for (size_t n = 505; n < 530; n++) { /* of two-byte letters, so that a cut may fall into one */
        for (size_t i = 0; i < n; i++) {
            path[i] = i % 2 != n % 2 ? '\xa9' : '\xc3';
        }
        memcpy(path + n, "/x.csv", 7);
        const char *shown = dn_source_shown_path(out, path);
        const size_t len = strlen(shown);
        if (n + 6 < DN_SHOWN_PATH_SIZE) {
            assert_ptr_equal(shown, path);
            continue;
        }
        assert_true(len == DN_SHOWN_PATH_SIZE - 1 || len == DN_SHOWN_PATH_SIZE - 2);
        assert_memory_equal(shown, "...\xc3", 4);
        assert_string_equal(shown + len - 6, "/x.csv");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_in_order),
        cmocka_unit_test(test_read_at_does_not_move),
        cmocka_unit_test(test_peek_and_pass),
        cmocka_unit_test(test_empty_file),
        cmocka_unit_test(test_what_cannot_be_read),
        cmocka_unit_test(test_permission_denied),
        cmocka_unit_test(test_stdin_from_a_file_somebody_has_read_from),
        cmocka_unit_test(test_pipe_with_short_reads_and_signals),
        cmocka_unit_test(test_pipe_in_non_blocking_mode),
        cmocka_unit_test(test_closed_and_directory_stdin),
        cmocka_unit_test(test_stdin_open_for_writing_only),
        cmocka_unit_test(test_read_errors_name_the_file),
        cmocka_unit_test(test_shown_path),
        cmocka_unit_test(test_shown_address),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
