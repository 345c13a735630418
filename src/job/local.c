#include "job/local.h"

#include "base/memory.h"
#include "base/os_path.h"
#include "base/strings.h"
#include "base/utf8.h"
#include "store/url.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

bool dn_local_path(const char *name, const char **path)
{
    static const char *const here[] = {"file://localhost/", "file:///"};

    *path = name;
    if (dn_url_scheme_len(name) == 0) {
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

enum dn_status dn_local_name(char **out, const char *path, struct dn_error *err)
{
    struct dn_buffer name = {0};
    char folder[PATH_MAX];
    enum dn_status st = DN_OK;

    *out = NULL;
    if (dn_utf8_is_valid(path)) {
        *out = dn_strndup(path, strlen(path));
        return *out != NULL ? DN_OK : dn_error_memory(err, strlen(path));
    }
    DN_TRY_GOTO(st, dn_text_append(&name, "file://", err), cleanup);
    if (!dn_os_path_is_absolute(path)) {
        if (getcwd(folder, sizeof folder) == NULL) {
            DN_TRY_GOTO(st, dn_error_set(err, DN_ERR_IO, "the working folder has no name any more"),
                        cleanup);
        }
        DN_TRY_GOTO(st, dn_url_encode(&name, folder, "/", err), cleanup);
        DN_TRY_GOTO(st, dn_text_append(&name, "/", err), cleanup);
    }
    DN_TRY_GOTO(st, dn_url_encode(&name, path, "/", err), cleanup);
    *out = dn_text_take(&name);
    st = *out != NULL ? DN_OK : dn_error_memory(err, name.len);
cleanup:
    dn_buffer_finish(&name);
    return st;
}

int dn_local_stat(const char *name, struct stat *out)
{
    struct dn_url url = {0};
    int found = -1;

    if (strncmp(name, "file://", strlen("file://")) != 0) {
        return stat(name, out);
    }
    const enum dn_status st = dn_url_parse(&url, name, NULL);
    if (st == DN_OK && url.path != NULL) {
        found = stat(url.path, out);
    } else {
        errno = st == DN_ERR_MEMORY ? ENOMEM : ENOENT;
    }
    const int saved = errno;
    dn_url_finish(&url);
    errno = saved;
    return found;
}
