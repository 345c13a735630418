#include "pg_arrow/convert.h"

/* Types that can be asked for: what the server casts to, and what comes then. */
static const struct {
    struct dn_type type; /* decimals: whatever the digits */
    const char *sql;
    enum dn_pg_kind kind;
} targets[] = {
    {DN_TYPE_INIT(BOOL), "pg_catalog.bool", DN_PG_KIND_BOOL},
    {DN_TYPE_INIT(INT16), "pg_catalog.int2", DN_PG_KIND_INT16},
    {DN_TYPE_INIT(INT32), "pg_catalog.int4", DN_PG_KIND_INT32},
    {DN_TYPE_INIT(INT64), "pg_catalog.int8", DN_PG_KIND_INT64},
    {DN_TYPE_INIT(UINT32), "pg_catalog.oid", DN_PG_KIND_OID},
    {DN_TYPE_INIT(FLOAT32), "pg_catalog.float4", DN_PG_KIND_FLOAT32},
    {DN_TYPE_INIT(FLOAT64), "pg_catalog.float8", DN_PG_KIND_FLOAT64},
    {DN_TYPE_INIT(DECIMAL128), "pg_catalog.numeric", DN_PG_KIND_NUMERIC},
    {DN_TYPE_INIT(DECIMAL256), "pg_catalog.numeric", DN_PG_KIND_NUMERIC},
    {DN_TYPE_INIT(UTF8_VIEW), "pg_catalog.text", DN_PG_KIND_TEXT},
    {{.id = DN_TYPE_UTF8_VIEW, .extension = DN_EXTENSION_JSON}, "pg_catalog.json", DN_PG_KIND_JSON},
    {DN_TYPE_INIT(BINARY_VIEW), "pg_catalog.bytea", DN_PG_KIND_BYTES},
    {{.id = DN_TYPE_FIXED_BINARY, .width = 16, .extension = DN_EXTENSION_UUID},
     "pg_catalog.uuid",
     DN_PG_KIND_UUID},
    {DN_TYPE_INIT(DATE32), "pg_catalog.date", DN_PG_KIND_DATE},
    {DN_TIME_INIT(US), "pg_catalog.time", DN_PG_KIND_TIME},
    {DN_TIMESTAMP_INIT(US), "pg_catalog.timestamp", DN_PG_KIND_TIMESTAMP},
    {DN_TIMESTAMPTZ_INIT(US), "pg_catalog.timestamptz", DN_PG_KIND_TIMESTAMPTZ},
    {DN_TYPE_INIT(INTERVAL_MONTH_DAY_NANO), "pg_catalog.\"interval\"", DN_PG_KIND_INTERVAL},
};
#define N_TARGETS (sizeof(targets) / sizeof(targets[0]))

static size_t target_of(struct dn_type type)
{
    size_t i = 0;

    while (i < N_TARGETS && !(dn_type_same_values(targets[i].type, type) ||
                              (dn_type_is_decimal(type) && targets[i].type.id == type.id))) {
        i++;
    }
    return i;
}

#define KIND(kind) (UINT32_C(1) << DN_PG_KIND_##kind)
#define INTEGERS (KIND(INT16) | KIND(INT32) | KIND(INT64))

/* The kinds that values of a kind can be cast to, themselves left out.  A cast of the server's that would round or cut is not among them. */
static const uint32_t casts[DN_PG_N_KINDS] = {
    [DN_PG_KIND_BOOL] = KIND(TEXT),
    [DN_PG_KIND_INT16] = KIND(TEXT) | INTEGERS | KIND(NUMERIC) | KIND(FLOAT32) | KIND(FLOAT64),
    [DN_PG_KIND_INT32] = KIND(TEXT) | INTEGERS | KIND(NUMERIC) | KIND(FLOAT64),
    [DN_PG_KIND_INT64] = KIND(TEXT) | INTEGERS | KIND(NUMERIC) | KIND(FLOAT64),
    [DN_PG_KIND_OID] = KIND(TEXT) | KIND(INT64),
    [DN_PG_KIND_FLOAT32] = KIND(TEXT) | KIND(FLOAT64),
    [DN_PG_KIND_FLOAT64] = KIND(TEXT),
    [DN_PG_KIND_NUMERIC] = KIND(TEXT) | KIND(FLOAT64) | INTEGERS,
    [DN_PG_KIND_TEXT] = INTEGERS | KIND(BOOL) | KIND(FLOAT32) | KIND(FLOAT64) | KIND(NUMERIC) |
                        KIND(JSON) | KIND(UUID) | KIND(DATE) | KIND(TIME) | KIND(TIMESTAMP) |
                        KIND(TIMESTAMPTZ) | KIND(INTERVAL),
    [DN_PG_KIND_JSON] = KIND(TEXT),
    [DN_PG_KIND_JSONB] = KIND(TEXT) | KIND(JSON),
    [DN_PG_KIND_UUID] = KIND(TEXT),
    [DN_PG_KIND_DATE] = KIND(TEXT) | KIND(TIMESTAMP),
    [DN_PG_KIND_TIME] = KIND(TEXT),
    [DN_PG_KIND_TIMETZ] = KIND(TEXT),
    [DN_PG_KIND_TIMESTAMP] = KIND(TEXT),
    [DN_PG_KIND_TIMESTAMPTZ] = KIND(TEXT) | KIND(TIMESTAMP),
    [DN_PG_KIND_INTERVAL] = KIND(TEXT),
};

