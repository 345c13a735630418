#include "pg/datetime.h"

#include <stdio.h>
#include <stdlib.h>

#define MICROS INT64_C(1000000)
#define MOST_OFFSET_SECONDS (16 * 3600)

enum dn_pg_verdict dn_pg_timetz(const uint8_t *p, size_t len, struct dn_pg_timetz *out)
{
    if (len != 12) {
        return DN_PG_LENGTH;
    }
    const uint64_t us = dn_pg_load64(p);
    const int32_t west = (int32_t)dn_pg_load32(p + 8);
    if (us > (uint64_t)DN_PG_MICROS_PER_DAY || west <= -MOST_OFFSET_SECONDS ||
        west >= MOST_OFFSET_SECONDS) {
        return DN_PG_FORM;
    }
    *out = (struct dn_pg_timetz){(int64_t)us, -west};
    return DN_PG_GOOD;
}

enum dn_pg_verdict dn_pg_interval(const uint8_t *p, size_t len, struct dn_pg_interval *out)
{
    if (len != 16) {
        return DN_PG_LENGTH;
    }
    const struct dn_pg_interval v = {(int64_t)dn_pg_load64(p), (int32_t)dn_pg_load32(p + 8),
                                     (int32_t)dn_pg_load32(p + 12)};
    if (v.us == INT64_MAX && v.days == INT32_MAX && v.months == INT32_MAX) {
        return DN_PG_INFINITY;
    }
    if (v.us == INT64_MIN && v.days == INT32_MIN && v.months == INT32_MIN) {
        return DN_PG_NEGATIVE_INFINITY;
    }
    *out = v;
    return DN_PG_GOOD;
}

/* ".789" without zeros at the end, or nothing; us < 1,000,000. */
static size_t put_fraction(char *out, uint64_t us)
{
    size_t n = 7;

    if (us == 0) {
        return 0;
    }
    out[0] = '.';
    for (size_t i = 6; i > 0; i--, us /= 10) {
        out[i] = (char)('0' + us % 10);
    }
    while (out[n - 1] == '0') {
        n--;
    }
    return n;
}

size_t dn_pg_time_text(char *out, int64_t us)
{
    const int64_t seconds = us / MICROS;
    const int n = snprintf(out, 32, "%02d:%02d:%02d", (int)(seconds / 3600),
                           (int)(seconds / 60 % 60), (int)(seconds % 60));

    return (size_t)n + put_fraction(out + n, (uint64_t)(us % MICROS));
}

size_t dn_pg_timetz_text(char *out, const struct dn_pg_timetz *value)
{
    size_t n = dn_pg_time_text(out, value->us);
    const int offset = abs(value->offset_seconds);

    n += (size_t)snprintf(out + n, 16, "%c%02d", value->offset_seconds < 0 ? '-' : '+',
                          offset / 3600);
    if (offset % 3600 != 0) {
        n += (size_t)snprintf(out + n, 16, ":%02d", offset / 60 % 60);
    }
    if (offset % 60 != 0) {
        n += (size_t)snprintf(out + n, 16, ":%02d", offset % 60);
    }
    return n;
}

static size_t put_part(char *out, int64_t value, char unit)
{
    return value == 0 ? 0 : (size_t)snprintf(out, 24, "%lld%c", (long long)value, unit);
}

static size_t put_seconds(char *out, int64_t us)
{
    if (us == 0) {
        return 0;
    }
    const uint64_t size = us < 0 ? 0 - (uint64_t)us : (uint64_t)us;
    size_t n = (size_t)snprintf(out, 24, "%s%u", us < 0 ? "-" : "", (unsigned)(size / 1000000));
    n += put_fraction(out + n, size % 1000000);
    out[n++] = 'S';
    return n;
}

size_t dn_pg_interval_text(char *out, const struct dn_pg_interval *value)
{
    const int64_t minute = 60 * MICROS;
    size_t n = 0;

    out[n++] = 'P';
    n += put_part(out + n, value->months / 12, 'Y');
    n += put_part(out + n, value->months % 12, 'M');
    n += put_part(out + n, value->days, 'D');
    if (value->us != 0 || n == 1) {
        out[n++] = 'T';
    }
    if (value->us != 0) {
        n += put_part(out + n, value->us / (60 * minute), 'H');
        n += put_part(out + n, value->us / minute % 60, 'M');
        n += put_seconds(out + n, value->us % minute);
    } else if (n == 2) {
        memcpy(out + n, "0S", 2);
        n += 2;
    }
    return n;
}
