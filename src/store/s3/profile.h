/** The files of AWS's tools: ~/.aws/credentials and ~/.aws/config, or where the environment says.  Threads: thread-safe as getenv() is. */
#ifndef DN_STORE_S3_PROFILE_H
#define DN_STORE_S3_PROFILE_H

#include "base/buffer.h"

#include <stdbool.h>

/** Both files, read once, and the profile that counts.  Zero-initialise. */
struct dn_s3_profile {
    char *name;
    bool asked_for; /**< by the caller or AWS_PROFILE, so that its absence is an error */
    char *credentials_path;
    char *config_path;
    struct dn_buffer credentials; /**< texts with a NUL; empty: there is no such file */
    struct dn_buffer config;
};

/**
 * Read the files.  `name` NULL: AWS_PROFILE, AWS_DEFAULT_PROFILE or "default".
 * DN_ERR_IO: a file that is there cannot be read, or has over 1 MiB; DN_ERR_MEMORY.  No file at all is none.
 */
DN_NODISCARD enum dn_status dn_s3_profile_open(struct dn_s3_profile *p, const char *name,
                                               struct dn_error *err);
void dn_s3_profile_close(struct dn_s3_profile *p);
/** Is there a section of that name in either file? */
bool dn_s3_profile_exists(const struct dn_s3_profile *p);
/** A value of the profile as a copy for dn_free(), first of the file of credentials; *out NULL: it is in neither. */
DN_NODISCARD enum dn_status dn_s3_profile_value(const struct dn_s3_profile *p, const char *key,
                                                char **out, struct dn_error *err);

/** An environment variable that is set and not empty, or NULL. */
const char *dn_s3_environment(const char *name);
/** A whole small file, with a NUL that is not counted; empty if there is none and `may_miss`.  DN_ERR_IO, DN_ERR_NOT_FOUND. */
DN_NODISCARD enum dn_status dn_s3_read_file(const char *path, bool may_miss, struct dn_buffer *out,
                                            struct dn_error *err);
/** Overwrite a secret and free it.  NULL is allowed. */
void dn_s3_free_secret(char *text);

#endif
