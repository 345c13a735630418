#include "cli/conform_state.h"

#include "base/os_memory.h"
#include "base/os_process.h"

#include <dirent.h>
#include <fcntl.h>
#include <fenv.h>
#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ; /* which not every system has in a header */

static const char *const k_disturbed_remedy[] = {
    "",
    "log on standard error, as lines of JSON: standard output is the data of the host",
    "leave signal handlers to the host: its own no longer run",
    "never call chdir(): paths of the host are relative to its directory",
    "never call setlocale(): numbers of the host are written with it",
    "leave what is the whole process's as it was, or set it back before the call returns",
    "end every process that the plugin starts, at the latest where the handle is freed",
};

const char *dn_disturbed_remedy(enum dn_disturbed disturbed)
{
    return k_disturbed_remedy[disturbed];
}

static uint64_t environment_digest(void)
{
    uint64_t digest = 0;

    for (char **entry = environ; entry != NULL && *entry != NULL; entry++) {
        for (const char *p = *entry; *p != '\0'; p++) {
            digest = digest * 1099511628211u + (unsigned char)*p;
        }
        digest = digest * 1099511628211u + 1;
    }
    return digest;
}

void dn_conform_state_take(struct dn_conform_state *s)
{
    const char *locale = setlocale(LC_ALL, NULL);

    for (int i = 1; i < 32; i++) {
        struct sigaction action;
        s->handlers[i] = sigaction(i, NULL, &action) == 0 ? action.sa_handler : NULL;
    }
    if (getcwd(s->directory, sizeof s->directory) == NULL) {
        s->directory[0] = '\0';
    }
    (void)snprintf(s->locale, sizeof s->locale, "%s", locale != NULL ? locale : "");
    (void)pthread_sigmask(SIG_SETMASK, NULL, &s->blocked);
    s->umask = umask(0);
    (void)umask(s->umask);
    s->rounding = fegetround();
    s->environment = environment_digest();
    for (int fd = 0; fd < 3; fd++) {
        s->open[fd] = fcntl(fd, F_GETFD) >= 0;
    }
}

/* NULL: nothing of the process is other than it was. */
static const char *process_change(const struct dn_conform_state *now,
                                  const struct dn_conform_state *before)
{
    static const char *const streams[] = {"standard input", "standard output", "standard error"};

    for (int i = 1; i < 32; i++) {
        if (sigismember(&now->blocked, i) != sigismember(&before->blocked, i)) {
            return "the signals that are blocked";
        }
    }
    for (int fd = 0; fd < 3; fd++) {
        if (now->open[fd] != before->open[fd]) {
            return streams[fd];
        }
    }
    return now->umask != before->umask               ? "the umask"
           : now->rounding != before->rounding       ? "how numbers are rounded"
           : now->environment != before->environment ? "the environment"
                                                     : NULL;
}

enum dn_disturbed dn_conform_state_compare(struct dn_conform *c,
                                           const struct dn_conform_state *before)
{
    struct dn_conform_state now = {0};
    int status = 0;

    dn_conform_state_take(&now);
    for (int i = 1; i < 32; i++) {
        if (now.handlers[i] != before->handlers[i]) {
            (void)dn_conform_fail(c, "the plugin changed the handler of SIG%s",
                                  dn_os_signal_name(i));
            return DN_DISTURBED_SIGNALS;
        }
    }
    if (strcmp(now.directory, before->directory) != 0) {
        (void)dn_conform_fail(c, "the plugin changed the working directory to %.300s",
                              now.directory);
        return DN_DISTURBED_DIRECTORY;
    }
    if (strcmp(now.locale, before->locale) != 0) {
        (void)dn_conform_fail(c, "the plugin changed the locale to %.100s", now.locale);
        return DN_DISTURBED_LOCALE;
    }
    const char *change = process_change(&now, before);
    if (change != NULL) {
        (void)dn_conform_fail(c, "the plugin changed %s", change);
        return DN_DISTURBED_PROCESS;
    }
    if (waitpid(-1, &status, WNOHANG) >= 0) {
        (void)dn_conform_fail(c, "the plugin left a process that it started");
        return DN_DISTURBED_CHILDREN;
    }
    return DN_DISTURBED_NOT;
}

/* ---- what handles leave ---- */

#if defined(__GLIBC__)
/* Space for this program's arguments. */
struct arguments {
    char text[1 << 16];
    char *list[512];
};

static bool arguments_read(struct arguments *a)
{
    FILE *file = fopen("/proc/self/cmdline", "r");
    const size_t len = file != NULL ? fread(a->text, 1, sizeof a->text - 1, file) : 0;
    size_t n = 0;

    if (file != NULL) {
        (void)fclose(file);
    }
    for (size_t at = 0; at < len && n + 1 < sizeof a->list / sizeof a->list[0]; n++) {
        a->list[n] = a->text + at;
        at += strlen(a->text + at) + 1;
    }
    return n > 0 && len < sizeof a->text - 1 && n + 1 < sizeof a->list / sizeof a->list[0];
}
#endif

