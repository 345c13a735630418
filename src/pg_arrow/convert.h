/** Reading a column as another type than its own: exactly, or not at all.  Needs no server.  Pure; thread-safe. */
#ifndef DN_PG_ARROW_CONVERT_H
#define DN_PG_ARROW_CONVERT_H

#include "arrow/types.h"
#include "pg/catalog.h"

/** What is asked of a column. */
struct dn_pg_wanted {
    const char *name;
    struct dn_type type;
    bool is_list; /**< of values of that type */
};

/** What a conversion does beyond giving the same value in another form. */
enum dn_pg_conversion {
    DN_PG_CONVERTED = 0,
    DN_PG_ROUNDED,      /**< to the closest float64, as was asked for */
    DN_PG_IN_UTC,       /**< an instant became the time that clocks show in UTC */
    DN_PG_NOT_CONVERTED /**< the values of the one type are none of the other */
};

/** Of an array: ask for its text as a whole. */
void dn_pg_field_flatten(struct dn_pg_field *f);
/**
 * Let a field, which is no array, be asked for so that its values are of the type: the server casts where the values are not what the
 * decoder gives anyway, and refuses values that have no place there.
 * @param type  brought into the layout that is read
 */
enum dn_pg_conversion dn_pg_field_convert(struct dn_pg_field *f, struct dn_type *type);
/** A field of nulls for a column that there is none of.  False: for a type that is not read. */
bool dn_pg_field_of_nulls(struct dn_pg_field *f, const char *name, struct dn_type *type);

#endif
