/* The entry point of the adapter. */
#include "level0.h"

#include <string.h>

static const void *get_extension(const char *name)
{
    if (strcmp(name, DATIVO_EXT_READER) == 0) {
        return &level0_reader;
    }
    return strcmp(name, DATIVO_EXT_WRITER) == 0 ? &level0_writer : NULL;
}

static void free_text(char *text)
{
    dn_shell_text_free(text);
}

const struct dativo_plugin *dativo_plugin_get(uint32_t host_abi, struct dativo_error *err)
{
    static const struct dativo_plugin plugin = {
        .struct_size = sizeof(plugin),
        .abi_version = DATIVO_ABI_VERSION,
        .name = LEVEL0_NAME,
        .version = DN_VERSION,
        .description = "Runs plugins that speak Level 0 (JSON) alone",
        .get_extension = get_extension,
        .free_text = free_text,
    };

    return dn_shell_abi_matches(LEVEL0_NAME, host_abi, err) ? &plugin : NULL;
}
