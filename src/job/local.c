#include "job/local.h"

#include "base/strings.h"
#include "store/url.h"

#include <string.h>

bool dn_local_path(const char *name, const char **path)
{
    static const char *const here[] = {"file://localhost/", "file:///"};
    const size_t scheme =
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-");

    *path = name;
    if (scheme == 0 || strncmp(name + scheme, "://", 3) != 0) {
        return true;
    }
    for (size_t i = 0; i < sizeof here / sizeof here[0]; i++) {
        if (dn_text_starts_with(name, here[i])) {
            *path = name + strlen(here[i]) - 1; /* with its slash */
            return true;
        }
    }
    return false;
}

bool dn_is_remote(const char *name)
{
    const enum dn_url_kind kind = dn_url_kind_of(name);
    return kind == DN_URL_S3 || kind == DN_URL_HTTP;
}
