/**
 * The word step and the two scan loops of the CSV structural kernels, written once and compiled into every tier.
 *
 * A tier file defines, all `static inline`, before including this header:
 *   struct csv_word csv_load(const uint8_t *word)
 *   struct csv_needle csv_splat(uint8_t byte)
 *   uint64_t csv_eq(const struct csv_word *w, struct csv_needle needle)    bit i: byte i of the word is the needle
 *   uint64_t csv_prefix_xor(uint64_t m)                                    bit i: parity of bits 0..i of m
 *   uint32_t *csv_flatten(uint32_t *out, size_t pos, uint64_t m)           append pos + i for every bit i of m
 *   size_t csv_count(uint64_t m)                                           number of bits set
 *   void csv_gather(struct csv_word *all, const struct csv_word *w)        all |= w, byte by byte
 *   bool csv_any_high(const struct csv_word *all)                          is a byte over 0x7f?
 *
 * One word is 64 bytes; bit i of a mask is byte i of the word.  Quotes are taken by parity: prefix-xor of the quote bits,
 * xor the state carried in, has a bit set from each opening quote up to the byte before its closing quote (the algorithm
 * of Langdale and Lemire, "Parsing Gigabytes of JSON per Second", arXiv:1902.08318, section 3.1.1).
 */
#ifndef DN_SIMD_CSV_WORDS_H
#define DN_SIMD_CSV_WORDS_H

#include "simd/tiers.h"

#define CSV_INLINE static inline __attribute__((always_inline))
#define CSV_UNLIKELY(x) __builtin_expect(!!(x), 0)

/** Loop invariants. */
struct csv_dialect {
    struct csv_needle delimiter;
    struct csv_needle quote;
    struct csv_needle lf;
    struct csv_needle cr;
    bool has_quote;
    bool cr_ends_row;
};

/** What one word contributes. */
struct csv_marks {
    uint64_t structural; /* delimiters and row ends outside quotes */
    uint64_t row_ends;   /* those of them that end a row */
    uint64_t doubled;    /* quotes right behind one that closed */
};

CSV_INLINE struct csv_dialect csv_dialect_of(const struct dn_csv_scan *scan, bool has_quote,
                                             bool cr_ends_row)
{
    struct csv_dialect d = {
        .delimiter = csv_splat(scan->delimiter),
        .quote = csv_splat(scan->quote),
        .lf = csv_splat('\n'),
        .cr = csv_splat('\r'),
        .has_quote = has_quote,
        .cr_ends_row = cr_ends_row,
    };
    return d;
}

/** The quotes of a word, masked to the valid bytes. */
CSV_INLINE uint64_t csv_quotes(const struct csv_word *w, const struct csv_dialect *d,
                               uint64_t valid)
{
    return d->has_quote ? csv_eq(w, d->quote) & valid : 0;
}

CSV_INLINE uint64_t csv_valid_mask(size_t n_bytes)
{
    return ~UINT64_C(0) >> (DN_CSV_WORD - n_bytes); /* 1 <= n_bytes <= 64 */
}

/**
 * Carriage returns that may follow a closing quote although they end no row: those before a line feed, and the last byte
 * of the input.  Looked at only when a word would be irregular without them.
 */
CSV_INLINE uint64_t csv_legal_cr(const struct csv_word *w, const struct csv_dialect *d,
                                 const uint8_t *word, size_t n_left)
{
    uint64_t before_lf = csv_eq(w, d->lf) >> 1;

    if (n_left > DN_CSV_WORD) {
        before_lf |= (uint64_t)(word[DN_CSV_WORD] == '\n') << (DN_CSV_WORD - 1);
    } else {
        before_lf |= UINT64_C(1) << (n_left - 1);
    }
    return csv_eq(w, d->cr) & before_lf;
}

/**
 * One word with quotes in it or before it.
 *
 * @param q       quote bits of the word, masked to the valid bytes
 * @param marks   in: delimiters and row ends by byte value alone; out: those outside quotes
 * @param n       valid bytes of the word, 1..64
 * @param n_left  bytes from the word's start to the end of the input, >= n
 * @return false if the word is irregular; `scan` is then untouched.
 */
CSV_INLINE bool csv_quoted_step(struct dn_csv_scan *scan, const struct csv_word *w,
                                const struct csv_dialect *d, const uint8_t *word, size_t n,
                                size_t n_left, uint64_t q, struct csv_marks *marks)
{
    uint64_t inside = csv_prefix_xor(q) ^ scan->inside;
    uint64_t closing = q & ~inside;
    uint64_t structural = marks->structural & ~inside;
    uint64_t after_close = ((closing << 1) | scan->after_close) & csv_valid_mask(n);
    uint64_t may_open = (structural << 1) | scan->field_start | after_close;
    uint64_t bad_open = q & inside & ~may_open;
    uint64_t bad_close = after_close & ~(q | structural);

    if (CSV_UNLIKELY((bad_open | bad_close) != 0)) {
        if (bad_open != 0 || (bad_close & ~csv_legal_cr(w, d, word, n_left)) != 0) {
            return false;
        }
    }
    marks->structural = structural;
    marks->row_ends &= ~inside;
    marks->doubled = q & after_close;
    scan->inside = (uint64_t)0 - (inside >> (DN_CSV_WORD - 1));
    scan->after_close = (closing >> (n - 1)) & 1;
    scan->field_start = (structural >> (n - 1)) & 1;
    return true;
}

