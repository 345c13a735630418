#include "text/moment_format.h"

#include <stdio.h>
#include <string.h>

/* What a directive says; the year is said by %Y and %y, and so on. */
enum part {
    PART_YEAR = 1,
    PART_MONTH = 2,
    PART_DAY = 4,
    PART_DAY_OF_YEAR = 8,
    PART_HOUR = 16,
    PART_HOUR_OF_12 = 32,
    PART_HALF = 64,
    PART_MINUTE = 128,
    PART_SECOND = 256,
    PART_FRACTION = 512,
    PART_ZONE = 1024
};
#define PARTS_OF_DATE ((unsigned)(PART_YEAR | PART_MONTH | PART_DAY | PART_DAY_OF_YEAR))
#define PARTS_OF_TIME                                                                              \
    ((unsigned)(PART_HOUR | PART_HOUR_OF_12 | PART_HALF | PART_MINUTE | PART_SECOND |              \
                PART_FRACTION))

#define FRACTION_DIGITS 9

static const struct directive {
    char letter;
    uint8_t least; /* digits, 0: no number */
    uint8_t most;
    unsigned part;
    const char *name;
} directives[] = {
    {'Y', 4, 4, PART_YEAR, "the year"},     {'y', 2, 2, PART_YEAR, "the year"},
    {'m', 1, 2, PART_MONTH, "the month"},   {'b', 0, 0, PART_MONTH, "the month"},
    {'B', 0, 0, PART_MONTH, "the month"},   {'d', 1, 2, PART_DAY, "the day"},
    {'e', 1, 2, PART_DAY, "the day"},       {'j', 1, 3, PART_DAY_OF_YEAR, "the day of the year"},
    {'H', 1, 2, PART_HOUR, "the hour"},     {'I', 1, 2, PART_HOUR_OF_12, "the hour"},
    {'p', 0, 0, PART_HALF, "AM or PM"},     {'M', 1, 2, PART_MINUTE, "the minute"},
    {'S', 1, 2, PART_SECOND, "the second"}, {'f', 1, UINT8_MAX, PART_FRACTION, "the fraction"},
    {'z', 0, 0, PART_ZONE, "the zone"},     {'Z', 0, 0, PART_ZONE, "the zone"},
};

static const char *const months[] = {"january",   "february", "march",    "april",
                                     "may",       "june",     "july",     "august",
                                     "september", "october",  "november", "december"};

static bool is_digit(uint8_t c)
{
    return (uint8_t)(c - '0') <= 9;
}

/* ---- compiling ---- */

static bool refuse(char problem[DN_MOMENT_PROBLEM_SIZE], const char *what)
{
    (void)snprintf(problem, DN_MOMENT_PROBLEM_SIZE, "%s", what);
    return false;
}

static const struct directive *directive_of(char letter)
{
    for (size_t i = 0; i < sizeof directives / sizeof directives[0]; i++) {
        if (directives[i].letter == letter) {
            return &directives[i];
        }
    }
    return NULL;
}

/* What a letter stands for, if it is several directives. */
static const char *long_form(char letter)
{
    return letter == 'T'   ? "%H:%M:%S"
           : letter == 'F' ? "%Y-%m-%d"
           : letter == 'D' ? "%m/%d/%y"
                           : NULL;
}

static bool add_byte(struct dn_moment_format *f, char byte, char problem[DN_MOMENT_PROBLEM_SIZE])
{
    if (f->n_steps == DN_MOMENT_STEPS) {
        return refuse(problem, "it is too long");
    }
    f->steps[f->n_steps++] = (struct dn_moment_step){.byte = (uint8_t)byte};
    return true;
}

