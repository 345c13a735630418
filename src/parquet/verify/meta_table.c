/* parquet.thrift as tables, in its order.  https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift */
#include "parquet/verify/meta.h"

#include <stddef.h>

#define BITS(n) (((uint32_t)1 << (n)) - 1) /* 0 .. n - 1 */
#define AT(struct_name, member) ((uint32_t)offsetof(struct struct_name, member))
/* of an optional and of a required field */
#define MAY false
#define MUST true

/* clang-format off */
#define FIELD(id, must, kind, s, member)                                                           \
    {                                                                                              \
        id, must, kind, DN_PV_BOOL, AT(s, member), 0, #member, NULL                                \
    }
#define FIELD_ENUM(id, must, values, s, member)                                                    \
    {                                                                                              \
        id, must, DN_PV_ENUM, DN_PV_BOOL, AT(s, member), values, #member, NULL                     \
    }
#define FIELD_STRUCT(id, must, s, member, type)                                                    \
    {                                                                                              \
        id, must, DN_PV_STRUCT, DN_PV_BOOL, AT(s, member), 0, #member, &(type)                     \
    }
#define FIELD_LIST(id, must, element, s, member)                                                   \
    {                                                                                              \
        id, must, DN_PV_LIST, element, AT(s, member), 0, #member, NULL                             \
    }
#define FIELD_ENUMS(id, must, values, s, member)                                                   \
    {                                                                                              \
        id, must, DN_PV_LIST, DN_PV_ENUM, AT(s, member), values, #member, NULL                     \
    }
#define FIELD_STRUCTS(id, must, s, member, type)                                                   \
    {                                                                                              \
        id, must, DN_PV_LIST, DN_PV_STRUCT, AT(s, member), 0, #member, &(type)                     \
    }
/* clang-format on */
#define STRUCT(var, title, s, fields, is_union)                                                    \
    const struct dn_pv_struct_type var = {title, fields, sizeof(fields) / sizeof((fields)[0]),     \
                                          is_union, sizeof(struct s)}

#define TYPES BITS(8)
#define CONVERTED_TYPES BITS(22)
#define ENCODINGS (BITS(11) & ~((uint32_t)1 << 1))
#define CODECS BITS(8)
#define PAGE_TYPES BITS(4)

static const struct dn_pv_struct_type empty_type = {"an empty struct", NULL, 0, false,
                                                    sizeof(struct dn_pv_union)};

static const struct dn_pv_field_type statistics_fields[] = {
    FIELD(DN_PV_STATS_MAX, MAY, DN_PV_BINARY, dn_pv_statistics, max),
    FIELD(DN_PV_STATS_MIN, MAY, DN_PV_BINARY, dn_pv_statistics, min),
    FIELD(DN_PV_STATS_NULL_COUNT, MAY, DN_PV_I64, dn_pv_statistics, null_count),
    FIELD(DN_PV_STATS_DISTINCT_COUNT, MAY, DN_PV_I64, dn_pv_statistics, distinct_count),
    FIELD(DN_PV_STATS_MAX_VALUE, MAY, DN_PV_BINARY, dn_pv_statistics, max_value),
    FIELD(DN_PV_STATS_MIN_VALUE, MAY, DN_PV_BINARY, dn_pv_statistics, min_value),
    FIELD(DN_PV_STATS_MAX_EXACT, MAY, DN_PV_BOOL, dn_pv_statistics, max_exact),
    FIELD(DN_PV_STATS_MIN_EXACT, MAY, DN_PV_BOOL, dn_pv_statistics, min_exact),
    FIELD(DN_PV_STATS_NAN_COUNT, MAY, DN_PV_I64, dn_pv_statistics, nan_count),
};
static STRUCT(statistics_type, "Statistics", dn_pv_statistics, statistics_fields, false);