/* Whole numbers alone become integers: others would be rounded. */
static bool is_whole(const struct dn_pg_field *f)
{
    int precision = 0;
    int scale = 0;

    return dn_pg_numeric_typmod(f->typmod, &precision, &scale) && scale <= 0;
}

/* A float64 gives back every decimal of 15 digits. */
static bool is_rounded(const struct dn_pg_field *f)
{
    int precision = 0;
    int scale = 0;

    return !dn_pg_numeric_typmod(f->typmod, &precision, &scale) || precision > 15;
}

/* The decoder makes these of the cells as they are. */
static bool is_own(const struct dn_pg_field *f, enum dn_pg_kind kind)
{
    return f->kind == kind || (f->kind == DN_PG_KIND_JSONB && kind == DN_PG_KIND_JSON) ||
           (f->kind == DN_PG_KIND_NUMERIC &&
            (kind == DN_PG_KIND_FLOAT64 || kind == DN_PG_KIND_TEXT)) ||
           (f->kind == DN_PG_KIND_INTERVAL && kind == DN_PG_KIND_TEXT) ||
           (f->kind == DN_PG_KIND_TIMETZ && kind == DN_PG_KIND_TEXT);
}

void dn_pg_field_flatten(struct dn_pg_field *f)
{
    if (f->is_array) {
        f->is_array = false;
        f->is_cast = true;
        f->kind = DN_PG_KIND_TEXT;
    }
}

enum dn_pg_conversion dn_pg_field_convert(struct dn_pg_field *f, struct dn_type *type)
{
    const size_t i = target_of(*type);
    const enum dn_pg_kind from = f->kind;

    if (i == N_TARGETS) {
        return DN_PG_NOT_CONVERTED;
    }
    const enum dn_pg_kind kind = targets[i].kind;
    if (!dn_type_is_decimal(*type)) {
        *type = targets[i].type;
    }
    if (is_own(f, kind)) {
        return from == DN_PG_KIND_NUMERIC && kind == DN_PG_KIND_FLOAT64 && is_rounded(f)
                   ? DN_PG_ROUNDED
                   : DN_PG_CONVERTED;
    }
    if ((casts[from] >> kind & 1) == 0 || f->is_cast ||
        (from == DN_PG_KIND_NUMERIC && !is_whole(f))) {
        return DN_PG_NOT_CONVERTED;
    }
    f->kind = kind;
    f->typmod = -1;
    f->cast_to = targets[i].sql;
    return from == DN_PG_KIND_INT64 && kind == DN_PG_KIND_FLOAT64           ? DN_PG_ROUNDED
           : from == DN_PG_KIND_TIMESTAMPTZ && kind == DN_PG_KIND_TIMESTAMP ? DN_PG_IN_UTC
                                                                            : DN_PG_CONVERTED;
}

bool dn_pg_field_of_nulls(struct dn_pg_field *f, const char *name, struct dn_type *type)
{
    const size_t i = target_of(*type);

    if (i == N_TARGETS) {
        return false;
    }
    if (!dn_type_is_decimal(*type)) {
        *type = targets[i].type;
    }
    *f = (struct dn_pg_field){
        .name = name,
        .type_name = "",
        .typmod = -1,
        .kind = targets[i].kind,
        .cast_to = targets[i].sql,
        .is_missing = true,
    };
    return true;
}
