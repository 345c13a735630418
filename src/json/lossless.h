/** Texts that may be numbers in JSON, because nothing of them is lost.  Threads: a pure function. */
#ifndef DN_JSON_LOSSLESS_H
#define DN_JSON_LOSSLESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Whether a number printed from `text` gives `text` back: 501, -3, 1.5, 2.0; not 00501, 1.10, +7, 1e5, -0. */
bool dn_json_is_lossless_number(const uint8_t *text, size_t len);

#endif