static const struct dn_pv_field_type sizes_fields[] = {
    FIELD(DN_PV_SIZE_UNENCODED, MAY, DN_PV_I64, dn_pv_size_statistics, unencoded),
    FIELD_LIST(DN_PV_SIZE_REP_HISTOGRAM, MAY, DN_PV_I64, dn_pv_size_statistics, rep_histogram),
    FIELD_LIST(DN_PV_SIZE_DEF_HISTOGRAM, MAY, DN_PV_I64, dn_pv_size_statistics, def_histogram),
};
static STRUCT(sizes_type, "SizeStatistics", dn_pv_size_statistics, sizes_fields, false);

/* ---- schema ------------------------------------------------------------------------------------------------------ */

static const struct dn_pv_field_type decimal_fields[] = {
    FIELD(1, MUST, DN_PV_I32, dn_pv_decimal, scale),
    FIELD(2, MUST, DN_PV_I32, dn_pv_decimal, precision),
};
static STRUCT(decimal_type, "DecimalType", dn_pv_decimal, decimal_fields, false);

static const struct dn_pv_field_type unit_fields[] = {
    {DN_PQ_MILLIS, MAY, DN_PV_STRUCT, DN_PV_BOOL, 0, 0, "MILLIS", &empty_type},
    {DN_PQ_MICROS, MAY, DN_PV_STRUCT, DN_PV_BOOL, 0, 0, "MICROS", &empty_type},
    {DN_PQ_NANOS, MAY, DN_PV_STRUCT, DN_PV_BOOL, 0, 0, "NANOS", &empty_type},
};
static STRUCT(unit_type, "TimeUnit", dn_pv_union, unit_fields, true);

static const struct dn_pv_field_type time_fields[] = {
    FIELD(1, MUST, DN_PV_BOOL, dn_pv_time, is_utc),
    FIELD_STRUCT(2, MUST, dn_pv_time, unit, unit_type),
};
static STRUCT(time_type, "TimeType", dn_pv_time, time_fields, false);

static const struct dn_pv_field_type integer_fields[] = {
    FIELD(1, MUST, DN_PV_I8, dn_pv_integer, bit_width),
    FIELD(2, MUST, DN_PV_BOOL, dn_pv_integer, is_signed),
};
static STRUCT(integer_type, "IntType", dn_pv_integer, integer_fields, false);

static const struct dn_pv_field_type variant_fields[] = {
    FIELD(1, MAY, DN_PV_I8, dn_pv_other_type, version),
};
static STRUCT(variant_type, "VariantType", dn_pv_other_type, variant_fields, false);

static const struct dn_pv_field_type geometry_fields[] = {
    FIELD(1, MAY, DN_PV_TEXT, dn_pv_other_type, crs),
};
static STRUCT(geometry_type, "GeometryType", dn_pv_other_type, geometry_fields, false);

static const struct dn_pv_field_type geography_fields[] = {
    FIELD(1, MAY, DN_PV_TEXT, dn_pv_other_type, crs),
    FIELD_ENUM(2, MAY, BITS(5), dn_pv_other_type, algorithm),
};
static STRUCT(geography_type, "GeographyType", dn_pv_other_type, geography_fields, false);

/* clang-format off */
#define LOGICAL(id, name, member, type)                                                            \
    {                                                                                              \
        id, MAY, DN_PV_STRUCT, DN_PV_BOOL, AT(dn_pv_logical, member), 0, name, &(type)             \
    }
