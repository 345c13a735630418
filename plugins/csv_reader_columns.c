/* Column names and types as the host's JSON shows them. */
#include "csv_reader.h"

#include "base/name_map.h"
#include "base/strings.h"

#include <string.h>

/* The names of the columns whose types a person declared. */
static enum dn_status declared_names(const struct csv_settings *s, struct dn_name_map *names,
                                     struct dn_error *err)
{
    for (size_t i = 0; s != NULL && i < s->csv.n_types; i++) {
        const char *name = s->csv.types[i].name;
        if (s->csv.types[i].declared && dn_name_map_get(names, name, strlen(name)) < 0) {
            DN_TRY(dn_name_map_add(names, name, strlen(name), 0, err));
        }
    }
    return DN_OK;
}

static enum dn_status append_column(struct dn_buffer *b, const struct dn_field *field,
                                    struct dn_error *err)
{
    DN_TRY(dn_text_append(b, "{\"name\":", err));
    DN_TRY(dn_text_append_json_string(b, field->name, strlen(field->name), err));
    return dn_text_appendf(b, err, ",\"type\":\"%s\",\"nullable\":%s", dn_type_name(field->type),
                           field->nullable ? "true" : "false");
}

enum dn_status csv_append_columns(struct dn_buffer *b, const struct ArrowSchema *schema,
                                  const struct csv_settings *inferred_by, struct dn_error *err)
{
    struct dn_name_map declared = {0};
    enum dn_status st = DN_OK;

    DN_TRY_GOTO(st, declared_names(inferred_by, &declared, err), cleanup);
    DN_TRY_GOTO(st, dn_text_append(b, "[", err), cleanup);
    for (int64_t i = 0; i < schema->n_children; i++) {
        struct dn_field field;
        DN_TRY_GOTO(st, dn_text_append(b, i > 0 ? "," : "", err), cleanup);
        DN_TRY_GOTO(st, dn_schema_get_field(schema, i, &field, err), cleanup);
        DN_TRY_GOTO(st, append_column(b, &field, err), cleanup);
        if (inferred_by != NULL) {
            const bool inferred = inferred_by->values == CSV_VALUES_COLUMN &&
                                  dn_name_map_get(&declared, field.name, strlen(field.name)) < 0;
            DN_TRY_GOTO(
                st, dn_text_append(b, inferred ? ",\"inferred\":true" : ",\"inferred\":false", err),
                cleanup);
        }
        DN_TRY_GOTO(st, dn_text_append(b, "}", err), cleanup);
    }
    st = dn_text_append(b, "]", err);
cleanup:
    dn_name_map_finish(&declared);
    return st;
}
