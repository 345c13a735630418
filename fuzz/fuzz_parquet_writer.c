/*
 * Tables of the input's making are written to Parquet and read back: every value is what it was.  The input steers
 * tests/support/batch_gen.c; where it ends, random numbers go on.
 */
#include "fuzz_target.h"

#include "batch_trip.h"

#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char path[64];
    char message[4096] = "";
    struct gen g;

    if (path[0] == '\0') { /* in memory: nothing of it is worth a disk */
        (void)snprintf(path, sizeof path, "%s/dn-fuzz-writer-%ld.parquet",
                       access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", (long)getpid());
    }
    gen_init(&g, data, size, 0);
    const bool right = gen_trip(&g, path, NULL, message, sizeof message);
    (void)unlink(path);
    FUZZ_CHECK(right, "%s", message);
    return 0;
}