/* clang-format on */
static const struct dn_pv_field_type logical_fields[] = {
    LOGICAL(DN_PQ_LOGICAL_STRING, "STRING", empty, empty_type),
    LOGICAL(DN_PQ_LOGICAL_MAP, "MAP", empty, empty_type),
    LOGICAL(DN_PQ_LOGICAL_LIST, "LIST", empty, empty_type),
    LOGICAL(DN_PQ_LOGICAL_ENUM, "ENUM", empty, empty_type),
    LOGICAL(DN_PQ_LOGICAL_DECIMAL, "DECIMAL", decimal, decimal_type),
    LOGICAL(DN_PQ_LOGICAL_DATE, "DATE", empty, empty_type),
    LOGICAL(DN_PQ_LOGICAL_TIME, "TIME", time, time_type),
    LOGICAL(DN_PQ_LOGICAL_TIMESTAMP, "TIMESTAMP", time, time_type),
    LOGICAL(DN_PQ_LOGICAL_INTEGER, "INTEGER", integer, integer_type),
    LOGICAL(DN_PQ_LOGICAL_UNKNOWN, "UNKNOWN", empty, empty_type),
    LOGICAL(DN_PQ_LOGICAL_JSON, "JSON", empty, empty_type),
    LOGICAL(DN_PQ_LOGICAL_BSON, "BSON", empty, empty_type),
    LOGICAL(DN_PQ_LOGICAL_UUID, "UUID", empty, empty_type),
    LOGICAL(DN_PQ_LOGICAL_FLOAT16, "FLOAT16", empty, empty_type),
    LOGICAL(DN_PQ_LOGICAL_VARIANT, "VARIANT", other, variant_type),
    LOGICAL(DN_PQ_LOGICAL_GEOMETRY, "GEOMETRY", other, geometry_type),
    LOGICAL(DN_PQ_LOGICAL_GEOGRAPHY, "GEOGRAPHY", other, geography_type),
    LOGICAL(DN_PV_LOGICAL_FILE, "FILE", empty, empty_type),
};
static STRUCT(logical_type, "LogicalType", dn_pv_logical, logical_fields, true);

static const struct dn_pv_field_type element_fields[] = {
    FIELD_ENUM(DN_PV_ELEMENT_TYPE, MAY, TYPES, dn_pv_element, type),
    FIELD(DN_PV_ELEMENT_TYPE_LENGTH, MAY, DN_PV_I32, dn_pv_element, type_length),
    FIELD_ENUM(DN_PV_ELEMENT_REPETITION, MAY, BITS(3), dn_pv_element, repetition),
    FIELD(DN_PV_ELEMENT_NAME, MUST, DN_PV_TEXT, dn_pv_element, name),
    FIELD(DN_PV_ELEMENT_CHILDREN, MAY, DN_PV_I32, dn_pv_element, n_children),
    FIELD_ENUM(DN_PV_ELEMENT_CONVERTED, MAY, CONVERTED_TYPES, dn_pv_element, converted),
    FIELD(DN_PV_ELEMENT_SCALE, MAY, DN_PV_I32, dn_pv_element, scale),
    FIELD(DN_PV_ELEMENT_PRECISION, MAY, DN_PV_I32, dn_pv_element, precision),
    FIELD(9, MAY, DN_PV_I32, dn_pv_element, field_id),
    FIELD_STRUCT(DN_PV_ELEMENT_LOGICAL, MAY, dn_pv_element, logical, logical_type),
};
static STRUCT(element_type, "SchemaElement", dn_pv_element, element_fields, false);

/* ---- pages ------------------------------------------------------------------------------------------------------- */

static const struct dn_pv_field_type data_fields[] = {
    FIELD(1, MUST, DN_PV_I32, dn_pv_data_head, n_values),
    FIELD_ENUM(2, MUST, ENCODINGS, dn_pv_data_head, encoding),
    FIELD_ENUM(3, MUST, ENCODINGS, dn_pv_data_head, def_encoding),
    FIELD_ENUM(4, MUST, ENCODINGS, dn_pv_data_head, rep_encoding),
    FIELD_STRUCT(DN_PV_DATA_STATISTICS, MAY, dn_pv_data_head, statistics, statistics_type),
};
static STRUCT(data_type, "DataPageHeader", dn_pv_data_head, data_fields, false);

static const struct dn_pv_field_type dictionary_fields[] = {
    FIELD(1, MUST, DN_PV_I32, dn_pv_dictionary_head, n_values),
    FIELD_ENUM(2, MUST, ENCODINGS, dn_pv_dictionary_head, encoding),
    FIELD(DN_PV_DICTIONARY_IS_SORTED, MAY, DN_PV_BOOL, dn_pv_dictionary_head, is_sorted),
};
static STRUCT(dictionary_type, "DictionaryPageHeader", dn_pv_dictionary_head, dictionary_fields,
              false);

