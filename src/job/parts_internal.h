/** What the functions of job/parts.h share among themselves. */
#ifndef DN_JOB_PARTS_INTERNAL_H
#define DN_JOB_PARTS_INTERNAL_H

#include "job/parts.h"

#define DN_PARTS_FORMAT "dativo-native plan 1"
#define DN_PARTS_ID_SIZE 17
#define DN_PARTS_MANIFEST "_manifest.json"
#define DN_PARTS_SUCCESS "_SUCCESS"

/** Give p->json its id, and p its texts.  DN_ERR_INTERNAL: something that a plan has is missing. */
DN_NODISCARD enum dn_status dn_parts_name(struct dn_parts *p, struct dn_error *err);
/** Free a text that jansson made. */
void dn_parts_free_text(char *text);
/** Is it the name of a file of this plan? */
bool dn_parts_is_part(const struct dn_parts *p, const char *name);
/** {"path","size","modified_ns"} of a file; NULL: it is not there, or memory ran out, which errno tells. */
json_t *dn_parts_identity(const char *path);

#endif
