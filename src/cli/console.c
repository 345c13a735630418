#include "cli/console.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/stop.h"
#include "base/strings.h"
#include "cli/cli.h"
#include "cli/table.h"
#include "cli/wording.h"
#include "job/events.h"
#include "job/json_text.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TERMINAL_SECONDS 0.2
#define LOG_SECONDS 10.0
#define WORDED_SIZE 2048
#define LEAST_RATE 5e4 /* bytes a second: less would be shown as 0.0 MB/s */
#define LEAST_BYTES                                                                                \
    65536 /* of a source: under that, rates and sizes are those of the start and the footer */

static atomic_int g_signal; /* the signal that asked to stop; any thread may ask for it */

static const int k_stops[] = {SIGINT, SIGTERM, SIGHUP};
#define N_STOPS (sizeof k_stops / sizeof k_stops[0])

static struct sigaction g_before[N_STOPS]; /* what they did before dn_console_guard() */

static void on_signal(int number)
{
    atomic_store(
        &g_signal,
        number); /* lock-free, so legal here.  SA_RESETHAND: a second one ends the process at once */
}

/* Not those that are ignored from the start: a job in the background, nohup. */
void dn_console_guard(void)
{
    const struct sigaction stop = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};

    for (size_t i = 0; i < N_STOPS; i++) {
        if (sigaction(k_stops[i], NULL, &g_before[i]) == 0 && g_before[i].sa_handler != SIG_IGN) {
            (void)sigaction(k_stops[i], &stop, NULL);
        }
    }
}

void dn_console_unguard(void)
{
    for (size_t i = 0; i < N_STOPS; i++) {
        (void)sigaction(k_stops[i], &g_before[i], NULL);
    }
}

int dn_console_signal(void)
{
    return atomic_load(&g_signal);
}

/* A full disk quota or a closed pipe comes back as an error of write(), with a message and without leftovers. */
static void write_signals_ignore(void)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};

    (void)sigaction(SIGXFSZ, &ignore, NULL);
    (void)sigaction(SIGPIPE, &ignore, NULL);
}

/*
 * Wait until standard error takes more.  False: it does not, and we were asked to stop; then what there is to say is lost
 * rather than the stop delayed by somebody who does not read.
 */
static bool may_write(void)
{
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};

    for (;;) {
        const bool stopping = atomic_load(&g_signal) != 0;
        if (poll(&out, 1, stopping ? 0 : DN_STOP_POLL_MS) > 0) {
            return true; /* what has failed or is closed fails in write(), without a wait */
        }
        if (stopping) {
            return false;
        }
    }
}

const char *dn_console_count(char out[32], int64_t n)
{
    char digits[24];
    size_t used = 0;

    const int len = snprintf(digits, sizeof digits, "%" PRId64, n);
    for (int i = 0; i < len; i++) {
        if (i > 0 && digits[i - 1] != '-' && (len - i) % 3 == 0) {
            out[used++] = ',';
        }
        out[used++] = digits[i];
    }
    out[used] = '\0';
    return out;
}

const char *dn_console_bytes(char out[32], int64_t n)
{
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB", "PB"};
    double value = (double)n;
    size_t unit = 0;

    while (value >= 999.5 && unit + 1 < sizeof units / sizeof units[0]) {
        value /= 1000.0;
        unit++;
    }
    if (n < 0) {
        (void)snprintf(out, 32, "? bytes");
    } else if (unit == 0) {
        (void)snprintf(out, 32, "%" PRId64 " bytes", n);
    } else {
        (void)snprintf(out, 32, "%.*f %s",
                       value < 9.995   ? 2
                       : value < 99.95 ? 1
                                       : 0,
                       value, units[unit]);
    }
    return out;
}

static const char *level_name(enum dn_event_level level)
{
    switch (level) {
    case DN_EVENT_ERROR:
        return "ERROR";
    case DN_EVENT_WARNING:
        return "WARNING";
    case DN_EVENT_DEBUG:
        return "DEBUG";
    case DN_EVENT_DETAIL:
    case DN_EVENT_NOTE:
    default:
        return "INFO";
    }
}

static void line_clear(struct dn_console *c)
{
    if (c->line_open && may_write()) {
        (void)fputs("\r\033[K", stderr);
        c->line_open = false;
    }
}

