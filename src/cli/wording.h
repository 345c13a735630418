/** Messages of the libraries and plugins name options; on a command line the same things are flags. */
#ifndef DN_CLI_WORDING_H
#define DN_CLI_WORDING_H

#include "base/error.h"

/**
 * Name flags in the place of options.
 * @param refused_by  Whose configuration was refused, "source" or "target"; NULL: unknown.
 */
void dn_wording_flags(struct dn_error *err, const char *refused_by);

/** The message with flags in their place, as much of it as there is room for.  No memory is asked for: what is said does not depend on it. */
void dn_wording_of(const char *message, const char *refused_by, char *out, size_t size);

#endif
