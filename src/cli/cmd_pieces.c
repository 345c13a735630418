/* plan, task, commit, abort: one job in pieces, by as many processes and machines as there are. */
#include "cli/cli.h"
#include "cli/console.h"
#include "cli/database.h"
#include "cli/flags.h"
#include "cli/plan_table.h"
#include "job/events.h"
#include "job/json_file.h"
#include "job/parts.h"
#include "job/refusal.h"
#include "job/sources.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MOST_ARGUMENTS 64
#define FIRST_PAUSE_MS 100 /* between two looks, each of which may be a request; it grows */
#define LONGEST_PAUSE_MS 2000

struct pieces_flags {
    const char *output;
    const char *split_size;
    const char *index;
    const char *query;
    const char *where;
    const char *target; /**< of a table, which has no job file */
    const char *log_format;
    int64_t n_threads;
    uint64_t memory_bytes;
    bool overwrite;
    bool allow_empty;
    bool takes_table;
    bool hold;
    bool snapshot_per_task;
    bool quiet;
    bool no_progress;
};

/* One operand, and what holds for flags of all four commands. */
static enum dn_status flags_read(struct pieces_flags *f, const struct dn_flag *flags,
                                 size_t n_flags, int argc, char **argv, const char *what,
                                 const char **operand, struct dn_error *err)
{
    const char *operands[MOST_ARGUMENTS];
    size_t n = 0;

    if (argc > MOST_ARGUMENTS) {
        return dn_error_set(err, DN_ERR_INVALID, "too many arguments");
    }
    DN_TRY(dn_flags_parse(flags, n_flags, argc, argv, operands, &n, err));
    if (n > 0 && f->takes_table && dn_database_is(operands[0])) {
        if (n != 2) {
            return dn_error_set(err, DN_ERR_INVALID,
                                "plan of a table needs its address and one folder, or "
                                "s3://bucket/prefix, for the parts");
        }
        f->target = operands[--n];
    } else if (f->query != NULL || f->where != NULL) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "--query and --where are for the address of a database; a job says "
                            "them itself");
    }
    if (n != 1 || operands[0][0] == '\0') {
        return dn_error_set(err, DN_ERR_INVALID, "%s needs one %s%s", argv[0], what,
                            n == 1 ? ", and its name is empty; is a shell variable unset?" : "");
    }
    if (f->log_format != NULL && strcmp(f->log_format, "json") != 0 &&
        strcmp(f->log_format, "text") != 0) {
        return dn_error_set(err, DN_ERR_INVALID, "--log-format is text or json, not %s",
                            f->log_format);
    }
    if (f->n_threads > 1024) {
        return dn_error_set(err, DN_ERR_INVALID, "--threads is at most 1024");
    }
    *operand = operands[0];
    return DN_OK;
}

static void console_start(struct dn_console *c, const struct pieces_flags *f)
{
    *c = (struct dn_console){.level = DN_EVENT_DETAIL,
                             .json = f->log_format != NULL && strcmp(f->log_format, "json") == 0,
                             .quiet = f->quiet,
                             .no_progress = f->no_progress};
    dn_console_start(c);
}

/* A failure in front of, or without, rows that move. */
static int failed(struct dn_console *c, enum dn_status st, const struct dn_error *err)
{
    struct dn_outcome none = {0};
    const int code = dn_console_close(c, "", "", st, err, &none);

    dn_console_finish(c);
    return code;
}

/* The plan, and its folder as the current one, in which its paths mean what they meant. */
static enum dn_status plan_open(struct dn_parts *p, const char *path, struct dn_error *err)
{
    DN_TRY(dn_parts_read(p, path, err));
    enum dn_status st = DN_OK;
    if (chdir(p->folder) != 0 && dn_parts_needs_folder(p)) {
        const int saved = errno;
        st = dn_error_set_errno(err, DN_ERR_IO, saved,
                                "%s: the plan was made in %s, which has to be there on every "
                                "machine that works on it",
                                path, p->folder);
    }
    if (st == DN_OK) {
        st = dn_parts_connect(p, err);
    }
    if (st != DN_OK) {
        dn_parts_finish(p);
    }
    return st;
}

/* ---- plan ---- */

