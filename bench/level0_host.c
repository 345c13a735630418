/*
 * A host of Level 0 that does nothing with what it gets: what reading through extract_batch() costs by itself, and what writing
 * through write_batch() does.
 *
 *     level0_host PLUGIN FILE BATCH_ROWS [TEXTS]   read; the texts are kept in a file: the length of each in 8 bytes, and its bytes
 *     level0_host PLUGIN --write CONFIG TEXTS      hand them to a writer whose configuration is in the file CONFIG
 *
 * Prints {"batches","bytes","largest"} of the texts.
 */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct totals {
    size_t n_batches;
    size_t n_bytes;
    size_t largest;
};

static void *find(void *library, const char *name)
{
    void *symbol = dlsym(library, name);

    if (symbol == NULL) {
        fprintf(stderr, "the plugin has no %s()\n", name);
        exit(1);
    }
    return symbol;
}

static void *load(const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);

    if (library == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    return library;
}

static void fail(const char *what)
{
    fprintf(stderr, "%.2000s\n", what);
    exit(1);
}

static void count(struct totals *t, size_t len)
{
    t->n_bytes += len;
    t->largest = len > t->largest ? len : t->largest;
    t->n_batches++;
}

static void keep(FILE *texts, const char *text, size_t len)
{
    const uint64_t n = len;

    if (fwrite(&n, sizeof(n), 1, texts) != 1 || fwrite(text, 1, len, texts) != len) {
        fail("the texts cannot be kept");
    }
}

static void read_all(void *library, const char *path, long batch_rows, FILE *texts,
                     struct totals *t)
{
    void *(*create_reader)(const char *) = NULL;
    const char *(*extract_batch)(void *) = NULL;
    void (*free_reader)(void *) = NULL;
    void (*free_string)(const char *) = NULL;
    char config[4096];
    const char *text = NULL;

    *(void **)&create_reader = find(library, "create_reader");
    *(void **)&extract_batch = find(library, "extract_batch");
    *(void **)&free_reader = find(library, "free_reader");
    *(void **)&free_string = find(library, "free_string");
    (void)snprintf(config, sizeof(config),
                   "{\"type\":\"csv\",\"files\":[{\"path\":\"%s\"}],"
                   "\"engine\":{\"options\":{\"batch_size\":%ld}}}",
                   path, batch_rows);
    void *reader = create_reader(config);
    while ((text = extract_batch(reader)) != NULL) {
        if (text[0] != '[') {
            fail(text);
        }
        count(t, strlen(text));
        if (texts != NULL) {
            keep(texts, text, strlen(text));
        }
        free_string(text);
    }
    free_reader(reader);
}

static char *read_config(const char *path)
{
    static char text[65536];
    FILE *f = fopen(path, "r");

    if (f == NULL) {
        fail(path);
    }
    text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
    (void)fclose(f);
    return text;
}

/* The next text with a NUL behind it, in memory that grows; NULL: there are no more. */
static char *next_text(FILE *texts, char **room, size_t *size, size_t *len)
{
    uint64_t n = 0;

    if (fread(&n, sizeof(n), 1, texts) != 1) {
        return NULL;
    }
    if (n + 1 > *size) {
        free(*room);
        *size = (size_t)n + n / 4 + 1; /* seldom again: fresh pages are dear */
        *room = malloc(*size);
    }
    if (*room == NULL || fread(*room, 1, (size_t)n, texts) != n) {
        fail("the texts cannot be read");
    }
    (*room)[n] = '\0';
    *len = (size_t)n;
    return *room;
}

static void write_all(void *library, const char *config, FILE *texts, struct totals *t)
{
    void *(*create_writer)(const char *) = NULL;
    const char *(*write_batch)(void *, const char *) = NULL;
    void (*free_writer)(void *) = NULL;
    void (*free_string)(const char *) = NULL;
    char *room = NULL;
    size_t size = 0;
    size_t len = 0;
    const char *text = NULL;

    *(void **)&create_writer = find(library, "create_writer");
    *(void **)&write_batch = find(library, "write_batch");
    *(void **)&free_writer = find(library, "free_writer");
    *(void **)&free_string = find(library, "free_string");
    void *writer = create_writer(read_config(config));
    while ((text = next_text(texts, &room, &size, &len)) != NULL) {
        const char *answer = write_batch(writer, text);
        if (answer == NULL || answer[0] != '[') {
            fail(answer != NULL ? answer : "NULL");
        }
        free_string(answer);
        count(t, len);
    }
    free_writer(writer);
    free(room);
}

int main(int argc, char **argv)
{
    struct totals t = {0};

    if (argc != 4 && argc != 5) {
        fail("usage: level0_host PLUGIN FILE BATCH_ROWS [TEXTS] or PLUGIN --write CONFIG TEXTS");
    }
    void *library = load(argv[1]);
    const bool writes = strcmp(argv[2], "--write") == 0;
    FILE *texts = argc == 5 ? fopen(argv[4], writes ? "rb" : "wb") : NULL;
    if (argc == 5 && texts == NULL) {
        fail(argv[4]);
    }
    if (writes) {
        write_all(library, argv[3], texts, &t);
    } else {
        read_all(library, argv[2], strtol(argv[3], NULL, 10), texts, &t);
    }
    if (texts != NULL && fclose(texts) != 0) {
        fail(argv[4]);
    }
    printf("{\"batches\":%zu,\"bytes\":%zu,\"largest\":%zu}\n", t.n_batches, t.n_bytes, t.largest);
    return 0;
}
