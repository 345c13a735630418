/** Names to numbers: a hash table over borrowed texts.  Threads: one owner. */
#ifndef DN_JSON_NAMES_H
#define DN_JSON_NAMES_H

#include "base/error.h"

#include <stdint.h>

struct dn_json_name {
    const char *text; /**< borrowed; must outlive the table */
    size_t len;
    uint64_t hash;
    int64_t value;
};

/** Zeroed memory is a valid empty table. */
struct dn_json_names {
    struct dn_json_name *slots;
    size_t n_slots; /**< a power of two, or 0 */
    size_t n_used;
};

void dn_json_names_finish(struct dn_json_names *t);
/** The value of a name, or -1. */
int64_t dn_json_names_get(const struct dn_json_names *t, const char *text, size_t len);
/** Add a name that is not there yet; value >= 0.  Amortised O(1). */
DN_NODISCARD enum dn_status dn_json_names_add(struct dn_json_names *t, const char *text, size_t len,
                                              int64_t value, struct dn_error *err);

#endif