static size_t plan_table(struct pieces_flags *f, struct dn_flag out[DN_FLAGS_MAX])
{
    const struct dn_flag flags[] = {
        {"output", 'o', DN_FLAG_TEXT, &f->output},
        {"split-size", 0, DN_FLAG_TEXT, &f->split_size},
        {"overwrite", 'f', DN_FLAG_BOOL, &f->overwrite},
        {"allow-empty", 0, DN_FLAG_BOOL, &f->allow_empty},
        {"query", 0, DN_FLAG_TEXT, &f->query},
        {"where", 0, DN_FLAG_TEXT, &f->where},
        {"hold", 0, DN_FLAG_BOOL, &f->hold},
        {"snapshot-per-task", 0, DN_FLAG_BOOL, &f->snapshot_per_task},
        {"threads", 't', DN_FLAG_INT, &f->n_threads},
        {"memory", 'm', DN_FLAG_SIZE, &f->memory_bytes},
        {"quiet", 'q', DN_FLAG_BOOL, &f->quiet},
        {"log-format", 0, DN_FLAG_TEXT, &f->log_format},
    };

    memcpy(out, flags, sizeof flags);
    return sizeof flags / sizeof flags[0];
}

static size_t plan_flags(struct dn_flag out[DN_FLAGS_MAX])
{
    static struct pieces_flags any;

    return plan_table(&any, out);
}

static enum dn_status plan_flags_read(struct pieces_flags *f, int argc, char **argv,
                                      const char **job, uint64_t *split_bytes, struct dn_error *err)
{
    struct dn_flag flags[DN_FLAGS_MAX];

    f->takes_table = true;
    DN_TRY(flags_read(f, flags, plan_table(f, flags), argc, argv, "job file", job, err));
    if (f->output == NULL || f->output[0] == '\0') {
        return dn_error_set(err, DN_ERR_INVALID, "plan needs a name for the plan: -o plan.json");
    }
    if (f->hold && f->snapshot_per_task) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "--hold keeps one snapshot for all tasks, and --snapshot-per-task is "
                            "to have none; leave one out");
    }
    if (f->split_size != NULL && !dn_flags_parse_size(f->split_size, split_bytes)) {
        return dn_error_set(err, DN_ERR_INVALID, "--split-size is a size like 128MB, not %s",
                            f->split_size);
    }
    return DN_OK;
}

static enum dn_status plan_make(const struct pieces_flags *f, const struct dn_plan *job,
                                uint64_t split_bytes, const struct dn_console *c,
                                struct dn_parts *out, struct dn_parts_hold **hold,
                                struct dn_error *err)
{
    const struct dn_parts_wish wish = {.target_bytes = split_bytes,
                                       .moment = f->hold                ? DN_PARTS_HELD
                                                 : f->snapshot_per_task ? DN_PARTS_EACH
                                                                        : DN_PARTS_UNSAID};
    struct dn_transfer t = f->target != NULL ? dn_plan_table_transfer(job) : dn_plan_transfer(job);

    for (size_t i = 0; i < json_array_size(job->matches); i++) {
        dn_match_tell(&c->events, json_incref(json_array_get(job->matches, i)));
    }
    dn_left_out_tell(&c->events, job->n_left_out);
    t.n_threads = (uint32_t)f->n_threads;
    t.memory_bytes = f->memory_bytes;
    t.allow_empty = f->allow_empty;
    t.events = &c->events;
    dn_console_guard();
    enum dn_status st = dn_parts_cut(out, f->hold ? hold : NULL, job, &t, &wish, err);
    dn_console_unguard();
    if (st != DN_OK && f->target == NULL) {
        dn_refusal_locate_path(job, NULL, err);
    }
    DN_TRY(st);
    st = dn_json_file_write(f->output, out->json, f->overwrite, err);
    if (st != DN_OK && *hold != NULL) {
        (void)!dn_parts_hold_forget(*hold, NULL); /* what stays are a few bytes */
    }
    return st;
}

