/* check JOB.yaml: could it run? */
#include "base/clock.h"
#include "base/os_wait.h"
#include "base/stop.h"
#include "base/thread.h"
#include "cli/cli.h"
#include "cli/console.h"
#include "cli/flags.h"
#include "cli/table.h"
#include "job/check.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define END_SECONDS 0.6 /* for undoing what was begun, after a signal */

struct check_flags {
    const char *config; /* --config F, as the stock host has it */
    bool json;
};

static size_t flags_table(struct check_flags *f, struct dn_flag out[DN_FLAGS_MAX])
{
    const struct dn_flag flags[] = {
        {"config", 0, DN_FLAG_TEXT, &f->config},
        {"json", 0, DN_FLAG_BOOL, &f->json},
    };

    memcpy(out, flags, sizeof flags);
    return sizeof flags / sizeof flags[0];
}

static size_t flags_of(struct dn_flag out[DN_FLAGS_MAX])
{
    static struct check_flags any;

    return flags_table(&any, out);
}

static enum dn_status flags_read(struct check_flags *f, int argc, char **argv, const char **job,
                                 struct dn_error *err)
{
    const char *operands[64];
    size_t n = 0;
    struct dn_flag flags[DN_FLAGS_MAX];

    if (argc > 64) {
        return dn_error_set(err, DN_ERR_INVALID, "too many arguments");
    }
    DN_TRY(dn_flags_parse(flags, flags_table(f, flags), argc, argv, operands, &n, err));
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

/*
 * Plugins look at their places without being told when to stop.  So a thread waits for them, and this one for the thread or for a signal,
 * behind which there is a little time: a service that answers has an upload aborted by then, and for one that does not nothing is waited.
 */
struct looking {
    const struct dn_plan *plan;
    struct dn_events events;
    json_t *checks;
    bool ok;
    enum dn_status st;
    struct dn_error err;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool over;
};

static int asked(void *ctx)
{
    (void)ctx;
    return dn_console_signal() != 0;
}

static void *look(void *arg)
{
    struct looking *l = arg;

    l->st = dn_plan_check(l->plan, &l->events, &l->checks, &l->ok, &l->err);
    (void)pthread_mutex_lock(&l->lock);
    l->over = true;
    (void)pthread_cond_broadcast(&l->changed);
    (void)pthread_mutex_unlock(&l->lock);
    return NULL;
}

/* False: it was asked to stop, and the thread is still at it. */
static bool wait_until_over(struct looking *l)
{
    double until = 0;

    (void)pthread_mutex_lock(&l->lock);
    while (!l->over && (until == 0 || dn_clock_seconds() < until)) {
        (void)dn_stop_wait_condition(&l->changed, &l->lock);
        if (until == 0 && dn_console_signal() != 0) {
            until = dn_clock_seconds() + END_SECONDS;
        }
    }
    const bool over = l->over;
    (void)pthread_mutex_unlock(&l->lock);
    return over;
}

static int stopped(void)
{
    (void)fputs(DN_PROGRAM ": error: it was asked to stop while it looked\n", stderr);
    return 128 + dn_console_signal();
}

static int check(const char *job, const struct dn_plan *plan, bool as_json)
{
    struct looking l = {.plan = plan, .events = {.cancelled = asked}, .st = DN_ERR_INTERNAL};
    pthread_t thread;
    int code = DN_EXIT_FAILED;

    dn_error_clear(&l.err);
    (void)pthread_mutex_init(&l.lock, NULL);
    dn_os_condition_init(&l.changed);
    dn_console_guard();
    const int failure = dn_thread_start(&thread, "dn-check", look, &l);
    if (failure != 0) {
        (void)dn_error_set_errno(&l.err, DN_ERR_IO, failure, "no thread can be started");
    } else if (!wait_until_over(&l)) {
        _exit(stopped()); /* as without the handler; nothing is on standard output yet */
    } else {
        (void)pthread_join(thread, NULL);
    }
    dn_console_unguard();
    code = l.st == DN_OK              ? print(job, l.checks, l.ok, as_json)
           : dn_console_signal() != 0 ? stopped()
                                      : dn_cli_fail(&l.err);
    json_decref(l.checks);
    (void)pthread_cond_destroy(&l.changed);
    (void)pthread_mutex_destroy(&l.lock);
    return code;
}

static int run(int argc, char **argv)
{
    struct check_flags f = {0};
    struct dn_plan plan = {0};
    struct dn_error err;
    const char *job = NULL;

    dn_error_clear(&err);
    if (flags_read(&f, argc, argv, &job, &err) != DN_OK) {
        return dn_cli_usage("check", &err);
    }
    if (dn_plan_read(&plan, job, &err) != DN_OK) {
        return dn_cli_fail(&err);
    }
    const int code = check(job, &plan, f.json);
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
    .flags = flags_of,
    .run = run,
};
