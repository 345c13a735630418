/* plugin check: does a library keep the plugin contract?  plugin new: the beginning of one. */
#include "base/strings.h"
#include "cli/cli.h"
#include "cli/conformance.h"
#include "cli/flags.h"
#include "cli/template.h"

#include <stdio.h>
#include <string.h>

struct plugin_flags {
    const char *run;
    const char *language;
    int64_t timeout;
    int64_t level;
    int64_t rows;
    bool reader;
    bool writer;
};

static size_t flags_table(struct plugin_flags *f, struct dn_flag out[DN_FLAGS_MAX])
{
    const struct dn_flag own[] = {
        {"run", 0, DN_FLAG_TEXT, &f->run},        {"reader", 0, DN_FLAG_BOOL, &f->reader},
        {"writer", 0, DN_FLAG_BOOL, &f->writer},  {"language", 0, DN_FLAG_TEXT, &f->language},
        {"timeout", 0, DN_FLAG_INT, &f->timeout}, {"level", 0, DN_FLAG_INT, &f->level},
        {"rows", 0, DN_FLAG_INT, &f->rows},
    };

    memcpy(out, own, sizeof own);
    return sizeof own / sizeof own[0];
}

static size_t flags_of(struct dn_flag out[DN_FLAGS_MAX])
{
    static struct plugin_flags unused;

    return flags_table(&unused, out);
}

#define UNSAID (-1)
#define NEEDS "plugin needs: check LIBRARY, or new NAME --reader or --writer"

static enum dn_status word_refuse(const char *word, struct dn_error *err)
{
    static const char *const known[] = {"check", "new"};
    char shown[DN_ESCAPED_VALUE_SIZE];
    const char *close = dn_text_suggest(word, known, 2);

    return dn_error_set(err, DN_ERR_INVALID, "unknown word %s; %s%s%s" NEEDS,
                        dn_error_escape_value(shown, word, strlen(word)),
                        close != NULL ? "did you mean \"" : "", close != NULL ? close : "",
                        close != NULL ? "\"? " : "");
}

static enum dn_status new_check(const struct plugin_flags *f, struct dn_error *err)
{
    if (f->reader == f->writer) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "plugin new needs --reader or --writer, one of them");
    }
    if (f->run != NULL || f->rows != UNSAID) {
        return dn_error_set(err, DN_ERR_INVALID, "--run and --rows are for plugin check");
    }
    if (f->level > 1) {
        return dn_error_set(err, DN_ERR_INVALID, "--level must be 0 or 1");
    }
    if (f->language != NULL && strcmp(f->language, "c") != 0 && strcmp(f->language, "rust") != 0) {
        char shown[DN_ESCAPED_VALUE_SIZE];
        return dn_error_set(err, DN_ERR_INVALID, "--language must be c or rust, not %s",
                            dn_error_escape_value(shown, f->language, strlen(f->language)));
    }
    return DN_OK;
}

static enum dn_status check_check(const struct plugin_flags *f, struct dn_error *err)
{
    if (f->reader || f->writer || f->language != NULL || f->level != UNSAID) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "--reader, --writer, --level and --language are for plugin new");
    }
    if (f->rows != UNSAID && (f->run == NULL || f->rows < 1)) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "--rows needs a number, 1 or more, and --run with what has that many "
                            "rows");
    }
    return f->timeout >= 1 && f->timeout <= 3600
               ? DN_OK
               : dn_error_set(err, DN_ERR_INVALID, "--timeout needs seconds, 1 to 3600");
}

static int run(int argc, char **argv)
{
    struct plugin_flags f = {.timeout = 10, .level = UNSAID, .rows = UNSAID};
    struct dn_flag flags[DN_FLAGS_MAX];
    const char *operands[64] = {NULL};
    size_t n = 0;
    struct dn_error err;
    enum dn_status st = DN_OK;

    dn_error_clear(&err);
    if (argc > 64) {
        st = dn_error_set(&err, DN_ERR_INVALID, "too many arguments");
    }
    if (st == DN_OK) {
        st = dn_flags_parse(flags, flags_table(&f, flags), argc, argv, operands, &n, &err);
    }
    const bool is_new = st == DN_OK && n > 0 && strcmp(operands[0], "new") == 0;
    if (st == DN_OK && n > 0 && !is_new && strcmp(operands[0], "check") != 0) {
        st = word_refuse(operands[0], &err);
    }
    if (st == DN_OK && n != 2) {
        st = dn_error_set(&err, DN_ERR_INVALID, NEEDS);
    }
    if (st == DN_OK) {
        st = is_new ? new_check(&f, &err) : check_check(&f, &err);
    }
    if (st != DN_OK) {
        return dn_cli_usage("plugin", &err);
    }
    const struct dn_conformance asked = {operands[1], f.run, f.rows, (uint32_t)f.timeout};
    const struct dn_new_plugin made = {operands[1], f.level == 1, f.reader,
                                       f.language != NULL && strcmp(f.language, "rust") == 0};
    return is_new ? dn_template_write(&made) : dn_cli_finish(dn_conformance_run(&asked));
}

const struct dn_command dn_cmd_plugin = {
    .name = "plugin",
    .summary = "check that a shared library is a working plugin, or begin one",
    .help =
        "Usage: " DN_PROGRAM " plugin check [FLAGS] LIBRARY.so\n"
        "       " DN_PROGRAM
        " plugin new NAME --reader or --writer [--level 0 or 1] [--language c or "
        "rust]\n"
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
        "Every check runs in a process of its own: a crash, an exit or a wait without an end is a "
        "finding, too, and\n"
        "so are text on standard output, and what of the process is not as it was: signals, "
        "directory, locale, umask,\n"
        "environment, rounding, standard files, processes that it started, and files that a writer "
        "puts elsewhere.\n"
        "Prints one line per check, and a remedy below what failed.  Exit code 0 if none failed, 2 "
        "otherwise.\n"
        "\n"
        "Flags:\n"
        "      --run CONFIG        a JSON file with the configuration, as Level 0 gets it, that "
        "rows are read or\n"
        "                          written with: for readers of something else than CSV or "
        "Parquet\n"
        "      --rows N            how many rows a reader gives with --run\n"
        "      --timeout S         seconds that a check may take (default 10)\n"
        "      --reader, --writer  new: what it does\n"
        "      --level N           new: 0 (default), records of JSON, which a Python host uses, "
        "too; "
        "or 1, Arrow columns\n"
        "      --language L        new: c (default) or rust\n"
        "\n"
        "plugin new makes the folder NAME with a small plugin, a Makefile, a job and data: "
        "make -C NAME test run\n"
        "builds it, checks it and runs the job.\n"
        "\n"
        "Example:\n"
        "  " DN_PROGRAM " plugin check build/plugins/libcsv_reader_plugin.so\n"
        "  " DN_PROGRAM " plugin new demo --reader && make -C demo test run\n",
    .words = "check new",
    .flags = flags_of,
    .run = run,
};
