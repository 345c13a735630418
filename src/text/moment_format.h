/**
 * Dates, times and timestamps in formats as of strptime(3), rewritten as ISO 8601 has them, so that one set of predicates says what is a
 * day, an hour or too fine.
 *
 *   %Y year, four digits   %y year, two: 69..99 are 19xx, 00..68 20xx   %m month   %d, %e day   %j day of the year   %b %B month's name, short or
 *   whole, English, any case   %H hour   %I hour of 12, with %p AM or PM, any case   %M minute   %S second   %f fraction, one digit or more
 *   %z Z, +HH, +HHMM or +HH:MM   %Z UTC or Z   %T %H:%M:%S   %F %Y-%m-%d   %D %m/%d/%y   %% a '%'
 *
 * Numbers of two digits may have one, unless a digit must follow; %e may have a blank in front.  Any other byte stands for itself, and
 * the whole text must be of the format.
 */
#ifndef DN_TEXT_MOMENT_FORMAT_H
#define DN_TEXT_MOMENT_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DN_MOMENT_DIRECTIVES "%Y %y %m %d %e %b %B %j %H %I %p %M %S %f %z %Z %T %F %D %%"

enum dn_moment_kind {
    DN_MOMENT_DATE = 0,
    DN_MOMENT_TIME,
    DN_MOMENT_TIMESTAMP /**< without a time it is midnight */
};
#define DN_MOMENT_KINDS 3

#define DN_MOMENT_STEPS 64

/** One byte, or one directive. */
struct dn_moment_step {
    uint8_t what;  /**< the letter behind '%', or 0 */
    uint8_t byte;  /**< if it is 0 */
    uint8_t least; /**< digits of a number, */
    uint8_t most;
};

struct dn_moment_format {
    const char *text; /**< borrowed, for messages */
    enum dn_moment_kind kind;
    bool zoned;
    size_t n_steps;
    struct dn_moment_step steps[DN_MOMENT_STEPS];
};

#define DN_MOMENT_PROBLEM_SIZE 192
/** False: it is no format of that kind, and `problem` says why. */
bool dn_moment_compile(struct dn_moment_format *out, enum dn_moment_kind kind, const char *text,
                       char problem[DN_MOMENT_PROBLEM_SIZE]);

#define DN_MOMENT_TEXT 48 /* bytes of ISO 8601 at most, with a NUL */
/**
 * The text as ISO 8601: `2024-01-31`, `10:11:12.5`, `2024-01-31T10:11:12.5+01:00`.  Returns its length; 0: it is not of the format.  Whether there
 * is such a day or an hour 25 is for whoever reads it.
 */
size_t dn_moment_rewrite(const struct dn_moment_format *f, const uint8_t *text, size_t len,
                         char out[DN_MOMENT_TEXT]);

#endif
