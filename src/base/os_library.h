/** Shared libraries.  A wall, see os_memory.h.  Threads: every function is thread-safe. */
#ifndef DN_BASE_OS_LIBRARY_H
#define DN_BASE_OS_LIBRARY_H

/** Load a library with all that it needs, its names for itself alone; NULL: dn_os_library_reason() says why. */
void *dn_os_library_open(const char *path);
/** NULL: there is none of that name. */
void *dn_os_library_symbol(void *library, const char *name);
void dn_os_library_close(void *library);
/** Of the last failure on this thread; until the next call of these functions. */
const char *dn_os_library_reason(void);

#endif
