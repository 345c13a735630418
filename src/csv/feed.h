/**
 * The feed: files in, blocks of text out, in order.  A block ends right behind a row-end byte or at the end of its file.
 *
 * Threads: one at a time: who opens the reader, and then the thread that feeds its blocks.
 */
#ifndef DN_CSV_FEED_H
#define DN_CSV_FEED_H

#include "csv/block.h"
#include "csv/tail.h"
#include "filter/text.h"

/** A row may take one part in so many of the memory budget, */
#define DN_CSV_ROW_SHARE 2
/** at least so many bytes, */
#define DN_CSV_ROW_AT_LEAST ((size_t)8 << 20)
/** and at most so many: a row's beginning and a block together stay below 2^31, the offsets of string views. */
#define DN_CSV_ROW_AT_MOST ((size_t)1 << 29)

/** A part of one file's text that begins at the start of a row and ends behind a row end, or with the file's rows. */
struct dn_csv_range {
    size_t file;
    int64_t start; /**< bytes of text, as it is read */
    int64_t end;
    int64_t line; /**< of the byte at `start` */
    int64_t
        size; /**< of the file as it is stored, and dn_source_version(), when that was found out */
    uint64_t version;
};

struct dn_csv_feed {
    const struct dn_csv_range *range; /**< borrowed: nothing else is read; NULL: all files */
    const char *const *paths;         /**< borrowed */
    size_t n_paths;
    const struct dn_text_options *text; /**< borrowed: how files are stored */
    struct dn_stop *stop;               /**< borrowed; ends waits for bytes */
    struct dn_source_identity *opened;  /**< per file, borrowed: what it was when it was opened */
    void (*note)(void *ctx, const char *message);
    void *note_ctx;
    const struct dn_csv_dialect *dialect;
    bool
        row_ends_known; /**< which bytes end rows is settled before the first header is looked for */
    size_t block_bytes;
    size_t most_rows;       /**< of a block, blank lines and line ends in quotes counted; 0: any */
    size_t max_block_bytes; /**< a row longer than this is an error */
    bool max_row_given;     /**< and that is what somebody asked for, to the byte */
    uint32_t memory_share;  /**< the budget is one part in so many of --memory; 0: unknown */
    size_t file;            /**< index of the open file */
    struct dn_source *source;
    struct dn_buffer carry; /**< bytes read; those from carry_pos on are not yet handed out */
    size_t carry_pos;
    int64_t offset;     /**< byte offset in the file of the first byte not yet handed out */
    size_t room_behind; /**< bytes that are readable behind a block, besides its padding */
    bool always_count_lines;
    bool count_first; /**< the first block of every file knows its line in any case */
    bool count_lines; /**< the file cannot be read again: keep `line` behind the header, too */
    int64_t line;     /**< line of the first byte not yet handed out */
    bool after_cr;    /**< the byte before it is a '\r' that ended a line */
    bool source_at_end;
    bool first_of_file;
    struct dn_csv_tail tail; /**< between the source and the held bytes */
    uint8_t
        sep; /**< the byte that a first line "sep=;" names, which was dropped; 0: there is none */
    bool delimiter_given;    /**< whatever such a line says */
    int64_t skip_rows;       /**< lines in front of every file's header, */
    int64_t skip_behind;     /**< and behind it */
    bool skip_header;        /**< every later file starts with a header row equal to `header` */
    uint64_t n_above_header; /**< rows in front of it that are dropped */
    struct dn_span header;   /**< the header row's bytes without its row end, borrowed */
    const struct dn_span
        *headers;         /**< per file, borrowed, where files have different ones; or NULL */
    int64_t bytes_read;   /**< over all files, as they are stored */
    int64_t bytes_before; /**< those of the files in front of this one */
};

/** Is it another file than the one that settled the dialect? */
static inline bool dn_csv_feed_is_further(const struct dn_csv_feed *f)
{
    return f->row_ends_known || f->file > 0;
}