static void plan_tell(const struct pieces_flags *f, const struct dn_parts *p,
                      const struct dn_console *c)
{
    const size_t n = json_array_size(p->list);
    const json_t *rows = json_object_get(p->json, "rows");
    char count[32];

    dn_events_emit(
        &c->events, DN_EVENT_NOTE, "plan_made",
        json_pack("{s:s, s:I, s:O}", "plan", p->id, "pieces", (json_int_t)n, "rows", rows),
        "%s: plan %s, %zu piece%s, %s rows, to %s", f->output, p->id, n, n == 1 ? "" : "s",
        json_is_integer(rows) ? dn_console_count(count, json_integer_value(rows)) : "uncounted",
        p->directory);
    if (json_is_null(json_object_get(p->json, "snapshot"))) {
        dn_events_emit(&c->events, DN_EVENT_WARNING, "snapshot_per_task", NULL,
                       "each task reads what it finds when it begins: rows that are changed in "
                       "between may be missing from the result, or be there twice");
    }
}

/* Until the plan is committed or aborted, we are stopped, or the server takes the snapshot away. */
static enum dn_status hold_on(struct dn_parts_hold *h, const struct dn_parts *p,
                              const struct dn_console *c, struct dn_error *err)
{
    const char *snapshot = json_string_value(json_object_get(p->json, "snapshot"));
    long pause_ms = FIRST_PAUSE_MS;
    enum dn_parts_end end = DN_PARTS_GOES_ON;
    enum dn_status st = DN_OK;

    dn_events_emit(&c->events, DN_EVENT_NOTE, "snapshot_held",
                   json_pack("{s:s, s:s}", "plan", p->id, "snapshot", snapshot),
                   "the snapshot %s is held until the plan is committed or aborted; if this "
                   "process ends before that, tasks that have not begun cannot read it any more",
                   snapshot);
    dn_console_guard();
    while (dn_console_signal() == 0 && st == DN_OK && end == DN_PARTS_GOES_ON) {
        st = dn_parts_hold_look(h, &end, err);
        if (st == DN_OK && end == DN_PARTS_GOES_ON) {
            const struct timespec pause = {pause_ms / 1000, pause_ms % 1000 * 1000000L};
            (void)nanosleep(&pause, NULL); /* a signal ends it */
            pause_ms += pause_ms < LONGEST_PAUSE_MS ? pause_ms / 10 : 0;
        }
    }
    dn_console_unguard();
    if (end != DN_PARTS_GOES_ON) {
        dn_events_emit(&c->events, DN_EVENT_NOTE, "snapshot_released", NULL,
                       "plan %s is %s: the snapshot %s is not needed any more", p->id,
                       end == DN_PARTS_COMMITTED ? "committed" : "aborted", snapshot);
        return DN_OK;
    }
    if (dn_console_signal() != 0) {
        return dn_error_set(err, DN_ERR_CANCELLED,
                            "stopped on request: the snapshot %s is gone, and tasks that have not "
                            "begun cannot read it any more; a plan whose pieces are all written "
                            "can still be committed",
                            snapshot);
    }
    struct dn_error why = *err;
    return dn_error_set(err, st,
                        "the snapshot %s is lost, and tasks that have not begun cannot read it any "
                        "more; a plan whose pieces are all written can still be committed, else "
                        "abort it, and make a new one: %.600s",
                        snapshot, why.message);
}

static int plan_run(int argc, char **argv)
{
    struct pieces_flags f = {0};
    struct dn_plan job = {0};
    struct dn_parts p = {0};
    struct dn_parts_hold *hold = NULL;
    struct dn_console console;
    struct dn_error err;
    uint64_t split_bytes = 0;
    const char *path = NULL;

    dn_error_clear(&err);
    if (plan_flags_read(&f, argc, argv, &path, &split_bytes, &err) != DN_OK) {
        return dn_cli_usage("plan", &err);
    }
    console_start(&console, &f);
    enum dn_status st = f.target != NULL
                            ? dn_plan_table_make(&job, path, f.query, f.where, f.target, &err)
                            : dn_plan_read(&job, path, &err);
    if (st == DN_OK) {
        st = plan_make(&f, &job, split_bytes, &console, &p, &hold, &err);
    }
    if (st == DN_OK) {
        plan_tell(&f, &p, &console);
    }
    if (st == DN_OK && hold != NULL) {
        st = hold_on(hold, &p, &console, &err);
    } else if (st == DN_OK && f.hold) {
        dn_events_emit(&console.events, DN_EVENT_NOTE, "nothing_to_hold", NULL,
                       "the source has no snapshot: there is nothing to hold");
    }
    dn_parts_hold_finish(hold);
    dn_parts_finish(&p);
    dn_plan_finish(&job);
    if (st != DN_OK) {
        return failed(&console, st, &err);
    }
    dn_console_finish(&console);
    return DN_EXIT_OK;
}

