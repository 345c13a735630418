/*
 * A plugin of Level 0 that breaks one rule, which the environment variable BROKEN names; without it, it keeps them all.  Its reader gives
 * the three rows of the small file of `plugin check`, its writer writes the records as they come.
 */
#include "dativo/plugin.h"

#include <fenv.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct handle {
    int at;
    int failed;
    char base[512];
};

static const char *volatile g_nowhere;

static int g_at; /* of all handles: "static" */

static bool broken(const char *rule)
{
    const char *named = getenv("BROKEN");

    return named != NULL && strcmp(named, rule) == 0;
}

static char *copy(const char *text)
{
    return strcpy(malloc(strlen(text) + 1), text);
}

static const char *error(const char *quiet)
{
    return quiet != NULL ? copy(quiet)
                         : copy(DATIVO_ERROR_PREFIX "{\"code\":\"data\",\"message\":\"no\"}");
}

/* The text behind a key, up to its quote. */
static void value_of(const char *json, const char *key, char out[512])
{
    const char *p = strstr(json, key);

    out[0] = '\0';
    if (p != NULL && (p = strchr(p + strlen(key), ':')) != NULL && (p = strchr(p, '"')) != NULL) {
        (void)snprintf(out, 512, "%.*s", (int)strcspn(p + 1, "\""), p + 1);
    }
}

static void *stay(void *arg)
{
    for (;;) {
        (void)sleep(60);
    }
    return arg;
}

static void disturb(void)
{
    sigset_t all;
    pthread_t thread;

    if (broken("stdout")) {
        (void)printf("hello\n");
    } else if (broken("signals")) {
        (void)signal(SIGINT, SIG_IGN);
    } else if (broken("directory")) {
        (void)!chdir("/");
    } else if (broken("locale")) {
        (void)setlocale(LC_ALL, "C.UTF-8");
    } else if (broken("exit")) {
        exit(0);
    } else if (broken("descriptors")) {
        char lies[8192];
        memset(lies, 1, sizeof lies);
        for (int i = 3; i < 20; i++) {
            (void)!write(i, lies, sizeof lies);
        }
    } else if (broken("abort")) {
        abort();
    } else if (broken("mask")) {
        memset(&all, 0xff, sizeof all);
        (void)pthread_sigmask(SIG_BLOCK, &all, NULL);
    } else if (broken("umask")) {
        (void)umask(0777);
    } else if (broken("environment")) {
        (void)setenv("TZ", "Asia/Tokyo", 1);
    } else if (broken("rounding")) {
        (void)fesetround(FE_UPWARD);
    } else if (broken("standard error")) {
        (void)close(STDERR_FILENO);
    } else if (broken("process stays")) {
        if (fork() == 0) {
            (void)sleep(600); /* or until somebody ends it */
            _exit(0);
        }
    } else if (broken("threads stay")) {
        (void)pthread_create(&thread, NULL, stay, NULL);
        (void)pthread_detach(thread);
    }
}

static struct handle *make(const char *config, const char *key)
{
    struct handle *h = calloc(1, sizeof *h);
    FILE *file = NULL;

    g_at = 0;
    disturb();
    h->failed = strchr(config, '}') == NULL;
    value_of(config, key, h->base);
    if (strcmp(key, "\"path\"") == 0 && !h->failed) {
        file = fopen(h->base, "r");
        h->failed = file == NULL ? 2 : 0;
        const char *first = strstr(config, key);
        if (first != NULL && strstr(first + 1, key) != NULL && !broken("one file of two")) {
            h->failed = 1;
        }
    }
    if (file != NULL && !broken("files open")) {
        (void)fclose(file);
    }
    if (h->failed == 1 && broken("create NULL")) {
        free(h);
        return NULL;
    }
    return h;
}

void *create_reader(const char *config_json)
{
    return make(config_json, "\"path\"");
}

