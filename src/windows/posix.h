/**
 * What of POSIX the other layers use, and mingw-w64 lacks or has otherwise: declared here, made by the files beside this one.  The build
 * for Windows puts this header in front of every source (cmake/flags.cmake), and the folder include/ among the system's headers, so that
 * sources say what they say elsewhere.
 *
 * Names of files are UTF-8; '/' and '\' part them.  Files are binary, and not inherited by programs that are started.  A file that is open may be
 * renamed and removed.  Functions fail with -1 (or NULL) and errno, as POSIX has it; what Windows has nothing for fails with ENOSYS.
 * Threads: as POSIX has it.
 */
#ifndef DN_WINDOWS_POSIX_H
#define DN_WINDOWS_POSIX_H

/* what has names that are given another meaning below comes first */
#include <direct.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <locale.h>
#include <process.h>
#include <pthread.h>
#include <pthread_time.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>
#include <wchar.h>

/* ---- numbers ---- */

#ifndef EDQUOT
#    define EDQUOT 150
#endif
#ifndef ESTALE
#    define ESTALE 151
#endif
#define O_CLOEXEC 0x01000000
#define O_DIRECTORY 0x02000000
#define O_NOFOLLOW 0x04000000
#define O_NONBLOCK 0
#define O_NOCTTY 0

#define AT_FDCWD (-100)
#define AT_SYMLINK_NOFOLLOW 1
#define AT_REMOVEDIR 2

#define F_GETFD 1
#define F_GETFL 3
#define F_OFD_GETLK 36
#define F_OFD_SETLK 37
#define FD_CLOEXEC 1
#define F_RDLCK 0
#define F_WRLCK 1
#define F_UNLCK 2

#undef S_ISLNK
#undef S_ISSOCK
#undef S_IFLNK
#define S_IFLNK 0xA000
#define S_ISLNK(mode) (((mode)&S_IFMT) == S_IFLNK)
#define S_ISSOCK(mode) ((void)(mode), 0)
#define S_ISVTX 01000
#ifndef S_IRGRP
#    define S_IRGRP 040
#    define S_IWGRP 020
#    define S_IXGRP 010
#    define S_IROTH 04
#    define S_IWOTH 02
#    define S_IXOTH 01
#endif
#ifndef PATH_MAX
#    define PATH_MAX 4096
#endif
#ifndef NAME_MAX
#    define NAME_MAX 255
#endif

typedef unsigned int uid_t;
typedef unsigned int gid_t;
#define ino_t uint64_t
#define dev_t uint64_t
#define tell dn_posix_tell /* a function of io.h that nobody uses */

/* ---- open files ---- */

struct flock {
    short l_type;
    short l_whence;
    off_t l_start;
    off_t l_len;
    pid_t l_pid;
};

int dn_posix_open(const char *path, int flags, ...);
int dn_posix_openat(int dir, const char *path, int flags, ...);
int dn_posix_close(int fd);
ssize_t dn_posix_read(int fd, void *out, size_t size);
ssize_t dn_posix_write(int fd, const void *bytes, size_t size);
ssize_t dn_posix_pread(int fd, void *out, size_t size, off_t at);
ssize_t dn_posix_pwrite(int fd, const void *bytes, size_t size, off_t at);
off_t dn_posix_lseek(int fd, off_t to, int from);
int dn_posix_fsync(int fd);
int dn_posix_ftruncate(int fd, off_t size);
int dn_posix_truncate(const char *path, off_t size);
/** F_GETFD, F_GETFL (which cannot tell what a file was opened for), F_OFD_SETLK and F_OFD_GETLK, which holds no number of a process. */
int dn_posix_fcntl(int fd, int command, ...);
FILE *dn_posix_fopen(const char *path, const char *mode);
int dn_posix_pipe(int ends[2]);

