/**
 * What every writer plugin shares: the target and the asset of a configuration (writer_config.c, writer_within.c), names of files
 * (writer_paths.c), whose files they are (writer_run.c), Level 0 and 0.5 (writer.c), the table of Level 1 (writer_level1.c).
 * A writer plugin is a `struct dn_writer_kind` over one library; there is one kind per shared library, `dn_writer_kind`.
 *
 * Threads: a writer belongs to one thread at a time.
 */
#ifndef DN_PLUGINS_WRITER_H
#define DN_PLUGINS_WRITER_H

#include "shell.h"

#include "arrow/schema.h"
#include "base/pool.h"
#include "store/file/temporary.h"
#include "store/s3/reply.h"
#include "json/records.h"

#include <stdatomic.h>
#include <sys/types.h>

/** What a library's writer is opened with, whatever its format. */
struct dn_writer_means {
    bool overwrite; /**< Level 0 decides file by file */
    uint32_t n_threads;
    uint64_t memory_budget_bytes;
    uint64_t memory_total_bytes;
    void *submit_ctx;
    int32_t (*submit)(void *ctx, void (*fn)(void *arg), void *arg);
    int32_t (*cancelled)(void *ctx); /**< with submit_ctx; NULL: never */
    const struct dn_store_options
        *store;    /**< what the connection says; NULL: the target is local */
    void *context; /**< the kind's; NULL: none was made */
};

/** One kind of target. */
struct dn_writer_kind {
    struct dativo_plugin plugin; /**< DN_WRITER_PLUGIN() */
    const char *format;          /**< file_format, as configurations have it */
    const char *ending;          /**< of its files' names, e.g. ".csv" */
    bool
        distinct_names; /**< its readers find columns by name: those that share one are written under names of their own */
    bool nested; /**< it has lists, structs and maps; else they are written as JSON text */
    const struct dn_shell_option *options;
    const size_t *n_options;                     /**< the table counts itself */
    const struct dativo_inspector_v1 *inspector; /**< or NULL */

    /** Read the options of its own into memory of c->arena; *note: what the user should know of them, or left alone. */
    enum dn_status (*configure)(struct dn_shell_config *c, void **out_own, const char **note,
                                struct dn_error *err);
    /** What is made once for files that are written one after the other; NULL: nothing. */
    enum dn_status (*create_context)(void **out, struct dn_error *err);
    void (*destroy_context)(void *context); /**< NULL is allowed */
    enum dn_status (*open)(void **out_file, const char *path, const struct ArrowSchema *schema,
                           const void *own, const struct dn_writer_means *means,
                           struct dn_error *err);
    enum dn_status (*append)(void *file, struct ArrowArray *batch, struct dn_error *err);
    enum dn_status (*finish)(void *file, struct dn_error *err);
    enum dn_status (*commit)(void *file, struct dn_error *err);
    uint64_t (*size)(const void *file); /**< in bytes, once it is finished */
    enum dn_status (*manifest)(void *file, char **out_json, struct dn_error *err);
    void (*free_manifest)(void *text);
    void (*close)(void *file); /**< NULL is allowed */
};

/** The plugin's own. */
extern const struct dn_writer_kind dn_writer_kind;

const void *dn_writer_extension(const char *name);
void dn_writer_free_text(char *text);
/* clang-format off */
#define DN_WRITER_PLUGIN(plugin_name, plugin_description)                                          \
    {                                                                                              \
        .struct_size = sizeof(struct dativo_plugin), .abi_version = DATIVO_ABI_VERSION,            \
        .name = (plugin_name), .version = DN_VERSION, .description = (plugin_description),         \
        .get_extension = dn_writer_extension, .free_text = dn_writer_free_text,                    \
    }
/* clang-format on */

