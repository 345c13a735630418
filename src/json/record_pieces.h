/** An array of records in pieces that are read by several threads.  Threads: one owner. */
#ifndef DN_JSON_RECORD_PIECES_H
#define DN_JSON_RECORD_PIECES_H

#include "json/record_reader.h"

/** Some records that follow each other. */
struct dn_record_piece {
    struct dn_record_reader reader;
    const uint8_t *end; /**< behind its last record */
    int depth;          /**< of the array */
    bool is_first;
    bool is_read;
    void *batch; /**< those that are read together */
};

/** All of them, in order, with the same columns in the same order.  Zeroed: none. */
struct dn_record_pieces {
    struct dn_record_piece **items;
    int64_t n;
    int64_t capacity;
};

/**
 * Find out how far the array at r->lx.p goes, and read it in pieces if it has enough for two and somebody does it.  True: they are
 * read, and r->lx is behind the array.  False: it is not read, and there are none; if the text goes so far, wide reads are allowed
 * within the array.
 */
bool dn_record_pieces_read(struct dn_record_pieces *pieces, struct dn_record_reader *r, int depth);
void dn_record_pieces_finish(struct dn_record_pieces *pieces);

#endif