/* One JSON line: the event's own fields and those that every line of this job has. */
static enum dn_status fields_join(struct dn_buffer *out, const json_t *context, const char *extra)
{
    DN_TRY(dn_json_write(context, out, NULL));
    out->data[0] = ' '; /* without the braces */
    out->len--;
    if (extra != NULL) {
        DN_TRY(dn_text_append(out, out->len > 1 ? ", " : "", NULL));
        DN_TRY(dn_text_append(out, extra, NULL));
    }
    return dn_buffer_append_byte(out, 0, NULL);
}

static void log_line(const struct dn_console *c, enum dn_event_level level, const char *type,
                     const char *message, const char *extra)
{
    struct dn_buffer fields = {0};

    if (c->context != NULL) {
        extra = fields_join(&fields, c->context, extra) == DN_OK ? (const char *)fields.data + 1
                                                                 : DN_EVENT_FIELDS_LOST;
    }
    dn_log_json(level_name(level), type, message, extra);
    dn_buffer_finish(&fields);
}

static void text_line(struct dn_console *c, enum dn_event_level level, const char *message)
{
    const char *word = level == DN_EVENT_ERROR     ? "error: "
                       : level == DN_EVENT_WARNING ? "warning: "
                       : level == DN_EVENT_NOTE    ? "note: "
                                                   : "";
    const char *colour = !c->colour                  ? ""
                         : level == DN_EVENT_ERROR   ? "\033[1;31m"
                         : level == DN_EVENT_WARNING ? "\033[1;33m"
                                                     : "";

    line_clear(c);
    (void)fprintf(stderr, DN_PROGRAM ": %s%s%s", colour, word, colour[0] != '\0' ? "\033[0m" : "");
    if (may_write()) {
        dn_text_print(stderr, message);
        (void)fputc('\n', stderr);
    }
}

static void on_event(void *ctx, enum dn_event_level level, const char *type, const char *message,
                     const char *extra)
{
    struct dn_console *c = ctx;

    if (level < c->level || (c->quiet && level < DN_EVENT_WARNING)) {
        return;
    }
    if (!c->json && level == DN_EVENT_DETAIL && c->level > DN_EVENT_DEBUG) {
        return; /* of interest in a log file only */
    }
    char worded[WORDED_SIZE];
    if (c->names_flags) {
        dn_wording_of(message, NULL, worded, sizeof worded);
        message = worded;
    }
    (void)pthread_mutex_lock(&c->lock);
    if (!may_write()) {
        /* nobody reads it, and we have to go */
    } else if (c->json) {
        log_line(c, level, type, message, extra);
    } else {
        text_line(c, level, message);
    }
    (void)pthread_mutex_unlock(&c->lock);
}

/* What is known of how far it is; unknown totals and rates that are nothing yet are left out. */
static void progress_format(char *out, size_t size, const struct dn_progress *p)
{
    char bytes[96] = "";
    char text[32];
    char whole[32];
    char speed[32] = "";
    char eta[48] = "";

    const double rate =
        p->seconds > 0.0 && p->bytes_in > 0 ? (double)p->bytes_in / p->seconds : 0.0;
    if (p->bytes_in >= 0 && p->bytes_total >= p->bytes_in && p->bytes_total > 0) {
        (void)snprintf(bytes, sizeof bytes, "%3.0f %%  %s of %s  ",
                       100.0 * (double)p->bytes_in / (double)p->bytes_total,
                       dn_console_bytes(text, p->bytes_in),
                       dn_console_bytes(whole, p->bytes_total));
        if (rate > 0.0) {
            (void)snprintf(eta, sizeof eta, "  ETA %.0f s",
                           (double)(p->bytes_total - p->bytes_in) / rate);
        }
    } else if (p->bytes_in >= 0) {
        (void)snprintf(bytes, sizeof bytes, "%s  ", dn_console_bytes(text, p->bytes_in));
    }
    if (rate >= LEAST_RATE) {
        (void)snprintf(speed, sizeof speed, "  %.1f MB/s", rate / 1e6);
    }
    (void)snprintf(out, size, "%s%s rows%s%s  RSS %s", bytes, dn_console_count(text, p->rows),
                   speed, eta, dn_console_bytes(whole, (int64_t)p->peak_rss_bytes));
}

/* The terminal's width, or what is usual; a longer line would wrap, and only its last part be taken away again. */
static size_t terminal_columns(void)
{
    struct winsize size = {0};

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : 80;
}

