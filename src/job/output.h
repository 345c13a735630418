/** Looking at the destination before the work starts, and at the file after it is done. */
#ifndef DN_JOB_OUTPUT_H
#define DN_JOB_OUTPUT_H

#include "job/transfer.h"

/**
 * Make sure that the final name can be written: it is no directory, none of the sources, does not exist (unless
 * t->overwrite), and its directories exist or are created (t->make_directories).
 * @return DN_OK; DN_ERR_EXISTS, DN_ERR_INVALID, DN_ERR_NOT_FOUND, DN_ERR_IO.
 */
DN_NODISCARD enum dn_status dn_output_prepare(const struct dn_transfer *t, struct dn_error *err);

/** Make the directories of a path that are missing. */
DN_NODISCARD enum dn_status dn_output_directories_make(const char *path, struct dn_error *err);

/**
 * For writers that might not do what they say: DN_ERR_INTERNAL unless the file is there, and a warning if it does not have
 * `size_bytes` bytes.  Somebody else may have renamed a file over it by now, so this says nothing about a writer that is known
 * to have renamed its own.
 */
DN_NODISCARD enum dn_status dn_output_verify(const char *path, int64_t size_bytes,
                                             const struct dn_events *events, struct dn_error *err);

#endif
