#include "base/library.h"

#include "base/memory.h"
#include "base/os_library.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static enum dn_status refuse(const struct dn_library *library, struct dn_error *err)
{
    return dn_error_set(
        err, DN_ERR_UNSUPPORTED,
        "for %s the library %s is needed, which cannot be used here: %s; install it (Debian: "
        "apt-get install %s)",
        library->purpose, library->soname, dn_os_library_reason(), library->package);
}

/*
 * OpenSSL frees what it holds in a handler at exit, while a thread of ours may be in the middle of a transfer: whoever uses it first
 * in a process may say that it should not.  libcurl brings it along, if it is the flavour that uses it.
 */
static void keep_openssl_until_the_end(void *handle)
{
    int (*init)(uint64_t, const void *) = NULL;
    void *function = dn_os_library_symbol(handle, "OPENSSL_init_crypto");

    if (function != NULL) {
        memcpy(&init, &function, sizeof(init));
        (void)init(UINT64_C(0x00080000), NULL); /* OPENSSL_INIT_NO_ATEXIT */
    }
}

enum dn_status dn_library_load(const void **out, const struct dn_library *library,
                               void *_Atomic *once, struct dn_error *err)
{
    void *table = atomic_load(once);
    void *other = NULL;

    *out = table;
    if (table != NULL) {
        return DN_OK;
    }
    void *handle = dn_os_library_open(library->soname);
    if (handle == NULL) {
        return refuse(library, err);
    }
    keep_openssl_until_the_end(handle);
    table = dn_calloc(library->n_names, sizeof(void *));
    if (table == NULL) {
        dn_os_library_close(handle);
        return dn_error_memory(err, library->n_names * sizeof(void *));
    }
    for (size_t i = 0; i < library->n_names; i++) {
        void *function = dn_os_library_symbol(handle, library->names[i]);
        if (function == NULL) {
            const enum dn_status st = refuse(library, err);
            dn_free(table);
            dn_os_library_close(handle);
            return st;
        }
        memcpy((char *)table + i * sizeof(void *), &function, sizeof(void *));
    }
    /* two threads may both have come here: the loader counts, and one table is enough */
    if (!atomic_compare_exchange_strong(once, &other, table)) {
        dn_free(table);
        dn_os_library_close(handle);
        table = other;
    }
    *out = table;
    return DN_OK;
}

bool dn_library_may_have_text(const char *path, const char *text)
{
    struct stat info;
    bool may = true;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        return true;
    }
    if (fstat(fd, &info) == 0 && info.st_size > 0) {
        const size_t len = (size_t)info.st_size;
        void *bytes = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
        if (bytes != MAP_FAILED) {
            may = memmem(bytes, len, text, strlen(text)) != NULL;
            (void)munmap(bytes, len);
        }
    }
    (void)close(fd);
    return may;
}
