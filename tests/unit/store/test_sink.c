#include "store/sink.h"

#include "scratch_dir.h"
#include "store/file/file_os.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static void check_content(const char *path, const char *wanted)
{
    char bytes[256];
    ssize_t n = scratch_read(path, bytes, sizeof(bytes));

    assert_int_equal(n, strlen(wanted));
    assert_memory_equal(bytes, wanted, strlen(wanted));
}

static struct dn_sink *open_sink(const char *path, bool overwrite)
{
    struct dn_sink *s = NULL;
    struct dn_error err;

    dn_error_clear(&err);
    enum dn_status st = dn_sink_open(&s, path, overwrite, NULL, NULL, &err);
    assert_string_equal(err.message, "");
    assert_int_equal(st, DN_OK);
    return s;
}

static void write_and_commit(const char *path, const char *text, bool overwrite)
{
    struct dn_sink *s = open_sink(path, overwrite);

    assert_int_equal(dn_sink_write(s, text, strlen(text), NULL), DN_OK);
    assert_int_equal(dn_sink_finish(s, NULL), DN_OK);
    assert_int_equal(dn_sink_commit(s, NULL), DN_OK);
    dn_sink_close(s);
}

static void test_appears_only_at_commit(void **state)
{
    (void)state;
    const char *path = scratch_path(dir, "out.parquet");
    struct dn_sink *s = open_sink(path, false);

    assert_int_equal(dn_sink_position(s), 0);
    assert_int_equal(dn_sink_write(s, "hello ", 6, NULL), DN_OK);
    assert_int_equal(dn_sink_write(s, NULL, 0, NULL), DN_OK);
    assert_int_equal(dn_sink_write(s, "world", 5, NULL), DN_OK);
    assert_int_equal(dn_sink_position(s), 11);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(scratch_count(dir), 1); /* the temporary file, in the same folder */
    assert_int_equal(dn_sink_finish(s, NULL), DN_OK);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(dn_sink_commit(s, NULL), DN_OK);
    check_content(path, "hello world");
    assert_int_equal(scratch_count(dir), 1);
    dn_sink_close(s);
    check_content(path, "hello world");
    dn_sink_close(NULL);
}

static void test_closing_throws_away(void **state)
{
    (void)state;
    const char *path = scratch_path(dir, "out");
    struct dn_sink *s = open_sink(path, false);

    assert_int_equal(dn_sink_write(s, "x", 1, NULL), DN_OK);
    dn_sink_close(s);
    assert_int_equal(scratch_count(dir), 0);
    s = open_sink(path, false);
    assert_int_equal(dn_sink_finish(s, NULL), DN_OK);
    dn_sink_close(s);
    assert_int_equal(scratch_count(dir), 0);
}

static void test_steps_out_of_order(void **state)
{
    (void)state;
    struct dn_sink *s = open_sink(scratch_path(dir, "out"), false);
    struct dn_error err;

    assert_int_equal(dn_sink_commit(s, &err), DN_ERR_INVALID);
    assert_non_null(strstr(err.message, "not finished"));
    assert_int_equal(dn_sink_finish(s, NULL), DN_OK);
    assert_int_equal(dn_sink_write(s, "x", 1, &err), DN_ERR_INVALID);
    assert_int_equal(dn_sink_finish(s, &err), DN_ERR_INVALID);
    assert_int_equal(dn_sink_commit(s, NULL), DN_OK);
    assert_int_equal(dn_sink_commit(s, &err), DN_ERR_INVALID);
    assert_non_null(strstr(err.message, "committed already"));
    dn_sink_close(s);
    check_content(scratch_path(dir, "out"), "");
}

static void test_existing_file(void **state)
{
    (void)state;
    const char *path = scratch_path(dir, "out");
    struct dn_sink *s = NULL;
    struct dn_error err;

    write_and_commit(path, "old", false);
    assert_int_equal(dn_sink_open(&s, path, false, NULL, NULL, &err), DN_ERR_EXISTS);
    assert_null(s);
    assert_non_null(strstr(err.message, path));
    assert_string_equal(err.path, path);
    check_content(path, "old");
    s = open_sink(path, true);
    assert_int_equal(dn_sink_write(s, "new", 3, NULL), DN_OK);
    check_content(path, "old"); /* until the last moment */
    assert_int_equal(dn_sink_finish(s, NULL), DN_OK);
    assert_int_equal(dn_sink_commit(s, NULL), DN_OK);
    dn_sink_close(s);
    check_content(path, "new");
    assert_int_equal(scratch_count(dir), 1);
}

