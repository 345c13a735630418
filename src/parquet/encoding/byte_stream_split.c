#include "parquet/encoding/byte_stream_split.h"

#include <string.h>

void dn_pq_split_write(const uint8_t *values, size_t n, size_t width, uint8_t *out)
{
    for (size_t b = 0; b < width; b++) {
        for (size_t i = 0; i < n; i++) {
            *out++ = values[i * width + b];
        }
    }
}

/* The streams one value after the other: widths that are known become one store per value. */
static inline __attribute__((always_inline)) void join(const uint8_t *in, size_t stride, size_t n,
                                                       size_t width, uint8_t *out)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t b = 0; b < width; b++) {
            out[i * width + b] = in[b * stride + i];
        }
    }
}

void dn_pq_split_read(const uint8_t *in, size_t n_all, size_t width, size_t first, size_t n,
                      uint8_t *out)
{
    switch (width) {
    case 4:
        join(in + first, n_all, n, 4, out);
        break;
    case 8:
        join(in + first, n_all, n, 8, out);
        break;
    default:
        join(in + first, n_all, n, width, out);
        break;
    }
}
