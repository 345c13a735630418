/*
 * How fast each kernel is in each tier this CPU has: one line per kernel and input, one column per tier.
 *
 *   kernels_bench [substring]      only the lines whose name contains the substring
 *
 * Inputs fit in the L2 cache; every figure is the best of several short rounds.
 */
#include "base/clock.h"
#include "base/cpu.h"
#include "simd/kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES ((size_t)256 * 1024)
#define N_VALUES ((size_t)4 * 1024)
#define PADDING 64
#define ROUNDS 7
#define ROUND_SECONDS 0.003

static uint8_t text[TEXT_BYTES + PADDING];
static uint8_t copied[TEXT_BYTES + PADDING];
static uint32_t positions[TEXT_BYTES + PADDING];
static uint32_t values32[N_VALUES];
static int64_t values64[N_VALUES];
static uint8_t packed[N_VALUES * 4 + PADDING];
static volatile uint64_t keep; /* results go here so that nothing is optimised away */
static unsigned bench_width;
static bool text_has_quote;

static uint64_t random_u64(void)
{
    static uint64_t state = UINT64_C(0x9E3779B97F4A7C15);

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static unsigned below(unsigned n)
{
    return (unsigned)(random_u64() % n);
}

/* Rows shaped like TPC-H lineitem: 16 columns, about 120 bytes. */
enum lineitem {
    PLAIN,
    QUOTED_COMMENT,
    ALL_QUOTED,
    QUOTED_CRLF
};

static void fill_lineitem(enum lineitem shape)
{
    static const char *const words[] = {"carefully", "final",  "deposits", "sleep",
                                        "furiously", "across", "the",      "packages"};
    size_t len = 0;

    text_has_quote = true;
    while (len < TEXT_BYTES) {
        const char *q = shape == ALL_QUOTED ? "\"" : "";
        const char *qc = shape == PLAIN ? "" : "\"";
        const char *comma = shape == PLAIN ? " " : ", ";
        char row[512];
        int n = snprintf(
            row, sizeof(row),
            "%s%u%s,%s%u%s,%s%u%s,%s%u%s,%s%u%s,%s%u.%02u%s,%s0.0%u%s,%s0.0%u%s,%sN%s,%sO%s,"
            "%s1996-0%u-1%u%s,%s1997-0%u-2%u%s,%s1998-0%u-0%u%s,%sDELIVER%s,%sTRUCK%s,%s%s %s%s%s "
            "%s%s%s",
            q, below(6000000), q, q, below(200000), q, q, below(10000), q, q, 1 + below(7), q, q,
            1 + below(50), q, q, below(100000), below(100), q, q, below(10), q, q, below(9), q, q,
            q, q, q, q, 1 + below(9), below(10), q, q, 1 + below(9), below(9), q, q, 1 + below(9),
            1 + below(9), q, q, q, q, q, qc, words[below(8)], words[below(8)], comma,
            words[below(8)], words[below(8)], qc, shape == QUOTED_CRLF ? "\r\n" : "\n");
        size_t take = (size_t)n < TEXT_BYTES - len ? (size_t)n : TEXT_BYTES - len;

        memcpy(text + len, row, take);
        len += take;
    }
}

/* Code points of `n` equally likely byte lengths, starting at 1. */
static void fill_utf8(unsigned max_len)
{
    static const char *const samples[] = {"e", "\xC3\xA9", "\xE4\xB8\xAD", "\xF0\x9F\x99\x82"};
    size_t len = 0;

    while (len < TEXT_BYTES) {
        const char *s = samples[below(max_len)];
        size_t n = strlen(s);

        if (n > TEXT_BYTES - len) {
            s = "e";
            n = 1;
        }
        memcpy(text + len, s, n);
        len += n;
    }
}

static void fill_values(unsigned bit_width)
{
    uint32_t mask = bit_width == 0 ? 0 : UINT32_MAX >> (32 - bit_width);

    bench_width = bit_width;
    for (size_t i = 0; i < N_VALUES; i++) {
        values32[i] = (uint32_t)random_u64() & mask;
        values64[i] = (int64_t)random_u64();
    }
}

static struct dn_csv_scan row_start(void)
{
    struct dn_csv_scan scan = {
        .field_start = 1, .delimiter = ',', .quote = '"', .has_quote = text_has_quote};

    return scan;
}

static void run_index(const struct dn_kernels *k)
{
    struct dn_csv_scan scan = row_start();
    size_t n_out = 0;
    size_t n_row_ends = 0;
    size_t end = k->csv_index(text, 0, TEXT_BYTES, &scan, positions, &n_out, &n_row_ends);

    if (end != TEXT_BYTES) {
        fprintf(stderr, "the bench text is irregular at %zu\n", end);
        exit(1);
    }
    keep += n_out + n_row_ends;
}

static void run_sweep(const struct dn_kernels *k)
{
    struct dn_csv_scan scan = row_start();

    keep += k->csv_sweep(text, 0, TEXT_BYTES, &scan);
}

static void run_utf8(const struct dn_kernels *k)
{
    keep += k->utf8_valid_prefix(text, TEXT_BYTES);
}

/* Cells of bench_width bytes, as a renderer copies them. */
static void run_json(const struct dn_kernels *k)
{
    for (size_t i = 0; i + bench_width <= TEXT_BYTES; i += bench_width) {
        keep += k->json_plain_copy(copied, text + i, bench_width);
    }
}

static void run_pack(const struct dn_kernels *k)
{
    k->bit_pack32(values32, N_VALUES, bench_width, packed);
    keep += packed[0];
}

static void run_pack_64(const struct dn_kernels *k)
{
    for (size_t i = 0; i < N_VALUES; i += 64) {
        k->bit_pack32(values32 + i, 64, bench_width, packed + i / 8 * bench_width);
    }
    keep += packed[0];
}

static void run_unpack(const struct dn_kernels *k)
{
    k->bit_unpack32(packed, N_VALUES, bench_width, values32);
    keep += values32[0];
}

static void run_min_max_i64(const struct dn_kernels *k)
{
    int64_t min, max;

    k->min_max_i64(values64, N_VALUES, &min, &max);
    keep += (uint64_t)min ^ (uint64_t)max;
}

static void run_min_max_i32(const struct dn_kernels *k)
{
    int32_t min, max;

    k->min_max_i32((const int32_t *)values32, N_VALUES, &min, &max);
    keep += (uint64_t)min ^ (uint64_t)max;
}

static void run_run_length(const struct dn_kernels *k)
{
    keep += k->run_length_u32(values32, N_VALUES);
}

/* Best nanoseconds of one call. */
static double time_call(void (*run)(const struct dn_kernels *), const struct dn_kernels *k)
{
    double best = 1e300;

    run(k);
    for (int round = 0; round < ROUNDS; round++) {
        double start = dn_clock_seconds();
        double elapsed;
        unsigned calls = 0;

        do {
            run(k);
            calls++;
            elapsed = dn_clock_seconds() - start;
        } while (elapsed < ROUND_SECONDS);
        if (elapsed * 1e9 / calls < best) {
            best = elapsed * 1e9 / calls;
        }
    }
    return best;
}

static const char *wanted = "";

static void line(const char *name, void (*run)(const struct dn_kernels *), size_t amount,
                 const char *unit)
{
    if (strstr(name, wanted) == NULL) {
        return;
    }
    printf("%-32s", name);
    for (int tier = DN_CPU_SCALAR; tier <= (int)dn_cpu_selected(); tier++) {
        double ns = time_call(run, dn_kernels_for((enum dn_cpu_tier)tier));

        printf(" %10.2f", (double)amount / ns);
    }
    printf("  %s\n", unit);
}

static void bench_csv(const char *name, enum lineitem shape)
{
    char label[64];

    fill_lineitem(shape);
    (void)snprintf(label, sizeof(label), "csv_index %s", name);
    line(label, run_index, TEXT_BYTES, "GB/s");
    (void)snprintf(label, sizeof(label), "csv_sweep %s", name);
    line(label, run_sweep, TEXT_BYTES, "GB/s");
}

int main(int argc, char **argv)
{
    static const unsigned widths[] = {1, 2, 3, 5, 7, 8, 10, 13, 16, 17, 20, 25, 31, 32};
    char label[64];

    if (argc > 1) {
        wanted = argv[1];
    }
    printf("%-32s", "");
    for (int tier = DN_CPU_SCALAR; tier <= (int)dn_cpu_selected(); tier++) {
        printf(" %10s", dn_cpu_tier_name((enum dn_cpu_tier)tier));
    }
    printf("\n");
    bench_csv("plain", PLAIN);
    bench_csv("quoted comment", QUOTED_COMMENT);
    bench_csv("quoted comment, CRLF", QUOTED_CRLF);
    bench_csv("all quoted", ALL_QUOTED);
    fill_utf8(1);
    line("utf8_valid_prefix ascii", run_utf8, TEXT_BYTES, "GB/s");
    fill_utf8(2);
    line("utf8_valid_prefix 1-2 bytes", run_utf8, TEXT_BYTES, "GB/s");
    fill_utf8(4);
    line("utf8_valid_prefix 1-4 bytes", run_utf8, TEXT_BYTES, "GB/s");
    fill_utf8(1);
    static const unsigned cells[] = {4, 30, 4096};
    for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
        bench_width = cells[i];
        (void)snprintf(label, sizeof(label), "json_plain_copy %u bytes", bench_width);
        line(label, run_json, TEXT_BYTES, "GB/s");
    }
    for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
        fill_values(widths[i]);
        (void)snprintf(label, sizeof(label), "bit_pack32 width %u", widths[i]);
        line(label, run_pack, N_VALUES, "values/ns");
    }
    for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
        fill_values(widths[i]);
        run_pack(dn_kernels_for(DN_CPU_SCALAR));
        (void)snprintf(label, sizeof(label), "bit_unpack32 width %u", widths[i]);
        line(label, run_unpack, N_VALUES, "values/ns");
    }
    fill_values(5);
    line("bit_pack32 width 5, 64 a call", run_pack_64, N_VALUES, "values/ns");
    fill_values(20);
    line("bit_pack32 width 20, 64 a call", run_pack_64, N_VALUES, "values/ns");
    fill_values(32);
    line("min_max_i64", run_min_max_i64, N_VALUES, "values/ns");
    line("min_max_i32", run_min_max_i32, N_VALUES, "values/ns");
    fill_values(0);
    line("run_length_u32", run_run_length, N_VALUES, "values/ns");
    return 0;
}