const char *extract_batch(void *reader)
{
    struct handle *h = reader;
    static const char *const good[] = {
        "[{\"id\":1,\"name\":\"a \\\"b\\\", c\"},{\"id\":2,\"name\":null}]",
        "[{\"id\":\"00501\",\"name\":\"x\"}]"};
    static const struct {
        const char *rule;
        const char *text;
    } wrong[] = {
        {"empty list", "[]"},
        {"object", "{\"error\":\"x\"}"},
        {"no JSON", "boom"},
        {"bad UTF-8", "[{\"a\":\"\xff\"}]"},
        {"empty", ""},
        {"number", "42"},
        {"texts", "[\"x\"]"},
        {"error record", "[{\"__error__\":\"x\"}]"},
        {"NUL", "[{\"a\":1\0}]"},
        {"zeros", "[{\"id\":501}]"},
        {"cut off", "[{\"a\":"},
        {"key twice", "[{\"id\":\"1\",\"id\":\"00501\",\"name\":\"x\"}]"},
        {"other value", "[{\"id\":\"00501\",\"name\":\"y\"}]"},
        {"key missing", "[{\"id\":\"00501\"}]"},
        {"key too many", "[{\"id\":\"00501\",\"name\":\"x\",\"extra\":\"y\"}]"},
        {"no keys", "[{}]"},
    };

    if (h == NULL) {
        return broken("NULL handle") ? copy(g_nowhere) : error(NULL);
    }
    if (h->failed != 0) {
        if (broken("forgets errors") && h->at++ > 0) {
            return NULL;
        }
        return broken("missing is the end") && h->failed == 2 ? NULL
               : broken("error is JSON")                      ? error("{\"error\":\"no\"}")
               : broken("error is not UTF-8") ? error(DATIVO_ERROR_PREFIX "{\"message\":\"\xff\"}")
               : broken("error without prefix") ? error("no such thing")
                                                : error(NULL);
    }
    int *at = broken("static") ? &g_at : &h->at;
    const int now = (*at)++;
    if (broken("endless") && now == 2) {
        for (;;) {
            (void)sleep(60);
        }
    }
    if (broken("loses a row") && now == 1) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0] && now == 1; i++) {
        if (broken(wrong[i].rule)) {
            return copy(wrong[i].text);
        }
    }
    if (now == 2 && broken("again after the end")) {
        return NULL;
    }
    if (now > 2 && broken("again after the end")) {
        return copy(good[0]);
    }
    if (now == 2 && broken("row twice")) {
        return copy(good[1]);
    }
    return now < 2 ? copy(good[now]) : NULL;
}

static void destroy(void *handle)
{
    if (handle == NULL) {
        return;
    }
    void *volatile same = handle; /* compilers see through what is not volatile */
    if (broken("keeps handles")) {
        return;
    }
    free(handle);
    if (broken("frees twice")) {
        free(same);
    }
}

void free_reader(void *reader)
{
    destroy(reader);
}

void *create_writer(const char *config_json)
{
    return make(config_json, "\"output_base\"");
}

const char *write_batch(void *writer, const char *records_json)
{
    struct handle *h = writer;
    char path[600];
    char out[800];
    static const struct {
        const char *rule;
        const char *text;
    } wrong[] = {
        {"no files", "[]"},
        {"files: NULL", NULL},
        {"files: error", "{\"error\":\"x\"}"},
        {"files: no size", "[{\"path\":\"%s\",\"size_bytes\":null,\"record_count\":3}]"},
        {"files: wrong size", "[{\"path\":\"%s\",\"size_bytes\":1,\"record_count\":3}]"},
        {"files: wrong count", "[{\"path\":\"%s\",\"size_bytes\":%zu,\"record_count\":2}]"},
        {"files: another", "[{\"path\":\"%s\",\"size_bytes\":%zu,\"record_count\":3},"
                           "{\"path\":\"/nowhere/x\",\"size_bytes\":1,\"record_count\":0}]"},
        {"files: twice", "[{\"path\":\"%1$s\",\"size_bytes\":%2$zu,\"record_count\":3},"
                         "{\"path\":\"%1$s\",\"size_bytes\":%2$zu,\"record_count\":0}]"},
        {"files: not there", "[{\"path\":\"%s.not\",\"size_bytes\":%zu,\"record_count\":3}]"},
    };

    if (h == NULL || h->failed != 0) {
        return error(NULL);
    }
    if (strchr(records_json, ']') == NULL) {
        return broken("records NULL") ? NULL : error(NULL);
    }
    (void)snprintf(path, sizeof path, "%s/part-%d", h->base, broken("one file") ? 0 : h->at++);
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        return error(NULL);
    }
    (void)fputs(records_json, file);
    (void)fclose(file);
    if (broken("temporary files stay")) {
        char temporary[620];
        (void)snprintf(temporary, sizeof temporary, "%s.tmp", path);
        (void)fclose(fopen(temporary, "w"));
    }
    const char *form = "[{\"path\":\"%s\",\"size_bytes\":%zu,\"record_count\":3}]";
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        if (broken(wrong[i].rule)) {
            form = wrong[i].text;
        }
    }
    if (form == NULL) {
        return NULL;
    }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)snprintf(out, sizeof out, form, path, strlen(records_json));
#pragma GCC diagnostic pop
    return copy(out);
}

void free_writer(void *writer)
{
    struct handle *h = writer;
    char path[600];

    if (h != NULL && broken("removes files")) {
        for (int i = 0; i < 2; i++) {
            (void)snprintf(path, sizeof path, "%s/part-%d", h->base, i);
            (void)unlink(path);
        }
    }
    destroy(writer);
}

void free_string(const char *text)
{
    void *volatile same = (void *)(uintptr_t)text;
    if (broken("keeps texts")) {
        return;
    }
    free(same);
    if (broken("frees strings twice")) {
        free(same);
    }
}
