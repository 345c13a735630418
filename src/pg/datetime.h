/** Dates, times and intervals.  The wire counts from 2000, the values here from 1970.  Pure; thread-safe. */
#ifndef DN_PG_DATETIME_H
#define DN_PG_DATETIME_H

#include "pg/value.h"

#define DN_PG_DAYS_TO_2000 10957
#define DN_PG_MICROS_TO_2000 INT64_C(946684800000000)
#define DN_PG_MICROS_PER_DAY INT64_C(86400000000)
#define DN_PG_DAYS_OF_YEAR_1 (-719162) /**< 0001-01-01 */

/** Days since 1970-01-01; INT32_MIN and INT32_MAX of the wire are -infinity and infinity. */
static inline enum dn_pg_verdict dn_pg_date(const uint8_t *p, size_t len, int32_t *out)
{
    if (len != 4) {
        return DN_PG_LENGTH;
    }
    const int32_t days = (int32_t)dn_pg_load32(p);
    if (days == INT32_MAX) {
        return DN_PG_INFINITY;
    }
    if (days == INT32_MIN) {
        return DN_PG_NEGATIVE_INFINITY;
    }
    if (days > INT32_MAX - DN_PG_DAYS_TO_2000) {
        return DN_PG_RANGE;
    }
    *out = days + DN_PG_DAYS_TO_2000;
    return DN_PG_GOOD;
}

/** Microseconds since 1970-01-01T00:00:00, of timestamp (local) and timestamptz (UTC). */
static inline enum dn_pg_verdict dn_pg_timestamp(const uint8_t *p, size_t len, int64_t *out)
{
    if (len != 8) {
        return DN_PG_LENGTH;
    }
    const int64_t us = (int64_t)dn_pg_load64(p);
    if (us == INT64_MAX) {
        return DN_PG_INFINITY;
    }
    if (us == INT64_MIN) {
        return DN_PG_NEGATIVE_INFINITY;
    }
    if (us > INT64_MAX - DN_PG_MICROS_TO_2000) {
        return DN_PG_RANGE;
    }
    *out = us + DN_PG_MICROS_TO_2000;
    return DN_PG_GOOD;
}

/** Microseconds of the day.  24:00:00 is DN_PG_END_OF_DAY. */
static inline enum dn_pg_verdict dn_pg_time(const uint8_t *p, size_t len, int64_t *out)
{
    if (len != 8) {
        return DN_PG_LENGTH;
    }
    const uint64_t us = dn_pg_load64(p);
    if (us >= (uint64_t)DN_PG_MICROS_PER_DAY) {
        return us == (uint64_t)DN_PG_MICROS_PER_DAY ? DN_PG_END_OF_DAY : DN_PG_FORM;
    }
    *out = (int64_t)us;
    return DN_PG_GOOD;
}

/** Before the year 1, which is what people write BC? */
static inline bool dn_pg_days_are_bc(int64_t days)
{
    return days < DN_PG_DAYS_OF_YEAR_1;
}

struct dn_pg_timetz {
    int64_t us;             /**< of the day, where its clock stands; 24:00:00 is allowed */
    int32_t offset_seconds; /**< east of UTC, less than 16 hours */
};
enum dn_pg_verdict dn_pg_timetz(const uint8_t *p, size_t len, struct dn_pg_timetz *out);

struct dn_pg_interval {
    int64_t us;
    int32_t days;
    int32_t months;
};
/** Three numbers that are not turned into each other.  All three at their ends is infinity, from 17 on. */
enum dn_pg_verdict dn_pg_interval(const uint8_t *p, size_t len, struct dn_pg_interval *out);

/*
 * Texts as the server writes them, with IntervalStyle iso_8601.  `out` holds DN_PG_DATETIME_TEXT bytes; the length is returned, no NUL is
 * written.
 */
#define DN_PG_DATETIME_TEXT 96
/** 04:05:06.789 */
size_t dn_pg_time_text(char *out, int64_t us);
/** 04:05:06.789-08, +05:30, +00:00:30 */
size_t dn_pg_timetz_text(char *out, const struct dn_pg_timetz *value);
/** P1Y2M3DT4H5M6.789S; PT0S */
size_t dn_pg_interval_text(char *out, const struct dn_pg_interval *value);

#endif
