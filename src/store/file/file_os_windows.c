#include "store/file/file_os_none.h"

#include <unistd.h>

/* Whether a file is written past the cache is said when it is opened here. */
bool dn_file_os_set_direct(int fd, bool on)
{
    (void)fd;
    return !on;
}

void dn_file_os_will_read(int fd, off_t start)
{
    (void)fd;
    (void)start;
}

int dn_file_os_sync(int fd)
{
    return fsync(fd);
}

int dn_file_os_rename_new(int dir_fd, const char *from, const char *to)
{
    return dn_posix_rename_new(dir_fd, from, to);
}
