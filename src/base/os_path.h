/** How names of files are written.  Inline, for they are asked in many places.  Threads: every function is thread-safe. */
#ifndef DN_BASE_OS_PATH_H
#define DN_BASE_OS_PATH_H

#include <stdbool.h>

#if defined(_WIN32)
#    define DN_OS_PATH_LIST ";" /**< what parts the folders of a list */
#else
#    define DN_OS_PATH_LIST ":"
#endif

/** Does it lead to the same file whatever the working folder is? */
static inline bool dn_os_path_is_absolute(const char *path)
{
#if defined(_WIN32)
    return path[0] == '/' || path[0] == '\\' || (path[0] != '\0' && path[1] == ':');
#else
    return path[0] == '/';
#endif
}

/** Let '/' part its folders, where something else may do that, too. */
static inline void dn_os_path_use_slashes(char *path)
{
#if defined(_WIN32)
    for (; *path != '\0'; path++) {
        *path = *path == '\\' ? '/' : *path;
    }
#else
    (void)path;
#endif
}

#endif
