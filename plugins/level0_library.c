/* A library of Level 0: its functions, and what its texts mean. */
#include "level0.h"

#include "base/os_library.h"
#include "base/strings.h"
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

/* ISO C has no cast from an object pointer to a function pointer; POSIX promises that the bits are the same. */
static bool symbol_find(void *library, const char *name, void *out)
{
    void *symbol = dn_os_library_symbol(library, name);

    memcpy(out, &symbol, sizeof(symbol));
    return symbol != NULL;
}

enum dn_status level0_library_load(struct level0_library *l, const json_t *config, const char *role,
                                   struct dn_error *err)
{
    const json_t *place = dn_shell_get(config, "level0");
    const char *path = dn_shell_text_value(dn_shell_get(place, "library"));
    const char *create = dn_shell_text_value(dn_shell_get(place, "create"));
    const bool is_reader = strcmp(role, "reader") == 0;
    const char *missing = NULL;

    *l = (struct level0_library){.path = path};
    if (path == NULL || create == NULL) {
        return dn_error_set(err, DN_ERR_CONFIG,
                            "level0 needs \"library\" and \"create\", texts both");
    }
    void *library = dn_os_library_open(path);
    if (library == NULL) {
        return dn_error_set(err, DN_ERR_CONFIG, "library %s cannot be loaded: %s", path,
                            dn_os_library_reason());
    }
    if (!symbol_find(library, create, &l->create)) {
        missing = create;
    } else if (is_reader ? !symbol_find(library, "extract_batch", &l->extract_batch)
                         : !symbol_find(library, "write_batch", &l->write_batch)) {
        missing = is_reader ? "extract_batch" : "write_batch";
    } else if (!symbol_find(library, is_reader ? "free_reader" : "free_writer", &l->free_handle)) {
        missing = is_reader ? "free_reader" : "free_writer";
    } else if (!symbol_find(library, "free_string", &l->free_string)) {
        missing = "free_string";
    }
    (void)symbol_find(library, "last_error", &l->last_error);
    (void)symbol_find(library, "commit_files", &l->commit_files);
    return missing == NULL
               ? DN_OK
               : dn_error_set(err, DN_ERR_NOT_FOUND,
                              "symbol %s not found in %s; a %s of Level 0 needs %s, %s, %s and "
                              "free_string",
                              missing, path, role, create,
                              is_reader ? "extract_batch" : "write_batch",
                              is_reader ? "free_reader" : "free_writer");
}

/* json_dump_callback() does not look whether keys were taken, so the length comes first. */
enum dn_status level0_json_text(const json_t *value, struct dn_buffer *out, struct dn_error *err)
{
    const size_t flags = JSON_ENSURE_ASCII | JSON_COMPACT;
    const size_t len = json_dumpb(value, NULL, 0, flags); /* 0: it found no memory */

    if (len == 0) {
        return dn_error_memory(err, 0);
    }
    DN_TRY(dn_buffer_reserve(out, len + 1, err));
    if (json_dumpb(value, (char *)out->data + out->len, len, flags) != len) {
        return dn_error_memory(err, len);
    }
    out->len += len;
    return dn_buffer_append_byte(out, 0, err);
}

enum dn_status level0_library_create(const struct level0_library *l, const json_t *config,
                                     void **out, struct dn_error *err)
{
    json_t *own = json_copy((json_t *)(uintptr_t)config);
    struct dn_buffer text = {0};
    enum dn_status st = own != NULL && json_object_del(own, "level0") == 0
                            ? level0_json_text(own, &text, err)
                            : dn_error_memory(err, 0);

    json_decref(own);
    if (st == DN_OK) {
        *out = l->create((const char *)text.data);
    }
    dn_buffer_finish(&text);
    DN_TRY(st);
    return *out != NULL
               ? DN_OK
               : dn_error_set(err, DN_ERR_CONFIG,
                              "%s: the create function returned NULL, and says no more; what it "
                              "does not accept in its configuration may be on its standard error",
                              l->path);
}

enum dn_status level0_refuse(const struct level0_library *l, const char *function,
                             const char *problem, const char *text, struct dn_error *err)
{
    char shown[DN_ESCAPED_VALUE_SIZE];

    return dn_error_set(err, DN_ERR_DATA, "%s: %s() returned %s%s%s", l->path, function, problem,
                        text != NULL ? ": " : "",
                        text != NULL ? dn_error_escape_value(shown, text, strlen(text)) : "");
}

/* Of an error in JSON, as last_error() and the texts behind the prefix have it. */
static enum dn_status error_take(const struct level0_library *l, const json_t *said,
                                 struct dn_error *err)
{
    const char *message = json_string_value(json_object_get(said, "message"));
    const char *code = json_string_value(json_object_get(said, "code"));
    const char *path = json_string_value(json_object_get(said, "path"));
    const char *column = json_string_value(json_object_get(said, "column"));
    const json_t *row = json_object_get(said, "row");
    const json_t *line = json_object_get(said, "line");
    const json_t *byte = json_object_get(said, "byte_offset");
    enum dn_status st = DN_ERR_DATA;

    for (int i = DN_ERR_INVALID; code != NULL && i <= DN_ERR_INTERNAL; i++) {
        if (strcmp(code, dn_status_name((enum dn_status)i)) == 0) {
            st = (enum dn_status)i;
        }
    }
    /* that a value is of another type says nothing here: which type would do is not told */
    st = st == DN_ERR_TYPE ? DN_ERR_DATA : st;
    if (message == NULL || message[0] == '\0') {
        message = "the plugin failed and says no more";
    }
    char where[32] = "";
    if (json_is_integer(line) && strstr(message, "line") == NULL) {
        (void)snprintf(where, sizeof(where), " (line %lld)", (long long)json_integer_value(line));
    }
    (void)dn_error_set(err, st, "%s: %s%s", l->path, message, where);
    dn_error_locate(err, path, json_is_integer(row) ? json_integer_value(row) : -1,
                    json_is_integer(line) ? json_integer_value(line) : -1,
                    json_is_integer(byte) ? json_integer_value(byte) : -1, column);
    return st;
}

enum dn_status level0_text_check(const struct level0_library *l, const char *function,
                                 const char *text, struct dn_error *err)
{
    if (text[0] == '\0') {
        return level0_refuse(l, function, "an empty text, which is no list", NULL, err);
    }
    if (!dn_utf8_is_valid(text)) {
        return level0_refuse(l, function,
                             "a text that is not UTF-8, which hosts take for the end of the data",
                             text, err);
    }
    if (!dn_text_starts_with(text, DATIVO_ERROR_PREFIX)) {
        return DN_OK;
    }
    json_t *said = json_loads(text + strlen(DATIVO_ERROR_PREFIX), JSON_DISABLE_EOF_CHECK, NULL);
    const enum dn_status st = json_is_object(said)
                                  ? error_take(l, said, err)
                                  : dn_error_set(err, DN_ERR_DATA, "%s: %.600s", l->path, text);
    json_decref(said);
    return st;
}

enum dn_status level0_last_error(const struct level0_library *l, void *handle, struct dn_error *err)
{
    if (l->last_error == NULL) {
        return DN_OK;
    }
    const char *text = l->last_error(handle);
    if (text == NULL) {
        return DN_OK;
    }
    json_t *said = json_loads(text, JSON_DISABLE_EOF_CHECK, NULL);
    const char *code = json_string_value(json_object_get(said, "code"));
    const bool is_error = code != NULL && strcmp(code, "ok") != 0;
    const enum dn_status st = is_error ? error_take(l, said, err) : DN_OK;
    json_decref(said);
    l->free_string(text);
    return st;
}
