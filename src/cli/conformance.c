/* The conformance run: every check in a process of its own, so that a crash is a verdict too. */
#include "cli/conformance.h"

#include "base/memory.h"
#include "base/os_child.h"
#include "base/os_process.h"
#include "base/os_wait.h"
#include "base/strings.h"
#include "base/utf8.h"
#include "cli/cli.h"
#include "cli/conform.h"
#include "cli/conform_state.h"
#include "job/elf.h"
#include "job/json_text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct run {
    const char *path;
    const char *run_config; /* a text, or NULL */
    int64_t rows;           /* of it; -1: nobody said */
    uint32_t seconds;       /* a check may take */
    char root[300];         /* the temporary directory; one directory per check below it */
    const char *create_reader;
    const char *create_writer;
    int n_checks;
    int n_passed;
    int n_failed;
    int n_skipped;
    const char *unread[2]; /* readers whose rows nobody saw, by level */
    size_t n_unread;
    bool has_reader; /* of whatever level */
};

#define REPORT_MAGIC UINT64_C(0x7ab1e0f4d471e009)

/* What a child reports through its pipe. */
struct report {
    uint64_t magic; /* REPORT_MAGIC */
    enum dn_verdict verdict;
    bool has_reader;
    bool has_writer;
    bool has_inspector;
    bool is_unread;
    enum dn_disturbed disturbed;
    char said[400];
    char remedy[400]; /* "": that of the check */
};

DN_PRINTF(3, 0)
static enum dn_verdict say(struct dn_conform *c, enum dn_verdict verdict, const char *format,
                           va_list args)
{
    char text[sizeof c->said];

    (void)vsnprintf(text, sizeof text, format, args);
    memcpy(c->said, text, sizeof text);
    return verdict;
}

enum dn_verdict dn_conform_fail(struct dn_conform *c, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    const enum dn_verdict v = say(c, DN_VERDICT_FAIL, format, args);
    va_end(args);
    return v;
}

enum dn_verdict dn_conform_pass(struct dn_conform *c, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    const enum dn_verdict v = say(c, DN_VERDICT_PASS, format, args);
    va_end(args);
    return v;
}

enum dn_verdict dn_conform_skip(struct dn_conform *c, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    const enum dn_verdict v = say(c, DN_VERDICT_SKIP, format, args);
    va_end(args);
    return v;
}

enum dn_verdict dn_conform_unread(struct dn_conform *c, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    c->is_unread = true;
    const enum dn_verdict v = say(c, DN_VERDICT_SKIP, format, args);
    va_end(args);
    return v;
}

const char *dn_conform_path(const struct dn_conform *c, const char *name, char out[512])
{
    (void)snprintf(out, 512, "%s/%s", c->dir, name);
    return out;
}

void dn_conform_progress(const struct dn_conform *c)
{
    if (c->progress != NULL) {
        (void)fputc('.', c->progress);
        (void)fflush(c->progress);
    }
}

bool dn_conform_file(const struct dn_conform *c, const char *name, const char *text)
{
    return dn_conform_bytes(c, name, text, strlen(text));
}

bool dn_conform_bytes(const struct dn_conform *c, const char *name, const void *data, size_t len)
{
    char path[512];

    FILE *file = fopen(dn_conform_path(c, name, path), "w");
    if (file == NULL) {
        return false;
    }
    const bool written = fwrite(data, 1, len, file) == len;
    return fclose(file) == 0 && written;
}

/* An object with a message: hosts parse it. */
static bool is_error_body(const char *body)
{
    json_t *error = json_loads(body, 0, NULL);
    const char *message = json_string_value(json_object_get(error, "message"));
    const bool is_one = message != NULL && message[0] != '\0';

    json_decref(error);
    return is_one;
}

