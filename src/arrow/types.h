/**
 * The types of columns: a value, and the one table of what each is called.  Nobody else spells a type.
 *
 * A type is copied, compared and printed.  What is within a nested one comes with its node, arrow/nested.h.
 */
#ifndef DN_ARROW_TYPES_H
#define DN_ARROW_TYPES_H

#include "base/error.h"
#include "dativo/arrow.h"

enum dn_type_id {
    DN_TYPE_NULL = 0, /**< also while inferring, when nothing is known yet */
    DN_TYPE_BOOL,
    DN_TYPE_INT8,
    DN_TYPE_INT16,
    DN_TYPE_INT32,
    DN_TYPE_INT64,
    DN_TYPE_UINT8,
    DN_TYPE_UINT16,
    DN_TYPE_UINT32,
    DN_TYPE_UINT64,
    DN_TYPE_FLOAT16,
    DN_TYPE_FLOAT32,
    DN_TYPE_FLOAT64,
    DN_TYPE_DECIMAL128, /**< precision up to 38, scale */
    DN_TYPE_DECIMAL256, /**< precision up to 76, scale */
    DN_TYPE_DATE32,     /**< days since 1970-01-01 */
    DN_TYPE_DATE64,     /**< milliseconds, of whole days */
    DN_TYPE_TIME,       /**< unit; 32 bits for s and ms, 64 for us and ns */
    DN_TYPE_TIMESTAMP,  /**< unit; zoned: an instant, stored as UTC */
    DN_TYPE_DURATION,   /**< unit */
    DN_TYPE_INTERVAL_MONTHS,
    DN_TYPE_INTERVAL_DAY_TIME,       /**< days and milliseconds, 32 bits each */
    DN_TYPE_INTERVAL_MONTH_DAY_NANO, /**< 32, 32 and 64 bits */
    DN_TYPE_UTF8,                    /**< 32-bit offsets */
    DN_TYPE_LARGE_UTF8,              /**< 64-bit offsets */
    DN_TYPE_UTF8_VIEW,               /**< 16-byte views */
    DN_TYPE_BINARY,
    DN_TYPE_LARGE_BINARY,
    DN_TYPE_BINARY_VIEW,
    DN_TYPE_FIXED_BINARY, /**< width */
    DN_TYPE_LIST,         /**< nested from here on: arrow/nested.h; 32-bit offsets */
    DN_TYPE_LARGE_LIST,   /**< 64-bit offsets */
    DN_TYPE_LIST_VIEW,    /**< 32-bit offsets and sizes */
    DN_TYPE_LARGE_LIST_VIEW,
    DN_TYPE_FIXED_LIST, /**< width: items of every list */
    DN_TYPE_STRUCT,
    DN_TYPE_MAP,
    DN_TYPE_DICTIONARY, /**< not a type but a way to store one: index; the values are the child */
    DN_TYPE_RUN_END,    /**< the same; the ends of runs and the values are the children */
    DN_TYPE_COUNT
};

/** Of times, timestamps and durations. */
enum dn_unit {
    DN_UNIT_S = 0,
    DN_UNIT_MS,
    DN_UNIT_US,
    DN_UNIT_NS
};

/** What Arrow's canonical extension types make of another type. */
enum dn_extension {
    DN_EXTENSION_NONE = 0,
    DN_EXTENSION_UUID, /**< of binary(16) */
    DN_EXTENSION_JSON  /**< of strings */
};

struct dn_type {
    enum dn_type_id id;
    enum dn_unit unit;
    bool zoned;
    uint8_t precision;
    int8_t scale;
    enum dn_extension extension;
    int32_t width;         /**< of FIXED_BINARY, in bytes, and of FIXED_LIST, in items */
    enum dn_type_id index; /**< of DICTIONARY: the integers that its indices are */
    const char *
        zone; /**< of instants, borrowed; NULL: UTC.  Only how they are shown: it makes no other type */
};

/** Types without parameters: as initialisers, and as values. */
#define DN_TYPE_INIT(ID)                                                                           \
    {                                                                                              \
        .id = DN_TYPE_##ID                                                                         \
    }
#define DN_TYPE(ID) ((struct dn_type){.id = DN_TYPE_##ID})
/** Timestamps and times of a unit. */
#define DN_TIMESTAMP_INIT(UNIT)                                                                    \
    {                                                                                              \
        .id = DN_TYPE_TIMESTAMP, .unit = DN_UNIT_##UNIT                                            \
    }
#define DN_TIMESTAMPTZ_INIT(UNIT)                                                                  \
    {                                                                                              \
        .id = DN_TYPE_TIMESTAMP, .unit = DN_UNIT_##UNIT, .zoned = true                             \
    }
#define DN_TIME_INIT(UNIT)                                                                         \
    {                                                                                              \
        .id = DN_TYPE_TIME, .unit = DN_UNIT_##UNIT                                                 \
    }
#define DN_TIMESTAMP(UNIT) ((struct dn_type)DN_TIMESTAMP_INIT(UNIT))
#define DN_TIMESTAMPTZ(UNIT) ((struct dn_type)DN_TIMESTAMPTZ_INIT(UNIT))
#define DN_TIME(UNIT) ((struct dn_type)DN_TIME_INIT(UNIT))

