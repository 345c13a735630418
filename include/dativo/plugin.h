/**
 * The dativo plugin ABI: everything a host and a plugin say to each other.
 *
 * Three levels live in one shared library; a feature exists if its symbol does.
 *
 *   Level 0    seven C functions that speak JSON; the contract of existing hosts.  Never changes.
 *   Level 0.5  flat optional functions for hosts that speak JSON but want more.
 *   Level 1    one entry point, dativo_plugin_get(), that hands out versioned tables of functions and passes Arrow columns.
 *
 * A plugin exports only the symbols it implements, hides everything else, and is never unloaded: link it with
 * `-Wl,-z,nodelete` (release callbacks of Arrow data live in it).  It prints nothing on stdout, installs no signal handler,
 * and never calls setlocale, chdir, fork or exit.
 *
 * Fork: a handle works only in the process that opened it.  In a child of fork() every function of it returns an error at once
 * (DATIVO_ERR_INVALID, the error text at Level 0), and close(), abort(), cancel(), free_reader() and free_writer() do nothing: the
 * threads are not there, and the files are the parent's.  The child may open handles of its own, and release batches it got before.
 *
 * Growth: every struct starts with `struct_size`, the size its maker compiled with.  New members are appended; a reader of
 * a struct uses a member only if `struct_size` covers it.  Nothing is ever removed, reordered or given a new meaning.  The macros
 * DATIVO_..._V1_0_SIZE are the sizes that the structs of ABI version 1.0 have: a host takes every table that is not smaller.
 */
#ifndef DATIVO_PLUGIN_H
#define DATIVO_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#include "arrow.h"

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#    define DATIVO_EXPORT __declspec(dllexport)
#elif defined(__GNUC__) || defined(__clang__)
#    define DATIVO_EXPORT __attribute__((visibility("default")))
#else
#    define DATIVO_EXPORT
#endif

/* ------------------------------------------------------------------------------------------------------------------
 * Level 0: records as JSON.
 *
 * Configurations are one JSON object each, NUL-terminated or not: a plugin parses exactly one JSON value and stops at its
 * closing brace.  Handles are used by one thread at a time; different handles are independent.  A returned text is
 * NUL-terminated UTF-8, owned by the plugin's allocator, and given back with one call of free_string().
 *
 * Errors: existing hosts take NULL, `[]`, `{}` and `null` for "end of data" and would lose rows in silence.  So a plugin
 * that fails returns a non-empty text that is NOT JSON:
 *
 *     DATIVO_PLUGIN_ERROR {"code":"data","message":"...","path":"...","row":4,"line":5,"column":"price","byte_offset":77}
 *
 * It also prints one JSON log line on stderr ({"timestamp","level":"ERROR","message","event_type":"plugin_error"}), and
 * every later call on the same handle returns the error again.  create_* never returns NULL for a bad configuration: the
 * handle's first call returns the error.  A NULL handle gives the error text too.
 * ------------------------------------------------------------------------------------------------------------------ */

/** First bytes of every Level 0 error text.  Never the start of a JSON document. */
#define DATIVO_ERROR_PREFIX "DATIVO_PLUGIN_ERROR "

#ifndef DATIVO_NO_PROTOTYPES /* a host that looks symbols up by name does not need the declarations below */

/**
 * Open a reader.  The job names this function (`path/lib.so:create_reader`).
 * @param config_json  {type, connection, credentials, objects, files:[{path|file,id,object}], incremental, engine}; any
 *                     value may be null; options at engine.options.* or engine.options.native.* (the former wins).
 * @return A handle, to be passed to free_reader().  Never NULL unless memory ran out.
 */
DATIVO_EXPORT void *create_reader(const char *config_json);

/**
 * Next batch as a JSON array of records, `[{"col":value,...},...]`, never an empty one.
 * @return Text for free_string(); NULL at the end of the data (and nowhere else); an error text as above.
 */
DATIVO_EXPORT const char *extract_batch(void *reader);

/** Close a reader.  Legal in the middle of the data and on NULL. */
DATIVO_EXPORT void free_reader(void *reader);

/**
 * Open a writer.
 * @param config_json  {asset_name, schema:[{name,type?,required?,...}], output_base, target_type, connection, file_format,
 *                     engine}; `${VAR}` and `${VAR:-default}` in connection values arrive unexpanded.
 */
DATIVO_EXPORT void *create_writer(const char *config_json);

