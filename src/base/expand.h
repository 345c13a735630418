/** ${VAR} and ${VAR:-default} in texts. */
#ifndef DN_BASE_EXPAND_H
#define DN_BASE_EXPAND_H

#include "base/buffer.h"

#include <stdbool.h>

/**
 * Append `text`, up to 1 MiB, with every ${VAR} replaced by the environment variable.
 *
 * `${VAR:-text}` gives `text` when VAR is not set or empty, as in a shell; the default may itself hold ${...}.  `$${` stands for a literal `${`; a `$` without a brace is left alone.
 *
 * @return DN_ERR_CONFIG: a variable is not set and has no default, or is not UTF-8, or the form is wrong; the message is for putting a
 *         place in front of it.  DN_ERR_MEMORY.
 */
DN_NODISCARD enum dn_status dn_expand_text(struct dn_buffer *out, const char *text,
                                           struct dn_error *err);
/** The length of NAME if `text` is ${NAME} and nothing else, which then begins at text + 2; else 0. */
size_t dn_expand_sole_name(const char *text);

#endif
