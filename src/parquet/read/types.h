/** The Arrow types of flat Parquet columns, and how stored values become theirs.  LogicalTypes.md of the format. */
#ifndef DN_PARQUET_READ_TYPES_H
#define DN_PARQUET_READ_TYPES_H

#include "arrow/types.h"
#include "parquet/read/footer.h"

enum dn_pq_how {
    DN_PQ_HOW_SAME = 0, /**< the stored bytes, `width` each */
    DN_PQ_HOW_BOOL,     /**< a bit each */
    DN_PQ_HOW_NARROW,   /**< int32 to 8 or 16 bits, signed or not */
    DN_PQ_HOW_INT96,    /**< nanoseconds of a day and a Julian day, to nanoseconds since 1970 */
    DN_PQ_HOW_DECIMAL,  /**< a number of any size, to one of 16 or 32 bytes */
    DN_PQ_HOW_INTERVAL, /**< months, days and milliseconds without signs, to an interval of Arrow's */
    DN_PQ_HOW_INTERVAL_TEXT, /**< ISO 8601, to an interval of Arrow's */
    DN_PQ_HOW_VIEWS,         /**< byte arrays */
    DN_PQ_HOW_NOTHING        /**< nulls only, without buffers */
};

struct dn_pq_arrow_type {
    struct dn_type type;
    enum dn_pq_how how;
    size_t width;          /**< bytes per value in Arrow; 0: bits, or nothing */
    size_t stored_width;   /**< bytes per value in the file; 0: byte arrays */
    bool is_signed;        /**< DN_PQ_HOW_NARROW */
    bool is_little_endian; /**< DN_PQ_HOW_DECIMAL */
    bool is_text;          /**< DN_PQ_HOW_VIEWS: must be valid UTF-8 */
};

/**
 * The type that Arrow has for the meaning of a flat leaf, with what only its writer knew (origin.h): that a number is a duration, a
 * text an interval, the name of a zone, an extension; for a meaning that does not fit the physical type, or that Arrow cannot say,
 * that of the physical type.
 */
void dn_pq_arrow_type(const struct dn_pq_leaf *leaf, struct dn_pq_arrow_type *out);

#endif
