#include "job/names.h"

#include "base/memory.h"
#include "base/name_map.h"
#include "job/connector.h"

#include <string.h>

enum dn_status dn_schema_name_columns(json_t *schema, struct dn_error *err)
{
    const size_t n = json_array_size(schema);
    struct dn_name *names = dn_calloc(n + 1, sizeof *names);
    struct dn_arena arena = {0};
    enum dn_status st = DN_OK;

    if (names == NULL) {
        return dn_error_memory(err, n * sizeof *names);
    }
    for (size_t i = 0; i < n; i++) {
        const char *name = json_string_value(json_object_get(json_array_get(schema, i), "name"));
        names[i] = (struct dn_name){name != NULL ? name : "", name != NULL ? strlen(name) : 0};
    }
    DN_TRY_GOTO(st, dn_names_make_unique(names, n, &arena, err), cleanup);
    for (size_t i = 0; i < n; i++) {
        json_t *column = json_array_get(schema, i);
        const char *name = json_string_value(json_object_get(column, "name"));
        if (name != NULL && names[i].text != name &&
            json_object_set_new(column, "unique_name", json_string(names[i].text)) != 0) {
            DN_TRY_GOTO(st, dn_error_memory(err, names[i].len), cleanup);
        }
    }
cleanup:
    dn_arena_finish(&arena);
    dn_free(names);
    return st;
}

const char *dn_name_delimiter(const char *name, const json_t *reader_config)
{
    static const char *const shown[][2] = {{";", "';'"}, {"\t", "tab"}, {"|", "'|'"}, {",", "','"}};
    const json_t *options = json_object_get(json_object_get(reader_config, "engine"), "options");
    const json_t *native = json_object_get(options, "native");
    const char *type = json_string_value(json_object_get(reader_config, "type"));
    const char *used = json_string_value(json_object_get(options, "delimiter"));

    if (!dn_connector_is_csv(type)) {
        return NULL; /* nothing delimits its columns */
    }
    used = used != NULL ? used : json_string_value(json_object_get(native, "delimiter"));
    used = used != NULL ? used : ",";
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
        if (strcmp(used, shown[i][0]) != 0 && strstr(name, shown[i][0]) != NULL) {
            return shown[i][1];
        }
    }
    return NULL;
}
