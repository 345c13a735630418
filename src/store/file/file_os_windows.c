#include "store/file/file_os.h"

#include <errno.h>
#include <unistd.h>

/* Whether a file is written past the cache is said when it is opened here. */
bool dn_file_os_set_direct(int fd, bool on)
{
    (void)fd;
    return !on;
}

void dn_file_os_start_writing(int fd, off_t start, off_t len)
{
    (void)fd;
    (void)start;
    (void)len;
}

void dn_file_os_will_read(int fd, off_t start)
{
    (void)fd;
    (void)start;
}

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
    return fsync(fd);
}

int dn_file_os_rename_new(int dir_fd, const char *from, const char *to)
{
    return dn_posix_rename_new(dir_fd, from, to);
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

bool dn_file_os_path_of(int fd, char *out, size_t size)
{
    (void)fd;
    (void)out;
    (void)size;
    return false;
}
