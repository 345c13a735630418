/** One file under examination, and one of its column chunks: what the files of this folder share. */
#ifndef DN_PARQUET_VERIFY_CHECK_H
#define DN_PARQUET_VERIFY_CHECK_H

#include "parquet/read/decode.h"
#include "parquet/verify/levels.h"
#include "parquet/verify/meta.h"
#include "parquet/verify/tally.h"
#include "store/source.h"

#define DN_PV_MOST_ENCODINGS 32
#define DN_PV_PAGE_TYPES 4

struct dn_pv_file {
    struct dn_arena arena;
    struct dn_buffer footer; /**< what the texts of `meta` point into */
    struct dn_source *source;
    uint64_t size;
    uint64_t footer_offset;
    struct dn_pv_file_meta meta;
    struct dn_pv_column *columns;
    uint32_t n_columns;
    struct dn_pv_findings findings; /**< of the file as a whole */
};

/** What a chunk came to, for the summary. */
struct dn_pv_chunk_result {
    uint64_t n_pages;
    uint64_t n_values;
    uint64_t value_bytes; /**< of PLAIN values without lengths */
};

/** The page and offset index of a chunk. */
struct dn_pv_index {
    struct dn_buffer offsets_bytes;
    struct dn_buffer columns_bytes;
    struct dn_pv_offset_index offsets;
    struct dn_pv_column_index columns;
    bool has_offsets;
    bool has_columns; /**< and its lists are as long as there are pages said */
    uint32_t n_pages; /**< data pages met so far */
    uint64_t next_row;
};

struct dn_pv_bloom {
    struct dn_buffer bytes;
    struct dn_span blocks; /**< data NULL: there is none */
    uint64_t n_missing;    /**< values that are not in it */
};

struct dn_pv_chunk_check {
    const struct dn_pv_file *file;
    const struct dn_pv_group *group;
    const struct dn_pv_chunk *chunk;
    const struct dn_pv_column *column;
    struct dn_pv_findings *findings;
    struct dn_pv_place place; /**< group, column and page of now */
    struct dn_arena arena;    /**< lists of page headers and indexes */
    struct dn_buffer window;  /**< bytes of the file from window_at on */
    uint64_t window_at;
    uint64_t start; /**< of the pages */
    uint64_t end;
    struct dn_buffer header;
    struct dn_buffer unpacked;
    struct dn_buffer dictionary;
    struct dn_pq_entries entries;
    struct dn_buffer stamps; /**< uint32_t per entry: the page that used it last, 0: none */
    struct dn_buffer seen;   /**< uint32_t: entries that a page used */
    uint64_t n_used;         /**< entries that any page used */
    struct dn_pq_decoder *decoder;
    struct dn_buffer block; /**< decoded values or ids */
    int sorted;             /**< the row group says that the values ascend (1) or descend (-1) */
    struct dn_buffer last;  /**< the value before, while they do */
    bool has_last;
    struct dn_pv_tally page;
    struct dn_pv_tally total;
    struct dn_pv_levels page_defs;
    struct dn_pv_levels page_reps;
    struct dn_pv_levels defs;
    struct dn_pv_levels reps;
    uint32_t pages[DN_PV_PAGE_TYPES][DN_PV_MOST_ENCODINGS]; /**< met, by type and encoding */
    bool has_rle_levels;
    bool has_packed_levels;
    bool has_dictionary; /**< a dictionary page, good or not */
    bool has_entries;    /**< a good one */
    bool is_unsaid;      /**< the footer does not tell the dictionary page */
    bool is_broken;      /**< the walk could not go on */
    uint64_t first_data; /**< byte of the first data page, 0: none */
    uint64_t uncompressed;
    struct dn_pv_index index;
    struct dn_pv_bloom bloom;
    struct dn_pv_chunk_result *result;
};

