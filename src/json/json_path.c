#include "json/json_path.h"

#include <inttypes.h>
#include <stdio.h>

static bool is_plain(struct dn_span name)
{
    for (size_t i = 0; i < name.len; i++) {
        const uint8_t c = name.data[i];
        if (c < 0x80 &&
            (c < '0' || (c > '9' && c < 'A') || (c > 'Z' && c < 'a' && c != '_') || c > 'z')) {
            return false;
        }
    }
    return name.len > 0;
}

/* "name", ".name", "['a name']" or "[1]". */
static void put_step(char *out, size_t size, const char *dot, const struct dn_json_step *s)
{
    char shown[DN_ESCAPED_VALUE_SIZE];

    if (s->name.data == NULL) {
        (void)snprintf(out, size, "[%" PRId64 "]", s->i);
    } else if (is_plain(s->name)) {
        (void)snprintf(out, size, "%s%.*s", dot, (int)(s->name.len < size ? s->name.len : size),
                       (const char *)s->name.data);
    } else {
        (void)snprintf(out, size, "[%s]", dn_error_escape_value(shown, s->name.data, s->name.len));
    }
}

const char *dn_json_path_text(const struct dn_json_path *p, char out[DN_JSON_PATH_SIZE])
{
    const struct dn_span name = {(const uint8_t *)p->column, strlen(p->column)};

    out[0] = '\0';
    if (p->n_steps > 0) {
        const size_t len = (size_t)snprintf(out, DN_JSON_PATH_SIZE, ", at ");
        put_step(out + len, DN_JSON_PATH_SIZE - len, "", &(struct dn_json_step){.name = name});
    }
    for (int i = 0; i < p->n_steps; i++) {
        const size_t len = strlen(out);
        put_step(out + len, DN_JSON_PATH_SIZE - len, ".", &p->steps[i]);
    }
    return out;
}
