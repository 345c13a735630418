/** Names to numbers, and names that must differ.  Threads: one owner. */
#ifndef DN_BASE_NAME_MAP_H
#define DN_BASE_NAME_MAP_H

#include "base/arena.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct dn_name_entry {
    const char *text; /**< borrowed; must outlive the map */
    size_t len;
    uint64_t hash;
    int64_t value;
};

/** A hash table over borrowed texts.  Zeroed memory is a valid empty one. */
struct dn_name_map {
    struct dn_name_entry *slots;
    size_t n_slots; /**< a power of two, or 0 */
    size_t n_used;
};

void dn_name_map_finish(struct dn_name_map *map);
/** The value of a name, or -1. */
int64_t dn_name_map_get(const struct dn_name_map *map, const char *text, size_t len);
/** Add a name that is not there yet; value >= 0.  Amortised O(1). */
DN_NODISCARD enum dn_status dn_name_map_add(struct dn_name_map *map, const char *text, size_t len,
                                            int64_t value, struct dn_error *err);

/** A borrowed text. */
struct dn_name {
    const char *text;
    size_t len;
};

/**
 * Give every name that repeats an earlier one a name of its own: NAME_1, NAME_2, ..., the first that no other one has.  The one
 * rule by which repeated columns are told apart, wherever they are written or shown.
 * @param names  changed in place; what is made up lives in `arena` and ends with a NUL
 */
DN_NODISCARD enum dn_status dn_names_make_unique(struct dn_name *names, size_t n,
                                                 struct dn_arena *arena, struct dn_error *err);

/** The same, where names that differ in upper and lower case only repeat each other. */
DN_NODISCARD enum dn_status dn_names_make_distinct(struct dn_name *names, size_t n,
                                                   struct dn_arena *arena, struct dn_error *err);

/**
 * Which names differ from an earlier one in upper and lower case only?
 * @param twins  n entries: the index of the first such name, or -1
 */
DN_NODISCARD enum dn_status dn_names_find_case_twins(const struct dn_name *names, size_t n,
                                                     int64_t *twins, struct dn_error *err);

#endif
