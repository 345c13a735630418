/* Open addressing with linear probing, at most half full. */
#include "base/name_map.h"

#include "base/digest.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* With a final mix so that the low bits depend on every byte. */
static uint64_t hash_name(const char *text, size_t len)
{
    const uint64_t h = dn_digest_bytes(DN_DIGEST_START, text, len);

    return h ^ h >> 32;
}

void dn_name_map_finish(struct dn_name_map *map)
{
    dn_free(map->slots);
    *map = (struct dn_name_map){0};
}

int64_t dn_name_map_get(const struct dn_name_map *map, const char *text, size_t len)
{
    const uint64_t hash = hash_name(text, len);

    if (map->n_slots == 0) {
        return -1;
    }
    for (size_t i = hash & (map->n_slots - 1);; i = (i + 1) & (map->n_slots - 1)) {
        const struct dn_name_entry *slot = &map->slots[i];
        if (slot->text == NULL) {
            return -1;
        }
        if (slot->hash == hash && slot->len == len && memcmp(slot->text, text, len) == 0) {
            return slot->value;
        }
    }
}

static void put(struct dn_name_entry *slots, size_t n_slots, const struct dn_name_entry *name)
{
    size_t i = name->hash & (n_slots - 1);

    while (slots[i].text != NULL) {
        i = (i + 1) & (n_slots - 1);
    }
    slots[i] = *name;
}

static enum dn_status grow(struct dn_name_map *map, struct dn_error *err)
{
    const size_t n_slots = map->n_slots == 0 ? 64 : map->n_slots * 2;
    struct dn_name_entry *slots = dn_calloc(n_slots, sizeof *slots);

    if (slots == NULL) {
        return dn_error_memory(err, n_slots * sizeof *slots);
    }
    for (size_t i = 0; i < map->n_slots; i++) {
        if (map->slots[i].text != NULL) {
            put(slots, n_slots, &map->slots[i]);
        }
    }
    dn_free(map->slots);
    map->slots = slots;
    map->n_slots = n_slots;
    return DN_OK;
}

enum dn_status dn_name_map_add(struct dn_name_map *map, const char *text, size_t len, int64_t value,
                               struct dn_error *err)
{
    const struct dn_name_entry name = {text, len, hash_name(text, len), value};

    if (map->n_used >= map->n_slots / 2) {
        DN_TRY(grow(map, err));
    }
    put(map->slots, map->n_slots, &name);
    map->n_used++;
    return DN_OK;
}

/* ---- names that must differ ---- */

/* Room for '_', a 64-bit number and the NUL. */
#define SUFFIX_ROOM 24

static enum dn_status invent(struct dn_name *name, int64_t *counter, struct dn_name_map *taken,
                             struct dn_arena *arena, struct dn_error *err)
{
    const size_t room = name->len + SUFFIX_ROOM;
    char *text = dn_arena_alloc(arena, room);
    size_t len;

    if (text == NULL) {
        return dn_error_memory(err, room);
    }
    if (name->len > 0) {
        memcpy(text, name->text, name->len);
    }
    do {
        len = name->len + (size_t)snprintf(text + name->len, SUFFIX_ROOM, "_%" PRId64, ++*counter);
    } while (dn_name_map_get(taken, text, len) >= 0);
    *name = (struct dn_name){text, len};
    return dn_name_map_add(taken, text, len, 0, err);
}

enum dn_status dn_names_make_unique(struct dn_name *names, size_t n, struct dn_arena *arena,
                                    struct dn_error *err)
{
    struct dn_name_map taken = {
        0};                   /* every name as it came, with its first index, and those made up */
    int64_t *counters = NULL; /* by first index: the last number given out */
    bool repeated = false;
    enum dn_status st = DN_OK;

    for (size_t i = 0; i < n; i++) {
        if (dn_name_map_get(&taken, names[i].text, names[i].len) < 0) {
            DN_TRY_GOTO(st, dn_name_map_add(&taken, names[i].text, names[i].len, (int64_t)i, err),
                        cleanup);
        } else {
            repeated = true;
        }
    }
    if (!repeated) {
        goto cleanup;
    }
    counters = dn_calloc(n, sizeof *counters);
    if (counters == NULL) {
        st = dn_error_memory(err, n * sizeof *counters);
        goto cleanup;
    }
    for (size_t i = 0; i < n; i++) {
        const int64_t first = dn_name_map_get(&taken, names[i].text, names[i].len);
        if (first != (int64_t)i) {
            DN_TRY_GOTO(st, invent(&names[i], &counters[first], &taken, arena, err), cleanup);
        }
    }
cleanup:
    dn_free(counters);
    dn_name_map_finish(&taken);
    return st;
}