const struct dn_command dn_cmd_plan = {
    .name = "plan",
    .summary = "cut a job into pieces for many processes or machines",
    .help =
        "Usage: " DN_PROGRAM " plan [FLAGS] JOB.yaml -o PLAN.json\n"
        "       " DN_PROGRAM " plan [FLAGS] 'postgres://user@host/database?table=schema.name' "
        "FOLDER -o PLAN.json\n"
        "\n"
        "Cuts the CSV files or the table of a job into pieces, and writes down all that decides "
        "what the rows are: types,\n"
        "places of the pieces, files with size and time.  Each task then writes one piece "
        "for itself,\n"
        "and commit makes one result of them (docs/many-machines.md):\n"
        "\n"
        "  " DN_PROGRAM " plan job.yaml -o plan.json --split-size 128MB\n"
        "  " DN_PROGRAM " task plan.json --index 0\n"
        "  " DN_PROGRAM " commit plan.json\n"
        "\n"
        "Source and target are objects of S3, or files and folders that all machines see under the "
        "same names.  Keys\n"
        "are not in the plan.  The result is\n"
        "{connection.path}/{domain}/{dataProduct}/{table}/part-00000-ID.parquet and so on, one "
        "file a piece.\n"
        "\n"
        "Flags:\n"
        "  -o, --output F       the plan's name\n"
        "      --split-size S   bytes of a piece, nearly; default 128MiB\n"
        "  -f, --overwrite      replace a plan of that name\n"
        "      --allow-empty    a source with a header but no rows is no error\n"
        "      --query SQL      of the address of a database: what the statement gives\n"
        "      --where SQL      the rows of its table for which it is true\n"
        "      --hold           of a database: stay, and hold the snapshot that all tasks read, "
        "until commit or abort\n"
        "      --snapshot-per-task  of a database: each task reads what it finds; rows that change "
        "in between may be\n"
        "                       missing, or be there twice\n"
        "  -t, --threads N      threads to use; default, also as 0: one per CPU\n"
        "  -m, --memory SIZE    memory of each task, e.g. 256MB; 0: the default.  Row groups "
        "depend on it\n"
        "      --log-format F   text (default) or json\n"
        "  -q, --quiet          warnings and errors only\n",
    .flags = plan_flags,
    .run = plan_run,
};

/* ---- task ---- */

static enum dn_status index_read(const char *text, size_t *out, struct dn_error *err)
{
    *out = 0;
    if (text == NULL) {
        return dn_error_set(err, DN_ERR_INVALID, "task needs the number of a piece: --index 0");
    }
    for (const char *c = text; *c != '\0'; c++) {
        if (*c < '0' || *c > '9' || c - text > 8) {
            return dn_error_set(err, DN_ERR_INVALID, "--index is a number, not %s", text);
        }
        *out = *out * 10 + (size_t)(*c - '0');
    }
    return text[0] != '\0'
               ? DN_OK
               : dn_error_set(err, DN_ERR_INVALID, "--index is empty; is a shell variable unset?");
}

/* Runs the task, tells how it went, and returns the exit code. */
static int task_write(const struct dn_parts *p, size_t index, const struct pieces_flags *f,
                      struct dn_console *c, struct dn_error *err)
{
    struct dn_outcome outcome = {0};
    char source[64];
    char target[64];

    dn_console_guard();
    const enum dn_status st =
        dn_parts_write(p, index, (uint32_t)f->n_threads, &c->events, &outcome, err);
    dn_console_unguard();
    if (st == DN_OK && outcome.is_unchanged) {
        dn_events_emit(&c->events, DN_EVENT_NOTE, "plan_committed", NULL,
                       "the plan is committed: nothing is left to write");
        dn_outcome_finish(&outcome);
        return DN_EXIT_OK;
    }
    (void)snprintf(source, sizeof source, "piece %zu", index);
    (void)snprintf(target, sizeof target, "part-%05zu-%.16s.parquet", index, p->id);
    const int code = dn_console_close(c, source, target, st, err, &outcome);
    dn_outcome_finish(&outcome);
    return code;
}

