/** A conformance run over one plugin, check by check. */
#ifndef DN_CLI_CONFORMANCE_H
#define DN_CLI_CONFORMANCE_H

/** Print PASS, FAIL or SKIP lines on stdout; returns the exit code. */
int dn_conformance_run(const char *path);

#endif
