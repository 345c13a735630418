/** The PostgreSQL reader plugin's own parts: its options, and the connection of a configuration. */
#ifndef DN_PLUGINS_POSTGRES_READER_H
#define DN_PLUGINS_POSTGRES_READER_H

#include "reader.h"

#include "base/stop.h"
#include "pg_arrow/reader.h"

#define POSTGRES_READER_NAME "postgres_reader"
#define POSTGRES_TYPE "postgres" /**< of a source, in configurations */

/** What a configuration asks for.  All texts live in it. */
struct postgres_settings {
    struct dn_pg_read_options
        read; /**< table and query may both be NULL: that is open()'s business */
    int64_t chunk_rows;
};

extern const struct dn_shell_option postgres_reader_options[];
extern const size_t postgres_reader_n_options;

/** Everything but the connection. */
DN_NODISCARD enum dn_status postgres_settings_read(struct postgres_settings *s,
                                                   struct dn_shell_config *c, int level,
                                                   struct dn_error *err);
/**
 * "connection", flat or under "postgres", and behind it "credentials" with its file (postgres_reader_connection.c).
 * @param expands  Level 0: ${VAR} in the values is the environment's.  Not if the configuration says "expanded": true.
 */
DN_NODISCARD enum dn_status postgres_params_read(struct dn_pg_params *p, struct dn_shell_config *c,
                                                 bool expands, struct dn_error *err);

#endif
