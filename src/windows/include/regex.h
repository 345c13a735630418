/** Regular expressions of POSIX, by TRE. */
#ifndef DN_WINDOWS_REGEX_H
#define DN_WINDOWS_REGEX_H

#include <tre/tre.h>

#define regcomp tre_regcomp
#define regexec tre_regexec
#define regfree tre_regfree

#endif
