/**
 * The metadata of a Parquet file of any writer: found, parsed and checked against the file.
 *
 * After dn_pq_file_read() every count is non-negative, every row group has one chunk per leaf, the rows of the row groups add
 * up, and the pages of every chunk lie between the first magic and the footer.
 * Memory: proportional to the footer (at most about 20 times its bytes, and DN_PQ_MAX_FOOTER bounds it).
 */
#ifndef DN_PARQUET_READ_FOOTER_H
#define DN_PARQUET_READ_FOOTER_H

#include "arrow/types.h"
#include "base/arena.h"
#include "dativo/arrow.h"
#include "parquet/format.h"
#include "store/source.h"

#define DN_PQ_MAX_FOOTER ((uint32_t)512 << 20)  /**< larger footers are refused */
#define DN_PQ_MAX_ELEMENTS ((uint32_t)1 << 20)  /**< schema elements */
#define DN_PQ_MAX_PATH_BYTES ((size_t)64 << 20) /**< of all leaf paths together */
#define DN_PQ_MAX_NESTING 64                    /**< schema depth */
/** LogicalType has no field for INTERVAL; its number is reserved there. */
#define DN_PQ_LOGICAL_INTERVAL 9
/** Of an element that does not say one. */
#define DN_PQ_NO_TYPE (-1)
/** Bit of encodings this reader has no name for. */
#define DN_PQ_ENCODING_UNKNOWN 31

/** What the values of a leaf mean; a logical type already, if the file has only a converted type. */
struct dn_pq_meaning {
    int32_t logical; /**< enum dn_pq_logical, DN_PQ_LOGICAL_INTERVAL, or a number unknown to us */
    int32_t unit;    /**< enum dn_pq_time_unit */
    bool is_utc;
    bool is_signed;
    int32_t bit_width;
    int32_t precision;
    int32_t scale;
};

struct dn_pq_element {
    struct dn_span name;
    int32_t type; /**< enum dn_pq_type, DN_PQ_NO_TYPE for groups */
    int32_t type_length;
    int32_t repetition;
    int32_t n_children;
    int32_t converted;
    int32_t field_id; /**< if it has one */
    bool has_field_id;
    struct dn_pq_meaning meaning;
};

/** Of key_value_metadata; a value may be missing, which is an empty one. */
struct dn_pq_pair {
    struct dn_span key;
    struct dn_span value;
};

/** A column: a leaf of the schema. */
struct dn_pq_leaf {
    const char *path; /**< NUL-terminated, parts joined by '.' */
    size_t path_len;
    const struct dn_pq_element *element;
    uint32_t column;     /**< the child of the root that it is, or is within */
    struct dn_type said; /**< the type that its writer had, */
    bool is_said;        /**< if that is known: see origin.h */
    int32_t max_def;
    int32_t max_rep;
    bool nested; /**< not directly below the root, or repeated */
    bool strict; /**< what old writers did and the format forbids is damage (struct dn_pq_hybrid) */
};

struct dn_pq_chunk_info {
    bool has_meta;      /**< false: encrypted with a key of its own */
    bool is_encrypted;  /**< its pages are; offsets were not checked */
    bool in_other_file; /**< offsets are not of this file and were not checked */
    int32_t type;
    uint32_t encodings; /**< bit set by enum dn_pq_encoding */
    int32_t codec;      /**< CompressionCodec */
    int64_t n_values;
    int64_t uncompressed_bytes;
    int64_t compressed_bytes;
    int64_t slack_bytes; /**< by so much the pages may reach over `compressed_bytes` */
    int64_t data_page_offset;
    int64_t dictionary_page_offset; /**< 0: none */
    int64_t null_count;             /**< -1: unknown */
    struct dn_span min;             /**< data NULL: unknown */
    struct dn_span max;
};

struct dn_pq_group_info {
    struct dn_pq_chunk_info *chunks; /**< one per leaf */
    uint32_t n_chunks;
    int64_t first_row; /**< of the file */
    int64_t n_rows;
    int64_t bytes; /**< of all chunks in the file */
};

struct dn_pq_file_info {
    struct dn_arena arena;
    struct dn_buffer footer; /**< what the spans point into */
    uint64_t size_bytes;
    uint64_t footer_offset;
    int64_t n_rows;
    struct dn_span created_by; /**< data NULL: not said */
    struct dn_pq_element *elements;
    uint32_t n_elements;
    struct dn_pq_leaf *leaves;
    uint32_t n_leaves;
    struct dn_pq_group_info *groups;
    uint32_t n_groups;
    struct dn_pq_pair *pairs;
    uint32_t n_pairs;
    struct ArrowSchema origin; /**< from ARROW:schema, if that fits the columns */
};

/**
 * Read and check the footer.  `file` is zeroed memory; on failure it is finished.
 * DN_ERR_DATA not a Parquet file, or damaged; DN_ERR_UNSUPPORTED encrypted, or not seekable.
 */
DN_NODISCARD enum dn_status dn_pq_file_read(struct dn_pq_file_info *file, struct dn_source *source,
                                            struct dn_error *err);
void dn_pq_file_finish(struct dn_pq_file_info *file);
/** Forgive no column's pages anything, and take columns as Parquet has them, whatever an Arrow schema says. */
void dn_pq_file_be_strict(struct dn_pq_file_info *file);

/** Exactly `size` bytes at `offset`, appended to `out`.  DN_ERR_DATA if the file ends before. */
DN_NODISCARD enum dn_status dn_pq_read_at(struct dn_source *source, uint64_t offset, size_t size,
                                          struct dn_buffer *out, struct dn_error *err);

/* ---- schema.c, for footer.c and verify/ ---- */

struct dn_thrift_reader;
/** One SchemaElement. */
DN_NODISCARD enum dn_status dn_pq_element_read(struct dn_thrift_reader *r,
                                               struct dn_pq_element *out, struct dn_error *err);
/** What a ConvertedType means, precision and scale aside.  LogicalTypes.md, "Backward compatibility". */
struct dn_pq_meaning dn_pq_converted_meaning(int32_t converted);
/**
 * INTERVAL has no logical type: parquet-java gives it that of a column of nulls, and readers that believe it lose the values.
 */
static inline bool dn_pq_is_interval(int32_t logical, int32_t converted)
{
    return logical == DN_PQ_LOGICAL_UNKNOWN && converted == DN_PQ_CONVERTED_INTERVAL;
}
/** From elements to leaves. */
DN_NODISCARD enum dn_status dn_pq_leaves_find(struct dn_pq_file_info *file, struct dn_error *err);

#endif
