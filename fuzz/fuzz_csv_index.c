/*
 * The CSV structural kernels: every tier this CPU has gives what the scalar tier gives, from any state, resumed anywhere,
 * and where the scan is regular, what a reading byte by byte gives.
 * Input: delimiter, quote, flags, start position, a cut; then the text.
 */
#include "fuzz_target.h"

#include "simd/kernels.h"

#include <string.h>

#define HEADER 5
#define PADDING 64
#define WORD 64
#define CANARY UINT32_C(0xC0FFEE00)

struct text {
    const uint8_t *buf; /**< padded */
    size_t len;
};

/* What one scan gave. */
struct outcome {
    struct dn_csv_scan scan;
    uint32_t *out;
    size_t n_out;
    size_t n_row_ends;
    size_t stopped;
};

static int same_scan(const struct dn_csv_scan *a, const struct dn_csv_scan *b)
{
    return a->inside == b->inside && a->after_close == b->after_close &&
           a->field_start == b->field_start;
}

static struct outcome run(const struct dn_kernels *k, const struct text *t, size_t pos, size_t len,
                          struct dn_csv_scan scan)
{
    const size_t room = len - pos + WORD;
    struct outcome o = {.scan = scan};
    struct dn_csv_scan swept = scan;

    o.out = malloc((room + 1) * sizeof *o.out);
    FUZZ_CHECK(o.out != NULL, "out of memory");
    o.out[room] = CANARY;
    o.stopped = k->csv_index(t->buf, pos, len, &o.scan, o.out, &o.n_out, &o.n_row_ends);
    FUZZ_CHECK(o.out[room] == CANARY, "tier %d wrote past its output", (int)k->tier);
    FUZZ_CHECK(o.stopped >= pos && o.stopped <= len, "tier %d stopped at %zu", (int)k->tier,
               o.stopped);
    FUZZ_CHECK(o.stopped == len || (o.stopped - pos) % WORD == 0, "tier %d stopped inside a word",
               (int)k->tier);
    const size_t stopped = k->csv_sweep(t->buf, pos, len, &swept);
    FUZZ_CHECK(stopped == o.stopped, "tier %d: sweep stopped at %zu, index at %zu", (int)k->tier,
               stopped, o.stopped);
    FUZZ_CHECK(same_scan(&swept, &o.scan), "tier %d: sweep and index left different states",
               (int)k->tier);
    return o;
}

/* Asked once: cpuid is slow where it traps. */
static int best_tier(void)
{
    static int tier = -1;

    if (tier < 0) {
        tier = (int)dn_cpu_detect();
    }
    return tier;
}

/* Compare all tiers with the scalar one; returns the scalar outcome, whose `out` is for free(). */
static struct outcome run_all(const struct text *t, size_t pos, size_t len, struct dn_csv_scan scan)
{
    const struct outcome want = run(dn_kernels_for(DN_CPU_SCALAR), t, pos, len, scan);

    for (int tier = DN_CPU_SCALAR + 1; tier <= best_tier(); tier++) {
        const struct outcome got = run(dn_kernels_for((enum dn_cpu_tier)tier), t, pos, len, scan);
        FUZZ_CHECK(got.stopped == want.stopped, "tier %d stopped at %zu, scalar at %zu", tier,
                   got.stopped, want.stopped);
        FUZZ_CHECK(got.n_out == want.n_out, "tier %d found %zu, scalar %zu", tier, got.n_out,
                   want.n_out);
        FUZZ_CHECK(memcmp(got.out, want.out, want.n_out * sizeof *want.out) == 0,
                   "tier %d found other positions", tier);
        FUZZ_CHECK(got.n_row_ends == want.n_row_ends, "tier %d counted other rows", tier);
        FUZZ_CHECK(same_scan(&got.scan, &want.scan), "tier %d left another state", tier);
        free(got.out);
    }
    return want;
}

/* What one byte is. */
struct mark {
    int field_ends;
    int row_ends;
    int stray; /**< a quote or text where a regular file has none */
};

/* One byte of the lenient reading of quotes; `next` is the byte behind it. */
static struct mark step(struct dn_csv_scan *s, uint8_t byte, uint8_t next)
{
    const int inside = s->inside != 0;
    const int closed = s->after_close != 0;
    const int start = s->field_start != 0;
    struct mark m = {0};

