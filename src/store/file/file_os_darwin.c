#include "store/file/file_os_none.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stdio.h>
#include <unistd.h>

bool dn_file_os_set_direct(int fd, bool on)
{
    return fcntl(fd, F_NOCACHE, on ? 1 : 0) == 0;
}

void dn_file_os_will_read(int fd, off_t start)
{
    (void)start;
    (void)fcntl(fd, F_RDAHEAD, 1);
}

/* fsync() leaves bytes in the disk's own memory here; file systems that cannot do more are content with it. */
int dn_file_os_sync(int fd)
{
    return fcntl(fd, F_FULLFSYNC) == 0 ? 0 : fsync(fd);
}

int dn_file_os_rename_new(int dir_fd, const char *from, const char *to)
{
    return renameatx_np(dir_fd, from, dir_fd, to, RENAME_EXCL);
}
