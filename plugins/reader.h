/**
 * What every reader plugin shares: files of the configuration (reader_config.c), Level 0 and 0.5 (reader.c), the table of
 * Level 1 (reader_level1.c).
 * A reader plugin is a `struct dn_reader_kind` over one library; there is one kind per shared library, `dn_reader_kind`.
 *
 * Threads: a reader belongs to one thread at a time, but for progress() and cancel().
 */
#ifndef DN_PLUGINS_READER_H
#define DN_PLUGINS_READER_H

#include "reader_places.h"
#include "shell.h"

#include "arrow/schema.h"

#include <stdatomic.h>

/** "files" of a configuration.  All texts live in it. */
struct dn_reader_files {
    const char *const *paths;
    const char *const *shown;   /**< for messages: addresses of the web without their queries */
    const char *const *objects; /**< the name each file's rows go by, never NULL */
    size_t n;
    const struct dn_store_options
        *store; /**< what the connection says; NULL: all files are local */
};

/** First member of every reader's handle. */
struct dn_reader {
    struct dn_shell_handle shell; /**< first: last_error() sees handles through it */
    struct dn_shell_config config;
    struct dativo_host host; /**< Level 1: what it offers; else zero */
    struct dn_reader_files files;
    struct dn_reader_places *places; /**< columns by the places of the files, or NULL */
    int level; /**< 0 or 1: they differ in defaults, and in who hears of what */
    bool ended;
    _Atomic int64_t rows_done;
    atomic_bool cancelled; /**< Level 1: by cancel() */
    int64_t limit;         /**< the most rows that are wanted; -1: all */
    int64_t n_given;       /**< rows that went out */

    /* Level 0 */
    int64_t chunk_rows;        /**< rows of a JSON batch */
    struct ArrowSchema schema; /**< with distinct names */
    struct ArrowArray batch;   /**< the batch being cut into chunks */
    int64_t batch_row;         /**< first row of it that is not written yet */
    size_t last_size;          /**< bytes of the last text, to reserve as much for the next */

    /* Level 1 */
    bool streamed;
    double reported_at;
};

/** One kind of source.  `r` is always the first member of a handle of `handle_size` zeroed bytes. */
struct dn_reader_kind {
    struct dativo_plugin plugin; /**< DN_READER_PLUGIN() */
    const char *type;            /**< of the source, as configurations have it, e.g. "csv" */
    const char *noun;            /**< what one file is, e.g. "CSV file" */
    const struct dn_shell_option *options;
    const size_t *n_options; /**< the table counts itself */
    size_t handle_size;
    bool keeps_limit; /**< the library gives no more than r->limit rows */
    bool is_database; /**< rows come over a connection: there are no files, r->files is empty */

    /** Look at r->config as it was given, before names of places are taken out.  NULL: nothing to do. */
    enum dn_status (*begin)(struct dn_reader *r, struct dn_error *err);
    /** Read r->config, for r->level: own settings, r->files, r->chunk_rows. */
    enum dn_status (*configure)(struct dn_reader *r, struct dn_error *err);
    /** Open the source as configured. */
    enum dn_status (*open)(struct dn_reader *r, struct dn_error *err);
    enum dn_status (*schema)(struct dn_reader *r, struct ArrowSchema *out, struct dn_error *err);
    /** At least one row; at the end out->release is NULL. */
    enum dn_status (*next)(struct dn_reader *r, struct ArrowArray *out, struct dn_error *err);
    /** Which of the files the rows of the last batch come from. */
    size_t (*file)(const struct dn_reader *r);
    /** The numbers of the last batch's rows; NULL: one after the other, from 1. */
    void (*number_rows)(const struct dn_reader *r, int64_t n_rows, int64_t *out);
    /** Have the files a column of that name, asked for or not?  After open(), which has looked if this is NULL. */
    bool (*has_column)(const struct dn_reader *r, const char *name);
    /** Bytes of the source so far and in all, -1 if unknown.  Thread-safe. */
    void (*progress)(struct dn_reader *r, int64_t *bytes_done, int64_t *bytes_total);
    void (*cancel)(struct dn_reader *r); /**< thread-safe */
    void (*close)(
        struct dn_reader *r); /**< whatever configure() and open() made; they may have failed */

    /** Level 0: r->schema is known.  NULL: nothing to do. */
    enum dn_status (*prepare_rows)(struct dn_reader *r, struct dn_error *err);
    /** Level 0: rows of r->batch as `[{...},...]`.  NULL: dn_records_write(). */
    enum dn_status (*write_rows)(struct dn_reader *r, struct dn_buffer *out, int64_t row,
                                 int64_t n_rows, struct dn_error *err);
    /**
     * Level 0: the next r->chunk_rows rows, or fewer at the end, as the text that next() and write_rows() would make; NULL behind the last.
     * *made is false where they have to.  NULL: always.
     */
    enum dn_status (*next_text)(struct dn_reader *r, const char **out, bool *made,
                                struct dn_error *err);
    /**
     * Level 0.5: the columns of some of the files, and how many rows they have, perhaps by estimate, or -1, for discover(); only
     * configure() was called.
     */
    enum dn_status (*look)(struct dn_reader *r, const struct dn_reader_files *files,
                           struct ArrowSchema *out, int64_t *n_rows, struct dn_error *err);
    /** Level 0.5, of databases: append what check_connection() says, and its details; only configure() was called. */
    enum dn_status (*check)(struct dn_reader *r, struct dn_buffer *message,
                            struct dn_buffer *details, struct dn_error *err);
    /** Level 0.5, of databases: append the objects; only configure() was called. */
    enum dn_status (*discover)(struct dn_reader *r, struct dn_buffer *out, struct dn_error *err);
    /** Level 1: append `"counters":{...},"warnings":[...],"columns":[...]`. */
    enum dn_status (*report)(struct dn_reader *r, struct dn_buffer *b,
                             const struct ArrowSchema *schema, struct dn_error *err);
    /** Level 1: a table that only this kind has.  NULL: there is none. */
    const void *(*extension)(const char *name);
};

