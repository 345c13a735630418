/** The types of Arrow's IPC messages, and their formats in the C data interface. */
#ifndef DN_ARROW_IPC_TYPE_H
#define DN_ARROW_IPC_TYPE_H

#include "base/buffer.h"

#include <stdbool.h>

/** Members of the union Type, format/Schema.fbs of Apache Arrow. */
enum dn_ipc_type_id {
    DN_IPC_NULL = 1,
    DN_IPC_INT,
    DN_IPC_FLOATING_POINT,
    DN_IPC_BINARY,
    DN_IPC_UTF8,
    DN_IPC_BOOL,
    DN_IPC_DECIMAL,
    DN_IPC_DATE,
    DN_IPC_TIME,
    DN_IPC_TIMESTAMP,
    DN_IPC_INTERVAL,
    DN_IPC_LIST,
    DN_IPC_STRUCT,
    DN_IPC_UNION,
    DN_IPC_FIXED_SIZE_BINARY,
    DN_IPC_FIXED_SIZE_LIST,
    DN_IPC_MAP,
    DN_IPC_DURATION,
    DN_IPC_LARGE_BINARY,
    DN_IPC_LARGE_UTF8,
    DN_IPC_LARGE_LIST,
    DN_IPC_RUN_END_ENCODED,
    DN_IPC_BINARY_VIEW,
    DN_IPC_UTF8_VIEW,
    DN_IPC_LIST_VIEW,
    DN_IPC_LARGE_LIST_VIEW,
    DN_IPC_TYPE_COUNT
};

#define DN_IPC_NUMBERS 3

/** A type, as the table of its own has it. */
struct dn_ipc_type {
    enum dn_ipc_type_id id;
    int32_t numbers[DN_IPC_NUMBERS]; /**< the fields of its table, in their order */
    struct dn_span zone;             /**< of timestamps, borrowed; data NULL: none */
};

/** A number in the table of a type: its bytes, 0 if there is none, and what it is where it is not written. */
struct dn_ipc_number {
    uint8_t size;
    int32_t otherwise;
};
const struct dn_ipc_number *dn_ipc_numbers(enum dn_ipc_type_id id);
/** How many children a column of the type has; -1: any number. */
int dn_ipc_n_children(enum dn_ipc_type_id id);

/** False: unions, and formats unknown here. */
bool dn_ipc_type_from_format(const char *format, struct dn_ipc_type *out);
/**
 * Append the format, with a NUL.  DN_ERR_DATA, without a message: there is none, for numbers that the type cannot have, or a type that
 * is a union or unknown here.
 */
DN_NODISCARD enum dn_status dn_ipc_type_format(const struct dn_ipc_type *type,
                                               struct dn_buffer *out, struct dn_error *err);

#endif
