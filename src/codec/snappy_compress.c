/**
 * Greedy matching through one table of hashes, in one pass, and a faster way for numbers of eight bytes.  The table holds positions modulo 64 KiB: what a slot says is always
 * a place within the last 64 KiB of the input, right or wrong, so the window slides over the whole input without being cleared.
 */
#include "codec/snappy.h"

#include <string.h>

#define TAG_LITERAL 0u
#define TAG_COPY_1 1u
#define TAG_COPY_2 2u

/* A search never starts in the last bytes: eight can always be read where it looks, sixteen where it copies. */
#define MARGIN ((size_t)16)
/* Steps grow by a thirty-second of what was passed over without a match, up to a limit: what compresses may begin again. */
#define SKIP_START ((size_t)32)
#define SKIP_BITS 5
#define LARGEST_STEP ((size_t)256)
/* Below this distance a short copy takes two bytes. */
#define NEAR ((size_t)2048)

struct search {
    uint16_t *seen;
    uint32_t shift; /* a hash has 32 - shift bits */
    const uint8_t *start;
    const uint8_t *limit; /* no search starts past it */
    const uint8_t *end;
};

static inline uint32_t load32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}

static inline uint64_t load64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}

size_t dn_snappy_bound(size_t in_len)
{
    /*
     * A literal of up to 256 bytes takes two more than it holds at most, and the copy that follows it gives them back; longer
     * ones take up to five more.  The rest is for the length and for stores of 16 bytes.
     */
    return 32 + in_len + in_len / 6;
}

/* ---- elements ---------------------------------------------------------------------------------------------------- */

