#include "parquet/write/stats.h"

#include "base/memory.h"

#include <math.h>

/*
 * Floats are kept as integers that order as they do: of a negative number all bits but the sign are flipped.  -0.0 is then
 * just below +0.0.
 */
static int64_t order_from_f64(uint64_t bits)
{
    const int64_t v = (int64_t)bits;
    return v ^ (int64_t)((uint64_t)(v >> 63) >> 1);
}

static int64_t order_from_f32(uint32_t bits)
{
    const int32_t v = (int32_t)bits;
    return v ^ (int32_t)((uint32_t)(v >> 31) >> 1);
}

static int64_t order_from_f16(uint16_t bits)
{
    const int16_t v = (int16_t)bits;
    return v ^ (int16_t)((uint16_t)(v >> 15) >> 1);
}

/* Integers without a sign are kept as the signed ones that lie as far from the lowest. */
static int64_t order_from_u64(uint64_t v)
{
    return (int64_t)(v ^ UINT64_C(1) << 63);
}

void dn_pq_stats_init(struct dn_pq_stats *s, enum dn_pq_kind kind, enum dn_pq_order order)
{
    memset(s, 0, sizeof *s);
    s->kind = kind;
    s->order = order;
}

void dn_pq_stats_finish(struct dn_pq_stats *s)
{
    dn_free(s->texts);
    memset(s, 0, sizeof *s);
}

void dn_pq_stats_reset(struct dn_pq_stats *s)
{
    s->has_values = false;
    s->unbounded = false;
    s->n_nulls = 0;
    s->n_nans = 0;
}

static void widen(struct dn_pq_stats *s, int64_t min, int64_t max)
{
    if (!s->has_values || min < s->min) {
        s->min = min;
    }
    if (!s->has_values || max > s->max) {
        s->max = max;
    }
    s->has_values = true;
}

static void add_f64(struct dn_pq_stats *s, const uint8_t *values, size_t n)
{
    /* Four lanes, so that one comparison need not wait for the one before; a NaN is never less or greater. */
    double min[4] = {INFINITY, INFINITY, INFINITY, INFINITY};
    double max[4] = {-INFINITY, -INFINITY, -INFINITY, -INFINITY};
    int64_t nans = 0;

    for (size_t i = 0; i < n; i++) {
        double v;
        memcpy(&v, values + i * 8, 8);
        nans += v != v;
        min[i & 3] = v < min[i & 3] ? v : min[i & 3];
        max[i & 3] = v > max[i & 3] ? v : max[i & 3];
    }
    s->n_nans += nans;
    for (size_t k = 0; k < 4 && nans < (int64_t)n; k++) {
        if (min[k] <= max[k]) { /* the lane saw a number */
            /* which zero it is does not matter: number_bounds() widens to both */
            widen(s, order_from_f64(dn_pq_load64(&min[k])), order_from_f64(dn_pq_load64(&max[k])));
        }
    }
}

static void add_f32(struct dn_pq_stats *s, const uint8_t *values, size_t n)
{
    const uint32_t infinity = UINT32_C(0xff) << 23;
    int64_t min = INT64_MAX;
    int64_t max = INT64_MIN;
    int64_t nans = 0;

    for (size_t i = 0; i < n; i++) {
        const uint32_t bits = dn_pq_load32(values + i * 4);
        const int64_t order = order_from_f32(bits);
        if ((bits & INT32_MAX) > infinity) {
            nans++;
            continue;
        }
        min = order < min ? order : min;
        max = order > max ? order : max;
    }
    s->n_nans += nans;
    if (nans < (int64_t)n) {
        widen(s, min, max);
    }
}

