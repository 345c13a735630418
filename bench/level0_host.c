/*
 * A host of Level 0 that does nothing with what it gets: what reading through extract_batch() costs by itself.
 *
 *     level0_host PLUGIN FILE BATCH_ROWS
 *
 * Prints {"batches","bytes","largest"} of the texts.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dativo/plugin.h"

struct plugin {
    void *(*create_reader)(const char *config_json);
    const char *(*extract_batch)(void *reader);
    void (*free_reader)(void *reader);
    void (*free_string)(const char *text);
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

static void load(struct plugin *p, const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);

    if (library == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    *(void **)&p->create_reader = find(library, "create_reader");
    *(void **)&p->extract_batch = find(library, "extract_batch");
    *(void **)&p->free_reader = find(library, "free_reader");
    *(void **)&p->free_string = find(library, "free_string");
}

int main(int argc, char **argv)
{
    struct plugin p = {0};
    char config[4096];
    size_t n_batches = 0;
    size_t n_bytes = 0;
    size_t largest = 0;

    if (argc != 4) {
        fprintf(stderr, "usage: level0_host PLUGIN FILE BATCH_ROWS\n");
        return 1;
    }
    load(&p, argv[1]);
    (void)snprintf(config, sizeof(config),
                   "{\"type\":\"csv\",\"files\":[{\"path\":\"%s\"}],"
                   "\"engine\":{\"options\":{\"batch_size\":%ld}}}",
                   argv[2], strtol(argv[3], NULL, 10));
    void *reader = p.create_reader(config);
    const char *text = NULL;
    while ((text = p.extract_batch(reader)) != NULL) {
        if (text[0] != '[') {
            fprintf(stderr, "%.2000s\n", text);
            return 1;
        }
        const size_t len = strlen(text);
        n_bytes += len;
        largest = len > largest ? len : largest;
        n_batches++;
        p.free_string(text);
    }
    p.free_reader(reader);
    printf("{\"batches\":%zu,\"bytes\":%zu,\"largest\":%zu}\n", n_batches, n_bytes, largest);
    return 0;
}
