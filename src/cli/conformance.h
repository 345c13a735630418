/** A conformance run over one plugin, check by check. */
#ifndef DN_CLI_CONFORMANCE_H
#define DN_CLI_CONFORMANCE_H

#include <stdint.h>

/**
 * Print PASS, FAIL or SKIP lines on stdout, with a remedy behind each FAIL; returns the exit code.
 * @param run_path  a JSON file with the configuration of Level 0 that rows are read or written with; NULL: a small table
 * @param seconds   how long a check may take
 */
int dn_conformance_run(const char *path, const char *run_path, uint32_t seconds);

#endif