static void test_file_that_appears_before_commit(void **state)
{
    (void)state;
    const char *path = scratch_path(dir, "out");
    struct dn_sink *s = open_sink(path, false);
    struct dn_error err;

    assert_int_equal(dn_sink_write(s, "mine", 4, NULL), DN_OK);
    assert_int_equal(dn_sink_finish(s, NULL), DN_OK);
    scratch_write(path, "theirs", 6);
    assert_int_equal(dn_sink_commit(s, &err), DN_ERR_EXISTS);
    assert_non_null(strstr(err.message, path));
    check_content(path, "theirs");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(dn_sink_commit(s, NULL), DN_OK); /* nothing was lost: it may be tried again */
    dn_sink_close(s);
    check_content(path, "mine");
    assert_int_equal(scratch_count(dir), 1);
}

struct racer {
    const char *path;
    char mark;
    pthread_barrier_t *start;
    enum dn_status result;
};

static void *race(void *arg)
{
    struct racer *r = arg;
    struct dn_sink *s = NULL;

    r->result = dn_sink_open(&s, r->path, false, NULL, NULL, NULL);
    if (r->result == DN_OK) {
        r->result = dn_sink_write(s, &r->mark, 1, NULL);
    }
    if (r->result == DN_OK) {
        r->result = dn_sink_finish(s, NULL);
    }
    pthread_barrier_wait(r->start);
    if (r->result == DN_OK) {
        r->result = dn_sink_commit(s, NULL);
    }
    dn_sink_close(s);
    return NULL;
}

static void test_one_of_many_commits_wins(void **state)
{
    (void)state;
    enum {
        N = 6
    };
    char path[1024];

    for (int round = 0; round < 10; round++) {
        pthread_t threads[N];
        struct racer racers[N];
        pthread_barrier_t start;
        int n_won = 0;
        char got = 0;

        (void)snprintf(path, sizeof(path), "%s/race-%d", dir, round);
        assert_int_equal(pthread_barrier_init(&start, NULL, N), 0);
        for (int i = 0; i < N; i++) {
            racers[i] = (struct racer){path, (char)('a' + i), &start, DN_OK};
            assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
        }
        for (int i = 0; i < N; i++) {
            assert_int_equal(pthread_join(threads[i], NULL), 0);
        }
        assert_int_equal(scratch_read(path, &got, 1), 1);
        for (int i = 0; i < N; i++) {
            if (racers[i].result == DN_OK) {
                n_won++;
                assert_int_equal(got, racers[i].mark);
            } else {
                assert_int_equal(racers[i].result, DN_ERR_EXISTS);
            }
        }
        assert_int_equal(n_won, 1);
        pthread_barrier_destroy(&start);
    }
    assert_int_equal(scratch_count(dir), 10);
}

/* Make renameat2() fail as on kernels and file systems without it; for child processes. */
static bool forbid_renameat2(void)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_renameat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof(program) / sizeof(program[0]), program};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

static int wait_for(pid_t child)
{
    int status = 0;

    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int commit_without_renameat2(const char *path)
{
    struct dn_sink *s = NULL;

    if (!forbid_renameat2()) {
        return 77;
    }
    if (dn_sink_open(&s, path, false, NULL, NULL, NULL) != DN_OK ||
        dn_sink_write(s, "linked", 6, NULL) != DN_OK || dn_sink_finish(s, NULL) != DN_OK) {
        return 1;
    }
    if (renameat2(AT_FDCWD, path, AT_FDCWD, path, RENAME_NOREPLACE) == 0 || errno != EINVAL) {
        return 2; /* the filter does nothing, so this test would prove nothing */
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 || close(fd) != 0 || dn_sink_commit(s, NULL) != DN_ERR_EXISTS) {
        return 3;
    }
    if (unlink(path) != 0 || dn_sink_commit(s, NULL) != DN_OK) {
        return 4;
    }
    dn_sink_close(s);
    return 0;
}

static void test_without_renameat2(void **state)
{
    (void)state;
    const char *path = scratch_path(dir, "out");
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        _exit(commit_without_renameat2(path));
    }
    int result = wait_for(child);
    if (result == 77) {
        skip();
    }
    assert_int_equal(result, 0);
    check_content(path, "linked");
    assert_int_equal(scratch_count(dir), 1);
}