static const struct dn_pv_field_type data2_fields[] = {
    FIELD(1, MUST, DN_PV_I32, dn_pv_data2_head, n_values),
    FIELD(2, MUST, DN_PV_I32, dn_pv_data2_head, n_nulls),
    FIELD(3, MUST, DN_PV_I32, dn_pv_data2_head, n_rows),
    FIELD_ENUM(4, MUST, ENCODINGS, dn_pv_data2_head, encoding),
    FIELD(5, MUST, DN_PV_I32, dn_pv_data2_head, def_bytes),
    FIELD(6, MUST, DN_PV_I32, dn_pv_data2_head, rep_bytes),
    FIELD(DN_PV_DATA2_IS_COMPRESSED, MAY, DN_PV_BOOL, dn_pv_data2_head, is_compressed),
    FIELD_STRUCT(DN_PV_DATA2_STATISTICS, MAY, dn_pv_data2_head, statistics, statistics_type),
};
static STRUCT(data2_type, "DataPageHeaderV2", dn_pv_data2_head, data2_fields, false);

static const struct dn_pv_field_type page_fields[] = {
    FIELD_ENUM(1, MUST, PAGE_TYPES, dn_pv_page_head, type),
    FIELD(2, MUST, DN_PV_I32, dn_pv_page_head, uncompressed),
    FIELD(3, MUST, DN_PV_I32, dn_pv_page_head, compressed),
    FIELD(DN_PV_PAGE_CRC, MAY, DN_PV_I32, dn_pv_page_head, crc),
    FIELD_STRUCT(DN_PV_PAGE_DATA, MAY, dn_pv_page_head, data, data_type),
    FIELD_STRUCT(DN_PV_PAGE_INDEX, MAY, dn_pv_page_head, index, empty_type),
    FIELD_STRUCT(DN_PV_PAGE_DICTIONARY, MAY, dn_pv_page_head, dictionary, dictionary_type),
    FIELD_STRUCT(DN_PV_PAGE_DATA2, MAY, dn_pv_page_head, data2, data2_type),
};
STRUCT(dn_pv_page_type, "PageHeader", dn_pv_page_head, page_fields, false);

/* ---- footer ------------------------------------------------------------------------------------------------------ */

static const struct dn_pv_field_type key_value_fields[] = {
    FIELD(1, MUST, DN_PV_TEXT, dn_pv_key_value, key),
    FIELD(2, MAY, DN_PV_TEXT, dn_pv_key_value, value),
};
static STRUCT(key_value_type, "KeyValue", dn_pv_key_value, key_value_fields, false);

static const struct dn_pv_field_type sorting_fields[] = {
    FIELD(1, MUST, DN_PV_I32, dn_pv_sorting, column),
    FIELD(2, MUST, DN_PV_BOOL, dn_pv_sorting, descending),
    FIELD(3, MUST, DN_PV_BOOL, dn_pv_sorting, nulls_first),
};
static STRUCT(sorting_type, "SortingColumn", dn_pv_sorting, sorting_fields, false);

static const struct dn_pv_field_type encoding_stat_fields[] = {
    FIELD_ENUM(1, MUST, PAGE_TYPES, dn_pv_encoding_stat, page_type),
    FIELD_ENUM(2, MUST, ENCODINGS, dn_pv_encoding_stat, encoding),
    FIELD(3, MUST, DN_PV_I32, dn_pv_encoding_stat, count),
};
static STRUCT(encoding_stat_type, "PageEncodingStats", dn_pv_encoding_stat, encoding_stat_fields,
              false);

/* clang-format off */
#define BOUND(id, must, i, name)                                                                   \
    {                                                                                              \
        id, must, DN_PV_DOUBLE, DN_PV_BOOL, AT(dn_pv_bounding_box, bounds[i]), 0, name, NULL       \
    }
/* clang-format on */
static const struct dn_pv_field_type box_fields[] = {
    BOUND(1, MUST, 0, "xmin"), BOUND(2, MUST, 1, "xmax"), BOUND(3, MUST, 2, "ymin"),
    BOUND(4, MUST, 3, "ymax"), BOUND(5, MAY, 4, "zmin"),  BOUND(6, MAY, 5, "zmax"),
    BOUND(7, MAY, 6, "mmin"),  BOUND(8, MAY, 7, "mmax"),
};
static STRUCT(box_type, "BoundingBox", dn_pv_bounding_box, box_fields, false);

