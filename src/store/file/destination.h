/**
 * The file that a path to be written stands for.
 *
 * Symbolic links under the final name are followed by hand, one after the other, because the file is written beside the one
 * that is replaced and renamed over it: renaming over the link would leave its target as it was.
 */
#ifndef DN_STORE_DESTINATION_H
#define DN_STORE_DESTINATION_H

#include "base/error.h"

#include <stdint.h>
#include <sys/stat.h>

/** Zero-initialise; dir_fd -1. */
struct dn_destination {
    char *path;       /**< with links followed */
    char *dir;        /**< its folder, for messages */
    const char *name; /**< its last part, inside `path` */
    int dir_fd; /**< everything happens relative to it: renaming the folder or chdir() does no harm */
    bool exists;
    struct stat info; /**< of the file that is there */
};

/**
 * Find the file and open its folder; missing folders are made.
 * @param given      The path as the caller has it, which messages name.
 * @param overwrite  Whether something may be there: a regular file, or links that lead to one or to nothing.
 * @return DN_ERR_EXISTS; DN_ERR_INVALID: a folder, a device, pipe or socket, a link into /proc, links in a circle, a link that
 *         a stranger put into a folder that everybody may write to; DN_ERR_IO.
 */
DN_NODISCARD enum dn_status dn_destination_open(struct dn_destination *d, const char *given,
                                                bool overwrite, struct dn_error *err);
/**
 * Give the new file the owner and the mode of the old one, as far as this user may.  Nothing if there is none.
 * @param fd  The new file.
 */
void dn_destination_keep_mode(const struct dn_destination *d, int fd);
/** The same while the file is being written: nobody may read it who could not read the old one. */
void dn_destination_guard(const struct dn_destination *d, int fd);
void dn_destination_close(struct dn_destination *d);
/** The first bytes of the regular file at `path`, at most `size`; 0 if it is empty, none, or cannot be read.  Never waits. */
size_t dn_destination_head(const char *path, uint8_t *head, size_t size);

#endif