/**
 * Write one batch as a finished, durable file.  Writers of one table that are open at the same time are one run, whatever their threads
 * and processes: no file of a run is ever replaced by it, and those of earlier runs are, name by name, so that rows are there once.
 * @param records_json  {"records":[...],"file_counter":n} or a bare array of records.
 * @return Text for free_string(): a non-empty JSON list of {"path":str,"size_bytes":int,"record_count":int}, or an error
 *         text as above.  Never NULL.
 */
DATIVO_EXPORT const char *write_batch(void *writer, const char *records_json);

/**
 * Close a writer.  Files already returned stay; nothing else is left behind.  Legal on NULL.  A run ends with its last writer: what is
 * created after that is a new one.
 */
DATIVO_EXPORT void free_writer(void *writer);

/** Give back a text returned by any function of this plugin.  Legal on NULL. */
DATIVO_EXPORT void free_string(const char *text);

/* ------------------------------------------------------------------------------------------------------------------
 * Level 0.5: optional flat symbols.  All returned texts go back through free_string().
 * ------------------------------------------------------------------------------------------------------------------ */

/** The handle's last error as JSON {code,message,path,row,line,column,byte_offset,retryable}, or NULL if none.  Unknown: null. */
DATIVO_EXPORT const char *last_error(void *handle);

/** {"name","version","abi","levels":[...],"roles":["reader"|"writer"],"options":[...]}.  Never NULL. */
DATIVO_EXPORT const char *plugin_info(void);

/** {"success":bool,"message":str,"details":{...}} for a reader's or writer's configuration.  Never NULL. */
DATIVO_EXPORT const char *check_connection(const char *config_json);

/** {"objects":[{"name","type","rows","columns":[{"name","type","nullable"}]}]} of what the configuration reaches, or an error text.  rows: how many, perhaps by estimate, or null. */
DATIVO_EXPORT const char *discover(const char *config_json);

/** Acknowledge the files write_batch() returned: {"files_committed":n,...}, or an error text.  They are durable already. */
DATIVO_EXPORT const char *commit_files(void *writer, const char *files_json);

#endif /* DATIVO_NO_PROTOTYPES */

/* ------------------------------------------------------------------------------------------------------------------
 * Level 1: versioned tables and Arrow columns.
 * ------------------------------------------------------------------------------------------------------------------ */

/** Major in the high 16 bits (a break), minor in the low 16 (an addition). */
#define DATIVO_ABI_VERSION ((uint32_t)0x00010002u)

/** The bytes of a struct up to and with one member. */
#define DATIVO_SIZE_THROUGH(type, member) (offsetof(type, member) + sizeof(((type *)0)->member))

/** Name of the one entry point, for dlsym(). */
#define DATIVO_PLUGIN_GET_SYMBOL "dativo_plugin_get"

/** Extension names for dativo_plugin.get_extension(). */
#define DATIVO_EXT_READER "dativo.reader/1"
#define DATIVO_EXT_WRITER "dativo.writer/1"
#define DATIVO_EXT_INSPECTOR "dativo.inspector/1"
#define DATIVO_EXT_REJECTS "dativo.rejects/1"

/** Return codes of every Level 1 function.  Append only. */
#define DATIVO_OK 0
#define DATIVO_ERR_INVALID 1     /* an argument or option is wrong */
#define DATIVO_ERR_CONFIG 2      /* the configuration text is wrong */
#define DATIVO_ERR_DATA 3        /* the data is malformed */
#define DATIVO_ERR_TYPE 4        /* a value does not fit its column's type; column and suggested_type are set */
#define DATIVO_ERR_NOT_FOUND 5   /* file, symbol or table is not there */
#define DATIVO_ERR_EXISTS 6      /* destination exists, overwriting not asked for */
#define DATIVO_ERR_IO 7          /* the operating system refused; os_errno is set */
#define DATIVO_ERR_MEMORY 8      /* allocation failed or a cap was reached */
#define DATIVO_ERR_UNSUPPORTED 9 /* legal, but not by this plugin */
#define DATIVO_ERR_CANCELLED 10  /* the host asked to stop */
#define DATIVO_ERR_TEMPORARY 11  /* trying again later may work */
#define DATIVO_ERR_INTERNAL 12   /* a defect of the plugin */

/**
 * One error, in the caller's memory.  The caller sets struct_size; the plugin fills the rest on failure only.  Unknown
 * positions are -1, unknown texts "".  Rows and lines count from 1 (a row is a data row, a line a physical line),
 * byte_offset from 0.  All texts are NUL-terminated UTF-8, cut at a character boundary if too long.
 */