const char *dn_conform_error_text_problem(const char *text)
{
    if (text == NULL) {
        return "NULL was returned: hosts take it for the end of the data, or for no files";
    }
    if (text[0] == '\0') {
        return "the error text is empty";
    }
    if (!dn_utf8_is_valid(text)) {
        return "the error text is not UTF-8: hosts take it for the end of the data";
    }
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
    json_decref(value);
    if (value != NULL) {
        return "the error text is JSON: hosts take it for data";
    }
    if (!dn_text_starts_with(text, DATIVO_ERROR_PREFIX)) {
        return "the error text does not begin with " DATIVO_ERROR_PREFIX;
    }
    if (!is_error_body(text + strlen(DATIVO_ERROR_PREFIX))) {
        return "the error text has no JSON object with a \"message\" behind " DATIVO_ERROR_PREFIX;
    }
    return NULL;
}

/* ---- Level 1, before any table is used ---- */

static enum dn_verdict entry_point(struct dn_conform *c)
{
    const struct dativo_plugin *api = c->plugin.api;

    if (api->name == NULL || api->name[0] == '\0' || api->version == NULL ||
        api->version[0] == '\0') {
        return dn_conform_fail(c, "name or version is missing");
    }
    (void)snprintf(c->said, sizeof c->said, "%s %s, ABI %u.%u", api->name, api->version,
                   api->abi_version >> 16, api->abi_version & 0xffffu);
    return DN_VERDICT_PASS;
}

static enum dn_verdict foreign_version(struct dn_conform *c)
{
    typedef const struct dativo_plugin *(*get_fn)(uint32_t, struct dativo_error *);
    struct dativo_error e;
    get_fn get = NULL;

    void *symbol = dn_plugin_symbol(&c->plugin, DATIVO_PLUGIN_GET_SYMBOL);
    memcpy(&get, &symbol, sizeof get);
    dn_plugin_error_init(&e);
    if (get(DATIVO_ABI_VERSION + 0x00010000u, &e) != NULL) {
        return dn_conform_fail(c, "a host of the next major version was accepted");
    }
    (void)snprintf(c->said, sizeof c->said, "%.300s", e.message);
    return e.message[0] != '\0' ? DN_VERDICT_PASS : dn_conform_fail(c, "refused without a message");
}

static enum dn_verdict unknown_extension(struct dn_conform *c)
{
    if (c->plugin.api->get_extension("dativo.nonsense/9") != NULL) {
        return dn_conform_fail(c, "a table was returned for a name that does not exist");
    }
    return DN_VERDICT_PASS;
}

static enum dn_verdict any_extension(struct dn_conform *c)
{
    if (c->reader == NULL && c->writer == NULL && c->inspector == NULL) {
        return dn_conform_fail(c, "no dativo.reader/1, dativo.writer/1 or dativo.inspector/1");
    }
    (void)snprintf(c->said, sizeof c->said, "%s%s%s", c->reader != NULL ? "reader " : "",
                   c->writer != NULL ? "writer " : "", c->inspector != NULL ? "inspector" : "");
    return DN_VERDICT_PASS;
}

const struct dn_conform_check dn_conform_level1[] = {
    {"the entry point answers", entry_point, "set name and version in struct dativo_plugin"},
    {"a host of another major version is refused", foreign_version,
     "compare host_abi >> 16 with DATIVO_ABI_VERSION >> 16, fill in err, and return NULL"},
    {"an unknown extension gives NULL", unknown_extension,
     "compare the name of the extension as a whole"},
    {"the plugin has a role", any_extension,
     "return a table for dativo.reader/1 or dativo.writer/1 from get_extension()"},
    {NULL, NULL, NULL},
};

/* ---- one process per check ---- */

/* Load the plugin in the child; false with the reason in c->said. */
static bool child_load(struct dn_conform *c, const char *path)
{
    struct dn_error err;

    if (dn_plugin_load(&c->plugin, path, &err) != DN_OK) {
        (void)snprintf(c->said, sizeof c->said, "%.390s", err.message);
        return false;
    }
    if (dn_plugin_symbol(&c->plugin, DATIVO_PLUGIN_GET_SYMBOL) == NULL) {
        return true; /* Level 0 only */
    }
    if (dn_plugin_negotiate(&c->plugin, &err) != DN_OK) {
        (void)snprintf(c->said, sizeof c->said, "%.390s", err.message);
        return false;
    }
    c->reader = c->plugin.api->get_extension(DATIVO_EXT_READER);
    c->writer = c->plugin.api->get_extension(DATIVO_EXT_WRITER);
    c->inspector = c->plugin.api->get_extension(DATIVO_EXT_INSPECTOR);
    return true;
}