static int compare_bytes(const struct dn_pq_stats *s, const uint8_t *a, size_t a_len,
                         const uint8_t *b, size_t b_len)
{
    const size_t n = a_len < b_len ? a_len : b_len;

    if (s->order == DN_PQ_ORDERED_DECIMAL && n > 0 && ((a[0] ^ b[0]) & 0x80) != 0) {
        return (a[0] & 0x80) != 0 ? -1 : 1;
    }
    const int order = n > 0 ? memcmp(a, b, n) : 0;
    return order != 0 ? order : (a_len > b_len) - (a_len < b_len);
}

static void add_u32(struct dn_pq_stats *s, const uint8_t *values, size_t n)
{
    uint32_t min = UINT32_MAX;
    uint32_t max = 0;

    for (size_t i = 0; i < n; i++) {
        const uint32_t v = dn_pq_load32(values + i * 4);
        min = v < min ? v : min;
        max = v > max ? v : max;
    }
    widen(s, order_from_u64(min), order_from_u64(max));
}

static void add_u64(struct dn_pq_stats *s, const uint8_t *values, size_t n)
{
    uint64_t min = UINT64_MAX;
    uint64_t max = 0;

    for (size_t i = 0; i < n; i++) {
        const uint64_t v = dn_pq_load64(values + i * 8);
        min = v < min ? v : min;
        max = v > max ? v : max;
    }
    widen(s, order_from_u64(min), order_from_u64(max));
}

static void add_f16(struct dn_pq_stats *s, const struct dn_pq_text *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint8_t *bytes = dn_pq_text_data(&values[i]);
        const uint16_t bits = (uint16_t)(bytes[0] | bytes[1] << 8);
        if ((bits & 0x7fff) > 0x7c00) {
            s->n_nans++;
        } else {
            widen(s, order_from_f16(bits), order_from_f16(bits));
        }
    }
}

static void keep_text(struct dn_pq_stats_text *bound, const uint8_t *data, size_t len,
                      uint64_t rank)
{
    if (len > 0) {
        memcpy(bound->bytes, data, len);
    }
    bound->len = (uint8_t)len;
    bound->rank = rank;
}

/* Texts that begin alike may be taken for one: their order does not show in the bounds. */
static enum dn_status add_text(struct dn_pq_stats *s, const uint8_t *data, size_t len,
                               uint64_t rank, struct dn_error *err)
{
    struct dn_pq_stats_text *texts = s->texts;

    if (texts == NULL) {
        texts = dn_calloc(2, sizeof *texts);
        if (texts == NULL) {
            return dn_error_memory(err, 2 * sizeof *texts);
        }
        s->texts = texts;
    }
    len = len < DN_PQ_STATS_TEXT_KEPT ? len : DN_PQ_STATS_TEXT_KEPT;
    if (!s->has_values || compare_bytes(s, data, len, texts[0].bytes, texts[0].len) < 0) {
        keep_text(&texts[0], data, len, rank);
    }
    if (!s->has_values || compare_bytes(s, data, len, texts[1].bytes, texts[1].len) > 0) {
        keep_text(&texts[1], data, len, rank);
    }
    s->has_values = true;
    return DN_OK;
}

static enum dn_status add_texts(struct dn_pq_stats *s, const struct dn_pq_text *texts, size_t n,
                                struct dn_error *err)
{
    const uint64_t sign = s->order == DN_PQ_ORDERED_DECIMAL ? UINT64_C(1) << 63 : 0;

    for (size_t i = 0; i < n; i++) {
        const uint64_t rank = dn_pq_text_rank(&texts[i]) ^ sign;
        if (s->has_values && rank > s->texts[0].rank && rank < s->texts[1].rank) {
            continue; /* nearly all of them */
        }
        DN_TRY(add_text(s, dn_pq_text_data(&texts[i]), texts[i].len, rank, err));
    }
    return DN_OK;
}

