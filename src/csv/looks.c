#include "csv/looks.h"

#include "base/memory.h"
#include "csv/forms.h"
#include "csv/infer.h"

#include <stdio.h>
#include <string.h>

#define LONGEST_MOMENT 48 /* bytes */
#define LOOK_ROWS 200     /* fewer than a uint8_t counts */
#define NO_CHARACTER                                                                               \
    {                                                                                              \
        0                                                                                          \
    }

/* ---- the forms that are tried, in the order in which they are named ---- */

static const struct dn_number_form k_numbers[] = {
    {',', 0, NO_CHARACTER},
    {'.', 1, {','}},
    {',', 1, {'.'}},
    {'.', 1, {' '}},
    {',', 1, {' '}},
    {'.', 2, {0xc2, 0xa0}},
    {',', 2, {0xc2, 0xa0}},
    {'.', 3, {0xe2, 0x80, 0xaf}},
    {',', 3, {0xe2, 0x80, 0xaf}},
    {'.', 1, {'\''}},
    {',', 1, {'\''}},
    {'.', 3, {0xe2, 0x80, 0x99}},
    {',', 3, {0xe2, 0x80, 0x99}},
};
#define N_NUMBERS (sizeof(k_numbers) / sizeof(k_numbers[0]))
#define COMMA_IS_POINT 1u
#define COMMA_GROUPS 2u

/* Where a day may be a month as well, the form behind has them the other way round. */
static const struct {
    const char *text;
    bool or_next;
} k_dates[] = {
    {"%d.%m.%Y", false}, {"%d/%m/%Y", true},  {"%m/%d/%Y", false},  {"%d-%m-%Y", true},
    {"%m-%d-%Y", false}, {"%Y/%m/%d", false}, {"%Y.%m.%d", false},  {"%Y-%m-%d", false},
    {"%d.%m.%y", false}, {"%d/%m/%y", true},  {"%m/%d/%y", false},  {"%d %b %Y", false},
    {"%d-%b-%Y", false}, {"%d-%b-%y", false}, {"%b %d, %Y", false}, {"%d %B %Y", false},
};
#define N_DATES (sizeof(k_dates) / sizeof(k_dates[0]))

static const char *const k_times[] = {"%H:%M",       "%H:%M:%S", "%H:%M:%S.%f",
                                      "%H:%M:%S,%f", "%I:%M %p", "%I:%M:%S %p"};
#define N_TIMES (sizeof(k_times) / sizeof(k_times[0]))

_Static_assert(N_NUMBERS <= 16 && N_DATES <= 16 && N_TIMES <= 8, "a bit for each");

/* What dates and times consist of. */
enum moment {
    MOMENT_DATE,
    MOMENT_TIME,
    MOMENT_BLANK, /* between date and time */
    MOMENT_COMMA, /* and a blank */
    MOMENT_T,
    MOMENT_NONE
};
static const char *const k_between[] = {"", "", " ", ", ", "T"};

/* The formats, compiled when the first value may be one. */
struct formats {
    bool ready;
    struct dn_moment_format dates[N_DATES];
    struct dn_moment_format times[N_TIMES];
};

static const struct formats *formats_of(struct formats *f)
{
    char problem[DN_MOMENT_PROBLEM_SIZE];

    if (!f->ready) {
        f->ready = true;
        for (size_t i = 0; i < N_DATES; i++) {
            (void)dn_moment_compile(&f->dates[i], DN_MOMENT_DATE, k_dates[i].text, problem);
        }
        for (size_t i = 0; i < N_TIMES; i++) {
            (void)dn_moment_compile(&f->times[i], DN_MOMENT_TIME, k_times[i], problem);
        }
    }
    return f;
}

/* ---- one value ---- */

static bool reads_as(const struct dn_csv_forms *forms, struct dn_type type, const uint8_t *text,
                     size_t len)
{
    uint8_t room[DN_CSV_FORM_ROOM];

    return dn_csv_forms_rewrite(forms, type, &text, &len, room) &&
           dn_csv_classify(text, len) != DN_CSV_TEXT;
}

static void look_at_number(struct dn_csv_looks *l, const uint8_t *s, size_t len)
{
    struct dn_csv_forms forms = {.has_number = true};

    if (memchr("0123456789+-,.", s[0], 14) == NULL) {
        l->numbers = 0; /* most texts end here */
    }
    for (size_t i = 0; i < N_NUMBERS && l->numbers != 0; i++) {
        forms.number = k_numbers[i];
        if ((l->numbers >> i & 1) != 0 && !reads_as(&forms, DN_TYPE(FLOAT64), s, len)) {
            l->numbers &= (uint16_t) ~(1u << i);
        }
    }
}

