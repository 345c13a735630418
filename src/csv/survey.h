/**
 * A pass over all rows for nothing but where they are: for every place at which a file is to be cut, the row end in front of the first
 * row that begins there or behind it, and how many rows and lines stand before that.
 *
 * Threads: tasks look at their blocks, each at places of its own; the consumer adds up, in the order of the blocks.
 */
#ifndef DN_CSV_SURVEY_H
#define DN_CSV_SURVEY_H

#include "csv/feed.h"

struct dn_csv_reader;
struct dn_csv_rows;
struct dn_csv_cut;

/** Between two rows. */
struct dn_csv_bound {
    bool known;
    int64_t offset;   /**< byte of the text, behind a row end */
    int64_t line;     /**< of that byte, from 1 */
    int64_t n_given;  /**< rows before it that are read, over all files, */
    int64_t left_out; /**< and that the option ragged leaves out */
};

/** What one block adds, from its first row on up to where its last whole row ends. */
struct dn_csv_surveyed {
    bool any;
    bool first_of_file;
    int64_t start;
    int64_t end;
    int64_t first_line; /**< of `start`, where it is the first of its file */
    int64_t n_lines;
    int64_t n_given;
    int64_t left_out;
    size_t first_cut; /**< cuts [first_cut, end_cut) fall into it: their bounds count from it */
    size_t end_cut;
};

struct dn_csv_survey {
    const struct dn_csv_cut *cuts; /**< borrowed, ascending by file and place */
    size_t n_cuts;
    struct dn_csv_bound *bounds; /**< of each cut */
    struct dn_csv_bound *starts; /**< of each file: of its rows */
    struct dn_csv_bound *ends;
    struct dn_csv_bound at; /**< of all blocks that were taken */
};

/** A block whose rows are known.  @param complete  position behind its last whole row */
void dn_csv_survey_block(const struct dn_csv_survey *s, struct dn_csv_surveyed *out,
                         const struct dn_csv_dialect *d, const struct dn_csv_block *block,
                         const struct dn_csv_rows *rows, size_t complete);
/** The next block in order, of file number `file`; it is done with.  Returns how many rows are read up to its end. */
int64_t dn_csv_survey_take(struct dn_csv_survey *s, size_t file, struct dn_csv_surveyed *block);

#endif
