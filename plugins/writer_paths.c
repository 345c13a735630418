/* Names of the files of a table, and whether they can be made. */
#include "writer.h"

#include "base/os_path.h"
#include "base/strings.h"
#include "store/url.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum dn_status dn_writer_file_path(struct dn_buffer *b, const struct dn_writer_target *t,
                                   int64_t counter, unsigned unique, struct dn_error *err)
{
    dn_buffer_reset(b);
    DN_TRY(dn_text_append(b, t->directory, err));
    if (!dn_text_ends_with(t->directory, "/")) {
        DN_TRY(dn_text_append(b, "/", err));
    }
    DN_TRY(dn_text_append(b, t->stem, err));
    if (t->file == NULL || counter > 0) {
        DN_TRY(dn_text_appendf(b, err, "_%06" PRId64, counter));
    }
    if (unique > 0) {
        DN_TRY(dn_text_appendf(b, err, "-%u", unique));
    }
    DN_TRY(dn_text_append(b, dn_writer_kind.ending, err));
    return dn_buffer_append_byte(b, 0, err);
}

enum dn_status dn_writer_settle_directory(struct dn_writer_target *t, struct dn_arena *arena,
                                          struct dn_error *err)
{
    char current[PATH_MAX];

    if (t->means.store != NULL || dn_os_path_is_absolute(t->directory)) {
        return DN_OK;
    }
    if (getcwd(current, sizeof(current)) == NULL) {
        return dn_error_set_errno(err, DN_ERR_IO, errno,
                                  "cannot tell the current directory, in which \"%s\" is",
                                  t->directory);
    }
    if (current[1] == '\0') {
        current[0] = '\0'; /* the root */
    }
    const size_t size = strlen(current) + 1 + strlen(t->directory) + 1;
    char *path = dn_arena_alloc(arena, size);
    if (path == NULL) {
        return dn_error_memory(err, size);
    }
    (void)snprintf(path, size, "%s/%s", current, t->directory);
    t->directory = path;
    t->shown_from = strlen(current) + 1;
    return DN_OK;
}

/* Permissions do not tell all: read-only and virtual file systems refuse what they allow.  -1 and errno on failure. */
static int probe(struct dn_buffer *path, struct dn_error *err)
{
    path->len--; /* the NUL */
    if (dn_text_append(path, "/.dativo-check-XXXXXX", err) != DN_OK ||
        dn_buffer_append_byte(path, 0, err) != DN_OK) {
        errno = ENOMEM;
        return -1;
    }
    const char *made = mkdtemp((char *)path->data);
    if (made == NULL) {
        *strrchr((char *)path->data, '/') = '\0';
        return -1;
    }
    return rmdir(made);
}

enum dn_status dn_writer_check_directory(const char *directory, struct dn_error *err)
{
    struct dn_buffer path = {0};
    struct stat info;
    enum dn_status st = DN_OK;

    DN_TRY_GOTO(st, dn_text_append(&path, directory, err), cleanup);
    DN_TRY_GOTO(st, dn_buffer_append_byte(&path, 0, err), cleanup);
    char *text = (char *)path.data;
    while (stat(text, &info) != 0 && errno == ENOENT) { /* up to the first parent that is there */
        char *slash = strrchr(text, '/');
        if (slash == NULL) {
            text[0] = '.';
            text[1] = '\0';
        } else {
            slash[slash == text ? 1 : 0] = '\0';
        }
    }
    path.len = strlen(text) + 1;
    if (stat(text, &info) == 0 && !S_ISDIR(info.st_mode)) {
        errno = ENOTDIR;
    } else if (probe(&path, err) == 0) {
        goto cleanup;
    }
    text = (char *)path.data;
    st = dn_error_set_errno(err, DN_ERR_IO, errno,
                            "cannot write to the directory \"%s\" for \"%s\"", text, directory);
    dn_error_locate(err, directory, -1, -1, -1, NULL);
cleanup:
    dn_buffer_finish(&path);
    return st;
}