static size_t task_table(struct pieces_flags *f, struct dn_flag out[DN_FLAGS_MAX])
{
    const struct dn_flag flags[] = {
        {"index", 0, DN_FLAG_TEXT, &f->index},
        {"threads", 't', DN_FLAG_INT, &f->n_threads},
        {"quiet", 'q', DN_FLAG_BOOL, &f->quiet},
        {"no-progress", 0, DN_FLAG_BOOL, &f->no_progress},
        {"log-format", 0, DN_FLAG_TEXT, &f->log_format},
    };

    memcpy(out, flags, sizeof flags);
    return sizeof flags / sizeof flags[0];
}

static size_t task_flags(struct dn_flag out[DN_FLAGS_MAX])
{
    static struct pieces_flags any;

    return task_table(&any, out);
}

static int task_run(int argc, char **argv)
{
    struct pieces_flags f = {0};
    struct dn_parts p = {0};
    struct dn_console console;
    struct dn_error err;
    const char *path = NULL;
    size_t index = 0;
    struct dn_flag flags[DN_FLAGS_MAX];

    dn_error_clear(&err);
    if (flags_read(&f, flags, task_table(&f, flags), argc, argv, "plan", &path, &err) != DN_OK ||
        index_read(f.index, &index, &err) != DN_OK) {
        return dn_cli_usage("task", &err);
    }
    console_start(&console, &f);
    const enum dn_status st = plan_open(&p, path, &err);
    if (st != DN_OK) {
        return failed(&console, st, &err);
    }
    const int code = task_write(&p, index, &f, &console, &err);
    dn_parts_finish(&p);
    dn_console_finish(&console);
    return code;
}

const struct dn_command dn_cmd_task = {
    .name = "task",
    .summary = "write one piece of a plan",
    .help = "Usage: " DN_PROGRAM " task [FLAGS] PLAN.json --index N\n"
            "\n"
            "Writes piece N of a plan, counted from 0, to a folder of unfinished files.  A task "
            "may be run again, be killed, and\n"
            "be under way twice: the same file gets the same bytes, and is there when it is "
            "complete.  N is what an\n"
            "indexed job of a scheduler calls its index: $JOB_COMPLETION_INDEX of Kubernetes, "
            "$SLURM_ARRAY_TASK_ID,\n"
            "$AWS_BATCH_JOB_ARRAY_INDEX.\n"
            "\n"
            "Flags:\n"
            "      --index N        which piece\n"
            "  -t, --threads N      threads to use; default, also as 0: one per CPU\n"
            "      --log-format F   text (default) or json\n"
            "      --no-progress    no progress line\n"
            "  -q, --quiet          warnings and errors only\n"
            "\n"
            "Examples:\n"
            "  " DN_PROGRAM " task plan.json --index 7\n"
            "  seq 0 15 | xargs -P 4 -I N " DN_PROGRAM " task -q plan.json --index N\n",
    .flags = task_flags,
    .run = task_run,
};

/* ---- commit and abort ---- */

static size_t end_table(struct pieces_flags *f, struct dn_flag out[DN_FLAGS_MAX])
{
    const struct dn_flag flags[] = {
        {"quiet", 'q', DN_FLAG_BOOL, &f->quiet},
        {"log-format", 0, DN_FLAG_TEXT, &f->log_format},
    };

    memcpy(out, flags, sizeof flags);
    return sizeof flags / sizeof flags[0];
}

static size_t end_flags(struct dn_flag out[DN_FLAGS_MAX])
{
    static struct pieces_flags any;

    return end_table(&any, out);
}

static int plan_only(int argc, char **argv, struct pieces_flags *f, struct dn_console *c,
                     struct dn_parts *p)
{
    struct dn_error err;
    const char *path = NULL;
    struct dn_flag flags[DN_FLAGS_MAX];

