/** What a job or a command line may call a file of this machine: a path, or file:///path. */
#ifndef DN_JOB_LOCAL_H
#define DN_JOB_LOCAL_H

#include "base/error.h"

#include <stdbool.h>
#include <sys/stat.h>

/**
 * The path a name stands for.
 * @param path  Points into `name`; empty if it is.
 * @return false: it is a URL of somewhere else (s3://bucket, file://host/path).
 */
bool dn_local_path(const char *name, const char **path);
/**
 * What a path is called in configurations, which are JSON and so UTF-8: itself, or the file:/// URL of one that is no UTF-8.
 * @param out  for dn_free()
 */
DN_NODISCARD enum dn_status dn_local_name(char **out, const char *path, struct dn_error *err);
/** As stat(2), of such a name as well; errno is ENOMEM if memory ran out.  @return 0: it is there */
int dn_local_stat(const char *name, struct stat *out);
/** Is it an object of S3 or an address of the web, which readers open by that name? */
bool dn_is_remote(const char *name);

#endif
