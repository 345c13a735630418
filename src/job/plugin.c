#include "job/plugin.h"

#include "base/memory.h"
#include "base/os_library.h"
#include "base/os_path.h"
#include "base/os_process.h"
#include "base/strings.h"
#include "job/elf.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#ifndef DN_INSTALLED_PLUGINS /* where they are installed, from the executable's folder; cmake/install.cmake says */
#    define DN_INSTALLED_PLUGINS "../lib/dativo/plugins"
#endif

/* The names a library may have, best first, and a list of them for a message. */
struct candidates {
    char *paths[32];
    size_t n;
    struct dn_buffer tried;
};

static void candidates_finish(struct candidates *c)
{
    for (size_t i = 0; i < c->n; i++) {
        dn_free(c->paths[i]);
    }
    dn_buffer_finish(&c->tried);
}

static enum dn_status candidate_add(struct candidates *c, const char *dir, const char *stem,
                                    size_t stem_len, const char *suffix, struct dn_error *err)
{
    struct dn_buffer path = {0};

    if (c->n == sizeof c->paths / sizeof c->paths[0]) {
        return DN_OK; /* a very long $DATIVO_PLUGIN_PATH: the first directories count */
    }
    enum dn_status st = dn_text_appendf(&path, err, "%s%s%.*s%s", dir, dir[0] != '\0' ? "/" : "",
                                        (int)stem_len, stem, suffix);
    if (st == DN_OK) {
        st = dn_text_appendf(&c->tried, err, "%s%.*s", c->n > 0 ? ", " : "", (int)path.len,
                             (const char *)path.data);
    }
    if (st == DN_OK) {
        c->paths[c->n] = dn_text_take(&path);
        st = c->paths[c->n] != NULL ? DN_OK : dn_error_memory(err, path.len + 1);
        c->n += st == DN_OK ? 1 : 0;
    }
    dn_buffer_finish(&path);
    return st;
}

/* `name` in `dir`, and the library that a name without a suffix, or with another system's, stands for where they end in `suffix`. */
static enum dn_status candidates_add(struct candidates *c, const char *dir, const char *name,
                                     const char *suffix, struct dn_error *err)
{
    static const char *const suffixes[] = {".so", ".dylib", ".dll"};
    size_t stem = strlen(name);

    DN_TRY(candidate_add(c, dir, name, stem, "", err));
    if (dn_text_ends_with(name, suffix)) {
        return DN_OK;
    }
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        if (dn_text_ends_with(name, suffixes[i])) {
            stem -= strlen(suffixes[i]);
            break;
        }
    }
    return candidate_add(c, dir, name, stem, suffix, err);
}

/* The first name under which there is a file, as a copy: a pipe would be waited for without end. */
static enum dn_status find_first(const struct candidates *c, const char *name, const char *advice,
                                 char **out, struct dn_error *err)
{
    const char *other = NULL;

    for (size_t i = 0; i < c->n; i++) {
        struct stat info;
        const bool exists = stat(c->paths[i], &info) == 0;
        if (exists && S_ISREG(info.st_mode)) {
            *out = dn_strdup(c->paths[i]);
            return *out != NULL ? DN_OK : dn_error_memory(err, strlen(c->paths[i]) + 1);
        }
        other = exists && other == NULL ? c->paths[i] : other;
    }
    if (other != NULL) {
        return dn_error_set(err, DN_ERR_CONFIG,
                            "library %s cannot be loaded: it is no file, but a folder, a pipe or a "
                            "device",
                            other);
    }
    return dn_error_set(err, DN_ERR_NOT_FOUND, "library not found: %s; tried %.*s%s", name,
                        (int)c->tried.len, c->tried.data != NULL ? (const char *)c->tried.data : "",
                        advice);
}

/* Takes `path` over, which is for dn_free(). */
static enum dn_status load_file(struct dn_plugin *plugin, char *path, struct dn_error *err)
{
    void *library = dn_os_library_open(path);