struct dativo_error {
    uint32_t struct_size;
    int32_t code;      /* DATIVO_ERR_* */
    int32_t os_errno;  /* 0 if none */
    int32_t retryable; /* 1: the same call may work later */
    int64_t row;
    int64_t line;
    int64_t byte_offset;
    char path[512];
    char column[128];
    char expected[64];
    char suggested_type[32]; /* DATIVO_ERR_TYPE: the narrowest type name that holds the old values and this one */
    char message[1024];
    char option[64]; /* since 1.1: the key of engine.options that is wrong, as the configuration has it */
    char value[64];  /* since 1.2: the text that is wrong, escaped and cut as messages show it, without quotes */
};
#define DATIVO_ERROR_V1_2_SIZE DATIVO_SIZE_THROUGH(struct dativo_error, value)
#define DATIVO_ERROR_V1_1_SIZE DATIVO_SIZE_THROUGH(struct dativo_error, option)
#define DATIVO_ERROR_V1_0_SIZE DATIVO_SIZE_THROUGH(struct dativo_error, message)

/** How far a reader is.  Unknown totals are -1. */
struct dativo_progress {
    uint32_t struct_size;
    uint32_t reserved;
    int64_t bytes_done; /* of the source, as stored */
    int64_t bytes_total;
    int64_t rows_done; /* handed out through the stream */
};
#define DATIVO_PROGRESS_V1_0_SIZE DATIVO_SIZE_THROUGH(struct dativo_progress, rows_done)

/** Levels for dativo_host.log. */
#define DATIVO_LOG_DEBUG 10
#define DATIVO_LOG_INFO 20
#define DATIVO_LOG_NOTE 25 /* of interest to who runs it; hosts that do not know it take it for DATIVO_LOG_INFO */
#define DATIVO_LOG_WARNING 30
#define DATIVO_LOG_ERROR 40

/**
 * What the host offers.  Any function pointer may be NULL; the struct and ctx outlive every handle opened with them, and
 * every function may be called from any thread.
 */
struct dativo_host {
    uint32_t struct_size;
    uint32_t n_threads; /* threads behind submit(), or that the plugin may start itself; 0: the plugin decides */
    void *ctx;          /* first argument of every function below */
    void (*log)(void *ctx, int32_t level, const char *event_type, const char *message);
    int32_t (*cancelled)(void *ctx);                             /* 1: stop soon with DATIVO_ERR_CANCELLED */
    void (*progress)(void *ctx, const struct dativo_progress *); /* at most a few times a second */
    /* Run fn(arg) once on the host's threads; 0 if accepted.  Tasks may wait only for tasks submitted before them. */
    int32_t (*submit)(void *ctx, void (*fn)(void *arg), void *arg);
    uint64_t memory_budget_bytes; /* what this handle may hold at a time; 0: the plugin's default */
    uint64_t memory_total_bytes;  /* the user's budget, of which that is a share: for messages; 0: there is none */
};
#define DATIVO_HOST_V1_0_SIZE DATIVO_SIZE_THROUGH(struct dativo_host, memory_budget_bytes)

/** What dativo_plugin_get() returns: static, never freed. */
struct dativo_plugin {
    uint32_t struct_size;
    uint32_t abi_version; /* DATIVO_ABI_VERSION the plugin was compiled with */
    const char *name;     /* e.g. "csv_reader" */
    const char *version;  /* e.g. "0.1.0" */
    const char *description;
    const void *(*get_extension)(const char *name); /* a table below, or NULL if the plugin has none of that name */
    void (*free_text)(char *text);                  /* gives back every char * that a table's function handed out */
};
#define DATIVO_PLUGIN_V1_0_SIZE DATIVO_SIZE_THROUGH(struct dativo_plugin, free_text)

/**
 * The one entry point of Level 1.
 * @param host_abi  DATIVO_ABI_VERSION of the host.
 * @return The plugin, or NULL with a readable error if the major version is not supported.  Thread-safe.
 */
DATIVO_EXPORT const struct dativo_plugin *dativo_plugin_get(uint32_t host_abi, struct dativo_error *err);

/**
 * A reader: opens a source and hands out one stream of record batches.  One handle, one thread at a time, except
 * progress() and cancel(), which any thread may call between open() and close().
 */
