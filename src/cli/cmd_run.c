/* run JOB.yaml: what a job file says. */
#include "cli/cli.h"
#include "cli/console.h"
#include "cli/flags.h"
#include "cli/inspector.h"
#include "cli/plan_print.h"
#include "cli/table.h"
#include "job/contract.h"
#include "job/events.h"
#include "job/job.h"
#include "job/refusal.h"
#include "job/runner.h"
#include "job/sources.h"
#include "store/source.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct run_flags {
    const char *config; /* --config F, as the stock host has it */
    const char *log_format;
    const char *missing_text;
    enum dn_missing missing;
    int64_t preview;
    int64_t n_threads;
    uint64_t memory_bytes;
    bool allow_empty;
    bool quiet;
    bool no_progress;
    bool dry_run;
    bool json;
};

static size_t flags_table(struct run_flags *f, struct dn_flag out[DN_FLAGS_MAX])
{
    const struct dn_flag flags[] = {
        {"config", 0, DN_FLAG_TEXT, &f->config},
        {"preview", 0, DN_FLAG_INT, &f->preview},
        {"threads", 't', DN_FLAG_INT, &f->n_threads},
        {"memory", 'm', DN_FLAG_SIZE, &f->memory_bytes},
        {"allow-empty", 0, DN_FLAG_BOOL, &f->allow_empty},
        {"quiet", 'q', DN_FLAG_BOOL, &f->quiet},
        {"no-progress", 0, DN_FLAG_BOOL, &f->no_progress},
        {"log-format", 0, DN_FLAG_TEXT, &f->log_format},
        {"missing-columns", 0, DN_FLAG_TEXT, &f->missing_text},
        {"dry-run", 0, DN_FLAG_BOOL, &f->dry_run},
        {"json", 0, DN_FLAG_BOOL, &f->json},
    };

    memcpy(out, flags, sizeof flags);
    return sizeof flags / sizeof flags[0];
}

static size_t flags_of(struct dn_flag out[DN_FLAGS_MAX])
{
    static struct run_flags any;

    return flags_table(&any, out);
}

static enum dn_status flags_read(struct run_flags *f, int argc, char **argv, const char **job,
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
        return dn_error_set(err, DN_ERR_INVALID, "run needs one job file, not %zu",
                            n + (f->config != NULL ? 1 : 0));
    }
    if (f->log_format != NULL && strcmp(f->log_format, "json") != 0 &&
        strcmp(f->log_format, "text") != 0) {
        return dn_error_set(err, DN_ERR_INVALID, "--log-format is text or json, not %s",
                            f->log_format);
    }
    if (f->missing_text != NULL && !dn_contract_missing(f->missing_text, &f->missing)) {
        return dn_error_set(err, DN_ERR_INVALID, "--missing-columns is warn or error, not %s",
                            f->missing_text);
    }
    if (f->n_threads > 1024) {
        return dn_error_set(err, DN_ERR_INVALID, "--threads is at most 1024");
    }
    if (f->json && !f->dry_run) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "--json belongs to --dry-run; the log of a run is JSON with "
                            "--log-format json");
    }
    *job = f->config != NULL ? f->config : operands[0];
    if ((*job)[0] == '\0') {
        return dn_error_set(err, DN_ERR_INVALID,
                            "the name of the job file is empty; is a shell variable unset?");
    }
    return DN_OK;
}

/* Rows are shown of Parquet; what a writer of somebody else's makes, its inspector may show. */
static enum dn_status preview_check(const struct dn_plan *plan, int64_t n_rows,
                                    struct dn_error *err)
{
    if (n_rows > 0 && plan->tables.n > 1) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "--preview shows one file, and %s writes one for each of %zu tables: "
                            "leave it out",
                            plan->job_path, plan->tables.n);
    }
    if (n_rows <= 0 || plan->writer.path != NULL || strcmp(plan->format, DN_FORMAT_CSV) != 0) {
        return DN_OK;
    }
    return dn_error_set(err, DN_ERR_INVALID,
                        "--preview shows rows of Parquet files, and %s writes CSV "
                        "(target.file_format): leave it out",
                        plan->job_path);
}

/* The rows have moved whatever happens here, and the message says so. */
static int preview_failed(const char *output_path, const struct dn_error *why)
{
    struct dn_error err;

    (void)dn_error_set(&err, (enum dn_status)why->code,
                       "%s is complete, but its preview could not be shown: %s", output_path,
                       why->message);
    return dn_cli_fail(&err);
}

