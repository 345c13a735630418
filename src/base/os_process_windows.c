#include "base/os_process.h"

#include "base/os_path_windows.h"

#include <windows.h>

#include <bcrypt.h>
#include <psapi.h>

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

bool dn_os_executable(char *out, size_t size)
{
    wchar_t path[MAX_PATH];
    const DWORD n = GetModuleFileNameW(NULL, path, MAX_PATH);

    return n > 0 && n < MAX_PATH && dn_os_narrow(out, size, path);
}

bool dn_os_random(void *out, size_t size)
{
    return BCryptGenRandom(NULL, out, (ULONG)size, BCRYPT_USE_SYSTEM_PREFERRED_RNG) == 0;
}

void dn_os_keep_memory_out_of_cores(void)
{
    (void)SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
}
