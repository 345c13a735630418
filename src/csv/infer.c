#include "csv/infer.h"

#include "text/parse.h"
#include "text/parse_wide.h"

#include <string.h>

/* What a decimal can hold, if its digits fit. */
#define NUMBERS                                                                                    \
    ((unsigned)(DN_CSV_INT | DN_CSV_BIG_INT | DN_CSV_UINT | DN_CSV_NEGATIVE | DN_CSV_FLOAT |       \
                DN_CSV_LONG))
#define WHOLE ((unsigned)(DN_CSV_INT | DN_CSV_BIG_INT | DN_CSV_UINT))
#define DECIMAL_DIGITS 38

static unsigned larger(unsigned digits, int64_t other)
{
    const int64_t most = DN_CSV_MOST_DIGITS;
    const int64_t n = other < most ? other : most;

    return n > (int64_t)digits ? (unsigned)n : digits;
}

/* Of what numbers are made of, only an 'e' has this bit. */
static bool has_exponent(const uint8_t *text, size_t len)
{
    uint64_t seen = 0;
    size_t i = 0;

    for (; i + 8 <= len; i += 8) {
        seen |= dn_text_load8(text + i);
    }
    for (; i < len; i++) {
        seen |= text[i];
    }
    return (seen & UINT64_C(0x4040404040404040)) != 0;
}

/* Surely no more digits than there were: nearly every fraction but the first ones. */
static bool is_within(const struct dn_csv_digits *digits, const uint8_t *text, size_t len)
{
    const uint8_t *point = memchr(text, '.', len);
    const size_t negative = text[0] == '-';
    const size_t zero = text[negative] == '0'; /* which is no digit */
    return point != NULL && (size_t)(point - text) <= digits->whole + negative + zero &&
           (size_t)(text + len - point) <= digits->behind + 1 && !has_exponent(text, len);
}

static void widen_digits(struct dn_csv_digits *digits, const uint8_t *text, size_t len)
{
    int64_t n_before = 0; /* digits before the point, from the first that counts on */
    int64_t n_behind = 0;
    int64_t first =
        INT64_MAX; /* places of digits that are not 0, by the power of ten; 0 is the last before the point */
    int64_t last = 0;
    int64_t exponent = 0;
    bool point = false;
    size_t i = 0;

    for (; i < len && (text[i] | 0x20) != 'e'; i++) {
        if (text[i] == '.') {
            point = true;
        } else if (text[i] >= '0' && text[i] <= '9') {
            n_before += !point;
            n_behind += point;
            if (text[i] != '0') {
                first = first == INT64_MAX ? n_before - 1 + n_behind : first;
                last = n_before - 1 + n_behind;
            }
        }
    }
    const bool negative = i + 1 < len && text[i + 1] == '-';
    for (i += 1; i < len; i++) {
        if (text[i] >= '0' && exponent < INT64_C(1000000000000)) { /* else it is the sign */
            exponent = exponent * 10 + (text[i] - '0');
        }
    }
    if (first != INT64_MAX) { /* else it is 0 */
        exponent = negative ? -exponent : exponent;
        digits->whole = larger(digits->whole, n_before - first + exponent);
        digits->behind = larger(digits->behind, last - n_before + 1 - exponent);
    }
}

void dn_csv_digits_add(struct dn_csv_digits *digits, const uint8_t *text, size_t len)
{
    if (!is_within(digits, text, len)) {
        widen_digits(digits, text, len);
    }
}

static bool double_holds(int64_t v)
{
    if (v >= -DN_CSV_DOUBLE_EXACT && v <= DN_CSV_DOUBLE_EXACT) {
        return true;
    }
    const double d = (double)v;
    return d < 9223372036854775808.0 && (int64_t)d == v;
}

bool dn_csv_parse_bare_point(const uint8_t *text, size_t len, double *out, bool *rounded)
{
    const size_t sign = text[0] == '-';
    const uint8_t *point = memchr(text, '.', len);

    if (len < sign + 2 || point == NULL || text[len - 1] == ' ' || text[len - 1] == '\t') {
        return false;
    }
    const size_t n_whole = (size_t)(point - text) - sign;
    const bool bare = n_whole == 0 || point + 1 == text + len || (point[1] | 0x20) == 'e';
    const bool needless = n_whole > 1 && text[sign] == '0';
    if (!bare || needless || (n_whole > 0 && !dn_csv_is_whole(text, n_whole + sign))) {
        return false;
    }
    return dn_parse_float64_relaxed_told(text, len, out, rounded);
}

/* A whole number past int64: it is no float, for whole numbers stay exact. */
static enum dn_csv_class classify_large(const uint8_t *text, size_t len)
{
    uint64_t value;