static int preview_print(const struct dn_plan *plan, const char *output_path, int64_t n_rows)
{
    json_t *file = NULL;
    struct dn_error err;

    dn_error_clear(&err);
    if (dn_inspector_read(&plan->writer, output_path,
                          json_object_get(plan->writer_config, "connection"), n_rows, &file,
                          &err) != DN_OK) {
        return preview_failed(output_path, &err);
    }
    dn_text_print(stdout, output_path);
    (void)printf("\n\n");
    dn_inspector_print_schema(file);
    (void)printf("\n");
    dn_inspector_print_rows(file);
    json_decref(file);
    return dn_cli_flush(&err) == DN_OK ? DN_EXIT_OK : preview_failed(output_path, &err);
}

static void announce(const struct dn_console *c, const struct dn_plan *plan)
{
    dn_events_emit(&c->events, DN_EVENT_DETAIL, "job_started",
                   json_pack("{s:s}", "job", plan->job_path), "Job started: %s", plan->job_path);
    for (size_t i = 0; i < json_array_size(plan->matches); i++) {
        dn_match_tell(&c->events, json_incref(json_array_get(plan->matches, i)));
    }
    dn_left_out_tell(&c->events, plan->n_left_out);
    if (plan->absent_credentials != NULL) {
        dn_events_emit(&c->events, DN_EVENT_DETAIL, "no_credentials_file",
                       json_pack("{s:s}", "path", plan->absent_credentials),
                       "%s, which the recipe names, is not there: connection and environment have "
                       "to say who asks",
                       plan->absent_credentials);
    }
    if (plan->catalog != NULL) {
        dn_events_emit(&c->events, DN_EVENT_WARNING, "catalog_ignored",
                       json_pack("{s:s}", "catalog", plan->catalog),
                       "%s: catalog \"%s\" is told nothing by this host: the rows are written, "
                       "lineage and tags are not",
                       plan->job_path, plan->catalog);
    }
    dn_events_emit(&c->events, DN_EVENT_DETAIL, "asset_loaded",
                   json_pack("{s:s, s:I, s:s}", "asset", plan->asset.name, "columns",
                             (json_int_t)plan->asset.n_columns, "mode",
                             plan->strict ? "strict" : "warn"),
                   "Asset %s: %zu column%s, %s", plan->asset.name, plan->asset.n_columns,
                   plan->asset.n_columns == 1 ? "" : "s", plan->strict ? "strict" : "warn");
}

/* "a.csv", or "a.csv and 2 more" */
static void source_name(const struct dn_plan *plan, char *out, size_t size)
{
    const json_t *files = json_object_get(plan->reader_config, "files");
    const char *first = json_string_value(json_object_get(json_array_get(files, 0), "path"));
    const size_t n = json_array_size(files);
    char room[DN_SHOWN_PATH_SIZE];

    if (plan->tables.n > 0) {
        const char *table = dn_table_shown(&plan->tables.items[0]);
        if (plan->tables.n == 1) {
            (void)snprintf(out, size, "%s", table);
        } else {
            (void)snprintf(out, size, "%s and %zu more", table, plan->tables.n - 1);
        }
        return;
    }

    first = first != NULL ? dn_source_shown_path(room, first) : "nothing";
    if (n == 1) {
        (void)snprintf(out, size, "%s", first);
    } else {
        (void)snprintf(out, size, "%s and %zu more", first, n - 1);
    }
}