    if (library == NULL) {
        enum dn_status st = dn_error_set(err, DN_ERR_CONFIG, "library %s cannot be loaded: %s",
                                         path, dn_os_library_reason());
        dn_free(path);
        return st;
    }
    *plugin = (struct dn_plugin){.library = library, .path = path};
    return DN_OK;
}

/* $DATIVO_PLUGIN_PATH, one directory after the other. */
static enum dn_status environment_add(struct candidates *c, const char *file_name,
                                      struct dn_error *err)
{
    const char *list = getenv("DATIVO_PLUGIN_PATH");

    while (list != NULL && list[0] != '\0') {
        const size_t len = strcspn(list, DN_OS_PATH_LIST);
        if (len > 0 && len < PATH_MAX) {
            char dir[PATH_MAX];
            memcpy(dir, list, len);
            dir[len] = '\0';
            DN_TRY(candidates_add(c, dir, file_name, DN_PLUGIN_SUFFIX, err));
        }
        list += list[len] != '\0' ? len + 1 : len;
    }
    return DN_OK;
}

static char g_home[PATH_MAX]; /* dn_plugin_set_home() */

void dn_plugin_set_home(const char *directory)
{
    dn_error_copy_text(g_home, sizeof g_home, directory);
}

/* Beside the executable: in a build folder or an archive, and where it is installed. */
static enum dn_status executable_add(struct candidates *c, const char *file_name,
                                     struct dn_error *err)
{
    static const char *const places[] = {"../plugins", DN_INSTALLED_PLUGINS};
    char exe[PATH_MAX];
    struct dn_buffer dir = {0};
    enum dn_status st = DN_OK;

    if (!dn_os_executable(exe, sizeof exe)) {
        return DN_OK;
    }
    char *slash = strrchr(exe, '/');
    if (slash == NULL) {
        return DN_OK;
    }
    *slash = '\0';
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        dn_buffer_reset(&dir);
        DN_TRY_GOTO(st, dn_text_appendf(&dir, err, "%s/%s", exe, places[i]), cleanup);
        DN_TRY_GOTO(st, dn_buffer_append_byte(&dir, 0, err), cleanup);
        DN_TRY_GOTO(st, candidates_add(c, (const char *)dir.data, file_name, DN_PLUGIN_SUFFIX, err),
                    cleanup);
    }
cleanup:
    dn_buffer_finish(&dir);
    return st;
}

/* Where this program's own plugins may be. */
static enum dn_status builtin_add(struct candidates *c, const char *file_name, struct dn_error *err)
{
    DN_TRY(environment_add(c, file_name, err));
    if (g_home[0] != '\0') {
        DN_TRY(candidates_add(c, g_home, file_name, DN_PLUGIN_SUFFIX, err));
    }
    DN_TRY(executable_add(c, file_name, err));
    return candidates_add(c, "/usr/lib/dativo/plugins", file_name, DN_PLUGIN_SUFFIX, err);
}

enum dn_status dn_plugin_load_builtin(struct dn_plugin *plugin, const char *file_name,
                                      struct dn_error *err)
{
    struct candidates c = {0};
    char *found = NULL;
    enum dn_status st = DN_OK;

    DN_TRY_GOTO(st, builtin_add(&c, file_name, err), cleanup);
    DN_TRY_GOTO(st,
                find_first(&c, file_name, "; set DATIVO_PLUGIN_PATH to the directory that has it",
                           &found, err),
                cleanup);
    st = load_file(plugin, found, err);
cleanup:
    candidates_finish(&c);
    return st;
}

/* A path to a plugin of this program's own that is not there, as a job has it that came from another machine: where this one has it. */
static void point_to_builtin(const char *path, struct dn_error *err)
{
    const char *slash = strrchr(path, '/');
    struct candidates c = {0};
    char *found = NULL;

    if (err != NULL && builtin_add(&c, slash != NULL ? slash + 1 : path, NULL) == DN_OK &&
        find_first(&c, path, "", &found, NULL) == DN_OK) {
        (void)dn_error_set(err, DN_ERR_NOT_FOUND, "%s; here it is %s", err->message, found);
    }
    dn_free(found);
    candidates_finish(&c);
}

