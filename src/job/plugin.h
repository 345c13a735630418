/**
 * Finding and loading plugins.  The host sees a plugin through dativo/plugin.h alone, its own built-in ones too.
 *
 * A library is never unloaded: release callbacks of Arrow data live in it.
 */
#ifndef DN_JOB_PLUGIN_H
#define DN_JOB_PLUGIN_H

#include "base/error.h"

#include <stdbool.h>

#define DATIVO_NO_PROTOTYPES
#include "dativo/plugin.h"

#define DN_BUILTIN_WRITER "libparquet_writer_plugin.so"
#define DN_BUILTIN_CSV_WRITER "libcsv_writer_plugin.so"
#define DN_BUILTIN_LEVEL0 "liblevel0_plugin.so" /**< for plugins that have no Level 1 */

/** A loaded library.  Nothing to free except through dn_plugin_finish(). */
struct dn_plugin {
    void *library; /**< from dlopen() */
    char *path;    /**< where it was found */
    const struct dativo_plugin
        *api; /**< Level 1; NULL after dn_plugin_load() of a Level 0 plugin */
};

/** What the names of shared libraries end in. */
#if defined(__APPLE__)
#    define DN_PLUGIN_SUFFIX ".dylib"
#elif defined(_WIN32)
#    define DN_PLUGIN_SUFFIX ".dll"
#else
#    define DN_PLUGIN_SUFFIX ".so"
#endif

/**
 * Load a library.
 * @param path  As a job has it: relative to the current directory, also without a slash; a name without a suffix,
 *              or with that of another system (`.so`, `.dylib`, `.dll`), stands for the library with this one's beside it, too.
 * @return DN_OK; DN_ERR_NOT_FOUND with the names that were tried; DN_ERR_CONFIG: no file, or the loader's reason.
 */
DN_NODISCARD enum dn_status dn_plugin_load(struct dn_plugin *plugin, const char *path,
                                           struct dn_error *err);
/**
 * The file that dn_plugin_load() would take.
 * @param out  For dn_free().
 * @return DN_OK; DN_ERR_NOT_FOUND with the names that were tried and, of a built-in plugin, where this program has it; DN_ERR_CONFIG: what
 *         has such a name is no file.
 */
DN_NODISCARD enum dn_status dn_plugin_find(const char *path, char **out, struct dn_error *err);
/** dn_plugin_find() of a system whose libraries end in `suffix`. */
DN_NODISCARD enum dn_status dn_plugin_find_for(const char *suffix, const char *path, char **out,
                                               struct dn_error *err);
/**
 * Where the built-in plugins are if the host is no executable of ours.  Before anything is loaded, from one thread; a directory that is
 * longer than a path may be is cut.
 */
void dn_plugin_set_home(const char *directory);
/** dn_plugin_load() for a built-in plugin: $DATIVO_PLUGIN_PATH (directories, ':' between), the home that was set, ../plugins beside the
 *  executable, where they are installed from there (../lib/dativo/plugins and the like), /usr/lib/dativo/plugins. */
DN_NODISCARD enum dn_status dn_plugin_load_builtin(struct dn_plugin *plugin, const char *file_name,
                                                   struct dn_error *err);
/**
 * Where "path/lib.so:function" is cut: the last colon, with something on both sides and no slash behind it; NULL if the text
 * is not of that form.
 */
const char *dn_plugin_symbol_colon(const char *text);
/** Frees `path`; the library stays.  Zeroed memory is accepted. */
void dn_plugin_finish(struct dn_plugin *plugin);

/** The address of a symbol, or NULL. */
void *dn_plugin_symbol(const struct dn_plugin *plugin, const char *symbol);
/** DN_ERR_NOT_FOUND "symbol X not found in Y; it exports ..." unless the library has the symbol. */
DN_NODISCARD enum dn_status dn_plugin_require(const struct dn_plugin *plugin, const char *symbol,
                                              struct dn_error *err);
/** Ask for Level 1 and set plugin->api.  DN_ERR_UNSUPPORTED for a plugin that speaks Level 0 only. */
DN_NODISCARD enum dn_status dn_plugin_negotiate(struct dn_plugin *plugin, struct dn_error *err);
/** Has it Level 1? */
bool dn_plugin_has_level1(const struct dn_plugin *plugin);
/**
 * Set plugin->api to that of the adapter, which opens "level0": {"library", "create"} of a configuration.
 * @return as dn_plugin_load_builtin() and dn_plugin_negotiate()
 */
DN_NODISCARD enum dn_status dn_plugin_adapt(struct dn_plugin *plugin, struct dn_error *err);
/**
 * A table of the plugin.
 * @param min_size  The bytes of the table this host needs; a smaller one is DN_ERR_UNSUPPORTED.
 */
DN_NODISCARD enum dn_status dn_plugin_extension(const struct dn_plugin *plugin, const char *name,
                                                size_t min_size, const void **out,
                                                struct dn_error *err);

/** Make ready for a Level 1 call. */
void dn_plugin_error_init(struct dativo_error *e);
/** What a plugin said, as an error of ours; an empty message gets one that names `what`.  Returns its code, never DN_OK. */
enum dn_status dn_plugin_error_take(struct dn_error *err, const struct dativo_error *e,
                                    int32_t code, const char *what);
/** Give a text back to the plugin that made it.  NULL is allowed. */
void dn_plugin_text_free(const struct dn_plugin *plugin, char *text);

/** Whether a table of `size` bytes has the member. */
#define DN_PLUGIN_HAS(table, member)                                                               \
    ((table)->struct_size >= offsetof(__typeof__(*(table)), member) + sizeof((table)->member) &&   \
     (table)->member != NULL)

#endif
