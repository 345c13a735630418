/* Configurations that checks send. */
#include "cli/conform.h"

#include "job/json_text.h"

/* The object within, made if there is none; NULL: there is no memory, or nothing that it could be within. */
static json_t *object_within(json_t *object, const char *key)
{
    json_t *found = json_object_get(object, key);

    if (json_is_object(found)) {
        return found;
    }
    (void)json_object_set_new(object, key, json_object());
    return json_object_get(object, key);
}

void dn_conform_option_set(json_t *config, const char *name, json_t *value)
{
    json_t *options = object_within(object_within(config, "engine"), "options");

    (void)json_object_set_new(options, name, value);
}

json_t *dn_conform_writer_config(const struct dn_conform *c, const char *base)
{
    json_t *config = c->run_config != NULL
                         ? json_loads(c->run_config, JSON_DISABLE_EOF_CHECK, NULL)
                         : json_pack("{s:s, s:s, s:{}, s:n, s:{}}", "asset_name", "Conform Table",
                                     "target_type", "local", "connection", "file_format", "engine");

    json_t *options = json_object_get(json_object_get(config, "engine"), "options");
    (void)json_object_del(options, "overwrite"); /* checks ask for it themselves */
    (void)json_object_del(json_object_get(options, "native"), "overwrite");
    (void)json_object_set_new(config, "schema",
                              json_pack("[{s:s, s:s, s:b}, {s:s, s:s}]", "name", "id", "type",
                                        "integer", "required", 1, "name", "name", "type",
                                        "string"));
    (void)json_object_set_new(config, "output_base", json_string(base));
    return config;
}

char *dn_conform_file_twice(const char *config)
{
    json_t *root = json_loads(config, JSON_DISABLE_EOF_CHECK, NULL);
    json_t *files = json_object_get(root, "files");
    char *out = NULL;

    if (json_array_size(files) == 1 && json_array_append(files, json_array_get(files, 0)) == 0) {
        out = dn_json_dump(root, 0);
    }
    json_decref(root);
    return out;
}