enum dn_status dn_plugin_find_for(const char *suffix, const char *path, char **out,
                                  struct dn_error *err)
{
    struct candidates c = {0};
    enum dn_status st = DN_OK;

    /* dlopen() searches the system's directories for a name without a slash; a job means a file */
    DN_TRY_GOTO(st, candidates_add(&c, strchr(path, '/') == NULL ? "." : "", path, suffix, err),
                cleanup);
    st = find_first(&c, path, "", out, err);
    if (st == DN_ERR_NOT_FOUND) {
        point_to_builtin(path, err);
    }
cleanup:
    candidates_finish(&c);
    return st;
}

enum dn_status dn_plugin_find(const char *path, char **out, struct dn_error *err)
{
    return dn_plugin_find_for(DN_PLUGIN_SUFFIX, path, out, err);
}

enum dn_status dn_plugin_load(struct dn_plugin *plugin, const char *path, struct dn_error *err)
{
    char *found = NULL;

    DN_TRY(dn_plugin_find(path, &found, err));
    return load_file(plugin, found, err);
}

const char *dn_plugin_symbol_colon(const char *text)
{
    const char *colon = strrchr(text, ':');

    return colon == NULL || colon == text || colon[1] == '\0' || strchr(colon, '/') != NULL ? NULL
                                                                                            : colon;
}

void dn_plugin_finish(struct dn_plugin *plugin)
{
    dn_free(plugin->path);
    *plugin = (struct dn_plugin){0}; /* the library stays loaded on purpose */
}

void *dn_plugin_symbol(const struct dn_plugin *plugin, const char *symbol)
{
    return dn_os_library_symbol(plugin->library, symbol);
}

/* "it exports a, b, c", or why that cannot be told; never fails. */
static void describe_exports(const char *path, struct dn_buffer *out)
{
    struct dn_elf_symbols symbols = {0};
    size_t shown = 0;

    if (dn_elf_read_file(&symbols, path, NULL) != DN_OK) {
        if (dn_text_append(out, "its symbol table cannot be read", NULL) != DN_OK) {
            return;
        }
        return;
    }
    enum dn_status st =
        dn_text_append(out, symbols.n > 0 ? "it exports " : "it exports no functions", NULL);
    for (size_t i = 0; i < symbols.n && shown <= 24 && st == DN_OK; i++) {
        if (symbols.names[i][0] == '_') {
            continue; /* _init, _fini */
        }
        const char *name = shown < 24 ? symbols.names[i] : "...";
        st = dn_text_appendf(out, NULL, "%s%s", shown > 0 ? ", " : "", name);
        shown++;
    }
    dn_elf_finish(&symbols);
}

enum dn_status dn_plugin_require(const struct dn_plugin *plugin, const char *symbol,
                                 struct dn_error *err)
{
    struct dn_buffer exports = {0};

    if (dn_plugin_symbol(plugin, symbol) != NULL) {
        return DN_OK;
    }
    describe_exports(plugin->path, &exports);
    enum dn_status st =
        dn_error_set(err, DN_ERR_NOT_FOUND, "symbol %s not found in %s; %.*s", symbol, plugin->path,
                     (int)exports.len, exports.data != NULL ? (const char *)exports.data : "");
    dn_buffer_finish(&exports);
    return st;
}

enum dn_status dn_plugin_negotiate(struct dn_plugin *plugin, struct dn_error *err)
{
    typedef const struct dativo_plugin *(*get_fn)(uint32_t, struct dativo_error *);
    struct dativo_error e;
    get_fn get = NULL;

