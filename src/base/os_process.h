/** This process and its machine, as the system knows them.  A wall, see os_memory.h.  Threads: every function is thread-safe. */
#ifndef DN_BASE_OS_PROCESS_H
#define DN_BASE_OS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** First in main(): what the program was given becomes UTF-8, and what it reads and writes bytes, where either is otherwise. */
void dn_os_process_begin(int *argc, char ***argv);
/** CPUs this process may use, at least 1. */
uint32_t dn_os_cpu_count(void);
/** Peak resident set size in bytes, as exact as the kernel keeps it (within about 1 MiB).  0: unknown. */
uint64_t dn_os_peak_rss_bytes(void);
/** The path of the program that runs.  False: it cannot be told, or has no room. */
bool dn_os_executable(char *out, size_t size);
/** The folder for temporary files, with '/' between its parts.  False: it cannot be told, or has no room. */
bool dn_os_temporary_folder(char *out, size_t size);
/** Fill `size` bytes, at most 256, with what nobody can foresee.  False: the system has none. */
bool dn_os_random(void *out, size_t size);
/** "SEGV" of SIGSEGV; NULL: there is no such signal. */
const char *dn_os_signal_name(int number);
/** Should this process crash, none of its memory is written to a disk, as far as the system lets it ask for that. */
void dn_os_keep_memory_out_of_cores(void);

#endif