/** The options of every writer, to be put into the table of each. */
/* clang-format off */
#define DN_WRITER_OPTIONS                                                                          \
    {"overwrite", NULL, "bool",                                                                    \
     "replace files that exist; Level 0: those of earlier runs, when this one is over; default true"},                    \
        {"extra_columns", NULL, "text",                                                            \
         "Level 0: keys that the schema does not declare: keep drop error; default keep, as "      \
         "columns of their own"},                                                                  \
        {"lone_surrogates", NULL, "text",                                                          \
         "Level 0: escapes that are half a surrogate pair: replace error; default replace, by "    \
         "U+FFFD"},                                                                                \
        {"dates", NULL, "text",                                                                    \
         "Level 0: what the type date of a schema becomes: date timestamp; default date, "         \
         "timestamp is what the Python host's own writer makes of it"},                            \
        {"batch_size", "chunk_size", "int",                                                        \
         "Level 0: records of a call, at least 1; the host's business: a file has what one brings"}, \
        {"n_threads", NULL, "int", "threads to encode with, 0: one per CPU"},                      \
        {"enforce_required", NULL, "bool",                                                         \
         "a null in a required column is an error, and such columns are not nullable"},            \
        {"content_type", NULL, "text", "of objects; default that of the format"},                  \
        {"metadata", NULL, "map", "of objects: name -> text, x-amz-meta-NAME"},                    \
        {"tags", NULL, "map", "of objects: name -> text, at most 10"},                             \
        {"storage_class", NULL, "text", "of objects, e.g. STANDARD_IA; default the bucket's"},     \
        {"encryption", "sse", "text",                                                              \
         "of objects, by the service: AES256, aws:kms or aws:kms:dsse; default the bucket's"},     \
        {"kms_key_id", NULL, "text", "the key of aws:kms; default the account's"},                 \
    {                                                                                              \
        "output_dir", NULL, "text", "directory that stands for s3://bucket in output_base"         \
    }
/* clang-format on */

/** Which existing files give way to a batch's.  Never those of the run that is under way. */
enum dn_writer_overwrite {
    DN_WRITER_OVERWRITE_EARLIER, /**< what earlier runs left */
    DN_WRITER_OVERWRITE_NONE
};

/** Entries of the option metadata, at most. */
#define DN_WRITER_MOST_METADATA 32

/** What a configuration asks of any writer.  All texts live in the configuration's arena or tree. */
struct dn_writer_target {
    struct dn_writer_means means;

    /* Level 0 only; Level 1 has means.overwrite */
    enum dn_writer_overwrite overwrite;
    const char *directory; /**< where the files of the batches go */
    size_t shown_from;     /**< bytes in front of it that the configuration did not have */
    const char *stem;      /**< file name without counter and ending */
    const char *file;      /**< output_base names one file: the first batch goes there; else NULL */
    struct dn_record_field *fields;
    int64_t n_fields;
    struct dn_records_options records; /**< how those are read */
    bool dates_as_timestamps;
    bool lists; /**< writing batches looks at what is in the bucket already */

    /* Level 1 only */
    const char *path;
    const struct dativo_host
        *host; /**< whose log is told what happens to objects; NULL: stderr is */
};

/* ---------------------------------------------------------------------------------------------------------------------
 * Configuration (writer_config.c)
 * ------------------------------------------------------------------------------------------------------------------ */

/** Read file_format and the options DN_WRITER_OPTIONS. */
DN_NODISCARD enum dn_status dn_writer_target_read(struct dn_writer_target *t,
                                                  struct dn_shell_config *c, struct dn_error *err);
/** The type of a column whose name is set, as the entry `item` of the asset's schema has it; `where` is "schema[0]." (writer_within.c). */
DN_NODISCARD enum dn_status dn_writer_field_read(struct dn_record_field *out, const json_t *item,
                                                 bool dates_as_timestamps, const char *where,
                                                 struct dn_arena *arena, struct dn_error *err);
/** Read "path", the final file name of Level 1. */
DN_NODISCARD enum dn_status dn_writer_target_read_path(struct dn_writer_target *t,
                                                       struct dn_shell_config *c,
                                                       struct dn_error *err);
/** Read asset name, schema and output_base, in either shape of the configuration. */
DN_NODISCARD enum dn_status dn_writer_target_read_asset(struct dn_writer_target *t,
                                                        struct dn_shell_config *c,
                                                        struct dn_error *err);

/**
 * Read the connection of a target at S3, and what its objects get besides their bytes: "object", which a host makes of the asset, under
 * the options of DN_WRITER_OPTIONS (writer_object.c).  Those are checked for every target.
 */
DN_NODISCARD enum dn_status dn_writer_target_read_store(struct dn_writer_target *t,
                                                        struct dn_shell_config *c, int level,
                                                        struct dn_error *err);

/* ---------------------------------------------------------------------------------------------------------------------
 * Names of files (writer_paths.c)
 * ------------------------------------------------------------------------------------------------------------------ */

/**
 * The path of a batch's file: counter and, if unique > 0, "-unique".  Written to b with a NUL.
 */