/** The schema: columns from elements.  False: there are none that chunks could be held against. */
DN_NODISCARD enum dn_status dn_pv_schema_check(struct dn_pv_file *file, bool *out_usable,
                                               struct dn_error *err);
/** What the footer says of row groups and chunks, against itself. */
void dn_pv_groups_check(struct dn_pv_file *file);
/** Where everything lies. */
DN_NODISCARD enum dn_status dn_pv_layout_check(struct dn_pv_file *file, struct dn_error *err);
/** Can the pages of a chunk be looked for at all? */
bool dn_pv_chunk_is_here(const struct dn_pv_file *file, const struct dn_pv_chunk *chunk,
                         uint64_t *out_start, uint64_t *out_end);
/** The pages of one chunk, its indexes and its filter.  Fails only for reasons that are not the file's. */
DN_NODISCARD enum dn_status dn_pv_chunk_check(const struct dn_pv_file *file, uint32_t group,
                                              uint32_t column, struct dn_pv_findings *findings,
                                              struct dn_pv_chunk_result *result,
                                              struct dn_error *err);

/* ---- between the files that look at a chunk ----------------------------------------------------------------------- */

/** Bytes of the chunk, valid until the next call.  They must lie within it. */
DN_NODISCARD enum dn_status dn_pv_bytes(struct dn_pv_chunk_check *c, uint64_t offset, size_t len,
                                        struct dn_span *out, struct dn_error *err);
/** The page at *pos, which is moved behind it; c->is_broken if nobody can tell where the next one is. */
DN_NODISCARD enum dn_status dn_pv_page_check(struct dn_pv_chunk_check *c, uint64_t *pos,
                                             struct dn_error *err);
/** The values of a data page: decoded and tallied into c->page. */
DN_NODISCARD enum dn_status dn_pv_values_check(struct dn_pv_chunk_check *c, int32_t encoding,
                                               struct dn_span body, size_t n, struct dn_error *err);
DN_NODISCARD enum dn_status dn_pv_dictionary_check(struct dn_pv_chunk_check *c,
                                                   const struct dn_pv_page_head *head,
                                                   struct dn_span body, struct dn_error *err);
/** Statistics of a page or of the chunk against what its values came to. */
void dn_pv_statistics_check(struct dn_pv_chunk_check *c, const struct dn_pv_statistics *s,
                            const struct dn_pv_tally *t, bool is_chunk);
/** min and max of any place: legal bounds of a tally?  `what` is "min_value of the chunk". */
void dn_pv_bound_check(struct dn_pv_chunk_check *c, const struct dn_pv_tally *t,
                       struct dn_span bound, bool is_max, const char *rule, const char *what);
/**
 * Bytes of the byte arrays of a page or a chunk, as they are said and as they are.  Fewer in DELTA_BYTE_ARRAY: a note, for pyarrow leaves
 * out values that are the beginning of the one before.
 */
void dn_pv_unencoded_check(struct dn_pv_chunk_check *c, int64_t said, uint64_t counted,
                           const char *rule);
/** Histograms, each against what was counted; `first` of the lists for page indexes. */
void dn_pv_histogram_check(struct dn_pv_chunk_check *c, const int64_t *said,
                           const struct dn_pv_levels *counted, int32_t max, const char *rule,
                           const char *what);
DN_NODISCARD enum dn_status dn_pv_index_read(struct dn_pv_chunk_check *c, struct dn_error *err);
/** A data page has been looked at. */
void dn_pv_index_page(struct dn_pv_chunk_check *c, uint64_t offset, uint64_t size);
void dn_pv_index_end(struct dn_pv_chunk_check *c);
DN_NODISCARD enum dn_status dn_pv_bloom_read(struct dn_pv_chunk_check *c, struct dn_error *err);
/** n values as decode.h gives them. */
void dn_pv_bloom_values(struct dn_pv_chunk_check *c, const void *values, size_t n);
void dn_pv_bloom_end(struct dn_pv_chunk_check *c);

#endif
