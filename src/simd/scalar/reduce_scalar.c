/* Reductions over values: minimum and maximum, length of the leading run. */
#include "simd/tiers.h"

void min_max_i64_scalar(const int64_t *values, size_t n, int64_t *min, int64_t *max)
{
    int64_t low = values[0];
    int64_t high = values[0];

    for (size_t i = 1; i < n; i++) {
        low = values[i] < low ? values[i] : low;
        high = values[i] > high ? values[i] : high;
    }
    *min = low;
    *max = high;
}

void min_max_i32_scalar(const int32_t *values, size_t n, int32_t *min, int32_t *max)
{
    int32_t low = values[0];
    int32_t high = values[0];

    for (size_t i = 1; i < n; i++) {
        low = values[i] < low ? values[i] : low;
        high = values[i] > high ? values[i] : high;
    }
    *min = low;
    *max = high;
}

size_t run_length_u32_scalar(const uint32_t *values, size_t n)
{
    size_t run = 1;

    while (run < n && values[run] == values[0]) {
        run++;
    }
    return run;
}
