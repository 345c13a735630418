#include "base/memory.h"

#include "base/os_memory.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_HWADDRESS__)
#    define DN_RECYCLE 0
#elif defined(__has_feature)
#    if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#        define DN_RECYCLE 0
#    endif
#endif
#ifndef DN_RECYCLE
#    define DN_RECYCLE 1
#endif
#if !DN_RECYCLE
#    include <sanitizer/asan_interface.h>
#endif

#define ALIGNMENT ((size_t)64)
/* Smaller blocks would take too much beside what they hold. */
#define ALIGNED_FROM ((size_t)1024)

/* ---- test hook ------------------------------------------------------------------------------------------------- */

static atomic_bool hook_armed;
static atomic_uint_fast64_t hook_count;
static atomic_uint_fast64_t hook_fail_at;

uint64_t dn_memory_fail_at(uint64_t n)
{
    atomic_store(&hook_armed, false);
    uint64_t counted = atomic_exchange(&hook_count, 0);
    atomic_store(&hook_fail_at, n);
    atomic_store(&hook_armed, n != 0);
    return counted;
}

static bool must_fail(void)
{
    if (!atomic_load_explicit(&hook_armed, memory_order_relaxed)) {
        return false;
    }
    return atomic_fetch_add(&hook_count, 1) + 1 == atomic_load(&hook_fail_at);
}

/* ---- checked sizes --------------------------------------------------------------------------------------------- */

bool dn_add_size(size_t a, size_t b, size_t *out)
{
    size_t sum = 0;

    if (__builtin_add_overflow(a, b, &sum)) {
        return false;
    }
    *out = sum;
    return true;
}

bool dn_mul_size(size_t a, size_t b, size_t *out)
{
    size_t product = 0;

    if (__builtin_mul_overflow(a, b, &product)) {
        return false;
    }
    *out = product;
    return true;
}

/* ---- the cache of large aligned blocks ------------------------------------------------------------------------- */

/*
 * Fresh pages cost a fault each, which for a block of many megabytes is dearer than filling it.  So blocks of a few fixed
 * sizes are kept for the next request of the same size, as many as those who use them have granted.  The mutex is only ever tried,
 * never waited for: a busy cache is bypassed, which also keeps a child of fork() from hanging on a lock that some other thread held.
 */
#define RECYCLE_MIN_BYTES ((size_t)64 << 10)
#define RECYCLE_MAX_IDLE_BYTES ((size_t)48 << 20)
#define RECYCLE_MAX_BLOCKS 128
#define MAP_MIN_BYTES ((size_t)256 << 10)
#define RECYCLE_TRIES 32
/* Smaller blocks are better copied into one that lies idle than faulted in. */
#define MOVE_MIN_BYTES ((size_t)8 << 20)

#if DN_RECYCLE

struct idle_block {
    void *memory;
    size_t size;
    uint64_t stamp; /* larger: put in later */
};

static struct {
    pthread_mutex_t lock;
    struct idle_block blocks[RECYCLE_MAX_BLOCKS];
    size_t n_blocks;
    size_t idle_bytes;
    uint64_t next_stamp;
} cache = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* By the users there are; what is more than RECYCLE_MAX_IDLE_BYTES does not count. */
static atomic_size_t granted;

/*
 * Large blocks are mappings of their own: what leaves the cache goes back to the OS at once, where the heaps of many threads would
 * keep it in pieces.
 */
