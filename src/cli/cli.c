#include "cli/cli.h"

#include "base/cpu.h"
#include "base/memory.h"
#include "base/strings.h"
#include "cli/completion.h"
#include "cli/guide.h"
#include "cli/table.h"
#include "job/plugin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct dn_command *const k_commands[] = {
    &dn_cmd_run,  &dn_cmd_check, &dn_cmd_convert, &dn_cmd_schema, &dn_cmd_inspect, &dn_cmd_verify,
    &dn_cmd_plan, &dn_cmd_task,  &dn_cmd_commit,  &dn_cmd_abort,  &dn_cmd_plugin,
};

#define HELP_ROWS_SIZE 1024
#define N_COMMANDS (sizeof k_commands / sizeof k_commands[0])

static const char k_help[] =
    "Usage: " DN_PROGRAM " COMMAND [ARGUMENTS]\n"
    "\n"
    "Moves data between CSV and Parquet, and out of PostgreSQL, through native Dativo "
    "plugins.\n"
    "\n"
    "Commands:\n";

static const char k_help_more[] =
    "  help      more about one command: " DN_PROGRAM " help convert; or for a shell:\n"
    "            " DN_PROGRAM " help --completion bash, zsh or fish\n"
    "\n"
    "Examples:\n"
    "  " DN_PROGRAM " convert orders.csv orders.parquet\n"
    "  " DN_PROGRAM " convert --types zip=string --compression zstd:9 in.csv out.parquet\n"
    "  " DN_PROGRAM " convert big.csv.gz big.parquet\n"
    "  " DN_PROGRAM " convert 'data/**/*.csv' s3://bucket/data.parquet\n"
    "  " DN_PROGRAM " convert 'postgres://me@host/db?table=public.orders' orders.parquet\n"
    "  " DN_PROGRAM " schema --json orders.csv > orders.schema.json\n"
    "  " DN_PROGRAM " run --preview 5 examples/jobs/csv_to_parquet.yaml\n"
    "  " DN_PROGRAM " check examples/jobs/csv_to_s3.yaml\n"
    "  " DN_PROGRAM " inspect --rows 10 orders.parquet\n"
    "  " DN_PROGRAM " verify orders.parquet\n"
    "  " DN_PROGRAM " convert orders.parquet orders.csv\n"
    "\n"
    "Data goes to standard output, everything said to people to standard error.\n"
    "\n"
    "Exit codes:\n"
    "  0    done\n"
    "  1    done, but rows deviate from the asset (schema_validation_mode: warn)\n"
    "       (of verify: a file has errors)\n"
    "  2    failed, nothing was written (unless the message says what was)\n"
    "  130  stopped by SIGINT, 143 by SIGTERM, 129 by SIGHUP; nothing was written\n"
    "       (unless it was complete before: only the report was cut off)\n"
    "\n"
    "Environment:\n"
    "  DATIVO_PLUGIN_PATH  directories with plugins, ':' between them\n"
    "  DN_CPU              scalar, avx2 or avx512 (on Arm neon or pmull): use no more\n"
    "                      than this\n"
    "  NO_COLOR            no colour on a terminal\n"
    "  AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_PROFILE, AWS_REGION,\n"
    "  AWS_ENDPOINT_URL_S3, AWS_CA_BUNDLE and others for s3://, with the meaning that\n"
    "  AWS's tools give them; docs/store.md has the list\n"
    "  PGHOST, PGUSER, PGPASSWORD and others for postgres://, as libpq has them\n";

/* The text of `help` in parts: a line for each command stands between two of them. */
static void help_parts(char rows[HELP_ROWS_SIZE], const char *out[3])
{
    size_t len = 0;

    for (size_t i = 0; i < N_COMMANDS && len < HELP_ROWS_SIZE; i++) {
        len += (size_t)snprintf(rows + len, HELP_ROWS_SIZE - len, "  %-9s %s\n",
                                k_commands[i]->name, k_commands[i]->summary);
    }
    out[0] = k_help;
    out[1] = rows;
    out[2] = k_help_more;
}

static void print_help(FILE *out)
{
    char rows[HELP_ROWS_SIZE];
    const char *parts[3];

    help_parts(rows, parts);
    for (size_t i = 0; i < 3; i++) {
        (void)fputs(parts[i], out);
    }
}

