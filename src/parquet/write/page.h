/**
 * Pages: what they are made of, and how they become the bytes of the file.  Pages of a chunk are independent of each other
 * once the chunk's encoding is known, so each is packed by a task of its own.
 */
#ifndef DN_PARQUET_WRITE_PAGE_H
#define DN_PARQUET_WRITE_PAGE_H

#include "parquet/encoding/dictionary.h"
#include "parquet/encoding/levels.h"
#include "parquet/write/column.h"
#include "parquet/write/stats.h"

struct dn_pq_chunk;

struct dn_pq_page {
    struct dn_pq_page *next; /**< in the chunk's order */
    struct dn_pq_chunk *chunk;
    enum dn_pq_page_type type;
    enum dn_pq_encoding encoding;
    int64_t n_rows; /**< rows, nulls too; in a dictionary page its entries */
    int32_t level;  /**< of the codec; DN_CODEC_LEVEL_DEFAULT: the writer's */

    /* PLAIN pages and dictionaries are made where the values are collected ... */
    struct dn_buffer body;
    size_t body_start; /**< the page begins here in `body` */
    /* ... pages of ids when they are packed, from what the chunk holds. */
    int64_t first_row;
    int64_t first_id;
    int64_t n_ids;

    struct dn_pq_page *next_waiting; /**< of the writer, for a packer */

    /* Set when packed: header and compressed body, as they go into the file; owned by whoever packs. */
    const uint8_t *stored;  /**< NULL: they are in the row group's temporary file, */
    uint64_t stored_offset; /**< here */
    size_t stored_len;
    size_t uncompressed_len; /**< header included */
};

/** What pages of ids are made of. */
struct dn_pq_sources {
    struct dn_pq_levels levels;
    struct dn_pq_ids ids;
    unsigned id_bits;
};

/** One column of one row group. */
struct dn_pq_chunk {
    const struct dn_pq_column *column;
    struct dn_pq_page *dictionary; /**< NULL: none */
    struct dn_pq_page *first;      /**< data pages */
    struct dn_pq_page *last;
    int64_t n_pages;   /**< data pages */
    int64_t first_row; /**< of the file; for messages */
    int64_t n_rows;
    int64_t text_bytes; /**< bytes of all texts, lengths not counted */
    struct dn_pq_stats stats;
    struct dn_pq_sources
        *sources; /**< owned; given up with the last page of ids; NULL: there are none */
};

/** A zeroed data page of `chunk`; NULL, with `err` set, if memory ran out. */
struct dn_pq_page *dn_pq_page_create(struct dn_pq_chunk *chunk, struct dn_error *err);
/** Append a data page; the chunk owns it from here on. */
void dn_pq_chunk_link(struct dn_pq_chunk *chunk, struct dn_pq_page *page);
/** Free pages and everything else.  Accepts zeroed memory. */
void dn_pq_chunk_finish(struct dn_pq_chunk *c);
/** Bytes of what only pages not yet packed need. */
size_t dn_pq_chunk_sources_held(const struct dn_pq_chunk *c);
/** Free it. */
void dn_pq_chunk_drop_sources(struct dn_pq_chunk *c);

/** What packing a page needs beside the page; one per thread at work, reused from page to page. */
struct dn_pq_packer {
    struct dn_pq_packer *next; /**< for the owner's free list */
    const struct dn_kernels *kernels;
    enum dn_codec_id codec;
    int32_t level;                    /**< the writer's */
    struct dn_compressor *compressor; /**< NULL if pages are stored as they are */
    struct dn_buffer ids;
    struct dn_buffer body;
    struct dn_buffer packed;
    struct dn_buffer header;
};

DN_NODISCARD enum dn_status dn_pq_packer_create(struct dn_pq_packer **out, enum dn_codec_id codec,
                                                int32_t level, const struct dn_kernels *kernels,
                                                struct dn_error *err);
void dn_pq_packer_destroy(struct dn_pq_packer *p);
/**
 * Build, compress and checksum a page.  header and data are borrowed from packer and page until the next call;
 * page->stored_len and uncompressed_len are set.
 */
DN_NODISCARD enum dn_status dn_pq_page_pack(struct dn_pq_page *page, struct dn_pq_packer *p,
                                            struct dn_span *header, struct dn_span *data,
                                            struct dn_error *err);

#endif