/* A plugin has nothing to say on stdout; its log lines on stderr are expected, and not wanted here. */
static int outputs_close(const struct dn_conform *c)
{
    char path[512];
    const int printed =
        open(dn_conform_path(c, "in-stdout", path), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    const int logged = open("/dev/null", O_WRONLY | O_CLOEXEC);

    if (printed < 0 || logged < 0) {
        _exit(1);
    }
    (void)dup2(printed, STDOUT_FILENO);
    (void)dup2(logged, STDERR_FILENO);
    return printed;
}

/* One check, as the process that does it gets it. */
struct errand {
    const struct run *run;
    const struct dn_conform_check *check;
    const char *dir;
};

static size_t checks_count(const struct dn_conform_check *table)
{
    size_t n = 0;

    while (table[n].name != NULL) {
        n++;
    }
    return n;
}

static bool is_in(const struct dn_conform_check *table, const struct dn_conform_check *check)
{
    return check >= table && check < table + checks_count(table);
}

static bool is_writing(const struct dn_conform_check *check)
{
    return is_in(dn_conform_writer, check) || is_in(dn_conform_level0_writer, check);
}

static enum dn_verdict check_run(struct dn_conform *c, const struct dn_conform_check *check)
{
    if (check->run == NULL) {
        return DN_VERDICT_PASS;
    }
    return is_writing(check) ? dn_conform_writing(c, check->run) : check->run(c);
}

#define PROGRESS "in-progress"

enum {
    SLICES = 10,    /* of the time that a check has */
    MOST_TIMES = 60 /* that it has as long as batches come */
};

/* Nobody knows how many rows --run has, nor how slow a disk is; of the small file no more than its rows may come. */
static FILE *progress_open(const struct dn_conform *c, const struct dn_conform_check *check)
{
    char path[512];

    return c->run_config != NULL || is_writing(check)
               ? fopen(dn_conform_path(c, PROGRESS, path), "w")
               : NULL;
}

static void child_main(const void *arg, int out)
{
    const struct errand *errand = arg;
    const struct run *r = errand->run;
    const struct dn_conform_check *check = errand->check;
    struct dn_conform c = {.dir = errand->dir,
                           .create_reader = r->create_reader,
                           .create_writer = r->create_writer,
                           .run_config = r->run_config,
                           .rows = r->rows};
    struct report report = {.magic = REPORT_MAGIC, .verdict = DN_VERDICT_FAIL};
    struct dn_conform_state before = {0};
    struct stat info;

    const int printed = outputs_close(&c);
    c.progress = progress_open(&c, check);
    dn_conform_state_take(&before);
    if (child_load(&c, r->path)) {
        report.has_reader = c.reader != NULL;
        report.has_writer = c.writer != NULL;
        report.has_inspector = c.inspector != NULL;
        report.verdict = check_run(&c, check);
        report.is_unread = c.is_unread;
        (void)fflush(stdout);
        if (report.verdict != DN_VERDICT_FAIL) {
            report.disturbed = dn_conform_state_compare(&c, &before);
            if (fstat(printed, &info) == 0 && info.st_size > 0) {
                (void)dn_conform_fail(&c, "the plugin printed on standard output");
                report.disturbed = DN_DISTURBED_STDOUT;
            }
            report.verdict =
                report.disturbed != DN_DISTURBED_NOT ? DN_VERDICT_FAIL : report.verdict;
        }
    }
    memcpy(report.said, c.said, sizeof report.said);
    (void)snprintf(report.remedy, sizeof report.remedy, "%s", c.remedy != NULL ? c.remedy : "");
    const ssize_t ignored = write(out, &report, sizeof report);
    _exit(ignored == (ssize_t)sizeof report ? 0 : 1);
}

/* What ended the child before it could report. */
static void ended_tell(const struct run *r, struct report *report,
                       const struct dn_os_child_end *end, bool is_endless)
{
    const char *remedy = "never call exit(), and leave the files of others alone";

    *report = (struct report){.verdict = DN_VERDICT_FAIL};
    if (end->is_late && is_endless) {
        remedy = "return the end once there are no more rows, or let --run name less of them";
        (void)snprintf(report->said, sizeof report->said,
                       "batches came for %u seconds, without an end", MOST_TIMES * r->seconds);
    } else if (end->is_late) {
        remedy = "run it with a larger --timeout, and see with gdb -p PID and bt where it stands "
                 "(docs/troubleshooting.md): no function waits without an end";
        (void)snprintf(report->said, sizeof report->said,
                       "did not end within %u seconds (--timeout)", r->seconds);
    } else if (end->crashed != 0) {
        remedy = "run it under valgrind or AddressSanitizer, see docs/troubleshooting.md; a plugin "
                 "never calls abort()";
        (void)snprintf(report->said, sizeof report->said, "crashed: %s", strsignal(end->crashed));
    } else {
        (void)snprintf(report->said, sizeof report->said,
                       "the plugin ended the process, with code %lu", end->code);
    }
    (void)snprintf(report->remedy, sizeof report->remedy, "%s", remedy);
}

/* Wait for a report, or until for as long as a check has no batch came.  False: they never end. */
static bool progress_wait(const struct run *r, const struct dn_os_child *child, const char *dir)
{
    struct stat info;
    char path[400];
    off_t before = 0;
    int idle = 0;

    (void)snprintf(path, sizeof path, "%s/" PROGRESS, dir);
    for (int i = 0; idle < SLICES; i++) {
        if (dn_os_wait_readable(child->from, -1, (int)(1000 * r->seconds / SLICES))) {
            return true;
        }
        const bool is_moved = stat(path, &info) == 0 && info.st_size > before;
        before = is_moved ? info.st_size : before;
        idle = is_moved ? 0 : idle + 1;
        if (i == MOST_TIMES * SLICES) {
            return false;
        }
    }
    return true;
}

/* ---- which check a process does that is started again for it ---- */

static const struct dn_conform_check k_load[] = {
    {"the library loads", NULL,
     "see docs/troubleshooting.md: what the message says, and what helps"},
    {NULL, NULL, NULL},
};
static const struct dn_conform_check *const k_tables[] = {
    k_load,
    dn_conform_level1,
    dn_conform_reader,
    dn_conform_reader_small,
    dn_conform_reader_run,
    dn_conform_writer,
    dn_conform_inspector,
    dn_conform_level0_reader,
    dn_conform_level0_writer,
};
#define N_TABLES ((int)(sizeof k_tables / sizeof k_tables[0]))

/* "TABLE NUMBER DIRECTORY" */
static void errand_write(const struct errand *e, char *out, size_t size)
{
    int table = 0;

    while (table + 1 < N_TABLES && !is_in(k_tables[table], e->check)) {
        table++;
    }
    (void)snprintf(out, size, "%d %d %s", table, (int)(e->check - k_tables[table]), e->dir);
}

static bool errand_read(struct errand *e, const char *text)
{
    char *rest = NULL;
    const long table = strtol(text, &rest, 10);
    const long number = table >= 0 && table < N_TABLES ? strtol(rest, &rest, 10) : -1;

    if (number < 0 || (size_t)number >= checks_count(k_tables[table]) || *rest != ' ') {
        return false;
    }
    e->check = &k_tables[table][number];
    e->dir = rest + 1;
    return true;
}

/* Does not return in a process that was started again for a check. */
static void errand_do(const struct run *r)
{
    struct errand errand = {.run = r};
    int out = -1;

    const char *told = dn_os_child_again(&out);
    if (told != NULL && errand_read(&errand, told)) {
        child_main(&errand, out);
    }
}

static struct report check_in_child(struct run *r, const struct dn_conform_check *check)
{
    struct report report = {.verdict = DN_VERDICT_FAIL};
    struct dn_os_child_end end;
    struct dn_os_child child;
    char dir[320];
    char again[400];
    const struct errand errand = {r, check, dir};

    (void)snprintf(dir, sizeof dir, "%s/%d", r->root, r->n_checks++);
    errand_write(&errand, again, sizeof again);
    if (mkdir(dir, 0700) != 0 || !dn_os_child_start(&child, child_main, &errand, again)) {
        (void)snprintf(report.said, sizeof report.said, "no temporary directory, pipe or process");
        return report;
    }
    const bool is_endless = !progress_wait(r, &child, dir);
    dn_os_child_wait(&child, 0, &report, sizeof report, &end);
    /* whatever a plugin that writes where it should not has left there */
    const bool is_one = end.reported == sizeof report && report.magic == REPORT_MAGIC &&
                        report.verdict <= DN_VERDICT_SKIP && report.disturbed < DN_DISTURBED_N &&
                        memchr(report.said, '\0', sizeof report.said) != NULL &&
                        memchr(report.remedy, '\0', sizeof report.remedy) != NULL;
    if (!is_one) {
        ended_tell(r, &report, &end, is_endless);
    }
    return report;
}

static void report_print(struct run *r, const char *level, const char *name, const char *remedy,
                         const struct report *report)
{
    static const char *const words[] = {"PASS", "FAIL", "SKIP"};

    r->n_passed += report->verdict == DN_VERDICT_PASS;
    r->n_failed += report->verdict == DN_VERDICT_FAIL;
    r->n_skipped += report->verdict == DN_VERDICT_SKIP;
    (void)printf("%s  %s: %s%s%s\n", words[report->verdict], level, name,
                 report->said[0] != '\0' ? " - " : "", report->said);
    remedy = report->disturbed != DN_DISTURBED_NOT ? dn_disturbed_remedy(report->disturbed)
             : report->remedy[0] != '\0'           ? report->remedy
                                                   : remedy;
    if (report->verdict == DN_VERDICT_FAIL && remedy != NULL) {
        (void)printf("      remedy: %s\n", remedy);
    }
}

static void checks_run(struct run *r, const char *level, const struct dn_conform_check *checks)
{
    bool is_unread = false;

    for (const struct dn_conform_check *check = checks; check->name != NULL; check++) {
        const struct report report = check_in_child(r, check);
        report_print(r, level, check->name, check->remedy, &report);
        is_unread |= report.is_unread;
    }
    if (is_unread && (r->n_unread == 0 || strcmp(r->unread[r->n_unread - 1], level) != 0)) {
        r->unread[r->n_unread++] = level;
    }
}

/* Passed checks say nothing of rows that nobody saw. */
static void unread_tell(const struct run *r)
{
    for (size_t i = 0; i < r->n_unread; i++) {
        (void)printf("note  %s: nothing of reading was checked: give --run CONFIG, with what it "
                     "reads\n",
                     r->unread[i]);
    }
}

/* Rows that are lost are found by their number alone: a reader that passes over some gives all that it gives. */
static void uncounted_tell(const struct run *r)
{
    if (r->has_reader && r->run_config != NULL && r->rows < 0) {
        (void)printf("note  reader: the number of rows was not checked: give --rows N\n");
    }
}

/* ---- symbols ---- */

static bool has(const struct dn_elf_symbols *symbols, const char *name)
{
    for (size_t i = 0; i < symbols->n; i++) {
        if (strcmp(symbols->names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* Jobs name the create functions: create_reader, create_postgres_reader, ... */
static const char *create_name(const struct dn_elf_symbols *symbols, const char *role)
{
    for (size_t i = 0; i < symbols->n; i++) {
        if (dn_text_starts_with(symbols->names[i], "create_") &&
            dn_text_ends_with(symbols->names[i], role)) {
            return symbols->names[i];
        }
    }
    return NULL;
}

static void symbols_print(const char *title, const struct dn_elf_symbols *symbols,
                          const char *const *names, size_t n)
{
    if (title[0] != '\0') {
        (void)printf("%s\n", title);
    }
    for (size_t i = 0; i < n; i++) {
        (void)printf("  %-8s %s\n", has(symbols, names[i]) ? "found" : "missing", names[i]);
    }
}

static void symbols_show(struct run *r, const struct dn_elf_symbols *symbols)
{
    static const char *const level0_reader[] = {"extract_batch", "free_reader", "free_string"};
    static const char *const level0_writer[] = {"write_batch", "free_writer", "free_string"};
    static const char *const level05[] = {"last_error", "plugin_info", "check_connection",
                                          "discover", "commit_files"};
    static const char *const level1[] = {DATIVO_PLUGIN_GET_SYMBOL};

    if (r->create_reader != NULL || has(symbols, "extract_batch")) {
        (void)printf("Level 0, reader\n  %-8s %s\n", r->create_reader != NULL ? "found" : "missing",
                     r->create_reader != NULL ? r->create_reader : "create_reader");
        symbols_print("", symbols, level0_reader, 3);
    }
    if (r->create_writer != NULL || has(symbols, "write_batch")) {
        (void)printf("Level 0, writer\n  %-8s %s\n", r->create_writer != NULL ? "found" : "missing",
                     r->create_writer != NULL ? r->create_writer : "create_writer");
        symbols_print("", symbols, level0_writer, 3);
    }
    symbols_print("Level 0.5, optional", symbols, level05, 5);
    symbols_print("Level 1", symbols, level1, 1);
    (void)printf("\n");
}

static const char k_reader_symbols[] =
    "export create_reader, extract_batch, free_reader and free_string, all four";
static const char k_writer_symbols[] =
    "export create_writer, write_batch, free_writer and free_string, all four";

static void level0_run(struct run *r, const struct dn_elf_symbols *symbols)
{
    static const struct report incomplete = {.verdict = DN_VERDICT_FAIL,
                                             .said = "a symbol of the role is missing"};

    if (r->create_reader != NULL || has(symbols, "extract_batch")) {
        if (r->create_reader == NULL || !has(symbols, "extract_batch") ||
            !has(symbols, "free_reader") || !has(symbols, "free_string")) {
            report_print(r, "level 0 reader", "the symbols are complete", k_reader_symbols,
                         &incomplete);
        } else {
            checks_run(r, "level 0 reader", dn_conform_level0_reader);
        }
    }
    if (r->create_writer != NULL || has(symbols, "write_batch")) {
        if (r->create_writer == NULL || !has(symbols, "write_batch") ||
            !has(symbols, "free_writer") || !has(symbols, "free_string")) {
            report_print(r, "level 0 writer", "the symbols are complete", k_writer_symbols,
                         &incomplete);
        } else {
            checks_run(r, "level 0 writer", dn_conform_level0_writer);
        }
    }
}

static void tree_remove(const char *path)
{
    char inside[PATH_MAX];

    DIR *dir = opendir(path);
    for (struct dirent *e = NULL; dir != NULL && (e = readdir(dir)) != NULL;) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) {
            continue;
        }
        const int len = snprintf(inside, sizeof inside, "%s/%s", path, e->d_name);
        if (len > 0 && (size_t)len < sizeof inside && unlink(inside) != 0) {
            tree_remove(inside); /* a directory; the tree is a few levels deep */
        }
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    (void)rmdir(path);
}

static void all_run(struct run *r, const struct dn_elf_symbols *symbols)
{
    const bool level1 = has(symbols, DATIVO_PLUGIN_GET_SYMBOL);

    const struct report loaded = check_in_child(r, k_load);
    report_print(r, "library", k_load->name, k_load->remedy, &loaded);
    if (loaded.verdict != DN_VERDICT_PASS) {
        return;
    }
    r->has_reader = loaded.has_reader || r->create_reader != NULL;
    if (level1) {
        checks_run(r, "level 1", dn_conform_level1);
    }
    if (loaded.has_reader) {
        checks_run(r, "level 1 reader", dn_conform_reader);
        checks_run(r, "level 1 reader",
                   r->run_config != NULL ? dn_conform_reader_run : dn_conform_reader_small);
    }
    if (loaded.has_writer) {
        checks_run(r, "level 1 writer", dn_conform_writer);
    }
    if (loaded.has_inspector) {
        checks_run(r, "level 1", dn_conform_inspector);
    }
    level0_run(r, symbols);
    if (r->rows >= 0 && !loaded.has_reader && r->create_reader == NULL) {
        static const struct report none = {.verdict = DN_VERDICT_FAIL,
                                           .said = "it has no reader whose rows could be counted"};
        report_print(r, "library", "the rows of --rows come out", "leave --rows out", &none);
    }
    if (!level1) {
        (void)printf(
            "note  it has Level 0 alone: dativo-native runs it through its adapter, as JSON\n");
    }
    if (!level1 && r->create_reader == NULL && r->create_writer == NULL) {
        static const struct report none = {.verdict = DN_VERDICT_FAIL,
                                           .said = "it exports no function of any level"};
        report_print(
            r, "library", "the library is a plugin",
            "export the functions of include/dativo/plugin.h, with default visibility and C names",
            &none);
    }
}

/* The configuration of --run, as hosts hand it over. */
static enum dn_status run_config_read(const char *path, char **out, struct dn_error *err)
{
    json_error_t why;

    if (path == NULL) {
        return DN_OK;
    }
    json_t *config = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(config)) {
        json_decref(config);
        return dn_error_set(err, DN_ERR_CONFIG, "--run %s: line %d: %s", path, why.line,
                            config == NULL ? why.text : "no JSON object, {...}");
    }
    struct dn_buffer text = {0};
    enum dn_status st = dn_json_write(config, &text, err);
    json_decref(config);
    if (st == DN_OK) {
        *out = dn_text_take(&text);
        st = *out != NULL ? DN_OK : dn_error_memory(err, text.len);
    }
    dn_buffer_finish(&text);
    return st;
}

/* Absolute, for checks may change the working directory. */
static enum dn_status root_make(struct run *r, struct dn_error *err)
{
    char folder[256];
    char made[300];
    char real[PATH_MAX];

    (void)snprintf(made, sizeof made, "%s/dativo-check-XXXXXX",
                   dn_os_temporary_folder(folder, sizeof folder) ? folder : "/tmp");
    if (mkdtemp(made) == NULL || realpath(made, real) == NULL || strlen(real) >= sizeof r->root) {
        return dn_error_set_errno(err, DN_ERR_IO, errno, "%s: no temporary directory", made);
    }
    memcpy(r->root, real, strlen(real) + 1);
    return DN_OK;
}

int dn_conformance_run(const struct dn_conformance *asked)
{
    struct run r = {.path = asked->path, .rows = asked->rows, .seconds = asked->seconds};
    struct dn_elf_symbols symbols = {0};
    struct dn_error err;
    char *config = NULL;
    char *found = NULL;

    dn_conform_again_uncached();
    dn_error_clear(&err);
    enum dn_status st = run_config_read(asked->run_path, &config, &err);
    r.run_config = config;
    if (st == DN_OK) {
        st = dn_plugin_find(r.path, &found, &err);
    }
    if (st == DN_OK) {
        st = dn_elf_read_file(&symbols, found, &err);
    }
    dn_free(found);
    if (st == DN_OK) {
        r.create_reader = create_name(&symbols, "reader");
        r.create_writer = create_name(&symbols, "writer");
        errand_do(&r);
    }
    if (st == DN_OK) {
        st = root_make(&r, &err);
    }
    if (st == DN_OK) {
        (void)printf("%s\n", r.path);
        symbols_show(&r, &symbols);
        all_run(&r, &symbols);
        unread_tell(&r);
        uncounted_tell(&r);
        (void)printf("\n%d passed, %d failed, %d skipped\n", r.n_passed, r.n_failed, r.n_skipped);
        tree_remove(r.root);
    }
    dn_elf_finish(&symbols);
    dn_free(config);
    if (st != DN_OK) {
        return dn_cli_fail(&err);
    }
    return r.n_failed > 0 ? DN_EXIT_FAILED : DN_EXIT_OK;
}