/** The buffers of a column. */
enum dn_layout {
    DN_LAYOUT_NONE,      /**< no buffers: nulls */
    DN_LAYOUT_BITS,      /**< validity, a bit each */
    DN_LAYOUT_FIXED,     /**< validity, values of one width */
    DN_LAYOUT_OFFSETS32, /**< validity, offsets, bytes */
    DN_LAYOUT_OFFSETS64,
    DN_LAYOUT_VIEWS,   /**< validity, views, buffers of bytes, their lengths */
    DN_LAYOUT_LISTS32, /**< validity, offsets; from here on with children */
    DN_LAYOUT_LISTS64,
    DN_LAYOUT_LIST_VIEWS32, /**< validity, offsets, sizes */
    DN_LAYOUT_LIST_VIEWS64,
    DN_LAYOUT_PARTS,   /**< validity: structs, and lists of one length */
    DN_LAYOUT_INDICES, /**< validity, indices, and a dictionary */
    DN_LAYOUT_RUNS     /**< no buffers */
};

enum dn_layout dn_type_layout(struct dn_type type);
/** Bytes per value in the values buffer: 16 for views; 0 for nulls, bits and offsets. */
size_t dn_type_width(struct dn_type type);
/** Do they name the same type? */
bool dn_type_equal(struct dn_type a, struct dn_type b);
/** As dn_type_equal(), but how texts or bytes are laid out does not matter. */
bool dn_type_same_values(struct dn_type a, struct dn_type b);
/** Is it one that a column can have: parameters and all? */
bool dn_type_is_valid(struct dn_type type);

/** Of any size, with a sign or without. */
static inline bool dn_type_is_integer(struct dn_type type)
{
    return type.id >= DN_TYPE_INT8 && type.id <= DN_TYPE_UINT64;
}
static inline bool dn_type_is_text(struct dn_type type)
{
    return type.id == DN_TYPE_UTF8 || type.id == DN_TYPE_LARGE_UTF8 || type.id == DN_TYPE_UTF8_VIEW;
}
/** Texts, and bytes of any length. */
static inline bool dn_type_is_bytes(struct dn_type type)
{
    return type.id >= DN_TYPE_UTF8 && type.id <= DN_TYPE_BINARY_VIEW;
}
static inline bool dn_type_is_interval(struct dn_type type)
{
    return type.id >= DN_TYPE_INTERVAL_MONTHS && type.id <= DN_TYPE_INTERVAL_MONTH_DAY_NANO;
}
static inline bool dn_type_is_decimal(struct dn_type type)
{
    return type.id == DN_TYPE_DECIMAL128 || type.id == DN_TYPE_DECIMAL256;
}
static inline bool dn_type_is_timestamp(struct dn_type type, enum dn_unit unit, bool zoned)
{
    return type.id == DN_TYPE_TIMESTAMP && type.unit == unit && type.zoned == zoned;
}
/** Has it children? */
static inline bool dn_type_is_nested(struct dn_type type)
{
    return type.id >= DN_TYPE_LIST && type.id < DN_TYPE_COUNT;
}
/** Lists of every layout, and maps, which are lists of entries. */
static inline bool dn_type_is_list(struct dn_type type)
{
    return (type.id >= DN_TYPE_LIST && type.id <= DN_TYPE_FIXED_LIST) || type.id == DN_TYPE_MAP;
}
/** The narrower of the two decimals that has room for it; the digits must be 1 to 76. */
static inline struct dn_type dn_type_decimal(int precision, int scale)
{
    return (struct dn_type){.id = precision <= 38 ? DN_TYPE_DECIMAL128 : DN_TYPE_DECIMAL256,
                            .precision = (uint8_t)precision,
                            .scale = (int8_t)scale};
}
/** How many of a unit are in a second. */
int64_t dn_unit_per_second(enum dn_unit unit);

/** Room for a type in words. */
#define DN_TYPE_WORDS_SIZE 112
/**
 * The type as users write it and messages say it: int64 decimal(12, 2) timestamp timestamptz timestamp[ns] timestamp[ms, UTC] time[us]
 * binary(16) uuid ...; dn_type_parse() takes all of them back, "string" and "binary" as views.
 * @return `out`, or a text that needs no memory
 */
const char *dn_type_print(struct dn_type type, char out[DN_TYPE_WORDS_SIZE]);
/** The same in memory that lives until the end of the block. */
#define DN_TYPE_TEXT(type) dn_type_print((type), (char[DN_TYPE_WORDS_SIZE]){0})
/**
 * The flat type a user's words name, whatever their case: those of dn_type_print() and their synonyms, docs/types.md.  The zone in it
 * is UTC.  False: none.  Nested ones: dn_node_parse().
 */
bool dn_type_parse(const char *words, struct dn_type *out);

/** For messages: what types there are. */
#define DN_TYPE_EXAMPLES                                                                           \
    "bool, int8 ... int64, uint8 ... uint64, float16 ... float64, decimal(12,2), date, time, "     \
    "timestamp[ns], timestamptz, duration, interval, uuid, json, binary, string"
/** The word or synonym closest to a misspelt one, or NULL. */
const char *dn_type_suggest(const char *word, char out[DN_TYPE_WORDS_SIZE]);

/** Room for an Arrow format string. */
#define DN_TYPE_FORMAT_SIZE 96
/** Arrow's format string, of DICTIONARY that of its indices; zoned without a zone gives UTC.  NULL: no type. */
const char *dn_type_format(struct dn_type type, char out[DN_TYPE_FORMAT_SIZE]);
/**
 * From Arrow's format string and the metadata of the column, which may be NULL; zones point into `format`.  An extension that is not
 * known, or not of the type that it should be, is passed over.  False: the table has no such type.  Nested formats give the type
 * without what is within; DICTIONARY has no format.
 */
bool dn_type_from_format(const char *format, const char *metadata, struct dn_type *out);
/** The name Arrow has for the extension of a type, NULL if it has none. */
const char *dn_type_extension_name(struct dn_type type);

#endif