    s->after_close = s->field_start = 0;
    if (s->has_quote && byte == s->quote) {
        m.stray = !inside && !closed && !start;
        s->after_close = inside != 0;
        s->inside = !inside && !m.stray ? ~UINT64_C(0) : 0;
    } else if (inside) {
        return m;
    } else if (byte == '\n' || (byte == '\r' && s->cr_ends_row) || byte == s->delimiter) {
        m.field_ends = 1;
        m.row_ends = byte != s->delimiter;
        s->field_start = 1;
    } else if (closed && byte == '\r' && next == '\n') {
        s->after_close = 1;
    } else {
        m.stray = closed;
    }
    return m;
}

/*
 * Read [pos, end) byte by byte.  With an outcome, its positions must be those found and no byte may be stray; without one,
 * it is the word where a scan stopped, and there must be a stray byte in it.  Returns the state at `end`.
 */
static struct dn_csv_scan check_bytes(const struct text *t, size_t pos, size_t end,
                                      struct dn_csv_scan scan, const struct outcome *o)
{
    size_t n = 0;
    size_t n_rows = 0;
    size_t n_strays = 0;

    for (; pos < end; pos++) {
        const struct mark m = step(&scan, t->buf[pos], pos + 1 < t->len ? t->buf[pos + 1] : '\n');
        if (o != NULL && m.field_ends) {
            FUZZ_CHECK(n < o->n_out && o->out[n] == pos, "position %zu is missing", pos);
        }
        FUZZ_CHECK(o == NULL || !m.stray, "byte %zu is stray in a word taken for regular", pos);
        n += (size_t)m.field_ends;
        n_rows += (size_t)m.row_ends;
        n_strays += (size_t)m.stray;
    }
    FUZZ_CHECK(o != NULL || n_strays != 0, "the scan stopped at a regular word before %zu", end);
    FUZZ_CHECK(o == NULL || (n == o->n_out && n_rows == o->n_row_ends),
               "%zu positions and %zu rows, not %zu and %zu", n, n_rows, o->n_out, o->n_row_ends);
    return scan;
}

/* Scan to the end, each irregular word byte by byte as the reader does it. */
static void scan_resumed(const struct text *t, size_t pos, struct dn_csv_scan scan)
{
    for (;;) {
        const struct outcome o = run_all(t, pos, t->len, scan);
        const struct dn_csv_scan by_bytes = check_bytes(t, pos, o.stopped, scan, &o);
        /* A carriage return that stays behind a closing quote shows in the byte reading only; it ends with the next byte. */
        const int at_quote = o.stopped == pos || t->buf[o.stopped - 1] == scan.quote;
        FUZZ_CHECK(by_bytes.inside == o.scan.inside && by_bytes.field_start == o.scan.field_start &&
                       (by_bytes.after_close && at_quote) == (o.scan.after_close != 0),
                   "the scan left another state at %zu", o.stopped);
        free(o.out);
        if (o.stopped == t->len) {
            return;
        }
        pos = t->len - o.stopped < WORD ? t->len : o.stopped + WORD;
        scan = check_bytes(t, o.stopped, pos, by_bytes, NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEADER) {
        return 0;
    }
    struct dn_csv_scan scan = {
        .delimiter = data[0],
        .quote = data[1],
        .has_quote = (data[2] & 1) != 0,
        .cr_ends_row = (data[2] & 2) != 0,
    };
    struct text t = {.len = size - HEADER};
    if (scan.delimiter == '\n' || scan.delimiter == '\r' || scan.quote == '\n' ||
        scan.quote == '\r' || scan.delimiter == scan.quote) {
        return 0; /* no dialect */
    }
    switch (data[2] >> 2 & 3) {
    case 0:
        scan.field_start = 1;
        break;
    case 1:
        break;
    case 2:
        scan.inside = scan.has_quote ? ~UINT64_C(0) : 0;
        break;
    default:
        scan.after_close = scan.has_quote;
        break;
    }
    uint8_t *buf = malloc(t.len + PADDING);
    FUZZ_CHECK(buf != NULL, "out of memory");
    memcpy(buf, data + HEADER, t.len);
    memset(buf + t.len, (data[2] & 0x10) != 0 ? scan.quote : '\n', PADDING); /* must not matter */
    t.buf = buf;

    const size_t start = t.len == 0 ? 0 : data[3] % (t.len + 1);
    scan_resumed(&t, start, scan);
    /* Cut anywhere: the end of the text is then another, and so may be what is regular. */
    const size_t cut = start + (t.len == start ? 0 : data[4] % (t.len - start + 1));
    const struct outcome head = run_all(&t, start, cut, scan);
    if (head.stopped == cut) {
        const struct outcome tail = run_all(&t, cut, t.len, head.scan);
        free(tail.out);
    }
    free(head.out);
    free(buf);
    return 0;
}
