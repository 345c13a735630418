/* Texts of values in the forms of their field. */
#include "csv/forms.h"
#include "csv/infer.h"
#include "text/parse.h"

#include <stdio.h>

#define NUMBERS                                                                                    \
    ((unsigned)(DN_CSV_INT | DN_CSV_BIG_INT | DN_CSV_UINT | DN_CSV_NEGATIVE | DN_CSV_FLOAT |       \
                DN_CSV_LONG | DN_CSV_SPECIAL))

/* Room for a text, with zeros around it. */
static uint8_t *place_in(uint8_t room[DN_CSV_FORM_ROOM])
{
    memset(room, 0, DN_TEXT_PADDING);
    return room + DN_TEXT_PADDING;
}

static void take(uint8_t *place, size_t n, const uint8_t **text, size_t *len)
{
    memset(place + n, 0, DN_TEXT_PADDING);
    *text = place;
    *len = n;
}

static bool rewrite_number(const struct dn_number_form *f, const uint8_t **text, size_t *len,
                           uint8_t room[DN_CSV_FORM_ROOM])
{
    uint8_t *place = place_in(room);
    const size_t n = *len <= DN_CSV_FORM_MOST ? dn_number_rewrite(f, *text, *len, place) : 0;

    if (n > 0) {
        take(place, n, text, len);
    }
    return n > 0;
}

static bool rewrite_moment(const struct dn_csv_moments *m, const uint8_t **text, size_t *len,
                           uint8_t room[DN_CSV_FORM_ROOM])
{
    uint8_t *place = place_in(room);
    const uint8_t *from = *text;
    size_t n_from = *len;

    for (size_t i = 0; i < m->n; i++) {
        const size_t n = dn_moment_rewrite(&m->formats[i], from, n_from, (char *)place);
        /* a 31st month may be another format's 31st day; what no other one reads is left to who says what is wrong with it */
        if (n > 0 && (i + 1 == m->n || dn_csv_classify(place, n) != DN_CSV_TEXT)) {
            take(place, n, text, len);
            return true;
        }
    }
    return false;
}

static bool has_word(const struct dn_csv_words *words, const uint8_t *text, size_t len)
{
    for (size_t i = 0; i < words->n; i++) {
        if (strlen(words->texts[i]) == len && memcmp(words->texts[i], text, len) == 0) {
            return true;
        }
    }
    return false;
}

static bool rewrite_word(const struct dn_csv_forms *f, const uint8_t **text, size_t *len,
                         uint8_t room[DN_CSV_FORM_ROOM])
{
    const bool is_true = has_word(&f->words[1], *text, *len);
    uint8_t *place = place_in(room);

    if (!is_true && !has_word(&f->words[0], *text, *len)) {
        return false;
    }
    memcpy(place, is_true ? "true" : "false", 5);
    take(place, is_true ? 4 : 5, text, len);
    return true;
}

static bool is_number(struct dn_type type)
{
    return (type.id >= DN_TYPE_INT8 && type.id <= DN_TYPE_UINT64) || type.id == DN_TYPE_FLOAT16 ||
           type.id == DN_TYPE_FLOAT32 || type.id == DN_TYPE_FLOAT64 ||
           type.id == DN_TYPE_DECIMAL128 || type.id == DN_TYPE_DECIMAL256;
}

/* The formats for a type; NULL: its usual one. */
static const struct dn_csv_moments *moments_of(const struct dn_csv_forms *f, struct dn_type type)
{
    const struct dn_csv_moments *m = NULL;

    if (type.id == DN_TYPE_DATE32 || type.id == DN_TYPE_DATE64) {
        m = &f->moments[DN_MOMENT_DATE];
    } else if (type.id == DN_TYPE_TIME) {
        m = &f->moments[DN_MOMENT_TIME];
    } else if (type.id == DN_TYPE_TIMESTAMP) {
        m = &f->moments[DN_MOMENT_TIMESTAMP];
    }
    return m != NULL && m->n > 0 ? m : NULL;
}

