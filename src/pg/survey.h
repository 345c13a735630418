/** How many digits numerics without a precision have: a pass of the server's over the values.  Threads: as the session. */
#ifndef DN_PG_SURVEY_H
#define DN_PG_SURVEY_H

#include "pg/catalog.h"

struct dn_pg_digits {
    bool is_surveyed;   /**< false: no numeric, or one whose precision is declared */
    int32_t n_whole;    /**< the most digits in front of the point, without leading zeros */
    int32_t n_places;   /**< the most places, as they are written */
    int64_t n_values;   /**< that are not null; of arrays, elements */
    int64_t n_specials; /**< of them NaN, Infinity, -Infinity, which have no digits */
};

/** Has any field a numeric, or an array of them, that dn_pg_survey() would look at? */
bool dn_pg_survey_is_needed(const struct dn_pg_field *fields, size_t n_fields);
/**
 * Look at what `select` gives, inside the session's transaction.  One scan, whatever the number of columns; nothing comes over but the
 * answer.
 * @param select  of a plan for one connection, with all of `fields` in order
 * @param out     n_fields entries
 */
DN_NODISCARD enum dn_status dn_pg_survey(struct dn_pg_digits *out, struct dn_pg_session *s,
                                         const char *select, const struct dn_pg_field *fields,
                                         size_t n_fields, struct dn_error *err);

#endif
