/** Where the S3 service of a job is, and as whom it is spoken to: what job, recipe and environment say, as one map. */
#ifndef DN_JOB_CONNECTION_H
#define DN_JOB_CONNECTION_H

#include "dativo/store.h"
#include "job/recipe.h"

/** Texts are memory of the documents or of the environment. */
struct dn_connection {
    const char *bucket; /**< of a target; NULL: none was looked for */
    const char *prefix; /**< of a target; NULL: none */
    json_t *config;     /**< flat, as plugins read it; a new reference */
    const struct dn_yaml_doc
        *doc; /**< where bucket, else the map, stands; NULL: in the environment */
    const struct dn_yaml_node *at;
};

/**
 * Let values of one side's connection that are variables which are not set, and that the environment has other names for, be absent.
 * Before the job is expanded.
 */
DN_NODISCARD enum dn_status dn_connection_relax(struct dn_yaml_doc *job, const char *side,
                                                struct dn_error *err);

/**
 * Of a target of type s3 or minio.  Key by key the first of these counts: the job's connection, nested (`s3:`, `minio:`) before flat, the
 * recipe's connection_template in the same order, its credentials, the environment as the host names things.  The keys of an identity
 * come from one of them together.
 * @return DN_ERR_CONFIG: unknown keys, no bucket, values that cannot be.
 */
DN_NODISCARD enum dn_status dn_connection_of_target(struct dn_connection *out,
                                                    struct dn_recipe *recipe,
                                                    struct dn_yaml_doc *job, struct dn_error *err);
/** The same of a target whose catalog says where things are: without bucket and prefix. */
DN_NODISCARD enum dn_status dn_connection_of_catalog(struct dn_connection *out,
                                                     struct dn_recipe *recipe,
                                                     struct dn_yaml_doc *job, struct dn_error *err);
/** The same of a source that reads from buckets: its connection and its credentials, the recipe's credentials. */
DN_NODISCARD enum dn_status dn_connection_of_source(struct dn_connection *out,
                                                    struct dn_recipe *recipe,
                                                    struct dn_yaml_doc *job, struct dn_error *err);
/** The same for whoever asks the service in this process; texts are the map's. */
void dn_connection_store(struct dn_store_options *out, const json_t *config);

#endif
