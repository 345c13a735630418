#include "store/file/file_os.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stdio.h>
#include <unistd.h>

bool dn_file_os_set_direct(int fd, bool on)
{
    return fcntl(fd, F_NOCACHE, on ? 1 : 0) == 0;
}

void dn_file_os_start_writing(int fd, off_t start, off_t len)
{
    (void)fd;
    (void)start;
    (void)len;
}

void dn_file_os_will_read(int fd, off_t start)
{
    (void)start;
    (void)fcntl(fd, F_RDAHEAD, 1);
}

/* fsync() leaves bytes in the disk's own memory here; file systems that cannot do more are content with it. */
ssize_t dn_file_os_read_cached(int fd, void *buf, size_t size, off_t at)
{
    (void)fd;
    (void)buf;
    (void)size;
    (void)at;
    return -1;
}

int dn_file_os_sync(int fd)
{
    return fcntl(fd, F_FULLFSYNC) == 0 ? 0 : fsync(fd);
}

int dn_file_os_rename_new(int dir_fd, const char *from, const char *to)
{
    return renameatx_np(dir_fd, from, dir_fd, to, RENAME_EXCL);
}

int dn_file_os_create_nameless(int dir_fd)
{
    (void)dir_fd;
    errno = EOPNOTSUPP;
    return -1;
}

bool dn_file_os_is_proc(int dir_fd)
{
    (void)dir_fd;
    return false;
}

/* What /dev/fd opens shares its position with the descriptor: it is not the file opened again. */
bool dn_file_os_path_of(int fd, char *out, size_t size)
{
    (void)fd;
    (void)out;
    (void)size;
    return false;
}
