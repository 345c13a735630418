/* @NAME@: a writer of Level 0. Each batch becomes one file of JSON, as it came. Replace batch_write(). */
#include "level0_file.h"

struct writer {
    char base[3900];
    int64_t n_files;
    pid_t owner;
    char error[1000]; /* once set, every call returns it: NULL would be success without a file */
};

/* Make a file of one batch, and say which; NULL: w->error says why not. */
static char *batch_write(struct writer *w, const char *json, size_t size, long n, int64_t counter)
{
    char path[4096], *answer = NULL;
    size_t len = 0;
    if (file_make(w->base, counter, json, size, path, sizeof path) != 0) {
        snprintf(w->error, sizeof w->error, "%.800s: %s", w->base, file_fault());
        return NULL;
    }
    FILE *out = open_memstream(&answer, &len);
    if (out != NULL) {
        fputs("[{\"path\":", out);
        json_write(out, path, strlen(path));
        fprintf(out, ",\"size_bytes\":%zu,\"record_count\":%ld}]", size, n);
    }
    if (out != NULL && fclose(out) == 0) return answer;
    snprintf(w->error, sizeof w->error, "no memory for an answer");
    free(answer);
    return NULL;
}

/* How many records a list holds; -1: it is no list of records. */
static long records_count(const char *list)
{
    long n = 0;
    if (list == NULL || *list != '[') return -1;
    for (const char *record = json_next(&list, NULL); record != NULL; record = json_next(&list, NULL), n++)
        if (*record != '{') return -1;
    return n;
}

static const char *const options[] = {NULL}; /* your own; config_option(config, "name") is the value of one */

void *create_writer(const char *config_json)
{
    struct writer *w = calloc(1, sizeof *w);
    const char *config = config_object(config_json);
    char where[300];
    if (w == NULL) return NULL; /* write_batch(NULL) says so */
    w->owner = getpid();
    const char *fault = json_text_fault(json_get(config, "output_base"), w->base, sizeof w->base);
    if (config == NULL) snprintf(w->error, sizeof w->error, "the configuration is not a JSON object");
    else if (fault != NULL) snprintf(w->error, sizeof w->error, "output_base %s", fault);
    else if (config_unknown(config, options, NULL, where, sizeof where) != NULL) snprintf(w->error, sizeof w->error, "%s is no option of this writer", where);
    return w;
}

/* {"records":[...],"file_counter":n}, or the list alone; nothing behind its last brace is looked at. */
const char *write_batch(void *handle, const char *records_json)
{
    struct writer *w = handle;
    if (w == NULL || w->error[0] != '\0') return error_text(w != NULL ? w->error : "no writer");
    if (w->owner != getpid()) return error_text("the writer belongs to another process");
    const char *json = records_json != NULL ? json_space(records_json) : "", *end = json_end(json, 0);
    int64_t counter = w->n_files;
    char *answer = NULL;
    if (end == NULL) snprintf(w->error, sizeof w->error, "the records are no JSON");
    const long n = end != NULL ? records_count(*json == '{' ? json_get(json, "records") : json) : 0;
    if (n < 0) snprintf(w->error, sizeof w->error, "the records are no list of objects");
    else if (end != NULL && !json_int(json_get(json, "file_counter"), 0, INT64_MAX, &counter)) snprintf(w->error, sizeof w->error, "file_counter must be from 0 on");
    if (w->error[0] == '\0') answer = batch_write(w, json, (size_t)(end - json), n, counter);
    w->n_files++;
    return answer != NULL ? answer : error_text(w->error);
}

void free_writer(void *handle)
{
    struct writer *w = handle;
    if (w != NULL && w->owner == getpid()) free(w);
}