    dn_error_clear(&err);
    if (flags_read(f, flags, end_table(f, flags), argc, argv, "plan", &path, &err) != DN_OK) {
        return dn_cli_usage(argv[0], &err);
    }
    console_start(c, f);
    const enum dn_status st = plan_open(p, path, &err);
    return st == DN_OK ? DN_EXIT_OK : failed(c, st, &err);
}

static int commit_run(int argc, char **argv)
{
    struct pieces_flags f = {0};
    struct dn_parts p = {0};
    struct dn_parts_result result;
    struct dn_console console;
    struct dn_error err;
    char rows[32];
    char bytes[32];

    dn_error_clear(&err);
    const int opened = plan_only(argc, argv, &f, &console, &p);
    if (opened != DN_EXIT_OK) {
        return opened;
    }
    const enum dn_status st = dn_parts_commit(&p, &console.events, &result, &err);
    if (st == DN_OK && result.was_there) {
        dn_events_emit(&console.events, DN_EVENT_NOTE, "plan_committed", NULL,
                       "%s: plan %s is committed already", p.directory, p.id);
    } else if (st == DN_OK) {
        dn_events_emit(&console.events, DN_EVENT_NOTE, "plan_committed",
                       json_pack("{s:s, s:I, s:I}", "plan", p.id, "rows", (json_int_t)result.rows,
                                 "bytes", (json_int_t)result.bytes),
                       "%s: %zu files, %s rows, %s", p.directory, json_array_size(p.list),
                       dn_console_count(rows, result.rows), dn_console_bytes(bytes, result.bytes));
    }
    dn_parts_finish(&p);
    if (st != DN_OK) {
        return failed(&console, st, &err);
    }
    dn_console_finish(&console);
    return DN_EXIT_OK;
}

const struct dn_command dn_cmd_commit = {
    .name = "commit",
    .summary = "make one result of all pieces of a plan",
    .help = "Usage: " DN_PROGRAM " commit [FLAGS] PLAN.json\n"
            "\n"
            "Checks that every task has written its piece, that their rows are those of the plan, "
            "and that no source was written\n"
            "to since; then gives the files their final names, writes _manifest.json, and _SUCCESS "
            "at last.  If something\n"
            "is missing it is named, and nothing changes.  A commit that was killed is run again; "
            "one that is done does\n"
            "nothing.\n"
            "\n"
            "Without _SUCCESS in it the folder has no result: files that are there are a part of "
            "it.\n"
            "\n"
            "Flags:\n"
            "      --log-format F   text (default) or json\n"
            "  -q, --quiet          warnings and errors only\n",
    .flags = end_flags,
    .run = commit_run,
};

static int abort_run(int argc, char **argv)
{
    struct pieces_flags f = {0};
    struct dn_parts p = {0};
    struct dn_console console;
    struct dn_error err;
    bool was_committed = false;

    dn_error_clear(&err);
    const int opened = plan_only(argc, argv, &f, &console, &p);
    if (opened != DN_EXIT_OK) {
        return opened;
    }
    const enum dn_status st = dn_parts_abort(&p, &console.events, &was_committed, &err);
    if (st == DN_OK) {
        dn_events_emit(&console.events, DN_EVENT_NOTE, "plan_aborted", NULL,
                       was_committed ? "%s: plan %s is committed, and its result stays"
                                     : "%s: nothing is left of plan %s",
                       p.directory, p.id);
    }
    dn_parts_finish(&p);
    if (st != DN_OK) {
        return failed(&console, st, &err);
    }
    dn_console_finish(&console);
    return DN_EXIT_OK;
}

const struct dn_command dn_cmd_abort = {
    .name = "abort",
    .summary = "remove what the tasks of a plan have written",
    .help = "Usage: " DN_PROGRAM " abort [FLAGS] PLAN.json\n"
            "\n"
            "Removes the unfinished files of a plan, and those that a commit put in place before "
            "it was killed.  A result\n"
            "that is complete stays.  End the tasks first: one that goes on writes again.\n"
            "\n"
            "Flags:\n"
            "      --log-format F   text (default) or json\n"
            "  -q, --quiet          warnings and errors only\n",
    .flags = end_flags,
    .run = abort_run,
};
