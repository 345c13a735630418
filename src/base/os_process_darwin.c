#include "base/os_process.h"

#include <limits.h>
#include <mach-o/dyld.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

void dn_os_process_begin(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
}

uint32_t dn_os_cpu_count(void)
{
    const long online = sysconf(_SC_NPROCESSORS_ONLN);

    return online > 0 ? (uint32_t)online : 1;
}

uint64_t dn_os_peak_rss_bytes(void)
{
    struct rusage usage = {0};

    return getrusage(RUSAGE_SELF, &usage) == 0 ? (uint64_t)usage.ru_maxrss : 0; /* bytes here */
}

bool dn_os_executable(char *out, size_t size)
{
    char given[PATH_MAX];
    char path[PATH_MAX];
    uint32_t given_size = sizeof(given);

    if (_NSGetExecutablePath(given, &given_size) != 0 || realpath(given, path) == NULL ||
        strlen(path) >= size) {
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
    return getentropy(out, size) == 0;
}

const char *dn_os_signal_name(int number)
{
    return number > 0 && number < NSIG ? sys_signame[number] : NULL;
}

void dn_os_keep_memory_out_of_cores(void)
{
    const struct rlimit none = {0, 0};

    (void)setrlimit(RLIMIT_CORE, &none);
}
