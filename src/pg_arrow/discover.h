/** What a server has to read, as JSON.  Threads: one at a time. */
#ifndef DN_PG_ARROW_DISCOVER_H
#define DN_PG_ARROW_DISCOVER_H

#include "pg_arrow/reader.h"

struct dn_pg_server {
    int version; /**< e.g. 150018 */
    bool is_tls;
};
/** Connect, and no more. */
DN_NODISCARD enum dn_status dn_pg_server_look(struct dn_pg_server *out,
                                              const struct dn_pg_read_options *options,
                                              struct dn_error *err);
/**
 * Append {"name","type","rows","columns":[{"name","type","nullable"}]}, ... of everything that this user may read.  Names are such as the
 * option table takes; rows are an estimate, or null.  The digits of numerics without a precision are not looked for: "numeric".
 */
DN_NODISCARD enum dn_status dn_pg_discover(struct dn_buffer *out,
                                           const struct dn_pg_read_options *options,
                                           struct dn_error *err);

#endif
