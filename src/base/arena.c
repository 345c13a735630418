#include "base/arena.h"

#include "base/memory.h"

#include <stdalign.h>
#include <string.h>

#define ARENA_ALIGNMENT ((size_t)16)
#define SMALLEST_CHUNK ((size_t)1024)
#define LARGEST_CHUNK ((size_t)256 << 10)

struct dn_arena_chunk {
    struct dn_arena_chunk *next;
    size_t size; /* bytes of data */
    alignas(16) unsigned char data[];
};

void dn_arena_finish(struct dn_arena *a)
{
    struct dn_arena_chunk *chunk = a->chunks;

    while (chunk != NULL) {
        struct dn_arena_chunk *next = chunk->next;
        dn_free(chunk);
        chunk = next;
    }
    *a = (struct dn_arena){0};
}

static struct dn_arena_chunk *chunk_create(size_t size)
{
    size_t bytes = 0;
    struct dn_arena_chunk *chunk = NULL;

    if (dn_add_size(size, sizeof(*chunk), &bytes)) {
        chunk = dn_calloc(1, bytes);
    }
    if (chunk != NULL) {
        chunk->size = size;
    }
    return chunk;
}

void *dn_arena_alloc(struct dn_arena *a, size_t size)
{
    size_t rounded = 0;
    struct dn_arena_chunk *chunk = a->chunks;

    if (!dn_add_size(size == 0 ? 1 : size, ARENA_ALIGNMENT - 1, &rounded)) {
        return NULL;
    }
    rounded &= ~(ARENA_ALIGNMENT - 1);
    if (chunk != NULL && rounded <= chunk->size - a->used) {
        void *memory = chunk->data + a->used;
        a->used += rounded;
        return memory;
    }
    size_t usual = chunk == NULL ? SMALLEST_CHUNK : 2 * chunk->size;
    usual = usual > LARGEST_CHUNK ? LARGEST_CHUNK : usual;
    struct dn_arena_chunk *fresh = chunk_create(rounded > usual ? rounded : usual);
    if (fresh == NULL) {
        return NULL;
    }
    if (chunk != NULL && rounded > usual) {
        fresh->next =
            chunk->next; /* a chunk of its own; what is left of the newest one stays in use */
        chunk->next = fresh;
    } else {
        fresh->next = chunk;
        a->chunks = fresh;
        a->used = rounded;
    }
    return fresh->data;
}

char *dn_arena_strndup(struct dn_arena *a, const char *text, size_t len)
{
    size_t size = 0;
    char *copy = dn_add_size(len, 1, &size) ? dn_arena_alloc(a, size) : NULL;

    if (copy != NULL && len > 0) {
        memcpy(copy, text, len);
    }
    return copy;
}

char *dn_arena_strdup(struct dn_arena *a, const char *text)
{
    return dn_arena_strndup(a, text, strlen(text));
}
