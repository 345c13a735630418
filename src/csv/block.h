/**
 * A block of CSV text, and the beginning of a row that is waiting for its end.
 * Threads: one owner.
 */
#ifndef DN_CSV_BLOCK_H
#define DN_CSV_BLOCK_H

#include "base/buffer.h"
#include "csv/automaton.h"

/** Bytes in front of a block's text, room for the beginning of a row that started in the block before. */
#define DN_CSV_FRONT 4096

/** One block.  Text is buf[start, len); buf has DN_BUFFER_PADDING readable bytes past len. */
struct dn_csv_block {
    uint8_t *buf;
    size_t size; /**< allocated bytes of buf */
    size_t start;
    size_t len;
    size_t room_behind;   /**< readable bytes behind the text, besides its padding */
    size_t file;          /**< index of the file */
    int64_t start_offset; /**< byte offset in the file of buf[start] */
    int64_t end_offset;   /**< and of what stands behind its last byte */
    int64_t first_line; /**< line of buf[start] if the file cannot be read again to count, else 0 */
    bool first_of_file;
    bool last_of_file;
    bool
        added_row_end; /**< the file does not end with a row end: one was added behind its last byte */
};

void dn_csv_block_finish(struct dn_csv_block *b);
/**
 * The text, which is not empty, ends here, and its last row need not: give it a row end, of at most DN_CSV_ADDED_MOST bytes.  An escape
 * with nothing behind it is text: doubled it is one, whatever follows.
 */
#define DN_CSV_ADDED_MOST 2
void dn_csv_end_last_row(const struct dn_csv_dialect *d, struct dn_csv_block *b);
/** Room for `text_bytes` bytes of text behind `front` bytes; the text that is there moves along. */
DN_NODISCARD enum dn_status dn_csv_block_resize(struct dn_csv_block *b, size_t front,
                                                size_t text_bytes, struct dn_error *err);

/**
 * The beginning of a row whose end is in a later block.  It grows by whole blocks and becomes the text of the last one: a row over many
 * blocks is copied once.  Zeroed memory is an empty one.
 */
struct dn_csv_begun {
    struct dn_buffer bytes; /**< the text behind DN_BUFFER_PADDING zeros; empty: there is none */
};

void dn_csv_begun_finish(struct dn_csv_begun *b);
static inline struct dn_span dn_csv_begun_text(const struct dn_csv_begun *b)
{
    struct dn_span text = {0};

    if (b->bytes.len > 0) {
        text.data = b->bytes.data + DN_BUFFER_PADDING;
        text.len = b->bytes.len - DN_BUFFER_PADDING;
    }
    return text;
}
/** More text, behind what there is. */
DN_NODISCARD enum dn_status dn_csv_begun_add(struct dn_csv_begun *b, const uint8_t *text,
                                             size_t len, struct dn_error *err);
/** Put it in front of the block's text; it is empty then.  Of the two texts the shorter one is copied. */
DN_NODISCARD enum dn_status dn_csv_block_join(struct dn_csv_block *b, struct dn_csv_begun *begun,
                                              struct dn_error *err);

#endif
