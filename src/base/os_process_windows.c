#include "base/os_process.h"

#include "base/memory.h"

#include <windows.h>

#include <bcrypt.h>
#include <psapi.h>
#include <shellapi.h>

static char *narrow(const wchar_t *wide)
{
    const int n = WideCharToMultiByte(CP_UTF8, 0, wide, -1, NULL, 0, NULL, NULL);
    char *text = n > 0 ? dn_malloc((size_t)n) : NULL;

    if (text != NULL) {
        (void)WideCharToMultiByte(CP_UTF8, 0, wide, -1, text, n, NULL, NULL);
    }
    return text;
}

/* The arguments are kept as long as the process lives. */
void dn_os_process_begin(int *argc, char ***argv)
{
    static char **kept;
    int n = 0;
    wchar_t **wide = CommandLineToArgvW(GetCommandLineW(), &n);

    for (int fd = 0; fd <= 2; fd++) {
        (void)_setmode(fd, O_BINARY);
    }
    (void)SetConsoleOutputCP(CP_UTF8);
    kept = wide != NULL ? dn_calloc((size_t)n + 1, sizeof(*kept)) : NULL;
    for (int i = 0; kept != NULL && i < n; i++) {
        kept[i] = narrow(wide[i]);
        if (kept[i] == NULL) {
            (void)LocalFree(wide);
            return; /* without memory the ones of the C library are as good as any */
        }
    }
    if (kept != NULL) {
        *argc = n;
        *argv = kept;
    }
    (void)LocalFree(wide);
}

uint32_t dn_os_cpu_count(void)
{
    DWORD_PTR ours = 0;
    DWORD_PTR all = 0;

    if (GetProcessAffinityMask(GetCurrentProcess(), &ours, &all) && ours != 0) {
        return (uint32_t)__builtin_popcountll(ours);
    }
    return 1;
}

uint64_t dn_os_peak_rss_bytes(void)
{
    PROCESS_MEMORY_COUNTERS counters = {.cb = sizeof(counters)};

    return GetProcessMemoryInfo(GetCurrentProcess(), &counters, sizeof(counters))
               ? counters.PeakWorkingSetSize
               : 0;
}

/* A path as UTF-8 with '/' between its parts. */
static bool path_narrow(char *out, size_t size, const wchar_t *path)
{
    if (WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, path, -1, out, (int)size, NULL, NULL) <=
        0) {
        return false;
    }
    for (char *p = out; *p != '\0'; p++) {
        *p = *p == '\\' ? '/' : *p;
    }
    return true;
}

bool dn_os_executable(char *out, size_t size)
{
    wchar_t path[PATH_MAX];
    const DWORD n = GetModuleFileNameW(NULL, path, PATH_MAX);

    return n > 0 && n < PATH_MAX && path_narrow(out, size, path);
}

bool dn_os_temporary_folder(char *out, size_t size)
{
    wchar_t path[MAX_PATH + 1];
    const DWORD n = GetTempPathW(MAX_PATH + 1, path);

    if (n == 0 || n > MAX_PATH) {
        return false;
    }
    path[n - 1] = path[n - 1] == L'\\' ? L'\0' : path[n - 1];
    return path_narrow(out, size, path);
}

bool dn_os_random(void *out, size_t size)
{
    return BCryptGenRandom(NULL, out, (ULONG)size, BCRYPT_USE_SYSTEM_PREFERRED_RNG) == 0;
}

const char *dn_os_signal_name(int number)
{
    switch (number) {
    case SIGABRT:
        return "ABRT";
    case SIGFPE:
        return "FPE";
    case SIGILL:
        return "ILL";
    case SIGINT:
        return "INT";
    case SIGSEGV:
        return "SEGV";
    case SIGTERM:
        return "TERM";
    default:
        return NULL;
    }
}

void dn_os_keep_memory_out_of_cores(void)
{
    (void)SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
}
