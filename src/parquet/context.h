/**
 * What Parquet files that are written one after the other have in common, so that it is made once: the thread that waits for the disk,
 * compressors with their buffers, and freed blocks, as far as the budgets of the writers let them lie idle.  A writer that is opened without
 * a context makes one of its own.
 * Threads: one owner, and one open writer at a time.
 */
#ifndef DN_PARQUET_CONTEXT_H
#define DN_PARQUET_CONTEXT_H

#include "dativo/parquet.h"

struct dn_parquet_context;

/** Starts the thread.  DN_ERR_IO: the system refused it; DN_ERR_MEMORY. */
DN_NODISCARD enum dn_status dn_parquet_context_create(struct dn_parquet_context **out,
                                                      struct dn_error *err);
/** Behind the last writer in it.  NULL is allowed; in a child of fork() nothing happens. */
void dn_parquet_context_destroy(struct dn_parquet_context *c);

/** dn_parquet_writer_open() in a context, which must outlive the writer.  DN_ERR_INVALID: another writer is open in it. */
DN_NODISCARD enum dn_status
dn_parquet_writer_open_in(struct dn_parquet_context *c, struct dn_parquet_writer **out,
                          const char *path, const struct ArrowSchema *schema,
                          const struct dn_parquet_options *options, struct dn_error *err);

/** Bytes of the file so far; behind dn_parquet_finish() all of them. */
uint64_t dn_parquet_size(const struct dn_parquet_writer *w);

#endif
