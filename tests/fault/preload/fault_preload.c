/*
 * LD_PRELOAD: one chosen call of the C library goes wrong, once or for some time.  For test processes only.
 *
 * DN_FAULT (or fault_arm(), from inside a process) is a list of words:
 *
 *   call=NAME    read write fsync rename link open unlink mmap pthread_create malloc ...: what goes wrong; see NAMES
 *   at=N         from the N-th such call on (1: the first)
 *   times=K      for K calls; default 1, 0 for all that follow
 *   errno=E      it fails with this errno ...
 *   short        ... or moves half of the bytes it was asked for, at least one ...
 *   signal=S     ... or this signal is sent to the process, and the call goes on; SIGKILL comes before the call ...
 *   after=S      ... or when the call has been done
 *   path=TEXT    only calls whose file has TEXT in its path count
 *
 * At the end of the process, and when it fires, a line goes to the file DN_FAULT_LOG: "calls N", "fired NAME PATH".
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define API __attribute__((visibility("default")))

API void fault_arm(const char *words);
API long fault_calls(void);
API long fault_fired(void);

static struct {
    char call[32];
    char path[128];
    long at;
    long times;
    int failure;
    bool is_short;
    int signal_before;
    int signal_after;
} plan;

static atomic_bool armed;
static atomic_long n_calls;
static atomic_long n_fired;

enum outcome {
    GO_ON,
    FAIL,
    HALF
};

/* ---- the plan -------------------------------------------------------------------------------------------------- */

static long number_of(const char *words, const char *key, long otherwise)
{
    const char *found = strstr(words, key);
    return found == NULL ? otherwise : strtol(found + strlen(key), NULL, 10);
}

static void text_of(char *out, size_t size, const char *words, const char *key)
{
    const char *found = strstr(words, key);
    const char *text = found == NULL ? "" : found + strlen(key);
    size_t len = strcspn(text, " ");

    len = len < size ? len : size - 1;
    memcpy(out, text, len);
    out[len] = '\0';
}

void fault_arm(const char *words)
{
    atomic_store(&armed, false);
    atomic_store(&n_calls, 0);
    atomic_store(&n_fired, 0);
    text_of(plan.call, sizeof plan.call, words, "call=");
    text_of(plan.path, sizeof plan.path, words, "path=");
    plan.at = number_of(words, "at=", 0);
    plan.times = number_of(words, "times=", 1);
    plan.failure = (int)number_of(words, "errno=", 0);
    plan.is_short = strstr(words, "short") != NULL;
    plan.signal_before = (int)number_of(words, "signal=", 0);
    plan.signal_after = (int)number_of(words, "after=", 0);
    atomic_store(&armed, plan.call[0] != '\0');
}

long fault_calls(void)
{
    return atomic_load(&n_calls);
}

long fault_fired(void)
{
    return atomic_load(&n_fired);
}

/* One line into the log, without the calls that are watched. */
static void note(const char *what, const char *path, long n)
{
    const char *log = getenv("DN_FAULT_LOG");
    char line[PATH_MAX + 64];

    if (log == NULL) {
        return;
    }
    const int len = snprintf(line, sizeof line, "%s %s %ld\n", what, path, n);
    const long fd = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (fd >= 0 && len > 0) {
        (void)syscall(SYS_write, fd, line, (size_t)len);
    }
    (void)syscall(SYS_close, fd);
}

__attribute__((constructor)) static void start(void)
{
    const char *words = getenv("DN_FAULT");
    if (words != NULL) {
        fault_arm(words);
    }
}

__attribute__((destructor)) static void end(void)
{
    if (atomic_exchange(&armed, false)) {
        note("calls", plan.call, atomic_load(&n_calls));
    }
}

/* ---- one call ---------------------------------------------------------------------------------------------------- */

static const char *path_of(char out[PATH_MAX], int fd)
{
    char link[32];

    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const long n = syscall(SYS_readlinkat, AT_FDCWD, link, out, PATH_MAX - 1);
    out[n < 0 ? 0 : n] = '\0';
    return out;
}

static void send(int number)
{
    if (number == SIGKILL) {
        (void)syscall(SYS_kill, getpid(), SIGKILL);
    }
    (void)kill(getpid(), number);
}

