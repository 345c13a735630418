/** Where in a nested column a value is, for messages: c.list[2].a, c['a key'].  Threads: one owner. */
#ifndef DN_JSON_PATH_H
#define DN_JSON_PATH_H

#include "arrow/nested.h"

struct dn_json_step {
    int64_t i;           /**< an item, from 0 */
    struct dn_span name; /**< or, if `data` is set, a field or a key */
};

struct dn_json_path {
    const char *column; /**< NULL: nowhere */
    int64_t row;        /**< or record, from 1 */
    int n_steps;
    struct dn_json_step steps[DN_NODE_MAX_DEPTH];
};

/** One step further; its place in the path is *step until dn_json_path_leave(). */
static inline struct dn_json_step *dn_json_path_enter(struct dn_json_path *p)
{
    struct dn_json_step *step = &p->steps[p->n_steps++];
    *step = (struct dn_json_step){0};
    return step;
}
static inline void dn_json_path_leave(struct dn_json_path *p)
{
    p->n_steps--;
}

/** Room for a path in a message; longer ones are cut. */
#define DN_JSON_PATH_SIZE 256
/** ", at c.list[2].a", or "" for the column itself.  Returns `out`. */
const char *dn_json_path_text(const struct dn_json_path *p, char out[DN_JSON_PATH_SIZE]);

#endif
