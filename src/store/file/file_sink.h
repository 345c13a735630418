/** Sinks that are files. */
#ifndef DN_STORE_FILE_FILE_SINK_H
#define DN_STORE_FILE_FILE_SINK_H

#include "store/sink.h"

/**
 * dn_sink_open() of a path.
 * @param memory_bytes  for a block, between 256 KiB and 4 MiB; 0: 4 MiB
 */
DN_NODISCARD enum dn_status dn_file_sink_open(struct dn_sink **out, const char *path,
                                              bool overwrite, uint64_t memory_bytes,
                                              struct dn_error *err);

#endif
