#include "parquet/verify/levels.h"

#include "parquet/encoding/bits.h"

void dn_pv_levels_add(struct dn_pv_levels *l, const struct dn_pv_levels *more)
{
    for (size_t i = 0; i < DN_PV_MOST_LEVELS; i++) {
        l->counts[i] += more->counts[i];
    }
}

/* Up to 8 bytes from bit `at` on, least significant first; nothing behind the end is read. */
static uint32_t bits_at(struct dn_span in, uint64_t at, unsigned width)
{
    const size_t byte = (size_t)(at >> 3);
    const size_t n = in.len - byte < 8 ? in.len - byte : 8;
    uint64_t word = 0;

    memcpy(&word, in.data + byte, n);
    return (uint32_t)(word >> (at & 7)) & (((uint32_t)1 << width) - 1);
}

/* The same of BIT_PACKED, most significant first. */
static uint32_t high_bits_at(struct dn_span in, uint64_t at, unsigned width)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < width; i++, at++) {
        value = value << 1 | (uint32_t)(in.data[at >> 3] >> (7 - (at & 7)) & 1);
    }
    return value;
}

/* Single bits: the ones are counted in words. */
static void count_bits(struct dn_span in, uint64_t at, size_t n, struct dn_pv_levels *out)
{
    const uint8_t *p = in.data + at / 8; /* runs begin at a byte */
    size_t left = n;
    uint64_t ones = 0;

    for (; left >= 64; left -= 64, p += 8) {
        ones += (uint64_t)__builtin_popcountll(dn_pq_load64(p));
    }
    for (; left >= 8; left -= 8, p++) {
        ones += (uint64_t)__builtin_popcount(*p);
    }
    if (left > 0) {
        ones += (uint64_t)__builtin_popcount(*p & ((1U << left) - 1));
    }
    out->counts[1] += ones;
    out->counts[0] += n - ones;
}

static const char *count_packed(struct dn_span in, uint64_t at, size_t n, unsigned width,
                                unsigned max, bool is_first, bool high, struct dn_pv_levels *out)
{
    if (is_first && n > 0) {
        out->first = high ? high_bits_at(in, at, width) : bits_at(in, at, width);
    }
    if (width == 1 && !high) {
        count_bits(in, at, n, out);
        return NULL;
    }
    for (size_t i = 0; i < n; i++, at += width) {
        const uint32_t level = high ? high_bits_at(in, at, width) : bits_at(in, at, width);
        if (level > max) {
            return "a level is above the highest of the column";
        }
        out->counts[level]++;
    }
    return NULL;
}

/* The header of a run: at most five bytes. */
static bool read_head(struct dn_span in, size_t *pos, uint64_t *out)
{
    uint64_t head = 0;

    for (unsigned shift = 0; shift <= 28; shift += 7) {
        if (*pos == in.len) {
            return false;
        }
        const uint8_t byte = in.data[(*pos)++];
        head |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) {
            *out = head;
            return true;
        }
    }
    return false;
}

static const char *count_runs(struct dn_span in, size_t n, unsigned width, unsigned max,
                              struct dn_pv_levels *out)
{
    size_t pos = 0;
    size_t done = 0;

    while (done < n) {
        uint64_t head = 0;
        if (!read_head(in, &pos, &head)) {
            return "the levels end too early, or a run has no length";
        }
        const uint64_t run = head >> 1;
        if (run == 0) {
            return "a run of levels is empty";
        }
        if ((head & 1) == 0) {
            if (pos == in.len || in.data[pos] > max) {
                return pos == in.len ? "a repeated level is cut off"
                                     : "a level is above the highest of the column";
            }
            if (run > n - done) {
                return "a run has more levels than the page has values";
            }
            out->first = done == 0 ? in.data[pos] : out->first;
            out->counts[in.data[pos++]] += run;
            done += (size_t)run;
            continue;
        }
        const uint64_t bytes = run * width;
        /* padding behind the last level is legal, and not only up to the next multiple of eight */
        const size_t now = run * 8 < n - done ? (size_t)run * 8 : n - done;
        if (bytes > in.len - pos) {
            return "a packed run of levels is cut off";
        }
        const char *fault =
            count_packed(in, (uint64_t)pos * 8, now, width, max, done == 0, false, out);
        if (fault != NULL) {
            return fault;
        }
        pos += (size_t)bytes;
        done += now;
    }
    return pos == in.len ? NULL : "there are bytes behind the last level";
}

const char *dn_pv_levels_count(struct dn_span in, size_t n, unsigned max, bool packed,
                               struct dn_pv_levels *out)
{
    const unsigned width = dn_pq_bit_length(max);

    *out = (struct dn_pv_levels){0};
    if (!packed) {
        return count_runs(in, n, width, max, out);
    }
    return in.len < (n * width + 7) / 8 ? "the levels end too early"
                                        : count_packed(in, 0, n, width, max, true, true, out);
}
