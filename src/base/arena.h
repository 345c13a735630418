/** Memory that dies together: a bump allocator for metadata.  Threads: one owner. */
#ifndef DN_BASE_ARENA_H
#define DN_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct dn_arena_chunk;
struct dn_arena {
    struct dn_arena_chunk *chunks;
    size_t used; /**< bytes used in the newest chunk */
};

/** Zeroed memory is a valid empty arena.  Frees everything at once. */
void dn_arena_finish(struct dn_arena *a);
/** `size` zeroed bytes, aligned to 16; NULL if memory ran out. */
void *dn_arena_alloc(struct dn_arena *a, size_t size);
/** NUL-terminated copy. */
char *dn_arena_strndup(struct dn_arena *a, const char *text, size_t len);
char *dn_arena_strdup(struct dn_arena *a, const char *text);

#endif
