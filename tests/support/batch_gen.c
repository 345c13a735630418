#include "batch_gen.h"

#include "flat_types.h"

#include <stdio.h>
#include <stdlib.h>

#define MOST_TEXT_BYTES ((size_t)8 << 20)
#define POOL 24

static void *have(size_t size)
{
    void *p = calloc(size > 0 ? size : 1, 1);

    if (p == NULL) {
        abort();
    }
    return p;
}

/* ---- decisions ----------------------------------------------------------------------------------------------------- */

void gen_init(struct gen *g, const uint8_t *data, size_t size, uint64_t seed)
{
    *g = (struct gen){data, size, 0, seed};
    for (size_t i = 0; i < size; i++) { /* what follows the bytes depends on all of them */
        g->seed = (g->seed ^ data[i]) * UINT64_C(0x100000001B3);
    }
}

/* splitmix64 */
static uint64_t random_bits(struct gen *g)
{
    uint64_t z = (g->seed += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

uint64_t gen_below(struct gen *g, uint64_t n)
{
    const size_t wanted = n <= 256 ? 1 : n <= 65536 ? 2 : 8;
    uint64_t bits = 0;

    if (g->size - g->at < wanted) {
        g->at = g->size;
        return random_bits(g) % n;
    }
    for (size_t i = 0; i < wanted; i++) {
        bits = bits << 8 | g->data[g->at++];
    }
    return bits % n;
}

#define PICK(g, array) ((array)[gen_below((g), sizeof(array) / sizeof((array)[0]))])

/* Rows ask for more than a fuzzer has bytes: a source of their own. */
static struct gen for_rows(struct gen *g)
{
    return (struct gen){.seed = gen_below(g, UINT32_MAX)};
}

/* ---- numbers --------------------------------------------------------------------------------------------------------- */

static bool is_float(struct dn_type type)
{
    return type.id == DN_TYPE_FLOAT32 || type.id == DN_TYPE_FLOAT64;
}

/* Distances at which tables, widths and blocks end. */
static uint64_t some_distance(struct gen *g)
{
    static const uint64_t small[] = {0, 1, 2, 3, 7, 100, 127, 128};
    const uint64_t power = UINT64_C(1) << gen_below(g, 24);

    return gen_below(g, 2) == 0 ? PICK(g, small) : power - 1 + gen_below(g, 3);
}

static uint64_t end_of(struct dn_type type, bool last)
{
    if (gen_is_wide(type)) {
        return last ? (uint64_t)INT64_MAX : (uint64_t)INT64_MIN;
    }
    return last ? (uint64_t)INT32_MAX : (uint64_t)INT32_MIN;
}

static uint64_t some_integer(struct gen *g, struct dn_type type)
{
    static const int64_t known[] = {0,
                                    -1,
                                    1,
                                    INT32_MIN,
                                    INT32_MAX,
                                    (int64_t)INT32_MAX + 1,
                                    UINT32_MAX,
                                    -719162,
                                    2932896,
                                    999999999,
                                    -99999,
                                    INT64_C(-62135596800000000),
                                    INT64_C(253402300799999999),
                                    INT64_C(946684800000000)};

    switch (gen_below(g, 4)) {
    case 0:
        return end_of(type, true) - some_distance(g);
    case 1:
        return end_of(type, false) + some_distance(g);
    case 2:
        return (uint64_t)PICK(g, known) + some_distance(g);
    default:
        return gen_below(g, UINT64_MAX);
    }
}

static uint64_t bits_of(struct dn_type type, double value)
{
    const float narrow = value > 3e38 ? 3e38F : value < -3e38 ? -3e38F : (float)value;
    uint32_t bits32;
    uint64_t bits;

    memcpy(&bits32, &narrow, sizeof bits32);
    memcpy(&bits, &value, sizeof bits);
    return type.id == DN_TYPE_FLOAT32 ? bits32 : bits;
}

static uint64_t some_float(struct gen *g, struct dn_type type)
{
    static const double known[] = {0.0,  -0.0, 1.0,   -1.0,   0.1,   1e300,
                                   -1e3, 1e38, -1e38, 5e-324, 1e-45, 16777217.0};
    static const uint64_t odd64[] = {0x7FF8000000000000, 0xFFF8000000000000, 0x7FF0000000000001,
                                     0xFFFFFFFFFFFFFFFF, 0x7FF0000000000000, 0xFFF0000000000000,
                                     0x7FEFFFFFFFFFFFFF, 0x000FFFFFFFFFFFFF};
    static const uint64_t odd32[] = {0x7FC00000, 0xFFC00000, 0x7F800001, 0xFFFFFFFF,
                                     0x7F800000, 0xFF800000, 0x7F7FFFFF, 0x007FFFFF};

    switch (gen_below(g, 8)) {
    case 0:
        return type.id == DN_TYPE_FLOAT64 ? PICK(g, odd64) : PICK(g, odd32);
    case 1:
        return gen_below(g, UINT64_MAX);
    case 2:
        return bits_of(type, (double)gen_below(g, 4096) / 8);
    default:
        return bits_of(type, PICK(g, known));
    }
}

uint64_t gen_value(struct gen *g, struct dn_type type)
{
    return is_float(type) ? some_float(g, type) : some_integer(g, type);
}

/* Both ends of the type and what is between, behind a block that lies at one end: tables of values near that end wrap. */
static void around_the_type(struct gen *g, struct dn_type type, uint64_t *out, int64_t n)
{
    const bool last = gen_below(g, 2) == 0;
    const uint64_t near = gen_below(g, 128);
    const uint64_t step = gen_below(g, 3);
    const int64_t block = gen_below(g, 4) == 0 ? (int64_t)gen_below(g, 600) : 512;
    struct gen rows = for_rows(g);

    for (int64_t i = 0; i < n; i++) {
        if (i < block) {
            const uint64_t away = near + ((uint64_t)i * step & 63);
            out[i] = last ? end_of(type, true) - away : end_of(type, false) + away;
        } else {
            const uint64_t away = gen_below(&rows, 64);
            out[i] = gen_below(&rows, 3) == 0   ? some_integer(&rows, type)
                     : gen_below(&rows, 2) == 0 ? end_of(type, true) - away
                                                : end_of(type, false) + away;
        }
    }
}

/* n values in one manner. */
static void segment(struct gen *g, struct dn_type type, const uint64_t *pool, size_t n_pool,
                    uint64_t *out, int64_t n)
{
    static const uint64_t steps[] = {1, 0, 2, 3, 7, 1000, 1 << 20, UINT64_MAX, (uint64_t)-1000};
    const uint64_t manner = gen_below(g, 7);
    const uint64_t base = pool[gen_below(g, n_pool)];
    const uint64_t step = PICK(g, steps);
    const uint64_t period = gen_below(g, 5) + 1;
    const uint64_t range = some_distance(g) + 1;
    const bool wild = gen_below(g, 8) == 0;
    struct gen rows = for_rows(g);

    for (int64_t i = 0; i < n; i++) {
        const uint64_t k = (uint64_t)i;
        switch (manner) {
        case 0: /* a run */
            out[i] = base;
            break;
        case 1: /* alternation */
            out[i] = pool[k % period % n_pool];
            break;
        case 2:
            out[i] = pool[gen_below(&rows, n_pool)];
            break;
        case 3: /* runs, one behind the other */
            out[i] = pool[k / (range % 40 + 1) % n_pool];
            break;
        case 4: /* ascending, descending, around the end of the type */
            out[i] =
                is_float(type) ? bits_of(type, (double)(int64_t)(k * step) / 8) : base + k * step;
            break;
        case 5:
            out[i] = is_float(type) ? bits_of(type, (double)gen_below(&rows, range) / 8)
                                    : base + gen_below(&rows, range);
            break;
        default:
            out[i] = wild ? gen_value(&rows, type) : gen_below(&rows, 100) == 0 ? base + 1 : base;
            break;
        }
    }
}

static int64_t some_length(struct gen *g, int64_t most)
{
    static const int64_t lengths[] = {1,  2,   3,   7,   8,   9,   31,  32,   33,   63,   64,
                                      65, 255, 256, 257, 511, 512, 513, 1000, 4096, 4097, 20000};
    const int64_t n = PICK(g, lengths);

    return n < most ? n : most;
}

/* What a file can hold: a time of a day, whole days, seconds that fit milliseconds. */
static uint64_t into_range(struct dn_type type, uint64_t bits)
{
    const size_t width = dn_type_width(type);

    switch (type.id) {
    case DN_TYPE_BOOL:
        return bits & 1;
    case DN_TYPE_DATE64:
        return (uint64_t)((int64_t)(int32_t)bits * 86400000);
    case DN_TYPE_TIME:
        return bits % (uint64_t)(86400 * dn_unit_per_second(type.unit));
    case DN_TYPE_TIMESTAMP:
        return type.unit == DN_UNIT_S ? (uint64_t)((int64_t)bits / 1024) : bits;
    default:
        return width < 8 ? bits & ((UINT64_C(1) << (8 * width)) - 1) : bits;
    }
}

/* A number of up to `precision` digits: the odd ones have all of them. */
static void decimal_bytes(struct dn_type type, int64_t v, uint8_t *out)
{
    const size_t width = dn_type_width(type);
    uint64_t magnitude = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    uint32_t words[8] = {0};
    uint64_t carry = v < 0;

    for (int p = 18; p > type.precision; p--) {
        magnitude /= 10;
    }
    magnitude = type.precision <= 18 ? magnitude / 10 : magnitude; /* of 19 digits, perhaps */
    words[0] = (uint32_t)magnitude;
    words[1] = (uint32_t)(magnitude >> 32);
    for (int p = 19; p < type.precision && (v & 1) != 0; p++) {
        uint64_t over = 0;
        for (size_t i = 0; i < 8; i++) {
            over += (uint64_t)words[i] * 10;
            words[i] = (uint32_t)over;
            over >>= 32;
        }
    }
    for (size_t i = 0; v < 0 && i < 8; i++) {
        carry += (uint32_t)~words[i];
        words[i] = (uint32_t)carry;
        carry >>= 32;
    }
    memcpy(out, words, width);
}

void gen_fixed(struct dn_type type, uint64_t bits, uint8_t out[GEN_FIXED_MOST])
{
    const size_t width = dn_type_width(type);

    if (dn_type_is_decimal(type)) {
        decimal_bytes(type, (int64_t)bits, out);
        return;
    }
    for (size_t i = 0; i < width; i++) { /* so that values that are near begin alike, or end so */
        out[i] = (uint8_t)((bits >> (8 * (i % 8))) + i / 8);
    }
}

struct dn_type gen_read_type(struct dn_type type)
{
    if (type.id == DN_TYPE_DATE64) {
        return DN_TYPE(DATE32);
    }
    if (type.id == DN_TYPE_DECIMAL256) {
        return dn_type_decimal(type.precision, type.scale);
    }
    if (type.id == DN_TYPE_TIME || type.id == DN_TYPE_TIMESTAMP) {
        type.unit = type.unit == DN_UNIT_S ? DN_UNIT_MS : type.unit;
    }
    return type;
}

void gen_read_fixed(struct dn_type type, uint64_t bits, uint8_t out[GEN_FIXED_MOST])
{
    if (type.id == DN_TYPE_DATE64) {
        bits = (uint64_t)((int64_t)bits / 86400000);
    } else if ((type.id == DN_TYPE_TIME || type.id == DN_TYPE_TIMESTAMP) &&
               type.unit == DN_UNIT_S) {
        bits *= 1000;
    }
    if (dn_type_is_decimal(type)) { /* the low bytes are the same */
        gen_fixed(type, bits, out);
    } else {
        gen_fixed(gen_read_type(type), bits, out);
    }
}

static void make_numbers(struct gen *g, struct gen_column *c, int64_t n)
{
    uint64_t pool[POOL];
    const size_t n_pool = (size_t)gen_below(g, POOL) + 1;
    int64_t done = 0;

    for (size_t i = 0; i < n_pool; i++) {
        pool[i] = gen_value(g, c->type);
    }
    if (!is_float(c->type) && gen_below(g, 5) == 0) {
        done = some_length(g, n) + 512;
        done = done < n ? done : n;
        around_the_type(g, c->type, c->values, done);
    }
    const int64_t least = n / 40; /* many rows have longer segments, or there is no end of them */
    while (done < n) {
        int64_t length = some_length(g, n - done);
        length = length < least ? least : length;
        length = length < n - done ? length : n - done;
        segment(g, c->type, pool, n_pool, c->values + done, length);
        done += length;
    }
    for (int64_t i = 0; i < n; i++) {
        c->values[i] = into_range(c->type, c->values[i]);
    }
}

/* ---- texts ------------------------------------------------------------------------------------------------------------ */

static uint32_t put_text(struct gen_column *c, size_t *room, const void *text, size_t len)
{
    const size_t at = c->n_bytes;

    if (at + len > *room) {
        *room = (at + len) * 2 + 64;
        c->bytes = realloc(c->bytes, *room);
        if (c->bytes == NULL) {
            abort();
        }
    }
    if (len > 0) {
        memcpy(c->bytes + at, text, len);
    }
    c->n_bytes += len;
    return (uint32_t)at;
}

/* Characters of 1 to 4 bytes, the ends of each length among them: bounds are cut between two, and raised. */
static size_t some_text(struct gen *g, uint8_t *out, size_t most)
{
    static const char *const characters[] = {"a",
                                             "b",
                                             "z",
                                             "0",
                                             " ",
                                             "\x7f",
                                             "\xc2\x80",
                                             "\xdf\xbf",
                                             "\xe0\xa0\x80",
                                             "\xed\x9f\xbf",
                                             "\xee\x80\x80",
                                             "\xef\xbf\xbf",
                                             "\xf0\x90\x80\x80",
                                             "\xf4\x8f\xbf\xbf",
                                             "\xc3\xa4"};
    static const size_t lens[] = {0,  1,  2,  3,  4,  5,  7,  8,  11,  12,  13,
                                  14, 16, 17, 31, 32, 63, 64, 65, 100, 300, 2000};
    const size_t wanted = PICK(g, lens);
    const uint64_t manner = gen_below(g, 4);
    size_t len = 0;
    struct gen rows = for_rows(g);

    while (len < wanted) {
        const char *one = manner == 0   ? characters[13]
                          : manner == 1 ? characters[gen_below(&rows, 3)]
                                        : PICK(&rows, characters);
        const size_t n = strlen(one);
        if (len + n > wanted || len + n > most) {
            break;
        }
        memcpy(out + len, one, n);
        len += n;
    }
    while (len < wanted && len < most) { /* to the length, zeros among the characters */
        out[len++] = manner == 2 ? 0 : 'x';
    }
    return len;
}

enum {
    LONGEST = 2048
};

/* A text of the row's own, or one that is like those before it. */
static size_t row_text(struct gen *rows, uint64_t manner, int64_t row, const uint8_t *base,
                       size_t base_len, uint8_t *out)
{
    size_t shared = base_len < LONGEST - 64 ? base_len : LONGEST - 64;

    while (shared > 0 && shared < base_len && (base[shared] & 0xC0) == 0x80) {
        shared--; /* whole characters */
    }
    size_t len = shared;
    memcpy(out, base, shared);
    if (manner == 0) { /* a number behind something common */
        len += (size_t)snprintf((char *)out + shared, 32, "%lld", (long long)row);
    } else if (manner == 1) { /* a number first */
        char digits[32];
        const size_t n = (size_t)snprintf(digits, sizeof digits, "%lld", (long long)(row % 3000));
        memmove(out + n, out, shared);
        memcpy(out, digits, n);
        len += n;
    } else { /* one byte differs, somewhere */
        if (len > 0 && gen_below(rows, 2) == 0) {
            const size_t at = (size_t)gen_below(rows, len);
            if (out[at] < 0x80) {
                out[at] = (uint8_t)('A' + gen_below(rows, 20));
            }
        }
    }
    return len;
}

static void make_texts(struct gen *g, struct gen_column *c, int64_t n)
{
    uint8_t base[POOL][LONGEST];
    size_t lens[POOL];
    uint32_t starts[POOL];
    uint8_t own[LONGEST + 64];
    size_t room = 0;
    const size_t n_pool = (size_t)gen_below(g, POOL) + 1;

    for (size_t i = 0; i < n_pool; i++) {
        lens[i] = some_text(g, base[i], LONGEST);
        starts[i] = put_text(c, &room, base[i], lens[i]);
    }
    int64_t left = 0;
    uint64_t manner = 0;
    size_t which = 0;
    struct gen rows = for_rows(g);
    for (int64_t i = 0; i < n; i++) {
        if (left-- == 0) {
            left = some_length(g, n - i) - 1;
            left = left < n / 40 ? n / 40 : left;
            manner = gen_below(g, 6);
            which = (size_t)gen_below(g, n_pool);
        }
        const bool is_own = manner < 3 && c->n_bytes < MOST_TEXT_BYTES;
        const size_t k = manner == 3 ? which : (size_t)gen_below(&rows, n_pool);
        if (is_own) {
            c->lens[i] = (uint32_t)row_text(&rows, manner, i, base[which], lens[which], own);
            c->starts[i] = put_text(c, &room, own, c->lens[i]);
        } else {
            c->lens[i] = (uint32_t)lens[k];
            c->starts[i] = starts[k];
        }
    }
}

/* ---- tables ----------------------------------------------------------------------------------------------------------- */

static void make_valid(struct gen *g, struct gen_column *c, int64_t n)
{
    static const uint64_t per_thousand[] = {1, 10, 500, 900, 999};
    const uint64_t manner = c->nullable ? gen_below(g, 6) : 0;
    const uint64_t share = PICK(g, per_thousand);
    struct gen rows = for_rows(g);
    int64_t left = 0;
    bool valid = true;

    for (int64_t i = 0; i < n; i++) {
        if (manner == 2) {
            valid = gen_below(&rows, 1000) >= share;
        } else if (manner == 3) {
            valid = i % 2 == 0;
        } else if (manner == 4) { /* stretches */
            if (left-- == 0) {
                left = some_length(&rows, n) - 1;
                valid = !valid;
            }
        } else if (manner == 5) {
            valid = share == 1 && i == n - 1; /* none, or the last one alone */
        }
        c->valid[i] = valid && c->type.id != DN_TYPE_NULL;
        c->n_nulls += !c->valid[i];
    }
}

static void make_column(struct gen *g, struct gen_column *c, int64_t n, int64_t number)
{
    static const struct dn_type types[] = {
        DN_TYPE_INIT(INT64),   DN_TYPE_INIT(INT32),      DN_TYPE_INIT(UTF8_VIEW),
        DN_TYPE_INIT(FLOAT64), DN_TIMESTAMP_INIT(US),    DN_TIMESTAMPTZ_INIT(US),
        DN_TYPE_INIT(DATE32),  DN_TYPE_INIT(BOOL),       DN_TYPE_INIT(FLOAT32),
        DN_TYPE_INIT(UTF8),    DN_TYPE_INIT(LARGE_UTF8), DN_TYPE_INIT(NULL),
        DN_TYPE_INIT(INT64),   DN_TYPE_INIT(UTF8_VIEW)};
    const uint64_t which = gen_below(g, sizeof types / sizeof types[0] + N_FLAT_TYPES);

    c->type = which < N_FLAT_TYPES ? flat_types[which] : types[which - N_FLAT_TYPES];
    c->nullable = c->type.id == DN_TYPE_NULL || gen_below(g, 3) != 0;
    (void)snprintf(c->name, sizeof c->name, "c%d %s", (int)number, DN_TYPE_TEXT(c->type));
    c->valid = have((size_t)n);
    c->values = have((size_t)n * sizeof *c->values);
    c->starts = have((size_t)n * sizeof *c->starts);
    c->lens = have((size_t)n * sizeof *c->lens);
    make_valid(g, c, n);
    if (gen_is_text(c->type)) {
        make_texts(g, c, n);
        for (size_t i = 0; !dn_type_is_text(c->type) && i < c->n_bytes; i++) {
            c->bytes[i] ^= 0x80; /* no text, mostly */
        }
    } else if (c->type.id != DN_TYPE_NULL) {
        make_numbers(g, c, n);
    }
}

static void make_options(struct gen *g, struct gen_table *t)
{
    static const char *const codecs[] = {"none", "snappy", "none",     "zstd:1", "lz4_raw",
                                         "none", "gzip:1", "brotli:1", "snappy", "zstd:9"};
    static const int64_t group_rows[] = {0, 0, 0, 1, 7, 512, 600, 1000, 4097};
    static const size_t group_bytes[] = {0, 0, 0, 100, 4096, 50000};
    static const int64_t page_rows[] = {0, 0, 1, 8, 100, 512, 513, 4096, 100000};
    static const size_t page_bytes[] = {0, 0, 1, 77, 512, 4096, 100000};
    static const uint64_t budgets[] = {0, 0, 128 << 10, 1 << 20, 16 << 20};
    static const int64_t batch_rows[] = {1, 13, 100, 512, 1000, 4097, 30000, 1 << 20};
    struct dn_parquet_options *o = &t->options;
    const bool many = t->n_rows > 6000;

    (void)snprintf(t->codec, sizeof t->codec, "%s", PICK(g, codecs));
    *o = (struct dn_parquet_options){.struct_size = sizeof *o, .overwrite = true};
    o->compression = t->codec;
    o->row_group_rows = PICK(g, group_rows);
    o->row_group_bytes = PICK(g, group_bytes);
    o->page_rows = PICK(g, page_rows);
    o->page_bytes = PICK(g, page_bytes);
    o->memory_budget_bytes = PICK(g, budgets);
    o->n_threads = (uint32_t)gen_below(g, 4) + 1;
    t->batch_rows = PICK(g, batch_rows);
    if (t->n_rows > 800) { /* pages, row groups and batches cost time by their number */
        o->row_group_rows = o->row_group_rows == 1 || many ? 0 : o->row_group_rows;
        o->row_group_bytes = o->row_group_bytes < 4096 || many ? 0 : o->row_group_bytes;
        o->page_rows = many && o->page_rows < 512 ? 0 : o->page_rows;
        o->page_bytes = many && o->page_bytes < 512 ? 0 : o->page_bytes;
        t->batch_rows = t->batch_rows < t->n_rows / 50 ? t->n_rows / 50 : t->batch_rows;
    }
}

void gen_table_make(struct gen_table *t, struct gen *g)
{
    static const int64_t rows[] = {1,   2,   7,    8,    9,    63,  65,   100,  513,  516,
                                   600, 700, 1025, 1500, 2600, 600, 1025, 5000, 9000, 17000};
    memset(t, 0, sizeof *t);
    t->n_rows = gen_below(g, 200) == 0 ? 70000 + (int64_t)gen_below(g, 30000) : PICK(g, rows);
    t->n_columns = (int64_t)gen_below(g, t->n_rows > 6000 ? 2 : GEN_MOST_COLUMNS) + 1;
    make_options(g, t);
    t->cuts = for_rows(g);
    for (int64_t i = 0; i < t->n_columns; i++) {
        make_column(g, &t->columns[i], t->n_rows, i);
    }
}

void gen_table_free(struct gen_table *t)
{
    for (int64_t i = 0; i < t->n_columns; i++) {
        free(t->columns[i].valid);
        free(t->columns[i].values);
        free(t->columns[i].starts);
        free(t->columns[i].lens);
        free(t->columns[i].bytes);
    }
    t->n_columns = 0;
}

void gen_table_describe(const struct gen_table *t, char *out, size_t size)
{
    const struct dn_parquet_options *o = &t->options;
    int n = snprintf(
        out, size,
        "%lld rows, codec %s, row groups of %lld rows %zu bytes, pages of %lld rows %zu bytes, "
        "%u threads, budget %llu, batches of %lld rows:",
        (long long)t->n_rows, t->codec, (long long)o->row_group_rows, o->row_group_bytes,
        (long long)o->page_rows, o->page_bytes, (unsigned)o->n_threads,
        (unsigned long long)o->memory_budget_bytes, (long long)t->batch_rows);
    for (int64_t i = 0; i < t->n_columns && n > 0 && (size_t)n < size; i++) {
        const struct gen_column *c = &t->columns[i];
        n += snprintf(out + n, size - (size_t)n, " %s%s (%lld nulls)", c->name,
                      c->nullable ? "" : " required", (long long)c->n_nulls);
    }
}

enum dn_status gen_table_schema(const struct gen_table *t, struct ArrowSchema *out,
                                struct dn_error *err)
{
    struct dn_field fields[GEN_MOST_COLUMNS];

    for (int64_t i = 0; i < t->n_columns; i++) {
        const struct gen_column *c = &t->columns[i];
        fields[i] = (struct dn_field){c->name, c->type, c->nullable};
    }
    return dn_schema_make(out, fields, t->n_columns, err);
}
