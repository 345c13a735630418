/**
 * Cells of a column to arrays in the caller's memory: one loop per type.
 *
 * Every function writes value i for row i, zeros where there is none, and bit i of `validity` (least significant bit first) for `first` + i;
 * the bitmap is zero before.  It goes on until a cell is none of the type's values and returns how many rows are done: fewer than
 * there are is a failure, whose verdict is in `verdict`.  Verdicts in `as_null` make nulls instead, which are counted.
 * 16 bytes behind a cell must be readable, as they are in a block.  Pure; thread-safe.  Tiles of some hundred rows at a time keep a block's index and bytes near.
 */
#ifndef DN_PG_COLUMN_H
#define DN_PG_COLUMN_H

#include "pg/datetime.h"
#include "pg/value.h"

/** What a loop is given besides cells and values, and what it leaves. */
struct dn_pg_sink {
    uint8_t *validity;
    size_t first;     /**< the bit of the first row */
    uint32_t as_null; /**< 1 << enum dn_pg_verdict, or'ed */
    size_t n_null;    /**< added to: nulls of the server, and values that became nulls */
    size_t n_made;    /**< added to: of them, values that became nulls */
    enum dn_pg_verdict verdict;
};

/** Bits, least significant first, from bit `first` on; zero before. */
size_t dn_pg_column_bool(const struct dn_pg_cells *c, uint8_t *bits, struct dn_pg_sink *s);
size_t dn_pg_column_int16(const struct dn_pg_cells *c, int16_t *out, struct dn_pg_sink *s);
size_t dn_pg_column_int32(const struct dn_pg_cells *c, int32_t *out, struct dn_pg_sink *s);
size_t dn_pg_column_int64(const struct dn_pg_cells *c, int64_t *out, struct dn_pg_sink *s);
size_t dn_pg_column_uint32(const struct dn_pg_cells *c, uint32_t *out, struct dn_pg_sink *s);
size_t dn_pg_column_float32(const struct dn_pg_cells *c, float *out, struct dn_pg_sink *s);
size_t dn_pg_column_float64(const struct dn_pg_cells *c, double *out, struct dn_pg_sink *s);
size_t dn_pg_column_date(const struct dn_pg_cells *c, int32_t *days, struct dn_pg_sink *s);
size_t dn_pg_column_timestamp(const struct dn_pg_cells *c, int64_t *us, struct dn_pg_sink *s);
size_t dn_pg_column_time(const struct dn_pg_cells *c, int64_t *us, struct dn_pg_sink *s);
/** 16 bytes each. */
size_t dn_pg_column_uuid(const struct dn_pg_cells *c, uint8_t *out, struct dn_pg_sink *s);
size_t dn_pg_column_interval(const struct dn_pg_cells *c, struct dn_pg_interval *out,
                             struct dn_pg_sink *s);
/** 16 bytes each; see dn_pg_numeric_128(). */
size_t dn_pg_column_numeric_128(const struct dn_pg_cells *c, int precision, int scale, uint8_t *out,
                                struct dn_pg_sink *s);
/** 32 bytes each. */
size_t dn_pg_column_numeric_256(const struct dn_pg_cells *c, int precision, int scale, uint8_t *out,
                                struct dn_pg_sink *s);

/** A run of bytes in the block: up to 12 stand in the view itself, of longer ones the first 4, and where they are. */
struct dn_pg_view {
    int32_t len;
    union {
        uint8_t inlined[12];
        struct {
            uint8_t prefix[4];
            int32_t buffer; /**< as the caller numbers it */
            int32_t at;     /**< in the block's bytes */
        } far;
    } u;
};
enum dn_pg_view_of {
    DN_PG_VIEW_BYTES, /**< as they are */
    DN_PG_VIEW_TEXT,  /**< checked UTF-8 */
    DN_PG_VIEW_JSONB  /**< the text behind the version */
};
/** Views into the block, which has to live as long; nothing is copied but short ones. */
size_t dn_pg_column_views(const struct dn_pg_cells *c, enum dn_pg_view_of what, int32_t buffer,
                          struct dn_pg_view *out, struct dn_pg_sink *s);

#endif
