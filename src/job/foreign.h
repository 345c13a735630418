/** What a job file may ask for and only the Python host has: connectors, plugins in Python, Markdown. */
#ifndef DN_JOB_FOREIGN_H
#define DN_JOB_FOREIGN_H

#include "job/recipe.h"

/**
 * Refuse a job of connectors or Python plugins that this host does not have, by what its names say: before its keys are checked, for those
 * connectors have keys of their own, and before its variables are needed.
 * @param job  As it was read; the few values that this looks at are expanded.
 * @return DN_OK, also for a job in which nothing can be told; DN_ERR_UNSUPPORTED; DN_ERR_CONFIG: a variable that is needed is not set.
 */
DN_NODISCARD enum dn_status dn_foreign_check(struct dn_yaml_doc *job, struct dn_error *err);

/** The same for a connector that only its recipe names. */
DN_NODISCARD enum dn_status dn_foreign_recipe_check(const struct dn_yaml_doc *job,
                                                    const struct dn_recipe *recipe,
                                                    const char *side, struct dn_error *err);

/** Refuse Markdown as a target. */
DN_NODISCARD enum dn_status dn_foreign_target_check(const struct dn_yaml_doc *job,
                                                    struct dn_error *err);

/**
 * The key `catalog` of a job, to which the Python host tells lineage and tags when the rows are written.
 * @param out  What it is called, memory of the job; NULL: there is none.
 */
DN_NODISCARD enum dn_status dn_foreign_catalog(const struct dn_yaml_doc *job, const char **out,
                                               struct dn_error *err);

/** DN_ERR_UNSUPPORTED at the place of `key`, with advice, unless it is absent, null or empty. */
DN_NODISCARD enum dn_status dn_foreign_refuse(const struct dn_yaml_doc *doc,
                                              const struct dn_yaml_node *map, const char *key,
                                              const char *advice, struct dn_error *err);

#endif
