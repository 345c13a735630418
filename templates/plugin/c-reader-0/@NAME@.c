/* @NAME@: a reader of Level 0. A line of the file is a record: {"line": 1, "text": "..."}. */
#include "level0.h"

enum { BATCH = 1000, BATCH_BYTES = 1 << 24 }; /* of a call; it ends at one of them */

struct reader {
    FILE *file;
    long line;
    pid_t owner;      /* a child of fork() would read on in the same file */
    char error[1000]; /* once set, every call returns it: NULL would be the end of the data */
};

static const char *const options[] = {NULL}; /* your own; config_option(config, "name") is the value of one */

void *create_reader(const char *config_json)
{
    struct reader *r = calloc(1, sizeof *r);
    const char *config = config_object(config_json), *fault = NULL;
    char path[4096], where[300];
    long n_files = 0;
    if (r == NULL) return NULL; /* extract_batch(NULL) says so */
    r->owner = getpid();
    if (config == NULL)
        snprintf(r->error, sizeof r->error, "the configuration is not a JSON object");
    else if ((fault = json_text_fault(config_path(config, &n_files), path, sizeof path)) != NULL)
        snprintf(r->error, sizeof r->error, "files[0].path %s", fault);
    else if (n_files > 1) /* rows that are not read are lost without a word */
        snprintf(r->error, sizeof r->error, "there are several files: this reader reads one");
    else if (config_unknown(config, options, NULL, where, sizeof where) != NULL)
        snprintf(r->error, sizeof r->error, "%s is no option of this reader", where);
    else if ((r->file = fopen(path, "r")) == NULL)
        snprintf(r->error, sizeof r->error, "%.800s: %s", path, strerror(errno));
    return r;
}

static void record_add(FILE *out, char before, long n, const char *text, size_t len)
{
    fprintf(out, "%c{\"line\":%ld,\"text\":", before, n);
    json_write(out, text, len);
    fputc('}', out);
}

/* Records in `out`, and how many; 0 at the end. */
static long batch_read(struct reader *r, FILE *out)
{
    char *line = NULL;
    size_t capacity = 0, bytes = 0;
    ssize_t len = 0;
    long n = 0;
    for (; n < BATCH && bytes < BATCH_BYTES && (len = getline(&line, &capacity, r->file)) >= 0; bytes += (size_t)len) {
        len -= line[len - 1] == '\n';
        r->line++;
        if (utf8_end(line, (size_t)len) < (size_t)len) { /* to hosts such texts are the end of the data */
            snprintf(r->error, sizeof r->error, "line %ld is not UTF-8", r->line);
            break;
        }
        record_add(out, n++ == 0 ? '[' : ',', r->line, line, (size_t)len);
    }
    if (len < 0 && !feof(r->file)) snprintf(r->error, sizeof r->error, "line %ld: %s", r->line + 1, strerror(errno)); /* an error is never the end */
    free(line);
    if (n > 0) fputc(']', out);
    return n;
}

const char *extract_batch(void *handle)
{
    struct reader *r = handle;
    char *text = NULL;
    size_t size = 0;
    if (r == NULL || r->error[0] != '\0') return error_text(r != NULL ? r->error : "no reader");
    if (r->owner != getpid()) return error_text("the reader belongs to another process");
    FILE *out = open_memstream(&text, &size);
    const long n = out != NULL ? batch_read(r, out) : 0;
    if ((out == NULL || fclose(out) != 0) && r->error[0] == '\0') snprintf(r->error, sizeof r->error, "no memory for a batch");
    if (n > 0 && r->error[0] == '\0') return text;
    free(text);
    return r->error[0] != '\0' ? error_text(r->error) : NULL; /* the end, and only the end */
}

void free_reader(void *handle)
{
    struct reader *r = handle;
    if (r == NULL || r->owner != getpid()) return;
    if (r->file != NULL) fclose(r->file);
    free(r);
}
