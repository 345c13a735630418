/** Connector recipes: the defaults a job's source or target starts from. */
#ifndef DN_JOB_RECIPE_H
#define DN_JOB_RECIPE_H

#include "job/yaml.h"

#include <jansson.h>

struct dn_recipe {
    struct dn_yaml_doc doc; /**< zeroed if the job names no recipe */
    const char *type;       /**< the connector, e.g. "csv"; memory of doc or of the job */
    const char *shown;      /**< the same for messages */
};

/**
 * Find the connector of one side of a job: `<side>_connector`, and the recipe at `<side>_connector_path` if there is one.
 * @param job   Checked and expanded.
 * @param side  "source" or "target".
 */
DN_NODISCARD enum dn_status dn_recipe_read(struct dn_recipe *recipe, const struct dn_yaml_doc *job,
                                           const char *side, struct dn_error *err);
void dn_recipe_finish(struct dn_recipe *recipe);

/**
 * A job's map over the recipe's, one level deep: a key of the job replaces the recipe's whole value.
 * @param key   The recipe's key; NULL: the recipe has no part in it.
 * @param over  The job's map, may be NULL.
 * @param out   A new reference, an object.
 */
DN_NODISCARD enum dn_status dn_recipe_merge(struct dn_recipe *recipe, const char *key,
                                            const struct dn_yaml_doc *job,
                                            const struct dn_yaml_node *over, json_t **out,
                                            struct dn_error *err);

/**
 * The directory a local target writes under: `path`, `directory` or `bucket`, flat or under `local:`, from the job's
 * connection first and the recipe's connection_template second.
 * @param out  Memory of the recipe's or the job's document.
 */
DN_NODISCARD enum dn_status dn_recipe_directory(struct dn_recipe *recipe,
                                                const struct dn_yaml_doc *job,
                                                const struct dn_yaml_node *connection,
                                                const char **out, struct dn_error *err);

#endif
