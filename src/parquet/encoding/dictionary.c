#include "parquet/encoding/dictionary.h"

#include "base/memory.h"

#define DIRECT_SMALL ((uint64_t)4096)
#define DIRECT_LARGEST ((uint64_t)1 << 21) /* 8 MiB */
#define DIRECT_PER_EARLY_VALUE 8           /* entries per value seen that a table may have ... */
#define DIRECT_PER_VALUE 64                /* ... from DIRECT_SMALL entries on */
#define FIRST_LOOK 16384
#define KEPT_BYTES ((size_t)256 << 10) /* of a buffer, from one chunk to the next */
#define SMALLEST_PORTION ((size_t)32)
#define ALL_NEW                                                                                    \
    128 /* distinct values without one that repeats: the next ones will be new as well */
/* Entries; such a table is filled to two thirds, a larger one to a half. */
#define SMALL_TABLE ((size_t)256)
#define PREFETCHED 4096 /* entries from which on they are hardly in the L1 cache */
/* So many values need no table that stays: see lend_table(). */
#define SHORT_VALUES 256
#define SHORT_TABLE 512 /* for as many entries */
/* Room for so many from the beginning: a buffer that grows leaves blocks of all smaller sizes behind, in every column. */
#define FIRST_VALUES 56

/* Entries up to which a block has a table of its own, and the length of its texts. */
#define FEW 64
#define FEW_BYTES 20
#define FEW_BITS 7
#define FEW_SLOTS (1 << FEW_BITS)
#define AHEAD 16 /* values, whose bytes are asked for in time */

/* What an entry takes beside its PLAIN form: a place in `starts`, and slots. */
#define TEXT_ENTRY_BYTES ((size_t)28)
#define NUMBER_ENTRY_BYTES ((size_t)12)

/*
 * Slots of the hash tables.  What an entry is stands in `plain` alone: a table is two to four times as long as the dictionary,
 * and every byte of a slot would count as often.  Numbers have uint32_t id + 1, 0: free.
 */
struct text_slot {
    uint32_t id; /* + 1; 0: free */
    uint32_t hash;
};

__extension__ typedef unsigned __int128 wide;

