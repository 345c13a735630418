/** Arrow schemas: the types this project handles, made from and read from `struct ArrowSchema`. */
#ifndef DN_ARROW_SCHEMA_H
#define DN_ARROW_SCHEMA_H

#include "base/error.h"
#include "dativo/arrow.h"

/** Column types by Arrow format string. */
enum dn_type {
    DN_TYPE_NULL = 0,       /**< "n"; only while inferring, and as a column that holds nothing */
    DN_TYPE_BOOL,           /**< "b" */
    DN_TYPE_INT32,          /**< "i" */
    DN_TYPE_INT64,          /**< "l" */
    DN_TYPE_FLOAT32,        /**< "f" */
    DN_TYPE_FLOAT64,        /**< "g" */
    DN_TYPE_DATE32,         /**< "tdD" */
    DN_TYPE_TIMESTAMP_US,   /**< "tsu:" without zone */
    DN_TYPE_TIMESTAMPTZ_US, /**< "tsu:<zone>" an instant, stored as UTC */
    DN_TYPE_UTF8,           /**< "u" 32-bit offsets */
    DN_TYPE_LARGE_UTF8,     /**< "U" 64-bit offsets */
    DN_TYPE_UTF8_VIEW,      /**< "vu" 16-byte views */
    DN_TYPE_COUNT
};

struct dn_field {
    const char *name; /**< UTF-8 */
    enum dn_type type;
    bool nullable;
};

/** Name as users write it in options and messages: null bool int32 int64 float32 float64 date timestamp timestamptz string. */
const char *dn_type_name(enum dn_type type);
/**
 * What a column holds, in the words of dn_type_name(), also if no enum dn_type has it: int8 uint64 decimal(10, 2) timestamp[ns, UTC]
 * time[us] binary(16) list ...
 * @return `out`, or a text that needs no memory
 */
#define DN_TYPE_WORDS_SIZE 80
const char *dn_type_words(const struct ArrowSchema *column, char out[DN_TYPE_WORDS_SIZE]);
/**
 * The type a user's word names, case-insensitive, or DN_TYPE_COUNT.  Besides the names above: integer int bigint long -> int64;
 * double float number real -> float64; boolean; date32; datetime -> timestamp; "timestamp with time zone" -> timestamptz;
 * text utf8 varchar str -> string (DN_TYPE_UTF8_VIEW).
 */
enum dn_type dn_type_from_name(const char *name);
/** Arrow format string of a type; timestamptz gives "tsu:UTC". */
const char *dn_type_format(enum dn_type type);
/** Bytes per value of fixed-width types, 16 for views, 0 for bool and offset strings. */
size_t dn_type_width(enum dn_type type);

/** Make a struct schema (format "+s") with n fields.  On failure *out has release == NULL. */
DN_NODISCARD enum dn_status dn_schema_make(struct ArrowSchema *out, const struct dn_field *fields,
                                           int64_t n, struct dn_error *err);
/** A column of a type that may have no name in enum dn_type. */
struct dn_format_field {
    const char *name;   /**< UTF-8 */
    const char *format; /**< Arrow format string */
    bool nullable;
};
/** As dn_schema_make(), by format strings, which are not checked. */
DN_NODISCARD enum dn_status dn_schema_make_formats(struct ArrowSchema *out,
                                                   const struct dn_format_field *fields, int64_t n,
                                                   struct dn_error *err);
/** Deep copy (formats, names, flags, metadata not copied). */
DN_NODISCARD enum dn_status dn_schema_copy(struct ArrowSchema *out,
                                           const struct ArrowSchema *schema, struct dn_error *err);
/**
 * As dn_schema_copy(), for formats that find columns by name: of columns that share one, the first keeps it and the others
 * become name_1, name_2, ..., never a name that some column has of its own.
 */
DN_NODISCARD enum dn_status dn_schema_copy_unique(struct ArrowSchema *out,
                                                  const struct ArrowSchema *schema,
                                                  struct dn_error *err);
/** Read child i of a struct schema; the name is borrowed.  DN_ERR_UNSUPPORTED names column and format. */
DN_NODISCARD enum dn_status dn_schema_get_field(const struct ArrowSchema *schema, int64_t i,
                                                struct dn_field *out, struct dn_error *err);

#endif