static const struct dn_pv_field_type geo_fields[] = {
    FIELD_STRUCT(1, MAY, dn_pv_geo_statistics, box, box_type),
    FIELD_LIST(2, MAY, DN_PV_I32, dn_pv_geo_statistics, types),
};
static STRUCT(geo_type, "GeospatialStatistics", dn_pv_geo_statistics, geo_fields, false);

static const struct dn_pv_field_type column_meta_fields[] = {
    FIELD_ENUM(1, MUST, TYPES, dn_pv_column_meta, type),
    FIELD_ENUMS(2, MUST, ENCODINGS, dn_pv_column_meta, encodings),
    FIELD_LIST(3, MUST, DN_PV_TEXT, dn_pv_column_meta, path),
    FIELD_ENUM(4, MUST, CODECS, dn_pv_column_meta, codec),
    FIELD(5, MUST, DN_PV_I64, dn_pv_column_meta, n_values),
    FIELD(6, MUST, DN_PV_I64, dn_pv_column_meta, uncompressed),
    FIELD(7, MUST, DN_PV_I64, dn_pv_column_meta, compressed),
    FIELD_STRUCTS(DN_PV_META_KEY_VALUES, MAY, dn_pv_column_meta, key_values, key_value_type),
    FIELD(DN_PV_META_DATA_PAGE_OFFSET, MUST, DN_PV_I64, dn_pv_column_meta, data_page_offset),
    FIELD(DN_PV_META_INDEX_PAGE_OFFSET, MAY, DN_PV_I64, dn_pv_column_meta, index_page_offset),
    FIELD(DN_PV_META_DICTIONARY_OFFSET, MAY, DN_PV_I64, dn_pv_column_meta, dictionary_page_offset),
    FIELD_STRUCT(DN_PV_META_STATISTICS, MAY, dn_pv_column_meta, statistics, statistics_type),
    FIELD_STRUCTS(DN_PV_META_ENCODING_STATS, MAY, dn_pv_column_meta, encoding_stats,
                  encoding_stat_type),
    FIELD(DN_PV_META_BLOOM_OFFSET, MAY, DN_PV_I64, dn_pv_column_meta, bloom_offset),
    FIELD(DN_PV_META_BLOOM_LENGTH, MAY, DN_PV_I32, dn_pv_column_meta, bloom_length),
    FIELD_STRUCT(DN_PV_META_SIZE_STATISTICS, MAY, dn_pv_column_meta, sizes, sizes_type),
    FIELD_STRUCT(DN_PV_META_GEO_STATISTICS, MAY, dn_pv_column_meta, geo, geo_type),
};
static STRUCT(column_meta_type, "ColumnMetaData", dn_pv_column_meta, column_meta_fields, false);

static const struct dn_pv_field_type column_key_fields[] = {
    FIELD_LIST(1, MUST, DN_PV_TEXT, dn_pv_crypto, path),
    FIELD(2, MAY, DN_PV_BINARY, dn_pv_crypto, second),
};
static STRUCT(column_key_type, "EncryptionWithColumnKey", dn_pv_crypto, column_key_fields, false);

static const struct dn_pv_field_type column_crypto_fields[] = {
    FIELD_STRUCT(1, MAY, dn_pv_crypto_union, member, empty_type),
    FIELD_STRUCT(2, MAY, dn_pv_crypto_union, member, column_key_type),
};
static STRUCT(column_crypto_type, "ColumnCryptoMetaData", dn_pv_crypto_union, column_crypto_fields,
              true);

