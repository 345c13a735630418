/** The Parquet writer plugin's own parts: its options. */
#ifndef DN_PLUGINS_PARQUET_WRITER_H
#define DN_PLUGINS_PARQUET_WRITER_H

#include "writer.h"

#include "dativo/parquet.h"

extern const struct dn_shell_option parquet_writer_options[];
extern const size_t parquet_writer_n_options;

/** Read the options of its own: *out_own is a struct dn_parquet_options. */
DN_NODISCARD enum dn_status parquet_writer_configure(struct dn_shell_config *c, void **out_own,
                                                     const char **note, struct dn_error *err);

#endif