DN_NODISCARD enum dn_status dn_writer_file_path(struct dn_buffer *b,
                                                const struct dn_writer_target *t, int64_t counter,
                                                unsigned unique, struct dn_error *err);
/** Make the directory absolute: it stays the same one when the process changes its own. */
DN_NODISCARD enum dn_status dn_writer_settle_directory(struct dn_writer_target *t,
                                                       struct dn_arena *arena,
                                                       struct dn_error *err);
/** Fail unless files can be made in the directory, or the directory can be made: a folder is, and is removed. */
DN_NODISCARD enum dn_status dn_writer_check_directory(const char *directory, struct dn_error *err);

/* ---------------------------------------------------------------------------------------------------------------------
 * Whose files they are (writer_run.c)
 * ------------------------------------------------------------------------------------------------------------------ */

/**
 * The run a writer of Level 0 takes part in, see docs/adr/0006-who-owns-a-file.md (writer_run.c).  Two writers of a table that
 * are open at the same time are of one run, whatever their threads and processes.
 */
struct dn_writer_run {
    struct dn_writer_run *next;   /**< of this process */
    struct dn_writer_run *before; /**< the folder was renamed: what is held in it still */
    const char *directory;
    int dir_fd;
    int fd; /**< of the file that holds locks and list; -1: there is none */
    dev_t folder_dev;
    ino_t folder_ino;
    ino_t marker_ino;
    off_t claimed; /**< byte whose lock holds a name; 0: none */
    off_t entry;   /**< where the last announcement's flag is */
    off_t member;  /**< where this writer's own flag is */
    bool done;     /**< and what it says: all that it acknowledged is what its run was to write */
    struct dn_buffer passed;  /**< names that were taken, each with a NUL */
    struct dn_buffer foreign; /**< another user's list, which gave way to this one */
    bool joined;
    bool made;             /**< the file was not there before */
    bool replaces_nothing; /**< does without the file where it has to */
    char name[256];
};

/** Take part; makes the directory.  DN_ERR_IO: no locks there, unless no file is ever replaced. */
DN_NODISCARD enum dn_status dn_writer_run_join(struct dn_writer_run *run,
                                               const struct dn_writer_target *t,
                                               struct dn_error *err);
/**
 * Zeroed memory is accepted.  When the last one leaves, and all have left `well`, the files of earlier runs are removed.  What fails is
 * said in the log.
 * @param well  nothing failed: what was acknowledged is all that was to be written
 */
void dn_writer_run_leave(struct dn_writer_run *run, bool well);
/** Say so before leaving; it holds until the next announcement. */
DN_NODISCARD enum dn_status dn_writer_run_set_done(struct dn_writer_run *run, bool done,
                                                   struct dn_error *err);
/** Before a name is looked for: take part again if the file was taken away, or the folder is another one now. */
DN_NODISCARD enum dn_status dn_writer_run_refresh(struct dn_writer_run *run, struct dn_error *err);
/** Keep all other writers of the run from the name of a file; *out false: one of them has it in hand. */
DN_NODISCARD enum dn_status dn_writer_run_claim(struct dn_writer_run *run, const char *path,
                                                bool *out, struct dn_error *err);
void dn_writer_run_unclaim(struct dn_writer_run *run);
/** There is a file of that name.  If it is none of this run, it is removed with those of earlier runs. */
DN_NODISCARD enum dn_status dn_writer_run_pass(struct dn_writer_run *run, const char *path,
                                               struct dn_error *err);
/** With the name claimed: is the file of that name one of this run? */
DN_NODISCARD enum dn_status dn_writer_run_owns(const struct dn_writer_run *run, const char *path,
                                               bool *out, struct dn_error *err);
/**
 * Around the moment in which a file gets its name: announce() may fail for want of room, own() has no reason to.  DN_ERR_EXISTS: the
 * run's file was taken away since the name was claimed.
 */
DN_NODISCARD enum dn_status dn_writer_run_announce(struct dn_writer_run *run, const char *path,
                                                   struct dn_error *err);
DN_NODISCARD enum dn_status dn_writer_run_own(const struct dn_writer_run *run,
                                              struct dn_error *err);

/**
 * The same of a table in a bucket (writer_objects.c), see docs/adr/0006-who-owns-a-file.md: writers of one process that are open at the same
 * time are one run.  Thread-safe.
 */
