#include "windows/names.h"
#include "windows/posix.h"

#include <sys/mman.h>

#include <windows.h>

static void *map_file(size_t size, int fd, off_t start)
{
    const HANDLE section =
        CreateFileMappingW((HANDLE)_get_osfhandle(fd), NULL, PAGE_READONLY, 0, 0, NULL);

    if (section == NULL) {
        (void)dn_windows_fail(GetLastError());
        return MAP_FAILED;
    }
    void *memory = MapViewOfFile(section, FILE_MAP_READ, (DWORD)((uint64_t)start >> 32),
                                 (DWORD)((uint64_t)start & UINT32_MAX), size);
    if (memory == NULL) {
        (void)dn_windows_fail(GetLastError());
    }
    (void)CloseHandle(section); /* the view keeps it */
    return memory != NULL ? memory : MAP_FAILED;
}

void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t start)
{
    (void)address;
    if ((flags & MAP_ANONYMOUS) == 0) {
        if (protection != PROT_READ) {
            errno = ENOTSUP;
            return MAP_FAILED;
        }
        return map_file(size, fd, start);
    }
    void *memory = VirtualAlloc(NULL, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    if (memory == NULL) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return memory;
}

int munmap(void *memory, size_t size)
{
    MEMORY_BASIC_INFORMATION info;

    (void)size;
    if (VirtualQuery(memory, &info, sizeof(info)) == 0) {
        return dn_windows_fail(GetLastError());
    }
    const BOOL done =
        info.Type == MEM_MAPPED ? UnmapViewOfFile(memory) : VirtualFree(memory, 0, MEM_RELEASE);
    return done ? 0 : dn_windows_fail(GetLastError());
}

int mprotect(void *memory, size_t size, int protection)
{
    const DWORD wanted = protection == PROT_NONE   ? PAGE_NOACCESS
                         : protection == PROT_READ ? PAGE_READONLY
                                                   : PAGE_READWRITE;
    DWORD before = 0;

    return VirtualProtect(memory, size, wanted, &before) ? 0 : dn_windows_fail(GetLastError());
}

long dn_posix_sysconf(int name)
{
    SYSTEM_INFO info;

    if (name != _SC_PAGESIZE) {
        errno = EINVAL;
        return -1;
    }
    GetSystemInfo(&info);
    return (long)info.dwPageSize;
}