static const struct dn_command *command_find(const char *name)
{
    for (size_t i = 0; i < N_COMMANDS; i++) {
        if (strcmp(k_commands[i]->name, name) == 0) {
            return k_commands[i];
        }
    }
    return NULL;
}

static int unknown_command(const char *name)
{
    static const char *const others[] = {"help", "version", "--help", "--version"};
    const char *names[N_COMMANDS + sizeof others / sizeof others[0]];
    struct dn_error err;
    char shown[DN_ESCAPED_VALUE_SIZE];
    const bool flag = name[0] == '-';

    for (size_t i = 0; i < N_COMMANDS; i++) {
        names[i] = k_commands[i]->name;
    }
    memcpy(names + N_COMMANDS, others, sizeof others);
    const char *close = dn_text_suggest(name, names, sizeof names / sizeof names[0]);
    dn_error_escape_value(shown, name, strlen(name));
    if (close != NULL) {
        (void)dn_error_set(&err, DN_ERR_INVALID, "unknown %s %s; did you mean \"%s\"?",
                           flag ? "flag" : "command", shown, close);
    } else if (flag) {
        (void)dn_error_set(&err, DN_ERR_INVALID,
                           "unknown flag %s; without a command there are --help and --version, "
                           "other flags stand behind the command",
                           shown);
    } else {
        (void)dn_error_set(&err, DN_ERR_INVALID, "unknown command %s", shown);
    }
    return dn_cli_usage(NULL, &err);
}

static int print_version(int argc, char **argv)
{
    struct dn_error err;
    char shown[DN_ESCAPED_VALUE_SIZE];

    if (argc > 2) {
        (void)dn_error_set(&err, DN_ERR_INVALID, "%s takes no argument, not %s", argv[1],
                           dn_error_escape_value(shown, argv[2], strlen(argv[2])));
        return dn_cli_usage(NULL, &err);
    }
    (void)printf(DN_PROGRAM " " DN_VERSION " (cpu %s, plugin ABI %u.%u)\n",
                 dn_cpu_tier_name(dn_cpu_selected()), DATIVO_ABI_VERSION >> 16,
                 DATIVO_ABI_VERSION & 0xffffu);
    return dn_cli_finish(DN_EXIT_OK);
}

static void print_command(const struct dn_command *command)
{
    (void)fputs(command->help, stdout);
    for (size_t i = 0; i < DN_HELP_PARTS && command->more[i] != NULL; i++) {
        (void)fputs(command->more[i], stdout);
    }
}

/* help --man [COMMAND]: the same texts as a page of man, which the build installs. */
static int print_man(const struct dn_command *command)
{
    char rows[HELP_ROWS_SIZE];
    char name[64];
    const char *parts[1 + DN_HELP_PARTS];
    size_t n = 0;

    if (command == NULL) {
        help_parts(rows, parts);
        dn_guide_man(DN_PROGRAM, "CSV and PostgreSQL to Parquet and back, exactly", parts, 3);
        return dn_cli_finish(DN_EXIT_OK);
    }
    parts[n++] = command->help;
    for (size_t i = 0; i < DN_HELP_PARTS && command->more[i] != NULL; i++) {
        parts[n++] = command->more[i];
    }
    (void)snprintf(name, sizeof name, DN_PROGRAM "-%s", command->name);
    dn_guide_man(name, command->summary, parts, n);
    return dn_cli_finish(DN_EXIT_OK);
}

/* help --completion SHELL: the script that the build installs for it. */
static int print_completion(int argc, char **argv)
{
    struct dn_error err;
    char shown[DN_ESCAPED_VALUE_SIZE];

    if (argc == 4 && dn_completion_print(argv[3], k_commands, N_COMMANDS)) {
        return dn_cli_finish(DN_EXIT_OK);
    }
    if (argc == 4) {
        (void)dn_error_set(&err, DN_ERR_INVALID, "--completion is bash, zsh or fish, not %s",
                           dn_error_escape_value(shown, argv[3], strlen(argv[3])));
    } else {
        (void)dn_error_set(&err, DN_ERR_INVALID, "--completion needs one of bash, zsh and fish");
    }
    return dn_cli_usage(NULL, &err);
}

