#include "pg_arrow/target.h"

#include "pg/numeric.h"
#include "pg/value.h"

#define BIT(verdict) (1u << (verdict))
#define INFINITIES (BIT(DN_PG_INFINITY) | BIT(DN_PG_NEGATIVE_INFINITY))

static const struct dn_type text = DN_TYPE_INIT(UTF8_VIEW);

/*
 * numeric(2,-3) has up to five digits in front of the point, numeric(3,5) five behind it: formats want scales from 0 to the
 * precision.  More than 76 digits are text.
 */
static struct dn_type declared_decimal(int precision, int scale)
{
    if (scale < 0) {
        precision -= scale;
        scale = 0;
    }
    precision = precision < scale ? scale : precision;
    return precision <= DN_PG_MAX_PRECISION_256 ? dn_type_decimal(precision, scale) : text;
}

static struct dn_type surveyed_decimal(const struct dn_pg_digits *d,
                                       const struct dn_pg_choices *choices)
{
    const int64_t n = d == NULL ? 0 : (int64_t)d->n_whole + d->n_places;

    if (n > DN_PG_MAX_PRECISION_256 ||
        (d != NULL && d->n_specials > 0 && !choices->specials_are_null)) {
        return text;
    }
    return dn_type_decimal(n > 0 ? (int)n : 1, d == NULL ? 0 : (int)d->n_places);
}

static bool is_open(const struct dn_pg_field *f)
{
    int precision = 0;
    int scale = 0;

    return f->kind == DN_PG_KIND_NUMERIC && !dn_pg_numeric_typmod(f->typmod, &precision, &scale);
}

static struct dn_type numeric_type(const struct dn_pg_field *f, const struct dn_pg_digits *digits,
                                   const struct dn_pg_choices *choices)
{
    int precision = 0;
    int scale = 0;

    if (dn_pg_numeric_typmod(f->typmod, &precision, &scale)) {
        return declared_decimal(precision, scale);
    }
    switch (choices->numeric) {
    case DN_PG_NUMERIC_TEXT:
        return text;
    case DN_PG_NUMERIC_FLOAT64:
        return DN_TYPE(FLOAT64);
    case DN_PG_NUMERIC_DECIMAL:
        return choices->decimal;
    case DN_PG_NUMERIC_AUTO:
        break;
    }
    return surveyed_decimal(digits, choices);
}

static const struct dn_type types[DN_PG_N_KINDS] = {
    [DN_PG_KIND_BOOL] = DN_TYPE_INIT(BOOL),
    [DN_PG_KIND_INT16] = DN_TYPE_INIT(INT16),
    [DN_PG_KIND_INT32] = DN_TYPE_INIT(INT32),
    [DN_PG_KIND_INT64] = DN_TYPE_INIT(INT64),
    [DN_PG_KIND_OID] = DN_TYPE_INIT(UINT32),
    [DN_PG_KIND_FLOAT32] = DN_TYPE_INIT(FLOAT32),
    [DN_PG_KIND_FLOAT64] = DN_TYPE_INIT(FLOAT64),
    [DN_PG_KIND_TEXT] = DN_TYPE_INIT(UTF8_VIEW),
    [DN_PG_KIND_JSON] = {.id = DN_TYPE_UTF8_VIEW, .extension = DN_EXTENSION_JSON},
    [DN_PG_KIND_JSONB] = {.id = DN_TYPE_UTF8_VIEW, .extension = DN_EXTENSION_JSON},
    [DN_PG_KIND_BYTES] = DN_TYPE_INIT(BINARY_VIEW),
    [DN_PG_KIND_UUID] = {.id = DN_TYPE_FIXED_BINARY, .width = 16, .extension = DN_EXTENSION_UUID},
    [DN_PG_KIND_DATE] = DN_TYPE_INIT(DATE32),
    [DN_PG_KIND_TIME] = DN_TIME_INIT(US),
    [DN_PG_KIND_TIMETZ] = DN_TYPE_INIT(UTF8_VIEW),
    [DN_PG_KIND_TIMESTAMP] = DN_TIMESTAMP_INIT(US),
    [DN_PG_KIND_TIMESTAMPTZ] = DN_TIMESTAMPTZ_INIT(US),
    [DN_PG_KIND_INTERVAL] = DN_TYPE_INIT(INTERVAL_MONTH_DAY_NANO),
};

/* Values of a kind that its Arrow type has no place for. */
static uint32_t specials_of(const struct dn_pg_target *t)
{
    switch (t->kind) {
    case DN_PG_KIND_NUMERIC:
        return dn_type_is_decimal(t->type) ? BIT(DN_PG_NAN) | INFINITIES : 0;
    case DN_PG_KIND_DATE:
    case DN_PG_KIND_TIMESTAMP:
    case DN_PG_KIND_TIMESTAMPTZ:
        return INFINITIES | BIT(DN_PG_RANGE);
    case DN_PG_KIND_TIME:
        return BIT(DN_PG_END_OF_DAY);
    case DN_PG_KIND_INTERVAL:
        return dn_type_is_text(t->type) ? 0 : INFINITIES | BIT(DN_PG_RANGE);
    default:
        return 0;
    }
}

static bool may_be_null(const struct dn_pg_field *f)
{
    return !f->not_null && !f->is_required;
}

struct dn_pg_target dn_pg_target_of(const struct dn_pg_field *f, const struct dn_pg_digits *digits,
                                    const struct dn_type *wanted,
                                    const struct dn_pg_choices *choices)
{
    struct dn_pg_target t = {
        .name = f->name,
        .type_name = f->type_name,
        .kind = f->kind,
        .type = types[f->kind],
        .nullable = may_be_null(f) || f->is_array,
    };

    if (wanted != NULL) {
        t.type = *wanted;
    } else if (f->kind == DN_PG_KIND_NUMERIC) {
        t.type = numeric_type(f, digits, choices);
    } else if (f->kind == DN_PG_KIND_INTERVAL && choices->intervals_are_text) {
        t.type = text;
    }
    if (choices->specials_are_null) {
        t.as_null = specials_of(&t);
        t.nullable = t.nullable || (t.as_null != 0 && !f->is_required);
    }
    return t;
}

struct dn_pg_target dn_pg_target_of_array(const struct dn_pg_field *f,
                                          const struct dn_pg_target *item)
{
    return (struct dn_pg_target){
        .name = f->name,
        .type_name = f->type_name,
        .kind = f->kind,
        .type = DN_TYPE(LIST),
        .nullable = may_be_null(f),
        .item = item,
    };
}

bool dn_pg_target_needs_survey(const struct dn_pg_field *f, const struct dn_pg_choices *choices)
{
    return choices->numeric == DN_PG_NUMERIC_AUTO && is_open(f);
}

bool dn_pg_target_is_view(const struct dn_pg_target *t)
{
    switch (t->item != NULL ? t->item->kind : t->kind) {
    case DN_PG_KIND_TEXT:
    case DN_PG_KIND_JSON:
    case DN_PG_KIND_JSONB:
    case DN_PG_KIND_BYTES:
        return true;
    default:
        return false;
    }
}