/* The forms among `known` that the text has. */
static unsigned forms_of(const struct dn_moment_format *formats, size_t n, unsigned known,
                         enum dn_moment_kind kind, const uint8_t *s, size_t len)
{
    struct dn_csv_forms forms = {0};

    for (size_t i = 0; i < n && known != 0; i++) {
        struct dn_moment_format *one = (struct dn_moment_format *)(uintptr_t)&formats[i];
        forms.moments[kind] = (struct dn_csv_moments){one, 1, false}; /* which is only read */
        if ((known >> i & 1) != 0 &&
            !reads_as(&forms, kind == DN_MOMENT_DATE ? DN_TYPE(DATE32) : DN_TIME(US), s, len)) {
            known &= ~(1u << i);
        }
    }
    return known;
}

static bool has_digit(const uint8_t *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (s[i] >= '0' && s[i] <= '9') {
            return true;
        }
    }
    return false;
}

/* Where the time begins, and what stands in front of it; len: there is none. */
static size_t time_at(const uint8_t *s, size_t len, enum moment *out)
{
    const uint8_t *colon = memchr(s, ':', len);
    size_t at = colon != NULL ? (size_t)(colon - s) : len;

    *out = MOMENT_DATE;
    if (colon == NULL) {
        return len;
    }
    while (at > 0 && s[at - 1] >= '0' && s[at - 1] <= '9') {
        at--;
    }
    *out = at == 0                                          ? MOMENT_TIME
           : s[at - 1] == 'T'                               ? MOMENT_T
           : s[at - 1] != ' '                               ? MOMENT_NONE
           : at > 1 && s[at - 2] == ',' && s[at - 1] == ' ' ? MOMENT_COMMA
                                                            : MOMENT_BLANK;
    return at;
}

static void look_at_moment(struct dn_csv_looks *l, struct formats *formats, const uint8_t *s,
                           size_t len)
{
    enum moment moment = MOMENT_NONE;
    const size_t at = time_at(s, len, &moment);

    if (len > LONGEST_MOMENT || memchr("0123456789JFMASONDjfmasond", s[0], 26) == NULL ||
        !has_digit(s, len)) { /* nor a month's name */
        moment = MOMENT_NONE;
    }
    if (l->n > 1 && moment != (enum moment)l->moment) {
        moment = MOMENT_NONE;
    }
    l->moment = (uint8_t)moment;
    if (moment == MOMENT_NONE) {
        return;
    }
    const struct formats *f = formats_of(formats);
    if (moment != MOMENT_TIME) {
        l->dates = (uint16_t)forms_of(f->dates, N_DATES, l->dates, DN_MOMENT_DATE, s,
                                      at - strlen(k_between[moment]));
    }
    if (moment != MOMENT_DATE) {
        l->times = (uint8_t)forms_of(f->times, N_TIMES, l->times, DN_MOMENT_TIME, s + at, len - at);
    }
    if (l->dates == 0 || l->times == 0) {
        l->moment = MOMENT_NONE;
    }
}

/* Put the text into the list, once; false: there is no room for it. */
static bool note_null(struct dn_csv_looks *l, const uint8_t *s, size_t len)
{
    for (size_t at = 0; at < l->nulls_len;) {
        const char *comma = memchr(l->nulls + at, ',', l->nulls_len - at);
        const size_t n = comma != NULL ? (size_t)(comma - l->nulls) - at : l->nulls_len - at;
        if (n == len && memcmp(l->nulls + at, s, len) == 0) {
            return true;
        }
        at += n + 1;
    }
    if (l->nulls_len + len + 1 > sizeof(l->nulls)) {
        return false;
    }
    if (l->nulls_len > 0) {
        l->nulls[l->nulls_len++] = ',';
    }
    memcpy(l->nulls + l->nulls_len, s, len);
    l->nulls_len = (uint8_t)(l->nulls_len + len);
    return true;
}

static void note_sample(struct dn_csv_looks *l, const uint8_t *s, size_t len)
{
    if (l->sample_len == 0 && len < sizeof(l->sample)) {
        memcpy(l->sample, s, len);
        l->sample_len = (uint8_t)len;
    }
}

