/* Column names and types as the host's JSON shows them. */
#include "csv_reader.h"

#include "base/memory.h"
#include "base/strings.h"

#include <string.h>

static bool is_type_given(const struct csv_settings *s, const char *name)
{
    for (size_t i = 0; i < s->csv.n_types; i++) {
        if (s->csv.types[i].declared && strcmp(s->csv.types[i].name, name) == 0) {
            return true;
        }
    }
    return s->values != CSV_VALUES_COLUMN;
}

enum dn_status csv_append_columns(struct dn_buffer *b, const struct ArrowSchema *schema,
                                  const struct csv_settings *inferred_by, struct dn_error *err)
{
    DN_TRY(dn_text_append(b, "[", err));
    for (int64_t i = 0; i < schema->n_children; i++) {
        struct dn_field field;
        DN_TRY(dn_schema_get_field(schema, i, &field, err));
        DN_TRY(dn_text_append(b, i > 0 ? ",{\"name\":" : "{\"name\":", err));
        DN_TRY(dn_text_append_json_string(b, field.name, strlen(field.name), err));
        DN_TRY(dn_text_appendf(b, err, ",\"type\":\"%s\",\"nullable\":%s", dn_type_name(field.type),
                               field.nullable ? "true" : "false"));
        if (inferred_by != NULL) {
            DN_TRY(dn_text_appendf(b, err, ",\"inferred\":%s",
                                   is_type_given(inferred_by, field.name) ? "false" : "true"));
        }
        DN_TRY(dn_text_append(b, "}", err));
    }
    return dn_text_append(b, "]", err);
}
