/* @NAME@: a reader of Level 1. A line of the file is a row: its number, and its text. Replace the three functions and the columns. */
#define PLUGIN_NAME "@NAME@"
#define PLUGIN_VERSION "0.1.0"
#include "level1_reader.h"

struct lines {
    FILE *file;
    char path[4096];
    int64_t line, skip;
    char *text; /* of getline() */
    size_t capacity;
};

static const struct column columns[] = {{"line", TYPE_INT64, 1}, {"text", TYPE_STRING, 1}, {NULL, TYPE_BOOL, 0}};
enum { LINE, TEXT };

static void lines_close(void *source)
{
    struct lines *s = source;
    if (s->file != NULL) fclose(s->file);
    free(s->text);
    free(s);
}

static int32_t lines_open(const char *config, void **source, const struct column **out, struct dativo_error *err)
{
    struct lines *s = calloc(1, sizeof *s);
    if (s == NULL) return fail(err, DATIVO_ERR_MEMORY, "no memory");
    *source = s; /* lines_close() is called for it whatever happens now */
    *out = columns;
    long n_files = 0;
    const char *fault = json_text_fault(config_path(config, &n_files), s->path, sizeof s->path);
    if (fault != NULL) return fail(err, DATIVO_ERR_CONFIG, "files[0].path %s", fault);
    if (n_files > 1) return fail(err, DATIVO_ERR_UNSUPPORTED, "there are several files: this reader reads one");
    s->file = fopen(s->path, "r");
    if (s->file == NULL) return fail_errno(err, s->path);
    if (!json_int(config_option(config, "skip_lines"), 0, INT64_MAX, &s->skip)) return option_fail(err, "skip_lines", "must be from 0 on");
    return DATIVO_OK;
}

static int32_t lines_next(void *source, struct batch *batch, struct dativo_error *err)
{
    struct lines *s = source;
    ssize_t len = 0;
    do {
        len = getline(&s->text, &s->capacity, s->file);
        if (len < 0) return feof(s->file) ? END : fail_errno(err, s->path); /* an error is never the end */
    } while (++s->line <= s->skip);
    put_int64(batch, LINE, s->line);
    put_string(batch, TEXT, s->text, (size_t)len - (s->text[len - 1] == '\n'));
    return ROW;
}

static const char *const options[] = {"skip_lines", NULL};

const struct level1_reader level1_reader = {.options = options, .open = lines_open, .next = lines_next, .close = lines_close};
