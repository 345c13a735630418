/** The times of a file, which every system has under another name. */
#ifndef DN_BASE_OS_STAT_H
#define DN_BASE_OS_STAT_H

#include <sys/stat.h>
#include <time.h>

/** When its bytes were last written. */
static inline struct timespec dn_os_modified(const struct stat *info)
{
#if defined(__APPLE__)
    return info->st_mtimespec;
#else
    return info->st_mtim;
#endif
}

/** When anything of it last changed, its name and mode included. */
static inline struct timespec dn_os_changed(const struct stat *info)
{
#if defined(__APPLE__)
    return info->st_ctimespec;
#else
    return info->st_ctim;
#endif
}

#endif
