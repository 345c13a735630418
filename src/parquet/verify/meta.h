/**
 * Every struct of parquet.thrift that can stand in a file, and one reader for all of them, driven by tables: what a struct may hold,
 * of which type, and what it must hold is checked while it is read.  https://github.com/apache/parquet-format.
 *
 * The readers of read/ skip what they have no use for; here nothing is skipped without a word.
 * Memory: proportional to the input, DN_PV_MAX_GROWTH bounds it.
 * Threads: none; everything is in the arguments.
 */
#ifndef DN_PARQUET_VERIFY_META_H
#define DN_PARQUET_VERIFY_META_H

#include "base/arena.h"
#include "parquet/thrift/reader.h"
#include "parquet/verify/findings.h"

/** LogicalType.FILE, which format.h has no name for. */
#define DN_PV_LOGICAL_FILE 19
/** Bytes in memory for one byte of Thrift, at most: a struct without its fields takes one byte. */
#define DN_PV_MAX_GROWTH 64

/** First member of every struct below. */
struct dn_pv_head {
    uint32_t has; /**< bit set by field id */
    uint64_t at;  /**< byte in the file */
};
static inline bool dn_pv_has(const struct dn_pv_head *head, unsigned id)
{
    return (head->has >> id & 1) != 0;
}

/** Items are int64_t, int32_t (enums too), bool, struct dn_span, or a struct of this file. */
struct dn_pv_list {
    uint32_t n;
    void *items;
};

/** A union of structs that hold nothing we need: the bit in `head.has` tells which. */
struct dn_pv_union {
    struct dn_pv_head head;
};

enum { /* Statistics */
    DN_PV_STATS_MAX = 1,
    DN_PV_STATS_MIN = 2,
    DN_PV_STATS_NULL_COUNT = 3,
    DN_PV_STATS_DISTINCT_COUNT = 4,
    DN_PV_STATS_MAX_VALUE = 5,
    DN_PV_STATS_MIN_VALUE = 6,
    DN_PV_STATS_MAX_EXACT = 7,
    DN_PV_STATS_MIN_EXACT = 8,
    DN_PV_STATS_NAN_COUNT = 9
};
struct dn_pv_statistics {
    struct dn_pv_head head;
    struct dn_span max;
    struct dn_span min;
    int64_t null_count;
    int64_t distinct_count;
    struct dn_span max_value;
    struct dn_span min_value;
    bool max_exact;
    bool min_exact;
    int64_t nan_count;
};

enum { /* SizeStatistics */
    DN_PV_SIZE_UNENCODED = 1,
    DN_PV_SIZE_REP_HISTOGRAM = 2,
    DN_PV_SIZE_DEF_HISTOGRAM = 3
};
struct dn_pv_size_statistics {
    struct dn_pv_head head;
    int64_t unencoded;
    struct dn_pv_list rep_histogram;
    struct dn_pv_list def_histogram;
};

struct dn_pv_decimal {
    struct dn_pv_head head;
    int32_t scale;
    int32_t precision;
};
struct dn_pv_integer {
    struct dn_pv_head head;
    int32_t bit_width;
    bool is_signed;
};
struct dn_pv_time {
    struct dn_pv_head head;
    bool is_utc;
    struct dn_pv_union unit;
};
/** VariantType, GeometryType, GeographyType. */
struct dn_pv_other_type {
    struct dn_pv_head head;
    int32_t version;
    struct dn_span crs;
    int32_t algorithm;
};
/** The bit in `head.has` is the enum dn_pq_logical. */
struct dn_pv_logical {
    struct dn_pv_head head;
    struct dn_pv_union empty;
    struct dn_pv_decimal decimal;
    struct dn_pv_integer integer;
    struct dn_pv_time time; /**< TIME and TIMESTAMP */
    struct dn_pv_other_type other;
};

