/** The Parquet writer plugin's own parts: its options, where its files go, its handle. */
#ifndef DN_PLUGINS_PARQUET_WRITER_H
#define DN_PLUGINS_PARQUET_WRITER_H

#include "shell.h"

#include "arrow/schema.h"
#include "base/pool.h"
#include "dativo/parquet.h"
#include "json/records.h"

#include <sys/types.h>

#define PARQUET_WRITER_NAME "parquet_writer"

/** Which existing files give way to a batch's.  Never those of the run that is under way. */
enum parquet_overwrite {
    PARQUET_OVERWRITE_EARLIER, /**< what earlier runs left */
    PARQUET_OVERWRITE_NONE
};

/** What a configuration asks for.  All texts live in the configuration's arena or tree. */
struct parquet_settings {
    struct dn_parquet_options parquet;

    /* Level 0 only; Level 1 has parquet.overwrite */
    enum parquet_overwrite overwrite;
    const char *directory; /**< where the files of the batches go */
    size_t shown_from;     /**< bytes in front of it that the configuration did not have */
    const char *stem;      /**< file name without counter and ending */
    const char *file;      /**< output_base names one file: the first batch goes there; else NULL */
    struct dn_record_field *fields;
    int64_t n_fields;

    /* Level 1 only */
    const char *path;
};

extern const struct dn_shell_option parquet_writer_options[];
extern const size_t parquet_writer_n_options;

/** Read engine.options and file_format. */
DN_NODISCARD enum dn_status parquet_settings_read(struct parquet_settings *s,
                                                  struct dn_shell_config *c, struct dn_error *err);
/** Read "path", the final file name of Level 1. */
DN_NODISCARD enum dn_status parquet_settings_read_path(struct parquet_settings *s,
                                                       struct dn_shell_config *c,
                                                       struct dn_error *err);
/** Read asset name, schema and output_base, in either shape of the configuration. */
DN_NODISCARD enum dn_status parquet_settings_read_asset(struct parquet_settings *s,
                                                        struct dn_shell_config *c,
                                                        struct dn_error *err);

/**
 * The path of a batch's file: counter and, if unique > 0, "-unique".  Written to b with a NUL.
 */
DN_NODISCARD enum dn_status parquet_file_path(struct dn_buffer *b, const struct parquet_settings *s,
                                              int64_t counter, unsigned unique,
                                              struct dn_error *err);
/** Make the directory absolute: it stays the same one when the process changes its own. */
DN_NODISCARD enum dn_status parquet_settle_directory(struct parquet_settings *s,
                                                     struct dn_arena *arena, struct dn_error *err);
/** Fail unless files can be made in the directory, or the directory can be made: a folder is, and is removed. */
DN_NODISCARD enum dn_status parquet_check_directory(const char *directory, struct dn_error *err);

/**
 * The run a writer of Level 0 takes part in, see docs/adr/0006-who-owns-a-file.md (parquet_writer_run.c).  Two writers of a table that
 * are open at the same time are of one run, whatever their threads and processes.
 */
struct parquet_run {
    struct parquet_run *next;   /**< of this process */
    struct parquet_run *before; /**< the folder was renamed: what is held in it still */
    const char *directory;
    int dir_fd;
    int fd; /**< of the file that holds locks and list; -1: there is none */
    dev_t folder_dev;
    ino_t folder_ino;
    ino_t marker_ino;
    off_t claimed; /**< byte whose lock holds a name; 0: none */
    off_t entry;   /**< where the last announcement's flag is */
    bool joined;
    bool made;             /**< the file was not there before */
    bool replaces_nothing; /**< does without the file where it has to */
    char name[256];
};

/** Take part; makes the directory.  DN_ERR_IO: no locks there, unless no file is ever replaced. */
DN_NODISCARD enum dn_status
parquet_run_join(struct parquet_run *run, const struct parquet_settings *s, struct dn_error *err);
/** Zeroed memory is accepted.  The last one to leave removes the file. */
void parquet_run_leave(struct parquet_run *run);
/** Before a name is looked for: take part again if the file was taken away, or the folder is another one now. */
DN_NODISCARD enum dn_status parquet_run_refresh(struct parquet_run *run, struct dn_error *err);
/** Keep all other writers of the run from the name of a file; *out false: one of them has it in hand. */
DN_NODISCARD enum dn_status parquet_run_claim(struct parquet_run *run, const char *path, bool *out,
                                              struct dn_error *err);
void parquet_run_unclaim(struct parquet_run *run);
/** With the name claimed: is the file of that name one of this run? */
DN_NODISCARD enum dn_status parquet_run_owns(const struct parquet_run *run, const char *path,
                                             bool *out, struct dn_error *err);
/**
 * Around the moment in which a file gets its name: announce() may fail for want of room, own() has no reason to.  DN_ERR_EXISTS: the
 * run's file was taken away since the name was claimed.
 */
DN_NODISCARD enum dn_status parquet_run_announce(struct parquet_run *run, const char *path,
                                                 struct dn_error *err);
DN_NODISCARD enum dn_status parquet_run_own(const struct parquet_run *run, struct dn_error *err);

/** One open writer, of either level. */
struct parquet_handle {
    struct dn_shell_handle shell; /**< first: last_error() sees handles through it */
    struct dn_shell_config config;
    struct parquet_settings settings;

    /* Level 0 */
    struct parquet_run run;
    struct dn_pool *pool; /**< made by the first batch, shared by all files */
    int64_t next_counter;
    json_t *acknowledged; /**< the paths that write_batch() returned, as keys */
    bool has_last;
    int64_t
        last_counter; /**< of the last file, and its suffix: there is no use in trying lower ones again */
    unsigned last_unique;

    /* Level 1 */
    struct ArrowSchema schema;
    struct dn_parquet_writer *writer;
    bool finished;
    bool committed;
};

/** The tables of Level 1. */
extern const struct dativo_writer_v1 parquet_writer_v1;
extern const struct dativo_inspector_v1 parquet_inspector_v1;

#endif
