/** Which pieces of a relation are read, by how many connections.  Needs no server.  Threads: one owner. */
#ifndef DN_PG_PLAN_H
#define DN_PG_PLAN_H

#include "pg/catalog.h"

#define DN_PG_PIECE_BLOCKS 1024
#define DN_PG_SMALLEST_PIECE_BLOCKS 128

/** Zero-initialise. */
struct dn_pg_wish {
    const size_t *columns; /**< which fields, in order; NULL: all */
    size_t n_columns;
    const char *where;      /**< SQL, or NULL */
    uint32_t n_connections; /**< at most so many; 0: 1 */
    int64_t piece_blocks;   /**< at most so many pages a piece; 0: DN_PG_PIECE_BLOCKS */
};

/* Numbers of pages below are those that a range of pages of the part is, and its share of the part's TOAST. */
struct dn_pg_piece {
    const char *select; /**< for dn_pg_copy_start() */
    size_t part;        /**< of the relation's parts */
    int64_t n_blocks;   /**< 0: not known */
};
/** All pages of a part. */
int64_t dn_pg_part_blocks(const struct dn_pg_part *part);

/** Which rows a piece has, for a process that has nothing else of the plan. */
struct dn_pg_range {
    uint32_t oid; /**< of the part of the relation; of a query 0 */
    int64_t
        from; /**< its first page; -1: the relation with all its parts, or the query, as a whole */
    int64_t to;       /**< the page behind its last; -1: all that follow */
    int64_t n_blocks; /**< pages of it; 0: not known */
};

/** Memory of the arena. */
struct dn_pg_plan {
    const struct dn_pg_piece *pieces; /**< in the order of the rows */
    size_t n_pieces;
    uint32_t n_connections;
    const char *
        reason; /**< why there is one connection although more were asked for; NULL: there are more, or one was asked for */
    int64_t n_blocks; /**< of all pieces */
    bool is_unsized;  /**< n_blocks says nothing: a view, a foreign table, a query */
};

/** DN_ERR_INVALID: a column that is none; DN_ERR_UNSUPPORTED: no columns at all; DN_ERR_MEMORY. */
DN_NODISCARD enum dn_status dn_pg_plan_make(struct dn_pg_plan *out,
                                            const struct dn_pg_relation *rel,
                                            const struct dn_pg_wish *wish, struct dn_arena *arena,
                                            struct dn_error *err);
/**
 * Cut for processes that know nothing of each other: the same pieces whatever the number of connections.
 * @param piece_blocks  at most so many pages a piece; at least 1
 * @param reason        why there is one piece, whatever its size; NULL: there may be more
 */
DN_NODISCARD enum dn_status dn_pg_plan_cut(struct dn_pg_range **out, size_t *n, const char **reason,
                                           const struct dn_pg_relation *rel, int64_t piece_blocks,
                                           struct dn_arena *arena, struct dn_error *err);
/** The plan of one of these pieces.  DN_ERR_IO: the relation has no such part any more. */
DN_NODISCARD enum dn_status dn_pg_plan_range(struct dn_pg_plan *out,
                                             const struct dn_pg_relation *rel,
                                             const struct dn_pg_wish *wish,
                                             const struct dn_pg_range *range,
                                             struct dn_arena *arena, struct dn_error *err);
/**
 * One piece: the query, with casts where its fields need them.
 * @param n_columns  that it has; the fields may be some of them (dn_pg_field.place)
 */
DN_NODISCARD enum dn_status dn_pg_plan_query(struct dn_pg_plan *out, const char *sql,
                                             size_t n_columns, const struct dn_pg_field *fields,
                                             size_t n_fields, struct dn_arena *arena,
                                             struct dn_error *err);

#endif
