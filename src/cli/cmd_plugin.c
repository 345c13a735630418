/* plugin check X.so: does a library keep the plugin contract? */
#include "base/strings.h"
#include "cli/cli.h"
#include "cli/conformance.h"
#include "cli/flags.h"

#include <stdio.h>
#include <string.h>

static int run(int argc, char **argv)
{
    const char *operands[64];
    size_t n = 0;
    struct dn_error err;

    dn_error_clear(&err);
    if (argc > 64) {
        (void)dn_error_set(&err, DN_ERR_INVALID, "too many arguments");
        return dn_cli_usage("plugin", &err);
    }
    if (dn_flags_parse(NULL, 0, argc, argv, operands, &n, &err) != DN_OK) {
        return dn_cli_usage("plugin", &err);
    }
    if (n > 0 && strcmp(operands[0], "check") != 0) {
        static const char *const known[] = {"check"};
        char shown[DN_ESCAPED_VALUE_SIZE];
        (void)dn_error_set(
            &err, DN_ERR_INVALID, "unknown word %s; %splugin needs: check LIBRARY",
            dn_error_escape_value(shown, operands[0], strlen(operands[0])),
            dn_text_suggest(operands[0], known, 1) != NULL ? "did you mean \"check\"? " : "");
        return dn_cli_usage("plugin", &err);
    }
    if (n != 2) {
        (void)dn_error_set(&err, DN_ERR_INVALID, "plugin needs: check LIBRARY");
        return dn_cli_usage("plugin", &err);
    }
    return dn_cli_finish(dn_conformance_run(operands[1]));
}

const struct dn_command dn_cmd_plugin = {
    .name = "plugin",
    .summary = "check that a shared library is a working plugin",
    .help =
        "Usage: " DN_PROGRAM " plugin check LIBRARY.so\n"
        "\n"
        "Loads a plugin, lists the symbols it has and lacks, and then uses it: bad "
        "configurations must give\n"
        "errors and not end of data, NULL handles must be survived, error texts must not be "
        "JSON, and a small\n"
        "table must come through, at Level 1 and at Level 0.  The small table is a file of three "
        "rows for a\n"
        "reader, CSV or else Parquet, and three rows to write for a writer, in a temporary "
        "directory.\n"
        "\n"
        "Prints one line per check.  Exit code 0 if none failed, 2 otherwise.\n"
        "\n"
        "Example:\n"
        "  " DN_PROGRAM " plugin check build/plugins/libcsv_reader_plugin.so\n",
    .words = "check",
    .run = run,
};
