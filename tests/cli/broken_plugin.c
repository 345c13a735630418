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
#if !defined(_WIN32)
#    include <sys/mman.h>
#endif
#include <sys/stat.h>
#include <unistd.h>

struct handle {
    int at;
    int failed;
    int number; /* of its last file */
    char base[512];
};

static const char *volatile g_nowhere;

static int g_at;    /* of all handles: "static" */
static int g_lines; /* as well: "static for good" */
static char g_base[512];

static const char *broken_rule(void)
{
    const char *named = getenv("BROKEN");

    return named != NULL ? named : "";
}

static bool broken(const char *rule)
{
    return strcmp(broken_rule(), rule) == 0;
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

/* Lost. */
static void map_one(void)
{
#if !defined(_WIN32)
    (void)mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
#endif
}

/* What the last 256 were, which is no leak. */
static void ring_add(void)
{
    static char *ring[256];
    static int at;

    free(ring[at]);
    ring[at] = malloc(500);
    memset(ring[at], 'x', 500);
    at = (at + 1) % 256;
}

/* Threads that stay for good, and whose sizes are never the same: what their caches keep is no leak. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t wanted;
    pthread_cond_t done;
    bool is_started;
    int todo;
    int left;
} g_pool = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, 0};

static void *pool_thread(void *arg)
{
    unsigned seed = (unsigned)(uintptr_t)arg;

    (void)pthread_mutex_lock(&g_pool.lock);
    for (;;) {
        void *volatile memory[6];
        while (g_pool.todo == 0) {
            (void)pthread_cond_wait(&g_pool.wanted, &g_pool.lock);
        }
        g_pool.todo--;
        (void)pthread_mutex_unlock(&g_pool.lock);
        for (int i = 0; i < 6; i++) {
            seed = seed * 1103515245u + 12345u;
            memory[i] = malloc(8 + (seed >> 8) % 1000);
        }
        for (int i = 0; i < 6; i++) {
            free(memory[i]);
        }
        (void)pthread_mutex_lock(&g_pool.lock);
        if (--g_pool.left == 0) {
            (void)pthread_cond_signal(&g_pool.done);
        }
    }
    return NULL;
}

static void pool_work(void)
{
    pthread_t thread;

    (void)pthread_mutex_lock(&g_pool.lock);
    for (uintptr_t i = 0; i < 4 && !g_pool.is_started; i++) {
        (void)pthread_create(&thread, NULL, pool_thread, (void *)(i * 7919));
        (void)pthread_detach(thread);
    }
    g_pool.is_started = true;
    g_pool.todo = g_pool.left = 4;
    (void)pthread_cond_broadcast(&g_pool.wanted);
    while (g_pool.left > 0) {
        (void)pthread_cond_wait(&g_pool.done, &g_pool.lock);
    }
    (void)pthread_mutex_unlock(&g_pool.lock);
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
        const bool reads = strncmp(broken_rule(), "makes ", 6) != 0;
        h->failed = file == NULL && reads ? 2 : 0;
        const char *first = reads ? strstr(config, key) : NULL;
        if (first != NULL && strstr(first + 1, key) != NULL && !broken("one file of two")) {
            h->failed = 1;
        }
    }
    if (broken("mappings stay")) {
        map_one();
    } else if (broken("ring")) {
        ring_add();
    } else if (broken("pool")) {
        pool_work();
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
               : broken("error is no object")
                   ? error(DATIVO_ERROR_PREFIX "{\"message\":\"a \" quote\"}")
               : broken("error without message") ? error(DATIVO_ERROR_PREFIX "{\"code\":\"io\"}")
                                                 : error(NULL);
    }
    if (broken("static for good")) {
        char line[32];
        (void)snprintf(line, sizeof line, "[{\"line\":%d}]", ++g_lines);
        return h->at++ < 3 ? copy(line) : NULL;
    }
    if (broken("another source")) { /* whose rows have nothing to do with the file */
        return h->at++ == 0 ? copy("[{\"line\":1},{\"line\":2},{\"line\":3},{\"line\":4}]") : NULL;
    }
    static const struct {
        const char *rule;
        int n;
    } made[] = {{"makes 2 rows", 2}, {"makes 3 rows", 3}, {"makes 5 rows", 5}};
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++) { /* and reads no file at all */
        if (broken(made[i].rule)) {
            char line[32];
            (void)snprintf(line, sizeof line, "[{\"line\":%d}]", h->at + 1);
            return h->at++ < made[i].n ? copy(line) : NULL;
        }
    }
    if (broken("another source, unsupported")) {
        return error(DATIVO_ERROR_PREFIX "{\"code\":\"unsupported\",\"message\":\"not mine\"}");
    }
    if (broken("refuses a good file")) {
        return error(DATIVO_ERROR_PREFIX "{\"code\":\"io\",\"message\":\"not today\"}");
    }
    int *at = broken("static") ? &g_at : &h->at;
    const int now = (*at)++;
    static int slept;
    if (broken("slow") && slept++ < 3) {
        (void)usleep(450000);
    }
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
    if (now > 1 && broken("error behind the end")) {
        return now == 2 ? NULL : error(NULL);
    }
    if (now == 2 && broken("row twice")) {
        return copy(good[1]);
    }
    static char text[100]; /* of all handles: "static text" */
    if (now < 2 && broken("static text")) {
        return strcpy(text, good[now]);
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
    struct handle *h = make(config_json, "\"output_base\"");
    if (h != NULL && broken("static folder")) {
        (void)strcpy(g_base, h->base);
    }
    return h;
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
        {"files: nameless", "[{\"file\":\"%s\",\"size_bytes\":%zu,\"record_count\":3}]"},
        {"files: not there", "[{\"path\":\"%s.not\",\"size_bytes\":%zu,\"record_count\":3}]"},
        {"files: dots", "[{\"path\":\"%1$s\",\"size_bytes\":%2$zu,\"record_count\":3},"
                        "{\"path\":\"%3$s/./part-0\",\"size_bytes\":%2$zu,\"record_count\":0}]"},
        {"files: URL", "[{\"path\":\"file://%s\",\"size_bytes\":%zu,\"record_count\":3}]"},
        {"files: encoded URL", "[{\"path\":\"FILE://localhost%3$s/"
                               "par%%74-%4$d\",\"size_bytes\":%2$zu,\"record_count\":3}]"},
        {"files: URL, wrong size",
         "[{\"path\":\"file://%s\",\"size_bytes\":1,\"record_count\":3}]"},
        {"files: URL not there",
         "[{\"path\":\"file://%s.not\",\"size_bytes\":%zu,\"record_count\":3}]"},
        {"files: path with a URL in it",
         "[{\"path\":\"%s://x\",\"size_bytes\":%zu,\"record_count\":3}]"},
        {"files: elsewhere", "[{\"path\":\"s3://b/k\",\"size_bytes\":7,\"record_count\":3}]"},
        {"files: the rest", "[{\"path\":\"%1$s\",\"size_bytes\":%2$zu,\"record_count\":1},"
                            "{\"path\":\"%3$s/rest\",\"size_bytes\":0,\"record_count\":2}]"},
    };

    if (h == NULL || h->failed != 0) {
        return error(NULL);
    }
    if (broken("static folder")) {
        (void)strcpy(h->base, g_base);
    }
    if (broken("file by dots") && h->at == 0) {
        (void)strcat(h->base, "/..");
    } else if (broken("file elsewhere")) {
        (void)strcpy(h->base, ".");
    }
    if (strchr(records_json, ']') == NULL) {
        return broken("records NULL") ? NULL : error(NULL);
    }
    const bool overwrites = broken("one file") || broken("files of other writers");
    do { /* which others have not, either */
        h->number = broken("one file") ? 0 : h->at++;
        (void)snprintf(path, sizeof path, "%s/part-%d", h->base, h->number);
    } while (!overwrites && access(path, F_OK) == 0);
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        return broken("passes over errors") ? copy("[]") : error(NULL);
    }
    (void)fputs(records_json, file);
    (void)fclose(file);
    if (broken("temporary files stay")) {
        char temporary[620];
        (void)snprintf(temporary, sizeof temporary, "%s.tmp", path);
        (void)fclose(fopen(temporary, "w"));
    }
    if (broken("file beside the folder")) {
        char beside[620];
        (void)snprintf(beside, sizeof beside, "%s/../x.json", h->base);
        (void)fclose(fopen(beside, "w"));
    } else if (broken("file in the working directory")) {
        (void)fclose(fopen("x.json", "w"));
    } else if (broken("files: the rest")) {
        (void)snprintf(path + strlen(h->base), 20, "/rest");
        (void)fclose(fopen(path, "w"));
        (void)snprintf(path, sizeof path, "%s/part-%d", h->base, h->number);
    } else if (broken("files grow") && h->number > 0) {
        char before[620];
        (void)snprintf(before, sizeof before, "%s/part-%d", h->base, h->number - 1);
        file = fopen(before, "a");
        (void)fputs("more", file);
        (void)fclose(file);
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
    (void)snprintf(out, sizeof out, form, path, strlen(records_json), h->base, h->number);
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
    if (broken("keeps texts") || broken("static text")) {
        return;
    }
    free(same);
    if (broken("frees strings twice")) {
        free(same);
    }
}
