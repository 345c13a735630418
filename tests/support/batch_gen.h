/**
 * Tables that are hard on a Parquet writer: values at the ends of their types, sentinels, runs, alternations, distinct and near-equal
 * ones, ranges around the limits of tables and widths, texts that share their beginnings; nulls anywhere; every type the writer takes;
 * any options; any cut into batches with offsets.  Everything follows from some bytes (a fuzzer's) and a seed.
 */
#ifndef DN_TEST_BATCH_GEN_H
#define DN_TEST_BATCH_GEN_H

#include "arrow/batch.h"
#include "dativo/parquet.h"

#define GEN_MOST_COLUMNS 5

/** Where decisions come from: the bytes while there are some, then random numbers. */
struct gen {
    const uint8_t *data;
    size_t size;
    size_t at;
    uint64_t seed;
};

struct gen_column {
    char name[40];
    struct dn_type type;
    bool nullable;
    int64_t n_nulls;
    uint8_t *valid;   /**< one byte per row */
    uint64_t *values; /**< bits of the value, or what gen_fixed() makes it of; booleans 0 and 1 */
    uint32_t *starts; /**< texts: where each begins in `bytes` ... */
    uint32_t *lens;
    uint8_t *bytes; /**< ... in which they may share places */
    size_t n_bytes;
};

struct gen_table {
    int64_t n_rows;
    int64_t n_columns;
    struct gen_column columns[GEN_MOST_COLUMNS];
    struct dn_parquet_options options;
    char codec[16];
    int64_t batch_rows; /**< a batch has about as many */
    struct gen cuts;    /**< decides on them, and on offsets */
};

void gen_init(struct gen *g, const uint8_t *data, size_t size, uint64_t seed);
/** A number below n, n >= 1. */
uint64_t gen_below(struct gen *g, uint64_t n);

/** Bits of a value of the type: at one of its ends, near a known one, or anything. */
uint64_t gen_value(struct gen *g, struct dn_type type);

static inline bool gen_is_wide(struct dn_type type)
{
    return dn_type_width(type) >= 8;
}

/** Texts and bytes of any length; others follow from a number. */
static inline bool gen_is_text(struct dn_type type)
{
    return dn_type_is_bytes(type);
}

#define GEN_FIXED_MOST 64
/** The bytes of a value of fixed width that is made of these bits, dn_type_width() of them. */
void gen_fixed(struct dn_type type, uint64_t bits, uint8_t out[GEN_FIXED_MOST]);
/** The type that a Parquet file of it is read as, and the bytes of the value then. */
struct dn_type gen_read_type(struct dn_type type);
void gen_read_fixed(struct dn_type type, uint64_t bits, uint8_t out[GEN_FIXED_MOST]);

/** Aborts if memory runs out, as everything here. */
void gen_table_make(struct gen_table *t, struct gen *g);
void gen_table_free(struct gen_table *t);
/** What the table is, for a message. */
void gen_table_describe(const struct gen_table *t, char *out, size_t size);

DN_NODISCARD enum dn_status gen_table_schema(const struct gen_table *t, struct ArrowSchema *out,
                                             struct dn_error *err);
/** How many rows the next batch has that begins with `row`; 0 now and then. */
int64_t gen_table_cut(struct gen_table *t, int64_t row);
/** Rows [row, row + n) in memory of their own, of exactly their size; garbage under nulls and around the rows. */
void gen_table_batch(struct gen_table *t, int64_t row, int64_t n, struct ArrowArray *out);

/**
 * Whether the batch of a reader has rows [row, row + batch->length) of the table's columns `from`; if not, `message` says what is wrong.
 * Texts may have any layout.
 */
bool gen_table_equals(const struct gen_table *t, const int64_t *from, int64_t n_columns,
                      int64_t row, const struct ArrowSchema *schema, const struct ArrowArray *batch,
                      char *message, size_t size);

#endif
