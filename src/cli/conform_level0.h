/** Checks of Level 0: what those of readers and of writers share (conform_level0.c). */
#ifndef DN_CLI_CONFORM_LEVEL0_H
#define DN_CLI_CONFORM_LEVEL0_H

#include "cli/conform.h"

struct dn_level0 {
    void *(*create)(const char *config_json);
    const char *(*extract)(void *reader);
    const char *(*write)(void *writer, const char *records_json);
    void (*free_handle)(void *handle);
    void (*free_text)(const char *text);
};

/** The functions of a role; false: one is missing, and c->said tells so. */
bool dn_level0_take(struct dn_conform *c, bool is_reader, struct dn_level0 *l);
/** The text is an error as the contract wants it; takes the text over. */
enum dn_verdict dn_level0_error_text(struct dn_conform *c, const struct dn_level0 *l,
                                     const char *text, const char *what);
/** NULL, or why hosts would not take the text for a list of records with at least one. */
const char *dn_level0_batch_problem(const char *text, size_t *n_rows);

#endif
