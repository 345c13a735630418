/** Nodes of the Arrow schemas that are made here.  A whole schema of columns: dn_schema_make(). */
#ifndef DN_ARROW_SCHEMA_NODE_H
#define DN_ARROW_SCHEMA_NODE_H

#include "base/error.h"
#include "dativo/arrow.h"

/** Deeper nesting than any real schema has; keeps a hostile one from exhausting the stack. */
#define DN_SCHEMA_MAX_DEPTH 64

/**
 * A node with room for n released children, and for a dictionary; flags are 0.  The texts are copied; `metadata` is in the form of
 * arrow/metadata.h, or NULL.  Children may be moved out and outlive it.  On failure out->release is NULL.
 */
DN_NODISCARD enum dn_status dn_schema_node_make(struct ArrowSchema *out, const char *format,
                                                const char *name, const char *metadata,
                                                int64_t n_children, bool has_dictionary,
                                                struct dn_error *err);
/** A deep copy of a node, with another name and other metadata; NULL: its own. */
DN_NODISCARD enum dn_status dn_schema_node_copy(struct ArrowSchema *out,
                                                const struct ArrowSchema *node, const char *name,
                                                const char *metadata, struct dn_error *err);

#endif
