/** Inside of the conformance run: what a check gets and says.  Every check runs in a process of its own. */
#ifndef DN_CLI_CONFORM_H
#define DN_CLI_CONFORM_H

#include "arrow/nested.h"
#include "job/plugin.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

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
    const char *out;           /**< below it, of writers: the one folder that they may write to */
    const char *create_reader; /**< the exported name, e.g. "create_reader"; NULL: none */
    const char *create_writer;
    const char *
        run_config; /**< --run: a configuration as Level 0 gets it, as text; NULL: the checks' own */
    int64_t rows;   /**< --rows: how many a reader gives with it; -1: nobody said */
    bool is_small;  /**< the rows are those of the small file, by the keys of the first */
    bool is_parquet;    /**< the small file is one, for the reader refused CSV... */
    bool is_form_known; /**< ...or not, and this was asked */
    bool is_long;       /**< Level 1: in place of the small CSV file there is one of many rows */
    bool is_unread;     /**< a check was skipped, for the plugin reads something else */
    FILE *
        progress; /**< grows with every batch where nobody knows how long they take; NULL: somebody does */
    const char *
        remedy; /**< of the defect, where that is another one than the check's name says; NULL: the check's */
    char said[400];
};

struct dn_conform_check {
    const char *name;
    enum dn_verdict (*run)(struct dn_conform *c);
    const char *remedy; /**< what to do if it fails, unless the defect has one of its own */
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
enum dn_verdict dn_conform_pass(struct dn_conform *c, const char *format, ...) DN_PRINTF(2, 3);
enum dn_verdict dn_conform_skip(struct dn_conform *c, const char *format, ...) DN_PRINTF(2, 3);

/** A defect that the check is not about, with what to do about it. */
#define DN_CONFORM_FAIL(c, own_remedy, ...)                                                        \
    ((c)->remedy = (own_remedy), dn_conform_fail(c, __VA_ARGS__))
/** It reads something else than the small files. */
enum dn_verdict dn_conform_unread(struct dn_conform *c, const char *format, ...) DN_PRINTF(2, 3);

/** Start this program again where its allocator must not keep memory for each thread, which looks lost; that comes back if it is already so. */
void dn_conform_again_uncached(void);

/** A batch has come: what goes on is not ended for its time. */
void dn_conform_progress(const struct dn_conform *c);
/** Rows of a reader that are compared with another's: to see that they are others takes not all of a big source. */
#define DN_CONFORM_ROWS_COMPARED 20000

/** What this process has; of what the system does not tell always the same. */
struct dn_conform_held {
    int n_files;
    int n_threads;
    size_t n_bytes; /**< that malloc() gave out */
    size_t n_pages; /**< of all mappings */
};
/**
 * Handle after handle, in rounds of `n`: in the first comes what is there for good, and what grows in every other is lost.  What is kept up
 * to a bound fills it within DN_CONFORM_MANY_MOST handles.
 */
struct dn_conform_left {
    int n;
    struct dn_conform_held last;  /**< at the end of the last round */
    struct dn_conform_held least; /**< that a round behind the first has added */
};
#define DN_CONFORM_MANY_MOST 320
/** For the loop over i, before handle i; false: there were enough. */
bool dn_conform_left_take(struct dn_conform_left *left, int i);
/** PASS, or FAIL: handles, called "readers" or so, have left something. */
enum dn_verdict dn_conform_left_check(struct dn_conform *c, const struct dn_conform_left *left,
                                      const char *what);

/**
 * Do a check of writers, with a folder to write to, and, where no configuration has paths of its own, in a working directory of its own: what
 * appears there or beside the folder is a FAIL.
 */
enum dn_verdict dn_conform_writing(struct dn_conform *c,
                                   enum dn_verdict (*run)(struct dn_conform *c));
/** "<dir>/<name>" in a buffer of at least 512 bytes. */
const char *dn_conform_path(const struct dn_conform *c, const char *name, char out[512]);
/** Three rows of id, name, amount; see conform_reader.c. */
#define DN_CONFORM_PARQUET_SIZE 500
extern const unsigned char dn_conform_parquet[DN_CONFORM_PARQUET_SIZE];

/** Write a small file into the directory. */
bool dn_conform_bytes(const struct dn_conform *c, const char *name, const void *data, size_t len);
bool dn_conform_file(const struct dn_conform *c, const char *name, const char *text);
/** PASS, or FAIL: a reader gave another number of rows than --rows says. */
enum dn_verdict dn_conform_rows_compare(struct dn_conform *c, int64_t n_rows);

/** An open reader of Level 1 on the small file, or why there is none: a reader of something else is SKIP. */
enum dn_verdict dn_conform_small_open(struct dn_conform *c, void **reader);
/** From now on small readers get a CSV file of rows for many batches; one of Parquet stays as it is. */
bool dn_conform_small_lengthen(struct dn_conform *c);
/** cancel() with batches left, of the rows of --run or of a long file. */
enum dn_verdict dn_conform_cancelled(struct dn_conform *c);
#define DN_CONFORM_CANCEL "cancel() ends the stream"
#define DN_CONFORM_CANCEL_REMEDY                                                                   \
    "look at the flag that cancel() sets before every batch, and fail with DATIVO_ERR_CANCELLED"
/**
 * Column i of a batch, checked as Arrow wants it and viewed; NULL, or what is wrong with it.  Memory comes from the arena, and the text may be
 * that of *err.
 */
const char *dn_conform_column(const struct ArrowSchema *schema, const struct ArrowArray *batch,
                              int64_t i, struct dn_arena *arena, struct dn_node *node,
                              struct dn_column_view *view, struct dn_error *err);
/** Batches of two readers that are there at the same time. */
enum dn_verdict dn_conform_held_batches(struct dn_conform *c);
#define DN_CONFORM_HELD "batches stay as they are while others come"
#define DN_CONFORM_HELD_REMEDY                                                                     \
    "let every batch have buffers of its own until it is released: hosts keep several at a time"
/** An error as a host of ABI version 1.0 has it: what is behind that is not the plugin's to write to. */
struct dn_conform_old_error {
    struct dativo_error e;
    unsigned char behind[64];
};
void dn_conform_old_error_init(struct dn_conform_old_error *old);
/** PASS, or FAIL: a function that failed has written behind it, or no message. */
enum dn_verdict dn_conform_old_error_check(struct dn_conform *c,
                                           const struct dn_conform_old_error *old,
                                           const char *function);
#define DN_CONFORM_OLD_ERROR "errors fit the struct of an older host"
#define DN_CONFORM_OLD_ERROR_REMEDY                                                                \
    "write no more of *err than err->struct_size covers: make the error in a struct of your own, " \
    "and copy that many bytes"
enum dn_verdict dn_conform_reader_old_errors(struct dn_conform *c);

/** Readers of Level 1, one after the other, on the rows of --run, or on the small file. */
enum dn_verdict dn_conform_many_readers(struct dn_conform *c);
#define DN_CONFORM_MANY "readers that are gone leave no files open, no threads and no memory"
#define DN_CONFORM_MANY_REMEDY                                                                     \
    "close, join and free in close() all that the handle has, and in release() all that a batch, " \
    "a stream or a schema has"

/** The configuration with its one file twice, to be freed; NULL: it has not one file. */
char *dn_conform_file_twice(const char *config);
/** That of --run, or one of the checks' own, for a writer of the columns id and name to the folder; NULL: memory ran out. */
json_t *dn_conform_writer_config(const struct dn_conform *c, const char *base);
/** Give it an option; takes the value over.  Where memory runs out it stays as it is. */
void dn_conform_option_set(json_t *config, const char *name, json_t *value);
/** "<out>/<name>" */
const char *dn_conform_out_path(const struct dn_conform *c, const char *name, char out[512]);
/** Files in the writers' folder. */
int dn_conform_count_outputs(const struct dn_conform *c);

/** A Level 0 error text is not empty, is no JSON and begins with the prefix; else why not. */
const char *dn_conform_error_text_problem(const char *text);

#endif