static void on_progress(void *ctx, const struct dn_progress *p)
{
    struct dn_console *c = ctx;
    char line[256];

    if (c->quiet || c->no_progress) {
        return;
    }
    const bool redraw = c->terminal && !c->json;
    const double now = dn_clock_seconds();
    if (now - c->drawn_at < (redraw ? TERMINAL_SECONDS : LOG_SECONDS)) {
        return;
    }
    c->drawn_at = now;
    progress_format(line, sizeof line, p);
    (void)pthread_mutex_lock(&c->lock);
    if (!may_write()) {
        /* as above */
    } else if (redraw) {
        (void)fprintf(stderr, "\r\033[K%.*s", (int)(terminal_columns() - 1), line); /* all ASCII */
        c->line_open = true;
    } else if (c->json) {
        log_line(c, DN_EVENT_DETAIL, "progress", line, NULL);
    } else {
        (void)fprintf(stderr, DN_PROGRAM ": %s\n", line);
    }
    (void)pthread_mutex_unlock(&c->lock);
}

static int on_cancelled(void *ctx)
{
    (void)ctx;
    return atomic_load(&g_signal) != 0;
}

void dn_console_start(struct dn_console *c)
{
    const char *no_colour = getenv("NO_COLOR");
    const char *term = getenv("TERM");

    c->terminal = isatty(STDERR_FILENO) == 1 && (term == NULL || strcmp(term, "dumb") != 0);
    c->colour = c->terminal && (no_colour == NULL || no_colour[0] == '\0');
    c->drawn_at = dn_clock_seconds();
    (void)pthread_mutex_init(&c->lock, NULL);
    c->events = (struct dn_events){
        .ctx = c, .event = on_event, .progress = on_progress, .cancelled = on_cancelled};
    write_signals_ignore();
}

void dn_console_finish(struct dn_console *c)
{
    (void)pthread_mutex_destroy(&c->lock);
    json_decref(c->context);
    c->context = NULL;
}

static void summary_bytes(const struct dn_outcome *o)
{
    char text[32];

    (void)fputs("  bytes   ", stderr);
    if (o->bytes_in >= 0) {
        (void)fprintf(stderr, "%s in, ", dn_console_bytes(text, o->bytes_in));
    }
    (void)fprintf(stderr, "%s out", dn_console_bytes(text, o->bytes_out));
    if (o->bytes_in >= LEAST_BYTES && o->bytes_out > 0) {
        (void)fprintf(stderr, " (%.1f %%)", 100.0 * (double)o->bytes_out / (double)o->bytes_in);
    }
    (void)fputc('\n', stderr);
}

static void summary_time(const struct dn_outcome *o)
{
    char text[32];

    (void)fprintf(stderr, "  time    %.3f s", o->seconds);
    if (o->bytes_in >= LEAST_BYTES && o->seconds > 0.0) {
        const double rate = (double)o->bytes_in / o->seconds;
        if (rate >= LEAST_RATE) {
            (void)fprintf(stderr, ", %.1f MB/s", rate / 1e6);
        }
        (void)fprintf(stderr, ", %s rows/s",
                      dn_console_count(text, (int64_t)((double)o->rows_in / o->seconds)));
    }
    (void)fprintf(stderr, ", %.3f s of CPU\n", o->cpu_seconds);
}

static void summary_text(const struct dn_console *c, const char *source, const char *target,
                         const struct dn_outcome *o)
{
    char a[32];
    char b[32];
    char d[32];

    if (c->quiet || !may_write()) {
        return;
    }
    dn_text_print(stderr, source);
    (void)fputs(" -> ", stderr);
    dn_text_print(stderr, target);
    (void)fputc('\n', stderr);
    (void)fprintf(stderr, "  rows    %s in = %s out + %s rejected\n",
                  dn_console_count(a, o->rows_in), dn_console_count(b, o->rows_out),
                  dn_console_count(d, o->rows_rejected));
    (void)fprintf(stderr, "  files   %s%s%s out\n", /* of a database there are none */
                  o->files_in > 0 ? dn_console_count(a, o->files_in) : "",
                  o->files_in > 0 ? " in, " : "", dn_console_count(b, o->files_out));
    summary_bytes(o);
    summary_time(o);
    (void)fprintf(stderr, "  memory  %s at the peak\n",
                  dn_console_bytes(a, (int64_t)o->peak_rss_bytes));
    if (o->restarts > 0) {
        (void)fprintf(stderr, "  types   %s column%s widened, source read again\n",
                      dn_console_count(a, o->widened), o->widened == 1 ? "" : "s");
    }
    if (o->warnings > 0) {
        (void)fprintf(stderr, "  said    %s warning%s, see above\n",
                      dn_console_count(a, o->warnings), o->warnings == 1 ? "" : "s");
    }
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(o->counters, key, value)
    {
        if (json_is_integer(value) && json_integer_value(value) != 0 &&
            strcmp(key, "rejected") != 0) {
            const char *meaning = strcmp(key, "stray_quotes") == 0
                                      ? " (taken as text; the reader option strict=true makes "
                                        "them errors)"
                                      : "";
            (void)fputs("  note    ", stderr);
            dn_text_print(stderr, key); /* a stranger's plugin made it */
            (void)fprintf(stderr, ": %s%s\n", dn_console_count(a, json_integer_value(value)),
                          meaning);
        }
    }
}

