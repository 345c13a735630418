/**
 * ${VAR} and ${VAR:-default} in the texts of a document, and documents as JSON.
 */
#ifndef DN_JOB_EXPAND_H
#define DN_JOB_EXPAND_H

#include "base/buffer.h"
#include "job/yaml.h"

#include <jansson.h>

/**
 * Replace every ${VAR} in the scalars under `node` (values and list items, never keys) by the environment variable.
 *
 * `${VAR:-text}` gives `text` when VAR is not set or empty, as in a shell; the default may itself hold ${...}.  `$${` stands for a literal `${`; a `$` without a brace is left alone.
 *
 * @return DN_OK; DN_ERR_CONFIG naming variable, file and line: it is not set and has no default, it is not UTF-8, or the form
 *         is wrong.
 */
DN_NODISCARD enum dn_status dn_expand_node(struct dn_yaml_doc *doc, struct dn_yaml_node *node,
                                           struct dn_error *err);

/**
 * The same for a scalar that has other sources, before dn_expand_node() comes to it: if it is nothing but ${NAME} of a variable that is
 * not set, it becomes absent, with the name in node->unset.  NULL and other nodes are left alone.
 */
DN_NODISCARD enum dn_status dn_expand_optional(struct dn_yaml_doc *doc, struct dn_yaml_node *node,
                                               struct dn_error *err);

/**
 * A node as JSON: plain scalars by YAML's core rules (null, booleans, integers, floats), everything else as text.
 * @param out  A new reference on success.
 */
DN_NODISCARD enum dn_status dn_yaml_to_json(const struct dn_yaml_doc *doc,
                                            const struct dn_yaml_node *node, json_t **out,
                                            struct dn_error *err);

#endif
