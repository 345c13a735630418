/**
 * The dictionary of a column chunk while it is being collected: distinct values in the order of their first appearance, and
 * one id per value.  And the way back, from ids to values.
 *
 * How a value is found (hashing, or a table indexed by value - lowest for integers of a small range) never shows in the
 * result.  Floats are told apart by their bits.
 * Threads: one owner.
 */
#ifndef DN_PARQUET_ENCODING_DICTIONARY_H
#define DN_PARQUET_ENCODING_DICTIONARY_H

#include "parquet/encoding/ids.h"
#include "parquet/encoding/value.h"
#include "simd/kernels.h"

#define DN_PQ_DICTIONARY_BLOCK 512 /**< values per dn_pq_dictionary_add() at most */
#define DN_PQ_DICTIONARY_MAX_BYTES                                                                 \
    ((size_t)16 << 20) /**< PLAIN bytes over which a dictionary is given up */

struct dn_pq_dictionary {
    /* There may be very many: nothing between the members. */
    enum dn_pq_kind kind; /**< I32 I64 F32 F64 TEXT */
    uint32_t n;           /**< distinct values */
    bool over;            /**< a text came that it has no room for */
    bool direct;          /**< see `table` */
    bool lent;            /**< the table is the caller's, for the time of a call */
    const struct dn_kernels *kernels;
    size_t most_plain;       /**< bytes of `plain`, and ... */
    size_t most_bytes;       /**< ... of all that entries need, over which it is given up */
    struct dn_buffer plain;  /**< their PLAIN encoding */
    struct dn_buffer starts; /**< texts: uint32_t where each begins in `plain` */
    struct dn_pq_ids ids;

    struct dn_buffer
        table; /**< direct: uint32_t id + 1 of value lowest + i; else slots of a hash table */
    size_t table_len; /**< entries or slots */
    int64_t lowest;   /**< direct: value of the first entry */
    int64_t
        next_look; /**< number of ids at which a hashed integer dictionary may change to a direct table */
};

/**
 * Start empty.  Zeroed memory needs this call once; later ones are dn_pq_dictionary_reset().
 * @param most_bytes  what the entries may take, see dn_pq_dictionary_is_over(); SIZE_MAX: DN_PQ_DICTIONARY_MAX_BYTES as PLAIN
 */
void dn_pq_dictionary_init(struct dn_pq_dictionary *d, enum dn_pq_kind kind,
                           const struct dn_kernels *kernels, size_t most_bytes);
/** Accepts zeroed memory. */
void dn_pq_dictionary_finish(struct dn_pq_dictionary *d);
/** Forget everything; small tables are kept, large ones given back. */
void dn_pq_dictionary_reset(struct dn_pq_dictionary *d);

/**
 * Add n <= DN_PQ_DICTIONARY_BLOCK values of the kind's C type (struct dn_pq_text for texts).  *n_done < n only if the
 * dictionary is over its limits.  After a failure only finish and reset are legal.
 */
DN_NODISCARD enum dn_status dn_pq_dictionary_add(struct dn_pq_dictionary *d, const void *values,
                                                 size_t n, size_t *n_done, struct dn_error *err);
/** Add n values by the ids that they have. */
DN_NODISCARD enum dn_status dn_pq_dictionary_add_ids(struct dn_pq_dictionary *d,
                                                     const uint32_t *ids, size_t n,
                                                     struct dn_error *err);
/**
 * Has the dictionary more entries than it may?  Counted by what entries need on average, never by what was allocated: the answer
 * depends on the distinct values alone, and once true it stays so.
 */
bool dn_pq_dictionary_is_over(const struct dn_pq_dictionary *d);
/** Bytes that it holds. */
static inline size_t dn_pq_dictionary_held(const struct dn_pq_dictionary *d)
{
    return d->plain.capacity + d->starts.capacity + d->table.capacity + d->ids.bytes.capacity;
}
/** Integers: whether the values came in ascending order, equal ones allowed, and one step down among 64.  Cost: O(values). */
bool dn_pq_dictionary_ascends(const struct dn_pq_dictionary *d);
/**
 * Values [first, first + n) back as they were added, n <= DN_PQ_DICTIONARY_BLOCK.  Texts point into the dictionary.
 */
void dn_pq_dictionary_decode(const struct dn_pq_dictionary *d, int64_t first, size_t n, void *out);
/** Text of entry `id`. */
struct dn_pq_text dn_pq_dictionary_text(const struct dn_pq_dictionary *d, uint32_t id);

/** Its length. */
static inline uint32_t dn_pq_dictionary_text_len(const struct dn_pq_dictionary *d, uint32_t id)
{
    return dn_pq_load32(d->plain.data + ((const uint32_t *)(const void *)d->starts.data)[id]);
}

/** Reading: the entries that n ids name, of `width` bytes each.  The ids are in range. */
void dn_pq_dictionary_pick(const uint8_t *entries, size_t width, const uint32_t *ids, size_t n,
                           uint8_t *out);
/** The same entry n times. */
void dn_pq_dictionary_repeat(const uint8_t *entries, size_t width, uint32_t id, size_t n,
                             uint8_t *out);

/** Bits per id for n distinct values; at least 1, since readers disagree on width 0. */
static inline unsigned dn_pq_id_bits(uint32_t n)
{
    return n <= 2 ? 1 : dn_pq_bit_length(n - 1);
}

#endif
