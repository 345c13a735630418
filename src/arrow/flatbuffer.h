/**
 * The little of FlatBuffers (https://flatbuffers.dev/internals) that schemas need: tables, vectors of tables, texts.
 *
 * Writing goes forwards: whoever writes an offset gives its place to what it is to lead to, which is written later.  Reading believes
 * nothing: every offset and length is checked against the buffer, and what is damaged reads as absent and is remembered.  Offsets lead
 * forwards only, so nothing leads back to itself; but many may lead to one place, which whoever follows them has to bound.
 */
#ifndef DN_ARROW_FLATBUFFER_H
#define DN_ARROW_FLATBUFFER_H

#include "base/buffer.h"

#include <stdbool.h>

#define DN_FLAT_MOST_FIELDS 8 /**< of a table that is written */
#define DN_FLAT_MOST_SHAPES 24
#define DN_FLAT_SHAPE_SIZE (4 + 2 * DN_FLAT_MOST_FIELDS)

/* ---- writing ---- */

/** A position in the buffer that is written; 0 is none. */
typedef uint32_t dn_flat_place;

/** Which fields a table has, and where; many tables share one. */
struct dn_flat_shape {
    uint8_t bytes[DN_FLAT_SHAPE_SIZE];
    dn_flat_place last_table;
};

/**
 * The first failure sticks; dn_flat_end() returns it.  Shapes are written behind the tables that have them: not everybody takes one from
 * before the table that leads to theirs (planus, which Polars has).
 */
struct dn_flat_writer {
    struct dn_buffer *out; /**< borrowed; bytes are appended */
    size_t base;           /**< where in it the FlatBuffer begins */
    struct dn_error *err;
    enum dn_status status;
    struct dn_flat_shape shapes[DN_FLAT_MOST_SHAPES]; /**< not written yet */
    size_t n_shapes;
};

/** A field of a table: an integer of 1, 2, 4 or 8 bytes.  0 bytes: it is not there. */
struct dn_flat_field {
    uint8_t size;
    int64_t value;
};

/** Begin, and return the place of the root's offset. */
dn_flat_place dn_flat_begin(struct dn_flat_writer *w, struct dn_buffer *out, struct dn_error *err);
/** Write a table of n fields to which the offset at `from` leads; *places receives where the fields are. */
void dn_flat_put_table(struct dn_flat_writer *w, dn_flat_place from,
                       const struct dn_flat_field *fields, size_t n,
                       dn_flat_place places[DN_FLAT_MOST_FIELDS]);
/** The same with a vector of n offsets; returns the place of the first, the others are 4 bytes apart. */
dn_flat_place dn_flat_put_vector(struct dn_flat_writer *w, dn_flat_place from, size_t n);
void dn_flat_put_text(struct dn_flat_writer *w, dn_flat_place from, const void *text, size_t len);
/** Complete the buffer. */
DN_NODISCARD enum dn_status dn_flat_end(struct dn_flat_writer *w);

/* ---- reading ---- */

struct dn_flat_reader {
    struct dn_span in;
    bool damaged;
};

/** Of an absent table all fields are. */
struct dn_flat_table {
    size_t at; /**< 0: absent */
    size_t shape;
    size_t shape_size;
    size_t size;
};

struct dn_flat_vector {
    size_t at;
    size_t n;
};

struct dn_flat_table dn_flat_root(struct dn_flat_reader *r);
/** Field `i`, of 1 (without a sign), 2, 4 or 8 bytes; `otherwise` if it is absent. */
int64_t dn_flat_get_int(const struct dn_flat_reader *r, const struct dn_flat_table *t, size_t i,
                        size_t size, int64_t otherwise);
struct dn_flat_table dn_flat_get_table(struct dn_flat_reader *r, const struct dn_flat_table *t,
                                       size_t i);
/** A vector of tables: its offsets are in the buffer, what they lead to is not checked yet. */
struct dn_flat_vector dn_flat_get_vector(struct dn_flat_reader *r, const struct dn_flat_table *t,
                                         size_t i);
/** Element k < v->n. */
struct dn_flat_table dn_flat_get_element(struct dn_flat_reader *r, const struct dn_flat_vector *v,
                                         size_t k);
/** Borrowed; data is NULL if it is absent. */
struct dn_span dn_flat_get_text(struct dn_flat_reader *r, const struct dn_flat_table *t, size_t i);

#endif
