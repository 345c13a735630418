/** The command line: a table of commands, one cmd_*.c each. */
#ifndef DN_CLI_CLI_H
#define DN_CLI_CLI_H

#include "base/error.h"
#include "cli/flags.h"

#include <jansson.h>

#define DN_PROGRAM "dativo-native"

/** Exit codes.  A run stopped by a signal ends with 128 + its number, as a shell would report it. */
#define DN_EXIT_OK 0
#define DN_EXIT_WARNINGS 1
#define DN_EXIT_FAILED 2

#define DN_HELP_PARTS 4
struct dn_command {
    const char *name;
    const char *summary; /**< one line of the command list */
    const char *help;    /**< the text of `help NAME`, */
    const char *more
        [DN_HELP_PARTS]; /**< and what follows it, in parts that C takes at once; NULL: no more */
    /** Its flags, of which there are DN_FLAGS_MAX at most; returns how many.  NULL: none. */
    size_t (*flags)(struct dn_flag out[DN_FLAGS_MAX]);
    const char *words; /**< what its first operand can be; NULL: a name of a file */
    /** argv[0] is the command's name.  Returns the exit code. */
    int (*run)(int argc, char **argv);
};

extern const struct dn_command dn_cmd_run;
extern const struct dn_command dn_cmd_check;
extern const struct dn_command dn_cmd_convert;
extern const struct dn_command dn_cmd_schema;
extern const struct dn_command dn_cmd_inspect;
extern const struct dn_command dn_cmd_verify;
extern const struct dn_command dn_cmd_plan;
extern const struct dn_command dn_cmd_task;
extern const struct dn_command dn_cmd_commit;
extern const struct dn_command dn_cmd_abort;
extern const struct dn_command dn_cmd_plugin;

/** Everything main() does.  Prints data on stdout, everything else on stderr; returns the exit code. */
int dn_cli_main(int argc, char **argv);

/** Print a failure on stderr; returns DN_EXIT_FAILED. */
int dn_cli_fail(const struct dn_error *err);
/** The same for a wrong command line, with a pointer to the command's help. */
int dn_cli_usage(const char *command, const struct dn_error *err);
/** Print a value, all of it or nothing; NULL stands for one that there was no memory for.  Returns the exit code. */
int dn_cli_print_json(const json_t *value, size_t flags);
/** Flush stdout; DN_ERR_MEMORY if a table was lost, DN_ERR_IO if what was printed could not be written. */
DN_NODISCARD enum dn_status dn_cli_flush(struct dn_error *err);
/** The same at the end of a command: DN_EXIT_FAILED with a message if what was printed could not be written, else `code`. */
int dn_cli_finish(int code);

#endif