/** The plugin's own: the kind, and the table DN_READER_TABLE with what it has besides. */
extern const struct dn_reader_kind dn_reader_kind;
extern const struct dativo_reader_v1 dn_reader_table;

const void *dn_reader_extension(const char *name);
void dn_reader_free_text(char *text);
/* clang-format off */
#define DN_READER_PLUGIN(plugin_name, plugin_description)                                          \
    {                                                                                              \
        .struct_size = sizeof(struct dativo_plugin), .abi_version = DATIVO_ABI_VERSION,            \
        .name = (plugin_name), .version = DN_VERSION, .description = (plugin_description),         \
        .get_extension = dn_reader_extension, .free_text = dn_reader_free_text,                    \
    }
/* clang-format on */

/** A zeroed handle with its host and its configuration read, up to configure().  The caller closes it, on failure too. */
DN_NODISCARD enum dn_status dn_reader_make(struct dn_reader **out, const char *config_json,
                                           int level, const struct dativo_host *host,
                                           struct dn_error *err);
/** kind->open(), schema() and next() with the columns that come from the places of the files. */
DN_NODISCARD enum dn_status dn_reader_open(struct dn_reader *r, struct dn_error *err);
DN_NODISCARD enum dn_status dn_reader_schema(struct dn_reader *r, struct ArrowSchema *out,
                                             struct dn_error *err);
DN_NODISCARD enum dn_status dn_reader_next(struct dn_reader *r, struct ArrowArray *out,
                                           struct dn_error *err);
/** Level 0: dn_reader_open() and all that rows as JSON need, up to their names: r->schema. */
DN_NODISCARD enum dn_status dn_reader_open_rows(struct dn_reader *r, struct dn_error *err);
/** NULL is allowed.  Does nothing in a child of fork(). */
void dn_reader_destroy(struct dn_reader *r);

/** "type", if there is one, is `type` (reader_config.c). */
DN_NODISCARD enum dn_status dn_reader_type_check(const struct dn_shell_config *c, const char *type,
                                                 struct dn_error *err);
/** "files", at least one; "type", if there is one, is `type`; and "connection", if one of the files is far away (reader_config.c). */
DN_NODISCARD enum dn_status dn_reader_files_read(struct dn_reader_files *files,
                                                 struct dn_shell_config *c, const char *type,
                                                 int level, struct dn_error *err);
/** Fail now, rather than in the middle of the data, if one of the files from `first` on cannot be opened. */
DN_NODISCARD enum dn_status dn_reader_files_check(const struct dn_reader_files *files, size_t first,
                                                  struct dn_error *err);

/**
 * Append [{"name","type","nullable"}...]: what discover() and report() say about columns.
 * @param inferred  NULL, or whether a column's type was inferred: "inferred" is then said, too
 */
DN_NODISCARD enum dn_status
dn_reader_append_columns(struct dn_buffer *b, const struct ArrowSchema *schema,
                         bool (*inferred)(const void *ctx, const char *name), const void *ctx,
                         struct dn_error *err);

/* The functions of Level 1 that are the same for every reader (reader_level1.c). */
typedef enum dn_status dn_reader_opener(struct dn_reader *r, const char *token,
                                        struct dn_error *err);
/** open() or open_split() of Level 1: `open` gets a handle that is configured, and the token. */
int32_t dn_reader_v1_open_by(dn_reader_opener *open, const char *config_json, const char *token,
                             const struct dativo_host *host, void **out_reader,
                             struct dativo_error *err);
int32_t dn_reader_v1_open(const char *config_json, const struct dativo_host *host,
                          void **out_reader, struct dativo_error *err);
int32_t dn_reader_v1_schema(void *reader, struct ArrowSchema *out_schema, struct dativo_error *err);
int32_t dn_reader_v1_stream(void *reader, struct ArrowArrayStream *out_stream,
                            struct dativo_error *err);
int32_t dn_reader_v1_last_error(void *reader, struct dativo_error *err);
void dn_reader_v1_progress(void *reader, struct dativo_progress *out);
void dn_reader_v1_cancel(void *reader);
void dn_reader_v1_close(void *reader);
int32_t dn_reader_v1_report(void *reader, char **out_json, struct dativo_error *err);
/* Options of every reader. */
#define DN_READER_PLACE_OPTIONS                                                                    \
    {"file_name", NULL, "text",                                                                    \
     "name of a column with the name of each row's file; default none"},                           \
        {"row_number", NULL, "text",                                                               \
         "name of a column with the number of each row, over all files, from 1; default none"},    \
        {"limit", NULL, "int", "at most so many rows, over all files; default all"},               \
    {                                                                                              \
        "hive_partitioning", NULL, "bool",                                                         \
            "folders key=value in the files' paths are columns; default false"                     \
    }
#define DN_READER_TABLE                                                                            \
    .struct_size = sizeof(struct dativo_reader_v1), .open = dn_reader_v1_open,                     \
    .schema = dn_reader_v1_schema, .stream = dn_reader_v1_stream,                                  \
    .last_error = dn_reader_v1_last_error, .progress = dn_reader_v1_progress,                      \
    .cancel = dn_reader_v1_cancel, .close = dn_reader_v1_close, .report = dn_reader_v1_report

/** Tell the host how far it is, at most a few times a second. */
void dn_reader_report_progress(struct dn_reader *r);

#endif
