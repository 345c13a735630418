#include "base/memory.h"
#include "csv/reader_internal.h"

#define LOCATE_CHUNK ((size_t)1 << 20)

/* Lines are counted only when an error needs one: it costs nothing while all is well. */
static int64_t count_lines(const char *path, const struct dn_csv_dialect *d, int64_t offset)
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
        lines += dn_csv_line_ends(d, chunk, got, &after_cr);
        at += got;
    }
    dn_free(chunk);
    dn_source_close(source);
    return at == (uint64_t)offset ? lines : -1;
}

void dn_csv_locate(const struct dn_csv_reader *r, size_t file, int64_t offset, struct dn_error *err)
{
    char shown[DN_SHOWN_PATH_SIZE];
    const char *path = r->paths[file];
    const int64_t line =
        err->line < 0 && dn_csv_can_reread(path) ? count_lines(path, &r->dialect, offset) : -1;

    dn_error_locate(err, dn_source_shown_path(shown, path), -1, line, offset, NULL);
}