enum { /* SchemaElement */
    DN_PV_ELEMENT_TYPE = 1,
    DN_PV_ELEMENT_TYPE_LENGTH = 2,
    DN_PV_ELEMENT_REPETITION = 3,
    DN_PV_ELEMENT_NAME = 4,
    DN_PV_ELEMENT_CHILDREN = 5,
    DN_PV_ELEMENT_CONVERTED = 6,
    DN_PV_ELEMENT_SCALE = 7,
    DN_PV_ELEMENT_PRECISION = 8,
    DN_PV_ELEMENT_LOGICAL = 10
};
struct dn_pv_element {
    struct dn_pv_head head;
    int32_t type;
    int32_t type_length;
    int32_t repetition;
    struct dn_span name;
    int32_t n_children;
    int32_t converted;
    int32_t scale;
    int32_t precision;
    int32_t field_id;
    struct dn_pv_logical logical;
};

struct dn_pv_key_value {
    struct dn_pv_head head;
    struct dn_span key;
    struct dn_span value;
};
struct dn_pv_sorting {
    struct dn_pv_head head;
    int32_t column;
    bool descending;
    bool nulls_first;
};
struct dn_pv_encoding_stat {
    struct dn_pv_head head;
    int32_t page_type;
    int32_t encoding;
    int32_t count;
};
struct dn_pv_bounding_box {
    struct dn_pv_head head;
    double bounds[8];
};
struct dn_pv_geo_statistics {
    struct dn_pv_head head;
    struct dn_pv_bounding_box box;
    struct dn_pv_list types;
};

enum { /* ColumnMetaData */
    DN_PV_META_KEY_VALUES = 8,
    DN_PV_META_DATA_PAGE_OFFSET = 9,
    DN_PV_META_INDEX_PAGE_OFFSET = 10,
    DN_PV_META_DICTIONARY_OFFSET = 11,
    DN_PV_META_STATISTICS = 12,
    DN_PV_META_ENCODING_STATS = 13,
    DN_PV_META_BLOOM_OFFSET = 14,
    DN_PV_META_BLOOM_LENGTH = 15,
    DN_PV_META_SIZE_STATISTICS = 16,
    DN_PV_META_GEO_STATISTICS = 17
};
struct dn_pv_column_meta {
    struct dn_pv_head head;
    int32_t type;
    struct dn_pv_list encodings; /**< int32_t */
    struct dn_pv_list path;      /**< struct dn_span */
    int32_t codec;
    int64_t n_values;
    int64_t uncompressed;
    int64_t compressed;
    struct dn_pv_list key_values;
    int64_t data_page_offset;
    int64_t index_page_offset;
    int64_t dictionary_page_offset;
    struct dn_pv_statistics statistics;
    struct dn_pv_list encoding_stats;
    int64_t bloom_offset;
    int32_t bloom_length;
    struct dn_pv_size_statistics sizes;
    struct dn_pv_geo_statistics geo;
};

/** AesGcmV1 and AesGcmCtrV1, EncryptionWithColumnKey: read, and nothing more. */
struct dn_pv_crypto {
    struct dn_pv_head head;
    struct dn_span first;
    struct dn_span second;
    bool supply_prefix;
    struct dn_pv_list path;
};
struct dn_pv_crypto_union {
    struct dn_pv_head head;
    struct dn_pv_crypto member;
};

enum { /* ColumnChunk */
    DN_PV_CHUNK_FILE_PATH = 1,
    DN_PV_CHUNK_META = 3,
    DN_PV_CHUNK_OFFSET_INDEX = 4,
    DN_PV_CHUNK_OFFSET_INDEX_LENGTH = 5,
    DN_PV_CHUNK_COLUMN_INDEX = 6,
    DN_PV_CHUNK_COLUMN_INDEX_LENGTH = 7,
    DN_PV_CHUNK_CRYPTO = 8,
    DN_PV_CHUNK_ENCRYPTED_META = 9
};
struct dn_pv_chunk {
    struct dn_pv_head head;
    struct dn_span file_path;
    int64_t file_offset;
    struct dn_pv_column_meta meta;
    int64_t offset_index_offset;
    int32_t offset_index_length;
    int64_t column_index_offset;
    int32_t column_index_length;
    struct dn_pv_crypto_union crypto;
    struct dn_span encrypted_meta;
};

