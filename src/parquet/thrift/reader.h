/**
 * Reading the Thrift compact protocol from memory: every length is checked against the bytes that are left, nesting is
 * limited, and unknown fields are skipped.  Nothing is allocated; binaries are borrowed from the input.
 *
 * A struct is read as
 *     DN_TRY(dn_thrift_begin(r, &f, err));
 *     for (;;) { DN_TRY(dn_thrift_next(r, &f, err)); if (f.type == DN_THRIFT_STOP) break; ...read or skip the field... }
 * Errors: DN_ERR_DATA with the byte offset in the file, in the message and in the record.
 * Threads: one owner.
 */
#ifndef DN_PARQUET_THRIFT_READER_H
#define DN_PARQUET_THRIFT_READER_H

#include "base/buffer.h"
#include "parquet/format.h"

/** Structs, lists and maps may be nested this deep; parquet.thrift itself needs less than ten levels. */
#define DN_THRIFT_MAX_DEPTH 32

struct dn_thrift_reader {
    const uint8_t *data;
    size_t len;
    size_t pos;
    uint64_t base;    /**< offset of data[0] in the file, for messages */
    const char *what; /**< what is being read, for messages: "the footer" */
    unsigned depth;
    bool ran_out; /**< the failure was that `len` bytes are too few; more bytes may help */
};

/** The field that was read last.  dn_thrift_begin() resets it. */
struct dn_thrift_field {
    int16_t id;
    enum dn_thrift_type type; /**< DN_THRIFT_STOP at the end of the struct */
};

void dn_thrift_reader_init(struct dn_thrift_reader *r, struct dn_span in, uint64_t base,
                           const char *what);

/** Enter a struct. */
DN_NODISCARD enum dn_status dn_thrift_begin(struct dn_thrift_reader *r, struct dn_thrift_field *f,
                                            struct dn_error *err);
/** Read the next field header; at the end of the struct leave it and set f->type to DN_THRIFT_STOP. */
DN_NODISCARD enum dn_status dn_thrift_next(struct dn_thrift_reader *r, struct dn_thrift_field *f,
                                           struct dn_error *err);
/** Skip the value of a field. */
DN_NODISCARD enum dn_status dn_thrift_skip(struct dn_thrift_reader *r,
                                           const struct dn_thrift_field *f, struct dn_error *err);

/* The value of the field `f`, which must have the fitting type. */
DN_NODISCARD enum dn_status dn_thrift_read_bool(struct dn_thrift_reader *r,
                                                const struct dn_thrift_field *f, bool *out,
                                                struct dn_error *err);
/** i8, i16 or i32. */
DN_NODISCARD enum dn_status dn_thrift_read_i32(struct dn_thrift_reader *r,
                                               const struct dn_thrift_field *f, int32_t *out,
                                               struct dn_error *err);
DN_NODISCARD enum dn_status dn_thrift_read_i64(struct dn_thrift_reader *r,
                                               const struct dn_thrift_field *f, int64_t *out,
                                               struct dn_error *err);
/** *out points into the reader's input; data is never NULL. */
DN_NODISCARD enum dn_status dn_thrift_read_binary(struct dn_thrift_reader *r,
                                                  const struct dn_thrift_field *f,
                                                  struct dn_span *out, struct dn_error *err);
/** The field must be a struct: call dn_thrift_begin() next. */
DN_NODISCARD enum dn_status dn_thrift_expect_struct(struct dn_thrift_reader *r,
                                                    const struct dn_thrift_field *f,
                                                    struct dn_error *err);
/**
 * Enter a list of `element` type; *out_n elements follow, each read with dn_thrift_begin() or with a field of that type.
 * @param min_bytes  what one element takes at least (>= 1): a count that cannot fit into the rest of the input is
 *                   refused, so that a caller may allocate *out_n entries.
 */
DN_NODISCARD enum dn_status dn_thrift_read_list(struct dn_thrift_reader *r,
                                                const struct dn_thrift_field *f,
                                                enum dn_thrift_type element, size_t min_bytes,
                                                uint32_t *out_n, struct dn_error *err);

#endif