/* Both halves of a 128-bit product: every input bit reaches every output bit that matters. */
static uint64_t mix(uint64_t a, uint64_t b)
{
    const wide product =
        (wide)(a ^ UINT64_C(0x9e3779b97f4a7c15)) * (b ^ UINT64_C(0xd6e8feb86659fd93));

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* ---- tables ---------------------------------------------------------------------------------------------------- */

static size_t value_width(enum dn_pq_kind kind)
{
    return kind == DN_PQ_KIND_I64 || kind == DN_PQ_KIND_F64 ? 8 : 4;
}

static bool is_integer(enum dn_pq_kind kind)
{
    return kind == DN_PQ_KIND_I32 || kind == DN_PQ_KIND_I64;
}

/* Numbers as 64 bits; integers keep their order as int64_t. */
static uint64_t load_number(const void *values, size_t i, size_t width)
{
    if (width == 8) {
        return dn_pq_load64((const uint8_t *)values + i * 8);
    }
    return (uint64_t)(int64_t)(int32_t)dn_pq_load32((const uint8_t *)values + i * 4);
}

static size_t slot_bytes(const struct dn_pq_dictionary *d)
{
    return d->kind == DN_PQ_KIND_TEXT ? sizeof(struct text_slot) : sizeof(uint32_t);
}

/*
 * Replace the table by an empty one of `len` entries.  The old one is handed to the caller, unless there was nothing in it: what lies there
 * for the next chunk is cleared here, as far as it is needed.
 */
static enum dn_status new_table(struct dn_pq_dictionary *d, size_t len, bool direct,
                                struct dn_buffer *old, struct dn_error *err)
{
    const size_t bytes = len * slot_bytes(d);
    struct dn_buffer table = {0};

    *old = d->table;
    if (d->table_len == 0 && d->table.data != NULL && d->table.capacity >= bytes) {
        table = d->table;
        *old = (struct dn_buffer){0};
    } else {
        DN_TRY(dn_buffer_reserve(&table, bytes, err));
    }
    memset(table.data, 0, bytes);
    table.len = bytes;
    d->direct = direct;
    d->table = table;
    d->table_len = len;
    return DN_OK;
}

/* The place of a number in a hash table: of its id, or free. */
static uint32_t *number_id32(const struct dn_pq_dictionary *d, uint32_t key, size_t at)
{
    const uint32_t *entries = (const uint32_t *)(const void *)d->plain.data;
    uint32_t *slots = (uint32_t *)(void *)d->table.data;

    while (slots[at] != 0 && entries[slots[at] - 1] != key) {
        at = (at + 1) & (d->table_len - 1);
    }
    return &slots[at];
}

static uint32_t *number_id64(const struct dn_pq_dictionary *d, uint64_t key, size_t at)
{
    const uint64_t *entries = (const uint64_t *)(const void *)d->plain.data;
    uint32_t *slots = (uint32_t *)(void *)d->table.data;

    while (slots[at] != 0 && entries[slots[at] - 1] != key) {
        at = (at + 1) & (d->table_len - 1);
    }
    return &slots[at];
}

static uint32_t *number_id(const struct dn_pq_dictionary *d, uint64_t key, size_t width, size_t at)
{
    return width == 8 ? number_id64(d, key, at) : number_id32(d, (uint32_t)key, at);
}

/* All entries into an empty table. */
static void fill_numbers(struct dn_pq_dictionary *d)
{
    const size_t width = value_width(d->kind);
    const size_t mask = d->table_len - 1;
    uint32_t *direct = (uint32_t *)(void *)d->table.data;

    for (uint32_t id = 0; id < d->n; id++) {
        const uint64_t key = load_number(d->plain.data, id, width);
        if (d->direct) {
            direct[key - (uint64_t)d->lowest] = id + 1;
        } else {
            *number_id(d, key, width, mix(key, 0) & mask) = id + 1;
        }
    }
}

static size_t next_power(uint64_t n)
{
    return n <= 1 ? 1 : (size_t)1 << dn_pq_bit_length(n - 1);
}

/* Longer than 12 bytes. */
static uint64_t hash_long(const uint8_t *data, size_t len)
{
    uint64_t h = len;
    size_t i = 0;

    for (; i + 16 < len; i += 16) {
        h = mix(dn_pq_load64(data + i) ^ h, dn_pq_load64(data + i + 8));
    }
    if (len >= 16) {
        return mix(dn_pq_load64(data + len - 16) ^ h, dn_pq_load64(data + len - 8));
    }
    return mix(dn_pq_load64(data) ^ h, dn_pq_load64(data + len - 8));
}

static uint32_t hash_text(const struct dn_pq_text *t)
{
    const uint64_t tail =
        t->len <= DN_PQ_TEXT_INLINE ? dn_pq_load64(t->u.rest) : hash_long(t->u.data, t->len);

    return (uint32_t)mix(dn_pq_load64(t), tail);
}

/* All entries into an empty table. */
static void fill_texts(struct dn_pq_dictionary *d)
{
    struct text_slot *slots = (struct text_slot *)(void *)d->table.data;
    const size_t mask = d->table_len - 1;

    for (uint32_t id = 0; id < d->n; id++) {
        const struct dn_pq_text text = dn_pq_dictionary_text(d, id);
        const uint32_t hash = hash_text(&text);
        size_t at = hash & mask;
        while (slots[at].id != 0) {
            at = (at + 1) & mask;
        }
        slots[at] = (struct text_slot){id + 1, hash};
    }
}

/* All slots of an old table into an empty one. */
static void move_texts(struct dn_pq_dictionary *d, const struct dn_buffer *old)
{
    const struct text_slot *from = (const struct text_slot *)(const void *)old->data;
    struct text_slot *to = (struct text_slot *)(void *)d->table.data;
    const size_t mask = d->table_len - 1;

    for (size_t i = 0; i < old->len / sizeof *from; i++) {
        if (from[i].id != 0) {
            size_t at = from[i].hash & mask;
            while (to[at].id != 0) {
                at = (at + 1) & mask;
            }
            to[at] = from[i];
        }
    }
}

static size_t slots_for(size_t n_entries)
{
    const size_t wanted = n_entries < SMALL_TABLE ? n_entries * 3 / 2 : n_entries * 2;

    return next_power(wanted < 16 ? 16 : wanted);
}

static enum dn_status grow_slots(struct dn_pq_dictionary *d, size_t n_more, struct dn_error *err)
{
    struct dn_buffer old = {0};
    const size_t len = slots_for((size_t)d->n + n_more);

    if (!d->direct && len <= d->table_len) {
        return DN_OK;
    }
    DN_TRY(new_table(d, len, false, &old, err));
    if (d->kind != DN_PQ_KIND_TEXT) {
        fill_numbers(d);
    } else if (old.len == 0) { /* it was lent */
        fill_texts(d);
    } else {
        move_texts(d, &old);
    }
    dn_buffer_finish(&old);
    return DN_OK;
}

/*
 * Whether the direct table holds low, high and everything between.  Its numbers are taken as they are, without wrapping: two ends
 * inside say nothing of the middle where a range may go once around.
 */
static bool covers(const struct dn_pq_dictionary *d, int64_t low, int64_t high)
{
    return d->direct && low >= d->lowest && high >= low &&
           (uint64_t)high - (uint64_t)d->lowest < d->table_len;
}

/* How long a direct table may be once n values have come. */
static uint64_t most_entries(const struct dn_pq_dictionary *d, uint64_t n)
{
    const uint64_t affordable = d->most_bytes / 2 / sizeof(uint32_t);
    uint64_t most = n * DIRECT_PER_EARLY_VALUE;

    if (most >= DIRECT_SMALL) {
        most = n * DIRECT_PER_VALUE < DIRECT_LARGEST ? n * DIRECT_PER_VALUE : DIRECT_LARGEST;
    }
    return most < affordable ? most : affordable;
}

/* Make the direct table cover [low, high] and all entries, or leave *covered false if it would grow too large. */
static enum dn_status cover(struct dn_pq_dictionary *d, int64_t low, int64_t high, size_t n_more,
                            bool *covered, struct dn_error *err)
{
    *covered = covers(d, low, high);
    if (*covered) {
        return DN_OK;
    }
    for (uint32_t id = 0; id < d->n; id++) {
        const int64_t v = (int64_t)load_number(d->plain.data, id, value_width(d->kind));
        low = v < low ? v : low;
        high = v > high ? v : high;
    }
    const uint64_t distance = (uint64_t)high - (uint64_t)low;
    if (distance >= most_entries(d, (uint64_t)d->ids.n + n_more)) {
        return DN_OK;
    }
    struct dn_buffer old = {0};
    const size_t len = next_power(distance < 32 ? 32 : distance + 1);
    const uint64_t margin = (len - 1 - distance) / 2; /* room on both sides ... */
    const uint64_t below = (uint64_t)low - (uint64_t)INT64_MIN;
    DN_TRY(new_table(d, len, true, &old, err));
    dn_buffer_finish(&old);
    d->lowest = low - (int64_t)(margin < below ? margin : below); /* ... where there are numbers */
    fill_numbers(d);
    *covered = true;
    return DN_OK;
}

/* ---- adding ---------------------------------------------------------------------------------------------------- */

/* Not of a table that is lent, which is gone soon. */
static bool looks_at_range(const struct dn_pq_dictionary *d)
{
    return !d->lent && (d->direct || d->n == 0 || d->ids.n >= d->next_look);
}

static uint32_t new_number(struct dn_pq_dictionary *d, uint64_t key, size_t width)
{
    memcpy(d->plain.data + d->plain.len, &key, width); /* reserved by the caller */
    d->plain.len += width;
    return ++d->n;
}

static void add_direct_i64(struct dn_pq_dictionary *d, const int64_t *values, size_t n,
                           uint32_t *ids)
{
    uint32_t *table = (uint32_t *)(void *)d->table.data;
    const uint64_t lowest = (uint64_t)d->lowest;

    for (size_t i = 0; i < n; i++) {
        uint32_t *id = &table[(uint64_t)values[i] - lowest];
        if (*id == 0) {
            *id = new_number(d, (uint64_t)values[i], 8);
        }
        ids[i] = *id - 1;
    }
}

static void add_direct_i32(struct dn_pq_dictionary *d, const int32_t *values, size_t n,
                           uint32_t *ids)
{
    uint32_t *table = (uint32_t *)(void *)d->table.data;
    const uint64_t lowest = (uint64_t)d->lowest;

    for (size_t i = 0; i < n; i++) {
        const uint64_t key = (uint64_t)(int64_t)values[i];
        uint32_t *id = &table[key - lowest];
        if (*id == 0) {
            *id = new_number(d, key, 4);
        }
        ids[i] = *id - 1;
    }
}

/* Hash all first: the misses of a large table then overlap. */
static void add_hashed_numbers(struct dn_pq_dictionary *d, const void *values, size_t n,
                               uint32_t *ids)
{
    const uint32_t *slots = (const uint32_t *)(const void *)d->table.data;
    const size_t mask = d->table_len - 1;
    const size_t width = value_width(d->kind);
    size_t at[DN_PQ_DICTIONARY_BLOCK];

    for (size_t i = 0; i < n; i++) {
        at[i] = mix(load_number(values, i, width), 0) & mask;
        __builtin_prefetch(&slots[at[i]], 1);
    }
    if (d->n > PREFETCHED) {
        for (size_t i = 0; i < n; i++) {
            __builtin_prefetch(d->plain.data + (size_t)slots[at[i]] * width);
        }
    }
    for (size_t i = 0; i < n; i++) {
        const uint64_t key = load_number(values, i, width);
        uint32_t *id = number_id(d, key, width, at[i]);
        if (*id == 0) {
            *id = new_number(d, key, width);
        }
        ids[i] = *id - 1;
    }
}

/* Numbers that differ in their high bits alone, as halves and quarters do, differ in the highest bits of the product. */
static size_t few_slot(uint64_t key)
{
    return (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> (64 - FEW_BITS));
}

/* While there are few entries, as of discounts and rates: what was found is at hand for the rest of the block. */
static enum dn_status add_few_numbers(struct dn_pq_dictionary *d, const void *values, size_t n,
                                      uint32_t *ids, size_t *n_done, struct dn_error *err)
{
    uint64_t keys[FEW_SLOTS] = {1}; /* free: a number of another slot, as 0 is but in the first */
    uint32_t found[FEW_SLOTS];
    const size_t width = value_width(d->kind);
    size_t i;

    for (i = 0; i < n; i++) {
        const uint64_t key = load_number(values, i, width);
        const size_t at = few_slot(key);
        if (__builtin_expect(keys[at] != key, 0)) {
            if (d->n > FEW) {
                break;
            }
            DN_TRY(grow_slots(d, 1, err));
            add_hashed_numbers(d, (const uint8_t *)values + i * width, 1, &found[at]);
            keys[at] = key;
        }
        ids[i] = found[at];
    }
    *n_done = i;
    return DN_OK;
}

static enum dn_status add_integers(struct dn_pq_dictionary *d, const void *values, size_t n,
                                   size_t n_more, uint32_t *ids, struct dn_error *err)
{
    int64_t low;
    int64_t high;
    bool covered = false;

    if (d->kind == DN_PQ_KIND_I32) {
        int32_t low32;
        int32_t high32;
        d->kernels->min_max_i32(values, n, &low32, &high32);
        low = low32;
        high = high32;
    } else {
        d->kernels->min_max_i64(values, n, &low, &high);
    }
    if (looks_at_range(d)) {
        DN_TRY(cover(d, low, high, n_more, &covered, err));
        if (!covered && d->ids.n >= d->next_look) {
            d->next_look = d->next_look == 0 ? FIRST_LOOK : d->next_look * 4;
        }
    }
    if (!covered) {
        DN_TRY(grow_slots(d, n, err));
        add_hashed_numbers(d, values, n, ids);
    } else if (d->kind == DN_PQ_KIND_I32) {
        add_direct_i32(d, values, n, ids);
    } else {
        add_direct_i64(d, values, n, ids);
    }
    return DN_OK;
}

/* Is entry `id` this text?  A short one equals its PLAIN form, whose rest is masked. */
static bool same_text(const struct dn_pq_dictionary *d, uint32_t id, const struct dn_pq_text *t)
{
    const uint32_t start = ((const uint32_t *)(const void *)d->starts.data)[id];
    const uint8_t *entry = d->plain.data + start;

    if (t->len > DN_PQ_TEXT_INLINE) {
        return dn_pq_load32(entry) == t->len && memcmp(entry + 4, t->u.data, t->len) == 0;
    }
    const uint64_t *masks = dn_pq_text_masks[t->len];
    return (((dn_pq_load64(entry) & masks[0]) ^ dn_pq_load64(t)) |
            ((dn_pq_load64(entry + 8) & masks[1]) ^ dn_pq_load64(t->u.rest))) == 0;
}

/* Has the dictionary no room for this text?  It is given up then, and what may be long was not copied. */
static bool is_too_long(struct dn_pq_dictionary *d, const struct dn_pq_text *t)
{
    if (d->plain.len + 4 + (size_t)t->len > d->most_plain) {
        d->over = true;
    }
    return d->over;
}

static enum dn_status new_text(struct dn_pq_dictionary *d, const struct dn_pq_text *t,
                               struct dn_error *err)
{
    const uint32_t start = (uint32_t)d->plain.len;

    DN_TRY(dn_buffer_reserve(&d->plain, 4 + (size_t)t->len + 16, err));
    DN_TRY(dn_buffer_append(&d->starts, &start, sizeof start, err));
    if (t->len <= DN_PQ_TEXT_INLINE) {
        memcpy(d->plain.data + start, t, 16); /* as it is, and a little more than it is */
    } else {
        dn_pq_store32(d->plain.data + start, t->len);
        memcpy(d->plain.data + start + 4, t->u.data, t->len);
    }
    d->plain.len += 4 + (size_t)t->len;
    d->n++;
    return DN_OK;
}

/* What the slots lead to, in two steps.  Inlined, for compilers drop calls of functions that do nothing else. */
static inline __attribute__((always_inline)) void prefetch_texts(const struct dn_pq_dictionary *d,
                                                                 const uint32_t *hashes, size_t n)
{
    const struct text_slot *slots = (const struct text_slot *)(const void *)d->table.data;
    const uint32_t *starts = (const uint32_t *)(const void *)d->starts.data;
    const size_t mask = d->table_len - 1;

    for (size_t i = 0; i < n; i++) {
        const uint32_t id = slots[hashes[i] & mask].id;
        __builtin_prefetch(&starts[id != 0 ? id - 1 : 0]);
    }
    for (size_t i = 0; i < n; i++) {
        const uint32_t id = slots[hashes[i] & mask].id;
        __builtin_prefetch(d->plain.data + starts[id != 0 ? id - 1 : 0]);
    }
}

static enum dn_status add_texts(struct dn_pq_dictionary *d, const struct dn_pq_text *texts,
                                size_t n, uint32_t *ids, size_t *n_done, struct dn_error *err)
{
    uint32_t hashes[DN_PQ_DICTIONARY_BLOCK];
    size_t i;

    DN_TRY(grow_slots(d, n, err));
    struct text_slot *slots = (struct text_slot *)(void *)d->table.data;
    const size_t mask = d->table_len - 1;
    for (i = 0; i < n; i++) {
        hashes[i] = hash_text(&texts[i]);
        __builtin_prefetch(&slots[hashes[i] & mask], 1);
    }
    if (d->n > PREFETCHED) {
        prefetch_texts(d, hashes, n);
    }
    for (i = 0; i < n; i++) {
        size_t j = hashes[i] & mask;
        while (slots[j].id != 0 &&
               (slots[j].hash != hashes[i] || !same_text(d, slots[j].id - 1, &texts[i]))) {
            j = (j + 1) & mask;
        }
        if (slots[j].id == 0) {
            if (is_too_long(d, &texts[i])) {
                break;
            }
            DN_TRY(new_text(d, &texts[i], err));
            slots[j] = (struct text_slot){d->n, hashes[i]};
        }
        ids[i] = slots[j].id - 1;
    }
    *n_done = i;
    return DN_OK;
}

/* The id of one text, in a table that is near; d->over: it has none. */
static enum dn_status find_text(struct dn_pq_dictionary *d, const struct dn_pq_text *t,
                                uint32_t *id, struct dn_error *err)
{
    const uint32_t hash = hash_text(t);

    DN_TRY(grow_slots(d, 1, err));
    struct text_slot *slots = (struct text_slot *)(void *)d->table.data;
    const size_t mask = d->table_len - 1;
    size_t j = hash & mask;
    while (slots[j].id != 0 && (slots[j].hash != hash || !same_text(d, slots[j].id - 1, t))) {
        j = (j + 1) & mask;
    }
    if (slots[j].id == 0) {
        if (is_too_long(d, t)) {
            *id = 0;
            return DN_OK;
        }
        DN_TRY(new_text(d, t, err));
        slots[j] = (struct text_slot){d->n, hash};
    }
    *id = slots[j].id - 1;
    return DN_OK;
}

/* Where a text stands, without a branch, for lengths vary. */
static inline const uint8_t *bytes_of(const struct dn_pq_text *t)
{
    const uint64_t is_long = 0 - (uint64_t)(t->len > DN_PQ_TEXT_INLINE); /* all ones, or 0 */

    return (const uint8_t *)(((uintptr_t)t->u.data & is_long) | (((uintptr_t)t + 4) & ~is_long));
}

/*
 * A text of up to FEW_BYTES as three words, which are equal if the texts are: its length and first 4 bytes, the 8 behind them, and the last 8
 * of one that is not inside.
 */
struct few_text {
    uint64_t words[3];
    uint64_t id;
};

static inline void words_of(const struct dn_pq_text *t, uint64_t words[3])
{
    const uint64_t is_long = 0 - (uint64_t)(t->len > DN_PQ_TEXT_INLINE);
    const uint8_t *data = bytes_of(t);

    words[0] = dn_pq_load64(t);
    words[1] = dn_pq_load64(data + 4);
    words[2] = dn_pq_load64(data + ((t->len - 8) & is_long)) & is_long;
}

static inline struct few_text *few_text_slot(struct few_text *found, const uint64_t words[3])
{
    const uint64_t sum = words[0] + words[1] * UINT64_C(0x9e3779b97f4a7c15) +
                         words[2] * UINT64_C(0xd6e8feb86659fd93);

    return &found[(size_t)((sum ^ sum >> 32) * UINT64_C(0x9e3779b97f4a7c15) >> (64 - FEW_BITS))];
}

/*
 * A text that is not in its slot `f` yet, and is from now on, unless it is long.  *done is false if it was not added: there are too many
 * entries for this, or there is no room for one more.
 */
static enum dn_status keep_few_text(struct dn_pq_dictionary *d, struct few_text *f,
                                    const struct dn_pq_text *t, const uint64_t words[3],
                                    uint32_t *id, bool *done, struct dn_error *err)
{
    *done = d->n <= FEW;
    if (*done) {
        DN_TRY(find_text(d, t, id, err));
        *done = !d->over;
    }
    if (*done && t->len <= FEW_BYTES) {
        *f = (struct few_text){{words[0], words[1], words[2]}, *id};
    }
    return DN_OK;
}

/*
 * While there are few entries, as of flags and states, what was found is at hand for the rest of the block.  Most texts are short.  A slot
 * that is free has the length of no text that is kept, so no length is looked at but where words differ.
 */
static enum dn_status add_few_texts(struct dn_pq_dictionary *d, const struct dn_pq_text *texts,
                                    size_t n, uint32_t *ids, size_t *n_done, struct dn_error *err)
{
    struct few_text found[FEW_SLOTS];
    uint64_t words[3] = {0};
    bool done = true;
    size_t i;

    memset(found, 0xff, sizeof found);
    for (i = 0; i < n; i++) {
        memcpy(words, &texts[i], sizeof texts[i]);
        struct few_text *f = few_text_slot(found, words);
        ids[i] = (uint32_t)f->id;
        if (__builtin_expect(((f->words[0] ^ words[0]) | (f->words[1] ^ words[1])) != 0, 0)) {
            if (texts[i].len > DN_PQ_TEXT_INLINE) {
                break;
            }
            DN_TRY(keep_few_text(d, f, &texts[i], words, &ids[i], &done, err));
            if (!done) {
                break;
            }
        }
    }
    for (; done && i < n; i++) {
        __builtin_prefetch(bytes_of(&texts[n - i > AHEAD ? i + AHEAD : i]));
        words_of(&texts[i], words);
        struct few_text *f = few_text_slot(found, words);
        ids[i] = (uint32_t)f->id;
        if (__builtin_expect(((f->words[0] ^ words[0]) | (f->words[1] ^ words[1]) |
                              (f->words[2] ^ words[2])) != 0,
                             0)) {
            DN_TRY(keep_few_text(d, f, &texts[i], words, &ids[i], &done, err));
            if (!done) {
                break;
            }
        }
    }
    *n_done = i;
    return DN_OK;
}

static bool has_few(const struct dn_pq_dictionary *d)
{
    return !is_integer(d->kind) && d->n <= FEW;
}

/* n values at once; `n_more`, at least n, are known to come. */
static enum dn_status add_portion(struct dn_pq_dictionary *d, const void *values, size_t n,
                                  size_t n_more, size_t *n_done, struct dn_error *err)
{
    uint32_t ids[DN_PQ_DICTIONARY_BLOCK];

    *n_done = n;
    if (d->kind == DN_PQ_KIND_TEXT) {
        DN_TRY(has_few(d) ? add_few_texts(d, values, n, ids, n_done, err)
                          : add_texts(d, values, n, ids, n_done, err));
    } else {
        const size_t most = d->plain.data == NULL && n < FIRST_VALUES ? FIRST_VALUES : n;
        DN_TRY(dn_buffer_reserve(&d->plain, most * value_width(d->kind), err));
        if (is_integer(d->kind)) {
            DN_TRY(add_integers(d, values, n, n_more, ids, err));
        } else if (has_few(d)) {
            DN_TRY(add_few_numbers(d, values, n, ids, n_done, err));
        } else {
            DN_TRY(grow_slots(d, n, err));
            add_hashed_numbers(d, values, n, ids);
        }
    }
    return dn_pq_ids_append(&d->ids, ids, *n_done, d->n, err);
}

/*
 * Of a dictionary that is short the table takes more than the values, and with very many columns all are short: it is made anew whenever values
 * come, in memory of whoever adds them, with room for all of these.
 */
static void lend_table(struct dn_pq_dictionary *d, size_t n_more, void *memory)
{
    d->table_len = slots_for((size_t)d->n + n_more);
    d->table = (struct dn_buffer){.data = memory, .len = d->table_len * slot_bytes(d)};
    d->lent = true;
    memset(memory, 0, d->table.len);
    if (d->kind == DN_PQ_KIND_TEXT) {
        fill_texts(d);
    } else {
        fill_numbers(d);
    }
}

static void take_table_back(struct dn_pq_dictionary *d)
{
    d->table = (struct dn_buffer){0};
    d->table_len = 0;
    d->lent = false;
}

static enum dn_status add(struct dn_pq_dictionary *d, const void *values, size_t n, size_t *n_done,
                          struct dn_error *err)
{
    const size_t width =
        d->kind == DN_PQ_KIND_TEXT ? sizeof(struct dn_pq_text) : value_width(d->kind);
    const uint8_t *at = values;

    *n_done = 0;
    while (*n_done < n && !dn_pq_dictionary_is_over(d)) {
        /* Room is made for a portion of new values, and a small dictionary is to have a small table. */
        const bool all_new = d->n >= ALL_NEW && (int64_t)d->n == d->ids.n;
        size_t portion = d->n / 2 < SMALLEST_PORTION ? SMALLEST_PORTION : d->n / 2;
        size_t done = 0;
        portion =
            d->direct || has_few(d) || all_new || portion > n - *n_done ? n - *n_done : portion;
        DN_TRY(add_portion(d, at + *n_done * width, portion, n - *n_done, &done, err));
        *n_done += done;
    }
    return DN_OK;
}

enum dn_status dn_pq_dictionary_add(struct dn_pq_dictionary *d, const void *values, size_t n,
                                    size_t *n_done, struct dn_error *err)
{
    struct text_slot table[SHORT_TABLE]; /* the largest slots; those of numbers fit as well */

    if (d->table.data != NULL || (size_t)d->ids.n + n > SHORT_VALUES) {
        return add(d, values, n, n_done, err);
    }
    lend_table(d, n, table);
    const enum dn_status st = add(d, values, n, n_done, err);
    take_table_back(d);
    return st;
}

enum dn_status dn_pq_dictionary_add_ids(struct dn_pq_dictionary *d, const uint32_t *ids, size_t n,
                                        struct dn_error *err)
{
    return dn_pq_ids_append(&d->ids, ids, n, d->n, err);
}

bool dn_pq_dictionary_is_over(const struct dn_pq_dictionary *d)
{
    const size_t entry = d->kind == DN_PQ_KIND_TEXT ? TEXT_ENTRY_BYTES : NUMBER_ENTRY_BYTES;

    return d->over || d->plain.len > d->most_plain || d->plain.len + d->n * entry > d->most_bytes;
}

/* ---- lifetime ---------------------------------------------------------------------------------------------------- */

void dn_pq_dictionary_init(struct dn_pq_dictionary *d, enum dn_pq_kind kind,
                           const struct dn_kernels *kernels, size_t most_bytes)
{
    memset(d, 0, sizeof *d);
    d->kind = kind;
    d->kernels = kernels;
    d->most_bytes = most_bytes;
    d->most_plain =
        most_bytes < DN_PQ_DICTIONARY_MAX_BYTES ? most_bytes : DN_PQ_DICTIONARY_MAX_BYTES;
    d->ids.width = 1;
}

void dn_pq_dictionary_finish(struct dn_pq_dictionary *d)
{
    dn_buffer_finish(&d->plain);
    dn_buffer_finish(&d->starts);
    dn_buffer_finish(&d->table);
    dn_pq_ids_finish(&d->ids);
}

/* Empty it; what is large, for this dictionary or at all, is given back. */
static void empty(struct dn_buffer *b, size_t most)
{
    if (b->capacity + DN_BUFFER_PADDING > most) {
        dn_buffer_finish(b);
    } else {
        dn_buffer_reset(b);
    }
}

void dn_pq_dictionary_reset(struct dn_pq_dictionary *d)
{
    const size_t most = d->most_bytes / 8 < KEPT_BYTES ? d->most_bytes / 8 : KEPT_BYTES;

    empty(&d->plain, most);
    empty(&d->starts, most);
    empty(&d->ids.bytes, most);
    empty(&d->table, most);
    d->table_len = 0;
    d->ids.n = 0;
    d->ids.width = 1;
    d->ids.expected = 0;
    d->n = 0;
    d->over = false;
    d->next_look = 0;
    d->direct = false;
}
