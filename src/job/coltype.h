/**
 * Column types as the host names them, and what an asset or a person may call them.
 *
 * The names that cross the plugin boundary are those of arrow/types.h: bool int64 uint64 float64 date time[us] timestamp timestamptz string ...
 */
#ifndef DN_JOB_COLTYPE_H
#define DN_JOB_COLTYPE_H

#include "dativo/arrow.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/** A column of an asset. */
struct dn_column {
    const char *name;
    const char *asset_type; /**< as the asset has it, e.g. "integer" */
    const char *type;       /**< the plugin's name for it, e.g. "int64" */
    int required;           /**< 1: a null is an error (strict) or a warning (warn) */
};

/** How often a column may widen before only "string" is left. */
#define DN_COLTYPE_LATTICE_HEIGHT 8

/** Room for a type in words; nested ones that are longer are none. */
#define DN_COLTYPE_SIZE 4096
/**
 * The plugin type for a word of any person's (docs/types.md), ":hex" and ":base64" behind binary types included, and nested types.
 * @return `out`, or NULL: there is none
 */
const char *dn_coltype_parse(const char *word, char out[DN_COLTYPE_SIZE]);
/**
 * The plugin type for an asset's word, which may be any that dn_coltype_parse() takes but for ":hex" and ":base64"; "string" where values
 * are kept as texts.
 * @return NULL: there is none
 */
const char *dn_coltype_of_asset(const char *word, char out[DN_COLTYPE_SIZE]);
/** Has it something within, as list<int64>? */
static inline bool dn_coltype_is_nested(const char *type)
{
    return strchr(type, '<') != NULL;
}
/** Bytes of the type that a text begins with, up to a comma that is outside of all brackets and quotes. */
size_t dn_coltype_length(const char *text);
/** Can a reader of text find out by itself that values are of the plugin type?  Others are read where they are declared. */
bool dn_coltype_is_found(const char *type);
/** Is it a type that assets have and this version does not, so that its values are kept as texts? */
bool dn_coltype_is_stored_as_text(const char *asset_type);
/**
 * Is a column that its source has as `type` what the asset's word means, so that it stays what it is?  Of words for families: decimal, uuid,
 * json, array, object.  Numbers whose digits nobody knows before they are read may be texts.
 */
bool dn_coltype_is_meant(const char *asset_type, const char *type);
/** Has `type` a place for every value of a column that its source has as `narrow`?  Moments have one among the timestamps, in UTC. */
bool dn_coltype_holds(const char *type, const char *narrow);
/** The known asset type closest to a misspelt one, or NULL. */
const char *dn_coltype_suggest(const char *asset_type, char out[DN_COLTYPE_SIZE]);
/** The name an asset would use for a plugin type: int64 -> integer, float64 -> double, bool -> boolean. */
const char *dn_coltype_to_asset(const char *type);

/** Nulls of one column of a batch, counted from the validity bitmap when the producer has not counted them. */
int64_t dn_column_null_count(const struct ArrowArray *column);

#endif
