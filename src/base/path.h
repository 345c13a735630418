/** Where files lie, links and ".." followed.  Threads: every function is thread-safe. */
#ifndef DN_BASE_PATH_H
#define DN_BASE_PATH_H

#include <limits.h>

/** The part of the path below the folder, with '/' between its parts, in `out`; NULL: it is elsewhere, or one of them is not there. */
const char *dn_path_below(const char *path, const char *folder, char out[PATH_MAX]);

#endif
