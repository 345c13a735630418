/** Arrow schemas: the types this project handles, made from and read from `struct ArrowSchema`. */
#ifndef DN_ARROW_SCHEMA_H
#define DN_ARROW_SCHEMA_H

#include "arrow/types.h"

struct dn_field {
    const char *name; /**< UTF-8 */
    struct dn_type type;
    bool nullable;
};

/**
 * What a column holds, in the words of dn_type_print(), also if no struct dn_type has it: list struct dictionary ...
 * @return `out`, or a text that needs no memory
 */
const char *dn_type_words(const struct ArrowSchema *column, char out[DN_TYPE_WORDS_SIZE]);

/** Make a struct schema (format "+s") with n fields.  On failure *out has release == NULL. */
DN_NODISCARD enum dn_status dn_schema_make(struct ArrowSchema *out, const struct dn_field *fields,
                                           int64_t n, struct dn_error *err);
/** Deep copy: formats, names, flags, metadata. */
DN_NODISCARD enum dn_status dn_schema_copy(struct ArrowSchema *out,
                                           const struct ArrowSchema *schema, struct dn_error *err);
/**
 * As dn_schema_copy(), for formats that find columns by name: of columns that share one, the first keeps it and the others
 * become name_1, name_2, ..., never a name that some column has of its own.
 */
DN_NODISCARD enum dn_status dn_schema_copy_unique(struct ArrowSchema *out,
                                                  const struct ArrowSchema *schema,
                                                  struct dn_error *err);
/** Read child i of a struct schema; name and zone are borrowed.  DN_ERR_UNSUPPORTED names column and type: it is none of types.h. */
DN_NODISCARD enum dn_status dn_schema_get_field(const struct ArrowSchema *schema, int64_t i,
                                                struct dn_field *out, struct dn_error *err);

/**
 * The error of a consumer that does not have the type: "column "c" is of type T, which " `cannot`.  To be told when it is opened.
 */
enum dn_status dn_field_refuse(const struct dn_field *field, const char *cannot,
                               struct dn_error *err);

#endif