    void *symbol = dn_plugin_symbol(plugin, DATIVO_PLUGIN_GET_SYMBOL);
    if (symbol == NULL) {
        return dn_error_set(
            err, DN_ERR_UNSUPPORTED,
            "%s has no symbol " DATIVO_PLUGIN_GET_SYMBOL
            ": it speaks Level 0 (JSON) only, and this needs Level 1 (include/dativo/plugin.h)",
            plugin->path);
    }
    memcpy(&get, &symbol,
           sizeof get); /* ISO C has no cast from an object pointer to a function pointer */
    dn_plugin_error_init(&e);
    const struct dativo_plugin *api = get(DATIVO_ABI_VERSION, &e);
    if (api == NULL) {
        return dn_plugin_error_take(err, &e, DN_ERR_UNSUPPORTED,
                                    "the plugin refuses this host's ABI version");
    }
    if (!DN_PLUGIN_HAS(api, free_text) || !DN_PLUGIN_HAS(api, get_extension) ||
        api->abi_version >> 16 != DATIVO_ABI_VERSION >> 16) {
        return dn_error_set(
            err, DN_ERR_UNSUPPORTED,
            "%s was built for ABI version %u.%u or is incomplete; this host speaks %u.%u",
            plugin->path, api->abi_version >> 16, api->abi_version & 0xffffu,
            DATIVO_ABI_VERSION >> 16, DATIVO_ABI_VERSION & 0xffffu);
    }
    plugin->api = api;
    return DN_OK;
}

bool dn_plugin_has_level1(const struct dn_plugin *plugin)
{
    return dn_plugin_symbol(plugin, DATIVO_PLUGIN_GET_SYMBOL) != NULL;
}

enum dn_status dn_plugin_adapt(struct dn_plugin *plugin, struct dn_error *err)
{
    struct dn_plugin adapter = {0};

    DN_TRY(dn_plugin_load_builtin(&adapter, DN_BUILTIN_LEVEL0, err));
    const enum dn_status st = dn_plugin_negotiate(&adapter, err);
    plugin->api = adapter.api;
    dn_plugin_finish(&adapter);
    return st;
}

enum dn_status dn_plugin_extension(const struct dn_plugin *plugin, const char *name,
                                   size_t min_size, const void **out, struct dn_error *err)
{
    uint32_t struct_size = 0;

    const void *table = plugin->api->get_extension(name);
    if (table == NULL) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED, "%s is no %.*s: it has no table \"%s\"",
                            plugin->path,
                            (int)(strcspn(name, "/") > 7 ? strcspn(name, "/") - 7 : 6),
                            strncmp(name, "dativo.", 7) == 0 ? name + 7 : "plugin", name);
    }
    memcpy(&struct_size, table, sizeof struct_size); /* every table begins with it */
    if (struct_size < min_size) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED,
                            "%s: its table \"%s\" has %u bytes and the first version of it had "
                            "%zu; set struct_size "
                            "to the size of the table",
                            plugin->path, name, struct_size, min_size);
    }
    *out = table;
    return DN_OK;
}

void dn_plugin_error_init(struct dativo_error *e)
{
    *e = (struct dativo_error){.struct_size = sizeof *e, .row = -1, .line = -1, .byte_offset = -1};
}

enum dn_status dn_plugin_error_take(struct dn_error *err, const struct dativo_error *e,
                                    int32_t code, const char *what)
{
    const enum dn_status st =
        code > DN_OK && code <= DN_ERR_INTERNAL ? (enum dn_status)code : DN_ERR_INTERNAL;

    if (err == NULL) {
        return st;
    }
    (void)dn_error_set(err, st, "%s", e->message[0] != '\0' ? e->message : what);
    err->os_errno = e->os_errno;
    err->row = e->row;
    err->line = e->line;
    err->byte_offset = e->byte_offset;
    dn_error_locate(err, e->path, -1, -1, -1, NULL); /* a stranger made it */
    dn_error_copy_text(err->column, sizeof err->column, e->column);
    dn_error_copy_text(err->expected, sizeof err->expected, e->expected);
    dn_error_copy_text(err->suggested_type, sizeof err->suggested_type, e->suggested_type);
    dn_error_copy_text(err->option, sizeof err->option, e->option);
    dn_error_copy_text(err->value, sizeof err->value, e->value);
    return st;
}

void dn_plugin_text_free(const struct dn_plugin *plugin, char *text)
{
    if (text != NULL) {
        plugin->api->free_text(text);
    }
}