CSV_INLINE struct csv_marks csv_marks_of(const struct csv_word *w, const struct csv_dialect *d,
                                         uint64_t valid)
{
    struct csv_marks marks;

    marks.row_ends = csv_eq(w, d->lf);
    if (d->cr_ends_row) {
        marks.row_ends |= csv_eq(w, d->cr);
    }
    marks.row_ends &= valid;
    marks.structural = marks.row_ends | (csv_eq(w, d->delimiter) & valid);
    marks.doubled = 0;
    return marks;
}

/** Note that the word has doubled quotes, which few have. */
CSV_INLINE void csv_note_doubled(const struct dn_csv_scan *scan, size_t pos)
{
    const size_t last = pos + DN_CSV_WORD - 1;

    if (scan->doubled != NULL) {
        scan->doubled[pos >> 9] |= (uint8_t)(1U << (pos >> 6 & 7));
        scan->doubled[last >> 9] |= (uint8_t)(1U << (last >> 6 & 7));
    }
}

/** The same without a branch, which where text has them now and then nobody could guess. */
CSV_INLINE void csv_mark_doubled(const struct dn_csv_scan *scan, size_t pos, bool doubled)
{
    const size_t last = pos + DN_CSV_WORD - 1;

    scan->doubled[pos >> 9] |= (uint8_t)((unsigned)doubled << (pos >> 6 & 7));
    scan->doubled[last >> 9] |= (uint8_t)((unsigned)doubled << (last >> 6 & 7));
}

/**
 * As csv_quoted_step() for any word.  `n`, the valid bytes of the word, is a parameter of its own so that it is a constant,
 * and the masking folds away, in the loops over whole words.
 */
CSV_INLINE bool csv_step(struct dn_csv_scan *scan, const struct csv_dialect *d, const uint8_t *word,
                         size_t n, size_t n_left, struct csv_word *all, struct csv_marks *marks)
{
    uint64_t valid = csv_valid_mask(n);
    struct csv_word w = csv_load(word);
    csv_gather(all, &w);
    uint64_t q = csv_quotes(&w, d, valid);

    *marks = csv_marks_of(&w, d, valid);
    if ((q | scan->inside | scan->after_close) == 0) {
        scan->field_start = (marks->structural >> (n - 1)) & 1;
        return true;
    }
    return csv_quoted_step(scan, &w, d, word, n, n_left, q, marks);
}

#define CSV_FEW 4

/** As csv_flatten(), of a mask that has more than a few bits rarely enough for a branch on it. */
CSV_INLINE uint32_t *csv_flatten_few(uint32_t *out, size_t pos, uint64_t m)
{
    const size_t n = csv_count(m);
    uint64_t left = m;

    if (CSV_UNLIKELY(n > CSV_FEW)) {
        return csv_flatten(out, pos, m);
    }
    for (size_t i = 0; i < CSV_FEW; i++) {
        const uint64_t last = UINT64_C(1) << (DN_CSV_WORD - 1); /* where none is left, scratch */
        out[i] = (uint32_t)(pos + (size_t)__builtin_ctzll(left | last));
        left &= left - 1;
    }
    return out + n;
}

static const uint8_t k_zeros[DN_CSV_WORD];

/* How many bytes ahead text is asked for: the second-level cache holds it at best. */
#define CSV_AHEAD 512
/* Bytes whose marks are counted to learn what the next so many are like. */
#define CSV_STRETCH ((size_t)4096)

/** What is to be known of a stretch when its loop is compiled: what it does not have costs nothing. */
struct csv_kind {
    bool has_quote;
    bool cr_ends_row;
    bool
        sparse; /* many words have no marks: those are passed over, by a branch that would cost more where few have none */
};

/**
 * The words of buf[pos, stop), as csv_index_words(), of which `stop` is a whole number of words behind `pos`, or `len`.
 * @return the end of what was appended
 */
