/**
 * Arrow schemas as the message that begins an IPC stream: format/Schema.fbs and format/Message.fbs of Apache Arrow
 * (https://arrow.apache.org/docs/format/Columnar.html, "Serialization and Interprocess Communication").  Parquet files keep one under
 * the key ARROW:schema, as base64.
 *
 * All types but unions, at any nesting up to DN_SCHEMA_MAX_DEPTH, with names, nullability, flags, dictionaries, extension types and
 * metadata.  Metadata of the values of a dictionary has no place in IPC and is left out: joined to that of the column it would make an
 * extension type of the whole, which readers refuse.
 */
#ifndef DN_ARROW_IPC_SCHEMA_H
#define DN_ARROW_IPC_SCHEMA_H

#include "base/buffer.h"
#include "dativo/arrow.h"

/**
 * Append the message, a multiple of 8 bytes.  DN_ERR_UNSUPPORTED names a column whose type has no form in IPC: a union, a dictionary of
 * dictionaries, a format unknown here.  DN_ERR_INVALID: it is released, or lacks children.
 */
DN_NODISCARD enum dn_status dn_ipc_schema_write(const struct ArrowSchema *schema,
                                                struct dn_buffer *out, struct dn_error *err);
/**
 * The schema of a message of any writer: a struct, its columns the children.  DN_ERR_DATA: damaged, or something else;
 * DN_ERR_UNSUPPORTED: a type unknown here, or too deep nesting.  On failure out->release is NULL.
 * Memory and time: in proportion to the message.
 */
DN_NODISCARD enum dn_status dn_ipc_schema_read(struct dn_span message, struct ArrowSchema *out,
                                               struct dn_error *err);

#endif
