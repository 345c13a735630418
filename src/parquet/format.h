/**
 * Numbers of the Parquet format, as plain C enums: the values and the field ids of parquet.thrift
 * (https://github.com/apache/parquet-format).  Codecs are `enum dn_codec_id` of codec/codec.h, whose values are Parquet's.
 */
#ifndef DN_PARQUET_FORMAT_H
#define DN_PARQUET_FORMAT_H

#include "codec/codec.h"

#define DN_PQ_MAGIC "PAR1" /**< first four and last four bytes of a file */
#define DN_PQ_MAGIC_LEN 4

/** Type: how values are stored. */
enum dn_pq_type {
    DN_PQ_BOOLEAN = 0,
    DN_PQ_INT32 = 1,
    DN_PQ_INT64 = 2,
    DN_PQ_INT96 = 3,
    DN_PQ_FLOAT = 4,
    DN_PQ_DOUBLE = 5,
    DN_PQ_BYTE_ARRAY = 6,
    DN_PQ_FIXED_LEN_BYTE_ARRAY = 7
};

/** ConvertedType: what values mean, the form that old readers know.  -1 is our own "none". */
enum dn_pq_converted {
    DN_PQ_CONVERTED_NONE = -1,
    DN_PQ_CONVERTED_UTF8 = 0,
    DN_PQ_CONVERTED_MAP = 1,
    DN_PQ_CONVERTED_MAP_KEY_VALUE = 2,
    DN_PQ_CONVERTED_LIST = 3,
    DN_PQ_CONVERTED_ENUM = 4,
    DN_PQ_CONVERTED_DECIMAL = 5,
    DN_PQ_CONVERTED_DATE = 6,
    DN_PQ_CONVERTED_TIME_MILLIS = 7,
    DN_PQ_CONVERTED_TIME_MICROS = 8,
    DN_PQ_CONVERTED_TIMESTAMP_MILLIS = 9,
    DN_PQ_CONVERTED_TIMESTAMP_MICROS = 10,
    DN_PQ_CONVERTED_UINT_8 = 11,
    DN_PQ_CONVERTED_UINT_16 = 12,
    DN_PQ_CONVERTED_UINT_32 = 13,
    DN_PQ_CONVERTED_UINT_64 = 14,
    DN_PQ_CONVERTED_INT_8 = 15,
    DN_PQ_CONVERTED_INT_16 = 16,
    DN_PQ_CONVERTED_INT_32 = 17,
    DN_PQ_CONVERTED_INT_64 = 18,
    DN_PQ_CONVERTED_JSON = 19,
    DN_PQ_CONVERTED_BSON = 20,
    DN_PQ_CONVERTED_INTERVAL = 21
};

/** LogicalType: the field id inside the union.  0 is our own "none". */
enum dn_pq_logical {
    DN_PQ_LOGICAL_NONE = 0,
    DN_PQ_LOGICAL_STRING = 1,
    DN_PQ_LOGICAL_MAP = 2,
    DN_PQ_LOGICAL_LIST = 3,
    DN_PQ_LOGICAL_ENUM = 4,
    DN_PQ_LOGICAL_DECIMAL = 5,
    DN_PQ_LOGICAL_DATE = 6,
    DN_PQ_LOGICAL_TIME = 7,
    DN_PQ_LOGICAL_TIMESTAMP = 8,
    DN_PQ_LOGICAL_INTEGER = 10,
    DN_PQ_LOGICAL_UNKNOWN = 11,
    DN_PQ_LOGICAL_JSON = 12,
    DN_PQ_LOGICAL_BSON = 13,
    DN_PQ_LOGICAL_UUID = 14,
    DN_PQ_LOGICAL_FLOAT16 = 15,
    DN_PQ_LOGICAL_VARIANT = 16,
    DN_PQ_LOGICAL_GEOMETRY = 17,
    DN_PQ_LOGICAL_GEOGRAPHY = 18
};

/** TimeUnit: the field id inside the union. */
enum dn_pq_time_unit {
    DN_PQ_MILLIS = 1,
    DN_PQ_MICROS = 2,
    DN_PQ_NANOS = 3
};

/** FieldRepetitionType */
enum dn_pq_repetition {
    DN_PQ_REQUIRED = 0,
    DN_PQ_OPTIONAL = 1,
    DN_PQ_REPEATED = 2
};

/** Encoding */
enum dn_pq_encoding {
    DN_PQ_PLAIN = 0,
    DN_PQ_PLAIN_DICTIONARY = 2,
    DN_PQ_RLE = 3,
    DN_PQ_BIT_PACKED = 4,
    DN_PQ_DELTA_BINARY_PACKED = 5,
    DN_PQ_DELTA_LENGTH_BYTE_ARRAY = 6,
    DN_PQ_DELTA_BYTE_ARRAY = 7,
    DN_PQ_RLE_DICTIONARY = 8,
    DN_PQ_BYTE_STREAM_SPLIT = 9
};
/** Are the values of such a page ids of a dictionary's entries? */
static inline bool dn_pq_is_dictionary(int32_t encoding)
{
    return encoding == DN_PQ_RLE_DICTIONARY || encoding == DN_PQ_PLAIN_DICTIONARY;
}

