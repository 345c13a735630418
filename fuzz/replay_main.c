/*
 * Runs one fuzz target over the files named, and over all files of the directories named, without libFuzzer: the corpus as a
 * regression test.  Exit 0: every input was run (a defect aborts), 1: something could not be read or there was nothing to run.
 */
#include "fuzz_target.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* The input in memory of exactly its size, so that AddressSanitizer sees every byte read behind it. */
static int run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = NULL;
    long size = -1;

    if (file != NULL && fseek(file, 0, SEEK_END) == 0) {
        size = ftell(file);
    }
    if (size >= 0) {
        rewind(file);
        data = malloc(size > 0 ? (size_t)size : 1);
    }
    if (data == NULL || fread(data, 1, (size_t)size, file) != (size_t)size) {
        fprintf(stderr, "cannot read %s: %s\n", path, strerror(errno));
        free(data);
        if (file != NULL) {
            fclose(file);
        }
        return 1;
    }
    fclose(file);
    printf("%s\n", path); /* the last line tells which input a defect needs */
    fflush(stdout);
    LLVMFuzzerTestOneInput(data, (size_t)size);
    free(data);
    return 0;
}

static int run_directory(const char *path, size_t *n_run)
{
    struct dirent **entries = NULL;
    const int n = scandir(path, &entries, NULL, alphasort);
    int failed = n < 0;

    if (n < 0) {
        fprintf(stderr, "cannot list %s: %s\n", path, strerror(errno));
    }
    for (int i = 0; i < n; i++) {
        char file[4096];
        if (entries[i]->d_name[0] != '.') {
            if (snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name) >=
                (int)sizeof file) {
                fprintf(stderr, "path too long in %s: %s\n", path, entries[i]->d_name);
                failed = 1;
            } else {
                failed |= run_file(file);
                (*n_run)++;
            }
        }
        free(entries[i]);
    }
    free(entries);
    return failed;
}

int main(int argc, char **argv)
{
    size_t n_run = 0;
    int failed = 0;

    for (int i = 1; i < argc; i++) {
        struct stat info;
        if (stat(argv[i], &info) == 0 && S_ISDIR(info.st_mode)) {
            failed |= run_directory(argv[i], &n_run);
        } else {
            failed |= run_file(argv[i]);
            n_run++;
        }
    }
    if (n_run == 0) {
        fprintf(stderr, "nothing to run: give files, or directories that are not empty\n");
        return 1;
    }
    printf("%zu inputs\n", n_run);
    return failed;
}
