/**
 * The list in a run's hidden file (writer_run_list.c), for those who hold its locks (writer_run.c).  The idea is in
 * docs/adr/0011-when-a-run-replaces-the-one-before.md.
 *
 * Behind a line that says what the file is there are entries: a NUL, a flag, a name, a NUL.  Entries are only added while somebody is
 * of the run, and flags are changed in place, each by one byte: a killed process leaves a list that can be read.
 */
#ifndef DN_PLUGINS_WRITER_RUN_H
#define DN_PLUGINS_WRITER_RUN_H

#include "writer.h"

enum dn_run_flag {
    DN_RUN_PENDING = '?', /**< the file may have got its name or not: nobody was told of it */
    DN_RUN_OWNED = '+',   /**< the run's */
    DN_RUN_ADDED = '=',   /**< the run's, by a writer that replaces nothing */
    DN_RUN_EARLIER = '*', /**< an earlier run's: goes when this run is over */
    DN_RUN_OPEN = '<',    /**< a writer that has not ended well, yet */
    DN_RUN_DONE = '>',    /**< one that has */
    DN_RUN_GONE = '-'     /**< nothing any more */
};

/** At the start of the file, so that no other file of that name is taken for one of these. */
#define DN_RUN_SIGNATURE "dativo-native: the files of a run that is under way\n"
#define DN_RUN_SIGNATURE_LEN (sizeof(DN_RUN_SIGNATURE) - 1)

/* ---- locks (writer_run_lock.c): those of an open file, so that two writers of one process exclude each other as two processes do ---- */

enum {
    DN_RUN_MEMBER_BYTE =
        0, /**< shared: a writer is open; exclusive, never for long: there is no other one */
    DN_RUN_CHANGE_BYTE = 1,     /**< exclusive: joining, leaving, adding to the list */
    DN_RUN_PATIENCE_S = 10,     /**< a lock that is held for so long is nobody's who goes on soon */
    DN_RUN_LEAVE_PATIENCE_S = 1 /**< what is left then costs nothing: the next run takes it over */
};

/** 0, or -1 and errno. */
int dn_run_lock(int fd, short type, off_t byte);
/** Like dn_run_lock(), for at most so long: whoever may read the file may keep a lock on it for ever. */
int dn_run_wait_for_lock(int fd, short type, off_t byte, double seconds);
void dn_run_unlock(const struct dn_writer_run *run, off_t byte);
/** What errno says: another one holds it; the file system has none. */
bool dn_run_is_busy(int failure);
bool dn_run_has_no_locks(int failure);
/** The one that stands for a file of that name. */
off_t dn_run_byte_of_name(const char *name);

/** A failure of the hidden file; `what` is a verb. */
enum dn_status dn_run_failure(const struct dn_writer_run *run, int failure, const char *what,
                              struct dn_error *err);
enum dn_status dn_run_lock_failure(const struct dn_writer_run *run, int failure, off_t byte,
                                   struct dn_error *err);
/** What is there is in the way. */
enum dn_status dn_run_refuse(const struct dn_writer_run *run, const char *what,
                             struct dn_error *err);
enum dn_status dn_run_refuse_kind(const struct dn_writer_run *run, mode_t mode,
                                  struct dn_error *err);

/* ---- the list (writer_run_list.c) ---- */

/** All of the file as it is now, and a NUL behind it.  No lock is needed: what is half written is no entry yet. */
DN_NODISCARD enum dn_status dn_run_list_read(const struct dn_writer_run *run, int fd,
                                             struct dn_buffer *out, struct dn_error *err);
/** The flag of the next entry, with its name behind it: begin with NULL; NULL: there are no more. */
char *dn_run_list_next(const struct dn_buffer *list, const char *entry);
/** Is there an entry of that name, under one of `flags`? */
bool dn_run_list_has(const struct dn_buffer *list, const char *flags, const char *name);

/** The names under one of `flags`, as keys, for json_decref(); NULL: memory ran out. */
json_t *dn_run_list_names(const struct dn_buffer *list, const char *flags);

/* Those who change the list hold the change lock. */

/** Entries to be added, made by dn_run_entry(). */
DN_NODISCARD enum dn_status dn_run_entry(struct dn_buffer *entries, enum dn_run_flag flag,
                                         const char *name, struct dn_error *err);
/** All of them, or none; *flag_at, which may be NULL: where the flag of the first one is. */
DN_NODISCARD enum dn_status dn_run_list_add(const struct dn_writer_run *run,
                                            const struct dn_buffer *entries, off_t *flag_at,
                                            struct dn_error *err);
/** For who begins a run: all files that are listed are an earlier one's from now on. */
DN_NODISCARD enum dn_status dn_run_list_begin(const struct dn_writer_run *run,
                                              struct dn_error *err);
/**
 * For the last one to leave.  If all writers have ended well, and have written something, the earlier run's files of that kind are removed.
 * What does not work is said in the log, and left for the next run; *keep: there are still entries that the next run has to know.
 */
void dn_run_list_end(const struct dn_writer_run *run, bool *keep);

#endif
