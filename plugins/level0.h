/**
 * The adapter: a plugin that has Level 0 alone, seen as one of Level 1.
 *
 * The configuration is the one that Level 0 gets, with {"level0": {"library": path, "create": symbol}} beside it.  The library's own
 * configuration is the same without that, and without the options that the host adds for the contract with an asset: columns, types,
 * required, missing_as_null, widened (of a reader), overwrite (of a writer) are done here.
 */
#ifndef DN_PLUGINS_LEVEL0_H
#define DN_PLUGINS_LEVEL0_H

#include "shell.h"

#include "arrow/nested.h"
#include "base/name_map.h"
#include "json/records.h"

#include <stdbool.h>

#define LEVEL0_NAME "level0"

/* ---- the library (level0_library.c) ------------------------------------------------------------------------------ */

/** The functions of one role. */
struct level0_library {
    const char *path; /**< borrowed from the configuration */
    void *(*create)(const char *config_json);
    const char *(*extract_batch)(void *handle);                         /**< a reader's */
    const char *(*write_batch)(void *handle, const char *records_json); /**< a writer's */
    void (*free_handle)(void *handle);
    void (*free_string)(const char *text);
    const char *(*last_error)(void *handle);                           /**< may be NULL */
    const char *(*commit_files)(void *handle, const char *files_json); /**< may be NULL */
};

/** Load what "level0" names.  @param role "reader" or "writer" */
DN_NODISCARD enum dn_status level0_library_load(struct level0_library *l, const json_t *config,
                                                const char *role, struct dn_error *err);
/** Append a value as ASCII, as hosts send it, and a NUL. */
DN_NODISCARD enum dn_status level0_json_text(const json_t *value, struct dn_buffer *out,
                                             struct dn_error *err);
/** create(), of which NULL is an error.  The object is only read. */
DN_NODISCARD enum dn_status level0_library_create(const struct level0_library *l,
                                                  const json_t *config, void **out,
                                                  struct dn_error *err);
/**
 * An error text, DATIVO_PLUGIN_ERROR {...}, as the error that it tells of; a text that is empty or no UTF-8 is one, too.
 * DN_OK: it is none of these.
 */
DN_NODISCARD enum dn_status level0_text_check(const struct level0_library *l, const char *function,
                                              const char *text, struct dn_error *err);
/** What last_error() says, if the library has it; else DN_OK. */
DN_NODISCARD enum dn_status level0_last_error(const struct level0_library *l, void *handle,
                                              struct dn_error *err);
/** "path/lib.so: extract_batch() <problem>: <beginning of the text>". */
enum dn_status level0_refuse(const struct level0_library *l, const char *function,
                             const char *problem, const char *text, struct dn_error *err);

/* ---- the types of records (level0_types.c) ----------------------------------------------------------------------- */

/** What is known of a column from values: DN_TYPE_NULL (no value yet), BOOL, INT64, FLOAT64 or UTF8. */
struct level0_column {
    char *name;
    enum dn_type_id type;
};
struct level0_columns {
    struct level0_column *list;
    size_t n;
    size_t capacity;
    struct dn_name_map map;
};
void level0_columns_finish(struct level0_columns *c);
/** Take the keys and types of one batch, a JSON list of records, into account. */
DN_NODISCARD enum dn_status level0_columns_add(struct level0_columns *c, const char *text,
                                               struct dn_error *err);
/** The narrowest of those five that holds the values of both. */
enum dn_type_id level0_type_join(enum dn_type_id a, enum dn_type_id b);
/** NULL: there is no such column. */
const struct level0_column *level0_columns_get(const struct level0_columns *c, const char *name);
/** Its type as a word; "string" without a value. */
const char *level0_type_word(enum dn_type_id type);

/** The columns that the batches of a reader have. */
struct level0_fields {
    struct dn_record_field *list; /**< in `arena` */
    size_t n;
    bool is_chosen; /**< the option columns chose them: other keys are left out */
    struct dn_arena arena;
};
/** Of the options and the columns of the sample. */
DN_NODISCARD enum dn_status level0_fields_make(struct level0_fields *f, const json_t *options,
                                               const struct level0_columns *sample,
                                               struct dn_error *err);
void level0_fields_finish(struct level0_fields *f);

/* ---- options (level0_options.c) ---------------------------------------------------------------------------------- */

/** Remove the keys of engine.options that are the adapter's, in a form that a host gives them. */
void level0_options_take(json_t *options);
/** One of these keys; NULL: it is not there, or in a form that only the library can know. */
const json_t *level0_option(const json_t *options, const char *key);
/** A number of rows, also as a text; what is absent or null leaves *out alone. */
DN_NODISCARD enum dn_status level0_option_count(const json_t *options, const char *key,
                                                int64_t least, int64_t *out, struct dn_error *err);
/**
 * Warn of options that the library seems not to know: nothing in Level 0 refuses them.
 * @param passed_on   engine.options without those that were taken
 * @param done_here   one that the adapter obeys, whether the library does or not
 * @param event_type  "reader_options" or "writer_options": the host tells each once
 */
void level0_options_tell(const struct level0_library *l, const json_t *passed_on,
                         const char *done_here, const struct dativo_host *host,
                         const char *event_type);

/* ---- files (level0_files.c) -------------------------------------------------------------------------------------- */

/**
 * Where a writer's files are until they are committed: a hidden folder beside the final name, which Level 0 gets as output_base.  What
 * the library puts at s3:// and the like stays where it is; a file in another folder is an error.
 */
struct level0_files {
    char *path;    /**< the final name of the first file */
    char *staging; /**< NULL: the target is not on this machine */
    bool overwrite;
    char **list; /**< as write_batch() names them, in order */
    size_t n;
    size_t capacity;
};
DN_NODISCARD enum dn_status level0_files_open(struct level0_files *f, const char *path,
                                              bool overwrite, struct dn_error *err);
/** A file that write_batch() named: it must be there, of that size, and not named before.  size -1: not told. */
DN_NODISCARD enum dn_status level0_files_add(struct level0_files *f, const struct level0_library *l,
                                             const char *path, int64_t size_bytes,
                                             struct dn_error *err);
/** The final name of file i, for dn_free(); NULL if memory ran out. */
char *level0_files_final(const struct level0_files *f, size_t i);
/** Give the files their final names: all, or as far as the error says. */
DN_NODISCARD enum dn_status level0_files_commit(struct level0_files *f, struct dn_error *err);
/** Removes what was not committed, and frees. */
void level0_files_close(struct level0_files *f);

extern const struct dativo_reader_v1 level0_reader;
extern const struct dativo_writer_v1 level0_writer;

#endif
