#include "base/memory.h"
#include "csv/reader_internal.h"

#include <sys/stat.h>

#define LOCATE_CHUNK ((size_t)1 << 20)

bool dn_csv_can_reread(const char *path)
{
    struct stat info;

    /* opening a pipe again would wait for another writer, closing it might kill the one there is */
    return strcmp(path, "-") != 0 && stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

/* Lines are counted only when an error needs one: it costs nothing while all is well. */
static int64_t count_lines(const char *path, bool cr_ends_row, int64_t offset)
{
    struct dn_source *source = NULL;
    int64_t lines = 1;
    uint8_t *chunk = NULL;
    bool after_cr = false;
    uint64_t at = 0;

    if (dn_source_open(&source, path, NULL) != DN_OK) {
        return -1;
    }
    chunk = dn_malloc(LOCATE_CHUNK);
    while (chunk != NULL && at < (uint64_t)offset) {
        const uint64_t left = (uint64_t)offset - at;
        size_t got;
        if (dn_source_read_at(source, at, chunk, left < LOCATE_CHUNK ? (size_t)left : LOCATE_CHUNK,
                              &got, NULL) != DN_OK ||
            got == 0) {
            break;
        }
        for (size_t i = 0; i < got; i++) {
            lines += (chunk[i] == '\n' && !after_cr) || (chunk[i] == '\r' && cr_ends_row);
            after_cr = chunk[i] == '\r' && cr_ends_row;
        }
        at += got;
    }
    dn_free(chunk);
    dn_source_close(source);
    return at == (uint64_t)offset ? lines : -1;
}

void dn_csv_locate(const struct dn_csv_reader *r, size_t file, int64_t offset, struct dn_error *err)
{
    const char *path = r->paths[file];
    const int64_t line =
        dn_csv_can_reread(path) ? count_lines(path, r->dialect.cr_ends_row, offset) : -1;

    dn_error_locate(err, path, -1, line, offset, NULL);
}
