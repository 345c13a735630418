/** Flags for plugins of others: in Level 0 nothing refuses an option that is not known. */
#ifndef DN_CLI_LEVEL0_FLAGS_H
#define DN_CLI_LEVEL0_FLAGS_H

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>

/**
 * Refuse flags that a plugin would pass over: those whose option is no word in its library.
 * @param plugin   As --reader or --writer has it; what is no library that can be looked at is accepted, for others say why.
 * @param options  What the flags of the command line became.
 * @param role     "reader" or "writer".
 * @return DN_OK, also for plugins of Level 1; DN_ERR_UNSUPPORTED naming flag and plugin; DN_ERR_MEMORY.
 */
DN_NODISCARD enum dn_status dn_level0_flags_check(const char *plugin, const json_t *options,
                                                  const char *role, struct dn_error *err);

/** Whether a plugin may know an option: its library has the word, or cannot be looked at. */
bool dn_plugin_may_have_word(const char *plugin, const char *word);

#endif
