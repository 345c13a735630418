/**
 * What systems do with files beyond POSIX.  file_os.c is what Linux has, file_os_darwin.c stands in its place on macOS.
 * All are thread-safe, and set errno where they fail.
 */
#ifndef DN_STORE_FILE_FILE_OS_H
#define DN_STORE_FILE_FILE_OS_H

#include <stdbool.h>
#include <sys/types.h>

/** Let what is written go past the page cache, or not.  False: the file system wants it there. */
bool dn_file_os_set_direct(int fd, bool on);
/** Let the disk start with these bytes: a hint. */
void dn_file_os_start_writing(int fd, off_t start, off_t len);
/** It will be read in order from `start` on: a hint. */
void dn_file_os_will_read(int fd, off_t start);
/**
 * pread() of bytes that are in memory already, and no others: who calls never waits for a disk.  Fewer than `size`: the rest is not, or is not
 * there; -1: none are, or the system cannot say.
 */
ssize_t dn_file_os_read_cached(int fd, void *buf, size_t size, off_t at);
/** Make it durable, with what the disk itself still keeps to itself.  -1 and errno. */
int dn_file_os_sync(int fd);
/** Rename inside a folder, if nothing has the new name.  -1: EEXIST; EINVAL, ENOSYS, ENOTSUP: it cannot be done like this there. */
int dn_file_os_rename_new(int dir_fd, const char *from, const char *to);
/** A new file without a name in that folder, for reading and writing.  -1: EOPNOTSUPP, EISDIR, ENOENT, EINVAL: there are none. */
int dn_file_os_create_nameless(int dir_fd);
/** Does the folder show the system's own state (/proc) instead of files? */
bool dn_file_os_is_proc(int dir_fd);
/** A path under which the open file can be opened again, name or not.  False: there is no such thing. */
bool dn_file_os_path_of(int fd, char *out, size_t size);

#endif
