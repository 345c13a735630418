/** Names and failures, for the files of this layer alone.  Threads: every function is thread-safe. */
#ifndef DN_WINDOWS_NAMES_H
#define DN_WINDOWS_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <wchar.h>

/** The path, which a folder's descriptor may stand in front of (or AT_FDCWD), as UTF-16, for free(); NULL and errno. */
wchar_t *dn_windows_wide(int dir, const char *path);
/** As UTF-8, with '/' between its parts and without "\\?\" in front; false and errno if it has no room. */
bool dn_windows_narrow(char *out, size_t size, const wchar_t *path);
/** Set errno to what a failure of Windows (GetLastError()) is called there; returns -1. */
int dn_windows_fail(unsigned long failure);

#endif
