#include "job/json_file.h"

#include "base/memory.h"
#include "job/json_text.h"
#include "store/sink.h"
#include "store/source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum dn_status dn_json_file_write(const char *path, const json_t *value, bool overwrite,
                                  struct dn_error *err)
{
    struct dn_sink *sink = NULL;
    enum dn_status st = DN_OK;

    char *text = dn_json_dump(value, JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_PRESERVE_ORDER);
    if (text == NULL) {
        return dn_error_memory(err, 0);
    }
    DN_TRY_GOTO(st, dn_sink_open(&sink, path, overwrite, NULL, NULL, err), cleanup);
    DN_TRY_GOTO(st, dn_sink_write(sink, text, strlen(text), err), cleanup);
    DN_TRY_GOTO(st, dn_sink_finish(sink, err), cleanup);
    st = dn_sink_commit(sink, err);
cleanup:
    dn_sink_close(sink);
    dn_free(text);
    return st;
}

enum dn_status dn_json_file_read(const char *path, const char *what, json_t **out,
                                 struct dn_error *err)
{
    char room[DN_SHOWN_PATH_SIZE];
    json_error_t why;
    enum dn_status st = DN_OK;

    FILE *file = fopen(path, "re");
    path = dn_source_shown_path(room, path);
    if (file == NULL) {
        const int saved = errno;
        st = dn_error_set_errno(err, saved == ENOENT ? DN_ERR_NOT_FOUND : DN_ERR_IO, saved,
                                "%s: %s cannot be read", path, what);
        dn_error_locate(err, path, -1, -1, -1, NULL);
        return st;
    }
    *out = json_loadf(file, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
    const int code = ferror(file) != 0 ? EIO : 0;
    (void)fclose(file);
    if (code == 0 && json_is_object(*out)) {
        return DN_OK;
    }
    const bool is_json = *out != NULL;
    json_decref(*out);
    *out = NULL;
    if (code != 0) {
        st = dn_error_set_errno(err, DN_ERR_IO, code, "%s: %s cannot be read", path, what);
    } else if (is_json) {
        st = dn_error_set(err, DN_ERR_DATA, "%s: is not %s: it holds no JSON object", path, what);
    } else {
        st = dn_error_set(err, DN_ERR_DATA, "%s:%d:%d: is not %s: %s", path, why.line, why.column,
                          what, why.text);
    }
    dn_error_locate(err, path, -1, -1, -1, NULL);
    return st;
}
