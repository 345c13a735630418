/** Completions of the command line for shells, made of the commands' flag tables. */
#ifndef DN_CLI_COMPLETION_H
#define DN_CLI_COMPLETION_H

#include "cli/cli.h"

#include <stdbool.h>

/** Print the script of "bash", "zsh" or "fish" on stdout; false: it is none of them, and nothing was printed. */
bool dn_completion_print(const char *shell, const struct dn_command *const *commands,
                         size_t n_commands);

#endif