static const struct dn_pv_field_type chunk_fields[] = {
    FIELD(DN_PV_CHUNK_FILE_PATH, MAY, DN_PV_TEXT, dn_pv_chunk, file_path),
    FIELD(2, MUST, DN_PV_I64, dn_pv_chunk, file_offset),
    FIELD_STRUCT(DN_PV_CHUNK_META, MAY, dn_pv_chunk, meta, column_meta_type),
    FIELD(DN_PV_CHUNK_OFFSET_INDEX, MAY, DN_PV_I64, dn_pv_chunk, offset_index_offset),
    FIELD(DN_PV_CHUNK_OFFSET_INDEX_LENGTH, MAY, DN_PV_I32, dn_pv_chunk, offset_index_length),
    FIELD(DN_PV_CHUNK_COLUMN_INDEX, MAY, DN_PV_I64, dn_pv_chunk, column_index_offset),
    FIELD(DN_PV_CHUNK_COLUMN_INDEX_LENGTH, MAY, DN_PV_I32, dn_pv_chunk, column_index_length),
    FIELD_STRUCT(DN_PV_CHUNK_CRYPTO, MAY, dn_pv_chunk, crypto, column_crypto_type),
    FIELD(DN_PV_CHUNK_ENCRYPTED_META, MAY, DN_PV_BINARY, dn_pv_chunk, encrypted_meta),
};
static STRUCT(chunk_type, "ColumnChunk", dn_pv_chunk, chunk_fields, false);

static const struct dn_pv_field_type group_fields[] = {
    FIELD_STRUCTS(1, MUST, dn_pv_group, columns, chunk_type),
    FIELD(2, MUST, DN_PV_I64, dn_pv_group, total_byte_size),
    FIELD(3, MUST, DN_PV_I64, dn_pv_group, n_rows),
    FIELD_STRUCTS(DN_PV_GROUP_SORTING, MAY, dn_pv_group, sorting, sorting_type),
    FIELD(DN_PV_GROUP_FILE_OFFSET, MAY, DN_PV_I64, dn_pv_group, file_offset),
    FIELD(DN_PV_GROUP_COMPRESSED, MAY, DN_PV_I64, dn_pv_group, total_compressed),
    FIELD(DN_PV_GROUP_ORDINAL, MAY, DN_PV_I16, dn_pv_group, ordinal),
};
static STRUCT(group_type, "RowGroup", dn_pv_group, group_fields, false);

static const struct dn_pv_field_type order_fields[] = {
    {DN_PV_ORDER_TYPE, MAY, DN_PV_STRUCT, DN_PV_BOOL, 0, 0, "TYPE_ORDER", &empty_type},
    {DN_PV_ORDER_IEEE754, MAY, DN_PV_STRUCT, DN_PV_BOOL, 0, 0, "IEEE_754_TOTAL_ORDER", &empty_type},
    {DN_PV_ORDER_INT96, MAY, DN_PV_STRUCT, DN_PV_BOOL, 0, 0, "INT96_TIMESTAMP_ORDER", &empty_type},
};
static STRUCT(order_type, "ColumnOrder", dn_pv_union, order_fields, true);

static const struct dn_pv_field_type aes_fields[] = {
    FIELD(1, MAY, DN_PV_BINARY, dn_pv_crypto, first),
    FIELD(2, MAY, DN_PV_BINARY, dn_pv_crypto, second),
    FIELD(3, MAY, DN_PV_BOOL, dn_pv_crypto, supply_prefix),
};
static STRUCT(aes_type, "AesGcmV1", dn_pv_crypto, aes_fields, false);

static const struct dn_pv_field_type encryption_fields[] = {
    FIELD_STRUCT(1, MAY, dn_pv_crypto_union, member, aes_type),
    FIELD_STRUCT(2, MAY, dn_pv_crypto_union, member, aes_type),
};
static STRUCT(encryption_type, "EncryptionAlgorithm", dn_pv_crypto_union, encryption_fields, true);

