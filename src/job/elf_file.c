#include "job/elf.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum dn_status dn_elf_read_file(struct dn_elf_symbols *out, const char *path, struct dn_error *err)
{
    void *map = MAP_FAILED;
    struct stat info;
    enum dn_status st = DN_OK;

    int fd = -1;
    do {
        fd = open(path, O_RDONLY | O_CLOEXEC);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0) {
        const int saved = errno;
        return dn_error_set_errno(err, saved == ENOENT ? DN_ERR_NOT_FOUND : DN_ERR_IO, saved,
                                  "%s: cannot be opened", path);
    }
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size <= 0) {
        st = dn_error_set(err, DN_ERR_DATA, "%s: not a shared library", path);
        goto cleanup;
    }
    map = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED) {
        const int saved = errno;
        st = dn_error_set_errno(err, DN_ERR_IO, saved, "%s: cannot be read", path);
        goto cleanup;
    }
    st = dn_elf_read(out, path, map, (size_t)info.st_size, err);
cleanup:
    if (map != MAP_FAILED) {
        (void)munmap(map, (size_t)info.st_size);
    }
    (void)close(fd);
    return st;
}

void dn_elf_finish(struct dn_elf_symbols *symbols)
{
    dn_arena_finish(&symbols->arena);
    *symbols = (struct dn_elf_symbols){0};
}
