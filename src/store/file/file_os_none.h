/**
 * What macOS and Windows have nothing of: the definitions of those functions of file_os.h, for the file of such a system to include.
 */
#ifndef DN_STORE_FILE_FILE_OS_NONE_H
#define DN_STORE_FILE_FILE_OS_NONE_H

#include "store/file/file_os.h"

#include <errno.h>

void dn_file_os_start_writing(int fd, off_t start, off_t len)
{
    (void)fd;
    (void)start;
    (void)len;
}

ssize_t dn_file_os_read_cached(int fd, void *buf, size_t size, off_t at)
{
    (void)fd;
    (void)buf;
    (void)size;
    (void)at;
    return -1;
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

/* What /dev/fd opens on macOS shares its position with the descriptor: it is not the file opened again. */
bool dn_file_os_path_of(int fd, char *out, size_t size)
{
    (void)fd;
    (void)out;
    (void)size;
    return false;
}

#endif