static const struct dn_pv_field_type file_fields[] = {
    FIELD(1, MUST, DN_PV_I32, dn_pv_file_meta, version),
    FIELD_STRUCTS(2, MUST, dn_pv_file_meta, schema, element_type),
    FIELD(3, MUST, DN_PV_I64, dn_pv_file_meta, n_rows),
    FIELD_STRUCTS(4, MUST, dn_pv_file_meta, groups, group_type),
    FIELD_STRUCTS(5, MAY, dn_pv_file_meta, key_values, key_value_type),
    FIELD(DN_PV_FILE_CREATED_BY, MAY, DN_PV_TEXT, dn_pv_file_meta, created_by),
    FIELD_STRUCTS(DN_PV_FILE_ORDERS, MAY, dn_pv_file_meta, orders, order_type),
    FIELD_STRUCT(DN_PV_FILE_ENCRYPTION, MAY, dn_pv_file_meta, encryption, encryption_type),
    FIELD(9, MAY, DN_PV_BINARY, dn_pv_file_meta, signing_key),
};
STRUCT(dn_pv_file_type, "FileMetaData", dn_pv_file_meta, file_fields, false);

/* ---- indexes and filters ----------------------------------------------------------------------------------------- */

static const struct dn_pv_field_type location_fields[] = {
    FIELD(1, MUST, DN_PV_I64, dn_pv_page_location, offset),
    FIELD(2, MUST, DN_PV_I32, dn_pv_page_location, size),
    FIELD(3, MUST, DN_PV_I64, dn_pv_page_location, first_row),
};
static STRUCT(location_type, "PageLocation", dn_pv_page_location, location_fields, false);

static const struct dn_pv_field_type offset_index_fields[] = {
    FIELD_STRUCTS(1, MUST, dn_pv_offset_index, locations, location_type),
    FIELD_LIST(DN_PV_OFFSETS_UNENCODED, MAY, DN_PV_I64, dn_pv_offset_index, unencoded),
};
STRUCT(dn_pv_offset_index_type, "OffsetIndex", dn_pv_offset_index, offset_index_fields, false);

static const struct dn_pv_field_type column_index_fields[] = {
    FIELD_LIST(1, MUST, DN_PV_BOOL, dn_pv_column_index, null_pages),
    FIELD_LIST(2, MUST, DN_PV_BINARY, dn_pv_column_index, min_values),
    FIELD_LIST(3, MUST, DN_PV_BINARY, dn_pv_column_index, max_values),
    FIELD_ENUM(4, MUST, BITS(3), dn_pv_column_index, boundary_order),
    FIELD_LIST(DN_PV_INDEX_NULL_COUNTS, MAY, DN_PV_I64, dn_pv_column_index, null_counts),
    FIELD_LIST(DN_PV_INDEX_REP_HISTOGRAMS, MAY, DN_PV_I64, dn_pv_column_index, rep_histograms),
    FIELD_LIST(DN_PV_INDEX_DEF_HISTOGRAMS, MAY, DN_PV_I64, dn_pv_column_index, def_histograms),
    FIELD_LIST(DN_PV_INDEX_NAN_COUNTS, MAY, DN_PV_I64, dn_pv_column_index, nan_counts),
};
STRUCT(dn_pv_column_index_type, "ColumnIndex", dn_pv_column_index, column_index_fields, false);

#define ONLY(title, variable, member)                                                              \
    static const struct dn_pv_field_type variable##_fields[] = {                                   \
        {1, MAY, DN_PV_STRUCT, DN_PV_BOOL, 0, 0, member, &empty_type}};                            \
    static STRUCT(variable##_type, title, dn_pv_union, variable##_fields, true)
ONLY("BloomFilterAlgorithm", algorithm, "BLOCK");
ONLY("BloomFilterHash", hash, "XXHASH");
ONLY("BloomFilterCompression", compression, "UNCOMPRESSED");

static const struct dn_pv_field_type bloom_fields[] = {
    FIELD(1, MUST, DN_PV_I32, dn_pv_bloom_head, n_bytes),
    FIELD_STRUCT(2, MUST, dn_pv_bloom_head, algorithm, algorithm_type),
    FIELD_STRUCT(3, MUST, dn_pv_bloom_head, hash, hash_type),
    FIELD_STRUCT(4, MUST, dn_pv_bloom_head, compression, compression_type),
};
STRUCT(dn_pv_bloom_type, "BloomFilterHeader", dn_pv_bloom_head, bloom_fields, false);
