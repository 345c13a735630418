/** The places that credentials come from, each on its own.  All give DN_OK and *out NULL where the place is not set up. */
#ifndef DN_STORE_S3_SOURCES_H
#define DN_STORE_S3_SOURCES_H

#include "store/s3/credentials.h"

/** Copies; token may be NULL or empty. */
DN_NODISCARD enum dn_status dn_s3_keys_create(struct dn_s3_keys **out, const char *id,
                                              const char *secret, const char *token,
                                              int64_t expires, const char *source,
                                              struct dn_error *err);
/** From the JSON that containers, instances and processes answer with. */
DN_NODISCARD enum dn_status dn_s3_keys_from_json(struct dn_s3_keys **out, struct dn_span json,
                                                 const char *token_name, const char *source,
                                                 struct dn_error *err);

DN_NODISCARD enum dn_status dn_s3_keys_of_environment(struct dn_s3_keys **out,
                                                      struct dn_error *err);
DN_NODISCARD enum dn_status dn_s3_keys_of_profile(struct dn_s3_keys **out,
                                                  const struct dn_s3_profile *profile,
                                                  const struct dn_s3_place *place,
                                                  struct dn_stop *stop, struct dn_error *err);
/** The command of `credential_process`, by /bin/sh, at most 60 s. */
DN_NODISCARD enum dn_status dn_s3_keys_of_process(struct dn_s3_keys **out, const char *command,
                                                  struct dn_stop *stop, struct dn_error *err);
/** `token_file` and `role` NULL: what the environment says. */
DN_NODISCARD enum dn_status dn_s3_keys_of_web_identity(struct dn_s3_keys **out,
                                                       const char *token_file, const char *role,
                                                       const struct dn_s3_place *place,
                                                       struct dn_stop *stop, struct dn_error *err);
DN_NODISCARD enum dn_status dn_s3_keys_of_container(struct dn_s3_keys **out, struct dn_stop *stop,
                                                    struct dn_error *err);
DN_NODISCARD enum dn_status dn_s3_keys_of_instance(struct dn_s3_keys **out, struct dn_stop *stop,
                                                   struct dn_error *err);

/** "2026-01-02T03:04:05Z", with or without a fraction, as seconds since 1970; 0: it is none. */
int64_t dn_s3_time_of_iso(const char *text);
/** "Fri, 02 Jan 2026 03:04:05 GMT" of a header, the same. */
int64_t dn_s3_time_of_http(const char *text);
/** A member of a flat JSON object that is a text, as a copy for dn_free(); *out NULL: there is none. */
DN_NODISCARD enum dn_status dn_s3_json_text(struct dn_span json, const char *name, char **out,
                                            struct dn_error *err);

#endif
