/** Memory in whole pages. */
#ifndef DN_WINDOWS_SYS_MMAN_H
#define DN_WINDOWS_SYS_MMAN_H

#include <stddef.h>
#include <sys/types.h>

#define PROT_NONE 0
#define PROT_READ 1
#define PROT_WRITE 2
#define MAP_PRIVATE 2
#define MAP_ANONYMOUS 32
#define MAP_FAILED ((void *)-1)

/** Anonymous, or a file to be read.  The address is a wish that is not granted. */
void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t start);
/** The whole of what mmap() gave. */
int munmap(void *memory, size_t size);
int mprotect(void *memory, size_t size, int protection);

#endif
