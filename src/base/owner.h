/**
 * The process a handle was opened by.  A child of fork() has copies of its locks and of its memory, but not its threads: whoever waits
 * there waits for ever, and files that the copy names are the parent's.  So every function of a handle asks first.
 */
#ifndef DN_BASE_OWNER_H
#define DN_BASE_OWNER_H

#include "base/error.h"

#include <sys/types.h>

struct dn_owner {
    pid_t pid;
};

void dn_owner_init(struct dn_owner *o);
/** Is this the process that opened the handle? */
bool dn_owner_is_here(const struct dn_owner *o);
/** DN_ERR_INVALID in a child of fork().  `what` is the handle's name in the message, e.g. "reader". */
DN_NODISCARD enum dn_status dn_owner_check(const struct dn_owner *o, const char *what,
                                           struct dn_error *err);

#endif
