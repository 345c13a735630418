/**
 * The encoder of one column: takes rows in any portions, and makes pages.
 *
 * A chunk starts as a dictionary (but for booleans and nulls).  After 4,096 values, four times as many, and so on, and at its
 * end, the dictionary is given up if it will not pay; then all values held so far and all that follow become PLAIN pages.  So
 * all data pages of a chunk have one encoding.  Pages end at exact places, and every decision falls after an exact number of
 * values, so that the portions leave no trace.
 * Threads: one at a time.
 */
#ifndef DN_PARQUET_WRITE_ENCODER_H
#define DN_PARQUET_WRITE_ENCODER_H

#include "parquet/write/page.h"
#include "parquet/write/shred.h"

struct dn_pq_encoder_options {
    const struct dn_kernels *kernels;
    int64_t page_rows; /**< a page ends after this many rows ... */
    size_t page_bytes; /**< ... or after the value with which its values have this many bytes */
    int64_t row_group_rows; /**< rows a chunk is expected to have */
    /** A dictionary pays if it takes less than this many 16ths of PLAIN. */
    unsigned number_share;
    unsigned text_share;
    bool has_codec;          /**< pages are compressed: see sorted_for_codec() */
    bool many_columns;       /**< so that pages are short, and room that they do not need is much */
    bool chooses_level;      /**< zstd, and nobody asked for a level: see level.h */
    size_t dictionary_bytes; /**< what a column's dictionary may take */
};

/** What the encoder of a leaf within a column has besides: see leaf_values.c.  Zeroed memory is a valid one. */
struct dn_pq_leaf {
    const struct dn_pq_shredded *shredded; /**< being appended; NULL: nothing */
    int64_t n_fed;                         /**< of its rows */
    struct dn_buffer
        ids_of_rows; /**< uint32_t id + 1 of the dictionary for each row of a view that repeats, 0: not known */
    uint64_t ids_batch; /**< that the view is of; 0: none */
    int64_t page_begun; /**< nested: rows that begin in the open page, */
    int64_t taken_rows; /**< and in what was taken last */
};

struct dn_pq_encoder {
    const struct dn_pq_column *column;
    const struct dn_pq_encoder_options *options; /**< borrowed: one for all columns */
    /** Takes a page that is linked into its chunk already and may be packed; pages of ids come from dn_pq_encoder_end(). */
    void (*emit)(void *ctx, struct dn_pq_page *page);
    void *emit_ctx;

    struct dn_pq_chunk *chunk; /**< being filled; NULL between chunks */
    struct dn_pq_levels levels;

    /* What chunks before this one had: see keeps_dictionary(), is_hopeless(). */
    bool had_dictionary;
    bool collecting;         /**< the dictionary is on */
    int32_t level;           /**< of the next PLAIN page of numbers, */
    int64_t n_number_pages;  /**< of which there were so many, in all chunks */
    int64_t most_plain_rows; /**< rows of the largest chunk that was PLAIN and had values */

    int64_t checkpoint; /**< number of values at which the dictionary is looked at next */
    /** Distinct values at the last checkpoint and the one before, 0: there was none. */
    int64_t n_distinct_at_quarter;
    int64_t n_distinct_at_sixteenth;
    int64_t first_distinct; /**< distinct values at the first checkpoint */
    int64_t
        lost_distinct; /**< the same of the last chunk whose dictionary did not pay at one, or 0 */
    struct dn_pq_dictionary dictionary;
    int64_t collected_text_bytes;

    int64_t next_row; /**< PLAIN: first row that is in no page */
    struct dn_buffer body;
    size_t body_start;  /**< room for levels before the values */
    size_t levels_hint; /**< room the next page's levels will likely need */
    size_t body_hint;   /**< room the next page will likely need */
    int64_t page_rows;  /**< entries in the open page */
    int64_t page_values;
    struct dn_pq_leaf *leaf; /**< borrowed; NULL: the column is the leaf */
};

/** Column and options are borrowed. */
void dn_pq_encoder_init(struct dn_pq_encoder *e, const struct dn_pq_column *column,
                        const struct dn_pq_encoder_options *options);
/** Accepts zeroed memory. */
void dn_pq_encoder_finish(struct dn_pq_encoder *e);

/** Start filling `chunk`, which is zeroed memory and must outlive the pages. */
void dn_pq_encoder_begin(struct dn_pq_encoder *e, struct dn_pq_chunk *chunk);
/** Add rows [row, row + n) of a view.  After a failure only finish is legal. */
DN_NODISCARD enum dn_status dn_pq_encoder_append(struct dn_pq_encoder *e,
                                                 const struct dn_column_view *view, int64_t row,
                                                 int64_t n, struct dn_error *err);
/** Add what was shredded.  After a failure only finish is legal. */
DN_NODISCARD enum dn_status dn_pq_encoder_append_shredded(struct dn_pq_encoder *e,
                                                          const struct dn_pq_shredded *shredded,
                                                          struct dn_error *err);
/** Make the last pages and complete the chunk. */
DN_NODISCARD enum dn_status dn_pq_encoder_end(struct dn_pq_encoder *e, struct dn_error *err);

/** Bytes of memory it holds at the moment. */
size_t dn_pq_encoder_held(const struct dn_pq_encoder *e);

#endif
