/** Snappy elements back to bytes.  Every length and distance is checked against what is left before it is used. */
#include "codec/snappy.h"

#include <string.h>

/* What a fast step reads of the input at most, and what it may write, with room to spare. */
#define FAST_IN ((size_t)72)
#define FAST_OUT ((size_t)80)

struct copy {
    size_t len;
    size_t distance;
    size_t used; /* bytes of the element after the tag */
};

/* `n` little-endian bytes, at most four. */
static inline size_t load_number(const uint8_t *p, size_t n)
{
    size_t value = 0;

    for (size_t i = 0; i < n; i++) {
        value |= (size_t)p[i] << 8 * i;
    }
    return value;
}

/* The length that the stream states, in *out; returns the bytes it takes, 0 if there is none. */
static size_t read_stated(struct dn_span in, size_t *out)
{
    uint64_t value = 0;

    for (size_t i = 0; i < in.len && i < 5; i++) {
        value |= (uint64_t)(in.data[i] & 0x7F) << 7 * i;
        if (in.data[i] < 0x80) {
            *out = (size_t)value;
            return value <= UINT32_MAX ? i + 1 : 0;
        }
    }
    return 0;
}

/* Exactly `len` bytes; the two places may overlap. */
static void copy_back(uint8_t *to, size_t distance, size_t len)
{
    const uint8_t *from = to - distance;

    if (distance >= len) {
        memcpy(to, from, len);
    } else if (distance == 1) {
        memset(to, *from, len);
    } else {
        for (size_t i = 0; i < len; i++) {
            to[i] = from[i];
        }
    }
}

/* The copy with tag `tag`; four bytes can be read at `p`, after the tag. */
static inline struct copy read_copy(uint32_t tag, const uint8_t *p)
{
    uint32_t distance = 0;

    memcpy(&distance, p, sizeof(distance));
    switch (tag & 3) {
    case 1:
        return (struct copy){4 + (tag >> 2 & 7), (tag >> 5) << 8 | (distance & 0xFF), 1};
    case 2:
        return (struct copy){1 + (tag >> 2), distance & 0xFFFF, 2};
    default:
        return (struct copy){1 + (tag >> 2), distance, 4};
    }
}

struct stream {
    const uint8_t *in;
    const uint8_t *in_end;
    uint8_t *start;
    uint8_t *out;
    uint8_t *out_end;
};

/* A distance of 0 or from before the first byte. */
static inline bool leads_out(const uint8_t *start, const uint8_t *out, size_t distance)
{
    return distance - 1 >= (size_t)(out - start);
}

/* By its tag, the length of a copy and bits 8 to 10 of its distance. */
#define COPY(t)                                                                                    \
    ((t & 3) == 0 ? 0 : (t & 3) == 1 ? (4 + (t >> 2 & 7)) | (t >> 5) << 8 : 1 + (t >> 2))
#define COPIES_4(t) COPY((t)), COPY((t + 1)), COPY((t + 2)), COPY((t + 3))
#define COPIES_16(t) COPIES_4(t), COPIES_4(t + 4), COPIES_4(t + 8), COPIES_4(t + 12)
#define COPIES_64(t) COPIES_16(t), COPIES_16(t + 16), COPIES_16(t + 32), COPIES_16(t + 48)
static const uint16_t copies[256] = {COPIES_64(0), COPIES_64(64), COPIES_64(128), COPIES_64(192)};

/* Which of the four bytes after a tag belong to it, by its kind, and how many they are, four bits each. */
static const uint32_t after_masks[4] = {0, 0xFF, 0xFFFF, UINT32_MAX};
#define AFTER_LENGTHS 0x4210U

/* Blocks of 16 to hold `len` bytes, at most 64; nearly always one is enough. */
static inline void move_blocks(uint8_t *to, const uint8_t *from, size_t len)
{
    memcpy(to, from, 16);
    if (len > 16) {
        memcpy(to + 16, from + 16, 16);
        memcpy(to + 32, from + 32, 16);
        memcpy(to + 48, from + 48, 16);
    }
}

