/*
 * The layer pg from outside, for the tests: pg_tool [--NAME=VALUE ...] COMMAND ...
 *
 *   ping | list | describe TABLE | describe-query SQL | plan TABLE | dump TABLE | dump-query SQL | digits TABLE | digits-query SQL |
 *   sleep SECONDS
 *
 * Names are keys of a connection, or: connections, piece (pages), where, statement-timeout, silence, lock-timeout (milliseconds), block and window
 * (bytes), pause (microseconds behind a block), credentials (a file), ready and go (files: the first is made once there is a plan, or with
 * early=yes a snapshot; the second is waited for).  cursor=COLUMN and last=VALUE: what is new; the largest value goes to stderr.
 *
 * fail-at=N lets the N-th allocation behind the options fail.
 *
 * dump writes what COPY's text format writes, but floats with 17 digits, numerics that are decoded to integers as BITS:HEX:SCALE, and
 * arrays as DIMENSIONS:ELEMENTS.  Exit code: the status (dativo/status.h); the message is on stderr.  SIGTERM asks to stop.
 */
#include "pg_dump.h"

#include "base/clock.h"
#include "base/memory.h"
#include "pg/cursor.h"
#include "pg/feed.h"
#include "pg/plan.h"
#include "pg/survey.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct dn_stop stop;
static struct dn_pg_params params;
static struct dn_pg_session_options options = {.params = &params, .stop = &stop};
static struct dn_pg_wish wish;
static size_t block_bytes;
static size_t window_bytes;
static const char *cursor_name;
static const char *last_value;
static long pause_us; /* behind every block */
static const char *ready_file;
static const char *go_file;
static bool early;
static uint64_t fail_at;
static struct dn_arena arena;

static void ask_to_stop(int number)
{
    (void)number;
    dn_stop_ask(&stop);
}

/* ---- options ------------------------------------------------------------------------------------------------------ */

static enum dn_status add_credentials(const char *path, struct dn_error *err)
{
    char text[4096];
    FILE *file = fopen(path, "r");

    if (file == NULL) {
        return dn_error_set(err, DN_ERR_NOT_FOUND, "cannot open %s", path);
    }
    const size_t len = fread(text, 1, sizeof(text), file);
    (void)fclose(file);
    return dn_pg_params_add_file_text(&params, text, len, err);
}

static enum dn_status take_option(const char *name, const char *value, struct dn_error *err)
{
    if (strcmp(name, "connections") == 0) {
        wish.n_connections = (uint32_t)strtoul(value, NULL, 10);
    } else if (strcmp(name, "piece") == 0) {
        wish.piece_blocks = strtoll(value, NULL, 10);
    } else if (strcmp(name, "where") == 0) {
        wish.where = value;
    } else if (strcmp(name, "statement-timeout") == 0) {
        options.statement_timeout_ms = strtoll(value, NULL, 10);
    } else if (strcmp(name, "silence") == 0) {
        options.silence_ms = strtoll(value, NULL, 10);
    } else if (strcmp(name, "lock-timeout") == 0) {
        options.lock_timeout_ms = strtoll(value, NULL, 10);
    } else if (strcmp(name, "block") == 0) {
        block_bytes = strtoull(value, NULL, 10);
    } else if (strcmp(name, "window") == 0) {
        window_bytes = strtoull(value, NULL, 10);
    } else if (strcmp(name, "cursor") == 0) {
        cursor_name = value;
    } else if (strcmp(name, "last") == 0) {
        last_value = value;
    } else if (strcmp(name, "pause") == 0) {
        pause_us = strtol(value, NULL, 10);
    } else if (strcmp(name, "ready") == 0) {
        ready_file = value;
    } else if (strcmp(name, "go") == 0) {
        go_file = value;
    } else if (strcmp(name, "fail-at") == 0) {
        fail_at = strtoull(value, NULL, 10);
    } else if (strcmp(name, "early") == 0) {
        early = strcmp(value, "yes") == 0;
    } else if (strcmp(name, "credentials") == 0) {
        return add_credentials(value, err);
    } else {
        return dn_pg_params_add(&params, name, value, err);
    }
    return DN_OK;
}

/* ---- what is read ------------------------------------------------------------------------------------------------- */

struct source {
    const struct dn_pg_field *fields;
    size_t n_fields;
    struct dn_pg_plan plan;
    struct dn_pg_snapshot snapshot;
    const char *what;
};

static void print_fields(const struct dn_pg_field *fields, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        printf("%s\t%s\t%s%s\t%s\t%d\t%s\n", fields[i].name, fields[i].type_name,
               dn_pg_kind_name(fields[i].kind), fields[i].is_array ? "[]" : "",
               fields[i].is_cast ? "cast" : "", fields[i].typmod,
               fields[i].not_null ? "not null" : "");
    }
}