static void *map_block(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

static void free_block(void *memory, size_t size)
{
    if (size >= MAP_MIN_BYTES) {
        (void)munmap(memory, size);
    } else {
        dn_os_aligned_free(memory);
    }
}

static bool cache_lock(void)
{
    for (int i = 0; i < RECYCLE_TRIES; i++) {
        if (pthread_mutex_trylock(&cache.lock) == 0) {
            return true;
        }
    }
    return false;
}

static size_t idle_limit(void)
{
    const size_t sum = atomic_load(&granted);

    return sum < RECYCLE_MAX_IDLE_BYTES ? sum : RECYCLE_MAX_IDLE_BYTES;
}

/* The quarter-power-of-two steps around `size`: the largest class <= size, and the distance to the next one. */
static size_t class_floor(size_t size, size_t *out_step)
{
    size_t power = (size_t)1 << (8 * sizeof(size_t) - 1 - (size_t)__builtin_clzll(size));
    size_t step = power / 4;

    *out_step = step;
    return size - (size - power) % step;
}

static size_t class_ceil(size_t size)
{
    size_t step = 0;
    size_t below = class_floor(size, &step);
    size_t above = 0;

    if (below == size || !dn_add_size(below, step, &above)) {
        return size;
    }
    return above;
}

static struct idle_block cache_take_at(size_t i)
{
    const struct idle_block block = cache.blocks[i];

    cache.idle_bytes -= block.size;
    cache.blocks[i] = cache.blocks[--cache.n_blocks];
    return block;
}

static void *cache_get(size_t size)
{
    size_t found = RECYCLE_MAX_BLOCKS;
    void *memory = NULL;

    if (!cache_lock()) {
        return NULL;
    }
    for (size_t i = 0; i < cache.n_blocks; i++) {
        if (cache.blocks[i].size == size &&
            (found == RECYCLE_MAX_BLOCKS || cache.blocks[i].stamp > cache.blocks[found].stamp)) {
            found = i; /* the latest one is the likeliest to be in the CPU's caches */
        }
    }
    if (found != RECYCLE_MAX_BLOCKS) {
        memory = cache_take_at(found).memory;
    }
    pthread_mutex_unlock(&cache.lock);
    return memory;
}

static size_t cache_oldest(void)
{
    size_t oldest = 0;

    for (size_t i = 1; i < cache.n_blocks; i++) {
        if (cache.blocks[i].stamp < cache.blocks[oldest].stamp) {
            oldest = i;
        }
    }
    return oldest;
}

static void free_blocks(const struct idle_block *blocks, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free_block(blocks[i].memory, blocks[i].size);
    }
}

/* Under the lock: take out the oldest blocks until no more than `limit` bytes lie idle. */
static size_t cache_evict(size_t limit, struct idle_block *out)
{
    size_t n = 0;

    while (cache.idle_bytes > limit) {
        out[n++] = cache_take_at(cache_oldest());
    }
    return n;
}

/* False: not kept, the caller frees it. */
static bool cache_put(void *memory, size_t size)
{
    struct idle_block evicted[RECYCLE_MAX_BLOCKS];
    size_t n_evicted = 0;

    if (!cache_lock()) {
        return false;
    }
    const size_t limit = idle_limit();
    const bool fits = size <= limit;
    if (fits) {
        n_evicted = cache_evict(limit - size, evicted);
        if (cache.n_blocks == RECYCLE_MAX_BLOCKS) {
            evicted[n_evicted++] = cache_take_at(cache_oldest());
        }
        cache.blocks[cache.n_blocks++] = (struct idle_block){memory, size, cache.next_stamp++};
        cache.idle_bytes += size;
    }
    pthread_mutex_unlock(&cache.lock);
    free_blocks(evicted, n_evicted); /* outside of the lock: it may unmap */
    return fits;
}

#endif

/* ---- small aligned blocks ---------------------------------------------------------------------------------------- */

/*
 * Aligned here, in a block of malloc() that is a little larger: aligned allocation splits what it takes on both sides, which costs several
 * times as much and leaves pieces behind.  The byte in front says how far the block begins before it.
 */
#if DN_RECYCLE

static void *small_alloc(size_t size)
{
    uint8_t *block = malloc(size + ALIGNMENT);

    if (block == NULL) {
        return NULL;
    }
    const size_t before = ALIGNMENT - (uintptr_t)block % ALIGNMENT;
    block[before - 1] = (uint8_t)before;
    return block + before;
}

static void small_free(void *memory)
{
    uint8_t *aligned = memory;

    if (aligned != NULL) {
        free(aligned - aligned[-1]);
    }
}

#else

/* Under a sanitizer the size stands in front, where nobody may look: whoever frees a block has to know how it was made. */
static void *checked_alloc(size_t size)
{
    size_t total = 0;
    uint8_t *block =
        dn_add_size(size, ALIGNMENT, &total) ? dn_os_aligned_alloc(ALIGNMENT, total) : NULL;

    if (block == NULL) {
        return NULL;
    }
    memcpy(block, &size, sizeof(size));
    ASAN_POISON_MEMORY_REGION(block, ALIGNMENT);
    return block + ALIGNMENT;
}