static void test_missing_parents_are_made(void **state)
{
    (void)state;
    char before[512];

    write_and_commit(scratch_path(dir, "a/b//c/out"), "deep", false);
    check_content(scratch_path(dir, "a/b/c/out"), "deep");
    assert_non_null(getcwd(before, sizeof(before)));
    assert_int_equal(chdir(dir), 0);
    write_and_commit("plain", "1", false);
    write_and_commit("x/y/relative", "2", false);
    struct dn_sink *s = open_sink("moved", false);
    assert_int_equal(chdir(before), 0); /* relative names stay where they were meant */
    assert_int_equal(dn_sink_finish(s, NULL), DN_OK);
    assert_int_equal(dn_sink_commit(s, NULL), DN_OK);
    dn_sink_close(s);
    check_content(scratch_path(dir, "plain"), "1");
    check_content(scratch_path(dir, "x/y/relative"), "2");
    check_content(scratch_path(dir, "moved"), "");
}

static void check_refused(const char *path, bool overwrite, enum dn_status wanted, int os_errno,
                          const char *words)
{
    struct dn_sink *s = (struct dn_sink *)dir;
    struct dn_error err;

    assert_int_equal(dn_sink_open(&s, path, overwrite, NULL, NULL, &err), wanted);
    assert_null(s);
    assert_int_equal(err.os_errno, os_errno);
    assert_non_null(strstr(err.message, path));
    assert_non_null(strstr(err.message, words));
    assert_string_equal(err.path, path);
}

static void test_impossible_names(void **state)
{
    (void)state;
    struct dn_sink *s = NULL;
    struct dn_error err;
    char path[1024];

    scratch_write(scratch_path(dir, "file"), "x", 1);
    assert_int_equal(mkdir(scratch_path(dir, "folder"), 0777), 0);
    assert_int_equal(mkfifo(scratch_path(dir, "fifo"), 0666), 0);
    check_refused(scratch_path(dir, "file/out"), false, DN_ERR_IO, ENOTDIR,
                  scratch_path(dir, "file'"));
    check_refused(scratch_path(dir, "file/a/b/out"), false, DN_ERR_IO, ENOTDIR,
                  scratch_path(dir, "file'"));
    check_refused(scratch_path(dir, "folder"), true, DN_ERR_INVALID, 0, "is a folder");
    check_refused(scratch_path(dir, "folder"), false, DN_ERR_INVALID, 0, "is a folder");
    check_refused(scratch_path(dir, "folder/"), true, DN_ERR_INVALID, 0, "names a folder");
    check_refused(scratch_path(dir, "folder/.."), true, DN_ERR_INVALID, 0, "names a folder");
    check_refused(scratch_path(dir, "fifo"), true, DN_ERR_INVALID, 0, "pipe");
    check_refused("/dev/null", true, DN_ERR_INVALID, 0, "device");
    assert_int_equal(dn_sink_open(&s, "", true, NULL, NULL, &err), DN_ERR_INVALID);
    assert_int_equal(dn_sink_open(&s, NULL, true, NULL, NULL, &err), DN_ERR_INVALID);
    int n = snprintf(path, sizeof(path), "%s/", dir);
    memset(path + n, 'n', 256);
    path[n + 256] = '\0';
    check_refused(path, false, DN_ERR_INVALID, ENAMETOOLONG, "shorten");
    path[n + 255] = '\0'; /* as long as names may be */
    write_and_commit(path, "long", false);
    check_content(path, "long");
}

static void die_while_writing(const char *path, bool finish)
{
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        struct dn_sink *s = NULL;
        if (dn_sink_open(&s, path, true, NULL, NULL, NULL) != DN_OK ||
            dn_sink_write(s, "half a fi", 9, NULL) != DN_OK ||
            (finish && dn_sink_finish(s, NULL) != DN_OK)) {
            _exit(2);
        }
        _exit(1); /* no close: as if killed */
    }
    assert_int_equal(wait_for(child), 1);
}