static bool add_directive(struct dn_moment_format *f, char letter, unsigned *parts,
                          char problem[DN_MOMENT_PROBLEM_SIZE])
{
    const struct directive *d = directive_of(letter);

    if (letter == '\0') {
        return refuse(problem, "it ends with %; a % of the text is %%");
    }
    if (d == NULL) {
        (void)snprintf(problem, DN_MOMENT_PROBLEM_SIZE, "%%%c is not known; there are %s", letter,
                       DN_MOMENT_DIRECTIVES);
        return false;
    }
    if ((*parts & d->part) != 0) {
        (void)snprintf(problem, DN_MOMENT_PROBLEM_SIZE, "%%%c: %s is there before", letter,
                       d->name);
        return false;
    }
    *parts |= d->part;
    if (!add_byte(f, '\0', problem)) {
        return false;
    }
    f->steps[f->n_steps - 1] = (struct dn_moment_step){(uint8_t)letter, 0, d->least, d->most};
    return true;
}

static bool add_steps(struct dn_moment_format *f, const char *text, unsigned *parts,
                      char problem[DN_MOMENT_PROBLEM_SIZE])
{
    for (const char *p = text; *p != '\0'; p++) {
        const char *inner = *p == '%' ? long_form(p[1]) : NULL;
        bool added;
        if (inner != NULL) {
            for (added = true; added && *inner != '\0'; inner++) {
                added = *inner == '%' ? add_directive(f, *++inner, parts, problem)
                                      : add_byte(f, *inner, problem);
            }
            p++;
        } else if (*p == '%' && p[1] != '%') {
            added = add_directive(f, p[1], parts, problem);
            p++;
        } else {
            added = add_byte(f, *p, problem);
            p += *p == '%';
        }
        if (!added) {
            return false;
        }
    }
    return true;
}

static bool begins_with_digit(const struct dn_moment_step *s)
{
    return s->what == 0 ? is_digit(s->byte) : s->least > 0;
}

/* Where a digit must follow, numbers have all of theirs. */
static bool fix_widths(struct dn_moment_format *f, char problem[DN_MOMENT_PROBLEM_SIZE])
{
    for (size_t i = 0; i + 1 < f->n_steps; i++) {
        struct dn_moment_step *s = &f->steps[i];
        if (s->least == 0 || !begins_with_digit(s + 1)) {
            continue;
        }
        if (s->what == 'f') {
            return refuse(problem, "a digit follows %f, which takes all digits");
        }
        s->least = s->most;
    }
    return true;
}

static bool is_complete(enum dn_moment_kind kind, unsigned parts,
                        char problem[DN_MOMENT_PROBLEM_SIZE])
{
    const bool month = (parts & (PART_MONTH | PART_DAY)) != 0;
    const bool hour = (parts & (PART_HOUR | PART_HOUR_OF_12)) != 0;

    if (kind == DN_MOMENT_DATE && (parts & ~PARTS_OF_DATE) != 0) {
        return refuse(problem, "a date has no time and no zone: that is a timestamp");
    }
    if (kind == DN_MOMENT_TIME && (parts & ~PARTS_OF_TIME) != 0) {
        return refuse(problem, "a time has no date and no zone: that is a timestamp");
    }
    if (kind != DN_MOMENT_TIME &&
        ((parts & PART_YEAR) == 0 || month == ((parts & PART_DAY_OF_YEAR) != 0) ||
         (month && (parts & PART_MONTH) == 0) || (month && (parts & PART_DAY) == 0))) {
        return refuse(problem, "it needs a year with month and day, or with the day of the year");
    }
    if ((parts & PART_HOUR) != 0 && (parts & (PART_HOUR_OF_12 | PART_HALF)) != 0) {
        return refuse(problem, "%H goes without %I and %p");
    }
    if (((parts & PART_HOUR_OF_12) != 0) != ((parts & PART_HALF) != 0)) {
        return refuse(problem, "%I and %p go together");
    }
    const bool minute = (parts & PART_MINUTE) != 0;
    const bool second = (parts & PART_SECOND) != 0;
    if ((!hour && (kind == DN_MOMENT_TIME || (parts & (PARTS_OF_TIME | PART_ZONE)) != 0)) ||
        (minute && !hour) || (second && !minute) || ((parts & PART_FRACTION) != 0 && !second)) {
        return refuse(problem, "it needs the hour, minutes before seconds, and these before %f");
    }
    return true;
}

