/* Periods of ISO 8601: durations and intervals. */
#include "text/parse_wide.h"

static bool is_digit(uint8_t c)
{
    return (uint8_t)(c - '0') <= 9;
}

struct period_reader {
    const uint8_t *at;
    const uint8_t *end;
    struct dn_period *out;
    bool has_fraction;
};

/* "12", "-12": false as well if it does not fit. */
static bool read_number(struct period_reader *p, bool *negative, int64_t *out)
{
    const uint8_t *first;
    int64_t value = 0;

    *negative = p->at < p->end && *p->at == '-';
    p->at += p->at < p->end && (*p->at == '-' || *p->at == '+');
    for (first = p->at; p->at < p->end && is_digit(*p->at); p->at++) {
        const int64_t digit = *p->at - '0';
        if (__builtin_mul_overflow(value, 10, &value) ||
            (*negative ? __builtin_sub_overflow(value, digit, &value)
                       : __builtin_add_overflow(value, digit, &value))) {
            return false;
        }
    }
    *out = value;
    return p->at > first;
}

/* ".5" behind the seconds. */
static bool read_nanos(struct period_reader *p, bool negative)
{
    int64_t nanos = 0;
    int n = 0;

    for (p->at++; p->at < p->end && is_digit(*p->at); p->at++, n++) {
        if (n >= 9 && *p->at != '0') {
            return false;
        }
        nanos = n < 9 ? nanos * 10 + (*p->at - '0') : nanos;
    }
    for (int i = n; i < 9; i++) {
        nanos *= 10;
    }
    p->has_fraction = true;
    p->out->nanos = negative ? -nanos : nanos;
    return n > 0;
}

/* One part, "12M"; `units` are the letters that may follow, of which *unit_at gets the place. */
static bool read_part(struct period_reader *p, const char *units, int *unit_at)
{
    const bool is_time = units[0] == 'H';
    int64_t *const sums[2][4] = {{&p->out->months, &p->out->months, &p->out->days, &p->out->days},
                                 {&p->out->seconds, &p->out->seconds, &p->out->seconds, NULL}};
    static const int64_t factors[2][4] = {{12, 1, 7, 1}, {3600, 60, 1, 0}};
    bool negative = false;
    int64_t value = 0;
    int i = *unit_at;

    if (!read_number(p, &negative, &value) ||
        (p->at < p->end && *p->at == '.' && !(is_time && read_nanos(p, negative))) ||
        p->at == p->end) {
        return false;
    }
    while (units[i] != '\0' && units[i] != (char)*p->at) {
        i++;
    }
    if (units[i] == '\0' || (p->has_fraction && units[i] != 'S') ||
        __builtin_mul_overflow(value, factors[is_time][i], &value) ||
        __builtin_add_overflow(*sums[is_time][i], value, sums[is_time][i])) {
        return false;
    }
    p->at++;
    *unit_at = i + 1;
    return true;
}

static bool negate(struct dn_period *p)
{
    p->nanos = -p->nanos;
    return !__builtin_sub_overflow(0, p->months, &p->months) &&
           !__builtin_sub_overflow(0, p->days, &p->days) &&
           !__builtin_sub_overflow(0, p->seconds, &p->seconds);
}

bool dn_parse_period(const uint8_t *text, size_t len, struct dn_period *out)
{
    struct dn_period found = {0};
    struct period_reader p = {.at = text, .end = text + len, .out = &found};
    int unit_at = 0;
    int n_parts = 0;

    while (p.at < p.end && (*p.at == ' ' || *p.at == '\t')) {
        p.at++;
    }
    while (p.end > p.at && (p.end[-1] == ' ' || p.end[-1] == '\t')) {
        p.end--;
    }
    const bool negative = p.at < p.end && *p.at == '-';
    p.at += negative;
    if (p.at == p.end || *p.at++ != 'P') {
        return false;
    }
    for (; p.at < p.end && *p.at != 'T'; n_parts++) {
        if (!read_part(&p, "YMWD", &unit_at)) {
            return false;
        }
    }
    if (p.at < p.end) { /* T, and what it must not be the last of */
        unit_at = 0;
        n_parts = 0;
        for (p.at++; p.at < p.end; n_parts++) {
            if (!read_part(&p, "HMS", &unit_at)) {
                return false;
            }
        }
    }
    if (n_parts == 0 || (negative && !negate(&found))) {
        return false;
    }
    *out = found;
    return true;
}
