/**
 * The structural index of one block of text, and a block's two-state map.
 *
 * SIMD words as long as quotes are regular, the automaton from an irregular word to the next row end: exact for every input.
 */
#ifndef DN_CSV_INDEX_H
#define DN_CSV_INDEX_H

#include "base/error.h"
#include "csv/automaton.h"

/**
 * Index buf[start, len) from `state`; positions are relative to `buf`.  `index` is reset first; its array grows as needed
 * and is kept for the next block.
 * @param buf    64 readable bytes past len
 * @param state  in: state at `start`; out: state at `len`
 */
DN_NODISCARD enum dn_status dn_csv_index_build(const struct dn_kernels *kernels,
                                               const struct dn_csv_dialect *d, const uint8_t *buf,
                                               size_t start, size_t len, enum dn_csv_state *state,
                                               struct dn_csv_index *index, struct dn_error *err);
void dn_csv_index_finish(struct dn_csv_index *index);

/**
 * What a block does to the state.  A block starts and ends right behind a row-end byte (or at an end of the file), so only
 * two states are possible at either side: at the start of a row, or inside quotes.
 */
struct dn_csv_map {
    bool ends_inside[2]; /**< [starts_inside] */
};
/** The map of buf[start, len), exact for every input.  Maps compose: the next block starts as this one ends. */
struct dn_csv_map dn_csv_map_block(const struct dn_kernels *kernels, const struct dn_csv_dialect *d,
                                   const uint8_t *buf, size_t start, size_t len);

#endif