bool dn_moment_compile(struct dn_moment_format *out, enum dn_moment_kind kind, const char *text,
                       char problem[DN_MOMENT_PROBLEM_SIZE])
{
    unsigned parts = 0;

    *out = (struct dn_moment_format){.text = text, .kind = kind};
    if (!add_steps(out, text, &parts, problem) || !is_complete(kind, parts, problem)) {
        return false;
    }
    out->zoned = (parts & PART_ZONE) != 0;
    return fix_widths(out, problem);
}

/* ---- reading ---- */

/* What was read, in numbers that may be none of a calendar. */
struct moment {
    unsigned year;
    unsigned month;
    unsigned day;
    unsigned day_of_year;
    unsigned hour;
    unsigned minute;
    unsigned second;
    uint32_t nanos;
    bool afternoon;
    bool of_12;
    char zone[8];
};

static size_t read_number(const struct dn_moment_step *s, const uint8_t *text, size_t len,
                          unsigned *out)
{
    size_t n = 0;

    *out = 0;
    for (; n < s->most && n < len && is_digit(text[n]); n++) {
        *out = *out * 10 + (unsigned)(text[n] - '0');
    }
    return n >= s->least ? n : 0;
}

/* Digits behind the ninth must be zeros. */
static size_t read_fraction(const uint8_t *text, size_t len, uint32_t *out)
{
    size_t n = 0;

    *out = 0;
    for (; n < len && is_digit(text[n]); n++) {
        if (n >= FRACTION_DIGITS) {
            if (text[n] != '0') {
                return 0;
            }
            continue;
        }
        *out = *out * 10 + (uint32_t)(text[n] - '0');
    }
    for (size_t i = n; n > 0 && i < FRACTION_DIGITS; i++) {
        *out *= 10;
    }
    return n;
}

static bool begins_with(const uint8_t *text, size_t len, const char *lower, size_t n)
{
    if (len < n) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        const uint8_t c = text[i];
        if ((c >= 'A' && c <= 'Z' ? c | 0x20 : c) != (uint8_t)lower[i]) {
            return false;
        }
    }
    return true;
}

static size_t read_month(const uint8_t *text, size_t len, bool whole, unsigned *out)
{
    for (unsigned m = 0; m < 12; m++) {
        const size_t n = whole ? strlen(months[m]) : 3;
        if (begins_with(text, len, months[m], n)) {
            *out = m + 1;
            return n;
        }
    }
    return 0;
}

static size_t read_half(const uint8_t *text, size_t len, struct moment *m)
{
    m->of_12 = true;
    m->afternoon = begins_with(text, len, "pm", 2);
    return m->afternoon || begins_with(text, len, "am", 2) ? 2 : 0;
}

/* As ISO 8601 has it; the zone is checked there. */
static size_t read_zone(const uint8_t *text, size_t len, bool named, char zone[8])
{
    const size_t utc = named && len >= 3 && memcmp(text, "UTC", 3) == 0 ? 3 : 0;

    if (utc > 0 || (len > 0 && text[0] == 'Z')) {
        memcpy(zone, "Z", 2);
        return utc > 0 ? utc : 1;
    }
    if (named || len < 3 || (text[0] != '+' && text[0] != '-') || !is_digit(text[1]) ||
        !is_digit(text[2])) {
        return 0;
    }
    memcpy(zone, text, 3);
    memcpy(zone + 3, ":00", 4);
    const size_t at = len > 3 && text[3] == ':' ? 4 : 3;
    if (len >= at + 2 && is_digit(text[at]) && is_digit(text[at + 1])) {
        memcpy(zone + 4, text + at, 2);
        return at + 2;
    }
    return 3;
}

static size_t read_year_of_two(const struct dn_moment_step *s, const uint8_t *text, size_t len,
                               unsigned *out)
{
    const size_t n = read_number(s, text, len, out);

    *out += *out < 69 ? 2000 : 1900;
    return n;
}

