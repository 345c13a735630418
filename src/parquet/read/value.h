/** What the stored values of a column are, in words and as JSON. */
#ifndef DN_PARQUET_READ_VALUE_H
#define DN_PARQUET_READ_VALUE_H

#include "parquet/read/footer.h"

/** How a stored value is shown. */
enum dn_pq_shown {
    DN_PQ_SHOWN_BOOL,
    DN_PQ_SHOWN_INT,
    DN_PQ_SHOWN_UINT,
    DN_PQ_SHOWN_FLOAT16,
    DN_PQ_SHOWN_FLOAT,
    DN_PQ_SHOWN_DOUBLE,
    DN_PQ_SHOWN_DECIMAL,
    DN_PQ_SHOWN_DATE,
    DN_PQ_SHOWN_TIME,
    DN_PQ_SHOWN_TIMESTAMP,
    DN_PQ_SHOWN_INT96, /**< the old timestamp: nanoseconds of the day, Julian day */
    DN_PQ_SHOWN_TEXT,
    DN_PQ_SHOWN_BINARY,
    DN_PQ_SHOWN_UUID,
    DN_PQ_SHOWN_INTERVAL,
    DN_PQ_SHOWN_DURATION, /**< by the word of the writer, see origin.h */
    DN_PQ_SHOWN_NULL
};

/** A meaning that does not fit the physical type is ignored, as the format asks readers to. */
enum dn_pq_shown dn_pq_leaf_shown(const struct dn_pq_leaf *leaf);
/** Bytes per value in memory: 1 for booleans, 0 for byte arrays. */
size_t dn_pq_leaf_width(const struct dn_pq_leaf *leaf);

#define DN_PQ_WORDS_SIZE 64
/** Type as users name it: "int64", "timestamptz", "decimal(10, 2)"; see dn_type_name() of arrow/schema.h. */
void dn_pq_type_words(const struct dn_pq_leaf *leaf, char out[DN_PQ_WORDS_SIZE]);
/** "INT64", "FIXED_LEN_BYTE_ARRAY(16)". */
void dn_pq_physical_words(const struct dn_pq_leaf *leaf, char out[DN_PQ_WORDS_SIZE]);
/** "timestamp[us, UTC]"; false if the column has no logical type. */
bool dn_pq_logical_words(const struct dn_pq_leaf *leaf, char out[DN_PQ_WORDS_SIZE]);
/** Upper-case name of an encoding, "UNKNOWN" for numbers without one. */
const char *dn_pq_encoding_words(int32_t encoding);

/**
 * Append a value in PLAIN form (little endian; byte arrays without their length) as JSON.
 * Strictly RFC 8259.  Numbers are bare as far as int64 and finite doubles go; larger integers, "NaN", "Infinity", "-Infinity" and
 * decimals (every digit kept) are strings, and so are dates, times and timestamps (ISO 8601), text, and other bytes as "0x<hex>".
 * @param cut  longest text in bytes, cut at a character and marked with an ellipsis; 0: no limit.
 * @return DN_ERR_DATA if `v` has not the length of the type.
 */
DN_NODISCARD enum dn_status dn_pq_value_json(struct dn_buffer *out, const struct dn_pq_leaf *leaf,
                                             struct dn_span v, size_t cut, struct dn_error *err);

#endif