/* A copy of up to 64 bytes that overlaps what it writes: its bytes over and over.  Writes up to 7 bytes more. */
static inline void repeat_back(uint8_t *to, size_t distance, size_t len)
{
    uint64_t word = 0;

    memcpy(&word, to - distance, sizeof(word));
    if (distance >= sizeof(word)) {
        for (size_t done = 0; done < len; done += sizeof(word)) {
            memcpy(to + done, to + done - distance, sizeof(word));
        }
        return;
    }
    word &= (UINT64_C(1) << 8 * distance) - 1;
    for (size_t filled = 8 * distance; filled < 64; filled *= 2) {
        word |= word << filled;
    }
    const size_t step = sizeof(word) - sizeof(word) % distance;
    for (size_t done = 0; done < len; done += step) {
        memcpy(to + done, &word, sizeof(word));
    }
}

/*
 * Literals and copies while both ends are far enough that whole blocks can be moved, whatever the lengths: few branches.
 * Stops before the first element that is anything else, or wrong.
 */
static void decode_fast(struct stream *s)
{
    const uint8_t *in = s->in;
    uint8_t *out = s->out;

    while ((size_t)(s->in_end - in) >= FAST_IN && (size_t)(s->out_end - out) >= FAST_OUT) {
        const uint32_t tag = *in;
        if ((tag & 3) == 0) {
            const size_t len = (tag >> 2) + 1;
            if (len > 60) {
                break;
            }
            move_blocks(out, in + 1, len);
            in += 1 + len;
            out += len;
            continue;
        }
        uint32_t after;
        memcpy(&after, in + 1, sizeof(after));
        const size_t len = copies[tag] & 0xFF;
        const size_t distance = (after & after_masks[tag & 3]) + (copies[tag] & 0x700);
        if (leads_out(s->start, out, distance)) {
            break;
        }
        if (distance < 16) {
            repeat_back(out, distance, len);
        } else {
            move_blocks(out, out - distance, len);
        }
        in += 1 + (AFTER_LENGTHS >> 4 * (tag & 3) & 7);
        out += len;
    }
    s->in = in;
    s->out = out;
}

static const char *decode_literal(struct stream *s, uint32_t tag)
{
    size_t left = (size_t)(s->in_end - s->in);
    size_t len = (tag >> 2) + 1;

    if (len > 60) {
        size_t n_bytes = len - 60;
        if (n_bytes > left) {
            return "it ends within a length";
        }
        len = load_number(s->in, n_bytes) + 1;
        s->in += n_bytes;
        left -= n_bytes;
    }
    if (len > left) {
        return "it ends within a literal";
    }
    if (len > (size_t)(s->out_end - s->out)) {
        return "it holds more bytes";
    }
    memcpy(s->out, s->in, len);
    s->in += len;
    s->out += len;
    return NULL;
}

static const char *decode_copy(struct stream *s, uint32_t tag)
{
    uint8_t after[4] = {0};
    size_t left = (size_t)(s->in_end - s->in);

    memcpy(after, s->in, left < sizeof(after) ? left : sizeof(after));
    struct copy c = read_copy(tag, after);
    if (c.used > left) {
        return "it ends within a copy";
    }
    if (leads_out(s->start, s->out, c.distance)) {
        return "a copy starts before the first byte";
    }
    if (c.len > (size_t)(s->out_end - s->out)) {
        return "it holds more bytes";
    }
    copy_back(s->out, c.distance, c.len);
    s->in += c.used;
    s->out += c.len;
    return NULL;
}

const char *dn_snappy_decompress(struct dn_span in, uint8_t *out, size_t out_len)
{
    size_t stated = 0;
    size_t used = read_stated(in, &stated);
    struct stream s = {in.data + used, in.data + in.len, out, out, out + out_len};

    if (used == 0) {
        return "no length at its start";
    }
    if (stated != out_len) {
        return "it states another length";
    }
    while (s.in < s.in_end) {
        decode_fast(&s);
        if (s.in == s.in_end) {
            break;
        }
        uint32_t tag = *s.in++;
        const char *why = (tag & 3) == 0 ? decode_literal(&s, tag) : decode_copy(&s, tag);
        if (why != NULL) {
            return why;
        }
    }
    return s.out == s.out_end ? NULL : "it holds fewer bytes";
}
