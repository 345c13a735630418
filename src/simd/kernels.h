/**
 * The SIMD kernels: one table of function pointers, filled scalar first and overwritten tier by tier.
 *
 * The scalar table is complete and defines what is right; every other tier gives the same bytes for the same input.
 * Kernels are pure: no allocation, no errno, lengths instead of terminators.  "padded" means that 64 bytes past the given
 * end are readable (their content does not matter).
 *
 * Threads: tables are immutable; every kernel may run on any thread.  Resolve the table once and keep the pointer.
 */
#ifndef DN_SIMD_KERNELS_H
#define DN_SIMD_KERNELS_H

#include "base/cpu.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Where a structural scan of CSV stands between two 64-byte words.  The three flags describe the byte just before the next
 * position: they are exactly the states of the scalar automaton (csv/automaton.h) that can be met there.
 */
struct dn_csv_scan {
    uint64_t inside; /**< all ones inside quotes, else 0 */
    uint64_t
        after_close; /**< 1: the byte before closed a quoted field (or opened an escaped quote) */
    uint64_t field_start; /**< 1: an opening quote is legal at the next position */
    uint64_t
        not_ascii; /**< csv_index alone: set to 1 once a byte over 0x7f was met; one behind the end may count */
    uint8_t *doubled; /**< csv_index alone: see there; or NULL */
    uint8_t delimiter;
    uint8_t quote;    /**< meaningless if !has_quote */
    bool has_quote;   /**< false: the quote byte has no meaning in this dialect */
    bool cr_ends_row; /**< true: a carriage return outside quotes ends a row, as a line feed does */
};

/**
 * Texts of one column, each cut down to its last 8, 16 or 24 bytes.  Words hold their first byte least significant; bytes of other
 * cells before a shorter text do not matter.
 */
#define DN_CELLS 64
struct dn_cells {
    unsigned n_words;         /**< that are set; with 1, texts of more than 8 bytes are not taken */
    uint64_t tail[DN_CELLS];  /**< the last 8 bytes */
    uint64_t head[DN_CELLS];  /**< the 8 bytes before those */
    uint64_t front[DN_CELLS]; /**< the 8 bytes before those */
    uint64_t len[DN_CELLS];   /**< of the whole text, in bytes */
};

struct dn_kernels {
    enum dn_cpu_tier tier;

    /**
     * Structural index.  Append to `out` the position of every delimiter and every row end outside quotes in
     * [pos, len), in order, in words of 64 bytes counted from `pos`; add the number of row ends to *n_row_ends.
     *
     * Row end: '\n' (and '\r' if cr_ends_row).  Quotes are taken by parity, which is right only while they are regular:
     * an opening quote has field_start before it (start of row, delimiter, row end) or closes-then-reopens ("" inside
     * quotes), and a closing quote is followed by a delimiter, '\n', "\r\n" ('\r' alone if cr_ends_row), another quote, or
     * the end `len`.  At the first word that is not regular the scan stops before that word.
     *
     * A lone '\r' between a closing quote and `len` counts as regular: its '\n' may be the next byte of the file.
     *
     * @param buf    padded; positions are relative to it and fit in 32 bits
     * scan->doubled is a bitmap, bit i of byte n for buf[64 * (8 * n + i)] and the 63 bytes behind.  Bits are set, and none cleared, for
     * both ends of every word with a quote right behind one that seemed to close a field: a quoted field whose bits are all 0 has no quotes
     * but the two around it.
     *
     * @param scan   in and out; delimiter, quote, '\n' and '\r' are four different bytes
     * @param out    entries are appended at out[*n_out]; from there, room for (len - pos) + 64 entries (all 64 may be
     *               written past the last valid one)
     * @param n_out, n_row_ends  added to, not set
     * @return `len` when done, else the position of the first irregular word; *scan describes the returned position.
     */
    size_t (*csv_index)(const uint8_t *buf, size_t pos, size_t len, struct dn_csv_scan *scan,
                        uint32_t *out, size_t *n_out, size_t *n_row_ends);

    /** As csv_index without the output: only the state moves.  Words without quotes cost one comparison. */
    size_t (*csv_sweep)(const uint8_t *buf, size_t pos, size_t len, struct dn_csv_scan *scan);

