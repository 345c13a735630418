/** For tests: cmocka with what it needs, seeded random numbers, and a scratch folder. */
#ifndef DN_TEST_SCRATCH_H
#define DN_TEST_SCRATCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#    include <sys/uio.h>
#endif

#if defined(__SANITIZE_ADDRESS__)
#    define SCRATCH_ADDRESS_SANITIZED 1
#elif defined(__SANITIZE_THREAD__)
#    define SCRATCH_THREAD_SANITIZED 1
#elif defined(__has_feature)
#    if __has_feature(address_sanitizer)
#        define SCRATCH_ADDRESS_SANITIZED 1
#    elif __has_feature(thread_sanitizer)
#        define SCRATCH_THREAD_SANITIZED 1
#    endif
#endif
#ifndef SCRATCH_ADDRESS_SANITIZED
#    define SCRATCH_ADDRESS_SANITIZED 0
#endif
/* Where it is 1, a run takes ten times as long, and what has no threads is for the other sanitizers. */
#ifndef SCRATCH_THREAD_SANITIZED
#    define SCRATCH_THREAD_SANITIZED 0
#endif
#define SCRATCH_SANITIZED (SCRATCH_ADDRESS_SANITIZED || SCRATCH_THREAD_SANITIZED)

/** splitmix64: the same numbers on every machine. */
static inline uint64_t scratch_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/** A fresh folder below the build tree; `out` holds 512 bytes. */
static inline void scratch_make(char *out)
{
    (void)snprintf(out, 512, "%s/scratch-XXXXXX", DN_TEST_TMP);
    assert_non_null(mkdtemp(out));
    assert_int_equal(chmod(out, 0777), 0);
}

/** "dir/name" in one of a few rotating static texts. */
static inline const char *scratch_path(const char *dir, const char *name)
{
    static char texts[64][1024];
    static unsigned next;
    char *text = texts[next++ % 64];

    int n = snprintf(text, sizeof(texts[0]), "%s/%s", dir, name);
    assert_in_range(n, 1, sizeof(texts[0]) - 1);
    return text;
}

/** Entries of a folder, "." and ".." not counted. */
static inline size_t scratch_count(const char *dir)
{
    DIR *list = opendir(dir);
    size_t n = 0;

    assert_non_null(list);
    for (struct dirent *e = readdir(list); e != NULL; e = readdir(list)) {
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    }
    (void)closedir(list);
    return n;
}

/** Can what is in memory of a file that has a byte be read without waiting for the rest?  Linux can; qemu-user does not know the call. */
static inline bool scratch_knows_cached(const char *path)
{
    bool knows = false;
#ifdef __linux__
    char byte;
    const struct iovec to = {&byte, 1};
    const int fd = open(path, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    knows = preadv2(fd, &to, 1, 0, RWF_NOWAIT) >= 0 || errno == EAGAIN;
    assert_true(knows || errno == ENOSYS || errno == EOPNOTSUPP);
    assert_int_equal(close(fd), 0);
#else
    (void)path;
#endif
    return knows;
}

static inline void scratch_remove(const char *dir)
{
    DIR *list = opendir(dir);

    assert_non_null(list);
    for (struct dirent *e = readdir(list); e != NULL; e = readdir(list)) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            char path[1024];
            struct stat info;
            int n = snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
            assert_in_range(n, 1, sizeof(path) - 1);
            assert_int_equal(lstat(path, &info), 0);
            if (S_ISDIR(info.st_mode)) {
                scratch_remove(path);
            } else {
                assert_int_equal(unlink(path), 0);
            }
        }
    }
    (void)closedir(list);
    assert_int_equal(rmdir(dir), 0);
}

static inline void scratch_write(const char *path, const void *data, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, len), (ssize_t)len);
    assert_int_equal(close(fd), 0);
}

/** Whole file, at most `size` bytes; returns its length, or -1 if there is none. */
static inline ssize_t scratch_read(const char *path, void *data, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        return -1;
    }
    ssize_t n = read(fd, data, size);
    (void)close(fd);
    return n;
}

#endif
