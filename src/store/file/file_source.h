/** Sources that are files, pipes, devices and standard input. */
#ifndef DN_STORE_FILE_FILE_SOURCE_H
#define DN_STORE_FILE_FILE_SOURCE_H

#include "store/source.h"

/** dn_source_open() of a path, or of "-". */
DN_NODISCARD enum dn_status dn_file_source_open(struct dn_source **out, const char *path,
                                                struct dn_stop *stop, struct dn_error *err);
/** Would opening it a second time not give the same bytes?  Standard input, pipes, devices.  They are not touched. */
bool dn_file_source_is_once(const char *path);

#endif
