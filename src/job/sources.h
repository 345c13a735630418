/** Sources that are read more than once: every pass has to see the same files. */
#ifndef DN_JOB_SOURCES_H
#define DN_JOB_SOURCES_H

#include "job/transfer.h"
#include "store/glob.h"

#include <jansson.h>
#include <stdint.h>

/** What a pattern or a folder stands for, the files of the list from `first` on: {"pattern","files","first","last"}.  NULL: no memory. */
json_t *dn_match_make(const char *pattern, const struct dn_file_list *files, size_t first);
/** Say so.  Takes the reference; NULL is allowed. */
void dn_match_tell(const struct dn_events *events, json_t *match);

/** Say how many names are left out because they lead to files that others lead to (dn_file_list_once()); of none nothing is said. */
void dn_left_out_tell(const struct dn_events *events, size_t n);

/** For messages: the table of a reader's configuration, "the query", or "the source". */
const char *dn_source_table(const json_t *reader_config);

struct dn_source_seen;

/** Zero-initialise. */
struct dn_sources {
    struct dn_source_seen
        *seen; /**< per file of the configuration, as it was before the first pass */
    size_t n;
};

/**
 * Before a pass over the files of a reader's configuration: the first time note what they are, later compare.  A file that
 * only grew since is the same; what has no size, or is not there, is the reader's business.
 * @return DN_ERR_IO naming the file that was replaced, cut or written over between two passes.
 */
DN_NODISCARD enum dn_status dn_sources_look(struct dn_sources *s, const json_t *reader_config,
                                            struct dn_error *err);
void dn_sources_finish(struct dn_sources *s);

#endif