/* Is it this call's turn?  `path` may be NULL: then that of `fd` is looked up if it matters. */
static bool its_turn(const char *call, const char *path, int fd)
{
    char buffer[PATH_MAX];

    if (!atomic_load_explicit(&armed, memory_order_acquire) || strcmp(call, plan.call) != 0) {
        return false;
    }
    const int saved = errno;
    if (path == NULL) {
        path = fd >= 0 ? path_of(buffer, fd) : "";
    }
    errno = saved;
    if (plan.path[0] != '\0' && strstr(path, plan.path) == NULL) {
        return false;
    }
    const long n = atomic_fetch_add(&n_calls, 1) + 1;
    if (plan.at == 0 || n < plan.at || (plan.times != 0 && n >= plan.at + plan.times)) {
        return false;
    }
    atomic_fetch_add(&n_fired, 1);
    note("fired", path[0] != '\0' ? path : "-", n);
    errno = saved;
    return true;
}

static enum outcome begin(void)
{
    if (plan.signal_before != 0) {
        send(plan.signal_before);
    }
    if (plan.failure != 0) {
        errno = plan.failure;
        return FAIL;
    }
    return plan.is_short ? HALF : GO_ON;
}

static size_t half(size_t n)
{
    return n > 1 ? n / 2 : n;
}

/*
 * A call that is watched: `fire` tells whether it is its turn, `fail` is what it returns when it fails, `shrink` what makes
 * it move less.  The C library's own function does the rest.
 */
#define WATCHED(type, name, call, path, fd, fail, shrink, params, args)                            \
    API type name params                                                                           \
    {                                                                                              \
        static type(*next) params;                                                                 \
        if (next == NULL) {                                                                        \
            *(void **)&next = dlsym(RTLD_NEXT, #name);                                             \
        }                                                                                          \
        if (!its_turn(call, path, fd)) {                                                           \
            return next args;                                                                      \
        }                                                                                          \
        const enum outcome outcome = begin();                                                      \
        if (outcome == FAIL) {                                                                     \
            return fail;                                                                           \
        }                                                                                          \
        if (outcome == HALF) {                                                                     \
            shrink;                                                                                \
        }                                                                                          \
        type result = next args;                                                                   \
        if (plan.signal_after != 0) {                                                              \
            const int saved = errno;                                                               \
            send(plan.signal_after);                                                               \
            errno = saved;                                                                         \
        }                                                                                          \
        return result;                                                                             \
    }

#define NOTHING ((void)0)

WATCHED(ssize_t, read, "read", NULL, fd, -1, n = half(n), (int fd, void *b, size_t n), (fd, b, n))
WATCHED(ssize_t, pread, "pread", NULL, fd, -1, n = half(n), (int fd, void *b, size_t n, off_t at),
        (fd, b, n, at))
WATCHED(ssize_t, pread64, "pread", NULL, fd, -1, n = half(n),
        (int fd, void *b, size_t n, off64_t at), (fd, b, n, at))
/* Half of the first of n. */
static const struct iovec *half_of(const struct iovec *to)
{
    static _Thread_local struct iovec shorter;

    shorter = (struct iovec){to->iov_base, half(to->iov_len)};
    return &shorter;
}

WATCHED(ssize_t, preadv2, "preadv2", NULL, fd, -1, (to = half_of(to), n = 1),
        (int fd, const struct iovec *to, int n, off_t at, int flags), (fd, to, n, at, flags))
WATCHED(ssize_t, preadv64v2, "preadv2", NULL, fd, -1, (to = half_of(to), n = 1),
        (int fd, const struct iovec *to, int n, off64_t at, int flags), (fd, to, n, at, flags))
WATCHED(ssize_t, write, "write", NULL, fd, -1, n = half(n), (int fd, const void *b, size_t n),
        (fd, b, n))
WATCHED(ssize_t, pwrite, "write", NULL, fd, -1, n = half(n),
        (int fd, const void *b, size_t n, off_t at), (fd, b, n, at))
WATCHED(ssize_t, pwrite64, "write", NULL, fd, -1, n = half(n),
        (int fd, const void *b, size_t n, off64_t at), (fd, b, n, at))
WATCHED(int, fsync, "fsync", NULL, fd, -1, NOTHING, (int fd), (fd))
WATCHED(int, fdatasync, "fsync", NULL, fd, -1, NOTHING, (int fd), (fd))
WATCHED(int, ftruncate, "ftruncate", NULL, fd, -1, NOTHING, (int fd, off_t n), (fd, n))
WATCHED(int, ftruncate64, "ftruncate", NULL, fd, -1, NOTHING, (int fd, off64_t n), (fd, n))
WATCHED(int, fallocate, "fallocate", NULL, fd, -1, NOTHING, (int fd, int mode, off_t at, off_t n),
        (fd, mode, at, n))
WATCHED(int, flock, "flock", NULL, fd, -1, NOTHING, (int fd, int how), (fd, how))
WATCHED(int, rename, "rename", to, -1, -1, NOTHING, (const char *from, const char *to), (from, to))
WATCHED(int, renameat, "rename", to, -1, -1, NOTHING,
        (int a, const char *from, int b, const char *to), (a, from, b, to))
WATCHED(int, renameat2, "rename", to, -1, -1, NOTHING,
        (int a, const char *from, int b, const char *to, unsigned flags), (a, from, b, to, flags))
WATCHED(int, link, "link", to, -1, -1, NOTHING, (const char *from, const char *to), (from, to))
WATCHED(int, linkat, "link", to, -1, -1, NOTHING,
        (int a, const char *from, int b, const char *to, int flags), (a, from, b, to, flags))
WATCHED(int, unlink, "unlink", path, -1, -1, NOTHING, (const char *path), (path))
WATCHED(int, unlinkat, "unlink", path, -1, -1, NOTHING, (int dir, const char *path, int flags),
        (dir, path, flags))
WATCHED(int, mkdir, "mkdir", path, -1, -1, NOTHING, (const char *path, mode_t mode), (path, mode))
WATCHED(off_t, lseek, "lseek", NULL, fd, -1, NOTHING, (int fd, off_t at, int how), (fd, at, how))
WATCHED(void *, mmap, "mmap", NULL, fd, MAP_FAILED, NOTHING,
        (void *at, size_t n, int prot, int flags, int fd, off_t from),
        (at, n, prot, flags, fd, from))
WATCHED(void *, mmap64, "mmap", NULL, fd, MAP_FAILED, NOTHING,
        (void *at, size_t n, int prot, int flags, int fd, off64_t from),
        (at, n, prot, flags, fd, from))
WATCHED(int, pthread_create, "pthread_create", "", -1, plan.failure, NOTHING,
        (pthread_t * out, const pthread_attr_t *a, void *(*body)(void *), void *arg),
        (out, a, body, arg))

/* open() takes a mode only when it creates, so it cannot be passed on by name. */
static int really_open(int dir, const char *path, int flags, mode_t mode)
{
    if (its_turn("open", path, -1) && begin() == FAIL) {
        return -1;
    }
    return (int)syscall(SYS_openat, dir, path, flags | O_LARGEFILE, mode);
}

static mode_t mode_in(int flags, va_list rest)
{
    return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
}

#define OPENS(name)                                                                                \
    API int name(const char *path, int flags, ...)                                                 \
    {                                                                                              \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        const mode_t mode = mode_in(flags, rest);                                                  \
        va_end(rest);                                                                              \
        return really_open(AT_FDCWD, path, flags, mode);                                           \
    }
#define OPENS_AT(name)                                                                             \
    API int name(int dir, const char *path, int flags, ...)                                        \
    {                                                                                              \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        const mode_t mode = mode_in(flags, rest);                                                  \
        va_end(rest);                                                                              \
        return really_open(dir, path, flags, mode);                                                \
    }
OPENS(open)
OPENS(open64)
OPENS_AT(openat)
OPENS_AT(openat64)

/* ---- memory -------------------------------------------------------------------------------------------------------- */

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t n);
extern void *__libc_memalign(size_t alignment, size_t n);

