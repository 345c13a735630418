/**
 * What fuzz targets of the CSV reader have in common: options that bytes pick, files made of bytes, and what reading them gave, as
 * numbers to compare.  One owner.
 */
#ifndef DN_FUZZ_CSV_CHOICES_H
#define DN_FUZZ_CSV_CHOICES_H

#include "dativo/csv.h"

enum {
    CSV_CHOICES = 8, /* bytes that pick options */
    CSV_MOST_FILES = 3
};

/** Files in memory. */
struct csv_files {
    const char *paths[CSV_MOST_FILES]; /**< into `texts` */
    size_t sizes[CSV_MOST_FILES];
    size_t n;
    int fds[CSV_MOST_FILES];
    char texts[CSV_MOST_FILES][64];
};

/** A file for every part of the text between bytes 0x1e, but CSV_MOST_FILES at most. */
void csv_files_make(struct csv_files *f, const uint8_t *text, size_t len);
void csv_files_finish(struct csv_files *f);

/** What readers gave.  Equal if rows, values, numbers of rows, files, rows set aside, advice, counters and errors are equal. */
struct csv_outcome {
    uint64_t cells; /**< over all cells, and where their rows come from */
    uint64_t aside; /**< over all rows that were set aside */
    uint64_t advice;
    uint64_t names; /**< over names and types of the columns */
    int64_t n_rows;
    int64_t n_aside;
    struct dn_csv_progress
        counters; /**< of readers that came to the end, added up; where files end does not count */
    enum dn_status status;
    struct dn_error error;
    bool limited; /**< what is replaced behind a limit counts if it was read ahead */
    bool
        long_rows_fail; /**< there is a limit: what is said of a row over it depends on where blocks end */
};

/** Options that CSV_CHOICES bytes pick, and no pool of threads; what they tell goes to `to`, which is empty then. */
void csv_choose(struct dn_csv_options *o, const uint8_t *choices, struct csv_outcome *to);
/** Read all that `r` has, behind what *o already holds, and close it. */
void csv_drain(struct dn_csv_reader *r, struct csv_outcome *o);
/** Read the files. */
void csv_read(const struct csv_files *f, const struct dn_csv_options *options,
              struct csv_outcome *o);
/** The same error, or none? */
bool csv_same_error(const struct csv_outcome *a, const struct csv_outcome *b);
/** The same, whatever it was?  Counters count where reading came to its end. */
bool csv_same_outcome(const struct csv_outcome *a, const struct csv_outcome *b);

#endif
