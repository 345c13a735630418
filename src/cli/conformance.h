/** A conformance run over one plugin, check by check. */
#ifndef DN_CLI_CONFORMANCE_H
#define DN_CLI_CONFORMANCE_H

#include <stdint.h>

struct dn_conformance {
    const char *path; /**< the library */
    const char *
        run_path; /**< a JSON file with the configuration of Level 0 that rows are read or written with; NULL: a small table */
    int64_t rows; /**< that a reader gives with it; -1: nobody said */
    uint32_t seconds; /**< a check may take */
};

/** Print PASS, FAIL or SKIP lines on stdout, with a remedy behind each FAIL; returns the exit code. */
int dn_conformance_run(const struct dn_conformance *asked);

#endif
