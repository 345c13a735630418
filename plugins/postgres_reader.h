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
    bool snapshot_per_piece; /**< pieces are of the moments in which they are read */
};

/** One open reader, of either level. */
struct postgres_handle {
    struct dn_reader base; /**< first */
    struct postgres_settings settings;
    struct dn_pg_params params;
    struct dn_stop stop;
    bool has_stop;
    struct dn_pg_cut piece; /**< that it reads, if settings.read.piece is not NULL */
    struct dn_pg_reader *reader;
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

/* Pieces (postgres_reader_splits.c): as in struct dativo_reader_v1. */
int32_t postgres_splits(void *reader, uint64_t target_bytes, char **out_json,
                        struct dativo_error *err);
int32_t postgres_open_split(const char *config_json, const char *token,
                            const struct dativo_host *host, void **out_reader,
                            struct dativo_error *err);
int32_t postgres_hold(void *reader, struct dativo_error *err);

#endif