struct dativo_reader_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    /** Open.  config_json is a Level 0 reader configuration; unknown option keys are errors.  host may be NULL. */
    int32_t (*open)(const char *config_json, const struct dativo_host *host, void **out_reader,
                    struct dativo_error *err);

    /** The schema of every batch: a struct with one child per column.  Moved to the caller. */
    int32_t (*schema)(void *reader, struct ArrowSchema *out_schema, struct dativo_error *err);

    /** The rows, in source order.  Once per reader.  The stream must be released before close(). */
    int32_t (*stream)(void *reader, struct ArrowArrayStream *out_stream, struct dativo_error *err);

    /** The error behind the stream's failure, in full; schema(), stream() and report() return it, too.  Returns its code, DATIVO_OK if there is none. */
    int32_t (*last_error)(void *reader, struct dativo_error *err);

    /** How far it is.  Thread-safe. */
    void (*progress)(void *reader, struct dativo_progress *out);

    /** Ask the stream to end with DATIVO_ERR_CANCELLED.  Thread-safe, returns at once. */
    void (*cancel)(void *reader);

    /** Release everything.  Batches already handed out stay valid.  NULL is allowed. */
    void (*close)(void *reader);

    /**
     * Cut the source into pieces of about target_bytes (0: as the plugin likes): a JSON list of {"token","path","bytes"}, and "rows"
     * where it is known.  A token is opaque and may be used by another process.  The pieces hold every row exactly once, in this order.
     * May read the whole source; host.cancelled ends that.  NULL pointer: one piece only.
     * A source that changes while it is read says "snapshot", too: the name of the moment that all pieces are of, and then tokens are good
     * only while this reader is open (hold()), or null: each piece is of the moment in which it is read, as the configuration asked for.
     */
    int32_t (*splits)(void *reader, uint64_t target_bytes, char **out_json, struct dativo_error *err);

    /**
     * Open one piece, with the configuration it was cut with: another one, or a source that changed since, is an error.  The reader is
     * like that of open(), but for splits().  NULL pointer: not supported.
     */
    int32_t (*open_split)(const char *config_json, const char *token, const struct dativo_host *host, void **out_reader,
                          struct dativo_error *err);

    /**
     * A summary of the finished stream as JSON: {"rows","bytes","files","counters":{...},"warnings":[{"event_type","message"}],
     * "columns":[{"name","type","inferred":bool}]}.  A host shows the warnings.  Valid after the stream's end.
     */
    int32_t (*report)(void *reader, char **out_json, struct dativo_error *err);

    /**
     * Read the whole source once, for nothing but the types of its values: {"columns":[{"name","type","nullable"}]}.  With those
     * that are wider than in the reader's schema as the option "widened" no value is refused: a host that got DATIVO_ERR_TYPE
     * starts over once, whatever the number of such columns.  Behind those of the schema may come columns that it lacks, for readers that
     * find columns as they go.  Errors of the data are left to the reading.  NULL pointer: a host
     * learns one column at a time, from suggested_type.
     */
    int32_t (*find_types)(const char *config_json, const struct dativo_host *host, char **out_json,
                          struct dativo_error *err);

    /**
     * Where reading can go on next time, once these rows are safe: {"cursor_field","last_value"}.  last_value is the text that the option
     * cursor_after takes: the largest value of what open() saw, or the one that cursor_after had if nothing is above it, or null if there
     * is none.  {} if the configuration has no cursor.  From open() on, whether rows were read or not.  NULL pointer: a reader without
     * cursors.
     */
    int32_t (*state)(void *reader, char **out_json, struct dativo_error *err);

    /**
     * What the reader sees in the source, as JSON.  `what` is one of
     * "dialects": ways to read its text, the likeliest first: {"dialects":[{"delimiter",...,"score","reason","flags"}]};
     * "sample": {"columns":[{"name","type","nullable","why":{...}}]}: what in the sample made each type what it is;
     * "all": the same of every value, which takes one pass over the source, with "nulls".
     * DATIVO_ERR_UNSUPPORTED: another word.  NULL pointer: a reader whose types are those of the source.
     */
    int32_t (*explain)(const char *config_json, const char *what, const struct dativo_host *host, char **out_json,
                       struct dativo_error *err);

    /**
     * Of a reader whose stream was not asked for: does it still hold the snapshot that splits() named?  If it does not, for good, tokens that
     * nobody has opened yet cannot be opened.  May ask a server; to be called every few seconds.  NULL pointer: there is nothing to hold.
     */
    int32_t (*hold)(void *reader, struct dativo_error *err);
};
#define DATIVO_READER_V1_0_SIZE DATIVO_SIZE_THROUGH(struct dativo_reader_v1, report)
/** What a host cannot do without: splits, open_split and report may be missing. */
#define DATIVO_READER_V1_LEAST_SIZE DATIVO_SIZE_THROUGH(struct dativo_reader_v1, close)