enum { /* RowGroup */
    DN_PV_GROUP_SORTING = 4,
    DN_PV_GROUP_FILE_OFFSET = 5,
    DN_PV_GROUP_COMPRESSED = 6,
    DN_PV_GROUP_ORDINAL = 7
};
struct dn_pv_group {
    struct dn_pv_head head;
    struct dn_pv_list columns; /**< struct dn_pv_chunk */
    int64_t total_byte_size;
    int64_t n_rows;
    struct dn_pv_list sorting;
    int64_t file_offset;
    int64_t total_compressed;
    int32_t ordinal;
};

enum { /* FileMetaData */
    DN_PV_FILE_CREATED_BY = 6,
    DN_PV_FILE_ORDERS = 7,
    DN_PV_FILE_ENCRYPTION = 8
};
enum { /* ColumnOrder */
    DN_PV_ORDER_TYPE = 1,
    DN_PV_ORDER_IEEE754 = 2,
    DN_PV_ORDER_INT96 = 3
};
struct dn_pv_file_meta {
    struct dn_pv_head head;
    int32_t version;
    struct dn_pv_list schema; /**< struct dn_pv_element */
    int64_t n_rows;
    struct dn_pv_list groups; /**< struct dn_pv_group */
    struct dn_pv_list key_values;
    struct dn_span created_by;
    struct dn_pv_list orders; /**< struct dn_pv_union */
    struct dn_pv_crypto_union encryption;
    struct dn_span signing_key;
};

enum { /* DataPageHeader */
    DN_PV_DATA_STATISTICS = 5
};
struct dn_pv_data_head {
    struct dn_pv_head head;
    int32_t n_values;
    int32_t encoding;
    int32_t def_encoding;
    int32_t rep_encoding;
    struct dn_pv_statistics statistics;
};
enum { /* DictionaryPageHeader */
    DN_PV_DICTIONARY_IS_SORTED = 3
};
struct dn_pv_dictionary_head {
    struct dn_pv_head head;
    int32_t n_values;
    int32_t encoding;
    bool is_sorted;
};
enum { /* DataPageHeaderV2 */
    DN_PV_DATA2_IS_COMPRESSED = 7,
    DN_PV_DATA2_STATISTICS = 8
};
struct dn_pv_data2_head {
    struct dn_pv_head head;
    int32_t n_values;
    int32_t n_nulls;
    int32_t n_rows;
    int32_t encoding;
    int32_t def_bytes;
    int32_t rep_bytes;
    bool is_compressed;
    struct dn_pv_statistics statistics;
};
enum { /* PageHeader */
    DN_PV_PAGE_CRC = 4,
    DN_PV_PAGE_DATA = 5,
    DN_PV_PAGE_INDEX = 6,
    DN_PV_PAGE_DICTIONARY = 7,
    DN_PV_PAGE_DATA2 = 8
};
struct dn_pv_page_head {
    struct dn_pv_head head;
    int32_t type;
    int32_t uncompressed;
    int32_t compressed;
    int32_t crc;
    struct dn_pv_data_head data;
    struct dn_pv_union index;
    struct dn_pv_dictionary_head dictionary;
    struct dn_pv_data2_head data2;
};

