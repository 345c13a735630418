/**
 * What every plugin of this project shares: texts that cross the ABI, handles that remember their first error, and the
 * reading of the host's configuration.  A plugin is a thin shell over one library; this is the shell's toolbox.
 *
 * Threads: functions without a handle are thread-safe; a handle or a configuration belongs to one thread at a time.
 */
#ifndef DN_PLUGINS_SHELL_H
#define DN_PLUGINS_SHELL_H

#include <jansson.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/owner.h"
#include "dativo/plugin.h"
#include "dativo/store.h"

/* ---------------------------------------------------------------------------------------------------------------------
 * Texts for the host (shell_text.c)
 * ------------------------------------------------------------------------------------------------------------------ */

/**
 * Begin a text in an empty buffer: room for the header that free_string() needs is set aside, and `expected` more bytes
 * are reserved.  Append to the buffer, then call dn_shell_text_end().
 */
DN_NODISCARD enum dn_status dn_shell_text_begin(struct dn_buffer *b, size_t expected,
                                                struct dn_error *err);
/** Append the NUL and move the buffer's memory into a text for dn_shell_text_free().  NULL if memory ran out. */
char *dn_shell_text_end(struct dn_buffer *b);
/** Length of what was appended since dn_shell_text_begin(). */
size_t dn_shell_text_len(const struct dn_buffer *b);
/** A text holding a copy.  NULL if memory ran out. */
char *dn_shell_text_copy(const char *text);
/** Give back any text of this file, also the static ones.  NULL is allowed. */
void dn_shell_text_free(const char *text);

/** Append {"code","message","path","row","line","column","byte_offset","retryable",...}; unknown members are null. */
DN_NODISCARD enum dn_status dn_shell_error_append(struct dn_buffer *b, const struct dn_error *error,
                                                  struct dn_error *err);
/** The Level 0 error text.  Never NULL: a static text stands in if memory ran out. */
const char *dn_shell_error_text(const struct dn_error *error);
/** {"success":bool,"message":str,"details":{...}}; `details` is the inside of the object or NULL.  Never NULL. */
const char *dn_shell_check_text(bool success, const char *message, const char *details);

/* ---------------------------------------------------------------------------------------------------------------------
 * Handles (shell_handle.c)
 * ------------------------------------------------------------------------------------------------------------------ */

/** First member of every handle of a plugin. */
struct dn_shell_handle {
    const char *plugin;    /**< name in the log */
    struct dn_owner owner; /**< the process it is for */
    struct dn_error error; /**< the first failure; code DN_OK: none */
};

void dn_shell_handle_init(struct dn_shell_handle *h, const char *plugin);
/** The handle's first failure, or that it is used in a child of fork(); DN_OK: it may be used. */
DN_NODISCARD enum dn_status dn_shell_handle_check(const struct dn_shell_handle *h,
                                                  struct dn_error *err);
/** Remember `error` if it is the handle's first one, and write one line to stderr then. */
void dn_shell_handle_fail(struct dn_shell_handle *h, const struct dn_error *error);
/** The error text of a handle that failed. */
const char *dn_shell_handle_text(const struct dn_shell_handle *h);
/** What a call with a NULL handle returns: logs, and gives an error text naming `function` and `maker`. */
const char *dn_shell_null_handle(const char *plugin, const char *function, const char *maker);
/** The body of last_error(): JSON of the handle's failure, NULL if there is none. */
const char *dn_shell_last_error(const struct dn_shell_handle *h);

/** Copy an error to the host's record, only the members its struct_size covers.  Returns st as a Level 1 code. */
int32_t dn_shell_error_export(enum dn_status st, const struct dn_error *error,
                              struct dativo_error *out);
/** Copy a host's services, only the members its struct_size covers; the others become zero.  src may be NULL. */
void dn_shell_host_read(struct dativo_host *dst, const struct dativo_host *src);
/** Copy progress out, only the members the caller's struct_size covers. */
void dn_shell_progress_export(int64_t bytes_done, int64_t bytes_total, int64_t rows_done,
                              struct dativo_progress *out);
/** The version check of dativo_plugin_get(). */
bool dn_shell_abi_matches(const char *plugin, uint32_t host_abi, struct dativo_error *err);

/* ---------------------------------------------------------------------------------------------------------------------
 * Configuration (shell_config.c, shell_option.c)
 * ------------------------------------------------------------------------------------------------------------------ */

/** One option a plugin knows; tables of these also make plugin_info() and the spelling suggestions. */
struct dn_shell_option {
    const char *name;
    const char *alias; /**< a second spelling of the same option, or NULL */
    const char *type;  /**< "bool" "int" "text" "list" "map", for people */
    const char *help;
};

/**
 * A parsed configuration.  Options are looked up in engine.options first and in engine.options.native (where connector
 * recipes put theirs) second; a null counts as absent.
 */
struct dn_shell_config {
    json_t *root;
    const json_t *options; /**< engine.options or NULL */
    const json_t *native;  /**< engine.options.native or NULL */
    const struct dn_shell_option *table;
    size_t n_table;
    struct dn_arena arena; /**< lists and expanded texts live here */
};

