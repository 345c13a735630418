/** Texts for the parsers, surrounded by exactly the readable bytes their contract asks for, and by bytes that must not matter. */
#ifndef DN_TEST_TEXT_PADDED_H
#define DN_TEST_TEXT_PADDED_H

#include "text/parse.h"

#include <stdlib.h>
#include <string.h>

#define PADDED_MAX 4096

struct padded {
    uint8_t *block; /* heap, so that the address sanitizer sees a byte too many */
    uint8_t *text;
    size_t len;
};

/* A copy of `text` with `fill` around it. */
static inline struct padded padded_make(const char *text, size_t len, int fill)
{
    struct padded p = {.len = len};
    p.block = malloc(len + (size_t)2 * DN_TEXT_PADDING);
    if (p.block == NULL) {
        abort();
    }
    memset(p.block, fill, len + (size_t)2 * DN_TEXT_PADDING);
    p.text = p.block + DN_TEXT_PADDING;
    memcpy(p.text, text, len);
    return p;
}

static inline void padded_free(struct padded *p)
{
    free(p->block);
}

/* Neighbours that could be mistaken for part of a number, and some that could not. */
static const int padded_fills[] = {'7', '0', '.', '-', ' ', 0, 0xff};
#define N_PADDED_FILLS (sizeof padded_fills / sizeof padded_fills[0])

/* xorshift64*: seeded by the test, the same everywhere */
static inline uint64_t test_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

/* Tests run `n` rounds, or n * DN_TEST_ROUNDS of the environment for a longer search. */
static inline uint64_t test_rounds(uint64_t n)
{
    const char *times = getenv("DN_TEST_ROUNDS");
    const uint64_t factor = times != NULL ? strtoull(times, NULL, 10) : 1;
    return n * (factor != 0 ? factor : 1);
}

#endif
