/** Flags that say how the values of a CSV source are written, as options of its reader. */
#ifndef DN_CLI_FORM_FLAGS_H
#define DN_CLI_FORM_FLAGS_H

#include "cli/source.h"

/** Put what they say into the reader's options. */
DN_NODISCARD enum dn_status dn_form_flags_add(json_t *options, const struct dn_source_flags *s,
                                              struct dn_error *err);
/** The first of them that is given; NULL: none. */
const char *dn_form_flags_first(const struct dn_source_flags *s);

#endif
