/**
 * Shared libraries that only some runs need, loaded on their first use: what a conversion of local files does not use costs it
 * nothing (docs/adr/0007-network-libraries-on-first-use.md).
 */
#ifndef DN_BASE_LIBRARY_H
#define DN_BASE_LIBRARY_H

#include "base/error.h"

#include <stdbool.h>

/** A struct whose members are all pointers to functions, and the names that they are looked up by, in order. */
struct dn_library {
    const char *soname;  /**< as the loader knows it, e.g. "libcurl.so.4" */
    const char *purpose; /**< for the message: "s3:// and http(s)://" */
    const char *package; /**< Debian's package that brings it */
    const char *const *names;
    size_t n_names;
};

/**
 * The struct, filled once per process and valid for good; *once is a static that is NULL at first.  Failures are not remembered.
 * DN_ERR_UNSUPPORTED: the library, or a function in it, is not there; DN_ERR_MEMORY.  Thread-safe; needs no lock that a fork()
 * could leave locked.
 */
DN_NODISCARD enum dn_status dn_library_load(const void **out, const struct dn_library *library,
                                            void *_Atomic *once, struct dn_error *err);

/**
 * Whether the file of a library has a text among its bytes: a word that it compares with something is nearly always one.  True, too, if the
 * file cannot be read: the loader finds libraries by names that are no paths.
 */
bool dn_library_may_have_text(const char *path, const char *text);

#endif
