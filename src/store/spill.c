#include "store/spill.h"

#include "base/memory.h"
#include "store/file/file_os.h"
#include "store/file/temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct dn_spill {
    int fd;
    _Atomic uint64_t size;
    char *path; /* of the file that is being written */
};

static enum dn_status failed(const struct dn_spill *s, const char *what, size_t len, int failure,
                             struct dn_error *err)
{
    const bool full = failure == ENOSPC || failure == EDQUOT || failure == EFBIG;

    (void)dn_error_set_errno(err, DN_ERR_IO, failure,
                             "cannot %s %zu bytes of a temporary file in the folder of '%s'%s",
                             what, len, s->path,
                             full ? "; make room there, or raise the memory budget, over which "
                                    "pages wait on the disk"
                                  : "");
    dn_error_locate(err, s->path, -1, -1, -1, NULL);
    return DN_ERR_IO;
}

/* File systems that cannot make a file without a name give it one for a moment. */
static int create(int dir_fd, const char *path)
{
    char name[DN_TEMPORARY_NAME_SIZE];
    const char *slash = strrchr(path, '/');
    int fd = dn_file_os_create_nameless(dir_fd);

    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT && errno != EINVAL)) {
        return fd;
    }
    fd = dn_temporary_create(dir_fd, slash != NULL ? slash + 1 : path, name);
    if (fd >= 0) {
        (void)fchmod(fd, 0600);
        (void)unlinkat(dir_fd, name, 0);
    }
    return fd;
}

enum dn_status dn_spill_open(struct dn_spill **out, int dir_fd, const char *path,
                             struct dn_error *err)
{
    struct dn_spill *s = dn_calloc(1, sizeof *s);
    enum dn_status st = DN_OK;

    *out = NULL;
    if (s == NULL) {
        return dn_error_memory(err, sizeof *s);
    }
    s->fd = -1;
    s->path = dn_strdup(path);
    if (s->path == NULL) {
        st = dn_error_memory(err, strlen(path) + 1);
        goto cleanup;
    }
    s->fd = create(dir_fd, path);
    if (s->fd < 0) {
        st = failed(s, "create", 0, errno, err);
        goto cleanup;
    }
    *out = s;
    s = NULL;
cleanup:
    dn_spill_close(s);
    return st;
}

static enum dn_status write_at(struct dn_spill *s, struct dn_span data, uint64_t offset,
                               struct dn_error *err)
{
    for (size_t done = 0; done < data.len;) {
        const ssize_t n = dn_store_pwrite(s->fd, data.data + done, data.len - done, offset + done);
        if (n <= 0) {
            return failed(s, "write", data.len - done, n < 0 ? errno : ENOSPC, err);
        }
        done += (size_t)n;
    }
    return DN_OK;
}

enum dn_status dn_spill_append(struct dn_spill *s, struct dn_span first, struct dn_span second,
                               uint64_t *out_offset, struct dn_error *err)
{
    const uint64_t offset = atomic_fetch_add(&s->size, first.len + second.len);

    *out_offset = offset;
    DN_TRY(write_at(s, first, offset, err));
    return write_at(s, second, offset + first.len, err);
}

enum dn_status dn_spill_read(const struct dn_spill *s, uint64_t offset, uint8_t *out, size_t len,
                             struct dn_error *err)
{
    for (size_t done = 0; done < len;) {
        const ssize_t n = dn_store_pread(s->fd, out + done, len - done, offset + done);
        if (n <= 0) {
            return failed(s, "read back", len - done, n < 0 ? errno : EIO, err);
        }
        done += (size_t)n;
    }
    return DN_OK;
}

void dn_spill_close(struct dn_spill *s)
{
    if (s == NULL) {
        return;
    }
    if (s->fd >= 0) {
        (void)close(s->fd);
    }
    dn_free(s->path);
    dn_free(s);
}