/** PageType */
enum dn_pq_page_type {
    DN_PQ_DATA_PAGE = 0,
    DN_PQ_INDEX_PAGE = 1,
    DN_PQ_DICTIONARY_PAGE = 2,
    DN_PQ_DATA_PAGE_V2 = 3
};

/** Types of the Thrift compact protocol as they stand in field headers and list headers. */
enum dn_thrift_type {
    DN_THRIFT_STOP = 0,
    DN_THRIFT_TRUE =
        1, /**< a boolean field carries its value in its type; a boolean in a list is one byte, 1 or 2 */
    DN_THRIFT_FALSE = 2,
    DN_THRIFT_I8 = 3,
    DN_THRIFT_I16 = 4,
    DN_THRIFT_I32 = 5,
    DN_THRIFT_I64 = 6,
    DN_THRIFT_DOUBLE = 7,
    DN_THRIFT_BINARY = 8,
    DN_THRIFT_LIST = 9,
    DN_THRIFT_SET = 10,
    DN_THRIFT_MAP = 11,
    DN_THRIFT_STRUCT = 12,
    DN_THRIFT_UUID = 13
};

/* Field ids, one enum per struct of parquet.thrift; only the fields somebody here reads or writes. */

enum dn_pq_file_field { /* FileMetaData */
    DN_PQ_FILE_VERSION = 1,
    DN_PQ_FILE_SCHEMA = 2,
    DN_PQ_FILE_NUM_ROWS = 3,
    DN_PQ_FILE_ROW_GROUPS = 4,
    DN_PQ_FILE_KEY_VALUES = 5,
    DN_PQ_FILE_CREATED_BY = 6,
    DN_PQ_FILE_COLUMN_ORDERS = 7
};

enum dn_pq_schema_field { /* SchemaElement */
    DN_PQ_SCHEMA_TYPE = 1,
    DN_PQ_SCHEMA_TYPE_LENGTH = 2,
    DN_PQ_SCHEMA_REPETITION = 3,
    DN_PQ_SCHEMA_NAME = 4,
    DN_PQ_SCHEMA_NUM_CHILDREN = 5,
    DN_PQ_SCHEMA_CONVERTED = 6,
    DN_PQ_SCHEMA_SCALE = 7,
    DN_PQ_SCHEMA_PRECISION = 8,
    DN_PQ_SCHEMA_FIELD_ID = 9,
    DN_PQ_SCHEMA_LOGICAL = 10
};

enum dn_pq_key_value_field { /* KeyValue */
    DN_PQ_KEY_VALUE_KEY = 1,
    DN_PQ_KEY_VALUE_VALUE = 2
};
/** The key in the footer under which Arrow's writers keep the schema, the message of an IPC stream as base64. */
#define DN_PQ_ARROW_SCHEMA_KEY "ARROW:schema"

enum dn_pq_timestamp_field { /* TimeType and TimestampType */
    DN_PQ_TIMESTAMP_IS_UTC = 1,
    DN_PQ_TIMESTAMP_UNIT = 2
};

enum dn_pq_decimal_field { /* DecimalType */
    DN_PQ_DECIMAL_SCALE = 1,
    DN_PQ_DECIMAL_PRECISION = 2
};

enum dn_pq_integer_field { /* IntType */
    DN_PQ_INTEGER_BIT_WIDTH = 1,
    DN_PQ_INTEGER_IS_SIGNED = 2
};

enum dn_pq_row_group_field { /* RowGroup */
    DN_PQ_ROW_GROUP_COLUMNS = 1,
    DN_PQ_ROW_GROUP_TOTAL_BYTE_SIZE = 2,
    DN_PQ_ROW_GROUP_NUM_ROWS = 3,
    DN_PQ_ROW_GROUP_SORTING = 4,
    DN_PQ_ROW_GROUP_FILE_OFFSET = 5,
    DN_PQ_ROW_GROUP_TOTAL_COMPRESSED_SIZE = 6,
    DN_PQ_ROW_GROUP_ORDINAL = 7
};

enum dn_pq_chunk_field { /* ColumnChunk */
    DN_PQ_CHUNK_FILE_PATH = 1,
    DN_PQ_CHUNK_FILE_OFFSET = 2,
    DN_PQ_CHUNK_META_DATA = 3,
    DN_PQ_CHUNK_OFFSET_INDEX_OFFSET = 4,
    DN_PQ_CHUNK_OFFSET_INDEX_LENGTH = 5,
    DN_PQ_CHUNK_COLUMN_INDEX_OFFSET = 6,
    DN_PQ_CHUNK_COLUMN_INDEX_LENGTH = 7,
    DN_PQ_CHUNK_CRYPTO = 8
};