/* The file that a link leads to is written, in its own folder, and the link stays. */
static void test_links_are_followed(void **state)
{
    (void)state;
    static const char *const targets[] = {"file", "sub/file", "./sub/../sub/new", "nowhere",
                                          "second"};
    const char *path = scratch_path(dir, "link");

    assert_int_equal(mkdir(scratch_path(dir, "sub"), 0777), 0);
    assert_int_equal(symlink("sub/deep", scratch_path(dir, "second")), 0);
    scratch_write(scratch_path(dir, "file"), "old", 3);
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        char found[1024] = {0};
        assert_int_equal(symlink(targets[i], path), 0);
        check_refused(path, false, DN_ERR_EXISTS, 0, "exists");
        write_and_commit(path, targets[i], true);
        assert_int_equal(readlink(path, found, sizeof(found) - 1), strlen(targets[i]));
        assert_string_equal(found, targets[i]);
        check_content(path, targets[i]);
        assert_int_equal(unlink(path), 0);
    }
    check_content(scratch_path(dir, "file"), "file");
    check_content(scratch_path(dir, "sub/file"), "sub/file");
    check_content(scratch_path(dir, "sub/new"), "./sub/../sub/new");
    check_content(scratch_path(dir, "nowhere"), "nowhere");
    check_content(scratch_path(dir, "sub/deep"), "second");
    assert_int_equal(scratch_count(dir), 4);
    assert_int_equal(scratch_count(scratch_path(dir, "sub")), 3);
    assert_int_equal(symlink(scratch_path(dir, "sub/file"), path), 0); /* absolute */
    write_and_commit(path, "by the whole path", true);
    check_content(scratch_path(dir, "sub/file"), "by the whole path");
    die_while_writing(path, true);
    assert_int_equal(scratch_count(scratch_path(dir, "sub")), 4); /* beside the target ... */
    write_and_commit(path, "again", true);
    assert_int_equal(scratch_count(scratch_path(dir, "sub")), 3); /* ... where it is cleaned up */
}

static void test_links_that_are_refused(void **state)
{
    (void)state;
    const char *path = scratch_path(dir, "link");
    char target[64];
    const int fd = open(scratch_path(dir, "file"), O_WRONLY | O_CREAT, 0666);

    assert_true(fd >= 0);
    assert_int_equal(mkfifo(scratch_path(dir, "fifo"), 0666), 0);
    assert_int_equal(mkdir(scratch_path(dir, "folder"), 0777), 0);
    (void)snprintf(target, sizeof(target), "/proc/self/fd/%d", fd); /* what /dev/stdout is */
    assert_int_equal(symlink(target, path), 0);
    check_refused(path, true, DN_ERR_INVALID, 0, "/proc");
    check_refused(path, false, DN_ERR_EXISTS, 0, "exists");
    assert_int_equal(unlink(path), 0);
    (void)snprintf(target, sizeof(target), "/proc/self/fd/%d", 999); /* of nothing */
    assert_int_equal(symlink(target, path), 0);
    check_refused(path, true, DN_ERR_INVALID, 0, "/proc");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("fifo", path), 0);
    check_refused(path, true, DN_ERR_INVALID, 0, "pipe");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("folder", path), 0);
    check_refused(path, true, DN_ERR_INVALID, 0, "is a folder");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("other", path), 0);
    assert_int_equal(symlink("link", scratch_path(dir, "other")), 0);
    check_refused(path, true, DN_ERR_INVALID, ELOOP, "circle");
    assert_int_equal(close(fd), 0);
    assert_int_equal(scratch_count(dir), 5);
}

/* In a folder like /tmp anybody can put a link: that of another user is not followed. */
static void test_planted_link(void **state)
{
    (void)state;
    const char *path = scratch_path(dir, "shared/link");

    if (geteuid() != 0) {
        skip(); /* only root can make a link of somebody else's */
    }
    assert_int_equal(mkdir(scratch_path(dir, "shared"), 0777), 0);
    assert_int_equal(chmod(scratch_path(dir, "shared"), 01777), 0);
    assert_int_equal(symlink("../precious", path), 0);
    assert_int_equal(lchown(path, 65534, 65534), 0);
    check_refused(path, true, DN_ERR_INVALID, 0, "another user");
    assert_int_equal(lchown(path, 0, 0), 0);
    write_and_commit(path, "ours", true);
    check_content(scratch_path(dir, "precious"), "ours");
}

