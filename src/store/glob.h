/** The files that a name stands for: itself, those that match it as a pattern, or those of a folder. */
#ifndef DN_STORE_GLOB_H
#define DN_STORE_GLOB_H

#include "base/error.h"

/** Zero-initialise. */
struct dn_file_list {
    char **names;
    size_t n;
    size_t room;
};

/**
 * Find the files, and put them behind those that `out` has.
 * A name that is there, and one without `*`, `?` and `[`, stands for itself.  A folder stands for all files in it and in folders below,
 * a pattern for all that match it: `*`, `?` and `[...]` within a name as fnmatch(3) has them, `**` for any number of folders.  Files and
 * folders whose names begin with a dot are not found unless the pattern has that dot; of a folder also none with an underscore in
 * front, which is how engines mark what is no data.  Links to folders are followed where the pattern names them, not below `**`.
 * @param out  sorted by their bytes, each once; to be freed with dn_file_list_finish(), on failure as well
 * @return DN_ERR_NOT_FOUND: nothing matches; DN_ERR_IO: a folder cannot be read; DN_ERR_MEMORY
 */
DN_NODISCARD enum dn_status dn_glob_add(struct dn_file_list *out, const char *name,
                                        struct dn_error *err);
/** Does it hold `*`, `?` or `[`, and is there nothing of that very name? */
bool dn_glob_is_pattern(const char *name);
/** Put one name behind them. */
DN_NODISCARD enum dn_status dn_file_list_add(struct dn_file_list *list, const char *name,
                                             struct dn_error *err);
void dn_file_list_finish(struct dn_file_list *list);

#endif