static int run_help(int argc, char **argv)
{
    if (argc >= 3 && strcmp(argv[2], "--completion") == 0) {
        return print_completion(argc, argv);
    }
    if (argc >= 3 && argc <= 4 && strcmp(argv[2], "--man") == 0) {
        const struct dn_command *page = argc == 4 ? command_find(argv[3]) : NULL;
        return argc == 4 && page == NULL ? unknown_command(argv[3]) : print_man(page);
    }
    if (argc < 3) {
        print_help(stdout);
        return dn_cli_finish(DN_EXIT_OK);
    }
    const struct dn_command *command = command_find(argv[2]);
    if (command == NULL && (strcmp(argv[2], "help") == 0 || strcmp(argv[2], "version") == 0)) {
        print_help(stdout); /* they have no page of their own */
        return dn_cli_finish(DN_EXIT_OK);
    }
    if (command == NULL) {
        return unknown_command(argv[2]);
    }
    print_command(command);
    return dn_cli_finish(DN_EXIT_OK);
}

/* `convert --help` wherever the flag stands, except after "--". */
static bool asks_for_help(int argc, char **argv)
{
    for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return true;
        }
    }
    return false;
}

int dn_cli_main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return DN_EXIT_FAILED;
    }
    const char *word = argv[1];
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0 || strcmp(word, "version") == 0) {
        return print_version(argc, argv);
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
        return run_help(argc, argv);
    }
    const struct dn_command *command = command_find(word);
    if (command == NULL) {
        return unknown_command(word);
    }
    if (asks_for_help(argc, argv)) {
        print_command(command);
        return dn_cli_finish(DN_EXIT_OK);
    }
    return command->run(argc - 1, argv + 1);
}

/* Messages name their file themselves; one that does not gets it in front. */
static void print_error(const struct dn_error *err)
{
    const bool placed = err->path[0] == '\0' || strstr(err->message, err->path) != NULL;

    (void)fputs(DN_PROGRAM ": error: ", stderr);
    if (!placed) {
        dn_text_print(stderr, err->path);
        (void)fputs(": ", stderr);
    }
    dn_text_print(stderr, err->message[0] != '\0' ? err->message
                                                  : dn_status_name((enum dn_status)err->code));
    (void)fputc('\n', stderr);
}

int dn_cli_fail(const struct dn_error *err)
{
    print_error(err);
    return DN_EXIT_FAILED;
}

int dn_cli_usage(const char *command, const struct dn_error *err)
{
    print_error(err);
    (void)fprintf(stderr, "See '" DN_PROGRAM " %s%s'.\n", command != NULL ? "help " : "--help",
                  command != NULL ? command : "");
    return DN_EXIT_FAILED;
}

/* Why standard output did not take a text; dn_cli_flush() tells. */
static int print_failure;

int dn_cli_print_json(const json_t *value, size_t flags)
{
    const size_t form = JSON_INDENT(2) | flags;
    const size_t len = value != NULL ? json_dumpb(value, NULL, 0, form) : 0;
    char *text = len > 0 ? dn_malloc(len + 1) : NULL;
    struct dn_error err;

    if (text == NULL || json_dumpb(value, text, len, form) != len) {
        dn_free(text);
        dn_error_clear(&err);
        (void)dn_error_memory(&err, len + 1);
        return dn_cli_fail(&err);
    }
    text[len] = '\n'; /* in the place of the terminator, which fwrite() needs not */
    errno = 0;
    if (fwrite(text, 1, len + 1, stdout) != len + 1) {
        print_failure =
            errno; /* a long text goes out here, and fflush() has nothing left to fail with */
    }
    dn_free(text);
    return DN_EXIT_OK;
}

enum dn_status dn_cli_flush(struct dn_error *err)
{
    if (dn_table_lost()) {
        return dn_error_memory(err, 0);
    }
    errno = 0;
    if (fflush(stdout) != 0 || ferror(stdout)) {
        const int saved = errno != 0 ? errno : print_failure;
        return dn_error_set_errno(err, DN_ERR_IO, saved, "standard output cannot be written");
    }
    return DN_OK;
}

int dn_cli_finish(int code)
{
    struct dn_error err;

    return dn_cli_flush(&err) == DN_OK ? code : dn_cli_fail(&err);
}
