#include "store/file/file_os.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

bool dn_file_os_set_direct(int fd, bool on)
{
    const int flags = fcntl(fd, F_GETFL);

    return flags >= 0 && fcntl(fd, F_SETFL, on ? flags | O_DIRECT : flags & ~O_DIRECT) == 0;
}

void dn_file_os_start_writing(int fd, off_t start, off_t len)
{
    (void)sync_file_range(fd, start, len, SYNC_FILE_RANGE_WRITE);
}

void dn_file_os_will_read(int fd, off_t start)
{
    (void)posix_fadvise(fd, start, 0, POSIX_FADV_SEQUENTIAL);
}

ssize_t dn_file_os_read_cached(int fd, void *buf, size_t size, off_t at)
{
    const struct iovec to = {buf, size};

    return preadv2(fd, &to, 1, at, RWF_NOWAIT);
}

int dn_file_os_sync(int fd)
{
    return fsync(fd);
}

int dn_file_os_rename_new(int dir_fd, const char *from, const char *to)
{
    return renameat2(dir_fd, from, dir_fd, to, RENAME_NOREPLACE);
}

int dn_file_os_create_nameless(int dir_fd)
{
    return openat(dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

bool dn_file_os_is_proc(int dir_fd)
{
    struct statfs volume = {0};

    return fstatfs(dir_fd, &volume) == 0 && volume.f_type == PROC_SUPER_MAGIC;
}

bool dn_file_os_path_of(int fd, char *out, size_t size)
{
    const int len = snprintf(out, size, "/proc/self/fd/%d", fd);

    return len > 0 && (size_t)len < size;
}
