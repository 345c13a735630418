/** Powers of ten. */
#ifndef DN_TEXT_POW10_H
#define DN_TEXT_POW10_H

#include <stdint.h>

/** All that 64 bits hold. */
extern const uint64_t dn_pow10_u64[20];

#endif
