#include "base/os_process.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#define ELF_HEADERS_ALONE "0x10" /* core(5) */

/* The kernel refuses sets smaller than its own, so the set grows until it fits.  0 if that fails. */
static int count_in_large_set(void)
{
    for (size_t n_cpus = 2 * (size_t)CPU_SETSIZE; n_cpus <= (size_t)1 << 18; n_cpus *= 2) {
        size_t size = CPU_ALLOC_SIZE(n_cpus);
        cpu_set_t *set = dn_calloc(1, size);
        if (set == NULL) {
            return 0;
        }
        int count = sched_getaffinity(0, size, set) == 0 ? CPU_COUNT_S(size, set) : 0;
        dn_free(set);
        if (count > 0) {
            return count;
        }
    }
    return 0;
}

void dn_os_process_begin(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
}

uint32_t dn_os_cpu_count(void)
{
    cpu_set_t set;
    int count = 0;

    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set) == 0) {
        count = CPU_COUNT(&set);
    } else if (errno == EINVAL) {
        count = count_in_large_set();
    }
    if (count > 0) {
        return (uint32_t)count;
    }
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (uint32_t)online : 1;
}

/* The kernel's own mark of this address space; getrusage() starts a new program with its parent's peak. */
static uint64_t peak_from_proc(void)
{
    char text[4096];
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        return 0;
    }
    ssize_t n = read(fd, text, sizeof(text) - 1);
    (void)close(fd);
    if (n <= 0) {
        return 0;
    }
    text[n] = '\0';
    const char *field = strstr(text, "\nVmHWM:");
    return field == NULL ? 0 : (uint64_t)strtoull(field + 7, NULL, 10) * 1024;
}

uint64_t dn_os_peak_rss_bytes(void)
{
    uint64_t peak = peak_from_proc();
    struct rusage usage = {0};

    if (peak == 0 && getrusage(RUSAGE_SELF, &usage) == 0) {
        peak = (uint64_t)usage.ru_maxrss * 1024;
    }
    return peak;
}

/* Where /proc is not mounted, as in a bare chroot, the kernel's word for what was started helps. */
bool dn_os_executable(char *out, size_t size)
{
    char path[PATH_MAX];
    const ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

    if (len > 0) {
        path[len] = '\0';
    } else {
        const char *started =
            (const char *)getauxval(AT_EXECFN); /* NOLINT(performance-no-int-to-ptr) */
        if (started == NULL || realpath(started, path) == NULL) {
            return false;
        }
    }
    if (strlen(path) >= size) {
        return false;
    }
    memcpy(out, path, strlen(path) + 1);
    return true;
}

bool dn_os_temporary_folder(char *out, size_t size)
{
    const int len = snprintf(out, size, "/tmp");

    return len > 0 && (size_t)len < size;
}

bool dn_os_random(void *out, size_t size)
{
    return getrandom(out, size, 0) == (ssize_t)size;
}

const char *dn_os_signal_name(int number)
{
    return sigabbrev_np(number);
}

void dn_os_keep_memory_out_of_cores(void)
{
    static const char word[] = ELF_HEADERS_ALONE;
    const struct rlimit none = {0, 0};

    const int fd = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, word, sizeof(word) - 1) < 0) {
        (void)setrlimit(RLIMIT_CORE, &none);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
}