#define open dn_posix_open
#define openat dn_posix_openat
#define close dn_posix_close
#define read dn_posix_read
#define write dn_posix_write
#define pread dn_posix_pread
#define pwrite dn_posix_pwrite
#undef lseek
#define lseek dn_posix_lseek
#define fsync dn_posix_fsync
#undef ftruncate
#define ftruncate dn_posix_ftruncate
#undef truncate
#define truncate dn_posix_truncate
#define fcntl dn_posix_fcntl
#undef fopen
#define fopen dn_posix_fopen
#define pipe dn_posix_pipe

/* ---- names ---- */

/** Owners are unknown, 0; of the mode only who may write is known. */
struct dn_posix_stat {
    uint64_t st_dev;
    uint64_t st_ino;
    mode_t st_mode;
    unsigned int st_nlink;
    uid_t st_uid;
    gid_t st_gid;
    int64_t st_size;
    struct timespec st_atim;
    struct timespec st_mtim;
    struct timespec st_ctim;
};
#define st_mtime st_mtim.tv_sec
int dn_posix_stat(const char *path, struct dn_posix_stat *out);
int dn_posix_lstat(const char *path, struct dn_posix_stat *out);
int dn_posix_fstat(int fd, struct dn_posix_stat *out);
int dn_posix_fstatat(int dir, const char *path, struct dn_posix_stat *out, int flags);
int dn_posix_access(const char *path, int mode);
/** ENOSYS: what a link says is not known. */
ssize_t dn_posix_readlink(const char *path, char *out, size_t size);
ssize_t dn_posix_readlinkat(int dir, const char *path, char *out, size_t size);
int dn_posix_linkat(int from_dir, const char *from, int to_dir, const char *to, int flags);
int dn_posix_symlink(const char *target, const char *path);
/** Replaces a file, with all bytes of the new one on the disk before, or none. */
int dn_posix_rename(const char *from, const char *to);
int dn_posix_renameat(int from_dir, const char *from, int to_dir, const char *to);
/** EEXIST if there is something of that name. */
int dn_posix_rename_new(int dir, const char *from, const char *to);
int dn_posix_unlink(const char *path);
int dn_posix_unlinkat(int dir, const char *path, int flags);
int dn_posix_remove(const char *path);
int dn_posix_mkdir(const char *path, mode_t mode);
int dn_posix_rmdir(const char *path);
char *dn_posix_mkdtemp(char *pattern);
int dn_posix_mkstemp(char *pattern);
char *dn_posix_getcwd(char *out, size_t size);
int dn_posix_chdir(const char *path);
char *dn_posix_realpath(const char *path, char *out);
int dn_posix_chmod(const char *path, mode_t mode);
int dn_posix_fchmod(int fd, mode_t mode);
int dn_posix_fchown(int fd, uid_t owner, gid_t group);
uid_t dn_posix_getuid(void);
/** Of both, the time of the last writing alone can be set. */
int dn_posix_utimensat(int dir, const char *path, const struct timespec times[2], int flags);
int dn_posix_futimens(int fd, const struct timespec times[2]);

#undef stat
#define stat dn_posix_stat
#define lstat dn_posix_lstat
#undef fstat
#define fstat dn_posix_fstat
#define fstatat dn_posix_fstatat
#define access dn_posix_access
#define readlinkat dn_posix_readlinkat
#define readlink dn_posix_readlink
#define linkat dn_posix_linkat
#define symlink dn_posix_symlink
#define rename dn_posix_rename
#define renameat dn_posix_renameat
#define unlink dn_posix_unlink
#define unlinkat dn_posix_unlinkat
#define remove dn_posix_remove
#define mkdir dn_posix_mkdir
#define rmdir dn_posix_rmdir
#define mkdtemp dn_posix_mkdtemp
#undef mkstemp
#define mkstemp dn_posix_mkstemp
#define getcwd dn_posix_getcwd
#define chdir dn_posix_chdir
#define realpath dn_posix_realpath
#define chmod dn_posix_chmod
#define fchmod dn_posix_fchmod
#define fchown dn_posix_fchown
#define getuid dn_posix_getuid
#define geteuid dn_posix_getuid
#define utimensat dn_posix_utimensat
#define futimens dn_posix_futimens

