#include "pg/survey.h"

#include "base/strings.h"

#include <string.h>

#define FIRST_VERSION_WITH_INFINITY 140000
#define N_ANSWERS 4 /**< per column */

static bool is_open(const struct dn_pg_field *f)
{
    int precision = 0;
    int scale = 0;

    return f->kind == DN_PG_KIND_NUMERIC && !dn_pg_numeric_typmod(f->typmod, &precision, &scale);
}

bool dn_pg_survey_is_needed(const struct dn_pg_field *fields, size_t n_fields)
{
    for (size_t i = 0; i < n_fields; i++) {
        if (is_open(&fields[i])) {
            return true;
        }
    }
    return false;
}

/*
 * The four answers about a column: its largest whole part, most places, how many values, how many specials.  Those about an array are
 * found out for its elements first.
 */
static enum dn_status put_answers(struct dn_buffer *sql, size_t i, bool is_array,
                                  const char *specials, struct dn_error *err)
{
    if (!is_array) {
        return dn_text_appendf(sql, err,
                               "pg_catalog.max(pg_catalog.abs(pg_catalog.trunc(c%zu))) FILTER "
                               "(WHERE c%zu NOT IN (%s)),"
                               "pg_catalog.max(pg_catalog.scale(c%zu)) FILTER (WHERE c%zu NOT IN "
                               "(%s)),pg_catalog.count(c%zu),"
                               "pg_catalog.count(*) FILTER (WHERE c%zu IN (%s))",
                               i, i, specials, i, i, specials, i, i, specials);
    }
    return dn_text_appendf(
        sql, err,
        "pg_catalog.max((SELECT pg_catalog.max(pg_catalog.abs(pg_catalog.trunc(e))) FROM "
        "pg_catalog.unnest(c%zu) e WHERE e NOT IN (%s))),"
        "pg_catalog.max((SELECT pg_catalog.max(pg_catalog.scale(e)) FROM pg_catalog.unnest(c%zu) e "
        "WHERE e NOT IN (%s))),"
        "pg_catalog.sum((SELECT pg_catalog.count(e) FROM pg_catalog.unnest(c%zu) e)),"
        "pg_catalog.sum((SELECT pg_catalog.count(*) FROM pg_catalog.unnest(c%zu) e WHERE e IN "
        "(%s)))",
        i, specials, i, specials, i, i, specials);
}

static enum dn_status put_survey(struct dn_buffer *sql, const char *select,
                                 const struct dn_pg_field *fields, size_t n_fields, int version,
                                 struct dn_error *err)
{
    const char *specials =
        version >= FIRST_VERSION_WITH_INFINITY ? "'NaN','Infinity','-Infinity'" : "'NaN'";
    const char *before = "SELECT ";

    for (size_t i = 0; i < n_fields; i++) {
        if (is_open(&fields[i])) {
            DN_TRY(dn_text_append(sql, before, err));
            DN_TRY(put_answers(sql, i, fields[i].is_array, specials, err));
            before = ",";
        }
    }
    DN_TRY(dn_text_appendf(sql, err, " FROM (%s\n) AS q(", select));
    for (size_t i = 0; i < n_fields; i++) {
        DN_TRY(dn_text_appendf(sql, err, "%sc%zu", i > 0 ? "," : "", i));
    }
    DN_TRY(dn_text_append(sql, ")", err));
    return dn_buffer_append_byte(sql, 0, err);
}

/* The digits of a whole number as text; 0 has none. */
static int32_t count_digits(const char *text)
{
    return text == NULL || strcmp(text, "0") == 0 ? 0 : (int32_t)strlen(text);
}

static void read_answers(struct dn_pg_digits *out, const struct dn_pg_result *r,
                         const struct dn_pg_field *fields, size_t n_fields)
{
    int column = 0;

    for (size_t i = 0; i < n_fields; i++) {
        out[i] = (struct dn_pg_digits){.is_surveyed = is_open(&fields[i])};
        if (out[i].is_surveyed) {
            out[i].n_whole = count_digits(dn_pg_result_text(r, 0, column));
            out[i].n_places = (int32_t)dn_pg_result_int(r, 0, column + 1);
            out[i].n_values = dn_pg_result_int(r, 0, column + 2);
            out[i].n_specials = dn_pg_result_int(r, 0, column + 3);
            column += N_ANSWERS;
        }
    }
}

enum dn_status dn_pg_survey(struct dn_pg_digits *out, struct dn_pg_session *s, const char *select,
                            const struct dn_pg_field *fields, size_t n_fields, struct dn_error *err)
{
    struct dn_buffer sql = {0};
    struct dn_pg_result *r = NULL;
    enum dn_status st = DN_OK;

    for (size_t i = 0; i < n_fields; i++) {
        out[i] = (struct dn_pg_digits){0};
    }
    if (!dn_pg_survey_is_needed(fields, n_fields)) {
        return DN_OK;
    }
    DN_TRY_GOTO(st, put_survey(&sql, select, fields, n_fields, dn_pg_session_version(s), err),
                cleanup);
    DN_TRY_GOTO(st,
                dn_pg_session_query(s, &r, (const char *)sql.data, NULL, 0,
                                    "looking at the digits of numerics", err),
                cleanup);
    if (dn_pg_result_n_rows(r) == 1) {
        read_answers(out, r, fields, n_fields);
    }
cleanup:
    dn_pg_result_finish(r);
    dn_buffer_finish(&sql);
    return st;
}
