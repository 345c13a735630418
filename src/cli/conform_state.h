/** What of a process is the host's, and a plugin leaves as it was. */
#ifndef DN_CLI_CONFORM_STATE_H
#define DN_CLI_CONFORM_STATE_H

#include "cli/conform.h"

#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <sys/types.h>

/** What a check found besides its verdict. */
enum dn_disturbed {
    DN_DISTURBED_NOT = 0,
    DN_DISTURBED_STDOUT,
    DN_DISTURBED_SIGNALS,
    DN_DISTURBED_DIRECTORY,
    DN_DISTURBED_LOCALE,
    DN_DISTURBED_PROCESS,
    DN_DISTURBED_CHILDREN,
    DN_DISTURBED_N,
};
/** What to do about it; "" of DN_DISTURBED_NOT. */
const char *dn_disturbed_remedy(enum dn_disturbed disturbed);

struct dn_conform_state {
    void (*handlers[32])(int);
    char directory[PATH_MAX];
    char locale[256];
    sigset_t blocked; /**< in this thread */
    mode_t umask;
    int rounding;
    uint64_t environment; /**< all of its texts */
    bool open[3];         /**< standard input, output and error */
};

void dn_conform_state_take(struct dn_conform_state *s);
/** How the process is now, by what it was; c->said says what is other. */
enum dn_disturbed dn_conform_state_compare(struct dn_conform *c,
                                           const struct dn_conform_state *before);

#endif
