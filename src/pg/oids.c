#include "pg/oids.h"

#include <stddef.h>

/* From PostgreSQL's catalog; these numbers never change. */
static const struct {
    uint32_t oid;
    enum dn_pg_kind kind;
} known[] = {
    {16, DN_PG_KIND_BOOL},        {17, DN_PG_KIND_BYTES},
    {19, DN_PG_KIND_TEXT}, /* name */
    {20, DN_PG_KIND_INT64},       {21, DN_PG_KIND_INT16},
    {23, DN_PG_KIND_INT32},       {25, DN_PG_KIND_TEXT},
    {26, DN_PG_KIND_OID},         {114, DN_PG_KIND_JSON},
    {700, DN_PG_KIND_FLOAT32},    {701, DN_PG_KIND_FLOAT64},
    {1042, DN_PG_KIND_TEXT}, /* char(n) */
    {1043, DN_PG_KIND_TEXT}, /* varchar */
    {1082, DN_PG_KIND_DATE},      {1083, DN_PG_KIND_TIME},
    {1114, DN_PG_KIND_TIMESTAMP}, {1184, DN_PG_KIND_TIMESTAMPTZ},
    {1186, DN_PG_KIND_INTERVAL},  {1266, DN_PG_KIND_TIMETZ},
    {1700, DN_PG_KIND_NUMERIC},   {2950, DN_PG_KIND_UUID},
    {3802, DN_PG_KIND_JSONB},
};

enum dn_pg_kind dn_pg_kind_of_oid(uint32_t oid)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (known[i].oid == oid) {
            return known[i].kind;
        }
    }
    return DN_PG_KIND_CAST;
}

const char *dn_pg_kind_name(enum dn_pg_kind kind)
{
    static const char *const names[DN_PG_N_KINDS] = {
        "cast",    "bool",    "int16",  "int32",     "int64",       "oid",      "float32",
        "float64", "numeric", "text",   "json",      "jsonb",       "bytes",    "uuid",
        "date",    "time",    "timetz", "timestamp", "timestamptz", "interval",
    };

    return (unsigned)kind < DN_PG_N_KINDS ? names[kind] : "none";
}

bool dn_pg_numeric_typmod(int32_t typmod, int *precision, int *scale)
{
    if (typmod < 4) {
        return false;
    }
    *precision = (typmod - 4) >> 16 & 0xFFFF;
    *scale = (((typmod - 4) & 0x7FF) ^ 1024) - 1024; /* 11 bits with a sign, from 15 on */
    return true;
}

int dn_pg_time_typmod(int32_t typmod)
{
    return typmod >= 0 && typmod <= 6 ? typmod : 6;
}
