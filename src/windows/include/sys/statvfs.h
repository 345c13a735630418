/** How much room there is. */
#ifndef DN_WINDOWS_SYS_STATVFS_H
#define DN_WINDOWS_SYS_STATVFS_H

struct statvfs {
    unsigned long long f_bavail;
    unsigned long long f_frsize;
};
int fstatvfs(int fd, struct statvfs *out);

#endif
