/**
 * How the first values of a field are written that is a string for it: as numbers, dates or times in another form than the usual one, or
 * as values beside texts that mean null, or with blanks or single quotes around.
 */
#ifndef DN_CSV_LOOKS_H
#define DN_CSV_LOOKS_H

#include "csv/reader_internal.h"

/** Of one field. */
struct dn_csv_looks {
    uint8_t n;        /**< values looked at, usual texts for null aside */
    uint8_t n_quoted; /**< between single quotes */
    uint8_t n_texts;  /**< that are no values as they stand */
    uint8_t n_padded; /**< with blanks around them, which are looked through */
    uint8_t moment;   /**< what dates and times consist of: enum moment in looks.c */
    uint8_t times;    /**< forms that all of them have, a bit for each */
    uint8_t sample_len;
    uint8_t nulls_len;
    bool escaped_null; /**< \N, where backslashes escape: else it is an N */
    uint16_t dates;
    uint16_t numbers;
    unsigned classes; /**< of values as they stand, enum dn_csv_class */
    char sample[26];  /**< the first value that is no value as it stands */
    char nulls[22];   /**< usual texts for null, with commas between them */
};

enum dn_csv_looks_kind {
    DN_CSV_LOOKS_QUOTED = 0,
    DN_CSV_LOOKS_NUMBERS,
    DN_CSV_LOOKS_DATES,
    DN_CSV_LOOKS_TIMES,
    DN_CSV_LOOKS_TIMESTAMPS,
    DN_CSV_LOOKS_NULLS,
    DN_CSV_LOOKS_BLANKS,
    DN_CSV_LOOKS_KINDS /**< nothing to speak of */
};

/** The word for a kind in events: "number_format". */
const char *dn_csv_looks_kind_name(enum dn_csv_looks_kind kind);

/** Look at the first rows of the sample, at fields that have a text: r->looks. */
DN_NODISCARD enum dn_status dn_csv_looks_make(struct dn_csv_reader *r,
                                              const struct dn_csv_rows *rows,
                                              const struct dn_csv_evidence *evidence,
                                              struct dn_error *err);

/** What to speak of, if the field is a string. */
enum dn_csv_looks_kind dn_csv_looks_kind_of(const struct dn_csv_looks *l);

#define DN_CSV_LOOKS_WORDS 320
/** What helps: "its values are strings; --decimal ',' reads such values as numbers". */
const char *dn_csv_looks_words(const struct dn_csv_looks *l, char out[DN_CSV_LOOKS_WORDS]);

#endif
