/** Names of files, which are UTF-8 everywhere but in the calls of Windows.  Threads: every function is thread-safe. */
#ifndef DN_BASE_OS_PATH_WINDOWS_H
#define DN_BASE_OS_PATH_WINDOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <wchar.h>

/** A path as UTF-16, for dn_free(); NULL: no memory, or not UTF-8 (errno ENOMEM, EILSEQ). */
wchar_t *dn_os_wide(const char *path);
/** As UTF-8, with '/' between its parts; false if it has no room. */
bool dn_os_narrow(char *out, size_t size, const wchar_t *path);
/** Set errno to what a failure of Windows (GetLastError()) is called there; returns -1. */
int dn_os_set_errno(unsigned long failure);

#endif