static json_t *summary_json(const char *source, const char *target, const struct dn_outcome *o)
{
    return json_pack(
        "{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:I, s:I, s:I, s:I, s:I, "
        "s:O*}",
        "source", source, "target", target, "rows_in", (json_int_t)o->rows_in, "rows_out",
        (json_int_t)o->rows_out, "rows_rejected", (json_int_t)o->rows_rejected, "files_in",
        (json_int_t)o->files_in, "files_out", (json_int_t)o->files_out, "bytes_in",
        (json_int_t)o->bytes_in, "bytes_out", (json_int_t)o->bytes_out, "seconds", o->seconds,
        "cpu_seconds", o->cpu_seconds, "mb_per_second",
        o->bytes_in > 0 && o->seconds > 0.0 ? (double)o->bytes_in / o->seconds / 1e6 : 0.0,
        "peak_rss_bytes", (json_int_t)o->peak_rss_bytes, "warnings", (json_int_t)o->warnings,
        "deviations", (json_int_t)o->deviations, "restarts", (json_int_t)o->restarts,
        "columns_widened", (json_int_t)o->widened, "counters", o->counters);
}

/* What is known of the place of a failure, for machines. */
static json_t *failure_json(const struct dn_error *err, enum dn_status st, int code)
{
    json_t *fields = json_pack("{s:s, s:i, s:s*, s:s*}", "code", dn_status_name(st), "exit_code",
                               code, "path", err->path[0] != '\0' ? err->path : NULL, "column",
                               err->column[0] != '\0' ? err->column : NULL);

    if (fields != NULL && err->row >= 0) {
        (void)json_object_set_new(fields, "row", json_integer(err->row));
    }
    if (fields != NULL && err->line >= 0) {
        (void)json_object_set_new(fields, "line", json_integer(err->line));
    }
    return fields;
}

static int close_failed(struct dn_console *c, const struct dn_error *err, enum dn_status st)
{
    const bool placed = err->path[0] == '\0' || strstr(err->message, err->path) != NULL;
    const int number = atomic_load(&g_signal);
    const int code = st == DN_ERR_CANCELLED && number != 0 ? 128 + number : DN_EXIT_FAILED;

    dn_events_emit(&c->events, DN_EVENT_ERROR, "job_error",
                   c->json ? failure_json(err, st, code) : NULL, "%s%s%s", placed ? "" : err->path,
                   placed ? "" : ": ", err->message[0] != '\0' ? err->message : dn_status_name(st));
    return code;
}

void dn_console_clear(struct dn_console *c)
{
    (void)pthread_mutex_lock(&c->lock);
    line_clear(c);
    (void)pthread_mutex_unlock(&c->lock);
}

int dn_console_close(struct dn_console *c, const char *source, const char *target,
                     enum dn_status st, const struct dn_error *err,
                     const struct dn_outcome *outcome)
{
    line_clear(c);
    if (st != DN_OK) {
        return close_failed(c, err, st);
    }
    const int code = outcome->deviations > 0 ? DN_EXIT_WARNINGS : DN_EXIT_OK;
    if (outcome->rows_in == 0 && !outcome->is_unchanged) {
        dn_events_emit(&c->events, DN_EVENT_NOTE, "no_rows", NULL, "the source has no rows");
    }
    if (c->json) {
        dn_events_emit(
            &c->events, DN_EVENT_NOTE, "job_finished", summary_json(source, target, outcome),
            "Job finished: %" PRId64 " rows in, %" PRId64 " rows out, %" PRId64 " rejected",
            outcome->rows_in, outcome->rows_out, outcome->rows_rejected);
    } else if (!outcome->is_unchanged) {
        summary_text(c, source, target, outcome);
    }
    return code;
}