void dn_conform_again_uncached(void)
{
#if defined(__GLIBC__)
    static const char uncached[] = "glibc.malloc.tcache_count=0";
    static struct arguments arguments;
    const char *before = getenv("GLIBC_TUNABLES");
    const char *preloaded = getenv("LD_PRELOAD"); /* under valgrind, which would not come along */
    char tunables[1024];
    char program[PATH_MAX];

    if ((before != NULL && strstr(before, uncached) != NULL) ||
        (preloaded != NULL && strstr(preloaded, "vgpreload") != NULL) ||
        !dn_os_executable(program, sizeof program) || !arguments_read(&arguments)) {
        return;
    }
    (void)snprintf(tunables, sizeof tunables, "%s%s%.900s", uncached, before != NULL ? ":" : "",
                   before != NULL ? before : "");
    if (setenv("GLIBC_TUNABLES", tunables, 1) == 0) {
        (void)fflush(NULL);
        (void)execv(program, arguments.list);
    }
#endif
}

enum {
    LEAKED =
        32 /* bytes of one of them: less is no allocation; some that allocators keep come once */
};

static int entries_count(const char *path)
{
    int n = 0;

    DIR *dir = opendir(path);
    while (dir != NULL && readdir(dir) != NULL) {
        n++;
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    return n;
}

/* 0: nobody tells, or what is mapped is that of a sanitizer, which needs terabytes and gives nothing back. */
static size_t pages_count(void)
{
    unsigned long long n = 0;

    FILE *file = fopen("/proc/self/statm", "r");
    const bool is_told = file != NULL && fscanf(file, "%llu", &n) == 1 && n < 1ULL << 28;
    if (file != NULL) {
        (void)fclose(file);
    }
    return is_told ? (size_t)n : 0;
}

static struct dn_conform_held held_now(void)
{
    return (struct dn_conform_held){.n_files = entries_count("/proc/self/fd"),
                                    .n_threads = entries_count("/proc/self/task"),
                                    .n_bytes = dn_os_heaps_used(),
                                    .n_pages = pages_count()};
}

static size_t growth(size_t before, size_t after)
{
    return after > before ? after - before : 0;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* What is lost of each kind if this is what every round has added. */
static struct dn_conform_held lost_of(const struct dn_conform_held *least, int n)
{
    return (struct dn_conform_held){.n_files = least->n_files,
                                    /* one that is about to end is none that stays */
                                    .n_threads = least->n_threads >= n ? least->n_threads : 0,
                                    .n_bytes =
                                        least->n_bytes >= (size_t)n * LEAKED ? least->n_bytes : 0,
                                    .n_pages = least->n_pages >= (size_t)n ? least->n_pages : 0};
}

bool dn_conform_left_take(struct dn_conform_left *left, int i)
{
    if (i == 0 || i % left->n != 0) {
        return true;
    }
    const struct dn_conform_held before = left->last;
    struct dn_conform_held *least = &left->least;
    left->last = held_now();
    if (i == left->n) {
        *least = (struct dn_conform_held){INT_MAX, INT_MAX, SIZE_MAX, SIZE_MAX};
        return true;
    }
    const struct dn_conform_held *now = &left->last;
    least->n_files =
        (int)smaller((size_t)least->n_files, growth((size_t)before.n_files, (size_t)now->n_files));
    least->n_threads = (int)smaller((size_t)least->n_threads,
                                    growth((size_t)before.n_threads, (size_t)now->n_threads));
    least->n_bytes = smaller(least->n_bytes, growth(before.n_bytes, now->n_bytes));
    least->n_pages = smaller(least->n_pages, growth(before.n_pages, now->n_pages));
    const struct dn_conform_held lost = lost_of(least, left->n);
    return i < DN_CONFORM_MANY_MOST &&
           (lost.n_files > 0 || lost.n_threads > 0 || lost.n_bytes > 0 || lost.n_pages > 0);
}

enum dn_verdict dn_conform_left_check(struct dn_conform *c, const struct dn_conform_left *left,
                                      const char *what)
{
    const struct dn_conform_held lost = lost_of(&left->least, left->n);

    if (lost.n_files > 0) {
        return dn_conform_fail(c, "%d %s left %d files open", left->n, what, lost.n_files);
    }
    if (lost.n_threads > 0) {
        return dn_conform_fail(c, "%d %s left %d threads", left->n, what, lost.n_threads);
    }
    if (lost.n_bytes > 0) {
        return dn_conform_fail(c, "%d %s left %zu bytes of memory", left->n, what, lost.n_bytes);
    }
    if (lost.n_pages > 0) {
        return DN_CONFORM_FAIL(c,
                               "unmap with munmap() what mmap() gave, where the handle is freed at "
                               "the latest",
                               "%d %s left %zu pages of memory mapped", left->n, what,
                               lost.n_pages);
    }
    return DN_VERDICT_PASS;
}