/* A day, perhaps with a blank for its first digit. */
static size_t read_padded(const struct dn_moment_step *s, const uint8_t *text, size_t len,
                          unsigned *out)
{
    if (len > 1 && text[0] == ' ' && is_digit(text[1])) {
        *out = (unsigned)(text[1] - '0');
        return 2;
    }
    return read_number(s, text, len, out);
}

/* Bytes that the step takes; 0: the text is not of the format. */
static size_t read_step(const struct dn_moment_step *s, const uint8_t *text, size_t len,
                        struct moment *m)
{
    switch (s->what) {
    case 0:
        return len > 0 && text[0] == s->byte;
    case 'Y':
        return read_number(s, text, len, &m->year);
    case 'y':
        return read_year_of_two(s, text, len, &m->year);
    case 'm':
        return read_number(s, text, len, &m->month);
    case 'b':
    case 'B':
        return read_month(text, len, s->what == 'B', &m->month);
    case 'd':
        return read_number(s, text, len, &m->day);
    case 'e':
        return read_padded(s, text, len, &m->day);
    case 'j':
        return read_number(s, text, len, &m->day_of_year);
    case 'H':
    case 'I':
        return read_number(s, text, len, &m->hour);
    case 'M':
        return read_number(s, text, len, &m->minute);
    case 'S':
        return read_number(s, text, len, &m->second);
    case 'f':
        return read_fraction(text, len, &m->nanos);
    case 'p':
        return read_half(text, len, m);
    default:
        return read_zone(text, len, s->what == 'Z', m->zone);
    }
}

/* Month and day of a day of the year; false: the year has no such day. */
static bool find_day(struct moment *m)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = m->year % 4 == 0 && (m->year % 100 != 0 || m->year % 400 == 0);
    unsigned rest = m->day_of_year;

    for (m->month = 1; m->month <= 12; m->month++) {
        const unsigned n = days[m->month - 1] + (m->month == 2 && leap ? 1u : 0u);
        if (rest <= n) {
            m->day = rest;
            return rest > 0;
        }
        rest -= n;
    }
    return false;
}

static void put(char *out, size_t n_digits, unsigned value)
{
    for (size_t i = n_digits; i > 0; i--, value /= 10) {
        out[i - 1] = (char)('0' + value % 10);
    }
}

static size_t put_time(char *out, const struct moment *m)
{
    size_t n = 8;

    put(out, 2, m->hour);
    out[2] = ':';
    put(out + 3, 2, m->minute);
    out[5] = ':';
    put(out + 6, 2, m->second);
    if (m->nanos != 0) {
        out[n++] = '.';
        put(out + n, FRACTION_DIGITS, m->nanos);
        n += FRACTION_DIGITS;
    }
    return n;
}

static size_t put_moment(const struct dn_moment_format *f, const struct moment *m, char *out)
{
    size_t n = 0;

    if (f->kind != DN_MOMENT_TIME) {
        put(out, 4, m->year);
        out[4] = '-';
        put(out + 5, 2, m->month);
        out[7] = '-';
        put(out + 8, 2, m->day);
        n = 10;
    }
    if (f->kind == DN_MOMENT_TIMESTAMP) {
        out[n++] = 'T';
    }
    if (f->kind != DN_MOMENT_DATE) {
        n += put_time(out + n, m);
    }
    const size_t n_zone = strlen(m->zone);
    memcpy(out + n, m->zone, n_zone + 1);
    return n + n_zone;
}

size_t dn_moment_rewrite(const struct dn_moment_format *f, const uint8_t *text, size_t len,
                         char out[DN_MOMENT_TEXT])
{
    struct moment m = {0};
    size_t at = 0;

    for (size_t i = 0; i < f->n_steps; i++) {
        const size_t n = read_step(&f->steps[i], text + at, len - at, &m);
        if (n == 0) {
            return 0;
        }
        at += n;
    }
    if (at != len || (m.day_of_year != 0 && !find_day(&m))) {
        return 0;
    }
    if (m.of_12) {
        if (m.hour < 1 || m.hour > 12) {
            return 0;
        }
        m.hour = m.hour % 12 + (m.afternoon ? 12 : 0);
    }
    return put_moment(f, &m, out);
}
