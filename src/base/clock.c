#include "base/clock.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

double dn_clock_seconds(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

double dn_clock_cpu_seconds(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
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

uint64_t dn_peak_rss_bytes(void)
{
    uint64_t peak = peak_from_proc();
    struct rusage usage = {0};

    if (peak == 0 && getrusage(RUSAGE_SELF, &usage) == 0) {
        peak = (uint64_t)usage.ru_maxrss * 1024;
    }
    return peak;
}

void dn_clock_log_timestamp(char out[32])
{
    struct timespec now = {0};
    struct tm local = {0};

    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)localtime_r(&now.tv_sec, &local);
    size_t len = strftime(out, 28, "%Y-%m-%d %H:%M:%S", &local);
    (void)snprintf(out + len, 32 - len, ",%03d", (int)(now.tv_nsec / 1000000) % 1000);
}
