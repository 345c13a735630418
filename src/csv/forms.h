/** How the values of a field are written, where that is not the usual way: the options that say so, and texts read by them. */
#ifndef DN_CSV_FORMS_H
#define DN_CSV_FORMS_H

#include "csv/columns.h"
#include "text/moment_format.h"
#include "text/number_form.h"
#include "text/parse.h"

struct dn_csv_words {
    const char *const *texts;
    size_t n;
};

struct dn_csv_moments {
    struct dn_moment_format *formats; /**< the first that fits counts */
    size_t n;
    bool own; /**< of this column, instead of those of every one */
};

struct dn_csv_forms {
    struct dn_csv_nulls nulls; /**< those of every column and of this one */
    bool trim;                 /**< blanks around unquoted values are no part of them */
    bool has_number;
    struct dn_number_form number;
    bool has_words;               /**< instead of the usual ones: */
    struct dn_csv_words words[2]; /**< for false and for true */
    struct dn_csv_moments moments[DN_MOMENT_KINDS];
};

/** The texts that mean null in a field: its own, or those of every column. */
static inline const struct dn_csv_nulls *dn_csv_nulls_of(const struct dn_csv_forms *forms,
                                                         const struct dn_csv_nulls *nulls)
{
    return forms != NULL ? &forms->nulls : nulls;
}

static inline bool dn_csv_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/** Take blanks and tabs off both ends. */
static inline void dn_csv_trim(const struct dn_csv_dialect *d, const uint8_t **text, size_t *len)
{
    while (*len > 0 && (**text == ' ' || **text == '\t')) {
        (*text)++;
        (*len)--;
    }
    while (*len > 0 && ((*text)[*len - 1] == ' ' || (*text)[*len - 1] == '\t') &&
           !dn_csv_ends_escaped(d, *text, *len - 1)) { /* an escaped blank is text */
        (*len)--;
    }
}

/** Longer texts are no numbers and moments of a form, which is not the usual one. */
#define DN_CSV_FORM_MOST ((size_t)512)
/** For a text that is rewritten, and bytes around it. */
#define DN_CSV_FORM_ROOM (DN_CSV_FORM_MOST + 2 * (size_t)DN_TEXT_PADDING)

/** Do the forms say how values of the type are written?  NULL: no. */
bool dn_csv_forms_concern(const struct dn_csv_forms *f, struct dn_type type);

/**
 * A text of a column of `type`, in the usual form for it: as it is, or in `room`.  False: it is no value of the type.  Whether what comes
 * out is one, the usual predicates say.
 */
bool dn_csv_forms_rewrite(const struct dn_csv_forms *f, struct dn_type type, const uint8_t **text,
                          size_t *len, uint8_t room[DN_CSV_FORM_ROOM]);

/**
 * As dn_csv_classify(), of a text written in these forms; a number is then in its usual form.  What is a whole number as well as a date,
 * time, timestamp or boolean in its form is of the class that says both.
 */
unsigned dn_csv_forms_classify(const struct dn_csv_forms *f, const uint8_t **text, size_t *len,
                               uint8_t room[DN_CSV_FORM_ROOM]);

/** A text that people write where there is no value, in any case: NULL, n/a, -, \N. */
bool dn_csv_is_usual_null(const uint8_t *text, size_t len);

#define DN_CSV_MARK_WORD 12
/** The thousands separator of a form as a word of a shell: '.', or $'\u202f' for what nobody sees. */
const char *dn_csv_mark_word(const struct dn_number_form *f, char out[DN_CSV_MARK_WORD]);

#define DN_CSV_FORM_WORDS 320
/** What to say of a text that is not a value of the type: in which form one is, or with which option it would be.  Perhaps nothing. */
const char *dn_csv_forms_advise(const struct dn_csv_forms *f, struct dn_type type,
                                const uint8_t *text, size_t len, char out[DN_CSV_FORM_WORDS]);

#endif