/* False: it is a text like any other, and so is the field. */
static bool look_at_value(struct dn_csv_looks *l, struct formats *formats,
                          const struct dn_csv_reader *r, const uint8_t *s, size_t len)
{
    const struct dn_csv_dialect *d = &r->dialect;
    size_t inner;

    if (len > 0 && d->has_quote && s[0] == d->quote) {
        if (!dn_csv_quoted_simple(d, s, len, &inner)) {
            return false;
        }
        s++;
        len = inner;
    } else {
        const uint8_t *whole = s;
        const size_t n = len;
        dn_csv_trim(d, &s, &len);
        if (n > len && !r->trim) {
            l->n_padded++;
            note_sample(l, whole, n);
        }
    }
    if (len == 0) {
        return true;
    }
    if (dn_csv_is_usual_null(s, len)) {
        note_sample(l, s, len);
        return note_null(l, s, len);
    }
    const unsigned class = dn_csv_classify(s, len);
    l->n++;
    l->classes |= class;
    l->n_quoted = (uint8_t)(l->n_quoted + (len > 1 && s[0] == '\'' && s[len - 1] == '\''));
    if (class == DN_CSV_TEXT) {
        l->n_texts++;
        note_sample(l, s, len);
    }
    look_at_number(l, s, len);
    if (l->moment != MOMENT_NONE || l->n == 1) {
        look_at_moment(l, formats, s, len);
    }
    return l->n_texts == 0 || l->n_quoted == l->n || l->numbers != 0 || l->moment != MOMENT_NONE;
}

static bool has_text(const struct dn_csv_evidence *e)
{
    return ((e->quoted | e->unquoted) & DN_CSV_TEXT) != 0;
}

static void look_for_escaped_null(struct dn_csv_looks *l, const struct dn_csv_reader *r,
                                  const struct dn_csv_rows *rows, size_t n_rows, size_t f)
{
    for (size_t row = 0; row < n_rows && !l->escaped_null; row++) {
        const uint32_t start = dn_csv_field_start(rows, row, f);
        const uint8_t *text = rows->buf + start;
        l->escaped_null = dn_csv_field_end(rows, row, f, start) - start == 2 && text[0] == '\\' &&
                          text[0] == r->dialect.escape && text[1] == 'N' &&
                          !dn_csv_is_null_text(&r->nulls, text, 2);
    }
    if (l->escaped_null && l->n == 0) {
        note_sample(l, (const uint8_t *)"\\N", 2);
        (void)note_null(l, (const uint8_t *)"\\N", 2);
    }
}

enum dn_status dn_csv_looks_make(struct dn_csv_reader *r, const struct dn_csv_rows *rows,
                                 const struct dn_csv_evidence *evidence, struct dn_error *err)
{
    const size_t n_rows = rows->n_rows < LOOK_ROWS ? rows->n_rows : LOOK_ROWS;
    struct formats formats = {.ready = false};

    r->looks = dn_calloc(r->n_fields, sizeof(*r->looks)); /* later files may add some */
    if (r->looks == NULL) {
        return dn_error_memory(err, r->n_fields * sizeof(*r->looks));
    }
    for (size_t f = 0; f < rows->n_fields - rows->trailing; f++) {
        struct dn_csv_looks *l = &r->looks[f];
        *l = (struct dn_csv_looks){.numbers = (1u << N_NUMBERS) - 1,
                                   .dates = (1u << N_DATES) - 1,
                                   .times = (1u << N_TIMES) - 1};
        bool more = has_text(&evidence[f]);
        for (size_t row = 0; row < n_rows && more; row++) {
            const uint32_t start = dn_csv_field_start(rows, row, f);
            const uint32_t end = dn_csv_field_end(rows, row, f, start);
            more = dn_csv_is_null_text(&r->nulls, rows->buf + start, end - start) ||
                   look_at_value(l, &formats, r, rows->buf + start, end - start);
        }
        if (!more) {
            *l = (struct dn_csv_looks){0};
        }
        if (r->dialect.has_escape) {
            look_for_escaped_null(l, r, rows, n_rows, f);
        }
    }
    return DN_OK;
}

/* ---- what to say of them ---- */

const char *dn_csv_looks_kind_name(enum dn_csv_looks_kind kind)
{
    static const char *const names[] = {"single_quotes", "number_format",    "date_format",
                                        "time_format",   "timestamp_format", "null_text",
                                        "blanks"};
    return names[kind];
}

enum dn_csv_looks_kind dn_csv_looks_kind_of(const struct dn_csv_looks *l)
{
    const struct dn_csv_digits digits = {0, 0};

