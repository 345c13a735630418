/** Limits, of which there are none. */
#ifndef DN_WINDOWS_SYS_RESOURCE_H
#define DN_WINDOWS_SYS_RESOURCE_H

#include <stdint.h>

typedef uint64_t rlim_t;
struct rlimit {
    rlim_t rlim_cur;
    rlim_t rlim_max;
};
#define RLIMIT_CORE 4
/** EINVAL */
int setrlimit(int what, const struct rlimit *limit);

#endif