    return text[0] != '-' && dn_parse_uint64_relaxed(text, len, &value) ? DN_CSV_UINT : DN_CSV_TEXT;
}

static unsigned classify_timestamp(const uint8_t *text, size_t len)
{
    int64_t value;
    bool zoned;

    if (dn_parse_timestamp_us(text, len, &value, &zoned)) {
        const unsigned class = zoned ? DN_CSV_TIMESTAMPTZ : DN_CSV_TIMESTAMP;
        return value < -DN_CSV_MOST_US || value > DN_CSV_MOST_US ? class | DN_CSV_FAR : class;
    }
    /* more than microseconds have a point; blanks around, which the wide form may have, were seen to */
    if (memchr(text, '.', len) == NULL ||
        !dn_parse_timestamp_relaxed(text, len, 9, &value, &zoned)) {
        return DN_CSV_TEXT;
    }
    return (zoned ? DN_CSV_TIMESTAMPTZ : DN_CSV_TIMESTAMP) | DN_CSV_NANO;
}

/* What begins with a digit and is no number. */
static unsigned classify_moment(const uint8_t *text, size_t len)
{
    int32_t days;
    int64_t value;

    if (dn_parse_date32(text, len, &days)) {
        return DN_CSV_DATE;
    }
    if (len < 8 || text[len - 1] == ' ' || text[len - 1] == '\t') {
        return DN_CSV_TEXT;
    }
    if (text[2] != ':' || text[5] != ':') {
        return classify_timestamp(text, len);
    }
    return dn_parse_time(text, len, 6, &value)   ? DN_CSV_TIME
           : dn_parse_time(text, len, 9, &value) ? DN_CSV_TIME | DN_CSV_NANO
                                                 : DN_CSV_TEXT;
}

static enum dn_csv_class classify_word(const uint8_t *text, size_t len)
{
    double f;
    bool flag;

    return dn_parse_bool(text, len, &flag)           ? DN_CSV_BOOL
           : dn_parse_float64_special(text, len, &f) ? DN_CSV_SPECIAL
                                                     : DN_CSV_TEXT;
}

enum dn_csv_class dn_csv_classify(const uint8_t *text, size_t len)
{
    int64_t i;
    double f;
    bool flag = false;

    if ((text[0] < '0' || text[0] > '9') && text[0] != '-' && text[0] != '.') {
        return classify_word(text, len);
    }
    if (dn_parse_int64(text, len, &i)) {
        const unsigned class = double_holds(i) ? DN_CSV_INT : DN_CSV_BIG_INT;
        return (enum dn_csv_class)(i < 0 ? class | DN_CSV_NEGATIVE : class);
    }
    if (dn_parse_float64_told(text, len, &f, &flag)) {
        /* -0, which no int64 tells from 0, is a float */
        return f != 0 && dn_csv_is_whole(text, len) ? classify_large(text, len)
               : flag                               ? DN_CSV_LONG
                                                    : DN_CSV_FLOAT;
    }
    if (dn_csv_parse_bare_point(text, len, &f, &flag)) {
        return flag ? DN_CSV_LONG : DN_CSV_FLOAT;
    }
    return (enum dn_csv_class)(text[0] == '-' ? classify_word(text, len)
                                              : classify_moment(text, len));
}

bool dn_csv_is_inferred(struct dn_type type, const uint8_t *text, size_t len)
{
    const unsigned class = dn_csv_classify(text, len);
    const unsigned nano = type.unit == DN_UNIT_NS ? DN_CSV_NANO : 0;

    switch (type.id) {
    case DN_TYPE_TIME:
        return (class & ~nano) == DN_CSV_TIME;
    case DN_TYPE_TIMESTAMP:
        return (class & ~nano) == (type.zoned ? DN_CSV_TIMESTAMPTZ : DN_CSV_TIMESTAMP);
    case DN_TYPE_UINT64:
        return (class & ~WHOLE) == 0;
    default:
        return (class & ~NUMBERS) == 0;
    }
}

static unsigned classify_for(struct dn_csv_evidence *e, const uint8_t *text, size_t len)
{
    uint8_t room[DN_CSV_FORM_ROOM];
    const unsigned class = e->forms == NULL ? dn_csv_classify(text, len)
                                            : dn_csv_forms_classify(e->forms, &text, &len, room);

    e->n_texts += class == DN_CSV_TEXT;
    if ((class & (WHOLE | DN_CSV_INT_OR)) != 0) {
        const size_t n = len - (text[0] == '-');
        if (n > e->digits.whole && text[0] != '0') {
            e->digits.whole = (unsigned)n;
        }
    } else if ((class & NUMBERS) != 0) {
        dn_csv_digits_add(&e->digits, text, len);
    }
    return class;
}