bool dn_csv_forms_concern(const struct dn_csv_forms *f, struct dn_type type)
{
    return f != NULL && ((f->has_number && is_number(type)) ||
                         (f->has_words && type.id == DN_TYPE_BOOL) || moments_of(f, type) != NULL);
}

/* A word for a float, such as nan, which has no digits to write in any other way. */
static bool is_special(const uint8_t *text, size_t len)
{
    double unused;

    while (len > 0 && text[0] == ' ') {
        text++;
        len--;
    }
    while (len > 0 && text[len - 1] == ' ') {
        len--;
    }
    const size_t sign = len > 0 && text[0] == '+';
    return dn_parse_float64_special(text + sign, len - sign, &unused);
}

bool dn_csv_forms_rewrite(const struct dn_csv_forms *f, struct dn_type type, const uint8_t **text,
                          size_t *len, uint8_t room[DN_CSV_FORM_ROOM])
{
    if (is_number(type)) {
        return !f->has_number || rewrite_number(&f->number, text, len, room) ||
               is_special(*text, *len);
    }
    if (type.id == DN_TYPE_BOOL) {
        return !f->has_words || rewrite_word(f, text, len, room);
    }
    const struct dn_csv_moments *m = moments_of(f, type);
    return m == NULL || rewrite_moment(m, text, len, room);
}

/* The class as a date, a time, a timestamp or a boolean in one of the forms; 0: it is none. */
static unsigned classify_in_form(const struct dn_csv_forms *f, const uint8_t *text, size_t len)
{
    uint8_t room[DN_CSV_FORM_ROOM];

    if (f->has_words && rewrite_word(f, &text, &len, room)) {
        return DN_CSV_BOOL;
    }
    for (size_t kind = 0; kind < DN_MOMENT_KINDS; kind++) {
        const uint8_t *moment = text;
        size_t n = len;
        if (rewrite_moment(&f->moments[kind], &moment, &n, room)) {
            const unsigned class = dn_csv_classify(moment, n);
            if (class != DN_CSV_TEXT) {
                return class;
            }
        }
    }
    return 0;
}

/* Without the classes whose usual forms others replace. */
static unsigned without_replaced(const struct dn_csv_forms *f, unsigned class)
{
    const bool replaced = (f->has_number && (class & NUMBERS & ~(unsigned)DN_CSV_SPECIAL) != 0) ||
                          (f->has_words && class == DN_CSV_BOOL) ||
                          (f->moments[DN_MOMENT_DATE].n > 0 && class == DN_CSV_DATE) ||
                          (f->moments[DN_MOMENT_TIME].n > 0 && (class & DN_CSV_TIME) != 0) ||
                          (f->moments[DN_MOMENT_TIMESTAMP].n > 0 &&
                           (class & (DN_CSV_TIMESTAMP | DN_CSV_TIMESTAMPTZ)) != 0);

    return replaced ? DN_CSV_TEXT : class;
}

static unsigned classify_as_number(const struct dn_csv_forms *f, const uint8_t **text, size_t *len,
                                   uint8_t room[DN_CSV_FORM_ROOM])
{
    const uint8_t *number = *text;
    size_t n = *len;

    if (f->has_number && rewrite_number(&f->number, &number, &n, room)) {
        const unsigned class = dn_csv_classify(number, n);
        if ((class & NUMBERS) != 0) {
            *text = number;
            *len = n;
            return class;
        }
    }
    return without_replaced(f, dn_csv_classify(*text, *len));
}

