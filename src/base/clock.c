#include "base/clock.h"

#include <stdio.h>
#include <time.h>

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

void dn_clock_log_timestamp(char out[32])
{
    struct timespec now = {0};
    struct tm local = {0};

    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)localtime_r(&now.tv_sec, &local);
    size_t len = strftime(out, 28, "%Y-%m-%d %H:%M:%S", &local);
    (void)snprintf(out + len, 32 - len, ",%03d", (int)(now.tv_nsec / 1000000) % 1000);
}
