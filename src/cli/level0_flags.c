#include "cli/level0_flags.h"

#include "base/library.h"
#include "base/memory.h"
#include "cli/source.h"
#include "cli/wording.h"
#include "job/elf.h"
#include "job/plugin.h"

#include <string.h>

/* What the adapter does, whatever the plugin knows. */
static bool is_done_here(const char *option)
{
    static const char *const done[] = {"columns", "types", "limit", "overwrite"};

    for (size_t i = 0; i < sizeof done / sizeof done[0]; i++) {
        if (strcmp(option, done[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* *library: the file of a plugin of Level 0 alone, for dn_free(); NULL: it is another one, or loading tells what is wrong with it. */
static enum dn_status find_level0_alone(char **library, const char *path, struct dn_error *err)
{
    struct dn_elf_symbols symbols = {0};

    *library = NULL;
    enum dn_status st = dn_plugin_find(path, library, err);
    if (st == DN_OK) {
        st = dn_elf_read_file(&symbols, *library, err);
    }
    bool alone = st == DN_OK;
    for (size_t i = 0; alone && i < symbols.n; i++) {
        alone = strcmp(symbols.names[i], DATIVO_PLUGIN_GET_SYMBOL) != 0;
    }
    dn_elf_finish(&symbols);
    if (!alone) {
        dn_free(*library);
        *library = NULL;
    }
    if (st == DN_ERR_MEMORY) {
        return st;
    }
    dn_error_clear(err);
    return DN_OK;
}

static enum dn_status refuse(const char *library, const char *option, const char *role,
                             struct dn_error *err)
{
    return dn_error_set(err, DN_ERR_UNSUPPORTED,
                        "%s: the option %s would be passed over: plugins of Level 0 take any "
                        "option, and the word %s is not in this one; leave it out, or, if it knows "
                        "it all the same, say --%s-option %s=...",
                        library, option, option, role, option);
}

bool dn_plugin_may_have_word(const char *plugin, const char *word)
{
    struct dn_plugin_ref ref;
    struct dn_arena arena = {0};
    char *library = NULL;
    bool has = true;

    if (dn_source_plugin(&arena, plugin, &ref, NULL) == DN_OK &&
        dn_plugin_find(ref.path, &library, NULL) == DN_OK) {
        has = dn_library_may_have_text(library, word);
    }
    dn_free(library);
    dn_arena_finish(&arena);
    return has;
}

enum dn_status dn_level0_flags_check(const char *plugin, const json_t *options, const char *role,
                                     struct dn_error *err)
{
    struct dn_plugin_ref ref;
    struct dn_arena arena = {0};
    char *library = NULL;
    const char *option = NULL;
    json_t *value = NULL;

    if (plugin == NULL || json_object_size(options) == 0) {
        return DN_OK;
    }
    enum dn_status st = dn_source_plugin(&arena, plugin, &ref, err);
    if (st == DN_OK) {
        st = find_level0_alone(&library, ref.path, err);
    }
    if (library != NULL) {
        json_object_foreach((json_t *)(uintptr_t)options, option, value)
        {
            if (st == DN_OK && !is_done_here(option) &&
                !dn_library_may_have_text(library, option)) {
                st = refuse(library, option, role, err);
            }
        }
    }
    dn_free(library);
    dn_arena_finish(&arena);
    return st;
}