unsigned dn_csv_forms_classify(const struct dn_csv_forms *f, const uint8_t **text, size_t *len,
                               uint8_t room[DN_CSV_FORM_ROOM])
{
    const unsigned formed = classify_in_form(f, *text, *len);
    const unsigned usual = classify_as_number(f, text, len, room);
    const bool is_int = (usual & ~(unsigned)DN_CSV_NEGATIVE) == DN_CSV_INT;

    if (formed == 0) {
        return usual;
    }
    const unsigned far = formed & DN_CSV_FAR;
    return !is_int                            ? formed
           : formed == DN_CSV_BOOL            ? DN_CSV_INT_OR_BOOL
           : formed == DN_CSV_DATE            ? DN_CSV_INT_OR_DATE
           : formed == DN_CSV_TIME            ? DN_CSV_INT_OR_TIME
           : formed - far == DN_CSV_TIMESTAMP ? DN_CSV_INT_OR_TIMESTAMP | far
                                              : formed;
}

/* ---- what to say of a text that does not fit ---- */

bool dn_csv_is_usual_null(const uint8_t *text, size_t len)
{
    static const char *const words[] = {"null", "n/a", "na", "#n/a", "none", "nil",
                                        "\\n",  "-",   "--", "?",    ".",    "(null)"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t n = 0;
        while (n < len && words[i][n] != '\0' &&
               (text[n] >= 'A' && text[n] <= 'Z' ? text[n] | 0x20 : text[n]) ==
                   (uint8_t)words[i][n]) {
            n++;
        }
        if (n == len && words[i][n] == '\0') {
            return true;
        }
    }
    return false;
}

const char *dn_csv_mark_word(const struct dn_number_form *f, char out[DN_CSV_MARK_WORD])
{
    const uint8_t *c = f->thousands;
    const unsigned code = f->n_thousands == 2 ? (c[0] & 0x1fu) << 6 | (c[1] & 0x3fu)
                          : f->n_thousands == 3
                              ? (c[0] & 0x0fu) << 12 | (c[1] & 0x3fu) << 6 | (c[2] & 0x3fu)
                              : c[0];

    (void)snprintf(out, DN_CSV_MARK_WORD,
                   f->n_thousands > 1 ? "$'\\u%04x'"
                   : code == '\''     ? "\"%c\""
                                      : "'%c'",
                   code);
    return out;
}

/* The number form with which the text would be another number, or one at all; NULL: there is none that is usual. */
static const struct dn_number_form *number_form_for(const uint8_t *text, size_t len)
{
    static const struct dn_number_form forms[] = {{'.', 1, {','}},
                                                  {',', 0, {0}},
                                                  {',', 1, {'.'}},
                                                  {',', 1, {' '}},
                                                  {'.', 1, {'\''}},
                                                  {',', 2, {0xc2, 0xa0}},
                                                  {'.', 2, {0xc2, 0xa0}},
                                                  {',', 3, {0xe2, 0x80, 0xaf}},
                                                  {'.', 3, {0xe2, 0x80, 0xaf}},
                                                  {'.', 3, {0xe2, 0x80, 0x99}}};
    uint8_t room[DN_CSV_FORM_ROOM];

    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        const uint8_t *number = text;
        size_t n = len;
        if (rewrite_number(&forms[i], &number, &n, room) &&
            (n != len || memcmp(number, text, n) != 0) &&
            (dn_csv_classify(number, n) & NUMBERS) != 0) {
            return &forms[i];
        }
    }
    return NULL;
}

/* The usual format in which the text is of the kind. */
static const char *format_for(enum dn_moment_kind kind, const uint8_t *text, size_t len)
{
    static const char *const formats[DN_MOMENT_KINDS][10] = {
        {"%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d-%m-%Y", "%Y%m%d", "%d %b %Y",
         "%b %d, %Y", "%d-%b-%Y", NULL},
        {"%H.%M.%S", "%I:%M:%S %p", "%I:%M %p", "%H:%M", NULL},
        {"%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S",
         "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M", "%Y/%m/%d %H:%M:%S", "%Y%m%d%H%M%S",
         "%m/%d/%Y %I:%M:%S %p", NULL}};
    char problem[DN_MOMENT_PROBLEM_SIZE];
    uint8_t room[DN_CSV_FORM_ROOM];

    for (size_t i = 0; formats[kind][i] != NULL; i++) {
        struct dn_moment_format format;
        const struct dn_csv_moments one = {&format, 1, false};
        const uint8_t *moment = text;
        size_t n = len;
        if (dn_moment_compile(&format, kind, formats[kind][i], problem) &&
            rewrite_moment(&one, &moment, &n, room) && dn_csv_classify(moment, n) != DN_CSV_TEXT) {
            return formats[kind][i];
        }
    }
    return NULL;
}