    /**
     * The text of a quoted field: what stands behind its first byte, which is the quote, with one quote for every two, up to the
     * closing one; what follows that one is text as it is.
     *
     * @param field  padded
     * @param out    room for len + 32 bytes; apart from the field
     * @return bytes of the text
     */
    size_t (*csv_unquote)(const uint8_t *field, size_t len, uint8_t quote, uint8_t *out);

    /**
     * Values of the first n <= DN_CELLS cells, as text/parse.h reads them, where they are written the usual way:
     *   int64    -?(0|[1-9][0-9]*), at most 16 bytes
     *   float64  -?(0|[1-9][0-9]*)(\.[0-9]+)?, at most 16 bytes with a point and 15 without; correctly rounded, for at most
     *            15 digits over a power of ten up to 10^14 are one division of exact operands (Clinger 1990)
     *   date32   YYYY-MM-DD, years 0001..9999, proleptic Gregorian; days since 1970-01-01; n_words is 2 at least
     *   timestamp  that and HH:MM:SS behind a blank or a T, hours 00..23; microseconds since 1970-01-01; n_words is 3
     * Returns a bit for every cell that is; the others are for the caller, also the empty and the wrong ones.
     *
     * @param out  room for n values rounded up to a multiple of 8; without meaning where the bit is not set
     */
    uint64_t (*cells_int64)(const struct dn_cells *cells, size_t n, int64_t *out);
    uint64_t (*cells_float64)(const struct dn_cells *cells, size_t n, double *out);
    uint64_t (*cells_date32)(const struct dn_cells *cells, size_t n, int32_t *out);
    uint64_t (*cells_timestamp)(const struct dn_cells *cells, size_t n, int64_t *out);

    /**
     * Behind a value of JSON text, outside strings and with no bracket open: the first closing bracket at or behind `from` that
     * closes all that was opened since `p`, or the first one that closes what was open before; or the first NUL.  *closes tells
     * which: 0, -1, or 1 for the NUL.  Exact for well-formed text; of other text the answer has no meaning but that no byte
     * behind a NUL counts.
     * Reads whole aligned words of 64 bytes up to that byte, and so no page that it is not in.
     */
    const uint8_t *(*json_cut)(const uint8_t *p, const uint8_t *from, int *closes);
    /**
     * Length of the longest prefix of plain bytes, which stand for themselves in a JSON string: ASCII but control characters,
     * quote and backslash.  buf[len] and 63 more bytes are readable.
     */
    size_t (*json_plain_prefix)(const uint8_t *buf, size_t len);

    /** Length of the longest prefix that is valid UTF-8 (RFC 3629: no surrogates, no overlong forms); `len` if all is. */
    size_t (*utf8_valid_prefix)(const uint8_t *buf, size_t len);

    /**
     * Copy a text up to the first byte that stands escaped in a JSON string: one below 0x20, '"' or '\\'.  Returns how many bytes are in
     * front of it; `len` if there is none.
     *
     * @param out   room for 64 bytes more than `len`, all of which may be written; does not overlap the text
     * @param text  padded
     */
    size_t (*json_plain_copy)(uint8_t *out, const uint8_t *text, size_t len);

    /**
     * Parquet bit packing, least significant bit first (Encodings.md, RLE/bit-packed hybrid): pack n values of
     * `bit_width` (0..32) bits; n is a multiple of 8; values are already below 2^bit_width.
     * Writes exactly n / 8 * bit_width bytes, and may write up to 64 bytes more as scratch.
     */
    void (*bit_pack32)(const uint32_t *values, size_t n, unsigned bit_width, uint8_t *out);
    /** The way back: reads exactly n / 8 * bit_width bytes, writes exactly n values. */
    void (*bit_unpack32)(const uint8_t *in, size_t n, unsigned bit_width, uint32_t *out);

    /** Minimum and maximum of n >= 1 values. */
    void (*min_max_i64)(const int64_t *values, size_t n, int64_t *min, int64_t *max);
    void (*min_max_i32)(const int32_t *values, size_t n, int32_t *min, int32_t *max);

    /** Number of leading values equal to values[0]; n >= 1.  For run detection. */
    size_t (*run_length_u32)(const uint32_t *values, size_t n);
};

/** The table of one tier; a tier the CPU lacks must not be asked for.  Never NULL. */
const struct dn_kernels *dn_kernels_for(enum dn_cpu_tier tier);
/** The table of dn_cpu_selected(). */
const struct dn_kernels *dn_kernels_selected(void);

#endif
