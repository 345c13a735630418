/**
 * The tokens of pieces: JSON texts that say all that a reader of one piece would else have to look for, guess or infer: which bytes of
 * which file, what stands before them, the dialect, the names of the fields, and the types.
 */
#ifndef DN_CSV_TOKEN_H
#define DN_CSV_TOKEN_H

#include "csv/reader_internal.h"

/** The type of one column. */
struct dn_csv_token_column {
    const char *type;
    unsigned quotes; /**< how they are taken: DN_CSV_TOKEN_* */
};

struct dn_csv_token {
    struct dn_csv_range range;
    const char *path; /**< as messages show it, if it is UTF-8 */
    uint64_t name;    /**< dn_csv_path_digest() of it */
    int64_t n_given;  /**< rows before it that other pieces give, */
    int64_t left_out; /**< and that are left out of them */
    int64_t n_rows;   /**< that it gives */
    int64_t end_bytes;
    uint64_t options; /**< dn_csv_digest_tag() of the options' digest */
    struct dn_csv_dialect dialect;
    bool trailing;
    const char **fields;
    size_t n_fields;
    struct dn_csv_token_column *columns;
    size_t n_columns;
    uint32_t *
        layout; /**< where files differ: for each of the file's fields which one of these it is; or NULL */
    size_t n_layout;
};

/** A number for a path as messages show it: queries of addresses, which may be secrets, are none of it. */
uint64_t dn_csv_path_digest(const char *path);
/** A number for the options that decide what the rows are, */
uint64_t dn_csv_options_digest(const struct dn_csv_options *o);
/** and that and a text of the caller's; NULL: none. */
uint64_t dn_csv_digest_tag(uint64_t digest, const char *tag);

/** The token of `token`, but for what is the same for all of r's pieces of a file. */
DN_NODISCARD enum dn_status dn_csv_token_write(struct dn_buffer *out,
                                               const struct dn_csv_token *token,
                                               const struct dn_csv_reader *r, struct dn_error *err);
/** Into memory of `arena`.  DN_ERR_INVALID: it is none, or was damaged. */
DN_NODISCARD enum dn_status dn_csv_token_read(struct dn_csv_token **out, const char *text,
                                              struct dn_arena *arena, struct dn_error *err);

/** Fields, dialect and layout of r->token become r's. */
DN_NODISCARD enum dn_status dn_csv_token_restore(struct dn_csv_reader *r, struct dn_error *err);
/** Likewise the types of r's columns, but for those that the options give. */
DN_NODISCARD enum dn_status dn_csv_token_types(struct dn_csv_reader *r, struct dn_error *err);

#endif