static void test_mode_and_owner_are_kept(void **state)
{
    (void)state;
    static const mode_t modes[] = {0600, 0664, 0444, 0755};
    const char *path = scratch_path(dir, "out");
    struct stat info;

    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        scratch_write(path, "old", 3);
        assert_int_equal(chmod(path, modes[i]), 0);
        if (geteuid() == 0) {
            assert_int_equal(chown(path, 65534, 65534), 0);
        }
        struct dn_sink *s = open_sink(path, true);
        assert_int_equal(dn_sink_finish(s, NULL), DN_OK);
        assert_int_equal(dn_sink_commit(s, NULL), DN_OK);
        dn_sink_close(s);
        assert_int_equal(stat(path, &info), 0);
        assert_int_equal(info.st_size, 0);
        assert_int_equal(info.st_mode & 07777, modes[i]);
        if (geteuid() == 0) {
            assert_int_equal(info.st_uid, 65534);
            assert_int_equal(info.st_gid, 65534);
        }
        assert_int_equal(unlink(path), 0);
    }
}

static void test_closed_folder(void **state)
{
    (void)state;
    const char *folder = scratch_path(dir, "closed");
    const char *path = scratch_path(dir, "closed/out");
    const char *deep = scratch_path(dir, "closed/sub/out");

    assert_int_equal(mkdir(folder, 0777), 0);
    assert_int_equal(chmod(folder, 0555), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) { /* root may write everywhere, so be somebody else */
        struct dn_sink *s = NULL;
        struct dn_error err;
        if (chdir(dir) != 0 || (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))) {
            _exit(2);
        }
        bool flat = dn_sink_open(&s, "closed/out", false, NULL, NULL, &err) == DN_ERR_IO &&
                    err.os_errno == EACCES && strstr(err.message, "'closed/out'") != NULL &&
                    strstr(err.message, "permission") != NULL;
        bool nested = dn_sink_open(&s, "closed/sub/out", false, NULL, NULL, &err) == DN_ERR_IO &&
                      err.os_errno == EACCES && strstr(err.message, "'closed/sub'") != NULL;
        _exit(flat && nested && s == NULL ? 0 : 1);
    }
    assert_int_equal(wait_for(child), 0);
    assert_int_equal(chmod(folder, 0777), 0);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(access(deep, F_OK), -1);
    assert_int_equal(scratch_count(folder), 0);
}

static void test_killed_process(void **state)
{
    (void)state;
    const char *path = scratch_path(dir, "out");

    die_while_writing(path, false);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(scratch_count(dir), 1); /* what it left behind */
    die_while_writing(path, true);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(scratch_count(dir), 1); /* the second one removed what the first had left */
    struct dn_sink *s = open_sink(path, false);
    assert_int_equal(scratch_count(dir), 1); /* ours alone */
    assert_int_equal(dn_sink_finish(s, NULL), DN_OK);
    assert_int_equal(dn_sink_commit(s, NULL), DN_OK);
    dn_sink_close(s);
    check_content(path, "");
    assert_int_equal(scratch_count(dir), 1);
}

static void test_living_and_foreign_files_are_left_alone(void **state)
{
    (void)state;
    static const char *const foreign[] = {".out.1-2.tmpx",  ".out.1-2",    ".out.-2.tmp",
                                          ".out.1-.tmp",    ".out.12.tmp", ".out.a-2.tmp",
                                          ".other.1-2.tmp", "out.1-2.tmp", ".out2.1-2.tmp"};
    const size_t n_foreign = sizeof(foreign) / sizeof(foreign[0]);
    const char *path = scratch_path(dir, "out");

    for (size_t i = 0; i < n_foreign; i++) {
        scratch_write(scratch_path(dir, foreign[i]), "keep", 4);
    }
    scratch_write(scratch_path(dir, ".out.999999-7.tmp"), "stale", 5);
    assert_int_equal(symlink("elsewhere", scratch_path(dir, ".out.999999-8.tmp")), 0);
    struct dn_sink *first = open_sink(path, true);
    assert_int_equal(access(scratch_path(dir, ".out.999999-7.tmp"), F_OK), -1);
    assert_int_equal(scratch_count(dir), n_foreign + 2); /* a link is nothing of ours either */
    struct dn_sink *second =
        open_sink(path, true); /* must not take the first one's file for stale */
    assert_int_equal(scratch_count(dir), n_foreign + 3);
    assert_int_equal(dn_sink_write(first, "first", 5, NULL), DN_OK);
    assert_int_equal(dn_sink_finish(first, NULL), DN_OK);
    assert_int_equal(dn_sink_commit(first, NULL), DN_OK);
    dn_sink_close(first);
    check_content(path, "first");
    dn_sink_close(second);
    check_content(path, "first");
    for (size_t i = 0; i < n_foreign; i++) {
        check_content(scratch_path(dir, foreign[i]), "keep");
    }
}