enum dn_status dn_pq_stats_add(struct dn_pq_stats *s, const struct dn_kernels *kernels,
                               const void *values, size_t n, struct dn_error *err)
{
    if (n == 0 || s->order == DN_PQ_ORDERED_NOT) {
        return DN_OK;
    }
    switch (s->kind) {
    case DN_PQ_KIND_I32: {
        int32_t min;
        int32_t max;
        if (s->order == DN_PQ_ORDERED_UNSIGNED) {
            add_u32(s, values, n);
            break;
        }
        kernels->min_max_i32(values, n, &min, &max);
        widen(s, min, max);
        break;
    }
    case DN_PQ_KIND_I64: {
        int64_t min;
        int64_t max;
        if (s->order == DN_PQ_ORDERED_UNSIGNED) {
            add_u64(s, values, n);
            break;
        }
        kernels->min_max_i64(values, n, &min, &max);
        widen(s, min, max);
        break;
    }
    case DN_PQ_KIND_F32:
        add_f32(s, values, n);
        break;
    case DN_PQ_KIND_F64:
        add_f64(s, values, n);
        break;
    case DN_PQ_KIND_FIXED:
        if (s->order == DN_PQ_ORDERED_F16) {
            add_f16(s, values, n);
            break;
        }
        return add_texts(s, values, n, err);
    case DN_PQ_KIND_TEXT:
        return add_texts(s, values, n, err);
    case DN_PQ_KIND_NULL:
    case DN_PQ_KIND_BOOL:
        break;
    }
    return DN_OK;
}

void dn_pq_stats_add_bools(struct dn_pq_stats *s, const uint8_t *bits, size_t bit, size_t n)
{
    const int64_t n_false = dn_bits_count_zero(bits, (int64_t)bit, (int64_t)n);

    if (n > 0) {
        widen(s, n_false == 0, n_false < (int64_t)n);
    }
}

/* Are the bounds byte arrays? */
static bool keeps_bytes(const struct dn_pq_stats *s)
{
    return dn_pq_kind_is_bytes(s->kind) && s->order != DN_PQ_ORDERED_F16;
}

static bool lacks_bounds(const struct dn_pq_stats *s)
{
    struct dn_pq_bound min;
    struct dn_pq_bound max;

    dn_pq_stats_bounds(s, &min, &max);
    return (s->has_values || s->n_nans > 0) && !min.present;
}

enum dn_status dn_pq_stats_merge(struct dn_pq_stats *s, const struct dn_pq_stats *other,
                                 struct dn_error *err)
{
    s->unbounded = s->unbounded || lacks_bounds(other);
    s->n_nulls += other->n_nulls;
    s->n_nans += other->n_nans;
    if (!other->has_values) {
        return DN_OK;
    }
    if (keeps_bytes(s)) {
        const struct dn_pq_stats_text *texts = other->texts;
        DN_TRY(add_text(s, texts[0].bytes, texts[0].len, texts[0].rank, err));
        return add_text(s, texts[1].bytes, texts[1].len, texts[1].rank, err);
    }
    widen(s, other->min, other->max);
    return DN_OK;
}

static void put_bound(struct dn_pq_bound *b, const void *bytes, size_t len)
{
    b->present = true;
    b->exact = true;
    b->len = len;
    memcpy(b->bytes, bytes, len);
}