CSV_INLINE uint32_t *csv_index_stretch(struct csv_kind kind, const uint8_t *buf, size_t *pos,
                                       size_t stop, size_t len, struct dn_csv_scan *scan,
                                       uint32_t *end, size_t *n_row_ends)
{
    const struct csv_dialect d = csv_dialect_of(scan, kind.has_quote, kind.cr_ends_row);
    struct dn_csv_scan s =
        *scan; /* a copy the compiler can keep in registers across the stores to `end` */
    struct csv_word all = csv_load(k_zeros);
    size_t row_ends = 0;
    size_t at = *pos;
    struct csv_marks marks;
    bool regular = true;

    for (; stop - at >= DN_CSV_WORD; at += DN_CSV_WORD) {
        __builtin_prefetch(buf + at + CSV_AHEAD);
        if (kind.sparse && kind.has_quote && s.inside != 0) {
            const struct csv_word w = csv_load(buf + at);
            if (csv_quotes(&w, &d, ~UINT64_C(0)) == 0) { /* text between quotes from end to end */
                csv_gather(&all, &w);
                s.field_start = 0;
                continue;
            }
        }
        regular = csv_step(&s, &d, buf + at, DN_CSV_WORD, len - at, &all, &marks);
        if (CSV_UNLIKELY(!regular)) {
            break;
        }
        if (kind.sparse && kind.has_quote && s.doubled != NULL) {
            csv_mark_doubled(&s, at, marks.doubled != 0);
        } else if (CSV_UNLIKELY(marks.doubled != 0)) {
            csv_note_doubled(&s, at);
        }
        if (kind.sparse && !kind.has_quote && marks.structural == 0) {
            continue;
        }
        end = kind.sparse ? csv_flatten_few(end, at, marks.structural)
                          : csv_flatten(end, at, marks.structural);
        row_ends += csv_count(marks.row_ends);
    }
    if (regular && at < stop && csv_step(&s, &d, buf + at, stop - at, len - at, &all, &marks)) {
        if (marks.doubled != 0) {
            csv_note_doubled(&s, at);
        }
        end = csv_flatten(end, at, marks.structural);
        row_ends += csv_count(marks.row_ends);
        at = stop;
    }
    s.not_ascii |= csv_any_high(&all);
    *scan = s;
    *n_row_ends += row_ends;
    *pos = at;
    return end;
}

/** The body of csv_index_<tier>. */
CSV_INLINE size_t csv_index_words(const uint8_t *buf, size_t pos, size_t len,
                                  struct dn_csv_scan *scan, uint32_t *out, size_t *n_out,
                                  size_t *n_row_ends)
{
#define STRETCH(...)                                                                               \
    csv_index_stretch((struct csv_kind){__VA_ARGS__}, buf, &pos, stop, len, scan, begin, n_row_ends)
    uint32_t *end = out + *n_out;
    size_t stop = pos;
    bool sparse = false;

    while (pos == stop && pos < len) {
        uint32_t *begin = end;
        stop = len - pos > CSV_STRETCH ? pos + CSV_STRETCH : len;
        end = scan->cr_ends_row ? STRETCH(scan->has_quote, true, sparse)
              : scan->has_quote
                  ? (sparse ? STRETCH(true, false, true) : STRETCH(true, false, false))
                  : STRETCH(false, false, sparse);
        sparse = (size_t)(end - begin) < 2 * CSV_STRETCH / DN_CSV_WORD;
    }
#undef STRETCH
    *n_out = (size_t)(end - out);
    return pos;
}

/** field_start at `pos` > 0 when the byte before has been scanned: nothing older matters. */
CSV_INLINE uint64_t csv_field_starts_at(const struct dn_csv_scan *scan, const uint8_t *buf,
                                        size_t pos)
{
    uint8_t before = buf[pos - 1];

    return !scan->inside &&
           (before == scan->delimiter || before == '\n' || (before == '\r' && scan->cr_ends_row));
}

/** The body of csv_sweep_<tier>: only words with quotes in or right before them need more than the quote bits. */
CSV_INLINE size_t csv_sweep_words(const uint8_t *buf, size_t pos, size_t len,
                                  struct dn_csv_scan *scan)
{
    const struct csv_dialect d = csv_dialect_of(scan, scan->has_quote, scan->cr_ends_row);
    struct dn_csv_scan s = *scan;
    const size_t start = pos;
    struct csv_marks marks;
    bool regular = true;

    while (len - pos >= DN_CSV_WORD) {
        struct csv_word w = csv_load(buf + pos);
        uint64_t q = csv_quotes(&w, &d, ~UINT64_C(0));

        if ((q | s.after_close) != 0) {
            if (pos != start) { /* quote-free words did not keep it up */
                s.field_start = csv_field_starts_at(&s, buf, pos);
            }
            marks = csv_marks_of(&w, &d, ~UINT64_C(0));
            regular = csv_quoted_step(&s, &w, &d, buf + pos, DN_CSV_WORD, len - pos, q, &marks);
            if (CSV_UNLIKELY(!regular)) {
                break;
            }
        }
        pos += DN_CSV_WORD;
    }
    if (pos != start) {
        s.field_start = csv_field_starts_at(&s, buf, pos);
    }
    struct csv_word all = csv_load(k_zeros);
    if (regular && pos < len && csv_step(&s, &d, buf + pos, len - pos, len - pos, &all, &marks)) {
        pos = len;
    }
    *scan = s;
    return pos;
}

#endif
