/** Shared by the .c files of src/text only. */
#ifndef DN_TEXT_INTERNAL_H
#define DN_TEXT_INTERNAL_H

#include "text/parse.h"

/**
 * The magnitude of a float, behind its sign.  `relaxed` also takes leading zeros, ".5" and "5.".  Refuses what the strict form refuses
 * and magnitudes past the largest double.
 * @param rounded  whether some of the number is lost; NULL: nobody asks
 */
bool dn_text_read_float64(const uint8_t *text, size_t len, bool negative, bool relaxed, double *out,
                          bool *rounded);

#endif
