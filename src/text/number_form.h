/** Numbers with another decimal point, and with separators of thousands, rewritten as they are usually written. */
#ifndef DN_TEXT_NUMBER_FORM_H
#define DN_TEXT_NUMBER_FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dn_number_form {
    uint8_t decimal;
    uint8_t n_thousands; /**< bytes of the separator, 0: there is none */
    uint8_t thousands[4];
};

/**
 * The number with a '.' and no separators, in `out`, which has room for len bytes.  Separators stand between groups: one to three digits,
 * no zero first, and then threes, before the decimal point alone.  Returns its length; 0: this is no number.  That it is one, what
 * reads it says.
 */
size_t dn_number_rewrite(const struct dn_number_form *f, const uint8_t *text, size_t len,
                         uint8_t *out);

#endif