struct dn_pv_page_location {
    struct dn_pv_head head;
    int64_t offset;
    int32_t size;
    int64_t first_row;
};
enum { /* OffsetIndex */
    DN_PV_OFFSETS_UNENCODED = 2
};
struct dn_pv_offset_index {
    struct dn_pv_head head;
    struct dn_pv_list locations;
    struct dn_pv_list unencoded;
};
enum { /* ColumnIndex */
    DN_PV_INDEX_NULL_COUNTS = 5,
    DN_PV_INDEX_REP_HISTOGRAMS = 6,
    DN_PV_INDEX_DEF_HISTOGRAMS = 7,
    DN_PV_INDEX_NAN_COUNTS = 8
};
enum { /* BoundaryOrder */
    DN_PV_UNORDERED = 0,
    DN_PV_ASCENDING = 1,
    DN_PV_DESCENDING = 2
};
struct dn_pv_column_index {
    struct dn_pv_head head;
    struct dn_pv_list null_pages; /**< bool */
    struct dn_pv_list min_values; /**< struct dn_span */
    struct dn_pv_list max_values;
    int32_t boundary_order;
    struct dn_pv_list null_counts;
    struct dn_pv_list rep_histograms;
    struct dn_pv_list def_histograms;
    struct dn_pv_list nan_counts;
};
struct dn_pv_bloom_head {
    struct dn_pv_head head;
    int32_t n_bytes;
    struct dn_pv_union algorithm;
    struct dn_pv_union hash;
    struct dn_pv_union compression;
};

/* ---- the tables ------------------------------------------------------------------------------------------------- */

enum dn_pv_kind {
    DN_PV_BOOL,
    DN_PV_I8,
    DN_PV_I16,
    DN_PV_I32,
    DN_PV_I64,
    DN_PV_DOUBLE,
    DN_PV_BINARY,
    DN_PV_TEXT, /**< UTF-8 */
    DN_PV_ENUM,
    DN_PV_STRUCT,
    DN_PV_LIST
};
struct dn_pv_struct_type;
struct dn_pv_field_type {
    int16_t id;
    bool required;
    enum dn_pv_kind kind;
    enum dn_pv_kind element; /**< of a list */
    uint32_t offset;         /**< in the C struct */
    uint32_t values;         /**< of an enum: bit set by number */
    const char *name;
    const struct dn_pv_struct_type *type; /**< of a struct, or of the structs of a list */
};
struct dn_pv_struct_type {
    const char *name;
    const struct dn_pv_field_type *fields;
    uint16_t n_fields;
    bool is_union; /**< holds exactly one field */
    uint32_t size;
};
extern const struct dn_pv_struct_type dn_pv_file_type;
extern const struct dn_pv_struct_type dn_pv_page_type;
extern const struct dn_pv_struct_type dn_pv_offset_index_type;
extern const struct dn_pv_struct_type dn_pv_column_index_type;
extern const struct dn_pv_struct_type dn_pv_bloom_type;

struct dn_pv_meta_reader {
    struct dn_thrift_reader thrift;
    struct dn_arena *arena; /**< lists live here */
    struct dn_pv_findings *findings;
    struct dn_pv_place place; /**< of what is being read; `byte` is set by the reader */
    size_t memory_left;
};
/** @param in  must outlive what is read: texts point into it */
void dn_pv_meta_start(struct dn_pv_meta_reader *m, struct dn_span in, uint64_t base,
                      const char *what, struct dn_arena *arena, struct dn_pv_findings *findings,
                      const struct dn_pv_place *place);
/**
 * One struct.  What can be told apart from damage is a finding; bytes that cannot be read any further are DN_ERR_DATA, which the
 * caller reports.  `out` has the type's size.
 */
DN_NODISCARD enum dn_status dn_pv_meta_read(struct dn_pv_meta_reader *m,
                                            const struct dn_pv_struct_type *type, void *out,
                                            struct dn_error *err);
/**
 * How many bytes the struct at the start of `in` takes.
 * @param out_ran_out  set if the failure may be due to `in` being too short
 */
DN_NODISCARD enum dn_status dn_pv_struct_length(struct dn_span in, uint64_t base, const char *what,
                                                size_t *out, bool *out_ran_out,
                                                struct dn_error *err);

#endif
