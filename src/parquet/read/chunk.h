/**
 * A place in the pages of one column chunk after the other: pages are read in ranges, checked and unpacked, and their values decoded.
 *
 * Errors name column, row group and page: DN_ERR_DATA, DN_ERR_UNSUPPORTED (encoding, codec, encryption), DN_ERR_IO, DN_ERR_MEMORY.
 * Threads: one at a time.
 */
#ifndef DN_PARQUET_READ_CHUNK_H
#define DN_PARQUET_READ_CHUNK_H

#include "parquet/encoding/levels.h"
#include "parquet/read/block.h"
#include "parquet/read/decode.h"
#include "parquet/read/page.h"

/** Zeroed memory with the first members set is a cursor that stands nowhere. */
struct dn_pq_cursor {
    struct dn_source *source;
    const struct dn_pq_leaf *leaf;
    size_t range_bytes;          /**< pages are read by so many bytes, if they are not longer */
    _Atomic int64_t *bytes_read; /**< added to */
    uint64_t
        most_page_bytes; /**< of a page that is unpacked; larger ones are DN_ERR_MEMORY.  0: any */
    uint64_t memory_share; /**< the user's budget is so many times ours, for messages */

    const struct dn_pq_chunk_info *chunk;
    uint32_t group;       /**< its number, for messages */
    uint64_t pos;         /**< in the file, of the next page */
    uint64_t end;         /**< of the chunk */
    uint64_t page_offset; /**< of the current page, for messages */
    int64_t rows_behind; /**< rows of the chunk behind the current page; of nested columns levels */

    struct dn_pq_block *
        raw; /**< as in the file: its last bytes from `raw_at` on, the next one of which is at `pos` */
    size_t raw_at;
    struct dn_pq_block *unpacked;
    struct dn_pq_block *body; /**< of the current page: one of the two */
    struct dn_pq_page_head page;

    struct dn_pq_block *dictionary; /**< NULL: the chunk has none */
    struct dn_pq_entries entries;

    struct dn_pq_decoder *decoder;
    struct dn_pq_levels_in levels; /**< if the column is optional */
    struct dn_pq_levels_in reps;   /**< if it is repeated */
    size_t rows_left;              /**< of the current page */
};

/** Begin with a chunk of `n_rows` rows. */
DN_NODISCARD enum dn_status dn_pq_cursor_begin(struct dn_pq_cursor *c,
                                               const struct dn_pq_chunk_info *chunk, uint32_t group,
                                               int64_t n_rows, struct dn_error *err);
/** The next page that has rows; the chunk must have some left. */
DN_NODISCARD enum dn_status dn_pq_cursor_next_page(struct dn_pq_cursor *c, struct dn_error *err);
/** All rows were read: there must be no further page with rows. */
DN_NODISCARD enum dn_status dn_pq_cursor_end(struct dn_pq_cursor *c, struct dn_error *err);
/** Are the values of the current page ids of the dictionary? */
bool dn_pq_cursor_has_ids(const struct dn_pq_cursor *c);
/** Say in front of a message where the cursor is.  Returns st. */
enum dn_status dn_pq_cursor_place(const struct dn_pq_cursor *c, enum dn_status st,
                                  struct dn_error *err);
void dn_pq_cursor_finish(struct dn_pq_cursor *c);

#endif
