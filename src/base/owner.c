#include "base/owner.h"

#include <unistd.h>

void dn_owner_init(struct dn_owner *o)
{
    o->pid = getpid();
}

bool dn_owner_is_here(const struct dn_owner *o)
{
    return o->pid == getpid();
}

enum dn_status dn_owner_check(const struct dn_owner *o, const char *what, struct dn_error *err)
{
    if (dn_owner_is_here(o)) {
        return DN_OK;
    }
    return dn_error_set(
        err, DN_ERR_INVALID,
        "process %ld, a child of fork(), uses a %s that process %ld opened; a handle "
        "works only where it was opened: open another one in the child",
        (long)getpid(), what, (long)o->pid);
}
