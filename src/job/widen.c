#include "job/widen.h"

#include "arrow/schema.h"
#include "base/strings.h"
#include "job/coltype.h"
#include "job/events.h"

#include <stdio.h>
#include <string.h>

/* Of widened columns in a message; with the last one it may be longer. */
#define MAX_LINE 400

/* Behind the columns of the schema are those that the first rows do not have. */
static bool is_new(const struct ArrowSchema *schema, size_t i)
{
    return i >= (size_t)schema->n_children;
}

static const char *name_of(const struct ArrowSchema *schema, const json_t *found, size_t i)
{
    const char *name = is_new(schema, i)
                           ? json_string_value(json_object_get(json_array_get(found, i), "name"))
                           : schema->children[i]->name;

    return name != NULL ? name : "";
}

json_t *dn_widen_types(const struct ArrowSchema *schema, const json_t *found, json_t *widened)
{
    json_t *types = json_object(); /* by name; "string" where columns of one name differ */
    json_t *list = json_array();
    int failed = types == NULL || list == NULL;

    for (size_t i = 0; failed == 0 && i < json_array_size(found); i++) {
        const char *name = name_of(schema, found, i);
        const char *to = json_string_value(json_object_get(json_array_get(found, i), "type"));
        const char *other = json_string_value(json_object_get(types, name));
        const bool differ = to == NULL || (other != NULL && strcmp(other, to) != 0);
        failed |= json_object_set_new(types, name, json_string(differ ? "string" : to));
    }
    for (size_t i = 0; failed == 0 && i < json_array_size(found); i++) {
        const char *name = name_of(schema, found, i);
        char words[DN_TYPE_WORDS_SIZE];
        const char *from = is_new(schema, i) ? "none" : dn_type_words(schema->children[i], words);
        const char *own = json_string_value(json_object_get(json_array_get(found, i), "type"));
        json_t *to = json_object_get(types, name);
        if (own == NULL || strcmp(own, from) == 0 ||
            json_equal(json_object_get(widened, name), to) != 0) {
            continue;
        }
        failed |= json_object_set(widened, name, to);
        failed |= json_array_append_new(
            list, json_pack("{s:s, s:s, s:O}", "column", name, "from", from, "to", to));
    }
    json_decref(types);
    if (failed != 0) {
        json_decref(list);
        return NULL;
    }
    return list;
}

void dn_widen_tell(const struct dn_events *events, json_t *list, const struct dn_error *why)
{
    struct dn_buffer line = {0};
    const size_t n = json_array_size(list);
    size_t named = 0;

    while (named < n && line.len < MAX_LINE) {
        const json_t *entry = json_array_get(list, named);
        if (dn_text_appendf(&line, NULL, "%scolumn \"%s\" becomes %s instead of %s",
                            named > 0 ? ", " : "",
                            json_string_value(json_object_get(entry, "column")),
                            json_string_value(json_object_get(entry, "to")),
                            json_string_value(json_object_get(entry, "from"))) != DN_OK) {
            break;
        }
        named++;
    }
    char rest[48] = "";
    if (named < n) {
        (void)snprintf(rest, sizeof rest, " and %zu more", n - named);
    }
    dn_events_emit(events, DN_EVENT_WARNING, "type_widened",
                   json_pack("{s:O, s:s, s:I}", "columns", list, "path", why->path, "line",
                             (json_int_t)why->line),
                   "%.*s%s, reading starts again: %.*s", (int)line.len,
                   line.data != NULL ? (const char *)line.data : "", rest,
                   (int)strcspn(why->message, ";"), why->message);
    dn_buffer_finish(&line);
}
