/** The files that `plugin new` writes, which the build puts into the command (cmake/templates.cmake), and the writing of them. */
#ifndef DN_CLI_TEMPLATE_H
#define DN_CLI_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

struct dn_template {
    const char *set;  /**< "c", "c-level1", "c-reader-1", "reader", "header" */
    const char *name; /**< below the folder, with @NAME@ in it */
    const char *data;
    size_t len;
};
extern const struct dn_template dn_templates[];
extern const size_t dn_n_templates;

struct dn_new_plugin {
    const char *name;
    int level; /**< 0 or 1 */
    bool is_reader;
    bool is_rust;
};
/** Make the folder `name`, which must not be there; says what to do next on standard error.  Returns the exit code. */
int dn_template_write(const struct dn_new_plugin *p);

#endif