static void advise_number(const struct dn_csv_forms *f, const uint8_t *text, size_t len,
                          char out[DN_CSV_FORM_WORDS])
{
    const struct dn_number_form *would = number_form_for(text, len);

    if (f != NULL && f->has_number) {
        (void)snprintf(out, DN_CSV_FORM_WORDS, " with the decimal point '%c' and %s%.*s%s",
                       f->number.decimal, f->number.n_thousands > 0 ? "'" : "no",
                       (int)f->number.n_thousands, (const char *)f->number.thousands,
                       f->number.n_thousands > 0 ? "' between thousands"
                                                 : " separator of thousands");
    } else if (would != NULL) {
        const bool comma = would->decimal == ',';
        const bool groups = would->n_thousands > 0;
        char mark[DN_CSV_MARK_WORD];
        (void)snprintf(out, DN_CSV_FORM_WORDS, ", but would be a number with %s%s%s%s",
                       comma ? "the option decimal ','" : "", comma && groups ? " and " : "",
                       groups ? "the option thousands " : "",
                       groups ? dn_csv_mark_word(would, mark) : "");
    }
}

static void advise_moment(const struct dn_csv_forms *f, enum dn_moment_kind kind,
                          const uint8_t *text, size_t len, char out[DN_CSV_FORM_WORDS])
{
    static const char *const options[] = {"date_format", "time_format", "timestamp_format"};
    const struct dn_csv_moments *m = f != NULL ? &f->moments[kind] : NULL;

    if (m != NULL && m->n > 0) {
        (void)snprintf(out, DN_CSV_FORM_WORDS, " in the format %.100s%s", m->formats[0].text,
                       m->n > 1 ? " or another one of the option" : "");
        return;
    }
    const char *format = format_for(kind, text, len);
    if (format != NULL) {
        (void)snprintf(out, DN_CSV_FORM_WORDS, ", but would be one with the option %s '%s'",
                       options[kind], format);
    }
}

const char *dn_csv_forms_advise(const struct dn_csv_forms *f, struct dn_type type,
                                const uint8_t *text, size_t len, char out[DN_CSV_FORM_WORDS])
{
    out[0] = '\0';
    if (dn_csv_is_usual_null(text, len)) {
        (void)snprintf(out, DN_CSV_FORM_WORDS,
                       ", but would be null with the option null_values '%.*s'", (int)len,
                       (const char *)text);
    } else if (is_number(type)) {
        advise_number(f, text, len, out);
    } else if (type.id == DN_TYPE_BOOL) {
        if (f != NULL && f->has_words) {
            (void)snprintf(out, DN_CSV_FORM_WORDS,
                           " with the words of the options true_values and false_values");
        } else {
            (void)snprintf(out, DN_CSV_FORM_WORDS,
                           ", which other words are with the options true_values and false_values");
        }
    } else if (type.id == DN_TYPE_DATE32 || type.id == DN_TYPE_DATE64) {
        advise_moment(f, DN_MOMENT_DATE, text, len, out);
    } else if (type.id == DN_TYPE_TIME) {
        advise_moment(f, DN_MOMENT_TIME, text, len, out);
    } else if (type.id == DN_TYPE_TIMESTAMP) {
        advise_moment(f, DN_MOMENT_TIMESTAMP, text, len, out);
    }
    return out;
}
