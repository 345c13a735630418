/** What a server has: relations, their columns, and how each column's values come.  Threads: as the session. */
#ifndef DN_PG_CATALOG_H
#define DN_PG_CATALOG_H

#include "base/arena.h"
#include "base/buffer.h"
#include "pg/oids.h"
#include "pg/session.h"

struct dn_pg_field {
    const char *name;
    const char *type_name; /**< as SQL has it: "numeric(12,2)[]" */
    const char
        *bare_name; /**< of a relation's: without what the brackets say, which casts round to */
    uint32_t type;  /**< an oid, as declared */
    int32_t typmod; /**< of what it is based on: a domain's own counts; -1: none */
    enum dn_pg_kind kind; /**< of the value, or of the array's elements; never DN_PG_KIND_CAST */
    bool is_array;
    bool is_cast;        /**< the query has to ask for it as text, or as an array of texts */
    bool not_null;       /**< the server lets none in */
    bool is_required;    /**< a null is an error, whoever makes it */
    bool is_missing;     /**< there is no such column: nulls of cast_to are asked for */
    const char *cast_to; /**< SQL's name of another type to ask for; NULL: what is_cast says */
    size_t place;        /**< of a query's columns */
};

/** A relation that rows are stored in: the one that was asked for, or a child of it. */
struct dn_pg_part {
    uint32_t oid;
    const char *schema;
    const char *name;
    char
        kind; /**< as in pg_class: r table, p partitioned, m materialised view, f foreign, v view */
    bool is_heap;
    bool is_readable;  /**< by this user, as a whole */
    bool is_policed;   /**< row security applies to this user */
    bool is_elsewhere; /**< since the snapshot: another table has its name or its place */
    int64_t n_blocks;
    int64_t
        n_toast_blocks; /**< pages of what is too long for a row's page, which its rows' are read with */
    double n_rows;      /**< as the last ANALYZE knew; -1: never */
};

/** Memory of the arena. */
struct dn_pg_relation {
    const char *schema;
    const char *name;
    char kind;
    const struct dn_pg_field *fields;
    size_t n_fields;
    const struct dn_pg_part *parts; /**< the relation itself, then its children by name */
    size_t n_parts;
    bool is_standby; /**< the server is */
    int version;     /**< the server's */
};

/**
 * Look a relation up inside the session's transaction and lock it against being rewritten, which snapshots do not survive.
 * @param name  docs/postgres.md, "Names and keys"
 * @return DN_ERR_NOT_FOUND: there is none, with what is like it; DN_ERR_CONFIG: the name is none, or SELECT is not allowed;
 *         DN_ERR_TEMPORARY: between snapshot and lock it, or what it reads, was rewritten (TRUNCATE, VACUUM FULL), altered, renamed or detached
 */
DN_NODISCARD enum dn_status dn_pg_relation_open(struct dn_pg_relation *out, struct dn_pg_session *s,
                                                const char *name, struct dn_arena *arena,
                                                struct dn_error *err);
/**
 * Is `where` a condition of its own, without a parenthesis that it closes and has not opened?  Between ours such a one would let the rows
 * of every piece be all rows.  Other tables that it asks are locked, as dn_pg_relation_open() does.
 * @return DN_ERR_TEMPORARY: one of them is not as the snapshot sees it
 */
DN_NODISCARD enum dn_status dn_pg_condition_check(const struct dn_pg_relation *rel,
                                                  struct dn_pg_session *s, const char *where,
                                                  struct dn_error *err);
/** The columns of a query, which is not run.  Nothing is known of their nulls. */
DN_NODISCARD enum dn_status dn_pg_query_fields(const struct dn_pg_field **out, size_t *n_out,
                                               struct dn_pg_session *s, const char *sql,
                                               struct dn_arena *arena, struct dn_error *err);

struct dn_pg_listed {
    uint32_t oid;
    const char *schema;
    const char *name;
    char kind;
    double n_rows; /**< -1: not known */
};
/** Everything that this user may read and that is no part of the server itself, by schema and name; partitions are left out. */
DN_NODISCARD enum dn_status dn_pg_relations_list(struct dn_pg_listed **out, size_t *n_out,
                                                 struct dn_pg_session *s, struct dn_arena *arena,
                                                 struct dn_error *err);

/** The columns of one of them, which is not locked: none if it is gone by now. */
DN_NODISCARD enum dn_status dn_pg_listed_fields(const struct dn_pg_field **out, size_t *n_out,
                                                struct dn_pg_session *s,
                                                const struct dn_pg_listed *listed,
                                                struct dn_arena *arena, struct dn_error *err);

/** Append a name in double quotes. */
DN_NODISCARD enum dn_status dn_pg_quote_name(struct dn_buffer *out, const char *name,
                                             struct dn_error *err);

/** A name in two parts.  NULL schema: what the search path finds. */
struct dn_pg_name {
    const char *schema;
    const char *name;
};
/** DN_ERR_CONFIG: an open quote, an empty part, or more than two parts in quotes. */
DN_NODISCARD enum dn_status dn_pg_name_read(struct dn_pg_name *out, const char *text,
                                            struct dn_arena *arena, struct dn_error *err);

#endif
