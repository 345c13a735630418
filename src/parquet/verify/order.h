/** The order of a column's values, and what a value may be.  "Sort order" in LogicalTypes.md, ColumnOrder in parquet.thrift. */
#ifndef DN_PARQUET_VERIFY_ORDER_H
#define DN_PARQUET_VERIFY_ORDER_H

#include "parquet/read/footer.h"

enum dn_pv_order {
    DN_PV_ORDERED_NOT, /**< no bounds can be checked */
    DN_PV_ORDERED_BOOL,
    DN_PV_ORDERED_I32,
    DN_PV_ORDERED_I64,
    DN_PV_ORDERED_U32,
    DN_PV_ORDERED_U64,
    DN_PV_ORDERED_F16,
    DN_PV_ORDERED_F32,
    DN_PV_ORDERED_F64,
    DN_PV_ORDERED_BYTES,   /**< unsigned */
    DN_PV_ORDERED_DECIMAL, /**< two's complement, big endian, of any length */
    DN_PV_ORDERED_INT96    /**< chronological */
};

/** A leaf of the schema. */
struct dn_pv_column {
    struct dn_pq_leaf leaf; /**< for the decoder; `element` is the member below */
    struct dn_pq_element element;
    struct dn_span *parts; /**< of the path */
    uint32_t n_parts;
    size_t width; /**< bytes per value, 0 for byte arrays */
    enum dn_pv_order order;
    bool orders_said;   /**< the file has column orders */
    bool total_order;   /**< IEEE 754 */
    bool is_float;      /**< FLOAT, DOUBLE, FLOAT16 */
    bool is_text;       /**< values are UTF-8 */
    bool has_no_values; /**< logical type UNKNOWN */
};

/** The order that the type defines; `column->element` and `width` are filled in. */
enum dn_pv_order dn_pv_type_order(const struct dn_pv_column *column);
/** < 0, 0, > 0.  Both are values of the type; no NaNs unless the order is total.  -0 equals +0 unless it is. */
int dn_pv_compare(const struct dn_pv_column *column, struct dn_span a, struct dn_span b);
bool dn_pv_is_nan(const struct dn_pv_column *column, struct dn_span value);
/**
 * What is wrong with a value, or NULL.  For numbers the values between two good ones are good, in the order of the type.
 */
const char *dn_pv_value_fault(const struct dn_pv_column *column, struct dn_span value);

#define DN_PV_SHOWN_SIZE 160
/** A value in words, for messages. */
const char *dn_pv_show(char out[DN_PV_SHOWN_SIZE], const struct dn_pv_column *column,
                       struct dn_span value);

#endif
