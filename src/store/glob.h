/** The files that a name stands for: itself, those that match it as a pattern, or those of a folder; of this machine or of S3. */
#ifndef DN_STORE_GLOB_H
#define DN_STORE_GLOB_H

#include "base/error.h"
#include "base/stop.h"
#include "dativo/store.h"

#include <stdint.h>

/** How a file came into a list. */
struct dn_file_origin {
    uint32_t name; /**< by which call of dn_glob_add(), from 0 */
    bool found;    /**< by a pattern or a folder, not by its own name */
};

/** Zero-initialise. */
struct dn_file_list {
    char **names;
    struct dn_file_origin *origins; /**< one for each of them */
    size_t n;
    size_t room;
    uint32_t n_names; /**< calls of dn_glob_add() */
};

/**
 * Find the files, and put them behind those that `out` has.
 * A name that is there, and one without `*`, `?` and `[`, stands for itself.  A folder stands for all files in it and in folders below,
 * a pattern for all that match it: `*`, `?` and `[...]` within a name as fnmatch(3) has them, `**` for any number of folders.  Files and
 * folders whose names begin with a dot are not found unless the pattern has that dot; of a folder also none with an underscore in
 * front, which is how engines mark what is no data.  Links to folders are followed where the pattern names them, not below `**`.
 *
 * In s3://bucket/key the bucket has no wildcards, a folder is what ends in '/', or the bucket alone, and what is listed is what begins
 * with the part of the key in front of its first wildcard.  Other URLs stand for themselves.
 * @param store of the bucket; NULL: nothing is said
 * @param stop  borrowed; ends a listing with DN_ERR_CANCELLED.  May be NULL.
 * @param out   sorted by their bytes, each once; to be freed with dn_file_list_finish(), on failure as well
 * @return DN_ERR_NOT_FOUND: nothing matches; DN_ERR_IO: a folder cannot be read; DN_ERR_MEMORY; of S3 what store/s3/client.h has
 */
DN_NODISCARD enum dn_status dn_glob_add(struct dn_file_list *out, const char *name,
                                        const struct dn_store_options *store, struct dn_stop *stop,
                                        struct dn_error *err);
/** Does it hold `*`, `?` or `[`? */
bool dn_glob_has_magic(const char *name);
/**
 * Once all names were added: read no file twice that nobody named twice.  What patterns and folders found is left out where the same
 * file is named itself, and behind the first place where it was found.  Links lead to the same file as what they lead to.
 * @param n_left_out  counts them
 */
DN_NODISCARD enum dn_status dn_file_list_once(struct dn_file_list *list, size_t *n_left_out,
                                              struct dn_error *err);
/** Put one name behind them. */
DN_NODISCARD enum dn_status dn_file_list_add(struct dn_file_list *list, const char *name,
                                             struct dn_error *err);
/** Sort those from `first` on by their bytes, each once, and note that they were found. */
void dn_file_list_settle(struct dn_file_list *list, size_t first);
void dn_file_list_finish(struct dn_file_list *list);

#endif
