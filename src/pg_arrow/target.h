/** Which Arrow column a column of PostgreSQL becomes.  Needs no server.  Pure; thread-safe. */
#ifndef DN_PG_ARROW_TARGET_H
#define DN_PG_ARROW_TARGET_H

#include "arrow/schema.h"
#include "pg/survey.h"

/** What becomes of numerics without a declared precision. */
enum dn_pg_numeric_as {
    DN_PG_NUMERIC_AUTO = 0, /**< the smallest decimal that holds every value, else text */
    DN_PG_NUMERIC_TEXT,
    DN_PG_NUMERIC_FLOAT64, /**< rounded to the closest */
    DN_PG_NUMERIC_DECIMAL  /**< a given one; a value that it does not hold is an error */
};

/** Zero-initialised: the defaults. */
struct dn_pg_choices {
    enum dn_pg_numeric_as numeric;
    struct dn_type decimal;  /**< DN_PG_NUMERIC_DECIMAL */
    bool specials_are_null;  /**< NaN, infinity, 24:00:00 where a type has none; else an error */
    bool intervals_are_text; /**< ISO 8601; else months, days and nanoseconds */
    bool arrays_are_text;    /**< as a whole; else lists, of arrays of one dimension */
};

struct dn_pg_target {
    const char *name;
    const char *type_name; /**< PostgreSQL's, for messages; "" if it is not known */
    enum dn_pg_kind kind;  /**< of the cells */
    struct dn_type type;
    bool nullable;
    uint32_t as_null; /**< verdicts that make nulls: 1 << enum dn_pg_verdict, or'ed */
    const struct dn_pg_target *item; /**< of an array, which is a list then; NULL: it is none */
};

/**
 * Of a field, or of the elements of one that is an array.  Texts are borrowed from it.
 * @param digits  what a survey says of the column; NULL: there was none, or no value
 * @param wanted  the type that the field was converted to (dn_pg_field_convert()); NULL: its own
 */
struct dn_pg_target dn_pg_target_of(const struct dn_pg_field *f, const struct dn_pg_digits *digits,
                                    const struct dn_type *wanted,
                                    const struct dn_pg_choices *choices);
/** Of an array's field, with what its elements are, which is borrowed. */
struct dn_pg_target dn_pg_target_of_array(const struct dn_pg_field *f,
                                          const struct dn_pg_target *item);
/** Does the type of a field depend on what dn_pg_survey() finds? */
bool dn_pg_target_needs_survey(const struct dn_pg_field *f, const struct dn_pg_choices *choices);
/** Are the values texts of the block, which has to live as long as they? */
bool dn_pg_target_is_view(const struct dn_pg_target *t);

#endif
