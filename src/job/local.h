/** What a job or a command line may call a file of this machine: a path, or file:///path. */
#ifndef DN_JOB_LOCAL_H
#define DN_JOB_LOCAL_H

#include <stdbool.h>

/**
 * The path a name stands for.
 * @param path  Points into `name`; empty if it is.
 * @return false: it is a URL of somewhere else (s3://bucket, file://host/path).
 */
bool dn_local_path(const char *name, const char **path);
/** Is it an object of S3 or an address of the web, which readers open by that name? */
bool dn_is_remote(const char *name);

#endif