/** Of a reader that sets rows aside: which, and why. */
struct dativo_rejects_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    /**
     * The rows that are set aside, in source order: file, line, row, byte (of what is wrong; lines and rows from 1, bytes from 0), column (or
     * null: the row as such), code, expected, and raw, the row as it is written; int64 and utf8.  Once per reader, in front of the first
     * batch of its stream.  Each get_next() gives what came since the last one: a batch without rows if nothing did, and the end if nothing
     * is to come.  Same thread as the stream; released before close().
     */
    int32_t (*stream)(void *reader, struct ArrowArrayStream *out_stream, struct dativo_error *err);
};
#define DATIVO_REJECTS_V1_0_SIZE DATIVO_SIZE_THROUGH(struct dativo_rejects_v1, stream)

/**
 * A writer: takes record batches and makes one file.  Nothing is visible under its final name before commit().  One
 * handle, one thread at a time.
 *
 * A handle that failed stays failed, whichever function it was: every later one returns the first error, and commit() makes no
 * file.  Rows that a failed call was given would be missing from it.  Calls out of order are failures, too.
 */
struct dativo_writer_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    /**
     * Open.  config_json is a Level 0 writer configuration with "path" (the final file name) beside it; schema is
     * borrowed for the call.  host may be NULL.
     */
    int32_t (*open)(const char *config_json, const struct ArrowSchema *schema, const struct dativo_host *host,
                    void **out_writer, struct dativo_error *err);

    /**
     * Append one batch, a struct array of the schema given to open().  Moved: the writer releases it, perhaps later and
     * on another thread.  May block while the memory budget is used up.
     */
    int32_t (*append)(void *writer, struct ArrowArray *batch, struct dativo_error *err);

    /** Append every batch of a stream.  The stream is borrowed: the caller releases it. */
    int32_t (*append_stream)(void *writer, struct ArrowArrayStream *stream, struct dativo_error *err);

    /**
     * Encode what is left and make the temporary file complete and durable.
     * @param out_manifest_json  [{"path","size_bytes","record_count","columns":[{"name","min","max","null_count"}]}]
     */
    int32_t (*finish)(void *writer, char **out_manifest_json, struct dativo_error *err);

    /** Give the finished file its final name.  After it the rows are there exactly once. */
    int32_t (*commit)(void *writer, struct dativo_error *err);

    /** Throw the file away.  Legal at any time before commit(). */
    void (*abort)(void *writer);

    /** Release everything; aborts if commit() was not called.  NULL is allowed. */
    void (*close)(void *writer);
};
#define DATIVO_WRITER_V1_0_SIZE DATIVO_SIZE_THROUGH(struct dativo_writer_v1, close)

/** An inspector: tells what is in a finished file, and whether it is as it should be.  Thread-safe, no handles. */
struct dativo_inspector_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    /**
     * Describe a file as one JSON object.
     * @param options_json  NULL or {"rows":n}: also return the first n rows, as {"rows":[{...}]}, values as in Level 0;
     *                      "connection" beside it: that of a configuration, for a file that is far away.
     * @param out_json      {"format","path","size_bytes","record_count","created_by","schema":[...],"row_groups":[...]}
     */
    int32_t (*inspect)(const char *path, const char *options_json, char **out_json, struct dativo_error *err);

    /**
     * Hold a file against the rules of its format.  May be missing.
     * @param options_json  NULL or {"threads":n,"findings":n}: how many threads, and how many findings are listed at most;
     *                      "connection" as above.
     * @param out_json      {"path","size_bytes","record_count","errors","notes",...,"findings":[{"severity":"error"|"note","rule",
     *                      "row_group","column","page","byte","message"}]}
     * @return DATIVO_OK also where there are findings; an error only if the file could not be read at all.
     */
    int32_t (*verify)(const char *path, const char *options_json, char **out_json, struct dativo_error *err);
};
#define DATIVO_INSPECTOR_V1_0_SIZE DATIVO_SIZE_THROUGH(struct dativo_inspector_v1, inspect)

#ifdef __cplusplus
}
#endif
#endif
