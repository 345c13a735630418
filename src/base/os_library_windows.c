#include "base/os_library.h"

#include <windows.h>

#include <stdbool.h>

static _Thread_local DWORD last_failure;
static _Thread_local char reason[256];

void *dn_os_library_open(const char *path)
{
    wchar_t wide[PATH_MAX];
    HMODULE library = NULL;

    if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, wide, PATH_MAX) > 0) {
        bool is_path = false;
        for (wchar_t *p = wide; *p != L'\0'; p++) {
            *p = *p == L'/' ? L'\\' : *p; /* or what it needs is not looked for beside it */
            is_path = is_path || *p == L'\\';
        }
        library = LoadLibraryExW(wide, NULL, is_path ? LOAD_WITH_ALTERED_SEARCH_PATH : 0);
        last_failure = GetLastError();
    } else {
        last_failure = ERROR_INVALID_NAME;
    }
    return library;
}

void *dn_os_library_symbol(void *library, const char *name)
{
    const FARPROC function = GetProcAddress(library, name);

    last_failure = GetLastError();
    return (void *)(UINT_PTR)function; /* NOLINT(performance-no-int-to-ptr) */
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
