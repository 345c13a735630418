/*
 * The differential test of the Parquet writer without a fuzzer: one table per number, written, read back, compared.
 *
 *   gen_batches FIRST COUNT [--seconds N] [--plugin LIB]
 *
 * --seconds ends it earlier; --plugin has a plugin's writer write.  Exit 1: a table came back wrong, its number is in the message, and the
 * file is kept.  The numbers of a failure: gen_batches NUMBER 1.
 */
#include "batch_trip.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static const struct dativo_plugin *load(const char *library)
{
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    const struct dativo_plugin *(*get)(uint32_t, struct dativo_error *) = NULL;
    struct dativo_error err = {.struct_size = sizeof err};

    if (handle != NULL) {
        *(void **)&get = dlsym(handle, DATIVO_PLUGIN_GET_SYMBOL);
    }
    const struct dativo_plugin *plugin = get != NULL ? get(DATIVO_ABI_VERSION, &err) : NULL;
    if (plugin == NULL) {
        (void)fprintf(stderr, "gen_batches: no plugin: %s\n", library);
        exit(2);
    }
    return plugin;
}

static char crash_message[64];
static size_t crash_len;

/* The writer's threads write out of their memory when tables go wrong: say which table it was. */
static void on_crash(int signal_number)
{
    (void)signal_number;
    if (write(STDERR_FILENO, crash_message, crash_len) < 0) {
        _exit(2);
    }
    _exit(1);
}

static void watch_crashes(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT};
    const struct sigaction action = {.sa_handler = on_crash};
    struct sigaction there;

    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        if (sigaction(signals[i], NULL, &there) == 0 && there.sa_handler == SIG_DFL) {
            (void)sigaction(signals[i], &action, NULL); /* a sanitizer's own says more */
        }
    }
}

static double now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t number(const char *text)
{
    char *end;
    const uint64_t n = strtoull(text, &end, 10);

    if (*text == '\0' || *end != '\0') {
        (void)fprintf(stderr, "gen_batches: no number: %s\n", text);
        exit(2);
    }
    return n;
}

int main(int argc, char **argv)
{
    const struct dativo_plugin *plugin = NULL;
    const double start = now();
    double most = 1e9;
    char message[4096] = "";
    char path[64];

    if (argc < 3 || argc % 2 == 0) {
        (void)fprintf(stderr, "usage: gen_batches FIRST COUNT [--seconds N] [--plugin LIB]\n");
        return 2;
    }
    for (int i = 3; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--plugin") == 0) {
            plugin = load(argv[i + 1]);
        } else {
            most = (double)number(argv[i + 1]);
        }
    }
    (void)snprintf(path, sizeof path, "%s/dn-gen-%ld.parquet",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", (long)getpid());
    const uint64_t first = number(argv[1]);
    const uint64_t n = number(argv[2]);
    uint64_t done = 0;
    watch_crashes();
    for (; done < n && now() - start < most; done++) {
        struct gen g;
        gen_init(&g, NULL, 0, first + done);
        crash_len = (size_t)snprintf(crash_message, sizeof crash_message,
                                     "gen_batches: table %" PRIu64 ": a crash\n", first + done);
        if (!gen_trip(&g, path, plugin, message, sizeof message)) {
            (void)fprintf(stderr,
                          "gen_batches: table %" PRIu64 ", %.1f s after the start: %s\n%s\n",
                          first + done, now() - start, message, path);
            return 1;
        }
    }
    (void)unlink(path);
    (void)printf("%" PRIu64 " tables came back as they were, %.1f s\n", done, now() - start);
    return done > 0 ? 0 : 2;
}
