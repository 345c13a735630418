/** What the functions of job/parts.h share among themselves. */
#ifndef DN_JOB_PARTS_INTERNAL_H
#define DN_JOB_PARTS_INTERNAL_H

#include "job/parts.h"

#define DN_PARTS_FORMAT "dativo-native plan 1"
#define DN_PARTS_ID_SIZE 17
#define DN_PARTS_MANIFEST "_manifest.json"
#define DN_PARTS_SUCCESS "_SUCCESS"
#define DN_PARTS_HOLD "_hold" /* beside the parts: somebody holds the moment that they are of */

/** Give p->json its id, and p its texts.  DN_ERR_INTERNAL: something that a plan has is missing. */
DN_NODISCARD enum dn_status dn_parts_name(struct dn_parts *p, struct dn_error *err);
/** Is it the name of a file of this plan? */
bool dn_parts_is_part(const struct dn_parts *p, const char *name);
/** A path in the folder of the result; in_staging: in that of this plan's unfinished files.  NULL as the name: the folder itself. */
char *dn_parts_path(const struct dn_parts *p, bool in_staging, const char *name);
/**
 * {"path","size","modified_ns"} of a file, {"path","size","version"} of an object, which is asked for; a new reference.
 * @param connection  of the source
 * @param what        of a file that is not there, for the message
 */
DN_NODISCARD enum dn_status dn_parts_identity(json_t **out, const char *path,
                                              const json_t *connection, const char *what,
                                              struct dn_error *err);

#endif
