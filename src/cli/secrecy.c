#include "cli/secrecy.h"

#include "base/memory.h"
#include "cli/database.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define ELF_HEADERS_ALONE "0x10" /* core(5) */

static void keep_memory_out_of_cores(void)
{
    static const char word[] = ELF_HEADERS_ALONE;
    const char *tests = getenv("DN_CORE_MEMORY");
    const struct rlimit none = {0, 0};

    if (tests != NULL && strcmp(tests, "yes") == 0) {
        return; /* of a developer, who looks for a fault */
    }
    const int fd = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, word, sizeof(word) - 1) < 0) {
        (void)setrlimit(RLIMIT_CORE, &none);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
}

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

    keep_memory_out_of_cores();
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
