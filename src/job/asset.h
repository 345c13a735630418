/** Asset files: what a table is called and which columns it has. */
#ifndef DN_JOB_ASSET_H
#define DN_JOB_ASSET_H

#include "job/transfer.h"
#include "job/yaml.h"

#include <jansson.h>

/** Memory belongs to the arena given to dn_asset_read(), except `schema`. */
struct dn_asset {
    const char *name;
    const char *version;      /**< NULL: none */
    const char *object;       /**< NULL: none */
    const char *domain;       /**< "default" if the file has none */
    const char *data_product; /**< "default" if the file has none */
    bool has_domain;          /**< the file has one */
    bool has_data_product;
    struct dn_column *columns;
    size_t n_columns;
    enum dn_missing missing; /**< of a column that the file lacks */
    json_t *schema;          /**< the file's schema list, for the writer's configuration */
    json_t *labels;          /**< see job/labels.h */
};

/**
 * Read an asset file; its keys may stand under `asset:`.  Keys beside the known ones are accepted at its top level (assets carry metadata of other
 * tools); the entries of `schema` are checked strictly.
 * @return DN_OK; DN_ERR_NOT_FOUND, DN_ERR_IO, DN_ERR_CONFIG with file, line and column.
 */
DN_NODISCARD enum dn_status dn_asset_read(struct dn_asset *asset, struct dn_arena *arena,
                                          const char *path, struct dn_error *err);
/** The key missing_columns of an asset or a job; absent: DN_MISSING_UNSAID. */
DN_NODISCARD enum dn_status dn_asset_missing(const struct dn_yaml_doc *doc, enum dn_missing *out,
                                             struct dn_error *err);
/** Zeroed memory is accepted. */
void dn_asset_finish(struct dn_asset *asset);

/** The table name of an asset: lower case, '-' and ' ' as '_'. */
char *dn_asset_table_name(struct dn_arena *arena, const char *name);

#endif
