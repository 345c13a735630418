#include "base/os_library.h"

#include "base/memory.h"
#include "base/os_path_windows.h"

#include <windows.h>

#include <stdio.h>

static _Thread_local DWORD last_failure;
static _Thread_local char reason[256];

void *dn_os_library_open(const char *path)
{
    wchar_t *wide = dn_os_wide(path);
    HMODULE library = NULL;

    if (wide != NULL) {
        for (wchar_t *p = wide; *p != L'\0'; p++) {
            *p = *p == L'/' ? L'\\' : *p; /* or what it needs is not looked for beside it */
        }
        library = LoadLibraryExW(wide, NULL, LOAD_WITH_ALTERED_SEARCH_PATH);
        last_failure = GetLastError();
        dn_free(wide);
    } else {
        last_failure = ERROR_INVALID_NAME;
    }
    return library;
}

void *dn_os_library_symbol(void *library, const char *name)
{
    const FARPROC function = GetProcAddress(library, name);

    last_failure = GetLastError();
    return (void *)(UINT_PTR)function;
}

void dn_os_library_close(void *library)
{
    (void)FreeLibrary(library);
}

const char *dn_os_library_reason(void)
{
    const int n = snprintf(reason, sizeof(reason), "error %lu of Windows: ", last_failure);
    const DWORD len =
        FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL,
                       last_failure, 0, reason + n, (DWORD)(sizeof(reason) - (size_t)n), NULL);

    for (char *p = reason; len > 0 && *p != '\0'; p++) {
        *p = *p == '\r' || *p == '\n' ? '\0' : *p;
    }
    return reason;
}