enum dn_pq_column_field { /* ColumnMetaData */
    DN_PQ_COLUMN_TYPE = 1,
    DN_PQ_COLUMN_ENCODINGS = 2,
    DN_PQ_COLUMN_PATH = 3,
    DN_PQ_COLUMN_CODEC = 4,
    DN_PQ_COLUMN_NUM_VALUES = 5,
    DN_PQ_COLUMN_UNCOMPRESSED_SIZE = 6,
    DN_PQ_COLUMN_COMPRESSED_SIZE = 7,
    DN_PQ_COLUMN_KEY_VALUES = 8,
    DN_PQ_COLUMN_DATA_PAGE_OFFSET = 9,
    DN_PQ_COLUMN_INDEX_PAGE_OFFSET = 10,
    DN_PQ_COLUMN_DICTIONARY_PAGE_OFFSET = 11,
    DN_PQ_COLUMN_STATISTICS = 12,
    DN_PQ_COLUMN_ENCODING_STATS = 13,
    DN_PQ_COLUMN_BLOOM_OFFSET = 14,
    DN_PQ_COLUMN_BLOOM_LENGTH = 15,
    DN_PQ_COLUMN_SIZE_STATISTICS = 16
};

enum dn_pq_statistics_field { /* Statistics; 1 and 2 are the deprecated max and min */
    DN_PQ_STATISTICS_OLD_MAX = 1,
    DN_PQ_STATISTICS_OLD_MIN = 2,
    DN_PQ_STATISTICS_NULL_COUNT = 3,
    DN_PQ_STATISTICS_DISTINCT_COUNT = 4,
    DN_PQ_STATISTICS_MAX = 5,
    DN_PQ_STATISTICS_MIN = 6,
    DN_PQ_STATISTICS_MAX_EXACT = 7,
    DN_PQ_STATISTICS_MIN_EXACT = 8,
    DN_PQ_STATISTICS_NAN_COUNT = 9 /**< floating point only */
};

enum dn_pq_size_statistics_field { /* SizeStatistics */
    DN_PQ_SIZE_UNENCODED_BYTES = 1,
    DN_PQ_SIZE_REPETITION_HISTOGRAM = 2,
    DN_PQ_SIZE_DEFINITION_HISTOGRAM = 3
};

enum dn_pq_encoding_stats_field { /* PageEncodingStats */
    DN_PQ_ENCODING_STATS_PAGE_TYPE = 1,
    DN_PQ_ENCODING_STATS_ENCODING = 2,
    DN_PQ_ENCODING_STATS_COUNT = 3
};

enum dn_pq_page_field { /* PageHeader */
    DN_PQ_PAGE_TYPE = 1,
    DN_PQ_PAGE_UNCOMPRESSED_SIZE = 2,
    DN_PQ_PAGE_COMPRESSED_SIZE = 3,
    DN_PQ_PAGE_CRC = 4,
    DN_PQ_PAGE_DATA_HEADER = 5,
    DN_PQ_PAGE_INDEX_HEADER = 6,
    DN_PQ_PAGE_DICTIONARY_HEADER = 7,
    DN_PQ_PAGE_DATA_HEADER_V2 = 8
};

enum dn_pq_data_page_field { /* DataPageHeader */
    DN_PQ_DATA_NUM_VALUES = 1,
    DN_PQ_DATA_ENCODING = 2,
    DN_PQ_DATA_DEFINITION_ENCODING = 3,
    DN_PQ_DATA_REPETITION_ENCODING = 4,
    DN_PQ_DATA_STATISTICS = 5
};

enum dn_pq_data_page_v2_field { /* DataPageHeaderV2 */
    DN_PQ_DATA_V2_NUM_VALUES = 1,
    DN_PQ_DATA_V2_NUM_NULLS = 2,
    DN_PQ_DATA_V2_NUM_ROWS = 3,
    DN_PQ_DATA_V2_ENCODING = 4,
    DN_PQ_DATA_V2_DEFINITION_LENGTH = 5,
    DN_PQ_DATA_V2_REPETITION_LENGTH = 6,
    DN_PQ_DATA_V2_IS_COMPRESSED = 7,
    DN_PQ_DATA_V2_STATISTICS = 8
};

enum dn_pq_dictionary_page_field { /* DictionaryPageHeader */
    DN_PQ_DICTIONARY_NUM_VALUES = 1,
    DN_PQ_DICTIONARY_ENCODING = 2,
    DN_PQ_DICTIONARY_IS_SORTED = 3
};

enum dn_pq_column_order_field { /* ColumnOrder, a union of empty structs */
    DN_PQ_ORDER_TYPE_DEFINED = 1
};

#endif