/**
 * Parse one JSON object and stop behind it: whatever follows is not looked at, so `text` needs no NUL.  An option the table
 * does not know is an error that suggests the closest one; recipe keys of engine.options.native that describe other
 * engines are let through.
 * @param text  may be NULL: an error.
 */
DN_NODISCARD enum dn_status dn_shell_config_init(struct dn_shell_config *c, const char *text,
                                                 const struct dn_shell_option *table,
                                                 size_t n_table, struct dn_error *err);
/** Zeroed memory is accepted. */
void dn_shell_config_finish(struct dn_shell_config *c);

/** Exactly one JSON value at the start of `text`; a failure says at which line and byte. */
DN_NODISCARD enum dn_status dn_shell_json_parse(json_t **out, const char *text, const char *what,
                                                struct dn_error *err);
/** The text of a value; NULL if it is no text, or one with a NUL in it, of which C texts would lose the rest. */
const char *dn_shell_text_value(const json_t *value);
/** Member of an object that is not null, else NULL (also for a NULL object). */
const json_t *dn_shell_get(const json_t *object, const char *key);
/** Text member; absent leaves *out alone, another type is an error that names `where`.`key`. */
DN_NODISCARD enum dn_status dn_shell_get_text(const json_t *object, const char *where,
                                              const char *key, const char **out,
                                              struct dn_error *err);

/**
 * The options by name (an alias in the same place counts, after the name).  An absent option leaves *out alone.  Numbers
 * and booleans may be written as texts.  Errors name the full key and the value found.
 */
DN_NODISCARD enum dn_status dn_shell_option_text(const struct dn_shell_config *c, const char *name,
                                                 const char **out, struct dn_error *err);
DN_NODISCARD enum dn_status dn_shell_option_bool(const struct dn_shell_config *c, const char *name,
                                                 bool *out, struct dn_error *err);
DN_NODISCARD enum dn_status dn_shell_option_int(const struct dn_shell_config *c, const char *name,
                                                int64_t min, int64_t max, int64_t *out,
                                                struct dn_error *err);
/** A list of texts, or one text as a list of one; the array lives in the configuration. */
DN_NODISCARD enum dn_status dn_shell_option_list(struct dn_shell_config *c, const char *name,
                                                 const char *const **out, size_t *n_out,
                                                 struct dn_error *err);
/** A list of whole numbers; the array lives in the configuration. */
DN_NODISCARD enum dn_status dn_shell_option_ints(struct dn_shell_config *c, const char *name,
                                                 int32_t min, const int32_t **out, size_t *n_out,
                                                 struct dn_error *err);
/** Is it given as a number, and not as a text? */
bool dn_shell_option_is_number(const struct dn_shell_config *c, const char *name);
/** Whether the configuration has the option at all. */
bool dn_shell_option_is_set(const struct dn_shell_config *c, const char *name);
/** Is it given, as that text? */
bool dn_shell_option_is(const struct dn_shell_config *c, const char *name, const char *text);
/** One of `words`, which end with NULL: *out is its place. */
DN_NODISCARD enum dn_status dn_shell_option_word(const struct dn_shell_config *c, const char *name,
                                                 const char *const *words, uint32_t *out,
                                                 struct dn_error *err);
/** As it is written; NULL: it is not. */
const json_t *dn_shell_option_value(const struct dn_shell_config *c, const char *name);
/** An object, or NULL. */
DN_NODISCARD enum dn_status dn_shell_option_map(const struct dn_shell_config *c, const char *name,
                                                const json_t **out, struct dn_error *err);
/** From now on the option has this value; takes the reference.  For an option that was found. */
DN_NODISCARD enum dn_status dn_shell_option_set(struct dn_shell_config *c, const char *name,
                                                json_t *value, struct dn_error *err);
/** Fail with "engine.options.<key>: <problem>, not <value>", the key as the user wrote it. */
enum dn_status dn_shell_option_error(const struct dn_shell_config *c, const char *name,
                                     const char *problem, struct dn_error *err);

/**
 * What "connection" says, flat or under "s3" or "minio", and "credentials" behind it (shell_connection.c).  Only for configurations that
 * name something at S3 or on the web: connections to other things may have other keys.
 * @param expands  Level 0: the host leaves ${VAR} in these values as it is, and has names of its own in the environment
 *                 (S3_ENDPOINT, MINIO_ENDPOINT, MINIO_ACCESS_KEY, MINIO_SECRET_KEY).  Not if the configuration says "expanded": true.
 * @param out      memory of the configuration; all texts are its, or the environment's
 */
DN_NODISCARD enum dn_status dn_shell_connection_read(struct dn_shell_config *c, bool expands,
                                                     struct dn_store_options **out,
                                                     struct dn_error *err);

/** The body of plugin_info(); never NULL. */
const char *dn_shell_info_text(const char *plugin, const char *role, const char *description,
                               const struct dn_shell_option *table, size_t n_table);

#endif
