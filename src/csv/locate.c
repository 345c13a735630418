#include "base/memory.h"
#include "csv/reader_internal.h"

#include <stdio.h>

#define LOCATE_CHUNK ((size_t)1 << 20)

/* Lines are counted only when an error needs one: it costs nothing while all is well. */
static int64_t count_lines(const struct dn_csv_reader *r, size_t file, int64_t offset)
{
    const char *path = r->paths[file];
    const struct dn_source_identity *opened = &r->feed.opened[file];
    struct dn_source *source = NULL;
    int64_t lines = 1;
    uint8_t *chunk = NULL;
    bool after_cr = false;
    uint64_t at = 0;

    if (dn_text_open_again(&source, path, r->feed.text, r->feed.stop, NULL) != DN_OK) {
        return -1;
    }
    if (!dn_source_is_same(source, opened)) {
        dn_source_close(source); /* its lines would not be those of what was read */
        return -1;
    }
    chunk = dn_malloc(LOCATE_CHUNK);
    while (chunk != NULL && at < (uint64_t)offset && !dn_stop_asked(r->feed.stop)) {
        const uint64_t left = (uint64_t)offset - at;
        size_t got;
        if (dn_source_read(source, chunk, left < LOCATE_CHUNK ? (size_t)left : LOCATE_CHUNK, &got,
                           NULL) != DN_OK ||
            got == 0) {
            break;
        }
        lines += dn_csv_line_ends(&r->dialect, chunk, got, &after_cr);
        at += got;
    }
    dn_free(chunk);
    dn_source_close(source);
    return at == (uint64_t)offset ? lines : -1;
}

void dn_csv_place(const struct dn_csv_reader *r, size_t file, struct dn_error *err)
{
    char shown[DN_SHOWN_PATH_SIZE];
    char line[32] = "";
    struct dn_error placed;
    const char *path = dn_source_shown_path(shown, r->paths[file]);

    if (err == NULL || err->byte_offset < 0) {
        return; /* not about a place in a file */
    }
    if (err->line < 0) {
        err->line = count_lines(r, file, err->byte_offset);
    }
    dn_error_locate(err, path, -1, -1, -1, NULL);
    if (err->line >= 0) {
        snprintf(line, sizeof(line), "line %lld, ", (long long)err->line);
    }
    (void)dn_error_set(&placed, (enum dn_status)err->code, "%s: %sbyte %lld: %s", err->path, line,
                       (long long)err->byte_offset, err->message);
    memcpy(err->message, placed.message, sizeof(err->message));
}
