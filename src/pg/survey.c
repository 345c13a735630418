#include "pg/survey.h"

#include "base/strings.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_VERSION_WITH_INFINITY 140000

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
 * The four answers about a column, with commas between them, empty where there are none: its largest whole part, most places, how many
 * values, how many specials.  A SELECT has room for one answer a column, not for four.  Those about an array are found out for its
 * elements first.
 */
static enum dn_status put_answers(struct dn_buffer *sql, size_t i, bool is_array,
                                  const char *specials, struct dn_error *err)
{
    if (!is_array) {
        return dn_text_appendf(sql, err,
                               "pg_catalog.concat("
                               "pg_catalog.max(pg_catalog.abs(pg_catalog.trunc(c%zu))) FILTER "
                               "(WHERE c%zu NOT IN (%s)),',',"
                               "pg_catalog.max(pg_catalog.scale(c%zu)) FILTER (WHERE c%zu NOT IN "
                               "(%s)),',',pg_catalog.count(c%zu),',',"
                               "pg_catalog.count(*) FILTER (WHERE c%zu IN (%s)))",
                               i, i, specials, i, i, specials, i, i, specials);
    }
    return dn_text_appendf(
        sql, err,
        "pg_catalog.concat("
        "pg_catalog.max((SELECT pg_catalog.max(pg_catalog.abs(pg_catalog.trunc(e))) FROM "
        "pg_catalog.unnest(c%zu) e WHERE e NOT IN (%s))),',',"
        "pg_catalog.max((SELECT pg_catalog.max(pg_catalog.scale(e)) FROM pg_catalog.unnest(c%zu) e "
        "WHERE e NOT IN (%s))),',',"
        "pg_catalog.sum((SELECT pg_catalog.count(e) FROM pg_catalog.unnest(c%zu) e)),',',"
        "pg_catalog.sum((SELECT pg_catalog.count(*) FROM pg_catalog.unnest(c%zu) e WHERE e IN "
        "(%s))))",
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

/* The next answer of a column, and its length. */
static const char *next_answer(const char **answers, size_t *len)
{
    const char *one = *answers;

    *len = strcspn(one, ",");
    *answers = one[*len] == ',' ? one + *len + 1 : one + *len;
    return one;
}

static int64_t next_number(const char **answers)
{
    size_t len = 0;

    return strtoll(next_answer(answers, &len), NULL, 10);
}

static struct dn_pg_digits read_answers(const char *answers)
{
    struct dn_pg_digits digits = {.is_surveyed = true};
    size_t len = 0;

    const char *whole = next_answer(&answers, &len);
    digits.n_whole = len == 1 && whole[0] == '0' ? 0 : (int32_t)len; /* 0 has no digits */
    digits.n_places = (int32_t)next_number(&answers);
    digits.n_values = next_number(&answers);
    digits.n_specials = next_number(&answers);
    return digits;
}

static void read_all_answers(struct dn_pg_digits *out, const struct dn_pg_result *r,
                             const struct dn_pg_field *fields, size_t n_fields)
{
    int column = 0;

    for (size_t i = 0; i < n_fields; i++) {
        if (is_open(&fields[i])) {
            const char *answers = dn_pg_result_text(r, 0, column++);
            out[i] = read_answers(answers != NULL ? answers : "");
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
        read_all_answers(out, r, fields, n_fields);
    }
cleanup:
    dn_pg_result_finish(r);
    dn_buffer_finish(&sql);
    return st;
}
