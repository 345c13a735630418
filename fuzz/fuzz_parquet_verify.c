/* Any bytes as a file for `verify`: it tells what is wrong with them, with one thread and with two the same.  Input: the file. */
#include "fuzz_target.h"

#include "dativo/parquet.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static char *verify(const char *path, uint32_t n_threads, enum dn_status *status)
{
    const struct dn_parquet_verify_options options = {.struct_size = sizeof options,
                                                      .n_threads = n_threads};
    struct dn_error err = {0};
    char *json = NULL;

    *status = dn_parquet_verify(path, &options, &json, &err);
    FUZZ_CHECK((*status == DN_OK) == (json != NULL), "status %d", *status);
    FUZZ_CHECK(*status == DN_OK || *status == DN_ERR_UNSUPPORTED || *status == DN_ERR_MEMORY, "%s",
               err.message);
    FUZZ_CHECK(*status == DN_OK || err.message[0] != '\0', "status %d", *status);
    return json;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    enum dn_status first;
    enum dn_status second;
    const int fd = memfd_create("fuzz", MFD_CLOEXEC);

    FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size, "no file in memory");
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    char *once = verify(path, 1, &first);
    char *twice = verify(path, 2, &second);
    FUZZ_CHECK(first == second, "status %d and %d", first, second);
    FUZZ_CHECK(once == NULL || strcmp(once, twice) == 0, "%s and %s", once, twice);
    dn_parquet_free(once);
    dn_parquet_free(twice);
    (void)close(fd);
    return 0;
}
