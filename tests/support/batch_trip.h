/** A generated table on its way into a Parquet file and back. */
#ifndef DN_TEST_BATCH_TRIP_H
#define DN_TEST_BATCH_TRIP_H

#include "batch_gen.h"
#include "dativo/plugin.h"

/**
 * Make a table of what `g` says, write it to `path`, verify the file, read it back by any options and compare every value.  The writer is
 * the library's, or that of a plugin if `plugin` is not NULL.  False: something is wrong, and `message` says what, and of which table.
 */
bool gen_trip(struct gen *g, const char *path, const struct dativo_plugin *plugin, char *message,
              size_t size);

#endif