static void wait_for_go(void)
{
    if (ready_file != NULL) {
        FILE *file = fopen(ready_file, "w");
        if (file != NULL) {
            (void)fclose(file);
        }
    }
    while (go_file != NULL && access(go_file, F_OK) != 0 && !dn_stop_asked(&stop)) {
        usleep(10000);
    }
}

static enum dn_status open_source(struct source *src, struct dn_pg_session *s, const char *command,
                                  const char *text, struct dn_error *err)
{
    struct dn_pg_relation rel;

    src->what = strstr(command, "-query") != NULL ? "the query" : text;
    DN_TRY(dn_pg_session_begin(s, NULL, err));
    if (early) {
        DN_TRY(dn_pg_session_export(s, &src->snapshot, err));
        wait_for_go();
    }
    if (strstr(command, "-query") != NULL) {
        DN_TRY(dn_pg_query_fields(&src->fields, &src->n_fields, s, text, &arena, err));
        return dn_pg_plan_query(&src->plan, text, src->n_fields, src->fields, src->n_fields, &arena,
                                err);
    }
    if (!early) {
        DN_TRY(dn_pg_session_export(s, &src->snapshot, err));
    }
    DN_TRY(dn_pg_relation_open(&rel, s, text, &arena, err));
    src->fields = rel.fields;
    src->n_fields = rel.n_fields;
    for (size_t i = 0; cursor_name != NULL && i < rel.n_fields; i++) {
        struct dn_pg_cursor cursor;
        if (strcmp(rel.fields[i].name, cursor_name) == 0) {
            DN_TRY(dn_pg_cursor_open(&cursor, s, &rel, &rel.fields[i], last_value, wish.where,
                                     &arena, err));
            fprintf(stderr, "%s%s\n", cursor.largest != NULL ? cursor.largest : "nothing new",
                    cursor.has_nulls ? ", and nulls" : "");
            wish.where = cursor.where;
        }
    }
    return dn_pg_plan_make(&src->plan, &rel, &wish, &arena, err);
}

static void print_plan(const struct source *src)
{
    printf("connections\t%u\nblocks\t%lld\nreason\t%s\n", src->plan.n_connections,
           (long long)src->plan.n_blocks, src->plan.reason != NULL ? src->plan.reason : "");
    for (size_t i = 0; i < src->plan.n_pieces; i++) {
        printf("piece\t%lld\t%s\n", (long long)src->plan.pieces[i].n_blocks,
               src->plan.pieces[i].select);
    }
}

/* ---- dump --------------------------------------------------------------------------------------------------------- */

static enum dn_status dump_blocks(const struct source *src, struct dn_pg_feed *feed, FILE *out,
                                  struct dn_error *err)
{
    size_t last_piece = 0;
    bool done = false;

    while (!done) {
        struct dn_pg_block block;
        size_t piece = 0;
        DN_TRY(dn_pg_feed_next(feed, &block, &piece, &done, err));
        if (piece < last_piece || (!done && block.n_rows == 0)) {
            dn_pg_block_finish(&block);
            return dn_error_set(err, DN_ERR_INTERNAL, "a block is out of order, or empty");
        }
        last_piece = piece;
        const enum dn_status st = pg_dump_block(out, &block, src->fields, err);
        dn_pg_block_finish(&block);
        DN_TRY(st);
        if (pause_us > 0) {
            usleep((useconds_t)pause_us);
        }
    }
    return DN_OK;
}

/* What comes from several connections is shown only if all of it came. */
static enum dn_status dump(const struct source *src, struct dn_pg_session *s, struct dn_error *err)
{
    const struct dn_pg_feed_options feed_options = {
        .first = s,
        .session = &options,
        .snapshot = src->snapshot.name[0] != '\0' ? &src->snapshot : NULL,
        .plan = &src->plan,
        .n_columns = (uint32_t)src->n_fields,
        .what = src->what,
        .block_bytes = block_bytes,
        .window_bytes = window_bytes,
    };
    const bool is_parallel = src->plan.n_connections > 1;
    struct dn_pg_feed *feed = NULL;
    char *text = NULL;
    size_t len = 0;
    const char *why = "";

    if (!early) {
        wait_for_go();
    }
    DN_TRY(dn_pg_feed_open(&feed, &feed_options, err));
    FILE *out = is_parallel ? open_memstream(&text, &len) : stdout;
    const enum dn_status st = dump_blocks(src, feed, out, err);
    if (is_parallel) {
        (void)fclose(out);
        (void)fwrite(text, 1, st == DN_OK ? len : 0, stdout);
        free(text);
    }
    if (st == DN_OK && dn_pg_feed_n_refused(feed, &why) > 0) {
        fprintf(stderr, "%u connections fewer: %s\n", dn_pg_feed_n_refused(feed, &why), why);
    }
    dn_pg_feed_close(feed);
    return st;
}