static int run(int argc, char **argv)
{
    struct run_flags f = {0};
    struct dn_plan plan = {0};
    struct dn_console console = {.level = DN_EVENT_DETAIL};
    struct dn_outcome outcome = {0};
    struct dn_error err;
    char source[1024];
    const char *job = NULL;

    dn_error_clear(&err);
    if (flags_read(&f, argc, argv, &job, &err) != DN_OK) {
        return dn_cli_usage("run", &err);
    }
    console.json = f.log_format != NULL && strcmp(f.log_format, "json") == 0;
    console.quiet = f.quiet;
    console.no_progress = f.no_progress;
    dn_console_start(&console);
    enum dn_status st = dn_plan_read(&plan, job, &err);
    st = st == DN_OK ? preview_check(&plan, f.preview, &err) : st;
    if (st != DN_OK) {
        const int failed = dn_console_close(&console, "", "", st, &err, &outcome);
        dn_plan_finish(&plan);
        dn_console_finish(&console);
        return failed;
    }
    if (f.dry_run) {
        const int shown = dn_plan_print(&plan, f.json);
        dn_plan_finish(&plan);
        dn_console_finish(&console);
        return shown;
    }
    console.level = plan.log_level;
    console.context = json_pack("{s:s, s:s}", "tenant_id", plan.tenant_id, "job_name", plan.table);
    source_name(&plan, source, sizeof source);
    announce(&console, &plan);
    struct dn_transfer transfer = dn_plan_transfer(&plan);
    transfer.n_threads = (uint32_t)f.n_threads;
    transfer.memory_bytes = f.memory_bytes;
    transfer.allow_empty = f.allow_empty;
    transfer.missing = f.missing_text != NULL ? f.missing : transfer.missing;
    transfer.events = &console.events;
    dn_console_guard();
    st = dn_plan_run(&plan, &transfer, &outcome, &err);
    dn_console_unguard();
    const struct dn_job_table *table = plan.tables.n == 1 ? &plan.tables.items[0] : NULL;
    if (st != DN_OK && outcome.refused_by != NULL) {
        dn_refusal_locate(&plan, table, outcome.refused_by, &err);
    } else if (st != DN_OK) {
        dn_refusal_locate_path(&plan, table, &err);
    }
    const char *output_path = outcome.output_path != NULL ? outcome.output_path : plan.output_path;
    const char *target = plan.tables.n > 1 ? plan.directory : output_path;
    int code = dn_console_close(&console, source, target, st, &err, &outcome);
    if (st == DN_OK && f.preview > 0 && !outcome.is_unchanged &&
        preview_print(&plan, output_path, f.preview) != DN_EXIT_OK) {
        code = DN_EXIT_FAILED;
    }
    dn_outcome_finish(&outcome);
    dn_plan_finish(&plan);
    dn_console_finish(&console);
    return code;
}

const struct dn_command dn_cmd_run = {
    .name = "run",
    .summary = "run a job file",
    .help =
        "Usage: " DN_PROGRAM " run [FLAGS] JOB.yaml\n"
        "\n"
        "Runs a job file of the Dativo host: CSV or Parquet files or tables of PostgreSQL in, one "
        "Parquet or CSV file\n"
        "out (of several tables one each), checked against the asset.  The output is "
        "{connection.path}/{domain}/{dataProduct}/{table}/{table}_000000."
        "parquet, or .csv,\n"
        "and for target_connector s3 or minio an object of that name in the bucket; who asks there "
        "is said by the\n"
        "job's connection, or by AWS_ACCESS_KEY_ID and its kin, and S3_ENDPOINT says where it is "
        "(docs/jobs.md).\n"
        "It appears when it is complete and every row is accounted for, and replaces the file of "
        "an earlier run.\n"
        "\n"
        "schema_validation_mode: strict   any value that is not what the asset says ends the job "
        "(exit code 2)\n"
        "schema_validation_mode: warn     such values are kept, counted and reported (exit code "
        "1)\n"
        "\n"
        "Flags:\n"
        "      --allow-empty    a source with a header but no rows is no error\n"
        "      --preview N      afterwards print the schema and the first N rows on standard "
        "output; of Parquet\n"
        "  -t, --threads N      threads to use; default, also as 0: one per CPU\n"
        "  -m, --memory SIZE    memory to share between reader and writer, e.g. 256MB; 0: the "
        "default\n"
        "      --log-format F   text (default) or json: one log line in the host's fields per "
        "event\n"
        "      --no-progress    no progress line\n"
        "  -q, --quiet          warnings and errors only\n"
        "      --missing-columns A  a column of the asset that the file lacks: warn (default; "
        "written as nulls) or error\n"
        "      --dry-run        read job, recipes and asset, and print what would be done, without "
        "secrets; no row is read\n"
        "                       and nothing is written.  The network is asked only for what "
        "patterns like s3://bucket/*.csv match\n"
        "      --json           of --dry-run: as JSON\n"
        "      --config F       the same as JOB.yaml\n"
        "\n"
        "Examples:\n"
        "  " DN_PROGRAM " run --preview 5 examples/jobs/csv_to_parquet.yaml\n"
        "  " DN_PROGRAM " run --log-format json nightly.yaml 2>> nightly.log\n",
    .flags = flags_of,
    .run = run,
};