static void checked_free(void *memory, size_t size)
{
    size_t made = 0;

    if (memory == NULL) {
        return;
    }
    uint8_t *block = (uint8_t *)memory - ALIGNMENT;
    ASAN_UNPOISON_MEMORY_REGION(block, ALIGNMENT);
    memcpy(&made, block, sizeof(made));
    if (made != size) {
        (void)fprintf(stderr, "memory: a block of %zu bytes is freed as one of %zu\n", made, size);
        abort();
    }
    dn_os_aligned_free(block);
}

#endif

/* ---- how much may lie idle --------------------------------------------------------------------------------------- */

#if DN_RECYCLE

void dn_memory_idle_grant(size_t bytes)
{
    atomic_fetch_add(&granted, bytes);
}

static void evict_over(size_t limit)
{
    struct idle_block evicted[RECYCLE_MAX_BLOCKS];

    if (cache_lock()) { /* else whoever frees a block next does it */
        const size_t n_evicted = cache_evict(limit, evicted);
        pthread_mutex_unlock(&cache.lock);
        free_blocks(evicted, n_evicted);
    }
}

void dn_memory_idle_withdraw(size_t bytes)
{
    atomic_fetch_sub(&granted, bytes);
    evict_over(idle_limit());
}

void dn_memory_give_back(void)
{
    evict_over(0);
    dn_os_heaps_trim();
}

#else

void dn_memory_idle_grant(size_t bytes)
{
    (void)bytes;
}

void dn_memory_idle_withdraw(size_t bytes)
{
    (void)bytes;
}

void dn_memory_give_back(void)
{
    dn_os_heaps_trim();
}

#endif

/* ---- allocation ------------------------------------------------------------------------------------------------ */

void *dn_malloc(size_t size)
{
    return must_fail() ? NULL : malloc(size == 0 ? 1 : size);
}

void *dn_calloc(size_t n, size_t size)
{
    if (must_fail()) {
        return NULL;
    }
    return n == 0 || size == 0 ? calloc(1, 1) : calloc(n, size);
}

void *dn_realloc(void *memory, size_t size)
{
    return must_fail() ? NULL : realloc(memory, size == 0 ? 1 : size);
}

void *dn_realloc_array(void *memory, size_t n, size_t size)
{
    size_t bytes = 0;

    return dn_mul_size(n, size, &bytes) ? dn_realloc(memory, bytes) : NULL;
}

char *dn_strndup(const char *text, size_t len)
{
    size_t size = 0;
    char *copy = dn_add_size(len, 1, &size) ? dn_malloc(size) : NULL;

    if (copy == NULL) {
        return NULL;
    }
    if (len > 0) {
        memcpy(copy, text, len);
    }
    copy[len] = '\0';
    return copy;
}

char *dn_strdup(const char *text)
{
    return dn_strndup(text, strlen(text));
}

void dn_free(void *memory)
{
    free(memory);
}

void *dn_malloc_aligned(size_t size)
{
    if (must_fail()) {
        return NULL;
    }
#if DN_RECYCLE
    if (size >= RECYCLE_MIN_BYTES) {
        size = class_ceil(size);
        void *memory = cache_get(size);
        if (memory != NULL || size >= MAP_MIN_BYTES) {
            return memory != NULL ? memory : map_block(size);
        }
        return dn_os_aligned_alloc(ALIGNMENT, size);
    }
    return size < ALIGNED_FROM ? malloc(size == 0 ? 1 : size) : small_alloc(size);
#else
    return checked_alloc(size);
#endif
}

void *dn_grow_aligned(void *memory, size_t size, size_t kept, size_t wanted)
{
#if DN_RECYCLE
    if (size >= MOVE_MIN_BYTES && wanted >= MOVE_MIN_BYTES) {
        if (must_fail()) {
            return NULL;
        }
        void *moved = dn_os_pages_move(memory, class_ceil(size), class_ceil(wanted));
        if (moved != NULL) {
            return moved;
        }
    }
#endif
    void *grown = dn_malloc_aligned(wanted);
    if (grown != NULL && memory != NULL) {
        memcpy(grown, memory, kept);
        dn_free_aligned(memory, size);
    }
    return grown;
}

void dn_free_aligned(void *memory, size_t size)
{
#if DN_RECYCLE
    if (memory != NULL && size >= RECYCLE_MIN_BYTES) {
        size = class_ceil(size);
        if (!cache_put(memory, size)) {
            free_block(memory, size);
        }
    } else if (size < ALIGNED_FROM) {
        free(memory);
    } else {
        small_free(memory);
    }
#else
    checked_free(memory, size);
#endif
}
