/** Patterns of names. */
#ifndef DN_WINDOWS_FNMATCH_H
#define DN_WINDOWS_FNMATCH_H

#define FNM_NOMATCH 1
#define FNM_NOESCAPE 1
#define FNM_PERIOD 2
/** `*`, `?` and `[...]` in UTF-8; both flags have to be given.  0: it matches. */
int fnmatch(const char *pattern, const char *text, int flags);

#endif