struct dn_writer_objects;
DN_NODISCARD enum dn_status dn_writer_objects_join(struct dn_writer_objects **out,
                                                   const struct dn_writer_target *t,
                                                   struct dn_error *err);
/** Fail unless the bucket can be listed and written: an upload is begun and aborted. */
DN_NODISCARD enum dn_status dn_writer_check_bucket(const struct dn_writer_target *t,
                                                   struct dn_error *err);
/** NULL is allowed.  When the last one leaves, and all have left `well`, the objects of earlier runs are removed; what fails is said in the log. */
void dn_writer_objects_leave(struct dn_writer_objects *o, bool well);
enum dn_objects_name {
    DN_OBJECTS_TARGET, /**< the one that was asked for: an earlier run's object of that name gives way */
    DN_OBJECTS_FIRST, /**< the first of a batch: what is in its way goes with the earlier run's */
    DN_OBJECTS_OTHER,
    DN_OBJECTS_ADDED /**< of a writer that replaces nothing */
};
/**
 * Keep all other writers of the run from a name; *out false: something is there.  Before the first one, and now and then, a request
 * tells other processes that the run is under way.
 * @param etag     of the object that may be replaced; "": there is none, and none may be
 */
DN_NODISCARD enum dn_status dn_writer_objects_claim(struct dn_writer_objects *o, const char *name,
                                                    enum dn_objects_name kind,
                                                    char etag[DN_S3_ETAG_SIZE], bool *out,
                                                    struct dn_error *err);
/** Around the moment in which it is made: it is the run's, which later ones may remove. */
DN_NODISCARD enum dn_status dn_writer_objects_own(struct dn_writer_objects *o, const char *name,
                                                  struct dn_error *err);
/** What DN_S3_RUN_METADATA of its objects says. */
const char *dn_writer_objects_run(const struct dn_writer_objects *o);
void dn_writer_objects_disown(struct dn_writer_objects *o, const char *name);
/** The object was not made after all. */
void dn_writer_objects_unclaim(struct dn_writer_objects *o, const char *name);

/* ---------------------------------------------------------------------------------------------------------------------
 * One open writer, of either level
 * ------------------------------------------------------------------------------------------------------------------ */

struct dn_writer {
    struct dn_shell_handle shell; /**< first: last_error() sees handles through it */
    struct dn_shell_config config;
    struct dn_writer_target target;
    void *own;        /**< the kind's options */
    const char *note; /**< what is to be said about them, or NULL */

    /* Level 0 */
    struct dn_writer *next_open; /**< of this process */
    atomic_bool in_use;          /**< a call is under way, or the process has ended */
    struct dn_writer_run run;
    struct dn_temporary_sweep sweep;   /**< of the folder that the run was joined in */
    struct dn_writer_objects *objects; /**< instead, of a target at S3; else NULL */
    struct dn_pool
        *pool; /**< made by the first batch, and so is target.means.context: shared by all files */
    int64_t next_counter;
    json_t *acknowledged; /**< the paths that write_batch() returned, as keys */
    bool has_last;
    int64_t
        last_counter; /**< of the last file, and its suffix: there is no use in trying lower ones again */
    unsigned last_unique;

    /* Level 1 */
    struct dativo_host host;
    struct ArrowSchema schema;
    void *file;
    bool finished;
    bool committed;
};

/* ---------------------------------------------------------------------------------------------------------------------
 * Open writers of Level 0 (writer_exit.c)
 * ------------------------------------------------------------------------------------------------------------------ */

/** When the process ends, and this writer is open still, it leaves its run.  Well, if the process does. */
void dn_writer_exit_watch(struct dn_writer *h);
void dn_writer_exit_forget(struct dn_writer *h);
/** Around each call that uses the run.  False: one is under way, or the process has ended. */
bool dn_writer_enter(struct dn_writer *h);
void dn_writer_exit(struct dn_writer *h);
/** `well`, if nothing failed: the files of earlier runs go. */
void dn_writer_leave_run(struct dn_writer *h, bool well);

/** Read a configuration up to what both levels have. */
DN_NODISCARD enum dn_status dn_writer_configure(struct dn_writer *w, const char *config_json,
                                                struct dn_error *err);
/** A warning for the host's log; NULL: for stderr. */
void dn_writer_tell(const struct dativo_host *host, const char *event_type, const char *message);

/** The table of Level 1. */
extern const struct dativo_writer_v1 dn_writer_table;

#endif
