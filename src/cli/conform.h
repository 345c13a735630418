/** Inside of the conformance run: what a check gets and says.  Every check runs in a process of its own. */
#ifndef DN_CLI_CONFORM_H
#define DN_CLI_CONFORM_H

#include "job/plugin.h"

#include <stdbool.h>

enum dn_verdict {
    DN_VERDICT_PASS = 0,
    DN_VERDICT_FAIL = 1,
    DN_VERDICT_SKIP = 2
};

/** What a check works with; `said` becomes the text behind its verdict. */
struct dn_conform {
    struct dn_plugin plugin;
    const struct dativo_reader_v1 *reader; /**< NULL: the plugin has no such table */
    const struct dativo_writer_v1 *writer;
    const struct dativo_inspector_v1 *inspector;
    const char *dir;           /**< an empty temporary directory */
    const char *create_reader; /**< the exported name, e.g. "create_reader"; NULL: none */
    const char *create_writer;
    const char *
        run_config; /**< --run: a configuration as Level 0 gets it, as text; NULL: the checks' own */
    bool is_small;  /**< the rows are those of the small file, by the keys of the first */
    char said[400];
};

struct dn_conform_check {
    const char *name;
    enum dn_verdict (*run)(struct dn_conform *c);
    const char *remedy; /**< what to do if it fails */
};

/* Tables; each ends with a NULL name. */
extern const struct dn_conform_check dn_conform_level1[];
extern const struct dn_conform_check dn_conform_reader[];
extern const struct dn_conform_check dn_conform_reader_small[]; /* with files of its own */
extern const struct dn_conform_check dn_conform_reader_run[]; /* with the configuration of --run */
extern const struct dn_conform_check dn_conform_writer[];
extern const struct dn_conform_check dn_conform_inspector[];
extern const struct dn_conform_check dn_conform_level0_reader[];
extern const struct dn_conform_check dn_conform_level0_writer[];

/** Set `said` and return the verdict. */
enum dn_verdict dn_conform_fail(struct dn_conform *c, const char *format, ...) DN_PRINTF(2, 3);
enum dn_verdict dn_conform_skip(struct dn_conform *c, const char *format, ...) DN_PRINTF(2, 3);

/** How many descriptors, and how many threads, this process has; always the same where there is no /proc. */
int dn_conform_files_open(void);
int dn_conform_threads(void);
/** "<dir>/<name>" in a buffer of at least 512 bytes. */
const char *dn_conform_path(const struct dn_conform *c, const char *name, char out[512]);
/** Three rows of id, name, amount; see conform_reader.c. */
#define DN_CONFORM_PARQUET_SIZE 500
extern const unsigned char dn_conform_parquet[DN_CONFORM_PARQUET_SIZE];

/** Write a small file into the directory. */
bool dn_conform_bytes(const struct dn_conform *c, const char *name, const void *data, size_t len);
bool dn_conform_file(const struct dn_conform *c, const char *name, const char *text);
/** The configuration with its one file twice, to be freed; NULL: it has not one file. */
char *dn_conform_file_twice(const char *config);
/** Files in the directory whose names do not begin with "in". */
int dn_conform_count_outputs(const struct dn_conform *c);

/** A Level 0 error text is not empty, is no JSON and begins with the prefix; else why not. */
const char *dn_conform_error_text_problem(const char *text);

#endif