/* ---- the other commands ------------------------------------------------------------------------------------------- */

static enum dn_status list(struct dn_pg_session *s, struct dn_error *err)
{
    struct dn_pg_listed *all = NULL;
    size_t n = 0;

    DN_TRY(dn_pg_relations_list(&all, &n, s, &arena, err));
    for (size_t i = 0; i < n; i++) {
        printf("%s.%s\t%c\n", all[i].schema, all[i].name, all[i].kind);
    }
    return DN_OK;
}

static enum dn_status print_digits(const struct source *src, struct dn_pg_session *s,
                                   struct dn_error *err)
{
    struct dn_pg_digits *digits = dn_arena_alloc(&arena, (src->n_fields + 1) * sizeof(*digits));

    DN_TRY(dn_pg_survey(digits, s, src->plan.pieces[0].select, src->fields, src->n_fields, err));
    for (size_t i = 0; i < src->n_fields; i++) {
        if (digits[i].is_surveyed) {
            printf("%s\t%d\t%d\t%lld\t%lld\n", src->fields[i].name, digits[i].n_whole,
                   digits[i].n_places, (long long)digits[i].n_values,
                   (long long)digits[i].n_specials);
        }
    }
    return DN_OK;
}

static enum dn_status do_sleep(struct dn_pg_session *s, const char *seconds, struct dn_error *err)
{
    const char *const values[1] = {seconds};
    struct dn_pg_result *r = NULL;

    DN_TRY(dn_pg_session_begin(s, NULL, err));
    wait_for_go();
    const enum dn_status st = dn_pg_session_query(s, &r, "SELECT pg_catalog.pg_sleep($1::float8)",
                                                  values, 1, "sleeping", err);
    dn_pg_result_finish(r);
    return st;
}

static enum dn_status run(struct dn_pg_session *s, const char *command, const char *arg,
                          struct dn_error *err)
{
    struct source src = {0};

    if (strcmp(command, "ping") == 0) {
        printf("version\t%d\ntls\t%s\n", dn_pg_session_version(s),
               dn_pg_session_is_tls(s) ? "yes" : "no");
        return DN_OK;
    }
    if (strcmp(command, "list") == 0) {
        return list(s, err);
    }
    if (arg == NULL) {
        return dn_error_set(err, DN_ERR_INVALID, "%s of what?", command);
    }
    if (strcmp(command, "sleep") == 0) {
        return do_sleep(s, arg, err);
    }
    DN_TRY(open_source(&src, s, command, arg, err));
    if (strncmp(command, "describe", 8) == 0) {
        print_fields(src.fields, src.n_fields);
    } else if (strncmp(command, "plan", 4) == 0) {
        print_plan(&src);
    } else if (strncmp(command, "digits", 6) == 0) {
        return print_digits(&src, s, err);
    } else if (strncmp(command, "dump", 4) == 0) {
        return dump(&src, s, err);
    } else {
        return dn_error_set(err, DN_ERR_INVALID, "no command %s", command);
    }
    return DN_OK;
}

static enum dn_status take_arguments(int argc, char **argv, int *first, struct dn_error *err)
{
    int i = 1;

    for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        char *equals = strchr(argv[i], '=');
        if (equals == NULL) {
            return dn_error_set(err, DN_ERR_INVALID, "%s has no value", argv[i]);
        }
        *equals = '\0';
        DN_TRY(take_option(argv[i] + 2, equals + 1, err));
    }
    *first = i;
    return i < argc ? DN_OK : dn_error_set(err, DN_ERR_INVALID, "no command");
}

int main(int argc, char **argv)
{
    struct dn_pg_session *s = NULL;
    struct dn_error err;
    int first = 0;

    dn_error_clear(&err);
    dn_stop_init(&stop, NULL, NULL);
    (void)signal(SIGTERM, ask_to_stop);
    enum dn_status st = take_arguments(argc, argv, &first, &err);
    (void)dn_memory_fail_at(fail_at);
    if (st == DN_OK) {
        st = dn_pg_session_open(&s, &options, &err);
    }
    if (st == DN_OK) {
        st = run(s, argv[first], first + 1 < argc ? argv[first + 1] : NULL, &err);
    }
    dn_pg_session_close(s);
    if (st != DN_OK) {
        fprintf(stderr, "%s\n", err.message);
    }
    (void)fflush(stdout);
    dn_pg_params_finish(&params);
    dn_arena_finish(&arena);
    dn_stop_finish(&stop);
    return (int)st;
}