/** What is left out in front of a file's rows. */
static inline struct dn_csv_front dn_csv_feed_front(const struct dn_csv_feed *f)
{
    return (struct dn_csv_front){f->skip_rows, f->n_above_header + 1, f->skip_behind};
}
/** Open the first file, or the range's.  Later files are opened as they are reached. */
DN_NODISCARD enum dn_status dn_csv_feed_open(struct dn_csv_feed *f, struct dn_error *err);
/** Of a file that was just opened: refuse what cannot be read, drop its byte order mark and a line "sep=;". */
DN_NODISCARD enum dn_status dn_csv_feed_check_front(struct dn_csv_feed *f, struct dn_error *err);
/** The bytes read and not yet handed out; valid until the next call. */
static inline struct dn_span dn_csv_feed_held(const struct dn_csv_feed *f)
{
    return (struct dn_span){f->carry.data + f->carry_pos, f->carry.len - f->carry_pos};
}
/** Hold at least `wanted` bytes, or the rest of the file, for looking ahead. */
DN_NODISCARD enum dn_status dn_csv_feed_look(struct dn_csv_feed *f, size_t wanted,
                                             struct dn_error *err);
/** Drop the first n of the held bytes: the header, the byte order mark. */
void dn_csv_feed_drop(struct dn_csv_feed *f, size_t n);
/** Drop *n lines, whatever they hold; *n becomes how many the file lacks. */
DN_NODISCARD enum dn_status dn_csv_feed_drop_lines(struct dn_csv_feed *f, int64_t *n,
                                                   struct dn_error *err);
/** The next block; *out_end true (and no block) after the last one. */
DN_NODISCARD enum dn_status dn_csv_feed_next(struct dn_csv_feed *f, struct dn_csv_block *out,
                                             bool *out_end, struct dn_error *err);
/**
 * The next block, if its bytes are in memory already and the file goes on behind it, so that nobody waits for a disk.  False: nothing has happened,
 * and dn_csv_feed_next() knows why, if there is a reason.
 */
bool dn_csv_feed_next_cached(struct dn_csv_feed *f, struct dn_csv_block *out);
void dn_csv_feed_finish(struct dn_csv_feed *f);

/**
 * What to do about the row at `offset` of a file, which is longer than a row may be: in words that follow "; ".  A file that can be
 * read again is, to learn how long the row is.
 */
#define DN_CSV_ADVICE_SIZE 256
const char *dn_csv_long_row_advice(char out[DN_CSV_ADVICE_SIZE], const struct dn_csv_feed *f,
                                   size_t file, int64_t offset);

/**
 * Lines that end in text[0, len): by '\n', where '\r' ends rows by that too, and by "\r\n" once.
 * @param after_cr  in: the byte in front of the text is such a '\r'; out: the text's last byte is
 */
int64_t dn_csv_line_ends(const struct dn_csv_dialect *d, const uint8_t *text, size_t len,
                         bool *after_cr);

/**
 * Length of the blank line or the comment at the start of a text, with its row end; 0 if there is none, or if it is not all there.
 * @param at_end  the text is all there is: a last '\r' is a row end, too
 */
size_t dn_csv_blank_line(const struct dn_csv_dialect *d, const uint8_t *text, size_t len,
                         bool at_end);

/**
 * Find out whether a text begins with a row of the same names as a header, in quotes or not.
 * @param len  of that row, without its row end; 0: it has other names, or is not all there in DN_CSV_HEADER_ROOM bytes
 */
DN_NODISCARD enum dn_status dn_csv_match_header(const struct dn_csv_dialect *d,
                                                struct dn_span header, struct dn_span text,
                                                bool at_end, size_t *len, struct dn_error *err);
/** As long as the same names may be, with all quotes that they can have and the longest row end. */
#define DN_CSV_HEADER_ROOM(len) (4 * (len) + 8)

/** Length of the row end at text[0], or 0.  at_end: as above. */
size_t dn_csv_row_end_len(const struct dn_csv_dialect *d, const uint8_t *text, size_t len,
                          bool at_end);

/** Bytes of the first *n lines of a text, or of as many as are all there; *n becomes how many are missing. */
size_t dn_csv_lines_len(const struct dn_csv_dialect *d, const uint8_t *text, size_t len,
                        bool at_end, int64_t *n);

/**
 * Length of a first line "sep=;", with which spreadsheets name the delimiter,
 * with its row end; 0 if there is none.  At most DN_CSV_SEP_MOST bytes.
 */
#define DN_CSV_SEP_MOST 10
size_t dn_csv_sep_len(const uint8_t *text, size_t len, uint8_t *out_delimiter);

/** Length of the UTF-8 byte order mark at the start of a text: 3 or 0. */
size_t dn_csv_bom_len(const uint8_t *text, size_t len);

#endif