/* Many processes open and drop the same name: nobody may lose its file to somebody else's clean-up. */
static void test_clean_up_never_takes_a_fresh_file(void **state)
{
    (void)state;
    enum {
        N = 4
    };
    char path[1024];
    pid_t children[N];

    (void)snprintf(path, sizeof(path), "%s/out", dir);
    for (int i = 0; i < N; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            for (int k = 0; k < 150; k++) {
                struct dn_sink *s = NULL;
                if (dn_sink_open(&s, path, true, NULL, NULL, NULL) != DN_OK ||
                    dn_sink_write(s, "x", 1, NULL) != DN_OK || dn_sink_finish(s, NULL) != DN_OK ||
                    dn_sink_commit(s, NULL) != DN_OK) {
                    _exit(1);
                }
                dn_sink_close(s);
            }
            _exit(0);
        }
    }
    for (int i = 0; i < N; i++) {
        assert_int_equal(wait_for(children[i]), 0);
    }
    check_content(path, "x");
    assert_int_equal(scratch_count(dir), 1);
}

static void test_short_write_then_full(void **state)
{
    (void)state;
    const char *path = scratch_path(dir, "out");
    pid_t child = fork();

    assert_true(child >= 0);
    if (child ==
        0) { /* a file size limit gives a short write first and an error second, like a full disk */
        static char bytes[5000];
        struct rlimit limit = {.rlim_cur = 3000, .rlim_max = 3000};
        struct dn_sink *s = NULL;
        struct dn_error err;
        (void)signal(SIGXFSZ, SIG_IGN);
        if (setrlimit(RLIMIT_FSIZE, &limit) != 0 ||
            dn_sink_open(&s, path, false, NULL, NULL, NULL) != DN_OK) {
            _exit(2);
        }
        enum dn_status st = dn_sink_write(s, bytes, sizeof(bytes), &err);
        st = st == DN_OK ? dn_sink_finish(s, &err) : st;
        bool told = st == DN_ERR_IO && err.os_errno == EFBIG && strstr(err.message, path) != NULL &&
                    strstr(err.message, "2000 more bytes") != NULL &&
                    strstr(err.message, "first 3000 bytes") != NULL;
        bool dead = dn_sink_write(s, "x", 1, &err) == DN_ERR_INVALID &&
                    dn_sink_finish(s, NULL) == DN_ERR_INVALID &&
                    dn_sink_commit(s, NULL) == DN_ERR_INVALID;
        dn_sink_close(s);
        _exit(told && dead ? 0 : 1);
    }
    assert_int_equal(wait_for(child), 0);
    assert_int_equal(scratch_count(dir), 0);
}

/* Byte i of the large files below. */
static uint8_t pattern(size_t i)
{
    return (uint8_t)(i * 7 + i / 251);
}

static void write_large(struct dn_sink *s, size_t len, size_t piece)
{
    uint8_t *bytes = malloc(piece);

    assert_non_null(bytes);
    for (size_t at = 0; at < len; at += piece) {
        const size_t n = len - at < piece ? len - at : piece;
        for (size_t i = 0; i < n; i++) {
            bytes[i] = pattern(at + i);
        }
        assert_int_equal(dn_sink_write(s, bytes, n, NULL), DN_OK);
        assert_int_equal(dn_sink_position(s), at + n);
    }
    free(bytes);
}

static void check_large(const char *path, size_t len)
{
    uint8_t *bytes = malloc(len + 1);
    size_t wrong = 0;

    assert_non_null(bytes);
    assert_int_equal(scratch_read(path, bytes, len + 1), len);
    for (size_t i = 0; i < len; i++) {
        wrong += bytes[i] != pattern(i);
    }
    assert_int_equal(wrong, 0);
    free(bytes);
}