static void number_bounds(const struct dn_pq_stats *s, struct dn_pq_bound *min,
                          struct dn_pq_bound *max)
{
    if (s->kind == DN_PQ_KIND_BOOL) {
        const uint8_t low = s->min != 0;
        const uint8_t high = s->max != 0;
        put_bound(min, &low, 1);
        put_bound(max, &high, 1);
    } else if (s->kind == DN_PQ_KIND_I32 || s->kind == DN_PQ_KIND_I64) {
        const size_t width = s->kind == DN_PQ_KIND_I32 ? 4 : 8; /* the low bytes of either order */
        const uint64_t flip = s->order == DN_PQ_ORDERED_UNSIGNED ? UINT64_C(1) << 63 : 0;
        const uint64_t low = (uint64_t)s->min ^ flip;
        const uint64_t high = (uint64_t)s->max ^ flip;
        put_bound(min, &low, width);
        put_bound(max, &high, width);
    } else if (s->kind == DN_PQ_KIND_FIXED) {
        const int64_t zero_to_low = s->min == 0 ? -1 : s->min;
        const int64_t zero_to_high = s->max == -1 ? 0 : s->max;
        const int16_t low = (int16_t)order_from_f16((uint16_t)zero_to_low);
        const int16_t high = (int16_t)order_from_f16((uint16_t)zero_to_high);
        put_bound(min, &low, 2);
        put_bound(max, &high, 2);
    } else if (s->kind == DN_PQ_KIND_F32) {
        const int64_t zero_to_low = s->min == 0 ? -1 : s->min; /* +0.0 is 0, -0.0 is -1 */
        const int64_t zero_to_high = s->max == -1 ? 0 : s->max;
        put_bound(min, &(int32_t){(int32_t)order_from_f32((uint32_t)zero_to_low)}, 4);
        put_bound(max, &(int32_t){(int32_t)order_from_f32((uint32_t)zero_to_high)}, 4);
    } else {
        const int64_t zero_to_low = s->min == 0 ? -1 : s->min;
        const int64_t zero_to_high = s->max == -1 ? 0 : s->max;
        put_bound(min, &(int64_t){order_from_f64((uint64_t)zero_to_low)}, 8);
        put_bound(max, &(int64_t){order_from_f64((uint64_t)zero_to_high)}, 8);
    }
}

/* The longest prefix of at most 64 bytes that ends between two characters. */
static size_t cut_length(const uint8_t *text, size_t len)
{
    if (len <= DN_PQ_STATS_TEXT_MAX) {
        return len;
    }
    size_t cut = DN_PQ_STATS_TEXT_MAX;
    while (cut > DN_PQ_STATS_TEXT_MAX - 4 && (text[cut] & 0xc0) == 0x80) {
        cut--;
    }
    return (text[cut] & 0xc0) == 0x80 ? (size_t)DN_PQ_STATS_TEXT_MAX
                                      : cut; /* no UTF-8 at all: bytes will do */
}

static size_t put_utf8(uint8_t *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (uint8_t)(0xc0U | c >> 6);
        out[1] = (uint8_t)(0x80U | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (uint8_t)(0xe0U | c >> 12);
        out[1] = (uint8_t)(0x80U | (c >> 6 & 0x3f));
        out[2] = (uint8_t)(0x80U | (c & 0x3f));
        return 3;
    }
    out[0] = (uint8_t)(0xf0U | c >> 18);
    out[1] = (uint8_t)(0x80U | (c >> 12 & 0x3f));
    out[2] = (uint8_t)(0x80U | (c >> 6 & 0x3f));
    out[3] = (uint8_t)(0x80U | (c & 0x3f));
    return 4;
}

/* The character that starts at `at` of a text that ends behind it; UINT32_MAX if it is none. */
static uint32_t get_utf8(const uint8_t *text, size_t at, size_t len)
{
    static const uint8_t lead_mask[5] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    const uint8_t lead = text[at];
    const size_t n = lead < 0x80 ? 1 : lead < 0xc0 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

    if (n == 0 || at + n != len) {
        return UINT32_MAX;
    }
    uint32_t c = lead & lead_mask[n];
    for (size_t i = 1; i < n; i++) {
        c = c << 6 | (text[at + i] & 0x3fU);
    }
    return c;
}

/*
 * Make a cut text larger than everything that begins with it: replace its last character by the next one, or drop it if there
 * is no next one and go on with the one before.  The next character may need a byte more than the room there is; then it is
 * dropped as well.  Returns the new length, 0 if there is no such text.
 */
