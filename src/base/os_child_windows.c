#include "base/os_child.h"

#include "base/memory.h"

#include <windows.h>

#include <inttypes.h>

/* In the environment of a program that was started again: the pipe's end, a blank, and what it is told. */
#define TOLD "DATIVO_NATIVE_CHILD"

/* The same program with the same arguments.  It may not run before it is of the group. */
static bool start_again(HANDLE group, HANDLE *process)
{
    wchar_t program[PATH_MAX];
    STARTUPINFOW start = {.cb = sizeof(start)};
    PROCESS_INFORMATION started = {0};
    const DWORD n = GetModuleFileNameW(NULL, program, PATH_MAX);
    wchar_t *line = n > 0 && n < PATH_MAX ? _wcsdup(GetCommandLineW()) : NULL;

    (void)SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX); /* no window to wait at */
    const BOOL good =
        line != NULL && CreateProcessW(program, line, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL,
                                       NULL, &start, &started);
    free(line);
    if (!good) {
        return false;
    }
    (void)AssignProcessToJobObject(group, started.hProcess);
    (void)ResumeThread(started.hThread);
    (void)CloseHandle(started.hThread);
    *process = started.hProcess;
    return true;
}

bool dn_os_child_start(struct dn_os_child *child, void (*body)(const void *arg, int out),
                       const void *arg, const char *again)
{
    SECURITY_ATTRIBUTES inherited = {.nLength = sizeof(inherited), .bInheritHandle = TRUE};
    HANDLE from = NULL;
    HANDLE to = NULL;
    HANDLE process = NULL;
    char told[512];

    (void)body;
    (void)arg;
    (void)fflush(NULL);
    if (!CreatePipe(&from, &to, &inherited, 0)) {
        return false;
    }
    (void)SetHandleInformation(from, HANDLE_FLAG_INHERIT, 0);
    (void)snprintf(told, sizeof told, "%" PRIuPTR " %s", (uintptr_t)to, again);
    const HANDLE group = CreateJobObjectW(NULL, NULL);
    bool good = group != NULL && setenv(TOLD, told, 1) == 0 && start_again(group, &process);
    (void)unsetenv(TOLD);
    (void)CloseHandle(to);
    const int fd = good ? _open_osfhandle((intptr_t)from, _O_RDONLY | O_BINARY | _O_NOINHERIT) : -1;
    if (fd >= 0) {
        *child =
            (struct dn_os_child){.from = fd, .number = (intptr_t)process, .group = (intptr_t)group};
        return true;
    }
    (void)CloseHandle(from);
    if (process != NULL) {
        (void)TerminateProcess(process, 1);
        (void)CloseHandle(process);
    }
    if (group != NULL) {
        (void)CloseHandle(group);
    }
    return false;
}

/* A crash ends the process, with its code, and no debugger or window is waited for. */
static LONG WINAPI on_crash(EXCEPTION_POINTERS *what)
{
    (void)what;
    return EXCEPTION_EXECUTE_HANDLER;
}

const char *dn_os_child_again(int *out)
{
    static char again[512];
    const char *told = getenv(TOLD);
    char *rest = NULL;

    if (told == NULL || strlen(told) >= sizeof again) {
        return NULL;
    }
    memcpy(again, told, strlen(told) + 1);
    (void)unsetenv(TOLD);
    const uintptr_t handle = (uintptr_t)strtoull(again, &rest, 10);
    if (*rest != ' ') {
        return NULL;
    }
    (void)SetHandleInformation((HANDLE)handle, HANDLE_FLAG_INHERIT, 0);
    *out = _open_osfhandle((intptr_t)handle, O_BINARY | _O_NOINHERIT);
    (void)SetUnhandledExceptionFilter(on_crash);
    return *out >= 0 ? rest + 1 : NULL;
}

/* 0: no crash that has a signal elsewhere. */
static int signal_of(DWORD code)
{
    switch (code) {
    case EXCEPTION_ACCESS_VIOLATION:
    case EXCEPTION_STACK_OVERFLOW:
    case EXCEPTION_IN_PAGE_ERROR:
        return SIGSEGV;
    case EXCEPTION_ILLEGAL_INSTRUCTION:
    case EXCEPTION_PRIV_INSTRUCTION:
        return SIGILL;
    case EXCEPTION_INT_DIVIDE_BY_ZERO:
        return SIGFPE;
    case 0xC0000374: /* STATUS_HEAP_CORRUPTION */
    case 0xC0000409: /* STATUS_STACK_BUFFER_OVERRUN, which abort() of the newer C library says, too */
        return SIGABRT;
    default:
        return 0;
    }
}

void dn_os_child_wait(struct dn_os_child *child, uint32_t seconds, void *report, size_t size,
                      struct dn_os_child_end *end)
{
    const HANDLE from = (HANDLE)_get_osfhandle(child->from);
    const HANDLE process = (HANDLE)child->number;
    const ULONGLONG start = GetTickCount64();
    DWORD there = 0;
    DWORD code = 1;

    *end = (struct dn_os_child_end){0};
    while (PeekNamedPipe(from, NULL, 0, NULL, &there, NULL) && there == 0 &&
           WaitForSingleObject(process, 1) == WAIT_TIMEOUT && !end->is_late) {
        end->is_late = GetTickCount64() - start >= 1000 * (ULONGLONG)seconds;
    }
    if (PeekNamedPipe(from, NULL, 0, NULL, &there, NULL) && there > 0) {
        const ssize_t got = read(child->from, report, size);
        end->reported = got > 0 ? (size_t)got : 0;
    }
    if (!end->is_late && end->reported != size) {
        (void)WaitForSingleObject(process, 1000); /* how it ended is worth knowing */
    }
    const bool ended =
        WaitForSingleObject(process, 0) == WAIT_OBJECT_0 && GetExitCodeProcess(process, &code) != 0;
    (void)TerminateJobObject((HANDLE)child->group, 1);
    (void)TerminateProcess(process, 1);
    (void)CloseHandle((HANDLE)child->group);
    (void)CloseHandle(process);
    (void)close(child->from);
    end->crashed = ended ? signal_of(code) : 0;
    end->code = ended ? code : 0;
}