/* Lower case of the alphabets whose letters have one next to them: ASCII, Latin-1, basic Greek and Cyrillic.  Engines differ
 * in what else they fold; what none of them tells apart is what matters. */
static void fold(char *out, const char *text, size_t len)
{
    size_t i = 0;

    while (i < len) {
        const uint8_t a = (uint8_t)text[i];
        const uint8_t b = i + 1 < len ? (uint8_t)text[i + 1] : 0;
        uint32_t c = a;
        if (a < 0x80) {
            out[i++] = (char)(a >= 'A' && a <= 'Z' ? a | 0x20 : a);
            continue;
        }
        if (a < 0xc3 || a > 0xd0 || (b & 0xc0) != 0x80) {
            out[i] = text[i];
            i++;
            continue;
        }
        c = (c & 0x1f) << 6 | (b & 0x3fu);
        if ((c >= 0xc0 && c <= 0xde && c != 0xd7) || (c >= 0x391 && c <= 0x3a9 && c != 0x3a2) ||
            (c >= 0x410 && c <= 0x42f)) {
            c += 0x20;
        } else if (c >= 0x400 && c <= 0x40f) {
            c += 0x50;
        }
        out[i++] = (char)(0xc0 | c >> 6);
        out[i++] = (char)(0x80 | (c & 0x3f));
    }
}

enum dn_status dn_names_find_case_twins(const struct dn_name *names, size_t n, int64_t *twins,
                                        struct dn_error *err)
{
    struct dn_name_map seen = {0};
    struct dn_arena arena = {0};
    enum dn_status st = DN_OK;

    for (size_t i = 0; i < n; i++) {
        const size_t len = names[i].len;
        char *folded = dn_arena_alloc(&arena, len + 1);
        if (folded == NULL) {
            st = dn_error_memory(err, len + 1);
            goto cleanup;
        }
        fold(folded, names[i].text, len);
        twins[i] = dn_name_map_get(&seen, folded, len);
        if (twins[i] < 0) {
            DN_TRY_GOTO(st, dn_name_map_add(&seen, folded, len, (int64_t)i, err), cleanup);
        } else if (names[twins[i]].len == len &&
                   memcmp(names[twins[i]].text, names[i].text, len) == 0) {
            twins[i] = -1; /* the same name, not another spelling */
        }
    }
cleanup:
    dn_name_map_finish(&seen);
    dn_arena_finish(&arena);
    return st;
}

/* Folding keeps the length: what a folded name gained is the suffix that tells its name apart. */
enum dn_status dn_names_make_distinct(struct dn_name *names, size_t n, struct dn_arena *arena,
                                      struct dn_error *err)
{
    struct dn_arena mine = {0};
    struct dn_name *keys = dn_calloc(n + 1, sizeof *keys);
    enum dn_status st = DN_OK;

    if (keys == NULL) {
        return dn_error_memory(err, n * sizeof *keys);
    }
    for (size_t i = 0; i < n; i++) {
        char *folded = dn_arena_alloc(&mine, names[i].len + 1);
        if (folded == NULL) {
            st = dn_error_memory(err, names[i].len + 1);
            goto cleanup;
        }
        fold(folded, names[i].text, names[i].len);
        keys[i] = (struct dn_name){folded, names[i].len};
    }
    DN_TRY_GOTO(st, dn_names_make_unique(keys, n, &mine, err), cleanup);
    for (size_t i = 0; i < n; i++) {
        const size_t len = names[i].len;
        if (keys[i].len == len) {
            continue;
        }
        char *text = dn_arena_alloc(arena, keys[i].len + 1);
        if (text == NULL) {
            st = dn_error_memory(err, keys[i].len + 1);
            goto cleanup;
        }
        memcpy(text, names[i].text, len);
        memcpy(text + len, keys[i].text + len, keys[i].len - len + 1);
        names[i] = (struct dn_name){text, keys[i].len};
    }
cleanup:
    dn_free(keys);
    dn_arena_finish(&mine);
    return st;
}