/* ---- folders ---- */

struct dn_posix_dirent {
    char d_name[4 * 260];
};
struct dn_posix_dir;
struct dn_posix_dir *dn_posix_opendir(const char *path);
/** The descriptor is the folder's from here on, as long as this succeeds. */
struct dn_posix_dir *dn_posix_fdopendir(int fd);
struct dn_posix_dirent *dn_posix_readdir(struct dn_posix_dir *dir);
int dn_posix_closedir(struct dn_posix_dir *dir);
int dn_posix_dirfd(const struct dn_posix_dir *dir);

#define DIR struct dn_posix_dir
#define dirent dn_posix_dirent
#define opendir dn_posix_opendir
#define fdopendir dn_posix_fdopendir
#define readdir dn_posix_readdir
#define closedir dn_posix_closedir
#define dirfd dn_posix_dirfd

/* ---- processes and signals ---- */

#define _SC_PAGESIZE 30
long dn_posix_sysconf(int name);
#define sysconf dn_posix_sysconf
#define umask(mask) ((mode_t)umask(mask))
#define alarm(seconds) ((void)(seconds), 0u) /* nothing ends a program that takes too long */

#define sigset_t _sigset_t
#define SIGHUP SIGBREAK
#define SIGPIPE 13
#define SIGXFSZ 25
#define SIGKILL 9
#define SIGCHLD 17
#define SIGBUS 7
#define SA_RESETHAND 0x80000000
#define sigaction dn_posix_sigaction
struct sigaction {
    void (*sa_handler)(int);
    int sa_flags;
};
/** Handlers run once, as with SA_RESETHAND, on a thread of their own.  EINVAL: there is no such signal here. */
int sigaction(int number, const struct sigaction *now, struct sigaction *before);
/** ENOSYS */
pid_t dn_posix_fork(void);
int dn_posix_kill(pid_t pid, int number);

#define sigemptyset(set) ((void)(*(set) = 0))
#define sigismember(set, number) ((int)(*(set) >> (number)&1))
#define fork dn_posix_fork
#define kill dn_posix_kill
#define setpgid(pid, group) ((void)(pid), (void)(group), 0)

#undef pthread_atfork
#define pthread_atfork(before, after, in_child) ((void)(before), (void)(after), (void)(in_child), 0)

/* ---- text, time, the environment ---- */

void *dn_posix_memmem(const void *bytes, size_t len, const void *wanted, size_t n);
char *dn_posix_strndup(const char *text, size_t len);
char *dn_posix_stpcpy(char *out, const char *text);
char *dn_posix_strsep(char **text, const char *separators);
const char *dn_posix_strsignal(int number);
int dn_posix_strerror_r(int number, char *out, size_t size);
/** The conversions %Y %m %d %H %M %S %T %F and blanks. */
char *dn_posix_strptime(const char *text, const char *format, struct tm *out);
time_t dn_posix_timegm(struct tm *tm);
char *dn_posix_getenv(const char *name);
int dn_posix_setenv(const char *name, const char *value, int overwrite);
int dn_posix_unsetenv(const char *name);

#define memmem dn_posix_memmem
#define strndup dn_posix_strndup
#define stpcpy dn_posix_stpcpy
#define strsep dn_posix_strsep
#define strsignal dn_posix_strsignal
#define strerror_r dn_posix_strerror_r
#define strptime dn_posix_strptime
#define timegm dn_posix_timegm
#define getenv dn_posix_getenv
#define setenv dn_posix_setenv
#define unsetenv dn_posix_unsetenv

/** Only the locale "C", which parses numbers the same whatever the process has. */
typedef const struct dn_posix_locale *locale_t;
#define LC_ALL_MASK 1
locale_t dn_posix_newlocale(int mask, const char *name, locale_t base);
double dn_posix_strtod_l(const char *text, char **end, locale_t locale);
#define newlocale dn_posix_newlocale
#define freelocale(locale) ((void)(locale))
#define strtod_l dn_posix_strtod_l

#endif