    if (l->n == 0) {
        return l->escaped_null ? DN_CSV_LOOKS_NULLS : DN_CSV_LOOKS_KINDS;
    }
    if (l->n_quoted == l->n) {
        return DN_CSV_LOOKS_QUOTED;
    }
    if (l->n_texts == 0 && dn_csv_type_of_classes(l->classes, digits).id == DN_TYPE_UTF8_VIEW) {
        return DN_CSV_LOOKS_KINDS; /* values of several types */
    }
    if (l->n_texts == 0) {
        return l->nulls_len > 0  ? DN_CSV_LOOKS_NULLS
               : l->n_padded > 0 ? DN_CSV_LOOKS_BLANKS
                                 : DN_CSV_LOOKS_KINDS;
    }
    return l->numbers != 0            ? DN_CSV_LOOKS_NUMBERS
           : l->moment == MOMENT_NONE ? DN_CSV_LOOKS_KINDS
           : l->moment == MOMENT_DATE ? DN_CSV_LOOKS_DATES
           : l->moment == MOMENT_TIME ? DN_CSV_LOOKS_TIMES
                                      : DN_CSV_LOOKS_TIMESTAMPS;
}

static size_t first_bit(unsigned bits)
{
    return (size_t)__builtin_ctz(bits | 1u << 31);
}

static size_t put(char *out, size_t at, const char *words)
{
    const int n =
        at < DN_CSV_LOOKS_WORDS ? snprintf(out + at, DN_CSV_LOOKS_WORDS - at, "%s", words) : 0;
    return at + (size_t)(n > 0 ? n : 0);
}

static size_t put_number_flags(const struct dn_csv_looks *l, char *out, size_t at)
{
    const struct dn_number_form *f = &k_numbers[first_bit(l->numbers)];
    char mark[DN_CSV_MARK_WORD];
    char flags[96];

    if ((l->numbers & (COMMA_IS_POINT | COMMA_GROUPS)) == (COMMA_IS_POINT | COMMA_GROUPS)) {
        return put(out, at,
                   "--decimal ',' reads such values as numbers if that is a decimal comma, "
                   "--thousands ',' if it groups digits");
    }
    (void)snprintf(flags, sizeof flags, "%s%s%s%s reads such values as numbers",
                   f->decimal == ',' ? "--decimal ','" : "",
                   f->decimal == ',' && f->n_thousands > 0 ? " " : "",
                   f->n_thousands > 0 ? "--thousands " : "",
                   f->n_thousands > 0 ? dn_csv_mark_word(f, mark) : "");
    return put(out, at, flags);
}

static size_t put_moment_flags(const struct dn_csv_looks *l, char *out, size_t at)
{
    static const char *const flags[] = {"--date-format", "--time-format", "--timestamp-format",
                                        "--timestamp-format", "--timestamp-format"};
    static const char *const kinds[] = {"dates", "times", "timestamps", "timestamps", "timestamps"};
    const char *between = k_between[l->moment];
    const char *time = l->moment == MOMENT_DATE ? "" : k_times[first_bit(l->times)];
    const size_t date = first_bit(l->dates);
    const char *day = l->moment == MOMENT_TIME ? "" : k_dates[date].text;
    char words[160];

    if (l->moment != MOMENT_TIME && k_dates[date].or_next && (l->dates >> (date + 1) & 1) != 0) {
        (void)snprintf(words, sizeof words,
                       "%s '%s%s%s', or '%s%s%s' where the month comes first, reads such values as "
                       "%s",
                       flags[l->moment], day, between, time, k_dates[date + 1].text, between, time,
                       kinds[l->moment]);
    } else {
        (void)snprintf(words, sizeof words, "%s '%s%s%s' reads such values as %s", flags[l->moment],
                       day, between, time, kinds[l->moment]);
    }
    return put(out, at, words);
}

const char *dn_csv_looks_words(const struct dn_csv_looks *l, char out[DN_CSV_LOOKS_WORDS])
{
    const enum dn_csv_looks_kind kind = dn_csv_looks_kind_of(l);
    char nulls[64];

    if (kind == DN_CSV_LOOKS_QUOTED) {
        (void)put(out, 0,
                  "its values keep the single quotes around them; --quote \"'\" takes them "
                  "off (quote: \"'\" among the options of a job)");
        return out;
    }
    size_t at = put(out, 0, "its values are strings; ");
    if (l->n_padded > 0) {
        at = put(out, at, kind == DN_CSV_LOOKS_BLANKS ? "--trim takes the blanks off" : "--trim ");
    }
    if (l->nulls_len > 0) {
        (void)snprintf(nulls, sizeof nulls, "--null-values '%.*s'%s", (int)l->nulls_len, l->nulls,
                       kind == DN_CSV_LOOKS_NULLS ? " reads such texts as nulls" : " ");
        at = put(out, at, nulls);
    }
    if (kind == DN_CSV_LOOKS_NUMBERS) {
        at = put_number_flags(l, out, at);
    } else if (kind != DN_CSV_LOOKS_NULLS && kind != DN_CSV_LOOKS_BLANKS) {
        at = put_moment_flags(l, out, at);
    }
    (void)put(out, at, " (among the options of a job, too)");
    return out;
}
