/** The flags that say where an S3 service is, shared by all commands that read or write names.  Secrets are no flags: everybody sees those. */
#ifndef DN_CLI_STORE_FLAGS_H
#define DN_CLI_STORE_FLAGS_H

#include "cli/flags.h"
#include "dativo/store.h"

#include <jansson.h>

struct dn_store_flags {
    const char *endpoint;
    const char *region;
    const char *profile;
    const char *ca_file;
    bool anonymous;
};

#define DN_STORE_FLAGS 5
/** The table rows of these flags, for a command's own table. */
void dn_store_flags_table(struct dn_store_flags *s, struct dn_flag out[DN_STORE_FLAGS]);

/** For dn_command.more. */
#define DN_STORE_FLAGS_HELP                                                                        \
    "\n"                                                                                           \
    "Flags for s3:// and the web:\n"                                                               \
    "      --s3-endpoint URL   the service, https://host:port; default AWS_ENDPOINT_URL_S3, else " \
    "AWS\n"                                                                                        \
    "      --s3-region R       of the bucket; default AWS_REGION\n"                                \
    "      --s3-profile P      of ~/.aws; default AWS_ACCESS_KEY_ID and its kin, or AWS_PROFILE\n" \
    "      --s3-anonymous      ask without keys: public buckets\n"                                 \
    "      --ca-file F         certificates to trust instead of the system's\n"

/** What they say for whoever asks the service in this process; texts are theirs. */
void dn_store_flags_options(const struct dn_store_flags *s, struct dn_store_options *out);
/** What they say as the connection of a plugin's configuration; {} if they say nothing.  @param out  A new reference. */
DN_NODISCARD enum dn_status dn_store_flags_connection(const struct dn_store_flags *s, json_t **out,
                                                      struct dn_error *err);

#endif