/* Between quotes.  That a delimiter is among them is what they are for: then they say no more than that. */
static void add_quoted(struct dn_csv_evidence *e, const struct dn_csv_dialect *d,
                       const struct dn_csv_nulls *nulls, const uint8_t *text, size_t len)
{
    const bool is_null = !nulls->bare_only && dn_csv_is_null_text(nulls, text, len);
    const unsigned class = is_null ? 0 : classify_for(e, text, len);

    if (is_null && nulls->quoted) {
        return;
    }
    e->quoted |= class;
    if ((class & ~(unsigned)DN_CSV_TEXT) != 0 && !e->quoted_text &&
        memchr(text, d->delimiter, len) != NULL) {
        e->n_unquoted += 2; /* more than one: so quotes say nothing in this column */
    } else {
        e->n_quoted++;
    }
}

void dn_csv_evidence_add_value(struct dn_csv_evidence *e, const struct dn_csv_dialect *d,
                               const struct dn_csv_nulls *nulls, const uint8_t *text, size_t len)
{
    size_t inner;

    if (e->forms != NULL && e->forms->trim) {
        dn_csv_trim(d, &text, &len);
    }
    if (len == 0) {
        return;
    }
    nulls = dn_csv_nulls_of(e->forms, nulls);
    if (d->has_quote && text[0] == d->quote) {
        if (!dn_csv_quoted_simple(d, text, len, &inner)) {
            e->quoted |= DN_CSV_TEXT;
            e->n_texts++;
            e->n_quoted++;
        } else if (inner > 0) {
            add_quoted(e, d, nulls, text + 1, inner);
        }
        return;
    }
    if (!dn_csv_is_null_text(nulls, text, len)) {
        e->first_bare |= (e->quoted | e->unquoted) == 0;
        e->unquoted |=
            dn_csv_has_escape(d, text, len) ? (unsigned)DN_CSV_TEXT : classify_for(e, text, len);
        e->n_unquoted++;
    }
}

/* Values that are whole numbers as well as dates, for example, are dates if all values of the column are, and else numbers. */
static unsigned settle_either(unsigned classes)
{
    static const struct {
        unsigned either;
        unsigned class;
    } kinds[] = {{DN_CSV_INT_OR_BOOL, DN_CSV_BOOL},
                 {DN_CSV_INT_OR_DATE, DN_CSV_DATE},
                 {DN_CSV_INT_OR_TIME, DN_CSV_TIME},
                 {DN_CSV_INT_OR_TIMESTAMP, DN_CSV_TIMESTAMP}};
    const unsigned either = classes & DN_CSV_INT_OR;
    const unsigned others = classes & ~DN_CSV_INT_OR;

    for (size_t i = 0; either != 0 && i < sizeof kinds / sizeof kinds[0]; i++) {
        if (either == kinds[i].either &&
            (others & ~(kinds[i].class | DN_CSV_NANO | DN_CSV_FAR)) == 0) {
            return others | kinds[i].class;
        }
    }
    return either != 0 ? (others & ~(unsigned)(DN_CSV_NANO | DN_CSV_FAR)) | DN_CSV_INT : classes;
}

void dn_csv_evidence_forgive(struct dn_csv_evidence *e, int64_t most)
{
    const unsigned others = (e->unquoted | e->quoted) & ~(unsigned)DN_CSV_TEXT;
    const int64_t n_values = e->n_unquoted + e->n_quoted;

    if (e->n_texts > 0 && e->n_texts <= most && e->n_texts <= n_values / DN_CSV_FEW_TEXTS &&
        dn_csv_type_of_classes(others, e->digits).id != DN_TYPE_UTF8_VIEW) {
        e->unquoted &= ~(unsigned)DN_CSV_TEXT;
        e->quoted &= ~(unsigned)DN_CSV_TEXT;
    }
}

bool dn_csv_fits_decimal(unsigned classes, struct dn_csv_digits digits)
{
    classes = settle_either(classes);
    return (classes & ~NUMBERS) == 0 && digits.whole + digits.behind <= DECIMAL_DIGITS;
}

struct dn_type dn_csv_type_of_classes(unsigned classes, struct dn_csv_digits digits)
{
    const unsigned ints = DN_CSV_INT | DN_CSV_BIG_INT | DN_CSV_NEGATIVE;
    const unsigned not_negative = DN_CSV_INT | DN_CSV_BIG_INT | DN_CSV_UINT;
    const unsigned reals = DN_CSV_INT | DN_CSV_NEGATIVE | DN_CSV_FLOAT | DN_CSV_SPECIAL;

