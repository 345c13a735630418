/** The times of a file, which every system has under another name. */
#ifndef DN_BASE_OS_STAT_H
#define DN_BASE_OS_STAT_H

#include <sys/stat.h>
#include <time.h>

/** When its bytes were last written; whole seconds on Windows. */
static inline struct timespec dn_os_modified(const struct stat *info)
{
#if defined(__APPLE__)
    return info->st_mtimespec;
#elif defined(_WIN32)
    return (struct timespec){.tv_sec = info->st_mtime};
#else
    return info->st_mtim;
#endif
}

/** When anything of it last changed, its name and mode included; on Windows when it was made. */
static inline struct timespec dn_os_changed(const struct stat *info)
{
#if defined(__APPLE__)
    return info->st_ctimespec;
#elif defined(_WIN32)
    return (struct timespec){.tv_sec = info->st_ctime};
#else
    return info->st_ctim;
#endif
}

#endif
