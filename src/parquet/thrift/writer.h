/**
 * Writer of the Thrift compact protocol (thrift-compact-protocol.md), the encoding of Parquet's page headers and footer.
 *
 * The first failure sticks: later calls do nothing and dn_thrift_finish() returns it, so that callers read like the struct
 * they write.  Fields are written in ascending id order.
 * Threads: one owner.
 */
#ifndef DN_PARQUET_THRIFT_WRITER_H
#define DN_PARQUET_THRIFT_WRITER_H

#include "base/buffer.h"
#include "parquet/format.h"

#define DN_THRIFT_WRITE_DEPTH 16

struct dn_thrift_writer {
    struct dn_buffer *out; /**< borrowed; bytes are appended */
    struct dn_error *err;
    enum dn_status status;
    unsigned depth; /**< open structs */
    int16_t last_field[DN_THRIFT_WRITE_DEPTH];
};

/** Start appending to `out`; no struct is open. */
void dn_thrift_init(struct dn_thrift_writer *w, struct dn_buffer *out, struct dn_error *err);
/** DN_OK, or the first failure.  Every struct must be closed. */
DN_NODISCARD enum dn_status dn_thrift_finish(struct dn_thrift_writer *w);

/** Open a struct that is the outermost value or an element of a list; close it with dn_thrift_struct_end(). */
void dn_thrift_struct_begin(struct dn_thrift_writer *w);
void dn_thrift_struct_end(struct dn_thrift_writer *w);

/** Open a struct that is a field. */
void dn_thrift_field_struct(struct dn_thrift_writer *w, int16_t id);
/** A field that is a struct without fields, e.g. a member of a union that says only which one it is. */
void dn_thrift_field_empty_struct(struct dn_thrift_writer *w, int16_t id);
void dn_thrift_field_bool(struct dn_thrift_writer *w, int16_t id, bool value);
void dn_thrift_field_i8(struct dn_thrift_writer *w, int16_t id, int8_t value);
void dn_thrift_field_i16(struct dn_thrift_writer *w, int16_t id, int16_t value);
void dn_thrift_field_i32(struct dn_thrift_writer *w, int16_t id, int32_t value);
void dn_thrift_field_i64(struct dn_thrift_writer *w, int16_t id, int64_t value);
void dn_thrift_field_binary(struct dn_thrift_writer *w, int16_t id, const void *data, size_t len);
/** The header of a list field; n elements follow by the calls below, or as structs. */
void dn_thrift_field_list(struct dn_thrift_writer *w, int16_t id, enum dn_thrift_type element,
                          size_t n);
void dn_thrift_element_i32(struct dn_thrift_writer *w, int32_t value);
void dn_thrift_element_binary(struct dn_thrift_writer *w, const void *data, size_t len);
/** Bytes that already are encoded elements. */
void dn_thrift_raw(struct dn_thrift_writer *w, const void *data, size_t len);

#endif
