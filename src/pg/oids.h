/** Which type is decoded how.  Pure; thread-safe. */
#ifndef DN_PG_OIDS_H
#define DN_PG_OIDS_H

#include <stdbool.h>
#include <stdint.h>

enum dn_pg_kind {
    DN_PG_KIND_CAST, /**< as text, which the query has to cast it to; then a DN_PG_KIND_TEXT */
    DN_PG_KIND_BOOL,
    DN_PG_KIND_INT16,
    DN_PG_KIND_INT32,
    DN_PG_KIND_INT64,
    DN_PG_KIND_OID,
    DN_PG_KIND_FLOAT32,
    DN_PG_KIND_FLOAT64,
    DN_PG_KIND_NUMERIC,
    DN_PG_KIND_TEXT,
    DN_PG_KIND_JSON,
    DN_PG_KIND_JSONB,
    DN_PG_KIND_BYTES,
    DN_PG_KIND_UUID,
    DN_PG_KIND_DATE,
    DN_PG_KIND_TIME,
    DN_PG_KIND_TIMETZ,
    DN_PG_KIND_TIMESTAMP,
    DN_PG_KIND_TIMESTAMPTZ,
    DN_PG_KIND_INTERVAL,
    DN_PG_N_KINDS
};

/** Of a type that every server has under this oid; DN_PG_KIND_CAST: of none of them. */
enum dn_pg_kind dn_pg_kind_of_oid(uint32_t oid);
/** "int32"; never NULL. */
const char *dn_pg_kind_name(enum dn_pg_kind kind);

/** The declared precision and scale of a numeric's typmod.  False: it has none. */
bool dn_pg_numeric_typmod(int32_t typmod, int *precision, int *scale);
/** The declared fractional digits of a time's or timestamp's typmod; 6 if it has none. */
int dn_pg_time_typmod(int32_t typmod);

#endif
