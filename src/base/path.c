#include "base/path.h"

#include <stdlib.h>
#include <string.h>

const char *dn_path_below(const char *path, const char *folder, char out[PATH_MAX])
{
    char real[PATH_MAX];

    if (realpath(path, out) == NULL || realpath(folder, real) == NULL) {
        return NULL;
    }
    size_t len = strlen(real);
    len -= len > 0 && real[len - 1] == '/'; /* the root, or that of a drive */
    return strncmp(out, real, len) == 0 && out[len] == '/' && out[len + 1] != '\0' ? out + len + 1
                                                                                   : NULL;
}
