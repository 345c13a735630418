/* Filling the kernel tables: scalar first, then every tier overwrites what it does better. */
#include "simd/kernels.h"
#include "simd/tiers.h"

#include <pthread.h>

static struct dn_kernels tables[DN_CPU_TIER_COUNT];
static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

#define SET_CSV(k, tier)                                                                           \
    do {                                                                                           \
        (k)->csv_index = csv_index_##tier;                                                         \
        (k)->csv_sweep = csv_sweep_##tier;                                                         \
    } while (0)
#define SET_CELLS(k, tier)                                                                         \
    do {                                                                                           \
        (k)->cells_int64 = cells_int64_##tier;                                                     \
        (k)->cells_float64 = cells_float64_##tier;                                                 \
        (k)->cells_date32 = cells_date32_##tier;                                                   \
        (k)->cells_timestamp = cells_timestamp_##tier;                                             \
    } while (0)
#define SET_JSON_READ(k, tier)                                                                     \
    do {                                                                                           \
        (k)->json_cut = json_cut_##tier;                                                           \
        (k)->json_plain_prefix = json_plain_prefix_##tier;                                         \
    } while (0)
#define SET_REDUCE(k, tier)                                                                        \
    do {                                                                                           \
        (k)->min_max_i64 = min_max_i64_##tier;                                                     \
        (k)->min_max_i32 = min_max_i32_##tier;                                                     \
        (k)->run_length_u32 = run_length_u32_##tier;                                               \
    } while (0)

static void set_scalar(struct dn_kernels *k)
{
    SET_CSV(k, scalar);
    k->csv_unquote = csv_unquote_scalar;
    SET_CELLS(k, scalar);
    SET_JSON_READ(k, scalar);
    k->utf8_valid_prefix = utf8_valid_prefix_scalar;
    k->json_plain_copy = json_plain_copy_scalar;
    k->bit_pack32 = bit_pack32_scalar;
    k->bit_unpack32 = bit_unpack32_scalar;
    SET_REDUCE(k, scalar);
}

#if defined(__x86_64__)
static void set_avx2(struct dn_kernels *k)
{
    SET_CSV(k, avx2);
    k->csv_unquote = csv_unquote_avx2;
    SET_CELLS(k, avx2);
    SET_JSON_READ(k, avx2);
    k->utf8_valid_prefix = utf8_valid_prefix_avx2;
    k->json_plain_copy = json_plain_copy_avx2;
    k->bit_pack32 = bit_pack32_avx2;
    k->bit_unpack32 = bit_unpack32_avx2;
    SET_REDUCE(k, avx2);
}

static void set_avx512(struct dn_kernels *k)
{
    SET_CSV(k, avx512);
    SET_CELLS(k, avx512);
    k->utf8_valid_prefix = utf8_valid_prefix_avx512;
    k->json_plain_copy = json_plain_copy_avx512;
    k->bit_pack32 = bit_pack32_avx512;
    SET_REDUCE(k, avx512);
}

static void fill_tier(struct dn_kernels *k, enum dn_cpu_tier tier)
{
    if (tier >= DN_CPU_AVX2) {
        set_avx2(k);
    }
    if (tier >= DN_CPU_AVX512) {
        set_avx512(k);
    }
}

#elif defined(__aarch64__)
/* The scalar loops of the others are the compiler's to make of NEON, which it may always use. */
static void set_neon(struct dn_kernels *k)
{
    SET_CSV(k, neon);
    SET_CELLS(k, neon);
    SET_JSON_READ(k, neon);
    k->utf8_valid_prefix = utf8_valid_prefix_neon;
    k->json_plain_copy = json_plain_copy_neon;
    k->run_length_u32 = run_length_u32_neon;
}

static void fill_tier(struct dn_kernels *k, enum dn_cpu_tier tier)
{
    if (tier >= DN_CPU_NEON) {
        set_neon(k);
    }
    if (tier >= DN_CPU_PMULL) {
        SET_CSV(k, pmull);
    }
}

#else
static void fill_tier(struct dn_kernels *k, enum dn_cpu_tier tier)
{
    (void)k;
    (void)tier;
}
#endif

static void fill_tables(void)
{
    for (int tier = DN_CPU_SCALAR; tier < DN_CPU_TIER_COUNT; tier++) {
        struct dn_kernels *k = &tables[tier];

        k->tier = (enum dn_cpu_tier)tier;
        set_scalar(k);
        fill_tier(k, k->tier);
    }
}

const struct dn_kernels *dn_kernels_for(enum dn_cpu_tier tier)
{
    /* pthread_once can only fail on an invalid control object. */
    (void)pthread_once(&tables_once, fill_tables);
    if ((unsigned)tier >= DN_CPU_TIER_COUNT) {
        return &tables[DN_CPU_SCALAR];
    }
    return &tables[tier];
}

const struct dn_kernels *dn_kernels_selected(void)
{
    return dn_kernels_for(dn_cpu_selected());
}
