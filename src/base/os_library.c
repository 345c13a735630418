#include "base/os_library.h"

#include <dlfcn.h>
#include <stddef.h>

void *dn_os_library_open(const char *path)
{
    return dlopen(path, RTLD_NOW | RTLD_LOCAL);
}

void *dn_os_library_symbol(void *library, const char *name)
{
    (void)dlerror();
    return dlsym(library, name);
}

void dn_os_library_close(void *library)
{
    (void)dlclose(library);
}

const char *dn_os_library_reason(void)
{
    const char *why = dlerror();

    return why != NULL ? why : "no reason given";
}