static size_t raise_text(uint8_t *text, size_t len)
{
    while (len > 0) {
        size_t start = len - 1;
        while (start > 0 && len - start < 4 && (text[start] & 0xc0) == 0x80) {
            start--;
        }
        const uint32_t c = get_utf8(text, start, len);
        if (c == UINT32_MAX) {
            return 0;
        }
        const uint32_t next = c + 1 == 0xd800 ? 0xe000 : c + 1; /* surrogates are no characters */
        if (next <= 0x10ffff) {
            uint8_t bytes[4];
            const size_t n = put_utf8(bytes, next);
            if (start + n <= DN_PQ_STATS_TEXT_MAX) {
                memcpy(text + start, bytes, n);
                return start + n;
            }
        }
        len = start;
    }
    return 0;
}

/* The same of bytes that are no text. */
static size_t raise_bytes(uint8_t *bytes, size_t len)
{
    while (len > 0 && bytes[len - 1] == 0xff) {
        len--;
    }
    if (len > 0) {
        bytes[len - 1]++;
    }
    return len;
}

/* What the bounds have of a byte array. */
static size_t kept_length(const struct dn_pq_stats *s, const struct dn_pq_stats_text *text)
{
    if (s->order == DN_PQ_ORDERED) {
        return cut_length(text->bytes, text->len);
    }
    return text->len < DN_PQ_STATS_TEXT_MAX ? text->len : DN_PQ_STATS_TEXT_MAX;
}

static void text_bounds(const struct dn_pq_stats *s, struct dn_pq_bound *min,
                        struct dn_pq_bound *max)
{
    const struct dn_pq_stats_text *texts = s->texts;

    if (s->kind == DN_PQ_KIND_FIXED && texts[0].len > DN_PQ_STATS_TEXT_MAX) {
        return;
    }
    put_bound(min, texts[0].bytes, kept_length(s, &texts[0]));
    min->exact = min->len == texts[0].len;
    put_bound(max, texts[1].bytes, kept_length(s, &texts[1]));
    max->exact = max->len == texts[1].len;
    if (!max->exact) {
        max->len = s->order == DN_PQ_ORDERED ? raise_text(max->bytes, max->len)
                                             : raise_bytes(max->bytes, max->len);
        max->present = max->len > 0;
        min->present = max->present;
    }
}

void dn_pq_stats_bounds(const struct dn_pq_stats *s, struct dn_pq_bound *min,
                        struct dn_pq_bound *max)
{
    memset(min, 0, sizeof *min);
    memset(max, 0, sizeof *max);
    if (!s->has_values || s->n_nans > 0 || s->unbounded) {
        return;
    }
    if (keeps_bytes(s)) {
        text_bounds(s, min, max);
    } else {
        number_bounds(s, min, max);
    }
}

void dn_pq_stats_write(const struct dn_pq_stats *s, struct dn_thrift_writer *w, int16_t id)
{
    struct dn_pq_bound min;
    struct dn_pq_bound max;

    dn_pq_stats_bounds(s, &min, &max);
    dn_thrift_field_struct(w, id);
    dn_thrift_field_i64(w, DN_PQ_STATISTICS_NULL_COUNT, s->n_nulls);
    if (min.present) {
        dn_thrift_field_binary(w, DN_PQ_STATISTICS_MAX, max.bytes, max.len);
        dn_thrift_field_binary(w, DN_PQ_STATISTICS_MIN, min.bytes, min.len);
        dn_thrift_field_bool(w, DN_PQ_STATISTICS_MAX_EXACT, max.exact);
        dn_thrift_field_bool(w, DN_PQ_STATISTICS_MIN_EXACT, min.exact);
    }
    if (s->kind == DN_PQ_KIND_F32 || s->kind == DN_PQ_KIND_F64 || s->order == DN_PQ_ORDERED_F16) {
        dn_thrift_field_i64(w, DN_PQ_STATISTICS_NAN_COUNT, s->n_nans);
    }
    dn_thrift_struct_end(w);
}
