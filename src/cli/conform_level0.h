/** Checks of Level 0: what those of readers and of writers share (conform_level0.c). */
#ifndef DN_CLI_CONFORM_LEVEL0_H
#define DN_CLI_CONFORM_LEVEL0_H

#include "cli/conform.h"

#include <jansson.h>

struct dn_level0 {
    void *(*create)(const char *config_json);
    const char *(*extract)(void *reader);
    const char *(*write)(void *writer, const char *records_json);
    void (*free_handle)(void *handle);
    void (*free_text)(const char *text);
};

/** A configuration of a reader, without type and path. */
#define DN_LEVEL0_READER_CONFIG                                                                    \
    "{\"type\":\"%s\",\"connection\":{},\"credentials\":{\"type\":\"none\"},\"objects\":[],"       \
    "\"files\":[{\"path\":\"%s\",\"object\":\"small\"}],\"incremental\":{},\"engine\":{\"type\":"  \
    "\"native\",\"options\":{\"native\":{\"chunk_size\":2}}}}"

/** The functions of a role; false: one is missing, and c->said tells so. */
bool dn_level0_take(struct dn_conform *c, bool is_reader, struct dn_level0 *l);
/** A create function that returned NULL is a FAIL. */
enum dn_verdict dn_level0_no_handle(struct dn_conform *c);
/** The text is an error as the contract wants it; takes the text over. */
enum dn_verdict dn_level0_error_text(struct dn_conform *c, const struct dn_level0 *l,
                                     const char *text, const char *what);
/** The list of records, at least one, to be freed; NULL: hosts would not take the text for one, and *problem is why. */
json_t *dn_level0_batch_read(const char *text, const char **problem);
/** Make the small file, CSV or with c->is_parquet that, if it is not there, and the configuration for it; NULL: that failed. */
const char *dn_level0_small_config(const struct dn_conform *c, char out[1024]);
/** Hold a batch, behind `first` records, against the small file, whose records are known by the keys of the first one: c->is_small. */
enum dn_verdict dn_level0_small_check(struct dn_conform *c, const json_t *batch, size_t first);

#endif
