#include "cli/secrecy.h"

#include "base/memory.h"
#include "base/os_process.h"
#include "cli/database.h"

#include <stdlib.h>
#include <string.h>

static void overwrite(char *from, const char *to)
{
    while (from < to) {
        *from++ = 'x';
    }
}

static void hide(char *address)
{
    char *host = strstr(address, "://") + 3;
    char *end = host + strlen(host);
    char *query = strchr(host, '?');
    /* a password of a database that is not encoded may hold anything */
    char *user =
        dn_database_is(address) ? strrchr(host, '@') : memchr(host, '@', strcspn(host, "/?#"));

    if (user != NULL) {
        overwrite(host, user);
    }
    if (query != NULL) {
        overwrite(query + 1, end);
    }
}

void dn_secrecy_begin(int argc, char **argv)
{
    static char *copies; /* as long as the process lives */
    size_t size = 1;

    const char *tests = getenv("DN_CORE_MEMORY");
    if (tests == NULL || strcmp(tests, "yes") != 0) { /* else a developer looks for a fault */
        dn_os_keep_memory_out_of_cores();
    }
    for (int i = 1; i < argc; i++) {
        size += strlen(argv[i]) + 1;
    }
    copies = dn_malloc(size);
    char *at = copies;
    for (int i = 1; i < argc && copies != NULL; i++) {
        if (strstr(argv[i], "://") != NULL) {
            const size_t len = strlen(argv[i]) + 1;
            char *original = argv[i];
            argv[i] = memcpy(at, original, len);
            at += len;
            hide(original);
        }
    }
}
