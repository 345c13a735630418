/** What a connection says (dativo/store.h), kept. */
#ifndef DN_STORE_OPTIONS_H
#define DN_STORE_OPTIONS_H

#include "base/error.h"
#include "dativo/store.h"

/**
 * The caller's struct in ours, its texts borrowed; `given` NULL: nothing is said.
 * DN_ERR_INVALID: a struct_size that cannot be.
 */
DN_NODISCARD enum dn_status dn_store_options_read(struct dn_store_options *out,
                                                  const struct dn_store_options *given,
                                                  struct dn_error *err);
/**
 * A copy with all its texts, of ours whatever version the caller's is, for dn_store_options_free(); *out NULL: `given` is.
 * DN_ERR_INVALID: a struct_size that cannot be; DN_ERR_MEMORY.
 */
DN_NODISCARD enum dn_status dn_store_options_copy(struct dn_store_options **out,
                                                  const struct dn_store_options *given,
                                                  struct dn_error *err);
/** Overwrites it first.  NULL is allowed. */
void dn_store_options_free(struct dn_store_options *options);

#endif
