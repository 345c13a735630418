/**
 * A part of this program in a process of its own, which may crash, hang or end without harm to the one that started it.  A wall, see
 * os_memory.h: where a process cannot be copied, the program is started again with the arguments it was given, and told which part it is.
 */
#ifndef DN_BASE_OS_CHILD_H
#define DN_BASE_OS_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dn_os_child {
    int from;        /**< what it reports is read from here */
    intptr_t number; /**< of the process; -1: there is none */
    intptr_t group;  /**< of all that it starts */
};

/** How a child ended. */
struct dn_os_child_end {
    size_t reported;    /**< bytes */
    bool is_late;       /**< it was ended, for it took too long */
    int crashed;        /**< the signal it crashed with, or that which comes nearest; 0: none */
    unsigned long code; /**< else what it exited with */
};

/**
 * Start a process that calls body(arg, out): it writes its report to `out`, at once, and ends itself by _exit().
 * @param again  what dn_os_child_again() tells a program that was started again, which then has to come to that call of body() itself;
 *               without NUL, at most 400 bytes
 * @return false: no process; the child needs no dn_os_child_wait()
 */
bool dn_os_child_start(struct dn_os_child *child, void (*body)(const void *arg, int out),
                       const void *arg, const char *again);
/** Whose part of the program this process is, and where its report goes; NULL: none, or it is a copy.  Told once, in static memory. */
const char *dn_os_child_again(int *out);
/** Wait until the child has reported or ended, and end it and all that it has started. */
void dn_os_child_wait(struct dn_os_child *child, uint32_t seconds, void *report, size_t size,
                      struct dn_os_child_end *end);

#endif
