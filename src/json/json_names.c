/* Open addressing with linear probing, at most half full. */
#include "json/json_names.h"

#include "base/memory.h"

#include <string.h>

/* FNV-1a, 64 bits, with a final mix so that the low bits depend on every byte. */
static uint64_t hash_name(const char *text, size_t len)
{
    uint64_t h = 0xCBF29CE484222325u;

    for (size_t i = 0; i < len; i++) {
        h = (h ^ (uint8_t)text[i]) * 0x100000001B3u;
    }
    return h ^ h >> 32;
}

void dn_json_names_finish(struct dn_json_names *t)
{
    dn_free(t->slots);
    *t = (struct dn_json_names){0};
}

int64_t dn_json_names_get(const struct dn_json_names *t, const char *text, size_t len)
{
    const uint64_t hash = hash_name(text, len);

    if (t->n_slots == 0) {
        return -1;
    }
    for (size_t i = hash & (t->n_slots - 1);; i = (i + 1) & (t->n_slots - 1)) {
        const struct dn_json_name *slot = &t->slots[i];
        if (slot->text == NULL) {
            return -1;
        }
        if (slot->hash == hash && slot->len == len && memcmp(slot->text, text, len) == 0) {
            return slot->value;
        }
    }
}

static void put(struct dn_json_name *slots, size_t n_slots, const struct dn_json_name *name)
{
    size_t i = name->hash & (n_slots - 1);

    while (slots[i].text != NULL) {
        i = (i + 1) & (n_slots - 1);
    }
    slots[i] = *name;
}

static enum dn_status grow(struct dn_json_names *t, struct dn_error *err)
{
    const size_t n_slots = t->n_slots == 0 ? 64 : t->n_slots * 2;
    struct dn_json_name *slots = dn_calloc(n_slots, sizeof *slots);

    if (slots == NULL) {
        return dn_error_memory(err, n_slots * sizeof *slots);
    }
    for (size_t i = 0; i < t->n_slots; i++) {
        if (t->slots[i].text != NULL) {
            put(slots, n_slots, &t->slots[i]);
        }
    }
    dn_free(t->slots);
    t->slots = slots;
    t->n_slots = n_slots;
    return DN_OK;
}

enum dn_status dn_json_names_add(struct dn_json_names *t, const char *text, size_t len,
                                 int64_t value, struct dn_error *err)
{
    const struct dn_json_name name = {text, len, hash_name(text, len), value};

    if (t->n_used >= t->n_slots / 2) {
        DN_TRY(grow(t, err));
    }
    put(t->slots, t->n_slots, &name);
    t->n_used++;
    return DN_OK;
}