    classes = settle_either(classes);
    if (classes != 0 && (classes & ~ints) == 0) {
        return DN_TYPE(INT64);
    }
    if (classes != 0 && (classes & ~not_negative) == 0) {
        return DN_TYPE(UINT64);
    }
    if (classes != 0 && (classes & ~reals) == 0) {
        return DN_TYPE(FLOAT64);
    }
    if ((classes & DN_CSV_LONG) != 0 && dn_csv_fits_decimal(classes, digits)) {
        return dn_type_decimal(DECIMAL_DIGITS, (int)digits.behind);
    }
    if ((classes & DN_CSV_NANO) == 0) {
        classes &= ~(unsigned)DN_CSV_FAR;
    }
    switch (classes) {
    case DN_CSV_BOOL:
        return DN_TYPE(BOOL);
    case DN_CSV_DATE:
        return DN_TYPE(DATE32);
    case DN_CSV_TIME:
        return DN_TIME(US);
    case DN_CSV_TIMESTAMP:
        return DN_TIMESTAMP(US);
    case DN_CSV_TIMESTAMPTZ:
        return DN_TIMESTAMPTZ(US);
    case DN_CSV_TIME | DN_CSV_NANO:
        return DN_TIME(NS);
    case DN_CSV_TIMESTAMP | DN_CSV_NANO:
        return DN_TIMESTAMP(NS);
    case DN_CSV_TIMESTAMPTZ | DN_CSV_NANO:
        return DN_TIMESTAMPTZ(NS);
    default:
        return DN_TYPE(UTF8_VIEW);
    }
}

unsigned dn_csv_without_long(unsigned classes)
{
    return (classes & DN_CSV_LONG) != 0 ? (classes & ~(unsigned)DN_CSV_LONG) | DN_CSV_FLOAT
                                        : classes;
}

void dn_csv_resolve(const struct dn_csv_evidence *evidence, struct dn_csv_column *column)
{
    const unsigned classes = column->rounds
                                 ? dn_csv_without_long(evidence->quoted | evidence->unquoted)
                                 : evidence->quoted | evidence->unquoted;

    const int64_t n_quoted = evidence->n_quoted;
    const int64_t n_unquoted = evidence->n_unquoted;
    const bool some_quoted = n_quoted > 0 && n_unquoted > 0;

    column->unseen = classes == 0;
    column->classes = classes;
    column->digits = evidence->digits;
    column->type = dn_csv_type_of_classes(classes, evidence->digits);
    column->only_quoted = evidence->quoted_text && n_quoted > 0 && n_unquoted == 0;
    column->through_quotes = !evidence->quoted_text || column->only_quoted;
    column->mostly_quoted = n_quoted > n_unquoted;
    if (evidence->quoted_text
            ? some_quoted
            : dn_csv_quotes_say_text(evidence->first_bare, n_unquoted, n_quoted > 0)) {
        column->type = DN_TYPE(UTF8_VIEW);
    }
    column->unsettled =
        !evidence->quoted_text && ((n_unquoted == 0 && !evidence->from_start) ||
                                   (n_unquoted == 1 && n_quoted == 0 && evidence->first_bare));
}

struct dn_type dn_csv_widen(struct dn_type type, enum dn_csv_class value_class)
{
    const struct dn_type own = dn_csv_type_of_classes(value_class, (struct dn_csv_digits){0, 0});

    if (type.id == DN_TYPE_INT64 && value_class == DN_CSV_UINT) {
        return DN_TYPE(UINT64);
    }
    if ((type.id == DN_TYPE_TIME || type.id == DN_TYPE_TIMESTAMP) && own.id == type.id &&
        own.zoned == type.zoned && own.unit == DN_UNIT_NS) {
        return own;
    }
    return type.id == DN_TYPE_INT64 && (value_class & (DN_CSV_FLOAT | DN_CSV_SPECIAL)) != 0
               ? DN_TYPE(FLOAT64)
               : DN_TYPE(UTF8_VIEW);
}

struct dn_type dn_csv_type_with(const struct dn_csv_column *column, const struct dn_csv_dialect *d,
                                const struct dn_csv_nulls *nulls, const uint8_t *text, size_t len)
{
    struct dn_csv_evidence e = {
        .digits = column->digits, .unquoted = column->classes, .forms = column->forms};
    unsigned classes;

    dn_csv_evidence_add_value(&e, d, nulls, text, len);
    classes = e.unquoted | e.quoted;
    return dn_csv_type_of_classes(column->rounds ? dn_csv_without_long(classes) : classes,
                                  e.digits);
}