/*
 * jansson is left out: its lexer (2.14, lex_save) ignores that its buffer could not grow, loses bytes of the text and then runs past
 * the end of its block, so a failure there tests nothing of ours.
 */
static bool refuses(const void *caller)
{
    Dl_info from;

    if (!atomic_load_explicit(&armed, memory_order_acquire) || strcmp(plan.call, "malloc") != 0 ||
        (dladdr(caller, &from) != 0 && strstr(from.dli_fname, "libjansson") != NULL)) {
        return false;
    }
    return its_turn("malloc", "", -1) && begin() == FAIL;
}

API void *malloc(size_t n)
{
    return refuses(__builtin_return_address(0)) ? NULL : __libc_malloc(n);
}

API void *calloc(size_t n, size_t size)
{
    return refuses(__builtin_return_address(0)) ? NULL : __libc_calloc(n, size);
}

API void *realloc(void *old, size_t n)
{
    return refuses(__builtin_return_address(0)) ? NULL : __libc_realloc(old, n);
}

API void *aligned_alloc(size_t alignment, size_t n)
{
    return refuses(__builtin_return_address(0)) ? NULL : __libc_memalign(alignment, n);
}

API int posix_memalign(void **out, size_t alignment, size_t n)
{
    *out = refuses(__builtin_return_address(0)) ? NULL : __libc_memalign(alignment, n);
    return *out != NULL ? 0 : ENOMEM;
}
