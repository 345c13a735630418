/** Encodings into UTF-8: UTF-16, UTF-32 and the code pages of Windows whose characters are one byte each. */
#ifndef DN_WINDOWS_ICONV_H
#define DN_WINDOWS_ICONV_H

#include <stddef.h>

typedef struct dn_iconv *iconv_t;
/** EINVAL: not known here. */
iconv_t iconv_open(const char *to, const char *from);
size_t iconv(iconv_t cd, char **in, size_t *in_left, char **out, size_t *out_left);
int iconv_close(iconv_t cd);

#endif
