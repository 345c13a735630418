/* check JOB.yaml: could it run? */
#include "cli/cli.h"
#include "cli/flags.h"
#include "cli/table.h"
#include "job/check.h"

#include <stdio.h>
#include <string.h>

struct check_flags {
    const char *config; /* --config F, as the stock host has it */
    bool json;
};

static enum dn_status flags_read(struct check_flags *f, int argc, char **argv, const char **job,
                                 struct dn_error *err)
{
    const char *operands[64];
    size_t n = 0;
    const struct dn_flag flags[] = {
        {"config", 0, DN_FLAG_TEXT, &f->config},
        {"json", 0, DN_FLAG_BOOL, &f->json},
    };

    if (argc > 64) {
        return dn_error_set(err, DN_ERR_INVALID, "too many arguments");
    }
    DN_TRY(dn_flags_parse(flags, sizeof flags / sizeof flags[0], argc, argv, operands, &n, err));
    if (n + (f->config != NULL ? 1 : 0) != 1) {
        return dn_error_set(err, DN_ERR_INVALID, "check needs one job file, not %zu",
                            n + (f->config != NULL ? 1 : 0));
    }
    *job = f->config != NULL ? f->config : operands[0];
    return (*job)[0] != '\0'
               ? DN_OK
               : dn_error_set(err, DN_ERR_INVALID,
                              "the name of the job file is empty; is a shell variable unset?");
}

static void print_checks(const json_t *checks)
{
    for (size_t i = 0; i < json_array_size(checks); i++) {
        const json_t *item = json_array_get(checks, i);
        const json_t *ok = json_object_get(item, "ok");
        (void)printf("%-6s %-7s ",
                     json_is_true(ok)   ? "ok"
                     : json_is_null(ok) ? "-"
                                        : "FAILED",
                     json_string_value(json_object_get(item, "check")));
        dn_text_print(stdout, json_string_value(json_object_get(item, "message")));
        (void)printf("\n");
    }
}

static int print(const char *job, const json_t *checks, bool ok, bool as_json)
{
    const int code = ok ? DN_EXIT_OK : DN_EXIT_FAILED;

    if (!as_json) {
        print_checks(checks);
        return code;
    }
    json_t *all = json_pack("{s:s, s:b, s:O}", "job", job, "ok", (int)ok, "checks", checks);
    const int printed = dn_cli_print_json(all, 0);
    json_decref(all);
    return printed == DN_EXIT_OK ? code : printed;
}

static int run(int argc, char **argv)
{
    struct check_flags f = {0};
    struct dn_plan plan = {0};
    struct dn_error err;
    json_t *checks = NULL;
    const char *job = NULL;
    bool ok = false;
    int code = DN_EXIT_FAILED;

    dn_error_clear(&err);
    if (flags_read(&f, argc, argv, &job, &err) != DN_OK) {
        return dn_cli_usage("check", &err);
    }
    if (dn_plan_read(&plan, job, &err) != DN_OK) {
        return dn_cli_fail(&err);
    }
    code = dn_plan_check(&plan, &checks, &ok, &err) == DN_OK ? print(job, checks, ok, f.json)
                                                             : dn_cli_fail(&err);
    json_decref(checks);
    dn_plan_finish(&plan);
    return dn_cli_finish(code);
}

const struct dn_command dn_cmd_check = {
    .name = "check",
    .summary = "look whether a job file could run",
    .help = "Usage: " DN_PROGRAM " check [FLAGS] JOB.yaml\n"
            "\n"
            "Reads the job, its recipes and its asset, loads the plugins, opens the sources, looks "
            "for the columns that\n"
            "the asset requires, and tries whether the output may be written: in a folder one is "
            "made and removed, in a\n"
            "bucket an upload is begun and aborted.  No row is moved and nothing stays.  Prints "
            "one line per check, and\n"
            "with what is wrong what to do about it.\n"
            "\n"
            "Flags:\n"
            "      --json           as JSON: {\"job\", \"ok\", \"checks\": [{\"check\", \"ok\", "
            "\"message\", \"code\"}]}\n"
            "      --config F       the same as JOB.yaml\n"
            "\n"
            "Exit code 0 if nothing failed, 2 otherwise.\n"
            "\n"
            "Example:\n"
            "  " DN_PROGRAM " check examples/jobs/csv_to_s3.yaml\n",
    .run = run,
};