static uint8_t *put_varint(uint8_t *out, size_t value)
{
    while (value >= 0x80) {
        *out++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *out++ = (uint8_t)value;
    return out;
}

static uint8_t *put_long_literal(uint8_t *out, const uint8_t *from, size_t len)
{
    size_t last = len - 1;

    if (last < 60) {
        *out++ = (uint8_t)(TAG_LITERAL | last << 2);
    } else {
        uint32_t n_bytes = last < (1u << 8) ? 1 : last < (1u << 16) ? 2 : last < (1u << 24) ? 3 : 4;
        *out++ = (uint8_t)(TAG_LITERAL | (59 + n_bytes) << 2);
        for (uint32_t i = 0; i < n_bytes; i++) {
            *out++ = (uint8_t)(last >> 8 * i);
        }
    }
    memcpy(out, from, len);
    return out + len;
}

/* Before a match: 16 bytes can be read at `from` and written at `out`, whatever the length. */
static inline uint8_t *put_literal(uint8_t *out, const uint8_t *from, size_t len)
{
    if (__builtin_expect(len > 16, 0)) {
        return put_long_literal(out, from, len);
    }
    *out = (uint8_t)(TAG_LITERAL | (len - 1) << 2);
    memcpy(out + 1, from, 16);
    return out + 1 + len;
}

/* Up to 64 bytes from up to 64 KiB back. */
static inline uint8_t *put_copy_2(uint8_t *out, size_t distance, size_t len)
{
    uint32_t element = TAG_COPY_2 | (uint32_t)(len - 1) << 2 | (uint32_t)distance << 8;

    memcpy(out, &element, sizeof(element));
    return out + 3;
}

/* Four to eleven bytes: without a branch, lengths and distances are too mixed to be foreseen. */
static inline uint8_t *put_short_copy(uint8_t *out, size_t distance, size_t len)
{
    uint32_t far = (uint32_t)(distance + (65536 - NEAR)) >> 16; /* 1, or 0 */
    uint32_t far_tag = TAG_COPY_2 | (uint32_t)(len - 1) << 2 | (uint32_t)distance << 8;
    uint32_t near_tag = TAG_COPY_1 | (uint32_t)(len - 4) << 2 | (uint32_t)(distance >> 8) << 5 |
                        (uint32_t)(distance & 0xFF) << 8;
    uint32_t element = near_tag ^ ((near_tag ^ far_tag) & (0 - far));

    memcpy(out, &element, sizeof(element));
    return out + 2 + far;
}

static uint8_t *put_long_copy(uint8_t *out, size_t distance, size_t len)
{
    while (len >= 68) {
        out = put_copy_2(out, distance, 64);
        len -= 64;
    }
    if (len > 64) { /* leave four, the least that a short copy takes */
        out = put_copy_2(out, distance, 60);
        len -= 60;
    }
    return len < 12 ? put_short_copy(out, distance, len) : put_copy_2(out, distance, len);
}

/* ---- matching ---------------------------------------------------------------------------------------------------- */

static inline uint16_t *slot_of(const struct search *s, uint32_t bytes)
{
    return &s->seen[bytes * 0x9E3779B1u >> s->shift];
}

/* How far back the slot's place lies, 0..65535; the slot now names `at`.  0 is none: the place itself, or 64 KiB before. */
static inline size_t exchange(const struct search *s, uint16_t *slot, const uint8_t *at)
{
    uint16_t position = (uint16_t)(at - s->start);
    size_t distance = (uint16_t)(position - *slot);

    *slot = position;
    return distance;
}

static inline bool matches(const uint8_t *at, uint32_t bytes, size_t distance)
{
    return load32(at - distance) == bytes && distance != 0;
}

/* Four bytes from far away take three, and one more for the literal that they end: no gain, and much time where all is noise. */
static inline bool pays(const uint8_t *at, size_t distance)
{
    return distance < NEAR || at[4] == *(at + 4 - distance);
}

/* The next place with a match that pays, its distance in *out; NULL: none before the limit. */
static inline const uint8_t *find(const struct search *s, const uint8_t *at, size_t *out)
{
    size_t skip = SKIP_START;

    while (at <= s->limit) {
        uint32_t bytes = load32(at);
        size_t distance = exchange(s, slot_of(s, bytes), at);
        if (matches(at, bytes, distance) && pays(at, distance)) {
            *out = distance;
            return at;
        }
        size_t step = skip >> SKIP_BITS;
        at += step;
        skip += step < LARGEST_STEP ? step : 0;
    }
    return NULL;
}

/* How many bytes from `at` on equal those `distance` before. */
static size_t match_length(const uint8_t *at, size_t distance, const uint8_t *end)
{
    const uint8_t *p = at;

    while (p + 8 <= end) {
        uint64_t differ = load64(p) ^ load64(p - distance);
        if (differ != 0) {
            return (size_t)(p - at) + (size_t)__builtin_ctzll(differ) / 8;
        }
        p += 8;
    }
    while (p < end && *p == *(p - distance)) {
        p++;
    }
    return (size_t)(p - at);
}

/*
 * One match of at least four bytes; returns the place after it, the four bytes there in *next.  Where matches follow each other
 * everything waits for these bytes, so they come from what has been loaded already, not from the place once it is known.
 */
static inline const uint8_t *take_match(const struct search *s, const uint8_t *at, size_t distance,
                                        uint8_t **out, uint32_t *next)
{
    uint64_t low = load64(at + 4);
    uint64_t high = load64(at + 8);
    uint64_t differ = low ^ load64(at + 4 - distance);

    if (differ != 0) {
        uint32_t bit = (uint32_t)__builtin_ctzll(differ) & 56;
        *next = (uint32_t)(bit < 32 ? low >> bit : high >> (bit - 32));
        *out = put_short_copy(*out, distance, 4 + bit / 8);
        return at + 4 + bit / 8;
    }
    size_t len = 12 + match_length(at + 12, distance, s->end);
    *out = put_long_copy(*out, distance, len);
    *next = at + len <= s->limit ? load32(at + len) : 0;
    return at + len;
}

/* Everything from `at` up to the limit; the bytes from *anchor on are still to be written. */
static uint8_t *put_matches(const struct search *s, const uint8_t *at, const uint8_t **anchor,
                            uint8_t *out)
{
    size_t distance = 0;

    while ((at = find(s, at, &distance)) != NULL) {
        uint32_t bytes = 0;
        out = put_literal(out, *anchor, (size_t)(at - *anchor));
        do {
            at = take_match(s, at, distance, &out, &bytes);
            *anchor = at;
            if (at > s->limit) {
                return out;
            }
            (void)exchange(s, slot_of(s, load32(at - 1)), at - 1);
            distance = exchange(s, slot_of(s, bytes), at);
        } while (matches(at, bytes, distance));
        at++;
    }
    return out;
}

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

/*
 * Integers and doubles that have their high or low bytes in common become a literal and a copy each, where the copies end behind the same
 * one of eight bytes: a record.  If it is known which, records need not wait for each other as matches do, which takes half the time.
 */
#define RECORD ((size_t)8)
#define TRIED ((size_t)8192)     /* bytes that tell whether it is so ... */
#define RECORDS_FROM (4 * TRIED) /* ... of so many at least */
#define BATCH ((size_t)1024)     /* records, of which an eighth at most may be otherwise */

struct shape {
    size_t phase;     /* of eight bytes, where records begin */
    size_t n_literal; /* or one more: with which they begin */
};

/* The most frequent of n counts. */
static size_t most_of(const size_t *counts, size_t n)
{
    size_t most = 0;

    for (size_t i = 1; i < n; i++) {
        most = counts[i] > counts[most] ? i : most;
    }
    return most;
}

/* The shape of nearly all records among the elements [out, end), which begin with the input; false: they have none. */
static bool find_shape(const uint8_t *out, const uint8_t *end, struct shape *shape)
{
    size_t n_ending[RECORD] = {0};
    size_t n_behind[RECORD + 1] = {0}; /* copies behind so many literal bytes */
    size_t at = 0;
    size_t n_copies = 0;
    size_t n_literal = 0;

    while (out < end) {
        const size_t upper = *out >> 2;
        if ((*out & 3) == TAG_LITERAL) {
            const size_t n_bytes = upper < 60 ? 0 : upper - 59;
            size_t last = n_bytes == 0 ? upper : 0;
            for (size_t i = 0; i < n_bytes; i++) {
                last |= (size_t)out[1 + i] << 8 * i;
            }
            n_literal = last + 1;
            at += n_literal;
            out += 1 + n_bytes + n_literal;
        } else {
            const bool near = (*out & 3) == TAG_COPY_1;
            at += near ? 4 + (upper & 7) : upper + 1;
            out += near ? 2 : 3;
            n_ending[at % RECORD]++;
            n_behind[n_literal < RECORD ? n_literal : RECORD]++;
            n_copies++;
            n_literal = 0;
        }
    }
    const size_t n_pairs[] = {n_behind[1] + n_behind[2], n_behind[2] + n_behind[3],
                              n_behind[3] + n_behind[4]};
    const size_t pair = most_of(n_pairs, sizeof(n_pairs) / sizeof(n_pairs[0]));
    shape->phase = most_of(n_ending, RECORD);
    shape->n_literal = pair + 1;
    return at >= TRIED / 2 && n_ending[shape->phase] * 4 >= n_copies * 3 &&
           n_pairs[pair] * 4 >= n_copies * 3 && n_copies >= at / RECORD / 8 * 7 &&
           n_copies <= at / RECORD / 8 * 9;
}

/* 1 if it is not 0: without a comparison, of which compilers make a branch. */
static inline uint64_t is_not_0(uint64_t v)
{
    return (v | (0 - v)) >> 63;
}

static inline uint16_t *slot_of_rest(uint16_t *seen, uint64_t rest)
{
    return &seen[rest * UINT64_C(0x9E3779B185EBCA87) >> (64 - (DN_SNAPPY_BITS - 1))];
}

/*
 * BATCH records from `at`, each n_literal bytes and the rest of eight, or one byte more and the rest.  Returns how many have no such rest
 * behind them, or are there as a whole, so that others find more.
 */
static inline __attribute__((always_inline)) size_t
put_batch(const struct search *s, const uint8_t *at, size_t n_literal, uint8_t **next)
{
    const size_t shift = 8 * n_literal;
    uint8_t *out = *next;
    size_t n_other = 0;

    for (size_t i = 0; i < BATCH; i++, at += RECORD) {
        const uint64_t v = load64(at);
        const size_t long_way = exchange(s, slot_of_rest(s->seen, v >> shift), at);
        const size_t short_way = exchange(
            s, slot_of_rest(s->seen + ((size_t)1 << (DN_SNAPPY_BITS - 1)), v >> (shift + 8)), at);
        const uint64_t long_differs = load64(at - long_way) ^ v;
        const uint64_t short_differs = load64(at - short_way) ^ v;
        const uint64_t no_long = is_not_0(long_differs >> shift | (long_way == 0));
        const uint64_t no_short = is_not_0(short_differs >> (shift + 8) | (short_way == 0));
        n_other += (no_long & no_short) | (uint64_t)(long_differs == 0);
        if (__builtin_expect((no_long & no_short) != 0, 0)) {
            out = put_literal(out, at, RECORD);
            continue;
        }
        const size_t n = n_literal + no_long;
        const size_t distance = long_way ^ ((long_way ^ short_way) & (0 - no_long));
        *out = (uint8_t)(TAG_LITERAL | (n - 1) << 2);
        memcpy(out + 1, &v, sizeof(v));
        out = put_short_copy(out + 1 + n, distance, RECORD - n);
    }
    *next = out;
    return n_other;
}

/* As many batches as there are and have the shape; *anchor is where records begin. */
static uint8_t *put_records(const struct search *s, const struct shape *shape,
                            const uint8_t **anchor, uint8_t *out)
{
    size_t n_other = 0;

    while ((size_t)(s->end - *anchor) > BATCH * RECORD + MARGIN && n_other <= BATCH / 8) {
        n_other = shape->n_literal == 1   ? put_batch(s, *anchor, 1, &out)
                  : shape->n_literal == 2 ? put_batch(s, *anchor, 2, &out)
                                          : put_batch(s, *anchor, 3, &out);
        *anchor += BATCH * RECORD;
    }
    return out;
}

/* Everything up to the limit of an input that is long: its beginning as always, and what follows by what that turned out to be. */
static uint8_t *put_long(struct search *s, const uint8_t **anchor, uint8_t *out)
{
    const uint8_t *limit = s->limit;
    const uint8_t *first = out;
    const uint8_t *at = s->start + TRIED;
    struct shape shape;

    s->limit = at;
    out = put_matches(s, s->start + 1, anchor, out);
    s->limit = limit;
    at = *anchor > at ? *anchor : at + 1; /* no slot names a place from there on */
    if (find_shape(first, out, &shape)) {
        at += (shape.phase - (size_t)(at - s->start)) % RECORD;
        if (at > *anchor) {
            out = put_long_literal(out, *anchor, (size_t)(at - *anchor));
            *anchor = at;
        }
        out = put_records(s, &shape, anchor, out);
        at = *anchor;
    }
    return put_matches(s, at + 1, anchor, out);
}

/* The table's size follows the input's: clearing it is not to cost more than the search. */
static struct search start_search(struct dn_snappy_table *table, struct dn_span in)
{
    uint32_t bits = 8;

    while (bits < DN_SNAPPY_BITS && (size_t)1 << bits < in.len) {
        bits++;
    }
    memset(table->seen, 0, sizeof(table->seen[0]) << bits);
    return (struct search){table->seen, 32 - bits, in.data, in.data + in.len - MARGIN,
                           in.data + in.len};
}

size_t dn_snappy_compress(struct dn_snappy_table *table, struct dn_span in, uint8_t *out)
{
    const uint8_t *anchor = in.data;
    const uint8_t *end = in.data + in.len;
    uint8_t *next = put_varint(out, in.len);

    if (in.len > MARGIN) {
        struct search s = start_search(table, in);
        next = in.len < RECORDS_FROM ? put_matches(&s, s.start + 1, &anchor, next)
                                     : put_long(&s, &anchor, next);
    }
    if (anchor < end) {
        next = put_long_literal(next, anchor, (size_t)(end - anchor));
    }
    return (size_t)(next - out);
}