/* Many blocks, whatever the pieces; the blocks end with the pieces, or with the file, or do not. */
static void test_large_files(void **state)
{
    static const size_t lens[] = {(64 << 10) - 1, 64 << 10,      (64 << 10) + 1, (4 << 20) - 1,
                                  4 << 20,        (4 << 20) + 1, 8 << 20,        9999999};
    static const size_t pieces[] = {1 << 20, 4096, 777777, 6 << 20};

    (void)state;
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        for (size_t k = 0; k < sizeof(pieces) / sizeof(pieces[0]); k++) {
            const char *path = scratch_path(dir, "large");
            struct dn_sink *s = open_sink(path, true);
            write_large(s, lens[i], pieces[k]);
            assert_int_equal(dn_sink_finish(s, NULL), DN_OK);
            assert_int_equal(dn_sink_commit(s, NULL), DN_OK);
            dn_sink_close(s);
            check_large(path, lens[i]);
        }
    }
}

/* Some file systems refuse to write past the page cache only when it comes to it. */
static void test_direct_writes_are_refused(void **state)
{
    (void)state;
    const char *path = scratch_path(dir, "large");
    struct dn_sink *s = open_sink(path, false);

    dn_sink_fail_at(2, EINVAL);
    write_large(s, 9999999, 1 << 20);
    assert_int_equal(dn_sink_finish(s, NULL), DN_OK);
    assert_int_equal(dn_sink_fail_at(0, 0), 5); /* three blocks, the repetition, fsync */
    assert_int_equal(dn_sink_commit(s, NULL), DN_OK);
    dn_sink_close(s);
    check_large(path, 9999999);
}

/* What goes past the page cache is made durable on its way: the disk has its own cache, and at the end all of it would be waited for. */
static void test_long_files_are_made_durable_on_their_way(void **state)
{
    (void)state;
    enum {
        BLOCK = 4 << 20,
        ON_THE_WAY = 16 /* blocks */
    };
    static uint8_t bytes[BLOCK];
    struct dn_error err = {0};
    struct dn_sink *s = open_sink(scratch_path(dir, "long"), false);
    const int fd = open(dir, O_TMPFILE | O_WRONLY | O_DIRECT, 0600);
    const bool is_direct = fd >= 0 && dn_file_os_set_direct(fd, true);

    if (fd >= 0) {
        (void)close(fd);
    }
    dn_sink_fail_at(ON_THE_WAY + 1, EIO);
    enum dn_status st = DN_OK;
    for (int i = 0; i <= ON_THE_WAY && st == DN_OK; i++) {
        assert_int_equal(dn_sink_position(s), (uint64_t)i * BLOCK);
        st = dn_sink_write(s, bytes, BLOCK, &err);
        assert_true(st == DN_OK || i >= ON_THE_WAY - 1);
    }
    (void)dn_sink_fail_at(0, 0);
    assert_int_equal(st, DN_ERR_IO);
    assert_non_null(strstr(err.message, is_direct ? "67108864 bytes of" : "cannot write"));
    assert_int_equal(strstr(err.message, "could not be made durable") != NULL, is_direct);
    dn_sink_close(s);
    assert_int_not_equal(access(scratch_path(dir, "long"), F_OK), 0);
}

static void test_mode_follows_the_umask(void **state)
{
    (void)state;
    const char *path = scratch_path(dir, "out");
    struct stat info;
    mode_t before = umask(027);

    write_and_commit(path, "x", false);
    (void)umask(before);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0640);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_appears_only_at_commit, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_closing_throws_away, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_steps_out_of_order, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_existing_file, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_file_that_appears_before_commit, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_one_of_many_commits_wins, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_without_renameat2, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_missing_parents_are_made, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_impossible_names, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_links_are_followed, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_links_that_are_refused, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_planted_link, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_mode_and_owner_are_kept, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_closed_folder, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_killed_process, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_living_and_foreign_files_are_left_alone, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(test_clean_up_never_takes_a_fresh_file, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(test_short_write_then_full, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_large_files, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_direct_writes_are_refused, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_long_files_are_made_durable_on_their_way, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(test_mode_follows_the_umask, make_dir, remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
