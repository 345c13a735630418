#include "cli/store_flags.h"

#include <string.h>

void dn_store_flags_table(struct dn_store_flags *s, struct dn_flag out[DN_STORE_FLAGS])
{
    const struct dn_flag flags[DN_STORE_FLAGS] = {
        {"s3-endpoint", 0, DN_FLAG_TEXT, &s->endpoint},
        {"s3-region", 0, DN_FLAG_TEXT, &s->region},
        {"s3-profile", 0, DN_FLAG_TEXT, &s->profile},
        {"s3-anonymous", 0, DN_FLAG_BOOL, &s->anonymous},
        {"ca-file", 0, DN_FLAG_TEXT, &s->ca_file},
    };

    memcpy(out, flags, sizeof flags);
}

void dn_store_flags_options(const struct dn_store_flags *s, struct dn_store_options *out)
{
    *out = (struct dn_store_options){
        .struct_size = sizeof(*out),
        .endpoint = s->endpoint,
        .region = s->region,
        .profile = s->profile,
        .ca_file = s->ca_file,
        .anonymous = s->anonymous,
    };
}

enum dn_status dn_store_flags_connection(const struct dn_store_flags *s, json_t **out,
                                         struct dn_error *err)
{
    json_t *made = json_pack("{s:s*, s:s*, s:s*, s:s*}", "endpoint", s->endpoint, "region",
                             s->region, "profile", s->profile, "ca_file", s->ca_file);

    if (made == NULL) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "the value of --s3-endpoint, --s3-region, --s3-profile or --ca-file is "
                            "not valid UTF-8");
    }
    if (s->anonymous && json_object_set_new(made, "anonymous", json_true()) != 0) {
        json_decref(made);
        return dn_error_memory(err, 64);
    }
    *out = made;
    return DN_OK;
}
