/** The size of the console. */
#ifndef DN_WINDOWS_SYS_IOCTL_H
#define DN_WINDOWS_SYS_IOCTL_H

struct winsize {
    unsigned short ws_row;
    unsigned short ws_col;
};
#define TIOCGWINSZ 0x5413
int ioctl(int fd, unsigned long request, struct winsize *out);

#endif
