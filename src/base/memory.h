/**
 * Allocation.  All heap memory of the libraries comes from here, so that tests can make the n-th allocation fail.
 * Threads: every function is thread-safe.
 */
#ifndef DN_BASE_MEMORY_H
#define DN_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** `size` bytes, uninitialised; NULL if memory ran out.  A size of 0 gives a valid pointer.  Free with dn_free(). */
void *dn_malloc(size_t size);
/** `n * size` zeroed bytes; NULL if memory ran out or the product overflows. */
void *dn_calloc(size_t n, size_t size);
/** Grow or shrink; on failure NULL, and the old memory stays. */
void *dn_realloc(void *memory, size_t size);
/** `n * size` bytes (overflow checked), the typical array growth. */
void *dn_realloc_array(void *memory, size_t n, size_t size);
/** A NUL-terminated copy of `len` bytes. */
char *dn_strndup(const char *text, size_t len);
char *dn_strdup(const char *text);
/** Free what the functions above gave out.  NULL is allowed. */
void dn_free(void *memory);

/**
 * `size` bytes aligned to 64, to 16 if they are less than 1 KiB, uninitialised; NULL if memory ran out.
 * Blocks of 64 KiB and more come in sizes four to the power of two, and freed ones are kept for the next request of the same
 * size, as far as dn_memory_idle_grant() allows: at most 48 MiB and 128 blocks lie idle, the oldest make room.  From 256 KiB on a block that is not kept
 * goes back to the OS.  Under AddressSanitizer nothing is kept, so that use after free is found.
 */
void *dn_malloc_aligned(size_t size);
/**
 * Let `bytes` more of freed blocks lie idle, out of the caller's own budget; nothing is kept before somebody allows it.  Every shared
 * object has a cache of its own.
 */
void dn_memory_idle_grant(size_t bytes);
/** Take back what was granted; blocks over what is left are freed. */
void dn_memory_idle_withdraw(size_t bytes);
/** Give what lies idle back to the OS, in the heap too.  For between two things that are large in different ways. */
void dn_memory_give_back(void);
/**
 * A block of dn_malloc_aligned(`size`) as one of `wanted` bytes, of which the first `kept` are those of the old one, which is free then;
 * on failure NULL, and the old one stays.  Blocks of 8 MiB and more move without their bytes being copied, so that what grows by doubling
 * needs neither the time nor the memory of two.
 */
void *dn_grow_aligned(void *memory, size_t size, size_t kept, size_t wanted);
/** Free a block of dn_malloc_aligned(`size`), with the size that was asked for.  NULL is allowed. */
void dn_free_aligned(void *memory, size_t size);

/** a + b and a * b with overflow check; false on overflow, *out untouched. */
bool dn_add_size(size_t a, size_t b, size_t *out);
bool dn_mul_size(size_t a, size_t b, size_t *out);

/**
 * Test hook: the n-th allocation from now (1 = the next) fails, once; 0 disarms.  Returns the number of allocations
 * counted since the last call; while disarmed nothing is counted.  Not for production code.
 */
uint64_t dn_memory_fail_at(uint64_t n);

#endif
