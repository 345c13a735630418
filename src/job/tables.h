/** What a source of tables reads: source.tables, source.query, or source.objects; each becomes one output. */
#ifndef DN_JOB_TABLES_H
#define DN_JOB_TABLES_H

#include "base/arena.h"
#include "job/yaml.h"

#include <jansson.h>

/** A table of a plan.  Memory of the plan. */
struct dn_job_table {
    const char *name;         /**< as it is written, "schema.table"; NULL: a query */
    const char *object;       /**< what states and several outputs call it */
    const char *cursor_field; /**< the column that tells what is new; NULL: the table names none */
    const struct dn_yaml_node *at;
    json_t *options;         /**< of the reader: table or query, columns, where */
    json_t *reader_config;   /**< whole */
    json_t *writer_config;   /**< whole */
    const char *output_path; /**< job/layout.h */
};

/** Zero-initialise. */
struct dn_job_tables {
    struct dn_job_table *items; /**< memory of the arena */
    size_t n;
};

/**
 * Read what a job names, in its order: one table at least.
 * @param options  engine.options of the source, job over recipe, which may name a table or a query, too; may be NULL
 * @return DN_ERR_CONFIG: nothing is named, more than one of the keys is there, two tables are called the same
 */
DN_NODISCARD enum dn_status dn_tables_read(struct dn_job_tables *out, struct dn_arena *arena,
                                           const struct dn_yaml_doc *job, const json_t *options,
                                           struct dn_error *err);
/** Zeroed memory is accepted. */
void dn_tables_finish(struct dn_job_tables *t);

/** A reader's configuration of one of them: `engine` with the table's options over its own. */
DN_NODISCARD enum dn_status dn_tables_engine(const struct dn_job_table *table, const json_t *engine,
                                             json_t **out, struct dn_error *err);

/** For messages: the name, or "the query". */
const char *dn_table_shown(const struct dn_job_table *table);

#endif
